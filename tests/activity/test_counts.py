"""Counts of events and profiles by period."""

from __future__ import annotations

import math
import pickle

import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.activity.counts import counts
from convergekit.events.calendar import Calendar
from tests.activity import reference_activity
from tests.activity.activity_frames import ZONES, frames, log
from tests.figures.figure_texts import HOSTILE, one_line, texts

MEASURES = st.sampled_from(["events", "profiles", "new_profiles"])


@given(
    frames(),
    st.sampled_from("DWMQ"),
    MEASURES,
    st.sampled_from(ZONES),
    st.sampled_from(["PageView", None]),
)
def test_equals_the_slow_definition(frame, freq, measure, zone, event):
    assume(event is None or event in set(frame["event_name"]))
    table = counts(frame, event, freq=freq, measure=measure, by="source", calendar=Calendar(zone))
    expected = reference_activity.counts(frame, event, freq, measure, zone=zone, by="source")
    found = {
        (label if isinstance(label, str) else None, period.date()): number
        for label, period, number in zip(
            table["source"], table["period"], table["count"], strict=True
        )
    }
    assert {key: number for key, number in found.items() if number} == expected
    # Every group has every period.
    every = reference_activity.every_period(frame, freq, zone)
    for _, part in table.groupby("source", dropna=False):
        assert [period.date() for period in part["period"]] == every
        assert part["complete"].tolist() == [True] * (len(every) - 1) + [False]


@given(frames(), st.sampled_from("DWM"), MEASURES)
def test_without_a_breakdown_there_is_a_row_for_every_period(frame, freq, measure):
    table = counts(frame, freq=freq, measure=measure)
    expected = reference_activity.counts(frame, None, freq, measure)
    every = reference_activity.every_period(frame, freq)
    assert table["count"].tolist() == [expected.get((None, period), 0) for period in every]


@given(frames(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter_and_nothing_is_changed(frame, random):
    frame = frame.assign(price=[0.1 * place for place in range(len(frame))])
    before, order = frame.copy(), list(range(len(frame)))
    random.shuffle(order)
    for options in ({"value": "price", "by": "source"}, {"measure": "profiles"}):
        one, other = (counts(part, freq="M", **options) for part in (frame, frame.iloc[order]))
        pd.testing.assert_frame_equal(pd.DataFrame(one), pd.DataFrame(other), check_exact=True)
    pd.testing.assert_frame_equal(frame, before)


def test_amounts_are_added_up_and_what_has_none_is_zero():
    frame = log(a="o0 o0.5", b="o2").assign(price=[10.5, None, 3.0])
    table = counts(frame, "Placed Order", value="price")
    assert table["sum"].tolist() == [10.5, 0.0, 3.0]
    assert "count" not in table


def test_a_sum_is_near_the_exact_one():
    frame = log(a=" ".join(["o0"] * 30)).assign(price=[0.1, 1e9, 1e-7] * 10)
    found = counts(frame, "Placed Order", value="price")["sum"][0]
    assert found == pytest.approx(math.fsum(frame["price"]), rel=1e-12)


def test_active_profiles_are_counted_once_and_new_ones_once_for_all():
    frame = log(a="v0 v0.5 v1 v8", b="v1 o9")
    assert counts(frame, measure="profiles")["count"].tolist() == [1, 2, 0, 0, 0, 0, 0, 0, 1, 1]
    assert counts(frame, freq="W", measure="profiles")["count"].tolist() == [2, 2]
    assert counts(frame, freq="W", measure="new_profiles")["count"].tolist() == [2, 0]
    orders = counts(frame, "Placed Order", freq="W", measure="new_profiles")
    assert orders["count"].tolist() == [0, 1]


def test_events_without_a_profile_count_as_events_alone():
    frame = log(a="v0", b="v0 v1")
    frame.loc[2, "profile_id"] = None
    assert counts(frame)["count"].tolist() == [2, 1]
    assert counts(frame).attrs["left_out"] == {}
    found = counts(frame, measure="profiles")
    assert found["count"].tolist() == [2, 0]
    assert found.attrs["left_out"] == {"events without a profile": 1}


def test_events_without_a_time_are_left_out_and_counted():
    frame = log(a="v0 v1 v1.5")
    frame.loc[1, "timestamp"] = pd.NaT
    found = counts(frame)
    assert (found["count"].tolist(), found.attrs["left_out"]) == (
        [1, 1], {"events without a time": 1},
    )  # fmt: skip


def test_identify_calls_are_left_out():
    frame = log(a="v0 v1").assign(kind=["track", "identify"])
    assert counts(frame)["count"].tolist() == [1, 0]


def test_of_new_profiles_the_label_is_that_of_their_first_event():
    frame = log(a="v0 v1", b="v1").assign(page=["home", "cart", "cart"])
    table = counts(frame, measure="new_profiles", by="page")
    assert table[["page", "count"]].values.tolist() == [
        ["cart", 0], ["cart", 1], ["home", 1], ["home", 0],
    ]  # fmt: skip


def test_the_largest_groups_are_first_and_the_others_gathered():
    frame = log(a="v0 v0 v0 v0 v0").assign(page=["x", "y", "y", "z", None])
    assert counts(frame, by="page")["page"].tolist()[:3] == ["y", "x", "z"]
    table = counts(frame, by="page", top=1)
    assert table["page"].tolist()[:2] == ["y", "other"]
    assert table["count"].tolist() == [2, 2, 1]


def test_a_day_is_that_of_the_shops_clock():
    frame = log(a="v0.99 v1", b="v2")
    assert counts(frame)["count"].tolist() == [1, 1, 1]
    assert counts(frame, calendar=Calendar("Europe/Brussels"))["count"].tolist() == [0, 2, 1][1:]


def test_no_events_of_a_condition_are_zeros_and_no_events_at_all_no_rows():
    with pytest.warns(UserWarning, match="meets where="):
        found = counts(log(a="v0 v1"), ck.Step("PageView", where="day > 9"))
    assert found["count"].tolist() == [0, 0]
    assert found.plot() is not None
    with pytest.warns(UserWarning, match="meets where="):
        found = counts(log(a="v0 v1"), ck.Step("PageView", where="day > 9"), by="day")
    assert found.empty
    nothing = counts(log(a="v0")[:0], "PageView")
    assert nothing.empty
    assert list(nothing) == ["period", "count", "complete"]
    assert nothing.plot() is not None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"event": "Page View"}, "no event is named 'Page View'.*Did you mean 'PageView'"),
        ({"measure": "people"}, "measure must be one of 'events', 'profiles', 'new_profiles'"),
        ({"measure": "profiles", "value": "day"}, "leave it out with measure='profiles'"),
        ({"value": "price"}, "no column matches value='price'"),
        ({"value": "event_name"}, "value must name a column of numbers"),
        ({"freq": "fortnight"}, "freq must be a period such as 'D', 'W' or 'M'; got 'fortnight'"),
        ({"by": "pag"}, "no column matches 'pag'"),
        ({"top": 3}, "top= needs by= too"),
        ({"by": "count"}, "by='count': the table has a column of that name"),
    ],
)
def test_what_makes_no_sense_is_refused(options, message):
    with pytest.raises(ck.ConvergekitError, match=message):
        counts(log(a="v0 v7").assign(count=1), **options)


def test_of_stitched_events():
    s = ck.stitch(ck.simulate_store(people=100).events, calendar="Europe/Brussels")
    for options in ({"measure": "profiles"}, {"event": "Placed Order", "value": "total_price"}):
        plain = counts(s.events, calendar=Calendar("Europe/Brussels"), **options)
        pd.testing.assert_frame_equal(pd.DataFrame(s.counts(**options)), pd.DataFrame(plain))
    orders = s.events[s.events["event_name"] == "Placed Order"]
    assert s.counts("Placed Order")["count"].sum() == len(orders)
    assert s.counts()["count"].sum() == (s.events["kind"] == "track").sum()
    with pytest.raises(ck.ConvergekitError, match="calendar"):
        s.counts(calendar="Brussels")


def test_the_figure_is_dotted_where_the_period_is_not_over():
    solid, dotted = counts(log(a="v0 v0 v8", b="v15"), freq="W").plot().data
    assert (list(solid.y), solid.line.dash) == ([2, 1], "solid")
    assert (list(dotted.y), dotted.line.dash) == ([1, 1], "dot")
    assert one_line(solid.hovertext[0]) == "In the week from 2 Mar 2026, 2 events."


def test_the_figure_says_the_last_full_period():
    figure = counts(log(a="v0 v0 v8"), "PageView", freq="W", measure="profiles").plot()
    assert figure.layout.title.text == "Profiles with PageView by week"
    assert one_line(figure.layout.title.subtitle.text) == (
        "In the last full week (2 Mar 2026), 1 profile. Dotted: the data end before the week does."
    )


def test_the_figure_of_a_breakdown_has_a_line_per_group():
    frame = log(a="v0 v1", b="v0").assign(page=["x", None, "y"])
    figure = counts(frame, by="page").plot(template="dark")
    assert [line.name for line in figure.data if line.showlegend] == ["x", "y", "no page"]
    assert figure.layout.showlegend is False
    assert {note.text for note in figure.layout.annotations} == {"x", "y", "no page"}
    assert len({line.marker.symbol for line in figure.data if line.showlegend}) == 3
    assert "1 event of x." in one_line(figure.data[0].hovertext[0])


def test_a_group_keeps_its_colour_where_rows_are_chosen():
    found = counts(log(a="v0 v1", b="v0").assign(page=["x", "z", "y"]), by="page")
    colours = {line.name: line.line.color for line in found.plot().data}
    (alone,) = {line.line.color for line in found[found["page"] == "z"].plot().data}
    assert len(set(colours.values())) == 3
    assert alone == colours["z"]


def test_one_wrong_time_does_not_make_a_figure_of_thousands_of_zeros():
    frame = log(a="v0 v0 v1 v5", b="v20000")
    found = counts(frame)
    assert len(found) == 20_001
    solid, dotted = found.plot().data
    assert list(solid.y) == [2, 1, 0, 0, 1, 0, 0]
    assert list(dotted.y) == [0, 1]


@pytest.mark.parametrize("template", ["light", "dark"])
def test_hostile_names_are_shown_as_they_are(template):
    frame = log(a="v0 v1").assign(event_name=HOSTILE, page=HOSTILE).assign(**{HOSTILE: 1.0})
    for found in (counts(frame, HOSTILE, by="page"), counts(frame, HOSTILE, value=HOSTILE)):
        said = [text for text in texts(found.plot(template=template)) if text != "~s"]
        assert not [text for text in said if set(text.replace("<br>", "")) & set("<>$")]
        assert any("&lt;a" in text for text in said)


def test_tables_are_pickled_with_their_figures():
    found = pickle.loads(pickle.dumps(counts(log(a="v0 v1"))))
    assert len(found.plot().data) == 2

"""Retention: who is in a cohort, who came back, and what was over when the data ended."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.activity.retention import retention
from convergekit.customers.result import customers
from convergekit.events.calendar import Calendar
from tests.activity import reference_activity
from tests.activity.activity_frames import ZONES, frames, log
from tests.figures.figure_texts import HOSTILE, one_line, texts

MODES = st.sampled_from(["on", "within", "on_or_after"])


def cells(table, by=None):
    """A table as the reference has it."""
    labels = table[by] if by else pd.Series([None] * len(table), dtype=object)
    return {
        (label if isinstance(label, str) else None, line.cohort.date(), line.periods): (
            line.profiles,
            line.returned,
            line.complete,
        )
        for label, line in zip(labels, table.itertuples(), strict=True)
    }


def rows(table):
    return table[["periods", "profiles", "returned", "complete"]].values.tolist()


@given(
    frames(),
    st.sampled_from("DWMQ"),
    MODES,
    st.sampled_from(ZONES),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["PageView", "Placed Order"]),
)
def test_equals_the_slow_definition(frame, freq, mode, zone, every, elapsed, returns):
    assume({"PageView", returns} <= set(frame["event_name"]))
    assume(not (elapsed and freq == "Q"))
    found = retention(
        frame,
        "PageView",
        returns,
        freq=freq,
        mode=mode,
        cohort="every" if every else "first",
        periods="elapsed" if elapsed else "calendar",
        by="source",
        calendar=Calendar(zone),
    )
    asked = {"zone": zone, "every": every, "elapsed": elapsed, "by": "source"}
    expected = reference_activity.retention(frame, "PageView", returns, freq, mode, **asked)
    assert cells(found.table, "source") == expected
    curve = found.curve()
    assert {
        (label if isinstance(label, str) else None, line.periods): (
            line.cohorts,
            line.profiles,
            line.returned,
        )
        for label, line in zip(curve["source"], curve.itertuples(), strict=True)
    } == reference_activity.average(expected)
    assert np.allclose(curve["share"], curve["returned"] / curve["profiles"])


@given(frames(), st.sampled_from("DWM"), MODES, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter_and_nothing_is_changed(frame, freq, mode, random):
    assume("PageView" in set(frame["event_name"]))
    before, order = frame.copy(), list(range(len(frame)))
    random.shuffle(order)
    one, other = (
        retention(part, freq=freq, mode=mode, by="source") for part in (frame, frame.iloc[order])
    )
    pd.testing.assert_frame_equal(pd.DataFrame(one.table), pd.DataFrame(other.table))
    pd.testing.assert_frame_equal(pd.DataFrame(one.curve()), pd.DataFrame(other.curve()))
    pd.testing.assert_frame_equal(frame, before)


@given(frames(), st.sampled_from("DWM"))
def test_modes_bound_one_another(frame, freq):
    assume({"PageView", "Placed Order"} <= set(frame["event_name"]))
    on, within, after = (
        retention(frame, returns="Placed Order", freq=freq, mode=mode).table
        for mode in ("on", "within", "on_or_after")
    )
    later = on["periods"] > 0
    assert (on["returned"] <= after["returned"]).all()
    assert (on["returned"] <= within["returned"])[later].all()
    for table, sign in ((within[later], 1), (after, -1)):
        steps = table.groupby("cohort")["returned"].diff().dropna()
        assert (sign * steps >= 0).all()
    for table in (within, after):
        pd.testing.assert_series_equal(table["complete"], on["complete"])


@given(frames(), st.sampled_from(ZONES))
def test_orders_by_cohort_are_retention_of_orders(frame, zone):
    assume("Placed Order" in set(frame["event_name"]))
    calendar = Calendar(zone)
    table = customers(frame, value=None, calendar=calendar).retention()
    found = retention(frame, "Placed Order", "Placed Order", freq="M", calendar=calendar).table
    names = {"months": "periods", "customers": "profiles", "active": "returned"}
    pd.testing.assert_frame_equal(
        pd.DataFrame(table).rename(columns=names), pd.DataFrame(found), check_dtype=False
    )


def test_a_return_is_in_a_calendar_period_or_after_so_much_time():
    # From Sunday to Monday is the next week, and one day.
    frame = log(a="v6 v7.5", z="v28")
    assert rows(retention(frame).table)[:3] == [
        [0, 1, 1, True], [1, 1, 1, True], [2, 1, 0, True],
    ]  # fmt: skip
    assert rows(retention(frame, periods="elapsed").table)[:2] == [
        [0, 1, 1, True], [1, 1, 0, True],
    ]  # fmt: skip


def test_a_day_of_elapsed_time_is_24_hours_of_the_clock():
    # From 23:59 to 23:01 the day after: by whole hours that is the next day.
    frame = log(a="v0.9993 v1.9597", z="v9")
    table = retention(frame, freq="D", periods="elapsed").table
    assert table["returned"].tolist()[:2] == [1, 1]


def test_a_month_of_elapsed_time_has_thirty_days():
    frame = log(a="v0 v29.9", b="v0 v30", z="v100")
    table = retention(frame, freq="M", periods="elapsed").table
    assert table["returned"].tolist()[:2] == [2, 1]


def test_in_period_0_what_was_before_the_start_does_not_count():
    frame = log(a="o0 v1", b="v0 o1", z="v7")
    table = retention(frame, returns="Placed Order").table
    assert rows(table)[0] == [0, 2, 1, True]
    assert retention(frame).table["returned"][0] == 2


def test_a_profile_may_be_in_the_cohort_of_every_period():
    frame = log(a="v0 v7 v8", b="v7", z="v21")
    first = retention(frame, cohort="first").table
    assert first.groupby("cohort")["profiles"].first().tolist() == [1, 1, 1]
    every = retention(frame, cohort="every").table
    assert every.groupby("cohort")["profiles"].first().tolist() == [1, 2, 1]
    assert every[every["periods"] == 1]["returned"].tolist() == [1, 0]


def test_a_period_is_complete_when_it_is_over_for_all_of_the_cohort():
    frame = log(a="v0 v8", z="v14")
    assert retention(frame).table[:3]["complete"].tolist() == [True, True, False]
    # Whoever started on Sunday has a first week until the Sunday two weeks later.
    elapsed = retention(frame, periods="elapsed").table[:3]
    assert elapsed["complete"].tolist() == [True, False, False]
    assert retention(frame).curve()["cohorts"].tolist() == [1, 1]


def test_the_average_weighs_cohorts_by_their_size():
    frame = log(a="v0 v7", b="v7", c="v7", d="v7", z="v21")
    curve = retention(frame).curve()
    assert curve.query("periods == 1")["share"].tolist() == [1 / 4]


def test_the_label_is_that_of_the_start_event():
    frame = log(a="v0 v7", b="v0", z="v14").assign(page=["home", "cart", "cart", None])
    found = retention(frame, by="page").table
    assert found.query("periods == 1")[["page", "profiles", "returned"]].values.tolist() == [
        ["cart", 1, 0], ["home", 1, 1],
    ]  # fmt: skip
    # Missing is a group of its own, the last one.
    assert found["page"].isna().tolist() == [False] * 6 + [True]


def test_many_labels_are_gathered():
    frame = log(a="v0", b="v1", c="v2", d="v3", z="v14").assign(page=["x", "x", "y", "q", None])
    found = retention(frame, by="page", top=1)
    assert found.table.drop_duplicates("page")["page"].tolist()[:2] == ["x", "other"]
    assert found.table["profiles"].tolist()[:4] == [2, 2, 2, 2]


def test_labels_may_be_of_several_columns():
    frame = log(a="v0", b="v1", c="v2").assign(page=["x", "x", None], number=[1, 2, 1])
    table = retention(frame, by=["page", "number"]).table
    assert table[["page", "number"]].astype(object).where(table.notna(), "").values.tolist() == [
        ["x", 1], ["x", 2], ["", 1],
    ]  # fmt: skip


def test_of_two_starts_at_once_that_which_arrived_first_has_the_label():
    frame = log(a="v0 v0", z="v7").assign(page=["cart", "home", None])
    assert retention(frame, by="page").table["page"][0] == "cart"
    arrived = frame["timestamp"] + pd.to_timedelta([5, 3, 0], unit="s")
    assert retention(frame.assign(received_at=arrived), by="page").table["page"][0] == "home"


def test_members_are_counted_in_parts_where_there_are_many(monkeypatch):
    frame = log(a="v0 v7 v8 v21", b="v0 v14 v15", c="v7 v14 v21", d="v1")
    asked = {"cohort": "every", "mode": "within"}
    whole = retention(frame, **asked).table
    monkeypatch.setattr("convergekit.activity.cohorts._BLOCK", 2)
    pd.testing.assert_frame_equal(
        pd.DataFrame(retention(frame, **asked).table), pd.DataFrame(whole)
    )


def test_start_and_returns_may_be_several_events_with_conditions():
    frame = log(a="v0 o1 v8", b="v0 o9", z="v21").assign(price=[0, 5, 0, 0, 50, 0])
    large = ck.Step("Placed Order", where="price > 9", label="Large order")
    found = retention(frame, ["PageView", "Placed Order"], large)
    assert (found.start, found.returns) == ("PageView or Placed Order", "Large order")
    assert found.table.query("periods == 1")["returned"].tolist()[0] == 1
    first = retention(frame, "Placed Order", where={"price": 50})
    assert first.table["cohort"].dt.day.unique().tolist() == [9]


def test_events_without_a_profile_are_left_out_and_counted():
    frame = log(a="v0 v7", b="v1 o2")
    frame.loc[2:, "profile_id"] = None
    found = retention(frame, returns="Placed Order")
    assert found.left_out == {"PageView without a profile": 1, "Placed Order without a profile": 1}
    assert found.table["profiles"].tolist() == [1, 1]
    assert "PageView without a profile: 1" in found._repr_html_()


def test_events_without_a_time_are_left_out_and_counted():
    frame = log(a="v0 v7", b="v1")
    frame.loc[2, "timestamp"] = pd.NaT
    found = retention(frame)
    assert found.left_out == {"PageView without a time": 1}
    assert found.table["profiles"].tolist() == [1, 1]


def test_weeks_may_begin_on_another_day_and_in_another_zone():
    frame = log(a="v5.9 v7", z="v21")
    sunday = retention(frame, calendar=Calendar("UTC", "sunday")).table
    assert str(sunday["cohort"][0].date()) == "2026-03-01"
    brussels = retention(frame, freq="D", calendar=Calendar("Europe/Brussels")).table
    assert str(retention(frame, freq="D").table["cohort"][0].date()) == "2026-03-07"
    assert str(brussels["cohort"][0].date()) == "2026-03-07"


def test_a_day_in_which_the_clock_changes_is_one_day():
    night = pd.Timestamp("2026-03-29", tz="Europe/Brussels")
    times = [night, night + pd.Timedelta("23h"), night + pd.Timedelta("5D")]
    frame = pd.DataFrame({"profile_id": "a", "event_name": "PageView", "timestamp": times})
    table = retention(frame, freq="D", calendar=Calendar("Europe/Brussels")).table
    assert table["returned"].tolist()[:2] == [1, 1]
    assert retention(frame, freq="D").table["returned"].tolist()[:2] == [1, 1]


@pytest.mark.parametrize(("freq", "later"), [("2W", 2), ("3D", 2), ("2M", 1), ("12h", 2), ("h", 2)])
def test_periods_may_be_of_several_units(freq, later):
    # Two months are March and April, in which b comes back.
    frame = log(a="v0 v3 v80", b="v9 v33", c="v12", z="v100")
    found = retention(frame, freq=freq, mode="on_or_after").table
    assert found.query("periods == 0")["profiles"].sum() == 4
    assert found.query("periods == 1")["returned"].sum() == later
    assert not found.groupby("cohort")["complete"].last().any()


def test_who_meets_no_condition_makes_an_empty_table():
    with pytest.warns(UserWarning, match="meets where="):
        found = retention(log(a="v0 v7"), where="day > 99")
    assert found.table.empty
    assert found.curve().empty
    assert list(found.table) == [
        "cohort", "periods", "profiles", "returned", "share", "complete",
    ]  # fmt: skip
    for drawn in (found.plot(), found.curve().plot()):
        assert "No profile first did PageView: check" in one_line(drawn.layout.title.subtitle.text)
    assert "No profile did PageView." in str(found)


def test_no_events_have_no_retention():
    found = retention(log(a="v0")[:0])
    assert found.table.empty
    assert repr(found) == "Retention(0 profiles in 0 cohorts by PageView; back by PageView)"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": "Page View"}, "no event is named 'Page View'.*Did you mean 'PageView'"),
        ({"returns": "Refund"}, "no event is named 'Refund'"),
        ({"mode": "after"}, "mode must be one of 'on', 'within', 'on_or_after'; got 'after'"),
        ({"cohort": "last"}, "cohort must be one of 'first', 'every'; got 'last'"),
        ({"periods": "24h"}, "periods must be one of 'calendar', 'elapsed'; got '24h'"),
        ({"freq": "fortnight"}, "freq must be a period such as 'D', 'W' or 'M'; got 'fortnight'"),
        ({"freq": "Q", "periods": "elapsed"}, "freq must be of hours, days, weeks.*got 'Q'"),
        ({"by": "pag"}, "no column matches 'pag'"),
        ({"by": 3}, "by must be a name or a list of names; got 3"),
        ({"top": 3}, "top= needs by= too"),
        ({"label": "carried"}, "label= needs by= too"),
        ({"label": "last"}, "label must be one of 'visit', 'carried'; got 'last'"),
        ({"by": "day", "top": 0}, "top must be a whole number from 1; got 0"),
        ({"by": "cohort"}, "by='cohort': the table has a column of that name"),
        ({"start": ck.Step("PageView", where="day > 1"), "where": "day > 2"}, "not both"),
        ({"start": ck.Step("PageView", optional=True)}, "must not be optional"),
        ({"start": []}, "a step must be an event name"),
        ({"profile": "person"}, "no column 'person'"),
    ],
)
def test_what_makes_no_sense_is_refused(options, message):
    with pytest.raises(ck.ConvergekitError, match=message):
        retention(log(a="v0 v7").assign(cohort="x"), **options)


def test_times_that_are_texts_are_refused():
    frame = log(a="v0").astype({"timestamp": "str"})
    with pytest.raises(ck.ColumnError, match="'timestamp' is .*, not datetime"):
        retention(frame)


def test_of_stitched_events():
    s = ck.stitch(ck.simulate_store(people=200, days=60).events, calendar="Europe/Brussels")
    found = s.retention(returns="Placed Order", by="utm_source")
    assert found.calendar.zone == "Europe/Brussels"
    assert s.retention(calendar="UTC").calendar.zone == "UTC"
    plain = retention(
        s.events, returns="Placed Order", by="utm_source", calendar=Calendar("Europe/Brussels")
    )
    pd.testing.assert_frame_equal(pd.DataFrame(found.table), pd.DataFrame(plain.table))
    views = s.events[s.events["event_name"] == "PageView"]
    first = found.table.query("periods == 0")["profiles"].sum()
    assert first == views["profile_id"].nunique()
    assert found.left_out["PageView without a profile"] == views["profile_id"].isna().sum()


def test_a_campaign_is_that_of_the_visit_of_the_start_event():
    frame = log(a="v0 v3 o3 o12", b="v1 o1.01 v20").assign(
        **{
            "alias.cookie": ["a"] * 4 + ["b"] * 3,
            "profile_properties.utm_source": ["ads", None, None, "mail", "shop", None, None],
        }
    )
    s = ck.stitch(frame.drop(columns=["profile_id", "day"]))
    found = s.retention("Placed Order", "Placed Order", by="utm_source").table
    assert found.query("periods == 1")[["utm_source", "returned"]].values.tolist()[0] == ["shop", 0]
    # The visit of a's first order sent nothing; the one before did; a later one does not matter.
    assert found["utm_source"].isna().sum() == 3
    carried = s.retention("Placed Order", "Placed Order", by="utm_source", label="carried").table
    assert carried.drop_duplicates("profile.utm_source")["profile.utm_source"].tolist() == [
        "ads", "shop",
    ]  # fmt: skip
    orders = s.counts("Placed Order", freq="M", by="utm_source")
    assert orders[["utm_source", "count"]].fillna("").values.tolist() == [
        ["mail", 1], ["shop", 1], ["", 1],
    ]  # fmt: skip


def test_the_heat_map_marks_what_may_still_grow():
    figure = retention(log(a="v0 v7", b="v1", c="v8 v14.5")).plot()
    heat, hatch = figure.data
    assert [list(row) for row in heat.z] == [[0.5, 0.0], [1.0, None]]
    assert [list(row) for row in heat.text] == [["50%", "≥0%"], ["≥100%", ""]]
    # Four lines across the corners of each of the two cells that are not complete.
    assert [x for x in hatch.x if x is not None][:4] == [1.5, 1.75, 1.5, 1.625]
    assert [y for y in hatch.y if y is not None][:4] == [0.0, -0.5, -0.25, -0.5]
    assert len(hatch.x) == 2 * 4 * 3
    assert list(figure.layout.yaxis.ticktext) == ["2 Mar 2026 · 2", "9 Mar 2026 · 1"]
    assert one_line(heat.hovertext[0][0]) == (
        "Of 2 profiles who first did PageView in the week from 2 Mar 2026, 1 did PageView 1 week "
        "later, 50.0%."
    )
    assert "The data end before that week does." in one_line(heat.hovertext[0][1])


def test_with_two_events_period_0_is_shown():
    figure = retention(log(a="v0 o1", b="v1", z="o7"), returns="Placed Order").plot()
    assert [list(row) for row in figure.data[0].z] == [[0.5, 0.0]]
    assert list(figure.data[0].x) == [0, 1]
    assert "1 did Placed Order in the same week, 50.0%." in one_line(figure.data[0].hovertext[0][0])


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("within", "within the 2 weeks after it"),
        ("on_or_after", "2 weeks later or after that, 0.0%. More may return later."),
    ],
)
def test_the_heat_map_says_the_mode(mode, said):
    figure = retention(log(a="v0 v7", z="v28"), mode=mode).plot()
    assert said in one_line(figure.data[0].hovertext[0][1])
    assert "At 3: who came back" in one_line(figure.layout.title.subtitle.text)


def test_of_a_breakdown_a_row_is_the_average_of_a_group():
    frame = log(a="v0 v7", b="v7", c="v7", z="v21").assign(page=["x", "x", "x", "y", None])
    found = retention(frame, by="page")
    heat = found.plot().data[0]
    assert list(heat.z[0])[:2] == [0.5, 0.0]
    assert list(found.plot().layout.yaxis.ticktext) == ["x · 2", "y · 1", "no page · 1"]
    assert one_line(heat.hovertext[0][0]) == (
        "Of 2 profiles of x in 2 cohorts, 1 did PageView 1 week later, 50.0%."
    )
    of_x = found.table[found.table["page"] == "x"].plot()
    assert list(of_x.layout.yaxis.ticktext) == ["2 Mar 2026 · 1", "9 Mar 2026 · 1"]


def test_the_curve_has_a_line_per_cohort_behind_the_average():
    figure = retention(log(a="v0 v7", b="v7 v14", c="v7", z="v21")).curve().plot()
    cohorts, average = figure.data
    assert (list(cohorts.x), list(cohorts.y)) == ([1, 2, None, 1], [1.0, 0.0, None, 0.5])
    assert (list(average.x), list(average.y)) == ([1, 2], [2 / 3, 0.0])
    assert "Of 3 profiles in 2 cohorts, 2 did PageView 1 week later, 66.7%." in (
        one_line(average.hovertext[0])
    )


def test_the_curve_of_a_breakdown_has_a_line_per_group():
    frame = log(a="v0 v7", b="v7", z="v21").assign(page=["x", "x", "y", None])
    figure = retention(frame, by="page").curve().plot()
    assert [line.name for line in figure.data] == ["x", "y"]


@pytest.mark.parametrize("template", ["light", "dark"])
@pytest.mark.parametrize("by", [(), "page"])
def test_hostile_names_are_shown_as_they_are(template, by):
    frame = log(a="v0 v7", b="v7", z="v21").assign(
        page=[HOSTILE, HOSTILE, "y", None], event_name=HOSTILE
    )
    found = retention(frame, HOSTILE, HOSTILE, by=by)
    for figure in (found.plot(template=template), found.curve().plot(template=template)):
        said = [text for text in texts(figure) if text not in (".0%", "%{text}")]
        assert not [text for text in said if set(text.replace("<br>", "")) & set("<>$")]
        assert any("&lt;a" in text for text in said)


def test_within_so_many_periods_is_not_drawn_beside_period_0():
    frame = log(a="v0 o1", b="v1 o8", z="o21")
    found = retention(frame, returns="Placed Order", mode="within")
    assert list(found.plot().data[0].x) == [1, 2, 3]
    assert list(found.curve().plot().data[-1].x) == [1, 2]
    assert "week 0" not in str(found)
    assert found.table["returned"][0] == 1


def test_results_are_pickled_with_their_figures():
    found = pickle.loads(pickle.dumps(retention(log(a="v0 v7", z="v15"))))
    assert found.plot().data
    assert found.curve().plot().data


def test_groups_that_begin_alike_are_told_apart():
    pages = [f"https://shop.example/collections/{name}" for name in ("autumn", "winter")]
    frame = log(a="v0", b="v1", z="v15").assign(page=[*pages, "x"])
    names = list(retention(frame, by="page").plot().layout.yaxis.ticktext)
    assert names == ["…ections/autumn · 1", "…ections/winter · 1", "x · 1"]


def test_of_many_groups_the_largest_are_rows():
    frame = log(**{f"p{day}": "v0" for day in range(45)}, z="v15").assign(page=range(46))
    found = retention(frame, by="page")
    assert len(found.plot().layout.yaxis.ticktext) == 40
    assert "Not shown: 6 smaller groups." in one_line(found.plot().layout.title.subtitle.text)
    assert "The largest 12 of 46 groups." in str(found)


def test_many_cohorts_stay_readable():
    frame = log(**{f"p{day}": f"v{day} v{day + 1}" for day in range(120)})
    figure = retention(frame, freq="D").plot()
    assert figure.layout.height < 1_800
    assert len(figure.layout.yaxis.ticktext) <= 40
    assert "The last 12 of 120 cohorts." in str(retention(frame, freq="D"))
    assert set(figure.data[0].text[0]) == {""}


def test_one_wrong_time_does_not_make_a_figure_of_thousands_of_columns():
    found = retention(log(a="v0 v1 v3", b="v1 v2", c="v20000"), freq="D")
    assert len(found.table) == 20_001 + 20_000 + 1
    for figure in (found.plot(), found.curve().plot()):
        assert "Only the last 400 cohorts and first 400 days." in one_line(
            figure.layout.title.subtitle.text
        )
    assert {len(row) for row in found.plot().data[0].z} == {400}


def test_the_card_has_the_last_cohorts_and_says_what_may_grow():
    found = retention(log(a="v0 v7", b="v1", c="v8 v14.5"))
    assert str(found) == (
        "Retention(3 profiles in 2 cohorts by PageView; back by PageView)\n\n"
        "    cohort profiles week 1 week 2\n"
        "2 Mar 2026        2    50%    ≥0%\n"
        "9 Mar 2026        1  ≥100%       "
    )
    by = retention(log(a="v0 v7", z="v15").assign(page=["x", "x", "y"]), by="page")
    assert "x" in str(by)
    assert "100%" in str(by)

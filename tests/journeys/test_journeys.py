"""Journeys: paths, transitions, times and the figure."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.journeys.result import journeys
from tests.figures.figure_texts import HOSTILE, one_line, texts
from tests.journeys import reference_journeys

START = pd.Timestamp("2026-03-02", tz="UTC")
SHORT = {"v": "PageView", "c": "Added To Cart", "o": "Placed Order", "x": "Refund"}


def log(**profiles):
    """Frames from sketches: ``log(ann="v0 c5 o9")`` is three events at minutes 0, 5 and 9."""
    rows = [
        (profile, SHORT[event[0]], int(event[1:]))
        for profile, sketch in profiles.items()
        for event in sketch.split()
    ]
    frame = pd.DataFrame(rows, columns=["profile_id", "event_name", "minute"])
    return frame.assign(
        timestamp=START + pd.to_timedelta(frame["minute"], unit="min"),
        **{"properties.amount": frame["minute"] + 1.0},
    )


def path_table(found):
    return {
        ("".join(name[0] for name in row.path), row.longer): row.profiles
        for row in found.paths.itertuples()
    }


def test_repeats_are_one_step_and_the_end_is_none():
    found = journeys(log(a="v0 v1 c5 v6 o9 v10", b="v0 c3"), end="Placed Order")
    assert found.paths[["path", "profiles", "converted"]].values.tolist() == [
        [("PageView", "Added To Cart"), 1, 0],
        [("PageView", "Added To Cart", "PageView"), 1, 1],
    ]
    assert repr(found) == "Journeys(2 profiles on 2 paths; 1 reached Placed Order)"


def test_a_journey_begins_at_the_first_start_event():
    frame = log(a="c0 v1 o2 v3", b="c0 c1", c="o1 v2")
    assert path_table(journeys(frame, start="PageView")) == {("PPP", False): 1, ("P", False): 1}
    assert journeys(frame, start="PageView", end="Placed Order").profiles == 2


def test_what_starts_a_journey_does_not_end_it():
    found = journeys(log(a="o0 v1 o2", b="o0"), start="Placed Order", end="Placed Order")
    assert found.paths["path"].tolist() == [("Placed Order",), ("Placed Order", "PageView")]
    assert found.paths["converted"].tolist() == [0, 1]


def test_an_end_event_with_nothing_before_is_the_empty_path():
    found = journeys(log(a="o0 v1", b="v0 o1"), end="Placed Order", value="amount")
    assert found.paths[["path", "value"]].values.tolist() == [[(), 1.0], [("PageView",), 2.0]]
    assert found.transitions["transitions"].sum() == 1


@pytest.mark.parametrize(
    ("given_", "path"),
    [
        ({}, ("PageView", "Added To Cart")),
        ({"start": "PageView", "end": "Placed Order"}, ("PageView", "Added To Cart")),
        ({"end": "Placed Order"}, ("PageView", "Refund")),
    ],
)
def test_of_long_journeys_the_first_steps_are_told_or_the_last_before_an_end(given_, path):
    found = journeys(log(a="v0 c1 v2 x3 o4"), max_steps=2, **given_)
    assert found.paths[["path", "longer"]].values.tolist() == [[path, True]]


def test_only_events_that_are_asked_for_are_steps():
    found = journeys(log(a="v0 c1 v2 x3 o4"), end="Placed Order", names=["PageView"])
    assert found.paths["path"].tolist() == [("PageView",)]


def test_shares_of_transitions_from_an_event_add_up_to_one():
    found = journeys(log(a="v0 c1 v2 x3 o4", b="v0 x1", c="v0"))
    table = found.transitions
    assert table.groupby("from_event")["share"].sum().tolist() == pytest.approx([1, 1, 1, 1])
    assert table[table["to_event"].isna()]["transitions"].sum() == found.profiles


def test_times_are_from_the_first_of_a_step_to_the_first_of_the_next():
    found = journeys(log(a="v0 v3 c5", b="v0 c7", c="v0 c30"))
    row = found.times.iloc[0]
    assert (row["from_event"], row["to_event"], row["transitions"]) == (
        "PageView", "Added To Cart", 3,
    )  # fmt: skip
    minutes = row[["median_time", "mean_time", "p90_time"]] / pd.Timedelta(minutes=1)
    assert minutes.tolist() == pytest.approx([7, 14, 25.4])


def test_identify_calls_and_events_of_nobody_take_no_part():
    frame = log(a="v0 c1", b="v0")
    frame["kind"] = ["track", "identify", "track"]
    frame.loc[2, "profile_id"] = None
    assert path_table(journeys(frame)) == {("P", False): 1}


def test_the_frame_is_not_changed_and_the_order_of_rows_does_not_matter():
    frame = log(a="v0 c5 o9", b="v2 o3", c="c1 v2")
    before = frame.copy()
    turned = journeys(frame[::-1].reset_index(drop=True), end="Placed Order")
    found = journeys(frame, end="Placed Order")
    pd.testing.assert_frame_equal(found.paths, turned.paths)
    pd.testing.assert_frame_equal(found.transitions, turned.transitions)
    pd.testing.assert_frame_equal(frame, before)


def test_of_stitched_events():
    s = ck.stitch(ck.simulate_store().events)
    found = s.journeys(start="PageView", end="Placed Order", value="total_price")
    entered = s.funnel(["PageView", "Placed Order"], within="365D")
    assert found.profiles == entered.table["profiles"][0]
    assert found.paths["converted"].sum() == entered.table["profiles"][1]
    assert found.paths["profiles"].sum() == found.profiles


def test_what_is_not_there_is_said():
    frame = log(a="v0 c1")
    with pytest.raises(ck.UnknownNameError, match="Did you mean 'PageView'"):
        journeys(frame, start="Pageview")
    with pytest.raises(ck.ConvergekitError, match=r"name the event that has this value"):
        journeys(frame, value="amount")
    with pytest.raises(ck.ConvergekitError, match="from 1 to 20"):
        journeys(frame, max_steps=0)
    with pytest.raises(ck.ConvergekitError, match="end must be an event name"):
        journeys(frame, end=[])
    with pytest.raises(ck.ColumnError, match="no column 'profile_id'"):
        journeys(frame.drop(columns="profile_id"))


def test_no_events_have_no_journeys():
    found = journeys(log(a="v0")[:0], end="Placed Order")
    assert (found.profiles, len(found.paths), len(found.transitions), len(found.times)) == (0,) * 4
    assert not found.plot().data


@st.composite
def frames(draw):
    letters = st.sampled_from("vcox")
    rows = draw(
        st.lists(st.tuples(st.sampled_from("abc"), letters, st.integers(0, 6)), max_size=14)
    )
    frame = pd.DataFrame(rows, columns=["profile_id", "event_name", "minute"])
    frame = frame.astype({"profile_id": "str", "event_name": "str", "minute": "int64"})
    return frame.assign(
        event_name=frame["event_name"].map(SHORT).astype("str"),
        timestamp=START + pd.to_timedelta(frame["minute"], unit="min"),
        **{"properties.amount": frame["minute"] + 1.0},
    )


@given(frames(), st.sampled_from([(), ("PageView",), ("PageView", "Refund")]),
       st.sampled_from([(), ("Placed Order",), ("PageView", "Placed Order")]),
       st.integers(1, 4), st.booleans())  # fmt: skip
def test_equals_the_slow_definition(frame, start, end, most, some):
    known = set(frame["event_name"])
    start, end = ([name for name in names if name in known] for names in (start, end))
    names = sorted({"Added To Cart"} & known) if some else []
    slow = reference_journeys.journeys_of(frame, start, end, names or None)
    found = journeys(frame, start or None, end or None, names or None, most,
                     "amount" if end else None)  # fmt: skip
    assert found.profiles == len(slow)
    table = found.paths.assign(**({} if end else {"converted": 0, "value": 0.0}))
    assert {
        (row.path, row.longer): (row.profiles, row.converted, row.value)
        for row in table.itertuples()
    } == reference_journeys.paths(slow, start, end, most)
    table = found.transitions.astype(object).where(found.transitions.notna(), None)
    assert {
        (row.from_event, row.to_event): (row.transitions, row.profiles)
        for row in table.itertuples()
    } == reference_journeys.transitions(slow)
    assert {
        (row.from_event, row.to_event): row.median_time.total_seconds()
        for row in found.times.itertuples()
    } == pytest.approx(reference_journeys.median_times(slow))


def flows(figure):
    """Per (name, name) how many profiles flow, columns added up."""
    twin, found = figure.twin, {}
    assert list(figure.data[0].link.value) == twin["profiles"].tolist()
    for row in twin.to_dict("records"):
        key = (row["from"], row["to"])
        found[key] = found.get(key, 0) + row["profiles"]
    return found


def test_flows_are_of_profiles_from_step_to_step():
    frame = log(a="v0 c5 o9", b="v0 c4", c="v0", d="v0 o8")
    figure = journeys(frame, start="PageView", end="Placed Order").plot()
    assert flows(figure) == {
        ("PageView", "Added To Cart"): 2,
        ("PageView", "Placed Order"): 1,
        ("PageView", "nothing more"): 1,
        ("Added To Cart", "Placed Order"): 1,
        ("Added To Cart", "nothing more"): 1,
    }
    assert "2 profiles went from PageView to Added To Cart, 50.0% of the 4 there." in [
        one_line(text) for text in figure.data[0].link.customdata
    ]


def test_flows_to_an_end_are_of_the_last_steps():
    frame = log(a="x0 v1 c5 o9", b="c0 c4", c="o0")
    figure = journeys(frame, end="Placed Order", max_steps=2).plot()
    assert flows(figure) == {
        ("PageView", "Added To Cart"): 1,
        ("Added To Cart", "Placed Order"): 1,
        ("Added To Cart", "no Placed Order"): 1,
    }
    assert "1 reached it with nothing before; these are not drawn." in one_line(
        figure.layout.title.subtitle.text
    )


def test_journeys_with_further_steps_say_so():
    figure = journeys(log(a="v0 c1 v2", b="v0 c1"), max_steps=2).plot()
    assert flows(figure) == {
        ("PageView", "Added To Cart"): 2,
        ("Added To Cart", "further steps"): 1,
        ("Added To Cart", "nothing more"): 1,
    }


def test_events_beyond_the_top_are_other():
    frame = log(a="v0 c1 x2", b="v0 x1")
    figure = journeys(frame).plot(top=1)
    assert flows(figure) == {
        ("PageView", "other"): 2,
        ("other", "other"): 1,
        ("other", "nothing more"): 2,
    }
    with pytest.raises(ck.ConvergekitError, match="from 1 to 6"):
        journeys(frame).plot(top=7)


def test_there_are_few_nodes_whatever_the_names():
    frame = pd.DataFrame(
        {
            "profile_id": [f"p{i % 50}" for i in range(1000)],
            "event_name": [f"Event {i * i % 97}" for i in range(1000)],
            "timestamp": START + pd.to_timedelta(range(1000), unit="min"),
        }
    )
    figure = journeys(frame, max_steps=4).plot()
    assert len(figure.data[0].node.label) <= 5 * 10


@pytest.mark.parametrize("template", ["light", "dark"])
@pytest.mark.parametrize("anchors", [{}, {"start": HOSTILE}, {"end": HOSTILE}])
def test_hostile_names_are_shown_as_they_are(template, anchors):
    frame = log(a="v0 c1 o2", b="v0 o1 v2")
    frame["event_name"] = frame["event_name"].replace({"Placed Order": HOSTILE})
    figure = journeys(frame, **anchors).plot(template=template)
    said = [text for text in texts(figure) if text != "%{customdata}<extra></extra>"]
    # Our own markup.
    bare = [text.replace("<br>", "").replace("<b>", "").replace("</b>", "") for text in said]
    assert not [text for text in bare if set(text) & set("<>$")]
    assert any("&lt;a" in text for text in said)


def test_the_card_spells_the_most_common_paths():
    card = journeys(log(a="v0 c5 v6 o9", b="v0 c3", c="o1"), end="Placed Order", max_steps=2)
    assert "Journeys(3 profiles on 3 paths; 2 reached Placed Order)" in card._repr_html_()
    for path in ("PageView → Added To Cart", "… → Added To Cart → PageView", "(nothing before)"):
        assert f">{path}</th>" in card._repr_html_()
    onwards = journeys(log(a="v0 c5 v6"), max_steps=1)._repr_html_()
    assert ">PageView → …</th>" in onwards
    # Twelve names, each a path of its own.
    many = pd.DataFrame({"event_name": list("abcdefghijkl"), "profile_id": list("abcdefghijkl")})
    assert "… and 2 other paths." in journeys(many.assign(timestamp=START))._repr_html_()
    nobody = log(a="v0").assign(profile_id=None)
    assert "Journeys(0 profiles on 0 paths)" in journeys(nobody)._repr_html_()


def test_names_may_come_in_any_collection():
    s = ck.stitch(ck.simulate_store(people=20).events)
    names = ["Added To Cart", "Placed Order"]
    expected = s.journeys(start="PageView", events=names).paths
    for several in (set(names), pd.Index(names), pd.Series(names), (name for name in names)):
        assert s.journeys(start="PageView", events=several).paths.equals(expected)
    assert repr(s.journeys(end=set(names))) == repr(s.journeys(end=frozenset(names[::-1])))


def test_a_step_with_a_condition_begins_and_ends_journeys():
    s = ck.stitch(ck.simulate_store(people=40).events)
    dear = ck.Step("Placed Order", where="total_price > 30")
    orders = s.events[s.events["event_name"] == "Placed Order"]
    buyers = orders[orders["properties.total_price"] > 30]["profile_id"].nunique()
    assert f"{buyers} reached Placed Order" in repr(s.journeys(end=dear))
    with pytest.raises(ck.ConvergekitError, match="must not be optional here"):
        s.journeys(end=ck.Step("Placed Order", optional=True))

"""Figures of coverage and of how right profiles are, and the table of property coverage."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import convergekit as ck
from convergekit.diagnostics.coverage_figures import MOST_ROWS
from convergekit.errors import UnknownNameError
from tests.figures.figure_texts import HOSTILE, assert_shown_as_it_is, one_line


@pytest.fixture(scope="module")
def store():
    return ck.simulate_store()


@pytest.fixture(scope="module")
def stitched(store):
    return ck.stitch(store.events)


def named(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def of_rows(figure, trace):
    """Return what a trace of marks shows, by the names of the rows."""
    names = figure.layout.yaxis.ticktext
    return {names[y]: x for x, y in zip(trace.x, trace.y, strict=True)}


def frame(properties, event_names):
    """Events of one profile, a minute apart."""
    count = len(event_names)
    found = pd.DataFrame({"event_name": event_names, "aliases": [["urn:cookie:c"]] * count})
    found["timestamp"] = pd.date_range("2026-03-02", periods=count, freq="min")
    return found.assign(
        **{f"profile_properties.{name}": values for name, values in properties.items()}
    )


def test_property_coverage_by_hand():
    events = frame(
        {"utm_source": ["meta", "", None, None], "city": [None, None, "Ghent", None]},
        ["PageView", "PageView", "Placed Order", None],
    )
    table = ck.stitch(events).property_coverage()
    assert table.to_dict("list") == {
        "property": ["utm_source", "city"], "events": [3, 3],
        "sent": [pytest.approx(1 / 3)] * 2, "filled": [1.0, pytest.approx(1 / 3)],
    }  # fmt: skip
    orders = ck.stitch(events).property_coverage("Placed Order").set_index("property")
    assert orders["sent"].to_dict() == {"utm_source": 0.0, "city": 1.0}
    assert orders["filled"].to_dict() == {"utm_source": 1.0, "city": 1.0}


@pytest.mark.parametrize("identity", ["retroactive", "as_of"])
def test_property_coverage_counts_what_the_events_hold(store, identity):
    s = ck.stitch(store.events, identity=identity)
    for event_name in ("Placed Order", "PageView"):
        events = s.events[(s.events["event_name"] == event_name) & (s.events["kind"] == "track")]
        for row in s.property_coverage(event_name).itertuples():
            # The store sends no empty text, so what pandas counts is what there is.
            assert row.sent * len(events) == pytest.approx(
                events[f"profile_properties.{row.property}"].notna().sum()
            )
            assert row.filled * len(events) == pytest.approx(
                events[f"profile.{row.property}"].notna().sum()
            )
            assert row.filled >= row.sent


def test_no_properties_and_no_such_event(stitched):
    assert stitched.property_coverage().shape[1] == 4
    empty = ck.stitch(frame({}, ["PageView"])).property_coverage()
    assert empty.empty
    assert empty.plot().layout.title.text == "Profile properties, as sent and filled"
    with pytest.raises(UnknownNameError, match="Placed Ordr"):
        stitched.property_coverage("Placed Ordr")


def test_the_figure_of_property_coverage(stitched):
    table = stitched.property_coverage("Placed Order")
    figure = table.plot()
    for name, column in (("as sent", "sent"), ("filled", "filled")):
        assert of_rows(figure, named(figure, name)) == {
            prop.replace("$", "&#36;"): share
            for prop, share in zip(table["property"], table[column], strict=True)
        }
    at = table["property"].tolist().index("utm_source")
    assert one_line(named(figure, "as sent").hovertext[at]) == (
        "0.0% of 27 'Placed Order' events sent utm_source themselves."
    )
    assert one_line(named(figure, "filled").hovertext[at]).startswith(
        "74.1% of 27 'Placed Order' events have utm_source once"
    )
    assert figure.layout.annotations[at].text == "0% → 74%"
    assert one_line(figure.layout.title.text) == (
        "Profile properties of Placed Order, as sent and filled"
    )


def test_many_properties_are_left_out_and_said_to_be():
    events = frame({f"p{i:02}": ["x", None] for i in range(40)}, ["PageView", "PageView"])
    figure = ck.stitch(events).property_coverage().plot()
    assert len(named(figure, "filled").x) == MOST_ROWS
    assert "Not shown: 10 properties" in figure.layout.title.subtitle.text


def test_the_figure_of_the_report(stitched):
    report = stitched.report
    figure = report.plot()
    coverage = report.coverage.set_index("event_name")
    for name, column in (("profile", "with_profile"), ("session", "with_browser_session")):
        shown = of_rows(figure, named(figure, name))
        assert list(shown.values()) == coverage[column].tolist()
    at = coverage.index.tolist().index("Placed Order")
    assert one_line(named(figure, "session").hovertext[at]) == (
        "88.9% of 27 events named Placed Order are on a profile with a browser session."
    )


def test_the_figure_of_an_evaluation(store, stitched):
    found = ck.evaluate(stitched, store.truth)
    figure = found.plot()
    assert list(figure.layout.yaxis.ticktext) == ["precision", "recall", "F1"]
    table = found.table.set_index("measure")
    for name in ("pairwise", "B-cubed"):
        assert list(named(figure, name).x) == table.loc[name].tolist()
    said = [one_line(text) for text in named(figure, "pairwise").hovertext]
    assert said[:2] == [
        "Of all pairs of events on one profile, 100.0% are of one person.",
        "Of all pairs of events of one person, 75.7% are on one profile.",
    ]
    mistaken, right = named(figure, "mistaken"), named(figure, "right")
    assert list(mistaken.x) == [
        len(found.over_merged) / found.profiles, len(found.split) / found.people,
    ]  # fmt: skip
    assert np.add(mistaken.x, right.x).tolist() == [1.0, 1.0]
    assert one_line(mistaken.hovertext[1]) == (
        f"{len(found.split)} people of {found.people} are on several profiles."
    )


def test_an_evaluation_of_over_merged_and_of_no_profiles():
    events = frame({}, ["PageView"] * 4)
    merged = ck.evaluate(ck.stitch(events), {0: "a", 1: "a", 2: "b", 3: "b"}).plot()
    assert list(named(merged, "mistaken").x) == [1.0, 0.0]
    assert merged.finding == (
        "1 of 1 profile holds several people, 100.0%; 0 of 2 people are on several profiles, 0.0%."
    )
    alone = events.assign(aliases=[[]] * 4)
    nobody = ck.evaluate(ck.stitch(alone), {0: "a", 1: "a", 2: "b", 3: "b"}).plot()
    assert list(named(nobody, "mistaken").x) == [0, 0.0]


@pytest.mark.parametrize("template", ["light", "dark"])
def test_names_are_shown_as_they_are(template):
    s = ck.stitch(frame({HOSTILE: ["x", None]}, [HOSTILE, HOSTILE]))
    for figure in (
        s.property_coverage().plot(template=template),
        s.property_coverage(HOSTILE).plot(template=template),
        s.report.plot(template=template),
    ):
        assert_shown_as_it_is(figure)

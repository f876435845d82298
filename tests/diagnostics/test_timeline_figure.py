"""The figure of a profile's timeline."""

from __future__ import annotations

import pandas as pd
import pytest

import convergekit as ck
from convergekit.diagnostics.timeline_figure import MOST_EVENTS
from convergekit.errors import ConvergekitError
from tests.figures.figure_texts import HOSTILE, assert_shown_as_it_is, one_line

ALIAS = "urn:email:a@x.org"


@pytest.fixture
def story():
    """Two page views and, days later, an order by the server; then an identify call."""
    frame = pd.DataFrame(
        {
            "event_name": ["PageView", "PageView", "Placed Order", None],
            "source": ["browser", "browser", "server", None],
            "aliases": [[ALIAS]] * 4,
            "timestamp": pd.to_datetime(
                ["2026-03-02 10:00", "2026-03-02 10:05", "2026-03-05 09:00", "2026-03-05 09:01"]
            ),
            "properties.total": [None, None, 30.5, None],
            "profile_properties.utm_source": ["meta", "", None, None],
            "profile_properties.city": [None, None, "Ghent", "Bruges"],
        }
    )
    return ck.stitch(frame).profile(ALIAS)


def marks(figure):
    return {trace.name: list(zip(trace.x, trace.y, strict=True)) for trace in figure.data}


def said(figure):
    return {
        (trace.name, x): one_line(text)
        for trace in figure.data
        for x, text in zip(trace.x, trace.hovertext, strict=True)
    }


def test_events_are_marks_in_order_on_the_lane_of_their_source(story):
    figure = story.plot()
    # A place is left free where a visit ends.
    assert marks(figure) == {
        "PageView": [(0, 0), (1, 0)], "Placed Order": [(3, 1)], "identify call": [(4, 2)],
    }  # fmt: skip
    assert list(figure.layout.yaxis.ticktext) == ["browser", "server", "no source"]
    assert [line.x0 for line in figure.layout.shapes] == [2]
    assert list(figure.layout.xaxis.ticktext) == ["2 Mar<br>10:00", "5 Mar<br>09:00"]
    assert list(figure.layout.xaxis.tickvals) == [0, 3]
    assert len({trace.marker.symbol for trace in figure.data}) == 3
    assert len({trace.marker.color for trace in figure.data}) == 3
    assert figure.layout.title.text == f"4 events of profile {story['profile_id'][0]}"


def test_hover_texts_set_what_was_sent_beside_what_was_carried(story):
    texts = said(story.plot())
    assert texts["PageView", 0] == (
        "PageView from browser at 2026-03-02 10:00:00 UTC (row 0). "
        "It sent of the profile utm_source meta."
    )
    assert texts["PageView", 1] == (
        "PageView from browser at 2026-03-02 10:05:00 UTC (row 1). "
        "It sent nothing of the profile. It carries, from earlier events, utm_source meta."
    )
    assert texts["Placed Order", 3] == (
        "Placed Order from server at 2026-03-05 09:00:00 UTC (row 2). "
        "Its properties are total 30.5. It sent of the profile city Ghent. "
        "It carries, from earlier events, utm_source meta."
    )
    assert texts["identify call", 4].startswith("identify call from no source at")
    assert "city Bruges" in texts["identify call", 4]


def test_what_an_event_says_is_what_the_timeline_holds(story):
    texts = sorted(said(story.plot()).items(), key=lambda text: text[0][1])
    for row, (_, text) in zip(story.to_dict("records"), texts, strict=True):
        sent, known = row["profile_properties.utm_source"], row["profile.utm_source"]
        carried = not (isinstance(sent, str) and sent) and isinstance(known, str)
        assert ("It carries, from earlier events, utm_source" in text) == carried


def test_rare_events_look_alike():
    names = [f"e{i}" for i in range(9) for _ in range(9 - i)]
    frame = pd.DataFrame({"event_name": names, "aliases": [[ALIAS]] * len(names)})
    frame["timestamp"] = pd.date_range("2026-03-02", periods=len(names), freq="min")
    figure = ck.stitch(frame).profile(ALIAS).plot()
    counts = {trace.name: len(trace.x) for trace in figure.data}
    assert counts == {f"e{i}": 9 - i for i in range(6)} | {"other events": 6}
    assert sum(counts.values()) == len(names)


def test_of_a_very_long_timeline_the_latest_events_are_drawn_and_it_says_so():
    count = MOST_EVENTS + 500
    frame = pd.DataFrame({"event_name": ["PageView"] * count, "aliases": [[ALIAS]] * count})
    frame["timestamp"] = pd.date_range("2026-03-02", periods=count, freq="min")
    figure = ck.stitch(frame).profile(ALIAS).plot()
    (trace,) = figure.data
    assert trace.type == "scattergl"
    assert len(trace.x) == MOST_EVENTS
    assert f"(row {count - 1})." in one_line(trace.hovertext[-1])
    assert "Shown are the latest 2,000." in figure.layout.title.subtitle.text
    assert figure.layout.title.text.startswith("2,500 events")


def test_many_visits_are_named_as_far_as_names_fit():
    count = 80
    frame = pd.DataFrame({"event_name": ["PageView"] * count, "aliases": [[ALIAS]] * count})
    frame["timestamp"] = pd.date_range("2026-03-02", periods=count, freq="D")
    figure = ck.stitch(frame).profile(ALIAS).plot()
    assert 3 <= len(figure.layout.xaxis.tickvals) <= 6


def test_many_properties_are_counted():
    frame = pd.DataFrame({"event_name": ["PageView"], "aliases": [[ALIAS]]})
    frame["timestamp"] = pd.Timestamp("2026-03-02")
    frame = frame.assign(**{f"properties.p{i:02}": i for i in range(12)})
    text = said(ck.stitch(frame).profile(ALIAS).plot())["PageView", 0]
    assert "p07 7 and 4 more." in text
    assert "p08" not in text


def test_chosen_rows_are_drawn_and_none_is_no_error(story):
    orders = story[story["event_name"] == "Placed Order"]
    assert list(marks(orders.plot())) == ["Placed Order"]
    assert not story[:0].plot().data
    with pytest.raises(ConvergekitError, match="it lacks 'timestamp'"):
        story.drop(columns="timestamp").plot()


@pytest.mark.parametrize("template", ["light", "dark"])
def test_names_and_values_are_shown_as_they_are(template):
    frame = pd.DataFrame({"event_name": [HOSTILE], "source": [HOSTILE], "aliases": [[ALIAS]]})
    frame["timestamp"] = pd.Timestamp("2026-03-02")
    frame[[f"properties.{HOSTILE}", f"profile_properties.{HOSTILE}"]] = HOSTILE
    assert_shown_as_it_is(ck.stitch(frame).profile(ALIAS).plot(template=template))

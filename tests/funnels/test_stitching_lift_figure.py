"""The figure of what stitching bought."""

from __future__ import annotations

import pandas as pd
import pytest

import convergekit as ck
from convergekit.figures.style import COLOURS
from tests.figures.figure_texts import HOSTILE, assert_shown_as_it_is, one_line

STEPS = ["PageView", "Placed Order"]


@pytest.fixture(scope="module")
def stitched():
    """Three visit; two order, by e-mail alone; a checkout links the first's cookie to it."""
    rows = [
        ("PageView", "browser", ["urn:cookie:a"], None),
        ("PageView", "browser", ["urn:cookie:b"], None),
        ("PageView", "browser", ["urn:cookie:c"], None),
        ("Checkout", "browser", ["urn:cookie:a", "urn:email:a@x.org"], None),
        ("Placed Order", "server", ["urn:email:a@x.org"], 30.0),
        ("Placed Order", "server", ["urn:email:b@x.org"], 10.0),
    ]
    frame = pd.DataFrame(rows, columns=["event_name", "source", "aliases", "properties.total"])
    frame["timestamp"] = pd.date_range("2026-03-02", periods=len(rows), freq="min")
    frame["profile_properties.utm_source"] = ["meta", *[None] * 5]
    return ck.stitch(frame)


@pytest.fixture(scope="module")
def lift(stitched):
    return stitched.stitching_lift(STEPS, within="1D", value="total", carried="utm_source")


def bars(figure):
    return {trace.name: list(trace.x) for trace in figure.data}


def test_stitched_profiles_come_first_and_ways_by_which_nobody_enters_are_left_out(lift):
    figure = lift.plot()
    assert bars(figure) == {
        "stitched": [3, 1], "cookie": [3, 0], "source browser": [3, 0],
    }  # fmt: skip
    ways = lift["counted_by"].str.removeprefix("alias ").str.removesuffix(" alone")
    table = lift.set_index(ways)[["step_1", "step_2"]]
    assert bars(figure) == {name: table.loc[name].tolist() for name in bars(figure)}
    assert figure.data[0].marker.color == COLOURS[0]
    assert len({trace.marker.color for trace in figure.data}) == 3
    assert list(figure.data[0].text) == ["stitched: 3", "stitched: 1 · 33.3%"]
    assert len({trace.marker.pattern.shape for trace in figure.data}) == 3


def test_the_figure_says_what_it_found(lift):
    layout = lift.plot().layout
    assert layout.title.text.replace("<br>", " ") == (
        "What stitching buys: from PageView to Placed Order within 1 day"
    )
    assert one_line(layout.title.subtitle.text) == (
        "Stitched profiles: 1 of 3 reached Placed Order, 33.3%; alias cookie alone: 0 of 3, 0.0%. "
        "2 other ways of counting: nobody entered."
    )


def test_hover_texts_are_sentences_with_what_was_asked_for(lift):
    stitched, cookie, _ = lift.plot().data
    assert [one_line(text) for text in stitched.hovertext] == [
        "Stitched, 3 profiles reached PageView, 100.0% of those who entered.",
        "Stitched, 1 profile reached Placed Order, 33.3% of those who entered. "
        "Their total adds up to 30.00. Of their events, 100.0% carry utm_source.",
    ]
    assert one_line(cookie.hovertext[1]) == (
        "Counted by alias cookie alone, 0 visitors reached Placed Order, 0.0% of those who entered."
    )


def test_what_is_counted_is_called_so(stitched):
    figure = stitched.stitching_lift(STEPS, within="1D", count="attempts").plot()
    assert "Stitched, 3 attempts reached PageView" in one_line(figure.data[0].hovertext[0])
    assert "Stitched attempts: 1 of 3" in one_line(figure.layout.title.subtitle.text)


@pytest.mark.filterwarnings("ignore:no event of 'Placed Order' meets")
def test_a_condition_on_a_profile_looks_at_what_was_sent_where_nothing_is_carried(stitched):
    """The campaign came with the first page view; the order has it by stitching alone."""
    view, order = (ck.Step(name, where={"utm_source": "meta"}) for name in STEPS)
    counts = ["step_1", "step_2"]
    for steps, alone, together in (
        ([view, "Placed Order"], [1, 0], [1, 1]),
        ([view, order], [1, 0], [1, 1]),
        (["Checkout", order], [1, 0], [1, 1]),
    ):
        lift = stitched.stitching_lift(steps, within="1D").set_index("counted_by")
        assert lift.loc["alias cookie alone", counts].tolist() == alone
        assert lift.loc["stitched", counts].tolist() == together
        assert stitched.funnel(steps, within="1D").table["profiles"].tolist() == together


def test_a_tools_own_window_is_taken(stitched):
    lift = stitched.stitching_lift(STEPS, like="posthog").set_index("counted_by")
    assert lift.loc["stitched", ["step_1", "step_2"]].tolist() == [3, 1]
    with pytest.raises(ck.ConvergekitError, match="needs within="):
        stitched.stitching_lift(STEPS)


def test_rows_may_be_chosen_first_and_none_is_no_error(lift):
    chosen = lift[lift["counted_by"].isin(["stitched", "source browser alone"])]
    assert list(bars(chosen.plot())) == ["stitched", "source browser"]
    assert not lift[:0].plot().data


def test_more_ways_than_colours_are_left_out_and_said_to_be(stitched):
    sources = [f"s{i}" for i in range(9)]
    frame = pd.concat([stitched.events[["event_name", "aliases", "timestamp"]]] * 9)
    frame["source"] = [source for source in sources for _ in range(6)]
    figure = ck.stitch(frame).stitching_lift(STEPS, within="1D").plot()
    assert len(figure.data) == len(COLOURS)
    assert figure.data[0].name == "stitched"
    assert "Not shown: 5 ways of counting" in one_line(figure.layout.title.subtitle.text)


@pytest.mark.parametrize("template", ["light", "dark"])
def test_names_are_shown_as_they_are(stitched, template):
    frame = stitched.events[["event_name", "aliases", "timestamp"]].assign(source=HOSTILE)
    frame["event_name"] = frame["event_name"].replace("Placed Order", HOSTILE)
    lift = ck.stitch(frame).stitching_lift(["PageView", HOSTILE], within="1D")
    assert_shown_as_it_is(lift.plot(template=template))

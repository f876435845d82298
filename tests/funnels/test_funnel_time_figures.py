"""Figures of funnels in time: the lines of a trend, the bars of a histogram."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.errors import ConvergekitError
from convergekit.figures.style import COLOURS
from convergekit.funnels.times import TimeToConvert
from tests.figures.figure_texts import HOSTILE, assert_shown_as_it_is, one_line
from tests.funnels.test_funnels import log

STEPS = ["PageView", "Placed Order"]
DAY = 24 * 60


def over_days(*entries, **options):
    """A funnel of profiles that enter on a day and convert at once, or not: ``(day, True)``."""
    frame = log(
        **{
            f"p{i}": f"v{day * DAY} o{day * DAY + 5}" if buys else f"v{day * DAY}"
            for i, (day, buys, *_) in enumerate(entries)
        }
    )
    groups = {f"p{i}": entry[2] for i, entry in enumerate(entries) if len(entry) > 2}
    if groups:
        frame["source"] = frame["profile_id"].map(groups)
        options["by"] = "source"
    return ck.funnel(frame, STEPS, within="1D", freq="D", **options)


def lines(figure):
    return [trace for trace in figure.data if trace.type == "scatter" and trace.x[0] is not None]


def test_a_trend_is_a_line_and_who_entered_are_bars():
    funnel = over_days((0, True), (0, False), (1, True), (3, False), (9, False))
    figure = funnel.trend().plot()
    solid, dashed = lines(figure)
    assert solid.line.dash == "solid"
    # Nobody entered on the third day: the line has a gap.
    assert list(solid.y) == [0.5, 1.0, None, 0.0]
    assert dashed.line.dash == "dot"
    assert list(dashed.y) == [0.0, None, 0.0]
    assert list(dashed.marker.size) == [0, 0, 8]
    bars = next(trace for trace in figure.data if trace.type == "bar")
    assert list(bars.y) == [2, 1, 1, 1]
    assert bars.yaxis == "y2"
    assert figure.layout.title.text.replace("<br>", " ") == (
        "From PageView to Placed Order within 1 day, by day"
    )
    assert "Dotted: windows are still open in 1 of 4 days." in one_line(
        figure.layout.title.subtitle.text
    )


def test_a_trend_says_its_numbers_in_sentences():
    figure = over_days((0, True), (0, False), (1, False), (3, True)).trend().plot()
    solid, dashed = lines(figure)
    assert one_line(solid.hovertext[0]) == (
        "On 2026-03-02, 2 profiles entered; 1 converted, 50.0%."
    )
    assert one_line(dashed.hovertext[-1]) == (
        "On 2026-03-05, 1 profile entered; 1 converted, 100.0%. "
        "More may follow: some windows are still open."
    )
    weekly = over_days((0, True), (8, True), (30, False)).trend("W").plot()
    said = one_line(lines(weekly)[0].hovertext[0])
    assert said.startswith("In the week from 2026-03-02, 1 profile")


def test_periods_that_are_all_complete_have_no_dashes():
    trend = over_days((0, True), (1, True), (9, False)).trend()
    figure = trend[trend["complete"]].plot()
    assert [line.line.dash for line in lines(figure)] == ["solid"]
    assert not [trace for trace in figure.data if trace.name == "windows still open"]
    none = trend[~trend["complete"]].plot()
    assert [line.line.dash for line in lines(none)] == ["dot"]


def test_few_periods_are_named_where_they_begin():
    axis = over_days((0, True), (7, False), (14, True)).trend("W").plot().layout.xaxis
    assert list(axis.ticktext) == ["Mar 2<br>2026", "Mar 9<br>", "Mar 16<br>"]
    one = over_days((0, True)).trend().plot()
    assert list(one.layout.xaxis.ticktext) == ["Mar 2<br>2026"]
    assert [str(end)[:10] for end in one.layout.xaxis.range] == ["2026-03-01", "2026-03-02"]
    bars = next(trace for trace in one.data if trace.type == "bar")
    assert bars.width[0] == pytest.approx(0.8 * 86_400_000)
    many = over_days(*((day, True) for day in range(40))).trend().plot()
    assert many.layout.xaxis.tickvals is None


def test_two_weeks_are_one_period():
    entries = ((0, True), (7, False), (14, True), (20, True), (21, False), (60, False))
    trend = over_days(*entries).trend("2W")
    assert trend["period"].dt.strftime("%m-%d").tolist() == ["03-02", "03-16", "04-27"]
    assert trend["entered"].tolist() == [2, 3, 1]


def test_every_second_day_is_no_gap():
    trend = over_days((0, True), (2, True), (4, True), (99, False)).trend("2D")
    solid = lines(trend[trend["complete"]].plot())[0]
    assert None not in list(solid.y)


def test_a_group_has_the_colour_that_it_has_in_the_funnel():
    entries = [(day, day % 2 == 0, source) for day in range(9) for source in "abc"]
    entries += [(0, True, "b"), (1, False, "b"), (1, True, "c"), (3, True, None)]
    funnel = over_days(*entries)
    of_funnel = {trace.name: trace.marker.color for trace in funnel.plot().data}
    assert list(of_funnel) == ["b", "c", "a", "no source"]
    for trend in (funnel.trend(), funnel.trend("W"), funnel.trend()[lambda t: t["source"] != "b"]):
        figure = trend.plot()
        drawn = {trace.name: trace.line.color for trace in lines(figure)}
        assert len(drawn) >= 3
        assert drawn == {name: of_funnel[name] for name in drawn}
        bars = {trace.name: trace.marker.color for trace in figure.data if trace.type == "bar"}
        assert bars == drawn


def test_a_trend_is_a_frame_that_keeps_its_figure():
    trend = over_days((0, True), (1, False), (9, True)).trend()
    assert isinstance(trend, pd.DataFrame)
    whole = trend.plot().to_json()
    assert pickle.loads(pickle.dumps(trend)).plot().to_json() == whole
    assert trend.copy().sort_values("period", ascending=False).plot().to_json() == whole
    assert trend.assign(more=1).plot(template="auto").to_json() == whole
    with pytest.raises(ConvergekitError, match="it lacks 'period', 'complete'"):
        trend[["entered", "converted", "conversion"]].plot()
    with pytest.raises(ConvergekitError, match="no longer holds what its figure shows"):
        trend.T.plot()
    assert len(trend[:0].plot().data) == 0


def times(seconds, bins=20):
    # As an array: pandas 3.0.0 takes an int in a list of floats for nanoseconds.
    waits = pd.Series(pd.to_timedelta(np.asarray(seconds), unit="s"), dtype="timedelta64[us]")
    return TimeToConvert.of(waits, bins, ("PageView", "Placed Order"), "profiles")


def counts(figure):
    return [list(trace.y) for trace in figure.data]


def said(figure):
    return [one_line(text) for trace in figure.data for text in trace.hovertext]


def test_bars_begin_and_end_at_round_times():
    figure = times([30, 90, 100, 200, 590]).plot()
    assert counts(figure) == [[0, 1, 0, 2, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]]
    assert said(figure)[1] == (
        "1 profile took from 30 s to less than 1 min from PageView to Placed Order, 20.0% of 5."
    )


def test_a_long_tail_is_one_bar_that_says_so():
    figure = times([*np.linspace(0, 3600, 200), *[40 * 86_400] * 5]).plot()
    usual, beyond = counts(figure)
    assert sum(usual) == 200
    assert max(usual) < 25
    assert beyond == [5]
    assert said(figure)[-1] == (
        "5 profiles took over 1 h from PageView to Placed Order, 2.4% of 205."
    )
    assert figure.layout.xaxis.ticktext[-1] == "over<br>1 h"


def test_times_of_all_lengths_are_bars_of_growing_length():
    # Seconds, minutes, hours and days: in bars of one length all but a few would be in the first.
    figure = times(np.geomspace(2, 20 * 86_400, 300)).plot()
    assert max(max(bars) for bars in counts(figure)) < 40
    assert sum(sum(bars) for bars in counts(figure)) == 300
    assert "Bars stand for longer times" in one_line(figure.layout.title.subtitle.text)


@given(st.lists(st.integers(0, 10**8), min_size=1, max_size=60))
def test_every_profile_is_in_one_bar_and_each_bar_says_how_many(seconds):
    figure = times(seconds).plot()
    assert sum(sum(bars) for bars in counts(figure)) == len(seconds)
    assert len(counts(figure)[0]) <= 30
    for trace in figure.data:
        for count, text in zip(trace.y, trace.hovertext, strict=True):
            assert text.startswith(f"{count:,} profile")
    ticks = list(figure.layout.xaxis.tickvals)
    assert ticks == sorted(ticks)
    assert len(ticks) == len(figure.layout.xaxis.ticktext) <= 7


def test_the_marks_stand_where_half_and_nine_in_ten_are():
    found = times(np.arange(0, 1000, 10))
    figure = found.plot()
    at = {note.text: note.x for note in figure.layout.annotations}
    assert at == {
        "half": pytest.approx(495 / 60 - 0.5), "90%": pytest.approx(891 / 60 - 0.5),
    }  # fmt: skip
    assert "Half of 100 profiles took 8 min 15 s or less" in one_line(
        figure.layout.title.subtitle.text
    )


def test_nobody_and_everybody_at_once():
    figure = times([]).plot()
    assert not figure.data
    assert one_line(figure.layout.title.subtitle.text) == (
        "No profile got from PageView to Placed Order: the funnel's figure shows where they are."
    )
    assert counts(times([0, 0, 0]).plot()) == [[3]]


def test_the_figure_of_a_funnels_times():
    frame = log(a="v0 o3", b="v0 o9", c="v0")
    found = ck.funnel(frame, STEPS, within="1h").time_to_convert()
    figure = found.plot(template="dark")
    assert sum(counts(figure)[0]) == 2
    assert figure.data[0].marker.color == COLOURS[0]
    assert figure.layout.title.text == "Time from PageView to Placed Order"


@pytest.mark.parametrize("template", ["light", "dark"])
def test_names_and_labels_are_shown_as_they_are(template):
    frame = log(a="v0 o3", b="v0").replace("Placed Order", HOSTILE).assign(source=HOSTILE)
    found = ck.funnel(frame, ["PageView", HOSTILE], within="1h", by="source")
    assert_shown_as_it_is(found.trend("D").plot(template=template))
    assert_shown_as_it_is(found.time_to_convert().plot(template=template))

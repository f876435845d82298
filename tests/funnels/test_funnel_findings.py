"""What figures of funnels say in a sentence and in their table: as counted one by one."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.base.durations import readable_duration
from tests.effort import tries
from tests.figures.figure_numbers import lowest_and_highest, numbers, percent
from tests.figures.figure_texts import one_line
from tests.funnels.test_funnels import log
from tests.strategies import event_frames

pytestmark = pytest.mark.filterwarnings("ignore:no event")

STEPS = ["PageView", "Added To Cart", "Placed Order"]
WEEK = pd.Timedelta("7D")


@st.composite
def stitched(draw):
    """A simulated store, or a few random events."""
    if draw(st.booleans()):
        store = ck.simulate_store(draw(st.integers(1, 60)), seed=draw(st.integers(0, 99)))
        return ck.stitch(store.events)
    return ck.stitch(draw(event_frames(distinct_times=True, received=False)))


def reached_by_each(s, steps, window):
    """How far each profile gets, trying every choice of events after its first entry."""
    deepest = {}
    for profile, events in s.events.dropna(subset=["profile_id"]).groupby("profile_id"):
        at = [
            sorted(events.loc[events["event_name"] == step, "timestamp"].dropna()) for step in steps
        ]
        # The first entry counts, whichever comes after it.
        chains = [[time] for time in at[0][:1]]
        depth = 0
        while chains:
            depth += 1
            later = at[depth] if depth < len(steps) else []
            chains = [
                [*chain, time]
                for chain in chains
                for time in later
                if chain[-1] < time <= chain[0] + window
            ]
        if depth:
            deepest[profile] = depth
    return deepest


def said_below(figure):
    return one_line(figure.layout.title.subtitle.text)


def drawn(figure, name):
    return next((list(trace.x) for trace in figure.data if trace.name == name), None)


@tries(12)
@given(stitched(), st.sampled_from([STEPS, STEPS[:2], STEPS[::2]]))
def test_a_funnel_says_how_many_reached_its_end(s, steps):
    figure = s.funnel(steps, within="7D").plot()
    depths = reached_by_each(s, steps, WEEK).values()
    counts = [sum(depth >= step for depth in depths) for step in range(1, len(steps) + 1)]
    assert figure.twin["profiles"].tolist() == counts
    for name, column in (
        ("reached", "profiles"), ("dropped off", "drop_off"), ("may still get there", "in_window"),
    ):  # fmt: skip
        bars = drawn(figure, name)
        assert (bars or [0] * len(steps)) == figure.twin[column].tolist()
    if counts[0]:
        share = percent(counts[-1] / counts[0])
        assert numbers(figure.finding) == [f"{counts[-1]:,}", f"{counts[0]:,}", share]
    else:
        assert "check its name and the range of dates" in figure.finding
    assert said_below(figure).startswith(figure.finding)


@tries(12)
@given(stitched(), st.sampled_from(["utm_source", "source"]), st.sampled_from([1, 3]))
def test_a_funnel_of_groups_says_the_lowest_and_the_highest(s, by, last):
    if f"profile.{by}" not in s.events and by not in s.events:
        return
    figure = s.funnel(STEPS[:last], within="7D", by=by).plot()
    twin = figure.twin
    solid = [trace for trace in figure.data if trace.base is None]
    assert [share for trace in solid for share in trace.x] == pytest.approx(
        twin["conversion"].tolist(), nan_ok=True
    )
    groups = twin[twin.columns[0]].astype(object).where(twin[twin.columns[0]].notna(), "none")
    ends = [
        (int(rows["profiles"].iloc[-1]), int(rows["profiles"].iloc[0]))
        for _, rows in twin.groupby(groups, sort=False)
    ]
    ends = [end for end in ends if end[1]]
    if not ends:
        assert "check its name" in figure.finding
    elif last == 1:
        most, fewest = ends[0][0], ends[-1][0]
        assert numbers(figure.finding) == [f"{most:,}", *([f"{fewest:,}"] if len(ends) > 1 else [])]
    else:
        assert numbers(figure.finding) == lowest_and_highest(ends)
    assert said_below(figure).startswith(figure.finding)


def open_and_closed(figure, column):
    """The values that lines draw, those with a mark alone: joints have none."""
    found = []
    for trace in figure.data:
        if trace.type == "scatter":
            found += [
                value
                for value, size, text in zip(
                    trace.y, trace.marker.size, trace.hovertext, strict=True
                )
                if size and text
            ]
    return found


@tries(12)
@given(stitched(), st.booleans(), st.sampled_from(["W", "D"]))
def test_a_trend_says_its_last_complete_period(s, grouped, freq):
    by = {"by": "source"} if grouped and "source" in s.events else {}
    trend = s.funnel(STEPS[::2], within="3D", **by).trend(freq)
    figure = trend.plot()
    twin = figure.twin
    assert len(twin) == len(trend)
    assert sorted(open_and_closed(figure, "conversion")) == sorted(twin["conversion"].dropna())
    bars = [height for trace in figure.data if trace.type == "bar" for height in trace.y]
    assert bars == twin["entered"].tolist()
    done = sorted({row.period for row in trend.itertuples() if row.complete and row.entered})
    if not len(trend):
        assert "check its name" in figure.finding
    elif not done:
        assert numbers(figure.finding) == [f"{trend['entered'].sum():,}"]
    elif by:
        last = [row for row in twin.itertuples() if row.period == done[-1] and row.entered]
        ends = [(row.converted, row.entered) for row in last]
        assert numbers(figure.finding) == [f"{done[-1]:%Y-%m-%d}", *lowest_and_highest(ends)]
    else:
        expected = []
        for period in done[:-3:-1]:
            (row,) = [row for row in trend.itertuples() if row.period == period]
            share = percent(row.converted / row.entered)
            expected += [f"{period:%Y-%m-%d}", f"{row.converted:,}", f"{row.entered:,}", share]
        assert numbers(figure.finding) == expected
    assert said_below(figure).startswith(figure.finding)


@tries(10)
@given(stitched(), st.booleans())
def test_a_curve_says_its_last_share(s, grouped):
    by = {"by": "source"} if grouped and "source" in s.events else {}
    curve = s.funnel(STEPS[::2], within="7D", **by).curve()
    figure = curve.plot()
    shares = [value for trace in figure.data if trace.hoverinfo == "text" for value in trace.y]
    assert shares == pytest.approx(figure.twin["share"].tolist())
    if not len(curve):
        assert "check its name" in figure.finding
        return
    inside = curve[curve["time"] <= WEEK]
    parts = [rows for _, rows in inside.groupby("source", dropna=False)] if by else [inside]
    ends = [rows.sort_values("time").iloc[-1] for rows in parts]
    by_then = readable_duration(max(end["time"] for end in ends))
    assert figure.finding.startswith(f"By {by_then}, ")
    said = numbers(figure.finding.removeprefix(f"By {by_then}, "))
    if len(ends) == 1:
        (end,) = ends
        known = pd.notna(end["low"]) and pd.notna(end["high"])
        interval = ["95%", f"{end['low']:.1%}", f"{end['high']:.1%}"] if known else []
        assert said == [percent(end["share"]), *interval]
    else:
        shares = [end["share"] for end in ends]
        assert said == [percent(min(shares)), percent(max(shares))]


@tries(10)
@given(stitched())
def test_times_say_their_median_and_the_bars_are_all_of_them(s):
    times = s.funnel(STEPS[::2], within="7D").time_to_convert()
    figure = times.plot()
    heights = [height for trace in figure.data for height in trace.y]
    assert sum(figure.twin["profiles"]) == sum(heights) == times.profiles
    assert [height for height in figure.twin["profiles"] if height] == [h for h in heights if h]
    if times.profiles:
        nine = readable_duration(times.percentiles[90])
        assert f"Half of {times.profiles:,} profile" in figure.finding
        assert f"took {readable_duration(times.median)} or less" in figure.finding
        assert f"nine in ten {nine} or less." in figure.finding
    else:
        assert "the funnel's figure shows where they are" in figure.finding


@tries(8)
@given(stitched())
def test_lift_says_stitched_profiles_and_the_next_way(s):
    lift = s.stitching_lift(STEPS[::2], within="7D")
    figure = lift.plot()
    drawn_counts = [list(trace.x) for trace in figure.data]
    assert drawn_counts == figure.twin[["step_1", "step_2"]].to_numpy().tolist()
    depths = list(reached_by_each(s, STEPS[::2], WEEK).values())
    if not depths:
        return
    whole = (sum(depth == 2 for depth in depths), len(depths))
    assert drawn_counts[0] == [whole[1], whole[0]]
    expected = [f"{whole[0]:,}", f"{whole[1]:,}", percent(whole[0] / whole[1])]
    others = [row for row in lift.itertuples() if row.counted_by != "stitched" and row.step_1]
    if others:
        most = max(others, key=lambda row: (row.step_2, row.step_1))
        expected += [f"{most.step_2:,}", f"{most.step_1:,}", percent(most.step_2 / most.step_1)]
    assert numbers(figure.finding) == expected


def test_a_wrong_number_would_be_seen():
    figure = ck.funnel(log(a="v0 o1", b="v0", c="v0"), STEPS[::2], within="1h").plot()
    assert figure.finding == "1 of 3 profiles reached Placed Order, 33.3%."
    assert numbers(figure.finding) == ["1", "3", "33.3%"]
    assert numbers("From 2026-03-02: 1,234 of 5,678.50, under 0.1%.") == [
        "2026-03-02", "1,234", "5,678.50", "0.1%",
    ]  # fmt: skip

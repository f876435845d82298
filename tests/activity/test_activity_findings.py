"""What figures of activity say in a sentence and in their table: as counted one by one."""

from __future__ import annotations

import datetime

import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.activity.counts import counts
from convergekit.activity.retention import retention
from tests.activity import reference_activity
from tests.activity.activity_frames import frames
from tests.effort import tries
from tests.figures.figure_numbers import lowest_and_highest, numbers, percent
from tests.figures.figure_texts import one_line

pytestmark = pytest.mark.filterwarnings("ignore:no event")


@st.composite
def worlds(draw):
    """Events with profiles: of a simulated store, or a few random ones."""
    if draw(st.booleans()):
        store = ck.simulate_store(draw(st.integers(1, 40)), seed=draw(st.integers(0, 99)))
        events = ck.stitch(store.events).events
        return events.loc[events["kind"] == "track", ["profile_id", "event_name", "timestamp",
                                                      "source"]]  # fmt: skip
    frame = draw(frames())
    assume("PageView" in set(frame["event_name"]))
    return frame


def said_below(figure):
    return one_line(figure.layout.title.subtitle.text)


def written(date):
    """A period as the figure of counts names it."""
    return [str(date.day), str(date.year)]


def marked(figure):
    """What lines draw, where there is a mark."""
    return [
        (trace.name, height)
        for trace in figure.data
        for height, size in zip(trace.y, trace.marker.size, strict=True)
        if size
    ]


@tries(12)
@given(worlds(), st.sampled_from("DW"), st.sampled_from(["events", "profiles"]), st.booleans())
def test_counts_say_their_last_full_period(frame, freq, measure, grouped):
    by = "source" if grouped else None
    found = counts(frame, "PageView", freq=freq, measure=measure, by=by or ())
    figure = found.plot()
    expected = reference_activity.counts(frame, "PageView", freq, measure, by=by)
    every = reference_activity.every_period(frame, freq)
    end = frame["timestamp"].max()
    number = {
        date: reference_activity.period_of(pd.Timestamp(date, tz="UTC"), freq, "UTC")
        for date in every
    }
    done = [date for date in every if reference_activity.is_over(number[date], freq, "UTC", end)]
    twin = figure.twin
    # Of an hour that nothing happens in, only marks are left out.
    assert sorted(height for _, height in marked(figure)) == sorted(twin["count"]) or (
        len(every) > 60
    )
    for row in twin.itertuples():
        label = row.source if by and isinstance(row.source, str) else None
        assert row.count == expected.get((label, row.period.date()), 0)
        assert row.complete == (row.period.date() in done)
    labels = [] if by and not len(found) else list(
        dict.fromkeys(
            (label if isinstance(label, str) else None) for label in found[by]
        ) if by else [None]
    )  # fmt: skip
    if not labels:
        assert "check the event's name" in figure.finding
    elif not done:
        assert not numbers(figure.finding)
    else:
        last = [expected.get((label, done[-1]), 0) for label in labels]
        if len(labels) == 1:
            before = [f"{expected.get((labels[0], date), 0):,}" for date in done[-2:-1]]
            said = [f"{last[0]:,}", *before]
        elif min(last) == max(last):
            said = [f"{last[0]:,}", str(len(labels))]
        else:
            said = [f"{min(last):,}", f"{max(last):,}"]
        assert numbers(figure.finding) == [*written(done[-1]), *said]
    assert said_below(figure).startswith(figure.finding)


@tries(12)
@given(worlds(), st.sampled_from(["D", "W", "M"]), st.booleans())
def test_retention_says_who_came_back_in_the_first_period(frame, freq, grouped):
    by = "source" if grouped else None
    found = retention(frame, "PageView", "PageView", freq=freq, by=by or ())
    heat, curve = found.plot(), found.curve().plot()
    table = reference_activity.retention(frame, "PageView", "PageView", freq, "on", by=by)
    average = {key: row for key, row in reference_activity.average(table).items() if key[1] > 0}
    first = min((since for _, since in average), default=None)
    now = {label: row for (label, since), row in average.items() if since == first}
    if not table:
        said, rest = None, "check the name of the event"
    elif first is None and any(since for _, _, since in table):
        said, rest = [f"{sum(row[0] for key, row in table.items() if not key[2]):,}"], "is over for"
    elif first is None:
        said, rest = None, "nothing is later"
    elif len(now) == 1:
        ((cohorts, profiles, returned),) = now.values()
        said = [f"{profiles:,}", f"{cohorts:,}", f"{returned:,}", f"{first:,}",
                percent(returned / profiles)]  # fmt: skip
        rest = ""
    else:
        # In the figure's order, which decides between equal shares.
        order = [
            label if isinstance(label, str) else None for label in found.curve()["source"].unique()
        ]
        ends = [(now[label][2], now[label][1]) for label in order if label in now]
        said, rest = [*lowest_and_highest(ends), f"{first:,}"], ""
    for figure in (heat, curve):
        assert rest in figure.finding
        if said is not None:
            assert numbers(figure.finding) == said
        assert said_below(figure).startswith(figure.finding)
    cells = [share for trace in heat.data if trace.type == "heatmap" for row in trace.z
             for share in row if share is not None and share == share]  # fmt: skip
    assert sorted(cells) == pytest.approx(sorted(heat.twin["share"].dropna()))
    lines = [
        share
        for trace in curve.data
        for share in trace.y
        if share is not None and not pd.isna(share)
    ]
    assert sorted(lines) == pytest.approx(sorted(curve.twin["share"]))


def test_no_events_and_one():
    frame = pd.DataFrame(
        {"profile_id": ["a"], "event_name": ["PageView"],
         "timestamp": pd.to_datetime(["2026-03-02"], utc=True)}
    )  # fmt: skip
    for part in (frame[:0], frame):
        for figure in (
            counts(part).plot(),
            retention(part).plot(),
            retention(part).curve().plot(),
        ):
            assert figure.finding
            assert said_below(figure) == figure.finding or len(part)
            assert figure.layout.height < 700
    assert datetime.date(2026, 3, 2).isoformat() not in counts(frame[:0]).plot().finding

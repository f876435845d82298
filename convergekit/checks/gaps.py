"""Hours and days in which a source is silent that otherwise sends a lot at that time.

That a source's data end before those of the others is another matter, and a finding of its own:
nearly always its export ends there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from convergekit.base.durations import readable_duration
from convergekit.base.wording import counted
from convergekit.checks.fault import Fault, NotChecked
from convergekit.checks.tracking import Tracking
from convergekit.typing import IntArray

_HOUR = 3_600_000_000
_WEEK = 7 * 24 * _HOUR
SHORTEST_GAP = _HOUR
#: A source that ends less than so long before the others ends with them.
SHORTEST_END = 24 * _HOUR
#: In how many other weeks a source must have been busy in the same hours, and with how many visits.
FEWEST_WEEKS = 3
FEWEST_VISITS = 20
_MOST_WEEKS = 8
# A profile's events after a shorter pause than this are one visit.
_PAUSE = _HOUR // 2


@dataclass(frozen=True)
class _Gap:
    """A silence: from when to when, the events on both sides, and what other weeks had."""

    start: int
    stop: int
    before: int
    after: int
    visits: int
    money: float


def silent(tracking: Tracking) -> list[Fault] | NotChecked:
    """Find sources that fell silent at a time at which they are otherwise busy."""
    source, names = tracking.sources
    times = tracking.microseconds[tracking.is_tracked]
    if not len(times) or times.max() - times.min() < (FEWEST_WEEKS + 1) * _WEEK - 24 * _HOUR:
        return NotChecked("the events span less than four weeks")
    faults = []
    for code in np.unique(source[tracking.is_tracked]).tolist():
        gaps = _gaps(tracking, code)
        name = repr(names[code]) if code >= 0 else ""
        within = [gap for gap in gaps if gap.after >= 0]
        if within:
            faults.append(_fault(tracking, name, within))
        faults += [
            _ending(tracking, name, gap)
            for gap in gaps
            if gap.after < 0 and gap.stop - gap.start >= SHORTEST_END
        ]
    return faults


def _fault(tracking: Tracking, source: str, gaps: list[_Gap]) -> Fault:
    longest = max(gaps, key=lambda gap: (gap.stop - gap.start, -gap.start))
    at = np.unique([position for gap in gaps for position in (gap.before, gap.after)])
    return Fault(
        "medium",
        f"{source or 'The source'} sent nothing for "
        f"{readable_duration(pd.Timedelta(longest.stop - longest.start, unit='us'))} from "
        f"{_moment(longest.start)}, when every other week has {longest.visits:,} visits or "
        f"more{_and_others(gaps)}.",
        "What happened then is missing: visits that began before look as if they ended, and "
        "orders as if they came from nowhere.",
        "Ask the source for these hours again (exports can be repeated, webhooks be sent again), "
        "or leave the days out of funnels with start= and end=.",
        at[at >= 0],
        None if tracking.amounts is None else sum(gap.money for gap in gaps),
        lambda some: ["beside the gap"] * len(some),
        absent=True,
    )


def _ending(tracking: Tracking, source: str, gap: _Gap) -> Fault:
    days = counted(round((gap.stop - gap.start) / (24 * _HOUR)), "day")
    return Fault(
        "low",
        f"{source or 'The source'} ends {days} before the rest: its last event is of "
        f"{_moment(gap.start)}.",
        "If only its export ends there, the days after it lack its events: visits look as if they "
        "ended, and orders as if they came from nowhere. If it still sends, tracking broke then.",
        "Export it again up to the end of the others, or leave the days out of funnels with end=.",
        np.array([gap.before]),
        None if tracking.amounts is None else gap.money,
        lambda some: ["its last event"] * len(some),
        absent=True,
    )


def _moment(microseconds: int) -> str:
    return pd.Timestamp(microseconds, unit="us").strftime("%Y-%m-%d %H:%M UTC")


def _and_others(gaps: list[_Gap]) -> str:
    return f"; and {counted(len(gaps) - 1, 'shorter time')}" if len(gaps) > 1 else ""


def _gaps(tracking: Tracking, code: int) -> list[_Gap]:
    """Return the silences of a source, in order of time."""
    mine = np.flatnonzero(tracking.is_tracked & (tracking.sources[0] == code))
    mine = mine[np.argsort(tracking.microseconds[mine], kind="stable")]
    times = tracking.microseconds[mine]
    end = _end(tracking, code, times)
    starts, stops = times, np.append(times[1:], end)
    # What lies beyond the end of the data are a few events with a wrong time.
    long = np.flatnonzero((stops - starts >= SHORTEST_GAP) & (stops <= end))
    if not len(long):
        return []
    visits = _visits(tracking, mine)
    found = _fewest(visits, np.ones(len(visits)), starts[long], stops[long], times)
    silent_gaps = long[found >= FEWEST_VISITS]
    worth = _worth(tracking, mine, starts[silent_gaps], stops[silent_gaps], times)
    return [
        _Gap(
            start=int(starts[gap]),
            stop=int(stops[gap]),
            before=int(mine[gap]),
            after=int(mine[gap + 1]) if gap + 1 < len(mine) else -1,
            visits=int(count),
            money=max(float(money), 0.0),
        )
        for gap, count, money in zip(
            silent_gaps.tolist(), found[found >= FEWEST_VISITS], worth, strict=True
        )
    ]


def _end(tracking: Tracking, code: int, times: IntArray) -> int:
    """Return until when the source should have sent: as long as it or the others were busy."""
    others = tracking.microseconds[tracking.is_tracked & (tracking.sources[0] != code)]
    return max(_bulk_end(part) for part in (times, others) if len(part))


def _bulk_end(times: IntArray) -> int:
    """Return the time of the twentieth event from the end: a wrong clock sets no end."""
    place = max(len(times) - FEWEST_VISITS, 0)
    return int(np.partition(times, place)[place])


def _visits(tracking: Tracking, mine: IntArray) -> IntArray:
    """Return when the source's visits began: a visitor's events come in bursts.

    Events without a profile count as one visitor's, because their number is not known.
    """
    profile, times = tracking.profile[mine], tracking.microseconds[mine]
    order = np.argsort(profile, kind="stable")
    profile, times = profile[order], times[order]
    goes_on = (profile[1:] == profile[:-1]) & (np.diff(times) < _PAUSE)
    return np.sort(times[np.append(True, ~goes_on)])


def _worth(
    tracking: Tracking, mine: IntArray, starts: IntArray, stops: IntArray, times: IntArray
) -> np.ndarray:
    if tracking.amounts is None:
        return np.zeros(len(starts))
    amounts = np.where(tracking.is_conversion[mine], tracking.amounts[mine], 0.0)
    return _fewest(times, amounts, starts, stops, times)


def _fewest(
    at: IntArray, weights: np.ndarray, starts: IntArray, stops: IntArray, times: IntArray
) -> np.ndarray:
    """Return the least that other weeks have between the same hours; -1 with too few weeks."""
    total = np.append(0.0, np.cumsum(weights))
    least = np.full(len(starts), np.inf)
    weeks = np.zeros(len(starts), dtype=np.int64)
    for week in range(-_MOST_WEEKS, _MOST_WEEKS + 1):
        begin, stop = starts + week * _WEEK, stops + week * _WEEK
        inside = (begin >= times[0]) & (stop <= times[-1]) & (week != 0)
        low, high = np.searchsorted(at, begin, side="right"), np.searchsorted(at, stop)
        least = np.where(inside, np.minimum(least, total[high] - total[low]), least)
        weeks += inside
    return np.where(weeks >= FEWEST_WEEKS, least, -1)

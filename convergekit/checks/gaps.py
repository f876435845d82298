"""Hours and days in which a source is silent that otherwise sends a lot at that time.

That a source's data end before those of the others is another matter, and a finding of its own:
nearly always its export ends there.

A silence of an hour has half an hour of the clock without an event in it. So of each half hour the
first event and the last are enough to find it, in whatever part they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from convergekit.base.durations import readable_duration
from convergekit.base.grouping import run_starts
from convergekit.base.wording import counted
from convergekit.checks.fault import Check, Fault, FoundInPart, Together
from convergekit.checks.tracking import Tracking
from convergekit.checks.whole import Whole
from convergekit.checks.worth import exact_sum, rounded
from convergekit.typing import BoolArray, IntArray

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
class _Sent:
    """When an export sends, as far as a part of its events tells.

    Attributes
    ----------
    ends : pandas.DataFrame
        `time` and `row` of the first event and the last of each half hour, in order of time.
    last : numpy.ndarray of int
        The latest times.
    visits : pandas.DataFrame
        `profile`, -1 for none, and when its events `begin` and `end` that come in one burst.
    """

    ends: pd.DataFrame
    last: IntArray
    visits: pd.DataFrame

    @classmethod
    def of(cls, tracking: Tracking, at: IntArray) -> _Sent:
        """Return it of the events at these positions."""
        at = at[np.argsort(tracking.microseconds[at], kind="stable")]
        times = tracking.microseconds[at]
        begins = np.flatnonzero(run_starts(times // _PAUSE))
        ends = np.sort(np.concatenate([begins, np.append(begins[1:], len(at)) - 1]))
        profile = tracking.profile[at]
        order = np.argsort(profile, kind="stable")
        profile, visited = profile[order], times[order]
        goes_on = (profile[1:] == profile[:-1]) & (np.diff(visited) < _PAUSE)
        first = np.flatnonzero(np.append(True, ~goes_on))
        last = np.append(first[1:], len(at)) - 1
        return cls(
            pd.DataFrame({"time": times[ends], "row": tracking.rows[at[ends]]}),
            times[-FEWEST_VISITS:],
            pd.DataFrame(
                {"profile": profile[first], "begin": visited[first], "end": visited[last]}
            ),
        )

    @classmethod
    def together(cls, parts: Sequence[tuple[int, _Sent]]) -> _Sent:
        """Return it of a source, of its exports in all parts, each with its number.

        Events without a profile count as one visitor's, because their number is not known.
        """
        ends = pd.concat([one.ends for _, one in parts]).sort_values(["time", "row"])
        last = np.sort(np.concatenate([one.last for _, one in parts]))[-FEWEST_VISITS:]
        every = pd.concat([one.visits.assign(part=number) for number, one in parts])
        every["part"] = every["part"].where(every["profile"] >= 0, -1)
        every = every.sort_values(["part", "profile", "begin"])
        until = every.groupby(["part", "profile"])["end"].cummax()
        same = (every[["part", "profile"]] == every[["part", "profile"]].shift()).all(axis=1)
        goes_on = same & (every["begin"] - until.shift(fill_value=0) < _PAUSE)
        return cls(ends, last, every[~goes_on])


@dataclass(frozen=True)
class _Gap:
    """A silence: from when to when, and what other weeks had.

    Attributes
    ----------
    start, stop : int
        In microseconds.
    before, after : int
        The rows on both sides; -1 where no event follows.
    visits : int
        As many as every other week had at least.
    weeks : list of int
        Those others, by their distance.
    """

    start: int
    stop: int
    before: int
    after: int
    visits: int
    weeks: list[int]

    @property
    def ends(self) -> bool:
        """Whether the source sends nothing after it."""
        return self.after < 0


def _times(tracking: Tracking) -> dict[tuple[str, str] | None, _Sent]:
    """Return when each export sends, by one of its sources."""
    codes, pairs = tracking.exports
    numbers: dict[str, int] = {}
    # Sources of one export are one source.
    of_pair = [numbers.setdefault(export, number) for number, (_, export) in enumerate(pairs)]
    codes = np.array([*of_pair, -1], dtype=np.int64)[codes]
    at = np.flatnonzero(tracking.is_tracked)
    at = at[np.argsort(codes[at], kind="stable")]
    starts = np.flatnonzero(run_starts(codes[at]))
    return {
        pairs[codes[some[0]]] if codes[some[0]] >= 0 else None: _Sent.of(tracking, some)
        for some in np.split(at, starts[1:])
        if len(some)
    }


def _silences(
    parts: list[dict[tuple[str, str] | None, _Sent]], whole: Whole
) -> dict[str, list[_Gap]] | None:
    """Return the silences of each source, in order of time; None if the events span too little."""
    of_source: dict[str, list[tuple[int, _Sent]]] = {}
    for number, part in enumerate(parts):
        for pair, one in part.items():
            of_source.setdefault(whole.origin(pair), []).append((number, one))
    sent = {name: _Sent.together(some) for name, some in sorted(of_source.items())}
    first = min((one.ends["time"].iloc[0] for one in sent.values()), default=0)
    last = max((one.ends["time"].iloc[-1] for one in sent.values()), default=0)
    if last - first < (FEWEST_WEEKS + 1) * _WEEK - 24 * _HOUR:
        return None
    found = {}
    for name, one in sent.items():
        others = [other.last for key, other in sent.items() if key != name]
        ends = [_bulk_end(one.last), *([_bulk_end(np.concatenate(others))] if others else [])]
        found[name] = _gaps(one, max(ends))
    return found


def _too_short(whole: Whole) -> str:
    known = whole.of_checks["silence"] is not None
    return "" if known else "the events span less than four weeks"


def _silent(tracking: Tracking) -> Iterator[FoundInPart]:
    """Find the events beside silences, and what their weeks brought otherwise."""
    source, names = tracking.sources
    for name, gaps in tracking.whole.of_checks["silence"].items():
        code = -1 if not name else names.index(name) if name in names else len(names)
        within = [gap for gap in gaps if not gap.ends]
        if within:
            yield _beside(tracking, source == code, within, (name, 0, 0))
        for gap in gaps:
            if gap.ends and gap.stop - gap.start >= SHORTEST_END:
                yield _beside(tracking, source == code, [gap], (name, 1, gap.start))


def _beside(
    tracking: Tracking, here: BoolArray, gaps: list[_Gap], key: tuple[str, int, int]
) -> FoundInPart:
    rows = [row for gap in gaps for row in (gap.before, gap.after) if row >= 0]
    text = "its last event" if gaps[0].ends else "beside the gap"
    at = np.flatnonzero(here & np.isin(tracking.rows, rows))
    about = gaps, _amounts(tracking, here, gaps)
    return FoundInPart(at, None, lambda some: [text] * len(some), key, about)


def _amounts(tracking: Tracking, here: BoolArray, gaps: list[_Gap]) -> list[list[int]]:
    """Return what conversions brought in each other week of each silence, as exact sums."""
    if tracking.amounts is None:
        return []
    at = np.flatnonzero(here & tracking.is_conversion)
    at = at[np.argsort(tracking.microseconds[at], kind="stable")]
    times, amounts = tracking.microseconds[at], tracking.amounts[at]

    def brought(begin: int, stop: int) -> int:
        low, high = np.searchsorted(times, begin, side="right"), np.searchsorted(times, stop)
        return exact_sum(amounts[low:high])

    return [
        [brought(gap.start + week * _WEEK, gap.stop + week * _WEEK) for week in gap.weeks]
        for gap in gaps
    ]


def _said_of_silence(found: Together) -> Fault:
    name, _, _ = found.key
    gaps, _ = found.about[0]
    source = repr(name) if name else "The source"
    money = None
    if found.whole.counts_money:
        # Of each silence, of each other week, of each part.
        money = sum(
            max(rounded(min(map(sum, zip(*of_gap, strict=True)))), 0.0)
            for of_gap in zip(*(amounts for _, amounts in found.about), strict=True)
        )
    return (_ending if gaps[0].ends else _within)(source, gaps, money)


def _within(source: str, gaps: list[_Gap], money: float | None) -> Fault:
    longest = max(gaps, key=lambda gap: (gap.stop - gap.start, -gap.start))
    return Fault(
        "medium",
        f"{source} sent nothing for "
        f"{readable_duration(pd.Timedelta(longest.stop - longest.start, unit='us'))} from "
        f"{_moment(longest.start)}, when every other week has {longest.visits:,} visits or "
        f"more{_and_others(gaps)}.",
        "What happened then is missing: visits that began before look as if they ended, and "
        "orders as if they came from nowhere.",
        "Ask the source for these hours again (exports can be repeated, webhooks be sent again), "
        "or leave the days out of funnels with start= and end=.",
        money,
        absent=True,
    )


def _ending(source: str, gaps: list[_Gap], money: float | None) -> Fault:
    (gap,) = gaps
    days = counted(round((gap.stop - gap.start) / (24 * _HOUR)), "day")
    return Fault(
        "low",
        f"{source} ends {days} before the rest: its last event is of {_moment(gap.start)}.",
        "If only its export ends there, the days after it lack its events: visits look as if they "
        "ended, and orders as if they came from nowhere. If it still sends, tracking broke then.",
        "Export it again up to the end of the others, or leave the days out of funnels with end=.",
        money,
        absent=True,
    )


SILENT = Check(_silent, _said_of_silence, _too_short, _times, _silences)


def _moment(microseconds: int) -> str:
    return pd.Timestamp(microseconds, unit="us").strftime("%Y-%m-%d %H:%M UTC")


def _and_others(gaps: list[_Gap]) -> str:
    return f"; and {counted(len(gaps) - 1, 'shorter time')}" if len(gaps) > 1 else ""


def _gaps(sent: _Sent, end: int) -> list[_Gap]:
    """Return the silences of a source that should have sent until then, in order of time."""
    times, rows = (sent.ends[name].to_numpy(dtype=np.int64) for name in ("time", "row"))
    starts, stops = times, np.append(times[1:], end)
    # What lies beyond the end of the data are a few events with a wrong time.
    long = np.flatnonzero((stops - starts >= SHORTEST_GAP) & (stops <= end))
    visits = np.sort(sent.visits["begin"].to_numpy(dtype=np.int64))
    found = []
    for gap in long.tolist():
        start, stop = int(starts[gap]), int(stops[gap])
        weeks = [
            week
            for week in range(-_MOST_WEEKS, _MOST_WEEKS + 1)
            if week
            and start + week * _WEEK >= times[0]
            and stop + week * _WEEK <= times[-1]
        ]  # fmt: skip
        if len(weeks) < FEWEST_WEEKS:
            continue
        shifted = np.array(weeks, dtype=np.int64) * _WEEK
        low = np.searchsorted(visits, start + shifted, side="right")
        least = int((np.searchsorted(visits, stop + shifted) - low).min())
        if least >= FEWEST_VISITS:
            after = int(rows[gap + 1]) if gap + 1 < len(rows) else -1
            found.append(_Gap(start, stop, int(rows[gap]), after, least, weeks))
    return found


def _bulk_end(times: IntArray) -> int:
    """Return the time of the twentieth event from the end: a wrong clock sets no end."""
    place = max(len(times) - FEWEST_VISITS, 0)
    return int(np.partition(times, place)[place])

"""Until when the data were observed: the last event, wrong clocks left aside.

One event of 2031 in an export of March would end the observation in 2031: every window would be
closed, and whoever has not come back, lost. So the end of the data is the last event that is not
**far**. An event is far if

- it is dated more than a day after its own `received_at`: nothing happens after it was reported
  (unless half of the events that have one are: then `received_at` is something else; and one
  before 1990 says nothing of an event that is not);
- or it is one of the last few (three, or one in a thousand if that is more), after a pause of 180
  days or more that is also ten times as long as any pause among the others, the earliest few of
  these left aside, if these are ten at least;
- or it lies after a pause of a hundred years, with fewer events than before it;
- or it lies before 1990, if others do not: there was no Web, and a clock that was never set shows
  1970.

Nothing in it depends on the order of rows, nor on the day on which it is asked. It rather misses a
wrong clock than cuts off real events: a shop that pauses for weeks, that began years ago with few
events, or that has five events, has no far ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from convergekit.events.timestamps import in_utc, microseconds
from convergekit.typing import BoolArray, IntArray

_DAY = 86_400_000_000
#: An event may be dated so much after its `received_at`: a clock in another time zone, or slow.
MOST_AHEAD = _DAY
#: The shortest pause before far events, and how many times it is as long as any other.
LEAST_PAUSE, TIMES_ANY_OTHER = 180 * _DAY, 10
#: As many events may be far, or this share of all.
MOST_FAR, FAR_SHARE = 3, 0.001
#: So many must not be, the earliest and the latest few of all left aside.
FEWEST_OTHERS = 10
#: A pause that leaves no doubt.
CERTAIN_PAUSE = 100 * 366 * _DAY
#: What is said of events that are left out, as they are far.
BEYOND = "beyond the end of the data, or before their begin"
_FIRST = int(pd.Timestamp("1990-01-01").value // 1000)


@dataclass(frozen=True)
class Observed:
    """From when to when events were observed.

    Attributes
    ----------
    begin, end : pandas.Timestamp
        The first event and the last, those whose clock must be wrong left aside; not a time
        without events. In UTC.
    """

    begin: pd.Timestamp
    end: pd.Timestamp

    def holds(self, times: IntArray) -> BoolArray:
        """Return which of these times, in microseconds, lie in it."""
        if pd.isna(self.end):
            return np.ones(len(times), dtype=bool)
        begin, end = microseconds(pd.Series([self.begin, self.end]))
        return (times >= begin) & (times <= end)

    def bounds(self) -> tuple[int, int] | None:
        """Return it in microseconds, the second the first that is not in it; None if empty."""
        if pd.isna(self.end):
            return None
        begin, end = microseconds(pd.Series([self.begin, self.end]))
        return int(begin), int(end) + 1

    def outside(self, events: pd.DataFrame) -> IntArray:
        """Return the positions of the events with a time that does not lie in it."""
        known = events["timestamp"].notna().to_numpy(dtype=bool)
        times = microseconds(events["timestamp"])
        return np.flatnonzero(known & ~self.holds(times))


def observed(events: pd.DataFrame, end: pd.Timestamp | None = None) -> Observed:
    """Return from when to when events were observed.

    Parameters
    ----------
    events : pandas.DataFrame
        With `timestamp` (datetime) and, perhaps, `received_at`.
    end : pandas.Timestamp, optional
        Until when, where that is known.

    Examples
    --------
    >>> days = pd.date_range("2026-03-01", periods=30, freq="D", tz="UTC")
    >>> far = pd.Timestamp("2031-01-01", tz="UTC")
    >>> observed(pd.DataFrame({"timestamp": [far, *days]})).end
    Timestamp('2026-03-30 00:00:00+0000', tz='UTC')
    """
    return observed_in(lambda: [events], end)


def observed_in(
    parts: Callable[[], Iterable[pd.DataFrame]], end: pd.Timestamp | None = None
) -> Observed:
    """Return from when to when events were observed that are looked at a part at a time.

    Parameters
    ----------
    parts : callable
        Returns frames such as `observed` takes; it is called a few times.
    end : pandas.Timestamp, optional

    Examples
    --------
    >>> days = pd.Series(pd.date_range("2026-03-01", periods=30, freq="D", tz="UTC"))
    >>> observed_in(lambda: [days.iloc[at].to_frame("timestamp") for at in ([3, 7], [5])]).begin
    Timestamp('2026-03-04 00:00:00+0000', tz='UTC')
    """

    def clocks() -> Iterator[_Clocks]:
        return map(_Clocks.of, parts())

    wrong = _Wrong.of(clocks())

    def left() -> Iterator[IntArray]:
        return (one.times[~wrong.among(one)] for one in clocks())

    within = _Ends.of(left(), wrong.few)
    if not within.size:
        return Observed(pd.NaT, pd.NaT)
    latest = _first_far(within, left, wrong.few)
    if latest is not None:
        within = _Ends.of((times[times < latest] for times in left()), 0)
    first, last = _moment(within.first), _moment(within.highest[-1])
    if end is not None and not pd.isna(end):
        last = in_utc(end)
    return Observed(min(first, last), last)


@dataclass(frozen=True)
class _Clocks:
    """The times of some events that have one, in microseconds, and what is said of their clocks.

    Attributes
    ----------
    times : numpy.ndarray of int
    reported : int
        Of how many it is known when they were received.
    ahead, early : numpy.ndarray of bool
        Which are dated more than a day after that, and before the Web.
    """

    times: IntArray
    reported: int
    ahead: BoolArray
    early: BoolArray

    @classmethod
    def of(cls, events: pd.DataFrame) -> _Clocks:
        known = events["timestamp"].notna().to_numpy(dtype=bool)
        times = microseconds(events["timestamp"])[known]
        early = times < _FIRST
        received = events.get("received_at")
        if received is None or not pd.api.types.is_datetime64_any_dtype(received.dtype):
            return cls(times, 0, np.zeros(len(times), dtype=bool), early)
        reports = microseconds(received)[known]
        # A time of receipt that was never set shows 1970.
        both = received.notna().to_numpy(dtype=bool)[known] & ((reports >= _FIRST) | early)
        return cls(times, int(both.sum()), both & (times - MOST_AHEAD > reports), early)


@dataclass(frozen=True)
class _Wrong:
    """Which clocks are wrong whatever the pauses between events are.

    Attributes
    ----------
    ahead, early : bool
        Whether those are that are ahead of the receipt, and those before the Web.
    few : int
        How many of the others may be far.
    """

    ahead: bool
    early: bool
    few: int

    @classmethod
    def of(cls, parts: Iterable[_Clocks]) -> _Wrong:
        reported, counts = 0, np.zeros((2, 2), dtype=np.int64)
        for one in parts:
            reported += one.reported
            kind = 2 * one.ahead + one.early
            counts += np.bincount(kind, minlength=4).reshape(2, 2)
        # If half of the events are, it says something else than when they were received.
        ahead = bool(2 * counts[1].sum() < reported)
        if ahead:
            counts = counts[:1]
        early = bool(counts[:, 0].any())
        left = counts[:, 0].sum() if early else counts.sum()
        return cls(ahead, early, max(MOST_FAR, int(FAR_SHARE * left)))

    def among(self, clocks: _Clocks) -> BoolArray:
        """Return which of some clocks are wrong."""
        return (clocks.ahead & self.ahead) | (clocks.early & self.early)


@dataclass(frozen=True)
class _Ends:
    """How many times there are, and the earliest and the latest of them.

    Attributes
    ----------
    size, first : int
    highest : numpy.ndarray of int
        The latest few and the one before, ascending.
    """

    size: int
    first: int
    highest: IntArray

    @classmethod
    def of(cls, parts: Iterable[IntArray], few: int) -> _Ends:
        size, first, highest = 0, np.iinfo(np.int64).max, np.empty(0, dtype=np.int64)
        for times in parts:
            size += len(times)
            first = min(first, int(times.min(initial=first)))
            highest = _last(np.concatenate([highest, _last(times, few + 1)]), few + 1)
        return cls(size, first, np.sort(highest))


def _last(times: IntArray, count: int) -> IntArray:
    """Return the latest few times, in no order."""
    return times if len(times) <= count else np.partition(times, -count)[-count:]


def _first_far(ends: _Ends, parts: Callable[[], Iterable[IntArray]], few: int) -> int | None:
    """Return the time of the first of the last events that are far from all before them.

    Only where there is a long pause before one of the last few have all to be gone through.
    """
    spread = int(ends.highest[-1]) - ends.first
    if spread < LEAST_PAUSE:
        return None
    long = bool((np.diff(ends.highest) >= LEAST_PAUSE).any())
    if not long and spread < CERTAIN_PAUSE:
        return None
    found = _Pauses.of(parts())
    certain = found.lengths >= CERTAIN_PAUSE
    far = found.after[certain & (2 * found.before > ends.size)].tolist()
    if ends.size - 2 * few >= FEWEST_OTHERS:
        lowest = -_Ends.of((-times for times in parts()), few).highest[0]
        others = (found.after > lowest) & (found.after <= ends.highest[0])
        least = max(LEAST_PAUSE, TIMES_ANY_OTHER * int(found.lengths[others].max(initial=0)))
        far += ends.highest[1:][np.diff(ends.highest) >= least].tolist()
    return min(far) if far else None


@dataclass(frozen=True)
class _Pauses:
    """The pauses between times, in microseconds; of the shortest, which matter to nobody, not all.

    Attributes
    ----------
    lengths, after : numpy.ndarray of int
        How long each is, and the time after it.
    before : numpy.ndarray of int
        How many times there are before it.
    """

    lengths: IntArray
    after: IntArray
    before: IntArray

    @classmethod
    def of(cls, parts: Iterable[IntArray]) -> _Pauses:
        # Of spans not longer than what matters: pauses within one do not.
        span = LEAST_PAUSE // TIMES_ANY_OTHER
        spans = pd.DataFrame({"first": [], "last": [], "times": []}, dtype="int64")
        for times in parts:
            grouped = pd.Series(times).groupby(times // span)
            mine = grouped.agg(first="min", last="max", times="size")
            both = pd.concat([spans, mine]).groupby(level=0)
            spans = both.agg({"first": "min", "last": "max", "times": "sum"})
        first, last, times = (spans[name].to_numpy() for name in ("first", "last", "times"))
        return cls(first[1:] - last[:-1], first[1:], np.cumsum(times)[:-1])


def moment(time: pd.Timestamp) -> str:
    """Return a time in words, to the minute.

    Examples
    --------
    >>> moment(pd.Timestamp("2031-01-01", tz="UTC"))
    '2031-01-01 00:00 UTC'
    """
    # Not by `strftime`, which writes the year 1 without zeros on some systems.
    return f"{in_utc(time).isoformat(sep=' ', timespec='minutes').removesuffix('+00:00')} UTC"


def _moment(micros: Any) -> pd.Timestamp:
    return pd.Timestamp(int(micros), unit="us", tz="UTC")

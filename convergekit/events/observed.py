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
    times = microseconds(events["timestamp"])
    known = events["timestamp"].notna().to_numpy(dtype=bool)
    kept = known & ~far_events(events)
    within = times[kept] if kept.any() else times[known]
    if not len(within):
        return Observed(pd.NaT, pd.NaT)
    first, last = _moment(within.min()), _moment(within.max())
    if end is not None and not pd.isna(end):
        last = in_utc(end)
    return Observed(min(first, last), last)


def far_events(events: pd.DataFrame) -> BoolArray:
    """Return which events are far from the others in time, or dated after they were received.

    Examples
    --------
    >>> days = pd.date_range("2026-03-01", periods=30, freq="D", tz="UTC")
    >>> odd = pd.to_datetime(["1970-01-01", "9999-12-31"], utc=True)
    >>> np.flatnonzero(far_events(pd.DataFrame({"timestamp": [*odd, *days]}))).tolist()
    [0, 1]
    """
    times = microseconds(events["timestamp"])
    known = events["timestamp"].notna().to_numpy(dtype=bool)
    far = after_receipt(events) & known
    early = known & (times < _FIRST)
    if (known & ~far & ~early).any():
        far |= early
    left = np.flatnonzero(known & ~far)
    latest = _first_far(times[left])
    if latest is not None:
        far[left] = times[left] >= latest
    return far


def after_receipt(events: pd.DataFrame) -> BoolArray:
    """Return which events are dated more than a day after they were received."""
    none = np.zeros(len(events), dtype=bool)
    if "received_at" not in events:
        return none
    received = events["received_at"]
    if not pd.api.types.is_datetime64_any_dtype(received.dtype):
        return none
    both = (received.notna() & events["timestamp"].notna()).to_numpy(dtype=bool)
    times, reports = microseconds(events["timestamp"]), microseconds(received)
    # A time of receipt that was never set shows 1970.
    both = both & ((reports >= _FIRST) | (times < _FIRST))
    ahead = times - MOST_AHEAD > reports
    found: BoolArray = both & ahead
    return found if 2 * found.sum() < both.sum() else none


def _first_far(times: IntArray) -> int | None:
    """Return the time of the first of the last events that are far from all before them."""
    size = len(times)
    spread = int(times.max() - times.min()) if size else 0
    if spread < LEAST_PAUSE:
        return None
    few = max(MOST_FAR, int(FAR_SHARE * size))
    # Only where there is a long pause before one of the last few need all be put in order.
    last = np.sort(np.partition(times, max(size - few - 1, 0))[-few - 1 :])
    if np.diff(last).max() < LEAST_PAUSE and spread < CERTAIN_PAUSE:
        return None
    ordered = np.sort(times)
    pauses = np.diff(ordered)
    far = [
        int(place) + 1
        for place in np.flatnonzero(pauses >= CERTAIN_PAUSE)
        if 2 * (place + 1) > size
    ]
    others = pauses[few : size - few - 1]
    if len(others) + 1 >= FEWEST_OTHERS:
        least = max(LEAST_PAUSE, TIMES_ANY_OTHER * int(others.max()))
        tail = np.flatnonzero(pauses[size - few - 1 :] >= least) + size - few
        far += [int(place) for place in tail]
    return int(ordered[min(far)]) if far else None


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

"""The days of the data, each read as it was known when it was over."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import pandas as pd

from convergekit.errors import ConvergekitError
from convergekit.events.calendar import Calendar
from convergekit.events.timestamps import microseconds
from convergekit.identity.as_of import Knowledge, profiles_then
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import BoolArray, IntArray

#: A day is over if its last event is as late as that of one of so many days before it.
_RECENT = 28


class HasDays(Protocol):
    """A stitching, in memory or in parts, of which the whole days are asked."""

    @property
    def calendar(self) -> Calendar:
        """Whose days they are."""

    @property
    def observed_span(self) -> tuple[pd.Timestamp, pd.Timestamp]:
        """From when to when profiles are observed."""

    def last_on_days(self, starts: IntArray) -> IntArray:
        """Return how long after its begin the last event of each day is. See `last_on_days`."""


@dataclass(frozen=True, eq=False)
class DayRange:
    """Days of the shop's calendar, one after the other.

    Attributes
    ----------
    periods : pandas.PeriodIndex
        The days: from the first whole one to the last that is over.
    starts : numpy.ndarray of int
        When each begins, in microseconds, and when the last is over.
    """

    periods: pd.PeriodIndex
    starts: IntArray

    @cached_property
    def weekday(self) -> IntArray:
        """The weekday of each day, 0 for Monday."""
        return np.asarray(self.periods.day_of_week, dtype=np.int64)

    def of(self, events: pd.DataFrame) -> IntArray:
        """Return the number of each event's day, -1 for one that is not among the days."""
        found = np.searchsorted(self.starts, microseconds(events["timestamp"]), side="right") - 1
        known = events["timestamp"].notna().to_numpy(dtype=bool)
        return np.where(known & (found < len(self.periods)), found, -1)

    def outside(self, days: tuple[tuple[pd.Period, pd.Period], ...]) -> BoolArray:
        """Return which days are none of some."""
        found = np.ones(len(self.periods), dtype=bool)
        for first, last in days:
            found &= ~((self.periods >= first) & (self.periods <= last))
        return found


@dataclass(frozen=True, eq=False)
class Days(DayRange):
    """Days, and the events on them.

    Attributes
    ----------
    periods, starts
        As `DayRange` has them.
    s : StitchedEvents
    """

    s: StitchedEvents

    @cached_property
    def time(self) -> IntArray:
        """When each event was, in microseconds."""
        return microseconds(self.s.events["timestamp"])

    @cached_property
    def day(self) -> IntArray:
        """The number of each event's day, -1 for one that is not among the days."""
        return self.of(self.s.events)

    @cached_property
    def knowledge(self) -> Knowledge:
        """What was known when."""
        return self.s.resolution.knowledge()

    @cached_property
    def known_at(self) -> IntArray:
        """When each event became known: its time of receipt, or else its own."""
        return self.knowledge.known_at[self.knowledge.item]

    @cached_property
    def _all_known(self) -> IntArray:
        return np.sort(self.knowledge.known_at)

    def deadline(self, day: IntArray, delay: int) -> IntArray:
        """Return until when events count for days, in microseconds.

        Parameters
        ----------
        day : numpy.ndarray of int
        delay : int
            How long after its end a day is read, in microseconds.
        """
        return self.starts[day + 1] + delay

    def moment(self, deadline: IntArray) -> IntArray:
        """Return the place in the order of knowing that had been reached at times."""
        return np.searchsorted(self._all_known, deadline, side="left") - 1

    def profile(self, at: IntArray, deadline: IntArray) -> IntArray:
        """Return a number for the profile that events were of at times, -1 for none."""
        known = self.knowledge
        return profiles_then(known.aliases, known.known, known.item[at], self.moment(deadline))

    def counted(self, at: IntArray, delay: int) -> IntArray:
        """Return those of some events that are on a day, and known when it is read."""
        at = at[self.day[at] >= 0]
        return at[self.known_at[at] < self.deadline(self.day[at], delay)]


def days_of(s: HasDays, until: Any) -> DayRange:
    """Return the whole days of the data.

    Parameters
    ----------
    s : HasDays
    until : date or None
        The last day; by default the last that is over.

    Raises
    ------
    ConvergekitError
        There are not two days of events, or `until` is not a day of the data.
    """
    begin, end = s.observed_span
    if pd.isna(end):
        raise ConvergekitError("the store does not have events to watch: add an export first.")
    first, last = s.calendar.periods(pd.Series([begin, end]), "D")
    if until is None:
        last = last if _is_over(s, last) else last - 1
    else:
        moment = s.calendar.moment(until, "until")
        asked = pd.Series([pd.Timestamp(moment, unit="us", tz="UTC")])
        last = s.calendar.periods(asked, "D").iloc[0]
    # The day on which data begin is not whole.
    if last <= first:
        raise ConvergekitError(
            f"not one whole day up to {last} can be watched: the data begin on {first} and end on "
            f"{s.calendar.periods(pd.Series([end]), 'D').iloc[0]}."
        )
    periods = pd.period_range(first + 1, last, freq="D")
    moments = s.calendar.begin(periods.append(pd.PeriodIndex([last + 1])))
    return DayRange(periods, microseconds(pd.Series(moments)))


def _is_over(s: HasDays, last: pd.Period) -> bool:
    """Return whether the last day with events is whole: others did not go on for longer."""
    recent = pd.period_range(last - _RECENT, last + 1, freq="D")
    starts = microseconds(pd.Series(s.calendar.begin(recent)))
    ends = s.last_on_days(starts)
    others = ends[:-1][ends[:-1] >= 0]
    return bool(len(others)) and bool(ends[-1] >= others.min())


def last_on_days(events: pd.DataFrame, starts: IntArray) -> IntArray:
    """Return how long after its begin the last event of each day is; -1 for none.

    Parameters
    ----------
    events : pandas.DataFrame
    starts : numpy.ndarray of int
        When each day begins, in microseconds, and when the last is over.

    Examples
    --------
    >>> times = pd.to_datetime([5, 7, 21], unit="us", utc=True).astype("datetime64[us, UTC]")
    >>> events = pd.DataFrame({"timestamp": times})
    >>> last_on_days(events, np.array([0, 10, 20, 30])).tolist()
    [7, -1, 1]
    """
    time = microseconds(events["timestamp"])
    time = np.sort(time[(time >= starts[0]) & (time < starts[-1])])
    day = np.searchsorted(starts, time, side="right") - 1
    ends = np.full(len(starts) - 1, -1, dtype=np.int64)
    ends[day] = time - starts[day]
    return ends

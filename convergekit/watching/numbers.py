"""Numbers by day, each day counted as it was known when it was read.

What is learned of a day later, by a link or by an event that comes late, does not change its
number: the days of the past are as little known as the latest is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from convergekit.base.grouping import run_starts
from convergekit.events.amounts import events_named, summed_amounts
from convergekit.identity.earliest_links import session_moments_of_events
from convergekit.typing import FloatArray, IntArray
from convergekit.visits.sessions import sessions_of_visitors
from convergekit.watching.asked import WatchedNumber
from convergekit.watching.days import DayRange, Days
from convergekit.watching.forecast import DailyNumber

_DAY = 86_400_000_000


def delay_of(watched: WatchedNumber, wait: int) -> int:
    """Return how long after its end a day is read, in microseconds: its windows are closed."""
    window = int(watched.within.value // 1000) if watched.kind == "conversion" else 0
    return window + wait


@dataclass(frozen=True, eq=False)
class CountedDays:
    """What is counted by day: of profiles that are apart, it adds up.

    Attributes
    ----------
    top : numpy.ndarray of float
        As `DailyNumber` has it; of an amount, how many amounts.
    base : numpy.ndarray of float or None
        As `DailyNumber` has it.
    known, late : numpy.ndarray of int
        Per day, how many events on it and before were known when it was read, and how many of
        them had come too late to count.
    paid : pandas.DataFrame or None
        Of an amount, the events that count.
    """

    top: FloatArray
    base: FloatArray | None
    known: IntArray
    late: IntArray
    paid: pd.DataFrame | None = None

    def __add__(self, other: CountedDays) -> CountedDays:
        """Return both together; the events that are paid are put below each other elsewhere."""
        base = None if self.base is None or other.base is None else self.base + other.base
        return replace(
            self,
            top=self.top + other.top,
            base=base,
            known=self.known + other.known,
            late=self.late + other.late,
        )

    def settled(self, days: DayRange, watched: WatchedNumber) -> tuple[DailyNumber, FloatArray]:
        """Return the number by day, and the share of its events that came too late, by day.

        Raises
        ------
        ConvergekitError
            Its amounts cannot be added up.
        """
        top, events = self.top, self.top if self.base is None else self.base
        if watched.kind == "conversion":
            events = self.top
        if self.paid is not None:
            every = np.arange(len(self.paid))
            amounts = summed_amounts(
                self.paid, every, watched.value or "", watched.currency, watched.rates
            )
            money = np.bincount(days.of(self.paid), weights=amounts, minlength=len(days.periods))
            top = np.maximum(money, 0.0)
        late = np.divide(self.late, self.known, out=np.zeros(len(top)), where=self.known > 0)
        return DailyNumber(top, self.base, events, days.weekday), late


def counted_days(days: Days, watched: WatchedNumber, wait: int) -> CountedDays:
    """Return what is counted of a number by day.

    Parameters
    ----------
    days : Days
    watched : WatchedNumber
    wait : int
        How long after its end a day's events are waited for, in microseconds.

    Raises
    ------
    UnknownNameError
        No event has a name that it needs.
    """
    delay = delay_of(watched, wait)
    if watched.kind == "conversion":
        return _conversion(days, watched, delay)
    if watched.kind == "visits":
        return _visits(days, delay)
    if watched.kind == "new profiles":
        return _new_profiles(days, delay)
    events = days.s.events
    at = events_named(events, watched.event)
    counted = days.counted(at, delay)
    late = _late_on_days(days, at, delay)
    count = _by_day(days, counted)
    if watched.kind == "events":
        return CountedDays(count, None, *late)
    if watched.kind == "revenue":
        return CountedDays(count, None, *late, events.iloc[counted])
    knowledge = days.knowledge
    moments = session_moments_of_events(knowledge, knowledge.aliases, days.s.browser_alias)
    reached = moments[counted] <= days.moment(days.deadline(days.day[counted], delay))
    linked = _by_day(days, counted[reached])
    return CountedDays(linked, count, *late)


def _by_day(days: Days, at: IntArray) -> FloatArray:
    return np.bincount(days.day[at], minlength=len(days.periods)).astype(np.float64)


def _late_on_days(days: Days, at: IntArray, delay: int) -> tuple[IntArray, IntArray]:
    there = at[days.day[at] >= 0]
    return late_by_day(days.day[there], days.known_at[there], days.starts[1:] + delay)


def late_by_day(
    day: IntArray, known_at: IntArray, deadlines: IntArray
) -> tuple[IntArray, IntArray]:
    """Return, per day, how many events were known when it was read, and how many came too late.

    Of the events on that day and on those before it. What comes later still says nothing of it.

    Parameters
    ----------
    day, known_at : numpy.ndarray of int
        On which day each event is, and when it became known.
    deadlines : numpy.ndarray of int
        When each day was read.

    Examples
    --------
    >>> late_by_day(np.array([0, 0, 1]), np.array([5, 15, 16]), np.array([10, 20]))
    (array([1, 3]), array([0, 1]))
    """
    read = np.searchsorted(deadlines, known_at, side="right")
    known, late = (
        np.cumsum(np.bincount(read_on[read_on < len(deadlines)], minlength=len(deadlines)))
        for read_on in (np.maximum(read, day), read[read > day])
    )
    return known, late


def _visits(days: Days, delay: int) -> CountedDays:
    """Count the visits that began on each day.

    One that goes on after midnight, by when a link made another profile of its own, counts again.
    """
    at = np.flatnonzero(days.day >= 0)
    counted = days.counted(at, delay)
    visitor = np.full(len(days.day), -1, dtype=np.int64)
    visitor[counted] = days.profile(counted, days.deadline(days.day[counted], delay))
    named = visitor >= 0
    visitor[named] = np.unique(visitor[named], return_inverse=True)[1]
    found = sessions_of_visitors(days.s, visitor)
    begun = found.first[found.visitor >= 0]
    count = _by_day(days, begun[days.day[begun] >= 0])
    return CountedDays(count, None, *_late_on_days(days, at, delay))


def _new_profiles(days: Days, delay: int) -> CountedDays:
    """Count the profiles that began on each day, as a pipeline that runs all the time would.

    What a later link joins to an earlier profile has begun still.
    """
    knowledge = days.knowledge
    opens = knowledge.maxima(-knowledge.known) == -knowledge.known
    event = knowledge.event[opens]
    event = event[event >= 0]
    event = event[days.s.resolution.profile[event] >= 0]
    counted = days.counted(event, delay)
    count = _by_day(days, counted)
    return CountedDays(count, None, *_late_on_days(days, event, delay))


def _conversion(days: Days, watched: WatchedNumber, delay: int) -> CountedDays:
    step = np.full(len(days.time), -1, dtype=np.int64)
    for number, names in enumerate(watched.steps):
        step[events_named(days.s.events, names)] = number
    event, entry = _by_entry(days, step, int(watched.within.value // 1000))
    known = days.known_at[event] < days.deadline(entry, delay)
    late = late_by_day(entry, days.known_at[event], days.starts[1:] + delay)
    event, entry = event[known], entry[known]
    person = days.profile(event, days.deadline(entry, delay))
    event, entry, person = (part[person >= 0] for part in (event, entry, person))
    order = np.lexsort((step[event], days.time[event], person, entry))
    event, entry, person = event[order], entry[order], person[order]
    reached = _reached(
        np.cumsum(run_starts(entry, person)),
        days.time[event],
        step[event],
        len(watched.steps),
        int(watched.within.value // 1000),
    )
    size = len(days.periods)
    base, top = (
        np.bincount(entry[at], minlength=size).astype(np.float64) for at in (reached[0], reached[1])
    )
    return CountedDays(top, base, *late)


def _by_entry(days: Days, step: IntArray, within: int) -> tuple[IntArray, IntArray]:
    """Return the events that may count for those who enter on each day, and that day."""
    at = np.flatnonzero(step >= 0)
    at = at[days.s.events["timestamp"].notna().to_numpy(dtype=bool)[at]]
    own = np.searchsorted(days.starts, days.time[at], side="right") - 1
    events, entries = [], []
    # A day of 23 hours is shorter than a window of a day.
    for shift in range(-(-within // (_DAY - _DAY // 24)) + 1):
        entry = own - shift
        fits = (entry >= 0) & (entry < len(days.periods)) & ((step[at] > 0) | (shift == 0))
        events.append(at[fits])
        entries.append(entry[fits])
    event, entry = np.concatenate(events), np.concatenate(entries)
    fits = days.time[event] < days.starts[entry + 1] + within
    return event[fits], entry[fits]


def _reached(
    group: IntArray, time: IntArray, step: IntArray, count: int, within: int
) -> tuple[IntArray, IntArray]:
    """Return where each group's first step is, and that of those who reach the last in time.

    Events are sorted by group, time and step: those of one time are taken in the order of steps.
    """
    first = np.flatnonzero(step == 0)
    first = first[run_starts(group[first])] if len(first) else first
    alive, current = first, first
    for number in range(1, count):
        place = np.append(np.flatnonzero(step == number), len(step))
        there = place[np.searchsorted(place, current)]
        inside = there < len(step)
        alive, there = alive[inside], there[inside]
        got = (group[there] == group[alive]) & (time[there] - time[alive] <= within)
        alive, current = alive[got], there[got]
    return first, alive

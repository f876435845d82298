"""What `watch` asks of a stitching: in memory, or in parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd

from convergekit.change.compared import ComparedInMemory, ComparedStitching
from convergekit.events.calendar import Calendar
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import IntArray
from convergekit.watching.asked import WatchedNumber
from convergekit.watching.days import DayRange, Days, last_on_days
from convergekit.watching.numbers import CountedDays, counted_days


class WatchedStitching(Protocol):
    """A stitching whose numbers are watched."""

    @property
    def calendar(self) -> Calendar:
        """Whose days they are."""

    @property
    def observed_span(self) -> tuple[pd.Timestamp, pd.Timestamp]:
        """From when to when profiles are observed."""

    @property
    def compared(self) -> ComparedStitching:
        """The same, for `why`."""

    def last_on_days(self, starts: IntArray) -> IntArray:
        """Return how long after its begin the last event of each day is. See `last_on_days`."""

    def counted(
        self, days: DayRange, numbers: Sequence[WatchedNumber], wait: int
    ) -> list[CountedDays]:
        """Return what is counted of each number by day.

        Parameters
        ----------
        days : DayRange
        numbers : sequence of WatchedNumber
        wait : int
            As `counted_days` takes it.
        """


@dataclass(frozen=True)
class WatchedInMemory:
    """A stitching in memory.

    Attributes
    ----------
    s : StitchedEvents
    """

    s: StitchedEvents

    @property
    def calendar(self) -> Calendar:
        """Whose days they are."""
        return self.s.calendar

    @property
    def observed_span(self) -> tuple[pd.Timestamp, pd.Timestamp]:
        """From when to when profiles are observed."""
        return self.s.observed_span

    @property
    def compared(self) -> ComparedStitching:
        """The same, for `why`."""
        return ComparedInMemory(self.s)

    def last_on_days(self, starts: IntArray) -> IntArray:
        """Return how long after its begin the last event of each day is."""
        return last_on_days(self.s.events, starts)

    def counted(
        self, days: DayRange, numbers: Sequence[WatchedNumber], wait: int
    ) -> list[CountedDays]:
        """Return what is counted of each number by day."""
        return counted_on(self.s, days, numbers, wait)


def counted_on(
    s: StitchedEvents, days: DayRange, numbers: Sequence[WatchedNumber], wait: int
) -> list[CountedDays]:
    """Return what is counted of each number by day, of a stitching or of one of its parts."""
    known = Days(days.periods, days.starts, s)
    return [counted_days(known, watched, wait) for watched in numbers]


def watched_in(given: Any) -> WatchedStitching | None:
    """Return the stitching that is given, or that a store gives; None if it is none."""
    stitched = getattr(given, "stitched", None)
    # Both faces of a stitching have it, and neither shows it.
    found: WatchedStitching | None = getattr(
        stitched() if callable(stitched) else given, "_watched", None
    )
    return found

"""Watched numbers by parts: profiles are apart, so what is counted by day adds up."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from convergekit.change.compared import ComparedStitching
from convergekit.events.calendar import Calendar
from convergekit.identity.tables import StitchedEvents
from convergekit.parts.answers.below import rows_below
from convergekit.parts.gathered.periods import ComparedParts
from convergekit.parts.stitching import Run
from convergekit.typing import IntArray
from convergekit.watching.asked import WatchedNumber
from convergekit.watching.days import DayRange, last_on_days
from convergekit.watching.numbers import CountedDays
from convergekit.watching.watched import counted_on


@dataclass(frozen=True)
class WatchedParts:
    """A stitching in parts whose numbers are watched. See `WatchedStitching`.

    Attributes
    ----------
    run : Run
    """

    run: Run

    @property
    def calendar(self) -> Calendar:
        """Whose days they are."""
        return self.run.options.calendar

    @property
    def observed_span(self) -> tuple[pd.Timestamp, pd.Timestamp]:
        """From when to when profiles are observed."""
        return self.compared.observed_span

    @property
    def compared(self) -> ComparedStitching:
        """The same, for `why`."""
        return ComparedParts(self.run)

    def last_on_days(self, starts: IntArray) -> IntArray:
        """Return how long after its begin the last event of each day is."""
        found: IntArray = np.maximum.reduce(list(self.run.of_each(partial(_last, starts=starts))))
        return found

    def counted(
        self, days: DayRange, numbers: Sequence[WatchedNumber], wait: int
    ) -> list[CountedDays]:
        """Return what is counted of each number by day."""
        of_part = partial(_counted, days=days, numbers=tuple(numbers), wait=wait)
        return [_together(of_parts) for of_parts in zip(*self.run.of_each(of_part), strict=True)]


def _last(number: int, s: StitchedEvents, *, starts: IntArray) -> IntArray:
    return last_on_days(s.events, starts)


def _counted(
    number: int,
    s: StitchedEvents,
    *,
    days: DayRange,
    numbers: Sequence[WatchedNumber],
    wait: int,
) -> list[CountedDays]:
    return counted_on(s, days, numbers, wait)


def _together(found: Sequence[CountedDays]) -> CountedDays:
    whole = functools.reduce(operator.add, found)
    paid = [one.paid for one in found if one.paid is not None]
    return replace(whole, paid=rows_below(paid)) if paid else whole

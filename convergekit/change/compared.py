"""What `why` asks of a stitching: in memory, or in parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd

from convergekit.events.amounts import events_named
from convergekit.events.calendar import Calendar
from convergekit.events.steps import StepLike, among_all
from convergekit.funnels.suggest import event_counts
from convergekit.identity.tables import StitchedEvents


class ComparedStitching(Protocol):
    """A stitching whose periods are compared."""

    @property
    def calendar(self) -> Calendar:
        """In which days the periods are."""

    @property
    def observed_span(self) -> tuple[pd.Timestamp, pd.Timestamp]:
        """From when to when profiles are observed."""

    def event_counts(self) -> pd.Series:
        """Return how many events go by each name, most first."""

    def goals(self, goal: StepLike) -> pd.DataFrame:
        """Return the events that a step is filled by, by `row`."""

    def seen_in(self, spans: Sequence[tuple[int, int]]) -> StitchedEvents:
        """Return all events of the profiles that have any in these spans, at least.

        Parameters
        ----------
        spans : sequence of tuple of int
            Begin and end in microseconds; the end is not in it.
        """


@dataclass(frozen=True)
class ComparedInMemory:
    """A stitching in memory.

    Attributes
    ----------
    s : StitchedEvents
    """

    s: StitchedEvents

    @property
    def calendar(self) -> Calendar:
        """In which days the periods are."""
        return self.s.calendar

    @property
    def observed_span(self) -> tuple[pd.Timestamp, pd.Timestamp]:
        """From when to when profiles are observed."""
        return self.s.observed_span

    def event_counts(self) -> pd.Series:
        """Return how many events go by each name, most first."""
        return event_counts(self.s.events)

    def goals(self, goal: StepLike) -> pd.DataFrame:
        """Return the events that a step is filled by, by `row`."""
        events = self.s.events
        return among_all(events.iloc[events_named(events, goal)], events)

    def seen_in(self, spans: Sequence[tuple[int, int]]) -> StitchedEvents:
        """Return the events: all are at hand."""
        return self.s


def compared_with(given: Any) -> ComparedStitching | None:
    """Return the stitching that is given, or that a store gives; None if it is none."""
    stitched = getattr(given, "stitched", None)
    # Both faces of a stitching have it, and neither shows it.
    found: ComparedStitching | None = getattr(
        stitched() if callable(stitched) else given, "_compared", None
    )
    return found

"""Periods of events in parts, compared: of those who were there in them all events are gathered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from convergekit.events.calendar import Calendar
from convergekit.events.steps import StepLike
from convergekit.events.timestamps import microseconds
from convergekit.funnels.suggest import event_counts, in_order
from convergekit.identity.graph import connected_components
from convergekit.identity.tables import StitchedEvents
from convergekit.parts.answers.activity import events_by_parts
from convergekit.parts.gathered.chosen import gathered
from convergekit.parts.stitching import Run
from convergekit.typing import BoolArray


@dataclass(frozen=True)
class ComparedParts:
    """A stitching in parts whose periods are compared. See `ComparedStitching`.

    Attributes
    ----------
    run : Run
    """

    run: Run

    @property
    def calendar(self) -> Calendar:
        """In which days the periods are."""
        return self.run.options.calendar

    @property
    def observed_span(self) -> tuple[pd.Timestamp, pd.Timestamp]:
        """From when to when profiles are observed."""
        observed = self.run.facts.observed
        return observed.begin, observed.end

    def event_counts(self) -> pd.Series:
        """Return how many events go by each name, most first."""
        counts = pd.concat(list(self.run.of_each(_counts_of)))
        return in_order(counts.groupby(level=0).sum())

    def goals(self, goal: StepLike) -> pd.DataFrame:
        """Return the events that a step is filled by, by `row`."""
        return events_by_parts(self.run.of_each, [goal])

    def seen_in(self, spans: Sequence[tuple[int, int]]) -> StitchedEvents:
        """Return all events of the profiles that have any in these spans, at least."""
        return gathered(self.run, partial(_seen_in, spans=tuple(spans)))


def _counts_of(number: int, s: StitchedEvents) -> pd.Series:
    return event_counts(s.events)


def _seen_in(s: StitchedEvents, *, spans: Sequence[tuple[int, int]]) -> BoolArray:
    """Return which events are of those who were there, and of all whom an alias may join to them.

    What a repair of the tracking looks at is who hangs together before any limit.
    """
    time = microseconds(s.events["timestamp"])
    keep = np.zeros(len(time), dtype=bool)
    for start, end in spans:
        keep |= (time >= start) & (time < end)
    aliases = replace(s.resolution.aliases, apart=None)
    cluster = connected_components(aliases)
    joined = np.full(len(time), -1, dtype=np.int64)
    joined[aliases.event] = cluster[aliases.alias]
    # What links the aliases of a profile may be events that a segment leaves out.
    groups = ((joined, len(cluster)), (s.resolution.profile, len(s.resolution.profile_ids)))
    before = -1
    while before != keep.sum():
        before = keep.sum()
        for group, size in groups:
            there = np.zeros(size + 1, dtype=bool)
            there[group[keep]] = True
            # The last is for events that have none.
            there[-1] = False
            keep |= there[group]
    return keep

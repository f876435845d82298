"""Where journeys are found: in a frame of events, or in several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import pandas as pd

from convergekit.events.amounts import events_named
from convergekit.events.steps import Step, single_valued
from convergekit.journeys.question import JourneysQuestion
from convergekit.journeys.visits import JourneyEvents, visits_of
from convergekit.typing import BoolArray, IntArray


class JourneySource(Protocol):
    """Finds journeys, and what their events have."""

    def to(self, ends: Sequence[Step], /) -> JourneyEvents:
        """Return the events of the journeys that these end; of no steps, to the last event."""
        ...

    def events_at(self, position: IntArray, /) -> tuple[pd.DataFrame, IntArray]:
        """Return a frame that has the events at these positions, and their places in it."""
        ...

    def columns(self, names: Sequence[str], /) -> list[str]:
        """Return the columns that names of properties stand for.

        Raises
        ------
        ColumnError
            No column matches a name, or it holds lists or objects.
        """
        ...

    def values(self, column: str, position: IntArray, /) -> pd.Series:
        """Return the values of a column at these positions."""
        ...


class FrameJourneys:
    """Finds journeys in a frame.

    Parameters
    ----------
    events : pandas.DataFrame
    profile : str
        The column that names each event's profile.
    asked : JourneysQuestion
    """

    def __init__(self, events: pd.DataFrame, profile: str, asked: JourneysQuestion) -> None:
        self._events, self._profile = events, profile
        self._begin = _among(events, asked.start)
        self._chosen = _among(events, asked.names)

    def to(self, ends: Sequence[Step]) -> JourneyEvents:
        """See `JourneySource`."""
        ending = _among(self._events, ends)
        profiles = self._events[self._profile]
        return visits_of(self._events, profiles, self._begin, ending, chosen=self._chosen)

    def events_at(self, position: IntArray) -> tuple[pd.DataFrame, IntArray]:
        """See `JourneySource`."""
        return self._events, position

    def columns(self, names: Sequence[str]) -> list[str]:
        """See `JourneySource`."""
        return [single_valued(self._events, name, option="properties") for name in names]

    def values(self, column: str, position: IntArray) -> pd.Series:
        """See `JourneySource`."""
        return self._events[column].iloc[position]


def _among(events: pd.DataFrame, steps: Sequence[Step]) -> BoolArray | None:
    """Return which events fill any of the steps; None for no steps."""
    if not steps:
        return None
    among = np.zeros(len(events), dtype=bool)
    for step in steps:
        among[events_named(events, step)] = True
    return among

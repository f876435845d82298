"""The events that an answer is about: profile, time and position of each, as integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from convergekit.base.grouping import distinct
from convergekit.errors import ColumnError, what_there_is
from convergekit.events.steps import tracked
from convergekit.events.timestamps import microseconds
from convergekit.funnels.events import ProfileColumn, Profiles, order_of_arrival
from convergekit.typing import IntArray


@dataclass(frozen=True)
class Chosen:
    """Chosen events of a frame.

    Attributes
    ----------
    position : numpy.ndarray of int
        Of each event, its position in the frame.
    profile : numpy.ndarray of int
        Its profile, by number; -1 for none.
    time : numpy.ndarray of int
        Microseconds since 1970.
    """

    position: IntArray
    profile: IntArray
    time: IntArray

    @classmethod
    def of(cls, events: pd.DataFrame, at: IntArray, profiles: Profiles) -> Chosen:
        """Return the events at these positions, those without a time left out."""
        times = events["timestamp"].iloc[at]
        known = times.notna().to_numpy(dtype=bool)
        at = at[known]
        codes, _ = profiles.of(at)
        return cls(at, codes, microseconds(pd.to_datetime(times[known], utc=True)))

    @classmethod
    def together(
        cls, events: pd.DataFrame, at: Sequence[IntArray], profiles: Profiles
    ) -> list[Chosen]:
        """Return the events at each of these positions, with the same number for a profile."""
        every = cls.of(events, distinct(np.concatenate(at)), profiles)
        among = np.zeros(len(events), dtype=bool)
        parts = []
        for positions in at:
            among[:] = False
            among[positions] = True
            parts.append(every.take(np.flatnonzero(among[every.position])))
        return parts

    def take(self, places: IntArray) -> Chosen:
        """Return some of them."""
        return Chosen(self.position[places], self.profile[places], self.time[places])

    def of_profiles(self) -> Chosen:
        """Return those that have a profile."""
        return self.take(np.flatnonzero(self.profile >= 0))

    def times(self) -> pd.Series:
        """Return their times, in UTC."""
        return pd.Series(pd.to_datetime(self.time, unit="us", utc=True))

    def in_order(self, events: pd.DataFrame) -> Chosen:
        """Return them by profile, then time, then arrival."""
        arrival = order_of_arrival(events, self.position)
        return self.take(np.lexsort((arrival, self.time, self.profile)))


def profiles_in(events: pd.DataFrame, profile: str) -> Profiles:
    """Return the profiles that a column names.

    Raises
    ------
    ColumnError
        The frame lacks a column that every answer needs, or its times are not datetimes.
    """
    for column in ("event_name", "timestamp", profile):
        if column not in events:
            raise ColumnError(
                f"no column {column!r}. "
                f"{what_there_is(events.columns, column, none='no columns at all')}"
            )
    if not pd.api.types.is_datetime64_any_dtype(events["timestamp"].dtype):
        raise ColumnError(
            f"the column 'timestamp' is {events['timestamp'].dtype}, not datetime. Convert it "
            "with pd.to_datetime, or stitch the events first."
        )
    return ProfileColumn(events[profile])


def every_tracked(events: pd.DataFrame) -> IntArray:
    """Return the positions of all events but identify calls."""
    return np.flatnonzero(tracked(events))


def data_end(events: pd.DataFrame) -> pd.Timestamp:
    """Return the time of the last event, of any name; not a time without events."""
    return pd.to_datetime(events["timestamp"].max(), utc=True)

"""The events that an answer is about: profile, time and position of each, as integers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from convergekit.events.calendar import Calendar
from convergekit.events.observed import Observed, observed
from convergekit.events.steps import tracked
from convergekit.events.timestamps import microseconds, order_of_arrival
from convergekit.funnels.events import (
    ProfileColumn,
    ProfileNumbers,
    Profiles,
    check_columns,
)
from convergekit.identity.tables import StitchedEvents, observed_of
from convergekit.typing import IntArray
from convergekit.visits.rules import VisitRules, Visits
from convergekit.visits.sessions import FoundSessions, sessions_of_frame, sessions_of_visitors


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
        among = np.zeros((len(at), len(events)), dtype=bool)
        for mask, positions in zip(among, at, strict=True):
            mask[positions] = True
        every = cls.of(events, np.flatnonzero(among.any(axis=0)), profiles)
        return [every.take(np.flatnonzero(mask[every.position])) for mask in among]

    def take(self, places: IntArray) -> Chosen:
        """Return some of them."""
        return Chosen(self.position[places], self.profile[places], self.time[places])

    def of_profiles(self) -> Chosen:
        """Return those that have a profile."""
        return self.take(np.flatnonzero(self.profile >= 0))

    def times(self) -> pd.Series:
        """Return their times, in UTC."""
        return pd.Series(self.time.view("datetime64[us]")).dt.tz_localize("UTC")

    def first_of_each(self, events: pd.DataFrame) -> Chosen:
        """Return the first of each profile's by time, then arrival; in the order of profiles.

        Each has a profile.
        """
        count, latest = int(self.profile.max(initial=-1)) + 1, np.iinfo(np.int64).max
        earliest = np.full(count, latest)
        np.minimum.at(earliest, self.profile, self.time)
        tied = np.flatnonzero(self.time == earliest[self.profile])
        arrival = order_of_arrival(events, self.position[tied])
        arrived = np.full(count, latest)
        np.minimum.at(arrived, self.profile[tied], arrival)
        first = np.full(count, -1, dtype=np.int64)
        chosen = tied[arrival == arrived[self.profile[tied]]]
        first[self.profile[chosen]] = chosen
        return self.take(first[first >= 0])

    def in_order(self, events: pd.DataFrame) -> Chosen:
        """Return them by profile, then time, then arrival."""
        keys = [self.time, self.profile]
        # Without a time of arrival that is the order of the rows, in which they are.
        if "received_at" in events:
            keys.insert(0, order_of_arrival(events, self.position))
        return self.take(np.lexsort(keys))


@dataclass(frozen=True)
class Subject:
    """What a question is asked of.

    Attributes
    ----------
    events : pandas.DataFrame
    profiles : Profiles
        The profile of each event.
    calendar : Calendar
    sessions : callable
        Returns the sessions of the events.
    observed : Observed
        From when to when profiles are observed.
    """

    events: pd.DataFrame
    profiles: Profiles
    calendar: Calendar
    sessions: Callable[[], FoundSessions]
    observed: Observed

    @classmethod
    def of_frame(
        cls, events: pd.DataFrame, profile: str, calendar: Calendar | None, rules: VisitRules
    ) -> Subject:
        """Return a frame whose profiles a column names.

        Raises
        ------
        ColumnError
            The frame lacks a column that every answer needs, or its times are not datetimes.
        """
        check_columns(events, profile)
        profiles = ProfileColumn(events[profile])
        shop = calendar or Calendar()
        sessions = partial(_sessions, events, profiles, rules, shop.zone)
        return cls(events, profiles, shop, sessions, observed(events))

    @classmethod
    def of_stitched(cls, s: StitchedEvents, calendar: str | None, visits: Visits | None) -> Subject:
        """Return stitched events, in the time zone that was asked for or their own."""
        numbered = ProfileNumbers(s.resolution.profile, pd.Index(s.resolution.profile_ids))
        asked = Calendar.of(calendar, None, s.calendar)
        sessions = partial(
            sessions_of_visitors, s, s.resolution.profile, VisitRules.of(visits), asked.zone
        )
        return cls(s.events, numbered, asked, sessions, observed_of(s))

    def inside(self, chosen: Chosen) -> Chosen:
        """Return those of the events that are not beyond the end of the data."""
        return chosen.take(np.flatnonzero(self.observed.holds(chosen.time)))


def every_tracked(events: pd.DataFrame) -> IntArray:
    """Return the positions of all events but identify calls."""
    return np.flatnonzero(tracked(events))


def _sessions(
    events: pd.DataFrame, profiles: Profiles, rules: VisitRules, zone: str
) -> FoundSessions:
    return sessions_of_frame(events, profiles.of(np.arange(len(events)))[0], rules, zone)

"""The events of journeys, as integers: profile, time, and which of them form a journey."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from convergekit.base.grouping import number
from convergekit.events.steps import tracked
from convergekit.events.timestamps import microseconds, order_of_arrival
from convergekit.typing import BoolArray, IntArray

#: The time of what did not happen.
NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class JourneyEvents:
    """The events of journeys, as integers: by journey, then time, then arrival.

    Attributes
    ----------
    unit, name, time, position : numpy.ndarray of int
        Per event: its journey (the unit), its name as a code, microseconds, and its position in
        the frame.
    begin, converted_at : numpy.ndarray of int
        Per journey: when it begins and when it reaches `end`, in microseconds; `NEVER` if not.
    end : numpy.ndarray of int
        Per journey: the position in the frame of the event that ends it, -1 if none does.
    end_name : numpy.ndarray of int
        Per journey: that event's name as a code, -1 likewise.
    profile : numpy.ndarray of int
        Per journey: its profile, a place in `ids`.
    names, ids : pandas.Index
        What the codes stand for.
    """

    unit: IntArray
    name: IntArray
    time: IntArray
    position: IntArray
    begin: IntArray
    converted_at: IntArray
    end: IntArray
    end_name: IntArray
    profile: IntArray
    names: pd.Index
    ids: pd.Index


def visits_of(
    events: pd.DataFrame,
    profiles: pd.Series,
    starts: BoolArray | None,
    ends: BoolArray | None,
    chosen: BoolArray | None = None,
) -> JourneyEvents:
    """Return the events of every profile's journey.

    Parameters
    ----------
    events : pandas.DataFrame
    profiles : pandas.Series
        Whose each event is.
    starts, ends : numpy.ndarray of bool or None
        The events that journeys begin and end with; None for a profile's first and last.
    chosen : numpy.ndarray of bool, optional
        The events that are steps besides these; by default all.
    """
    codes, names = number(events["event_name"])
    profile_codes, ids = number(profiles)
    here = (
        (codes >= 0)
        & (profile_codes >= 0)
        & tracked(events)
        & events["timestamp"].notna().to_numpy()
    )
    if chosen is not None:
        for among in (starts, ends):
            chosen = chosen if among is None else chosen | among
        here &= chosen
    position = np.flatnonzero(here)
    time = microseconds(events["timestamp"])[position]
    order = np.lexsort((order_of_arrival(events, position), time, profile_codes[position]))
    position, time = position[order], time[order]
    unit, name = profile_codes[position].astype(np.int64), codes[position].astype(np.int64)

    place = np.arange(len(unit))
    begins = np.ones(len(unit), dtype=bool) if starts is None else starts[position]
    first = _first_of_each(unit, begins, len(ids))
    # What starts a journey cannot end it too, but without a start the first event may.
    after = place >= first[unit] + (starts is not None)
    ending = np.zeros(len(unit), dtype=bool) if ends is None else ends[position]
    last = _first_of_each(unit, ending & after, len(ids))
    profile = np.flatnonzero(first < len(unit))
    journey = np.full(len(ids), -1, dtype=np.int64)
    journey[profile] = np.arange(len(profile))
    on = (place >= first[unit]) & (place < last[unit])
    end = last[profile]
    return JourneyEvents(
        unit=journey[unit[on]],
        name=name[on],
        time=time[on],
        position=position[on],
        begin=time[first[profile]],
        converted_at=np.append(time, NEVER)[end],
        end=np.append(position, -1)[end],
        end_name=np.append(name, -1)[end],
        profile=profile,
        names=names,
        ids=ids,
    )


def _first_of_each(unit: IntArray, chosen: BoolArray, size: int) -> IntArray:
    """Return the place of each unit's first chosen event; beyond the last place if it has none."""
    first = np.full(size, len(unit), dtype=np.int64)
    found, at = np.unique(unit[chosen], return_index=True)
    first[found] = np.flatnonzero(chosen)[at]
    return first

"""Values carried forward in one pass over the events: `properties.carried_from`, compiled.

The plain path brings each profile's events together first. Here the events are gone through in
order of time, with what each profile carries so far beside: a table that fits into the cache.
"""

from __future__ import annotations

import numba
import numpy as np

from convergekit.typing import BoolArray, IntArray

_NOWHERE = np.empty(0, dtype=np.bool_)


def carried_from(
    given: BoolArray, erased: BoolArray | None, profile: IntArray, in_time: IntArray
) -> IntArray:
    """Return, for each event, the event whose value it carries: the latest, -1 for none.

    Parameters
    ----------
    given : numpy.ndarray of bool
        Events that carry a value.
    erased : numpy.ndarray of bool or None
        Events that erase the value, before giving their own.
    profile : numpy.ndarray of int
        Each event's profile, -1 for none.
    in_time : numpy.ndarray of int
        Positions of the events in order of time, then arrival.
    """
    profiles = int(profile.max(initial=-1)) + 1
    return _carry(given, _NOWHERE if erased is None else erased, profile, profiles, in_time)


def first_only(given: BoolArray, profile: IntArray, in_time: IntArray) -> BoolArray:
    """Return which of the values are the first of their profile."""
    return _first_only(given, profile, int(profile.max(initial=-1)) + 1, in_time)


@numba.njit(nogil=True, cache=True)
def _carry(given, erased, profile, profiles, in_time):  # type: ignore[no-untyped-def]
    found = np.empty(len(given), np.int64)
    latest = np.full(profiles, -1)
    for place in range(len(in_time)):
        event = in_time[place]
        of = profile[event]
        if of < 0:
            found[event] = event if given[event] else -1
            continue
        if given[event]:
            latest[of] = event
        elif len(erased) and erased[event]:
            latest[of] = -1
        found[event] = latest[of]
    return found


@numba.njit(nogil=True, cache=True)
def _first_only(given, profile, profiles, in_time):  # type: ignore[no-untyped-def]
    only = given.copy()
    said = np.zeros(profiles, np.bool_)
    for place in range(len(in_time)):
        event = in_time[place]
        of = profile[event]
        if of >= 0 and given[event]:
            only[event] = not said[of]
            said[of] = True
    return only

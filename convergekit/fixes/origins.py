"""Where orders are from: the first and the last visit that their profiles made before them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from convergekit.base.grouping import run_starts
from convergekit.typing import BoolArray, IntArray

#: A pause of so many microseconds ends a visit.
PAUSE = 30 * 60 * 1_000_000
#: What stands for a visit that there is not.
NONE = np.iinfo(np.int64).min


@dataclass(frozen=True)
class SeenEvents:
    """Browser events and orders, each with a profile as a number.

    Attributes
    ----------
    profile, time : numpy.ndarray of int
        Of each event that a browser sent, in the order of profile and time.
    of_order, ordered : numpy.ndarray of int
        The profile and the time of each order.
    profiles : int
        How many numbers of profiles there are.
    """

    profile: IntArray
    time: IntArray
    of_order: IntArray
    ordered: IntArray
    profiles: int

    @classmethod
    def of(cls, profile: IntArray, time: IntArray, of_order: IntArray, ordered: IntArray,
           profiles: int) -> SeenEvents:  # fmt: skip
        """Return events in any order as they are wanted."""
        order = np.lexsort((time, profile))
        return cls(profile[order], time[order], of_order, ordered, profiles)


def origins(seen: SeenEvents) -> tuple[IntArray, IntArray]:
    """Return when each order's first visit began, and when its last did; `NONE` without any.

    Examples
    --------
    >>> hour = 3_600_000_000
    >>> seen = SeenEvents.of(
    ...     np.array([0, 0, 0]), np.array([0, 5, 6]) * hour,
    ...     np.array([0, 0, 1]), np.array([1, 7, 7]) * hour, 2,
    ... )
    >>> first, last = origins(seen)
    >>> (first[:2] // hour).tolist(), (last[:2] // hour).tolist(), bool(first[2] == NONE)
    ([0, 0], [0, 6], True)
    """
    first, last = np.full(len(seen.ordered), NONE), np.full(len(seen.ordered), NONE)
    if not len(seen.time) or not len(seen.ordered):
        return first, last
    begins = run_starts(seen.profile)
    start = np.flatnonzero(begins)[np.cumsum(begins) - 1]
    new = begins.copy()
    new[1:] |= np.diff(seen.time) > PAUSE
    visit = np.flatnonzero(new)[np.cumsum(new) - 1]
    # Orders after the events of their time; both by profile, then time.
    both = np.concatenate([seen.profile, seen.of_order])
    times = np.concatenate([seen.time, seen.ordered])
    is_order = np.arange(len(both)) >= len(seen.time)
    order = np.lexsort((is_order, times, both))
    before = np.cumsum(~is_order[order]) - 1
    place = np.empty(len(both), dtype=np.int64)
    place[order] = before
    ahead = place[len(seen.time) :]
    has = (ahead >= 0) & (seen.profile[np.maximum(ahead, 0)] == seen.of_order)
    first[has] = seen.time[start[ahead[has]]]
    last[has] = seen.time[visit[ahead[has]]]
    return first, last


def revealed(
    seen: SeenEvents, known: tuple[IntArray, IntArray], one: IntArray, other: IntArray
) -> BoolArray:
    """Return of which orders the first or the last visit is another one with some links.

    Parameters
    ----------
    seen : SeenEvents
    known : tuple of numpy.ndarray of int
        What `origins` returns without the links.
    one, other : numpy.ndarray of int
        The profiles that each link brings together.
    """
    found = np.zeros(len(seen.ordered), dtype=bool)
    if not len(one):
        return found
    touched, at = np.unique(np.concatenate([one, other]), return_inverse=True)
    size = len(touched)
    person = np.full(seen.profiles, -1, dtype=np.int64)
    person[touched] = together(at[: len(one)], at[len(one) :], size)
    orders = np.flatnonzero(person[seen.of_order] >= 0)
    events = np.flatnonzero(person[seen.profile] >= 0)
    chosen = SeenEvents.of(
        person[seen.profile[events]], seen.time[events],
        person[seen.of_order[orders]], seen.ordered[orders], size,
    )  # fmt: skip
    first, last = origins(chosen)
    found[orders] = (first != known[0][orders]) | (last != known[1][orders])
    return found


def together(one: IntArray, other: IntArray, size: int) -> IntArray:
    """Return for each of so many profiles which it belongs to when pairs are brought together.

    Examples
    --------
    >>> together(np.array([0]), np.array([2]), 4).tolist()
    [0, 1, 0, 2]
    """
    links = (np.ones(len(one)), (one, other))
    graph = scipy.sparse.coo_array(links, shape=(size, size)).tocsr()
    found = scipy.sparse.csgraph.connected_components(graph, directed=False)[1]
    return np.asarray(found, dtype=np.int64)

"""As-of identity in one pass over the events: `as_of.KnownProfiles.maxima`, compiled.

The plain path lays out a forest of all links. Here the events are gone through in the order of
knowing, with the greatest weight of each profile, as then known, beside. Which profiles became one
at which event is the same for every property, so it is found once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from convergekit.identity.compiled.components import root_of
from convergekit.typing import IntArray


@dataclass(frozen=True)
class History:
    """Which profiles became one, in the order of knowing; a profile is named by an alias of it.

    Attributes
    ----------
    in_order : numpy.ndarray of int
        Positions of the events in the order of knowing.
    home : numpy.ndarray of int
        The profile of each event when it became known, -1 for none.
    at, gone, into : numpy.ndarray of int
        The place in `in_order` where a profile ended, the profile, and the one it became part of.
    aliases : int
        How many there are.
    """

    in_order: IntArray
    home: IntArray
    at: IntArray
    gone: IntArray
    into: IntArray
    aliases: int

    def maxima(self, weight: IntArray) -> IntArray:
        """Return, for each event, the greatest weight in its profile as then known."""
        return _maxima(
            weight, self.in_order, self.home, self.at, self.gone, self.into, self.aliases
        )


def history(
    node: IntArray,
    links: tuple[IntArray, IntArray, IntArray],
    known: IntArray,
    aliases: int,
) -> History:
    """Go through the links in the order of knowing.

    Parameters
    ----------
    node : numpy.ndarray of int
        An alias of each event, -1 for none.
    links : tuple of numpy.ndarray of int
        Two aliases that an event links, and the event, in order of the events.
    known : numpy.ndarray of int
        Each event's place in the order of knowing.
    aliases : int
        How many there are.
    """
    first, second, event = links
    in_order = np.empty_like(known)
    in_order[known] = np.arange(len(known))
    begins = np.zeros(len(known) + 1, dtype=np.int64)
    np.cumsum(np.bincount(event, minlength=len(known)), out=begins[1:])
    home, at, gone, into = _history(node, first, second, begins, in_order, aliases)
    return History(in_order, home, at, gone, into, aliases)


@numba.njit(nogil=True, cache=True)
def _history(node, first, second, begins, in_order, aliases):  # type: ignore[no-untyped-def]
    parent = np.arange(aliases)
    home = np.empty(len(node), np.int64)
    # A forest has fewer links than nodes.
    at, gone = np.empty(aliases, np.int64), np.empty(aliases, np.int64)
    into = np.empty(aliases, np.int64)
    count = 0
    for place in range(len(in_order)):
        event = in_order[place]
        for link in range(begins[event], begins[event + 1]):
            one, other = root_of(parent, first[link]), root_of(parent, second[link])
            if one != other:
                parent[other] = one
                at[count], gone[count], into[count] = place, other, one
                count += 1
        home[event] = root_of(parent, node[event]) if node[event] >= 0 else -1
    return home, at[:count], gone[:count], into[:count]


@numba.njit(nogil=True, cache=True)
def _maxima(weight, in_order, home, at, gone, into, aliases):  # type: ignore[no-untyped-def]
    found = np.empty(len(weight), np.int64)
    greatest = np.full(aliases, np.iinfo(np.int64).min)
    link = 0
    for place in range(len(in_order)):
        while link < len(at) and at[link] == place:
            greatest[into[link]] = max(greatest[into[link]], greatest[gone[link]])
            link += 1
        event = in_order[place]
        if home[event] < 0:
            found[event] = weight[event]
        else:
            greatest[home[event]] = max(greatest[home[event]], weight[event])
            found[event] = greatest[home[event]]
    return found

"""The forest of links that joined profiles: the loops of `convergekit.identity.as_of`, compiled."""

from __future__ import annotations

import numba
import numpy as np

from convergekit.typing import IntArray


def joined(leaves: int, first: IntArray, second: IntArray) -> tuple[IntArray, IntArray]:
    """Return the two nodes that each link joins, a link being a node above its leaves."""
    return _joined(leaves, first, second)


def sizes(left: IntArray, right: IntArray, own: IntArray) -> IntArray:
    """Return how many places each node's run has."""
    return _sizes(left, right, own)


def places(left: IntArray, right: IntArray, total: IntArray, starts: IntArray) -> IntArray:
    """Return where each node's run starts, from where those of the tops do."""
    return _places(left, right, total, starts)


@numba.njit(nogil=True, cache=True)
def _joined(leaves, first, second):  # type: ignore[no-untyped-def]
    # The union-find's own pointers, halved on the way.
    above = np.arange(leaves + len(first))
    left, right = np.empty(len(first), np.int64), np.empty(len(first), np.int64)
    for link in range(len(first)):
        one, other = first[link], second[link]
        while above[one] != one:
            above[one] = above[above[one]]
            one = above[one]
        while above[other] != other:
            above[other] = above[above[other]]
            other = above[other]
        above[one] = above[other] = leaves + link
        left[link], right[link] = one, other
    return left, right


@numba.njit(nogil=True, cache=True)
def _sizes(left, right, own):  # type: ignore[no-untyped-def]
    leaves = len(own) - len(left)
    total = own.copy()
    for link in range(len(left)):
        total[leaves + link] += total[left[link]] + total[right[link]]
    return total


@numba.njit(nogil=True, cache=True)
def _places(left, right, total, starts):  # type: ignore[no-untyped-def]
    leaves = len(total) - len(left)
    place = starts.copy()
    for link in range(len(left) - 1, -1, -1):
        place[left[link]] = place[leaves + link]
        place[right[link]] = place[leaves + link] + total[left[link]]
    return place

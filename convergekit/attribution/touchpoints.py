"""Touches: the visits on the way to each conversion, and those on ways that led to none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from convergekit.base.grouping import run_starts
from convergekit.typing import BoolArray, IntArray


@dataclass(frozen=True)
class Touches:
    """Pairs of a conversion and a visit within the look-back before it.

    Attributes
    ----------
    conversion, visit : numpy.ndarray of int
        Of each pair, its two numbers; by conversion, then in the order of time.
    lost_journey, lost_visit : numpy.ndarray of int
        The visits before no conversion, and which journey of a visitor they are of: from one
        conversion (or the beginning) to the next (or the end).
    """

    conversion: IntArray
    visit: IntArray
    lost_journey: IntArray
    lost_visit: IntArray

    def kept(self, keep: BoolArray) -> Touches:
        """Return some of the pairs."""
        return Touches(self.conversion[keep], self.visit[keep], self.lost_journey, self.lost_visit)


def find_touches(
    visits: tuple[IntArray, IntArray], conversions: tuple[IntArray, IntArray], lookback: int
) -> Touches:
    """Pair each conversion with the visits of the same visitor in the look-back before it.

    Parameters
    ----------
    visits : tuple of numpy.ndarray
        Whose, and when; in the order of both.
    conversions : tuple of numpy.ndarray
        Whose (-1 for nobody's), and when.
    lookback : int
        In the unit of the times. A visit that is exactly so old counts, and so does one at the
        moment of the conversion.

    Examples
    --------
    >>> found = find_touches(
    ...     (np.array([0, 0, 0, 1]), np.array([1, 5, 9, 5])), (np.array([0]), np.array([6])), 3)
    >>> found.visit.tolist(), found.lost_visit.tolist(), found.lost_journey.tolist()
    ([1], [0, 2, 3], [0, 1, 2])
    """
    (who, when), (whose, moment) = visits, conversions
    times = np.sort(when)
    # Visitor and time in one number, in the order of both.
    span = len(times) + 1
    key = who * span + np.searchsorted(times, when)
    first = np.searchsorted(key, whose * span + np.searchsorted(times, moment - lookback))
    last = np.searchsorted(key, whose * span + np.searchsorted(times, moment, side="right"))
    size = last - first
    conversion = np.repeat(np.arange(len(whose)), size)
    visit = np.arange(size.sum()) + np.repeat(first - (np.cumsum(size) - size), size)

    lost = np.ones(len(who), dtype=bool)
    lost[visit] = False
    lost_visit = np.flatnonzero(lost)
    # A conversion ends a journey: those before a visit say in which it is.
    ended = np.sort(whose * span + np.searchsorted(times, moment, side="right"))
    before = np.searchsorted(ended, key[lost_visit], side="right")
    begins = run_starts(before, who[lost_visit])
    return Touches(conversion, visit, np.cumsum(begins) - 1, lost_visit)


def only_known(touches: Touches, knew: Callable[[IntArray, IntArray], BoolArray]) -> Touches:
    """Return the pairs of which the visit was known when the conversion became known."""
    return touches.kept(knew(touches.conversion, touches.visit))


def direct_last(touches: Touches, direct: BoolArray) -> Touches:
    """Return the touches without direct visits, where a journey has others.

    Parameters
    ----------
    touches : Touches
    direct : numpy.ndarray of bool
        Which visits are direct.

    Examples
    --------
    >>> pairs = Touches(np.array([0, 0, 1]), np.array([0, 1, 2]), np.array([0]), np.array([2]))
    >>> direct_last(pairs, np.array([True, False, True])).visit.tolist()
    [1, 2]
    """
    lost = _told(touches.lost_journey, direct[touches.lost_visit])
    kept = touches.kept(_told(touches.conversion, direct[touches.visit]))
    return Touches(
        kept.conversion, kept.visit, touches.lost_journey[lost], touches.lost_visit[lost]
    )


def _told(journey: IntArray, direct: BoolArray) -> BoolArray:
    others = np.bincount(journey, weights=~direct) > 0
    return ~direct | ~others[journey] if len(journey) else ~direct

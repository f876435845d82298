"""Touchpoints: the visits on the way to each conversion, and those on ways that led to none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from convergekit.base.grouping import run_starts
from convergekit.typing import BoolArray, IntArray


@dataclass(frozen=True)
class Touchpoints:
    """Pairs of a conversion and a visit within the lookback window before it.

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

    def kept(self, keep: BoolArray) -> Touchpoints:
        """Return some of the pairs."""
        return Touchpoints(
            self.conversion[keep], self.visit[keep], self.lost_journey, self.lost_visit
        )


def find_touchpoints(
    visits: tuple[IntArray, IntArray],
    conversions: tuple[IntArray, IntArray],
    lookback: int | IntArray,
) -> Touchpoints:
    """Pair each conversion with the visits of the same visitor in the lookback window before it.

    Parameters
    ----------
    visits : tuple of numpy.ndarray
        Visitor and time; in the order of both.
    conversions : tuple of numpy.ndarray
        Visitor (-1 if unassigned) and time.
    lookback : int, or numpy.ndarray of int for each conversion
        In the unit of the times. A visit that is exactly so old counts, and so does one at the
        moment of the conversion.

    Examples
    --------
    >>> found = find_touchpoints(
    ...     (np.array([0, 0, 0, 1]), np.array([1, 5, 9, 5])), (np.array([0]), np.array([6])), 3)
    >>> found.visit.tolist(), found.lost_visit.tolist(), found.lost_journey.tolist()
    ([1], [0, 2, 3], [0, 1, 2])
    """
    (visitor, when), (converting, moment) = visits, conversions
    times = np.sort(when)
    # Visitor and time in one number, in the order of both.
    span = len(times) + 1
    key = visitor * span + np.searchsorted(times, when)
    first = np.searchsorted(key, converting * span + np.searchsorted(times, moment - lookback))
    last = np.searchsorted(key, converting * span + np.searchsorted(times, moment, side="right"))
    size = last - first
    conversion = np.repeat(np.arange(len(converting)), size)
    visit = np.arange(size.sum()) + np.repeat(first - (np.cumsum(size) - size), size)

    lost = np.ones(len(visitor), dtype=bool)
    lost[visit] = False
    lost_visit = np.flatnonzero(lost)
    # A conversion ends a journey: those before a visit say in which it is.
    ended = np.sort(converting * span + np.searchsorted(times, moment, side="right"))
    before = np.searchsorted(ended, key[lost_visit], side="right")
    begins = run_starts(before, visitor[lost_visit])
    return Touchpoints(conversion, visit, np.cumsum(begins) - 1, lost_visit)


def only_known(
    touchpoints: Touchpoints, knew: Callable[[IntArray, IntArray], BoolArray]
) -> Touchpoints:
    """Return the pairs of which the visit was known when the conversion became known."""
    return touchpoints.kept(knew(touchpoints.conversion, touchpoints.visit))


def direct_last(touchpoints: Touchpoints, direct: BoolArray) -> Touchpoints:
    """Return the touchpoints without direct visits, where a journey has others.

    Parameters
    ----------
    touchpoints : Touchpoints
    direct : numpy.ndarray of bool
        Which visits are direct.

    Examples
    --------
    >>> pairs = Touchpoints(np.array([0, 0, 1]), np.array([0, 1, 2]), np.array([0]), np.array([2]))
    >>> direct_last(pairs, np.array([True, False, True])).visit.tolist()
    [1, 2]
    """
    lost = _remaining(touchpoints.lost_journey, direct[touchpoints.lost_visit])
    kept = touchpoints.kept(_remaining(touchpoints.conversion, direct[touchpoints.visit]))
    return Touchpoints(
        kept.conversion, kept.visit, touchpoints.lost_journey[lost], touchpoints.lost_visit[lost]
    )


def collapsed(touchpoints: Touchpoints, label: IntArray, lost_label: IntArray) -> Touchpoints:
    """Return the touchpoints without repeats: of one label in a row the last alone counts.

    Parameters
    ----------
    touchpoints : Touchpoints
    label, lost_label : numpy.ndarray of int
        What receives credit, of each pair and of each visit before no conversion.

    Examples
    --------
    >>> none = np.array([], dtype=int)
    >>> pairs = Touchpoints(np.array([0, 0, 0, 1]), np.array([0, 1, 2, 3]), none, none)
    >>> collapsed(pairs, np.array([7, 7, 8, 8]), none).visit.tolist()
    [1, 2, 3]
    """

    def last(journey: IntArray, of: IntArray) -> BoolArray:
        return np.append(run_starts(journey, of)[1:], True)[: len(journey)]

    keep = last(touchpoints.lost_journey, lost_label)
    kept = touchpoints.kept(last(touchpoints.conversion, label))
    return Touchpoints(
        kept.conversion, kept.visit, touchpoints.lost_journey[keep], touchpoints.lost_visit[keep]
    )


def _remaining(journey: IntArray, direct: BoolArray) -> BoolArray:
    others = np.bincount(journey, weights=~direct) > 0
    return ~direct | ~others[journey] if len(journey) else ~direct

"""Attribution models: how much credit each touchpoint before a conversion gets.

Rules look at one journey alone: `first_touch`, `last_touch`, `last_non_direct`, `linear`,
`position_based`, `time_decay`. Those that compare journeys are in `data_driven`.

The usual numbers of two rules (first and last touch 40 % each; a half-life of seven days) are those
of Google Ads, "AttributionModel" in https://developers.google.com/google-ads/api/reference/rpc/v22.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from convergekit.typing import BoolArray, FloatArray, IntArray

_LN_2 = 0.6931471805599453
#: The next term of e's series is below a float's last digit where the exponent is at most ln 2.
_TERMS = 17


@dataclass(frozen=True)
class TouchpointPaths:
    """Touchpoints on the way to conversions, and on ways that led to none.

    Attributes
    ----------
    path, label : numpy.ndarray of int
        Of each touch, which conversion's it is (ascending from 0, every number present) and what
        it is of; the touches of a path are in the order of time.
    age : numpy.ndarray of float
        Of each touch, how long before the conversion it was.
    direct : numpy.ndarray of bool
        Of each touch, whether it was a direct visit.
    lost_path, lost_label : numpy.ndarray of int
        The same of the journeys that did not convert.
    labels : int
        How many labels there are.
    """

    path: IntArray
    label: IntArray
    age: FloatArray
    direct: BoolArray
    lost_path: IntArray
    lost_label: IntArray
    labels: int


@dataclass(frozen=True)
class Tuning:
    """What some models ask for.

    Attributes
    ----------
    weights : tuple of float
        Of the first touch, of those between together, and of the last.
    half_life : float
        In the unit of `TouchpointPaths.age`.
    """

    weights: tuple[float, float, float] = (0.4, 0.2, 0.4)
    half_life: float = 7.0


def first_touch(journeys: TouchpointPaths, _: Tuning) -> FloatArray:
    """Return all of each conversion for its first touch."""
    return ends_of(journeys.path)[0].astype(np.float64)


def last_touch(journeys: TouchpointPaths, _: Tuning) -> FloatArray:
    """Return all of each conversion for its last touch, a direct visit or not."""
    return ends_of(journeys.path)[1].astype(np.float64)


def last_non_direct(journeys: TouchpointPaths, _: Tuning) -> FloatArray:
    """Return all of each conversion for its last touch that was not a direct visit.

    If all were, it is the last's.
    """
    told = np.where(journeys.direct, -1, np.arange(len(journeys.path)))
    last = np.full(int(journeys.path.max(initial=-1)) + 1, -1, dtype=np.int64)
    np.maximum.at(last, journeys.path, told)
    ends = np.flatnonzero(ends_of(journeys.path)[1])
    chosen = np.zeros(len(journeys.path))
    chosen[np.where(last >= 0, last, ends)] = 1.0
    return chosen


def linear(journeys: TouchpointPaths, _: Tuning) -> FloatArray:
    """Return the same for each touch."""
    return np.ones(len(journeys.path))


def position_based(journeys: TouchpointPaths, tuning: Tuning) -> FloatArray:
    """Return the weights of the first touch, the last, and those between, which share theirs.

    Of two touches the weights of first and last count, and a single touch gets all.
    """
    first, last = ends_of(journeys.path)
    one, between, other = tuning.weights
    size = np.bincount(journeys.path)[journeys.path] if len(journeys.path) else journeys.path
    weight = np.where(size > 2, between / np.maximum(size - 2, 1), 0.0)
    weight = np.where(first, one, np.where(last, other, weight))
    return np.where(size == 1, 1.0, weight)


def time_decay(journeys: TouchpointPaths, tuning: Tuning) -> FloatArray:
    """Return half as much for a touch that is one half-life older."""
    if not len(journeys.path):
        return np.zeros(0)
    # Measured from the latest touch of each path, so that a short half-life leaves something.
    latest = np.full(int(journeys.path.max()) + 1, np.inf)
    np.minimum.at(latest, journeys.path, journeys.age)
    return _halved((journeys.age - latest[journeys.path]) / tuning.half_life)


def _halved(times: FloatArray) -> FloatArray:
    """Return one, halved so many times: `numpy.exp2`, to the same digits on every processor."""
    whole = np.floor(times)
    # The power series of e, from its last term that counts to its first.
    exponent = (whole - times) * _LN_2
    part = np.ones(len(times))
    for term in range(_TERMS, 0, -1):
        part = 1.0 + exponent * part / term
    # After so many halves nothing is left of a float.
    return np.ldexp(part, -np.minimum(whole, 2_000).astype(np.int32))


RULES: dict[str, Callable[[TouchpointPaths, Tuning], FloatArray]] = {
    "first_touch": first_touch,
    "last_touch": last_touch,
    "last_non_direct": last_non_direct,
    "linear": linear,
    "position_based": position_based,
    "time_decay": time_decay,
}


def by_effect(journeys: TouchpointPaths, effect: FloatArray) -> FloatArray:
    """Return each touch's weight: its label's effect, shared by the label's touches on the path.

    A negative effect counts as none. Where no label on a path has any, they count the same.
    """
    if not len(journeys.path):
        return np.zeros(0)
    pair = journeys.path * journeys.labels + journeys.label
    _, which, times = np.unique(pair, return_inverse=True, return_counts=True)
    worth = np.maximum(effect, 0.0)[journeys.label]
    nothing = np.bincount(journeys.path, weights=worth) == 0
    return np.where(nothing[journeys.path], 1.0, worth) / times[which]


def ends_of(path: IntArray) -> tuple[BoolArray, BoolArray]:
    """Return which touches are the first and which the last of their path."""
    change = path[1:] != path[:-1]
    edge = np.ones(min(len(path), 1), dtype=bool)
    return np.concatenate([edge, change]), np.concatenate([change, edge])

"""Attribution models: how much credit each touchpoint before a conversion gets.

Rules look at one journey alone: `first_touch`, `last_touch`, `last_non_direct`, `linear`,
`position_based`, `time_decay`. Data-driven models compare journeys that converted with journeys
that did not, and say what each label (a channel, a campaign) is worth: `markov`, `shapley`.

The usual numbers of two rules (first and last touch 40 % each; a half-life of seven days) are those
of Google Ads, "AttributionModel" in https://developers.google.com/google-ads/api/reference/rpc/v22.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from convergekit.base.rounding import six_digits
from convergekit.typing import BoolArray, FloatArray, IntArray

#: With more labels than this, Shapley values are sampled.
MOST_EXACT = 10
#: In so many orders of the labels.
ORDERS = 2_000
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
    return _ends(journeys.path)[0].astype(np.float64)


def last_touch(journeys: TouchpointPaths, _: Tuning) -> FloatArray:
    """Return all of each conversion for its last touch, a direct visit or not."""
    return _ends(journeys.path)[1].astype(np.float64)


def last_non_direct(journeys: TouchpointPaths, _: Tuning) -> FloatArray:
    """Return all of each conversion for its last touch that was not a direct visit.

    If all were, it is the last's.
    """
    told = np.where(journeys.direct, -1, np.arange(len(journeys.path)))
    last = np.full(int(journeys.path.max(initial=-1)) + 1, -1, dtype=np.int64)
    np.maximum.at(last, journeys.path, told)
    ends = np.flatnonzero(_ends(journeys.path)[1])
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
    first, last = _ends(journeys.path)
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


@dataclass(frozen=True)
class Effects:
    """What each label is worth to a data-driven model.

    Attributes
    ----------
    effect : numpy.ndarray of float
        By label: the removal effect or the Shapley value.
    standard_error : numpy.ndarray of float
        Of a sampled effect; not a number where it is exact.
    """

    effect: FloatArray
    standard_error: FloatArray


def markov(journeys: TouchpointPaths) -> Effects:
    """Return each label's removal effect in a first-order Markov chain.

    A journey walks from the start over its touches to the conversion or to nothing. The removal
    effect of a label is the share of conversions that the chain would lose if every walk ended
    at that label: Anderl, Becker, von Wangenheim and Schumann, "Mapping the customer journey:
    Lessons learned from graph-based online attribution modeling", International Journal of
    Research in Marketing 33 (2016), pp. 457-474, https://doi.org/10.1016/j.ijresmar.2016.03.001.
    It is rounded to six digits.

    Examples
    --------
    Four paths of https://serhiipuzyrov.com/2019/07/markov-chain-attribution-simple-explanation-of-removal-effect:
    Google Ads converts twice alone and once before the mailing, once it does not; the mailing
    converts once alone.

    >>> journeys = TouchpointPaths(
    ...     path=np.array([0, 1, 2, 3, 3]), label=np.array([0, 0, 1, 0, 1]), age=np.zeros(5),
    ...     direct=np.zeros(5, dtype=bool), lost_path=np.array([0]), lost_label=np.array([0]),
    ...     labels=2)
    >>> markov(journeys).effect
    array([0.75, 0.5 ])
    """
    size = journeys.labels
    start, conversion, nothing = size, size + 1, size + 2
    taken = []
    for path, label, end in (
        (journeys.path, journeys.label, conversion),
        (journeys.lost_path, journeys.lost_label, nothing),
    ):
        first, last = _ends(path)
        within = ~last[:-1]
        came = [np.full(first.sum(), start), label[:-1][within], label[last]]
        went = [label[first], label[1:][within], np.full(last.sum(), end)]
        taken.append(np.concatenate(came) * (size + 3) + np.concatenate(went))
    steps = np.bincount(np.concatenate(taken), minlength=(size + 1) * (size + 3)).astype(np.float64)
    steps = steps.reshape(size + 1, size + 3)
    total = steps.sum(axis=1, keepdims=True)
    chance = np.divide(steps, total, out=np.zeros_like(steps), where=total > 0)
    # How often a walk from one state comes by another, in the mean.
    visits = np.linalg.inv(np.eye(size + 1) - np.pad(chance[:, :size], ((0, 0), (0, 1))))
    converts = visits @ chance[:, conversion]
    reached = visits[start, :size] / np.diag(visits)[:size]
    if not converts[start]:
        return _exact(np.zeros(size))
    effect = reached * converts[:size] / converts[start]
    # Where there is no effect, the inverse may leave a last digit.
    return _exact(np.array([six_digits(share) for share in np.round(effect, 12).tolist()]))


def shapley(journeys: TouchpointPaths) -> Effects:
    """Return each label's Shapley value in the game of conversion rates.

    The worth of a set of labels is the share of journeys that converted, among those whose
    touches are all of the set; a label's value is what it adds to that, in the mean over all
    orders in which the labels may join. The values add up to the conversion rate of all journeys.
    A label whose journeys convert less than others' can have a negative one. Shapley, "A value
    for n-person games", Contributions to the Theory of Games 2 (1953), pp. 307-317; for
    advertising see Zhao, Mahboobi and Bagheri, "Shapley value methods for attribution modeling in
    online advertising", https://arxiv.org/abs/1804.05327.

    With more than ten labels, 2,000 orders are drawn, always the same, and the standard error of
    each value is returned with it: Castro, Gómez and Tejada, "Polynomial calculation of the
    Shapley value based on sampling", Computers & Operations Research 36 (2009), pp. 1726-1730.

    Examples
    --------
    Journeys over the first label alone convert in one of two cases, over the second in none of
    one, and over both in one of one: the sets are worth 1/2, 0 and, all together, 2/4.

    >>> journeys = TouchpointPaths(
    ...     path=np.array([0, 1, 1]), label=np.array([0, 0, 1]), age=np.zeros(3),
    ...     direct=np.zeros(3, dtype=bool), lost_path=np.array([0, 1]),
    ...     lost_label=np.array([0, 1]), labels=2)
    >>> shapley(journeys).effect
    array([0.5, 0. ])
    """
    sets = _label_sets(journeys)
    if journeys.labels <= MOST_EXACT:
        return _exact(_shapley_exact(sets, journeys.labels))
    return _shapley_sampled(sets, journeys.labels)


DATA_DRIVEN: dict[str, Callable[[TouchpointPaths], Effects]] = {
    "markov": markov,
    "shapley": shapley,
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


def _ends(path: IntArray) -> tuple[BoolArray, BoolArray]:
    """Return which touches are the first and which the last of their path."""
    change = path[1:] != path[:-1]
    edge = np.ones(min(len(path), 1), dtype=bool)
    return np.concatenate([edge, change]), np.concatenate([change, edge])


def _exact(effect: FloatArray) -> Effects:
    return Effects(effect, np.full(len(effect), np.nan))


@dataclass(frozen=True)
class _LabelSets:
    """The distinct sets of labels on journeys: members in a row, and how many did what."""

    member: IntArray
    start: IntArray
    converted: FloatArray
    journeys: FloatArray


def _label_sets(journeys: TouchpointPaths) -> _LabelSets:
    lost = journeys.lost_path + journeys.path.max(initial=-1) + 1
    touches = pd.DataFrame(
        {
            "path": np.concatenate([journeys.path, lost]),
            "label": np.concatenate([journeys.label, journeys.lost_label]),
        }
    ).drop_duplicates()
    path, label = touches["path"].to_numpy(), touches["label"].to_numpy()
    if not len(path):
        nothing = np.zeros(0, dtype=np.int64)
        return _LabelSets(nothing, nothing, np.zeros(0), np.zeros(0))
    start = np.flatnonzero(_ends(path)[0])
    # A random number for each label: two sets have the same sum only by a chance of 2**-64.
    rng = np.random.Generator(np.random.PCG64(0))
    signs = rng.integers(2**63, size=journeys.labels, dtype=np.uint64)
    signature = np.add.reduceat(signs[label], start)
    _, one, which = np.unique(signature, return_index=True, return_inverse=True)
    converts = path[start] <= journeys.path.max(initial=-1)
    size = np.append(start, len(path))[1:] - start
    chosen = [label[start[at] : start[at] + size[at]] for at in one]
    return _LabelSets(
        np.concatenate(chosen),
        np.concatenate([[0], np.cumsum(size[one])[:-1]]).astype(np.int64),
        np.bincount(which, weights=converts).astype(np.float64),
        np.bincount(which).astype(np.float64),
    )


def _shapley_exact(sets: _LabelSets, size: int) -> FloatArray:
    every = np.arange(2**size)
    converted, journeys = np.zeros(2**size), np.zeros(2**size)
    if len(sets.start):
        mask = np.add.reduceat(1 << sets.member, sets.start)
        np.add.at(converted, mask, sets.converted)
        np.add.at(journeys, mask, sets.journeys)
    for label in range(size):
        has = every[(every >> label) & 1 == 1]
        converted[has] += converted[has - (1 << label)]
        journeys[has] += journeys[has - (1 << label)]
    worth = _rate(converted, journeys)
    others = np.array([int(mask).bit_count() for mask in every])
    factorial = np.cumprod(np.concatenate([[1.0], np.arange(1.0, size + 1)]))
    value = np.zeros(size)
    for label in range(size):
        without = every[(every >> label) & 1 == 0]
        share = factorial[others[without]] * factorial[size - others[without] - 1]
        added = worth[without + (1 << label)] - worth[without]
        value[label] = (share * added).sum() / factorial[size]
    return value


def _shapley_sampled(sets: _LabelSets, size: int) -> Effects:
    rng = np.random.Generator(np.random.PCG64(0))
    added = np.empty((ORDERS, size))
    for row in range(ORDERS):
        order = rng.permutation(size)
        place = np.empty(size, dtype=np.int64)
        place[order] = np.arange(size)
        # A journey counts from when the last of its labels has joined.
        complete = np.maximum.reduceat(place[sets.member], sets.start)
        converted, journeys = (
            np.cumsum(np.bincount(complete, counts, minlength=size)).astype(np.float64)
            for counts in (sets.converted, sets.journeys)
        )
        added[row, order] = np.diff(_rate(converted, journeys), prepend=0.0)
    return Effects(added.mean(axis=0), added.std(axis=0, ddof=1) / np.sqrt(ORDERS))


def _rate(converted: FloatArray, journeys: FloatArray) -> FloatArray:
    return np.divide(converted, journeys, out=np.zeros_like(converted), where=journeys > 0)

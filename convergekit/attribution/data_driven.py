"""Data-driven models: what each label (a channel, a campaign) is worth, by comparing journeys.

`markov` and `shapley` compare journeys that converted with journeys that did not. They look at
counts of journeys alone, which add up: those of parts of the profiles make those of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import pandas as pd

from convergekit.attribution.models import TouchpointPaths, ends_of
from convergekit.base.rounding import six_digits
from convergekit.typing import FloatArray, IntArray

#: With more labels than this, Shapley values are sampled.
MOST_EXACT = 10
#: In so many orders of the labels.
ORDERS = 2_000


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


class JourneyCounts(Protocol):
    """Counts of journeys, from which a model's effects follow."""

    @classmethod
    def of(cls, journeys: TouchpointPaths, /) -> Self:
        """Return the counts of journeys."""
        ...

    @classmethod
    def together(cls, parts: Sequence[Self], place: Sequence[IntArray], labels: int, /) -> Self:
        """Return the counts of several parts.

        Parameters
        ----------
        parts : sequence of JourneyCounts
        place : sequence of numpy.ndarray of int
            Of each part, the number that each of its labels has among all.
        labels : int
            How many labels there are.
        """
        ...

    def effects(self) -> Effects:
        """Return what each label is worth."""
        ...


@dataclass(frozen=True)
class Transitions:
    """How often journeys went from one label to the next: `markov`.

    A label's removal effect in a first-order Markov chain: a journey walks from the start over its
    touches to the conversion or to nothing. The removal effect of a label is the share of
    conversions that the chain would lose if every walk ended at that label: Anderl, Becker, von
    Wangenheim and Schumann, "Mapping the customer journey: Lessons learned from graph-based online
    attribution modeling", International Journal of Research in Marketing 33 (2016), pp. 457-474,
    https://doi.org/10.1016/j.ijresmar.2016.03.001. It is rounded to six digits.

    Attributes
    ----------
    came, went, times : numpy.ndarray of int
        From which label to which, and how often. After the labels come three more numbers: the
        start, the conversion and nothing.
    labels : int
        How many labels there are.

    Examples
    --------
    Four paths of https://serhiipuzyrov.com/2019/07/markov-chain-attribution-simple-explanation-of-removal-effect:
    Google Ads converts twice alone and once before the mailing, once it does not; the mailing
    converts once alone.

    >>> journeys = TouchpointPaths(
    ...     path=np.array([0, 1, 2, 3, 3]), label=np.array([0, 0, 1, 0, 1]), age=np.zeros(5),
    ...     direct=np.zeros(5, dtype=bool), lost_path=np.array([0]), lost_label=np.array([0]),
    ...     labels=2)
    >>> Transitions.of(journeys).effects().effect
    array([0.75, 0.5 ])
    """

    came: IntArray
    went: IntArray
    times: IntArray
    labels: int

    @classmethod
    def of(cls, journeys: TouchpointPaths) -> Transitions:
        """See `JourneyCounts`."""
        size = journeys.labels
        start, conversion, nothing = size, size + 1, size + 2
        taken = []
        for path, label, end in (
            (journeys.path, journeys.label, conversion),
            (journeys.lost_path, journeys.lost_label, nothing),
        ):
            first, last = ends_of(path)
            within = ~last[:-1]
            came = [np.full(first.sum(), start), label[:-1][within], label[last]]
            went = [label[first], label[1:][within], np.full(last.sum(), end)]
            taken.append(np.concatenate(came) * (size + 3) + np.concatenate(went))
        times = np.bincount(np.concatenate(taken))
        pair = np.flatnonzero(times)
        return cls(pair // (size + 3), pair % (size + 3), times[pair], size)

    @classmethod
    def together(
        cls, parts: Sequence[Transitions], place: Sequence[IntArray], labels: int
    ) -> Transitions:
        """See `JourneyCounts`."""
        ends = labels + np.arange(3)
        of = [np.append(at, ends) for at in place]
        came, went = (
            np.concatenate([at[getattr(part, name)] for at, part in zip(of, parts, strict=True)])
            for name in ("came", "went")
        )
        return cls(came, went, np.concatenate([part.times for part in parts]), labels)

    def effects(self) -> Effects:
        """See `JourneyCounts`."""
        size = self.labels
        start, conversion = size, size + 1
        steps = np.zeros((size + 1, size + 3))
        np.add.at(steps, (self.came, self.went), self.times)
        total = steps.sum(axis=1, keepdims=True)
        chance = np.divide(steps, total, out=np.zeros_like(steps), where=total > 0)
        # How often a walk from one state comes by another, in the mean.
        visits = np.linalg.inv(np.eye(size + 1) - np.pad(chance[:, :size], ((0, 0), (0, 1))))
        converts = visits @ chance[:, conversion]
        reached = visits[start, :size] / np.diag(visits)[:size]
        if not converts[start]:
            return _exact(np.zeros(size))
        effect = reached * converts[:size] / converts[start]
        # Without an effect, the inverse may leave a last digit.
        return _exact(np.array([six_digits(share) for share in np.round(effect, 12).tolist()]))


@dataclass(frozen=True)
class LabelSets:
    """The sets of labels on journeys, and how many did what: `shapley`.

    A label's Shapley value in the game of conversion rates: the worth of a set of labels is the
    share of journeys that converted, among those whose touches are all of the set; a label's value
    is what it adds to that, in the mean over all orders in which the labels may join. The values
    add up to the conversion rate of all journeys. A label whose journeys convert less than others'
    can have a negative one. Shapley, "A value for n-person games", Contributions to the Theory of
    Games 2 (1953), pp. 307-317; for advertising see Zhao, Mahboobi and Bagheri, "Shapley value
    methods for attribution modeling in online advertising", https://arxiv.org/abs/1804.05327.

    With more than ten labels, 2,000 orders are drawn, always the same, and the standard error of
    each value is returned with it: Castro, Gómez and Tejada, "Polynomial calculation of the
    Shapley value based on sampling", Computers & Operations Research 36 (2009), pp. 1726-1730.

    Attributes
    ----------
    member : numpy.ndarray of int
        The labels of each set, one set after the other.
    start : numpy.ndarray of int
        Where each set begins in `member`. Of several parts, a set may be there several times.
    converted, journeys : numpy.ndarray of float
        How many journeys have the labels of each set, and how many of them converted.
    labels : int
        How many labels there are.

    Examples
    --------
    Journeys over the first label alone convert in one of two cases, over the second in none of
    one, and over both in one of one: the sets are worth 1/2, 0 and, all together, 2/4.

    >>> journeys = TouchpointPaths(
    ...     path=np.array([0, 1, 1]), label=np.array([0, 0, 1]), age=np.zeros(3),
    ...     direct=np.zeros(3, dtype=bool), lost_path=np.array([0, 1]),
    ...     lost_label=np.array([0, 1]), labels=2)
    >>> LabelSets.of(journeys).effects().effect
    array([0.5, 0. ])
    """

    member: IntArray
    start: IntArray
    converted: FloatArray
    journeys: FloatArray
    labels: int

    @classmethod
    def of(cls, journeys: TouchpointPaths) -> LabelSets:
        """See `JourneyCounts`."""
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
            return cls(nothing, nothing, np.zeros(0), np.zeros(0), journeys.labels)
        start = np.flatnonzero(ends_of(path)[0])
        # A random number for each label: two sets have the same sum only by a chance of 2**-64.
        rng = np.random.Generator(np.random.PCG64(0))
        signs = rng.integers(2**63, size=journeys.labels, dtype=np.uint64)
        signature = np.add.reduceat(signs[label], start)
        _, one, which = np.unique(signature, return_index=True, return_inverse=True)
        converts = path[start] <= journeys.path.max(initial=-1)
        size = np.append(start, len(path))[1:] - start
        chosen = [label[start[at] : start[at] + size[at]] for at in one]
        return cls(
            np.concatenate(chosen),
            np.concatenate([[0], np.cumsum(size[one])[:-1]]).astype(np.int64),
            np.bincount(which, weights=converts).astype(np.float64),
            np.bincount(which).astype(np.float64),
            journeys.labels,
        )

    @classmethod
    def together(
        cls, parts: Sequence[LabelSets], place: Sequence[IntArray], labels: int
    ) -> LabelSets:
        """See `JourneyCounts`."""
        before = np.cumsum([0, *(len(part.member) for part in parts)])
        member = [at[part.member] for at, part in zip(place, parts, strict=True)]
        start = [part.start + first for part, first in zip(parts, before, strict=False)]
        converted, journeys = (
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("converted", "journeys")
        )
        return cls(np.concatenate(member), np.concatenate(start), converted, journeys, labels)

    def effects(self) -> Effects:
        """See `JourneyCounts`."""
        if self.labels <= MOST_EXACT:
            return _exact(_shapley_exact(self, self.labels))
        return _shapley_sampled(self, self.labels)


DATA_DRIVEN: dict[str, type[JourneyCounts]] = {"markov": Transitions, "shapley": LabelSets}


def _exact(effect: FloatArray) -> Effects:
    return Effects(effect, np.full(len(effect), np.nan))


def _shapley_exact(sets: LabelSets, size: int) -> FloatArray:
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


def _shapley_sampled(sets: LabelSets, size: int) -> Effects:
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

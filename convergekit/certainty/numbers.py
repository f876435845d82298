"""Any number of any answer, with what links that were never seen would change.

An answer says what its totals are where each event is of another person. Profiles are brought
together as they may be in truth, and the answer is asked anew; then one thing that is taken to be
true is changed at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from convergekit.base.rounding import all_to_six_digits
from convergekit.certainty.completion import Assumed, Drawable, completion
from convergekit.certainty.estimate import (
    CAUSES,
    MOST_PROFILES,
    Estimate,
    assumed,
    standard_errors,
    together,
    variations,
)
from convergekit.certainty.evidence import Evidence
from convergekit.certainty.occurring import Occurring
from convergekit.typing import FloatArray, IntArray

_DRAWS, _FEWER_DRAWS = 6, 2


@dataclass(frozen=True)
class Recounting:
    """An answer that can be given anew.

    Attributes
    ----------
    occurring : Occurring
    stitched : numpy.ndarray of float
        The numbers as the answer has them.
    totals : callable
        Takes the person of each event that takes part, -1 for nobody's; returns sums that add up
        over people.
    numbers : callable
        Takes these sums; returns the numbers of the answer, a row each.
    chance : callable
        Takes the numbers and these sums; returns the standard error of each that chance makes.
    instead : mapping of str to sequence of callable, optional
        Per cause, things that do not depend on each other, each with other ways to make the
        numbers of these sums.
    """

    occurring: Occurring
    stitched: FloatArray
    totals: Callable[[IntArray], FloatArray]
    numbers: Callable[[FloatArray], FloatArray]
    chance: Callable[[FloatArray, FloatArray], FloatArray]
    instead: Mapping[str, Sequence[Sequence[Callable[[FloatArray], FloatArray]]]] = field(
        default_factory=dict
    )


def estimate_numbers(answer: Recounting, evidence: Evidence, level: float) -> Estimate:
    """Return the estimate of each number, and how far each cause may move it.

    Parameters
    ----------
    answer : Recounting
    evidence : Evidence
    level : float
        How often the interval is meant to hold the true number.
    """
    redrawn = Redrawn.of(answer, evidence)
    usual = assumed(evidence)
    drawn = redrawn.drawn(usual, _DRAWS)
    totals = redrawn.stitched + np.mean(drawn, axis=0)
    share = redrawn.numbers(np.mean(drawn, axis=0))
    fewer = redrawn.numbers(np.mean(drawn[:_FEWER_DRAWS], axis=0))

    def moved(*others: Assumed, split: bool = False) -> list[FloatArray]:
        found = (redrawn.drawn(one, _FEWER_DRAWS, split=split) for one in others)
        return [redrawn.numbers(np.mean(one, axis=0)) - fewer for one in found]

    vary = variations(evidence, usual, level)
    groups = {cause: [moved(*group) for group in vary[cause]] for cause in vary}
    if (evidence.split >= 0).any():
        groups["suspects"].append(moved(usual, split=True))
    for cause, things in answer.instead.items():
        groups.setdefault(cause, [])
        for ways in things:
            groups[cause].append([all_to_six_digits(way(totals)) - share for way in ways])
    of_draws = np.var([redrawn.numbers(one) for one in drawn], axis=0, ddof=1)
    chance = np.maximum(np.sqrt(of_draws * (1 + 1 / _DRAWS)), answer.chance(share, totals))
    chance = standard_errors(level) * chance
    groups["sampling"].append([chance, -chance])
    moves = {cause: together(*group) for cause, group in groups.items()}
    nothing = np.zeros(len(share))
    up = {cause: moves[cause][0] if cause in moves else nothing for cause in CAUSES}
    down = {cause: -moves[cause][1] if cause in moves else nothing for cause in CAUSES}
    return Estimate(share, down, up)


@dataclass(frozen=True)
class Redrawn:
    """An answer, to be given for other people; of many profiles parts stand for all.

    Attributes
    ----------
    answer : Recounting
    evidence : Evidence
    every : int
        One in so many profiles is drawn at a time, another one each time.
    stitched : numpy.ndarray of float
        The totals of the profiles.
    """

    answer: Recounting
    evidence: Evidence
    every: int
    stitched: FloatArray
    _parts: dict[int, tuple[Drawable, FloatArray]] = field(default_factory=dict)

    @classmethod
    def of(cls, answer: Recounting, evidence: Evidence) -> Redrawn:
        """Return an answer as it is of the profiles."""
        every = max(-(-len(evidence.ranked) // MOST_PROFILES), 1)
        return cls(answer, evidence, every, answer.totals(answer.occurring.unit))

    def numbers(self, moved: FloatArray) -> FloatArray:
        """Return the numbers where the totals are moved by so much."""
        return all_to_six_digits(self.answer.numbers(self.stitched + moved))

    def drawn(self, taken: Assumed, draws: int, *, split: bool = False) -> list[FloatArray]:
        """Return by how much each of some completions moves the totals."""
        found = []
        for draw in range(draws):
            drawable, before = self._part(draw % self.every)
            rng = np.random.Generator(np.random.PCG64(draw))
            root = completion(rng, drawable, taken)
            after = self.answer.totals(self._unit(draw % self.every, root, split=split))
            found.append(self.every * (after - before))
        return found

    def _part(self, first: int) -> tuple[Drawable, FloatArray]:
        """Return what is drawn of a part of the profiles, and its totals."""
        if first not in self._parts:
            if self.every == 1:
                self._parts[first] = self.evidence.drawable, self.stitched
            else:
                before = self.answer.totals(self._unit(first, None))
                self._parts[first] = self.evidence.drawable.sampled(self.every, first), before
        return self._parts[first]

    def _unit(self, first: int, root: IntArray | None, *, split: bool = False) -> IntArray:
        """Return the person of each event, each profile of a part taken with its root."""
        ranked = self.evidence.ranked
        of_profile = np.full(len(ranked) + 1, -1, dtype=np.int64)
        chosen = ranked[first :: self.every]
        of_profile[chosen] = chosen if root is None else chosen[root]
        unit = of_profile[self.answer.occurring.unit]
        if split:
            unit = np.where((self.evidence.split >= 0) & (unit >= 0), self.evidence.split, unit)
        return unit

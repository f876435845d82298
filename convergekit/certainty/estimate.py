"""The estimate: stitched shares, with what links that were never seen would change.

Everything is asked of the funnel itself: profiles are brought together as they may be in truth, and
the funnel is counted anew. What is taken to be true is then changed, one thing at a time; how far
the share moves is what the thing adds to the interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy

from convergekit.base.rounding import all_to_six_digits, six_digits
from convergekit.certainty.completion import Assumed, Drawable, completion
from convergekit.certainty.evidence import Evidence
from convergekit.certainty.occurring import Counting
from convergekit.certainty.people import people_of
from convergekit.typing import FloatArray, IntArray

#: What the width of an interval comes from.
CAUSES = ("sampling", "orders", "devices", "losses", "suspects")
#: With fewer people who identified themselves, nothing is estimated.
LEAST_IDENTIFIED = 30
#: Nor with a larger share of entries that carry no alias.
MOST_UNASSIGNED = 0.5

#: How much of what sets parts apart is taken to be the person's, not the device's.
_LEAST_ALIKE, _ALIKE, _MOST_ALIKE = 0.1, 0.65, 1.0
#: By how much captures may be more or less frequent than that says: of another device of theirs,
#: less often than it seems; of their next cookie, in one browser, or where it is more often.
_HIDDEN, _AGAIN_COOKIE, _AGAIN = 2.5, 1.4, 2.0
#: Of the buyers with a browser and without an entry, the share whose entry another browser has.
_WITH_BROWSER = 0.9
#: How often those whom no browser saw may convert, against those whom one saw.
UNSEEN = 1.5
#: Parts beyond the first that people may have, however seldom one is captured again: conversion is
#: 1.4 times as high by person as by device (Criteo, "The State of Cross-Device Commerce", H2 2016).
_MAY_HAVE = 0.4
_DRAWS, _FEWER_DRAWS = 4, 2
#: Of more profiles than this, some stand for all.
MOST_PROFILES = 20_000


@dataclass(frozen=True)
class Estimate:
    """The estimate of each step's share.

    Attributes
    ----------
    share : numpy.ndarray of float
    down, up : mapping of str to numpy.ndarray of float
        Per cause, how far the share may be below and above.
    """

    share: FloatArray
    down: Mapping[str, FloatArray]
    up: Mapping[str, FloatArray]


def estimate(counting: Counting, evidence: Evidence, level: float) -> Estimate:
    """Return the estimate of each step's share, and how far each cause may move it."""
    recount = _Recount.of(counting, evidence)
    usual = assumed(evidence)
    share, people = recount.shares(usual, _DRAWS)
    fewer, _ = recount.shares(usual, _FEWER_DRAWS)

    def moved(*others: Assumed, split: bool = False) -> Sequence[FloatArray]:
        return [recount.shares(one, _FEWER_DRAWS, split=split)[0] - fewer for one in others]

    vary = variations(evidence, usual, level)
    found = {cause: together(*(moved(*group) for group in vary[cause])) for cause in vary}
    found["losses"] = [_if_unseen(share, evidence, usual, by) for by in (UNSEEN, 1 / UNSEEN)]
    found["suspects"] = [
        -evidence.two_logins * share * (1 - share),
        *(moved(usual, split=True) if (evidence.split >= 0).any() else ()),
        *found["suspects"],
    ]
    nothing = np.zeros(len(share))
    down = {name: np.max([nothing, *(-one for one in found[name])], axis=0) for name in CAUSES}
    up = {name: np.max([nothing, *found[name]], axis=0) for name in CAUSES}
    chance = standard_errors(level) * np.sqrt(share * (1 - share) / max(people, 1.0))
    down["sampling"], up["sampling"] = (np.hypot(side["sampling"], chance) for side in (down, up))
    return Estimate(share, down, up)


def standard_errors(level: float) -> float:
    """Return how many standard errors an interval reaches to either side."""
    return six_digits(float(scipy.stats.norm.ppf((1 + level) / 2)))


def variations(
    evidence: Evidence, usual: Assumed, level: float
) -> dict[str, tuple[tuple[Assumed, ...], ...]]:
    """Return what else may be true, by what the width comes from.

    Parameters
    ----------
    evidence : Evidence
    usual : Assumed
    level : float

    Returns
    -------
    dict of str to tuple
        Per cause, things that do not depend on each other, each with what it may be.
    """
    again, error = evidence.again, standard_errors(level) * evidence.again_error
    most = 1 + (again + evidence.again_error - 1) * _most(evidence)
    linked = 1 + (again - 1) / (1 - min(evidence.two_logins, 0.5))
    return {
        "sampling": (
            (
                assumed(evidence, again=max(again - error, 1.0)),
                assumed(evidence, again=again + error),
            ),
        ),
        "orders": (_more_and_fewer_lost(evidence, usual),),
        "devices": (
            (assumed(evidence, alike=_LEAST_ALIKE), assumed(evidence, alike=_MOST_ALIKE)),
            (
                assumed(evidence, again=most, least=_MAY_HAVE),
                assumed(evidence, again=1 + (again - 1) / _AGAIN),
            ),
        ),
        "suspects": ((assumed(evidence, again=linked),),),
    }


def _most(evidence: Evidence) -> float:
    """Return how many recaptures there may be for each that is likely."""
    found = evidence.changes
    left = max(1 - found.expired, 0.1)
    device = _HIDDEN * (1 + (found.likely - 1) / left)
    most = (1 - found.expired) * device + found.expired * _AGAIN_COOKIE
    return max(most, found.missing) / found.likely


def together(*groups: Sequence[FloatArray]) -> list[FloatArray]:
    """Return how far things that do not depend on each other move numbers: up, and down."""
    nothing = np.zeros_like(groups[0][0])
    ups = [np.max([nothing, *group], axis=0) for group in groups]
    downs = [np.min([nothing, *group], axis=0) for group in groups]
    up, down = nothing, nothing
    for one, other in zip(ups, downs, strict=True):
        up, down = np.hypot(up, one), np.hypot(down, other)
    return [up, -down]


def assumed(
    evidence: Evidence,
    *,
    again: float | None = None,
    alike: float = _ALIKE,
    least: float = 0.0,
) -> Assumed:
    """Return what is taken to be true, given how alike a person's parts are."""
    seen = evidence.again if again is None else again
    people = people_of(
        1 + (seen - 1) * evidence.changes.likely,
        evidence.identifies,
        evidence.of_several,
        alike * evidence.likeness,
        "poisson" if alike < _ALIKE else "geometric",
        least,
    )
    found, size = evidence.reached, np.bincount(evidence.drawable.carries, minlength=3)
    if not found.is_known:
        return Assumed(people, (0.5, 0.5, _WITH_BROWSER), 0.5, 0.5)
    # `found` counts orders, of which a buyer may have several.
    lost = found.share_lost * (size[0] + size[1])
    bare = min(lost * (1 - found.failing) / max(size[0], 1), 1.0)
    carrying = min(lost * found.failing / max(size[1], 1), 1.0)
    odds = (1 - found.carrying) / max(found.carrying, 0.05)
    unseen = min((1 - carrying) * size[1] * odds / max(size[0] * (1 - bare), 1e-9), 1.0)
    return Assumed(people, (bare, carrying, _WITH_BROWSER), unseen, 0.5)


def _more_and_fewer_lost(evidence: Evidence, usual: Assumed) -> tuple[Assumed, Assumed]:
    """Return what else orders without a browser may be: fewer of visitors, or more."""
    fewer, more = (0.0, 0.0, 0.5), (1.0, 1.0, 1.0)
    if evidence.reached.is_known:
        bare, carrying, browser = usual.lost
        fewer = (bare / 2, carrying / 2, browser / 2)
        more = ((1 + bare) / 2, (1 + carrying) / 2, (1 + browser) / 2)
    return replace(usual, lost=fewer, elsewhere=0.0), replace(usual, lost=more, elsewhere=1.0)


def _if_unseen(share: FloatArray, evidence: Evidence, usual: Assumed, times: float) -> FloatArray:
    """Return how the shares change if those whom no browser saw convert so many times as often."""
    size = np.bincount(evidence.drawable.carries, minlength=3)
    left = size * (1 - np.array(usual.lost))
    unseen = left[0] * usual.unseen + left[1] + left[2]
    bought = max(len(evidence.drawable.first) * share[-1], 1.0)
    more = min(unseen / bought, 1.0)
    changed = share * (1 + more) / (1 + more / times) - share
    # Nobody is before the first step.
    return np.where(np.arange(len(share)) == 0, 0.0, changed)


@dataclass(frozen=True)
class _Recount:
    """The funnel, to be counted with other profiles; of many profiles a part stands for all."""

    counting: Counting
    evidence: Evidence
    drawable: Drawable
    every: int
    stitched: FloatArray
    stitched_of_part: FloatArray

    @classmethod
    def of(cls, counting: Counting, evidence: Evidence) -> _Recount:
        every = -(-len(evidence.ranked) // MOST_PROFILES)
        whole = cls(counting, evidence, evidence.drawable, 1, np.zeros(0), np.zeros(0))
        stitched, _ = whole.count(None)
        if every <= 1:
            return replace(whole, stitched=stitched, stitched_of_part=stitched)
        part = replace(whole, drawable=evidence.drawable.sampled(every), every=every)
        return replace(part, stitched=stitched, stitched_of_part=part.count(None)[0])

    def shares(
        self, taken: Assumed, draws: int, *, split: bool = False
    ) -> tuple[FloatArray, float]:
        """Return the shares, and how many people entered, on average over some completions."""
        found = []
        for draw in range(draws):
            rng = np.random.Generator(np.random.PCG64(draw))
            found.append(self.count(completion(rng, self.drawable, taken), split=split))
        share = np.mean([one for one, _ in found], axis=0)
        entered = float(np.mean([people for _, people in found])) * self.every
        moved = self.stitched + share - self.stitched_of_part
        return all_to_six_digits(np.clip(moved, 0.0, 1.0)), entered

    def count(self, root: IntArray | None, *, split: bool = False) -> tuple[FloatArray, float]:
        """Return the shares and how many entered, each profile taken together with its root."""
        unit, ranked = self.counting.unit, self.evidence.ranked
        of_profile = np.full(len(ranked), -1, dtype=np.int64)
        chosen = ranked[:: self.every]
        of_profile[chosen] = chosen if root is None else chosen[root]
        unit = np.append(of_profile, -1)[unit]
        if split:
            unit = np.where((self.evidence.split >= 0) & (unit >= 0), self.evidence.split, unit)
        at = np.flatnonzero(unit >= 0)
        counts, _, _ = self.counting.reached(at, unit[at])
        return counts / max(int(counts[0]), 1), float(counts[0])

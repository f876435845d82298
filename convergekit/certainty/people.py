"""How many people are behind the parts: capture-recapture over devices.

A part that identified itself is a capture. Of a person with several parts, `k` identified
themselves, and stitching has brought those together; the others are profiles of their own. How
often a person is captured again, once captured, says how many parts people have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy

from convergekit.base.rounding import all_to_six_digits, six_digits
from convergekit.typing import BoolArray, FloatArray, IntArray

Family = Literal["poisson", "geometric"]

#: More parts a person is not taken to have.
MOST_PARTS = 80


@dataclass(frozen=True)
class PartsPerPerson:
    """How many parts people have, and how many of them identify themselves.

    Attributes
    ----------
    share : numpy.ndarray of float
        The share of people with 1, 2, ... parts.
    pattern : numpy.ndarray of float
        Per number of parts (from 1) and of identified ones (from 0), the probability.
    """

    share: FloatArray
    pattern: FloatArray

    @property
    def mean(self) -> float:
        """Parts per person."""
        return float((self.share * np.arange(1, len(self.share) + 1)).sum())

    def given(self, identified: int) -> FloatArray:
        """Return the probabilities of 1, 2, ... parts, given how many identified themselves."""
        column = self.share * self.pattern[:, min(identified, MOST_PARTS)]
        total = column.sum()
        if total > 0:
            return column / total
        certain = np.zeros(len(column))
        certain[max(min(identified, MOST_PARTS), 1) - 1] = 1.0
        return certain


def pattern_of(identifies: float, alike: float) -> FloatArray:
    """Return how likely k of d parts identify themselves: the beta-binomial distribution.

    Parameters
    ----------
    identifies : float
        Share of parts that do.
    alike : float
        Correlation between the parts of a person: 0 if each does or does not on its own.

    Returns
    -------
    numpy.ndarray of float
        Per number of parts (from 1) and of identified ones (from 0).
    """
    parts, found = np.arange(1, MOST_PARTS + 1)[:, None], np.arange(MOST_PARTS + 1)[None, :]
    possible = found <= parts
    identifies = min(max(identifies, 1e-6), 1 - 1e-6)
    if alike < 1e-3:
        return np.where(possible, scipy.stats.binom.pmf(found, parts, identifies), 0.0)
    spread = 1 / min(alike, 0.995) - 1
    one, other = identifies * spread, (1 - identifies) * spread
    return np.where(possible, scipy.stats.betabinom.pmf(found, parts, one, other), 0.0)


def people_of(
    again: float,
    identifies: float,
    of_several: float,
    alike: float,
    family: Family,
    least: float = 0.0,
) -> PartsPerPerson:
    """Return how many parts people have.

    Parameters
    ----------
    again : float
        Identified parts per person with any, from 1.
    identifies : float
        Share of parts that identify themselves.
    of_several : float
        The same of parts of people who have several.
    alike : float
        Correlation between the parts of a person in that.
    family : {"poisson", "geometric"}
        How the number of parts beyond the first is distributed.
    least : float, default 0.0
        So many parts beyond the first people have on average at least.
    """
    pattern = pattern_of(of_several, alike)
    counts = np.arange(1, MOST_PARTS + 1)

    def first_row(share: FloatArray) -> float:
        """Return how many of the only parts identify themselves, that all together do."""
        rest = (share * counts)[1:].sum()
        alone = (identifies * (share[0] + rest) - of_several * rest) / max(share[0], 1e-12)
        return min(max(alone, 0.2 * identifies), 0.5 + 0.5 * identifies)

    def recaptured(beyond: float) -> float:
        share = _shares(beyond, family)
        alone = first_row(share)
        found = share[0] * alone + of_several * (share * counts)[1:].sum()
        seen = share[0] * alone + (share * (1 - pattern[:, 0]))[1:].sum()
        return found / max(seen, 1e-12)

    low, high = 0.0, 12.0
    if recaptured(high) > again:
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (middle, high) if recaptured(middle) < again else (low, middle)
    share = _shares(six_digits(max(high, least)), family)
    pattern[0, :2] = 1 - first_row(share), first_row(share)
    return PartsPerPerson(share, pattern)


def of_several(profile: IntArray, visits: IntArray, identified: BoolArray) -> float:
    """Return the share of parts that identify themselves, among people who have several.

    Two parts of one person are a pair. Which pairs there are is known of those that both identified
    themselves; each stands for as many as one in how many do, by how active the parts are (D. G.
    Horvitz and D. J. Thompson, "A generalization of sampling without replacement from a finite
    universe", Journal of the American Statistical Association 47, 1952).

    Parameters
    ----------
    profile, visits : numpy.ndarray of int
        Per part.
    identified : numpy.ndarray of bool
    """
    stratum = np.searchsorted([2, 3, 5, 9], visits, side="right")
    size = np.bincount(stratum, minlength=5)
    overall = identified.mean()
    chance = (np.bincount(stratum, weights=identified, minlength=5) + 5 * overall) / (size + 5)
    at = np.flatnonzero(identified)
    at = at[np.lexsort((visits[at], profile[at]))]
    # Neighbours of one profile stand for all of its pairs.
    pair = np.flatnonzero(profile[at][1:] == profile[at][:-1])
    one, other = chance[stratum[at[pair]]], chance[stratum[at[pair + 1]]]
    weight = np.append(1 / (one * other), 10 / overall**2)
    return six_digits(float((weight * np.append((one + other) / 2, overall)).sum() / weight.sum()))


def likeness(visits: IntArray, identified: IntArray) -> float:
    """Return the correlation between a person's parts, were all that sets parts apart the person's.

    Within a part the visits are one person's for certain. How alike they are in identifying
    themselves bounds how alike a person's parts are: some of it is the device's.
    """
    several = visits >= 2
    n, m = visits[several].astype(float), identified[several].astype(float)
    pairs = (n * (n - 1)).sum()
    if not pairs:
        return 0.0
    both, one = (m * (m - 1)).sum() / pairs, ((n - 1) * m).sum() / pairs
    if not 0 < one < 1:
        return 0.0
    within = min(max((both - one * one) / (one * (1 - one)), 0.0), 0.98)
    overall = identified.sum() / visits.sum()
    if within < 1e-3 or not 0 < overall < 1:
        return 0.0
    spread = 1 / within - 1
    grid = (np.arange(200) + 0.5) / 200
    chance = scipy.stats.beta.ppf(grid, overall * spread, (1 - overall) * spread)
    sizes = np.bincount(np.minimum(visits, 50))
    never = np.polynomial.polynomial.polyval(1 - chance, sizes / sizes.sum())
    first, second = (1 - never).mean(), ((1 - never) ** 2).mean()
    if not 0 < first < 1:
        return 0.0
    return six_digits(min(max((second - first**2) / (first * (1 - first)), 0.0), 0.98))


def _shares(beyond: float, family: Family) -> FloatArray:
    """Return the share of people with 1, 2, ... parts, so many beyond the first on average."""
    more = np.arange(MOST_PARTS)
    if family == "poisson":
        share = scipy.stats.poisson.pmf(more, beyond)
    else:
        share = scipy.stats.geom.pmf(more + 1, 1 / (1 + beyond))
    return all_to_six_digits(share / share.sum())

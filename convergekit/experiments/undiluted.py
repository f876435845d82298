"""What an arm would bring if nobody saw several arms: its own effect, and bounds on it.

Who sees several arms is in the arm that came first, so that a part of what the arms do is mixed,
and the difference between them is too small. Each outcome is credited to the arm that its person
saw last before it. Of outcomes that both arms' people have in the same way it is then known by what
factor an arm changes them: the one by which the people of every arm would have had the same without
it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convergekit.experiments.intervals import Looking
from convergekit.experiments.moments import welch_freedom
from convergekit.typing import BoolArray, FloatArray, IntArray

#: The slope on the time before depends on the factors, little, and is found in so many rounds.
_ROUNDS = 5


@dataclass(frozen=True)
class CreditedByArm:
    """The outcomes of people, by the arm that was seen last.

    Attributes
    ----------
    arm : numpy.ndarray of int
        The arm of each person; 0 is control.
    outcome : numpy.ndarray of float
        A row per person, a column per arm: what was credited to it.
    mixed : numpy.ndarray of float
        Of each person, what came after several arms were seen.
    before : numpy.ndarray of float
        Of each person, the outcome of the time before; all zeros if it is not known.
    """

    arm: IntArray
    outcome: FloatArray
    mixed: FloatArray
    before: FloatArray

    def of_arms(self, there: BoolArray) -> CreditedByArm:
        """Return the people of some arms, to which all outcomes are credited, renumbered."""
        people = there[self.arm]
        return CreditedByArm(
            (np.cumsum(there) - 1)[self.arm[people]],
            self.outcome[people][:, there],
            self.mixed[people],
            self.before[people],
        )


@dataclass(frozen=True)
class Undiluted:
    """By what share of control each arm but control changes the outcome of those who see it alone.

    Attributes
    ----------
    relative, low, high : numpy.ndarray of float
        Missing where it cannot be told.
    bound_low, bound_high : numpy.ndarray of float
        The least and the most that the measured ratio to control is to be multiplied by, whatever
        part of the effect those have who saw several arms, from none to all.
    mixed : bool
        Whether anybody has an outcome after seeing several arms.
    """

    relative: FloatArray
    low: FloatArray
    high: FloatArray
    bound_low: FloatArray
    bound_high: FloatArray
    mixed: bool

    def among(self, there: BoolArray) -> Undiluted:
        """Return the same of more arms, of which these were there; of the others it is missing."""

        def spread(values: FloatArray) -> FloatArray:
            every = np.full(len(there), np.nan)
            every[there] = values
            return every

        return Undiluted(
            spread(self.relative),
            spread(self.low),
            spread(self.high),
            spread(self.bound_low),
            spread(self.bound_high),
            self.mixed,
        )


def undiluted(found: CreditedByArm, arms: int, looking: Looking) -> Undiluted:
    """Return the effects of arms seen alone.

    It is G-estimation of a multiplicative structural mean model: J. M. Robins, "Correcting for
    non-compliance in randomized trials using structural nested mean models", Communications in
    Statistics 23 (1994). With two arms the factor is the ratio of the mean outcomes of those who
    comply: G. W. Imbens and D. B. Rubin, "Estimating outcome distributions for compliers in
    instrumental variables models", Review of Economic Studies 64 (1997). The interval is that of
    the estimating equations, on the log scale. What the time before explains is taken off these.

    Parameters
    ----------
    found : CreditedByArm
    arms : int
        How many, control included; at least two people are in each.
    looking : Looking

    Examples
    --------
    Of 100 people each, the arm's have 12 outcomes and control's 10, three of which came after the
    other arm was seen.

    >>> arm = np.repeat([0, 1], 100)
    >>> outcome = np.zeros((200, 2))
    >>> outcome[:7, 0] = outcome[7:10, 1] = outcome[100:109, 1] = outcome[109:112, 0] = 1.0
    >>> mixed = outcome[np.arange(200), 1 - arm]
    >>> alone = undiluted(CreditedByArm(arm, outcome, mixed, np.zeros(200)), 2, Looking(0.05))
    >>> [round(float(x[0]), 3) for x in (alone.relative, alone.bound_low, alone.bound_high)]
    [0.5, 1.0, 1.25]
    """
    count = np.bincount(found.arm, minlength=arms).astype(np.float64)
    mean = _means(found.arm, found.outcome, count)
    others = slice(1, arms)
    # Control's people have as much without the arms' factors as each arm's people.
    unknown = mean[others, others] - mean[0, others]
    given = mean[0, 0] - mean[others, 0]
    low, high = _bounds(found, count)
    several = bool(found.mixed.any())
    factor, slope = _solved(unknown, given), 0.0
    apart = _means(found.arm, found.before[:, None], count)[:, 0]
    for _ in range(_ROUNDS if found.before.any() else 0):
        if factor is None:
            break
        slope = _slope(found, factor, count)
        factor = _solved(unknown, given + slope * (apart[others] - apart[0]))
    if factor is None or not (factor > 0).all():
        nothing = np.full(arms - 1, np.nan)
        return Undiluted(nothing, nothing, nothing, low, high, several)
    without = found.outcome @ np.append(1.0, factor) - slope * found.before
    spread = _variances(found.arm, without, count) / count
    inverse = np.linalg.inv(unknown)
    cov = inverse @ (np.diag(spread[1:]) + spread[0]) @ inverse.T
    error = np.sqrt(np.diag(cov)) / factor
    freedom = welch_freedom(spread[0], count[0], spread[1:], count[1:])
    half = looking.width(freedom, count[0] + count[1:]) * error
    least, most = np.exp(-half) / factor - 1, np.exp(half) / factor - 1
    return Undiluted(1 / factor - 1, least, most, low, high, several)


def _slope(found: CreditedByArm, factor: FloatArray, count: FloatArray) -> float:
    """Return by how much the outcome without the factors grows with that of the time before."""
    without = found.outcome @ np.append(1.0, factor)
    both = np.stack([without, found.before], axis=1)
    away = both - _means(found.arm, both, count)[found.arm]
    shared, spread = float(away[:, 0] @ away[:, 1]), float(away[:, 1] @ away[:, 1])
    return shared / spread if spread > 0 else 0.0


def _solved(unknown: FloatArray, given: FloatArray) -> FloatArray | None:
    try:
        found = np.linalg.solve(unknown, given).astype(np.float64)
    except np.linalg.LinAlgError:
        return None
    return found if np.isfinite(found).all() else None


def _bounds(found: CreditedByArm, count: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return by what the measured ratio is to be multiplied, at least and at most.

    It is right if those who saw several arms have all of their arm's effect. The other end is where
    they have none of it, and those of control have all of the other's.
    """
    total = found.outcome.sum(axis=1)
    mixed = _means(found.arm, found.mixed[:, None], count)[:, 0]
    alone = _means(found.arm, (total - found.mixed)[:, None], count)[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        measured = (alone[1:] + mixed[1:]) / (alone[0] + mixed[0])
        above, below = alone[1:] - mixed[0], alone[0] - mixed[1:]
        other = np.where((above > 0) & (below > 0), above / below, np.nan) / measured
    # Where more came after several arms than after one, nothing is bounded.
    other = np.where(np.isnan(other), np.where(measured < 1, 0.0, np.inf), other)
    return np.minimum(other, 1.0), np.maximum(other, 1.0)


def _means(arm: IntArray, values: FloatArray, count: FloatArray) -> FloatArray:
    sums = [np.bincount(arm, weights=column, minlength=len(count)) for column in values.T]
    return np.stack(sums, axis=1).astype(np.float64) / count[:, None]


def _variances(arm: IntArray, values: FloatArray, count: FloatArray) -> FloatArray:
    away = values - _means(arm, values[:, None], count)[arm, 0]
    found: FloatArray = np.bincount(arm, weights=away * away, minlength=len(count)) / (count - 1)
    return found

"""How far an effect may be from what was measured: at the end, or whenever one looks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convergekit.experiments.moments import Adjusted, t_quantile, two_sided, welch_freedom
from convergekit.typing import FloatArray


@dataclass(frozen=True)
class Looking:
    """When the numbers are looked at.

    Attributes
    ----------
    error : float
        How often an interval may miss the truth.
    planned : int or None
        With how many people looking is meant to end, where one looks as often as one likes; None
        where one looks once.
    """

    error: float
    planned: int | None = None

    def width(self, freedom: FloatArray, people: FloatArray) -> FloatArray:
        """Return by how many standard errors the interval reaches to either side."""
        if self.planned is None:
            return t_quantile(freedom, 1 - self.error / 2)
        grown = people * mixing(self.planned, self.error)
        found: FloatArray = np.sqrt(
            2 * (grown + 1) / grown * (np.log1p(grown) / 2 - np.log(self.error))
        )
        return found

    def p_value(self, freedom: FloatArray, statistic: FloatArray, people: FloatArray) -> FloatArray:
        """Return the p-value of so many standard errors."""
        if self.planned is None:
            return two_sided(freedom, statistic)
        grown = people * mixing(self.planned, self.error)
        log = np.log1p(grown) / 2 - statistic**2 / 2 * grown / (grown + 1)
        found: FloatArray = np.exp(np.minimum(log, 0.0))
        return found


def mixing(planned: int, error: float) -> float:
    """Return the variance of the mixture by which intervals are narrowest at so many people.

    I. Waudby-Smith, D. Arbour, R. Sinha, E. H. Kennedy and A. Ramdas, "Time-uniform central limit
    theory and asymptotic confidence sequences", Annals of Statistics 52 (2024), which gives the
    sequence and this choice. It is H. Robbins' normal mixture (1970), with the variance estimated;
    its p-value is that of the mixture sequential probability ratio test of R. Johari, P. Koomen,
    L. Pekelis and D. Walsh, "Always valid inference", Operations Research 70 (2022).

    Examples
    --------
    >>> round(1000 * mixing(10_000, 0.05), 3)
    0.794
    """
    far = -2 * float(np.log(error))
    return (far + float(np.log(far + 1))) / planned


@dataclass(frozen=True)
class ArmDifference:
    """How much more an arm has than control, and how far that may be from the truth.

    Attributes
    ----------
    effect, low, high : numpy.ndarray of float
        How much more.
    relative, relative_low, relative_high : numpy.ndarray of float
        As a share of control; missing where control has nothing.
    p_value : numpy.ndarray of float
        That nothing has an effect.
    """

    effect: FloatArray
    low: FloatArray
    high: FloatArray
    relative: FloatArray
    relative_low: FloatArray
    relative_high: FloatArray
    p_value: FloatArray


def difference(found: Adjusted, looking: Looking) -> ArmDifference:
    """Return the difference of two arms, by Welch's test, or by a confidence sequence.

    That of the ratio of the two is on the log scale, by the delta method.

    Examples
    --------
    >>> from convergekit.experiments.moments import ArmMoments, adjusted
    >>> ones = np.ones(40)
    >>> one = ArmMoments.of(np.column_stack([np.arange(40.0), ones, ones, ones]))
    >>> other = ArmMoments.of(np.column_stack([np.arange(40.0) + 8, ones, ones, ones]))
    >>> found = difference(adjusted(one, other), Looking(0.05))
    >>> float(found.effect), round(float(found.low), 3), round(float(found.p_value), 4)
    (8.0, 2.796, 0.003)
    """
    people = found.control_count + found.arm_count
    error = np.sqrt(found.variance)
    freedom = welch_freedom(
        found.control_variance, found.control_count, found.arm_variance, found.arm_count
    )
    half = looking.width(freedom, people) * error
    effect = found.effect
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(error > 0, effect / error, np.where(effect == 0, 0.0, np.inf))
        relative = np.where(found.control > 0, effect / found.control, np.nan)
        positive = (found.control > 0) & (found.arm > 0)
        one = np.where(positive, found.control_variance / found.control**2, np.nan)
        other = np.where(positive, found.arm_variance / found.arm**2, np.nan)
    freedom_of_log = welch_freedom(one, found.control_count, other, found.arm_count)
    log_half = looking.width(freedom_of_log, people) * np.sqrt(one + other)
    return ArmDifference(
        effect,
        effect - half,
        effect + half,
        relative,
        (relative + 1) * np.exp(-log_half) - 1,
        (relative + 1) * np.exp(log_half) - 1,
        looking.p_value(freedom, statistic, people),
    )

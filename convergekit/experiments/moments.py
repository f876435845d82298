"""Means of arms and their difference: ratios by the delta method, less what was known before.

Of one arm or of many at once: all arrays may have further dimensions before the last ones, so that
simulations go through the same code.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from convergekit.typing import FloatArray

#: The columns of an arm: what is averaged, by what it is divided, and the same before the exposure.
COLUMNS = 4
_OUTCOME, _BEFORE = slice(0, 2), slice(2, 4)


@dataclass(frozen=True)
class ArmMoments:
    """What is to be known of an arm's people.

    Attributes
    ----------
    count : numpy.ndarray of float
        How many they are.
    mean : numpy.ndarray of float
        Of the four columns, last.
    cov : numpy.ndarray of float
        Their covariances, in the last two dimensions, those of a sample.
    """

    count: FloatArray
    mean: FloatArray
    cov: FloatArray

    @classmethod
    def of(cls, columns: FloatArray) -> ArmMoments:
        """Return those of people, who are the last dimension but one.

        Examples
        --------
        >>> people = np.array([[1.0, 1, 0, 1], [3.0, 1, 2, 1]])
        >>> found = ArmMoments.of(people)
        >>> found.mean.tolist(), found.cov[0, 2].tolist()
        ([2.0, 1.0, 1.0, 1.0], 2.0)
        """
        count = np.asarray(columns.shape[-2], dtype=np.float64)
        mean = columns.mean(axis=-2) if columns.shape[-2] else np.full(COLUMNS, np.nan)
        away = columns - mean[..., None, :]
        with np.errstate(divide="ignore", invalid="ignore"):
            cov = np.swapaxes(away, -1, -2) @ away / (count - 1)
        return cls(np.broadcast_to(count, mean.shape[:-1]), mean, cov)

    def with_(self, other: ArmMoments) -> ArmMoments:
        """Return those of both arms' people together."""
        count = self.count + other.count
        apart = other.mean - self.mean
        between = (self.count * other.count / count)[..., None, None] * (
            apart[..., :, None] * apart[..., None, :]
        )
        within = (self.count - 1)[..., None, None] * self.cov + (other.count - 1)[
            ..., None, None
        ] * other.cov
        mean = self.mean + (other.count / count)[..., None] * apart
        return ArmMoments(count, mean, (within + between) / (count - 1)[..., None, None])

    @property
    def ratio(self) -> FloatArray:
        """The outcome: one mean divided by the other."""
        return self.mean[..., 0] / self.mean[..., 1]

    @property
    def ratio_before(self) -> FloatArray:
        """The same before the exposure; 0 where there is nothing to divide by."""
        below = self.mean[..., 3]
        found: FloatArray = np.where(
            below == 0, 0.0, self.mean[..., 2] / np.where(below == 0, 1.0, below)
        )
        return found

    def linear(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the variances of a person's part in the two ratios, and their covariance.

        By the delta method: A. Deng, U. Knoblich and J. Lu, "Applying the delta method in metric
        analytics", KDD 2018.
        """
        outcome, before = self.ratio, self.ratio_before
        below = self.mean[..., 3]
        one = np.stack([np.ones_like(outcome), -outcome], axis=-1) / self.mean[..., 1, None]
        safe = np.where(below == 0, 1.0, below)
        other = np.stack([np.ones_like(before), -before], axis=-1) / safe[..., None]
        other = np.where((below == 0)[..., None], 0.0, other)
        return (
            _form(one, self.cov[..., _OUTCOME, _OUTCOME], one),
            _form(other, self.cov[..., _BEFORE, _BEFORE], other),
            _form(one, self.cov[..., _OUTCOME, _BEFORE], other),
        )


@dataclass(frozen=True)
class Adjusted:
    """The outcome of two arms, less what the time before explains.

    Attributes
    ----------
    control, arm : numpy.ndarray of float
        The two outcomes.
    control_variance, arm_variance : numpy.ndarray of float
        Of these: a person's, divided by the number of people.
    control_count, arm_count : numpy.ndarray of float
    unadjusted_variance : numpy.ndarray of float
        Of the difference without the adjustment.
    """

    control: FloatArray
    arm: FloatArray
    control_variance: FloatArray
    arm_variance: FloatArray
    control_count: FloatArray
    arm_count: FloatArray
    unadjusted_variance: FloatArray

    @property
    def effect(self) -> FloatArray:
        """How much more the arm has."""
        return self.arm - self.control

    @property
    def variance(self) -> FloatArray:
        """Of the effect."""
        return self.control_variance + self.arm_variance


def adjusted(control: ArmMoments, arm: ArmMoments) -> Adjusted:
    """Return the outcomes of two arms, adjusted by the same before the exposure (CUPED).

    A. Deng, Y. Xu, R. Kohavi and T. Walker, "Improving the sensitivity of online controlled
    experiments by utilizing pre-experiment data", WSDM 2013. Where the two columns of the time
    before do not vary, it is the plain difference.

    Examples
    --------
    >>> people = np.array([[1.0, 1, 0, 1], [3.0, 1, 2, 1], [2.0, 1, 1, 1]])
    >>> found = adjusted(ArmMoments.of(people), ArmMoments.of(people + [0.5, 0, 0, 0]))
    >>> round(float(found.effect), 12), round(float(found.variance), 12)
    (0.5, 0.0)
    """
    both = control.with_(arm)
    _, spread, shared = both.linear()
    slope = np.where(spread > 0, shared / np.where(spread > 0, spread, 1.0), 0.0)
    middle = both.ratio_before

    def less(one: ArmMoments) -> tuple[FloatArray, FloatArray, FloatArray]:
        variance, before, cross = one.linear()
        # Of what the time before explains to the last digit, rounding may leave less than nothing.
        left = np.maximum(variance + slope * slope * before - 2 * slope * cross, 0.0)
        mean = one.ratio - slope * (one.ratio_before - middle)
        return mean, left / one.count, variance / one.count

    (mean, left, plain), (arm_mean, arm_left, arm_plain) = less(control), less(arm)
    return Adjusted(mean, arm_mean, left, arm_left, control.count, arm.count, plain + arm_plain)


def welch_freedom(
    one: FloatArray, one_count: FloatArray, other: FloatArray, other_count: FloatArray
) -> FloatArray:
    """Return the degrees of freedom of two variances of means: B. L. Welch (1947).

    Examples
    --------
    >>> float(welch_freedom(np.array(1.0), np.array(10.0), np.array(1.0), np.array(10.0)))
    18.0
    """
    below = one**2 / (one_count - 1) + other**2 / (other_count - 1)
    return np.where(below > 0, (one + other) ** 2 / np.where(below > 0, below, 1.0), np.inf)


def t_quantile(freedom: FloatArray, share: float) -> FloatArray:
    """Return Student's quantile, that of the normal distribution at infinity."""
    known = np.isfinite(freedom)
    found: FloatArray = np.where(
        known,
        scipy.special.stdtrit(np.where(known, freedom, 1.0), share),
        scipy.special.ndtri(share),
    )
    return found


def two_sided(freedom: FloatArray, statistic: FloatArray) -> FloatArray:
    """Return how likely a statistic at least so far from zero is, by Student's distribution."""
    known = np.isfinite(freedom)
    below = -np.abs(statistic)
    found: FloatArray = 2 * np.where(
        known,
        scipy.special.stdtr(np.where(known, freedom, 1.0), below),
        scipy.special.ndtr(below),
    )
    return found


def _form(left: FloatArray, cov: FloatArray, right: FloatArray) -> FloatArray:
    found: FloatArray = np.einsum("...i,...ij,...j->...", left, cov, right)
    return found

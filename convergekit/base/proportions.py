"""Proportions: intervals of many, and the difference of two, with its interval and test."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy

from convergekit.base.rounding import all_to_six_digits, six_digits
from convergekit.errors import ConvergekitError
from convergekit.typing import FloatArray, IntArray


class Difference(NamedTuple):
    """The other proportion minus the one.

    Attributes
    ----------
    difference, low, high : float
        Its confidence interval is Newcombe's hybrid score interval, to six digits.
    p_value : float
        Fisher's exact test that both are equal, to six digits.
    """

    difference: float
    low: float
    high: float
    p_value: float


def check_confidence(confidence: float) -> None:
    """Raise unless it is a share between 0 and 1.

    Raises
    ------
    ConvergekitError
    """
    is_number = isinstance(confidence, (int, float, np.floating))
    if not is_number or not 0 < confidence < 1:
        raise ConvergekitError(
            f"confidence must be a share between 0 and 1, such as 0.95; got {confidence!r}."
        )


def difference(
    hits: int, total: int, other_hits: int, other_total: int, confidence: float
) -> Difference:
    """Compare two proportions; all missing if one of the groups is empty.

    The interval is made of the Wilson intervals of the two proportions: R. G. Newcombe, "Interval
    estimation for the difference between independent proportions", Statistics in Medicine 17
    (1998), method 10.

    Examples
    --------
    >>> [round(float(x), 4) for x in difference(48, 80, 56, 70, confidence=0.95)]
    [0.2, 0.0524, 0.3339, 0.0125]
    """
    if not total or not other_total:
        return Difference(np.nan, np.nan, np.nan, np.nan)
    one, other = hits / total, other_hits / other_total
    low, high = scipy.stats.binomtest(hits, total).proportion_ci(confidence, method="wilson")
    other_low, other_high = scipy.stats.binomtest(other_hits, other_total).proportion_ci(
        confidence, method="wilson"
    )
    found = other - one
    p_value = scipy.stats.fisher_exact(
        [[hits, total - hits], [other_hits, other_total - other_hits]]
    ).pvalue
    return Difference(
        found,
        six_digits(found - np.hypot(other - other_low, high - one)),
        six_digits(found + np.hypot(other_high - other, one - low)),
        six_digits(p_value),
    )


def wilson(hits: IntArray, total: IntArray, confidence: float) -> tuple[FloatArray, FloatArray]:
    """Return the Wilson score intervals of many proportions, to six digits, missing without rows.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of
    the American Statistical Association 22 (1927).

    Examples
    --------
    >>> low, high = wilson(np.array([48]), np.array([80]), 0.95)
    >>> round(float(low[0]), 4), round(float(high[0]), 4)
    (0.4905, 0.7004)
    """
    z = float(scipy.special.ndtri((1 + confidence) / 2))
    size = np.where(total > 0, total, 1).astype(np.float64)
    share = hits / size
    middle = share + z * z / (2 * size)
    half = z * np.sqrt(share * (1 - share) / size + z * z / (4 * size * size))
    low, high = ((middle + sign * half) / (1 + z * z / size) for sign in (-1, 1))
    # Of none and of all, rounding may leave less than nothing.
    low, high = np.where(hits == 0, 0.0, low), np.where(hits == total, 1.0, high)
    none = total == 0
    return (
        all_to_six_digits(np.where(none, np.nan, low)),
        all_to_six_digits(np.where(none, np.nan, high)),
    )

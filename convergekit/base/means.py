"""Means, their intervals, and the intervals of many proportions at once."""

from __future__ import annotations

import numpy as np
import scipy

from convergekit.base.rounding import all_to_six_digits
from convergekit.typing import FloatArray, IntArray


def weighted_means(
    cell: IntArray, weight: FloatArray, value: FloatArray, cells: int, confidence: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the weighted mean of each cell, and its confidence interval, to six digits.

    The mean is a ratio of two sums, and its interval Student's, with the linearised variance of
    a ratio: W. G. Cochran, "Sampling Techniques", third edition (1977), chapter 6. With equal
    weights it is the usual interval of a mean. It is missing with fewer than two rows.

    Parameters
    ----------
    cell : numpy.ndarray of int
        Of each row, its cell.
    weight : numpy.ndarray of float
        Above zero.
    value : numpy.ndarray of float
    cells : int
        How many cells there are.
    confidence : float

    Examples
    --------
    >>> mean, low, high = weighted_means(np.zeros(4, int), np.ones(4), np.array([1.0, 2, 3, 4]), 1,
    ...     0.95)
    >>> [round(float(x[0]), 4) for x in (mean, low, high)]
    [2.5, 0.4457, 4.5543]
    """
    count = np.bincount(cell, minlength=cells)
    total = np.bincount(cell, weights=weight, minlength=cells)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.bincount(cell, weights=weight * value, minlength=cells) / total
        away = weight * (value - mean[cell])
        spread = np.bincount(cell, weights=away * away, minlength=cells)
        error = np.sqrt(spread * count / (count - 1)) / total
    few = count < 2
    quantile = scipy.stats.t.ppf((1 + confidence) / 2, np.where(few, 1, count - 1))
    half = np.where(few, np.nan, quantile * error)
    return mean, all_to_six_digits(mean - half), all_to_six_digits(mean + half)


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

"""Means of many cells at once, and their intervals."""

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
    # `scipy.stats` takes longer to import than all else here.
    quantile = scipy.special.stdtrit(np.where(few, 1, count - 1), (1 + confidence) / 2)
    half = np.where(few, np.nan, quantile * error)
    return mean, all_to_six_digits(mean - half), all_to_six_digits(mean + half)

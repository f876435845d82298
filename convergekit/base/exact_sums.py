"""Sums that do not hang on the order of what is added, or on how it was grouped."""

from __future__ import annotations

import math

import numpy as np

from convergekit.typing import FloatArray

#: A float is a whole number of 53 bits, times a power of two: none is below this one.
_LEAST = -1126
_HALF = 26


def exact_sum(values: FloatArray) -> int:
    """Return the sum of floats without rounding, in units of `rounded`: sums of sums are exact.

    Parameters
    ----------
    values : numpy.ndarray of float
        Finite.

    Examples
    --------
    >>> tenths = np.full(10, 0.1)
    >>> rounded(exact_sum(tenths)), rounded(exact_sum(tenths[:3]) + exact_sum(tenths[3:]))
    (1.0, 1.0)
    """
    fraction, exponent = np.frexp(values[values != 0])
    whole = np.ldexp(fraction, 53).astype(np.int64)
    total = 0
    for power in np.unique(exponent).tolist():
        of_power = whole[exponent == power]
        # In halves, so that no sum of them is too large for 64 bits.
        high, low = of_power >> _HALF, of_power & ((1 << _HALF) - 1)
        total += ((int(high.sum()) << _HALF) + int(low.sum())) << (power - 53 - _LEAST)
    return total


def rounded(total: int) -> float:
    """Return a sum of `exact_sum` as the nearest float.

    Examples
    --------
    >>> rounded(exact_sum(np.array([1e308, 1e308, -1e308]))), rounded(exact_sum(np.ones(3)))
    (1e+308, 3.0)
    """
    try:
        return total / (1 << -_LEAST)
    except OverflowError:
        return math.copysign(math.inf, total)

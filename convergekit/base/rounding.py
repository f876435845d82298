"""Numbers without the digits that depend on the machine.

The last digits of logarithms, powers, quantiles of distributions and whatever goes through BLAS are
as the processor, and the version of a library, compute them. What such functions return is rounded
before anything else is done with it, so that the same data give the same answers everywhere.
Additions, multiplications, divisions and square roots need no rounding: IEEE 754 fixes their
digits.
"""

from __future__ import annotations

import numpy as np

from convergekit.typing import FloatArray

#: The powers of ten from the tenth part of a billionth on: the sizes of shares and usual counts.
_SIZES = np.array([float(f"1e{power}") for power in range(-10, 7)])
#: By what a number of each of these sizes is multiplied for six digits before the point, and for
#: twelve; floats hold both exactly.
_SIX, _TWELVE = (
    np.array([float(10 ** (digits - power)) for power in range(-9, 7)]) for digits in (6, 12)
)


def six_digits(value: float) -> float:
    """Return the number rounded to six significant digits.

    Examples
    --------
    >>> six_digits(0.28539816339), six_digits(1234567.8), six_digits(float("inf"))
    (0.285398, 1234570.0, inf)

    Where the seventh digit is the last and a five, digits far behind do not decide:

    >>> six_digits(3 / 512), six_digits(3 / 512 + 1e-18)
    (0.00585938, 0.00585938)
    """
    return float(f"{float(f'{value:.12g}'):.6g}")


def all_to_six_digits(values: FloatArray) -> FloatArray:
    """Return each number rounded as by `six_digits`; for arrays that are long.

    Examples
    --------
    >>> all_to_six_digits(np.array([0.28539816339, 0, 3 / 512, np.nan])).tolist()
    [0.285398, 0.0, 0.00585938, nan]
    """
    found = np.array(values, dtype=np.float64)
    size = np.abs(found)
    usual = (size >= _SIZES[0]) & (size < _SIZES[-1])
    place = np.searchsorted(_SIZES, size[usual], side="right") - 1
    twelve = np.rint(size[usual] * _TWELVE[place])
    rounded = np.copysign(np.rint(twelve / 1e6) / _SIX[place], found[usual])
    # What is so near to the middle between two is left to the exact way, as odd sizes are.
    near = np.abs(twelve % 1e6 - 5e5) <= 1
    exact = (size > 0) & np.isfinite(size) & ~usual
    exact[np.flatnonzero(usual)[near]] = True
    kept = [six_digits(value) for value in found[exact].tolist()]
    found[usual] = rounded
    found[exact] = kept
    return found

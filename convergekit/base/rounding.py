"""Numbers without the digits that depend on the machine.

The last digits of logarithms, powers, quantiles of distributions and whatever goes through BLAS are
as the processor, and the version of a library, compute them. What such functions return is rounded
before anything else is done with it, so that the same data give the same answers everywhere.
Additions, multiplications, divisions and square roots need no rounding: IEEE 754 fixes their
digits.
"""

from __future__ import annotations


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

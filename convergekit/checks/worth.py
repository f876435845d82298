"""The money of some events, which that of others can be added to.

Sums do not hang on the order of what is added, or on how it was grouped.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np

from convergekit.checks.money import Money
from convergekit.typing import FloatArray, IntArray

#: A float is a whole number of 53 bits, times a power of two: none is below this one.
_LEAST = -1126
_HALF = 26


@dataclass(frozen=True)
class Worth:
    """The money of some events.

    Attributes
    ----------
    counted, sent : int
        Sums, as `exact_sum` returns them: of what is counted, and of the amounts as they were sent.
    events : int
        How many events.
    foreign : int
        How many of them are in another currency than what is counted.
    codes : frozenset of str or None
        The currencies of these.
    """

    counted: int
    sent: int
    events: int
    foreign: int
    codes: frozenset[str | None]

    @classmethod
    def of(cls, money: Money, at: IntArray) -> Self:
        """Return the money of some of the events."""
        foreign = at[money.foreign[at]]
        codes = [] if money.codes is None else money.codes.iloc[foreign].unique().tolist()
        return cls(
            counted=exact_sum(money.counted[at]),
            # What has no currency is in none that is known.
            sent=exact_sum(money.amounts[foreign]),
            events=len(at),
            foreign=len(foreign),
            codes=frozenset(code if isinstance(code, str) else None for code in codes),
        )

    @classmethod
    def of_counted(cls, amounts: FloatArray) -> Self:
        """Return the money of events in the currency that is counted."""
        return cls(exact_sum(np.asarray(amounts)), 0, len(amounts), 0, frozenset())

    @property
    def money(self) -> float | None:
        """The sum; in their currency if all are in one other, and None if in several others."""
        if not self.events or self.foreign < self.events:
            return rounded(self.counted)
        return rounded(self.sent) if len(self.codes) == 1 else None


def added(found: Iterable[Worth | None]) -> float | None:
    """Return the money of the events of several parts; None if that of one is unknown."""
    parts = [one for one in found if one is not None]
    if not parts:
        return None
    return Worth(
        counted=sum(one.counted for one in parts),
        sent=sum(one.sent for one in parts),
        events=sum(one.events for one in parts),
        foreign=sum(one.foreign for one in parts),
        codes=frozenset[str | None]().union(*(one.codes for one in parts)),
    ).money


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

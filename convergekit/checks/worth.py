"""The money of some events, which that of others can be added to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np

from convergekit.base.exact_sums import exact_sum, rounded
from convergekit.checks.money import Money
from convergekit.typing import FloatArray, IntArray


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

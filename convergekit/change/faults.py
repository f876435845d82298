"""What may be wrong with the tracking of one side and not of the other, told from behaviour.

Each fault was tested beyond doubt (1 in 100,000) before it is taken for one: a repair of what is
not broken would hide a change of what people do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import scipy

from convergekit.change.sides import EnteredProfiles, Side
from convergekit.typing import IntArray

#: So unlikely must a difference be by chance to be taken for a fault of the tracking.
DOUBT = 1e-5

TRACKING, IDENTITY = "tracking", "identity"


@dataclass(frozen=True, eq=False)
class PeriodFault:
    """What is wrong on one side, or wrong in another way than on the other.

    Attributes
    ----------
    kind : {"tracking", "identity"}
    what : str
        What it is, in a few words.
    why : str
        By what it was told, in a sentence.
    at : tuple of numpy.ndarray of int
        Of each side, the positions of the events concerned.
    repair : callable or None
        Returns a side as it would be without the fault.
    takes : tuple of str
        The factors that say nothing of people while the fault lasts, where it cannot be repaired.
    kept : tuple of float
        Of each side, the share of orders that arrived, where some did not.
    """

    kind: str
    what: str
    why: str
    at: tuple[IntArray, IntArray]
    repair: Callable[[Side], Side] | None = None
    takes: tuple[str, ...] = ()
    kept: tuple[float, float] = (1.0, 1.0)


@dataclass(frozen=True, eq=False)
class Pair:
    """Both sides, who entered them, and what the steps are called.

    Attributes
    ----------
    sides : tuple of Side
    entered : tuple of EnteredProfiles
    titles : list of str
    within : int
        The conversion window, in microseconds.
    """

    sides: tuple[Side, Side]
    entered: tuple[EnteredProfiles, EnteredProfiles]
    titles: list[str]
    within: int

    @property
    def last(self) -> int:
        """The number of the last step, from 0."""
        return len(self.titles) - 1

    def goals(self) -> tuple[IntArray, IntArray]:
        """Return the positions of the events of the last step in each period."""
        return self.sides[0].at_step(self.last), self.sides[1].at_step(self.last)

    def each(self, found: Callable[[Side], IntArray]) -> tuple[IntArray, IntArray]:
        """Return something of both sides."""
        return found(self.sides[0]), found(self.sides[1])


def shares_apart(hits: tuple[int, int], of: tuple[int, int]) -> bool:
    """Return whether two shares differ beyond doubt, by Pearson's chi-squared test.

    Examples
    --------
    >>> shares_apart((50, 5), (100, 100)), shares_apart((50, 45), (100, 100))
    (True, False)
    """
    if min(of) == 0:
        return False
    total, everybody = sum(hits), sum(of)
    share = total / everybody
    if share in (0.0, 1.0):
        return False
    apart = hits[0] / of[0] - hits[1] / of[1]
    statistic = apart**2 / (share * (1 - share) * (1 / of[0] + 1 / of[1]))
    few = min(of) * min(share, 1 - share) < 5
    if few:
        table = [[hits[0], of[0] - hits[0]], [hits[1], of[1] - hits[1]]]
        return bool(scipy.stats.fisher_exact(table).pvalue < DOUBT)
    return bool(scipy.special.chdtrc(1, statistic) < DOUBT)


def fewer_than_expected(seen: int, expected: float) -> bool:
    """Return whether so few events are beyond doubt too few, if they came at random.

    Examples
    --------
    >>> fewer_than_expected(0, 12.0), fewer_than_expected(8, 12.0)
    (True, False)
    """
    return expected > 0 and float(scipy.special.pdtr(seen, expected)) < DOUBT


def share(hits: int, of: int) -> float:
    """Return a share, nothing of nothing."""
    return hits / of if of else math.nan

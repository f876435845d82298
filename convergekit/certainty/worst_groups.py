"""What the data cannot exclude of the shares of each group, by the first entry of a person.

As `certainty.worst`, with one thing more that may be anything: who belongs to a group. A profile
that may be anybody's may be the earlier entry of somebody who is certain, who then is of its group
and not of their own. Events without a profile may be entries of any group.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from convergekit.certainty.occurring import Counting
from convergekit.certainty.worst import Logins
from convergekit.typing import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class _Entered:
    """Who entered, and in which group.

    Attributes
    ----------
    label : numpy.ndarray of int
        The group of each profile, by its first entry; -1 for none.
    begins : numpy.ndarray of int
        The first entry of each profile, in microseconds; the largest number for none.
    nobodys : int
        Entries without a profile.
    earliest : int
        The first entry that may be anybody's.
    """

    label: IntArray
    begins: IntArray
    nobodys: int
    earliest: int


def worst_by_group(
    logins: Logins,
    counting: Counting,
    group: IntArray,
    groups: int,
    first_group: Callable[[IntArray], IntArray],
) -> tuple[FloatArray, FloatArray]:
    """Return the lowest and the highest share of each step of each group.

    Parameters
    ----------
    logins : Logins
    counting : Counting
    group : numpy.ndarray of int
        Of each event that takes part, the group of whoever enters by it; -1 for none of these.
    groups : int
    first_group : callable
        Returns the group of each unit by its first entry.

    Returns
    -------
    low, high : numpy.ndarray of float
        With a row per group and a column per step.
    """
    size, never = len(logins.more), np.iinfo(np.int64).max
    mine = counting.unit >= 0
    entry = counting.enters & mine
    begins = np.full(size, never)
    np.minimum.at(begins, counting.unit[entry], counting.time[entry])
    label = np.full(size, -1, dtype=np.int64)
    found = first_group(counting.unit)
    label[: len(found)] = found
    alone = counting.enters & ~mine
    doubtful = ~logins.anchored | (logins.more > 0)
    may_be_anybodys = np.append(begins[doubtful], counting.time[alone])
    entered = _Entered(label, begins, int(alone.sum()), int(may_be_anybodys.min(initial=never)))
    at = np.flatnonzero(mine)
    _, entrant, times = counting.reached(at, counting.unit[at])
    low, high = np.ones((groups, counting.steps)), np.ones((groups, counting.steps))
    for one in range(groups):
        has = np.zeros(size, dtype=bool)
        has[counting.unit[entry & (group == one)]] = True
        for step in range(1, counting.steps):
            reached = np.zeros(size, dtype=bool)
            reached[entrant[times[:, step] > np.iinfo(np.int64).min]] = True
            filling = counting.mask >> step & 1 > 0
            there = np.zeros(size, dtype=bool)
            there[counting.unit[mine & filling]] = True
            low[one, step] = _lowest(logins, entered, one, has, reached)
            high[one, step] = _highest(
                logins, entered, one, has, there, int((filling & ~mine).sum())
            )
    return low, high


def _lowest(
    logins: Logins, entered: _Entered, group: int, has: BoolArray, reached: BoolArray
) -> float:
    """Return the lowest share: whoever is not certain never got there, and some leave the group."""
    of_group = entered.label == group
    certain = logins.anchored & of_group & (logins.more == 0) & reached
    exchanged = int((certain & (entered.begins >= entered.earliest)).sum())
    leaving = min(exchanged, _free(logins, entered))
    least = int(certain.sum()) - leaving
    # Who leaves by an earlier entry of the group itself stays, and may be too late.
    others = int(of_group.sum()) - int(certain.sum()) + leaving
    others += entered.nobodys + int(logins.more[has].sum())
    return least / (least + others) if least else 0.0


def _highest(
    logins: Logins,
    entered: _Entered,
    group: int,
    has: BoolArray,
    there: BoolArray,
    unassigned: int,
) -> float:
    """Return the highest share: all orders are of the group, and others leave it."""
    anchored, of_group = logins.anchored, entered.label == group
    converted = int((anchored & of_group & there).sum())
    waiting = int((anchored & of_group & ~there).sum())
    giving = int((~anchored & there).sum()) + unassigned
    bringing = int((~anchored & has).sum()) + int(logins.more[has].sum()) + entered.nobodys
    joining = min(int((anchored & ~of_group & there).sum()), bringing)
    most = converted + giving + joining + int(logins.more[there].sum())
    left = max(waiting - giving - int(logins.more[there].sum()) - _free(logins, entered), 0)
    return most / (most + left) if most else 0.0


def _free(logins: Logins, entered: _Entered) -> int:
    """Return how many entries may be of somebody who is certain."""
    enters = entered.begins < np.iinfo(np.int64).max
    return int((~logins.anchored & enters).sum() + logins.more[enters].sum()) + entered.nobodys

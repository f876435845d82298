"""What is counted on a side, in whole and without one group of people after the other.

People are put into 40 groups at random. Each sum is taken over all of them,
and with each group left out: of these the intervals of chance are made (see `chance`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from convergekit.base.grouping import run_starts
from convergekit.change.sides import EnteredProfiles, Side
from convergekit.typing import FloatArray, IntArray

#: Groups of people that are left out one after the other.
GROUPS = 40
_AS_ALL = GROUPS / (GROUPS - 1)


def groups_of(side: Side) -> IntArray:
    """Return the group of each event: that of its person, drawn by a hash of who and when.

    The number of people in a group is then as random as the number who came.
    """
    relevant = np.flatnonzero(side.inside & (side.step >= 0))
    person = side.person[relevant]
    size = int(side.person.max(initial=-1)) + 1
    order = np.lexsort((side.step[relevant], side.time[relevant], person))
    order = order[person[order] >= 0]
    first = order[run_starts(person[order])] if len(order) else order
    by_person = np.zeros(size, dtype=np.int64)
    by_person[person[first]] = _drawn(side, relevant[first])
    group = np.zeros(len(side.time), dtype=np.int64)
    known = side.person >= 0
    group[known] = by_person[side.person[known]]
    alone = relevant[person < 0]
    group[alone] = _drawn(side, alone)
    return group


def _drawn(side: Side, at: IntArray) -> IntArray:
    """Return a group for each of some events."""
    names = side.s.events["profile_id"].iloc[at].to_numpy(dtype=object)
    who = pd.util.hash_array(names).astype(np.uint64)
    when = pd.util.hash_array(side.time[at]).astype(np.uint64)
    return ((who ^ when) % np.uint64(GROUPS)).astype(np.int64)


def left_out(group: IntArray, weight: FloatArray | IntArray | None = None) -> FloatArray:
    """Return a sum over all, and, as if it were all, over all but each group.

    Examples
    --------
    >>> found = left_out(np.arange(80) % 40)
    >>> len(found), found[:2].tolist()
    (41, [80.0, 80.0])
    """
    by_group = np.bincount(group, weights=weight, minlength=GROUPS).astype(np.float64)
    total = by_group.sum()
    return np.append(total, (total - by_group) * _AS_ALL)


def left_out_cells(group: IntArray, cell: IntArray, cells: int) -> FloatArray:
    """Return how many are in each cell, as `left_out` has it: a row of all, and of each group."""
    counts = np.bincount(group * cells + cell, minlength=GROUPS * cells).reshape(GROUPS, cells)
    total = counts.sum(axis=0)
    return np.vstack([total, (total - counts) * _AS_ALL])


@dataclass(frozen=True)
class Accounts:
    """What a side comes to: the first of each array is of all people.

    Attributes
    ----------
    entrants : numpy.ndarray
    reached : numpy.ndarray
        Per step, how many entrants reached it.
    goals : numpy.ndarray
        Events of the last step of those who reached it.
    orders, revenue : numpy.ndarray
        All events of the last step in the period, and what they are worth, in hundredths.
    found : numpy.ndarray
        Of the orders, how many are of people of whom an earlier step was seen.
    visits : numpy.ndarray
    whole : float
        The share of those who will convert that have, as far as windows are open.
    levels : list of numpy.ndarray
        Per kind of label, how many of each label reached each step.
    pairs : dict
        Per two kinds, how many have each two labels.
    """

    entrants: FloatArray
    reached: FloatArray
    goals: FloatArray
    orders: FloatArray
    revenue: FloatArray
    found: FloatArray
    visits: FloatArray
    whole: float
    levels: list[FloatArray]
    pairs: dict[tuple[int, int], FloatArray]


def account(
    side: Side,
    entered: EnteredProfiles,
    group: IntArray,
    count: int,
    labels: Sequence[tuple[IntArray, int]],
    visits: IntArray,
    whole: float = 1.0,
) -> Accounts:
    """Return the sums of a side.

    Parameters
    ----------
    side : Side
    entered : EnteredProfiles
    group : numpy.ndarray of int
        Of each event.
    count : int
        How many steps there are.
    labels : sequence of tuple
        Per kind, the label of each entrant, and how many labels there are.
    visits : numpy.ndarray of int
        The position of the event with which each visit began.
    whole : float
        As `Accounts` has it.
    """
    own = group[entered.anchor]
    steps = range(1, count + 1)
    levels = [
        np.stack(
            [
                left_out_cells(own[entered.depth >= k], label[entered.depth >= k], size)
                for k in steps
            ],
            axis=2,
        )
        for label, size in labels
    ]
    pairs = {
        (i, j): left_out_cells(own, one * many + other, size * many).reshape(-1, size, many)
        for i, (one, size) in enumerate(labels)
        for j, (other, many) in enumerate(labels)
        if i < j
    }
    goal = side.at_step(count - 1)
    cents = np.rint(np.nan_to_num(side.amount[goal]) * 100)
    begun = visits[side.inside[visits]]
    return Accounts(
        entrants=left_out(own),
        reached=np.stack([left_out(own[entered.depth >= k]) for k in steps], axis=1),
        goals=left_out(own, entered.goals),
        orders=left_out(group[goal]),
        revenue=left_out(group[goal], cents),
        found=left_out(group[goal], seen_before(side, count)[goal]),
        visits=left_out(group[begun]),
        whole=whole,
        levels=levels,
        pairs=pairs,
    )


def seen_before(side: Side, count: int) -> IntArray:
    """Return of which events the person did one of the earlier steps at any time: 1, else 0."""
    earlier = side.is_tracked & (side.step >= 0) & (side.step < count - 1) & (side.person >= 0)
    seen = np.zeros(int(side.person.max(initial=-1)) + 2, dtype=np.int64)
    seen[side.person[earlier]] = 1
    return seen[side.person]

"""The search in order where steps have windows of their own, from one entry.

The whole window begins at the entry, which is one. So of all ways to get to a step the latest is
carried along: it has the most of the next step's window left, and no other needs to be remembered.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from convergekit.funnels.search.matching import furthest_of
from convergekit.funnels.search.moments import Moments
from convergekit.funnels.search.ordered import (
    Found,
    deepest_of_each,
    first_gain,
    first_gains,
    last_entries,
)
from convergekit.typing import BoolArray, IntArray


def search_step_windows(
    moments: Moments, steps: int, window: int, windows: Mapping[int, int], enters: BoolArray
) -> Found:
    """Find the deepest step that each unit reaches in order.

    Parameters
    ----------
    moments : Moments
    steps : int
    window : int
        Microseconds from the entry, the end included.
    windows : mapping of int to int
        Per step (from 1) that has one, microseconds since the step before, the end included.
    enters : numpy.ndarray of bool
        Moments at which a unit enters: one each at most.

    Returns
    -------
    Found
        Each step before the deepest as late as it can be.
    """
    size = len(moments.time)
    here = np.arange(size)
    first_of, last_of = moments.bounds
    entries = np.flatnonzero(enters & (furthest_of(moments, 0, steps) >= 1))
    entered = np.full(size, -1, dtype=np.int64)
    entered[entries] = entries
    entered = np.maximum.accumulate(entered) if size else entered
    open_ = entered >= moments.start
    open_ &= moments.time - moments.time[np.maximum(entered, 0)] <= window
    # gained[k][m]: m where depth k is got to at moment m, or -1; carried[k][m]: the last of these
    # so far.
    gained, carried = [here], [here]
    for step in range(1, steps + 1):
        got = np.full(size, -1, dtype=np.int64)
        for before in range(step):
            rows = np.flatnonzero(furthest_of(moments, before, steps) >= step)
            if before == 0:
                rows = rows[entered[rows] == rows]
            else:
                rows = rows[(rows > moments.start[rows]) & open_[rows]]
                rows = rows[_came(moments, carried[before], rows, windows.get(before + 1, window))]
            got[rows] = rows
        gained.append(got)
        carried.append(np.maximum.accumulate(got) if size else got)

    back: IntArray = np.stack(carried)
    reached = np.full((len(first_of), steps), -1, dtype=np.int64)
    depth = deepest_of_each(gained, first_of, last_of)
    for deepest in range(1, steps + 1):
        at = np.flatnonzero(depth == deepest)
        moment = first_gain(gained[deepest], first_of[at])
        left: IntArray = np.full(len(at), deepest, dtype=np.int64)
        while len(at):
            origin = _before(moments, moment, left, steps, window, windows, carried)
            for step in range(deepest):
                filled = (origin <= step) & (step < left)
                reached[at[filled], step] = moment[filled]
            going = origin > 0
            at, left, moment = at[going], origin[going], moment[going]
            moment = back[left, moment - 1]
    return Found(
        first_of,
        depth,
        reached,
        last_entries(moments, steps, enters, first_of),
        gained=first_gains(gained, depth, first_of),
    )


def _came(moments: Moments, carried: IntArray, rows: IntArray, window: int) -> BoolArray:
    """Return at which moments a depth has been got to so lately that the next may follow."""
    last = carried[rows - 1]
    return (last >= moments.start[rows]) & (
        moments.time[rows] - moments.time[np.maximum(last, 0)] <= window
    )


def _before(
    moments: Moments,
    moment: IntArray,
    depth: IntArray,
    steps: int,
    window: int,
    windows: Mapping[int, int],
    carried: list[IntArray],
) -> IntArray:
    """Return from which depth each was carried to its own at a moment, the deepest there is."""
    found = np.zeros(len(moment), dtype=np.int64)
    for before in range(1, steps):
        may = (before < depth) & (furthest_of(moments, before, steps)[moment] >= depth)
        may &= moment > moments.start[moment]
        rows = np.flatnonzero(may)
        came = _came(moments, carried[before], moment[rows], windows.get(before + 1, window))
        found[rows[came]] = before
    return found

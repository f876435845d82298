"""The search from each unit's first entry, compiled: step after step, over all events.

From one entry, to go on as early as possible goes deepest. So the first step needs each unit's
earliest event, the second the earliest from there on, and so forth: nothing is sorted. That holds
where each event fills one step; where some fill several, `compiled` searches.
"""

from __future__ import annotations

import itertools
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from convergekit.base.compiled_threads import cuts, on_pieces
from convergekit.funnels.events import FunnelEvents
from convergekit.funnels.paths import Paths

AnyArray = npt.NDArray[Any]

_EARLIEST, _LATEST = np.iinfo(np.int64).min, np.iinfo(np.int64).max


def paths_from_first_entry(
    prepared: FunnelEvents,
    steps: int,
    window: int,
    *,
    ties: bool,
    start: int | None,
    end: int | None,
) -> Paths:
    """Find how deep each unit gets in order from its first entry, and by which events.

    Parameters
    ----------
    prepared : FunnelEvents
        Whose events fill one step each, or none.
    steps : int
    window : int
        Microseconds from the entry, the end included.
    ties : bool
        Whether events at one time may be taken in any order, or in the order of arrival.
    start, end : int, optional
        Microseconds: the entry is from `start` on and before `end`.
    """
    count = len(prepared.profile_of_unit)
    when = np.empty((steps, count), dtype=np.int64)
    event = np.full((steps, count), -1, dtype=np.int64)
    limits = (_EARLIEST if start is None else start, _LATEST if end is None else end)
    # Each thread has units of its own, and looks at all events.
    pieces = list(itertools.pairwise(_of_units(count, len(prepared.unit))))
    events = (prepared.unit, prepared.time, prepared.mask, prepared.arrival)
    for step in range(steps):
        on_pieces(
            _earliest,
            [(*events, *piece, step, window, ties, *limits, when, event) for piece in pieces],
        )
    unit, depth = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    out = (event, when, prepared.position, unit, depth)
    sizes = on_pieces(_brought_together, [(*piece, *out) for piece in pieces])
    rows = sizes[0]
    for (first, _), size in zip(pieces[1:], sizes[1:], strict=True):
        for column in (unit, depth, *event, *when) if rows < first else ():
            column[rows : rows + size] = column[first : first + size]
        rows += size
    unit, depth, event, when = unit[:rows], depth[:rows], event[:, :rows], when[:, :rows]
    return Paths(unit, depth, depth, event.T, when.T, when[0])


def _of_units(count: int, events: int) -> list[int]:
    """Return where to cut the units; few events are not worth a second look."""
    pieces = len(cuts(events)) - 1
    return [count * piece // pieces for piece in range(pieces + 1)]


@numba.njit(nogil=True, cache=True)
def _earliest(  # type: ignore[no-untyped-def]
    unit, time, mask, arrival, low, high, step, window, ties, start, end, when, event
):
    """Fill in each unit's earliest event of a step after the step before, in the window."""
    for i in range(len(unit)):
        u = unit[i]
        if not mask[i] >> step & 1 or u < low or u >= high:
            continue
        now = time[i]
        if step == 0:
            if now < start or now >= end:
                continue
        else:
            last = event[step - 1, u]
            if last < 0:
                continue
            since = when[step - 1, u]
            if now < since or now - when[0, u] > window:
                continue
            if now == since and not ties and arrival[i] <= arrival[last]:
                continue
        best = event[step, u]
        if best < 0 or now < when[step, u] or (now == when[step, u] and arrival[i] < arrival[best]):
            when[step, u], event[step, u] = now, i


@numba.njit(nogil=True, cache=True)
def _brought_together(low, high, event, when, position, unit, depth):  # type: ignore[no-untyped-def]
    """Move those of these units that entered to the first place; return how many they are.

    Their events become positions in the frame.
    """
    row = low
    for u in range(low, high):
        if event[0, u] < 0:
            continue
        unit[row], depth[row] = u, 0
        for step in range(event.shape[0]):
            found = event[step, u]
            if found < 0:
                event[step, row], when[step, row] = -1, 0
            else:
                event[step, row], when[step, row] = position[found], when[step, u]
                depth[row] = step + 1
        row += 1
    return row - low

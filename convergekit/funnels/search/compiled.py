"""The search for the deepest steps in order, compiled: `ordered.search`, one unit at a time.

As there, the latest entry of an attempt that has reached a step is carried along, because it has
the most of its window left. Here the steps' moments are carried with it instead of being looked
for afterwards.
"""

from __future__ import annotations

import itertools
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from convergekit.base.compiled_threads import cuts, on_pieces, shares
from convergekit.funnels.events import FunnelEvents
from convergekit.funnels.paths import Paths
from convergekit.typing import IntArray

AnyArray = npt.NDArray[Any]

_EARLIEST, _LATEST = np.iinfo(np.int64).min, np.iinfo(np.int64).max
#: So many events of neighbouring units fit into a fast cache, and at most so many such blocks are
#: written to at a time.
_BLOCK, _BLOCKS = 32_768, 255


def paths_in_order(
    prepared: FunnelEvents,
    steps: int,
    window: int,
    *,
    ties: bool,
    first_entry: bool,
    start: int | None,
    end: int | None,
) -> Paths:
    """Find how deep each unit gets in order, and by which events.

    Parameters
    ----------
    prepared : FunnelEvents
        Of which only the events that fill a step are looked at.
    steps : int
    window : int
        Microseconds from the entry, the end included.
    ties : bool
        Whether events at one time may be taken in any order, or in the order of arrival.
    first_entry : bool
        Whether only the first event of the first step starts an attempt.
    start, end : int, optional
        Microseconds: attempts enter from `start` on and before `end`.
    """
    count = len(prepared.profile_of_unit)
    if not count:
        nothing = np.zeros(0, dtype=np.int64)
        of_steps = np.zeros((0, steps), dtype=np.int64)
        return Paths(nothing, nothing, nothing, of_steps, of_steps, nothing)
    unit = np.empty(count, dtype=np.int64)
    depth = np.empty(count, dtype=np.int64)
    # Step by step in memory, because the tables ask for one step of all units.
    event = np.empty((steps, count), dtype=np.int64).T
    when = np.empty((steps, count), dtype=np.int64).T
    last_entry = np.empty(count, dtype=np.int64)
    not_before = _EARLIEST if start is None else start
    before = _LATEST if end is None else end
    # The fewer bytes are moved, the faster it goes.
    mask = prepared.mask.astype(np.uint8) if steps <= 8 else prepared.mask
    bounds, shift, together = _by_block(prepared, mask)
    rules = (steps, window, ties, first_entry, not_before, before)
    out = (unit, depth, event, when, last_entry)
    # The first units have more events than the last, so a thread that is done takes another piece.
    blocks = np.searchsorted(bounds, cuts(int(bounds[-1]), each=2)[1:-1])
    pieces = list(itertools.pairwise([0, *blocks.tolist(), len(bounds) - 1]))
    sizes = on_pieces(
        _search,
        [
            (
                bounds,
                *together,
                prepared.arrival,
                prepared.position,
                count,
                shift,
                *piece,
                *rules,
                *out,
            )
            for piece in pieces
        ],
    )
    entered = sizes[0]
    for (first, _), size in zip(pieces[1:], sizes[1:], strict=True):
        low = first << shift
        for column in out:
            column[entered : entered + size] = column[low : low + size]
        entered += size
    unit, depth, event, when, last_entry = (found[:entered] for found in out)
    return Paths(unit, depth, depth, event, when, last_entry)


def _by_block(prepared: FunnelEvents, mask: AnyArray) -> tuple[IntArray, int, tuple[AnyArray, ...]]:
    """Bring the events that fill a step together by blocks of neighbouring units.

    Returns where each block begins and the last one ends, how many bits of a unit tell those of a
    block apart, and the events: their units, places in `prepared`, times and masks.
    """
    last = len(prepared.profile_of_unit) - 1
    shift = max(0, last.bit_length() - min(len(mask) // _BLOCK, _BLOCKS).bit_length())
    pieces = list(itertools.pairwise(cuts(len(mask))))
    sizes = np.zeros((len(pieces), (last >> shift) + 1), dtype=np.int64)
    on_pieces(
        _count_blocks,
        [(prepared.unit, mask, *piece, shift, sizes[i]) for i, piece in enumerate(pieces)],
    )
    places, bounds = shares(sizes)
    size = int(bounds[-1])
    units, event = np.empty(size, dtype=np.int32), np.empty(size, dtype=np.int32)
    together = (units, event, np.empty(size, dtype=np.int64), np.empty(size, dtype=mask.dtype))
    on_pieces(
        _bring_together,
        [
            (prepared.unit, prepared.time, mask, *piece, shift, places[i], *together)
            for i, piece in enumerate(pieces)
        ],
    )
    return bounds, shift, together


@numba.njit(nogil=True, cache=True)
def _count_blocks(unit, mask, lo, hi, shift, sizes):  # type: ignore[no-untyped-def]
    for i in range(lo, hi):
        if unit[i] >= 0 and mask[i]:
            sizes[unit[i] >> shift] += 1


@numba.njit(nogil=True, cache=True)
def _bring_together(  # type: ignore[no-untyped-def]
    unit, time, mask, lo, hi, shift, places, units, event, times, masks
):
    for i in range(lo, hi):
        if unit[i] >= 0 and mask[i]:
            k = places[unit[i] >> shift]
            units[k], event[k], times[k], masks[k] = unit[i], i, time[i], mask[i]
            places[unit[i] >> shift] = k + 1


@numba.njit(nogil=True, cache=True)
def _search(  # type: ignore[no-untyped-def]
    bounds, units, events, times, masks, arrival, position, count, shift, first, until,
    steps, window, ties, first_entry, start, end, entrant, depth, reached, when, last_entry,
):  # fmt: skip
    """Search the blocks from `first` to `until`, and return how many of their units entered.

    The last five are filled in with these, from the place of the first unit on.
    """
    row = low = first << shift
    for block in range(first, until):
        high = min(low + (1 << shift), count)
        here = slice(bounds[block], bounds[block + 1])
        row = _search_block(
            *_by_unit(units[here], events[here], times[here], masks[here], low, high),
            arrival, position, low, row,
            steps, window, ties, first_entry, start, end, entrant, depth, reached, when, last_entry,
        )  # fmt: skip
        low = high
    return row - (first << shift)


@numba.njit(nogil=True, cache=True)
def _search_block(  # type: ignore[no-untyped-def]
    bounds, event, time, mask, arrival, position, low, row,
    steps, window, ties, first_entry, start, end, entrant, depth, reached, when, last_entry,
):  # fmt: skip
    """Search the units from `low` on, unit by unit, and return where the next row goes."""
    most = 0
    for w in range(len(bounds) - 1):
        most = max(most, bounds[w + 1] - bounds[w])
    spare_event, spare_time = np.empty(most, np.int32), np.empty(most, np.int64)
    spare_mask = np.empty(most, mask.dtype)
    used, seen = np.empty(most, np.int64), np.empty(most, np.bool_)
    # Per depth: where the latest attempt there entered, and where it reached each step.
    entered_at = np.empty(steps + 1, np.int64)
    chain = np.empty((steps + 1, steps), np.int64)
    new_entry, new_chain = np.empty(steps + 1, np.int64), np.empty((steps + 1, steps), np.int64)
    furthest, best = np.empty(steps, np.int64), np.empty(steps, np.int64)
    for w in range(len(bounds) - 1):
        begin, until = bounds[w], bounds[w + 1]
        if first_entry:
            # From one entry on, and within its window, there are few events to be sorted.
            until = (
                _since_entry(
                    event[begin:until], time[begin:until], mask[begin:until], start, end, window
                )
                + begin
            )
        if begin == until:
            continue
        _sort(
            event[begin:until], time[begin:until], mask[begin:until], arrival, ties,
            spare_event, spare_time, spare_mask,
        )  # fmt: skip
        entered_at[:] = -1
        deepest = 0
        entered = False
        k = begin
        while k < until:
            now = time[k]
            after = k + 1
            while ties and after < until and time[after] == now:
                after += 1
            may_enter = start <= now < end and not (first_entry and entered)
            if after == k + 1:
                # One event goes on by one step, so that the deepest steps can be looked at first.
                if may_enter and mask[k] & 1:
                    entered = True
                    last_entry[row] = now
                for step in range(steps, 0, -1):
                    if not mask[k] >> (step - 1) & 1:
                        continue
                    came_in = entered_at[step - 1] if step > 1 else k if may_enter else -1
                    if came_in <= entered_at[step] or now - time[came_in] > window:
                        continue
                    entered_at[step] = came_in
                    for s in range(step - 1):
                        chain[step, s] = chain[step - 1, s]
                    chain[step, step - 1] = k
                    if step > deepest:
                        deepest = step
                        for s in range(step):
                            best[s] = chain[step, s]
                k = after
                continue
            enters = False
            new_entry[:] = -1
            for before in range(steps):
                furthest[before] = _assign(mask[k:after], before, steps, used, seen)
            if may_enter and furthest[0] > 0:
                enters = entered = True
                last_entry[row] = now
            # The greatest depth to come from is taken of those with the same entry.
            for before in range(steps - 1, -1, -1):
                if furthest[before] == before:
                    continue
                if before == 0:
                    came_in = k if enters else -1
                else:
                    came_in = entered_at[before]
                    if came_in >= 0 and now - time[came_in] > window:
                        came_in = -1
                for step in range(before + 1, furthest[before] + 1):
                    if came_in > new_entry[step]:
                        new_entry[step] = came_in
                        for s in range(before):
                            new_chain[step, s] = chain[before, s]
                        for s in range(before, step):
                            new_chain[step, s] = k
            for step in range(1, steps + 1):
                if new_entry[step] > entered_at[step]:
                    entered_at[step] = new_entry[step]
                    for s in range(step):
                        chain[step, s] = new_chain[step, s]
                    if step > deepest:
                        deepest = step
                        for s in range(step):
                            best[s] = new_chain[step, s]
            k = after
        if deepest == 0:
            continue
        entrant[row], depth[row] = low + w, deepest
        for s in range(steps):
            reached[row, s], when[row, s] = -1, 0
        s = 0
        while s < deepest:
            k, last = best[s], s
            while last < deepest and best[last] == k:
                last += 1
            after = k + 1
            while ties and after < until and time[after] == time[k]:
                after += 1
            if after == k + 1:
                used[0] = s
            else:
                _assign(mask[k:after], s, last, used, seen)
            for e in range(after - k):
                if used[e] >= 0:
                    reached[row, used[e]] = position[event[k + e]]
                    when[row, used[e]] = time[k]
            s = last
        row += 1
    return row


@numba.njit(nogil=True, cache=True)
def _since_entry(event, time, mask, start, end, window):  # type: ignore[no-untyped-def]
    """Bring the events from a unit's first entry on, in its window, forward; return how many."""
    entry, found = 0, False
    for k in range(len(time)):
        if mask[k] & 1 and start <= time[k] < end and not (found and time[k] >= entry):
            entry, found = time[k], True
    kept = 0
    if found:
        for k in range(len(time)):
            # Not entry + window, which may be beyond all times.
            if time[k] >= entry and time[k] - entry <= window:
                event[kept], time[kept], mask[kept] = event[k], time[k], mask[k]
                kept += 1
    return kept


@numba.njit(nogil=True, cache=True)
def _by_unit(units, events, times, masks, low, high):  # type: ignore[no-untyped-def]
    """Return a block's events unit by unit: where each unit's begin, the events, times, masks."""
    bounds = np.zeros(high - low + 1, np.int64)
    for unit in units:
        bounds[unit - low + 1] += 1
    for w in range(high - low):
        bounds[w + 1] += bounds[w]
    place = bounds[:-1].copy()
    event, time, mask = np.empty_like(events), np.empty_like(times), np.empty_like(masks)
    for i in range(len(units)):
        k = place[units[i] - low]
        place[units[i] - low] = k + 1
        event[k], time[k], mask[k] = events[i], times[i], masks[i]
    return bounds, event, time, mask


@numba.njit(nogil=True, cache=True, inline="always")
def _is_before(event, time, mask, other, other_time, other_mask, arrival, ties):  # type: ignore[no-untyped-def]
    if time != other_time:
        return time < other_time
    if ties and mask != other_mask:
        return mask < other_mask
    return arrival[event] < arrival[other]


@numba.njit(nogil=True, cache=True)
def _sort(  # type: ignore[no-untyped-def]
    event, time, mask, arrival, ties, spare_event, spare_time, spare_mask
):
    """Sort events by time, mask (with ties) and arrival: runs of 16, which are then merged."""
    size = len(event)
    for run in range(0, size, 16):
        for k in range(run + 1, min(run + 16, size)):
            e, t, m = event[k], time[k], mask[k]
            j = k
            while j > run and _is_before(
                e, t, m, event[j - 1], time[j - 1], mask[j - 1], arrival, ties
            ):
                event[j], time[j], mask[j] = event[j - 1], time[j - 1], mask[j - 1]
                j -= 1
            event[j], time[j], mask[j] = e, t, m
    width = 16
    while width < size:
        for left in range(0, size - width, 2 * width):
            middle, right = left + width, min(left + 2 * width, size)
            for k in range(width):
                spare_event[k], spare_time[k] = event[left + k], time[left + k]
                spare_mask[k] = mask[left + k]
            a, b, k = 0, middle, left
            while a < width:
                if b < right and _is_before(
                    event[b], time[b], mask[b],
                    spare_event[a], spare_time[a], spare_mask[a], arrival, ties,
                ):  # fmt: skip
                    event[k], time[k], mask[k] = event[b], time[b], mask[b]
                    b += 1
                else:
                    event[k], time[k], mask[k] = spare_event[a], spare_time[a], spare_mask[a]
                    a += 1
                k += 1
        width *= 2


@numba.njit(nogil=True, cache=True)
def _assign(mask, before, until, used, seen):  # type: ignore[no-untyped-def]
    """Let each of the steps have an event of its own, as far as that goes, and return how far.

    `matching.assignment`, with `used` telling of each event the step that it fills, or -1.
    """
    used[: len(mask)] = -1
    step = before
    while step < until:
        seen[: len(mask)] = False
        if not _place(mask, step, used, seen):
            break
        step += 1
    return step


@numba.njit(nogil=True, cache=True)
def _place(mask, step, used, seen):  # type: ignore[no-untyped-def]
    for e in range(len(mask)):
        if mask[e] >> step & 1 and not seen[e]:
            seen[e] = True
            if used[e] < 0 or _place(mask, used[e], used, seen):
                used[e] = step
                return True
    return False

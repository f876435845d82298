"""The search for the deepest steps in order, compiled: `funnel_search.search`, one who at a time.

As there, the latest entry of an attempt that has reached a step is carried along, because it has
the most of its window left. Here the steps' moments are carried with it instead of being looked
for afterwards.
"""

from __future__ import annotations

import itertools

import numba
import numpy as np

from convergekit.funnel_events import Fed
from convergekit.funnel_paths import Paths
from convergekit.kernels.threads import cuts, on_pieces

_EARLIEST, _LATEST = np.iinfo(np.int64).min, np.iinfo(np.int64).max


def paths_in_order(
    fed: Fed,
    steps: int,
    window: int,
    *,
    ties: bool,
    first_entry: bool,
    start: int | None,
    end: int | None,
) -> Paths:
    """Find how deep each who gets in order, and by which events.

    Parameters
    ----------
    fed : Fed
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
    count = len(fed.whose)
    if not count:
        nothing = np.zeros(0, dtype=np.int64)
        of_steps = np.zeros((0, steps), dtype=np.int64)
        return Paths(nothing, nothing, nothing, of_steps, of_steps, nothing)
    who = np.empty(count, dtype=np.int64)
    depth = np.empty(count, dtype=np.int64)
    # Step by step in memory, because the tables ask for one step of everybody.
    event = np.full((steps, count), -1, dtype=np.int64).T
    when = np.zeros((steps, count), dtype=np.int64).T
    last_entry = np.empty(count, dtype=np.int64)
    not_before = _EARLIEST if start is None else start
    before = _LATEST if end is None else end
    # The fewer bytes are moved, the faster it goes.
    mask = fed.mask.astype(np.uint8) if steps <= 8 else fed.mask
    rules = (steps, window, ties, first_entry, not_before, before)
    out = (who, depth, event, when, last_entry)
    # The first whos have more events than the last, so a thread that is done takes another piece.
    whos = list(itertools.pairwise(cuts(count, each=2)))
    sizes = on_pieces(
        _search,
        [
            (fed.who, fed.time, mask, fed.arrival, fed.position, *part, *rules, *out)
            for part in whos
        ],
    )
    entered = sizes[0]
    for (low, _), size in zip(whos[1:], sizes[1:], strict=True):
        _move_up(out, low, size, entered)
        entered += size
    who, depth, event, when, last_entry = (found[:entered] for found in out)
    return Paths(who, depth, depth, event, when, last_entry)


@numba.njit(nogil=True, cache=True)
def _search(  # type: ignore[no-untyped-def]
    who, times, masks, arrival, position, low, high,
    steps, window, ties, first_entry, start, end, entrant, depth, reached, when, last_entry,
):  # fmt: skip
    """Search the whos from `low` to `high`, and return how many of them entered.

    The last five are filled in with these, from the place `low` on.
    """
    row = low
    bounds, event, time, mask = _by_who(who, times, masks, low, high)
    most = np.diff(bounds).max()
    spare_event, spare_time = np.empty(most, np.int32), np.empty(most, np.int64)
    spare_mask = np.empty(most, mask.dtype)
    used, seen = np.empty(most, np.int64), np.empty(most, np.bool_)
    # Per depth: where the latest attempt there entered, and where it reached each step.
    entered_at = np.empty(steps + 1, np.int64)
    chain = np.empty((steps + 1, steps), np.int64)
    new_entry, new_chain = np.empty(steps + 1, np.int64), np.empty((steps + 1, steps), np.int64)
    furthest, best = np.empty(steps, np.int64), np.empty(steps, np.int64)
    for w in range(high - low):
        begin, until = bounds[w], bounds[w + 1]
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
    return row - low


@numba.njit(nogil=True, cache=True)
def _move_up(found, low, size, to):  # type: ignore[no-untyped-def]
    """Move rows to where those before them end."""
    who, depth, event, when, last_entry = found
    for k in range(size):
        who[to + k], depth[to + k], last_entry[to + k] = (
            who[low + k],
            depth[low + k],
            last_entry[low + k],
        )
        event[to + k] = event[low + k]
        when[to + k] = when[low + k]


@numba.njit(nogil=True, cache=True)
def _by_who(who, time, mask, low, high):  # type: ignore[no-untyped-def]
    """Return the events of the whos from `low` to `high` that fill a step, who by who."""
    bounds = np.zeros(high - low + 1, np.int64)
    for i in range(len(who)):
        if low <= who[i] < high and mask[i]:
            bounds[who[i] - low + 1] += 1
    for w in range(high - low):
        bounds[w + 1] += bounds[w]
    size = bounds[high - low]
    place = bounds[:-1].copy()
    event, times = np.empty(size, np.int32), np.empty(size, np.int64)
    masks = np.empty(size, mask.dtype)
    for i in range(len(who)):
        if low <= who[i] < high and mask[i]:
            k = place[who[i] - low]
            place[who[i] - low] = k + 1
            event[k], times[k], masks[k] = i, time[i], mask[i]
    return bounds, event, times, masks


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

    `funnel_matching.assignment`, with `used` telling of each event the step that it fills, or -1.
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

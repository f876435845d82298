"""The search in any order: how many of the steps are done within the window."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from convergekit.base.grouping import run_starts
from convergekit.funnels.search.matching import each_finds_a_step
from convergekit.funnels.search.moments import Moments
from convergekit.funnels.search.ordered import Found
from convergekit.typing import BoolArray, IntArray


def search_any(moments: Moments, steps: int, window: int, enters: BoolArray) -> Found:
    """Find how many of the steps each unit does within the window, in whatever order.

    An attempt starts with an event of any step; an excluding event ends it.
    """
    size = len(moments.time)
    masks = np.array([max(p, default=0) for p in moments.patterns], dtype=np.int64)
    at = np.flatnonzero(enters & (masks[moments.pattern] > 0)) if size else moments.first
    items, event = _occurrences(moments, at)
    valid = (items >= 0) & (moments.start[items] == moments.start[at][:, None])
    valid &= moments.time[items] - moments.time[at][:, None] <= window
    for excluded in moments.excluded:
        after = np.append(np.flatnonzero(excluded), size)
        limit = after[np.searchsorted(after, at, side="right").clip(max=len(after) - 1)]
        valid &= items <= limit[:, None]
    chosen = _that_add_a_step(moments, np.where(valid, items, size), steps)
    there = chosen >= 0
    reached = np.where(there, np.take_along_axis(items, chosen.clip(min=0), axis=1), -1)
    filled = np.where(there, np.take_along_axis(event, chosen.clip(min=0), axis=1), -1)
    depth = there.sum(axis=1)
    start = moments.start[at]
    goal = reached[np.arange(len(at)), (depth - 1).clip(min=0)]
    # Of each unit, the attempt that did the most, then the earliest done, then the latest begun.
    best = np.lexsort((-at, goal, -depth, start))
    best = best[run_starts(start[best])]

    first_of, _ = moments.bounds
    unit = np.searchsorted(first_of, start[best])
    all_depth = np.zeros(len(first_of), dtype=np.int64)
    all_depth[unit] = depth[best]
    all_reached = np.full((len(first_of), steps), -1, dtype=np.int64)
    all_reached[unit] = reached[best]
    all_filled = all_reached.copy()
    all_filled[unit] = filled[best]
    last_entry = np.full(len(first_of), -1, dtype=np.int64)
    last_entry[np.searchsorted(first_of, start)] = at
    return Found(first_of, all_depth, all_reached, last_entry, event=all_filled)


def _that_add_a_step(moments: Moments, items: IntArray, steps: int) -> IntArray:
    """Return, per attempt and step, the item that makes one more step done, -1 where none does.

    `items` are the moments of each attempt's items, and beyond all moments where it has no such.
    """
    order = np.argsort(items, axis=1, kind="stable")
    has = np.take_along_axis(items, order, axis=1) < len(moments.time)
    distinct, which = np.unique(np.where(has, order, -1), axis=0, return_inverse=True)
    kinds = _item_masks(moments)
    growth = np.array(
        [_growth(tuple(kinds[i] for i in row if i >= 0), steps) for row in distinct.tolist()],
        dtype=np.int64,
    ).reshape(len(distinct), steps)
    place = growth[which.reshape(-1)]
    if not items.shape[1]:
        return place
    return np.where(place >= 0, np.take_along_axis(order, place.clip(min=0), axis=1), -1)


def _item_masks(moments: Moments) -> list[int]:
    """Return the distinct masks of events, each as often as it has bits."""
    distinct = sorted({mask for pattern in moments.patterns for mask in pattern if mask})
    return [mask for mask in distinct for _ in range(mask.bit_count())]


def _occurrences(moments: Moments, at: IntArray) -> tuple[IntArray, IntArray]:
    """Return, from each moment on, when and by which event each item occurs, -1 if never.

    An item is the first, second ... occurrence of events that fill the same steps; more
    occurrences than these steps cannot help.
    """
    masks = np.concatenate([np.zeros(0, np.int64), *map(np.array, moments.patterns)])
    offsets = np.cumsum([0, *map(len, moments.patterns)])
    sizes = np.diff(offsets)
    length = sizes[moments.pattern] if len(moments.first) else moments.first
    moment = np.repeat(np.arange(len(moments.first)), length)
    within = np.arange(len(moment)) - np.repeat(np.cumsum(length) - length, length)
    mask = masks[offsets[moments.pattern[moment]] + within].astype(np.int64)
    event = moments.event[moments.first[moment] + within]
    kinds = _item_masks(moments)
    items = np.full((len(at), len(kinds)), -1, dtype=np.int64)
    events = items.copy()
    for column, kind in enumerate(kinds):
        turn = kinds[:column].count(kind)
        places = np.flatnonzero(mask == kind)
        nth = np.searchsorted(moment[places], at) + turn
        there = nth < len(places)
        items[there, column] = moment[places[nth[there]]]
        events[there, column] = event[places[nth[there]]]
    return items, events


@lru_cache(maxsize=65536)
def _growth(kinds: tuple[int, ...], steps: int) -> tuple[int, ...]:
    """Return, for each number of steps, the place of the event that makes so many, -1 if none."""
    found = each_finds_a_step(kinds, 0, steps)
    grown = [event for event, finds in enumerate(found) if finds]
    return (*grown, *[-1] * (steps - len(grown)))

"""Which steps the events of one moment fill together: each event one, each step by one.

Events are few here and patterns are looked at once each, so this is plain Python; an event is the
bit mask of the steps that it fills.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pandas as pd

from convergekit.funnels.search.moments import Moments
from convergekit.typing import IntArray


def furthest_of(moments: Moments, before: int, steps: int) -> IntArray:
    """Return, per moment, the depth that an attempt at `before` reaches with its events."""
    depths = np.array([furthest(p, before, steps) for p in moments.patterns], dtype=np.int64)
    return depths[moments.pattern] if len(depths) else moments.pattern


def events_of_steps(
    moments: Moments, reached: IntArray, starter: IntArray | None = None
) -> IntArray:
    """Return the position of the event that fills each step, -1 where it was not reached."""
    filled = np.full(reached.shape, -1, dtype=np.int64)
    steps = reached.shape[1]
    for step in range(steps):
        rows = np.flatnonzero(reached[:, step] >= 0)
        moment = reached[rows, step]
        # The steps of one attempt that fall into one moment share its events.
        same = reached[rows] == moment[:, None]
        before = step - same[:, :step].sum(axis=1)
        last = step + same[:, step:].sum(axis=1)
        opens = np.full(len(rows), -1) if starter is None else np.where(before, -1, starter[rows])
        keys = (moments.pattern[moment], before, last, opens + 1)
        span = [int(key.max(initial=0)) + 1 for key in keys]
        codes, which = pd.factorize(np.ravel_multi_index(keys, span))[::-1]
        offsets = [
            (assignment(moments.patterns[p], b, e, o - 1) or ())[step - b]
            for p, b, e, o in zip(*(k.tolist() for k in np.unravel_index(codes, span)), strict=True)
        ]
        place = np.array(offsets, dtype=np.int64)[which] if len(rows) else rows
        filled[rows, step] = moments.event[moments.first[moment] + place]
    return filled


@lru_cache(maxsize=65536)
def furthest(pattern: tuple[int, ...], before: int, steps: int, starter: int = -1) -> int:
    """Return the depth that an attempt at `before` reaches with these events, each used once."""
    after = before
    while after < steps and assignment(pattern, before, after + 1, starter) is not None:
        after += 1
    return after


def each_finds_a_step(masks: Sequence[int], before: int, after: int) -> list[bool]:
    """Return which of the events find a step between the depths, each its own, the first first.

    A matching by augmenting paths: an event may move others to other steps of theirs, and none of
    them is left without.

    Examples
    --------
    >>> each_finds_a_step([0b01, 0b11, 0b10], 0, 2)
    [True, True, False]
    """
    filled: dict[int, int] = {}
    steps = [[step for step in range(before, after) if mask >> step & 1] for mask in masks]
    return [_placed(event, steps, filled, set()) for event in range(len(masks))]


def _placed(
    item: int, places: Sequence[Sequence[int]], taken: dict[int, int], seen: set[int]
) -> bool:
    """Return whether an item finds a place of its own, and take it.

    One step of a matching by augmenting paths: an item that has the place moves to another of its
    places if it can, and none is left without.
    """
    for place in places[item]:
        if place not in seen:
            seen.add(place)
            if place not in taken or _placed(taken[place], places, taken, seen):
                taken[place] = item
                return True
    return False


@lru_cache(maxsize=65536)
def assignment(
    pattern: tuple[int, ...], before: int, after: int, starter: int = -1
) -> tuple[int, ...] | None:
    """Return which event fills each of the steps from `before` to `after`, or None if they can't.

    A matching by augmenting paths; the events are few. With a `starter`, that event fills the
    first of the steps.
    """
    fills: dict[int, int] = {}
    rest = before
    if starter >= 0:
        fills[starter], rest = before, before + 1
    events = [
        [event for event, mask in enumerate(pattern) if mask >> step & 1 and event != starter]
        for step in range(after)
    ]
    if not all(_placed(step, events, fills, set()) for step in range(rest, after)):
        return None
    by_step = {step: event for event, step in fills.items()}
    return tuple(by_step[step] for step in range(before, after))

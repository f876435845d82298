"""PostHog's funnels in any order, as ``funnel-udf/src/unordered_steps.rs`` has them.

Read in PostHog/posthog in November 2026, and applied to all profiles at once: per step the events
that wait for the other steps are a queue.
"""

from __future__ import annotations

import numpy as np

from convergekit.base.lockstep import Lockstep
from convergekit.funnels.events import FunnelEvents
from convergekit.funnels.paths import Paths
from convergekit.typing import BoolArray, IntArray

_NOT_A_TIME = np.iinfo(np.int64).min


def posthog_unordered(prepared: FunnelEvents, steps: int, window: int) -> Paths:
    """Find how many of the steps each unit does within the window, in whatever order."""
    prepared = prepared.in_order()
    prepared = prepared.chosen(~_repeats_in_between(prepared))
    state = _Queues(prepared, steps, window)
    going = Lockstep(prepared.unit)
    for at in going:
        state.process(at)
    return state.paths(going.sequence)


def _repeats_in_between(prepared: FunnelEvents) -> BoolArray:
    """Return which events PostHog leaves out beforehand.

    An event of at most one step that fits the same steps as both of its neighbours, and lies
    strictly between them.
    """
    same = np.zeros(len(prepared.unit), dtype=bool)
    if len(same) < 3:
        return same
    meaning = np.where(prepared.excluding, -1, prepared.mask)
    alike = (prepared.unit[1:] == prepared.unit[:-1]) & (meaning[1:] == meaning[:-1])
    later = prepared.time[1:] > prepared.time[:-1]
    both = alike & later
    same[1:-1] = both[:-1] & both[1:]
    single = (prepared.mask & (prepared.mask - 1)) == 0
    return same & single


class _Queues:
    """Per unit and step, the events that wait for the rest; and the most there ever were."""

    def __init__(self, prepared: FunnelEvents, steps: int, window: int) -> None:
        self._prepared, self._excluding, self._steps, self._window = (
            prepared,
            prepared.excluding,
            steps,
            window,
        )
        unit = prepared.unit
        self._is_last = np.ones(len(unit), dtype=bool)
        self._is_last[:-1] = unit[1:] != unit[:-1]
        count = int(self._is_last.sum())
        self._head = np.full((count, steps), -1, dtype=np.int64)
        self._tail = np.full((count, steps), -1, dtype=np.int64)
        self._next = np.full(len(unit), -1, dtype=np.int64)
        self._depth = np.zeros(count, dtype=np.int64)
        self._best = np.full((count, steps), -1, dtype=np.int64)
        self._took_part = np.zeros(count, dtype=bool)
        self._last_entry = np.full(count, _NOT_A_TIME)

    def process(self, at: IntArray) -> None:
        """Look at one event of each unit."""
        unit = np.flatnonzero(self._depth[: len(at)] < self._steps)
        self._evict(unit, self._prepared.time[at[unit]])
        excludes = self._excluding[at[unit]]
        self._head[unit[excludes]] = self._tail[unit[excludes]] = -1
        self._push(unit[~excludes], at[unit[~excludes]])
        # PostHog stops at the first completion, which is recorded only when something follows.
        self._record(unit[self._is_last[at[unit]]])

    def _evict(self, unit: IntArray, time: IntArray) -> None:
        while len(unit):
            head = self._head[unit]
            waits = np.where(head >= 0, self._prepared.time[head], np.iinfo(np.int64).max)
            step = waits.argmin(axis=1)
            oldest = waits.min(axis=1)
            there = (head >= 0).any(axis=1)
            complete = (head >= 0).all(axis=1)
            late = there & (complete | (time - np.where(there, oldest, time) > self._window))
            unit, time, step = unit[late], time[late], step[late]
            self._record(unit)
            left = self._next[self._head[unit, step]]
            self._head[unit, step] = left
            self._tail[unit[left < 0], step[left < 0]] = -1

    def _push(self, unit: IntArray, event: IntArray) -> None:
        tail = self._tail[unit]
        fits = self._prepared.mask[event][:, None] >> np.arange(self._steps) & 1 == 1
        waiting_since = np.where(tail >= 0, self._prepared.time[tail], _NOT_A_TIME)
        waiting_since = np.where(fits, waiting_since, np.iinfo(np.int64).max)
        step = waiting_since.argmin(axis=1)
        before = self._tail[unit, step]
        self._next[before[before >= 0]] = event[before >= 0]
        empty = before < 0
        self._head[unit[empty], step[empty]] = event[empty]
        self._tail[unit, step] = event
        self._took_part[unit] = True
        self._last_entry[unit] = self._prepared.time[event]

    def _record(self, unit: IntArray) -> None:
        head = self._head[unit]
        done = (head >= 0).sum(axis=1)
        better = done > self._depth[unit]
        unit, head = unit[better], head[better]
        self._depth[unit] = done[better]
        times = np.where(head >= 0, self._prepared.time[head], np.iinfo(np.int64).max)
        order = np.argsort(times, axis=1, kind="stable")
        self._best[unit] = np.take_along_axis(head, order, axis=1)

    def paths(self, sequence: IntArray) -> Paths:
        """Return how many steps each unit did; one whose progress was wiped out is excluded."""
        order = np.argsort(sequence)
        entered = order[self._took_part[order]]
        event = self._best[entered]
        depth = self._depth[entered]
        return Paths(
            unit=sequence[entered],
            depth=depth,
            free=np.maximum(depth, 1),
            event=np.where(event >= 0, self._prepared.position[event], -1),
            time=np.where(event >= 0, self._prepared.time[event], 0),
            last_entry=self._last_entry[entered],
        )

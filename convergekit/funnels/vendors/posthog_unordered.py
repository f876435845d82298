"""PostHog's funnels in any order, as ``funnel-udf/src/unordered_steps.rs`` has them.

Read in PostHog/posthog in November 2026, and applied to all profiles at once: per step the events
that wait for the other steps are a queue.
"""

from __future__ import annotations

import numpy as np

from convergekit.base.lockstep import Lockstep
from convergekit.funnels.events import Fed
from convergekit.funnels.paths import Paths
from convergekit.typing import BoolArray, IntArray

_NOT_A_TIME = np.iinfo(np.int64).min


def posthog_unordered(fed: Fed, steps: int, window: int) -> Paths:
    """Find how many of the steps each who does within the window, in whatever order."""
    fed = fed.in_order()
    fed = fed.chosen(~_repeats_in_between(fed))
    state = _Queues(fed, steps, window)
    going = Lockstep(fed.who)
    for at in going:
        state.process(at)
    return state.paths(going.sequence)


def _repeats_in_between(fed: Fed) -> BoolArray:
    """Return which events PostHog leaves out beforehand.

    An event of at most one step that fits the same steps as both of its neighbours, and lies
    strictly between them.
    """
    same = np.zeros(len(fed.who), dtype=bool)
    if len(same) < 3:
        return same
    meaning = np.where(fed.excluding, -1, fed.mask)
    alike = (fed.who[1:] == fed.who[:-1]) & (meaning[1:] == meaning[:-1])
    later = fed.time[1:] > fed.time[:-1]
    both = alike & later
    same[1:-1] = both[:-1] & both[1:]
    single = (fed.mask & (fed.mask - 1)) == 0
    return same & single


class _Queues:
    """Per who and step, the events that wait for the rest; and the most there ever were."""

    def __init__(self, fed: Fed, steps: int, window: int) -> None:
        self._fed, self._excluding, self._steps, self._window = fed, fed.excluding, steps, window
        who = fed.who
        self._is_last = np.ones(len(who), dtype=bool)
        self._is_last[:-1] = who[1:] != who[:-1]
        count = int(self._is_last.sum())
        self._head = np.full((count, steps), -1, dtype=np.int64)
        self._tail = np.full((count, steps), -1, dtype=np.int64)
        self._next = np.full(len(who), -1, dtype=np.int64)
        self._depth = np.zeros(count, dtype=np.int64)
        self._best = np.full((count, steps), -1, dtype=np.int64)
        self._took_part = np.zeros(count, dtype=bool)
        self._last_entry = np.full(count, _NOT_A_TIME)

    def process(self, at: IntArray) -> None:
        """Look at one event of each who."""
        who = np.flatnonzero(self._depth[: len(at)] < self._steps)
        self._evict(who, self._fed.time[at[who]])
        excludes = self._excluding[at[who]]
        self._head[who[excludes]] = self._tail[who[excludes]] = -1
        self._push(who[~excludes], at[who[~excludes]])
        # PostHog stops at the first completion, which is recorded only when something follows.
        self._record(who[self._is_last[at[who]]])

    def _evict(self, who: IntArray, time: IntArray) -> None:
        while len(who):
            head = self._head[who]
            waits = np.where(head >= 0, self._fed.time[head], np.iinfo(np.int64).max)
            step = waits.argmin(axis=1)
            oldest = waits.min(axis=1)
            there = (head >= 0).any(axis=1)
            complete = (head >= 0).all(axis=1)
            late = there & (complete | (time - np.where(there, oldest, time) > self._window))
            who, time, step = who[late], time[late], step[late]
            self._record(who)
            left = self._next[self._head[who, step]]
            self._head[who, step] = left
            self._tail[who[left < 0], step[left < 0]] = -1

    def _push(self, who: IntArray, event: IntArray) -> None:
        tail = self._tail[who]
        fits = self._fed.mask[event][:, None] >> np.arange(self._steps) & 1 == 1
        waiting_since = np.where(tail >= 0, self._fed.time[tail], _NOT_A_TIME)
        waiting_since = np.where(fits, waiting_since, np.iinfo(np.int64).max)
        step = waiting_since.argmin(axis=1)
        before = self._tail[who, step]
        self._next[before[before >= 0]] = event[before >= 0]
        empty = before < 0
        self._head[who[empty], step[empty]] = event[empty]
        self._tail[who, step] = event
        self._took_part[who] = True
        self._last_entry[who] = self._fed.time[event]

    def _record(self, who: IntArray) -> None:
        head = self._head[who]
        done = (head >= 0).sum(axis=1)
        better = done > self._depth[who]
        who, head = who[better], head[better]
        self._depth[who] = done[better]
        times = np.where(head >= 0, self._fed.time[head], np.iinfo(np.int64).max)
        order = np.argsort(times, axis=1, kind="stable")
        self._best[who] = np.take_along_axis(head, order, axis=1)

    def paths(self, sequence: IntArray) -> Paths:
        """Return how many steps each who did; one whose progress was wiped out is excluded."""
        order = np.argsort(sequence)
        entered = order[self._took_part[order]]
        event = self._best[entered]
        depth = self._depth[entered]
        return Paths(
            who=sequence[entered],
            depth=depth,
            free=np.maximum(depth, 1),
            event=np.where(event >= 0, self._fed.position[event], -1),
            time=np.where(event >= 0, self._fed.time[event], 0),
            last_entry=self._last_entry[entered],
        )

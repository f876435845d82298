"""ClickHouse's `windowFunnel`, as its source has it.

The rules are those of ``AggregateFunctionWindowFunnel.cpp`` in ClickHouse/ClickHouse (read in
November 2026; equal to ClickHouse 26.9 on random sequences), applied to all profiles at once.
They differ from the search of `funnel_search` in that one event may fill several steps.
"""

from __future__ import annotations

import numpy as np

from convergekit.base.lockstep import Lockstep
from convergekit.funnels.events import Fed
from convergekit.funnels.paths import Paths
from convergekit.typing import IntArray

_NOT_A_TIME = np.iinfo(np.int64).min


def window_funnel(fed: Fed, steps: int, window: int, *, strict: bool = False) -> Paths:
    """Find how deep each who gets, as `windowFunnel` does, or with ``'strict_order'``.

    Parameters
    ----------
    fed : Fed
    steps : int
    window : int
        Microseconds from the entry, the end included.
    strict : bool
    """
    fed = fed.in_order()
    event, step = _conditions(fed, steps, strict)
    going = Lockstep(fed.who[event])
    levels = _Levels(fed, event, step, steps, window, strict, len(going))
    for at in going:
        levels.process(at)
    return levels.paths(going.sequence)


def _conditions(fed: Fed, steps: int, strict: bool) -> tuple[IntArray, IntArray]:
    """Return every event once per step that it fills (0 for a foreign one), by time, then step."""
    events = [np.flatnonzero(fed.mask >> step & 1) for step in range(steps)]
    found = [np.full(len(part), step + 1) for step, part in enumerate(events)]
    if strict:
        foreign = np.flatnonzero(fed.mask == 0)
        events.append(foreign)
        found.append(np.zeros(len(foreign), dtype=np.int64))
    event, step = np.concatenate(events), np.concatenate(found)
    order = np.lexsort((event, step, fed.time[event], fed.who[event]))
    return event[order], step[order]


class _Levels:
    """Per who and step, the entry of the attempt that got there last."""

    def __init__(
        self,
        fed: Fed,
        event: IntArray,
        step: IntArray,
        steps: int,
        window: int,
        strict: bool,
        count: int,
    ) -> None:
        self._fed, self._event, self._step = fed, event, step
        self._steps, self._window, self._strict = steps, window, strict
        self._entry = np.full((count, steps + 1), _NOT_A_TIME)
        self._path = np.full((count, steps + 1, steps), -1, dtype=np.int64)
        self._stopped = np.zeros(count, dtype=bool)
        self._depth = np.zeros(count, dtype=np.int64)
        self._best = np.full((count, steps), -1, dtype=np.int64)

    def process(self, at: IntArray) -> None:
        """Look at one event and step of each who."""
        step = self._step[at]
        who = np.flatnonzero(~self._stopped[: len(at)])
        if self._strict:
            entered = self._entry[who, 1] != _NOT_A_TIME
            unreached = (step[who] > 1) & (self._entry[who, step[who] - 1] == _NOT_A_TIME)
            self._stopped[who[entered & ((step[who] == 0) | unreached)]] = True
            who = who[~self._stopped[who] & (step[who] > 0)]
        step, event = step[who], self._event[at[who]]
        time = self._fed.time[event]
        first = step == 1
        self._entry[who[first], 0] = time[first]
        entry = self._entry[who, step - 1]
        # The subtraction is of times only where there is an entry.
        there = entry != _NOT_A_TIME
        goes_on = there & (time - np.where(there, entry, time) <= self._window)
        who, step, event, entry = who[goes_on], step[goes_on], event[goes_on], entry[goes_on]
        path = self._path[who, step - 1]
        path[np.arange(len(who)), step - 1] = event
        self._entry[who, step], self._path[who, step] = entry, path
        deeper = step > self._depth[who]
        self._depth[who[deeper]], self._best[who[deeper]] = step[deeper], path[deeper]
        self._stopped[who[step == self._steps]] = True

    def paths(self, sequence: IntArray) -> Paths:
        """Return how deep each who got, by the attempt that first got there."""
        order = np.argsort(sequence)
        entered = order[self._depth[order] > 0]
        path = self._best[entered]
        return Paths(
            who=sequence[entered],
            depth=self._depth[entered],
            free=self._depth[entered],
            event=np.where(path >= 0, self._fed.position[path], -1),
            time=np.where(path >= 0, self._fed.time[path], 0),
            last_entry=self._entry[entered, 1],
        )

"""ClickHouse's `windowFunnel`, as its source has it.

The rules are those of ``AggregateFunctionWindowFunnel.cpp`` in ClickHouse/ClickHouse (read in
November 2026; equal to ClickHouse 26.9 on random sequences), applied to all profiles at once.
They differ from the search in `funnels.search` in that one event may fill several steps.
"""

from __future__ import annotations

import numpy as np

from convergekit.base.lockstep import Lockstep
from convergekit.funnels.events import FunnelEvents
from convergekit.funnels.paths import Paths
from convergekit.typing import IntArray

_NOT_A_TIME = np.iinfo(np.int64).min


def window_funnel(
    prepared: FunnelEvents, steps: int, window: int, *, strict: bool = False
) -> Paths:
    """Find how deep each unit gets, as `windowFunnel` does, or with ``'strict_order'``.

    Parameters
    ----------
    prepared : FunnelEvents
    steps : int
    window : int
        Microseconds from the entry, the end included.
    strict : bool
    """
    prepared = prepared.in_order()
    event, step = _conditions(prepared, steps, strict)
    going = Lockstep(prepared.unit[event])
    levels = _Levels(prepared, event, step, steps, window, strict, len(going))
    for at in going:
        levels.process(at)
    return levels.paths(going.sequence)


def _conditions(prepared: FunnelEvents, steps: int, strict: bool) -> tuple[IntArray, IntArray]:
    """Return every event once per step that it fills (0 if none), by time, then step."""
    events = [np.flatnonzero(prepared.mask >> step & 1) for step in range(steps)]
    found = [np.full(len(part), step + 1) for step, part in enumerate(events)]
    if strict:
        non_step = np.flatnonzero(prepared.mask == 0)
        events.append(non_step)
        found.append(np.zeros(len(non_step), dtype=np.int64))
    event, step = np.concatenate(events), np.concatenate(found)
    order = np.lexsort((event, step, prepared.time[event], prepared.unit[event]))
    return event[order], step[order]


class _Levels:
    """Per unit and step, the entry of the attempt that got there last."""

    def __init__(
        self,
        prepared: FunnelEvents,
        event: IntArray,
        step: IntArray,
        steps: int,
        window: int,
        strict: bool,
        count: int,
    ) -> None:
        self._prepared, self._event, self._step = prepared, event, step
        self._steps, self._window, self._strict = steps, window, strict
        self._entry = np.full((count, steps + 1), _NOT_A_TIME)
        self._path = np.full((count, steps + 1, steps), -1, dtype=np.int64)
        self._stopped = np.zeros(count, dtype=bool)
        self._depth = np.zeros(count, dtype=np.int64)
        self._best = np.full((count, steps), -1, dtype=np.int64)

    def process(self, at: IntArray) -> None:
        """Look at one event and step of each unit."""
        step = self._step[at]
        unit = np.flatnonzero(~self._stopped[: len(at)])
        if self._strict:
            entered = self._entry[unit, 1] != _NOT_A_TIME
            unreached = (step[unit] > 1) & (self._entry[unit, step[unit] - 1] == _NOT_A_TIME)
            self._stopped[unit[entered & ((step[unit] == 0) | unreached)]] = True
            unit = unit[~self._stopped[unit] & (step[unit] > 0)]
        step, event = step[unit], self._event[at[unit]]
        time = self._prepared.time[event]
        first = step == 1
        self._entry[unit[first], 0] = time[first]
        entry = self._entry[unit, step - 1]
        # The subtraction is of times only where there is an entry.
        there = entry != _NOT_A_TIME
        goes_on = there & (time - np.where(there, entry, time) <= self._window)
        unit, step, event, entry = unit[goes_on], step[goes_on], event[goes_on], entry[goes_on]
        path = self._path[unit, step - 1]
        path[np.arange(len(unit)), step - 1] = event
        self._entry[unit, step], self._path[unit, step] = entry, path
        deeper = step > self._depth[unit]
        self._depth[unit[deeper]], self._best[unit[deeper]] = step[deeper], path[deeper]
        self._stopped[unit[step == self._steps]] = True

    def paths(self, sequence: IntArray) -> Paths:
        """Return how deep each unit got, by the attempt that first got there."""
        order = np.argsort(sequence)
        entered = order[self._depth[order] > 0]
        path = self._best[entered]
        return Paths(
            unit=sequence[entered],
            depth=self._depth[entered],
            free=self._depth[entered],
            event=np.where(path >= 0, self._prepared.position[path], -1),
            time=np.where(path >= 0, self._prepared.time[path], 0),
            last_entry=self._entry[entered, 1],
        )

"""PostHog's funnels in order and in strict order, as ``funnel-udf/src/steps.rs`` has them.

Read in PostHog/posthog in November 2026, and applied to all profiles at once: each profile's events
are looked at one after another, an event once for each step that it fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from convergekit.base.grouping import distinct, run_starts
from convergekit.base.lockstep import Lockstep
from convergekit.funnels.events import FunnelEvents
from convergekit.funnels.paths import Paths
from convergekit.typing import BoolArray, IntArray

#: Events closer than this are simultaneous, unless the order is strict or the actor has an
#: event that excludes.
SIMULTANEOUS = 50_000

_NOT_A_TIME = np.iinfo(np.int64).min


def posthog_ordered(
    prepared: FunnelEvents,
    steps: int,
    window: int,
    exclusions: Sequence[tuple[int, int]] = (),
    *,
    strict: bool = False,
    optional: Sequence[int] = (),
    only: tuple[int, BoolArray] | None = None,
) -> Paths:
    """Find how deep each unit gets in order, or with none of its events in between.

    Parameters
    ----------
    prepared : FunnelEvents
    steps : int
    window : int
        Microseconds from the entry, the end included.
    exclusions : sequence of (int, int)
        Per exclusion of the events, the steps (from 1) that it stands between.
    strict : bool
    optional : sequence of int
        Steps (from 1) that may be left out.
    only : (int, numpy.ndarray of bool), optional
        A step, and which events may fill it: PostHog's attribution to a step.
    """
    prepared, may_fill = _in_order(prepared, only)
    excluded_steps = _excluded_steps(prepared, exclusions)
    items = _Items.of(prepared, steps, excluded_steps, strict)
    state = _Slots(
        prepared, items, steps, window, set(optional), only and only[0], may_fill, strict
    )
    going = Lockstep(prepared.unit[items.event])
    for at in going:
        state.process(at)
    return state.paths(going.sequence)


def _in_order(
    prepared: FunnelEvents, only: tuple[int, BoolArray] | None
) -> tuple[FunnelEvents, BoolArray]:
    """Return the events in order, and which of them may fill the step of `only`."""
    if only is None:
        prepared = prepared.in_order()
        return prepared, np.ones(len(prepared.unit), dtype=bool)
    unit = np.where(prepared.takes_part, prepared.unit, -1)
    # The truths travel along as if they were one more exclusion.
    prepared = replace(prepared, unit=unit, excludes=[*prepared.excludes, only[1]]).in_order()
    return replace(prepared, excludes=prepared.excludes[:-1]), prepared.excludes[-1]


def _excluded_steps(prepared: FunnelEvents, exclusions: Sequence[tuple[int, int]]) -> IntArray:
    """Return, per event, before which steps it excludes, as bits."""
    found = np.zeros(len(prepared.unit), dtype=np.int64)
    for (after, before), excluding in zip(exclusions, prepared.excludes, strict=True):
        for step in range(after, before):
            found[excluding] |= np.int64(1 << step)
    return found


@dataclass(frozen=True)
class _Items:
    """What is looked at one after another: an event and one of its steps.

    Attributes
    ----------
    event : numpy.ndarray of int
    step : numpy.ndarray of int
        From 1; negative where the event excludes before the step; 0 for "this event is over",
        which in strict order ends the attempts that it does not go on with.
    time : numpy.ndarray of int
    tied : numpy.ndarray of bool
        Whether the event is one of several simultaneous ones that fit different steps.
    opens : numpy.ndarray of bool
        Whether it is the first item of a run of simultaneous events.
    entry : numpy.ndarray of int
        The time of that run's first event, at which an attempt may enter.
    """

    event: IntArray
    step: IntArray
    time: IntArray
    tied: BoolArray
    opens: BoolArray
    entry: IntArray

    @classmethod
    def of(
        cls, prepared: FunnelEvents, steps: int, excluded_steps: IntArray, strict: bool
    ) -> _Items:
        size = len(prepared.unit)
        tolerance = np.full(int(prepared.unit.max(initial=0)) + 1, 0 if strict else SIMULTANEOUS)
        tolerance[prepared.unit[excluded_steps > 0]] = 0
        entry = prepared.tied(tolerance).time if size else prepared.time
        opens = run_starts(prepared.unit, entry)
        run = np.cumsum(opens) - 1
        meaning = prepared.mask - excluded_steps
        first = np.flatnonzero(opens)
        alike = np.logical_and.reduceat(meaning == meaning[first][run], first) if size else opens
        tied = ~alike[run] if size else opens

        events: list[IntArray] = []
        found: list[IntArray] = []
        for step in range(1, steps + 1):
            fills = np.flatnonzero(prepared.mask >> (step - 1) & 1)
            excludes = np.flatnonzero((excluded_steps >> (step - 1) & 1) & ~tied)
            events += [fills, excludes]
            found += [np.full(len(fills), step), np.full(len(excludes), -step)]
        if strict:
            over = np.flatnonzero(~tied)
            events.append(over)
            found.append(np.zeros(len(over), dtype=np.int64))
        event, of_step = np.concatenate(events), np.concatenate(found)
        # Simultaneous events go by the step, others one by one with the highest step first.
        one_by_one = ~tied[event]
        order = np.lexsort(
            (
                np.where(one_by_one, -np.abs(of_step), event),
                np.where(one_by_one, event, of_step),
                run[event],
            )
        )
        event, of_step = event[order], of_step[order]
        time = np.where(tied, entry, prepared.time)
        first_item = run_starts(run[event])
        return cls(event, of_step, time[event], tied[event], first_item, entry[event])


class _Slots:
    """Per unit and step, the attempt that got there last; and the best there ever was."""

    def __init__(
        self,
        prepared: FunnelEvents,
        items: _Items,
        steps: int,
        window: int,
        optional: set[int],
        only_step: int | None,
        may_fill: BoolArray,
        strict: bool,
    ) -> None:
        self._prepared, self._items, self._steps, self._window = prepared, items, steps, window
        self._optional, self._only_step, self._may_fill = optional, only_step, may_fill
        self._strict = strict
        count = len(distinct(prepared.unit[items.event]))
        self._entry = np.full((count, steps + 1), _NOT_A_TIME)
        self._excluded = np.zeros((count, steps + 1), dtype=bool)
        self._path = np.full((count, steps + 1, steps), -1, dtype=np.int64)
        self._done = np.zeros(count, dtype=bool)
        self._depth = np.zeros(count, dtype=np.int64)
        self._best_entry = np.full(count, _NOT_A_TIME)
        self._best_excluded = np.zeros(count, dtype=bool)
        self._best_path = np.full((count, steps), -1, dtype=np.int64)
        self._last_entry = np.full(count, _NOT_A_TIME)
        required = [step for step in range(steps) if step + 1 not in optional]
        self._required = np.array(required)

    def process(self, at: IntArray) -> None:
        """Look at one item of each unit."""
        opens = self._items.opens[at]
        going = len(at)
        self._done[:going] |= opens & (self._entry[:going, self._steps] != _NOT_A_TIME)
        live = ~self._done[:going]
        opened = np.flatnonzero(opens & live)
        self._entry[opened, 0] = self._items.entry[at[opened]]
        self._excluded[opened, 0] = False
        step = self._items.step[at]
        self._advance(np.flatnonzero(live & (step != 0)), at)
        if self._strict:
            self._break_off(np.flatnonzero(live & (step == 0)), at)

    def _advance(self, unit: IntArray, at: IntArray) -> None:
        step, time = np.abs(self._items.step[at[unit]]), self._items.time[at[unit]]
        before = step - 1
        open_ = self._is_open(unit, before, time)
        for _ in range(len(self._optional)):
            skips = ~open_ & np.isin(before, list(self._optional))
            before = before - skips
            open_ = self._is_open(unit, before, time)
        entry = self._entry[unit, before]
        # Of one entry, the first event of a step is kept.
        open_ &= self._entry[unit, step] != entry
        unit, step, before, time = unit[open_], step[open_], before[open_], time[open_]
        item = at[unit]
        excludes = self._items.step[item] < 0
        self._exclude(unit[excludes], before[excludes], time[excludes])
        self._fill(unit[~excludes], step[~excludes], before[~excludes], item[~excludes])

    def _is_open(self, unit: IntArray, before: IntArray, time: IntArray) -> BoolArray:
        entry = self._entry[unit, before]
        # The subtraction is of times only where there is an entry.
        elapsed = time - np.where(entry == _NOT_A_TIME, time, entry)
        return (entry != _NOT_A_TIME) & (elapsed <= self._window)

    def _exclude(self, unit: IntArray, before: IntArray, time: IntArray) -> None:
        fresh = ~self._excluded[unit, before]
        unit, before, time = unit[fresh], before[fresh], time[fresh]
        self._excluded[unit, before] = True
        is_best = self._depth[unit] == before
        unit, time = unit[is_best], time[is_best]
        in_window = time - self._best_entry[unit] <= self._window
        self._best_excluded[unit[in_window]] = True

    def _fill(self, unit: IntArray, step: IntArray, before: IntArray, item: IntArray) -> None:
        event = self._items.event[item]
        fits = np.ones(len(unit), dtype=bool)
        if self._only_step is not None:
            fits &= (before != self._only_step - 1) | self._may_fill[event]
        path = self._path[unit, before]
        required = path[:, self._required]
        same = (self._items.event[required] == event[:, None]) & (required >= 0)
        fits &= ~(self._items.tied[item] & same.any(axis=1))
        unit, step, before = unit[fits], step[fits], before[fits]
        item, path = item[fits], path[fits]

        entry, excluded = self._entry[unit, before], self._excluded[unit, before]
        path[np.arange(len(unit)), step - 1] = item
        clean = ~excluded
        self._entry[unit[clean], step[clean]] = entry[clean]
        self._excluded[unit[clean], step[clean]] = False
        self._path[unit[clean], step[clean]] = path[clean]
        enters = step == 1
        self._last_entry[unit[enters]] = entry[enters]
        better = (step > self._depth[unit]) | (
            (step == self._depth[unit]) & self._best_excluded[unit]
        )
        unit = unit[better]
        self._depth[unit] = step[better]
        self._best_entry[unit] = entry[better]
        self._best_excluded[unit] = excluded[better]
        self._best_path[unit] = path[better]

    def _break_off(self, unit: IntArray, at: IntArray) -> None:
        mask = self._prepared.mask[self._items.event[at[unit]]]
        for step in range(1, self._steps + 1):
            broken = unit[mask >> (step - 1) & 1 == 0]
            self._entry[broken, step] = _NOT_A_TIME
            self._excluded[broken, step] = False

    def paths(self, sequence: IntArray) -> Paths:
        """Return each unit's best attempt; an excluded one leaves from the first step."""
        order = np.argsort(sequence)
        entered = order[self._depth[order] > 0]
        path, depth = self._best_path[entered], self._depth[entered]
        there = path >= 0
        return Paths(
            unit=sequence[entered],
            depth=depth,
            free=depth + self._best_excluded[entered],
            event=np.where(there, self._prepared.position[self._items.event[path]], -1),
            time=np.where(there, self._items.time[path], 0),
            last_entry=self._last_entry[entered],
        )

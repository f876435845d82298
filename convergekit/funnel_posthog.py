"""PostHog's funnels, as its source has them.

The rules are those of ``funnel-udf/src/steps.rs`` and ``unordered_steps.rs`` in PostHog/posthog
(read in November 2026), applied to all profiles at once. They differ from the search of
`funnel_search` where an event fits two steps, at equal times, in how exclusions work, and in what
strict order forgives; ``docs/funnel-semantics.md`` says how.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from convergekit.errors import ConvergekitError
from convergekit.events import missing
from convergekit.funnel_events import Fed
from convergekit.funnel_paths import Paths
from convergekit.funnel_presets import ByStep, Order
from convergekit.lockstep import Lockstep

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

#: Events closer than this are simultaneous, unless the order is strict or the actor has an
#: event that excludes.
SIMULTANEOUS = 50_000

_NEVER = np.iinfo(np.int64).min


def posthog_paths(
    fed: Fed,
    steps: int,
    window: int,
    exclusions: Sequence[tuple[int, int]],
    order: Order,
    optional: Sequence[int],
    values: pd.DataFrame,
    by_step: ByStep,
) -> tuple[Fed, Paths, IntArray | None]:
    """Find how deep each who gets, and which event gives its label in a breakdown.

    Parameters
    ----------
    fed : Fed
    steps : int
    window : int
        Microseconds from the entry, the end included.
    exclusions : sequence of (int, int)
        Per exclusion of the events, the steps (from 1) that it stands between.
    order : {"ordered", "strict", "any"}
    optional : sequence of int
        Steps (from 1) that may be left out.
    values : pandas.DataFrame
        The columns of the breakdown, of all the frame's events.
    by_step : {"first", "last"} or int
        PostHog's first touch, last touch, or attribution to a step.

    Returns
    -------
    fed : Fed
        The events, repeated for everybody's values where the attribution is to a step.
    paths : Paths
    label_at : numpy.ndarray of int or None
        Per path, the frame's position of the event that gives the label, -1 for none; None
        without a breakdown.
    """
    if order == "any" and isinstance(by_step, int) and len(values.columns):
        raise ConvergekitError(
            "like='posthog' labels order='any' by the first or the last touch only; set "
            "by_step='first' or 'last'."
        )
    only: tuple[int, BoolArray] | None = None
    label_of_who: IntArray | None = None
    if len(values.columns) and isinstance(by_step, int):
        fed, label_of_who, may_fill = _for_every_value(fed, values, by_step)
        only = (by_step, may_fill)
    elif len(values.columns):
        label_of_who = _touch(fed, values, last=by_step == "last")
    if order == "any":
        paths = posthog_unordered(fed, steps, window, exclusions)
    else:
        strict = order == "strict"
        paths = posthog_ordered(
            fed, steps, window, exclusions, strict=strict, optional=optional, only=only
        )
    return fed, paths, None if label_of_who is None else label_of_who[paths.who]


def posthog_ordered(
    fed: Fed,
    steps: int,
    window: int,
    exclusions: Sequence[tuple[int, int]] = (),
    *,
    strict: bool = False,
    optional: Sequence[int] = (),
    only: tuple[int, BoolArray] | None = None,
) -> Paths:
    """Find how deep each who gets in order, or with none of its events in between.

    Parameters
    ----------
    fed : Fed
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
    fed, may_fill = _in_order(fed, only)
    excluded_steps = _excluded_steps(fed, exclusions)
    items = _Items.of(fed, steps, excluded_steps, strict)
    state = _Slots(fed, items, steps, window, set(optional), only and only[0], may_fill, strict)
    going = Lockstep(fed.who[items.event])
    for at in going:
        state.process(at)
    return state.paths(going.sequence)


def posthog_unordered(
    fed: Fed, steps: int, window: int, exclusions: Sequence[tuple[int, int]] = ()
) -> Paths:
    """Find how many of the steps each who does within the window, in whatever order."""
    fed, _ = _in_order(fed, None)
    excluding = _excluded_steps(fed, exclusions) > 0
    kept = ~_repeats_in_between(fed, excluding)
    fed = fed.chosen(kept)
    excluding = excluding[kept]
    state = _Queues(fed, excluding, steps, window)
    going = Lockstep(fed.who)
    for at in going:
        state.process(at)
    return state.paths(going.sequence)


def _has_label(fed: Fed, values: pd.DataFrame) -> BoolArray:
    """Return which events have a value in any of the columns."""
    given = np.zeros(len(values), dtype=bool)
    for name in values:
        given |= ~missing(values[name]).to_numpy(dtype=bool)
    return given[fed.position]


def _touch(fed: Fed, values: pd.DataFrame, *, last: bool) -> IntArray:
    """Return, per who, the position of the first or last event that has a value, -1 for none."""
    at = np.flatnonzero(fed.takes_part & _has_label(fed, values))
    at = at[np.lexsort((fed.arrival[at], fed.time[at]))]
    found = np.full(len(fed.whose), -1, dtype=np.int64)
    # What is written last stays.
    at = at if last else at[::-1]
    found[fed.who[at]] = fed.position[at]
    return found


def _for_every_value(fed: Fed, values: pd.DataFrame, step: int) -> tuple[Fed, IntArray, BoolArray]:
    """Repeat everybody's events for every value that they have on an event of the step.

    Returns
    -------
    fed : Fed
        A who for every who and value; people without a value at the step are left out.
    label_of_who : numpy.ndarray of int
        The position of an event that has the value.
    may_fill : numpy.ndarray of bool
        Which events have the who's value.
    """
    fed = fed.in_order()
    code = values.iloc[fed.position].groupby(list(values), dropna=False, sort=False).ngroup()
    code = code.to_numpy(dtype=np.int64)
    at = np.flatnonzero((fed.mask >> (step - 1) & 1 == 1) & _has_label(fed, values))
    pairs, first = np.unique(np.stack([fed.who[at], code[at]]), axis=1, return_index=True)
    begin = np.searchsorted(fed.who, pairs[0])
    sizes = np.searchsorted(fed.who, pairs[0], side="right") - begin
    unit = np.repeat(np.arange(len(sizes)), sizes)
    places = np.arange(len(unit)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + begin[unit]
    repeated = replace(fed.chosen(places), who=unit, whose=fed.whose[pairs[0]])
    return repeated, fed.position[at[first]], code[places] == pairs[1][unit]


def _in_order(fed: Fed, only: tuple[int, BoolArray] | None) -> tuple[Fed, BoolArray]:
    """Return the events in order, and which of them may fill the step of `only`."""
    if only is None:
        fed = fed.in_order()
        return fed, np.ones(len(fed.who), dtype=bool)
    # The truths travel along as if they were one more exclusion.
    fed = replace(fed, excludes=[*fed.excludes, only[1]])
    part = fed.takes_part & ((fed.mask > 0) | fed.foreign | _any(fed.excludes[:-1], len(fed.who)))
    fed = replace(fed, who=np.where(part, fed.who, -1)).in_order()
    return replace(fed, excludes=fed.excludes[:-1]), fed.excludes[-1]


def _any(truths: Sequence[BoolArray], size: int) -> BoolArray:
    return np.logical_or.reduce([np.zeros(size, dtype=bool), *truths])


def _excluded_steps(fed: Fed, exclusions: Sequence[tuple[int, int]]) -> IntArray:
    """Return, per event, before which steps it excludes, as bits."""
    found = np.zeros(len(fed.who), dtype=np.int64)
    for (after, before), excluding in zip(exclusions, fed.excludes, strict=True):
        for step in range(after, before):
            found[excluding] |= np.int64(1 << step)
    if (found[fed.mask > 0] > 0).any():
        raise ConvergekitError(
            "PostHog takes no event as an exclusion that is a step as well; leave out "
            "like='posthog', or exclude other events."
        )
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
    def of(cls, fed: Fed, steps: int, excluded_steps: IntArray, strict: bool) -> _Items:
        size = len(fed.who)
        tolerance = np.full(int(fed.who.max(initial=0)) + 1, 0 if strict else SIMULTANEOUS)
        tolerance[fed.who[excluded_steps > 0]] = 0
        entry = fed.tied(tolerance).time if size else fed.time
        opens = np.ones(size, dtype=bool)
        opens[1:] = (fed.who[1:] != fed.who[:-1]) | (entry[1:] != entry[:-1])
        run = np.cumsum(opens) - 1
        meaning = fed.mask - excluded_steps
        first = np.flatnonzero(opens)
        alike = np.logical_and.reduceat(meaning == meaning[first][run], first) if size else opens
        tied = ~alike[run] if size else opens

        events: list[IntArray] = []
        found: list[IntArray] = []
        for step in range(1, steps + 1):
            fills = np.flatnonzero(fed.mask >> (step - 1) & 1)
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
        new = np.ones(len(event), dtype=bool)
        new[1:] = run[event][1:] != run[event][:-1]
        time = np.where(tied, entry, fed.time)
        return cls(event, of_step, time[event], tied[event], new, entry[event])


class _Slots:
    """Per who and step, the attempt that got there last; and the best there ever was."""

    def __init__(
        self,
        fed: Fed,
        items: _Items,
        steps: int,
        window: int,
        optional: set[int],
        only_step: int | None,
        may_fill: BoolArray,
        strict: bool,
    ) -> None:
        self._fed, self._items, self._steps, self._window = fed, items, steps, window
        self._optional, self._only_step, self._may_fill = optional, only_step, may_fill
        self._strict = strict
        count = len(np.unique(fed.who[items.event]))
        self._entry = np.full((count, steps + 1), _NEVER)
        self._excluded = np.zeros((count, steps + 1), dtype=bool)
        self._path = np.full((count, steps + 1, steps), -1, dtype=np.int64)
        self._done = np.zeros(count, dtype=bool)
        self._depth = np.zeros(count, dtype=np.int64)
        self._best_entry = np.full(count, _NEVER)
        self._best_excluded = np.zeros(count, dtype=bool)
        self._best_path = np.full((count, steps), -1, dtype=np.int64)
        self._last_entry = np.full(count, _NEVER)
        required = [step for step in range(steps) if step + 1 not in optional]
        self._required = np.array(required)

    def process(self, at: IntArray) -> None:
        """Look at one item of each who."""
        opens = self._items.opens[at]
        going = len(at)
        self._done[:going] |= opens & (self._entry[:going, self._steps] != _NEVER)
        live = ~self._done[:going]
        opened = np.flatnonzero(opens & live)
        self._entry[opened, 0] = self._items.entry[at[opened]]
        self._excluded[opened, 0] = False
        step = self._items.step[at]
        self._advance(np.flatnonzero(live & (step != 0)), at)
        if self._strict:
            self._break_off(np.flatnonzero(live & (step == 0)), at)

    def _advance(self, who: IntArray, at: IntArray) -> None:
        step, time = np.abs(self._items.step[at[who]]), self._items.time[at[who]]
        before = step - 1
        open_ = self._is_open(who, before, time)
        for _ in range(len(self._optional)):
            skips = ~open_ & np.isin(before, list(self._optional))
            before = before - skips
            open_ = self._is_open(who, before, time)
        entry = self._entry[who, before]
        # Of one entry, the first event of a step is kept.
        open_ &= self._entry[who, step] != entry
        who, step, before, time = who[open_], step[open_], before[open_], time[open_]
        item = at[who]
        excludes = self._items.step[item] < 0
        self._exclude(who[excludes], before[excludes], time[excludes])
        self._fill(who[~excludes], step[~excludes], before[~excludes], item[~excludes])

    def _is_open(self, who: IntArray, before: IntArray, time: IntArray) -> BoolArray:
        entry = self._entry[who, before]
        # The subtraction is of times only where there is an entry.
        elapsed = time - np.where(entry == _NEVER, time, entry)
        return (entry != _NEVER) & (elapsed <= self._window)

    def _exclude(self, who: IntArray, before: IntArray, time: IntArray) -> None:
        fresh = ~self._excluded[who, before]
        who, before, time = who[fresh], before[fresh], time[fresh]
        self._excluded[who, before] = True
        is_best = self._depth[who] == before
        who, time = who[is_best], time[is_best]
        in_window = time - self._best_entry[who] <= self._window
        self._best_excluded[who[in_window]] = True

    def _fill(self, who: IntArray, step: IntArray, before: IntArray, item: IntArray) -> None:
        event = self._items.event[item]
        fits = np.ones(len(who), dtype=bool)
        if self._only_step is not None:
            fits &= (before != self._only_step - 1) | self._may_fill[event]
        path = self._path[who, before]
        required = path[:, self._required]
        same = (self._items.event[required] == event[:, None]) & (required >= 0)
        fits &= ~(self._items.tied[item] & same.any(axis=1))
        who, step, before = who[fits], step[fits], before[fits]
        item, path = item[fits], path[fits]

        entry, excluded = self._entry[who, before], self._excluded[who, before]
        path[np.arange(len(who)), step - 1] = item
        clean = ~excluded
        self._entry[who[clean], step[clean]] = entry[clean]
        self._excluded[who[clean], step[clean]] = False
        self._path[who[clean], step[clean]] = path[clean]
        enters = step == 1
        self._last_entry[who[enters]] = entry[enters]
        better = (step > self._depth[who]) | ((step == self._depth[who]) & self._best_excluded[who])
        who = who[better]
        self._depth[who] = step[better]
        self._best_entry[who] = entry[better]
        self._best_excluded[who] = excluded[better]
        self._best_path[who] = path[better]

    def _break_off(self, who: IntArray, at: IntArray) -> None:
        mask = self._fed.mask[self._items.event[at[who]]]
        for step in range(1, self._steps + 1):
            broken = who[mask >> (step - 1) & 1 == 0]
            self._entry[broken, step] = _NEVER
            self._excluded[broken, step] = False

    def paths(self, sequence: IntArray) -> Paths:
        """Return each who's best attempt; an excluded one leaves from the first step."""
        order = np.argsort(sequence)
        entered = order[self._depth[order] > 0]
        path, depth = self._best_path[entered], self._depth[entered]
        there = path >= 0
        return Paths(
            who=sequence[entered],
            depth=depth,
            free=depth + self._best_excluded[entered],
            event=np.where(there, self._fed.position[self._items.event[path]], -1),
            time=np.where(there, self._items.time[path], 0),
            last_entry=self._last_entry[entered],
        )


class _Queues:
    """Per who and step, the events that wait for the rest; and the most there ever were."""

    def __init__(self, fed: Fed, excluding: BoolArray, steps: int, window: int) -> None:
        self._fed, self._excluding, self._steps, self._window = fed, excluding, steps, window
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
        self._last_entry = np.full(count, _NEVER)

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
        waiting_since = np.where(tail >= 0, self._fed.time[tail], _NEVER)
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


def _repeats_in_between(fed: Fed, excluding: BoolArray) -> BoolArray:
    """Return which events PostHog leaves out beforehand.

    An event of at most one step that fits the same steps as both of its neighbours, and lies
    strictly between them.
    """
    same = np.zeros(len(fed.who), dtype=bool)
    if len(same) < 3:
        return same
    meaning = np.where(excluding, -1, fed.mask)
    alike = (fed.who[1:] == fed.who[:-1]) & (meaning[1:] == meaning[:-1])
    later = fed.time[1:] > fed.time[:-1]
    both = alike & later
    same[1:-1] = both[:-1] & both[1:]
    single = (fed.mask & (fed.mask - 1)) == 0
    return same & single

"""The attempts that a funnel counts: each profile's best, its first, or every one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from convergekit.base.compiled import compiled
from convergekit.funnels.events import FunnelEvents, attempts_apart
from convergekit.funnels.paths import (
    Paths,
    best_of_each,
    one_after_another,
    with_optional_steps,
)
from convergekit.funnels.search.any_order import search_any
from convergekit.funnels.search.matching import events_of_steps
from convergekit.funnels.search.moments import Moments, make_moments
from convergekit.funnels.search.ordered import Found, attempts, search
from convergekit.funnels.search.step_windows import search_step_windows
from convergekit.funnels.search.strict import LetBy, search_strict
from convergekit.funnels.vendors.presets import Count, Order, Rules
from convergekit.typing import BoolArray, IntArray


def find_paths(
    prepared: FunnelEvents,
    steps: int,
    window: int,
    exclusions: Sequence[tuple[int, int]],
    rules: Rules,
    order: Order,
    count: Count,
    start: int | None,
    end: int | None,
    optional: Sequence[int] = (),
    step_windows: Mapping[int, int] | None = None,
) -> Paths:
    """Return the paths that count, one row per unit, or per attempt.

    Parameters
    ----------
    prepared : FunnelEvents
    steps : int
    window : int
        Microseconds from the entry, the end included.
    exclusions : sequence of (int, int)
        Per exclusion of the events, the steps (from 1) that it stands between.
    rules : Rules
    order : {"ordered", "strict", "any"}
    count : {"profiles", "attempts"}
    start, end : int, optional
        Microseconds: attempts enter from `start` on and before `end`.
    optional : sequence of int
        Steps (from 1) that may be left out.
    step_windows : mapping of int to int, optional
        Per step (from 1) that has one, microseconds since the step before.
    """
    in_turn = count == "attempts" and rules.one_after_another and rules.entry == "first"
    if in_turn:
        # Which of them is an entry is known only when the one before is over.
        rules = replace(rules, entry="any")
    asked = _Asked(
        steps, window, exclusions, rules, order, count, start, end, optional, step_windows or {}
    )
    prepared = _prepared(prepared, asked)
    fast = asked.is_plain and not prepared.is_split and compiled(len(prepared.unit))
    if fast and rules.entry == "first" and prepared.fills_one_step:
        from convergekit.funnels.search.compiled_first import paths_from_first_entry

        return paths_from_first_entry(
            prepared, steps, window, ties=rules.ties == "best", start=start, end=end
        )
    if fast:
        from convergekit.funnels.search.compiled import paths_in_order

        return paths_in_order(
            prepared,
            steps,
            window,
            ties=rules.ties == "best",
            first_entry=rules.entry == "first",
            start=start,
            end=end,
        )
    if asked.one_search_each:
        prepared = prepared.in_order()
        apart, unit, opens = _each_attempt(prepared, asked)
        moments = _moments(apart, asked)
        enters = _moments_of_events(moments, opens)
    else:
        apart, unit = prepared, None
        moments = _moments(prepared, asked)
        enters = _entries(prepared, moments, asked)
    found, deepest = _search(moments, enters, asked)
    paths = _paths(found, deepest, apart, moments)
    paths = _best(paths, prepared, paths.unit if unit is None else unit[paths.unit], asked)
    if optional:
        paths = with_optional_steps(
            paths,
            apart,
            asked.required,
            steps,
            window,
            in_arrival=rules.ties == "arrival",
            strict=order == "strict",
        )
    if unit is not None:
        paths = replace(paths, unit=unit[paths.unit])
    if in_turn:
        paths = one_after_another(paths, prepared, steps, window, exclusions)
    return paths


@dataclass(frozen=True)
class _Asked:
    """What `find_paths` is asked, and what follows from it."""

    steps: int
    window: int
    exclusions: Sequence[tuple[int, int]]
    rules: Rules
    order: Order
    count: Count
    start: int | None
    end: int | None
    optional: Sequence[int]
    step_windows: Mapping[int, int]

    @property
    def required(self) -> list[int]:
        """The steps (from 0) that may not be left out."""
        return [step for step in range(self.steps) if step + 1 not in self.optional]

    @property
    def spans(self) -> list[tuple[int, int]]:
        """Per exclusion, between which of the required steps (from 1) it stands."""
        place = {step + 1: at for at, step in enumerate(self.required, start=1)}
        return [(place[after], place[before]) for after, before in self.exclusions]

    @property
    def each(self) -> bool:
        """Whether every attempt is looked at, and not only how far each profile gets."""
        return self.count == "attempts" or self.rules.entry == "earliest"

    @property
    def one_search_each(self) -> bool:
        """Whether attempts are searched apart, as if each were of another profile."""
        return self.each and (self.order != "ordered" or bool(self.exclusions))

    @property
    def is_plain(self) -> bool:
        """Whether only the depth of each profile in order is asked for."""
        other = self.exclusions or self.each or self.optional or self.step_windows
        return not other and self.order == "ordered"


def _prepared(prepared: FunnelEvents, asked: _Asked) -> FunnelEvents:
    """Return the events that may take part."""
    rules = asked.rules
    if rules.once_per_tie:
        prepared = prepared.once_per_tie()
        if asked.order == "strict":
            prepared = prepared.without_tied_non_steps()
    return prepared


def _each_attempt(
    prepared: FunnelEvents, asked: _Asked
) -> tuple[FunnelEvents, IntArray, BoolArray]:
    """Return each unit's events once per attempt, its unit, and which events open one."""
    moments = _moments(prepared, asked)
    enters = _entries(prepared, moments, asked)
    first = -1 if asked.order == "any" else 1
    starts = _events_of(moments, enters, len(prepared.unit)) & (prepared.mask & first > 0)
    apart, starting = attempts_apart(prepared, starts, asked.window, asked.order)
    return apart, prepared.unit[starting], apart.position == prepared.position[starting][apart.unit]


def _best(paths: Paths, prepared: FunnelEvents, unit: IntArray, asked: _Asked) -> Paths:
    """Return each profile's best path, where there are several and profiles count."""
    earliest = asked.rules.entry == "earliest"
    held = prepared.is_split and not asked.rules.held_apart
    if asked.count == "attempts" or not (held or earliest):
        return paths
    arrival = _arrival_of_positions(prepared) if asked.rules.ties == "arrival" else None
    return best_of_each(
        paths, prepared.profile_of_unit[unit] if held else unit, arrival, earliest=earliest
    )


def _narrowed(prepared: FunnelEvents, asked: _Asked) -> FunnelEvents:
    """Return the events with the required steps alone, numbered anew.

    In strict order every event takes part, and the bits above the steps' say which optional steps
    it fills and which exclusions it is of.
    """
    required = asked.required
    mask = np.zeros(len(prepared.mask), dtype=np.int64)
    for place, step in enumerate(required):
        mask |= (prepared.mask >> step & 1) << place
    if asked.order != "strict":
        return replace(prepared, mask=mask)
    non_step = prepared.non_step | ((prepared.mask > 0) & (mask == 0))
    bit = len(required)
    for step in (step for step in range(asked.steps) if step not in required):
        mask |= (prepared.mask >> step & 1) << bit
        bit += 1
    for excluding in prepared.excludes:
        mask |= excluding.astype(np.int64) << bit
        bit += 1
    return replace(prepared, mask=mask, non_step=non_step)


def _let_by(asked: _Asked) -> tuple[list[LetBy], list[LetBy]]:
    """Return what strict order lets lie between the required steps, and what if none excluded.

    Where an optional step stands, its events do; and in a void attempt, what makes it void.
    """
    required = asked.required
    optional = (step for step in range(asked.steps) if step not in required)
    by = []
    for bit, step in enumerate(optional, start=len(required)):
        after = sum(s < step for s in required)
        by.append(LetBy(bit, after, after + 1, tied=True))
    excluding = [LetBy(bit, *span, tied=False) for bit, span in enumerate(asked.spans, asked.steps)]
    return by, by + excluding


def _moments(prepared: FunnelEvents, asked: _Asked) -> Moments:
    prepared = _narrowed(prepared, asked)
    strict = bool(prepared.non_step.any())
    return make_moments(
        prepared.mask,
        prepared.unit,
        prepared.time,
        prepared.arrival,
        prepared.excludes,
        ties=asked.rules.ties == "best",
        everything=prepared.non_step if strict else None,
    )


def _arrival_of_positions(prepared: FunnelEvents) -> IntArray:
    arrival = np.zeros(int(prepared.position.max(initial=0)) + 1, dtype=np.int64)
    arrival[prepared.position] = prepared.arrival
    return arrival


def _moment_of_events(moments: Moments) -> IntArray:
    sizes = np.diff(np.append(moments.first, len(moments.event)))
    return np.repeat(np.arange(len(moments.first)), sizes)


def _events_of(moments: Moments, chosen: BoolArray, events: int) -> BoolArray:
    """Return, of all events, which are of the chosen moments."""
    found = np.zeros(events, dtype=bool)
    found[moments.event] = chosen[_moment_of_events(moments)]
    return found


def _moments_of_events(moments: Moments, chosen: BoolArray) -> BoolArray:
    """Return which moments are of the chosen events."""
    found = np.zeros(len(moments.time), dtype=bool)
    found[_moment_of_events(moments)[chosen[moments.event]]] = True
    return found


def _entries(prepared: FunnelEvents, moments: Moments, asked: _Asked) -> BoolArray:
    """Return the moments at which an attempt may start."""
    may = np.ones(len(moments.time), dtype=bool)
    if asked.start is not None:
        may &= moments.time >= asked.start
    if asked.end is not None:
        may &= moments.time < asked.end
    if asked.rules.entry == "first":
        fills = moments.fills_a_step if asked.order == "any" else moments.fills_first_step
        may &= _is_first(prepared, moments, np.flatnonzero(may & fills), asked.rules)
    return may


def _is_first(
    prepared: FunnelEvents, moments: Moments, starts: IntArray, rules: Rules
) -> BoolArray:
    """Return which moments are their profile's first of these, whatever is held equal."""
    profile = prepared.profile_of_unit[moments.unit[starts]]
    order = moments.time[starts]
    if rules.ties == "arrival":
        arrival = prepared.arrival[moments.event[moments.first[starts]]]
        order = np.argsort(np.lexsort((arrival, order)))
    earliest = np.full(len(prepared.profiles), np.iinfo(np.int64).max)
    np.minimum.at(earliest, profile, order)
    first = np.zeros(len(moments.time), dtype=bool)
    first[starts[order == earliest[profile]]] = True
    return first


def _search(moments: Moments, enters: BoolArray, asked: _Asked) -> tuple[Found, IntArray | None]:
    """Return how deep each got; with exclusions, also how deep it would have got without."""
    if asked.each and not asked.one_search_each:
        return attempts(moments, len(asked.required), asked.window, enters), None
    let_by, if_none_excluded = _let_by(asked)
    found = _searched(moments, enters, asked, asked.spans, let_by)
    if not asked.spans:
        return found, None
    free = _searched(moments.without_exclusions(), enters, asked, (), if_none_excluded)
    return found, free.depth


def _searched(
    moments: Moments,
    enters: BoolArray,
    asked: _Asked,
    spans: Sequence[tuple[int, int]],
    let_by: Sequence[LetBy],
) -> Found:
    steps, window = len(asked.required), asked.window
    if asked.step_windows:
        return search_step_windows(moments, steps, window, asked.step_windows, enters)
    if asked.order == "strict":
        return search_strict(moments, steps, window, enters, spans, let_by)
    if asked.order == "any":
        return search_any(moments, steps, window, enters)
    return search(moments, steps, window, enters, spans)


def _paths(
    found: Found, deepest: IntArray | None, prepared: FunnelEvents, moments: Moments
) -> Paths:
    """Return what was found as paths of those that entered."""
    free = found.depth if deepest is None else deepest
    entered = free > 0
    reached = found.reached[entered]
    if found.event is not None:
        event = found.event[entered]
    else:
        starter = None if found.starter is None else found.starter[entered]
        event = events_of_steps(moments, reached, starter)
    there = event >= 0
    gained = None if found.gained is None else found.gained[entered]
    if gained is not None:
        gained = np.where(gained >= 0, moments.time[gained], 0)
    return Paths(
        unit=moments.unit[found.first_of[entered]],
        depth=found.depth[entered],
        free=free[entered],
        event=np.where(there, prepared.position[event], -1) if len(prepared.position) else event,
        time=np.where(there, moments.time[reached], 0) if len(moments.time) else event,
        last_entry=moments.time[found.last_entry[entered]],
        gained=gained,
    )

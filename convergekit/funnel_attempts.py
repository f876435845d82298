"""Which attempts a funnel counts: everybody's best, everybody's first, or each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from convergekit.durations import parse_duration
from convergekit.funnel_any_order import search_any
from convergekit.funnel_events import Fed, attempts_apart
from convergekit.funnel_matching import events_of_steps
from convergekit.funnel_moments import Moments, make_moments
from convergekit.funnel_paths import (
    Paths,
    best_of_each,
    one_after_another,
    with_optional_steps,
)
from convergekit.funnel_presets import Count, Order, Rules
from convergekit.funnel_search import Found, attempts, search
from convergekit.funnel_strict import LetBy, search_strict
from convergekit.kernels import compiled

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


def find_paths(
    fed: Fed,
    steps: int,
    window: int,
    exclusions: Sequence[tuple[int, int]],
    rules: Rules,
    order: Order,
    count: Count,
    start: int | None,
    end: int | None,
    optional: Sequence[int] = (),
) -> Paths:
    """Return the paths that count, one row per who, or per attempt.

    Parameters
    ----------
    fed : Fed
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
    """
    fed = _prepared(fed, rules, order, end)
    in_turn = count == "attempts" and rules.one_after_another and rules.entry == "first"
    if in_turn:
        # Which of them is an entry is known only when the one before is over.
        rules = replace(rules, entry="any")
    required = [step for step in range(steps) if step + 1 not in optional]
    spans = [(required.index(a - 1) + 1, required.index(b - 1) + 1) for a, b in exclusions]
    single = count == "attempts" or rules.entry == "earliest"
    apart = single and (order != "ordered" or bool(exclusions))
    who = None
    plain = bool(spans or single or optional or fed.is_split) or order != "ordered"
    if not plain and compiled(len(fed.who)):
        from convergekit.kernels.funnel import paths_in_order

        return paths_in_order(
            fed,
            steps,
            window,
            ties=rules.ties == "best",
            first_entry=rules.entry == "first",
            start=start,
            end=end,
        )
    if apart:
        fed = fed.in_order()
        moments = _moments(_narrowed(fed, required, steps, order), rules)
        enters = _entries(fed, moments, rules, order, start, end)
        first = -1 if order == "any" else 1
        starts = _events_of(moments, enters, len(fed.who)) & (fed.mask & first > 0)
        units, starting = attempts_apart(fed, starts, window, order)
        who = fed.who[starting]
        opens = units.position == fed.position[starting][units.who]
    else:
        units = fed
    narrow = _narrowed(units, required, steps, order)
    moments = _moments(narrow, rules)
    if apart:
        enters = np.zeros(len(moments.time), dtype=bool)
        enters[_moment_of_events(moments)[opens[moments.event]]] = True
    else:
        enters = _entries(units, moments, rules, order, start, end)
    if single and not apart:
        found, deepest = attempts(moments, len(required), window, enters), None
    else:
        by, by_if_free = _let_by(required, steps, spans)
        found = _search(order, moments, len(required), window, enters, spans, by)
        deepest = None
        if spans:
            free = moments.without_exclusions()
            deepest = _search(order, free, len(required), window, enters, (), by_if_free).depth
    paths = _paths(found, deepest, units, moments)
    of = paths.who if who is None else who[paths.who]
    held = fed.is_split and not rules.held_apart
    if count == "profiles" and (held or rules.entry == "earliest"):
        arrival = _arrival_of_positions(fed) if rules.ties == "arrival" else None
        of = fed.whose[of] if held else of
        paths = best_of_each(paths, of, arrival, earliest=rules.entry == "earliest")
    if optional:
        paths = with_optional_steps(
            paths,
            units,
            required,
            steps,
            window,
            in_arrival=rules.ties == "arrival",
            strict=order == "strict",
        )
    if who is not None:
        paths = replace(paths, who=who[paths.who])
    if in_turn:
        paths = one_after_another(paths, fed, steps, window, exclusions)
    return paths


def _prepared(fed: Fed, rules: Rules, order: Order, end: int | None) -> Fed:
    """Return the events that may take part, at the times that the rules give them."""
    if rules.range_applies_to == "entry_and_completion":
        fed = fed.before(end)
    if rules.tolerance is not None:
        tolerance = parse_duration(rules.tolerance, name="tolerance") // pd.Timedelta(1, "us")
        fed = fed.tied(np.full(len(fed.whose), tolerance))
    if rules.once_per_tie:
        fed = fed.once_per_tie()
        if order == "strict":
            fed = fed.without_tied_foreigners()
    return fed


def _narrowed(fed: Fed, required: Sequence[int], steps: int, order: Order) -> Fed:
    """Return the events with the required steps alone, numbered anew.

    In strict order every event takes part, and the bits above the steps' say which optional steps
    it fills and which exclusions it is of.
    """
    mask = np.zeros(len(fed.mask), dtype=np.int64)
    for place, step in enumerate(required):
        mask |= (fed.mask >> step & 1) << place
    if order != "strict":
        return replace(fed, mask=mask)
    foreign = fed.foreign | ((fed.mask > 0) & (mask == 0))
    bit = len(required)
    for step in (step for step in range(steps) if step not in required):
        mask |= (fed.mask >> step & 1) << bit
        bit += 1
    for excluding in fed.excludes:
        mask |= excluding.astype(np.int64) << bit
        bit += 1
    return replace(fed, mask=mask, foreign=foreign)


def _let_by(
    required: Sequence[int], steps: int, spans: Sequence[tuple[int, int]]
) -> tuple[list[LetBy], list[LetBy]]:
    """Return what strict order lets lie between the required steps, and what if none excluded.

    Where an optional step stands, its events do; and in a void attempt, what makes it void.
    """
    by = []
    for bit, step in enumerate((s for s in range(steps) if s not in required), len(required)):
        after = sum(s < step for s in required)
        by.append(LetBy(bit, after, after + 1, tied=True))
    excluding = [LetBy(bit, *span, tied=False) for bit, span in enumerate(spans, steps)]
    return by, by + excluding


def _moments(fed: Fed, rules: Rules) -> Moments:
    strict = bool(fed.foreign.any())
    return make_moments(
        fed.mask,
        fed.who,
        fed.time,
        fed.arrival,
        fed.excludes,
        ties=rules.ties == "best",
        everything=fed.foreign if strict else None,
    )


def _arrival_of_positions(fed: Fed) -> IntArray:
    arrival = np.zeros(int(fed.position.max(initial=0)) + 1, dtype=np.int64)
    arrival[fed.position] = fed.arrival
    return arrival


def _moment_of_events(moments: Moments) -> IntArray:
    sizes = np.diff(np.append(moments.first, len(moments.event)))
    return np.repeat(np.arange(len(moments.first)), sizes)


def _events_of(moments: Moments, chosen: BoolArray, events: int) -> BoolArray:
    """Return, of all events, which are of the chosen moments."""
    found = np.zeros(events, dtype=bool)
    found[moments.event] = chosen[_moment_of_events(moments)]
    return found


def _entries(
    fed: Fed, moments: Moments, rules: Rules, order: Order, start: int | None, end: int | None
) -> BoolArray:
    """Return the moments at which an attempt may start."""
    may = np.ones(len(moments.time), dtype=bool)
    if start is not None:
        may &= moments.time >= start
    if end is not None:
        may &= moments.time < end
    if rules.entry == "first":
        fills = moments.fills_a_step if order == "any" else moments.fills_first_step
        may &= _is_first(fed, moments, np.flatnonzero(may & fills), rules)
    return may


def _is_first(fed: Fed, moments: Moments, starts: IntArray, rules: Rules) -> BoolArray:
    """Return which moments are their profile's first of these, whatever is held equal."""
    profile = fed.whose[moments.who[starts]]
    order = moments.time[starts]
    if rules.ties == "arrival":
        arrival = fed.arrival[moments.event[moments.first[starts]]]
        order = np.argsort(np.lexsort((arrival, order)))
    earliest = np.full(len(fed.profiles), np.iinfo(np.int64).max)
    np.minimum.at(earliest, profile, order)
    first = np.zeros(len(moments.time), dtype=bool)
    first[starts[order == earliest[profile]]] = True
    return first


def _search(
    order: Order,
    moments: Moments,
    steps: int,
    window: int,
    enters: BoolArray,
    spans: Sequence[tuple[int, int]],
    let_by: Sequence[LetBy],
) -> Found:
    if order == "strict":
        return search_strict(moments, steps, window, enters, spans, let_by)
    if order == "any":
        return search_any(moments, steps, window, enters)
    return search(moments, steps, window, enters, spans)


def _paths(found: Found, deepest: IntArray | None, fed: Fed, moments: Moments) -> Paths:
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
    return Paths(
        who=moments.who[found.first_of[entered]],
        depth=found.depth[entered],
        free=free[entered],
        event=np.where(there, fed.position[event], -1) if len(fed.position) else event,
        time=np.where(there, moments.time[reached], 0) if len(moments.time) else event,
        last_entry=moments.time[found.last_entry[entered]],
    )

"""The search behind funnels: how deep profiles get, and by which events.

Events of one profile at one time make up a *moment*. Within a moment events may be taken in any
order, each once, so what counts is which steps its events can fill together: that is worked out
once per distinct collection of events, of which there are few. The search itself is a handful of
running maxima over all moments at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Moments:
    """Events that take part, grouped by who and when.

    Attributes
    ----------
    event : numpy.ndarray of int
        Positions of the events: by who, then time, then the steps that they fill, then arrival.
    first : numpy.ndarray of int
        Of each moment, the place of its first event in `event`.
    who : numpy.ndarray of int
        Of each moment, whose it is; ascending.
    time : numpy.ndarray of int
        Of each moment, microseconds; ascending for each who.
    start : numpy.ndarray of int
        Of each moment, the first moment of the same who.
    pattern : numpy.ndarray of int
        Of each moment, which of `patterns` its events make up.
    patterns : list of tuple of int
        Distinct collections of events, each event a bit mask of the steps that it fills.
    excluded : list of numpy.ndarray of bool
        Per exclusion, the moments that hold an excluding event.
    """

    event: IntArray
    first: IntArray
    who: IntArray
    time: IntArray
    start: IntArray
    pattern: IntArray
    patterns: list[tuple[int, ...]]
    excluded: list[BoolArray]

    @property
    def fills_first_step(self) -> BoolArray:
        """Which moments hold an event of the first step."""
        fills = np.array([any(mask & 1 for mask in p) for p in self.patterns], dtype=bool)
        return fills[self.pattern] if len(fills) else np.zeros(0, dtype=bool)

    @property
    def fills_a_step(self) -> BoolArray:
        """Which moments hold an event of any step."""
        fills = np.array([any(p) for p in self.patterns], dtype=bool)
        return fills[self.pattern] if len(fills) else np.zeros(0, dtype=bool)

    def without_exclusions(self) -> Moments:
        """Return the same moments, nothing excluding."""
        return replace(self, excluded=[])

    def chosen(self, keep: BoolArray) -> Moments:
        """Return some of the moments; `event` keeps all events, so places stay what they are."""
        who = self.who[keep]
        begins = np.ones(len(who), dtype=bool)
        begins[1:] = who[1:] != who[:-1]
        start = np.flatnonzero(begins)[np.cumsum(begins) - 1] if len(who) else who
        return replace(
            self,
            first=self.first[keep],
            who=who,
            time=self.time[keep],
            start=start,
            pattern=self.pattern[keep],
            excluded=[excluded[keep] for excluded in self.excluded],
        )

    @property
    def bounds(self) -> tuple[IntArray, IntArray]:
        """The first and the last moment of each who that has any."""
        first_of = np.flatnonzero(self.start == np.arange(len(self.start)))
        return first_of, np.append(first_of[1:], len(self.start))[: len(first_of)] - 1


@dataclass(frozen=True)
class Found:
    """How deep each who got.

    Attributes
    ----------
    first_of : numpy.ndarray of int
        The first moment of each who, one entry per who that has any moment.
    depth : numpy.ndarray of int
        The deepest step reached; 0 if not even the first.
    reached : numpy.ndarray of int
        Per who and step, the moment at which the step was reached, -1 if it was not.
    last_entry : numpy.ndarray of int
        The latest moment at which an attempt was started, -1 if none was.
    starter : numpy.ndarray of int or None
        Of single attempts, which event of its moment started it.
    event : numpy.ndarray of int or None
        Per who and step, the position of the event that fills the step, where the search has to
        say it.
    """

    first_of: IntArray
    depth: IntArray
    reached: IntArray
    last_entry: IntArray
    starter: IntArray | None = None
    event: IntArray | None = None


@dataclass(frozen=True)
class LetBy:
    """Events that strict order lets lie between two steps.

    Attributes
    ----------
    bit : int
        The bit of an event's mask that says it is one of them, above those of the steps.
    after, before : int
        The steps, from 1.
    tied : bool
        Whether those at the same time as one of the two steps may be taken as between.
    """

    bit: int
    after: int
    before: int
    tied: bool

    def lets(self, mask: int, before: int, after: int) -> bool:
        """Return whether it lets an event by where an attempt goes from one depth to another."""
        if self.tied:
            lies_between = max(before, self.after) <= min(after, self.before - 1)
        else:
            lies_between = self.after <= before and after < self.before
        return bool(mask >> self.bit & 1) and lies_between


def make_moments(
    mask: IntArray,
    who: IntArray,
    time: IntArray,
    arrival: IntArray,
    excludes: Sequence[BoolArray],
    *,
    ties: bool,
    everything: BoolArray | None = None,
) -> Moments:
    """Group events into moments.

    Parameters
    ----------
    mask, who, time, arrival : numpy.ndarray of int
        Per event: the steps that it fills as bits, whose it is (-1: nobody's, left out), its time
        in microseconds and its place in the order of arrival.
    excludes : sequence of numpy.ndarray of bool
        Per exclusion, which events exclude.
    ties : bool
        Whether events at one time are one moment; otherwise each event is its own, in order of
        arrival.
    everything : numpy.ndarray of bool, optional
        Events that take part even if they fill no step, as in strict order.
    """
    part = mask > 0 if everything is None else (mask > 0) | everything
    for excluding in excludes:
        part = part | excluding
    event = np.flatnonzero(part & (who >= 0))
    event = event[_order_of_moments(event, who, time, mask if ties else arrival, arrival)]
    whose, when = who[event], time[event]
    new = np.ones(len(event), dtype=bool)
    if ties:
        new[1:] = (whose[1:] != whose[:-1]) | (when[1:] != when[:-1])
    first = np.flatnonzero(new)
    pattern, patterns = _patterns(mask[event], first)
    whose = whose[first]
    begins = np.ones(len(whose), dtype=bool)
    begins[1:] = whose[1:] != whose[:-1]
    start = np.flatnonzero(begins)[np.cumsum(begins) - 1] if len(first) else first
    return Moments(
        event=event,
        first=first,
        who=whose,
        time=when[first],
        start=start,
        pattern=pattern,
        patterns=patterns,
        excluded=[
            np.logical_or.reduceat(excluding[event], first) if len(first) else new
            for excluding in excludes
        ],
    )


def search(
    moments: Moments,
    steps: int,
    window: int,
    enters: BoolArray,
    exclusions: Sequence[tuple[int, int]] = (),
) -> Found:
    """Find the deepest step that each who reaches in order.

    For every step, the latest entry of an attempt that has reached it is carried along: it has
    the most of its window left, so no other attempt needs to be remembered. An exclusion makes
    the attempts between its steps forgotten.

    Parameters
    ----------
    moments : Moments
    steps : int
    window : int
        Microseconds from the entry within which an attempt may go on, the end included.
    enters : numpy.ndarray of bool
        Moments at which an attempt may start.
    exclusions : sequence of (int, int)
        Per exclusion of the moments, the steps (from 1) that it stands between.
    """
    size = len(moments.time)
    here = np.arange(size)
    # carried[k][m]: the moment of entry of the latest attempt at depth k after moment m, or -1;
    # gained[k][m]: the same of those that got to depth k at m and may go on from there;
    # got_to[k][m]: and of those that may not, because the exclusion of m would lie between.
    carried, gained, got_to = [here], [here], [here]
    for step in range(1, steps + 1):
        latest = np.full(size, -1, dtype=np.int64)
        at_most = np.full(size, -1, dtype=np.int64)
        for before in range(step):
            rows = _advances(moments, before, step, steps)
            if before == 0:
                rows = rows[enters[rows]]
                came_in, goes_on = rows, np.ones(len(rows), dtype=bool)
            else:
                rows = rows[rows > moments.start[rows]]
                came_in = carried[before][rows - 1]
                open_ = came_in >= moments.start[rows]
                rows, came_in = rows[open_], came_in[open_]
                open_ = moments.time[rows] - moments.time[came_in] <= window
                rows, came_in = rows[open_], came_in[open_]
                goes_on = ~_ends_attempts(moments, exclusions, before, step)[rows]
            at_most[rows] = np.maximum(at_most[rows], came_in)
            rows, came_in = rows[goes_on], came_in[goes_on]
            latest[rows] = np.maximum(latest[rows], came_in)
        got_to.append(at_most)
        gained.append(latest)
        carried.append(_carry(latest, moments, exclusions, step))

    first_of, last_of = moments.bounds
    reached = np.full((len(first_of), steps), -1, dtype=np.int64)
    depth = _deepest(got_to, first_of, last_of)
    trace = _Trace(moments, steps, gained, carried, exclusions)
    for deepest in range(1, steps + 1):
        at = np.flatnonzero(depth == deepest)
        goal = _first_gain(got_to[deepest], first_of[at])
        trace.back(deepest, goal, got_to[deepest][goal], reached, at, goes_on=False)
    return Found(first_of, depth, reached, _last_entries(moments, steps, enters, first_of))


@dataclass(frozen=True)
class _Trace:
    """Follows attempts back from their deepest step to their entry."""

    moments: Moments
    steps: int
    gained: list[IntArray]
    carried: list[IntArray]
    exclusions: Sequence[tuple[int, int]]

    def back(
        self,
        depth: int,
        moment: IntArray,
        came_in: IntArray,
        reached: IntArray,
        at: IntArray,
        *,
        goes_on: bool,
    ) -> None:
        """Fill in when the attempts at `depth` reached each step, as early as they did."""
        todo = np.arange(len(at))
        for before in range(depth - 1, -1, -1):
            if not len(todo):
                return
            m, e = moment[todo], came_in[todo]
            comes = _furthest_of(self.moments, before, self.steps)[m] >= depth
            if before:
                if goes_on:
                    comes &= ~_ends_attempts(self.moments, self.exclusions, before, depth)[m]
                comes &= (m > self.moments.start[m]) & (self.carried[before][m - 1] == e)
            else:
                comes &= m == e
            from_here, todo = todo[comes], todo[~comes]
            for step in range(before, depth):
                reached[at[from_here], step] = moment[from_here]
            if before and len(from_here):
                earlier = self._gained_at(before, moment[from_here] - 1, came_in[from_here])
                self.back(before, earlier, came_in[from_here], reached, at[from_here], goes_on=True)

    def _gained_at(self, depth: int, by: IntArray, came_in: IntArray) -> IntArray:
        """Return when the attempt that is carried at moment `by` first got to the depth."""
        first = np.searchsorted(np.maximum.accumulate(self.gained[depth]), came_in)
        for (after, before), excluded in zip(self.exclusions, self.moments.excluded, strict=True):
            if after <= depth < before:
                places = np.where(excluded, np.arange(len(excluded)), -1)
                forgotten = np.maximum.accumulate(places)[by]
                first = np.maximum(first, _first_gain(self.gained[depth], forgotten))
        return first


def _first_gain(gained: IntArray, since: IntArray) -> IntArray:
    """Return the first moment, from `since` on, at which the depth was gained."""
    places = np.flatnonzero(gained >= 0)
    if not len(places):
        return since
    return places[np.minimum(np.searchsorted(places, since), len(places) - 1)]


def search_strict(
    moments: Moments,
    steps: int,
    window: int,
    enters: BoolArray,
    exclusions: Sequence[tuple[int, int]] = (),
    let_by: Sequence[LetBy] = (),
) -> Found:
    """Find the deepest step that each who reaches with none of its events in between.

    The events of the moments that an attempt passes through must all fill a step of it or be let
    by; those of its first moment may come before it, and those of its last after it.

    Parameters
    ----------
    moments : Moments
    steps : int
    window : int
        Microseconds from the entry within which an attempt may go on, the end included.
    enters : numpy.ndarray of bool
        Moments at which an attempt may start.
    exclusions : sequence of (int, int)
        Per exclusion of the moments, the steps (from 1) that it stands between.
    let_by : sequence of LetBy
    """
    size = len(moments.time)
    here = np.arange(size)
    follows = here > moments.start
    goes_on = _GoesOn(moments, exclusions, tuple(let_by))
    # through[k][m]: the moment of entry of the attempt that is at depth k after all of m.
    through: list[IntArray] = [np.full(size, -1, dtype=np.int64)]
    got_to: list[IntArray] = [through[0]]
    for step in range(1, steps + 1):
        starts = _furthest_of(moments, 0, steps) >= step
        passes = np.where(starts & enters, here, -1)
        ends = passes.copy()
        for before in range(1, step):
            came_in = np.where(follows, np.roll(through[before], 1), -1) if size else here
            in_window = (came_in >= 0) & (moments.time - moments.time[came_in] <= window)
            came_in = np.where(in_window, came_in, -1)
            reaches = _furthest_of(moments, before, steps) >= step
            ends = np.where(reaches, np.maximum(ends, came_in), ends)
            uses_all = reaches & goes_on.at(here, before, step)
            passes = np.where(uses_all, np.maximum(passes, came_in), passes)
        if let_by:
            passes = _latest_in_runs(passes, follows & goes_on.at(here, step, step))
        through.append(passes)
        got_to.append(ends)

    first_of, last_of = moments.bounds
    reached = np.full((len(first_of), steps), -1, dtype=np.int64)
    depth = _deepest(got_to, first_of, last_of)
    for deepest in range(1, steps + 1):
        at = np.flatnonzero(depth == deepest)
        moment = _first_gain(got_to[deepest], first_of[at])
        came_in = got_to[deepest][moment]
        now = np.full(len(at), deepest)
        last = True
        while len(at):
            origin = np.where(came_in == moment, 0, -1)
            # The deepest it may have been before is where it got to each step the earliest.
            for depth_before in range(deepest - last, 0, -1):
                comes = (origin < 0) & (depth_before + last <= now)
                comes &= _furthest_of(moments, depth_before, steps)[moment] >= now
                comes &= through[depth_before][moment - 1] == came_in
                for step in range(depth_before, deepest + 1) if not last else ():
                    these = np.flatnonzero(comes & (now == step))
                    comes[these] = goes_on.at(moment[these], depth_before, step)
                origin[comes] = depth_before
            for step in range(deepest):
                here_filled = (origin <= step) & (step < now)
                reached[at[here_filled], step] = moment[here_filled]
            on = origin > 0
            at, moment, came_in, now = at[on], moment[on] - 1, came_in[on], origin[on]
            last = False
    return Found(first_of, depth, reached, _last_entries(moments, steps, enters, first_of))


@dataclass(frozen=True)
class _GoesOn:
    """Where a strict attempt may go on from: every event of the moment is accounted for."""

    moments: Moments
    exclusions: Sequence[tuple[int, int]]
    let_by: tuple[LetBy, ...]

    def at(self, moments: IntArray, before: int, after: int) -> BoolArray:
        """Return at which of the moments, if it goes from one depth to another there."""
        accounted = [
            _all_accounted_for(pattern, before, after, self.let_by)
            for pattern in self.moments.patterns
        ]
        may = np.array(accounted, dtype=bool)[self.moments.pattern[moments]]
        for (first, last), excluded in zip(self.exclusions, self.moments.excluded, strict=True):
            if first <= before and after < last:
                may &= ~excluded[moments]
        return may


def _latest_in_runs(passes: IntArray, stays: BoolArray) -> IntArray:
    """Return the latest entry so far, since the last moment at which an attempt cannot stay."""
    run = np.cumsum(~stays) * (len(passes) + 1)
    return np.maximum.accumulate(run + passes + 1) - run - 1


def search_any(moments: Moments, steps: int, window: int, enters: BoolArray) -> Found:
    """Find how many of the steps each who does within the window, in whatever order.

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
    order = np.argsort(np.where(valid, items, size), axis=1, kind="stable")
    keys = np.where(np.take_along_axis(valid, order, axis=1), order, -1)
    distinct, which = np.unique(keys, axis=0, return_inverse=True)
    kinds = _item_masks(moments)
    growth = np.array(
        [_growth(tuple(kinds[i] for i in row if i >= 0), steps) for row in distinct.tolist()],
        dtype=np.int64,
    ).reshape(len(distinct), steps)
    place = growth[which.reshape(-1)]
    chosen = np.take_along_axis(order, place.clip(min=0), axis=1) if items.shape[1] else place
    reached = np.where(place >= 0, np.take_along_axis(items, chosen, axis=1), -1)
    filled = np.where(place >= 0, np.take_along_axis(event, chosen, axis=1), -1)
    depth = (place >= 0).sum(axis=1)
    goal = reached[np.arange(len(at)), (depth - 1).clip(min=0)]
    start = moments.start[at]
    best = np.lexsort((-at, goal, -depth, start))
    new = np.ones(len(best), dtype=bool)
    new[1:] = start[best][1:] != start[best][:-1]
    best = best[new]

    first_of, _ = moments.bounds
    who = np.searchsorted(first_of, start[best])
    all_depth = np.zeros(len(first_of), dtype=np.int64)
    all_depth[who] = depth[best]
    all_reached = np.full((len(first_of), steps), -1, dtype=np.int64)
    all_reached[who] = reached[best]
    all_filled = all_reached.copy()
    all_filled[who] = filled[best]
    last_entry = np.full(len(first_of), -1, dtype=np.int64)
    last_entry[np.searchsorted(first_of, start)] = at
    return Found(first_of, all_depth, all_reached, last_entry, event=all_filled)


def attempts(moments: Moments, steps: int, window: int, enters: BoolArray) -> Found:
    """Find the deepest step of every attempt: one attempt for each event of the first step.

    Each attempt goes on as early as it can, which takes it as deep as it gets.
    """
    starters = [[i for i, mask in enumerate(p) if mask & 1] for p in moments.patterns]
    count = np.array([len(found) for found in starters], dtype=np.int64)
    may = np.flatnonzero(enters & (count[moments.pattern] > 0)) if len(count) else moments.first
    times = count[moments.pattern[may]] if len(count) else may
    at = np.repeat(may, times)
    turn = np.arange(len(at)) - np.repeat(np.cumsum(times) - times, times)
    keys, which = np.unique(
        np.stack([moments.pattern[at], turn], axis=1), axis=0, return_inverse=True
    )
    opening = [(p, starters[p][i]) for p, i in keys.tolist()]
    deep = [_furthest(moments.patterns[p], 0, steps, starter) for p, starter in opening]
    which = which.reshape(-1)
    starter = np.array([starter for _, starter in opening], dtype=np.int64)[which]
    depth = np.array(deep, dtype=np.int64)[which]
    reached = np.full((len(at), steps), -1, dtype=np.int64)
    for step in range(1, steps + 1):
        reached[depth >= step, step - 1] = at[depth >= step]
    now = at.copy()
    going = np.flatnonzero(depth < steps)
    while len(going):
        advanced = np.full(len(going), -1, dtype=np.int64)
        for before in np.unique(depth[going]):
            these = depth[going] == before
            advanced[these] = _next_advance(moments, int(before), steps)[now[going[these]]]
        same = (advanced >= 0) & (moments.start[advanced] == moments.start[at[going]])
        same &= moments.time[advanced] - moments.time[at[going]] <= window
        going, advanced = going[same], advanced[same]
        old = depth[going]
        for before in np.unique(old):
            these = old == before
            depth[going[these]] = _furthest_of(moments, int(before), steps)[advanced[these]]
        for step in range(1, steps + 1):
            passed = (old < step) & (depth[going] >= step)
            reached[going[passed], step - 1] = advanced[passed]
        now[going] = advanced
        going = going[depth[going] < steps]
    return Found(moments.start[at], depth, reached, at, starter)


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
            (_assignment(moments.patterns[p], b, e, o - 1) or ())[step - b]
            for p, b, e, o in zip(*(k.tolist() for k in np.unravel_index(codes, span)), strict=True)
        ]
        place = np.array(offsets, dtype=np.int64)[which] if len(rows) else rows
        filled[rows, step] = moments.event[moments.first[moment] + place]
    return filled


def _deepest(got_to: list[IntArray], first_of: IntArray, last_of: IntArray) -> IntArray:
    """Return the deepest step that each who ever got to."""
    depth = np.zeros(len(first_of), dtype=np.int64)
    if len(first_of):
        here = np.arange(len(got_to[0]))
        for step, got in enumerate(got_to[1:], start=1):
            ever = np.maximum.accumulate(np.where(got >= 0, here, -1))
            depth[ever[last_of] >= first_of] = step
    return depth


def _last_entries(moments: Moments, steps: int, enters: BoolArray, first_of: IntArray) -> IntArray:
    entries = np.flatnonzero(_furthest_of(moments, 0, steps) >= 1)
    entries = entries[enters[entries]]
    last_entry = np.full(len(first_of), -1, dtype=np.int64)
    last_entry[np.searchsorted(first_of, moments.start[entries])] = entries
    return last_entry


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
    grown: list[int] = []
    filled: dict[int, int] = {}

    def place(event: int, seen: set[int]) -> bool:
        for step in range(steps):
            if kinds[event] >> step & 1 and step not in seen:
                seen.add(step)
                if step not in filled or place(filled[step], seen):
                    filled[step] = event
                    return True
        return False

    for event in range(len(kinds)):
        if place(event, set()):
            grown.append(event)
    return (*grown, *[-1] * (steps - len(grown)))


def _order_of_moments(event: IntArray, who: IntArray, time: IntArray, *then: IntArray) -> IntArray:
    """Return the order of the events by who, time, and the other keys."""
    whose, when = who[event], time[event]
    if not len(event):
        return event
    earliest = when.min()
    span = int(when.max()) - int(earliest) + 1
    if (int(whose.max()) + 1) * span >= 2**64:
        return np.lexsort((*(key[event] for key in reversed(then)), when, whose))
    # Both fit into one integer, which sorts several times as fast; few events are at one time.
    key = whose.astype(np.uint64) * np.uint64(span) + (when - earliest).astype(np.uint64)
    order = np.argsort(key)
    key = key[order]
    same = key[1:] == key[:-1]
    tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
    at = event[order[tied]]
    among = np.lexsort((*(key[at] for key in reversed(then)), key[tied]))
    order[tied] = order[tied[among]]
    return order


def _patterns(mask: IntArray, first: IntArray) -> tuple[IntArray, list[tuple[int, ...]]]:
    """Name each moment's collection of events."""
    sizes = np.diff(np.append(first, len(mask)))
    patterns: dict[tuple[int, ...], int] = {}
    found = np.empty(len(first), dtype=np.int64)
    for size in np.unique(sizes):
        moments = np.flatnonzero(sizes == size)
        rows = mask[first[moments][:, None] + np.arange(size)]
        # Hashing the one event that most moments hold is much cheaper than sorting rows.
        if size == 1:
            which, distinct = pd.factorize(rows[:, 0])
            distinct = distinct[:, None]
        else:
            distinct, which = np.unique(rows, axis=0, return_inverse=True)
        codes = [patterns.setdefault(tuple(row), len(patterns)) for row in distinct.tolist()]
        found[moments] = np.array(codes)[which.reshape(-1)]
    return found, list(patterns)


def _furthest_of(moments: Moments, before: int, steps: int) -> IntArray:
    """Return, per moment, the depth that an attempt at `before` reaches with its events."""
    furthest = np.array([_furthest(p, before, steps) for p in moments.patterns], dtype=np.int64)
    return furthest[moments.pattern] if len(furthest) else moments.pattern


def _advances(moments: Moments, before: int, after: int, steps: int) -> IntArray:
    """Return the moments whose events carry an attempt from one depth to another, at least."""
    return np.flatnonzero(_furthest_of(moments, before, steps) >= after)


def _next_advance(moments: Moments, before: int, steps: int) -> IntArray:
    """Return, per moment, the next one that carries an attempt at `before` further, or -1."""
    size = len(moments.time)
    advances = _advances(moments, before, before + 1, steps)
    after = np.full(size + 1, size, dtype=np.int64)
    after[advances] = advances
    after = np.minimum.accumulate(after[::-1])[::-1][1:]
    return np.where(after < size, after, -1)


def _carry(
    latest: IntArray, moments: Moments, exclusions: Sequence[tuple[int, int]], step: int
) -> IntArray:
    """Return the latest entry so far at this depth, forgotten where an exclusion forgets it.

    What is gained at a later moment never has an earlier entry, so the latest gain is the one.
    """
    size = len(latest)
    gained = np.maximum.accumulate(np.where(latest >= 0, np.arange(size), -1)) if size else latest
    carried = np.where(gained >= 0, latest[gained], -1) if size else latest
    for (after, before), excluded in zip(exclusions, moments.excluded, strict=True):
        if after <= step < before:
            # What is gained at the very moment of the exclusion may have come after it.
            last = np.maximum.accumulate(np.where(excluded, np.arange(size), -1))
            carried = np.where(gained < last, -1, carried)
    return carried


def _ends_attempts(
    moments: Moments, exclusions: Sequence[tuple[int, int]], before: int, after: int
) -> BoolArray:
    """Return the moments at which an attempt may advance between the two depths, but no further.

    The exclusion at the same time can only be taken after the advance: the attempt got there, and
    everything later would have the exclusion between.
    """
    ends = np.zeros(len(moments.time), dtype=bool)
    for (first, last), excluded in zip(exclusions, moments.excluded, strict=True):
        if first <= before and after < last:
            ends |= excluded
    return ends


@lru_cache(maxsize=65536)
def _furthest(pattern: tuple[int, ...], before: int, steps: int, starter: int = -1) -> int:
    """Return the depth that an attempt at `before` reaches with these events, each used once."""
    after = before
    while after < steps and _assignment(pattern, before, after + 1, starter) is not None:
        after += 1
    return after


@lru_cache(maxsize=65536)
def _all_accounted_for(
    pattern: tuple[int, ...], before: int, after: int, let_by: tuple[LetBy, ...]
) -> bool:
    """Return whether every event is let by or can fill a step between the depths, each its own.

    Where the events can also fill all these steps, some choice does both at once (Mendelsohn and
    Dulmage).
    """
    needed = [mask for mask in pattern if not any(let.lets(mask, before, after) for let in let_by)]
    if len(needed) > after - before:
        return False
    filled: dict[int, int] = {}

    def place(event: int, seen: set[int]) -> bool:
        for step in range(before, after):
            if needed[event] >> step & 1 and step not in seen:
                seen.add(step)
                if step not in filled or place(filled[step], seen):
                    filled[step] = event
                    return True
        return False

    return all(place(event, set()) for event in range(len(needed)))


@lru_cache(maxsize=65536)
def _assignment(
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
        pattern = tuple(0 if i == starter else mask for i, mask in enumerate(pattern))

    def place(step: int, seen: set[int]) -> bool:
        for event, mask in enumerate(pattern):
            if mask >> step & 1 and event not in seen:
                seen.add(event)
                if event not in fills or place(fills[event], seen):
                    fills[event] = step
                    return True
        return False

    if not all(place(step, set()) for step in range(rest, after)):
        return None
    by_step = {step: event for event, step in fills.items()}
    return tuple(by_step[step] for step in range(before, after))

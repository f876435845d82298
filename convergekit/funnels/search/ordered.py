"""The search behind funnels: how deep profiles get in order, and at which moments.

A handful of running maxima over all moments at once. Strict order and any order have a search of
their own, in `strict` and `any_order`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from convergekit.funnels.search.matching import furthest, furthest_of
from convergekit.funnels.search.moments import Moments
from convergekit.typing import BoolArray, IntArray


@dataclass(frozen=True)
class Found:
    """How deep each unit got.

    Attributes
    ----------
    first_of : numpy.ndarray of int
        The first moment of each unit, one entry per unit that has any moment.
    depth : numpy.ndarray of int
        The deepest step reached; 0 if not even the first.
    reached : numpy.ndarray of int
        Per unit and step, the moment at which the step was reached, -1 if it was not.
    last_entry : numpy.ndarray of int
        The latest moment at which an attempt was started, -1 if none was.
    starter : numpy.ndarray of int or None
        Of single attempts, which event of its moment started it.
    event : numpy.ndarray of int or None
        Per unit and step, the position of the event that fills the step, where the search has to
        say it.
    gained : numpy.ndarray of int or None
        Per unit and step, the moment at which the unit first got so deep, whichever way it went on;
        -1 if it did not. None where that is `reached`.
    """

    first_of: IntArray
    depth: IntArray
    reached: IntArray
    last_entry: IntArray
    starter: IntArray | None = None
    event: IntArray | None = None
    gained: IntArray | None = None


def search(
    moments: Moments,
    steps: int,
    window: int,
    enters: BoolArray,
    exclusions: Sequence[tuple[int, int]] = (),
) -> Found:
    """Find the deepest step that each unit reaches in order.

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
    depth = deepest_of_each(got_to, first_of, last_of)
    trace = _Trace(moments, steps, gained, carried, exclusions)
    for deepest in range(1, steps + 1):
        at = np.flatnonzero(depth == deepest)
        goal = first_gain(got_to[deepest], first_of[at])
        trace.back(deepest, goal, got_to[deepest][goal], reached, at, goes_on=False)
    return Found(
        first_of,
        depth,
        reached,
        last_entries(moments, steps, enters, first_of),
        gained=first_gains(got_to, depth, first_of) if exclusions else None,
    )


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
            comes = furthest_of(self.moments, before, self.steps)[m] >= depth
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
                first = np.maximum(first, first_gain(self.gained[depth], forgotten))
        return first


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
    deep = [furthest(moments.patterns[p], 0, steps, starter) for p, starter in opening]
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
            depth[going[these]] = furthest_of(moments, int(before), steps)[advanced[these]]
        for step in range(1, steps + 1):
            passed = (old < step) & (depth[going] >= step)
            reached[going[passed], step - 1] = advanced[passed]
        now[going] = advanced
        going = going[depth[going] < steps]
    return Found(moments.start[at], depth, reached, at, starter)


def deepest_of_each(got_to: list[IntArray], first_of: IntArray, last_of: IntArray) -> IntArray:
    """Return the deepest step that each unit ever got to."""
    depth = np.zeros(len(first_of), dtype=np.int64)
    if len(first_of):
        here = np.arange(len(got_to[0]))
        for step, got in enumerate(got_to[1:], start=1):
            ever = np.maximum.accumulate(np.where(got >= 0, here, -1))
            depth[ever[last_of] >= first_of] = step
    return depth


def first_gains(got_to: list[IntArray], depth: IntArray, first_of: IntArray) -> IntArray:
    """Return the first moment at which each unit got to each depth, -1 if it did not.

    Parameters
    ----------
    got_to : list of numpy.ndarray of int
        Per depth from 0 and moment, not below 0 where a unit gets so deep.
    depth, first_of : numpy.ndarray of int
        Of each unit, how deep it got and its first moment.
    """
    steps = len(got_to) - 1
    found = np.full((len(first_of), steps), -1, dtype=np.int64)
    for step in range(1, steps + 1):
        at = np.flatnonzero(depth >= step)
        found[at, step - 1] = first_gain(got_to[step], first_of[at])
    return found


def first_gain(gained: IntArray, since: IntArray) -> IntArray:
    """Return the first moment, from `since` on, at which the depth was gained."""
    places = np.flatnonzero(gained >= 0)
    if not len(places):
        return since
    return places[np.minimum(np.searchsorted(places, since), len(places) - 1)]


def last_entries(moments: Moments, steps: int, enters: BoolArray, first_of: IntArray) -> IntArray:
    """Return the latest moment at which each unit started an attempt, -1 if it never did."""
    entries = np.flatnonzero(furthest_of(moments, 0, steps) >= 1)
    entries = entries[enters[entries]]
    last_entry = np.full(len(first_of), -1, dtype=np.int64)
    last_entry[np.searchsorted(first_of, moments.start[entries])] = entries
    return last_entry


def _advances(moments: Moments, before: int, after: int, steps: int) -> IntArray:
    """Return the moments whose events carry an attempt from one depth to another, at least."""
    return np.flatnonzero(furthest_of(moments, before, steps) >= after)


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

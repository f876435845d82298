"""Paths: how deep each profile or attempt got, and by which events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from convergekit.base.grouping import distinct, run_starts
from convergekit.funnels.events import FunnelEvents
from convergekit.typing import IntArray


@dataclass(frozen=True)
class Paths:
    """One row per unit, or per attempt, that entered.

    Attributes
    ----------
    unit : numpy.ndarray of int
    depth : numpy.ndarray of int
        The deepest step reached; 0 if every attempt that got anywhere is void.
    free : numpy.ndarray of int
        The depth if nothing were excluded: greater where a deeper attempt is void.
    event : numpy.ndarray of int
        Per row and step, the frame's position of the event that fills it, -1 where none does.
    time : numpy.ndarray of int
        Per row and step, when, in microseconds; 0 where `event` is -1.
    last_entry : numpy.ndarray of int
        When the latest attempt entered.
    gained : numpy.ndarray of int or None
        Per row and step, when it first got so deep, whichever way it went on; None where that is
        `time`.
    """

    unit: IntArray
    depth: IntArray
    free: IntArray
    event: IntArray
    time: IntArray
    last_entry: IntArray
    gained: IntArray | None = None

    def chosen(self, keep: IntArray) -> Paths:
        """Return some of the rows."""
        return Paths(
            self.unit[keep],
            self.depth[keep],
            self.free[keep],
            self.event[keep],
            self.time[keep],
            self.last_entry[keep],
            None if self.gained is None else self.gained[keep],
        )


class InTime:
    """Finds the next of some events, by unit and time.

    Examples
    --------
    >>> events = InTime(np.array([0, 0, 1]), np.array([5, 9, 5]))
    >>> events.next(np.array([0, 0, 1]), np.array([5, 6, 6])).tolist()
    [0, 1, -1]
    """

    def __init__(self, unit: IntArray, time: IntArray) -> None:
        self._times = distinct(time)
        # Ranks of times are small enough to stand beside the unit in one integer.
        self._span = len(self._times) + 1
        key = unit * self._span + np.searchsorted(self._times, time)
        self._order = np.argsort(key, kind="stable")
        self._key = key[self._order]

    def next(
        self, unit: IntArray, time: IntArray, *, later: bool = False, skip: int = 0
    ) -> IntArray:
        """Return the first event of each unit at or after the time, -1 if there is none.

        With `later`, only after the time; with `skip`, not the first but one after it.
        """
        rank = np.searchsorted(self._times, time, side="right" if later else "left")
        place = np.searchsorted(self._key, unit * self._span + rank) + skip
        there = place < len(self._key)
        there[there] = self._key[place[there]] // self._span == unit[there]
        found = np.full(len(unit), -1, dtype=np.int64)
        found[there] = self._order[place[there]]
        return found


def best_of_each(
    paths: Paths, profile: IntArray, arrival: IntArray | None, *, earliest: bool
) -> Paths:
    """Return each unit's best path: the deepest, then the earliest there, then the latest entry.

    Parameters
    ----------
    paths : Paths
    profile_of_unit : numpy.ndarray of int
        Of each path, whom it is of.
    arrival : numpy.ndarray of int, optional
        Of each of the frame's positions, its place in the order of arrival, which then decides
        between equal times.
    earliest : bool
        Whether it is the deepest that entered first instead.
    """
    if not len(profile):
        return paths
    came = np.zeros_like(paths.event) if arrival is None else arrival[paths.event]
    rows = np.arange(len(profile))
    last = np.maximum(paths.depth, 1) - 1
    keys = [profile, -paths.depth]
    if earliest:
        keys += [paths.time[:, 0], came[:, 0]]
    else:
        keys += [paths.time[rows, last], came[rows, last], -paths.time[:, 0], -came[:, 0]]
    for step in range(1, paths.event.shape[1]):
        keys += [paths.time[:, step], came[:, step]]
    order = np.lexsort(keys[::-1])
    starts = np.flatnonzero(np.diff(profile[order], prepend=-1))
    best = order[starts]
    chosen = replace(
        paths.chosen(best),
        free=np.maximum.reduceat(paths.free[order], starts),
        last_entry=np.maximum.reduceat(paths.last_entry[order], starts),
    )
    return chosen.chosen(np.argsort(best))


def one_after_another(
    paths: Paths,
    prepared: FunnelEvents,
    steps: int,
    window: int,
    exclusions: Sequence[tuple[int, int]],
) -> Paths:
    """Return the attempts that begin when the one before is over, by conversion or otherwise.

    An attempt is over when it has converted, when its window has passed, or at an event that
    excludes. What would start another attempt in the meantime does not.
    """
    entry = paths.time[:, 0]
    over = entry + window
    converted = paths.depth == steps
    over[converted] = paths.time[converted, steps - 1]
    for (after, before), excluding in zip(exclusions, prepared.excludes, strict=True):
        at = np.flatnonzero(excluding & (prepared.unit >= 0))
        between = np.flatnonzero((paths.depth >= after) & (paths.depth < before))
        found = InTime(prepared.unit[at], prepared.time[at]).next(
            paths.unit[between], paths.time[between, after - 1], later=True
        )
        there = found >= 0
        excluded_at = prepared.time[at[found[there]]]
        over[between[there]] = np.minimum(over[between[there]], excluded_at)
    starts = InTime(paths.unit, entry)
    following = starts.next(paths.unit, over, later=True)
    kept = np.zeros(len(entry), dtype=bool)
    now = distinct(starts.next(paths.unit, np.full(len(entry), entry.min(initial=0))))
    while len(now):
        kept[now] = True
        now = following[now]
        now = now[now >= 0]
    return paths.chosen(np.flatnonzero(kept))


def with_optional_steps(
    paths: Paths,
    prepared: FunnelEvents,
    required: Sequence[int],
    steps: int,
    window: int,
    *,
    in_arrival: bool,
    strict: bool,
) -> Paths:
    """Return paths of the required steps with the optional ones that lie between them.

    Parameters
    ----------
    paths : Paths
        Of the required steps alone.
    prepared : FunnelEvents
    required : sequence of int
        The required steps, from 0.
    steps : int
        How many there are with the optional ones.
    window : int
        Microseconds from the entry.
    in_arrival : bool
        Whether events at one time are in the order of arrival.
    strict : bool
        Whether, after the last required step, an event that fills no optional step of that place
        ends the attempt.
    """
    rows = len(paths.unit)
    event = np.full((rows, steps), -1, dtype=np.int64)
    time = np.zeros((rows, steps), dtype=np.int64)
    event[:, required], time[:, required] = paths.event, paths.time
    places = _Places.of(prepared, in_arrival=in_arrival)
    window_ends = places.last_by(paths.time[:, 0] + window)
    for step in (s for s in range(steps) if s not in required):
        before = places.at(event[:, :step], otherwise=-1).max(axis=1)
        until = window_ends
        if later := [s for s in required if s > step]:
            until = places.at(event[:, later[0]], otherwise=until)
        last_required = max(s for s in required if s < step)
        open_ = event[:, last_required] >= 0
        if strict:
            standing = range(last_required + 1, later[0] if later else steps)
            ends = _first_in_the_way(
                paths.unit, event[:, last_required], standing, prepared, places
            )
            # Before a step that was reached, nothing is in the way.
            going = event[:, later[0]] < 0 if later else np.ones(rows, dtype=bool)
            until = np.where(going, np.minimum(until, ends), until)
        at = np.flatnonzero((prepared.mask >> step & 1 == 1) & (prepared.unit >= 0))
        lookup = InTime(prepared.unit[at], places.place[at])
        # An event of the path does not fill another step, so the next few are looked at.
        for skip in range(steps):
            found = lookup.next(paths.unit, before, skip=skip)
            rows_there = np.flatnonzero(open_ & (found >= 0))
            chosen = at[found[rows_there]]
            fills = places.place[chosen] <= until[rows_there]
            fills &= (event[rows_there] != prepared.position[chosen][:, None]).all(axis=1)
            event[rows_there[fills], step] = prepared.position[chosen[fills]]
            time[rows_there[fills], step] = prepared.time[chosen[fills]]
            open_[rows_there[fills]] = False
    depth = np.where(event >= 0, np.arange(1, steps + 1), 0).max(axis=1, initial=0)
    void = paths.free > paths.depth
    free = np.where(void, steps + 1, depth)
    return replace(paths, depth=depth, free=free, event=event, time=time, gained=None)


@dataclass(frozen=True)
class _Places:
    """Places in the order of the events, of all units together: events at one time share one.

    Attributes
    ----------
    place : numpy.ndarray of int
        Of each event.
    times : numpy.ndarray of int
        Of each place, microseconds.
    of_position : numpy.ndarray of int
        The place of the event at a position of the frame.
    """

    place: IntArray
    times: IntArray
    of_position: IntArray

    @classmethod
    def of(cls, prepared: FunnelEvents, *, in_arrival: bool) -> _Places:
        """Return the places of the events; in the order of arrival, those at one time differ."""
        last_key = prepared.arrival if in_arrival else np.zeros(len(prepared.unit), dtype=np.int64)
        order = np.lexsort((last_key, prepared.time))
        new = run_starts(prepared.time[order], last_key[order])
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.cumsum(new) - 1
        of_position = np.full(int(prepared.position.max(initial=-1)) + 1, -1, dtype=np.int64)
        of_position[prepared.position] = place
        return cls(place, prepared.time[order][new], of_position)

    def at(self, position: IntArray, *, otherwise: int | IntArray) -> IntArray:
        """Return the places of the events at positions, and `otherwise` where that is -1."""
        return np.where(position >= 0, self.of_position[position], otherwise)

    def last_by(self, time: IntArray) -> IntArray:
        """Return the last place at each time or before."""
        return np.searchsorted(self.times, time, side="right") - 1


def _first_in_the_way(
    unit: IntArray,
    last_reached: IntArray,
    steps: Sequence[int],
    prepared: FunnelEvents,
    places: _Places,
) -> IntArray:
    """Return the first place after a path's last required step at which an event ends it.

    An event that fills one of these steps, the optional ones that stand there, does not.
    """
    let_by = sum(1 << step for step in steps)
    in_the_way = np.flatnonzero((prepared.mask & let_by == 0) & prepared.takes_part)
    since = places.at(last_reached, otherwise=len(places.times))
    lookup = InTime(prepared.unit[in_the_way], places.place[in_the_way])
    found = lookup.next(unit, since, later=True)
    return np.append(places.place[in_the_way], len(places.times))[found]

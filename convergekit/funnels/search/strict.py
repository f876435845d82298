"""The search in strict order: none of the profile's events may lie between the steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from convergekit.funnels.search.matching import each_finds_a_step, furthest_of
from convergekit.funnels.search.moments import Moments
from convergekit.funnels.search.ordered import Found, deepest_of_each, first_gain, last_entries
from convergekit.typing import BoolArray, IntArray


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


def search_strict(
    moments: Moments,
    steps: int,
    window: int,
    enters: BoolArray,
    exclusions: Sequence[tuple[int, int]] = (),
    let_by: Sequence[LetBy] = (),
) -> Found:
    """Find the deepest step that each unit reaches with none of its events in between.

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
        starts = furthest_of(moments, 0, steps) >= step
        passes = np.where(starts & enters, here, -1)
        ends = passes.copy()
        for before in range(1, step):
            came_in = np.where(follows, np.roll(through[before], 1), -1) if size else here
            in_window = (came_in >= 0) & (moments.time - moments.time[came_in] <= window)
            came_in = np.where(in_window, came_in, -1)
            reaches = furthest_of(moments, before, steps) >= step
            ends = np.where(reaches, np.maximum(ends, came_in), ends)
            uses_all = reaches & goes_on.at(here, before, step)
            passes = np.where(uses_all, np.maximum(passes, came_in), passes)
        if let_by:
            passes = _latest_in_runs(passes, follows & goes_on.at(here, step, step))
        through.append(passes)
        got_to.append(ends)

    first_of, last_of = moments.bounds
    reached = np.full((len(first_of), steps), -1, dtype=np.int64)
    depth = deepest_of_each(got_to, first_of, last_of)
    trace = _Trace(moments, steps, through, goes_on)
    for deepest in range(1, steps + 1):
        at = np.flatnonzero(depth == deepest)
        goal = first_gain(got_to[deepest], first_of[at])
        trace.back(deepest, goal, got_to[deepest][goal], reached, at)
    return Found(first_of, depth, reached, last_entries(moments, steps, enters, first_of))


@dataclass(frozen=True)
class _Trace:
    """Follows attempts back from their deepest step to their entry, moment by moment."""

    moments: Moments
    steps: int
    through: list[IntArray]
    goes_on: _GoesOn

    def back(
        self, deepest: int, moment: IntArray, came_in: IntArray, reached: IntArray, at: IntArray
    ) -> None:
        """Fill in when the attempts at `deepest` reached each step, as early as they did."""
        now = np.full(len(at), deepest)
        last = True
        while len(at):
            origin = self._origin(moment, came_in, now, deepest, last=last)
            for step in range(deepest):
                here_filled = (origin <= step) & (step < now)
                reached[at[here_filled], step] = moment[here_filled]
            on = origin > 0
            at, moment, came_in, now = at[on], moment[on] - 1, came_in[on], origin[on]
            last = False

    def _origin(
        self, moment: IntArray, came_in: IntArray, now: IntArray, deepest: int, *, last: bool
    ) -> IntArray:
        """Return at which depth each attempt came to the moment after which it is at `now`.

        The deepest it may have been is where it got to each step the earliest.
        """
        origin = np.where(came_in == moment, 0, -1)
        for before in range(deepest - last, 0, -1):
            comes = (origin < 0) & (before + last <= now)
            comes &= furthest_of(self.moments, before, self.steps)[moment] >= now
            comes &= self.through[before][moment - 1] == came_in
            for step in range(before, deepest + 1) if not last else ():
                these = np.flatnonzero(comes & (now == step))
                comes[these] = self.goes_on.at(moment[these], before, step)
            origin[comes] = before
        return origin


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


@lru_cache(maxsize=65536)
def _all_accounted_for(
    pattern: tuple[int, ...], before: int, after: int, let_by: tuple[LetBy, ...]
) -> bool:
    """Return whether every event is let by or can fill a step between the depths, each its own.

    Where the events can also fill all these steps, some choice does both at once (Mendelsohn and
    Dulmage).
    """
    needed = [mask for mask in pattern if not any(let.lets(mask, before, after) for let in let_by)]
    return len(needed) <= after - before and all(each_finds_a_step(needed, before, after))

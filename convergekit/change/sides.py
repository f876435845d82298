"""The two sides of a comparison as arrays: who did which step when, and for how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from convergekit.base.grouping import run_starts
from convergekit.events.amounts import events_named
from convergekit.events.sources import origins
from convergekit.events.steps import Step, tracked
from convergekit.events.timestamps import microseconds
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import BoolArray, FloatArray, IntArray

DAY = 86_400_000_000


@dataclass(frozen=True, eq=False)
class Base:
    """What both periods of one stitching, and each repair of them, have in common."""

    s: StitchedEvents

    @cached_property
    def source(self) -> tuple[IntArray, list[str]]:
        """Where each event is from, as a number, -1 for nowhere, and the sources."""
        codes, names = pd.factorize(origins(self.s.events), sort=True)
        return codes.astype(np.int64), [str(name) for name in names]

    @cached_property
    def name(self) -> tuple[IntArray, list[str]]:
        """What each event is called, as a number, -1 for nothing, and the names."""
        codes, names = pd.factorize(self.s.events["event_name"], sort=True)
        return codes.astype(np.int64), [str(name) for name in names]

    @cached_property
    def is_track(self) -> BoolArray:
        """Which events are not identify calls."""
        return tracked(self.s.events)

    @cached_property
    def kinds(self) -> tuple[IntArray, list[str]]:
        """The type of each alias, as a number, and the types."""
        types = self.s.resolution.aliases.types
        return types.codes.astype(np.int64), [str(name) for name in types.categories]

    @cached_property
    def _carried(self) -> dict[str, BoolArray]:
        return {}

    def carrying(self, kind: str) -> BoolArray:
        """Return which events carry an alias of a type."""
        if kind not in self._carried:
            codes, names = self.kinds
            found = np.zeros(len(self.s.events), dtype=bool)
            if kind in names:
                aliases = self.s.resolution.aliases
                found[aliases.event[(codes == names.index(kind))[aliases.alias]]] = True
            self._carried[kind] = found
        return self._carried[kind]


@dataclass(frozen=True, eq=False)
class Side:
    """One side: a period of stitched events.

    Attributes
    ----------
    base : Base
    name : str
        ``"before"`` or ``"after"``.
    start, end : int
        The period in microseconds; the end is not in it.
    observed : int
        Until when profiles are observed.
    time, person, step : numpy.ndarray of int
        Of each event, when it was, whose it is (-1 for nobody's), and which step it is (from 0; -1
        for none). Repairs of the tracking change these.
    amount : numpy.ndarray of float
        Of each event that is the last step.
    dropped : numpy.ndarray of bool
        Events that repairs leave out.
    """

    base: Base
    name: str
    start: int
    end: int
    observed: int
    time: IntArray
    person: IntArray
    step: IntArray
    amount: FloatArray
    dropped: BoolArray

    @property
    def s(self) -> StitchedEvents:
        """The stitched events."""
        return self.base.s

    @property
    def days(self) -> float:
        """How many days of the period are observed."""
        return max(min(self.end, self.observed) - self.start, 0) / DAY

    @cached_property
    def inside(self) -> BoolArray:
        """Which events lie in the period, and are not identify calls."""
        return self.is_tracked & (self.time >= self.start) & (self.time < self.end)

    @cached_property
    def is_tracked(self) -> BoolArray:
        """Which events are not identify calls, and not left out."""
        return self.base.is_track & ~self.dropped

    def from_source(self, name: str) -> BoolArray:
        """Return which events are from a source."""
        codes, names = self.base.source
        return codes == names.index(name) if name in names else np.zeros(len(codes), dtype=bool)

    def named(self, name: str) -> BoolArray:
        """Return which events have a name."""
        codes, names = self.base.name
        return codes == names.index(name) if name in names else np.zeros(len(codes), dtype=bool)

    def at_step(self, step: int) -> IntArray:
        """Return the positions of the events of a step in the period."""
        return np.flatnonzero(self.inside & (self.step == step))

    def repaired(self, **changes: IntArray | FloatArray | BoolArray) -> Side:
        """Return the side with some of its arrays changed."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def profile_ids(self, at: IntArray) -> pd.Series:
        """Return the profiles of the events at these positions, each once."""
        ids = self.s.events["profile_id"].iloc[at].dropna()
        return ids.drop_duplicates().sort_values(ignore_index=True)


def read_side(
    base: Base,
    name: str,
    steps: Sequence[Step],
    amounts: pd.Series,
    start: int,
    end: int,
) -> Side:
    """Return a side of stitched events, as they were sent; amounts are by `row`."""
    s = base.s
    amount = np.zeros(len(s.events))
    place = s.events["row"].isin(amounts.index).to_numpy(dtype=bool)
    amount[place] = amounts.reindex(s.events["row"].to_numpy()[place]).to_numpy()
    step = np.full(len(s.events), -1, dtype=np.int64)
    for number, one in enumerate(steps):
        step[events_named(s.events, one)] = number
    return Side(
        base=base,
        name=name,
        start=start,
        end=end,
        observed=int(s.data_end.value // 1000) + 1,
        time=microseconds(s.events["timestamp"]),
        person=s.resolution.profile,
        step=step,
        amount=amount,
        dropped=np.zeros(len(s.events), dtype=bool),
    )


@dataclass(frozen=True)
class EnteredProfiles:
    """Who entered a side, and how far they got.

    Attributes
    ----------
    person, anchor : numpy.ndarray of int
        Each entrant, and the position of the event with which they entered.
    depth : numpy.ndarray of int
        How many steps they reached: 1 for the first alone.
    wait : numpy.ndarray of int
        From the entry to the last step, for those who got there; else -1.
    left : numpy.ndarray of int
        For how long each was observed after the entry, at most the window.
    goals : numpy.ndarray of int
        Of those who got there, how many events of the last step they have in the period from their
        entry on; else 0.
    events : numpy.ndarray of int
        How many events of the period each has.
    """

    person: IntArray
    anchor: IntArray
    depth: IntArray
    wait: IntArray
    left: IntArray
    goals: IntArray
    events: IntArray


def enter(side: Side, count: int, within: int, *, in_period: bool) -> EnteredProfiles:
    """Return who entered, by the first event of the first step in the period.

    Steps are followed in their order, each by the first event after the one before, all within the
    window from the entry. Events at one time may be taken in either order.

    Parameters
    ----------
    side : Side
    count : int
        How many steps there are.
    within : int
        The window in microseconds.
    in_period : bool
        Whether steps count in the period alone, or in the window wherever it ends.
    """
    known = side.is_tracked & (side.person >= 0) & (side.step >= 0)
    # Nobody who entered is followed for longer than the window.
    until = side.end if in_period else side.end + within
    at = np.flatnonzero(known & (side.time >= side.start) & (side.time < until))
    at = at[np.lexsort((side.step[at], side.time[at], side.person[at]))]
    person, time, step = side.person[at], side.time[at], side.step[at]
    tied = np.flatnonzero(run_starts(person, time))
    begin = tied[np.searchsorted(tied, np.arange(len(at)), side="right") - 1]
    inside = (time >= side.start) & (time < side.end)
    first = np.flatnonzero((step == 0) & inside)
    first = first[run_starts(person[first])] if len(first) else first
    limit = time[first] + within
    if in_period:
        limit = np.minimum(limit, side.end - 1)
    depth, current = np.ones(len(first), dtype=np.int64), first.copy()
    for number in range(1, count):
        place = np.flatnonzero(step == number)
        found = np.searchsorted(place, begin[current] if len(current) else current)
        there = np.append(place, len(at))[found]
        there_person, there_time = np.append(person, -1)[there], np.append(time, 0)[there]
        got = (depth == number) & (there_person == person[first]) & (there_time <= limit)
        depth[got] = number + 1
        current = np.where(got, there, current)
    done = depth == count
    size = int(side.person.max(initial=-1)) + 1
    entry = np.full(size, np.iinfo(np.int64).max)
    entry[person[first[done]]] = time[first[done]]
    counts = inside & (step == count - 1) & (time >= entry[person])
    goals = np.bincount(person[counts], minlength=size)
    mine = side.inside & (side.person >= 0)
    return EnteredProfiles(
        person=person[first],
        anchor=at[first],
        depth=depth,
        wait=np.where(done, time[current] - time[first], -1),
        left=np.clip(side.observed - time[first], 0, within),
        goals=np.where(done, goals[person[first]], 0),
        events=np.bincount(side.person[mine], minlength=size)[person[first]],
    )

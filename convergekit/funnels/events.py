"""Prepare the events of a frame for a funnel: unit, time and steps of each, as integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from convergekit.base.grouping import distinct, number, run_starts
from convergekit.base.lockstep import Lockstep
from convergekit.errors import ColumnError, what_there_is
from convergekit.events.schema import missing
from convergekit.events.steps import (
    EventNames,
    Exclusion,
    Step,
    StepMasks,
    exclusion_events,
    single_valued,
)
from convergekit.events.timestamps import microseconds, order_of_arrival
from convergekit.funnels.vendors.presets import Order
from convergekit.typing import BoolArray, IntArray


class Profiles(Protocol):
    """The profile of each event of a frame."""

    def of(self, at: IntArray) -> tuple[IntArray, pd.Index]:
        """Return the profiles of the events at these positions, -1 for none, and their IDs."""


@dataclass(frozen=True)
class ProfileColumn:
    """Profiles that a column of the frame names."""

    column: pd.Series

    def of(self, at: IntArray) -> tuple[IntArray, pd.Index]:
        """Return the profiles of the events at these positions, -1 for none, and their IDs."""
        try:
            codes, distinct = number(self.column, at)
        except TypeError as error:
            raise ColumnError(
                f"the column {self.column.name!r} does not tell profiles apart ({error}); give one "
                "of texts or numbers as profile=."
            ) from error
        return codes.astype(np.int64, copy=False), distinct


@dataclass(frozen=True)
class ProfileNumbers:
    """Profiles that are already numbered: per event the place of its ID in `ids`, -1 for none."""

    numbers: IntArray
    ids: pd.Index

    def of(self, at: IntArray) -> tuple[IntArray, pd.Index]:
        """Return the profiles of the events at these positions, -1 for none, and their IDs."""
        return self.numbers[at], self.ids


def check_columns(events: pd.DataFrame, profile: str) -> None:
    """Raise unless a frame has what every question needs: names, times and profiles.

    Raises
    ------
    ColumnError
        A column is not there, or twice, or the times are not datetimes.
    """
    for column in ("event_name", "timestamp", profile):
        if column not in events:
            raise ColumnError(
                f"no column {column!r}. "
                f"{what_there_is(events.columns, column, none='no columns at all')}"
            )
        if isinstance(events[column], pd.DataFrame):
            raise ColumnError(f"the column {column!r} occurs twice; keep one, or rename the other.")
    if not pd.api.types.is_datetime64_any_dtype(events["timestamp"].dtype):
        raise ColumnError(
            f"the column 'timestamp' is {events['timestamp'].dtype}, not datetime. Convert it "
            "with pd.to_datetime, or stitch the events first."
        )


@dataclass(frozen=True)
class FunnelEvents:
    """The events that take part in a funnel, as integers.

    Attributes
    ----------
    position : numpy.ndarray of int
        Of each event, its position in the frame.
    mask : numpy.ndarray of int
        The steps that it fills, as bits.
    excludes : list of numpy.ndarray of bool
        Per exclusion, which events exclude.
    non_step : numpy.ndarray of bool
        Events that fill no step but take part, as in strict order.
    unit : numpy.ndarray of int
        Its unit of counting: a profile, or a profile and a held value; -1 if unassigned, which
        is left out.
    time : numpy.ndarray of int
        Microseconds.
    arrival : numpy.ndarray of int
        Ascending in the order of arrival.
    name : numpy.ndarray of int
        Its name, as a code; -1 where `prepare` was not asked for names.
    profile_of_unit : numpy.ndarray of int
        Of each unit, the position of its profile in `profiles`.
    profiles : pandas.Index
    left_out : int
        Events of the steps that have no profile.
    """

    position: IntArray
    mask: IntArray
    excludes: list[BoolArray]
    non_step: BoolArray
    unit: IntArray
    time: IntArray
    arrival: IntArray
    name: IntArray
    profile_of_unit: IntArray
    profiles: pd.Index
    left_out: int

    @property
    def excluding(self) -> BoolArray:
        """Which events are of any exclusion."""
        return np.logical_or.reduce([np.zeros(len(self.unit), dtype=bool), *self.excludes])

    @cached_property
    def takes_part(self) -> BoolArray:
        """Which events fill a step, exclude, or take part all the same."""
        return ((self.mask > 0) | self.non_step | self.excluding) & (self.unit >= 0)

    @property
    def fills_one_step(self) -> bool:
        """Whether no event fills several steps."""
        return not (self.mask & (self.mask - 1)).any()

    @property
    def is_split(self) -> bool:
        """Whether a profile may be several units, one for each value that is held."""
        return not np.array_equal(self.profile_of_unit, np.arange(len(self.profiles)))

    def chosen(self, keep: npt.NDArray[Any]) -> FunnelEvents:
        """Return some of the events, by position or by truth; the same one may be chosen twice."""
        return replace(
            self,
            position=self.position[keep],
            mask=self.mask[keep],
            excludes=[excluding[keep] for excluding in self.excludes],
            non_step=self.non_step[keep],
            unit=self.unit[keep],
            time=self.time[keep],
            arrival=self.arrival[keep],
            name=self.name[keep],
        )

    def before(self, end: int | None) -> FunnelEvents:
        """Return the events before `end`."""
        return self if end is None else self.chosen(self.time < end)

    def since(self, start: int | None) -> FunnelEvents:
        """Return the events from `start` on."""
        return self if start is None else self.chosen(self.time >= start)

    def in_order(self) -> FunnelEvents:
        """Return the events that take part: by unit, then time, then arrival."""
        part = np.flatnonzero(self.takes_part)
        return self.chosen(part[np.lexsort((self.arrival[part], self.time[part], self.unit[part]))])

    def tied(self, tolerance: IntArray) -> FunnelEvents:
        """Return the events that take part, each at the time of the first of its tie.

        A tie is a run of one unit's events within `tolerance` (microseconds, per unit) of its
        first.
        """
        prepared = self.in_order()
        return replace(
            prepared, time=_times_of_ties(prepared.unit, prepared.time, tolerance[prepared.unit])
        )

    def once_per_tie(self) -> FunnelEvents:
        """Return the events without those whose name an earlier one of the same tie has."""
        order = np.lexsort((self.arrival, self.name, self.time, self.unit))
        new = run_starts(self.unit[order], self.time[order], self.name[order])
        return self.chosen(np.sort(order[new]))

    def without_tied_non_steps(self) -> FunnelEvents:
        """Return the events without those that fill no step, where one at that time does."""
        order = np.lexsort((self.time, self.unit))
        tie = np.empty(len(order), dtype=np.int64)
        tie[order] = np.cumsum(run_starts(self.unit[order], self.time[order])) - 1
        filled = np.bincount(tie, weights=self.mask > 0, minlength=1)[tie] > 0
        return self.chosen((self.mask > 0) | ~filled)

    def split(self, values: pd.Series) -> FunnelEvents:
        """Split every unit by the values; an event without a value is unassigned."""
        held, distinct = pd.factorize(values.mask(missing(values)))
        size = max(len(distinct), 1)
        pairs = np.where((self.unit >= 0) & (held >= 0), self.unit * size + held, -1)
        keys, split = np.unique(pairs, return_inverse=True)
        unassigned = int(len(keys) > 0 and keys[0] == -1)
        return replace(
            self,
            unit=split.reshape(-1) - unassigned,
            profile_of_unit=self.profile_of_unit[keys[unassigned:] // size],
        )


def prepare(
    events: pd.DataFrame,
    steps: Sequence[Step],
    excluding: Sequence[Exclusion],
    profiles: Profiles,
    *,
    hold: Sequence[str] = (),
    everything: bool = False,
    same_names: bool = False,
) -> FunnelEvents:
    """Return the events of a frame that take part, as integers.

    Parameters
    ----------
    events : pandas.DataFrame
        With `event_name`, `timestamp` and the column of profiles.
    steps : sequence of Step
    excluding : sequence of Exclusion
    profiles : Profiles
        The profile of each event.
    hold : sequence of str
        Properties whose values must be equal.
    everything : bool
        Whether events that fill no step take part, as in strict order.
    same_names : bool
        Whether `FunnelEvents.once_per_tie` will need names, and the events that have the name of
        a step but do not fill it.
    """
    names = EventNames(events)
    masks = StepMasks(names, steps)
    excludes = list(map(partial(exclusion_events, names), excluding))
    kept = masks.any
    for excludes_here in excludes:
        kept |= excludes_here
    if everything:
        kept |= names.tracked
    if same_names:
        of_steps = names.distinct.isin([name for step in steps for name in step.names])
        kept |= np.append(of_steps, False)[names.codes]
    kept &= events["timestamp"].notna().to_numpy()
    # Everything from here on looks at these events alone.
    at = np.flatnonzero(kept)
    profile, index = profiles.of(at)
    mask = masks.at(at)
    unassigned = profile < 0
    prepared = FunnelEvents(
        position=at,
        mask=mask,
        excludes=[excludes_here[at] for excludes_here in excludes],
        non_step=(mask == 0) & names.tracked[at] if everything else np.zeros(len(at), dtype=bool),
        unit=profile,
        time=microseconds(events["timestamp"])[at],
        arrival=order_of_arrival(events, at),
        name=names.codes[at] if same_names else np.broadcast_to(np.int64(-1), len(at)),
        profile_of_unit=np.arange(len(index)),
        profiles=index,
        left_out=int((mask[unassigned] > 0).sum()),
    )
    for name in hold:
        held = events[single_valued(events, name, option="hold")]
        prepared = prepared.split(pd.Series(held.array.take(at)))
    return prepared


def attempts_apart(
    prepared: FunnelEvents, starts: BoolArray, window: int, order: Order
) -> tuple[FunnelEvents, IntArray]:
    """Return every attempt as a unit of its own, with the events from its start on in the window.

    Parameters
    ----------
    prepared : FunnelEvents
        In order.
    starts : numpy.ndarray of bool
        Events that start an attempt.
    window : int
        Microseconds.
    order : {"ordered", "strict", "any"}
        In any order, events go on filling the first step; otherwise only the one that starts
        does. In strict order, those that fill no other are in the way.

    Returns
    -------
    apart : FunnelEvents
    start : numpy.ndarray of int
        Of each new unit, the event in `prepared` that starts it.
    """
    start = np.flatnonzero(starts)
    # Times are ascending for each unit only, so places are looked up among (unit, time) together.
    rank = pd.factorize(prepared.time, sort=True)
    span = len(rank[1]) + 1
    key = prepared.unit * span + rank[0]
    last = np.searchsorted(rank[1], prepared.time[start] + window, side="right") - 1
    begin = np.searchsorted(key, key[start])
    end = np.searchsorted(key, prepared.unit[start] * span + last, side="right")
    sizes = end - begin
    unit = np.repeat(np.arange(len(start)), sizes)
    at = np.arange(len(unit)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + begin[unit]
    apart = prepared.chosen(at)
    profile_of_unit = prepared.profile_of_unit[prepared.unit[start]]
    if order == "any":
        return replace(apart, unit=unit, profile_of_unit=profile_of_unit), start
    mask = np.where(at == start[unit], apart.mask, apart.mask & ~np.int64(1))
    non_step = (mask == 0) if order == "strict" else apart.non_step
    return replace(
        apart, mask=mask, non_step=non_step, unit=unit, profile_of_unit=profile_of_unit
    ), start


def _times_of_ties(unit: IntArray, time: IntArray, tolerance: IntArray) -> IntArray:
    """Return the time of the first event of each event's tie; events by unit, then time."""
    if not len(unit) or not tolerance.any():
        return time
    # Where the next event is further away than the tolerance, a tie ends whatever came before.
    apart = np.ones(len(unit), dtype=bool)
    apart[1:] = (unit[1:] != unit[:-1]) | (time[1:] - time[:-1] > tolerance[1:])
    starts = np.flatnonzero(apart)
    run = np.cumsum(apart) - 1
    first = time[starts][run]
    # Only a run that is longer than the tolerance has to be gone through event by event.
    long = distinct(run[time - first > tolerance])
    at = np.flatnonzero(np.isin(run, long))
    steps = Lockstep(run[at])
    anchor = time[starts[steps.sequence]]
    for items in steps:
        going = at[items]
        here = anchor[: len(going)]
        here = np.where(time[going] - here > tolerance[going], time[going], here)
        anchor[: len(going)] = first[going] = here
    return first

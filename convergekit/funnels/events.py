"""The events of a frame as funnels take them: whose, when, which steps they fill, as integers."""

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
from convergekit.errors import ColumnError
from convergekit.events.schema import missing
from convergekit.events.steps import (
    EventNames,
    Exclusion,
    Step,
    StepMasks,
    exclusion_events,
    single_valued,
)
from convergekit.events.timestamps import microseconds
from convergekit.funnels.vendors.presets import Order
from convergekit.typing import BoolArray, IntArray


class Profiles(Protocol):
    """Whose the events of a frame are."""

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
    ids: pd.Series

    def of(self, at: IntArray) -> tuple[IntArray, pd.Index]:
        """Return the profiles of the events at these positions, -1 for none, and their IDs."""
        return self.numbers[at], pd.Index(self.ids)


@dataclass(frozen=True)
class Fed:
    """Events as integers: those that take part.

    Attributes
    ----------
    position : numpy.ndarray of int
        Of each event, its position in the frame.
    mask : numpy.ndarray of int
        The steps that it fills, as bits.
    excludes : list of numpy.ndarray of bool
        Per exclusion, which events exclude.
    foreign : numpy.ndarray of bool
        Events that fill no step and take part all the same: those of strict order.
    who : numpy.ndarray of int
        Whose it is: a profile, or a profile and a held value; -1 for nobody's, left out.
    time : numpy.ndarray of int
        Microseconds.
    arrival : numpy.ndarray of int
        Ascending in the order of arrival.
    name : numpy.ndarray of int
        Its name, as a code; -1 where `feed` was not asked for names.
    whose : numpy.ndarray of int
        Of each who, the position of its profile in `profiles`.
    profiles : pandas.Index
    left_out : int
        Events of the steps that have no profile.
    """

    position: IntArray
    mask: IntArray
    excludes: list[BoolArray]
    foreign: BoolArray
    who: IntArray
    time: IntArray
    arrival: IntArray
    name: IntArray
    whose: IntArray
    profiles: pd.Index
    left_out: int

    @property
    def excluding(self) -> BoolArray:
        """Which events are of any exclusion."""
        return np.logical_or.reduce([np.zeros(len(self.who), dtype=bool), *self.excludes])

    @cached_property
    def takes_part(self) -> BoolArray:
        """Which events fill a step, exclude, or take part all the same."""
        return ((self.mask > 0) | self.foreign | self.excluding) & (self.who >= 0)

    @property
    def is_split(self) -> bool:
        """Whether a profile may be several whos, one for each value that is held."""
        return not np.array_equal(self.whose, np.arange(len(self.profiles)))

    def chosen(self, keep: npt.NDArray[Any]) -> Fed:
        """Return some of the events, by position or by truth; the same one may be chosen twice."""
        return replace(
            self,
            position=self.position[keep],
            mask=self.mask[keep],
            excludes=[excluding[keep] for excluding in self.excludes],
            foreign=self.foreign[keep],
            who=self.who[keep],
            time=self.time[keep],
            arrival=self.arrival[keep],
            name=self.name[keep],
        )

    def before(self, end: int | None) -> Fed:
        """Return the events before `end`."""
        return self if end is None else self.chosen(self.time < end)

    def since(self, start: int | None) -> Fed:
        """Return the events from `start` on."""
        return self if start is None else self.chosen(self.time >= start)

    def in_order(self) -> Fed:
        """Return the events that take part: by who, then time, then arrival."""
        part = np.flatnonzero(self.takes_part)
        return self.chosen(part[np.lexsort((self.arrival[part], self.time[part], self.who[part]))])

    def tied(self, tolerance: IntArray) -> Fed:
        """Return the events that take part, each at the time of the first of its tie.

        A tie is a run of one who's events within `tolerance` (microseconds, per who) of the first.
        """
        fed = self.in_order()
        return replace(fed, time=_times_of_ties(fed.who, fed.time, tolerance[fed.who]))

    def once_per_tie(self) -> Fed:
        """Return the events without those whose name an earlier one of the same tie has."""
        order = np.lexsort((self.arrival, self.name, self.time, self.who))
        new = run_starts(self.who[order], self.time[order], self.name[order])
        return self.chosen(np.sort(order[new]))

    def without_tied_foreigners(self) -> Fed:
        """Return the events without those that fill no step, where one at that time does."""
        order = np.lexsort((self.time, self.who))
        tie = np.empty(len(order), dtype=np.int64)
        tie[order] = np.cumsum(run_starts(self.who[order], self.time[order])) - 1
        filled = np.bincount(tie, weights=self.mask > 0, minlength=1)[tie] > 0
        return self.chosen((self.mask > 0) | ~filled)

    def split(self, values: pd.Series) -> Fed:
        """Return the same with every who split by the values; without one, an event is nobody's."""
        held, distinct = pd.factorize(values.mask(missing(values)))
        size = max(len(distinct), 1)
        pairs = np.where((self.who >= 0) & (held >= 0), self.who * size + held, -1)
        keys, split = np.unique(pairs, return_inverse=True)
        nobody = int(len(keys) > 0 and keys[0] == -1)
        return replace(
            self, who=split.reshape(-1) - nobody, whose=self.whose[keys[nobody:] // size]
        )


def feed(
    events: pd.DataFrame,
    steps: Sequence[Step],
    excluding: Sequence[Exclusion],
    profiles: Profiles,
    *,
    hold: Sequence[str] = (),
    everything: bool = False,
    same_names: bool = False,
) -> Fed:
    """Return the events of a frame that take part, as integers.

    Parameters
    ----------
    events : pandas.DataFrame
        With `event_name`, `timestamp` and the column of profiles.
    steps : sequence of Step
    excluding : sequence of Exclusion
    profiles : Profiles
        Whose the events are.
    hold : sequence of str
        Properties whose values must be equal.
    everything : bool
        Whether events that fill no step take part, as in strict order.
    same_names : bool
        Whether `Fed.once_per_tie` will need names, and the events that have the name of a step
        but do not fill it.
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
    whose, index = profiles.of(at)
    mask = masks.at(at)
    nobodys = whose < 0
    fed = Fed(
        position=at,
        mask=mask,
        excludes=[excludes_here[at] for excludes_here in excludes],
        foreign=(mask == 0) & names.tracked[at] if everything else np.zeros(len(at), dtype=bool),
        who=whose,
        time=microseconds(events["timestamp"])[at],
        arrival=order_of_arrival(events, at),
        name=names.codes[at] if same_names else np.broadcast_to(np.int64(-1), len(at)),
        whose=np.arange(len(index)),
        profiles=index,
        left_out=int((mask[nobodys] > 0).sum()),
    )
    for name in hold:
        held = events[single_valued(events, name, option="hold")]
        fed = fed.split(pd.Series(held.array.take(at)))
    return fed


def attempts_apart(fed: Fed, starts: BoolArray, window: int, order: Order) -> tuple[Fed, IntArray]:
    """Return every attempt as a who of its own, with the events from its start on in the window.

    Parameters
    ----------
    fed : Fed
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
    apart : Fed
    start : numpy.ndarray of int
        Of each new who, the event in `fed` that starts it.
    """
    start = np.flatnonzero(starts)
    # Times are ascending for each who only, so places are looked up among (who, time) together.
    rank = pd.factorize(fed.time, sort=True)
    span = len(rank[1]) + 1
    key = fed.who * span + rank[0]
    last = np.searchsorted(rank[1], fed.time[start] + window, side="right") - 1
    begin = np.searchsorted(key, key[start])
    end = np.searchsorted(key, fed.who[start] * span + last, side="right")
    sizes = end - begin
    unit = np.repeat(np.arange(len(start)), sizes)
    at = np.arange(len(unit)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + begin[unit]
    apart = fed.chosen(at)
    whose = fed.whose[fed.who[start]]
    if order == "any":
        return replace(apart, who=unit, whose=whose), start
    mask = np.where(at == start[unit], apart.mask, apart.mask & ~np.int64(1))
    foreign = (mask == 0) if order == "strict" else apart.foreign
    return replace(apart, mask=mask, foreign=foreign, who=unit, whose=whose), start


def order_of_arrival(events: pd.DataFrame, at: IntArray) -> IntArray:
    """Return, of the events at these positions, numbers that ascend in the order of arrival.

    That is the order of `received_at` if there, then rows.
    """
    if "received_at" not in events:
        return at
    arrived = events["received_at"].fillna(events["timestamp"]).array.take(at)
    arrival = np.empty(len(at), dtype=np.int64)
    arrival[np.argsort(arrived, kind="stable")] = np.arange(len(at))
    return arrival


def _times_of_ties(who: IntArray, time: IntArray, tolerance: IntArray) -> IntArray:
    """Return the time of the first event of each event's tie; events by who, then time."""
    if not len(who) or not tolerance.any():
        return time
    # Where the next event is further away than the tolerance, a tie ends whatever came before.
    apart = np.ones(len(who), dtype=bool)
    apart[1:] = (who[1:] != who[:-1]) | (time[1:] - time[:-1] > tolerance[1:])
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

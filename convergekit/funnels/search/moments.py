"""Moments: the events of one profile at one time.

Within a moment events may be taken in any order, each once, so what counts is which steps its
events can fill together. That is worked out once per distinct collection of events, a *pattern*,
of which there are few.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from convergekit.base.grouping import first_of_run, run_starts
from convergekit.typing import BoolArray, IntArray


@dataclass(frozen=True)
class Moments:
    """Events that take part, grouped by unit and time.

    Attributes
    ----------
    event : numpy.ndarray of int
        Positions of the events: by unit, then time, then the steps that they fill, then arrival.
    first : numpy.ndarray of int
        Of each moment, the place of its first event in `event`.
    unit : numpy.ndarray of int
        Of each moment, its unit; ascending.
    time : numpy.ndarray of int
        Of each moment, microseconds; ascending for each unit.
    start : numpy.ndarray of int
        Of each moment, the first moment of the same unit.
    pattern : numpy.ndarray of int
        Of each moment, which of `patterns` its events make up.
    patterns : list of tuple of int
        Distinct collections of events, each event a bit mask of the steps that it fills.
    excluded : list of numpy.ndarray of bool
        Per exclusion, the moments that hold an excluding event.
    """

    event: IntArray
    first: IntArray
    unit: IntArray
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
        unit = self.unit[keep]
        return replace(
            self,
            first=self.first[keep],
            unit=unit,
            time=self.time[keep],
            start=first_of_run(run_starts(unit)),
            pattern=self.pattern[keep],
            excluded=[excluded[keep] for excluded in self.excluded],
        )

    @property
    def bounds(self) -> tuple[IntArray, IntArray]:
        """The first and the last moment of each unit that has any."""
        first_of = np.flatnonzero(self.start == np.arange(len(self.start)))
        return first_of, np.append(first_of[1:], len(self.start))[: len(first_of)] - 1


def make_moments(
    mask: IntArray,
    unit: IntArray,
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
    mask, unit, time, arrival : numpy.ndarray of int
        Per event: the steps that it fills as bits, its unit (-1 if unassigned, left out), its time
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
    event = np.flatnonzero(part & (unit >= 0))
    event = event[_order_of_moments(event, unit, time, mask if ties else arrival, arrival)]
    units, when = unit[event], time[event]
    new = run_starts(units, when) if ties else np.ones(len(event), dtype=bool)
    first = np.flatnonzero(new)
    pattern, patterns = _patterns(mask[event], first)
    units = units[first]
    return Moments(
        event=event,
        first=first,
        unit=units,
        time=when[first],
        start=first_of_run(run_starts(units)),
        pattern=pattern,
        patterns=patterns,
        excluded=[
            np.logical_or.reduceat(excluding[event], first) if len(first) else new
            for excluding in excludes
        ],
    )


def _order_of_moments(event: IntArray, unit: IntArray, time: IntArray, *then: IntArray) -> IntArray:
    """Return the order of the events by unit, time, and the other keys."""
    units, when = unit[event], time[event]
    if not len(event):
        return event
    earliest = when.min()
    span = int(when.max()) - int(earliest) + 1
    if (int(units.max()) + 1) * span >= 2**64:
        return np.lexsort((*(key[event] for key in reversed(then)), when, units))
    # Both fit into one integer, which sorts several times as fast; few events are at one time.
    key = units.astype(np.uint64) * np.uint64(span) + (when - earliest).astype(np.uint64)
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

"""PostHog's funnels, as its source has them, and how they are broken down.

The rules differ from the search in `funnels.search` where an event fits two steps, at equal times,
in how exclusions work, and in what strict order forgives; ``docs/funnel-semantics.md`` says how.
They are in `posthog_ordered` and `posthog_unordered`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from convergekit.errors import ConvergekitError
from convergekit.events.schema import missing
from convergekit.funnels.events import FunnelEvents
from convergekit.funnels.paths import Paths
from convergekit.funnels.vendors.posthog_ordered import posthog_ordered
from convergekit.funnels.vendors.posthog_unordered import posthog_unordered
from convergekit.funnels.vendors.presets import ByStep, Order
from convergekit.typing import BoolArray, IntArray


def posthog_paths(
    prepared: FunnelEvents,
    steps: int,
    window: int,
    exclusions: Sequence[tuple[int, int]],
    order: Order,
    optional: Sequence[int],
    values: pd.DataFrame,
    by_step: ByStep,
) -> tuple[FunnelEvents, Paths, IntArray | None]:
    """Find how deep each unit gets, and which event gives its label in a breakdown.

    Parameters
    ----------
    prepared : FunnelEvents
    steps : int
    window : int
        Microseconds from the entry, the end included.
    exclusions : sequence of (int, int)
        Per exclusion of the events, the steps (from 1) that it stands between.
    order : {"ordered", "strict", "any"}
    optional : sequence of int
        Steps (from 1) that may be left out.
    values : pandas.DataFrame
        The columns of the breakdown, of all the frame's events.
    by_step : {"first", "last"} or int
        PostHog's first touch, last touch, or attribution to a step.

    Returns
    -------
    prepared : FunnelEvents
        The events, repeated for each profile's values where the attribution is to a step.
    paths : Paths
    label_at : numpy.ndarray of int or None
        Per path, the frame's position of the event that gives the label, -1 for none; None
        without a breakdown.
    """
    if order == "any" and isinstance(by_step, int) and len(values.columns):
        raise ConvergekitError(
            "like='posthog' labels order='any' by the first or the last touch only; set "
            "by_step='first' or 'last'."
        )
    only: tuple[int, BoolArray] | None = None
    label_of_unit: IntArray | None = None
    if len(values.columns) and isinstance(by_step, int):
        prepared, label_of_unit, may_fill = _for_every_value(prepared, values, by_step)
        only = (by_step, may_fill)
    elif len(values.columns):
        label_of_unit = _touch(prepared, values, last=by_step == "last")
    _check_exclusions(prepared)
    if order == "any":
        paths = posthog_unordered(prepared, steps, window)
    else:
        strict = order == "strict"
        paths = posthog_ordered(
            prepared, steps, window, exclusions, strict=strict, optional=optional, only=only
        )
    return prepared, paths, None if label_of_unit is None else label_of_unit[paths.unit]


def _check_exclusions(prepared: FunnelEvents) -> None:
    if (prepared.takes_part & prepared.excluding & (prepared.mask > 0)).any():
        raise ConvergekitError(
            "PostHog cannot exclude an event that is also a step; leave out like='posthog', or "
            "exclude other events."
        )


def _has_label(prepared: FunnelEvents, values: pd.DataFrame) -> BoolArray:
    """Return which events have a value in any of the columns."""
    given = np.zeros(len(values), dtype=bool)
    for name in values:
        given |= ~missing(values[name]).to_numpy(dtype=bool)
    return given[prepared.position]


def _touch(prepared: FunnelEvents, values: pd.DataFrame, *, last: bool) -> IntArray:
    """Return, per unit, the position of the first or last event that has a value, -1 for none."""
    at = np.flatnonzero(prepared.takes_part & _has_label(prepared, values))
    at = at[np.lexsort((prepared.arrival[at], prepared.time[at]))]
    found = np.full(len(prepared.profile_of_unit), -1, dtype=np.int64)
    # What is written last stays.
    at = at if last else at[::-1]
    found[prepared.unit[at]] = prepared.position[at]
    return found


def _for_every_value(
    prepared: FunnelEvents, values: pd.DataFrame, step: int
) -> tuple[FunnelEvents, IntArray, BoolArray]:
    """Repeat each profile's events for every value that it has on an event of the step.

    Returns
    -------
    prepared : FunnelEvents
        A unit for every unit and value, the missing one included; people without the step are left
        out.
    label_of_unit : numpy.ndarray of int
        The position of an event that has the value.
    may_fill : numpy.ndarray of bool
        Which events have the unit's value.
    """
    prepared = prepared.in_order()
    given = values.apply(lambda column: column.mask(missing(column)))
    code = given.iloc[prepared.position].groupby(list(values), dropna=False, sort=False).ngroup()
    code = code.to_numpy(dtype=np.int64)
    at = np.flatnonzero(prepared.mask >> (step - 1) & 1 == 1)
    pairs, first = np.unique(np.stack([prepared.unit[at], code[at]]), axis=1, return_index=True)
    begin = np.searchsorted(prepared.unit, pairs[0])
    sizes = np.searchsorted(prepared.unit, pairs[0], side="right") - begin
    unit = np.repeat(np.arange(len(sizes)), sizes)
    places = np.arange(len(unit)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + begin[unit]
    repeated = replace(
        prepared.chosen(places), unit=unit, profile_of_unit=prepared.profile_of_unit[pairs[0]]
    )
    return repeated, prepared.position[at[first]], code[places] == pairs[1][unit]

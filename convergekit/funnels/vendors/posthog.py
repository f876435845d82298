"""PostHog's funnels, as its source has them, and how they are broken down.

The rules differ from the search of `funnel_search` where an event fits two steps, at equal times,
in how exclusions work, and in what strict order forgives; ``docs/funnel-semantics.md`` says how.
They are in `funnel_posthog_ordered` and `funnel_posthog_unordered`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from convergekit.errors import ConvergekitError
from convergekit.events.schema import missing
from convergekit.funnels.events import Fed
from convergekit.funnels.paths import Paths
from convergekit.funnels.vendors.posthog_ordered import posthog_ordered
from convergekit.funnels.vendors.posthog_unordered import posthog_unordered
from convergekit.funnels.vendors.presets import ByStep, Order
from convergekit.typing import BoolArray, IntArray


def posthog_paths(
    fed: Fed,
    steps: int,
    window: int,
    exclusions: Sequence[tuple[int, int]],
    order: Order,
    optional: Sequence[int],
    values: pd.DataFrame,
    by_step: ByStep,
) -> tuple[Fed, Paths, IntArray | None]:
    """Find how deep each who gets, and which event gives its label in a breakdown.

    Parameters
    ----------
    fed : Fed
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
    fed : Fed
        The events, repeated for everybody's values where the attribution is to a step.
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
    label_of_who: IntArray | None = None
    if len(values.columns) and isinstance(by_step, int):
        fed, label_of_who, may_fill = _for_every_value(fed, values, by_step)
        only = (by_step, may_fill)
    elif len(values.columns):
        label_of_who = _touch(fed, values, last=by_step == "last")
    _check_exclusions(fed)
    if order == "any":
        paths = posthog_unordered(fed, steps, window)
    else:
        strict = order == "strict"
        paths = posthog_ordered(
            fed, steps, window, exclusions, strict=strict, optional=optional, only=only
        )
    return fed, paths, None if label_of_who is None else label_of_who[paths.who]


def _check_exclusions(fed: Fed) -> None:
    if (fed.takes_part & fed.excluding & (fed.mask > 0)).any():
        raise ConvergekitError(
            "PostHog cannot exclude an event that is also a step; leave out like='posthog', or "
            "exclude other events."
        )


def _has_label(fed: Fed, values: pd.DataFrame) -> BoolArray:
    """Return which events have a value in any of the columns."""
    given = np.zeros(len(values), dtype=bool)
    for name in values:
        given |= ~missing(values[name]).to_numpy(dtype=bool)
    return given[fed.position]


def _touch(fed: Fed, values: pd.DataFrame, *, last: bool) -> IntArray:
    """Return, per who, the position of the first or last event that has a value, -1 for none."""
    at = np.flatnonzero(fed.takes_part & _has_label(fed, values))
    at = at[np.lexsort((fed.arrival[at], fed.time[at]))]
    found = np.full(len(fed.whose), -1, dtype=np.int64)
    # What is written last stays.
    at = at if last else at[::-1]
    found[fed.who[at]] = fed.position[at]
    return found


def _for_every_value(fed: Fed, values: pd.DataFrame, step: int) -> tuple[Fed, IntArray, BoolArray]:
    """Repeat everybody's events for every value that they have on an event of the step.

    Returns
    -------
    fed : Fed
        A who for every who and value; people without a value at the step are left out.
    label_of_who : numpy.ndarray of int
        The position of an event that has the value.
    may_fill : numpy.ndarray of bool
        Which events have the who's value.
    """
    fed = fed.in_order()
    code = values.iloc[fed.position].groupby(list(values), dropna=False, sort=False).ngroup()
    code = code.to_numpy(dtype=np.int64)
    at = np.flatnonzero((fed.mask >> (step - 1) & 1 == 1) & _has_label(fed, values))
    pairs, first = np.unique(np.stack([fed.who[at], code[at]]), axis=1, return_index=True)
    begin = np.searchsorted(fed.who, pairs[0])
    sizes = np.searchsorted(fed.who, pairs[0], side="right") - begin
    unit = np.repeat(np.arange(len(sizes)), sizes)
    places = np.arange(len(unit)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + begin[unit]
    repeated = replace(fed.chosen(places), who=unit, whose=fed.whose[pairs[0]])
    return repeated, fed.position[at[first]], code[places] == pairs[1][unit]

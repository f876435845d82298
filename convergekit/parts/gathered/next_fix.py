"""Which change of the tracking would tell most, by parts: of all events what they link by."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd

from convergekit.base.durations import Duration
from convergekit.events.amounts import check_funnel
from convergekit.events.currencies import check_rates, currency_columns
from convergekit.events.schema import PROFILE, PROPERTY
from convergekit.events.steps import StepLike, as_steps
from convergekit.fixes.answer import next_fix
from convergekit.fixes.result import NextFix
from convergekit.identity.tables import StitchedEvents
from convergekit.parts.gathered.chosen import gathered
from convergekit.parts.stitching import Run
from convergekit.typing import BoolArray

#: What is looked at of every event beside its aliases.
_ALWAYS = ("row", "event_name", "kind", "timestamp", "received_at", "source")


def next_fix_by_parts(
    run: Run,
    event_name: StepLike,
    *,
    value: str | None,
    currency: str | None,
    rates: Mapping[str, float] | None,
    steps: Sequence[StepLike] | None,
    within: Duration | None,
) -> NextFix:
    """Return which change of the tracking would tell most. See `Stitched.next_fix`.

    Parameters
    ----------
    run : Run
    event_name, value, currency, rates, steps, within
        As `Stitched.next_fix` takes them.
    """
    check_funnel(steps, within)
    check_rates(value, currency, rates)
    asked = as_steps([event_name, *(steps or ())])
    columns = partial(_looked_at, named=(value, currency), funnel=steps is not None)
    if any(step.where is not None for step in asked):
        # A condition may be of any property.
        columns = partial(list)
    return next_fix(
        gathered(run, _all_of, columns),
        event_name,
        value=value,
        currency=currency,
        rates=rates,
        steps=steps,
        within=within,
    )


def _all_of(s: StitchedEvents) -> BoolArray:
    return np.ones(len(s.events), dtype=bool)


def _looked_at(
    events: pd.DataFrame, *, named: Sequence[str | None], funnel: bool
) -> Collection[str]:
    of_amounts = [
        prefix + name for name in named if name is not None for prefix in ("", PROPERTY, PROFILE)
    ]
    value = named[0]
    if value is not None and not set(events) & {value, PROPERTY + value, PROFILE + value}:
        # An error about an amount that is not there lists all columns.
        return list(events)
    of_funnels = ["profile_id"] if funnel else []
    currencies = [] if value is None else currency_columns(events)
    return [*_ALWAYS, *of_funnels, *of_amounts, *currencies]

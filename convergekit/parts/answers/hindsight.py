"""Hindsight by parts: what the events of each part reach, one below the other."""

from __future__ import annotations

import warnings
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from convergekit.diagnostics.hindsight import (
    FoundInHindsight,
    Hindsight,
    HindsightQuestion,
    ReachedThen,
    hindsight_in,
    hindsight_together,
)
from convergekit.events.amounts import events_named
from convergekit.funnels.funnel import PROFILE_ID, answer_of, asking_of_stitched
from convergekit.funnels.options import FunnelQuestion
from convergekit.identity.tables import StitchedEvents
from convergekit.parts.answers.below import values_below
from convergekit.parts.answers.funnel import Warned, tell
from convergekit.parts.answers.identity import by_row
from convergekit.parts.answers.said import kept_of_each
from convergekit.parts.each import EachPart


def hindsight_by_parts(
    asked: HindsightQuestion, funnel: FunnelQuestion | None, each: EachPart
) -> Hindsight:
    """Return what exists only in hindsight. See `Stitched.hindsight`.

    Parameters
    ----------
    asked : HindsightQuestion
    funnel : FunnelQuestion or None
        The funnel that is asked for.
    each : EachPart
    """
    of_part = partial(_hindsight_of, asked=asked, funnel=funnel)
    parts = kept_of_each(each, of_part, asked.event, lambda one: len(one.found.row))
    if funnel is not None:
        tell(funnel, [one.warned for one in parts if one.warned is not None])
    row = np.concatenate([one.found.row for one in parts])
    order = np.argsort(row, kind="stable")
    found = FoundInHindsight(
        row[order],
        [
            ReachedThen(
                same[0].name,
                np.concatenate([one.reached for one in same])[order],
                np.concatenate([one.late for one in same])[order],
            )
            for same in zip(*(one.found.reaches for one in parts), strict=True)
        ],
        by_row([one.found.events for one in parts]),
    )
    events = values_below([one.events for one in parts]).take(order).reset_index(drop=True)
    return hindsight_together(found, asked, events, np.arange(len(events)))


class _OfPart(NamedTuple):
    """What a part answers, its events, and what its funnel warns of."""

    found: FoundInHindsight
    events: pd.DataFrame
    warned: Warned | None


def _hindsight_of(
    number: int, s: StitchedEvents, *, asked: HindsightQuestion, funnel: FunnelQuestion | None
) -> _OfPart:
    counted, warned = None, None
    if funnel is not None:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            asking = asking_of_stitched(s, funnel)
            counted = answer_of(asking, PROFILE_ID)
        warned = Warned.of(asking, [str(one.message) for one in said])
    at = events_named(s.events, asked.event)
    found = hindsight_in(s, asked, at, counted)
    return _OfPart(found, s.events.iloc[at], warned)

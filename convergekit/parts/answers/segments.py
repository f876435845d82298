"""Segments by parts: a condition that needs the whole is resolved, the others each part meets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import pandas as pd

from convergekit.events.steps import Where
from convergekit.identity.conditions import (
    ChosenProfiles,
    ProfileCondition,
    check_given,
    events_met,
    of_events,
    of_profiles,
    several,
)
from convergekit.identity.segment import last_of, last_seen
from convergekit.identity.tables import StitchedEvents
from convergekit.parts.stitching import Run
from convergekit.parts.view import View


def where_by_parts(
    run: Run,
    profiles: ProfileCondition | Sequence[ProfileCondition] | None,
    events: Where | None,
    table: Callable[[], pd.DataFrame],
) -> Run:
    """Return a segment. See `Stitched.where`.

    Parameters
    ----------
    run : Run
    profiles, events
        As `Stitched.where` takes them.
    table : callable
        Returns the profiles of all parts.
    """
    check_given(profiles, events)
    if profiles is not None:
        asked = [
            ChosenProfiles.of(table(), one) if callable(one) else one for one in several(profiles)
        ]
        types = sorted({name for part in run.about for name in part.alias_types})
        run = View.of(run, partial(_of_profiles, asked=asked, types=types), run.data_end)
    if events is not None:
        last = last_of(run.of_each(partial(_last_of, events=events)), run.data_end)
        run = View.of(run, partial(_of_events, events=events, data_end=last), last)
    return run


def _of_profiles(
    number: int,
    s: StitchedEvents,
    *,
    asked: Sequence[ProfileCondition | ChosenProfiles],
    types: Sequence[str],
) -> StitchedEvents:
    return of_profiles(s, asked, types)


def _last_of(number: int, s: StitchedEvents, *, events: Where) -> tuple[pd.Timestamp, bool]:
    return last_seen(s, s.events["timestamp"][events_met(s, events)[0]])


def _of_events(
    number: int, s: StitchedEvents, *, events: Where, data_end: pd.Timestamp
) -> StitchedEvents:
    return of_events(s, events, data_end)

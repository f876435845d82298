"""Counts, retention and customers by parts: the events that count, one below the other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from convergekit.activity.counts import Counted, CountsQuestion, counted_in, counts_together
from convergekit.activity.events import Chosen, Subject
from convergekit.activity.retention import (
    Cohorts,
    Retention,
    RetentionQuestion,
    cohorts_in,
    retention_of_cohorts,
)
from convergekit.events.amounts import events_named
from convergekit.events.calendar import Calendar
from convergekit.events.currencies import currency_columns
from convergekit.events.observed import Observed
from convergekit.events.schema import PROFILE, PROPERTY
from convergekit.events.steps import StepLike, among_all
from convergekit.figures.frame import DrawnFrame
from convergekit.identity.tables import StitchedEvents
from convergekit.parts.answers.below import rows_below, values_below
from convergekit.parts.each import EachPart
from convergekit.visits.rules import Visits


def counts_by_parts(
    asked: CountsQuestion, each: EachPart, calendar: str | None, visits: Visits | None
) -> DrawnFrame:
    """Count events, or their profiles, by period. See `Stitched.counts`."""
    found: list[Counted] = []
    profiles = 0
    for one, about in each(partial(_counted_of, asked=asked, of=(calendar, visits))):
        found.append(replace(one, chosen=_numbered(one.chosen, profiles)))
        profiles += about.profiles
    whole = Counted(
        found[0].by,
        _chosen([one.chosen for one in found]),
        values_below([one.label_values for one in found]),
        pd.concat(_some([one.events for one in found]), ignore_index=True),
        _added([one.left_out for one in found]),
    )
    return counts_together(whole, asked, about.calendar, about.observed)


def retention_by_parts(
    asked: RetentionQuestion, each: EachPart, calendar: str | None, visits: Visits | None
) -> Retention:
    """Return who comes back. See `Stitched.retention`."""
    found: list[Cohorts] = []
    profiles = 0
    for one, about in each(partial(_cohorts_of, asked=asked, of=(calendar, visits))):
        found.append(
            replace(
                one,
                first=_numbered(one.first, profiles),
                returns=_numbered(one.returns, profiles),
            )
        )
        profiles += about.profiles
    whole = Cohorts(
        found[0].by,
        _chosen([one.first for one in found]),
        _chosen([one.returns for one in found]),
        values_below([one.label_values for one in found]),
        _added([one.left_out for one in found]),
    )
    return retention_of_cohorts(whole, asked, about.calendar, about.observed.end)


def events_by_parts(
    each: EachPart,
    steps: Sequence[StepLike],
    needed: Callable[[pd.DataFrame], Collection[str]] = list,
) -> pd.DataFrame:
    """Return the events of these names as one frame, by `row`.

    Parameters
    ----------
    each : EachPart
    steps : sequence of StepLike
    needed : callable
        Returns which columns of the events are needed, `row` among them; by default all.
    """
    return rows_below(list(each(partial(_events_of, steps=steps, needed=needed))))


def amount_columns(events: pd.DataFrame, *, value: str) -> list[str]:
    """Return the columns that amounts are taken from, as `needed` of `events_by_parts`."""
    named = [name for name in (value, PROPERTY + value, PROFILE + value) if name in events]
    # An error about an amount that is not there lists all columns.
    return ["row", *named, *currency_columns(events)] if named else list(events)


class _About(NamedTuple):
    """What is known of a part beside its events."""

    profiles: int
    calendar: Calendar
    observed: Observed


_Of = tuple[str | None, Visits | None]


def _counted_of(
    number: int, s: StitchedEvents, *, asked: CountsQuestion, of: _Of
) -> tuple[Counted, _About]:
    subject = Subject.of_stitched(s, *of)
    return counted_in(subject, asked), _about(s, subject)


def _cohorts_of(
    number: int, s: StitchedEvents, *, asked: RetentionQuestion, of: _Of
) -> tuple[Cohorts, _About]:
    subject = Subject.of_stitched(s, *of)
    return cohorts_in(subject, asked), _about(s, subject)


def _about(s: StitchedEvents, subject: Subject) -> _About:
    return _About(len(s.resolution.profile_ids), subject.calendar, subject.observed)


def _events_of(
    number: int,
    s: StitchedEvents,
    *,
    steps: Sequence[StepLike],
    needed: Callable[[pd.DataFrame], Collection[str]],
) -> pd.DataFrame:
    at = [events_named(s.events, step) for step in steps]
    chosen = np.unique(np.concatenate([np.empty(0, dtype=np.int64), *at]))
    names = list(dict.fromkeys(needed(s.events)))
    return among_all(s.events[names].iloc[chosen], s.events)


def _numbered(chosen: Chosen, first: int) -> Chosen:
    """Return events of which profiles are numbered through all parts."""
    profile = np.where(chosen.profile >= 0, chosen.profile + first, -1)
    return Chosen(chosen.position[:0], profile, chosen.time)


def _chosen(parts: Sequence[Chosen]) -> Chosen:
    return Chosen(
        *(np.concatenate([getattr(one, name) for one in parts])
          for name in ("position", "profile", "time"))
    )  # fmt: skip


def _some(frames: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """Return the frames with rows: one without does not say of which types it is."""
    return [frame for frame in frames if len(frame)] or [frames[0]]


def _added(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    return {what: sum(one[what] for one in counts) for what in counts[0]}

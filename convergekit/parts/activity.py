"""Counts, retention and customers by parts: the events that count, one below the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

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
from convergekit.events.steps import StepLike, among_all
from convergekit.figures.frame import DrawnFrame
from convergekit.identity.tables import StitchedEvents
from convergekit.parts.below import values_below
from convergekit.visits.rules import Visits

Parts = Callable[[], Iterator[StitchedEvents]]


def counts_by_parts(
    asked: CountsQuestion, parts: Parts, calendar: str | None, visits: Visits | None
) -> DrawnFrame:
    """Count events, or their profiles, by period. See `Stitched.counts`."""
    found: list[Counted] = []
    profiles = 0
    for s in parts():
        subject = Subject.of_stitched(s, calendar, visits)
        one = counted_in(subject, asked)
        found.append(replace(one, chosen=_numbered(one.chosen, profiles)))
        profiles += len(s.resolution.profile_ids)
    whole = Counted(
        found[0].by,
        _chosen([one.chosen for one in found]),
        values_below([one.label_values for one in found]),
        pd.concat(_some([one.events for one in found]), ignore_index=True),
        _added([one.left_out for one in found]),
    )
    return counts_together(whole, asked, subject.calendar, subject.observed)


def retention_by_parts(
    asked: RetentionQuestion, parts: Parts, calendar: str | None, visits: Visits | None
) -> Retention:
    """Return who comes back. See `Stitched.retention`."""
    found: list[Cohorts] = []
    profiles = 0
    for s in parts():
        subject = Subject.of_stitched(s, calendar, visits)
        one = cohorts_in(subject, asked)
        found.append(
            replace(
                one,
                first=_numbered(one.first, profiles),
                returns=_numbered(one.returns, profiles),
            )
        )
        profiles += len(s.resolution.profile_ids)
    whole = Cohorts(
        found[0].by,
        _chosen([one.first for one in found]),
        _chosen([one.returns for one in found]),
        values_below([one.label_values for one in found]),
        _added([one.left_out for one in found]),
    )
    return retention_of_cohorts(whole, asked, subject.calendar, subject.observed.end)


def events_by_parts(parts: Parts, steps: Sequence[StepLike]) -> tuple[pd.DataFrame, StitchedEvents]:
    """Return the events of these names as one frame, by `row`, and the last part."""
    found = []
    for s in parts():
        at = [events_named(s.events, step) for step in steps]
        chosen = np.unique(np.concatenate([np.empty(0, dtype=np.int64), *at]))
        found.append(s.events.iloc[chosen])
    whole = pd.concat(_some(found), ignore_index=True)
    whole = whole.sort_values("row", kind="stable", ignore_index=True)
    return among_all(whole, s.events), s


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

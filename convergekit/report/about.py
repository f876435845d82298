"""What a report says of the events as a whole, wherever they are: in memory or in parts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

import pandas as pd

from convergekit.checks.check_up import CheckUp, checked
from convergekit.events.amounts import events_named
from convergekit.events.calendar import Calendar
from convergekit.funnels.suggest import event_counts
from convergekit.identity.tables import StitchedEvents

if TYPE_CHECKING:
    from convergekit.diagnostics.report import Report


class Answering(Protocol):
    """What a report asks its questions of: a Stitched, or one in parts."""

    @property
    def identity(self) -> str:
        """``"retroactive"`` or ``"as_of"``."""
        ...

    @property
    def report(self) -> Report:
        """The report of the stitching."""
        ...


@dataclass(frozen=True)
class About:
    """What is known of all events.

    Attributes
    ----------
    names : pandas.Series
        How many events go by each name, most first.
    columns : collection of str
        Of the events.
    sources : mapping of str to int
        How many events are of each source.
    events, profiles : int
    observed : tuple of pandas.Timestamp
        From when to when profiles are observed; NaT without events.
    calendar : Calendar
    segment : str
        What the events are a segment by; empty if they are all.
    named : callable
        Returns the events of a name.
    check_up : callable
        Audits the events.
    """

    names: pd.Series
    columns: Collection[str]
    sources: Mapping[str, int]
    events: int
    profiles: int
    observed: tuple[pd.Timestamp, pd.Timestamp]
    calendar: Calendar
    segment: str
    named: Callable[[str], pd.DataFrame]
    check_up: Callable[[], CheckUp]

    @classmethod
    def of(cls, s: StitchedEvents) -> About:
        """Return what is known of events in memory."""
        events = s.events
        counts = events["source"].value_counts() if "source" in events else {}
        return cls(
            names=event_counts(events),
            columns=events.columns,
            sources={str(name): int(number) for name, number in dict(counts).items()},
            events=len(events),
            profiles=len(s.resolution.profile_ids),
            observed=s.observed_span,
            calendar=s.calendar,
            segment="" if s.segment is None else s.segment.description,
            named=partial(_named, events),
            check_up=lambda: checked(events),
        )


def _named(events: pd.DataFrame, name: str) -> pd.DataFrame:
    return events.iloc[events_named(events, name)]

"""What a funnel was asked of which events; it can be asked again for a part of the time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from convergekit.base.durations import parse_duration
from convergekit.events.amounts import events_named
from convergekit.events.observed import Observed, observed
from convergekit.events.schema import PROFILE
from convergekit.events.steps import StepLike
from convergekit.events.timestamps import microseconds
from convergekit.funnels.anchors import Range, first_entries
from convergekit.funnels.attempts import find_paths
from convergekit.funnels.events import FunnelEvents, Profiles
from convergekit.funnels.labels import (
    kept_labels,
    labels_of_steps,
    no_origin,
    short_name,
    with_others,
)
from convergekit.funnels.next_event import with_next_event
from convergekit.funnels.options import FunnelQuestion
from convergekit.funnels.outcomes import (
    CONVERTED,
    DROPPED,
    EXCLUDED,
    IN_WINDOW,
    NOT_A_TIME,
    STATUSES,
    Outcomes,
)
from convergekit.funnels.paths import InTime, Paths
from convergekit.funnels.vendors.posthog import posthog_paths
from convergekit.funnels.vendors.windowfunnel import window_funnel
from convergekit.funnels.visits import VisitNumbers
from convergekit.identity.tables import StitchedEvents, observed_of
from convergekit.typing import IntArray
from convergekit.visits.entry import EntryLabel, label_counts, labels_at, most_usual, values_at
from convergekit.visits.sessions import FoundSessions

if TYPE_CHECKING:
    from convergekit.funnels.bounds.counting import FunnelBasis


@dataclass(frozen=True)
class Behind:
    """Stitched events, which are left behind when a funnel is pickled: they hold callables."""

    events: StitchedEvents | None = None

    def __reduce__(self) -> tuple[type[Behind], tuple[()]]:
        """Pickle nothing of them."""
        return type(self), ()


@dataclass(frozen=True)
class Known:
    """What is known of events besides the frame that holds them.

    Attributes
    ----------
    observed : Observed or None
        From when to when profiles are observed, if that is not known of the frame.
    caution : str
        Why conversions of these profiles are not to be compared with others'; empty if they may.
    behind : Behind
        What the frame was stitched of, if it was.
    """

    observed: Observed | None = None
    caution: str = ""
    behind: Behind = Behind()

    @classmethod
    def of(cls, s: StitchedEvents) -> Known:
        """Return what is known of stitched events."""
        caution = "" if s.segment is None else s.segment.caution
        said = f"This segment is {caution}." if caution else ""
        return cls(observed_of(s), said)


class FunnelSource(Protocol):
    """What a funnel is asked of: events in memory, or in parts."""

    @property
    def asked(self) -> FunnelQuestion:
        """The question."""

    @property
    def known(self) -> Known:
        """What is known of the events besides."""

    @property
    def data_end(self) -> pd.Timestamp:
        """Until when profiles are observed."""

    @property
    def known_until(self) -> pd.Timestamp:
        """Until when it is known what people did."""

    @property
    def labels_said(self) -> list[str]:
        """Where the labels of the breakdown are read, a sentence for each column."""

    @property
    def segment(self) -> bool | None:
        """Whether the events are a segment; None of a frame of which nothing else is known."""

    def basis(self) -> FunnelBasis:
        """Return what bounds are found of."""

    def never_sent(self, outcomes: Outcomes) -> list[str]:
        """Return the columns that no visit of an entry sent, and that profiles carry."""

    def usual_labels(self, name: str, most: int) -> list[Any]:
        """Return the labels of a column of the breakdown that the data have most of."""

    def entry_times(self) -> IntArray:
        """Return the times of all entries in the range, in microseconds."""

    def outcomes_between(self, bounds: Sequence[tuple[int, int]]) -> list[Outcomes]:
        """Return how those fared who entered in each range, in microseconds."""

    def first_after_entry(self, part: Outcomes, event: StepLike) -> IntArray:
        """Return how long after its entry each row did something else, the largest for never."""

    def with_next_event(
        self, lost: pd.DataFrame, reached: Sequence[str], profile: str
    ) -> pd.DataFrame:
        """Return rows of conversions with what each profile did next."""


@dataclass(eq=False)
class Sessions:
    """The sessions of events, found when they are first asked for."""

    find: Callable[[], FoundSessions]

    @cached_property
    def found(self) -> FoundSessions:
        """The sessions."""
        return self.find()

    def __reduce__(self) -> tuple[Callable[[FoundSessions], Sessions], tuple[FoundSessions]]:
        """Pickle what was found: how to find it may hold what cannot be pickled."""
        return _known, (self.found,)


def _known(found: FoundSessions) -> Sessions:
    return Sessions(partial(_itself, found))


def _itself(found: FoundSessions) -> FoundSessions:
    return found


@dataclass(frozen=True, eq=False)
class Asking:
    """A funnel's question and the events that it is asked of.

    Attributes
    ----------
    asked : FunnelQuestion
    events : pandas.DataFrame
    prepared : FunnelEvents
        Of these events.
    profiles : Profiles
        The profile of each event.
    columns : list of str
        The breakdown's columns, where labels are read at steps.
    labels : sequence of EntryLabel
        Where they are read, if at the entry.
    sessions : Sessions
        Of the events.
    visits : VisitNumbers or None
        Where visits are counted.
    ids : pandas.Index
        Of profiles.
    known : Known
        What is known of the events besides.
    """

    asked: FunnelQuestion
    events: pd.DataFrame
    prepared: FunnelEvents
    profiles: Profiles
    columns: list[str]
    labels: Sequence[EntryLabel]
    sessions: Sessions
    visits: VisitNumbers | None
    ids: pd.Index
    known: Known

    @cached_property
    def data_end(self) -> pd.Timestamp:
        """Until when profiles are observed: the time of the last event, unless more is known."""
        return self.observed.end

    @cached_property
    def observed(self) -> Observed:
        """From when to when profiles are observed."""
        return self.known.observed or observed(self.events)

    @cached_property
    def known_until(self) -> pd.Timestamp:
        """Until when it is known what people did: to the end of the data, or of what counts."""
        return self.asked.known_until(self.data_end)

    @cached_property
    def counting(self) -> FunnelEvents:
        """The events that may count, those that count as simultaneous at the time of the first.

        What lies beyond the end of the data has a wrong clock.
        """
        asked, prepared = self.asked, self.prepared
        bounds = self.observed.bounds()
        if bounds is not None and not self.observed.holds(prepared.time).all():
            prepared = prepared.since(bounds[0]).before(bounds[1])
        if asked.rules.engine != "search":
            return prepared
        if asked.is_cut:
            prepared = prepared.before(asked.end)
        return _with_ties(asked, prepared)

    @property
    def names(self) -> list[str]:
        """The breakdown's columns."""
        return [label.name for label in self.labels] or self.columns

    @property
    def segment(self) -> bool | None:
        """Whether the events are a segment; None of a frame of which nothing else is known."""
        s = self.known.behind.events
        return None if s is None else s.segment is not None

    def basis(self) -> FunnelBasis:
        """Return what bounds are found of."""
        from convergekit.funnels.bounds.counting import BasisInPart, basis_together

        found = BasisInPart.of(self)
        return basis_together([found], self.asked, self.known_until, self._kept)

    def labels_of(self, at: IntArray) -> dict[str, pd.Series]:
        """Return the labels that entries at these positions of the events have."""
        return labels_at(self.events, self.labels, at, lambda: self.sessions.found)

    def outcomes(self) -> tuple[Outcomes, pd.DataFrame]:
        """Return how everybody fared who entered, and from which steps labels were taken."""
        return self._outcomes(self.asked, self.counting)

    def outcomes_of(self, start: int, end: int) -> Outcomes:
        """Return how those fared who entered from `start` on and before `end`, in microseconds.

        Their windows may reach beyond `end`.
        """
        asked, prepared = self.asked, self._in_time
        first = start if asked.start is None else max(start, asked.start)
        last = end if asked.end is None else min(end, asked.end)
        window = asked.window // pd.Timedelta(1, "us")
        low, high = np.searchsorted(prepared.time, [first, last + window + 1])
        part = prepared.chosen(np.arange(low, high))
        return self._outcomes(replace(asked, start=first, end=last), part, self._kept)[0]

    def outcomes_between(self, bounds: Sequence[tuple[int, int]]) -> list[Outcomes]:
        """Return how those fared who entered in each range, in microseconds."""
        return [self.outcomes_of(start, end) for start, end in bounds]

    def entry_times(self) -> IntArray:
        """Return the times of all entries in the range, in microseconds."""
        asked, prepared = self.asked, self.counting
        enters = (prepared.mask if asked.order == "any" else prepared.mask & 1) > 0
        enters &= prepared.unit >= 0
        if asked.start is not None:
            enters &= prepared.time >= asked.start
        if asked.end is not None:
            enters &= prepared.time < asked.end
        return prepared.time[enters]

    def first_after_entry(self, part: Outcomes, event: StepLike) -> IntArray:
        """Return how long after its entry each row did something else, the largest for never."""
        at = events_named(self.events, event)
        at = at[self.events["timestamp"].iloc[at].notna().to_numpy(dtype=bool)]
        profile, ids = self.profiles.of(at)
        # Both number the profiles that they met, so only IDs tell them apart.
        profile = np.append(part.ids.get_indexer(ids), -1)[profile]
        known = profile >= 0
        times = microseconds(self.events["timestamp"])[at[known]]
        entry = part.time[:, 0]
        found = InTime(profile[known], times).next(part.profile, entry, later=True)
        waited = np.append(times, 0)[found] - entry
        return np.where(found < 0, np.iinfo(np.int64).max, waited)

    def with_next_event(
        self, lost: pd.DataFrame, reached: Sequence[str], profile: str
    ) -> pd.DataFrame:
        """Return rows of conversions with what each profile did next."""
        return with_next_event(lost, self.events, reached, profile)

    @property
    def labels_said(self) -> list[str]:
        """Where the labels of the breakdown are read, a sentence for each column."""
        if self.labels:
            return [f"{short_name(label.name)} is {label.said()}." for label in self.labels]
        where = {"first": "the first step that has one", "last": "the last step that has one"}
        step = where.get(str(self.asked.rules.by_step), f"step {self.asked.rules.by_step}")
        return [f"{short_name(name)} is the value at {step}." for name in self.columns]

    def never_sent(self, outcomes: Outcomes) -> list[str]:
        """Return the columns that no visit of an entry sent, and that profiles carry."""
        return [
            label.name
            for label in self.labels
            if label.read != "entry"
            and len(outcomes.depth)
            and outcomes.labels[label.name].isna().all()
            and self.carries(label.name)
        ]

    def carries(self, name: str) -> bool:
        """Return whether a profile carries a value of a property."""
        column = PROFILE + name
        return column in self.events and bool(self.events[column].notna().any())

    def usual_labels(self, name: str, most: int) -> list[Any]:
        """Return the labels of a column of the breakdown that the data have most of."""
        return most_usual(self.label_counts(name), most)

    def label_counts(self, name: str) -> pd.Series:
        """Return how often each label of a column of the breakdown is in the data."""
        columns = [*self.labels, *(EntryLabel(name, "entry") for name in self.columns)]
        column = next(column for column in columns if column.name == name)
        return label_counts(self.events, column, lambda: self.sessions.found)

    @cached_property
    def _kept(self) -> dict[str, pd.Series] | None:
        """The labels that `top` keeps in the funnel of all the time."""
        top = self.asked.top
        if top is None:
            return None
        labels = self._outcomes(replace(self.asked, top=None), self.counting)[0].labels
        return {name: kept_labels(cells, top) for name, cells in labels.items()}

    @cached_property
    def _in_time(self) -> FunnelEvents:
        return self.counting.chosen(np.argsort(self.counting.time, kind="stable"))

    def _outcomes(
        self,
        asked: FunnelQuestion,
        prepared: FunnelEvents,
        kept: Mapping[str, pd.Series] | None = None,
    ) -> tuple[Outcomes, pd.DataFrame]:
        """Return the outcomes of some of the events, and from which steps labels were taken.

        `kept` are the labels of each column that `top` keeps; by default the most frequent here.
        """
        of_profile = prepared
        prepared, paths, label_at = _paths(asked, prepared, self.events[self.columns])
        counted = prepared.profile_of_unit[paths.unit]
        if asked.rules.by_step == "entry" and self.labels:
            if asked.count == "attempts":
                entry = paths.event[:, 0]
            else:
                entry = first_entries(of_profile, asked.order, Range(asked.start, asked.end))[
                    counted
                ]
            read = labels_at(self.events, self.labels, entry, lambda: self.sessions.found)
            labels, origin = read, no_origin()
        elif label_at is not None:
            origin = no_origin()
            labels = {name: values_at(self.events[name], label_at) for name in self.columns}
        else:
            labels, origin = labels_of_steps(
                self.events,
                self.columns,
                paths.event,
                asked.rules.by_step,
                len(asked.steps),
            )
        if asked.top is not None:
            kept = kept or {name: kept_labels(cells, asked.top) for name, cells in labels.items()}
            labels = {name: with_others(cells, kept[name]) for name, cells in labels.items()}
        visits = self.visits
        outcomes = Outcomes(
            profile=counted if visits is None else visits.visitor[counted],
            ids=self.ids,
            depth=paths.depth,
            status=_status(paths, asked, self.known_until),
            time=np.where(paths.event >= 0, paths.time, NOT_A_TIME),
            position=paths.event,
            rows=self.events.get("row"),
            labels=labels,
            gained=(
                None
                if paths.gained is None
                else np.where(paths.event >= 0, paths.gained, NOT_A_TIME)
            ),
            visit=None if visits is None else self._session_ids(visits.session[counted]),
        )
        return outcomes, origin

    def _session_ids(self, which: IntArray) -> pd.Series:
        return self.sessions.found.ids(pd.Series(self.ids), which)


def recounted(
    asked: FunnelQuestion,
    counting: FunnelEvents,
    known_until: pd.Timestamp,
    at: IntArray,
    unit: IntArray,
) -> tuple[IntArray, IntArray, IntArray]:
    """Return how some of the events that count fare as if of other profiles.

    Parameters
    ----------
    asked : FunnelQuestion
        Of profiles, without a breakdown.
    counting : FunnelEvents
        As `Asking.counting` has them.
    known_until : pandas.Timestamp
    at : numpy.ndarray of int
        Which of them take part.
    unit : numpy.ndarray of int
        The profile of each, as a number.

    Returns
    -------
    reached : numpy.ndarray of int
        How many profiles reached each step.
    profile, time : numpy.ndarray of int
        Of those who entered, and when each reached each step.
    """
    size = int(unit.max(initial=0)) + 1
    part = replace(
        counting.chosen(at),
        unit=unit,
        profile_of_unit=np.arange(size),
        profiles=pd.RangeIndex(size),
    )
    _, paths, _ = _paths(asked, _with_ties(asked, part), pd.DataFrame(index=range(0)))
    counts = _status(paths, asked, known_until) != STATUSES.index(EXCLUDED)
    time = np.where(paths.event >= 0, paths.time, NOT_A_TIME)[counts]
    return (time != NOT_A_TIME).sum(axis=0), paths.unit[counts], time


def _with_ties(asked: FunnelQuestion, prepared: FunnelEvents) -> FunnelEvents:
    """Return the events, those that count as simultaneous at the time of the first."""
    if asked.rules.tolerance is None:
        return prepared
    tolerance = parse_duration(asked.rules.tolerance, name="tolerance")
    micros = tolerance // pd.Timedelta(1, "us")
    return prepared.tied(np.full(len(prepared.profile_of_unit), micros))


def _paths(
    asked: FunnelQuestion, prepared: FunnelEvents, values: pd.DataFrame
) -> tuple[FunnelEvents, Paths, IntArray | None]:
    """Return the events of the funnel, how deep each attempt gets, and where labels are read."""
    steps, micros = len(asked.steps), asked.window // pd.Timedelta(1, "us")
    spans = [(after, before) for _, after, before in asked.excluding]
    if asked.rules.engine == "search":
        paths = find_paths(
            prepared,
            steps,
            micros,
            spans,
            asked.rules,
            asked.order,
            asked.count,
            asked.start,
            asked.end,
            asked.optional,
            {step: wait // pd.Timedelta(1, "us") for step, wait in asked.step_windows.items()},
        )
        return prepared, paths, None
    prepared = prepared.since(asked.start).before(asked.end)
    if asked.rules.engine == "windowfunnel":
        paths = window_funnel(prepared, steps, micros, strict=asked.order == "strict")
        return prepared, paths, None
    return posthog_paths(
        prepared, steps, micros, spans, asked.order, asked.optional, values, asked.rules.by_step
    )


def _status(paths: Paths, asked: FunnelQuestion, known_until: pd.Timestamp) -> IntArray:
    """Return how each path fared, as places in `STATUSES`."""
    rules, window = asked.rules, asked.window // pd.Timedelta(1, "us")
    last = max(place for place, step in enumerate(asked.steps) if not step.optional)
    converted, dropped, in_window, excluded = map(
        STATUSES.index, (CONVERTED, DROPPED, IN_WINDOW, EXCLUDED)
    )
    status = np.where(paths.event[:, last] >= 0, converted, dropped)
    if rules.open_windows and len(paths.unit):
        end = microseconds(pd.Series([known_until]))[0]
        status[(status == dropped) & (paths.last_entry + window > end)] = in_window
    void = paths.depth < paths.free
    status[void & ((rules.on_exclude == "remove") | (paths.depth == 0))] = excluded
    return status

"""Funnels: how far profiles get along a sequence of steps within a conversion window.

A profile enters with its first event of the first step in the range, whatever it does later, and
counts at the deepest step that it reaches from there. Other events may lie between the steps. The
window is the time elapsed since the entry, its end included. Events of one profile at the same time
may be taken in whichever order carries the profile furthest. One event fills one step: n repeats of
a step need n events. Identify calls and events without a profile are left out.

Depth, window, label, period and times all begin at the entry, so none depends on what happened
later. The groups of a breakdown add up to the whole, and the lists of profiles behind every bar
come from the same pass as the bar.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Unpack

import numpy as np
import pandas as pd

from convergekit.base.durations import Duration
from convergekit.events.arrow import Frame, as_frame
from convergekit.events.steps import (
    ExclusionLike,
    Step,
    StepLike,
    single_valued,
)
from convergekit.figures.calls import of_function
from convergekit.funnels.asking import Asking, Behind, FunnelSource, Known, Sessions
from convergekit.funnels.events import (
    ProfileColumn,
    ProfileNumbers,
    Profiles,
    check_columns,
    prepare,
)
from convergekit.funnels.options import FunnelOptions, FunnelQuestion, Within, check_names
from convergekit.funnels.outcomes import Outcomes
from convergekit.funnels.result import Funnel
from convergekit.funnels.vendors.presets import (
    ByStep,
    Count,
    Entry,
    Like,
    OnExclude,
    Order,
    RangeAppliesTo,
    Ties,
)
from convergekit.funnels.visits import visits_of
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import IntArray
from convergekit.visits.entry import Label, entry_labels
from convergekit.visits.rules import VisitRules, Visits
from convergekit.visits.sessions import FoundSessions, sessions_of_frame, sessions_of_visitors

PROFILE_ID = "profile_id"


@of_function
def funnel(
    events: Frame,
    steps: Sequence[StepLike],
    *,
    within: Within | None = None,
    profile: str = "profile_id",
    order: Order = "ordered",
    exclude: ExclusionLike | Sequence[ExclusionLike] = (),
    on_exclude: OnExclude | None = None,
    hold: str | Sequence[str] = (),
    by: str | Sequence[str] = (),
    by_step: ByStep | None = None,
    label: Label | None = None,
    top: int | None = None,
    start: Any = None,
    end: Any = None,
    range_applies_to: RangeAppliesTo | None = None,
    entry: Entry | None = None,
    ties: Ties | None = None,
    tolerance: Duration | None = None,
    count: Count = "profiles",
    freq: str | None = None,
    calendar: str | None = None,
    visits: Visits | None = None,
    like: Like | None = None,
) -> Funnel:
    """Count how far profiles get along the steps.

    Parameters
    ----------
    events : pandas.DataFrame or Arrow-compatible table
        With `event_name`, `timestamp` (datetime) and a column of profiles. `kind`, if there,
        says which rows are identify calls.
    steps : sequence of str, sequence of str, or Step
        At least one. A name, several of which any will do, or ``ck.Step(name, where=...)``.
    within : str, datetime.timedelta, or mapping of these
        The conversion window from the first step, such as ``"7D"`` or ``"90min"``. A mapping gives
        steps windows of their own, by name or number: the time since the step before. That of the
        first step is the whole: ``{"PageView": "7D", "Placed Order": "1D"}``. May be left out with
        ``count="visits"``, and where `like` names a tool that has a default.
    profile : str, default "profile_id"
        The column that names each event's profile; rows without a value are left out.
    order : {"ordered", "strict", "any"}, default "ordered"
        Whether other events may lie between the steps, or none of the profile's, or the steps
        may be done in any order: a row of the table then means "at least k of the steps".
    exclude : str, Exclusion, or sequence of these
        Events that void an attempt when they happen between two of its steps. An exclusion at
        the time of a step is placed on the side of it that leaves the attempt clean.
    on_exclude : {"remove", "drop_off"}, default "remove"
        What happens to a profile that got deeper in a void attempt than in any clean one: it
        leaves the funnel from step 1, or keeps the steps of its deepest clean attempt.
    hold : str or sequence of str
        Properties that must have equal values on all events of an attempt; events without a
        value are left out.
    by : str or sequence of str
        Breakdown: columns, or short names that stand for `properties.<name>` or
        `profile.<name>`. ``"channel"`` is that of the visit. A profile without a value is labelled
        as missing, which is a group too.
    by_step : {"entry", "first", "last"} or int, default "entry"
        Where a profile's label is read. At the entry it is fixed before anybody knows who converts,
        so groups can be compared: a campaign property (`utm_source`, `gclid`, `channel` ...) is
        what the visit had sent up to the entry, any other the value there. At the first or the last
        step that has a value, or at a step by its number, it describes those who got there: who
        converts has more steps to read a label at, so do not compare the conversion of such groups.
    label : {"visit", "carried"}, default "visit"
        With ``"carried"`` a campaign property at the entry is what the profile carried from earlier
        visits too. Who comes often has carried one for longer, and buys more.
    top : int, optional
        The number of labels to keep, those with the most profiles; the rest is ``"other"``.
    start, end : str or datetime, optional
        Attempts must enter from `start` on and before `end`; an `end` that is a date, such as
        ``"2026-03-31"``, includes that day, and a moment does not include itself. Later steps may
        follow after `end`, within the window. Without a time zone they are of the calendar.
    range_applies_to : {"entry", "entry_and_completion"}, default "entry"
        With the latter, nothing from `end` on counts, as if the data ended there: a window that
        reaches beyond it is open.
    entry : {"first", "any", "earliest"}, default "first"
        Whether only a profile's first event of the first step in the range starts an attempt, or
        every one: then the deepest counts, so a profile converts if it does within the window of
        *some* visit. Of attempts equally deep, ``"any"`` takes the one that entered last and
        ``"earliest"`` the one that entered first.
    ties : {"best", "arrival"}, default "best"
        Whether events of one profile at the same time may be taken in any order, or in the
        order of arrival (`received_at` if there, then rows) alone.
    tolerance : str or datetime.timedelta, optional
        Events of a profile within this time of the first of them count as simultaneous, at the
        time of the first.
    count : {"profiles", "attempts", "visits"}, default "profiles"
        Whether a profile counts once; or each of its attempts, one for every event of the first
        step; or each of its visits, as `Stitched.sessions` has them: then all steps are within the
        visit, and a server's order is of the profile's latest visit that began before it, up to 24
        hours.
    freq : str, optional
        The period of `Funnel.trend`, such as ``"W"``.
    calendar : str, optional
        The time zone of periods and dates, such as ``"Europe/Brussels"``; UTC when absent.
    visits : VisitRules or {"convergekit", "converge", "ga4", "universal", "matomo"}, optional
        What a visit is, where visits are counted or label a breakdown.
    like : {"posthog", "mixpanel", "amplitude", "clickhouse"}, optional
        Count as this tool does. The presets follow the tools' source (PostHog, ClickHouse's
        `windowFunnel`) or documentation (Mixpanel, Amplitude), which
        ``docs/funnel-semantics.md`` cites. No profile is then counted as ``"in_window"``.

    Returns
    -------
    Funnel

    Raises
    ------
    ColumnError
        A needed column is missing or ambiguous.
    ConvergekitError
        An option has a value that it does not take.

    Examples
    --------
    >>> import convergekit as ck
    >>> events = pd.DataFrame({
    ...     "profile_id": ["a", "a", "a", "b"],
    ...     "event_name": ["PageView", "Added To Cart", "Placed Order", "PageView"],
    ...     "timestamp": pd.to_datetime(["2026-03-02", "2026-03-03", "2026-03-20", "2026-03-02"]),
    ... })
    >>> ck.funnel(events, ["PageView", "Added To Cart", "Placed Order"], within="7D")
    Funnel(PageView 2 → Added To Cart 1 → Placed Order 0; within 7 days)
    """
    question = FunnelQuestion.of(
        steps,
        within=within,
        order=order,
        exclude=exclude,
        on_exclude=on_exclude,
        hold=hold,
        by=by,
        by_step=by_step,
        label=label,
        top=top,
        start=start,
        end=end,
        range_applies_to=range_applies_to,
        entry=entry,
        ties=ties,
        tolerance=tolerance,
        count=count,
        freq=freq,
        calendar=calendar,
        visits=visits,
        like=like,
    )
    return answer(question, as_frame(events), profile)


def funnel_of(
    s: StitchedEvents,
    steps: Sequence[StepLike],
    *,
    profile: str = PROFILE_ID,
    **options: Unpack[FunnelOptions],
) -> Funnel:
    """Return how far the profiles of stitched events get along the steps. See `funnel`."""
    question = FunnelQuestion.of(steps, **options, usual=s.calendar)
    if profile != PROFILE_ID:
        return answer(question, s.events, profile, known=Known.of(s))
    asking = asking_of_stitched(s, question)
    outcomes, origin = asking.outcomes()
    return funnel_result(asking, asking.names, outcomes, origin, asking.prepared.left_out, profile)


def asking_of_stitched(s: StitchedEvents, question: FunnelQuestion) -> Asking:
    """Return a question and the stitched events that it is asked of."""
    return asking_of(
        question,
        s.events,
        PROFILE_ID,
        ProfileNumbers(s.resolution.profile, pd.Index(s.resolution.profile_ids)),
        partial(sessions_of_visitors, s, s.resolution.profile),
        replace(Known.of(s), behind=Behind(s)),
    )


def asking_of_visitors(
    s: StitchedEvents, question: FunnelQuestion, frame: pd.DataFrame, column: str, visitor: IntArray
) -> Asking:
    """Return the question, asked of stitched events whose visitors are others than the profiles.

    Parameters
    ----------
    s : StitchedEvents
    question : FunnelQuestion
    frame : pandas.DataFrame
        Its events, with the visitor of each in `column`.
    column : str
    visitor : numpy.ndarray of int
        The same as numbers, -1 for none.
    """
    return asking_of(
        question,
        frame,
        column,
        ProfileNumbers(visitor, pd.RangeIndex(visitor.max(initial=-1) + 1)),
        partial(sessions_of_visitors, s, visitor),
        Known.of(s),
    )


def answer(
    asked: FunnelQuestion,
    events: pd.DataFrame,
    profile: str,
    numbered: Profiles | None = None,
    sessions: Callable[[VisitRules, str], FoundSessions] | None = None,
    known: Known | None = None,
) -> Funnel:
    """Return the funnel of a frame's events. See `asking_of`."""
    return answer_of(asking_of(asked, events, profile, numbered, sessions, known), profile)


def answer_of(asking: Asking, profile: str) -> Funnel:
    """Return the answer of events that are asked; `profile` is the column of profiles."""
    outcomes, origin = asking.outcomes()
    return funnel_result(asking, asking.names, outcomes, origin, asking.prepared.left_out, profile)


def asking_of(
    asked: FunnelQuestion,
    events: pd.DataFrame,
    profile: str,
    numbered: Profiles | None = None,
    sessions: Callable[[VisitRules, str], FoundSessions] | None = None,
    known: Known | None = None,
) -> Asking:
    """Return a question and the events that it is asked of.

    Parameters
    ----------
    asked : FunnelQuestion
    events : pandas.DataFrame
    profile : str
        The column of profiles.
    numbered : Profiles, optional
        The profile of each event, where more is known than the column.
    sessions : callable, optional
        Returns the sessions of the events by rules of visits and a time zone, where more is known
        of them than the frame says.
    known : Known, optional
        The same of the rest.
    """
    check_columns(events, profile)
    if asked.freq is not None:
        asked.calendar.periods(events["timestamp"].iloc[:0], asked.freq)
    at_entry = asked.rules.by_step == "entry"
    labels = entry_labels(events, asked.by, asked.rules.label) if at_entry else []
    columns = [] if at_entry else _columns(events, asked.by)
    names = [label.name for label in labels] or columns
    check_names(names, len(asked.steps), profile)
    profiles: Profiles = numbered or ProfileColumn(events[profile])
    find = sessions or partial(_sessions, events, profiles)
    found = Sessions(partial(find, asked.visits, asked.calendar.zone))
    visits = visits_of(found.found) if asked.count == "visits" else None
    prepared = prepare(
        events,
        asked.steps,
        [exclusion for exclusion, _, _ in asked.excluding],
        profiles if visits is None else visits,
        hold=asked.hold,
        everything=asked.order == "strict",
        same_names=asked.rules.once_per_tie,
    )
    every = np.arange(len(events))
    ids = prepared.profiles if visits is None else profiles.of(every)[1]
    return Asking(
        asked=asked,
        events=events,
        prepared=prepared,
        profiles=profiles,
        columns=columns,
        labels=labels,
        sessions=found,
        visits=visits,
        ids=ids,
        known=known or Known(),
    )


def funnel_result(
    asking: FunnelSource,
    by: list[str],
    outcomes: Outcomes,
    origin: pd.DataFrame,
    left_out: int,
    profile: str,
) -> Funnel:
    """Return what a funnel's question is answered with.

    Parameters
    ----------
    asking : FunnelSource
    by : list of str
        The breakdown's columns.
    outcomes : Outcomes
    origin : pandas.DataFrame
        From which steps labels were taken.
    left_out : int
        Events of the steps that have no profile.
    profile : str
        The column of profiles.
    """
    asked = asking.asked
    return Funnel(
        steps=_titles(asked.order, asked.steps),
        within=asked.window,
        by=by,
        left_out=left_out,
        data_end=asking.data_end,
        label_steps=origin,
        freq=asked.freq,
        optional=asked.optional,
        counted=asked.count,
        _outcomes=outcomes,
        _asking=asking,
        _profile=profile,
    )


def _columns(events: pd.DataFrame, by: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(single_valued(events, name, option="by") for name in by))


def _sessions(
    events: pd.DataFrame, profiles: Profiles, rules: VisitRules, zone: str
) -> FoundSessions:
    return sessions_of_frame(events, profiles.of(np.arange(len(events)))[0], rules, zone)


def _titles(order: Order, steps: Sequence[Step]) -> list[str]:
    if order == "any":
        return [f"{place} of {len(steps)} steps" for place in range(1, len(steps) + 1)]
    return [step.title for step in steps]

"""Funnels: how far profiles get along a sequence of steps within a conversion window.

Every event of the first step starts an attempt; a profile counts at the deepest step that any
of its attempts reaches. Other events may lie between the steps. The window is the time elapsed
since the attempt's entry, its end included. Events of one profile at the same time may be taken
in whichever order carries the profile furthest. One event fills one step: n repeats of a step
need n events. Identify calls and events without a profile are left out.

The path is searched first and labelled afterwards, so the groups of a breakdown always add up to
the whole; and the lists of profiles behind every bar come from the same pass as the bar.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np
import pandas as pd

from convergekit.base.durations import Duration
from convergekit.events.arrow import Frame, as_frame
from convergekit.events.calendar import Calendar
from convergekit.events.steps import (
    ExclusionLike,
    Step,
    StepLike,
    single_valued,
)
from convergekit.events.timestamps import in_utc, microseconds
from convergekit.funnels.attempts import find_paths
from convergekit.funnels.events import (
    FunnelEvents,
    ProfileColumn,
    ProfileNumbers,
    check_columns,
    prepare,
)
from convergekit.funnels.labels import labels_of
from convergekit.funnels.options import FunnelOptions, FunnelQuestion, check_names
from convergekit.funnels.outcomes import (
    CONVERTED,
    DROPPED,
    EXCLUDED,
    IN_WINDOW,
    NOT_A_TIME,
    STATUSES,
    Outcomes,
)
from convergekit.funnels.paths import Paths
from convergekit.funnels.result import Funnel
from convergekit.funnels.vendors.posthog import posthog_paths
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
from convergekit.funnels.vendors.windowfunnel import window_funnel
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import IntArray

PROFILE_ID = "profile_id"


def funnel(
    events: Frame,
    steps: Sequence[StepLike],
    *,
    within: Duration | None = None,
    profile: str = "profile_id",
    order: Order = "ordered",
    exclude: ExclusionLike | Sequence[ExclusionLike] = (),
    on_exclude: OnExclude | None = None,
    hold: str | Sequence[str] = (),
    by: str | Sequence[str] = (),
    by_step: ByStep | None = None,
    top: int | None = None,
    start: Any = None,
    end: Any = None,
    range_applies_to: RangeAppliesTo | None = None,
    entry: Entry | None = None,
    ties: Ties | None = None,
    tolerance: Duration | None = None,
    count: Count = "profiles",
    freq: str | None = None,
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
    within : str or datetime.timedelta
        The conversion window from the first step, such as ``"7D"`` or ``"90min"``. May be left
        out where `like` names a tool that has a default.
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
        `profile.<name>`.
    by_step : {"first", "last"} or int, default "first"
        Where a profile's label is read: the first or the last of its steps that has a value, or
        a step's number. A profile without a value is labelled as missing.
    top : int, optional
        The number of labels to keep, those with the most profiles; the rest is ``"other"``.
    start, end : str or datetime, optional
        Attempts must enter from `start` on and before `end`. Later steps may follow after `end`,
        within the window. Without a time zone they are UTC.
    range_applies_to : {"entry", "entry_and_completion"}, default "entry"
        With the latter, nothing from `end` on counts.
    entry : {"any", "first", "earliest"}, default "any"
        Whether every event of the first step starts an attempt, or only a profile's first. With
        ``"earliest"`` every one does, and of the deepest attempts the one that entered first
        counts.
    ties : {"best", "arrival"}, default "best"
        Whether events of one profile at the same time may be taken in any order, or in the
        order of arrival (`received_at` if there, then rows) alone.
    tolerance : str or datetime.timedelta, optional
        Events of a profile within this time of the first of them count as simultaneous, at the
        time of the first.
    count : {"profiles", "attempts"}, default "profiles"
        Whether a profile counts once, by its deepest attempt, or each of its attempts, one for
        every event of the first step.
    freq : str, optional
        The period of `Funnel.trend`, such as ``"W"``.
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
        top=top,
        start=start,
        end=end,
        range_applies_to=range_applies_to,
        entry=entry,
        ties=ties,
        tolerance=tolerance,
        count=count,
        freq=freq,
        like=like,
    )
    return _answer(question, as_frame(events), profile)


def funnel_of(
    s: StitchedEvents,
    steps: Sequence[StepLike],
    *,
    profile: str = PROFILE_ID,
    **options: Unpack[FunnelOptions],
) -> Funnel:
    """Return how far the profiles of stitched events get along the steps. See `funnel`."""
    question = FunnelQuestion.of(steps, **options)
    if profile != PROFILE_ID:
        return _answer(question, s.events, profile)
    # Profiles are numbered already, so their IDs need not be numbered again.
    numbered = ProfileNumbers(s.resolution.profile, s.resolution.profile_ids)
    return _answer(question, s.events, profile, numbered)


def _answer(
    asked: FunnelQuestion,
    events: pd.DataFrame,
    profile: str,
    numbered: ProfileNumbers | None = None,
) -> Funnel:
    """Return the funnel of a frame's events.

    Parameters
    ----------
    asked : FunnelQuestion
    events : pandas.DataFrame
    profile : str
        The column of profiles.
    numbered : ProfileNumbers, optional
        The profiles as numbers, where they are known.
    """
    check_columns(events, profile)
    if asked.freq is not None:
        Calendar().periods(events["timestamp"].iloc[:0], asked.freq)
    columns = list(dict.fromkeys(single_valued(events, name, option="by") for name in asked.by))
    check_names(columns, len(asked.steps), profile)
    prepared = prepare(
        events,
        asked.steps,
        [exclusion for exclusion, _, _ in asked.excluding],
        numbered or ProfileColumn(events[profile]),
        hold=asked.hold,
        everything=asked.order == "strict",
        same_names=asked.rules.once_per_tie,
    )
    prepared, paths, label_at = _paths(asked, prepared, events[columns])
    data_end = in_utc(events["timestamp"].max())
    labels, label_steps = labels_of(
        events, columns, paths.event, asked.rules.by_step, asked.top, len(asked.steps), label_at
    )
    outcomes = Outcomes(
        profile=prepared.profile_of_unit[paths.unit],
        ids=prepared.profiles,
        depth=paths.depth,
        status=_status(paths, asked, data_end),
        time=np.where(paths.event >= 0, paths.time, NOT_A_TIME),
        position=paths.event,
        rows=events.get("row"),
        labels=labels,
    )
    return Funnel(
        steps=_titles(asked.order, asked.steps),
        within=asked.window,
        by=columns,
        left_out=prepared.left_out,
        data_end=data_end,
        label_steps=label_steps,
        freq=asked.freq,
        optional=asked.optional,
        counted=asked.count,
        _outcomes=outcomes,
        _events=events,
        _profile=profile,
        _zero_times=asked.rules.zero_times,
    )


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
        )
        return prepared, paths, None
    prepared = prepared.since(asked.start).before(asked.end)
    if asked.rules.engine == "windowfunnel":
        return (
            prepared,
            window_funnel(prepared, steps, micros, strict=asked.order == "strict"),
            None,
        )
    return posthog_paths(
        prepared, steps, micros, spans, asked.order, asked.optional, values, asked.rules.by_step
    )


def _status(paths: Paths, asked: FunnelQuestion, data_end: pd.Timestamp) -> IntArray:
    """Return how each path fared, as places in `STATUSES`."""
    rules, window = asked.rules, asked.window // pd.Timedelta(1, "us")
    last = max(place for place, step in enumerate(asked.steps) if not step.optional)
    converted, dropped, in_window, excluded = map(
        STATUSES.index, (CONVERTED, DROPPED, IN_WINDOW, EXCLUDED)
    )
    status = np.where(paths.event[:, last] >= 0, converted, dropped)
    if rules.open_windows and len(paths.unit):
        end = microseconds(pd.Series([data_end]))[0]
        status[(status == dropped) & (paths.last_entry + window > end)] = in_window
    void = paths.depth < paths.free
    status[void & ((rules.on_exclude == "remove") | (paths.depth == 0))] = excluded
    return status


def _titles(order: Order, steps: Sequence[Step]) -> list[str]:
    if order == "any":
        return [f"{place} of {len(steps)} steps" for place in range(1, len(steps) + 1)]
    return [step.title for step in steps]

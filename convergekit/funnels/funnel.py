"""Funnels: how far profiles get along a sequence of steps within a conversion window.

Every event of the first step starts an attempt; a profile counts at the deepest step that any
of its attempts reaches. Other events may lie between the steps. The window is the time elapsed
since the attempt's entry, its end included. Events of one profile at the same time may be taken
in whichever order carries the profile furthest. One event fills one step: n repeats of a step
need n events. Identify calls and events without a profile take no part.

The path is searched first and labelled afterwards, so the groups of a breakdown always add up to
the whole; and the lists of profiles behind every bar come from the same pass as the bar.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from convergekit.base.durations import Duration, in_periods, parse_duration
from convergekit.base.options import names_given
from convergekit.errors import ColumnError, ConvergekitError, what_there_is
from convergekit.events.arrow import Frame, as_frame
from convergekit.events.steps import (
    ExclusionLike,
    Step,
    StepLike,
    as_exclusions,
    as_steps,
    single_valued,
)
from convergekit.events.timestamps import microseconds
from convergekit.funnels.attempts import find_paths
from convergekit.funnels.events import ProfileColumn, ProfileNumbers, feed
from convergekit.funnels.labels import labels_of
from convergekit.funnels.options import (
    check_choices,
    check_combination,
    check_effect,
    check_labels,
    check_names,
    check_tool,
)
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
    Rules,
    Ties,
    rules_of,
)
from convergekit.funnels.vendors.windowfunnel import window_funnel
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import IntArray


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
    _numbered: ProfileNumbers | None = None,
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
        The column that says whose event it is; rows without a value take no part.
    order : {"ordered", "strict", "any"}, default "ordered"
        Whether other events may lie between the steps, or none of the profile's; or the steps
        may be done in any order: a row of the table then means "at least so many of them".
    exclude : str, Exclusion, or sequence of these
        Events that void an attempt when they happen between two of its steps. At the same time
        as a step, the exclusion is taken on whichever side of it leaves the attempt clean.
    on_exclude : {"remove", "drop_off"}, default "remove"
        What becomes of a profile that got deeper in a void attempt than in any clean one: it
        leaves the funnel from step 1, or keeps the steps of its deepest clean attempt.
    hold : str or sequence of str
        Properties that must have equal values on all events of an attempt; events without a
        value take no part.
    by : str or sequence of str
        Breakdown: columns, or short names that stand for `properties.<name>` or
        `profile.<name>`.
    by_step : {"first", "last"} or int, default "first"
        Where a profile's label is read: the first or the last of its steps that has a value, or
        a step's number. A profile without a value is labelled as missing.
    top : int, optional
        Only so many labels, those with the most profiles; the rest is ``"other"``.
    start, end : str or datetime, optional
        Attempts must enter from `start` on and before `end`. Later steps may follow after `end`,
        within the window. Without a time zone they are UTC.
    range_applies_to : {"entry", "entry_and_completion"}, default "entry"
        With the latter, nothing from `end` on counts.
    entry : {"any", "first", "earliest"}, default "any"
        Whether every event of the first step starts an attempt, or only a profile's first. With
        ``"earliest"`` every one does, and of the deepest attempts the one that entered first is
        taken.
    ties : {"best", "arrival"}, default "best"
        Whether events of one profile at the same time may be taken in any order, or in the
        order of arrival (`received_at` if there, then rows) alone.
    tolerance : str or datetime.timedelta, optional
        Events of a profile within so much of the first of them are at one time: that of the
        first.
    count : {"profiles", "attempts"}, default "profiles"
        Whether a profile counts once, by its deepest attempt, or each of its attempts, one for
        every event of the first step.
    freq : str, optional
        Periods of `Funnel.trend`.
    like : {"posthog", "mixpanel", "amplitude", "clickhouse"}, optional
        Count as this tool does. The presets follow the tools' source (PostHog, ClickHouse's
        `windowFunnel`) or documentation (Mixpanel, Amplitude), which
        ``docs/funnel-semantics.md`` cites. No profile is then told apart as ``"in_window"``.

    Returns
    -------
    Funnel

    Raises
    ------
    ColumnError
        A needed column is missing or ambiguous.
    ConvergekitError
        An argument has a value that it does not take.

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
    given = as_steps(steps)
    options = {
        "within": within,
        "entry": entry,
        "ties": ties,
        "tolerance": tolerance,
        "on_exclude": on_exclude,
        "range_applies_to": range_applies_to,
        "by_step": by_step,
    }
    check_choices(order, on_exclude, range_applies_to, entry, ties, count)
    rules = rules_of(like, options)
    if rules.within is None:
        raise ConvergekitError(
            "a funnel needs within=, the conversion window from its first step: give one such as "
            "within='7D', '24h' or '30min'."
        )
    window = parse_duration(rules.within, name="within")
    excluding = as_exclusions(exclude, len(given))
    check_labels(rules.by_step, top, len(given))
    named = names_given("by", by)
    check_effect(
        top,
        by_step,
        on_exclude,
        range_applies_to,
        by=bool(named),
        exclude=bool(excluding),
        end=end is not None,
    )
    events = as_frame(events)
    _check_columns(events, profile)
    if freq is not None:
        in_periods(events["timestamp"].iloc[:0], freq)
    check_tool(like, rules, given, order, count, bool(excluding))
    check_combination(rules, given, order, excluding)
    columns = list(dict.fromkeys(single_valued(events, name, option="by") for name in named))
    check_names(columns, len(given), profile)
    fed = feed(
        events,
        given,
        [exclusion for exclusion, _, _ in excluding],
        _numbered or ProfileColumn(events[profile]),
        hold=names_given("hold", hold),
        everything=order == "strict",
        same_names=rules.once_per_tie,
    )
    micros = window // pd.Timedelta(1, "us")
    spans = [(after, before) for _, after, before in excluding]
    first, last = _bound(start, "start"), _bound(end, "end")
    if first is not None and last is not None and first >= last:
        raise ConvergekitError(f"end={end!r} is not after start={start!r}; nothing lies between.")
    optional = [place for place, step in enumerate(given, start=1) if step.optional]
    label_at: IntArray | None = None
    if rules.engine == "search":
        paths = find_paths(
            fed, len(given), micros, spans, rules, order, count, first, last, optional
        )
    else:
        fed = fed.since(first).before(last)
        if rules.engine == "windowfunnel":
            paths = window_funnel(fed, len(given), micros, strict=order == "strict")
        else:
            values = events[columns]
            fed, paths, label_at = posthog_paths(
                fed, len(given), micros, spans, order, optional, values, rules.by_step
            )
    data_end = _utc(events["timestamp"].max())
    labels, label_steps = labels_of(
        events, columns, paths.event, rules.by_step, top, len(given), label_at
    )
    outcomes = Outcomes(
        profile=fed.whose[paths.who],
        ids=fed.profiles,
        depth=paths.depth,
        status=_status(paths, rules, given, micros, data_end),
        time=np.where(paths.event >= 0, paths.time, NOT_A_TIME),
        position=paths.event,
        rows=events.get("row"),
        labels=labels,
    )
    return Funnel(
        steps=_titles(order, given),
        within=window,
        by=columns,
        left_out=fed.left_out,
        data_end=data_end,
        label_steps=label_steps,
        freq=freq,
        optional=optional,
        counted=count,
        _outcomes=outcomes,
        _events=events,
        _profile=profile,
        _zero_times=rules.zero_times,
    )


def _status(
    paths: Paths, rules: Rules, steps: Sequence[Step], window: int, data_end: pd.Timestamp
) -> IntArray:
    """Return how each path fared, as places in `STATUSES`."""
    last = max(place for place, step in enumerate(steps) if not step.optional)
    converted, dropped, in_window, excluded = map(
        STATUSES.index, (CONVERTED, DROPPED, IN_WINDOW, EXCLUDED)
    )
    status = np.where(paths.event[:, last] >= 0, converted, dropped)
    if rules.open_windows and len(paths.who):
        end = microseconds(pd.Series([data_end]))[0]
        status[(status == dropped) & (paths.last_entry + window > end)] = in_window
    void = paths.depth < paths.free
    status[void & ((rules.on_exclude == "remove") | (paths.depth == 0))] = excluded
    return status


def _titles(order: Order, steps: Sequence[Step]) -> list[str]:
    if order == "any":
        return [f"{place} of {len(steps)} steps" for place in range(1, len(steps) + 1)]
    return [step.title for step in steps]


def _check_columns(events: pd.DataFrame, profile: str) -> None:
    for column in ("event_name", "timestamp", profile):
        if column not in events:
            raise ColumnError(
                f"no column {column!r}. "
                f"{what_there_is(events.columns, column, none='no columns at all')}"
            )
        if isinstance(events[column], pd.DataFrame):
            raise ColumnError(f"the column {column!r} stands twice; keep one, or rename the other.")
    if not pd.api.types.is_datetime64_any_dtype(events["timestamp"].dtype):
        raise ColumnError(
            f"the column 'timestamp' is {events['timestamp'].dtype}, not datetime. Convert it "
            "with pd.to_datetime, or stitch the events first."
        )


def _bound(value: Any, name: str) -> int | None:
    if value is None:
        return None
    try:
        # A bare number would be taken for nanoseconds since 1970, which nobody means.
        stamp = pd.NaT if isinstance(value, (int, float)) else _utc(pd.Timestamp(value))
    except (ValueError, TypeError):
        stamp = pd.NaT
    if pd.isna(stamp):
        raise ConvergekitError(
            f"{name}={value!r} is no time; give one such as '2026-03-02' or a datetime."
        )
    return int(microseconds(pd.Series([stamp]))[0])


def _utc(stamp: pd.Timestamp) -> pd.Timestamp:
    if pd.isna(stamp):
        return stamp
    return stamp.tz_localize("UTC") if stamp.tz is None else stamp.tz_convert("UTC")


def funnel_of(
    s: StitchedEvents,
    steps: Sequence[StepLike],
    *,
    within: Duration | None = None,
    **options: Any,
) -> Funnel:
    """Return how far the profiles of stitched events get along the steps. See `funnel`."""
    # Profiles are numbered already, so their IDs need not be told apart once more.
    numbered = (
        None
        if "profile" in options
        else ProfileNumbers(s.resolution.profile, s.resolution.profile_ids)
    )
    return funnel(s.events, steps, within=within, _numbered=numbered, **options)

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
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from convergekit.durations import Duration, parse_duration
from convergekit.errors import ColumnError, ConvergekitError, did_you_mean
from convergekit.events import missing
from convergekit.funnel_result import CONVERTED, DROPPED, EXCLUDED, IN_WINDOW, OTHER, Funnel
from convergekit.funnel_search import (
    Found,
    Moments,
    attempts,
    events_of_steps,
    make_moments,
    search,
    search_any,
    search_strict,
)
from convergekit.steps import (
    ExclusionLike,
    Step,
    StepLike,
    as_exclusions,
    as_steps,
    exclusion_events,
    resolve_column,
    step_masks,
    tracked,
)
from convergekit.timestamps import microseconds

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
ByStep = Literal["first", "last"] | int
Ties = Literal["best", "arrival"]
Entry = Literal["any", "first"]
RangeAppliesTo = Literal["entry", "entry_and_completion"]
OnExclude = Literal["remove", "drop_off"]
Count = Literal["profiles", "attempts"]
Order = Literal["ordered", "strict", "any"]


def funnel(
    events: pd.DataFrame,
    steps: Sequence[StepLike],
    *,
    within: Duration,
    profile: str = "profile_id",
    order: Order = "ordered",
    exclude: ExclusionLike | Sequence[ExclusionLike] = (),
    on_exclude: OnExclude = "remove",
    hold: str | Sequence[str] = (),
    by: str | Sequence[str] = (),
    by_step: ByStep = "first",
    top: int | None = None,
    start: Any = None,
    end: Any = None,
    range_applies_to: RangeAppliesTo = "entry",
    entry: Entry = "any",
    ties: Ties = "best",
    count: Count = "profiles",
    freq: str | None = None,
) -> Funnel:
    """Count how far profiles get along the steps.

    Parameters
    ----------
    events : pandas.DataFrame
        With `event_name`, `timestamp` (datetime) and a column of profiles. `kind`, if there,
        says which rows are identify calls.
    steps : sequence of str, sequence of str, or Step
        At least one. A name, several of which any will do, or ``ck.Step(name, where=...)``.
    within : str or datetime.timedelta
        The conversion window from the first step, such as ``"7D"`` or ``"90min"``.
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
    entry : {"any", "first"}, default "any"
        Whether every event of the first step starts an attempt, or only a profile's first.
    ties : {"best", "arrival"}, default "best"
        Whether events of one profile at the same time may be taken in any order, or in the
        order of arrival (`received_at` if there, then rows) alone.
    count : {"profiles", "attempts"}, default "profiles"
        Whether a profile counts once, by its deepest attempt, or each of its attempts, one for
        every event of the first step.
    freq : str, optional
        Periods of `Funnel.trend`.

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
    window = parse_duration(within, name="within")
    excluding = as_exclusions(exclude, len(given))
    _check_options(order, on_exclude, range_applies_to, entry, ties, count, by_step, len(given))
    _check_columns(events, profile)
    _check_combination(order, count, excluding, len(given))
    columns = [resolve_column(events, name) for name in _names(by)]
    log = _Log.of(events, given, excluding, profile, _names(hold), ties, order)
    first, last = _bound(start, "start"), _bound(end, "end")
    if range_applies_to == "entry_and_completion":
        log = log.before(last)
    enters = log.entries(first, last, only_first=entry == "first", any_step=order == "any")
    micros = window // pd.Timedelta(1, "us")
    spans = [(after, before) for _, after, before in excluding]
    if count == "attempts":
        found, deepest = attempts(log.moments, len(given), micros, enters), None
    else:
        found = _search(order, log.moments, len(given), micros, enters, spans)
        free = log.moments.without_exclusions()
        deepest = _search(order, free, len(given), micros, enters, ()).depth if spans else None
    conversions = log.conversions(found, deepest, on_exclude, len(given), micros)
    conversions, label_steps = _labelled(conversions, events, columns, by_step, top, len(given))
    return Funnel(
        conversions=conversions.drop(columns=[f"position_{i + 1}" for i in range(len(given))]),
        steps=_titles(order, given),
        within=window,
        by=columns,
        left_out=log.left_out,
        data_end=log.data_end,
        label_steps=label_steps,
        freq=freq,
        _events=events,
        _profile=profile,
    )


@dataclass(frozen=True)
class _Log:
    """The events of a frame as the search wants them, and back."""

    events: pd.DataFrame
    moments: Moments
    whose: IntArray
    profiles: pd.Index
    left_out: int
    data_end: pd.Timestamp
    ties: Ties

    @classmethod
    def of(
        cls,
        events: pd.DataFrame,
        steps: Sequence[Any],
        excluding: Sequence[tuple[Any, int, int]],
        profile: str,
        hold: Sequence[str],
        ties: Ties,
        order: Order,
    ) -> _Log:
        mask = step_masks(events, steps)
        excludes = [exclusion_events(events, exclusion) for exclusion, _, _ in excluding]
        codes, profiles = pd.factorize(events[profile])
        timed = events["timestamp"].notna().to_numpy()
        left_out = int(((mask > 0) & timed & (codes < 0)).sum())
        codes = np.where(timed, codes, -1).astype(np.int64)
        whose = np.arange(len(profiles))
        for name in hold:
            codes, whose = _split(codes, whose, events[resolve_column(events, name)])
        time = microseconds(events["timestamp"].fillna(pd.Timestamp(0, tz=_zone(events))))
        moments = make_moments(
            mask,
            codes,
            time,
            _arrival(events),
            excludes,
            ties=ties == "best",
            everything=tracked(events) if order == "strict" else None,
        )
        end = events["timestamp"].max()
        return cls(events, moments, whose, pd.Index(profiles), left_out, _utc(end), ties)

    def before(self, end: int | None) -> _Log:
        """Return the log as if nothing had happened from `end` on."""
        if end is None:
            return self
        return replace(self, moments=self.moments.chosen(self.moments.time < end))

    def entries(
        self, start: int | None, end: int | None, *, only_first: bool, any_step: bool
    ) -> BoolArray:
        """Return the moments at which an attempt may start."""
        time = self.moments.time
        may = np.ones(len(time), dtype=bool)
        if start is not None:
            may &= time >= start
        if end is not None:
            may &= time < end
        if only_first:
            fills = self.moments.fills_a_step if any_step else self.moments.fills_first_step
            may &= self._is_first(np.flatnonzero(may & fills))
        return may

    def _is_first(self, starts: IntArray) -> BoolArray:
        """Return which moments are their profile's first of these, whatever is held equal."""
        profile = self.whose[self.moments.who[starts]]
        order = self.moments.time[starts]
        if self.ties == "arrival":
            arrival = _arrival(self.events)[self.moments.event[self.moments.first[starts]]]
            order = np.argsort(np.lexsort((arrival, order)))
        earliest = np.full(len(self.profiles), np.iinfo(np.int64).max)
        np.minimum.at(earliest, profile, order)
        first = np.zeros(len(self.moments.time), dtype=bool)
        first[starts[order == earliest[profile]]] = True
        return first

    def conversions(
        self, found: Found, deepest: IntArray | None, on_exclude: OnExclude, steps: int, window: int
    ) -> pd.DataFrame:
        """Return one row per profile (or attempt) that entered."""
        entered = found.depth > 0 if deepest is None else deepest > 0
        depth, reached = found.depth[entered], found.reached[entered]
        first_of, last_entry = found.first_of[entered], found.last_entry[entered]
        status = np.where(depth == steps, CONVERTED, DROPPED).astype(object)
        end = microseconds(pd.Series([self.data_end]))[0] if len(self.moments.time) else 0
        open_ = (depth < steps) & (self.moments.time[last_entry] + window > end)
        status[open_] = IN_WINDOW
        if deepest is not None:
            void = depth < deepest[entered]
            if on_exclude == "remove":
                status[void] = EXCLUDED
            else:
                status[void & (depth == 0)] = EXCLUDED
        if found.event is not None:
            position = found.event[entered]
        else:
            starter = None if found.starter is None else found.starter[entered]
            position = events_of_steps(self.moments, reached, starter)
        table = pd.DataFrame(
            {
                "profile_id": self.profiles[self.whose[self.moments.who[first_of]]],
                "depth": depth,
                "status": pd.Series(status, dtype="str"),
            }
        )
        rows = (
            self.events["row"].to_numpy() if "row" in self.events else np.arange(len(self.events))
        )
        stamps = (
            self.events["timestamp"].dt.tz_localize("UTC")
            if _zone(self.events) is None
            else (self.events["timestamp"].dt.tz_convert("UTC"))
        )
        for step in range(steps):
            at = position[:, step]
            time = stamps.dt.as_unit("us").array.take(at, allow_fill=True)
            table[f"time_{step + 1}"] = pd.Series(time)
            filled = rows[at] if len(rows) else at
            table[f"row_{step + 1}"] = pd.Series(filled).where(at >= 0).astype("Int64")
            table[f"position_{step + 1}"] = at
        if len(self.whose) != len(self.profiles):
            arrival = _arrival(self.events) if self.ties == "arrival" else None
            table = _deepest_of_each(table, steps, arrival)
        return table


def _search(
    order: Order,
    moments: Moments,
    steps: int,
    window: int,
    enters: BoolArray,
    spans: Sequence[tuple[int, int]],
) -> Found:
    if order == "strict":
        return search_strict(moments, steps, window, enters)
    if order == "any":
        return search_any(moments, steps, window, enters)
    return search(moments, steps, window, enters, spans)


def _titles(order: Order, steps: Sequence[Step]) -> list[str]:
    if order == "any":
        return [f"{place} of {len(steps)} steps" for place in range(1, len(steps) + 1)]
    return [step.title for step in steps]


def _check_combination(
    order: Order, count: Count, excluding: Sequence[tuple[Any, int, int]], steps: int
) -> None:
    if count == "attempts" and (excluding or order != "ordered"):
        raise ConvergekitError(
            "count='attempts' goes with neither exclude= nor order='strict' or 'any': count "
            "profiles, or leave these out."
        )
    if order == "strict" and excluding:
        raise ConvergekitError(
            "order='strict' does not go with exclude=: every event that is no step ends an attempt."
        )
    if order == "any" and any((a, b) != (1, steps) for _, a, b in excluding):
        raise ConvergekitError(
            "order='any' knows no steps to exclude between; leave out after= and before=."
        )


def _check_options(
    order: str,
    on_exclude: str,
    range_applies_to: str,
    entry: str,
    ties: str,
    count: str,
    by_step: ByStep,
    steps: int,
) -> None:
    choices = {
        "order": (order, Order),
        "on_exclude": (on_exclude, OnExclude),
        "range_applies_to": (range_applies_to, RangeAppliesTo),
        "entry": (entry, Entry),
        "ties": (ties, Ties),
        "count": (count, Count),
    }
    for name, (value, allowed) in choices.items():
        if value not in get_args(allowed):
            known = ", ".join(map(repr, get_args(allowed)))
            raise ConvergekitError(f"{name}={value!r} is not known; it is one of {known}.")
    if by_step not in ("first", "last") and by_step not in range(1, steps + 1):
        raise ConvergekitError(
            f"by_step={by_step!r} is not known; it is 'first', 'last' or a step from 1 to {steps}."
        )


def _check_columns(events: pd.DataFrame, profile: str) -> None:
    for column in ("event_name", "timestamp", profile):
        if column not in events:
            raise ColumnError(
                f"no column {column!r}. Found: {', '.join(map(str, events.columns))}."
                f"{did_you_mean(column, map(str, events.columns))}"
            )
    if not pd.api.types.is_datetime64_any_dtype(events["timestamp"].dtype):
        raise ColumnError(
            f"the column 'timestamp' is {events['timestamp'].dtype}, not datetime. Convert it "
            "with pd.to_datetime, or stitch the events first."
        )


def _names(given: str | Sequence[str]) -> list[str]:
    return [given] if isinstance(given, str) else list(given)


def _bound(value: Any, name: str) -> int | None:
    if value is None:
        return None
    try:
        return int(microseconds(pd.Series([_utc(pd.Timestamp(value))]))[0])
    except (ValueError, TypeError) as error:
        raise ConvergekitError(
            f"{name}={value!r} is no time; give one such as '2026-03-02' or a datetime."
        ) from error


def _utc(stamp: pd.Timestamp) -> pd.Timestamp:
    if pd.isna(stamp):
        return stamp
    return stamp.tz_localize("UTC") if stamp.tz is None else stamp.tz_convert("UTC")


def _zone(events: pd.DataFrame) -> Any:
    return events["timestamp"].dt.tz


def _arrival(events: pd.DataFrame) -> IntArray:
    if "received_at" not in events:
        return np.arange(len(events))
    arrived = events["received_at"].fillna(events["timestamp"]).array
    arrival = np.empty(len(events), dtype=np.int64)
    arrival[np.argsort(arrived, kind="stable")] = np.arange(len(events))
    return arrival


def _split(codes: IntArray, whose: IntArray, values: pd.Series) -> tuple[IntArray, IntArray]:
    """Split each who by the values; events without a value become nobody's."""
    held, distinct = pd.factorize(values.mask(missing(values)))
    pairs = np.where((codes >= 0) & (held >= 0), codes * max(len(distinct), 1) + held, -1)
    keys, split = np.unique(pairs, return_inverse=True)
    nobody = int(len(keys) > 0 and keys[0] == -1)
    split = split.reshape(-1) - nobody
    return split, whose[keys[nobody:] // max(len(distinct), 1)]


def _deepest_of_each(table: pd.DataFrame, steps: int, arrival: IntArray | None) -> pd.DataFrame:
    """Keep each profile's deepest row, of these the one that got there first, entering latest.

    Between equal times the order of arrival decides, where it is given.
    """
    depth = table["depth"].to_numpy()
    times = [microseconds(table[f"time_{s + 1}"]) for s in range(steps)]
    places = [table[f"position_{s + 1}"].to_numpy() for s in range(steps)]
    came = [np.zeros_like(p) if arrival is None else arrival[p] for p in places]
    last = (np.maximum(depth, 1) - 1, np.arange(len(table)))
    keys = [-depth, np.stack(times)[last], np.stack(came)[last], -times[0], -came[0]]
    keys += [key for step in range(1, steps) for key in (times[step], came[step])]
    order = np.lexsort(keys[::-1])
    return table.iloc[order].drop_duplicates("profile_id").sort_index().reset_index(drop=True)


def _labelled(
    conversions: pd.DataFrame,
    events: pd.DataFrame,
    columns: list[str],
    by_step: ByStep,
    top: int | None,
    steps: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Add the breakdown's labels, and say from which steps they came."""
    origins = []
    positions = np.stack(
        [conversions[f"position_{s + 1}"].to_numpy() for s in range(steps)], axis=1
    )
    for name in columns:
        values = events[name]
        has_value = np.append(~missing(values).to_numpy(dtype=bool), False)[positions]
        if isinstance(by_step, int):
            has_value[:, [s for s in range(steps) if s != by_step - 1]] = False
        step = has_value.argmax(axis=1)
        if by_step == "last":
            step = steps - 1 - has_value[:, ::-1].argmax(axis=1)
        found = has_value.any(axis=1)
        at = np.where(found, positions[np.arange(len(positions)), step], -1)
        labels = pd.Series(values.array.take(at, allow_fill=True)) if len(values) else values
        conversions[name] = _top(labels, top)
        origin = pd.Series(np.where(found, step + 1, 0)).value_counts().sort_index()
        origin = origin.rename_axis("step").rename("profiles").reset_index()
        origins.append(origin.assign(by=name)[["by", "step", "profiles"]])
    if not origins:
        return conversions, pd.DataFrame({"by": [], "step": [], "profiles": []})
    return conversions, pd.concat(origins, ignore_index=True)


def _top(labels: pd.Series, top: int | None) -> pd.Series:
    if top is None:
        return labels
    counts = labels.value_counts().rename_axis("label").reset_index(name="count")
    counts["text"] = counts["label"].astype(str)
    kept = counts.sort_values(["count", "text"], ascending=[False, True])["label"].head(top)
    return labels.astype(object).where(labels.isin(kept) | labels.isna(), OTHER)

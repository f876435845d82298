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
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from convergekit.durations import Duration, parse_duration, readable_duration
from convergekit.errors import ColumnError, ConvergekitError, did_you_mean
from convergekit.events import missing
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

OTHER = "other"
CONVERTED, DROPPED, IN_WINDOW, EXCLUDED = "converted", "dropped", "in_window", "excluded"


@dataclass(frozen=True, eq=False, repr=False)
class Funnel:
    """How far profiles got.

    Attributes
    ----------
    conversions : pandas.DataFrame
        One row per profile that entered (per attempt, under ``count="attempts"``):
        `profile_id`, `depth` (the deepest step reached), `status` (``"converted"``,
        ``"dropped"``, ``"in_window"``, ``"excluded"``), the breakdown's columns, and for each
        step ``time_1`` ... and ``row_1`` ..., when and by which row it was reached, in the
        attempt that first got that deep.
    steps : list of str
        What the steps are called.
    within : pandas.Timedelta
        The conversion window.
    by : list of str
        The breakdown's columns in `conversions` and `table`.
    left_out : int
        Events of the steps that take no part because they have no profile.
    data_end : pandas.Timestamp
        Time of the last event; windows that reach beyond it are still open.
    label_steps : pandas.DataFrame
        From which step each breakdown label was taken: `by`, `step`, `profiles`.

    Notes
    -----
    Always: entered = converted + dropped + in_window + excluded. Excluded profiles have no part
    in `table`.
    """

    conversions: pd.DataFrame
    steps: list[str]
    within: pd.Timedelta
    by: list[str]
    left_out: int
    data_end: pd.Timestamp
    label_steps: pd.DataFrame
    freq: str | None = None
    _events: pd.DataFrame = field(default_factory=pd.DataFrame)
    _profile: str = "profile_id"

    def __repr__(self) -> str:
        """Return the steps and their profiles in one line."""
        table = _step_table(self.conversions, self.steps)
        steps = zip(self.steps, table["profiles"], strict=True)
        shown = " → ".join(f"{name} {count:,}" for name, count in steps)
        by = f", by {', '.join(self.by)}" if self.by else ""
        return f"Funnel({shown}; within {readable_duration(self.within)}{by})"

    def _repr_html_(self) -> str:
        shown = self.table.dropna(axis="columns", how="all").copy()
        for name in shown:
            if name in _COUNTS:
                shown[name] = shown[name].map("{:,}".format)
            elif name in _SHARES:
                shown[name] = shown[name].map(_percentage)
            elif name in _TIMES:
                shown[name] = shown[name].map(readable_duration)
        caption = f"<caption>within {readable_duration(self.within)}</caption>"
        return str(shown.to_html(index=False, border=0)).replace("<thead>", caption + "<thead>", 1)

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per step, and per label of a breakdown.

        Columns: the breakdown's, `step` (from 1), `event_name`, `profiles` (that reached the
        step), `conversion` (share of the first step's), `step_conversion` (share of the step
        before's), `drop_off` (lost since the step before), `in_window` (not there yet, the
        window still open), and from the step before `median_time`, `mean_time`, `p90_time`
        (Timedelta).
        """
        return self._grouped(lambda part: _step_table(part, self.steps))

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many entered, and how they fared: converted, dropped, in_window, excluded."""
        status = self.conversions["status"]
        kinds = (CONVERTED, DROPPED, IN_WINDOW, EXCLUDED)
        return {"entered": len(status)} | {kind: int((status == kind).sum()) for kind in kinds}

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of `table`."""
        return self.table.copy()

    def converted(self, step: int | None = None) -> pd.DataFrame:
        """Return the profiles that reached a step, by default the last: rows of `conversions`."""
        step = len(self.steps) if step is None else self._checked(step)
        part = self._counted()
        return part[part["depth"] >= step].reset_index(drop=True)

    def drop_offs(self, step: int | None = None) -> pd.DataFrame:
        """Return the profiles that reached the step before, but not this one.

        Parameters
        ----------
        step : int, optional
            The step that was not reached, from 2; by default the last.

        Returns
        -------
        pandas.DataFrame
            Rows of `conversions` whose `status` is ``"dropped"``, and `next_event` and
            `next_time`: what the profile did next instead, missing if nothing.
        """
        step = len(self.steps) if step is None else self._checked(step)
        if step < 2:
            raise ConvergekitError("nobody drops off before the first step; give a step from 2.")
        part = self._counted()
        lost = part[(part["depth"] == step - 1) & (part["status"] == DROPPED)]
        return self._with_next_event(lost.reset_index(drop=True), f"time_{step - 1}")

    def time_to_convert(
        self, from_step: int = 1, to_step: int | None = None, *, bins: int = 20
    ) -> TimeToConvert:
        """Return how long profiles took from one step to another.

        Parameters
        ----------
        from_step, to_step : int
            Steps, from 1; by default the first and the last.
        bins : int, default 20
            Of the histogram.

        Returns
        -------
        TimeToConvert
        """
        to_step = len(self.steps) if to_step is None else self._checked(to_step)
        if not self._checked(from_step) < to_step:
            raise ConvergekitError(
                f"from_step={from_step} is not before to_step={to_step}; give two steps of "
                f"{len(self.steps)}, the earlier first."
            )
        part = self._counted()
        part = part[part["depth"] >= to_step]
        waits = part[f"time_{to_step}"] - part[f"time_{from_step}"]
        return TimeToConvert.of(waits.reset_index(drop=True), bins)

    def trend(self, freq: str | None = None) -> pd.DataFrame:
        """Return the conversion by the period in which profiles entered.

        Parameters
        ----------
        freq : str, optional
            A pandas period such as ``"D"``, ``"W"`` or ``"M"``; by default that of the funnel.

        Returns
        -------
        pandas.DataFrame
            `period` (its start), the breakdown's columns, `entered`, `converted`,
            `conversion` and `complete`: False where the window of somebody who might have
            entered in the period reaches beyond the data.
        """
        freq = freq or self.freq
        if freq is None:
            raise ConvergekitError("which periods? Give freq='D', 'W' or 'M'.")
        part = self._counted()
        entered = part["time_1"].dt.tz_localize(None)
        try:
            periods = entered.dt.to_period(freq)
        except (ValueError, AttributeError) as error:
            raise ConvergekitError(
                f"freq={freq!r} is no period; give one such as 'D', 'W' or 'M'."
            ) from error
        grouped = part.assign(period=periods).groupby(["period", *self.by], dropna=False)
        table = grouped.agg(
            entered=("depth", "size"),
            converted=("depth", lambda d: int((d == len(self.steps)).sum())),
        ).reset_index()
        ends = table["period"].dt.end_time.dt.tz_localize("UTC")
        return table.assign(
            conversion=table["converted"] / table["entered"],
            complete=(ends + self.within) <= self.data_end,
            period=table["period"].dt.start_time,
        )

    def compare(self, other: Funnel, *, confidence: float = 0.95) -> pd.DataFrame:
        """Compare the conversion of every step with that of another funnel.

        Parameters
        ----------
        other : Funnel
            With as many steps.
        confidence : float, default 0.95

        Returns
        -------
        pandas.DataFrame
            Per step: `step`, `event_name`, `profiles`, `other_profiles`, `conversion`,
            `other_conversion`, `difference` (other minus this, in shares of the first step),
            `low` and `high` (its confidence interval) and `p_value` (Fisher's exact test that
            both are equal).

        Notes
        -----
        The interval is Newcombe's hybrid score interval, from the Wilson intervals of the two
        proportions: R. G. Newcombe, "Interval estimation for the difference between independent
        proportions", Statistics in Medicine 17 (1998), method 10.
        """
        if len(other.steps) != len(self.steps):
            raise ConvergekitError(
                f"the funnels have {len(self.steps)} and {len(other.steps)} steps; compare "
                "funnels with equally many."
            )
        mine, theirs = (_step_table(f._counted(), f.steps) for f in (self, other))
        rows = [
            _difference(
                int(a), int(mine["profiles"][0]), int(b), int(theirs["profiles"][0]), confidence
            )
            for a, b in zip(mine["profiles"], theirs["profiles"], strict=True)
        ]
        return pd.concat(
            [
                mine[["step", "event_name", "profiles"]],
                theirs["profiles"].rename("other_profiles"),
                mine["conversion"],
                theirs["conversion"].rename("other_conversion"),
                pd.DataFrame(rows, columns=["difference", "low", "high", "p_value"]),
            ],
            axis="columns",
        )

    def plot(self) -> Any:
        """Return the funnel as a `plotly.graph_objects.Figure`."""
        from convergekit.figures import funnel_figure

        return funnel_figure(self)

    def _counted(self) -> pd.DataFrame:
        return self.conversions[self.conversions["status"] != EXCLUDED]

    def _grouped(self, work: Any) -> pd.DataFrame:
        if not self.by:
            return work(self.conversions)
        groups = self.conversions.groupby(self.by, dropna=False, sort=True)
        parts = []
        for label, part in sorted(groups, key=lambda group: _label_order(group[0], group[1])):
            table = work(part)
            for place, (name, value) in enumerate(zip(self.by, label, strict=True)):
                table.insert(place, name, pd.Series([value] * len(table), dtype=part[name].dtype))
            parts.append(table)
        if not parts:
            empty = work(self.conversions).iloc[:0]
            for place, name in enumerate(self.by):
                empty.insert(place, name, self.conversions[name].iloc[:0])
            return empty
        return pd.concat(parts, ignore_index=True)

    def _checked(self, step: int) -> int:
        if not 1 <= step <= len(self.steps):
            raise ConvergekitError(
                f"there is no step {step}; the funnel has {len(self.steps)}, counted from 1."
            )
        return step

    def _with_next_event(self, lost: pd.DataFrame, after: str) -> pd.DataFrame:
        events = self._events[["event_name", "timestamp"]].assign(
            profile_id=self._events[self._profile].array
        )
        if "kind" in self._events:
            events = events[(self._events["kind"] != "identify").to_numpy(dtype=bool)]
        events = events[events["profile_id"].isin(lost["profile_id"])]
        events = events.dropna(subset=["timestamp", "profile_id"]).sort_values("timestamp")
        events = events.rename(columns={"event_name": "next_event"})
        events["next_time"] = events["timestamp"]
        found = pd.merge_asof(
            lost.reset_index().sort_values(after),
            events.astype({"timestamp": lost[after].dtype}),
            left_on=after,
            right_on="timestamp",
            by="profile_id",
            direction="forward",
            allow_exact_matches=False,
        )
        return found.set_index("index").sort_index().rename_axis(None).drop(columns="timestamp")


@dataclass(frozen=True, eq=False)
class TimeToConvert:
    """How long profiles took from one step to another.

    Attributes
    ----------
    profiles : int
        How many did.
    median, mean : pandas.Timedelta
        ``NaT`` if nobody did.
    percentiles : pandas.Series
        Timedelta per percentile: 10, 25, 50, 75, 90, 95, 99.
    histogram : pandas.DataFrame
        `from`, `to` (Timedelta; the last bin includes its end) and `profiles`.
    """

    profiles: int
    median: pd.Timedelta
    mean: pd.Timedelta
    percentiles: pd.Series
    histogram: pd.DataFrame

    @classmethod
    def of(cls, waits: pd.Series, bins: int) -> TimeToConvert:
        """Summarise durations."""
        points = [10, 25, 50, 75, 90, 95, 99]
        seconds = waits.dt.total_seconds().to_numpy()
        counts, edges = (
            np.histogram(seconds, bins=bins) if len(waits) else (np.zeros(0, int), [0.0])
        )
        ends = pd.to_timedelta(np.asarray(edges), unit="s")
        return cls(
            profiles=len(waits),
            median=waits.median(),
            mean=waits.mean(),
            percentiles=waits.quantile(np.array(points) / 100).set_axis(points),
            histogram=pd.DataFrame({"from": ends[:-1], "to": ends[1:], "profiles": counts}),
        )


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
            table = _deepest_of_each(table, steps)
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


def _deepest_of_each(table: pd.DataFrame, steps: int) -> pd.DataFrame:
    """Keep each profile's deepest row, of these the one that got there first, entering latest."""
    at = np.arange(len(table))
    got_there = table["depth"].to_numpy() - 1
    times = np.stack([microseconds(table[f"time_{s + 1}"]) for s in range(steps)], axis=1)
    arrived = times[at, np.maximum(got_there, 0)]
    order = np.lexsort((-times[:, 0], arrived, -got_there))
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


_COUNTS = ("profiles", "drop_off", "in_window")
_SHARES = ("conversion", "step_conversion")
_TIMES = ("median_time", "mean_time", "p90_time")


def _step_table(conversions: pd.DataFrame, titles: list[str]) -> pd.DataFrame:
    part = conversions[conversions["status"] != EXCLUDED]
    steps = np.arange(1, len(titles) + 1)
    depth, status = part["depth"].to_numpy(), part["status"]
    profiles = np.array([int((depth >= step).sum()) for step in steps])
    before = np.append(profiles[:1], profiles[:-1])
    waiting = (status == IN_WINDOW).to_numpy(dtype=bool)
    in_window = np.array([int((waiting & (depth == step - 1)).sum()) for step in steps])
    in_window[0] = 0
    waits = [
        part[f"time_{step}"][depth >= step] - part[f"time_{step - 1}"][depth >= step]
        for step in steps[1:]
    ]
    with np.errstate(invalid="ignore", divide="ignore"):
        step_conversion = profiles / before.astype(float)
        conversion = profiles / float(profiles[0]) if profiles[0] else np.full(len(steps), np.nan)
    step_conversion[0] = np.nan
    return pd.DataFrame(
        {
            "step": steps,
            "event_name": pd.Series(titles, dtype="str"),
            "profiles": profiles,
            "conversion": conversion,
            "step_conversion": step_conversion,
            "drop_off": before - profiles - in_window,
            "in_window": in_window,
            "median_time": _durations([wait.median() for wait in waits]),
            "mean_time": _durations([wait.mean() for wait in waits]),
            "p90_time": _durations([wait.quantile(0.9) for wait in waits]),
        }
    )


def _durations(values: list[Any]) -> pd.Series:
    return pd.Series([pd.NaT, *values], dtype="timedelta64[us]")


def _difference(
    hits: int, total: int, other_hits: int, other_total: int, confidence: float
) -> tuple[float, float, float, float]:
    if not total or not other_total:
        return (np.nan,) * 4
    one, other = hits / total, other_hits / other_total
    low, high = stats.binomtest(hits, total).proportion_ci(confidence, method="wilson")
    other_low, other_high = stats.binomtest(other_hits, other_total).proportion_ci(
        confidence, method="wilson"
    )
    difference = other - one
    p_value = stats.fisher_exact(
        [[hits, total - hits], [other_hits, other_total - other_hits]]
    ).pvalue
    return (
        difference,
        difference - np.hypot(other - other_low, high - one),
        difference + np.hypot(other_high - other, one - low),
        float(p_value),
    )


def _label_order(label: tuple[Any, ...], part: pd.DataFrame) -> tuple[Any, ...]:
    """Order labels by size, "other" and missing ones last."""
    last = [value == OTHER or bool(pd.isna(value)) for value in label]
    return (any(last), -len(part), tuple(map(str, label)))


def _percentage(share: float) -> str:
    return "" if np.isnan(share) else f"{share:.1%}"

"""`Funnel`: what `funnel` returns. Plain DataFrames, and answers about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from convergekit.base.durations import readable_duration
from convergekit.base.proportions import check_confidence, difference
from convergekit.base.wording import counted, percentage
from convergekit.errors import ConvergekitError
from convergekit.events.calendar import Calendar
from convergekit.figures.card import Result
from convergekit.figures.frame import DrawnFrame
from convergekit.funnels.events import order_of_arrival
from convergekit.funnels.outcomes import (
    CONVERTED,
    DROPPED,
    EXCLUDED,
    NOT_A_TIME,
    STATUSES,
    Outcomes,
)

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from convergekit.figures.template import Template

#: The label of those that `top=` leaves out.
OTHER = "other"


@dataclass(frozen=True, eq=False, repr=False)
class Funnel(Result):
    """The result of a funnel: how far profiles got.

    Attributes
    ----------
    steps : list of str
        The names of the steps.
    within : pandas.Timedelta
        The conversion window.
    by : list of str
        The breakdown's columns in `conversions` and `table`.
    left_out : int
        Events of the steps that are left out because they have no profile.
    data_end : pandas.Timestamp
        Time of the last event; windows that reach beyond it are still open.
    label_steps : pandas.DataFrame
        From which step each breakdown label was taken: `by`, `step`, `profiles`.
    optional : list of int
        The steps (from 1) that may be left out.
    counted : str
        What is counted: ``"profiles"`` or ``"attempts"``.

    Notes
    -----
    Always: entered = converted + dropped + in_window + excluded. Excluded profiles are not
    in `table`.
    """

    steps: list[str]
    within: pd.Timedelta
    by: list[str]
    left_out: int
    data_end: pd.Timestamp
    label_steps: pd.DataFrame
    _outcomes: Outcomes
    freq: str | None = None
    optional: list[int] = field(default_factory=list)
    counted: str = "profiles"
    _events: pd.DataFrame = field(default_factory=pd.DataFrame)
    _profile: str = "profile_id"
    _zero_times: bool = True

    def _line(self) -> str:
        table = self._step_table(self._outcomes)
        steps = zip(self.steps, table["profiles"], strict=True)
        shown = " → ".join(f"{name} {count:,}" for name, count in steps)
        by = f", by {', '.join(self.by)}" if self.by else ""
        return f"Funnel({shown}; within {readable_duration(self.within)}{by})"

    def _title(self) -> str:
        return f"{self.counted.capitalize()} within {readable_duration(self.within)}"

    def _body(self) -> Iterable[pd.DataFrame | str]:
        from convergekit.funnels.groups import short_name

        shown = self.table.dropna(axis="columns", how="all").copy()
        for name in shown:
            if name in _COUNTS:
                shown[name] = shown[name].map("{:,}".format)
            elif name in _SHARES:
                shown[name] = shown[name].map(percentage)
            elif name in _TIMES:
                shown[name] = shown[name].map(readable_duration)
            elif name in self.by:
                # As the figure calls those without a value.
                given = shown[name].astype(object)
                shown[name] = given.where(given.notna(), f"no {short_name(name)}")
        return (shown,)

    @cached_property
    def conversions(self) -> pd.DataFrame:
        """One row per profile that entered (per attempt, under ``count="attempts"``).

        Columns: `profile_id`, `depth` (the deepest step reached), `status` (``"converted"``,
        ``"dropped"``, ``"in_window"``, ``"excluded"``), for each step ``time_1`` ... and
        ``row_1`` ..., when and by which row it was reached, in the attempt that first got that
        deep, and the breakdown's columns.
        """
        return self._outcomes.frame()

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per step, and per label of a breakdown.

        Columns: the breakdown's, `step` (from 1), `event_name`, `profiles` (that reached the
        step), `conversion` (share of the first step's), `step_conversion` (share of the step
        before's), `drop_off` (lost since the step before), `in_window` (not there yet, the
        window still open), and from the step before `median_time`, `mean_time`, `p90_time`
        (Timedelta).
        """
        return self._grouped(self._step_table)

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many entered, and how they fared: converted, dropped, in_window, excluded."""
        found = np.bincount(self._outcomes.status, minlength=len(STATUSES)).tolist()
        return {"entered": sum(found)} | dict(zip(STATUSES, found, strict=True))

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of `table`."""
        return self.table.copy()

    def converted(self, step: int | None = None) -> pd.DataFrame:
        """Return the profiles that reached a step, the last by default: rows of `conversions`."""
        step = len(self.steps) if step is None else self._checked(step)
        part = self._counted()
        return part[part[f"time_{step}"].notna()].reset_index(drop=True)

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
            `next_time`: what the profile did next instead, missing if nothing. Of events at one
            time it is the first to arrive.
        """
        step = len(self.steps) if step is None else self._checked(step)
        if step < 2:
            raise ConvergekitError(
                "step must be 2 or later: no profile drops off before the first."
            )
        if step in self.optional:
            raise ConvergekitError(
                f"step must be required; step {step} is optional, so no profile drops off there."
            )
        part = self._counted()
        before = required_before(self, step)
        lost = part[f"time_{before}"].notna() & part[f"time_{step}"].isna()
        lost = part[lost & (part["status"] == DROPPED)].reset_index(drop=True)
        return self._with_next_event(lost, [f"time_{s}" for s in range(before, step)])

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
        if not isinstance(bins, (int, np.integer)) or bins < 1:
            raise ConvergekitError(f"bins must be a whole number from 1; got {bins!r}.")
        to_step = len(self.steps) if to_step is None else self._checked(to_step)
        if not self._checked(from_step) < to_step:
            raise ConvergekitError(
                f"from_step must be before to_step, and both must be steps of {len(self.steps)}; "
                f"got {from_step} and {to_step}."
            )
        part = self._counted()
        waits = (part[f"time_{to_step}"] - part[f"time_{from_step}"]).dropna()
        if not self._zero_times:
            waits = waits[waits > pd.Timedelta(0)]
        names = (self.steps[from_step - 1], self.steps[to_step - 1])
        return TimeToConvert.of(waits.reset_index(drop=True), bins, names, self.counted)

    def trend(self, freq: str | None = None) -> DrawnFrame:
        """Return conversion by the period in which profiles entered (the trend).

        Parameters
        ----------
        freq : str, optional
            A pandas period such as ``"D"``, ``"W"`` or ``"M"``, in UTC; by default that of the
            funnel.

        Returns
        -------
        pandas.DataFrame
            `period` (its start), the breakdown's columns, `entered`, `converted`,
            `conversion` and `complete`: False where the window of a profile that entered
            in the period may reach beyond the data. Its ``plot(template=...)`` returns a
            figure in which periods that are not complete are dashed.
        """
        freq = freq or self.freq
        if freq is None:
            raise ConvergekitError("a trend needs a period; give freq='D', 'W' or 'M'.")
        part = self._counted()
        periods = Calendar().periods(part["time_1"], freq)
        part = part.assign(period=periods, is_converted=part["status"] == CONVERTED)
        grouped = part.groupby(["period", *self.by], dropna=False)
        table = grouped.agg(entered=("depth", "size"), converted=("is_converted", "sum"))
        table = table.reset_index()
        ends = table["period"].dt.end_time.dt.tz_localize("UTC")
        table = table.assign(
            conversion=table["converted"] / table["entered"],
            complete=(ends + self.within) <= self.data_end,
            period=table["period"].dt.start_time,
        )
        return DrawnFrame.of(table, partial(_trend_figure, funnel=self, freq=freq))

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
        proportions", Statistics in Medicine 17 (1998), method 10. `low`, `high` and `p_value` are
        rounded to six digits: the same on every machine.
        """
        if not isinstance(other, Funnel):
            raise ConvergekitError(
                f"other must be a Funnel, as ck.funnel returns it; got {other!r}."
            )
        check_confidence(confidence)
        if len(other.steps) != len(self.steps):
            raise ConvergekitError(
                f"the funnels have {len(self.steps)} and {len(other.steps)} steps; compare "
                "funnels with equally many."
            )
        mine, theirs = (f._step_table(f._outcomes) for f in (self, other))
        rows = [
            difference(
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

    def plot(self, *, template: Template = "light") -> go.Figure:
        """Draw the funnel as bars, a row per step; with a breakdown, a bar per group.

        Parameters
        ----------
        template : {"light", "dark"}, default "light"

        Returns
        -------
        plotly.graph_objects.Figure
            The bars show who reached a step, who dropped off before it and who may still get
            there; hover texts say so in sentences. Those of a breakdown show the share of the
            group's first step. A group has the same colour in the figure of `trend`.
        """
        from convergekit.funnels.figure import funnel_figure

        return funnel_figure(self, template)

    def _counted(self) -> pd.DataFrame:
        return self.conversions[self.conversions["status"] != EXCLUDED]

    def _grouped(self, work: Callable[[Outcomes], pd.DataFrame]) -> pd.DataFrame:
        if not self.by:
            return work(self._outcomes)
        groups = self.conversions.groupby(self.by, dropna=False, sort=True)
        parts = []
        for label, part in sorted(groups, key=lambda group: _label_order(group[0], group[1])):
            table = work(self._outcomes.chosen(part.index.to_numpy()))
            for place, (name, value) in enumerate(zip(self.by, label, strict=True)):
                table.insert(place, name, pd.Series([value] * len(table), dtype=part[name].dtype))
            parts.append(table)
        if not parts:
            empty = work(self._outcomes).iloc[:0]
            for place, name in enumerate(self.by):
                empty.insert(place, name, self.conversions[name].iloc[:0])
            return empty
        return pd.concat(parts, ignore_index=True)

    def _checked(self, step: int) -> int:
        if step not in range(1, len(self.steps) + 1):
            raise ConvergekitError(
                f"step must be a number from 1 to {len(self.steps)}; got {step!r}."
            )
        return step

    def _step_table(self, outcomes: Outcomes) -> pd.DataFrame:
        part = outcomes.counted
        steps = np.arange(1, len(self.steps) + 1)
        before = [1] + [required_before(self, int(step)) for step in steps[1:]]
        is_optional = np.isin(steps, self.optional)
        reached = part.time != NOT_A_TIME
        profiles = np.array([np.count_nonzero(there) for there in reached.T])
        starting = profiles[np.array(before) - 1]
        waiting = reached[part.waiting]
        in_window = np.array(
            [
                (waiting[:, b - 1] & ~waiting[:, step - 1]).sum()
                for b, step in zip(before, steps, strict=True)
            ]
        )
        in_window[is_optional] = 0
        waits = [part.waits(b, int(step)) for step, b in zip(steps[1:], before[1:], strict=True)]
        if not self._zero_times:
            waits = [wait[wait > pd.Timedelta(0)] for wait in waits]
        with np.errstate(invalid="ignore", divide="ignore"):
            step_conversion = profiles / starting.astype(float)
            conversion = profiles / profiles[:1].astype(float)
        step_conversion[0] = np.nan
        return pd.DataFrame(
            {
                "step": steps,
                "event_name": pd.Series(self.steps, dtype="str"),
                "profiles": profiles,
                "conversion": conversion,
                "step_conversion": step_conversion,
                "drop_off": np.where(is_optional, 0, starting - profiles - in_window),
                "in_window": in_window,
                "median_time": _durations([wait.median() for wait in waits]),
                "mean_time": _durations([wait.mean() for wait in waits]),
                "p90_time": _durations([wait.quantile(0.9) for wait in waits]),
            }
        )

    def _with_next_event(self, lost: pd.DataFrame, reached: list[str]) -> pd.DataFrame:
        # Times without a zone are UTC, as in the search.
        events = self._events[["event_name"]].assign(
            timestamp=pd.to_datetime(self._events["timestamp"], utc=True),
            profile_id=self._events[self._profile].array,
            arrival=order_of_arrival(self._events, np.arange(len(self._events))),
        )
        if "kind" in self._events:
            events = events[(self._events["kind"] != "identify").to_numpy(dtype=bool)]
        events = events[events["profile_id"].isin(lost["profile_id"])]
        events = events.dropna(subset=["timestamp", "profile_id"])
        events = events.sort_values(["timestamp", "arrival"]).drop(columns="arrival")
        events = events.rename(columns={"event_name": "next_event"})
        events["next_time"] = events["timestamp"]
        lost = lost.assign(last_reached=lost[reached].max(axis=1))
        found = pd.merge_asof(
            lost.reset_index().sort_values("last_reached"),
            events.astype({"timestamp": lost["last_reached"].dtype}),
            left_on="last_reached",
            right_on="timestamp",
            by="profile_id",
            direction="forward",
            allow_exact_matches=False,
        )
        return (
            found.set_index("index")
            .sort_index()
            .rename_axis(None)
            .drop(columns=["timestamp", "last_reached"])
        )


@dataclass(frozen=True, eq=False, repr=False)
class TimeToConvert(Result):
    """How long profiles took from one step to another.

    Attributes
    ----------
    profiles : int
        How many did.
    median, mean : pandas.Timedelta
        ``NaT`` if none did.
    percentiles : pandas.Series
        Timedelta per percentile: 10, 25, 50, 75, 90, 95, 99.
    histogram : pandas.DataFrame
        `from`, `to` (Timedelta; the last bin includes its end) and `profiles`.
    steps : tuple of str
        From which step, and to which.
    counted : str
        What is counted: ``"profiles"`` or ``"attempts"``.
    """

    profiles: int
    median: pd.Timedelta
    mean: pd.Timedelta
    percentiles: pd.Series
    histogram: pd.DataFrame
    steps: tuple[str, str]
    counted: str
    _waits: pd.Series

    def _line(self) -> str:
        median = readable_duration(self.median) if self.profiles else "not known"
        who = counted(self.profiles, self.counted.removesuffix("s"))
        return f"TimeToConvert({who} from {self.steps[0]} to {self.steps[1]}; median {median})"

    def _body(self) -> Iterable[pd.DataFrame | str]:
        if not self.profiles:
            return ()
        shares = [f"{point}% within" for point in self.percentiles.index]
        durations = self.percentiles.map(readable_duration).tolist()
        return (pd.DataFrame({"share": shares, "time": durations}),)

    @classmethod
    def of(cls, waits: pd.Series, bins: int, steps: tuple[str, str], counted: str) -> TimeToConvert:
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
            steps=steps,
            counted=counted,
            _waits=waits,
        )

    def plot(self, *, template: Template = "light") -> go.Figure:
        """Draw the times as a histogram.

        Parameters
        ----------
        template : {"light", "dark"}, default "light"

        Returns
        -------
        plotly.graph_objects.Figure
            Its bars begin and end at round times, whatever the bins of `histogram`, and the few
            longest times are one bar, which says so. Where most of the times are short beside
            the others, bars get longer from left to right.
        """
        from convergekit.funnels.time_figures import time_figure

        return time_figure(self, self._waits, template)


def _trend_figure(table: pd.DataFrame, template: Template, *, funnel: Funnel, freq: str) -> Any:
    from convergekit.funnels.time_figures import trend_figure

    return trend_figure(table, funnel, freq, template)


_COUNTS = ("profiles", "drop_off", "in_window")
_SHARES = ("conversion", "step_conversion")
_TIMES = ("median_time", "mean_time", "p90_time")


def _durations(values: list[Any]) -> pd.Series:
    return pd.Series([pd.NaT, *values], dtype="timedelta64[us]")


def _label_order(label: tuple[Any, ...], part: pd.DataFrame) -> tuple[Any, ...]:
    """Order labels by size, "other" and missing ones last."""
    last = [bool(pd.isna(value)) or value == OTHER for value in label]
    return (any(last), -len(part), tuple(map(str, label)))


def required_before(funnel: Funnel, step: int) -> int:
    """Return the last step before this one that is not optional."""
    return max(s for s in range(1, step) if s not in funnel.optional)

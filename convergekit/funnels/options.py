"""The options of a funnel: their names, their values, and which go together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import pandas as pd

from convergekit.base.durations import Duration, parse_duration
from convergekit.base.options import choice, names_given
from convergekit.errors import ConvergekitError
from convergekit.events.steps import (
    MOST_STEPS,
    Exclusion,
    ExclusionLike,
    Step,
    StepLike,
    as_exclusions,
    as_steps,
)
from convergekit.events.timestamps import in_utc, microseconds
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

#: Columns that a funnel's tables have beside those of a breakdown.
TABLES = (
    *("profile_id", "depth", "status", "next_event", "next_time", "last_reached", "timestamp"),
    *("step", "event_name", "profiles", "conversion", "step_conversion", "drop_off", "in_window"),
    *("median_time", "mean_time", "p90_time", "period", "entered", "converted", "complete"),
)


class FunnelOptions(TypedDict, total=False):
    """The options of a funnel besides events, steps and `profile`; see `funnel`."""

    within: Duration | None
    order: Order
    exclude: ExclusionLike | Sequence[ExclusionLike]
    on_exclude: OnExclude | None
    hold: str | Sequence[str]
    by: str | Sequence[str]
    by_step: ByStep | None
    top: int | None
    start: Any
    end: Any
    range_applies_to: RangeAppliesTo | None
    entry: Entry | None
    ties: Ties | None
    tolerance: Duration | None
    count: Count
    freq: str | None
    like: Like | None


@dataclass(frozen=True)
class FunnelQuestion:
    """The options of a funnel, checked as far as that is possible without events.

    Attributes
    ----------
    steps : list of Step
    rules : Rules
        How the tool counts, or we do.
    window : pandas.Timedelta
    excluding : list of (Exclusion, int, int)
        With the steps that each stands between.
    order, hold, by, top, count, freq, like
        As `funnel` takes them.
    start, end : int or None
        In microseconds.
    """

    steps: Sequence[Step]
    rules: Rules
    window: pd.Timedelta
    excluding: Sequence[tuple[Exclusion, int, int]]
    order: Order
    hold: tuple[str, ...]
    by: tuple[str, ...]
    top: int | None
    start: int | None
    end: int | None
    count: Count
    freq: str | None
    like: Like | None

    @classmethod
    def of(
        cls,
        steps: Sequence[StepLike],
        *,
        within: Duration | None = None,
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
    ) -> FunnelQuestion:
        """Return what `funnel` was asked.

        Raises
        ------
        ConvergekitError
            An option has a value that it does not take, or contradicts another.
        """
        given = as_steps(steps)
        check_choices(order, on_exclude, range_applies_to, entry, ties, count)
        options = {
            "within": within,
            "entry": entry,
            "ties": ties,
            "tolerance": tolerance,
            "on_exclude": on_exclude,
            "range_applies_to": range_applies_to,
            "by_step": by_step,
        }
        rules = rules_of(like, options)
        if rules.within is None:
            raise ConvergekitError(
                "a funnel needs within=, the conversion window from its first step: give one such "
                "as within='7D', '24h' or '30min'."
            )
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
        check_tool(like, rules, given, order, count, bool(excluding))
        check_combination(rules, given, order, excluding)
        first, last = _moment(start, "start"), _moment(end, "end")
        if first is not None and last is not None and first >= last:
            raise ConvergekitError(f"end must be after start={start!r}; got {end!r}.")
        return cls(
            steps=given,
            rules=rules,
            window=parse_duration(rules.within, name="within"),
            excluding=excluding,
            order=order,
            hold=names_given("hold", hold),
            by=named,
            top=top,
            start=first,
            end=last,
            count=count,
            freq=freq,
            like=like,
        )

    @property
    def optional(self) -> list[int]:
        """The places of the steps that need not be done, from 1."""
        return [place for place, step in enumerate(self.steps, start=1) if step.optional]


def check_choices(
    order: str,
    on_exclude: str | None,
    range_applies_to: str | None,
    entry: str | None,
    ties: str | None,
    count: str,
) -> None:
    """Raise unless each option is one of those that there are."""
    left_to_the_tool = {
        "on_exclude": (on_exclude, OnExclude),
        "range_applies_to": (range_applies_to, RangeAppliesTo),
        "entry": (entry, Entry),
        "ties": (ties, Ties),
    }
    given = {name: pair for name, pair in left_to_the_tool.items() if pair[0] is not None}
    given |= {"order": (order, Order), "count": (count, Count)}
    for name, (value, choices) in given.items():
        choice(name, value, choices)


def check_labels(by_step: ByStep, top: int | None, steps: int) -> None:
    """Raise unless labels can be read at the step, and so many of them be kept."""
    if by_step not in ("first", "last") and by_step not in range(1, steps + 1):
        raise ConvergekitError(
            f"by_step must be 'first', 'last' or a step from 1 to {steps}; got {by_step!r}."
        )
    if top is not None and (isinstance(top, bool) or not (isinstance(top, int) and top > 0)):
        raise ConvergekitError(f"top must be a whole number from 1; got {top!r}.")


def check_names(columns: Sequence[str], steps: int, profile: str) -> None:
    """Raise if a label's column has the name of one that the tables have already."""
    places = range(1, steps + 1)
    taken = {*TABLES, *(f"{what}_{place}" for place in places for what in ("time", "row"))}
    for name in columns:
        # Of profiles by themselves the two columns are one.
        if name in taken and not name == profile == "profile_id":
            raise ConvergekitError(
                f"by={name!r}: the funnel's tables have a column of that name. Rename that of the "
                f"events, as in ck.funnel(events.assign(label=events[{name!r}]), ..., by='label')."
            )


def check_effect(
    top: int | None,
    by_step: ByStep | None,
    on_exclude: OnExclude | None,
    range_applies_to: RangeAppliesTo | None,
    *,
    by: bool,
    exclude: bool,
    end: bool,
) -> None:
    """Raise if an option asks for something that it cannot do without another.

    A default may be named: it means the same as leaving it out.

    Parameters
    ----------
    top, by_step, on_exclude, range_applies_to
        As `funnel` takes them.
    by, exclude, end : bool
        Whether `funnel` was given these.
    """
    usual = Rules()
    for name, value, left_out, other, given in (
        ("top", top, None, "by", by),
        ("by_step", by_step, usual.by_step, "by", by),
        ("on_exclude", on_exclude, usual.on_exclude, "exclude", exclude),
        ("range_applies_to", range_applies_to, usual.range_applies_to, "end", end),
    ):
        if value is not None and value != left_out and not given:
            raise ConvergekitError(
                f"{name}= needs {other}= too; got {name}={value!r} alone. Give both, or neither."
            )


def check_tool(
    like: Like | None,
    rules: Rules,
    steps: Sequence[Step],
    order: Order,
    count: Count,
    excluding: bool,
) -> None:
    """Raise unless the tool whose way of counting is asked for can do what is asked."""
    lacks = []
    if order not in rules.orders:
        lacks.append(f"order={order!r}")
    if count not in rules.counts:
        lacks.append(f"count={count!r}")
    if excluding and not rules.exclusions:
        lacks.append("exclusions")
    if excluding and order == "strict" and rules.once_per_tie:
        # What lies within a tie is forgiven there; whether an excluded event is, is not documented.
        lacks.append("exclusions in order='strict'")
    if any(step.optional for step in steps) and (
        not rules.optional or (rules.engine == "posthog" and order == "any")
    ):
        lacks.append("optional steps")
    if lacks:
        raise ConvergekitError(
            f"like={like!r} does not go with {' and '.join(lacks)}: the tool does not offer that, "
            "or does not document it. Leave out like=, or the rest."
        )


def check_combination(
    rules: Rules,
    steps: Sequence[Step],
    order: Order,
    excluding: Sequence[tuple[Any, int, int]],
) -> None:
    """Raise where two of the options contradict each other."""
    if steps[0].optional:
        raise ConvergekitError(f"the first step, {steps[0].title!r}, cannot be optional.")
    if order == "any" and any((a, b) != (1, len(steps)) for _, a, b in excluding):
        raise ConvergekitError(
            "order='any' has no steps to exclude between; leave out after= and before=."
        )
    if rules.engine != "search":
        return
    if order == "strict" and len(steps) + len(excluding) > MOST_STEPS:
        raise ConvergekitError(
            f"{len(steps)} steps and {len(excluding)} exclusions were given; in order='strict' "
            f"they are at most {MOST_STEPS} together."
        )
    optional = [step.title for step in steps if step.optional]
    if optional and order == "any":
        raise ConvergekitError(
            f"optional steps ({', '.join(optional)}) do not go with order='any': its rows count "
            "how many of the steps were done, and one that need not be done has no row there. "
            "Leave it out, or set order='ordered' or 'strict'."
        )
    for _, after, before in excluding:
        if steps[after - 1].optional or steps[before - 1].optional:
            raise ConvergekitError(
                "an exclusion must be between required steps; set after= and before= to steps "
                "that are not optional."
            )
    if rules.tolerance is not None and rules.ties == "arrival":
        raise ConvergekitError(
            "ties='arrival' keeps the order of arrival, and tolerance= gives it up; leave out "
            "one of the two."
        )


def _moment(value: Any, name: str) -> int | None:
    """Return a time in microseconds; None for none."""
    if value is None:
        return None
    try:
        # A bare number would be taken for nanoseconds since 1970, which is never meant.
        stamp = pd.NaT if isinstance(value, (int, float)) else in_utc(pd.Timestamp(value))
    except (ValueError, TypeError):
        stamp = pd.NaT
    if pd.isna(stamp):
        raise ConvergekitError(
            f"{name} must be a date or datetime, such as '2026-03-02'; got {value!r}."
        )
    return int(microseconds(pd.Series([stamp]))[0])

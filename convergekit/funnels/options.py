"""The options of a funnel: their names, their values, and which go together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, TypedDict

import numpy as np
import pandas as pd

from convergekit.base.durations import Duration, parse_duration, readable_duration
from convergekit.base.options import choice, names_given
from convergekit.errors import ConvergekitError
from convergekit.events.calendar import Calendar
from convergekit.events.steps import (
    MOST_STEPS,
    Exclusion,
    ExclusionLike,
    Step,
    StepLike,
    as_exclusions,
    as_steps,
)
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
from convergekit.visits.entry import Label
from convergekit.visits.rules import VisitRules, Visits

#: The conversion window; or the windows of steps, by name or number: the first step's is the whole.
Within: TypeAlias = Duration | Mapping[str | int, Duration]

#: A server's order is of the visit before it for so long, and a visit is over by then.
VISIT_WINDOW = pd.Timedelta("24h")

#: Columns that a funnel's tables have beside those of a breakdown.
TABLES = (
    *("profile_id", "depth", "status", "next_event", "next_time", "last_reached", "timestamp"),
    *("step", "event_name", "profiles", "conversion", "step_conversion", "drop_off", "in_window"),
    *("median_time", "mean_time", "p90_time", "period", "entered", "converted", "complete"),
    *("time_from", "conversion_at_window", "at_window_low", "at_window_high", "session_id"),
)


class FunnelOptions(TypedDict, total=False):
    """The options of a funnel besides events, steps and `profile`; see `funnel`."""

    within: Within | None
    order: Order
    exclude: ExclusionLike | Sequence[ExclusionLike]
    on_exclude: OnExclude | None
    hold: str | Sequence[str]
    by: str | Sequence[str]
    by_step: ByStep | None
    label: Label | None
    top: int | None
    start: Any
    end: Any
    range_applies_to: RangeAppliesTo | None
    entry: Entry | None
    ties: Ties | None
    tolerance: Duration | None
    count: Count
    freq: str | None
    calendar: str | None
    visits: Visits | None
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
    step_windows : mapping of int to pandas.Timedelta
        Per step (from 1) that has one, the longest time since the step before.
    excluding : list of (Exclusion, int, int)
        With the steps that each stands between.
    order, hold, by, top, count, freq, like
        As `funnel` takes them.
    start, end : int or None
        In microseconds.
    calendar : Calendar
    visits : VisitRules
    """

    steps: Sequence[Step]
    rules: Rules
    window: pd.Timedelta
    step_windows: Mapping[int, pd.Timedelta]
    excluding: Sequence[tuple[Exclusion, int, int]]
    order: Order
    hold: tuple[str, ...]
    by: tuple[str, ...]
    top: int | None
    start: int | None
    end: int | None
    count: Count
    freq: str | None
    calendar: Calendar
    visits: VisitRules
    like: Like | None

    @classmethod
    def of(
        cls,
        steps: Sequence[StepLike],
        *,
        within: Within | None = None,
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
        usual: Calendar | None = None,
    ) -> FunnelQuestion:
        """Return what `funnel` was asked; `usual` is the calendar unless it says another.

        Raises
        ------
        ConvergekitError
            An option has a value that it does not take, or contradicts another.
        """
        given = as_steps(steps)
        check_choices(order, on_exclude, range_applies_to, entry, ties, count, label)
        shop = Calendar.of(calendar, usual=usual)
        whole, step_windows = windows_of(within, given)
        options = {
            "within": whole,
            "entry": entry,
            "ties": ties,
            "tolerance": tolerance,
            "on_exclude": on_exclude,
            "range_applies_to": range_applies_to,
            "by_step": int(by_step) if isinstance(by_step, np.integer) else by_step,
            "label": label,
        }
        rules = rules_of(like, options)
        if count == "attempts" and like is None and entry is None:
            # Each event of the first step is one.
            rules = replace(rules, entry="any")
        if rules.within is None and count != "visits":
            raise ConvergekitError(
                "a funnel needs within=, the conversion window from its first step: give one such "
                "as within='7D', '24h' or '30min'."
            )
        window = (
            VISIT_WINDOW if rules.within is None else parse_duration(rules.within, name="within")
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
            label=label,
        )
        check_step_windows(step_windows, window, given, rules, order, count, bool(excluding))
        if label == "carried" and rules.by_step != "entry" and by_step is None:
            raise ConvergekitError(
                f"label={label!r} says what is read at the entry, and like={like!r} reads labels "
                "elsewhere; leave out one of the two."
            )
        check_tool(like, rules, given, order, count, bool(excluding))
        check_visits(count, rules)
        if visits is not None and not named and count != "visits":
            raise ConvergekitError(
                f"visits={visits!r} says what a visit is, which this funnel does not ask; give "
                "count='visits' or by=..., or leave it out."
            )
        check_combination(rules, given, order, excluding)
        first, last = shop.moment(start, "start"), shop.moment(end, "end", last=True)
        if first is not None and last is not None and first >= last:
            raise ConvergekitError(f"end must be after start={start!r}; got {end!r}.")
        return cls(
            steps=given,
            rules=rules,
            window=window,
            step_windows=step_windows,
            excluding=excluding,
            order=order,
            hold=names_given("hold", hold),
            by=named,
            top=top,
            start=first,
            end=last,
            count=count,
            freq=freq,
            calendar=shop,
            visits=VisitRules.of(visits),
            like=like,
        )

    @property
    def is_cut(self) -> bool:
        """Whether nothing from the end of the range on counts."""
        return self.rules.range_applies_to == "entry_and_completion"

    def known_until(self, data_end: pd.Timestamp) -> pd.Timestamp:
        """Return until when it is known what people did: to the data's end, or what counts."""
        # The tools' trends are of their own making.
        if self.end is None or not self.is_cut or self.like is not None:
            return data_end
        return min(data_end, pd.Timestamp(self.end, unit="us", tz="UTC"))

    @property
    def anchored(self) -> bool:
        """Whether everything begins at a profile's first entry: depth, window, label and times."""
        return self.rules.engine == "search" and self.rules.entry == "first" and not self.in_turn

    @property
    def in_turn(self) -> bool:
        """Whether attempts are counted one after another."""
        return self.count == "attempts" and self.rules.one_after_another

    @property
    def label_said(self) -> str:
        """Where labels are read, if groups chosen so are not to be compared; empty otherwise."""
        read = self.rules.by_step
        if not self.by or read == "entry" or (read == 1 and self.anchored):
            return ""
        where = {"first": "the first step that has a value", "last": "the last step that has one"}
        return (
            f"Labels are read at {where.get(str(read), f'step {read}')}: do not compare the "
            "conversion of these groups, for who gets further has more steps to read a label at."
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
    label: str | None,
) -> None:
    """Raise unless each option is one of those that there are."""
    left_to_the_tool = {
        "on_exclude": (on_exclude, OnExclude),
        "range_applies_to": (range_applies_to, RangeAppliesTo),
        "entry": (entry, Entry),
        "ties": (ties, Ties),
        "label": (label, Label),
    }
    given = {name: pair for name, pair in left_to_the_tool.items() if pair[0] is not None}
    given |= {"order": (order, Order), "count": (count, Count)}
    for name, (value, choices) in given.items():
        choice(name, value, choices)


def check_labels(by_step: ByStep, top: int | None, steps: int) -> None:
    """Raise unless labels can be read at the step, and so many of them be kept."""
    place = isinstance(by_step, int) and not isinstance(by_step, bool) and 0 < by_step <= steps
    if not place and not (isinstance(by_step, str) and by_step in ("entry", "first", "last")):
        raise ConvergekitError(
            f"by_step must be 'entry', 'first', 'last' or a step from 1 to {steps}; got "
            f"{by_step!r}."
        )
    if top is not None and (isinstance(top, bool) or not (isinstance(top, int) and top > 0)):
        raise ConvergekitError(f"top must be a whole number from 1; got {top!r}.")


def check_names(columns: Sequence[str], steps: int, profile: str) -> None:
    """Raise if a label's column has the name of one that the tables have already."""
    places = range(1, steps + 1)
    taken = {*TABLES, *(f"{what}_{place}" for place in places for what in ("time", "row"))}
    for name in columns:
        # Of profiles by themselves the two columns are one.
        if not name == profile == "profile_id":
            check_not_taken([name], taken)


def check_not_taken(by: Sequence[str], columns: Collection[str]) -> None:
    """Raise if a breakdown's column has the name of another that a table has."""
    for name in by:
        if name in columns:
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
    label: Label | None = None,
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
        ("label", label, usual.label, "by", by),
        ("on_exclude", on_exclude, usual.on_exclude, "exclude", exclude),
        ("range_applies_to", range_applies_to, usual.range_applies_to, "end", end),
    ):
        if value is not None and value != left_out and not given:
            raise ConvergekitError(
                f"{name}= needs {other}= too; got {name}={value!r} alone. Give both, or neither."
            )
    if label == "carried" and by_step not in (None, usual.by_step):
        raise ConvergekitError(
            f"label={label!r} says what is read at the entry, and by_step={by_step!r} reads labels "
            "elsewhere, where values are carried in any case; leave out one of the two."
        )


def windows_of(
    within: Within | None, steps: Sequence[Step]
) -> tuple[Duration | None, dict[int, pd.Timedelta]]:
    """Return the window of the whole funnel, and those of steps, by their numbers from 1.

    Parameters
    ----------
    within : str, datetime.timedelta or mapping
        A mapping names steps, by title or by number: the first step's window is the whole. Without
        it the whole is the sum of the others, if each step after the first has one.

    Raises
    ------
    ConvergekitError
        A name is not a step, or of two steps; or the whole is not known.

    Examples
    --------
    >>> steps = as_steps(["PageView", "Placed Order"])
    >>> windows_of({"PageView": "7D", "Placed Order": "1D"}, steps)
    ('7D', {2: Timedelta('1 days 00:00:00')})
    """
    if not isinstance(within, Mapping):
        return within, {}
    titles = [step.title for step in steps]
    found: dict[int, pd.Timedelta] = {}
    given: set[int] = set()
    whole: Duration | None = None
    for key, value in within.items():
        if isinstance(key, (int, np.integer)) and not isinstance(key, bool):
            places = [int(key)]
        else:
            places = [at for at, title in enumerate(titles, start=1) if title == key]
        if len(places) != 1 or places[0] not in range(1, len(steps) + 1):
            several = len(places) > 1
            raise ConvergekitError(
                f"within={{{key!r}: ...}} "
                + ("names several steps; give the number of one" if several else "names no step")
                + f", of {', '.join(f'{at} ({title})' for at, title in enumerate(titles, 1))}."
            )
        if places[0] in given:
            raise ConvergekitError(
                f"within= gives step {places[0]} ({titles[places[0] - 1]}) two windows, by its "
                "name and by its number; leave out one."
            )
        given.add(places[0])
        if places[0] == 1:
            whole = value
        else:
            found[places[0]] = parse_duration(value, name=f"within[{key!r}]")
    if whole is None and len(found) == len(steps) - 1 and found:
        whole = sum(found.values(), pd.Timedelta(0))
    if whole is None:
        raise ConvergekitError(
            "within= needs the window of the whole funnel too: give it to the first step, as in "
            f"within={{{titles[0]!r}: '7D', ...}}."
        )
    return whole, found


def check_step_windows(
    windows: Mapping[int, pd.Timedelta],
    whole: pd.Timedelta,
    steps: Sequence[Step],
    rules: Rules,
    order: Order,
    count: Count,
    excluding: bool,
) -> None:
    """Raise where the windows of steps contradict the whole, or another option."""
    if not windows:
        return
    for place, window in windows.items():
        if window > whole:
            raise ConvergekitError(
                f"the window of {steps[place - 1].title!r}, {readable_duration(window)}, is longer "
                f"than the whole, {readable_duration(whole)}, so it changes nothing; make it "
                "shorter, or the whole longer."
            )
    lacks = [
        name
        for name, given in (
            ("like=", rules.engine != "search" or rules.one_after_another or rules.once_per_tie),
            (f"order={order!r}", order != "ordered"),
            ("exclude=", excluding),
            ("optional steps", any(step.optional for step in steps)),
            (f"count={count!r}", count == "attempts"),
            (f"entry={rules.entry!r}", rules.entry != "first" and count != "attempts"),
        )
        if given
    ]
    if lacks:
        raise ConvergekitError(
            f"windows of steps do not go with {' and '.join(lacks)}: they are counted in order, "
            "from one entry. Leave out one of the two."
        )


def check_visits(count: Count, rules: Rules) -> None:
    """Raise where visits contradict another option."""
    if count != "visits":
        return
    if rules.entry != "first":
        raise ConvergekitError(
            f"count='visits' begins at the first entry of each visit; got entry={rules.entry!r}. "
            "Leave it out, or count profiles or attempts."
        )
    if rules.by_step != "entry":
        raise ConvergekitError(
            f"count='visits' reads labels at the entry of each visit; got by_step={rules.by_step!r}"
            ". Leave it out, or count profiles."
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

"""Retention: of the profiles that did one event, who comes back for another, and when.

Who is in a cohort, and which label it has, is fixed by the start event: before anybody comes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import pandas as pd

from convergekit.activity.clocks import Clock, Periods
from convergekit.activity.cohorts import (
    Members,
    Mode,
    Returns,
    Spans,
    count_returned,
    first_starts,
)
from convergekit.activity.events import Chosen, Subject
from convergekit.activity.labels import Breakdown, Labels
from convergekit.activity.wording import Words
from convergekit.base.options import choice
from convergekit.base.wording import counted, period_name, period_word
from convergekit.certainty.asked import AskedOf
from convergekit.errors import ConvergekitError
from convergekit.events.amounts import events_named
from convergekit.events.calendar import Calendar
from convergekit.events.observed import BEYOND
from convergekit.events.steps import Step, StepLike, Where, as_steps
from convergekit.figures.card import Result
from convergekit.figures.frame import DrawnFrame
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import IntArray
from convergekit.visits.entry import Label
from convergekit.visits.rules import VisitRules, Visits

if TYPE_CHECKING:
    from convergekit.certainty.result import AnswerBounds
    from convergekit.figures.figure import Figure
    from convergekit.figures.style import Style, Template

Cohort = Literal["first", "every"]

_COLUMNS = frozenset({"cohort", "periods", "profiles", "returned", "share", "complete", "cohorts"})
# As many rows, and periods since, as a card shows.
_MOST_ROWS, _MOST_PERIODS = 12, 10


@dataclass(frozen=True)
class RetentionQuestion:
    """What is asked of retention: the options of `Stitched.retention`, checked."""

    start: Step
    returns: Step
    freq: str
    mode: Mode
    cohort: Cohort
    periods: Periods
    by: str | Sequence[str]
    label: Label
    top: int | None

    @classmethod
    def of(
        cls,
        start: StepLike,
        returns: StepLike,
        *,
        freq: str = "W",
        mode: Mode = "on",
        cohort: Cohort = "first",
        periods: Periods = "calendar",
        where: Where | None = None,
        by: str | Sequence[str] = (),
        label: Label = "visit",
        top: int | None = None,
    ) -> RetentionQuestion:
        """Return the options, checked.

        Raises
        ------
        ConvergekitError
            One of them is not usable.
        """
        choice("mode", mode, Mode)
        choice("cohort", cohort, Cohort)
        choice("periods", periods, Periods)
        (begin,), (back,) = as_steps([start]), as_steps([returns])
        if where is not None:
            if begin.where is not None:
                raise ConvergekitError(
                    f"the start event {begin.title!r} has a condition of its own; give it there, "
                    "or as where=, not both."
                )
            begin = replace(begin, where=where)
        return cls(begin, back, freq, mode, cohort, periods, by, label, top)


def retention(
    events: pd.DataFrame,
    start: StepLike = "PageView",
    returns: StepLike = "PageView",
    *,
    freq: str = "W",
    mode: Mode = "on",
    cohort: Cohort = "first",
    periods: Periods = "calendar",
    where: Where | None = None,
    by: str | Sequence[str] = (),
    label: Label = "visit",
    top: int | None = None,
    profile: str = "profile_id",
    calendar: Calendar | None = None,
    visits: Visits | None = None,
) -> Retention:
    """Return who comes back, of a frame's events. See `Stitched.retention`.

    Parameters
    ----------
    events : pandas.DataFrame
        With `event_name`, `timestamp` (datetime) and a column of profiles.
    start, returns, freq, mode, cohort, periods, where, by, label, top
        As `Stitched.retention` takes them.
    profile : str, default "profile_id"
        The column that names each event's profile; rows without a value are left out.
    calendar : Calendar, optional
        In which days, weeks and months the answer is; those of UTC when absent.
    visits : VisitRules or str, optional
        What a visit is, where visits label a breakdown.

    Returns
    -------
    Retention

    Examples
    --------
    >>> import pandas as pd
    >>> events = pd.DataFrame({
    ...     "profile_id": ["a", "b", "a", "b"],
    ...     "event_name": "PageView",
    ...     "timestamp": pd.to_datetime(["2026-03-02", "2026-03-03", "2026-03-10", "2026-03-24"]),
    ... })
    >>> retention(events).table[["cohort", "periods", "profiles", "returned", "complete"]]
          cohort  periods  profiles  returned  complete
    0 2026-03-02        0         2         2      True
    1 2026-03-02        1         2         1      True
    2 2026-03-02        2         2         0      True
    3 2026-03-02        3         2         1     False
    """
    asked = RetentionQuestion.of(
        start,
        returns,
        freq=freq,
        mode=mode,
        cohort=cohort,
        periods=periods,
        where=where,
        by=by,
        label=label,
        top=top,
    )
    return retention_of(Subject.of_frame(events, profile, calendar, VisitRules.of(visits)), asked)


@dataclass(frozen=True, eq=False, repr=False)
class Retention(Result):
    """How many profiles come back after a start event, by cohort.

    Attributes
    ----------
    start, returns : str
        What the start event, and the event by which profiles return, are called.
    freq : str
        The period, such as ``"W"``.
    mode : str
        ``"on"``, ``"within"`` or ``"on_or_after"``.
    cohort : str
        ``"first"`` or ``"every"``.
    periods : str
        ``"calendar"`` or ``"elapsed"``.
    by : list of str
        The breakdown's columns.
    table : pandas.DataFrame
        One row per group of the breakdown, `cohort` (the start of its period) and number of
        `periods` since: `profiles` of the cohort, how many of them `returned`, `share`, and
        `complete`: whether the period was over for the whole cohort when the data ended. Its
        ``plot(template=...)`` returns a heat map; of several groups, that of their averages.
    left_out : dict of str to int
        Start events and returns that have no profile, or no time.
    data_end : pandas.Timestamp
        The time of the last event, of any name, whose clock is not evidently wrong.
    calendar : Calendar
        The time zone and the first day of the week of all periods.
    """

    _shares: ClassVar[Mapping[str, str]] = {"share": "profiles"}

    start: str
    returns: str
    freq: str
    mode: Mode
    cohort: Cohort
    periods: Periods
    by: list[str]
    table: DrawnFrame
    left_out: dict[str, int]
    data_end: pd.Timestamp
    calendar: Calendar
    _asked: AskedOf[RetentionAsked] = field(default_factory=AskedOf)

    def bounds(self, level: float = 0.9) -> AnswerBounds:
        """Say how far the shares who come back can be from those of people, and estimate these.

        Who comes back on another device, or with a new cookie, counts as somebody new: too many
        start, and too few come back. [How sure is it](../how-sure.md) explains the method.

        Parameters
        ----------
        level : float, default 0.9
            How often the interval is meant to hold the true share.

        Returns
        -------
        AnswerBounds
            A row per number of `periods` since the start, as `curve` has them.

        Raises
        ------
        ConvergekitError
            There is a breakdown, or a cohort for every start; it is of a segment or of another
            identity than ``"retroactive"``; or it was saved and loaded.

        See Also
        --------
        Funnel.bounds : The same of a funnel.

        Examples
        --------
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store(people=1500).events)
        >>> s.retention().bounds()
        AnswerBounds(share by periods: 4 numbers, intervals at 90%)
        """
        from convergekit.activity.bounds import bounds_of_retention

        return bounds_of_retention(self._asked, level)

    def curve(self) -> DrawnFrame:
        """Return the retention curve: the average over cohorts, by periods since.

        Returns
        -------
        pandas.DataFrame
            One row per group of the breakdown and number of `periods` since: `cohorts` (how many
            are complete there), their `profiles`, how many of these `returned`, and `share`, the
            one over the other: an average in which a cohort weighs by its size. Its
            ``plot(template=...)`` returns a figure; without a breakdown a line per cohort lies
            behind the average.

        Notes
        -----
        A cohort counts at a number of periods only if that period is complete for all of it,
        whoever came back. So rows further to the right are averages of fewer, older cohorts, and
        the curve may rise where these differ from the others.
        """
        cohorts = pd.DataFrame(self.table)
        draw = partial(_curve_figure, cohorts=cohorts, words=_words(self))
        return DrawnFrame.of(averages(cohorts, self.by), draw, shares={"share": "profiles"})

    def plot(
        self,
        *,
        template: Template = "auto",
        width: int | None = None,
        height: int | None = None,
    ) -> Figure:
        """Return the table as a heat map.

        Parameters
        ----------
        template : str or plotly template, default "auto"
            "auto" follows the page's theme, "light" and "dark" do not; or any that plotly knows.
        width, height : int, optional
            Pixels. By default it is as wide as the page, and as high as what it shows.

        Returns
        -------
        plotly.graph_objects.Figure
            A row per cohort, or per group of the breakdown, and a column per period since.
        """
        return self.table.plot(template=template, width=width, height=height)

    def _line(self) -> str:
        begun = self.table[self.table["periods"] == 0]
        members = counted(int(begun["profiles"].sum()), "profile")
        cohorts = counted(int(begun["cohort"].nunique()), "cohort")
        every = " each time" if self.cohort == "every" else ""
        return f"Retention({members} in {cohorts} by {self.start}{every}; back by {self.returns})"

    def _body(self) -> Iterable[pd.DataFrame | str]:
        yield from (f"{what}: {number:,}" for what, number in self.left_out.items())
        if self.table.empty:
            yield f"No profile did {self.start}."
            return
        shown, every = _shown(self), len(self.table[self.by or ["cohort"]].drop_duplicates())
        if len(shown) < every:
            which = "largest" if self.by else "last"
            one = "group" if self.by else "cohort"
            yield f"The {which} {len(shown)} of {counted(every, one)}."
        yield shown


def averages(table: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Return the average over complete cohorts, weighted by size, by label and periods since."""
    group, names = np.zeros(len(table), dtype=np.int64), table[list(by)].drop_duplicates()
    if by:
        group = table.groupby(list(by), dropna=False, sort=False).ngroup().to_numpy()
    found = (
        table[["periods", "profiles", "returned"]]
        .assign(group=group)[table["complete"].to_numpy(dtype=bool)]
        .groupby(["group", "periods"])
        .agg(
            cohorts=("profiles", "size"),
            profiles=("profiles", "sum"),
            returned=("returned", "sum"),
        )
        .reset_index()
    )
    numbers = found.drop(columns="group").assign(share=found["returned"] / found["profiles"])
    if not by:
        return numbers
    return pd.concat([names.take(found["group"]).reset_index(drop=True), numbers], axis=1)


def cohort_table(
    first: Chosen, returns: Chosen, end: pd.Timestamp, clock: Clock, mode: Mode, labels: Labels
) -> pd.DataFrame:
    """Return the rows of `Retention.table`.

    Parameters
    ----------
    first : Chosen
        The events that put a profile into a cohort, once each.
    returns : Chosen
        The events by which profiles return.
    end : pandas.Timestamp
        When the data end.
    clock : Clock
    mode : {"on", "within", "on_or_after"}
    labels : Labels
        Those of the first events.
    """
    periods, ticks = clock.periods(first.times()), clock.ticks(first.times())
    back = clock.ticks(returns.times())
    label, cohort, group, sizes = _groups(labels.code, periods)
    ends = clock.ticks(pd.Series([end])) if len(ticks) else ticks
    # The last event is not in the last tick where it lies in an hour that occurs twice.
    last = max((int(part.max()) for part in (ends, ticks, back) if len(part)), default=0)
    spans = Spans.of(*clock.ticks_of(cohort), end=last, length=clock.length)
    returned = count_returned(
        Members(group, first.profile, first.time, ticks),
        Returns(returns.profile, returns.time, back),
        spans,
        clock.length,
        mode,
    )
    profiles = sizes[spans.group]
    table = pd.DataFrame(
        {
            "cohort": clock.index(cohort).start_time.take(spans.group),
            "periods": spans.since,
            "profiles": profiles,
            "returned": returned,
            "share": returned / profiles,
            "complete": spans.complete,
        }
    )
    if labels.names.columns.empty:
        return table
    names = labels.names.take(label[spans.group]).reset_index(drop=True)
    return pd.concat([names, table], axis=1)


def _groups(label: IntArray, period: IntArray) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Return of each group its label and period, of each profile its group, and the sizes."""
    if not len(label):
        return label, label, label, label
    base = int(period.min())
    width = int(period.max()) - base + 1
    keys, group, sizes = np.unique(
        label * width + period - base, return_inverse=True, return_counts=True
    )
    return keys // width, keys % width + base, group, sizes


def starts_of(begin: Chosen, events: pd.DataFrame, clock: Clock, *, every: bool) -> Chosen:
    """Return the events that put profiles into cohorts: the first of each, or of each period."""
    if not every:
        return begin.first_of_each(events)
    ordered = begin.in_order(events)
    return ordered.take(first_starts(ordered.profile, clock.periods(ordered.times())))


@dataclass(frozen=True)
class RetentionAsked:
    """What is asked, in which time zone, and of which visits."""

    asked: RetentionQuestion
    calendar: str | None
    visits: Visits | None


@dataclass(frozen=True)
class Cohorts:
    """Who started and who came back: of all events, or of a part of them.

    Attributes
    ----------
    by : list of str
        The breakdown's columns.
    first, returns : Chosen
        The events that put a profile into a cohort, once each, and those by which profiles return.
    label_values : pandas.DataFrame
        The breakdown's values of the first events.
    left_out : dict of str to int
    """

    by: list[str]
    first: Chosen
    returns: Chosen
    label_values: pd.DataFrame
    left_out: dict[str, int]


def cohorts_in(subject: Subject, asked: RetentionQuestion) -> Cohorts:
    """Return who started and who came back."""
    events, profiles = subject.events, subject.profiles
    clock = Clock.of(asked.freq, asked.periods, subject.calendar)
    breakdown = Breakdown.asked(events, asked.by, asked.label, asked.top, _COLUMNS)
    at = [events_named(events, step) for step in (asked.start, asked.returns)]
    timed = Chosen.together(events, at, profiles)
    begin, back = map(subject.inside, timed)
    first = starts_of(begin.of_profiles(), events, clock, every=asked.cohort == "every")
    left_out: dict[str, int] = {}
    for step, asked_for, every, part in zip(
        (asked.start, asked.returns), at, timed, (begin, back), strict=True
    ):
        left_out[f"{step.title} without a profile"] = int((part.profile < 0).sum())
        left_out[f"{step.title} without a time"] = len(asked_for) - len(every.position)
        left_out[f"{step.title} {BEYOND}"] = len(every.position) - len(part.position)
    values = breakdown.values_at(subject, first.position)
    return Cohorts(breakdown.columns, first, back.of_profiles(), values, left_out)


def cohorts_of_events(subject: Subject, asked: RetentionQuestion) -> tuple[Chosen, Chosen]:
    """Return all events that may put profiles into cohorts, and those by which they return."""
    events = subject.events
    at = [events_named(events, step) for step in (asked.start, asked.returns)]
    begin, back = map(subject.inside, Chosen.together(events, at, subject.profiles))
    return begin, back


def retention_of(subject: Subject, asked: RetentionQuestion) -> Retention:
    """Return who comes back. See `Stitched.retention`."""
    end = subject.observed.end
    return retention_of_cohorts(cohorts_in(subject, asked), asked, subject.calendar, end)


def retention_of_stitched(
    s: StitchedEvents, asked: RetentionQuestion, calendar: str | None, visits: Visits | None
) -> Retention:
    """Return who comes back, of stitched events. See `Stitched.retention`."""
    subject = Subject.of_stitched(s, calendar, visits)
    return replace(
        retention_of(subject, asked), _asked=AskedOf.of(s, RetentionAsked(asked, calendar, visits))
    )


def retention_of_cohorts(
    cohorts: Cohorts, asked: RetentionQuestion, calendar: Calendar, end: pd.Timestamp
) -> Retention:
    """Return who comes back, of all who started.

    Parameters
    ----------
    cohorts : Cohorts
    asked : RetentionQuestion
    calendar : Calendar
    end : pandas.Timestamp
        When the data end.
    """
    clock = Clock.of(asked.freq, asked.periods, calendar)
    labels = Labels.of(cohorts.label_values, len(cohorts.label_values), asked.top)
    table = cohort_table(cohorts.first, cohorts.returns, end, clock, asked.mode, labels)
    found = Retention(
        start=asked.start.title,
        returns=asked.returns.title,
        freq=asked.freq,
        mode=asked.mode,
        cohort=asked.cohort,
        periods=asked.periods,
        by=cohorts.by,
        table=DrawnFrame(),
        left_out={what: number for what, number in cohorts.left_out.items() if number},
        data_end=end,
        calendar=calendar,
    )
    draw = partial(_heat_figure, words=_words(found))
    return replace(found, table=DrawnFrame.of(table, draw, shares={"share": "profiles"}))


def _words(found: Retention) -> Words:
    word, same = period_word(found.freq), found.start == found.returns
    at = "on" if word == "day" else "in"
    once = "first " if found.cohort == "first" else ""
    say = {
        "on": "",
        "within": f"At 3: who came back {at} {word}s 1 to 3.",
        "on_or_after": f"At 3: who came back {at} {word} 3 or later, which may still grow.",
    }
    own = f"Each profile's {word}s begin with its start." if found.periods == "elapsed" else ""
    after = f"again in later {word}s" if same else f"in the {word}s after {found.start}"
    return Words(
        title=f"{found.returns} {after}",
        rows=f"A row is of those who {once}did {found.start} {at} that {word}.",
        who="profile",
        begun=f"{once}did {found.start}",
        did=f"did {found.returns}",
        since=f"the {once}{found.start}",
        nothing=f"All are in the last {word} of the data; nothing is later.",
        note=" ".join(filter(None, [own, say[found.mode]])),
        freq=found.freq,
        mode=found.mode,
        # The column of period 0 is not one of periods 1 to k: beside them it would mislead.
        first=int(same or found.mode == "within"),
        by=tuple(found.by),
    )


def _shown(found: Retention) -> pd.DataFrame:
    """Return the shares as a card shows them: a row per cohort, or per group on average."""
    word, by = period_word(found.freq), found.by
    table = averages(found.table, by) if by else pd.DataFrame(found.table)
    keys = by or ["cohort"]
    begun = found.table[found.table["periods"] == 0]
    shown = begun.groupby(keys, sort=False, dropna=False)["profiles"].sum().reset_index()
    shown = shown.head(_MOST_ROWS) if by else shown.tail(_MOST_ROWS)
    row = table.groupby(keys, sort=False, dropna=False).ngroup().to_numpy()
    first = shown.index[0]
    for since in range(_words(found).first, _MOST_PERIODS):
        at = np.flatnonzero((table["periods"] == since).to_numpy() & (row >= first))
        at = at[row[at] - first < len(shown)]
        if not len(at):
            continue
        cells = [""] * len(shown)
        for place in at:
            line = table.iloc[place]
            sure = by or (line["complete"] and found.mode != "on_or_after")
            cells[row[place] - first] = f"{'' if sure else '≥'}{line['share']:.0%}"
        shown[f"{word} {since}"] = cells
    if not by:
        shown["cohort"] = [period_name(start, word) for start in shown["cohort"]]
    return shown


def _heat_figure(table: pd.DataFrame, style: Style, *, words: Words) -> Any:
    from convergekit.activity.figures import heat_figure

    return heat_figure(table, words, style)


def _curve_figure(table: pd.DataFrame, style: Style, *, cohorts: pd.DataFrame, words: Words) -> Any:
    from convergekit.activity.figures import curve_figure

    return curve_figure(table, cohorts, words, style)

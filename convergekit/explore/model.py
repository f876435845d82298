"""What all tabs of the explorer share: the state, the data it is about, and what follows from it.

A tab asks the model for the profiles that are meant and for the funnel; each is computed once and
kept while nothing changes that it depends on. Importing this module imports no widgets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, get_args

import pandas as pd

from convergekit.base.wording import shortened
from convergekit.errors import ConvergekitError, what_there_is
from convergekit.events.calendar import Calendar, Weekday
from convergekit.events.schema import PROFILE
from convergekit.events.steps import Step
from convergekit.explore.display import MOST_LETTERS
from convergekit.explore.state import ChosenSegment, Days, State
from convergekit.funnels.suggest import Suggestion, suggested
from convergekit.identity.conditions import Did

if TYPE_CHECKING:
    from convergekit.certainty.result import FunnelBounds
    from convergekit.explore.asked import Face
    from convergekit.explore.offered import Offered
    from convergekit.figures.style import Template
    from convergekit.funnels.result import Funnel

#: A breakdown shows so many labels, and the rest as one.
MOST_LABELS = 6
#: So many answers are kept, of populations and of funnels each.
_KEPT = 6
#: So many, where the tables of each are files.
_KEPT_IN_FILES = 2
#: What was brushed goes when one of these changes.
_NEW_PERIODS = frozenset({"calendar", "week_starts", "start", "end"})
_LONG_LINE = 60


@dataclass(frozen=True)
class Population:
    """Whom a question is asked about.

    Attributes
    ----------
    s : Face
    offered : Offered
        What it offers to choose from.
    name : str
        What the code calls it.
    lines : tuple of str
        The code that makes it.
    """

    s: Face
    offered: Offered
    name: str
    lines: tuple[str, ...]


class Model:
    """The state of an explorer, and what follows from it.

    Parameters
    ----------
    s : Face
    offering : callable
        Returns what a result, or a segment of it, offers to choose from.
    name : str
        What the code calls it.
    state : State
    template : Template
        Of the figures.

    Raises
    ------
    ConvergekitError
        The state names something that is not in the data.
    """

    s: Face
    name: str
    template: Template
    offered: Offered

    def __init__(
        self,
        s: Face,
        offering: Callable[[Any], Offered],
        name: str,
        state: State,
        template: Template,
    ) -> None:
        self.s, self.name, self.template = s, name, template
        self._offering, self.offered = offering, offering(s)
        self.everybody: Population = Population(s, self.offered, name, ())
        self.counts: pd.Series = self.offered.counts
        self.names: list[str] = self.counts.index.tolist()
        self.breakdowns: dict[str, str] = self.offered.breakdowns
        self.properties: list[str] = self.offered.properties
        self.suggestion: Suggestion = suggested(self.counts)
        self._listeners: list[Callable[[], None]] = []
        self._kept: dict[str, dict[str, Any]] = {}
        self.usual: State = self._filled(State())
        self.state: State = self._filled(state)
        self._check()

    # -- Changes ---------------------------------------------------------------------------------

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call it after each change."""
        self._listeners.append(listener)

    def change(self, **changed: Any) -> None:
        """Choose something else, and tell who listens."""
        state = replace(self.state, **changed)
        if _NEW_PERIODS & set(changed):
            state = replace(state, period=None)
        if state == self.state:
            return
        self.state = state
        for listener in self._listeners:
            listener()

    def change_part(self, part: str, **changed: Any) -> None:
        """Choose something else on one tab."""
        before = getattr(self.state, part)
        after = {part: replace(before, **changed)}
        if part == "funnel" and after[part].steps != before.steps:
            after["bar"] = None
        if part == "trend" and after[part].freq != before.freq:
            after["period"] = None
        self.change(**after)

    def wrong(self, part: str, **changed: Any) -> str:
        """Return why something cannot be chosen; empty if it can."""
        state = replace(self.state, **{part: replace(getattr(self.state, part), **changed)})
        try:
            State.of(state.to_dict())
        except ConvergekitError as wrong:
            return str(wrong)
        return ""

    # -- Time ------------------------------------------------------------------------------------

    @property
    def usual_calendar(self) -> Calendar:
        """The calendar of stitching."""
        return self.offered.source.calendar

    @property
    def calendar(self) -> Calendar:
        """The calendar of all tabs."""
        return Calendar.of(self.state.calendar, self.state.week_starts, self.usual_calendar)

    @property
    def freq(self) -> str:
        """The periods of the trend as pandas calls them, weeks by the day on which they end."""
        return self.period_of(self.state.trend.freq)

    def period_of(self, freq: str) -> str:
        """Return what pandas calls periods; weeks that begin on another day than usual say so."""
        if freq != "W" or self.state.week_starts is None:
            return freq
        return self.exact(freq)

    def exact(self, freq: str) -> str:
        """Return what pandas calls periods; weeks always say on which day they end."""
        if freq != "W":
            return freq
        days = get_args(Weekday)
        return f"W-{days[days.index(self.calendar.week_starts) - 1][:3].upper()}"

    def periods(self) -> pd.PeriodIndex:
        """Return the periods of the trend that the data, and the dates that are chosen, touch."""
        begin, end = self.offered.source.observed
        freq = self.exact(self.state.trend.freq)
        if pd.isna(end):
            return pd.PeriodIndex([], freq=freq)
        days = [at.tz_convert(self.calendar.zone).tz_localize(None) for at in (begin, end)]
        first = max(days[0].normalize(), pd.Timestamp(self.state.start or days[0]))
        last = min(days[1], pd.Timestamp(self.state.end or days[1]))
        return pd.period_range(first, last, freq=freq) if first <= last else _none(freq)

    def usual_periods(self) -> tuple[Days, Days] | None:
        """Return the last two whole weeks; where data are shorter, their two halves, if any."""
        begin, end = self.offered.source.observed
        if pd.isna(end):
            return None
        days = [at.tz_convert(self.usual_calendar.zone).tz_localize(None) for at in (begin, end)]
        first, last = (at.normalize() for at in days)
        weeks = pd.period_range(first, last, freq=self.exact("W"))
        whole = [
            week for week in weeks if week.start_time >= first and week.end_time.normalize() <= last
        ]
        if len(whole) >= 2:
            spans = [(week.start_time, week.end_time) for week in whole[-2:]]
        else:
            half = pd.Timedelta(((last - first).days + 1) // 2, "D")
            if not half:
                return None
            day = pd.Timedelta(1, "D")
            spans = [(last + day - 2 * half, last - half), (last + day - half, last)]
        before, after = ((f"{a:%Y-%m-%d}", f"{b:%Y-%m-%d}") for a, b in spans)
        return before, after

    def dates(self, *, period: bool) -> tuple[str | None, str | None]:
        """Return the first and the last day asked about, those of the brushed period if told to."""
        start, end = self.state.start, self.state.end
        if period and self.state.period is not None:
            brushed = pd.Period(self.state.period, freq=self.exact(self.state.trend.freq))
            first, last = (f"{at:%Y-%m-%d}" for at in (brushed.start_time, brushed.end_time))
            start, end = max(start or first, first), min(end or last, last)
        return start, end

    def dates_given(self, *, period: bool) -> dict[str, str]:
        """Return the dates and the calendar as arguments of a call."""
        start, end = self.dates(period=period)
        given = {"start": start, "end": end, "calendar": self.state.calendar}
        return {name: value for name, value in given.items() if value is not None}

    def moments(self, *, period: bool) -> str:
        """Return the dates as a query of events; empty if all are meant."""
        start, end = self.dates(period=period)
        first = self.calendar.moment(start, "start")
        last = self.calendar.moment(end, "end", last=True)
        parts = [
            f"timestamp {sign} '{pd.Timestamp(at, unit='us', tz='UTC'):%Y-%m-%d %H:%M:%S}+00:00'"
            for sign, at in ((">=", first), ("<", last))
            if at is not None
        ]
        return " and ".join(parts)

    # -- Who -------------------------------------------------------------------------------------

    def who(self, *, bar: bool) -> Population:
        """Return the segment; with `bar`, of it those whom the brushed bar of the funnel is of."""
        state = self.state
        if not bar or state.bar is None:
            return self._keep("who", repr(state.segment), self._segment)
        key = repr((state.segment, self._funnel_key(period=True), state.bar))
        return self._keep("who", key, self._brushed)

    def _segment(self) -> Population:
        chosen = self.state.segment
        if chosen is None:
            return self.everybody
        option = "events" if chosen.kind == "events" else "profiles"
        line = f"who = {self.name}.where({option}={_condition_source(chosen)})"
        return self._population(self.s.where(**{option: _condition(chosen)}), "who", line)

    def _population(self, s: Face, name: str, *lines: str) -> Population:
        return Population(s, self._offering(s), name, lines)

    def _brushed(self) -> Population:
        # In an order of their own: that of the funnel is another in parts.
        ids = sorted(self.people()["profile_id"].unique())
        chosen = self.who(bar=False)
        lines = (
            *self.funnel_lines(period=True),
            f'ids = sorted(f.{self.people_call()}["profile_id"].unique())',
            f'brushed = {chosen.name}.where(profiles={{"profile_id": ids}})',
        )
        return self._population(chosen.s.where(profiles={"profile_id": ids}), "brushed", *lines)

    def when(self) -> Population:
        """Return whom the brushes leave, and of them the events within the dates."""
        who, moments = self.who(bar=True), self.moments(period=True)
        if not moments:
            return who
        lines = (*who.lines, f"part = {who.name}.where(events={moments!r})")
        key = self.key()
        return self._keep(
            "when", key, lambda: self._population(who.s.where(events=moments), "part", *lines)
        )

    def lacks(self, who: Population, name: str | None) -> str:
        """Return a sentence if a population does not have an event; empty if it does."""
        if name is None:
            return "There are only identify calls; name the column of event names when stitching."
        if name in who.offered.counts.index:
            return ""
        return (
            f"Nobody who is asked about has {name!r}: choose another segment, or brush everybody."
        )

    def people(self) -> pd.DataFrame:
        """Return who entered the funnel, or of these whom the brushed bar is of."""
        funnel, bar = self.funnel(period=True), self.state.bar
        if bar is None:
            return funnel.conversions
        return (
            funnel.drop_offs(bar.step) if bar.outcome == "dropped" else funnel.converted(bar.step)
        )

    def people_call(self) -> str:
        """Return what code asks a funnel `f` for `people`."""
        bar = self.state.bar
        if bar is None:
            return "conversions"
        return f"{'drop_offs' if bar.outcome == 'dropped' else 'converted'}({bar.step})"

    # -- The funnel ------------------------------------------------------------------------------

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps of the funnel."""
        return self.state.funnel.steps or ()

    def by_given(self) -> dict[str, Any]:
        """Return the breakdown as arguments of a call."""
        by = self.state.breakdown
        return {} if by is None else {"by": by, "top": MOST_LABELS}

    def funnel(self, *, period: bool) -> Funnel:
        """Return the funnel of the segment, of those who entered in the brushed period if told to.

        Raises
        ------
        ConvergekitError
            Steps are missing, or an option is not usable.
        """
        return self._keep("funnel", self._funnel_key(period=period), lambda: self._count(period))

    def bounds(self) -> FunnelBounds:
        """Return how sure the funnel is, of those who entered in the brushed period.

        Raises
        ------
        ConvergekitError
            As `Funnel.bounds` raises it.
        """
        # Of a copy: a funnel that was asked draws its intervals, and its figure stands already.
        funnel = self.funnel(period=True)
        key = self._funnel_key(period=True)
        return self._keep("bounds", key, lambda: replace(funnel).bounds())

    def _count(self, period: bool) -> Funnel:
        if not self.steps:
            raise ConvergekitError("The funnel does not have a step: add one on the tab Funnel.")
        return self.funnel_of(self.who(bar=False), period=period)

    def funnel_of(self, who: Population, *, period: bool) -> Funnel:
        """Return the funnel of a population."""
        within = self.state.funnel.within
        given = self.by_given() | self.dates_given(period=period)
        return who.s.funnel(self.asked_steps(), within=within, **given)

    def asked_steps(self) -> list[Any]:
        """Return the steps as questions take them."""
        steps: list[Any] = list(self.steps)
        if self.state.funnel.where is not None and steps:
            steps[0] = Step(steps[0], where=dict([self.state.funnel.where]))
        return steps

    def step_sources(self) -> list[str]:
        """Return the code of each step."""
        sources = [repr(name) for name in self.steps]
        condition = self.state.funnel.where
        if condition is not None and sources:
            sources[0] = f"ck.Step({sources[0]}, where={dict([condition])!r})"
        return sources

    def funnel_lines(self, who: Population | None = None, *, period: bool) -> tuple[str, ...]:
        """Return the code that makes the funnel `f`."""
        who = who or self.who(bar=False)
        sources = self.step_sources()
        steps = f"[{', '.join(sources)}]"
        if len(steps) > _LONG_LINE:
            steps = "\n".join(["[", *(f"        {source}," for source in sources), "    ]"])
        given = {"within": self.state.funnel.within}
        given |= self.by_given() | self.dates_given(period=period)
        options = [f"{name}={value!r}" for name, value in given.items()]
        call = "\n".join(f"    {argument}," for argument in [steps, *options])
        return (*who.lines, f"f = {who.name}.funnel(", *call.split("\n"), ")")

    def _funnel_key(self, *, period: bool) -> str:
        state = self.state
        dates = self.dates_given(period=period)
        return repr((state.segment, state.funnel, state.breakdown, dates))

    # -- Keys, what is kept, and code ------------------------------------------------------------

    def key(self, *parts: str, period: bool = True, bar: bool = True) -> str:
        """Return what an answer depends on: the common choices, the brushes, and parts of it."""
        state = self.state
        common = (state.start, state.end, state.calendar, state.week_starts, state.segment)
        brushed = (state.period if period else None, state.trend.freq if state.period else None)
        of_bar = (state.bar, self._funnel_key(period=True)) if bar and state.bar else None
        return repr((common, state.breakdown, brushed, of_bar, [getattr(state, p) for p in parts]))

    def chosen(self) -> dict[str, Any]:
        """Return what of the state is not as it is when the explorer opens by itself."""
        return self.state.beside(self.usual)

    def in_words(self) -> str:
        """Return what is brushed in words; empty if nothing is."""
        said = []
        if self.state.period is not None:
            start, end = self.dates(period=True)
            said.append(start if start == end else f"{start} to {end}")
        if self.state.bar is not None:
            step = shortened(self.steps[self.state.bar.step - 1], MOST_LETTERS)
            dropped = self.state.bar.outcome == "dropped"
            said.append(f"dropped off before {step}" if dropped else f"reached {step}")
        return " · ".join(str(one) for one in said)

    def _keep(self, kind: str, key: str, make: Callable[[], Any]) -> Any:
        kept = self._kept.setdefault(kind, {})
        if key not in kept:
            made = make()
            most = _KEPT_IN_FILES if self.offered.source.in_parts and kind != "funnel" else _KEPT
            while len(kept) >= most:
                del kept[next(iter(kept))]
            kept[key] = made
        return kept[key]

    # -- The state and the data ----------------------------------------------------------------

    def _filled(self, state: State) -> State:
        """Put what the data suggest where nothing is chosen."""
        found, counted = self.suggestion, next(iter(self.names), None)
        order = found.order or counted
        amount = self.offered.amount_of(state.channels.conversion or order)
        funnel = state.funnel
        if funnel.steps is None:
            funnel = replace(funnel, steps=found.steps)
        return replace(
            state,
            funnel=funnel,
            trend=_given(state.trend, event=found.page, returns=found.page),
            channels=_given(state.channels, conversion=order, value=amount or ""),
            identity=_given(state.identity, event=found.order or ""),
        )

    def _check(self) -> None:
        """Raise unless the data have what the state names."""
        state = self.state
        events: list[tuple[str, str | None]] = [
            *((f"state['funnel']['steps'][{i}]", name) for i, name in enumerate(self.steps)),
            ("state['trend']['event']", state.trend.event),
            ("state['trend']['returns']", state.trend.returns),
            ("state['channels']['conversion']", state.channels.conversion),
            ("state['identity']['event']", state.identity.event or None),
        ]
        if state.segment is not None and state.segment.kind in ("did", "never"):
            events.append((f"state['segment'][{state.segment.kind!r}]", state.segment.name))
        for where, name in events:
            self._check_known(where, name, self.names, "event")
        self._check_known("state['breakdown']", state.breakdown, list(self.breakdowns), "property")
        if state.funnel.where is not None:
            where = "state['funnel']['where']"
            self._check_known(where, state.funnel.where[0], self.properties, "property")
        if state.segment is not None and isinstance(state.segment.condition, tuple):
            known = self.segment_columns(state.segment.kind)
            where = f"state['segment'][{state.segment.kind!r}]"
            self._check_known(where, state.segment.condition[0], known, "property")
        if state.bar is not None and state.bar.step > len(self.steps):
            raise ConvergekitError(
                f"state['bar'] is of step {state.bar.step}, and the funnel has {len(self.steps)}."
            )
        days = {f"{period.start_time:%Y-%m-%d}" for period in self.periods()}
        if state.period is not None and state.period not in days:
            raise ConvergekitError(
                f"state['period']={state.period!r} is not the first day of a period "
                f"({self.freq}) of the data or of the dates that are chosen."
            )

    def segment_columns(self, kind: str) -> list[str]:
        """Return the properties by which a segment can be chosen."""
        if kind == "events":
            return [*self.properties, "source"]
        return [name for name in self.properties if name.startswith(PROFILE)]

    def _check_known(self, where: str, name: str | None, known: list[str], what: str) -> None:
        if name is not None and name not in known:
            there = what_there_is(known[:20], name)
            raise ConvergekitError(f"{where}: no {what} of the data is called {name!r}. {there}")


def code_of(*lines: str) -> str:
    """Return lines of code, with the import if they need it."""
    text = "\n".join(lines)
    return f"import convergekit as ck\n\n{text}" if "ck." in text else text


def _given(part: Any, **suggested: Any) -> Any:
    """Return a part of a state in which what is not chosen is as suggested."""
    absent = {one.name for one in fields(part) if getattr(part, one.name) is None}
    return replace(part, **{name: value for name, value in suggested.items() if name in absent})


def _condition(segment: ChosenSegment) -> Any:
    if segment.kind == "did":
        return Did(segment.name)
    if segment.kind == "never":
        return Did(segment.name, at_most=0)
    asked = segment.condition
    return asked if isinstance(asked, str) else dict([asked])


def _condition_source(segment: ChosenSegment) -> str:
    if segment.kind == "did":
        return f"ck.Did({segment.name!r})"
    if segment.kind == "never":
        return f"ck.Did({segment.name!r}, at_most=0)"
    return repr(_condition(segment))


def _none(freq: str) -> pd.PeriodIndex:
    return pd.PeriodIndex([], freq=freq)

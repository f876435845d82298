"""The state of the explorer: what is chosen, as plain data that can be stored and passed back.

`State.of` takes a dict (`Explorer.state` gives one) and refuses what it does not know. Importing
this module imports no widgets.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from convergekit.attribution.question import MODELS
from convergekit.base.durations import parse_duration
from convergekit.errors import ConvergekitError, what_there_is
from convergekit.events.calendar import Weekday
from convergekit.events.timestamps import check_zone
from convergekit.marketing.question import BY
from convergekit.visits.rules import VISIT_PRESETS, VisitPreset

Tab = Literal["funnel", "trend", "people", "channels", "identity", "change"]
Outcome = Literal["reached", "dropped"]
Freq = Literal["D", "W", "M"]
TrendOf = Literal["conversion", "events", "profiles", "new_profiles", "retention"]
ChannelsOf = Literal["credit", "without_campaign", "spend"]
IdentityOf = Literal["suspects", "check_up", "report"]
ChangeOf = Literal["conversion", "orders", "revenue", "revenue a visit"]
SegmentKind = Literal["did", "never", "profiles", "events"]

#: A value of a property as JSON has it.
Value = str | int | float | bool
#: The first and the last day of a period.
Days = tuple[str, str]
#: A property and the value that it must have.
Condition = tuple[str, Value]

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
#: Days in any time zone, and the day after them, are between these years.
_YEARS = range(1000, 9999)
#: Columns hold integers of 64 bits.
_MOST = 2**63


@dataclass(frozen=True)
class ChosenSegment:
    """Whom or what everything is asked about.

    Attributes
    ----------
    kind : {"did", "never", "profiles", "events"}
        Profiles that did an event, or never did; those, or the events, that meet a condition.
    name : str
        The event, for the first two.
    condition : tuple or str
        A property and its value, or a query, for the others.
    """

    kind: SegmentKind
    name: str = ""
    condition: Condition | str = ""


@dataclass(frozen=True)
class Bar:
    """A bar of the funnel that is brushed: who reached a step, or dropped off before it."""

    step: int
    outcome: Outcome = "reached"


def _text(where: str, given: Any) -> str:
    if not isinstance(given, str):
        raise ConvergekitError(f"{where} must be text; got {given!r}.")
    return given


def _maybe(check: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    return lambda where, given: None if given is None else check(where, given)


def _one_of(*choices: str) -> Callable[[str, Any], str]:
    def check(where: str, given: Any) -> str:
        if not isinstance(given, str) or given not in choices:
            raise ConvergekitError(
                f"{where} does not know {given!r}. {what_there_is(choices, given)}"
            )
        return given

    return check


def _day(where: str, given: Any) -> str:
    try:
        if not isinstance(given, str) or not _DAY.fullmatch(given):
            raise ValueError
        day = datetime.date.fromisoformat(given)
        if day.year not in _YEARS:
            raise ValueError
        return day.isoformat()
    except ValueError:
        raise ConvergekitError(
            f"{where} must be a day such as '2026-03-31'; got {given!r}."
        ) from None


def _days(where: str, given: Any) -> Days:
    if isinstance(given, str) or not isinstance(given, list | tuple) or len(given) != 2:
        raise ConvergekitError(
            f"{where} must be a first and a last day, such as ['2026-03-02', '2026-03-08']; got "
            f"{given!r}."
        )
    first, last = (_day(f"{where}[{place}]", day) for place, day in enumerate(given))
    if first > last:
        raise ConvergekitError(f"{where}: {first!r} is after {last!r}; exchange them.")
    return first, last


def _zone(where: str, given: Any) -> str:
    check_zone(_text(where, given) or "?", name=where)
    return str(given)


def _duration(where: str, given: Any) -> str:
    parse_duration(_text(where, given), name=where)
    return str(given)


def _names(where: str, given: Any) -> tuple[str, ...]:
    if isinstance(given, str) or not isinstance(given, list | tuple):
        raise ConvergekitError(f"{where} must be a list of event names; got {given!r}.")
    return tuple(_text(f"{where}[{place}]", name) for place, name in enumerate(given))


def _condition(where: str, given: Any) -> Condition:
    if not isinstance(given, Mapping) or len(given) != 1:
        raise ConvergekitError(
            f"{where} must be one property and its value, such as {{'profile.utm_source': "
            f"'google'}}; got {given!r}."
        )
    ((name, value),) = given.items()
    is_plain = isinstance(value, str | int | float | bool)
    if not is_plain or (isinstance(value, float) and not math.isfinite(value)):
        raise ConvergekitError(f"{where} must have a text or a number as value; got {value!r}.")
    if isinstance(value, int) and not -_MOST <= value < _MOST:
        raise ConvergekitError(f"{where} must have a number as value that fits into 64 bits.")
    return _text(where, name), value


def _segment(where: str, given: Any) -> ChosenSegment:
    if not isinstance(given, Mapping) or len(given) != 1:
        raise ConvergekitError(
            f"{where} must be one of {{'did': event}}, {{'never': event}}, {{'profiles': "
            f"condition}} and {{'events': condition}}; got {given!r}."
        )
    ((kind, what),) = given.items()
    _one_of(*get_args(SegmentKind))(where, kind)
    where = f"{where}[{kind!r}]"
    if kind in ("did", "never"):
        return ChosenSegment(kind, name=_text(where, what))
    return ChosenSegment(kind, condition=what if isinstance(what, str) else _condition(where, what))


def _bar(where: str, given: Any) -> Bar:
    known = {"step", "outcome"}
    if not isinstance(given, Mapping) or not {"step"} <= set(given) <= known:
        raise ConvergekitError(
            f"{where} must be such as {{'step': 2, 'outcome': 'dropped'}}; got {given!r}."
        )
    step = given["step"]
    if isinstance(step, bool) or not isinstance(step, int) or step < 1:
        raise ConvergekitError(f"{where}['step'] must be a step from 1; got {step!r}.")
    outcome = given.get("outcome", "reached")
    _one_of(*get_args(Outcome))(f"{where}['outcome']", outcome)
    if step == 1 and outcome == "dropped":
        raise ConvergekitError(f"{where}: no profile drops off before the first step.")
    return Bar(step, outcome)


def _part(kind: type[Any]) -> Callable[[str, Any], Any]:
    return lambda where, given: _read(kind, where, given)


@dataclass(frozen=True)
class FunnelState:
    """The funnel: its steps, the conversion window, and which events of the first step count."""

    steps: tuple[str, ...] | None = None
    within: str = "7D"
    where: Condition | None = None


@dataclass(frozen=True)
class TrendState:
    """The trend: what is shown, of which event, by which periods."""

    show: TrendOf = "conversion"
    event: str | None = None
    returns: str | None = None
    freq: Freq = "W"


@dataclass(frozen=True)
class PeopleState:
    """The people: the profile that is looked up."""

    search: str = ""


@dataclass(frozen=True)
class ChannelsState:
    """Channels and spend: the order, its worth, and how visits get credit."""

    show: ChannelsOf = "credit"
    conversion: str | None = None
    value: str | None = None
    model: str = "last_touch"
    lookback: str = "30D"
    visits: VisitPreset = "convergekit"
    by: str = "channel"
    freq: Freq = "M"


@dataclass(frozen=True)
class IdentityState:
    """Identity and check-up: what is shown, and the alias to block."""

    show: IdentityOf = "suspects"
    event: str | None = None
    block: str = ""


@dataclass(frozen=True)
class ChangeState:
    """What changed: which number, and between which periods; None for the last whole weeks."""

    number: ChangeOf = "conversion"
    before: Days | None = None
    after: Days | None = None


@dataclass(frozen=True)
class State:
    """All that is chosen in an explorer.

    Attributes
    ----------
    tab : {"funnel", "trend", "people", "channels", "identity", "change"}
    start, end : str or None
        Days such as ``"2026-03-31"``, both included.
    calendar : str or None
        A time zone; by default that of `stitch`.
    week_starts : str or None
    segment : ChosenSegment or None
    breakdown : str or None
    period : str or None
        The first day of the period of the trend that is brushed.
    bar : Bar or None
        The bar of the funnel that is brushed.
    funnel, trend, people, channels, identity, change
        What is chosen on each tab.
    """

    tab: Tab = "funnel"
    start: str | None = None
    end: str | None = None
    calendar: str | None = None
    week_starts: Weekday | None = None
    segment: ChosenSegment | None = None
    breakdown: str | None = None
    period: str | None = None
    bar: Bar | None = None
    funnel: FunnelState = field(default=FunnelState())
    trend: TrendState = field(default=TrendState())
    people: PeopleState = field(default=PeopleState())
    channels: ChannelsState = field(default=ChannelsState())
    identity: IdentityState = field(default=IdentityState())
    change: ChangeState = field(default=ChangeState())

    @classmethod
    def of(cls, given: Mapping[str, Any] | None) -> State:
        """Read a state.

        Parameters
        ----------
        given : mapping or None
            As `to_dict` gives it; what is left out is as it usually is.

        Raises
        ------
        ConvergekitError
            It has something unknown, or a value that cannot be.

        Examples
        --------
        >>> State.of({"tab": "trend", "trend": {"freq": "D"}}).trend.freq
        'D'
        >>> State.of({"tabs": "trend"})
        Traceback (most recent call last):
        ...
        convergekit.errors.ConvergekitError: state does not know 'tabs'. Found: tab, start, end, \
calendar, week_starts, segment, breakdown, period, bar, funnel, trend, people, channels, identity, \
change. Did you mean 'tab'?
        """
        found: State = _read(cls, "state", {} if given is None else given)
        if found.start and found.end and found.start > found.end:
            raise ConvergekitError(
                f"state: start={found.start!r} is after end={found.end!r}; exchange them."
            )
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain data, which JSON holds."""
        return _written(self)

    def beside(self, usual: State) -> dict[str, Any]:
        """Return only what is not as in another state.

        Examples
        --------
        >>> State.of({"breakdown": "channel", "tab": "funnel"}).beside(State())
        {'breakdown': 'channel'}
        """
        return _without_usual(_written(self), _written(usual))


#: What reads, and checks, what is given for each field of a part of the state.
_CHECKS: dict[type[Any], dict[str, Callable[[str, Any], Any]]] = {
    FunnelState: {
        "steps": _maybe(_names),
        "within": _duration,
        "where": _maybe(_condition),
    },
    TrendState: {
        "show": _one_of(*get_args(TrendOf)),
        "event": _maybe(_text),
        "returns": _maybe(_text),
        "freq": _one_of(*get_args(Freq)),
    },
    PeopleState: {
        "search": _text,
    },
    ChannelsState: {
        "show": _one_of(*get_args(ChannelsOf)),
        "conversion": _maybe(_text),
        "value": _maybe(_text),
        "model": _one_of(*MODELS),
        "lookback": _duration,
        "visits": _one_of(*VISIT_PRESETS),
        "by": _one_of(*BY),
        "freq": _one_of(*get_args(Freq)),
    },
    IdentityState: {
        "show": _one_of(*get_args(IdentityOf)),
        "event": _maybe(_text),
        "block": _text,
    },
    ChangeState: {
        "number": _one_of(*get_args(ChangeOf)),
        "before": _maybe(_days),
        "after": _maybe(_days),
    },
    State: {
        "tab": _one_of(*get_args(Tab)),
        "start": _maybe(_day),
        "end": _maybe(_day),
        "calendar": _maybe(_zone),
        "week_starts": _maybe(_one_of(*get_args(Weekday))),
        "segment": _maybe(_segment),
        "breakdown": _maybe(_text),
        "period": _maybe(_day),
        "bar": _maybe(_bar),
        "funnel": _part(FunnelState),
        "trend": _part(TrendState),
        "people": _part(PeopleState),
        "channels": _part(ChannelsState),
        "identity": _part(IdentityState),
        "change": _part(ChangeState),
    },
}


def _read(kind: type[Any], where: str, given: Any) -> Any:
    if not isinstance(given, Mapping):
        raise ConvergekitError(f"{where} must be a mapping, as explorer.state is; got {given!r}.")
    known = _CHECKS[kind]
    for name in given:
        if name not in known:
            raise ConvergekitError(f"{where} does not know {name!r}. {what_there_is(known, name)}")
    return kind(**{name: known[name](f"{where}[{name!r}]", value) for name, value in given.items()})


def _written(part: Any) -> Any:
    if isinstance(part, ChosenSegment):
        if part.kind in ("did", "never"):
            return {part.kind: part.name}
        asked = part.condition
        return {part.kind: asked if isinstance(asked, str) else dict([asked])}
    if isinstance(part, Bar):
        return {"step": part.step, "outcome": part.outcome}
    if isinstance(part, FunnelState):
        where = None if part.where is None else dict([part.where])
        steps = None if part.steps is None else list(part.steps)
        return {"steps": steps, "within": part.within, "where": where}
    if isinstance(part, tuple):
        return list(part)
    if hasattr(part, "__dataclass_fields__"):
        return {one.name: _written(getattr(part, one.name)) for one in fields(part)}
    return part


def _without_usual(given: dict[str, Any], usual: dict[str, Any]) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    for name, value in given.items():
        before = usual.get(name)
        if isinstance(before, dict) and isinstance(value, dict):
            kept = _without_usual(value, before)
            chosen |= {name: kept} if kept else {}
        elif value != before:
            chosen[name] = value
    return chosen

"""The tools that an agent has: each a question of the face, with what its numbers mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from convergekit.checks.check_up import checked as audited
from convergekit.errors import ConvergekitError
from convergekit.figures.calls import keep
from convergekit.figures.description import with_shares
from convergekit.figures.frame import AnswerFrame
from convergekit.machines.arguments import long_text, schema_of, text, texts, whole
from convergekit.machines.held import held

if TYPE_CHECKING:
    from convergekit.machines.session import Session

_FREQ = text("Periods: D days, W weeks, M months.", choices=["D", "W", "M"])
_STEPS = texts("Event names in order, such as PageView and Placed Order.")
_WITHIN = text("Conversion window from the first step, such as 7D, 36h or 30min. [7D]")
_BY = texts("Break down by properties such as utm_source, or by channel or device.")
_TOP = whole("Keep so many groups; the rest is 'other'.")
_ORDER = text("The event that is an order. [Placed Order]")
_VALUE = text("The property that holds an order's amount, such as total_price.")
_START = text("First day, such as 2026-03-02.")
_END = text("Last day, included.")
#: Which tools need that spend was read, and which may name people.
OF_SPEND = ("marketing",)
OF_PEOPLE = ("profile",)
_VISITS_BY = ["channel", "source", "medium", "campaign"]


@dataclass(frozen=True)
class Tool:
    """A question that an agent may ask.

    Attributes
    ----------
    name : str
    about : str
        What it answers, and how to read it.
    parameters : dict
        The JSON Schema of its arguments.
    run : callable
        Takes the session and the arguments; returns answers, or a dictionary that is one.
    events : tuple of str
        The arguments that name events.
    """

    name: str
    about: str
    parameters: dict[str, Any]
    run: Callable[..., Any]
    events: tuple[str, ...] = ("steps", "event", "returns", "conversion")


def _overview(session: Session) -> list[Any]:
    s = session.s
    return [s.report, s.property_coverage(), s.counts(freq="M")]


def _funnel(session: Session, steps: list[str], **given: Any) -> list[Any]:
    return [session.s.funnel(steps, **{"within": "7D", **given})]


def _trend(session: Session, steps: list[str], freq: str = "W", **given: Any) -> list[Any]:
    return [session.s.funnel(steps, **{"within": "7D", **given}).trend(freq)]


def _how_sure(session: Session, steps: list[str], within: str = "7D") -> list[Any]:
    return [session.s.funnel(steps, within=within).bounds()]


def _counts(session: Session, event: str | None = None, **given: Any) -> list[Any]:
    return [session.s.counts(event, **given)]


def _retention(session: Session, **given: Any) -> list[Any]:
    found = session.s.retention(**given)
    return [found, found.curve()]


def _visits(session: Session, by: str = "channel") -> list[Any]:
    of_visits = session.s.sessions()[by]
    counts = of_visits.fillna(f"no {by}").value_counts().sort_index()
    counts = counts.sort_values(ascending=False, kind="stable")
    table = pd.DataFrame({by: counts.index.astype(str), "visits": counts.to_numpy()})
    table["share"] = table["visits"] / max(len(of_visits), 1)
    found = AnswerFrame.of(table)
    found.attrs["numbers"] = {"all_visits": len(of_visits)}
    keep(found, f"s.sessions()[{by!r}].fillna({f'no {by}'!r}).value_counts()")
    return [with_shares(found, {"share": "all_visits"})]


def _attribution(
    session: Session, conversion: str = "Placed Order", value: str | None = None, **given: Any
) -> list[Any]:
    return [session.s.attribution(conversion, value, **given)]


def _customers(
    session: Session, conversion: str = "Placed Order", value: str = "total_price", freq: str = "M"
) -> list[Any]:
    found = session.s.customers(conversion, value)
    return [found, found.new_and_returning(freq), found.repeat_purchases((2,))]


def _marketing(session: Session, **given: Any) -> list[Any]:
    return [session.s.marketing(session.spend, **given)]


def _why(
    session: Session,
    before: list[str],
    after: list[str],
    steps: list[str] | None = None,
    number: str = "conversion",
    **given: Any,
) -> list[Any]:
    for name, days in (("before", before), ("after", after)):
        if len(days) != 2:
            raise ConvergekitError(f"{name} must be two days, the first and the last.")
    periods = (before[0], before[1]), (after[0], after[1])
    return [session.s.why(*periods, number=number, steps=steps, **given)]


def _coverage(session: Session, event: str = "Placed Order") -> list[Any]:
    s = session.s
    return [s.alias_coverage(event), s.orphans(event), s.without_campaign(event)]


def _next_fix(session: Session, event: str = "Placed Order", value: str | None = None) -> list[Any]:
    return [session.s.next_fix(event, value=value)]


def _check_up(session: Session, conversion: str | None = None) -> list[Any]:
    events = session.s.events
    frame = events if isinstance(events, pd.DataFrame) else events.to_pandas()
    found = audited(frame, conversion=conversion)
    asked = "" if conversion is None else f", conversion={conversion!r}"
    keep(found, f"ck.check_up(s.events{asked})")
    return [found]


def _profile(session: Session, alias: str) -> list[Any]:
    return [session.s.profile(alias)]


def _check_answer(session: Session, text: str) -> dict[str, Any]:
    return held(text, session.answers)


def _tool(
    name: str,
    about: str,
    run: Callable[..., Any],
    parameters: dict[str, dict[str, Any]] | None = None,
    required: tuple[str, ...] = (),
    events: tuple[str, ...] = Tool.events,
) -> Tool:
    return Tool(name, about, schema_of(parameters or {}, required), run, events)


TOOLS: tuple[Tool, ...] = (
    _tool(
        "overview",
        "Ask this first: which events there are (exact names), how many belong to a profile, what "
        "was left out and why, which properties there are to break down by, events by month.",
        _overview,
    ),
    _tool(
        "funnel",
        "How many profiles get along steps within a conversion window, and where they drop off. "
        "'conversion' is of 'entered'; 'in_window' may still get there: do not call it drop-off.",
        _funnel,
        {"steps": _STEPS, "within": _WITHIN, "by": _BY, "top": _TOP, "start": _START, "end": _END},
        ("steps",),
    ),
    _tool(
        "trend",
        "A funnel's conversion by the period in which profiles entered. Periods whose 'complete' "
        "is false may still rise.",
        _trend,
        {"steps": _STEPS, "within": _WITHIN, "freq": _FREQ, "by": _BY, "top": _TOP},
        ("steps",),
    ),
    _tool(
        "how_sure",
        "How far a funnel's shares can be from those of people, for one person may be several "
        "profiles: intervals, and what they assume.",
        _how_sure,
        {"steps": _STEPS, "within": _WITHIN},
        ("steps",),
    ),
    _tool(
        "counts",
        "Events, or the profiles or visits that did them, by period; with value, the sum of a "
        "property. Profiles of days do not add up to those of weeks.",
        _counts,
        {
            "event": text("An event name. [all events]"),
            "freq": _FREQ,
            "measure": text("What to count. [events]", choices=["events", "profiles"]),
            "value": text("A property of the event to add up, such as total_price."),
            "by": _BY,
            "top": _TOP,
        },
    ),
    _tool(
        "retention",
        "How many profiles come back after a start event, by cohort and periods since. 'share' is "
        "of the cohort's 'profiles'; leave out rows whose 'complete' is false.",
        _retention,
        {
            "start": text("The event that puts a profile into a cohort. [PageView]"),
            "returns": text("The event by which it comes back. [PageView]"),
            "freq": _FREQ,
            "by": _BY,
            "top": _TOP,
        },
        events=("start", "returns"),
    ),
    _tool(
        "visits",
        "Visits (sessions) by channel, source, medium or campaign, and their share of all visits.",
        _visits,
        {"by": text("[channel]", choices=_VISITS_BY)},
    ),
    _tool(
        "attribution",
        "Which visits before an order get the credit. 'share' is of all conversions; '(none)' had "
        "no visit within the lookback window.",
        _attribution,
        {
            "conversion": _ORDER,
            "value": _VALUE,
            "model": text(
                "[last_touch]",
                choices=["first_touch", "last_touch", "linear", "position_based", "time_decay"],
            ),
            "lookback": text("Lookback window, such as 30D. [30D]"),
            "by": text("[channel]", choices=_VISITS_BY),
        },
    ),
    _tool(
        "customers",
        "New and returning customers and their orders by period, and the share who ordered again.",
        _customers,
        {"conversion": _ORDER, "value": _VALUE, "freq": _FREQ},
    ),
    _tool(
        "marketing",
        "What advertising cost and what it brought: roas is revenue over spend, cac is spend over "
        "new customers. mer is of the whole period.",
        _marketing,
        {"freq": _FREQ, "by": text("[channel]", choices=[*_VISITS_BY, "platform"])},
    ),
    _tool(
        "why",
        "Why a number differs between two periods: parts that add up to the difference, each with "
        "whether chance explains it.",
        _why,
        {
            "before": texts("The first and the last day of one period."),
            "after": texts("The first and the last day of the other."),
            "steps": _STEPS,
            "within": _WITHIN,
            "number": text("[conversion]", choices=["conversion", "orders", "revenue"]),
            "value": _VALUE,
        },
        ("before", "after"),
    ),
    _tool(
        "coverage",
        "How many events of a name reach a browser session, by which alias type, and why the "
        "others do not; and which have no campaign.",
        _coverage,
        {"event": _ORDER},
    ),
    _tool(
        "next_fix",
        "Which change of the tracking would tell most of where orders come from.",
        _next_fix,
        {"event": _ORDER, "value": _VALUE},
    ),
    _tool(
        "check_up",
        "Faults of the tracking, by the money concerned, with why each matters and how to fix it.",
        _check_up,
        {"conversion": _ORDER},
    ),
    _tool(
        "profile",
        "One person's events. It names people.",
        _profile,
        {"alias": text("A URN, such as urn:email:ada@example.com, or a profile ID.")},
        ("alias",),
    ),
    _tool(
        "check_answer",
        "Call this before you show numbers: it holds every number of your text against the answers "
        "of this session. A share needs what it is of in the same sentence (19 of 60, 31.7%).",
        _check_answer,
        {"text": long_text("What you want to say.")},
        ("text",),
    ),
)

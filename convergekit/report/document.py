"""A report put together: its title, what is assumed, what is left out, and its sections."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from convergekit import __version__
from convergekit.base.durations import parse_duration, readable_duration
from convergekit.base.wording import counted
from convergekit.checks.wording import masked
from convergekit.events.steps import resolve_column, title_of
from convergekit.report.about import About, Answering
from convergekit.report.answers import section_of
from convergekit.report.blocks import Document, Section
from convergekit.report.questions import Asked, Questions, asked_questions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convergekit.base.durations import Duration
    from convergekit.events.steps import StepLike
    from convergekit.spend.result import Spend

_IDENTITIES = {
    "retroactive": "each event belongs to the profile as it is known in the end",
    "as_of": "each event belongs to the profile as it was known by then",
}
_MOST_SOURCES = 6
#: A breakdown that no event has: it is of its visit.
_OF_VISITS = "channel"


def make_document(
    s: Answering,
    about: About,
    questions: Questions | None = None,
    *,
    spend: pd.DataFrame | Spend | None = None,
    steps: Sequence[StepLike] | None = None,
    within: Duration = "7D",
    by: str | None = None,
) -> Document:
    """Return a report of a Stitched, from which its files are written.

    Raises
    ------
    ConvergekitError
        A question is not known, or one that was asked for by name cannot be answered.
    ColumnError
        No column, or more than one, matches the name `by`.
    """
    window = readable_duration(parse_duration(within, name="within"))
    asked = Asked(s, about, spend, steps, within, by)
    # Without questions, a section would say it, below others that take long.
    if by and by != _OF_VISITS:
        resolve_column(pd.DataFrame(columns=list(about.columns)), by, option="by")
    chosen = asked_questions(questions, has_spend=spend is not None)
    sections = tuple(section_of(asked, one, must=questions is not None) for one in chosen)
    names = {one.name for one in chosen}
    return Document(
        title=_title(about),
        facts=tuple(_facts(asked, names, window)),
        caveats=tuple(_caveats(s, sections)),
        sections=sections,
        made_by=f"convergekit {__version__}",
        end=about.observed[1],
    )


def _day(moment: pd.Timestamp, zone: str) -> str:
    local = moment.tz_convert(zone)
    return f"{local.day} {local:%B %Y}"


def _title(about: About) -> str:
    begin, end = about.observed
    if pd.isna(begin):
        return "A report of no events"
    zone = about.calendar.zone
    first, last = _day(begin, zone), _day(end, zone)
    if first == last:
        return f"Events of {first}"
    year = last.rpartition(" ")[2]
    return f"Events of {first.removesuffix(f' {year}')} to {last}"


def _facts(asked: Asked, names: set[str], window: str) -> list[tuple[str, str]]:
    about = asked.about
    ranked = sorted(about.sources.items(), key=lambda item: (-item[1], item[0]))
    listed = [f"{name} ({number:,})" for name, number in ranked[:_MOST_SOURCES]]
    more = len(ranked) - len(listed)
    listed += [f"{more:,} more"] if more > 0 else []
    found = [
        ("Data", f"{counted(about.events, 'event')} from {', '.join(listed) or 'no source'}"),
        ("Profiles", f"{about.profiles:,}; {_IDENTITIES[asked.s.identity]}"),
        ("Calendar", str(about.calendar)),
    ]
    if about.segment:
        found.insert(1, ("Segment", about.segment))
    if names & {"funnel", "trend"} and asked.steps:
        steps = " → ".join(map(title_of, asked.steps))
        found.append(("Funnel", f"{steps} within {window}"))
    if names & {"channels", "spend"} and asked.order is not None:
        worth = f"; their amount is {asked.value}" if asked.value is not None else ""
        found.append(("Orders", f"{asked.order}, chosen by its name{worth}"))
        found.append(("Credit", "the last visit within 30 days before the order"))
    return found


def _caveats(s: Answering, sections: tuple[Section, ...]) -> list[tuple[str, str]]:
    report = s.report
    found = [(title, masked(text)) for title, text in report.findings() if title != "calendar"]
    for section in sections:
        for block in section.blocks:
            about = section.heading
            if block.heading:
                about = f"{about}, {block.heading[:1].lower()}{block.heading[1:]}"
            known = {text for _, text in found} | {f"{title}: {text}" for title, text in found}
            found += [
                (about, text) for text in (*block.warnings, *block.notes) if text not in known
            ]
    return found

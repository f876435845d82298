"""The sections of a report: each a call of the face, what it found, and its numbers."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd

from convergekit.attribution.result import Attribution
from convergekit.base.wording import counted, percentage, period_word
from convergekit.certainty.figure import in_twin
from convergekit.certainty.result import FunnelBounds
from convergekit.checks.check_up import CheckUp
from convergekit.checks.wording import masked
from convergekit.diagnostics.report import Report
from convergekit.errors import ConvergekitError
from convergekit.figures.card import Result
from convergekit.figures.frame import DrawnFrame
from convergekit.funnels.labels import short_name
from convergekit.funnels.result import Funnel
from convergekit.report.blocks import Block, Item, Section, Table
from convergekit.report.calls import Named, ask, call_of
from convergekit.report.questions import MOST_LABELS, Asked, Topic

#: As many suspects and faults stand in a file to read.
_MOST_ITEMS = 20
#: What a table of steps shows; the rest is of those who want to know it from code.
_STEPS = (
    *("step", "event_name", "profiles", "conversion", "step_conversion", "drop_off", "in_window"),
    *("conversion_at_window", "at_window_low", "at_window_high", "median_time"),
)
_SPENT = (
    *("spend", "visits", "orders", "revenue", "new_customers", "aov", "cpa", "cac", "roas"),
    *("nc_roas", "mer"),
)
_LEVELS = {"strong": "high", "shared token": "medium", "weak": "low"}


def section_of(asked: Asked, question: Topic, *, must: bool) -> Section:
    """Return a section of a report.

    Parameters
    ----------
    asked : Asked
    question : Topic
    must : bool
        Whether an answer that cannot be given is an error; or else the section says why not.

    Raises
    ------
    ConvergekitError
        As the call of the section raises it.
    """
    if not question.name:
        call = question.call or call_of(asked.s, question.result, asked.spend)
        return Section(question.heading, (result_block(question.result, call),))
    try:
        blocks = _SECTIONS[question.name](asked)
    except ConvergekitError as error:
        if must:
            raise
        blocks = [Block(f"This section has no numbers: {str(error).rstrip('.')}.")]
    return Section(question.heading, tuple(blocks))


def result_block(result: Any, call: str = "") -> Block:
    """Return what a result says.

    Raises
    ------
    ConvergekitError
        It is not a result that a report can hold.
    """
    if isinstance(result, Report):
        block = _report_block(result, call)
        return replace(block, notes=(*_unless_known(result, call), *block.notes))
    if isinstance(result, CheckUp):
        block = _check_up_block(result, call)
        return replace(block, notes=(*_unless_known(result, call), *block.notes))
    if isinstance(result, Funnel):
        return _funnel_block(result, call, _unless_known(result, call))
    if isinstance(result, FunnelBounds):
        return _bounds_block(result, call, _unless_known(result, call))
    figure = result.plot() if hasattr(result, "plot") and _is_ours(result) else None
    if isinstance(result, pd.DataFrame):
        rows = counted(len(result), "row")
        tables: tuple[Table, ...] = (Table(rows, pd.DataFrame(result)),)
        return Block(
            finding_of(figure) or f"A table of {rows}.", call, figure=figure, tables=tables
        )
    if isinstance(result, Result):
        parts = result.parts()
        frames = [part for part in parts if not isinstance(part, str)]
        if isinstance(result, Attribution):
            frames = [result.table]
        of = f" of {len(frames)}"
        tables = tuple(
            Table(f"The numbers, {place}{of}" if len(frames) > 1 else "The numbers", frame)
            for place, frame in enumerate(frames, start=1)
        )
        return Block(
            finding_of(figure) or repr(result),
            call,
            figure=figure,
            notes=(
                *_unless_known(result, call),
                *(part for part in parts if isinstance(part, str)),
            ),
            tables=tables,
        )
    if type(result).__module__.startswith(("plotly.", "convergekit.figures.")):
        twin = getattr(result, "twin", pd.DataFrame())
        tables = (Table("The numbers of the figure", twin),) if len(twin) else ()
        return Block(finding_of(result) or "A figure.", call, figure=result, tables=tables)
    raise ConvergekitError(
        "questions may hold names of sections, what convergekit returned, plotly figures and "
        f"pandas tables; got {type(result).__name__}."
    )


def finding_of(figure: Any) -> str:
    """Return what a figure shows in words: its finding, or else its title and what is below it."""
    if figure is None:
        return ""
    said = getattr(figure, "finding", "")
    if said:
        return str(said)
    title = figure.layout.title
    parts = [text for text in (title.text, title.subtitle.text) if text]
    return html.unescape(" ".join(f"{part.replace('<br>', ' ').rstrip('.')}." for part in parts))


def _unless_known(result: Any, call: str) -> tuple[str, ...]:
    return () if call else (f"The call that made this is not known: {result!r}",)


def _is_ours(result: Any) -> bool:
    return isinstance(result, (Result, DrawnFrame))


def _report(asked: Asked) -> list[Block]:
    return [_report_block(asked.s.report, "s.report")]


def _report_block(report: Report, call: str) -> Block:
    tiles = [
        ("rows in", report.rows_in),
        ("events", report.events),
        ("duplicates", sum(report.duplicates.values())),
        ("rejected", sum(report.rejected.values())),
        *([("left out", sum(report.left_out.values()))] if report.segment else []),
        ("aliases", report.aliases),
        ("profiles", report.profiles),
    ]
    # A file to send: reasons and warnings may quote what a row held.
    findings = [(title, masked(text)) for title, text in report.findings()]
    loud = [text for title, text in findings if title in ("warning", "caution")]
    quiet = [f"{title}: {text}" for title, text in findings if title not in ("warning", "caution")]
    drawn = report.plot() if len(report.coverage) else None
    tables = [
        Table("Share of events that reach a profile, and a browser session", report.coverage),
        Table("Aliases by type", report.alias_types),
    ]
    return Block(
        f"{report.events - report.links_nobody:,} of {counted(report.events, 'event')} belong to "
        f"{counted(report.profiles, 'profile')}; {report.links_nobody:,} have no usable alias.",
        call,
        figure=drawn,
        tiles=tuple((name, f"{number:,}") for name, number in tiles),
        warnings=tuple(loud),
        notes=tuple(quiet),
        tables=tuple(table for table in tables if len(table.frame)),
    )


def _funnel_of(asked: Asked) -> tuple[Funnel, str]:
    if not asked.steps:
        raise ConvergekitError("events with a name are missing, of which a funnel could be made")
    if "funnel" not in asked.answers:
        asked.answers["funnel"] = ask(asked.s, "funnel", [asked.steps], {"within": asked.within})
    answer: tuple[Funnel, str] = asked.answers["funnel"]
    return answer


def _funnel(asked: Asked) -> list[Block]:
    funnel, call = _funnel_of(asked)
    blocks = [_funnel_block(funnel, call, _why_these_steps(asked))]
    if funnel.counts["entered"]:
        blocks.append(_how_sure(funnel, call))
        blocks += [_breakdown(asked)] if asked.by else []
    return blocks


def _how_sure(funnel: Funnel, call: str) -> Block:
    """Return how far a funnel's shares are from those of people, or why that is not known."""
    heading = "How sure is it"
    try:
        bounds = funnel.bounds()
    except ConvergekitError as error:
        said = f"How far this is from the share of the people is not known: {error}"
        return Block(said, heading=heading)
    return replace(_bounds_block(bounds, f"{call}.bounds()", ()), heading=heading)


def _bounds_block(bounds: FunnelBounds, call: str, notes: tuple[str, ...]) -> Block:
    return Block(
        bounds.finding,
        call,
        figure=bounds.plot(),
        notes=(*notes, *bounds.in_short[1:], *bounds.assumptions),
        tables=(_bounds_table(bounds),),
    )


def _bounds_table(bounds: FunnelBounds) -> Table:
    return Table(
        "Shares of the profiles and of the people, and their intervals", in_twin(bounds.table)
    )


def _funnel_block(funnel: Funnel, call: str, notes: tuple[str, ...]) -> Block:
    figure = funnel.plot() if funnel.counts["entered"] else None
    counts_profiles = funnel.counted == "profiles" and not funnel.by
    known = [] if funnel.known_bounds is None else [funnel.known_bounds]
    return Block(
        _converted(funnel) if counts_profiles or figure is None else finding_of(figure),
        call,
        figure=figure,
        notes=(*notes, *(said for one in known for said in one.in_short), *funnel.notes),
        tables=(Table(_steps_caption(funnel), _steps_table(funnel)), *map(_bounds_table, known)),
    )


def _why_these_steps(asked: Asked) -> tuple[str, ...]:
    if asked.given_steps is not None:
        return ()
    known = "Suggested by" in asked.suggestion.said
    return (
        "The steps were chosen by the names of the events; steps=[...] names others."
        if known
        else "No names of a page, a cart and an order were recognised: these are the most frequent "
        "events. steps=[...] names others.",
    )


def _converted(funnel: Funnel) -> str:
    """Return how many got to the end, with the interval."""
    entered, last = funnel.counts["entered"], funnel.steps[-1]
    if not entered:
        return f"No profile reached {funnel.steps[0]}."
    row = funnel.table.iloc[-1]
    if len(funnel.steps) == 1:
        return f"{counted(entered, 'profile')} reached {last}."
    said = (
        f"{row['profiles']:,} of {counted(entered, 'profile')} reached {last} within "
        f"{funnel.window_words}: {percentage(row['conversion'])}"
    )
    if "at_window_low" in row and not pd.isna(row["at_window_low"]):
        low, high = percentage(row["at_window_low"]), percentage(row["at_window_high"])
        interval = f"(95% interval {low} to {high})"
        if not funnel.counts["in_window"]:
            return f"{said} {interval}."
        expected = percentage(row["conversion_at_window"])
        said += f". {expected} are expected when every window has ended {interval}"
    return f"{said}."


def _steps_caption(funnel: Funnel) -> str:
    by = f", by {', '.join(map(short_name, funnel.by))}" if funnel.by else ""
    return f"{funnel.counted.capitalize()} that reached each step within {funnel.window_words}{by}"


def _steps_table(funnel: Funnel) -> pd.DataFrame:
    table = funnel.table[[*funnel.by, *(name for name in _STEPS if name in funnel.table)]]
    for name in funnel.by:
        given = table[name].astype(object)
        table = table.assign(**{name: given.where(given.notna(), f"no {short_name(name)}")})
    return table


def _breakdown(asked: Asked) -> Block:
    by = short_name(asked.by)
    options: dict[str, Any] = {"within": asked.within, "by": asked.by, "top": MOST_LABELS}
    funnel, call = ask(asked.s, "funnel", [asked.steps], options)
    shown = _steps_table(funnel)
    last = shown[shown["step"] == len(funnel.steps)]
    tested: list[str] = []
    if len(last) > 1 and len(funnel.steps) > 1:
        tested = [part for part in funnel.test().parts() if isinstance(part, str)]
    figure = funnel.plot()
    return Block(
        " ".join([finding_of(figure), *tested[:1]]),
        f"f = {call}\nf.table\nf.test()" if tested else call,
        heading=f"By {by}",
        figure=figure,
        notes=(*funnel.grouped_by, *tested[1:], *funnel.notes),
        tables=(Table(_steps_caption(funnel), shown),),
    )


def _trend(asked: Asked) -> list[Block]:
    funnel, call = _funnel_of(asked)
    if not funnel.counts["entered"]:
        return [Block(f"No profile reached {funnel.steps[0]}.", call)]
    trend = funnel.trend(asked.freq)
    figure = trend.plot()
    open_periods = int((~trend["complete"]).sum())
    caution = (
        f"Not every window has ended in {open_periods:,} of "
        f"{counted(len(trend), period_word(asked.freq))}: those shares may still rise."
    )
    return [
        Block(
            finding_of(figure),
            f"{call}.trend({asked.freq!r})",
            figure=figure,
            notes=(caution,) if open_periods else (),
            tables=(Table("Conversion by period of entry", pd.DataFrame(trend)),),
        )
    ]


def _order_of(asked: Asked) -> str:
    if asked.order is None:
        raise ConvergekitError(
            "the names of the events say not which of them are orders; hand over the result, such "
            "as questions={'Channels': s.attribution('Booked')}"
        )
    return asked.order


def _channels(asked: Asked) -> list[Block]:
    order = _order_of(asked)
    given = [order] if asked.value is None else [order, asked.value]
    attribution, call = ask(asked.s, "attribution", given, {})
    table = attribution.table.drop(columns="model")
    figure = attribution.plot() if len(table) else None
    notes = [part for part in attribution.parts() if isinstance(part, str)]
    if asked.value is None:
        notes.append(
            "Amounts are not added up: no property, or more than one, holds them, or they are in "
            "several currencies. Name it with s.attribution(order, value)."
        )
    return [
        Block(
            finding_of(figure) or f"No event is a {order}.",
            call,
            figure=figure,
            notes=("The last visit within 30 days before an order gets all the credit.", *notes),
            tables=(Table("Credit by channel", table),),
        )
    ]


def _spend(asked: Asked) -> list[Block]:
    if asked.spend is None:
        raise ConvergekitError(
            "nothing says what was spent; give spend=ck.read_spend([...]), the exports of the ad "
            "platforms"
        )
    options: dict[str, Any] = {} if asked.freq == "M" else {"freq": asked.freq}
    if _order_of(asked) != "Placed Order":
        options["conversion"] = asked.order
    if asked.value not in (None, "total_price"):
        options["value"] = asked.value
    marketing, call = ask(asked.s, "marketing", [Named("spend", asked.spend)], options)
    groups, money = marketing.groups, f" {marketing.currency}".rstrip()
    spent, revenue = groups["spend"].sum(), groups["revenue"].sum()
    mer = f": {revenue / spent:,.2f} for each one spent" if spent > 0 else ""
    return [
        Block(
            f"{spent:,.2f}{money} were spent, and orders brought {revenue:,.2f}{money}{mer}.",
            call,
            figure=marketing.plot() if len(marketing.table) else None,
            notes=(
                *(f"{what}: {number:,}" for what, number in marketing.left_out.items()),
                *marketing.remarks,
            ),
            tables=(
                Table(
                    f"Spend and what it brought, by {' and '.join(marketing.by)}{money and ' in'}"
                    f"{money}",
                    groups[[*marketing.by, *(name for name in _SPENT if name in groups)]],
                ),
            ),
        )
    ]


def _suspects(asked: Asked) -> list[Block]:
    found = asked.s.suspects
    items = tuple(
        Item(
            f"{place}. {row['evidence'].capitalize()} evidence",
            _LEVELS[row["evidence"]],
            f"{counted(row['events'], 'event')}, {counted(row['aliases'], 'alias', 'aliases')}",
            (masked(row["reason"]), *_repair(row["repair"])),
        )
        for place, row in enumerate(found.head(_MOST_ITEMS).to_dict("records"), start=1)
    )
    profiles = asked.about.profiles
    counts = found["evidence"].value_counts() if len(found) else pd.Series(dtype="int64")
    table = pd.DataFrame({"evidence": counts.index.astype(str), "profiles": counts.to_numpy()})
    more = len(found) - len(items)
    notes = ["E-mail addresses and long numbers are hidden here; the call shows them."]
    notes += [f"{counted(more, 'more profile')} not shown."] if more > 0 else []
    return [
        Block(
            f"{len(found):,} of {counted(profiles, 'profile')} may hold several people."
            if len(found)
            else f"None of {counted(profiles, 'profile')} looks like several people.",
            "s.suspects",
            notes=tuple(notes) if len(found) else (),
            items=items,
            tables=(Table("Suspects by evidence", table),) if len(found) else (),
        )
    ]


def _repair(call: Any) -> list[str]:
    return [f"Repair: {masked(call)}"] if isinstance(call, str) and call else []


def _check_up(asked: Asked) -> list[Block]:
    found = asked.about.check_up()
    block = _check_up_block(found, "ck.check_up(s.events)")
    said = "Of the events that were kept: duplicates and rejected rows are counted above."
    return [replace(block, notes=(said, *block.notes))]


def _check_up_block(found: CheckUp, call: str) -> Block:
    rows = found.findings.head(_MOST_ITEMS).to_dict("records")
    items = tuple(
        Item(
            f"{row['finding']}. {row['what']}",
            row["severity"],
            " · ".join(
                part
                for part in (row["severity"], found.concerned(row["finding"]), row["check"])
                if part
            ),
            (row["why"], f"Fix: {row['fix']}"),
        )
        for row in rows
    )
    more = len(found) - len(items)
    return Block(
        f"{found.title}.",
        call,
        notes=(
            *found.remarks,
            *([f"{counted(more, 'more finding')} not shown."] if more > 0 else []),
            *found.not_checked,
        ),
        items=items,
        tables=(Table(f"All {len(found.checks)} checks", found.checks),),
    )


_SECTIONS: dict[str, Callable[[Asked], list[Block]]] = {
    "report": _report,
    "funnel": _funnel,
    "trend": _trend,
    "channels": _channels,
    "spend": _spend,
    "suspects": _suspects,
    "check-up": _check_up,
}

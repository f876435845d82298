"""Commands that ask one question of exports: funnel, retention, sessions, attribution ..."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Protocol

import pandas as pd
import typer
from rich.markup import escape

from convergekit.base.durations import parse_duration, readable_duration
from convergekit.base.wording import counted, period_word
from convergekit.cli.console import ERRORS, OUT, remarks_told
from convergekit.cli.given import StitchedOptions, taking
from convergekit.cli.marketing import of_question
from convergekit.cli.tables import Force, Handed, OutFile, Printed, PrintedAs, Shown
from convergekit.errors import ConvergekitError
from convergekit.funnels.result import Funnel
from convergekit.stitched import Stitched

_Breakdown = Annotated[
    list[str] | None,
    typer.Option("--by", help="A property such as utm_source, or channel or device; repeatable."),
]
_Top = Annotated[
    int | None, typer.Option(help="Groups of the breakdown to keep; the rest is 'other'.")
]
_Order = Annotated[str, typer.Option("--conversion", help="The event that is an order.")]
_Value = Annotated[str, typer.Option(help="The property that holds an order's amount.")]


class _Drawn(Protocol):
    """What has a figure that says what it shows."""

    def plot(self) -> Any: ...


@taking(StitchedOptions)
def funnel_command(
    given: StitchedOptions,
    step: Annotated[list[str], typer.Option(help="An event name; repeat for each step, in order.")],
    within: Annotated[str, typer.Option(help="Conversion window: 30min, 24h, 7D.")] = "7D",
    by: _Breakdown = None,
    freq: Annotated[
        str | None, typer.Option(help="Print the trend by this period of entry: D, W, M.")
    ] = None,
    top: _Top = None,
    printed: PrintedAs = Printed.text,
    out: OutFile = None,
    force: Force = False,
) -> None:
    """Stitch exports and print how far profiles get along the steps."""
    parse_duration(within, name="--within")
    handed = Handed(printed, out, force).checked()
    s = stitched_for(given, handed)
    with asked_as_typed():
        found = s.funnel(step, within=within, by=by or (), freq=freq, top=top)
        if freq is None:
            handed.hand_out(found.table, shown_funnel(found))
        else:
            handed.hand_out(found.trend(), _shown_trend(found, freq))


def shown_funnel(funnel: Funnel) -> Shown:
    """Return how a funnel's table is printed.

    Parameters
    ----------
    funnel : Funnel
    """
    headings = {
        **{name: name for name in funnel.by},
        "step": "",
        "event_name": "step",
        "profiles": "profiles",
        "conversion": "of first",
        "step_conversion": "of prior",
        "drop_off": "drop-off",
        "in_window": "in window",
        "median_time": "median",
    }
    if funnel.by:
        # With the labels a terminal is too narrow for it.
        del headings["median_time"]
    window = readable_duration(funnel.within)
    return Shown(
        f"Funnel within {window}",
        headings,
        (*funnel.by, "step", "event_name"),
        (
            *_finding(funnel),
            "of first, of prior: as a share of the profiles at the first step, at the step before.",
            "in window: not there yet, with time left."
            + ("" if funnel.by else " median: time since the step before."),
            *funnel.notes,
        ),
    )


def _shown_trend(funnel: Funnel, freq: str) -> Shown:
    word = period_word(freq)
    headings = {
        "period": f"{word} of entry",
        **{name: name for name in funnel.by},
        "entered": "entered",
        "converted": "converted",
        "conversion": "conversion",
        "complete": "complete",
    }
    steps = f"{funnel.steps[0]} to {funnel.steps[-1]}"
    return Shown(
        f"Conversion from {steps} within {readable_duration(funnel.within)}, by {word} of entry",
        headings,
        ("period", *funnel.by),
        (
            *_finding(funnel.trend()),
            f"complete: whether the window of all who entered in the {word} had ended.",
        ),
    )


@taking(StitchedOptions)
def retention_command(
    given: StitchedOptions,
    start: Annotated[
        str, typer.Option(help="The event that puts a profile into a cohort.")
    ] = "PageView",
    returns: Annotated[str, typer.Option(help="The event by which it comes back.")] = "PageView",
    freq: Annotated[str, typer.Option(help="Periods: D, W, M.")] = "W",
    by: _Breakdown = None,
    top: _Top = None,
    printed: PrintedAs = Printed.text,
    out: OutFile = None,
    force: Force = False,
) -> None:
    """Stitch exports and print how many profiles come back, by cohort."""
    handed = Handed(printed, out, force).checked()
    s = stitched_for(given, handed)
    with asked_as_typed():
        found = s.retention(start, returns, freq=freq, by=by or (), top=top)
        word = period_word(freq)
        headings = {
            **{name: name for name in found.by},
            "cohort": f"{word} of first {start}",
            "periods": f"{word}s later",
            "profiles": "profiles",
            "returned": "came back",
            "share": "share",
            "complete": "complete",
        }
        said = (
            *_finding(found),
            f"came back: profiles with {returns} so many {word}s later. "
            f"complete: whether that {word} was observed to its end for all of them.",
            *_left_out(found.left_out),
        )
        title = f"Retention: who comes back with {returns}, by {word} of first {start}"
        handed.hand_out(found.table, Shown(title, headings, (*found.by, "cohort"), said))


@taking(StitchedOptions)
def sessions_command(
    given: StitchedOptions,
    timeout: Annotated[
        str | None,
        typer.Option(help="A longer pause in one browser starts a new session. [30min]"),
    ] = None,
    printed: PrintedAs = Printed.text,
    out: OutFile = None,
    force: Force = False,
) -> None:
    """Stitch exports and print each profile's sessions, and where each came from."""
    handed = Handed(printed, out, force).checked()
    s = stitched_for(given, handed)
    with asked_as_typed():
        found = pd.DataFrame(s.sessions(timeout))
        headings = {
            "profile_id": "profile",
            "number": "no.",
            "start": "start",
            "end": "end",
            "events": "events",
            "channel": "channel",
            "campaign": "campaign",
        }
        channels = found["channel"].value_counts(dropna=False).sort_index().sort_values(
            ascending=False, kind="stable"
        )  # fmt: skip
        listed = ", ".join(
            f"{'no channel' if pd.isna(name) else name} {number:,}"
            for name, number in channels.items()
        )
        said = (f"Sessions by channel: {listed}.",) if len(found) else ()
        profiles = counted(found["profile_id"].nunique(), "profile")
        title = f"{counted(len(found), 'session')} of {profiles}"
        names = ("profile_id", "start", "end", "channel", "campaign")
        handed.hand_out(found, Shown(title, headings, names, said))


@taking(StitchedOptions)
def attribution_command(
    given: StitchedOptions,
    conversion: _Order = "Placed Order",
    value: Annotated[
        str | None,
        typer.Option(help="The property that holds an order's amount. [orders are counted alone]"),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="first_touch, last_touch, linear, markov, shapley ...; repeatable. [last_touch]"
        ),
    ] = None,
    lookback: Annotated[str, typer.Option(help="Lookback window: 7D, 30D.")] = "30D",
    by: Annotated[
        str, typer.Option(help="What gets the credit: channel, source, medium or campaign.")
    ] = "channel",
    printed: PrintedAs = Printed.text,
    out: OutFile = None,
    force: Force = False,
) -> None:
    """Stitch exports and print which visits (touchpoints) the conversions are credited to."""
    parse_duration(lookback, name="--lookback")
    handed = Handed(printed, out, force).checked()
    s = stitched_for(given, handed)
    with asked_as_typed():
        found = s.attribution(conversion, value, model or "last_touch", lookback, by)
        headings = {
            "model": "model",
            found.by: found.by,
            "touches": "visits",
            "conversions": "conversions",
            "share": "share",
            "value": value or "value",
        }
        said = (
            *_finding(found),
            f"conversions: {conversion} events credited. share: of all credited by the model. "
            "visits: those within the lookback window before one.",
        )
        before = readable_duration(found.lookback)
        title = f"{conversion} by {found.by} of the visits up to {before} before"
        handed.hand_out(found.table, Shown(title, headings, ("model", found.by), said))


@taking(StitchedOptions)
def customers_command(
    given: StitchedOptions,
    conversion: _Order = "Placed Order",
    value: _Value = "total_price",
    currency: Annotated[
        str | None, typer.Option(help="The property that holds an order's currency.")
    ] = None,
    freq: Annotated[str, typer.Option(help="Periods: D, W, M.")] = "M",
    printed: PrintedAs = Printed.text,
    out: OutFile = None,
    force: Force = False,
) -> None:
    """Stitch exports and print new and returning customers by period."""
    handed = Handed(printed, out, force).checked()
    s = stitched_for(given, handed)
    with asked_as_typed():
        found = s.customers(conversion, value, currency=currency)
        table = found.new_and_returning(freq)
        word = period_word(freq)
        headings = {
            "period": word,
            "new": "new",
            "returning": "returning",
            "new_orders": "orders of new",
            "returning_orders": "orders of returning",
            "new_value": "value of new",
            "returning_value": "value of returning",
            "complete": "complete",
        }
        said = (
            *_finding(table),
            f"new: customers whose first {conversion} is in the {word}; the exports say nothing of "
            f"earlier ones. value: {value}.",
            *_left_out(found.left_out),
        )
        title = f"New and returning customers by {word}"
        handed.hand_out(table, Shown(title, headings, ("period",), said))


def stitched_for(given: StitchedOptions, handed: Handed) -> Any:
    """Return the exports stitched, and print how many of each there are."""
    s = given.stitched()
    # Beside a table for another program stands nothing else.
    told = OUT if handed.printed is Printed.text else ERRORS
    told.print(escape(repr(s)), soft_wrap=True)
    if isinstance(s, Stitched) and s.report.rejected:
        number = sum(s.report.rejected.values())
        told.print(f"{counted(number, 'row')} rejected: see convergekit check.", soft_wrap=True)
    return s


@contextlib.contextmanager
def asked_as_typed() -> Iterator[None]:
    """Tell remarks, and say errors in the words of the command."""
    try:
        with remarks_told():
            yield
    except ConvergekitError as error:
        raise ConvergekitError(of_asked(str(error))) from None


_MUST = re.compile(r"^(top|steps|start|returns|lookback|timeout|within) must\b")


def of_asked(text: str) -> str:
    """Return an error of a question in the words of the command.

    Examples
    --------
    >>> of_asked("freq must be a period such as 'W'; got 'fortnight'.")
    "--freq must be a period such as 'W'; got 'fortnight'."
    >>> of_asked("lookback must be a positive duration such as '7D'; got 'x'.")
    "--lookback must be a positive duration such as '7D'; got 'x'."
    """
    said = {"steps": "step"}
    return _MUST.sub(lambda found: f"--{said.get(found[1], found[1])} must", of_question(text))


def _finding(result: _Drawn) -> Iterable[str]:
    """Return what the figure of a result says first."""
    finding = result.plot().finding
    return (finding,) if finding else ()


def _left_out(left_out: dict[str, int]) -> Iterable[str]:
    return (f"{what}: {number:,}" for what, number in left_out.items() if number)

"""The command `why`: what changed between two periods of exports."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Annotated, cast

import typer

from convergekit.base.durations import parse_duration
from convergekit.change.factors import Number
from convergekit.cli.given import StitchedOptions, taking
from convergekit.cli.questions import asked_as_typed, stitched_for
from convergekit.cli.tables import Force, Handed, OutFile, Printed, PrintedAs, Shown
from convergekit.errors import ConvergekitError


@taking(StitchedOptions)
def why_command(
    given: StitchedOptions,
    first: Annotated[
        str,
        typer.Option(metavar="DAY..DAY", help="The period before: 2026-03-02..2026-03-08."),
    ],
    second: Annotated[
        str,
        typer.Option(metavar="DAY..DAY", help="The period after: 2026-03-09..2026-03-15."),
    ],
    number: Annotated[
        str, typer.Option(help="conversion, orders, revenue or 'revenue a visit'.")
    ] = "conversion",
    step: Annotated[
        list[str] | None,
        typer.Option(
            help="An event name; repeat for each step, in order. [what the names suggest]"
        ),
    ] = None,
    within: Annotated[str, typer.Option(help="Conversion window: 30min, 24h, 7D.")] = "7D",
    value: Annotated[
        str | None, typer.Option(help="The property that holds an order's amount. [by its name]")
    ] = None,
    currency: Annotated[
        str | None, typer.Option(help="The property that holds an order's currency.")
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            help="What the mix is told by; repeatable. [channel, device, country, new or returning]"
        ),
    ] = None,
    printed: PrintedAs = Printed.text,
    out: OutFile = None,
    force: Force = False,
) -> None:
    """Stitch exports and print why a number differs between two periods, part by part."""
    parse_duration(within, name="--within")
    before, after = _period("--first", first), _period("--second", second)
    handed = Handed(printed, out, force).checked()
    s = stitched_for(given, handed)
    with asked_as_typed(), _periods_as_typed():
        found = s.why(
            before,
            after,
            number=cast("Number", number),
            steps=step,
            within=within,
            value=value,
            currency=currency,
            by=by,
        )
        headings = {
            "part": "", "kind": "kind", "what": "what", "effect": "effect", "low": "at least",
            "high": "at most", "beyond_chance": "beyond chance",
        }  # fmt: skip
        said = (
            found.finding,
            *found.faults["why"],
            *(f"Check-up, {one.check}: {one.what}" for one in found.findings.itertuples()),
            *found.notes,
        )
        title = f"Why {found.number} changed, {found.sides[0]} and {found.sides[1]}"
        handed.hand_out(found.table, Shown(title, headings, ("part", "kind", "what"), said))


@contextlib.contextmanager
def _periods_as_typed() -> Iterator[None]:
    """Say errors of the periods in the words of the command."""
    try:
        yield
    except ConvergekitError as error:
        said = str(error).replace("`a`", "--first").replace("`b`", "--second")
        raise ConvergekitError(said) from None


def _period(option: str, text: str) -> tuple[str, str]:
    """Return the two days of a period.

    Examples
    --------
    >>> _period("--first", "2026-03-02..2026-03-08")
    ('2026-03-02', '2026-03-08')
    """
    first, _, last = text.partition("..")
    if not first.strip() or not last.strip():
        raise ConvergekitError(
            f"{option} must be the first and the last day, such as 2026-03-02..2026-03-08; got "
            f"{text!r}."
        )
    return first.strip(), last.strip()

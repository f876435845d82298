"""The command line: ``convergekit demo``, ``stitch``, ``funnel``, ``check``, ``add`` ..."""

from __future__ import annotations

import io
import sys
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from convergekit import __version__
from convergekit.base.durable import whole_files
from convergekit.base.durations import parse_duration
from convergekit.checking import check_up
from convergekit.cli.check import FAIL_ON_HELP, Output, checked, failing, print_check_up
from convergekit.cli.console import ERRORS, OUT, interruption_told, remarks_told
from convergekit.cli.csv import write_csv
from convergekit.cli.given import (
    ExportOptions,
    LinkedOptions,
    ShopCalendar,
    StitchedOptions,
    taking,
)
from convergekit.cli.machines import mcp_command
from convergekit.cli.marketing import (
    BesideSpendOptions,
    SpendFiles,
    of_question,
    print_marketing,
    print_reconciliation,
    refuse_to_write,
    write_tables,
)
from convergekit.cli.parts import ByParts, Memory, Workdir
from convergekit.cli.plug_ins import plug_ins_command
from convergekit.cli.questions import (
    attribution_command,
    customers_command,
    funnel_command,
    retention_command,
    sessions_command,
    shown_funnel,
)
from convergekit.cli.reading import in_options
from convergekit.cli.report import OptionalSpend, of_report, refuse_to_replace, writer_of
from convergekit.cli.schema import schema_command
from convergekit.cli.watch import watch_command
from convergekit.cli.why import why_command
from convergekit.errors import ConvergekitError
from convergekit.readers import read_events
from convergekit.readers.reading import find_files
from convergekit.simulate.store import simulate_store
from convergekit.stitched import Stitched
from convergekit.stitching import stitch
from convergekit.store import existing_store, open_store, repair_store
from convergekit.store.options import StoreOptions
from convergekit.visible import visible
from convergekit.writers.parquet import FILES, write_stitched

if TYPE_CHECKING:
    from convergekit.parts.result import StitchedParts

app: typer.Typer = typer.Typer(
    name="convergekit",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_TABLES = ("events", "profiles", "aliases", "duplicates", "rejected")
_CSV_FILES = tuple(f"{name}.csv" for name in _TABLES)
_PURCHASE = ["PageView", "Added To Cart", "Placed Order"]


class Format(StrEnum):
    """File formats of the tables that `stitch` writes."""

    parquet = "parquet"
    csv = "csv"


StorePath = Annotated[Path, typer.Option("--store", help="The store's directory.")]


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"convergekit {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Stitch browser and server events into profiles (identity resolution), and analyse them."""


@app.command()
def demo() -> None:
    """Stitch a simulated coffee shop's browser, server and CRM exports."""
    with tempfile.TemporaryDirectory() as directory:
        paths = simulate_store().write(directory)
        events = read_events(paths)
    OUT.print("A coffee shop's browser, server and CRM exports, 28 days of 60 simulated people.")
    s = stitch(events)
    _print_summary(s)
    _print_campaigns(s)
    found = s.funnel(_PURCHASE, within="7D")
    shown_funnel(found).print(found.table, told_where=False)


@app.command("stitch")
@taking(StitchedOptions)
def stitch_command(
    given: StitchedOptions,
    out: Annotated[Path, typer.Option(help="Directory for the tables.")],
    output_format: Annotated[
        Format, typer.Option("--format", help="Format of the tables.")
    ] = Format.parquet,
    force: Annotated[bool, typer.Option(help="Overwrite earlier tables.")] = False,
) -> None:
    """Stitch exports into profiles and write events, profiles, aliases, duplicates, rejected."""
    refuse_to_write(out, force)
    _refuse_to_overwrite(given.exports, out)
    if given.where.asked and output_format is not Format.parquet:
        raise ConvergekitError(
            f"--format {output_format.value}: not with --workdir or --memory yet. Write Parquet."
        )
    s = given.stitched()
    _print_summary(s)
    # No table of an earlier run stays beside the new ones.
    if not isinstance(s, Stitched):
        written = _write_parts(s, out, force)
    else:
        written = (_write_parquet if output_format is Format.parquet else _write_csv)(s, out, force)
    OUT.print(f"Wrote {len(written)} files to {escape(visible(out))}.", soft_wrap=True)


app.command("funnel")(funnel_command)
app.command("retention")(retention_command)
app.command("sessions")(sessions_command)
app.command("attribution")(attribution_command)
app.command("customers")(customers_command)
app.command("why")(why_command)
app.command("mcp")(mcp_command)
app.command("plug-ins")(plug_ins_command)
app.command("schema")(schema_command)


@app.command("check")
@taking(ExportOptions)
def check_command(
    given: ExportOptions,
    conversion: Annotated[
        list[str] | None,
        typer.Option(help="An event name that is a conversion; repeatable. [Placed Order]"),
    ] = None,
    value: Annotated[
        str | None, typer.Option(help="The property that holds a conversion's money.")
    ] = None,
    currency: Annotated[
        str | None, typer.Option(help="The property that holds a conversion's currency.")
    ] = None,
    output: Annotated[
        Output, typer.Option("--format", help="How to print the findings.")
    ] = Output.text,
    fail_on: Annotated[str, typer.Option(metavar="N|SEVERITY", help=FAIL_ON_HELP)] = "low",
    calendar: ShopCalendar = None,
    workdir: Workdir = None,
    memory: Memory = None,
) -> None:
    """Audit the tracking of exports: list its faults by the money concerned.

    Exit code 0: nothing at or above --fail-on. 1: something. 2: it could not be checked.
    """
    with checked(ERRORS):
        fails = failing(fail_on)
        reading, where = given.reading(), ByParts(workdir, memory)
        with remarks_told():
            # The columns of files that were read are named already.
            columns = (where.columns_of(reading) or None) if where.asked else None
            found = check_up(
                given.exports if where.asked else read_events(given.exports, **reading),
                conversion=conversion,
                value=value,
                currency=currency,
                columns=columns,
                tz=given.tz,
                calendar=calendar,
                workdir=where.workdir,
                memory=where.memory,
            )
    print_check_up(OUT, found, output)
    if fails(found):
        raise typer.Exit(1)


@app.command("marketing")
@taking(BesideSpendOptions)
def marketing_command(
    given: BesideSpendOptions,
    spend: SpendFiles,
    freq: Annotated[str, typer.Option(help="A period: D, W, M.")] = "M",
    by: Annotated[
        list[str] | None,
        typer.Option(
            help="channel, source, medium, campaign or platform; repeatable. [channel]",
        ),
    ] = None,
    model: Annotated[
        str, typer.Option(help="Which visits get the credit: first_touch, linear, markov ...")
    ] = "last_touch",
    conversion: Annotated[str, typer.Option(help="The event that is an order.")] = "Placed Order",
    value: Annotated[
        str, typer.Option(help="The property that holds an order's amount.")
    ] = "total_price",
    currency: Annotated[
        str | None, typer.Option(help="The property that holds an order's currency.")
    ] = None,
    reconcile: Annotated[
        bool, typer.Option("--reconcile", help="Hold what platforms claim against the orders.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Directory for the tables, as CSV.")] = None,
    force: Annotated[bool, typer.Option(help="Overwrite earlier tables.")] = False,
) -> None:
    """Stitch exports and print what advertising cost and what it brought.

    With --out, all tables are written too: by period and channel, cohorts, pay-back, campaigns.
    """
    if out is not None:
        refuse_to_write(out, force)
    elif force:
        raise ConvergekitError("--force needs --out too.")
    costs = given.costs(spend)
    s = given.stitched()
    # Of orders without a currency, and of spend that is in one already, there is none to change.
    worth = given.worth() if currency is not None else None
    try:
        with remarks_told(), ERRORS.status("adding up"):
            found = s.marketing(
                costs,
                conversion=conversion,
                value=value,
                freq=freq,
                by=by or "channel",
                model=model,
                currency=currency,
                rates=worth,
            )
            claims = (
                s.reconcile(
                    costs, conversion=conversion, value=value, currency=currency, rates=worth
                )
                if reconcile
                else None
            )
    except ConvergekitError as error:
        raise ConvergekitError(of_question(str(error))) from None
    OUT.print(escape(repr(s)), soft_wrap=True)
    OUT.print(escape(repr(costs)), soft_wrap=True)
    print_marketing(OUT, found)
    if claims is not None:
        print_reconciliation(OUT, claims)
    if out is not None:
        written = write_tables(out, force, costs, found, claims)
        OUT.print()
        OUT.print(f"Wrote {len(written)} files to {escape(visible(out))}.", soft_wrap=True)


@app.command("report")
@taking(BesideSpendOptions)
def report_command(
    given: BesideSpendOptions,
    out: Annotated[Path, typer.Option(help="The file: report.html, .xlsx or .md.")],
    question: Annotated[
        list[str] | None,
        typer.Option(
            help="report, funnel, trend, channels, spend, suspects or check-up; repeatable. [all]"
        ),
    ] = None,
    spend: OptionalSpend = None,
    step: Annotated[
        list[str] | None,
        typer.Option(
            "--step",
            help="An event name of the funnel; repeat for each step, in order. "
            "[page, cart and order, by their names]",
        ),
    ] = None,
    within: Annotated[str, typer.Option(help="Conversion window: 30min, 24h, 7D.")] = "7D",
    by: Annotated[
        str | None, typer.Option(help="The breakdown of the funnel. [utm_source, if there is one]")
    ] = None,
    force: Annotated[bool, typer.Option(help="Overwrite an earlier file.")] = False,
) -> None:
    """Stitch exports and write a report to send: one file of HTML, Excel or Markdown.

    Each answer has its finding, figure, tables, and the Python call that makes it.
    """
    parse_duration(within, name="--within")
    writer = writer_of(out, force)
    refuse_to_replace(out, [*find_files(given.exports), *(find_files(spend) if spend else ())])
    costs = given.costs(spend) if spend else None
    s = given.stitched()
    try:
        with remarks_told(), ERRORS.status("writing"):
            write = getattr(s, writer)
            write(out, question, spend=costs, steps=step, within=within, by=by, overwrite=force)
    except ConvergekitError as error:
        raise ConvergekitError(of_report(str(error))) from None
    OUT.print(escape(repr(s)), soft_wrap=True)
    OUT.print(f"Wrote {escape(visible(out))}.", soft_wrap=True)


@app.command("add")
@taking(LinkedOptions)
def add_command(given: LinkedOptions, store: StorePath) -> None:
    """Add exports to a store, and make it if needed; files added before are left out.

    --limit, --block, --tz, --calendar, --week-starts and the salt are recorded when it is made;
    how the files are read is not.
    """
    reading, limits = given.reading(), given.limits()
    recorded: StoreOptions = {}
    if limits:
        recorded["limits"] = limits
    if given.block:
        recorded["block"] = given.block
    if given.tz is not None:
        recorded["tz"] = given.tz
    if given.calendar is not None:
        recorded["calendar"] = given.calendar
    if given.week_starts is not None:
        recorded["week_starts"] = given.days().week_starts
    salt = given.salt()
    if salt is not None:
        recorded["salt"] = salt
    # Before a store is made, whose options hold for good.
    find_files(given.exports)
    opened = open_store(store, **recorded)
    with remarks_told(), ERRORS.status("adding"), interruption_told():
        added = opened.add(given.exports, **reading)
    OUT.print(escape(repr(added)), highlight=False, soft_wrap=True)


@app.command("status")
def status_command(store: StorePath) -> None:
    """Print what a store holds."""
    shown = repr(existing_store(store).status())
    OUT.print(escape(shown), highlight=False, soft_wrap=True)


app.command("watch")(watch_command)


@app.command("forget")
def forget_command(
    alias: Annotated[
        str, typer.Argument(metavar="ALIAS", help="A URN, as urn:email:ada@example.com, or an ID.")
    ],
    store: StorePath,
) -> None:
    """Delete a person (GDPR) from a store, and print how much was removed of what."""
    opened = existing_store(store)
    with ERRORS.status("forgetting"), interruption_told():
        removed = opened.forget(alias)
    OUT.print(escape(str(removed)), highlight=False, soft_wrap=True)


@app.command("repair")
def repair_command(
    store: StorePath,
    leave_out_damaged: Annotated[
        bool, typer.Option("--leave-out-damaged", help="Go on without batches that are lost.")
    ] = False,
) -> None:
    """Read every file of a store, and rebuild what is missing or damaged."""
    with ERRORS.status("repairing"), interruption_told():
        repaired = repair_store(store, leave_out_damaged=leave_out_damaged)
    OUT.print(escape(repr(repaired)), highlight=False, soft_wrap=True)


def main() -> None:
    """Run the command line; bad input is one clear line and exit code 1, never a traceback."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What it has no letter for would end the command; stderr escapes it by itself.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        _refuse_unseen(sys.argv[1:])
        app()
    except (ConvergekitError, OSError) as error:
        ERRORS.print(f"[bold red]error:[/] {escape(_one_line(error))}", soft_wrap=True)
        raise SystemExit(1) from None


def _refuse_unseen(arguments: list[str]) -> None:
    """Raise at what looks like an option and is a file's name: what reads options quotes it raw."""
    for argument in arguments:
        if argument.startswith("-") and visible(argument) != argument:
            raise ConvergekitError(
                f"{argument} is not an option; write ./ before a file's name that begins with -."
            )


def _one_line(error: Exception) -> str:
    return in_options(" ".join(str(error).split()))


def _print_summary(s: Stitched | StitchedParts) -> None:
    OUT.print()
    OUT.print(escape(str(s.report)), highlight=False, soft_wrap=True)


def _print_campaigns(s: Stitched) -> None:
    """Print how many orders say where the buyer came from, before and after stitching."""
    orders = s.events[s.events["event_name"] == "Placed Order"]
    title = "Placed Order with a campaign (utm_source)"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("")
    table.add_column("orders", justify="right")
    table.add_column("with campaign", justify="right")
    for label, column in (
        ("as sent", "profile_properties.utm_source"),
        ("after stitching", "profile.utm_source"),
    ):
        share = orders[column].notna()
        table.add_row(label, f"{len(orders):,}", f"{share.sum():,} ({share.mean():.0%})")
    OUT.print()
    OUT.print(table)


def _refuse_to_overwrite(files: list[str], out: Path) -> None:
    """Raise if an export is one of the files that are removed or written."""
    written = [path for path in _table_paths(out) if path.is_file()]
    for export in find_files(files) if written else ():
        if any(map(export.samefile, written)):
            raise ConvergekitError(
                f"{export} is an export, and --out {out} would overwrite it; give another --out."
            )


def _table_paths(out: Path) -> list[Path]:
    return [out / name for name in (*FILES, *_CSV_FILES)]


def _write_parquet(s: Stitched, out: Path, force: bool) -> list[Path]:
    return write_stitched(s, out, overwrite=force, gone=_CSV_FILES if force else ())


def _write_parts(s: StitchedParts, out: Path, force: bool) -> list[Path]:
    written = s.to_parquet(out, overwrite=force)
    for name in _CSV_FILES if force else ():
        (out / name).unlink(missing_ok=True)
    return written


def _write_csv(s: Stitched, out: Path, force: bool) -> list[Path]:
    with whole_files(out, gone=(*FILES, *_CSV_FILES) if force else ()) as draft:
        for name, file in zip(_TABLES, _CSV_FILES, strict=True):
            write_csv(getattr(s, name), draft / file)
    return [out / file for file in _CSV_FILES]

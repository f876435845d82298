"""The command line: ``convergekit demo``, ``stitch``, ``funnel``, ``check``, ``add`` ..."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from convergekit import __version__
from convergekit.base.durable import whole_files
from convergekit.base.durations import parse_duration, readable_duration
from convergekit.base.wording import counted, percentage
from convergekit.checking import check_up
from convergekit.cli.check import FAIL_ON_HELP, Output, checked, failing, print_check_up
from convergekit.cli.console import PlainConsole
from convergekit.cli.csv import write_csv
from convergekit.cli.marketing import (
    Rates,
    SpendAmounts,
    SpendColumns,
    SpendCurrency,
    SpendDayFirst,
    SpendEncoding,
    SpendFiles,
    SpendReading,
    of_question,
    print_marketing,
    print_reconciliation,
    refuse_to_write,
    write_tables,
)
from convergekit.cli.parts import ByParts, Memory, Workdir
from convergekit.cli.reading import (
    Amounts,
    Clocks,
    Columns,
    Constants,
    DayFirst,
    Encoding,
    ItemKeys,
    Items,
    ReadAs,
    in_options,
    options_of,
)
from convergekit.cli.report import OptionalSpend, of_report, refuse_to_replace, writer_of
from convergekit.errors import ConvergekitError
from convergekit.events.calendar import Calendar, Weekday
from convergekit.funnels.result import Funnel
from convergekit.identity.options import StitchOptions
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

app = typer.Typer(
    name="convergekit",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
# Rich would make a picture of what stands between colons, as in urn:cookie:7f3a.
_out = PlainConsole(emoji=False)
_err = PlainConsole(stderr=True, emoji=False)
_TABLES = ("events", "profiles", "aliases", "duplicates", "rejected")
_CSV_FILES = tuple(f"{name}.csv" for name in _TABLES)
_SALT = "CONVERGEKIT_SALT"
_PURCHASE = ["PageView", "Added To Cart", "Placed Order"]


class Format(StrEnum):
    """File formats of the tables that `stitch` writes."""

    parquet = "parquet"
    csv = "csv"


Exports = Annotated[
    list[str],
    typer.Argument(
        metavar="EXPORT...", help="Files, folders, archives or patterns: JSON, CSV, Parquet."
    ),
]


Limits = Annotated[
    list[str] | None,
    typer.Option(
        "--limit",
        metavar="TYPE=N",
        help="Values of an alias type that a profile may have, such as customer_id=1; repeatable.",
    ),
]
Blocked = Annotated[
    list[str] | None,
    typer.Option(
        "--block",
        help="An alias (urn:type:value) or a placeholder value never to link by; repeatable.",
    ),
]


TimeZone = Annotated[
    str | None,
    typer.Option(help="Time zone of timestamps that name none, such as Europe/Brussels. [UTC]"),
]
ShopCalendar = Annotated[
    str | None,
    typer.Option(
        "--calendar",
        help="Time zone of the shop's days, weeks and months, such as Europe/Brussels. [UTC]",
    ),
]
WeekStarts = Annotated[
    str | None, typer.Option(help="The day on which a week begins, such as sunday. [monday]")
]
SaltFile = Annotated[
    Path | None,
    typer.Option(
        "--salt-file",
        help="A file with the secret that profile IDs depend on, else the environment variable "
        "CONVERGEKIT_SALT. [none]",
    ),
]
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
    _out.print("A coffee shop's browser, server and CRM exports, 28 days of 60 simulated people.")
    s = stitch(events)
    _print_summary(s)
    _print_campaigns(s)
    _print_funnel(s.funnel(_PURCHASE, within="7D"))


@app.command("stitch")
def stitch_command(
    exports: Exports,
    out: Annotated[Path, typer.Option(help="Directory for the tables.")],
    output_format: Annotated[
        Format, typer.Option("--format", help="Format of the tables.")
    ] = Format.parquet,
    force: Annotated[bool, typer.Option(help="Overwrite earlier tables.")] = False,
    limit: Limits = None,
    block: Blocked = None,
    column: Columns = None,
    constant: Constants = None,
    read_as: ReadAs = "auto",
    encoding: Encoding = None,
    day_first: DayFirst = None,
    amounts: Amounts = None,
    item: Items = None,
    item_key: ItemKeys = None,
    clock: Clocks = None,
    tz: TimeZone = None,
    calendar: ShopCalendar = None,
    week_starts: WeekStarts = None,
    salt_file: SaltFile = None,
    workdir: Workdir = None,
    memory: Memory = None,
) -> None:
    """Stitch exports into profiles and write events, profiles, aliases, duplicates, rejected."""
    refuse_to_write(out, force)
    files = _files(exports)
    _refuse_to_overwrite(files, out)
    reading = options_of(
        column, constant, read_as, clock, encoding, day_first, amounts, item, item_key
    )
    where = ByParts(workdir, memory)
    if where.asked and output_format is not Format.parquet:
        raise ConvergekitError(
            f"--format {output_format.value}: not with --workdir or --memory yet. Write Parquet."
        )
    days = Calendar.of(calendar, _day(week_starts))
    s = _stitched_somewhere(where, files, limit, block, reading, tz, _salt(salt_file), days)
    _print_summary(s)
    # No table of an earlier run stays beside the new ones.
    if not isinstance(s, Stitched):
        written = _write_parts(s, out, force)
    else:
        written = (_write_parquet if output_format is Format.parquet else _write_csv)(s, out, force)
    _out.print(f"Wrote {len(written)} files to {escape(visible(out))}.", soft_wrap=True)


@app.command("funnel")
def funnel_command(
    exports: Exports,
    step: Annotated[list[str], typer.Option(help="An event name; repeat for each step, in order.")],
    within: Annotated[str, typer.Option(help="Conversion window: 30min, 24h, 7D.")] = "7D",
    limit: Limits = None,
    block: Blocked = None,
    column: Columns = None,
    constant: Constants = None,
    read_as: ReadAs = "auto",
    encoding: Encoding = None,
    day_first: DayFirst = None,
    amounts: Amounts = None,
    item: Items = None,
    item_key: ItemKeys = None,
    clock: Clocks = None,
    tz: TimeZone = None,
    workdir: Workdir = None,
    memory: Memory = None,
) -> None:
    """Stitch exports and print how far profiles get along the steps."""
    parse_duration(within, name="--within")
    reading = options_of(
        column, constant, read_as, clock, encoding, day_first, amounts, item, item_key
    )
    where = ByParts(workdir, memory)
    s = _stitched_somewhere(where, _files(exports), limit, block, reading, tz)
    _out.print(escape(repr(s)), soft_wrap=True)
    with _remarks_told():
        found = s.funnel(step, within=within)
        _print_funnel(found)


@app.command("check")
def check_command(
    exports: Exports,
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
    column: Columns = None,
    constant: Constants = None,
    read_as: ReadAs = "auto",
    encoding: Encoding = None,
    day_first: DayFirst = None,
    amounts: Amounts = None,
    item: Items = None,
    item_key: ItemKeys = None,
    clock: Clocks = None,
    tz: TimeZone = None,
    calendar: ShopCalendar = None,
    workdir: Workdir = None,
    memory: Memory = None,
) -> None:
    """Audit the tracking of exports: list its faults by the money concerned.

    Exit code 0: nothing at or above --fail-on. 1: something. 2: it could not be checked.
    """
    with checked(_err):
        fails = failing(fail_on)
        reading = options_of(
            column, constant, read_as, clock, encoding, day_first, amounts, item, item_key
        )
        where = ByParts(workdir, memory)
        with _remarks_told():
            files = _files(exports)
            # The columns of a file that was read are named already.
            columns = (where.columns_of(reading) or None) if where.asked else None
            found = check_up(
                files if where.asked else read_events(files, **reading),
                conversion=conversion,
                value=value,
                currency=currency,
                columns=columns,
                tz=tz,
                calendar=calendar,
                workdir=where.workdir,
                memory=where.memory,
            )
    print_check_up(_out, found, output)
    if fails(found):
        raise typer.Exit(1)


@app.command("marketing")
def marketing_command(
    exports: Exports,
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
    rate: Rates = None,
    reconcile: Annotated[
        bool, typer.Option("--reconcile", help="Hold what platforms claim against the orders.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Directory for the tables, as CSV.")] = None,
    force: Annotated[bool, typer.Option(help="Overwrite earlier tables.")] = False,
    spend_currency: SpendCurrency = None,
    spend_column: SpendColumns = None,
    spend_encoding: SpendEncoding = None,
    spend_day_first: SpendDayFirst = None,
    spend_amounts: SpendAmounts = None,
    limit: Limits = None,
    block: Blocked = None,
    column: Columns = None,
    constant: Constants = None,
    read_as: ReadAs = "auto",
    encoding: Encoding = None,
    day_first: DayFirst = None,
    amounts: Amounts = None,
    item: Items = None,
    item_key: ItemKeys = None,
    clock: Clocks = None,
    tz: TimeZone = None,
    calendar: ShopCalendar = None,
    week_starts: WeekStarts = None,
) -> None:
    """Stitch exports and print what advertising cost and what it brought.

    With --out, all tables are written too: by period and channel, cohorts, pay-back, campaigns.
    """
    if out is not None:
        refuse_to_write(out, force)
    elif force:
        raise ConvergekitError("--force needs --out too.")
    told = SpendReading(
        spend, spend_currency, spend_column, rate, spend_encoding, spend_day_first, spend_amounts
    )
    reading = options_of(
        column, constant, read_as, clock, encoding, day_first, amounts, item, item_key
    )
    days = Calendar.of(calendar, _day(week_starts))
    with _remarks_told():
        costs = told.read()
    s = _stitched(_files(exports), limit, block, reading, tz, None, days)
    # Of orders without a currency, and of spend that is in one already, there is none to change.
    worth = told.worth() if currency is not None else None
    try:
        with _remarks_told(), _err.status("adding up"):
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
    _out.print(escape(repr(s)), soft_wrap=True)
    _out.print(escape(repr(costs)), soft_wrap=True)
    print_marketing(_out, found)
    if claims is not None:
        print_reconciliation(_out, claims)
    if out is not None:
        written = write_tables(out, force, costs, found, claims)
        _out.print()
        _out.print(f"Wrote {len(written)} files to {escape(visible(out))}.", soft_wrap=True)


@app.command("report")
def report_command(
    exports: Exports,
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
    rate: Rates = None,
    spend_currency: SpendCurrency = None,
    spend_column: SpendColumns = None,
    spend_encoding: SpendEncoding = None,
    spend_day_first: SpendDayFirst = None,
    spend_amounts: SpendAmounts = None,
    limit: Limits = None,
    block: Blocked = None,
    column: Columns = None,
    constant: Constants = None,
    read_as: ReadAs = "auto",
    encoding: Encoding = None,
    day_first: DayFirst = None,
    amounts: Amounts = None,
    item: Items = None,
    item_key: ItemKeys = None,
    clock: Clocks = None,
    tz: TimeZone = None,
    calendar: ShopCalendar = None,
    week_starts: WeekStarts = None,
    salt_file: SaltFile = None,
    workdir: Workdir = None,
    memory: Memory = None,
) -> None:
    """Stitch exports and write a report to send: one file of HTML, Excel or Markdown.

    Each answer has its finding, figure, tables, and the Python call that makes it.
    """
    parse_duration(within, name="--within")
    writer = writer_of(out, force)
    files = _files(exports)
    refuse_to_replace(out, [*find_files(files), *(find_files(spend) if spend else ())])
    reading = options_of(
        column, constant, read_as, clock, encoding, day_first, amounts, item, item_key
    )
    costs = None
    if spend:
        told = SpendReading(
            spend, spend_currency, spend_column, rate, spend_encoding, spend_day_first,
            spend_amounts,
        )  # fmt: skip
        with _remarks_told():
            costs = told.read()
    days = Calendar.of(calendar, _day(week_starts))
    where = ByParts(workdir, memory)
    s = _stitched_somewhere(where, files, limit, block, reading, tz, _salt(salt_file), days)
    try:
        with _remarks_told(), _err.status("writing"):
            write = getattr(s, writer)
            write(out, question, spend=costs, steps=step, within=within, by=by, overwrite=force)
    except ConvergekitError as error:
        raise ConvergekitError(of_report(str(error))) from None
    _out.print(escape(repr(s)), soft_wrap=True)
    _out.print(f"Wrote {escape(visible(out))}.", soft_wrap=True)


@app.command("add")
def add_command(
    exports: Exports,
    store: StorePath,
    limit: Limits = None,
    block: Blocked = None,
    column: Columns = None,
    constant: Constants = None,
    read_as: ReadAs = "auto",
    encoding: Encoding = None,
    day_first: DayFirst = None,
    amounts: Amounts = None,
    item: Items = None,
    item_key: ItemKeys = None,
    clock: Clocks = None,
    tz: TimeZone = None,
    calendar: ShopCalendar = None,
    week_starts: WeekStarts = None,
    salt_file: SaltFile = None,
) -> None:
    """Add exports to a store, and make it if needed; files added before are left out.

    --limit, --block, --tz, --calendar, --week-starts and the salt are recorded when it is made;
    how the files are read is not.
    """
    reading = options_of(
        column, constant, read_as, clock, encoding, day_first, amounts, item, item_key
    )
    limits = dict(map(_limit, limit or []))
    given: StoreOptions = {}
    if limits:
        given["limits"] = limits
    if block:
        given["block"] = block
    if tz is not None:
        given["tz"] = tz
    if calendar is not None:
        given["calendar"] = calendar
    if week_starts is not None:
        given["week_starts"] = Calendar.of(None, _day(week_starts)).week_starts
    salt = _salt(salt_file)
    if salt is not None:
        given["salt"] = salt
    # Before a store is made, whose options hold for good.
    files = _files(exports)
    find_files(files)
    opened = open_store(store, **given)
    with _remarks_told(), _err.status("adding"), _interruption_told():
        added = opened.add(files, **reading)
    _out.print(escape(repr(added)), highlight=False, soft_wrap=True)


@app.command("status")
def status_command(store: StorePath) -> None:
    """Print what a store holds."""
    shown = repr(existing_store(store).status())
    _out.print(escape(shown), highlight=False, soft_wrap=True)


@app.command("forget")
def forget_command(
    alias: Annotated[
        str, typer.Argument(metavar="ALIAS", help="A URN, as urn:email:ada@example.com, or an ID.")
    ],
    store: StorePath,
) -> None:
    """Delete a person (GDPR) from a store, and print how much was removed of what."""
    opened = existing_store(store)
    with _err.status("forgetting"), _interruption_told():
        removed = opened.forget(alias)
    _out.print(escape(str(removed)), highlight=False, soft_wrap=True)


@app.command("repair")
def repair_command(
    store: StorePath,
    leave_out_damaged: Annotated[
        bool, typer.Option("--leave-out-damaged", help="Go on without batches that are lost.")
    ] = False,
) -> None:
    """Read every file of a store, and rebuild what is missing or damaged."""
    with _err.status("repairing"), _interruption_told():
        repaired = repair_store(store, leave_out_damaged=leave_out_damaged)
    _out.print(escape(repr(repaired)), highlight=False, soft_wrap=True)


@contextlib.contextmanager
def _remarks_told() -> Iterator[None]:
    """Print the warnings of the library as notes, when its work is done."""
    with warnings.catch_warnings(record=True) as remarks:
        warnings.simplefilter("always")
        yield
    for remark in remarks:
        _err.print(f"[bold yellow]note:[/] {escape(str(remark.message))}", soft_wrap=True)


@contextlib.contextmanager
def _interruption_told() -> Iterator[None]:
    """Print whether anything was changed before Ctrl-C."""
    try:
        yield
    except KeyboardInterrupt as error:
        _err.print(f"interrupted: {escape(str(error))}", soft_wrap=True)
        raise typer.Exit(130) from None


def main() -> None:
    """Run the command line; bad input is one clear line and exit code 1, never a traceback."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What it has no letter for would end the command; stderr escapes it by itself.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        _refuse_unseen(sys.argv[1:])
        app()
    except (ConvergekitError, OSError) as error:
        _err.print(f"[bold red]error:[/] {escape(_one_line(error))}", soft_wrap=True)
        raise SystemExit(1) from None


def _refuse_unseen(arguments: list[str]) -> None:
    """Raise at what looks like an option and is a file's name: what reads options quotes it raw."""
    for argument in arguments:
        if argument.startswith("-") and visible(argument) != argument:
            raise ConvergekitError(
                f"{argument} is not an option; write ./ before a file's name that begins with -."
            )


def _stitched(
    files: list[str],
    limit: list[str] | None,
    block: list[str] | None,
    reading: dict[str, Any],
    tz: str | None,
    salt: bytes | None = None,
    calendar: Calendar | None = None,
) -> Stitched:
    limits = dict(map(_limit, limit or []))
    calendar = calendar or Calendar()
    with _remarks_told():
        events = read_events(files, **reading)
    with _err.status(f"stitching {counted(len(events), 'row')}"):
        return stitch(
            events,
            limits=limits,
            block=block or (),
            tz=tz,
            salt=salt,
            calendar=calendar.zone,
            week_starts=calendar.week_starts,
        )


def _stitched_somewhere(
    where: ByParts,
    files: list[str],
    limit: list[str] | None,
    block: list[str] | None,
    reading: dict[str, Any],
    tz: str | None,
    salt: bytes | None = None,
    calendar: Calendar | None = None,
) -> Stitched | StitchedParts:
    """Return exports stitched in memory, or by parts where that is asked for."""
    if not where.asked:
        return _stitched(files, limit, block, reading, tz, salt, calendar)
    from convergekit.parts.stitching import stitched_by_parts

    days = calendar or Calendar()
    options = StitchOptions.of(
        limits=dict(map(_limit, limit or [])),
        block=block or (),
        tz=tz,
        salt=salt,
        calendar=days.zone,
        week_starts=days.week_starts,
    )
    columns = where.columns_of(reading) or None
    with _remarks_told():
        return stitched_by_parts(files, options, columns, where.workdir, memory=where.memory)


def _day(week_starts: str | None) -> Weekday | None:
    """Return a day in small letters; `Calendar.of` refuses what is none."""
    return None if week_starts is None else cast("Weekday", week_starts.lower())


def _salt(file: Path | None) -> bytes | None:
    """Return the salt of a file or of the environment: all who list processes see the options.

    A file's byte order mark and last line break are not part of it.
    """
    if file is not None:
        name, salt = str(file), file.read_bytes().removeprefix(codecs.BOM_UTF8).rstrip(b"\r\n")
    elif _SALT in os.environ:
        name, salt = _SALT, os.fsencode(os.environ[_SALT])
    else:
        return None
    if not salt:
        raise ConvergekitError(f"{name} is empty; write a long random text into it as the salt.")
    return salt


def _files(exports: list[str]) -> list[str]:
    """Return the exports without directories, to which a shell expands `data/*` too."""
    files = [export for export in exports if not Path(export).is_dir()]
    for left_out in sorted(set(exports) - set(files)) if files else ():
        _err.print(
            f"[bold yellow]note:[/] {escape(visible(left_out))} is a directory: left out",
            soft_wrap=True,
        )
    return files or exports


def _limit(text: str) -> tuple[str, int]:
    alias_type, _, count = text.rpartition("=")
    if not alias_type or not count.isdecimal():
        raise ConvergekitError(
            f"--limit must be an alias type and a number, such as customer_id=1; got {text!r}."
        )
    return alias_type, int(count)


def _one_line(error: Exception) -> str:
    return in_options(" ".join(str(error).split()))


def _print_summary(s: Stitched | StitchedParts) -> None:
    _out.print()
    _out.print(escape(str(s.report)), highlight=False, soft_wrap=True)


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
    _out.print()
    _out.print(table)


def _print_funnel(funnel: Funnel) -> None:
    title = f"Funnel within {readable_duration(funnel.within)}"
    # Narrow enough for a terminal of 80 columns.
    table = Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    names = ("step", "profiles", "of first", "of prior", "drop-off", "in window", "median")
    for name in names:
        table.add_column(name, justify="left" if name == "step" else "right", no_wrap=True)
    for row in funnel.table.to_dict("records"):
        table.add_row(
            f"{row['step']}. {escape(visible(row['event_name']))}",
            f"{row['profiles']:,}",
            percentage(row["conversion"]),
            percentage(row["step_conversion"]),
            f"{row['drop_off']:,}",
            f"{row['in_window']:,}",
            readable_duration(row["median_time"]),
        )
    _out.print()
    _out.print(table)


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

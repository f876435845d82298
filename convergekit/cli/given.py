"""What every command takes that stitches exports: which files, how they are read and stitched.

A command whose first parameter is annotated with one of these classes has the fields of the class
as arguments and options; see `taking`.
"""

from __future__ import annotations

import codecs
import functools
import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, cast, get_type_hints

import typer

from convergekit.base.wording import counted
from convergekit.cli.console import ERRORS, note, remarks_told
from convergekit.cli.parts import ByParts, Memory, Workdir
from convergekit.cli.pipe import unpiped
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
    options_of,
)
from convergekit.errors import ConvergekitError
from convergekit.events.calendar import Calendar, Weekday
from convergekit.identity.alias_rules import Rule
from convergekit.identity.options import StitchOptions
from convergekit.identity.plugged import alias_rule
from convergekit.readers import read_events
from convergekit.stitched import Stitched
from convergekit.stitching import stitch
from convergekit.visible import visible

if TYPE_CHECKING:
    from convergekit.parts.result import StitchedParts

SALT = "CONVERGEKIT_SALT"

Exports = Annotated[
    list[str],
    typer.Argument(
        metavar="EXPORT...",
        help="Files, folders, archives or patterns: JSON, CSV, Parquet; - for what is piped in.",
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
Ruled = Annotated[
    list[str] | None,
    typer.Option(
        "--rule",
        metavar="TYPE=NAME",
        help="A plug-in's rule by which values of an alias type are compared; repeatable.",
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


@dataclass(frozen=True)
class ExportOptions:
    """Exports, and how they are read.

    Attributes
    ----------
    exports : list of str
        Files, without the directories to which a shell expands ``data/*`` too.
    column, constant, clock, item, item_key : list of str or None
    read_as : str
    encoding, amounts, tz : str or None
    day_first : bool or None
        As they were typed.
    """

    exports: Exports
    column: Columns = None
    constant: Constants = None
    read_as: ReadAs = "auto"
    encoding: Encoding = None
    day_first: DayFirst = None
    amounts: Amounts = None
    item: Items = None
    item_key: ItemKeys = None
    clock: Clocks = None
    tz: TimeZone = None

    def reading(self) -> dict[str, Any]:
        """Return the arguments of `read_events`.

        Raises
        ------
        ConvergekitError
            An option does not have the form that its help shows.
        """
        return options_of(
            self.column, self.constant, self.read_as, self.clock, self.encoding, self.day_first,
            self.amounts, self.item, self.item_key,
        )  # fmt: skip


@dataclass(frozen=True)
class LinkedOptions(ExportOptions):
    """Exports, and how they are read and linked.

    Attributes
    ----------
    limit, block : list of str or None
    calendar, week_starts : str or None
    salt_file : pathlib.Path or None
        As they were typed.
    """

    limit: Limits = None
    block: Blocked = None
    calendar: ShopCalendar = None
    week_starts: WeekStarts = None
    salt_file: SaltFile = None

    def limits(self) -> dict[str, int]:
        """Return what `--limit` says.

        Raises
        ------
        ConvergekitError
            One is not an alias type and a number.
        """
        return dict(map(_limit, self.limit or []))

    def days(self) -> Calendar:
        """Return the shop's calendar.

        Raises
        ------
        ConvergekitError
            A time zone or day is not known.
        """
        # `Calendar.of` refuses a text that is not a day.
        starts = None if self.week_starts is None else self.week_starts.lower()
        return Calendar.of(self.calendar, cast("Weekday | None", starts))

    def salt(self) -> bytes | None:
        """Return the salt of a file or of the environment: all who list processes see the options.

        A file's byte order mark and last line break are not part of it.

        Raises
        ------
        ConvergekitError
            It is empty.
        """
        if self.salt_file is not None:
            name = str(self.salt_file)
            salt = self.salt_file.read_bytes().removeprefix(codecs.BOM_UTF8).rstrip(b"\r\n")
        elif SALT in os.environ:
            name, salt = SALT, os.fsencode(os.environ[SALT])
        else:
            return None
        if not salt:
            raise ConvergekitError(
                f"{name} is empty; write a long random text into it as the salt."
            )
        return salt


@dataclass(frozen=True)
class StitchedOptions(LinkedOptions):
    """Exports, and how they are stitched: in memory, or by parts.

    Attributes
    ----------
    rule : list of str or None
    workdir : pathlib.Path or None
    memory : str or None
    """

    rule: Ruled = None
    workdir: Workdir = None
    memory: Memory = None

    @property
    def where(self) -> ByParts:
        """Whether they are stitched by parts, and where."""
        return ByParts(self.workdir, self.memory)

    def rules(self) -> dict[str, Rule]:
        """Return what `--rule` says.

        Raises
        ------
        ConvergekitError
            One is not an alias type and the name of a plug-in's rule.
        """
        return dict(map(_rule, self.rule or []))

    def stitched(self) -> Stitched | StitchedParts:
        """Return the exports stitched, in memory or by parts where that is asked for."""
        if self.where.asked:
            return self._by_parts()
        limits, days, salt, reading = self.limits(), self.days(), self.salt(), self.reading()
        rules = self.rules()
        with remarks_told():
            events = read_events(self.exports, **reading)
        with ERRORS.status(f"stitching {counted(len(events), 'row')}"):
            return stitch(
                events,
                limits=limits,
                block=self.block or (),
                rules=rules,
                tz=self.tz,
                salt=salt,
                calendar=days.zone,
                week_starts=days.week_starts,
            )

    def _by_parts(self) -> StitchedParts:
        from convergekit.parts.stitching import stitched_by_parts

        days, where = self.days(), self.where
        options = StitchOptions.of(
            limits=self.limits(),
            block=self.block or (),
            rules=self.rules(),
            tz=self.tz,
            salt=self.salt(),
            calendar=days.zone,
            week_starts=days.week_starts,
        )
        columns = where.columns_of(self.reading()) or None
        with remarks_told():
            return stitched_by_parts(
                self.exports, options, columns, where.workdir, memory=where.memory
            )


_Options = TypeVar("_Options", bound=ExportOptions)


def taking(options: type[_Options]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that lets a command take the fields of a class as its options.

    The command is called with an object of the class, and with its own parameters by name. Exports
    come first, then the command's own options, then those of the class, as help shows them.

    Parameters
    ----------
    options : type
        `ExportOptions`, or a class that extends it.
    """
    hints = get_type_hints(options, include_extras=True)
    shared = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=inspect.Parameter.empty if field.name == "exports" else field.default,
            annotation=hints[field.name],
        )
        for field in fields(options)
    ]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]

        @functools.wraps(command)
        def run(**said: Any) -> None:
            names = [field.name for field in fields(options) if field.name in said]
            given = options(**{name: said.pop(name) for name in names})
            with unpiped(_without_folders(given.exports)) as files:
                command(replace(given, exports=files), **said)

        # With a default or without: the order of help is not that which Python asks of functions.
        parameters = [shared[0], *own, *shared[1:]]
        run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]
        )
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        return run

    return decorate


def _without_folders(exports: list[str]) -> list[str]:
    """Return the exports without directories, to which a shell expands `data/*` too."""
    files = [export for export in exports if not Path(export).is_dir()]
    for left_out in sorted(set(exports) - set(files)) if files else ():
        note(f"{visible(left_out)} is a directory: left out")
    return files or exports


def _rule(text: str) -> tuple[str, Rule]:
    alias_type, _, name = text.rpartition("=")
    if not alias_type or not name:
        raise ConvergekitError(
            "--rule must be an alias type and the name of a plug-in's rule, such as "
            f"loyalty_card=till-card; got {text!r}."
        )
    return alias_type, alias_rule(name)


def _limit(text: str) -> tuple[str, int]:
    alias_type, _, count = text.rpartition("=")
    if not alias_type or not count.isdecimal():
        raise ConvergekitError(
            f"--limit must be an alias type and a number, such as customer_id=1; got {text!r}."
        )
    return alias_type, int(count)

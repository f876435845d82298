"""How a command hands out a table: printed, as CSV or JSON to be piped, or as a file."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from convergekit.base.durable import whole_file
from convergekit.base.durations import readable_duration
from convergekit.base.wording import counted, percentage
from convergekit.cli.console import ERRORS, OUT
from convergekit.cli.csv import inert
from convergekit.errors import ConvergekitError
from convergekit.visible import visible

#: As many rows as are printed of a long table.
MOST_ROWS = 50
#: Letters of a date.
_DATE = 10
_ENDINGS = (".csv", ".json", ".parquet")


class Printed(StrEnum):
    """What is printed: a table to read, or one for another program."""

    text = "text"
    csv = "csv"
    json = "json"


PrintedAs = Annotated[
    Printed,
    typer.Option("--format", help="What to print: a table to read, or for another program."),
]
OutFile = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write the table: .csv, .json or .parquet."),
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite an earlier file.")]


@dataclass(frozen=True)
class Handed:
    """How a table is handed out, as the options say.

    Attributes
    ----------
    printed : Printed
    out : pathlib.Path or None
    force : bool
    """

    printed: Printed
    out: Path | None
    force: bool

    def checked(self) -> Handed:
        """Return itself if the file may be written.

        Raises
        ------
        ConvergekitError
            Its name does not say what kind of file, or a file is there and may not be replaced.
        """
        if self.out is None:
            if self.force:
                raise ConvergekitError("--force needs --out too.")
            return self
        if self.out.suffix.lower() not in _ENDINGS:
            raise ConvergekitError(
                f"--out must end in .csv, .json or .parquet, such as table.csv; got "
                f"{str(self.out)!r}."
            )
        if self.out.is_dir():
            raise ConvergekitError(
                f"--out must name a file, such as table.csv; {self.out} is a directory."
            )
        if self.out.exists() and not self.force:
            raise ConvergekitError(
                f"{self.out} is there already; give another --out, or --force to overwrite."
            )
        return self

    def hand_out(self, table: pd.DataFrame, shown: Shown) -> None:
        """Print the table, and write it if that is asked for.

        Parameters
        ----------
        table : pandas.DataFrame
        shown : Shown
            How it is printed to be read.
        """
        if self.printed is Printed.text:
            shown.print(table, told_where=self.out is None)
        else:
            sys.stdout.write(_CODED[self.printed](table))
        if self.out is not None:
            with whole_file(self.out) as file:
                file.write(_contents(table, self.out.suffix.lower()))
            said = OUT if self.printed is Printed.text else ERRORS
            said.print(f"Wrote {escape(visible(self.out))}.", soft_wrap=True)


@dataclass(frozen=True)
class Shown:
    """How a table is printed to be read.

    Attributes
    ----------
    title : str
        What a row is, and of what the shares are.
    headings : dict of str
        The columns that are printed, each with its heading.
    names : tuple of str
        Those that name a row, which stand to the left.
    said : tuple of str
        Sentences below the table: what it says, and what it does not count.
    """

    title: str
    headings: dict[str, str]
    names: tuple[str, ...]
    said: tuple[str, ...] = field(default=())

    def print(self, table: pd.DataFrame, *, told_where: bool) -> None:
        """Print the first rows of a table.

        Parameters
        ----------
        table : pandas.DataFrame
        told_where : bool
            Whether to say how the other rows can be had.
        """
        columns = {name: head for name, head in self.headings.items() if name in table.columns}
        OUT.print()
        # A title of the table's own would be as narrow as the table.
        OUT.print(Text(visible(self.title), style="bold"), soft_wrap=True)
        rows = table[list(columns)].head(MOST_ROWS)
        print_whole(OUT, drawn(rows, columns, self.names, self._cell))
        if len(table) > MOST_ROWS:
            more = counted(len(table) - MOST_ROWS, "row")
            way = "; --out writes all" if told_where else ""
            OUT.print(Text(f"Not shown: {more}{way}.", style="dim"), soft_wrap=True)
        for sentence in self.said:
            OUT.print(Text(visible(sentence)), soft_wrap=True)

    def _cell(self, name: str, value: Any) -> str:
        """Return a cell; one that names a row is not empty."""
        return cell(name, value) or ("(none)" if name in self.names else "")


def drawn(
    rows: pd.DataFrame,
    headings: Mapping[str, str],
    names: Collection[str],
    cell: Callable[[str, Any], str],
) -> Table:
    """Return rows as a table for a terminal: names to the left, numbers to the right and whole.

    Parameters
    ----------
    rows : pandas.DataFrame
    headings : mapping of str to str
        That of each column.
    names : collection of str
        The columns that name a row. Where the terminal is narrow, these and headings break.
    cell : callable
        Takes a column's name and a value, and returns its text.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for name in rows.columns:
        named = name in names
        cells = [visible(cell(str(name), value)) for value in rows[name]]
        widest = max(map(len, (*cells, *headings[name].split())), default=0)
        table.add_column(
            escape(visible(headings[name])),
            justify="left" if named else "right",
            overflow="fold",
            # Rich would cut a number, or a date.
            min_width=min(widest, _DATE) if named else widest,
        )
    for row in rows.to_dict("records"):
        table.add_row(*(escape(visible(cell(str(name), row[name]))) for name in row))
    return table


def print_whole(out: Console, table: Table) -> None:
    """Print a table, as wide as its numbers where the terminal is narrower: rich would cut it.

    Parameters
    ----------
    out : rich.console.Console
    table : rich.table.Table
    """
    least = Measurement.get(out, out.options, table).minimum
    out.print(table, width=max(out.width, least), crop=False)


_SHARES = frozenset(
    {"conversion", "step_conversion", "conversion_at_window", "at_window_low", "at_window_high"}
)


def cell(name: str, value: Any) -> str:
    """Return a cell as people read it.

    Examples
    --------
    >>> cell("conversion", 0.256), cell("profiles", 1200), cell("value", 418.5)
    ('25.6%', '1,200', '418.50')
    """
    if isinstance(value, (list, dict, tuple)):
        return json.dumps(value, ensure_ascii=False, default=str)
    if pd.isna(value):
        return ""
    if isinstance(value, pd.Timedelta):
        return readable_duration(value)
    if isinstance(value, pd.Timestamp):
        midnight = value == value.normalize()
        return value.strftime("%Y-%m-%d" if midnight else "%Y-%m-%d %H:%M:%S")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        if name in _SHARES or name.startswith("share"):
            return percentage(value)
        return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"
    return str(value)


def coded(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table for other programs: durations in seconds, which the column's name says.

    Examples
    --------
    >>> coded(pd.DataFrame({"wait": pd.to_timedelta(["90s"])}))
       wait_seconds
    0          90.0
    """
    found = pd.DataFrame(table).copy()
    for name in found.columns:
        if pd.api.types.is_timedelta64_dtype(found[name].dtype):
            found[name] = found[name].dt.total_seconds()
            found = found.rename(columns={name: f"{name}_seconds"})
    return found


def _csv(table: pd.DataFrame) -> str:
    return str(inert(coded(table)).to_csv(index=False, lineterminator="\n"))


def _json(table: pd.DataFrame) -> str:
    rows = coded(table).to_json(
        orient="records", date_format="iso", date_unit="us", double_precision=15, force_ascii=False
    )
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in json.loads(rows))
    return f"[\n{lines}\n]\n" if lines else "[]\n"


_CODED = {Printed.csv: _csv, Printed.json: _json}


def _contents(table: pd.DataFrame, ending: str) -> bytes:
    if ending == ".parquet":
        written: bytes = pd.DataFrame(table).to_parquet(index=False)
        return written
    if ending == ".csv":
        # A text is quoted where it holds a character of the line's end.
        text = inert(coded(table)).to_csv(index=False, lineterminator="\r\n")
        return str(text).encode()
    return _json(table).encode()

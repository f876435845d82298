"""What an answer is, for a program: its numbers with what they are of, as JSON.

Every answer has it from `Described`, which reads the public attributes that answers have in common.
A class says only what of its numbers is a share, and of what.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, TypedDict, TypeVar

import numpy as np
import pandas as pd

from convergekit.errors import ConvergekitError
from convergekit.figures.calls import KeepsCalls

#: So many rows of each table a description has, unless more are asked for.
MOST_ROWS = 200
#: Attributes that are sentences about an answer.
_NOTES = ("reasons", "notes", "remarks", "warnings", "not_checked", "grouped_by")
#: Columns that lie between 0 and 1 and are not a share of anything.
PROBABILITIES = frozenset({"p_value", "p_adjusted", "adjusted", "adjusted_p_value", "mismatch"})


class DescribedColumn(TypedDict):
    """A column of a table.

    Attributes
    ----------
    name : str
    kind : str
        ``"count"``, ``"share"`` (from 0 to 1), ``"probability"``, ``"number"``, ``"seconds"`` (a
        duration), ``"time"``, ``"flag"`` or ``"text"``.
    of : str or None
        What a share, or a count, is of: another column of the table, or one of `numbers`.
    """

    name: str
    kind: str
    of: str | None


class DescribedTable(TypedDict):
    """A table of an answer.

    Attributes
    ----------
    name : str
        The attribute that holds it.
    columns : list of DescribedColumn
    rows : list of list
        Its first rows; missing values are None.
    rows_in_all : int
        How many it has.
    """

    name: str
    columns: list[DescribedColumn]
    rows: list[list[Any]]
    rows_in_all: int


class DescribedNumber(TypedDict):
    """A number that stands for itself.

    Attributes
    ----------
    name : str
    value : int, float or None
    kind : str
        As `DescribedColumn` has it.
    of : str or None
        What it is a part of: another of the numbers.
    """

    name: str
    value: float | None
    kind: str
    of: str | None


class LeftOut(TypedDict):
    """What is not counted.

    Attributes
    ----------
    what : str
        What it is, and why it is left out.
    number : int
    """

    what: str
    number: int


class Description(TypedDict):
    """An answer as plain values, ready for JSON.

    Attributes
    ----------
    kind : str
        The class of the answer.
    says : str
        The answer in one line.
    finding : str
        What it shows in one sentence; "" where it has none.
    call : str or None
        The Python code that gives the answer again, of the Stitched `s` and of `ck`, the package;
        what has no code, such as a frame, is called as its parameter. None if it is not known.
    asked : dict
        What was asked: names, durations in seconds.
    numbers : list of DescribedNumber
    tables : list of DescribedTable
    left_out : list of LeftOut
    assumptions : list of str
    assumptions_counted : int
    notes : list of str
    """

    kind: str
    says: str
    finding: str
    call: str | None
    asked: dict[str, Any]
    numbers: list[DescribedNumber]
    tables: list[DescribedTable]
    left_out: list[LeftOut]
    assumptions: list[str]
    assumptions_counted: int
    notes: list[str]


class Described(KeepsCalls):
    """An answer that describes itself for a program."""

    #: Per column or number that is a share, what it is of.
    _shares: ClassVar[Mapping[str, str]] = {}
    #: The attributes that are its tables.
    _table_names: ClassVar[tuple[str, ...]] = ("summary", "table")

    def describe(self, *, most_rows: int = MOST_ROWS) -> Description:
        """Return the answer as plain values, ready for JSON.

        It has the numbers with what they are of, what is left out, the assumptions, and the call
        that repeats the answer. [For machines](../machines.md) explains it.

        Parameters
        ----------
        most_rows : int, default 200
            Of each table.

        Returns
        -------
        Description

        Raises
        ------
        ConvergekitError
            `most_rows` is not a whole number from 0.

        Examples
        --------
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store().events)
        >>> found = s.funnel(["PageView", "Placed Order"], within="7D").describe()
        >>> found["call"], found["numbers"][0]["value"], found["numbers"][1]["value"]
        ("s.funnel(['PageView', 'Placed Order'], within='7D')", 60, 19)
        """
        whole = isinstance(most_rows, int) and not isinstance(most_rows, bool) and most_rows >= 0
        if not whole:
            raise ConvergekitError(f"most_rows must be a whole number from 0; got {most_rows!r}.")
        assumptions = [str(one) for one in getattr(self, "assumptions", ())]
        return Description(
            kind=type(self).__name__,
            says=self._described_line(),
            finding=self._described_finding(),
            call=self._call,
            asked=self._described_asked(),
            numbers=[self._number(name, one) for name, one in self._described_numbers().items()],
            tables=[
                described_table(name, table, self._shares, most_rows)
                for name, table in self._described_tables().items()
            ],
            left_out=[
                LeftOut(what=str(what), number=int(number))
                for what, number in self._described_left_out().items()
                if number
            ],
            assumptions=assumptions,
            assumptions_counted=len(assumptions),
            notes=list(self._described_notes()),
        )

    def _described_line(self) -> str:
        return repr(self)

    def _described_finding(self) -> str:
        """Return what it shows in one sentence."""
        said = getattr(self, "finding", None)
        if isinstance(said, str):
            return said
        plot = getattr(self, "plot", None)
        return "" if plot is None else self._finding_of(plot)

    @staticmethod
    def _finding_of(plot: Callable[[], Any]) -> str:
        try:
            return str(getattr(plot(), "finding", ""))
        except ConvergekitError:
            # What has no rows has no figure.
            return ""

    def _described_asked(self) -> dict[str, Any]:
        """Return what was asked: public fields that are names or durations."""
        return {
            name: plain(value)
            for name, value in _fields(self)
            if isinstance(value, (str, pd.Timedelta, pd.Timestamp))
            or (_is_names(value) and name not in (*_NOTES, "assumptions"))
        }

    def _described_numbers(self) -> dict[str, Any]:
        """Return the numbers that stand for themselves: public fields."""
        return {
            name: value
            for name, value in _fields(self)
            if isinstance(value, (int, float, np.number))
            and not isinstance(value, bool)
            and name != "left_out"
        }

    def _number(self, name: str, value: Any) -> DescribedNumber:
        of = self._shares.get(name)
        return DescribedNumber(name=name, value=plain(value), kind=_kind_of(name, value, of), of=of)

    def _described_tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables by name."""
        names = (name for name in self._table_names if hasattr(self, name))
        return {name: getattr(self, name) for name in names}

    def _described_left_out(self) -> dict[str, int]:
        found = getattr(self, "left_out", {})
        return dict(found) if isinstance(found, Mapping) else {"left out": int(found)}

    def _described_notes(self) -> Iterable[str]:
        for name in _NOTES:
            said = getattr(self, name, ())
            if isinstance(said, Mapping):
                yield from (f"{what}: {number:,}" for what, number in said.items())
            elif not isinstance(said, pd.DataFrame):
                yield from ([said] if isinstance(said, str) and said else map(str, said))


class DescribedFrame(Described):
    """A DataFrame that is an answer, and describes itself."""

    def _described_line(self) -> str:
        rows, columns = getattr(self, "shape", (0, 0))
        return f"a table of {rows:,} rows and {columns:,} columns"

    def _described_finding(self) -> str:
        # `plot` is that of pandas, unless a figure is known.
        return ""

    def _described_tables(self) -> dict[str, pd.DataFrame]:
        return {"table": pd.DataFrame(self)}

    def _described_asked(self) -> dict[str, Any]:
        return {}

    def _described_numbers(self) -> dict[str, Any]:
        found: dict[str, Any] = self._told().get("numbers", {})
        return found

    def _described_left_out(self) -> dict[str, int]:
        found: dict[str, int] = self._told().get("left_out", {})
        return found

    def _described_notes(self) -> Iterable[str]:
        found: list[str] = self._told().get("notes", [])
        return found

    def _told(self) -> dict[str, Any]:
        """Return what the frame knows besides its rows."""
        return dict(getattr(self, "attrs", {}))


Frame = TypeVar("Frame", bound=DescribedFrame)


def with_shares(frame: Frame, shares: Mapping[str, str]) -> Frame:
    """Let a frame know, per column that is a share, what it is of; and return it."""
    object.__setattr__(frame, "_shares", dict(shares))
    return frame


def described_table(
    name: str, table: pd.DataFrame, shares: Mapping[str, str], most_rows: int = MOST_ROWS
) -> DescribedTable:
    """Return a table as plain values.

    Parameters
    ----------
    name : str
    table : pandas.DataFrame
    shares : mapping of str to str
        Per column that is a share, what it is of.
    most_rows : int

    Examples
    --------
    >>> found = pd.DataFrame({"day": [pd.NaT], "share": [0.5], "profiles": [2]})
    >>> described_table("found", found, {"share": "profiles"})["rows"]
    [[None, 0.5, 2]]
    """
    shown = pd.DataFrame(table).head(most_rows)
    columns = [
        DescribedColumn(
            name=str(column),
            kind=_kind(str(column), table[column], shares.get(str(column))),
            of=shares.get(str(column)),
        )
        for column in table.columns
    ]
    cells = [[plain(cell) for cell in shown[column].tolist()] for column in shown.columns]
    rows = [list(row) for row in zip(*cells, strict=True)]
    return DescribedTable(name=name, columns=columns, rows=rows, rows_in_all=len(table))


def plain(value: Any) -> Any:
    """Return a value in JSON's own types: durations in seconds, times as ISO 8601, no NaN.

    Examples
    --------
    >>> plain([pd.Timedelta("1min"), float("nan"), pd.Timestamp("2026-03-02", tz="UTC")])
    [60.0, None, '2026-03-02T00:00:00+00:00']
    """
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, np.generic) and not isinstance(value, (np.datetime64, np.timedelta64)):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple, np.ndarray, pd.Series)):
        return [plain(one) for one in value]
    if pd.isna(value):
        return None
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, datetime.date):
        return value.isoformat()
    return str(value)


def to_json(description: Mapping[str, Any]) -> str:
    """Return a description as JSON text, always the same for the same answer."""
    return json.dumps(description, ensure_ascii=False, allow_nan=False)


def _kind(name: str, column: pd.Series, of: str | None) -> str:
    if of is not None and not pd.api.types.is_integer_dtype(column.dtype):
        return "share"
    if pd.api.types.is_bool_dtype(column.dtype):
        return "flag"
    if pd.api.types.is_timedelta64_dtype(column.dtype):
        return "seconds"
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return "time"
    if pd.api.types.is_integer_dtype(column.dtype):
        return "count"
    if pd.api.types.is_float_dtype(column.dtype):
        return "probability" if name in PROBABILITIES else "number"
    return "text"


def _kind_of(name: str, value: Any, of: str | None) -> str:
    if of is not None and not isinstance(value, (int, np.integer)):
        return "share"
    if name in PROBABILITIES:
        return "probability"
    return "count" if isinstance(value, (int, np.integer)) else "number"


def _fields(answer: object) -> list[tuple[str, Any]]:
    if not dataclasses.is_dataclass(answer):
        return []
    names = [field.name for field in dataclasses.fields(answer)]
    return [(name, getattr(answer, name)) for name in names if not name.startswith("_")]


def _is_names(value: Any) -> bool:
    listed = isinstance(value, (list, tuple)) and len(value) > 0
    return listed and all(isinstance(one, str) for one in value)

"""CSV for spreadsheets: text that a spreadsheet would run as a formula is marked as text.

An event name or a form's field may read ``=HYPERLINK("https://…"&A1)``. Opened in a spreadsheet it
would be a formula, with the other cells at hand. So a text that begins as a formula does gets an
apostrophe before it, as OWASP's page on CSV injection advises. Numbers stay as they are, and so do
texts that are nothing but a number, such as ``+32475123456``: as formulas they are that number.

In many countries spreadsheets split at semicolons or tabs, and see quotes only where a cell of
theirs begins: ``x;=1+1`` would be two cells, in quotes or not, and so would what follows a line
break. Within a text the apostrophe stands after these, whatever follows the sign.
"""

from __future__ import annotations

import re
from numbers import Number
from pathlib import Path
from typing import Any

import pandas as pd

from convergekit.events.arrow import objects_of

# The last four are full-width signs, which some spreadsheets take for the plain ones.
_SIGNS = "=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20"
_FORMULA = re.compile(f"[{_SIGNS}]")
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
#: After what a cell may begin, though not of a file split at commas. Quotes may surround a cell.
_WITHIN = re.compile(f'([;\t\r\n])(?=[ "]*[{_SIGNS}])')
_SUSPECT = f'^[{_SIGNS}]|[;\t\r\n][ "]*[{_SIGNS}]'


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV that is safe to open in a spreadsheet.

    Parameters
    ----------
    table : pandas.DataFrame
        Its index is left out.
    path : pathlib.Path
        The file to write.
    """
    # A text is quoted where it holds a character of the line's end. Without "\r" there, a
    # carriage return in a text would begin a row, and what follows it a cell.
    inert(table).to_csv(path, index=False, lineterminator="\r\n")


def inert(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with an apostrophe before each text, or heading, that begins as a formula.

    Examples
    --------
    >>> inert(pd.DataFrame({"price": [-3.5, 2, 1, 0], "name": ["=1+1", "-3", "a=b", "a;=b"]}))
       price   name
    0   -3.5  '=1+1
    1    2.0     -3
    2    1.0    a=b
    3    0.0  a;'=b
    """
    columns = [_inert_column(table.iloc[:, place]) for place in range(table.shape[1])]
    if columns:
        # Split at semicolons, a row's first cell goes on with its second: "-3,1+A1".
        columns[0] = _inert_column(table.iloc[:, 0], numbers=False)
    shown = pd.concat(columns, axis="columns") if columns else table.copy()
    return shown.set_axis([_inert_cell(name) for name in table.columns], axis="columns")


def _inert_column(column: pd.Series, *, numbers: bool = True) -> pd.Series:
    dtype = column.dtype
    if dtype == "str":
        if not column.str.contains(_SUSPECT, na=False).any():
            return column
    elif not _may_hold_text(dtype):
        return column
    cells = objects_of(column)
    return cells.map(lambda cell: _inert_cell(cell, numbers=numbers), na_action="ignore")


def _may_hold_text(dtype: Any) -> bool:
    """Return whether it is not a dtype of numbers, times or truths."""
    number = pd.api.types.is_numeric_dtype(dtype) and not isinstance(dtype, pd.CategoricalDtype)
    return not (number or getattr(dtype, "kind", "O") in "mM")


def _inert_cell(cell: Any, *, numbers: bool = True) -> Any:
    if isinstance(cell, Number):
        return cell
    # As pandas writes it: texts inside lists and objects are part of their cell.
    text = cell if isinstance(cell, str) else str(cell)
    shown = _WITHIN.sub(r"\1'", text)
    if _FORMULA.match(text) and not (numbers and _NUMBER.fullmatch(text)):
        shown = "'" + shown
    return cell if shown == text else shown

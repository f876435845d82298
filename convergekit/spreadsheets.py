"""CSV for spreadsheets: text that a spreadsheet would run as a formula is marked as text.

An event name or a form's field may read ``=HYPERLINK("https://…"&A1)``. Opened in a spreadsheet it
would be a formula, with the other cells at hand. So a text that begins as a formula does gets an
apostrophe before it, as OWASP's page on CSV injection advises. Numbers stay as they are, and so do
texts that are nothing but a number, such as ``+32475123456``: as formulas they are that number.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

# The last four are full-width signs, which some spreadsheets take for the plain ones.
_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")


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
    >>> inert(pd.DataFrame({"name": ["=1+1", "-3", "a=b"], "price": [-3.5, 2, 1]}))
        name  price
    0  '=1+1   -3.5
    1     -3    2.0
    2    a=b    1.0
    """
    columns = [_inert_column(table.iloc[:, place]) for place in range(table.shape[1])]
    shown = pd.concat(columns, axis="columns") if columns else table.copy()
    return shown.set_axis([_inert_cell(name) for name in table.columns], axis="columns")


def _inert_column(column: pd.Series) -> pd.Series:
    dtype = column.dtype
    if dtype == "str":
        if not column.str.startswith(_SIGNS, na=False).any():
            return column
    elif not _may_hold_text(dtype):
        return column
    return column.astype(object).map(_inert_cell, na_action="ignore")


def _may_hold_text(dtype: Any) -> bool:
    """Return whether it is no dtype of numbers, times or truths."""
    return (
        dtype == object
        or isinstance(dtype, pd.CategoricalDtype)
        or pd.api.types.is_string_dtype(dtype)
    )


def _inert_cell(cell: Any) -> Any:
    if isinstance(cell, str) and cell.startswith(_SIGNS) and not _NUMBER.fullmatch(cell):
        return "'" + cell
    return cell

"""Infer the types of a CSV file's columns, where all cells agree and nothing is lost."""

from __future__ import annotations

from typing import Any

import pandas as pd

from convergekit.base.bounds import of_column
from convergekit.base.json_text import NestingError, read_json
from convergekit.base.threads import with_columns
from convergekit.events.canonical import noted
from convergekit.events.schema import ALIAS, PROFILE_PROPERTY, PROPERTY

_NUMBER = r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?"


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Give a CSV's properties their types; a cell of JSON that is nested too deep is an error.

    Examples
    --------
    >>> frame = pd.DataFrame({"properties.items": ["[1]", "[" * 200 + "]" * 200]})
    >>> found = typed(frame)
    >>> found["properties.items"].tolist()
    [[1], None]
    >>> found["read_error"].tolist()
    [nan, 'properties.items: nested more than 100 levels deep']
    """
    columns: dict[str, pd.Series] = {}
    reasons: dict[int, str] = {}
    for name, column in frame.items():
        columns[str(name)], deep = _typed_cells(column)
        reasons |= dict.fromkeys(deep, of_column(name))
    return noted(with_columns(frame, columns), reasons)


def _typed_cells(column: pd.Series) -> tuple[pd.Series, list[int]]:
    """Return the cells with their type, where every cell says the same and nothing is lost.

    Positions of cells that are nested too deep come with it, for these are left out.
    """
    name = str(column.name)
    cells = column.dropna()
    if column.dtype != "str" or cells.empty:
        return column, []
    if name == "event_id" or name.startswith(ALIAS):
        # Of whole numbers with a gap, as pandas writes them. Cell by cell, for another file of the
        # same export may hold the texts that stand beside them.
        return column.str.replace(r"^(\d+)\.0$", r"\1", regex=True), []
    if not name.startswith((PROPERTY, PROFILE_PROPERTY)):
        return column, []
    if cells.str.fullmatch(_NUMBER).all():
        return _numbers(column, cells), []
    if cells.str.casefold().isin({"true", "false"}).all():
        return (column.str.casefold() == "true").astype("boolean").mask(column.isna()), []
    if cells.str.startswith(("{", "[")).all():
        return _objects(column)
    return column, []


def _objects(column: pd.Series) -> tuple[pd.Series, list[int]]:
    values: list[Any] = [None] * len(column)
    deep = []
    for row, cell in enumerate(column.to_numpy(dtype=object, na_value=None)):
        try:
            values[row] = None if cell is None else read_json(cell)
        except NestingError:
            deep.append(row)
        except ValueError:
            return column, []
    return pd.Series(values, index=column.index, dtype=object), deep


def _numbers(column: pd.Series, cells: pd.Series) -> pd.Series:
    if cells.str.fullmatch(r"-?\d{1,18}").all():
        return column.astype("Int64") if len(cells) < len(column) else column.astype("int64")
    digits = cells.str.replace(r"[eE].*|\D", "", regex=True).str.lstrip("0").str.len()
    # A float keeps 15 digits; a longer number is an identifier, and stays text.
    return column.astype("float64") if (digits <= 15).all() else column

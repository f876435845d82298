"""The types that a CSV file's cells have, where every cell says the same and nothing is lost."""

from __future__ import annotations

import pandas as pd

from convergekit.events import ALIAS, PROFILE_PROPERTY, PROPERTY
from convergekit.json_text import read_json

_NUMBER = r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?"


def typed_cells(column: pd.Series) -> pd.Series:
    """Give a CSV's property its type, where every cell says the same and nothing is lost."""
    name = str(column.name)
    cells = column.dropna()
    if column.dtype != "str" or cells.empty:
        return column
    if name == "event_id" or name.startswith(ALIAS):
        # A column of whole numbers with a gap, as pandas writes it.
        floats = cells.str.fullmatch(r"\d+\.0").all()
        return column.str.removesuffix(".0") if floats else column
    if not name.startswith((PROPERTY, PROFILE_PROPERTY)):
        return column
    if cells.str.fullmatch(_NUMBER).all():
        return _numbers(column, cells)
    if cells.str.casefold().isin({"true", "false"}).all():
        return (column.str.casefold() == "true").astype("boolean").mask(column.isna())
    if cells.str.startswith(("{", "[")).all():
        try:
            decoded = {row: read_json(cell) for row, cell in cells.items()}
        except (ValueError, RecursionError):
            return column
        values = [decoded.get(row) for row in column.index]
        return pd.Series(values, index=column.index, dtype=object)
    return column


def _numbers(column: pd.Series, cells: pd.Series) -> pd.Series:
    if cells.str.fullmatch(r"-?\d{1,18}").all():
        return column.astype("Int64") if len(cells) < len(column) else column.astype("int64")
    digits = cells.str.replace(r"[eE].*|\D", "", regex=True).str.lstrip("0").str.len()
    # A float keeps 15 digits; a longer number is an identifier, and stays text.
    return column.astype("float64") if (digits <= 15).all() else column

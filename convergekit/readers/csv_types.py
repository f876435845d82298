"""Infer the types of a CSV file's columns, where all cells agree and nothing is lost."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from convergekit.base.bounds import of_column
from convergekit.base.json_text import NestingError, read_json
from convergekit.base.threads import with_columns
from convergekit.events.canonical import noted
from convergekit.events.currencies import THREE_DECIMALS, currencies_at, currency_columns
from convergekit.events.money import THOUSAND_OR_NOT, are_thousands_or_decimals
from convergekit.events.normalise import READ_AMOUNTS
from convergekit.events.schema import ALIAS, PROFILE_PROPERTY, PROPERTY
from convergekit.readers.concatenate import concatenate
from convergekit.typing import BoolArray, IntArray

_NUMBER = r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?"
_MARK = "[.,]"
#: The words in the name of a property of money.
_OF_MONEY = frozenset(
    {"amount", "cost", "discount", "fee", "price", "refund", "revenue", "sales", "shipping"}
    | {"subtotal", "sum", "tax", "total", "value"}
)
#: What all cells of a file's column are.
_NOTHING, _WHOLE, _NUMBERS, _BOOLEANS, _JSON, _TEXT = range(6)


def typed(frame: pd.DataFrame, starts: Sequence[int] | IntArray = (0,)) -> pd.DataFrame:
    """Give a CSV's properties their types; a cell of JSON that is nested too deep is an error.

    Parameters
    ----------
    frame : pandas.DataFrame
        Money of which nothing says whether ``1.234`` is a thousand, by
        `are_thousands_or_decimals`, stays text; but in a currency that has three decimals it is
        a number.
    starts : sequence of int, default (0,)
        Where the rows of each file begin, if there are several: each has types of its own, and
        they are put together as `concatenate` does.

    Examples
    --------
    >>> frame = pd.DataFrame({"properties.items": ["[1]", "[" * 200 + "]" * 200]})
    >>> found = typed(frame)
    >>> found["properties.items"].tolist()
    [[1], None]
    >>> found["read_error"].tolist()
    [nan, 'properties.items: nested more than 100 levels deep']
    >>> typed(pd.DataFrame({"properties.n": ["1", "2", "a"]}), [0, 2])["properties.n"].tolist()
    [1, 2, 'a']
    >>> typed(pd.DataFrame({"properties.total": ["1.234", "2.500"]}))["properties.total"].tolist()
    ['1.234', '2.500']
    """
    columns: dict[str, pd.Series] = {}
    reasons: dict[int, str] = {}
    said: list[pd.Series] = []
    for name, column in frame.items():
        unsure = _unsure(frame, str(name), starts)
        columns[str(name)], deep = _typed_cells(column, np.asarray(starts), unsure)
        reasons |= dict.fromkeys(deep, of_column(name))
        if unsure.any():
            rows = np.repeat(unsure, np.diff([*starts, len(column)]))
            said.append(pd.Series(name, frame.index).where(rows & column.str.contains(_MARK)))
    if said:
        columns[READ_AMOUNTS] = _lines(said)
    return noted(with_columns(frame, columns), reasons)


def _lines(said: Sequence[pd.Series]) -> pd.Series:
    """Return what is said of each row, each in a line of its own; missing where that is nothing."""
    every = pd.concat(said, axis="columns")
    texts = every.apply(lambda row: "\n".join(row.dropna()), axis="columns")
    return texts.mask(texts == "").astype("str")


def _unsure(frame: pd.DataFrame, name: str, starts: Sequence[int] | IntArray) -> BoolArray:
    """Return of which files a column of money may be in thousands, or have three decimals.

    These stay text: a number would be wrong by a factor of 1,000 in one of the two.
    """
    unsure = np.zeros(len(starts), dtype=bool)
    column = frame[name]
    words = re.split("[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())
    if column.dtype != "str" or not len(column) or _OF_MONEY.isdisjoint(words):
        return unsure
    if not column.str.fullmatch(THOUSAND_OR_NOT).any():
        return unsure
    codes = currencies_at(frame, np.arange(len(frame)), currency_columns(frame))
    texts = column.mask(codes.isin(THREE_DECIMALS).to_numpy())
    ends = [*list(starts)[1:], len(column)]
    for file, (start, end) in enumerate(zip(starts, ends, strict=True)):
        unsure[file] = are_thousands_or_decimals(texts.iloc[start:end])
    return unsure


def _typed_cells(
    column: pd.Series, starts: IntArray, unsure: BoolArray
) -> tuple[pd.Series, list[int]]:
    """Return the cells with their type, where every cell says the same and nothing is lost.

    Positions of cells that are nested too deep come with it, for these are left out.
    """
    name = str(column.name)
    if column.dtype != "str" or not len(column):
        return column, []
    if name == "event_id" or name.startswith(ALIAS):
        # Of whole numbers with a gap, as pandas writes them. Cell by cell, for another file of the
        # same export may hold the texts that stand beside them.
        return column.str.replace(r"^(\d+)\.0$", r"\1", regex=True), []
    if not name.startswith((PROPERTY, PROFILE_PROPERTY)):
        return column, []
    kinds = _kinds(column, starts)
    kinds[unsure] = _TEXT
    alike = np.unique(kinds[kinds != _NOTHING])
    if len(alike) < 2:
        return _of_kind(column, int(alike[0]) if len(alike) else _NOTHING)
    kind_of = np.repeat(kinds, np.diff([*starts, len(column)]))
    pieces: list[pd.DataFrame] = []
    places: list[IntArray] = []
    deep: list[int] = []
    for kind in np.unique(kinds).tolist():
        rows = np.flatnonzero(kind_of == kind)
        piece, of_piece = _of_kind(column.iloc[rows].reset_index(drop=True), kind)
        pieces.append(piece.to_frame(name))
        places.append(rows)
        deep += rows[of_piece].tolist()
    order = np.argsort(np.concatenate(places))
    return concatenate(pieces)[name].iloc[order].set_axis(column.index), sorted(deep)


def _kinds(column: pd.Series, starts: IntArray) -> IntArray:
    """Return for each file what all of its cells are."""
    gaps = column.isna().to_numpy()

    def all_are(cells: BoolArray) -> BoolArray:
        return np.logical_and.reduceat(cells | gaps, starts)

    nothing = all_are(gaps)
    kinds = np.where(nothing, _NOTHING, _TEXT)
    numbers = ~nothing & all_are(column.str.fullmatch(_NUMBER).to_numpy(dtype=bool))
    if numbers.any():
        whole = all_are(column.str.fullmatch(r"-?\d{1,18}").to_numpy(dtype=bool))
        kinds[numbers & whole] = _WHOLE
        if (numbers & ~whole).any():
            digits = column.str.replace(r"[eE].*|\D", "", regex=True).str.lstrip("0").str.len()
            # A float keeps 15 digits; a longer number is an identifier, and stays text.
            kinds[numbers & ~whole & all_are((digits <= 15).to_numpy(dtype=bool))] = _NUMBERS
    left = ~nothing & ~numbers
    if left.any():
        booleans = left & all_are(column.str.casefold().isin({"true", "false"}).to_numpy())
        kinds[booleans] = _BOOLEANS
        left &= ~booleans
    if left.any():
        left &= all_are(column.str.startswith(("{", "[")).to_numpy(dtype=bool))
        kinds[left] = _JSON
    if left.any() and len(starts) > 1:
        ends = [*starts[1:].tolist(), len(column)]
        for file in np.flatnonzero(left).tolist():
            if _objects(column.iloc[starts[file] : ends[file]])[0].dtype == "str":
                kinds[file] = _TEXT
    return kinds


def _of_kind(column: pd.Series, kind: int) -> tuple[pd.Series, list[int]]:
    """Return cells of which all are of a kind in its type, and those that are nested too deep."""
    if kind == _WHOLE:
        return column.astype("Int64" if column.hasnans else "int64"), []
    if kind == _NUMBERS:
        return column.astype("float64"), []
    if kind == _BOOLEANS:
        return (column.str.casefold() == "true").astype("boolean").mask(column.isna()), []
    return _objects(column) if kind == _JSON else (column, [])


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

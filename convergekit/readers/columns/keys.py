"""Fields that know a way by whole columns to what they say row by row.

A column lacks what an object has: whether a key is absent or null. Where that matters, because
one object is laid over another, the few rows in question are looked at one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from convergekit.base.records import column_from_values, take_or_missing
from convergekit.typing import BoolArray, IntArray

if TYPE_CHECKING:
    from convergekit.readers.fields import Rows, Values


@dataclass(frozen=True)
class Keys:
    """Objects, one a row, as a column per key.

    Attributes
    ----------
    columns : dict of str to pandas.Series
        In the order in which the keys first come.
    first : function
        From a key to the first row that has it, whatever its value there.
    are_null : function
        From a key and rows to which of these rows have the key with the value null.
    """

    columns: dict[str, pd.Series]
    first: Callable[[str], int]
    are_null: Callable[[str, IntArray], BoolArray]

    @classmethod
    def none(cls) -> Keys:
        """Return objects without any key."""
        return cls({}, lambda name: 0, lambda name, rows: np.zeros(len(rows), dtype=bool))

    def without(self, *names: str) -> Keys:
        """Return the objects without some of their keys."""
        kept = {name: column for name, column in self.columns.items() if name not in names}
        return Keys(kept, self.first, self.are_null)

    def renamed(self, names: Mapping[str, str]) -> Keys | None:
        """Return the objects with some of their keys renamed, None if two of them become one."""
        own = {names.get(name, name): name for name in self.columns}
        if len(own) < len(self.columns):
            return None
        return Keys(
            {name: self.columns[theirs] for name, theirs in own.items()},
            lambda name: self.first(own[name]),
            lambda name, rows: self.are_null(own[name], rows),
        )

    def picked(self, names: Mapping[str, str]) -> Keys | None:
        """Return the objects with these keys alone, renamed and in this order in each of them."""
        if len(set(names.values())) < len(names):
            return None
        found = Keys(
            {name: self.columns[name] for name in names if name in self.columns},
            self.first,
            self.are_null,
        ).renamed(names)
        if found is None or len(found.columns) < 2:
            return found
        # Sorting is stable: what comes in one row first is in the order of the names.
        order = sorted(found.columns, key=found.first)
        return Keys({name: found.columns[name] for name in order}, found.first, found.are_null)

    def over(self, under: Keys) -> Keys | None:
        """Return these objects laid over others: of a key that both have, theirs is not seen.

        None where the values of a key are of different kinds.
        """
        if not self.columns or not under.columns:
            return self if self.columns else under
        places: dict[str, tuple[int, int, int]] = {}
        for layer, keys in enumerate((under, self)):
            for place, name in enumerate(keys.columns):
                found = (keys.first(name), layer, place)
                places[name] = min(places.get(name, found), found)
        columns: dict[str, pd.Series] = {}
        for name in sorted(places, key=places.__getitem__):
            mine, theirs = self.columns.get(name), under.columns.get(name)
            if mine is not None and theirs is not None:
                rows = np.flatnonzero(mine.isna() & theirs.notna())
                hidden = rows[self.are_null(name, rows)]
                if len(hidden):
                    seen = np.arange(len(theirs))
                    seen[hidden] = -1
                    theirs = take_or_missing(theirs, seen)
                mine = filled_alike(mine, theirs)
                if mine is None:
                    return None
            columns[name] = mine if mine is not None else under.columns[name]

        def first(name: str) -> int:
            return places[name][0]

        def are_null(name: str, rows: IntArray) -> BoolArray:
            if name not in self.columns:
                return under.are_null(name, rows)
            null = self.are_null(name, rows)
            if name in under.columns:
                absent = self.columns[name].isna().to_numpy()[rows] & ~null
                null |= absent & under.are_null(name, rows)
            return null

        return Keys(columns, first, are_null)


@dataclass(frozen=True)
class ColumnField:
    """A field of which the values may come as a column.

    Attributes
    ----------
    by_row : function
        From the rows to one value per row, None where there is none.
    column : function
        From the rows to the same values as a column, or to None where the rows have to be looked
        at one by one.
    """

    by_row: Callable[[Rows], Values]
    column: Callable[[Rows], pd.Series | None]

    def __call__(self, rows: Rows) -> Values:
        """Return one value per row."""
        return self.by_row(rows)


@dataclass(frozen=True)
class ObjectField:
    """A field of objects, of which the keys may come as columns.

    Attributes
    ----------
    by_row : function
        From the rows to one object per row.
    keys : function
        From the rows to the same objects as columns, or to None where the rows have to be looked
        at one by one.
    """

    by_row: Callable[[Rows], list[dict[str, Any]]]
    keys: Callable[[Rows], Keys | None]

    def __call__(self, rows: Rows) -> list[dict[str, Any]]:
        """Return one object per row."""
        return self.by_row(rows)


def filled(column: pd.Series, other: pd.Series) -> pd.Series:
    """Return the column with its gaps filled from the other.

    Examples
    --------
    >>> filled(pd.Series(["a", None], dtype="str"), pd.Series(["b", "c"], dtype="str")).tolist()
    ['a', 'c']
    """
    found = filled_alike(column, other)
    if found is not None:
        return found
    pairs: list[tuple[Any, Any, bool]] = list(zip(column, other, column.isna(), strict=True))
    values = [second if gap else first for first, second, gap in pairs]
    return column_from_values(
        [None if pd.api.types.is_scalar(v) and pd.isna(v) else v for v in values]
    )


def filled_alike(column: pd.Series, other: pd.Series) -> pd.Series | None:
    """Return the column with its gaps filled from the other, None if that mixes kinds of values.

    Examples
    --------
    >>> filled_alike(pd.Series([1, None], dtype="Int64"), pd.Series([2, 3])).tolist()
    [1, 3]
    >>> filled_alike(pd.Series([1, None], dtype="Int64"), pd.Series(["a", "b"])) is None
    True
    """
    gaps = column.isna()
    if not gaps.any():
        return column
    kind, other_kind = str(column.dtype), str(other.dtype)
    if gaps.all() and other_kind in _WITH_GAPS:
        return other
    if kind in _WITH_GAPS and not other[gaps.to_numpy()].notna().any():
        return column
    if column.dtype == other.dtype and kind not in _WITHOUT_GAPS:
        return column.where(~gaps, other)
    nullable = _WITH_GAPS.get(kind)
    if nullable is None or nullable != _WITH_GAPS.get(other_kind):
        return None
    return without_gaps(column.where(~gaps, other.astype(nullable)))


def without_gaps(column: pd.Series) -> pd.Series:
    """Return a column in the type that `column_from_values` gives it if nothing is missing.

    Examples
    --------
    >>> without_gaps(pd.Series([1, 2], dtype="Int64")).dtype
    dtype('int64')
    """
    full = _WITHOUT_GAPS.get(str(column.dtype))
    return column if full is None or column.isna().any() else column.astype(full)


#: The types of a column of values, and what each is where some are missing.
_WITH_GAPS = {
    "str": "str",
    "float64": "float64",
    "int64": "Int64",
    "Int64": "Int64",
    "bool": "boolean",
    "boolean": "boolean",
}
_WITHOUT_GAPS = {"Int64": "int64", "boolean": "bool"}

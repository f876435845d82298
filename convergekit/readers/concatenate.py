"""Frames one below the other: batches of a file, and files."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from convergekit.base.records import MANY_COLUMNS, column_from_values
from convergekit.events.arrow import LISTS_OF_TEXT, objects_of
from convergekit.events.normalise import SAID_BY_READERS
from convergekit.events.shapes import READ_SHAPES

_LAST = ("file", "line", "read_error", *SAID_BY_READERS, READ_SHAPES)
_NULLABLE = {
    "bool": "boolean",
    **{
        f"{sign}int{bits}": f"{sign.upper()}Int{bits}"
        for sign in ("", "u")
        for bits in (8, 16, 32, 64)
    },
}
_OF_ONE_KIND = ("str", "int64", "float64", "bool")
_GAPLESS = {nullable: dtype for dtype, nullable in _NULLABLE.items()}


def concatenate(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of all parts; a column keeps its type where a part lacks it.

    The list is emptied: a column leaves its part as soon as it is joined, so that little is held
    twice.

    Examples
    --------
    >>> parts = [pd.DataFrame({"id": [9007199254740993]}), pd.DataFrame({"name": ["a"]})]
    >>> concatenate(parts).dtypes.to_dict()
    {'id': Int64Dtype(), 'name': <StringDtype(na_value=nan)>}
    """
    if len(parts) == 1:
        return parts.pop()
    sizes = [len(part) for part in parts]
    names = _in_order(parts)
    left = [dict(part.items()) for part in parts]
    parts.clear()
    return pd.DataFrame(
        {name: _joined([part.pop(name, None) for part in left], sizes) for name in names},
        copy=len(names) > MANY_COLUMNS,
    )


def _in_order(parts: Sequence[pd.DataFrame]) -> list[str]:
    """Return all columns as they first come, those of one kind (``properties.``) together."""
    kinds: dict[str, dict[str, None]] = {}
    for part in parts:
        for name in part.columns:
            kind, dot, _ = name.partition(".")
            kinds.setdefault(kind + dot, {})[name] = None
    names = [name for kind in kinds.values() for name in kind]
    return [n for n in names if n not in _LAST] + [n for n in _LAST if n in names]


def _joined(columns: list[pd.Series | None], sizes: list[int]) -> pd.Series:
    first = columns[0]
    if first is not None and first.dtype in _OF_ONE_KIND:
        # Most columns are of one type in every part, which nothing has to be looked up for.
        whole = [column for column in columns if column is not None and column.dtype == first.dtype]
        if len(whole) == len(columns) and any(bool(column.notna().any()) for column in whole):
            columns.clear()
            return pd.concat(whole, ignore_index=True)
    says = [column is not None and bool(column.notna().any()) for column in columns]
    dtypes = {str(c.dtype) for c, s in zip(columns, says, strict=True) if c is not None and s}
    common = {_NULLABLE.get(dtype, dtype) for dtype in dtypes}
    dtype = next(iter(common)) if len(common) == 1 else "object"
    # pandas does not know Arrow's lists by name.
    known = LISTS_OF_TEXT if dtype == str(LISTS_OF_TEXT) else dtype
    pieces = []
    for place, size in enumerate(sizes):
        column, columns[place] = columns[place], None
        pieces.append(_piece(column if says[place] else None, size, known))
    joined = pd.concat(pieces, ignore_index=True)
    if len(common) > 1 and all(map(_is_number, dtypes)):
        return column_from_values([None if pd.isna(v) else v for v in joined.tolist()])
    if dtype in _GAPLESS and not joined.isna().any():
        return joined.astype(_GAPLESS[dtype])
    return joined


def _piece(column: pd.Series | None, size: int, dtype: str | pd.ArrowDtype) -> pd.Series:
    if column is None:
        empty = [None] * size if dtype == "object" else None
        return pd.Series(empty, index=pd.RangeIndex(size), dtype=dtype)
    if dtype == "object":
        return objects_of(column).where(column.notna(), None)
    return column.astype(dtype)


def _is_number(dtype: str) -> bool:
    return dtype.lower().startswith(("int", "uint", "float"))

"""Columns from records (dictionaries), losing nothing.

`pandas.DataFrame(records)` turns integers with a gap into floats, so a 19-digit order ID
comes back wrong. Here a column keeps what its values are: integers stay integers (nullable
where a row lacks the key), booleans stay booleans, text becomes pandas' ``str``, and a column
that mixes types, or holds lists and dictionaries, stays a column of Python objects.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from convergekit.base.compiled import compiled
from convergekit.base.text import arrow_array
from convergekit.typing import IntArray

_INT64 = np.iinfo(np.int64)
#: Pandas warns whoever adds a column to a frame of more numbers in a block each. A frame of more
#: columns is copied into few blocks before it is handed out.
MANY_COLUMNS = 100
#: Where records lack more than all but one in so many keys, only what is there is looked at.
_SPARSE = 20


def frame_from_records(records: Sequence[Mapping[str, Any] | None]) -> pd.DataFrame:
    """Return one row per record and one column per key, in the order keys first appear.

    Parameters
    ----------
    records : sequence of mapping or None
        A record of None gives a row of missing values.

    Returns
    -------
    pandas.DataFrame
        With a fresh 0-based index; a key that a record lacks is missing there.

    Examples
    --------
    >>> frame = frame_from_records([{"id": 9007199254740993, "ok": True}, {"ok": None}, None])
    >>> [(name, str(column.dtype)) for name, column in frame.items()]
    [('id', 'Int64'), ('ok', 'boolean')]
    >>> int(frame["id"].iloc[0])
    9007199254740993
    """
    objects = [{} if record is None else record for record in records]
    keys = dict.fromkeys(itertools.chain.from_iterable(objects))
    names = {key: _clean(str(key)) for key in keys}
    sizes = sum(map(len, objects))
    if len(set(names.values())) == len(names) and len(keys) * len(objects) <= _SPARSE * sizes:
        columns = {names[key]: [record.get(key) for record in objects] for key in keys}
    else:
        columns = {name: [None] * len(objects) for name in names.values()}
        for row, record in enumerate(objects):
            for key, value in record.items():
                columns[names[key]][row] = value
    return pd.DataFrame(
        {name: column_from_values(values) for name, values in columns.items()},
        index=pd.RangeIndex(len(objects)),
    )


def column_from_values(values: Iterable[Any]) -> pd.Series:
    """Return the values as a Series of the narrowest dtype that keeps every one of them.

    Examples
    --------
    >>> column_from_values(["a", None]).dtype
    <StringDtype(na_value=nan)>
    >>> column_from_values([1, "a", None]).tolist()
    [1, 'a', None]
    >>> column_from_values([1, 2.5, None]).dtype
    dtype('float64')
    """
    values = list(values)
    kinds = set(map(type, values))
    gaps = type(None) in kinds
    kinds.discard(type(None))
    if not kinds:
        return pd.Series(values, dtype=object)
    if kinds == {str}:
        return _text(values)
    if kinds == {bool}:
        return pd.Series(values, dtype="boolean" if gaps else "bool")
    if kinds == {int} and _fit(values if not gaps else [v for v in values if v is not None]):
        return pd.Series(values, dtype="Int64" if gaps else "int64")
    if kinds <= {int, float} and float in kinds and all(map(_exact_as_float, values)):
        return pd.Series([math.nan if v is None else v for v in values], dtype="float64")
    return pd.Series(values, dtype=object)


def _fit(values: list[int]) -> bool:
    return _INT64.min <= min(values) and max(values) <= _INT64.max


def take_or_missing(values: pd.Series, positions: IntArray) -> pd.Series:
    """Return the values at the positions, missing at -1; integers and booleans stay what they are.

    Examples
    --------
    >>> take_or_missing(pd.Series([3, 4]), np.array([1, -1])).tolist()
    [4, <NA>]
    """
    if values.dtype == "str":
        return pd.Series(_take_text(values, positions), dtype="str")
    gaps = bool((positions < 0).any())
    if gaps and isinstance(values.dtype, np.dtype) and values.dtype.kind in "iub":
        nullable = {"i": "Int", "u": "UInt", "b": "boolean"}[values.dtype.kind]
        bits = "" if values.dtype.kind == "b" else str(values.dtype.itemsize * 8)
        values = values.astype(f"{nullable}{bits}")
    if values.dtype == object:
        cells = np.append(values.to_numpy(), [None])
        return pd.Series(cells[positions], dtype=object)
    return pd.Series(values.array.take(positions, allow_fill=gaps), copy=False)


def _take_text(values: pd.Series, positions: IntArray) -> pa.Array:
    cells = pa.array(values, from_pandas=True)
    if len(cells) < len(positions) and isinstance(cells, pa.LargeStringArray):
        found = _take_of_one_size(cells, positions)
        if found is not None:
            return found
    if compiled(len(positions)):
        from convergekit.base.compiled_gather import gather

        return gather(arrow_array(cells), positions)
    return cells.take(pa.array(positions, mask=positions < 0))


def _take_of_one_size(
    texts: pa.LargeStringArray, positions: IntArray
) -> pa.LargeStringArray | None:
    """Return the texts at the positions if all are of one size, as profile IDs are; else None.

    Rows of a table of bytes are fetched several times as fast as texts of any size.
    """
    if texts.null_count or not len(texts) or (positions < 0).any():
        return None
    _, offsets, data = texts.buffers()
    ends = np.frombuffer(offsets, dtype=np.int64)[texts.offset :][: len(texts) + 1]
    size = int(ends[1] - ends[0])
    if not size or (np.diff(ends) != size).any():
        return None
    rows = np.frombuffer(data, dtype=np.uint8)[ends[0] : ends[-1]].reshape(-1, size)
    found = rows.take(positions, axis=0).reshape(-1)
    ends = np.arange(len(positions) + 1, dtype=np.int64) * size
    return pa.LargeStringArray.from_buffers(len(positions), pa.py_buffer(ends), pa.py_buffer(found))


def _text(values: list[str | None]) -> pd.Series:
    try:
        return pd.Series(pa.array(values, type=pa.large_string()), dtype="str")
    except UnicodeEncodeError:
        # Half of a surrogate pair (an emoji cut in two) has no UTF-8 form: show where it was.
        return pd.Series([v if v is None else _clean(v) for v in values], dtype="str")


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _exact_as_float(value: int | float | None) -> bool:
    return value is None or isinstance(value, float) or abs(value) <= 2**53

"""Cells of any column as the store's file keeps them, and back.

A column of an export may hold texts in one batch and numbers in the next. Each kind of value has
a column of its own in the file, of which a row fills one at most, so that every value comes back
as it went, and no batch has ever to be written again for the sake of a later one. Lists,
dictionaries and mixtures are kept as JSON, with tags where one holds what JSON has no form for (a
date, a decimal, a set). Times are kept in UTC, to the microsecond.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.base.records import column_from_values, take_or_missing
from convergekit.base.tagged_json import TAG, from_json, to_json
from convergekit.events.arrow import objects_of, series_from_arrow

TEXT = "text"
INTEGER = "integer"
NUMBER = "number"
BOOLEAN = "boolean"
TIME = "time"
NAIVE_TIME = "time without zone"
JSON = "json"
TAGGED = "json with tags"

#: How DuckDB calls the type of each kind.
DUCKDB_TYPES = {
    TEXT: "VARCHAR",
    INTEGER: "BIGINT",
    NUMBER: "DOUBLE",
    BOOLEAN: "BOOLEAN",
    TIME: "TIMESTAMP",
    NAIVE_TIME: "TIMESTAMP",
    JSON: "VARCHAR",
    TAGGED: "VARCHAR",
}
_LARGEST = np.iinfo(np.int64).max


def encode(column: pd.Series) -> tuple[str, pa.Array] | None:
    """Return a column's kind and its cells, or None if it holds nothing.

    Parameters
    ----------
    column : pandas.Series

    Examples
    --------
    >>> encode(pd.Series([1, None], dtype="Int64"))[0]
    'integer'
    >>> encode(pd.Series([["a"], 1], dtype=object))[1].to_pylist()
    ['["a"]', '1']
    """
    if not column.notna().any():
        return None
    dtype = column.dtype
    if dtype == "str":
        return TEXT, _contiguous(pa.array(column, from_pandas=True), pa.large_string())
    if dtype == object:
        return _encode_objects(column)
    if isinstance(dtype, pd.ArrowDtype) and pa.types.is_timestamp(dtype.pyarrow_dtype):
        return encode(pa.array(column, from_pandas=True).to_pandas())
    if isinstance(dtype, pd.CategoricalDtype):
        codes = column.cat.codes.to_numpy(dtype=np.int64)
        return encode(take_or_missing(pd.Series(dtype.categories), codes))
    if pd.api.types.is_bool_dtype(dtype):
        return BOOLEAN, _contiguous(pa.array(column, from_pandas=True), pa.bool_())
    if pd.api.types.is_integer_dtype(dtype) and column.max() <= _LARGEST:
        return INTEGER, _contiguous(pa.array(column, from_pandas=True), pa.int64())
    if pd.api.types.is_float_dtype(dtype):
        return NUMBER, _contiguous(pa.array(column, from_pandas=True), pa.float64())
    if pd.api.types.is_datetime64_any_dtype(dtype) and not isinstance(dtype, pd.ArrowDtype):
        zoned = column.dt.tz is not None
        utc = column.dt.tz_convert("UTC").dt.tz_localize(None) if zoned else column
        cells = pa.array(utc.dt.as_unit("us"), from_pandas=True)
        return (TIME if zoned else NAIVE_TIME), _contiguous(cells, pa.timestamp("us"))
    cells = [None if _is_missing(cell) else cell for cell in objects_of(column)]
    return _encode_objects(pd.Series(cells, dtype=object))


def decode(parts: Mapping[str, pa.ChunkedArray], size: int) -> pd.Series:
    """Return a column as `read_events` would have given it for all batches at once.

    Parameters
    ----------
    parts : mapping of str to pyarrow.ChunkedArray
        The cells of each kind that the column has in the file; none where nothing was in it.
    size : int
        The number of rows.

    Examples
    --------
    >>> both = {"integer": pa.chunked_array([[1, None]]), "text": pa.chunked_array([[None, "a"]])}
    >>> decode(both, 2).tolist()
    [1, 'a']
    """
    columns = {kind: _decode_kind(kind, cells) for kind, cells in parts.items()}
    if not columns:
        return pd.Series(index=pd.RangeIndex(size), dtype="str")
    if len(columns) == 1:
        return next(iter(columns.values()))
    united = np.full(size, None, dtype=object)
    for column in columns.values():
        filled = column.notna().to_numpy(dtype=bool)
        united[filled] = column[filled].astype(object).to_numpy()
    if set(columns) <= {INTEGER, NUMBER}:
        return column_from_values(united.tolist())
    return pd.Series(united, dtype=object)


def content_hash(size: int, names: Iterable[str], encoded: Mapping[str, tuple[str, Any]]) -> str:
    """Return the SHA-256 of a frame's names and cells.

    Parameters
    ----------
    size : int
        The number of rows.
    names : iterable of str
        The names of all columns.
    encoded : mapping of str to (str, pyarrow.Array)
        What `encode` returned for the columns that hold something.
    """
    digest = hashlib.sha256(json.dumps([size, list(names)]).encode())
    whole = pa.array(np.arange(size))
    for name, (kind, cells) in encoded.items():
        digest.update(json.dumps([name, kind]).encode())
        # What stands in memory for a missing cell is not defined.
        filled = pc.fill_null(cells, pa.scalar(_FILL[kind], cells.type))
        # Taken again, because a part of a frame holds on to the rows around it.
        columns = {"missing": cells.is_null(), "cells": filled}
        table = pa.table({name: column.take(whole) for name, column in columns.items()})
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
        digest.update(sink.getvalue())
    return digest.hexdigest()


_FILL: dict[str, Any] = {
    TEXT: "",
    INTEGER: 0,
    NUMBER: 0.0,
    BOOLEAN: False,
    TIME: 0,
    NAIVE_TIME: 0,
    JSON: "",
    TAGGED: "",
}


def _contiguous(cells: pa.Array | pa.ChunkedArray, kind: pa.DataType) -> pa.Array:
    if isinstance(cells, pa.ChunkedArray):
        cells = cells.combine_chunks()
    return cells if cells.type == kind else cells.cast(kind)


def _encode_objects(column: pd.Series) -> tuple[str, pa.Array] | None:
    """Return objects as what they all are, or as JSON."""
    cells = [None if _is_missing(cell) else cell for cell in column]
    narrow = column_from_values(cells)
    if narrow.dtype != object:
        return encode(narrow)
    texts = [None if cell is None else to_json(cell) for cell in cells]
    plain = not any(text is not None and TAG in text for text in texts)
    return (JSON if plain else TAGGED), pa.array(texts, type=pa.large_string())


def _decode_kind(kind: str, cells: pa.ChunkedArray) -> pd.Series:
    if kind in (JSON, TAGGED):
        read = json.loads if kind == JSON else from_json
        values = [None if cell is None else read(cell) for cell in cells.to_pylist()]
        return pd.Series(values, index=pd.RangeIndex(len(values)), dtype=object)
    column = series_from_arrow(cells)
    return column.dt.tz_localize("UTC") if kind == TIME else column


def _is_missing(cell: Any) -> bool:
    return pd.api.types.is_scalar(cell) and bool(pd.isna(cell))

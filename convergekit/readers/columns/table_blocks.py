"""Batches of Parquet as columns: objects stay Arrow's where they say what JSON can say.

A key of an object that is there is always there, and null where it has no value.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from convergekit.base.records import column_from_values, take_or_missing
from convergekit.events.arrow import lists_of_text
from convergekit.readers.columns.json_blocks import JsonBlock, Path, has_unusual, is_plain
from convergekit.typing import BoolArray, IntArray

_WITH_GAPS = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}


class TableBlock(JsonBlock):
    """Rows of a table in which objects are Arrow's, asked for as lines of JSON are.

    `of` makes it.
    """

    of_lines = False

    def __init__(self, batch: pa.RecordBatch, cells: pa.StructArray) -> None:
        super().__init__(cells, [b""] * len(cells), {})
        self._batch = batch

    @classmethod
    def of(cls, batch: pa.RecordBatch) -> TableBlock | None:
        """Return a batch as a block; None without objects, or with other values than JSON has.

        Examples
        --------
        >>> batch = pa.RecordBatch.from_pylist([{"user": {"n": 1}}, {"user": None}])
        >>> TableBlock.of(batch).cells(("user", "n")), TableBlock.of(batch.select([])) is None
        ([1, None], True)
        """
        nested = [column for column in batch.columns if pa.types.is_nested(column.type)]
        if not any(_has_objects(column.type) for column in nested):
            return None
        kinds = [_widened(field.type) for field in batch.schema]
        if None in kinds:
            return None
        try:
            columns = [
                column if column.type == kind else column.cast(kind)
                for column, kind in zip(batch.columns, kinds, strict=True)
            ]
            for column in columns:
                # Text may be none in a damaged file, and NaN is none in JSON.
                column.validate(full=True)
                if pa.types.is_nested(column.type) and has_unusual(column):
                    return None
        except pa.ArrowException:
            return None
        return cls(batch, pa.StructArray.from_arrays(columns, batch.schema.names))

    def first(self, path: Path) -> int:
        """Return the first row that has the object with the key at the end of a path."""
        there = self._has_key(path)
        return int(there.argmax()) if there.any() else len(self)

    def are_null(self, path: Path, rows: IntArray) -> BoolArray:
        """Return in which of some rows the object is there, and the value at the path is not."""
        found = self.array(path)
        there = self._has_key(path)[rows]
        return there if found is None else there & np.asarray(found.is_null())[rows]

    def _has_key(self, path: Path) -> BoolArray:
        outer = self.array(path[:-1])
        if outer is None or self.array(path) is None:
            return np.zeros(len(self), dtype=bool)
        return np.asarray(outer.is_valid())

    @property
    def says_null(self) -> IntArray:
        """All rows: what is missing in an object is null."""
        return np.arange(len(self))

    def column(self, path: Path) -> pd.Series | None:
        """Return the values at a path as a column, None if they are objects or lists."""
        found = self.array(path)
        if len(path) > 1 or found is None or pa.types.is_nested(found.type):
            return super().column(path)
        return frame_column(self._batch.column(path[0]))

    def cells(self, path: Path) -> list[Any]:
        """Return the values at a path as Python's, None where there is none."""
        found = self.array(path)
        if found is None:
            return [None] * len(self)
        if len(path) > 1 or pa.types.is_nested(found.type):
            return found.to_pylist()
        column = frame_column(self._batch.column(path[0]))
        return column.astype(object).where(column.notna(), None).tolist()

    def cells_of(self, path: Path, rows: IntArray) -> list[Any]:
        """Return the values at a path of some rows."""
        found = self.array(path)
        return [None] * len(rows) if found is None else found.take(pa.array(rows)).to_pylist()

    def taken(self, rows: IntArray) -> pd.DataFrame:
        """Return some of the rows as a frame of all of them has these."""
        columns = {}
        for name, column in zip(self.names, self._batch.columns, strict=True):
            if pa.types.is_nested(column.type):
                columns[name] = frame_column(column.take(pa.array(rows)))
            else:
                columns[name] = take_or_missing(frame_column(column), rows)
        return pd.DataFrame(columns, index=pd.RangeIndex(len(rows)))

    def frame(self) -> pd.DataFrame:
        """Return all rows as a frame."""
        return frame_of_batch(self._batch)

    def head(self, rows: int) -> pd.DataFrame:
        """Return so many of the first rows."""
        return frame_of_batch(self._batch.slice(0, rows))


def frame_of_batch(batch: pa.RecordBatch) -> pd.DataFrame:
    """Return the rows of an Arrow batch, losing no whole number and no nested value."""
    return pd.DataFrame(
        {name: frame_column(batch.column(name)) for name in batch.schema.names},
        index=pd.RangeIndex(batch.num_rows),
    )


def frame_column(column: pa.Array) -> pd.Series:
    """Return a column of an Arrow batch as one of a frame.

    Examples
    --------
    >>> frame_column(pa.array([9007199254740993, None])).tolist()
    [9007199254740993, <NA>]
    """
    kind = column.type
    nested = pa.types.is_nested(kind) or pa.types.is_dictionary(kind)
    whole_with_gaps = column.null_count and (pa.types.is_integer(kind) or pa.types.is_boolean(kind))
    lists = lists_of_text(pa.chunked_array([column])) if pa.types.is_nested(kind) else None
    if lists is not None:
        return pd.Series(lists, dtype=object)
    if whole_with_gaps and kind != pa.uint64() and column.null_count < len(column):
        wide = column.cast(pa.int64()) if pa.types.is_integer(kind) else column
        return wide.to_pandas(types_mapper=_WITH_GAPS.get)
    if nested or whole_with_gaps:
        with warnings.catch_warnings():
            # Of a key that occurs twice in an object, the last counts, as in JSON.
            warnings.filterwarnings("ignore", "Encountered key", UserWarning)
            return column_from_values(column.to_pylist(maps_as_pydicts="lossy"))
    return column.to_pandas().set_axis(pd.RangeIndex(len(column)))


def _has_objects(kind: pa.DataType) -> bool:
    while pa.types.is_list(kind) or pa.types.is_large_list(kind):
        kind = kind.value_type
    return bool(pa.types.is_struct(kind))


def _widened(kind: pa.DataType, *, within: bool = False) -> pa.DataType | None:
    """Return the type that holds the values as JSON does; None of other values than JSON has."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        inner = _widened(kind.value_type, within=True)
        return None if inner is None else pa.list_(inner)
    if pa.types.is_struct(kind):
        names = [field.name for field in kind]
        types = [_widened(field.type, within=True) for field in kind]
        if None in types or len(set(names)) < len(names):
            return None
        return pa.struct(list(zip(names, types, strict=True)))
    if pa.types.is_integer(kind):
        return None if kind == pa.uint64() else pa.int64()
    if pa.types.is_floating(kind):
        return pa.float64()
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pa.large_string()
    if is_plain(kind) or (pa.types.is_timestamp(kind) and not within):
        return kind
    return None

"""DataFrames of Spark: what is needed of one, and its batches as blocks of rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.errors import ColumnError
from convergekit.parts.rows import ROW
from convergekit.typing import IntArray

_WHOLE = ("tinyint", "smallint", "int", "bigint")
_ADVICE = (
    "A Spark DataFrame has no order of rows, and of two events of one time the first to arrive "
    "counts: number the rows in a column of integers."
)


def is_of_spark(events: Any) -> bool:
    """Return whether this is a DataFrame of Spark.

    Examples
    --------
    >>> is_of_spark(pa.table({}))
    False
    """
    return any(kind.__module__.startswith("pyspark.sql") for kind in type(events).__mro__)


def refuse_unnumbered(frame: Any) -> None:
    """Raise unless a DataFrame has a column `row` of integers.

    Raises
    ------
    ColumnError
    """
    kinds = [kind for name, kind in frame.dtypes if name == ROW]
    if not kinds:
        raise ColumnError(f"no column `{ROW}`. {_ADVICE}")
    if kinds[0] not in _WHOLE:
        raise ColumnError(f"column `{ROW}` is {kinds[0]}, and must be integers. {_ADVICE}")


def told_by(frame: Any) -> dict[str, str]:
    """Return what tells a DataFrame from another: its columns, and the files that it reads."""
    files = "\n".join(sorted(frame.inputFiles()))
    return {
        "columns": frame.schema.simpleString(),
        "files": hashlib.sha256(files.encode()).hexdigest(),
    }


def tables_of(batches: Iterable[pa.RecordBatch], most: int) -> Iterator[pa.Table]:
    """Yield batches of a DataFrame, several together, at most so many bytes where it can be."""
    held: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        if held and size + batch.nbytes > most:
            yield pa.Table.from_batches(held)
            held, size = [], 0
        held.append(batch)
        size += batch.nbytes
    if held:
        yield pa.Table.from_batches(held)


def in_utc(table: pa.Table) -> pa.Table:
    """Return a table of which times are in UTC, whatever the session's time zone.

    Examples
    --------
    >>> times = pa.array([0], pa.timestamp("us", "Asia/Tokyo"))
    >>> in_utc(pa.table({"timestamp": times})).schema.field("timestamp").type
    TimestampType(timestamp[us, tz=UTC])
    """
    fields = [field.with_type(_in_utc(field.type)) for field in table.schema]
    return table.cast(pa.schema(fields))


def rows_of(table: pa.Table) -> IntArray:
    """Return the numbers of rows.

    Raises
    ------
    ColumnError
        A row has none, or rows of the table share one.
    """
    column = table.column(ROW)
    if column.null_count:
        raise ColumnError(f"column `{ROW}` is empty in {column.null_count:,} rows. {_ADVICE}")
    found: IntArray = pc.cast(column, pa.int64()).to_numpy()
    ordered = np.sort(found)
    refuse_shared(ordered[1:][ordered[1:] == ordered[:-1]].tolist())
    return found


def refuse_shared(numbers: list[int]) -> None:
    """Raise if there are numbers that rows share.

    Raises
    ------
    ColumnError
    """
    if numbers:
        raise ColumnError(f"two rows have the number {min(numbers)} in column `{ROW}`. {_ADVICE}")


def _in_utc(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return pa.timestamp(kind.unit, "UTC")
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_in_utc(field.type)) for field in kind])
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_in_utc(kind.value_type)))
    return kind

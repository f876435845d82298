"""Tables in parts as DataFrames of Spark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


def as_spark(session: Any, files: Sequence[Path], schema: pa.Schema) -> Any:
    """Return Parquet files as one DataFrame: executors read them, a task each.

    A part's file says of a column without a value there nothing of its type, which Spark's own
    reader takes for another type. So Arrow reads each in the types of all.

    Parameters
    ----------
    session : pyspark.sql.SparkSession
    files : sequence of pathlib.Path
    schema : pyarrow.Schema
        Of all files together.
    """
    from pyspark.sql.pandas.types import from_arrow_schema

    paths = [str(path) for path in files]
    known = pa.schema([field.with_type(_of_spark(field.type)) for field in schema])

    def batches(numbers: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in numbers:
            for number in batch.column(0).to_pylist():
                yield from _read(paths[number], known)

    places = session.range(0, len(paths), 1, len(paths))
    return places.mapInArrow(batches, from_arrow_schema(known))


def _read(path: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches():
            there = dict(zip(batch.schema.names, batch.columns, strict=True))
            columns = [
                there[field.name].cast(field.type)
                if field.name in there
                else pa.nulls(len(batch), field.type)
                for field in schema
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _of_spark(kind: pa.DataType) -> pa.DataType:
    """Return the type that Spark has for what one of Arrow holds.

    Examples
    --------
    >>> _of_spark(pa.dictionary(pa.int8(), pa.large_string()))
    DataType(string)
    """
    if pa.types.is_dictionary(kind):
        return _of_spark(kind.value_type)
    if pa.types.is_null(kind) or pa.types.is_large_string(kind):
        return pa.string()
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", kind.tz)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(_of_spark(kind.value_type))
    if pa.types.is_unsigned_integer(kind):
        return pa.decimal128(20, 0) if kind.bit_width == 64 else pa.int64()
    return kind

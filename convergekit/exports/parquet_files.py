"""Parquet files to rows, in batches, losing no whole number and no nested value."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from convergekit.errors import ReadError
from convergekit.exports.lines import MOST_UNPACKED_TIMES, UNPACKED_ALLOWED, Progress, short
from convergekit.exports.raw_rows import BATCH_ROWS, RawRows
from convergekit.records import column_from_values

#: So many rows are read however small the file is.
_ROWS_ALLOWED = 10_000_000


def read_parquet_file(path: Path, progress: Progress) -> Iterator[RawRows]:
    """Yield the rows of a Parquet file, in batches.

    Raises
    ------
    ReadError
        It cannot be read, names a column twice, or holds more than its size can.
    """
    try:
        with pq.ParquetFile(path) as file:
            _check(path, file)
            size, done = path.stat().st_size, 0
            for batch in file.iter_batches(batch_size=BATCH_ROWS):
                frame = pd.DataFrame(
                    {n: _column(batch.column(n)) for n in batch.schema.names},
                    index=pd.RangeIndex(batch.num_rows),
                )
                yield RawRows(frame, list(range(done + 1, done + 1 + batch.num_rows)), {})
                done += batch.num_rows
                progress(size * batch.num_rows // file.metadata.num_rows)
    except PermissionError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise ReadError(f"{path} cannot be read as Parquet: {short(error)}.") from None


def _check(path: Path, file: pq.ParquetFile) -> None:
    names = file.schema_arrow.names
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ReadError(f"{path}: column names stand twice: {', '.join(map(repr, twice))}.")
    rows, size = file.metadata.num_rows, path.stat().st_size
    if rows > max(_ROWS_ALLOWED, MOST_UNPACKED_TIMES * size):
        raise ReadError(
            f"{path}: says that there are {rows:,} rows in its {size:,} bytes, which no export "
            "has. If it is one, name it in parts of fewer rows."
        )
    groups = map(file.metadata.row_group, range(file.metadata.num_row_groups))
    unpacked = sum(group.total_byte_size for group in groups)
    if unpacked > max(UNPACKED_ALLOWED, MOST_UNPACKED_TIMES * size):
        raise ReadError(
            f"{path}: its {size:,} bytes unpack to {unpacked:,}, as no export does. If it is one, "
            "write it again without compression."
        )


def _column(column: pa.Array) -> pd.Series:
    kind = column.type
    nested = pa.types.is_nested(kind) or pa.types.is_dictionary(kind)
    whole_with_gaps = column.null_count and (pa.types.is_integer(kind) or pa.types.is_boolean(kind))
    if nested or whole_with_gaps:
        return column_from_values(column.to_pylist(maps_as_pydicts="lossy"))
    return column.to_pandas().set_axis(pd.RangeIndex(len(column)))

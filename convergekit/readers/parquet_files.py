"""Parquet files to rows, in batches, losing no whole number and no nested value."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from convergekit.base.bounds import MOST_COLUMNS, TOO_DEEP, is_deep, of_column
from convergekit.errors import ReadError, repeated
from convergekit.readers.columns.table_blocks import TableBlock, frame_of_batch
from convergekit.readers.lines import Progress, short
from convergekit.readers.raw_rows import BATCH_ROWS, RawRows
from convergekit.readers.unpacking import MOST_UNPACKED_TIMES, UNPACKED_ALLOWED
from convergekit.typing import IntArray

#: So many rows are read however small the file is.
_ROWS_ALLOWED = 10_000_000
#: So long a text is read as often as there are rows.
_TEXT_ALLOWED = 64
_BUFFERED = 1 << 16
_FLATTER = "Leave the column out, or write it as JSON text, of which only such rows are rejected."
#: JSON as the text that it is stored as; versions of pyarrow that lack the option read it so.
_AS_TEXT = {
    name: False
    for name in inspect.signature(pq.ParquetFile.__init__).parameters
    if name == "arrow_extensions_enabled"
}


def read_parquet_file(path: Path, progress: Progress) -> Iterator[RawRows]:
    """Yield the rows of a Parquet file, in batches.

    Raises
    ------
    ReadError
        It cannot be read, names a column twice, or holds more than its size can.
    """
    with _told_errors(path), pq.ParquetFile(path) as file:
        _check(path, file)
        size, done = path.stat().st_size, 0
        for batch in file.iter_batches(batch_size=BATCH_ROWS):
            yield _rows(batch, done)
            done += batch.num_rows
            # A damaged file may say that it has fewer rows than it has.
            progress(size * batch.num_rows // max(file.metadata.num_rows, batch.num_rows, 1))


def whole_table(path: Path, progress: Progress) -> pa.RecordBatch | None:
    """Return all rows of a small Parquet file, None if they are of types that files do not share.

    Raises
    ------
    ReadError
        It cannot be read, names a column twice, or holds more than its size can.
    """
    with _told_errors(path):
        content = path.read_bytes()
        with pq.ParquetFile(pa.BufferReader(content)) as file:
            _check(path, file, content)
            if not all(map(_is_shared, file.schema_arrow.types)):
                return None
            # Threads cost more than they save.
            found = file.read(use_threads=False).combine_chunks().to_batches()
    progress(len(content))
    return found[0] if len(found) == 1 else None


def _is_shared(kind: pa.DataType) -> bool:
    """Return whether values of a type may be put below those of another file."""
    if isinstance(kind, pa.BaseExtensionType) or pa.types.is_dictionary(kind):
        return False
    inner = range(kind.num_fields) if pa.types.is_nested(kind) else ()
    return all(_is_shared(kind.field(place).type) for place in inner)


@contextlib.contextmanager
def _told_errors(path: Path) -> Iterator[None]:
    """Raise what is wrong with a Parquet file as a `ReadError`."""
    try:
        yield
    except (PermissionError, ReadError):
        raise
    # A damaged file may hold a name that is not text, or a day that no calendar has.
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        if "too deeply nested" in str(error):
            raise ReadError(f"{path}: a column is {TOO_DEEP}. {_FLATTER}") from None
        raise ReadError(f"{path} cannot be read as Parquet: {short(error)}.") from None


def rows_of_batch(batch: pa.RecordBatch, done: int) -> RawRows:
    """Return the rows of an Arrow batch before which there were so many others."""
    line = list(range(done + 1, done + 1 + batch.num_rows))
    return RawRows(frame_of_batch(batch), line, {})


def _rows(batch: pa.RecordBatch, done: int) -> RawRows:
    """Return the rows of a batch as columns of Arrow, where a format can read them so."""
    block = TableBlock.of(batch)
    if block is None:
        return rows_of_batch(batch, done)
    line = list(range(done + 1, done + 1 + batch.num_rows))
    return RawRows(pd.DataFrame(), line, {}, block=block)


def _check(path: Path, file: pq.ParquetFile, content: bytes | None = None) -> None:
    """Raise at what no export has; the content is that of a file in memory."""
    _check_columns(path, file.schema_arrow)
    rows, size = file.metadata.num_rows, path.stat().st_size
    if rows > max(_ROWS_ALLOWED, MOST_UNPACKED_TIMES * size):
        raise ReadError(
            f"{path}: says that there are {rows:,} rows in its {size:,} bytes, which no export "
            "has. If it is one, name it in parts of fewer rows."
        )
    groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
    values = max(
        (
            sum(group.column(place).num_values for group in groups)
            for place in range(len(file.schema))
        ),
        default=0,
    )
    if values > max(_ROWS_ALLOWED, MOST_UNPACKED_TIMES * size):
        raise ReadError(
            f"{path}: says that a column of lists has {values:,} values in its {size:,} bytes, "
            "which no export has. If it is one, name it in parts of fewer rows."
        )
    unpacked = sum(group.total_byte_size for group in groups)
    most = max(UNPACKED_ALLOWED, MOST_UNPACKED_TIMES * size)
    if unpacked > most:
        raise ReadError(
            f"{path}: its {size:,} bytes unpack to {unpacked:,}, as no export does. If it is one, "
            "write it again without compression."
        )
    repeated = _repeated_text(path, file, most, content)
    if repeated > most:
        raise ReadError(
            f"{path}: its {size:,} bytes unpack to {repeated:,}, as no export does: a dictionary "
            "repeats long texts. If it is one, write it again without dictionaries."
        )


def _check_columns(path: Path, schema: pa.Schema) -> None:
    deep = [name for name, kind in zip(schema.names, schema.types, strict=True) if is_deep(kind)]
    if deep:
        raise ReadError(f"{path}: {of_column(deep[0])}. {_FLATTER}")
    if len(schema) > MOST_COLUMNS:
        raise ReadError(
            f"{path}: has {len(schema):,} columns; events have at most {MOST_COLUMNS:,}. Leave "
            "out those that no question needs."
        )
    twice = repeated(schema.names)
    if twice:
        raise ReadError(f"{path}: column names occur twice: {', '.join(map(repr, twice))}.")


def _repeated_text(path: Path, file: pq.ParquetFile, most: int, content: bytes | None) -> int:
    """Return how many bytes of long texts the file's dictionaries unpack to, or an upper bound.

    A page says how large it is, but not how large the texts are that it names by their places in
    the dictionary. What short texts take is bounded by the rows.

    Parameters
    ----------
    path : pathlib.Path
    file : pyarrow.parquet.ParquetFile
        Read for its metadata alone, because it does not leave dictionaries as they are.
    most : int
        What the file may unpack to. Only where it might be more are all places looked at.
    content : bytes or None
        Of a file in memory.
    """
    kinds = [file.schema.column(place) for place in range(len(file.schema))]
    texts = [place for place, kind in enumerate(kinds) if kind.physical_type == "BYTE_ARRAY"]
    groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
    named = [kinds[place].path for place in texts]
    if not named or not groups:
        return 0
    # Buffered, so that a column is not read to its end where its first page is enough.
    source, buffered = (path, _BUFFERED) if content is None else (pa.BufferReader(content), 0)
    # Of few texts all bytes bound the longest well enough.
    longest = _longest_beyond if content is None else _all_bytes
    with pq.ParquetFile(source, read_dictionary=named, buffer_size=buffered, **_AS_TEXT) as kept:
        worst = [
            max(group.column(place).num_values for place in texts)
            * sum(_longest(kept, number, named, longest))
            for number, group in enumerate(groups)
        ]
        if sum(worst) <= most:
            return sum(worst)
        return sum(
            bound if bound <= most // len(groups) else _unpacked(kept, number, named)
            for number, bound in enumerate(worst)
        )


def _longest(
    file: pq.ParquetFile, group: int, columns: list[str], of: Callable[[pa.Array], int]
) -> Iterator[int]:
    """Return what a function finds of each dictionary."""
    # Threads cost more than they save for a row.
    rows = file.iter_batches(1, row_groups=[group], columns=columns, use_threads=False)
    first = next(rows, None)
    for name, column in zip(first.schema.names, first.columns, strict=True) if first else ():
        found = [leaf.dictionary for leaf in _leaves(column)]
        # The first row has all words with it, but for those of a list that is empty there.
        if pa.types.is_nested(column.type) and not all(map(len, found)):
            within = [path for path in columns if path.startswith(f"{name}.")]
            found = [leaf.dictionary for leaf in _all_leaves(file, group, within)]
        yield from map(of, found)


def _longest_beyond(words: pa.Array) -> int:
    """Return the length of the longest text, less what each text may have."""
    return int(_beyond(words).max(initial=0))


def _all_bytes(words: pa.Array) -> int:
    return int(words.nbytes)


def _unpacked(file: pq.ParquetFile, group: int, columns: list[str]) -> int:
    """Return the length of all texts of a row group, less what each text may have."""
    total = 0
    for leaf in _all_leaves(file, group, columns):
        # A damaged file may name places that the dictionary has not.
        leaf.validate(full=True)
        total += int(_beyond(leaf.dictionary)[leaf.indices.drop_null().to_numpy()].sum())
    return total


def _all_leaves(
    file: pq.ParquetFile, group: int, columns: list[str]
) -> Iterator[pa.DictionaryArray]:
    """Return the dictionaries of these columns, one column after the other, to its end."""
    rows = file.metadata.row_group(group).num_rows
    for path in columns:
        for batch in file.iter_batches(rows, row_groups=[group], columns=[path]):
            for column in batch.columns:
                yield from _leaves(column)


def _leaves(column: pa.Array) -> Iterator[pa.DictionaryArray]:
    """Return the dictionaries inside a column, however deep in lists and objects."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        yield column
    elif pa.types.is_struct(kind):
        for field in column.flatten():
            yield from _leaves(field)
    elif pa.types.is_nested(kind):
        yield from _leaves(column.flatten())


def _beyond(words: pa.Array) -> IntArray:
    lengths = pc.binary_length(words).fill_null(0).to_numpy().astype(np.int64)
    return np.maximum(lengths - _TEXT_ALLOWED, 0)

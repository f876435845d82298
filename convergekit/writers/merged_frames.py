"""Files of `parquet_of` merged into one, row by row, a few rows at a time.

A part of a table says less of its columns than the whole does: where parts disagree on a column's
type, the whole has the type that holds both, or JSON text with tags.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from convergekit.base.tagged_json import to_json
from convergekit.errors import ReadError
from convergekit.typing import IntArray
from convergekit.writers.saved_frames import CATEGORIES, DATATYPES, TAGGED

#: Of a file without what `parquet_of` says.
_PLAIN = {TAGGED: b"[]", CATEGORIES: b"{}", DATATYPES: b"{}"}
#: So many rows of the whole are in memory at a time.
ROWS_AT_ONCE = 131_072


@dataclass(frozen=True)
class Piece:
    """A file, and where its rows go.

    Attributes
    ----------
    path : pathlib.Path
        What `parquet_of` wrote, or any Parquet file without metadata.
    place : numpy.ndarray of int
        Of each row its place in the whole, ascending; rows of one place are side by side.
    numbers : mapping of str to numpy.ndarray of int
        Of columns that hold places of the piece: the places of the whole, by those of the piece.
    """

    path: Path
    place: IntArray
    numbers: Mapping[str, IntArray] = field(default_factory=dict)


def merge_pieces(pieces: Sequence[Piece], target: Path, names: Sequence[str] | None = None) -> None:
    """Write the rows of several files into one, by their places.

    Parameters
    ----------
    pieces : sequence of Piece
        One at least.
    target : pathlib.Path
    names : sequence of str, optional
        The columns of the whole, where not all pieces have all: whole numbers, 0 where they lack.

    Raises
    ------
    ReadError
        A file is lost, or not as it was written.
    """
    some = [piece for piece in pieces if len(piece.place)] or list(pieces[:1])
    with ExitStack() as stack:
        files = [_Rows(piece, len(some), stack) for piece in some]
        columns = _columns(files, names)
        metadata = (
            None
            if not files[0].is_frame
            else {
                TAGGED: json.dumps([one.name for one in columns if one.tagged]),
                CATEGORIES: json.dumps({one.name: one.words for one in columns if one.words}),
                DATATYPES: json.dumps({one.name: one.dtype for one in columns}),
            }
        )
        schema = pa.schema([(one.name, one.type) for one in columns], metadata=metadata)
        end = max((int(piece.place[-1]) + 1 for piece in some if len(piece.place)), default=0)
        with pq.ParquetWriter(target, schema, compression="zstd") as whole:
            for begin in range(0, end if columns else 0, ROWS_AT_ONCE):
                rows, place = [], []
                for file in files:
                    before, after = np.searchsorted(
                        file.piece.place, [begin, begin + ROWS_AT_ONCE]
                    ).tolist()
                    taken = file.take(after - before)
                    rows.append(pa.table([one.of(taken, file) for one in columns], schema=schema))
                    place.append(file.piece.place[before:after])
                order = np.argsort(np.concatenate(place), kind="stable")
                whole.write_table(pa.concat_tables(rows).take(order))


class _Rows:
    """The rows of a piece, one after the other."""

    def __init__(self, piece: Piece, pieces: int, stack: ExitStack) -> None:
        self.piece = piece
        try:
            self._file = stack.enter_context(pq.ParquetFile(piece.path))
            self.schema = self._file.schema_arrow
            about = self.schema.metadata
            self.is_frame = about is not None
            about = about or _PLAIN
            self.tagged = set(json.loads(about[TAGGED]))
            self.words: dict[str, Any] = json.loads(about[CATEGORIES])
            self.dtypes: dict[str, str] = json.loads(about[DATATYPES])
            if not self.is_frame:
                self.dtypes = {one.name: str(one.type) for one in self.schema}
            if self._file.metadata.num_rows != len(piece.place) and self.schema.names:
                raise ValueError("it has other rows")
        except (OSError, pa.ArrowException, ValueError, KeyError, TypeError) as error:
            raise _damaged(piece.path, error) from None
        size = max(ROWS_AT_ONCE // pieces, 1)
        self._batches = self._file.iter_batches(batch_size=size)
        self._held = self.schema.remove_metadata().empty_table()

    def take(self, count: int) -> pa.Table:
        """Return the next rows."""
        try:
            while self._held.num_rows < count:
                more = pa.Table.from_batches([next(self._batches)])
                more.validate(full=True)
                self._held = pa.concat_tables([self._held, more])
        except (OSError, pa.ArrowException, StopIteration) as error:
            raise _damaged(self.piece.path, error) from None
        found = self._held.slice(0, count)
        self._held = self._held.slice(count)
        return found


@dataclass(frozen=True)
class _Column:
    """A column of the whole."""

    name: str
    type: pa.DataType
    dtype: str
    tagged: bool
    words: dict[str, Any] | None

    def of(self, rows: pa.Table, file: _Rows) -> pa.Array | pa.ChunkedArray:
        """Return the column of some rows of a piece."""
        if self.name not in rows.schema.names:
            return pa.array(np.zeros(rows.num_rows, dtype=np.int64))
        column = rows.column(self.name)
        if self.name in file.piece.numbers:
            return pa.array(file.piece.numbers[self.name][column.to_numpy()])
        if self.tagged and self.name not in file.tagged:
            cells = column.to_pylist()
            texts = [None if cell is None else to_json(cell, strict=True) for cell in cells]
            return pa.array(texts, type=self.type)
        return column if column.type == self.type else column.cast(self.type)


def _columns(files: Sequence[_Rows], names: Sequence[str] | None) -> list[_Column]:
    if names is None:
        names = list(dict.fromkeys(name for file in files for name in file.schema.names))
    return [_column(name, [file for file in files if name in file.dtypes]) for name in names]


def _column(name: str, files: Sequence[_Rows]) -> _Column:
    """Return what the whole has of a column of several pieces."""
    types = {file.schema.field(name).type for file in files}
    tagged = any(name in file.tagged for file in files)
    words = {json.dumps(file.words.get(name)) for file in files}
    if len(words) == 1:
        dtypes = {file.dtypes[name] for file in files}
    else:
        # Their categories differ, so that the whole is of the values.
        dtypes = {file.words.get(name, {}).get("dtype", file.dtypes[name]) for file in files}
    dtype = dtypes.pop()
    for other in sorted(dtypes):
        both = [pd.Series(dtype=dtype), pd.Series(dtype=other)]
        dtype = str(pd.concat(both, ignore_index=True).dtype)
    kind = types.pop()
    if types and not tagged:
        tagged = dtype == "object"
        kind = kind if tagged else pa.array(pd.Series(dtype=dtype), from_pandas=True).type
    found = json.loads(words.pop()) if len(words) == 1 else None
    return _Column(name, pa.large_string() if tagged else kind, dtype, tagged, found)


def _damaged(path: Path, error: Exception) -> ReadError:
    said = next(iter(str(error).splitlines()), type(error).__name__)
    return ReadError(
        f"{path} is not as it was written ({said}). Remove the workdir, or give another one, and "
        "stitch again."
    )

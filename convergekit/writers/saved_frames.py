"""Tables as Parquet or Arrow files, and back as they were.

A column that Parquet has no type for (mixed types, lists, dictionaries, intervals ...) is kept as
JSON text with tags (`tagged_json`); a categorical as its values, with its categories beside. The
file's metadata says which columns these are, and of which dtype every column was.
"""

from __future__ import annotations

import datetime
import decimal
import json
import math
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from convergekit.base.records import take_or_missing
from convergekit.base.tagged_json import NotKnownError, from_json, to_json
from convergekit.errors import ConvergekitError, ReadError
from convergekit.events.arrow import series_from_arrow
from convergekit.events.unread_text import unread_text

TAGGED = b"convergekit.tagged_json_columns"
CATEGORIES = b"convergekit.categories"
DATATYPES = b"convergekit.dtypes"
#: Of files in the former format: without tags, with pandas' own metadata.
_UNTAGGED = b"convergekit.json_columns"
#: What Parquet has a type for, although pandas has none.
_OF_ONE_KIND = {decimal.Decimal, datetime.date, datetime.time, bytes}
#: Arrow types that Parquet does not have, but one that holds as much.
_OTHER_IN_PARQUET = ("timestamp[s", "time32[s]", "date64")
_TEXT = pa.large_string()
#: What an Arrow file begins with.
_ARROW = b"ARROW1"
_REFUSALS = (pa.ArrowException, TypeError, ValueError, OverflowError, NotImplementedError)


def parquet_of(frame: pd.DataFrame, name: str, *, lean: bool = False, codec: str = "zstd") -> bytes:
    """Return a table as the content of a Parquet file.

    Parameters
    ----------
    frame : pandas.DataFrame
        Its index is left out.
    name : str
        What the table is called in messages.
    lean : bool, default False
        Whether what takes time is left out: dictionaries, which make the file hardly smaller, and
        statistics, by which others skip rows.
    codec : str, default "zstd"
        How it is compressed: ``"snappy"`` takes less time and more room.

    Raises
    ------
    ConvergekitError
        A column holds values that cannot be kept.

    Examples
    --------
    >>> frame = pd.DataFrame({"n": [1, 2], "odd": [{"a": 1}, {3}]})
    >>> frame_of(parquet_of(frame, "events")).equals(frame)
    True
    """
    table, sink = _table_of(frame, name), pa.BufferOutputStream()
    try:
        pq.write_table(
            table,
            sink,
            compression=codec,
            use_dictionary=not lean,
            write_statistics=not lean,
        )
    except _REFUSALS as error:
        raise ConvergekitError(
            f"{name} cannot be saved as Parquet: {_first_line(error)}. Convert the column before "
            "stitching."
        ) from error
    return sink.getvalue().to_pybytes()


def arrow_of(frame: pd.DataFrame, name: str, *, codec: str) -> bytes:
    """Return a table as the content of an Arrow file: sooner written and read, and larger.

    Parameters
    ----------
    frame : pandas.DataFrame
        Its index is left out.
    name : str
        What the table is called in messages.
    codec : str
        How it is compressed: ``"lz4"``, or ``"zstd"``, which takes more time and less room.

    Raises
    ------
    ConvergekitError
        A column holds values that cannot be kept.
    """
    table, sink = _table_of(frame, name), pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=codec)
    with pa.ipc.new_file(sink, table.schema, options=options) as file:
        file.write_table(table)
    return sink.getvalue().to_pybytes()


def _table_of(frame: pd.DataFrame, name: str) -> pa.Table:
    """Return a table as files hold it; the metadata says what its columns were."""
    columns: dict[str, pa.Array] = {}
    tagged: list[str] = []
    categories: dict[str, dict[str, Any]] = {}
    for label, column in frame.items():
        if isinstance(column.dtype, pd.CategoricalDtype):
            words = column.cat.categories
            categories[label] = _categories(words) | {"ordered": bool(column.cat.ordered)}
            codes = column.cat.codes.to_numpy(dtype=np.int64)
            column = take_or_missing(pd.Series(words), codes)
        columns[label], is_tagged = _column(name, label, column)
        if is_tagged:
            tagged.append(label)
    metadata = {
        TAGGED: json.dumps(tagged),
        CATEGORIES: json.dumps(categories),
        DATATYPES: json.dumps({str(k): str(v) for k, v in frame.dtypes.items()}),
    }
    return pa.table(columns, metadata=metadata)


def frame_of(
    content: bytes,
    names: Collection[str] | None = None,
    told: Callable[[ReadError], ReadError] | None = None,
) -> pd.DataFrame:
    """Return the table that a file holds, or some of its columns.

    Parameters
    ----------
    content : bytes
        As `parquet_of` or `arrow_of` returned it.
    names : collection of str, optional
    told : callable, optional
        Says which file is damaged. With it, texts of Parquet are not read before something looks at
        them.

    Raises
    ------
    ReadError
        It is damaged, or none of ours; the message is for a sentence that names the file.
    """
    with _damage():
        return _frame_of(content, names, told)


@contextmanager
def _damage() -> Iterator[None]:
    try:
        yield
    except (MemoryError, KeyboardInterrupt):
        raise
    except Exception as error:
        # What damage makes of a file may let Arrow, JSON and pandas say anything.
        raise ReadError(_first_line(error)) from error


class _UnreadColumns:
    """The columns of a file that nobody has looked at yet; threads may look at several at once."""

    def __init__(self, file: pq.ParquetFile, told: Callable[[ReadError], ReadError]) -> None:
        self._file, self._told, self._lock = file, told, threading.Lock()
        self._found: dict[str, pa.ChunkedArray] = {}
        self._beside: dict[str, Callable[[], Any]] = {}

    def text(self, name: str) -> pd.Series:
        """Return a column of texts."""
        return unread_text(partial(self._read, name), self._file.metadata.num_rows, self._beside)

    def _read(self, name: str) -> pa.ChunkedArray:
        with self._lock:
            if name not in self._found:
                try:
                    with _damage():
                        self._found[name] = _validated(self._file.read([name])).column(name)
                except ReadError as error:
                    raise self._told(error) from None
            return self._found[name]


def _validated(table: pa.Table) -> pa.Table:
    # Arrow believes that text is UTF-8, and that lists end within their values.
    table.validate(full=True)
    return table


def _frame_of(
    content: bytes,
    names: Collection[str] | None,
    told: Callable[[ReadError], ReadError] | None,
) -> pd.DataFrame:
    if content.startswith(_ARROW):
        return _frame_of_arrow(content, names)
    file = pq.ParquetFile(pa.BufferReader(content))
    schema = file.schema_arrow
    metadata = schema.metadata or {}
    dtypes = json.loads(metadata[DATATYPES])
    if list(dtypes) != schema.names:
        raise ValueError("it does not name the columns that it has")
    chosen = [name for name in schema.names if names is None or name in names]
    dtypes = {name: dtypes[name] for name in chosen}
    columns: dict[str, pd.Series] = {}
    if told is not None:
        unread = _UnreadColumns(file, told)
        texts = [n for n in chosen if dtypes[n] == "str" and schema.field(n).type == _TEXT]
        columns = {name: unread.text(name) for name in texts}
    table = _validated(file.read([name for name in chosen if name not in columns]))
    if _UNTAGGED in metadata:
        return _frame_without_tags(table, dtypes, json.loads(metadata[_UNTAGGED]))
    columns |= _columns_of(table, {n: dtypes[n] for n in chosen if n not in columns}, metadata)
    ordered = {label: columns[label] for label in dtypes}
    return pd.DataFrame(ordered, index=pd.RangeIndex(file.metadata.num_rows), copy=False)


def _frame_of_arrow(content: bytes, names: Collection[str] | None) -> pd.DataFrame:
    schema = pa.ipc.open_file(pa.BufferReader(content)).schema
    metadata = schema.metadata
    dtypes = json.loads(metadata[DATATYPES])
    chosen = [at for at, name in enumerate(schema.names) if names is None or name in names]
    options = pa.ipc.IpcReadOptions(included_fields=chosen)
    file = pa.ipc.open_file(pa.BufferReader(content), options=options)
    table = _validated(file.read_all())
    rows = len(table) if chosen else file.count_rows()
    columns = _columns_of(table, {name: dtypes[name] for name in table.column_names}, metadata)
    return pd.DataFrame(columns, index=pd.RangeIndex(rows), copy=False)


def _columns_of(
    table: pa.Table, dtypes: dict[str, str], metadata: dict[bytes, bytes]
) -> dict[str, pd.Series]:
    """Return columns as they were, by name."""
    tagged = json.loads(metadata[TAGGED])
    categories = json.loads(metadata[CATEGORIES])
    columns: dict[str, pd.Series] = {}
    for label, dtype in dtypes.items():
        column = table.column(label)
        if label in categories:
            columns[label] = _categorical(column, label in tagged, **categories[label])
        elif label in tagged:
            columns[label] = pd.Series(_untagged(column), dtype=object).astype(dtype)
        else:
            columns[label] = _of_dtype(column, dtype)
    return columns


def _column(file: str, label: str, column: pd.Series) -> tuple[pa.Array, bool]:
    """Return a column as Arrow has it, and whether as JSON text."""
    found = _natively(column)
    if found is not None:
        return found, False
    texts: list[str | None] = []
    # Lists of a few names repeat themselves.
    known: dict[tuple[str, ...], str] = {}
    for position, cell in enumerate(column):
        try:
            if type(cell) is list and all(type(text) is str for text in cell):
                names = tuple(cell)
                if names not in known:
                    known[names] = to_json(cell, strict=True)
                texts.append(known[names])
                continue
            texts.append(None if _is_missing(cell) else to_json(cell, strict=True))
        except (NotKnownError, RecursionError) as error:
            raise ConvergekitError(
                f"{file} cannot be saved: column {label!r}, row {position}: a "
                f"{type(cell).__name__} has no form in Parquet or JSON. Convert the column before "
                "stitching."
            ) from error
    return pa.array(texts, type=pa.large_string()), True


def _natively(column: pd.Series) -> pa.Array | None:
    """Return a column in a type that Parquet has, or None if it has none that keeps the values."""
    if isinstance(column.dtype, (pd.PeriodDtype, pd.IntervalDtype)):
        return None
    if column.dtype == object:
        cells = [None if _is_missing(cell) else cell for cell in column]
        kinds = set(map(type, cells)) - {type(None)}
        if not (len(kinds) == 1 and kinds <= _OF_ONE_KIND):
            return None
    try:
        found = pa.array(column, from_pandas=True)
    except _REFUSALS:
        return None
    # Times of a zone lose it, for example.
    return None if column.dtype == object and found.to_pylist() != cells else found


def _categories(categories: pd.Index) -> dict[str, str]:
    """Return what makes the categories again, as text."""
    name = str(categories.dtype)
    try:
        pd.api.types.pandas_dtype(name)
    except (TypeError, NotImplementedError):
        name = "object"
    return {"values": to_json(categories.tolist(), strict=True), "dtype": name}


def _categorical(
    column: pa.ChunkedArray, is_tagged: bool, values: str, dtype: str, ordered: bool
) -> pd.Series:
    words = pd.Index(from_json(values), dtype=dtype, tupleize_cols=False)
    cells = pd.Series(_untagged(column), dtype=object) if is_tagged else series_from_arrow(column)
    given = cells.notna().to_numpy(dtype=bool)
    codes = np.full(len(cells), -1)
    codes[given] = words.get_indexer(pd.Index(cells[given], dtype=dtype, tupleize_cols=False))
    if (codes[given] < 0).any():
        raise ValueError("a value is not one of its column's categories")
    return pd.Series(pd.Categorical.from_codes(codes, categories=words, ordered=ordered))


def _untagged(column: pa.ChunkedArray) -> list[Any]:
    return [None if text is None else from_json(text) for text in column.to_pylist()]


def _of_dtype(column: pa.ChunkedArray, dtype: str) -> pd.Series:
    if dtype == "object":
        return pd.Series(column.to_pylist(), dtype=object)
    if dtype.endswith("[pyarrow]"):
        if dtype.startswith(_OTHER_IN_PARQUET):
            column = column.cast(pd.ArrowDtype.construct_from_string(dtype).pyarrow_dtype)
        return pd.Series(pd.arrays.ArrowExtensionArray(column))
    found = series_from_arrow(column)
    return found if str(found.dtype) == dtype else found.astype(dtype)


def _frame_without_tags(
    table: pa.Table, dtypes: dict[str, str], as_json: list[str]
) -> pd.DataFrame:
    frame = table.to_pandas()
    for name in as_json:
        cells = [None if _is_missing(cell) else json.loads(cell) for cell in frame[name]]
        frame[name] = pd.Series(cells, index=frame.index, dtype=object)
    for name, dtype in dtypes.items():
        if dtype.endswith("[pyarrow]"):
            column = pd.arrays.ArrowExtensionArray(table.column(name))
            frame[name] = pd.Series(column, index=frame.index)
        elif str(frame[name].dtype) != dtype and dtype != "category":
            frame[name] = frame[name].astype(dtype)
    return frame


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def _is_missing(cell: Any) -> bool:
    return (
        cell is None
        or cell is pd.NA
        or cell is pd.NaT
        or (isinstance(cell, float) and math.isnan(cell))
    )

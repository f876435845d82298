"""Frames of other libraries, through the Arrow PyCapsule interface: in, and out again.

Whatever has ``__arrow_c_stream__`` is understood: Polars frames, pyarrow Tables, DuckDB
relations. Columns move as whole buffers, never value by value: text, numbers and
times that Arrow and pandas hold in the same form are not even copied. Types are kept: integers
with gaps stay integers, dictionaries become categoricals, decimals and dates stay Arrow's, and an
object (a struct) named `properties` or `profile_properties` is opened without being read.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.base.arrow_types import needs_python, plainer, python_values
from convergekit.base.json_text import write_json
from convergekit.base.records import take_or_missing
from convergekit.errors import ColumnError, ConvergekitError, repeated

if TYPE_CHECKING:
    import polars as pl

#: The types with gaps for which pandas has no NumPy type.
_NULLABLE = {
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.UInt8Dtype(),
    pa.uint16(): pd.UInt16Dtype(),
    pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}


class ArrowTable(Protocol):
    """A table of any library that gives its columns away as Arrow."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return the columns as a stream of Arrow batches."""


Frame: TypeAlias = pd.DataFrame | ArrowTable


def as_frame(events: Frame) -> pd.DataFrame:
    """Return the events as a DataFrame, whichever library holds them.

    Parameters
    ----------
    events : pandas.DataFrame or Arrow-compatible table
        A DataFrame is returned as it is.

    Raises
    ------
    ConvergekitError
        It is neither a DataFrame nor has it the Arrow PyCapsule interface.
    ColumnError
        A column name occurs twice.

    Examples
    --------
    >>> frame = as_frame(pa.table({"event_name": ["PageView"], "properties.n": [None]}))
    >>> {name: str(column.dtype) for name, column in frame.items()}
    {'event_name': 'str', 'properties.n': 'object'}
    """
    if isinstance(events, pd.DataFrame):
        return events
    # A Series gives Arrow too, but one column is not a table.
    if not hasattr(events, "__arrow_c_stream__") or isinstance(events, pd.Series):
        hint = (
            "call .collect() on a lazy frame first."
            if hasattr(events, "collect")
            else "put frames of several exports under one another with pd.concat(...)."
            if isinstance(events, (list, tuple)) and any(hasattr(e, "columns") for e in events)
            else "read files with ck.read_events(...), records with pd.DataFrame(...)."
        )
        raise ConvergekitError(
            "events must be a DataFrame, or a table that gives Arrow (Polars, pyarrow, DuckDB); "
            f"got a {type(events).__name__}: {hint}"
        )
    try:
        table = pa.table(events)
    except pa.ArrowInvalid as error:
        raise ConvergekitError(
            f"the table cannot be taken as Arrow: {str(error).splitlines()[0]}. Give columns that "
            "are nested deeper than Arrow hands on as JSON text."
        ) from None
    twice = repeated(table.column_names)
    if twice:
        raise ColumnError(
            f"these column names occur twice: {', '.join(map(repr, twice))}. Keep one of each, or "
            "rename the others."
        )
    columns = {name: series_from_arrow(table.column(name)) for name in table.column_names}
    return pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows), copy=False)


def series_from_arrow(column: pa.ChunkedArray) -> pd.Series:
    """Return an Arrow column in the pandas type that keeps every value.

    Examples
    --------
    >>> series_from_arrow(pa.chunked_array([[9007199254740993, None]])).tolist()
    [9007199254740993, <NA>]
    """
    column = plainer(column)
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        text = column if pa.types.is_large_string(kind) else column.cast(pa.large_string())
        return pd.Series(text, dtype="str")
    if pa.types.is_dictionary(kind):
        return _categorical(column)
    if needs_python(column):
        return pd.Series(python_values(column), dtype=object)
    if column.null_count and kind in _NULLABLE:
        return column.to_pandas(types_mapper=_NULLABLE.get)
    if _only_arrow_has(kind):
        return pd.Series(pd.arrays.ArrowExtensionArray(column))
    return column.to_pandas()


def opened_struct(objects: pd.Series) -> dict[str, pd.Series] | None:
    """Return the fields of a column of Arrow objects as columns, or None if it is not one.

    Examples
    --------
    >>> cells = pd.Series([{"plan": "pro"}, None], dtype=pd.ArrowDtype(
    ...     pa.struct([("plan", pa.large_string())])))
    >>> opened_struct(cells)["plan"].tolist()
    ['pro', nan]
    """
    dtype = objects.dtype
    if not isinstance(dtype, pd.ArrowDtype) or not pa.types.is_struct(dtype.pyarrow_dtype):
        return None
    column = objects.array._pa_array
    names = [dtype.pyarrow_dtype.field(i).name for i in range(dtype.pyarrow_dtype.num_fields)]
    fields = zip(names, column.flatten(), strict=True)
    return {name: series_from_arrow(field).set_axis(objects.index) for name, field in fields}


def lists_of_text(column: pa.ChunkedArray) -> list[list[str | None] | None] | None:
    """Return lists of text as Python's, None in place of all if they hold anything else.

    Examples
    --------
    >>> lists_of_text(pa.chunked_array([[["a", None], None, []]], pa.list_(pa.large_string())))
    [['a', None], None, []]
    """
    kind = column.type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return None
    if not (pa.types.is_string(kind.value_type) or pa.types.is_large_string(kind.value_type)):
        return None
    texts = pc.list_flatten(column)
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        # Not UTF-8: each cell that is not says so.
        return None
    values = texts.to_pylist()
    ends = np.cumsum(pc.list_value_length(column).fill_null(0).to_numpy()).tolist()
    found: list[Any] = [values[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    if column.null_count:
        for row in np.flatnonzero(column.is_null().to_numpy()).tolist():
            found[row] = None
    return found


#: In which type Arrow holds lists of text here, so that frames of any source can be joined.
LISTS_OF_TEXT = pd.ArrowDtype(pa.list_(pa.large_string()))
_LISTS = frozenset({list, type(None), float, type(pd.NA)})
_TEXTS = frozenset({str, type(None)})


def as_lists_of_text(column: pd.Series) -> pd.Series | None:
    """Return a column as Arrow's lists of text, or None if a cell is anything else.

    No object is made per cell, and nothing is copied of a column that is one already.

    Examples
    --------
    >>> found = as_lists_of_text(pd.Series([["urn:cookie:a"], None, []], dtype=object))
    >>> found.tolist()
    [['urn:cookie:a'], <NA>, []]
    >>> as_lists_of_text(pd.Series([["urn:cookie:a"], "urn:cookie:b"], dtype=object)) is None
    True
    """
    dtype = column.dtype
    if isinstance(dtype, pd.ArrowDtype):
        lists = _arrow_lists(pa.array(column))
    else:
        lists = _python_lists(column.to_numpy()) if dtype == object else None
    if lists is None:
        return None
    # Types are equal whatever Parquet's writers call an entry of a list; their names are not.
    if str(dtype) == str(LISTS_OF_TEXT):
        return column
    found = pd.arrays.ArrowExtensionArray(lists)
    return pd.Series(found, index=column.index, name=column.name, copy=False)


def _arrow_lists(lists: pa.ChunkedArray) -> pa.ChunkedArray | None:
    kind = lists.type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return None
    if not (_is_text(kind.value_type) or pa.types.is_null(kind.value_type)):
        return None
    try:
        pc.list_flatten(lists).validate(full=True)
    except pa.ArrowInvalid:
        # Not UTF-8.
        return None
    return lists.cast(LISTS_OF_TEXT.pyarrow_dtype)


def _python_lists(cells: npt.NDArray[np.object_]) -> pa.ChunkedArray | None:
    kinds = set(map(type, cells))
    if list not in kinds or not kinds <= _LISTS:
        return None
    lists = cells if kinds == {list} else [cell for cell in cells if type(cell) is list]
    # Arrow takes bytes for text.
    if not _TEXTS.issuperset(map(type, itertools.chain.from_iterable(lists))):
        return None
    try:
        found = pa.array(cells, type=LISTS_OF_TEXT.pyarrow_dtype, from_pandas=True)
    except (pa.ArrowException, UnicodeEncodeError):
        # A number beside the lists, or half of an emoji in one.
        return None
    # More text than one array holds comes in several.
    return found if isinstance(found, pa.ChunkedArray) else pa.chunked_array([found])


def python_cells(column: pd.Series) -> list[Any]:
    """Return a column's cells as Python's: lists where Arrow has them, None where one is missing.

    Examples
    --------
    >>> python_cells(as_lists_of_text(pd.Series([["urn:cookie:a"], None], dtype=object)))
    [['urn:cookie:a'], None]
    """
    if isinstance(column.dtype, pd.ArrowDtype):
        return list(pa.array(column).to_pylist())
    return column.tolist()


def objects_of(column: pd.Series) -> pd.Series:
    """Return a column as one of Python's objects: of Arrow's lists, lists and not NumPy's arrays.

    Examples
    --------
    >>> lists = as_lists_of_text(pd.Series([["urn:cookie:a"]], dtype=object))
    >>> objects_of(lists).iloc[0]
    ['urn:cookie:a']
    """
    if column.dtype != LISTS_OF_TEXT:
        return column.astype(object)
    return pd.Series(python_cells(column), index=column.index, name=column.name, dtype=object)


def with_python_lists(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame as people get it: lists that Arrow holds as Python's.

    pandas cannot read the name of a type of nested values: a Parquet file that it writes of Arrow's
    lists is one that it cannot read.
    """
    held = [name for name, dtype in frame.dtypes.items() if dtype == LISTS_OF_TEXT]
    return frame.assign(**{name: objects_of(frame[name]) for name in held}) if held else frame


def table_of(frame: pd.DataFrame) -> pa.Table:
    """Return a frame as an Arrow table; what Arrow has no type for, as JSON text.

    Examples
    --------
    >>> table_of(pd.DataFrame({"n": pd.array([1, None], "Int64"), "mixed": [1, "a"]})).to_pydict()
    {'n': [1, None], 'mixed': ['1', '"a"']}
    """
    columns = {str(name): _arrow_column(column) for name, column in frame.items()}
    return pa.table(columns)


def polars_of(frame: pd.DataFrame) -> pl.DataFrame:
    """Return a frame as a Polars one, through `table_of`.

    Raises
    ------
    ConvergekitError
        Polars is not installed.
    """
    try:
        import polars as pl
    except ImportError:
        raise ConvergekitError(
            "to_polars needs Polars: pip install 'convergekit[polars]'; or take to_arrow()."
        ) from None
    table = table_of(frame)
    columns = [_for_polars(column) for column in table.columns]
    return pl.DataFrame(pa.table(columns, names=table.column_names))


def _only_arrow_has(kind: pa.DataType) -> bool:
    return (
        pa.types.is_nested(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_date(kind)
        or pa.types.is_time(kind)
    )


def _categorical(column: pa.ChunkedArray) -> pd.Series:
    """Return a dictionary as a categorical, as text where its words are not distinct."""
    found = column.unify_dictionaries().combine_chunks()
    if isinstance(found, pa.ChunkedArray):
        found = pa.concat_arrays(found.chunks) if found.num_chunks else pa.array([], column.type)
    words = series_from_arrow(pa.chunked_array([found.dictionary]))
    codes = found.indices.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
    if words.dtype == object or not _are_hashable(words.dtype):
        return take_or_missing(words.astype(object), codes)
    if words.isna().any() or not words.is_unique:
        return take_or_missing(words, codes)
    return pd.Series(
        pd.Categorical.from_codes(codes, categories=words, ordered=column.type.ordered)
    )


def _are_hashable(dtype: Any) -> bool:
    return not isinstance(dtype, pd.ArrowDtype) or not pa.types.is_nested(dtype.pyarrow_dtype)


def _arrow_column(column: pd.Series) -> pa.Array | pa.ChunkedArray:
    if column.dtype != object:
        return pa.array(column, from_pandas=True)
    try:
        return pa.array(column, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return pa.array([_json_text(cell) for cell in column], type=pa.large_string())


def _json_text(cell: Any) -> str | None:
    if pd.api.types.is_scalar(cell) and pd.isna(cell):
        return None
    return write_json(cell)


def _for_polars(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column in a type that Polars has; where it has none, as JSON text."""
    kind = column.type
    if pa.types.is_dictionary(kind) and not _is_text(kind.value_type):
        # Polars has categories of texts alone, and its older versions raise for others.
        return _for_polars(column.cast(kind.value_type))
    if _polars_has(kind):
        return column
    if pa.types.is_date64(kind):
        return column.cast(pa.date32())
    if pa.types.is_time32(kind):
        return column.cast(pa.time64("us"))
    if pa.types.is_decimal(kind):
        return column.cast(pa.large_string())
    if pa.types.is_timestamp(kind):
        # An offset is not a zone to Polars; what the instants are does not depend on it.
        return column.cast(pa.timestamp(kind.unit, "UTC"))
    texts = [None if cell is None else write_json(cell) for cell in column.to_pylist()]
    return pa.chunked_array([texts], type=pa.large_string())


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _polars_has(kind: pa.DataType) -> bool:
    types = pa.types
    if types.is_list(kind) or types.is_large_list(kind) or types.is_dictionary(kind):
        return _polars_has(kind.value_type)
    if types.is_decimal128(kind):
        return kind.scale >= 0
    if types.is_timestamp(kind):
        return kind.tz is None or kind.tz[:1] not in ("+", "-")
    if types.is_struct(kind):
        return all(_polars_has(kind.field(i).type) for i in range(kind.num_fields))
    return any(
        is_kind(kind)
        for is_kind in (
            *(types.is_null, types.is_boolean, types.is_integer, types.is_floating),
            *(types.is_string, types.is_large_string, types.is_binary, types.is_large_binary),
            *(types.is_date32, types.is_duration, types.is_time64),
        )
    )

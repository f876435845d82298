"""Columns in types that everything after reading can take.

pandas, NumPy and Arrow have more types than a table of events needs, and few of their functions
take them all. Those that say the same in another type are brought to it: sparse to dense, half
precision to single, views, run ends and dictionaries to plain text, lists and categories. What is
none of pandas' usual types (intervals, periods, complex numbers, bytes of one length, unions)
becomes a column of Python's objects. Times and durations that Python lacks become text, and so do
bytes that are not UTF-8 where text should be, as far as they can be read. What is not a number
among numbers is missing. Every other column stays as it is, and is not copied.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from convergekit.base.arrow_types import is_usual
from convergekit.base.records import take_or_missing
from convergekit.base.scalars import python_value
from convergekit.base.threads import each_column
from convergekit.events.arrow import series_from_arrow
from convergekit.events.timestamps import far_as_text

_KEPT = (pd.StringDtype, pd.BooleanDtype)
#: Seconds of the longest duration that Python has.
_LONGEST = 999_999_999 * 24 * 60 * 60


def with_usual_types(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with each column in a usual type, or the frame itself.

    Examples
    --------
    >>> frame = pd.DataFrame({"a": pd.arrays.SparseArray([1, 0]), "b": [pd.Period("2026-03")] * 2})
    >>> with_usual_types(frame).dtypes.astype(str).tolist()
    ['int64', 'object']
    """
    names = frame.columns
    found = each_column(lambda name: _usual(frame[name]), names, rows=len(frame))
    changed = {
        n: c.set_axis(frame.index) for n, c in zip(names, found, strict=True) if c is not None
    }
    return frame.assign(**changed) if changed else frame


def _usual(column: pd.Series) -> pd.Series | None:
    """Return a column in a usual type, or None if it is of one."""
    dtype = column.dtype
    if isinstance(dtype, np.dtype):
        return _of_numpy(column)
    if isinstance(dtype, pd.SparseDtype):
        return _now_usual(pd.Series(np.asarray(column.array)))
    if isinstance(dtype, pd.ArrowDtype):
        cells = column.array._pa_array
        if not is_usual(cells):
            return _now_usual(series_from_arrow(cells))
        return _without_nan(column) if pa.types.is_floating(cells.type) else _readable(cells)
    if isinstance(dtype, pd.CategoricalDtype):
        return _of_categories(column)
    if isinstance(dtype, pd.DatetimeTZDtype):
        return far_as_text(column)
    if dtype == "str":
        return _readable(pa.chunked_array(pa.array(column, from_pandas=True)))
    if isinstance(dtype, (pd.Float32Dtype, pd.Float64Dtype)):
        return _without_nan(column)
    if isinstance(dtype, _KEPT) or pd.api.types.is_numeric_dtype(dtype):
        return None
    return column.astype(object)


def _now_usual(column: pd.Series) -> pd.Series:
    found = _usual(column)
    return column if found is None else found


def _of_numpy(column: pd.Series) -> pd.Series | None:
    dtype = column.dtype
    if dtype.kind == "M":
        return far_as_text(column)
    if dtype.kind == "m":
        return _long_as_text(column)
    if dtype.kind in "SVc":
        return pd.Series(list(map(python_value, column.to_numpy())), dtype=object)
    if dtype.kind == "f" and dtype.itemsize not in (4, 8):
        return column.astype("float32" if dtype.itemsize == 2 else "float64")
    return None if dtype.isnative else column.astype(dtype.newbyteorder("="))


def _long_as_text(column: pd.Series) -> pd.Series | None:
    """Return durations as objects if Python has no such long ones, these as text."""
    seconds = column.to_numpy().astype("timedelta64[s]").view(np.int64)
    too_long = (np.abs(seconds) > _LONGEST) & column.notna().to_numpy()
    if not too_long.any():
        return None
    return pd.Series(list(map(python_value, column.to_numpy())), dtype=object)


def _without_nan(column: pd.Series) -> pd.Series | None:
    """Return numbers with a gap where one is not a number; None if all are."""
    is_nan = np.isnan(column.to_numpy(dtype="float64", na_value=0.0))
    return column.mask(is_nan) if is_nan.any() else None


def _readable(cells: pa.ChunkedArray) -> pd.Series | None:
    """Return text of which Arrow only believes that it is UTF-8, as far as it is; None if it is."""
    if not pa.types.is_string(cells.type) and not pa.types.is_large_string(cells.type):
        return None
    try:
        cells.validate(full=True)
    except pa.ArrowInvalid:
        raw = cells.cast(pa.large_binary()).to_pylist()
        texts = [None if cell is None else cell.decode("utf-8", "replace") for cell in raw]
        return pd.Series(texts, dtype="str")
    return None


def _of_categories(column: pd.Series) -> pd.Series | None:
    words = pd.Series(column.cat.categories)
    usual = _now_usual(words)
    if usual.dtype == words.dtype and (words.dtype != object or set(map(type, words)) <= {str}):
        return None
    return take_or_missing(usual, column.cat.codes.to_numpy(dtype=np.int64))

"""Arrow's rarer types, in those that pandas has a use for.

Views, run ends, extension types and the widths of numbers that few libraries know say the same in
a usual type. Unions and intervals become Python's objects, and so do times that Python's calendar
or clock lacks, which are written out as text.
"""

from __future__ import annotations

import zoneinfo
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_SECONDS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_DAY = 24 * 60 * 60
#: The first and last second of Python's calendar, since 1970, and the longest of its durations.
_EARLIEST, _LATEST = -62_135_596_800, 253_402_300_799
_LONGEST = 999_999_999 * _DAY
#: What NumPy and pandas mark a missing time with.
_NOT_A_TIME = -(2**63)


def plainer(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column in a type that says the same, where its own is a rare one.

    Examples
    --------
    >>> plainer(pa.chunked_array([["a"]], pa.string_view())).type
    DataType(large_string)
    """
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType) and not _is_uuid(kind):
        stored = [chunk.storage for chunk in column.chunks]
        return plainer(pa.chunked_array(stored, type=kind.storage_type))
    if pa.types.is_run_end_encoded(kind):
        decoded = [pc.run_end_decode(chunk) for chunk in column.chunks]
        return plainer(pa.chunked_array(decoded, type=kind.value_type))
    usual = _usual_type(kind)
    return column if usual == kind else column.cast(usual)


def is_usual(column: pa.ChunkedArray) -> bool:
    """Return whether pandas can hold a column as it is, and Python each of its values.

    Examples
    --------
    >>> is_usual(pa.chunked_array([["a"]])), is_usual(pa.chunked_array([["a"]], pa.string_view()))
    (True, False)
    """
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType) or pa.types.is_run_end_encoded(kind):
        return False
    if pa.types.is_dictionary(kind) or pa.types.is_null(kind) or _only_python_has(kind):
        return False
    return _usual_type(kind) == kind and not is_far(column)


def needs_python(column: pa.ChunkedArray) -> bool:
    """Return whether a plain column's values are Python's objects, for want of a type.

    Examples
    --------
    >>> needs_python(pa.chunked_array([[(1, 2, 3)]], pa.month_day_nano_interval()))
    True
    """
    return _is_uuid(column.type) or _only_python_has(column.type) or is_far(column)


def is_far(column: pa.ChunkedArray) -> bool:
    """Return whether a column holds times that Python's calendar or clock lacks.

    Examples
    --------
    >>> is_far(pa.chunked_array([pa.array([400_000_000_000]).cast(pa.timestamp("s"))]))
    True
    """
    kind = column.type
    if not pa.types.is_temporal(kind) or pa.types.is_interval(kind):
        return False
    low, high = _bounds(kind)
    found = pc.min_max(_numbers(column))
    least, most = found["min"].as_py(), found["max"].as_py()
    return least is not None and not (low <= least and most < high)


def python_values(column: pa.ChunkedArray) -> list[Any]:
    """Return a column's values as Python's own; times that Python lacks as text.

    Raises
    ------
    ValueError
        Such a time is within a list or an object.

    Examples
    --------
    >>> python_values(pa.chunked_array([pa.array([0, 400_000_000_000]).cast(pa.timestamp("s"))]))
    [datetime.datetime(1970, 1, 1, 0, 0), '14645-06-30T15:06:40']
    """
    if not is_far(column):
        return column.to_pylist()
    low, high = _bounds(column.type)
    numbers = _numbers(column).to_pylist()
    return [
        value.as_py()
        if number is None or low <= number < high
        else (None if number == _NOT_A_TIME else _text(number, column.type))
        for value, number in zip(column, numbers, strict=True)
    ]


def _usual_type(kind: pa.DataType) -> pa.DataType:
    types = pa.types
    if types.is_string_view(kind):
        return pa.large_string()
    if types.is_binary_view(kind) or types.is_fixed_size_binary(kind):
        return pa.large_binary()
    if types.is_decimal32(kind) or types.is_decimal64(kind):
        return pa.decimal128(kind.precision, kind.scale)
    if types.is_float16(kind):
        return pa.float32()
    if types.is_timestamp(kind) and kind.tz is not None and not _is_zone(kind.tz):
        # What the instants are does not depend on it.
        return pa.timestamp(kind.unit, "UTC")
    return kind


def _is_zone(name: str) -> bool:
    try:
        pa.lib.string_to_tzinfo(name)
    except (ValueError, zoneinfo.ZoneInfoNotFoundError, pa.ArrowException):
        return False
    return True


def _only_python_has(kind: pa.DataType) -> bool:
    return pa.types.is_union(kind) or pa.types.is_interval(kind)


def _is_uuid(kind: pa.DataType) -> bool:
    return isinstance(kind, pa.UuidType)


def _numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.int32()) if column.type.bit_width == 32 else column.cast(pa.int64())


def _bounds(kind: pa.DataType) -> tuple[int, int]:
    """Return the least number that Python has a value for, and the first beyond the greatest."""
    if pa.types.is_date(kind):
        unit = _DAY * 1_000 if pa.types.is_date64(kind) else 1
        return _EARLIEST // _DAY * unit, (_LATEST // _DAY + 1) * unit
    unit = _SECONDS[kind.unit]
    if pa.types.is_time(kind):
        return 0, _DAY * unit
    if pa.types.is_duration(kind):
        return max(-_LONGEST * unit, _NOT_A_TIME + 1), _LONGEST * unit
    # By the clock of its zone a time may be of another day.
    margin = 0 if kind.tz is None else _DAY
    return max((_EARLIEST + margin) * unit, _NOT_A_TIME + 1), (_LATEST + 1 - margin) * unit


def _text(number: int, kind: pa.DataType) -> str:
    if pa.types.is_date(kind):
        unit = "ms" if pa.types.is_date64(kind) else "D"
        return str(np.array(number, f"datetime64[{unit}]").astype("datetime64[D]"))
    if pa.types.is_timestamp(kind):
        return f"{np.array(number, f'datetime64[{kind.unit}]')}{'Z' if kind.tz else ''}"
    return f"{number} {kind.unit}"

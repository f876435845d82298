"""Columns of the types that few programs send: every other type of pandas, NumPy and Arrow."""

from __future__ import annotations

import datetime
import decimal
import re
import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import strategies as st

_AT = datetime.datetime(2026, 3, 2, 10)
_D = decimal.Decimal
#: The cells of a column, as places among so many values; -1 for a missing one.
Places = list[int]
_VALUES = 2

_ARROW: list[tuple[pa.DataType, list[Any]]] = [
    (pa.string_view(), ["A", "urn:cookie:a"]),
    (pa.binary_view(), [b"A", b"\xff"]),
    (pa.binary(), [b"a", b"\xff\xfe"]),
    (pa.large_binary(), [b"a", b"\xff"]),
    (pa.binary(1), [b"a", b"\xff"]),
    (pa.list_view(pa.string()), [["urn:cookie:a"], []]),
    (pa.large_list_view(pa.string()), [["a", None], []]),
    (pa.list_(pa.string(), 1), [["a"], ["urn:email:a@x.org"]]),
    (pa.list_(pa.string_view()), [["urn:cookie:a"], [None]]),
    (pa.list_(pa.binary()), [[b"\xff"], []]),
    (pa.list_(pa.timestamp("ns")), [[_AT], []]),
    (pa.list_(pa.month_day_nano_interval()), [[(1, 2, 3)], []]),
    (pa.list_(pa.dictionary(pa.int8(), pa.string())), [["a"], ["b"]]),
    (pa.struct([("a", pa.timestamp("ns")), ("b", pa.list_(pa.string_view()))]),
     [{"a": _AT, "b": ["x"]}, {"a": None, "b": None}]),
    (pa.struct([]), [{}, {}]),
    (pa.map_(pa.string(), pa.list_(pa.int8())), [[("a", [1])], []]),
    (pa.decimal32(5, 2), [_D("1.10"), _D("12")]),
    (pa.decimal64(5, 2), [_D("1.10"), _D("12")]),
    (pa.decimal128(5, -2), [_D(100), _D(1200)]),
    (pa.decimal256(60, 2), [_D("1.10"), _D(10) ** 50]),
    (pa.date64(), [_AT.date(), datetime.date.max]),
    (pa.time32("s"), [_AT.time(), datetime.time.min]),
    (pa.time64("ns"), [_AT.time(), datetime.time.max]),
    (pa.duration("s"), [datetime.timedelta(1), datetime.timedelta.max]),
    (pa.timestamp("us", "Mars/Phobos"), [_AT, _AT]),
    (pa.timestamp("s", "+05:30"), [_AT, datetime.datetime.max]),
    (pa.month_day_nano_interval(), [(1, 2, 3), (0, 0, -1)]),
    (pa.float16(), [np.float16(1.5), np.float16("nan")]),
    (pa.float64(), [float("nan"), float("inf")]),
    (pa.uint64(), [2**64 - 1, 1]),
    (pa.uuid(), [uuid.UUID(int=1).bytes, uuid.UUID(int=2).bytes]),
]  # fmt: skip
#: Of types that Arrow makes of any number, whatever the calendar says.
_NUMBERED: list[tuple[pa.DataType, list[int]]] = [
    (pa.date32(), [6_000_000, -64_000_000]),
    (pa.date64(), [10**15, -(10**15)]),
    (pa.timestamp("s"), [2**63 - 1, -(2**63)]),
    (pa.timestamp("ms"), [10**15, -(10**15)]),
    (pa.timestamp("us", "Europe/Brussels"), [253_402_300_799_999_999, -(10**18)]),
    (pa.timestamp("ns"), [2**63 - 1, -(2**63)]),
    (pa.time32("s"), [10**9, -1]),
    (pa.time64("us"), [2**63 - 1, 86_400_000_000]),
    (pa.duration("s"), [2**62, -(2**63)]),
    (pa.list_(pa.timestamp("s")), [10**12, 1]),
]


def _numbered(kind: pa.DataType, numbers: list[int], places: Places) -> pa.Array:
    found = [None if p < 0 else numbers[p] for p in places]
    if not pa.types.is_list(kind):
        return pa.array(found, pa.int32() if kind.bit_width == 32 else pa.int64()).cast(kind)
    offsets = pa.array(range(len(found) + 1), pa.int32())
    return pa.ListArray.from_arrays(offsets, pa.array(found, pa.int64()).cast(kind.value_type))


def _indices(places: Places) -> pa.Array:
    return pa.array([None if p < 0 else p for p in places], pa.int8())


def _dictionary(words: pa.Array) -> Callable[[Places], pa.Array]:
    return lambda places: pa.DictionaryArray.from_arrays(_indices(places), words)


def _run_ends(values: list[Any]) -> Callable[[Places], pa.Array]:
    def made(places: Places) -> pa.Array:
        ends = pa.array(range(1, len(places) + 1), pa.int32())
        cells = pa.array([None if p < 0 else values[p] for p in places])
        return pa.RunEndEncodedArray.from_arrays(ends, cells)

    return made


def _union(places: Places) -> pa.Array:
    kinds = pa.array([max(p, 0) for p in places], pa.int8())
    texts, numbers = pa.array(["A"] * len(places)), pa.array([1] * len(places))
    return pa.UnionArray.from_sparse(kinds, [texts, numbers])


def _twice(places: Places) -> pa.Array:
    numbers = pa.array(places)
    return pa.StructArray.from_arrays([numbers, numbers], ["a", "a"])


def _not_utf8(places: Places) -> pa.Array:
    content = b"".join(b"\xff" if p < 0 else b"a" for p in places)
    ends = np.arange(len(places) + 1, dtype="int32")
    buffers = (pa.py_buffer(ends), pa.py_buffer(content))
    return pa.StringArray.from_buffers(len(places), *buffers)


def _opaque(places: Places) -> pa.Array:
    stored = pa.array([None if p < 0 else "a" for p in places], pa.string())
    return pa.ExtensionArray.from_storage(pa.opaque(pa.string(), "kind", "vendor"), stored)


_BUILT: list[Callable[[Places], pa.Array]] = [
    _dictionary(pa.array(["A", "urn:cookie:a"])),
    _dictionary(pa.array(["A", "A"])),
    _dictionary(pa.array(["A", None])),
    _dictionary(pa.array(["A", "B"], pa.string_view())),
    _dictionary(pa.array([_AT, _AT.replace(year=2027)])),
    _dictionary(pa.array([_AT.date(), _AT.date().replace(year=2027)])),
    _dictionary(pa.array([_D("1.10"), _D("2.50")])),
    _dictionary(pa.array([b"A", b"\xff"])),
    _dictionary(pa.array([["A"], []])),
    _run_ends(["A", "urn:cookie:a"]),
    _run_ends([1, 2]),
    _run_ends([_AT, _AT]),
    _union, _twice, _not_utf8, _opaque,
]  # fmt: skip

#: Of pandas and NumPy themselves: a dtype, and values of it.
_OTHERS: list[tuple[Any, list[Any]]] = [
    ("float16", [1.5, np.inf]),
    (np.longdouble, [1.5, np.nan]),
    ("complex64", [1j, np.nan]),
    (np.clongdouble, [1j, 2]),
    (">i4", [1, 2]),
    (">f8", [1.5, np.nan]),
    ("datetime64[s]", ["300000-01-01", "-300000-01-01"]),
    ("timedelta64[s]", [2**62, -(2**62)]),
    ("period[M]", [pd.Period("2026-03", "M"), pd.NaT]),
    ("interval[float64, both]", [pd.Interval(0.0, 1.0, "both"), np.nan]),
    (pd.SparseDtype("float64"), [1.5, np.nan]),
    (pd.SparseDtype("bool"), [True, False]),
    (pd.SparseDtype(object, None), ["A", None]),
    ("Float32", [1.5, None]),
    ("string[python]", ["A", None]),
]
_WORDS: list[Any] = [
    pd.IntervalIndex.from_breaks([0, 1, 2]),
    pd.period_range("2026-03", periods=2),
    pd.Index([b"A", b"\xff"]),
    pd.Index([1j, 2j]),
    pd.Index([_AT.date(), _D(2)], dtype=object),
    pd.Index([("a", 1), ("b", 2)], tupleize_cols=False),
    pd.Index([1, 2], dtype="Int64"),
    pd.Index([_AT.date(), _AT.date().replace(year=2027)], dtype=pd.ArrowDtype(pa.date32())),
    pd.Index(["A", "B"], dtype="string[pyarrow]"),
    pd.to_timedelta([1, 2], unit="D"),
]


class _Raises:
    """A value that fails whenever it is looked at."""

    def __repr__(self) -> str:
        raise RuntimeError

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    def __hash__(self) -> int:
        raise RuntimeError


class _Many:
    """A value that is equal to others in several ways at once."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> Any:
        return np.array([True, False])


def _deep(levels: int) -> Any:
    found: Any = {"a": 1}
    for level in range(levels):
        found = [found] if level % 2 else {"a": found}
    return found


def _cycle() -> Any:
    found: list[Any] = []
    found.append(found)
    return found


_OBJECTS: list[Any] = [
    _Raises(), _Many(), _cycle(), _deep(90), _deep(400), "\ud83d", {"\ud83d": "\ud83d"}, "a\0b",
    10**5000, _D("1E+400000"), _D("NaN"), np.void(b"ab"), np.clongdouble(1j), np.longdouble(1.5),
    np.datetime64("300000-01-01"), np.timedelta64(2**62, "s"), np.timedelta64(3, "M"),
    np.array([b"a"]), np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]), memoryview(b"a"),
    datetime.datetime.max, datetime.datetime.min.replace(tzinfo=datetime.UTC),
    datetime.timedelta.max, datetime.time(1, tzinfo=datetime.UTC), {1: 2, None: 3}, {"@@date": 1},
    {("a",): {b"b"}}, frozenset({"urn:cookie:a"}), bytearray(b"a"), re.compile("a"), len, re,
    pa.scalar(1), pa.array([1]), pd.Timestamp(np.datetime64("300000-01-01", "s")), ValueError("x"),
]  # fmt: skip


def _arrow(array: pa.Array) -> pd.Series:
    return pd.Series(pd.arrays.ArrowExtensionArray(pa.chunked_array([array])))


def _bytes_of_one_length(kind: str) -> Callable[[Places], pd.Series]:
    def made(places: Places) -> pd.Series:
        cells = np.array([b"A" if p < 0 else b"\xff" for p in places], dtype=kind)
        return pd.DataFrame(index=range(len(places))).assign(a=cells)["a"]

    return made


def _of_objects(values: list[Any]) -> Callable[[Places], pd.Series]:
    def made(places: Places) -> pd.Series:
        cells = np.full(len(places), None, dtype=object)
        for row, place in enumerate(places):
            cells[row] = None if place < 0 else values[place % len(values)]
        return pd.Series(cells, dtype=object)

    return made


def _of_dtype(dtype: Any, values: list[Any]) -> Callable[[Places], pd.Series]:
    # The last value stands for a missing one, where the dtype has such.
    of_numpy = isinstance(dtype, type) or dtype in ("datetime64[s]", "timedelta64[s]")
    made = np.array if of_numpy else pd.array
    return lambda places: pd.Series(made([values[p] for p in places], dtype=dtype))


def _of_categories(words: Any) -> Callable[[Places], pd.Series]:
    return lambda places: pd.Series(pd.Categorical.from_codes(places, categories=words))


def makers() -> list[Callable[[Places], pd.Series]]:
    """Return functions that make a column of places, one for each rare type."""
    return [
        *(lambda p, k=k, v=v: _arrow(pa.array([None if i < 0 else v[i] for i in p], k))
          for k, v in _ARROW),
        *(lambda p, k=k, v=v: _arrow(_numbered(k, v, p)) for k, v in _NUMBERED),
        *(lambda p, build=build: _arrow(build(p)) for build in _BUILT),
        *(_of_dtype(dtype, values) for dtype, values in _OTHERS),
        *(_of_categories(words) for words in _WORDS),
        *(_of_objects([value]) for value in _OBJECTS),
        _bytes_of_one_length("S3"), _bytes_of_one_length("V1"),
    ]  # fmt: skip


MAKERS = makers()


def rare_columns(size: int) -> st.SearchStrategy[pd.Series]:
    """Return a strategy of columns of so many cells, each of a rare type."""
    places = st.lists(st.integers(-1, _VALUES - 1), min_size=size, max_size=size)
    return st.builds(lambda make, cells: make(cells), st.sampled_from(MAKERS), places)

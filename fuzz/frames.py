"""Frames and options for `stitch` that nobody would write, but some program does."""

from __future__ import annotations

import datetime
import decimal
import re
import uuid
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import strategies as st

from fuzz.rare_columns import rare_columns

_TIMES = st.one_of(
    st.datetimes(datetime.datetime(2026, 3, 1), datetime.datetime(2026, 3, 20)),
    st.sampled_from([datetime.datetime(2026, 3, 2, 10), datetime.datetime(2026, 3, 29, 2, 30)]),
    st.datetimes(),
)
_ZONES = st.sampled_from(
    [None, "UTC", "Europe/Brussels", "America/St_Johns", "+05:30", "-11:00"]
)  # fmt: skip
_USUAL_TEXT = st.sampled_from(
    ["A", "B", "a@x.org", " A@X.ORG ", "1", "1.0", "007", "", " ", "null", "NaN", "-1", "0-0",
     "urn:cookie:a", "urn:Email:A@x.org", "urn:x:a:b", "urn::", "urn:x:", ":", "[]", "{}", "[1]",
     '["urn:cookie:a", 1, null]', '{"a": 1}', '{"a": 1, "a": 2}', "2026-03-02", "1772442000",
     "2026-03-02T10:00:00+01:00", "2 Mar 2026", "03/04/2026", "[" * 3000, "{\"a\":" * 2000,
     "\x00", "\ud83d", "é", "e\u0301", "\u200b", "=1+1", "<b>", "p_0123456789abcdef", "9" * 5000]
)  # fmt: skip
_TEXT = st.one_of(_USUAL_TEXT, st.text(max_size=6))
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-3, 3),
    st.sampled_from([1772442000, 1772442000000, 2**53 + 1, 2**63, 10**30, 10**400, -(10**18)]),
    st.floats(),
    _TEXT,
    _TIMES,
    _TIMES.map(lambda t: t.replace(tzinfo=datetime.timezone(datetime.timedelta(hours=3)))),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.decimals(),
    st.complex_numbers(),
    st.binary(max_size=4),
    st.uuids(),
    st.fractions(),
    st.sampled_from(
        [pd.NaT, pd.NA, np.nan, np.float32(1.5), np.int8(3), np.bool_(True), np.str_("a"),
         np.datetime64("2026-03-02"), np.datetime64("NaT", "us"), np.timedelta64(3, "s"),
         np.datetime64("300000-01-01"), pd.Timestamp("2026-03-02", tz="Europe/Brussels"),
         pd.Period("2026-03"), pd.Interval(0, 1), pd.Timedelta("1D"), Ellipsis, object, len,
         np.array([]), np.array([1, np.nan]), np.array([[1, 2], [3, 4]]), np.array("a"),
         np.array(["urn:cookie:a", None], dtype=object), frozenset({"urn:cookie:b"}),
         datetime.UTC, re.compile("a"), bytearray(b"a"), range(3), decimal.Decimal("sNaN"),
         uuid.UUID(int=12), pd.Series([1]), pd.DataFrame({"a": [1]}), pd.Index([1, 2])]
    ),
)  # fmt: skip
_HASHABLE_KEYS = st.one_of(_TEXT, st.integers(), st.none(), st.booleans(), st.floats())
_NESTED = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=2).map(tuple),
        st.dictionaries(_HASHABLE_KEYS, inner, max_size=3),
        st.dictionaries(st.sampled_from(["a", "b", "$email"]), inner, max_size=3),
    ),
    max_leaves=6,
)
_URNS = st.sampled_from(
    ["urn:cookie:a", "urn:cookie:b", "urn:email:a@x.org", "urn:email:B@x.org", "urn:cart_token:1",
     "urn:customer_id:1", "urn:cookie:null", "john@example.com", ""]
)  # fmt: skip


def _listed(values: st.SearchStrategy[Any], size: int) -> st.SearchStrategy[list[Any]]:
    return st.lists(values, min_size=size, max_size=size)


def _series(values: st.SearchStrategy[Any], size: int, dtype: Any) -> st.SearchStrategy[pd.Series]:
    return _listed(values, size).map(lambda cells: pd.Series(cells, dtype=dtype))


def _maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), values)


def _arrow(
    values: st.SearchStrategy[Any], size: int, kind: pa.DataType
) -> st.SearchStrategy[pd.Series]:
    def made(cells: list[Any]) -> pd.Series:
        return pd.Series(pd.arrays.ArrowExtensionArray(pa.array(cells, type=kind)))

    return _listed(_maybe(values), size).map(made)


def _utf8(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return values.map(lambda text: text.encode("utf-8", "replace").decode())


@st.composite
def _in_zone(draw: Any, size: int) -> pd.Series:
    near = st.datetimes(datetime.datetime(2026, 3, 1), datetime.datetime(2026, 3, 20))
    unit = draw(st.sampled_from(["s", "ms", "us", "ns"]))
    times = pd.Series(draw(_listed(_maybe(near), size)), dtype=f"datetime64[{unit}]")
    zone = draw(_ZONES)
    return times if zone is None else times.dt.tz_localize("UTC").dt.tz_convert(zone)


@st.composite
def _categories(draw: Any, size: int) -> pd.Series:
    words = draw(
        st.sampled_from([
            ["A", "B", "C"], [1, 2, 3], [1.5, 2.0, 3.0], ["A", 1, 2.5], [True, False],
            [b"a", b"b"], [("a", 1), ("b", 2)], ["", "null", " "], ["urn:cookie:a", "[]", "x"],
            pd.to_datetime(["2026-03-02", "2026-03-03"]), pd.timedelta_range("1D", periods=2),
            pd.date_range("2026-03-02", periods=2, tz="Europe/Brussels"),
            pd.interval_range(0, 2), pd.period_range("2026-03", periods=2), [],
        ])
    )  # fmt: skip
    codes = draw(_listed(st.integers(-1, len(words) - 1), size))
    ordered = draw(st.booleans())
    return pd.Series(pd.Categorical.from_codes(codes, categories=words, ordered=ordered))


def columns(size: int) -> st.SearchStrategy[pd.Series]:
    """Return a strategy of columns of so many cells, of any dtype."""
    small = st.integers(-3, 3)
    near = st.datetimes(datetime.datetime(2026, 3, 1), datetime.datetime(2026, 3, 20))
    words = _utf8(_TEXT)
    return st.one_of(
        _series(_NESTED, size, object),
        _series(_SCALARS, size, object),
        _series(_maybe(st.lists(_URNS, max_size=3)), size, object),
        _series(st.dictionaries(_TEXT, _NESTED, max_size=3), size, object),
        _series(_maybe(words), size, "str"),
        _series(_maybe(words), size, "string"),
        _series(_maybe(words), size, "string[python]"),
        _series(small, size, "int8"),
        _series(st.integers(0, 2**64 - 1), size, "uint64"),
        _series(st.sampled_from([1772442000, 1772442000000, 7, -(2**63)]), size, "int64"),
        _series(_maybe(small), size, "Int64"),
        _series(_maybe(st.integers(0, 2**64 - 1)), size, "UInt64"),
        _series(_maybe(st.floats(allow_nan=False)), size, "Float64"),
        _series(st.floats(), size, "float64"),
        _series(st.floats(width=16), size, "float16"),
        _series(st.booleans(), size, "bool"),
        _series(_maybe(st.booleans()), size, "boolean"),
        _series(st.complex_numbers(), size, "complex128"),
        _in_zone(size),
        _series(st.timedeltas(datetime.timedelta(-9), datetime.timedelta(9)), size,
                "timedelta64[us]"),
        _series(_maybe(near).map(lambda t: pd.NaT if t is None else pd.Period(t, "D")), size,
                "period[D]"),
        _series(small.map(lambda n: pd.Interval(n, n + 1)), size, "interval[int64, right]"),
        _series(st.sampled_from([0.0, 1.0, np.nan]), size, pd.SparseDtype("float64")),
        _series(st.sampled_from([0, 1]), size, pd.SparseDtype("int64", 0)),
        _categories(size),
        _arrow(words, size, pa.string()),
        _arrow(words, size, pa.large_string()),
        _arrow(words, size, pa.dictionary(pa.int32(), pa.string())),
        _arrow(small, size, pa.int64()),
        _arrow(st.booleans(), size, pa.bool_()),
        _arrow(st.floats(), size, pa.float64()),
        _arrow(st.binary(max_size=3), size, pa.binary()),
        _arrow(near, size, pa.timestamp("us")),
        _arrow(near, size, pa.timestamp("ms", "Europe/Brussels")),
        _arrow(near.map(datetime.datetime.date), size, pa.date32()),
        _arrow(st.times(), size, pa.time64("us")),
        _arrow(st.timedeltas(datetime.timedelta(-9), datetime.timedelta(9)), size,
               pa.duration("us")),
        _arrow(st.decimals(0, 99, places=2), size, pa.decimal128(6, 2)),
        _arrow(st.lists(words, max_size=2), size, pa.list_(pa.string())),
        _arrow(st.lists(st.tuples(words, small), max_size=2), size,
               pa.map_(pa.string(), pa.int64())),
        _arrow(st.fixed_dictionaries({"a": small, "b": words}), size,
               pa.struct([("a", pa.int64()), ("b", pa.string())])),
        _arrow(st.none(), size, pa.null()),
        *[rare_columns(size)] * 12,
    )  # fmt: skip


_LABELS = st.one_of(
    st.sampled_from(
        ["event_id", "eventID", "event_name", "eventName", "event", "timestamp", "received_at",
         "receivedAt", "source", "aliases", "alias.cookie", "__cvg_uid", "alias.email",
         "alias.customer_id", "alias.Cookie", "alias.", "alias", "properties", "properties.p",
         "properties.", "properties.a", "profile_properties", "profileProperties",
         "profile_properties.a", "profile_properties.p", "profile_properties.$email",
         "profile_properties.", "unset", "set_once", "profile.p", "profile.a", "profile_id", "row",
         "kind", "reason", "read_error", "file", "line", "index", "level_0", "steps", "at", "",
         "count", "events", "group", "alias_type"]
    ),
    st.text(max_size=4),
)  # fmt: skip
_ODD_LABELS = st.one_of(
    st.integers(-1, 2), st.none(), st.just(("a", "b")), st.just(np.nan), st.dates(),
    st.just("event_name"), st.just(b"x"),
)  # fmt: skip


@st.composite
def frames(draw: Any) -> pd.DataFrame:
    """Draw a frame of events with columns of any dtype and label, and any index."""
    size = draw(st.integers(0, 6))
    usual = {
        "event_name": _series(st.sampled_from(["A", "B", "C"]), size, "str"),
        "timestamp": _series(
            st.sampled_from([f"2026-03-02T10:0{m}:00Z" for m in range(5)]), size, "str"
        ),
        "alias.cookie": _series(_maybe(st.sampled_from(["a", "b", "c"])), size, "str"),
        "event_id": _series(_maybe(st.sampled_from(["1", "2"])), size, "str"),
        "profile_properties.p": _series(_maybe(st.sampled_from(["x", "y"])), size, "str"),
    }
    parts: dict[Any, pd.Series] = {name: draw(column) for name, column in usual.items()}
    for _ in range(draw(st.integers(0, 4))):
        parts[draw(_LABELS)] = draw(columns(size))
    if draw(st.booleans()):
        for name in draw(st.sets(st.sampled_from(list(usual)), max_size=3)):
            del parts[name]
    labels: list[Any] = draw(st.permutations(list(parts)))
    frame = pd.DataFrame({place: parts[name] for place, name in enumerate(labels)},
                         index=pd.RangeIndex(size))  # fmt: skip
    if draw(st.integers(0, 15)) == 0:
        labels[draw(st.integers(0, len(labels) - 1)) if labels else slice(0)] = draw(_ODD_LABELS)
    # pandas would make one label of a list of tuples.
    frame.columns = pd.Index(labels, dtype=object, tupleize_cols=False)
    if draw(st.integers(0, 30)) == 0 and labels:
        frame.columns = pd.MultiIndex.from_tuples([("x", str(label)) for label in labels])
    frame.index = draw(_indexes(size))
    return frame


def _indexes(size: int) -> st.SearchStrategy[pd.Index]:
    return st.sampled_from(
        [
            pd.RangeIndex(size),
            pd.RangeIndex(5, 5 + size),
            pd.Index([7] * size),
            pd.Index([f"r{n}" for n in range(size)], name="timestamp"),
            pd.MultiIndex.from_arrays([[1] * size, range(size)], names=["row", "event_name"]),
            pd.date_range("2026-03-02", periods=size, freq="D"),
            pd.Index([np.nan] * size),
            pd.CategoricalIndex(["x"] * size),
        ]
    )


@st.composite
def options(draw: Any) -> dict[str, Any]:
    """Draw options of `stitch`, most of them right."""
    possible = {
        "identity": st.sampled_from(["retroactive", "as_of"]),
        "duplicates": st.sampled_from(["drop", "merge"]),
        "dedupe_on": st.sampled_from(
            [("source", "event_id"), ("event_id", "timestamp"), ("event_id", "properties.p"),
             ("event_id", "profile_properties.a"), ("event_id", "aliases"), (), "event_id"]
        ),
        "tz": st.sampled_from(["Europe/Brussels", "UTC", "America/St_Johns", "+05:30", "", "x"]),
        "limits": st.sampled_from([{"cookie": 1}, {"email": 1, "cookie": 2}, {"nobody": 1}]),
        "max_age": st.sampled_from([{"cookie": "1min"}, {"email": "2D"}, {"cookie": "soon"}]),
        "alias_from": st.sampled_from([{"p": "email"}, {"a": "cookie"}, {"$email": "email"}]),
        "first": st.sampled_from([("*",), ("p",), "a", ("[",)]),
        "block": st.sampled_from([["a"], "urn:cookie:b", [re.compile("[ab]")], ["urn:cookie:"]]),
        "rename_events": st.sampled_from([{"A": "B"}, {"A": "", "B": "A"}, {"nothing": "A"}]),
        "strict": st.just(True),
        "columns": st.sampled_from([{"event_name": "event"}, {"alias.x": "properties.p"},
                                    {"timestamp": "received_at"}, {"nothing": "x"}]),
        "alias_priority": st.sampled_from([("cookie",), ()]),
    }  # fmt: skip
    chosen = draw(st.sets(st.sampled_from(sorted(possible)), max_size=3))
    return {name: draw(possible[name]) for name in sorted(chosen)}

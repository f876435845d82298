"""Columns of the types that few programs send, in every place of a frame."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import convergekit as ck
from fuzz.both import Asked, check_asked
from fuzz.rare_columns import MAKERS

AT = "2026-03-02T10:00:00Z"
PLACES = [
    "event_id", "event_name", "timestamp", "received_at", "source", "aliases", "alias.cookie",
    "properties", "properties.p", "profile_properties", "profile_properties.p", "unset",
    "set_once", "read_error", "note", "eventName",
]  # fmt: skip


def frame(**columns):
    usual = {
        "event_name": pd.Series(["A", "B", "A"], dtype="str"),
        "timestamp": [AT] * 3,
        "alias.cookie": ["a", "a", "b"],
        "event_id": pd.Series(["1", "1", None], dtype="str"),
        "properties.q": [1, 2, 3],
        "profile_properties.p": ["x", None, "y"],
    }
    return pd.DataFrame(usual).assign(**columns)


def arrow(array):
    return pd.Series(pd.arrays.ArrowExtensionArray(pa.chunked_array([array])))


@pytest.mark.parametrize("start", range(8))
def test_a_column_of_a_rare_type_is_stitched_in_any_place(start):
    # Each type in two places, and over all types in every place.
    for number in range(start, len(MAKERS), 8):
        for place in {PLACES[number // 8 % len(PLACES)], PLACES[number * 7 % len(PLACES)]}:
            given = frame(**{place: MAKERS[number]([0, 1, -1])})
            try:
                s = ck.stitch(given)
            except ck.ConvergekitError:
                continue
            assert sorted([*s.events["row"], *s.duplicates["row"], *s.rejected["row"]]) == [0, 1, 2]


def test_dates_name_no_event_in_memory_and_in_a_store():
    days = pd.Series([pd.Timestamp(AT).date()] * 3, dtype=pd.ArrowDtype(pa.date32()))
    check_asked(Asked(frame(event_name=days), in_store=True, figures=False))
    assert len(ck.stitch(frame(event_name=days)).rejected) == 3


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        (pd.arrays.SparseArray([1.5, np.nan, 0.0]), [1.5, None, 0.0]),
        (np.array([b"a", b"b", b"c"], dtype="S10"), [b"a", b"b", b"c"]),
        (pd.array(["a", "b", None], dtype=pd.ArrowDtype(pa.large_string())), ["a", "b", None]),
        (pd.Series([1, 2, 3], dtype=">i4"), [1, 2, 3]),
    ],
)
def test_values_of_rare_types_stay_what_they_are(tmp_path, values, kept):
    given = frame(event_id=[None] * 3, **{"properties.v": values})
    store = ck.open_store(tmp_path / "store")
    store.add(given)
    for s in (ck.stitch(given), store.stitched()):
        found = s.events["properties.v"]
        assert [None if pd.isna(cell) else cell for cell in found] == kept


def test_a_time_that_no_calendar_has_is_a_rejected_row_or_text():
    far = arrow(pa.array([0, 10**12, None]).cast(pa.timestamp("s")))
    s = ck.stitch(frame(timestamp=far))
    assert s.rejected["reason"].tolist()[-2:] == [
        "timestamp cannot be parsed",
        "timestamp is missing",
    ]
    s = ck.stitch(frame(event_id=[None] * 3, **{"properties.at": far}))
    assert s.events["properties.at"].tolist()[1] == "33658-09-27T01:46:40"
    listed = pa.ListArray.from_arrays(pa.array([0, 1, 2, 2]), pa.array([0, 10**12]))
    s = ck.stitch(frame(**{"properties.at": arrow(listed.cast(pa.list_(pa.timestamp("s"))))}))
    assert s.rejected["row"].tolist() == [1]
    assert s.rejected["reason"].iloc[0].startswith("properties.at: ")


@pytest.mark.parametrize("place", ["properties.p", "properties", "aliases", "note", "event_name"])
def test_a_cell_that_is_nested_too_deeply_is_a_rejected_row(place):
    cycle, deep = [], {"a": 1}
    cycle.append(cycle)
    for _ in range(5000):
        deep = {"a": [deep]}
    cells = np.full(3, None, dtype=object)
    cells[0], cells[1] = cycle, deep
    s = ck.stitch(frame(event_id=[None] * 3, **{place: pd.Series(cells, dtype=object)}))
    assert s.rejected["row"].tolist()[:2] == [0, 1]
    assert all("nested" in reason for reason in s.rejected["reason"][:2])


@pytest.mark.parametrize(
    ("told", "reason"),
    [([b"\xff", None, None], "�"), ([5, None, None], "5"), ([["a"], None, None], "['a']")],
)
def test_read_errors_that_are_not_text(told, reason):
    s = ck.stitch(frame(read_error=pd.Series(told, dtype=object)))
    assert s.rejected["reason"].tolist() == [reason]


def test_text_that_is_not_utf8_is_read_as_far_as_it_can():
    ends, content = np.arange(4, dtype="int32"), b"a\xffb"
    array = pa.StringArray.from_buffers(3, pa.py_buffer(ends), pa.py_buffer(content))
    s = ck.stitch(frame(event_id=[None] * 3, event_name=arrow(array)))
    assert s.events["event_name"].tolist() == ["a", "�", "b"]


def test_a_column_name_that_no_file_has_a_form_for():
    given = frame()
    given.columns = pd.Index([*given.columns[:-1], "properties.\ud83d"], dtype=object)
    with pytest.raises(ck.ColumnError, match="holds half of a character"):
        ck.stitch(given)

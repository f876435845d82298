"""Frames of other libraries, in and out: the same answers as the equal pandas frame's."""

from __future__ import annotations

import builtins
import decimal

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import convergekit as ck

NESTED = [
    {
        "eventID": "e1",
        "eventName": "PageView",
        "timestamp": "2026-03-02T10:00:00Z",
        "aliases": ["urn:cookie:7f3a"],
        "properties": {"$url": "/coffee", "total": None, "items": None},
        "profileProperties": {"utm_source": "newsletter"},
    },
    {
        "eventID": "e2",
        "eventName": "Placed Order",
        "timestamp": "2026-03-02T10:09:00Z",
        "aliases": ["urn:cookie:7f3a", "urn:email:Ada@example.com"],
        "properties": {"$url": None, "total": 12.5, "items": [{"sku": "A", "n": 2}]},
        "profileProperties": None,
    },
    {
        "eventID": "e1",
        "eventName": "PageView",
        "timestamp": "2026-03-02T10:00:01Z",
        "aliases": [],
        "properties": None,
        "profileProperties": {"utm_source": "ads"},
    },
]


def _flat_store() -> pd.DataFrame:
    return ck.simulate_store(people=40).events


def _tables(frame: pd.DataFrame) -> dict[str, object]:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    return {
        "polars": pl.from_arrow(table),
        "pyarrow": table,
        "stream": table.to_reader(max_chunksize=7),
        "duckdb": duckdb.from_arrow(table),
    }


def _cells(column: pd.Series) -> list[object]:
    """Return the cells with one spelling of missing."""
    return [None if pd.api.types.is_scalar(cell) and pd.isna(cell) else cell for cell in column]


def _assert_same_stitch(found: ck.Stitched, expected: ck.Stitched) -> None:
    assert set(found.events) == set(expected.events)
    for name in expected.events:
        assert _cells(found.events[name]) == _cells(expected.events[name]), name
    pd.testing.assert_frame_equal(found.aliases, expected.aliases)
    assert found.duplicates[["row", "kept_row"]].equals(expected.duplicates[["row", "kept_row"]])


@pytest.mark.parametrize("library", ["polars", "pyarrow", "stream", "duckdb"])
def test_a_flat_table_is_stitched_like_the_equal_frame(library):
    frame = _flat_store()
    _assert_same_stitch(ck.stitch(_tables(frame)[library]), ck.stitch(frame))


@pytest.mark.parametrize("library", ["polars", "pyarrow", "duckdb"])
def test_nested_objects_are_opened_like_dictionaries(library):
    table = pa.Table.from_pylist(NESTED)
    given = {
        "polars": pl.DataFrame(NESTED, strict=False),
        "pyarrow": table,
        "duckdb": duckdb.from_arrow(table),
    }[library]
    found = ck.stitch(given)
    _assert_same_stitch(found, ck.stitch(pd.DataFrame(NESTED)))
    assert found.events["properties.items"].iloc[1] == [{"sku": "A", "n": 2}]
    assert found.events["profile.utm_source"].tolist() == ["newsletter", "newsletter"]


def test_a_struct_beside_a_flat_column_of_the_same_name_is_united_with_it():
    table = pa.table(
        {
            "event_name": ["PageView", "PageView"],
            "timestamp": ["2026-03-02T10:00:00Z"] * 2,
            "alias.cookie": ["a", "b"],
            "properties": [{"plan": "pro"}, {"plan": None}],
            "properties.plan": [None, "basic"],
        }
    )
    assert ck.stitch(table).events["properties.plan"].tolist() == ["pro", "basic"]


def test_types_are_kept():
    table = pa.table(
        {
            "event_name": pa.array(["PageView", "Placed Order"]).dictionary_encode(),
            "timestamp": pa.array([1772445600000000] * 2, pa.timestamp("us", "Europe/Brussels")),
            "alias.customer_id": pa.array([9007199254740993, None]),
            "alias.email": pa.array(["a@x.org", None], pa.string_view()),
            "properties.total": pa.array([decimal.Decimal("12.50"), None], pa.decimal128(9, 2)),
            "properties.day": pa.array([20514, None], pa.date32()),
            "properties.paid": pa.array([True, None]),
            "properties.n": pa.array([2**60 + 1, None], pa.int64()),
        }
    )
    s = ck.stitch(table)
    assert s.aliases["alias_value"].tolist() == ["9007199254740993", "a@x.org"]
    assert str(s.events["timestamp"].iloc[0]) == "2026-03-02 10:00:00+00:00"
    assert s.events["properties.paid"].tolist() == [True, pd.NA]
    back = s.to_arrow()
    for name in ("properties.total", "properties.day", "properties.paid", "properties.n"):
        assert back.schema.field(name).type == table.schema.field(name).type, name
        assert back.column(name).to_pylist() == table.column(name).to_pylist()
    assert back.column("event_name").to_pylist() == ["PageView", "Placed Order"]


def test_dictionaries_become_categoricals_and_go_back_as_dictionaries():
    words = pa.DictionaryArray.from_arrays(pa.array([1, None, 0], pa.uint8()), ["b", "a"])
    table = pa.table(
        {
            "event_name": ["PageView"] * 3,
            "timestamp": ["2026-03-02T10:00:00Z"] * 3,
            "alias.cookie": ["a", "b", "c"],
            "properties.plan": words,
        }
    )
    s = ck.stitch(table)
    assert isinstance(s.events["properties.plan"].dtype, pd.CategoricalDtype)
    back = s.to_arrow().column("properties.plan")
    assert pa.types.is_dictionary(back.type)
    assert back.to_pylist() == ["a", None, "b"]


@pytest.mark.parametrize("last", [None, "x"])
def test_dictionaries_whose_words_repeat_are_text(last):
    words = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, None]), ["x", "x", last])
    table = pa.table(
        {
            "event_name": ["PageView"] * 4,
            "timestamp": ["2026-03-02T10:00:00Z"] * 4,
            "alias.cookie": list("abcd"),
            "properties.plan": words,
        }
    )
    assert _cells(ck.stitch(table).events["properties.plan"]) == ["x", "x", last, None]


def test_text_goes_out_without_a_copy():
    s = ck.stitch(_flat_store())
    table = s.to_arrow()
    held = s.events["event_name"].array._pa_array.chunk(0)
    assert table.column("event_name").chunk(0).buffers()[2].address == held.buffers()[2].address


def test_text_comes_in_without_a_copy():
    names = pa.array(["PageView"] * 100, pa.large_string())
    table = pa.table(
        {"event_name": names, "timestamp": ["2026-03-02"] * 100, "alias.cookie": ["a"] * 100}
    )
    frame = ck.read_events(table)
    held = frame["event_name"].array._pa_array.chunk(0)
    assert held.buffers()[2].address == names.buffers()[2].address


def test_events_go_to_polars_and_come_back_the_same():
    s = ck.stitch(_flat_store())
    out = s.to_polars()
    assert out.schema["timestamp"] == pl.Datetime("us", "UTC")
    assert out.columns == s.events.columns.tolist()
    again = ck.stitch(out)
    pd.testing.assert_frame_equal(again.aliases, s.aliases)
    steps = ["PageView", "Added To Cart", "Placed Order"]
    expected = s.funnel(steps, within="7D").table
    pd.testing.assert_frame_equal(ck.funnel(out, steps, within="7D").table, expected)


def test_a_column_of_mixed_types_goes_out_as_json():
    frame = pd.DataFrame(
        {
            "event_name": ["PageView"] * 3,
            "timestamp": ["2026-03-02"] * 3,
            "alias.cookie": ["a", "b", "c"],
            "properties.x": pd.Series([1, "a", None], dtype=object),
        }
    )
    assert ck.stitch(frame).to_arrow().column("properties.x").to_pylist() == ["1", '"a"', None]


def test_without_polars_the_error_names_the_extra(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "polars":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    s = ck.stitch(_flat_store())
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ck.ConvergekitError, match=r"convergekit\[polars\]"):
        s.to_polars()


def test_what_is_no_table_is_refused():
    with pytest.raises(ck.ConvergekitError, match="events must be a DataFrame.*got a list"):
        ck.stitch([{"event_name": "PageView"}])
    with pytest.raises(ck.ConvergekitError, match=r"several exports .*pd\.concat"):
        ck.stitch([_flat_store(), _flat_store()])
    with pytest.raises(ck.ConvergekitError, match=r"LazyFrame.*call \.collect\(\)"):
        ck.stitch(pl.DataFrame({"a": [1]}).lazy())


def test_columns_that_stand_twice_are_refused():
    table = pa.table([["PageView"], ["x"]], names=["event_name", "event_name"])
    with pytest.raises(ck.ColumnError, match="occur twice: 'event_name'"):
        ck.stitch(table)


def test_an_empty_table_is_stitched():
    empty = pl.DataFrame(
        schema={"event_name": pl.String, "timestamp": pl.Datetime, "alias.cookie": pl.Categorical}
    )
    assert len(ck.stitch(empty).events) == 0


def test_categories_of_any_kind_go_to_polars_as_values():
    values = {"size": [1.5, None, 2.5], "kind": ["a", None, "b"], "gift": [True, None, False]}
    frame = pd.DataFrame(
        {"event_name": "PageView", "timestamp": "2026-03-02", "alias.cookie": ["a", "b", "c"]}
        | {f"properties.{name}": pd.Categorical(cells) for name, cells in values.items()}
    )
    out = ck.stitch(frame).to_polars()
    assert {name: out[f"properties.{name}"].to_list() for name in values} == values

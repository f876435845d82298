"""What `python -m fuzz` found, each made small. Every case broke something once."""

from __future__ import annotations

import json
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import convergekit as ck

AT = "2026-03-02T10:00:00Z"


def read(tmp_path, content, name="a.jsonl", **options):
    if not isinstance(content, (bytes, str)):
        content = "".join(json.dumps(row) + "\n" for row in content)
    (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return ck.read_events(tmp_path / name, **options)


GA4 = {
    "event_timestamp": "1772442480027000", "event_name": "page_view", "user_pseudo_id": "1.2",
    "event_params": [{"key": "page", "value": {"string_value": "/"}}],
}  # fmt: skip


@pytest.mark.parametrize(
    "odd",
    [None, 7, "key", {"key": None}, {"key": ["a"]}, {"value": 1}],
)
def test_a_parameter_of_ga4_that_is_none_is_passed_over(tmp_path, odd):
    events = read(tmp_path, [GA4 | {"event_params": [odd, *GA4["event_params"]]}])
    assert events["properties.page"].tolist() == ["/"]


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"int_value": "soon"}, "soon"),
        ({"int_value": "9007199254740993"}, 9007199254740993),
        ({"int_value": [1]}, [1]),
        ({"double_value": "1.5"}, 1.5),
        ({"double_value": {"a": 1}}, {"a": 1}),
        ({"float_value": "much"}, "much"),
    ],
)
def test_a_value_of_ga4_that_is_no_number_stays(tmp_path, value, kept):
    events = read(tmp_path, [GA4 | {"event_params": [{"key": "p", "value": value}]}])
    assert events["properties.p"].tolist() == [kept]


def test_an_order_line_of_shopify_that_is_none_is_passed_over(tmp_path):
    order = {"id": 1, "created_at": AT, "total_price": "1.00", "currency": "EUR"}
    order["order_number"] = 1001
    lines = [None, "sku", 3, {"sku": "A"}]
    events = read(tmp_path, [order | {"line_items": lines}])
    assert events["properties.items"].tolist() == [[{"sku": "A"}]]


@pytest.mark.parametrize(
    ("second", "aliases"),
    [
        (123.0, ["urn:distinct_id:123", "urn:distinct_id:a"]),
        ({"id": 1}, ["urn:distinct_id:a"]),
        ([1, 2], ["urn:distinct_id:a"]),
        (True, ["urn:distinct_id:a"]),
    ],
)
def test_a_second_alias_of_a_type_is_text_as_the_first_is(tmp_path, second, aliases):
    row = {"uuid": "1", "event": "$identify", "distinct_id": "a", "timestamp": AT,
           "properties": {"$anon_distinct_id": second}}  # fmt: skip
    s = ck.stitch(read(tmp_path, [row, row | {"uuid": "2", "properties": {}}]))
    assert sorted(s.alias_graph) == aliases
    assert sum(s.report.malformed.values()) == 2 - len(aliases)


@pytest.mark.parametrize("odd", [{"type": ["profile"]}, {"id": 7}, {"type": None}, {"id": {}}])
def test_a_resource_of_klaviyo_whose_type_or_id_is_no_text_is_named_by_nothing(tmp_path, odd):
    link = {"type": "profile", "id": "p"}
    event = {
        "type": "event", "id": "1", "attributes": {"datetime": AT, "event_properties": {}},
        "relationships": {"metric": {"data": {"id": "m"}}, "profile": {"data": link | odd}},
    }  # fmt: skip
    person = link | {"attributes": {"email": "a@x.org"}}
    page = {"data": [event], "included": [person, person | odd, {"type": "metric"}]}
    events = read(tmp_path, json.dumps(page), "a.json")
    assert events["event_name"].tolist() == ["m"]
    assert "alias.email" not in events


def stitched(**columns):
    size = max(map(len, columns.values()))
    frame = pd.DataFrame({"event_name": ["A"] * size, "timestamp": [AT] * size,
                          "alias.cookie": ["c"] * size})  # fmt: skip
    return ck.stitch(frame.assign(**columns))


def test_names_to_erase_that_are_nested_too_deeply_are_one_name():
    deep = "[" * 100_000
    s = stitched(unset=[deep], **{"profile_properties.p": ["x"]})
    assert s.events["profile.p"].tolist() == ["x"]


@pytest.mark.parametrize("cell", [np.array("urn:cookie:d"), np.array(5)])
def test_an_array_without_a_length_is_its_only_value(cell):
    s = stitched(aliases=pd.Series([cell], dtype=object), properties=[{"p": cell}])
    assert len(s.events) == 1
    assert s.events["properties.p"].tolist() == [cell.item()]


def test_complex_numbers_are_no_times():
    s = stitched(timestamp=np.array([1772442000 + 1j, 2j]))
    assert s.rejected["reason"].tolist() == ["timestamp cannot be parsed"] * 2


def test_an_empty_list_under_two_spellings_of_the_event_id_is_no_id():
    lists = pd.Series([None, None, []], dtype=pd.ArrowDtype(pa.list_(pa.string())))
    s = stitched(event_id=lists, eventID=pd.Series([None] * 3, dtype=object))
    assert s.events["event_id"].isna().tolist() == [True] * 3


def test_a_number_that_signals_when_looked_at_is_nothing():
    signal = Decimal("sNaN")
    given = pd.Series([signal, Decimal("1.5"), [signal], {"a": signal}, None], dtype=object)
    before = given.copy()
    s = stitched(**{"properties.p": given, "eventName": pd.Series([signal, *"AAAA"], dtype=object)})
    assert s.events["properties.p"].tolist() == [None, Decimal("1.5"), [None], {"a": None}, None]
    assert list(map(repr, given)) == list(map(repr, before))
    opened = stitched(properties=[{"p": signal, "q": [signal]}], profileProperties=[{"r": signal}])
    assert opened.events["properties.p"].isna().all()
    assert opened.events["properties.q"].tolist() == [[None]]
    assert opened.events["profile.r"].isna().all()


def test_a_parquet_object_that_names_a_key_twice_keeps_the_last(tmp_path):
    objects = pa.array([[("a", 1), ("a", 2)]], pa.map_(pa.string(), pa.int64()))
    row = {"event_name": ["A"], "timestamp": [AT], "alias.cookie": ["c"], "properties": objects}
    pq.write_table(pa.table(row), tmp_path / "a.parquet")
    assert ck.read_events(tmp_path / "a.parquet")["properties.a"].tolist() == [2]


def test_a_day_of_a_parquet_file_that_no_calendar_has_is_an_error(tmp_path):
    days = pa.array([[-64_000_000]], pa.list_(pa.int32())).cast(pa.list_(pa.date32()))
    row = {"event_name": ["A"], "timestamp": [AT], "alias.cookie": ["c"], "properties.d": days}
    pq.write_table(pa.table(row), tmp_path / "a.parquet")
    with pytest.raises(ck.ReadError, match="cannot be read as Parquet"):
        ck.read_events(tmp_path / "a.parquet")


def test_a_name_in_a_parquet_file_that_is_no_text_is_an_error(tmp_path):
    row = {"event_name": ["A"], "timestamp": [AT], "alias.cookie": ["c"]}
    pq.write_table(pa.table(row).replace_schema_metadata(None), tmp_path / "a.parquet")
    content = (tmp_path / "a.parquet").read_bytes()
    with pytest.raises(ck.ReadError, match="cannot be read as Parquet"):
        read(tmp_path, content.replace(b"event_name", b"event_nam\xc5"), "b.parquet")

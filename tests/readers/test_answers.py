"""Answers of an API that wrap rows are opened; a row that looks like one is not."""

from __future__ import annotations

import json

import pandas as pd
import pytest

import convergekit as ck

ORDER = {
    "id": 1,
    "order_number": 1001,
    "created_at": "2026-03-02T10:00:00+01:00",
    "line_items": [{"title": "Beans", "quantity": 1, "price": "12.50"}],
    "total_price": "12.50",
    "currency": "EUR",
    "financial_status": "paid",
    "email": "ada@example.com",
    "customer": {"id": 7},
}
EVENT = {
    "id": "e1",
    "distinct_id": "d1",
    "event": "$pageview",
    "timestamp": "2026-03-02T10:00:00Z",
    "properties": {"$device_id": "d1"},
    "person": {"is_identified": False},
    "elements": [],
    "elements_chain": "",
}
PAGES = {
    "one key": {"orders": [ORDER, {**ORDER, "id": 2}]},
    "a count": {"orders": [ORDER, {**ORDER, "id": 2}], "count": 2},
    "links": {"orders": [ORDER, {**ORDER, "id": 2}], "links": {"next": None}, "errors": []},
}
CALL = {"type": "track", "event": "Order", "messageId": "m1", "anonymousId": "a1",
        "timestamp": "2026-03-02T10:00:00Z"}  # fmt: skip


@pytest.fixture
def read(tmp_path):
    def read(*answers, name="answer.json", **options):
        path = tmp_path / name
        path.write_text("\n".join(map(json.dumps, answers)), "utf-8")
        return ck.read_events(path, **options)

    return read


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
@pytest.mark.parametrize("name", ["answer.json", "answer.jsonl"])
def test_a_page_is_its_rows(read, page, name):
    found = read(page, name=name)
    assert found["event_id"].tolist() == [1, 2]
    assert found["line"].tolist() == [1, 2]
    assert set(found["event_name"]) == {"Placed Order"}


def test_pages_below_one_another_are_their_rows_and_say_their_line(read):
    found = read(*PAGES.values(), name="pages.jsonl")
    assert found["event_id"].tolist() == [1, 2] * 3
    assert found["line"].tolist() == [1, 1, 2, 2, 3, 3]


def test_pages_in_an_array_are_their_rows(tmp_path):
    path = tmp_path / "pages.json"
    path.write_text(json.dumps(list(PAGES.values())), "utf-8")
    assert ck.read_events(path)["event_id"].tolist() == [1, 2] * 3


def test_one_wrapped_object_is_a_row(read):
    assert read({"order": ORDER})["event_id"].tolist() == [1]


def test_segments_batch_and_posthogs_page(read):
    batch = {"batch": [CALL], "sentAt": "2026-03-02T10:00:01Z", "context": {"library": {}}}
    assert read(batch)["event_name"].tolist() == ["Order"]
    page = {"next": "https://posthog.example/next", "results": [EVENT, {**EVENT, "id": "e2"}]}
    assert read(page)["event_id"].tolist() == ["e1", "e2"]
    assert len(read({"next": None, "results": []})) == 0


def test_a_row_with_a_list_of_objects_is_a_row(read):
    mapping = {"event_name": "what", "timestamp": "at"}
    rows = [
        {"what": "Order", "at": "2026-03-02", "order_id": 7, "lines": [{"sku": "A"}, {"sku": "B"}]},
        {"event_name": "Order", "timestamp": "2026-03-02", "aliases": [], "lines": [{"sku": "A"}]},
        {"what": "Order", "at": "2026-03-02", "who": "ada", "lines": [{"sku": "A"}, {"sku": "B"}]},
    ]
    for row in (rows[0], rows[2]):
        assert read(row, columns=mapping)["lines"].tolist() == [row["lines"]]
        assert read(row, row, columns=mapping)["lines"].tolist() == [row["lines"]] * 2
    assert read(rows[1])["lines"].tolist() == [rows[1]["lines"]]
    order = {key: value for key, value in ORDER.items() if key != "customer"}
    assert read(order)["properties.total_price"].tolist() == [12.5]


def test_two_lists_of_objects_are_not_guessed_at(read):
    with pytest.raises(ck.ColumnError):
        read({"orders": [ORDER], "refunds": [{"amount": 1}]})


def test_something_other_than_objects_between_the_rows_is_not_an_answer(read):
    with pytest.raises(ck.ColumnError):
        read({"orders": [ORDER, 7], "count": 2})


def test_a_query_with_names_apart(read):
    names = ["uuid", "event", "distinct_id", "timestamp", "properties"]
    row = ["u1", "$pageview", "d1", "2026-03-02T10:00:00Z", json.dumps({"$device_id": "d1"})]
    found = read({"columns": names, "results": [row, row[:2]], "types": [["uuid", "UUID"]],
                  "timings": [{"k": "parse", "t": 0.1}], "hogql": "SELECT …"})  # fmt: skip
    assert found["event_id"].tolist()[0] == "u1"
    assert found["alias.cookie"].tolist()[0] == "d1"
    assert found["read_error"].tolist()[1] == "expected 5 fields, found 2"
    assert ck.stitch(found).rejected["line"].tolist() == [2]


def test_a_klaviyo_document_of_one_resource(read):
    event = {"type": "event", "id": "e1",
             "attributes": {"datetime": "2026-03-02T10:00:00+00:00", "event_properties": {"n": 1}},
             "relationships": {"metric": {"data": {"type": "metric", "id": "m1"}},
                               "profile": {"data": {"type": "profile", "id": "p1"}}}}  # fmt: skip
    metric = {"type": "metric", "id": "m1", "attributes": {"name": "Placed Order"}}
    found = read({"data": event, "included": [metric]})
    assert found["event_name"].tolist() == ["Placed Order"]
    lines = read(*[{"data": event, "included": [metric]}] * 3, name="lines.jsonl")
    assert lines["event_name"].tolist() == ["Placed Order"] * 3
    assert lines["line"].tolist() == [1, 2, 3]
    again = read({"data": [event], "included": [metric]}, name="list.json")
    pd.testing.assert_frame_equal(
        found.drop(columns=["file", "source"]), again.drop(columns=["file", "source"])
    )

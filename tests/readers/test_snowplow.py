"""Snowplow: the enriched TSV is the warehouse's table, and self-describing JSON is opened."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import pandas as pd
import pytest

import convergekit as ck
from convergekit.readers.vendors.enriched_tsv import ENRICHED

TABLE = Path(__file__).parents[2] / "data" / "exports" / "snowplow.csv"
EVENT = "unstruct_event_com_coffee_cart_action_1"
PAGE = "contexts_com_snowplowanalytics_snowplow_web_page_1"
IGLU = "iglu:com.snowplowanalytics.snowplow"


def self_describing(name, data):
    return {"schema": f"{name}/jsonschema/1-0-0", "data": data}


def enriched(row):
    """Return a row of the table as the pipeline writes it."""
    cells = dict.fromkeys(ENRICHED, "") | {n: v for n, v in row.items() if n in ENRICHED}
    if row.get(EVENT):
        event = self_describing("iglu:com.coffee/cart_action", json.loads(row[EVENT]))
        cells["unstruct_event"] = json.dumps(self_describing(f"{IGLU}/unstruct_event", event))
    if row.get(PAGE):
        pages = [self_describing(f"{IGLU}/web_page", page) for page in json.loads(row[PAGE])]
        cells["contexts"] = json.dumps(self_describing(f"{IGLU}/contexts", pages))
    return "\t".join(cells.values())


@pytest.fixture(scope="module")
def lines():
    with TABLE.open(encoding="utf-8", newline="") as file:
        return [enriched(row) for row in csv.DictReader(file)]


def write(path, lines):
    text = "\n".join(lines) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.parametrize("name", ["enriched.tsv", "enriched.tsv.gz", "enriched.csv"])
def test_the_tsv_is_read_as_the_table_is(tmp_path, lines, name):
    found = ck.read_events(write(tmp_path / name, lines))
    table = ck.read_events(TABLE)
    beside = ["file", "source", "line"]
    pd.testing.assert_frame_equal(found.drop(columns=beside), table.drop(columns=beside))
    assert found["line"].tolist() == [line - 1 for line in table["line"]]


def test_the_fields_are_131_and_those_read_stand_where_the_sdk_has_them():
    assert len(ENRICHED) == len(set(ENRICHED)) == 131
    places = {"event_id": 6, "user_id": 12, "page_url": 29, "contexts": 52, "unstruct_event": 58,
              "derived_contexts": 122, "derived_tstamp": 124, "event_name": 126,
              "event_fingerprint": 129}  # fmt: skip
    assert {name: ENRICHED.index(name) for name in places} == places


def test_nothing_is_quoted_and_a_short_line_is_rejected(tmp_path, lines):
    cells = lines[0].split("\t")
    cells[ENRICHED.index("page_url")] = '"quoted" and, with; all'
    found = ck.read_events(write(tmp_path / "e.tsv", ["\t".join(cells), "a\tb", lines[1]]))
    assert found["properties.$url"].tolist()[0] == '"quoted" and, with; all'
    assert found["read_error"].tolist()[1] == "expected 131 fields, found 2"
    assert found["line"].tolist() == [1, 2, 3]
    assert ck.stitch(found).rejected["line"].tolist() == [2]


def test_a_tsv_with_a_header_has_its_own_columns(tmp_path, lines):
    found = ck.read_events(write(tmp_path / "e.tsv", ["\t".join(ENRICHED), *lines]))
    assert found["line"].tolist()[0] == 2
    assert len(found) == len(lines)


ROW = {
    "event_id": "e1",
    "event": "unstruct",
    "event_name": "order_placed",
    "collector_tstamp": "2026-03-02 10:00:00",
    "domain_userid": "d-1",
}


def read(**fields):
    return ck.read_events(pd.DataFrame([{**ROW, **fields}])).iloc[0]


def test_the_canonical_names_are_opened():
    inner = self_describing("iglu:com.shop/order_placed", {"order_id": "1001", "revenue": 42.5})
    entities = [
        self_describing("iglu:com.shop/shopCart", {"n": 1}),
        self_describing("iglu:com.shop/shopCart", {"n": 2}),
    ]
    row = read(
        unstruct_event=json.dumps(self_describing(f"{IGLU}/unstruct_event", inner)),
        contexts=self_describing(f"{IGLU}/contexts", entities),
        derived_contexts=json.dumps(self_describing(f"{IGLU}/contexts", entities[:1])),
    )
    assert row["properties.order_id"] == "1001"
    assert row["properties.revenue"] == 42.5
    assert row["properties.contexts_com_shop_shop_cart_1"] == [{"n": 1}, {"n": 2}, {"n": 1}]


@pytest.mark.parametrize("column", ["unstruct_event", "contexts", "derived_contexts"])
@pytest.mark.parametrize("value", ["text", 7, {"data": [{"schema": 3}]}, {"data": 1}, {}])
def test_what_is_of_another_shape_is_kept_whole(column, value):
    assert read(**{column: value})[f"properties.{column}"] == value


def test_one_event_id_with_two_fingerprints_is_two_events_on_request():
    rows = [
        {**ROW, "domain_userid": f"d-{day}", "event_fingerprint": mark,
         "collector_tstamp": f"2026-03-0{day} 10:00:00"}
        for day, mark in ((2, "aa"), (5, "bb"))
    ]  # fmt: skip
    events = ck.read_events(pd.DataFrame(rows))
    assert len(ck.stitch(events).events) == 1
    on = ("event_id", "properties.event_fingerprint")
    assert len(ck.stitch(events, dedupe_on=on).events) == 2


def test_click_ids_have_their_usual_names():
    names = {"Google": "gclid", "Microsoft": "msclkid", "DoubleClick": "dclid"}
    for network, name in names.items():
        row = read(mkt_network=network, mkt_clickid="x1")
        assert row[f"profile_properties.{name}"] == "x1"
    other = read(mkt_network="Acme", mkt_clickid="x1")
    assert other["properties.mkt_clickid"] == "x1"
    assert not [name for name in other.index if name.startswith("profile_properties.")]
    s = ck.stitch(ck.read_events(pd.DataFrame([{**ROW, "mkt_network": "Google",
                                                "mkt_clickid": "x1"}])))  # fmt: skip
    assert s.sessions()["click_id"].tolist() == ["gclid"]

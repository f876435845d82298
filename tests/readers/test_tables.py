"""Tables of a database, read through the user's own connection."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import ibis
import pandas as pd
import pytest

import convergekit as ck
from convergekit.readers.fields import Rows
from convergekit.readers.recognition import paths_read
from convergekit.readers.tables import projected
from convergekit.readers.vendors.ga4 import GA4

EXPORTS = Path(__file__).parents[2] / "data" / "exports"

PARAMETER = (
    "struct<key: string, value: struct<string_value: string, int_value: int64, "
    "float_value: float64, double_value: float64>>"
)
SCHEMA = {
    "event_date": "string",
    "event_timestamp": "int64",
    "event_name": "string",
    "event_params": f"array<{PARAMETER}>",
    "user_pseudo_id": "string",
    "user_id": "string",
    "user_properties": f"array<{PARAMETER}>",
    "device": "struct<category: string, mobile_brand_name: string>",
    "geo": "struct<continent: string, country: string, metro: string>",
    "collected_traffic_source": "struct<manual_source: string, gclid: string>",
    "app_info": "struct<id: string, version: string>",
}


@pytest.fixture
def con():
    return duckdb.connect()


def tables(con, name):
    """Return the same rows as an Ibis table and as a DuckDB relation."""
    source = f"read_json_auto('{EXPORTS / name}', sample_size=-1)"
    con.execute(f"CREATE TABLE events AS SELECT * FROM {source}")
    return ibis.duckdb.from_connection(con).table("events"), con.sql("SELECT * FROM events")


def stitched(events):
    s = ck.stitch(events)
    people = s.profiles[["first_seen", "last_seen", "events"]]
    return s, people.sort_values(list(people)).reset_index(drop=True)


@pytest.mark.parametrize("name", ["ga4.jsonl", "segment.jsonl", "converge_bigquery_events.jsonl"])
def test_a_table_is_read_as_its_export(con, name):
    if not (EXPORTS / name).exists():
        name = sorted(path.name for path in EXPORTS.glob("converge_bigquery*"))[0]
    expected, people = stitched(ck.read_events(EXPORTS / name))
    for table in tables(con, name):
        events = ck.read_events(table)
        assert not {"file", "line"} & set(events)
        s, found = stitched(events)
        assert sorted(s.events["event_name"].dropna()) == sorted(
            expected.events["event_name"].dropna()
        )
        pd.testing.assert_frame_equal(found, people)
        one = ck.read_events(table.filter("false") if hasattr(table, "project")
                             else table.limit(0))  # fmt: skip
        assert len(one) == 0


def test_a_filter_of_the_users_comes_first(con):
    table, _ = tables(con, "ga4.jsonl")
    found = ck.read_events(table.filter(table.event_name == "purchase"))
    assert set(found["event_name"]) == {"purchase"}
    assert found["properties.transaction_id"].notna().all()


def test_only_what_a_format_reads_is_asked_for():
    table = ibis.table(SCHEMA, name="events_20260302")
    head = pd.DataFrame([json.loads(line) for line in
                         (EXPORTS / "ga4.jsonl").read_text("utf-8").splitlines()])  # fmt: skip
    found = projected(table, paths_read(GA4, Rows(head)))
    schema = found.schema()
    assert "app_info" not in schema
    assert schema["geo"] == ibis.dtype("struct<country: string>")
    assert schema["device"] == ibis.dtype("struct<category: string>")
    assert schema["event_params"] == ibis.dtype(SCHEMA["event_params"])
    bigquery = ibis.to_sql(found, dialect="bigquery")
    assert "STRUCT(`t0`.`geo`.`country` AS `country`) AS `geo`" in bigquery
    assert "metro" not in bigquery
    assert "app_info" not in ibis.to_sql(found, dialect="snowflake")


def test_columns_of_a_table(con):
    con.execute(
        "CREATE TABLE own AS SELECT 'A' AS what, TIMESTAMP '2026-03-02 10:00:00' AS at, "
        "{'anon': 'c1', 'other': 'x'} AS \"user\", 7 AS n"
    )
    columns = {"event_name": "what", "timestamp": "at", "alias.cookie": "user.anon",
               "properties.shop": ck.constant("north")}  # fmt: skip
    for table in (ibis.duckdb.from_connection(con).table("own"), con.sql("SELECT * FROM own")):
        events = ck.read_events(table, columns=columns)
        assert events["alias.cookie"].tolist() == ["c1"]
        assert events["properties.shop"].tolist() == ["north"]
        assert events["timestamp"].tolist() == [pd.Timestamp("2026-03-02 10:00:00")]
        with pytest.raises(ck.ColumnError, match="the table does not have a column 'user.mail'"):
            ck.read_events(table, columns=columns | {"alias.email": "user.mail"})
        with pytest.raises(ck.ConvergekitError, match="give a table one mapping"):
            ck.read_events(table, columns={"*.csv": columns})
        with pytest.raises(ck.ReadError, match="not in the format 'ga4'"):
            ck.read_events(table, format="ga4")


def test_a_database_that_does_not_answer_is_named(con):
    con.execute("CREATE TABLE gone AS SELECT 'A' AS event_name, 1 AS timestamp, 'c' AS \"alias.x\"")
    table = ibis.duckdb.from_connection(con).table("gone")
    con.execute("DROP TABLE gone")
    with pytest.raises(ck.ReadError, match=r"the table cannot be read: .*gone"):
        ck.read_events(table)

"""The same in SQL: DuckDB, components by the least label and pointer jumping."""

from __future__ import annotations

import duckdb
import pandas as pd

from convergekit.events.nothing import PLACEHOLDERS


def stitch(path: str) -> pd.DataFrame:
    """Return the events of a Parquet file once each, with a profile and properties filled."""
    db = duckdb.connect()
    db.execute("SET preserve_insertion_order = true")
    source = f"SELECT *, file_row_number AS row FROM read_parquet('{path}', file_row_number = true)"
    return db.execute(f"{stitched(db, source)} ORDER BY row").df().set_index("row")


def stitched(db: duckdb.DuckDBPyConnection, source: str) -> str:
    """Stitch the rows of a query, and return the query of the result.

    The profile of an event without an alias is below zero.
    """
    db.execute(
        f"CREATE TABLE events AS SELECT * FROM ({source}) QUALIFY event_id IS NULL OR "
        "row_number() OVER (PARTITION BY event_id ORDER BY row) = 1"
    )
    names = [name for name, *_ in db.execute("DESCRIBE events").fetchall()]
    junk = ", ".join(f"'{value}'" for value in sorted(PLACEHOLDERS))
    parts = []
    for name in (n for n in names if n.startswith("alias.")):
        value = f'trim("{name}")' if name != "alias.email" else f'lower(trim("{name}"))'
        parts.append(
            f"SELECT row, '{name}:' || {value} AS alias FROM events WHERE \"{name}\" IS NOT NULL "
            f"AND lower({value}) NOT IN ({junk}) AND trim({value}, '0-') <> ''"
        )
    db.execute(f"CREATE TABLE carried AS {' UNION ALL '.join(parts)}")
    db.execute(
        "CREATE TABLE nodes AS SELECT alias, row_number() OVER () AS node "
        "FROM (SELECT DISTINCT alias FROM carried)"
    )
    db.execute("CREATE TABLE pairs AS SELECT row, node FROM carried JOIN nodes USING (alias)")
    db.execute(
        "CREATE TABLE links AS SELECT DISTINCT a.node AS one, b.node AS other FROM "
        "(SELECT row, min(node) AS node FROM pairs GROUP BY row) a JOIN pairs b USING (row) "
        "WHERE a.node <> b.node"
    )
    db.execute("INSERT INTO links SELECT other, one FROM links")
    db.execute("CREATE TABLE labels AS SELECT node, node AS label FROM nodes")
    while True:
        db.execute(
            "CREATE OR REPLACE TABLE lower_labels AS SELECT node, min(label) AS label FROM "
            "(SELECT node, label FROM labels UNION ALL SELECT one, label FROM links JOIN labels "
            "ON other = node) GROUP BY node"
        )
        db.execute(
            "CREATE OR REPLACE TABLE jumped AS SELECT a.node, least(a.label, b.label) AS label "
            "FROM lower_labels a JOIN lower_labels b ON a.label = b.node"
        )
        changed = db.execute(
            "SELECT count(*) FROM jumped JOIN labels USING (node) "
            "WHERE jumped.label <> labels.label"
        ).fetchone()
        db.execute("DROP TABLE labels")
        db.execute("ALTER TABLE jumped RENAME TO labels")
        if not changed or not changed[0]:
            break
    db.execute(
        "CREATE TABLE profiles AS SELECT row, min(label) AS profile FROM pairs JOIN labels "
        "USING (node) GROUP BY row"
    )
    fills = ", ".join(
        f"last_value(nullif(\"{name}\", '') IGNORE NULLS) OVER filling AS "
        f'"{name.replace("profile_properties.", "profile.")}"'
        for name in names
        if name.startswith("profile_properties.")
    )
    everybody = (
        "SELECT events.*, coalesce(profile, -1 - events.row) AS profile "
        "FROM events LEFT JOIN profiles USING (row)"
    )
    return (
        f"SELECT *, {fills} FROM ({everybody}) WINDOW filling AS (PARTITION BY profile "
        "ORDER BY timestamp, row ROWS UNBOUNDED PRECEDING)"
    )

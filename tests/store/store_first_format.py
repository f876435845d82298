"""Stores of the first format, a DuckDB file each, as convergekit once wrote them."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb

_BATCHES = (
    "CREATE TABLE earlier AS SELECT batch, NULL::TIMESTAMP AS added_at, NULL::VARCHAR AS content, "
    "rows, rejected, next_cluster, next_profile FROM batches"
)


def write_first_format(store: Path, path: Path) -> None:
    """Write a store as a file of the first format, from the index and the manifest of today."""
    path.write_bytes((store / "index.duckdb").read_bytes())
    manifest = json.loads((store / "manifest.json").read_text())
    with duckdb.connect(str(path)) as con:
        con.execute("UPDATE about SET format = 1")
        con.execute(_BATCHES)
        con.execute("DROP TABLE batches")
        con.execute("ALTER TABLE earlier RENAME TO batches")
        con.execute("CREATE TABLE files (content VARCHAR, name VARCHAR, batch INTEGER)")
        for batch in manifest["batches"]:
            con.execute(
                "UPDATE batches SET added_at = ?, content = ? WHERE batch = ?",
                [batch["added_at"], batch["content"], batch["number"]],
            )
            for content, name in batch["files"].items():
                con.execute("INSERT INTO files VALUES (?, ?, ?)", [content, name, batch["number"]])

"""Files of an older format: their batches are added again, in the format of today."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convergekit.store.adding import add_batch
from convergekit.store.batches import Batch, encoded
from convergekit.store.file import ADDED, DERIVED, FORMAT, create_tables
from convergekit.store.options import StoreOptions
from convergekit.store.rows import Columns, read_rows

if TYPE_CHECKING:
    import duckdb


def migrate(con: duckdb.DuckDBPyConnection, options: StoreOptions) -> None:
    """Make all tables anew from the rows that were added, within a transaction.

    Every format so far keeps the rows, their columns and the batches as this one does. One that
    keeps them otherwise needs a step before this one.
    """
    columns = Columns(con)
    batches = con.execute(
        "SELECT batch, added_at, content, rows FROM batches ORDER BY batch"
    ).fetchall()
    files = con.execute("SELECT content, name, batch FROM files").fetchall()
    con.execute("ALTER TABLE rows RENAME TO earlier_rows")
    for name in (*ADDED, *DERIVED):
        con.execute(f"DROP TABLE IF EXISTS {name}")
    create_tables(con)
    start = 0
    for number, added_at, content, rows in batches:
        where = f"row BETWEEN {start} AND {start + rows - 1}"
        frame, _ = read_rows(con, columns, columns.places, where, table="earlier_rows")
        if not frame.get("received_at", frame["timestamp"]).notna().any():
            frame = frame.drop(columns="received_at", errors="ignore")
        of_batch = {key: name for key, name, batch in files if batch == number}
        add_batch(con, Batch(frame, encoded(frame), content, of_batch, []), options)
        con.execute("UPDATE batches SET added_at = ? WHERE batch = ?", [added_at, number])
        start += rows
    con.execute("DROP TABLE earlier_rows")
    con.execute("UPDATE about SET format = ?", [FORMAT])

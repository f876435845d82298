"""The index of a store: a DuckDB database, built from the batches, and rebuilt when unusable.

It holds the rows and what follows from them, so that a batch touches only the clusters that it
belongs to. Nothing is lost with it: whatever cannot be read of it is made from the batches again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convergekit.errors import ConvergekitError
from convergekit.store.interrupts import Interrupts
from convergekit.store.manifest import Manifest

if TYPE_CHECKING:
    import duckdb

NAME = "index.duckdb"
#: Of an index that is rebuilt, until it is whole.
DRAFT = "index.new.duckdb"

#: Of the tables below, and of how their contents follow from the rows. A change of either, or of
#: which profiles `stitch` draws, needs the next number: an index of another one is rebuilt.
FORMAT = 5

TABLES = {
    "about": "format INTEGER, options VARCHAR",
    # What was added, which stays as it is.
    "batches": "batch INTEGER, digest VARCHAR, rows BIGINT, rejected BIGINT, next_cluster BIGINT, "
    "next_profile BIGINT",
    "columns": "place INTEGER, name VARCHAR",
    "cells": "place INTEGER, kind VARCHAR, name VARCHAR",
    "rows": "row BIGINT, cluster BIGINT, event_key UBIGINT, timestamp TIMESTAMP, "
    # The keys of a row's aliases, and what it says: see `evidence`.
    "received_at TIMESTAMP, carries UBIGINT[], says0 BIGINT",
    "merges": "batch INTEGER, timestamp TIMESTAMP, old_profile_id VARCHAR, "
    "new_profile_id VARCHAR, event_name VARCHAR, event_id VARCHAR, row BIGINT",
    "roots": "cluster BIGINT, root BIGINT",
}
#: What follows from the rows, cluster by cluster.
BY_CLUSTER = {
    "aliases": "cluster BIGINT, key UBIGINT, alias_type VARCHAR, alias_value VARCHAR, "
    "profile BIGINT, first_seen TIMESTAMP, last_seen TIMESTAMP, events BIGINT",
    "profiles": "cluster BIGINT, profile BIGINT, profile_id VARCHAR, first_seen TIMESTAMP, "
    "last_seen TIMESTAMP, events BIGINT, sources BIGINT, aliases BIGINT",
    "property_rows": "cluster BIGINT, profile BIGINT, place INTEGER, row BIGINT",
    "duplicates": "cluster BIGINT, row BIGINT, kept_row BIGINT",
}

_CONFIG = {
    # Nothing is fetched from anywhere.
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    # pandas holds text as Arrow's large strings.
    "arrow_large_buffer_size": "true",
}
#: In what DuckDB says of a drive that is full, protected or failing, which no new index mends.
_DRIVE = (
    "Could not write",
    "Could not fsync",
    "Could not truncate",
    "Could not move",
    "Cannot open file",
    "Could not create",
    "Could not remove",
    "No space left",
    "out of memory",
    "file size limit",
)


#: Why an index is rebuilt though it is not damaged.
OTHER_FORMAT = "it is of another format"
OTHER_BATCHES = "it was made from other batches"


#: In what DuckDB says of a file that another process has open: on Windows, and elsewhere.
_IN_USE = ("File is already open in", "Could not set lock on file")


class IndexUnusable(Exception):  # noqa: N818 - what is said of the index, not an error by itself
    """The index cannot answer, and is to be rebuilt."""


def create(con: duckdb.DuckDBPyConnection, options: str) -> None:
    """Make all tables, empty."""
    for name, columns in (TABLES | BY_CLUSTER).items():
        con.execute(f"CREATE TABLE {name} ({columns})")
    con.execute("INSERT INTO about VALUES (?, ?)", [FORMAT, options])


@contextlib.contextmanager
def opened(
    path: Path, interrupts: Interrupts, *, read_only: bool
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an index; what is not committed when it is closed was not done.

    Parameters
    ----------
    path : pathlib.Path
    interrupts : Interrupts
        What stops a running query.
    read_only : bool

    Raises
    ------
    IndexUnusable
        DuckDB cannot read it.
    ConvergekitError
        The drive is full, failing or protected.
    MemoryError
        DuckDB needs more memory than there is.
    """
    import duckdb

    con = None
    try:
        con = duckdb.connect(str(path), read_only=read_only, config=dict[str, Any](_CONFIG))
        interrupts.stop = con.interrupt
        yield con
    except duckdb.OutOfMemoryException as error:
        raise MemoryError(_first_line(error)) from None
    except duckdb.InterruptException:
        interrupts.check()
        raise
    except duckdb.Error as error:
        said = _first_line(error)
        if any(words in str(error) for words in _IN_USE):
            holder = str(error).partition("(PID ")[2].partition(")")[0]
            user = f"process {holder}" if holder else "another process"
            raise ConvergekitError(
                f"{path} is in use by {user}. Try again when it is done; nothing was changed."
            ) from None
        if any(words in said for words in _DRIVE):
            raise ConvergekitError(
                f"{path} cannot be written or read: {said}. Nothing was changed; make room, or "
                "check the drive and who may write there, and try again."
            ) from None
        raise IndexUnusable(said) from None
    finally:
        interrupts.stop = None
        if con is not None:
            # What cannot be written into the file on closing is found when it is opened.
            with contextlib.suppress(duckdb.Error):
                con.close()


def batches_in(con: duckdb.DuckDBPyConnection, manifest: Manifest) -> int:
    """Return how many of the batches the index holds, which are the first ones.

    Raises
    ------
    IndexUnusable
        It is of another format, or holds something else.
    """
    import duckdb

    try:
        about = con.execute("SELECT format, options FROM about").fetchall()
        held = con.execute("SELECT digest FROM batches ORDER BY batch").fetchall()
    except duckdb.CatalogException:
        raise IndexUnusable("it holds something else") from None
    if about != [(FORMAT, manifest.options)]:
        raise IndexUnusable(OTHER_FORMAT)
    digests = [batch.digest for batch in manifest.batches]
    if [digest for (digest,) in held] != digests[: len(held)]:
        raise IndexUnusable(OTHER_BATCHES)
    return len(held)


def note_digest(con: duckdb.DuckDBPyConnection, number: int, digest: str) -> None:
    """Note which file a batch is of, by the SHA-256 of its bytes."""
    con.execute("UPDATE batches SET digest = ? WHERE batch = ?", [digest, number])


#: Fewer rows than these are inserted in one thread.
_FEW_ROWS = 500_000


def prepare_to_write(con: duckdb.DuckDBPyConnection, rows: int) -> None:
    """Set the threads for so many rows: to insert them, commit, and write them into the file.

    With several threads DuckDB compresses rows while it inserts them, and again with what is below
    them when it commits: twice the work for a few rows.
    """
    if rows < _FEW_ROWS:
        con.execute("SET threads = 1")


def prepare_to_read(con: duckdb.DuckDBPyConnection) -> None:
    """Set the threads to look rows up."""
    con.execute("RESET threads")


def remove(path: Path) -> None:
    """Remove an index, with its log and what DuckDB put beside it."""
    for log in ("", ".wal", ".wal.checkpoint", ".wal.recovery"):
        path.with_name(path.name + log).unlink(missing_ok=True)
    spilled = path.with_name(f"{path.name}.tmp")
    if spilled.is_dir():
        for left in spilled.iterdir():
            left.unlink(missing_ok=True)
        spilled.rmdir()


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]

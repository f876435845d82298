"""The file of a store: a DuckDB database that is opened for as long as something is done.

Nobody holds the file between two calls, so that a notebook with a store in it stands in no
nightly job's way. DuckDB lets one process write or several read; what comes second is told so. A
write is one transaction, which is there after any crash, or not.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convergekit.errors import ConvergekitError

if TYPE_CHECKING:
    import duckdb

#: Of the tables below, and of how their contents follow from the rows. A change of either, or of
#: which profiles `stitch` draws, needs the next number: files of an older one are made anew from
#: their rows when opened.
FORMAT = 1

#: What was added, which stays as it is.
ADDED = {
    "batches": "batch INTEGER, added_at TIMESTAMP, content VARCHAR, rows BIGINT, rejected BIGINT, "
    "next_cluster BIGINT, next_profile BIGINT",
    "files": "content VARCHAR, name VARCHAR, batch INTEGER",
    "columns": "place INTEGER, name VARCHAR",
    "cells": "place INTEGER, kind VARCHAR, name VARCHAR",
    "rows": "row BIGINT, cluster BIGINT, event_key UBIGINT, timestamp TIMESTAMP, "
    "received_at TIMESTAMP",
    "merges": "batch INTEGER, timestamp TIMESTAMP, old_profile_id VARCHAR, "
    "new_profile_id VARCHAR, event_name VARCHAR, event_id VARCHAR, row BIGINT",
}
#: What follows from the rows, cluster by cluster.
DERIVED = {
    "roots": "cluster BIGINT, root BIGINT",
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

#: In what DuckDB says of a file that another process has open: on Windows, and elsewhere.
_IN_USE = ("File is already open in", "Could not set lock on file")

# DuckDB shares a file between the connections of one process, so these are told apart here.
_in_use: dict[Path, int] = {}
_guard = threading.Lock()
_WRITING = -1


def create(path: Path, options: str) -> None:
    """Make an empty store, whole or not at all."""
    draft = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.new")
    draft.unlink(missing_ok=True)
    try:
        with contextlib.closing(_connect(draft, read_only=False)) as con:
            con.execute("BEGIN")
            con.execute("CREATE TABLE about (format INTEGER, options VARCHAR)")
            con.execute("INSERT INTO about VALUES (?, ?)", [FORMAT, options])
            create_tables(con)
            con.execute("COMMIT")
        with contextlib.suppress(FileExistsError):
            _put(draft, path)
    except OSError as error:
        raise ConvergekitError(f"{path} cannot be made: {error.strerror or error}.") from None
    finally:
        draft.unlink(missing_ok=True)


def _put(draft: Path, path: Path) -> None:
    """Let the draft be found at the path, unless there is something.

    Raises
    ------
    FileExistsError
    """
    try:
        # Unlike renaming, a link never replaces what another process made in the meantime.
        os.link(draft, path)
    except FileExistsError:
        raise
    except OSError:
        # exFAT and some mounted drives have no links: the name is taken first, then filled.
        path.touch(exist_ok=False)
        draft.replace(path)


def create_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Make all tables, empty."""
    for name, columns in (ADDED | DERIVED).items():
        con.execute(f"CREATE TABLE {name} ({columns})")


@contextlib.contextmanager
def reading(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the file to read it."""
    with _claimed(path, writing=False), contextlib.closing(_connect(path, read_only=True)) as con:
        con.execute("BEGIN")
        yield con


@contextlib.contextmanager
def writing(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the file to change it; all changes are made at the end, or none after an error."""
    with _claimed(path, writing=True), contextlib.closing(_connect(path, read_only=False)) as con:
        import duckdb

        try:
            con.execute("BEGIN")
            yield con
            con.execute("COMMIT")
        except (duckdb.IOException, duckdb.TransactionException) as error:
            raise ConvergekitError(
                f"{path} cannot be written: {str(error).splitlines()[0]}. Nothing was changed; "
                "make room, or check the drive, and try again."
            ) from None


@contextlib.contextmanager
def _claimed(path: Path, *, writing: bool) -> Iterator[None]:
    with _guard:
        users = _in_use.get(path, 0)
        if users == _WRITING or (writing and users):
            raise _busy(path, "this process")
        _in_use[path] = _WRITING if writing else users + 1
    try:
        yield
    finally:
        with _guard:
            _in_use[path] = 0 if writing else _in_use[path] - 1


def _connect(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    try:
        import duckdb
    except ImportError:
        raise ConvergekitError("a store needs DuckDB: pip install 'convergekit[duckdb]'.") from None
    config: dict[str, Any] = dict(_CONFIG)
    try:
        return duckdb.connect(str(path), read_only=read_only, config=config)
    except duckdb.Error as error:
        if any(words in str(error) for words in _IN_USE):
            holder = str(error).partition("(PID ")[2].partition(")")[0]
            raise _busy(path, f"process {holder}" if holder else "another process") from None
        raise ConvergekitError(
            f"{path} cannot be opened as a store: {str(error).splitlines()[0]}"
        ) from None


def _busy(path: Path, holder: str) -> ConvergekitError:
    return ConvergekitError(
        f"{path} is in use by {holder}: one process at a time can add to a store, and none can "
        "read it meanwhile. Try again when it is done; nothing was changed."
    )

"""Convert stores of the first format, a DuckDB file each, to directories of the same name.

The directory is made beside the file, whole; the file is moved into it, and it takes the file's
name. Killed in between, the next one that opens the store goes on from there. The file is never
written to, and is removed last.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from convergekit.base.durable import sync_directory
from convergekit.errors import ConvergekitError
from convergekit.store import index
from convergekit.store.batches import Batch, encoded
from convergekit.store.directory import FORMER, tidy, write_batch, write_manifest
from convergekit.store.index import IndexUnusable
from convergekit.store.interrupts import Interrupts, held_back
from convergekit.store.lock import cannot_be_written, claimed, reason
from convergekit.store.manifest import BATCHES, Manifest, read_manifest
from convergekit.store.rows import Columns, read_rows

if TYPE_CHECKING:
    import duckdb

_FORMAT = 1
#: Columns that a batch has, though they hold nothing.
_REQUIRED = ("event_name", "timestamp", "aliases")


def settle(path: Path) -> None:
    """Convert a store of the first format to a directory, or finish doing so.

    Parameters
    ----------
    path : pathlib.Path
        Of a store; nothing is done if it is not that of a DuckDB file.

    Raises
    ------
    ConvergekitError
        There is a file that is not such a store, or it cannot be read or written.
    """
    draft = _draft_of(path)
    try:
        if not path.is_file() and not (draft / FORMER).exists():
            return
        with held_back() as interrupts:
            draft.mkdir(exist_ok=True)
            with claimed(draft, writing=True):
                if path.is_file():
                    _move(path, draft, interrupts)
                draft.rename(path)
                sync_directory(path.parent)
                tidy(path, read_manifest(path))
    except OSError as error:
        raise cannot_be_written(path, reason(error)) from None


def _draft_of(path: Path) -> Path:
    # Of one length, because a name may be as long as the system allows.
    return path.with_name(f".ck-{hashlib.sha256(path.name.encode()).hexdigest()[:16]}.moving")


def _move(path: Path, draft: Path, interrupts: Interrupts) -> None:
    try:
        with _read(path, interrupts) as (con, options):
            (draft / BATCHES).mkdir(exist_ok=True)
            said = Manifest(options)
            for batch, added_at in _batches(con):
                interrupts.check()
                said = said.with_batch(write_batch(draft, said, batch, added_at))
            write_manifest(draft, said)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    path.rename(draft / FORMER)


@contextlib.contextmanager
def _read(path: Path, interrupts: Interrupts) -> Iterator[tuple[duckdb.DuckDBPyConnection, str]]:
    """Open a store of the first format, to read it alone; with its options."""
    try:
        with index.opened(path, interrupts, read_only=True) as con:
            tables = "SELECT count(*) FROM duckdb_tables() WHERE table_name IN ('about', 'batches')"
            if con.execute(tables).fetchall() != [(2,)]:
                raise ConvergekitError(
                    f"{path} is a DuckDB file, but not a store of convergekit. Give the path of a "
                    "store, or one where there is nothing yet."
                )
            con.execute("BEGIN")
            about = con.execute("SELECT format, options FROM about").fetchall()
            if [version for version, _ in about] != [_FORMAT]:
                raise ConvergekitError(
                    f"{path} is a DuckDB file, but not a store of format {_FORMAT}. Give the path "
                    "of a store, or one where there is nothing yet."
                )
            yield con, about[0][1]
    except (IndexUnusable, ValueError, TypeError, KeyError) as error:
        if isinstance(error, ConvergekitError):
            raise
        raise ConvergekitError(
            f"{path} cannot be opened as a store: {error}. Give the path of a directory, or one "
            "where there is nothing yet; put a damaged file back from a backup."
        ) from None


def _batches(con: duckdb.DuckDBPyConnection) -> Iterator[tuple[Batch, str]]:
    """Yield the batches of a store of the first format, and when each was added."""
    columns = Columns(con)
    batches = con.execute(
        "SELECT batch, added_at, content, rows FROM batches ORDER BY batch"
    ).fetchall()
    files = con.execute("SELECT content, name, batch FROM files").fetchall()
    start = 0
    for number, added_at, content, rows in batches:
        frame = rows_of_batch(con, columns, start, rows)
        of_batch = {key: name for key, name, batch in files if batch == number}
        yield Batch(frame, encoded(frame), content, of_batch, []), added_at.isoformat()
        start += rows


def rows_of_batch(
    con: duckdb.DuckDBPyConnection, columns: Columns, start: int, rows: int
) -> pd.DataFrame:
    """Return a batch's rows as they came, less columns that hold nothing in them.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    columns : Columns
    start, rows : int
        The batch's first row, and how many it has.
    """
    where = f"row BETWEEN {start} AND {start + rows - 1}"
    frame, _ = read_rows(con, columns, columns.places, where)
    empty = [name for name in frame if name not in _REQUIRED and not frame[name].notna().any()]
    return frame.drop(columns=empty)

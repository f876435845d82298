"""Read and change a store: hold its lock, and keep its index as the manifest says.

An index that is behind, because a process was killed, is caught up from the batches; one that
cannot be read is rebuilt from them. A reader notices only that it takes longer.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from convergekit.errors import ConvergekitError, callers_level
from convergekit.store import index
from convergekit.store.adding import Added, insert_batch
from convergekit.store.batch_files import read_batch_file
from convergekit.store.batches import Batch, encoded
from convergekit.store.directory import manifest_now, tidy, write_batch, write_manifest
from convergekit.store.index import IndexUnusable
from convergekit.store.interrupts import Interrupts, held_back
from convergekit.store.lock import cannot_be_written, claimed, reason
from convergekit.store.manifest import BATCHES, BatchRecord, Manifest, read_manifest
from convergekit.store.options import from_record
from convergekit.visible import visible

if TYPE_CHECKING:
    import duckdb

Answer = TypeVar("Answer")


def ask(path: Path, question: Callable[[duckdb.DuckDBPyConnection], Answer]) -> Answer:
    """Return what a question finds in the index of a store.

    Parameters
    ----------
    path : pathlib.Path
        The store.
    question : callable
        Given the open index; what it returns must not hold on to it.

    Raises
    ------
    ConvergekitError
        The store is in use, damaged, or cannot be read.
    """
    with held_back() as interrupts:
        try:
            return _answer(path, question, interrupts)
        except IndexUnusable as error:
            why = str(error)
        with changing(path, interrupts) as change:
            make_current(change, because=why)
        try:
            return _answer(path, question, interrupts)
        except IndexUnusable as error:
            raise ConvergekitError(
                f"the index of {path} cannot be used, though it was just rebuilt: {error}. "
                "Check the drive, and try again."
            ) from None


def _answer(
    path: Path, question: Callable[[duckdb.DuckDBPyConnection], Answer], interrupts: Interrupts
) -> Answer:
    with claimed(path, writing=False):
        said = read_manifest(path)
        if not (path / index.NAME).exists():
            raise IndexUnusable(_MISSING)
        with index.opened(path / index.NAME, interrupts, read_only=True) as con:
            if index.batches_in(con, said) < len(said.batches):
                raise IndexUnusable(_BEHIND)
            con.execute("BEGIN")
            return question(con)


_MISSING, _BEHIND = "it is missing", "it is behind"
_NOT_DAMAGED = ("", _MISSING, index.OTHER_FORMAT, index.OTHER_BATCHES)


def ask_within(change: Change, question: Callable[[duckdb.DuckDBPyConnection], Answer]) -> Answer:
    """Return what a question finds in the index of a store that is about to be changed."""
    make_current(change)
    path = change.path / index.NAME
    try:
        with index.opened(path, change.interrupts, read_only=True) as con:
            return question(con)
    except IndexUnusable as error:
        make_current(change, because=str(error))
    with index.opened(path, change.interrupts, read_only=True) as con:
        return question(con)


@dataclass(frozen=True)
class Change:
    """A store that is about to be changed, its lock held.

    Attributes
    ----------
    path : pathlib.Path
    manifest : Manifest
        As it was when the lock was taken.
    interrupts : Interrupts
    """

    path: Path
    manifest: Manifest
    interrupts: Interrupts


@contextlib.contextmanager
def changing(path: Path, interrupts: Interrupts) -> Iterator[Change]:
    """Hold a store to change it.

    Raises
    ------
    ConvergekitError
        It is in use or damaged.
    """
    with claimed(path, writing=True):
        said = read_manifest(path)
        tidy(path, said)
        yield Change(path, said, interrupts)


def make_current(change: Change, *, because: str = "") -> None:
    """Bring the index up to date with the manifest.

    Parameters
    ----------
    change : Change
    because : str
        Why the index could not be used just now.

    Raises
    ------
    DamagedStoreError
        A batch that is needed cannot be read.
    ConvergekitError
        The index cannot be written.
    """
    why = because
    if why in ("", _BEHIND) and (change.path / index.NAME).exists():
        try:
            _catch_up(change, change.path / index.NAME)
            return
        except IndexUnusable as error:
            why = str(error)
    make_index(change)
    if why not in _NOT_DAMAGED:
        warnings.warn(
            f"the index of {visible(change.path)} could not be used ({visible(why)}) and was "
            "rebuilt from the batches; nothing is lost.",
            stacklevel=callers_level(),
        )


def _catch_up(change: Change, path: Path) -> None:
    with index.opened(path, change.interrupts, read_only=False) as con:
        held = index.batches_in(con, change.manifest)
        _replay(con, change, change.manifest.batches[held:])


def make_index(change: Change) -> None:
    """Rebuild the index from the batches; the one before stays until the new one is whole.

    Raises
    ------
    DamagedStoreError
        A batch cannot be read.
    ConvergekitError
        The index cannot be written.
    """
    draft, path = change.path / index.DRAFT, change.path / index.NAME
    try:
        index.remove(draft)
        try:
            with index.opened(draft, change.interrupts, read_only=False) as con:
                index.create(con, change.manifest.options)
                _replay(con, change, change.manifest.batches)
                con.execute("CHECKPOINT")
        except IndexUnusable as error:
            raise ConvergekitError(
                f"the index of {change.path} cannot be made: {error}. Check the drive and make "
                "room; the batches are as they were."
            ) from None
        # DuckDB would take the log of the one before for that of the new one.
        index.remove(path)
        draft.rename(path)
    except OSError as error:
        raise cannot_be_written(change.path, reason(error)) from None


def add_batch(change: Change, batch: Batch) -> Added:
    """Add a batch, which counts from the moment in which the manifest names its file.

    Raises
    ------
    ConvergekitError
        What is in it cannot be used, or the drive is full or failing.
    """
    make_current(change)
    try:
        return _added(change, batch)
    except IndexUnusable as error:
        # Damage that the tables which were looked at first did not have.
        make_current(change, because=str(error))
    try:
        return _added(change, batch)
    except IndexUnusable as error:
        raise ConvergekitError(
            f"the index of {change.path} cannot be used, though it was just rebuilt: {error}. "
            "Nothing was changed. Check the drive, and try again."
        ) from None


def _added(change: Change, batch: Batch) -> Added:
    path, said = change.path, change.manifest
    with index.opened(path / index.NAME, change.interrupts, read_only=False) as con:
        con.execute("BEGIN")
        with change.interrupts.at_once():
            added = insert_batch(con, batch, from_record(said.options))
        now = datetime.now(UTC).replace(tzinfo=None).isoformat()
        record = write_batch(path, said, batch, now)
        try:
            index.note_digest(con, record.number, record.digest)
            change.interrupts.check()
            write_manifest(path, said.with_batch(record))
        except BaseException:
            if manifest_now(path) == said:
                # What cannot be removed now is removed by the next one that writes.
                with contextlib.suppress(OSError):
                    (path / BATCHES / record.file).unlink(missing_ok=True)
            raise
        change.interrupts.outcome = f"Batch {record.number} was added before the interruption."
        change.interrupts.stop = None
        # The batch is there. If the index cannot take it, the next one to ask catches it up.
        with contextlib.suppress(Exception):
            con.execute("COMMIT")
        return added


def _replay(con: duckdb.DuckDBPyConnection, change: Change, records: Sequence[BatchRecord]) -> None:
    options = from_record(change.manifest.options)
    for record in records:
        change.interrupts.check()
        frame = read_batch_file(change.path, record).frame
        batch = Batch(frame, encoded(frame), record.content, record.files, [])
        con.execute("BEGIN")
        insert_batch(con, batch, options)
        index.note_digest(con, record.number, record.digest)
        con.execute("COMMIT")

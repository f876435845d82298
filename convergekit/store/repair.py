"""`repair_store`: rebuild whatever is missing or damaged in a store.

Each part can be made from another one: the manifest from the batches, which say of themselves what
it says of them; a batch from its rows in the index; the index from the batches. What neither holds
is lost, and is left out only if that is asked for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from convergekit.base.wording import counted
from convergekit.errors import ConvergekitError, DamagedStoreError
from convergekit.store import index
from convergekit.store.access import Change, make_index
from convergekit.store.batch_files import file_name, read_batch_file, read_file
from convergekit.store.batches import Batch, encoded
from convergekit.store.directory import (
    batch_paths,
    resolved,
    tidy,
    write_batch_file,
    write_manifest,
)
from convergekit.store.former import rows_of_batch, settle
from convergekit.store.index import IndexUnusable
from convergekit.store.interrupts import Interrupts, held_back
from convergekit.store.lock import cannot_be_written, claimed, reason
from convergekit.store.manifest import BATCHES, NAME, BatchRecord, Manifest, read_manifest
from convergekit.store.rows import Columns

if TYPE_CHECKING:
    import duckdb

#: Where files go that cannot be read, if they are to be left out.
_ASIDE = "damaged"


@dataclass(frozen=True, repr=False)
class Repaired:
    """What `repair_store` found and did.

    Attributes
    ----------
    batches : int
        How many batches the store holds.
    manifest : bool
        Whether the manifest was rebuilt.
    from_index : list of int
        The batches whose files were rewritten, from their rows in the index.
    left_out : list of int
        The batches that are lost; each is there still, without rows.
    """

    batches: int
    manifest: bool = False
    from_index: list[int] = field(default_factory=list)
    left_out: list[int] = field(default_factory=list)

    def __repr__(self) -> str:
        """Return what was found in one line."""
        found = [f"{counted(self.batches, 'batch', 'batches')}: index rebuilt"]
        if self.manifest:
            found.append("manifest rebuilt")
        if self.from_index:
            found.append(f"files rewritten of {_listed(self.from_index)}")
        if self.left_out:
            found.append(f"lost {_listed(self.left_out)}")
        return f"Repaired({', '.join(found)})"


def repair_store(path: str | Path, *, leave_out_damaged: bool = False) -> Repaired:
    """Read every file of a store, and rebuild what is missing or damaged.

    Takes as long as adding everything once.

    Parameters
    ----------
    path : str or pathlib.Path
        The store's directory.
    leave_out_damaged : bool, default False
        Whether to go on without a batch that neither its file nor the index holds: its file is
        moved to ``damaged/`` in the store, and the exports that it was made of can be added again.

    Returns
    -------
    Repaired

    Raises
    ------
    DamagedStoreError
        A batch is lost.
    ConvergekitError
        The path is not that of a store, the store is in use, or it cannot be written.

    See Also
    --------
    open_store : Open a store, which rebuilds an index that cannot be used.

    Examples
    --------
    >>> import tempfile
    >>> import convergekit as ck
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     store = ck.open_store(Path(directory, "store"))
    ...     _ = store.add(ck.simulate_store().events)
    ...     Path(directory, "store", "manifest.json").unlink()
    ...     ck.repair_store(Path(directory, "store"))
    Repaired(1 batch: index rebuilt, manifest rebuilt)
    """
    path = resolved(path)
    settle(path)
    try:
        is_store = (path / NAME).exists() or any(batch_paths(path)) or (path / index.NAME).exists()
    except OSError as error:
        raise ConvergekitError(f"{path} cannot be looked at: {reason(error)}.") from None
    if not is_store:
        raise ConvergekitError(
            f"{path} is not a store: it holds neither {NAME} nor batches. Give the path of a store."
        )
    with held_back() as interrupts, claimed(path, writing=True), _usable_index(path) as con:
        return _repair(path, interrupts, con, leave_out_damaged=leave_out_damaged)


def _repair(
    path: Path,
    interrupts: Interrupts,
    con: duckdb.DuckDBPyConnection | None,
    *,
    leave_out_damaged: bool,
) -> Repaired:
    try:
        found = read_manifest(path)
    except DamagedStoreError:
        found = None
    said = _manifest_from_batches(path, con) if found is None else found
    # What is rewritten gets names of its own, because what is there may be needed still.
    new = replace(said, generation=said.generation + 1, batches=())
    from_index, left_out, aside = [], [], []
    start = 0
    for record in said.batches:
        interrupts.check()
        try:
            read_batch_file(path, record)
            new = new.with_batch(record)
        except DamagedStoreError as error:
            batch = _from_index(con, record, start)
            if batch is not None:
                from_index.append(record.number)
            elif leave_out_damaged:
                left_out.append(record.number)
                aside.append(record.file)
                batch = Batch(None, {}, "", {}, [])
            else:
                raise _lost(path, record, error) from None
            new = new.with_batch(_written(path, new, record, batch))
        start += record.rows
    if found is None or new.batches != said.batches:
        _move_aside(path, aside)
        write_manifest(path, new)
    else:
        new = said
    if con is not None:
        con.close()
    tidy(path, new)
    make_index(Change(path, new, interrupts))
    return Repaired(len(new.batches), found is None, from_index, left_out)


def _written(path: Path, new: Manifest, record: BatchRecord, batch: Batch) -> BatchRecord:
    rows = 0 if batch.frame is None else len(batch.frame)
    name = file_name(record.number, new.generation)
    anew = replace(
        record, file=name, digest="", rows=rows, content=batch.content, files=batch.files
    )
    return write_batch_file(path, new, anew, batch)


def _lost(path: Path, record: BatchRecord, error: Exception) -> DamagedStoreError:
    files = ", ".join(record.files.values()) or "a frame"
    return DamagedStoreError(
        f"batch {record.number} of {path} is lost ({counted(record.rows, 'row')} of {files}): "
        f"{str(error).partition('. ')[0]}, and the index does not hold it. Put the file back from "
        "a backup; or go on without it by leave_out_damaged=True (in a shell, convergekit repair "
        "--leave-out-damaged), and add those exports again."
    )


def _move_aside(path: Path, files: list[str]) -> None:
    try:
        for name in files:
            (path / _ASIDE).mkdir(exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                (path / BATCHES / name).rename(path / _ASIDE / name)
    except OSError as error:
        raise cannot_be_written(path, reason(error)) from None


@contextlib.contextmanager
def _usable_index(path: Path) -> Iterator[duckdb.DuckDBPyConnection | None]:
    """Open the index to read it, if it can be opened."""
    with contextlib.ExitStack() as stack:
        con = None
        if (path / index.NAME).exists():
            with contextlib.suppress(IndexUnusable):
                opened = index.opened(path / index.NAME, Interrupts(), read_only=True)
                con = stack.enter_context(opened)
        yield con


def _from_index(
    con: duckdb.DuckDBPyConnection | None, record: BatchRecord, start: int
) -> Batch | None:
    """Return a batch as the index holds it, None if it does not."""
    import duckdb

    if con is None:
        return None
    try:
        query = "SELECT digest FROM batches WHERE batch = ?"
        if con.execute(query, [record.number]).fetchall() != [(record.digest,)]:
            return None
        frame = rows_of_batch(con, Columns(con), start, record.rows)
    except duckdb.Error:
        return None
    if len(frame) != record.rows:
        return None
    return Batch(frame, encoded(frame), record.content, record.files, [])


def _manifest_from_batches(path: Path, con: duckdb.DuckDBPyConnection | None) -> Manifest:
    """Return the manifest that the batches' files describe."""
    newest: dict[int, BatchRecord] = {}
    generation, options = 0, None
    for file in sorted(batch_paths(path)):
        # A later generation of a batch comes after an earlier one, if it can be read.
        with contextlib.suppress(DamagedStoreError):
            found = read_file(file)
            if found.record.number not in newest or found.generation >= generation:
                newest[found.record.number] = replace(found.record, file=file.name)
            generation, options = max(generation, found.generation), found.options
    held, options_held = _held_by(con)
    options = options_held if options is None else options
    if options is None:
        raise DamagedStoreError(
            f"nothing of {path} can be read: neither its manifest, nor a batch, nor the index. Put "
            "the store back from a backup, or remove it and add the exports again."
        )
    last = max(held, *newest, 0)
    missing = sorted(set(range(1, last + 1)).difference(newest))
    if missing:
        raise DamagedStoreError(
            f"{path / NAME} cannot be rebuilt, because no file describes {_listed(missing)}. "
            f"Put the manifest, or the files in {path / BATCHES}, back from a backup."
        )
    return Manifest(options, generation, tuple(newest[number] for number in sorted(newest)))


def _held_by(con: duckdb.DuckDBPyConnection | None) -> tuple[int, str | None]:
    """Return how many batches the index holds, and its options, as far as it can be read."""
    import duckdb

    if con is None:
        return 0, None
    try:
        options = con.execute("SELECT options FROM about").fetchall()
        count = con.execute("SELECT count(*) FROM batches").fetchall()
    except duckdb.Error:
        return 0, None
    return count[0][0], str(options[0][0]) if options else None


def _listed(numbers: list[int]) -> str:
    return f"batch{'es' * (len(numbers) > 1)} {', '.join(map(str, numbers))}"

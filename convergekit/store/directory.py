"""The directory of a store: its files, written whole or not at all, and tidied up.

``manifest.json``
    What the store holds; see `manifest`.
``batches/``
    A file per batch; see `batch_files`.
``index.duckdb``
    Made from the batches; see `index`.
``lock``
    The process at work; see `lock`.

Whatever else lies there by one of these names, or by that of a draft, was left by a process that
was killed, and is removed by the next one that writes.
"""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from convergekit.base.durable import is_draft, sync_directory, whole_file
from convergekit.errors import ConvergekitError, DamagedStoreError, WriteError
from convergekit.store import batch_files, index, lock, manifest
from convergekit.store.batches import Batch
from convergekit.store.lock import cannot_be_written, claimed, reason
from convergekit.store.manifest import (
    BATCHES,
    BatchRecord,
    Manifest,
    read_manifest,
)

#: What a store of the first format is called while it becomes a directory.
FORMER = "former.duckdb"
_BATCH_FILE = re.compile(r"(\d{6,})-\d+\.parquet")
_MADE_FIRST = (lock.NAME, BATCHES)


def resolved(path: str | Path) -> Path:
    """Return a path without links.

    Raises
    ------
    ConvergekitError
        It leads nowhere.
    """
    try:
        return Path(path).resolve()
    except (OSError, RuntimeError, ValueError, TypeError) as error:
        raise ConvergekitError(
            f"{path!r} cannot be the path of a store: {error}. Give the path of a directory."
        ) from None


def holds_store(path: Path) -> bool:
    """Return whether a path is that of a store; False if one can be made there.

    Raises
    ------
    DamagedStoreError
        A store without its manifest is there.
    ConvergekitError
        Something else is there, or the path cannot be looked at.
    """
    try:
        if not path.exists():
            return False
        if not path.is_dir():
            raise ConvergekitError(
                f"{path} is not a store: a store is a directory. Give the path of one, or a path "
                "where there is nothing yet."
            )
        entries = [entry for entry in path.iterdir() if not is_draft(entry)]
        has_batches = any(batch_paths(path))
    except OSError as error:
        raise ConvergekitError(
            f"{path} cannot be looked at: {reason(error)}. Check the path, and who may read it."
        ) from None
    names = {entry.name for entry in entries}
    if manifest.NAME in names:
        return True
    if has_batches or index.NAME in names:
        raise DamagedStoreError(
            f"{path / manifest.NAME} is missing. Rebuild it from the batches with "
            f"ck.repair_store({str(path)!r}) or, in a shell, convergekit repair --store."
        )
    others = sorted(names.difference(_MADE_FIRST))
    if others:
        raise ConvergekitError(
            f"{path} is a directory, but not a store of convergekit: it holds {others[0]!r}. Give "
            "the path of a store, or one where there is nothing yet."
        )
    return False


def create(path: Path, options: str) -> None:
    """Make an empty store, whole or not at all; one that another process made stays.

    Raises
    ------
    ConvergekitError
        It cannot be made.
    """
    if not path.parent.is_dir():
        raise ConvergekitError(
            f"{path} cannot be made: there is no directory {path.parent}. Make it first."
        )
    made = False
    try:
        with contextlib.suppress(FileExistsError):
            path.mkdir()
            made = True
        with claimed(path, writing=True):
            if not (path / manifest.NAME).exists():
                _fill(path, options, made=made)
    except OSError as error:
        if made:
            with contextlib.suppress(OSError):
                path.rmdir()
        raise ConvergekitError(
            f"{path} cannot be made: {reason(error)}. Make room, or check the drive and who may "
            "write there, and try again."
        ) from None


def _fill(path: Path, options: str, *, made: bool) -> None:
    try:
        (path / BATCHES).mkdir(exist_ok=True)
        write_manifest(path, Manifest(options))
        sync_directory(path.parent)
    except BaseException:
        if made and not (path / manifest.NAME).exists():
            with contextlib.suppress(OSError):
                (path / BATCHES).rmdir()
                (path / lock.NAME).unlink()
                path.rmdir()
        raise


def write_batch(path: Path, said: Manifest, batch: Batch, added_at: str) -> BatchRecord:
    """Write the file of a batch that comes after those of a manifest, which does not name it yet.

    Parameters
    ----------
    path : pathlib.Path
        The store.
    said : Manifest
    batch : Batch
    added_at : str
        When it was added, in UTC, as ISO 8601 writes it.

    Raises
    ------
    ConvergekitError
        It cannot be written.
    """
    number = len(said.batches) + 1
    rows = 0 if batch.frame is None else len(batch.frame)
    record = BatchRecord(
        number=number,
        file=batch_files.file_name(number, said.generation),
        digest="",
        rows=rows,
        added_at=added_at,
        content=batch.content,
        files=batch.files,
    )
    return write_batch_file(path, said, record, batch)


def write_batch_file(path: Path, said: Manifest, record: BatchRecord, batch: Batch) -> BatchRecord:
    """Write the file of a batch; return its record, with the digest of its bytes."""
    names = [] if batch.frame is None else list(map(str, batch.frame))
    try:
        with whole_file(path / BATCHES / record.file) as file:
            return batch_files.write(file, names, batch.cells, record, said)
    except WriteError as error:
        raise cannot_be_written(path, cause(error)) from None


def write_manifest(path: Path, said: Manifest) -> None:
    """Replace the manifest: from then on the new one holds.

    Raises
    ------
    ConvergekitError
        It cannot be written; the one before holds, unless the error says otherwise.
    """
    try:
        with whole_file(path / manifest.NAME) as file:
            file.write(manifest.to_bytes(said))
    except WriteError as error:
        if manifest_now(path) == said:
            raise WriteError(
                f"{path} was changed, but the drive does not confirm that it keeps the change: "
                f"{cause(error)}. Check the drive; store.batches says what the store holds."
            ) from None
        raise cannot_be_written(path, cause(error)) from None


def manifest_now(path: Path) -> Manifest | None:
    """Return the manifest of a store, None if it cannot be read."""
    try:
        return read_manifest(path)
    except ConvergekitError:
        return None


def cause(error: OSError | WriteError) -> str:
    """Return why the system refused."""
    found = error.__cause__ if isinstance(error, WriteError) else error
    return reason(found) if isinstance(found, OSError) else str(error)


def tidy(path: Path, said: Manifest) -> None:
    """Remove what killed processes left, and what the manifest no longer names.

    Raises
    ------
    DamagedStoreError
        There are batches of which the manifest knows nothing.
    """
    batches, named = path / BATCHES, said.files()
    try:
        left = [entry for entry in batches.iterdir() if entry.name not in named]
        later = [entry for entry in left if _number_of(entry) > len(said.batches) + 1]
        if later:
            raise DamagedStoreError(
                f"{path / manifest.NAME} names {len(said.batches)} batches, but there is "
                f"{later[0]}: the manifest is an earlier one. Put the right one back, or rebuild "
                f"it from the batches with ck.repair_store({str(path)!r})."
            )
        for entry in left:
            if _number_of(entry) or is_draft(entry):
                entry.unlink()
        for entry in path.iterdir():
            if is_draft(entry):
                entry.unlink()
        index.remove(path / index.DRAFT)
        if (path / FORMER).exists():
            path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
            (path / FORMER).unlink()
    except FileNotFoundError:
        # The batches' directory; which of them are missing is found when they are read.
        pass
    except OSError as error:
        raise cannot_be_written(path, reason(error)) from error


def batch_paths(path: Path) -> list[Path]:
    """Return the files in a store that are called as batches are.

    Raises
    ------
    OSError
    """
    batches = path / BATCHES
    return list(filter(_number_of, batches.iterdir())) if batches.is_dir() else []


def _number_of(entry: Path) -> int:
    """Return the number of the batch that a file holds; 0 for other files."""
    found = _BATCH_FILE.fullmatch(entry.name)
    return int(found[1]) if found else 0

"""The files that hold a store's batches: Parquet, written once and never changed.

Each holds a batch's rows as they came, and says of itself what the manifest says of it, so that a
manifest can be rebuilt from the files.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from convergekit.errors import DamagedStoreError
from convergekit.store.cells import decode
from convergekit.store.lock import reason
from convergekit.store.manifest import BATCHES, BatchRecord, Manifest

_ABOUT = b"convergekit"


@dataclass(frozen=True)
class BatchFile:
    """A batch as its file holds it.

    Attributes
    ----------
    record : BatchRecord
        What the file says of itself.
    options : str
        The store's options, as `recorded` writes them.
    generation : int
        Of the manifest that first named the file.
    frame : pandas.DataFrame
        The rows.
    """

    record: BatchRecord
    options: str
    generation: int
    frame: pd.DataFrame


def file_name(number: int, generation: int) -> str:
    """Return the name of a batch's file.

    Examples
    --------
    >>> file_name(12, 0)
    '000012-0.parquet'
    """
    return f"{number:06}-{generation}.parquet"


def write(
    file: BinaryIO,
    names: list[str],
    cells: Mapping[str, tuple[str, Any]],
    record: BatchRecord,
    manifest: Manifest,
) -> BatchRecord:
    """Write a batch; return its record with the digest of what was written.

    Parameters
    ----------
    file : file object
        Open to write bytes.
    names : list of str
        All columns, those that hold nothing too.
    cells : mapping of str to (str, pyarrow.Array)
        Kind and cells of the columns that hold something.
    record : BatchRecord
        What is known of the batch; the digest is found by writing.
    manifest : Manifest
        Of the store, for its options and generation.
    """
    kinds = {name: kind for name, (kind, _) in cells.items()}
    about = {
        "record": asdict(record),
        "options": manifest.options,
        "generation": manifest.generation,
        "columns": [[name, kinds.get(name)] for name in names],
    }
    # A column's own name may differ from another's in upper and lower case alone.
    place = {name: f"c{number}" for number, name in enumerate(names)}
    columns = {place[name]: array for name, (_, array) in cells.items()}
    # Where no column holds anything, this one says how many rows there are.
    columns["rows"] = pa.nulls(record.rows, pa.bool_())
    table = pa.table(columns).replace_schema_metadata({_ABOUT: json.dumps(about).encode()})
    hashed = _Hashed(file)
    pq.write_table(table, pa.PythonFile(hashed, mode="w"), compression="zstd")
    return replace(record, digest=hashed.digest.hexdigest())


class _Hashed(io.RawIOBase):
    """A file whose bytes are hashed as they are written."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self.digest = hashlib.sha256()
        self._file = file

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        self.digest.update(content)
        return self._file.write(content)


def read_batch_file(store: Path, record: BatchRecord) -> BatchFile:
    """Return a batch.

    Raises
    ------
    DamagedStoreError
        The file is missing, cannot be read, or is not what was written.
    """
    return read_file(store / BATCHES / record.file, record.digest)


def read_file(path: Path, expected: str | None = None) -> BatchFile:
    """Return the batch that a file holds.

    Parameters
    ----------
    path : pathlib.Path
    expected : str, optional
        The SHA-256 of its bytes, where it is known.

    Raises
    ------
    DamagedStoreError
        It is not the file of a batch, cannot be read, or is not what was written.
    """
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            if expected not in (None, digest):
                raise damaged(path, "was changed since it was written")
            file.seek(0)
            table = pq.read_table(file)
        about = json.loads(table.schema.metadata[_ABOUT])
        size = table.num_rows
        columns = {}
        for place, (name, kind) in enumerate(about["columns"]):
            parts = {} if kind is None else {kind: table.column(f"c{place}")}
            columns[name] = decode(parts, size)
        frame = pd.DataFrame(columns, index=pd.RangeIndex(size), copy=False)
        record = BatchRecord(**about["record"] | {"digest": digest})
        return BatchFile(record, str(about["options"]), int(about["generation"]), frame)
    except FileNotFoundError:
        raise damaged(path, "is missing") from None
    except OSError as error:
        raise damaged(path, f"cannot be read ({reason(error)})") from None
    except DamagedStoreError:
        raise
    except (pa.ArrowException, ValueError, TypeError, KeyError, RecursionError):
        raise damaged(path, "is not a batch that convergekit wrote") from None


def damaged(path: Path, what: str) -> DamagedStoreError:
    """Return the error for a batch that cannot be read from its file."""
    store = str(path.parent.parent)
    return DamagedStoreError(
        f"{path} {what}. Its rows may still be in the index: ck.repair_store({store!r}) or, in a "
        "shell, convergekit repair --store, rewrites the file from there."
    )

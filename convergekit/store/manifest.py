"""The manifest of a store: which files hold its batches, and how their rows are stitched.

The batches are what a store is; its index is made from them. A batch counts from the moment in
which a manifest that names its file takes the place of the one before, which is one renaming.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from convergekit.errors import ConvergekitError, DamagedStoreError
from convergekit.store.lock import reason

NAME = "manifest.json"
BATCHES = "batches"

#: Of the manifest and of the files that hold the batches. One of a newer format is refused.
FORMAT = 2


@dataclass(frozen=True)
class BatchRecord:
    """What is known of a batch without opening its file.

    Attributes
    ----------
    number : int
        From 1.
    file : str
        The name of its file.
    digest : str
        The SHA-256 of the file's bytes.
    rows : int
        The batch's rows.
    added_at : str
        When it was added, in UTC, as ISO 8601 writes it.
    content : str
        The SHA-256 of a frame that was added, empty for files.
    files : dict of str to str
        The path of each export by the SHA-256 of its bytes.
    """

    number: int
    file: str
    digest: str
    rows: int
    added_at: str
    content: str
    files: dict[str, str]


@dataclass(frozen=True)
class Manifest:
    """What a store holds.

    Attributes
    ----------
    options : str
        The options, as `recorded` writes them.
    generation : int
        How often batches were rewritten; their files' names hold it.
    batches : tuple of BatchRecord
        In the order of adding.
    """

    options: str
    generation: int = 0
    batches: tuple[BatchRecord, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows there are in all batches."""
        return sum(batch.rows for batch in self.batches)

    def with_batch(self, batch: BatchRecord) -> Manifest:
        """Return the manifest with one more batch."""
        return replace(self, batches=(*self.batches, batch))

    def files(self) -> set[str]:
        """Return the names of the batches' files."""
        return {batch.file for batch in self.batches}


def to_bytes(manifest: Manifest) -> bytes:
    """Return the manifest as its file holds it, with a checksum of all that it says.

    Examples
    --------
    >>> from_bytes(to_bytes(Manifest('{"tz": "UTC"}')), Path("store"))
    Manifest(options='{"tz": "UTC"}', generation=0, batches=())
    """
    said = {"format": FORMAT, **asdict(manifest)}
    said["checksum"] = _checksum(said)
    return (json.dumps(said, indent=1, ensure_ascii=True) + "\n").encode()


def from_bytes(content: bytes, store: Path) -> Manifest:
    """Return the manifest that a file holds.

    Raises
    ------
    DamagedStoreError
        It is not what was written.
    ConvergekitError
        A newer version of convergekit wrote it.
    """
    try:
        said = json.loads(content)
        whole = said.pop("checksum") == _checksum(said)
        version = int(said.pop("format"))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise _damaged(store, "cannot be read") from None
    if not whole:
        raise _damaged(store, "was changed since it was written")
    if version > FORMAT:
        raise ConvergekitError(
            f"{store} is in format {version}, which a newer version of convergekit wrote; this one "
            f"reads up to format {FORMAT}. Upgrade with pip install -U convergekit."
        )
    try:
        batches = tuple(BatchRecord(**batch) for batch in said.pop("batches"))
        manifest = Manifest(**said, batches=batches)
        is_ours = all(map(_is_possible, batches)) and isinstance(manifest.options, str)
    except (TypeError, KeyError):
        is_ours = False
    if not is_ours or [batch.number for batch in batches] != list(range(1, len(batches) + 1)):
        raise _damaged(store, "does not say what a manifest says")
    return manifest


def read_manifest(store: Path) -> Manifest:
    """Return the manifest of a store.

    Raises
    ------
    DamagedStoreError
        It is missing, or not what was written.
    ConvergekitError
        It cannot be read, or a newer version of convergekit wrote it.
    """
    path = store / NAME
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise _damaged(store, "is missing") from None
    except OSError as error:
        raise ConvergekitError(
            f"{path} cannot be read: {reason(error)}. Check the drive, and who may read the store."
        ) from None
    return from_bytes(content, store)


def _is_possible(batch: BatchRecord) -> bool:
    """Return whether a record, which may be written by hand, is usable."""
    texts = (batch.file, batch.digest, batch.added_at, batch.content)
    return (
        all(isinstance(text, str) for text in texts)
        # The file is one of the store's own.
        and batch.file == Path(batch.file).name
        and isinstance(batch.rows, int)
        and batch.rows >= 0
        and isinstance(batch.files, dict)
        and all(isinstance(name, str) for name in batch.files.values())
    )


def _damaged(store: Path, what: str) -> DamagedStoreError:
    return DamagedStoreError(
        f"{store / NAME} {what}. Rebuild it from the batches: ck.repair_store({str(store)!r}), "
        f"or in a shell convergekit repair --store {store}"
    )


def _checksum(said: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

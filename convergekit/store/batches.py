"""A batch: the files or the frame that one call of `add` was given, less what was added before."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from convergekit.errors import ReadError
from convergekit.events.arrow import Frame
from convergekit.events.canonical import canonicalise
from convergekit.readers.files import cannot_be_opened
from convergekit.readers.formats import AUTO, exports_told, refuse_export
from convergekit.readers.reading import (
    Paths,
    ReadingOptions,
    find_files,
    read_events,
    read_new,
    warn_of_left,
)
from convergekit.readers.sources import Source
from convergekit.store.cells import content_hash, encode


@dataclass(frozen=True)
class Batch:
    """What is new of what was to be added.

    Attributes
    ----------
    frame : pandas.DataFrame or None
        The rows under canonical names; None where nothing is new.
    cells : dict of str to (str, pyarrow.Array)
        Kind and cells of the columns that hold something, as the file keeps them.
    content : str
        The SHA-256 of a frame that was given, empty for files.
    files : dict of str to str
        The path of each new file by the SHA-256 of its bytes.
    known : list of str
        The files that were added before, or the frame.
    """

    frame: pd.DataFrame | None
    cells: dict[str, tuple[str, Any]]
    content: str
    files: dict[str, str]
    known: list[str]


def read_batch(
    export: Paths | Frame,
    known_files: Collection[str],
    known_frames: Collection[str],
    reading: ReadingOptions,
) -> Batch:
    """Read what is new.

    Parameters
    ----------
    export : str, pathlib.Path, iterable of these, or frame
    known_files, known_frames : collection of str
        The SHA-256 of what was added before.
    reading : ReadingOptions
        How; where nothing is said of a frame, its columns are canonical.
    """
    if isinstance(export, pd.DataFrame) or hasattr(export, "__arrow_c_stream__"):
        if any(given not in (None, AUTO) for given in reading.values()):
            export = read_events(export, **reading)
        with exports_told(export, "store.add"):
            frame = canonicalise(export).reset_index(drop=True)
        refuse_export(export, frame, "store.add")
        cells = encoded(frame)
        content = content_hash(len(frame), frame.columns, cells)
        if content in known_frames:
            return Batch(None, {}, "", {}, ["the frame"])
        return Batch(frame, cells, content, {}, [])
    files: dict[str, str] = {}
    known: list[str] = []
    before = {}
    left: list[str] = []
    for path in find_files(export, left):
        content, before[str(path)] = _hash(path)
        if content in known_files or content in files:
            known.append(str(path))
        else:
            files[content] = str(path)
    warn_of_left(left)
    if not files:
        return Batch(None, {}, "", {}, known)
    members: dict[str, str] = {}

    def is_known(member: Source) -> bool:
        content, _ = _hash(member.path)
        if content in known_files or content in files or content in members:
            known.append(member.said)
            return True
        members[content] = member.said
        return False

    rows = read_new(map(Path, files.values()), is_known, lambda: bool(known), reading)
    if rows is None:
        return Batch(None, {}, "", {}, known)
    frame = canonicalise(rows)
    for content, name in files.items():
        # Rows of other bytes than those that are remembered would never be added.
        if _hash(Path(name)) != (content, before[name]):
            raise ReadError(
                f"{name} was changed while it was read. Nothing was added; let exports be written "
                "elsewhere, move them in when they are whole, and add again."
            )
    return Batch(frame, encoded(frame), "", files | members, known)


def encoded(frame: pd.DataFrame) -> dict[str, tuple[str, Any]]:
    """Return kind and cells of the columns that hold something."""
    found = ((str(name), encode(column)) for name, column in frame.items())
    return {name: cells for name, cells in found if cells is not None}


def _hash(path: Path) -> tuple[str, tuple[int, ...]]:
    """Return the SHA-256 of a file's bytes, and what changes when it is written or replaced."""
    try:
        with path.open("rb") as file:
            about = os.fstat(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise cannot_be_opened(path, error) from None
    return digest, (about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)

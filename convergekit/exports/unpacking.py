"""Packed files to bytes: all that unpacks of a damaged file, then the error.

Arrow unpacks in large pieces, and returns nothing of the piece in which it finds damage: of a
small file that is the whole. So what comes before the damage is read again, in ever smaller
pieces, with the packed bytes handed over one by one where the damage is.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

_PIECE = 64 * 1024
#: How much is asked for at a time when a damaged place is read again.
_SMALLER = (4096, 1)


def unpack(path: Path, file: BinaryIO | io.RawIOBase, compression: str) -> Iterator[bytes]:
    """Yield the unpacked bytes of a file, and raise at damage once all before it was given.

    Zero bytes behind the end, with which tapes and block devices fill files up, are no damage.

    Parameters
    ----------
    path : pathlib.Path
    file : file object
        The same file, open to read bytes.
    compression : {"gzip", "zstd"}

    Raises
    ------
    OSError, pyarrow.ArrowException
        The file is damaged, or the system cannot read it.
    """
    watched = _Watched(file)
    given = 0
    try:
        for piece in _pieces(watched, compression, _PIECE):
            given += len(piece)
            yield piece
        return
    except (OSError, pa.ArrowException) as error:
        if isinstance(error, OSError) and error.errno is not None:
            # The system could not read; what stands there may be whole.
            raise
        found = error
    damaged = watched.last
    for size in _SMALLER:
        with path.open("rb", buffering=0) as again:
            slowly = _Watched(again, one_by_one_from=damaged)
            try:
                for piece in _from(_pieces(slowly, compression, size), given):
                    given += len(piece)
                    yield piece
            except (OSError, pa.ArrowException) as error:
                found = error
    padded = _is_of_a_header(found) and _only_zeros(path, slowly.last)
    if not padded and not _ends_in_one_zero(path, compression):
        raise found


def _pieces(file: _Watched, compression: str, size: int) -> Iterator[bytes]:
    stream = pa.CompressedInputStream(pa.PythonFile(file, mode="r"), compression)
    while piece := stream.read(size):
        yield piece


def _from(pieces: Iterator[bytes], start: int) -> Iterator[bytes]:
    """Yield what comes after so many bytes."""
    for piece in pieces:
        if start < len(piece):
            yield piece[start:]
        start = max(0, start - len(piece))


def _is_of_a_header(error: Exception) -> bool:
    """Return whether what was damaged is where another part of the file would begin."""
    said = ("header check", "compression method", "frame descriptor")
    return any(words in str(error) for words in said)


def _only_zeros(path: Path, place: int) -> bool:
    """Return whether a file holds zeros alone from a place on."""
    with path.open("rb") as file:
        file.seek(place)
        rest = file.read(_PIECE)
        while rest and not rest.strip(b"\0"):
            rest = file.read(_PIECE)
        return not rest


def _ends_in_one_zero(path: Path, compression: str) -> bool:
    """Return whether a file is whole but for one zero, which may be the begin of a header."""
    size = path.stat().st_size
    with path.open("rb", buffering=0) as file:
        file.seek(size - 1)
        if file.read(1) != b"\0":
            return False
        file.seek(0)
        try:
            for _ in _pieces(_Watched(file, end=size - 1), compression, _PIECE):
                pass
        except (OSError, pa.ArrowException):
            return False
    return True


class _Watched(io.RawIOBase):
    """A file that remembers where it was last read, and may be read byte by byte from a place.

    Attributes
    ----------
    last : int
        Where the last bytes began.
    """

    def __init__(
        self, file: Any, one_by_one_from: int | None = None, end: int | None = None
    ) -> None:
        self._file = file
        self._end = end
        self._slow = one_by_one_from
        self._at = 0
        self.last = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = len(buffer)
        if self._slow is not None:
            size = 1 if self._at >= self._slow else min(size, self._slow - self._at)
        if self._end is not None:
            size = min(size, self._end - self._at)
        content = self._file.read(size)
        buffer[: len(content)] = content
        self.last = self._at
        self._at += len(content)
        return len(content)

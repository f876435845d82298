"""Files to lines of UTF-8: unpacked, decoded where a byte-order mark says how, and bounded.

A file that ends in damage keeps the lines before it. A file that is something else (an archive,
UTF-16 without a mark) is a `ReadError` that says what it is, and so is a small file that unpacks
to far more than any export does.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import pyarrow as pa

from convergekit.errors import ReadError

#: Called with the number of bytes of the file read since the last call.
Progress = Callable[[int], object]

#: A line longer than this is no event; it would only fill the memory.
LONGEST_LINE = 64 * 1024 * 1024
#: Exports pack to a tenth, repetitive ones to a hundredth. A file that unpacks to more than this
#: many times its size, and to more than so many bytes, is made to fill the memory.
MOST_UNPACKED_TIMES = 250
UNPACKED_ALLOWED = 256 * 1024 * 1024

_COMPRESSIONS = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_OTHERS = {
    b"PK\x03\x04": "a ZIP archive; unpack it, and name the files inside",
    b"BZh": "packed with bzip2; unpack it, or pack it with gzip or zstd",
    b"\xfd7zX": "packed with xz; unpack it, or pack it with gzip or zstd",
    b"PAR1": "a Parquet file; name it .parquet",
    **dict.fromkeys(_COMPRESSIONS, "packed twice; unpack it once"),
}
# UTF-32 first: its mark in little-endian order starts with that of UTF-16.
_WIDE_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


class Lines:
    """The lines of a file as UTF-8 bytes: pairs of a 1-based number and a line with its end.

    A line that is too long for an event comes in pieces, under one number.

    Attributes
    ----------
    path : pathlib.Path
    number : int
        Of the line that came last.
    too_long : set of int
        Numbers of the lines that came in pieces.
    damage : str or None
        Why the file cannot be read beyond the last line.
    """

    TOO_LONG = f"longer than {LONGEST_LINE // 2**20} MB"
    _PLACEHOLDER = b"too long\n"

    def __init__(self, path: Path, progress: Progress) -> None:
        self.path = path
        self.number = 0
        self.too_long: set[int] = set()
        self.damage: str | None = None
        self._pieces = self._read(progress)

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        return self._pieces

    def without_long(self, pieces: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
        """Yield the lines of the pieces, some words in place of each that is too long."""
        last = 0
        for number, piece in pieces:
            if number not in self.too_long:
                yield number, piece
            elif number > last:
                yield number, self._PLACEHOLDER
            last = number

    def _read(self, progress: Progress) -> Iterator[tuple[int, bytes]]:
        try:
            with self.path.open("rb", buffering=0) as file:
                yield from self._of(_unpacked(self.path, file, progress))
        except (OSError, pa.ArrowException, UnicodeError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                # The system could not read; what stands there may be whole.
                raise
            self.damage = f"the file is damaged from here on: {short(error)}"

    def _of(self, stream: io.BufferedReader) -> Iterator[tuple[int, bytes]]:
        head = stream.peek(4)[:4]
        _refuse_other_formats(self.path, head)
        wide = next((name for mark, name in _WIDE_MARKS.items() if head.startswith(mark)), None)
        if wide is None:
            if b"\x00" in head:
                raise ReadError(
                    f"{self.path}: there are zero bytes at its start, as in UTF-16 without a "
                    "byte-order mark; save the file as UTF-8."
                )
            if head.startswith(codecs.BOM_UTF8):
                stream.read(len(codecs.BOM_UTF8))
            yield from self._numbered(stream.readline)
            return
        text = io.TextIOWrapper(stream, encoding=wide, newline="\n")
        yield from self._numbered(lambda limit: text.readline(limit).encode("utf-8"))

    def _numbered(self, readline: Callable[[int], bytes]) -> Iterator[tuple[int, bytes]]:
        goes_on = False
        while piece := readline(LONGEST_LINE):
            if not goes_on:
                self.number += 1
            goes_on = len(piece) >= LONGEST_LINE and not piece.endswith(b"\n")
            if goes_on:
                self.too_long.add(self.number)
            yield self.number, piece


def short(error: Exception) -> str:
    """Return the first line of an error's message."""
    return str(error).splitlines()[0].rstrip(".")[:120] if str(error) else type(error).__name__


def _refuse_other_formats(path: Path, head: bytes) -> None:
    for magic, what in _OTHERS.items():
        if head.startswith(magic):
            raise ReadError(f"{path} is {what}.")


def _unpacked(path: Path, file: io.FileIO, progress: Progress) -> io.BufferedReader:
    head = file.read(4)
    file.seek(0)
    counted = _Counted(file, progress)
    for magic, compression in _COMPRESSIONS.items():
        if head.startswith(magic):
            packed = pa.CompressedInputStream(counted, compression)
            return io.BufferedReader(_Bounded(path, packed))
    return io.BufferedReader(counted)


class _Counted(io.RawIOBase):
    """A file that tells how much of it was read."""

    def __init__(self, file: io.FileIO, progress: Progress) -> None:
        self._file = file
        self._progress = progress

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = cast(int, self._file.readinto(buffer))
        self._progress(count)
        return count


class _Bounded(io.RawIOBase):
    """An Arrow stream as Python's own buffered reader wants it, that does not unpack for ever."""

    def __init__(self, path: Path, stream: pa.NativeFile) -> None:
        self._path = path
        self._stream = stream
        self._size = path.stat().st_size
        self._left = max(UNPACKED_ALLOWED, MOST_UNPACKED_TIMES * self._size)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._stream.read(len(buffer))
        buffer[: len(chunk)] = chunk
        self._left -= len(chunk)
        if self._left < 0:
            raise ReadError(
                f"{self._path}: its {self._size:,} bytes unpack to more than "
                f"{max(UNPACKED_ALLOWED, MOST_UNPACKED_TIMES * self._size):,}, as no export does. "
                "If it is one, unpack it yourself and name the unpacked file."
            )
        return len(chunk)

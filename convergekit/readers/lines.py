"""Read files as lines of UTF-8: unpacked, decoded by their byte-order mark, and bounded.

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

from convergekit.errors import ConvergekitError, ReadError
from convergekit.readers.unpacking import MAGICS, Unpacked

#: Called with the number of bytes of the file read since the last call.
Progress = Callable[[int], object]

#: A line longer than this is not an event; it would only fill the memory.
LONGEST_LINE = 64 * 1024 * 1024

_OTHERS = {
    b"PK\x03\x04": "a ZIP archive; name it .zip",
    b"PAR1": "a Parquet file; name it .parquet",
    **dict.fromkeys(MAGICS, "packed twice; unpack it once"),
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
        What is wrong with the file, or why it cannot be read beyond the last line.
    cut : int or None
        Number of the last line, if damage may have cut it off.
    """

    TOO_LONG = f"longer than {LONGEST_LINE // 2**20} MB"
    _PLACEHOLDER = b"too long\n"

    def __init__(self, path: Path, progress: Progress, encoding: str | None = None) -> None:
        self.path = path
        self.number: int = 0
        self.too_long: set[int] = set()
        self.damage: str | None = None
        self.cut: int | None = None
        self._encoding = encoding
        self._packed: Unpacked | None = None
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
        with self.path.open("rb", buffering=0) as file:
            head = file.read(4)
            file.seek(0)
            if head.startswith(MAGICS):
                self._packed = Unpacked(self.path, file, progress)
            raw = self._packed or _Counted(file, progress)
            try:
                yield from self._of(io.BufferedReader(raw))
            except UnicodeError as error:
                self.damage = f"the file is damaged from here on: {short(error)}"
            if self._packed is not None and self._packed.damage:
                self.damage = self._packed.damage

    def _of(self, stream: io.BufferedReader) -> Iterator[tuple[int, bytes]]:
        head = stream.peek(4)[:4]
        _refuse_other_formats(self.path, head)
        encoding = next((name for mark, name in _WIDE_MARKS.items() if head.startswith(mark)), None)
        if head.startswith(codecs.BOM_UTF8):
            stream.read(len(codecs.BOM_UTF8))
        elif encoding is None:
            # What the file says of itself comes before what is said of all files of a call.
            encoding = self._encoding
        if encoding is None:
            if b"\x00" in head:
                order = "be" if head.startswith(b"\x00") else "le"
                bits = 32 if b"\x00\x00" in head else 16
                raise ReadError(
                    f"{self.path}: there are zero bytes at its start, as in UTF-{bits} without a "
                    f"byte-order mark; give encoding='utf-{bits}-{order}', or save it as UTF-8."
                )
            yield from self._numbered(stream.readline)
            return
        # Half a character costs its own line, which is not UTF-8 then, but none of the others.
        errors = "surrogatepass" if encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"
        text = io.TextIOWrapper(stream, encoding=encoding, newline="\n", errors=errors)
        yield from self._numbered(
            lambda limit: text.readline(limit).encode("utf-8", "surrogatepass")
        )

    def _numbered(self, readline: Callable[[int], bytes]) -> Iterator[tuple[int, bytes]]:
        goes_on = False
        while piece := readline(LONGEST_LINE):
            if not goes_on:
                self.number += 1
            goes_on = len(piece) >= LONGEST_LINE and not piece.endswith(b"\n")
            if goes_on:
                self.too_long.add(self.number)
            if self._packed is not None and not piece.endswith(b"\n") and not goes_on:
                self.cut = None if self._packed.ended else self.number
            yield self.number, piece


def check_encoding(name: object) -> None:
    """Raise unless it is an encoding of text that Python knows.

    Raises
    ------
    ConvergekitError
    """
    try:
        if not isinstance(name, str):
            raise LookupError
        "".encode(name)
        b"".decode(name)
    except (LookupError, UnicodeError, ValueError):
        raise ConvergekitError(
            "encoding must be one that Python knows, such as 'cp1252', 'utf-16-le' or "
            f"'shift_jis'; got {name!r}."
        ) from None


def short(error: Exception) -> str:
    """Return the first line of an error's message."""
    return str(error).splitlines()[0].rstrip(".")[:120] if str(error) else type(error).__name__


def _refuse_other_formats(path: Path, head: bytes) -> None:
    for magic, what in _OTHERS.items():
        if head.startswith(magic):
            raise ReadError(f"{path} is {what}.")


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

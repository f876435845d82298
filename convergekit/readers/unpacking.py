"""Unpack gzip, zstd, bzip2 and xz: all bytes up to any damage, and the damage in words.

Libraries raise at damage and drop what the same call had unpacked already. Here the last piece is
gone through again byte by byte, so that nothing is lost before the first wrong bit.
"""

from __future__ import annotations

import bz2
import io
import itertools
import lzma
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from convergekit.errors import ReadError

#: Exports pack to a tenth, repetitive ones to a hundredth. A file that unpacks to more than this
#: many times its size, and to more than so many bytes, is made to fill the memory.
MOST_UNPACKED_TIMES = 250
UNPACKED_ALLOWED = 256 * 1024 * 1024

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
#: Of a frame that says something to one program and is skipped by all others.
_SKIPPED = tuple(bytes([0x50 + kind]) + b"\x2a\x4d\x18" for kind in range(16))
_BZIP2 = b"BZh"
_XZ = b"\xfd7zX"
#: How packed files begin.
MAGICS = (_GZIP, _ZSTD, *_SKIPPED, _BZIP2, _XZ)
#: What a file of xz may ask for to be unpacked; the strongest packing there is asks for 65 MB.
_XZ_MEMORY = 256 * 1024 * 1024

_CHUNK = 1 << 16
#: How a reason begins that is of the file and not of a row.
DAMAGED = "the file is damaged"
_FROM_HERE_ON = DAMAGED + " from here on: {}"
_BREAKS_OFF = _FROM_HERE_ON.format("it breaks off")
_BROKEN = _FROM_HERE_ON.format("it cannot be unpacked")
_NOT_PACKED = _FROM_HERE_ON.format("what follows its end is not {}")
_CHECKSUM = DAMAGED + ": its checksum is wrong, so that any row may be"


class Unpacked(io.RawIOBase):
    """The bytes of a packed file, as many as unpack, as Python's own buffered reader wants them.

    Parameters
    ----------
    path : pathlib.Path
        For its size and for errors.
    file : io.FileIO
        Read from where it stands, and from its start again where it is damaged.
    progress : callable
        Called with the number of bytes of the file read since the last call.

    Attributes
    ----------
    damage : str or None
        What is wrong with the file, as soon as that is known.
    ended : bool
        Whether what was packed came to its end in spite of the damage.
    """

    def __init__(self, path: Path, file: io.FileIO, progress: Callable[[int], object]) -> None:
        self.damage: str | None = None
        self.ended: bool = True
        self._path = path
        self._size = path.stat().st_size
        self._allowed = max(UNPACKED_ALLOWED, MOST_UNPACKED_TIMES * self._size)
        self._left = self._allowed
        self._piece = memoryview(b"")
        head = file.read(4)
        file.seek(0)
        if head.startswith(_GZIP):
            self._pieces = self._gzip(file, progress)
        elif head.startswith(_BZIP2):
            self._pieces = self._streams(file, progress, _BZIP2, "bzip2", bz2.BZ2Decompressor)
        elif head.startswith(_XZ):
            self._pieces = self._streams(file, progress, _XZ, "xz", _xz)
        else:
            self._pieces = self._zstd(file, progress)

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as there is something at hand; nothing is there at the end."""
        while not self._piece:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._piece = memoryview(piece)
        size = min(len(buffer), len(self._piece))
        buffer[:size] = self._piece[:size]
        self._piece = self._piece[size:]
        self._left -= size
        if self._left < 0:
            raise ReadError(
                f"{self._path}: its {self._size:,} bytes unpack to more than {self._allowed:,}, "
                "as no export does. If it is one, unpack it yourself and name the unpacked file."
            )
        return size

    def _gzip(self, file: io.FileIO, progress: Callable[[int], object]) -> Iterator[bytes]:
        """Yield what the members hold, one after the other."""
        packed = _Packed(file, progress)
        try:
            while True:
                yield from self._member(packed)
                packed.skip_zeros()
                start = packed.peek(2)
                if not start:
                    return
                if start != _GZIP[: len(start)]:
                    self.damage = self.damage or _NOT_PACKED.format("gzip")
                    return
        except _DamageError as error:
            self.damage, self.ended = str(error), error.ended

    def _member(self, packed: _Packed) -> Iterator[bytes]:
        _skip_header(packed)
        checksum = size = 0
        for piece in _inflated(packed):
            checksum, size = zlib.crc32(piece, checksum), size + len(piece)
            yield piece
        trailer = packed.take(8)
        if len(trailer) < 8:
            raise _DamageError(_BREAKS_OFF, ended=True)
        if trailer != checksum.to_bytes(4, "little") + (size % 2**32).to_bytes(4, "little"):
            self.damage = _CHECKSUM

    def _streams(
        self,
        file: io.FileIO,
        progress: Callable[[int], object],
        magic: bytes,
        name: str,
        decoder_of: Callable[[], Any],
    ) -> Iterator[bytes]:
        """Yield what the streams of bzip2 or xz hold, one after the other."""
        packed = _Packed(file, progress)
        while not self.damage:
            start, done, decoder = packed.position, 0, decoder_of()
            try:
                while not decoder.eof:
                    data = packed.take_any() if decoder.needs_input else b""
                    if decoder.needs_input and not data:
                        self.damage, self.ended = _BREAKS_OFF, False
                        return
                    piece = decoder.decompress(data, _CHUNK)
                    done += len(piece)
                    yield piece
            except (OSError, EOFError, ValueError, lzma.LZMAError):
                self.damage, self.ended = _BROKEN, False
                yield from _again(file, start, packed.position, done, decoder_of())
                return
            packed.give_back(decoder.unused_data)
            packed.skip_zeros()
            following = packed.peek(len(magic))
            if not following:
                return
            if following != magic[: len(following)]:
                self.damage = _NOT_PACKED.format(name)

    def _zstd(self, file: io.FileIO, progress: Callable[[int], object]) -> Iterator[bytes]:
        """Yield what the frames hold, one after the other."""
        done = 0
        source = _Source(file, progress)
        try:
            with pa.CompressedInputStream(source, "zstd") as stream:
                while piece := stream.read(_CHUNK):
                    done += len(piece)
                    yield piece
                return
        except (OSError, pa.ArrowException) as error:
            if isinstance(error, OSError) and error.errno is not None:
                # The system could not read; what stands there may be whole.
                raise
            problem = str(error)
        # Each time with smaller bites, of which the last that is too large is given up.
        for bite in (1 << 12, 1 << 6, 1):
            for piece in _bites(file, source.read_to, done, bite):
                done += len(piece)
                yield piece
        self.damage, self.ended = _wrong_with_zstd(problem)


def _xz() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)


def _again(file: io.FileIO, start: int, end: int, done: int, decoder: Any) -> Iterator[bytes]:
    """Yield what a damaged stream holds beyond what is done, up to the first wrong bit."""
    file.seek(start)
    # What was unpacked last came of the last pieces: those byte by byte.
    sizes = itertools.chain(
        itertools.repeat(_CHUNK, max(end - start - 2 * _CHUNK, 0) // _CHUNK), itertools.repeat(1)
    )
    with io.BufferedReader(_Kept(file)) as stream:
        for size in sizes:
            data = stream.read(size)
            while data or not decoder.needs_input:
                try:
                    piece = decoder.decompress(data, _CHUNK)
                except (OSError, EOFError, ValueError, lzma.LZMAError):
                    return
                data = b""
                yield piece[done:]
                done = max(done - len(piece), 0)
            if not stream.peek(1):
                return


class _Kept(io.RawIOBase):
    """A file that is not closed with what reads it."""

    def __init__(self, file: io.FileIO) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._file.readinto(buffer) or 0


def _wrong_with_zstd(problem: str) -> tuple[str, bool]:
    if "checksum" in problem:
        return _CHECKSUM, True
    if "frame descriptor" in problem:
        return _NOT_PACKED.format("zstd"), True
    if "runcated" in problem:
        return _BREAKS_OFF, False
    return _BROKEN, False


class _DamageError(Exception):
    """What is packed cannot be unpacked any further."""

    def __init__(self, message: str, *, ended: bool = False) -> None:
        super().__init__(message)
        self.ended = ended


def _skip_header(packed: _Packed) -> None:
    header = packed.take(10)
    if len(header) == 10 and (header[2] != _DEFLATED or header[3] & _RESERVED):
        raise _DamageError(_BROKEN)
    flags = header[3] if len(header) == 10 else 0
    if flags & _EXTRA:
        size = packed.take(2)
        header += size + packed.take(int.from_bytes(size, "little"))
    for flag in (_NAME, _COMMENT):
        header += packed.take_text() if flags & flag else b""
    checksum = packed.take(2) if flags & _HEADER_CHECKSUM else b""
    if packed.is_at_end():
        raise _DamageError(_BREAKS_OFF)
    if flags & _HEADER_CHECKSUM and checksum != (zlib.crc32(header) & 0xFFFF).to_bytes(2, "little"):
        raise _DamageError(_BROKEN)


_DEFLATED = 8
_HEADER_CHECKSUM, _EXTRA, _NAME, _COMMENT, _RESERVED = 2, 4, 8, 16, 0xE0


def _inflated(packed: _Packed) -> Iterator[bytes]:
    """Yield what a member holds, up to its end or the first wrong bit."""
    member = zlib.decompressobj(-zlib.MAX_WBITS)
    while not member.eof:
        data = member.unconsumed_tail or packed.take_any()
        before = member.copy()
        try:
            piece = member.decompress(data, _CHUNK)
        except zlib.error:
            yield from _bytewise(before, data)
            raise _DamageError(_BROKEN) from None
        if not data and not piece:
            raise _DamageError(_BREAKS_OFF)
        yield piece
    packed.give_back(member.unused_data)


def _bytewise(member: Any, data: bytes) -> Iterator[bytes]:
    for place in range(len(data)):
        try:
            yield member.decompress(data[place : place + 1])
        except zlib.error:
            return


class _Packed:
    """Bytes of a file that are looked at before they are taken."""

    def __init__(self, file: io.FileIO, progress: Callable[[int], object]) -> None:
        self._file = file
        self._progress = progress
        self._ahead = b""

    @property
    def position(self) -> int:
        """Where in the file the next byte is."""
        return self._file.tell() - len(self._ahead)

    def take_any(self) -> bytes:
        """Return some bytes, none at the end."""
        self.peek(1)
        taken, self._ahead = self._ahead, b""
        return taken

    def take(self, size: int) -> bytes:
        """Return so many bytes, fewer at the end."""
        taken = self.peek(size)
        self._ahead = self._ahead[size:]
        return taken

    def take_text(self) -> bytes:
        """Return the bytes up to the next that is zero, and this."""
        while b"\x00" not in self._ahead:
            before = len(self._ahead)
            # So many bytes are not a name.
            if before > _CHUNK or len(self.peek(before + 1)) == before:
                break
        found, zero, self._ahead = self._ahead.partition(b"\x00")
        return found + zero

    def peek(self, size: int) -> bytes:
        """Return the next bytes, which stay."""
        while len(self._ahead) < size:
            chunk = bytearray(_CHUNK)
            count = self._file.readinto(chunk)
            if not count:
                break
            self._progress(count)
            self._ahead += chunk[:count]
        return self._ahead[:size]

    def give_back(self, data: bytes) -> None:
        """Put bytes before those that come next."""
        self._ahead = data + self._ahead

    def skip_zeros(self) -> None:
        """Skip the zero bytes with which tapes and disks fill their blocks."""
        while self.peek(1) == b"\x00":
            self._ahead = self._ahead.lstrip(b"\x00")

    def is_at_end(self) -> bool:
        """Return whether no byte is left."""
        return not self.peek(1)


class _Source(io.RawIOBase):
    """A file for Arrow that remembers how far it was read, and comes in single bytes from a place.

    Attributes
    ----------
    read_to : int
    """

    def __init__(
        self, file: io.FileIO, progress: Callable[[int], object], singly_from: int | None = None
    ) -> None:
        self.read_to = 0
        self._file = file
        self._progress = progress
        self._singly_from = singly_from
        file.seek(0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = len(buffer)
        if self._singly_from is not None:
            size = min(size, max(self._singly_from - self.read_to, 1))
        count = self._file.readinto(memoryview(buffer)[:size])
        self.read_to += count
        self._progress(count)
        return count


def _bites(file: io.FileIO, read_to: int, done: int, size: int) -> Iterator[bytes]:
    """Yield pieces of so many bytes beyond those that are done, up to the first that fails."""
    # The decoder had no more than one chunk that it had not unpacked.
    source = _Source(file, lambda _: None, singly_from=max(read_to - 2 * _CHUNK, 0))
    try:
        with pa.CompressedInputStream(source, "zstd") as stream:
            while done:
                done -= len(stream.read(min(done, _CHUNK)))
            while piece := stream.read(size):
                yield piece
    except (OSError, pa.ArrowException) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise

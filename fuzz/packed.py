"""Packed files, whole and damaged: all that unpacks of them is read."""

from __future__ import annotations

import gzip
import io
import json
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from hypothesis import strategies as st

from convergekit.readers.unpacking import Unpacked
from fuzz.oracle import BrokenPromiseError, check_file

_LINE = st.builds(
    lambda name, cookie: json.dumps(
        {"event_name": name, "timestamp": "2026-03-02T10:00:00Z", "alias.cookie": cookie}
    ),
    st.text(max_size=12),
    st.text(max_size=40),
)


@dataclass(frozen=True)
class Packed:
    """A packed file, what it was packed from, and how."""

    content: bytes
    text: bytes
    compression: str


@st.composite
def packed_files(draw: st.DrawFn) -> Packed:
    """Lines, packed in one part or several, and damaged somewhere or nowhere."""
    text = "".join(f"{line}\n" for line in draw(st.lists(_LINE, max_size=30))).encode()
    text *= draw(st.sampled_from([1, 1, 1, 200]))
    compression = draw(st.sampled_from(["gzip", "gzip", "zstd"]))
    cut = draw(st.integers(0, len(text)))
    parts = [text] if draw(st.booleans()) else [text[:cut], text[cut:]]
    if compression == "gzip":
        content = b"".join(gzip.compress(part, mtime=0) for part in parts)
    else:
        content = b"".join(pa.compress(part, "zstd", asbytes=True) for part in parts)
    return Packed(draw(_damaged(content)), text, compression)


@st.composite
def _damaged(draw: st.DrawFn, content: bytes) -> bytes:
    how = draw(st.sampled_from(["not", "cut", "flipped", "zeros", "more"]))
    if how == "cut":
        return content[: draw(st.integers(4, len(content)))]
    if how == "flipped":
        place = draw(st.integers(4, len(content) - 1))
        flipped = content[place] ^ (1 << draw(st.integers(0, 7)))
        return content[:place] + bytes([flipped]) + content[place + 1 :]
    if how == "zeros":
        return content + b"\0" * draw(st.integers(1, 5000))
    return content + draw(st.binary(max_size=20)) if how == "more" else content


def check_packed(drawn: Packed) -> None:
    """Compare what is unpacked with the slow and obvious way, and read the file.

    Raises
    ------
    BrokenPromiseError
    """
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "a.jsonl.gz" if drawn.compression == "gzip" else "a.jsonl.zst")
        path.write_bytes(drawn.content)
        with path.open("rb", buffering=0) as file:
            unpacked = Unpacked(path, file, lambda count: None)
            found = io.BufferedReader(unpacked).read()
        whole = unpacked.damage is None
        # These frames of zstd have no checksum by which a flipped bit would be noticed.
        if drawn.compression == "gzip":
            expected, expected_whole = inflated(drawn.content)
            # Parts that come after a wrong checksum are read as well.
            if not found.startswith(expected) or whole != expected_whole:
                raise BrokenPromiseError("another way to unpack gives something else")
        check_file(path)


def inflated(content: bytes) -> tuple[bytes, bool]:
    """Return what unpacks of a gzip file, byte by byte, and whether that is all of it."""
    out, part = b"", zlib.decompressobj(31)
    for place in range(len(content)):
        if part.eof:
            if not content[place:].strip(b"\0"):
                return out, True
            part = zlib.decompressobj(31)
        try:
            out += part.decompress(content[place : place + 1])
        except zlib.error:
            return out, False
    return out, part.eof

"""What is piped into a command, as a file whose name says its format."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from convergekit.errors import ConvergekitError

_PIPE = "-"
_LOOKED_AT = 4096


@contextlib.contextmanager
def unpiped(exports: list[str]) -> Iterator[list[str]]:
    """Give the exports, with a temporary file instead of ``-``, the standard input.

    Parameters
    ----------
    exports : list of str

    Raises
    ------
    ConvergekitError
        ``-`` is named twice, or nothing is piped in.
    """
    if _PIPE not in exports:
        yield exports
        return
    if exports.count(_PIPE) > 1:
        raise ConvergekitError("- stands for what is piped in; name it once.")
    if sys.stdin is None or sys.stdin.isatty():
        raise ConvergekitError(
            "- stands for what is piped in, and nothing is. Pipe an export in, such as "
            "cat events.jsonl | convergekit check -, or name a file."
        )
    with tempfile.TemporaryDirectory() as directory:
        stream = sys.stdin.buffer
        start = stream.read(_LOOKED_AT)
        if not start:
            raise ConvergekitError("- stands for what is piped in, which is empty.")
        file = Path(directory) / f"stdin{suffix_of(start)}"
        with file.open("wb") as copy:
            copy.write(start)
            shutil.copyfileobj(stream, copy)
        yield [str(file) if export == _PIPE else export for export in exports]


def suffix_of(start: bytes) -> str:
    """Return how a file's name ends that begins with these bytes.

    Parameters
    ----------
    start : bytes

    Examples
    --------
    >>> suffix_of(b'{"event": "PageView"}'), suffix_of(b"event,timestamp"), suffix_of(b"PAR1")
    ('.json', '.csv', '.parquet')
    """
    if start.startswith(b"PAR1"):
        return ".parquet"
    if start.startswith(b"PK"):
        return ".zip"
    if start.startswith(b"\x1f\x8b"):
        try:
            within = zlib.decompressobj(wbits=31).decompress(start, _LOOKED_AT)
        except zlib.error:
            within = b""
        return f"{suffix_of(within)}.gz"
    # Without byte-order marks, and without the zero bytes of UTF-16.
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip(b"\xff\xfe").replace(b"\0", b"").lstrip()
    return ".json" if text[:1] in (b"{", b"[") else ".csv"

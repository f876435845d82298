"""Let one of the file operations of a block fail, or kill the process there."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

#: What Python says of itself before it does it, and what changes files.
_EVENTS = {
    "open", "os.chmod", "os.listdir", "os.mkdir", "os.remove", "os.rename", "os.rmdir",
    "os.scandir", "os.truncate",
}  # fmt: skip


class Faults:
    """The operations of a block below a directory, one of which fails.

    Attributes
    ----------
    seen : int
        How many operations there were until the block ended.
    """

    def __init__(self, below: Path, at: int, fail: Callable[[], None]) -> None:
        self.seen = 0
        self._below, self._at, self._fail = os.path.realpath(below), at, fail
        self._thread = threading.get_ident()

    def operation(self, path: object) -> None:
        if threading.get_ident() == self._thread and self._concerns(path):
            self.seen += 1
            if self.seen == self._at:
                self._fail()

    def _concerns(self, path: object) -> bool:
        if isinstance(path, int):
            return True
        return os.fspath(path).startswith(self._below) if _is_path(path) else False


def _is_path(path: object) -> bool:
    return isinstance(path, (str, os.PathLike))


_faults: list[Faults] = []


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if _faults and event in _EVENTS:
        _faults[-1].operation(arguments[0])


# A hook stays for as long as the process does.
sys.addaudithook(_hook)


@contextlib.contextmanager
def failing(below: Path, at: int, fail: Callable[[], None]) -> Iterator[Faults]:
    """Let the `at`-th file operation below a directory fail, from 1.

    To force something to the drive is one, although it is not done: no test cuts the power.
    """
    faults = Faults(below, at, fail)
    fsync = os.fsync
    os.fsync = faults.operation
    _faults.append(faults)
    try:
        yield faults
    finally:
        _faults.pop()
        os.fsync = fsync

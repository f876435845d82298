"""The lock of a store: one process writes, or several read.

The system holds the lock for as long as its file is open, so a process that is killed lets go of
it. It is of the file itself: whatever path leads to the store, and whichever thread or process
asks, the lock is the same one.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from convergekit.errors import ConvergekitError, WriteError

NAME = "lock"

# The lock files that this process has open, which a fork must not keep, and their stores.
_open: dict[BinaryIO, str] = {}
# The stores that were open when this process was forked from another.
_open_at_fork: set[str] = set()


@contextlib.contextmanager
def claimed(store: Path, *, writing: bool) -> Iterator[None]:
    """Hold the lock of a store, alone or with other readers.

    Parameters
    ----------
    store : pathlib.Path
        The directory.
    writing : bool
        Whether to hold it alone.

    Raises
    ------
    ConvergekitError
        Another thread or process holds it, the file cannot be opened, or this process was forked
        while it had the store open.
    """
    if str(store) in _open_at_fork:
        raise ConvergekitError(
            f"{store} was open when this process was forked, so DuckDB cannot open it here. Start "
            "processes with multiprocessing.get_context('spawn'), or ask in the first process."
        )
    file = _opened(store, writing=writing)
    if file is None:
        yield
        return
    _open[file] = str(store)
    try:
        _hold(file, store, writing=writing)
        if writing:
            _sign(file, str(os.getpid()))
        try:
            yield
        finally:
            if writing:
                _sign(file, "")
            # Not by closing alone, because a process forked meanwhile may have the file open too.
            _let_go(file)
    finally:
        _open.pop(file, None)
        file.close()


def _hold(file: BinaryIO, store: Path, *, writing: bool) -> None:
    import portalocker
    from portalocker import LockFlags

    how = LockFlags.EXCLUSIVE if writing else LockFlags.SHARED
    try:
        portalocker.lock(file, how | LockFlags.NON_BLOCKING)
    except portalocker.AlreadyLocked:
        raise _busy(store, file) from None
    except (portalocker.LockException, OSError) as error:
        raise ConvergekitError(
            f"{store} cannot be locked: {error}. Put the store on a drive that has locks."
        ) from None
    try:
        is_there = os.path.samestat(os.fstat(file.fileno()), (store / NAME).stat())
    except OSError:
        is_there = False
    if not is_there:
        # Whoever was making the store gave up, and took the lock's file away.
        raise _busy(store, file)


def _let_go(file: BinaryIO) -> None:
    import portalocker

    with contextlib.suppress(portalocker.LockException, OSError):
        portalocker.unlock(file)


def _opened(store: Path, *, writing: bool) -> BinaryIO | None:
    """Open the lock's file; None where a reader may not create it, because then no process can."""
    path = store / NAME
    try:
        return open(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b", buffering=0)
    except OSError as error:
        if writing:
            raise cannot_be_written(store, reason(error)) from None
    try:
        return path.open("rb", buffering=0)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConvergekitError(
            f"{path} cannot be opened: {reason(error)}. Check who may read the store."
        ) from None


def _sign(file: BinaryIO, holder: str) -> None:
    """Say in the file who writes; who cannot be told is only not named."""
    with contextlib.suppress(OSError):
        file.truncate(0)
        file.seek(0)
        file.write(holder.encode())


def _busy(store: Path, file: BinaryIO) -> ConvergekitError:
    try:
        file.seek(0)
        holder = file.read(20).decode("ascii", "replace")
    except OSError:
        # Windows locks the bytes as well.
        holder = ""
    if holder == str(os.getpid()):
        user = "this process"
    else:
        user = f"process {holder}" if holder.isdecimal() else "another thread or process"
    return ConvergekitError(
        f"{store} is in use by {user}: one process at a time can add to a store, and none can "
        "read it meanwhile. Try again when it is done; nothing was changed."
    )


def cannot_be_written(store: Path, why: str) -> WriteError:
    """Return the error of a store on a full, failing or protected drive."""
    return WriteError(
        f"{store} cannot be written: {why}. Nothing was changed; make room, or check the drive and "
        "who may write there, and try again."
    )


def reason(error: OSError) -> str:
    """Return why the system refused, in its words."""
    return (error.strerror or str(error) or type(error).__name__).lower()


def _after_fork() -> None:
    for file, store in _open.items():
        _open_at_fork.add(store)
        # Not unlocked, because the lock is the first process's; the number stays taken, so that
        # closing the file object later closes nothing else.
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, file.fileno(), inheritable=False)
        os.close(nothing)
    _open.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

"""Write files whole or not at all.

A file is written as a draft beside its place, forced to the drive, and then renamed over what was
there: a reader finds the old content or the new, never a part of it, and a power cut after
the return loses nothing. Several files of one directory are written into a draft directory inside
it. One rename makes that the directory's last whole write (`.convergekit-new`), from which its
files are then moved to their places. Killed in between, `newest` finds each file of the last whole
write, and the next writer moves the rest.

A writer holds a lock on its draft for as long as it writes. A draft that no process holds was left
by a killed process, and the next writer to the same directory removes it. On a system or drive that
has no such locks it stays.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from convergekit.errors import ConvergekitError, WriteError

if sys.platform != "win32":
    import fcntl

_PREFIX = ".convergekit-"
_DRAFT = ".draft"
#: The files of the last whole write that are not in their places yet.
_NEW = f"{_PREFIX}new"
#: Among these, after the name of a file that the last whole write removes.
_GONE = ".gone"

_HINTS = dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "Make room")
_HINTS |= dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "Check who may write there")


@contextlib.contextmanager
def whole_file(path: str | Path) -> Iterator[BinaryIO]:
    """Write a file whole, or leave what was there.

    The file has its new content when the block ends; after an error or an interrupt in the block
    it has the old one. A link stays one, and an earlier file's permissions are kept.

    Parameters
    ----------
    path : str or pathlib.Path

    Yields
    ------
    file object
        To write bytes to.

    Raises
    ------
    WriteError
        The system does not let the file be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     path = Path(directory, "a.txt")
    ...     with whole_file(path) as file:
    ...         _ = file.write(b"new")
    ...     path.read_text()
    'new'
    """
    target = real_path(path)
    with _refusals_told(target):
        _check_replaceable(target)
        with _draft(target.parent, lambda draft: draft.touch(exist_ok=False)) as draft:
            file = draft.open("wb")
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
            finally:
                # After an error, to close is to write what is left, which fails again.
                with contextlib.suppress(OSError):
                    file.close()
            _keep_permissions(draft, target)
            os.replace(draft, target)
        sync_directory(target.parent)


@contextlib.contextmanager
def whole_files(directory: str | Path, *, gone: Iterable[str] = ()) -> Iterator[Path]:
    """Write several files of a directory, all of them or none.

    Other files of the directory stay as they are.

    Parameters
    ----------
    directory : str or pathlib.Path
        Made if it does not exist.
    gone : iterable of str
        Names of earlier files that the new ones replace; those not rewritten are removed.

    Yields
    ------
    pathlib.Path
        An empty directory to write the files into, under their names.

    Raises
    ------
    WriteError
        The system does not let the files be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     with whole_files(directory) as draft:
    ...         _ = (draft / "a.txt").write_text("a")
    ...     [path.name for path in Path(directory).iterdir()]
    ['a.txt']
    """
    place = real_path(directory)
    with _refusals_told(place):
        made = _make_directory(place)
        try:
            _settle(place)
            with _draft(place, Path.mkdir) as draft:
                yield draft
                _seal(draft, place, gone)
                _commit(draft, place)
        except BaseException:
            for empty in made:
                with contextlib.suppress(OSError):
                    empty.rmdir()
            raise
    try:
        _settle(place)
    except KeyboardInterrupt:
        # The new files are whole: those who read them without `newest` find no mixture either.
        _settle(place)
        raise


def newest(directory: Path, name: str) -> Path:
    """Return where a file of a directory's last whole write is; nothing is there if it has none.

    Parameters
    ----------
    directory : pathlib.Path
    name : str

    Examples
    --------
    >>> newest(Path("out"), "events.parquet").as_posix()
    'out/events.parquet'
    """
    new = directory / _NEW
    if not new.is_dir() or new.is_symlink():
        return directory / name
    is_newer = (new / name).exists() or (new / (name + _GONE)).exists()
    return new / name if is_newer else directory / name


def is_draft(path: Path) -> bool:
    """Return whether a path is a draft, which a writer is at or has left behind.

    Examples
    --------
    >>> is_draft(Path("out/.convergekit-0a1b2c.draft")), is_draft(Path("out/a.parquet"))
    (True, False)
    """
    return path.name.startswith(_PREFIX) and path.name.endswith(_DRAFT)


def sync_directory(path: Path) -> None:
    """Force a directory's entries to the drive; a rename is lasting only afterwards.

    Parameters
    ----------
    path : pathlib.Path

    Raises
    ------
    OSError
    """
    if sys.platform == "win32":
        # Windows opens no directories, and writes renames to its journal by itself.
        return
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    except OSError as error:
        # Some mounted drives cannot, and say so.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(opened)


def real_path(path: str | Path) -> Path:
    """Return where to write, behind links.

    Parameters
    ----------
    path : str or pathlib.Path

    Raises
    ------
    WriteError
        It is not a path.
    """
    try:
        return Path(os.path.realpath(os.fspath(path)))
    except (OSError, TypeError, ValueError):
        raise WriteError(
            f"the path must be text or a pathlib.Path, such as 'out'; got {path!r}."
        ) from None


@contextlib.contextmanager
def _refusals_told(path: Path) -> Iterator[None]:
    try:
        yield
    except ConvergekitError:
        raise
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        hint = _HINTS.get(error.errno or 0, "Check the path and the drive")
        raise WriteError(
            f"{path} cannot be written: {reason}. {hint}, and try again; no file was left half "
            "written."
        ) from error


@contextlib.contextmanager
def _draft(directory: Path, make: Callable[[Path], None]) -> Iterator[Path]:
    _remove_left_overs(directory)
    draft, lock = _held_draft(directory, make)
    try:
        yield draft
    finally:
        _remove(draft)
        if lock is not None:
            os.close(lock)


def _held_draft(directory: Path, make: Callable[[Path], None]) -> tuple[Path, int | None]:
    while True:
        draft = directory / f"{_PREFIX}{secrets.token_hex(6)}{_DRAFT}"
        make(draft)
        # Until it is locked, another writer takes the draft for one that was left.
        with contextlib.suppress(BlockingIOError, FileNotFoundError):
            lock = _lock(draft)
            if draft.exists():
                return draft, lock
            if lock is not None:
                os.close(lock)


def _lock(draft: Path) -> int | None:
    """Hold a draft as one's own; None where there are no locks.

    Raises
    ------
    BlockingIOError
        Another holds it.
    """
    if sys.platform == "win32":
        return None
    held = os.open(draft, os.O_RDONLY | os.O_NONBLOCK)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        raise
    except OSError:
        os.close(held)
        return None
    return held


def _remove_left_overs(directory: Path) -> None:
    for left in filter(is_draft, directory.iterdir()):
        with contextlib.suppress(OSError):
            lock = _lock(left)
            if lock is not None:
                _remove(left)
                os.close(lock)


def _remove(draft: Path) -> None:
    with contextlib.suppress(OSError):
        if draft.is_dir() and not draft.is_symlink():
            shutil.rmtree(draft, ignore_errors=True)
        else:
            draft.unlink(missing_ok=True)


def _check_replaceable(target: Path) -> None:
    """Raise if there is something that a rename would replace, but writing would not."""
    if not target.exists():
        return
    if not target.is_file():
        raise WriteError(f"{target} is not a file. Give another path, or move it away.")
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))


def _keep_permissions(draft: Path, target: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        draft.chmod(stat.S_IMODE(target.stat().st_mode))


def _make_directory(directory: Path) -> list[Path]:
    """Make a directory and those above it; return the ones that there were not, inmost first."""
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    directory.mkdir(parents=True, exist_ok=True)
    for path in missing:
        sync_directory(path.parent)
    return missing


def _seal(draft: Path, place: Path, gone: Iterable[str]) -> None:
    """Force a draft's files to the drive, and note which earlier ones go."""
    written = sorted(draft.iterdir())
    removed = set(gone).difference(path.name for path in written)
    for name in sorted(removed):
        if (place / name).exists():
            _check_replaceable(place / name)
            (draft / (name + _GONE)).touch()
    for path in written:
        _check_replaceable(place / path.name)
        # Windows forces to the drive only what may be written.
        with path.open("r+b") as file:
            os.fsync(file.fileno())
        _keep_permissions(path, place / path.name)
    sync_directory(draft)


def _commit(draft: Path, place: Path) -> None:
    """Make a draft the last whole write of its directory."""
    while True:
        try:
            os.rename(draft, place / _NEW)
            break
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        # Another writer's files are not in their places yet.
        _settle(place)
    sync_directory(place)


def _settle(place: Path) -> None:
    """Move the files of the last whole write to their places.

    Several processes may do so at a time.
    """
    new = place / _NEW
    if new.is_symlink() or not new.is_dir():
        return
    waiting: list[Path] = []
    try:
        # Another process may have moved them all since.
        with contextlib.suppress(FileNotFoundError):
            waiting = sorted(new.iterdir())
        for path in waiting:
            target = place / path.name.removesuffix(_GONE)
            with contextlib.suppress(FileNotFoundError):
                if path.name.endswith(_GONE):
                    target.unlink(missing_ok=True)
                    path.unlink()
                else:
                    os.replace(path, target)
        sync_directory(place)
    except OSError as error:
        raise WriteError(
            f"{place}: the new files are complete, but not all of them are in place yet "
            f"({(error.strerror or str(error)).lower()}). Check the drive and write again: the "
            f"files that are still in {new} are moved then. convergekit reads them there "
            "meanwhile."
        ) from error
    # Not empty if another writer was done in between, who moves their own.
    with contextlib.suppress(OSError):
        new.rmdir()

"""The directory of a run: what it was asked, what is done, and the files of it.

The manifest is written whole after each step, and a file before the manifest that names it. So a
run that was killed goes on from its last finished step, and nothing that is half written is named.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, BinaryIO

from convergekit.base.durable import real_path, whole_file
from convergekit.errors import ConvergekitError, ReadError, WriteError

if sys.platform != "win32":
    import fcntl

#: Of the manifest and the files that it names; raised if an older version would misread them.
FORMAT = 4
MANIFEST = "parts.json"
_LOCK = "lock"
_DRAFT = ".draft"
_OURS = ("blocks", "keys", "rows", "tables", "facts", "views")


@dataclass
class Progress:
    """How far a run has come.

    Attributes
    ----------
    units : int
        How many units of the source are read.
    blocks : list of int
        How many rows each block of the source has.
    size : int
        How many bytes the rows take in memory.
    replaced : list of str
        Columns of the source that an earlier stitch wrote.
    read : bool
        Whether all blocks are written.
    parts : int
        How many parts there are; 0 until clusters are known.
    split : int
        Of how many blocks the rows are written by part.
    rows_in : list of int
        How many of these rows each part has.
    stitched : int
        How many parts are stitched.
    """

    units: int = 0
    blocks: list[int] = field(default_factory=list)
    size: int = 0
    replaced: list[str] = field(default_factory=list)
    read: bool = False
    parts: int = 0
    split: int = 0
    rows_in: list[int] = field(default_factory=list)
    stitched: int = 0

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(self.blocks)


@dataclass(eq=False)
class Workdir:
    """The directory of a run.

    Attributes
    ----------
    path : pathlib.Path
    asked : dict of str to dict of str to str
        What the run was asked: ``"options"`` and ``"source"``, by name.
    done : Progress
    """

    path: Path
    asked: dict[str, dict[str, str]]
    done: Progress

    def file(self, *names: str) -> Path:
        """Return the path of a file, its folders made."""
        path = self.path.joinpath(*names)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise not_written(path.parent, error) from error
        return path

    def write(self, content: bytes, *names: str) -> None:
        """Write a file whole, and force it to the drive."""
        with whole_file(self.file(*names)) as file:
            file.write(content)

    def write_rows(self, content: bytes, *names: str) -> None:
        """Write a Parquet file whole, in the system's own time.

        There are many. After a power cut one may be lost; Parquet says of one that is not whole
        that it is not.
        """
        path = self.file(*names)
        draft = path.with_suffix(_DRAFT)
        try:
            draft.write_bytes(content)
            os.replace(draft, path)
        except OSError as error:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
            raise not_written(path, error) from error

    def append(self, content: bytes, *names: str) -> None:
        """Write to the end of a file: of one that a run that goes on makes anew."""
        path = self.file(*names)
        try:
            with path.open("ab") as file:
                file.write(content)
        except OSError as error:
            raise not_written(path, error) from error

    def read(self, *names: str) -> bytes:
        """Return what a file holds.

        Raises
        ------
        ReadError
            It is not there, or cannot be read.
        """
        return content_of(self.path.joinpath(*names))

    def record(self) -> None:
        """Write how far the run has come."""
        from convergekit import __version__

        content: dict[str, Any] = {"format": FORMAT, "version": __version__, **self.asked}
        content["done"] = asdict(self.done)
        content["check"] = _check(content)
        self.write(json.dumps(content, indent=1).encode(), MANIFEST)

    def move(self, names: Sequence[str], to: Sequence[str]) -> None:
        """Give a file of rows another place, unless it has it already."""
        path, target = self.path.joinpath(*names), self.file(*to)
        if target.exists() and not path.exists():
            return
        try:
            os.replace(path, target)
        except FileNotFoundError as error:
            raise _lost(path, error) from None
        except OSError as error:
            raise not_written(target, error) from error

    def remove(self, *names: str) -> None:
        """Remove a file or a folder that is not needed any more."""
        path = self.path.joinpath(*names)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


@contextlib.contextmanager
def opened(path: str | Path, asked: Mapping[str, Mapping[str, str]]) -> Iterator[Workdir]:
    """Open the directory of a run alone: a new one, or one that goes on.

    Parameters
    ----------
    path : str or pathlib.Path
        Made if it does not exist.
    asked : mapping of str to mapping of str to str
        ``"options"`` and ``"source"``: what the run is asked, each by name.

    Raises
    ------
    ConvergekitError
        The directory holds something else, a run of another version or of other options, or
        another process works in it.
    ReadError
        The manifest is damaged.
    WriteError
        The system does not let it be written.
    """
    place = real_path(path)
    try:
        place.mkdir(parents=True, exist_ok=True)
        held = (place / _LOCK).open("ab")
    except OSError as error:
        raise not_written(place, error) from error
    with held:
        _hold(held, place)
        yield _found(place, {kind: dict(values) for kind, values in asked.items()})


@contextlib.contextmanager
def temporary(asked: Mapping[str, Mapping[str, str]]) -> Iterator[Workdir]:
    """Open a directory that lives as long as its `Workdir`, and the process.

    Parameters
    ----------
    asked : mapping of str to mapping of str to str
        As `opened` takes it.

    Raises
    ------
    WriteError
        The system does not let it be written.
    """
    try:
        place = Path(tempfile.mkdtemp(prefix="convergekit-"))
    except OSError as error:
        raise not_written(Path(tempfile.gettempdir()), error) from error
    try:
        with opened(place, asked) as found:
            weakref.finalize(found, _remove_temporary, place, os.getpid())
            yield found
    except BaseException:
        # Nobody knows where it is, so nobody goes on from there.
        _remove_temporary(place, os.getpid())
        raise


def view_of(workdir: Workdir) -> Workdir:
    """Return a directory for a view of a run, below it: it lives as long as its `Workdir`.

    Raises
    ------
    WriteError
        The system does not let it be written.
    """
    views = workdir.path / "views"
    try:
        views.mkdir(exist_ok=True)
        place = Path(tempfile.mkdtemp(dir=views))
    except OSError as error:
        raise not_written(views, error) from error
    found = Workdir(place, {}, Progress(read=True, parts=workdir.done.parts))
    weakref.finalize(found, _remove_temporary, place, os.getpid())
    return found


def _remove_temporary(place: Path, process: int) -> None:
    # A process that was forked has its copy of the Workdir, but not the directory.
    if os.getpid() == process:
        shutil.rmtree(place, ignore_errors=True)


def _found(place: Path, asked: dict[str, dict[str, str]]) -> Workdir:
    if not (place / MANIFEST).exists():
        try:
            others = sorted(p.name for p in place.iterdir() if not _is_ours(p.name))
        except OSError as error:
            raise not_written(place, error) from error
        if others:
            raise ConvergekitError(
                f"workdir={str(place)!r} holds other files, such as {others[0]!r}. Give a "
                "directory that is empty or does not exist."
            )
        found = Workdir(place, asked, Progress())
        for name in _OURS:
            found.remove(name)
        found.record()
        return found
    content = _manifest(place)
    _refuse_other(place, content, asked)
    _remove_drafts(place)
    return Workdir(place, asked, Progress(**content["done"]))


def _remove_drafts(place: Path) -> None:
    """Remove what killed processes left half written: who holds the lock writes alone.

    A view is written to without the lock, by a process that may be alive.
    """
    for folder, inside, names in os.walk(place):
        if Path(folder) == place and "views" in inside:
            inside.remove("views")
        for name in names:
            if name.endswith(_DRAFT):
                with contextlib.suppress(OSError):
                    Path(folder, name).unlink()


def _manifest(place: Path) -> dict[str, Any]:
    path = place / MANIFEST
    try:
        content = json.loads(path.read_text("utf-8"))
        check = content.pop("check")
        whole = check == _check(content)
    except OSError as error:
        raise ReadError(f"{path} cannot be read: {_said(error)}. Check the drive.") from None
    except (ValueError, KeyError, AttributeError, TypeError):
        whole = False
    if not whole:
        raise ReadError(
            f"{path} is not as it was written. Remove the directory, or give another workdir=, and "
            "stitch again."
        )
    return dict(content)


def _refuse_other(place: Path, content: dict[str, Any], asked: dict[str, dict[str, str]]) -> None:
    """Raise if the run in a directory is another one."""
    from convergekit import __version__

    again = "Give another workdir=, or remove this one"
    if (content.get("format"), content["version"]) != (FORMAT, __version__):
        raise ConvergekitError(
            f"workdir={str(place)!r} is of version {content['version']} of convergekit, and this "
            f"is {__version__}. {again}."
        )
    for kind, what in (("options", "other options"), ("source", "another source")):
        before, now = content[kind], asked[kind]
        names = [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
        if names:
            raise ConvergekitError(
                f"workdir={str(place)!r} is of a run of {what}: {', '.join(names[:5])} "
                f"{'differs' if len(names) == 1 else 'differ'}. {again}, or ask as before."
            )
    known = {one.name for one in fields(Progress)}
    if set(content["done"]) != known:
        raise ReadError(f"{place / MANIFEST} is not as it was written. {again}.")


def content_of(path: Path, *, begin: int = 0, length: int = -1) -> bytes:
    """Return what a file of a run holds, or some of it.

    Parameters
    ----------
    path : pathlib.Path
    begin : int, default 0
    length : int, default -1
        How many bytes from there; all if negative.

    Raises
    ------
    ReadError
        It is lost, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            file.seek(begin)
            return file.read(length)
    except OSError as error:
        raise _lost(path, error) from None


def _lost(path: Path, error: OSError) -> ReadError:
    return ReadError(
        f"{path} cannot be read: {_said(error)}. A file of the run is lost: give another "
        "workdir=, or remove this one, and stitch again."
    )


def not_as_written(path: Path, error: Exception) -> ReadError:
    """Return the error of a file that is damaged."""
    return ReadError(
        f"{path} is not as it was written ({error}). Remove the workdir, or give another one, and "
        "stitch again."
    )


def told(value: Any) -> str:
    """Return what tells one value of an option from another, without what it says.

    Examples
    --------
    >>> told({"email": 1}) == told({"email": 2})
    False
    """
    return hashlib.sha256(_plain(value).encode()).hexdigest()[:16]


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return repr([(str(name), _plain(one)) for name, one in value.items()])
    if isinstance(value, (set, frozenset)):
        return repr(sorted(map(_plain, value)))
    if isinstance(value, (list, tuple)):
        return repr(list(map(_plain, value)))
    if isinstance(value, re.Pattern):
        return repr((value.pattern, value.flags))
    if isinstance(value, Callable):  # type: ignore[arg-type]
        return f"{value.__module__}.{value.__qualname__}"
    return repr(value)


def _check(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _is_ours(name: str) -> bool:
    return name in (*_OURS, MANIFEST, _LOCK) or name.startswith(".convergekit-")


def _hold(file: BinaryIO, place: Path) -> None:
    if sys.platform == "win32":
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ConvergekitError(
            f"workdir={str(place)!r} is in use by another run. Wait for it, or give another "
            "workdir=."
        ) from None
    except OSError:
        # A drive without locks.
        return


def not_written(path: Path, error: OSError) -> WriteError:
    """Return the error of a file that the system does not let be written."""
    return WriteError(
        f"{path} cannot be written: {_said(error)}. Make room, or check the path and who may "
        "write there, and stitch again: the run goes on from its last finished step."
    )


def _said(error: OSError) -> str:
    return (error.strerror or str(error) or type(error).__name__).lower()


def size_on_disk(path: Path) -> int:
    """Return how many bytes the files of a directory have."""
    return sum(os.path.getsize(one) for one in path.rglob("*") if one.is_file())

"""Archives: the files in a ZIP or tar, one after the other, as vendors ship them.

A member's bytes go to a file in a temporary folder of ours, under a name of ours, and are removed
when its rows are read. Its own name is data: it only says what suffix it has and what it is called.
"""

from __future__ import annotations

import contextlib
import io
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any

from convergekit.base.text import known_characters
from convergekit.errors import ConvergekitError, ReadError
from convergekit.readers.files import known_suffix
from convergekit.readers.lines import Progress, short
from convergekit.readers.sources import Source
from convergekit.readers.unpacking import MAGICS, MOST_UNPACKED_TIMES, UNPACKED_ALLOWED, Unpacked

#: So deep may archives lie in archives.
DEEPEST = 3
#: So many members an archive may have, those of archives in it included.
MOST_MEMBERS = 100_000
_CHUNK = 1 << 20
_ZIP, _TAR = (".zip",), (".tar", ".tgz", ".tbz2", ".txz")
_PACKED_TAR = tuple(f".tar{packed}" for packed in (".gz", ".zst", ".zstd", ".bz2", ".xz"))


def is_archive(name: str) -> bool:
    """Return whether a file of this name is an archive.

    Examples
    --------
    >>> [name for name in ("a.zip", "a.tar.gz", "a.TGZ", "a.json.gz") if is_archive(name)]
    ['a.zip', 'a.tar.gz', 'a.TGZ']
    """
    return name.lower().endswith((*_ZIP, *_TAR, *_PACKED_TAR))


@dataclass
class _Bounds:
    """What is left of what an archive may unpack to, all archives in it together."""

    said: str
    size: int
    allowed: int = field(init=False)
    left: int = field(init=False)
    members: int = 0

    def __post_init__(self) -> None:
        self.allowed = self.left = max(UNPACKED_ALLOWED, MOST_UNPACKED_TIMES * self.size)

    def take(self, size: int) -> None:
        """Count bytes, and raise where they are more than any export has."""
        self.left -= size
        if self.left < 0:
            raise ReadError(
                f"{self.said}: its {self.size:,} bytes unpack to more than {self.allowed:,}, as no "
                "export does. If it is one, unpack it yourself and name the folder."
            )

    def count(self) -> None:
        """Count a member, and raise where they are too many."""
        self.members += 1
        if self.members > MOST_MEMBERS:
            raise ReadError(
                f"{self.said}: holds more than {MOST_MEMBERS:,} files. If it is an export, unpack "
                "it yourself and name the folder."
            )


def members_of(archive: Source, progress: Progress, left: list[str]) -> Iterator[Source]:
    """Yield the files in an archive, each to be read before the next is asked for.

    Parameters
    ----------
    archive : Source
    progress : callable
        Called with the number of bytes of the archive read since the last call.
    left : list of str
        Gets the names of those whose suffix does not name a format.

    Raises
    ------
    ReadError
        It is damaged, encrypted, or holds more than any export.
    """
    bounds = _Bounds(archive.said, archive.path.stat().st_size)
    with tempfile.TemporaryDirectory(prefix="convergekit-") as folder:
        unpacked = _Unpacking(Path(folder), left, bounds)
        yield from unpacked.of(archive, progress, 1)


class _Unpacking:
    """The members of one archive and of those in it, one at a time in a temporary folder."""

    def __init__(self, folder: Path, left: list[str], bounds: _Bounds) -> None:
        self._folder = folder
        self._left = left
        self._bounds = bounds
        self._number = 0

    def of(self, archive: Source, progress: Progress, depth: int) -> Iterator[Source]:
        """Yield the files of an archive."""
        if depth > DEEPEST:
            raise ReadError(
                f"{archive.said}: lies in {depth - 1} archives within one another; unpack it."
            )
        reader = _of_zip if archive.name.lower().endswith(_ZIP) else _of_tar
        members = reader(archive, progress)
        while True:
            with _named(archive):
                found = next(members, None)
                source = None if found is None else self._taken(archive, *found)
            if found is None:
                return
            if source is None:
                continue
            try:
                if is_archive(source.name):
                    yield from self.of(source, lambda _: None, depth + 1)
                else:
                    yield source
            finally:
                source.path.unlink(missing_ok=True)

    def _taken(self, archive: Source, name: str, member: IO[bytes]) -> Source | None:
        """Return a member as a file of ours, None of one that is not wanted."""
        self._bounds.count()
        # A name may hold bytes that are not text.
        name = known_characters(name)
        # Some programs of Windows write its own separators.
        parts = PurePosixPath(name.replace("\\", "/")).parts
        own = parts[-1] if parts else ""
        if "__MACOSX" in parts or own.startswith("."):
            # What an operating system adds.
            return None
        if not is_archive(own) and known_suffix(own) is None:
            self._left.append(f"{archive.label}/{name}")
            return None
        return self._copied(member, archive, name, own)

    def _copied(self, member: IO[bytes], archive: Source, name: str, own: str) -> Source:
        self._number += 1
        path = self._folder / f"{self._number}{_suffix(own)}"
        with path.open("xb") as file:
            while piece := member.read(_CHUNK):
                self._bounds.take(len(piece))
                file.write(piece)
        return Source(path, own, f"{archive.label}/{name}", f"{archive.said}/{name}")


def _suffix(name: str) -> str:
    """Return the end of a name that says what the file is, in letters of ours."""
    known = (*_ZIP, *_TAR, known_suffix(name) or "")
    packed = (".gz", ".zst", ".zstd", ".bz2", ".xz")
    lower = name.lower()
    end = next((one for one in packed if lower.endswith(one)), "")
    inner = lower.removesuffix(end)
    return next((one for one in known if inner.endswith(one)), "") + end


@contextlib.contextmanager
def _named(archive: Source) -> Iterator[None]:
    """Raise what is wrong with an archive as an error that names it."""
    try:
        yield
    except ConvergekitError:
        raise
    except RuntimeError as error:
        # What zipfile raises for a password, and a kind of it for a way of packing.
        if isinstance(error, NotImplementedError):
            why = f"is packed in a way that is not read ({short(error)}); unpack it"
        elif "password" in str(error):
            why = "is encrypted; unpack it with its password"
        else:
            raise
        raise ReadError(f"{archive.said}: {why}.") from None
    except _DAMAGE as error:
        raise ReadError(
            f"{archive.said}: the archive is damaged: {short(error)}. Get it again from where it "
            "came."
        ) from None
    except OSError as error:
        raise ReadError(
            f"{archive.said}: cannot be unpacked: {error.strerror or short(error)}."
        ) from None


_DAMAGE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, ValueError, OverflowError,
           KeyError, LookupError, UnicodeError)  # fmt: skip


def _of_zip(archive: Source, progress: Progress) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(archive.path) as found:
        infos = [info for info in found.infolist() if not info.is_dir() and not _is_link(info)]
        for info in sorted(infos, key=lambda info: info.filename):
            with found.open(info) as member:
                yield info.filename, member
            progress(info.compress_size)


def _is_link(info: zipfile.ZipInfo) -> bool:
    return (info.external_attr >> 16) & 0o170000 == 0o120000


def _of_tar(archive: Source, progress: Progress) -> Iterator[tuple[str, IO[bytes]]]:
    with archive.path.open("rb", buffering=0) as file:
        packed = file.read(6).startswith(MAGICS)
        file.seek(0)
        raw: Any = Unpacked(archive.path, file, progress) if packed else file
        with tarfile.open(fileobj=io.BufferedReader(raw), mode="r|") as found:
            for info in found:
                member = found.extractfile(info) if info.isreg() and not info.issparse() else None
                if member is not None:
                    yield info.name, member
        if packed and raw.damage:
            raise tarfile.ReadError(raw.damage)
        if not packed:
            progress(archive.path.stat().st_size)

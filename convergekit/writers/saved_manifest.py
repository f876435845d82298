"""The manifest of a saved Stitched: what it is, and a checksum of every file and of itself.

A save is read only if every byte of it is as it was written. The manifest holds the size and the
SHA-256 of each file; its own SHA-256 stands in it, and is that of its bytes with zeros in the
place of the digits.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

from convergekit.base.durable import newest
from convergekit.errors import ConvergekitError, ReadError

MANIFEST = "stitched.json"
FORMAT = 5
#: The same without the calendar and segments.
_WITHOUT_CALENDAR = 4
#: The same without checksums.
_UNSEALED = 3
_UNKNOWN = "0" * 64
_FILES = "files"
_CHECKSUM = "checksum"
#: How often a save is read again that another process rewrites meanwhile.
_TRIES = 5

Table = TypeVar("Table")


def sealed(summary: Mapping[str, Any], contents: Mapping[str, tuple[int, str]]) -> bytes:
    """Return the content of a manifest.

    Parameters
    ----------
    summary : mapping of str to object
        What JSON has a form for.
    contents : mapping of str to (int, str)
        The size and the SHA-256 of each file.
    """
    files = {name: {"bytes": size, "sha256": found} for name, (size, found) in contents.items()}
    whole = {"format": FORMAT, _CHECKSUM: _UNKNOWN, **summary, _FILES: files}
    text = json.dumps(whole, indent=1, ensure_ascii=False) + "\n"
    found = digest(text.encode("utf-8", "surrogatepass"))
    return text.replace(_UNKNOWN, found, 1).encode("utf-8", "surrogatepass")


def digest(content: bytes) -> str:
    """Return the SHA-256 of bytes, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def digest_of(path: Path) -> tuple[int, str]:
    """Return the size and the SHA-256 of a file."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    return path.stat().st_size, found


def read_sealed(
    directory: Path, names: Collection[str], parse: Callable[[bytes], Table]
) -> tuple[dict[str, Any], dict[str, Table]]:
    """Return the summary of a save, and what is in these files of it.

    Parameters
    ----------
    directory : pathlib.Path
    names : collection of str
        The files of a save that are parsed; it may have others, which are checked alone.
    parse : callable
        Returns what a file's content holds, or raises a `ReadError` that says what is wrong.

    Raises
    ------
    ConvergekitError
        The manifest is missing, or of another format.
    ReadError
        A file is missing, or not as it was written.
    """
    for _ in range(_TRIES):
        manifest = _manifest(directory)
        try:
            return _read(directory, manifest, names, parse)
        except ReadError:
            # Another process may have put a new save into its place between two files.
            if _manifest(directory) == manifest:
                raise
    raise ReadError(f"{directory} is still being written. Read it when that is done.")


def in_this_format(summary: dict[str, Any]) -> dict[str, Any]:
    """Return a summary with what former formats did not say: they knew UTC alone, and no segments.

    Examples
    --------
    >>> in_this_format({"format": 4, "report": {}})["calendar"]
    'UTC'
    """
    if summary["format"] == FORMAT or not isinstance(summary.get("report"), dict):
        return summary
    report = {"segment": "", "caution": "", "left_out": {}, "calendar": ""} | summary["report"]
    usual = {"calendar": "UTC", "week_starts": "monday", "segment": None}
    return usual | summary | {"report": report}


def _manifest(directory: Path) -> bytes:
    path = newest(directory, MANIFEST)
    if not path.exists():
        raise ConvergekitError(
            f"{directory} holds no {MANIFEST}: give the directory that to_parquet wrote."
        )
    return _content(path)


def _read(
    directory: Path, manifest: bytes, names: Collection[str], parse: Callable[[bytes], Table]
) -> tuple[dict[str, Any], dict[str, Table]]:
    summary, files = _summary(directory, manifest)
    path = directory / MANIFEST
    if files is not None and (lacking := sorted(set(names).difference(files))):
        raise damaged(path, f"it does not name {lacking[0]}")
    tables = {}
    for name in names if files is None else files:
        if files is None:
            content = _content(newest(directory, name))
        else:
            content = _content(newest(directory, name), files[name]["bytes"])
            if digest(content) != files[name]["sha256"]:
                raise damaged(directory / name, "its checksum differs")
        if name in names:
            try:
                tables[name] = parse(content)
            except ReadError as error:
                raise damaged(directory / name, str(error)) from error
    return summary, tables


def _summary(
    directory: Path, manifest: bytes
) -> tuple[dict[str, Any], dict[str, dict[str, Any]] | None]:
    """Return what a manifest says, and of the files; None in the former format."""
    path = directory / MANIFEST
    try:
        summary = json.loads(manifest)
    except (ValueError, RecursionError) as error:
        raise damaged(path, str(error).splitlines()[0]) from None
    if not isinstance(summary, dict) or type(summary.get("format")) is not int:
        raise damaged(path, "it names no format")
    version = summary["format"]
    if version == _UNSEALED and not {_CHECKSUM, _FILES} & summary.keys():
        return summary, None
    if version in (FORMAT, _WITHOUT_CALENDAR):
        _check_own_digest(path, manifest, summary)
        return summary, summary[_FILES]
    if _CHECKSUM in summary and version < FORMAT:
        raise damaged(path, "it names another format than it is in")
    raise ConvergekitError(
        f"{directory} was written in format {version}; this version reads the formats "
        f"{_UNSEALED} to {FORMAT}. Stitch the events again, or upgrade with "
        "pip install -U convergekit."
    )


def _check_own_digest(path: Path, manifest: bytes, summary: dict[str, Any]) -> None:
    given = summary.get(_CHECKSUM)
    if not isinstance(given, str) or len(given) != len(_UNKNOWN) or not given.isascii():
        raise damaged(path, "it has no checksum of its own")
    if digest(manifest.replace(given.encode(), _UNKNOWN.encode(), 1)) != given:
        raise damaged(path, "its checksum differs")
    files = summary.get(_FILES)
    if not isinstance(files, dict) or not all(map(_is_of_a_file, files.items())):
        raise damaged(path, "it does not say which files there are")


def _is_of_a_file(pair: tuple[str, Any]) -> bool:
    name, found = pair
    return (
        Path(name).name == name
        and isinstance(found, dict)
        and type(found.get("bytes")) is int
        and isinstance(found.get("sha256"), str)
    )


def _content(path: Path, size: int | None = None) -> bytes:
    """Return what a file holds; `size` is how much it must be."""
    try:
        if not path.is_file():
            reason = "is not a file" if path.exists() else "is missing"
            raise ReadError(f"{path} {reason}. Copy the whole directory, or stitch again.")
        if size is not None and path.stat().st_size != size:
            raise damaged(path, "its size differs")
        return path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ReadError(
            f"{path} cannot be read: {reason}. Check who may read it, or copy it from elsewhere."
        ) from error


def damaged(path: Path, reason: str) -> ReadError:
    """Return the error that says that a file is not as it was written.

    Examples
    --------
    >>> print(damaged(Path("out/stitched.json"), "its checksum differs"))
    out/stitched.json is damaged (its checksum differs). Copy the whole directory again from
    where it is whole, or stitch the events again.
    """
    return ReadError(
        f"{path} is damaged ({reason}). Copy the whole directory again from where it is whole, or "
        "stitch the events again."
    )

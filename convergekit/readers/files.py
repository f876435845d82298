"""Files to rows: JSON, CSV and Parquet, plain or compressed, by the file's suffix.

A bad row never stops a file: it comes with its line and a reason. A file that cannot be read at
all is a `ReadError`.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePath

from convergekit.errors import ReadError
from convergekit.readers.csv_files import read_csv_file
from convergekit.readers.json_files import ByColumns, read_json_file
from convergekit.readers.lines import Lines, Progress, short
from convergekit.readers.parquet_files import read_parquet_file
from convergekit.readers.raw_rows import RawRows
from convergekit.readers.small_files import SMALL_BYTES, SmallFile, of_csv, of_json, of_parquet
from convergekit.readers.unpacking import DAMAGED

_JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
CSV_SUFFIXES = (".csv", ".tsv")
_PARQUET_SUFFIXES = (".parquet", ".pq")
_KNOWN_SUFFIXES = (*_JSON_SUFFIXES, *CSV_SUFFIXES, *_PARQUET_SUFFIXES)
_PACKED_SUFFIXES = (".gz", ".zst", ".zstd", ".bz2", ".xz")


def read_file(
    path: Path,
    progress: Progress,
    encoding: str | None = None,
    by_columns: ByColumns = lambda _: True,
) -> Iterator[RawRows]:
    """Yield the rows of a file of any known format, in batches.

    Parameters
    ----------
    path : pathlib.Path
    progress : callable
        Called with the number of bytes of the file read since the last call.
    encoding : str, optional
        Of text that has no byte-order mark; UTF-8 when absent.
    by_columns : callable
        Of JSON: from the first rows to whether blocks of such rows are of use.

    Raises
    ------
    ReadError
        The suffix is unknown, or the file cannot be read at all.
    """
    first, rows, unreadable = "", 0, 0
    said = _Undecoded(path, encoding)
    try:
        for batch in _reader(path, format_suffix(path), progress, encoding, by_columns):
            rows += len(batch.line)
            unreadable += len(batch.reasons)
            for place in sorted(batch.reasons):
                reason = batch.reasons[place] = said.of(batch.reasons[place])
                if not first or reason.startswith(DAMAGED):
                    first = f"line {batch.line[place]}: {reason}"
            yield batch
    except PermissionError as error:
        raise cannot_be_opened(path, error) from None
    except OSError as error:
        raise ReadError(
            f"{path} cannot be read to its end: {_reason(error)}. Try again, or copy it to another "
            "drive."
        ) from None
    except ReadError as error:
        raise ReadError(said.of(str(error))) from None
    if rows and rows == unreadable:
        hint = "Is it the format that its suffix says?"
        if _NOT_UTF8 in first:
            hint = "Save the file as UTF-8."
        elif DAMAGED in first:
            hint = "Get the file again from where it came."
        raise ReadError(f"{path}: no row can be read; {first}. {hint}")


_NOT_UTF8 = "not UTF-8"
#: So many bytes of a file show what its letters are.
_LOOKED_AT = 1 << 22


def small_file(path: Path, progress: Progress, encoding: str | None = None) -> SmallFile | None:
    """Return a small file of which all rows can be read; None of any other file.

    What is wrong with it is for `read_file` to say.
    """
    suffix = format_suffix(path)
    try:
        if path.stat().st_size > SMALL_BYTES:
            return None
        if suffix in _PARQUET_SUFFIXES:
            return of_parquet(path, progress)
        if suffix in CSV_SUFFIXES:
            return of_csv(path, suffix, progress, encoding)
        return of_json(path, suffix, progress, encoding)
    except (OSError, ReadError):
        return None


class _Undecoded:
    """What is said of text that is not UTF-8: the encoding that was given, or one that fits."""

    def __init__(self, path: Path, encoding: str | None) -> None:
        self._path = path
        self._encoding = encoding
        self._hint: str | None = None

    def of(self, reason: str) -> str:
        """Return a reason with what to do about it, if it is that text is not UTF-8."""
        if _NOT_UTF8 not in reason:
            return reason
        if self._encoding is not None:
            return reason.replace(_NOT_UTF8, f"not {self._encoding}")
        if self._hint is None:
            hint = ". If a Windows program wrote it, give encoding='cp1252'"
            self._hint = hint if _is_western(self._path) else ""
        return reason.removesuffix(".") + self._hint + ("." if reason.endswith(".") else "")


def _is_western(path: Path) -> bool:
    """Return whether the first lines of a file are text of Windows-1252."""
    left = _LOOKED_AT
    try:
        for _, line in Lines(path, lambda _: None):
            line.decode("cp1252")
            left -= len(line)
            if left < 0:
                break
    except UnicodeDecodeError:
        return False
    return True


def cannot_be_opened(path: Path, error: OSError) -> ReadError:
    """Return the error that says why the system does not open a file."""
    return ReadError(
        f"{path} cannot be opened: {_reason(error)}. Check who may read it, or leave it out."
    )


def _reason(error: OSError) -> str:
    return (error.strerror or short(error)).lower()


def format_suffix(path: Path) -> str:
    """Return the suffix that names the format, without that of a compression.

    Raises
    ------
    ReadError
        The suffix is unknown.
    """
    found = suffix_of(path)
    if found is None:
        sheet = path.suffix.lower().startswith(".xls")
        raise ReadError(
            f"{path}: the suffix does not name a format. Read are {', '.join(_KNOWN_SUFFIXES)}, "
            "the text formats also compressed as .gz, .zst, .bz2 or .xz, archives of them "
            "(.zip, .tar, .tar.gz), and folders."
            + (" Save the sheet as CSV, or give pd.read_excel(...)." if sheet else "")
        )
    return found


def suffix_of(path: Path) -> str | None:
    """Return the suffix that names a file's format, None where there is none.

    Segment's storage destination calls its lines of JSON ``<name>.gz``: such a file is one of JSON
    Lines if it begins as one (https://segment.com/docs/connections/storage/catalog/aws-s3/).
    """
    found = known_suffix(path.name)
    if found is None and path.suffix.lower() == ".gz" and _begins_with_an_object(path):
        return ".jsonl"
    return found


def _begins_with_an_object(path: Path) -> bool:
    try:
        with gzip.open(path) as file:
            return file.read(64).lstrip().startswith(b"{")
    except (OSError, EOFError, zlib.error):
        # What is wrong with it is not for its name to say.
        return False


def known_suffix(name: str) -> str | None:
    """Return the suffix that names a format, None where there is none.

    Examples
    --------
    >>> known_suffix("2026-03-02.JSON.gz"), known_suffix("notes.txt"), known_suffix("a.gz")
    ('.json', None, None)
    """
    suffixes = [suffix.lower() for suffix in PurePath(name).suffixes]
    if suffixes and suffixes[-1] in _PACKED_SUFFIXES:
        suffixes.pop()
    return suffixes[-1] if suffixes and suffixes[-1] in _KNOWN_SUFFIXES else None


def _reader(
    path: Path, suffix: str, progress: Progress, encoding: str | None, by_columns: ByColumns
) -> Iterator[RawRows]:
    if not path.is_file():
        raise ReadError(
            f"{path} is not a file; name files, or a pattern such as 'exports/*.jsonl'."
        )
    if suffix in _PARQUET_SUFFIXES:
        return read_parquet_file(path, progress)
    if suffix in CSV_SUFFIXES:
        return read_csv_file(path, suffix, progress, encoding)
    return read_json_file(path, suffix, progress, encoding, by_columns)

"""Files to rows: JSON Lines, JSON arrays, CSV and Parquet, plain or compressed.

Each reader returns records or columns, the line of each row, and a reason for each row that
cannot be read. A bad row never stops a file; a file that cannot be read at all is a `ReadError`.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from convergekit.errors import ReadError
from convergekit.records import column_from_values, frame_from_records

Progress = Callable[[int], object]

_COMPRESSIONS = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
_CSV_SUFFIXES = (".csv", ".tsv")
_PARQUET_SUFFIXES = (".parquet", ".pq")
_PACKED_SUFFIXES = (".gz", ".zst", ".zstd")
_BOM = b"\xef\xbb\xbf"
#: A line longer than this is no event; it would only fill the memory.
LONGEST_LINE = 64 * 1024 * 1024


@dataclass(frozen=True)
class RawRows:
    """The rows of one file.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row per row of the file; unreadable ones are missing in every column.
    line : list of int
        1-based line of each row, or its place in a JSON array or Parquet file.
    reasons : dict of int to str
        Per position of an unreadable row, why.
    """

    frame: pd.DataFrame
    line: list[int]
    reasons: dict[int, str]


def read_file(path: Path, progress: Progress) -> RawRows:
    """Read a file of any known format.

    Parameters
    ----------
    path : pathlib.Path
    progress : callable
        Called with the number of bytes read since the last call.

    Raises
    ------
    ReadError
        The suffix is unknown, or the file cannot be read at all.
    """
    suffix = format_suffix(path)
    if not path.is_file():
        raise ReadError(
            f"{path} is not a file; name files, or a pattern such as 'exports/*.jsonl'."
        )
    if suffix in _PARQUET_SUFFIXES:
        rows = _read_parquet(path)
        progress(path.stat().st_size)
    elif suffix in _CSV_SUFFIXES:
        rows = _read_csv(path, progress, "\t" if suffix == ".tsv" else None)
    else:
        rows = _read_json(path, progress)
    if len(rows.line) and len(rows.reasons) == len(rows.line):
        first = min(rows.reasons)
        raise ReadError(
            f"{path}: no row can be read; line {rows.line[first]}: {rows.reasons[first]}. "
            "Is it the format that its suffix says?"
        )
    return rows


def format_suffix(path: Path) -> str:
    """Return the suffix that names the format, without that of a compression."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in _PACKED_SUFFIXES:
        suffixes.pop()
    known = (*_JSON_SUFFIXES, *_CSV_SUFFIXES, *_PARQUET_SUFFIXES)
    if not suffixes or suffixes[-1] not in known:
        raise ReadError(
            f"{path}: the suffix does not name a format. Read are {', '.join(known)}, "
            "the text formats also compressed as .gz or .zst."
        )
    return suffixes[-1]


def _open_bytes(path: Path) -> Any:
    with path.open("rb") as file:
        head = file.read(4)
    for magic, compression in _COMPRESSIONS.items():
        if head.startswith(magic):
            return pa.input_stream(str(path), compression=compression)
    return path.open("rb")


def _lines(path: Path, progress: Progress, reasons: list[str]) -> Iterator[bytes]:
    """Yield the lines of a file; a damaged compressed one ends early, with a reason."""
    with _open_bytes(path) as raw:
        stream = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(_Readable(raw))
        while True:
            try:
                line = stream.readline(LONGEST_LINE)
            except (OSError, pa.ArrowException) as error:
                reasons.append(f"the file is damaged from here on: {_short(error)}")
                return
            if not line:
                return
            progress(len(line))
            yield line


class _Readable(io.RawIOBase):
    """An Arrow stream as Python's own buffered reader wants it."""

    def __init__(self, stream: pa.NativeFile) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._stream.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)


def _read_json(path: Path, progress: Progress) -> RawRows:
    damage: list[str] = []
    lines = _lines(path, progress, damage)
    records: list[dict[str, Any] | None] = []
    places: list[int] = []
    reasons: dict[int, str] = {}
    number = 0
    for number, line in enumerate(lines, start=1):
        if number == 1:
            line = line.removeprefix(_BOM)
        text = line.strip()
        if not text:
            continue
        if not places and text.startswith(b"["):
            return _read_json_array(path, b"".join([line, *lines]), damage)
        places.append(number)
        try:
            found = _decode(text)
        except (ValueError, RecursionError) as error:
            found = error
        if isinstance(found, dict):
            records.append(found)
        else:
            reasons[len(records)] = _why_no_record(found)
            records.append(None)
    for reason in damage:
        reasons[len(records)] = reason
        records.append(None)
        places.append(number + 1)
    return RawRows(frame_from_records(records), places, reasons)


def _read_json_array(path: Path, content: bytes, damage: list[str]) -> RawRows:
    if damage:
        raise ReadError(f"{path}: {damage[0]}; a JSON array can only be read whole.")
    try:
        found = _decode(content)
    except (ValueError, RecursionError) as error:
        raise ReadError(
            f"{path}: {_why_no_record(error)}; a JSON array can only be read whole. Repair it, or "
            "write one object per line (.jsonl), where a bad line stops nothing."
        ) from None
    reasons = {
        i: _why_no_record(item) for i, item in enumerate(found) if not isinstance(item, dict)
    }
    records = [item if isinstance(item, dict) else None for item in found]
    return RawRows(frame_from_records(records), list(range(1, len(found) + 1)), reasons)


def _decode(text: bytes) -> Any:
    # NaN and Infinity are no JSON, but exporters write them where a value is missing.
    return json.loads(text.decode("utf-8"), parse_constant=lambda _: None)


def _why_no_record(found: Any) -> str:
    if isinstance(found, json.JSONDecodeError):
        where = (
            f"column {found.colno}"
            if found.lineno == 1
            else (f"line {found.lineno}, column {found.colno}")
        )
        return f"not JSON: {found.msg} at {where}"
    if isinstance(found, UnicodeDecodeError):
        return f"not UTF-8 at byte {found.start}"
    if isinstance(found, RecursionError):
        return "not read: nested too deeply"
    if isinstance(found, ValueError):
        return f"not JSON: {_short(found)}"
    kinds = {list: "a list", str: "text", bool: "a boolean", type(None): "null"}
    return f"not a JSON object but {kinds.get(type(found), 'a number')}"


def _read_csv(path: Path, progress: Progress, delimiter: str | None) -> RawRows:
    damage: list[str] = []
    text = _Decoder(_lines(path, progress, damage))
    first = next(text, "")
    reader = csv.reader(
        text.starting_with(first), delimiter=delimiter or _delimiter(first), strict=True
    )
    header = next(reader, [])
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise ReadError(f"{path}: the header names {', '.join(map(repr, twice))} twice.")
    rows: list[list[str]] = []
    places: list[int] = []
    reasons: dict[int, str] = {}
    blank = [""] * len(header)
    end = reader.line_num
    while True:
        try:
            row = next(reader)
            reason = None
        except StopIteration:
            break
        except csv.Error as error:
            row, reason = blank, f"not CSV: {error}"
        start, end = end + 1, reader.line_num
        if not row:
            continue
        if reason is None and len(row) != len(header):
            reason = f"expected {len(header)} fields, found {len(row)}"
        elif reason is None and text.undecodable and _has_escapes(row):
            reason = "not UTF-8"
        if reason is not None:
            reasons[len(rows)], row = reason, blank
        rows.append(row)
        places.append(start)
    for reason in damage:
        reasons[len(rows)] = reason
        rows.append(blank)
        places.append(end + 1)
    columns = zip(*rows, strict=True) if rows else ([] for _ in header)
    frame = pd.DataFrame(
        {
            name: pd.Series([cell or None for cell in column], dtype="str")
            for name, column in zip(header, columns, strict=True)
        },
        index=pd.RangeIndex(len(rows)),
    )
    return RawRows(frame, places, reasons)


class _Decoder:
    """Lines as text; bytes that are no UTF-8 are escaped, and remembered."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self._number = 0
        self.undecodable = False

    def __iter__(self) -> _Decoder:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._number += 1
        if self._number == 1:
            line = line.removeprefix(_BOM)
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError:
            self.undecodable = True
            return line.decode("utf-8", "surrogateescape")

    def starting_with(self, first: str) -> Iterator[str]:
        if first:
            yield first
        yield from self


def _delimiter(header: str) -> str:
    return ";" if ";" in header and "," not in header else ","


def _has_escapes(row: list[str]) -> bool:
    return any("\udc80" <= character <= "\udcff" for cell in row for character in cell)


def _read_parquet(path: Path) -> RawRows:
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise ReadError(f"{path} cannot be read as Parquet: {_short(error)}.") from None
    frame = pd.DataFrame(
        {name: _arrow_column(table.column(name)) for name in table.column_names},
        index=pd.RangeIndex(table.num_rows),
    )
    return RawRows(frame, list(range(1, table.num_rows + 1)), {})


def _arrow_column(column: pa.ChunkedArray) -> pd.Series:
    kind = column.type
    nested = pa.types.is_nested(kind) or pa.types.is_dictionary(kind)
    whole_with_gaps = column.null_count and (pa.types.is_integer(kind) or pa.types.is_boolean(kind))
    if nested or whole_with_gaps:
        return column_from_values(column.to_pylist(maps_as_pydicts="strict"))
    return column.to_pandas().set_axis(pd.RangeIndex(len(column)))


def _short(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".")[:120] if str(error) else type(error).__name__

"""Files to rows: JSON Lines, JSON arrays, CSV and Parquet, plain or compressed.

Each reader returns records or columns, the line of each row, and a reason for each row that
cannot be read. A bad row never stops a file; a file that cannot be read at all is a `ReadError`.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections import deque
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


#: A CSV record over more lines than this has a quote that is never closed.
LONGEST_RECORD = 10_000


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
    number, first = next(
        ((n, line) for n, line in enumerate(lines, start=1) if line.removeprefix(_BOM).strip()),
        (0, b""),
    )
    if first.removeprefix(_BOM).lstrip().startswith(b"["):
        rest = list(lines)
        array = _read_json_array(path, b"".join([first, *rest]), damage)
        if array is not None:
            return _unwrapped(array)
        lines = iter(rest)
    elif format_suffix(path) == ".json" and first and not _is_json(first):
        rest = list(lines)
        whole = _read_json_object(b"".join([first, *rest]), damage)
        if whole is not None:
            return _unwrapped(whole)
        lines = iter(rest)
    chained = itertools.chain([first] if first else [], lines)
    return _unwrapped(_read_json_lines(chained, number or 1, damage))


def _unwrapped(rows: RawRows) -> RawRows:
    """Return the rows inside an answer such as ``{"orders": [{...}, ...]}``, others as they are."""
    if rows.frame.shape != (1, 1) or rows.reasons:
        return rows
    inside = rows.frame.iloc[0, 0]
    if not isinstance(inside, list) or not all(isinstance(item, dict) for item in inside):
        return rows
    return RawRows(frame_from_records(inside), list(range(1, len(inside) + 1)), {})


def _is_json(text: bytes) -> bool:
    try:
        _decode(text.removeprefix(_BOM))
    except (ValueError, RecursionError):
        return False
    return True


def _read_json_object(content: bytes, damage: list[str]) -> RawRows | None:
    """Read the file as one object over many lines, or return None if it is something else."""
    try:
        found = None if damage else _decode(content.removeprefix(_BOM))
    except (ValueError, RecursionError):
        return None
    return RawRows(frame_from_records([found]), [1], {}) if isinstance(found, dict) else None


def _read_json_lines(lines: Iterator[bytes], start: int, damage: list[str]) -> RawRows:
    records: list[dict[str, Any] | None] = []
    places: list[int] = []
    reasons: dict[int, str] = {}
    number = start
    for number, line in enumerate(lines, start=start):
        text = (line.removeprefix(_BOM) if number == 1 else line).strip()
        if not text:
            continue
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


def _read_json_array(path: Path, content: bytes, damage: list[str]) -> RawRows | None:
    """Read the file as one array, or return None if it is lines of which the first is a list."""
    if damage:
        raise ReadError(f"{path}: {damage[0]}; a JSON array can only be read whole.")
    try:
        found = _decode(content.removeprefix(_BOM))
    except (ValueError, RecursionError) as error:
        if isinstance(error, json.JSONDecodeError) and error.msg == "Extra data":
            return None
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
        return f"not JSON: {found.msg.removesuffix(' at')} at {where}"
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
    delimiter = delimiter or _delimiter(first)
    header = _csv_header(path, first, delimiter)
    rows: list[list[str]] = []
    places: list[int] = []
    reasons: dict[int, str] = {}
    blank = [""] * len(header)

    def reject(line: int, reason: str) -> None:
        reasons[len(rows)] = reason
        rows.append(blank)
        places.append(line)

    # A cell may be as long as a line; the module's own limit would cost such rows.
    limit = csv.field_size_limit(LONGEST_LINE)
    try:
        for start, row in _csv_records(text, delimiter):
            if isinstance(row, str):
                reject(start, row)
            elif len(row) != len(header):
                reject(start, f"expected {len(header)} fields, found {len(row)}")
            elif text.undecodable and _has_escapes(row):
                reject(start, "not UTF-8")
            else:
                rows.append(row)
                places.append(start)
    finally:
        csv.field_size_limit(limit)
    for reason in damage:
        reject(text.number + 1, reason)
    columns = zip(*rows, strict=True) if rows else ([] for _ in header)
    frame = {}
    for place, (name, column) in enumerate(zip(header, columns, strict=True), start=1):
        cells = [cell or None for cell in column]
        if name:
            frame[name] = pd.Series(cells, dtype="str")
        elif any(cells):
            raise ReadError(f"{path}: column {place} has values but no name; name it in line 1.")
    return RawRows(pd.DataFrame(frame, index=pd.RangeIndex(len(rows))), places, reasons)


def _csv_header(path: Path, first: str, delimiter: str) -> list[str]:
    if "\x00" in first or _has_escapes([first]):
        raise ReadError(f"{path}: the header is not UTF-8; save the file as UTF-8.")
    if "\r" in first.rstrip("\r\n"):
        raise ReadError(f"{path}: its lines end in carriage returns alone; save it with newlines.")
    try:
        header = next(csv.reader([first], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise ReadError(f"{path}: the header cannot be read: {error}. Repair line 1.") from None
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise ReadError(f"{path}: the header names {', '.join(map(repr, twice))} twice.")
    return header


def _csv_records(text: _Decoder, delimiter: str) -> Iterator[tuple[int, list[str] | str]]:
    """Yield the line at which each record starts, and its fields or why it has none.

    A quote that is never closed would take all lines to the file's end for one record: its first
    line is given up, and reading goes on with the next.
    """
    while True:
        text.mark()
        start = text.number + 1
        try:
            row = next(csv.reader(text, delimiter=delimiter, strict=True), None)
        except csv.Error as error:
            yield start, f"not CSV: {error}"
            text.back_to_second_marked()
            continue
        if row is None:
            return
        if row:
            yield start, row


class _Decoder:
    """Lines as text; bytes that are no UTF-8 are escaped, and remembered."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self._marked: list[str] = []
        self._again: deque[str] = deque()
        self.number = 0
        self.undecodable = False

    def __iter__(self) -> _Decoder:
        return self

    def __next__(self) -> str:
        if len(self._marked) >= LONGEST_RECORD:
            raise StopIteration
        line = self._again.popleft() if self._again else self._decoded(next(self._lines))
        self.number += 1
        self._marked.append(line)
        return line

    def mark(self) -> None:
        """Remember the lines from here on."""
        self._marked = []

    def back_to_second_marked(self) -> None:
        """Read the remembered lines again, but for the first."""
        self._again.extendleft(reversed(self._marked[1:]))
        self.number -= len(self._marked) - 1

    def _decoded(self, line: bytes) -> str:
        if self.number == 0:
            line = line.removeprefix(_BOM)
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError:
            self.undecodable = True
            return line.decode("utf-8", "surrogateescape")


def _delimiter(header: str) -> str:
    return ";" if ";" in header and "," not in header else ","


def _has_escapes(row: list[str]) -> bool:
    return any("\udc80" <= character <= "\udcff" for cell in row for character in cell)


def _read_parquet(path: Path) -> RawRows:
    try:
        names = pq.read_schema(path).names
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ReadError(f"{path}: column names stand twice: {', '.join(map(repr, twice))}.")
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
        return column_from_values(column.to_pylist(maps_as_pydicts="lossy"))
    return column.to_pandas().set_axis(pd.RangeIndex(len(column)))


def _short(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".")[:120] if str(error) else type(error).__name__

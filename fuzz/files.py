"""Broken export files: samples that are damaged, and rows of values that no vendor sends."""

from __future__ import annotations

import copy
import csv
import gzip
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

_DATA = Path(__file__).parent.parent / "data"
#: So many rows of a sample are drawn from.
_ROWS = 20


@dataclass(frozen=True)
class Case:
    """A file that is to be written and read.

    Attributes
    ----------
    name : str
        With the suffix that says how it is read.
    content : bytes
    rows : int or None
        How many rows it has, if that is known.
    format : str
        What `read_events` is told.
    """

    name: str
    content: bytes
    rows: int | None = None
    format: str = "auto"


def cases() -> st.SearchStrategy[Case]:
    """Return a strategy of files: damaged samples, samples of wrong types, and made-up rows."""
    return st.one_of(_damaged(), _wrong_types(), _made_up(), _tables())


def _samples() -> dict[str, list[dict[str, Any]]]:
    """Return the first and last rows of each sample that comes with the repository."""
    found = {}
    for path in sorted([*_DATA.glob("*.*"), *_DATA.glob("exports/*")]):
        text = path.read_text()
        if path.suffix == ".csv":
            rows: Any = list(csv.DictReader(io.StringIO(text)))
        elif path.suffix == ".jsonl":
            # Samples hold bad lines of their own.
            rows = [row for line in text.split("\n") if (row := _object(line)) is not None]
        else:
            rows = json.loads(text)
            rows = [rows] if isinstance(rows, dict) else rows
        found[path.name] = rows if len(rows) <= _ROWS else rows[: _ROWS // 2] + rows[-_ROWS // 2 :]
    return found


def _object(line: str) -> dict[str, Any] | None:
    try:
        return json.loads(line)
    except ValueError:
        return None


SAMPLES = _samples()


def _rows(sample: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Return a strategy of a few rows of a sample, one after the other."""
    rows = SAMPLES[sample]
    return st.integers(0, len(rows) - 1).flatmap(
        lambda start: st.integers(1, 3).map(lambda size: rows[start : start + size])
    )


def _jsonl(rows: list[Any]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _csv(rows: list[dict[str, Any]], delimiter: str = ",") -> bytes:
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    table = csv.writer(out, delimiter=delimiter)
    table.writerow(names)
    for row in rows:
        cells = [row.get(name) for name in names]
        table.writerow([json.dumps(c) if isinstance(c, (dict, list)) else c for c in cells])
    return out.getvalue().encode("utf-8", "replace")


def _parquet(rows: list[dict[str, Any]]) -> bytes:
    out = io.BytesIO()
    try:
        table = pa.Table.from_pylist(rows)
    except (pa.ArrowException, TypeError, OverflowError, ValueError):
        # Where rows differ in type, objects stand as JSON text.
        texts = [{k: json.dumps(v) for k, v in row.items()} for row in rows]
        table = pa.Table.from_pylist(texts)
    try:
        pq.write_table(table, out)
    except (pa.ArrowException, UnicodeError):
        pq.write_table(pa.table({"event_name": ["A"]}), out)
    return out.getvalue()


_WRITERS: dict[str, Callable[[list[Any]], bytes]] = {
    ".jsonl": _jsonl,
    ".json": lambda rows: json.dumps(rows, indent=1).encode(),
    ".csv": _csv,
    ".tsv": lambda rows: _csv(rows, "\t"),
    ".parquet": _parquet,
}
_TEXT_SUFFIXES = [".jsonl", ".json", ".csv", ".tsv"]


def _zstd(content: bytes) -> bytes:
    return pa.compress(content, "zstd", asbytes=True)


def _gzip(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


# Damage: what transport, editors and shells do to a file


@st.composite
def _damage(draw: Any) -> Callable[[bytes], bytes]:
    share = draw(st.floats(0, 1))
    other = draw(st.sampled_from(_PIECES))
    kind = draw(st.sampled_from(_DAMAGES))
    return lambda content: kind(content, share, other)


def _at(content: bytes, share: float) -> int:
    return int(share * len(content))


def _insert(content: bytes, share: float, piece: bytes) -> bytes:
    at = _at(content, share)
    return content[:at] + piece + content[at:]


def _overwrite(content: bytes, share: float, piece: bytes) -> bytes:
    at = _at(content, share)
    return content[:at] + piece + content[at + len(piece) :]


def _flip(content: bytes, share: float, piece: bytes) -> bytes:
    found = bytearray(content)
    for step, byte in enumerate(piece or b"\x01"):
        if found:
            found[(_at(content, share) + 97 * step) % len(found)] ^= byte or 0x80
    return bytes(found)


def _lines_repeated(content: bytes, share: float, piece: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    at = _at(content, share) % max(len(lines), 1)
    return b"".join(lines[:at] + lines[: at + 1] + lines[at:])


def _recoded(encoding: str) -> Callable[[bytes, float, bytes], bytes]:
    def recode(content: bytes, share: float, piece: bytes) -> bytes:
        return content.decode("utf-8", "replace").encode(encoding, "replace")

    return recode


_DAMAGES: list[Callable[[bytes, float, bytes], bytes]] = [
    lambda content, share, piece: content[: _at(content, share)],
    lambda content, share, piece: content[_at(content, share) :],
    lambda content, share, piece: piece + content,
    lambda content, share, piece: content + piece,
    lambda content, share, piece: content * 2,
    lambda content, share, piece: content.replace(b"\n", b"\r\n", int(share * 10)),
    lambda content, share, piece: content.replace(b"\n", b"\r"),
    lambda content, share, piece: content.replace(b'"', b"'", int(share * 40)),
    lambda content, share, piece: content.replace(b",", piece, int(share * 9)),
    lambda content, share, piece: content.replace(b":", b": " + piece + b" ,", int(share * 3)),
    lambda content, share, piece: content.replace(b"2026", piece[:30], int(share * 20)),
    _insert, _insert, _overwrite, _overwrite, _flip, _flip, _lines_repeated,
    _recoded("utf-16"), _recoded("utf-16-le"), _recoded("utf-8-sig"), _recoded("latin-1"),
    _recoded("utf-32"), _recoded("utf-7"), _recoded("cp037"),
]  # fmt: skip
_PIECES = [
    b"", b"\x00", b"\x00" * 9, b"\xef\xbb\xbf", b"\xff\xfe", b"\xff", b"\xc3", b"\xed\xa0\x80",
    b'"', b"'", b",", b";", b"\t", b"\n", b"\r", b"\r\n", b"\n\n", b"{", b"}", b"[", b"]", b"\\",
    b"[" * 5000, b'{"a":' * 3000, b"9" * 5000, b"1e999", b"-1e400", b"NaN", b"Infinity", b"null",
    b"-", b"0x1F", b"true", b'"\\ud800"', b"\\u0000", b"\xe2\x80\xa8", b"\x85", b"\x0b", b"\x1a",
    b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"PAR1", b"BZh9", b"<html>", b"sep=;\n",
    b'"a""b', b'{"event_name": "A"}', b"[]", b"{}", b"#", b"=1+1",
]  # fmt: skip


@st.composite
def _damaged(draw: Any) -> Case:
    sample = draw(st.sampled_from(sorted(SAMPLES)))
    suffix = draw(st.sampled_from(list(_WRITERS)))
    content = _WRITERS[suffix](draw(_rows(sample)))
    for _ in range(draw(st.integers(1, 3))):
        content = draw(_damage())(content)
    if suffix in _TEXT_SUFFIXES and draw(st.booleans()):
        content = draw(st.sampled_from([_gzip, _zstd]))(content)
        suffix += draw(st.sampled_from([".gz", ".zst"]))
        for _ in range(draw(st.integers(0, 1))):
            content = draw(_damage())(content)
    return Case("a" + suffix, content)


# Wrong types: the vendor's fields, with values that no vendor sends

_JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.sampled_from(
            [0, -1, 2**53 + 1, 2**63, 10**30, 10**400, 1e308, 5e-324, 1772442000, 1772442000000,
             "", " ", "null", "NaN", "2026-03-02", "03/04/2026", "[1", "{", "{}", "[]", '{"a": 1}',
             '{"a": 1, "a": 2}', "[" * 3000, '{"a":' * 2000, "9" * 5000, "\x00", "é", "http://[::1",
             "https://x/?utm_source=a&utm_source=b&%ff", "urn:cookie:a", "[null]", '[{"key": 1}]',
             "true", "1e5", "1_000", "٣", "infinity", "=1+1", "a@x.org"]
        ),
        st.text(max_size=5),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(st.text(max_size=3), st.sampled_from(
                ["key", "value", "string_value", "int_value", "id", "type", "attributes", "data",
                 "email", "name", "product", "order_id", "$set", "$set_once", "$unset", "$append",
                 "src", "url", "page", "traits"]
            )), inner, max_size=3,
        ),
    ),
    max_leaves=6,
)  # fmt: skip


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        for key, inner in value.items():
            found += _paths(inner, (*path, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            found += _paths(inner, (*path, place))
    return found


@st.composite
def _wrong_types(draw: Any) -> Case:
    sample = draw(st.sampled_from(sorted(SAMPLES)))
    rows = copy.deepcopy(draw(_rows(sample)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(rows) - 1))
        path = draw(st.sampled_from(_paths(rows[at]) or [("nothing",)]))
        everywhere = draw(st.booleans())
        value = draw(_JSON)
        for row in rows if everywhere else rows[at : at + 1]:
            _put(row, path, value)
    suffix = draw(st.sampled_from(list(_WRITERS)))
    vendor = sample.split(".")[0].removesuffix("_events").removesuffix("_profile_merges")
    named = draw(st.booleans()) and vendor not in ("browser", "server", "crm")
    return Case("a" + suffix, _WRITERS[suffix](rows), format=vendor if named else "auto")


def _put(row: Any, path: tuple[Any, ...], value: Any) -> None:
    for step in path[:-1]:
        try:
            row = row[step]
        except (KeyError, IndexError, TypeError):
            return
    try:
        row[path[-1]] = value
    except (IndexError, TypeError):
        return


# Made up: rows under our own names, and text formats with their quirks

_FIELDS = st.sampled_from(
    ["event_name", "eventName", "event", "timestamp", "received_at", "event_id", "eventID",
     "source", "aliases", "alias.cookie", "alias.email", "__cvg_uid", "properties",
     "profile_properties", "profileProperties", "properties.p", "profile_properties.p", "unset",
     "set_once", "file", "line", "read_error", "row", "kind", "profile_id", "profile.p", "reason",
     "orders", "data", "type", "id", ""]
)  # fmt: skip


@st.composite
def _made_up(draw: Any) -> Case:
    usual = {"event_name": "A", "timestamp": "2026-03-02T10:00:00Z", "aliases": ["urn:cookie:a"]}
    rows = draw(st.lists(st.dictionaries(_FIELDS, _JSON, max_size=4), min_size=1, max_size=4))
    # A file of one object may be an answer that wraps its rows.
    rows = [usual, *({**usual, **row} if draw(st.booleans()) else row for row in rows)]
    suffix = draw(st.sampled_from(list(_WRITERS)))
    known = suffix in (".jsonl", ".json") and not any({"data", "type"} & row.keys() for row in rows)
    content = _WRITERS[suffix](rows)
    if suffix in _TEXT_SUFFIXES:
        newline = draw(st.sampled_from([b"\n", b"\n", b"\r\n", b"\n\n"]))
        if newline != b"\n" and suffix in (".jsonl", ".json"):
            content = content.replace(b"\n", newline)
    return Case("a" + suffix, content, len(rows) if known else None)


@st.composite
def _tables(draw: Any) -> Case:
    """Parquet of the columns that `fuzz.frames` draws, as far as Arrow takes them."""
    from fuzz.frames import columns

    size = draw(st.integers(0, 4))
    names = draw(st.lists(_FIELDS, min_size=1, max_size=5, unique=True))
    found: dict[str, Any] = {"event_name": ["A"] * size, "timestamp": ["2026-03-02"] * size,
                             "alias.cookie": ["a"] * size}  # fmt: skip
    for name in names:
        series: pd.Series = draw(columns(size))
        try:
            found[name] = pa.array(series, from_pandas=True)
        except (pa.ArrowException, TypeError, ValueError, OverflowError, NotImplementedError):
            found[name] = pa.array([str(type(cell)) for cell in series])
    out = io.BytesIO()
    try:
        pq.write_table(pa.table(found), out)
    except (pa.ArrowException, NotImplementedError):
        pq.write_table(pa.table({"event_name": ["A"] * size}), out)
        return Case("a.parquet", out.getvalue())
    return Case("a.parquet", out.getvalue(), size)

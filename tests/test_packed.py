"""Damaged gzip and zstd: every row that unpacks is read, and one rejected row says what is bad."""

from __future__ import annotations

import gzip
import json
import zlib

import pyarrow as pa
import pytest

import convergekit as ck
from convergekit.exports.unpacking import unpack

ROWS = [
    {"event_name": f"E{i}", "timestamp": "2026-03-02T10:00:00Z", "alias.cookie": str(i * 7919)}
    for i in range(12)
]
TEXT = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
GZIP = gzip.compress(TEXT, mtime=0)
ZSTD = pa.compress(TEXT, "zstd", asbytes=True)
CSV = ("event_name,timestamp,alias.cookie\n" + "".join(
    f"{row['event_name']},{row['timestamp']},{row['alias.cookie']}\n" for row in ROWS
)).encode()  # fmt: skip


def inflated(content):
    """Unpack byte by byte, the slow and obvious way: the bytes, and whether the end was reached."""
    out, part, whole = b"", zlib.decompressobj(31), False
    for place in range(len(content)):
        if part.eof:
            if not content[place:].strip(b"\0"):
                return out, True
            part = zlib.decompressobj(31)
        try:
            out += part.decompress(content[place : place + 1])
        except zlib.error:
            return out, False
    whole = part.eof
    return out, whole


def read(path, content):
    """Return the names of the events that were read, and the reasons of the rows that were not."""
    path.write_bytes(content)
    try:
        frame = ck.read_events(path)
    except ck.ReadError as error:
        return [], [str(error)]
    reasons = frame["read_error"].dropna().tolist() if "read_error" in frame else []
    return frame["event_name"].dropna().tolist(), reasons


def check(path, content):
    unpacked, whole = inflated(content)
    names, reasons = read(path, content)
    lines = unpacked.split(b"\n")[:-1]
    expected = [json.loads(line)["event_name"] for line in lines if is_json(line)]
    assert names == expected
    bad = [line for line in lines if not is_json(line)]
    if names:
        # A flipped bit may also make a line that is not JSON, which is a row of its own.
        assert len(reasons) == len(bad) + (not whole)


def unpacked(path, content, compression):
    path.write_bytes(content)
    got = []
    with path.open("rb") as file:
        try:
            got.extend(unpack(path, file, compression))
        except (OSError, pa.ArrowException):
            return b"".join(got), False
    return b"".join(got), True


def is_json(line):
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def test_cut_off_anywhere_all_that_unpacks_is_read(tmp_path):
    for end in range(2, len(GZIP), 3):
        check(tmp_path / "a.jsonl.gz", GZIP[:end])
    check(tmp_path / "a.jsonl.gz", GZIP[:-1])


@pytest.mark.parametrize("start", range(3))
def test_with_a_flipped_bit_all_before_it_is_read(tmp_path, start):
    # The bytes, for what is flipped may be a column's name.
    for place in range(2 + start, len(GZIP), 3):
        content = bytearray(GZIP)
        content[place] ^= 1 << (place % 8)
        assert unpacked(tmp_path / "a.gz", bytes(content), "gzip") == inflated(bytes(content))


@pytest.mark.parametrize("packed", [GZIP, ZSTD], ids=["gzip", "zstd"])
@pytest.mark.parametrize("zeros", [1, 2, 3, 511, 70_000])
def test_zeros_behind_the_end_are_no_damage(tmp_path, packed, zeros):
    path = tmp_path / ("a.jsonl.gz" if packed is GZIP else "a.jsonl.zst")
    assert read(path, packed + b"\0" * zeros) == ([row["event_name"] for row in ROWS], [])


@pytest.mark.parametrize("packed", [GZIP, ZSTD], ids=["gzip", "zstd"])
@pytest.mark.parametrize("garbage", [b"hello", b"\0\0x", b"\x1f"])
def test_anything_else_behind_the_end_is_told(tmp_path, packed, garbage):
    path = tmp_path / ("a.jsonl.gz" if packed is GZIP else "a.jsonl.zst")
    names, reasons = read(path, packed + garbage)
    assert len(names) == len(ROWS)
    assert len(reasons) == 1
    assert "damaged from here on" in reasons[0]


def test_several_parts_are_read_one_after_the_other(tmp_path):
    names, reasons = read(tmp_path / "a.jsonl.gz", GZIP + GZIP[: len(GZIP) - 2])
    assert len(names) == 2 * len(ROWS)
    assert len(reasons) == 1


def test_a_csv_keeps_its_rows_too(tmp_path):
    packed = gzip.compress(CSV, mtime=0)
    wrong = packed[:-8] + b"\x01\x02\x03\x04" + packed[-4:]
    for content in (packed[:-1], wrong):
        names, reasons = read(tmp_path / "a.csv.gz", content)
        assert len(names) == len(ROWS)
        assert len(reasons) == 1


def test_of_a_long_zstd_file_only_the_damaged_block_is_lost(tmp_path):
    many = TEXT * 3000
    packed = pa.compress(many, "zstd", asbytes=True)
    found, whole = unpacked(tmp_path / "a.zst", packed[:-1], "zstd")
    assert not whole
    assert many.startswith(found)
    # zstd unpacks blocks of 128 KB.
    assert len(many) - len(found) <= 128 * 1024

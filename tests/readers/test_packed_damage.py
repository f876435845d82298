"""Damaged packed files: every row that unpacks is read, and one row says what is wrong.

What unpacks is said by unpacking byte by byte, until that fails.
"""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import zlib

import pandas as pd
import pyarrow as pa
import pytest

import convergekit as ck

ROWS = [
    {"event_name": "A", "timestamp": "2026-03-02", "aliases": [f"urn:cookie:c{n**5}"], "n": n}
    for n in range(8)
]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
TABLE = b"event_name,timestamp,alias.cookie\n" + b"".join(
    f"A,2026-03-02,c{n**5}\n".encode() for n in range(8)
)
GZIP = gzip.compress(LINES, mtime=0)
HALF = LINES.index(b"\n", len(LINES) // 2) + 1
MEMBERS = gzip.compress(LINES[:HALF], mtime=0) + gzip.compress(LINES[HALF:], mtime=0)
#: LINES as the zstd command packs them, with a checksum, which pyarrow does not write.
ZSTD = base64.b64decode(
    "KLUv/QRoNQQAEocXGJDrAaMHw8X2wez++2fBABdkEw5Zul5FF0DkXA9NteacEwRXizFvtRZz96UUEPU+nrzJ4Ebex2RZkD"
    "cbh4t9TJ/CqEDexN7B6qB5OyNhpS9j5U1M8D5+CedR5z/PUA8gYOOEB1yhFzFaHmK0vBDbtLwR02ruQiLT8CKmJqYwRGit"
    "wwmtHbzg"
)
SKIPPED = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc"


def slow_gzip(packed):
    """Return what unpacks byte by byte, and whether nothing is wrong."""
    found = b""
    while True:
        member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        for place in range(len(packed)):
            try:
                found += member.decompress(packed[place : place + 1])
            except zlib.error:
                return found, False
            if member.eof:
                packed = packed[place + 1 :].lstrip(b"\x00")
                break
        else:
            return found, False
        if not packed:
            return found, True
        if not packed.startswith(b"\x1f\x8b"[: len(packed)]):
            return found, False


class OneByOne(io.RawIOBase):
    def __init__(self, content):
        self._content = io.BytesIO(content)

    def readable(self):
        return True

    def readinto(self, buffer):
        return self._content.readinto(memoryview(buffer)[:1])


def slow_zstd(packed):
    found = b""
    with pa.CompressedInputStream(OneByOne(packed), "zstd") as stream:
        try:
            while byte := stream.read(1):
                found += byte
        except OSError:
            return found, False
    return found, True


def rows_of(lines):
    """Return the objects on lines, the last of which may be cut."""
    found = []
    for line in lines.split(b"\n"):
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return [row for row in found if isinstance(row, dict)]


def read(tmp_path, content, name):
    """Return the rows that were read, and what is said of the file, or all that is said of it."""
    (tmp_path / name).write_bytes(content)
    try:
        events = ck.read_events(tmp_path / name)
    except ck.ReadError as error:
        return None, [str(error)]
    reasons = events.get("read_error", pd.Series(index=events.index, dtype="str"))
    said = [reason for reason in reasons.dropna() if reason.startswith("the file is damaged")]
    return events[reasons.isna()], said


def check(tmp_path, packed, slow, suffix):
    content, whole = slow(packed)
    rows, said = read(tmp_path, packed, f"a.jsonl{suffix}")
    if rows is None:
        # What unpacks may be no events any more.
        assert "n" not in [key for row in rows_of(content) for key in row] or "twice" in said[0]
        return
    assert len(said) == (not whole)
    assert rows.get("n", rows["event_name"]).tolist() == [row["n"] for row in rows_of(content)]


def with_a_bit_flipped(packed, place):
    return packed[:place] + bytes([packed[place] ^ 1 << place % 8]) + packed[place + 1 :]


@pytest.mark.parametrize(
    ("packed", "slow", "suffix"),
    [(GZIP, slow_gzip, ".gz"), (MEMBERS, slow_gzip, ".gz"), (ZSTD, slow_zstd, ".zst"),
     (SKIPPED + ZSTD + ZSTD, slow_zstd, ".zst")],
    ids=["gzip", "two members", "zstd", "three frames"],
)  # fmt: skip
def test_a_file_that_breaks_off_anywhere(tmp_path, packed, slow, suffix):
    for size in range(4, len(packed) + 1):
        check(tmp_path, packed[:size], slow, suffix)


@pytest.mark.parametrize(
    ("tail", "is_damage"),
    [(b"\x00", False), (b"\x00" * 100_000, False), (b"x", True), (b"<html>" * 20_000, True),
     (b"\x00" * 5 + b"x", True), (b"\x1f", True), (b"\x1f\x8b", True), (GZIP[:15], True)],
)  # fmt: skip
def test_what_follows_the_end(tmp_path, tail, is_damage):
    assert slow_gzip(GZIP + tail) == (LINES, not is_damage)
    rows, said = read(tmp_path, GZIP + tail, "a.jsonl.gz")
    assert rows["n"].tolist() == list(range(8))
    assert len(said) == is_damage
    rows, said = read(tmp_path, ZSTD + tail, "a.jsonl.zst")
    assert rows["n"].tolist() == list(range(8))
    assert len(said) == 1


@pytest.mark.parametrize(
    ("packed", "name"), [(GZIP, "a.jsonl.gz"), (ZSTD, "a.jsonl.zst"), (MEMBERS, "a.jsonl.gz")]
)
def test_a_wrong_checksum_costs_no_row(tmp_path, packed, name):
    wrong = len(packed) - (5 if name.endswith(".gz") else 1)
    rows, said = read(tmp_path, with_a_bit_flipped(packed, wrong), name)
    assert rows["n"].tolist() == list(range(8))
    assert said == ["the file is damaged: its checksum is wrong, so that any row may be"]


def test_a_wrong_checksum_does_not_hide_the_members_after_it(tmp_path):
    first = gzip.compress(LINES[:HALF], mtime=0)
    rows, said = read(tmp_path, with_a_bit_flipped(MEMBERS, len(first) - 5), "a.jsonl.gz")
    assert rows["n"].tolist() == list(range(8))
    assert len(said) == 1


@pytest.mark.parametrize(
    ("packed", "slow", "suffix"), [(GZIP, slow_gzip, ".gz"), (ZSTD, slow_zstd, ".zst")]
)
def test_a_bit_that_is_flipped_anywhere(tmp_path, packed, slow, suffix):
    for place in range(4, len(packed)):
        flipped = with_a_bit_flipped(packed, place)
        content, whole = slow(flipped)
        try:
            rows, said = read(tmp_path, flipped, f"a.jsonl{suffix}")
        except ck.ConvergekitError:
            # A column may have another name now, which is an error of its own.
            assert content != LINES
            continue
        if rows is not None:
            assert len(said) == (not whole)
        if content == LINES:
            assert rows["n"].tolist() == list(range(8))


def test_a_gzip_with_a_name_a_comment_and_a_header_checksum(tmp_path):
    fixed = bytearray(GZIP[:10])
    fixed[3] = 2 | 4 | 8 | 16
    header = bytes(fixed) + b"\x03\x00abc" + b"events.jsonl\x00" + b"by hand\x00"
    checksum = (zlib.crc32(header) & 0xFFFF).to_bytes(2, "little")
    packed = header + checksum + GZIP[10:]
    assert slow_gzip(packed) == (LINES, True)
    rows, said = read(tmp_path, packed, "a.jsonl.gz")
    assert (rows["n"].tolist(), said) == (list(range(8)), [])
    for size in range(4, len(header) + 20):
        check(tmp_path, packed[:size], slow_gzip, ".gz")
    wrong = header + bytes([checksum[0] ^ 1, checksum[1]]) + GZIP[10:]
    assert read(tmp_path, wrong, "a.jsonl.gz")[0] is None


@pytest.mark.parametrize("name", ["a.csv.gz", "a.tsv.gz"])
def test_a_table_that_breaks_off_anywhere(tmp_path, name):
    table = TABLE.replace(b",", b"\t") if ".tsv" in name else TABLE
    packed = gzip.compress(table, mtime=0)
    for size in range(4, len(packed)):
        content, _ = slow_gzip(packed[:size])
        # A row that is cut within its last cell would be a row of another alias.
        whole = content[: content.rfind(b"\n") + 1].decode()
        expected = list(csv.reader(io.StringIO(whole), delimiter="\t" if ".tsv" in name else ","))
        rows, said = read(tmp_path, packed[:size], name)
        assert len(said) == 1
        assert (rows is None) == (len(expected) < 2)
        if rows is not None:
            assert rows["alias.cookie"].tolist() == [row[2] for row in expected[1:]]


def test_a_last_line_without_an_end_is_a_row_where_only_the_trailer_is_damaged(tmp_path):
    packed = gzip.compress(TABLE.rstrip(), mtime=0)
    for size in (len(packed) - 8, len(packed) - 1):
        rows, said = read(tmp_path, packed[:size], "a.csv.gz")
        assert len(rows) == 8
        assert len(said) == 1


@pytest.mark.parametrize("wrapped", ["%s", '{"orders": %s}'])
@pytest.mark.parametrize("indent", [None, 1])
def test_an_array_that_is_all_there_is_read_in_spite_of_the_damage(tmp_path, wrapped, indent):
    content = (wrapped % json.dumps(ROWS, indent=indent)).encode()
    packed = gzip.compress(content, mtime=0)
    for damaged in (packed[:-1], packed[:-8], packed + b"x", with_a_bit_flipped(packed, -6)):
        rows, said = read(tmp_path, damaged, "a.json.gz")
        assert rows["n"].tolist() == list(range(8))
        assert len(said) == 1
    rows, said = read(tmp_path, packed[: len(packed) // 2], "a.json.gz")
    assert rows is None
    assert "the file is damaged from here on: it breaks off" in said[0]


def test_strict_reading_refuses_a_damaged_file(tmp_path):
    (tmp_path / "a.jsonl.gz").write_bytes(GZIP[:-1])
    with pytest.raises(ck.ReadError, match=r"a\.jsonl\.gz, line 9: the file is damaged from here"):
        ck.read_events(tmp_path / "a.jsonl.gz", strict=True)


def test_half_a_character_of_wide_text_costs_its_line_alone(tmp_path):
    content = LINES.decode().encode("utf-16-le")
    at = content.index(b"\n", 400) - 20
    content = b"\xff\xfe" + content[:at] + b"\x00\xd8" + content[at + 2 :]
    (tmp_path / "a.jsonl").write_bytes(content)
    events = ck.read_events(tmp_path / "a.jsonl")
    assert len(events) == 8
    (reason,) = events["read_error"].dropna()
    assert reason.startswith("not UTF-8")

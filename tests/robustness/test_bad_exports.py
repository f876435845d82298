"""Files as nobody wants them: each is read right, or said to be wrong, with file and line."""

from __future__ import annotations

import errno
import gzip
import io
import json
import os
import secrets
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import convergekit as ck
from convergekit.readers import json_files, lines, parquet_files, raw_rows, unpacking

EXPORTS = Path(__file__).parents[2] / "data" / "exports"
ROW = {"event_name": "A", "timestamp": "2026-03-02T10:00:00Z", "aliases": ["urn:cookie:c"]}
HEADER = "event_name,timestamp,alias.cookie\n"


def row(**properties):
    return ROW | {"properties": properties}


def write(path, content):
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def zstd(content):
    return pa.compress(content, "zstd", asbytes=True)


def jsonl(*records):
    return "".join(r if isinstance(r, str) else json.dumps(r) + "\n" for r in records)


def rejected(events):
    """Return line and reason of each rejected row; the other rows are events."""
    s = ck.stitch(events)
    assert len(s.events) + len(s.duplicates) + len(s.rejected) == len(events)
    return s.rejected[["line", "reason"]].values.tolist()


# Wrong formats


def test_the_wrong_format_is_named_with_the_right_one():
    with pytest.raises(ck.ReadError, match=r"segment\.jsonl: not in the format 'mixpanel'") as e:
        ck.read_events(EXPORTS / "segment.jsonl", format="mixpanel")
    assert "It looks like 'segment'" in str(e.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", b"PK\x03\x04rest", "a ZIP archive; name it .zip"),
        ("a.jsonl", b"BZh91AY", "the file is damaged from here on: it breaks off"),
        ("a.csv", b"\xfd7zXZ\x00", "damaged from here on: it breaks off"),
        ("a.json", b"PAR1\x15\x04", "a Parquet file; name it .parquet"),
        ("a.jsonl.zip", b"PK\x03\x04rest", "the archive is damaged"),
        ("a.parquet", b"PK\x03\x04rest", "cannot be read as Parquet"),
        ("a.parquet", b"", "cannot be read as Parquet"),
        ("a.parquet.gz", gzip.compress(b"PAR1", mtime=0), "cannot be read as Parquet"),
        ("a.jsonl.gz", gzip.compress(gzip.compress(b"{}", mtime=0), mtime=0), "packed twice"),
        ("a.jsonl", HEADER + "A,2026-03-02,c\n", "no row can be read; line 1: not JSON"),
    ],
)
def test_a_file_that_is_something_else_says_what(tmp_path, name, content, message):
    with pytest.raises(ck.ReadError, match=message) as error:
        ck.read_events(write(tmp_path / name, content))
    assert name in str(error.value)


def test_json_under_the_name_of_a_csv_is_no_silent_table(tmp_path):
    with pytest.raises(ck.ConvergekitError, match=r"a\.csv"):
        ck.read_events(write(tmp_path / "a.csv", jsonl(ROW, ROW)))


def test_a_folder_of_many_formats_is_read_file_by_file(tmp_path):
    for name in ("segment.jsonl", "snowplow.csv", "ga4.jsonl"):
        write(tmp_path / name, (EXPORTS / name).read_bytes())
    pd.DataFrame([row(price=3)]).to_parquet(tmp_path / "own.parquet")
    events = ck.read_events(tmp_path / "*")
    assert events["file"].unique().tolist() == [
        "ga4.jsonl", "own.parquet", "segment.jsonl", "snowplow.csv",
    ]  # fmt: skip
    assert not rejected(events)
    write(tmp_path / "notes.txt", "remember the milk")
    with pytest.raises(ck.ReadError, match=r"notes\.txt: the suffix does not name a format"):
        ck.read_events(tmp_path / "*")


def test_rows_of_two_vendors_in_one_file_lose_none_in_silence(tmp_path):
    segment = (EXPORTS / "segment.jsonl").read_text().splitlines()[0]
    mixpanel = (EXPORTS / "mixpanel.jsonl").read_text().splitlines()[0]
    path = write(tmp_path / "a.jsonl", f"{segment}\n{mixpanel}\n")
    with pytest.raises(ck.ReadError, match="could be 'segment' or 'mixpanel'"):
        ck.read_events(path)
    assert [line for line, _ in rejected(ck.read_events(path, format="segment"))] == [2]


# Damage and bombs


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_a_truncated_archive_keeps_the_rows_before_the_damage(tmp_path, name, pack):
    records = [f"e{i}-{i**7}" for i in range(5000)]
    if name == "a.csv":
        content = HEADER + "".join(f"A,2026-03-02,{record}\n" for record in records)
    else:
        content = jsonl(*(ROW | {"event_id": record} for record in records))
    packed = pack(content.encode())
    events = ck.read_events(write(tmp_path / f"{name}.gz", packed[: len(packed) * 3 // 4]))
    found = rejected(events)
    assert 100 < len(events) - len(found) < 5000
    assert "the file is damaged from here on" in found[-1][1]
    assert found[-1][0] == events["line"].max()


def test_archives_that_break_off_before_the_first_row(tmp_path):
    packed = gzip.compress(json.dumps([ROW] * 100).encode())
    with pytest.raises(ck.ReadError, match=r"a\.json\.gz: .*the file is damaged"):
        ck.read_events(write(tmp_path / "a.json.gz", packed[:-20]))
    with pytest.raises(ck.ReadError, match="no row can be read; line 1: the file is damaged"):
        ck.read_events(write(tmp_path / "a.jsonl.gz", packed[:12]))
    table = io.BytesIO()
    pd.DataFrame([row(price=3)]).to_parquet(table)
    with pytest.raises(ck.ReadError, match="cannot be read as Parquet"):
        ck.read_events(write(tmp_path / "a.parquet", table.getvalue()[:-40]))


def test_archives_one_after_the_other_are_one_file(tmp_path):
    parts = gzip.compress(jsonl(ROW).encode()) + gzip.compress(
        jsonl(ROW | {"event_name": "B"}).encode()
    )
    assert ck.read_events(write(tmp_path / "a.jsonl.gz", parts))["event_name"].tolist() == [
        "A",
        "B",
    ]


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.json.gz", "a.csv.gz"])
def test_a_bomb_is_not_unpacked_to_its_end(tmp_path, monkeypatch, name):
    monkeypatch.setattr(unpacking, "UNPACKED_ALLOWED", 1_000_000)
    path = write(tmp_path / name, gzip.compress(b"[" + (b"0" * 99 + b"\n") * 200_000, 9))
    assert path.stat().st_size * unpacking.MOST_UNPACKED_TIMES < 20_000_000
    with pytest.raises(ck.ReadError, match=r"bytes unpack to more than .*, as no export does"):
        ck.read_events(path)


def test_much_repetition_is_no_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr(unpacking, "UNPACKED_ALLOWED", 1000)
    path = write(tmp_path / "a.jsonl.gz", gzip.compress(jsonl(*[ROW] * 2000).encode()))
    assert path.stat().st_size * 100 < 2000 * len(json.dumps(ROW))
    assert len(ck.read_events(path)) == 2000


def test_a_parquet_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_files, "_ROWS_ALLOWED", 1000)
    nothing = pa.table({"event_name": pa.nulls(3_000_000, pa.string())})
    pq.write_table(nothing, tmp_path / "a.parquet")
    with pytest.raises(ck.ReadError, match="3,000,000 rows in its .* bytes, which no export has"):
        ck.read_events(tmp_path / "a.parquet")


def test_a_parquet_bomb_of_lists(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_files, "_ROWS_ALLOWED", 1000)
    zeros = pa.ListArray.from_arrays(pa.array([0, 9_000_000]), pa.array(np.zeros(9_000_000, int)))
    pq.write_table(pa.table({"event_name": ["A"], "x": zeros}), tmp_path / "a.parquet")
    with pytest.raises(ck.ReadError, match="lists has 9,000,000 values in its .* bytes, which no"):
        ck.read_events(tmp_path / "a.parquet")


def repeated(text, times):
    """The text so many times, its bytes once."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(times, "int32")), pa.array([text]))


@pytest.mark.parametrize(
    "within",
    [
        lambda cells: cells,
        lambda cells: pa.ListArray.from_arrays(pa.array([0, 0, len(cells)]), cells),
        lambda cells: pa.StructArray.from_arrays([cells], ["y"]),
    ],
)
def test_a_parquet_bomb_of_one_text_that_a_dictionary_repeats(tmp_path, within):
    cells = within(repeated("0" * 10_000_000, 100_000))
    pq.write_table(pa.table({"x": cells}), tmp_path / "a.parquet", compression="zstd")
    assert (tmp_path / "a.parquet").stat().st_size < 1_000_000
    before = pa.total_allocated_bytes()
    pool = pa.default_memory_pool()
    with pytest.raises(ck.ReadError, match="unpack to 999,99.,...,..., as no export does: a dict"):
        ck.read_events(tmp_path / "a.parquet")
    assert pool.max_memory() - before < 1_000_000_000


def test_a_parquet_bomb_of_json(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_files, "UNPACKED_ALLOWED", 1_000_000)
    cells = pa.array(['"' + "0" * 10_000 + '"'] * 1000, pa.json_())
    pq.write_table(pa.table({"x": cells}), tmp_path / "a.parquet", compression="zstd")
    with pytest.raises(ck.ReadError, match="unpack to 9,93.,..., as no export does: a dictionary"):
        ck.read_events(tmp_path / "a.parquet")


def test_texts_that_a_dictionary_repeats_as_exports_do(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_files, "UNPACKED_ALLOWED", 1_000_000)
    size = 20_000
    few, long = repeated("a" * 60, size), ["b" * 900_000, *["b"] * (size - 1)]
    table = pa.table(
        {
            "event_name": pa.array(["A"] * size),
            "timestamp": pa.array([ROW["timestamp"]] * size),
            # Short texts that are repeated, and a long one that is not.
            "x": few,
            "y": pa.array(long),
            "z": pa.array([[], *[["c", None]] * (size - 1)]),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet", compression="zstd")
    assert (tmp_path / "a.parquet").stat().st_size < 4000
    events = ck.read_events(tmp_path / "a.parquet")
    assert events["y"].tolist() == long
    assert events["x"].tolist() == few.to_pylist()


def test_a_parquet_bomb_of_one_row(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_files, "UNPACKED_ALLOWED", 1_000_000)
    much = pa.table({"event_name": ["A"], "timestamp": [ROW["timestamp"]], "x": ["0" * 9_000_000]})
    pq.write_table(much, tmp_path / "a.parquet", compression="zstd", use_dictionary=False)
    with pytest.raises(ck.ReadError, match=r"a\.parquet: its .* bytes unpack to .*, as no export"):
        ck.read_events(tmp_path / "a.parquet")


def test_a_line_without_end_is_one_rejected_row(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "LONGEST_LINE", 1000)
    path = write(tmp_path / "a.jsonl", jsonl(ROW, row(text="x" * 5000), ROW))
    assert rejected(ck.read_events(path)) == [[2, "longer than 64 MB"]]
    content = HEADER + f"A,2026-03-02,{'x' * 5000}\nA,2026-03-02,c\n"
    events = ck.read_events(write(tmp_path / "a.csv", content))
    assert rejected(events) == [[2, "longer than 64 MB"]]
    assert events["alias.cookie"].tolist()[1] == "c"
    # An array may stand on one line.
    assert len(ck.read_events(write(tmp_path / "a.json", json.dumps([ROW] * 100)))) == 100


# Text


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_byte_order_mark_says_how_to_decode(tmp_path, encoding, newline):
    text = json.dumps(row(note="crème ☕"), ensure_ascii=False) + "\n"
    files = {
        "a.jsonl": text * 2,
        "b.csv": HEADER + "crème ☕,2026-03-02,c\n" * 2,
        "c.json": "[" + text + "," + text + "]",
    }
    for name, content in files.items():
        write(tmp_path / name, content.replace("\n", newline).encode(encoding))
    events = ck.read_events(str(tmp_path / "*"))
    assert events["event_name"].tolist() == ["A", "A", "crème ☕", "crème ☕", "A", "A"]
    assert events["properties.note"].dropna().tolist() == ["crème ☕"] * 4
    assert not rejected(events)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.json"])
def test_wide_text_without_a_mark_is_refused(tmp_path, encoding, name):
    content = HEADER + "A,2026-03-02,c\n" if name == "a.csv" else jsonl(ROW)
    path = write(tmp_path / name, content.encode(encoding))
    with pytest.raises(ck.ReadError, match=f"byte-order mark; give encoding='{encoding}'"):
        ck.read_events(path)
    assert ck.read_events(path, encoding=encoding)["event_name"].tolist() == ["A"]


def test_wide_text_that_breaks_off(tmp_path):
    content = jsonl(ROW, ROW).encode("utf-16")[:-5]
    found = rejected(ck.read_events(write(tmp_path / "a.jsonl", content)))
    assert [line for line, _ in found] == [2]
    assert "damaged" in found[0][1]


def test_a_mark_in_the_middle_is_a_bad_line(tmp_path):
    # As `cat` makes of two files that each start with one.
    path = write(tmp_path / "a.jsonl", jsonl(ROW, "\ufeff" + jsonl(ROW), ROW))
    found = rejected(ck.read_events(path))
    assert [line for line, _ in found] == [2]
    assert found[0][1].startswith("not JSON")


def test_lines_that_end_in_carriage_returns_alone(tmp_path):
    path = write(tmp_path / "a.jsonl", jsonl(ROW, ROW).replace("\n", "\r"))
    with pytest.raises(ck.ReadError, match="line 1: several lines that end in carriage returns"):
        ck.read_events(path)


# Values


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('{"event_name": "A", "event_name": "B", "timestamp": "2026-03-02"}', "event_name"),
        ('{"event_name": "A", "properties": {"x": 1, "y": 2, "x": 1}}', "x"),
        ('{"event_name": "A", "properties": {"items": [{"sku": 1, "sku": 2}]}}', "sku"),
    ],
)
def test_a_key_that_stands_twice_is_a_bad_line(tmp_path, line, key):
    path = write(tmp_path / "a.jsonl", jsonl(ROW, line + "\n", ROW))
    reason = f"not JSON: the key '{key}' occurs twice in one object"
    assert rejected(ck.read_events(path)) == [[2, reason]]
    with pytest.raises(ck.ReadError, match=r"a\.jsonl, line 2: not JSON: the key"):
        ck.read_events(path, strict=True)
    with pytest.raises(ck.ReadError, match=r"a\.json: not JSON: the key .* occurs twice"):
        ck.read_events(write(tmp_path / "a.json", f"[{json.dumps(ROW)},\n{line}]"))


def test_a_key_that_stands_twice_in_json_text_of_a_cell(tmp_path):
    twice = '{"price": 1, "price": 2}'
    own = write(tmp_path / "own.jsonl", jsonl(ROW | {"properties": twice}, row(price=1)))
    events = ck.read_events(own)
    reason = "properties: the key 'price' occurs twice in one object"
    assert rejected(events) == [[1, reason]]
    bigquery = {"id": "1", "timestamp": "2026-03-02", "event_name": "A", "profile_id": 1}
    path = write(
        tmp_path / "bigquery.jsonl",
        jsonl(*({**bigquery, "event_properties": text} for text in ("{}", twice))),
    )
    assert rejected(ck.read_events(path)) == [[2, "event_" + reason]]
    frame = pd.DataFrame([{**bigquery, "event_properties": twice}])
    assert "occurs twice" in ck.stitch(ck.read_events(frame)).rejected["reason"][0]


def test_text_that_only_looks_like_json_is_text(tmp_path):
    path = write(tmp_path / "a.jsonl", jsonl(row(note="{draft}", list="[x")))
    events = ck.read_events(path)
    assert events[["properties.note", "properties.list"]].values.tolist() == [["{draft}", "[x"]]
    assert not rejected(events)


BIG = [2**53 + 1, -(2**53) - 1, 2**63 - 1, 2**63, 2**64 + 1, 10**40 + 1]


@pytest.mark.parametrize("others", [[], [None], [1.5], ["text"], [None, 1.5, True]])
def test_whole_numbers_stay_exact(tmp_path, others):
    values = [*BIG, *others]
    records = [row(n=value, event=i) | {"event_id": value} for i, value in enumerate(values)]
    lines_path = write(tmp_path / "a.jsonl", jsonl(*records))
    array_path = write(tmp_path / "b.json", json.dumps(records))
    for path in (lines_path, array_path):
        events = ck.read_events(path)
        assert [int(n) for n in events["properties.n"][: len(BIG)]] == BIG
        ids = ck.stitch(events).events["event_id"]
        assert ids.tolist()[: len(BIG)] == list(map(str, BIG))


def test_whole_numbers_stay_exact_over_files_and_batches(tmp_path, monkeypatch):
    monkeypatch.setattr(raw_rows, "BATCH_ROWS", 1)
    monkeypatch.setattr(json_files, "BATCH_ROWS", 1)
    values = [2**53 + 1, 0.5, None, 3]
    path = write(tmp_path / "a.jsonl", jsonl(*(row(n=n, pad=1) for n in values)))
    other = write(tmp_path / "b.jsonl", jsonl(row(n=2**63, pad=1)))
    found = ck.read_events([path, other])["properties.n"].tolist()
    assert found == [2**53 + 1, 0.5, None, 3, 2**63]


def test_whole_numbers_of_a_csv_and_of_parquet_stay_exact(tmp_path):
    header = HEADER.strip() + ",properties.n\n"
    text = header + "".join(f"A,2026-03-02,c,{n}\n" for n in BIG)
    found = ck.read_events(write(tmp_path / "a.csv", text))["properties.n"]
    assert [int(n) for n in found] == BIG
    table = pa.table({
        "event_name": ["A", "A"], "timestamp": ["2026-03-02"] * 2, "alias.cookie": ["c", "c"],
        "properties.u": pa.array([2**64 - 1, None], pa.uint64()),
        "properties.d": pa.array([10**37 + 1, None], pa.decimal128(38)),
    })  # fmt: skip
    pq.write_table(table, tmp_path / "a.parquet")
    events = ck.read_events(tmp_path / "a.parquet")
    assert int(events["properties.u"][0]) == 2**64 - 1
    assert int(events["properties.d"][0]) == 10**37 + 1


def test_nan_is_missing_and_infinity_is_a_bad_line(tmp_path):
    text = jsonl(ROW, '{"event_name": "A", "timestamp": "2026-03-02", "properties": {"x": %s}}\n')
    for value in ("Infinity", "-Infinity"):
        path = write(tmp_path / "a.jsonl", text % value)
        reason = f"not JSON: {value} is not a number in JSON"
        assert rejected(ck.read_events(path)) == [[2, reason]]
    events = ck.read_events(write(tmp_path / "a.jsonl", text % "NaN"))
    assert not rejected(events)
    assert "properties.x" not in events or events["properties.x"].isna().all()


# What is not there, and what may not be read


def test_empty_archives_and_folders(tmp_path):
    for name in ("a.jsonl", "b.csv", "c.json"):
        write(tmp_path / name, "")
        write(tmp_path / f"{name}.gz", gzip.compress(b""))
    assert len(ck.read_events(tmp_path / "*")) == 0
    (tmp_path / "nothing").mkdir()
    with pytest.raises(ck.ReadError, match="nothing holds no file that is read: it is empty"):
        ck.read_events(tmp_path / "nothing")
    with pytest.raises(ck.ReadError, match="no file is named"):
        ck.read_events(tmp_path / "nothing" / "*")


def test_a_folder_named_like_a_file_is_left_out_of_a_pattern(tmp_path):
    (tmp_path / "old.jsonl").mkdir()
    write(tmp_path / "a.jsonl", jsonl(ROW))
    assert ck.read_events(tmp_path / "*.jsonl")["file"].tolist() == ["a.jsonl"]
    with pytest.raises(ck.ReadError, match="matches only directories"):
        ck.read_events(tmp_path / "o*.jsonl")


@pytest.fixture
def locked(monkeypatch):
    """Return a function that makes a file unreadable, to the administrator as well."""
    opened, parquet = Path.open, pq.ParquetFile.__init__
    paths = set()

    def denied(path):
        if Path(path) in paths:
            raise PermissionError(13, "Permission denied", str(path))

    def open_path(path, *arguments, **named):
        denied(path)
        return opened(path, *arguments, **named)

    def open_parquet(self, source, **named):
        denied(source)
        parquet(self, source, **named)

    def lock(path):
        path.chmod(0)
        if not os.access(path, os.R_OK):
            return
        paths.add(path)
        monkeypatch.setattr(Path, "open", open_path)
        monkeypatch.setattr(pq.ParquetFile, "__init__", open_parquet)

    return lock


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.json", "a.jsonl.gz", "a.parquet"])
def test_a_file_that_may_not_be_read(tmp_path, locked, name):
    path = write(tmp_path / name, jsonl(ROW))
    locked(path)
    message = rf"{name} cannot be opened: permission denied\. Check who may read it"
    with pytest.raises(ck.ReadError, match=message):
        ck.read_events(path)


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.jsonl.gz", "a.jsonl.zst"])
def test_a_drive_that_fails_is_no_damage_of_the_file(tmp_path, monkeypatch, name):
    rows = [json.dumps(ROW | {"event_id": secrets.token_hex(20)}) for _ in range(5000)]
    if name == "a.csv":
        rows = ["event_id", *(json.loads(row)["event_id"] for row in rows)]
    content = "\n".join(rows).encode()
    packed = {".gz": gzip.compress, ".zst": zstd}.get(Path(name).suffix, bytes)(content)
    path = write(tmp_path / name, packed)
    open_path = Path.open

    class Failing(io.FileIO):
        def readinto(self, buffer):
            if self.tell() > path.stat().st_size // 2:
                raise OSError(errno.EIO, "Input/output error")
            return super().readinto(buffer)

    def opened(self, *arguments, **named):
        return Failing(self) if self == path else open_path(self, *arguments, **named)

    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(ck.ReadError, match=f"{name} cannot be read to its end: input/output error"):
        ck.read_events(path)


def test_a_zip_archive_under_another_name_says_what_it_is(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.json", "w") as archive:
        archive.writestr("events.json", json.dumps([ROW]))
    with pytest.raises(ck.ReadError, match="ZIP archive; name it .zip"):
        ck.read_events(tmp_path / "a.json")

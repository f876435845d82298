"""Many small files: read at once, as if one by one."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.readers import reading
from tests.effort import tries

EXPORTS = Path(__file__).parents[2] / "data" / "exports"


def read_one_by_one(paths, **options):
    """Return what is read when every file is read by itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading._SmallFiles, "takes", lambda *_: False)
        return ck.read_events(paths, **options)


@pytest.fixture
def one_by_one():
    return read_one_by_one


@pytest.fixture
def read_alone(monkeypatch):
    """Return the names of the files that are read by themselves."""
    names = []
    takes = reading._SmallFiles.takes

    def noted(self, source, *others):
        taken = takes(self, source, *others)
        names.extend([] if taken else [source.name])
        return taken

    monkeypatch.setattr(reading._SmallFiles, "takes", noted)
    return names


def split(name, folder, size):
    """Write an export of lines as many files."""
    rows = (EXPORTS / name).read_text("utf-8").splitlines()
    for place in range(0, len(rows), size):
        path = folder / f"{name}-{place:04}.jsonl"
        path.write_text("\n".join(rows[place : place + size]) + "\n", "utf-8")


@pytest.mark.parametrize(
    "name", ["segment.jsonl", "ga4.jsonl", "posthog.jsonl", "mixpanel.jsonl", "amplitude.jsonl"]
)
def test_files_are_read_as_one_by_one(tmp_path, one_by_one, name):
    split(name, tmp_path, 3)
    found, expected = ck.read_events(tmp_path), one_by_one(tmp_path)
    assert found["file"].nunique() > 5
    assert sorted(found) == sorted(expected)
    pd.testing.assert_frame_equal(found[expected.columns], expected)
    one, other = ck.stitch(found), ck.stitch(expected)
    # Columns come as in one file of all lines.
    pd.testing.assert_frame_equal(one.profiles[other.profiles.columns], other.profiles)


def test_files_of_several_formats_in_turn(tmp_path, one_by_one):
    for name in ("segment.jsonl", "mixpanel.jsonl"):
        split(name, tmp_path, 4)
    for path in sorted(tmp_path.iterdir())[::2]:
        path.rename(tmp_path / f"0-{path.name}")
    own = {"event_name": "A", "timestamp": "2026-03-02", "aliases": []}
    (tmp_path / "5-own.jsonl").write_text(json.dumps(own | {"file": "x", "source": "s"}))
    (tmp_path / "6-bad.jsonl").write_text(json.dumps(own) + "\noops\n")
    (tmp_path / "7-answer.json").write_text((EXPORTS / "shopify.json").read_text("utf-8"), "utf-8")
    (tmp_path / "8-empty.jsonl").write_text("\n")
    found = ck.read_events(tmp_path / "*")
    expected = one_by_one(tmp_path / "*")
    pd.testing.assert_frame_equal(found[expected.columns], expected)


def test_own_columns_of_many_files(tmp_path, one_by_one):
    for number in range(12):
        row = {"what": "A", "at": "2026-03-02", "who": {"id": f"u{number}"}}
        if number % 5 == 4:
            row |= {"more": number}
        (tmp_path / f"{number:02}.jsonl").write_text(json.dumps(row) + "\n" + json.dumps(row))
    columns = {"event_name": "what", "timestamp": "at", "alias.user_id": "who.id",
               "properties.shop": ck.constant("north")}  # fmt: skip
    found = ck.read_events(tmp_path, columns=columns)
    expected = one_by_one(tmp_path, columns=columns)
    pd.testing.assert_frame_equal(found[expected.columns], expected)
    assert len(found) == 24


def test_a_bad_row_in_one_of_many_is_named(tmp_path):
    for number in range(6):
        row = {"event_name": "A", "timestamp": "2026-03-02", "aliases": []}
        text = json.dumps(row) + ("\noops" if number == 3 else "") + "\n"
        (tmp_path / f"{number}.jsonl").write_text(text)
    events = ck.read_events(tmp_path)
    bad = events[events["read_error"].notna()]
    assert bad[["file", "line"]].values.tolist() == [["3.jsonl", 2]]
    with pytest.raises(ck.ReadError, match=r"3\.jsonl, line 2: not JSON"):
        ck.read_events(tmp_path, strict=True)
    (tmp_path / "4.jsonl").write_text("oops\n")
    with pytest.raises(ck.ReadError, match=r"4\.jsonl: no row can be read"):
        ck.read_events(tmp_path)


#: Of each kind of cell by which the type of a CSV's column is told, and some that are of none.
CELLS = st.one_of(
    st.sampled_from(["", "NULL", "\\N", "0", "7", "-7", "12.50", "1e3", "0042", "1.0", "true"]),
    st.sampled_from(["False", "[1]", '{"a": 1}', "[1", "words", "9007199254740993", "1" * 30]),
    st.sampled_from(["[" * 200 + "]" * 200, "12345678901234567.5", '{"a": "b", "c": [2]}']),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("small")


@given(st.lists(st.lists(CELLS, min_size=1, max_size=3), min_size=2, max_size=5))
@tries(60)
def test_cells_of_csv_files_have_the_types_of_their_own_file(folder, files):
    for path in folder.iterdir():
        path.unlink()
    for number, cells in enumerate(files):
        rows = [
            {"event_name": "A", "timestamp": "2026-03-02", "event_id": f"{cell[:9]}.0"[-5:],
             "alias.id": cell[:9], "properties.p": cell, "profile_properties.q": cells[0],
             "properties": cell if cell.startswith("{") else ""}
            for cell in cells
        ]  # fmt: skip
        pd.DataFrame(rows).to_csv(folder / f"{number}.csv", index=False)
    found, expected = ck.read_events(folder), read_one_by_one(folder)
    assert sorted(found) == sorted(expected)
    pd.testing.assert_frame_equal(found[expected.columns], expected)


def test_csv_files_of_a_vendor(tmp_path, one_by_one, read_alone):
    header = (
        "id,received_at,sent_at,timestamp,anonymous_id,user_id,event,event_text,price,context_ip"
    )
    for number in range(9):
        price = ["12.50", "", "many"][number % 3]
        day = f"2026-03-0{number + 1}"
        row = f"m{number},{day},{day},{day},a{number},u1,order_done,Order Done,{price},203.0.113.1"
        (tmp_path / f"tracks-{number}.csv").write_text(f"{header}\n{row}\n{row}x\n")
    found = ck.read_events(tmp_path)
    assert read_alone == []
    assert found["event_name"].unique().tolist() == ["Order Done"]
    expected = one_by_one(tmp_path)
    pd.testing.assert_frame_equal(found[expected.columns], expected)


@pytest.mark.parametrize("end", ["", '"never closed\n', "too,few\n", "A,2026-03-02,a,1,2,3\n"])
def test_a_bad_line_of_csv_stays_on_its_line(tmp_path, one_by_one, read_alone, end):
    for number in range(5):
        lines = f'event_name,timestamp,alias.id,properties.n\nA,2026-03-02,"a\nb",{number}\n'
        bad = end if number == 2 else ""
        (tmp_path / f"{number}.csv").write_text(lines + bad + "B,2026-03-02,c,2\n")
    found, expected = ck.read_events(tmp_path), one_by_one(tmp_path)
    assert read_alone[: bool(end)] == ["2.csv"] * bool(end)
    pd.testing.assert_frame_equal(found[expected.columns], expected)
    assert found["line"].tolist()[:4] == [2, 4, 2, 4]
    if end:
        bad = found[found["read_error"].notna()]
        assert bad[["file", "line"]].values.tolist()[:1] == [["2.csv", 4]]


TABLES = {
    "n": [pa.array([1, 2]), pa.array([1, None]), pa.array([None, None], pa.int64())],
    "mixed": [pa.array([1, None]), pa.array(["a", "b"]), pa.nulls(2)],
    "flag": [pa.array([True, False]), pa.array([True, None])],
    "float": [pa.array([0.5, None]), pa.array([1.0, 2.0])],
    "small": [pa.array([1, 2], pa.int8()), pa.array([1, None], pa.int8())],
    "items": [pa.array([[{"sku": "a"}], None]), pa.array([[], [{"sku": None}]])],
    "tags": [pa.array([["a", "b"], None]), pa.array([[], ["c"]])],
    "kind": [pa.array(["a", "b"]).dictionary_encode()],
    "at": [pa.array([1772442480000, None], pa.timestamp("ms", "UTC"))],
    "day": [pa.array([20000, None], pa.date32())],
    "bytes": [pa.array([b"a", b"\xff"])],
}


@pytest.mark.parametrize("name", TABLES)
def test_parquet_files_are_read_as_one_by_one(tmp_path, one_by_one, name):
    for number in range(7):
        values = TABLES[name][number % len(TABLES[name])]
        columns = {
            "event_name": pa.array(["A", "B"]),
            "timestamp": pa.array(["2026-03-02", None]),
            "alias.id": pa.array([f"u{number}", None]),
            f"properties.{name}": values,
        }
        pq.write_table(pa.table(columns), tmp_path / f"{number}.parquet")
    found, expected = ck.read_events(tmp_path), one_by_one(tmp_path)
    pd.testing.assert_frame_equal(found[expected.columns], expected)
    assert found["line"].tolist() == [1, 2] * 7


@pytest.mark.parametrize("name", ["ga4.jsonl", "segment.jsonl", "mixpanel.jsonl"])
def test_parquet_files_of_a_vendor(tmp_path, one_by_one, name):
    records = [json.loads(line) for line in (EXPORTS / name).read_text("utf-8").splitlines()]
    texts = [
        {key: json.dumps(value) if isinstance(value, (dict, list)) else value
         for key, value in record.items()}
        for record in records
    ]  # fmt: skip
    frame = pd.DataFrame(texts)
    for start in range(0, len(frame), 3):
        frame.iloc[start : start + 3].to_parquet(tmp_path / f"{start:03}.parquet", index=False)
    found, expected = ck.read_events(tmp_path), one_by_one(tmp_path)
    assert sorted(found) == sorted(expected)
    pd.testing.assert_frame_equal(found[expected.columns], expected)


def test_like_files_are_read_together(tmp_path, read_alone):
    frame = pd.DataFrame({"event_name": ["A"], "timestamp": ["2026-03-02"], "alias.id": ["a"]})
    for number in range(4):
        frame.to_csv(tmp_path / f"{number}.csv", index=False)
        frame.to_csv(tmp_path / f"{number}.tsv", index=False, sep="\t")
        frame.to_parquet(tmp_path / f"{number}.parquet", index=False)
    assert len(ck.read_events(tmp_path)) == 12
    assert read_alone == []


def test_amounts_are_told_by_file(tmp_path, one_by_one):
    for number, total in enumerate(["1.234,50", "12,00 €", "gratis"]):
        frame = pd.DataFrame({"event_name": ["A"], "timestamp": ["2026-03-02"], "alias.id": ["a"]})
        frame.assign(**{"properties.total": total}).to_csv(tmp_path / f"{number}.csv", index=False)
    found, expected = (read(tmp_path, amounts="de") for read in (ck.read_events, one_by_one))
    pd.testing.assert_frame_equal(found[expected.columns], expected)
    assert found["properties.total"].tolist() == [1234.5, 12.0, "gratis"]


def test_more_keys_than_one_file_may_have(tmp_path, one_by_one, monkeypatch):
    monkeypatch.setattr(reading, "MOST_COLUMNS", 12)
    for number in range(6):
        keys = {f"k{number}{letter}": letter for letter in "abcd"}
        row = {"event_name": "A", "timestamp": "2026-03-02", "aliases": [], "properties": keys}
        (tmp_path / f"{number}.jsonl").write_text(json.dumps(row))
    found, expected = ck.read_events(tmp_path), one_by_one(tmp_path)
    pd.testing.assert_frame_equal(found[expected.columns], expected)
    assert "read_error" not in found

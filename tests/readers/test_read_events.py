"""Reading exports: every format and compression, and every way a row can be broken."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import PurePath

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck

PIXEL = {
    "method": "track",
    "eventName": "Added To Cart",
    "eventID": "e1",
    "timestamp": "2026-03-02T10:00:00Z",
    "properties": {
        "price": 12.5,
        "items": [{"sku": "a", "tags": ["x"]}],
        "nested": {"a": {"b": 1}},
    },
    "profileProperties": {"utm_source": "newsletter"},
    "aliases": ["urn:cookie:7f3a"],
}
WEBHOOK = {
    "event_name": "Placed Order",
    "event_id": 9007199254740993,
    "timestamp": 1772445600,
    "properties": {"id": 9007199254740993, "price": "12.50"},
    "profile_properties": {"$email": "ada@example.com"},
    "aliases": ["urn:email:ada@example.com"],
}


def packed(content, compression):
    if compression == "gz":
        return gzip.compress(content)
    if compression == "zst":
        return pa.compress(content, codec="zstd", asbytes=True)
    return content


def write(path, content, compression=None):
    name = path.name + (f".{compression}" if compression else "")
    path = path.with_name(name)
    path.write_bytes(packed(content.encode() if isinstance(content, str) else content, compression))
    return path


@pytest.mark.parametrize("compression", [None, "gz", "zst"])
@pytest.mark.parametrize("form", ["jsonl", "json array"])
def test_json_in_both_spellings(tmp_path, form, compression):
    records = [PIXEL, WEBHOOK]
    if form == "jsonl":
        path = write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, records)), compression)
    else:
        path = write(tmp_path / "a.json", json.dumps(records, indent=1), compression)
    events = ck.read_events(path)
    assert events["event_name"].tolist() == ["Added To Cart", "Placed Order"]
    assert events["event_id"].tolist() == ["e1", 9007199254740993]
    assert events["properties.items"][0] == [{"sku": "a", "tags": ["x"]}]
    assert events["properties.nested"][0] == {"a": {"b": 1}}
    assert events["properties.price"].tolist() == [12.5, "12.50"]
    assert events["properties.id"].tolist() == [pd.NA, 9007199254740993]
    assert events["profile_properties.utm_source"].tolist()[0] == "newsletter"
    assert events["source"].tolist() == ["a", "a"]
    assert events["line"].tolist() == [1, 2]
    assert "read_error" not in events
    s = ck.stitch(events)
    assert s.events["event_id"].tolist() == ["e1", "9007199254740993"]


@pytest.mark.parametrize("compression", [None, "gz", "zst"])
@pytest.mark.parametrize(
    ("suffix", "separator"), [("csv", ","), ("tsv", "\t"), ("csv", ";"), ("csv", "\t")]
)
def test_csv(tmp_path, suffix, separator, compression):
    rows = [
        ["event_name", "timestamp", "aliases", "alias.phone", "properties.price", "properties.zip",
         "profile_properties.vip", "properties.items"],
        ["Placed Order", "2026-03-02", '["urn:email:a@x.org"]', "0032", "12.5", "01000", "true",
         '[{"sku": 1}]'],
        ["Placed Order", "2026-03-02", "", "", "3", "2000", "", ""],
    ]  # fmt: skip
    lines = [separator.join('"' + c.replace('"', '""') + '"' for c in row) for row in rows]
    events = ck.read_events(write(tmp_path / f"crm.{suffix}", "\r\n".join(lines), compression))
    assert events["alias.phone"].tolist()[0] == "0032"
    assert events["properties.price"].tolist() == [12.5, 3.0]
    assert events["properties.zip"].tolist() == ["01000", "2000"]
    assert events["profile_properties.vip"].tolist() == [True, pd.NA]
    assert events["properties.items"].tolist() == [[{"sku": 1}], None]
    assert events["line"].tolist() == [2, 3]
    aliases = ck.stitch(events).aliases
    assert set(aliases["alias_value"]) == {"a@x.org", "0032"}


def test_parquet_keeps_whole_numbers_and_nested_values(tmp_path):
    table = pa.table(
        {
            "event_name": ["A", "B"],
            "timestamp": pa.array([0, 1], type=pa.timestamp("ms", tz="UTC")),
            "aliases": [["urn:cookie:c"], None],
            "properties": [{"n": 9007199254740993, "l": [1, 2]}, None],
            "alias.customer_id": pa.array([9007199254740993, None], type=pa.int64()),
        }
    )
    pq.write_table(table, tmp_path / "warehouse.parquet")
    events = ck.read_events(tmp_path / "warehouse.parquet")
    assert events["aliases"].tolist() == [["urn:cookie:c"], None]
    assert events["properties.n"].tolist() == [9007199254740993, pd.NA]
    assert events["properties.l"].tolist() == [[1, 2], None]
    assert "9007199254740993" in set(ck.stitch(events).aliases["alias_value"])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"event_name": "A"', "not JSON: Expecting ',' delimiter at column 19"),
        (b"oops", "not JSON: Expecting value at column 1"),
        (b"7", "not a JSON object but a number"),
        (b"null", "not a JSON object but null"),
        (b"true", "not a JSON object but a boolean"),
        (b'"text"', "not a JSON object but text"),
        (b"[1]", "not a JSON object but a list"),
        (b'{"event_name": "\xff"}', "not UTF-8 at byte 16"),
        (b'{"a":' * 100_000, "not JSON: Unclosed brackets at column 500001"),
        (b'{"a":' * 500 + b"1" + b"}" * 500, "a: nested more than 100 levels deep"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "a: nested more than 100 levels deep"),
        (b'{"a": ' + b"1" * 5000 + b"}", "not JSON: Exceeds the limit (4300 digits)"),
    ],
)
def test_a_broken_line_is_kept_with_its_reason(tmp_path, line, reason):
    good = json.dumps(PIXEL).encode()
    path = write(tmp_path / "a.jsonl", b"\n".join([good, b"", line, good]))
    events = ck.read_events(path)
    assert events["line"].tolist() == [1, 3, 4]
    assert events["read_error"].isna().tolist() == [True, False, True]
    assert events["read_error"][1].startswith(reason)
    s = ck.stitch(events)
    assert s.rejected[["row", "file", "line"]].values.tolist() == [[1, "a.jsonl", 3]]
    assert s.rejected["reason"][0].startswith(reason)
    assert len(s.events) + len(s.duplicates) + len(s.rejected) == 3
    with pytest.raises(ck.ReadError, match="line 3"):
        ck.read_events(path, strict=True)


def test_a_broken_record_of_a_csv_is_kept_with_its_reason(tmp_path):
    content = (
        b"event_name,timestamp,alias.cookie\n"
        b'"A\nB",2026-03-02,c1\n'
        b"A,2026-03-02\n"
        b"A,2026-03-02,c1,extra\n"
        b"A,2026-03-02,\xff\xfe\n"
        b'A,2026-03-02,"c"x\n'
        b"C,2026-03-02,c2\n"
    )
    events = ck.read_events(write(tmp_path / "a.csv", content))
    assert events["line"].tolist() == [2, 4, 5, 6, 7, 8]
    assert events["event_name"].tolist()[0] == "A\nB"
    assert events["read_error"].tolist()[1:4] == [
        "expected 3 fields, found 2",
        "expected 3 fields, found 4",
        "not UTF-8. If a Windows program wrote it, give encoding='cp1252'",
    ]
    assert events["read_error"][4].startswith("not CSV")
    assert events["event_name"].tolist()[5] == "C"


def test_a_broken_element_of_an_array_is_kept_with_its_reason(tmp_path):
    path = write(tmp_path / "a.json", json.dumps([PIXEL, 3, None, WEBHOOK]))
    events = ck.read_events(path)
    assert events["line"].tolist() == [1, 2, 3, 4]
    assert events["read_error"].notna().tolist() == [False, True, True, False]


def test_files_that_cannot_be_read_at_all(tmp_path):
    cases = {
        "broken.json": (b"[{", "can only be read whole"),
        "broken.parquet": (b"PAR1 no", "cannot be read as Parquet"),
        "broken.jsonl": (b"a\nb\n", "no row can be read; line 1"),
        "events.xlsx": (b"", "suffix does not name a format.* Save the sheet as CSV"),
        "latin.csv": (
            "event_name,city\nA,Liège\n".encode("latin-1"),
            "line 2.*give encoding='cp1252'.*Save the file as UTF-8",
        ),
        "twice.csv": (b"a,a\n1,2\n", "names 'a' twice"),
    }
    for name, (content, message) in cases.items():
        with pytest.raises(ck.ReadError, match=message):
            ck.read_events(write(tmp_path / name, content))
    with pytest.raises(ck.ReadError, match="no file is named"):
        ck.read_events(tmp_path / "missing*.jsonl")
    with pytest.raises(ck.ReadError, match="name at least one file"):
        ck.read_events([])


def test_a_truncated_archive_keeps_what_came_before(tmp_path):
    lines = "\n".join(json.dumps(PIXEL | {"eventID": f"e{i}-{i**7}"}) for i in range(5000))
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(lines.encode())[:-2000])
    events = ck.read_events(path)
    assert 100 < len(events) < 5000
    assert events["read_error"].notna().sum() >= 1
    assert "damaged" in events["read_error"].iloc[-1]


def test_empty_files_have_no_rows(tmp_path):
    empty = [write(tmp_path / "a.jsonl", ""), write(tmp_path / "b.csv", "event_name,timestamp\n")]
    empty += [write(tmp_path / "c.json", "[]"), write(tmp_path / "d.jsonl", "\n\n")]
    events = ck.read_events(empty)
    assert len(events) == 0
    assert {"event_name", "timestamp", "source"} <= set(events)
    full = write(tmp_path / "e.jsonl", json.dumps(PIXEL))
    assert len(ck.read_events([*empty, full])) == 1


def test_a_file_of_several_names_is_read_once(tmp_path, monkeypatch):
    path = tmp_path / "monday.jsonl"
    path.write_text('{"eventName": "A", "timestamp": "2026-03-02", "aliases": ["urn:cookie:c"]}\n')
    (tmp_path / "today.jsonl").symlink_to(path)
    monkeypatch.chdir(tmp_path)
    from_above = f"../{tmp_path.name}/monday.jsonl"
    events = ck.read_events(["monday.jsonl", path, tmp_path / "*.jsonl", from_above])
    assert events["source"].tolist() == ["monday"]


def test_several_files_lose_no_type(tmp_path):
    one = {"event_name": "A", "timestamp": "2026-03-02", "aliases": ["urn:cookie:c"]}
    paths = [
        write(tmp_path / "a.jsonl", json.dumps(one | {"properties": {"n": 1, "b": True, "m": 1}})),
        write(tmp_path / "b.jsonl", json.dumps(one | {"source": "own", "properties": {"m": "x"}})),
    ]
    events = ck.read_events(paths)
    assert events["properties.n"].dtype == "Int64"
    assert events["properties.b"].dtype == "boolean"
    assert events["properties.m"].tolist() == [1, "x"]
    assert events["event_name"].dtype == "str"
    assert events["source"].tolist() == ["a", "own"]
    assert events["file"].tolist() == ["a.jsonl", "b.jsonl"]
    pd.testing.assert_frame_equal(events, ck.read_events(str(tmp_path / "*.jsonl")))


def test_own_column_names(tmp_path):
    own = write(tmp_path / "own.csv", "action,ts,uid\nA,2026-03-02,7\n")
    usual = write(tmp_path / "usual.jsonl", json.dumps(PIXEL))
    mapping = {"event_name": "action", "timestamp": "ts", "alias.customer_id": "uid"}
    events = ck.read_events([own, usual], columns=mapping)
    assert events["event_name"].tolist() == ["A", "Added To Cart"]
    with pytest.raises(ck.ColumnError, match=r"own\.csv: no event name column"):
        ck.read_events(own)
    with pytest.raises(ck.ColumnError, match="no file has a column 'uuid'"):
        ck.read_events([own, usual], columns=mapping | {"alias.user_id": "uuid"})


def test_own_names_inside_an_object_are_those_that_reading_gives(tmp_path):
    own = {"action": "A", "ts": "2026-03-02", "visitor": "v1", "properties": {"mail": "a@x.org"}}
    late = [json.dumps(own | {"properties": {}})] * 3 + [json.dumps(own)]
    mapping = {"event_name": "action", "timestamp": "ts", "alias.email": "properties.mail"}
    events = ck.read_events(write(tmp_path / "own.jsonl", "\n".join(late)), columns=mapping)
    assert events["alias.email"].tolist()[-1] == "a@x.org"
    assert "properties.mail" not in events
    usual = write(tmp_path / "usual.jsonl", json.dumps(PIXEL | {"properties": {"mail": "b@x.org"}}))
    found = ck.read_events(usual, columns={"alias.email": "properties.mail"})
    assert found["alias.email"].tolist() == ["b@x.org"]
    with pytest.raises(ck.ColumnError, match=r"no file has .*Did you mean 'properties\.mail'"):
        ck.read_events(usual, columns={"alias.email": "properties.mial"})


def test_marks_of_byte_order_and_constants_that_are_no_json(tmp_path):
    line = '\ufeff{"event_name": "A", "timestamp": "2026-03-02", "properties": {"x": NaN}}'
    events = ck.read_events(write(tmp_path / "a.jsonl", line))
    assert events["event_name"].tolist() == ["A"]
    assert events["properties.x"].isna().all()
    table = "\ufeffevent_name,timestamp\nA,2026-03-02\n"
    assert ck.read_events(write(tmp_path / "a.csv", table))["event_name"].tolist() == ["A"]


def test_half_an_emoji_costs_no_event(tmp_path):
    line = '{"event_name": "A", "timestamp": "2026-03-02", "aliases": ["urn:cookie:\\ud83d"]}'
    events = ck.read_events(write(tmp_path / "a.jsonl", line))
    assert len(ck.stitch(events).aliases) == 1


def test_a_progress_bar_on_request(tmp_path, capsys):
    path = write(tmp_path / "a.jsonl", json.dumps(PIXEL))
    ck.read_events(path)
    assert capsys.readouterr().err == ""
    ck.read_events(path, progress=True)
    assert "reading" in capsys.readouterr().err


@pytest.mark.parametrize("terminal", [True, False])
def test_a_progress_bar_for_large_files_in_a_terminal(tmp_path, capsys, monkeypatch, terminal):
    from convergekit.readers import reading

    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    path = write(tmp_path / "a.jsonl", json.dumps(PIXEL), "gz")
    ck.read_events(path)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(reading, "PROGRESS_FROM_BYTES", 1)
    ck.read_events(path)
    shown = capsys.readouterr().err
    assert ("100%" in shown) == terminal


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False, width=32),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.lists(json_values, min_size=1, max_size=6), st.booleans())
def test_any_property_value_comes_back_as_it_was(tmp_path_factory, values, as_array):
    records = [
        {"event_name": "A", "timestamp": "2026-03-02", "properties": {"x": value, "pad": 0}}
        for value in values
    ]
    path = tmp_path_factory.mktemp("any") / "a.json"
    lines = [json.dumps(record) for record in records]
    path.write_text("[" + ",".join(lines) + "]" if as_array else "\n".join(lines))
    found = ck.read_events(path)
    column = found["properties.x"] if "properties.x" in found else [None] * len(values)
    for value, cell in zip(values, column, strict=True):
        if value is None:
            assert cell is None or cell is pd.NA or np.isnan(cell)
        else:
            assert cell == value
            assert isinstance(cell, str) == isinstance(value, str)
            assert isinstance(cell, (bool, np.bool_)) == isinstance(value, bool)


def test_numbers_of_two_files_stay_numbers(tmp_path):
    one = {"event_name": "A", "timestamp": "2026-03-02", "event_id": "o", "aliases": []}
    paths = [
        write(tmp_path / "a.jsonl", json.dumps(one | {"properties": {"total_price": 10}})),
        write(tmp_path / "b.jsonl", json.dumps(one | {"properties": {"total_price": 9.5}})),
    ]
    events = ck.read_events(paths)
    assert events["properties.total_price"].dtype == "float64"
    assert any("another amount" in warning for warning in ck.stitch(events).report.warnings)


def test_identifiers_that_pandas_wrote_as_floats(tmp_path):
    path = write(tmp_path / "a.csv", "event_name,timestamp,alias.uid\nA,2026-03-02,123.0\n")
    assert ck.read_events(path)["alias.uid"].tolist() == ["123"]


def test_a_quote_that_is_never_closed_costs_one_line(tmp_path):
    lines = ["event_name,timestamp,alias.uid", "A,2026-03-02,1", '"B,2026-03-02,2']
    lines += [f"C,2026-03-02,{i}" for i in range(500)]
    events = ck.read_events(write(tmp_path / "a.csv", "\n".join(lines) + "\n"))
    assert len(events) == 502
    assert events["read_error"].notna().sum() == 1
    assert events["line"].tolist() == list(range(2, 504))
    long = f'A,2026-03-02,"{"x" * 200_000}"\n'
    assert "read_error" not in ck.read_events(write(tmp_path / "b.csv", lines[0] + "\n" + long))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("prénom,b\n1,2\n".encode("latin-1"), "not UTF-8"),
        ("event_name,timestamp\nA,1\n".encode("utf-16-le"), "UTF-16 without a byte-order mark"),
        (b"event_name,timestamp\rA,1\r", "carriage returns only"),
        (b'"event_name"x,timestamp\nA,1\n', "header cannot be read"),
        (b"event_name,\nA,1\n", "column 2 has values but no name"),
    ],
)
def test_csv_files_whose_header_cannot_be_read(tmp_path, content, message):
    with pytest.raises(ck.ReadError, match=message):
        ck.read_events(write(tmp_path / "a.csv", content))


def test_trailing_commas_are_no_columns(tmp_path):
    path = write(tmp_path / "a.csv", "event_name,timestamp,,\nA,2026-03-02,,\n")
    assert ck.read_events(path)["event_name"].tolist() == ["A"]


def test_own_columns_named_like_ours_become_properties(tmp_path):
    line = {"event_name": "A", "timestamp": "2026-03-02", "file": "f", "line": 3, "source": 1}
    path = write(tmp_path / "a.jsonl", json.dumps(line) + "\n" + json.dumps(PIXEL))
    events = ck.read_events(path)
    assert events["properties.file"].tolist()[0] == "f"
    assert events["properties.line"].tolist()[0] == 3
    assert events["line"].tolist() == [1, 2]
    assert events["source"].tolist() == ["1", "a"]


def test_a_list_on_the_first_line_is_one_bad_line(tmp_path):
    path = write(tmp_path / "a.jsonl", "[]\n" + json.dumps(PIXEL))
    events = ck.read_events(path)
    assert events["read_error"].notna().tolist() == [True, False]


def test_files_without_rows_stitch_to_nothing(tmp_path):
    s = ck.stitch(ck.read_events(write(tmp_path / "a.jsonl", "")))
    assert len(s.events) == 0


def test_a_file_costs_no_more_among_many(tmp_path, monkeypatch):
    for number in range(40):
        path = tmp_path / f"{number:02}.jsonl"
        path.write_text('{"eventName": "A", "timestamp": "2026-03-02", "properties": {"n": 1}}')
    asked = []
    name = PurePath.name.fget
    monkeypatch.setattr(PurePath, "name", property(lambda path: asked.append(path) or name(path)))
    few, many = ([], [])
    for pattern, found in (("0*", few), ("*", many)):
        asked.clear()
        events = ck.read_events(str(tmp_path / f"{pattern}.jsonl"))
        found += [len(events), len(asked) / len(events)]
    assert (few[0], many[0]) == (10, 40)
    assert many[1] <= few[1]


@pytest.mark.parametrize(
    ("first", "second", "dtype"),
    [
        (["a"], [None, "b"], "str"),
        ([None], [None], "object"),
        ([1], [2], "int64"),
        ([1], ["a"], "object"),
        ([1], [2.5], "float64"),
        ([2.5], [None], "float64"),
        ([True], [False], "bool"),
        ([True], [1], "object"),
        ([9007199254740993], [None], "Int64"),
    ],
)
def test_files_of_one_type_stay_of_it(tmp_path, first, second, dtype):
    for name, values in (("a", first), ("b", second)):
        rows = [
            {"eventName": "A", "timestamp": "2026-03-02", "properties": {"x": value}}
            for value in values
        ]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = ck.read_events(str(tmp_path / "*.jsonl"))["properties.x"]
    assert found.dtype == dtype
    assert [None if pd.isna(value) else value for value in found] == [*first, *second]

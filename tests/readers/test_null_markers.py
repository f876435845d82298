"""Null markers of CSV and TSV files: missing, counted, and without a say in a column's type."""

from __future__ import annotations

import csv

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from tests.effort import tries

MARKERS = ["NULL", "null", "None", "NaN", "nan", "<NA>", "#N/A", "(null)", "[NULL]", "<null>"]


def write(path, rows, delimiter=","):
    header = ["event_name", "timestamp", "alias.cookie", "alias.user_id", *rows[0]]
    cells = [
        [
            "PageView",
            f"2026-03-02 10:{place:02d}:00",
            "c1",
            "NULL" if place else "u1",
            *row.values(),
        ]
        for place, row in enumerate(rows)
    ]
    lines = [delimiter.join(map(str, line)) for line in (header, *cells)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def read_as_missing(s):
    """The report's remarks on null markers."""
    return {text: n for text, n in s.report.remarks.items() if text.endswith("read as missing")}


@pytest.mark.parametrize(("suffix", "delimiter"), [(".csv", ","), (".csv", ";"), (".tsv", "\t")])
@pytest.mark.parametrize("marker", ["\\N", *MARKERS])
def test_a_null_marker_is_missing_and_leaves_a_column_its_type(tmp_path, suffix, delimiter, marker):
    values = {
        "properties.total": ("12.50", "float64"),
        "properties.items": ("3", "Int64"),
        "properties.gift": ("true", "boolean"),
        "properties.coupon": ("SPRING", "str"),
        "profile_properties.utm_source": ("google", "str"),
    }
    rows = [{name: value for name, (value, _) in values.items()}, dict.fromkeys(values, marker)]
    events = ck.read_events(write(tmp_path / f"a{suffix}", rows, delimiter))
    for name, (_, dtype) in values.items():
        assert events[name].isna().tolist() == [False, True]
        assert events[name].dtype == dtype
    assert events["alias.user_id"].isna().tolist() == [False, True]
    s = ck.stitch(events)
    assert s.events["profile.utm_source"].tolist() == ["google", "google"]
    assert s.report.blocked.empty
    said = {f"{marker} in {name}: read as missing": 1 for name in values}
    told = {} if marker == "\\N" else said
    assert read_as_missing(s) == {"NULL in alias.user_id: read as missing": 1} | told


def test_the_marker_of_databases_in_quotes_is_text(tmp_path):
    cells = ['"\\N"', "\\N", '"a ""\\N"" b"', '"a,""\\N"",b"', '"\\N\n"', "\\Nora", '"x\n\\N"']
    path = write(tmp_path / "a.csv", [{"properties.note": cell} for cell in cells])
    found = ck.read_events(path)["properties.note"]
    kept = ["\\N", 'a "\\N" b', 'a,"\\N",b', "\\N\n", "\\Nora", "x\n\\N"]
    assert found.isna().tolist() == [False, True, *[False] * 5]
    assert found.dropna().tolist() == kept


def test_words_that_only_look_like_markers_are_text(tmp_path):
    cells = ["Null", "NONE", "NA", "N/A", "nullable", "none", "<na>", " NULL", "NULL.", "\\n"]
    path = write(tmp_path / "a.csv", [{"properties.note": cell} for cell in cells])
    events = ck.read_events(path)
    assert events["properties.note"].tolist() == cells
    assert events["read_nulls"].dropna().unique().tolist() == ["NULL in alias.user_id"]


def test_json_keeps_its_texts(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(
        '{"event_name": "A", "timestamp": "2026-03-02T10:00Z", "alias.cookie": "c1", '
        '"properties": {"a": "NULL", "b": "\\\\N"}}\n'
    )
    events = ck.read_events(path)
    assert events[["properties.a", "properties.b"]].values.tolist() == [["NULL", "\\N"]]
    assert "read_nulls" not in events


def test_markers_are_gone_before_a_vendors_format_is_read(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(
        "event_id,event,event_name,collector_tstamp,domain_userid,user_id,mkt_source,tr_total\n"
        "e1,page_view,page_view,2026-03-02 10:00:00,d-1,NULL,google,NULL\n"
        "e2,transaction,transaction,2026-03-02 10:05:00,d-1,NULL,NULL,12.50\n"
        "NULL,page_view,page_view,2026-03-02 10:06:00,d-2,NULL,\\N,\\N\n"
        "NULL,page_view,page_view,2026-03-02 10:07:00,d-3,NULL,\\N,\\N\n"
    )
    s = ck.stitch(ck.read_events(path))
    assert (len(s.events), len(s.profiles)) == (4, 3)
    assert s.events["profile.utm_source"].fillna("").tolist() == ["google", "google", "", ""]
    assert s.events["properties.tr_total"].dtype == "float64"
    assert read_as_missing(s) == {
        "NULL in event_id: read as missing": 2,
        "NULL in mkt_source: read as missing": 1,
        "NULL in tr_total: read as missing": 1,
        "NULL in user_id: read as missing": 4,
    }
    assert s.report.blocked.empty


def test_a_column_of_markers_alone_says_nothing_beside_other_files(tmp_path):
    first = write(tmp_path / "a.csv", [{"properties.total": "NULL"}])
    second = write(tmp_path / "b.csv", [{"properties.total": "12.50"}, {"properties.total": "7"}])
    events = ck.read_events([first, second])
    assert events["properties.total"].dtype == "float64"
    assert events["properties.total"].isna().tolist() == [True, False, False]


def test_a_store_counts_what_its_files_had(tmp_path):
    pytest.importorskip("duckdb")
    paths = [
        write(tmp_path / f"{name}.csv", [{"properties.total": total}, {"properties.total": "1"}])
        for name, total in (("a", "NaN"), ("b", "2"))
    ]
    store = ck.open_store(tmp_path / "store")
    for path in paths:
        store.add(ck.read_events(path))
    at_once = ck.stitch(ck.read_events(paths))
    assert store.stitched().report.remarks == at_once.report.remarks
    assert at_once.report.remarks["NaN in properties.total: read as missing"] == 1
    assert at_once.report.remarks["NULL in alias.user_id: read as missing"] == 2


def test_a_column_of_the_name_is_a_property(tmp_path):
    path = write(tmp_path / "a.csv", [{"read_nulls": "mine"}, {"read_nulls": "too"}])
    events = ck.read_events(path)
    assert events["properties.read_nulls"].tolist() == ["mine", "too"]
    assert events["read_nulls"].tolist()[1] == "NULL in alias.user_id"


cells = st.sampled_from(["", "\\N", *MARKERS, "Null", "a,b", 'a"b', "x\ny", "12", "3.50"])


@tries(60)
@given(st.lists(st.tuples(cells, cells, st.booleans()), min_size=1, max_size=8))
def test_any_file_reads_as_the_slow_definition_has_it(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("nulls") / "a.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write("event_name,timestamp,alias.cookie,properties.one,properties.other\n")
        for one, other, quoted in rows:
            how = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
            csv.writer(file, quoting=how, lineterminator="\n").writerow(
                ["A", "2026-03-02 10:00:00", "c1", one, other]
            )
    events = ck.read_events(path)
    for place, name in enumerate(("properties.one", "properties.other")):
        expected = [
            None if cell in ("", *MARKERS) or (cell == "\\N" and not quoted) else cell
            for *both, quoted in rows
            for cell in [both[place]]
        ]
        known = [cell for cell in expected if cell is not None]
        found = [None if pd.isna(cell) else cell for cell in events[name]]
        if known and all(cell in ("12", "3.50") for cell in known):
            expected = [None if cell is None else float(cell) for cell in expected]
        assert found == expected
    counts = {
        f"{marker} in {name}: read as missing": sum(row[place] == marker for row in rows)
        for place, name in enumerate(("properties.one", "properties.other"))
        for marker in MARKERS
    }
    remarks = ck.stitch(events).report.remarks
    said = {text: count for text, count in remarks.items() if text.endswith("read as missing")}
    assert said == {text: count for text, count in counts.items() if count}

"""The report as a workbook: what Excel reads is what the calls gave, and nothing is computed."""

from __future__ import annotations

import datetime
import sys

import pandas as pd
import pytest

import convergekit as ck

pytest.importorskip("xlsxwriter", reason="needs the extra excel")
openpyxl = pytest.importorskip("openpyxl", reason="needs openpyxl: pip install --group dev")

STEPS = ["PageView", "Added To Cart", "Placed Order"]
FORMULAS = ("=1+1", "+1+cmd", "-2+3", "@SUM(A1)", "=HYPERLINK(A1)", "https://shop.example/a")


@pytest.fixture(scope="module")
def store():
    return ck.simulate_store(spend=True)


@pytest.fixture(scope="module")
def s(store):
    return ck.stitch(store.events)


@pytest.fixture(scope="module")
def path(s, store, tmp_path_factory):
    return s.to_excel(tmp_path_factory.mktemp("report") / "report.xlsx", spend=store.spend)


def read(path):
    return openpyxl.load_workbook(path)


def column(sheet, name):
    heads = [cell.value for cell in sheet[1]]
    return [row[heads.index(name)] for row in sheet.iter_rows(min_row=2)]


def values(sheet, name):
    return [cell.value for cell in column(sheet, name)]


def test_numbers_are_numbers_and_those_of_the_calls(path, s, store):
    book = read(path)
    funnel = s.funnel(STEPS, within="7D").table
    sheet = book["Funnel"]
    assert values(sheet, "event") == funnel["event_name"].tolist()
    assert values(sheet, "profiles") == funnel["profiles"].tolist()
    shares = column(sheet, "of the first step")
    assert [cell.value for cell in shares] == pytest.approx(funnel["conversion"].tolist())
    assert {cell.number_format for cell in shares} == {"0.0%"}
    waits = column(sheet, "median time")[1:]
    assert {cell.number_format for cell in waits} == {"[h]:mm:ss"}
    assert waits[0].value.total_seconds() == pytest.approx(
        funnel["median_time"][1].total_seconds(), abs=1
    )
    credit = s.attribution("Placed Order", "total_price").table
    assert values(book["Channels"], "value") == pytest.approx(credit["value"].tolist())
    groups = s.marketing(store.spend).groups
    assert values(book["Spend"], "spend") == pytest.approx(groups["spend"].tolist())
    # What is missing is an empty cell, and no zero.
    missing = groups["roas"].isna()
    roas = pd.Series(values(book["Spend"], "ROAS"), dtype=object)
    assert roas.isna().tolist() == missing.tolist()


def test_the_first_sheets_say_what_there_is_and_what_to_know(path, s):
    book = read(path)
    assert book.sheetnames[:2] == ["Contents", "Caveats"]
    assert values(book["Contents"], "sheet") == book.sheetnames[2:]
    calls = dict(
        zip(values(book["Contents"], "sheet"), values(book["Contents"], "call"), strict=True)
    )
    assert calls["Trend"].endswith(".trend('W')")
    said = dict(
        zip(values(book["Caveats"], "about"), values(book["Caveats"], "what to know"), strict=False)
    )
    assert said["Calendar"] == "UTC, weeks from Monday"
    assert said["duplicates"] == "7 identical, 4 other source"
    assert said["without a usable alias"] == str(s.report.links_nobody)


def test_sheets_are_laid_out_to_be_read(path):
    for sheet in read(path):
        assert sheet.freeze_panes == "A2", sheet.title
        assert all(cell.font.bold for cell in sheet[1])
        widths = [sheet.column_dimensions[cell.column_letter].width for cell in sheet[1]]
        assert all(8 <= width <= 61 for width in widths)


def test_texts_that_look_like_formulas_stay_text(tmp_path):
    events = ck.simulate_store().events
    names = dict(zip(STEPS, FORMULAS, strict=False))
    events["event_name"] = events["event_name"].replace(names)
    s = ck.stitch(events)
    table = pd.DataFrame(dict.fromkeys(("text", *FORMULAS[:4]), FORMULAS))
    questions = {"=cmd|' /C calc'!A0": table, "Funnel": "funnel", "The data": "report"}
    path = s.to_excel(tmp_path / "r.xlsx", questions, steps=list(FORMULAS[:3]))
    book = read(path)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "b", "d", "inlineStr"}
    assert all(cell.hyperlink is None for cell in cells)
    (sheet,) = [one for one in book if one["A1"].value == "text"]
    assert values(sheet, "text") == list(FORMULAS)
    assert [cell.value for cell in sheet[1]] == ["text", *FORMULAS[:4]]


def test_headings_of_times_name_their_zone(s, tmp_path):
    table = pd.DataFrame(
        {
            "seen": pd.to_datetime(["2026-03-02T10:00:05Z", None]).tz_convert("Europe/Brussels"),
            "long_ago": pd.to_datetime(["1850-01-01", "2026-03-02"]),
            "large": [2**60, 1],
            "odd": [float("inf"), 1.5],
            "is_new": [True, False],
        }
    )
    sheet = read(s.to_excel(tmp_path / "r.xlsx", {"T": table}))["T"]
    assert [cell.value for cell in sheet[1]] == [
        "seen (Europe/Brussels)", "long ago", "large", "odd", "is new"
    ]  # fmt: skip
    assert [cell.value for cell in sheet[2]] == [
        datetime.datetime(2026, 3, 2, 11, 0, 5), "1850-01-01", f"{2**60:,}", "inf", True
    ]  # fmt: skip
    assert sheet["A2"].number_format == "yyyy-mm-dd hh:mm:ss"
    assert sheet["A3"].value is None


def test_sheets_have_names_that_excel_takes(s, tmp_path):
    names = ["a/b:c?*[d]\\", "History", "A" * 40, "A" * 41, "'quoted'", "contents", "//"]
    table = pd.DataFrame({"n": [1]})
    book = read(s.to_excel(tmp_path / "r.xlsx", dict.fromkeys(names, table)))
    assert book.sheetnames[2:] == [
        *("a b c d", "History 2", "A" * 31, f"{'A' * 29} 2", "quoted", "contents 2", "Sheet")
    ]


def test_a_table_that_no_sheet_holds_is_refused_before_anything_is_written(s, tmp_path):
    table = pd.DataFrame({"n": range(1_048_576)})
    with pytest.raises(ck.ConvergekitError, match=r"1,048,576 rows.*1,048,575 rows below"):
        s.to_excel(tmp_path / "r.xlsx", {"Large": table})
    assert list(tmp_path.iterdir()) == []


def test_a_workbook_has_all_rows_where_a_page_has_the_first(s, tmp_path):
    table = pd.DataFrame({"n": range(250)})
    sheet = read(s.to_excel(tmp_path / "r.xlsx", {"Rows": table}))["Rows"]
    assert sheet.max_row == 251
    page = s.to_html(tmp_path / "r.html", {"Rows": table}).read_text("utf-8")
    assert "50 more rows not shown" in page


def test_the_same_events_give_the_same_bytes(path, s, store, tmp_path):
    again = s.to_excel(tmp_path / "again.xlsx", spend=store.spend)
    assert again.read_bytes() == path.read_bytes()


def test_without_xlsxwriter_the_extra_is_named(s, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(ck.ConvergekitError, match=r"pip install 'convergekit\[excel\]'"):
        s.to_excel(tmp_path / "r.xlsx", ["report"])
    assert list(tmp_path.iterdir()) == []

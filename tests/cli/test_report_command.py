"""``convergekit report``: one file, of the kind that its name says."""

from __future__ import annotations

from pathlib import Path

import pytest

import convergekit as ck
from tests.cli.test_cli import DATA, run  # noqa: F401 - a fixture
from tests.report.pages import Page

SPEND = str(Path(DATA[0]).parent / "spend")


@pytest.fixture(scope="module")
def s():
    return ck.stitch(ck.read_events(DATA))


def test_a_report_is_that_of_the_library(run, s, tmp_path):  # noqa: F811
    out = tmp_path / "report.html"
    done = run("report", *DATA, "--spend", SPEND, "--out", out)
    assert done.returncode == 0, done.stderr
    assert f"Wrote {out}." in done.stdout.replace("\n", "")
    expected = s.to_html(tmp_path / "expected.html", spend=ck.read_spend(SPEND))
    assert out.read_bytes() == expected.read_bytes()


def test_sections_steps_window_and_breakdown_can_be_chosen(run, s, tmp_path):  # noqa: F811
    out = tmp_path / "report.md"
    asked = (
        "--step",
        "Added To Cart",
        "--step",
        "Placed Order",
        "--within",
        "1D",
        "--by",
        "source",
    )
    done = run("report", *DATA, "--out", out, *asked, "--question", "trend", "--question", "funnel")
    assert done.returncode == 0, done.stderr
    expected = s.to_markdown(
        tmp_path / "expected.md", ["trend", "funnel"],
        steps=["Added To Cart", "Placed Order"], within="1D", by="source",
    )  # fmt: skip
    assert out.read_bytes() == expected.read_bytes()


def test_a_workbook_is_written_where_the_name_says_so(run, tmp_path):  # noqa: F811
    openpyxl = pytest.importorskip("openpyxl")
    pytest.importorskip("xlsxwriter")
    out = tmp_path / "report.xlsx"
    done = run("report", *DATA, "--out", out, "--question", "funnel")
    assert done.returncode == 0, done.stderr
    assert "Funnel" in openpyxl.load_workbook(out).sheetnames


def test_an_earlier_file_stays_unless_forced(run, tmp_path):  # noqa: F811
    out = tmp_path / "report.html"
    out.write_text("kept")
    done = run("report", *DATA, "--out", out)
    assert done.returncode == 1
    assert "is there already; give another --out, or --force to overwrite." in done.stderr
    assert out.read_text() == "kept"
    done = run("report", *DATA, "--out", out, "--force", "--question", "suspects")
    assert done.returncode == 0, done.stderr
    assert Page(out.read_text("utf-8")).texts("h2") == ["Suspects"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--out", "report.pdf"], "--out must end in .html, .xlsx or .md"),
        (["--out", "."], "--out must end in"),
        (["--out", "r.html", "--within", "soon"], "--within must be a positive duration"),
        (["--out", "r.html", "--question", "funel"], "--question must be one of 'report'"),
        (["--out", "r.html", "--question", "spend"], "give --spend FILE"),
        (["--out", "nowhere/r.html", "--question", "suspects"], "no such file or directory"),
    ],
)
def test_what_cannot_be_done_is_said_in_the_words_of_the_command(
    run, arguments, said, tmp_path, monkeypatch  # noqa: F811
):  # fmt: skip
    monkeypatch.chdir(tmp_path)
    done = run("report", *DATA, *arguments)
    assert done.returncode == 1
    assert said in " ".join(done.stderr.split())
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_read_is_not_written_over(run, tmp_path):  # noqa: F811
    export = tmp_path / "events.html"
    export.write_text(Path(DATA[0]).read_text("utf-8"), "utf-8")
    before = export.read_bytes()
    done = run("report", export, "--out", export, "--force")
    assert done.returncode == 1
    assert "is one of the files to be read" in " ".join(done.stderr.split())
    assert export.read_bytes() == before

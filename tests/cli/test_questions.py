"""Commands that ask a question: they print, and write, what a notebook gets."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import convergekit as ck
from tests.cli.test_cli import DATA, run  # noqa: F401 - a fixture

STEPS = ("--step", "PageView", "--step", "Added To Cart", "--step", "Placed Order")


@pytest.fixture(scope="module")
def s():
    """Return the exports as a notebook stitches them."""
    return ck.stitch(ck.read_events(DATA))


ASKED = {
    "funnel": (["funnel", *DATA, *STEPS], lambda s: s.funnel(list(STEPS[1::2]), within="7D").table),
    "breakdown": (
        ["funnel", *DATA, *STEPS, "--by", "utm_source", "--top", "2", "--within", "3D"],
        lambda s: s.funnel(list(STEPS[1::2]), within="3D", by="utm_source", top=2).table,
    ),
    "trend": (
        ["funnel", *DATA, *STEPS, "--freq", "W", "--calendar", "America/New_York"],
        lambda s: (
            ck.stitch(ck.read_events(DATA), calendar="America/New_York")
            .funnel(list(STEPS[1::2]), within="7D", freq="W")
            .trend()
        ),
    ),
    "retention": (
        ["retention", *DATA, "--returns", "Placed Order", "--by", "utm_source"],
        lambda s: s.retention("PageView", "Placed Order", by="utm_source").table,
    ),
    "sessions": (["sessions", *DATA, "--timeout", "1h"], lambda s: s.sessions("1h")),
    "attribution": (
        ["attribution", *DATA, "--value", "total_price", "--model", "linear", "--model", "markov"],
        lambda s: s.attribution("Placed Order", "total_price", ["linear", "markov"]).table,
    ),
    "why": (
        [
            "why",
            *DATA,
            "--first",
            "2026-03-02..2026-03-15",
            "--second",
            "2026-03-16..2026-03-29",
            "--number",
            "orders",
            *STEPS,
        ],
        lambda s: (
            s.why(
                ("2026-03-02", "2026-03-15"),
                ("2026-03-16", "2026-03-29"),
                number="orders",
                steps=list(STEPS[1::2]),
            ).table
        ),
    ),
    "customers": (
        ["customers", *DATA, "--freq", "W"],
        lambda s: s.customers().new_and_returning("W"),
    ),
}


@pytest.mark.parametrize("name", ASKED)
def test_a_command_writes_the_table_of_the_notebook(run, s, tmp_path, name):  # noqa: F811
    arguments, ask = ASKED[name]
    out = tmp_path / "table.parquet"
    done = run(*arguments, "--out", out)
    assert done.returncode == 0, done.stderr
    expected = pd.DataFrame(ask(s))
    found = pd.read_parquet(out)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    assert f"Wrote {out}." in done.stdout.replace("\n", "")


@pytest.mark.parametrize("name", ASKED)
def test_csv_and_json_hold_the_same_rows_and_nothing_else(run, s, name):  # noqa: F811
    arguments, ask = ASKED[name]
    expected = pd.DataFrame(ask(s))
    as_csv, as_json = (run(*arguments, "--format", form) for form in ("csv", "json"))
    from_csv = pd.read_csv(io.StringIO(as_csv.stdout))
    rows = json.loads(as_json.stdout)
    assert len(from_csv) == len(rows) == len(expected)
    assert "Stitched(" in as_csv.stderr
    durations = set(expected.select_dtypes("timedelta").columns)
    assert (
        {*from_csv.columns}
        == {*rows[0]}
        == {f"{column}_seconds" if column in durations else column for column in expected.columns}
    )
    for column in expected.select_dtypes("number", exclude="timedelta"):
        assert from_csv[column].tolist() == pytest.approx(expected[column].tolist(), nan_ok=True)
    for column in durations:
        seconds = expected[column].dt.total_seconds().tolist()
        assert from_csv[f"{column}_seconds"].tolist() == pytest.approx(seconds, nan_ok=True)


def test_a_table_says_what_its_numbers_are(run):  # noqa: F811
    done = run("funnel", *DATA, *STEPS)
    lines = done.stdout.splitlines()
    assert "Funnel within 7 days" in lines
    order = next(line for line in lines if line.startswith("3"))
    assert order.split()[:6] == ["3", "Placed", "Order", "18", "30.0%", "60.0%"]
    assert "18 of 60 profiles reached Placed Order, 30.0%." in lines
    assert "of first, of prior: as a share of the profiles" in done.stdout
    missing = run("funnel", *DATA, *STEPS, "--by", "utm_source")
    assert "(none)" in missing.stdout


def test_numbers_are_whole_in_a_narrow_terminal(run, monkeypatch):  # noqa: F811
    monkeypatch.setenv("COLUMNS", "40")
    done = run("customers", *DATA, "--freq", "W")
    assert "548.00" in done.stdout
    assert "2026-03-09" in done.stdout


def piped(*arguments, given, columns="100"):
    """Run a command in a process of its own, and pipe something into it."""
    return subprocess.run(
        [sys.executable, "-m", "convergekit.cli", *map(str, arguments)],
        input=given,
        capture_output=True,
        env={"COLUMNS": columns, "NO_COLOR": "1", "PATH": os.environ.get("PATH", "")},
        check=False,
    )


def test_what_is_piped_in_is_read_as_the_file_is(run):  # noqa: F811
    files = {Path(path).suffix: path for path in DATA}
    for suffix in (".jsonl", ".csv", ".json"):
        path = files[suffix]
        by_name = run("retention", path, "--format", "csv").stdout
        by_pipe = piped("retention", "-", "--format", "csv", given=Path(path).read_bytes())
        assert by_pipe.stdout.decode().replace("\r\n", "\n") == by_name, suffix


def test_parquet_and_packed_files_are_piped_in_too(tmp_path, run):  # noqa: F811
    import gzip

    events = ck.simulate_store(people=10, seed=1).events
    events.to_parquet(tmp_path / "events.parquet", index=False)
    expected = run("sessions", tmp_path / "events.parquet", "--format", "csv").stdout
    done = piped(
        "sessions", "-", "--format", "csv", given=(tmp_path / "events.parquet").read_bytes()
    )
    assert done.stdout.decode().replace("\r\n", "\n") == expected
    path = next(path for path in DATA if path.endswith(".jsonl"))
    packed = gzip.compress(Path(path).read_bytes())
    done = piped("sessions", "-", "--format", "csv", given=packed)
    assert done.stdout.decode().replace("\r\n", "\n") == run(
        "sessions", path, "--format", "csv"
    ).stdout  # fmt: skip


def test_nothing_piped_in_is_said(run):  # noqa: F811
    done = piped("sessions", "-", given=b"")
    assert done.returncode == 1
    assert b"which is empty" in done.stderr
    twice = run("sessions", "-", "-")
    assert "name it once" in twice.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["funnel", *DATA, *STEPS, "--out", "table.txt"], "--out must end in .csv, .json or"),
        (["funnel", *DATA, *STEPS, "--force"], "--force needs --out too"),
        (["funnel", *DATA, *STEPS, "--freq", "fortnight"], "freq"),
        (["retention", *DATA, "--freq", "fortnight"], "--freq must"),
        (["attribution", *DATA, "--model", "best"], "--model must"),
        (["attribution", *DATA, "--lookback", "-1D"], "--lookback must"),
        (["sessions", *DATA, "--timeout", "-1D"], "--timeout must"),
        (["customers", *DATA, "--value", "nothing"], "nothing"),
        (["funnel", *DATA, *STEPS, "--top", "0", "--by", "utm_source"], "--top must"),
    ],
)
def test_bad_input_is_one_line_in_the_words_of_the_command(run, arguments, said):  # noqa: F811
    done = run(*arguments)
    assert done.returncode == 1
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_file_is_not_overwritten_unless_that_is_said(run, tmp_path):  # noqa: F811
    out = tmp_path / "table.csv"
    out.write_text("mine")
    done = run("sessions", *DATA, "--out", out)
    assert "is there already" in " ".join(done.stderr.split())
    assert out.read_text() == "mine"
    assert run("sessions", *DATA, "--out", out, "--force").returncode == 0
    assert out.read_text().startswith("session_id,")


#: The command is called as its script is: completion goes by its name.
_COMMAND = "import sys; sys.argv[0] = 'convergekit'; from convergekit.cli import main; main()"


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_shells_complete_commands(shell):
    words = {
        "bash": {"COMP_WORDS": "convergekit at", "COMP_CWORD": "1"},
        "zsh": {"_TYPER_COMPLETE_ARGS": "convergekit at"},
    }[shell]
    done = subprocess.run(
        [sys.executable, "-c", _COMMAND],
        capture_output=True,
        text=True,
        env={
            "_CONVERGEKIT_COMPLETE": f"complete_{shell}",
            "PATH": os.environ.get("PATH", ""),
            **words,
        },
        check=False,
    )
    assert "attribution" in done.stdout, done.stderr


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("2026-03-02", "2026-03-09..2026-03-15", "--first must be the first and the last day"),
        ("2026-03-08..2026-03-02", "2026-03-09..2026-03-15", "--first ends before it begins"),
        ("2026-03-02..2026-03-08", "soon..2026-03-15", "the start of --second must be a date"),
        ("2026-03-02..2026-03-08", "2026-03-08..2026-03-15", "the periods overlap"),
    ],
)
def test_periods_that_are_wrong_are_answered_as_typed(run, first, second, said):  # noqa: F811
    done = run("why", *DATA, "--first", first, "--second", second)
    assert done.returncode == 1
    assert said in done.stderr

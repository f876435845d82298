"""`--workdir` and `--memory`: the commands say by parts what they say in memory."""

from __future__ import annotations

import pandas as pd
import pytest

import convergekit as ck
from tests.cli.test_cli import run  # noqa: F401 - a fixture


@pytest.fixture
def exports(tmp_path):
    """Two Parquet files of a store."""
    events = ck.simulate_store(people=25, seed=2).events
    for number, part in enumerate((events[:60], events[60:])):
        part.to_parquet(tmp_path / f"events-{number}.parquet", index=False)
    return str(tmp_path / "events-*.parquet")


def after_the_first_line(text):
    """Return what is printed after how many there are of each, in how many parts."""
    return text.partition("\n")[2]


def test_a_funnel_by_parts_is_that_of_memory(run, exports, tmp_path):  # noqa: F811
    asked = ["funnel", exports, "--step", "PageView", "--step", "Added To Cart"]
    expected = run(*asked)
    for options in (["--workdir", str(tmp_path / "run")], ["--memory", "1GB"]):
        found = run(*asked, *options)
        assert "StitchedParts(" in found.stdout
        assert after_the_first_line(found.stdout) == after_the_first_line(expected.stdout)
    assert (tmp_path / "run" / "parts.json").exists()


def test_tables_and_a_report_are_written(run, exports, tmp_path):  # noqa: F811
    workdir = ["--workdir", str(tmp_path / "run")]
    run("stitch", exports, "--out", str(tmp_path / "tables"), *workdir)
    found = ck.read_stitched(tmp_path / "tables")
    pd.testing.assert_frame_equal(found.profiles, ck.stitch(ck.read_events(exports)).profiles)
    out = tmp_path / "report.md"
    # The run is there, and is gone on with.
    run("report", exports, "--out", str(out), "--question", "funnel", *workdir)
    assert "s.funnel(" in out.read_text("utf-8")


def test_a_check_by_parts_is_that_of_memory(run, tmp_path):  # noqa: F811
    events = ck.simulate_store(people=25, seed=2).events
    events.loc[events["event_name"] == "Placed Order", "event_id"] = None
    # Under a name of its own, for --column to say.
    events = events.rename(columns={"event_name": "what"})
    for number, part in enumerate((events[:60], events[60:])):
        part.to_parquet(tmp_path / f"events-{number}.parquet", index=False)
    exports = str(tmp_path / "events-*.parquet")
    asked = ["check", exports, "--column", "event_name=what", "--format", "json"]
    expected = run(*asked)
    assert expected.returncode == 1
    for options in (["--workdir", str(tmp_path / "run")], ["--memory", "1GB"]):
        found = run(*asked, *options)
        assert (found.returncode, found.stdout) == (1, expected.stdout)
    found = run(*asked, "--memory", "much")
    assert found.returncode == 2
    assert "memory must be a size" in " ".join(found.stderr.split())


def test_what_is_not_by_parts_is_said_in_the_words_of_the_command(run, exports, tmp_path):  # noqa: F811
    out = ["--out", str(tmp_path / "tables")]
    for options, said in (
        (["--format", "csv"], "--format csv: not with --workdir or --memory yet"),
        (["--encoding", "cp1252"], "--encoding: not with --workdir or --memory yet"),
        (["--read-as", "ga4"], "--read-as: not with --workdir or --memory yet"),
    ):
        found = run("stitch", exports, *out, "--memory", "1GB", *options)
        assert (found.returncode, said in " ".join(found.stderr.split())) == (1, True)
    found = run("stitch", exports, *out, "--memory", "much")
    assert "memory must be a size" in " ".join(found.stderr.split())
    assert not (tmp_path / "tables").exists()

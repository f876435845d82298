"""The recipe for cron: the script is run as cron runs it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

import convergekit as ck
from tests.recipes.nights import FIRST, RECIPES, ROOT, SECOND, shop, stitched, without_aliases

pytest.importorskip("duckdb")
pytest.importorskip("statsmodels")
pytestmark = pytest.mark.skipif(
    shutil.which("flock") is None, reason="needs flock, which Linux has"
)
SCRIPT = RECIPES / "cron" / "nightly.sh"


@pytest.fixture
def nightly(tmp_path):
    """Return a function that runs the script for a day."""
    settings = shop(tmp_path)
    program = tmp_path / "convergekit"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m convergekit.cli "$@"\n')
    program.chmod(0o755)

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        # cron gives a program next to nothing.
        env = {"PATH": os.defpath, "CONVERGEKIT": str(program), "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            [SCRIPT, *arguments],
            cwd="/",
            env={**env, **settings, **more},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def pretended(tmp_path):
    """Return a function that makes a program whose commands end with the exit codes given."""

    def program(**codes: int) -> dict[str, str]:
        path = tmp_path / "pretended"
        cases = "".join(f"  {name}) exit {code};;\n" for name, code in codes.items())
        path.write_text(f'#!/bin/sh\necho "$@"\ncase $1 in\n{cases}esac\n')
        path.chmod(0o755)
        return {"CONVERGEKIT": str(path)}

    return program


@pytest.mark.slow
def test_a_night_is_stitched_and_a_bad_one_is_printed_and_not_added(nightly, tmp_path):
    first = nightly(FIRST)
    assert (first.returncode, first.stdout, first.stderr) == (0, "", "")
    without_aliases(tmp_path, SECOND)
    bad = nightly(SECOND)
    assert (bad.returncode, bad.stderr) == (1, "")
    assert "[conversion-without-alias]" in bad.stdout
    (tmp_path / "exports" / SECOND / "events.parquet").unlink()
    expected = stitched(tmp_path)
    found = ck.open_store(tmp_path / "store").stitched()
    assert list(found.events["profile_id"]) == list(expected.events["profile_id"])
    missing = nightly("../$(touch run)")
    assert (missing.returncode, missing.stderr) == (2, "")
    assert "error: no file is named" in missing.stdout


@pytest.mark.parametrize(
    ("codes", "code", "said"),
    [
        ({}, 0, ""),
        ({"check": 1}, 1, "check {day}/* --fail-on high\n"),
        ({"check": 2}, 2, "check {day}/* --fail-on high\n"),
        ({"add": 1}, 2, "add {day}/* --store {store}\n"),
        ({"watch": 1}, 1, "watch {numbers} --store {store} --until 2026-02-01\n"),
        ({"watch": 2}, 2, "watch {numbers} --store {store} --until 2026-02-01\n"),
    ],
)
def test_the_first_command_that_fails_is_the_last_and_its_words_are_printed(
    nightly, pretended, tmp_path, codes, code, said
):
    done = nightly("2026-02-01", **pretended(**codes))
    paths = {"day": "exports/2026-02-01", "store": "store", "numbers": "numbers.toml"}
    named = {name: tmp_path / path for name, path in paths.items()}
    assert (done.returncode, done.stdout, done.stderr) == (code, said.format(**named), "")


def test_one_night_at_a_time(nightly, tmp_path):
    fcntl = pytest.importorskip("fcntl")
    with (tmp_path / "store.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = nightly(FIRST)
    assert (done.returncode, done.stderr) == (75, "")
    assert done.stdout.startswith("Another night is still running: ")
    assert not (tmp_path / "store").exists()


def test_the_day_is_yesterday_if_none_is_named(nightly, pretended):
    before = datetime.now(UTC).date()
    done = nightly(**pretended(check=2))
    asked = date.fromisoformat(Path(done.stdout.split()[1]).parent.name)
    # Midnight may come in between.
    assert asked + timedelta(days=1) in {before, datetime.now(UTC).date()}


def test_the_table_of_cron_and_the_units_of_systemd_are_well_formed():
    lines = (RECIPES / "cron" / "crontab").read_text("utf-8").splitlines()
    entries = [line for line in lines if not re.match(r"#|\w+=", line)]
    assert len(entries) == 1
    fields = entries[0].split()
    assert len(fields) == 6
    assert fields[-1] == "/opt/convergekit/nightly.sh"
    assert os.access(SCRIPT, os.X_OK)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd")
def test_systemd_takes_the_units(tmp_path):
    for name in ("convergekit.service", "convergekit.timer"):
        text = (RECIPES / "cron" / name).read_text("utf-8")
        # What is started has to be there.
        (tmp_path / name).write_text(text.replace("/opt/convergekit/nightly.sh", str(SCRIPT)))
    done = subprocess.run(
        ["systemd-analyze", "verify", *tmp_path.iterdir()],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")

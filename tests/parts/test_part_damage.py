"""A run on a full disk, and a workdir whose files were lost or cut: told, or as in memory."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import convergekit as ck
from convergekit.identity.options import StitchOptions
from convergekit.parts import stitching
from convergekit.parts.stitching import stitched_by_parts
from tests.parts.kill import kill_at_random
from tests.parts.parts_cases import check_tables
from tests.writers.file_faults import failing

ROOT = Path(__file__).parents[2]


@pytest.fixture
def files(tmp_path):
    """Two Parquet files of a store."""
    events = ck.simulate_store(people=6).events
    for number, part in enumerate((events[:30], events[30:])):
        part.to_parquet(tmp_path / f"events-{number}.parquet", index=False)
    return tmp_path


def pattern(files):
    return str(files / "events-*.parquet")


def run(files, name="run"):
    return stitched_by_parts(pattern(files), StitchOptions.of(), None, files / name, parts=2)


def everything(s):
    """Ask a run for what its files hold."""
    for name in stitching.TABLES:
        getattr(s, name).to_pandas()
    s.report  # noqa: B018 - to ask is to read
    s.counts()
    s.sessions()


def full():
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_on_a_full_disk_it_is_told_and_goes_on_when_there_is_room(files):
    expected = ck.stitch(ck.read_events(pattern(files)))
    with failing(files / "run", 10**9, full) as faults:
        run(files)
    told = []
    for at in range(3, faults.seen, max(faults.seen // 9, 1)):
        place = files / f"full-{at}"
        try:
            with failing(place, at, full):
                run(files, place.name)
        except (ck.WriteError, ck.ReadError) as error:
            told.append(str(error))
        check_tables(run(files, place.name), expected)
    assert len(told) >= 4
    assert all("no space left" in text for text in told), told


LOST = [
    *(f"tables/{name}/00001.parquet" for name in stitching.TABLES),
    *(f"facts/{name}" for name in ("types-00000.parquet", "numbers-00001.arrow", "part-00001.json",
                                   "hosts-00000.parquet", "remarks.json")),
]  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run that is done."""
    place = tmp_path_factory.mktemp("finished")
    events = ck.simulate_store(people=6).events
    for number, part in enumerate((events[:30], events[30:])):
        part.to_parquet(place / f"events-{number}.parquet", index=False)
    run(place)
    return place


@pytest.mark.parametrize("name", LOST)
def test_a_file_that_is_lost_or_cut_is_told(finished, name):
    path = finished / "run" / name
    content = path.read_bytes()
    try:
        for damage in ("lost", "cut"):
            if damage == "lost":
                path.unlink()
            else:
                path.write_bytes(content[: len(content) // 2])
            with pytest.raises(ck.ReadError, match="lost|not as it was written"):
                everything(run(finished))
    finally:
        path.write_bytes(content)


def test_what_a_run_that_goes_on_needs_is_told(files, monkeypatch):
    """A run stops before it splits; then a file that it needs is cut."""
    with monkeypatch.context() as patched:
        patched.setattr(stitching.Run, "split", lambda *_: full())
        with pytest.raises(OSError, match="No space"):
            run(files)
    for name in ("facts/part_of_row.bin", "blocks/00000.arrow"):
        path = files / "run" / name
        content = path.read_bytes()
        for damaged in (content[: len(content) // 2], b""):
            path.write_bytes(damaged)
            with pytest.raises(ck.ReadError, match="not as it was written"):
                run(files)
        path.write_bytes(content)
    check_tables(run(files), ck.stitch(ck.read_events(pattern(files))))


def test_two_processes_at_one_workdir_are_refused(files):
    script = textwrap.dedent(
        """
        import sys
        from convergekit.parts import workdir
        with workdir.opened(sys.argv[1], {"options": {}, "source": {}}):
            print("open", flush=True)
            sys.stdin.readline()
        """
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(files / "run")],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout.readline() == "open\n"
        with pytest.raises(ck.ConvergekitError, match="in use by another run"):
            run(files)
        other.communicate("\n")
    # It was of other options; its lock went with it.
    with pytest.raises(ck.ConvergekitError, match="of a run of other options"):
        run(files)


def test_killed_at_random_moments_it_goes_on(tmp_path):
    # `python -m tests.parts.kill` does it as often as there is time for.
    runs, _, killed = kill_at_random(tmp_path, kills=4, seed=11)
    assert (runs >= 1, killed) == (True, 4)

"""Every writer leaves what was there until the new is whole, whatever ends it."""

from __future__ import annotations

import errno
import itertools
import subprocess
import sys
from pathlib import Path

import pytest

import convergekit as ck
from convergekit.base.durable import newest
from convergekit.cli.app import Format, stitch_command
from tests.base.test_durable import raising
from tests.writers.file_faults import failing

EXPORTS = [str(path) for path in sorted((Path(__file__).parents[2] / "data").glob("*.*"))]


def stitched(people):
    return ck.stitch(ck.simulate_store(people=people, seed=people).events)


OLD, NEW = stitched(3), stitched(4)


def saved(s, directory):
    s.to_parquet(directory, overwrite=True)


def read_saved(directory):
    s = ck.read_stitched(directory)
    return len(s.events), len(s.profiles)


def converge(s, directory):
    s.to_converge(directory, overwrite=True)


def read_converge(directory):
    # Who became whom is of the same events, or profiles are others.
    names = [directory / "events.parquet", directory / "profile_merges.parquet"]
    s = ck.stitch(ck.read_events(names))
    return len(s.events), s.events["profile_id"].nunique()


def simulated(s, directory):
    ck.simulate_store(people=len(s.profiles), seed=1).write(directory)


def read_simulated(directory):
    names = [directory / name for name in ("browser.jsonl", "server.json", "crm.csv")]
    return len(ck.read_events(names))


def shell(form):
    def written(s, directory):
        # Of the same exports; what is written differs by the links that are refused.
        limit = ["cookie=1"] if s is NEW else None
        stitch_command(EXPORTS, directory, Format(form), force=True, limit=limit)

    return written


def read_tables(directory):
    names = [f"{name}.csv" for name in ("events", "profiles", "aliases", "duplicates", "rejected")]
    return [newest(directory, name).read_bytes() for name in names]


WRITERS = {
    "to_parquet": (saved, read_saved),
    "to_converge": (converge, read_converge),
    "simulate": (simulated, read_simulated),
    "stitch parquet": (shell("parquet"), read_saved),
    "stitch csv": (shell("csv"), read_tables),
}
FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("name", WRITERS)
def test_a_writer_leaves_the_old_or_the_new(tmp_path, name):
    write, read = WRITERS[name]
    for state, s in (("old", OLD), ("new", NEW)):
        write(s, tmp_path / state)
    old, new = read(tmp_path / "old"), read(tmp_path / "new")
    assert old != new
    directory = tmp_path / "target"
    ended = 0
    # Every so many operations: there are up to 150, most of them alike.
    for at, fault in zip(itertools.count(1, 11), itertools.cycle([FULL, KeyboardInterrupt()])):
        write(OLD, directory)
        with failing(directory, at, raising(fault)) as faults:
            try:
                write(NEW, directory)
            except (ck.WriteError, KeyboardInterrupt):
                ended += 1
            except OSError:
                # The shell looks into the directory before; it tells of that in a line as well.
                assert name.startswith("stitch")
        assert read(directory) in (old, new), at
        if faults.seen < at:
            break
    assert ended > 0
    assert read(directory) == new
    assert not list(directory.glob(".*"))


_KILLED = """
import os, resource, signal, sys
from pathlib import Path
import convergekit as ck
from tests.writers.file_faults import failing
from tests.writers.test_writers import NEW, OLD, read_saved, saved

def killed():
    os.kill(os.getpid(), signal.SIGKILL)

def full():
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))

directory = Path(sys.argv[1])
sizes = {(len(s.events), len(s.profiles)) for s in (OLD, NEW)}
kills = 0
for end in (killed, full):
    at, ended = 1, True
    while ended:
        saved(OLD, directory)
        child = os.fork()
        if not child:
            try:
                with failing(directory, at, end):
                    saved(NEW, directory)
            except ck.WriteError:
                os._exit(1)
            os._exit(0)
        ended = os.waitpid(child, 0)[1] != 0
        kills += ended
        assert read_saved(directory) in sizes, at
        at += 23
saved(NEW, directory)
assert not list(directory.glob(".*"))
print(kills)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
def test_a_killed_save_leaves_the_old_or_the_new(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 5

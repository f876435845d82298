"""Every writer leaves what was there until the new is whole, whatever ends it."""

from __future__ import annotations

import errno
import hashlib
import itertools
import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
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
        stitch_command(
            exports=EXPORTS, out=directory, output_format=Format(form), force=True, limit=limit
        )

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


def test_a_save_keeps_the_calendar_and_a_former_one_is_in_utc(tmp_path):
    frame = pd.DataFrame(
        {
            "event_name": "Placed Order",
            # Two on one day in Sydney, where the clock is set back in the night.
            "timestamp": ["2026-04-04T13:00:00Z", "2026-04-05T13:59:59Z", "2026-04-05T14:00:00Z"],
            "alias.email": ["a@x.org", "b@x.org", "c@x.org"],
            "alias.cookie": "kiosk",
        }
    )
    s = ck.stitch(frame, limits={"email": 1}, calendar="Australia/Sydney", week_starts="sunday")
    s.to_parquet(tmp_path)
    again = ck.read_stitched(tmp_path)
    for one in (s, again, again.without("cookie", event=None).stitched):
        days = one.customers(value=None).new_and_returning("D")
        assert days["new"].tolist() == [2, 1]
        weeks = one.customers(value=None).new_and_returning("W")
        assert weeks["period"].dt.strftime("%Y-%m-%d").tolist() == ["2026-04-05"]
    assert "calendar: Australia/Sydney, weeks from Sunday" in str(again.report)
    left = again.forget("urn:email:a@x.org").stitched
    assert left.customers(value=None).new_and_returning("D")["new"].tolist() == [1, 1]
    segment = again.where(profiles=ck.FirstSeen(end="2026-04-05"))
    assert segment.customers(value=None).new_and_returning("D")["new"].tolist() == [2, 0]

    as_in_format_4(tmp_path)
    former = ck.read_stitched(tmp_path)
    assert former.customers(value=None).new_and_returning("D")["new"].tolist() == [1, 2]
    assert "calendar" not in str(former.report)
    pd.testing.assert_frame_equal(former.events, s.events)


def as_in_format_4(directory):
    """Rewrite a save's manifest as it was before it named a calendar and segments."""
    path = directory / "stitched.json"
    summary = json.loads(path.read_text("utf-8"))
    for name in ("calendar", "week_starts", "segment"):
        del summary[name]
    for name in ("calendar", "segment", "caution", "left_out"):
        del summary["report"][name]
    summary |= {"format": 4, "checksum": "0" * 64}
    text = json.dumps(summary)
    digest = hashlib.sha256(text.encode()).hexdigest()
    path.write_text(text.replace("0" * 64, digest, 1), "utf-8")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("calendar", "Brussels"),
        ("calendar", ""),
        ("calendar", 3),
        ("week_starts", "sun"),
        ("segment", {}),
        ("segment", {"description": "x", "after_the_fact": 1, "left_out": {}}),
    ],
)
def test_a_calendar_or_segment_that_is_none_is_damage(tmp_path, name, value):
    ck.stitch(ck.simulate_store(people=3).events).to_parquet(tmp_path)
    path = tmp_path / "stitched.json"
    summary = json.loads(path.read_text("utf-8")) | {name: value, "checksum": "0" * 64}
    text = json.dumps(summary)
    digest = hashlib.sha256(text.encode()).hexdigest()
    path.write_text(text.replace("0" * 64, digest, 1), "utf-8")
    with pytest.raises(ck.ReadError, match=f"{name} is missing, or has the wrong type"):
        ck.read_stitched(tmp_path)

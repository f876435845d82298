"""The workdir: runs that go on, and directories that are refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as pads
import pytest

import convergekit as ck
from convergekit.identity.options import StitchOptions
from convergekit.parts import stitching, workdir
from convergekit.parts.stitching import stitched_by_parts
from tests.parts.members import table
from tests.parts.parts_cases import TABLES, check_tables, same_frames

ROOT = Path(__file__).parents[2]


@pytest.fixture
def files(tmp_path):
    """Three Parquet files of a store."""
    events = ck.simulate_store(people=12).events
    for number, part in enumerate((events[:30], events[30:60], events[60:])):
        part.to_parquet(tmp_path / f"events-{number}.parquet", index=False)
    return tmp_path


def pattern(files):
    return str(files / "events-*.parquet")


def run(files, parts=2, **options):
    return stitched_by_parts(
        pattern(files), StitchOptions.of(**options), None, files / "run", parts=parts
    )


def test_files_are_read_as_read_events_does(files):
    s = ck.stitch(ck.read_events(pattern(files)))
    p = ck.stitch(pattern(files), workdir=files / "run", memory="1GB")
    check_tables(p, s)
    assert p.report.to_dict() == s.report.to_dict() | {"own_pages": p.report.own_pages}
    assert (p.parts, p.workdir, p.identity, p.browser_alias) == (
        1, files / "run", "retroactive", "cookie",
    )  # fmt: skip


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_exports_are_read_file_by_file(tmp_path, suffix):
    events = ck.simulate_store(people=8).events.astype({"timestamp": "str", "received_at": "str"})
    for number, part in enumerate((events[:20], events[20:])):
        path = tmp_path / f"events-{number}.{suffix}"
        if suffix == "csv":
            part.to_csv(path, index=False)
        else:
            part.to_json(path, orient="records", lines=True)
    pattern = str(tmp_path / f"events-*.{suffix}")
    check_tables(ck.stitch(pattern, workdir=tmp_path / "run"), ck.stitch(ck.read_events(pattern)))


def test_arrow_is_taken_in_every_form(tmp_path):
    events = ck.simulate_store(people=8).events.reset_index(drop=True)
    arrow = pa.Table.from_pandas(events, preserve_index=False)
    pads.write_dataset(arrow, tmp_path / "data", format="parquet")
    expected = ck.stitch(arrow)
    given = {
        "table": arrow,
        "reader": arrow.to_reader(50),
        "dataset": pads.dataset(tmp_path / "data", format="parquet"),
    }
    for name, source in given.items():
        check_tables(ck.stitch(source, workdir=tmp_path / name), expected)


def test_an_ibis_table_is_streamed(tmp_path):
    ibis = pytest.importorskip("ibis")
    events = ck.simulate_store(people=8).events.reset_index(drop=True)
    events.to_parquet(tmp_path / "events.parquet", index=False)
    kept = ibis.duckdb.connect().read_parquet(tmp_path / "events.parquet")
    p = ck.stitch(kept.mutate(row=ibis.row_number()), workdir=tmp_path / "run")
    assert len(p.events) == len(ck.stitch(events).events)


def test_tables_are_datasets(files):
    p = run(files)
    assert p.events.dataset().count_rows() == len(p.events) == len(p.events.to_pandas())
    assert pa.table(p.profiles).num_rows == len(p.profiles)
    assert repr(p.profiles) == f"PartsTable(profiles: {len(p.profiles)} rows in 2 files)"


STOPS = ["_read", "_find_clusters", "_split_blocks", "stitch_parts"]


@pytest.mark.parametrize("step", STOPS)
@pytest.mark.parametrize("after", [0, 2])
def test_a_run_that_was_ended_goes_on(files, monkeypatch, step, after):
    """Each step is cut short, before its work or when half of it is recorded."""
    recorded = {"count": 0}
    record = workdir.Workdir.record
    inside = {"step": False}
    real = getattr(stitching.Run, step)

    def marked(self, *given):
        inside["step"] = True
        real(self, *given)
        inside["step"] = False

    def cut(self):
        if inside["step"]:
            recorded["count"] += 1
            if recorded["count"] > after:
                raise KeyboardInterrupt
        record(self)

    with monkeypatch.context() as patched:
        patched.setattr(stitching.Run, step, marked)
        patched.setattr(workdir.Workdir, "record", cut)
        try:
            run(files)
        except KeyboardInterrupt:
            assert recorded["count"] == after + 1
    check_tables(run(files), ck.stitch(ck.read_events(pattern(files))))


def test_finished_parts_are_not_stitched_again(files, monkeypatch):
    run(files)

    def never(*_):
        raise AssertionError

    monkeypatch.setattr(stitching.Run, "write_part", never)
    monkeypatch.setattr(stitching.Run, "_read", never)
    assert len(run(files).events) > 0


def test_a_run_that_was_killed_goes_on(files):
    """A process is killed while it works, at several moments."""
    script = textwrap.dedent(
        """
        import os, sys
        from convergekit.identity.options import StitchOptions
        from convergekit.parts import workdir
        from convergekit.parts.stitching import stitched_by_parts
        left = int(sys.argv[3])
        write = workdir.Workdir.write_rows
        def cut(self, content, *names):
            global left
            left -= 1
            if left < 0:
                # Half of it is written, then nothing more.
                self.file(*names).with_suffix(".draft").write_bytes(content[: len(content) // 2])
                os.kill(os.getpid(), 9)
            write(self, content, *names)
        workdir.Workdir.write_rows = cut
        stitched_by_parts(sys.argv[1], StitchOptions.of(), None, sys.argv[2], parts=3)
        """
    )
    for left in (1, 8, 20):
        done = subprocess.run(
            [sys.executable, "-c", script, pattern(files), str(files / "run"), str(left)],
            cwd=ROOT,
            env=os.environ,
            capture_output=True,
        )
        assert done.returncode == -9, done.stderr.decode()[-2000:]
    check_tables(run(files, parts=3), ck.stitch(ck.read_events(pattern(files))))


def test_another_run_is_refused(files):
    run(files)
    with pytest.raises(ck.ConvergekitError, match="other options: identity differs"):
        run(files, identity="as_of")
    (files / "events-1.parquet").touch()
    os.utime(files / "events-1.parquet", (1, 1))
    with pytest.raises(ck.ConvergekitError, match="another source"):
        run(files)


def test_another_version_is_refused(files, monkeypatch):
    run(files)
    monkeypatch.setattr(ck, "__version__", "0.0.1")
    with pytest.raises(ck.ConvergekitError, match="of version"):
        run(files)


def test_a_directory_of_other_files_is_refused(files):
    (files / "run").mkdir()
    (files / "run" / "notes.txt").write_text("mine")
    with pytest.raises(ck.ConvergekitError, match="holds other files, such as 'notes.txt'"):
        run(files)
    assert (files / "run" / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("damage", ["", "{", '{"done": {}}', "[]"])
def test_a_damaged_manifest_is_refused(files, damage):
    run(files)
    (files / "run" / "parts.json").write_text(damage)
    with pytest.raises(ck.ReadError, match="not as it was written"):
        run(files)


def test_a_changed_manifest_is_refused(files):
    run(files)
    path = files / "run" / "parts.json"
    content = json.loads(path.read_text())
    content["done"]["parts"] = 1
    path.write_text(json.dumps(content))
    with pytest.raises(ck.ReadError, match="not as it was written"):
        run(files)


@pytest.mark.parametrize("folder", ["tables/events", "tables/profiles", "facts"])
def test_a_lost_file_is_told(files, folder):
    p = run(files)
    lost = sorted((files / "run" / folder).iterdir())[-1]
    lost.unlink()

    def used():
        len(p.events)
        run(files).counts("PageView")

    with pytest.raises(ck.ReadError, match="lost|not as it was written"):
        used()


def test_a_cut_file_is_told(files):
    p = run(files)
    path = files / "run" / "tables" / "events" / "00001.parquet"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ck.ReadError):
        p.counts("PageView")


def test_lost_rows_are_told(files):
    """They are read when little asks for what a part knows beside its tables."""
    p = run(files)
    sorted((files / "run" / "rows" / "00001").iterdir())[-1].unlink()
    with pytest.raises(ck.ReadError, match="rows are there; files of the run are lost"):
        p._run.part(1).resolution.knowledge()


def test_two_runs_at_once_are_refused(files):
    asked = {"options": {}, "source": {}}
    with workdir.opened(files / "run", asked):
        second = workdir.opened(files / "run", asked)
        with pytest.raises(ck.ConvergekitError, match="in use by another run"):
            second.__enter__()


def test_a_large_cluster_is_refused_with_the_alias_to_blame(tmp_path, monkeypatch):
    monkeypatch.setattr(stitching, "LEAST_CLUSTER", 5)
    events = pd.DataFrame(
        {
            "event_name": "PageView",
            "timestamp": "2026-03-02",
            "alias.cookie": ["till"] * 8 + ["a", "b"],
        }
    )
    with pytest.raises(ck.ConvergekitError) as error:
        ck.stitch(events, workdir=tmp_path / "run", max_cluster=6)
    assert "8 rows of 10 hang together" in str(error.value)
    assert "block=['urn:cookie:till']" in str(error.value)
    p = ck.stitch(events, workdir=tmp_path / "other", max_cluster=8)
    assert len(p.profiles) == 3
    blocked = ck.stitch(
        events, workdir=tmp_path / "blocked", max_cluster=6, block=["urn:cookie:till"]
    )
    assert len(blocked.profiles) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"memory": "much"}, "memory must be a size"),
        ({"memory": 6}, "memory must be a size"),
        ({"max_cluster": 0}, "max_cluster must be"),
        ({"strict": True}, "strict="),
        ({"limits": {"emial": 1}}, "limits names the alias type 'emial'"),
        ({"rules": {"emial": str.upper}}, "rules names"),
        ({"max_age": {"emial": "1D"}}, "max_age names"),
        ({"block": ["urn:emial:a"]}, "block names"),
        ({"browser_alias": "brwsr"}, "browser_alias names"),
        ({"rename_events": {"Page": "PageView"}}, "no event has that name"),
        ({"first": ["nothing_such"]}, "first names"),
        ({"nothing": ["nothing_such"]}, "nothing names"),
        ({"alias_from": {"nothing_such": "x"}}, "alias_from names"),
        ({"dedupe_on": ["event_id", "shop"]}, "dedupe_on names 'shop'"),
        ({"columns": {"event_name": "nothing_such"}}, "nothing_such"),
    ],
)
def test_bad_options_are_told_as_in_memory(tmp_path, options, message):
    events = ck.simulate_store(people=4).events
    with pytest.raises(ck.ConvergekitError, match=message):
        ck.stitch(events, workdir=tmp_path / "run", **options)


def test_what_is_no_source_is_told(tmp_path):
    with pytest.raises(ck.ConvergekitError, match="paths or patterns"):
        ck.stitch(7, workdir=tmp_path / "run")
    with pytest.raises(ck.ReadError, match="no file is named"):
        ck.stitch(str(tmp_path / "none-*.parquet"), workdir=tmp_path / "run")
    with pytest.raises(ck.ConvergekitError, match="give memory= or workdir="):
        ck.stitch(str(tmp_path / "events.parquet"))
    with pytest.raises(ck.ColumnError):
        ck.stitch(pd.DataFrame({"a": [1]}), workdir=tmp_path / "run")


def test_parts_have_every_member_of_memory_and_no_other_name(files):
    p = run(files)
    members = {name for name in vars(ck.Stitched) if not name.startswith("_")}
    assert members <= set(dir(type(p)))
    with pytest.raises(AttributeError):
        p.nothing_such  # noqa: B018 - asking raises


def test_the_caller_s_frame_is_not_changed(tmp_path):
    events = ck.simulate_store(people=8).events
    before = events.copy(deep=True)
    ck.stitch(events, workdir=tmp_path / "run")
    same_frames(events, before)


def test_the_page_lists_what_is_computed_by_parts():
    page = (ROOT / "docs" / "scale.md").read_text("utf-8")
    assert table() in page, "python -m tests.parts.members, and put it into docs/scale.md"


def test_tables_are_named_once():
    assert set(TABLES) == set(stitching.TABLES)


_KILLED = """
import os, signal, sys
import convergekit as ck

replace, left = os.replace, [int(sys.argv[2])]

def killed(draft, path):
    if str(draft).endswith(".draft"):
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
    replace(draft, path)

os.replace = killed
ck.stitch(ck.simulate_store(people=12, seed=7).events, workdir=sys.argv[1])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_what_a_killed_run_left_half_written_is_removed(tmp_path):
    workdir = tmp_path / "run"
    done = subprocess.run([sys.executable, "-c", _KILLED, str(workdir), "3"], check=False)
    assert done.returncode == -signal.SIGKILL
    (draft,) = workdir.rglob("*.draft")
    # A worker's draft is named anew each time: nobody writes it again.
    draft.rename(draft.with_name(f"{draft.stem}-0123456789ab.draft"))
    # A view is written to by a process that may be alive.
    alive = workdir / "views" / "of-another" / "00000.draft"
    alive.parent.mkdir(parents=True)
    alive.write_bytes(b"half")
    events = ck.simulate_store(people=12, seed=7).events
    s = ck.stitch(events, workdir=workdir)
    assert list(workdir.rglob("*.draft")) == [alive]
    assert s.report.to_dict() == ck.stitch(events).report.to_dict()

"""`memory=` without `workdir=`: a directory that lives as long as what is made of it."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as pads
import pytest

import convergekit as ck
from tests.parts.parts_cases import check_tables

ROOT = Path(__file__).parents[2]


@pytest.fixture
def events():
    return ck.simulate_store(people=8).events.reset_index(drop=True)


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """Where temporary directories are made."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


def test_every_source_goes_by_parts(events, tmp_path):
    for number, part in enumerate((events[:30], events[30:])):
        part.to_parquet(tmp_path / f"events-{number}.parquet", index=False)
    files = sorted(tmp_path.glob("events-*.parquet"))
    read = ck.stitch(ck.read_events(files))
    check_tables(ck.stitch(str(tmp_path / "events-*.parquet"), memory="1GB"), read)
    check_tables(ck.stitch(files, memory="1GB"), read)
    dataset = pads.dataset(list(map(str, files)))
    check_tables(ck.stitch(dataset, memory="1GB"), ck.stitch(dataset.to_table()))
    check_tables(ck.stitch(events, memory="1GB"), ck.stitch(events))


def test_an_ibis_table_goes_by_parts(events, tmp_path):
    ibis = pytest.importorskip("ibis")
    events.to_parquet(tmp_path / "events.parquet", index=False)
    table = ibis.duckdb.connect().read_parquet(tmp_path / "events.parquet")
    table = table.mutate(row=ibis.row_number())
    found = ck.stitch(table, memory="1GB")
    assert isinstance(found, ck.StitchedParts)
    assert len(found.events) == len(ck.stitch(events).events)


def test_the_directory_goes_with_the_result(events, temporary):
    s = ck.stitch(events, memory="1GB")
    place = s.workdir
    assert place.parent == temporary
    assert (place.stat().st_mode & 0o077 == 0) or sys.platform == "win32"
    del s
    gc.collect()
    assert not place.exists()


def test_the_directory_stays_for_a_table_and_an_answer(events, temporary):
    expected = ck.stitch(events)
    table = ck.stitch(events, memory="1GB").profiles
    gc.collect()
    assert len(table.to_pandas()) == len(expected.profiles)
    reader = pa.RecordBatchReader.from_stream(ck.stitch(events, memory="1GB").aliases)
    gc.collect()
    assert reader.read_all().num_rows == len(expected.aliases)
    steps = ["PageView", "Added To Cart"]
    funnel = ck.stitch(events, memory="1GB").funnel(steps, within="7D")
    gc.collect()
    drop_offs = expected.funnel(steps, within="7D").drop_offs()
    assert len(funnel.drop_offs()) == len(drop_offs)
    del table, reader, funnel
    gc.collect()
    assert list(temporary.iterdir()) == []


def test_the_directory_goes_with_an_error(temporary):
    with pytest.raises(ck.ColumnError):
        ck.stitch(pd.DataFrame({"a": [1]}), memory="1GB")
    assert list(temporary.iterdir()) == []


def test_the_directory_goes_with_the_process(tmp_path):
    script = textwrap.dedent(
        """
        import os, convergekit as ck
        s = ck.stitch(ck.simulate_store(people=4).events, memory="1GB")
        child = os.fork() if hasattr(os, "fork") else None
        if child == 0:
            del s  # a forked process does not take the files along
            os._exit(0)
        if child is not None:
            os.waitpid(child, 0)
        assert s.workdir.exists()
        print(s.workdir)
        """
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path), "TEMP": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    place = Path(done.stdout.strip())
    assert place.parent == tmp_path
    assert not place.exists()


def test_where_temporary_files_cannot_be_written_is_told(events, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(ck.WriteError, match="cannot be written"):
        ck.stitch(events, memory="1GB")

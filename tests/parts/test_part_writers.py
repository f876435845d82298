"""What is written of parts is what memory writes."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.writers import merged_frames
from tests.effort import tries
from tests.parts.parts_cases import TABLES, by_parts, in_memory, same_frames
from tests.parts.test_parts import known, options
from tests.store.store_cases import batches

STEPS = ["PageView", "Added To Cart", "Placed Order"]


@pytest.fixture(scope="module")
def frames():
    events = ck.simulate_store(people=12, seed=4).events
    # Rows of a part are spread over the frames.
    return [
        events.iloc[some].reset_index(drop=True) for some in np.array_split(range(len(events)), 3)
    ]


def check_saved(found, expected):
    """Check that what is read back is equal in every table, and in answers about identity."""
    for name in (*TABLES, "refused_links", "profile_merges"):
        same_frames(getattr(found, name), getattr(expected, name))
    for name in expected.tables.carried_from:
        same_frames(pd.DataFrame(found.provenance(name)), pd.DataFrame(expected.provenance(name)))
    assert found.events.attrs == expected.events.attrs
    assert (found.tables.remarks, found.tables.calendar) == (
        expected.tables.remarks, expected.tables.calendar,
    )  # fmt: skip
    if len(expected.events):
        names = ["PageView", "Added To Cart"]
        asked = {"within": "7D", "ties": "arrival"}
        with_them = [name for name in names if (expected.events["event_name"] == name).any()]
        if len(with_them) == len(names):
            assert str(found.funnel(names, **asked)) == str(expected.funnel(names, **asked))


def read_back(s, directory):
    s.to_parquet(directory)
    return ck.read_stitched(directory)


@pytest.mark.parametrize("number", [1, 5])
def test_a_save_of_parts_is_that_of_memory(frames, number, tmp_path, monkeypatch):
    monkeypatch.setattr(merged_frames, "ROWS_AT_ONCE", 20)
    s = in_memory(frames)
    with by_parts(frames, number) as p:
        written = p.to_parquet(tmp_path / "parts")
        expected = s.to_parquet(tmp_path / "memory")
        assert [path.name for path in written] == [path.name for path in expected]
        assert sorted(path.name for path in (tmp_path / "parts").iterdir()) == sorted(
            path.name for path in expected
        )
        check_saved(ck.read_stitched(tmp_path / "parts"), ck.read_stitched(tmp_path / "memory"))
        found, profiles = (
            pd.read_parquet(tmp_path / name / "profiles.parquet") for name in ("parts", "memory")
        )
        pd.testing.assert_frame_equal(found, profiles, check_dtype=False)
        with pytest.raises(ck.AlreadyThereError):
            p.to_parquet(tmp_path / "parts")
        assert p.to_parquet(tmp_path / "parts", overwrite=True) == written


@given(batches(), options, st.sampled_from([1, 2, 7]))
@tries(100)
def test_saves_of_random_frames_are_those_of_memory(given_frames, asked, number):
    s = known(given_frames, asked) if given_frames else None
    if s is None:
        return
    with by_parts(given_frames, number, **asked) as p, tempfile.TemporaryDirectory() as directory:
        check_saved(read_back(p, f"{directory}/parts"), read_back(s, f"{directory}/memory"))


@pytest.mark.parametrize(("number", "identity"), [(5, "retroactive"), (2, "as_of")])
def test_converge_s_tables_are_those_of_memory(frames, number, identity, tmp_path, monkeypatch):
    monkeypatch.setattr(merged_frames, "ROWS_AT_ONCE", 20)
    s = in_memory(frames, identity=identity)
    with by_parts(frames, number, identity=identity) as p:
        written = p.to_converge(tmp_path / "parts")
        expected = s.to_converge(tmp_path / "memory")
        assert [path.name for path in written] == [path.name for path in expected]
        for one, other in zip(written, expected, strict=True):
            assert pq.read_table(one).equals(pq.read_table(other))
        with pytest.raises(ck.AlreadyThereError):
            p.to_converge(tmp_path / "parts")


def test_arrow_and_polars_are_those_of_memory(frames):
    s = in_memory(frames)
    with by_parts(frames, 2) as p:
        found, expected = p.to_arrow(), s.to_arrow()
        assert found.column_names == expected.column_names
        some = [
            name for name in found.column_names if expected.column(name).null_count < len(s.events)
        ]
        assert found.select(some).equals(expected.select(some))
        pytest.importorskip("polars")
        assert p.to_polars().select(some).equals(s.to_polars().select(some))


def test_a_lost_table_is_told_and_leaves_no_half_save(frames, tmp_path):
    with by_parts(frames, 2) as p:
        lost = sorted((p.workdir / "tables" / "events").iterdir())[1]
        lost.write_bytes(lost.read_bytes()[:-20])
        with pytest.raises(ck.ReadError, match="not as it was written"):
            p.to_parquet(tmp_path / "parts")
        assert not (tmp_path / "parts").exists()
        assert Path(tmp_path).exists()

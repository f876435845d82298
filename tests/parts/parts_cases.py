"""Runs of a few parts, and what has to hold of them: what holds in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

import convergekit as ck
from convergekit.identity.options import StitchOptions
from convergekit.parts.source import RowSource
from convergekit.parts.stitching import stitched_by_parts
from convergekit.readers.concatenate import concatenate

TABLES = ("events", "profiles", "aliases", "duplicates", "rejected")


@contextmanager
def by_parts(frames, parts, **options) -> Iterator[ck.StitchedParts]:
    """Stitch frames, a unit each, in so many parts."""
    source = RowSource(
        {"frames": str(len(frames))}, [lambda one=one: iter([one]) for one in frames]
    )
    with tempfile.TemporaryDirectory() as directory:
        yield stitched_by_parts(
            source, StitchOptions.of(**options), None, Path(directory, "run"), parts=parts
        )


def in_memory(frames, **options) -> ck.Stitched:
    return ck.stitch(concatenate([frame.copy() for frame in frames]), **options)


def check_tables(found: ck.StitchedParts, expected: ck.Stitched) -> None:
    """Check that the tables are those of memory, cell by cell."""
    for name in TABLES:
        same_frames(getattr(found, name).to_pandas(), getattr(expected, name))


def same_frames(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Check that two tables are equal; of which type a column without a value is hangs on files."""
    assert list(found.columns) == list(expected.columns)
    empty = [name for name in expected if expected[name].isna().all() and len(expected)]
    assert found[empty].isna().all(axis=None)
    if not len(expected):
        assert not len(found)
        return
    pd.testing.assert_frame_equal(found.drop(columns=empty), expected.drop(columns=empty))

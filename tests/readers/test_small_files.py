"""Many small files: read at once, as if one by one."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import convergekit as ck
from convergekit.readers import reading

EXPORTS = Path(__file__).parents[2] / "data" / "exports"


@pytest.fixture
def one_by_one(monkeypatch):
    """Return a function that reads every file by itself."""

    def read(paths, **options):
        with monkeypatch.context() as patch:
            patch.setattr(reading._SmallFiles, "takes", lambda *_: False)
            return ck.read_events(paths, **options)

    return read


def split(name, folder, size):
    """Write an export of lines as many files."""
    rows = (EXPORTS / name).read_text("utf-8").splitlines()
    for place in range(0, len(rows), size):
        path = folder / f"{name}-{place:04}.jsonl"
        path.write_text("\n".join(rows[place : place + size]) + "\n", "utf-8")


@pytest.mark.parametrize(
    "name", ["segment.jsonl", "ga4.jsonl", "posthog.jsonl", "mixpanel.jsonl", "amplitude.jsonl"]
)
def test_files_are_read_as_one_by_one(tmp_path, one_by_one, name):
    split(name, tmp_path, 3)
    found, expected = ck.read_events(tmp_path), one_by_one(tmp_path)
    assert found["file"].nunique() > 5
    assert sorted(found) == sorted(expected)
    pd.testing.assert_frame_equal(found[expected.columns], expected)
    one, other = ck.stitch(found), ck.stitch(expected)
    # Columns come as in one file of all lines.
    pd.testing.assert_frame_equal(one.profiles[other.profiles.columns], other.profiles)


def test_files_of_several_formats_in_turn(tmp_path, one_by_one):
    for name in ("segment.jsonl", "mixpanel.jsonl"):
        split(name, tmp_path, 4)
    for path in sorted(tmp_path.iterdir())[::2]:
        path.rename(tmp_path / f"0-{path.name}")
    own = {"event_name": "A", "timestamp": "2026-03-02", "aliases": []}
    (tmp_path / "5-own.jsonl").write_text(json.dumps(own | {"file": "x", "source": "s"}))
    (tmp_path / "6-bad.jsonl").write_text(json.dumps(own) + "\noops\n")
    (tmp_path / "7-answer.json").write_text((EXPORTS / "shopify.json").read_text("utf-8"), "utf-8")
    (tmp_path / "8-empty.jsonl").write_text("\n")
    found = ck.read_events(tmp_path / "*")
    expected = one_by_one(tmp_path / "*")
    pd.testing.assert_frame_equal(found[expected.columns], expected)


def test_own_columns_of_many_files(tmp_path, one_by_one):
    for number in range(12):
        row = {"what": "A", "at": "2026-03-02", "who": {"id": f"u{number}"}}
        if number % 5 == 4:
            row |= {"more": number}
        (tmp_path / f"{number:02}.jsonl").write_text(json.dumps(row) + "\n" + json.dumps(row))
    columns = {"event_name": "what", "timestamp": "at", "alias.user_id": "who.id",
               "properties.shop": ck.constant("north")}  # fmt: skip
    found = ck.read_events(tmp_path, columns=columns)
    expected = one_by_one(tmp_path, columns=columns)
    pd.testing.assert_frame_equal(found[expected.columns], expected)
    assert len(found) == 24


def test_a_bad_row_in_one_of_many_is_named(tmp_path):
    for number in range(6):
        row = {"event_name": "A", "timestamp": "2026-03-02", "aliases": []}
        text = json.dumps(row) + ("\noops" if number == 3 else "") + "\n"
        (tmp_path / f"{number}.jsonl").write_text(text)
    events = ck.read_events(tmp_path)
    bad = events[events["read_error"].notna()]
    assert bad[["file", "line"]].values.tolist() == [["3.jsonl", 2]]
    with pytest.raises(ck.ReadError, match=r"3\.jsonl, line 2: not JSON"):
        ck.read_events(tmp_path, strict=True)
    (tmp_path / "4.jsonl").write_text("oops\n")
    with pytest.raises(ck.ReadError, match=r"4\.jsonl: no row can be read"):
        ck.read_events(tmp_path)

"""A file that is read in batches is the file read whole."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.readers import csv_files, json_files, parquet_files
from tests.effort import tries
from tests.readers import reference_fields

EXPORTS = Path(__file__).parents[2] / "data" / "exports"
SAMPLES = sorted(path.name for path in EXPORTS.iterdir())


@pytest.fixture
def batches_of(monkeypatch):
    def batches_of(rows):
        for module in (csv_files, json_files, parquet_files):
            monkeypatch.setattr(module, "BATCH_ROWS", rows)

    return batches_of


def same(one, other):
    pd.testing.assert_frame_equal(one, other, check_like=True, check_column_type=False)


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_comes_the_same_in_batches(batches_of, name, rows):
    # A single row may lack what proves a format, so it is named.
    form = name.split(".")[0].split("_events")[0].split("_profile")[0]
    whole = ck.read_events(EXPORTS / name, format=form)
    batches_of(rows)
    same(ck.read_events(EXPORTS / name, format=form), whole)


@pytest.mark.parametrize("name", ["segment.jsonl", "mixpanel.jsonl", "ga4.jsonl"])
def test_parquet_comes_the_same_in_batches(batches_of, tmp_path, name):
    records = [json.loads(line) for line in (EXPORTS / name).read_text().splitlines()]
    texts = [
        {k: json.dumps(v) if isinstance(v, (dict, list)) else v for k, v in record.items()}
        for record in records
    ]
    pd.DataFrame(texts).to_parquet(tmp_path / "a.parquet")
    whole = ck.read_events(tmp_path / "a.parquet")
    batches_of(4)
    found = ck.read_events(tmp_path / "a.parquet")
    same(found, whole)
    assert found["line"].tolist() == list(range(1, len(records) + 1))


@pytest.mark.parametrize("name", ["segment.jsonl", "ga4.jsonl", "amplitude.jsonl"])
def test_batches_that_are_parsed_ahead_are_the_same(batches_of, monkeypatch, tmp_path, name):
    path = tmp_path / name
    path.write_text((EXPORTS / name).read_text("utf-8") + "oops\n", "utf-8")
    batches_of(4)
    expected = ck.read_events(path)
    monkeypatch.setattr(json_files, "_WORTH_A_THREAD", 1)
    for _ in range(3):
        pd.testing.assert_frame_equal(ck.read_events(path), expected)


def test_lines_and_reasons_are_of_the_file(batches_of, tmp_path):
    good = {"event_name": "A", "timestamp": "2026-03-02", "aliases": ["urn:cookie:c"]}
    lines = [json.dumps(good), "oops", "", json.dumps(good), "[]", json.dumps(good)]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(lines))
    batches_of(2)
    events = ck.read_events(path)
    assert events["line"].tolist() == [1, 2, 4, 5, 6]
    assert events["read_error"].notna().tolist() == [False, True, False, True, False]
    path.write_text("oops\nno\n" + "\n".join(lines[3:]))
    assert ck.read_events(path)["line"].tolist() == [1, 2, 3, 4, 5]


def test_a_file_whose_first_batch_names_no_event(batches_of, tmp_path):
    identify = {"timestamp": "2026-03-02", "aliases": ["urn:cookie:c"]}
    late = {"received_at": "2026-03-03", "event_name": "A", "alias.email": "a@x.org"}
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(map(json.dumps, [identify, late])))
    batches_of(1)
    events = ck.read_events(path)
    assert events["event_name"].tolist()[1] == "A"
    assert len(ck.stitch(events).events) == 2


scalars = st.none() | st.booleans() | st.integers(-(2**64), 2**64) | st.text(max_size=3)
scalars |= st.floats(allow_nan=False, allow_infinity=False, width=32)
values = scalars | st.lists(scalars, max_size=2) | st.dictionaries(st.text(max_size=2), scalars)
records = st.lists(
    st.dictionaries(st.sampled_from(["a", "b", "c"]), values, max_size=3), min_size=1, max_size=6
)


@tries(60)
@given(records, st.integers(1, 3))
def test_any_values_come_the_same_in_batches(tmp_path_factory, records, rows):
    path = tmp_path_factory.mktemp("any") / "a.jsonl"
    base = {"event_name": "A", "timestamp": "2026-03-02", "aliases": ["urn:cookie:c"]}
    path.write_text("\n".join(json.dumps(base | {"properties": r}) for r in records))
    whole = ck.read_events(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_files, "BATCH_ROWS", rows)
        found = ck.read_events(path)
    assert set(found) == set(whole)
    for name in whole:
        for one, other in zip(found[name], whole[name], strict=True):
            missing = [cell is None or cell is pd.NA or cell != cell for cell in (one, other)]
            assert missing[0] == missing[1]
            # A whole number among decimals may come as a decimal, of the same value.
            assert missing[0] or one == other


@tries(60)
@given(
    st.lists(
        st.recursive(
            scalars,
            lambda inner: (
                st.dictionaries(st.sampled_from(["x", "y", "x.y"]), inner, max_size=2)
                | st.lists(inner, max_size=2)
                | inner.map(json.dumps)
            ),
            max_leaves=5,
        ),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from(["a", "a.x", "a.x.y", "a.y.x", "b", "b.x"]),
)
def test_a_path_finds_what_a_walk_finds(cells, path):
    from convergekit.readers.fields import Rows

    rows = [{"a": cell} for cell in cells]
    expected = [reference_fields.value_at(row, path) for row in rows]
    found = Rows(pd.DataFrame({"a": pd.Series(cells, dtype=object)}))[path]
    assert list(map(repr, found)) == list(map(repr, expected))

"""Objects of Parquet read by columns say what they say as Python's."""

from __future__ import annotations

import datetime
import decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.readers import parquet_files
from convergekit.readers.columns import json_blocks
from convergekit.readers.columns.table_blocks import TableBlock
from tests.effort import tries
from tests.readers.test_json_blocks import NOSHRINK, VENDORS, answer, changed, same


def by_rows(path, **options):
    """Return what is read when every object is Python's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TableBlock, "of", classmethod(lambda *_: None))
        patch.setattr(json_blocks.KnownTypes, "read", lambda *_: None)
        return answer(path, **options)


class Taken:
    """Counts the batches that were taken as blocks, and those that were not."""

    def __init__(self, patch):
        self.taken = []
        of = TableBlock.of

        def watched(batch):
            found = of(batch)
            self.taken.append(found is not None)
            return found

        patch.setattr(parquet_files.TableBlock, "of", watched)


#: Matomo's values are text and numbers, which no column of Parquet is.
FORMS = [form for form in VENDORS if form != "matomo"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("rows", [3, 50_000])
def test_vendors_samples_are_the_same(monkeypatch, tmp_path, form, rows):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.Table.from_pylist(VENDORS[form]), path)
    monkeypatch.setattr(parquet_files, "BATCH_ROWS", rows)
    expected = by_rows(path, format=form)
    assert len(expected)
    seen = Taken(monkeypatch)
    same(answer(path, format=form), expected)
    nested = any(isinstance(v, dict) for record in VENDORS[form] for v in record.values())
    assert all(seen.taken) or not nested


@pytest.mark.parametrize("form", ["segment", "posthog", "ga4", "shopify", "snowplow"])
@tries(100, phases=NOSHRINK)
@given(st.data())
def test_vendors_rows_are_the_same(tmp_path_factory, form, data):
    chosen = data.draw(st.lists(st.sampled_from(VENDORS[form]), min_size=1, max_size=6))
    records = [changed(data.draw, one, data.draw(st.sampled_from(chosen))) for one in chosen]
    try:
        table = pa.Table.from_pylist(records)
    except pa.ArrowException:
        assume(False)
    path = tmp_path_factory.mktemp("rows") / "a.parquet"
    try:
        pq.write_table(table, path)
    except pa.ArrowException:
        assume(False)
    same(answer(path, format=form), by_rows(path, format=form))


WHEN = datetime.datetime(2026, 3, 2, 10, tzinfo=datetime.UTC)
VALUES = [
    1, 2**60, -0.0, float("nan"), float("inf"), 4.0, "x", "é", '{"a": 1}', "[1]", True, None,
    WHEN, WHEN.date(), decimal.Decimal("1.50"), b"x", [1, None], [float("nan")], [], ["a", None],
    {"a": 1, "b": None}, [{"a": 4.0, "b": "x"}, {"a": None, "b": None}], {"list": [{"element": 1}]},
    [{"key": "k", "value": 1}], {"at": WHEN}, [WHEN],
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
@pytest.mark.parametrize("place", ["properties", "event", "anonymousId", "timestamp", "context"])
def test_any_value_is_read_the_same(tmp_path, value, place):
    call = {"messageId": "m", "type": "track", "event": "A", "timestamp": "2026-03-02T10:00:00Z",
            "anonymousId": "c", "properties": {"n": 1}}  # fmt: skip
    inner = {"n": value} if place in ("properties", "context") else value
    rows = [{**call, "messageId": "1", place: inner}, {**call, "messageId": "2", place: None}]
    path = tmp_path / "a.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    same(answer(path, format="segment"), by_rows(path, format="segment"))


@pytest.mark.parametrize("kind", [pa.int32(), pa.uint64(), pa.float32(), pa.string()])
def test_types_of_other_sizes_are_read_the_same(tmp_path, kind):
    values = pa.array([7, None]).cast(kind)
    objects = pa.StructArray.from_arrays([values], ["n"])
    rows = pa.table({
        "messageId": ["1", "2"], "type": ["track"] * 2, "event": ["A", "B"], "anonymousId": values,
        "timestamp": ["2026-03-02T10:00:00Z"] * 2, "properties": objects,
    })  # fmt: skip
    path = tmp_path / "a.parquet"
    pq.write_table(rows, path)
    found = ck.read_events(path, format="segment")
    same(found, by_rows(path, format="segment"))
    assert found["properties.n"].notna().tolist() == [True, False]

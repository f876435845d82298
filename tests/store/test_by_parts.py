"""A store by parts gives what it gives as a whole, in any number of parts, whatever was deleted."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

import convergekit as ck
from tests.effort import tries
from tests.parts.parts_cases import check_tables, same_frames
from tests.parts.test_part_answers import STEPS
from tests.parts.test_part_answers import same as same_answer
from tests.store.store_cases import batches, options, same, stitched_together

#: One part, a few, and about one a cluster.
sizes = st.sampled_from(["1GB", "30KB", "5KB"])


@given(batches(), options, sizes, st.data())
@tries(40, suppress_health_check=list(HealthCheck))
def test_by_parts_is_as_in_memory(parts, chosen, memory, data):
    with tempfile.TemporaryDirectory() as directory:
        store = ck.open_store(Path(directory, "store"), **chosen)
        for part in parts:
            store.add(part)
        if not parts:
            return
        s = store.stitched()
        if data.draw(st.booleans()) and len(s.profiles):
            store.forget(data.draw(st.sampled_from(s.profiles["profile_id"].tolist())))
            s = store.stitched()
        else:
            # Of all batches' rows in memory, whatever the store makes of them.
            together = stitched_together(parts, chosen)
            same(s.events, together.events)
        p = store.by_parts(memory=memory)
        check_answers(p, s)
        check_tables(p, s)
        assert p.report.to_dict() == s.report.to_dict()


def check_answers(p, s):
    """Compare answers, before any table is made."""
    for ask in (
        lambda one: one.funnel(STEPS, within="5min", by="utm_source").table,
        lambda one: pd.DataFrame(one.counts(freq="min")),
        lambda one: one.sessions(),
        lambda one: one.attribution("Placed Order").credits,
    ):
        both = same_answer(lambda ask=ask: ask(p), lambda ask=ask: ask(s))
        if both is not None:
            same_frames(*map(pd.DataFrame, both))


@pytest.fixture(scope="module")
def shop():
    """A simulated store's events, with addresses of several sites."""
    return ck.simulate_store(people=20).events


def test_a_simulated_store_by_parts_is_as_in_memory(shop, tmp_path):
    store = ck.open_store(tmp_path / "store", limits={"email": 1})
    store.add(shop[: len(shop) // 2])
    store.add(shop[len(shop) // 2 :])
    s, p = store.stitched(), store.by_parts(memory="100KB")
    assert p.parts > 2
    check_answers(p, s)
    check_tables(p, s)
    assert p.report.to_dict() == s.report.to_dict()


def test_types_are_those_of_all_rows(tmp_path):
    """A column may hold texts in one batch and numbers in another, or whole numbers too large."""
    store = ck.open_store(tmp_path / "store")
    at = pd.to_datetime(["2026-03-02 10:00", "2026-03-02 10:01", "2026-03-02 10:02"], utc=True)
    for number, (one, other) in enumerate(
        [
            ([1, 2, 3], ["a", None, "b"]),
            ([1.5, None, 2.0], [1, 2, 3]),
            ([2**60, 1, 2], [[1], {}, 4]),
        ]
    ):
        store.add(
            pd.DataFrame(
                {
                    "event_name": "PageView",
                    "timestamp": at,
                    "alias.cookie": [f"{number}{place}" for place in "abc"],
                    "properties.price": one,
                    "properties.any": other,
                }
            )
        )
    s, p = store.stitched(), store.by_parts(memory="2KB")
    assert p.parts > 2
    check_tables(p, s)


def test_the_directory_goes_with_the_result(shop, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    store = ck.open_store(tmp_path / "store")
    store.add(shop)
    p = store.by_parts()
    place = p.workdir
    assert place.is_dir()
    del p
    assert not place.exists()


def test_what_is_asked_is_asked_of_the_batches_of_then(shop, tmp_path):
    store = ck.open_store(tmp_path / "store")
    store.add(shop[:80])
    p, s = store.by_parts(memory="50KB"), store.stitched()
    store.add(shop[80:])
    assert p.funnel(STEPS, within="7D").counts == s.funnel(STEPS, within="7D").counts
    check_tables(p, s)


def test_a_row_that_is_lost_is_an_error(shop, tmp_path):
    store = ck.open_store(tmp_path / "store")
    store.add(shop)
    p = store.by_parts(memory="100KB")
    next((p.workdir / "rows").rglob("*.parquet")).unlink()
    with pytest.raises(ck.ReadError, match="rows are missing"):
        p.funnel(STEPS, within="7D")


def test_nothing_is_asked_of_an_empty_store(tmp_path):
    store = ck.open_store(tmp_path / "store")
    with pytest.raises(ck.ConvergekitError, match="holds nothing yet"):
        store.by_parts()


def test_memory_is_a_size(shop, tmp_path):
    store = ck.open_store(tmp_path / "store")
    store.add(shop[:10])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ck.ConvergekitError, match="memory must be a size"):
            store.by_parts(memory="much")

"""Stitching by parts: the tables are those of memory, whatever the parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from tests.effort import tries
from tests.parts.parts_cases import by_parts, check_tables, in_memory
from tests.store.store_cases import batches
from tests.store.store_cases import options as store_options

options = st.tuples(
    store_options,
    st.fixed_dictionaries(
        {},
        optional={
            "rules": st.just({"cart_token": str.upper}),
            "max_age": st.just({"cookie": "3min"}),
            "salt": st.just("secret"),
            "observed_until": st.just("2026-03-02"),
        },
    ),
).map(lambda both: both[0] | both[1])


def known(frames, asked):
    """Leave out options that memory refuses of these frames."""
    try:
        return in_memory(frames, **asked)
    except ck.ConvergekitError:
        return None


@given(batches(), options, st.sampled_from([1, 2, 7]))
@tries(200)
def test_tables_are_those_of_memory(frames, asked, parts):
    expected = known(frames, asked) if frames else None
    if expected is None:
        return
    with by_parts(frames, parts, **asked) as found:
        check_tables(found, expected)


@pytest.mark.parametrize("parts", [1, 2, 7])
def test_a_store_by_parts_is_that_of_memory(parts):
    events = ck.simulate_store(people=15).events
    frames = [events[:60], events[60:]]
    with by_parts(frames, parts) as found:
        check_tables(found, in_memory(frames))

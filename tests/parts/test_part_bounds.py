"""How sure answers by parts are: their bounds are those of memory."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.certainty import asked, estimate
from tests.certainty.worlds import simulated
from tests.effort import tries
from tests.parts.parts_cases import by_parts, in_memory
from tests.parts.test_part_answers import STEPS, frames, parts, same


@pytest.fixture(scope="module", autouse=True)
def few_people_are_enough():
    """Let estimates be made of the few people that random events have."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(asked, "LEAST_IDENTIFIED", 1)
        yield


def same_bounds(found, expected):
    pd.testing.assert_frame_equal(found.table, expected.table, check_exact=True)
    assert found.assumptions == expected.assumptions
    assert found.reasons == expected.reasons


def check_bounds(ask, given_frames, number):
    """Check that the bounds of an answer are those of memory, or refused as there."""
    s = in_memory(given_frames)
    with by_parts(given_frames, number) as p:
        both = same(lambda: ask(p), lambda: ask(s))
        if both is None:
            return
        pair = same(both[0].bounds, both[1].bounds)
        if pair is not None:
            same_bounds(*pair)


@given(
    frames(),
    st.fixed_dictionaries(
        {
            "steps": st.permutations(STEPS).flatmap(
                lambda names: st.sampled_from([names, names[:2]])
            ),
            "within": st.sampled_from(["1min", "5min"]),
        },
        optional={
            "entry": st.sampled_from(["first", "any"]),
            "ties": st.sampled_from(["best", "arrival"]),
            "tolerance": st.just("2min"),
            "start": st.just("2026-03-02 00:01"),
            "end": st.sampled_from(["2026-03-02 00:05", "2026-03-02"]),
            "by": st.just("plan"),
        },
    ),
    parts,
)
@tries(30)
def test_bounds_of_funnels_are_those_of_memory(given_frames, question, number):
    if given_frames:
        check_bounds(lambda s: s.funnel(**question), given_frames, number)


@pytest.fixture(scope="module")
def store():
    return simulated(300, seed=6, losses=ck.TrackingLoss(lost_tokens=0.4)).events


ANSWERS = {
    "funnel": lambda s: s.funnel(["PageView", "Added To Cart", "Placed Order"], within="14D"),
}


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("most", [20_000, 100])
def test_bounds_of_a_store_are_those_of_memory(store, name, most, monkeypatch):
    # Of more profiles than `most`, some stand for all.
    monkeypatch.setattr(estimate, "MOST_PROFILES", most)
    expected = ANSWERS[name](ck.stitch(store)).bounds()
    assert not expected.reasons
    for number in (1, 2, 7):
        with by_parts([store.head(len(store) // 2), store.tail(-(len(store) // 2))], number) as p:
            same_bounds(ANSWERS[name](p).bounds(), expected)


def test_a_segment_and_another_identity_are_refused_as_in_memory(store):
    def message(s, name):
        answer = ANSWERS[name](s.where(events={"event_name": "PageView"}))
        with pytest.raises(ck.ConvergekitError) as said:
            answer.bounds()
        return str(said.value)

    some = store.head(400)
    s = ck.stitch(some)
    with by_parts([some], 2) as p:
        for name in ANSWERS:
            assert message(p, name) == message(s, name)

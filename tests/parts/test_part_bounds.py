"""How sure answers by parts are: their bounds are those of memory."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.certainty import asked, estimate, numbers
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
            "by": st.sampled_from(["plan", "utm_source", ["plan", "source"]]),
            "top": st.just(1),
        },
    ),
    st.sampled_from(
        [
            None,
            {"profiles": ck.FirstSeen(start="2026-03-02 00:01")},
            {"profiles": ck.Did("Placed Order")},
            {"events": "source == 'web'"},
            {"profiles": ck.FirstSeen(end="2026-03-02 00:04"), "events": {"plan": ["a", "b"]}},
        ]
    ),
    parts,
)
@tries(30)
def test_bounds_of_funnels_are_those_of_memory(given_frames, question, segment, number):
    def ask(s):
        return (s if segment is None else s.where(**segment)).funnel(**question)

    if given_frames:
        check_bounds(ask, given_frames, number)


@given(
    frames(),
    st.fixed_dictionaries(
        {"model": st.sampled_from(["last_touch", "linear", "markov", ["shapley", "time_decay"]])},
        optional={
            "value": st.just("total_price"),
            "by": st.sampled_from(["channel", "utm_source"]),
            "lookback": st.just("2min"),
            "direct": st.just("last_resort"),
            "repeats": st.just("collapse"),
            "whole_days": st.just(True),
        },
    ),
    parts,
)
@tries(30)
def test_bounds_of_credits_are_those_of_memory(given_frames, question, number):
    if given_frames:
        check_bounds(lambda s: s.attribution("Placed Order", **question), given_frames, number)


@given(frames(), st.sampled_from(["on", "within", "on_or_after"]), parts)
@tries(20)
def test_bounds_of_retention_are_those_of_memory(given_frames, mode, number):
    if given_frames:
        check_bounds(lambda s: s.retention(freq="min", mode=mode), given_frames, number)


@given(frames(), parts)
@tries(20)
def test_bounds_of_customers_are_those_of_memory(given_frames, number):
    if given_frames:
        check_bounds(lambda s: s.customers(), given_frames, number)


@pytest.fixture(scope="module")
def store():
    losses = ck.TrackingLoss(lost_tokens=0.4)
    return ck.simulate_store(people=300, seed=6, losses=losses, spend=True)


@pytest.fixture(scope="module")
def stitched(store):
    """Return a store in memory, and in parts."""
    half = len(store.events) // 2
    halves = [store.events.head(half), store.events.tail(-half)]
    with by_parts(halves, 2) as two, by_parts(halves, 5) as five:
        yield ck.stitch(store.events), [two, five]


SOME = ck.FirstSeen(end="2026-03-20")
EUROS = ck.Step("Placed Order", where={"currency": "EUR"})
ANSWERS = {
    "funnel": lambda s, _: s.funnel(["PageView", "Placed Order"], within="14D"),
    "labels": lambda s, _: s.funnel(["PageView", "Placed Order"], within="14D", by="utm_source"),
    "segment": lambda s, _: s.where(profiles=SOME).funnel(
        ["PageView", "Placed Order"], within="14D"
    ),
    "attribution": lambda s, _: s.attribution(EUROS, value="total_price", model="markov"),
    "marketing": lambda s, spend: s.marketing(spend, conversion=EUROS),
    "retention": lambda s, _: s.retention(),
    "customers": lambda s, _: s.customers(EUROS),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_bounds_of_a_store_are_those_of_memory(store, stitched, name, monkeypatch):
    # Of more profiles than these, some stand for all.
    few = name in ("funnel", "labels", "segment")
    monkeypatch.setattr(estimate, "MOST_PROFILES", 100 if few else 20_000)
    monkeypatch.setattr(numbers, "MOST_PROFILES", 100 if few else 20_000)
    s, in_parts = stitched
    expected = ANSWERS[name](s, store.spend).bounds()
    assert not expected.reasons
    for p in in_parts:
        same_bounds(ANSWERS[name](p, store.spend).bounds(), expected)


@pytest.mark.parametrize("name", ["attribution", "marketing", "retention", "customers"])
def test_a_segment_is_refused_as_in_memory(store, name):
    def message(s):
        some = s.where(profiles={"has_browser_session": True})
        with pytest.raises(ck.ConvergekitError) as said:
            ANSWERS[name](some, store.spend).bounds()
        return str(said.value)

    few = store.events.head(600)
    with by_parts([few], 2) as p:
        assert message(p) == message(ck.stitch(few))

"""Journeys and credit by parts: those of memory, whatever is asked and whatever the parts."""

from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.attribution.question import MODELS
from tests.effort import tries
from tests.parts.parts_cases import by_parts, in_memory, same_frames
from tests.parts.test_part_answers import STEPS, frames, parts, same, step

some_steps = st.one_of(st.none(), step, st.lists(st.sampled_from(STEPS), min_size=1, max_size=2))
journeys = st.fixed_dictionaries(
    {},
    optional={
        "start": some_steps,
        "end": some_steps,
        "events": st.lists(st.sampled_from(STEPS), min_size=1, max_size=2),
        "max_steps": st.sampled_from([1, 3, 0]),
        "value": st.just("total_price"),
    },
)
identity = st.sampled_from([{}, {"identity": "as_of"}])
differences = st.fixed_dictionaries(
    {"min_profiles": st.just(1)},
    optional={
        "converters": st.sampled_from([*STEPS, "Nothing"]),
        "within": st.sampled_from(["1min", "5min"]),
        "properties": st.sampled_from([["plan"], ["plan", "utm_source"], ["nothing"]]),
    },
)


@given(frames(), journeys, differences, parts)
@tries(30)
def test_journeys_are_those_of_memory(given_frames, question, compared, number):
    if not given_frames:
        return
    s = in_memory(given_frames)
    with by_parts(given_frames, number) as p:
        both = same(lambda: p.journeys(**question), lambda: s.journeys(**question))
        if both is None:
            return
        found, expected = both
        assert str(found) == str(expected)
        for name in ("paths", "transitions", "times"):
            same_frames(getattr(found, name), getattr(expected, name))
        pair = same(lambda: found.differences(**compared), lambda: expected.differences(**compared))
        if pair is not None:
            assert repr(pair[0]) == repr(pair[1])
            assert pair[0].left_out == pair[1].left_out
            same_frames(pd.DataFrame(pair[0].table), pd.DataFrame(pair[1].table))


credit = st.fixed_dictionaries(
    {
        "conversion": st.sampled_from([*STEPS, ck.Step("PageView", where="plan == 'a'")]),
        "model": st.lists(st.sampled_from(MODELS), min_size=1, max_size=3),
    },
    optional={
        "value": st.just("total_price"),
        "lookback": st.sampled_from(["2min", "1D"]),
        "by": st.sampled_from(["utm_source", "source", "landing_page"]),
        "otherwise": st.just("channel"),
        "direct": st.just("last_resort"),
        "weights": st.just((0.5, 0.1, 0.4)),
        "half_life": st.just("1min"),
        "mixed_currencies": st.just(True),
        "touches": st.sampled_from(["paid"]),
        "repeats": st.just("collapse"),
        "timeout": st.just("1min"),
        "new_on": st.just(["utm_source"]),
        "visits": st.just(ck.VisitRules(midnight=True)),
    },
)


@given(frames(), credit, parts, identity)
@tries(30)
def test_credit_is_that_of_memory(given_frames, question, number, as_of):
    if not given_frames:
        return
    s = in_memory(given_frames, **as_of)
    with by_parts(given_frames, number, **as_of) as p:
        both = same(lambda: p.attribution(**question), lambda: s.attribution(**question))
        if both is not None:
            found, expected = both
            assert str(found) == str(expected)
            for name in ("credits", "effects", "table", "comparison"):
                same_frames(getattr(found, name), getattr(expected, name))


@given(frames(), credit, parts, identity)
@tries(15)
def test_what_stitching_moves_is_that_of_memory(given_frames, question, number, as_of):
    if not given_frames:
        return
    s = in_memory(given_frames, **as_of)
    with by_parts(given_frames, number, **as_of) as p:
        both = same(lambda: p.attribution_lift(**question), lambda: s.attribution_lift(**question))
        if both is not None:
            assert str(both[0]) == str(both[1])
            for name in ("table", "summary"):
                same_frames(getattr(both[0], name), getattr(both[1], name))


visits = st.fixed_dictionaries(
    {},
    optional={
        "timeout": st.sampled_from(["1min", "1h"]),
        "new_on": st.sampled_from([(), ["utm_source"]]),
        "conversion": st.sampled_from([*STEPS, ck.Step("PageView", where="plan == 'a'")]),
        "visits": st.sampled_from(
            [
                ck.VisitRules(midnight=True),
                ck.VisitRules(impressions=["PageView"]),
                ck.VisitRules(own_domains=["shop.example"]),
                "matomo",
            ]
        ),
    },
)


@given(frames(), visits, parts, identity)
@tries(20)
def test_sessions_are_those_of_memory(given_frames, question, number, as_of):
    if not given_frames:
        return
    s = in_memory(given_frames, **as_of)
    with by_parts(given_frames, number, **as_of) as p:
        both = same(lambda: p.sessions(**question), lambda: s.sessions(**question))
        if both is not None:
            same_frames(*map(pd.DataFrame, both))

"""Identity by parts: who is who, and why, is what it is in memory."""

from __future__ import annotations

import itertools

import networkx as nx
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from tests.effort import tries
from tests.parts.parts_cases import by_parts, in_memory, same_frames
from tests.parts.test_part_answers import same
from tests.parts.test_parts import known
from tests.parts.test_parts import options as stitching
from tests.store.store_cases import batches

parts = st.sampled_from([1, 2, 7])
events_asked = st.sampled_from(
    [
        "Placed Order",
        "Nothing",
        ["PageView", "Placed Order"],
        ck.Step("PageView", where={"event_id": "e1"}),
    ]
)


def both(ask, found, expected):
    """Ask both the same; None if both refuse it in the same words."""
    return same(lambda: ask(found), lambda: ask(expected))


def same_tables(ask, found, expected):
    """Check that a table is that of memory."""
    pair = both(ask, found, expected)
    if pair is not None:
        assert type(pair[0]) is type(pair[1])
        same_frames(*map(pd.DataFrame, pair))


def same_graphs(found, expected):
    """Check that two graphs are equal, in the order of their nodes and edges too."""
    assert list(found.nodes(data=True)) == list(expected.nodes(data=True))
    assert _edges(found) == _edges(expected)


def _edges(graph: nx.Graph):
    return [
        (one, other, {name: None if pd.isna(value) else value for name, value in data.items()})
        for one, other, data in graph.edges(data=True)
    ]


def check_identity(found, expected, event):
    """Check what is asked of all profiles."""
    same_tables(lambda s: s.alias_coverage(event), found, expected)
    same_tables(lambda s: s.property_coverage(event), found, expected)
    same_tables(lambda s: s.property_coverage(), found, expected)
    same_tables(lambda s: s.suspects, found, expected)
    same_tables(lambda s: s.refused_links, found, expected)
    same_tables(lambda s: s.profile_merges, found, expected)
    same_tables(lambda s: s.provenance("utm_source"), found, expected)
    same_tables(lambda s: s.provenance("nothing"), found, expected)
    pair = both(lambda s: s.orphans(event), found, expected)
    if pair is not None:
        same_frames(pair[0].events, pair[1].events)
        same_frames(pair[0].summary, pair[1].summary)
    same_graphs(found.alias_graph, expected.alias_graph)


def check_one_profile(found, expected, asked):
    """Check what is asked of one profile."""
    for alias in asked:
        same_tables(lambda s, alias=alias: s.profile(alias), found, expected)
        pair = both(lambda s, alias=alias: s.plot_profile_graph(alias), found, expected)
        if pair is not None:
            assert pair[0].to_dict() == pair[1].to_dict()
    for one, other in itertools.product(asked, asked):
        pair = both(lambda s, one=one, other=other: s.explain(one, other), found, expected)
        if pair is not None:
            assert str(pair[0]) == str(pair[1])
            assert pair[0].linked is pair[1].linked or pair[0].linked == pair[1].linked
            same_frames(pair[0].steps, pair[1].steps)
            same_frames(pair[0].refused, pair[1].refused)


ASKED = [
    "urn:cookie:c1",
    "urn:email:A@x.org",
    "urn:cart_token:t1",
    "c1",
    "a@X.org",
    "urn:email:q@x.org",
    "urn:phon:1",
    "p_0",
    "nobody",
]


@given(batches(), stitching, parts, events_asked)
@tries(40)
def test_identity_is_that_of_memory(frames, options, number, event):
    expected = known(frames, options) if frames else None
    if expected is None:
        return
    with by_parts(frames, number, **options) as found:
        check_identity(found, expected, event)


@given(batches(), stitching, parts, st.lists(st.sampled_from(ASKED), min_size=1, max_size=2))
@tries(30)
def test_a_profile_is_that_of_memory(frames, options, number, asked):
    expected = known(frames, options) if frames else None
    if expected is None:
        return
    ids = expected.profiles["profile_id"].tolist()[:1]
    with by_parts(frames, number, **options) as found:
        check_one_profile(found, expected, [*asked, *ids])


@pytest.mark.parametrize("number", [1, 2, 7])
def test_the_identity_of_a_store_is_that_of_memory(number):
    events = ck.simulate_store(people=60, seed=5).events
    frames = [events[:200], events[200:]]
    expected = in_memory(frames, limits={"email": 1})
    with by_parts(frames, number, limits={"email": 1}) as found:
        check_identity(found, expected, "Placed Order")
        aliases = expected.aliases[["alias_type", "alias_value"]].sample(3, random_state=1)
        urns = [f"urn:{kind}:{value}" for kind, value in aliases.itertuples(index=False)]
        check_one_profile(found, expected, urns)


@pytest.mark.parametrize("number", [2, 7])
def test_the_lift_of_a_store_is_that_of_memory(number):
    events = ck.simulate_store(people=60, seed=5).events
    frames = [events[:200], events[200:]]
    expected = in_memory(frames)
    steps = ["PageView", "Added To Cart", "Placed Order"]
    with by_parts(frames, number) as found:
        for asked in (
            {"within": "7D", "value": "total_price", "carried": "utm_source"},
            {"count": "visits", "carried": "nothing"},
        ):
            same_tables(lambda s, asked=asked: s.stitching_lift(steps, **asked), found, expected)

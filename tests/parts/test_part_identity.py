"""Identity by parts: who is who, and why, is what it is in memory."""

from __future__ import annotations

import itertools

import networkx as nx
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from tests.effort import tries
from tests.parts.parts_cases import by_parts, in_memory, same_frames
from tests.parts.test_part_answers import frames, same
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


def same_orphans(found, expected, event):
    pair = both(lambda s: s.orphans(event), found, expected)
    if pair is not None:
        same_frames(pair[0].events, pair[1].events)
        same_frames(pair[0].summary, pair[1].summary)


def of_table(ask):
    """Return a check that a table is that of memory."""
    return lambda found, expected, event: same_tables(lambda s: ask(s, event), found, expected)


QUESTIONS = {
    "alias_coverage": of_table(lambda s, event: s.alias_coverage(event)),
    "property_coverage": of_table(lambda s, event: s.property_coverage(event)),
    "property_coverage of all": of_table(lambda s, event: s.property_coverage()),
    "suspects": of_table(lambda s, event: s.suspects),
    "refused_links": of_table(lambda s, event: s.refused_links),
    "profile_merges": of_table(lambda s, event: s.profile_merges),
    "provenance": of_table(lambda s, event: s.provenance("utm_source")),
    "provenance of nothing": of_table(lambda s, event: s.provenance("nothing")),
    "orphans": same_orphans,
    "alias_graph": lambda s, t, event: same_graphs(s.alias_graph, t.alias_graph),
}


def check_identity(found, expected, event, questions=QUESTIONS):
    """Check what is asked of all profiles."""
    for name in questions:
        QUESTIONS[name](found, expected, event)


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
            assert pair[0].linked == pair[1].linked
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


@given(
    batches(),
    stitching,
    parts,
    events_asked,
    st.lists(st.sampled_from(list(QUESTIONS)), min_size=2, max_size=2),
)
@tries(30)
def test_identity_is_that_of_memory(batch, options, number, event, questions):
    expected = known(batch, options) if batch else None
    if expected is None:
        return
    with by_parts(batch, number, **options) as found:
        check_identity(found, expected, event, questions)


@given(batches(), stitching, parts, st.lists(st.sampled_from(ASKED), min_size=1, max_size=2))
@tries(15)
def test_a_profile_is_that_of_memory(batch, options, number, asked):
    expected = known(batch, options) if batch else None
    if expected is None:
        return
    ids = expected.profiles["profile_id"].tolist()[:1]
    with by_parts(batch, number, **options) as found:
        check_one_profile(found, expected, [*asked, *ids])


def test_the_identity_of_a_store_is_that_of_memory():
    events = ck.simulate_store(people=60, seed=5).events
    given_frames = [events[:200], events[200:]]
    expected = in_memory(given_frames, limits={"email": 1})
    with by_parts(given_frames, 3, limits={"email": 1}) as found:
        check_identity(found, expected, "Placed Order")
        aliases = expected.aliases[["alias_type", "alias_value"]].sample(2, random_state=1)
        urns = [f"urn:{kind}:{value}" for kind, value in aliases.itertuples(index=False)]
        check_one_profile(found, expected, urns)


lifted = st.fixed_dictionaries(
    {"within": st.sampled_from(["1min", "5min"])},
    optional={
        "value": st.just("total_price"),
        "carried": st.sampled_from(["utm_source", "nothing"]),
        "order": st.sampled_from(["strict", "any"]),
        "count": st.sampled_from(["attempts", "visits"]),
        "exclude": st.just("Added To Cart"),
        "hold": st.just("utm_source"),
        "like": st.sampled_from(["posthog", "clickhouse"]),
    },
)
last = st.sampled_from(
    ["Placed Order", "Nothing", ck.Step("Placed Order", where="plan == 'a'"), ["Placed Order"]]
)


@given(frames(), lifted, last, parts)
@tries(12)
def test_the_lift_is_that_of_memory(given_frames, asked, end, number):
    if not given_frames:
        return
    files = [f"events_{place}" for place in range(len(given_frames))]
    given_frames = [
        one.assign(source=name, file=f"{name}.csv")
        for one, name in zip(given_frames, files, strict=True)
    ]
    expected = in_memory(given_frames)
    with by_parts(given_frames, number) as found:
        same_tables(lambda s: s.stitching_lift(["PageView", end], **asked), found, expected)


@given(
    frames(),
    last,
    parts,
    st.fixed_dictionaries(
        {},
        optional={
            "value": st.just("total_price"),
            "carried": st.sampled_from(["utm_source", ["utm_source", "$initial_referrer"], "no"]),
        },
    ),
    st.sampled_from([["PageView"], ["Added To Cart", ck.Step("PageView", optional=True)], None]),
)
@tries(12)
def test_hindsight_is_that_of_memory(given_frames, event, number, asked, before):
    if not given_frames:
        return
    expected = in_memory(given_frames)
    if before is not None:
        asked = {**asked, "steps": [*before, event], "within": "5min"}
    with by_parts(given_frames, number) as found:
        pair = both(lambda s: s.hindsight(event, **asked), found, expected)
        if pair is not None:
            same_frames(pair[0].events, pair[1].events)
            same_frames(pair[0].summary, pair[1].summary)


def test_the_lift_and_hindsight_of_a_store_are_those_of_memory():
    events = ck.simulate_store(people=60, seed=5).events
    given_frames = [events[:200], events[200:]]
    expected = in_memory(given_frames)
    steps = ["PageView", "Added To Cart", "Placed Order"]
    with by_parts(given_frames, 3) as found:
        order = ck.Step("Placed Order", where="total_price > 5")
        pair = both(
            lambda s: s.hindsight(
                order,
                value="total_price",
                carried="utm_source",
                steps=["PageView", order],
                within="7D",
            ),
            found,
            expected,
        )
        same_frames(pair[0].events, pair[1].events)
        same_frames(pair[0].summary, pair[1].summary)
        assert len(pair[0].events)
        for asked in (
            {"within": "7D", "value": "total_price", "carried": "utm_source"},
            {"count": "visits", "carried": "nothing"},
        ):
            same_tables(lambda s, asked=asked: s.stitching_lift(steps, **asked), found, expected)


def test_a_part_without_events_does_not_say_first_what_is_wrong():
    events = pd.DataFrame(
        {
            "event_name": "PageView",
            "timestamp": ["soon", "2026-03-02"],
            "alias.cookie": ["a", "b"],
            "profile_properties.utm_source": "ads",
        }
    )
    expected = in_memory([events])
    with by_parts([events], 2) as found:
        assert [len(part) for part in found.events.frames()] == [0, 1]
        assert both(lambda s: s.hindsight("Nothing", carried="no"), found, expected) is None

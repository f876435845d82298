"""Limits on how much may merge, and the history of what did."""

from __future__ import annotations

import hashlib

import networkx as nx
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from tests.effort import tries
from tests.identity.reference_limits import LivePipeline, SlowProtected
from tests.identity.test_stitch_properties import by_row, partition
from tests.strategies import event_frames

limits = st.dictionaries(
    st.sampled_from(["email", "cart_token", "cookie"]), st.integers(1, 2), min_size=1
)
priorities = st.sampled_from([None, ["cookie", "email"]])
modes = st.sampled_from(["retroactive", "as_of"])
duplicate_modes = st.sampled_from(["drop", "merge"])


def protected(frame, limits, priority=None, **options):
    carried = {t for t in limits if frame[f"alias.{t}"].replace(["", "null"], None).notna().any()}
    if "aliases" in frame:
        carried |= {u.split(":")[1] for urns in frame["aliases"] for u in urns} & set(limits)
    limits = {name: n for name, n in limits.items() if name in carried}
    if priority is not None:
        options["alias_priority"] = priority
    try:
        return ck.stitch(frame, limits=limits, **options), limits
    except ck.UnknownNameError:
        # The only event that carries the type is a dropped copy.
        return ck.stitch(frame, **options), {}


def slow(frame, limits, priority, **options):
    more = {} if priority is None else {"priority": priority}
    return SlowProtected(frame, limits, **more, **options)


def shared_tablet():
    """Two customers log in on one tablet; each orders, and their order repeats the login."""
    return pd.DataFrame(
        {
            "event_name": ["PageView", "Placed Order", "PageView", "Placed Order"],
            "timestamp": [f"2026-03-0{day}T10:00:00Z" for day in (2, 3, 4, 5)],
            "alias.cookie": ["tablet", "tablet", "tablet", "tablet"],
            "alias.customer_id": [None, "ada", None, "bob"],
            "alias.email": [None, "ada@x.org", None, "bob@x.org"],
            "profile_properties.utm_source": ["ads", None, "mail", None],
        }
    )


def test_without_limits_two_customers_of_one_tablet_are_one_profile():
    s = ck.stitch(shared_tablet())
    assert len(s.profiles) == 1
    assert s.refused_links.empty


def test_a_limit_keeps_the_second_customer_and_their_order_apart():
    s = ck.stitch(shared_tablet(), limits={"customer_id": 1})
    assert partition(s) == {
        frozenset({("cookie", "tablet"), ("customer_id", "ada"), ("email", "ada@x.org")}),
        frozenset({("customer_id", "bob"), ("email", "bob@x.org")}),
    }
    profile = by_row(s, "profile_id")
    assert profile[0] == profile[1] == profile[2] != profile[3]
    # Bob's order carries nothing of what was said of the tablet's owner.
    assert by_row(s, "profile.utm_source") == {0: "ads", 1: "ads", 2: "mail", 3: None}


def test_refused_links_name_pair_event_limit_and_profiles():
    s = ck.stitch(shared_tablet(), limits={"Customer_ID": 1})
    refused = s.refused_links
    assert refused[["alias_a", "alias_b"]].to_numpy().tolist() == [
        ["urn:customer_id:bob", "urn:cookie:tablet"],
        ["urn:email:bob@x.org", "urn:cookie:tablet"],
    ]
    assert refused["row"].tolist() == [3, 3]
    assert refused["limited"].tolist() == ["customer_id", "customer_id"]
    assert refused["limit"].tolist() == [1, 1]
    assert refused["values"].tolist() == [2, 2]
    of = s.aliases.set_index("alias_value")["profile_id"]
    assert refused["profile_id_a"].tolist() == [of["bob"], of["bob"]]
    assert refused["profile_id_b"].tolist() == [of["tablet"], of["tablet"]]
    assert "links refused: 2 customer_id; see .refused_links" in str(s.report)


def test_explain_says_which_link_was_refused():
    s = ck.stitch(shared_tablet(), limits={"customer_id": 1})
    found = s.explain("urn:customer_id:ada", "urn:customer_id:bob")
    assert not found.linked
    assert found.refused["row"].tolist() == [3, 3]
    assert "not linked: limits refused to link them." in str(found)
    assert (
        "urn:customer_id:bob met urn:cookie:tablet on 'Placed Order' at 2026-03-05 10:00:00 UTC "
        "(row 3), which would have made 2 values of customer_id on one profile; the limit is 1."
    ) in str(found)


def test_a_higher_limit_allows_so_many():
    assert len(ck.stitch(shared_tablet(), limits={"customer_id": 2}).profiles) == 1


def test_the_priority_decides_whose_an_event_is():
    s = ck.stitch(
        shared_tablet(), limits={"customer_id": 1}, alias_priority=["cookie", "customer_id"]
    )
    profile = by_row(s, "profile_id")
    assert len(set(profile.values())) == 1
    assert by_row(s, "profile.utm_source")[3] == "mail"


def test_a_profile_whose_aliases_are_on_others_events_alone_is_listed():
    frame = shared_tablet().assign(**{"alias.user_id": [None, None, None, "u-bob"]})
    s = ck.stitch(frame, limits={"customer_id": 1, "user_id": 1, "email": 1, "cookie": 1})
    assert len(s.profiles) == 2
    frame = frame.assign(**{"alias.customer_id": [None, "ada", None, "ada"]})
    s = ck.stitch(frame, limits={"email": 1})
    # Bob's address is on one order of Ada's: it has a profile of its own, but no event.
    bob = s.profiles.iloc[-1]
    assert (bob["events"], bob["sources"], bob["aliases.email"]) == (0, 0, 1)
    assert bob["first_seen"] == pd.Timestamp("2026-03-05T10:00", tz="UTC")
    assert pd.isna(bob["profile.utm_source"])


def test_what_if_keeps_the_limits():
    s = ck.stitch(shared_tablet(), limits={"customer_id": 1})
    assert len(s.without("email").stitched.profiles) == 2
    assert len(s.without("customer_id").stitched.profiles) == 1
    other = s.without("urn:customer_id:ada").stitched
    assert partition(other) == partition(
        ck.stitch(shared_tablet(), limits={"customer_id": 1}, block=["urn:customer_id:ada"])
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"limits": {"customer_id": 0}}, "whole number of values from 1"),
        ({"limits": {"customer_id": True}}, "whole number of values from 1"),
        ({"limits": {"customer_id": 1.5}}, "whole number of values from 1"),
        ({"limits": ["customer_id"]}, 'such as {"customer_id": 1}'),
        ({"alias_priority": "email"}, "must be a list of alias types"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(ck.ConvergekitError, match=message):
        ck.stitch(shared_tablet(), **options)


def test_a_limit_for_an_unknown_type_names_the_nearest():
    with pytest.raises(ck.UnknownNameError, match="Did you mean 'customer_id'"):
        ck.stitch(shared_tablet(), limits={"customerid": 1})


@tries(100)
@given(event_frames(several=True), limits, priorities, duplicate_modes)
def test_profiles_and_refusals_equal_the_slow_definition(frame, limits, priority, duplicates):
    s, limits = protected(frame, limits, priority, duplicates=duplicates)
    expected = slow(frame, limits, priority, duplicates=duplicates)
    assert partition(s) == set(expected.profile.values())
    urns = [(a, b, row, t, n) for a, b, row, t, n in expected.refused]
    found = s.refused_links
    assert [
        (*(tuple(u.split(":", 2)[1:]) for u in (line.alias_a, line.alias_b)), line.row,
         line.limited, line.values)
        for line in found.itertuples()
    ] == urns  # fmt: skip
    for name, limit in limits.items():
        held = s.aliases[s.aliases["alias_type"] == name].groupby("profile_id").size()
        assert (held <= limit).all()


@tries(100)
@given(event_frames(several=True, unset=True), limits, priorities, modes, duplicate_modes)
def test_carried_values_equal_the_slow_definition(frame, limits, priority, identity, duplicates):
    options = {"identity": identity, "duplicates": duplicates}
    s, limits = protected(frame, limits, priority, **options)
    expected = slow(frame, limits, priority, **options)
    for name in expected.names:
        assert by_row(s, f"profile.{name}") == expected.carried(name), name


@given(event_frames(several=True), limits, duplicate_modes)
def test_the_alias_graph_leaves_refused_links_out(frame, limits, duplicates):
    s, _ = protected(frame, limits, duplicates=duplicates)
    components = {frozenset(part) for part in nx.connected_components(s.alias_graph)}
    assert components == {frozenset(f"urn:{t}:{v}" for t, v in part) for part in partition(s)}
    refused = s.refused_links
    assert not any(
        s.alias_graph.has_edge(a, b)
        for a, b in zip(refused["alias_a"], refused["alias_b"], strict=True)
    )


@tries(60)
@given(event_frames(received=False), limits, st.randoms(use_true_random=False))
def test_row_order_does_not_matter(frame, limits, random):
    frame["event_id"] = None
    frame["event_id"] = frame["event_id"].astype("str")
    order = list(range(len(frame)))
    random.shuffle(order)
    one, other = (protected(f, limits)[0] for f in (frame, frame.iloc[order]))
    assert partition(one) == partition(other)
    pd.testing.assert_frame_equal(
        one.refused_links.drop(columns=["row", "event_name"]),
        other.refused_links.drop(columns=["row", "event_name"]),
    )


@tries(30)
@given(event_frames(several=True), limits, modes, duplicate_modes)
def test_saved_and_read_back_is_the_same(tmp_path_factory, frame, limits, identity, duplicates):
    s, _ = protected(frame, limits, identity=identity, duplicates=duplicates)
    directory = tmp_path_factory.mktemp("stitched")
    s.to_parquet(directory)
    again = ck.read_stitched(directory)
    for name in ("events", "aliases", "profiles", "refused_links", "profile_merges"):
        pd.testing.assert_frame_equal(getattr(s, name), getattr(again, name))
    pd.testing.assert_frame_equal(s.provenance("utm_source"), again.provenance("utm_source"))
    assert nx.utils.graphs_equal(s.alias_graph, again.alias_graph)
    assert str(again.report) == str(s.report)


@tries(40)
@given(event_frames(several=True), limits, duplicate_modes)
def test_questions_about_identity_can_be_asked_under_limits(frame, limits, duplicates):
    s, _ = protected(frame, limits, duplicates=duplicates)
    for name in set(frame["event_name"]) & set(s.events["event_name"].dropna()):
        total = (s.events["event_name"] == name).sum()
        assert s.orphans(name).summary["events"].sum() == total
        assert s.alias_coverage(name)["reaches"].between(0, 1).all()
        assert len(s.hindsight(name, carried="utm_source").summary) == 2
    assert set(s.suspects["profile_id"]) <= set(s.profiles["profile_id"])


def test_a_merge_is_recorded_with_the_event_that_did_it():
    frame = pd.DataFrame(
        {
            "event_name": ["PageView", "Placed Order", "Logged In"],
            "timestamp": [f"2026-03-0{day}T10:00:00Z" for day in (2, 3, 4)],
            "alias.cookie": ["c", None, "c"],
            "alias.email": [None, "ada@x.org", "ada@x.org"],
        }
    )
    s = ck.stitch(frame)
    merges = s.profile_merges
    assert merges["row"].tolist() == [2]
    assert merges["event_name"].tolist() == ["Logged In"]
    assert merges["timestamp"].tolist() == [pd.Timestamp("2026-03-04T10:00", tz="UTC")]
    assert merges["new_profile_id"].tolist() == s.profiles["profile_id"].tolist()
    before = ck.stitch(frame.iloc[:2]).events["profile_id"]
    assert merges["old_profile_id"].tolist() == [before.iloc[1]]


def profile_id(alias_type, value):
    """The ID of a profile whose earliest alias this is, as docs/concepts.md defines it."""
    digest = hashlib.sha256(f"urn:{alias_type}:{value}".encode()).hexdigest()
    return f"p_{digest[:16]}"


@tries(100)
@given(event_frames(several=True), st.one_of(st.just({}), limits), duplicate_modes)
def test_merges_resolved_from_profiles_as_first_seen_are_the_final_profiles(
    frame, limits, duplicates
):
    s, limits = protected(frame, limits, duplicates=duplicates)
    live = LivePipeline(SlowProtected(frame, limits, duplicates=duplicates))
    id_of = {alias: profile_id(*alias) for alias in live.current}
    first_seen = pd.Series(
        {row: id_of[lead] for row, lead in live.first_seen_as.items()}, dtype="str"
    )
    final = by_row(s, "profile_id")
    became = dict(s.profile_merges[["old_profile_id", "new_profile_id"]].to_numpy())
    resolved = {}
    for row, found in first_seen.items():
        while found in became:
            found = became[found]
        resolved[row] = found
    assert resolved == {row: final[row] for row in live.first_seen_as}

    merges = s.profile_merges
    assert merges["old_profile_id"].is_unique
    assert merges["timestamp"].is_monotonic_increasing
    recorded = {(id_of[old], id_of[new]) for _, old, new in live.merges}
    assert set(zip(merges["old_profile_id"], merges["new_profile_id"], strict=True)) <= recorded
    final_ids = set(s.profiles["profile_id"])
    assert {id_of[old] for _, old, _ in live.merges} - final_ids == set(merges["old_profile_id"])


def test_long_chains_and_wide_stars_keep_to_their_limit():
    size = 20_000
    times = pd.Timestamp("2026-03-02", tz="UTC") + pd.to_timedelta(range(size), unit="s")
    base = pd.DataFrame({"event_name": "PageView", "timestamp": times})
    links = [[f"urn:link:v{i}", f"urn:link:v{i + 1}"] for i in range(size)]
    chain = ck.stitch(base.assign(aliases=links), limits={"link": 1000})
    held = chain.profiles["aliases.link"]
    assert held.sum() == size + 1
    assert held.max() == 1000
    star = base.assign(
        **{"alias.cookie": "kiosk", "alias.email": [f"{i}@x.org" for i in range(size)]}
    )
    star = ck.stitch(star, limits={"email": 3})
    assert len(star.profiles) == size - 2
    assert len(star.refused_links) == size - 3
    assert star.profiles["aliases.email"].max() == 3

"""What holds for every frame: invariants, and equality with the slow, obvious definition."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, note
from hypothesis import strategies as st

import convergekit as ck
from tests.effort import tries
from tests.identity.reference_stitch import SlowStitch
from tests.strategies import event_frames

modes = st.sampled_from(["retroactive", "as_of"])
duplicate_modes = st.sampled_from(["drop", "merge"])


def partition(s):
    """The profiles as sets of aliases."""
    pairs = s.aliases[["alias_type", "alias_value"]].itertuples(index=False, name=None)
    grouped = {}
    for profile_id, pair in zip(s.aliases["profile_id"], pairs, strict=True):
        grouped.setdefault(profile_id, set()).add(pair)
    return {frozenset(group) for group in grouped.values()}


def by_row(s, column):
    values = s.events[column].astype(object)
    return {
        row: None if pd.isna(value) else value
        for row, value in zip(s.events["row"], values, strict=True)
    }


@given(event_frames(unset=True), modes, duplicate_modes)
def test_rows_in_are_events_duplicates_and_rejected(frame, identity, duplicates):
    s = ck.stitch(frame, identity=identity, duplicates=duplicates)
    rows = [*s.events["row"], *s.duplicates["row"], *s.rejected["row"]]
    assert sorted(rows) == list(range(len(frame)))
    assert set(s.duplicates["kept_row"]) <= set(s.events["row"])


@given(event_frames(), duplicate_modes)
def test_profiles_are_the_components_of_the_alias_graph(frame, duplicates):
    s = ck.stitch(frame, duplicates=duplicates)
    components = {frozenset(part) for part in nx.connected_components(s.alias_graph)}
    urns = {frozenset(f"urn:{t}:{v}" for t, v in group) for group in partition(s)}
    assert components == urns
    assert partition(s) == SlowStitch(frame, duplicates=duplicates).partition()


@given(event_frames(), duplicate_modes)
def test_the_alias_graph_has_an_edge_for_each_pair_that_met_and_no_other(frame, duplicates):
    s = ck.stitch(frame, duplicates=duplicates)
    slow = SlowStitch(frame, duplicates=duplicates)
    met = Counter()
    for kept in slow.kept:
        urns = [f"urn:{t}:{v}" for t, v in slow.aliases(kept)]
        met.update(frozenset(pair) for pair in combinations(urns, 2))
    edges = s.alias_graph.edges(data="events")
    assert {frozenset([one, other]): events for one, other, events in edges} == met
    assert s.alias_graph.number_of_edges() == len(met)


@given(event_frames(), duplicate_modes)
def test_every_event_is_on_the_profile_of_its_aliases(frame, duplicates):
    s = ck.stitch(frame, duplicates=duplicates)
    slow = SlowStitch(frame, duplicates=duplicates)
    of_profile = {}
    for alias in s.aliases.itertuples():
        of_profile.setdefault(alias.profile_id, set()).add((alias.alias_type, alias.alias_value))
    found = {
        row: frozenset(of_profile[profile]) if profile else None
        for row, profile in by_row(s, "profile_id").items()
    }
    assert found == slow.profiles()


@tries(400)
@given(event_frames(unset=True), modes, duplicate_modes)
def test_carried_values_equal_the_slow_definition(frame, identity, duplicates):
    options = {"identity": identity, "duplicates": duplicates}
    s = ck.stitch(frame, first=("$initial_*",), **options)
    slow = SlowStitch(frame, first=("$initial_referrer",), **options)
    note(frame.to_string())
    for name in slow.names:
        assert by_row(s, f"profile.{name}") == slow.carried(name), name


@given(event_frames(distinct_times=True), st.randoms(use_true_random=False), modes)
def test_row_order_does_not_matter(frame, random, identity):
    frame["received_at"] = frame["timestamp"]
    order = list(range(len(frame)))
    random.shuffle(order)
    one = ck.stitch(frame, identity=identity)
    other = ck.stitch(frame.iloc[order], identity=identity)
    assert partition(one) == partition(other)
    pd.testing.assert_frame_equal(one.aliases, other.aliases)
    pd.testing.assert_frame_equal(one.profiles, other.profiles)
    back = other.events.assign(row=np.array(order, dtype=int)[other.events["row"]]).sort_values(
        "row"
    )
    pd.testing.assert_frame_equal(one.events, back.reset_index(drop=True))


@given(event_frames(), modes, duplicate_modes)
def test_stitching_the_events_again_changes_nothing(frame, identity, duplicates):
    once = ck.stitch(frame, identity=identity, duplicates=duplicates)
    if duplicates == "merge":
        # The copies' aliases are no longer on the events: only the partition of "drop" repeats.
        return
    twice = ck.stitch(once.events, identity=identity, duplicates=duplicates)
    pd.testing.assert_frame_equal(once.events.drop(columns="row"), twice.events.drop(columns="row"))
    assert not len(twice.duplicates)
    assert not len(twice.rejected)


@given(event_frames(received=False), event_frames(received=False))
def test_profile_ids_survive_later_events(early, late):
    late["timestamp"] += pd.Timedelta(days=1)
    early["event_id"] = late["event_id"] = pd.Series(dtype="str")
    before = ck.stitch(early).profiles.set_index("profile_id")["first_seen"]
    after = ck.stitch(pd.concat([early, late], ignore_index=True)).profiles
    # An old profile keeps its ID or merged into an older one; no new ID is as old as the data.
    old = set(after.loc[after["first_seen"] < late["timestamp"].min(), "profile_id"])
    if len(late):
        assert old <= set(before.index)
    else:
        assert set(after["profile_id"]) == set(before.index)


@given(event_frames(unset=True), modes, duplicate_modes)
def test_the_callers_frame_is_never_changed(frame, identity, duplicates):
    copy = frame.copy(deep=True)
    s = ck.stitch(frame, identity=identity, duplicates=duplicates)
    s.events["event_name"] = "changed"
    pd.testing.assert_frame_equal(frame, copy)


@given(event_frames(unset=True), modes, duplicate_modes)
def test_provenance_names_the_event_that_sent_the_value(frame, identity, duplicates):
    s = ck.stitch(frame, identity=identity, duplicates=duplicates)
    found = s.provenance("utm_source")
    sent = by_row(s, "profile_properties.utm_source")
    carried = {row: value for row, value in by_row(s, "profile.utm_source").items() if value}
    assert dict(zip(found["row"], found["value"], strict=True)) == carried
    for line in found.itertuples():
        assert sent[line.from_row] == line.value
    if identity == "retroactive":
        assert (found["age"] >= pd.Timedelta(0)).all()
    else:
        assert not found["hindsight"].any()


@given(event_frames(received=False, distinct_times=True))
def test_hindsight_is_what_a_live_pipeline_would_not_have_known(frame):
    s = ck.stitch(frame)
    live = by_row(ck.stitch(frame, identity="as_of"), "profile.utm_source")
    for line in s.provenance("utm_source").itertuples():
        if not line.hindsight:
            assert live[line.row] == line.value
        elif live[line.row] is not None:
            # A live pipeline had a value as well, but not from there.
            live_from = ck.stitch(frame, identity="as_of").provenance("utm_source")
            assert live_from.set_index("row").loc[line.row, "from_row"] != line.from_row


@tries(50)
@given(event_frames(unset=True), modes, duplicate_modes)
def test_saved_and_read_back_is_the_same(tmp_path_factory, frame, identity, duplicates):
    s = ck.stitch(frame, identity=identity, duplicates=duplicates, first="$initial_*")
    directory = tmp_path_factory.mktemp("stitched")
    s.to_parquet(directory)
    again = ck.read_stitched(directory)
    for name in ("events", "duplicates", "rejected", "aliases", "profiles"):
        pd.testing.assert_frame_equal(getattr(s, name), getattr(again, name))
    pd.testing.assert_frame_equal(s.provenance("utm_source"), again.provenance("utm_source"))
    assert nx.utils.graphs_equal(s.alias_graph, again.alias_graph)
    assert repr(again.report) == repr(s.report)
    assert again._repr_html_() == s._repr_html_()


@pytest.mark.parametrize("identity", ["retroactive", "as_of"])
def test_an_empty_frame_of_events_gives_an_empty_result(identity):
    frame = pd.DataFrame({"event_name": [], "timestamp": [], "alias.cookie": []})
    s = ck.stitch(frame, identity=identity)
    assert repr(s) == "Stitched(0 events, 0 duplicates, 0 rejected; 0 aliases, 0 profiles)"
    assert s.profiles.empty
    assert s.aliases.empty
    assert s.alias_graph.number_of_nodes() == 0
    assert "0" in s._repr_html_()

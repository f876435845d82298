"""A Stitched in the shape of Converge's two tables, and back."""

from __future__ import annotations

import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from tests.effort import tries


def tables(s, directory):
    return [
        pq.read_table(path).to_pandas(integer_object_nulls=True)
        for path in s.to_converge(directory)
    ]


def resolved(profile_id, merges):
    """Follow the merges one by one, as the documentation says."""
    into = dict(zip(merges["old_profile_id"], merges["new_profile_id"], strict=True))
    while profile_id in into:
        profile_id = into[profile_id]
    return profile_id


def same_partition(one, other):
    """Return whether two lists of labels part the same things in the same way."""
    pairs = set(zip(one, other, strict=True))
    return len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def number(profile_id):
    return int.from_bytes(bytes.fromhex(profile_id[2:]), "big", signed=True)


@pytest.fixture(scope="module")
def store():
    return ck.stitch(ck.simulate_store().events)


def test_the_columns_are_converges(store, tmp_path):
    events, merges = store.to_converge(tmp_path / "new" / "folder")
    schema = pq.read_schema(events)
    assert schema.names == [
        "id", "timestamp", "event_name", "profile_id", "event_properties", "profile_properties",
        "session_id", "session_properties", "source_id", "source_name",
    ]  # fmt: skip
    assert schema.field("timestamp").type == pa.timestamp("us")
    assert schema.field("profile_id").type == pa.int64()
    schema = pq.read_schema(merges)
    assert schema.names == ["timestamp", "old_profile_id", "new_profile_id"]
    assert schema.field("old_profile_id").type == pa.int64()


@pytest.mark.parametrize("identity", ["retroactive", "as_of"])
def test_read_back_it_gives_the_same_profiles(tmp_path, identity):
    s = ck.stitch(ck.simulate_store().events, identity=identity)
    s.to_converge(tmp_path)
    again = ck.stitch(ck.read_events(tmp_path / "*", format="converge_bigquery"))
    assert not len(again.rejected)
    assert not len(again.duplicates)
    theirs = again.events[again.events["kind"] == "track"]
    ours = s.events[s.events["kind"] == "track"]
    assert theirs["event_name"].tolist() == ours["event_name"].tolist()
    assert theirs["timestamp"].tolist() == ours["timestamp"].tolist()
    labels = [events["profile_id"].fillna("none").tolist() for events in (ours, theirs)]
    assert same_partition(*labels)
    prices = [events["properties.price"].tolist() for events in (ours, theirs)]
    assert pd.Series(prices[0]).equals(pd.Series(prices[1]))
    # Funnels are of profiles, so they are the same too.
    steps = ["PageView", "Added To Cart", "Placed Order"]
    funnels = [x.funnel(steps, within="7D").table["profiles"].tolist() for x in (s, again)]
    assert funnels[0] == funnels[1]


def test_profile_properties_are_those_known_by_then(store, tmp_path):
    events, _ = tables(store, tmp_path)
    live = ck.stitch(ck.simulate_store().events, identity="as_of").events
    live = live[live["kind"] == "track"].reset_index(drop=True)
    names = [c.removeprefix("profile.") for c in live if c.startswith("profile.")]
    for text, event in zip(events["profile_properties"], live.to_dict("records"), strict=True):
        known = {n: event[f"profile.{n}"] for n in names if not pd.isna(event[f"profile.{n}"])}
        assert json.loads(text) == known


def test_merges_lead_to_todays_profiles(store, tmp_path):
    events, merges = tables(store, tmp_path)
    ours = store.events[store.events["kind"] == "track"]["profile_id"]
    assert merges["old_profile_id"].is_unique
    assert (events["profile_id"].dropna() != [number(p) for p in ours.dropna()]).any()
    for then, now in zip(events["profile_id"], ours, strict=True):
        assert pd.isna(then) == pd.isna(now)
        if not pd.isna(now):
            assert resolved(then, merges) == number(now)


def test_an_event_has_the_id_of_its_time(tmp_path):
    def event(minute, **aliases):
        named = {f"alias.{name}": value for name, value in aliases.items()}
        return {"event_name": "A", "timestamp": f"2026-03-02T10:{minute:02}:00Z"} | named

    frame = pd.DataFrame([
        event(0, cookie="c"), event(1, email="a@x.org"), event(2, cookie="c", email="a@x.org"),
        event(3, email="a@x.org"), event(4),
    ])  # fmt: skip
    s = ck.stitch(frame)
    events, merges = tables(s, tmp_path)
    ids = events["profile_id"].tolist()
    alone = ck.stitch(frame[1:2]).events["profile_id"][0]
    assert ids[:4] == [number(i) for i in (s.events["profile_id"][0], alone)] + [ids[0]] * 2
    assert pd.isna(ids[4])
    assert merges.values.tolist() == [[pd.Timestamp("2026-03-02T10:02"), ids[1], ids[0]]]
    assert events["id"].tolist() == [f"row {row}" for row in range(5)]


def test_values_of_every_type(tmp_path):
    values = ["text", 'a "quote"\n', 2**60 + 1, 1.5, True, None, [1, {"a": None}], float("inf")]
    frame = pd.DataFrame({
        "event_name": "A", "timestamp": "2026-03-02", "alias.cookie": "c",
        "properties.x": pd.Series(values, dtype=object),
        "properties.whole": pd.Series([2**53 + 1, None] * 4, dtype="Int64"),
        "properties.when": pd.Timestamp("2026-01-01"),
    })  # fmt: skip
    events, _ = tables(ck.stitch(frame), tmp_path)
    found = [json.loads(text) for text in events["event_properties"]]
    assert [row.get("x") for row in found] == [*values[:5], None, values[6], None]
    assert found[0]["whole"] == 2**53 + 1
    assert "whole" not in found[1]
    assert found[0]["when"] == "2026-01-01 00:00:00"


def test_identify_calls_are_no_events_but_link(tmp_path):
    frame = pd.DataFrame({
        "event_name": ["A", None, "A"],
        "timestamp": ["2026-03-02", "2026-03-03", "2026-03-04"],
        "alias.cookie": ["c", "c", None],
        "alias.email": [None, "a@x.org", "a@x.org"],
        "profile_properties.plan": [None, "pro", None],
    })  # fmt: skip
    s = ck.stitch(frame)
    events, _ = tables(s, tmp_path)
    assert events["id"].tolist() == ["row 0", "row 2"]
    assert events["profile_properties"].tolist() == ["{}", '{"plan": "pro"}']
    assert len(ck.stitch(ck.read_events(tmp_path / "*")).profiles) == 1


def test_what_came_from_converge_goes_back_under_its_own_names(tmp_path):
    frame = pd.DataFrame([{
        "id": "e1", "timestamp": "2026-03-02T10:00:00", "event_name": "A", "profile_id": 7,
        "event_properties": '{"price": 3}', "profile_properties": "{}", "session_id": "s1",
        "session_properties": '{"$landing": "/"}', "source_id": "pixel_1", "source_name": "Pixel",
    }])  # fmt: skip
    events, _ = tables(ck.stitch(ck.read_events(frame)), tmp_path)
    again = events.iloc[0].drop(["profile_id", "timestamp"]).to_dict()
    assert again == frame.iloc[0].drop(["profile_id", "timestamp"]).to_dict()


def test_nothing_is_overwritten_unasked(store, tmp_path):
    store.to_converge(tmp_path)
    with pytest.raises(FileExistsError, match=r"already holds events\.parquet"):
        store.to_converge(tmp_path)
    assert len(store.to_converge(tmp_path, overwrite=True)) == 2


def test_nothing_at_all(tmp_path):
    frame = pd.DataFrame({"event_name": [], "timestamp": [], "alias.cookie": []})
    events, merges = tables(ck.stitch(frame), tmp_path)
    assert len(events) == len(merges) == 0
    frame = pd.DataFrame({"event_name": ["A"], "timestamp": ["2026-03-02"], "alias.cookie": [None]})
    assert tables(ck.stitch(frame), tmp_path / "one")[0]["profile_id"].isna().all()


aliases = st.sampled_from(["c1", "c2", "c3", "c4", None])
rows = st.tuples(
    st.integers(0, 5), st.integers(0, 9), aliases, st.sampled_from(["u1", "u2", "u3", None])
)


@tries(60)
@given(
    st.lists(rows, min_size=1, max_size=12), st.sampled_from([{}, {"user_id": 1}]), st.booleans()
)
def test_any_history_is_told_right(tmp_path_factory, rows, limits, merge):
    frame = pd.DataFrame(
        [
            {
                "event_name": "A",
                "event_id": f"e{i // 2}" if merge else f"e{i}",
                "timestamp": f"2026-03-0{1 + day}",
                "received_at": f"2026-03-1{arrived}",
                "alias.cookie": cookie,
                "alias.user_id": user,
            }
            for i, (day, arrived, cookie, user) in enumerate(rows)
        ]
    )
    limits = limits if frame["alias.user_id"].notna().any() else {}
    s = ck.stitch(frame, limits=limits, duplicates="merge" if merge else "drop")
    events, merges = tables(s, tmp_path_factory.mktemp("any"))
    for then, now in zip(events["profile_id"], s.events["profile_id"], strict=True):
        assert pd.isna(then) == pd.isna(now)
        if not pd.isna(now):
            assert resolved(then, merges) == number(now)
    if limits or merge:
        return
    # What a pipeline would have said that saw the events up to this one alone.
    arrival = frame["received_at"].sort_values(kind="stable").index
    for seen, row in enumerate(arrival, start=1):
        live = ck.stitch(frame.loc[sorted(arrival[:seen])]).events
        place = sorted(arrival[:seen]).index(row)
        expected, found = live["profile_id"].iloc[place], events["profile_id"].iloc[row]
        assert pd.isna(expected) == pd.isna(found)
        assert pd.isna(expected) or number(expected) == found

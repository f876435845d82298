"""Which people differ between two stitchings, and by which alias."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import convergekit as ck
from tests.effort import tries


def frame(**labels):
    """Return a frame of rows from 0 and the profile of each."""
    return pd.DataFrame({"row": range(len(labels["ids"])), "profile_id": labels["ids"]})


def events(*aliases):
    """Return one event per mapping of alias types, a minute apart."""
    return pd.DataFrame(
        [
            {"event_name": "A", "event_id": f"e{i}", "timestamp": f"2026-03-02T10:{i:02}:00Z"}
            | {f"alias.{name}": value for name, value in named.items()}
            for i, named in enumerate(aliases)
        ]
    )


def test_a_blocked_alias_splits_what_it_joined():
    given = events(
        {"cookie": "c", "cart": "t"}, {"cart": "t", "email": "a@x.org"}, {"email": "a@x.org"},
        {"cookie": "other"},
    )  # fmt: skip
    whole, apart = ck.stitch(given), ck.stitch(given, block=["urn:cart:t"])
    found = ck.compare_profiles(whole, apart)
    assert repr(found) == "ProfileComparison(4 events by row; 1 split)"
    row = found.table.iloc[0]
    assert row[["difference", "change", "events", "alias", "joined_in"]].tolist() == [
        1, "split", 3, "urn:cart:t", "a",
    ]  # fmt: skip
    ids = whole.events["profile_id"], apart.events["profile_id"]
    assert row["profiles_a"] == [ids[0][0]]
    assert row["profiles_b"] == [ids[1][0], ids[1][1]]
    assert found.events["row"].tolist() == [0, 1, 2]
    assert found.events["profile_id_b"].tolist() == ids[1][:3].tolist()
    assert found.events["event_name"].tolist() == ["A"] * 3
    back = ck.compare_profiles(apart, whole)
    assert back.table[["change", "alias", "joined_in"]].values.tolist() == [
        ["merged", "urn:cart:t", "b"]
    ]
    assert "merged" in back._repr_html_()


def test_a_limit_names_the_shared_device():
    given = events(
        {"cookie": "kiosk", "user_id": "u1"}, {"cookie": "kiosk", "user_id": "u2"},
        {"user_id": "u2"}, {"cookie": "kiosk"},
    )  # fmt: skip
    found = ck.compare_profiles(ck.stitch(given), ck.stitch(given, limits={"user_id": 1}))
    assert found.table[["change", "alias", "joined_in"]].values.tolist() == [
        ["split", "urn:cookie:kiosk", "a"]
    ]
    assert "urn:user_id:u2" not in found.aliases["alias"].tolist()


def test_the_same_people_under_other_names_are_no_difference():
    assert not len(ck.compare_profiles(frame(ids=["a", "a", "b"]), frame(ids=[7, 7, 3])).table)
    s = ck.stitch(ck.simulate_store().events)
    same = ck.compare_profiles(s, s)
    assert repr(same) == "ProfileComparison(434 events by row; the same profiles)"
    assert len(same.events) == len(same.aliases) == 0


def test_moved_is_neither_split_nor_merged():
    found = ck.compare_profiles(frame(ids=["a", "a", "b", "b"]), frame(ids=["p", "q", "q", "q"]))
    assert found.table["change"].tolist() == ["moved"]
    assert found.table["profiles_a"].tolist() == [["a", "b"]]
    assert found.table["profiles_b"].tolist() == [["p", "q"]]
    assert found.table["alias"].isna().all()


def test_an_event_without_a_profile_is_alone():
    one = frame(ids=["a", "a", None, None])
    assert not len(ck.compare_profiles(one, one).table)
    found = ck.compare_profiles(one, frame(ids=["a", None, None, None]))
    assert found.table[["change", "events"]].values.tolist() == [["split", 2]]
    assert found.table["profiles_b"].tolist() == [["a"]]


def test_the_most_affected_come_first():
    found = ck.compare_profiles(frame(ids=[1, 1, 2, 2, 2, 3]), frame(ids=[1, 4, 2, 5, 5, 3]))
    assert found.table["events"].tolist() == [3, 2]
    assert found.events["difference"].tolist() == [1, 1, 1, 2, 2]
    assert found.events["row"].tolist() == [2, 3, 4, 0, 1]


def test_what_came_later_changes_who_is_who():
    given = ck.simulate_store().events
    early = ck.stitch(given.head(200))
    found = ck.compare_profiles(early, ck.stitch(given), on="event_id")
    assert found.on == "event_id"
    assert found.left_out > 0
    assert set(found.table["change"]) == {"merged"}
    assert (found.table["joined_in"] == "b").all()
    assert found.table["alias"].str.startswith("urn:").all()


def test_converges_own_table_against_ours(tmp_path):
    s = ck.stitch(ck.simulate_store().events)
    own = pd.read_parquet(s.to_converge(tmp_path)[0]).rename(columns={"id": "event_id"})
    # Before its merges are followed, it knows fewer of the links.
    found = ck.compare_profiles(own, s)
    assert set(found.table["change"]) == {"merged"}
    assert (found.table["joined_in"] == "b").all()


def test_errors_say_what_to_do():
    good = frame(ids=["a"])
    with pytest.raises(ck.ColumnError, match="`b` has no column 'profile_id'. Found: row"):
        ck.compare_profiles(good, good[["row"]])
    with pytest.raises(ck.ColumnError, match="`a` has no column 'event_id'.*Name another with on="):
        ck.compare_profiles(good, good.rename(columns={"row": "event_id"}))
    with pytest.raises(ck.ConvergekitError, match="`a` has two events with the row '0'"):
        ck.compare_profiles(pd.concat([good, good]), good)
    with pytest.raises(ck.ConvergekitError, match="no event in common"):
        ck.compare_profiles(good, good.assign(row=5))
    with pytest.raises(ck.ConvergekitError, match="`a` must be a Stitched.*got a list"):
        ck.compare_profiles([], good)
    assert not len(ck.compare_profiles(good.head(0), good).table)
    s = ck.stitch(events({"cookie": "c"}))
    assert not len(ck.compare_profiles(s, good.head(0)).table)


labels = st.lists(
    st.tuples(st.sampled_from([*"abcd", None]), st.sampled_from([*"pqrs", None])), max_size=12
)


@tries(60)
@given(labels)
def test_any_two_assignments(pairs):
    one, other = ([pair[i] for pair in pairs] for i in (0, 1))
    found = ck.compare_profiles(frame(ids=one), frame(ids=other))

    def together(ids, row):
        return {i for i, label in enumerate(ids) if i == row or (label and label == ids[row])}

    expected = {i for i in range(len(pairs)) if together(one, i) != together(other, i)}
    assert set(found.events["row"]) == expected
    assert found.table["events"].sum() == len(expected)
    for difference in found.table.itertuples():
        rows = found.events["row"][found.events["difference"] == difference.difference]
        counts = [len({frozenset(together(ids, row)) for row in rows}) for ids in (one, other)]
        expected_change = "split" if counts[0] == 1 else "merged" if counts[1] == 1 else "moved"
        assert difference.change == expected_change
        for ids, listed in ((one, difference.profiles_a), (other, difference.profiles_b)):
            assert sorted(listed) == sorted({ids[row] for row in rows} - {None})


alias = st.sampled_from(["1", "2", "3", None])


@tries(40)
@given(st.lists(st.tuples(alias, alias, alias), min_size=1, max_size=10), alias.filter(bool))
def test_a_joining_alias_is_always_found(rows, blocked):
    # block= names an alias type that some event carries.
    assume(any(cart for _, cart, _ in rows))
    given = events(*({"cookie": c, "cart": t, "email": e} for c, t, e in rows))
    whole, apart = ck.stitch(given), ck.stitch(given, block=[f"urn:cart:{blocked}"])
    found = ck.compare_profiles(whole, apart)
    assert set(found.table["change"]) <= {"split"}
    assert (found.table["joined_in"] == "a").all()
    for row in found.aliases.itertuples():
        name, value = row.alias.split(":")[1:]
        carrying = np.flatnonzero(given[f"alias.{name}"] == value)
        apart_ids = apart.events["profile_id"][carrying]
        assert row.events == len(carrying)
        assert row.profiles == apart_ids.nunique() + apart_ids.isna().sum() > 1

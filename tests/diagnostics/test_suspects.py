"""Suspects: found as the slow definition finds them, their cuts proven by taking them out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, note
from hypothesis import strategies as st

import convergekit as ck
from convergekit.diagnostics import graph_cuts as cuts
from convergekit.identity.alias_rules import split_urn
from tests.diagnostics.disturbed_stores import (
    add_second_addresses,
    cache_tokens,
    disturbed,
    measure,
)
from tests.diagnostics.reference_suspects import SlowProfile
from tests.effort import tries
from tests.strategies import START

NAMED = ("email:a", "email:b", "email:c", "customer_id:1", "customer_id:2", "phone:+1")
NAMELESS = ("cookie:c1", "cookie:c2", "cookie:c3", "cart_token:t1", "cart_token:t2", "device:d")
DTYPES = {
    "profile_id": "str",
    "evidence": "str",
    "aliases.customer_id": "int64",
    "aliases.user_id": "int64",
    "aliases.email": "int64",
    "aliases.phone": "int64",
    "events": "int64",
    "aliases": "int64",
    "cut_kind": "str",
    "cut": "object",
    "cut_rows": "object",
    "separates": "object",
    "parts": "int64",
    "largest_parts": "object",
    "reason": "str",
    "repair": "str",
}


def frame_of(*carried, **columns):
    """One event a minute, each with the aliases in its text."""
    return pd.DataFrame(
        {
            "event_name": "Placed Order",
            "timestamp": [START + pd.Timedelta(minutes=i) for i in range(len(carried))],
            "aliases": [[f"urn:{alias}" for alias in text.split()] for text in carried],
            **columns,
        }
    )


def only_suspect(*carried):
    suspects = ck.stitch(frame_of(*carried)).suspects
    assert len(suspects) == 1
    return suspects.iloc[0]


@st.composite
def crowds(draw, max_rows=9):
    """Frames in which few people meet under shared aliases, with repeated event IDs."""
    named = st.lists(st.sampled_from(NAMED), max_size=2, unique=True)
    nameless = st.lists(st.sampled_from(NAMELESS), max_size=2, unique=True)
    rows = draw(st.lists(st.tuples(named, nameless), max_size=max_rows))
    ids = st.one_of(st.none(), st.sampled_from(["e1", "e2"]))
    event_ids = draw(st.lists(ids, min_size=len(rows), max_size=len(rows)))
    texts = [" ".join(one + other) for one, other in rows]
    return frame_of(*texts, event_id=pd.Series(event_ids, dtype="str"))


def event_sets(s, frame):
    """The aliases of every kept event, merged copies' among them."""
    found = s.tables.resolution.aliases
    sets = [set() for _ in range(len(s.events))]
    for event, name in zip(found.event, found.urns(found.alias), strict=True):
        sets[event].add(split_urn(name))
    return sets


def repaired(suspect, events):
    """Run the repair as it is written."""
    call = suspect.repair.replace("(..., ", "(events, ").replace(", ...)", ")")
    return eval(call, {"ck": ck, "events": events})


def profile_of(s, name):
    alias_type, value = split_urn(name)
    table = s.aliases
    found = table[(table["alias_type"] == alias_type) & (table["alias_value"] == value)]
    return found["profile_id"].iloc[0] if len(found) else f"none: {name}"


@tries(200)
@given(crowds(), st.sampled_from(["drop", "merge"]))
def test_suspects_and_the_size_of_their_cuts_are_those_of_the_slow_definition(frame, duplicates):
    s = ck.stitch(frame, duplicates=duplicates)
    sets = event_sets(s, frame)
    found = {profile_of(s, f"urn:{t}:{v}"): p for p in SlowProfile.all_of(sets)
             for t, v in p.aliases[:1]}  # fmt: skip
    note(s.suspects.to_string())
    expected = {key: p.evidence for key, p in found.items() if p.evidence}
    assert dict(s.suspects[["profile_id", "evidence"]].itertuples(index=False)) == expected
    for suspect in s.suspects.itertuples():
        slow = found[suspect.profile_id]
        if suspect.evidence == "shared token":
            assert split_urn(*suspect.cut) in slow.tokens_of_many_browsers()
        elif slow.has_several_logins():
            assert suspect.cut_kind == "alias"
            assert len(suspect.cut) == slow.smallest_alias_cut()
        elif slow.login_hubs():
            assert split_urn(*suspect.cut) in slow.login_hubs()
        else:
            assert suspect.cut_kind == "event"
            assert len(suspect.cut_rows) == slow.smallest_event_cut()


@tries(100)
@given(crowds(max_rows=14))
def test_the_repair_as_written_separates_the_two_values(frame):
    s = ck.stitch(frame)
    for _, suspect in s.suspects.iterrows():
        one, other = suspect["separates"]
        assert split_urn(one)[0] == split_urn(other)[0]
        again = repaired(suspect, frame)
        assert profile_of(s, one) == profile_of(s, other) == suspect["profile_id"]
        assert profile_of(again, one) != profile_of(again, other)
        held = s.aliases[s.aliases["profile_id"] == suspect["profile_id"]]
        names = ("urn:" + held["alias_type"] + ":" + held["alias_value"]).tolist()
        parts = {profile_of(again, name) for name in names}
        assert len({part for part in parts if part.startswith("p_")}) == suspect["parts"]
        listed = suspect["largest_parts"]
        assert len(listed) == min(suspect["parts"], 3)
        for part in listed:
            for name in part["logins"]:
                profile = again.profiles.set_index("profile_id").loc[profile_of(again, name)]
                assert (profile["aliases"], profile["events"]) == (part["aliases"], part["events"])


@tries(100)
@given(crowds(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(frame, random):
    order = list(range(len(frame)))
    random.shuffle(order)
    received = frame.assign(received_at=frame["timestamp"], place=np.arange(len(frame)))
    one, other = ck.stitch(received), ck.stitch(received.iloc[order].reset_index(drop=True))
    columns = [c for c in DTYPES if c not in ("cut_rows", "reason", "repair")]
    pd.testing.assert_frame_equal(one.suspects[columns], other.suspects[columns])
    back = [sorted(order[row] for row in rows) for rows in other.suspects["cut_rows"]]
    assert [sorted(rows) for rows in one.suspects["cut_rows"]] == back


@given(
    st.lists(
        st.lists(
            st.sampled_from(
                ["email:a", "customer_id:1", "user_id:9", "phone:+1"]
                + [f"cookie:c{i}" for i in range(4)]
                + [f"cart_token:t{i}" for i in range(20)]
            ),
            max_size=5,
        ),
        max_size=40,
    )
)
def test_one_person_with_many_orders_is_never_a_suspect(rows):
    assert ck.stitch(frame_of(*(" ".join(row) for row in rows))).suspects.empty


def test_one_person_on_many_devices_is_no_suspect():
    devices = [f"cookie:c{i} email:ada@x.org" for i in range(30)]
    carts = [f"cookie:c{i % 30} cart_token:t{i}" for i in range(90)]
    orders = [f"cart_token:t{i} email:ada@x.org customer_id:7" for i in range(90)]
    assert ck.stitch(frame_of(*devices, *carts, *orders)).suspects.empty


def test_a_shared_cart_token_is_blamed_and_not_the_carts_own_aliases():
    people = [f"cookie:c{i} cart_token:cached" for i in range(6)]
    orders = [f"cookie:c{i} checkout_token:o{i} email:p{i}@x.org customer_id:{i + 1}"
              for i in range(6)]  # fmt: skip
    suspect = only_suspect(*people, *orders)
    assert suspect["evidence"] == "strong"
    assert suspect["cut"] == ["urn:cart_token:cached"]
    assert suspect["parts"] == 6
    assert suspect["repair"] == 'ck.stitch(..., block=["urn:cart_token:cached"])'
    assert suspect["reason"] == (
        "The profile holds 6 customer_id values and 6 email values; urn:cart_token:cached alone "
        "joins urn:customer_id:1 to urn:customer_id:2."
    )
    assert suspect["largest_parts"][0] == {
        "events": 2,
        "aliases": 4,
        "login_values": 2,
        "logins": ["urn:customer_id:1", "urn:email:p0@x.org"],
    }


def test_two_addresses_on_one_cookie_are_weak_evidence():
    suspect = only_suspect("cookie:c email:home@x.org", "cookie:c email:work@x.org customer_id:7")
    assert suspect["evidence"] == "weak"
    assert suspect["cut"] == ["urn:cookie:c"]
    assert suspect["reason"].endswith("One person may well have two.")


def test_two_addresses_of_one_account_are_weak_and_the_account_is_not_blamed():
    suspect = only_suspect(
        *["email:home@x.org customer_id:7"] * 3, "email:work@x.org customer_id:7"
    )
    assert suspect["evidence"] == "weak"
    assert (suspect["cut"], suspect["cut_rows"]) == ([], [3])


def test_a_shop_assistants_account_on_everybodys_orders_is_blamed():
    suspect = only_suspect(*(f"user_id:till email:p{i}@x.org" for i in range(3)))
    assert suspect["evidence"] == "strong"
    assert suspect["cut"] == ["urn:user_id:till"]
    assert suspect["parts"] == 3


def test_an_order_with_two_peoples_data_is_blamed_with_all_its_copies():
    orders = ["email:a customer_id:1", "email:b customer_id:2"]
    both = "email:a email:b customer_id:1 customer_id:2"
    frame = frame_of(*orders, both, both, event_id=["o1", "o2", "o3", "o3"])
    suspect = ck.stitch(frame).suspects.iloc[0]
    assert (suspect["cut_kind"], suspect["cut"], suspect["cut_rows"]) == ("event", [], [2])
    assert suspect["repair"] == "ck.stitch(events.drop(index=events.index[[2, 3]]), ...)"
    assert "no alias is to blame but row 2 ('Placed Order' at 2026" in suspect["reason"]
    assert len(repaired(suspect, frame).profiles) == 2


def test_two_shared_browsers_are_blamed_together():
    suspect = only_suspect(
        "cookie:c1 email:a", "cookie:c2 email:a", "cookie:c1 email:b", "cookie:c2 email:b"
    )
    assert suspect["cut"] == ["urn:cookie:c1", "urn:cookie:c2"]
    assert "2 aliases together join urn:email:a to urn:email:b" in suspect["reason"]


def test_every_pair_of_values_is_tried_for_the_smallest_cut():
    near = [f"cookie:c{i} email:{person}" for i in range(3) for person in "ab"]
    far = [f"cookie:d{i} email:{person}" for i in range(2) for person in "bz"]
    suspect = only_suspect(*near, *far)
    assert suspect["cut"] == ["urn:cookie:d0", "urn:cookie:d1"]
    assert set(suspect["separates"]) == {"urn:email:a", "urn:email:z"}


def test_a_cut_that_may_not_be_the_smallest_says_so(monkeypatch):
    carried = [f"cookie:k{i} email:{person}" for i in range(3) for person in "abc"]
    assert "Fewer might do" not in only_suspect(*carried)["reason"]
    monkeypatch.setattr(cuts, "MOST_WORK", 1)
    suspect = only_suspect(*carried)
    assert suspect["cut"] == ["urn:cookie:k0", "urn:cookie:k1", "urn:cookie:k2"]
    assert suspect["reason"].endswith("Fewer might do: not every pair could be tried.")


@pytest.mark.parametrize("kiosks", [cuts.LARGEST_CUT, cuts.LARGEST_CUT + 1])
def test_a_cut_that_is_too_large_is_not_named(kiosks):
    carried = [f"cookie:k{i} email:{person}" for i in range(kiosks) for person in "ab"]
    suspect = only_suspect(*carried)
    if kiosks <= cuts.LARGEST_CUT:
        assert (suspect["cut_kind"], len(suspect["cut"]), suspect["parts"]) == ("alias", kiosks, 2)
        return
    assert pd.isna(suspect["cut_kind"])
    assert pd.isna(suspect["repair"])
    assert (suspect["cut"], suspect["separates"], suspect["parts"]) == ([], [], 1)
    assert "no cut of 1,000 or fewer was found" in suspect["reason"]


def test_of_equally_small_cuts_the_alias_on_most_events_is_blamed():
    visits = ["cookie:c"] * 3
    suspect = only_suspect("cart_token:t email:a", "cart_token:t cookie:c", "cookie:c email:b",
                           *visits)  # fmt: skip
    assert suspect["cut"] == ["urn:cookie:c"]
    both = ["cookie:c email:b", "cookie:d email:b", *visits, *["cookie:d"] * 3]
    carts = ["cart_token:t cookie:c", "cart_token:u cookie:d"]
    orders = ["cart_token:t email:a", "cart_token:u email:a"]
    suspect = only_suspect(*orders, *carts, *both)
    assert suspect["cut"] == ["urn:cookie:c", "urn:cookie:d"]


def test_a_token_in_many_browsers_is_suspicious_without_logins():
    carried = [f"cookie:c{i} cart_token:cached" for i in range(5)]
    suspect = only_suspect(*carried)
    assert suspect["evidence"] == "shared token"
    assert suspect["cut"] == ["urn:cart_token:cached"]
    assert suspect["separates"] == ["urn:cookie:c0", "urn:cookie:c1"]
    assert suspect["reason"].startswith("urn:cart_token:cached alone joins 5 profiles, each under")
    assert ck.stitch(frame_of(*carried[:4])).suspects.empty
    # A login that joins the browsers as well explains them.
    explained = [f"{aliases} email:ada@x.org" for aliases in carried]
    assert ck.stitch(frame_of(*explained)).suspects.empty


def test_the_browsers_are_those_of_the_browsers_alias_type():
    frame = frame_of(*(f"device:d{i} cart_token:cached" for i in range(5)))
    assert ck.stitch(frame).suspects.empty
    assert len(ck.stitch(frame, browser_alias="device").suspects) == 1


def test_strong_evidence_comes_first():
    found = ck.stitch(
        frame_of(
            "cookie:w email:w1", "cookie:w email:w2",
            *(f"cookie:k{i} cart_token:cached" for i in range(5)),
            *(f"cookie:s email:s{i}" for i in range(3)),
            *(f"cookie:m email:m{i} customer_id:{i}" for i in range(1, 9)),
        )
    ).suspects  # fmt: skip
    assert found["evidence"].tolist() == ["strong", "strong", "shared token", "weak"]
    assert found["aliases.email"].tolist() == [8, 3, 0, 2]


@pytest.mark.parametrize("carried", [[], [""], ["cookie:c"], ["email:a"], ["email:a cookie:c"]])
def test_the_columns_are_the_same_without_suspects(carried):
    suspects = ck.stitch(frame_of(*carried)).suspects
    assert suspects.empty
    assert {name: str(dtype) for name, dtype in suspects.dtypes.items()} == DTYPES
    full = only_suspect("cookie:c email:a", "cookie:c email:b")
    assert list(full.index) == list(DTYPES)


def test_saved_and_read_back_the_suspects_are_the_same(tmp_path):
    frame = frame_of("cookie:c email:a", "cookie:c email:b", "email:d email:e customer_id:1")
    s = ck.stitch(frame)
    s.to_parquet(tmp_path)
    pd.testing.assert_frame_equal(s.suspects, ck.read_stitched(tmp_path).suspects)


def test_the_report_says_where_to_look():
    frame = frame_of("cookie:c email:a", "cookie:c email:b")
    assert "several values of: 1 email on one profile; see .suspects" in str(
        ck.stitch(frame).report
    )


def test_one_alias_on_very_many_events():
    size = 200_000
    frame = wide(size, cookie=np.repeat("kiosk", size), email=numbers(np.arange(size)))
    suspect = ck.stitch(frame).suspects.iloc[0]
    assert suspect["cut"] == ["urn:cookie:kiosk"]
    assert (suspect["parts"], suspect["aliases.email"]) == (size, size)


def test_two_aliases_on_very_many_events():
    size = 100_000
    kiosk = np.where(np.arange(size) % 2, "k1", "k2")
    suspect = ck.stitch(wide(size, cookie=kiosk, email=numbers(np.arange(size) // 2))).suspects
    assert suspect["cut"].tolist() == [["urn:cookie:k1", "urn:cookie:k2"]]
    assert suspect["parts"].tolist() == [size // 2]


def test_a_chain_of_very_many_aliases():
    size = 200_000
    at = np.arange(size)
    ends = pd.Series(None, index=at, dtype="str")
    ends.iloc[[0, -1]] = ["a@x.org", "b@x.org"]
    frame = wide(size, odd=numbers(at // 2 * 2 + 1), even=numbers((at + 1) // 2 * 2 + 2))
    suspect = ck.stitch(frame.assign(**{"alias.email": ends})).suspects.iloc[0]
    assert sorted(suspect["separates"]) == ["urn:email:a@x.org", "urn:email:b@x.org"]
    assert (len(suspect["cut"]), suspect["parts"]) == (1, 2)


def test_three_hundred_aliases_on_one_event():
    clique = " ".join(f"email:p{i}@x.org" for i in range(300))
    suspect = only_suspect(clique)
    assert (suspect["cut_kind"], suspect["cut_rows"], suspect["parts"]) == ("event", [0], 0)
    twice = only_suspect(clique, clique)
    assert twice["cut_rows"] == [0, 1]


def test_a_hundred_alias_types():
    kiosk = " ".join(f"type{i:02}:kiosk" for i in range(100))
    apart = [f"type{i:02}:kiosk email:p{i}@x.org" for i in range(100)]
    suspect = only_suspect(kiosk, *apart)
    assert (len(suspect["cut"]), suspect["aliases"], suspect["aliases.email"]) == (1, 200, 100)


def wide(size, **aliases):
    seconds = pd.to_timedelta(np.arange(size), unit="s")
    columns = {f"alias.{name}": values for name, values in aliases.items()}
    return pd.DataFrame({"event_name": "A", "timestamp": START + seconds, **columns})


def numbers(values):
    return pd.Series(values + 1).astype("str")


def test_a_clean_store_has_no_suspects():
    # Repeat buyers on several devices, with carts and checkouts by the dozen.
    for seed in range(1, 5):
        store = ck.simulate_store(people=3000, seed=seed, days=365, noise=0)
        s = ck.stitch(store.events)
        assert (s.profiles["aliases.cookie"] > 4).any()
        assert (s.profiles["aliases.cart_token"] > 3).any()
        assert s.suspects.empty


@pytest.mark.parametrize("noise", [1.0, 3.0])
def test_on_disturbed_stores_suspects_are_over_merged_and_rightly_blamed(noise):
    tables = [measure(*disturbed(3000, seed, noise, (cache_tokens,))) for seed in range(1, 5)]
    table = pd.concat(tables)
    found = table["evidence"].notna()
    assert found[table["can_be_found"]].mean() == 1
    assert table["over_merged"][found].mean() == 1
    assert found.sum() > 40
    blamed = table[table["over_merged"] & (table["cut_kind"] == "alias")]
    assert blamed["rightly"].mean() > 0.8


def test_second_addresses_are_suspected_as_weak_evidence_only():
    tables = [measure(*disturbed(3000, seed, 1.0, (add_second_addresses,))) for seed in range(1, 5)]
    by_evidence = pd.concat(tables).groupby("evidence")["over_merged"]
    assert by_evidence.mean()["strong"] > 0.9
    assert by_evidence.mean()["weak"] < 0.5

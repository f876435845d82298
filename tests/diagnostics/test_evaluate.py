"""How right the profiles are: measures against their definitions over all pairs of events."""

from __future__ import annotations

from itertools import combinations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from tests.strategies import event_frames


def events(**columns):
    size = len(next(iter(columns.values())))
    times = pd.Timestamp("2026-03-02", tz="UTC") + pd.to_timedelta(range(size), unit="min")
    aliases = {f"alias.{name}": values for name, values in columns.items()}
    return pd.DataFrame({"event_name": "PageView", "timestamp": times, **aliases})


def slow_measures(profile, person):
    """Precision and recall of both measures, pair by pair and event by event."""
    rows = list(profile)
    pairs = [(profile[a] == profile[b], person[a] == person[b]) for a, b in combinations(rows, 2)]
    both = sum(p and q for p, q in pairs)
    made, true = sum(p for p, _ in pairs), sum(q for _, q in pairs)
    pairwise = (both / made if made else 1.0, both / true if true else 1.0)

    def share(of, among):
        shares = []
        for row in rows:
            near = [other for other in rows if among[other] == among[row]]
            shares.append(sum(of[other] == of[row] for other in near) / len(near))
        return sum(shares) / len(shares) if shares else 1.0

    return {"pairwise": pairwise, "B-cubed": (share(person, profile), share(profile, person))}


@given(event_frames(several=True), st.data())
def test_measures_equal_their_definitions(frame, data):
    persons = st.sampled_from(["ada", "bob", "cy", None])
    size = len(frame)
    truth = pd.Series(data.draw(st.lists(persons, min_size=size, max_size=size)), dtype=object)
    s = ck.stitch(frame)
    told = [row for row in s.events["row"] if truth[row] is not None]
    if not told:
        return
    found = ck.evaluate(s, truth)
    ids = dict(zip(s.events["row"], s.events["profile_id"].astype(object), strict=True))
    profile = {row: f"alone {row}" if pd.isna(ids[row]) else ids[row] for row in told}
    person = {row: truth[row] for row in told}
    expected = slow_measures(profile, person)
    for line in found.table.itertuples():
        assert (line.precision, line.recall) == pytest.approx(expected[line.measure])
        total = line.precision + line.recall
        assert line.f1 == pytest.approx(2 * line.precision * line.recall / total if total else 0)
    assert found.left_out == len(s.events) - len(told)
    assert found.events == len(told)

    of_profile, of_person = {}, {}
    for row in told:
        of_profile.setdefault(profile[row], []).append(person[row])
        if not pd.isna(ids[row]):
            of_person.setdefault(person[row], set()).add(profile[row])
    merged = {p: set(who) for p, who in of_profile.items() if len(set(who)) > 1}
    assert {r.profile_id: set(r.persons) for r in found.over_merged.itertuples()} == merged
    assert {r.profile_id: r.events for r in found.over_merged.itertuples()} == {
        p: len(of_profile[p]) for p in merged
    }
    split = {who: ids for who, ids in of_person.items() if len(ids) > 1}
    assert {r.person: set(r.profile_ids) for r in found.split.itertuples()} == split
    assert {r.person: r.events for r in found.split.itertuples()} == {
        who: sum(other == who for other in person.values()) for who in split
    }


def test_a_perfect_stitch_scores_one():
    s = ck.stitch(events(cookie=["a", "a", "b"]))
    found = ck.evaluate(s, {0: "ada", 1: "ada", 2: "bob"})
    assert (found.table[["precision", "recall", "f1"]] == 1).all(axis=None)
    assert found.over_merged.empty
    assert found.split.empty


def test_over_merged_and_split_name_who_and_where():
    s = ck.stitch(events(cookie=["kiosk", "kiosk", "phone", None]))
    found = ck.evaluate(s, pd.Series(["ada", "bob", "ada", "ada"]))
    kiosk, phone = s.events["profile_id"].iloc[[0, 2]]
    assert found.over_merged.to_dict("records") == [
        {"profile_id": kiosk, "people": 2, "events": 2, "persons": ["ada", "bob"]}
    ]
    assert found.split.to_dict("records") == [
        {
            "person": "ada",
            "profiles": 2,
            "events": 3,
            "without_profile": 1,
            "profile_ids": [kiosk, phone],
        }
    ]
    assert repr(found) == (
        "Evaluation(4 events of 2 people on 2 profiles; "
        "pairwise precision 0.000, recall 0.000, F1 0.000; "
        "B-cubed precision 0.750, recall 0.500, F1 0.600; 1 profile over-merged, 1 person split)"
    )
    assert "1 of 4 events has no profile" in found._repr_html_()


def test_a_store_without_noise_never_merges_two_people():
    store = ck.simulate_store(people=200, noise=0.0)
    found = ck.evaluate(ck.stitch(store.events), store.truth)
    assert (found.table["precision"] == 1).all()
    assert found.over_merged.empty


def test_no_events_at_all():
    s = ck.stitch(events(cookie=["a"]).head(0))
    found = ck.evaluate(s, {})
    assert found.events == 0
    assert (found.table["f1"] == 1).all()


@pytest.mark.parametrize(
    ("truth", "message"),
    [
        (pd.DataFrame({"who": ["ada"]}), "no column 'person'. Found: who"),
        (["ada"], "truth is a list"),
        (pd.Series(["ada", "bob"], index=[0, 0]), "names row 0 twice"),
        ({7: "ada"}, "names the person of no event"),
    ],
)
def test_bad_truth_is_refused(truth, message):
    with pytest.raises(ck.ConvergekitError, match=message):
        ck.evaluate(ck.stitch(events(cookie=["a"])), truth)

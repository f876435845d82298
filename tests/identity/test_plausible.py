"""Copies of one event ID that cannot be copies: listed, warned of, and never merged."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import convergekit as ck
from tests.identity.reference_stitch import SlowStitch, plausible
from tests.identity.test_stitch_properties import by_row, partition
from tests.store.store_cases import batches, check_after_each_batch
from tests.strategies import START, event_frames

DAY = pd.Timedelta("24h")
PRICE, PLAN = "properties.total_price", "profile_properties.plan"


def copies(*rows, **columns):
    """Events of one ID: each the hours after the first, and its aliases."""
    frame = pd.DataFrame([dict(aliases) for _, aliases in rows])
    frame.columns = [f"alias.{name}" for name in frame]
    times = [START + pd.Timedelta(hours=hours) for hours, _ in rows]
    table = frame.assign(event_name="Placed Order", event_id="1001", timestamp=times)
    if not len(frame.columns):
        table["aliases"] = [[] for _ in rows]
    return table.assign(**columns)


def is_implausible(frame, **options):
    duplicates = ck.stitch(frame, **options).duplicates
    return (duplicates["repeat"] == "implausible").tolist()


ALIKE = [
    # The thank-you page knows the cookie, the server the address.
    ({"cookie": "c"}, 0.001, {"email": "a@x.org"}),
    ({"cookie": "c"}, 0.001, {"cookie": "d"}),
    ({"cookie": "c", "email": "a@x.org"}, 0.001, {"email": " A@X.org "}),
    ({"email": "a@x.org", "customer_id": "1"}, 23.9, {"phone": "+32470000000"}),
    ({"cookie": "c"}, 24, {"email": "a@x.org"}),
    ({"cookie": "c"}, 400, {"cookie": "c", "email": "a@x.org"}),
    ({"email": "a@x.org"}, -400, {"email": "a@x.org"}),
    # What means nobody is not a value.
    ({"email": "a@x.org"}, 1, {"email": "null"}),
    ({}, 20, {}),
]
UNLIKE = [
    ({"email": "a@x.org"}, 0, {"email": "b@x.org"}),
    ({"email": "a@x.org", "cookie": "c"}, 0.001, {"email": "b@x.org", "cookie": "c"}),
    ({"customer_id": "1"}, 0, {"customer_id": "2"}),
    ({"user_id": "1", "email": "a@x.org"}, 0, {"user_id": "2", "email": "a@x.org"}),
    ({"phone": "+32470000000"}, 0, {"phone": "+32470000001"}),
    ({"cookie": "c"}, 24.001, {"cookie": "d"}),
    ({"cookie": "c"}, -24.001, {"email": "a@x.org"}),
    ({"cookie": "c"}, 72, {}),
    ({}, 72, {}),
    ({"cookie": "c", "email": "null"}, 72, {"cookie": "d", "email": "null"}),
]


@pytest.mark.parametrize("mode", ["drop", "merge"])
@pytest.mark.parametrize(
    ("kept", "hours", "copy", "expected"),
    [(*case, False) for case in ALIKE] + [(*case, True) for case in UNLIKE],
)
def test_what_can_be_a_copy(kept, hours, copy, expected, mode):
    frame = copies((0, kept), (hours, copy))
    s = ck.stitch(frame, duplicates=mode)
    # It is listed as a duplicate of the first to arrive whatever it is.
    assert (s.duplicates["row"].tolist(), s.duplicates["kept_row"].tolist()) == ([1], [0])
    assert (s.duplicates["repeat"] == "implausible").tolist() == [expected]
    assert any(
        "implausible (row 1, dropped as a copy of row 0)" in w for w in s.report.warnings
    ) == (expected)
    assert s.report.duplicates.get("implausible", 0) == expected


def test_an_implausible_copy_never_links_and_says_nothing_of_the_person():
    frame = copies(
        (0, {"cookie": "c", "email": "a@x.org"}),
        (1, {"cart_token": "t", "email": "b@x.org"}),
        (2, {"cart_token": "u"}),
        **{PLAN: [None, "gold", "silver"]},
    )
    s = ck.stitch(frame, duplicates="merge")
    assert sorted(s.aliases["alias_value"]) == ["a@x.org", "c", "u"]
    assert len(s.profiles) == 1
    assert s.events["profile.plan"].tolist() == ["silver"]
    assert s.duplicates["lost_aliases"].tolist() == [
        ["urn:email:b@x.org", "urn:cart_token:t"],
        [],
    ] or (sorted(s.duplicates["lost_aliases"][0]) == ["urn:cart_token:t", "urn:email:b@x.org"])
    # Elsewhere the other person is whom they always were.
    other = pd.DataFrame({"event_name": ["A"], "timestamp": [START], "alias.email": ["b@x.org"]})
    both = ck.stitch(pd.concat([frame, other], ignore_index=True), duplicates="merge")
    assert not both.explain("urn:email:a@x.org", "urn:email:b@x.org").linked


def test_strangers_of_one_id_stay_strangers():
    frame = copies(*((24 * day, {"email": f"buyer{day}@example.com"}) for day in range(5)))
    for event_id in ("5.5501E+12", "1001", "x"):
        s = ck.stitch(frame.assign(event_id=event_id), duplicates="merge")
        assert (s.duplicates["repeat"] == "implausible").all()
        assert s.profiles["aliases"].tolist() == [1]


def test_a_different_amount_alone_is_warned_of_and_linked():
    frame = copies((0, {"cookie": "c"}), (0.01, {"email": "a@x.org"}), **{PRICE: [30.0, 31.0]})
    s = ck.stitch(frame, duplicates="merge")
    assert len(s.profiles) == 1
    (warning,) = s.report.warnings
    assert "another amount" in warning


@pytest.mark.parametrize("identity", ["retroactive", "as_of"])
def test_where_the_kept_event_knows_nobody_the_first_of_the_copies_does(identity):
    frame = copies(
        (0, {"cookie": "c"}),
        (0.1, {"email": "a@x.org"}),
        (0.2, {"email": "b@x.org"}),
        (0.3, {"email": "a@x.org", "customer_id": "1"}),
        (0.4, {"customer_id": "2"}),
    )
    s = ck.stitch(frame, duplicates="merge", identity=identity)
    assert s.duplicates["repeat"].tolist()[1::2] == ["implausible", "implausible"]
    assert sorted(s.aliases["alias_value"]) == ["1", "a@x.org", "c"]
    assert len(s.profiles) == 1
    assert s.profile_merges["new_profile_id"].iloc[-1] == s.profiles["profile_id"].iloc[0]


def stretched(frame, hours):
    """The same events further apart."""
    frame = frame.copy()
    for name in ("timestamp", "received_at"):
        if name in frame:
            frame[name] = START + (frame[name] - START) * (60 * hours)
    return frame


hours = st.sampled_from([1, 5, 30])


def slow_implausible(frame):
    """Position by position, from the slow definition."""
    slow = SlowStitch(frame)
    by_id = {}
    for row in sorted(slow.rows, key=lambda row: row.arrival):
        if row.event_id:
            by_id.setdefault(row.event_id, []).append(row)
    return {
        row.position for group in by_id.values() for row in group if row not in plausible(group)
    }


@given(event_frames(max_rows=14, several=True), hours)
def test_implausible_copies_equal_the_slow_definition(frame, factor):
    frame = stretched(frame, factor)
    duplicates = ck.stitch(frame).duplicates
    found = duplicates["row"][duplicates["repeat"] == "implausible"]
    assert set(found) == slow_implausible(frame)
    merged = ck.stitch(frame, duplicates="merge")
    assert merged.duplicates["repeat"].tolist() == duplicates["repeat"].tolist()


@given(event_frames(several=True, unset=True), hours, st.sampled_from(["retroactive", "as_of"]))
def test_merged_profiles_and_values_equal_the_slow_definition(frame, factor, identity):
    frame = stretched(frame, factor)
    options = {"identity": identity, "duplicates": "merge"}
    s, slow = ck.stitch(frame, **options), SlowStitch(frame, **options)
    assert partition(s) == slow.partition()
    assert by_row(s, "profile.utm_source") == slow.carried("utm_source")


@given(event_frames(max_rows=14, several=True), hours, st.randoms(use_true_random=False))
def test_implausible_copies_do_not_depend_on_the_order_of_rows(frame, factor, random):
    frame = stretched(frame, factor)
    minutes = pd.to_timedelta(np.arange(len(frame)), unit="min")
    frame["received_at"] = frame["timestamp"].max() + minutes
    order = list(range(len(frame)))
    random.shuffle(order)
    for mode in ("drop", "merge"):
        one = ck.stitch(frame, duplicates=mode)
        other = ck.stitch(frame.iloc[order], duplicates=mode)
        pd.testing.assert_frame_equal(one.profiles, other.profiles)
        pd.testing.assert_frame_equal(one.aliases, other.aliases)
        rows = np.array(order, dtype=int)[other.duplicates["row"]]
        repeats = dict(zip(rows.tolist(), other.duplicates["repeat"], strict=True))
        assert repeats == dict(zip(one.duplicates["row"], one.duplicates["repeat"], strict=True))


@settings(max_examples=3, suppress_health_check=list(HealthCheck))
@given(batches(), hours, st.sampled_from(["retroactive", "as_of"]))
def test_a_store_finds_what_stitching_everything_finds(tmp_path_factory, parts, factor, identity):
    parts = [stretched(part, factor) for part in parts]
    path = tmp_path_factory.mktemp("any") / "store"
    check_after_each_batch(path, parts, {"duplicates": "merge", "identity": identity})


def test_a_copy_of_a_later_batch_that_arrived_first_says_who_can_be_a_copy(tmp_path):
    frame = copies((0, {"email": "a@x.org"}), (0.1, {"cookie": "c"}), (0.2, {"email": "b@x.org"}))
    frame["received_at"] = START + pd.to_timedelta([5, 6, 1], unit="h")
    store = ck.open_store(tmp_path / "store", duplicates="merge")
    store.add(frame[:2])
    assert sorted(store.aliases["alias_value"]) == ["a@x.org", "c"]
    store.add(frame[2:])
    # The address that came first in time of receipt is the event's; the other is implausible.
    assert sorted(store.aliases["alias_value"]) == ["b@x.org", "c"]
    pd.testing.assert_frame_equal(
        store.profiles, ck.stitch(frame, duplicates="merge").profiles, check_dtype=False
    )


def test_what_was_saved_says_it_too(tmp_path):
    frame = copies((0, {"email": "a@x.org"}), (1, {"email": "b@x.org"}))
    s = ck.stitch(frame, duplicates="merge", identity="as_of")
    s.to_parquet(tmp_path / "saved")
    again = ck.read_stitched(tmp_path / "saved")
    pd.testing.assert_frame_equal(again.duplicates, s.duplicates)
    assert again.report.warnings == s.report.warnings
    segment = s.where(profiles=ck.Did("Placed Order"))
    assert (segment.duplicates["repeat"] == "implausible").tolist() == [True]


def test_a_life_of_a_value_does_not_count_what_is_not_merged():
    rows = pd.DataFrame(
        {
            "event_name": "A",
            "event_id": ["1", "2", "2"],
            "timestamp": START + pd.to_timedelta([0, 30, 31], unit="D"),
            "alias.cart_token": ["t", None, "t"],
            "alias.email": ["a@x.org", "b@x.org", "c@x.org"],
        }
    )
    s = ck.stitch(rows, duplicates="merge", max_age={"cart_token": "14D"})
    assert sorted(s.aliases["alias_value"]) == ["a@x.org", "b@x.org", "t"]


@pytest.mark.parametrize(
    "event_id",
    ["5.5501E+12", "5,5501E+12", "5.5501e+12", "5E+12", "-1.5E+7", "5.5501E12", " 1E+05 "],
)
def test_scientific_notation_is_named(event_id):
    frame = copies((0, {"email": "a@x.org"}), (1, {"email": "a@x.org"})).assign(event_id=event_id)
    frame[PRICE] = [30.0, 30.0]
    report = ck.stitch(frame).report
    assert [w for w in report.warnings if "2 events have event IDs in scientific notation" in w]
    found = ck.check_up(frame)
    (finding,) = found.findings.to_dict("records")
    assert finding["check"] == "event-id-in-scientific-notation"
    assert (finding["severity"], finding["events"], finding["money"]) == ("high", 2, 60.0)
    one = ck.check_up(frame[:1])
    assert one.findings["severity"].tolist() == ["medium"]


@pytest.mark.parametrize(
    "event_id",
    ["5550100000123", "12e4", "5e12", "3f2e+10", "1.2.3", "E+12", "5.5E+12-a", "1e-5", ""],
)
def test_other_ids_are_not_in_scientific_notation(event_id):
    frame = copies((0, {"email": "a@x.org"})).assign(event_id=event_id)
    assert not ck.stitch(frame).report.warnings
    assert "event-id-in-scientific-notation" not in set(ck.check_up(frame).findings["check"])


def test_the_check_up_ranks_implausible_copies_by_their_money():
    frame = pd.concat(
        [
            copies((0, {"email": "a@x.org"}), (1, {"email": "b@x.org"}), **{PRICE: [10.0, 25.0]}),
            copies((0, {"email": "c@x.org"}), (99, {"cookie": "d"})).assign(
                event_id="1002", **{PRICE: [7.0, 7.5]}
            ),
            # Another event's money is not concerned.
            copies((0, {"email": "e@x.org"}), (99, {"cookie": "f"})).assign(
                event_id="1003", event_name="Viewed Product"
            ),
        ],
        ignore_index=True,
    )
    found = ck.check_up(frame)
    at = found.findings.index[found.findings["check"] == "event-id-of-other-person"][0]
    finding = found.findings.loc[at]
    assert (finding["severity"], finding["events"], finding["money"]) == ("high", 3, 32.5)
    assert finding["rows"] == [1, 3, 5]
    examples = found.examples(int(finding["finding"]), None)
    assert examples["row"].tolist() == [1, 3, 5]
    assert "b…@x.org" in examples["seen"][0]
    assert "in row 0" in examples["seen"][0]


@pytest.mark.parametrize("seed", range(3))
def test_a_store_with_retries_and_thank_you_pages_has_none(seed):
    events = ck.simulate_store(people=500, seed=seed, noise=3).events
    s = ck.stitch(events, duplicates="merge")
    assert len(s.duplicates) > 50
    assert "implausible" not in set(s.duplicates["repeat"])


@pytest.mark.parametrize(
    ("one", "other", "differs"),
    [
        (Decimal("12.50"), Decimal("13.50"), True),
        (Decimal("12.50"), Decimal("12.5"), False),
        (12, Decimal(12), False),
        (12, 12.0, False),
        (12, np.float64(13), True),
        (True, False, None),
        ("12", "13", None),
    ],
)
@pytest.mark.parametrize("dtype", [object, None])
def test_amounts_are_compared_as_numbers_whatever_holds_them(one, other, differs, dtype):
    """Truth and text are content, but not amounts."""
    frame = copies((0, {"cookie": "c"}), (0, {"cookie": "c"}))
    s = ck.stitch(frame.assign(**{PRICE: pd.Series([one, other], dtype=dtype)}))
    assert (s.duplicates["repeat"].iloc[0] == "identical") == (differs is False)
    assert any("another amount" in warning for warning in s.report.warnings) == bool(differs)

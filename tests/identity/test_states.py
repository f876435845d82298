"""States of one order: the first copy counts, with the amounts of the last state."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from tests.effort import tries
from tests.identity import reference_states

ORDER = {
    "id": 1, "order_number": 1001, "created_at": "2026-03-02T10:00:00Z", "currency": "EUR",
    "total_price": "80.00", "financial_status": "paid", "line_items": [],
    "email": "mira@example.com", "checkout_token": "t1", "updated_at": "2026-03-02T10:00:01Z",
    "landing_site": "/?utm_source=news",
}  # fmt: skip
EDITED = ORDER | {"total_price": "60.00", "updated_at": "2026-03-03T08:00:00Z", "note": "x"}
CANCELLED = EDITED | {
    "cancelled_at": "2026-03-04T08:00:00Z", "updated_at": "2026-03-04T08:00:00Z",
    "financial_status": "voided", "landing_site": None,
}  # fmt: skip


def night(path, *orders):
    path.write_text(json.dumps({"orders": list(orders)}))
    return path


def kept(s):
    (order,) = s.events[s.events["event_name"] == "Placed Order"].to_dict("records")
    return order


@pytest.mark.parametrize("duplicates", ["drop", "merge"])
@pytest.mark.parametrize(
    "nights",
    [[[ORDER], [EDITED], [CANCELLED]], [[ORDER, EDITED, CANCELLED]], [[CANCELLED, ORDER, EDITED]],
     [[EDITED], [ORDER, CANCELLED]]],
)  # fmt: skip
def test_an_order_that_comes_again_has_its_last_state(tmp_path, duplicates, nights):
    paths = [night(tmp_path / f"{i}.json", *orders) for i, orders in enumerate(nights)]
    s = ck.stitch(ck.read_events(paths), duplicates=duplicates)
    order = kept(s)
    assert order["properties.total_price"] == 60.0
    assert order["properties.financial_status"] == "voided"
    assert order["properties.cancelled_at"] == "2026-03-04T08:00:00Z"
    # What the last state does not say, an earlier one does.
    assert order["properties.landing_site"] == "/?utm_source=news"
    assert str(order["timestamp"]) == "2026-03-02 10:00:00+00:00"
    assert str(order["state_at"]) == "2026-03-04 08:00:00+00:00"
    assert s.duplicates["repeat"].tolist() == ["other state", "other state"]
    assert s.duplicates["conflicts"].tolist() == [[], []]
    assert s.report.warnings == []
    assert s.customers().lifetime_value()["ordered"].tolist() == [60.0]


def test_a_store_that_gets_a_night_at_a_time_says_the_same(tmp_path):
    nights = [[ORDER, ORDER | {"id": 2, "email": "otto@example.com"}], [EDITED], [CANCELLED]]
    store = ck.open_store(tmp_path / "store")
    frames = []
    for place, orders in enumerate(nights):
        frames.append(ck.read_events(night(tmp_path / f"{place}.json", *orders)))
        store.add(frames[-1])
    whole = ck.stitch(pd.concat(frames, ignore_index=True))
    found = store.stitched()
    columns = ["event_id", "timestamp", "properties.total_price", "properties.cancelled_at"]
    pd.testing.assert_frame_equal(found.events[columns], whole.events[columns])
    assert found.duplicates["repeat"].tolist() == ["other state", "other state"]
    assert kept_totals(found) == [60.0, 80.0]


def kept_totals(s):
    return s.events["properties.total_price"].tolist()


def test_what_was_not_changed_is_identical(tmp_path):
    touched = ORDER | {"updated_at": "2026-03-05T08:00:00Z"}
    s = ck.stitch(ck.read_events(night(tmp_path / "a.json", ORDER, touched)))
    assert s.duplicates["repeat"].tolist() == ["identical"]


def test_a_copy_without_a_state_stays_what_it_is(tmp_path):
    browser = {"event_name": "Placed Order", "event_id": "1", "timestamp": "2026-03-02T10:00:00Z",
               "alias.email": "mira@example.com", "properties.total_price": 99.0}  # fmt: skip
    events = ck.read_events(night(tmp_path / "a.json", ORDER, EDITED))
    s = ck.stitch(pd.concat([pd.DataFrame([browser]), events]))
    assert kept(s)["properties.total_price"] == 99.0
    assert set(s.duplicates["repeat"]) == {"other source"}
    assert any("amount" in warning for warning in s.report.warnings)


def test_the_order_of_another_person_changes_nothing(tmp_path):
    other = EDITED | {"email": "bob@example.com", "checkout_token": "t9"}
    s = ck.stitch(ck.read_events(night(tmp_path / "a.json", ORDER, other)))
    assert kept(s)["properties.total_price"] == 80.0
    assert s.duplicates["repeat"].tolist() == ["implausible"]


def test_the_audit_looks_at_the_last_state(tmp_path):
    events = ck.read_events(night(tmp_path / "a.json", ORDER, CANCELLED, EDITED))
    findings = ck.check_up(events).findings.set_index("check")
    assert "event-id-of-other-amount" not in findings.index
    assert findings.loc["cancelled-order", "money"] == 60.0


def test_a_frame_names_its_state_itself():
    frame = pd.DataFrame({
        "event_name": "Placed Order", "event_id": ["1", "1"], "timestamp": "2026-03-02T10:00:00",
        "changed": ["2026-03-02 12:00:00", "2026-03-02 11:00:00"], "alias.email": "ada@x.org",
        "properties.total_price": [30.0, 50.0],
    })  # fmt: skip
    s = ck.stitch(frame, columns={"state_at": "changed"}, tz="Europe/Brussels")
    assert kept_totals(s) == [30.0]
    assert str(s.events["state_at"][0]) == "2026-03-02 11:00:00+00:00"
    assert s.duplicates["repeat"].tolist() == ["other state"]
    odd = ck.stitch(frame.assign(changed="soon"), columns={"state_at": "changed"})
    assert odd.report.remarks["state_at cannot be parsed: treated as missing"] == 2
    assert kept_totals(odd) == [30.0]


def test_a_table_of_an_engine_has_states():
    ibis = pytest.importorskip("ibis")
    frame = pd.DataFrame({
        "row": [0, 1], "event_name": "A", "event_id": "1", "alias.email": "ada@x.org",
        "timestamp": pd.to_datetime(["2026-03-02", "2026-03-02"]), "properties.total": [20.0, 30.0],
        "state_at": pd.to_datetime(["2026-03-04", "2026-03-03"]),
    })  # fmt: skip
    s = ck.stitch(ibis.memtable(frame))
    assert s.events.to_pandas()["properties.total"].tolist() == [20.0]


rows = st.fixed_dictionaries(
    {
        "event_id": st.sampled_from([None, "1", "2"]),
        "state_at": st.sampled_from([None, *(f"2026-03-0{day}T10:00:00Z" for day in (3, 4, 5))]),
        "total": st.sampled_from([None, 10.0, 20.0, 30.0]),
        "note": st.sampled_from([None, "a", "b"]),
    }
)


@tries(120)
@given(st.lists(rows, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_the_last_state_is_what_a_walk_finds(given_rows, random):
    frame = pd.DataFrame(given_rows).rename(
        columns={"total": "properties.total", "note": "properties.note"}
    )
    frame = frame.assign(
        event_name="Placed Order", timestamp="2026-03-02T10:00:00Z",
        received_at=[f"2026-03-02T11:00:{place:02}Z" for place in range(len(frame))],
        **{"alias.email": "ada@x.org"},
    )  # fmt: skip
    order = list(range(len(frame)))
    random.shuffle(order)
    shuffled = ck.stitch(frame.iloc[order]).events.sort_values("received_at")
    expected = reference_states.orders(given_rows)
    for s in (ck.stitch(frame).events, shuffled):
        for name in ("total", "note"):
            found = s[f"properties.{name}"]
            values = [None if pd.isna(value) else value for value in found]
            assert values == [event[name] for event in expected]

"""Groups of every type of column, and what is known at the end of the range."""

from __future__ import annotations

import pandas as pd
import pytest

import convergekit as ck


def events(*rows, **columns):
    """Return events, a row each as profile, name and time."""
    frame = pd.DataFrame(rows, columns=["profile_id", "event_name", "timestamp"])
    times = pd.to_datetime(frame["timestamp"], utc=True, format="ISO8601")
    return frame.assign(timestamp=times, **columns)


@pytest.mark.parametrize("dtype", ["category", pd.CategoricalDtype(["unused", "y", "x"], True)])
def test_categories_keep_those_without_a_value(dtype):
    frame = events(
        *(("a", "A", "2026-03-02"), ("a", "B", "2026-03-03"), ("b", "A", "2026-03-02")),
        *(("c", "A", "2026-03-02"), ("c", "B", "2026-03-03"), ("z", "Z", "2026-04-01")),
        plan=["x", "x", None, "y", "y", None],
    )
    plain = ck.funnel(frame, ["A", "B"], within="7D", by="plan")
    found = ck.funnel(frame.astype({"plan": dtype}), ["A", "B"], within="7D", by="plan")
    assert (
        found.table["profiles"].tolist() == plain.table["profiles"].tolist() == [1, 1] * 2 + [1, 0]
    )
    assert found.trend("D")["entered"].tolist() == [1, 1, 1]
    assert found.curve()["share"].tolist() == plain.curve()["share"].tolist()
    assert len(found.test().pairs) == len(plain.test().pairs) == 3
    assert len(found.plot().data) == len(plain.plot().data)
    assert found.time_to_convert().groups["profiles"].tolist() == [1, 1]
    pairs = frame.astype({"plan": dtype}).assign(other=frame["plan"].astype("category"))
    both = ck.funnel(pairs, ["A", "B"], within="7D", by=["plan", "other"])
    assert both.table["profiles"].tolist() == plain.table["profiles"].tolist()


def test_what_a_range_cuts_off_is_not_known():
    frame = events(
        *(("a", "A", "2026-03-01"), ("a", "B", "2026-03-02"), ("b", "A", "2026-03-01")),
        *(("c", "A", "2026-03-12"), ("d", "A", "2026-03-12"), ("d", "B", "2026-03-16")),
        *(("e", "A", "2026-03-12"), ("e", "B", "2026-03-13"), ("z", "Z", "2026-05-01")),
    )
    options = {"within": "7D", "end": pd.Timestamp("2026-03-15")}
    found = ck.funnel(frame, ["A", "B"], **options, range_applies_to="entry_and_completion")
    last = pd.DataFrame([{"profile_id": "z", "event_name": "Z", "timestamp": options["end"]}])
    last["timestamp"] = last["timestamp"].dt.tz_localize("UTC")
    cut = pd.concat([frame[frame["timestamp"] < last["timestamp"][0]], last])
    of_cut = ck.funnel(cut, ["A", "B"], **options)
    assert found.counts == of_cut.counts
    assert found.counts["in_window"] == 2
    pd.testing.assert_frame_equal(found.table, of_cut.table)
    pd.testing.assert_frame_equal(found.curve(), of_cut.curve())
    pd.testing.assert_frame_equal(found.trend("W"), of_cut.trend("W"))
    assert found.trend("W")["complete"].tolist() == [True, False]


def test_a_period_has_what_counts_as_simultaneous():
    # C is at the time of B, with which it is simultaneous; A is at that of X, the day before.
    late = events(
        *(("a", "A", "2026-03-02T23:59:50"), ("a", "B", "2026-03-03T23:59:45")),
        *(("a", "C", "2026-03-04T00:00:10"), ("z", "X", "2026-04-01")),
    )
    early = events(
        *(("a", "X", "2026-03-01T23:59:50"), ("a", "A", "2026-03-02T00:00:10")),
        *(("a", "B", "2026-03-02T00:10:00"), ("z", "Z", "2026-04-01")),
    )
    options = {"within": "1D", "tolerance": "1min", "exclude": "X", "on_exclude": "drop_off"}
    for frame, steps in ((late, ["A", "B", "C"]), (early, ["A", "B"])):
        found = ck.funnel(frame, steps, **options)
        trend = found.trend("D")
        assert trend["entered"].tolist() == [found.counts["entered"]] == [1]
        assert trend["converted"].tolist() == [found.counts["converted"]] == [1]


def test_the_label_is_of_the_event_that_enters():
    # The first A is at the time of X, before the range.
    frame = events(
        *(("a", "X", "2026-03-01T23:59:50"), ("a", "A", "2026-03-02T00:00:10")),
        *(("a", "A", "2026-03-02T05:00:00"), ("a", "X", "2026-03-02T06:00:00")),
        plan=["0", "1", "2", "3"],
    )
    options = {"within": "1D", "tolerance": "1min", "start": "2026-03-02", "by": "plan"}
    found = ck.funnel(frame, ["A", "X"], **options).conversions
    assert found["row_1"].tolist() == [2]
    assert found["plan"].tolist() == ["2"]


def test_ids_of_visits_are_in_utc_whatever_the_zone_of_the_times():
    # Both visits begin at half past two by the clock of Brussels, which is set back in between.
    frame = events(("a", "A", "2026-10-25T00:30"), ("a", "A", "2026-10-25T01:30"))
    there = frame.assign(timestamp=frame["timestamp"].dt.tz_convert("Europe/Brussels"))
    for given in (frame, there):
        found = ck.funnel(given, ["A"], count="visits").conversions["session_id"]
        assert found.tolist() == ["a@2026-10-25T00:30:00.000000Z", "a@2026-10-25T01:30:00.000000Z"]

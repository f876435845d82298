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


def test_ids_of_visits_are_in_utc_whatever_the_zone_of_the_times():
    # Both visits begin at half past two by the clock of Brussels, which is set back in between.
    frame = events(("a", "A", "2026-10-25T00:30"), ("a", "A", "2026-10-25T01:30"))
    there = frame.assign(timestamp=frame["timestamp"].dt.tz_convert("Europe/Brussels"))
    for given in (frame, there):
        found = ck.funnel(given, ["A"], count="visits").conversions["session_id"]
        assert found.tolist() == ["a@2026-10-25T00:30:00.000000Z", "a@2026-10-25T01:30:00.000000Z"]

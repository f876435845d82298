"""Funnels: the definition's corners by hand, and everything else against the slow definition."""

from __future__ import annotations

import datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import convergekit as ck
from tests.slow_funnel import slow_funnel

START = pd.Timestamp("2026-03-02", tz="UTC")
STEPS = ["PageView", "Added To Cart", "Placed Order"]
SHORT = {"v": "PageView", "c": "Added To Cart", "o": "Placed Order", "x": "Refund"}


def log(**profiles):
    """Frames from sketches: ``log(ann="v0 c5 o9")`` is three events at minutes 0, 5 and 9."""
    rows = [
        (profile, SHORT[event[0]], int(event[1:]))
        for profile, sketch in profiles.items()
        for event in sketch.split()
    ]
    frame = pd.DataFrame(rows, columns=["profile_id", "event_name", "minute"])
    return frame.assign(timestamp=START + pd.to_timedelta(frame["minute"], unit="min"))


def counts(frame, steps=STEPS, within="10min"):
    return ck.funnel(frame, steps, within=within).table["profiles"].tolist()


@pytest.mark.parametrize(
    ("sketch", "reached"),
    [
        ("v0 c5 o9", [1, 1, 1]),
        ("v0 c5 o10", [1, 1, 1]),  # the end of the window is included
        ("v0 c5 o11", [1, 1, 0]),
        ("c0 v1 o2", [1, 0, 0]),
        ("o0 c1 v2", [1, 0, 0]),
        ("c5 o9", [0, 0, 0]),
        ("v0 v8 c9 o15", [1, 1, 1]),  # a later entry starts a window of its own
        ("v0 c1 v8 o15", [1, 1, 0]),  # which does not lend itself to an earlier attempt
        ("v0 c1 v8 c9 o15", [1, 1, 1]),
        ("v0 x1 c2 x3 o4", [1, 1, 1]),  # others may lie between
        ("v0 c0 o0", [1, 1, 1]),  # ties are taken in the order that carries furthest
        ("o0 c0 v0", [1, 1, 1]),
        ("c5 v5 o5 v0", [1, 1, 1]),
    ],
)
def test_by_hand(sketch, reached):
    assert counts(log(ann=sketch)) == reached


def test_n_repeats_of_a_step_need_n_events():
    repeated = ["PageView", "PageView", "Placed Order"]
    assert counts(log(ann="v0 o1"), repeated) == [1, 0, 0]
    assert counts(log(ann="v0 v0 o0"), repeated) == [1, 1, 1]
    assert counts(log(ann="v0 o0"), repeated) == [1, 0, 0]
    assert counts(log(ann="v0 v1 o2"), repeated) == [1, 1, 1]


def test_any_of_several_names_fills_a_step():
    steps = ["PageView", ["Added To Cart", "Refund"], "Placed Order"]
    found = ck.funnel(log(a="v0 x1 o2", b="v0 c1", c="v0 o1"), steps, within="10min")
    assert found.table["profiles"].tolist() == [3, 2, 1]
    assert found.table["event_name"].tolist()[1] == "Added To Cart or Refund"


def test_the_table():
    frame = log(a="v0 c2 o6", b="v0 c4", c="v0", d="v0 c6 o8", e="o1")
    table = ck.funnel(frame, STEPS, within="1h").table
    assert table.columns.tolist() == [
        "step", "event_name", "profiles", "conversion", "step_conversion", "drop_off",
        "median_time",
    ]  # fmt: skip
    assert table["step"].tolist() == [1, 2, 3]
    assert table["event_name"].tolist() == STEPS
    assert table["profiles"].tolist() == [4, 3, 2]
    assert table["conversion"].tolist() == [1.0, 0.75, 0.5]
    assert table["step_conversion"].tolist()[1:] == [0.75, pytest.approx(2 / 3)]
    assert pd.isna(table["step_conversion"][0])
    assert table["drop_off"].tolist() == [0, 1, 1]
    assert table["median_time"].tolist()[1:] == [pd.Timedelta("4min"), pd.Timedelta("3min")]
    assert pd.isna(table["median_time"][0])


def test_times_are_of_the_chain_that_first_got_there_with_the_latest_entry():
    found = ck.funnel(log(a="v0 c1 v2 c3 c4 o5 o6"), STEPS, within="10min").conversions
    minutes = [(found[f"time_{i}"][0] - START) // pd.Timedelta(minutes=1) for i in (1, 2, 3)]
    assert minutes == [2, 3, 5]


def test_identify_calls_and_events_without_a_profile_take_no_part():
    frame = log(a="v0 c1 o2", b="v0 c1 o2")
    frame["kind"] = ["identify", "track", "track"] * 2
    assert counts(frame) == [0, 0, 0]
    frame = log(a="v0 c1 o2", b="v0 c1 o2")
    frame.loc[3:, "profile_id"] = None
    assert counts(frame) == [1, 1, 1]


def test_nobody_entered():
    found = ck.funnel(log(a="c0"), STEPS, within="7D")
    assert found.table["profiles"].tolist() == [0, 0, 0]
    assert found.table["conversion"].isna().all()
    assert found.conversions.empty
    assert "Funnel(PageView 0" in repr(found)
    assert counts(log(a="v0").iloc[:0]) == [0, 0, 0]


@pytest.mark.parametrize("within", ["7 dys", "", 7, "7", 0, "-1D", None, "NaT"])
def test_a_window_that_is_none_says_what_is_accepted(within):
    with pytest.raises(ck.ConvergekitError, match=r"no positive duration.*'7D'"):
        ck.funnel(log(a="v0"), STEPS, within=within)


@pytest.mark.parametrize("within", ["10min", "0.2h", datetime.timedelta(minutes=10)])
def test_a_window_of_any_form(within):
    assert counts(log(a="v0 c5 o10"), within=within) == [1, 1, 1]


def test_what_is_wrong_with_the_frame_or_the_steps():
    frame = log(a="v0")
    with pytest.raises(ck.ConvergekitError, match="give a list of at least one event name"):
        ck.funnel(frame, [], within="7D")
    with pytest.raises(ck.ConvergekitError, match="give a list"):
        ck.funnel(frame, "PageView", within="7D")
    with pytest.raises(ck.ColumnError, match="no column 'profile_id'.*Did you mean 'profile'"):
        ck.funnel(frame.rename(columns={"profile_id": "profile"}), STEPS, within="7D")
    with pytest.raises(ck.ColumnError, match="not datetime"):
        ck.funnel(frame.astype({"timestamp": "str"}), STEPS, within="7D")


names = st.sampled_from(list(SHORT.values()))
moments = st.integers(0, 12)
step_lists = st.lists(
    st.one_of(names, st.lists(names, min_size=2, max_size=2, unique=True)), min_size=1, max_size=4
)


@st.composite
def logs(draw):
    rows = draw(st.lists(st.tuples(st.sampled_from("ab"), names, moments), max_size=9))
    frame = pd.DataFrame(rows, columns=["profile_id", "event_name", "minute"])
    frame = frame.astype({"profile_id": "str", "event_name": "str", "minute": "int64"})
    return frame.assign(timestamp=START + pd.to_timedelta(frame["minute"], unit="min"))


@settings(max_examples=1000)
@given(logs(), step_lists, st.integers(1, 13))
def test_equals_the_slow_definition(frame, steps, minutes):
    within = f"{minutes}min"
    slow = slow_funnel(frame, steps, within)
    found = ck.funnel(frame, steps, within=within)
    fast = {}
    for row in found.conversions.itertuples():
        times = [getattr(row, f"time_{i}") for i in range(1, row.depth + 1)]
        fast[row.profile_id] = [(time - START) // pd.Timedelta(minutes=1) for time in times]
    assert fast == slow
    for step in range(1, len(steps) + 1):
        reached = sum(len(times) >= step for times in slow.values())
        assert found.table["profiles"][step - 1] == reached


@given(logs(), step_lists, st.randoms(use_true_random=False))
def test_row_order_does_not_matter(frame, steps, random):
    order = list(range(len(frame)))
    random.shuffle(order)
    one = ck.funnel(frame, steps, within="6min")
    other = ck.funnel(frame.iloc[order], steps, within="6min")
    pd.testing.assert_frame_equal(one.table, other.table)

"""Groups of every type of column, and what is known at the end of the range."""

from __future__ import annotations

import numpy as np
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


def lab(*columns):
    """Return events with the same labels in each of these columns."""
    frame = events(("a", "A", "2026-03-02"), ("a", "B", "2026-03-03"), ("b", "A", "2026-03-02"))
    return frame.assign(**{name: ["x", "y", "y"] for name in columns})


@pytest.mark.parametrize(
    ("column", "ask"),
    [
        *((name, lambda found: found.curve()) for name in ("time", "share", "low", "at_risk")),
        *((name, lambda found: found.time_to_convert()) for name in ("median", "p10")),
        *((name, lambda found: found.compare(found)) for name in ("difference", "p_value")),
        *((name, lambda found: found.compare(found)) for name in ("other_profiles", "low")),
    ],
)
def test_a_label_of_the_name_of_a_column_is_refused_where_that_is(column, ask):
    found = ck.funnel(lab(column), ["A", "B"], within="7D", by=column)
    assert found.table[column].tolist() == ["x", "x", "y", "y"]
    with pytest.raises(ck.ConvergekitError, match=f"by='{column}'.*Rename"):
        ask(found)


def test_a_label_may_be_called_end():
    trend = ck.funnel(lab("end"), ["A", "B"], within="7D", by="end").trend("D")
    assert trend["end"].tolist() == ["x", "y"]


@pytest.mark.parametrize("step", [2.0, True, "2", None, 3, -1])
@pytest.mark.parametrize("ask", ["curve", "test", "converted", "drop_offs", "time_to_convert"])
def test_a_step_is_a_whole_number(ask, step):
    found = ck.funnel(lab("plan"), ["A", "B"], within="7D", by="plan")
    if ask == "time_to_convert":
        found.time_to_convert(np.int64(1), np.int64(2))
        ask, given = found.time_to_convert, (1 if step is None else step, step or "2")
    else:
        getattr(found, ask)(np.int64(2))
        ask, given = getattr(found, ask), (step or "2",)
    with pytest.raises(ck.ConvergekitError, match="step must be"):
        ask(*given)


def test_by_step_is_a_whole_number_of_any_type():
    frame = lab("plan")
    for step in (1, 2):
        one, other = (
            ck.funnel(frame, ["A", "B"], within="7D", by="plan", by_step=given).table
            for given in (step, np.int64(step))
        )
        pd.testing.assert_frame_equal(one, other)
    for step in (2.0, True, [1], np.array([1, 2])):
        with pytest.raises(ck.ConvergekitError, match="by_step must be"):
            ck.funnel(frame, ["A", "B"], within="7D", by="plan", by_step=step)


def test_windows_of_steps_are_given_once_and_never_left_aside():
    frame = events(("a", "A", "2026-03-02"), ("a", "B", "2026-03-04"), ("z", "Z", "2026-04-01"))
    found = ck.funnel(frame, ["A", "B"], within={np.int64(1): "7D", np.int64(2): "1D"})
    assert found.table["profiles"].tolist() == [1, 0]
    for within in ({1: "7D", "A": "1D"}, {1: "7D", 2: "1D", "B": "2D"}):
        with pytest.raises(ck.ConvergekitError, match="two windows"):
            ck.funnel(frame, ["A", "B"], within=within)
    for entry in (None, "first"):
        with pytest.raises(ck.ConvergekitError, match="count='attempts'"):
            ck.funnel(frame, ["A", "B"], within={1: "7D", 2: "1D"}, count="attempts", entry=entry)


def test_an_end_is_an_event():
    found = ck.funnel(lab(), ["A", "B"], within="7D")
    with pytest.raises(ck.ConvergekitError, match="5"):
        found.curve(ends=5)


def test_a_carried_label_and_a_tool_that_reads_elsewhere_are_refused():
    with pytest.raises(ck.ConvergekitError, match="label='carried'.*like='mixpanel'"):
        ck.funnel(lab("p"), ["A", "B"], within="7D", by="p", label="carried", like="mixpanel")


def test_labels_of_other_types_are_of_no_common_group():
    texts = ck.funnel(lab("plan"), ["A", "B"], within="7D", by="plan")
    numbers = ck.funnel(lab().assign(plan=[1, 2, 2]), ["A", "B"], within="7D", by="plan")
    assert len(texts.compare(numbers)) == len(numbers.compare(texts)) == 0
    mixed = lab().assign(plan=pd.Series(["x", "y", "y"], dtype="category"))
    found = texts.compare(ck.funnel(mixed, ["A", "B"], within="7D", by="plan"))
    pd.testing.assert_frame_equal(found, texts.compare(texts))


def test_a_group_has_its_colour_in_a_curve_of_some_of_the_breakdown():
    # The data have "k" too, which nobody has at the entry.
    frame = lab("one").assign(two=["p", "k", "q"])
    found = ck.funnel(frame, ["A", "B"], within="7D", by=["one", "two"])
    colours = [
        {trace.name: trace.line.color for trace in funnel.curve(by="two").plot().data if trace.name}
        for funnel in (found, ck.funnel(frame, ["A", "B"], within="7D", by="two"))
    ]
    assert colours[0] == colours[1] != {}


def test_groups_of_values_without_an_order():
    values = pd.Series([("a", 1), b"x", 2], dtype=object)
    frame = lab().assign(plan=values)
    one, other = (
        ck.funnel(part, ["A", "B"], within="7D", by="plan") for part in (frame, frame.iloc[::-1])
    )
    assert one.table["profiles"].sum() == 3
    pd.testing.assert_frame_equal(one.table, other.table)


def test_what_came_next_is_found_among_profiles_of_any_text():
    who = pd.Series(["\ud83d", "\ud83d", "a", ""], dtype=object)
    frame = events(
        *(("", "A", "2026-03-02"), ("", "C", "2026-03-03"), ("", "B", "2026-04-01")),
        ("", "A", "2026-03-02"),
    )
    found = ck.funnel(frame.assign(profile_id=who), ["A", "B"], within="7D").drop_offs()
    assert dict(zip(found["profile_id"], found["next_event"], strict=True))["\ud83d"] == "C"


def test_times_after_the_last_year_of_a_calendar_are_refused():
    frame = events(("a", "A", "2026-03-02"), ("a", "B", "2026-03-03"))
    frame["timestamp"] = np.array(["9999-12-31"] * 2, dtype="datetime64[s]")
    found = ck.funnel(frame, ["A", "B"], within="7D", calendar="Europe/Brussels")
    with pytest.raises(ck.ConvergekitError, match="9999"):
        found.trend("D")


def test_an_unknown_end_among_names_of_several_types_is_named():
    frame = lab().assign(event_name=pd.Series(["A", "B", 1], dtype=object))
    with pytest.raises(ck.UnknownNameError, match="'C'"):
        ck.funnel(frame, ["A", "B"], within="7D").curve(ends="C")


def test_other_is_the_same_group_in_each_period():
    days = {"2026-03-02": "xxxxxyyz", "2026-03-03": "xyyzzzzz", "2026-03-04": "xxxxxxz"}
    rows = [
        (f"{day}{at}", "A", day, plan)
        for day, plans in days.items()
        for at, plan in enumerate(plans)
    ]
    frame = events(*(row[:3] for row in rows), plan=[row[3] for row in rows])
    found = ck.funnel(frame, ["A"], within="1D", by="plan", top=1)
    assert found.table[["plan", "profiles"]].to_numpy().tolist() == [["x", 12], ["other", 11]]
    trend = found.trend("D")[["plan", "entered"]].to_numpy().tolist()
    assert trend == [["x", 5], ["other", 3], ["x", 1], ["other", 7], ["x", 6], ["other", 1]]

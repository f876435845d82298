"""Funnels: the definition's corners by hand, and everything else against the slow definition."""

from __future__ import annotations

import datetime

import pandas as pd
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

import convergekit as ck
from tests.slow_funnel import SlowFunnel

# Sketches name only what they are about.
pytestmark = pytest.mark.filterwarnings("ignore:no event is named")

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
    frame = log(a="v0 c2 o6", b="v0 c4", c="v0", d="v0 c6 o8", e="o1 x99")
    table = ck.funnel(frame, STEPS, within="1h").table
    assert table.columns.tolist() == [
        "step", "event_name", "profiles", "conversion", "step_conversion", "drop_off",
        "in_window", "median_time", "mean_time", "p90_time",
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
def logs(draw, max_rows=9):
    rows = draw(st.lists(st.tuples(st.sampled_from("ab"), names, moments), max_size=max_rows))
    frame = pd.DataFrame(rows, columns=["profile_id", "event_name", "minute"])
    frame = frame.astype({"profile_id": "str", "event_name": "str", "minute": "int64"})
    frame["held"] = draw(st.lists(st.sampled_from("xy"), min_size=len(rows), max_size=len(rows)))
    return frame.assign(
        timestamp=START + pd.to_timedelta(frame["minute"], unit="min"),
        held=frame["held"].astype("str"),
        place=range(len(frame)),
    )


def of_profiles(frame, *, hold=False):
    """Per profile, its events as the slow definition takes them."""
    renamed = frame.rename(columns={"event_name": "name"})
    columns = ["name", "minute", "place", *(["held"] if hold else [])]
    return {
        profile: events[columns].to_dict("records")
        for profile, events in renamed.groupby("profile_id")
    }


def minutes_of(found):
    """Per profile that is counted, the minutes of its steps."""
    counted = found.conversions[found.conversions["status"] != "excluded"]
    return {
        row.profile_id: [
            (getattr(row, f"time_{i}") - START) // pd.Timedelta(minutes=1)
            for i in range(1, row.depth + 1)
        ]
        for row in counted.itertuples()
    }


def minute(value):
    return None if value is None else START + pd.Timedelta(minutes=value)


exclusion_lists = st.lists(
    st.tuples(names, st.integers(1, 3), st.integers(2, 4)).filter(lambda x: x[1] < x[2]),
    max_size=2,
)
maybe_minute = st.none() | moments


@settings(max_examples=1500)
@given(
    logs(),
    step_lists,
    st.integers(1, 13),
    exclusion_lists,
    st.sampled_from(["remove", "drop_off"]),
    maybe_minute,
    maybe_minute,
    st.booleans(),
    st.booleans(),
    st.sampled_from(["best", "arrival"]),
    st.booleans(),
    st.sampled_from(["ordered", "ordered", "strict", "any"]),
    st.sampled_from([0, 0, 1, 3]),
)
def test_equals_the_slow_definition(
    frame,
    steps,
    window,
    excluding,
    on_exclude,
    start,
    end,
    cut,
    only_first,
    ties,
    hold,
    order,
    tolerance,
):
    note(frame.to_string())
    excluding = [x for x in excluding if x[2] <= len(steps) and order != "strict"]
    if order == "any":
        excluding = [(name, 1, len(steps)) for name, _, _ in excluding if len(steps) > 1]
    cut = cut and end is not None
    tolerance = tolerance if ties == "best" else 0
    slow = SlowFunnel(
        steps,
        window,
        exclusions=[({name}, after, before) for name, after, before in excluding],
        on_exclude=on_exclude,
        start=start,
        end=end,
        cut=cut,
        only_first=only_first,
        ties=ties,
        order=order,
        tolerance=tolerance,
    )
    found = ck.funnel(
        frame,
        steps,
        within=f"{window}min",
        exclude=[ck.Exclusion(name, after, before) for name, after, before in excluding],
        on_exclude=on_exclude,
        start=minute(start),
        end=minute(end),
        range_applies_to="entry_and_completion" if cut else "entry",
        entry="first" if only_first else "any",
        ties=ties,
        hold=["held"] if hold else [],
        order=order,
        tolerance=f"{tolerance}min" if tolerance else None,
    )
    expected, excluded = {}, set()
    for profile, events in of_profiles(frame, hold=hold).items():
        times, is_excluded = slow.profile(events)
        if is_excluded:
            excluded.add(profile)
        elif times:
            expected[profile] = times
    assert minutes_of(found) == expected
    conversions = found.conversions
    assert set(conversions["profile_id"][conversions["status"] == "excluded"]) == excluded
    counts = found.counts
    assert counts["entered"] == sum(v for k, v in counts.items() if k != "entered")
    for step in range(1, len(steps) + 1):
        reached = sum(len(times) >= step for times in expected.values())
        assert found.table["profiles"][step - 1] == reached


@settings(max_examples=1000)
@given(
    logs(),
    step_lists,
    st.integers(1, 13),
    exclusion_lists,
    st.sampled_from(["remove", "drop_off"]),
    st.sampled_from(["best", "arrival"]),
    st.sampled_from(["ordered", "ordered", "strict", "any"]),
    st.booleans(),
)
def test_every_attempt_equals_the_slow_definition(
    frame, steps, window, excluding, on_exclude, ties, order, earliest
):
    note(frame.to_string())
    excluding = [x for x in excluding if x[2] <= len(steps) and order != "strict"]
    if order == "any":
        excluding = [(name, 1, len(steps)) for name, _, _ in excluding if len(steps) > 1]
    slow = SlowFunnel(
        steps,
        window,
        exclusions=[({name}, after, before) for name, after, before in excluding],
        on_exclude=on_exclude,
        ties=ties,
        order=order,
    )
    found = ck.funnel(
        frame,
        steps,
        within=f"{window}min",
        exclude=[ck.Exclusion(name, after, before) for name, after, before in excluding],
        on_exclude=on_exclude,
        ties=ties,
        order=order,
        **({"entry": "earliest"} if earliest else {"count": "attempts"}),
    )
    if earliest:
        best = {p: slow.earliest(events) for p, events in of_profiles(frame).items()}
        assert minutes_of(found) == {
            p: t for p, (t, excluded) in best.items() if t and not excluded
        }
        return
    expected = {p: slow.attempts(events) for p, events in of_profiles(frame).items()}
    excluded = found.conversions["status"] == "excluded"
    fast = found.conversions.assign(
        pair=list(zip(found.conversions["depth"], excluded, strict=True))
    )
    fast = fast.groupby("profile_id")["pair"].agg(sorted).to_dict()
    assert fast == {profile: depths for profile, depths in expected.items() if depths}


@settings(max_examples=700)
@given(
    logs(),
    step_lists.filter(lambda steps: len(steps) > 1),
    st.integers(1, 13),
    st.sampled_from(["best", "arrival"]),
    st.data(),
)
def test_optional_steps_neither_help_nor_hinder(frame, steps, window, ties, data):
    note(frame.to_string())
    optional = data.draw(st.sets(st.integers(1, len(steps) - 1), min_size=1))
    given_steps = [ck.Step(step, optional=i in optional) for i, step in enumerate(steps)]
    options = {"within": f"{window}min", "ties": ties}
    found = ck.funnel(frame, given_steps, **options).conversions
    required = [i for i in range(len(steps)) if i not in optional]
    alone = ck.funnel(frame, [steps[i] for i in required], **options).conversions
    for place, step in enumerate(required, start=1):
        pd.testing.assert_series_equal(
            found[f"row_{step + 1}"], alone[f"row_{place}"], check_names=False
        )
    slow = SlowFunnel(steps, window, ties=ties)
    events = {e["place"]: e for log in of_profiles(frame).values() for e in log}
    for row in found.to_dict("records"):
        own = [
            e for e in events.values() if frame.loc[e["place"], "profile_id"] == row["profile_id"]
        ]
        at = {i: row[f"row_{i + 1}"] for i in range(len(steps))}
        chain = {i: events[place] for i, place in at.items() if pd.notna(place)}
        for step in sorted(optional):
            done = row[f"time_{step + 1}"]
            done = None if pd.isna(done) else (done - START) // pd.Timedelta(minutes=1)
            before = max(i for i in required if i < step)
            following = [chain[i] for i in required if i > step and i in chain]
            expected = None
            if before in chain:
                earlier = [chain[i] for i in sorted(chain) if i < step]
                others = [e for i, e in chain.items() if i in required or i < step]
                expected = slow.optional(
                    others,
                    own,
                    slow.steps[step],
                    max(earlier, key=slow.key),
                    next(iter(following), None),
                )
            assert done == expected


@given(logs(), step_lists, st.integers(1, 13), st.sampled_from(["profiles", "attempts"]))
def test_every_step_names_the_row_that_fills_it(frame, steps, window, count):
    found = ck.funnel(frame, steps, within=f"{window}min", count=count).conversions
    for row in found.itertuples():
        rows = [getattr(row, f"row_{i}") for i in range(1, row.depth + 1)]
        assert len(set(rows)) == len(rows)
        for step, at in zip(steps, rows, strict=False):
            event = frame.loc[at]
            assert event["profile_id"] == row.profile_id
            assert event["event_name"] in ([step] if isinstance(step, str) else step)
        times = [frame.loc[at, "minute"] for at in rows]
        assert times == sorted(times)


@given(logs(), step_lists, st.sampled_from(["first", "last", 1]), st.none() | st.integers(1, 2))
def test_groups_add_up_to_the_whole(frame, steps, by_step, top):
    whole = ck.funnel(frame, steps, within="6min")
    parts = ck.funnel(frame, steps, within="6min", by="held", by_step=by_step, top=top)
    summed = parts.table.groupby("step")[["profiles", "drop_off", "in_window"]].sum()
    expected = whole.table.set_index("step")[["profiles", "drop_off", "in_window"]]
    if len(whole.conversions):
        pd.testing.assert_frame_equal(summed, expected)
    else:
        assert parts.table.empty
    assert parts.label_steps["profiles"].sum() == len(whole.conversions)


@given(logs(), step_lists, st.randoms(use_true_random=False))
def test_row_order_does_not_matter(frame, steps, random):
    order = list(range(len(frame)))
    random.shuffle(order)
    one = ck.funnel(frame, steps, within="6min")
    other = ck.funnel(frame.iloc[order], steps, within="6min")
    pd.testing.assert_frame_equal(one.table, other.table)

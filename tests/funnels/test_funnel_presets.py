"""`like=`: the tools' own rules, against their loops written out, and by hand."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, note
from hypothesis import strategies as st

import convergekit as ck
from tests.effort import tries
from tests.funnels import reference_tools

pytestmark = pytest.mark.filterwarnings("ignore:no event is named")
START = pd.Timestamp("2026-03-02", tz="UTC")
LETTERS = ("A", "B", "C", "X", "F")


def frame_of(people):
    """Events of people: ``{"ann": [("A", 0.0), ("B", 2.5)]}``, in seconds."""
    rows = [(who, name, at) for who, log in people.items() for name, at in log]
    frame = pd.DataFrame(rows, columns=["profile_id", "event_name", "second"])
    frame = frame.astype({"profile_id": "str", "event_name": "str", "second": "float64"})
    return frame.assign(timestamp=START + pd.to_timedelta(frame["second"], unit="s"))


def counts(people, steps, **options):
    return ck.funnel(frame_of(people), steps, **options).table["profiles"].tolist()


times = st.one_of(st.integers(0, 9).map(float), st.integers(0, 40).map(lambda n: n / 50))
logs = st.lists(st.tuples(st.sampled_from(LETTERS), times), max_size=9)
people = st.fixed_dictionaries({"p": logs, "q": logs})
steps_lists = st.lists(
    st.one_of(
        st.sampled_from("ABC"),
        st.lists(st.sampled_from("ABC"), min_size=2, max_size=2, unique=True),
    ),
    min_size=1,
    max_size=4,
)


def fed(log, steps, exclusions=(), *, everything=False):
    """One profile's events as the loops take them."""
    found = []
    for number, (name, at) in enumerate(log):
        fits = [i for i, step in enumerate(steps, start=1) if name in step]
        for excluded, after, before in exclusions:
            if name == excluded:
                fits += [-step for step in range(after + 1, before + 1)]
        if fits or everything:
            found.append((at, number, sorted(set(fits), key=abs)))
    return sorted(found, key=lambda event: event[0])


@tries(1000)
@given(people, steps_lists, st.integers(1, 9), st.booleans(), st.data())
def test_posthog_in_order_equals_its_loop(people, steps, window, strict, data):
    optional = data.draw(st.sets(st.integers(2, max(len(steps) - 1, 2)), max_size=1))
    optional = {step for step in optional if step < len(steps)}
    exclusions = data.draw(
        st.sampled_from([[], [("X", 1, len(steps))]]) if len(steps) > 1 else st.just([])
    )
    given_steps = [ck.Step(s, optional=i in optional) for i, s in enumerate(steps, start=1)]
    frame = frame_of(people)
    note(frame.to_string())
    found = ck.funnel(
        frame,
        given_steps,
        within=f"{window}s",
        order="strict" if strict else "ordered",
        exclude=[ck.Exclusion(*exclusion) for exclusion in exclusions],
        like="posthog",
    ).conversions
    found = found[found["status"] != "excluded"].set_index("profile_id")
    for who, log in people.items():
        events = fed(log, steps, exclusions, everything=strict)
        expected = reference_tools.posthog_ordered(
            events, len(steps), window, strict=strict, optional=optional
        )
        if expected is None:
            assert who not in found.index
            continue
        first_row = frame.index[frame["profile_id"] == who][0]
        rows = {
            step: int(found.loc[who, f"row_{step}"]) - first_row
            for step in range(1, len(steps) + 1)
            if pd.notna(found.loc[who, f"row_{step}"])
        }
        assert rows == expected


@tries(500)
@given(people, steps_lists, st.integers(1, 9), st.booleans())
def test_posthog_in_any_order_equals_its_loop(people, steps, window, excluding):
    exclusions = [("X", 1, len(steps))] if excluding and len(steps) > 1 else []
    found = ck.funnel(
        frame_of(people),
        steps,
        within=f"{window}s",
        order="any",
        exclude=[ck.Exclusion(*exclusion) for exclusion in exclusions],
        like="posthog",
    ).conversions
    depth = dict(zip(found["profile_id"], found["depth"], strict=True))
    for who, log in people.items():
        events = fed(log, steps, exclusions)
        assert depth.get(who, 0) == reference_tools.posthog_unordered(events, len(steps), window)


@tries(500)
@given(people, steps_lists, st.integers(1, 9), st.booleans())
def test_clickhouse_equals_its_loop(people, steps, window, strict):
    order = "strict" if strict else "ordered"
    found = ck.funnel(
        frame_of(people), steps, within=f"{window}s", order=order, like="clickhouse"
    ).conversions
    depth = dict(zip(found["profile_id"], found["depth"], strict=True))
    for who, log in people.items():
        events = fed(log, steps, everything=strict)
        assert depth.get(who, 0) == reference_tools.window_funnel(
            events, len(steps), window, strict=strict
        )


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ([("A", 1), ("X", 2)], [0, 0]),  # who never did the next step is removed as well
        ([("A", 1), ("X", 2), ("A", 3)], [1, 0]),
        ([("A", 1), ("X", 2), ("B", 3)], [0, 0]),
        ([("A", 1), ("X", 2), ("B", 3), ("A", 4), ("B", 5)], [1, 1]),  # a clean attempt rescues
    ],
)
def test_posthogs_exclusions(log, expected):
    options = {"exclude": "X", "like": "posthog"}
    assert counts({"ann": log}, ["A", "B"], **options) == expected


def test_posthogs_window_range_and_averages():
    day = 86_400
    assert counts({"ann": [("A", 0), ("B", 14 * day)]}, ["A", "B"], like="posthog") == [1, 1]
    assert counts({"ann": [("A", 0), ("B", 14 * day + 1)]}, ["A", "B"], like="posthog") == [1, 0]
    log = {"ann": [("A", 0), ("B", 2 * day)]}
    bounded = {"end": START + pd.Timedelta("1D"), "like": "posthog"}
    assert counts(log, ["A", "B"], **bounded) == [1, 0]
    both = {"ann": [("A", 0), ("B", 0)], "bob": [("A", 0), ("B", 60)]}
    found = ck.funnel(frame_of(both), ["A", "B"], like="posthog")
    # Transitions of zero seconds are left out.
    assert found.table["mean_time"][1] == pd.Timedelta("1min")


def test_posthogs_attribution():
    frame = frame_of({"ann": [("A", 0), ("A", 1), ("B", 2)], "bob": [("A", 0)]})
    frame["properties.channel"] = ["ads", "mail", "mail", None]
    options = {"by": "channel", "like": "posthog"}

    def reached(by_step):
        table = ck.funnel(frame, ["A", "B"], by_step=by_step, **options).table
        return {
            (None if pd.isna(label) else label): part["profiles"].tolist()
            for label, part in table.groupby("properties.channel", dropna=False)
        }

    assert reached("first") == {"ads": [1, 1], None: [1, 0]}
    assert reached("last") == {"mail": [1, 1], None: [1, 0]}
    # One person may be in several groups; without a value at the step, in PostHog's group ''.
    assert reached(1) == {"ads": [1, 1], "mail": [1, 1], None: [1, 0]}
    assert reached(2) == {"mail": [1, 1]}


def test_one_event_fills_several_steps_in_clickhouse_only():
    log = {"ann": [("A", 0)]}
    assert counts(log, ["A", "A"], within="1h", like="clickhouse") == [1, 1]
    assert counts(log, ["A", "A"], within="1h") == [1, 0]


def test_mixpanel():
    day = 86_400
    # The first entry only, for seven days; two seconds of grace.
    log = {"ann": [("A", 0), ("A", 8 * day), ("B", 8 * day + 60)], "bob": [("B", 0), ("A", 2)]}
    assert counts(log, ["A", "B"], like="mixpanel") == [2, 1]
    assert counts(log, ["A", "B"], like="mixpanel", entry="any") == [2, 2]
    # An exclusion keeps the steps before it; totals enter anew after it.
    log = {"ann": [("A", 0), ("X", 5), ("A", 10), ("A", 15), ("B", 20), ("B", 30)]}
    excluding = {"exclude": "X", "like": "mixpanel"}
    assert counts(log, ["A", "B"], **excluding) == [1, 0]
    assert counts(log, ["A", "B"], count="attempts", **excluding) == [2, 1]


def test_amplitude():
    day = 86_400
    log = {"ann": [("A", 0), ("A", 60), ("B", 120)], "bob": [("A", 0), ("B", day + 1)]}
    found = ck.funnel(frame_of(log), ["A", "B"], like="amplitude")
    assert found.table["profiles"].tolist() == [2, 1]
    assert found.conversions["time_1"][0] == START  # of the longest, the earliest
    # The same event twice in a second is one; another one in that second is forgiven.
    assert counts({"ann": [("A", 0), ("A", 0.5)]}, ["A", "A"], like="amplitude") == [1, 0]
    strict = {"order": "strict", "like": "amplitude"}
    assert counts({"ann": [("A", 0), ("F", 0), ("B", 9)]}, ["A", "B"], **strict) == [1, 1]


def test_tolerance():
    log = {"ann": [("B", 0), ("A", 2)], "bob": [("B", 0), ("A", 3)]}
    assert counts(log, ["A", "B"], within="1h") == [2, 0]
    assert counts(log, ["A", "B"], within="1h", tolerance="2s") == [2, 1]
    found = ck.funnel(frame_of(log), ["A", "B"], within="1h", tolerance="2s")
    assert found.table["median_time"][1] == pd.Timedelta(0)


def test_optional_steps():
    steps = ["A", ck.Step("B", optional=True), "C"]
    log = {
        "ann": [("A", 0), ("B", 1), ("C", 2)],
        "bob": [("A", 0), ("C", 1), ("B", 2)],
        "cyd": [("A", 0), ("B", 1)],
    }
    found = ck.funnel(frame_of(log), steps, within="1min")
    assert found.table["profiles"].tolist() == [3, 2, 2]
    assert found.table["step_conversion"].tolist()[1:] == [pytest.approx(2 / 3)] * 2
    status = dict(zip(found.conversions["profile_id"], found.conversions["status"], strict=True))
    assert status == {"ann": "converted", "bob": "converted", "cyd": "in_window"}
    assert found.optional == [2]
    with pytest.raises(ck.ConvergekitError, match="optional"):
        found.drop_offs(2)
    with pytest.raises(ck.ConvergekitError, match="first step"):
        ck.funnel(frame_of(log), [ck.Step("A", optional=True), "B"], within="1min")
    with pytest.raises(ck.ConvergekitError, match="order='ordered'"):
        ck.funnel(frame_of(log), steps, within="1min", order="any")


def test_attempts_with_exclusions_and_in_other_orders():
    log = {"ann": [("A", 0), ("B", 5), ("A", 10), ("X", 12), ("B", 15)]}
    every = {"within": "1min", "count": "attempts"}
    assert counts(log, ["A", "B"], exclude="X", **every) == [1, 1]
    assert counts(log, ["A", "B"], exclude="X", on_exclude="drop_off", **every) == [2, 1]
    assert counts(log, ["A", "B"], order="strict", **every) == [2, 1]
    # In any order, every event of any step starts an attempt.
    assert counts(log, ["A", "B"], order="any", **every) == [4, 3]


def test_every_attempt_counts_where_a_property_is_held():
    frame = frame_of({"ann": [("A", 0), ("A", 1), ("B", 2)]})
    frame["shop"] = ["x", "y", "y"]
    found = ck.funnel(frame, ["A", "B"], within="1h", count="attempts", hold="shop")
    assert found.table["profiles"].tolist() == [2, 1]


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"like": "heap"}, "like must be one of 'posthog'"),
        ({"like": "posthog", "ties": "arrival"}, "fixes ties='best'"),
        ({"like": "posthog", "count": "attempts"}, r"does not go with count='attempts'"),
        ({"like": "clickhouse", "within": "1h", "exclude": "X"}, "does not go with exclusions"),
        ({"like": "mixpanel", "order": "strict"}, "does not go with order='strict'"),
        ({"like": "amplitude", "count": "attempts"}, "does not go with count='attempts'"),
        ({"like": "clickhouse"}, "needs within="),
        ({"within": "1h", "tolerance": "2s", "ties": "arrival"}, "leave out one of the two"),
        ({"like": "posthog", "exclude": "A"}, "cannot exclude an event that is also a step"),
    ],
)
def test_what_a_tool_does_not_have(options, match):
    with pytest.raises(ck.ConvergekitError, match=match):
        counts({"ann": [("A", 0)]}, ["A", "B"], **options)

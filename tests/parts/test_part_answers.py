"""Answers by parts: those of memory, whatever is asked and whatever the parts."""

from __future__ import annotations

import warnings

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from tests.effort import tries
from tests.parts.parts_cases import by_parts, in_memory, same_frames
from tests.strategies import event_frames

STEPS = ["PageView", "Added To Cart", "Placed Order"]
parts = st.sampled_from([1, 2, 7])
by = st.sampled_from([(), "utm_source", ["utm_source", "properties.plan"], "properties.plan"])


@st.composite
def frames(draw):
    """Two frames of events, with amounts and a plan."""
    frame = draw(event_frames(max_rows=20))
    size = len(frame)
    frame["properties.plan"] = draw(
        st.lists(st.sampled_from(["a", "b", "c", None]), min_size=size, max_size=size)
    )
    frame["properties.total_price"] = draw(
        st.lists(st.sampled_from([1.1, 2.2, 0.7]), min_size=size, max_size=size)
    )
    frame = frame.astype({"properties.plan": "str"})
    cut = draw(st.integers(0, size))
    found = [frame[:cut].reset_index(drop=True), frame[cut:].reset_index(drop=True)]
    return [one for one in found if len(one)]


step = st.one_of(
    st.sampled_from(STEPS),
    st.builds(ck.Step, st.sampled_from(STEPS), where=st.sampled_from(["plan == 'a'", None])),
    st.just(["PageView", "Placed Order"]),
)
asked = st.fixed_dictionaries(
    {"steps": st.lists(step, min_size=1, max_size=3), "within": st.sampled_from(["1min", "5min"])},
    optional={
        "order": st.sampled_from(["ordered", "strict", "any"]),
        "entry": st.sampled_from(["first", "any", "earliest"]),
        "ties": st.sampled_from(["best", "arrival"]),
        "count": st.sampled_from(["profiles", "attempts", "visits"]),
        "exclude": st.sampled_from(["Placed Order", ck.Exclusion("PageView")]),
        "on_exclude": st.sampled_from(["remove", "drop_off"]),
        "hold": st.just("plan"),
        "by": by,
        "by_step": st.sampled_from(["entry", "first", "last", 1]),
        "label": st.sampled_from(["visit", "carried"]),
        "top": st.sampled_from([1, 2]),
        "start": st.just("2026-03-02 00:01"),
        "end": st.sampled_from(["2026-03-02 00:05", "2026-03-02"]),
        "range_applies_to": st.just("entry_and_completion"),
        "tolerance": st.just("2min"),
        "like": st.sampled_from(["posthog", "mixpanel", "amplitude", "clickhouse"]),
    },
)


def answer(ask):
    """Return what is answered, or the text of the error, and what is warned of."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            found = ask()
        except ck.ConvergekitError as error:
            return f"{type(error).__name__}: {error}", set()
    return found, {str(one.message) for one in said}


def conversions(funnel):
    """Return who entered, in an order of their own."""
    table = funnel.conversions
    rows = [name for name in table if name.startswith(("row_", "time_", "profile_id"))]
    return table.sort_values(rows, ignore_index=True)


def same(ask_found, ask_expected):
    """Check that the same is answered, and return both answers; None for errors."""
    found, said = answer(ask_found)
    expected, also = answer(ask_expected)
    if isinstance(expected, str):
        assert found == expected
        return None
    assert not isinstance(found, str), found
    assert said == also
    return found, expected


@given(frames(), asked, parts)
@tries(200)
def test_funnels_are_those_of_memory(given_frames, question, number):
    if not given_frames:
        return
    s = in_memory(given_frames)
    with by_parts(given_frames, number) as p:
        both = same(lambda: p.funnel(**question), lambda: s.funnel(**question))
        if both is None:
            return
        found, expected = both
        assert found.counts == expected.counts
        assert (found.left_out, found.data_end) == (expected.left_out, expected.data_end)
        same_frames(found.table, expected.table)
        same_frames(found.label_steps, expected.label_steps)
        same_frames(conversions(found), conversions(expected))
        assert str(found) == str(expected)
        for ask in (
            lambda funnel: funnel.trend("min"),
            lambda funnel: funnel.curve(),
            lambda funnel: funnel.curve(ends=["PageView"]),
            lambda funnel: str(funnel.time_to_convert()),
        ):
            pair = same(lambda ask=ask: ask(found), lambda ask=ask: ask(expected))
            if pair is not None and isinstance(pair[0], pd.DataFrame):
                same_frames(pd.DataFrame(pair[0]), pd.DataFrame(pair[1]))
        pair = same(found.drop_offs, expected.drop_offs)
        if pair is not None:
            rows = ["profile_id", "row_1"]
            same_frames(*(one.sort_values(rows, ignore_index=True) for one in pair))


@given(
    frames(),
    parts,
    st.fixed_dictionaries(
        {"freq": st.sampled_from(["min", "D"])},
        optional={
            "mode": st.sampled_from(["on", "within", "on_or_after"]),
            "cohort": st.just("every"),
            "periods": st.just("elapsed"),
            "by": by,
            "label": st.just("carried"),
            "top": st.just(1),
            "returns": st.sampled_from(STEPS),
        },
    ),
)
@tries(100)
def test_retention_is_that_of_memory(given_frames, number, question):
    if not given_frames:
        return
    s = in_memory(given_frames)
    with by_parts(given_frames, number) as p:
        both = same(lambda: p.retention(**question), lambda: s.retention(**question))
        if both is not None:
            same_frames(pd.DataFrame(both[0].table), pd.DataFrame(both[1].table))
            assert str(both[0]) == str(both[1])


@given(
    frames(),
    parts,
    st.fixed_dictionaries(
        {"freq": st.sampled_from(["min", "D"])},
        optional={
            "event": st.sampled_from([*STEPS, "Nothing"]),
            "measure": st.sampled_from(["events", "profiles", "new_profiles"]),
            "value": st.just("total_price"),
            "by": by,
            "top": st.just(1),
        },
    ),
)
@tries(100)
def test_counts_are_those_of_memory(given_frames, number, question):
    if not given_frames:
        return
    s = in_memory(given_frames)
    with by_parts(given_frames, number) as p:
        both = same(lambda: p.counts(**question), lambda: s.counts(**question))
        if both is not None:
            assert both[0].attrs["left_out"] == both[1].attrs["left_out"]
            same_frames(pd.DataFrame(both[0]), pd.DataFrame(both[1]))


@given(frames(), parts, st.sampled_from([None, "total_price"]))
@tries(60)
def test_customers_are_those_of_memory(given_frames, number, value):
    if not given_frames:
        return
    s = in_memory(given_frames)
    with by_parts(given_frames, number) as p:
        both = same(lambda: p.customers(value=value), lambda: s.customers(value=value))
        if both is not None:
            assert str(both[0]) == str(both[1])
            same_frames(
                pd.DataFrame(both[0].new_and_returning()), pd.DataFrame(both[1].new_and_returning())
            )


@given(frames(), parts)
@tries(60)
def test_the_report_is_that_of_memory(given_frames, number):
    if not given_frames:
        return
    s = in_memory(given_frames)
    with by_parts(given_frames, number) as p:
        assert p.report.to_dict() == s.report.to_dict()


def test_labels_stay_with_their_rows_where_parts_lie_in_another_order():
    people, at = "abcdefg", pd.Timestamp("2026-03-02", tz="UTC")
    events = [
        *((who, "Refund", minute) for minute, who in enumerate(people)),
        *((who, "PageView", 10 + minute) for minute, who in enumerate(reversed(people))),
        *((who, "Placed Order", 20 + minute) for minute, who in enumerate(people)),
    ]
    frame = pd.DataFrame(events, columns=["alias.cookie", "event_name", "minute"])
    frame["timestamp"] = at + pd.to_timedelta(frame.pop("minute"), unit="min")
    frame["properties.plan"] = frame["alias.cookie"].map(dict(zip(people, "xxyyzzz", strict=True)))
    asked = {"steps": ["PageView", "Placed Order"], "within": "1h", "by": "plan"}
    expected = in_memory([frame]).funnel(**asked)
    with by_parts([frame], 3) as p:
        found = p.funnel(**asked)
        same_frames(conversions(found), conversions(expected))
        same_frames(found.time_to_convert().groups, expected.time_to_convert().groups)

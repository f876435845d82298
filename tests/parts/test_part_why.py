"""What changed between periods of events in parts: what memory says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from tests.change.causes import CAUSES
from tests.change.planted import NUMBERS
from tests.change.shops import AFTER, BEFORE, STEPS, Shop
from tests.effort import tries
from tests.parts.parts_cases import by_parts, in_memory
from tests.parts.test_part_answers import parts, same

FEW = ("2026-03-02", "2026-03-15"), ("2026-03-16", "2026-03-29")


def same_answers(found, expected):
    pd.testing.assert_frame_equal(found.table, expected.table, check_exact=True)
    pd.testing.assert_frame_equal(found.findings, expected.findings)
    assert repr(found) == repr(expected)
    assert found.finding == expected.finding
    for part in expected.table["part"]:
        pd.testing.assert_frame_equal(found.profiles(part), expected.profiles(part))


@tries(30)
@given(st.data(), parts)
def test_why_is_that_of_memory(data, number):
    size = data.draw(st.integers(4, 30))

    def column(values):
        return data.draw(st.lists(st.sampled_from(values), min_size=size, max_size=size))

    begin = pd.Timestamp("2026-03-02", tz="UTC")
    events = pd.DataFrame(
        {
            "event_name": column(["A", "B", "C", "x"]),
            "timestamp": [begin + pd.Timedelta(hours=h) for h in column(list(range(24 * 8)))],
            "alias.cookie": column(["1", "2", "3", "4", None]),
            "alias.email": column(["a@x.org", "b@x.org", None]),
            "properties.total": column([1.5, 20.0, None]),
            "properties.plan": column(["a", "b", None]),
            "source": column(["browser", "server"]),
        }
    )
    options = data.draw(st.sampled_from([{}, {"limits": {"email": 1}}]))
    asked = {
        "steps": ["A", "B", "C"],
        "within": "2D",
        "number": data.draw(st.sampled_from(NUMBERS)),
        "by": data.draw(st.sampled_from([None, "plan"])),
    }
    periods = ("2026-03-02", "2026-03-05"), ("2026-03-06", "2026-03-10")
    cut = data.draw(st.integers(1, size - 1))
    halves = [part.reset_index(drop=True) for part in (events[:cut], events[cut:])]
    with np.errstate(all="ignore"), by_parts(halves, number, **options) as p:
        s = in_memory(halves, **options)
        both = same(lambda: p.why(*periods, **asked), lambda: s.why(*periods, **asked))
    if both is not None:
        same_answers(*both)


@pytest.fixture(scope="module")
def events():
    return ck.simulate_store(people=300, seed=8).events


def test_periods_and_stitchings_of_a_store_are_compared_as_in_memory(events):
    half = len(events) // 2
    first, last = events.head(half), events.tail(-half)
    s, one, other = ck.stitch(events), ck.stitch(first), ck.stitch(last)
    with by_parts([first, last], 3) as p:
        same_answers(p.why(*FEW), s.why(*FEW))
        short = ("2026-03-04", "2026-03-09"), ("2026-03-23", None)
        same_answers(
            p.why(*short, number="revenue a visit"), s.why(*short, number="revenue a visit")
        )
    with by_parts([first], 2) as p, by_parts([last], 3) as q:
        expected = one.why(other)
        same_answers(p.why(q), expected)
        same_answers(one.why(q), expected)
        same_answers(p.why(other), expected)


@pytest.mark.parametrize("name", ["shared alias", "login removed"])
def test_a_planted_cause_is_found_as_in_memory(name):
    cause = CAUSES[name]
    shop = Shop(700, 1)
    shop.visits += [cause.visits] if cause.visits else []
    shop.events += [cause.events] if cause.events else []
    frame = shop.made().drop(columns=["after", "person"])
    asked = {"number": cause.number, "steps": STEPS, "within": "3D"}
    expected = ck.stitch(frame).why(BEFORE, AFTER, **asked)
    with by_parts([frame], 3) as p:
        same_answers(p.why(BEFORE, AFTER, **asked), expected)


def test_bad_input_is_answered_as_in_memory(events):
    few = events.head(500)
    s = ck.stitch(few)
    with by_parts([few], 2) as p:
        for ask in (
            lambda t: t.why(("2026-03-02", "2026-03-10"), ("2026-03-10", "2026-03-15")),
            lambda t: t.why("2026-03-02"),
            lambda t: t.why(t, FEW[0]),
            lambda t: t.why(FEW[0], ("2027-03-02", "2027-03-08")),
            lambda t: t.why(*FEW, steps=["PageView", "Bought"]),
            lambda t: t.why(*FEW, number="revenue", value="colour"),
        ):
            with pytest.raises(ck.ConvergekitError) as said:
                ask(s)
            with pytest.raises(ck.ConvergekitError) as also:
                ask(p)
            assert str(also.value) == str(said.value)

"""Which change of the tracking would tell most of events in parts: what memory says."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from tests.effort import tries
from tests.parts.parts_cases import by_parts, in_memory
from tests.parts.test_part_answers import frames, parts, same


def same_fixes(found, expected):
    pd.testing.assert_frame_equal(found.table, expected.table, check_exact=True)
    assert found.finding == expected.finding
    assert found.reasons == expected.reasons
    assert (found.orders, found.unknown, found.money) == (
        expected.orders,
        expected.unknown,
        expected.money,
    )


@given(
    frames(),
    st.fixed_dictionaries({}, optional={"value": st.sampled_from(["total_price", "colour"])}),
    parts,
)
@tries(20)
def test_fixes_are_those_of_memory(given_frames, question, number):
    if not given_frames:
        return
    s = in_memory(given_frames)
    with by_parts(given_frames, number) as p:
        order = "Placed Order"
        both = same(lambda: p.next_fix(order, **question), lambda: s.next_fix(order, **question))
    if both is not None:
        same_fixes(*both)


def test_fixes_of_a_store_are_those_of_memory():
    losses = ck.TrackingLoss(devices=1.6, cookie_days=5.0, lost_tokens=0.25)
    events = ck.simulate_store(people=300, seed=7, losses=losses).events
    half = len(events) // 2
    euros = ck.Step("Placed Order", where={"currency": "EUR"})
    s = ck.stitch(events)
    with by_parts([events.head(half), events.tail(-half)], 3) as p:
        for asked in (
            {"event_name": euros, "value": "total_price"},
            {"event_name": "Placed Order", "steps": ["PageView", "Placed Order"], "within": "14D"},
        ):
            expected = s.next_fix(**asked)
            assert len(expected.table) > 2
            same_fixes(p.next_fix(**asked), expected)
        with pytest.raises(ck.ConvergekitError, match="not known of a segment"):
            p.where(profiles={"has_browser_session": True}).next_fix("Placed Order")

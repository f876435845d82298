"""Visits are kept between questions: what was asked before changes no answer."""

from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from tests.effort import tries

EVENTS = ck.simulate_store(60, seed=7).events
STEPS = ["PageView", "Added To Cart", "Placed Order"]
RULES = ["ga4", "universal", "matomo", ck.VisitRules(timeout="2h"), ck.VisitRules(new_on=()), None]


def told(s, question, rules, calendar):
    """Return a table that hangs on visits."""
    if question == "sessions":
        return s.sessions(visits=rules)
    if question == "funnel":
        asked = s.funnel(STEPS, by="utm_source", within="7D", visits=rules, calendar=calendar)
        return pd.DataFrame(asked.table)
    if question == "retention":
        return s.retention(by="utm_source", visits=rules, calendar=calendar).table
    return s.where(events={"event_name": "Added To Cart"}).sessions(visits=rules)


questions = st.tuples(
    st.sampled_from(["sessions", "funnel", "retention", "segment"]),
    st.sampled_from(RULES),
    st.sampled_from([None, "Europe/Amsterdam"]),
)


@tries(10)
@given(st.lists(questions, min_size=2, max_size=4))
def test_a_question_is_answered_as_if_it_were_the_first(asked):
    s = ck.stitch(EVENTS)
    for question in asked:
        pd.testing.assert_frame_equal(told(s, *question), told(ck.stitch(EVENTS), *question))

"""`check_answer` finds wrong numbers and shares of what is not said, and leaves the right alone."""

from __future__ import annotations

import json

import pytest

from convergekit.machines.held import held
from convergekit.machines.session import Session
from tests.machines.sheet import ask_all, caught, sheet
from tests.machines.stores import STEPS, stores


@pytest.fixture(scope="module")
def session():
    store = stores()[0]
    found = Session(store.s, store.spend)
    ask_all(found)
    return found


def faults(session, text):
    reply = session.ask("check_answer", {"text": text})
    assert not reply.is_error
    return json.loads(reply.text.partition("\n")[2])["faults"]


def test_a_sheet_of_two_hundred_faults():
    """At least 99 % are caught, and at most 1 % of the right ones raise an alarm."""
    lines = list(sheet(2026, wrong=200, rights=400))
    missed = [line for session, line in lines if line.wrong and not caught(session, line)]
    alarms = [line for session, line in lines if not line.wrong and caught(session, line)]
    assert len(missed) <= 2, missed
    assert len(alarms) <= 4, alarms


# The funnel of the first store: PageView 60, Added To Cart 30, Placed Order 18 within 7 days.
RIGHT = (
    "18 of 60 profiles reached Placed Order within 7 days (30%).",
    "30.0 % of the 60 profiles reached Placed Order.",
    "Of 60 profiles, 30 reached Added To Cart: 50 percent.",
    "60 profiles entered on 2 March 2026 or later; 18 converted.",
    "60% of the 30 profiles at Added To Cart reached Placed Order.",
    "1. Overview: 27 events are named Placed Order.",
    "See https://example.com/2026/99, step 2, at 10:45 on 2026-03-09.",
)
WRONG = (
    ("19 of 60 profiles reached Placed Order.", "wrong"),
    ("18 of 61 profiles reached Placed Order.", "wrong"),
    ("18 of 60 profiles reached Placed Order (31%).", "wrong"),
    ("18 of 60 profiles reached Added To Cart.", "wrong"),
    ("30% of profiles reached Placed Order.", "not of what"),
    ("18 of 60 profiles reached Placed Order within 14 days.", "wrong"),
    ("The spend of Paid Search was 4,711 EUR.", "wrong"),
)


@pytest.mark.parametrize("text", RIGHT)
def test_what_is_right_is_left_alone(session, text):
    assert faults(session, text) == []


@pytest.mark.parametrize(("text", "fault"), WRONG)
def test_what_is_wrong_is_named(session, text, fault):
    assert fault in {one["fault"] for one in faults(session, text)}


def test_a_wrong_currency_is_named(session):
    store = stores()[0]
    row = store.s.marketing(store.spend).groups.iloc[0]
    said = f"The spend of {row['channel']} was {{}}{row['spend']:,.2f}."
    assert faults(session, said.format("€")) == []
    assert faults(session, said.format("$"))[0]["fault"] == "wrong currency"


def test_the_answers_of_the_session_count_alone():
    store = stores()[0]
    session = Session(store.s)
    text = "18 of 60 profiles reached Placed Order."
    found = held(text, session.answers)
    assert found["faults"]
    assert "ask the tools first" in found["note"]
    session.ask("funnel", {"steps": STEPS})
    assert held(text, session.answers) == {"numbers": 2, "right": 2, "faults": []}


def test_every_fault_says_where_it_is(session):
    found = faults(session, "60 profiles entered. 19 of 60 profiles reached Placed Order.")
    assert [(one["number"], one["sentence"]) for one in found] == [
        ("19", "19 of 60 profiles reached Placed Order.")
    ]


def test_a_text_of_too_many_numbers_is_refused(session):
    found = session.ask("check_answer", {"text": "60 profiles, " * 2_001})
    assert found.is_error
    assert "the text has 2,001 numbers; at most 2,000" in found.text
    assert faults(session, "60 profiles entered.\n" * 2_000) == []

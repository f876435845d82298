"""Every answer describes itself: JSON, shares and what they are of, the call that repeats it."""

from __future__ import annotations

import inspect
import json
import math

import pandas as pd
import pytest

import convergekit as ck
from convergekit.figures.card import Result
from convergekit.figures.description import Described, described_table, plain, to_json
from convergekit.identity.options import StitchOptions
from convergekit.parts.stitching import stitched_by_parts
from tests.machines.asked import BOTH, IN_MEMORY, STEPS, World, world

ASKED = BOTH | IN_MEMORY
#: Answers that are not of a question about events, and what of the tests describes them.
ELSEWHERE = {"ForgottenInStore", "SuggestedColumns", "Spend"}
#: Between 0 and 1, of what no table and no number says: of people, of whom nobody knows how many
#: there are; effects and differences; measures; widths of intervals.
NOT_SHARES = {
    *("low", "high", "estimate", "worst_low", "worst_high", "chance_low", "chance_high"),
    *("effect", "relative", "difference", "spread", "saved", "width_sampling", "width_orders"),
    *("width_devices", "width_losses", "width_suspects", "width", "width_after"),
    *("precision", "recall", "f1", "level", "confidence", "power", "traffic", "before", "after"),
    *("stitched", "odds_ratio", "odds_low", "odds_high", "change", "relative_low"),
    *("relative_high", "undiluted", "undiluted_low", "undiluted_high", "bound_low", "bound_high"),
}


def is_of_nothing(name):
    return name in NOT_SHARES or name.endswith(("_low", "_high"))


def values(described):
    """Yield every value of a description."""
    if isinstance(described, dict):
        for one in described.values():
            yield from values(one)
    elif isinstance(described, list):
        for one in described:
            yield from values(one)
    else:
        yield described


def answers_in_public():
    """Return the names of the public classes that are answers."""
    named = ((name, getattr(ck, name)) for name in ck.__all__)
    return {
        name
        for name, one in named
        if isinstance(one, type) and issubclass(one, Described) and not inspect.isabstract(one)
    }


@pytest.fixture(scope="module")
def asked():
    return {name: ask(world()) for name, ask in ASKED.items()}


@pytest.fixture(scope="module")
def described(asked):
    """Return how every answer describes itself, each asked once."""
    return {name: one.describe() for name, one in asked.items()}


def test_every_public_answer_describes_itself(asked):
    described = {type(one).__name__ for one in asked.values()} | ELSEWHERE
    assert answers_in_public() - described == set()
    # What prints as a card is an answer; what does not, and is returned by a question, too.
    for name, one in asked.items():
        assert isinstance(one, Described), name


@pytest.mark.parametrize("name", ASKED)
def test_a_description_is_json(described, name):
    found = described[name]
    text = to_json(found)
    assert json.loads(text) == found
    assert not any(isinstance(one, float) and not math.isfinite(one) for one in values(found))
    assert set(found) == set(ck.Description.__annotations__)
    assert found["assumptions_counted"] == len(found["assumptions"])
    for table in found["tables"]:
        assert all(len(row) == len(table["columns"]) for row in table["rows"])
        assert len(table["rows"]) == min(table["rows_in_all"], 200)


@pytest.mark.parametrize("name", ASKED)
def test_every_share_says_what_it_is_of(described, name):
    found = described[name]
    numbers = {one["name"] for one in found["numbers"]}
    for one in found["numbers"]:
        assert one["of"] is None or one["of"] in numbers
    for table in found["tables"]:
        columns = {one["name"] for one in table["columns"]}
        for place, column in enumerate(table["columns"]):
            if column["of"] is not None:
                assert column["of"] in columns | numbers, (table["name"], column)
            elif column["kind"] == "number" and not is_of_nothing(column["name"]):
                cells = [row[place] for row in table["rows"] if row[place] is not None]
                inside = all(0 <= cell <= 1 for cell in cells)
                assert not (inside and any(0 < cell < 1 for cell in cells)), column["name"]


@pytest.mark.parametrize("name", ASKED)
def test_the_call_gives_the_answer_again(described, name):
    found = described[name]
    assert found["call"] is not None
    again = eval(found["call"], world().names)
    assert to_json(again.describe()) == to_json(found)


def test_shares_are_the_numbers_over_what_they_are_of(asked):
    table = asked["funnel by"].describe()["tables"][0]
    frame = pd.DataFrame(table["rows"], columns=[one["name"] for one in table["columns"]])
    assert (frame["conversion"] == frame["profiles"] / frame["entered"]).all()
    later = frame[frame["step"] > 1]
    assert (later["step_conversion"] == later["profiles"] / later["step_before"]).all()
    # The profiles of the row before, or at the first step its own.
    before = frame["profiles"].shift().where(frame["step"] > 1, frame["profiles"])
    assert (frame["step_before"] == before).all()


def test_an_optional_step_is_not_what_later_ones_are_of(asked):
    table = asked["funnel of steps"].describe()["tables"][0]
    frame = pd.DataFrame(table["rows"], columns=[one["name"] for one in table["columns"]])
    assert frame["step_before"].tolist() == [frame["profiles"][0]] * 3


def test_what_is_left_out_has_its_reason():
    s = ck.stitch(
        pd.DataFrame(
            {
                "event_name": ["PageView", "PageView", "Placed Order"],
                "timestamp": ["2026-03-02", "soon", "2026-03-03"],
                "alias.email": ["a@example.com", "a@example.com", None],
            }
        )
    )
    left = {one["what"]: one["number"] for one in s.report.describe()["left_out"]}
    assert sum(n for what, n in left.items() if what.startswith("rejected: ")) == 1
    assert left["event without a usable alias"] == 1
    of_funnel = s.funnel(["PageView", "Placed Order"], within="7D").describe()["left_out"]
    assert of_funnel == [{"what": "left out", "number": 1}]


@pytest.mark.parametrize("name", BOTH)
def test_parts_describe_alike(by_parts, described, name):
    assert BOTH[name](by_parts).describe() == described[name]


@pytest.fixture(scope="module")
def by_parts(tmp_path_factory):
    whole = world()
    s = stitched_by_parts(
        whole.events, StitchOptions.of(), None, tmp_path_factory.mktemp("parts"), parts=2
    )
    return World(s, whole.events, whole.spend)


def test_answers_of_segments_and_of_what_is_left_say_so(asked):
    assert asked["segment"].describe()["call"].startswith("s.where(events=\"source == 'browser'\")")
    assert asked["after"].describe()["call"].endswith(".stitched.report")


def test_a_copy_of_rows_does_not_claim_the_call():
    trend = world().s.funnel(STEPS, within="7D").trend("W")
    assert trend.describe()["call"].endswith(".trend('W')")
    assert trend[trend["complete"]].describe()["call"] is None
    sessions = world().s.sessions()
    assert type(sessions.head()) is pd.DataFrame


def test_as_many_rows_as_are_asked_for():
    sessions = world().s.sessions()
    found = sessions.describe(most_rows=3)["tables"][0]
    assert (len(found["rows"]), found["rows_in_all"]) == (3, len(sessions))
    with pytest.raises(ck.ConvergekitError, match="most_rows must be a whole number from 0"):
        sessions.describe(most_rows=-1)


def test_values_of_every_type_are_plain():
    frame = pd.DataFrame(
        {
            "whole": pd.array([1, None], dtype="Int64"),
            "part": [float("inf"), 0.5],
            "when": pd.to_datetime(["2026-03-02", None], utc=True),
            "wait": pd.to_timedelta(["1min", None]),
            "text": ["<b>", None],
            "listed": [["a", float("nan")], None],
        }
    )
    assert described_table("found", frame, {})["rows"] == [
        [1, None, "2026-03-02T00:00:00+00:00", 60.0, "<b>", ["a", None]],
        [None, 0.5, None, None, None, None],
    ]
    assert plain({"a": (1, float("nan"))}) == {"a": [1, None]}


def test_cards_are_answers():
    assert issubclass(Result, Described)

"""The state of the explorer: it can be stored, passed back, and refuses what it does not know."""

from __future__ import annotations

import datetime
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.explore.state import State
from tests.effort import tries

STEPS = ["PageView", "Added To Cart", "Placed Order"]


@pytest.fixture(scope="module")
def s():
    return ck.stitch(ck.simulate_store().events)


DAYS = st.dates(datetime.date(2000, 1, 1), datetime.date(2100, 1, 1)).map(str)
VALUES = (
    st.text() | st.integers() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)
)
CONDITIONS = st.dictionaries(st.text(), VALUES, min_size=1, max_size=1)
SEGMENTS = st.one_of(
    st.fixed_dictionaries({"did": st.text()}),
    st.fixed_dictionaries({"never": st.text()}),
    st.fixed_dictionaries({"profiles": CONDITIONS | st.text()}),
    st.fixed_dictionaries({"events": CONDITIONS | st.text()}),
)
BARS = st.builds(lambda step: {"step": step, "outcome": "reached"}, st.integers(1, 9)) | st.builds(
    lambda step: {"step": step, "outcome": "dropped"}, st.integers(2, 9)
)
STATES = st.fixed_dictionaries(
    {},
    optional={
        "tab": st.sampled_from(["funnel", "trend", "people", "channels", "identity", "change"]),
        "start": st.none() | DAYS.filter(lambda day: day < "2050"),
        "end": st.none() | DAYS.filter(lambda day: day > "2050"),
        "calendar": st.sampled_from([None, "UTC", "Europe/Brussels"]),
        "week_starts": st.sampled_from([None, "sunday"]),
        "segment": st.none() | SEGMENTS,
        "breakdown": st.none() | st.text(),
        "period": st.none() | DAYS,
        "bar": st.none() | BARS,
        "funnel": st.fixed_dictionaries(
            {},
            optional={
                "steps": st.none() | st.lists(st.text()),
                "within": st.sampled_from(["7D", "90min"]),
                "where": st.none() | CONDITIONS,
            },
        ),
        "trend": st.fixed_dictionaries(
            {},
            optional={
                "show": st.sampled_from(["conversion", "events", "retention"]),
                "event": st.none() | st.text(),
                "freq": st.sampled_from("DWM"),
            },
        ),
        "people": st.fixed_dictionaries({}, optional={"search": st.text()}),
        "channels": st.fixed_dictionaries(
            {},
            optional={
                "show": st.sampled_from(["credit", "without_campaign", "spend"]),
                "model": st.sampled_from(["linear", "markov"]),
                "value": st.none() | st.text(),
            },
        ),
        "identity": st.fixed_dictionaries({}, optional={"block": st.text()}),
        "change": st.fixed_dictionaries(
            {},
            optional={
                "number": st.sampled_from(["conversion", "revenue a visit"]),
                "before": st.none() | st.lists(DAYS, min_size=2, max_size=2).map(sorted),
            },
        ),
    },
)


@tries(150)
@given(STATES)
def test_a_state_comes_back_from_json_as_it_was(given_state):
    state = State.of(given_state)
    written = json.loads(json.dumps(state.to_dict()))
    assert State.of(written) == state
    assert State.of(written).to_dict() == state.to_dict()
    # What is not as usual says it all.
    assert State.of(json.loads(json.dumps(state.beside(State())))) == state


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"tab": "trend", "trend": {"show": "retention", "returns": "Placed Order", "freq": "W"}},
        {"breakdown": "channel", "start": "2026-03-03", "end": "2026-03-20"},
        {"calendar": "Europe/Brussels", "week_starts": "sunday", "tab": "trend"},
        {"segment": {"did": "Added To Cart"}, "bar": {"step": 3, "outcome": "dropped"}},
        {"segment": {"never": "Placed Order"}, "tab": "people"},
        {"segment": {"profiles": {"profile.utm_source": "google"}}, "period": "2026-03-09"},
        {"segment": {"events": {"source": "browser"}}},
        {"segment": {"profiles": "events > 3"}, "breakdown": "properties.$url"},
        {"segment": {"events": "event_name != 'PageView'"}, "tab": "channels"},
        {"funnel": {"steps": STEPS[:2], "within": "1D"}},
        {"funnel": {"steps": STEPS, "within": "5D", "where": {"profile.utm_source": "google"}}},
        {"funnel": {"steps": []}, "tab": "people"},
        {"people": {"search": "milo.duval37@example.com"}, "tab": "people"},
        {"tab": "channels", "channels": {"show": "without_campaign", "lookback": "7D"}},
        {"tab": "channels", "channels": {"model": "linear", "value": ""}},
        {"tab": "identity", "identity": {"show": "report", "event": ""}},
        {"tab": "change", "change": {"number": "orders", "after": ["2026-03-20", "2026-03-24"]}},
        {"tab": "identity", "identity": {"show": "check_up"}},
        {"trend": {"freq": "D"}, "period": "2026-03-04"},
    ],
)
def test_an_explorer_opens_as_it_was_left(s, state):
    explorer = s.explore(state)
    again = s.explore(json.loads(json.dumps(explorer.state)))
    assert again.state == explorer.state
    for name, value in state.items():
        left = explorer.state[name]
        part = {key: left[key] for key in value} if isinstance(value, dict) else left
        assert part == value
    assert again.tabs.selected_index == explorer.tabs.selected_index
    assert again.funnel.steps.steps == explorer.funnel.steps.steps
    assert again.funnel.where.value == explorer.funnel.where.value
    assert again.funnel.value.value == explorer.funnel.value.value
    assert again.bar.segment._segment() == explorer.bar.segment._segment()
    assert again._model.state.segment == again.bar.segment._segment()


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"tabs": "trend"}, "state does not know 'tabs'"),
        ({"tab": "funel"}, r"Did you mean 'funnel'\?"),
        ({"tab": 3}, r"state\['tab'\]"),
        ({"funnel": {"step": []}}, r"Did you mean 'steps'\?"),
        ({"funnel": {"steps": "PageView"}}, "list of event names"),
        ({"funnel": {"steps": ["Pageview"]}}, r"Did you mean 'PageView'\?"),
        ({"funnel": {"within": "soon"}}, "within"),
        ({"funnel": {"where": {"a": 1, "b": 2}}}, "one property and its value"),
        ({"funnel": {"where": {"profile.utm_source": ["google"]}}}, "text or a number"),
        ({"funnel": {"where": {"profile.utm_source": float("nan")}}}, "text or a number"),
        ({"funnel": {"where": {"profile.utm_sourc": "google"}}}, "Did you mean"),
        ({"start": "3 March"}, "such as '2026-03-31'"),
        ({"start": "2026-02-30"}, "such as '2026-03-31'"),
        ({"start": "2026-03-20", "end": "2026-03-02"}, "exchange them"),
        ({"change": {"before": ["2026-03-20", "2026-03-02"]}}, "exchange them"),
        ({"change": {"after": "2026-03-20"}}, "a first and a last day"),
        ({"end": "9999-12-31"}, "such as '2026-03-31'"),
        ({"start": "0001-01-01"}, "such as '2026-03-31'"),
        ({"funnel": {"where": {"properties.price": 10**400}}}, "fits into 64 bits"),
        ({"segment": {"profiles": {"profile.utm_source": -(2**63) - 1}}}, "fits into 64 bits"),
        ({"segment": {"did": ""}}, "no event of the data is called ''"),
        ({"calendar": "Mars/Olympus"}, "Mars/Olympus"),
        ({"week_starts": "someday"}, "someday"),
        ({"segment": {"did": "Bought"}}, "no event of the data is called 'Bought'"),
        ({"segment": {"does": "Bought"}}, "Found: did, never, profiles, events"),
        ({"segment": "everybody"}, "must be one of"),
        ({"segment": {"profiles": {"properties.$url": "x"}}}, "no property"),
        ({"breakdown": "chanel"}, r"Did you mean 'channel'\?"),
        ({"period": "2026-03-03"}, "is not the first day of a period"),
        ({"period": "2020-03-02"}, "is not the first day of a period"),
        ({"bar": {"step": 4}}, "the funnel has 3"),
        ({"bar": {"step": 0}}, "step from 1"),
        ({"bar": {"step": True}}, "step from 1"),
        ({"bar": {"step": 1, "outcome": "dropped"}}, "before the first step"),
        ({"bar": {"step": 2, "outcome": "left"}}, "outcome"),
        ({"bar": [2, "dropped"]}, "such as"),
        ({"trend": {"freq": "Q"}}, "freq"),
        ({"trend": {"event": "Bought"}}, "Bought"),
        ({"channels": {"model": "best"}}, "best"),
        ({"channels": {"visits": "mine"}}, "mine"),
        ({"identity": {"event": "Bought"}}, "Bought"),
        ({"people": {"search": None}}, "must be text"),
        ("trend", "must be a mapping"),
        ([("tab", "trend")], "must be a mapping"),
    ],
)
def test_what_is_not_known_is_refused_in_words(s, state, said):
    with pytest.raises(ck.ConvergekitError, match=said):
        s.explore(state)


def test_a_state_is_not_changed_by_using_it(s):
    state = {"breakdown": "channel", "funnel": {"steps": list(STEPS)}}
    explorer = s.explore(state)
    explorer.bar.breakdown.value = ""
    explorer.funnel.window.value = "1D"
    assert state == {"breakdown": "channel", "funnel": {"steps": STEPS}}
    taken = explorer.state
    taken["funnel"]["steps"].append("x")
    assert explorer.state["funnel"]["steps"] == STEPS

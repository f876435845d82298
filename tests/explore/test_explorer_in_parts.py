"""The explorer by parts shows what it shows in memory: every figure, table, choice and word."""

from __future__ import annotations

import asyncio
import signal
import tempfile
from pathlib import Path

import ipywidgets as widgets
import pandas as pd
import plotly.io as pio
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.explore import work as explore_work
from convergekit.explore.asked import watched
from tests.effort import tries
from tests.parts.parts_cases import by_parts, in_memory

FUNNEL, TREND, PEOPLE, CHANNELS, IDENTITY = range(5)
FIGURE = "application/vnd.plotly.v1+json"
MILO = "urn:email:milo.duval37@example.com"
#: What a control shows, and offers.
_SHOWN = ("value", "options", "outputs", "description", "placeholder", "disabled", "tooltips")


def shop() -> pd.DataFrame:
    """The demo store, and a till's cookie on two people's orders."""
    till = pd.DataFrame(
        {
            "event_name": ["Placed Order", "Placed Order", "Till opened"],
            "timestamp": pd.to_datetime(["2026-03-20", "2026-03-21", "2026-03-22"], utc=True),
            "source": "browser",
            "alias.cookie": "kiosk",
            "alias.email": ["milo.duval37@example.com", "second@example.com", None],
            "profile_properties.note": ["a", None, "b"],
            "properties.mixed": pd.Series([1, "one", None], dtype=object),
        }
    )
    return pd.concat([ck.simulate_store().events, till], ignore_index=True)


@pytest.fixture(autouse=True)
def figures_as_data(monkeypatch):
    monkeypatch.setattr(pio.renderers, "default", "plotly_mimetype")


@pytest.fixture(scope="module")
def memory():
    return in_memory([shop()])


@pytest.fixture(scope="module")
def parts():
    with by_parts([shop()], 2) as s:
        yield s


def all_of(widget):
    yield widget
    for child in getattr(widget, "children", ()):
        yield from all_of(child)


def page(explorer):
    """Everything that can be seen, in order, but for how sure it is: parts do not say it."""
    sure = [explorer.funnel.intervals, explorer.funnel.sure.status]
    return [
        (
            type(widget).__name__,
            widget.layout.display,
            {name: getattr(widget, name) for name in _SHOWN if hasattr(widget, name)},
        )
        for widget in all_of(explorer.box)
        if widget not in sure
    ]


def pages(s, state, **given):
    """Go through what there is to see, as a person would, and return each page."""
    explorer = s.explore(state, **given)
    seen = [page(explorer)]
    for tab in range(5):
        explorer.tabs.selected_index = tab
        seen.append(page(explorer))
    return explorer, seen


def check_same(parts, memory, state, **given):
    """Check that parts show what memory shows, and return both explorers."""
    (found, shown), (expected, due) = (pages(s, state, **given) for s in (parts, memory))
    for one, other in zip(shown, due, strict=True):
        for widget, same in zip(one, other, strict=True):
            assert widget == same
    assert found.state == expected.state
    return found, expected


def has_figure(place):
    return any(FIGURE in output["data"] for output in place.outputs)


STATES = [
    {},
    {"breakdown": "channel", "bar": {"step": 3, "outcome": "dropped"}, "people": {"search": MILO}},
    {"segment": {"did": "Added To Cart"}, "period": "2026-03-09", "trend": {"show": "retention"}},
    {
        "segment": {"events": {"source": "browser"}},
        "breakdown": "profile.utm_source",
        "calendar": "America/New_York",
        "week_starts": "sunday",
        "channels": {"show": "without_campaign"},
        "identity": {"show": "report"},
    },
    {
        "funnel": {
            "steps": ["PageView", "Placed Order"],
            "where": {"profile.utm_source": "google"},
        },
        "start": "2026-03-05",
        "end": "2026-03-17",
        "trend": {"show": "profiles", "freq": "D"},
        "channels": {"model": "markov"},
    },
    {
        "funnel": {"steps": []},
        "people": {"search": "duval"},
        "segment": {"never": "Till opened"},
        "identity": {"show": "check_up"},
    },
]


@pytest.mark.parametrize("state", STATES)
def test_every_tab_shows_what_it_shows_in_memory(parts, memory, state):
    found, _ = check_same(parts, memory, state)
    if found.state["funnel"]["steps"]:
        assert has_figure(found.funnel.figure)
    assert has_figure(found.trend.figure) or not found.state["funnel"]["steps"]


def test_how_sure_a_funnel_is_is_said_as_in_memory(parts, memory):
    found, expected = parts.explore().funnel, memory.explore().funnel
    assert found.intervals.value == expected.intervals.value
    assert found.sure.status.value == expected.sure.status.value


SEGMENTS = st.sampled_from(
    [
        {"never": "Placed Order"},
        {"profiles": {"profile.utm_source": "google"}},
        {"profiles": "events > 3"},
        {"events": "event_name != 'Viewed Product'"},
    ]
)


@tries(6)
@given(
    state=st.fixed_dictionaries(
        {},
        optional={
            "start": st.sampled_from(["2026-03-03", "2026-03-12"]),
            "end": st.sampled_from(["2026-03-15", "2026-03-21"]),
            "segment": SEGMENTS,
            "breakdown": st.sampled_from(["properties.$url", "profile.$city", "landing_page"]),
            "bar": st.sampled_from([{"step": 1}, {"step": 2, "outcome": "dropped"}]),
            "trend": st.fixed_dictionaries(
                {"show": st.sampled_from(["events", "new_profiles", "retention"])},
                optional={"freq": st.sampled_from("DM")},
            ),
            "channels": st.fixed_dictionaries(
                {"visits": st.sampled_from(["ga4", "posthog"])},
                optional={"model": st.sampled_from(["linear", "u_shaped"])},
            ),
            "identity": st.fixed_dictionaries({"show": st.sampled_from(["suspects", "report"])}),
        },
    )
)
def test_any_state_shows_what_it_shows_in_memory(state):
    events = shop()
    with by_parts([events.iloc[:200], events.iloc[200:]], 3) as parts:
        check_same(parts, in_memory([events]), state)


def test_spend_and_claims_are_those_of_memory(parts, memory):
    spend = pd.DataFrame(
        {
            "date": pd.to_datetime(["2026-03-02", "2026-03-16"]),
            "platform": "google_ads",
            "channel": "paid search",
            "spend": [50.0, 70.0],
            "conversions": [3.0, 2.0],
        }
    )
    found, _ = check_same(parts, memory, {"channels": {"show": "spend"}}, spend=spend)
    assert found.marketing.result is not None
    assert found.marketing.claims is not None


def test_a_search_finds_what_it_finds_in_memory(parts, memory):
    ids = memory.profiles["profile_id"]
    found, expected = (
        s.explore({"tab": "people", "funnel": {"steps": []}}) for s in (parts, memory)
    )
    for text in ("URN:email:Milo.Duval37@example.com", "duval37", "a", ids[3], "nobody", "p_0"):
        for explorer in (found, expected):
            explorer.profile.search.value = text
        assert page(found) == page(expected)
        shown = found.profile.timeline
        assert (shown is None) == (text in ("nobody", "p_0"))
        if text == ids[3]:
            assert set(shown["profile_id"]) == {text}


def test_values_are_offered_as_in_memory(parts, memory):
    offered = []
    for s in (parts, memory):
        explorer = s.explore()
        funnel, segment = explorer.funnel, explorer.bar.segment
        for name in ("profile.utm_source", "properties.$url", "properties.total_price"):
            funnel.where.value = name
            offered.append(funnel.value.options)
        for kind, name in (("events", "source"), ("profiles", "profile.utm_medium")):
            segment.kind.value, segment.name.value = kind, name
            offered.append(segment.value.options)
        segment.kind.value, segment.name.value = "events", "properties.mixed"
        offered.append(segment.controls[-1].value)
    half = len(offered) // 2
    assert offered[:half] == offered[half:]
    assert len(offered[0]) > 2
    assert "something other than plain text or numbers" in offered[-1]


def test_an_alias_is_blocked_as_in_memory(parts, memory):
    shown = []
    for s in (parts, memory):
        explorer = s.explore({"tab": "identity"})
        explorer.identity.suspects.restitch.click()
        shown.append(page(explorer))
        assert explorer.identity.suspects.result is not None
    assert shown[0] == shown[1]


def test_the_code_of_parts_gives_what_is_shown(parts):
    explorer = parts.explore({"segment": {"did": "Added To Cart"}})
    names = {"s": parts, "ck": ck}
    for tab, part in ((FUNNEL, explorer.funnel), (TREND, explorer.trend)):
        explorer.tabs.selected_index = tab
        *before, last = part.source().replace(".show()", "").split("\n")
        exec("\n".join(before), names)
        result = part.result.table if tab == FUNNEL else part.result
        pd.testing.assert_frame_equal(pd.DataFrame(eval(last, names)), pd.DataFrame(result))
    again = parts.explore(explorer.state)
    assert again.state == explorer.state


def test_what_there_is_is_looked_for_once(parts, monkeypatch):
    first = parts.explore()
    first.funnel.where.value = "profile.utm_source"
    asked = []
    tables = type(parts._offered.source).tables
    monkeypatch.setattr(
        type(parts._offered.source),
        "tables",
        lambda self, name, columns: (asked.append(name), tables(self, name, columns))[1],
    )
    again = parts.explore()
    again.funnel.where.value = "profile.utm_source"
    assert again.funnel.value.options == first.funnel.value.options
    assert asked == []


def test_a_profile_is_asked_of_its_part_alone(parts, monkeypatch):
    explorer = parts.explore({"tab": "people"})
    loaded = []
    part = type(parts._run).part
    monkeypatch.setattr(
        type(parts._run),
        "part",
        lambda self, number: (loaded.append(number), part(self, number))[1],
    )
    explorer.profile.search.value = MILO
    assert explorer.profile.timeline is not None
    assert len(set(loaded)) == 1


def test_the_tabs_are_there_before_the_first_answer_which_says_how_far_it_is(parts):
    async def opened():
        explorer = parts.explore()
        before = explorer.funnel.result
        assert "Opening…" in "".join(w.value for w in all_of(explorer.box) if _is_text(w))
        said = []
        explorer.funnel.status.observe(lambda change: said.append(change["new"]), "value")
        await asyncio.sleep(explore_work.PAUSE * 5)
        return before, explorer, said

    before, explorer, said = asyncio.run(opened())
    assert before is None
    assert explorer.funnel.result is not None
    assert any(f"Counting the funnel… 1 of {parts.parts} parts" in text for text in said)
    assert "Opening…" not in "".join(w.value for w in all_of(explorer.box) if _is_text(w))


def _is_text(widget):
    return isinstance(widget, widgets.HTML)


def test_an_interrupt_stops_the_work_and_the_tab_asks_again(parts, monkeypatch):
    explorer = parts.explore()
    # As a kernel has it while no cell runs.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with monkeypatch.context() as patched:
            patched.setattr(
                ck.StitchedParts, "funnel", lambda *_, **__: signal.raise_signal(signal.SIGINT)
            )
            explorer.funnel.window.value = "1D"
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    assert "the kernel was interrupted" in explorer.funnel.status.value
    assert explorer.funnel.result is None
    explorer.funnel.refresh()
    assert explorer.funnel.result is not None


def test_who_watches_is_told_of_each_part(parts):
    told = []
    with watched(lambda done, total: told.append((done, total))):
        parts.counts("PageView")
    assert told[: parts.parts] == [(n + 1, parts.parts) for n in range(parts.parts)]


def test_a_store_by_parts_is_explored_as_in_memory(memory):
    events = shop()
    with tempfile.TemporaryDirectory() as directory:
        store = ck.open_store(Path(directory, "store"))
        for batch in (events.iloc[:250], events.iloc[250:]):
            store.add(batch)
        s = store.by_parts(memory="200KB")
        assert s.parts > 1
        found, expected = (one.explore({"tab": "trend"}) for one in (s, store.stitched()))
        assert page(found) == page(expected)
        assert has_figure(found.trend.figure)


def test_no_events_are_explored_as_in_memory():
    nothing = pd.DataFrame({"event_name": [], "timestamp": [], "alias.email": []})
    with by_parts([nothing], 2) as parts:
        check_same(parts, in_memory([nothing]), {})

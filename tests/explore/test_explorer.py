"""The explorer without a browser: widgets are set as a person's clicks and keys set them."""

from __future__ import annotations

import asyncio
import datetime
import html
import math
import warnings

import ipywidgets as widgets
import pandas as pd
import plotly.io as pio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell

import convergekit as ck
from convergekit.explore import change as explore_change
from convergekit.explore import display as explore_display
from convergekit.explore import funnel as explore_funnel
from convergekit.explore import work as explore_work
from convergekit.explore.steps import MOST_NAMES
from convergekit.explore.work import Work
from convergekit.funnels.result import Funnel
from convergekit.identity.lookup import find_aliases
from tests.effort import tries

EVIL = "<img src=x onerror=alert(1)>"
MILO = "urn:email:milo.duval37@example.com"
FIGURE = "application/vnd.plotly.v1+json"


@pytest.fixture(autouse=True)
def figures_as_data(monkeypatch):
    monkeypatch.setattr(pio.renderers, "default", "plotly_mimetype")


@pytest.fixture(scope="module")
def s():
    """The demo store, and a till's cookie on two people's orders."""
    till = pd.DataFrame(
        {
            "event_name": ["Placed Order", "Placed Order", EVIL],
            "timestamp": pd.to_datetime(["2026-03-20", "2026-03-21", "2026-03-22"], utc=True),
            "source": "browser",
            "alias.cookie": "kiosk",
            "alias.email": ["milo.duval37@example.com", "second@example.com", None],
            "profile_properties.note": ["<b>bold</b>", None, None],
        }
    )
    return ck.stitch(pd.concat([ck.simulate_store().events, till], ignore_index=True))


EMPTY = {"funnel": {"steps": []}}
STEPS = ["PageView", "Added To Cart", "Placed Order"]
FUNNEL, TREND, PEOPLE, CHANNELS, IDENTITY, CHANGE = range(6)


@pytest.fixture
def explorer(s):
    """An explorer without steps."""
    return s.explore(EMPTY)


def shown_names(funnel):
    """The buttons that can be seen, by what is written on them."""
    seen = [button for button in funnel.steps.names.children if button.layout.display != "none"]
    return {button.description: button for button in seen}


def add(funnel, *names):
    for name in names:
        next(b for text, b in shown_names(funnel).items() if text.startswith(name + " (")).click()


def buttons_of_step(funnel, step):
    """The three buttons beside a step: up, down, remove."""
    return funnel.steps.rows.children[step - 1].children[1:]


def look_up(explorer, text):
    explorer.tabs.selected_index = PEOPLE
    explorer.profile.search.value = text


def ran(code, s):
    """Run code that was copied, and return its variables and what its last line is."""
    *before, last = code.rstrip().split("\n")
    names = {"s": s}
    exec("\n".join(before), names)
    return names, eval(last, names)


# -- The tabs ------------------------------------------------------------------------------------


def test_there_are_six_tabs_and_a_notebook_shows_them(explorer):
    assert explorer.tabs.titles == (
        *("Funnel", "Trend and retention", "People"),
        *("Channels and spend", "Identity and check-up", "What changed"),
    )
    shown = explorer._repr_mimebundle_(include=None, exclude=None)
    assert shown["application/vnd.jupyter.widget-view+json"]["model_id"] == explorer.box.model_id
    assert shown["text/plain"] == repr(explorer)


def test_nothing_asked_of_it_changes_the_stitched(s):
    before = s.events.copy()
    explorer = s.explore()
    add(explorer.funnel, "PageView", "Placed Order")
    explorer.bar.breakdown.value = "profile.utm_source"
    look_up(explorer, MILO)
    explorer.tabs.selected_index = IDENTITY
    explorer.identity.suspects.restitch.click()
    pd.testing.assert_frame_equal(s.events, before)


def test_the_code_calls_the_stitched_what_the_notebook_calls_it(s):
    shell = InteractiveShell.instance()
    try:
        shell.user_ns["shop"], shell.user_ns["costs"] = s, (costs := spent())
        explorer = s.explore(EMPTY, spend=costs)
    finally:
        InteractiveShell.clear_instance()
    add(explorer.funnel, "PageView")
    assert "f = shop.funnel(" in explorer.funnel.source()
    explorer.tabs.selected_index = CHANNELS
    explorer.channels.show.value = "spend"
    assert "shop.marketing(costs)" in explorer.marketing.source()


def test_an_empty_frame_can_be_explored():
    events = pd.DataFrame({"event_name": [], "timestamp": [], "alias.email": []})
    explorer = ck.stitch(events).explore()
    assert shown_names(explorer.funnel) == {}
    explorer.tabs.selected_index = IDENTITY
    assert "No profile looks like several people" in explorer.identity.work.status.value
    look_up(explorer, "ada")
    assert "no alias is" in explorer.profile.statuses[0].value


# -- The funnel ----------------------------------------------------------------------------------


def test_steps_are_listed_with_their_counts_most_frequent_first(s, explorer):
    tracked = s.events[s.events["kind"] == "track"]["event_name"].value_counts()
    labels = list(shown_names(explorer.funnel))
    assert labels[0] == f"PageView ({tracked['PageView']:,})"
    assert len(labels) == len(tracked)


def test_a_funnel_is_counted_as_steps_are_added(s, explorer):
    funnel = explorer.funnel
    add(funnel, "PageView")
    assert len(funnel.result.table) == 1
    add(funnel, "Added To Cart", "Placed Order")
    expected = s.funnel(["PageView", "Added To Cart", "Placed Order"], within="7D")
    pd.testing.assert_frame_equal(funnel.result.table, expected.table)
    assert FIGURE in funnel.figure.outputs[0]["data"]
    assert "Added To Cart" in funnel.table.value


def test_steps_move_up_and_down_and_go(explorer):
    funnel = explorer.funnel
    add(funnel, "PageView", "Placed Order", "Added To Cart")
    up, _, _ = buttons_of_step(funnel, 3)
    up.click()
    assert funnel.steps.steps == ["PageView", "Added To Cart", "Placed Order"]
    _, down, _ = buttons_of_step(funnel, 1)
    down.click()
    assert funnel.result.steps == ["Added To Cart", "PageView", "Placed Order"]
    *_, remove = buttons_of_step(funnel, 2)
    remove.click()
    assert funnel.result.steps == ["Added To Cart", "Placed Order"]
    for _ in range(2):
        buttons_of_step(funnel, 1)[2].click()
    assert funnel.result is None
    assert funnel.figure.outputs == ()
    assert "add a step" in funnel.status.value


def test_the_first_step_cannot_move_up_nor_the_last_down(explorer):
    add(explorer.funnel, "PageView", "Placed Order")
    assert [b.disabled for b in buttons_of_step(explorer.funnel, 1)] == [True, False, False]
    assert [b.disabled for b in buttons_of_step(explorer.funnel, 2)] == [False, True, False]


def test_a_funnel_says_how_sure_it_is_and_its_figure_stands_as_it_was(s):
    funnel = s.explore({"funnel": {"steps": STEPS}}).funnel
    bounds = s.funnel(STEPS, within="7D").bounds()
    shown = html.unescape(funnel.intervals.value)
    assert " ".join(bounds.in_short) in shown
    assert "interval of chance" in shown
    assert "interval of identity" in shown
    assert funnel.sure.status.value == ""
    assert funnel.result.known_bounds is None
    drawn = funnel.figure.outputs[0]["data"][FIGURE]
    assert [trace["name"] for trace in drawn["data"] if "interval" in trace["name"]] == []


def test_where_it_is_not_known_how_sure_a_funnel_is_the_reason_is_shown(s, monkeypatch):
    def refused(self):
        raise ck.ConvergekitError("bounds need all events.")

    with monkeypatch.context() as patched:
        patched.setattr(Funnel, "bounds", refused)
        funnel = s.explore({"funnel": {"steps": STEPS}}).funnel
    assert funnel.intervals.value == ""
    assert "people is not known: bounds need all events." in funnel.sure.status.value
    monkeypatch.setattr(explore_funnel, "_MOST_EVENTS", 100)
    monkeypatch.setattr(Funnel, "bounds", lambda *_: pytest.fail("bounds were asked"))
    funnel = s.explore({"funnel": {"steps": STEPS}}).funnel
    assert funnel.intervals.value == ""
    assert "Of more than 100 events, ask f.bounds() in a cell." in funnel.sure.status.value


def test_a_breakdown_shows_how_sure_each_label_is(s):
    funnel = s.explore({"funnel": {"steps": STEPS}, "breakdown": "profile.utm_source"}).funnel
    assert "interval of identity" in funnel.intervals.value
    assert "no utm_source" in funnel.intervals.value
    assert "Intervals are of 90%." in funnel.intervals.value


def test_figures_come_before_it_is_asked_how_sure_they_are(s, monkeypatch):
    monkeypatch.setattr(explore_funnel, "_QUIET", 0.3)
    asked = []
    bounds = Funnel.bounds
    monkeypatch.setattr(Funnel, "bounds", lambda self: (asked.append(self), bounds(self))[1])

    async def choose():
        explorer = s.explore({"funnel": {"steps": STEPS}})
        for window in ("1D", "3D", "14D"):
            explorer.funnel.window.value = window
            while explorer.funnel.result.within != pd.Timedelta(window):
                await asyncio.sleep(0.01)
            assert FIGURE in explorer.funnel.figure.outputs[0]["data"]
            assert explorer.funnel.intervals.value == ""
            assert asked == []
        # Of a tab that nobody looks at, nothing is asked.
        explorer.tabs.selected_index = PEOPLE
        await asyncio.sleep(0.6)
        assert asked == []
        explorer.tabs.selected_index = FUNNEL
        while not explorer.funnel.intervals.value:
            await asyncio.sleep(0.05)
        return explorer.funnel.intervals.value

    shown = asyncio.run(choose())
    assert [one.within for one in asked] == [pd.Timedelta("14D")]
    assert "Chance alone" in shown


def test_the_window_changes_the_funnel(s, explorer):
    funnel = explorer.funnel
    add(funnel, "PageView", "Placed Order")
    funnel.window.value = "10min"
    expected = s.funnel(["PageView", "Placed Order"], within="10min")
    pd.testing.assert_frame_equal(funnel.result.table, expected.table)
    a_week = s.funnel(["PageView", "Placed Order"], within="7D")
    assert expected.table["profiles"][1] < a_week.table["profiles"][1]


def test_names_are_found_by_a_part_of_them(explorer):
    funnel = explorer.funnel
    funnel.steps.search.value = "CART"
    (button,) = shown_names(funnel).values()
    button.click()
    assert funnel.steps.steps == ["Added To Cart"]
    funnel.steps.search.value = "no such event"
    assert shown_names(funnel) == {}
    assert "No event name contains this." in funnel.steps.listed.value


def test_a_second_click_on_a_row_that_has_moved_does_nothing(explorer):
    funnel = explorer.funnel
    add(funnel, "PageView", "Placed Order", "Added To Cart")
    up, _, remove = buttons_of_step(funnel, 3)
    up.click()
    up.click()
    remove.click()
    assert funnel.steps.steps == ["PageView", "Added To Cart", "Placed Order"]


def test_a_filter_offers_the_first_steps_values_and_applies(s, explorer):
    funnel = explorer.funnel
    add(funnel, "PageView", "Placed Order")
    funnel.where.value = "profile.utm_source"
    views = s.events[s.events["event_name"] == "PageView"]["profile.utm_source"]
    offered = {value for _, value in funnel.value.options[1:]}
    assert offered == set(views.dropna())
    funnel.value.value = "google"
    step = ck.Step("PageView", where={"profile.utm_source": "google"})
    expected = s.funnel([step, "Placed Order"], within="7D")
    pd.testing.assert_frame_equal(funnel.result.table, expected.table)


def test_another_first_step_offers_its_own_values(explorer):
    funnel = explorer.funnel
    add(funnel, "PageView", "Placed Order")
    funnel.where.value = "properties.$url"
    funnel.value.value = funnel.value.options[1][1]
    buttons_of_step(funnel, 1)[1].click()
    assert funnel.steps.steps[0] == "Placed Order"
    assert funnel.value.options == (("any value", ()),)
    assert funnel.result.table["profiles"][0] > 0


@pytest.mark.parametrize(
    ("column", "kept"),
    [("profile.utm_source", "google"), ("properties.total_price", None)],
)
def test_the_code_gives_the_same_table(s, explorer, column, kept):
    funnel = explorer.funnel
    add(funnel, "Placed Order" if kept is None else "PageView", EVIL, "Placed Order")
    buttons_of_step(funnel, 2)[2].click()
    funnel.where.value = column
    funnel.value.value = kept or funnel.value.options[1][1]
    explorer.bar.breakdown.value = "profile.utm_medium"
    funnel.window.value = "14D"
    _, table = ran(funnel.source(), s)
    assert table["profiles"].iloc[0] > 0
    pd.testing.assert_frame_equal(table, funnel.result.table)


@tries(10)
@given(
    names=st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=3, unique=True),
    value=st.one_of(st.text(min_size=1, max_size=8), st.integers(-5, 5), st.booleans()),
)
def test_whatever_the_data_says_the_code_gives_the_same_table(names, value):
    names = [name.strip() or "x" for name in names]
    events = pd.DataFrame(
        {
            "event_name": names,
            "timestamp": pd.date_range("2026-03-02", periods=len(names), tz="UTC"),
            "alias.email": "ada@example.com",
            "properties.of it": value,
        }
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        s = ck.stitch(events)
        funnel = s.explore(EMPTY).funnel
        for button in list(shown_names(funnel).values()):
            button.click()
        if len(funnel.where.options) > 1:
            funnel.where.value = "properties.of it"
            funnel.value.index = len(funnel.value.options) - 1
        _, table = ran(funnel.source(), s)
    pd.testing.assert_frame_equal(table, funnel.result.table)


def test_values_that_are_no_plain_values_are_refused_in_words():
    events = pd.DataFrame(
        {
            "event_name": ["A", "A"],
            "timestamp": ["2026-03-02", "2026-03-03"],
            "alias.email": "ada@example.com",
            "properties.items": [["tea"], ["coffee", "tea"]],
        }
    )
    funnel = ck.stitch(events).explore(EMPTY).funnel
    add(funnel, "A")
    funnel.where.value = "properties.items"
    assert "something other than plain text or numbers" in funnel._values.status.value
    assert funnel.result.table["profiles"].tolist() == [1]


def test_events_without_a_profile_are_mentioned(s, explorer):
    add(explorer.funnel, "PageView")
    left_out = s.funnel(["PageView"], within="7D").left_out
    assert left_out > 0
    assert f"{left_out:,} events of these steps have no profile" in explorer.funnel.status.value


# -- Profiles ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [MILO, "milo.duval37@example.com", " Milo.Duval37@Example.com ", "URN:Email:" + MILO[10:]],
)
def test_a_profile_is_found_by_urn_or_value(s, explorer, text):
    look_up(explorer, text)
    assert explorer.profile.found.value == MILO
    pd.testing.assert_frame_equal(explorer.profile.timeline, s.profile(MILO))


def test_a_profile_is_found_by_its_id(s, explorer):
    profile_id = s.profile(MILO)["profile_id"].iloc[0]
    look_up(explorer, profile_id)
    assert f"Profile {profile_id}" in explorer.profile.summary.value
    assert len(explorer.profile.found.options) == (s.aliases["profile_id"] == profile_id).sum()


def test_a_part_of_a_value_lists_what_contains_it(s, explorer):
    look_up(explorer, "DUVAL")
    expected = s.aliases["alias_value"].str.contains("duval").sum()
    assert len(explorer.profile.found.options) == expected > 1
    assert f"{expected} aliases contain this." in explorer.profile.statuses[0].value
    explorer.profile.found.index = 1
    chosen = explorer.profile.found.value
    pd.testing.assert_frame_equal(explorer.profile.timeline, s.profile(chosen))


def test_a_profile_shows_events_graph_chain_and_code(s, explorer):
    profile = explorer.profile
    look_up(explorer, MILO)
    assert "Started Checkout" in profile.events.value
    assert FIGURE in profile.line.outputs[0]["data"]
    assert FIGURE in profile.graph.outputs[0]["data"]
    assert profile.one.value == MILO
    assert profile.other.value.startswith("urn:cookie:")
    assert "are one profile" in profile.why.value
    assert FIGURE in profile.chain.outputs[0]["data"]
    names, timeline = ran(profile.source(), s)
    pd.testing.assert_frame_equal(timeline, profile.timeline)
    assert repr(names["why"]) == repr(s.explain(profile.one.value, profile.other.value))


def test_figures_are_dark_on_request_and_the_code_says_so(s):
    light, dark = s.explore(EMPTY), s.explore(EMPTY, template="dark")

    def paper(outputs):
        return outputs[0]["data"][FIGURE]["layout"]["template"]["layout"]["paper_bgcolor"]

    for explorer in (light, dark):
        add(explorer.funnel, "PageView", "Placed Order")
        look_up(explorer, MILO)
    assert paper(light.funnel.figure.outputs) != paper(dark.funnel.figure.outputs)
    for figure in ("line", "graph", "chain"):
        assert paper(getattr(light.profile, figure).outputs) == paper(light.funnel.figure.outputs)
        assert paper(getattr(dark.profile, figure).outputs) == paper(dark.funnel.figure.outputs)
    assert "template" not in light.funnel.source() + light.profile.source()
    assert "f.plot(template='dark')" in dark.funnel.source()
    names, _ = ran(dark.profile.source(), s)
    assert "why" in names


def test_other_aliases_can_be_explained(s, explorer):
    profile = explorer.profile
    look_up(explorer, MILO)
    profile.other.value = "urn:email:second@example.com"
    assert "by 2 links" in profile.why.value
    assert "urn:cookie:kiosk" in profile.why.value
    profile.one.value = profile.other.value
    assert profile.chain.outputs == ()
    assert "is one alias of profile" in profile.why.value


def test_a_long_timeline_is_shown_by_pages():
    events = pd.DataFrame(
        {
            "event_name": [f"event {i}" for i in range(60)],
            "timestamp": pd.date_range("2026-03-02", periods=60, freq="h", tz="UTC"),
            "alias.email": "ada@example.com",
        }
    )
    explorer = ck.stitch(events).explore()
    look_up(explorer, "ada@example.com")
    profile = explorer.profile
    assert profile.pages.value == "1 to 25 of 60"
    assert "event 24<" in profile.events.value
    assert "event 25<" not in profile.events.value
    profile.later.click()
    profile.later.click()
    assert profile.pages.value == "51 to 60 of 60"
    assert profile.later.disabled
    assert not profile.earlier.disabled
    profile.earlier.click()
    assert "event 25<" in profile.events.value


def test_a_timeline_shows_values_of_every_kind():
    values = {
        "a truth": (True, "True"),
        "no end": (math.inf, "inf"),
        "a day": (datetime.date(2026, 3, 2), "2026-03-02"),
        "a while": (pd.Timedelta("90min"), "0 days 01:30:00"),
        "bytes": (b"raw", "b&#x27;raw&#x27;"),
        "digits": (10**400, f"{10**400:,}"[:20]),
    }
    frame = pd.DataFrame({"event_name": ["A"], "timestamp": ["2026-03-02"], "alias.cookie": ["c"]})
    for name, (value, _) in values.items():
        frame[f"properties.{name}"] = pd.Series([value], dtype=object)
    explorer = ck.stitch(frame).explore()
    look_up(explorer, "urn:cookie:c")
    profile = explorer.profile
    assert "ck-error" not in "".join(status.value for status in profile.statuses)
    for name, (_, shown) in values.items():
        assert f">{shown}" in profile.events.value, name


def test_an_unknown_alias_is_said_and_the_last_profile_is_gone(explorer):
    profile = explorer.profile
    look_up(explorer, MILO)
    look_up(explorer, "nobody@example.com")
    assert "no alias is" in profile.statuses[0].value
    assert 'role="alert"' in profile.statuses[0].value
    assert profile.timeline is None
    assert profile.summary.value == profile.events.value == profile.why.value == ""
    assert profile.line.outputs == profile.graph.outputs == profile.chain.outputs == ()


def test_nothing_from_the_data_is_markup(explorer):
    add(explorer.funnel, EVIL)
    look_up(explorer, MILO)
    explorer.tabs.selected_index = IDENTITY
    explorer.identity.suspects.restitch.click()
    pages = [w.value for w in _all_of(explorer.box) if isinstance(w, widgets.HTML)]
    assert any("&lt;img src=x" in page for page in pages)
    assert any("&lt;b&gt;bold" in page for page in pages)
    for page in pages:
        assert "<img" not in page
        assert "<b>bold" not in page


def _all_of(widget):
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _all_of(child)


# -- Identity ------------------------------------------------------------------------------------


def test_suspects_are_looked_for_when_the_tab_is_opened(explorer):
    identity = explorer.identity.suspects
    assert identity.suspects.options == ()
    explorer.tabs.selected_index = IDENTITY
    assert len(identity.suspects.options) == 1
    assert "urn:cookie:kiosk" in identity.table.value
    assert "urn:cookie:kiosk alone joins" in identity.reason.value
    assert identity.alias.value == ("urn:cookie:kiosk",)


def test_blocking_an_alias_compares_before_and_after(s, explorer):
    explorer.tabs.selected_index = IDENTITY
    identity = explorer.identity.suspects
    identity.restitch.click()
    expected = s.without("urn:cookie:kiosk")
    pd.testing.assert_frame_equal(identity.result.table, expected.table)
    assert "are not linked" in identity.comparison.value
    assert "<td>suspects</td>" in identity.comparison.value
    names, table = ran(identity.source(("urn:cookie:kiosk",)), s)
    pd.testing.assert_frame_equal(table, identity.result.table)
    assert names["fixed"].suspects.empty


def test_the_code_shown_is_the_code_of_the_comparison_shown(explorer):
    explorer.tabs.selected_index = IDENTITY
    identity = explorer.identity.suspects
    explorer.identity.event.value = ""
    identity.restitch.click()
    assert identity.result.table["measure"].tolist() == ["profiles", "events with a profile"]
    assert "event=None" in identity.code.value


def test_any_other_alias_can_be_blocked(s, explorer):
    explorer.tabs.selected_index = IDENTITY
    identity = explorer.identity.suspects
    identity.other.value = "milo.duval37@example.com"
    identity.restitch.click()
    pd.testing.assert_frame_equal(identity.result.table, s.without(MILO).table)
    identity.other.value = "duval"
    identity.restitch.click()
    assert "may mean" in identity.statuses[-1].value
    assert identity.result is None
    assert identity.comparison.value == ""


def test_what_changed_is_asked_of_the_last_two_whole_weeks(s):
    explorer = s.explore({"tab": "change"})
    change, weeks = explorer.change, (("2026-03-16", "2026-03-22"), ("2026-03-23", "2026-03-29"))
    pd.testing.assert_frame_equal(change.result.table, s.why(*weeks, steps=STEPS).table)
    shown = [picker.value.isoformat() for picker in change.days.values()]
    assert shown == [day for week in weeks for day in week]
    _, found = ran(change.source(), s)
    pd.testing.assert_frame_equal(found.table, change.result.table)
    assert html.escape(change.result.finding) in change.table.value


def test_other_days_and_another_number_are_asked(s):
    explorer = s.explore({"tab": "change", "change": {"before": ["2026-03-02", "2026-03-08"]}})
    change = explorer.change
    assert change.result.sides[0] == "2026-03-02 to 2026-03-08"
    change.days["after", 0].value = datetime.date(2026, 3, 9)
    assert change.result.sides[1] == "2026-03-09 to 2026-03-29"
    change.number.value = "orders"
    assert change.result.number == "orders"
    again = s.explore(explorer.state)
    pd.testing.assert_frame_equal(again.change.result.table, change.result.table)
    _, found = ran(change.source(), s)
    pd.testing.assert_frame_equal(found.table, change.result.table)
    # Periods that overlap, and one that ends before it begins, are not an answer.
    change.days["after", 0].value = datetime.date(2026, 3, 7)
    assert change.result is None
    assert "overlap" in change.work.status.value
    change.days["after", 0].value = datetime.date(2026, 4, 7)
    assert change.result is None
    assert "exchange them" in change.work.status.value
    assert change.figure.outputs == ()
    assert change.code.value == ""


def test_the_profiles_behind_a_part_are_listed_and_looked_up(s):
    explorer = s.explore({"tab": "change"})
    change = explorer.change
    for part in change.result.table["part"]:
        change.part.value = part
        expected = change.result.profiles(part)
        assert [value for _, value in change.person.options][1:] == expected["profile_id"].tolist()
    someone = change.person.options[1][1]
    change.person.value = someone
    explorer.tabs.selected_index = PEOPLE
    assert explorer.profile.search.value == someone
    assert len(explorer.profile.timeline)


def test_of_many_events_a_button_asks_why(s, monkeypatch):
    monkeypatch.setattr(explore_change, "_AT_ONCE", 3)
    change = s.explore({"tab": "change"}).change
    assert change.result is None
    assert "Say why" in change.work.status.value
    change.ask.click()
    assert change.result.number == "conversion"
    change.number.value = "orders"
    assert change.result is None
    change.ask.click()
    assert change.result.number == "orders"


def test_what_changed_says_what_it_needs(s):
    change = s.explore(EMPTY | {"tab": "change"}).change
    assert change.result is None
    assert "Two steps are needed" in change.work.status.value
    day = s.where(events="timestamp < '2026-03-03 00:00:00+00:00'")
    assert "Two periods are needed" in day.explore({"tab": "change"}).change.work.status.value


def test_what_changed_follows_the_segment_and_not_the_brushed_bar(s):
    state = {"tab": "change", "segment": {"did": "Added To Cart"}, "bar": {"step": 2}}
    change = s.explore(state | {"breakdown": "channel"}).change
    weeks = ("2026-03-16", "2026-03-22"), ("2026-03-23", "2026-03-29")
    part = s.where(profiles=ck.Did("Added To Cart"))
    expected = part.why(*weeks, steps=STEPS, by="channel")
    pd.testing.assert_frame_equal(change.result.table, expected.table)
    assert "not those of the brushed bar" in change.work.status.value


def test_without_suspects_an_alias_can_be_blocked_all_the_same():
    s = ck.stitch(ck.simulate_store().events)
    explorer = s.explore()
    explorer.tabs.selected_index = IDENTITY
    identity = explorer.identity.suspects
    assert "No profile looks like several people" in explorer.identity.work.status.value
    identity.restitch.click()
    assert "choose an alias to block" in identity.statuses[-1].value
    identity.other.value = MILO
    identity.restitch.click()
    assert identity.result is not None


def test_an_event_to_blame_is_said_with_its_repair():
    events = pd.DataFrame(
        {
            "event_name": "Placed Order",
            "timestamp": ["2026-03-02", "2026-03-03", "2026-03-04"],
            "aliases": [
                ["urn:email:a@example.com"],
                ["urn:email:b@example.com"],
                ["urn:email:a@example.com", "urn:email:b@example.com"],
            ],
        }
    )
    s = ck.stitch(events)
    explorer = s.explore()
    explorer.tabs.selected_index = IDENTITY
    assert s.suspects["cut_kind"].tolist() == ["event"]
    assert "No alias is to blame" in explorer.identity.suspects.statuses[0].value
    assert "events.drop" in explorer.identity.suspects.statuses[0].value


# -- Work: pauses, busy, errors ------------------------------------------------------------------


def test_changes_close_together_start_the_work_once(monkeypatch):
    monkeypatch.setattr(explore_work, "PAUSE", 1.0)
    done = []
    work = Work("Counting…", lambda: done.append(1), list)

    async def drag():
        for _ in range(20):
            work.soon()
            await asyncio.sleep(0.002)
        assert "Counting…" in work.status.value
        assert done == []
        while not done:
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.1)

    asyncio.run(drag())
    assert done == [1]
    assert work.status.value == ""


def test_the_status_says_that_work_goes_on():
    seen = []
    work = Work("Counting <b>…", lambda: seen.append(work.status.value), list)
    work.now()
    assert "Counting &lt;b&gt;…" in seen[0]
    assert work.status.value == ""


def test_an_error_nobody_foresaw_is_shown_with_where_it_happened():
    cleared = []

    def fails():
        raise KeyError("<missing>")

    work = Work("Counting…", fails, lambda: cleared.append(1))
    work.now()
    assert "KeyError: &#x27;&lt;missing&gt;&#x27;" in work.status.value
    assert "in fails" in work.status.value
    assert cleared == [1]


def test_warnings_are_shown():
    work = Work("Counting…", lambda: warnings.warn("never <matches>", stacklevel=1), list)
    work.now()
    assert "never &lt;matches&gt;" in work.status.value


# -- Bounds --------------------------------------------------------------------------------------


def test_lists_are_bounded_and_say_so():
    most = explore_display.MOST_OPTIONS
    count = 3 * most
    events = pd.DataFrame(
        {
            "event_name": [f"event {i:04}" for i in range(count)],
            "timestamp": pd.date_range("2026-03-02", periods=count, freq="min", tz="UTC"),
            "alias.email": [f"ada{i:04}@example.com" for i in range(count)],
            "alias.cookie": "one",
            **{f"profile_properties.p{i}": "x" for i in range(most + 5)},
        }
    )
    explorer = ck.stitch(events).explore()
    assert len(shown_names(explorer.funnel)) == MOST_NAMES
    assert f"{MOST_NAMES} of {count} event names are listed" in explorer.funnel.steps.listed.value
    assert len(explorer.bar.breakdown.options) == most + 1
    assert f"{most} of {most + 9} properties" in explorer.bar.breakdown.options[0][0]
    explorer.funnel.steps.search.value = "event 0599"
    assert list(shown_names(explorer.funnel)) == ["event 0599 (1)"]
    look_up(explorer, "ada")
    assert len(explorer.profile.found.options) == most
    assert f"{most} of {count} aliases are listed" in explorer.profile.statuses[0].value
    assert len(explorer.profile.one.options) == most
    explorer.tabs.selected_index = IDENTITY
    assert len(explorer.identity.suspects.alias.options) <= most + 1


def test_a_search_finds_what_a_rule_made_of_a_value():
    events = pd.DataFrame(
        {
            "event_name": "A",
            "timestamp": ["2026-03-02"],
            "alias.sku": ["abc"],
            "alias.email": ["abc@example.com"],
        }
    )
    s = ck.stitch(events, rules={"sku": str.upper})
    found = find_aliases(s.tables, "abc", most=5)
    assert (found.urns, found.exact) == (["urn:sku:ABC"], True)


def test_a_rule_that_fails_on_texts_of_other_types_hinders_no_search():
    events = pd.DataFrame(
        {
            "event_name": "A",
            "timestamp": ["2026-03-02"],
            "alias.sku": ["cup-7"],
            "alias.email": ["ada@example.com"],
        }
    )
    s = ck.stitch(events, rules={"sku": lambda text: text.split("-")[1]})
    assert find_aliases(s.tables, "ada@example.com", most=5).urns == ["urn:email:ada@example.com"]
    assert find_aliases(s.tables, "cup-7", most=5).urns == ["urn:sku:7"]
    with pytest.raises(ck.UnknownAliasError, match="Did you mean 'urn:email:ada@example.com'"):
        s.profile("ada@example.com")


# -- Campaigns -----------------------------------------------------------------------------------


def open_campaigns(explorer):
    explorer.channels.show.value = "without_campaign"
    explorer.tabs.selected_index = CHANNELS
    return explorer.campaigns


def test_campaigns_are_asked_for_when_the_tab_opens_and_again_when_something_changes(explorer, s):
    assert explorer.campaigns.result is None
    tab = open_campaigns(explorer)
    assert explorer.channels.conversion.value == "Placed Order"
    expected = s.without_campaign("Placed Order")
    pd.testing.assert_frame_equal(tab.result.summary, expected.summary)
    assert expected.headline in tab.table.value
    assert FIGURE in tab.figure.outputs[0]["data"]
    explorer.channels.controls["lookback"].value = "1h"
    explorer.channels.controls["visits"].value = "ga4"
    names, last = ran(tab.source(), s)
    pd.testing.assert_frame_equal(last.events, tab.result.events)
    assert names["found"].lookback == pd.Timedelta("1h")


def test_what_cannot_be_asked_of_campaigns_is_said_and_the_old_answer_goes(s, explorer):
    tab = open_campaigns(explorer)
    explorer.channels.controls["lookback"].value = "soon"
    assert "lookback" in explorer.channels.work.status.value
    assert tab.result is None
    assert tab.table.value == ""
    assert s.explore(explorer.state).state == explorer.state


def test_identify_calls_alone_have_no_campaigns_to_ask_for():
    events = pd.DataFrame({"event_name": [], "timestamp": [], "alias.email": []})
    explorer = ck.stitch(events).explore()
    for tab in (TREND, CHANNELS):
        explorer.tabs.selected_index = tab
    assert "only identify calls" in explorer.channels.work.status.value
    assert "only identify calls" in explorer.trend.work.status.value


# -- Marketing -----------------------------------------------------------------------------------


def spent(**columns):
    """Spend on two campaigns of the demo store."""
    return pd.DataFrame(
        {
            "date": "2026-03-02", "platform": ["google_ads", "meta"],
            "campaign": ["brand", "spring-roast"], "spend": [60.0, 80.0], **columns,
        }
    )  # fmt: skip


def marketing_tab(s, spend, **chosen):
    explorer = s.explore({"channels": {"show": "spend", **chosen}}, spend=spend)
    assert explorer.marketing.result is None
    explorer.tabs.selected_index = CHANNELS
    return explorer


def test_the_marketing_tab_says_how_to_read_spend_where_there_is_none(explorer):
    explorer.channels.show.value = "spend"
    explorer.tabs.selected_index = CHANNELS
    tab = explorer.marketing
    assert "Say what was spent" in explorer.channels.work.status.value
    assert "s.explore(spend=spend)" in tab.code.value
    assert tab.result is tab.claims is None


def test_files_of_spend_are_to_be_read_first(s):
    with pytest.raises(ck.ConvergekitError, match=r"got str\. Read files with ck\.read_spend"):
        s.explore(spend="data/spend")


def test_spend_is_held_against_return_and_against_claims(s):
    spend = spent(conversions=[30.0, 12.0], value=[900.0, 300.0])
    explorer = marketing_tab(s, spend)
    tab = explorer.marketing
    assert explorer.channels.conversion.value == "Placed Order"
    expected, claims = s.marketing(spend), s.reconcile(spend)
    pd.testing.assert_frame_equal(tab.result.groups, expected.groups)
    assert "Paid Search" in tab.table.value
    for place in (tab.figure, tab.payback, tab.claims_figure):
        assert FIGURE in place.outputs[0]["data"]
    assert claims.headline in tab.reconciled.value
    pd.testing.assert_frame_equal(tab.claims.table, claims.table)
    assert "Google Ads" in tab.reconciled.value


def test_the_code_of_marketing_gives_the_same(s):
    spend = spent(conversions=[30.0, 12.0])
    tab = marketing_tab(s, spend, by="source", freq="W", model="linear").marketing
    names = {"s": s, "spend": spend}
    *before, last = tab.source().replace(".show()", "").split("\n")
    exec("\n".join(before), names)
    pd.testing.assert_frame_equal(eval(last, names).table, tab.result.table)
    pd.testing.assert_frame_equal(names["claims"].bounds, tab.claims.bounds)
    assert tab.result.by == ["source"]
    assert "freq='W'" in tab.source()


def test_spend_without_claims_is_shown_all_the_same(s):
    explorer = marketing_tab(s, spent())
    tab = explorer.marketing
    assert tab.result is not None
    assert tab.claims is None
    assert "conversions" in tab.reconciled.value
    assert "reconcile" not in tab.source()
    assert tab.claims_figure.outputs == ()


def test_the_tab_says_what_claims_and_sums_do_not_follow(s):
    spend = spent(conversions=[30.0, 12.0])
    said = "What platforms claim is compared with everybody's orders of all the time."
    explorer = marketing_tab(s, spend)
    status = explorer.channels.work.status
    assert "platforms claim" not in status.value
    explorer.bar.start.value = datetime.date(2026, 3, 9)
    assert said in html.unescape(status.value)
    assert "the sums above it and the figures are of all the time" in status.value
    explorer.bar.start.value = None
    explorer.bar.segment.kind.value = "never"
    explorer.bar.segment.name.value = "Subscribed To Newsletter"
    assert said in html.unescape(status.value)
    assert explorer.marketing.claims.headline == s.reconcile(spend).headline


def test_without_an_amount_the_marketing_tab_says_what_to_do(s):
    explorer = marketing_tab(s, spent(), value="")
    assert "Say what an order was worth" in explorer.channels.work.status.value
    assert explorer.marketing.result is None
    explorer.channels.controls["value"].value = "total_price"
    pd.testing.assert_frame_equal(explorer.marketing.result.groups, s.marketing(spent()).groups)


def test_what_cannot_be_asked_of_marketing_is_said_and_the_old_answer_goes(s):
    explorer = marketing_tab(s, spent(conversions=[30.0, 12.0]))
    tab = explorer.marketing
    explorer.channels.controls["value"].value = "no_such"
    assert "no_such" in explorer.channels.work.status.value
    assert tab.result is tab.claims is None
    assert tab.table.value == tab.reconciled.value == ""
    assert tab.figure.outputs == tab.claims_figure.outputs == ()


def test_nothing_of_spend_is_markup(s):
    spend = spent(conversions=[30.0, 12.0]).assign(platform=EVIL, campaign=EVIL, channel=EVIL)
    tab = marketing_tab(s, spend, by="platform").marketing
    assert tab.result is not None
    assert EVIL not in tab.table.value + tab.reconciled.value + tab.code.value

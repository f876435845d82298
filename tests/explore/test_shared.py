"""What all tabs share: dates, calendar, segment, breakdown, and what is brushed."""

from __future__ import annotations

import datetime
import warnings

import ipywidgets as widgets
import pandas as pd
import plotly.io as pio
import pytest

import convergekit as ck
from convergekit.explore import display as show
from convergekit.explore.brush import MOST_PERIODS

FUNNEL, TREND, PEOPLE, CHANNELS, IDENTITY, CHANGE = range(6)
STEPS = ["PageView", "Added To Cart", "Placed Order"]
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(autouse=True)
def figures_as_data(monkeypatch):
    monkeypatch.setattr(pio.renderers, "default", "plotly_mimetype")


@pytest.fixture(scope="module")
def s():
    return ck.stitch(ck.simulate_store().events)


def all_of(widget):
    yield widget
    for child in getattr(widget, "children", ()):
        yield from all_of(child)


def errors(explorer):
    return [
        widget.value
        for widget in all_of(explorer.box)
        if isinstance(widget, widgets.HTML) and 'role="alert"' in widget.value
    ]


def ran(code, s):
    *before, last = code.rstrip().replace(".show()", "").split("\n")
    names = {"s": s, "ck": ck}
    with warnings.catch_warnings():
        # The explorer shows them.
        warnings.simplefilter("ignore", UserWarning)
        exec("\n".join(before), names)
        return names, eval(last, names)


STATES = [
    {},
    {"breakdown": "properties.$url", "start": "2026-03-05", "period": "2026-03-09"},
    {"start": "2026-03-05", "end": "2026-03-17", "calendar": "America/New_York"},
    {"week_starts": "sunday", "breakdown": "channel", "bar": {"step": 3}},
    {"segment": {"never": "Placed Order"}, "bar": {"step": 2, "outcome": "dropped"}},
    {"segment": {"events": {"source": "browser"}}, "period": "2026-03-09"},
]


@pytest.mark.parametrize("state", STATES)
def test_on_every_tab_the_code_gives_what_is_shown(s, state):
    explorer = s.explore(state)
    _, table = ran(explorer.funnel.source(), s)
    pd.testing.assert_frame_equal(table, explorer.funnel.result.table)

    explorer.tabs.selected_index = TREND
    for shown in ("conversion", "profiles"):
        explorer.trend.show.value = shown
        _, trend = ran(explorer.trend.source(), s)
        pd.testing.assert_frame_equal(pd.DataFrame(trend), pd.DataFrame(explorer.trend.result))
    explorer.trend.show.value = "retention"
    _, table = ran(explorer.trend.source(), s)
    pd.testing.assert_frame_equal(table, explorer.trend.result.table)

    explorer.tabs.selected_index = PEOPLE
    _, people = ran(explorer.people.source(), s)
    pd.testing.assert_frame_equal(people, explorer.people.listed)

    explorer.tabs.selected_index = CHANNELS
    never = explorer.channels.credit.result is None
    assert never == ("segment" in state)
    if not never:
        _, credit = ran(explorer.channels.credit.source(), s)
        pd.testing.assert_frame_equal(credit.table, explorer.channels.credit.result.table)
    explorer.channels.show.value = "without_campaign"
    if not never:
        _, found = ran(explorer.campaigns.source(), s)
        pd.testing.assert_frame_equal(found.summary, explorer.campaigns.result.summary)
    assert ("Nobody who is asked about has" in explorer.channels.work.status.value) == never

    explorer.tabs.selected_index = IDENTITY
    explorer.identity.show.value = "report"
    _, report = ran(explorer.identity.source(), s)
    assert repr(report) == repr(explorer.identity.result)
    explorer.identity.show.value = "check_up"
    _, audit = ran(explorer.identity.source(), s)
    assert repr(audit) == repr(explorer.identity.result)
    assert errors(explorer) == []


def test_dates_choose_who_enters_and_which_orders_count(s):
    explorer = s.explore()
    explorer.bar.start.value = datetime.date(2026, 3, 9)
    explorer.bar.end.value = datetime.date(2026, 3, 15)
    expected = s.funnel(STEPS, within="7D", start="2026-03-09", end="2026-03-15")
    pd.testing.assert_frame_equal(explorer.funnel.result.table, expected.table)
    explorer.tabs.selected_index = CHANNELS
    orders = s.events[s.events["event_name"] == "Placed Order"]["timestamp"]
    inside = orders.between("2026-03-09", "2026-03-16", inclusive="left").sum()
    assert explorer.channels.credit.result.table["conversions"].sum() == inside > 0
    explorer.tabs.selected_index = TREND
    explorer.trend.show.value = "events"
    assert explorer.trend.result["period"].tolist() == [pd.Timestamp("2026-03-09")]


def test_dates_that_cannot_be_are_refused_and_the_state_stays(s):
    explorer = s.explore()
    explorer.bar.start.value = datetime.date(2026, 3, 15)
    explorer.bar.end.value = datetime.date(2026, 3, 9)
    assert "exchange them" in explorer.bar.said.value
    assert (explorer.state["start"], explorer.state["end"]) == ("2026-03-15", None)
    explorer.bar.end.value = datetime.date(2026, 3, 20)
    assert explorer.bar.said.value == ""
    explorer.bar.calendar.value = "Nowhere"
    assert "Nowhere" in explorer.bar.said.value
    assert explorer.state["calendar"] is None


def test_weeks_begin_on_the_day_that_is_chosen(s):
    explorer = s.explore({"tab": "trend"})
    explorer.bar.week_starts.value = "sunday"
    assert set(explorer.trend.result["period"].dt.day_name()) == {"Sunday"}
    days = [day for _, day in explorer.trend.brush.row.options if day]
    assert {pd.Timestamp(day).day_name() for day in days} == {"Sunday"}


def test_a_breakdown_by_what_the_event_says_and_by_the_channel(s):
    explorer = s.explore()
    names = {label for label, _ in explorer.bar.breakdown.options}
    assert {"channel · of the visit", "$city · carried", "$url · of the event"} <= names
    for by in ("channel", "properties.$url"):
        explorer.bar.breakdown.value = by
        expected = s.funnel(STEPS, within="7D", by=by, top=6)
        pd.testing.assert_frame_equal(explorer.funnel.result.table, expected.table)


def test_a_bar_that_is_brushed_is_what_the_other_tabs_are_about(s):
    explorer = s.explore()
    funnel = s.funnel(STEPS, within="7D")
    row = explorer.funnel.brush.row
    counts = [int(label.rsplit("(")[-1].rstrip(")")) for label, _ in row.options[1:]]
    steps = funnel.table["profiles"].tolist()
    lost = [len(funnel.drop_offs(2)), len(funnel.drop_offs(3))]
    assert counts == [steps[0], steps[1], lost[0], steps[2], lost[1]]
    row.index = 5
    assert explorer.state["bar"] == {"step": 3, "outcome": "dropped"}
    assert "dropped off before Placed Order" in explorer.bar.brushed.value

    who = funnel.drop_offs(3)["profile_id"].unique()
    explorer.tabs.selected_index = PEOPLE
    assert set(explorer.people.listed["profile_id"]) == set(who)
    listed = [value for _, value in explorer.people.list.options if value]
    assert sorted(listed) == sorted(who)
    explorer.tabs.selected_index = TREND
    explorer.trend.show.value = "profiles"
    part = s.where(profiles={"profile_id": who.tolist()})
    expected = part.counts("PageView", freq="W", measure="profiles")
    pd.testing.assert_frame_equal(pd.DataFrame(explorer.trend.result), pd.DataFrame(expected))
    explorer.tabs.selected_index = CHANNELS
    assert (
        explorer.channels.credit.result.table["conversions"].sum()
        < s.attribution("Placed Order").table["conversions"].sum()
    )
    explorer.bar.unbrush.click()
    assert explorer.state["bar"] is None
    explorer.tabs.selected_index = FUNNEL
    assert row.index == 0
    assert explorer.bar.brushed.value == ""


def test_a_week_that_is_brushed_is_what_the_other_tabs_are_about(s):
    explorer = s.explore({"tab": "trend"})
    options = explorer.trend.brush.row.options
    assert options[:3] == (("all the time", ""), ("2 Mar", "2026-03-02"), ("9 Mar", "2026-03-09"))
    whole = explorer.trend.result
    explorer.trend.brush.row.index = 2
    pd.testing.assert_frame_equal(pd.DataFrame(explorer.trend.result), pd.DataFrame(whole))
    assert "2026-03-09 to 2026-03-15" in explorer.bar.brushed.value
    explorer.tabs.selected_index = FUNNEL
    expected = s.funnel(STEPS, within="7D", start="2026-03-09", end="2026-03-15")
    pd.testing.assert_frame_equal(explorer.funnel.result.table, expected.table)
    assert expected.table["profiles"][0] == whole["entered"][1]
    explorer.tabs.selected_index = PEOPLE
    assert set(explorer.people.listed["profile_id"]) == set(expected.conversions["profile_id"])


def test_a_brush_goes_when_its_bars_or_periods_do(s):
    explorer = s.explore({"bar": {"step": 3}, "period": "2026-03-09"})
    explorer.funnel.steps.rows.children[2].children[3].click()
    assert explorer.state["bar"] is None
    assert explorer.state["period"] == "2026-03-09"
    explorer.tabs.selected_index = TREND
    explorer.trend.freq.value = "M"
    assert explorer.state["period"] is None


def test_a_person_of_the_list_is_shown(s):
    explorer = s.explore({"tab": "people"})
    label, profile_id = explorer.people.list.options[1]
    assert profile_id in label
    explorer.people.list.value = profile_id
    assert f"Profile {profile_id}" in explorer.profile.summary.value
    assert len(explorer.profile.timeline) == (s.events["profile_id"] == profile_id).sum()
    assert explorer.state["people"] == {"search": profile_id}


def test_segments_by_what_profiles_did_and_by_what_they_have(s):
    explorer = s.explore()
    segment = explorer.bar.segment
    segment.kind.value, segment.name.value = "did", "Added To Cart"
    expected = s.where(profiles=ck.Did("Added To Cart")).funnel(STEPS, within="7D")
    pd.testing.assert_frame_equal(explorer.funnel.result.table, expected.table)
    assert expected.table["profiles"][0] < s.funnel(STEPS, within="7D").table["profiles"][0]
    segment.kind.value = "profiles"
    assert explorer.state["segment"] is None
    segment.name.value = "profile.utm_source"
    segment.value.value = "google"
    assert explorer.state["segment"] == {"profiles": {"profile.utm_source": "google"}}
    expected = s.where(profiles={"profile.utm_source": "google"}).funnel(STEPS, within="7D")
    pd.testing.assert_frame_equal(explorer.funnel.result.table, expected.table)
    segment.kind.value = "query events"
    segment.query.value = "event_name != 'Placed Order'"
    assert explorer.funnel.result.table["profiles"][2] == 0
    segment.query.value = "no such column > 3"
    assert "alert" in explorer.funnel.status.value
    assert explorer.funnel.result is None


def test_nothing_is_asked_for_a_tab_that_is_not_open(s):
    explorer = s.explore()
    assert explorer.trend.result is None
    assert explorer.people.listed is None
    assert explorer.channels.credit.result is None
    assert explorer.identity.card.value == ""
    explorer.tabs.selected_index = TREND
    before = explorer.trend.result
    explorer.tabs.selected_index = FUNNEL
    explorer.tabs.selected_index = TREND
    assert explorer.trend.result is before


def test_a_long_time_has_buttons_for_its_latest_periods():
    times = pd.date_range("2025-01-01", "2026-03-01", freq="7D", tz="UTC")
    events = pd.DataFrame(
        {"event_name": "page_view", "timestamp": times, "alias.email": "ada@example.com"}
    )
    explorer = ck.stitch(events).explore({"tab": "trend"})
    assert len(explorer.trend.brush.row.options) == MOST_PERIODS + 1
    assert f"{MOST_PERIODS} of {len(times)} periods" in explorer.trend.brush.hint.value
    explorer.bar.end.value = datetime.date(2025, 2, 1)
    assert explorer.trend.brush.row.options[1][1] == "2024-12-30"


def test_every_control_has_a_name(s):
    explorer = s.explore()
    for tab in (TREND, PEOPLE, CHANNELS, IDENTITY, CHANGE):
        explorer.tabs.selected_index = tab
    assert len(explorer.tabs.children) == len({box.children for box in explorer.tabs.children})
    for widget in all_of(explorer.box):
        if isinstance(widget, widgets.Button | widgets.ToggleButton):
            assert widget.description or widget.tooltip
        elif isinstance(widget, widgets.ToggleButtons):
            assert all(label for label, _ in widget.options)
        elif hasattr(widget, "description") and not isinstance(
            widget, widgets.HTML | widgets.Label
        ):
            assert widget.description, widget


def test_empty_tabs_say_what_to_do():
    events = pd.DataFrame({"event_name": [], "timestamp": [], "alias.email": []})
    explorer = ck.stitch(events).explore()
    for tab, part in enumerate(
        [
            *(explorer.funnel, explorer.trend, explorer.people),
            *(explorer.channels, explorer.identity, explorer.change),
        ]
    ):
        explorer.tabs.selected_index = tab
        assert "ck-hint" in part.work.status.value
        assert errors(explorer) == []


def test_names_of_the_data_are_text_wherever_they_are_shown():
    events = pd.DataFrame(
        {
            "event_name": [EVIL, "page_view", "purchase"] * 4,
            "timestamp": pd.date_range("2026-03-02", periods=12, freq="D", tz="UTC"),
            "alias.cookie": [f"c{i // 3}" for i in range(12)],
            "source": EVIL,
            f"properties.{EVIL}": EVIL,
            f"profile_properties.{EVIL}": EVIL,
        }
    )
    s = ck.stitch(events)
    steps = [EVIL, "page_view", "purchase"]
    states = [
        {"funnel": {"steps": steps, "where": {f"properties.{EVIL}": EVIL}}, "bar": {"step": 1}},
        {"segment": {"did": EVIL}, "breakdown": f"profile.{EVIL}"},
        {"segment": {"events": {"source": EVIL}}, "breakdown": f"properties.{EVIL}"},
        {"segment": {"profiles": {f"profile.{EVIL}": EVIL}}, "trend": {"event": EVIL}},
    ]
    for state in states:
        explorer = s.explore(state)
        for tab in (TREND, PEOPLE, CHANNELS, IDENTITY, CHANGE, FUNNEL):
            explorer.tabs.selected_index = tab
        pages = [w.value for w in all_of(explorer.box) if isinstance(w, widgets.HTML)]
        assert any("&lt;img" in page for page in pages)
        assert not any("<img" in page for page in pages)
        assert errors(explorer) == []


def test_marks_of_direction_are_spelled_out_where_names_are_shown():
    page = show.table(pd.DataFrame({"event": ["\u202egnp"], "times": [3]})) + show.hint("\u2066")
    page += show.heading("\u2067x")
    assert r"\u202egnp" in page
    assert not set(page) & set("\u202e\u2066\u2067")

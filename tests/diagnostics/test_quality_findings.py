"""What figures of coverage, accuracy and timelines say, held against the events."""

from __future__ import annotations

import itertools

import pandas as pd
import pytest
from hypothesis import given

import convergekit as ck
from convergekit.figures.template import legend_name
from tests.figures.figure_numbers import numbers
from tests.strategies import event_frames


def marks(figure, name):
    return list(next(trace for trace in figure.data if trace.name == name).x)


def there(values):
    return sum(isinstance(value, str) and value != "" for value in values.astype(object))


def assert_coverage_says(s, event_name):
    table = s.property_coverage(event_name)
    figure = table.plot()
    events = s.events[s.events["kind"] == "track"]
    if event_name is not None:
        events = events[events["event_name"] == event_name]
    shares = {
        row.property: (
            there(events[f"profile_properties.{row.property}"]) / max(len(events), 1),
            there(events[f"profile.{row.property}"]) / max(len(events), 1),
        )
        for row in table.itertuples()
    }
    gain = {name: filled - sent for name, (sent, filled) in shares.items()}
    # A name may have digits.
    said = numbers(figure.finding)
    if not len(table) or not len(events):
        assert not said
    elif max(gain.values()) <= 0:
        assert said == [f"{len(table):,}", f"{len(events):,}"]
    else:
        name = figure.finding.removeprefix("Filling adds most to ").split(":")[0]
        assert gain[name] == pytest.approx(max(gain.values()))
        sent, filled = shares[name]
        assert said == [f"{sent:.1%}", f"{len(events):,}", f"{filled:.1%}"]
    twin = figure.twin
    if len(events) and len(twin):
        for row in twin.itertuples():
            assert (row.sent, row.filled) == pytest.approx(shares[row.property])
    assert marks(figure, "as sent") == pytest.approx(twin["sent"].tolist(), nan_ok=True)
    assert marks(figure, "filled") == pytest.approx(twin["filled"].tolist(), nan_ok=True)


def assert_report_says(s):
    figure = s.report.plot()
    twin = figure.twin
    # The cookie is the browser session's alias.
    in_browser = {*s.aliases.loc[s.aliases["alias_type"] == "cookie", "profile_id"]}
    events = s.events[(s.events["kind"] == "track") & s.events["event_name"].notna()]
    shares = {}
    for name, rows in events.groupby("event_name"):
        on = sum(one in in_browser for one in rows["profile_id"].dropna())
        shares[name] = (on / len(rows), len(rows))
    assert {
        row.event_name: (row.with_browser_session, row.events) for row in twin.itertuples()
    } == {name: (pytest.approx(share), count) for name, (share, count) in shares.items()}
    assert marks(figure, "session") == twin["with_browser_session"].tolist()
    assert marks(figure, "profile") == twin["with_profile"].tolist()
    said = numbers(figure.finding)
    if not shares:
        assert not said
        return
    if len(shares) > 1 and len({share for share, _ in shares.values()}) == 1:
        assert said == [f"{next(iter(shares.values()))[0]:.1%}", f"{len(shares):,}"]
        return
    each = [[f"{share:.1%}", f"{count:,}"] for share, count in shares.values()]
    assert said[:2] in each
    assert said[:1] == [f"{min(share for share, _ in shares.values()):.1%}"]
    if len(shares) > 1:
        assert said[2:] in each
        assert said[2:3] == [f"{max(share for share, _ in shares.values()):.1%}"]


def assert_timeline_says(timeline):
    figure = timeline.plot()
    times = sorted(timeline["timestamp"])
    visits = 1 + sum(
        later - time > pd.Timedelta("30min") for time, later in itertools.pairwise(times)
    )
    said = figure.finding.split(" from ")
    assert numbers(said[0]) == [f"{len(times):,}", f"{visits:,}"]
    sources = timeline["source"].fillna("no source").nunique() if "source" in timeline else 1
    assert numbers(said[1]) == [f"{sources:,}"]
    assert f"{times[0]:%Y-%m-%d %H:%M} to {times[-1]:%Y-%m-%d %H:%M} UTC." in figure.finding
    twin = figure.twin
    assert twin["timestamp"].tolist() == times
    drawn = {trace.name: len(trace.x) for trace in figure.data if len(trace.x)}
    named = [legend_name(name) for name in twin["event_name"]]
    assert drawn == pd.Series(named).value_counts().to_dict()


@pytest.mark.parametrize("seed", [1, 2])
def test_figures_of_a_store(seed):
    s = ck.stitch(ck.simulate_store(people=40, seed=seed).events)
    assert_coverage_says(s, None)
    assert_coverage_says(s, "Placed Order")
    assert_report_says(s)
    for profile_id in s.profiles["profile_id"].head(5):
        assert_timeline_says(s.profile(profile_id))


@given(event_frames())
def test_figures_of_any_events(frame):
    s = ck.stitch(frame)
    assert_coverage_says(s, None)
    assert_report_says(s)
    for profile_id in s.profiles["profile_id"].head(1):
        assert_timeline_says(s.profile(profile_id))


@pytest.mark.parametrize("seed", [1, 2])
def test_an_evaluation(seed):
    store = ck.simulate_store(people=50, seed=seed)
    s = ck.stitch(store.events)
    found = ck.evaluate(s, store.truth)
    figure = found.plot(width=300)
    merged, split = len(found.over_merged), len(found.split)
    assert numbers(figure.finding) == [
        f"{merged:,}", f"{found.profiles:,}", f"{merged / found.profiles:.1%}",
        f"{split:,}", f"{found.people:,}", f"{split / found.people:.1%}",
    ]  # fmt: skip
    twin = figure.twin.set_index(["measure", "what"])["value"]
    for name in ("pairwise", "B-cubed"):
        assert marks(figure, name) == [twin[name, what] for what in ("precision", "recall", "f1")]
    assert marks(figure, "mistaken") == [twin["profiles", "over-merged"], twin["people", "split"]]


@pytest.mark.parametrize("width", [300, 700])
def test_rows_are_named_once(width):
    s = ck.stitch(ck.simulate_store().events)
    figure = s.report.plot(width=width)
    notes = [note.text for note in figure.layout.annotations]
    assert ("PageView" in notes) == (width == 300) == (not figure.layout.yaxis.showticklabels)
    assert s.report.plot(height=500).layout.height == 500

"""What the figures of a reconciliation say, held against claims and orders one by one."""

from __future__ import annotations

import pandas as pd
import pytest

import convergekit as ck
from tests.figures.figure_numbers import numbers

TITLES = {"google_ads": "Google Ads", "meta": "Meta"}


def claims(rows):
    frame = pd.DataFrame(rows, columns=["date", "platform", "conversions"])
    return frame.assign(date=pd.to_datetime(frame["date"]))


@pytest.fixture(params=[1, 2, 3], scope="module")
def world(request):
    """A store, and claims of two platforms: more in some weeks than there are orders."""
    store = ck.simulate_store(people=60, seed=request.param)
    rows = [
        ("2026-03-04", "google_ads", 9.0 * request.param), ("2026-03-12", "google_ads", 2.0),
        ("2026-03-13", "meta", 7.5), ("2026-03-24", "meta", 3.0 + request.param),
    ]  # fmt: skip
    spend = claims(rows)
    s = ck.stitch(store.events)
    return s, spend, s.reconcile(spend, value=None)


def test_the_headline_and_the_bars(world):
    s, spend, found = world
    figure = found.plot()
    twin = figure.twin.set_index("what")["number"]
    claimed, orders = spend["conversions"].sum(), (s.events["event_name"] == "Placed Order").sum()
    assert twin["claimed together"] == claimed
    within, after = twin["orders in the period"], twin["orders after it"]
    assert within + after == len(found.orders)
    assert within + after <= orders
    shown = f"{claimed:,.0f}" if claimed == round(claimed) else f"{claimed:,.1f}"
    said = numbers(figure.finding)
    assert said[:2] == [shown, f"{within + after:,.0f}"]
    # More claims than orders are one too many each.
    too_many = claimed - (within + after)
    if too_many > 0:
        assert float(said[2].replace(",", "")) >= too_many - 0.051
        assert said[3] == f"{found.bound('above one an order')[0] / claimed:.0%}"
    sums = spend.groupby("platform")["conversions"].sum()
    for platform, title in TITLES.items():
        assert twin[f"{title}: claimed"] == sums[platform]
    bars = [value for trace in figure.data if trace.type == "bar" for value in trace.x]
    low, most = twin["orders claimed, at least"], twin["orders claimed, at most"]
    clicks = [twin[f"{title}: orders with a click"] for title in TITLES.values()]
    assert sorted(bars) == sorted([*sums, *sums, within, after, low, most - low, *clicks])


@pytest.mark.parametrize("freq", ["W", "D", "M"])
def test_periods(world, freq):
    s, spend, found = world
    table = found.by_period(freq)
    figure = table.plot()
    word = {"W": "week", "D": "day", "M": "month"}[freq]
    done = table[table["complete"].astype(bool)]
    if done.empty:
        assert figure.finding == f"No {word} is complete: the exports have a part of each."
    else:
        last = done["period"].max()
        end = last.to_period(freq).end_time
        own = spend[(spend["date"] >= last) & (spend["date"] <= end)]["conversions"].sum()
        times = s.events.loc[s.events["event_name"] == "Placed Order", "timestamp"]
        times = times.dt.tz_localize(None)
        orders = int(((times >= last) & (times <= end)).sum())
        said = numbers(figure.finding.split(f"{last:%Y-%m-%d}")[1].split(";")[0])
        assert said == [f"{own:,.0f}" if own == round(own) else f"{own:,.1f}", f"{orders:,}"]
    drawn = [value for trace in figure.data if trace.type == "bar" for value in trace.y]
    twin = figure.twin
    assert sorted(drawn) == sorted(twin["claimed"].tolist())
    sums = spend.groupby("platform")["conversions"].sum()
    assert twin.groupby("platform")["claimed"].sum().to_dict() == sums.to_dict()


@pytest.mark.parametrize("width", [None, 300, 700])
def test_bars_have_room_for_their_numbers(world, width):
    figure = world[2].plot(width=width)
    assert figure.layout.width == width
    high = figure.layout.xaxis.range[1]
    (texts,) = (trace for trace in figure.data if trace.type == "scatter")
    room = (width or 400) - 32 - (0 if width == 300 else 125)
    for end, text in zip(texts.x, texts.text, strict=True):
        assert end / high * room + 6 * len(text) <= room + 4
    assert figure.layout.yaxis.showticklabels is not (width == 300)


def test_a_given_height_is_the_height(world):
    assert world[2].plot(height=640).layout.height == 640
    assert world[2].by_period("W").plot(height=420).layout.height == 420

"""What the figures of marketing say, held against spend and orders one by one."""

from __future__ import annotations

import pandas as pd
import pytest

import convergekit as ck
from tests.figures.figure_numbers import numbers


@pytest.fixture(params=[1, 2], scope="module")
def world(request):
    season = ck.simulate_store(
        people=120, start="2026-03-01", days=60, spend=True, seed=request.param
    )
    s = ck.stitch(season.events)
    return s, season.spend


def drawn(figure, kind):
    """The heights of marks, those that two traces share once."""
    return [
        (trace.yaxis, x, y)
        for trace in figure.data
        if trace.type == kind and trace.x[0] is not None
        for x, y in zip(trace.x, trace.y, strict=True)
    ]


@pytest.mark.parametrize("freq", ["W", "M"])
def test_spend_and_revenue(world, freq):
    s, spend = world
    found = s.marketing(spend, freq=freq)
    figure = found.plot()
    table, dates = found.table, pd.to_datetime(spend["date"])
    orders = s.events[s.events["event_name"] == "Placed Order"]
    days = orders["timestamp"].dt.tz_localize(None)
    prices = orders["properties.total_price"].astype(float)
    done = sorted(table.loc[table["complete"], "period"].unique())
    expected = []
    for start in reversed(done[-2:]):
        end = pd.Timestamp(start).to_period(freq).end_time
        spent = spend.loc[(dates >= start) & (dates <= end), "spend"].sum()
        earned = prices[(days >= start) & (days <= end)].sum()
        expected += [f"{spent:,.2f}", f"{earned:,.2f}"]
    assert done
    said = [number for number in numbers(figure.finding) if "." in number]
    assert said == expected
    twin = figure.twin
    assert [y for _, _, y in drawn(figure, "bar")] == pytest.approx(twin["spend"].tolist())
    lines = {(axis, x): y for axis, x, y in drawn(figure, "scatter")}
    revenue = [y for y in lines.values() if y == y]
    assert sorted(revenue) == pytest.approx(sorted(twin["revenue"].dropna().tolist()))


def test_payback(world):
    s, spend = world
    found = s.marketing(spend)
    table = found.payback()
    figure = table.plot()
    twin = figure.twin
    # A line has paid back once a customer has brought what one costs.
    back = {}
    for cohort, rows in twin.groupby("cohort"):
        paid = rows[rows["value"] >= rows["cac"] - 1e-9]
        back[cohort] = None if paid.empty else int(paid["days"].min())
    days = sorted(day for day in back.values() if day is not None)
    said = numbers(figure.finding)
    if days:
        median = days[(len(days) - 1) // 2]
        assert said[:2] == [str(len(days)), str(len(back))]
        assert said[2:] == ([] if median == 0 else [str(median)])
    else:
        assert said == [str(len(back))]
    points = {
        (trace.name, x): y for trace in figure.data for x, y in zip(trace.x, trace.y, strict=True)
    }
    assert sorted(points.values()) == pytest.approx(sorted(twin["paid_back"]), abs=1e-6)


def test_nothing_is_said_to_be_nothing(world):
    s, spend = world
    found = s.marketing(spend)
    assert found.table[:0].plot().finding.startswith("Spend and revenue are missing")
    assert numbers(s.marketing(spend[:0]).payback().plot().finding) == []


@pytest.mark.parametrize("width", [None, 300, 700])
def test_curves_are_named_at_their_ends(world, width):
    s, spend = world
    figure = s.marketing(spend).payback().plot(width=width, height=500)
    assert (figure.layout.width, figure.layout.height) == (width, 500)
    names = {trace.name for trace in figure.data}
    assert names <= {note.text for note in figure.layout.annotations}
    assert not figure.layout.showlegend

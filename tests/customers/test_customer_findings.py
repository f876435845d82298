"""What figures of customers say in a sentence and in their table: as counted one by one."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import convergekit as ck
from tests.customers import reference_customers
from tests.effort import tries
from tests.figures.figure_numbers import numbers, percent
from tests.figures.figure_texts import one_line

pytestmark = pytest.mark.filterwarnings("ignore:no event")


@st.composite
def stores(draw):
    """The customers of a simulated store, and the orders of each, with what they are worth."""
    people, seed = draw(st.integers(10, 80)), draw(st.integers(0, 99))
    store = ck.simulate_store(people, seed=seed, days=draw(st.sampled_from([28, 99])))
    assume("Placed Order" in set(store.events["event_name"]))
    s = ck.stitch(store.events)
    return s, reference_customers.orders_of(s.events.dropna(subset=["profile_id"]))


def said_below(figure):
    return one_line(figure.layout.title.subtitle.text)


@tries(10)
@given(stores())
def test_new_and_returning_say_the_last_full_month(world):
    s, orders = world
    figure = s.customers().new_and_returning("M").plot()
    end = pd.Timestamp(s.customers().data_end)
    rows = [row[:2] for row in reference_customers.new_and_returning(orders, end)]
    assert figure.twin[["new", "returning"]].to_numpy().tolist() == rows
    for name in ("new", "returning"):
        bars = [height for trace in figure.data if trace.name == name for height in trace.y]
        assert bars == figure.twin[name].tolist()
    first = min((times[0] for times in orders.values()), default=end)
    starts = pd.period_range(first.strftime("%Y-%m"), end.strftime("%Y-%m"), freq="M")
    full = [
        (start, *row) for start, row in zip(starts, rows, strict=False) if any(row)
    ][: -1 if rows and any(rows[-1]) else None]  # fmt: skip
    expected = []
    for start, new, returning in full[:-3:-1]:
        share = percent(returning / (new + returning))
        expected += [f"{start.year}", f"{returning:,}", f"{new + returning:,}", share]
    assert numbers(figure.finding) == expected
    assert said_below(figure).startswith(figure.finding)


@tries(10)
@given(stores())
def test_repeat_orders_say_their_last_day(world):
    s, orders = world
    table = s.customers().repeat_purchases()
    figure = table.plot()
    end = pd.Timestamp(s.customers().data_end)
    expected = [f"{len(orders):,}"] if orders else []
    for number, ordinal in ((2, "2"), (3, "3")):
        rows = table[table["order"] == number]
        if len(rows):
            day = int(rows["days"].max())
            share = reference_customers.reached(orders, number, end, day)
            last = rows.iloc[-1]
            interval = [] if pd.isna(last["low"]) else [f"{last[e]:.1%}" for e in ("low", "high")]
            expected += [percent(share), ordinal, str(day), *interval]
    assert numbers(figure.finding) == expected
    lines = [share for trace in figure.data if trace.name for share in trace.y]
    assert lines == pytest.approx(figure.twin["share"].tolist(), abs=1e-6)
    assert said_below(figure).startswith(figure.finding)


@tries(10)
@given(stores())
def test_retention_says_who_ordered_in_the_next_month(world):
    s, orders = world
    figure = s.customers().retention().plot()
    end = pd.Timestamp(s.customers().data_end)
    last = reference_customers.month_of(end)
    cells = reference_customers.retention(orders, end)
    known = {key: row for key, row in cells.items() if key[1] == 1 and sum(key) < last}
    if known:
        customers = sum(row[0] for row in known.values())
        active = sum(row[1] for row in known.values())
        assert numbers(figure.finding) == [
            f"{customers:,}", f"{len(known):,}", f"{active:,}", "1", percent(active / customers),
        ]  # fmt: skip
    else:
        assert not numbers(figure.finding)
    assert {
        (reference_customers.month_of(row.cohort), row.months): (row.customers, row.active)
        for row in figure.twin.itertuples()
    } == {key: row for key, row in cells.items() if key[1]}


@tries(10)
@given(stores())
def test_lifetime_value_says_the_whole_and_the_tenth_worth_most(world):
    s, orders = world
    table = s.customers(value="total_price").lifetime_value()
    figure = table.plot()
    worth = sorted(table["value"], reverse=True)
    (bars,) = [list(trace.y) for trace in figure.data]
    assert bars == figure.twin["value"].tolist()
    assert sum(figure.twin["customers"]) == len(worth) == len(orders)
    assert sum(bars) == pytest.approx(sum(worth))
    if not worth:
        assert not numbers(figure.finding)
        return
    # The first of at most ten parts that differ by one at most.
    first = worth[: -(-len(worth) // 10)]
    expected = [f"{len(worth):,}", f"{sum(worth):,.2f}"]
    if len(worth) > 1 and sum(worth) > 0:
        expected.append(f"{100 * sum(first) / sum(worth):.0f}%")
    assert numbers(figure.finding) == expected
    assert said_below(figure).startswith(figure.finding)


def test_nobody_has_ordered():
    s = ck.stitch(ck.simulate_store(20).events)
    found = s.customers(ck.Step("Placed Order", where="total_price > 1000000"))
    for figure in (
        found.new_and_returning().plot(),
        found.repeat_purchases().plot(),
        found.retention().plot(),
    ):
        assert "check the name of the event" in figure.finding
        assert said_below(figure) == figure.finding
        assert figure.twin.empty

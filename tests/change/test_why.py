"""`why`: the parts add up, causes come first, and bad input is answered."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.change.path import Formula, apportioned, weights
from convergekit.change.sides import Side, enter
from tests.change.causes import CAUSES
from tests.change.planted import NUMBERS, asked, right
from tests.change.reference_entering import entered
from tests.change.reference_shapley import shapley
from tests.change.shops import AFTER, BEFORE, STEPS, Shop
from tests.effort import scaled, tries

UNITS = {"conversion": 1e-9, "orders": 0.01, "revenue": 0.01, "revenue a visit": 1e-8}
FEW = ("2026-03-02", "2026-03-15"), ("2026-03-16", "2026-03-29")


@pytest.fixture(scope="module")
def store():
    return ck.stitch(ck.simulate_store(people=500, seed=8).events)


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("periods", [FEW, (("2026-03-02", "2026-03-08"), ("2026-03-20", None))])
def test_the_parts_add_up_to_the_difference(store, number, periods):
    found = store.why(*periods, number=number)
    unit = UNITS[number]
    parts = [round(effect / unit) for effect in found.table["effect"]]
    assert sum(parts) == round(found.after / unit) - round(found.before / unit)
    assert found.table["part"].tolist() == list(range(1, len(parts) + 1))
    assert (found.table["low"] <= found.table["effect"]).all()


def test_the_number_is_that_of_the_funnel(store):
    steps = ["PageView", "Viewed Product", "Added To Cart", "Placed Order"]
    found = store.why(*FEW, steps=steps, within="5D")
    for (start, end), value in zip(FEW, (found.before, found.after), strict=True):
        table = store.funnel(steps, within="5D", start=start, end=end).table
        assert value == pytest.approx(table["conversion"].iloc[-1], abs=1e-9)


@tries(25)
@given(st.data())
def test_conversion_is_that_of_the_funnel_in_any_order_of_events(data):
    """Ties, repeats, several periods, events without an alias, and any order of rows."""
    size = data.draw(st.integers(4, 30))
    hours = data.draw(st.lists(st.integers(0, 24 * 8), min_size=size, max_size=size))
    names = data.draw(st.lists(st.sampled_from(["A", "B", "C", "x"]), min_size=size, max_size=size))
    who = data.draw(st.lists(st.sampled_from(["1", "2", "3", None]), min_size=size, max_size=size))
    begin = pd.Timestamp("2026-03-02", tz="UTC")
    events = pd.DataFrame(
        {
            "event_name": [*names, "A", "B", "C", "A"],
            "timestamp": [begin + pd.Timedelta(h, "h") for h in [*hours, 0, 1, 2, 24 * 8]],
            "alias.cookie": [*who, "9", "9", "9", "9"],
        }
    )
    periods = ("2026-03-02", "2026-03-05"), ("2026-03-06", "2026-03-10")
    s = ck.stitch(events)
    found = s.why(*periods, steps=["A", "B", "C"], within="2D", by=[])
    for (start, end), value in zip(periods, (found.before, found.after), strict=True):
        funnel = s.funnel(["A", "B", "C"], within="2D", start=start, end=end)
        entered = funnel.counts["entered"]
        share = funnel.table["profiles"].iloc[-1] / entered if entered else 0.0
        assert value == pytest.approx(share, abs=1e-9)
    again = ck.stitch(events.iloc[::-1]).why(*periods, steps=["A", "B", "C"], within="2D", by=[])
    pd.testing.assert_frame_equal(found.table, again.table)


_FORMULA = Formula(["days", "value"], ["people", "again"], ["one", "two"], "mix", "beside")
_NAMES = ["days", "value", "people", "again", "one", "two", "mix"]


@tries(20)
@given(st.lists(st.floats(0, 3), min_size=14, max_size=14))
def test_the_integral_is_the_shapley_value(numbers):
    before = dict(zip(_NAMES, numbers[:7], strict=True)) | {"beside": 0.5}
    after = dict(zip(_NAMES, numbers[7:], strict=True)) | {"beside": 0.5}
    slope = weights(_FORMULA, before, after)
    moving = {n: before[n] for n in _NAMES}
    wanted = shapley(
        lambda v: float(np.ravel(_FORMULA.value(v | {"beside": 0.5}))[0]),
        moving,
        {n: after[n] for n in moving},
    )
    for name in _NAMES:
        part = float(np.ravel(slope[name])[0]) * (after[name] - before[name])
        assert part == pytest.approx(wanted[name], abs=1e-7)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=12))
def test_rounded_parts_add_up(parts):
    total = round(sum(parts))
    found = apportioned(np.array(parts), total)
    assert sum(found) == total
    assert max(abs(f - p) for f, p in zip(found, parts, strict=True)) <= 2


_SAMPLE = ("channel paused", "step broken on mobile", "clock shifted", "sent twice")


@pytest.mark.parametrize("name", _SAMPLE[: max(scaled(4), 1)])
def test_a_planted_cause_comes_first(name):
    found = asked(CAUSES[name], seed=77, people=4000)
    assert right(CAUSES[name], found) == (True, True), found.table.head().to_string()
    assert len(found.profiles(1)) > 0


def test_where_nothing_changed_nothing_is_beyond_chance():
    s = ck.stitch(Shop(1000, 5).made().drop(columns=["after", "person"]))
    found = s.why(BEFORE, AFTER, steps=STEPS, within="3D")
    assert not found.table["beyond_chance"].any()
    assert "nothing beyond chance" in found.finding
    assert found.faults.empty


def test_two_stitchings_are_compared_whole(store):
    events = store.events[["event_name", "timestamp", "alias.cookie", "alias.email", "event_id"]]
    early = events["timestamp"] < pd.Timestamp("2026-03-16", tz="UTC")
    kept = events.copy()
    a, b = (ck.stitch(events[part].reset_index(drop=True)) for part in (early, ~early))
    found = a.why(b, steps=["PageView", "Added To Cart", "Started Checkout"])
    pd.testing.assert_frame_equal(events, kept)
    for s, value in ((a, found.before), (b, found.after)):
        table = s.funnel(["PageView", "Added To Cart", "Started Checkout"], within="7D").table
        assert value == pytest.approx(table["conversion"].iloc[-1], abs=1e-9)
    assert (found.findings["together"] == -1).all()


def test_open_windows_are_a_part_of_their_own(store):
    found = store.why(("2026-03-09", "2026-03-15"), ("2026-03-24", None), within="7D")
    row = found.table[found.table["kind"] == "open windows"]
    assert row["effect"].item() < 0
    assert any("open" in note for note in found.notes)


def test_days_are_those_of_the_calendar():
    rows = [("A", "2026-03-02T22:30Z", "1"), ("B", "2026-03-02T22:40Z", "1"),
            ("A", "2026-03-03T12:00Z", "2"), ("A", "2026-03-05T12:00Z", "3")]  # fmt: skip
    events = pd.DataFrame(rows, columns=["event_name", "timestamp", "alias.cookie"])
    periods = ("2026-03-03", "2026-03-03"), ("2026-03-05", "2026-03-05")
    utc = ck.stitch(events).why(*periods, steps=["A", "B"], within="1h")
    local = ck.stitch(events, calendar="Europe/Helsinki").why(
        *periods, steps=["A", "B"], within="1h"
    )
    assert (utc.before, local.before) == (0.0, 0.5)


def test_return_on_spend_is_revenue_by_spend(store):
    days = pd.date_range("2026-03-02", "2026-03-29")
    spend = pd.DataFrame({"date": days, "spend": np.where(days < "2026-03-16", 10.0, 20.0)})
    found = store.why(*FEW, number="return on spend", spend=spend)
    revenue = store.why(*FEW, number="revenue")
    assert found.before == pytest.approx(revenue.before / 140, abs=1e-6)
    assert found.after == pytest.approx(revenue.after / 280, abs=1e-6)
    cost = found.table[found.table["kind"] == "spend"]["effect"].item()
    assert cost < 0


def test_the_profiles_behind_a_fault_are_those_of_its_events():
    events = Shop(1500, 3, events=[CAUSES["sent twice"].events]).made()
    s = ck.stitch(events.drop(columns=["after", "person"]))
    found = s.why(BEFORE, AFTER, number="orders", steps=STEPS, within="3D")
    assert found.faults["what"].tolist() == ["Placed Order sent twice, without an event ID"]
    part = int(found.table[found.table["kind"] == "tracking"]["part"].iloc[0])
    assert set(found.profiles(part)["side"]) == {"after"}
    true = events[events["event_name"] == "Placed Order"]
    repeats = int(true.duplicated(["person", "properties.total_price"]).sum())
    effect = found.table.set_index("part").loc[part, "effect"]
    assert effect == pytest.approx(repeats, abs=1)


def test_the_figure_ends_at_the_number_after(store):
    figure = store.why(*FEW).plot(template="light", width=320)
    twin = figure.twin
    assert twin["stop"].iloc[-2] == pytest.approx(twin["stop"].iloc[-1], abs=1e-8)
    assert figure.finding.startswith("Conversion went from")


def test_bad_input_is_answered(store):
    cases = [
        (lambda: store.why(("2026-03-02", "2026-03-10"), ("2026-03-10", "2026-03-15")), "overlap"),
        (lambda: store.why(*FEW, number="profit"), "number"),
        (lambda: store.why("2026-03-02"), "must be a period"),
        (lambda: store.why(store, FEW[0]), "one other"),
        (lambda: store.why(("2026-03-09", "2026-03-02"), FEW[1]), "ends before it begins"),
        (lambda: store.why(FEW[0], ("2027-03-02", "2027-03-08")), "after, .* not have any event"),
        (lambda: store.why(*FEW, steps=["PageView"]), "two or more"),
        (lambda: store.why(*FEW, steps=["PageView", "PageView"]), "names that differ"),
        (lambda: store.why(*FEW, steps=["PageView", "Bought"]), "no event is named"),
        (lambda: store.why(*FEW, number="return on spend"), "go together"),
        (lambda: store.why(*FEW, number="revenue", value="colour"), "colour"),
        (lambda: store.why(*FEW).profiles(99), "part must be"),
    ]
    for ask, said in cases:
        with pytest.raises(ck.ConvergekitError, match=said):
            ask()


@tries(60)
@given(st.data())
def test_who_entered_is_who_is_found_person_by_person(data):
    """Any order of events, ties, events before and after the period, windows within and beyond."""
    rows = data.draw(
        st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 20), st.integers(-1, 2)), max_size=40)
    )
    start, length, within = (data.draw(st.integers(*span)) for span in ((0, 8), (1, 12), (1, 9)))
    in_period = data.draw(st.booleans())
    person, time, step = (np.array([row[k] for row in rows], dtype=np.int64) for k in range(3))
    side = Side(
        base=SimpleNamespace(is_track=np.ones(len(rows), dtype=bool)),
        name="before",
        start=start,
        end=start + length,
        observed=21,
        time=time,
        person=person,
        step=step,
        amount=np.zeros(len(rows)),
        dropped=np.zeros(len(rows), dtype=bool),
    )
    found = enter(side, 3, within, in_period=in_period)
    fast = {
        int(who): (int(depth), int(wait), int(goals))
        for who, depth, wait, goals in zip(
            found.person, found.depth, found.wait, found.goals, strict=True
        )
    }
    assert fast == entered(rows, start, start + length, 3, within, in_period)

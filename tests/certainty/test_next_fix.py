"""What `Stitched.next_fix` foretells of changes of the tracking, and of stores that say too little.

`tests/certainty/fixes.py` holds it against what changes tell in truth; a sample of it is here.
"""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import convergekit as ck
from convergekit.errors import ColumnError, UnknownNameError
from convergekit.fixes.trail import trail_of
from tests.certainty.agents import Agents, agents
from tests.certainty.fixes import CHANGES, Store, origins, tied

VALUE = "total_price"
LOSSES = ck.TrackingLoss(devices=1.6, cookie_days=5.0, lost_tokens=0.25)


@pytest.fixture(scope="module")
def events():
    return ck.simulate_store(people=1500, seed=7, losses=LOSSES).events


@pytest.fixture(scope="module")
def s(events):
    return ck.stitch(events)


@pytest.fixture(scope="module")
def found(s):
    return s.next_fix("Placed Order", value=VALUE)


def test_it_ranks_as_the_truth_does_where_changes_are_really_made():
    store = Store.of(seed=2, people=1500)
    assert store.correlation >= 0.85
    named = store.table["money"].idxmax()
    assert store.table.loc[named, "true"] >= 0.8 * store.table["true"].max()
    there = store.table[store.table["true"] > 0]
    assert (there["money"] / there["true"] - 1).abs().median() <= 0.3


def test_changes_within_a_tenth_of_each_other_are_equal():
    true = np.array([100.0, 95.0, 50.0, 10.0])
    assert tied(true, np.array([7.0, 9.0, 5.0, 6.0]))[1].tolist() == [9.0, 7.0, 5.0, 6.0]


def test_changes_are_those_that_the_data_suggest(s, found):
    named = set(zip(found.table["alias_type"], found.table["at"], strict=True))
    assert set(CHANGES) <= named
    assert ("email", "PageView") not in named
    assert (found.table["money"].diff().dropna() <= 0).all()
    assert found.orders == (s.events["event_name"] == "Placed Order").sum()


def test_names_do_not_matter(events):
    renamed = events.rename(
        columns={"alias.cart_token": "alias.korb", "alias.checkout_token": "alias.kasse"}
    )
    renamed["event_name"] = renamed["event_name"].replace({"Added To Cart": "In den Korb"})
    table = ck.stitch(renamed).next_fix("Placed Order", value=VALUE).table
    assert {"korb", "kasse"} <= set(table["alias_type"])
    assert "In den Korb" in set(table["at"])


def test_the_interval_holds_the_estimate_and_the_share_is_of_all(found):
    table = found.table
    for name in ("orders", "money"):
        assert (table[f"{name}_low"] <= table[name]).all()
        assert (table[name] <= table[f"{name}_high"]).all()
        assert (table[f"{name}_low"] >= 0).all()
    np.testing.assert_allclose(table["share"], table["money"] / found.money, rtol=1e-4)


def test_what_is_sent_already_tells_nothing_more(s):
    """A clean store in which every order carries its tokens has no token to send."""
    change = ck.TrackingChange(
        tokens=("cart_token", "checkout_token"), one_cookie=True, address={"Started Checkout": 1.0}
    )
    clean = ck.simulate_store(people=600, noise=0.0, change=change)
    table = ck.stitch(clean.events).next_fix("Placed Order", value=VALUE).table
    assert "checkout_token" not in set(table.loc[table["money"] > 100, "alias_type"])
    assert ("cookie", "Started Checkout") not in set(
        zip(table["alias_type"], table["at"], strict=True)
    )
    assert not table["change"].str.contains("every Started Checkout").any()


def test_it_does_not_depend_on_the_order_of_rows_and_leaves_the_frame_alone(events, found):
    before = events.copy(deep=True)
    mixed = events.sample(frac=1.0, random_state=3)
    table = ck.stitch(mixed).next_fix("Placed Order", value=VALUE).table
    pd.testing.assert_frame_equal(table, found.table)
    pd.testing.assert_frame_equal(events, before)


def test_without_a_value_orders_are_ranked(s, found):
    table = s.next_fix("Placed Order").table
    assert "money" not in table
    by_name = found.table.set_index("change")["orders"]
    assert table.set_index("change")["orders"].sort_index().equals(by_name.sort_index())


def test_with_a_funnel_it_says_how_wide_its_interval_would_be():
    small = ck.stitch(ck.simulate_store(people=400, losses=LOSSES).events)
    steps = ["PageView", "Placed Order"]
    table = small.next_fix("Placed Order", value=VALUE, steps=steps, within="14D").table
    now = small.funnel(steps, within="14D").bounds().table.iloc[-1]
    np.testing.assert_allclose(table["width"], now["high"] - now["low"], rtol=1e-4)
    assert table["width_after"].between(0, 1).all()
    assert table["width_after"].max() > table["width_after"].min()


def test_a_store_too_small_for_bounds_has_no_width():
    small = ck.stitch(ck.simulate_store(people=40).events)
    steps = ["PageView", "Placed Order"]
    table = small.next_fix("Placed Order", steps=steps, within="14D").table
    assert table["width"].isna().all()
    assert table["width_after"].isna().all()


def test_the_result_says_what_to_do(found):
    best = found.table.iloc[0]
    assert found.finding.startswith(best["change"])
    assert f"of {found.money:,.0f}" in found.finding
    assert repr(found).startswith("NextFix(Placed Order: ")
    assert best["change"] in str(found)
    assert best["assumption"] in found.to_markdown().replace("\\", "")
    assert pickle.loads(pickle.dumps(found)).table.equals(found.table)
    figure = found.plot()
    assert figure.finding == found.finding
    assert len(figure.twin) == len(found.table)
    interval = figure.data[1].x
    for place, column in enumerate(["money", "money_low", "money_high"]):
        assert list(interval[place::4]) == pytest.approx(found.table[column].tolist(), rel=1e-5)


def test_changes_that_tell_about_as_much_are_named(found):
    table = found.table.set_index("short")
    expected = table.index[table["money"] >= 0.9 * table["money"].max()].tolist()
    assert found.as_good == expected
    assert all(short in found.finding for short in expected[1:])
    equal = replace(found, table=found.table.assign(money=found.table["money"].max()))
    assert len(equal.as_good) == len(found.table)
    assert "About as much: " in equal.finding


def test_what_is_not_there_is_an_error(s):
    with pytest.raises(UnknownNameError, match="Placed Ordr"):
        s.next_fix("Placed Ordr")
    with pytest.raises(ColumnError, match="total_prise"):
        s.next_fix("Placed Order", value="total_prise")
    with pytest.raises(ck.ConvergekitError, match="not a number|column of numbers"):
        s.next_fix("Placed Order", value="name")
    with pytest.raises(ck.ConvergekitError, match="within"):
        s.next_fix("Placed Order", steps=["PageView", "Placed Order"])
    with pytest.raises(ck.ConvergekitError, match="segment"):
        s.where(events={"event_name": "Placed Order"}).next_fix("Placed Order")


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"alias.email": ["a@x.org"] * 3}, "no event carries an alias of a browser"),
        ({"alias.cookie": ["a", "b", "a"]}, "besides cookie no alias is there"),
        ({"alias.cookie": [None] * 3}, "no event carries an alias of a browser"),
    ],
    ids=["no browser", "one type", "no alias"],
)  # fmt: skip
def test_data_that_say_nothing_give_an_empty_table_with_a_reason(columns, said):
    frame = pd.DataFrame(
        {
            "event_name": ["PageView", "PageView", "Placed Order"],
            "timestamp": pd.date_range("2026-03-02", periods=3, freq="h", tz="UTC"),
            **columns,
        }
    )
    found = ck.stitch(frame).next_fix("Placed Order")
    assert found.table.empty
    assert said in found.reasons[0]
    assert found.reasons[0] in found.finding
    assert found.plot().finding == found.finding
    assert str(found)


def test_no_events_at_all_are_no_orders():
    empty = pd.DataFrame({"event_name": [], "timestamp": [], "alias.cookie": []})
    found = ck.stitch(empty).next_fix("Placed Order")
    assert found.table.empty
    assert found.reasons == ["no event is named Placed Order."]


def test_origins_are_those_that_a_slow_search_finds(s):
    from convergekit.fixes.origins import NONE
    from convergekit.fixes.origins import origins as fast

    at = np.flatnonzero((s.events["event_name"] == "Placed Order").to_numpy())
    trail = trail_of(s.tables, at, np.ones(len(at)))
    slow = origins(s)
    ids = s.events["event_id"].to_numpy()[trail.orders.position]
    for times, name in zip(fast(trail.seen), ("first", "last"), strict=True):
        expected = slow.loc[ids, name]
        assert ((times == NONE) == expected.isna().to_numpy()).all()
        known = times != NONE
        found = pd.to_datetime(times[known], unit="us", utc=True)
        assert (found == pd.DatetimeIndex(expected[known])).all()


def test_another_world_is_ranked_sensibly():
    """Agents: a lost token is worth sending, the more the more are lost."""
    shares = []
    for lost in (0.05, 0.5):
        world = agents(Agents(people=700, lost_token=lost), seed=3)
        table = ck.stitch(world.events).next_fix("Placed Order").table
        tokens = table[table["alias_type"] == "checkout_token"]
        shares.append(float(tokens["share"].sum()))
    assert shares[1] > 2 * shares[0]

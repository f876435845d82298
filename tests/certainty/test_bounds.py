"""What `Funnel.bounds` says of stores whose truth is known, and of those that say too little."""

from __future__ import annotations

import pickle
from functools import partial

import numpy as np
import pandas as pd
import pytest

import convergekit as ck
from convergekit.certainty.result import PARTS
from tests.certainty.agents import Agents, agents
from tests.certainty.households import Households, households
from tests.certainty.towns import Towns, towns
from tests.certainty.worlds import STEPS, simulated

LOSSES = {
    "usual": None,
    "devices": ck.TrackingLoss(devices=3.0),
    "cookies": ck.TrackingLoss(cookie_days=3.0),
    "tokens": ck.TrackingLoss(lost_tokens=0.5),
    "blockers": ck.TrackingLoss(blocked=0.3),
}


def bounds_of(world, level=0.9, **options):
    funnel = ck.stitch(world.events).funnel(list(STEPS), **{"within": "14D", **options})
    return funnel.bounds(level)


def last(bounds):
    return bounds.table.iloc[-1]


@pytest.fixture(scope="module")
def usual():
    return simulated(1500, seed=3)


@pytest.fixture(scope="module")
def bounds(usual):
    return bounds_of(usual)


@pytest.mark.parametrize("name", LOSSES)
def test_the_interval_holds_the_truth_and_the_estimate_is_nearer_than_the_stitched_share(name):
    world = simulated(1500, seed=6, losses=LOSSES[name])
    found, true = last(bounds_of(world)), world.truth()[-1]
    assert found["low"] <= true <= found["high"]
    assert found["worst_low"] <= found["low"]
    assert found["high"] <= found["worst_high"]
    assert abs(found["estimate"] - true) < abs(found["stitched"] - true) / 2


def test_people_who_differ_in_buying_and_logging_in_do_not_hide_from_it():
    world = agents(Agents(people=1200, devices=2.0), seed=5)
    found, true = last(bounds_of(world)), world.truth()[-1]
    assert found["low"] <= true <= found["high"]
    assert abs(found["estimate"] - true) < abs(found["stitched"] - true) / 2


@pytest.mark.parametrize(
    "make",
    [
        partial(households, Households(people=1000, members=0.03, mail=0.03)),
        partial(towns, Towns(people=800)),
    ],
    ids=["few logins", "towns"],
)
def test_the_interval_holds_at_every_step_where_orders_compete(make):
    world = make(seed=7)
    steps = ["PageView", "Added To Cart", "Placed Order"]
    found = ck.stitch(world.events).funnel(steps, within="14D").bounds().table
    true = world.truth(steps)
    assert ((found["low"] <= true) & (true <= found["high"])).all()


def test_where_every_visit_carries_a_login_nothing_is_in_doubt_but_chance(usual):
    known = usual.events["alias.cookie"].notna()
    events = usual.events[known].drop(columns=["alias.cart_token", "alias.checkout_token"])
    events = events.assign(**{"alias.user_id": events["alias.cookie"]})
    found = last(ck.stitch(events).funnel(["PageView", "Added To Cart"], within="14D").bounds())
    assert found["estimate"] == pytest.approx(found["stitched"], abs=0.01)
    assert found["width_orders"] == 0


def test_the_table_has_a_row_per_step_and_parts_that_add_up(bounds):
    table = bounds.table
    assert table["step"].tolist() == [1, 2]
    assert table["event_name"].tolist() == list(STEPS)
    first = table.iloc[0]
    assert first[["stitched", "low", "estimate", "high", "worst_low", "worst_high"]].eq(1).all()
    np.testing.assert_allclose(table[list(PARTS)].sum(axis=1), table["high"] - table["low"])
    assert (table[list(PARTS)] >= 0).all(axis=None)


def test_the_stitched_share_is_the_funnels(usual, bounds):
    funnel = ck.stitch(usual.events).funnel(list(STEPS), within="14D")
    np.testing.assert_allclose(bounds.table["stitched"], funnel.table["conversion"])


def test_more_certainty_is_wider(usual, bounds):
    surer = last(bounds_of(usual, level=0.99))
    assert surer["high"] - surer["low"] > last(bounds)["high"] - last(bounds)["low"]


def test_it_depends_on_neither_the_order_of_rows_nor_the_run(usual, bounds):
    shuffled = usual.events.sample(frac=1.0, random_state=1).reset_index(drop=True)
    funnel = ck.stitch(shuffled).funnel(list(STEPS), within="14D")
    pd.testing.assert_frame_equal(funnel.bounds().table, bounds.table)


def test_a_store_too_small_says_so_and_is_as_wide_as_the_worst():
    found = bounds_of(simulated(40, seed=2))
    row = last(found)
    assert "at least 30 are needed" in found.reasons[0]
    assert np.isnan(row["estimate"])
    assert (row["low"], row["high"]) == (row["worst_low"], row["worst_high"])
    assert found.reasons[0] in found.finding
    assert "unknown" in repr(found)


def test_where_most_entries_are_nobodys_nothing_is_estimated(usual):
    events = usual.events.copy()
    views = np.flatnonzero(events["event_name"] == "PageView")
    aliases = [name for name in events if name.startswith("alias.")]
    events.loc[events.index[views[::3]], aliases] = None
    events.loc[events.index[views[1::3]], aliases] = None
    found = ck.stitch(events).funnel(list(STEPS), within="14D").bounds()
    assert "carry no alias" in found.reasons[0]
    assert last(found)["low"] <= usual.truth()[-1] <= last(found)["high"]


def test_where_nobody_is_found_again_people_may_have_other_devices_all_the_same():
    # Everybody looks on one device, and orders on another: nothing can be found again.
    rows = []
    for person in range(300):
        day = pd.Timestamp("2026-03-02", tz="UTC") + pd.Timedelta(hours=person)
        rows.append({"event_name": "PageView", "timestamp": day, "alias.cookie": f"a{person}"})
        if person % 3 == 0:
            seen = {"alias.cookie": f"b{person}", "alias.email": f"p{person}@x.org"}
            later = day + pd.Timedelta(days=2)
            rows.append({"event_name": "PageView", "timestamp": later, **seen})
            rows.append({"event_name": "Placed Order", "timestamp": later, **seen})
    found = last(ck.stitch(pd.DataFrame(rows)).funnel(list(STEPS), within="14D").bounds())
    assert found["stitched"] == pytest.approx(0.25)
    assert found["low"] <= 1 / 3 <= found["high"]


@pytest.mark.parametrize("logins", [["alias.email", "alias.phone", "alias.customer_id"]])
def test_without_logins_nothing_is_estimated(usual, logins):
    events = usual.events.drop(columns=[*logins, "profile_properties.$email"])
    found = ck.stitch(events).funnel(list(STEPS), within="14D").bounds()
    assert found.reasons == [
        "no browser has identified itself by a login, such as an e-mail address."
    ]
    assert last(found)["worst_high"] - last(found)["worst_low"] > 0.8


def test_with_one_alias_type_on_orders_the_doubt_about_orders_is_said(usual):
    events = usual.events.drop(columns=["alias.cart_token", "alias.checkout_token"])
    of_server = events["source"] != "browser"
    events.loc[of_server, "alias.cookie"] = None
    found = ck.stitch(events).funnel(list(STEPS), within="14D").bounds()
    true = usual.truth()[-1]
    assert found.reasons or any(
        "none reaches a visit by a token" in one for one in found.assumptions
    )
    assert last(found)["low"] <= true <= last(found)["high"]


def test_nobody_entered(usual):
    funnel = ck.stitch(usual.events).funnel(list(STEPS), within="14D", start="2030-01-01")
    found = funnel.bounds()
    assert found.reasons == ["nobody entered."]
    assert repr(found) == "FunnelBounds(nobody entered)"
    assert found.finding == "Nobody entered."


def test_a_store_owner_reads_a_sentence(bounds):
    row = last(bounds)
    assert bounds.finding.startswith(
        f"{row['stitched']:.1%} of the profiles got to Placed Order (chance alone: "
        f"{row['chance_low']:.1%} to {row['chance_high']:.1%}); of the people, probably "
        f"{row['estimate']:.1%} ({row['low']:.1%} to {row['high']:.1%})."
    )
    assert bounds.finding in bounds._repr_html_()
    assert len(bounds.assumptions) == 6
    assert bounds.to_frame() is not bounds.table


def test_names_are_escaped():
    events = simulated(200, seed=1).events
    hostile = "<script>alert(1)</script>"
    events = events.assign(event_name=events["event_name"].replace("Placed Order", hostile))
    found = ck.stitch(events).funnel(["PageView", hostile], within="14D").bounds()
    assert "<script>" not in found._repr_html_()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"order": "any"}, "order='any'"),
        ({"count": "visits", "within": None}, "count='visits'"),
        ({"exclude": "Viewed Product"}, "exclude="),
        ({"like": "mixpanel"}, "like="),
        ({"within": {"PageView": "7D", "Placed Order": "1D"}}, "windows of single steps"),
    ],
)
def test_other_funnels_have_no_bounds(usual, options, said):
    with pytest.raises(ck.ConvergekitError, match=said):
        bounds_of(usual, **options)


@pytest.mark.parametrize("level", [0, 1, 90, "most", True])
def test_a_level_is_a_share(usual, level):
    with pytest.raises(ck.ConvergekitError, match="level must be a share between 0 and 1"):
        bounds_of(usual, level)


def test_a_frame_and_a_saved_funnel_have_no_bounds(usual):
    s = ck.stitch(usual.events)
    of_frame = ck.funnel(s.events, list(STEPS), within="7D")
    saved = pickle.loads(pickle.dumps(s.funnel(list(STEPS), within="7D")))
    for funnel in (of_frame, saved):
        with pytest.raises(ck.ConvergekitError, match="bounds need the stitched events"):
            funnel.bounds()

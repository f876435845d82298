"""What the tracking of a simulated store loses: the people and orders stay the same."""

from __future__ import annotations

import pandas as pd
import pytest

import convergekit as ck

STEPS = ["PageView", "Placed Order"]


def store_with(**losses):
    return ck.simulate_store(people=800, seed=5, losses=ck.TrackingLoss(**losses))


@pytest.fixture(scope="module")
def usual():
    return ck.simulate_store(people=800, seed=5)


def stitched_share(store):
    return ck.stitch(store.events).funnel(STEPS, within="14D").table["conversion"].iloc[-1]


def test_without_losses_the_store_is_the_usual_one(usual):
    events = store_with().events
    # Cookies have other names, and are of the same events.
    one, other = (pd.factorize(table["alias.cookie"])[0] for table in (events, usual.events))
    assert one.tolist() == other.tolist()
    pd.testing.assert_frame_equal(
        events.drop(columns="alias.cookie"), usual.events.drop(columns="alias.cookie")
    )


def test_what_happened_stays_whatever_is_lost(usual):
    for losses in ({"devices": 4.0}, {"blocked": 0.5}, {"private": 0.5, "lost_tokens": 1.0}):
        pd.testing.assert_frame_equal(store_with(**losses).happened, usual.happened)


def test_what_happened_has_each_order_once_and_everybody(usual):
    orders = usual.happened[usual.happened["event_name"] == "Placed Order"]
    assert len(orders) == usual.events["properties.id"].nunique()
    assert usual.happened["person"].nunique() == 800
    assert usual.happened["timestamp"].is_monotonic_increasing


@pytest.mark.parametrize("loss", [{"devices": 4.0}, {"cookie_days": 2.0}, {"private": 0.6}])
def test_browsers_that_never_meet_lower_the_stitched_share(usual, loss):
    store = store_with(**loss)
    cookies = [one.events["alias.cookie"].nunique() for one in (usual, store)]
    assert cookies[1] > 1.2 * cookies[0]
    assert stitched_share(store) < stitched_share(usual) - 0.02


def test_a_blocked_browser_sends_nothing():
    store = store_with(blocked=1.0)
    of_visits = store.events["alias.cookie"].notna()
    assert not of_visits.any()
    assert (store.events["event_name"] == "Placed Order").sum() > 100


def test_orders_lose_both_tokens():
    events = store_with(lost_tokens=1.0).events
    orders = events[(events["event_name"] == "Placed Order") & (events["source"] == "server")]
    assert orders[["alias.cart_token", "alias.checkout_token"]].isna().all(axis=None)


def test_people_use_other_addresses_and_slip(usual):
    def addresses(store):
        known = store.events["alias.email"].str.strip().str.lower()
        return known.groupby(store.truth["person"]).nunique()

    assert (addresses(store_with(second_address=1.0)) > addresses(usual)).mean() > 0.1
    assert (addresses(store_with(misspelt=1.0)) > addresses(usual)).mean() > 0.1


def test_neighbours_share_devices(usual):
    def people_of_a_cookie(store):
        who = store.truth["person"].groupby(store.events["alias.cookie"])
        return (who.min() < who.max()).sum()

    assert people_of_a_cookie(store_with(shared=0.5)) > 5 * people_of_a_cookie(usual)


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        ({"devices": 0.5}, "devices must be a number from 1.0; got 0.5"),
        ({"cookie_days": 0}, "cookie_days must be a number above 0; got 0"),
        ({"blocked": 1.5}, "blocked must be a share from 0.0 to 1.0; got 1.5"),
        ({"private": "half"}, "private must be a share from 0.0 to 1.0; got 'half'"),
    ],
)
def test_what_is_not_a_loss_is_refused(loss, said):
    with pytest.raises(ck.ConvergekitError, match=said):
        ck.TrackingLoss(**loss)

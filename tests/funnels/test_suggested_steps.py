"""The suggested funnel: page, cart, order, by whatever the store calls them."""

from __future__ import annotations

import pandas as pd
import pytest

import convergekit as ck
from convergekit.funnels.suggest import suggested_order, suggested_steps


def named(*names: str) -> pd.DataFrame:
    return pd.DataFrame({"event_name": list(names), "kind": "track"})


@pytest.mark.parametrize(
    ("names", "steps"),
    [
        (["PageView", "Added To Cart", "Placed Order"],) * 2,
        (["page_view", "add_to_cart", "purchase"],) * 2,
        (["$pageview", "Product Added", "Order Completed"],) * 2,
        (["[Amplitude] Page Viewed", "Started Checkout", "Order Paid"],) * 2,
        (["Viewed Product", "Placed Order"],) * 2,
        (["PageView", "Viewed Product", "Purchase"], ["PageView", "Purchase"]),
        (["Added To Cart", "Started Checkout"], ["Added To Cart"]),
        (["Order Refunded", "Removed From Cart", "Searched"], []),
        ([], []),
    ],
)
def test_steps_are_found_by_name(names, steps):
    assert suggested_steps(named(*names[::-1])) == list(steps)


def test_of_two_names_the_one_with_the_most_events_is_taken():
    events = named("page_view", "PageView", "PageView", "purchase", "Placed Order")
    assert suggested_steps(events) == ["PageView", "Placed Order"]
    assert suggested_steps(events.iloc[::-1]) == ["PageView", "Placed Order"]


def test_identify_calls_and_missing_names_are_no_steps():
    events = pd.DataFrame(
        {"event_name": ["PageView", None, "Order"], "kind": ["identify", "track", "track"]}
    )
    assert suggested_steps(events) == ["Order"]
    assert suggested_order(events) == "Order"
    assert suggested_order(named("PageView")) is None


def test_the_suggested_funnel_of_a_store_is_counted():
    s = ck.stitch(ck.simulate_store().events)
    steps = suggested_steps(s.events)
    assert steps == ["PageView", "Added To Cart", "Placed Order"]
    assert s.funnel(steps, within="7D").counts["entered"] == 60

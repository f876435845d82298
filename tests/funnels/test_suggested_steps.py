"""The suggested funnel: page, cart, order, by whatever the store calls them."""

from __future__ import annotations

import pandas as pd
import pytest

import convergekit as ck
from convergekit.funnels.suggest import event_counts, suggested


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
        (["[Amplitude] Page Viewed", "Add to basket", "orders/create"],) * 2,
        (["PageView", "Viewed Product", "Purchase"], ["PageView", "Purchase"]),
        # With one of them alone, the most frequent events.
        (["Added To Cart", "Started Checkout"],) * 2,
        (
            ["Order Refunded", "Removed From Cart", "Searched", "Voted"],
            ["Order Refunded", "Removed From Cart", "Searched"],
        ),
        ([], []),
    ],
)
def test_steps_are_found_by_name(names, steps):
    assert list(suggested(event_counts(named(*names[::-1]))).steps) == steps


def test_of_two_names_the_one_with_the_most_events_is_taken():
    events = named("page_view", "PageView", "PageView", "purchase", "Placed Order")
    for rows in (events, events.iloc[::-1]):
        assert suggested(event_counts(rows)).steps == ("PageView", "Placed Order")


def test_identify_calls_and_missing_names_are_no_steps():
    events = pd.DataFrame(
        {"event_name": ["PageView", None, "Order"], "kind": ["identify", "track", "track"]}
    )
    assert suggested(event_counts(events)).steps == ("Order",)
    assert suggested(event_counts(events)).order == "Order"
    assert suggested(event_counts(named("PageView"))).order is None


def test_the_suggested_funnel_of_a_store_is_counted():
    s = ck.stitch(ck.simulate_store().events)
    steps = list(suggested(event_counts(s.events)).steps)
    assert steps == ["PageView", "Added To Cart", "Placed Order"]
    assert s.funnel(steps, within="7D").counts["entered"] == 60

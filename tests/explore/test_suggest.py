"""The funnel that the names of events suggest, for the names of many tools."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.funnels.suggest import suggested
from tests.effort import tries


def counts(*names):
    """The names, the first the most frequent."""
    return pd.Series(range(len(names) + 5, 5, -1), index=list(names), dtype="int64")


@pytest.mark.parametrize(
    ("tool", "names", "steps"),
    [
        (
            "Converge",
            ["PageView", "Viewed Product", "Added To Cart", "Started Checkout", "Placed Order"],
            ["PageView", "Added To Cart", "Placed Order"],
        ),
        (
            "Google Analytics 4",
            [
                *("page_view", "session_start", "view_item", "scroll", "add_to_cart"),
                *("begin_checkout", "purchase"),
            ],
            ["page_view", "add_to_cart", "purchase"],
        ),
        (
            "Segment, without pages",
            ["Product Viewed", "Product Added", "Checkout Started", "Order Completed"],
            ["Product Viewed", "Product Added", "Order Completed"],
        ),
        (
            "Shopify",
            [
                *("page_viewed", "product_viewed", "product_added_to_cart", "cart_viewed"),
                *("checkout_started", "checkout_completed"),
            ],
            ["page_viewed", "product_added_to_cart", "checkout_completed"],
        ),
        (
            "PostHog",
            ["$pageview", "$autocapture", "$pageleave", "Product Added", "Order Completed"],
            ["$pageview", "Product Added", "Order Completed"],
        ),
        (
            "Amplitude",
            ["[Amplitude] Page Viewed", "Add to Cart", "Purchase"],
            ["[Amplitude] Page Viewed", "Add to Cart", "Purchase"],
        ),
        (
            "Klaviyo",
            ["Active on Site", "Opened Email", "Viewed Product", "Added to Cart", "Placed Order"],
            ["Active on Site", "Added to Cart", "Placed Order"],
        ),
        (
            "Meta",
            ["PageView", "ViewContent", "AddToCart", "InitiateCheckout", "Purchase"],
            ["PageView", "AddToCart", "Purchase"],
        ),
        (
            "a shop's orders alone, with their checkouts",
            ["Started Checkout", "Placed Order"],
            ["Started Checkout", "Placed Order"],
        ),
        (
            "no cart, but a checkout",
            ["page_view", "begin_checkout", "purchase"],
            ["page_view", "begin_checkout", "purchase"],
        ),
    ],
)
def test_the_names_of_tools_are_known(tool, names, steps):
    found = suggested(counts(*names))
    assert found.steps == tuple(steps), tool
    assert found.said == "Suggested by the names of your events."


def test_of_two_names_for_one_thing_the_most_frequent_is_taken():
    found = suggested(counts("page_view", "Order Completed", "add_to_cart", "purchase"))
    assert found.steps == ("page_view", "add_to_cart", "Order Completed")
    assert found.order == "Order Completed"


@pytest.mark.parametrize(
    "names",
    [["Song Played", "Song Liked", "Song Shared", "Song Skipped"], ["Signed Up"], ["purchase"]],
)
def test_without_a_shop_the_most_frequent_events_are_taken_and_that_is_said(names):
    found = suggested(counts(*names))
    assert found.steps == tuple(names[:3])
    assert "were recognised" in found.said
    assert "most frequent" in found.said


@pytest.mark.parametrize(
    "name",
    ["Removed From Cart", "Order Refunded", "Checkout Abandoned", "purchase_refund", "homepage_ad"],
)
def test_what_only_sounds_like_it_is_not_taken(name):
    found = suggested(counts(name, "page_view", "add_to_cart", "purchase"))
    assert found.steps == ("page_view", "add_to_cart", "purchase")


def test_no_events_suggest_nothing():
    found = suggested(counts())
    assert (found.steps, found.said, found.order, found.page) == ((), "", None, None)


@tries(40)
@given(st.lists(st.text(min_size=1, max_size=15), max_size=8, unique=True))
def test_what_is_suggested_is_of_the_names_each_once(names):
    found = suggested(counts(*names))
    assert set(found.steps) <= set(names)
    assert len(set(found.steps)) == len(found.steps) <= 3
    assert bool(found.steps) == bool(names)


def test_the_explorer_opens_with_it_and_says_so():
    s = ck.stitch(ck.simulate_store().events)
    explorer = s.explore()
    steps = ["PageView", "Added To Cart", "Placed Order"]
    expected = s.funnel(steps, within="7D")
    pd.testing.assert_frame_equal(explorer.funnel.result.table, expected.table)
    # The figure, and the table of it.
    assert len(explorer.funnel.figure.outputs) == 2
    assert "Suggested by the names" in explorer.funnel.status.value


def test_events_that_are_not_known_are_shown_all_the_same():
    events = pd.DataFrame(
        {
            "event_name": ["Played", "Played", "<b>Liked</b>"],
            "timestamp": ["2026-03-02", "2026-03-03", "2026-03-04"],
            "alias.email": "ada@example.com",
        }
    )
    funnel = ck.stitch(events).explore().funnel
    assert funnel.result.steps == ["Played", "<b>Liked</b>"]
    assert "most frequent events" in funnel.status.value
    assert "<b>Liked" not in funnel.table.value + funnel.code.value

"""The shop's own pages: by weight, or by being told."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.visits.traffic import pages_and_referrers, sent_traffic
from tests.visits.reference_own_pages import reference

INSTAGRAM = "https://www.instagram.com/"


def events(*rows):
    """Return events, a minute after another, of (name, cookie, address, referrer[, property])."""
    found = []
    for name, cookie, url, referrer, *more in rows:
        page = more[0] if more else "$url"
        found.append(
            {
                "event_name": name,
                "alias.cookie": cookie,
                f"properties.{page}": url,
                "properties.$referrer": referrer,
            }
        )
    frame = pd.DataFrame(found)
    frame["timestamp"] = pd.date_range("2026-03-02T10:00Z", periods=len(found), freq="1min")
    return frame


def of(frame, cookie="a"):
    """Return the channel of the first visit of a cookie."""
    s = ck.stitch(frame)
    who = s.aliases.set_index("alias_value").loc[cookie, "profile_id"]
    table = s.sessions()
    return table.loc[table["profile_id"] == who, "channel"].iloc[0]


VISIT = ("PageView", "a", "https://shop.test/", INSTAGRAM)


@pytest.mark.parametrize("name", ["Link Clicked", "Video Played", "Email Clicked", "Shared"])
@pytest.mark.parametrize("times", [1, 20])
def test_an_address_that_somebody_clicked_is_nobodys_page(name, times):
    clicks = [(name, "b", INSTAGRAM + "shop", None, "url")] * times
    assert of(events(VISIT, *clicks)) == "Organic Social"
    assert ck.stitch(events(VISIT, *clicks)).report.own_pages.startswith("shop.test (100 %")


def test_a_single_page_view_elsewhere_makes_nothing_own():
    frame = events(
        VISIT, VISIT, ("PageView", "b", INSTAGRAM, None), ("page", "c", "https://x.test/", None)
    )
    assert of(frame) == "Organic Social"
    assert ck.stitch(frame).report.own_pages == "shop.test (50 % of page views)"


def test_a_plain_url_is_a_page_where_the_names_or_the_data_say_so():
    # Named as a page view, in any spelling.
    for name in ("PageView", "page_view", "$pageview", "Page Viewed", "Viewed Home Page"):
        frame = events((name, "a", "https://shop.test/?utm_source=news", None, "url"))
        assert sent_traffic(frame)["utm_source"].distinct.tolist() == ["news"], name
    # Another name, whose addresses are all of the shop's.
    frame = events(VISIT, ("Viewed Tea", "b", "https://shop.test/tea?utm_source=news", None, "url"))
    assert sent_traffic(frame)["utm_source"].distinct.tolist() == ["news"]
    # One of two links leads elsewhere: links, not pages.
    frame = events(
        VISIT,
        ("Clicked", "b", "https://shop.test/tea?utm_source=news", None, "url"),
        ("Clicked", "b", "https://other.test/", None, "url"),
    )
    assert sent_traffic(frame)["utm_source"].distinct.tolist() == []


OWN = [("PageView", "z", "https://www.shop.test/", None)] * 9


@pytest.mark.parametrize(
    ("page", "referrer"),
    [
        ("https://www.shop.test/", "https://blog.shop.test/"),
        ("https://shop.test/", "HTTPS://WWW.SHOP.TEST/"),
        ("https://shop.test/", "https://shop.test./"),
        ("https://shop.test:8443/", "https://shop.test/"),
        ("/pricing", "https://shop.test/"),
        ("https://other.test/", "https://cdn.other.test/"),
        ("https://[2001:db8::1]/a", "https://[2001:db8::1]:443/"),
        ("https://tea.co.uk/", "https://www.tea.co.uk/"),
    ],
)
def test_a_link_from_an_own_page_is_not_an_arrival(page, referrer):
    assert of(events(("PageView", "a", page, referrer), *OWN)) == "Direct"


@pytest.mark.parametrize(
    ("page", "referrer"),
    [
        ("https://tea.co.uk/", "https://coffee.co.uk/"),
        ("https://a.myshopify.com/", "https://b.myshopify.com/"),
        ("https://[2001:db8::1]/", "https://[2001:db8::2]/"),
        ("https://shop.test/", "https://shop.test.other.example/"),
        ("https://shop.test/", "https://myshop.test/"),
        ("/pricing", "https://other.test/"),
    ],
)
def test_a_link_from_a_neighbour_is_a_referral(page, referrer):
    assert of(events(("PageView", "a", page, referrer), *OWN)) == "Referral"


def test_sites_are_own_by_weight_and_the_report_says_which():
    rows = [("PageView", "z", "https://shop.de/", None)] * 80
    rows += [("PageView", "y", "https://www.shop.fr/", None)] * 15
    rows += [("PageView", "x", "https://mirror.test/", None)] * 5
    rows += [("PageView", "w", INSTAGRAM, None)] * 20
    rows += [("PageView", "v", "https://rare.test/", None)] * 2
    frame = events(("PageView", "a", "https://shop.de/", "https://shop.fr/"), *rows)
    assert of(frame) == "Direct"
    assert ck.stitch(frame).report.own_pages == (
        "shop.de (66 % of page views), shop.fr (12 % of page views)"
    )
    assert "own pages: shop.de (66 %" in str(ck.stitch(frame).report)


def test_own_sites_can_be_told():
    frame = events(
        ("PageView", "a", "/tea", "https://shop.test/"),
        ("PageView", "b", "/tea", "https://blog.test/"),
    )
    assert sent_traffic(frame)["referrer"].codes.tolist() == [0, 1]
    for told in (["shop.test"], ["www.shop.test"], ["https://shop.test/"]):
        assert sent_traffic(frame, told)["referrer"].codes[0] == -1
    frame = events(("PageView", "a", "https://shop.test/", "https://blog.shop.test/"), *OWN)
    # Told, nothing is learned; a page is still reached from its own site.
    assert sent_traffic(frame, ["other.test"])["referrer"].codes.tolist()[0] == -1
    # A name that no public suffix ends is a domain where it is called one.
    frame = events(("PageView", "a", "http://shop.local/", "http://blog.shop.local/"))
    assert sent_traffic(frame, ["shop.local", "localhost"])["referrer"].codes.tolist() == [-1]
    for told in ("shop.test", ["not a domain"], ["shop"], [""], [3]):
        with pytest.raises(ck.ConvergekitError, match="own_domains"):
            sent_traffic(frame, told)


def test_pages_without_a_host_learn_the_own_site_from_most_referrers():
    rows = [("PageView", "z", "/tea", "https://shop.test/")] * 3
    assert of(events(("PageView", "a", "/", "https://blog.test/"), *rows)) == "Referral"
    assert of(events(("PageView", "a", "/tea", "https://shop.test/"), *rows)) == "Direct"
    report = ck.stitch(events(*rows)).report
    assert report.own_pages == "shop.test (100 % of referrers: pages have no host)"
    # A search engine that sends everybody is not the shop. Of one site alone a page is.
    engine = [("PageView", "z", "/tea", "https://www.google.com/")] * 9
    assert of(events(*engine), "z") == "Organic Search"
    assert of(events(rows[0]), "z") == "Direct"
    halves = events(rows[0], ("PageView", "a", "/tea", "https://blog.test/"))
    assert [of(halves, who) for who in "za"] == ["Referral", "Referral"]


def test_who_returns_from_a_payment_or_sign_in_has_not_arrived():
    pages = [
        "https://www.paypal.com/checkoutnow",
        "https://pay.klarna.com/",
        "https://checkout.stripe.com/c/pay",
        "https://checkoutshopper-live.adyen.com/",
        "https://www.mollie.com/checkout",
        "https://accounts.google.com/",
        "https://appleid.apple.com/auth",
        "https://centinelapi.cardinalcommerce.com/",
        "https://pay.shopify.com/",
    ]
    for page in pages:
        assert of(events(("PageView", "a", "https://shop.test/", page), *OWN)) == "Direct", page
    frame = events(("PageView", "a", "https://shop.test/", pages[0]), *OWN)
    assert sent_traffic(frame, ignore_referrers=())["referrer"].distinct.tolist() == ["paypal.com"]
    mine = [*ck.IGNORED_REFERRERS, "bank.test"]
    frame = events(("PageView", "a", "https://shop.test/", "https://3ds.bank.test/"), *OWN)
    assert of(frame) == "Referral"
    assert sent_traffic(frame, ignore_referrers=mine)["referrer"].codes.tolist()[0] == -1


def test_the_visit_before_a_payment_keeps_the_order():
    frame = events(
        ("PageView", "a", "https://shop.test/?utm_source=google&utm_medium=cpc", None),
        ("PageView", "a", "https://shop.test/thanks", "https://www.paypal.com/"),
        ("Placed Order", "a", None, None),
    )
    frame["timestamp"] += pd.to_timedelta([0, 40, 40], unit="min")
    found = ck.stitch(frame).attribution("Placed Order", model="last_non_direct")
    assert found.comparison.loc[0, "channel"] == "Paid Search"


def test_rows_may_come_in_any_order():
    rows = [
        VISIT,
        *OWN,
        ("Link Clicked", "b", INSTAGRAM, None, "url"),
        ("PageView", "c", "/x", INSTAGRAM),
    ]
    frame = events(*rows)
    back = frame.iloc[::-1]
    for name, sent in sent_traffic(frame).items():
        there = sent.take(pd.RangeIndex(len(frame)).to_numpy()).tolist()
        again = sent_traffic(back)[name].take(pd.RangeIndex(len(frame)).to_numpy()).tolist()
        assert pd.Series(there).equals(pd.Series(again[::-1])), name


SITES = [
    *("https://shop.test/tea", "https://www.shop.test/", "https://blog.shop.test/"),
    *("https://other.test/", "https://www.instagram.com/", "/tea", None),
]
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["PageView", "Link Clicked", "Viewed Tea"]),
        st.sampled_from(SITES),
        st.sampled_from(SITES),
        st.sampled_from([*SITES, "https://www.paypal.com/", "https://www.google.com/"]),
    ),
    min_size=1,
    max_size=30,
)


@given(ROWS, st.sets(st.sampled_from(["$url", "url"])))
def test_own_pages_and_arrivals_are_those_found_one_event_at_a_time(rows, sent):
    rows = [
        (name, page if "$url" in sent else None, plain if "url" in sent else None, referrer)
        for name, page, plain, referrer in rows
    ]
    names = ["event_name", "properties.$url", "properties.url", "properties.$referrer"]
    frame = pd.DataFrame(rows, columns=names, dtype="str")
    own, pages, arrived = reference(rows)
    found, _ = pages_and_referrers(frame)
    every = pd.RangeIndex(len(rows)).to_numpy()
    assert set(found.own) == own
    assert [None if pd.isna(page) else page for page in found.shown.take(every)] == pages
    referrers = sent_traffic(frame)["referrer"].take(every)
    assert [None if pd.isna(one) else one for one in referrers] == arrived

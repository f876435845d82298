"""Addresses: hosts, parameters and registrable domains."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck

PAGE = {"event_name": "PageView", "alias.cookie": "a"}


def visit(url, referrer=None, **sent):
    """Return the row of `sessions` of one page view among others of the shop."""
    others = [{"properties.$url": "https://www.shop.test/", "alias.cookie": "z"}] * 9
    rows = [{"properties.$url": url, "properties.$referrer": referrer, **sent}, *others]
    frame = pd.DataFrame([{**PAGE, **row} for row in rows])
    frame["timestamp"] = pd.date_range("2026-03-02T10:00Z", periods=len(rows), freq="1min")
    table = ck.stitch(frame).sessions()
    (row,) = table[table["row"] == 0].to_dict("records")
    return {name: None if pd.isna(value) else value for name, value in row.items()}


@pytest.mark.parametrize(
    ("referrer", "host"),
    [
        # Without a scheme, or without a page.
        ("www.google.com", "google.com"),
        ("google.com", "google.com"),
        ("//www.google.com/", "google.com"),
        ("news.test/a?b", "news.test"),
        ("NEWS.TEST:8443", "news.test"),
        # Letters, dots, ports, users.
        ("HTTPS://WWW.NEWS.TEST/", "news.test"),
        ("https://news.test./", "news.test"),
        ("https://ada:secret@news.test:8080/a", "news.test"),
        ("https://[2001:DB8::7]:8080/a", "2001:db8::7"),
        ("http://192.0.2.7:3000/", "192.0.2.7"),
        ("https://bücher.test/", "xn--bcher-kva.test"),
        ("https://XN--Bcher-KVA.test/", "xn--bcher-kva.test"),
        ("android-app://com.example.news/https/news.test", "com.example.news"),
        # No hosts.
        ("/pricing", None),
        ("index.html", None),
        ("a friend", None),
        ("friend-123", None),
        ("$direct", None),
        ("about:blank", None),
        ("mailto:ada@news.test", None),
        ("ada@news.test", None),
        ("https://[2001:db8::7/", None),
        ("https://", None),
        ("www.", None),
    ],
)
def test_the_host_of_a_referrer(referrer, host):
    found = visit("https://shop.test/", referrer)
    assert found["referrer"] == host
    assert (found["channel"] == "Direct") == (host is None)


@pytest.mark.parametrize(
    ("rest", "source", "medium"),
    [
        ("?utm_source=google&utm_medium=cpc", "google", "cpc"),
        ("?UTM_SOURCE=google&Utm_Medium=cpc", "google", "cpc"),
        ("?utm_source=google&amp;utm_medium=cpc", "google", "cpc"),
        ("?a=1&amp;amp;utm_source=google&amp;amp;utm_medium=cpc", "google", "cpc"),
        ("#utm_source=google&utm_medium=cpc", "google", "cpc"),
        ("#/tea?utm_source=google&utm_medium=cpc", "google", "cpc"),
        # The fragment counts if the query has nothing to say, and only then.
        ("?page=2#utm_source=google&utm_medium=cpc", "google", "cpc"),
        ("?utm_source=news#utm_source=google&utm_medium=cpc", "news", None),
        # What another parameter holds is its own.
        ("?next=https://other.test/?utm_source=foo", None, None),
        ("?next=https%3A%2F%2Fother.test%2F%3Futm_source%3Dfoo%26utm_medium%3Dx", None, None),
        ("?my_utm_source=foo&utm_source_x=y", None, None),
        # Repeated, empty, unfilled.
        ("?utm_source=a&utm_source=b", "a", None),
        ("?utm_source=&utm_source=b", "b", None),
        ("?utm_source=undefined&utm_source=b", "b", None),
        ("?utm_source=a;utm_medium=b", "a;utm_medium=b", None),
        ("?utm_source=two%20words&utm_medium=a+b", "two words", "a b"),
        ("?utm_source=caf%C3%A9", "café", None),
        ("?utm_source", None, None),
        ("/utm_source=google/?x=1", None, None),
    ],
)
def test_the_parameters_of_an_address(rest, source, medium):
    found = visit(f"https://shop.test/{rest}")
    assert (found["utm_source"], found["utm_medium"]) == (source, medium)


@pytest.mark.parametrize(
    ("rest", "click_id", "channel"),
    [
        ("?gclid=x", "gclid", "Paid Search"),
        ("?GCLID=" + "Ab_-" * 20, "gclid", "Paid Search"),
        ("#gclid=x", "gclid", "Paid Search"),
        ("?gad_source=1", "gad_source", "Paid Search"),
        ("?yclid=17", "yclid", "Paid Search"),
        ("?rdt_cid=9", "rdt_cid", "Paid Social"),
        ("?ScCid=9", "sccid", "Paid Social"),
        ("?fbclid=undefined", None, "Direct"),
        ("?next=/a?gclid=x", None, "Direct"),
        ("?fbclid=a&gclid=b", "gclid", "Paid Search"),
    ],
)
def test_click_ids_of_an_address(rest, click_id, channel):
    found = visit(f"https://shop.test/{rest}")
    assert (found["click_id"], found["channel"]) == (click_id, channel)


VALUES = st.text("ab&=?#;/% é+", min_size=1, max_size=6).filter(str.strip)


@given(
    st.dictionaries(st.sampled_from(["utm_source", "utm_medium", "next", "q"]), VALUES),
    st.sampled_from(["?", "#", "?x=1&"]),
    st.sampled_from([str, str.upper]),
)
def test_what_was_written_into_an_address_is_read(tags, before, spelled):
    query = urlencode({spelled(name): value for name, value in tags.items()})
    found = visit(f"https://shop.test/{before}{query}")
    for name in ("utm_source", "utm_medium"):
        assert found[name] == (tags[name].strip() if name in tags else None)


@given(VALUES)
def test_an_address_within_an_address_says_nothing_of_the_visit(value):
    nested = quote(f"https://other.test/?utm_source={value}&gclid=1", safe="")
    found = visit(f"https://shop.test/?next={nested}")
    assert (found["utm_source"], found["click_id"], found["channel"]) == (None, None, "Direct")


@pytest.mark.parametrize(
    "address",
    [
        "https://" + "a." * 100_000 + "test/",
        "a." * 100_000 + "com",
        "https://shop.test/?" + "amp;" * 100_000 + "utm_source=x",
        "https://shop.test/?" + "&".join(["utm_source="] * 50_000),
        "https://" + "é" * 100_000 + ".test/",
        "https://shop.test/?utm_source=%ff%00\x00",
        "https://sh\nop.test/?utm_so\nurce=x",
        "https://\u2100.test/?utm_source=%ED%A0%BD",
        "http://[::1%25eth0]/",
        "https://shop.test:99999/",
        "https://shop.test:port/",
        "//",
        "://",
        "?",
        "#?",
    ],
)
def test_any_address_is_read_soon_and_without_an_error(address):
    assert isinstance(visit(address, address)["channel"], str)


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_text_is_a_page_or_a_referrer(page, referrer):
    visit("https://shop.test/" + page, referrer)
    visit(page or None, "https://" + referrer)

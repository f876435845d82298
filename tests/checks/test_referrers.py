"""The audit of own pages, and of referrers from which people return."""

from __future__ import annotations

import pandas as pd

import convergekit as ck
from tests.visits.test_own_pages import INSTAGRAM, OWN, events


def findings(frame, check):
    table = ck.check_up(frame).findings
    return table[table["check"] == check].to_dict("records")


def test_a_further_site_with_few_pages_is_named():
    rows = [("PageView", "z", "https://www.shop.test/", None)] * 60
    rare = [("PageView", "y", "https://rare.test/", None)] * 2
    (found,) = findings(events(*rows, *rare), "own-pages")
    assert found["what"] == "Pages are of 'shop.test', 'rare.test'; own is 'shop.test'."
    assert "own_domains=['shop.test', 'rare.test']" in found["fix"]
    assert (found["events"], found["rows"]) == (2, [60, 61])
    # One view elsewhere, or none, is nothing to ask about.
    assert findings(events(*rows, rare[0]), "own-pages") == []
    assert findings(events(*rows), "own-pages") == []


def test_pages_without_a_host_are_named_where_there_are_referrers():
    learned = [("PageView", "z", "/tea", "https://shop.test/")] * 3
    (found,) = findings(events(*learned), "own-pages")
    assert found["what"] == (
        "3 events show pages without a host: 'shop.test' is taken from the referrers."
    )
    halves = [("PageView", "z", "/tea", f"https://{name}.test/") for name in ("news", "blog")]
    (found,) = findings(events(*halves), "own-pages")
    assert found["what"] == "2 events show pages without a host."
    assert findings(events(("PageView", "z", "/tea", None)), "own-pages") == []


def test_a_known_site_as_the_heaviest_is_named():
    (found,) = findings(events(*[("PageView", "z", INSTAGRAM, None)] * 3), "own-pages")
    assert found["what"] == "Pages are of 'instagram.com'; own is 'instagram.com'."


def returning(times, arriving=0, site="https://pay.bank.test/"):
    rows = [*OWN]
    for at in range(times):
        rows += [
            ("PageView", f"r{at}", "https://shop.test/cart", None),
            ("PageView", f"r{at}", "https://shop.test/thanks", site),
        ]
    rows += [("PageView", f"n{at}", "https://shop.test/", site) for at in range(arriving)]
    return events(*rows)


def test_a_site_from_which_people_return_is_named():
    (found,) = findings(returning(5, arriving=1), "detour-referrer")
    assert found["what"] == "5 events come from 'pay.bank.test' within an hour of being here."
    assert "[*ck.IGNORED_REFERRERS, 'pay.bank.test']" in found["fix"]
    assert found["events"] == 5
    assert findings(returning(4), "detour-referrer") == []
    assert findings(returning(5, arriving=2), "detour-referrer") == []
    # Ignored already, or a site from which people do arrive.
    assert findings(returning(9, site="https://www.paypal.com/"), "detour-referrer") == []
    assert findings(returning(9, site="https://www.google.com/"), "detour-referrer") == []


def test_a_long_time_away_is_not_a_return():
    frame = returning(5)
    frame["timestamp"] = pd.date_range("2026-03-02", periods=len(frame), freq="2h", tz="UTC")
    assert findings(frame, "detour-referrer") == []


def test_a_referrer_that_is_not_an_address_is_named():
    home = "https://shop.test/"
    words = [
        "a friend",
        "friend-123",
        "https://[::1",
        "/cart",
        "$direct",
        "about:blank",
        "news.test",
    ]
    rows = [("PageView", f"c{at}", home, word) for at, word in enumerate(words)]
    (found,) = findings(events(*rows), "unread-referrer")
    assert (found["events"], found["rows"]) == (3, [0, 1, 2])
    assert found["what"] == "3 events have a referrer that is not an address."
    assert findings(events(*rows[3:]), "unread-referrer") == []


def test_without_addresses_there_is_nothing_to_find():
    frame = events(("PageView", "a", None, None))
    checks = ck.check_up(frame).checks.set_index("check")["result"]
    assert checks[["own-pages", "detour-referrer", "unread-referrer"]].eq("no finding").all()

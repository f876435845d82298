"""Whose a visit is: one browser's, whatever servers and other devices say meanwhile."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck

START = pd.Timestamp("2026-03-02", tz="UTC")
PAGE = "properties.$url"


def stitched(rows, **options):
    """Stitch rows of (minute, event name, what it carries)."""
    frame = pd.DataFrame(
        [
            {"timestamp": START + pd.Timedelta(minutes=minute), "event_name": name, **carried}
            for minute, name, carried in rows
        ]
    )
    return ck.stitch(frame, **options)


def page(path="", cookie="c1", **more):
    return {"alias.cookie": cookie, PAGE: f"https://shop.example/{path}", **more}


def spans(s, **options):
    table = s.sessions(**options)
    minutes = [(table[at] - START) // pd.Timedelta("1min") for at in ("start", "end")]
    return [
        (int(start), int(end), int(events), str(channel))
        for start, end, events, channel in zip(
            *minutes, table["events"], table["channel"], strict=True
        )
    ]


LOGIN = (5, "Signed Up", {"alias.cookie": "c1", "alias.email": "ada@example.com", "source": "web"})
GOOGLE = (55, "PageView", page(source="web", **{"properties.$referrer": "https://www.google.com/"}))


@pytest.mark.parametrize(
    "sent",
    [
        {"source": "crm"},
        {"source": "crm", "properties.utm_source": "klaviyo", "properties.utm_medium": "email"},
        {"source": "web", "properties.utm_source": "klaviyo"},
        {"source": "warehouse", "alias.cookie": "c1"},
        {"source": "shop", "properties.referrer": "https://mail.example/"},
    ],
)
def test_what_a_server_sends_neither_begins_a_visit_nor_keeps_it_alive(sent):
    first = (0, "PageView", page(source="web"))
    letter = (30, "Email Sent", {"alias.email": "ada@example.com", **sent})
    s = stitched([first, LOGIN, letter, GOOGLE])
    assert spans(s) == [(0, 30, 3, "Direct"), (55, 55, 1, "Organic Search")]


def test_an_order_of_the_server_is_of_the_visit_under_way_or_of_none():
    rows = [
        (0, "PageView", page(source="web")), LOGIN,
        (20, "Placed Order", {"alias.email": "ada@example.com", "source": "server"}),
        (90, "Placed Order", {"alias.email": "ada@example.com", "source": "server"}),
    ]  # fmt: skip
    s = stitched(rows)
    assert spans(s) == [(0, 20, 3, "Direct"), (90, 90, 1, "nan")]
    assert s.sessions(conversion="Placed Order")["conversions"].tolist() == [1, 1]


def test_at_one_moment_the_order_is_of_the_visit_whichever_arrived_first():
    order = (5, "Placed Order", {"alias.email": "ada@example.com", "source": "server"})
    known = (0, "Signed Up", page(source="web", **{"alias.email": "ada@example.com"}))
    late = (40, "PageView", page(source="web"))
    order = (40, *order[1:])
    for rows in ([known, order, late], [known, late, order]):
        assert [span[:3] for span in spans(stitched(rows))] == [(0, 0, 1), (40, 40, 2)]


@pytest.mark.parametrize("device", ["cookie", "device_id", "anonymous_id"])
def test_two_devices_at_once_are_two_visits(device):
    rows = [
        (minute, "PageView", {
            "alias.email": "ada@example.com", f"alias.{device}": ("phone", "laptop")[minute % 2],
            PAGE: f"https://shop.example/?utm_source={('meta', 'google')[minute % 2]}",
        })
        for minute in range(6)
    ]  # fmt: skip
    s = stitched(rows)
    assert len(s.profiles) == 1
    assert spans(s) == [(0, 4, 3, "Organic Social"), (1, 5, 3, "Organic Search")]
    assert s.sessions()["number"].tolist() == [1, 2]


def test_two_cookies_on_one_event_are_of_one_browser():
    both = {"aliases": ["urn:cookie:a", "urn:cookie:b"], PAGE: "https://shop.example/"}
    rows = [(0, "PageView", both), (1, "PageView", {**both, "aliases": ["urn:cookie:b"]}),
            (2, "PageView", {**both, "aliases": ["urn:cookie:a"]})]  # fmt: skip
    assert spans(stitched(rows)) == [(0, 2, 3, "Direct")]


def both(*cookies):
    return {
        "aliases": [f"urn:cookie:{cookie}" for cookie in cookies],
        PAGE: "https://shop.example/",
    }


def test_two_cookies_that_meet_are_of_one_browser_only_from_then_on():
    apart = [(0, both("a")), (10, both("b")), (20, both("a")), (25, both("b"))]
    rows = [(minute, "PageView", carried) for minute, carried in apart]
    signed_in = [
        (minute, "Signed Up", {"aliases": [f"urn:cookie:{cookie}", "urn:email:ada@example.com"]})
        for minute, cookie in ((26, "a"), (27, "b"))
    ]
    never_met = stitched([*rows, *signed_in])
    assert spans(never_met) == [(0, 26, 3, "Direct"), (10, 27, 3, "Direct")]
    met = stitched([*rows, (30, "Added To Cart", both("b", "a")), (40, "PageView", both("b"))])
    # What had been two visits stays two; b speaks for a's browser once they have met.
    assert spans(met) == [(0, 40, 4, "Direct"), (10, 25, 2, "Direct")]


MEETINGS = st.lists(
    st.tuples(st.integers(0, 300), st.sets(st.sampled_from("abcd"), min_size=1, max_size=2)),
    min_size=1, max_size=14, unique_by=lambda row: row[0],
)  # fmt: skip


@given(MEETINGS, st.integers(0, 300))
def test_what_comes_later_changes_no_earlier_visit(rows, until):
    known = {"alias.email": "ada@example.com"}
    events = [(minute, "PageView", {**both(*sorted(met)), **known}) for minute, met in sorted(rows)]
    early = [row for row in events if row[0] <= until]
    if not early:
        return
    moment = START + pd.Timedelta(minutes=until)
    whole = stitched(events).sessions()
    begun = whole.loc[whole["start"] <= moment, ["start", "channel"]]
    pd.testing.assert_frame_equal(stitched(early).sessions()[["start", "channel"]], begun)


def test_a_page_view_without_a_cookie_is_of_the_browser_that_spoke_last():
    login = {"alias.email": "ada@example.com"}
    other = {PAGE: "https://shop.example/x", **login}
    rows = [(0, "PageView", page(**login)), (10, "PageView", other), (50, "PageView", other)]
    assert [span[:3] for span in spans(stitched(rows))] == [(0, 10, 2), (50, 50, 1)]


TAGGED = {"alias.cookie": "c1", "properties.utm_source": "google", "properties.utm_medium": "cpc"}


@pytest.mark.parametrize(
    "order", [{}, {"source": "server"}, {"alias.email": "ada@example.com"}, {"source": "shop"}]
)
def test_without_addresses_what_never_sends_tags_is_not_a_visit(order):
    bought = {"alias.cookie": "c1", "properties.total_price": 100.0, **order}
    s = stitched([(0, "PageView", TAGGED), (60, "Placed Order", bought)])
    found = s.attribution("Placed Order", "total_price", ["last_touch", "markov", "shapley"])
    assert found.comparison.values.tolist() == [["Paid Search", 100.0, 100.0, 100.0]]
    assert any("no page's address in any event" in remark for remark in s.report.remarks)


def test_with_addresses_the_report_says_nothing_of_them():
    s = stitched([(0, "PageView", page(**{"properties.utm_source": "google"}))])
    assert not any("no page's address" in remark for remark in s.report.remarks)


def test_a_conversion_that_begins_a_visit_of_its_own_is_a_touchpoint_only_if_alone():
    paid = page("?utm_source=google&utm_medium=cpc")
    bought = page("thanks", **{"properties.total_price": 100.0})
    order = (60, "Placed Order", bought)
    told = (
        60,
        "Placed Order",
        {**bought, PAGE: "https://shop.example/t?utm_source=news&utm_medium=email"},
    )
    # A page view at the moment of the order, which arrived before it, is a visit all the same.
    server = (60, "Placed Order", {**bought, PAGE: None})
    seen = (60, "PageView", page())
    models = ["last_touch", "linear"]
    for rows, expected in (
        (
            [(0, "PageView", paid), server, seen],
            [["Direct", 100.0, 50.0], ["Paid Search", 0.0, 50.0]],
        ),
        ([(0, "PageView", paid), order], [["Paid Search", 100.0, 100.0]]),
        ([order], [["Direct", 100.0, 100.0]]),
        ([(0, "PageView", paid), told], [["Email", 100.0, 50.0], ["Paid Search", 0.0, 50.0]]),
    ):
        found = stitched(rows).attribution("Placed Order", "total_price", models)
        assert found.comparison.values.tolist() == expected


LETTER = (0, "PageView", page("?utm_source=newsletter&utm_medium=email"))


@pytest.mark.parametrize(
    ("second", "channel"),
    [
        (page("?gclid=x"), "Paid Search"),
        (page("?utm_source=newsletter&utm_medium=email&utm_content=footer"), "Email"),
        (page("?utm_source=newsletter&utm_medium=cpc"), "Paid Other"),
        (page(**{"properties.$referrer": "https://coupons.example.org/"}), "Referral"),
    ],
)
def test_another_campaign_click_or_site_begins_a_visit_and_the_preset_decides(second, channel):
    s = stitched([LETTER, (10, "PageView", second)])
    assert spans(s) == [(0, 0, 1, "Email"), (10, 10, 1, channel)]
    assert spans(s, visits="ga4") == [(0, 10, 2, "Email")]
    assert spans(s, visits="universal") == spans(s)
    split = {"matomo": channel != "Referral", "converge": channel in ("Paid Search", "Referral")}
    for preset, is_split in split.items():
        assert len(spans(s, visits=preset)) == 1 + is_split, preset


def test_another_click_on_a_google_ad_begins_a_visit_in_universal_analytics_alone():
    one, other = "Cj0KCQiA" + "a" * 40, "Cj0KCQiA" + "b" * 40
    s = stitched(
        [
            (0, "PageView", page(f"?gclid={one}")),
            (5, "PageView", page("")),
            (10, "PageView", page(f"?GCLID={one}")),
            (15, "PageView", page(f"?gclid={other}")),
            (20, "PageView", page("?gclid=undefined")),
            (25, "PageView", page("", **{"properties.gclid": one})),
        ]
    )
    for preset in ("convergekit", "ga4", "converge", "matomo"):
        assert [row[:3] for row in spans(s, visits=preset)] == [(0, 25, 6)], preset
    split = [(0, 10, 3), (15, 20, 2), (25, 25, 1)]
    assert [row[:3] for row in spans(s, visits="universal")] == split
    assert [row[:3] for row in spans(s, visits=ck.VisitRules(new_on=["gclid"]))] == split
    # A shop without ads has visits all the same.
    assert len(spans(stitched([(0, "PageView", page(""))]), visits="universal")) == 1


def test_converge_waits_for_an_hour_and_midnight_is_the_shops():
    s = stitched([(0, "PageView", page()), (50, "PageView", page())], calendar="Europe/Brussels")
    assert [len(spans(s, visits=v)) for v in ("converge", "convergekit")] == [1, 2]
    # 22:50 and 23:10 in UTC are before and after midnight in Brussels, in winter.
    night = stitched([(1370, "PageView", page()), (1390, "PageView", page())])
    shop = stitched([(1370, "PageView", page()), (1390, "PageView", page())],
                    calendar="Europe/Brussels")  # fmt: skip
    for preset, expected in (("universal", [1, 2]), ("matomo", [1, 2]), ("ga4", [1, 1])):
        assert [len(spans(s, visits=preset)) for s in (night, shop)] == expected


def test_every_question_takes_the_same_visits():
    s = stitched(
        [
            (0, "PageView", page("?utm_source=news")),
            (10, "PageView", page("?utm_source=google")),
            (40, "Placed Order", page("thanks", **{"properties.total_price": 10.0})),
        ]
    )
    steps = ["PageView", "Placed Order"]
    entered = {
        visits: s.funnel(steps, count="visits", visits=visits).table["profiles"].tolist()
        for visits in ("convergekit", "ga4", "converge")
    }
    assert entered == {"convergekit": [2, 1], "ga4": [1, 1], "converge": [2, 1]}
    at = {"event": "Placed Order", "freq": "D", "by": "utm_source"}
    assert s.counts(**at)["utm_source"].tolist() == ["google"]
    assert s.counts(**at, visits="ga4")["utm_source"].tolist() == ["news"]
    kept = s.retention(returns="Placed Order", freq="D", by="utm_source", visits="ga4").table
    assert kept["utm_source"].tolist() == ["news"]
    credit = s.attribution("Placed Order", by="utm_source", visits="ga4").comparison
    assert credit["utm_source"].tolist() == ["news"]
    lift = s.attribution_lift("Placed Order", by="utm_source", visits="ga4").table
    assert set(lift["utm_source"]) == {"news"}


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda s: s.sessions(visits="ga5"), "visits must be one of.*got 'ga5'"),
        (lambda s: s.sessions(visits=3), "visits must be a preset.*got 3"),
        (lambda s: s.sessions(visits=ck.VisitRules(timeout="0s")), "a positive duration"),
        (lambda s: s.funnel(["PageView"], within="1D", visits="ga4"), "does not ask"),
    ],
)
def test_what_cannot_be_is_said(ask, said):
    with pytest.raises(ck.ConvergekitError, match=said):
        ask(stitched([(0, "PageView", page())]))


KINDS = {
    "page": lambda who: {"alias.cookie": who, PAGE: "https://shop.example/", "source": "web"},
    "cart": lambda who: {"alias.cookie": who, "source": "web"},
    "server": lambda who: {"alias.email": "ada@example.com", "source": "server"},
    "server knows": lambda who: {"alias.cookie": who, "source": "server"},
}
EVENTS = st.lists(
    st.tuples(st.integers(0, 150), st.sampled_from("ab"), st.sampled_from(list(KINDS))),
    min_size=1, max_size=20, unique_by=lambda row: row[0],
)  # fmt: skip


def slow_sessions(rows, timeout):
    """Return (start, end, events, is a visit) of each session, one event at a time."""
    found = []
    latest = {}
    telephone = None
    for minute, who, kind in sorted(rows):
        alive = [visit for visit in latest.values() if minute - visit["spoke"] <= timeout]
        own = latest.get(who) if latest.get(who) in alive else None
        if kind == "page" and own is None:
            own = latest[who] = {"start": minute, "events": 0, "visit": True}
            found.append(own)
        if kind in ("page", "cart") and own is not None:
            own["spoke"] = minute
        else:
            latest_of_any = max(alive, key=lambda visit: visit["spoke"], default=None)
            own = (own if kind != "server" else None) or latest_of_any
            if own is None:
                if telephone is None or minute - telephone["end"] > timeout:
                    telephone = {"start": minute, "events": 0, "visit": False}
                    found.append(telephone)
                own = telephone
        own["events"] += 1
        own["end"] = minute
    return sorted((f["start"], f["end"], f["events"], f["visit"]) for f in found)


@given(EVENTS, st.sampled_from([5, 30]))
def test_sessions_of_browsers_are_those_found_one_event_at_a_time(rows, timeout):
    # One person, whose two browsers show a page and sign in before all the rest.
    known = [
        (-1000, "PageView", {**KINDS["page"](who), "alias.email": "ada@example.com"})
        for who in "ab"
    ]
    s = stitched([*known, *((minute, kind, KINDS[kind](who)) for minute, who, kind in rows)])
    table = s.sessions(f"{timeout}min").iloc[2:]
    minutes = [(table[at] - START) // pd.Timedelta("1min") for at in ("start", "end")]
    found = sorted(zip(*minutes, table["events"], table["channel"].notna(), strict=True))
    assert found == slow_sessions(rows, timeout)


def test_touchpoints_are_in_the_order_in_which_visits_say_where_they_are_from():
    known = {"alias.email": "ada@example.com", "source": "web"}
    s = stitched(
        [
            (0, "PageView", {**page("", "a"), **known}),
            (5, "PageView", {**page("?utm_source=google&utm_medium=cpc", "b"), **known}),
            (10, "PageView", {**page("?utm_source=news&utm_medium=email", "a"), **known}),
            (12, "Placed Order", {**known, "source": "server", "properties.total_price": 9.0}),
        ]
    )
    models = ["first_touch", "last_touch"]
    found = s.attribution("Placed Order", "total_price", models, visits="ga4")
    credit = found.comparison.set_index("channel").T.to_dict("list")
    assert credit == {"Paid Search": [9.0, 0.0], "Email": [0.0, 9.0]}


def test_a_checkout_with_a_cookie_of_its_own_is_of_the_visit_that_led_there():
    known = {"alias.email": "ada@example.com"}
    s = stitched(
        [
            (0, "PageView", page("?utm_source=google", **known)),
            (9, "Started Checkout", {"alias.cookie": "other", **known}),
            (12, "Placed Order", {"source": "server", **known}),
        ]
    )
    assert spans(s) == [(0, 12, 3, "Organic Search")]

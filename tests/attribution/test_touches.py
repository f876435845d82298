"""Which visits are touchpoints: paid ones, those without the brand, without repeats, by days."""

from __future__ import annotations

import pandas as pd
import pytest

import convergekit as ck

START = pd.Timestamp("2026-03-02", tz="UTC")
PAID = "?utm_source=google&utm_medium=cpc"
LINKS = {
    "brand": f"{PAID}&utm_campaign=ACME+shoes",
    "term": f"{PAID}&utm_campaign=all&utm_term=acme+shop",
    "generic": f"{PAID}&utm_campaign=shoes",
    "letter": "?utm_source=news&utm_medium=email&utm_campaign=march",
    "direct": "",
    "display": "?utm_source=partner&utm_medium=display&utm_campaign=spring",
}


def bought(*visits, order=10.0, **options):
    """Stitch a person's visits, (day, link) each, and an order on a day."""
    rows = [
        {
            "day": day,
            "event_name": "PageView",
            "properties.$url": f"https://shop.test/{LINKS[link]}",
        }
        for day, link in visits
    ]
    rows.append({"day": order, "event_name": "Placed Order", "properties.total_price": 60.0})
    frame = pd.DataFrame(rows).assign(**{"alias.cookie": "c"})
    frame["timestamp"] = START + pd.to_timedelta(frame.pop("day"), unit="D")
    return ck.stitch(frame, **options)


def credit(s, *models, by="channel", **options):
    found = s.attribution("Placed Order", "total_price", list(models), by=by, **options)
    table = found.comparison.set_index(by)
    assert (table.sum() == 60.0).all()
    return {name: row.tolist() for name, row in table.iterrows() if row.any()}


JOURNEY = [(1, "display"), (2, "letter"), (3, "generic"), (4, "brand"), (5, "term"), (6, "direct")]
ENDS = ("first_touch", "last_touch")


def test_paid_touches_are_of_channels_that_are_paid_for():
    s = bought(*JOURNEY)
    assert credit(s, *ENDS) == {"Display": [60, 0], "Direct": [0, 60]}
    assert credit(s, *ENDS, touches="paid") == {"Display": [60, 0], "Paid Search": [0, 60]}
    assert credit(bought((1, "letter")), *ENDS, touches="paid") == {"(none)": [60, 60]}


def test_touches_that_looked_for_the_brand_do_not_count():
    found = credit(
        bought(*JOURNEY), *ENDS, by="utm_campaign", touches="non_brand", brand=".*acme.*"
    )
    assert found == {"spring": [60, 0], "shoes": [0, 60]}


def test_repeats_in_a_row_are_one_touchpoint_the_last():
    s = bought((1, "letter"), (2, "letter"), (3, "direct"), (4, "letter"), (5, "letter"))
    assert credit(s, "linear") == {"Email": [48], "Direct": [12]}
    assert credit(s, "linear", repeats="collapse") == {"Email": [40], "Direct": [20]}
    days = s.attribution("Placed Order", repeats="collapse", model="linear").credits["age"].dt.days
    assert days.tolist() == [8, 7, 5]


def test_collapsing_changes_neither_the_first_nor_the_last_label():
    s = bought(*JOURNEY, (7, "direct"))
    assert credit(s, *ENDS, repeats="collapse") == credit(s, *ENDS)


@pytest.mark.parametrize(
    ("day", "zone", "elapsed", "whole"),
    [
        # The order is at 02:24 UTC on 12 March: on the 11th in Los Angeles.
        (3 + 1 / 24, "UTC", False, True),
        (2 + 23 / 24, "UTC", False, False),
        (2 + 23 / 24, "America/Los_Angeles", False, True),
        (2 + 9 / 24, "America/Los_Angeles", False, True),
        (2 + 7 / 24, "America/Los_Angeles", False, False),
        (3.2, "UTC", True, True),
    ],
)
def test_whole_days_begin_at_the_shops_midnight(day, zone, elapsed, whole):
    s = bought((day, "letter"), order=10.1, calendar=zone)
    for options, counts in (({}, elapsed), ({"whole_days": True}, whole)):
        found = credit(s, "last_touch", lookback="7D", **options)
        assert found == {"Email" if counts else "(none)": [60]}, options


def test_an_ad_that_was_shown_is_not_a_visit():
    paid = {"properties.utm_medium": "cpc"}
    rows = [
        {"event_name": "PageView", "properties.$url": "https://shop.test/"},
        {"event_name": "ad_impression", "properties.utm_source": "meta", **paid},
        {"event_name": "Banner Shown", "properties.utm_source": "net", **paid},
        {"event_name": "Placed Order", "properties.total_price": 60.0},
    ]
    frame = pd.DataFrame(rows).assign(**{"alias.cookie": "c"})
    frame["timestamp"] = [START + pd.Timedelta(hours=hour) for hour in (0, 3, 6, 9)]
    s = ck.stitch(frame)
    assert credit(s, "last_touch") == {"Paid Other": [60]}
    told = ck.VisitRules(impressions=["banner shown", "Ad Impression"])
    assert credit(s, "last_touch", visits=told) == {"Direct": [60]}
    assert credit(s, "last_touch", visits=ck.VisitRules(impressions=["Banner Shown"])) == {
        "Paid Social": [60]
    }


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"touches": "organic"}, "touches must be one of"),
        ({"touches": "non_brand"}, "needs brand="),
        ({"brand": "acme"}, "needs brand="),
        ({"touches": "non_brand", "brand": "("}, "not a regular expression|unterminated|missing"),
        ({"repeats": "drop"}, "repeats must be one of"),
        ({"whole_days": True, "lookback": "36h"}, "whole days"),
    ],
)
def test_what_cannot_be_is_said(options, said):
    with pytest.raises(ck.ConvergekitError, match=said):
        bought((1, "letter")).attribution("Placed Order", **options)

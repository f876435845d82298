"""A visit is of the same platform, whichever question asks."""

from __future__ import annotations

import pandas as pd
import pytest

import convergekit as ck

SPELLED = {
    "YouTube Ads": "google_ads",
    "www.facebook.com": "meta",
    "fb_paid": "meta",
    "audience-network": "meta",
    "tt": "tiktok",
    "MSN": "microsoft",
    "pinterest.com": "pinterest",
}


@pytest.mark.parametrize("source", SPELLED)
def test_a_source_is_of_one_platform_in_every_question(source):
    day = pd.Timestamp("2026-03-02T10:00Z")
    events = pd.DataFrame(
        {
            "event_name": ["PageView", "Placed Order"],
            "timestamp": [day, day + pd.Timedelta("10min")],
            "source": ["browser", "browser"],
            "alias.cookie": ["c", "c"],
            "properties.url": [f"https://shop.example/?utm_source={source}&utm_medium=cpc", None],
            "properties.total_price": [None, 20.0],
        }
    )
    s = ck.stitch(events)
    spend = ck.read_spend(pd.DataFrame({
        "date": ["2026-03-02"], "platform": [source], "spend": [5.0], "conversions": [1.0],
    }))  # fmt: skip
    assert spend.table["platform"].tolist() == [SPELLED[source]]
    groups = s.marketing(spend, by="platform").groups
    assert groups.set_index("platform")["orders"].get(SPELLED[source]) == 1
    patterns = s.reconcile(spend).patterns
    assert patterns.set_index("eligible")["orders"].get(SPELLED[source]) == 1

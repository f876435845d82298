"""A small store as rows: clicks on ads, and orders."""

from __future__ import annotations

import pandas as pd

import convergekit as ck

START = pd.Timestamp("2026-03-02", tz="UTC")
HOUR = pd.Timedelta("1h")
CLICK = {"google_ads": "gclid", "meta": "fbclid", "tiktok": "ttclid"}
CLICK |= {"microsoft": "msclkid", "pinterest": "epik"}


def click(hour, who, query, **more):
    return {
        "timestamp": START + hour * HOUR,
        "event_name": "PageView",
        "source": "web",
        "alias.cookie": f"c-{who}",
        "alias.email": f"{who}@example.com",
        "properties.$url": f"https://shop.example/tea?{query}",
        **more,
    }


def order(hour, who, total=10.0, **more):
    return {
        "timestamp": START + hour * HOUR,
        "event_name": "Placed Order",
        "source": "server",
        "alias.email": None if who is None else f"{who}@example.com",
        "properties.total_price": total,
        **more,
    }


def stitched(*rows, **options):
    return ck.stitch(pd.DataFrame(list(rows)), **options)


def claims(rows, **columns):
    """Return spend of rows (day, platform, conversions, value)."""
    table = pd.DataFrame(rows, columns=["date", "platform", "conversions", "value"])
    table["date"] = pd.Timestamp("2026-03-02") + pd.to_timedelta(table["date"], unit="D")
    return table.assign(**columns)

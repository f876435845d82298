"""Small shops whose marketing can be added up by hand."""

from __future__ import annotations

import pandas as pd

import convergekit as ck

TAGS = {
    "brand": ("google", "cpc", "brand"),
    "spring": ("meta", "paid_social", "spring"),
    "mail": ("newsletter", "email", "offer"),
    "bare": (None, None, None),
}


def shop(rows, **columns):
    """Stitch rows of ("ann", "03-02 10:00", "view", "brand"): who, when, what, and tags or amount.

    What is a ``view`` with the tags of a name (any other is a campaign of Google's), an ``order``
    or a ``refund`` of an amount, or the name of another event.
    """
    names = {"view": "PageView", "order": "Placed Order", "refund": "Order Refunded"}
    events = []
    for place, (who, when, what, *more) in enumerate(rows):
        event = {
            "event_id": f"e{place}",
            "event_name": names.get(what, what),
            "timestamp": pd.Timestamp(f"2026-{when}", tz="UTC"),
            "alias.cookie": who,
            "properties.total_price": float(more[0]) if what in ("order", "refund") else None,
            "properties.$url": "https://shop.example/" if what == "view" else None,
        }
        tag = more[0] if what == "view" else "bare"
        source = TAGS.get(tag, ("google", "cpc", tag))
        tags = ("utm_source", "utm_medium", "utm_campaign")
        event |= {f"profile_properties.{tag}": text for tag, text in zip(tags, source, strict=True)}
        events.append(event)
    frame = pd.DataFrame(events).astype(
        {f"profile_properties.{tag}": "str" for tag in ("utm_source", "utm_medium", "utm_campaign")}
    )
    return ck.stitch(frame.assign(**columns))


#: Five orders of three customers, in March and April of 2026; the data end in May.
ROWS = [
    ("zed", "03-01 08:00", "view", "bare"),
    ("ann", "03-02 10:00", "view", "brand"),
    ("ann", "03-02 10:05", "Added To Cart"),
    ("ann", "03-02 10:10", "Started Checkout"),
    ("ann", "03-02 10:20", "order", 100),
    ("bob", "03-03 12:00", "view", "spring"),
    ("bob", "03-20 12:00", "view", "bare"),
    ("bob", "03-20 12:10", "order", 60),
    ("dee", "03-28 09:00", "view", "brand"),
    ("ann", "04-02 10:00", "view", "brand"),
    ("ann", "04-02 10:10", "order", 50),
    ("bob", "04-05 12:00", "view", "spring"),
    ("bob", "04-05 12:10", "order", 40),
    ("cem", "04-10 09:00", "order", 25),
    ("zed", "05-01 12:00", "view", "bare"),
]
SPEND = pd.DataFrame(
    [
        ("2026-03-02", "google_ads", "brand", 30.0),
        ("2026-03-03", "google_ads", "brand", 20.0),
        ("2026-03-03", "meta", "Spring", 40.0),
        ("2026-04-01", "google_ads", "brand", 10.0),
        ("2026-04-02", "meta", "Spring", 16.0),
        ("2026-04-04", "tiktok", "dance", 7.0),
    ],
    columns=["date", "platform", "campaign", "spend"],
)

"""A shop of which one thing changes between two periods: visits as numbers, then events.

People have a country, one or two devices, an account or none, and a wish to buy. They come by a
channel, each time anew. The first week is history; then two periods of two weeks follow.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

STEPS = ["PageView", "Added To Cart", "Started Checkout", "Placed Order"]
BEFORE = ("2026-03-09", "2026-03-22")
AFTER = ("2026-03-23", "2026-04-05")
_BEGIN = pd.Timestamp("2026-03-02", tz="UTC").as_unit("us")
#: Days of history, and to the second period.
HISTORY, TURN, DAYS = 7, 21, 35
CHANNELS = {
    "google": ("google", "cpc", 0.28, 1.3),
    "meta": ("meta", "paid_social", 0.25, 0.7),
    "newsletter": ("newsletter", "email", 0.15, 1.8),
    "blog": ("coffee-blog", "referral", 0.07, 1.0),
    "direct": (None, None, 0.25, 1.0),
}
BROWSERS = ["Chrome", "Safari", "Firefox"]
COUNTRIES = {"BE": 0.4, "NL": 0.3, "DE": 0.2, "FR": 0.1}


@dataclass
class Shop:
    """What a cause may change: each a function of the visits, or of the events."""

    people: int = 6000
    seed: int = 0
    visits: list = field(default_factory=list)
    events: list = field(default_factory=list)

    def made(self) -> pd.DataFrame:
        rng = np.random.default_rng([2030, self.seed])
        own = np.random.default_rng([2031, self.seed])
        table = _visits(rng, self.people)
        for change in self.visits:
            table = change(own, table)
        frame = _events(rng, table.sort_values("begin", ignore_index=True))
        for change in self.events:
            frame = change(own, frame)
        return frame.sort_values("timestamp", kind="stable", ignore_index=True)


def _visits(rng, people) -> pd.DataFrame:
    """Return a row per visit, with the odds of each step that a cause may change."""
    wish = rng.gamma(4.0, 0.25, people)
    country = rng.choice(list(COUNTRIES), p=list(COUNTRIES.values()), size=people)
    account = rng.random(people) < 0.35
    two = rng.random(people) < 0.4
    mobile = rng.random(people) < 0.55
    many = 1 + rng.poisson(0.7, people)
    person = np.repeat(np.arange(people), many)
    size = len(person)
    second = two[person] & (rng.random(size) < 0.5)
    names, weights = list(CHANNELS), np.array([c[2] for c in CHANNELS.values()])
    channel = np.array(names, dtype=object)[rng.choice(len(names), p=weights, size=size)]
    day = rng.random(size) * DAYS
    keen = np.array([CHANNELS[c][3] for c in channel]) * wish[person]
    return pd.DataFrame(
        {
            "person": person, "begin": day, "channel": channel, "country": country[person],
            "cookie": person * 2 + second, "mobile": mobile[person] ^ second,
            "logs_in": account[person] & (rng.random(size) < 0.8), "account": account[person],
            "pages": 1 + rng.poisson(0.3 + 1.5 * keen), "after": day >= TURN,
            "cart": np.clip(0.30 * keen, 0, 0.95), "checkout": 0.65, "order": 0.75,
            "price": 1.0, "more": 0.0,
        }
    )  # fmt: skip


def _events(rng, v: pd.DataFrame) -> pd.DataFrame:
    size = len(v)
    v = v.assign(visit=np.arange(size))
    carts = rng.random(size) < v["cart"]
    checks = carts & (rng.random(size) < v["checkout"])
    orders = checks & (rng.random(size) < v["order"])
    page = np.repeat(np.arange(size), v["pages"])
    nth = np.arange(len(page)) - np.searchsorted(page, page)
    blocks = []
    when = {0: v["begin"].to_numpy()[page] * 86400 + nth * rng.exponential(60, len(page))}
    for number, chosen in enumerate((None, carts, checks, orders)):
        at = page if number == 0 else np.flatnonzero(chosen)
        seconds = when.get(number)
        if seconds is None:
            wait = np.array([0, 240, 480, 700])[number] + rng.exponential(60, len(at))
            seconds = v["begin"].to_numpy()[at] * 86400 + wait
        blocks.append(_block(rng, v.iloc[at], number, seconds, nth if number == 0 else None))
    return pd.concat(blocks, ignore_index=True)


def _block(rng, v: pd.DataFrame, number: int, seconds, nth) -> pd.DataFrame:
    n = len(v)
    seconds = np.round(seconds, 3)
    tagged = number == 0
    first = (nth == 0) if nth is not None else np.zeros(n, dtype=bool)
    server = number == 3
    prefix = STEPS[number][0].lower()
    frame = pd.DataFrame(
        {
            "event_name": STEPS[number],
            "timestamp": _BEGIN + pd.to_timedelta(seconds, unit="s"),
            "source": "server" if server else "browser",
            "event_id": [f"{prefix}{number}-{i}-{a}" for a, i in enumerate(v["visit"])],
            "after": v["after"].to_numpy(), "person": v["person"].to_numpy(),
            "alias.cookie": None if server else [f"c{c}" for c in v["cookie"]],
            "alias.user_id": [f"u{p}" if k else None for p, k in
                              zip(v["person"], v["account" if server else "logs_in"], strict=True)],
            "alias.checkout_token": [f"t{i}" for i in v["visit"]] if number >= 2 else None,
            "alias.email": [f"p{p}@mail.example" for p in v["person"]] if server else None,
            "properties.device": None if server else np.where(v["mobile"], "mobile", "desktop"),
            "properties.country": None if server else v["country"].to_numpy(),
            "properties.browser": None if server else rng.choice(BROWSERS, n),
        }
    )  # fmt: skip
    for column, place in (("utm_source", 0), ("utm_medium", 1)):
        tags = [CHANNELS[c][place] if c in CHANNELS else ("tiktok", "paid_social")[place]
                for c in v["channel"]]  # fmt: skip
        frame[f"properties.{column}"] = [
            t if tagged and f else None for t, f in zip(tags, first, strict=True)
        ]
    if server:
        basket = rng.lognormal(3.4, 0.5, n) * v["price"].to_numpy()
        basket = np.where(
            (basket < 40) & (rng.random(n) < v["more"]), 41 + rng.random(n) * 8, basket
        )
        frame["properties.total_price"] = np.round(basket, 2)
        frame["properties.currency"] = "EUR"
    return frame

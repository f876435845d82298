"""Causes that are planted in the second period of a shop, and what each must be called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tests.change.shops import DAYS, TURN


@dataclass(frozen=True)
class Cause:
    """What is planted, what is asked, and what must come first.

    Attributes
    ----------
    number : str
    kinds : tuple of str
        Any of them is right.
    says : tuple of str
        One of these must be in what the part is about.
    of_tracking : bool
        Whether the cause is of the tracking or of identity, not of people.
    visits, events : callable or None
    apart : bool
        Whether two stitchings are compared, instead of two periods of one.
    periods : tuple or None
        Other periods than two weeks each.
    """

    number: str
    kinds: tuple[str, ...]
    says: tuple[str, ...]
    of_tracking: bool = False
    visits: Callable | None = None
    events: Callable | None = None
    apart: bool = False
    periods: tuple | None = None


def _scaled(column, times, where=lambda v: np.ones(len(v), dtype=bool)):
    def change(_, v):
        hit = v["after"] & where(v)
        return v.assign(**{column: np.where(hit, np.clip(v[column] * times, 0, 0.98), v[column])})

    return change


def _paused(_, v):
    return v[~(v["after"] & (v["channel"] == "meta"))]


def _campaign(rng, v):
    size = int(v["after"].sum() * 0.5)
    more = v[v["after"]].sample(size, random_state=int(rng.integers(2**31)), replace=True)
    people = v["person"].max() + 1 + np.arange(size)
    return pd.concat(
        [v, more.assign(person=people, cookie=people * 2, channel="tiktok", cart=more["cart"] * 0.2,
                        begin=TURN + rng.random(size) * (DAYS - TURN), logs_in=False,
                        account=False)]
    )  # fmt: skip


def _promotion(rng, v):
    """Many people come for the first time, and buy more readily than others."""
    size = int(v["after"].sum() * 0.4)
    more = v[v["after"]].sample(size, random_state=int(rng.integers(2**31)), replace=True)
    people = v["person"].max() + 1 + np.arange(size)
    return pd.concat(
        [v, more.assign(person=people, cookie=people * 2, logs_in=False, account=False,
                        cart=np.clip(more["cart"] * 1.6, 0, 0.95),
                        begin=TURN + rng.random(size) * (DAYS - TURN))]
    )  # fmt: skip


def _weekend(_, v):
    """People buy far more readily on Saturdays and Sundays, always; the periods differ."""
    day = np.floor(v["begin"]).astype(int) % 7
    times = np.where(day >= 5, 2.2, 0.7)
    return v.assign(cart=np.clip(v["cart"] * times, 0, 0.95))


def _price(_, v):
    return v.assign(
        price=np.where(v["after"], 1.3, 1.0), order=np.where(v["after"], 0.70, v["order"])
    )


def _free_shipping(_, v):
    return v.assign(more=np.where(v["after"], 0.9, 0.0))


def _orders(e):
    return (e["event_name"] == "Placed Order") & e["after"]


def _token_lost(rng, e):
    lost = _orders(e) & (rng.random(len(e)) < 0.6)
    e.loc[lost, "alias.checkout_token"] = None
    return e


def _currency(_, e):
    hit = _orders(e)
    e.loc[hit, "properties.currency"] = "SEK"
    e.loc[hit, "properties.total_price"] = (e.loc[hit, "properties.total_price"] * 11.3).round(2)
    return e


def _cents(_, e):
    hit = _orders(e)
    e.loc[hit, "properties.total_price"] = (e.loc[hit, "properties.total_price"] * 100).round()
    return e


def _bot(rng, e):
    size = 1500
    seconds = (TURN + rng.random(size) * 5) * 86400
    base = e["timestamp"].min().normalize()
    rows = pd.DataFrame(
        {
            "event_name": "PageView", "source": "browser", "after": True, "person": -1,
            "timestamp": base + pd.to_timedelta(seconds.round(), unit="s"),
            "event_id": [f"bot{i}" for i in range(size)],
            "alias.cookie": [f"b{i}" for i in range(size)], "properties.device": "desktop",
            "properties.country": "US", "properties.browser": "HeadlessChrome",
        }
    )  # fmt: skip
    return pd.concat([e, rows], ignore_index=True)


def _consent(rng, e):
    """People who refuse are seen under another cookie at each event."""
    refuses = rng.random(int(e["person"].max()) + 1) < 0.4
    hit = e["after"] & (e["source"] == "browser") & refuses[e["person"]]
    e.loc[hit, "alias.cookie"] = [f"r{i}" for i in range(int(hit.sum()))]
    e.loc[hit, ["alias.user_id", "alias.checkout_token"]] = None
    return e


def _clock(_, e):
    hit = _orders(e)
    e.loc[hit, "timestamp"] -= pd.Timedelta("1h")
    return e


def _twice(rng, e):
    e.loc[_orders(e), "event_id"] = None
    again = e[_orders(e)].sample(frac=0.35, random_state=int(rng.integers(2**31)))
    later = again.assign(timestamp=again["timestamp"] + pd.Timedelta("40s"))
    return pd.concat([e, later], ignore_index=True)


def _renamed(_, e):
    hit = (e["event_name"] == "Added To Cart") & e["after"]
    e.loc[hit, "event_name"] = "add_to_cart"
    return e


def _two_days(_, e):
    day = (e["timestamp"] - e["timestamp"].min().normalize()).dt.days
    return e[~(_orders(e) & day.isin([TURN + 3, TURN + 4]))]


def _shared_cookie(rng, e):
    """A cached page gives one checkout token to a third of those who check out."""
    hit = e["after"] & e["alias.checkout_token"].notna()
    chosen = {t for t in e.loc[hit, "alias.checkout_token"].unique() if rng.random() < 0.35}
    e.loc[hit & e["alias.checkout_token"].isin(chosen), "alias.checkout_token"] = "t-cached"
    return e


def _accounts(rng, v):
    """Most people have an account, and log in."""
    has = (rng.random(int(v["person"].max()) + 1) < 0.7)[v["person"]]
    return v.assign(account=has, logs_in=has & (rng.random(len(v)) < 0.9))


def _no_login(_, e):
    """Orders of accounts carry the user ID alone, always; then browsers do not send it any more."""
    order = e["event_name"] == "Placed Order"
    e.loc[order & e["alias.user_id"].notna(), "alias.checkout_token"] = None
    hit = e["after"] & (e["source"] == "browser")
    e.loc[hit, "alias.user_id"] = None
    return e


def _sampled(rng, e):
    lost = (e["event_name"] == "PageView") & e["after"] & (rng.random(len(e)) < 0.85)
    return e[~lost]


CAUSES: dict[str, Cause] = {
    "channel paused": Cause("orders", ("entrants", "mix"), ("Paid Social",), visits=_paused),
    "campaign added": Cause("conversion", ("mix", "entrants"), ("Paid Social",), visits=_campaign),
    "step broken on mobile": Cause(
        "conversion", ("rate",), ("mobile",),
        visits=_scaled("checkout", 0.4, lambda v: v["mobile"]),
    ),
    "delivery stopped": Cause(
        "conversion", ("rate",), ("country: NL",),
        visits=_scaled("order", 0.05, lambda v: v["country"] == "NL"),
    ),
    "payment fails": Cause(
        "conversion", ("rate",), ("Placed Order",), visits=_scaled("order", 0.6)
    ),
    "new-customer promotion": Cause(
        "orders", ("entrants", "mix", "rate"), ("new", "all"), visits=_promotion
    ),
    "weekday mix": Cause(
        "conversion", ("mix",), ("weekday",), visits=_weekend,
        periods=(("2026-03-09", "2026-03-13"), ("2026-03-14", "2026-03-22")),
    ),
    "price": Cause("revenue", ("value",), ("value",), visits=_price),
    "free-shipping threshold": Cause("revenue a visit", ("value",), ("value",),
                                     visits=_free_shipping),
    "token lost": Cause("conversion", ("identity",), ("checkout_token",), True,
                        events=_token_lost),
    "currency changed": Cause("revenue", ("tracking",), ("currency",), True, events=_currency),
    "cents": Cause("revenue", ("tracking",), ("times 100",), True, events=_cents),
    "bot": Cause("conversion", ("tracking",), ("bot",), True, events=_bot),
    "consent banner": Cause("conversion", ("tracking",), ("not seen",), True, events=_consent),
    "clock shifted": Cause("conversion", ("tracking",), ("clock",), True, events=_clock),
    "sent twice": Cause("orders", ("tracking",), ("sent twice",), True, events=_twice),
    "event renamed": Cause("conversion", ("tracking",), ("renamed",), True, events=_renamed),
    "server silent for two days": Cause(
        "orders", ("tracking",), ("on 2 days",), True, events=_two_days
    ),
    "shared alias": Cause("conversion", ("tracking",), ("shared alias",), True,
                          events=_shared_cookie),
    "login removed": Cause("conversion", ("identity",), ("user_id",), True, visits=_accounts,
                           events=_no_login, apart=True),
    "page views sampled": Cause("conversion", ("tracking",), ("not seen",), True,
                                events=_sampled),
}  # fmt: skip

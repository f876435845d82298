"""Simulate advertising: what campaigns cost by day, and which orders their platforms claim.

The visits and orders are those of the store. Google Ads and Meta bring visits with tags. TikTok,
Microsoft and Pinterest show ads whose visitors cannot be told from others: what they claim, no
visit shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from convergekit.simulate.events import ORDER, PRODUCTS, SERVER, Log, SimulatedVisits
from convergekit.typing import BoolArray, FloatArray, IntArray

Claims = Literal["touches", "views"]

_DAY = 24 * 60 * 60 * 1_000_000


@dataclass(frozen=True)
class Campaign:
    """One campaign of a platform, with what a click costs and how often an ad is clicked."""

    platform: str
    name: str
    number: str
    ad_group: str
    tag: int
    cost: float
    clicked: float


#: `tag` is the place of the campaign in `events.CAMPAIGNS`, -1 where visits do not say it.
CAMPAIGNS = (
    Campaign("google_ads", "brand", "21000000001", "brand exact", 1, 0.90, 0.08),
    Campaign("google_ads", "kettles", "21000000002", "kettles broad", 2, 2.60, 0.03),
    Campaign("meta", "spring-roast", "120210000000000001", "lookalike", 3, 1.90, 0.012),
    Campaign("tiktok", "coffee-moments", "1800000000000001", "interest", -1, 0.60, 0.008),
    Campaign("microsoft", "bing-brand", "430000001", "brand", -1, 1.10, 0.05),
    Campaign("pinterest", "kitchen-pins", "626000000001", "kitchen", -1, 0.45, 0.006),
)
PLATFORMS = tuple(dict.fromkeys(one.platform for one in CAMPAIGNS))
#: Days after a click for which a platform claims an order here. That of Google Ads is its default,
#: https://support.google.com/google-ads/answer/3123169; the others are made up.
WINDOWS = {"google_ads": 30, "meta": 7, "tiktok": 7, "microsoft": 30, "pinterest": 30}
#: How much of what is claimed by view each platform claims, and how many people see its ads.
_SHARE = {"google_ads": 0.25, "meta": 0.40, "tiktok": 0.15, "microsoft": 0.05, "pinterest": 0.15}
_SEES = 0.3
#: Of orders without a touch, the share that is claimed all the same.
_UNTOUCHED = 0.35
#: Clicks that do not become a visit, for each that does, and a day's clicks for 1,000 people.
_LOST, _CLICKS = 0.15, 12.0


@dataclass(frozen=True)
class _Orders:
    """One entry per order that the server has: its number, person, time and amount."""

    number: IntArray
    person: IntArray
    time: IntArray
    total: FloatArray

    @classmethod
    def of(cls, log: Log, visits: SimulatedVisits) -> _Orders:
        """Return the orders of a log, each once."""
        at = np.flatnonzero((log.name == ORDER) & (log.source == SERVER))
        number, first = np.unique(log.order[at], return_index=True)
        at = at[first]
        prices = np.array([price for _, price in PRODUCTS])
        visit = log.visit[at]
        total = prices[visits.product[visit]] * visits.quantity[visit]
        return cls(number, log.person[at], log.time[at], np.where(visit >= 0, total, 29.0))


def advertised(
    rng: np.random.Generator,
    log: Log,
    visits: SimulatedVisits,
    opened: int,
    days: int,
    overclaiming: float,
    claims: Claims,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return spend by day and campaign with what the platforms claim, and each claim.

    Parameters
    ----------
    rng : numpy.random.Generator
    log : Log
    visits : SimulatedVisits
    opened : int
        Begin of the first day, in microseconds.
    days : int
    overclaiming : float
        Claims for each order that is claimed at all.
    claims : {"touches", "views"}

    Returns
    -------
    spend : pandas.DataFrame
        `date`, `platform`, `campaign`, `campaign_id`, `ad_group`, `spend`, `impressions`,
        `clicks`, `conversions` and `value`.
    claims : pandas.DataFrame
        `event_id`, `platform`, `campaign`, `by`, `date` and `value`.
    """
    orders = _Orders.of(log, visits)
    touch = _touches(orders, visits)
    order, campaign, by = _claimed(rng, orders, touch, overclaiming, claims)
    made = pd.DataFrame(
        {
            "event_id": pd.Series((100_001 + orders.number[order]).astype(str), dtype="str"),
            "platform": pd.Series([CAMPAIGNS[one].platform for one in campaign], dtype="str"),
            "campaign": pd.Series([CAMPAIGNS[one].name for one in campaign], dtype="str"),
            "by": pd.Series(by, dtype="str"),
            "date": pd.Series((orders.time[order] // _DAY * _DAY).astype("datetime64[us]")),
            "value": pd.Series(orders.total[order]),
        }
    )
    made = made.sort_values(["event_id", "platform"], ignore_index=True)
    return _spent(rng, visits, opened, days, int(log.person.max(initial=0)) + 1, made), made


def _touches(orders: _Orders, visits: SimulatedVisits) -> IntArray:
    """Return for each order and platform the campaign that was clicked last, -1 without one."""
    found = np.full((len(orders.number), len(PLATFORMS)), -1, dtype=np.int64)
    latest = np.full(found.shape, -1, dtype=np.int64)
    asked = pd.DataFrame({"person": orders.person, "time": orders.time, "order": range(len(found))})
    asked = asked.sort_values("time", kind="stable")
    for place, one in enumerate(CAMPAIGNS):
        mine = visits.campaign == one.tag
        clicks = pd.DataFrame({"person": visits.person[mine], "time": visits.begin[mine]})
        clicks = clicks.assign(clicked=clicks["time"]).sort_values("time", kind="stable")
        last = pd.merge_asof(
            asked, clicks, on="time", by="person", tolerance=WINDOWS[one.platform] * _DAY
        )
        order, clicked = last["order"].to_numpy(), last["clicked"].fillna(-1).to_numpy(np.int64)
        column = PLATFORMS.index(one.platform)
        later = clicked > latest[order, column]
        found[order[later], column] = place
        latest[order[later], column] = clicked[later]
    return found


def _claimed(
    rng: np.random.Generator,
    orders: _Orders,
    touch: IntArray,
    overclaiming: float,
    claims: Claims,
) -> tuple[IntArray, IntArray, list[str]]:
    """Return the order, the campaign and the reason of each claim.

    Each order that is claimed has one claim to begin with. Then come those that have a touch too,
    and then any, until there are as many as `overclaiming` says.
    """
    count, platforms = touch.shape
    sees = rng.random((int(orders.person.max(initial=0)) + 1, platforms)) < _SEES
    shares = np.array([_SHARE[one] for one in PLATFORMS])
    # The smaller the key, the earlier a pair is claimed: that of a touch before that of a view.
    key = rng.exponential(1.0, size=touch.shape) / shares
    untouched = np.array((touch < 0).all(axis=1), dtype=bool)
    drawn = rng.random(count) < _UNTOUCHED
    among: BoolArray = ~untouched
    if claims == "views":
        among |= drawn
    key = np.where(touch >= 0, key / (1 + key) - 1, key)
    rank = np.argsort(key, axis=1)
    first = np.zeros(touch.shape, dtype=bool)
    first[np.arange(count), rank[:, 0]] = among
    rest = np.flatnonzero((among[:, None] & ~first).ravel())
    rest = rest[np.argsort(key.ravel()[rest], kind="stable")]
    more = round((overclaiming - 1) * int(among.sum()))
    chosen = first.ravel()
    chosen[rest[:more]] = True
    at = np.flatnonzero(chosen)
    order, platform = at // platforms, at % platforms
    own = [[place for place, one in enumerate(CAMPAIGNS) if one.platform == name]
           for name in PLATFORMS]  # fmt: skip
    drawn_campaign = np.array(
        [own[one][rng.integers(len(own[one]))] for one in platform], dtype=int
    )
    clicked = touch[order, platform]
    seen = sees[orders.person[order], platform]
    by = np.where(clicked >= 0, "click", np.where(seen, "view", "nothing"))
    return order, np.where(clicked >= 0, clicked, drawn_campaign), by.tolist()


def _spent(
    rng: np.random.Generator,
    visits: SimulatedVisits,
    opened: int,
    days: int,
    people: int,
    claims: pd.DataFrame,
) -> pd.DataFrame:
    """Return a row per day and campaign on which an ad was shown or an order claimed."""
    day = (visits.begin - opened) // _DAY
    # An order of the last visit may be on the day after.
    claimed = claims["date"].to_numpy().astype("datetime64[us]").astype(np.int64)
    days = max(days, int((claimed.max(initial=opened) - opened) // _DAY) + 1)
    dates = (opened + np.arange(days) * _DAY).astype("datetime64[us]")
    parts = []
    for one in CAMPAIGNS:
        if one.tag >= 0:
            arrived = np.bincount(day[visits.campaign == one.tag], minlength=days)[:days]
            clicks = arrived + rng.poisson(_LOST * arrived)
        else:
            clicks = rng.poisson(_CLICKS * people / 1000, size=days)
        impressions = clicks + rng.poisson((clicks + 0.2) / one.clicked)
        spend = (clicks * one.cost * rng.gamma(20, 1 / 20, size=days)).round(2)
        mine = claims[(claims["platform"] == one.platform) & (claims["campaign"] == one.name)]
        by_day = mine.groupby("date")["value"].agg(["size", "sum"]).reindex(dates, fill_value=0)
        parts.append(
            pd.DataFrame(
                {
                    "date": dates,
                    "platform": one.platform,
                    "campaign": one.name,
                    "campaign_id": one.number,
                    "ad_group": one.ad_group,
                    "spend": spend,
                    "impressions": impressions.astype(float),
                    "clicks": clicks.astype(float),
                    "conversions": by_day["size"].to_numpy(dtype=float),
                    "value": by_day["sum"].to_numpy(dtype=float).round(2),
                }
            )
        )
    table = pd.concat(parts, ignore_index=True)
    shown = (table["impressions"] > 0) | (table["conversions"] > 0)
    order = [PLATFORMS.index(one) for one in table["platform"]]
    table = table.assign(place=order)[shown.to_numpy()]
    return table.sort_values(["place", "date", "campaign"], ignore_index=True).drop(columns="place")

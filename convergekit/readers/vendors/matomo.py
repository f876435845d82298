"""Matomo: visits with their actions, as `Live.getLastVisitsDetails` gives them in JSON.

The fields are those that https://github.com/matomo-org/matomo writes (`plugins/Live`, `Actions`,
`Events`, `Goals`, `Ecommerce` and `Referrers`, each in ``VisitorDetails.php``), and the plugin
https://github.com/matomo-org/plugin-MarketingCampaignsReporting. `vendors.matomo_visits` makes a
row of every action.

- An action is an event of its `type`: `action` is a page view; others are `download`, `outlink`,
  `search`, `goal`, `ecommerceOrder`, `ecommerceAbandonedCart`. An event is called by its
  `eventAction`. A visit without actions is an identify call.
- An action's `timestamp` is the site's local time as if it were UTC (`Date::adjustForTimezone`);
  a visit's `firstActionTimestamp` is UTC. The difference to its first action, in quarters of an
  hour, corrects them; where the two do not fit, the number stays, and ``clock={"matomo": ...}``
  says what it means.
- The event ID is made of the site and of what names the action there: `pageId`, the order, or a
  goal and its page. An abandoned cart changes as long as the visit lasts, and has no ID.
- `visitorId` is the browser (alias type `cookie`), `userId` the alias `user_id`.
- The referrer and the campaign are the visit's: they stand on its first action. `referrerName` is
  the campaign's name only where `referrerType` is ``campaign``.

Not read are what Matomo derives for its pages (`...Pretty`, `...Icon`), sums of a visit, and its
CSV and XML. Click IDs are in the address, where visits look for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from convergekit.readers.export import Export
from convergekit.readers.fields import Field, Rows, first_of, number

_QUARTER = 900
#: Clocks are at most so far from UTC, and a visit's first action so near to its begin.
_FARTHEST, _NEAR = 15 * 3600, 60
_ITEM = {"itemSKU": "sku", "itemName": "name", "itemCategory": "category", "categories":
         "categories", "price": "price", "quantity": "quantity"}  # fmt: skip
_KEPT = (
    *("pageTitle", "timeSpent", "eventCategory", "eventAction", "eventName", "goalName", "goalId"),
    *("siteSearchKeyword", "siteSearchCategory", "siteSearchCount", "orderId"),
    *("productViewName", "productViewSku", "productViewPrice", "productViewCategories"),
    *("contentName", "contentPiece", "contentTarget", "contentInteraction"),
)
_AMOUNTS = ("eventValue", "revenue", "revenueSubTotal", "revenueTax", "revenueShipping",
            "revenueDiscount")  # fmt: skip
_CAMPAIGN = {"Source": "source", "Medium": "medium", "Name": "campaign", "Keyword": "term",
             "Content": "content"}  # fmt: skip


def _event_name(rows: Rows) -> list[Any]:
    return [
        action if kind == "event" and action else kind
        for kind, action in zip(rows["action.type"], rows["action.eventAction"], strict=True)
    ]


def _event_id(rows: Rows) -> list[Any]:
    names = ("type", "pageId", "orderId", "goalId", "goalPageId")
    parts = zip(rows["visit.idSite"], *(rows[f"action.{name}"] for name in names), strict=True)
    return [None if (own := _own_id(*more)) is None else f"matomo:{site}:{own}"
            for site, *more in parts]  # fmt: skip


def _own_id(kind: Any, page: Any, order: Any, goal: Any, goal_page: Any) -> str | None:
    if kind == "ecommerceOrder":
        return None if order is None else f"order:{order}"
    if kind == "goal":
        return None if goal is None or goal_page is None else f"goal:{goal}:{goal_page}"
    return None if page is None else str(page)


def _timestamp(rows: Rows) -> list[Any]:
    parts = zip(
        rows["action.timestamp"],
        rows["visit.firstTimestamp"],
        rows["visit.firstActionTimestamp"],
        rows["visit.lastActionTimestamp"],
        strict=True,
    )
    return [_in_utc(*times) for times in parts]


def _in_utc(shown: Any, first_shown: Any, first: Any, last: Any) -> Any:
    """Return an action's time: as text in UTC, or the number where the offset is not known."""
    if shown is None:
        return None if last is None else _spelled(_seconds(last)) or last
    at, begin_shown, begin = map(_seconds, (shown, first_shown, first))
    if at is None or begin_shown is None or begin is None:
        return shown
    quarters = round((begin_shown - begin) / _QUARTER) * _QUARTER
    if abs(quarters) > _FARTHEST or abs(begin_shown - begin - quarters) > _NEAR:
        return shown
    return _spelled(at - quarters)


def _seconds(value: Any) -> float | None:
    try:
        return float(value) if isinstance(value, (int, float, str)) else None
    except (ValueError, OverflowError):
        return None


def _spelled(seconds: float | None) -> str | None:
    try:
        moment = None if seconds is None else pd.Timestamp(seconds, unit="s", tz="UTC")
    except (ValueError, OverflowError):
        return None
    return None if moment is None or pd.isna(moment) else moment.isoformat()


def _items(rows: Rows) -> list[Any]:
    return [
        None if lines is None else [
            {own: line[key] for key, own in _ITEM.items() if key in line} for line in lines
        ]
        for lines in rows.object_lists("action.itemDetails")
    ]  # fmt: skip


def _dimensions(rows: Rows) -> list[dict[str, Any]]:
    return [
        {key: value for key, value in cell.items() if key.startswith("dimension")}
        for cell in rows.objects("action")
    ]


def _on_first(path: str, only: Callable[[Any], bool] = lambda kind: True) -> Field:
    """Return a field of the visit that stands on its first action, of visits of a kind only."""

    def read(rows: Rows) -> list[Any]:
        parts = zip(rows["position"], rows["visit.referrerType"], rows[path], strict=True)
        return [
            value if place == 0 and value not in ("", False) and only(kind) else None
            for place, kind, value in parts
        ]

    return read


def _is_campaign(kind: Any) -> bool:
    return kind == "campaign"


def _currency(rows: Rows) -> list[Any]:
    pairs = zip(rows["action.revenue"], rows["visit.siteCurrency"], strict=True)
    return [None if amount is None else currency for amount, currency in pairs]


MATOMO = Export(
    name="matomo",
    documentation="https://developer.matomo.org/api-reference/reporting-api#Live",
    recognised_by=[["visit.idVisit", "visit.visitorId", "position"]],
    event_id=_event_id,
    event_name=_event_name,
    timestamp=_timestamp,
    aliases={"cookie": "visit.visitorId", "user_id": "visit.userId"},
    properties={
        "*": _dimensions,
        "$url": "action.url",
        "$referrer": _on_first("visit.referrerUrl"),
        "session_id": "visit.idVisit",
        "items": _items,
        "currency": _currency,
        **{name: f"action.{name}" for name in _KEPT},
        **{name: number(f"action.{name}") for name in _AMOUNTS},
    },
    profile_properties={
        **{
            f"utm_{own}": _on_first(f"visit.campaign{name}")
            for name, own in _CAMPAIGN.items()
            if name not in ("Name", "Keyword")
        },
        "utm_campaign": first_of(
            _on_first("visit.campaignName"), _on_first("visit.referrerName", _is_campaign)
        ),
        "utm_term": first_of(
            _on_first("visit.campaignKeyword"), _on_first("visit.referrerKeyword", _is_campaign)
        ),
        "$ip": "visit.visitIp",
        "$city": "visit.city",
        "country": "visit.country",
    },
)
MATOMO_VISITS = Export(
    name="matomo_visits",
    documentation=MATOMO.documentation,
    recognised_by=[["idVisit", "visitorId"]],
    event_name="type",
    timestamp="serverTimestamp",
    refused=(
        "these are visits of Matomo, and their actions are the events. Give the answer of "
        "Live.getLastVisitsDetails (format=JSON) with its actionDetails, as a file or a frame."
    ),
)

"""Hold what platforms claim against the orders that there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from convergekit.base.durations import readable_duration
from convergekit.base.wording import counted
from convergekit.errors import ConvergekitError
from convergekit.events.amounts import amounts_at, events_named
from convergekit.events.calendar import Calendar
from convergekit.events.currencies import check_rates, row_of, to_one_currency
from convergekit.events.observed import BEYOND
from convergekit.events.steps import StepLike, title_of
from convergekit.events.timestamps import in_utc, microseconds
from convergekit.identity.tables import StitchedEvents
from convergekit.reconcile.bounds import Bounds, claim_bounds
from convergekit.reconcile.claims import PlatformClaims, claims_of
from convergekit.reconcile.eligible import Eligible, eligible_orders
from convergekit.reconcile.platforms import AdPlatform, Dated, Windows
from convergekit.reconcile.result import ANY, CLICKED, NONE, Reconciliation
from convergekit.spend.result import Spend
from convergekit.typing import BoolArray, IntArray
from convergekit.visits.rules import VisitRules

_DAY = 86_400_000_000
#: As many cents are added up exactly.
_MOST_CENTS = 2.0**53


@dataclass(frozen=True)
class ReconcileQuestion:
    """What is asked of claims. See `Stitched.reconcile`."""

    conversion: StepLike
    value: str | None
    currency: str | None
    rates: Mapping[str, float] | None
    rules: VisitRules


@dataclass(frozen=True)
class FoundOrders:
    """The orders that may have been claimed.

    Attributes
    ----------
    events : pandas.DataFrame
        Among which they are.
    position : numpy.ndarray of int
        Where they are.
    in_period : numpy.ndarray of bool
        Which are in the period by the shop's clock.
    eligible : Eligible
    untimed, beyond : int
        How many orders have no time, or lie beyond the end of the data.
    """

    events: pd.DataFrame
    position: IntArray
    in_period: BoolArray
    eligible: Eligible
    untimed: int
    beyond: int


def reconcile(
    s: StitchedEvents,
    spend: pd.DataFrame | Spend,
    asked: ReconcileQuestion,
    *,
    windows: Windows | None,
    dated: Mapping[str, Dated] | None,
    start: Any,
    end: Any,
) -> Reconciliation:
    """Return the claims beside the orders. See `Stitched.reconcile`."""
    if s.segment is not None:
        raise of_a_segment()
    claims = claims_asked(
        spend, asked, s.calendar, windows=windows, dated=dated, start=start, end=end
    )
    found = orders_of(s, asked, claims)
    return reconciled(asked, claims, found, s.observed_span, s.calendar)


def of_a_segment() -> ConvergekitError:
    """Return the error that a segment does not have all orders."""
    return ConvergekitError(
        "platforms claim orders of everybody, and these are the events of a segment. Ask the "
        "whole, before .where(...)."
    )


def claims_asked(
    spend: pd.DataFrame | Spend,
    asked: ReconcileQuestion,
    calendar: Calendar,
    *,
    windows: Windows | None,
    dated: Mapping[str, Dated] | None,
    start: Any,
    end: Any,
) -> PlatformClaims:
    """Return what platforms claim. See `Stitched.reconcile`."""
    check_rates(asked.value, asked.currency, asked.rates)
    return claims_of(
        spend,
        calendar,
        start=start,
        end=end,
        windows=windows,
        dated=dated,
        rates=asked.rates,
        money=asked.value is not None,
    )


def reconciled(
    asked: ReconcileQuestion,
    claims: PlatformClaims,
    orders: FoundOrders,
    span: tuple[pd.Timestamp, pd.Timestamp],
    calendar: Calendar,
) -> Reconciliation:
    """Return the claims beside the orders that were found.

    Parameters
    ----------
    asked : ReconcileQuestion
    claims : PlatformClaims
    orders : FoundOrders
    span : tuple of pandas.Timestamp
        From when to when profiles are observed.
    calendar : Calendar
    """
    remarks = list(claims.remarks)
    for lost, why in ((orders.untimed, "without a time"), (orders.beyond, BEYOND)):
        if lost:
            remarks.append(f"{counted(lost, 'order')} {why} left out.")
    cents = _cents(orders, asked, claims, remarks)
    eligible = orders.eligible
    # Whoever may claim it, an order of the period is one that there is.
    kept = orders.in_period | eligible.may.any(axis=0)
    found = Eligible(
        eligible.may[:, kept],
        eligible.clicked[:, kept],
        [text.at(np.flatnonzero(kept)) for text in eligible.evidence],
        [age[kept] for age in eligible.age],
    )
    events, at, in_period = orders.events, orders.position[kept], orders.in_period[kept]
    cents = None if cents is None else cents[kept]
    _remark_on_edges(span, claims, int((~in_period).sum()), remarks)
    return Reconciliation(
        conversion=title_of(asked.conversion),
        value=asked.value,
        currency=claims.currency,
        start=claims.first,
        end=claims.last,
        platforms=tuple(one.name for one in claims.platforms),
        titles={one.name: one.title for one in claims.platforms},
        table=_table(claims, found, cents),
        patterns=_patterns(claims.platforms, found.clicked, in_period, cents),
        bounds=_bounds(claims, found, cents),
        orders=_order_rows(events, at, in_period, cents, claims.platforms, found),
        clicks=_click_rows(events, at, claims.platforms, found),
        remarks=tuple(remarks),
        _rows=claims.rows,
        _calendar=calendar,
    )


def orders_of(s: StitchedEvents, asked: ReconcileQuestion, claims: PlatformClaims) -> FoundOrders:
    """Return the orders that may have been claimed."""
    at = events_named(s.events, asked.conversion)
    timed = s.events["timestamp"].notna().to_numpy(dtype=bool)[at]
    times = microseconds(s.events["timestamp"])[at]
    begin, end = s.observed_span
    if pd.isna(end):
        inside = timed
    else:
        low, high = microseconds(pd.Series([begin, end]))
        inside = timed & (times >= low) & (times <= high)
    beyond = int((timed & ~inside).sum())
    days = pd.PeriodIndex([pd.Period(day, freq="D") for day in (claims.first, claims.last)])
    ends = [s.calendar.begin(days[:1])[0], s.calendar.end(days[1:])[0]]
    first, last = microseconds(pd.Series(ends))
    windows = [one.longest.value // 1000 for one in claims.platforms]
    latest = max(int(last), int((claims.end + np.array(windows)).max()))
    earliest = min(int(first), int(claims.begin.min()))
    inside = inside & (times >= earliest) & (times < latest)
    kept = at[inside]
    eligible = eligible_orders(s, kept, claims.platforms, claims.begin, claims.end, asked.rules)
    in_period = ((times >= first) & (times < last))[inside]
    return FoundOrders(s.events, kept, in_period, eligible, int((~timed).sum()), beyond)


def _cents(
    orders: FoundOrders, asked: ReconcileQuestion, claims: PlatformClaims, remarks: list[str]
) -> IntArray | None:
    """Return what the orders are worth in whole cents; None if that was not asked."""
    value, rates = asked.value, asked.rates
    if value is None:
        return None
    events, at = orders.events, orders.position
    amounts = amounts_at(events, at, value)
    amounts, code = to_one_currency(events, at, amounts, asked.currency, rates)
    if code and claims.currency and code != claims.currency:
        raise ConvergekitError(
            f"the orders are in {code}, and the platforms claim values in {claims.currency}. Say "
            f"what one of each is worth: currency='currency', rates={{{code!r}: 1.0, "
            f"{claims.currency!r}: ...}}. Or leave money out with value=None."
        )
    if bool(code) != bool(claims.currency) and rates is None and claims.value.any():
        lone, other = ("Orders do", "claims") if claims.currency else ("Claims do", "orders")
        remarks.append(
            f"{lone} not say the currency, taken to be {code or claims.currency} as that of the "
            f"{other}."
        )
    lacking = int(np.isnan(amounts).sum())
    if lacking:
        remarks.append(f"{counted(lacking, 'order')} without an amount counted as worth 0.")
    cents = np.rint(np.nan_to_num(amounts) * 100)
    if np.abs(cents).sum() + claims.value.sum() > _MOST_CENTS:
        largest = at[np.abs(cents).argmax()] if len(at) else 0
        raise ConvergekitError(
            f"value={value!r}: the amounts are too large to be added up to the cent, the largest "
            f"in {row_of(events, largest)}. Correct it, or leave such events out with "
            "ck.Step(name, where=...)."
        )
    if (cents < 0).any():
        below = counted(int((cents < 0).sum()), "order")
        remarks.append(f"{below} below zero: added up, but not counted as money to be claimed.")
    return cents.astype(np.int64)


def _table(claims: PlatformClaims, found: Eligible, cents: IntArray | None) -> pd.DataFrame:
    """Return what each platform claims beside what it could."""
    alone = found.clicked.sum(axis=0) == 1
    eligible, only, may = (
        marks.sum(axis=1) for marks in (found.clicked, found.clicked & alone, found.may)
    )
    claimed = claims.conversions
    columns: dict[str, Any] = {
        "platform": pd.Series([one.name for one in claims.platforms], dtype="str"),
        "window": pd.to_timedelta([one.click for one in claims.platforms]),
        "dated": pd.Series([one.dated for one in claims.platforms], dtype="str"),
        "eligible": eligible,
        "only_eligible": only,
        "may_claim": may,
        "claimed": claimed,
        "beyond_eligible": np.maximum(claimed - eligible, 0.0),
        "beyond_all": np.maximum(claimed - may, 0.0),
    }
    if cents is not None:
        worth = np.maximum(cents, 0)
        of_eligible, of_may = found.clicked @ worth, found.may @ worth
        columns |= {
            "eligible_value": (found.clicked @ cents) / 100,
            "claimed_value": claims.value / 100,
            "value_beyond_eligible": np.maximum(claims.value - of_eligible, 0.0) / 100,
            "value_beyond_all": np.maximum(claims.value - of_may, 0.0) / 100,
        }
    return pd.DataFrame(columns)


def _patterns(
    platforms: list[AdPlatform], clicked: BoolArray, in_period: BoolArray, cents: IntArray | None
) -> pd.DataFrame:
    """Return for which platforms together orders are eligible; every order is in one row."""
    codes = _codes(clicked)
    present = np.unique(np.append(codes, 0))
    place = np.searchsorted(present, codes)
    members = (present[:, None] >> np.arange(len(platforms))) & 1
    columns: dict[str, Any] = {
        "eligible": pd.Series(_names(platforms, members), dtype="str"),
        "platforms": members.sum(axis=1),
        "orders": np.bincount(place, minlength=len(present)),
        "after": np.bincount(place[~in_period], minlength=len(present)),
    }
    if cents is not None:
        sums = np.zeros(len(present), dtype=np.int64)
        np.add.at(sums, place, cents)
        columns["value"] = sums / 100
    table = pd.DataFrame(columns)
    return table.sort_values(["platforms", "orders"], ascending=[True, False], kind="stable")[
        list(columns)
    ].reset_index(drop=True)


def _bounds(claims: PlatformClaims, found: Eligible, cents: IntArray | None) -> pd.DataFrame:
    rows = []
    # Who claims nothing makes no difference to what is claimed.
    some = (claims.conversions > 0) | (claims.value > 0)
    conversions, value = claims.conversions[some], claims.value[some]
    for name, marks in ((ANY, found.may), (CLICKED, found.clicked)):
        codes = _codes(marks[some])
        pool, place = np.unique(codes, return_inverse=True)
        counts = np.bincount(place, minlength=len(pool)).astype(float)
        said = _said(claim_bounds(pool, counts, conversions), 1.0)
        if cents is not None:
            worth = np.bincount(place, weights=np.maximum(cents, 0), minlength=len(pool)).astype(
                float
            )
            money = _said(claim_bounds(pool, worth, value, parts=True), 100.0)
            said = said.join(money[["low", "high"]].add_prefix("value_"))
        said.insert(0, "assuming", pd.Series([name] * len(said), dtype="str"))
        rows.append(said)
    return pd.concat(rows, ignore_index=True)


#: What is bounded, by the name of it in `Bounds`.
_WHAT = {
    "distinct": "orders claimed",
    "twice": "orders claimed by several",
    "again": "claimed again",
    "without": "without an order",
    "excess": "above one an order",
}


def _said(bounds: Bounds, unit: float) -> pd.DataFrame:
    exact = (bounds.without, bounds.without)
    pairs = [exact if name == "without" else getattr(bounds, name) for name in _WHAT]
    digits = 6 if unit == 1 else 2
    numbers = np.round(np.array(pairs) / unit, digits) + 0.0
    return pd.DataFrame(
        {
            "what": pd.Series(list(_WHAT.values()), dtype="str"),
            "low": numbers[:, 0],
            "high": numbers[:, 1],
        }
    )


def _order_rows(
    events: pd.DataFrame,
    at: IntArray,
    in_period: BoolArray,
    cents: IntArray | None,
    platforms: list[AdPlatform],
    found: Eligible,
) -> pd.DataFrame:
    columns = ["row", "event_id", "timestamp", "profile_id"]
    table = events[columns].iloc[at].reset_index(drop=True)
    if cents is not None:
        table["value"] = cents / 100
    table["in_period"] = in_period
    # Few orders have another set of platforms and evidence than those before.
    keys = np.array([text.codes for text in found.evidence]).T
    kinds, place = np.unique(keys, axis=0, return_inverse=True)
    members = (kinds >= 0).astype(np.int64)
    texts = [[*map(str, text.distinct)] for text in found.evidence]
    said = [
        ", ".join(
            f"{one.name} by {texts[number][code]}"
            for number, (one, code) in enumerate(zip(platforms, row, strict=True))
            if code >= 0
        )
        for row in kinds.tolist()
    ]
    place = place.reshape(-1)
    table["platforms"] = members.sum(axis=1)[place]
    names = pd.Series(_names(platforms, members), dtype="str")
    table["eligible"] = names.take(place).array
    table["evidence"] = pd.Series(said, dtype="str").take(place).array
    return table.sort_values(["timestamp", "row"], ignore_index=True)


def _click_rows(
    events: pd.DataFrame, at: IntArray, platforms: list[AdPlatform], found: Eligible
) -> pd.DataFrame:
    """Return a row for each order and platform that it is eligible for."""
    number, order = np.nonzero(found.clicked)
    table = events[["row", "event_id", "timestamp"]].iloc[at[order]].reset_index(drop=True)
    age = np.array(found.age, dtype=np.int64).reshape(len(platforms), len(at))[number, order]
    names = pd.Series([one.name for one in platforms], dtype="str")
    evidence = [text.take(order[number == place]) for place, text in enumerate(found.evidence)]
    table["platform"] = names.take(number).array
    table["evidence"] = pd.concat(evidence, ignore_index=True).astype("str").array
    table["clicked"] = table["timestamp"] - pd.to_timedelta(age, unit="us")
    table["age"] = pd.Series(age.astype("timedelta64[us]"))
    return table.sort_values(["timestamp", "row", "platform"], ignore_index=True)


def _remark_on_edges(
    span: tuple[pd.Timestamp, pd.Timestamp], claims: PlatformClaims, after: int, remarks: list[str]
) -> None:
    late = [one for one in claims.platforms if one.dated != "order"]
    if late:
        names = _listed([one.title for one in late])
        longest = readable_duration(max(one.longest for one in late))
        remarks.append(
            f"{names} may date a claim by its click, so orders of up to {longest} after the period "
            f"count as well: the data hold {after:,}."
        )
    begin, end = span
    if pd.isna(end):
        return
    first, last = microseconds(pd.Series([in_utc(begin), in_utc(end)]))
    unseen = "orders of then are claimed, and not here, so that the bounds do not hold"
    if last < int(claims.end.max()) - _DAY:
        remarks.insert(
            0,
            f"The data end on {end:%Y-%m-%d}, before the claims do: {unseen}. Give end=, or later "
            "events.",
        )
    if first > int(claims.begin.min()) + _DAY:
        remarks.insert(
            0,
            f"The data begin on {begin:%Y-%m-%d}, after the claims do: {unseen}. Give start=, or "
            "earlier events.",
        )


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _codes(marks: BoolArray) -> IntArray:
    """Return the sum of 2 to the power of the number of each platform that is marked."""
    weights: IntArray = 1 << np.arange(len(marks), dtype=np.int64)
    found: IntArray = weights @ marks.astype(np.int64)
    return found


def _names(platforms: list[AdPlatform], members: IntArray) -> list[str]:
    names = [one.name for one in platforms]
    rows = [[name for name, there in zip(names, row, strict=True) if there] for row in members]
    return [" + ".join(row) or NONE for row in rows]

"""The orders and refunds of customers: profile, time and amount, in one currency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from convergekit.base.wording import counted
from convergekit.errors import ConvergekitError
from convergekit.events.amounts import amounts_at, events_named
from convergekit.events.currencies import check_rates, row_of, to_one_currency
from convergekit.events.observed import BEYOND, Observed
from convergekit.events.steps import StepLike, title_of
from convergekit.events.timestamps import microseconds, order_of_arrival
from convergekit.typing import FloatArray, IntArray


@dataclass(frozen=True)
class Orders:
    """Orders and refunds, a row each: `profile_id`, `timestamp`, `row` and `amount`.

    Attributes
    ----------
    orders : pandas.DataFrame
        By profile, then time, then arrival; `number` counts each profile's from 1.
    refunds : pandas.DataFrame
        Those of profiles with an order.
    left_out : dict of str to int
        Events that are not among these, or have no amount.
    currency : str
        Of the amounts; empty if unknown.
    """

    orders: pd.DataFrame
    refunds: pd.DataFrame
    left_out: dict[str, int]
    currency: str


def find_orders(
    events: pd.DataFrame,
    profile: str,
    order: StepLike,
    value: str | None,
    refund: StepLike | None,
    refund_value: str | None,
    currency: str | None,
    rates: Mapping[str, float] | None,
    observed: Observed,
) -> Orders:
    """Return the orders and refunds of a frame's events. See `Stitched.customers`."""
    _check_money(value, refund, refund_value, currency, rates)
    of_order = events_named(events, order)
    of_refund = events_named(events, refund) if refund is not None else of_order[:0]
    if refund is not None and (refund == order or len(np.intersect1d(of_order, of_refund))):
        raise ConvergekitError(
            f"refund must be other events than the order's; got {refund!r} for orders "
            f"that are {order!r}."
        )
    places = {
        "order": (of_order, value),
        "refund": (of_refund, value if refund_value is None else refund_value),
    }
    money = {name: _amounts(events, at, column) for name, (at, column) in places.items()}
    below = of_refund[money["refund"] < 0]
    if len(below):
        raise ConvergekitError(
            f"{counted(len(below), 'refund')} of {title_of(refund or 'refund')!r} are below zero, "
            f"the first in {row_of(events, below[0])}. Make them positive: a refund's amount is "
            "subtracted."
        )
    both, code = to_one_currency(
        events,
        np.concatenate([of_order, of_refund]),
        np.concatenate([money["order"], money["refund"]]),
        currency,
        rates,
    )
    money = dict(zip(places, np.split(both, [len(of_order)]), strict=True))

    left_out: dict[str, int] = {}
    frames: dict[str, Any] = {}
    for name, (at, column) in places.items():
        frame = _frame(events, at, profile, money[name])
        known = frame[["profile_id", "timestamp"]].notna()
        left_out[f"{name}s without a profile"] = int((~known["profile_id"]).sum())
        left_out[f"{name}s without a time"] = int((known["profile_id"] & ~known["timestamp"]).sum())
        inside = observed.holds(microseconds(frame["timestamp"]))
        left_out[f"{name}s {BEYOND}"] = int((known.all(axis=1) & ~inside).sum())
        frame = frame[known.all(axis=1) & inside].sort_values(
            ["profile_id", "timestamp", "arrival"]
        )
        if name == "refund":
            ours = frame["profile_id"].isin(frames["order"]["profile_id"])
            left_out["refunds of profiles without an order"] = int((~ours).sum())
            frame = frame[ours]
        if column is not None:
            left_out[f"{name}s without an amount"] = int(frame["amount"].isna().sum())
        frames[name] = frame.drop(columns="arrival").fillna({"amount": 0.0}).reset_index(drop=True)
    orders = frames["order"]
    return Orders(
        orders=orders.assign(number=orders.groupby("profile_id").cumcount() + 1),
        refunds=frames["refund"],
        left_out={what: count for what, count in left_out.items() if count},
        # Of amounts whose currency nobody named it is only known that they may be added up.
        currency="" if currency is None else code,
    )


def _frame(events: pd.DataFrame, at: IntArray, profile: str, amount: FloatArray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "profile_id": events[profile].array.take(at),
            "timestamp": events["timestamp"].array.take(at),
            "row": _rows(events)[at],
            "amount": amount,
            "arrival": order_of_arrival(events, at),
        }
    )


def _check_money(
    value: str | None,
    refund: StepLike | None,
    refund_value: str | None,
    currency: str | None,
    rates: Mapping[str, float] | None,
) -> None:
    for name, given, lacking, needed in (
        ("refund_value", refund_value, "refund", refund),
        ("refund", refund, "value", value),
    ):
        if given is not None and needed is None:
            raise ConvergekitError(f"{name}= needs {lacking}= too; got {name}={given!r} alone.")
    check_rates(value, currency, rates)


def _amounts(events: pd.DataFrame, at: IntArray, column: str | None) -> FloatArray:
    """Return the amounts of these events, not a number where they have none."""
    if column is None:
        return np.full(len(at), np.nan)
    return amounts_at(events, at, column)


def _rows(events: pd.DataFrame) -> Any:
    return events["row"].to_numpy() if "row" in events else np.arange(len(events))

"""The orders and refunds of customers: profile, time and amount, in one currency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from convergekit.base.wording import counted
from convergekit.checks.money import currency_codes, most_first
from convergekit.errors import ConvergekitError
from convergekit.events.amounts import amounts, events_named
from convergekit.events.steps import StepLike, resolve_column, title_of
from convergekit.events.timestamps import order_of_arrival
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
            f"the first in {_row(events, below[0])}. Make them positive: a refund's amount is "
            "subtracted."
        )
    code = ""
    if currency is not None:
        at = np.concatenate([of_order, of_refund])
        paid = at[np.nan_to_num(np.concatenate([money["order"], money["refund"]])) != 0]
        factor, code = _factors(events, paid, currency, rates)
        money = {name: money[name] * factor[at] for name, (at, _) in places.items()}

    left_out: dict[str, int] = {}
    frames: dict[str, Any] = {}
    for name, (at, column) in places.items():
        frame = _frame(events, at, profile, money[name])
        known = frame[["profile_id", "timestamp"]].notna()
        left_out[f"{name}s without a profile"] = int((~known["profile_id"]).sum())
        left_out[f"{name}s without a time"] = int((known["profile_id"] & ~known["timestamp"]).sum())
        frame = frame[known.all(axis=1)].sort_values(["profile_id", "timestamp", "arrival"])
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
        currency=code,
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
        ("currency", currency, "value", value),
        ("rates", rates, "currency", currency),
        ("refund", refund, "value", value),
    ):
        if given is not None and needed is None:
            raise ConvergekitError(f"{name}= needs {lacking}= too; got {name}={given!r} alone.")
    if rates is not None and not isinstance(rates, Mapping):
        raise ConvergekitError(
            f"rates must say what one of each currency is worth, such as {{'EUR': 1, 'USD': "
            f"0.9}}; got {rates!r}."
        )
    for code, rate in (rates or {}).items():
        if not isinstance(rate, (int, float)) or not 0 < rate < np.inf:
            raise ConvergekitError(
                f"rates must give a number above zero for {code!r}; got {rate!r}."
            )


def _amounts(events: pd.DataFrame, at: IntArray, column: str | None) -> FloatArray:
    """Return the amounts of these events, not a number where they have none."""
    if column is None:
        return np.full(len(at), np.nan)
    found = amounts(events, column)[at]
    found[events[resolve_column(events, column)].isna().to_numpy()[at]] = np.nan
    return found


def _factors(
    events: pd.DataFrame, paid: IntArray, currency: str, rates: Mapping[str, float] | None
) -> tuple[FloatArray, str]:
    """Return by what each event's amount is multiplied, and in which currency it then is."""
    column = resolve_column(events, currency, option="currency")
    codes = currency_codes(events[column].iloc[paid])
    unsaid = paid[codes.isna().to_numpy()]
    if len(unsaid):
        raise ConvergekitError(
            f"{counted(len(unsaid), 'amount')} without a currency in {column!r}, the first in "
            f"{_row(events, unsaid[0])}. Fill the column in before stitching, or leave out "
            "currency= if all amounts are in one."
        )
    found = most_first(codes)
    factors = np.ones(len(events))
    if rates is None:
        if len(found) > 1:
            counts = ", ".join(f"{code} ({count:,})" for code, count in found.items())
            example = {code: 1.0 if not place else "..." for place, code in enumerate(found.index)}
            raise ConvergekitError(
                f"amounts of several currencies in {column!r}: {counts}. They cannot be added up; "
                f"say what one of each is worth: rates={example}."
            )
        return factors, str(found.index[0]) if len(found) else ""
    worth = {str(code).strip().upper(): float(rate) for code, rate in rates.items()}
    lacking = [str(code) for code in found.index if code not in worth]
    if lacking:
        raise ConvergekitError(
            f"rates must say what one {', '.join(lacking)} is worth too; {column!r} holds amounts "
            "in it."
        )
    factors[paid] = codes.map(worth).to_numpy(dtype=float)
    base = [code for code, rate in worth.items() if rate == 1]
    return factors, base[0] if len(base) == 1 else ""


def _rows(events: pd.DataFrame) -> Any:
    return events["row"].to_numpy() if "row" in events else np.arange(len(events))


def _row(events: pd.DataFrame, at: int) -> str:
    return f"row {_rows(events)[at]}"

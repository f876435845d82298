"""Orders and refunds as numbers: whose, when, how much, and which are of new customers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from convergekit.base.grouping import NumberedText, number
from convergekit.base.text import as_text, folded, to_arrow
from convergekit.base.wording import counted
from convergekit.errors import ConvergekitError
from convergekit.events.amounts import amounts_at, events_named
from convergekit.events.currencies import row_of, to_one_currency
from convergekit.events.observed import BEYOND, Observed
from convergekit.events.schema import PROFILE_PROPERTY, PROPERTY
from convergekit.events.steps import resolve_column, title_of
from convergekit.events.timestamps import microseconds, order_of_arrival
from convergekit.identity.tables import StitchedEvents, observed_of
from convergekit.marketing.question import MarketingQuestion
from convergekit.typing import BoolArray, FloatArray, IntArray

#: Where an order says the address of who ordered.
_ADDRESSES = tuple(
    prefix + name for name in ("$email", "email") for prefix in (PROFILE_PROPERTY, PROPERTY)
)
#: As much is added up exactly.
_MOST_CENTS = 2.0**62


@dataclass(frozen=True)
class Sales:
    """The orders that are counted, and their refunds.

    Attributes
    ----------
    position, profile, time, arrival, cents : numpy.ndarray of int
        Of each order: its event, its profile (-1 for none), microseconds since 1970, its place in
        the order of arrival, and what it is worth.
    customer : numpy.ndarray of int
        Who ordered, as `new` counts customers: the profile or the address; -1 if unknown.
    first : numpy.ndarray of bool
        Which orders are the first of their customer in the data.
    refund_time, refund_cents, refund_order : numpy.ndarray of int
        Of each refund: when it was, how much, and of which of the orders.
    currency : str
        Of all amounts; empty if unknown.
    left_out : dict of str to int
        Orders and refunds that are not among these, or have no amount.
    """

    position: IntArray
    profile: IntArray
    time: IntArray
    arrival: IntArray
    cents: IntArray
    customer: IntArray
    first: BoolArray
    refund_time: IntArray
    refund_cents: IntArray
    refund_order: IntArray
    currency: str
    left_out: dict[str, int]

    def refunded(self) -> IntArray:
        """Return what was refunded of each order."""
        total = np.zeros(len(self.cents), dtype=np.int64)
        np.add.at(total, self.refund_order, self.refund_cents)
        return total


@dataclass(frozen=True)
class SoldEvents:
    """The events among which orders and refunds are.

    Attributes
    ----------
    events : pandas.DataFrame
        All, or the orders and refunds alone, by `row`.
    profile : numpy.ndarray of int
        The profile of each, -1 for none.
    observed : Observed
        From when to when profiles are observed.
    whole : SoldEvents or None
        The orders of all events of the profiles, where a segment leaves some of these out.
    """

    events: pd.DataFrame
    profile: IntArray
    observed: Observed
    whole: SoldEvents | None

    @classmethod
    def of(cls, s: StitchedEvents) -> SoldEvents:
        """Return all events."""
        whole = None if s.whole is s else cls.of(s.whole)
        return cls(s.events, s.resolution.profile, observed_of(s), whole)


def sales_of(s: SoldEvents, asked: MarketingQuestion) -> Sales:
    """Return the orders and refunds. See `Stitched.marketing`.

    Parameters
    ----------
    s : SoldEvents
    asked : MarketingQuestion

    Raises
    ------
    UnknownNameError
        No event is of a name that was given.
    ColumnError
        No column, or more than one, matches a property's name.
    ConvergekitError
        Amounts cannot be added up, or a refund is below zero.
    """
    events = s.events
    every = events_named(events, asked.conversion)
    refunds = events_named(events, asked.refund) if asked.refund is not None else every[:0]
    if len(np.intersect1d(every, refunds)):
        raise ConvergekitError(
            f"refund must be other events than the orders; got {asked.refund!r} for orders that "
            f"are {asked.conversion!r}."
        )
    amounts, code = _amounts(s, asked, every, refunds)
    left_out: dict[str, int] = {}
    kept = _kept(s, every, "orders", left_out)
    left_out["orders without an amount, which count as worth 0"] = int(
        np.isnan(amounts[: len(every)][kept]).sum()
    )
    cents = _cents(amounts, events, np.concatenate([every, refunds]), asked.value)
    position, profile = every[kept], s.profile[every[kept]]
    time = microseconds(events["timestamp"].iloc[position])
    arrival = order_of_arrival(events, position)
    customer = profile
    if asked.new == "first_by_address":
        customer = _addresses(events, position)
        left_out["orders without an address, which are of no new customer"] = int(
            (customer < 0).sum()
        )
    again = _kept(s, refunds, "refunds", left_out)
    of_refund = refunds[again]
    refund_time = microseconds(events["timestamp"].iloc[of_refund])
    order = _orders_of(s, asked, (position, profile, time, arrival), (of_refund, refund_time))
    left_out["refunds of no order"] = int((order < 0).sum())
    known = order >= 0
    return Sales(
        position=position,
        profile=profile,
        time=time,
        arrival=arrival,
        cents=cents[: len(every)][kept],
        customer=customer,
        first=_first_orders(s, asked, position, _firsts(customer, time, arrival)),
        refund_time=refund_time[known],
        refund_cents=cents[len(every) :][again][known],
        refund_order=order[known],
        currency=code,
        left_out={what: count for what, count in left_out.items() if count},
    )


def _amounts(
    s: SoldEvents, asked: MarketingQuestion, orders: IntArray, refunds: IntArray
) -> tuple[FloatArray, str]:
    """Return the amounts of orders and then of refunds, in one currency, and which that is."""
    events = s.events
    of_orders = amounts_at(events, orders, asked.value)
    for name in asked.minus:
        of_orders = of_orders - np.nan_to_num(_minus(events, orders, name))
    of_refunds = amounts_at(events, refunds, asked.refund_value or asked.value)
    below = refunds[of_refunds < 0]
    if len(below):
        raise ConvergekitError(
            f"{counted(len(below), 'refund')} of {title_of(asked.refund or 'refund')!r} are below "
            f"zero, the first in {row_of(events, below[0])}. Make them positive: a refund's amount "
            "is subtracted."
        )
    return to_one_currency(
        events,
        np.concatenate([orders, refunds]),
        np.concatenate([of_orders, of_refunds]),
        asked.currency,
        asked.rates,
    )


def _minus(events: pd.DataFrame, at: IntArray, name: str) -> FloatArray:
    resolve_column(events, name, option="minus")
    return amounts_at(events, at, name)


def _cents(amounts: FloatArray, events: pd.DataFrame, at: IntArray, value: str) -> IntArray:
    cents = np.rint(np.nan_to_num(amounts) * 100)
    if np.abs(cents).sum() > _MOST_CENTS:
        largest = at[np.abs(cents).argmax()]
        raise ConvergekitError(
            f"value={value!r}: the amounts are too large to be added up to the cent, the largest "
            f"in {row_of(events, largest)}. Correct it, or leave such events out with "
            "ck.Step(name, where=...)."
        )
    return cents.astype(np.int64)


def _kept(s: SoldEvents, at: IntArray, what: str, left_out: dict[str, int]) -> BoolArray:
    """Return which events have a time at which the data are observed."""
    times = s.events["timestamp"].iloc[at]
    timed = times.notna().to_numpy(dtype=bool)
    inside = s.observed.holds(microseconds(times))
    left_out[f"{what} without a time"] = int((~timed).sum())
    left_out[f"{what} {BEYOND}"] = int((timed & ~inside).sum())
    return timed & inside


def _addresses(events: pd.DataFrame, at: IntArray) -> IntArray:
    """Return the number of the e-mail address of each order, -1 where it says none."""
    found = NumberedText(np.full(len(at), -1), pd.Series([], dtype="str"))
    for column in (*_ADDRESSES, "alias.email"):
        if column in events:
            cells = pd.Series(events[column].array.take(at))
            sent = NumberedText.of(as_text(cells)[0])
            plain = pd.Series(folded(to_arrow(sent.distinct)), dtype="str")
            found = found.or_else(sent.mapped(plain.mask(~plain.str.contains("@"))))
    return found.codes


def _firsts(customer: IntArray, time: IntArray, arrival: IntArray) -> BoolArray:
    """Return which orders are their customer's first, by time, then arrival."""
    first = np.zeros(len(customer), dtype=bool)
    order = np.lexsort((arrival, time, customer))
    order = order[customer[order] >= 0]
    if len(order):
        starts = np.append(True, customer[order][1:] != customer[order][:-1])
        first[order[starts]] = True
    return first


def _first_orders(
    s: SoldEvents, asked: MarketingQuestion, position: IntArray, first: BoolArray
) -> BoolArray:
    """Return which orders are their customer's first in all the data.

    A segment may lack the events of the first one: then its customer is not new in it.
    """
    whole = s.whole
    if whole is None:
        return first
    every = events_named(whole.events, asked.conversion)
    at = every[_kept(whole, every, "orders", {})]
    by_address = asked.new == "first_by_address"
    customer = _addresses(whole.events, at) if by_address else whole.profile[at]
    time = microseconds(whole.events["timestamp"].iloc[at])
    firsts = at[_firsts(customer, time, order_of_arrival(whole.events, at))]
    return np.isin(s.events["row"].to_numpy()[position], whole.events["row"].to_numpy()[firsts])


def firsts_in(period: IntArray, sales: Sales) -> BoolArray:
    """Return which orders are the first of their profile in each period.

    Parameters
    ----------
    period : numpy.ndarray of int
        Of each order.
    sales : Sales
    """
    first = np.zeros(len(period), dtype=bool)
    order = np.lexsort((sales.arrival, sales.time, period, sales.profile))
    order = order[sales.profile[order] >= 0]
    keys = np.stack([sales.profile[order], period[order]])
    if len(order):
        first[order[np.append(True, (keys[:, 1:] != keys[:, :-1]).any(axis=0))]] = True
    return first


def _orders_of(
    s: SoldEvents,
    asked: MarketingQuestion,
    orders: tuple[IntArray, IntArray, IntArray, IntArray],
    refunds: tuple[IntArray, IntArray],
) -> IntArray:
    """Return the order that each refund is of: the one it names, or its profile's latest before."""
    (position, profile, time, arrival), (at, when) = orders, refunds
    if not len(at) or not len(position):
        return np.full(len(at), -1, dtype=np.int64)
    if asked.order_id is not None:
        return _named(s.events, asked.order_id, position, at)
    order = np.lexsort((arrival, time, profile))
    order = order[profile[order] >= 0]
    ranks = np.sort(time)
    width = len(ranks) + 1
    key = profile[order] * width + np.searchsorted(ranks, time[order], side="right")
    whose = s.profile[at]
    place = np.searchsorted(
        key, whose * width + np.searchsorted(ranks, when, side="right"), side="right"
    )
    found = np.append(order, -1)[place - 1]
    same = (place > 0) & (whose >= 0) & (profile[found] == whose)
    return np.where(same, found, -1)


def _named(events: pd.DataFrame, name: str, orders: IntArray, refunds: IntArray) -> IntArray:
    """Return the order whose property has the text of each refund's."""
    column = resolve_column(events, name, option="order_id")
    cells = pd.Series(events[column].array.take(np.concatenate([orders, refunds])))
    codes, _ = number(as_text(cells)[0])
    ids = pd.DataFrame({"id": codes[: len(orders)], "order": np.arange(len(orders))})
    # One ID of several orders says none of them.
    ids = ids[ids["id"] >= 0].drop_duplicates("id", keep=False).set_index("id")["order"]
    found = pd.Series(codes[len(orders) :]).map(ids)
    return found.fillna(-1).astype("int64").to_numpy()

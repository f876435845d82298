"""Customers: first orders, repeat orders and their times, and lifetime value.

A customer is a profile with an order. An order is an event of the name that was given, each one
once; it remains an order when it is refunded, and the refund lessens what its customer is worth.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from convergekit.activity.clocks import Clock
from convergekit.activity.events import Chosen
from convergekit.activity.labels import Labels
from convergekit.activity.retention import cohort_table
from convergekit.base.proportions import check_confidence
from convergekit.base.survival import kaplan_meier
from convergekit.base.wording import counted
from convergekit.certainty.asked import AskedOf
from convergekit.customers.orders import find_orders
from convergekit.errors import ColumnError, ConvergekitError
from convergekit.events.calendar import Calendar
from convergekit.events.observed import Observed, observed
from convergekit.events.steps import StepLike, title_of
from convergekit.events.timestamps import microseconds
from convergekit.figures.card import Result
from convergekit.figures.description import with_shares
from convergekit.figures.frame import DrawnFrame
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import IntArray

if TYPE_CHECKING:
    from convergekit.certainty.result import AnswerBounds
    from convergekit.figures.style import Style

_DAY = pd.Timedelta(days=1)
# Finer than any currency is divided.
_MOST_DECIMALS = 6
# As many months as a card has rows for.
_MOST_MONTHS = 12


def customers(
    events: pd.DataFrame,
    order: StepLike = "Placed Order",
    value: str | None = "total_price",
    refund: StepLike | None = None,
    currency: str | None = None,
    rates: Mapping[str, float] | None = None,
    *,
    refund_value: str | None = None,
    profile: str = "profile_id",
    calendar: Calendar | None = None,
    data_end: pd.Timestamp | None = None,
    span: Observed | None = None,
) -> Customers:
    """Return customers' orders. See `Stitched.customers`.

    Parameters
    ----------
    events : pandas.DataFrame
        With `event_name`, `timestamp` (datetime) and a column of profiles.
    order : str, sequence of str, or Step, default "Placed Order"
    value : str, optional
    refund : str, sequence of str, or Step, optional
    currency : str, optional
    rates : mapping of str to float, optional
    refund_value : str, optional
    profile : str, default "profile_id"
        The column that names each event's profile; rows without a value are left out.
    calendar : Calendar, optional
        In which days, weeks and months the answers are; those of UTC when absent.
    data_end : pandas.Timestamp, optional
        Until when customers are observed; until the last event when absent.
    span : Observed, optional
        From when to when, where the events are some of more.

    Returns
    -------
    Customers

    Examples
    --------
    >>> import pandas as pd
    >>> events = pd.DataFrame({
    ...     "profile_id": ["a", "a", "b"],
    ...     "event_name": "Placed Order",
    ...     "timestamp": pd.to_datetime(["2026-03-02", "2026-03-20", "2026-03-02"]),
    ...     "total_price": [10.0, 20.0, 5.0],
    ... })
    >>> customers(events)
    Customers(2 customers with 3 orders; 1 ordered again)
    """
    for column in ("event_name", "timestamp", profile):
        if column not in events:
            raise ColumnError(f"no column {column!r}; found: {', '.join(map(str, events.columns))}")
    span = span or observed(events, data_end)
    found = find_orders(events, profile, order, value, refund, refund_value, currency, rates, span)
    return Customers(
        order=title_of(order),
        currency=found.currency,
        left_out=found.left_out,
        data_end=span.end,
        _orders=found.orders,
        _refunds=found.refunds,
        _has_value=value is not None,
        calendar=calendar or Calendar(),
    )


def customers_of_stitched(
    s: StitchedEvents,
    order: StepLike,
    value: str | None,
    refund: StepLike | None,
    currency: str | None,
    rates: Mapping[str, float] | None,
    *,
    refund_value: str | None,
    calendar: Calendar,
) -> Customers:
    """Return customers' orders, of stitched events. See `Stitched.customers`."""
    found = customers(
        s.events,
        order,
        value,
        refund,
        currency,
        rates,
        refund_value=refund_value,
        calendar=calendar,
        data_end=s.data_end,
    )
    return replace(found, _asked=AskedOf.of(s, True))


@dataclass(frozen=True, eq=False, repr=False)
class Customers(Result):
    """Customers and their orders: how often, when and for how much.

    Attributes
    ----------
    order : str
        The name of the event that is an order.
    currency : str
        Of the amounts; empty if unknown.
    left_out : dict of str to int
        Orders and refunds without a profile, of profiles that never ordered, or without an
        amount, which then counts as 0.
    data_end : pandas.Timestamp
        The time of the last event, of any name, whose clock is not evidently wrong: until then
        customers are observed. Of a segment of profiles, that of the whole.
    calendar : Calendar
        The time zone and the first day of the week of all periods.
    """

    _shares: ClassVar[Mapping[str, str]] = {"ordered_again": "customers"}

    order: str
    currency: str
    left_out: dict[str, int]
    data_end: pd.Timestamp
    _orders: pd.DataFrame
    _refunds: pd.DataFrame
    _has_value: bool
    calendar: Calendar = field(default_factory=Calendar)
    _asked: AskedOf[bool] = field(default_factory=AskedOf)

    def _described_numbers(self) -> dict[str, Any]:
        number = self._orders["number"]
        again = {"ordered_again": int((number == 2).sum())}
        return {"customers": int((number == 1).sum()), "orders": len(number), **again}

    def _described_tables(self) -> dict[str, pd.DataFrame]:
        return {"new_and_returning": pd.DataFrame(self.new_and_returning())}

    def _line(self) -> str:
        orders = self._orders
        again = int((orders["number"] == 2).sum())
        customers = counted(int((orders["number"] == 1).sum()), "customer")
        return (
            f"Customers({customers} with {counted(len(orders), 'order')}; {again:,} ordered again)"
        )

    def _body(self) -> Iterable[pd.DataFrame | str]:
        months = pd.DataFrame(self.new_and_returning("M").tail(_MOST_MONTHS))
        # Not by `strftime`, which names months in the language that the process is set to.
        names = months["period"].dt.month_name() + months["period"].dt.strftime(" %Y")
        months["period"] = names.mask(~months["complete"], names + ", to date")
        months = months.drop(columns="complete").rename(columns={"period": "month"})
        said = [f"{what}: {number:,}" for what, number in self.left_out.items()]
        if self.calendar != Calendar():
            said.append(f"calendar: {self.calendar}")
        return (*said, months)

    def new_and_returning(self, freq: str = "M") -> DrawnFrame:
        """Count new and returning customers in each period.

        Parameters
        ----------
        freq : str, default "M"
            A pandas period such as ``"D"``, ``"W"`` or ``"M"`` of the calendar.

        Returns
        -------
        pandas.DataFrame
            One row per period from that of the first order to that of the end of the data:
            `period` (its start), `new` (customers whose first order is in it), `returning` (other
            customers with an order in it), `new_orders` and `returning_orders` (all orders of
            these), `new_value` and `returning_value` (their amounts, without refunds),
            and `complete`: whether the period had ended when the data did. Its
            ``plot(template=...)`` returns a figure.
        """
        orders = self._orders
        periods = self.calendar.periods(orders["timestamp"], freq)
        is_new = periods == periods.groupby(orders["profile_id"]).transform("min")
        kind = pd.Series(np.where(is_new, "new", "returning"), index=orders.index)
        grouped = orders.assign(period=periods, kind=kind).groupby(["period", "kind"])
        every = self._every_period(periods, freq)
        found = {
            "": grouped["profile_id"].nunique(),
            "_orders": grouped.size(),
            **({"_value": grouped["amount"].sum()} if self._has_value else {}),
        }
        table = pd.DataFrame({"period": every.start_time})
        for suffix, counts in found.items():
            for name in ("new", "returning"):
                of_kind = counts[counts.index.get_level_values("kind") == name]
                filled = of_kind.droplevel("kind").reindex(every, fill_value=0)
                table[name + suffix] = filled.to_numpy()
        table["complete"] = np.asarray(self.calendar.end(every) <= self._end)
        return DrawnFrame.of(
            table,
            partial(_new_and_returning_figure, freq=freq),
            ["period", "new", "returning", "complete"],
        )

    def bounds(self, freq: str = "M", level: float = 0.9) -> AnswerBounds:
        """Say how far new and returning customers can be from people, and estimate these.

        Who orders under another address counts as a new customer, and people who share a device may
        count as one. [How sure is it](../how-sure.md) explains the method.

        Parameters
        ----------
        freq : str, default "M"
            As `new_and_returning` takes it.
        level : float, default 0.9
            How often the interval is meant to hold the true number.

        Returns
        -------
        AnswerBounds
            Two rows per period, of ``"new"`` and ``"returning"`` customers (`kind`).

        Raises
        ------
        ConvergekitError
            They are of a segment or of another identity than ``"retroactive"``, or were saved and
            loaded.

        See Also
        --------
        Funnel.bounds : The same of a funnel.

        Examples
        --------
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store(people=1500).events)
        >>> s.customers().bounds()
        AnswerBounds(customers by period and kind: 2 numbers, intervals at 90%)
        """
        from convergekit.customers.bounds import bounds_of_customers

        periods = self.calendar.periods(self._orders["timestamp"], freq)
        every = self._every_period(periods, freq)
        return bounds_of_customers(self._asked, self._orders, periods, every, level)

    def repeat_purchases(
        self, orders: Sequence[int] = (2, 3), *, confidence: float = 0.95
    ) -> DrawnFrame:
        """Estimate the share of customers who ordered again, by days since their first order.

        Parameters
        ----------
        orders : sequence of int, default (2, 3)
            Which orders to estimate: the second, the third ...
        confidence : float, default 0.95

        Returns
        -------
        pandas.DataFrame
            One row per `order` and whole number of `days`, as far as any customer is observed:
            `share` of customers who have their second (third ...) order by then, its confidence
            interval `low` to `high`, to six digits (missing where none or all of them have), and
            `at_risk`: how many are observed for so long and have not ordered before that. Its
            ``plot(template=...)`` returns a figure.

        Notes
        -----
        Customers are observed from their first order to the end of the data, some for a year and
        some for a day. Who has not ordered again is censored there: it is not known whether they
        will. The share is one minus the Kaplan-Meier estimate, which counts each for as long
        as they are observed, and the interval is Greenwood's on the log-log scale; both are those
        of `scipy.stats.ecdf`. It holds if those who came lately are like those before them.
        """
        given = orders if isinstance(orders, Sequence) else [None]
        if not given or any(not isinstance(number, int) or number < 2 for number in given):
            raise ConvergekitError(
                f"orders must be whole numbers from 2, such as (2, 3); got {orders!r}."
            )
        check_confidence(confidence)
        first = self._time_of(1)
        observed = self._end - first
        days = np.arange(observed.max() // _DAY + 1 if len(observed) else 0)
        parts = []
        for number in dict.fromkeys(orders):
            waited = self._time_of(number).reindex(first.index) - first
            part = {"order": number, "days": days}
            table = pd.DataFrame({**part, **_reached(waited, observed, days, confidence)})
            # Where no customer is observed any more, nothing is known.
            parts.append(table[table["at_risk"] > 0])
        figure = partial(_repeat_figure, customers=len(first))
        found = DrawnFrame.of(pd.concat(parts, ignore_index=True), figure)
        found.attrs["numbers"] = {"customers": len(first)}
        return with_shares(found, {"share": "customers"})

    def retention(self) -> DrawnFrame:
        """Return cohort retention: the share of each month's customers who order in later months.

        Returns
        -------
        pandas.DataFrame
            One row per `cohort` (the start of the calendar month of the first order)
            and `months` since, up to the end of the data: `customers` of the cohort, how many of
            them are `active` (have an order in that month), `share`, and `complete`: whether the
            month had ended when the data did; more may follow if not. In the month of the first
            order every customer is active. Its ``plot(template=...)`` returns a figure.
        """
        orders = self._orders
        profile, _ = pd.factorize(orders["profile_id"])
        times = microseconds(pd.to_datetime(orders["timestamp"], utc=True))
        every = Chosen(np.arange(len(orders)), profile.astype(np.int64), times)
        first = every.take(np.flatnonzero(orders["number"] == 1))
        clock = Clock.of("M", "calendar", self.calendar)
        labels = Labels.of(pd.DataFrame(), len(first.profile), None)
        table = cohort_table(first, every, self._end, clock, "on", labels).rename(
            columns={"periods": "months", "profiles": "customers", "returned": "active"}
        )
        return DrawnFrame.of(table, _retention_figure, shares={"share": "customers"})

    def lifetime_value(self) -> DrawnFrame:
        """Return each customer's lifetime value to date, highest first.

        Returns
        -------
        pandas.DataFrame
            One row per customer: `profile_id`, `first_order`, `last_order`, `orders`, `refunds`,
            `ordered` (what the orders amount to), `refunded`, and `value`, the one less the
            other. Its ``plot(template=...)`` returns a figure.

        Raises
        ------
        ConvergekitError
            `value` was not given.
        """
        if not self._has_value:
            raise ConvergekitError(
                "the value of customers needs value=; name the property that holds an order's "
                "amount."
            )
        grouped = self._orders.groupby("profile_id")
        taken = self._refunds.groupby("profile_id")["amount"]
        table = pd.DataFrame(
            {
                "first_order": grouped["timestamp"].min(),
                "last_order": grouped["timestamp"].max(),
                "orders": grouped.size(),
                "refunds": taken.size(),
                "ordered": grouped["amount"].sum(),
                "refunded": taken.sum(),
            }
        )
        table = table.fillna({"refunds": 0, "refunded": 0.0}).astype({"refunds": "int64"})
        # What a sum of floats leaves of an order that was refunded in parts is not money; and
        # minus zero is zero.
        table["value"] = (table["ordered"] - table["refunded"]).round(_MOST_DECIMALS) + 0.0
        table = table.rename_axis("profile_id").reset_index()
        return DrawnFrame.of(
            table.sort_values(["value", "profile_id"], ascending=[False, True], ignore_index=True),
            partial(_value_figure, currency=self.currency),
            ["value"],
        )

    @property
    def _end(self) -> pd.Timestamp:
        return pd.to_datetime(self.data_end, utc=True)

    def _time_of(self, number: int) -> pd.Series:
        """Return when each customer ordered for the nth time, by profile."""
        orders = self._orders[self._orders["number"] == number]
        times = pd.to_datetime(orders["timestamp"], utc=True)
        return times.set_axis(orders["profile_id"])

    def _every_period(self, periods: pd.Series, freq: str) -> pd.PeriodIndex:
        if not len(periods):
            return pd.PeriodIndex([], freq=periods.dt.freq)
        return pd.period_range(periods.min(), self._last(freq))

    def _last(self, freq: str) -> Any:
        """Return the period in which the data end."""
        return self.calendar.periods(pd.Series([self._end]), freq).iloc[0]


def _reached(
    waited: pd.Series, observed: pd.Series, days: IntArray, confidence: float
) -> dict[str, Any]:
    """Return the share that has got there by each day, its interval, and who is at risk.

    Who has not, is censored at the end of the time in which they are observed.
    """
    time = waited.fillna(observed).astype("timedelta64[us]").astype("int64").to_numpy()
    curve = kaplan_meier(time, waited.notna().to_numpy(dtype=bool), confidence)
    at = days * (_DAY // pd.Timedelta(microseconds=1))
    place = curve.places(at)
    share = np.append(curve.share, 0.0)[place]
    some = (share > 0) & (share < 1)
    low, high = (np.where(some, edge[place], np.nan) for edge in (curve.low, curve.high))
    # Who is observed up to a day between two times of the curve is so at its next time.
    at_risk = np.append(curve.at_risk, 0)[np.searchsorted(curve.time, at)]
    return {"share": share, "low": low, "high": high, "at_risk": at_risk}


def _new_and_returning_figure(table: pd.DataFrame, style: Style, *, freq: str) -> Any:
    from convergekit.customers.figures import new_and_returning_figure

    return new_and_returning_figure(table, freq, style)


def _repeat_figure(table: pd.DataFrame, style: Style, *, customers: int) -> Any:
    from convergekit.customers.figures import repeat_figure

    return repeat_figure(table, customers, style)


def _retention_figure(table: pd.DataFrame, style: Style) -> Any:
    from convergekit.customers.figures import retention_figure

    return retention_figure(table, style)


def _value_figure(table: pd.DataFrame, style: Style, *, currency: str) -> Any:
    from convergekit.customers.figures import value_figure

    return value_figure(table, currency, style)

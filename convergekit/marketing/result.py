"""`Marketing`: what was spent, what it brought, and when it paid back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

import numpy as np
import pandas as pd

from convergekit.activity.clocks import Clock
from convergekit.base.durations import Duration, parse_duration
from convergekit.base.options import choice
from convergekit.base.wording import counted, period_word
from convergekit.certainty.asked import AskedOf
from convergekit.events.calendar import Calendar
from convergekit.figures.card import Result
from convergekit.figures.frame import DrawnFrame
from convergekit.marketing.cohorts import Acquired, curves
from convergekit.marketing.costs import PARTS
from convergekit.marketing.matches import SpendMatches
from convergekit.marketing.means import weighted_means
from convergekit.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from convergekit.certainty.result import AnswerBounds
    from convergekit.figures.figure import Figure
    from convergekit.figures.style import Style, Template

#: A pay-back curve for each cohort, or for each group.
Each: TypeAlias = Literal["cohort", "group"]

_DAY = 86_400_000_000
#: A curve has a row for every so many days.
_STEP = 7
#: As many groups as a card shows.
_MOST_ROWS = 12
_SHOWN = (
    *("spend", "visits", "orders", "revenue", "new_customers"),
    *("aov", "cpa", "cac", "roas", "nc_roas", "mer"),
)


@dataclass(frozen=True, eq=False, repr=False)
class Marketing(Result):
    """What was spent, and what it brought.

    ``docs/marketing.md`` defines each column.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per `period` (its start) and group that has spend, a visit or an order, those that
        cost most first: what it is grouped by, `spend`, `visits`, `orders` (credits), `revenue`,
        `new_customers`, `new_revenue`; `aov` with its interval `aov_low` to `aov_high`; `cpa`,
        `cac`, `roas`, `nc_roas` and `acos`, missing where nothing was spent; `mer`, the revenue
        of the whole period over its spend; `add_to_cart_rate`, `checkout_rate` and
        `conversion_rate` of visits with their intervals; `complete`, whether the events cover the
        period, and `spend_complete`, whether the spend does. With ``refund=``, `ordered` and
        `refunded` too. Its ``plot(template=...)`` returns a figure.
    periods : pandas.DataFrame
        The same of all groups together, a row per period.
    groups : pandas.DataFrame
        The same of all periods together, a row per group.
    matches : SpendMatches
        Which spend belongs to which visits.
    conversion : str
        The name of the event that is an order.
    by : list of str
        What the groups are.
    freq, model, dated, new : str
        As they were asked for.
    lookback : pandas.Timedelta
    currency : str
        Of all amounts; empty if unknown.
    left_out : dict of str to int
        What is not counted, and how many.
    remarks : list of str
        What is to be known before the numbers are used.
    data_end : pandas.Timestamp
        Until when orders are observed.
    calendar : Calendar
        The time zone and the first day of the week of all periods.
    """

    _shares: ClassVar[Mapping[str, str]] = {
        "aov": "orders",
        "aov_low": "orders",
        "aov_high": "orders",
        "cpa": "orders",
        "cac": "new_customers",
        "roas": "spend",
        "nc_roas": "spend",
        "acos": "revenue",
        "mer": "all_spend",
        "add_to_cart_rate": "visits",
        "checkout_rate": "visits",
        "conversion_rate": "visits",
    }

    table: DrawnFrame
    periods: DrawnFrame
    groups: pd.DataFrame
    matches: SpendMatches
    conversion: str
    by: list[str]
    freq: str
    model: str
    lookback: pd.Timedelta
    dated: str
    new: str
    currency: str
    left_out: dict[str, int]
    remarks: list[str]
    data_end: pd.Timestamp
    calendar: Calendar
    _acquired: Acquired
    _names: pd.DataFrame
    _rank: IntArray
    _spent: pd.DataFrame
    _clock: Clock
    _confidence: float
    _asked: AskedOf[Any] = field(default_factory=AskedOf)

    def _described_numbers(self) -> dict[str, Any]:
        names = ("spend", "revenue", "orders")
        return {f"all_{name}": float(self.groups[name].sum()) for name in names}

    def _described_tables(self) -> dict[str, pd.DataFrame]:
        return {"groups": self.groups, "periods": self.periods}

    def _line(self) -> str:
        spend, revenue = self.groups["spend"].sum(), self.groups["revenue"].sum()
        orders = counted(round(self.groups["orders"].sum()), "order")
        mer = f", MER {revenue / spend:.2f}" if spend > 0 else ""
        return (
            f"Marketing({self._money(spend)} spent, {orders} for {self._money(revenue)}{mer}; "
            f"{self.model} by {' and '.join(self.by)})"
        )

    def _body(self) -> Iterable[pd.DataFrame | str]:
        yield from (f"{what}: {number:,}" for what, number in self.left_out.items())
        yield from self.remarks
        yield self.groups[[*self.by, *_SHOWN]].head(_MOST_ROWS)
        if len(self.groups) > _MOST_ROWS:
            yield f"Not shown: {counted(len(self.groups) - _MOST_ROWS, 'group')} with less spend."
        open_ = int((~self.periods["complete"]).sum())
        if open_:
            word = period_word(self.freq)
            yield f"{counted(open_, word)} not complete; see `.periods`."

    def bounds(self, level: float = 0.9) -> AnswerBounds:
        """Say how far the return on spend can be from what people brought, and estimate it.

        Orders that no visit is known for, and visits on devices that never identified themselves,
        make spend look as if it had brought less. [How sure is it](../how-sure.md) explains the
        method.

        Parameters
        ----------
        level : float, default 0.9
            How often the interval is meant to hold the true number.

        Returns
        -------
        AnswerBounds
            Four rows per group, as `groups` has them (`measure`): ``"orders"``, ``"revenue"``,
            ``"roas"`` and ``"cpa"``; the last two through the bounds of the first, and missing
            where nothing was spent.

        Raises
        ------
        ConvergekitError
            The orders are of a segment, of another identity than ``"retroactive"``, or were saved
            and loaded.

        See Also
        --------
        Attribution.bounds : The same of credits.

        Examples
        --------
        >>> import convergekit as ck
        >>> store = ck.simulate_store(people=1500, spend=True)
        >>> euros = ck.Step("Placed Order", where={"currency": "EUR"})
        >>> m = ck.stitch(store.events).marketing(store.spend, conversion=euros)
        >>> m.bounds().of
        ['channel', 'measure']
        """
        from convergekit.marketing.bounds import bounds_of_marketing

        return bounds_of_marketing(self._asked, self.groups, self.by, level)

    def cohorts(self, within: Duration | None = None) -> pd.DataFrame:
        """Return what acquired customers cost and brought, by cohort and group.

        Parameters
        ----------
        within : str or datetime.timedelta, optional
            What counts of each customer: orders and refunds up to so long after the first order,
            such as ``"90D"``. A cohort of which not everybody is observed for so long is open, and
            its values are missing. Without it, what customers brought to date, whatever their age.

        Returns
        -------
        pandas.DataFrame
            One row per `cohort` (the start of the period of acquisition) and group: `customers`
            (shares of credit for first orders), the `spend` of that period and group on observed
            days, `cac`, `ltv` (the mean value of a customer, after refunds) with its interval
            `ltv_low` to `ltv_high`, `ltv_to_cac`, `observed_days` (for which all are observed),
            and `complete`. Spend that acquired nobody has a row too.

        Raises
        ------
        ConvergekitError
            `within` is not a positive duration.
        """
        acquired = self._acquired
        limit = None
        if within is not None:
            limit = int(parse_duration(within, name="within").value // 1000)
        cells, cell, spend = self._cells(["period", "group"])
        weight = acquired.weight
        customers = _customers(cell, weight, len(cells))
        value = acquired.value(limit)[acquired.customer] / 100
        sort = np.lexsort((weight, value, cell))
        ltv, low, high = weighted_means(
            cell[sort], weight[sort], value[sort], len(cells), self._confidence
        )
        last = _latest(cell, acquired.start[acquired.customer], len(cells))
        over = self._over(cells["period"].to_numpy())
        # Who comes later in an open period is observed for less still.
        observed = self._end - np.where(over, last, self._end)
        complete = over & ((limit is None) | (observed >= (limit or 0)))
        table = pd.DataFrame({"cohort": self._begin(cells["period"].to_numpy())})
        table = pd.concat([table, self._named(cells["group"].to_numpy())], axis=1)
        table["customers"], table["spend"] = np.round(customers, 9), spend
        table["cac"] = _ratio(spend, customers, spend > 0)
        shown = complete if limit is not None else np.ones(len(cells), dtype=bool)
        for name, numbers in (("ltv", np.round(ltv, 9)), ("ltv_low", low), ("ltv_high", high)):
            table[name] = np.where(shown & (customers > 0), numbers, np.nan)
        table["ltv_to_cac"] = (table["ltv"] / table["cac"]).astype("float64")
        # Of who was not acquired nothing is observed.
        table["observed_days"] = pd.array(observed // _DAY, dtype="Int64")
        table.loc[customers == 0, "observed_days"] = pd.NA
        table["complete"] = complete
        order = np.lexsort((self._rank[cells["group"].to_numpy()], cells["period"].to_numpy()))
        return table.take(order).reset_index(drop=True)

    def payback(self, each: Each = "cohort") -> DrawnFrame:
        """Return how much of their cost acquired customers have paid back, by age.

        Parameters
        ----------
        each : {"cohort", "group"}, default "cohort"
            A curve per cohort, with all groups together, or per group, with all cohorts together.

        Returns
        -------
        pandas.DataFrame
            One row per `cohort` or group, and age in `days`, every seven: `customers` who are
            observed for so long, `value` (the mean cumulative value of a customer by that age,
            after refunds) with its interval `low` to `high`, `cac`, `paid_back` (the one over the
            other), `complete` (whether all of the curve's customers are observed for so long), and
            `days_to_pay_back`, the same in all rows of a curve: at which age `value` was first at
            `cac`, missing if it was not. Its ``plot(template=...)`` returns a figure.

        Raises
        ------
        ConvergekitError
            `each` is neither of the two.

        Notes
        -----
        Customers are censored where the data end: at each age only those who are observed for so
        long count, as in the mean cumulative function of Nelson (1988). A curve that ended early
        is not one that stays flat.
        """
        choice("each", each, Each)
        acquired = self._acquired
        key = "period" if each == "cohort" else "group"
        cells, cell, spend = self._cells([key])
        customers = _customers(cell, acquired.weight, len(cells))
        cac = _ratio(spend, customers, spend > 0)
        watched = np.maximum(self._end - acquired.start, 0)
        days = np.arange(0, int(watched.max(initial=0)) // _DAY + 1, _STEP)
        found = curves(acquired, cell, len(cells), self._end, days * _DAY, cac, self._confidence)
        rows, ages = np.nonzero(found.at_risk > 0)
        names = cells[key].to_numpy()
        table = (
            pd.DataFrame({"cohort": self._begin(names)}) if each == "cohort" else self._named(names)
        )
        over = self._over(names) if each == "cohort" else np.ones(len(names), dtype=bool)
        reached = np.where(found.reached < 0, np.nan, np.ceil(found.reached / _DAY))
        table = table.take(rows).reset_index(drop=True)
        table["days"] = days[ages]
        table["customers"] = found.at_risk[rows, ages]
        for name in ("value", "low", "high"):
            table[name] = getattr(found, name)[rows, ages]
        table["cac"] = cac[rows]
        table["paid_back"] = (table["value"] / table["cac"]).astype("float64")
        all_of_them = np.abs(found.at_risk - customers[:, None]) < 1e-6
        table["complete"] = all_of_them[rows, ages] & over[rows]
        table["days_to_pay_back"] = reached[rows]
        rank = rows if each == "cohort" else self._rank[names][rows]
        table = table.take(np.lexsort((ages, rank))).reset_index(drop=True)
        draw = partial(_payback, each=each, by=self.by, freq=self.freq, currency=self.currency)
        return DrawnFrame.of(table, draw)

    def plot(
        self,
        *,
        template: Template = "auto",
        width: int | None = None,
        height: int | None = None,
    ) -> Figure:
        """Draw spend against return, a panel per group, by period.

        Parameters
        ----------
        template : str or plotly template, default "auto"
            "auto" follows the page's theme, "light" and "dark" do not; or any that plotly knows.
        width, height : int, optional
            Pixels. By default it is as wide as the page, and as high as what it shows.

        Returns
        -------
        plotly.graph_objects.Figure
        """
        return self.table.plot(template=template, width=width, height=height)

    def _money(self, amount: float) -> str:
        return f"{amount:,.2f} {self.currency}".strip()

    @property
    def _end(self) -> int:
        if pd.isna(self.data_end):
            return 0
        return int(pd.to_datetime(self.data_end, utc=True).as_unit("us").value // 1000)

    def _begin(self, periods: IntArray) -> Any:
        return self._clock.index(periods).start_time

    def _named(self, groups: IntArray) -> pd.DataFrame:
        return self._names.take(groups).reset_index(drop=True)

    def _over(self, periods: IntArray) -> Any:
        """Return which periods had ended when the data did."""
        end = self.calendar.end(self._clock.index(periods)).as_unit("us").asi8
        return end <= self._end

    def _cells(self, keys: list[str]) -> tuple[pd.DataFrame, IntArray, FloatArray]:
        """Return the cells that customers and spend are in, that of each credit, and the spend."""
        acquired = self._acquired
        own = pd.DataFrame({"period": acquired.period, "group": acquired.group})[keys]
        both = pd.concat([own, self._spent[keys]], ignore_index=True)
        cells = both.drop_duplicates().sort_values(keys).reset_index(drop=True)
        place = both.merge(cells.assign(cell=np.arange(len(cells))), on=keys, how="left")["cell"]
        place = place.to_numpy(dtype=np.int64)
        spend = np.zeros(len(cells), dtype=np.int64)
        np.add.at(spend, place[len(own) :], self._spent["spend"].to_numpy(dtype=np.int64))
        return cells, place[: len(own)], spend / PARTS


def _customers(cell: IntArray, weight: FloatArray, cells: int) -> FloatArray:
    """Return how many customers each cell has, as shares of credit for their first orders."""
    return np.bincount(cell, weights=weight, minlength=cells).astype(np.float64)


def _latest(cell: IntArray, time: IntArray, cells: int) -> IntArray:
    """Return the latest time of each cell; 0 where it has none."""
    found = np.zeros(cells, dtype=np.int64)
    np.maximum.at(found, cell, time)
    return found


def _ratio(one: FloatArray, other: FloatArray, known: Any) -> FloatArray:
    """Return the one over the other, missing where it is not known or the other is nothing."""
    usable = known & (other > 0)
    return np.where(usable, one / np.where(other > 0, other, 1.0), np.nan)


def _payback(
    table: pd.DataFrame, style: Style, *, each: str, by: list[str], freq: str, currency: str
) -> Any:
    from convergekit.marketing.figures import payback_figure

    names = ["cohort"] if each == "cohort" else by
    return payback_figure(table, names, freq, currency, style)

"""`Reconciliation`: what platforms claim beside the orders that there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from convergekit.base.durations import readable_duration
from convergekit.base.wording import counted
from convergekit.errors import UnknownNameError, what_there_is
from convergekit.events.calendar import Calendar
from convergekit.figures.card import Result
from convergekit.figures.frame import DrawnFrame

if TYPE_CHECKING:
    from convergekit.figures.figure import Figure
    from convergekit.figures.style import Style, Template

#: What is assumed of claims: they may be of any order, or only of those with a click before.
ANY, CLICKED = "any order", "a click before"
#: Orders that no platform is eligible for.
NONE = "(none)"
_DATED = {"click": "the click", "order": "the order", "either": "either"}


@dataclass(frozen=True, eq=False, repr=False)
class Reconciliation(Result):
    """The claims of ad platforms held against the orders.

    Attributes
    ----------
    conversion : str
        The name of the event that is an order.
    value : str or None
    currency : str
        Of all amounts; empty if unknown.
    start, end : pandas.Timestamp
        The first and the last day of the claims.
    platforms : tuple of str
        Those of the rows; of several accounts of one platform, each on its own, such as
        ``"meta 1042"``: they do not know of each other.
    titles : mapping of str to str
        How these are called in sentences.
    table : pandas.DataFrame
        One row per platform: `platform`, `window` (after a click), `dated` (by what claims are
        dated), `eligible` (orders with a click of it within the window), `only_eligible` (those of
        them with a click of no other platform), `may_claim` (orders of which it may date a claim in
        the period, with a click or without), `claimed`, `beyond_eligible` and `beyond_all`
        (claims above `eligible`, and above `may_claim`). With a value also `eligible_value`,
        `claimed_value`, `value_beyond_eligible` and `value_beyond_all`.
    patterns : pandas.DataFrame
        One row per set of platforms: `eligible` (their names), `platforms` (how many), `orders`,
        `after` (how many of these are after the period) and `value`. Every order is in one row, so
        the columns add up to all orders, and to the cent.
    bounds : pandas.DataFrame
        Two assumptions, `assuming` ``"any order"`` and ``"a click before"``, and for each, `low`
        and `high` of `what`: ``"orders claimed"`` by at least one platform; ``"orders claimed by
        several"``; claims ``"claimed again"``, above one for an order; claims ``"without an
        order"``; and claims ``"above one an order"``, which are the two together. With a value also
        `value_low` and `value_high`.
    orders : pandas.DataFrame
        One row per order: `row`, `event_id`, `timestamp`, `profile_id`, `value`, `in_period`,
        `platforms` (how many it is eligible for), `eligible` (which), and `evidence` (by what).
    clicks : pandas.DataFrame
        One row per order and platform that it is eligible for: `row`, `event_id`, `timestamp`,
        `platform`, `evidence`, `clicked` (the last click's time) and its `age`.
    remarks : tuple of str
        What was left out, and what to know of the dates.
    """

    _table_names = ("table", "patterns", "bounds")

    conversion: str
    value: str | None
    currency: str
    start: pd.Timestamp
    end: pd.Timestamp
    platforms: tuple[str, ...]
    titles: Mapping[str, str]
    table: pd.DataFrame
    patterns: pd.DataFrame
    bounds: pd.DataFrame
    orders: pd.DataFrame
    clicks: pd.DataFrame
    remarks: tuple[str, ...]
    _rows: pd.DataFrame
    _calendar: Calendar

    def bound(self, what: str, assuming: str = ANY) -> tuple[float, float]:
        """Return one row of `bounds` in orders.

        Parameters
        ----------
        what : str
            Such as ``"above one an order"``.
        assuming : {"any order", "a click before"}, default "any order"

        Returns
        -------
        tuple of float
            The least and the most.

        Raises
        ------
        UnknownNameError
            `bounds` has no such row.
        """
        low, high, *_ = self._bound(what, assuming)
        return low, high

    @property
    def headline(self) -> str:
        """One sentence: what is claimed, what there is, and what cannot be true."""
        claimed, orders = self._claimed, len(self.orders)
        low, _ = self.bound("above one an order")
        _, again = self.bound("claimed again")
        begin = (
            f"{self._names} {self._verb} {_number(claimed)} conversions, and "
            f"{counted(orders, 'order')} could be behind them"
        )
        if low > 0:
            one = low == 1
            what = f"{'has' if one else 'have'} no order"
            if self._several:
                what = f"{'is' if one else 'are'} counted twice or more, or {what}"
            return f"{begin}: at least {_number(low)} of them ({low / claimed:.0%}) {what}."
        if not self._several:
            return f"{begin}: each may be another order."
        return (
            f"{begin}: each may be another order, and up to {_number(again)} may be of an order "
            "that another platform claims, too."
        )

    def by_period(self, freq: str = "W") -> DrawnFrame:
        """Count claims and eligible orders in each period.

        Parameters
        ----------
        freq : str, default "W"
            A pandas period such as ``"D"``, ``"W"`` or ``"M"`` of the calendar.

        Returns
        -------
        pandas.DataFrame
            One row per period and platform: `period` (its start), `platform`, `claimed`,
            `eligible` (orders of that period with a click of the platform within its window),
            `orders` (all orders of that period) and, with a value, `claimed_value`,
            `eligible_value` and `orders_value`; and `complete`: whether all of its days are between
            `start` and `end`. Platforms that date claims by the click count
            an order in the period of its click, so that rows differ at the edges; over the whole
            period `bounds` account for it. Its ``plot(template=...)`` returns a figure.
        """
        claims = self._rows.assign(
            period=Calendar("UTC", self._calendar.week_starts).periods(self._rows["date"], freq)
        )
        orders = self.orders.assign(
            period=self._calendar.periods(self.orders["timestamp"], freq), one=1
        )
        orders = orders[orders["in_period"]]
        every = pd.period_range(
            min([claims["period"].min(), *orders["period"].head(1)]),
            max([claims["period"].max(), *orders["period"].tail(1)]),
            freq=claims["period"].dt.freq,
        )
        index = pd.MultiIndex.from_product([every, range(len(self.platforms))])
        eligible = self.clicks[["row", "platform"]].merge(orders, on="row")
        number = eligible["platform"].map(self.platforms.index)
        sums = {"": ("conversions", "one")}
        if self.value is not None:
            sums["_value"] = ("value", "value")
        table = pd.DataFrame(
            {
                "period": index.get_level_values(0).start_time,
                "platform": pd.Series(self.platforms, dtype="str").take(index.codes[1]).array,
            }
        )
        for suffix, (of_claims, of_orders) in sums.items():
            found = {
                "claimed": claims.groupby(["period", "platform"])[of_claims].sum(),
                "eligible": eligible.groupby(["period", number])[of_orders].sum(),
            }
            for name, series in found.items():
                table[name + suffix] = series.reindex(index, fill_value=0).round(6).to_numpy()
            totals = orders.groupby("period")[of_orders].sum().reindex(every, fill_value=0)
            table["orders" + suffix] = totals.round(6).to_numpy()[index.codes[0]]
        whole = (every.start_time >= self.start) & (every.end_time < self.end + pd.Timedelta("1D"))
        table["complete"] = whole[index.codes[0]]
        names = ["period", "platform", "claimed", "eligible", "orders", "complete"]
        draw = partial(_by_period_figure, freq=freq, titles=dict(self.titles))
        return DrawnFrame.of(table, draw, names)

    def plot(
        self,
        *,
        template: Template = "auto",
        width: int | None = None,
        height: int | None = None,
    ) -> Figure:
        """Draw what is claimed beside the orders that there are.

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
        from convergekit.figures.style import Style
        from convergekit.reconcile.figure import reconciliation_figure

        return reconciliation_figure(self, Style(template, width, height))

    def _line(self) -> str:
        low, high = self.bound("orders claimed")
        return (
            f"Reconciliation({self._names}: {_number(self._claimed)} claimed, "
            f"{counted(len(self.orders), 'order')}; {_between(low, high)} orders claimed)"
        )

    def _body(self) -> Iterable[pd.DataFrame | str]:
        period = f"{self.start:%Y-%m-%d} to {self.end:%Y-%m-%d}"
        said = [f"{period}. {self._money_sentence}" if self.value is not None else f"{period}."]
        table = self.table.drop(columns=[c for c in self.table if c.startswith("value_beyond")])
        table = table.assign(
            platform=self.table["platform"].map(dict(self.titles)),
            window=self.table["window"].map(readable_duration),
            dated="by " + self.table["dated"].map(_DATED),
        )
        yield self.headline
        yield said[0]
        yield self._click_sentence
        yield table
        yield self.patterns
        yield self.bounds
        yield from self.remarks

    @property
    def _money_sentence(self) -> str:
        *_, low, _ = self._bound("above one an order", ANY)
        of = f" {self.currency}" if self.currency else ""
        claimed, there = self.table["claimed_value"].sum(), self.patterns["value"].sum()
        said = f"In money: {claimed:,.2f}{of} claimed, and orders of {there:,.2f}"
        if low:
            return f"{said}; at least {low:,.2f} is counted twice or more, or has no order."
        return f"{said}; each amount may be another order's."

    @property
    def _click_sentence(self) -> str:
        """What the clicks that the data have say of the claims."""
        by_number = self.patterns.groupby("platforms")["orders"].sum()
        some, several = by_number[by_number.index > 0].sum(), by_number[by_number.index > 1].sum()
        beyond, _ = self.bound("without an order", CLICKED)
        low, high = self.bound("claimed again", CLICKED)
        said = (
            f"{counted(int(some), 'order')} had a click of at least one of them within its window, "
            f"{int(several):,} of several."
        )
        if beyond:
            said += (
                f" At least {_number(beyond)} claims have no such click: they are of views, of "
                "devices that the data do not link, or of a model."
            )
        if self._several:
            go = "claim goes" if high == 1 else "claims go"
            said += (
                f" If each claims only orders with a click of it, {_between(low, high)} {go} to an "
                "order that another one claims, too."
            )
        return said

    def _bound(self, what: str, assuming: str) -> list[float]:
        rows = self.bounds[(self.bounds["what"] == what) & (self.bounds["assuming"] == assuming)]
        if rows.empty:
            known = [*self.bounds["what"].unique(), *self.bounds["assuming"].unique()]
            raise UnknownNameError(
                f"bounds has no row {what!r} assuming {assuming!r}. {what_there_is(known, what)}"
            )
        numbers: list[float] = rows.iloc[0, 2:].astype(float).tolist()
        return numbers

    @property
    def _claimed(self) -> float:
        return float(np.round(self.table["claimed"].sum(), 6))

    @property
    def _several(self) -> bool:
        return len(self._claiming) > 1

    @property
    def _claiming(self) -> list[str]:
        """How those are called that claim more than nothing; all if none does."""
        some = self.table["platform"][self.table["claimed"] > 0].tolist()
        return [self.titles[name] for name in some or self.platforms]

    @property
    def _names(self) -> str:
        names = self._claiming
        return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)

    @property
    def _verb(self) -> str:
        return "together claim" if self._several else "claims"


def _number(amount: float) -> str:
    """Return claims in words: whole ones without digits after the point."""
    return f"{amount:,.0f}" if amount == round(amount) else f"{amount:,.1f}"


def _between(low: float, high: float) -> str:
    return _number(low) if low == high else f"{_number(low)} to {_number(high)}"


def _by_period_figure(
    table: pd.DataFrame, style: Style, freq: str, titles: Mapping[str, str]
) -> Figure:
    from convergekit.reconcile.figure import by_period_figure

    return by_period_figure(table, freq, titles, style)

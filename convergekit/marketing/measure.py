"""Spend beside what it brought: the tables of `Marketing`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from convergekit.activity.clocks import Clock
from convergekit.attribution.attribute import whole_shares
from convergekit.base.durations import parse_duration
from convergekit.base.wording import counted
from convergekit.certainty.asked import AskedOf
from convergekit.events.observed import Observed, moment
from convergekit.events.steps import title_of
from convergekit.figures.frame import DrawnFrame
from convergekit.identity.tables import StitchedEvents, observed_of
from convergekit.marketing.brought import Brought, brought_by, steps_asked, usual_steps
from convergekit.marketing.cells import RATIOS, Ledger, metrics
from convergekit.marketing.cohorts import Acquired
from convergekit.marketing.costs import PARTS, Costs, costs_of
from convergekit.marketing.groups import UNMATCHED, SpendGroups
from convergekit.marketing.match import id_levels
from convergekit.marketing.matches import Join, SpendMatches, of_segment, segment_said
from convergekit.marketing.question import MarketingQuestion
from convergekit.marketing.result import Marketing
from convergekit.marketing.sales import Sales, SoldEvents, firsts_in, sales_of
from convergekit.spend.result import Spend
from convergekit.typing import BoolArray, IntArray

if TYPE_CHECKING:
    from convergekit.figures.style import Style


@dataclass(frozen=True)
class Dates:
    """The periods of everything, as numbers.

    Attributes
    ----------
    clock : Clock
    spend, visit, credit, order, refund : numpy.ndarray of int
        The period of each row of spend, visit, credit, order and refund; a credit's is that of the
        order or of the touch, as was asked.
    """

    clock: Clock
    spend: IntArray
    visit: IntArray
    credit: IntArray
    order: IntArray
    refund: IntArray


@dataclass(frozen=True)
class Seen:
    """What is known of the events beside them.

    Attributes
    ----------
    observed : Observed
        From when to when profiles are observed.
    data_end : pandas.Timestamp
    segment : str
        What the events are a segment by; empty if they are all.
    """

    observed: Observed
    data_end: pd.Timestamp
    segment: str

    @classmethod
    def of(cls, s: StitchedEvents) -> Seen:
        """Return what is known of stitched events."""
        return cls(observed_of(s), s.data_end, segment_said(s))


@dataclass(frozen=True)
class MarketingKnown:
    """What a `Marketing` is of.

    Attributes
    ----------
    asked : MarketingQuestion
    sales : Sales
    rows : numpy.ndarray of int
        Of the orders.
    costs : Costs
    brought : Brought
    """

    asked: MarketingQuestion
    sales: Sales
    rows: IntArray
    costs: Costs
    brought: Brought


def marketing(
    s: StitchedEvents, spend: pd.DataFrame | Spend, asked: MarketingQuestion
) -> Marketing:
    """Return spend beside what it brought. See `Stitched.marketing`."""
    sales = sales_of(SoldEvents.of(s), asked)
    costs = costs_of(spend, asked.rates, sales.currency)
    rows = s.events["row"].to_numpy(dtype=np.int64)[sales.position]
    steps = steps_asked(asked, usual_steps(s))
    brought = brought_by(s, asked, rows, steps, id_levels(costs))
    found = marketing_of(asked, sales, rows, costs, brought, Seen.of(s))
    return replace(found, _asked=AskedOf.of(s, MarketingKnown(asked, sales, rows, costs, brought)))


def marketing_of(
    asked: MarketingQuestion,
    sales: Sales,
    rows: IntArray,
    costs: Costs,
    brought: Brought,
    seen: Seen,
) -> Marketing:
    """Return spend beside what it brought, from orders, costs and visits.

    Parameters
    ----------
    asked : MarketingQuestion
    sales : Sales
    rows : numpy.ndarray of int
        Of the orders.
    costs : Costs
    brought : Brought
    seen : Seen
    """
    inside = seen.observed.holds(brought.arrived)
    join = Join.of(costs, brought.said, asked.mapping)
    groups = SpendGroups.of(join, asked.by)
    shares = _credits(brought, rows)
    dates = _dates(asked, sales, costs, shares, brought.arrived)
    ledger, parts = _ledger(
        asked, sales, costs, groups, shares, dates, brought, np.flatnonzero(inside)
    )
    left_out = {**sales.left_out, **costs.left_out}
    if not inside.all():
        left_out["visits beyond the end of the data, or before their begin"] = int((~inside).sum())
    acquired = Acquired.of(sales, shares.order, shares.group(groups), shares.share,
                           dates.credit)  # fmt: skip
    return _result(seen, asked, join, groups, dates, ledger, parts, acquired, sales, left_out)


@dataclass(frozen=True)
class Credits:
    """The credits of the orders that are counted: order, visit (-1 for none) and share."""

    order: IntArray
    visit: IntArray
    share: Any

    def group(self, groups: SpendGroups) -> IntArray:
        """Return the group of each."""
        return np.append(groups.of_visit, groups.none)[self.visit]


def _credits(brought: Brought, rows: IntArray) -> Credits:
    order = np.searchsorted(rows, brought.row)
    there = np.append(rows, -1)[order] == brought.row
    kept = np.flatnonzero(there & (brought.share > 0))
    # By order, then touch: the shares of cents go to the earlier of equals.
    kept = kept[np.argsort(order[kept], kind="stable")]
    return Credits(order[kept], brought.visit[kept], brought.share[kept])


def _dates(
    asked: MarketingQuestion, sales: Sales, costs: Costs, shares: Credits, arrived: IntArray
) -> Dates:
    clock = Clock.of(asked.freq, "calendar", asked.calendar)

    def periods(times: IntArray) -> IntArray:
        return clock.periods(_times(times))

    visit, order = periods(arrived), periods(sales.time)
    credit = order[shares.order]
    if asked.dated == "touch":
        touched = shares.visit >= 0
        credit = np.where(touched, np.append(visit, -1)[shares.visit], credit)
    days, of_row = np.unique(costs.day, return_inverse=True)
    # The account's day is taken for the shop's: it lies in a period by its noon there.
    noon = asked.calendar.begin(pd.PeriodIndex.from_ordinals(days, freq="D"))
    noon = noon + pd.Timedelta("12h")
    of_day = clock.periods(pd.Series(noon))
    return Dates(clock, of_day[of_row], visit, credit, order, periods(sales.refund_time))


def _times(micros: IntArray) -> pd.Series:
    return pd.Series(micros.view("datetime64[us]")).dt.tz_localize("UTC")


def _ledger(
    asked: MarketingQuestion,
    sales: Sales,
    costs: Costs,
    groups: SpendGroups,
    shares: Credits,
    dates: Dates,
    brought: Brought,
    inside: IntArray,
) -> tuple[Ledger, pd.DataFrame]:
    """Return all that is added up, by period and group, and of each cell which these are."""
    group = shares.group(groups)
    is_new = firsts_in(dates.order, sales) if asked.new == "first_in_period" else sales.first
    refund, part = _refunds(asked, sales, shares, dates)
    pairs = [
        (dates.spend, groups.of_campaign[costs.campaign]),
        (dates.visit[inside], groups.of_visit[inside]),
        (dates.credit, group),
        (part["period"].to_numpy(), group[part["credit"].to_numpy()]),
    ]
    periods = np.unique(np.concatenate([period for period, _ in pairs]))
    width = len(groups.names)
    cells = [np.searchsorted(periods, period) * width + at for period, at in pairs]
    ledger = Ledger(
        spend_cell=cells[0],
        spend=costs.amount,
        visit_cell=cells[1],
        visit_did={name: did[inside] for name, did in brought.did.items()},
        credit_cell=cells[2],
        order=shares.order,
        credit=shares.share,
        cents=whole_shares(shares.order, shares.share, sales.cents),
        worth=sales.cents,
        is_new=is_new,
        refund_cell=cells[3],
        refund=refund,
        refund_is_new=is_new[shares.order[part["credit"].to_numpy()]],
    )
    present = ledger.cells()
    place = np.zeros(max(len(periods) * width, 1), dtype=np.int64)
    place[present] = np.arange(len(present))
    parts = pd.DataFrame({"period": periods[present // width], "group": present % width})
    return ledger.renumbered(place), parts


def _refunds(
    asked: MarketingQuestion, sales: Sales, shares: Credits, dates: Dates
) -> tuple[IntArray, pd.DataFrame]:
    """Return refunds shared out as their orders are: cents, and of each the credit and period."""
    order, cents = sales.refund_order, sales.refund_cents
    begin = np.searchsorted(shares.order, order)
    size = np.searchsorted(shares.order, order, side="right") - begin
    refund = np.repeat(np.arange(len(order)), size)
    credit = np.arange(size.sum()) + np.repeat(begin - (np.cumsum(size) - size), size)
    parts = whole_shares(refund, shares.share[credit], cents)
    period = dates.credit[credit] if asked.refunds == "order" else dates.refund[refund]
    return parts, pd.DataFrame({"credit": credit, "period": period})


def _result(
    seen: Seen,
    asked: MarketingQuestion,
    join: Join,
    groups: SpendGroups,
    dates: Dates,
    ledger: Ledger,
    parts: pd.DataFrame,
    acquired: Acquired,
    sales: Sales,
    left_out: dict[str, int],
) -> Marketing:
    by, periods = list(asked.by), parts["period"].to_numpy()
    rank = _ranks(groups, ledger, parts)
    measured = partial(metrics, confidence=asked.confidence, refunds=asked.refund is not None)
    distinct, of_period = np.unique(periods, return_inverse=True)
    flags = _flags(seen, asked, join.costs, dates.clock, distinct)
    begin = pd.Series(dates.clock.index(distinct).start_time)

    visited = np.zeros(len(groups.names), dtype=bool)
    for cell in (ledger.visit_cell, ledger.credit_cell):
        visited[parts["group"].to_numpy()[cell]] = True
    table = measured(ledger, len(parts), whole=of_period)
    table = _known_returns(table, visited[parts["group"]])
    table = pd.concat([groups.names.take(parts["group"]).reset_index(drop=True), table], axis=1)
    table.insert(0, "period", begin.take(of_period).array)
    table = table.assign(**{name: flag[of_period] for name, flag in flags.items()})
    order = np.lexsort((rank[parts["group"].to_numpy()], periods))
    table = table.take(order).reset_index(drop=True)

    total = measured(ledger.renumbered(of_period), len(distinct))
    total.insert(0, "period", begin.array)
    total = total.assign(**flags)

    used = np.unique(parts["group"])
    place = np.searchsorted(used, parts["group"])
    summary = measured(
        ledger.renumbered(place), len(used), whole=np.zeros(len(used), dtype=np.int64)
    )
    summary = _known_returns(summary, visited[used])
    summary = pd.concat([groups.names.take(used).reset_index(drop=True), summary], axis=1)
    summary = summary.take(np.argsort(rank[used])).reset_index(drop=True)

    matches = join.result()
    currency = sales.currency or join.costs.currency
    draw = partial(_figure, asked=asked, currency=currency, summary=summary)
    return Marketing(
        table=DrawnFrame.of(table, draw, ["period", *by, "spend", "revenue", "complete"]),
        periods=DrawnFrame.of(total, draw, ["period", "spend", "revenue", "complete"]),
        groups=summary,
        matches=matches,
        conversion=title_of(asked.conversion),
        by=by,
        freq=asked.freq,
        model=asked.model,
        lookback=parse_duration(asked.lookback, name="lookback"),
        dated=asked.dated,
        new=asked.new,
        currency=currency,
        left_out=left_out,
        remarks=_remarks(seen, asked, join, matches, sales),
        data_end=seen.data_end,
        calendar=asked.calendar,
        _acquired=acquired,
        _names=groups.names,
        _rank=rank,
        _spent=_spent(seen, asked, join.costs, groups, dates),
        _clock=dates.clock,
        _confidence=asked.confidence,
    )


def _known_returns(table: pd.DataFrame, seen: BoolArray) -> pd.DataFrame:
    """Return the metrics without the returns of groups that no visit was seen of.

    What such spend brought is not nothing: nobody knows it.
    """
    names = [name for name, (_, over) in RATIOS.items() if over == "spend"]
    return table.assign(**{name: table[name].where(seen) for name in names})


def _ranks(groups: SpendGroups, ledger: Ledger, parts: pd.DataFrame) -> IntArray:
    """Return the place of each group: by what it cost, then brought, those of nothing last."""
    size, group = len(groups.names), parts["group"].to_numpy()
    cost, revenue = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    np.add.at(cost, group[ledger.spend_cell], ledger.spend)
    np.add.at(revenue, group[ledger.credit_cell], ledger.cents)
    texts = groups.names.apply(lambda row: "\x00".join(row), axis=1) if size else pd.Series()
    last = np.arange(size) == groups.none
    unmatched = groups.names.eq(UNMATCHED).any(axis=1).to_numpy(dtype=bool)
    order = np.lexsort((texts.rank().to_numpy(), -revenue, -cost, unmatched, last))
    rank = np.empty(size, dtype=np.int64)
    rank[order] = np.arange(size)
    return rank


def _flags(
    seen: Seen, asked: MarketingQuestion, costs: Costs, clock: Clock, periods: IntArray
) -> dict[str, BoolArray]:
    """Return which periods are observed from begin to end, and which the spend covers."""
    index, calendar = clock.index(periods), asked.calendar
    begin, end = calendar.begin(index), calendar.end(index)
    span = seen.observed
    none = np.zeros(len(periods), dtype=bool)
    complete = none
    if not pd.isna(span.end):
        first = calendar.begin(calendar.periods(pd.Series([span.begin]), "D"))[0]
        waits = parse_duration(asked.lookback, name="lookback")
        until = end + waits if asked.dated == "touch" else end
        complete = np.asarray((begin >= first) & (until <= pd.to_datetime(span.end, utc=True)))
    days, covered = costs.days(), none
    if days is not None:
        first_day, last_day = calendar.begin(pd.PeriodIndex.from_ordinals(days, freq="D"))
        over = calendar.end(pd.PeriodIndex.from_ordinals([days[1]], freq="D"))[0]
        covered = np.asarray((begin >= first_day) & (end <= over) & (last_day >= first_day))
    return {"complete": complete, "spend_complete": covered}


def _spent(
    seen: Seen, asked: MarketingQuestion, costs: Costs, groups: SpendGroups, dates: Dates
) -> pd.DataFrame:
    """Return what was spent on days that are observed, by period and group."""
    span = seen.observed
    kept = np.zeros(len(costs.day), dtype=bool)
    if not pd.isna(span.end):
        first, last = asked.calendar.periods(pd.Series([span.begin, span.end]), "D").astype("int64")
        kept = (costs.day >= first) & (costs.day <= last)
    frame = pd.DataFrame(
        {
            "period": dates.spend[kept],
            "group": groups.of_campaign[costs.campaign[kept]],
            "spend": costs.amount[kept],
        }
    )
    return frame.groupby(["period", "group"], as_index=False)["spend"].sum()


def _remarks(
    seen: Seen, asked: MarketingQuestion, join: Join, matches: SpendMatches, sales: Sales
) -> list[str]:
    costs, said = (
        join.costs,
        [*of_segment(seen.segment), *matches.remarks, *_currency(join.costs, sales)],
    )
    span = seen.observed
    unit = sales.currency or costs.currency

    def money(amount: IntArray) -> str:
        return f"{amount.sum() / PARTS:,.2f} {unit}".strip()

    if not pd.isna(span.end) and len(costs.day):
        first, last = asked.calendar.periods(pd.Series([span.begin, span.end]), "D").astype("int64")
        for when, outside in (
            (f"after the data end ({moment(span.end)})", costs.day > last),
            (f"before the data begin ({moment(span.begin)})", costs.day < first),
        ):
            if outside.any():
                said.append(
                    f"{counted(int(outside.sum()), 'row of spend is', 'rows of spend are')} dated "
                    f"{when}: {money(costs.amount[outside])}, for which no order can be known."
                )
        early = span.begin + parse_duration(asked.lookback, name="lookback")
        short = int((_times(sales.time) < early).sum())
        if short:
            said.append(
                f"{counted(short, 'order has', 'orders have')} a lookback window that begins "
                "before the data do: earlier touches are not known."
            )
    others = [zone for zone in costs.zones if not _same_zone(zone, asked.calendar.zone)]
    if others:
        said.append(
            f"Days of accounts in {', '.join(others)} are taken for the shop's days, which are "
            f"those of {asked.calendar.zone}: spend of some hours may lie in the day beside."
        )
    above = sales.refunded() - np.maximum(sales.cents, 0)
    if (above > 0).any():
        money_back = f"{above[above > 0].sum() / 100:,.2f} {unit}".strip()
        said.append(
            f"{counted(int((above > 0).sum()), 'order was', 'orders were')} refunded by more than "
            f"what it was worth, {money_back} above: are refunds with and orders without tax or "
            "shipping, in cents, or there twice?"
        )
    lone = matches.without_visits
    if len(lone):
        cost = f"{lone['spend'].sum():,.2f} {unit}".strip()
        which = counted(len(lone), "campaign")
        said.append(f"Spend without a visit: {which}, {cost}; see `.matches`.")
    return said


def _currency(costs: Costs, sales: Sales) -> list[str]:
    """Return a remark if the one of orders and spend says its currency and the other does not."""
    if not sales.currency and costs.currency and sales.cents.any():
        said = ("Orders do", costs.currency, "spend")
    elif sales.currency and costs.unsaid and costs.amount.any():
        said = ("Spend does", sales.currency, "orders")
    else:
        return []
    return [
        f"{said[0]} not say the currency, taken to be {said[1]} as that of the {said[2]}: "
        "ratios are wrong if it is another."
    ]


def _same_zone(zone: str, shops: str) -> bool:
    """Return whether an account's time zone is the shop's, as far as its name says it."""
    is_utc = zone.upper() in ("UTC", "GMT") or "COORDINATED UNIVERSAL" in zone.upper()
    return zone == shops or (is_utc and shops == "UTC")


def _figure(
    table: pd.DataFrame,
    style: Style,
    *,
    asked: MarketingQuestion,
    currency: str,
    summary: pd.DataFrame,
) -> Any:
    from convergekit.marketing.figures import return_figure

    by = [name for name in asked.by if name in table]
    return return_figure(table, by, asked.freq, currency, summary, style)

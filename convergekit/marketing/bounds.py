"""Recounting how far the return on spend can be from what people brought."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from convergekit.attribution.recount import Recredited, Sums
from convergekit.attribution.worst import worst_sums
from convergekit.certainty.answering import NumbersAsked, bounds_of_numbers
from convergekit.certainty.asked import AskedOf, checked_level
from convergekit.certainty.numbers import Recounting
from convergekit.certainty.result import PARTS, AnswerBounds
from convergekit.marketing.groups import SpendGroups
from convergekit.marketing.matches import Join
from convergekit.marketing.measure import MarketingKnown
from convergekit.typing import FloatArray, IntArray

_MEASURES = ("orders", "revenue", "roas", "cpa")


def bounds_of_marketing(
    asked: AskedOf[MarketingKnown], groups: pd.DataFrame, by: list[str], level: float
) -> AnswerBounds:
    """Return how far returns can be from what people brought. See `Marketing.bounds`.

    Parameters
    ----------
    asked : AskedOf
    groups : pandas.DataFrame
        As `Marketing.groups` has them.
    by : list of str
        Which of their columns name them.
    level : float
    """
    level = checked_level(level)
    each, known = asked.known("marketing(...)")
    of = Recredited.of(each, known.asked.of_attribution())
    join = Join.of(known.costs, known.brought.said, known.asked.mapping)
    found = SpendGroups.of(join, known.asked.by)
    place = _places(found, groups, by)
    sums = _sums(of, known, found, place)
    # Where no visit was seen, nobody knows what spend brought.
    spend = groups["spend"].where(groups["roas"].notna()).to_numpy()
    returns = _Returns(sums, spend, place[found.none])
    rows = pd.concat(
        [
            groups[by].loc[groups.index.repeat(len(_MEASURES))].reset_index(drop=True),
            pd.Series(np.tile(_MEASURES, len(groups)), dtype="str", name="measure"),
        ],
        axis=1,
    )
    answer = Recounting(
        occurring=of.whole.events,
        stitched=groups[list(_MEASURES)].to_numpy(dtype=float).reshape(-1),
        totals=sums.totals,
        numbers=returns.of(sums.numbers),
        chance=returns.chance,
        instead={
            cause: [[returns.of(way) for way in ways] for ways in things]
            for cause, things in sums.instead().items()
        },
    )
    low, high = (returns.of_sums(ends) for ends in worst_sums(sums, repeats=True))
    # A cost per order is the least where orders are the most.
    worst = np.fmin(low, high), np.fmax(low, high)
    asking = NumbersAsked(answer, rows, "returns", "visits", worst)
    bounds = bounds_of_numbers(of.whole.evidence, asking, level)
    return replace(bounds, table=_unseen(bounds.table, groups, sums.worth.sum(axis=1)))


def _unseen(table: pd.DataFrame, groups: pd.DataFrame, most: FloatArray) -> pd.DataFrame:
    """Return the table, where spend that no visit was seen of may have brought anything."""
    unseen = np.repeat((groups["spend"].gt(0) & groups["roas"].isna()).to_numpy(), len(_MEASURES))
    spend = groups["spend"].to_numpy()
    orders, revenue = (np.full(len(groups), worth) for worth in most)
    with np.errstate(divide="ignore", invalid="ignore"):
        high = [orders, revenue, revenue / spend, np.full(len(groups), np.inf)]
        low = [0 * spend, 0 * spend, 0 * spend, spend / orders]
    ends = {"low": np.stack(low, axis=1), "high": np.stack(high, axis=1)}
    changed = {
        name: np.where(unseen, end.reshape(-1), table[name])
        for side, end in ends.items()
        for name in (side, f"worst_{side}")
    }
    unknown = {name: table[name].mask(unseen) for name in ("estimate", *PARTS)}
    return table.assign(**changed, **unknown)


def _places(found: SpendGroups, groups: pd.DataFrame, by: list[str]) -> IntArray:
    """Return of each group its row in the table, and a last one of those without."""
    rows = {tuple(names): at for at, names in enumerate(groups[by].to_numpy().tolist())}
    names = found.names[by].to_numpy().tolist()
    return np.array([rows.get(tuple(name), len(groups)) for name in names], dtype=np.int64)


def _sums(of: Recredited, known: MarketingKnown, found: SpendGroups, place: IntArray) -> Sums:
    """Return what is added up: the orders and the revenue of each group, those of none last."""
    sales = known.sales
    at = np.searchsorted(known.rows, of.rows)
    counted = np.append(known.rows, -1)[at] == of.rows
    revenue = np.append(sales.cents - sales.refunded(), 0) / 100
    worth = np.stack([counted.astype(float), np.where(counted, revenue[at], 0.0)])
    # Every visit may receive credit.
    label = place[found.of_visit][of.order]
    size = int(place.max(initial=0)) + 2
    return Sums(of, label, size, [*of.models] * 2, worth)


@dataclass(frozen=True)
class _Returns:
    """Returns on what was spent.

    Attributes
    ----------
    sums : Sums
    spend : numpy.ndarray of float
        Of each row of the table.
    none : int
        The row of orders without a visit.
    """

    sums: Sums
    spend: FloatArray
    none: int

    def of(self, sums: Callable[[FloatArray], FloatArray]) -> Callable[[FloatArray], FloatArray]:
        """Return what makes returns of totals."""
        return lambda totals: self.of_sums(sums(totals))

    def of_sums(self, sums: FloatArray) -> FloatArray:
        """Return the four measures of each row."""
        orders, revenue = self._rows(sums)
        cost = np.where(self.spend > 0, self.spend, np.nan)
        with np.errstate(divide="ignore"):
            found = [orders, revenue, revenue / cost, cost / np.maximum(orders, 0.0)]
        return np.stack(found, axis=1).reshape(-1)

    def chance(self, numbers: FloatArray, totals: FloatArray) -> FloatArray:
        """Return the standard errors of the four measures."""
        sums = self.sums.numbers(totals)
        orders, revenue = self._rows(self.sums.chance(sums, totals))
        cost = np.where(self.spend > 0, self.spend, np.nan)
        count = np.maximum(self._rows(sums)[0], 1.0)
        found = [orders, revenue, revenue / cost, cost * orders / count**2]
        return np.nan_to_num(np.stack(found, axis=1)).reshape(-1)

    def _rows(self, sums: FloatArray) -> FloatArray:
        """Return the sums of each row of the table."""
        of_label = sums.reshape(2, -1)
        found = of_label[:, : len(self.spend)].copy()
        if self.none < len(self.spend):
            found[:, self.none] = of_label[:, -1]
        return found

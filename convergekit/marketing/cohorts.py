"""Acquired cohorts: what customers brought since their first order, and when that repaid them.

Customers are observed for different times. What they bring is added up by the mean cumulative
function: at each age, what was brought by those who are observed at that age, per head of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from convergekit.base.grouping import run_starts
from convergekit.base.rounding import all_to_six_digits
from convergekit.marketing.sales import Sales
from convergekit.typing import FloatArray, IntArray

_DIGITS = 9


@dataclass(frozen=True)
class Acquired:
    """Customers, by the credit for their first order, and what they bought.

    Attributes
    ----------
    customer, group, period : numpy.ndarray of int
        Of each credit for a first order: whose it is, the group and the period that it acquired
        the customer for.
    weight : numpy.ndarray of float
        The share of the credit; those of a customer add up to 1.
    start : numpy.ndarray of int
        Of each customer, when the first order was.
    buyer, age, cents : numpy.ndarray of int
        Of each order, and of each refund as an amount below zero: whose it is, how long after the
        first order it was, in microseconds, and how much. By customer, then age.
    """

    customer: IntArray
    group: IntArray
    period: IntArray
    weight: FloatArray
    start: IntArray
    buyer: IntArray
    age: IntArray
    cents: IntArray

    @classmethod
    def of(
        cls, sales: Sales, order: IntArray, group: IntArray, share: FloatArray, period: IntArray
    ) -> Acquired:
        """Return the customers of some orders.

        Parameters
        ----------
        sales : Sales
        order, group : numpy.ndarray of int
            Of each credit.
        share : numpy.ndarray of float
            Likewise.
        period : numpy.ndarray of int
            Likewise.
        """
        number = np.full(len(sales.position), -1, dtype=np.int64)
        firsts = np.flatnonzero(sales.first)
        number[firsts] = np.arange(len(firsts))
        of_customer = np.full(int(sales.customer.max(initial=-1)) + 2, -1, dtype=np.int64)
        of_customer[sales.customer[firsts]] = np.arange(len(firsts))
        kept = np.flatnonzero(number[order] >= 0)
        start = sales.time[firsts]
        buyer = np.concatenate(
            [of_customer[sales.customer], of_customer[sales.customer[sales.refund_order]]]
        )
        time = np.concatenate([sales.time, sales.refund_time])
        cents = np.concatenate([sales.cents, -sales.refund_cents])
        age = time - np.append(start, 0)[buyer]
        known = np.flatnonzero(buyer >= 0)
        known = known[np.lexsort((cents[known], age[known], buyer[known]))]
        return cls(
            customer=number[order[kept]],
            group=group[kept],
            period=period[kept],
            weight=share[kept],
            start=start,
            buyer=buyer[known],
            age=np.maximum(age[known], 0),
            cents=cents[known],
        )

    def value(self, until: int | None = None) -> IntArray:
        """Return what each customer brought, in cents, up to an age or to date."""
        total = np.zeros(len(self.start), dtype=np.int64)
        within = slice(None) if until is None else np.flatnonzero(self.age <= until)
        np.add.at(total, self.buyer[within], self.cents[within])
        return total


@dataclass(frozen=True)
class Curves:
    """What customers brought by age, a curve per cell.

    Attributes
    ----------
    value, low, high, at_risk : numpy.ndarray of float
        Per cell and age: the mean cumulative function, its interval, and how many customers are
        observed for so long.
    reached : numpy.ndarray of int
        Per cell, the age at which the curve first was at its target; -1 if it was not.
    """

    value: FloatArray
    low: FloatArray
    high: FloatArray
    at_risk: FloatArray
    reached: IntArray


def curves(
    acquired: Acquired,
    cell: IntArray,
    cells: int,
    end: int,
    ages: IntArray,
    target: FloatArray,
    confidence: float,
) -> Curves:
    """Return the mean cumulative function of each cell.

    Its variance is the robust one, which holds whatever the orders of a customer have to do with
    each other: J. F. Lawless and C. Nadeau, "Some simple robust methods for the analysis of
    recurrent events", Technometrics 37 (1995); the function is that of W. Nelson, "Graphical
    analysis of system repair data", Journal of Quality Technology 20 (1988).

    Parameters
    ----------
    acquired : Acquired
    cell : numpy.ndarray of int
        Of each credit for a first order.
    cells : int
    end : int
        Until when customers are observed, in microseconds.
    ages : numpy.ndarray of int
        Ages in microseconds, ascending from 0.
    target : numpy.ndarray of float
        Per cell, the value that is to be reached; not a number for none.
    confidence : float
    """
    watched = np.maximum(end - acquired.start, 0)[acquired.customer]
    sort = np.lexsort((watched, cell))
    cell, watched = cell[sort], watched[sort]
    weight, customer = acquired.weight[sort], acquired.customer[sort]
    risk = _AtRisk.of(cell, watched, weight, cells)

    # Every order of a customer is one of each credit that acquired them.
    begin = np.searchsorted(acquired.buyer, customer)
    size = np.searchsorted(acquired.buyer, customer, side="right") - begin
    entry = np.repeat(np.arange(len(customer)), size)
    at = np.arange(size.sum()) + np.repeat(begin - (np.cumsum(size) - size), size)
    age, money = acquired.age[at], acquired.cents[at] / 100
    alive = risk.at(cell[entry], age)
    share = money / alive

    order = np.lexsort((money, age, cell[entry]))
    steps = _Steps.of(cell[entry][order], age[order], (weight[entry] * share)[order], cells)
    # What an observed customer is expected to add, per head at risk.
    hazard = _Steps.of(
        cell[entry][order], age[order], (weight[entry] * share / alive)[order], cells
    )
    each = np.arange(cells)
    value, at_risk, variance = (np.zeros((cells, len(ages))) for _ in range(3))
    for column, limit in enumerate(ages.tolist()):
        value[:, column] = steps.at(each, np.full(cells, limit))
        at_risk[:, column] = risk.at(each, np.full(cells, limit))
        done = age <= limit
        own = np.bincount(entry[done], weights=share[done], minlength=len(customer))
        away = own - hazard.at(cell, np.minimum(watched, limit))
        variance[:, column] = np.bincount(cell, weights=(weight * away) ** 2, minlength=cells)
    half = float(scipy.special.ndtri((1 + confidence) / 2)) * np.sqrt(variance)
    few = at_risk < 2
    low, high = (
        all_to_six_digits(np.where(few, np.nan, value + sign * half).ravel()).reshape(value.shape)
        for sign in (-1, 1)
    )
    return Curves(np.round(value, _DIGITS), low, high, np.round(at_risk, _DIGITS),
                  steps.reaching(target))  # fmt: skip


@dataclass(frozen=True)
class _AtRisk:
    """How many customers are observed for how long, by cell and then time."""

    watched: IntArray
    begin: IntArray
    left: FloatArray

    @classmethod
    def of(cls, cell: IntArray, watched: IntArray, weight: FloatArray, cells: int) -> _AtRisk:
        begin = np.searchsorted(cell, np.arange(cells + 1))
        total = np.append(0.0, np.cumsum(weight))
        # Of each place, those of its cell from there on.
        left = np.append(total[begin[cell + 1]] - total[:-1], 0.0) if len(cell) else np.zeros(1)
        return cls(watched, begin, left)

    def at(self, cell: IntArray, age: IntArray) -> FloatArray:
        place = _place(self.watched, self.begin, cell, age, "left")
        inside = place < self.begin[cell + 1]
        return np.where(inside, self.left[np.minimum(place, len(self.left) - 1)], 0.0)


@dataclass(frozen=True)
class _Steps:
    """A sum that grows with age, by cell and then age."""

    age: IntArray
    begin: IntArray
    total: FloatArray

    @classmethod
    def of(cls, cell: IntArray, age: IntArray, step: FloatArray, cells: int) -> _Steps:
        begin = np.searchsorted(cell, np.arange(cells + 1))
        return cls(age, begin, np.append(0.0, np.cumsum(step)))

    def at(self, cell: IntArray, age: IntArray) -> FloatArray:
        place = _place(self.age, self.begin, cell, age, "right")
        return self.total[place] - self.total[self.begin[cell]]

    def reaching(self, target: FloatArray) -> IntArray:
        """Return the age at which each cell's sum is at its target first, -1 if never."""
        found = np.full(len(target), -1, dtype=np.int64)
        for cell, aim in enumerate(target.tolist()):
            begin, end = self.begin[cell], self.begin[cell + 1]
            ages = self.age[begin:end]
            # Orders of one age count together.
            last = np.append(run_starts(ages)[1:], True) if len(ages) else np.zeros(0, dtype=bool)
            grown = np.round(self.total[begin + 1 : end + 1] - self.total[begin], _DIGITS)
            over = np.flatnonzero(last & (grown >= aim))
            if len(over):
                found[cell] = ages[over[0]]
        return found


def _place(times: IntArray, begin: IntArray, cell: IntArray, age: IntArray, side: str) -> IntArray:
    """Return the first place of each cell at which its times are not before an age."""
    low, high = begin[cell].copy(), begin[cell + 1].copy()
    while True:
        left = low < high
        if not left.any():
            return low
        middle = (low + high) // 2
        there = times[np.minimum(middle, max(len(times) - 1, 0))] if len(times) else age
        before = left & ((there < age) if side == "left" else (there <= age))
        low = np.where(before, middle + 1, low)
        high = np.where(left & ~before, middle, high)

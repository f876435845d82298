"""What is added up in each period and group, and the metrics that are made of the sums."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from convergekit.base.grouping import run_starts
from convergekit.base.proportions import wilson
from convergekit.marketing.costs import PARTS, summed
from convergekit.marketing.means import weighted_means
from convergekit.typing import BoolArray, FloatArray, IntArray

#: A credit is a share: of its digits so many are not an accident of the order of adding up.
_DIGITS = 9
#: Metrics that are a ratio of two sums: the one over the other.
RATIOS = {
    "cpa": ("spend", "orders"),
    "cac": ("spend", "new_customers"),
    "roas": ("revenue", "spend"),
    "nc_roas": ("new_revenue", "spend"),
    "acos": ("spend", "revenue"),
}
#: Shares of visits, and the column of their number.
RATES = {
    "add_to_cart_rate": "with_cart",
    "checkout_rate": "with_checkout",
    "conversion_rate": "with_order",
}


@dataclass(frozen=True)
class Ledger:
    """Everything that is added up: a row each of spend, visits, credits and refunds.

    A cell is where a row is added up: a period, a group, or both.

    Attributes
    ----------
    spend_cell, spend : numpy.ndarray of int
        Rows of spend, in millionths.
    visit_cell : numpy.ndarray of int
    visit_did : dict of str to numpy.ndarray of bool
        By the names of `RATES`, which visits had such an event.
    credit_cell, order : numpy.ndarray of int
        Of each credit, its cell and its order.
    credit : numpy.ndarray of float
        The share of the order.
    cents : numpy.ndarray of int
        The same share of its value.
    worth : numpy.ndarray of int
        What each order is worth.
    is_new : numpy.ndarray of bool
        Which orders are of new customers.
    refund_cell, refund : numpy.ndarray of int
        Shares of refunds, in cents.
    refund_is_new : numpy.ndarray of bool
        Which of these are of a new customer's order.
    """

    spend_cell: IntArray
    spend: IntArray
    visit_cell: IntArray
    visit_did: dict[str, BoolArray]
    credit_cell: IntArray
    order: IntArray
    credit: FloatArray
    cents: IntArray
    worth: IntArray
    is_new: BoolArray
    refund_cell: IntArray
    refund: IntArray
    refund_is_new: BoolArray

    def cells(self) -> IntArray:
        """Return every cell that has a row, ascending."""
        parts = [self.spend_cell, self.visit_cell, self.credit_cell, self.refund_cell]
        return np.unique(np.concatenate(parts))

    def renumbered(self, cell_of: IntArray) -> Ledger:
        """Return the same where each cell is another."""
        return replace(
            self,
            spend_cell=cell_of[self.spend_cell],
            visit_cell=cell_of[self.visit_cell],
            credit_cell=cell_of[self.credit_cell],
            refund_cell=cell_of[self.refund_cell],
        )


def metrics(
    ledger: Ledger, cells: int, confidence: float, *, refunds: bool, whole: IntArray | None = None
) -> pd.DataFrame:
    """Return a row of metrics per cell.

    Parameters
    ----------
    ledger : Ledger
    cells : int
        How many there are.
    confidence : float
    refunds : bool
        Whether refunds were asked for, so that what was ordered and refunded stands apart.
    whole : numpy.ndarray of int, optional
        Of each cell, the whole that it is a part of, for `mer`; by default each is one.
    """
    visits = np.bincount(ledger.visit_cell, minlength=cells).astype(np.int64)
    new = ledger.is_new[ledger.order]
    ordered = summed(ledger.credit_cell, ledger.cents, cells)
    taken = summed(ledger.refund_cell, ledger.refund, cells)
    of_new = summed(ledger.credit_cell[new], ledger.cents[new], cells)
    new_taken = summed(
        ledger.refund_cell[ledger.refund_is_new], ledger.refund[ledger.refund_is_new], cells
    )
    spend, revenue = summed(ledger.spend_cell, ledger.spend, cells), ordered - taken
    table = pd.DataFrame(
        {
            "spend": spend / PARTS,
            "visits": visits,
            "orders": _credits(ledger.credit_cell, ledger.credit, cells),
            **({"ordered": ordered / 100, "refunded": taken / 100} if refunds else {}),
            "revenue": revenue / 100,
            "new_customers": _credits(ledger.credit_cell[new], ledger.credit[new], cells),
            "new_revenue": (of_new - new_taken) / 100,
        }
    )
    table["aov"], table["aov_low"], table["aov_high"] = _order_values(ledger, cells, confidence)
    for name, (one, other) in RATIOS.items():
        table[name] = _over(table[one], table[other]).where(table["spend"] > 0)
    part_of = np.arange(cells) if whole is None else whole
    size = int(part_of.max(initial=-1)) + 1
    all_revenue, all_spend = summed(part_of, revenue, size), summed(part_of, spend, size)
    blended = _over(pd.Series(all_revenue / 100), pd.Series(all_spend / PARTS))
    table["mer"] = blended.where(all_spend > 0).to_numpy()[part_of]
    for name, did in ledger.visit_did.items():
        hits = np.bincount(ledger.visit_cell[did], minlength=cells).astype(np.int64)
        table[name] = _over(pd.Series(hits), pd.Series(visits))
        table[f"{name}_low"], table[f"{name}_high"] = wilson(hits, visits, confidence)
    return table


def _credits(cell: IntArray, credit: FloatArray, cells: int) -> FloatArray:
    # The last digit of a sum depends on the order of adding up.
    return np.round(np.bincount(cell, weights=credit, minlength=cells), _DIGITS)


def _over(one: pd.Series, other: pd.Series) -> pd.Series:
    """Return the one over the other, missing where the other is not above zero."""
    return (one / other.where(other > 0)).astype("float64")


def _order_values(
    ledger: Ledger, cells: int, confidence: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the mean value of an order, refunds aside, and its interval."""
    some = np.flatnonzero(ledger.credit > 0)
    cell, order = ledger.credit_cell[some], ledger.order[some]
    # Several touches of one order in a cell are one order there.
    sort = np.lexsort((some, order, cell))
    starts = np.flatnonzero(run_starts(cell[sort], order[sort])) if len(sort) else sort
    weight = np.add.reduceat(ledger.credit[some][sort], starts) if len(starts) else np.zeros(0)
    cell, order = cell[sort[starts]], order[sort[starts]]
    # In the order of the amounts, which is not that of the rows.
    value = ledger.worth[order] / 100
    sort = np.lexsort((weight, value, cell))
    mean, low, high = weighted_means(cell[sort], weight[sort], value[sort], cells, confidence)
    return np.round(mean, _DIGITS), low, high

"""Conversions that are not worth an order: cancelled or test orders, and lines of one order."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from convergekit.base.text import as_text
from convergekit.base.wording import counted
from convergekit.checks.conversions import NO_CONVERSIONS
from convergekit.checks.fault import Fault, NotChecked
from convergekit.checks.tracking import Tracking
from convergekit.checks.wording import quoted
from convergekit.events.schema import PROPERTY, missing
from convergekit.typing import BoolArray, IntArray

#: Properties by which shops say that an order came to nothing, and the values that say so; None
#: where any value does. Shopify's `financial_status` is in capitals in its GraphQL API.
CANCELLED = {
    "cancelled_at": None,
    "canceled_at": None,
    "financial_status": {"voided"},
    "status": {"cancelled", "canceled", "failed", "trash"},
}
#: Properties that say of a test order that it is one.
TEST = {"test": {"true", "1"}, "is_test": {"true", "1"}}


def cancelled(tracking: Tracking) -> list[Fault] | NotChecked:
    """Find conversions that were cancelled, voided or a test."""
    if not tracking.names:
        return NotChecked(NO_CONVERSIONS)
    of_tests = _said(tracking, TEST)
    of_none = _said(tracking, CANCELLED)
    at = np.flatnonzero((of_tests != "") | (of_none != ""))
    if not len(at):
        return []
    tests = int((of_tests[at] != "").sum())
    kinds = [
        *([counted(len(at) - tests, "cancelled or voided order")] if len(at) > tests else []),
        *([counted(tests, "test order")] if tests else []),
    ]
    total = int(tracking.is_conversion.sum())
    return [
        Fault(
            "medium",
            f"{len(at):,} of {counted(total, 'conversion')} ({quoted(tracking.titles)}): "
            f"{' and '.join(kinds)}.",
            "They were placed, so they are counted, but they came to nothing: conversions, revenue "
            "and customers are too many.",
            "Leave them out with a condition, such as ck.Step('Placed Order', "
            'where="cancelled_at.isna()").',
            at,
            tracking.worth(at),
            lambda some: [of_tests[row] or of_none[row] for row in some.tolist()],
        )
    ]


def lines_of_one(tracking: Tracking) -> list[Fault] | NotChecked:
    """Find conversions without an amount that are lines of an order that has one."""
    if not tracking.names:
        return NotChecked(NO_CONVERSIONS)
    if tracking.money is None or not tracking.money.readable:
        return NotChecked("no property is known to hold the money of a conversion")
    events = tracking.events
    priced = ~missing(events[tracking.money.column]).to_numpy(dtype=bool)
    order = _whole_order(tracking, priced)
    at = np.flatnonzero(order >= 0)
    if not len(at):
        return []
    wholes = np.unique(order[at])
    lines = "is a line" if len(at) == 1 else "are lines"
    return [
        Fault(
            "high",
            f"{counted(len(at), 'conversion')} ({quoted(tracking.titles)}) without an amount "
            f"{lines} of {counted(len(wholes), 'order')}: the same time and a common alias.",
            "A table with a line per item counts an order once for each of its items: orders and "
            "buyers who ordered again are too many, and the items are apart.",
            "Gather the lines by the order's number before you read them, or use a format that "
            "does so, such as format='shopify_csv'.",
            at,
            tracking.worth(wholes),
            lambda some: [f"no amount; the order is row {events['row'].iloc[order[position]]}"
                          for position in some.tolist()],
        )
    ]  # fmt: skip


def _said(tracking: Tracking, signs: Mapping[str, set[str] | None]) -> np.ndarray:
    """Return of each event which property says so, and what it says; "" where none does."""
    events = tracking.events
    found = np.full(len(events), "", dtype=object)
    at = np.flatnonzero(tracking.is_conversion)
    for name, values in signs.items():
        for column in (PROPERTY + name, name):
            if column not in events:
                continue
            cells = events[column].iloc[at]
            says = ~missing(cells).to_numpy(dtype=bool)
            texts = _texts(cells)
            if values is not None:
                says &= texts.str.strip().str.casefold().isin(values).to_numpy(dtype=bool)
            new = says & (found[at] == "")
            found[at[new]] = [f"{name}: {text}" for text in texts[new]]
    return found


def _texts(cells: pd.Series) -> pd.Series:
    text, unusable = as_text(cells)
    return text.where(~unusable, cells.map(str).astype("str"))


def _whole_order(tracking: Tracking, priced: BoolArray) -> IntArray:
    """Return for each conversion without an amount the one with which it shares time and alias.

    -1 where there is none. Of several, the first.
    """
    order = np.full(len(tracking.events), -1, dtype=np.int64)
    event, alias = tracking.pairs
    of_conversions = tracking.is_conversion[event]
    event, alias = event[of_conversions], alias[of_conversions]
    pairs = pd.DataFrame({"time": tracking.microseconds[event], "alias": alias, "event": event})
    with_amount = pairs[priced[event]].groupby(["time", "alias"])["event"].min()
    bare = pairs[~priced[event]]
    if not len(bare) or not len(with_amount):
        return order
    keys = pd.MultiIndex.from_frame(bare[["time", "alias"]])
    place = with_amount.index.get_indexer(keys)
    found = place >= 0
    wholes = with_amount.to_numpy(dtype=np.int64)[place[found]]
    lines = bare["event"].to_numpy(dtype=np.int64)[found]
    last = np.lexsort([-wholes, lines])
    # The smallest stands last, and what is written last counts.
    order[lines[last]] = wholes[last]
    return order

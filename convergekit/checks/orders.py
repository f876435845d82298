"""Conversions that are not worth an order: cancelled or test orders, and lines of one order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from convergekit.base.text import as_text
from convergekit.base.wording import counted
from convergekit.checks.conversions import no_conversions
from convergekit.checks.fault import Check, Fault, FoundInPart, Together
from convergekit.checks.tracking import Tracking
from convergekit.checks.whole import Whole
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


def _cancelled(tracking: Tracking) -> Iterator[FoundInPart]:
    """Find conversions that were cancelled, voided or a test."""
    of_tests = _said(tracking, TEST)
    of_none = _said(tracking, CANCELLED)
    at = np.flatnonzero((of_tests != "") | (of_none != ""))
    yield FoundInPart(
        at,
        tracking.worth(at),
        lambda some: [of_tests[row] or of_none[row] for row in some.tolist()],
        about=int((of_tests[at] != "").sum()),
    )


def _said_of_cancelled(found: Together) -> Fault:
    tests = sum(found.about)
    others = found.count - tests
    kinds = [
        *([counted(others, "cancelled or voided order")] if others else []),
        *([counted(tests, "test order")] if tests else []),
    ]
    return Fault(
        "medium",
        f"{found.count:,} of {counted(found.whole.conversions, 'conversion')} "
        f"({quoted(found.whole.titles)}): {' and '.join(kinds)}.",
        "They were placed, so they are counted, but they came to nothing: conversions, revenue "
        "and customers are too many.",
        "Leave them out with a condition, such as ck.Step('Placed Order', "
        'where="cancelled_at.isna()").',
        found.money,
    )


def _no_amounts(whole: Whole) -> str:
    readable = whole.money is not None and whole.money.readable
    return no_conversions(whole) or (
        "" if readable else "no property is known to hold the money of a conversion"
    )


def _lines_of_one(tracking: Tracking) -> Iterator[FoundInPart]:
    """Find conversions without an amount that are lines of an order that has one."""
    if tracking.money is None:
        return
    priced = ~missing(tracking.events[tracking.money.column]).to_numpy(dtype=bool)
    order = _whole_order(tracking, priced)
    at = np.flatnonzero(order >= 0)
    wholes = np.unique(order[at])
    yield FoundInPart(
        at,
        tracking.worth(wholes),
        lambda some: [
            f"no amount; the order is row {row}" for row in tracking.rows[order[some]].tolist()
        ],
        about=len(wholes),
    )


def _said_of_lines(found: Together) -> Fault:
    lines = "is a line" if found.count == 1 else "are lines"
    return Fault(
        "high",
        f"{counted(found.count, 'conversion')} ({quoted(found.whole.titles)}) without an amount "
        f"{lines} of {counted(sum(found.about), 'order')}: the same time and a common alias.",
        "A table with a line per item counts an order once for each of its items: orders and "
        "buyers who ordered again are too many, and the items are apart.",
        "Gather the lines by the order's number before you read them, or use a format that "
        "does so, such as format='shopify_csv'.",
        found.money,
    )


CANCELLED_ORDERS = Check(_cancelled, _said_of_cancelled, no_conversions)
LINES_OF_ONE = Check(_lines_of_one, _said_of_lines, _no_amounts)


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

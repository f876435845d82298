"""Conversions without an event ID, or without an alias that identifies a profile."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from convergekit.base.text import as_text, to_arrow
from convergekit.base.wording import counted
from convergekit.checks.fault import Check, Fault, FoundInPart, Together
from convergekit.checks.tracking import Tracking
from convergekit.checks.whole import Whole
from convergekit.checks.wording import masked, quoted, shown
from convergekit.events.normalise import carries_aliases
from convergekit.events.nothing import is_nobody
from convergekit.events.schema import PROPERTY
from convergekit.typing import IntArray

NO_CONVERSIONS = "no event is named 'Placed Order': name your conversions with conversion="

#: What exports call an order's number among a conversion's properties.
ORDER_IDS = (
    *("order_id", "transaction_id", "orderId", "transactionId", "tr_orderid", "order_number"),
    *("orderNumber", "order_name", "checkout_id"),
)
#: Orphans are a finding from this share of a source's conversions on, and this many.
ORPHAN_SHARE = 0.25
FEWEST_ORPHANS = 10


def no_conversions(whole: Whole) -> str:
    """Return that there are no conversions to look at; nothing where there are."""
    return "" if whole.names else NO_CONVERSIONS


def _without_id(tracking: Tracking) -> Iterator[FoundInPart]:
    """Find conversions that have no event ID."""
    lacking = tracking.events["event_id"].isna().to_numpy(dtype=bool)
    at = np.flatnonzero(tracking.is_conversion & lacking)
    # Those are a finding of their own.
    at = np.setdiff1d(at, tracking.placeholder_ids.index)
    yield FoundInPart(at, tracking.worth(at), lambda some: ["no event ID"] * len(some))


def _said_without_id(found: Together) -> Fault:
    return Fault(
        "medium",
        f"{_of_all(found)} {'has' if found.count == 1 else 'have'} no event ID.",
        "Nothing says which of them are copies: a webhook that is sent again, or a reloaded "
        "thank-you page, counts its money twice.",
        "Send the order's number as the event ID, the same from every source that reports "
        "the order.",
        found.money,
    )


def _of_all(found: Together) -> str:
    """Return in words how many of the conversions were found."""
    total = counted(found.whole.conversions, "conversion")
    return f"{found.count:,} of {total} ({quoted(found.whole.titles)})"


def _order_ids(tracking: Tracking) -> dict[str, pd.DataFrame]:
    """Return the orders' numbers on conversions, with time and row, by the property's name."""
    converts = np.flatnonzero(tracking.is_conversion)
    found = {}
    for name in ORDER_IDS:
        if PROPERTY + name not in tracking.events:
            continue
        texts = as_text(tracking.events[PROPERTY + name].iloc[converts])[0]
        known = texts.notna().to_numpy() & ~is_nobody(to_arrow(texts))
        at = converts[known]
        found[name] = pd.DataFrame(
            {
                "id": texts[known].array,
                "time": tracking.microseconds[at],
                "row": tracking.rows[at],
            }
        )
    return found


def _repeated_ids(parts: list[dict[str, pd.DataFrame]], whole: Whole) -> tuple[str, IntArray]:
    """Return the first property of which a number stands on several conversions, and their rows."""
    for name in ORDER_IDS:
        some = [part[name] for part in parts if name in part]
        if some:
            # The first of an order is the order; ties by row, as it came.
            in_time = pd.concat(some).sort_values(["time", "row"])
            rows = in_time["row"][in_time["id"].duplicated()]
            if len(rows):
                return name, np.sort(rows.to_numpy(dtype=np.int64))
    return "", np.empty(0, dtype=np.int64)


def _repeated_order(tracking: Tracking) -> Iterator[FoundInPart]:
    """Find orders whose number stands on several conversions, none of them a dropped copy."""
    name, rows = tracking.whole.of_checks["order-id-on-several-conversions"]
    if name:
        at = np.flatnonzero(np.isin(tracking.rows, rows))
        values = tracking.events[PROPERTY + name]
        yield FoundInPart(
            at,
            tracking.worth(at),
            lambda some: [f"{name} = {shown(value)}" for value in values.iloc[some]],
            about=name,
        )


def _said_of_order(found: Together) -> Fault:
    return Fault(
        "high",
        f"{counted(found.count, 'conversion has', 'conversions have')} the {found.about[0]} of an "
        "earlier one, under another event ID or none.",
        "Each counts as an order of its own, with its money.",
        "Send the order's number as the event ID, the same from every source that reports the "
        "order.",
        found.money,
    )


def _without_alias(tracking: Tracking) -> Iterator[FoundInPart]:
    """Find conversions that carry no alias that identifies a profile."""
    at = np.flatnonzero(tracking.is_conversion & (tracking.profile < 0))
    yield FoundInPart(
        at,
        tracking.worth(at),
        lambda some: [
            "only aliases that identify nobody" if carries else "no alias"
            for carries in carries_aliases(tracking.events, some)
        ],
        about=int(carries_aliases(tracking.events, at).sum()),
    )


def _said_without_alias(found: Together) -> Fault:
    unusable = sum(found.about)
    bare = found.count - unusable
    reasons = [
        *([counted(bare, "carries no alias", "carry no alias")] if bare else []),
        *([f"{unusable:,} only such as identify nobody, as 'null'"] if unusable else []),
    ]
    return Fault(
        "high",
        f"{_of_all(found)} {'has' if found.count == 1 else 'have'} no profile: "
        f"{' and '.join(reasons)}.",
        "Funnels do not count them, and attribution does not credit a campaign for them.",
        "Send what the order knows of its buyer as aliases: the checkout's and the cart's "
        "token, the e-mail address, the customer's ID.",
        found.money,
    )


def _no_other_events(whole: Whole) -> str:
    return no_conversions(whole) or ("" if whole.others else "there are no events but conversions")


def _orphaned(tracking: Tracking) -> Iterator[FoundInPart]:
    """Find conversions that carry aliases which nothing else carries, of each source."""
    is_orphan = tracking.is_conversion & (tracking.profile >= 0) & ~_known_elsewhere(tracking)
    source = tracking.sources[0]
    for code in np.unique(source[tracking.is_conversion]).tolist():
        here = source == code
        at = np.flatnonzero(is_orphan & here)
        yield FoundInPart(
            at,
            tracking.worth(at),
            lambda some: _urns(tracking, some),
            tracking.source_name(code),
            about=int((tracking.is_conversion & here).sum()),
        )


def _said_of_orphans(found: Together) -> Fault | None:
    total = sum(found.about)
    if found.count < FEWEST_ORPHANS or found.count < ORPHAN_SHARE * total:
        return None
    return Fault(
        "high",
        f"{found.count:,} of {counted(total, 'conversion')} of "
        f"{repr(found.key) if found.key else 'no named source'} carry only aliases "
        "that no other source and no other kind of event carries.",
        "They are profiles of their own, without a visit and without a campaign: a funnel "
        "that starts in the browser loses them.",
        "Send on the order an alias that the browser knows as well: have the cart's or "
        "the checkout's token on the last browser event before it. s.orphans(...) says "
        "for each of them what it lacks.",
        found.money,
    )


WITHOUT_EVENT_ID = Check(_without_id, _said_without_id, no_conversions)
REPEATED_ORDER_ID = Check(
    _repeated_order, _said_of_order, no_conversions, _order_ids, _repeated_ids
)
WITHOUT_ALIAS = Check(_without_alias, _said_without_alias, no_conversions)
ORPHANED = Check(_orphaned, _said_of_orphans, _no_other_events)


def _known_elsewhere(tracking: Tracking) -> np.ndarray:
    """Return which events carry a browser's alias, or one that another kind of event carries.

    Another kind: from another source, or no conversion.
    """
    event, alias = tracking.pairs
    kind = np.where(tracking.is_conversion, tracking.sources[0], -2)
    lowest = np.full(len(tracking.aliases.table), np.iinfo(np.int64).max)
    highest = np.full(len(tracking.aliases.table), -3)
    np.minimum.at(lowest, alias, kind[event])
    np.maximum.at(highest, alias, kind[event])
    telling = (lowest != highest) | tracking.is_browser
    known = np.zeros(len(tracking.events), dtype=bool)
    known[event[telling[alias]]] = True
    return known


def _urns(tracking: Tracking, some: IntArray) -> list[str]:
    event, alias = tracking.pairs
    return [
        masked(", ".join(tracking.aliases.urns(alias[slice(*_bounds(event, position))])))
        for position in some.tolist()
    ]


def _bounds(event: IntArray, position: int) -> list[int]:
    return np.searchsorted(event, [position, position + 1]).tolist()

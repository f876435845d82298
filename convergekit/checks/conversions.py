"""Conversions without an event ID, or without an alias that identifies a profile."""

from __future__ import annotations

import numpy as np

from convergekit.base.text import as_text, to_arrow
from convergekit.base.wording import counted
from convergekit.checks.fault import Fault, NotChecked
from convergekit.checks.tracking import Tracking
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


def without_event_id(tracking: Tracking) -> list[Fault] | NotChecked:
    """Find conversions that have no event ID."""
    if not tracking.names:
        return NotChecked(NO_CONVERSIONS)
    at = np.flatnonzero(
        tracking.is_conversion & tracking.events["event_id"].isna().to_numpy(dtype=bool)
    )
    # Those are a finding of their own.
    at = np.setdiff1d(at, tracking.placeholder_ids.index)
    if not len(at):
        return []
    total = int(tracking.is_conversion.sum())
    return [
        Fault(
            "medium",
            f"{len(at):,} of {counted(total, 'conversion')} ({quoted(tracking.titles)}) "
            f"{'has' if len(at) == 1 else 'have'} no event ID.",
            "Nothing says which of them are copies: a webhook that is sent again, or a reloaded "
            "thank-you page, counts its money twice.",
            "Send the order's number as the event ID, the same from every source that reports "
            "the order.",
            at,
            tracking.worth(at),
            lambda some: ["no event ID"] * len(some),
        )
    ]


def repeated_order_id(tracking: Tracking) -> list[Fault] | NotChecked:
    """Find orders whose number stands on several conversions, none of them a dropped copy."""
    if not tracking.names:
        return NotChecked(NO_CONVERSIONS)
    converts = np.flatnonzero(tracking.is_conversion)
    for name in ORDER_IDS:
        if PROPERTY + name not in tracking.events:
            continue
        texts = as_text(tracking.events[PROPERTY + name].iloc[converts])[0]
        ids = texts[texts.notna().to_numpy() & ~is_nobody(to_arrow(texts))]
        at = converts[texts.index.get_indexer(ids.index)]
        # The first of an order is the order; ties by row, as it came.
        in_time = np.lexsort((tracking.events["row"].to_numpy()[at], tracking.microseconds[at]))
        again = ids.iloc[in_time].duplicated().to_numpy(dtype=bool)
        at = np.sort(at[in_time][again])
        if len(at):
            return [_repeated_order(tracking, name, at)]
    return []


def _repeated_order(tracking: Tracking, name: str, at: IntArray) -> Fault:
    values = tracking.events[PROPERTY + name]
    return Fault(
        "high",
        f"{counted(len(at), 'conversion has', 'conversions have')} the {name} of an earlier one, "
        "under another event ID or none.",
        "Each counts as an order of its own, with its money.",
        "Send the order's number as the event ID, the same from every source that reports the "
        "order.",
        at,
        tracking.worth(at),
        lambda some: [f"{name} = {shown(value)}" for value in values.iloc[some]],
    )


def without_alias(tracking: Tracking) -> list[Fault] | NotChecked:
    """Find conversions that carry no alias that identifies a profile."""
    if not tracking.names:
        return NotChecked(NO_CONVERSIONS)
    at = np.flatnonzero(tracking.is_conversion & (tracking.profile < 0))
    if not len(at):
        return []
    total = int(tracking.is_conversion.sum())
    unusable = int(carries_aliases(tracking.events, at).sum())
    bare = len(at) - unusable
    reasons = [
        *([counted(bare, "carries no alias", "carry no alias")] if bare else []),
        *([f"{unusable:,} only such as identify nobody, as 'null'"] if unusable else []),
    ]
    return [
        Fault(
            "high",
            f"{len(at):,} of {counted(total, 'conversion')} "
            f"{'has' if len(at) == 1 else 'have'} no profile: {' and '.join(reasons)}.",
            "Funnels do not count them, and attribution does not credit a campaign for them.",
            "Send what the order knows of its buyer as aliases: the checkout's and the cart's "
            "token, the e-mail address, the customer's ID.",
            at,
            tracking.worth(at),
            lambda some: [
                "only aliases that identify nobody" if carries else "no alias"
                for carries in carries_aliases(tracking.events, some)
            ],
        )
    ]


def orphaned(tracking: Tracking) -> list[Fault] | NotChecked:
    """Find sources many of whose conversions carry aliases that nothing else carries."""
    if not tracking.names:
        return NotChecked(NO_CONVERSIONS)
    if not (tracking.is_kept & ~tracking.is_conversion).any():
        return NotChecked("there are no events but conversions")
    is_orphan = tracking.is_conversion & (tracking.profile >= 0) & ~_known_elsewhere(tracking)
    source, names = tracking.sources
    faults = []
    for code in np.unique(source[is_orphan]).tolist():
        here = source == code
        at = np.flatnonzero(is_orphan & here)
        total = int((tracking.is_conversion & here).sum())
        if len(at) < FEWEST_ORPHANS or len(at) < ORPHAN_SHARE * total:
            continue
        of_source = repr(names[code]) if code >= 0 else "no named source"
        faults.append(
            Fault(
                "high",
                f"{len(at):,} of {counted(total, 'conversion')} of {of_source} carry only aliases "
                "that no other source and no other kind of event carries.",
                "They are profiles of their own, without a visit and without a campaign: a funnel "
                "that starts in the browser loses them.",
                "Send on the order an alias that the browser knows as well: have the cart's or "
                "the checkout's token on the last browser event before it. s.orphans(...) says "
                "for each of them what it lacks.",
                at,
                tracking.worth(at),
                lambda some: _urns(tracking, some),
            )
        )
    return faults


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
    telling = (lowest != highest) | tracking.of_type(tracking.browser_alias)
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

"""Event IDs that are on different events, of which only the first to arrive counts."""

from __future__ import annotations

import numpy as np

from convergekit.base.wording import counted
from convergekit.checks.event_names import folded
from convergekit.checks.fault import Fault
from convergekit.checks.tracking import Tracking
from convergekit.checks.wording import shown
from convergekit.typing import IntArray

#: Amounts that differ by less are the same, written or rounded otherwise.
_SAME_AMOUNT = 0.005


def reused_for_other_names(tracking: Tracking) -> list[Fault]:
    """Find dropped copies whose event name differs from the kept event's."""
    dropped = np.flatnonzero(~tracking.is_kept)
    names = folded(tracking.events["event_name"].iloc[dropped])
    kept_names = folded(tracking.events["event_name"].iloc[tracking.kept[dropped]])
    both = names.notna().to_numpy() & kept_names.notna().to_numpy()
    at = dropped[both & (names.to_numpy(dtype=object) != kept_names.to_numpy(dtype=object))]
    if not len(at):
        return []
    return [
        Fault(
            "high",
            f"{counted(len(at), 'event repeats', 'events repeat')} the event ID of an event with "
            "another name.",
            "The same ID is the same event: only the first to arrive counts, and these are "
            "dropped as its copies.",
            "Give every event an ID of its own. If an order's number is its ID, put the kind "
            "before it on other events (refund-1001); if two names mean one event, use one.",
            at,
            _worth_of_dropped(tracking, at),
            lambda some: _beside_kept(tracking, some, "event_name"),
        )
    ]


def reused_for_other_amounts(tracking: Tracking) -> list[Fault]:
    """Find dropped copies whose amount differs from the kept event's."""
    money = tracking.money
    if money is None:
        return []
    dropped = np.flatnonzero(~tracking.is_kept)
    kept = tracking.kept[dropped]
    has_amount = ~(tracking.events[money.column].isna().to_numpy() | money.unreadable)
    differs = np.abs(money.amounts[dropped] - money.amounts[kept]) >= _SAME_AMOUNT
    at = dropped[differs & has_amount[dropped] & has_amount[kept]]
    if not len(at):
        return []
    return [
        Fault(
            "high",
            f"{counted(len(at), 'event repeats', 'events repeat')} the event ID of an event with "
            "another amount.",
            "The same ID is the same event: only the first to arrive counts, with its amount. "
            "Either orders are lost, or one of the sources counts something else (tax, shipping, "
            "a discount).",
            "Give every order an ID of its own, and have all sources send the same total for it.",
            at,
            _worth_of_dropped(tracking, at),
            lambda some: _beside_kept(tracking, some, money.column),
        )
    ]


def _worth_of_dropped(tracking: Tracking, at: IntArray) -> float | None:
    """Return the amounts of the copies that are conversions: lost if they are not copies."""
    if tracking.amounts is None:
        return None
    converts = tracking.events["event_name"].iloc[at].isin(tracking.names).to_numpy(dtype=bool)
    return float(tracking.amounts[at[converts]].sum())


def _beside_kept(tracking: Tracking, some: IntArray, column: str) -> list[str]:
    rows, ids = tracking.events["row"].to_numpy(), tracking.events["event_id"]
    values = tracking.events[column]
    return [
        f"{shown(ids.iloc[copy])}: {shown(values.iloc[copy])} here, "
        f"{shown(values.iloc[kept])} in row {rows[kept]}"
        for copy, kept in zip(some.tolist(), tracking.kept[some].tolist(), strict=True)
    ]

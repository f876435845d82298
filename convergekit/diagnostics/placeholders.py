"""Properties that hold texts which stand for nothing, as the report counts them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from convergekit.events.campaigns import holds_campaign
from convergekit.events.nothing import without_value
from convergekit.events.schema import PROFILE_PROPERTY, PROPERTY
from convergekit.typing import BoolArray

_NAMED = 4


def placeholder_remarks(events: pd.DataFrame) -> dict[str, int]:
    """Return on how many events properties hold placeholder texts, campaigns and others apart.

    Examples
    --------
    >>> placeholder_remarks(pd.DataFrame({
    ...     "properties.coupon": ["null", "SPRING", None],
    ...     "profile_properties.utm_source": ["google", "undefined", "undefined"],
    ... }))  # doctest: +NORMALIZE_WHITESPACE
    {'utm_source is a placeholder: neither carried nor a campaign': 2,
     'coupon is a placeholder: kept as sent, unless nothing= names it': 1}
    """
    campaigns, others = found_placeholders(events)
    return {
        **placeholder_remark(list(campaigns), rows_with_any(campaigns), of_campaigns=True),
        **placeholder_remark(list(others), rows_with_any(others), of_campaigns=False),
    }


def placeholder_remark(columns: list[str], rows: int, *, of_campaigns: bool) -> dict[str, int]:
    """Return the remark on columns in which placeholder texts stand; none without such rows."""
    if not rows:
        return {}
    names = [c.removeprefix(PROFILE_PROPERTY).removeprefix(PROPERTY) for c in columns]
    names = list(dict.fromkeys(names))
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    listed = " or ".join(names[:_NAMED]) + more
    if of_campaigns:
        return {f"{listed} is a placeholder: neither carried nor a campaign": rows}
    return {f"{listed} is a placeholder: kept as sent, unless nothing= names it": rows}


def found_placeholders(
    events: pd.DataFrame,
) -> tuple[dict[str, BoolArray], dict[str, BoolArray]]:
    """Return where properties hold placeholder texts, by column: campaigns, and others."""
    campaigns: dict[str, BoolArray] = {}
    others: dict[str, BoolArray] = {}
    for column in events.columns:
        if column.startswith((PROPERTY, PROFILE_PROPERTY)):
            found = without_value(events[column])
            if found.any():
                (campaigns if holds_campaign(column) else others)[column] = found
    return campaigns, others


def rows_with_any(found: dict[str, BoolArray]) -> int:
    """Return on how many events any of the columns holds one."""
    return int(np.any(list(found.values()), axis=0).sum()) if found else 0

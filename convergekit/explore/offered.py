"""What the data offer to choose from: events, breakdowns, properties and their values.

Importing this module imports no widgets.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from convergekit.base.wording import shortened
from convergekit.checks.money import USUAL_VALUES
from convergekit.errors import ConvergekitError
from convergekit.events.amounts import events_named
from convergekit.events.campaigns import TAGS
from convergekit.events.schema import PROFILE, PROFILE_PROPERTY, PROPERTY
from convergekit.explore.display import MOST_LETTERS, MOST_OPTIONS

_PLAIN = frozenset({"string", "boolean", "integer", "floating", "empty"})
#: What a visit says of itself, beside its tags.
_OF_VISITS = ("channel", "landing_page", "referrer", "click_id")


def breakdowns(events: pd.DataFrame) -> dict[str, str]:
    """Return what everything can be broken down by: the name, and in words where it is read.

    Examples
    --------
    >>> breakdowns(pd.DataFrame({"properties.plan": ["free"], "profile.city": ["Ghent"]}))
    ... # doctest: +NORMALIZE_WHITESPACE
    {'channel': 'channel · of the visit', 'landing_page': 'landing_page · of the visit',
     'referrer': 'referrer · of the visit', 'click_id': 'click_id · of the visit',
     'profile.city': 'city · carried', 'properties.plan': 'plan · of the event'}
    """
    names = [str(name) for name in events.columns]
    short = {name.split(".", 1)[1] for name in names if name.startswith((PROPERTY, PROFILE))}
    found = {name: f"{name} · of the visit" for name in _OF_VISITS if name not in {*names, *short}}
    for name in names:
        if name.startswith(PROFILE):
            own = name.removeprefix(PROFILE)
            is_tag = own in TAGS and PROFILE_PROPERTY + own in names
            found[name] = f"{own} · {'of the visit' if is_tag else 'carried'}"
    for name in names:
        if name.startswith(PROPERTY):
            found[name] = f"{name.removeprefix(PROPERTY)} · of the event"
    return found


def properties(events: pd.DataFrame) -> list[str]:
    """Return the columns that an event can be asked for a value of."""
    return [str(name) for name in events.columns if str(name).startswith((PROPERTY, PROFILE))]


def values_of(values: pd.Series, name: str) -> pd.Series:
    """Return how often each value occurs, most first.

    Raises
    ------
    ConvergekitError
        The values are neither texts nor numbers.
    """
    known = values.dropna()
    if pd.api.types.infer_dtype(known, skipna=True) not in _PLAIN:
        raise ConvergekitError(
            f"{name} holds something other than plain text or numbers; choose another property, "
            "or give ck.Step(..., where=a function) in code."
        )
    if pd.api.types.is_float_dtype(known.dtype):
        known = known[known.abs() != float("inf")]
    counts = known.astype(object).value_counts()
    return counts.sort_values(ascending=False, kind="stable")


def as_options(counts: pd.Series) -> list[tuple[str, Any]]:
    """Return values to choose from, each as JSON can hold it and with how often it occurs."""
    return [
        (f"{shortened(value, MOST_LETTERS)} ({count:,})", _plain(value))
        for value, count in counts.head(MOST_OPTIONS).items()
    ]


def amount_of(events: pd.DataFrame, name: str | None) -> str | None:
    """Return the property that is an order's amount, by its name; None if none is."""
    if name is None:
        return None
    there = [one for one in USUAL_VALUES if PROPERTY + one in events]
    if not there:
        return None
    at = events_named(events, name)
    return next((one for one in there if events[PROPERTY + one].iloc[at].notna().any()), None)


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value

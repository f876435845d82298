"""Profiles: the components of the alias graph, with IDs that last.

A profile's ID is derived from its earliest-seen alias (ties: the type first named in
`TYPE_PRIORITY`, then the alphabet). It depends on neither row order nor later events: events
appended later never change an existing ID, and when two profiles merge, the older one's ID
survives.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from convergekit.aliases import EventAliases, urn
from convergekit.timestamps import microseconds

IntArray = npt.NDArray[np.int64]

#: Types that name a person come before those that name a visit; unknown types come last.
TYPE_PRIORITY = ("customer_id", "user_id", "email", "phone", "checkout_token", "cart_token")


#: Types of which a person usually has one: several on one profile hint at over-merging.
LOGIN_TYPES = ("customer_id", "user_id", "email", "phone")


def profile_ids(aliases: EventAliases, component: IntArray, timestamps: pd.Series) -> pd.Series:
    """Return each component's profile ID.

    Parameters
    ----------
    aliases : EventAliases
    component : numpy.ndarray of int
        The component of each alias.
    timestamps : pandas.Series of datetime64[us, UTC]
        Time of each event.

    Returns
    -------
    pandas.Series of str
        Indexed by component number: ``p_`` and 16 hexadecimal digits, the start of the SHA-256
        of the earliest alias's URN.

    Examples
    --------
    >>> from convergekit.aliases import read_aliases
    >>> events = pd.DataFrame({"alias.cookie": ["7f3a"]})
    >>> at = pd.Series(pd.to_datetime(["2026-03-02"], utc=True))
    >>> profile_ids(read_aliases(events), np.array([0]), at).tolist()
    ['p_aabcdb8751592114']
    """
    leader = _leaders(aliases, component, timestamps)
    types = aliases.table["alias_type"].to_numpy()[leader]
    values = aliases.table["alias_value"].to_numpy()[leader]
    return pd.Series([_profile_id(*pair) for pair in zip(types, values, strict=True)], dtype="str")


def alias_times(aliases: EventAliases, timestamps: pd.Series) -> tuple[IntArray, IntArray]:
    """Return when each alias was first and last seen, as integers of the timestamps' unit."""
    at = microseconds(timestamps)[aliases.event]
    limits = np.iinfo(np.int64)
    first = np.full(len(aliases.table), limits.max)
    last = np.full(len(aliases.table), limits.min)
    np.minimum.at(first, aliases.alias, at)
    np.maximum.at(last, aliases.alias, at)
    return first, last


def type_priority(types: Sequence[str]) -> IntArray:
    """Return each type's place: those of `TYPE_PRIORITY`, then the rest by the alphabet."""
    rest = sorted(set(types) - set(TYPE_PRIORITY))
    place = {name: i for i, name in enumerate((*TYPE_PRIORITY, *rest))}
    return np.array([place[name] for name in types], dtype=np.int64)


def _leaders(aliases: EventAliases, component: IntArray, timestamps: pd.Series) -> IntArray:
    """Return each component's earliest alias, narrowing down the candidates tie by tie."""
    count = int(component.max(initial=-1)) + 1
    first_seen, _ = alias_times(aliases, timestamps)
    categories = aliases.table["alias_type"].cat
    priority = type_priority(list(categories.categories))[categories.codes.to_numpy()]
    candidates = np.arange(len(component))
    for key in (first_seen, priority):
        best = np.full(count, np.iinfo(np.int64).max)
        np.minimum.at(best, component[candidates], key[candidates])
        candidates = candidates[key[candidates] == best[component[candidates]]]
    several = np.bincount(component[candidates], minlength=count)[component[candidates]] > 1
    leader = np.empty(count, dtype=np.int64)
    leader[component[candidates[~several]]] = candidates[~several]
    tied = candidates[several]
    values = aliases.table["alias_value"].to_numpy(dtype=object)[tied]
    descending = tied[np.argsort(values.astype(str), kind="stable")[::-1]]
    leader[component[descending]] = descending
    return leader


def _profile_id(alias_type: str, alias_value: str) -> str:
    digest = hashlib.sha256(urn(alias_type, alias_value).encode(), usedforsecurity=False)
    return "p_" + digest.hexdigest()[:16]

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
import pyarrow as pa

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
    leaders = aliases.table.take(_leaders(aliases, component, timestamps))
    types = leaders["alias_type"].cat
    prefixes = [urn(name, "").encode() for name in types.categories]
    codes, values = types.codes.tolist(), leaders["alias_value"].tolist()
    sha256 = hashlib.sha256
    digests = [
        sha256(prefixes[c] + v.encode()).digest() for c, v in zip(codes, values, strict=True)
    ]
    return pd.Series(_hexadecimal(digests), dtype="str")


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
    first_seen = np.full(len(aliases.table), np.iinfo(np.int64).max)
    np.minimum.at(first_seen, aliases.alias, microseconds(timestamps)[aliases.event])
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


def _hexadecimal(digests: list[bytes]) -> pa.Array:
    """Return ``p_`` and the first 16 hexadecimal digits of each digest."""
    digits = b"".join(digests).hex().encode()
    width = 2 + 16
    text = np.empty((len(digests), width), dtype=np.uint8)
    text[:, :2] = np.frombuffer(b"p_", dtype=np.uint8)
    text[:, 2:] = np.frombuffer(digits, dtype=np.uint8).reshape(-1, 64)[:, :16]
    ends = np.arange(len(digests) + 1, dtype=np.int64) * width
    return pa.LargeStringArray.from_buffers(
        len(digests), pa.py_buffer(ends), pa.py_buffer(text.reshape(-1))
    )

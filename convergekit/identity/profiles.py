"""Profiles: the components of the alias graph, with IDs that last.

A profile's ID is derived from its earliest-seen alias (ties: the type first named in
`TYPE_PRIORITY`, then the alphabet). It depends on neither row order nor later events: events
appended later never change an existing ID, and when two profiles merge, the older one's ID
survives.

Whoever has a list of e-mail addresses can compute the IDs that come of them. With a salt, a key
that they do not have, they cannot: an ID is then the start of the HMAC-SHA-256 of the URN (RFC
2104). The IDs of all aliases are computed once, as a column `alias_id` of their table, and the
salt is not kept.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.base.compiled import compiled
from convergekit.base.text import to_arrow
from convergekit.errors import ConvergekitError
from convergekit.events.timestamps import microseconds
from convergekit.identity.aliases import EventAliases, urn
from convergekit.typing import IntArray

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
        of the earliest alias's URN, or of its HMAC where the aliases were `salted`.

    Examples
    --------
    >>> from convergekit.identity.read_aliases import read_aliases
    >>> events = pd.DataFrame({"alias.cookie": ["7f3a"]})
    >>> at = pd.Series(pd.to_datetime(["2026-03-02"], utc=True))
    >>> profile_ids(read_aliases(events), np.array([0]), at).tolist()
    ['p_aabcdb8751592114']
    """
    return ids_of_leaders(aliases.table.take(_leaders(aliases, component, timestamps)))


def ids_of_leaders(leaders: pd.DataFrame) -> pd.Series:
    """Return the IDs of the profiles of which these aliases are the earliest.

    Parameters
    ----------
    leaders : pandas.DataFrame
        `alias_type` (categorical), `alias_value`, and where they were `salted` `alias_id`.
    """
    if ALIAS_ID in leaders:
        return leaders[ALIAS_ID].reset_index(drop=True).rename(None)
    return _ids(leaders, None)


def salt_key(salt: Any) -> bytes | None:
    """Return a salt as the bytes that it is, or None for none.

    Raises
    ------
    ConvergekitError
        It is neither text nor bytes, or there is nothing in it. The salt itself is not shown.

    Examples
    --------
    >>> salt_key("pepper"), salt_key(None)
    (b'pepper', None)
    """
    if salt is None:
        return None
    if not isinstance(salt, str | bytes):
        raise ConvergekitError(
            "salt must be text or bytes, such as secrets.token_hex(32); got a "
            f"{type(salt).__name__}."
        )
    key = salt.encode("utf-8", "surrogatepass") if isinstance(salt, str) else salt
    if not key:
        raise ConvergekitError(
            "salt must not be empty; give one such as secrets.token_hex(32), or None for no salt."
        )
    return key


def salted(aliases: EventAliases, salt: bytes | None) -> EventAliases:
    """Return the aliases with the IDs that a salt makes of them; as they are without one."""
    if salt is None:
        return aliases
    return replace(aliases, table=salted_table(aliases.table, salt))


def salted_table(table: pd.DataFrame, salt: bytes) -> pd.DataFrame:
    """Return a table of aliases with a column of the IDs that a salt makes of them.

    Examples
    --------
    >>> table = pd.DataFrame({"alias_type": pd.Categorical(["cookie"]), "alias_value": ["7f3a"]})
    >>> salted_table(table, b"pepper")["alias_id"].tolist()
    ['p_9d06f35be18f0569']
    """
    return table.assign(**{ALIAS_ID: _ids(table, salt).array})


def _ids(table: pd.DataFrame, salt: bytes | None) -> pd.Series:
    types = table["alias_type"].cat
    prefixes = pa.array([urn(name, "") for name in types.categories], type=pa.large_string())
    values = to_arrow(table["alias_value"])
    urns = pc.binary_join_element_wise(
        prefixes.take(pa.array(types.codes)), values, pa.scalar("", pa.large_string())
    )
    if compiled(_LIKE_ROWS * len(urns)):
        from convergekit.identity.compiled.digests import digest_starts

        _, ends, content = urns.buffers()
        ends = np.frombuffer(ends, dtype=np.int64)[: len(urns) + 1]
        starts = digest_starts(np.frombuffer(content, dtype=np.uint8), ends, salt)
    else:
        starts = _digest_starts(urns, salt)
    return pd.Series(_hexadecimal(starts), dtype="str")


def alias_times(aliases: EventAliases, timestamps: pd.Series) -> tuple[IntArray, IntArray]:
    """Return when each alias was first and last seen, as integers of the timestamps' unit."""
    at = microseconds(timestamps)[aliases.event]
    limits = np.iinfo(np.int64)
    first = np.full(len(aliases.table), limits.max)
    last = np.full(len(aliases.table), limits.min)
    np.minimum.at(first, aliases.alias, at)
    np.maximum.at(last, aliases.alias, at)
    return first, last


def type_priority(types: Sequence[str], priority: Sequence[str] = TYPE_PRIORITY) -> IntArray:
    """Return each type's place: those of `priority`, then the rest by the alphabet."""
    rest = sorted(set(types) - set(priority))
    place = {name: i for i, name in enumerate((*priority, *rest))}
    return np.array([place[name] for name in types], dtype=np.int64)


def alias_ranks(
    table: pd.DataFrame, chosen: IntArray, priority: Sequence[str] = TYPE_PRIORITY
) -> IntArray:
    """Return each chosen alias's place among them: by the priority of its type, then its value."""
    categories = table["alias_type"].cat
    by_type = type_priority(list(categories.categories), priority)
    values = table["alias_value"].iloc[chosen].to_numpy(dtype=object).astype(str)
    order = np.lexsort((values, by_type[categories.codes.to_numpy()[chosen]]))
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order))
    return ranks


def _leaders(aliases: EventAliases, component: IntArray, timestamps: pd.Series) -> IntArray:
    """Return each component's earliest alias, narrowing down the candidates tie by tie."""
    count = int(component.max(initial=-1)) + 1
    at = microseconds(timestamps)[aliases.event]
    of = component[aliases.alias]
    is_first = at == _least(at, of, count)[of]
    is_candidate = np.zeros(len(component), dtype=bool)
    is_candidate[aliases.alias[is_first]] = True
    candidates = np.flatnonzero(is_candidate)
    categories = aliases.table["alias_type"].cat
    priority = type_priority(list(categories.categories))[categories.codes.to_numpy()[candidates]]
    of = component[candidates]
    candidates = candidates[priority == _least(priority, of, count)[of]]
    of = component[candidates]
    several = np.bincount(of, minlength=count)[of] > 1
    leader = np.empty(count, dtype=np.int64)
    leader[of[~several]] = candidates[~several]
    tied = candidates[several]
    values = aliases.table["alias_value"].iloc[tied].to_numpy(dtype=object)
    descending = tied[np.argsort(values.astype(str), kind="stable")[::-1]]
    leader[component[descending]] = descending
    return leader


def _least(values: IntArray, group: IntArray, count: int) -> IntArray:
    """Return each group's least value."""
    least = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(least, group, values)
    return least


def _digest_starts(texts: pa.LargeStringArray, salt: bytes | None) -> npt.NDArray[np.uint8]:
    """Return the first eight bytes of the SHA-256 of each text, or of its HMAC, a row per text."""
    each = texts.cast(pa.large_binary()).to_numpy(zero_copy_only=False).tolist()
    # The one thing that is done profile by profile: no library hashes many texts at once.
    if salt is None:
        digests = [hashlib.sha256(text).digest() for text in each]
    else:
        digests = [hmac.digest(salt, text, "sha256") for text in each]
    whole = np.frombuffer(b"".join(digests), dtype=np.uint8)
    return whole.reshape(len(digests), hashlib.sha256().digest_size)[:, :8]


def _hexadecimal(starts: npt.NDArray[np.uint8]) -> pa.Array:
    """Return ``p_`` and the hexadecimal digits of each row of bytes."""
    count, size = starts.shape
    width = len("p_") + 2 * size
    text = np.empty((count, width), dtype=np.uint8)
    text[:, :2] = np.frombuffer(b"p_", dtype=np.uint8)
    text[:, 2:] = _DIGITS[starts].view(np.uint8)
    ends = np.arange(count + 1, dtype=np.int64) * width
    return pa.LargeStringArray.from_buffers(
        count, pa.py_buffer(ends), pa.py_buffer(text.reshape(-1))
    )


#: The column that salted aliases have.
ALIAS_ID = "alias_id"

#: To hash a profile's name takes as long as other work on so many rows.
_LIKE_ROWS = 5

#: The two hexadecimal digits of every byte.
_DIGITS = np.frombuffer(bytes(range(256)).hex().encode(), dtype=np.uint16)

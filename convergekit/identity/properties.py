"""Profile properties, forward-filled over a profile's later events.

At an event, `profile.<name>` is the value of the latest event up to and including it, in the
same profile, that carried one. The order is that of time, then arrival. A missing value, a null
and the empty text do not erase, nor does a campaign that stands for nothing (``undefined``); a
name in the event's `unset` does. A value whose name is in the event's `set_once` counts as long as
nothing else has set or erased the property; of several, the first. Names in `first` keep the first
value instead, and are not erased.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy

from convergekit.base.compiled import compiled
from convergekit.base.threads import each_column
from convergekit.errors import UnknownNameError, what_there_is
from convergekit.events.campaigns import says_something
from convergekit.events.schema import PROFILE_PROPERTY
from convergekit.identity.as_of import Knowledge
from convergekit.typing import BoolArray, IntArray


@dataclass(frozen=True)
class ProfileOrder:
    """Events grouped by profile, in order of time within each.

    Attributes
    ----------
    sequence : numpy.ndarray of int
        Positions of the events: profile by profile, then time, then arrival. An event without
        a profile is a group of its own.
    start : numpy.ndarray of int
        For each place in `sequence`, the place where its profile's events start.
    """

    sequence: IntArray
    start: IntArray


def profile_order(profile: IntArray, in_time: IntArray) -> ProfileOrder:
    """Group events by profile, keeping their order in time.

    Parameters
    ----------
    profile : numpy.ndarray of int
        Each event's profile, -1 for none.
    in_time : numpy.ndarray of int
        Positions of the events in order of time, then arrival.

    Examples
    --------
    >>> order = profile_order(np.array([0, 1, 0, -1]), np.array([3, 2, 1, 0]))
    >>> order.sequence.tolist(), order.start.tolist()
    ([2, 0, 1, 3], [0, 0, 2, 3])
    """
    size = len(profile)
    group = profile.copy()
    alone = np.flatnonzero(group < 0)
    group[alone] = group.max(initial=-1) + 1 + np.arange(len(alone))
    groups = int(group.max(initial=-1)) + 1
    # Building a sparse matrix by rows is a counting sort: it keeps the order within a row.
    place = (group[in_time], np.arange(size))
    sorted_by_group = scipy.sparse.coo_array((in_time + 1, place), shape=(groups, size)).tocsr()
    lengths = np.diff(sorted_by_group.indptr)
    return ProfileOrder(
        sorted_by_group.data.astype(np.int64) - 1,
        np.repeat(sorted_by_group.indptr[:-1].astype(np.int64), lengths),
    )


def property_names(events: pd.DataFrame) -> list[str]:
    """Return the names of the profile properties that the events carry."""
    return [
        column.removeprefix(PROFILE_PROPERTY)
        for column in events.columns
        if column.startswith(PROFILE_PROPERTY)
    ]


def carried_from(given: BoolArray, erased: BoolArray | None, order: ProfileOrder) -> IntArray:
    """Return, for each event, the event whose value it carries: the latest, -1 for none.

    Parameters
    ----------
    given : numpy.ndarray of bool
        Events that carry a value.
    erased : numpy.ndarray of bool or None
        Events that erase the value, before giving their own.
    order : ProfileOrder

    Examples
    --------
    >>> order = profile_order(np.array([0, 0, 0]), np.arange(3))
    >>> carried_from(np.array([False, True, False]), None, order).tolist()
    [-1, 1, 1]
    """
    says = given if erased is None else given | erased
    latest = np.where(says[order.sequence], np.arange(len(order.sequence)), -1)
    np.maximum.accumulate(latest, out=latest)
    found = np.where(latest >= order.start, order.sequence[latest], -1)
    carrier = np.empty(len(found), dtype=np.int64)
    carrier[order.sequence] = found
    if erased is not None:
        carrier[(carrier >= 0) & ~given[carrier]] = -1
    return carrier


def first_only(given: BoolArray, order: ProfileOrder) -> BoolArray:
    """Return which of the values are the first of their profile."""
    count = np.cumsum(given[order.sequence])
    before = np.where(order.start > 0, count[order.start - 1], 0)
    only = np.empty(len(given), dtype=bool)
    only[order.sequence] = given[order.sequence] & (count - before == 1)
    return only


def carry_retroactive(
    events: pd.DataFrame, profile: IntArray, in_time: IntArray, first: Sequence[str] = ()
) -> dict[str, IntArray]:
    """Return, per profile property, the event whose value each event carries, -1 for none.

    Parameters
    ----------
    events : pandas.DataFrame
    profile : numpy.ndarray of int
        Each event's profile, -1 for none.
    in_time : numpy.ndarray of int
        Positions of the events in order of time, then arrival.
    first : sequence of str
        Names, or patterns of names, of which the first value is kept.
    """
    latest, first_of = _walks(profile, in_time)

    def carry(alike: _Alike) -> IntArray:
        if alike.keeps_first:
            return latest(first_of(alike.given), None)
        if alike.once is None:
            return latest(alike.given, alike.erased)
        sets, once = alike.given & ~alike.once, alike.given & alike.once
        erased = np.zeros_like(sets) if alike.erased is None else alike.erased
        decided = latest(sets | erased, None) >= 0
        return np.where(decided, latest(sets, erased), latest(first_of(once), None))

    return _carry_together(carry, events, first, {})


def carry_as_of(
    events: pd.DataFrame,
    in_time: IntArray,
    knowledge: Knowledge,
    first: Sequence[str] = (),
) -> dict[str, IntArray]:
    """Return the same as `carry_retroactive`, along the links known at each event alone.

    Among what is known, the latest value by time wins, or the first for names in `first`.

    Parameters
    ----------
    events : pandas.DataFrame
    in_time : numpy.ndarray of int
        Positions of the events in order of time, then arrival.
    knowledge : Knowledge
    first : sequence of str
        Names, or patterns of names, of which the first value is kept.
    """
    size = len(in_time)
    rank = np.empty_like(in_time)
    rank[in_time] = np.arange(size)
    # Twice a place among all, and one more: an event's own value outweighs its erasure. Values set
    # once stand below all others, the first of them highest.
    usual = 2 * (size + rank) + 1
    by_place = np.concatenate([in_time[::-1], in_time, [-1]])

    def carry(alike: _Alike) -> IntArray:
        weight = usual
        if alike.keeps_first:
            weight = 4 * size - usual
        elif alike.once is not None:
            weight = np.where(alike.once, 4 * size - usual, usual)
        value = np.where(alike.given, weight, -1)
        erases = None if alike.keeps_first else alike.erased
        erasure = None if erases is None else np.where(erases, usual - 1, -1)
        spoken = knowledge.spoken(alike.names[0], value, erasure)
        best = knowledge.maxima(spoken)[knowledge.item]
        carrier = by_place[best >> 1]
        return carrier if erases is None else np.where(best % 2 == 1, carrier, -1)

    return _carry_together(carry, events, first, knowledge.says)


def erasures(events: pd.DataFrame) -> dict[str, BoolArray]:
    """Return, per profile property that any event's `unset` names, which events erase it."""
    return _named_in(events, "unset")


def set_once(events: pd.DataFrame) -> dict[str, BoolArray]:
    """Return, per profile property named in any event's `set_once`, which events name it.

    Examples
    --------
    >>> events = pd.DataFrame({"profile_properties.plan": ["a", "b"], "set_once": [["plan"], None]})
    >>> set_once(events)["plan"].tolist()
    [True, False]
    """
    return _named_in(events, "set_once")


def matches_first(name: str, first: Iterable[str]) -> bool:
    """Return whether a name matches one of the patterns of `first`.

    Examples
    --------
    >>> matches_first("$initial_utm_source", ("$initial_*",))
    True
    """
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in first)


def refuse_unknown_first(first: Iterable[str], names: Sequence[str]) -> None:
    """Raise if a name of `first` is not a profile property, though there are some.

    A pattern may fit none: it is written once for many exports.

    Parameters
    ----------
    first : iterable of str
        As `stitch` takes it.
    names : sequence of str
        The profile properties that events carry.

    Raises
    ------
    UnknownNameError
    """
    for name in first:
        if names and name not in names and not _WILD.intersection(name):
            raise UnknownNameError(
                f"first names {name!r}, which is not a profile property. "
                f"{what_there_is(names, name)}"
            )


#: What makes a name a pattern.
_WILD = frozenset("*?[")


@dataclass(frozen=True)
class _Alike:
    """Profile properties that the same events give and erase (utm_source, utm_medium ...)."""

    names: list[str]
    given: BoolArray
    erased: BoolArray | None
    once: BoolArray | None
    keeps_first: bool


def _walks(
    profile: IntArray, in_time: IntArray
) -> tuple[Callable[[BoolArray, BoolArray | None], IntArray], Callable[[BoolArray], BoolArray]]:
    """Return `carried_from` and `first_only` for these profiles."""
    if compiled(len(profile)):
        from convergekit.identity.compiled import carry as kernels

        return (
            lambda given, erased: kernels.carried_from(given, erased, profile, in_time),
            lambda given: kernels.first_only(given, profile, in_time),
        )
    order = profile_order(profile, in_time)
    return (
        lambda given, erased: carried_from(given, erased, order),
        lambda given: first_only(given, order),
    )


def _carry_together(
    carry: Callable[[_Alike], IntArray],
    events: pd.DataFrame,
    first: Sequence[str],
    says: Mapping[str, IntArray],
) -> dict[str, IntArray]:
    """Return what `carry` does for each property; those that come together are carried once."""
    names, erased, once = property_names(events), erasures(events), set_once(events)
    givens = each_column(lambda name: says_something(events, name), names, rows=len(events))
    sorts: dict[tuple[bytes | bool, ...], _Alike] = {}
    for name, given in zip(names, givens, strict=True):
        keeps_first = matches_first(name, first)
        erases, sets_once, said = erased.get(name), once.get(name), says.get(name)
        parts = (given, erases, sets_once, said)
        evidence = (b"" if part is None else part.tobytes() for part in parts)
        alike = _Alike([], given, erases, sets_once, keeps_first)
        sorts.setdefault((keeps_first, *evidence), alike).names.append(name)
    carriers = each_column(carry, sorts.values(), rows=len(events))
    found = {
        name: carrier
        for alike, carrier in zip(sorts.values(), carriers, strict=True)
        for name in alike.names
    }
    return {name: found[name] for name in names}


def _named_in(events: pd.DataFrame, column: str) -> dict[str, BoolArray]:
    positions: dict[str, list[int]] = {}
    for position, cell in enumerate(events[column]) if column in events else ():
        for name in _listed_names(cell):
            positions.setdefault(name, []).append(position)
    # Other names say nothing, and an export may hold any number of them.
    found = {name: positions[name] for name in property_names(events) if name in positions}
    return {name: _marked(named, len(events)) for name, named in found.items()}


def _marked(positions: list[int], size: int) -> BoolArray:
    marks = np.zeros(size, dtype=bool)
    marks[positions] = True
    return marks


def _listed_names(cell: object) -> Sequence[str]:
    if isinstance(cell, str) and cell.lstrip().startswith("["):
        try:
            cell = json.loads(cell)
        except (ValueError, RecursionError):
            return [str(cell)]
    if isinstance(cell, str):
        return [cell] if cell else []
    if isinstance(cell, (list, tuple, set, frozenset, np.ndarray)):
        return [name for name in cell if isinstance(name, str)]
    return []

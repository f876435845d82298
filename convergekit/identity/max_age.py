"""Max age: split a recycled token where its events lie too far apart.

Shops hand out the same cart token again, and a till's cookie outlives its customers. With a max
age for a type, a value's events are cut where the gap between two of them is longer; each piece
is a *life* of the value. The first life keeps the value as its name, the next are
``value~2``, ``value~3``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from convergekit.base.durations import Duration, parse_duration
from convergekit.base.grouping import first_of_run, run_starts
from convergekit.errors import ConvergekitError
from convergekit.events.timestamps import microseconds
from convergekit.identity.aliases import EventAliases, refuse_unknown_types
from convergekit.typing import BoolArray, IntArray


def max_ages(max_age: Mapping[str, Duration] | None) -> dict[str, int]:
    """Return the max age of each alias type, in microseconds.

    Raises
    ------
    ConvergekitError
        It is not a mapping of alias types to positive durations.

    Examples
    --------
    >>> max_ages({"cart_token": "14D"})
    {'cart_token': 1209600000000}
    """
    if not isinstance(max_age or {}, Mapping):
        raise ConvergekitError(
            f'max_age must map alias types to durations, such as {{"cart_token": "14D"}}; got '
            f"{max_age!r}."
        )
    return {
        name.lower(): parse_duration(gap, name=f"max_age[{name!r}]") // pd.Timedelta(1, "us")
        for name, gap in (max_age or {}).items()
    }


def split_by_max_age(
    aliases: EventAliases,
    timestamps: pd.Series,
    kept: IntArray,
    ages: Mapping[str, int],
    *,
    counts: BoolArray,
) -> EventAliases:
    """Split the aliases of types with a max age into lives.

    Parameters
    ----------
    aliases : EventAliases
        Of all events, kept and dropped.
    timestamps : pandas.Series of datetime64[us, UTC]
        Time of each event.
    kept : numpy.ndarray of int
        The position of the copy that is kept for each event.
    ages : mapping of str to int
        Alias type to its max age, in microseconds.
    counts : numpy.ndarray of bool
        Which events' values count. A dropped copy's count at the time of the event that is kept;
        those that do not count are of the life that the value had at that time.

    Raises
    ------
    UnknownNameError
        No event carries an alias of one of the types.

    Examples
    --------
    >>> from convergekit.identity.read_aliases import read_aliases
    >>> found = read_aliases(pd.DataFrame({"alias.cart_token": ["t", "t", "t"]}))
    >>> times = pd.Series(pd.to_datetime(["2026-03-01", "2026-03-02", "2026-04-01"], utc=True))
    >>> lives = split_by_max_age(found, times, np.arange(3), max_ages({"cart_token": "14D"}),
    ...                     counts=np.ones(3, dtype=bool))
    >>> lives.table["alias_value"].tolist(), lives.alias.tolist()
    (['t', 't~2'], [0, 0, 1])
    """
    refuse_unknown_types("max_age", ages, list(aliases.types.categories))
    types = aliases.table["alias_type"]
    longest = np.full(len(types), np.iinfo(np.int64).max)
    for name, gap in ages.items():
        longest[(types == name).to_numpy()] = gap
    at = microseconds(timestamps)[kept][aliases.event]
    life = _lives(aliases.alias, at, counts[aliases.event], longest)
    later = np.flatnonzero(life > 1)
    if not len(later):
        return aliases
    born = np.stack([aliases.alias[later], life[later]])
    (value, number), place = np.unique(born, axis=1, return_inverse=True)
    alias = aliases.alias.copy()
    alias[later] = len(aliases.table) + place
    again = aliases.table.take(value).reset_index(drop=True)
    again = again.assign(alias_value=_names(aliases.table, again, number))
    table = pd.concat([aliases.table, again], ignore_index=True)
    return replace(aliases, table=table, alias=alias)


def _lives(alias: IntArray, at: IntArray, counts: BoolArray, longest: IntArray) -> IntArray:
    """Return the number of the life, from 1, to which each pair belongs."""
    order = np.lexsort((~counts, at, alias))
    alias, at, counts = alias[order], at[order], counts[order]
    counting = np.flatnonzero(counts)
    same = alias[counting][1:] == alias[counting][:-1]
    late = np.diff(at[counting]) > longest[alias[counting][1:]]
    begins = np.zeros(len(order), dtype=np.int64)
    begins[counting[1:]] = same & late
    number = np.cumsum(begins)
    first = first_of_run(run_starts(alias))
    life = np.empty(len(order), dtype=np.int64)
    life[order] = number - (number - begins)[first] + 1
    return life


def _names(table: pd.DataFrame, again: pd.DataFrame, life: IntArray) -> pd.Series:
    """Return names that no alias has yet."""
    taken = set(zip(table["alias_type"], table["alias_value"], strict=True))
    numbers = pd.Series(life).astype("str")
    mark = "~"
    while True:
        names = again["alias_value"] + mark + numbers
        if taken.isdisjoint(zip(again["alias_type"], names, strict=True)):
            return names
        mark += "~"

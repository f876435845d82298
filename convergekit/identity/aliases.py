"""Aliases: which event carries which, as integers.

An alias is a (type, value) pair, written as a URN: ``urn:email:john@example.com``. A URN splits
at its first two colons: the type is lower-cased, the value may hold colons. `alias_rules` says in
which form values are compared, `read_aliases` reads them off events, and `blocking` leaves out
placeholder values.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from convergekit.base.grouping import distinct_rows, first_of_run, run_starts
from convergekit.base.text import known_characters
from convergekit.errors import ConvergekitError, UnknownNameError, did_you_mean
from convergekit.identity.alias_rules import (
    AliasRules,
)
from convergekit.typing import BoolArray, IntArray

NO_RULES = AliasRules()


#: The alias type of a browser session by default.
USUAL_BROWSER = "cookie"


@dataclass(frozen=True)
class Apart:
    """Which aliases are kept apart, although they meet on events.

    Attributes
    ----------
    group : numpy.ndarray of int
        A number per alias. Aliases on one event are linked only within a group.
    rank : numpy.ndarray of int
        A number per alias: of an event's groups, its own is that of the alias of lowest rank.
        -1 for aliases that are never kept apart from one that they meet.
    home : numpy.ndarray of int or None
        The number of each event's own group where that is not for its aliases to say, -1 for
        none.
    """

    group: IntArray
    rank: IntArray
    home: IntArray | None = None


@dataclass(frozen=True)
class EventAliases:
    """Which event carries which alias, as integers.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per alias that some event carries: `alias_type`, `alias_value`.
    event, alias : numpy.ndarray of int
        One entry per (event, alias) pair, each pair once, sorted by event: the event's
        position and the alias's position in `table`.
    blocked : pandas.DataFrame
        `alias_type`, `alias_value`, `events`: the blocked values and how many events had them.
    malformed : pandas.DataFrame
        `position`, `reason`: the events with something that is not an alias.
    apart : Apart or None
        Which aliases are kept apart; None where all that meet are linked.
    rules : AliasRules
        In which form values are compared.
    look_alikes : int
        How many events carry a value in characters that only look like those that are compared.
    """

    table: pd.DataFrame
    event: IntArray
    alias: IntArray
    blocked: pd.DataFrame
    malformed: pd.DataFrame
    apart: Apart | None = None
    rules: AliasRules = NO_RULES
    look_alikes: int = 0

    @property
    def types(self) -> pd.Categorical:
        """Each alias's type; the categories are the types that occur, by the alphabet."""
        types = pd.Categorical(self.table["alias_type"]).remove_unused_categories()
        return types.reorder_categories(sorted(types.categories))

    @cached_property
    def own(self) -> BoolArray:
        """Which pairs name the event's profile: all, but those of other groups than its own."""
        own = np.ones(len(self.event), dtype=bool)
        if self.apart is None:
            return own
        group, rank = self.apart.group, self.apart.rank
        if self.apart.home is not None:
            return group[self.alias] == self.apart.home[self.event]
        maybe = np.flatnonzero(rank[self.alias] >= 0)
        event, alias = self.event[maybe], self.alias[maybe]
        order = np.lexsort((rank[alias], event))
        leading = alias[order][first_of_run(run_starts(event[order]))]
        own[maybe[order]] = group[alias[order]] == group[leading]
        return own

    @property
    def by_group(self) -> tuple[IntArray, IntArray]:
        """The events and aliases of the pairs, those of one event and group side by side."""
        if self.apart is None:
            return self.event, self.alias
        event, alias = self.event.copy(), self.alias.copy()
        maybe = np.flatnonzero(self.apart.rank[alias] >= 0)
        order = maybe[np.lexsort((self.apart.group[alias[maybe]], event[maybe]))]
        event[maybe], alias[maybe] = event[order], alias[order]
        return event, alias

    def linked(self, one: IntArray, other: IntArray) -> BoolArray:
        """Return which pairs of aliases an event links on which they meet."""
        if self.apart is None:
            return np.ones(len(one), dtype=bool)
        return self.apart.group[one] == self.apart.group[other]

    def urns(self, alias: IntArray) -> list[str]:
        """Return the URNs of the aliases at these positions."""
        chosen = self.table.iloc[alias]
        pairs = zip(chosen["alias_type"], chosen["alias_value"], strict=True)
        return [urn(*pair) for pair in pairs]

    def of_events(self, keep: BoolArray) -> EventAliases:
        """Return the pairs of the chosen events alone, renumbered, and the aliases they carry."""
        place = np.cumsum(keep) - 1
        chosen = keep[self.event]
        used = np.zeros(len(self.table), dtype=bool)
        used[self.alias[chosen]] = True
        new = np.cumsum(used) - 1
        apart = self.apart
        if apart is not None:
            home = None if apart.home is None else apart.home[keep]
            apart = Apart(apart.group[used], apart.rank[used], home)
        return replace(
            self,
            table=self.table if used.all() else self.table[used].reset_index(drop=True),
            event=place[self.event[chosen]],
            alias=new[self.alias[chosen]],
            apart=apart,
        )

    def part(self, keep: BoolArray, left: BoolArray) -> EventAliases:
        """Return the pairs of the chosen events and aliases, both renumbered.

        Unlike `of_events`, it is for the caller to say which aliases are left.
        """
        chosen = keep[self.event] & left[self.alias]
        apart = self.apart
        if apart is not None:
            home = None if apart.home is None else apart.home[keep]
            apart = Apart(apart.group[left], apart.rank[left], home)
        table = self.table[left].reset_index(drop=True)
        return replace(
            self,
            table=table.assign(alias_type=table["alias_type"].cat.remove_unused_categories()),
            event=(np.cumsum(keep) - 1)[self.event[chosen]],
            alias=(np.cumsum(left) - 1)[self.alias[chosen]],
            malformed=self.malformed.iloc[:0],
            apart=apart,
        )

    def without(self, dropped: BoolArray) -> EventAliases:
        """Return the pairs without these aliases, the others renumbered and none kept apart."""
        left = ~dropped
        table = self.table[left].reset_index(drop=True)
        chosen = left[self.alias]
        return replace(
            self,
            table=table.assign(alias_type=table["alias_type"].cat.remove_unused_categories()),
            event=self.event[chosen],
            alias=(np.cumsum(left) - 1)[self.alias[chosen]],
            apart=None,
        )

    def renumbered(self, place: IntArray) -> EventAliases:
        """Return the same pairs, the aliases numbered by their places in another order."""
        order = np.argsort(place)
        apart = self.apart
        if apart is not None:
            apart = Apart(apart.group[order], apart.rank[order], apart.home)
        table = self.table.take(order).reset_index(drop=True)
        return replace(self, table=table, alias=place[self.alias], apart=apart)

    def with_pairs(self, event: IntArray, alias: IntArray) -> EventAliases:
        """Return the same aliases on other events; repeated pairs count once."""
        if len(event):
            event, alias = distinct_rows(event, alias)
        return replace(self, event=event, alias=alias)


def urn(alias_type: str, alias_value: str) -> str:
    """Return an alias as a URN.

    Examples
    --------
    >>> urn("email", "ada@example.com")
    'urn:email:ada@example.com'
    """
    return f"urn:{alias_type}:{alias_value}"


def refuse_unknown_types(option: str, named: Iterable[str], known: Sequence[str]) -> None:
    """Raise if an option names an alias type that no event carries, though some carry others.

    Raises
    ------
    UnknownNameError
    """
    for name in named:
        if known and name not in known:
            raise UnknownNameError(
                f"{option} names the alias type {name!r}, which no event carries. "
                f"Found: {', '.join(known)}.{did_you_mean(name, known)}"
            )


def browser_type(given: Any) -> str:
    """Return the alias type that `browser_alias` names, in the form of all types.

    Raises
    ------
    ConvergekitError
        It is not a name.

    Examples
    --------
    >>> browser_type("Device")
    'device'
    """
    if not isinstance(given, str) or not given.strip():
        raise ConvergekitError(
            f"browser_alias must be an alias type such as {USUAL_BROWSER!r}; got {given!r}."
        )
    return known_characters(given).strip().lower()

"""Merge protection: links that would put too many values of an alias type on one profile.

Which links are refused depends on the order in which they come, so the order is fixed: the time
of the first event on which two aliases met, its time of receipt where the events have one, then
the aliases themselves, those of login-like types first. It does not depend on the order of rows.
A link that is refused stays refused: profiles only grow, so what would exceed a limit once would
exceed it ever after. Profiles that keep to all limits without protection are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from convergekit.errors import ConvergekitError
from convergekit.events.timestamps import microseconds
from convergekit.identity.aliases import Apart, EventAliases, refuse_unknown_types
from convergekit.identity.graph import all_links, connected_components
from convergekit.identity.profiles import TYPE_PRIORITY, alias_ranks
from convergekit.typing import BoolArray, IntArray


@dataclass(frozen=True)
class Protection:
    """How many values of an alias type a profile may have, and which aliases go first.

    Attributes
    ----------
    limits : dict of str to int
        Alias type to the number of its values that one profile may have.
    priority : tuple of str
        Alias types, those that go first first; the others follow by the alphabet.
    """

    limits: Mapping[str, int] = field(default_factory=dict)
    priority: Sequence[str] = TYPE_PRIORITY

    @classmethod
    def of(cls, limits: Mapping[str, int] | None, priority: Sequence[str]) -> Protection:
        """Return what `stitch` was given, checked.

        Raises
        ------
        ConvergekitError
            A limit is not a whole number from 1 on, or the priority is not a list of types.
        """
        if not isinstance(limits or {}, Mapping):
            raise ConvergekitError(
                f'limits must map alias types to numbers, such as {{"customer_id": 1}}; got '
                f"{limits!r}."
            )
        for name, limit in (limits or {}).items():
            if isinstance(limit, bool) or not isinstance(limit, int | np.integer) or limit < 1:
                raise ConvergekitError(
                    f"the limit of {name!r} must be a whole number of values from 1, because a "
                    f"profile always has one; got {limit!r}."
                )
        several = isinstance(priority, Iterable) and not isinstance(priority, str)
        if not several or not all(isinstance(name, str) for name in priority):
            raise ConvergekitError(
                'alias_priority must be a list of alias types, such as ["customer_id", "email"]; '
                f"got {priority!r}."
            )
        lowered = {name.lower(): int(limit) for name, limit in (limits or {}).items()}
        return cls(lowered, tuple(name.lower() for name in priority))

    def among(self, types: pd.Categorical) -> Protection:
        """Return the limits of the types that are left."""
        return replace(self, limits={k: n for k, n in self.limits.items() if k in types.categories})


@dataclass(frozen=True)
class RefusedLinks:
    """The links that were refused, each pair of aliases once, in the order of refusal.

    Attributes
    ----------
    first, second : numpy.ndarray of int
        The two aliases, that of the higher priority first.
    event : numpy.ndarray of int
        The first event on which they met.
    events : numpy.ndarray of int
        On how many events they met.
    alias_type : list of str
        The type whose limit the merge would have exceeded.
    together : numpy.ndarray of int
        How many values of it the merged profile would have had.
    """

    first: IntArray
    second: IntArray
    event: IntArray
    events: IntArray
    alias_type: list[str]
    together: IntArray

    def part(self, keep: BoolArray, left: BoolArray) -> RefusedLinks:
        """Return those of the chosen events and aliases, both renumbered."""
        chosen = keep[self.event] & left[self.first] & left[self.second]
        alias = np.cumsum(left) - 1
        return RefusedLinks(
            first=alias[self.first[chosen]],
            second=alias[self.second[chosen]],
            event=(np.cumsum(keep) - 1)[self.event[chosen]],
            events=self.events[chosen],
            alias_type=[self.alias_type[i] for i in np.flatnonzero(chosen)],
            together=self.together[chosen],
        )


def protect(
    aliases: EventAliases, events: pd.DataFrame, in_time: IntArray, protection: Protection
) -> tuple[EventAliases, RefusedLinks]:
    """Return the aliases with those kept apart whose link is refused, and the refused links.

    Parameters
    ----------
    aliases : EventAliases
    events : pandas.DataFrame
        The kept events, for `timestamp` and `received_at`.
    in_time : numpy.ndarray of int
        Positions of the events in order of time, then arrival.
    protection : Protection

    Raises
    ------
    UnknownNameError
        A limit is for an alias type that no event carries.

    Examples
    --------
    >>> from convergekit.identity.read_aliases import read_aliases
    >>> events = pd.DataFrame({"alias.cookie": ["tablet", "tablet"],
    ...                        "alias.customer_id": ["1", "2"],
    ...                        "timestamp": pd.to_datetime(["2026-03-02", "2026-03-03"], utc=True)})
    >>> apart, refused = protect(
    ...     read_aliases(events), events, np.arange(2), Protection({"customer_id": 1})
    ... )
    >>> connected_components(apart).tolist(), refused.event.tolist(), refused.together.tolist()
    ([0, 0, 1], [1], [2])
    """
    limits = protection.limits
    refuse_unknown_types("limits", limits, list(aliases.types.categories))
    concerned = _concerned(aliases, limits)
    if not len(concerned):
        return aliases, RefusedLinks(_NONE, _NONE, _NONE, _NONE, [], _NONE)
    rank = np.full(len(aliases.table), -1, dtype=np.int64)
    rank[concerned] = alias_ranks(aliases.table, concerned, protection.priority)
    links = _links_in_order(aliases, rank, events, in_time)
    by_rank = np.empty(len(concerned), dtype=np.int64)
    by_rank[rank[concerned]] = concerned
    types = aliases.table["alias_type"].astype("str").to_numpy()[by_rank]
    root, refused = _merge(links["first"].tolist(), links["second"].tolist(), types, limits)
    group = np.arange(len(rank))
    # Aliases that are not concerned are linked with all that they meet.
    group[rank < 0] = len(rank)
    group[by_rank] = by_rank[root]
    lines = links.iloc[[line for line, _, _ in refused]]
    return replace(aliases, apart=Apart(group, rank)), RefusedLinks(
        first=by_rank[lines["first"].to_numpy()],
        second=by_rank[lines["second"].to_numpy()],
        event=lines["event"].to_numpy(),
        events=lines["events"].to_numpy(),
        alias_type=[name for _, name, _ in refused],
        together=np.array([count for _, _, count in refused], dtype=np.int64),
    )


_NONE = np.empty(0, dtype=np.int64)


def _concerned(aliases: EventAliases, limits: Mapping[str, int]) -> IntArray:
    """Return the aliases of the profiles that would exceed a limit."""
    if not limits:
        return _NONE
    component = connected_components(aliases)
    exceeds = np.zeros(int(component.max(initial=-1)) + 1, dtype=bool)
    types = aliases.table["alias_type"]
    for name, limit in limits.items():
        held = np.bincount(component[(types == name).to_numpy()], minlength=len(exceeds))
        exceeds |= held > limit
    return np.flatnonzero(exceeds[component])


def _links_in_order(
    aliases: EventAliases, rank: IntArray, events: pd.DataFrame, in_time: IntArray
) -> pd.DataFrame:
    """Return the pairs of concerned aliases that met, by rank, in the order of linking."""
    maybe = rank[aliases.alias] >= 0
    met = replace(aliases, event=aliases.event[maybe], alias=rank[aliases.alias[maybe]])
    first, second, event = all_links(met)
    at = microseconds(events["timestamp"])
    received = (
        microseconds(events["received_at"].fillna(events["timestamp"]))
        if ("received_at" in events)
        else at
    )
    place = np.empty_like(in_time)
    place[in_time] = np.arange(len(in_time))
    links = pd.DataFrame(
        {
            "first": first,
            "second": second,
            "event": event,
            "at": at[event],
            "received": received[event],
            "place": place[event],
        }
    )
    links = links.sort_values(["at", "received", "first", "second", "place"], ignore_index=True)
    links["events"] = links.groupby(["first", "second"], sort=False)["event"].transform("size")
    return links.drop_duplicates(["first", "second"], ignore_index=True)


def _merge(
    firsts: list[int], seconds: list[int], types: npt.NDArray[np.str_], limits: Mapping[str, int]
) -> tuple[IntArray, list[tuple[int, str, int]]]:
    """Merge link by link; return each alias's root, and the refused links with their reason.

    One link after the other, because what a link may do depends on all before it.
    """
    limited = sorted(limits.items())
    held = [[int(of == name) for name, _ in limited] for of in types.tolist()]
    above = list(range(len(held)))
    refused = []

    def root_of(alias: int) -> int:
        while above[alias] != alias:
            above[alias] = above[above[alias]]
            alias = above[alias]
        return alias

    for line, (first, second) in enumerate(zip(firsts, seconds, strict=True)):
        one, other = root_of(first), root_of(second)
        if one == other:
            continue
        together = [a + b for a, b in zip(held[one], held[other], strict=True)]
        exceeded = [
            (name, count)
            for (name, limit), count in zip(limited, together, strict=True)
            if count > limit
        ]
        if exceeded:
            refused.append((line, *exceeded[0]))
        else:
            above[other] = one
            held[one] = together
    return np.array([root_of(alias) for alias in range(len(above))], dtype=np.int64), refused

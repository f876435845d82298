"""Measure which alias types link events of one name to a browser session, and how early.

Each type is judged by two what-ifs about the events of that name, all other events staying as
they are: they carry this type alone, and they carry every type but this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from convergekit.events.amounts import events_named
from convergekit.events.steps import StepLike
from convergekit.figures.description import with_shares
from convergekit.figures.frame import WordedFrame
from convergekit.identity.as_of import Knowledge
from convergekit.identity.earliest_links import NEVER, session_moments_of_events
from convergekit.typing import BoolArray, IntArray

if TYPE_CHECKING:
    from convergekit.identity.tables import StitchedEvents


_SHARES = ("share", "reaches", "reaches_as_of", "lost", "lost_as_of")
#: The row of all types together.
ANY_TYPE = "(any)"


def alias_coverage(s: StitchedEvents, event_name: StepLike) -> pd.DataFrame:
    """Return what each alias type does for the events. See `Stitched.alias_coverage`."""
    return coverage_together([reached_in(s, event_name)])


@dataclass(frozen=True)
class Reached:
    """What the aliases of one type do for events: counts of these.

    Attributes
    ----------
    carrying : int
        How many carry one.
    reaches, reaches_as_of : int
        How many reach a session by these alone, and did when they became known.
    lost, lost_as_of : int
        How many do not without them.
    leads : numpy.ndarray of int
        Of those that reach, how long before the event its alias was known to be of a session, in
        microseconds.
    """

    carrying: int
    reaches: int
    reaches_as_of: int
    lost: int
    lost_as_of: int
    leads: IntArray

    def __add__(self, other: Reached) -> Reached:
        """Return the same of both parts' events."""
        return Reached(
            carrying=self.carrying + other.carrying,
            reaches=self.reaches + other.reaches,
            reaches_as_of=self.reaches_as_of + other.reaches_as_of,
            lost=self.lost + other.lost,
            lost_as_of=self.lost_as_of + other.lost_as_of,
            leads=np.concatenate([self.leads, other.leads]),
        )

    def described(self, events: int) -> dict[str, object]:
        """Return the row of a table, of so many events."""
        return {
            "events": self.carrying,
            "share": _share(self.carrying, events),
            "reaches": _share(self.reaches, events),
            "reaches_as_of": _share(self.reaches_as_of, events),
            "lost": _share(self.lost, events),
            "lost_as_of": _share(self.lost_as_of, events),
            "median_lead": pd.Series(self.leads).astype("timedelta64[us]").median(),
        }


@dataclass(frozen=True)
class ReachedInPart:
    """What the aliases of some events do for these; those of parts can be put together.

    Attributes
    ----------
    events : int
        How many are asked about.
    by_type : dict of str to Reached
        Per alias type that they carry.
    together : Reached
        All types.
    """

    events: int
    by_type: dict[str, Reached]
    together: Reached


def reached_in(s: StitchedEvents, event_name: StepLike) -> ReachedInPart:
    """Return what each alias type does for the events of a name.

    Parameters
    ----------
    s : StitchedEvents
    event_name : str, sequence of str, or Step
    """
    at = s.in_whole(events_named(s.events, event_name))
    # Events that a segment leaves out may have linked these to a session.
    asked = _Asked(s.whole.resolution.knowledge(), s.browser_alias, at)
    all_types = np.ones(len(asked.type_of_pair), dtype=bool)
    everything = asked.moments(all_types)
    by_type = {}
    for code, name in enumerate(asked.types):
        of_type = asked.type_of_pair == code
        if asked.carrying(of_type).any():
            by_type[name] = asked.reached(of_type, everything)
    return ReachedInPart(len(at), by_type, asked.reached(all_types, everything))


def coverage_together(parts: Sequence[ReachedInPart]) -> pd.DataFrame:
    """Return the table of all parts' events. See `Stitched.alias_coverage`."""
    count = sum(part.events for part in parts)
    by_type: dict[str, Reached] = {}
    for part in parts:
        for name, found in part.by_type.items():
            by_type[name] = by_type[name] + found if name in by_type else found
    named = sorted(by_type.items(), key=lambda pair: (-pair[1].reaches, pair[0]))
    rows = [{"alias_type": name} | found.described(count) for name, found in named]
    together = reduce(add, (part.together for part in parts))
    rows.append({"alias_type": ANY_TYPE} | together.described(count))
    leads = pd.Series([row["median_lead"] for row in rows], dtype="timedelta64[us]")
    table = pd.DataFrame(rows).astype({"alias_type": "str"}).assign(median_lead=leads)
    found = WordedFrame(table)
    found.attrs["numbers"] = {"all_events": count}
    return with_shares(found, dict.fromkeys(_SHARES, "all_events"))


class _Asked:
    """The events that are asked about, and when they would reach a session with which aliases."""

    def __init__(self, knowledge: Knowledge, browser_alias: str, at: IntArray) -> None:
        pairs = knowledge.aliases
        self.types = list(pairs.types.categories)
        self.type_of_pair = pairs.types.codes[pairs.alias]
        self._knowledge, self._browser_alias, self._at = knowledge, browser_alias, at
        # An event that carries other aliases may be another person's.
        self._apart = None if pairs.apart is None else replace(pairs.apart, home=None)
        chosen = np.zeros(len(knowledge.item), dtype=bool)
        chosen[at] = True
        self._is_asked = chosen[knowledge.event[pairs.event]]
        self._known = knowledge.known[knowledge.item[at]]
        self._item_of_moment = np.argsort(knowledge.known)

    def carrying(self, pairs: BoolArray) -> BoolArray:
        """Return which of the events carry one of the pairs."""
        carries = np.zeros(len(self._knowledge.item), dtype=bool)
        knowledge = self._knowledge
        carries[knowledge.event[knowledge.aliases.event[pairs & self._is_asked]]] = True
        return carries[self._at]

    def moments(self, pairs: BoolArray) -> IntArray:
        """Return the moment from which each event reaches a session if it carries these alone."""
        knowledge, kept = self._knowledge, pairs | ~self._is_asked
        aliases = replace(
            knowledge.aliases,
            event=knowledge.aliases.event[kept],
            alias=knowledge.aliases.alias[kept],
            apart=self._apart,
        )
        return session_moments_of_events(knowledge, aliases, self._browser_alias)[self._at]

    def reached(self, pairs: BoolArray, everything: IntArray) -> Reached:
        """Return what the pairs do for the events; `everything` is when all aliases reach."""
        alone, others = self.moments(pairs), self.moments(~pairs)
        in_time = self._in_time(everything)
        return Reached(
            carrying=int(self.carrying(pairs).sum()),
            reaches=int((alone != NEVER).sum()),
            reaches_as_of=int(self._in_time(alone).sum()),
            lost=int(((everything != NEVER) & (others == NEVER)).sum()),
            lost_as_of=int((in_time & ~self._in_time(others)).sum()),
            leads=self._leads(alone),
        )

    def _in_time(self, moment: IntArray) -> BoolArray:
        """Return which events reached a session when they became known."""
        return moment <= self._known

    def _leads(self, moment: IntArray) -> IntArray:
        """Return how long before the event became known its alias was known to be of a session."""
        reaching = moment != NEVER
        known_at = self._knowledge.known_at
        linked_at = known_at[self._item_of_moment[moment[reaching]]]
        event_at = known_at[self._knowledge.item[self._at[reaching]]]
        return event_at - linked_at


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")

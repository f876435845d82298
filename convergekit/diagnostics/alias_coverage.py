"""Measure which alias types link events of one name to a browser session, and how early.

Each type is judged by two what-ifs about the events of that name, all other events staying as
they are: they carry this type alone, and they carry every type but this.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from convergekit.events.amounts import events_named
from convergekit.events.steps import StepLike
from convergekit.figures.frame import WordedFrame
from convergekit.identity.as_of import Knowledge
from convergekit.identity.earliest_links import NEVER, session_moments_of_events
from convergekit.typing import BoolArray, IntArray

if TYPE_CHECKING:
    from convergekit.identity.tables import StitchedEvents


#: The row of all types together.
ANY_TYPE = "(any)"


def alias_coverage(s: StitchedEvents, event_name: StepLike) -> pd.DataFrame:
    """Return what each alias type does for the events. See `Stitched.alias_coverage`."""
    at = s.in_whole(events_named(s.events, event_name))
    # Events that a segment leaves out may have linked these to a session.
    asked = _Asked(s.whole.resolution.knowledge(), s.browser_alias, at)
    all_types = np.ones(len(asked.type_of_pair), dtype=bool)
    everything = asked.moments(all_types)
    rows = []
    for code, name in enumerate(asked.types):
        of_type = asked.type_of_pair == code
        if asked.carrying(of_type).any():
            rows.append({"alias_type": name} | asked.describe(of_type, everything))
    rows.sort(key=lambda row: (-row["reaches"], row["alias_type"]))
    rows.append({"alias_type": ANY_TYPE} | asked.describe(all_types, everything))
    leads = pd.Series([row["median_lead"] for row in rows], dtype="timedelta64[us]")
    table = pd.DataFrame(rows).astype({"alias_type": "str"}).assign(median_lead=leads)
    return WordedFrame(table)


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

    def describe(self, pairs: BoolArray, everything: IntArray) -> dict[str, object]:
        """Return what the pairs do for the events; `everything` is when all aliases reach."""
        count = len(self._at)
        alone, others = self.moments(pairs), self.moments(~pairs)
        carrying = int(self.carrying(pairs).sum())
        return {
            "events": carrying,
            "share": _share(carrying, count),
            "reaches": _share((alone != NEVER).sum(), count),
            "reaches_as_of": _share(self._in_time(alone).sum(), count),
            "lost": _share(((everything != NEVER) & (others == NEVER)).sum(), count),
            "lost_as_of": _share((self._in_time(everything) & ~self._in_time(others)).sum(), count),
            "median_lead": self._median_lead(alone),
        }

    def _in_time(self, moment: IntArray) -> BoolArray:
        """Return which events reached a session when they became known."""
        return moment <= self._known

    def _median_lead(self, moment: IntArray) -> pd.Timedelta:
        """Return how long before the event became known its alias was known to be of a session."""
        reaching = moment != NEVER
        known_at = self._knowledge.known_at
        linked_at = known_at[self._item_of_moment[moment[reaching]]]
        event_at = known_at[self._knowledge.item[self._at[reaching]]]
        return pd.Series(event_at - linked_at).astype("timedelta64[us]").median()


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")

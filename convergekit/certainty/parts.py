"""Parts: what is left of profiles when their logins are hidden.

A login (an address, a customer ID ...) names a person; cookies and tokens name a browser or a
visit. Without logins a profile falls into parts, each of which is one browser as far as cookies and
tokens tell. A part is *identified* if one of its events carries a login: only then can stitching
bring it together with the person's other parts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convergekit.base.grouping import distinct_rows, run_starts
from convergekit.events.timestamps import microseconds
from convergekit.identity.graph import connected_components
from convergekit.identity.profiles import LOGIN_TYPES
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import BoolArray, IntArray

#: A pause of so many microseconds ends a visit of a part.
_PAUSE = 30 * 60 * 1_000_000


@dataclass(frozen=True)
class Parts:
    """The parts of stitched events, and how often each identified itself.

    Attributes
    ----------
    of_event : numpy.ndarray of int
        The part of each event; -1 where it carries neither cookie nor token.
    login : numpy.ndarray of int
        The login of each event, as the place of an alias; -1 without one. Of several, that of the
        type that `LOGIN_TYPES` names first.
    profile : numpy.ndarray of int
        The profile of each part.
    visits, identified_visits : numpy.ndarray of int
        How many visits each part has, and in how many of them it carries a login.
    visit : numpy.ndarray of int
        The visit of each event, as a number; -1 where the event has no part.
    """

    of_event: IntArray
    login: IntArray
    profile: IntArray
    visits: IntArray
    identified_visits: IntArray
    visit: IntArray

    @property
    def identified(self) -> BoolArray:
        """Which parts carry a login."""
        return self.identified_visits > 0


def parts_of(s: StitchedEvents) -> Parts:
    """Return the parts of stitched events.

    Examples
    --------
    Two browsers of one person, brought together by her address:

    >>> import convergekit as ck, pandas as pd
    >>> s = ck.stitch(pd.DataFrame({
    ...     "event_name": "PageView", "timestamp": "2026-03-02T10:00:00Z",
    ...     "alias.cookie": ["a", "b", "c"], "alias.email": ["ada@x.org", "ada@x.org", None],
    ... }))
    >>> found = parts_of(s.tables)
    >>> found.profile.tolist(), found.identified.tolist()
    ([0, 0, 1], [True, True, False])
    """
    aliases = s.resolution.aliases
    names_person = aliases.table["alias_type"].isin(LOGIN_TYPES).to_numpy(dtype=bool)
    own = aliases.own
    event, alias = aliases.event[own], aliases.alias[own]
    of_person = names_person[alias]
    anonymous = aliases.with_pairs(event[~of_person], alias[~of_person])
    component = connected_components(anonymous)
    size = len(s.events)
    of_event = np.full(size, -1, dtype=np.int64)
    of_event[event[~of_person]] = component[alias[~of_person]]
    used, at = np.unique(of_event, return_inverse=True)
    without = int(len(used) > 0 and used[0] == -1)
    of_event = at.reshape(-1) - without
    login = np.full(size, -1, dtype=np.int64)
    rank = aliases.table["alias_type"].map({name: at for at, name in enumerate(LOGIN_TYPES)})
    said, by = event[of_person], alias[of_person]
    # What is written last stays.
    first_type = np.argsort(-rank.to_numpy(dtype=float, na_value=-1.0)[by], kind="stable")
    login[said[first_type]] = by[first_type]
    profile = np.full(len(used) - without, -1, dtype=np.int64)
    inside = np.flatnonzero(of_event >= 0)
    profile[of_event[inside]] = s.resolution.profile[inside]
    visit, of_visit = _visits(of_event, microseconds(s.events["timestamp"]))
    knows = distinct_rows(visit[inside][login[inside] >= 0])[0]
    return Parts(
        of_event=of_event,
        login=login,
        profile=profile,
        visits=np.bincount(of_visit, minlength=len(profile)),
        identified_visits=np.bincount(of_visit[knows], minlength=len(profile)),
        visit=visit,
    )


def _visits(part: IntArray, time: IntArray) -> tuple[IntArray, IntArray]:
    """Return the visit of each event, -1 without a part, and the part of each visit."""
    inside = np.flatnonzero(part >= 0)
    order = inside[np.lexsort((time[inside], part[inside]))]
    begins = run_starts(part[order])
    begins[1:] |= np.diff(time[order]) > _PAUSE
    visit = np.full(len(part), -1, dtype=np.int64)
    visit[order] = np.cumsum(begins) - 1
    return visit, part[order[begins]]

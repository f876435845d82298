"""Blame: which aliases or events wrongly join several people into one profile.

Aliases of a type of which a person usually has one (`LOGIN_TYPES`) are a profile's login values.
Those that met on events, or are connected by others that did, are one login. A profile with
several values of one type is suspicious; so is one in which a token alone joins many browsers.

What is blamed, in this order:

1. Where two logins with a value of the same type are on one profile, the smallest set of aliases
   that parts two such logins. Login values themselves are not blamed.
2. Where all of them are connected as one login, a login value that alone joins three or more
   values of another type (a shop assistant's account on all orders), else the smallest
   set of events that parts two values of one type (an order with two people's data).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy

from convergekit.base.grouping import distinct_rows
from convergekit.diagnostics.graph_cuts import (
    LARGEST_CUT,
    LEAST_COST,
    Cut,
    Meetings,
    PartsWithout,
    distinct_meetings,
    falls_apart,
    smallest_cut,
)
from convergekit.identity.profiles import LOGIN_TYPES
from convergekit.typing import BoolArray, IntArray

if TYPE_CHECKING:
    from convergekit.identity.tables import StitchedEvents


#: A cart that goes from one device to another, under a shop's and a checkout's cookie on each,
#: has met four browsers. From this many on, a token is suspicious.
MANY_BROWSERS = 5
NOTHING = np.empty(0, dtype=np.int64)
_TYPES = len(LOGIN_TYPES)
_BROWSER = _TYPES


@dataclass(frozen=True)
class Blamed:
    """What is to blame for one profile.

    Attributes
    ----------
    aliases : numpy.ndarray of int
        By number in the candidates.
    events : numpy.ndarray of int
        By position.
    is_smallest : bool
        Whether there is certainly no smaller cut of this kind.
    """

    aliases: IntArray
    events: IntArray
    is_smallest: bool = True


@dataclass(frozen=True)
class Candidates:
    """The profiles that may be suspicious and their aliases, both numbered from 0.

    Aliases are in the order of type and value, so that nothing depends on the order of rows.

    Attributes
    ----------
    number : numpy.ndarray of int
        Each profile's number among all profiles.
    held : numpy.ndarray of int
        Per profile and login type, how many values it holds.
    alias : numpy.ndarray of int
        Each alias's position among all aliases.
    urns : pandas string array
    profile : numpy.ndarray of int
        Each alias's profile.
    login_type : numpy.ndarray of int
        Each alias's place in `LOGIN_TYPES`, or -1.
    is_browser, is_token : numpy.ndarray of bool
    login : numpy.ndarray of int
        The first alias of each alias's login; other aliases stand for themselves.
    event, on : numpy.ndarray of int
        One entry per alias `on` an event, sorted by event.
    met : Meetings
    """

    number: IntArray
    held: IntArray
    alias: IntArray
    urns: pd.arrays.ArrowStringArray
    profile: IntArray
    login_type: IntArray
    is_browser: BoolArray
    is_token: BoolArray
    login: IntArray
    event: IntArray
    on: IntArray
    met: Meetings

    @classmethod
    def of(cls, s: StitchedEvents) -> Candidates:
        """Return the profiles with several values of a login type, or many browsers and a token."""
        found = s.resolution
        types = found.aliases.types
        code = np.array([_login_code(name) for name in types.categories], dtype=np.int64)
        token = np.array([name.endswith("token") for name in types.categories], dtype=bool)
        login_type, is_token = code[types.codes], token[types.codes]
        is_browser = np.asarray(types == s.browser_alias)
        held = _counted(found.component, login_type, len(found.profile_ids))
        browsers = np.bincount(found.component[is_browser], minlength=len(held))
        has_token = np.bincount(found.component[is_token], minlength=len(held)) > 0
        candidate = (held > 1).any(axis=1) | ((browsers >= MANY_BROWSERS) & has_token)

        alias = np.flatnonzero(candidate[found.component])
        table = found.aliases.table.take(alias).reset_index(drop=True).astype("str")
        table = table.sort_values(["alias_type", "alias_value"])
        alias = alias[table.index.to_numpy()]
        place = np.full(len(found.component), -1)
        place[alias] = np.arange(len(alias))
        chosen = place[found.aliases.alias] >= 0
        event, on = found.aliases.event[chosen], place[found.aliases.alias[chosen]]
        return cls(
            number=np.flatnonzero(candidate),
            held=held[candidate],
            alias=alias,
            urns=("urn:" + table["alias_type"] + ":" + table["alias_value"]).array,
            profile=(np.cumsum(candidate) - 1)[found.component[alias]],
            login_type=login_type[alias],
            is_browser=is_browser[alias],
            is_token=is_token[alias],
            login=_logins(event, on, login_type[alias] >= 0),
            event=event,
            on=on,
            met=distinct_meetings(event, on),
        )

    @property
    def presence(self) -> IntArray:
        """On how many events each alias is."""
        return np.bincount(self.on, minlength=len(self.alias))

    @property
    def several(self) -> BoolArray:
        """Whether a profile holds several values of a login type."""
        return np.any(self.held > 1, axis=1)

    @property
    def several_logins(self) -> BoolArray:
        """Whether a profile holds two logins with a value of the same type."""
        login, login_type = distinct_rows(self.login, self.login_type)
        login, login_type = login[login_type >= 0], login_type[login_type >= 0]
        return np.any(_counted(self.profile[login], login_type, len(self.number)) > 1, axis=1)


def blame(candidates: Candidates, in_time: IntArray) -> dict[int, Blamed]:
    """Return what is to blame for each candidate profile, where something is.

    Parameters
    ----------
    candidates : Candidates
    in_time : numpy.ndarray of int
        Positions of all events in order of time, then arrival.

    Examples
    --------
    >>> import convergekit as ck
    >>> events = pd.DataFrame({"event_name": "A", "timestamp": ["2026-03-02", "2026-03-03"],
    ...                        "alias.cookie": "c", "alias.email": ["a@x.org", "b@x.org"]})
    >>> s = ck.stitch(events)
    >>> candidates = Candidates.of(s.tables)
    >>> found = blame(candidates, s.tables.resolution.in_time)[0]
    >>> [candidates.urns[alias] for alias in found.aliases]
    ['urn:cookie:c']
    """
    logins, events = _blame_logins_and_events(candidates, in_time)
    return {**_blame_aliases(candidates), **logins, **events}


def first_of_component(event: IntArray, on: IntArray, size: int) -> IntArray:
    """Return, for each alias, the first of those connected with it by these events."""
    follows = np.flatnonzero(event[1:] == event[:-1])
    links = scipy.sparse.coo_array(
        (np.ones(len(follows), dtype=bool), (on[follows], on[follows + 1])), shape=(size, size)
    )
    _, component = scipy.sparse.csgraph.connected_components(links.tocsr(), directed=False)
    first = np.full(size, size)
    np.minimum.at(first, component, np.arange(size))
    return first[component]


def _login_code(name: str) -> int:
    return LOGIN_TYPES.index(name) if name in LOGIN_TYPES else -1


def _counted(profile: IntArray, login_type: IntArray, profiles: int) -> IntArray:
    """Return how many of the values of each login type are on each profile."""
    at = login_type >= 0
    cells = profile[at] * _TYPES + login_type[at]
    return np.bincount(cells, minlength=profiles * _TYPES).reshape(profiles, _TYPES)


def _logins(event: IntArray, on: IntArray, is_login: BoolArray) -> IntArray:
    """Return the first alias of each alias's login."""
    among = is_login[on]
    first = first_of_component(event[among], on[among], len(is_login))
    return np.where(is_login, first, np.arange(len(is_login)))


def _blame_aliases(candidates: Candidates) -> dict[int, Blamed]:
    """Blame aliases where several logins, or many browsers, are on one profile."""
    several, size = candidates.several_logins, len(candidates.alias)
    apart = _without_each(candidates, candidates.login, several | ~candidates.several)
    parts = apart.parts[:size]
    of_logins = parts[:, :_TYPES].max(axis=1, initial=0)
    nameless = candidates.login_type < 0
    parting = np.flatnonzero(nameless & several[candidates.profile] & (of_logins > 1))
    shared_token = nameless & candidates.is_token & ~candidates.several[candidates.profile]
    shared_token &= parts[:, _BROWSER] >= MANY_BROWSERS
    # What is shared parts most when taken out, and is there more often than what is not.
    likely = apart.pieces, candidates.presence
    best = {
        **_best(candidates.profile, parting, of_logins, *likely),
        **_best(candidates.profile, np.flatnonzero(shared_token), parts[:, _BROWSER], *likely),
    }
    unparted = [profile for profile in np.flatnonzero(several).tolist() if profile not in best]
    weights = np.append(np.where(nameless, 1, -1), np.full(len(candidates.met.events), -1))
    larger = _larger_cuts(candidates, unparted, candidates.login, weights)
    return {
        **{profile: Blamed(np.array([alias]), NOTHING) for profile, alias in best.items()},
        **{profile: Blamed(c.nodes, NOTHING, c.is_smallest) for profile, c in larger.items()},
    }


def _blame_logins_and_events(
    candidates: Candidates, in_time: IntArray
) -> tuple[dict[int, Blamed], dict[int, Blamed]]:
    """Blame a login value that joins three or more, else events, where there is one login."""
    met, size = candidates.met, len(candidates.alias)
    together = candidates.several & ~candidates.several_logins
    each = np.arange(size)
    apart = _without_each(candidates, each, together)
    most = apart.parts[:, :_TYPES].max(axis=1, initial=0)
    hubs = np.flatnonzero((most[:size] > 2) & (candidates.login_type >= 0))
    best = _best(candidates.profile, hubs, most, apart.pieces)
    logins = {profile: Blamed(np.array([alias]), NOTHING) for profile, alias in best.items()}

    profile, event = np.empty_like(met.events), np.empty_like(met.events)
    profile[met.meeting] = candidates.profile[met.alias]
    event[met.meeting_of_event] = met.event
    rank = np.empty_like(in_time)
    rank[in_time] = np.arange(len(in_time))
    once = np.flatnonzero((most[size:] > 1) & (met.events == 1))
    # Of several such events: the one that contradicts itself, parts most, and came last.
    best = _best(profile, once, _carries_two_of_a_type(candidates), most[size:], rank[event])
    events = {p: Blamed(NOTHING, event[[meeting]]) for p, meeting in best.items()}

    unparted = [p for p in np.flatnonzero(together).tolist() if p not in {**logins, **events}]
    weights = np.append(np.full(size, -1), met.events)
    for p, cut in _larger_cuts(candidates, unparted, each, weights).items():
        cause = met.event[np.isin(met.meeting_of_event, cut.nodes - size)]
        events[p] = Blamed(NOTHING, cause, cut.is_smallest)
    return logins, {p: blamed for p, blamed in events.items() if p not in logins}


def _without_each(candidates: Candidates, label: IntArray, wanted: BoolArray) -> PartsWithout:
    """Return how profiles fall apart without each alias, and without each set that met.

    Aliases with one label are one node. Two aliases are linked directly where no event of theirs
    can be to blame; otherwise the set that met is a node between them.
    """
    met, size = candidates.met, len(candidates.alias)
    marks = np.zeros((size + len(met.events), _TYPES + 1), dtype=np.int64)
    if not wanted.any():
        return PartsWithout(marks, marks[:, 0])
    logins = np.bincount(met.meeting, weights=candidates.login_type[met.alias] >= 0)
    between = (np.bincount(met.meeting) > 2) | (logins > 1)
    through = between[met.meeting] & wanted[candidates.profile[met.alias]]
    direct = np.flatnonzero(~between[met.meeting] & wanted[candidates.profile[met.alias]])
    first = np.append(label[met.alias[through]], label[met.alias[direct[::2]]])
    second = np.append(size + met.meeting[through], label[met.alias[direct[1::2]]])
    login = np.flatnonzero(candidates.login_type >= 0)
    marks[label[login], candidates.login_type[login]] = 1
    marks[np.flatnonzero(candidates.is_browser), _BROWSER] = 1
    return falls_apart(first, second, marks)


def _best(group: IntArray, nodes: IntArray, *keys: npt.NDArray[Any]) -> dict[int, int]:
    """Return each group's node with the greatest keys, the first key first; ties: the first."""
    order = np.lexsort((nodes, *(-key[nodes].astype(np.int64) for key in reversed(keys))))
    nodes = nodes[order]
    groups, first = np.unique(group[nodes], return_index=True)
    return dict(zip(groups.tolist(), nodes[first].tolist(), strict=True))


def _carries_two_of_a_type(candidates: Candidates) -> BoolArray:
    """Return whether each set that met holds two values of one login type."""
    met = candidates.met
    counts = _counted(met.meeting, candidates.login_type[met.alias], len(met.events))
    return np.any(counts > 1, axis=1)


def _larger_cuts(
    candidates: Candidates, profiles: list[int], label: IntArray, weights: IntArray
) -> dict[int, Cut]:
    """Return the smallest cut of each of these profiles, where one is found.

    Nodes are the aliases, those with one label as one node, and then the sets that met.
    """
    met, size = candidates.met, len(candidates.alias)
    profile_of = candidates.profile[met.alias]
    by_profile = np.argsort(profile_of, kind="stable")
    ends = np.searchsorted(profile_of[by_profile], np.arange(len(candidates.number) + 1))
    presence = np.append(candidates.presence, met.events)
    found = {}
    for profile in profiles:
        at = by_profile[ends[profile] : ends[profile + 1]]
        alias = met.alias[at]
        links = np.unique(np.stack([label[alias], size + met.meeting[at]]), axis=1)
        nodes, local = np.unique(links, return_inverse=True)
        first, second = local.reshape(links.shape)
        cuts = []
        for kind in range(_TYPES):
            values = np.unique(label[alias[candidates.login_type[alias] == kind]])
            if len(values) > 1:
                apart = np.searchsorted(nodes, values)
                cuts.append(smallest_cut(first, second, weights[nodes], presence[nodes], apart))
        best = min(cuts, key=lambda cut: cut.cost)
        if best.cost <= LARGEST_CUT:
            certain = best.cost <= LEAST_COST or all(cut.is_smallest for cut in cuts)
            found[profile] = Cut(nodes[best.nodes], best.cost, certain)
    return found

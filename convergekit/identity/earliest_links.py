"""When aliases came to be linked: spanning trees of the earliest links.

Of all chains of links between two aliases, that in a minimum spanning tree weighted by the moment
of knowing was complete first (the minimax path property of minimum spanning trees; Hu, "The
maximum capacity route problem", Operations Research 9, 1961). A moment is an item's place in the
order of knowing, see `convergekit.identity.as_of.Knowledge`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import scipy

from convergekit.identity.aliases import EventAliases
from convergekit.identity.as_of import Knowledge
from convergekit.identity.graph import chain_links, connected_components
from convergekit.identity.profiles import type_priority
from convergekit.typing import IntArray

#: Later than every moment.
NEVER = np.iinfo(np.int64).max


def first_moments(aliases: EventAliases, known: IntArray) -> IntArray:
    """Return the moment at which each alias was first seen, `NEVER` for one that no event has."""
    first = np.full(len(aliases.table), NEVER)
    np.minimum.at(first, aliases.alias, known[aliases.event])
    return first


def session_moments(aliases: EventAliases, known: IntArray, browser_alias: str) -> IntArray:
    """Return the moment from which each alias was known to be of a browser session.

    Parameters
    ----------
    aliases : EventAliases
        Which item brings which alias.
    known : numpy.ndarray of int
        Each item's place in the order of knowing.
    browser_alias : str
        The alias type of a browser session.

    Returns
    -------
    numpy.ndarray of int
        For each alias the moment at which it first was in one profile with an alias of that
        type, `NEVER` if it never is.

    Examples
    --------
    >>> from convergekit.identity.read_aliases import read_aliases
    >>> events = pd.DataFrame({"alias.cookie": ["c", None, "c"],
    ...                        "alias.email": [None, "a@x.org", "a@x.org"]})
    >>> session_moments(read_aliases(events), np.arange(3), "cookie").tolist()
    [0, 2]
    """
    sessions = np.flatnonzero((aliases.table["alias_type"] == browser_alias).to_numpy())
    first_seen = first_moments(aliases, known)[sessions]
    tree = _rooted_tree(aliases, known, sessions, first_seen)
    root = len(aliases.table)
    latest, above = tree.moment.copy(), tree.parent
    latest[root] = -1
    while (above != root).any():
        latest = np.maximum(latest, latest[above])
        above = above[above]
    return latest[:root]


def session_moments_of_events(
    knowledge: Knowledge, aliases: EventAliases, browser_alias: str
) -> IntArray:
    """Return the moment from which each kept event's aliases were known to be of a session.

    The moment is that of the link, so it may lie before the event.

    Parameters
    ----------
    knowledge : Knowledge
    aliases : EventAliases
        Which item brings which alias: those of `knowledge`, or some of them.
    browser_alias : str
        The alias type of a browser session.
    """
    known, item = knowledge.known, aliases.event[aliases.own]
    of_alias = session_moments(aliases, known, browser_alias)[aliases.alias[aliases.own]]
    event = knowledge.event[item]
    # What a copy brings that became known after the event counts from then on.
    late = known[item] > known[knowledge.item[event]]
    moment = np.full(len(knowledge.item), NEVER)
    np.minimum.at(moment, event, np.where(late, np.maximum(known[item], of_alias), of_alias))
    return moment


@dataclass(frozen=True)
class LinkTree:
    """A spanning tree of the aliases of every profile; the root, last, is not an alias.

    Attributes
    ----------
    parent : numpy.ndarray of int
        The alias above each, or the root.
    moment : numpy.ndarray of int
        When each alias met the one above.
    """

    parent: IntArray
    moment: IntArray

    def nearest_known(self, start: IntArray, goal: IntArray, moment: IntArray) -> IntArray:
        """Return the alias next to `start` that was of the profile of `goal` at a moment.

        Next on the chain from `start` to `goal`, which is of the same profile in the end.
        """
        climber = _Climber(self)
        return climber.entry(start, climber.top(goal, moment), moment)


def link_tree(aliases: EventAliases, known: IntArray) -> LinkTree:
    """Return the spanning tree of the earliest links.

    Parameters
    ----------
    aliases : EventAliases
        Which item brings which alias.
    known : numpy.ndarray of int
        Each item's place in the order of knowing.

    Examples
    --------
    A cookie meets a token, then an e-mail address meets the token. When only the first had
    happened, the token was the nearest alias by which the address would have met the cookie.

    >>> from convergekit.identity.read_aliases import read_aliases
    >>> events = pd.DataFrame({"alias.cookie": ["c", None], "alias.cart_token": ["t", "t"],
    ...                        "alias.email": [None, "a@x.org"]})
    >>> found = read_aliases(events)
    >>> cookie, token, email = range(3)
    >>> tree = link_tree(found, np.arange(2))
    >>> tree.nearest_known(np.array([email]), np.array([cookie]), np.array([0])).tolist()
    [1]
    """
    _, tops = np.unique(connected_components(aliases), return_index=True)
    return _rooted_tree(aliases, known, tops, np.full(len(tops), NEVER))


def _rooted_tree(
    aliases: EventAliases, known: IntArray, tops: IntArray, top_moments: IntArray
) -> LinkTree:
    """Return the tree of the earliest links, some of which join an alias to a root."""
    root = len(aliases.table)
    one, other, event = chain_links(_in_priority(aliases))
    links = pd.DataFrame(
        {
            "first": np.concatenate([np.minimum(one, other), tops]),
            "second": np.concatenate([np.maximum(one, other), np.full(len(tops), root)]),
            "moment": np.concatenate([known[event], top_moments]),
        }
    )
    # Links of one moment stand in the order of their event's aliases, so that no weights are
    # equal and the tree does not depend on how aliases are numbered.
    links = links.sort_values("moment", kind="stable").drop_duplicates(["first", "second"])
    moment = links["moment"].to_numpy()
    weight = np.arange(1, len(links) + 1, dtype=np.float64)
    # SciPy's older versions make a tree of no wider integers than these.
    ends = (links["first"].to_numpy(np.int32), links["second"].to_numpy(np.int32))
    graph = scipy.sparse.coo_array((weight, ends), shape=(root + 1, root + 1))
    spanning = scipy.sparse.csgraph.minimum_spanning_tree(graph.tocsr())
    _, above = scipy.sparse.csgraph.breadth_first_order(spanning, root, directed=False)
    edges = spanning.tocoo()
    lower = np.where(above[edges.col] == edges.row, edges.col, edges.row)
    met = np.full(root + 1, NEVER)
    met[lower] = moment[edges.data.astype(np.int64) - 1]
    # No chain leads from the root to these.
    met[above < 0] = NEVER
    parent = np.where(above < 0, root, above).astype(np.int64)
    return LinkTree(parent, met)


def _in_priority(aliases: EventAliases) -> EventAliases:
    """Return the same pairs, each event's aliases from login-like types to the browser's own."""
    categories = aliases.table["alias_type"].cat
    priority = type_priority(list(categories.categories))[categories.codes.to_numpy()]
    keys = [priority[aliases.alias], aliases.event]
    order = np.lexsort(keys)
    event, place = aliases.event[order], keys[0][order]
    if ((event[1:] == event[:-1]) & (place[1:] == place[:-1])).any():
        rank = aliases.table["alias_value"].rank(method="first").to_numpy()
        order = np.lexsort([rank[aliases.alias], *keys])
    return replace(aliases, event=aliases.event[order], alias=aliases.alias[order])


class _Climber:
    """Climbs a tree in doubling strides."""

    def __init__(self, tree: LinkTree) -> None:
        root = len(tree.parent) - 1
        above, latest = tree.parent.copy(), tree.moment.copy()
        above[root] = root
        depth = (np.arange(root + 1) != root).astype(np.int64)
        self._strides = [(above, latest)]
        while (above != root).any():
            depth = depth + depth[above]
            above, latest = above[above], np.maximum(latest, latest[above])
            self._strides.append((above, latest))
        self._depth = depth

    def top(self, node: IntArray, moment: IntArray) -> IntArray:
        """Return the highest alias that each was linked to by then."""
        for above, latest in reversed(self._strides):
            node = np.where(latest[node] <= moment, above[node], node)
        return node

    def entry(self, start: IntArray, top: IntArray, moment: IntArray) -> IntArray:
        """Return the first alias on the way from `start` into what hung below `top` by then."""
        node, floor = start, self._depth[top]
        for above, _ in reversed(self._strides):
            target = above[node]
            outside = (self._depth[target] >= floor) & (self.top(target, moment) != top)
            node = np.where(outside, target, node)
        target = self._strides[0][0][node]
        # Where the way leads past `top`'s parent, it goes down again, and enters at the top.
        return np.where(self.top(target, moment) == top, target, top)

"""As-of identity: what was known of a profile when each event became known.

Under as-of identity a value flows only along links already known at the event. The order of
knowing is that of `received_at` where the events have it, otherwise of time. Every link that
joins two profiles is a node of a binary forest, whose leaves are the aliases (Kruskal's
reconstruction tree, built from a minimum spanning forest weighted by the moment of knowing). A
profile as it stood at a moment is one node of that forest, and laid out from left to right all
that had become known of it is one run of places: questions about it are range maxima.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import scipy

from convergekit.base.compiled import compiled
from convergekit.base.grouping import run_starts
from convergekit.identity.aliases import Apart, EventAliases
from convergekit.identity.graph import chain_links
from convergekit.typing import BoolArray, IntArray


@dataclass(frozen=True)
class KnownProfiles:
    """For each event, the run of events that its profile consisted of when it became known.

    Attributes
    ----------
    place : numpy.ndarray of int
        Each event's place in the layout.
    start : numpy.ndarray of int
        The place where the event's profile, as then known, starts. It ends at `place`.
    by_length : list of numpy.ndarray of int
        For each i, the events whose run holds from 2**i to below 2**(i + 1) places.
    """

    place: IntArray
    start: IntArray
    by_length: list[IntArray]

    def knew(self, event: IntArray, earlier: IntArray) -> BoolArray:
        """Return whether, when `event` became known, `earlier` was known to be of its profile."""
        place = self.place[earlier]
        return (place >= self.start[event]) & (place <= self.place[event])

    def maxima(self, weight: IntArray) -> IntArray:
        """Return, for each event, the greatest weight in the run that was its profile."""
        found = np.empty_like(weight)
        row = np.empty_like(weight)
        row[self.place] = weight
        for power, asked in enumerate(self.by_length):
            # `row[i]` is the maximum of the 2**power places from i on.
            reach = 1 << power
            last = self.place[asked] - reach + 1
            found[asked] = np.maximum(row[self.start[asked]], row[last])
            row = np.maximum(row[:-reach], row[reach:]) if reach < len(row) else row
        return found


def known_profiles(aliases: EventAliases, known: IntArray) -> KnownProfiles:
    """Lay out the events so that every profile, as then known, is a run of places.

    Parameters
    ----------
    aliases : EventAliases
    known : numpy.ndarray of int
        Each event's place in the order of knowing: a permutation of the events' positions.

    Examples
    --------
    A cookie's page view, an order that knows only an e-mail address, and the event that links
    the two. Before it, the order's profile was the order alone.

    >>> import pandas as pd
    >>> from convergekit.identity.read_aliases import read_aliases
    >>> events = pd.DataFrame({"alias.cookie": ["c", None, "c"],
    ...                        "alias.email": [None, "a@x.org", "a@x.org"]})
    >>> then = known_profiles(read_aliases(events), np.arange(3))
    >>> bool(then.knew(np.array([1]), np.array([0]))[0])
    False
    >>> bool(then.knew(np.array([2]), np.array([0]))[0])
    True
    """
    size = len(known)
    links = spanning_links(aliases, known)
    forest = _grow_forest(len(aliases.table), links)
    node = _own_aliases(aliases, size)
    named = np.flatnonzero(node >= 0)
    node[named] = _climb(forest, node[named], known[named])

    # Events without an alias stand last, each alone.
    in_order = np.empty(size, dtype=np.int64)
    in_order[known] = np.arange(size)
    in_order = in_order[node[in_order] >= 0]
    own = np.bincount(node[named], minlength=len(forest.parent))
    start, own_start = _lay_out(forest, own)
    by_node = in_order[np.argsort(node[in_order], kind="stable")]
    first_of_node = np.cumsum(own) - own
    place = np.empty(size, dtype=np.int64)
    place[by_node] = (
        own_start[node[by_node]] + np.arange(len(by_node)) - first_of_node[node[by_node]]
    )
    nameless = np.flatnonzero(node < 0)
    place[nameless] = len(named) + np.arange(len(nameless))
    starts = place.copy()
    starts[named] = start[node[named]]
    return KnownProfiles(place, starts, _by_length(place - starts + 1))


def profiles_then(
    aliases: EventAliases, known: IntArray, item: IntArray, moment: IntArray
) -> IntArray:
    """Return a number for the profile that items were of at moments, -1 for none.

    Parameters
    ----------
    aliases : EventAliases
        Which item brings which alias.
    known : numpy.ndarray of int
        Each item's place in the order of knowing.
    item, moment : numpy.ndarray of int
        Items, of which one may occur at several moments, and a place in that order for each.

    Examples
    --------
    A cookie's page view, an order that knows only an e-mail address, and the event that links
    the two: at first, and in the end.

    >>> import pandas as pd
    >>> from convergekit.identity.read_aliases import read_aliases
    >>> events = pd.DataFrame({"alias.cookie": ["c", None, "c"],
    ...                        "alias.email": [None, "a@x.org", "a@x.org"]})
    >>> at = np.array([0, 1, 0, 1])
    >>> found = profiles_then(read_aliases(events), np.arange(3), at, np.array([1, 1, 2, 2]))
    >>> bool(found[0] == found[1]), bool(found[2] == found[3])
    (False, True)
    """
    forest = _grow_forest(len(aliases.table), spanning_links(aliases, known))
    node = _own_aliases(aliases, len(known))[item]
    named = np.flatnonzero(node >= 0)
    node[named] = _climb(forest, node[named], moment[named])
    return node


@dataclass(frozen=True)
class Knowledge:
    """What becomes known, item by item, of the events that are kept.

    Usually an item is a kept event. Where dropped copies are evidence, they are items as well:
    what they say of their event is known when the copy is, and not before.

    Attributes
    ----------
    aliases : EventAliases
        Which item brings which alias; the aliases are numbered as those of the kept events.
    known : numpy.ndarray of int
        Each item's place in the order of knowing.
    known_at : numpy.ndarray of int
        When each item became known: its time of receipt, or else its own, in microseconds.
    event : numpy.ndarray of int
        The kept event that each item is, or is a copy of.
    item : numpy.ndarray of int
        The item that each kept event is.
    says : dict of str to numpy.ndarray of int
        Per profile property, the item that says it for each kept event; `item` by default.
    """

    aliases: EventAliases
    known: IntArray
    known_at: IntArray
    event: IntArray
    item: IntArray
    says: dict[str, IntArray]

    @cached_property
    def profiles(self) -> KnownProfiles:
        """The profiles of the items, as then known."""
        return known_profiles(self.aliases, self.known)

    def maxima(self, weight: IntArray) -> IntArray:
        """Return, for each item, the greatest weight in its profile as then known."""
        return self._maxima(weight)

    @cached_property
    def _maxima(self) -> Callable[[IntArray], IntArray]:
        if not compiled(len(self.known)):
            return self.profiles.maxima
        from convergekit.identity.compiled.as_of import history

        aliases = self.aliases
        node, links = _own_aliases(aliases, len(self.known)), chain_links(aliases)
        return history(node, links, self.known, len(aliases.table)).maxima

    def kept_apart(self, apart: Apart | None, group: IntArray) -> Knowledge:
        """Return the same, but that some aliases which meet are not linked.

        Parameters
        ----------
        apart : Apart or None
            Which aliases.
        group : numpy.ndarray of int
            The number of each kept event's own group, -1 for none.
        """
        if apart is not None and len(self.event) > len(self.item):
            # A copy speaks for its event, whatever group its own aliases would put it in.
            apart = replace(apart, home=group[self.event])
        return replace(self, aliases=replace(self.aliases, apart=apart))

    def part(self, keep: BoolArray, left: BoolArray) -> Knowledge:
        """Return what was known of the chosen kept events and aliases, both renumbered."""
        keep_item = keep[self.event]
        place, item = np.cumsum(keep) - 1, np.cumsum(keep_item) - 1
        ranks = np.empty(int(keep_item.sum()), dtype=np.int64)
        ranks[np.argsort(self.known[keep_item])] = np.arange(len(ranks))
        return Knowledge(
            aliases=self.aliases.part(keep_item, left),
            known=ranks,
            known_at=self.known_at[keep_item],
            event=place[self.event[keep_item]],
            item=item[self.item[keep]],
            says={name: item[says[keep]] for name, says in self.says.items()},
        )

    def seen_by(self, at: IntArray) -> Knowledge:
        """Return the same for those who see the kept events at these positions alone.

        Nothing less is known: the items of other events stay, and are of no event (-1).
        """
        place = np.full(len(self.item), -1, dtype=np.int64)
        place[at] = np.arange(len(at))
        return replace(
            self,
            event=place[self.event],
            item=self.item[at],
            says={name: says[at] for name, says in self.says.items()},
        )

    def without(self, dropped: BoolArray) -> Knowledge:
        """Return what would have been known if these aliases had not been sent."""
        return replace(self, aliases=self.aliases.without(dropped))

    def spoken(self, name: str, given: IntArray, erased: IntArray | None) -> IntArray:
        """Return the greater weight of what each item says of a property, or -1.

        `given` and `erased` are the weights of each kept event's value and erasure, or -1. A
        value is known when the item that says it is, an erasure when the event itself is.
        """
        if len(self.event) == len(self.item):
            return given if erased is None else np.maximum(given, erased)
        # Every copy repeats what is known of its event by then: it may be the one that brings
        # the alias by which the value reaches a profile.
        said = self.known[self.says.get(name, self.item)][self.event]
        spoken = np.where(self.known >= said, given[self.event], -1)
        if erased is not None:
            came = self.known[self.item][self.event]
            spoken = np.maximum(spoken, np.where(self.known >= came, erased[self.event], -1))
        return spoken

    def knew(self, event: IntArray, earlier: IntArray) -> BoolArray:
        """Return whether, when `event` became known, `earlier` was known to be of its profile.

        It was if one of its copies was: a copy may bring the alias that it came without.
        """
        asked, then = self.item[event], self.profiles
        if len(self.event) == len(self.item):
            return then.knew(asked, self.item[earlier])
        # The first of its items from where the run starts: does the run still hold it?
        size = len(self.event)
        keys = self._places_by_event
        at = np.searchsorted(keys, earlier * size + then.start[asked])
        found = np.append(keys, np.iinfo(np.int64).max)[at]
        return found <= earlier * size + then.place[asked]

    @cached_property
    def _places_by_event(self) -> IntArray:
        """Each item's event and place in one number, sorted."""
        return np.sort(self.event * len(self.event) + self.profiles.place)


def _own_aliases(aliases: EventAliases, size: int) -> IntArray:
    """Return an alias of each event that is of its profile, -1 for none."""
    found = np.full(size, -1, dtype=np.int64)
    found[aliases.event[aliases.own]] = aliases.alias[aliases.own]
    return found


@dataclass(frozen=True)
class _Forest:
    """Leaves first, then one node per link in the order of knowing.

    `parent` and `known` are of all nodes, -1 for none; `left` and `right` of the links.
    """

    leaves: int
    parent: IntArray
    left: IntArray
    right: IntArray
    known: IntArray


def spanning_links(aliases: EventAliases, known: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Return the links that joined two profiles, and when, in the order of knowing."""
    size = len(aliases.table)
    first, second, event = chain_links(aliases)
    first, second = np.minimum(first, second), np.maximum(first, second)
    order = np.lexsort((known[event], second, first))
    first, second, at = first[order], second[order], known[event][order]
    new = run_starts(first, second)
    # A weight of 0 would not be a link.
    weights = (at[new] + 1).astype(np.float64)
    # SciPy's older versions make a tree of no wider integers than these.
    ends = (first[new].astype(np.int32), second[new].astype(np.int32))
    links = scipy.sparse.coo_array((weights, ends), shape=(size, size)).tocsr()
    spanning = scipy.sparse.csgraph.minimum_spanning_tree(links).tocoo()
    order = np.lexsort((spanning.col, spanning.row, spanning.data))
    first, second = spanning.row[order], spanning.col[order]
    return (
        first.astype(np.int64),
        second.astype(np.int64),
        spanning.data[order].astype(np.int64) - 1,
    )


def _grow_forest(leaves: int, links: tuple[IntArray, IntArray, IntArray]) -> _Forest:
    first, second, at = links
    if compiled(len(at)):
        from convergekit.identity.compiled.forest import joined

        left, right = joined(leaves, first, second)
    else:
        left, right = _joined(leaves, first, second)
    parent = np.full(leaves + len(at), -1, dtype=np.int64)
    parent[left] = parent[right] = np.arange(leaves, len(parent))
    known = np.concatenate([np.full(leaves, -1, dtype=np.int64), at])
    return _Forest(leaves, parent, left, right, known)


def _joined(leaves: int, first: IntArray, second: IntArray) -> tuple[IntArray, IntArray]:
    """Return the two nodes that each link joins, a link being a node above its leaves."""
    # The union-find's own pointers, halved on the way.
    above = list(range(leaves + len(first)))
    left, right = [], []
    for node, (one, other) in enumerate(
        zip(first.tolist(), second.tolist(), strict=True), start=leaves
    ):
        while above[one] != one:
            above[one] = above[above[one]]
            one = above[one]
        while above[other] != other:
            above[other] = above[above[other]]
            other = above[other]
        above[one] = above[other] = node
        left.append(one)
        right.append(other)
    return np.array(left, dtype=np.int64), np.array(right, dtype=np.int64)


def _climb(forest: _Forest, node: IntArray, known: IntArray) -> IntArray:
    """Return the highest node above each that was known by then, in doubling strides."""
    nowhere = len(forest.parent)
    stride = np.append(np.where(forest.parent < 0, nowhere, forest.parent), nowhere)
    when = np.append(forest.known, np.iinfo(np.int64).max)
    strides = [stride]
    while (strides[-1] != nowhere).any():
        strides.append(strides[-1][strides[-1]])
    for stride in reversed(strides):
        target = stride[node]
        node = np.where(when[target] <= known, target, node)
    return node


def _lay_out(forest: _Forest, own: IntArray) -> tuple[IntArray, IntArray]:
    """Return where each node's run starts, and where its own events start within it.

    A node's run is that of its left, that of its right, and its own events.
    """
    sized, placed = _sizes, _places
    if compiled(len(forest.left)):
        from convergekit.identity.compiled.forest import places as placed
        from convergekit.identity.compiled.forest import sizes as sized

    total = sized(forest.left, forest.right, own)
    tops = np.flatnonzero(forest.parent < 0)
    starts = np.zeros_like(own)
    starts[tops] = np.cumsum(total[tops]) - total[tops]
    start = placed(forest.left, forest.right, total, starts)
    return start, start + total - own


def _sizes(left: IntArray, right: IntArray, own: IntArray) -> IntArray:
    """Return how many places each node's run has."""
    totals = own.tolist()
    links = zip(left.tolist(), right.tolist(), strict=True)
    for node, (one, other) in enumerate(links, start=len(own) - len(left)):
        totals[node] += totals[one] + totals[other]
    return np.array(totals, dtype=np.int64)


def _places(left: IntArray, right: IntArray, total: IntArray, starts: IntArray) -> IntArray:
    """Return where each node's run starts, from where those of the tops do."""
    totals, places = total.tolist(), starts.tolist()
    links = zip(left[::-1].tolist(), right[::-1].tolist(), strict=True)
    for node, (one, other) in zip(range(len(totals) - 1, -1, -1), links, strict=False):
        places[one] = places[node]
        places[other] = places[node] + totals[one]
    return np.array(places, dtype=np.int64)


def _by_length(length: IntArray) -> list[IntArray]:
    power = (np.frexp(length.astype(np.float64))[1] - 1).astype(np.int8)
    ends = np.cumsum(np.bincount(power))
    return np.split(np.argsort(power, kind="stable"), ends[:-1])

"""Cuts: what has to be taken out of a graph of aliases so that marked ones fall apart.

The graph is bipartite: aliases, and the sets of aliases that met on events, each set once. A cut
of one node is found for all nodes of all components in linear time, by the lowpoints of a
depth-first search (Hopcroft and Tarjan, 1973, "Algorithm 447: efficient algorithms for graph
manipulation"). A larger one is a minimum cut in the sense of Menger's theorem: a maximum flow
through the graph whose nodes were split in two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from convergekit.typing import IntArray

#: A larger cut is not looked for: too many aliases to block one by one.
LARGEST_CUT = 1_000
#: Pairs are tried as long as links, times pairs, are fewer.
MOST_WORK = 50_000_000
#: What a larger cut costs at least.
LEAST_COST = 2
# Flows are 32-bit integers. A node of a cut weighs this much, and a little more the less present
# it is: of two cuts of one size the lighter is found.
_WEIGHT = 1_000_000
_HARDLY_PRESENT = 900
_ENDLESS = (LARGEST_CUT + 1) * (_WEIGHT + _HARDLY_PRESENT)


@dataclass(frozen=True)
class Meetings:
    """The distinct sets of two or more aliases that met on events.

    Attributes
    ----------
    alias, meeting : numpy.ndarray of int
        One entry per alias of each set, sorted by set.
    events : numpy.ndarray of int
        On how many events each set met.
    event, meeting_of_event : numpy.ndarray of int
        The events with at least two aliases, and the set that met on each.
    """

    alias: IntArray
    meeting: IntArray
    events: IntArray
    event: IntArray
    meeting_of_event: IntArray


@dataclass(frozen=True)
class Cut:
    """What to take out.

    Attributes
    ----------
    nodes : numpy.ndarray of int
    cost : int
        More than `LARGEST_CUT` if nothing cheaper was found; `nodes` are not a cut then.
    is_smallest : bool
        Whether there is certainly no cheaper one.
    """

    nodes: IntArray
    cost: int
    is_smallest: bool


@dataclass(frozen=True)
class PartsWithout:
    """How each node's component falls apart without the node.

    Attributes
    ----------
    parts : numpy.ndarray of int
        Per node and kind of mark, how many parts hold such a mark.
    pieces : numpy.ndarray of int
        Per node, how many parts there are.
    """

    parts: IntArray
    pieces: IntArray


def distinct_meetings(event: IntArray, alias: IntArray) -> Meetings:
    """Return the distinct sets of aliases that met.

    Parameters
    ----------
    event, alias : numpy.ndarray of int
        One entry per (event, alias) pair, each pair once.

    Examples
    --------
    >>> met = distinct_meetings(np.array([0, 0, 1, 1, 2]), np.array([4, 7, 7, 4, 4]))
    >>> met.alias.tolist(), met.events.tolist(), met.event.tolist()
    ([4, 7], [2], [0, 1])
    """
    order = np.lexsort((alias, event))
    event, alias = event[order], alias[order]
    starts = np.flatnonzero(np.diff(event, prepend=-1))
    sizes = np.diff(np.append(starts, len(event)))
    aliases, sets, counts, events, of_event = [], [], [], [], []
    found = 0
    for size in np.unique(sizes[sizes > 1]):
        of_size = starts[sizes == size]
        rows = alias[of_size[:, None] + np.arange(size)]
        by_row = np.lexsort(rows.T[::-1])
        new = np.ones(len(rows), dtype=bool)
        new[1:] = (np.diff(rows[by_row], axis=0) != 0).any(axis=1)
        number = np.empty(len(rows), dtype=np.int64)
        number[by_row] = np.cumsum(new) - 1
        distinct = rows[by_row][new]
        aliases.append(distinct.ravel())
        sets.append(found + np.repeat(np.arange(len(distinct)), size))
        counts.append(np.bincount(number))
        events.append(event[of_size])
        of_event.append(found + number)
        found += len(distinct)
    return Meetings(*map(_joined, (aliases, sets, counts, events, of_event)))


def falls_apart(first: IntArray, second: IntArray, marks: IntArray) -> PartsWithout:
    """Return how each node's component falls apart without the node.

    Parameters
    ----------
    first, second : numpy.ndarray of int
        The two ends of every link; repeated links count once.
    marks : numpy.ndarray of int
        One row per node, one column per kind of mark: how many marks the node has.

    Examples
    --------
    A path of three nodes, the ends marked, and a node apart:

    >>> marks = np.array([[1], [0], [1], [1]])
    >>> apart = falls_apart(np.array([0, 1]), np.array([1, 2]), marks)
    >>> apart.parts[:, 0].tolist(), apart.pieces.tolist()
    ([1, 2, 1, 0], [1, 2, 1, 0])
    """
    size = len(marks)
    start, target = _adjacency(first, second, size)
    order, parent = _depth_first(start.tolist(), target.tolist())
    place = np.empty(size, dtype=np.int64)
    place[order] = np.arange(size)
    subtree = _subtree_sizes(order, parent, place)
    low = _low_points(order, parent, place, start, target)
    before = np.vstack([np.zeros((1, marks.shape[1]), np.int64), np.cumsum(marks[order], axis=0)])
    below = before[place + subtree] - before[place]

    root = np.flatnonzero(parent < 0)
    root_of = root[np.searchsorted(place[root], place, side="right") - 1] if size else root
    child = np.flatnonzero(parent >= 0)
    child = child[low[child] >= place[parent[child]]]
    above = parent[child]
    parts, pieces = np.zeros_like(marks), np.zeros(size, dtype=np.int64)
    cut_off, cut_off_size = np.zeros_like(marks), np.zeros(size, dtype=np.int64)
    np.add.at(parts, above, below[child] > 0)
    np.add.at(pieces, above, 1)
    np.add.at(cut_off, above, below[child])
    np.add.at(cut_off_size, above, subtree[child])
    rest = below[root_of] - marks - cut_off
    rest_size = subtree[root_of] - 1 - cut_off_size
    return PartsWithout(parts + (rest > 0), pieces + (rest_size > 0))


def smallest_cut(
    first: IntArray, second: IntArray, weights: IntArray, presence: IntArray, apart: IntArray
) -> Cut:
    """Return the fewest nodes without which some two of the given nodes are not connected.

    Of equally small cuts between two of them, the one whose nodes are the most present.

    Parameters
    ----------
    first, second : numpy.ndarray of int
        The two ends of every link of one component, each link once.
    weights : numpy.ndarray of int
        What it costs to take out each node: 1 or more, or -1 if it cannot be taken out. No node
        of cost 1 is a cut on its own: `falls_apart` finds those.
    presence : numpy.ndarray of int
        On how many events each node is.
    apart : numpy.ndarray of int
        At least two nodes that cannot be taken out.

    Returns
    -------
    Cut

    Examples
    --------
    A ring of four nodes; to part two opposite ones takes both of the others:

    >>> ring = np.array([0, 1, 2, 3]), np.array([1, 2, 3, 0])
    >>> costs, presence = np.array([-1, 1, -1, 1]), np.ones(4, dtype=int)
    >>> smallest_cut(*ring, costs, presence, np.array([0, 2]))
    Cut(nodes=array([1, 3]), cost=2, is_smallest=True)
    """
    source = 2 * len(weights)
    # No cut takes out a given node, so one of the others is always cut off from the first.
    network = _split_network(first, second, weights, presence, source_at=int(apart[0]))
    tries = max(MOST_WORK // len(first), 1)
    flows: list[Any] = []
    for node in apart[1 : tries + 1].tolist():
        flow = scipy.sparse.csgraph.maximum_flow(network, source, node)
        if not flows or flow.flow_value < flows[-1].flow_value:
            flows.append(flow)
        if flow.flow_value // _WEIGHT <= LEAST_COST:
            break
    cost = int(flows[-1].flow_value // _WEIGHT)
    is_smallest = cost <= LEAST_COST or tries >= len(apart) - 1
    return Cut(_cut_of(network, flows[-1].flow), cost, is_smallest)


def _joined(parts: list[IntArray]) -> IntArray:
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


def _adjacency(first: IntArray, second: IntArray, size: int) -> tuple[IntArray, IntArray]:
    ends, others = np.append(first, second), np.append(second, first)
    links = scipy.sparse.coo_array(
        (np.ones(len(ends), dtype=bool), (ends, others)), shape=(size, size)
    )
    found = links.tocsr()
    return found.indptr.astype(np.int64), found.indices.astype(np.int64)


def _depth_first(start: list[int], target: list[int]) -> tuple[IntArray, IntArray]:
    """Return the nodes in the order of a depth-first search, and each one's parent or -1.

    SciPy's own rescans a node's neighbours after each of them: a star takes it quadratic time.
    """
    size = len(start) - 1
    ahead = start[:-1]
    parent = [-2] * size
    order = []
    for root in range(size):
        if parent[root] != -2:
            continue
        parent[root] = -1
        order.append(root)
        node = root
        while node >= 0:
            end = start[node + 1]
            at = ahead[node]
            while at < end and parent[target[at]] != -2:
                at += 1
            ahead[node] = at + 1
            if at < end:
                child = target[at]
                parent[child] = node
                order.append(child)
                node = child
            else:
                node = parent[node]
    return np.array(order, dtype=np.int64), np.array(parent, dtype=np.int64)


def _subtree_sizes(order: IntArray, parent: IntArray, place: IntArray) -> IntArray:
    sizes = [1] * len(order)
    above = np.where(parent[order] < 0, -1, place[parent[order]]).tolist()
    for at in range(len(order) - 1, -1, -1):
        if above[at] >= 0:
            sizes[above[at]] += sizes[at]
    return np.array(sizes, dtype=np.int64)[place]


def _low_points(
    order: IntArray, parent: IntArray, place: IntArray, start: IntArray, target: IntArray
) -> IntArray:
    """Return the first place in the order that each subtree is linked to."""
    source = np.repeat(np.arange(len(order)), np.diff(start))
    lowest = place.copy()
    np.minimum.at(lowest, source, place[target])
    low = lowest[order].tolist()
    above = np.where(parent[order] < 0, -1, place[parent[order]]).tolist()
    for at in range(len(order) - 1, 0, -1):
        if above[at] >= 0 and low[at] < low[above[at]]:
            low[above[at]] = low[at]
    return np.array(low, dtype=np.int64)[place]


def _cut_of(network: scipy.sparse.csr_array, flow: scipy.sparse.csr_array) -> IntArray:
    """Return the nodes that are entered from the source's side, and left on the other."""
    size = network.shape[0] // 2
    residual = network - flow
    residual.data = np.maximum(residual.data, 0)
    residual.eliminate_zeros()
    reached = np.zeros(network.shape[0], dtype=bool)
    reached[scipy.sparse.csgraph.breadth_first_order(residual, 2 * size)[0]] = True
    return np.flatnonzero(reached[:size] & ~reached[size : 2 * size])


def _split_network(
    first: IntArray,
    second: IntArray,
    weights: IntArray,
    presence: IntArray,
    source_at: int,
) -> scipy.sparse.csr_array:
    """Return capacities: node `i` is entered at `i` and left at `size + i`, the source is last."""
    size = len(weights)
    burden = _HARDLY_PRESENT // np.maximum(presence, 1)
    bounded = np.minimum(weights, LARGEST_CUT + 1)
    through = np.where(weights < 0, _ENDLESS, bounded * (_WEIGHT + burden))
    nodes = np.arange(size)
    tails = np.concatenate([nodes, first + size, second + size, [2 * size]])
    heads = np.concatenate([nodes + size, second, first, [source_at + size]])
    links = np.full(2 * len(first) + 1, _ENDLESS)
    amounts = np.minimum(np.append(through, links), _ENDLESS).astype(np.int32)
    shape = (2 * size + 1, 2 * size + 1)
    # SciPy's older versions find a flow between no wider integers than these.
    ends = (tails.astype(np.int32), heads.astype(np.int32))
    return scipy.sparse.coo_array((amounts, ends), shape=shape).tocsr()

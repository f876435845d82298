"""Place the nodes of a graph: the same on every machine, to the last digit.

The layouts of networkx use BLAS and NumPy's vectorised functions, whose last digits depend on the
processor. They iterate, so that a last digit grows; in a symmetric graph it decides on which side a
node falls. Here Python's floats are added, multiplied, divided and rooted in a fixed order: for
these IEEE 754 allows one answer.
"""

from __future__ import annotations

import math
import random
from typing import NamedTuple

import networkx as nx

Place = tuple[float, float]

#: Steps shrink by this factor until the last, which moves nothing that can be seen.
_SHRINKS, _SHORTEST = 0.85, 0.01
#: A small graph is laid out from several starts, a large one from one alone: as many starts as
#: have so many pairs of nodes together, and no more than these.
_PAIRS, _STARTS = 20_000, 10
#: Pixels between names, and how little an overlap is that nobody sees.
_GAP, _NEAR = 6.0, 0.5
#: As often are overlapping names moved apart.
_ROUNDS = 300


class _Pair(NamedTuple):
    one: int
    other: int
    distance: float


def layout(graph: nx.Graph[str]) -> dict[str, Place]:
    """Place nodes as far apart as there are links on the shortest way between them.

    Pairs are moved towards their distance one after another, by shorter and shorter steps: Zheng,
    Pawar and Goodman, "Graph drawing by stochastic gradient descent", IEEE Transactions on
    Visualization and Computer Graphics 25 (2019), pp. 2738-2748, https://arxiv.org/abs/1710.04626.

    Returns
    -------
    dict
        Of each node, in the order of their names, x and y from -1 to 1.

    Examples
    --------
    >>> places = layout(nx.Graph([("email", "cookie"), ("cookie", "token")]))
    >>> {name: (round(x, 3), round(y, 3)) for name, (x, y) in places.items()}
    {'cookie': (0.154, -0.197), 'email': (-1.0, -0.78), 'token': (1.0, 0.78)}
    """
    # A subgraph iterates in the order of a set, which differs in every process.
    nodes = sorted(graph)
    pairs = _pairs(graph, nodes)
    chance = random.Random(1)
    starts = min(max(_PAIRS // max(len(pairs), 1), 1), _STARTS)
    found = [_settled(len(nodes), pairs, chance) for _ in range(starts)]
    x, y = min(found, key=lambda places: _stress(pairs, *places))
    return dict(zip(nodes, _in_the_middle(x, y), strict=True))


def _pairs(graph: nx.Graph[str], nodes: list[str]) -> list[_Pair]:
    """Return every pair of nodes, and how many links the shortest way between them has."""
    found = dict(nx.all_pairs_shortest_path_length(graph))
    farthest = max((max(to.values()) for to in found.values()), default=0)
    # Parts without a link between them stand beside each other.
    return [
        _Pair(one, other, float(found[nodes[one]].get(nodes[other], farthest + 1)))
        for one in range(len(nodes))
        for other in range(one)
    ]


def _settled(
    size: int, pairs: list[_Pair], chance: random.Random
) -> tuple[list[float], list[float]]:
    x, y = ([chance.random() for _ in range(size)] for _ in range(2))
    pairs = list(pairs)
    step = max((pair.distance * pair.distance for pair in pairs), default=0.0)
    while step > _SHORTEST:
        chance.shuffle(pairs)
        for one, other, distance in pairs:
            right, up = x[one] - x[other], y[one] - y[other]
            apart = math.sqrt(right * right + up * up)
            if apart:
                # The farther two should be apart, the less they count.
                part = min(step / (distance * distance), 1.0) * (apart - distance) / (2 * apart)
                x[one], x[other] = x[one] - right * part, x[other] + right * part
                y[one], y[other] = y[one] - up * part, y[other] + up * part
        step *= _SHRINKS
    return x, y


def _stress(pairs: list[_Pair], x: list[float], y: list[float]) -> float:
    """Return how far the pairs are from their distances."""
    total = 0.0
    for one, other, distance in pairs:
        right, up = x[one] - x[other], y[one] - y[other]
        off = math.sqrt(right * right + up * up) / distance - 1.0
        total += off * off
    return total


def _in_the_middle(x: list[float], y: list[float]) -> list[Place]:
    middles = [(min(places, default=0.0) + max(places, default=0.0)) / 2 for places in (x, y)]
    x, y = ([at - middle for at in places] for places, middle in zip((x, y), middles, strict=True))
    farthest = max(map(abs, [*x, *y]), default=0.0) or 1.0
    return [(a / farthest, b / farthest) for a, b in zip(x, y, strict=True)]


class Box(NamedTuple):
    """How far a node and its name reach from the node's middle, in pixels."""

    left: float
    right: float
    up: float
    down: float


def spread(
    places: dict[str, Place], boxes: dict[str, Box], width: float, height: float
) -> tuple[dict[str, Place], bool]:
    """Place nodes on a plot of so many pixels, so that no name lies on another or is cut.

    Boxes that overlap are moved apart, the shorter way, until none do.

    Parameters
    ----------
    places : dict
        As `layout` returns them.
    boxes : dict
        Of each node.
    width, height : float

    Returns
    -------
    dict
        Of each node, x and y in pixels from the lower left.
    bool
        Whether none overlap; in too little room some do.

    Examples
    --------
    >>> box = Box(40, 40, 8, 30)
    >>> spread({"a": (0.0, 0.0), "b": (0.1, 0.0)}, {"a": box, "b": box}, 200, 100)
    ({'a': (40.0, 61.0), 'b': (160.0, 61.0)}, True)
    """
    names, reach = list(places), [boxes[name] for name in places]
    within = scaled(places, boxes, width, height)
    x, y = ([within[name][axis] for name in names] for axis in (0, 1))
    free = False
    for done in range(_ROUNDS):
        # Between the sides some would go to and fro; up and down all get past each other.
        free = _pushed(x, y, reach, width if done < _ROUNDS / 2 else 0.0)
        for at, box in enumerate(reach):
            x[at] = _within(x[at], box.left, width - box.right)
            y[at] = _within(y[at], box.down, height - box.up)
        if free:
            break
    return {name: (round(a, 1), round(b, 1)) for name, a, b in zip(names, x, y, strict=True)}, free


def scaled(
    places: dict[str, Place], boxes: dict[str, Box], width: float, height: float
) -> dict[str, Place]:
    """Place nodes over the whole of a plot of so many pixels, with what they reach inside it.

    Examples
    --------
    >>> scaled({"a": (-1, -1), "b": (1, 1)}, {"a": Box(5, 5, 5, 5), "b": Box(5, 5, 5, 5)}, 100, 50)
    {'a': (5.0, 5.0), 'b': (95.0, 45.0)}
    """
    names, reach = list(places), [boxes[name] for name in places]
    x = _scaled([places[name][0] for name in names], reach, width, 0)
    y = _scaled([places[name][1] for name in names], reach, height, 2)
    return {name: (round(a, 1), round(b, 1)) for name, a, b in zip(names, x, y, strict=True)}


def _scaled(at: list[float], reach: list[Box], size: float, first: int) -> list[float]:
    """Return places over all of an axis but for what the outermost boxes reach."""
    # Upwards the boxes reach first to what is below.
    below, above = (first, first + 1) if first == 0 else (3, 2)
    start = max((box[below] for box in reach), default=0.0)
    room = max(size - start - max((box[above] for box in reach), default=0.0), 0.0)
    low, high = min(at, default=0.0), max(at, default=0.0)
    if high == low:
        return [start + room / 2 for _ in at]
    return [start + room * (one - low) / (high - low) for one in at]


def _pushed(x: list[float], y: list[float], reach: list[Box], width: float) -> bool:
    """Move every two boxes that overlap half the way apart, and return whether none did."""
    free = True
    for one in range(len(x)):
        for other in range(one):
            a, b = reach[one], reach[other]
            right, up = x[one] - x[other], y[one] - y[other]
            across = (a.left + b.right if right > 0 else a.right + b.left) + _GAP - abs(right)
            along = (a.down + b.up if up > 0 else a.up + b.down) + _GAP - abs(up)
            if across <= _NEAR or along <= _NEAR:
                continue
            free = False
            beside = a.left + a.right + b.left + b.right + _GAP <= width
            if beside and across < along:
                step = across / 2 if right > 0 else -across / 2
                x[one], x[other] = x[one] + step, x[other] - step
            else:
                step = along / 2 if up > 0 else -along / 2
                y[one], y[other] = y[one] + step, y[other] - step
    return free


def _within(at: float, least: float, most: float) -> float:
    return max(min(at, most), least)

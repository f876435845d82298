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


class _Pair(NamedTuple):
    one: int
    other: int
    distance: float


def layout(graph: nx.Graph) -> dict[str, Place]:
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


def _pairs(graph: nx.Graph, nodes: list[str]) -> list[_Pair]:
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

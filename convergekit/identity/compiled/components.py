"""Connected components by union-find: `scipy.sparse.csgraph.connected_components`, compiled.

No matrix is built. The root of a component is its smallest member, so components are numbered in
the order of their first members, as SciPy numbers them.
"""

from __future__ import annotations

import numba
import numpy as np

from convergekit.typing import IntArray


def components(first: IntArray, second: IntArray, size: int) -> IntArray:
    """Return the component of each of `size` nodes, the links being pairs of nodes."""
    return _components(first, second, size)


@numba.njit(nogil=True, cache=True, inline="always")  # type: ignore[untyped-decorator]
def root_of(parent: IntArray, node: int) -> int:
    """Return the node at which the pointers from a node end."""
    while parent[node] != node:
        # Every other node on the way is moved up, which keeps ways short.
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


@numba.njit(nogil=True, cache=True)
def _components(first, second, size):  # type: ignore[no-untyped-def]
    parent = np.arange(size)
    for link in range(len(first)):
        one, other = root_of(parent, first[link]), root_of(parent, second[link])
        if one < other:
            parent[other] = one
        else:
            parent[one] = other
    component = np.empty(size, np.int64)
    found = 0
    for node in range(size):
        root = root_of(parent, node)
        if root == node:
            component[node] = found
            found += 1
        else:
            component[node] = component[root]
    return component

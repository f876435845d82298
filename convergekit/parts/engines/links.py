"""Connected components of a table of links, in a logarithmic number of rounds over the links.

Hirschberg, Chandra and Sarwate's algorithm ("Computing connected components on parallel
computers", CACM 22(8), 1979), in relational form. In a round every vertex points to its least
neighbour; what points at each other, directly or along the way, is one vertex from then on, and
the links between such groups are the links of the next round.

Why there are few rounds: every vertex that has a link points to another one, so every group has
two vertices at least, and a round leaves at most half of the vertices that still have links.
A component of n vertices is one vertex after ``floor(log2(n))`` rounds at most.

Why the pointers of a group end in one place: let m be the least vertex on a cycle of pointers, x
the one that points to m, and y the one that m points to. x is a neighbour of m, so y <= x; and m is
a neighbour of y, so y points to m or to less, and m is the least: y points to m. Every cycle is
therefore two vertices that point at each other, and the lesser of them is made the group's root.
Pointers to roots are found by following each pointer's pointer, which halves every way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ibis

from convergekit.parts.engines.scratch import Scratch, number_of

#: Called with the number of the round, 0 before the first, and of the links that are left.
Progress = Callable[[int, int], None]


def connected_components(scratch: Scratch, links: Any, progress: Progress | None = None) -> Any:
    """Return each linked vertex's component.

    Parameters
    ----------
    scratch : Scratch
    links : ibis.Table
        `low`, `high`: integers, each pair once, the lesser first.
    progress : callable, optional
        Called before the first round with 0, and after each with its number; and with how many
        links are left.

    Returns
    -------
    ibis.Table
        `vertex`, `component`: one row per vertex that has a link. A component is named by one of
        its vertices.

    Examples
    --------
    >>> import pandas as pd
    >>> scratch = Scratch(ibis.duckdb.connect())
    >>> links = scratch.keep(ibis.memtable(pd.DataFrame({"low": [1, 2, 7], "high": [2, 3, 9]})))
    >>> found = connected_components(scratch, links, print)
    0 3
    1 0
    >>> sorted(found.to_pandas().itertuples(index=False, name=None))
    [(1, 1), (2, 1), (3, 1), (7, 7), (9, 7)]
    """
    groupings = []
    given = links
    left = number_of(links.count())
    number = 0
    if progress is not None:
        progress(number, left)
    while left:
        number += 1
        grouping = _grouped(scratch, links)
        groupings.append(grouping)
        between = scratch.keep(_between_groups(links, grouping))
        if links is not given:
            scratch.drop(links)
        links = between
        left = number_of(links.count())
        if progress is not None:
            progress(number, left)
    if not groupings:
        return given.filter(False).select(vertex="low", component="low")
    return _composed(scratch, groupings)


def _grouped(scratch: Scratch, links: Any) -> Any:
    """Return each vertex's group: in `root`, the one that its pointers lead to."""
    both = links.select(vertex="low", other="high").union(links.select(vertex="high", other="low"))
    least = scratch.keep(both.group_by("vertex").aggregate(root=both.other.min()))
    # The lesser of two that point at each other points at itself.
    there = least.view()
    back = least.inner_join(there, least.root == there.vertex).select(
        vertex=least.vertex, root=least.root, back=there.root
    )
    is_root = (back.back == back.vertex) & (back.vertex < back.root)
    pointers = scratch.keep(
        back.select("vertex", root=ibis.ifelse(is_root, back.vertex, back.root))
    )
    scratch.drop(least)
    while True:
        there = pointers.view()
        jumped = scratch.keep(
            pointers.inner_join(there, pointers.root == there.vertex).select(
                vertex=pointers.vertex, root=there.root, moved=there.root != pointers.root
            )
        )
        scratch.drop(pointers)
        pointers = jumped
        if not number_of(pointers.filter(pointers.moved).count()):
            return pointers


def _between_groups(links: Any, grouping: Any) -> Any:
    """Return the links between groups, each once."""
    low, high = grouping, grouping.view()
    ends = links.inner_join(low, links.low == low.vertex).select(low=low.root, high=links.high)
    ends = ends.inner_join(high, ends.high == high.vertex).select(low=ends.low, high=high.root)
    between = ends.filter(ends.low != ends.high)
    return between.select(
        low=ibis.least(between.low, between.high), high=ibis.greatest(between.low, between.high)
    ).distinct()


def _composed(scratch: Scratch, groupings: list[Any]) -> Any:
    """Return the last root of each vertex: from round to round, the smallest table first."""
    found = groupings[-1]
    for grouping in reversed(groupings[:-1]):
        later = found
        joined = grouping.left_join(later, grouping.root == later.vertex)
        found = scratch.keep(
            joined.select(vertex=grouping.vertex, root=ibis.coalesce(later.root, grouping.root))
        )
        scratch.drop(grouping, later)
    return found.select("vertex", component="root")

"""Clusters of many blocks: first within each, then of what blocks have in common.

A block's own clusters are found in its executor. What is left is which of them share an event ID or
an alias with one of another block: pairs of a hash and a cluster. Where these fit into the memory
given, the driver joins them. Else Spark does, in rounds over links: in turn each vertex sends its
larger and its smaller neighbours to the least of them, until every vertex points to the least
of its component (Kiveris and others, "Connected Components in MapReduce and Beyond", SoCC 2014,
alternating large-star and small-star).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from convergekit.parts.clusters import clusters
from convergekit.typing import IntArray

#: What tells the place of a block from a row of it, in the number of a cluster.
PLACE = 32


def node_of(place: int, label: IntArray) -> IntArray:
    """Return the numbers of clusters of a block, each named by its first row there.

    Examples
    --------
    >>> node_of(1, np.array([0, 5])).tolist()
    [4294967296, 4294967301]
    """
    return (place << PLACE) + label.astype(np.int64)


def least_of(hashes: IntArray, nodes: IntArray) -> pd.DataFrame:
    """Return the least of its component for each node, of nodes that share a hash.

    Returns
    -------
    pandas.DataFrame
        `node`, ascending, and `root`: for nodes that are not the least.

    Examples
    --------
    >>> least_of(np.array([7, 7, 8, 8, 9]), np.array([1, 2, 2, 3, 4])).values.tolist()
    [[2, 1], [3, 1]]
    """
    names, at = np.unique(nodes, return_inverse=True)
    order = np.argsort(hashes, kind="stable")
    same = hashes[order][1:] == hashes[order][:-1]
    ends = at.reshape(-1)[order]
    found = clusters(iter([(ends[:-1][same], ends[1:][same])]), len(names))
    moved = np.flatnonzero(found != np.arange(len(names)))
    return pd.DataFrame({"node": names[moved], "root": names[found[moved]]})


def least_in_spark(keys: Any) -> Any:
    """Do as `least_of` does, in Spark.

    Parameters
    ----------
    keys : pyspark.sql.DataFrame
        `hash` and `node`.

    Returns
    -------
    pyspark.sql.DataFrame
        `node` and `root`.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as of

    least = of.min("node").over(Window.partitionBy("hash"))
    links = keys.select("node", least.alias("root")).where("node <> root").distinct()
    found = _kept(links)
    while True:
        large = _star(_both_ways(found), smaller=False)
        small = _kept(_star(large, smaller=True))
        # Both stars only ever make pairs smaller, so that sums tell whether any changed.
        done = _said(small) == _said(found)
        found.unpersist()
        found = small
        if done:
            return found


def _both_ways(links: Any) -> Any:
    return links.union(links.selectExpr("root AS node", "node AS root"))


def _star(links: Any, *, smaller: bool) -> Any:
    """Send the neighbours of each node to the least of them and itself.

    Parameters
    ----------
    links : pyspark.sql.DataFrame
        `node` and `root`: a neighbour. With `smaller`, the greater and the lesser of each pair.
    smaller : bool
        Whether to send those that are smaller than the node, and it; else those that are larger.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as of

    around = Window.partitionBy("node")
    least = of.least(of.min("root").over(around), of.col("node"))
    starred = links.withColumn("least", least)
    if smaller:
        itself = starred.select("node", of.col("least").alias("root"))
        others = starred.selectExpr("root AS node", "least AS root")
        return itself.union(others).where("node <> root").distinct()
    return starred.where("root > node").selectExpr("root AS node", "least AS root").distinct()


def _kept(links: Any) -> Any:
    """Compute links now: in the session's directory for checkpoints, if it has one."""
    directory = links.sparkSession.sparkContext.getCheckpointDir()
    return links.localCheckpoint() if directory is None else links.checkpoint()


def _said(links: Any) -> tuple[Any, ...]:
    said = links.selectExpr(
        "count(*)", "sum(cast(root AS decimal(38, 0)))", "sum(cast(node AS decimal(38, 0)))"
    )
    return tuple(said.collect()[0])


def moved_in(table: pd.DataFrame) -> Iterator[tuple[int, pd.DataFrame]]:
    """Yield the clusters of each block that are of a larger one, by node."""
    ordered = table.sort_values("node", ignore_index=True)
    place = ordered["node"].to_numpy() >> PLACE
    for number in np.unique(place).tolist():
        first, end = np.searchsorted(place, [number, number + 1])
        yield number, ordered.iloc[first:end]


def rooted(nodes: IntArray, moved: pd.DataFrame) -> IntArray:
    """Return the cluster that each is of.

    Parameters
    ----------
    nodes : numpy.ndarray of int
    moved : pandas.DataFrame
        `node`, ascending, and `root`.

    Examples
    --------
    >>> rooted(np.array([1, 2]), pd.DataFrame({"node": [2], "root": [0]})).tolist()
    [1, 0]
    """
    if not len(moved):
        return nodes
    known, roots = moved["node"].to_numpy(), moved["root"].to_numpy()
    at = np.minimum(np.searchsorted(known, nodes), len(known) - 1)
    return np.where(known[at] == nodes, roots[at], nodes)

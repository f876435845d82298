"""Clusters: rows connected by aliases or event IDs, which can be stitched on their own.

A profile is never larger than its cluster, because dropped copies and links that limits refuse
connect a cluster too. So clusters only ever grow, whatever comes later: a row keeps
the number of the cluster that it was added to, and `roots` says which clusters have become one.

Aliases and event IDs are looked up by half of their MD5. Should two of them ever share it, two
clusters count as one: more is stitched again than need be, with the same outcome.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import scipy

from convergekit.base.grouping import distinct
from convergekit.base.text import to_arrow
from convergekit.identity.aliases import EventAliases
from convergekit.store.rows import register
from convergekit.typing import IntArray

if TYPE_CHECKING:
    import duckdb


KeyArray: TypeAlias = npt.NDArray[np.uint64]

#: How the key of a text is computed, in SQL.
KEY = "md5_number_lower({})"


@dataclass(frozen=True)
class Touched:
    """The clusters that a batch touches.

    Attributes
    ----------
    cluster : numpy.ndarray of int
        Each event's cluster, -1 for an event that hangs together with nothing.
    roots : numpy.ndarray of int
        The clusters that were there before.
    merged : numpy.ndarray of int
        Those of them that are part of another one now.
    into : numpy.ndarray of int
        Which one that is, for each of `merged`.
    next_cluster : int
        The first number that is free.
    alias_keys, id_keys : numpy.ndarray of uint64
        The keys of the batch's aliases, in the order of their table, and of its event IDs.
    """

    cluster: IntArray
    roots: IntArray
    merged: IntArray
    into: IntArray
    next_cluster: int
    alias_keys: KeyArray
    id_keys: KeyArray


def touched(
    con: duckdb.DuckDBPyConnection,
    event_id: pd.Series,
    aliases: EventAliases,
    next_cluster: int,
) -> Touched:
    """Return the clusters of a batch's events, and those of earlier ones that they join.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    event_id : pandas.Series of str
        Of the batch's events.
    aliases : EventAliases
        Of the batch's events.
    next_cluster : int
        The first number that is free.
    """
    size, count = len(event_id), len(aliases.table)
    ids, place = _distinct(event_id)
    alias_keys, id_keys = _keys(con, urns(aliases.table)), _keys(con, ids)
    alias_at, alias_root = _roots(
        con, alias_keys, "SELECT place, cluster FROM asked JOIN aliases USING (key)"
    )
    id_at, id_root = _roots(
        con,
        id_keys,
        "SELECT place, coalesce(root, cluster) AS cluster "
        "FROM asked JOIN rows ON event_key = key LEFT JOIN roots USING (cluster)",
    )
    roots = distinct(np.concatenate([alias_root, id_root]))
    with_id = np.flatnonzero(place >= 0)
    # Nodes: events, aliases, event IDs, clusters.
    one = [aliases.event, with_id, size + alias_at, size + count + id_at]
    other = [
        size + aliases.alias,
        size + count + place[with_id],
        size + count + len(ids) + np.searchsorted(roots, alias_root),
        size + count + len(ids) + np.searchsorted(roots, id_root),
    ]
    nodes = size + count + len(ids) + len(roots)
    label = _components(nodes, np.concatenate(one), np.concatenate(other))
    of_root = label[nodes - len(roots) :]
    number = np.full(int(label.max(initial=-1)) + 1, -1)
    # The oldest cluster's number stays: roots are sorted, and the last one written is kept.
    number[of_root[::-1]] = roots[::-1]
    named = np.zeros(size, dtype=bool)
    named[aliases.event] = True
    named[with_id] = True
    new = distinct(label[:size][named & (number[label[:size]] < 0)])
    number[new] = next_cluster + np.arange(len(new))
    into = number[of_root]
    return Touched(
        cluster=np.where(named, number[label[:size]], -1),
        roots=roots,
        merged=roots[into != roots],
        into=into[into != roots],
        next_cluster=next_cluster + len(new),
        alias_keys=alias_keys,
        id_keys=id_keys,
    )


def record_merged(con: duckdb.DuckDBPyConnection, found: Touched) -> None:
    """Record which cluster each merged cluster became part of."""
    register(con, "merged", {"cluster": found.merged, "root": found.into})
    con.execute("UPDATE roots SET root = merged.root FROM merged WHERE roots.root = merged.cluster")
    con.execute("INSERT INTO roots SELECT cluster, root FROM merged")
    con.unregister("merged")


def members(con: duckdb.DuckDBPyConnection, roots: IntArray) -> pd.Series:
    """Return the clusters that lead to these, themselves among them: root by cluster."""
    register(con, "asked", {"root": roots})
    table = con.sql(
        "SELECT cluster, root FROM roots SEMI JOIN asked USING (root) "
        "UNION ALL SELECT root, root FROM asked"
    ).to_arrow_table()
    con.unregister("asked")
    return pd.Series(table.column("root").to_numpy(), index=table.column("cluster").to_numpy())


def _keys(con: duckdb.DuckDBPyConnection, texts: pa.Array) -> KeyArray:
    """Return the keys of texts."""
    register(con, "asked", {"place": np.arange(len(texts)), "text": texts})
    found = con.sql(f"SELECT {KEY.format('text')} AS key FROM asked ORDER BY place")
    keys = found.to_arrow_table()["key"].to_numpy()
    con.unregister("asked")
    return keys


def _roots(con: duckdb.DuckDBPyConnection, keys: KeyArray, query: str) -> tuple[IntArray, IntArray]:
    """Return the places of those keys that there were before, and the clusters of them."""
    register(con, "asked", {"place": np.arange(len(keys)), "key": keys})
    table = con.sql(query).to_arrow_table()
    con.unregister("asked")
    return table.column("place").to_numpy(), table.column("cluster").to_numpy()


def urns(table: pd.DataFrame) -> pa.Array:
    """Return the URNs of aliases, for their keys."""
    types = table["alias_type"].astype("str")
    return to_arrow("urn:" + types + ":" + table["alias_value"])


def _distinct(event_id: pd.Series) -> tuple[pa.Array, IntArray]:
    encoded = to_arrow(event_id).dictionary_encode()
    place = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return encoded.dictionary, place.astype(np.int64)


def _components(nodes: int, one: IntArray, other: IntArray) -> IntArray:
    links = scipy.sparse.coo_array((np.ones(len(one)), (one, other)), shape=(nodes, nodes))
    _, label = scipy.sparse.csgraph.connected_components(links.tocsr(), directed=False)
    return label.astype(np.int64)

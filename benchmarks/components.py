"""Connected components alone: ours beside SciPy, Splink's clustering and networkx.

    pip install -e '.[duckdb,fast,polars]' --group bench
    python -m benchmarks.components [--people N ...] [--repeats N]

All are given the same links between aliases of a simulated store, each pair once, as integers in
memory: ours and SciPy as arrays, Splink as two tables of DuckDB, networkx as a list of pairs. The
components must be the same before a time is printed. Runs are interleaved in one process, after a
first one that loads kernels and engines; networkx runs once.
"""

from __future__ import annotations

import argparse
import logging
import statistics
from collections.abc import Callable

import networkx as nx
import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy

import convergekit as ck
from benchmarks.stitch import machine, timed
from convergekit.identity.compiled.components import components
from convergekit.identity.graph import chain_links

IntArray = npt.NDArray[np.int64]
Work = Callable[[], IntArray]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, nargs="+", default=[140_000])
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    print(machine())
    for people in arguments.people:
        compare(people, arguments.repeats)


def compare(people: int, repeats: int) -> None:
    """Print how long each takes for the links of so many people."""
    first, second, size = links(people)
    contenders: dict[str, Work] = {
        "ours, compiled": lambda: components(first, second, size),
        "ours, plain (SciPy)": lambda: by_scipy(first, second, size),
        "Splink, clustering alone": by_splink(first, second, size),
    }
    slow = {"networkx": lambda: by_networkx(first, second, size)}
    expected = smallest_members(contenders["ours, compiled"]())
    for name, work in {**contenders, **slow}.items():
        assert np.array_equal(smallest_members(work()), expected), name
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(repeats):
        for name, work in contenders.items():
            seconds[name].append(timed(work))
    seconds |= {name: [timed(work)] for name, work in slow.items()}
    ours = statistics.median(seconds["ours, compiled"])
    print(f"\n{size:,} aliases, {len(first):,} links between them, each once")
    print(f"equal: all {len(np.unique(expected)):,} components\n")
    print(f"{'':<32}{'seconds':>9}{'seconds of ours':>17}")
    for name, runs in seconds.items():
        taken = statistics.median(runs)
        print(f"{name:<32}{taken:>9.3f}{taken / ours:>17.1f}")


def links(people: int) -> tuple[IntArray, IntArray, int]:
    """Return the pairs of aliases that stitching links, and how many aliases there are."""
    s = ck.stitch(ck.simulate_store(people=people, seed=1).events)
    one, other, _ = chain_links(s.tables.resolution.aliases)
    pairs = np.unique(np.stack([np.minimum(one, other), np.maximum(one, other)]), axis=1)
    return pairs[0], pairs[1], len(s.tables.resolution.aliases.table)


def smallest_members(labels: IntArray) -> IntArray:
    """Return each node's component as its smallest member, whatever the labels are."""
    numbers, labels = np.unique(labels, return_inverse=True)
    least = np.full(len(numbers), len(labels))
    np.minimum.at(least, labels, np.arange(len(labels)))
    return least[labels]


def by_scipy(first: IntArray, second: IntArray, size: int) -> IntArray:
    graph = scipy.sparse.coo_array((np.ones(len(first)), (first, second)), shape=(size, size))
    return scipy.sparse.csgraph.connected_components(graph.tocsr(), directed=False)[1]


def by_splink(first: IntArray, second: IntArray, size: int) -> Work:
    import duckdb
    from splink import DuckDBAPI
    from splink.clustering import cluster_pairwise_predictions_at_threshold

    logging.getLogger("splink").setLevel(logging.ERROR)
    connection = duckdb.connect()
    # Splink is given tables of its own engine, made outside the time.
    tables = {
        "nodes": pd.DataFrame({"unique_id": np.arange(size)}),
        "edges": pd.DataFrame({"unique_id_l": first, "unique_id_r": second}),
    }
    for name, frame in tables.items():
        connection.register("given", frame)
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
    api = DuckDBAPI(connection)
    held = api.register("nodes"), api.register("edges")

    def run() -> IntArray:
        found = cluster_pairwise_predictions_at_threshold(
            *held, api, node_id_column_name="unique_id"
        )
        # Splink remembers what it computed, unless it is told to forget.
        label = np.empty(size, dtype=np.int64)
        table = found.as_duckdbpyrelation().fetchnumpy()
        label[table["unique_id"]] = table["cluster_id"]
        found.drop_table_from_database_and_remove_from_cache(force_non_splink_table=True)
        return label

    return run


def by_networkx(first: IntArray, second: IntArray, size: int) -> IntArray:
    graph = nx.Graph()
    graph.add_nodes_from(range(size))
    graph.add_edges_from(zip(first.tolist(), second.tolist(), strict=True))
    label = np.empty(size, dtype=np.int64)
    for number, found in enumerate(nx.connected_components(graph)):
        label[list(found)] = number
    return label


if __name__ == "__main__":
    main()

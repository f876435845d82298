"""The tables of a store that follow from its rows, replaced cluster by cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from convergekit.events.schema import PROFILE_PROPERTY
from convergekit.identity.profiles import alias_times
from convergekit.store.clusters import KEY, urns
from convergekit.store.index import BY_CLUSTER
from convergekit.store.part import Part
from convergekit.store.rows import Columns, register
from convergekit.typing import IntArray

if TYPE_CHECKING:
    import duckdb

_NONE = np.empty(0, dtype=np.int64)


def delete_clusters(con: duckdb.DuckDBPyConnection, clusters: IntArray) -> None:
    """Take out what follows from the rows of these clusters."""
    register(con, "gone", {"cluster": clusters})
    for name in BY_CLUSTER:
        con.execute(f"DELETE FROM {name} USING gone WHERE {name}.cluster = gone.cluster")
    con.unregister("gone")


def insert_part(
    con: duckdb.DuckDBPyConnection,
    part: Part,
    row: IntArray,
    cluster: IntArray,
    columns: Columns,
    next_profile: int,
) -> int:
    """Put in what follows from the rows of some clusters.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    part : Part
    row, cluster : numpy.ndarray of int
        The row in the store, and the cluster, of each event of the part.
    columns : Columns
    next_profile : int
        The first number that is free.

    Returns
    -------
    int
        The first number that is free afterwards.
    """
    found, s = part.found, part.s
    identity = s.resolution
    of_alias = np.empty(len(found.aliases.table), dtype=np.int64)
    of_alias[found.aliases.alias] = cluster[found.aliases.event]
    of_profile = np.empty(len(identity.profile_ids), dtype=np.int64)
    of_profile[identity.component] = of_alias[part.carried]
    number = next_profile + np.arange(len(of_profile))

    _insert(con, "aliases", _aliases(part, of_alias, number))
    counts = s.profile_counts()
    _insert(
        con,
        "profiles",
        {
            "cluster": of_profile,
            "profile": number,
            "profile_id": pa.array(counts["profile_id"], from_pandas=True),
            "first_seen": _times(counts["first_seen"]),
            "last_seen": _times(counts["last_seen"]),
            "events": counts["events"].to_numpy(),
            "sources": counts["sources"].to_numpy(),
            "aliases": counts["aliases"].to_numpy(),
        },
    )
    _insert(con, "property_rows", _property_rows(part, row, of_profile, number, columns))
    dropped = np.flatnonzero(~found.is_kept)
    _insert(
        con,
        "duplicates",
        {"cluster": cluster[dropped], "row": row[dropped], "kept_row": row[found.kept[dropped]]},
    )
    return next_profile + len(number)


def _aliases(part: Part, of_alias: IntArray, number: IntArray) -> dict[str, object]:
    """Return all aliases; those that only dropped copies carry are of no profile."""
    identity, carried = part.s.resolution, part.carried
    table = part.found.aliases.table
    profile = np.full(len(table), -1)
    profile[carried] = number[identity.component]
    first, last = alias_times(identity.aliases, part.s.events["timestamp"])
    times = np.zeros((2, len(table)), dtype=np.int64)
    times[:, carried] = first, last
    events = np.zeros(len(table), dtype=np.int64)
    events[carried] = np.bincount(identity.aliases.alias, minlength=len(carried))
    no_profile = profile < 0
    return {
        "cluster": of_alias,
        "urn": urns(table),
        "alias_type": pa.array(table["alias_type"].astype("str"), from_pandas=True),
        "alias_value": pa.array(table["alias_value"], from_pandas=True),
        "profile": pa.array(profile, mask=no_profile),
        "first_seen": pa.array(times[0], mask=no_profile).cast(pa.timestamp("us")),
        "last_seen": pa.array(times[1], mask=no_profile).cast(pa.timestamp("us")),
        "events": events,
    }


def _property_rows(
    part: Part, row: IntArray, of_profile: IntArray, number: IntArray, columns: Columns
) -> dict[str, object]:
    """Return which row says each profile's latest value of each property."""
    kept = np.flatnonzero(part.found.is_kept)
    profiles, places, rows = [_NONE], [_NONE], [_NONE]
    for name, carrier in part.s.latest_carriers().items():
        has = np.flatnonzero(carrier >= 0)
        said_by = kept[carrier[has]]
        if part.found.merge:
            said_by = part.found.says[name][said_by]
        profiles.append(has)
        places.append(np.full(len(has), columns.places[PROFILE_PROPERTY + name]))
        rows.append(row[said_by])
    profile = np.concatenate(profiles)
    return {
        "cluster": of_profile[profile],
        "profile": number[profile],
        "place": np.concatenate(places),
        "row": np.concatenate(rows),
    }


def _insert(con: duckdb.DuckDBPyConnection, name: str, columns: dict[str, object]) -> None:
    register(con, "new", columns)
    chosen = ", ".join(KEY.format("urn") if column == "urn" else column for column in columns)
    con.execute(f"INSERT INTO {name} SELECT {chosen} FROM new")
    con.unregister("new")


def _times(column: pd.Series) -> pa.Array:
    return pa.array(column.dt.tz_localize(None), from_pandas=True)

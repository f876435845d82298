"""The history of merges: which profiles merged when a batch was added, and by which event.

As a pipeline would have recorded it that was given the store's batches one after the other, and
within a batch the events in the order of knowing. A row is written for an ID that a profile had
before the batch and none has after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from convergekit.base.text import to_arrow
from convergekit.events.arrow import as_frame
from convergekit.events.schema import PROFILE_PROPERTY
from convergekit.identity.merges import merges_in_order
from convergekit.identity.profiles import ids_of_leaders, salt_key, salted_table
from convergekit.store.evidence import ClusterEvents
from convergekit.store.options import StoreOptions
from convergekit.store.part import Part, stitch_part
from convergekit.store.rows import register
from convergekit.typing import IntArray

if TYPE_CHECKING:
    import duckdb

_EVENT = ["timestamp", "event_name", "event_id", "row"]
_NO_MERGES = pd.DataFrame(
    {
        "timestamp": pd.Series(dtype="datetime64[us, UTC]"),
        "old_profile_id": pd.Series(dtype="str"),
        "new_profile_id": pd.Series(dtype="str"),
        "event_name": pd.Series(dtype="str"),
        "event_id": pd.Series(dtype="str"),
        "row": pd.Series(dtype="Int64"),
    }
)


def ids_before(con: duckdb.DuckDBPyConnection, clusters: IntArray) -> pd.DataFrame:
    """Return `profile`, `profile_id` and `cluster` of the profiles of these clusters."""
    register(con, "asked", {"cluster": clusters})
    found = con.sql(
        "SELECT profile, profile_id, cluster FROM profiles SEMI JOIN asked USING (cluster)"
    ).to_arrow_table()
    con.unregister("asked")
    return as_frame(found)


def aliases_before(con: duckdb.DuckDBPyConnection, clusters: IntArray) -> pd.DataFrame:
    """Return `key`, `profile`, `alias_type` and `alias_value` of the aliases of these clusters.

    An alias that only dropped copies carry is of no profile.
    """
    register(con, "asked", {"cluster": clusters})
    found = con.sql(
        "SELECT key, profile, alias_type, alias_value FROM aliases SEMI JOIN asked USING (cluster)"
    ).to_arrow_table()
    con.unregister("asked")
    return as_frame(found)


def leaders_before(
    aliases: pd.DataFrame, gone: pd.DataFrame, options: StoreOptions
) -> pd.DataFrame:
    """Return the earliest alias of these profiles, after which they were named.

    Parameters
    ----------
    aliases : pandas.DataFrame
        As `aliases_before` returns them.
    gone : pandas.DataFrame
        The profiles, as `ids_before` returns them.
    options : StoreOptions

    Returns
    -------
    pandas.DataFrame
        `profile_id`, `alias_type`, `alias_value`.
    """
    aliases = aliases[aliases["profile"].isin(gone["profile"])]
    aliases = aliases.drop(columns="key").merge(gone[["profile", "profile_id"]], on="profile")
    named = aliases.astype({"alias_type": "category", "alias_value": "str"})
    salt = salt_key(options.get("salt"))
    leads = ids_of_leaders(named if salt is None else salted_table(named, salt)).to_numpy()
    return aliases[leads == aliases["profile_id"].to_numpy()].drop(columns="profile")


def merges_by(
    part: Part,
    leaders: pd.DataFrame,
    gone: ClusterEvents,
    start: int,
    options: StoreOptions,
) -> pd.DataFrame:
    """Return what became of profiles that are gone.

    Parameters
    ----------
    part : Part
        The clusters as they are now.
    leaders : pandas.DataFrame
        As `leaders_before` returns it.
    gone : ClusterEvents
        The events of the clusters that the profiles were of.
    start : int
        The batch's first row.
    options : StoreOptions

    Returns
    -------
    pandas.DataFrame
        `timestamp` (when the event became known), `old_profile_id`, `new_profile_id` (missing
        where no kept event carries the old profile's earliest alias any more), `event_name`,
        `event_id`, `row`. What the event was is missing where none joined the two: a copy came
        that had arrived earlier, or limits draw profiles otherwise now.
    """
    if leaders.empty:
        return _NO_MERGES
    identity = part.s.resolution
    table = identity.aliases.table
    asked = pc.is_in(to_arrow(table["alias_value"]), value_set=to_arrow(leaders["alias_value"]))
    maybe = np.flatnonzero(asked.to_numpy(zero_copy_only=False))
    now = table.iloc[maybe].assign(
        alias_type=table["alias_type"].iloc[maybe].astype("str"),
        new_profile_id=identity.profile_ids.take(identity.component[maybe]).array,
    )
    found = leaders.merge(now, on=["alias_type", "alias_value"], how="left")
    found = found.rename(columns={"profile_id": "old_profile_id"})
    alias_from = options.get("alias_from", ())
    also = {PROFILE_PROPERTY + name.removeprefix(PROFILE_PROPERTY) for name in alias_from}
    told = [c for c in gone.events if c in also or not c.startswith(PROFILE_PROPERTY)]
    # What earlier batches brought was known before, whenever it says that it was received.
    joined = stitch_part(gone.events[told], options, later=gone.row >= start, aliases=gone.aliases)
    by = _joining(joined, gone.row)
    if not part.found.merge:
        by = by[by["row"] >= start]
    found = found.merge(by.astype({"row": "Int64"}), on="old_profile_id", how="left")
    return found.sort_values(["timestamp", "row", "old_profile_id"], ignore_index=True)[
        list(_NO_MERGES)
    ]


def _joining(part: Part, row: IntArray) -> pd.DataFrame:
    """Return, per old profile ID, the event that replaced it."""
    merges = merges_in_order(part.s.resolution.knowledge(), part.s.events)
    merges["row"] = row[merges["row"].to_numpy()]
    return merges[["old_profile_id", *_EVENT]]

"""Profiles in the shape of Converge's BigQuery export: the tables `events` and `profile_merges`.

An event says what was known when it arrived: the ID that its profile had then, and the profile
properties as of then. `profile_merges` says which ID became which; followed to its end it leads
to the profiles of the Stitched. Written are Parquet files whose columns have the names that
Converge documents, with JSON as text.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from convergekit.base.durable import newest, real_path, whole_files
from convergekit.base.grouping import run_starts
from convergekit.base.json_text import write_json
from convergekit.base.records import take_or_missing
from convergekit.base.text import to_arrow
from convergekit.errors import AlreadyThereError
from convergekit.events.schema import PROFILE_PROPERTY, PROPERTY
from convergekit.events.timestamps import microseconds
from convergekit.identity.as_of import Knowledge, known_profiles
from convergekit.identity.profiles import alias_ranks, ids_of_leaders
from convergekit.identity.properties import carry_as_of
from convergekit.typing import IntArray

if TYPE_CHECKING:
    from convergekit.identity.tables import StitchedEvents


#: Event properties that are columns of their own there.
_COLUMNS = ("session_id", "session_properties", "source_id", "source_name")


def write_converge(
    s: StitchedEvents, directory: str | Path, *, overwrite: bool = False
) -> list[Path]:
    """Write the two tables. See `Stitched.to_converge`."""
    refuse_earlier_tables(directory, overwrite=overwrite)
    tables = {name: table(s) for name, table in _FILES.items()}
    with whole_files(directory) as draft:
        for name, table in tables.items():
            pq.write_table(table, draft / name, compression="zstd")
    return [Path(directory, name) for name in tables]


def refuse_earlier_tables(directory: str | Path, *, overwrite: bool) -> None:
    """Raise if a directory holds such tables, which are not to be replaced."""
    place = real_path(directory)
    there = [name for name in _FILES if newest(place, name).exists()]
    if there and not overwrite:
        raise AlreadyThereError(
            f"{directory} already holds {' and '.join(there)}; give another directory, or "
            "overwrite=True."
        )


def profile_then(s: StitchedEvents) -> pd.Series:
    """Return the ID that each event's profile had when the event became known.

    That of the alias seen earliest among all that was known of the profile then, as
    `Stitched.profile_merges` has it; missing for events without a profile.
    """
    knowledge = s.resolution.knowledge()
    item, alias, part, own = _parts(knowledge)
    rank = alias_ranks(knowledge.aliases.table, np.arange(len(knowledge.aliases.table)))
    at = microseconds(s.events["timestamp"])[knowledge.event]
    # Of each part the alias that ranks first, and the parts from the earliest such on.
    order = np.lexsort((rank[alias], part))
    leading = order[np.flatnonzero(np.diff(part[order], prepend=-1))]
    count = len(leading)
    by_time = np.lexsort((rank[alias[leading]], at[item[leading]]))
    weight = np.empty(count, dtype=np.int64)
    weight[by_time] = np.arange(count)[::-1]

    known = np.empty(count, dtype=np.int64)
    known[np.lexsort((np.arange(count), knowledge.known[item[leading]]))] = np.arange(count)
    apart = replace(knowledge.aliases, event=part, alias=alias, apart=None)
    best = known_profiles(apart, known).maxima(weight) if count else weight
    leader = alias[leading[by_time[count - 1 - best]]]
    leaders, place = np.unique(leader, return_inverse=True)
    ids = ids_of_leaders(knowledge.aliases.table.take(leaders))
    # Where the kept copy says nothing of the event's own aliases, the next that does.
    told = np.full(len(knowledge.item), -1, dtype=np.int64)
    saying = np.flatnonzero(own >= 0)
    saying = saying[np.argsort(knowledge.known[saying])[::-1]]
    told[knowledge.event[saying]] = own[saying]
    told = np.where(own[knowledge.item] >= 0, own[knowledge.item], told)
    found = np.full(len(told), -1, dtype=np.int64)
    found[told >= 0] = place[told[told >= 0]]
    return take_or_missing(ids, found)


def _parts(knowledge: Knowledge) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Return the pairs of item and alias, each pair's part, and the part that is each item's own.

    Aliases that meet and are linked are a part of their item; where none are kept apart, every
    item is one.
    """
    aliases = knowledge.aliases
    item, alias = aliases.by_group
    group = np.zeros(len(aliases.table), dtype=np.int64)
    if aliases.apart is not None:
        group = aliases.apart.group
    starts = run_starts(item, group[alias])
    part = np.cumsum(starts) - 1
    home = np.full(len(knowledge.known), -1, dtype=np.int64)
    home[aliases.event[aliases.own]] = group[aliases.alias[aliases.own]]
    own = np.full(len(knowledge.known), -1, dtype=np.int64)
    is_own = group[alias] == home[item]
    own[item[is_own]] = part[is_own]
    return item, alias, part, own


def events_table(s: StitchedEvents) -> pa.Table:
    """Return the table `events`, by the rows of the events."""
    seen = np.zeros(len(s.whole.events), dtype=bool)
    seen[s.in_whole(np.arange(len(s.events)))] = True
    # Events that a segment leaves out may link these, and values may be carried from them.
    s = s.whole
    events = s.events
    carried = s.carried_from
    if s.identity != "as_of":
        found = s.resolution
        carried = carry_as_of(events, found.in_time, found.knowledge(), s.first)
    profile = {
        name: take_or_missing(events[PROFILE_PROPERTY + name], carrier)
        for name, carrier in carried.items()
    }
    properties = {
        name.removeprefix(PROPERTY): column
        for name, column in events.items()
        if name.startswith(PROPERTY)
    }
    own = {name: properties.pop(name, None) for name in _COLUMNS}
    numbered = pd.Series("row " + events["row"].astype("str"), dtype="str")
    table = pa.table(
        {
            "id": to_arrow(events["event_id"].fillna(numbered)),
            "timestamp": _datetimes(events["timestamp"]),
            "event_name": to_arrow(events["event_name"]),
            "profile_id": _numbers(profile_then(s)),
            "event_properties": _json_objects(properties, len(events)),
            "profile_properties": _json_objects(profile, len(events)),
            "session_id": _texts(own["session_id"], len(events)),
            "session_properties": _session(own["session_properties"], len(events)),
            "source_id": _texts(own["source_id"], len(events)),
            "source_name": pc.coalesce(
                _texts(own["source_name"], len(events)), to_arrow(events["source"])
            ),
        }
    )
    return table.filter(pa.array(seen & (events["kind"] == "track").to_numpy(dtype=bool)))


def merges_table(s: StitchedEvents) -> pa.Table:
    """Return the table `profile_merges`."""
    merges = s.profile_merges
    return pa.table(
        {
            "timestamp": _datetimes(merges["timestamp"]),
            "old_profile_id": _numbers(merges["old_profile_id"]),
            "new_profile_id": _numbers(merges["new_profile_id"]),
        }
    )


_FILES = {"events.parquet": events_table, "profile_merges.parquet": merges_table}


def _datetimes(times: pd.Series) -> pa.Array:
    return pa.array(times.dt.tz_localize(None), type=pa.timestamp("us"))


def _numbers(ids: pd.Series) -> pa.Array:
    """Return IDs as 64-bit integers: their sixteen hexadecimal digits, with the highest as sign."""
    given = ids.notna().to_numpy(dtype=bool)
    digits = "".join(ids[given].str.removeprefix("p_"))
    numbers = np.zeros(len(ids), dtype=np.int64)
    numbers[given] = np.frombuffer(bytes.fromhex(digits), dtype=">i8")
    return pa.array(numbers, mask=~given)


def _texts(column: pd.Series | None, count: int) -> pa.Array:
    if column is None:
        return pa.nulls(count, pa.large_string())
    return pa.array([None if _lacks(c) else str(c) for c in column], type=pa.large_string())


def _session(column: pd.Series | None, count: int) -> pa.Array:
    if column is None:
        return pa.nulls(count, pa.large_string())
    # An export has them as JSON text already.
    texts = [c if isinstance(c, str) and c.startswith("{") else _json(c) for c in column]
    return pa.array(texts, type=pa.large_string())


def _json_objects(columns: dict[str, pd.Series], count: int) -> pa.Array:
    """Return a JSON object per row, of the values that the row has."""
    nothing, comma = (pa.scalar(text, pa.large_string()) for text in ("", ", "))
    # Arrow loses rows of which every piece is null; this one never is.
    pieces = [pa.array([""] * count, type=pa.large_string())]
    for name, column in columns.items():
        key = pa.scalar(json.dumps(name, ensure_ascii=False) + ": ", pa.large_string())
        pieces.append(pc.binary_join_element_wise(comma, key, _json_column(column), nothing))
    joined = pc.binary_join_element_wise(*pieces, nothing, null_handling="skip")
    opening, closing = (pa.scalar(bracket, pa.large_string()) for bracket in ("{", "}"))
    inside = pc.utf8_slice_codeunits(joined, len(", "))
    return pc.binary_join_element_wise(opening, inside, closing, nothing)


def _json_column(column: pd.Series) -> pa.Array:
    if column.dtype == object:
        return pa.array([_json(cell) for cell in column], type=pa.large_string())
    # A value that comes again is written out once.
    codes, values = pd.factorize(column)
    texts = pa.array([_json(value) for value in values], type=pa.large_string())
    return texts.take(pa.array(codes, mask=codes < 0))


def _json(value: Any) -> str | None:
    """Return a value as JSON text, None for what is missing or has no form in JSON."""
    if isinstance(value, np.generic):
        value = value.item()
    if _lacks(value) or (isinstance(value, float) and math.isinf(value)):
        return None
    return write_json(value)


def _lacks(value: Any) -> bool:
    return bool(pd.api.types.is_scalar(value) and pd.isna(value))

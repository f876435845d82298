"""What stitching needs of the rows of some clusters: times, copies, aliases and who says what.

Which profile a row is of, and which row says a profile's value, do not depend on the row's texts.
So the index keeps of each row, as numbers, which aliases it carries and which profile properties it
has a value of. A batch reads these instead of the columns that they were read from. Copies that are
merged, and those that are told by other columns, are told by what they say: then all columns that
stitching needs are read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.base.records import take_or_missing
from convergekit.base.text import as_text, to_arrow
from convergekit.events.arrow import series_from_arrow
from convergekit.events.campaigns import says_something
from convergekit.events.normalise import event_ids
from convergekit.events.schema import ALIAS, PROFILE_PROPERTY
from convergekit.identity.aliases import EventAliases
from convergekit.readers.concatenate import concatenate
from convergekit.store.clusters import KeyArray, members, urns
from convergekit.store.options import StoreOptions
from convergekit.store.part import Part, needed, stitch_part
from convergekit.store.rows import BITS, Columns, read_rows, register, rows_in_order
from convergekit.typing import BoolArray, IntArray

if TYPE_CHECKING:
    import duckdb

#: Columns whose cells are read, besides the numbers.
_READ = ("source", "unset", "set_once")


@dataclass(frozen=True)
class ClusterEvents:
    """Events of whole clusters, in the order in which they were added.

    Attributes
    ----------
    events : pandas.DataFrame
        Normalised, with the columns that stitching needs.
    aliases : EventAliases or None
        Of the events; None where they are still to be read off their columns.
    row, cluster : numpy.ndarray of int
        The row in the store, and the cluster, of each event.
    """

    events: pd.DataFrame
    aliases: EventAliases | None
    row: IntArray
    cluster: IntArray

    def part(self, options: StoreOptions) -> Part:
        """Return the events stitched."""
        return stitch_part(self.events, options, aliases=self.aliases)

    def of(self, chosen: BoolArray) -> ClusterEvents:
        """Return these events alone."""
        aliases = None if self.aliases is None else self.aliases.of_events(chosen)
        events = self.events[chosen].reset_index(drop=True)
        return ClusterEvents(events, aliases, self.row[chosen], self.cluster[chosen])


@dataclass(frozen=True)
class BatchEvents:
    """The events of a batch that hang together with something.

    Attributes
    ----------
    events : pandas.DataFrame
        Normalised.
    aliases : EventAliases
        Of these events.
    row, cluster : numpy.ndarray of int
        As in `ClusterEvents`.
    id_keys : numpy.ndarray of uint64
        The keys of the batch's event IDs.
    """

    events: pd.DataFrame
    aliases: EventAliases
    row: IntArray
    cluster: IntArray
    id_keys: KeyArray


def tells_by_numbers(options: StoreOptions, known: pd.DataFrame) -> bool:
    """Return whether the numbers of earlier rows are all that stitching needs of them.

    Parameters
    ----------
    options : StoreOptions
    known : pandas.DataFrame
        The aliases of the clusters: two that share a key cannot be told apart by it.
    """
    by_id = set(options.get("dedupe_on", ())) <= {"event_id", "source"}
    return by_id and options.get("duplicates") != "merge" and known["key"].is_unique


def evidence_of(
    con: duckdb.DuckDBPyConnection,
    columns: Columns,
    roots: IntArray,
    known: pd.DataFrame,
    news: BatchEvents,
    options: StoreOptions,
) -> ClusterEvents:
    """Return the rows of clusters, and below them the events of a batch.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    columns : Columns
    roots : numpy.ndarray of int
        The clusters.
    known : pandas.DataFrame
        Their aliases, as `aliases_before` returns them.
    news : BatchEvents
    options : StoreOptions
    """
    if not tells_by_numbers(options, known):
        return _by_columns(con, columns, roots, news, options)
    lead = members(con, roots)
    read = [name for name in _READ if name in columns.places]
    register(con, "asked", {"cluster": lead.index.to_numpy()})
    chosen = ["row", "cluster", "timestamp", "received_at", "event_key", "carries", *columns.says]
    table = rows_in_order(
        con, [*chosen, *columns.cells.in_file(read)], "cluster IN (SELECT cluster FROM asked)"
    )
    con.unregister("asked")
    said = np.stack([_filled(table[name]) for name in columns.says])
    old = _events(table, columns, read, said)
    old["event_id"] = _event_ids(con, columns, roots, table, news)
    new = news.events[[name for name in old if name in news.events]]
    events = concatenate([old, new.reset_index(drop=True)]) if len(old) else new
    said = np.concatenate([said, said_by(news.events, columns)], axis=1)
    marks = {}
    for number, name in enumerate(columns.properties, start=1):
        marked = _bit(said, number)
        if marked.any():
            marks[name] = take_or_missing(_SAID, np.where(marked, 0, -1))
    # That they are events is known; an alias tells it of those without a name.
    events = events.reset_index(drop=True).assign(**{f"{ALIAS}known": "known"}, **marks)
    return ClusterEvents(
        events,
        _aliases(table["carries"], known, news.aliases),
        np.concatenate([table["row"].to_numpy(), news.row]),
        np.concatenate([lead.loc[table["cluster"].to_numpy()].to_numpy(), news.cluster]),
    )


_SAID = pd.Series(["said"], dtype="str")


def said_by(events: pd.DataFrame, columns: Columns) -> IntArray:
    """Return what normalised events say, as the index keeps it: a row of numbers per column.

    The first bit says whether an event is tracked, those after it which profile properties, in
    the order in which the store came to know them, have a value.
    """
    found = np.zeros((len(columns.says), len(events)), dtype=np.int64)
    found[0] = events["event_name"].notna()
    for number, name in enumerate(columns.properties, start=1):
        if name in events:
            marked = says_something(events, name.removeprefix(PROFILE_PROPERTY))
            found[number // BITS] |= marked.astype(np.int64) << (number % BITS)
    return found


def rows_of(
    con: duckdb.DuckDBPyConnection,
    columns: Columns,
    names: list[str],
    roots: IntArray,
    options: StoreOptions,
) -> tuple[pd.DataFrame, IntArray, IntArray]:
    """Return the rows of clusters as normalised events, their rows in the store, and clusters.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    columns : Columns
    names : list of str
        The columns to read.
    roots : numpy.ndarray of int
        The clusters.
    options : StoreOptions
    """
    lead = members(con, roots)
    register(con, "asked", {"cluster": lead.index.to_numpy()})
    written = [name for name in names if name not in ("timestamp", "received_at")]
    frame, about = read_rows(con, columns, written, "cluster IN (SELECT cluster FROM asked)")
    con.unregister("asked")
    frame["timestamp"] = about["timestamp"]
    if "received_at" in names:
        frame["received_at"] = about["received_at"]
    renamed = options.get("rename_events")
    if renamed:
        frame["event_name"] = as_text(frame["event_name"])[0].replace(dict(renamed))
    cluster = lead.loc[about["cluster"].to_numpy()].to_numpy()
    return frame, about["row"].to_numpy(), cluster


def _filled(column: pa.ChunkedArray) -> IntArray:
    return column.fill_null(0).to_numpy()


def _bit(said: IntArray, number: int) -> BoolArray:
    return (said[number // BITS] >> (number % BITS) & 1).astype(bool)


def _events(table: pa.Table, columns: Columns, read: list[str], said: IntArray) -> pd.DataFrame:
    """Return rows as events: that one has a name tells that it is tracked."""
    events = columns.cells.frame(table, read)
    for name in ("timestamp", "received_at"):
        if name in columns.places or name == "timestamp":
            events[name] = series_from_arrow(table[name]).dt.tz_localize("UTC")
    events["event_name"] = take_or_missing(_SAID, np.where(_bit(said, 0), 0, -1))
    return events


def _event_ids(
    con: duckdb.DuckDBPyConnection,
    columns: Columns,
    roots: IntArray,
    table: pa.Table,
    news: BatchEvents,
) -> pd.Series:
    """Return the event IDs of rows, as far as copies are told by them.

    Of those that the batch may have copies of they are read. Which of the others are copies is
    known: these get an ID for each event, which no event of the batch has.
    """
    row = table["row"].to_numpy()
    register(con, "asked", {"cluster": roots})
    copies = con.sql(
        "SELECT row, kept_row FROM duplicates SEMI JOIN asked USING (cluster)"
    ).to_arrow_table()
    con.unregister("asked")
    mark = "copies of row "
    while pc.any(pc.starts_with(to_arrow(news.events["event_id"]), mark)).as_py():
        mark += "- "
    copy, kept = copies["row"].to_numpy(), copies["kept_row"].to_numpy()
    known = pd.Series(kept).astype("str").radd(mark)
    place = np.full(len(row), -1)
    place[np.searchsorted(row, kept)] = place[np.searchsorted(row, copy)] = np.arange(len(kept))
    maybe = np.asarray(pc.is_in(table["event_key"], value_set=pa.array(news.id_keys)))
    if maybe.any():
        register(con, "asked", {"row": row[maybe]})
        frame, about = read_rows(con, columns, ["event_id"], "row IN (SELECT row FROM asked)")
        con.unregister("asked")
        place[np.searchsorted(row, about["row"].to_numpy())] = len(known) + np.arange(len(frame))
        known = pd.concat([known, event_ids(frame)], ignore_index=True)
    return take_or_missing(known.astype("str"), place)


def _aliases(carries: pa.ChunkedArray, known: pd.DataFrame, new: EventAliases) -> EventAliases:
    """Return the aliases of rows by their keys, and below them those of a batch's events."""
    lists = carries.combine_chunks()
    size = np.asarray(pc.list_value_length(lists).fill_null(0))
    keys = pc.list_flatten(lists).to_numpy(zero_copy_only=False)
    of_old = pd.Index(known["key"]).get_indexer(keys)
    texts = pa.concat_arrays([urns(known), urns(new.table)]).dictionary_encode()
    place = texts.indices.to_numpy().astype(np.int64)
    first = np.unique(place, return_index=True)[1]
    both = [known[["alias_type", "alias_value"]], new.table[["alias_type", "alias_value"]]]
    table = pd.concat([one.astype("str") for one in both], ignore_index=True).take(first)
    return replace(
        new,
        table=table.astype({"alias_type": "category"}).reset_index(drop=True),
        event=np.concatenate([np.repeat(np.arange(len(lists)), size), len(lists) + new.event]),
        alias=np.concatenate([place[of_old], place[len(known) + new.alias]]),
        malformed=new.malformed.iloc[:0],
    )


def _by_columns(
    con: duckdb.DuckDBPyConnection,
    columns: Columns,
    roots: IntArray,
    news: BatchEvents,
    options: StoreOptions,
) -> ClusterEvents:
    """Return the same by the columns that aliases and properties were read from."""
    names = [name for name in columns.places if needed(name, options)]
    old, row, cluster = rows_of(con, columns, names, roots, options)
    new = news.events[[name for name in news.events if needed(name, options)]]
    events = concatenate([old, new.reset_index(drop=True)]) if len(old) else new
    return ClusterEvents(
        events.reset_index(drop=True),
        None,
        np.concatenate([row, news.row]),
        np.concatenate([cluster, news.cluster]),
    )

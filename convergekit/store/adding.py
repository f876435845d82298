"""Add a batch: keep its rows, and stitch the clusters that it touches again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.base.options import names_given
from convergekit.base.text import to_arrow
from convergekit.base.wording import counted
from convergekit.events.normalise import NormalisedEvents, normalise
from convergekit.events.schema import ALIAS
from convergekit.identity.aliases import EventAliases
from convergekit.store.batches import Batch
from convergekit.store.clusters import KEY, Touched, record_merged, touched
from convergekit.store.evidence import BatchEvents, evidence_of, said_by
from convergekit.store.history import aliases_before, ids_before, leaders_before, merges_by
from convergekit.store.index import prepare_to_read, prepare_to_write
from convergekit.store.options import StoreOptions
from convergekit.store.part import Part, aliases_of
from convergekit.store.rows import Columns, register
from convergekit.store.tables import delete_clusters, insert_part
from convergekit.typing import BoolArray, IntArray

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, repr=False)
class Added:
    """What `Store.add` did.

    Attributes
    ----------
    batch : int or None
        The batch's number, from 1; None where nothing was new.
    rows : int
        The batch's rows: `events` + `duplicates` + `rejected`.
    events : int
        How many of them count as events. Where one is a copy that had arrived before that which
        an earlier batch brought, it takes its place, which counts no longer.
    duplicates : int
        How many of them are copies of an event that is kept in another row.
    rejected : int
        How many of them are not events.
    new_profiles, updated_profiles : int
        How many profiles there are for the first time, and how many that there were before have
        events of this batch.
    merges : pandas.DataFrame
        The profiles that became others, as in `Store.merges`.
    known : list of str
        The files that had been added before and were left out, or ``"the frame"``.
    """

    batch: int | None
    rows: int = 0
    events: int = 0
    duplicates: int = 0
    rejected: int = 0
    new_profiles: int = 0
    updated_profiles: int = 0
    merges: pd.DataFrame = field(default_factory=pd.DataFrame)
    known: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        """Return the counts in one line."""
        left_out = f"{counted(len(self.known), 'export')} added before" if self.known else ""
        if self.batch is None:
            return f"Added(nothing new{': ' if left_out else ''}{left_out})"
        parts = [
            counted(self.events, "event"),
            counted(self.duplicates, "duplicate"),
            f"{self.rejected:,} rejected",
        ]
        profiles = (
            f"{self.new_profiles:,} new, {self.updated_profiles:,} updated, "
            f"{len(self.merges):,} merged"
        )
        left_out = f"; {left_out}" if left_out else ""
        return f"Added(batch {self.batch}: {', '.join(parts)}; profiles {profiles}{left_out})"


def insert_batch(con: duckdb.DuckDBPyConnection, batch: Batch, options: StoreOptions) -> Added:
    """Put a batch into the index, within a transaction. See `Store.add`."""
    if batch.frame is None:
        return Added(None, known=batch.known)
    prepare_to_read(con)
    columns = Columns(con)
    number, start, next_cluster, next_profile = con.execute(
        "SELECT count(*) + 1, coalesce(sum(rows), 0)::BIGINT, "
        "coalesce(max(next_cluster), 0), coalesce(max(next_profile), 0) FROM batches"
    ).fetchall()[0]
    first_received = "received_at" in batch.frame and "received_at" not in columns.places
    accepted = _normalised(batch.frame, columns, options)
    events = accepted.events
    at = events["row"].to_numpy()
    aliases = aliases_of(events, options)
    found = touched(con, events["event_id"], aliases, next_cluster)
    for name in batch.frame:
        columns.add(str(name))
    # The first time of receipt changes the order of arrival, for all rows.
    roots = _all_roots(con, found.roots) if first_received and start else found.roots
    before, known = ids_before(con, roots), aliases_before(con, roots)
    hangs = found.cluster >= 0
    news = BatchEvents(
        events[hangs].drop(columns=["row", "kind"]),
        aliases.of_events(hangs),
        start + at[hangs],
        found.cluster[hangs],
        found.id_keys,
    )
    evidence = evidence_of(con, columns, roots, known, news, options)
    record_merged(con, found)
    evidence = replace(evidence, cluster=_redirected(evidence.cluster, found))
    part = evidence.part(options)

    gone = before[~part.has_profile(before["profile_id"])]
    of_gone = np.isin(evidence.cluster, _redirected(gone["cluster"].to_numpy(), found))
    leaders = leaders_before(known, gone, options)
    merges = merges_by(part, leaders, evidence.of(of_gone), start, options)
    row = evidence.row
    delete_clusters(con, roots)
    prepare_to_write(con, len(row) + len(batch.frame))
    _append_rows(con, columns, batch, accepted, aliases, found, start)
    next_profile = insert_part(con, part, row, evidence.cluster, columns, next_profile)
    _append_merges(con, merges, number)
    sizes = [len(batch.frame), len(accepted.rejected), found.next_cluster, next_profile]
    con.execute("INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?)", [number, "", *sizes])
    return _report(number, batch, accepted, part, row >= start, before, merges)


def _normalised(frame: pd.DataFrame, columns: Columns, options: StoreOptions) -> NormalisedEvents:
    accepted = normalise(
        frame,
        tz=options.get("tz"),
        rename_events=options.get("rename_events"),
        alias_from=options.get("alias_from", ()),
        nothing=names_given("nothing", options.get("nothing", ())),
    )
    if len(columns.places) and not any(_of_aliases(name) for name in accepted.events):
        # Others brought aliases; this batch alone is not to blame for having none.
        return replace(accepted, events=accepted.events.assign(aliases=None))
    return accepted


def _all_roots(con: duckdb.DuckDBPyConnection, roots: IntArray) -> IntArray:
    """Return all clusters that have a profile or a dropped copy, and these."""
    found = con.sql("SELECT cluster FROM profiles UNION SELECT cluster FROM duplicates")
    return np.union1d(roots, found.to_arrow_table()["cluster"].to_numpy())


def _of_aliases(name: str) -> bool:
    return name == "aliases" or name.startswith(ALIAS)


def _redirected(cluster: IntArray, found: Touched) -> IntArray:
    at = np.searchsorted(found.merged, cluster)
    hit = np.append(found.merged, -1)[at] == cluster
    return np.where(hit, np.append(found.into, -1)[at], cluster)


def _append_rows(
    con: duckdb.DuckDBPyConnection,
    columns: Columns,
    batch: Batch,
    accepted: NormalisedEvents,
    aliases: EventAliases,
    found: Touched,
    start: int,
) -> None:
    """Keep the batch's rows as they came, rejected ones too."""
    size = 0 if batch.frame is None else len(batch.frame)
    events = accepted.events
    at = events["row"].to_numpy()
    cluster, ids = np.full(size, -1), np.full(size, None, dtype=object)
    cluster[at] = found.cluster
    ids[at] = events["event_id"].to_numpy(dtype=object, na_value=None)
    appended: dict[str, object] = {
        "row": start + np.arange(size),
        "cluster": pa.array(cluster, mask=cluster < 0),
        "event_key": pa.array(ids, type=pa.large_string()),
    }
    for name in ("timestamp", "received_at"):
        times = np.full(size, np.datetime64("NaT", "us"))
        if name in events:
            times[at] = events[name].to_numpy(dtype="datetime64[us]")
        appended[name] = pa.array(times)
    counts = np.zeros(size + 1, dtype=np.int64)
    counts[at + 1] = np.bincount(aliases.event, minlength=len(at))
    keys = pa.array(found.alias_keys[aliases.alias])
    appended["carries"] = pa.LargeListArray.from_arrays(pa.array(np.cumsum(counts)), keys)
    for name, numbers in zip(columns.says, said_by(events, columns), strict=True):
        said = np.zeros(size, dtype=np.int64)
        said[at] = numbers
        appended[name] = said
    for name, (kind, cells) in batch.cells.items():
        appended[columns.cells_of(name, kind)] = cells
    register(con, "new", appended)
    chosen = ", ".join(KEY.format(name) if name == "event_key" else name for name in appended)
    con.execute(f"INSERT INTO rows ({', '.join(appended)}) SELECT {chosen} FROM new")
    con.unregister("new")


def _append_merges(con: duckdb.DuckDBPyConnection, merges: pd.DataFrame, batch: int) -> None:
    columns = {
        name: pa.array(merges[name], from_pandas=True) for name in merges if name != "timestamp"
    }
    times = pa.array(merges["timestamp"].dt.tz_localize(None), from_pandas=True)
    register(con, "new", {"batch": np.full(len(merges), batch), "timestamp": times} | columns)
    con.execute("INSERT INTO merges BY NAME SELECT * FROM new")
    con.unregister("new")


def _report(
    number: int,
    batch: Batch,
    accepted: NormalisedEvents,
    part: Part,
    is_new: BoolArray,
    before: pd.DataFrame,
    merges: pd.DataFrame,
) -> Added:
    identity = part.s.resolution
    dropped = int((is_new & ~part.found.is_kept).sum())
    of_batch = identity.profile[is_new[part.found.is_kept]]
    had = pc.is_in(to_arrow(identity.profile_ids), value_set=to_arrow(before["profile_id"]))
    had = had.to_numpy(zero_copy_only=False)
    updated = np.zeros(len(had), dtype=bool)
    updated[of_batch[of_batch >= 0]] = True
    rows = len(accepted.events) + len(accepted.rejected)
    merges = merges.copy()
    merges.insert(0, "batch", number)
    return Added(
        batch=number,
        rows=rows,
        events=len(accepted.events) - dropped,
        duplicates=dropped,
        rejected=len(accepted.rejected),
        new_profiles=int((~had).sum()),
        updated_profiles=int((had & updated).sum()),
        merges=merges,
        known=batch.known,
    )

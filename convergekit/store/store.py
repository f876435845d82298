"""`open_store`: a store that keeps all events added, and updates the profiles they affect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack, cast

import numpy as np
import pandas as pd

from convergekit.base.records import take_or_missing
from convergekit.diagnostics.timeline import timeline
from convergekit.errors import ConvergekitError, UnknownAliasError
from convergekit.events.arrow import Frame, series_from_arrow
from convergekit.events.calendar import Weekday
from convergekit.events.canonical import written_by_stitch
from convergekit.events.money import Amounts
from convergekit.events.schema import PROFILE, PROFILE_PROPERTY
from convergekit.figures.frame import DrawnFrame
from convergekit.identity.alias_rules import AliasRules
from convergekit.identity.aliases import USUAL_BROWSER, browser_type, urn
from convergekit.identity.blocking import Block
from convergekit.identity.options import Duplicates, IdentityMode, StitchOptions
from convergekit.identity.pipeline import identified
from convergekit.parts.memory import USUAL
from convergekit.parts.result import StitchedParts
from convergekit.readers.formats import AUTO
from convergekit.readers.gathered import ItemLines
from convergekit.readers.own.columns import ColumnsOfFiles
from convergekit.readers.reading import Paths, ReadingOptions
from convergekit.stitched import Stitched
from convergekit.store.access import add_batch, ask, ask_within, changing
from convergekit.store.adding import Added
from convergekit.store.batches import read_batch
from convergekit.store.by_parts import split_store
from convergekit.store.clusters import KEY
from convergekit.store.directory import create, holds_store, resolved
from convergekit.store.erasure import ForgottenInStore, forget_in
from convergekit.store.evidence import rows_of
from convergekit.store.former import settle
from convergekit.store.interrupts import held_back
from convergekit.store.manifest import FORMAT, Manifest, read_manifest
from convergekit.store.options import (
    RefusedOptions,
    StoreOptions,
    check_names,
    check_same,
    from_record,
    recorded,
)
from convergekit.store.part import options_among, stitch_part
from convergekit.store.rows import Columns, read_rows
from convergekit.typing import IntArray

if TYPE_CHECKING:
    import duckdb


def open_store(
    path: str | Path,
    *,
    tz: str | None = None,
    rename_events: Mapping[str, str] | None = None,
    dedupe_on: Sequence[str] | None = None,
    duplicates: Duplicates | None = None,
    block: Block | None = None,
    alias_from: Mapping[str, str] | None = None,
    limits: Mapping[str, int] | None = None,
    alias_priority: Sequence[str] | None = None,
    identity: IdentityMode | None = None,
    first: Iterable[str] | None = None,
    nothing: Iterable[str] | None = None,
    browser_alias: str | None = None,
    salt: str | bytes | None = None,
    calendar: str | None = None,
    week_starts: Weekday | None = None,
    **refused: Unpack[RefusedOptions],
) -> Store:
    """Open a persistent store, or make one.

    Parameters
    ----------
    path : str or pathlib.Path
        A directory; it is made if it does not exist.
    tz, rename_events, dedupe_on, duplicates, block, alias_from, limits, alias_priority
        How to stitch, for all batches to come, as `stitch` takes them; None is its default. They
        are recorded in the store; leave them out to open it again.
    identity, first, nothing, browser_alias, salt, calendar, week_starts
        Likewise; the salt is recorded too.
    **refused
        Options of `stitch` that a store cannot have: the error says what to do instead.

    Returns
    -------
    Store

    Raises
    ------
    ConvergekitError
        Something else is at the path, the store is of a newer format or made with other options,
        is in use by another process, or DuckDB is not installed; or an option has a value that it
        does not take, or is one that a store cannot have (`max_age`, `rules`, `columns`, `strict`).
    DamagedStoreError
        The store's manifest is missing or damaged; `repair_store` rebuilds it.

    See Also
    --------
    repair_store : Rebuild what is missing or damaged.

    Notes
    -----
    A store of the first format, which is one DuckDB file, becomes a directory of the same name.

    Examples
    --------
    >>> import tempfile
    >>> import convergekit as ck
    >>> events = ck.simulate_store().events
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     store = ck.open_store(Path(directory, "store"))
    ...     monday, tuesday = store.add(events[:300]), store.add(events[300:])
    ...     s = store.stitched()
    >>> monday
    Added(batch 1: 292 events, 8 duplicates, 0 rejected; profiles 61 new, 0 updated, 0 merged)
    >>> tuesday
    Added(batch 2: 142 events, 3 duplicates, 0 rejected; profiles 21 new, 19 updated, 1 merged)
    >>> s
    Stitched(434 events, 11 duplicates, 0 rejected; 239 aliases, 81 profiles)
    """
    named: dict[str, Any] = {
        "tz": tz,
        "rename_events": rename_events,
        "dedupe_on": dedupe_on,
        "duplicates": duplicates,
        "block": block,
        "alias_from": alias_from,
        "limits": limits,
        "alias_priority": alias_priority,
        "identity": identity,
        "first": first,
        "nothing": nothing,
        "browser_alias": browser_alias,
        "salt": salt,
        "calendar": calendar,
        "week_starts": week_starts,
    }
    options = {name: value for name, value in named.items() if value is not None}
    check_names(options | refused)
    given = from_record(recorded(cast("StoreOptions", options)))
    path = resolved(path)
    settle(path)
    if not holds_store(path):
        _check_values(given)
        create(path, recorded(given))
    kept = from_record(read_manifest(path).options)
    check_same(given, kept, path)
    return Store(path, kept)


def existing_store(path: str | Path) -> Store:
    """Open a store that is there, and never make one.

    Parameters
    ----------
    path : str or pathlib.Path

    Raises
    ------
    ConvergekitError
        The path does not hold a store, or as `open_store` raises it.
    """
    place = resolved(path)
    settle(place)
    if not holds_store(place):
        raise ConvergekitError(
            f"no store at {path}. Check the path, or make one with convergekit add (in Python, "
            "ck.open_store)."
        )
    return Store(place, from_record(read_manifest(place).options))


@dataclass(frozen=True, repr=False)
class Status:
    """What a store holds, in counts.

    Attributes
    ----------
    path : str
        Its directory.
    format : int
        The number of its format.
    batches, rows : int
        What was added. Always: rows = events + duplicates + rejected.
    events, duplicates, rejected, profiles, aliases, merges : int
        What came of it.
    first, last : pandas.Timestamp
        The times of the earliest and the latest event; NaT without any.
    added_at : pandas.Timestamp
        When the last batch was added; NaT without any.
    """

    path: str
    format: int
    batches: int
    rows: int
    events: int
    duplicates: int
    rejected: int
    profiles: int
    aliases: int
    merges: int
    first: pd.Timestamp
    last: pd.Timestamp
    added_at: pd.Timestamp

    def __repr__(self) -> str:
        """Return the counts, one to a line."""
        names = ("batches", "rows", "events", "duplicates", "rejected")
        counts = {name: f"{getattr(self, name):,}" for name in names}
        counts |= {name: f"{getattr(self, name):,}" for name in ("profiles", "aliases", "merges")}
        times = {"first event": self.first, "last event": self.last, "last added": self.added_at}
        shown = {
            name: "never" if time is pd.NaT else f"{time:%Y-%m-%d %H:%M:%S} UTC"
            for name, time in times.items()
        }
        lines = [f"{name + ':':<12} {value}" for name, value in (counts | shown).items()]
        return "\n".join([f"{self.path!r}, format {self.format}", *lines])


class Store:
    """A persistent store: all events that were added, and their profiles.

    Made by `open_store`. Its files are open only during a call, so a store need not be closed.
    Tables are read again on every access.
    """

    def __init__(self, path: Path, options: StoreOptions) -> None:
        self._path = path
        self._options = options
        self._browser_alias = browser_type(options.get("browser_alias", USUAL_BROWSER))

    def __repr__(self) -> str:
        """Return the path."""
        return f"Store({str(self._path)!r})"

    def add(
        self,
        export: Paths | Frame,
        *,
        format: str = AUTO,  # noqa: A002 - the word that pandas and pyarrow use
        columns: ColumnsOfFiles | None = None,
        clock: Mapping[str, str] | None = None,
        encoding: str | None = None,
        day_first: bool | None = None,
        amounts: Amounts | None = None,
        items: ItemLines | None = None,
    ) -> Added:
        """Add a batch: all of it, or nothing after an error or a crash.

        Parameters
        ----------
        export : str, pathlib.Path, iterable of these, or frame
            Files as `read_events` reads them, or a frame as `stitch` takes it. A file whose bytes,
            or a frame whose contents, were added before is left out; so is a file in an archive,
            whatever archive it came in.
        format, columns, clock, encoding, day_first, amounts, items : optional
            As `read_events` takes them, for this batch; with any of them a frame is read as the
            rows of a file.

        Returns
        -------
        Added
            The numbers of events, duplicates and rejected rows, and of changed profiles.

        Raises
        ------
        ReadError, ColumnError
            As `read_events` and `stitch` raise them.
        ConvergekitError
            Another process holds the store (the error names it), or the drive is full or failing.
            Unless the error says otherwise, nothing was added.
        KeyboardInterrupt
            Its text says whether the batch was added.
        """
        reading: ReadingOptions = {
            "format": format, "columns": columns, "clock": clock, "encoding": encoding,
            "day_first": day_first, "amounts": amounts, "items": items,
        }  # fmt: skip
        said = read_manifest(self._path)
        while True:
            # Read before the store is held, because it may take long.
            batch = read_batch(export, *_contents(said), reading)
            if batch.frame is None:
                return Added(None, known=batch.known)
            with held_back() as interrupts, changing(self._path, interrupts) as change:
                if _contents(change.manifest) == _contents(said):
                    return add_batch(change, batch)
                # Another process added something meanwhile.
                said = change.manifest

    def stitched(self) -> Stitched:
        """Stitch all batches, concatenated in the order of adding, and return the result.

        `row` counts through all of them, from 0.

        Raises
        ------
        ConvergekitError
            Nothing was added yet.
        """
        return self._stitched(ask(self._path, _everything))

    def by_parts(self, *, memory: str = USUAL) -> StitchedParts:
        """Return all batches stitched part by part, for stores that do not fit into memory.

        The members of the result mean what those of `stitched` mean. A part holds whole clusters of
        rows that hang together. The rows are written by part into a temporary directory, which goes
        when the result and its tables do: what is asked is asked of the batches of now. `forget`
        does not reach it.

        Parameters
        ----------
        memory : str, default "4GB"
            How much a part may take, such as ``"6GB"``.

        Raises
        ------
        ConvergekitError
            Nothing was added yet, `memory` is not a size, or the drive is full or failing.

        See Also
        --------
        stitch : Stitches files part by part, with `workdir` or `memory`.

        Examples
        --------
        >>> import tempfile
        >>> import convergekit as ck
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     store = ck.open_store(Path(directory, "store"))
        ...     _ = store.add(ck.simulate_store().events)
        ...     s = store.by_parts(memory="200KB")
        >>> s.funnel(["PageView", "Added To Cart", "Placed Order"], within="7D")
        Funnel(PageView 60 → Added To Cart 30 → Placed Order 18; within 7 days)
        """
        return ask(self._path, lambda con: self._split(con, memory))

    def _split(self, con: duckdb.DuckDBPyConnection, memory: str) -> StitchedParts:
        names = list(Columns(con).places)
        if not names:
            raise self._empty()
        return split_store(con, memory, options_among(names, self._options, _types(con)))

    def _empty(self) -> ConvergekitError:
        return ConvergekitError(f"{self} holds nothing yet: add an export first.")

    def _stitched(self, everything: tuple[pd.DataFrame, list[str]]) -> Stitched:
        frame, types = everything
        if not frame.columns.size:
            raise self._empty()
        return Stitched(identified([frame], options_among(frame, self._options, types)))

    @property
    def profiles(self) -> pd.DataFrame:
        """One row per profile, as in `Stitched.profiles`."""
        return ask(self._path, lambda con: _profiles(con, self._browser_alias))

    @property
    def aliases(self) -> pd.DataFrame:
        """One row per alias, as in `Stitched.aliases`."""
        query = (
            "SELECT alias_type, alias_value, profile_id, a.first_seen, a.last_seen, a.events "
            "FROM aliases a JOIN profiles USING (profile) "
            "ORDER BY a.first_seen, alias_type, alias_value"
        )
        return ask(self._path, lambda con: _frame(con, query, times=("first_seen", "last_seen")))

    @property
    def merges(self) -> pd.DataFrame:
        """The history of merges: which profiles became others when a batch was added.

        One row per ID that a profile had before a batch and none has after it, in the order of
        adding. Columns: `batch`; `timestamp` (when the event became known: `received_at` where
        there is one), `old_profile_id`, `new_profile_id` (of the profile that has the old one's
        earliest alias then; missing where no event that counts carries it any more), and
        `event_name`, `event_id` and `row` of the event that did it. These and the timestamp are
        missing where no event joined the two: a copy of an event came late that had arrived
        earlier than the one that was kept, or limits draw profiles otherwise now.
        """
        query = (
            "SELECT batch, timestamp, old_profile_id, new_profile_id, event_name, event_id, row "
            "FROM merges ORDER BY batch, timestamp, row, old_profile_id"
        )
        found = ask(self._path, lambda con: _frame(con, query, times=("timestamp",)))
        return found.astype({"row": "Int64"})

    @property
    def batches(self) -> pd.DataFrame:
        """One row per batch: `batch`, `added_at`, `rows`, `rejected`, and `files` (a list)."""
        query = "SELECT batch, rejected FROM batches ORDER BY batch"
        table = ask(self._path, lambda con: _frame(con, query))
        # Batches that were added in between are left for the next time.
        records = read_manifest(self._path).batches[: len(table)]
        added_at = [batch.added_at for batch in records]
        table.insert(1, "added_at", pd.to_datetime(pd.Series(added_at, dtype="str"), utc=True))
        table["added_at"] = table["added_at"].astype("datetime64[us, UTC]")
        table.insert(2, "rows", pd.Series([batch.rows for batch in records], dtype="int64"))
        lists = [list(batch.files.values()) for batch in records]
        return table.assign(files=pd.Series(lists, index=table.index, dtype=object))

    def profile(self, alias_or_id: str) -> DrawnFrame:
        """Return the timeline of one profile, as `Stitched.profile` does.

        Only what hangs together with the profile is read.

        Parameters
        ----------
        alias_or_id : str
            A URN, such as ``"urn:email:ada@example.com"``, or a profile ID.

        Raises
        ------
        UnknownAliasError
            No event carries the alias, or no profile has the ID.
        """
        events, row = ask(self._path, lambda con: _events_of(con, alias_or_id, self._options))
        if not len(events):
            raise UnknownAliasError(
                f"{alias_or_id!r} is neither an alias that events of {self} carry nor a profile's "
                "ID; it may have been blocked. Give a URN, such as 'urn:email:ada@example.com'."
            )
        identity = self._options.get("identity", "retroactive")
        part = stitch_part(events, self._options, identity=identity)
        found = timeline(part.s, alias_or_id)
        if len(found):
            # Limits may leave a profile without an event of its own.
            found["row"] = row[found["row"].to_numpy()]
        return found

    def forget(self, alias_or_id: str) -> ForgottenInStore:
        """Delete a person (GDPR) from all batches, as `Stitched.forget` does, for good.

        Their events go, with the copies of these; where events of others name one of their e-mail
        addresses or phone numbers, it is taken out. No file of the store holds a byte of them
        afterwards: batches, index and log are rewritten. The exports that were added stay
        known, so that adding them again does not bring the person back. Copies of the store
        elsewhere, and blocks of a drive that the system has not reused yet, are not reached.

        Takes as long as adding everything once.

        Parameters
        ----------
        alias_or_id : str
            A URN, such as ``"urn:email:ada@example.com"``, or a profile ID.

        Returns
        -------
        ForgottenInStore
            How much was removed of what.

        Raises
        ------
        UnknownAliasError
            No event carries the alias, or no profile has the ID.
        ConvergekitError
            The store is in use or damaged, or the drive is full or failing.

        See Also
        --------
        Stitched.forget : What is removed, and what stays.
        """
        with held_back() as interrupts, changing(self._path, interrupts) as change:
            everything = ask_within(change, _everything)
            with interrupts.at_once():
                s = self._stitched(everything)
                # The person is looked up before anything is written.
                s.tables.profile_number(alias_or_id)
            return forget_in(change, s.tables, alias_or_id)

    def status(self) -> Status:
        """Return what the store holds, in counts."""
        found = ask(
            self._path,
            lambda con: con.execute(
                "SELECT (SELECT count(*) FROM batches), "
                "(SELECT coalesce(sum(rows), 0)::BIGINT FROM batches), "
                "(SELECT count(*) FROM duplicates), "
                "(SELECT coalesce(sum(rejected), 0)::BIGINT FROM batches), "
                "(SELECT count(*) FROM profiles), "
                "(SELECT count(*) FROM aliases WHERE profile IS NOT NULL), "
                "(SELECT count(*) FROM merges), "
                "(SELECT min(timestamp) FROM rows), (SELECT max(timestamp) FROM rows)"
            ).fetchall()[0],
        )
        batches, rows, duplicates, rejected, profiles, aliases, merges = found[:7]
        first, last = (pd.Timestamp(time) for time in found[7:])
        added = [batch.added_at for batch in read_manifest(self._path).batches[:batches]]
        added_at = pd.Timestamp(added[-1]) if added else pd.NaT
        return Status(
            path=str(self._path),
            format=FORMAT,
            batches=batches,
            rows=rows,
            events=rows - duplicates - rejected,
            duplicates=duplicates,
            rejected=rejected,
            profiles=profiles,
            aliases=aliases,
            merges=merges,
            first=first,
            last=last,
            added_at=added_at,
        )


def _contents(said: Manifest) -> tuple[set[str], set[str]]:
    """Return the SHA-256 of the files and of the frames that were added."""
    files = {content for batch in said.batches for content in batch.files}
    return files, {batch.content for batch in said.batches if batch.content}


def _check_values(options: StoreOptions) -> None:
    """Raise as `stitch` does if an option has a value that it does not take."""
    StitchOptions.of(**options)


def _everything(con: duckdb.DuckDBPyConnection) -> tuple[pd.DataFrame, list[str]]:
    """Return all rows as they came, and the alias types that events carry."""
    columns = Columns(con)
    frame, _ = read_rows(con, columns, columns.places)
    return frame, _types(con)


def _events_of(
    con: duckdb.DuckDBPyConnection, alias_or_id: str, options: StoreOptions
) -> tuple[pd.DataFrame, IntArray]:
    """Return what hangs together with a profile, and where its rows are in the store."""
    columns = Columns(con)
    clusters = _clusters_of(con, alias_or_id)
    names = [name for name in columns.places if not written_by_stitch(name)]
    events, row, _ = rows_of(con, columns, names, clusters, options)
    return events, row


def _profiles(con: duckdb.DuckDBPyConnection, browser: str) -> pd.DataFrame:
    table = _frame(
        con,
        "SELECT profile, profile_id, first_seen, last_seen, events, sources, aliases "
        "FROM profiles ORDER BY first_seen, profile_id",
        times=("first_seen", "last_seen"),
    )
    number = pd.Index(table.pop("profile"))
    types = _types(con)
    counted = _frame(
        con,
        "SELECT profile, alias_type, count(*) AS aliases FROM aliases "
        "WHERE profile IS NOT NULL GROUP BY ALL",
    )
    by_type = np.zeros((len(number), len(types)), dtype=np.int64)
    place = pd.Index(types).get_indexer(counted["alias_type"])
    by_type[number.get_indexer(counted["profile"]), place] = counted["aliases"]
    held = dict(zip(types, by_type.T, strict=True))
    table["has_browser_session"] = held[browser] > 0 if browser in held else False
    table = table.assign(**{f"aliases.{name}": held[name] for name in types})
    return table.assign(**_latest_values(con, number))


def _types(con: duckdb.DuckDBPyConnection) -> list[str]:
    found = con.execute(
        "SELECT DISTINCT alias_type FROM aliases WHERE profile IS NOT NULL"
    ).fetchall()
    return sorted(name for (name,) in found)


def _frame(con: duckdb.DuckDBPyConnection, query: str, times: tuple[str, ...] = ()) -> pd.DataFrame:
    found = con.sql(query).to_arrow_table()
    table = pd.DataFrame(
        {name: series_from_arrow(found.column(name)) for name in found.column_names}
    )
    zoned = {name: table[name].dt.tz_localize("UTC") for name in times}
    return table.assign(**zoned)


def _latest_values(con: duckdb.DuckDBPyConnection, number: pd.Index) -> dict[str, pd.Series]:
    """Return each profile property's latest value, for the profiles of these numbers."""
    columns = Columns(con)
    names = [name for name in columns.places if name.startswith(PROFILE_PROPERTY)]
    rows = f"row IN (SELECT row FROM property_rows UNION ALL {columns.cells.telling(names)})"
    frame, about = read_rows(con, columns, names, rows)
    row = about["row"].to_numpy()
    found = con.sql("SELECT profile, place, row FROM property_rows").to_arrow_table()
    profile = number.get_indexer(found.column("profile").to_numpy())
    place, said_in = found.column("place").to_numpy(), found.column("row").to_numpy()
    values = {}
    for name in names:
        of_name = place == columns.places[name]
        at = np.full(len(number), -1)
        at[profile[of_name]] = np.searchsorted(row, said_in[of_name])
        short = name.removeprefix(PROFILE_PROPERTY)
        values[PROFILE + short] = take_or_missing(frame[name], at)
    return values


def _clusters_of(con: duckdb.DuckDBPyConnection, alias_or_id: str) -> IntArray:
    """Return the cluster of a profile ID, or those that may have the alias."""
    if alias_or_id.startswith("p_"):
        query = "SELECT cluster FROM profiles WHERE profile_id = ?"
        asked = [[alias_or_id]]
    else:
        query = f"SELECT cluster FROM aliases WHERE key = {KEY.format('?')}"
        alias_type, values = AliasRules().parse(alias_or_id) or ("", [])
        asked = [[urn(alias_type, value)] for value in values]
    found = [cluster for one in asked for (cluster,) in con.execute(query, one).fetchall()]
    return np.unique(np.array(found, dtype=np.int64))

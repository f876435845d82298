"""`open_store`: a store that remembers what was added, and updates the profiles that it touches."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import numpy as np
import numpy.typing as npt
import pandas as pd

from convergekit.alias_rules import AliasRules
from convergekit.aliases import urn
from convergekit.arrow import Frame, series_from_arrow
from convergekit.drawn import DrawnFrame
from convergekit.errors import ConvergekitError, UnknownAliasError
from convergekit.events import PROFILE, PROFILE_PROPERTY, written_by_stitch
from convergekit.exports.reading import Paths
from convergekit.records import take_or_missing
from convergekit.stitched import Stitched
from convergekit.stitching import stitch
from convergekit.store import file
from convergekit.store.adding import Added, add_batch, rows_of
from convergekit.store.batches import read_batch
from convergekit.store.clusters import KEY
from convergekit.store.migration import migrate
from convergekit.store.options import (
    StoreOptions,
    check_names,
    check_same,
    from_record,
    recorded,
)
from convergekit.store.part import browser_alias, stitch_options, stitch_part
from convergekit.store.rows import Columns, read_rows

if TYPE_CHECKING:
    import duckdb


def open_store(path: str | Path, **options: Unpack[StoreOptions]) -> Store:
    """Open a store, or make one where there is none.

    Parameters
    ----------
    path : str or pathlib.Path
        A DuckDB file.
    **options
        How to stitch, for all batches to come: `tz`, `rename_events`, `dedupe_on`, `duplicates`,
        `block`, `alias_from`, `limits`, `alias_priority`, `identity`, `first` and
        `browser_alias`, as `stitch` takes them. They are recorded in the file; to open it again
        leave them out.

    Returns
    -------
    Store

    Raises
    ------
    ConvergekitError
        The file is no store, is of a newer format or made with other options, is in use by
        another process, or DuckDB is not installed; or an option has no such value, or is one
        that a store cannot have (`max_age`, `rules`, `columns`, `strict`).

    Notes
    -----
    A file of an older format is made anew from its rows when it is opened.

    Examples
    --------
    >>> import tempfile
    >>> import convergekit as ck
    >>> events = ck.simulate_store().events
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     store = ck.open_store(Path(directory, "store.duckdb"))
    ...     monday, tuesday = store.add(events[:300]), store.add(events[300:])
    ...     s = store.stitched()
    >>> monday
    Added(batch 1: 292 events, 8 duplicates, 0 rejected; profiles 61 new, 0 updated, 0 merged)
    >>> tuesday
    Added(batch 2: 142 events, 3 duplicates, 0 rejected; profiles 21 new, 19 updated, 1 merged)
    >>> s
    Stitched(434 events, 11 duplicates, 0 rejected; 239 aliases, 81 profiles)
    """
    check_names(options)
    path = Path(path).resolve()
    given = from_record(recorded(options))
    if not path.exists():
        _check_values(given)
        if not path.parent.is_dir():
            raise ConvergekitError(
                f"{path} cannot be made: there is no directory {path.parent}. Make it first."
            )
        file.create(path, recorded(given))
    with file.reading(path) as con:
        found, kept = _about(con, path)
    check_same(given, kept, path)
    if found < file.FORMAT:
        with file.writing(path) as con:
            # Another process may have done it in the meantime.
            if _about(con, path)[0] < file.FORMAT:
                migrate(con, kept)
    return Store(path, kept)


@dataclass(frozen=True, repr=False)
class Status:
    """What a store holds, in counts.

    Attributes
    ----------
    path : str
        Its file.
    format : int
        The number of the file's format.
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
    """Everything that was ever added, and the profiles that come of it.

    Made by `open_store`. The file is open only while something is done, so that a store need not
    be closed. Tables are read anew whenever asked for.
    """

    def __init__(self, path: Path, options: StoreOptions) -> None:
        self._path = path
        self._options = options

    def __repr__(self) -> str:
        """Return the file's path."""
        return f"Store({str(self._path)!r})"

    def add(self, export: Paths | Frame) -> Added:
        """Add a batch: all of it, or, after an error or a crash, nothing.

        Parameters
        ----------
        export : str, pathlib.Path, iterable of these, or frame
            Files as `read_events` reads them, or a frame as `stitch` takes it. A file whose bytes,
            or a frame whose contents, were added before is left out.

        Returns
        -------
        Added
            How many events, duplicates and rejected rows came, and what became of profiles.

        Raises
        ------
        ReadError, ColumnError
            As `read_events` and `stitch` raise them.
        ConvergekitError
            Another process uses the store.
        """
        with file.writing(self._path) as con:
            files = {name for (name,) in con.execute("SELECT content FROM files").fetchall()}
            frames = {name for (name,) in con.execute("SELECT content FROM batches").fetchall()}
            return add_batch(con, read_batch(export, files, frames), self._options)

    def stitched(self) -> Stitched:
        """Return what `stitch` makes of all batches, one below the other in the order of adding.

        `row` counts through all of them, from 0.

        Raises
        ------
        ConvergekitError
            Nothing was added yet.
        """
        with file.reading(self._path) as con:
            columns = Columns(con)
            if not columns.places:
                raise ConvergekitError(f"{self} holds nothing yet: add an export first.")
            frame, _ = read_rows(con, columns, columns.places)
            options = stitch_options(self._options, list(frame), _types(con))
        return replace(stitch(frame, **options), browser_alias=browser_alias(self._options))

    @property
    def profiles(self) -> pd.DataFrame:
        """One row per profile, as in `Stitched.profiles`."""
        with file.reading(self._path) as con:
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
            browser = browser_alias(self._options)
            held = dict(zip(types, by_type.T, strict=True))
            table["has_browser_session"] = held[browser] > 0 if browser in held else False
            table = table.assign(**{f"aliases.{name}": held[name] for name in types})
            return table.assign(**_latest_values(con, number))

    @property
    def aliases(self) -> pd.DataFrame:
        """One row per alias, as in `Stitched.aliases`."""
        with file.reading(self._path) as con:
            return _frame(
                con,
                "SELECT alias_type, alias_value, profile_id, a.first_seen, a.last_seen, a.events "
                "FROM aliases a JOIN profiles USING (profile) "
                "ORDER BY a.first_seen, alias_type, alias_value",
                times=("first_seen", "last_seen"),
            )

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
        with file.reading(self._path) as con:
            found = _frame(
                con,
                "SELECT batch, timestamp, old_profile_id, new_profile_id, event_name, event_id, "
                "row FROM merges ORDER BY batch, timestamp, row, old_profile_id",
                times=("timestamp",),
            )
        return found.astype({"row": "Int64"})

    @property
    def batches(self) -> pd.DataFrame:
        """One row per batch: `batch`, `added_at`, `rows`, `rejected`, and `files` (a list)."""
        with file.reading(self._path) as con:
            table = _frame(
                con,
                "SELECT batch, added_at, rows, rejected FROM batches ORDER BY batch",
                times=("added_at",),
            )
            files = con.execute("SELECT batch, name FROM files").fetchall()
        names: dict[int, list[str]] = {}
        for batch, name in files:
            names.setdefault(batch, []).append(name)
        lists = [names.get(batch, []) for batch in table["batch"].tolist()]
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
        with file.reading(self._path) as con:
            columns = Columns(con)
            clusters = _clusters_of(con, alias_or_id)
            names = [name for name in columns.places if not written_by_stitch(name)]
            events, row, _ = rows_of(con, columns, names, clusters, self._options)
        if not len(events):
            raise UnknownAliasError(
                f"{alias_or_id!r} is no alias that events of {self} carry, nor a profile's ID; it "
                "may have been blocked. Give a URN, such as 'urn:email:ada@example.com'."
            )
        identity = self._options.get("identity", "retroactive")
        part = stitch_part(events, self._options, identity=identity)
        timeline = part.s.profile(alias_or_id)
        if len(timeline):
            # Limits may leave a profile without an event of its own.
            timeline["row"] = row[timeline["row"].to_numpy()]
        return timeline

    def status(self) -> Status:
        """Return what the store holds, in counts."""
        with file.reading(self._path) as con:
            found = con.execute(
                "SELECT (SELECT format FROM about), "
                "(SELECT count(*) FROM batches), "
                "(SELECT coalesce(sum(rows), 0)::BIGINT FROM batches), "
                "(SELECT count(*) FROM duplicates), "
                "(SELECT coalesce(sum(rejected), 0)::BIGINT FROM batches), "
                "(SELECT count(*) FROM profiles), "
                "(SELECT count(*) FROM aliases WHERE profile IS NOT NULL), "
                "(SELECT count(*) FROM merges), "
                "(SELECT min(timestamp) FROM rows), (SELECT max(timestamp) FROM rows), "
                "(SELECT max(added_at) FROM batches)"
            ).fetchall()[0]
        version, batches, rows, duplicates, rejected, profiles, aliases, merges = found[:8]
        first, last, added_at = (pd.Timestamp(time) for time in found[8:])
        return Status(
            path=str(self._path),
            format=version,
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


def _about(con: duckdb.DuckDBPyConnection, path: Path) -> tuple[int, StoreOptions]:
    """Return the file's format and the store's options.

    Raises
    ------
    ConvergekitError
        The file is no store, or one of a newer format.
    """
    tables = con.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'about'").fetchall()
    if not tables:
        raise ConvergekitError(
            f"{path} is a DuckDB file, but no store of convergekit. Give the path of a store, or "
            "one where there is no file yet."
        )
    found, options = con.execute("SELECT format, options FROM about").fetchall()[0]
    if found > file.FORMAT:
        raise ConvergekitError(
            f"{path} is in format {found}, which a newer version of convergekit wrote; this one "
            f"reads up to format {file.FORMAT}. Upgrade with pip install -U convergekit."
        )
    return found, from_record(options)


def _check_values(options: StoreOptions) -> None:
    """Raise as `stitch` does if an option has a value that it does not take."""
    nobody = pd.DataFrame({"event_name": ["any"], "timestamp": ["2026-01-01"], "aliases": [[]]})
    for name in options.get("dedupe_on", ()):
        nobody[name] = None
    stitch(nobody, **stitch_options(options, list(nobody), list(options.get("limits") or {})))


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
    frame, about = read_rows(con, columns, names, "row IN (SELECT row FROM property_rows)")
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


def _clusters_of(con: duckdb.DuckDBPyConnection, alias_or_id: str) -> npt.NDArray[np.int64]:
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

"""A save of all parts, as one of memory: rows of the parts in the order that all rows have.

What is saved of a part counts the events and aliases of the part. So the parts are gone through
once for what they count, and then their files are merged, a few rows at a time. In memory are a
few whole numbers of each event and alias.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from convergekit.base.durable import whole_files
from convergekit.base.grouping import order_of, run_starts
from convergekit.diagnostics.report import Report
from convergekit.errors import NotOnThisEngine
from convergekit.events.schema import PROFILE
from convergekit.events.timestamps import microseconds
from convergekit.identity.tables import StitchedEvents
from convergekit.parts.answers.report import blocked_in_all
from convergekit.parts.stitching import Run
from convergekit.typing import IntArray
from convergekit.writers.merged_frames import Piece, merge_pieces
from convergekit.writers.parquet import (
    TABLES,
    inner_tables,
    refuse_earlier,
    summary_of,
    with_salted_ids,
)
from convergekit.writers.saved_frames import parquet_of
from convergekit.writers.saved_manifest import MANIFEST, digest_of, sealed

#: Tables of a part that go into a file of their own, to be merged.
_SPILLED = ("aliases", "event_aliases", "item_aliases", "says", "carried_from", "apart")


_ALIASES = "aliases."


@dataclass(frozen=True)
class _OfPart:
    """What a save needs of a part."""

    tables: dict[str, pd.DataFrame]
    row: IntArray
    item_row: IntArray
    apart: bool
    remarks: dict[str, int]


def save_parts(
    run: Run,
    report: Report,
    directory: str | Path,
    *,
    overwrite: bool,
) -> list[Path]:
    """Save all parts as one Stitched. See `Stitched.to_parquet`.

    Parameters
    ----------
    run : Run
    report : Report
        Of all parts.
    directory : str or pathlib.Path
    overwrite : bool
    """
    refuse_earlier(directory, overwrite=overwrite)
    options = run.options
    with whole_files(directory) as draft:
        pieces = draft / "pieces"
        pieces.mkdir()
        parts, remarks = [], dict(run.remarks)
        for number, part in enumerate(run.of_each(_of_part)):
            for name in _SPILLED:
                content = parquet_of(part.tables[name], name)
                (pieces / f"{name}-{number:05}.parquet").write_bytes(content)
            parts.append(_Numbers.of(part))
            for what, rows in part.remarks.items():
                remarks[what] = remarks.get(what, 0) + rows
        _merge(run, _Whole(parts, pieces), draft)
        shutil.rmtree(pieces)
        summary = summary_of(
            report,
            identity=options.identity,
            browser_alias=options.browser_alias,
            first=options.first,
            protection=options.protection,
            remarks=remarks,
            calendar=options.calendar,
            segment=None,
            observed_until=options.observed_until,
        )
        names = [f"{name}.parquet" for name in dict.fromkeys((*TABLES, *_INNER))]
        contents = {name: digest_of(draft / name) for name in names}
        (draft / MANIFEST).write_bytes(sealed(summary, contents))
    return [Path(directory, name) for name in (*names, MANIFEST)]


#: In the order in which memory writes them.
_INNER = (
    *("event_aliases", "order", "items", "item_aliases", "apart", "refused", "says"),
    *("carried_from", "blocked", "malformed"),
)


def _of_part(number: int, s: StitchedEvents) -> _OfPart:
    if s.segment is not None:
        raise NotOnThisEngine(
            "to_parquet of a segment is not computed by parts yet. Save all events, and take the "
            "segment of what read_stitched returns."
        )
    tables = inner_tables(s) | {"aliases": with_salted_ids(s)}
    apart = tables["apart"]
    if not len(apart):
        size = len(tables["aliases"])
        # As aliases of a whole that are not concerned.
        tables["apart"] = pd.DataFrame(
            {"group": np.full(size, size), "rank": np.full(size, -1)}, dtype="int64"
        )
    row = s.events["row"].to_numpy()
    item_row = row
    if len(tables["items"]) > len(row):
        item_row = np.sort(np.concatenate([row, s.duplicates["row"].to_numpy()]))
    return _OfPart(tables, row, item_row, bool(len(apart)), dict(s.remarks))


@dataclass(frozen=True)
class _Numbers:
    """The numbers of a part that the whole is counted by, and its small tables."""

    row: IntArray
    item_row: IntArray
    item: IntArray
    item_event: IntArray
    known_at: IntArray
    first_seen: IntArray
    alias_type: pd.Series
    apart: bool
    small: dict[str, pd.DataFrame]

    @classmethod
    def of(cls, part: _OfPart) -> _Numbers:
        tables = part.tables
        return cls(
            row=part.row,
            item_row=part.item_row,
            item=tables["order"]["item"].to_numpy(),
            item_event=tables["items"]["event"].to_numpy(),
            known_at=tables["items"]["known_at"].to_numpy(),
            first_seen=microseconds(tables["aliases"]["first_seen"]),
            alias_type=tables["aliases"]["alias_type"].astype("category"),
            apart=part.apart,
            small={name: tables[name] for name in ("refused", "blocked", "malformed")},
        )


class _Whole:
    """Which event, item and alias of a part is which of the whole."""

    def __init__(self, parts: Sequence[_Numbers], pieces: Path) -> None:
        self.parts, self.pieces = parts, pieces
        self.event = _places([part.row for part in parts])
        self.item = _places([part.item_row for part in parts])
        self.alias = self._aliases()

    def files(self, name: str) -> list[Path]:
        """Return the files of a table of the parts."""
        return [self.pieces / f"{name}-{number:05}.parquet" for number in range(len(self.parts))]

    def _aliases(self) -> list[IntArray]:
        """Return the places of aliases: earliest first, then by type and value."""
        first = np.concatenate([part.first_seen for part in self.parts])
        types = pd.concat([part.alias_type.astype("str") for part in self.parts])
        codes = pd.Categorical(types, categories=sorted(types.unique())).codes.astype("int64")
        return _apart(
            _ordered([first, codes], self.files("aliases"), "alias_value"),
            [len(part.first_seen) for part in self.parts],
        )

    @property
    def items(self) -> pd.DataFrame:
        """The table of items."""
        item = np.concatenate(self.item)
        known_at = np.empty(len(item), dtype=np.int64)
        event = np.empty(len(item), dtype=np.int64)
        for part, places, events in zip(self.parts, self.item, self.event, strict=True):
            known_at[places] = part.known_at
            event[places] = events[part.item_event]
        known = np.empty(len(item), dtype=np.int64)
        known[np.argsort(known_at, kind="stable")] = np.arange(len(item))
        return pd.DataFrame({"known": known, "known_at": known_at, "event": event})

    def order(self, times: Sequence[pd.DataFrame]) -> pd.DataFrame:
        """Return the table of the order of events.

        Parameters
        ----------
        times : sequence of pandas.DataFrame
            Of each part, when its events happened and were received.
        """
        size = sum(len(part.row) for part in self.parts)
        item, time, arrived = (np.empty(size, dtype=np.int64) for _ in range(3))
        for part, at, places, events in zip(self.parts, times, self.item, self.event, strict=True):
            item[events] = places[part.item]
            time[events] = microseconds(at["timestamp"])
            received = at["received_at"] if "received_at" in at else at["timestamp"]
            arrived[events] = microseconds(received.fillna(at["timestamp"]))
        return pd.DataFrame({"in_time": np.lexsort((arrived, time)), "item": item})

    def refused(self, in_time: IntArray) -> pd.DataFrame:
        """Return the table of refused links, in the order of the events on which they met."""
        found = [
            part.small["refused"].assign(
                first=aliases[part.small["refused"]["first"]],
                second=aliases[part.small["refused"]["second"]],
                event=events[part.small["refused"]["event"]],
            )
            for part, aliases, events in zip(self.parts, self.alias, self.event, strict=True)
        ]
        links = _below(found)
        place = np.empty(len(in_time), dtype=np.int64)
        place[in_time] = np.arange(len(in_time))
        order = np.argsort(place[links["event"].to_numpy()], kind="stable")
        return links.take(order).reset_index(drop=True)


def _merge(run: Run, whole: _Whole, draft: Path) -> None:
    """Write the tables of the whole."""

    def merged(name: str, found: Sequence[Piece], names: Sequence[str] | None = None) -> None:
        merge_pieces(found, draft / f"{name}.parquet", names)

    def wrote(name: str, frame: pd.DataFrame) -> None:
        (draft / f"{name}.parquet").write_bytes(parquet_of(frame, name))

    events, items, aliases = whole.event, whole.item, whole.alias
    group = sum(map(len, aliases))
    merged("events", _pieces(run.table_files("events"), events))
    merged("aliases", _pieces(whole.files("aliases"), aliases))
    for name in ("duplicates", "rejected"):
        files = run.table_files(name)
        merged(name, _pieces(files, _places([_column(path, "row") for path in files])))
    profiles = run.table_files("profiles")
    merged("profiles", _profiles(profiles), _profile_columns(profiles))
    parts = range(run.workdir.done.parts)
    order = whole.order([run.times(part, "timestamp", "received_at") for part in parts])
    wrote("order", order)
    wrote("items", whole.items)
    for name, of_pairs in (("event_aliases", events), ("item_aliases", items)):
        found = []
        for path, owners, alias in zip(whole.files(name), of_pairs, aliases, strict=True):
            place = owners[_column(path, "event")]
            found.append(Piece(path, place, {"event": owners, "alias": alias}))
        merged(name, found)
    for name, numbers in (("says", items), ("carried_from", [np.append(e, -1) for e in events])):
        found = []
        for path, place, to in zip(whole.files(name), events, numbers, strict=True):
            columns = pq.read_schema(path).names
            found.append(Piece(path, place, dict.fromkeys(columns, to)))
        merged(name, found)
    if any(part.apart for part in whole.parts):
        found = [
            Piece(path, place, {"group": np.append(place, group)})
            for path, place in zip(whole.files("apart"), aliases, strict=True)
        ]
        merged("apart", found)
    else:
        wrote("apart", pd.DataFrame({"group": [], "rank": []}, dtype="int64"))
    wrote("refused", whole.refused(order["in_time"].to_numpy()))
    wrote("blocked", blocked_in_all([part.small["blocked"] for part in whole.parts]))
    malformed = _below([part.small["malformed"] for part in whole.parts])
    wrote("malformed", malformed.sort_values("row", kind="stable", ignore_index=True))


def _pieces(files: Sequence[Path], places: Sequence[IntArray]) -> list[Piece]:
    return [Piece(path, place) for path, place in zip(files, places, strict=True)]


def _profiles(files: Sequence[Path]) -> list[Piece]:
    """Return the profiles, earliest first."""
    first = [pq.read_table(path, columns=["first_seen"]).to_pandas() for path in files]
    at = np.concatenate([microseconds(one["first_seen"]) for one in first])
    return _pieces(files, _apart(_ordered([at], files, "profile_id"), list(map(len, first))))


def _profile_columns(files: Sequence[Path]) -> list[str]:
    """Return the columns of all profiles: a part counts aliases of the types that it has."""
    names = list(dict.fromkeys(name for path in files for name in pq.read_schema(path).names))
    types = sorted(name for name in names if name.startswith(_ALIASES))
    own = [name for name in names if not name.startswith((_ALIASES, PROFILE))]
    return [*own, *types, *(name for name in names if name.startswith(PROFILE))]


def _ordered(keys: Sequence[IntArray], files: Sequence[Path], name: str) -> IntArray:
    """Return the place of each row by whole numbers, and where these are equal by a text."""
    order = np.lexsort(keys[::-1])
    run = np.cumsum(run_starts(*(key[order] for key in keys))) - 1
    tied = np.zeros(len(order), dtype=bool)
    tied[order] = np.bincount(run)[run] > 1
    texts, begin = [], 0
    for path in files:
        column = pq.read_table(path, columns=[name]).column(name)
        mine = pa.array(tied[begin : begin + len(column)])
        # Texts take more than all numbers do: those that decide alone are held.
        texts.append(pc.if_else(mine, column, ""))
        begin += len(column)
    text = pd.concat([one.to_pandas().astype("str") for one in texts], ignore_index=True)
    place = np.empty(len(order), dtype=np.int64)
    place[order_of(*keys, texts=text)] = np.arange(len(order))
    return place


def _apart(places: IntArray, sizes: Sequence[int]) -> list[IntArray]:
    return np.split(places, np.cumsum(sizes)[:-1])


def _places(rows: Sequence[IntArray]) -> list[IntArray]:
    """Return the places that rows of parts have among all of them."""
    every = np.sort(np.concatenate(rows))
    return [np.searchsorted(every, one) for one in rows]


def _column(path: Path, name: str) -> IntArray:
    found: IntArray = pq.read_table(path, columns=[name]).column(name).to_numpy()
    return found


def _below(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    some = [frame for frame in frames if len(frame)] or [frames[0]]
    return pd.concat(some, ignore_index=True)

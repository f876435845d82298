"""A store by parts: its clusters in groups, each read and stitched by the code of memory.

The rows are written once, as the index holds them, into a temporary directory, by the group of
their cluster. So what is asked is asked of the store as it was then, and a batch may be added
meanwhile. The index knows the clusters, and which rows count, so that nothing is stitched before
something is asked.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from convergekit.errors import ConvergekitError
from convergekit.events.canonical import written_by_stitch
from convergekit.events.normalise import normalise, remarks_of_readers
from convergekit.events.observed import observed
from convergekit.events.schema import ALIAS
from convergekit.events.steps import names_in
from convergekit.identity.options import StitchOptions
from convergekit.identity.tables import StitchedEvents
from convergekit.parts.about import AboutPart
from convergekit.parts.facts import FactsOfTheWhole
from convergekit.parts.memory import bytes_of, parts_for
from convergekit.parts.part import said_of_rows, stitched_part
from convergekit.parts.progress import ProgressBar
from convergekit.parts.result import StitchedParts
from convergekit.parts.rows import Witnesses, opened_block
from convergekit.parts.source import RowSource
from convergekit.parts.stitching import Run
from convergekit.parts.workdir import Workdir, not_as_written, temporary
from convergekit.store.cells import INTEGER
from convergekit.store.rows import Columns, RowCells
from convergekit.typing import IntArray
from convergekit.visits.traffic import kinds_sent, page_hosts, tells_hosts

if TYPE_CHECKING:
    import duckdb

_KNOWN = ("row", "timestamp", "received_at")
_FOLDER = "rows"
#: So many rows at the begin and at the end of the store say how much memory a row takes.
_SAMPLE = 10_000
#: DuckDB needs so much to write rows by part, however little a part may take.
_LEAST_OF_DUCKDB = 500_000_000
#: The largest whole number that a float holds exactly.
_EXACT = 2**53


@dataclass(eq=False)
class StoreRun(Run):
    """The groups of a store's clusters, as the parts of a run.

    Attributes
    ----------
    cells : RowCells
        How the rows are kept.
    ahead : pyarrow.Table
        A few rows that give the columns of any part the types that those of all rows have.
    dropped : numpy.ndarray of int
        The rows that are copies of others, ascending.
    """

    cells: RowCells
    ahead: pa.Table
    dropped: IntArray

    @cached_property
    def witnesses(self) -> Witnesses:
        """What tells the types of columns."""
        return Witnesses([self._typed_rows(self.ahead.slice(0, 0))])

    def part(self, number: int) -> StitchedEvents:
        """Return a part, stitched, without what it has to know of the whole."""
        done = number < self.workdir.done.stitched
        return super().part(number) if done else self.from_rows(number)

    def from_rows(self, number: int) -> StitchedEvents:
        """Return a part, stitched from its rows."""
        table = self._rows(number)
        return stitched_part(self._typed_rows(table), table["row"].to_numpy(), self.options)

    @property
    def at_once(self) -> int:
        """One: its rows are not files that another process can read."""
        return 1

    def finish(self) -> None:
        """Stitch the parts, for their tables and the report."""
        self.stitch_parts()

    def table_files(self, name: str) -> list[Path]:
        """Return the files of a table, part by part."""
        self.finish()
        return super().table_files(name)

    def times(self, number: int, *names: str) -> pd.DataFrame:
        """Return columns of a part's events, as far as it has them."""
        self.finish()
        return super().times(number, *names)

    @cached_property
    def about(self) -> list[AboutPart]:
        """What is kept of each part."""
        self.finish()
        return super().about

    @cached_property
    def facts(self) -> FactsOfTheWhole:
        """What every part has to know of the whole."""
        if self.options.merge:
            # An event is made of several rows, so that only stitching tells what it sends.
            self.finish()
            return super().facts
        times, hosts = [], []
        names: frozenset[str] = frozenset()
        for events in self._kept():
            times.append(events[[name for name in _KNOWN[1:] if name in events]])
            names |= names_in(events)
            hosts.append(page_hosts(*kinds_sent(events)))
        return FactsOfTheWhole(
            observed(_below(times), self.options.observed_until), names, _below(hosts)
        )

    def _kept(self) -> Iterator[pd.DataFrame]:
        """Yield the events that count, part by part, with what tells the facts of the whole."""
        told = [name for name in self.cells.names if name == "event_name" or tells_hosts(name)]
        for number in range(self.workdir.done.parts):
            table = self._rows(number, told)
            counts = ~np.isin(table["row"].to_numpy(), self.dropped)
            counts &= table["timestamp"].is_valid().to_numpy()
            kept = table.filter(pa.array(counts))
            rows = self._typed_rows(kept, told)
            # That they are events is known; an alias tells it of those without a name.
            rows[f"{ALIAS}known"] = "known"
            for name in _KNOWN[1:]:
                if name == "timestamp" or name in self.cells.names:
                    rows[name] = kept[name].to_pandas().dt.tz_localize("UTC")
            accepted = normalise(
                rows, rename_events=self.options.rename_events, nothing=self.options.nothing
            )
            yield accepted.events

    def _rows(self, number: int, names: Collection[str] | None = None) -> pa.Table:
        """Return the rows of a part as they are kept, in their order; or some columns of them."""
        folder = self.workdir.path / _FOLDER / f"part={number}"
        wanted = self.ahead.schema.names
        if names is not None:
            wanted = [*_KNOWN, *self.cells.in_file(names)]
        tables = []
        for path in sorted(folder.glob("*.parquet")) if folder.is_dir() else []:
            try:
                tables.append(pq.ParquetFile(path).read(wanted))
            except (OSError, pa.ArrowException) as error:
                raise not_as_written(path, error) from None
        whole = pa.concat_tables(tables) if tables else self.ahead.select(wanted).slice(0, 0)
        if whole.num_rows != self.workdir.done.rows_in[number]:
            raise not_as_written(folder, ConvergekitError("rows are missing"))
        return whole.sort_by("row").cast(self.ahead.select(wanted).schema)

    def _typed_rows(self, table: pa.Table, names: Sequence[str] | None = None) -> pd.DataFrame:
        """Return rows under canonical names, in the types that all rows have."""
        ahead = self.ahead.select(table.schema.names)
        frame = self.cells.frame(
            pa.concat_tables([ahead, table]), self.cells.names if names is None else names
        )
        opened, _ = opened_block(frame, None)
        return opened.iloc[ahead.num_rows :].reset_index(drop=True)


def _below(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Return frames as one; one without rows does not say of which types it is."""
    return pd.concat([one for one in frames if len(one)] or frames[:1], ignore_index=True)


def split_store(
    con: duckdb.DuckDBPyConnection, memory: str, options: StitchOptions
) -> StitchedParts:
    """Return the rows of an index by parts, written into a directory that lives as long.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    memory : str
        How much a part may take, such as ``"4GB"``.
    options : StitchOptions
        For events that have all the columns of the store.

    Raises
    ------
    ConvergekitError
        The memory is not a size, or the directory cannot be written.
    """
    size = bytes_of(memory)
    cells = Columns(con).cells
    con.execute(f"SET memory_limit = '{max(size, _LEAST_OF_DUCKDB) // 1_000_000}MB'")
    rows = con.execute("SELECT count(*) FROM rows").fetchall()[0][0]
    kept = ", ".join([*_KNOWN, *cells.in_file(cells.names)])
    ahead = _ahead(con, cells, kept)
    parts = parts_for(_memory_of(con, cells, kept, rows), size)
    with temporary({"options": {}, "source": {}}) as workdir:
        _write(con, workdir, kept, parts)
        done = workdir.done
        done.blocks, done.read, done.split, done.parts = [rows], True, 1, parts
        done.replaced = [name for name in cells.names if written_by_stitch(name)]
        counts = dict(con.execute(f"SELECT {_PART.format(parts)}, count(*) {_ROWS}").fetchall())
        done.rows_in = [counts.get(number, 0) for number in range(parts)]
        dropped = con.sql("SELECT row FROM duplicates ORDER BY row").to_arrow_table()
        workdir.write(json.dumps(_remarks(con, cells)).encode(), "facts", "remarks.json")
        workdir.record()
        run = StoreRun(
            source=RowSource({}, []),
            options=options,
            columns=None,
            workdir=workdir,
            memory=size,
            max_cluster=None,
            parts=parts,
            bar=ProgressBar(shown=False),
            cells=cells,
            ahead=ahead,
            dropped=dropped["row"].to_numpy(),
        )
        return StitchedParts(run)


#: The part of a row. Rows that hang together with nothing may repeat each other in every field,
#: the time among them; those that are not events are by themselves.
_PART = (
    "(CASE WHEN cluster IS NOT NULL THEN hash(coalesce(root, cluster)) "
    "WHEN timestamp IS NOT NULL THEN hash(timestamp) ELSE hash(row) END % {})::INTEGER"
)
_ROWS = "FROM rows LEFT JOIN roots USING (cluster) GROUP BY ALL"


def _write(con: duckdb.DuckDBPyConnection, workdir: Workdir, kept: str, parts: int) -> None:
    """Write the rows by part."""
    workdir.remove(_FOLDER)
    folder = str(workdir.path / _FOLDER).replace("'", "''")
    con.execute(
        f"COPY (SELECT {kept}, {_PART.format(parts)} AS part "
        "FROM rows LEFT JOIN roots USING (cluster)) "
        f"TO '{folder}' (FORMAT parquet, PARTITION_BY (part))"
    )


def _ahead(con: duckdb.DuckDBPyConnection, cells: RowCells, kept: str) -> pa.Table:
    """Return rows that show of each column what its type hangs on.

    Of each kind of value in it one, a gap, and a whole number beyond what a float holds exactly.
    """
    marks = []
    for name in cells.names:
        kinds = cells.kinds(name)
        marks += [f"{cell} IS NOT NULL" for cell in kinds.values()]
        if INTEGER in kinds:
            marks.append(f"abs({kinds[INTEGER]}::HUGEINT) > {_EXACT}")
        if kinds:
            marks.append(" AND ".join(f"{cell} IS NULL" for cell in kinds.values()))
    first = ", ".join(f"min(row) FILTER ({mark})" for mark in marks) or "min(row)"
    found = con.execute(f"SELECT {first} FROM rows").fetchall()[0]
    rows = sorted({row for row in found if row is not None})
    listed = ", ".join(map(str, rows)) or "NULL"
    return con.sql(f"SELECT {kept} FROM rows WHERE row IN ({listed})").to_arrow_table()


def _memory_of(con: duckdb.DuckDBPyConnection, cells: RowCells, kept: str, rows: int) -> int:
    """Return how many bytes all rows take in memory, as the first and the last of them do."""
    some = f"row < {_SAMPLE} OR row >= {rows - _SAMPLE}"
    table = con.sql(f"SELECT {kept} FROM rows WHERE {some}").to_arrow_table()
    frame = cells.frame(table, cells.names)
    taken = int(frame.memory_usage(index=False, deep=True).sum())
    return taken * rows // max(len(frame), 1)


def _remarks(con: duckdb.DuckDBPyConnection, cells: RowCells) -> dict[str, int]:
    """Return what is said of all rows together."""
    told = [name for name in cells.names if name in said_of_rows(cells.names)]
    if not told:
        return {}
    chosen = ", ".join(["row", *cells.in_file(told)])
    table = con.sql(f"SELECT {chosen} FROM rows ORDER BY row").to_arrow_table()
    return remarks_of_readers(cells.frame(table, told))

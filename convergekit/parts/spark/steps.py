"""What executors do of a run: read, find what connects rows, write blocks by part, stitch parts."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from convergekit.parts.clusters import Carried, carries, clusters, part_of
from convergekit.parts.large import carried_most
from convergekit.parts.memory import OF_A_BLOCK
from convergekit.parts.part import said_of_rows
from convergekit.parts.rows import (
    ROW,
    opened_block,
    with_rows,
    witnesses_in,
    written,
)
from convergekit.parts.shared import SharedWorkdir
from convergekit.parts.spark.frames import in_utc, rows_of, tables_of
from convergekit.parts.spark.links import node_of, rooted
from convergekit.parts.steps import Steps
from convergekit.parts.stitching import ALONE, memory_of
from convergekit.parts.workdir import Progress
from convergekit.readers.own.columns import with_own_columns
from convergekit.typing import IntArray


class WrittenBlock(NamedTuple):
    """A block that an executor wrote.

    Attributes
    ----------
    name : str
        Of its file, until the driver numbers it.
    rows : int
    size : int
        How many bytes it takes in memory.
    first, last : int
        The least and the greatest `row`.
    replaced : list of str
        Columns that an earlier stitch wrote.
    """

    name: str
    rows: int
    size: int
    first: int
    last: int
    replaced: list[str]


class Connecting(NamedTuple):
    """What connects the rows of a block, beside the hashes in its file.

    Attributes
    ----------
    keys : int
        How many hashes.
    types, usable, named : list of str
        The alias types of which a row carries a value, of which one is not blocked, and that have a
        column.
    """

    keys: int
    types: list[str]
    usable: list[str]
    named: list[str]


@dataclass(frozen=True)
class Reader:
    """Reads partitions of a DataFrame into blocks of the workdir.

    Attributes
    ----------
    path : pathlib.Path
        The workdir.
    names : list of str
        Those of the DataFrame's columns.
    columns : object
        As `stitch` takes them.
    memory : int
    """

    path: Path
    names: list[str]
    columns: Any
    memory: int

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> list[WrittenBlock]:
        """Write the rows of a partition in blocks."""
        from pyspark import TaskContext

        context: Any = TaskContext.get()
        # A task may run twice at once, and what it is given may then be in another order.
        attempt = f"{context.partitionId():05}-{context.taskAttemptId()}"
        return [
            self.write(table, f"{attempt}-{number:05}")
            for number, table in enumerate(tables_of(batches, int(self.memory * OF_A_BLOCK)))
        ]

    def write(self, table: pa.Table, name: str) -> WrittenBlock:
        """Write rows as a block."""
        workdir = SharedWorkdir(self.path, {}, Progress())
        table = in_utc(table.rename_columns(self.names))
        row = rows_of(table)
        given, names = with_own_columns(table.drop_columns([ROW]), self.columns)
        frame, replaced = opened_block(given, names)
        order = np.argsort(row)
        frame, row = frame.take(order).reset_index(drop=True), row[order]
        workdir.write_rows(written(witnesses_in(frame)), "facts", f"types-{name}.parquet")
        workdir.write_rows(written(with_rows(frame, row)), "blocks", f"{name}.parquet")
        first, last = (int(row[0]), int(row[-1])) if len(row) else (0, 0)
        return WrittenBlock(name, len(row), memory_of(frame), first, last, replaced)


@dataclass(frozen=True)
class SparkSteps(Steps):
    """What an executor has to know of a run."""

    def connect(self, place: int) -> Connecting:
        """Find the clusters within a block, and write what connects them with others'."""
        run, workdir = self.run(), self._workdir
        told = said_of_rows(self.witnesses.columns)
        # Of names, which there are is looked at alone.
        one_each = not told
        if self.options.rename_events:
            told |= {"event_name"}
        block = run.frame("blocks", f"{place:05}.parquet", names=self._connecting | told)
        said = block[[name for name in block.columns if name in told]]
        said = said.drop_duplicates(ignore_index=True) if one_each else said
        workdir.write_rows(written(said), "keys", "said", f"{place:05}.parquet")
        carried = Carried.of(run.typed(block, self._connecting), self.options)
        hashes, row = carried.keys()
        order = np.argsort(hashes, kind="stable")
        hashes, row = hashes[order], row[order]
        same = hashes[1:] == hashes[:-1]
        found = clusters(iter([(row[:-1][same], row[1:][same])]), len(block))
        label = np.full(len(block), -1, dtype=np.int64)
        label[row] = found[row]
        self._write_array(label.astype(np.int32), "keys", "label", f"{place:05}.npy")
        starts = np.flatnonzero(np.append(True, ~same)[: len(hashes)])
        keys = {"hash": hashes[starts].view(np.int64), "node": node_of(place, found[row[starts]])}
        workdir.write_rows(written(pd.DataFrame(keys)), "keys", "hashes", f"{place:05}.parquet")
        names, rows = np.unique(label[label >= 0], return_counts=True)
        sizes = pd.DataFrame({"node": node_of(place, names), "rows": rows})
        workdir.write_rows(written(sizes), "keys", "sizes", f"{place:05}.parquet")
        named = list(carried.aliases.table["alias_type"].cat.categories)
        usable = list(carried.aliases.types.categories)
        return Connecting(len(starts), list(carried.types), usable, named)

    def split(self, place: int) -> list[tuple[int, int]]:
        """Write the rows of a block by part; return how many are of which."""
        block = self.run().frame("blocks", f"{place:05}.parquet")
        root = self._root(place)
        part = part_of(root, self.done.parts)
        part[root < 0] = ALONE
        return list(self.run().write_split(place, block, part))

    def carried(self, place: int, largest: int) -> Counter[str]:
        """Return what most rows of a cluster carry, of those in a block."""
        inside = self._root(place) == largest
        if not inside.any():
            return Counter()
        run = self.run()
        block = run.frame("blocks", f"{place:05}.parquet", names=self._connecting)
        return carried_most(run.typed(block, self._connecting), self.options, inside)

    @property
    def _workdir(self) -> SharedWorkdir:
        return SharedWorkdir(self.path, {}, self.done)

    @property
    def _connecting(self) -> set[str]:
        return {name for name in self.witnesses.columns if carries(name, self.options)}

    def _root(self, place: int) -> IntArray:
        """Return the cluster of each row of a block; -1 of those that carry nothing."""
        content = self._workdir.read("keys", "label", f"{place:05}.npy")
        label = np.load(io.BytesIO(content))
        node = np.where(label >= 0, node_of(place, label), -1)
        if self.path.joinpath("keys", "moved", f"{place:05}.parquet").exists():
            moved = self.run().frame("keys", "moved", f"{place:05}.parquet")
            node = rooted(node, moved)
        return node

    def _write_array(self, array: npt.NDArray[Any], *names: str) -> None:
        content = io.BytesIO()
        np.save(content, array)
        self._workdir.write_rows(content.getvalue(), *names)

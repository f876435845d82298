"""A run in Spark: its steps are jobs, and its questions too."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from convergekit.explore.asked import tell_parts
from convergekit.identity.options import StitchOptions
from convergekit.identity.tables import StitchedEvents
from convergekit.parts.each import Kept
from convergekit.parts.large import too_large
from convergekit.parts.memory import LEAST_CLUSTER, parts_for
from convergekit.parts.progress import ProgressBar
from convergekit.parts.rows import ROW, written
from convergekit.parts.source import RowSource
from convergekit.parts.spark.frames import refuse_shared, refuse_unnumbered, told_by
from convergekit.parts.spark.jobs import done_with, each_of, of_batches
from convergekit.parts.spark.links import least_in_spark, least_of, moved_in, rooted
from convergekit.parts.spark.reach import refuse_unreachable
from convergekit.parts.spark.steps import Connecting, Reader, SparkSteps, WrittenBlock
from convergekit.parts.stitching import Run, options_told, refuse_unknown
from convergekit.parts.workdir import opened
from convergekit.readers.concatenate import concatenate
from convergekit.typing import IntArray

#: So many bytes the driver takes for a hash, while it joins the clusters of blocks.
OF_A_KEY = 64
_Result = TypeVar("_Result")


@dataclass(eq=False)
class SparkRun(Run):
    """A run of which the steps are done in executors.

    Attributes
    ----------
    given : pyspark.sql.DataFrame
    """

    given: Any

    def divide(self) -> None:
        """Do what is not done yet until the rows of each part are known."""
        done = self.workdir.done
        if not (done.parts and done.stitched == done.parts):
            refuse_unreachable(self._session, self.workdir)
        if not done.read:
            self._read()
        self._check_columns()
        if not done.parts:
            self._find_clusters()
        if done.split < len(done.blocks):
            self._split_blocks()
        for folder in ("blocks", "keys"):
            self.workdir.remove(folder)

    @property
    def _session(self) -> Any:
        return self.given.sparkSession

    @property
    def _steps(self) -> SparkSteps:
        return SparkSteps.of(self)

    def _done_with(
        self, step: str, numbers: Sequence[int], task: Callable[[int], _Result]
    ) -> list[_Result]:
        found = done_with(self._session, numbers, task)
        self.bar.tell(step, 1, 1)
        return found

    # Reading.

    def _read(self) -> None:
        """Let executors write the rows in blocks, and number these by their rows."""
        done, workdir = self.workdir.done, self.workdir
        workdir.remove("blocks")
        reader = Reader(workdir.path, list(self.given.columns), self.columns, self.memory)
        # Spark takes a dot in a name for a field of an object.
        plain = self.given.toDF(*(f"c{place}" for place in range(len(reader.names))))
        found = [block for some in of_batches(plain, reader) for block in some]
        blocks = sorted(found, key=lambda block: (block.first, block.name))
        if not blocks:
            blocks = [reader.write(plain.limit(0).toArrow(), "none")]
        for place, block in enumerate(blocks):
            for path in (Path("blocks", block.name), Path("facts", f"types-{block.name}")):
                name = path.name.replace(block.name, f"{place:05}")
                before = workdir.path / path.parent / f"{path.name}.parquet"
                os.replace(before, before.with_name(f"{name}.parquet"))
        self._refuse_shared(blocks)
        done.blocks = [block.rows for block in blocks]
        done.size = sum(block.size for block in blocks)
        replaced = [name for block in blocks for name in block.replaced]
        done.replaced = list(dict.fromkeys(replaced))
        done.read, done.units = True, 1
        workdir.record()
        self.bar.tell("reading", 1, 1)

    def _refuse_shared(self, blocks: Sequence[WrittenBlock]) -> None:
        """Raise if rows of several blocks have the same number."""
        apart = all(one.last < other.first for one, other in pairwise(blocks))
        if not apart:
            rows = self._in_spark(f"{ROW} long", "blocks")
            twice = rows.groupBy(ROW).count().where("count > 1").orderBy(ROW).limit(1)
            refuse_shared([row[0] for row in twice.collect()])

    def _in_spark(self, schema: str, *names: str) -> Any:
        """Return the files of a folder of the workdir as a DataFrame."""
        folder = self.workdir.path.joinpath(*names)
        return self._session.read.schema(schema).parquet(folder.as_uri())

    # Clusters.

    def _find_clusters(self) -> None:
        """Find the cluster of every row, and into how many parts they go."""
        done, workdir = self.workdir.done, self.workdir
        workdir.remove("keys")
        places = range(len(done.blocks))
        found = self._done_with("finding clusters", places, self._steps.connect)
        types, usable, named = (
            dict.fromkeys(name for one in found for name in getattr(one, kind))
            for kind in ("types", "usable", "named")
        )
        refuse_unknown(self.options, types, usable, named)
        largest, rows, over = self._join(found)
        parts = self.parts or parts_for(done.size, self.memory)
        most = self.max_cluster or max(-(-done.rows // parts), LEAST_CLUSTER)
        if rows > most:
            task = partial(self._steps.carried, largest=largest)
            carried = sum(self._done_with("large cluster", places, task), Counter[str]())
            raise too_large(carried, rows, done.rows, over(most), most)
        said = concatenate([self.frame("keys", "said", f"{place:05}.parquet") for place in places])
        remarks = self._remarks(said) if len(said.columns) else {}
        workdir.write(json.dumps(remarks).encode(), "facts", "remarks.json")
        # So that executors do not wait for one of them.
        tasks = min(len(done.blocks), done.rows // LEAST_CLUSTER)
        done.parts = self.parts or max(parts, tasks)
        done.rows_in = [0] * done.parts
        workdir.record()

    def _join(self, found: Sequence[Connecting]) -> tuple[int, int, Callable[[int], int]]:
        """Join the clusters of blocks; return the largest, its rows, and how many have more.

        Returns
        -------
        largest, rows : int
        over : callable
            Takes a number of rows, and returns how many clusters have more.
        """
        if sum(one.keys for one in found) * OF_A_KEY <= self.memory:
            return self._join_here()
        moved = least_in_spark(self._in_spark("hash long, node long", "keys", "hashes"))
        of_block = partial(_write_moved, steps=self._steps)
        by_place = moved.selectExpr("node >> 32 AS place", "node", "root").groupBy("place")
        by_place.applyInPandas(of_block, "place long").collect()
        sizes = self._in_spark("node long, rows long", "keys", "sizes")
        whole = sizes.join(moved, "node", "left").selectExpr("coalesce(root, node) AS node", "rows")
        summed = whole.groupBy("node").agg({"rows": "sum"}).toDF("node", "rows")
        largest = summed.orderBy("rows", "node", ascending=[False, True]).limit(1).collect()
        node, rows = largest[0] if largest else (-1, 0)
        return node, rows, lambda most: int(summed.where(f"rows > {most}").count())

    def _join_here(self) -> tuple[int, int, Callable[[int], int]]:
        """Do as `_join` does, on the driver."""
        places = range(len(self.workdir.done.blocks))
        keys, sizes = (
            pd.concat(
                [self.frame("keys", name, f"{place:05}.parquet") for place in places],
                ignore_index=True,
            )
            for name in ("hashes", "sizes")
        )
        moved = least_of(keys["hash"].to_numpy(), keys["node"].to_numpy())
        for place, table in moved_in(moved):
            self.workdir.write_rows(written(table), "keys", "moved", f"{place:05}.parquet")
        rows = sizes["rows"].groupby(rooted(sizes["node"].to_numpy(), moved)).sum()
        if not len(rows):
            return -1, 0, lambda _: 0
        return int(rows.idxmax()), int(rows.max()), lambda most: int((rows > most).sum())

    # Splitting, and stitching.

    def _split_blocks(self) -> None:
        """Let executors write the rows of each block by part."""
        done, workdir = self.workdir.done, self.workdir
        workdir.remove("rows")
        counts = self._done_with("splitting", range(len(done.blocks)), self._steps.split)
        rows_in = np.zeros(done.parts, dtype=np.int64)
        for number, rows in (one for some in counts for one in some):
            rows_in[number] += rows
        done.rows_in, done.split = rows_in.tolist(), len(done.blocks)
        workdir.record()

    def stitch_parts(self) -> None:
        """Let executors stitch the parts that are not stitched yet."""
        done, facts = self.workdir.done, self.workdir.path / "facts"
        if done.stitched == done.parts:
            return
        # What is written last of a part.
        left = [
            number
            for number in range(done.parts)
            if not (facts / f"part-{number:05}.json").exists()
        ]
        self._done_with("stitching", left, self._steps.stitch)
        done.stitched = done.parts
        self.workdir.record()

    # Asking.

    def of_each_rows(self, of_rows: Callable[[pd.DataFrame, IntArray], Kept], /) -> Iterator[Kept]:
        """Yield what a function keeps of the rows of each part: executors call it."""
        ask = partial(self._steps.ask_rows, of_rows=of_rows)
        return each_of(self._session, range(self.workdir.done.parts), ask)

    @property
    def keeps_the_only_part(self) -> bool:
        """Never: a part is asked in an executor."""
        return False

    def _of_each(self, of_part: Callable[[int, StitchedEvents], Kept], /) -> Iterator[Kept]:
        ask = partial(self._steps.ask, of_part=of_part)
        parts = self.workdir.done.parts
        for number, kept in enumerate(each_of(self._session, range(parts), ask)):
            tell_parts(number + 1, parts)
            yield kept


def run_in_spark(
    frame: Any,
    options: StitchOptions,
    columns: Any,
    workdir: str | Path,
    *,
    memory: int,
    max_cluster: int | None = None,
    progress: bool | None = None,
    parts: int | None = None,
    only_checked: bool = False,
) -> SparkRun:
    """Return a run over a Spark DataFrame, finished in its executors. See `stitch`.

    Parameters
    ----------
    frame : pyspark.sql.DataFrame
        With a column `row` of integers that are in no row twice.
    options : StitchOptions
    columns : object
        As `stitch` takes them.
    workdir : str or pathlib.Path
        A directory that all executors share.
    memory : int
        How many bytes a task may take.
    max_cluster, progress, parts, only_checked
        As `finished_run` takes them.

    Raises
    ------
    ColumnError
        A column `row` of integers is missing, or two rows have the same.
    ConvergekitError
        As `stitch` raises it with `workdir`; executors do not reach the workdir; or Spark gave up.
    """
    refuse_unnumbered(frame)
    asked = options_told(options, columns, only_checked)
    source = RowSource(told_by(frame), [], numbered=True)
    with opened(workdir, {"options": asked, "source": source.said}) as directory:
        bar = ProgressBar(progress)
        run = SparkRun(
            source,
            options,
            columns,
            directory,
            memory,
            max_cluster,
            parts,
            bar,
            given=frame,
            only_checked=only_checked,
        )
        run.finish()
        bar.close()
    return run


def _write_moved(table: pd.DataFrame, *, steps: SparkSteps) -> pd.DataFrame:
    """Write which clusters of a block are of a larger one."""
    workdir = steps.run().workdir
    for place, moved in moved_in(table[["node", "root"]]):
        workdir.write_rows(written(moved), "keys", "moved", f"{place:05}.parquet")
    return table[["place"]].head(1)

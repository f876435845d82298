"""Stitching by parts, step by step: read, find clusters, split, stitch. Each step goes on."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from convergekit.base.garbage import garbage_let_be
from convergekit.checks.tracking import AskedCheckUp, with_aliases
from convergekit.errors import ConvergekitError, ReadError
from convergekit.events.canonical import check_required
from convergekit.events.normalise import (
    refuse_unknown_nothing,
    remarks_of_readers,
    replaced_remark,
)
from convergekit.explore.asked import tell_parts
from convergekit.identity.aliases import refuse_unknown_types
from convergekit.identity.blocking import blocked_types
from convergekit.identity.options import StitchOptions
from convergekit.identity.pipeline import refuse_types_not_there, refuse_unknown_events
from convergekit.identity.tables import StitchedEvents
from convergekit.parts.about import AboutPart
from convergekit.parts.clusters import (
    Carried,
    Hashes,
    carries,
    clusters,
    part_of,
)
from convergekit.parts.content import part_of_content
from convergekit.parts.each import Kept
from convergekit.parts.facts import FactsOfTheWhole, LearnedByParts, Wanted, facts_of, knowing
from convergekit.parts.large import refuse_large
from convergekit.parts.memory import (
    LEAST_CLUSTER,
    OF_A_BLOCK,
    TIMES_ROWS,
    USUAL,
    at_once_in,
    at_once_of,
    bytes_of,
    parts_for,
)
from convergekit.parts.part import said_of_rows, stitched_part, tracked_part
from convergekit.parts.progress import ProgressBar
from convergekit.parts.rows import (
    CARRIED,
    ROW,
    Witnesses,
    carried_over,
    numbers_apart,
    opened_block,
    read,
    refuse_shared_numbers,
    with_rows,
    witnesses_in,
    written,
)
from convergekit.parts.source import RowSource, source_of
from convergekit.parts.spark.frames import is_of_spark
from convergekit.parts.stitched_part import NumbersError, PartFiles, left_out_of, numbers_of
from convergekit.parts.workdir import (
    Workdir,
    content_of,
    not_as_written,
    opened,
    temporary,
    told,
)
from convergekit.readers.concatenate import concatenate
from convergekit.readers.own.columns import with_own_columns
from convergekit.typing import IntArray
from convergekit.visits.traffic import kinds_sent, page_hosts

if TYPE_CHECKING:
    from convergekit.parts.result import StitchedParts

#: The part of rows that carry nothing which connects them: their content says it.
ALONE = np.iinfo(np.uint16).max
#: Of so many rows the part is computed at a time.
_AT_ONCE = 1 << 20
#: What rows have where there are none.
NO_COLUMNS = ["event_id", "event_name", "timestamp", "source", "aliases"]
#: The file of the part of each row, which is needed until rows are split.
PART_OF_ROW = "part_of_row.bin"
TABLES = ("events", "profiles", "aliases", "duplicates", "rejected")


@dataclass(eq=False)
class Run:
    """A run: a source that is stitched part by part in a directory.

    Attributes
    ----------
    source : RowSource
    options : StitchOptions
    columns : object
        The columns of the source, as `stitch` takes them.
    workdir : Workdir
    memory : int
        How many bytes a part may take.
    max_cluster : int or None
        The most rows that a cluster may have; None for those of a part.
    parts : int or None
        How many parts there are to be, where that does not follow from the memory.
    bar : ProgressBar
    only_checked : bool
        Whether the rows are checked, and never stitched: aliases may be missing.
    """

    source: RowSource
    options: StitchOptions
    columns: Any
    workdir: Workdir
    memory: int
    max_cluster: int | None
    parts: int | None
    bar: ProgressBar
    only_checked: bool = field(default=False, kw_only=True)

    def finish(self) -> None:
        """Do what is not done yet."""
        self.divide()
        if not self.only_checked:
            self.stitch_parts()

    def divide(self) -> None:
        """Do what is not done yet until the rows of each part are known."""
        done = self.workdir.done
        if not done.read:
            self._read()
        self._check_columns()
        if not done.parts:
            self._find_clusters()
        self._split_blocks()
        self.workdir.remove("blocks")
        self.workdir.remove("facts", PART_OF_ROW)

    def stitch_parts(self) -> None:
        """Stitch the parts that are not stitched yet."""
        done = self.workdir.done
        left = range(done.stitched, done.parts)
        for number, _ in zip(left, self._each(left, "stitch", self.write_part), strict=True):
            done.stitched = number + 1
            self.workdir.record()
            self.bar.tell("stitching", number + 1, done.parts)

    @property
    def at_once(self) -> int:
        """At how many parts it is worked at once, each by a process."""
        done = self.workdir.done
        largest = max(done.rows_in, default=0)
        return at_once_of(done.parts, done.size, self.memory, done.rows, largest)

    def _each(
        self,
        numbers: Sequence[int],
        step: str,
        here: Callable[[int], Kept],
        **asked: Callable[..., Any],
    ) -> Iterator[Kept]:
        """Yield what comes of each number, in order: side by side, or here one after the other.

        Parameters
        ----------
        numbers : sequence of int
            Of parts, or of blocks.
        step : str
            That of `Steps` which other processes do.
        here : callable
            Does as much in this one.
        **asked : callable
            What the step is asked.
        """
        if self.at_once > 1 and len(numbers) > 1:
            from convergekit.parts.beside import each_beside, sendable
            from convergekit.parts.steps import Steps

            task = partial(getattr(Steps.of(self), step), **asked)
            if sendable(task):
                yield from each_beside(numbers, task, self.at_once)
                return
        for number in numbers:
            with garbage_let_be():
                kept = here(number)
            # What the part made is young: nothing else has to be looked at.
            gc.collect(0)
            yield kept

    # Reading.

    @staticmethod
    def block_file(place: int) -> str:
        """Return the name of a block's file."""
        return f"{place:05}{CARRIED}"

    def _read(self) -> None:
        """Write the rows in blocks, unit by unit."""
        done, workdir = self.workdir.done, self.workdir
        units = self.source.units
        for number in range(done.units, len(units)):
            sizes: list[int] = []
            for block in self._blocks(units[number]()):
                place, first = len(done.blocks) + len(sizes), done.rows + sum(sizes)
                sizes.append(len(block))
                done.size += memory_of(block)
                types = written(witnesses_in(block))
                workdir.write_rows(types, "facts", f"types-{place:05}.parquet")
                if not self.source.numbered:
                    row = np.arange(first, first + len(block))
                    block = with_rows(block, row)
                # Those of a single part are moved, and stay.
                for_now = done.size * TIMES_ROWS > self.memory
                content = carried_over(block, for_now=for_now)
                workdir.write_rows(content, "blocks", self.block_file(place))
            done.blocks += sizes
            done.units = number + 1
            workdir.record()
            self.bar.tell("reading", number + 1, len(units))
        if not done.blocks:
            nothing = pd.DataFrame(columns=NO_COLUMNS, dtype="str")
            numbered = with_rows(nothing, np.empty(0, dtype=np.int64))
            workdir.write_rows(carried_over(numbered, for_now=False), "blocks", self.block_file(0))
            workdir.write_rows(written(nothing), "facts", "types-00000.parquet")
            done.blocks = [0]
        done.read = True
        workdir.record()

    def _blocks(self, frames: Iterator[Any]) -> Iterator[pd.DataFrame]:
        """Yield the frames of a unit under canonical names, several together."""
        held: list[pd.DataFrame] = []
        size = 0
        for given in frames:
            rows, own = numbers_apart(given) if self.source.numbered else (given, {})
            named, names = with_own_columns(rows, self.columns)
            frame, replaced = opened_block(named, names)
            if not frame.columns.size:
                continue
            frame = frame.assign(**own)
            known = self.workdir.done.replaced
            known += [name for name in replaced if name not in known]
            held.append(frame)
            size += memory_of(frame)
            if size >= self.memory * OF_A_BLOCK:
                yield concatenate(held)
                held, size = [], 0
        if held:
            yield concatenate(held)

    @cached_property
    def witnesses(self) -> Witnesses:
        """What tells the types of columns."""
        frames = (
            self.frame("facts", f"types-{place:05}.parquet")
            for place in range(len(self.workdir.done.blocks))
        )
        return Witnesses.of(frames, of_one=self.source.numbered)

    def _check_columns(self) -> None:
        """Raise unless there are the columns that are needed, and that options name."""
        rows = self.witnesses.typed(self.witnesses.frames)
        check_required(rows)
        # What stitching refuses of columns it refuses of a few rows as well.
        row = np.arange(len(rows))
        if self.only_checked:
            tracked_part(rows, row, self.options, AskedCheckUp())
        else:
            stitched_part(rows, row, self.options)
        refuse_unknown_nothing(rows, self.options.nothing)

    def frame(
        self, *path: str, names: Collection[str] | None = None, unread: bool = False
    ) -> pd.DataFrame:
        """Return the rows of a file of the workdir, or some of their columns.

        Parameters
        ----------
        *path : str
        names : collection of str, optional
        unread : bool
            Whether texts are not read before something looks at them.

        Raises
        ------
        ReadError
            It is lost, or not as it was written.
        """
        content, told = self.workdir.read(*path), partial(not_as_written, self._path(*path))
        try:
            return read(content, names, told if unread else None)
        except ReadError as error:
            raise told(error) from None

    def _path(self, *names: str) -> Path:
        return self.workdir.path.joinpath(*names)

    # Clusters.

    def _find_clusters(self) -> None:
        """Find the part of every row."""
        done, workdir = self.workdir.done, self.workdir
        names = {name for name in self.witnesses.columns if carries(name, self.options)}
        told = said_of_rows(self.witnesses.columns)
        if self.options.rename_events:
            told |= {"event_name"}
        hashes, first = Hashes(workdir), 0
        carrying = np.zeros(done.rows, dtype=bool)
        types: dict[str, None] = {}
        usable: set[str] = set()
        named: dict[str, None] = {}
        said: list[pd.DataFrame] = []
        numbers: list[pd.Series] = []
        for place, rows in enumerate(done.blocks):
            block = self._block(place, names | told | {ROW})
            carried = Carried.of(self.typed(block, names), self.options)
            said.append(block[[name for name in block.columns if name in told]])
            if self.source.numbered:
                numbers.append(block[ROW])
            keys, row = carried.keys()
            hashes.add(keys, row + first)
            carrying[row + first] = True
            first += rows
            types |= dict.fromkeys(carried.types)
            named |= dict.fromkeys(carried.aliases.table["alias_type"].cat.categories)
            usable |= set(carried.aliases.types.categories)
            self.bar.tell("finding clusters", place + 1, len(done.blocks))
        refuse_unknown(self.options, types, usable, named)
        refuse_shared_numbers(numbers)
        cluster = clusters(hashes.links(), done.rows)
        at_once = at_once_in(self.memory, done.rows)
        parts = self.parts or parts_for(done.size, self.memory, at_once)
        # How large a cluster may be does not depend on the machine.
        alone = self.parts or parts_for(done.size, self.memory)
        most = self.max_cluster or max(-(-done.rows // alone), LEAST_CLUSTER)
        refuse_large(done.blocks, self._block, self.witnesses, self.options, cluster, most)
        part = np.empty(done.rows, dtype=np.uint16)
        for at in range(0, done.rows, _AT_ONCE):
            part[at : at + _AT_ONCE] = part_of(cluster[at : at + _AT_ONCE], parts)
        part[~carrying] = ALONE
        workdir.write(part.tobytes(), "facts", PART_OF_ROW)
        remarks = self._remarks(concatenate(said)) if told else {}
        workdir.write(json.dumps(remarks).encode(), "facts", "remarks.json")
        done.parts, done.rows_in = parts, [0] * parts
        workdir.record()

    def _block(self, place: int, names: Collection[str] | None = None) -> pd.DataFrame:
        return self.frame("blocks", self.block_file(place), names=names)

    def _remarks(self, said: pd.DataFrame) -> dict[str, int]:
        """Return what is said of all rows together; refuse names that no event has."""
        if "event_name" in said and self.options.rename_events:
            refuse_unknown_events(self.options.rename_events, said)
        return remarks_of_readers(said)

    @cached_property
    def remarks(self) -> dict[str, int]:
        """What is said of all rows together."""
        done = self.workdir.done
        content = self.workdir.read("facts", "remarks.json")
        try:
            found: dict[str, int] = json.loads(content)
        except ValueError as error:
            raise not_as_written(self._path("facts", "remarks.json"), error) from None
        return found | replaced_remark(done.replaced, done.rows)

    def typed(self, block: pd.DataFrame, names: Collection[str]) -> pd.DataFrame:
        """Return some columns of a block in the types that all rows have."""
        typed = self.witnesses.typed([block], names)
        if not len(typed.columns):
            # Rows without any of the columns are rows all the same.
            typed = pd.DataFrame(index=pd.RangeIndex(len(block)))
        return with_aliases(typed, self.options.alias_from) if self.only_checked else typed

    # Splitting.

    def _split_blocks(self) -> None:
        """Write the rows of the blocks by part, of those of which that is not done."""
        done, workdir = self.workdir.done, self.workdir
        left = range(done.split, len(done.blocks))
        for place, counts in zip(left, self._each(left, "split", self.split), strict=True):
            for number, rows in counts:
                done.rows_in[number] += rows
            done.split = place + 1
            workdir.record()
            workdir.remove("blocks", self.block_file(place))
            self.bar.tell("splitting", place + 1, len(done.blocks))

    def split(self, place: int) -> list[tuple[int, int]]:
        """Write the rows of a block by part; return how many are of which."""
        done = self.workdir.done
        if done.parts == 1:
            file = self.block_file(place)
            self.workdir.move(("blocks", file), ("rows", "00000", file))
            return [(0, done.blocks[place])]
        return list(self.write_split(place, self._block(place), self._part_of(place)))

    def _part_of(self, place: int) -> IntArray:
        """Return the part of each row of a block."""
        done, path = self.workdir.done, self._path("facts", PART_OF_ROW)
        rows, first = done.blocks[place], sum(done.blocks[:place])
        size = np.dtype(np.uint16).itemsize
        content = content_of(path, begin=first * size, length=rows * size)
        if len(content) != rows * size:
            raise not_as_written(path, ValueError("it ends before its last row"))
        return np.frombuffer(content, dtype=np.uint16).astype(np.int64)

    def write_split(
        self, place: int, block: pd.DataFrame, part: IntArray
    ) -> Iterator[tuple[int, int]]:
        """Write the rows of a block to their parts; yield how many are of which.

        Parameters
        ----------
        place : int
            The number of the block.
        block : pandas.DataFrame
            With `ROW`.
        part : numpy.ndarray of int
            Of each row; `ALONE` for those of which the content says it.
        """
        parts = self.workdir.done.parts
        alone = np.flatnonzero(part == ALONE)
        part = part.copy()
        part[alone] = part_of_content(block.iloc[alone], parts, self.options)
        order = np.argsort(part, kind="stable")
        ends = np.searchsorted(part[order], np.arange(parts + 1))
        for number in range(parts):
            at = order[ends[number] : ends[number + 1]]
            if len(at):
                rows = carried_over(block.iloc[at], for_now=False)
                self.workdir.write_rows(rows, "rows", f"{number:05}", f"{place:05}{CARRIED}")
                yield number, len(at)

    # Stitching.

    def part(self, number: int) -> StitchedEvents:
        """Return a part, stitched, without what it has to know of the whole."""
        if self.workdir.done.parts > 1:
            return self._loaded(number)
        # A part fits into the memory: that of all rows is not loaded twice.
        return self._only_part

    @cached_property
    def _only_part(self) -> StitchedEvents:
        return self._loaded(0)

    def _loaded(self, number: int) -> StitchedEvents:
        """Return a part as `write_part` wrote it."""
        name = f"{number:05}.parquet"
        files = PartFiles(
            table=lambda table, names=None: self.frame(
                "tables", table, name, names=names, unread=True
            ),
            left_out=lambda what: self.frame("facts", f"{what}-{name}"),
            numbers=lambda: self.workdir.read("facts", f"numbers-{number:05}.arrow"),
            stitched_again=lambda: self.from_rows(number),
        )
        try:
            return files.load(self.options)
        except NumbersError as error:
            path = self._path("facts", f"numbers-{number:05}.arrow")
            raise not_as_written(path, error) from None

    def from_rows(self, number: int) -> StitchedEvents:
        """Return a part, stitched from its rows."""
        rows, row = self.rows_of(number)
        given = [rows]
        # Only who stitches holds the rows, and lets them go when they are read.
        del rows
        return stitched_part(given.pop(), row, self.options)

    def of_each_rows(self, of_rows: Callable[[pd.DataFrame, IntArray], Kept], /) -> Iterator[Kept]:
        """Yield what a function keeps of the rows of each part, and of their places among all."""

        def here(number: int) -> Kept:
            return of_rows(*self.rows_of(number))

        return self._each(range(self.workdir.done.parts), "ask_rows", here, of_rows=of_rows)

    def rows_of(self, number: int) -> tuple[pd.DataFrame, IntArray]:
        """Return the rows of a part, in the types of all, and their places among all."""
        folder = self.workdir.path / "rows" / f"{number:05}"
        files = sorted(folder.glob(f"*{CARRIED}")) if folder.is_dir() else []
        pieces = [self.frame("rows", folder.name, path.name) for path in files]
        there, rows_in = sum(map(len, pieces)), self.workdir.done.rows_in[number]
        if there != rows_in:
            raise ReadError(
                f"{folder}: {there:,} of {rows_in:,} rows are there; files of the run are lost. "
                "Remove the workdir, or give another one, and stitch again."
            )
        of_pieces = [piece[ROW].to_numpy(dtype=np.int64) for piece in pieces]
        row = np.concatenate([np.empty(0, np.int64), *of_pieces])
        given = [self.witnesses.typed(pieces)]
        del pieces, of_pieces
        if (row[1:] < row[:-1]).any():
            # The blocks were not in the order of the rows.
            order = np.argsort(row)
            given, row = [given.pop().take(order).reset_index(drop=True)], row[order]
        return given.pop(), row

    def write_part(self, number: int) -> None:
        """Stitch a part, and write its tables and what else there is to know of it."""
        s = self.from_rows(number)
        file = f"{number:05}.parquet"
        for name in TABLES:
            self.workdir.write_rows(written(getattr(s, name)), "tables", name, file)
        kind, kinds = sent = kinds_sent(s.events)
        for name, frame in {**left_out_of(s), "sent": kinds}.items():
            self.workdir.write_rows(written(frame), "facts", f"{name}-{file}")
        self.workdir.write_rows(numbers_of(s, kind), "facts", f"numbers-{number:05}.arrow")
        self.workdir.write(AboutPart.of(s).written(), "facts", f"part-{number:05}.json")
        # The last: a part that has it is done.
        self.workdir.write_rows(written(page_hosts(*sent)), "facts", f"hosts-{file}")

    def table_files(self, name: str) -> list[Path]:
        """Return the files of a table, part by part."""
        return path_of(self.workdir, name)

    @cached_property
    def about(self) -> list[AboutPart]:
        """What is kept of each part."""
        return [
            AboutPart.read(self.workdir.read("facts", f"part-{number:05}.json"))
            for number in range(self.workdir.done.parts)
        ]

    @cached_property
    def facts(self) -> FactsOfTheWhole:
        """What every part has to know of the whole."""
        return self.facts_by(self.options)

    def facts_by(self, options: StitchOptions) -> FactsOfTheWhole:
        """Return what every part has to know of the whole, by these options."""
        numbers = range(self.workdir.done.parts)
        hosts = [self.frame("facts", f"hosts-{number:05}.parquet") for number in numbers]

        def times() -> Iterator[pd.DataFrame]:
            return (self.times(number, "timestamp", "received_at") for number in numbers)

        return facts_of(self.about, times, hosts, options)

    def times(self, number: int, *names: str) -> pd.DataFrame:
        """Return columns of a part's events, as far as it has them."""
        return self.frame("tables", "events", f"{number:05}.parquet", names=names)

    @property
    def data_end(self) -> pd.Timestamp:
        """Until when profiles are observed."""
        return self.facts.observed.end

    @cached_property
    def learned(self) -> LearnedByParts:
        """What visits are told by."""
        return LearnedByParts(self.facts, self._asked)

    def of_each(self, of_part: Callable[[int, StitchedEvents], Kept], /) -> Iterator[Kept]:
        """Ask each part, with what it has to know; one is in memory at a time. See `EachPart`."""
        if self.keeps_the_only_part:
            yield of_part(0, self._only_given)
            return
        yielded = 0
        while yielded < self.workdir.done.parts:
            ask = partial(knowing, of_part=of_part, facts=self.facts, learned=self.learned)
            answers: Iterator[tuple[int, Any]] = enumerate(self._of_each(ask))
            for number, answer in answers:
                if isinstance(answer, Wanted) and answer.of == self.learned.name:
                    self._learn(answer, dict([(number, answer), *answers]))
                    break
                if number == yielded:
                    yield answer
                    yielded += 1

    @property
    def keeps_the_only_part(self) -> bool:
        """Whether the part stays in memory: there is one, which fits."""
        return self.workdir.done.parts == 1

    def _learn(self, wanted: Wanted, answers: Mapping[int, Any]) -> None:
        """Learn what parts elsewhere had to know, of what they answered instead."""
        found = [answers.get(number) for number in range(self.workdir.done.parts)]
        asked = (wanted.of, wanted.rules)
        if all(isinstance(one, Wanted) and (one.of, one.rules) == asked for one in found):
            self.learned.learn(*wanted.rules, [one.spoken for one in found if one is not None])
        else:
            self.learned.spoken(*wanted.rules)

    @cached_property
    def _only_given(self) -> StitchedEvents:
        """The only part, which keeps what was found of it, as memory does."""
        return self.facts.given_to(self.part(0), self.learned.of_all)

    def of_one(self, number: int, of_part: Callable[[int, StitchedEvents], Kept], /) -> Kept:
        """Ask one part, with what it has to know. See `OnePart`."""
        return of_part(number, self.facts.given_to(self.part(number), self.learned.of_all))

    def _of_each(self, of_part: Callable[[int, StitchedEvents], Kept], /) -> Iterator[Kept]:
        """Ask each part."""
        parts = self.workdir.done.parts
        kept = self._each(range(parts), "ask", self._asking(of_part), of_part=of_part)
        for number, one in enumerate(kept):
            tell_parts(number + 1, parts)
            yield one

    def _asked(self, of_part: Callable[[int, StitchedEvents], Kept], /) -> Iterator[Kept]:
        """Ask each part, one after the other."""
        parts, here = self.workdir.done.parts, self._asking(of_part)
        for number in range(parts):
            with garbage_let_be():
                kept = here(number)
            gc.collect(0)
            tell_parts(number + 1, parts)
            yield kept

    def _asking(self, of_part: Callable[[int, StitchedEvents], Kept]) -> Callable[[int], Kept]:
        def here(number: int) -> Kept:
            return of_part(number, self.part(number))

        return here


def stitched_by_parts(
    events: Any,
    options: StitchOptions,
    columns: Any,
    workdir: str | Path | None,
    *,
    memory: str | None = None,
    max_cluster: int | None = None,
    progress: bool | None = None,
    parts: int | None = None,
) -> StitchedParts:
    """Stitch events part by part. See `stitch`.

    Parameters
    ----------
    events : path, pattern, Arrow, or a DataFrame of Spark
    options : StitchOptions
    columns : object
        As `stitch` takes them.
    workdir : str, pathlib.Path or None
        None for a directory that lives as long as the result.
    memory, max_cluster, progress
        As `stitch` takes them.
    parts : int, optional
        How many parts there are; by default what follows from the memory.

    Raises
    ------
    As `stitch` does with `workdir`.
    """
    from convergekit.parts.result import StitchedParts

    return StitchedParts(
        finished_run(
            events,
            options,
            columns,
            workdir,
            memory=memory,
            max_cluster=max_cluster,
            progress=progress,
            parts=parts,
        )
    )


def finished_run(
    events: Any,
    options: StitchOptions,
    columns: Any,
    workdir: str | Path | None,
    *,
    memory: str | None = None,
    max_cluster: int | None = None,
    progress: bool | None = None,
    parts: int | None = None,
    only_checked: bool = False,
) -> Run:
    """Return a run over events, which is finished. See `stitched_by_parts`.

    Parameters
    ----------
    events, options, columns, workdir, memory, max_cluster, progress, parts
        As `stitched_by_parts` takes them.
    only_checked : bool, default False
        Whether the rows of each part are enough.
    """
    from convergekit.parts.engines.fetched import FetchedRun

    size = bytes_of(USUAL if memory is None else memory)
    if max_cluster is not None and (isinstance(max_cluster, bool) or max_cluster < 1):
        raise ConvergekitError(
            f"max_cluster must be a whole number of rows from 1; got {max_cluster!r}."
        )
    if is_of_spark(events):
        if workdir is None:
            raise ConvergekitError(
                "a Spark DataFrame needs workdir=, a directory that the driver and all executors "
                "share."
            )
        from convergekit.parts.spark.stitching import run_in_spark

        return run_in_spark(
            events,
            options,
            columns,
            workdir,
            memory=size,
            max_cluster=max_cluster,
            progress=progress,
            parts=parts,
            only_checked=only_checked,
        )
    source = source_of(events)
    said = {"options": options_told(options, columns, only_checked), "source": source.said}
    with temporary(said) if workdir is None else opened(workdir, said) as directory:
        bar = ProgressBar(progress)
        kind = Run if source.clusters is None else FetchedRun
        run = kind(
            source,
            options,
            columns,
            directory,
            size,
            max_cluster,
            parts,
            bar,
            only_checked=only_checked,
        )
        run.finish()
        bar.close()
    return run


def options_told(options: StitchOptions, columns: Any, only_checked: bool) -> dict[str, str]:
    """Return what tells a run from another of the same source."""
    asked = {name: told(value) for name, value in {**vars(options), "columns": columns}.items()}
    return asked | ({"check_up": "only the rows"} if only_checked else {})


def refuse_unknown(
    options: StitchOptions, types: Iterable[str], usable: Iterable[str], named: Iterable[str]
) -> None:
    """Raise if an option names an alias type that no row carries."""
    known, left = sorted(types), sorted(usable)
    refuse_unknown_types("rules", options.rules.rules, known)
    refuse_unknown_types("block", blocked_types(options.block, options.rules), known)
    refuse_unknown_types("max_age", options.max_age, left)
    refuse_unknown_types("limits", options.protection.limits, left)
    refuse_types_not_there(dict.fromkeys(named), options)


def memory_of(frame: pd.DataFrame) -> int:
    """Return how many bytes the rows of a frame take."""
    return int(frame.memory_usage(index=False, deep=True).sum())


def path_of(workdir: Workdir, name: str) -> list[Path]:
    """Return the files of a table, part by part."""
    return [
        workdir.path / "tables" / name / f"{number:05}.parquet"
        for number in range(workdir.done.parts)
    ]

"""The clusters of an engine's table, found in the engine: rows linked by what they share.

A vertex is the first row that carries a value; a link is of two of these, both of whose values some
row carries. So there are no more vertices than values, and numbers come from the table alone: a run
that goes on finds the same clusters again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import ibis
import pyarrow as pa

from convergekit.identity.options import StitchOptions
from convergekit.parts.engines.carriers import (
    Carrier,
    compared,
    is_for_memory,
    judged,
    urn_of,
)
from convergekit.parts.engines.links import connected_components
from convergekit.parts.engines.scratch import Scratch, number_of
from convergekit.parts.rows import PART, ROW, shared_numbers

#: A value that so many rows carry may be a placeholder, which would connect them all.
MANY = 100
#: Into so many queries at most are the rows of all parts divided: each goes through the table.
MOST_FETCHES = 16
#: So many rows tell how much memory a row takes.
SAMPLE_ROWS = 10_000
BATCH_ROWS = 131_072
#: A Lehmer generator: rows that follow each other are of parts that do not.
_PRIME, _FACTOR = 2**31 - 1, 1_103_515_245
_NAMED = 3


@dataclass(frozen=True)
class LargestCluster:
    """The largest cluster of a table.

    Attributes
    ----------
    size : int
        How many rows it has.
    over : int
        How many clusters have more rows than they may have.
    carried : dict of str to int
        What most of its rows carry, and how many do.
    """

    size: int
    over: int
    carried: dict[str, int]


class ClusteredTable:
    """A table of an engine of which the clusters are known there.

    Parameters
    ----------
    table : ibis.Table
        With `ROW`, integers.
    carriers : sequence of Carrier
    options : StitchOptions

    Raises
    ------
    ColumnError
        Rows share a number, or have none.
    """

    def __init__(self, table: Any, carriers: Sequence[Carrier], options: StitchOptions) -> None:
        self._scratch = Scratch(table.get_backend())
        self._carriers, self._options = carriers, options
        self._table = self._scratch.stored(table)
        self.rows: int = _checked_count(self._table)
        self._values = self._distinct()
        self._clusters = self._found()

    def close(self) -> None:
        """Forget what was computed."""
        self._scratch.close()

    def sample(self) -> pa.Table:
        """Return some rows, from all over the table as far as their numbers are."""
        step = max(self.rows // SAMPLE_ROWS, 1)
        some = self._table.filter(self._table[ROW] % step == 0).limit(SAMPLE_ROWS)
        return some.to_pyarrow().drop_columns(ROW)

    def largest(self, most: int) -> LargestCluster | None:
        """Return the largest cluster, if it has more rows than it may have."""
        sizes = self._clusters.group_by("cluster").aggregate(size=self._clusters.count())
        over = sizes.filter(sizes["size"] > most)
        count = number_of(over.count())
        if not count:
            return None
        largest = over.order_by(over["size"].desc(), "cluster").limit(1).to_pyarrow().to_pylist()[0]
        inside = self._clusters.filter(self._clusters["cluster"] == largest["cluster"])
        narrow = self._narrow.semi_join(inside, ROW)
        counts = narrow.group_by("kind", "value").aggregate(rows=narrow.count())
        top = counts.order_by(counts["rows"].desc(), "kind", "value").limit(_NAMED)
        carried = {}
        for one in top.to_pyarrow().to_pylist():
            key = judged(self._kinds[one["kind"]], [one["value"]], self._options)[0]
            if key is not None:
                carried[urn_of(key)] = one["rows"]
        return LargestCluster(largest["size"], count, carried)

    def units(self, parts: int, alone: int) -> list[Callable[[], Iterator[pa.Table]]]:
        """Return what fetches the rows, with `ROW` and `PART`, some parts at a time.

        Parameters
        ----------
        parts : int
            How many parts there are.
        alone : int
            The part of rows that carry nothing; they are fetched last.
        """
        fetches = min(parts, MOST_FETCHES)
        found = [partial(self._fetched, number, fetches, parts) for number in range(fetches)]
        return [*found, partial(self._alone, alone)]

    def _fetched(self, number: int, fetches: int, parts: int) -> Iterator[pa.Table]:
        cluster = self._clusters["cluster"]
        mixed = (cluster % _PRIME + _PRIME) % _PRIME * _FACTOR % _PRIME
        part_of = self._clusters.select(ROW, **{PART: (mixed % parts).cast("int64")})
        chosen = part_of.filter(part_of[PART] % fetches == number)
        joined = self._table.inner_join(chosen, ROW)
        return batches_of(joined.select(*self._table.columns, PART))

    def _alone(self, alone: int) -> Iterator[pa.Table]:
        rows = self._table.anti_join(self._clusters, ROW).select(*self._table.columns)
        return batches_of(rows.mutate(**{PART: ibis.literal(alone, type="int64")}))

    @property
    def _kinds(self) -> list[str]:
        return list(dict.fromkeys(carrier.kind for carrier in self._carriers))

    def _distinct(self) -> Any:
        """Return the distinct values: `kind`, `value`, the first row of it, and how many have it.

        It leaves what each row carries in `_narrow`.
        """
        columns = [
            self._table.select(
                ROW,
                kind=ibis.literal(self._kinds.index(carrier.kind), type="int64"),
                value=carrier.of(self._table),
            )
            for carrier in self._carriers
        ]
        narrow = ibis.union(*columns) if len(columns) > 1 else columns[0]
        narrow = narrow.filter(narrow["value"].notnull() & (narrow["value"].strip() != ""))
        self._narrow = self._scratch.keep(narrow)
        return self._scratch.keep(
            self._narrow.group_by("kind", "value").aggregate(
                first=self._narrow[ROW].min(), rows=self._narrow.count()
            )
        )

    def _found(self) -> Any:
        """Return the cluster of each row that carries something: `ROW`, `cluster`."""
        scratch = self._scratch
        first = scratch.keep(self._first_rows())
        narrow = self._narrow
        joined = narrow.inner_join(first, ["kind", "value"])
        carried = scratch.keep(joined.select(ROW, vertex="first").distinct())
        home = scratch.keep(carried.group_by(ROW).aggregate(home=carried["vertex"].min()))
        met = carried.inner_join(home, ROW).select(low="home", high="vertex")
        links = scratch.keep(met.filter(met["low"] != met["high"]).distinct())
        component = connected_components(scratch, links)
        joined = home.left_join(component, home["home"] == component["vertex"])
        found = scratch.keep(
            joined.select(
                **{ROW: home[ROW]}, cluster=ibis.coalesce(component["component"], home["home"])
            )
        )
        scratch.drop(first, carried, home, links)
        return found

    def _first_rows(self) -> Any:
        """Return the first row of what each value is compared as: `kind`, `value`, `first`."""
        values = self._values
        plain = ibis.cases(
            *((values["kind"] == number, compared(kind, values["value"]))
              for number, kind in enumerate(self._kinds))
        )  # fmt: skip
        told = values.select("kind", "value", "first", key=plain)
        by_memory = self._judged()
        if by_memory is not None:
            joined = told.left_join(by_memory, ["kind", "value"])
            told = joined.select(
                kind=told["kind"],
                value=told["value"],
                first=told["first"],
                key=ibis.coalesce(by_memory["other"], told["key"]),
            )
            told = told.filter(told["key"] != "")
        return told.mutate(first=told["first"].min().over(ibis.window(group_by="key")))

    def _judged(self) -> Any | None:
        """Return what values are compared as that an engine cannot judge: ``""`` for nothing."""
        values, asked = self._values, []
        for number, kind in enumerate(self._kinds):
            mine = values.filter(values["kind"] == number)
            own = is_for_memory(kind, mine["value"], self._options)
            mine = mine.mutate(for_memory=own).filter(own | (mine["rows"] > MANY))
            table = mine.select("value", "for_memory").to_pyarrow()
            texts = table["value"].to_pylist()
            found = judged(kind, texts, self._options)
            asked += [
                (number, text, key or "")
                for text, key, needed in zip(
                    texts, found, table["for_memory"].to_pylist(), strict=True
                )
                if needed or key is None
            ]
        if not asked:
            return None
        names = {"kind": "int64", "value": "string", "other": "string"}
        columns = dict(zip(names, map(list, zip(*asked, strict=True)), strict=True))
        return self._scratch.written(pa.table(columns), names)


def batches_of(table: Any) -> Iterator[pa.Table]:
    """Yield the rows of an Ibis table; one table without rows where it has none."""
    none = True
    for batch in table.to_pyarrow_batches(chunk_size=BATCH_ROWS):
        none = False
        yield pa.Table.from_batches([batch])
    if none:
        yield table.schema().to_pyarrow().empty_table()


def _checked_count(table: Any) -> int:
    """Return how many rows there are; raise unless they are numbered apart."""
    counts = table.aggregate(rows=table.count(), numbers=table[ROW].nunique())
    found = counts.to_pyarrow().to_pylist()[0]
    if found["rows"] != found["numbers"]:
        raise shared_numbers(found["numbers"], found["rows"])
    return int(found["rows"])

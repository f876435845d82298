"""A run over a table of which the engine finds the clusters: its rows are fetched by part."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np

from convergekit.parts.clusters import Carried, carries
from convergekit.parts.engines.clustered import ClusteredTable
from convergekit.parts.large import too_large
from convergekit.parts.memory import LEAST_CLUSTER, at_once_in, parts_for
from convergekit.parts.part import said_of_rows
from convergekit.parts.rows import CARRIED, PART, ROW, opened_block, witnesses_in, written
from convergekit.parts.stitching import ALONE, Run, memory_of, refuse_unknown
from convergekit.readers.concatenate import concatenate


class FetchedRun(Run):
    """A run of which an engine finds the clusters, where the table's columns let it."""

    def divide(self) -> None:
        """Do what is not done yet until the rows of each part are known."""
        find = self.source.clusters and self.source.clusters(self.columns, self.options)
        if find is None:
            super().divide()
            return
        done = self.workdir.done
        if not done.read:
            self.bar.tell("finding clusters", 0, 1)
            clustered = find()
            try:
                self._fetch(clustered)
            finally:
                clustered.close()
        self._check_columns()
        if done.split < len(done.blocks):
            self._look_over()

    def _fetch(self, clustered: ClusteredTable) -> None:
        """Fetch the rows of all parts, a few at a time."""
        done = self.workdir.done
        if not done.parts:
            done.size = self._size(clustered)
            at_once = at_once_in(self.memory, clustered.rows)
            parts = self.parts or parts_for(done.size, self.memory, at_once)
            # How large a cluster may be does not depend on the machine.
            alone = self.parts or parts_for(done.size, self.memory)
            most = self.max_cluster or max(-(-clustered.rows // alone), LEAST_CLUSTER)
            found = clustered.largest(most)
            if found is not None:
                counts = Counter(found.carried)
                raise too_large(counts, found.size, clustered.rows, found.over, most)
            done.parts, done.rows_in = parts, [0] * parts
            self.workdir.record()
        units = clustered.units(done.parts, ALONE)
        for number in range(done.units, len(units)):
            rows_in, sizes = list(done.rows_in), list(done.blocks)
            self._remove_from(len(sizes))
            for block in self._blocks(units[number]()):
                place, part = len(sizes), block.pop(PART).to_numpy(dtype=np.int64)
                for one, rows in self.write_split(place, block, part):
                    rows_in[one] += rows
                types = written(witnesses_in(block))
                self.workdir.write_rows(types, "facts", f"types-{place:05}.parquet")
                sizes.append(len(block))
            done.rows_in, done.blocks, done.units = rows_in, sizes, number + 1
            done.read = number + 1 == len(units)
            self.workdir.record()
            self.bar.tell("reading", number + 1, len(units))

    def _size(self, clustered: ClusteredTable) -> int:
        """Return how many bytes all rows take in memory, as far as some of them tell."""
        sample, _ = opened_block(clustered.sample(), self.columns)
        return memory_of(sample) * clustered.rows // max(len(sample), 1)

    def _remove_from(self, place: int) -> None:
        """Remove what a fetch left that was ended: its blocks are other ones the next time."""
        for path in self.workdir.path.glob(f"rows/*/*{CARRIED}"):
            if int(path.stem) >= place:
                self.workdir.remove(*path.relative_to(self.workdir.path).parts)

    def _look_over(self) -> None:
        """Refuse names that no row has, and keep what is said of all rows together."""
        names = {name for name in self.witnesses.columns if carries(name, self.options)}
        told = said_of_rows(self.witnesses.columns)
        if self.options.rename_events:
            told |= {"event_name"}
        types: set[str] = set()
        usable: set[str] = set()
        named: dict[str, None] = {}
        said = []
        for path in sorted(self.workdir.path.glob(f"rows/*/*{CARRIED}")):
            where = path.relative_to(self.workdir.path).parts
            block = self.frame(*where, names=names | told | {ROW})
            carried = Carried.of(self.typed(block, names), self.options)
            types |= set(carried.types)
            usable |= set(carried.aliases.types.categories)
            named |= dict.fromkeys(carried.aliases.table["alias_type"].cat.categories)
            said.append(block[[name for name in block.columns if name in told]])
        refuse_unknown(self.options, types, usable, named)
        remarks = self._remarks(concatenate(said)) if told and said else {}
        self.workdir.write(json.dumps(remarks).encode(), "facts", "remarks.json")
        self.workdir.done.split = len(self.workdir.done.blocks)
        self.workdir.record()

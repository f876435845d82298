"""Clusters: the rows that share an event ID or an alias, transitively.

A profile is never larger than its cluster, because dropped copies and links that limits refuse
connect a cluster too. Aliases and event IDs are compared by 64 bits of a hash. Should two of them
ever share these, two clusters count as one: more rows are stitched together than need be, with the
same outcome.

Hashes are written to files by their first bits, and each file is looked at by itself, so that it
is the rows, and not what they carry, that memory has to hold: 8 bytes each, and as much for a
sixteenth of the hashes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy

from convergekit.base.grouping import distinct
from convergekit.base.text import to_arrow
from convergekit.events.normalise import event_ids
from convergekit.events.schema import ALIAS, PROFILE_PROPERTY
from convergekit.identity.aliases import EventAliases
from convergekit.identity.options import StitchOptions
from convergekit.identity.pipeline import united_aliases
from convergekit.parts.workdir import Workdir, content_of
from convergekit.typing import IntArray

#: The files that hashes are written to.
FILES = 16
_SHIFT = np.uint64(60)
_ODD = np.uint64(0x9E3779B97F4A7C15)
_KEY = np.dtype([("hash", "<u8"), ("row", "<i8")])
_EVENT_ID = "event id"


@dataclass(frozen=True)
class Carried:
    """What the rows of a block carry that may connect them.

    Attributes
    ----------
    event_ids : pandas.Series of str
    aliases : EventAliases
    types : list of str
        The alias types of which some row carries a value, blocked ones included.
    """

    event_ids: pd.Series
    aliases: EventAliases
    types: list[str]

    @classmethod
    def of(cls, rows: pd.DataFrame, options: StitchOptions) -> Carried:
        """Return what rows carry, in the types that all rows have."""
        aliases, types = united_aliases(rows, options)
        return cls(event_ids(rows), aliases, types)

    def keys(self) -> tuple[npt.NDArray[np.uint64], IntArray]:
        """Return the hash of each event ID and alias that a row carries, and the row."""
        known = np.flatnonzero(self.event_ids.notna().to_numpy(dtype=bool))
        ids = to_arrow(self.event_ids.iloc[known]).to_numpy(zero_copy_only=False)
        types = self.aliases.types
        values = to_arrow(self.aliases.table["alias_value"]).to_numpy(zero_copy_only=False)
        of_types = hashed(types.categories.to_numpy(dtype=object))
        of_value = (hashed(values) * _ODD) ^ (of_types[types.codes] if len(values) else values)
        return (
            np.concatenate([hashed(ids) ^ hashed(np.array([_EVENT_ID], dtype=object)),
                            of_value.astype(np.uint64)[self.aliases.alias]]),
            np.concatenate([known, self.aliases.event]),
        )  # fmt: skip


def carries(name: str, options: StitchOptions) -> bool:
    """Return whether a column may connect rows."""
    from_properties = {
        PROFILE_PROPERTY + one.removeprefix(PROFILE_PROPERTY) for one in options.alias_from
    }
    return name in ("event_id", "aliases") or name.startswith(ALIAS) or name in from_properties


class Hashes:
    """The hashes of a run, in files by their first bits."""

    def __init__(self, workdir: Workdir) -> None:
        self._workdir = workdir
        workdir.remove("keys")

    def add(self, hashes: npt.NDArray[np.uint64], row: IntArray) -> None:
        """Add what rows carry."""
        which = (hashes >> _SHIFT).astype(np.int64)
        order = np.argsort(which, kind="stable")
        keys = np.empty(len(order), dtype=_KEY)
        keys["hash"], keys["row"] = hashes[order], row[order]
        ends = np.searchsorted(which[order], np.arange(FILES + 1))
        for number in range(FILES):
            part = keys[ends[number] : ends[number + 1]]
            self._workdir.append(part.tobytes(), "keys", f"{number:02}")

    def links(self) -> Iterator[tuple[IntArray, IntArray]]:
        """Yield pairs of rows that carry the same, one file's after the other; then remove it."""
        for number in range(FILES):
            path = self._workdir.file("keys", f"{number:02}")
            content = content_of(path) if path.exists() else b""
            keys = np.frombuffer(content, dtype=_KEY)
            self._workdir.remove("keys", f"{number:02}")
            order = np.argsort(keys["hash"], kind="stable")
            hashes, row = keys["hash"][order], keys["row"][order]
            same = hashes[1:] == hashes[:-1]
            yield row[:-1][same], row[1:][same]


def clusters(links: Iterator[tuple[IntArray, IntArray]], rows: int) -> npt.NDArray[Any]:
    """Return the cluster of each row: the first row of it, as 32 bits where these are enough.

    Examples
    --------
    >>> clusters(iter([(np.array([3]), np.array([1])), (np.array([1]), np.array([2]))]), 5).tolist()
    [0, 1, 1, 1, 4]
    """
    # It is what grows with all rows.
    label: npt.NDArray[Any] = np.arange(rows, dtype=np.int32 if rows < 2**31 else np.int64)
    for first, second in links:
        one, other = label[first], label[second]
        apart = one != other
        one, other = one[apart], other[apart]
        nodes = distinct(np.concatenate([one, other]))
        if not len(nodes):
            continue
        one, other = np.searchsorted(nodes, one), np.searchsorted(nodes, other)
        graph = scipy.sparse.coo_array(
            (np.ones(len(one), dtype=bool), (one, other)), shape=(len(nodes), len(nodes))
        )
        _, component = scipy.sparse.csgraph.connected_components(graph.tocsr(), directed=False)
        # The nodes ascend, so that the first of a component is its least.
        least = nodes[np.unique(component, return_index=True)[1]]
        # A label is the first row of its cluster so far, and labelled by itself.
        label[nodes] = least[component]
        label = label[label]
    return label


def part_of(cluster: npt.NDArray[Any], parts: int) -> IntArray:
    """Return the part of each row's cluster, of so many."""
    mixed = cluster.astype(np.uint64) * _ODD
    return ((mixed >> np.uint64(32)) % np.uint64(parts)).astype(np.int64)


def hashed(texts: npt.NDArray[np.object_]) -> npt.NDArray[np.uint64]:
    """Return a hash of each text, of 64 bits."""
    if not len(texts):
        return np.empty(0, dtype=np.uint64)
    return pd.util.hash_array(texts, categorize=False)

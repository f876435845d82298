"""What the report of a run warns of that hangs on all rows: what was lost, and what is shared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from convergekit.diagnostics.lost_rows import (
    Unreached,
    copies_of_files,
    counted_names,
    named_events,
    warnings_of_lost,
)
from convergekit.diagnostics.shared_values import Looks, shared_among
from convergekit.parts.about import AboutPart
from convergekit.parts.tables import PartsTable


@dataclass(frozen=True)
class KeptInParts:
    """The rows that were not lost, counted in the tables on the disk. See `KeptRows`.

    Attributes
    ----------
    table, duplicates : PartsTable
        The events, and the dropped copies.
    rejected : pandas.DataFrame
    events : int
        How many events there are.
    """

    table: PartsTable
    duplicates: PartsTable
    rejected: pd.DataFrame
    events: int

    def names(self, column: str) -> Mapping[str, int]:
        """Return how many rows are of each file, source or event name."""
        events = list(self.table.frames([column]))
        if column not in events[0]:
            return {}
        found = _added(counted_names(frame, column) for frame in events)
        if not len(self.duplicates):
            return found
        copies = list(self.duplicates.frames(["row", column]))
        if column in copies[0]:
            return found + _added(counted_names(frame, column) for frame in copies)
        known = [*self.table.frames(["row", column]), self.rejected[["row", column]]]
        rows = pd.concat([frame["row"] for frame in copies]).to_numpy()
        return found + copies_of_files(pd.concat(known), rows)

    def event_names(self) -> Mapping[str, int]:
        """Return how many events are of each name."""
        return _added(named_events(frame) for frame in self.table.frames(["event_name"]))


def lost_in_parts(
    about: Sequence[AboutPart], kept: KeptInParts, remarks: Mapping[str, int]
) -> list[str]:
    """Return the warnings on what most rows of a file, source or event name were lost for."""
    without: dict[str, Unreached] = {}
    for part in about:
        for name, said in part.unreached.items():
            found = Unreached(**said)
            without[name] = without[name] + found if name in without else found
    return warnings_of_lost(kept.rejected, kept, remarks, without)


def shared_in_parts(about: Sequence[AboutPart], aliases: PartsTable) -> str:
    """Return the warning of values that strangers seem to share; empty without such."""
    joining = [one for part in about for one in part.joining]
    if not joining:
        return ""

    def looks_of(alias_type: str) -> Looks:
        found = Looks.of(pd.Series(dtype="str"))
        for frame in aliases.frames(["alias_type", "alias_value"]):
            found += Looks.of(frame["alias_value"][frame["alias_type"] == alias_type])
        return found

    return shared_among(pd.DataFrame(joining), looks_of).warning


def _added(counts: Iterable[Counter[str]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for one in counts:
        found.update(one)
    return found

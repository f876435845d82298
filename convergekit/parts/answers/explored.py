"""What the explorer looks up, by parts: in the files of their tables, and one profile in its part.

What its tabs ask are the answers of parts anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import pandas as pd
import pyarrow.parquet as pq

from convergekit.checks.check_up import CheckUp
from convergekit.events.calendar import Calendar
from convergekit.explore.asked import Kept, TableName, tell_parts
from convergekit.identity.lookup import FoundAliases
from convergekit.identity.tables import StitchedEvents
from convergekit.parts.answers.one_profile import Lookup
from convergekit.parts.checked import checked_again
from convergekit.parts.stitching import Run
from convergekit.parts.tables import PartsTable


@dataclass(frozen=True)
class InParts:
    """What is looked up of events in parts.

    Attributes
    ----------
    run : Run
    lookup : Lookup
        Finds an alias, and the part of a profile.
    """

    run: Run
    lookup: Lookup
    in_parts = True

    @property
    def calendar(self) -> Calendar:
        """The calendar of stitching."""
        return self.run.options.calendar

    @property
    def observed(self) -> tuple[pd.Timestamp, pd.Timestamp]:
        """From when to when profiles are observed."""
        observed = self.run.facts.observed
        return observed.begin, observed.end

    @property
    def columns(self) -> list[str]:
        """Those of the events."""
        return pq.read_schema(self.run.table_files("events")[0]).names

    def tables(self, name: TableName, columns: Collection[str]) -> Iterator[pd.DataFrame]:
        """Yield the table of each part."""
        files = self.run.table_files(name)
        for done, table in enumerate(PartsTable(name, files).frames(columns), 1):
            tell_parts(done, len(files))
            yield table

    def find(self, text: str, most: int) -> FoundAliases:
        """Return the aliases that a text means."""
        return self.lookup.find(text, most)

    def of_profile(self, alias_or_id: str, ask: Callable[[StitchedEvents], Kept]) -> Kept:
        """Ask the part of a profile."""
        part = self.lookup.part_of(alias_or_id)
        return self.run.of_one(part, lambda _, s: ask(s))

    def check_up(self, conversion: str | None) -> CheckUp:
        """Audit the events."""
        events = PartsTable("events", self.run.table_files("events"))
        return checked_again(events, self.run.memory, conversion)

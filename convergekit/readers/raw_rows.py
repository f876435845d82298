"""`RawRows`: what every reader of a file yields, batch by batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from convergekit.base.bounds import DEEPEST, TOO_WIDE, of_column, too_deep, too_wide
from convergekit.base.records import frame_from_records
from convergekit.events.normalise import READ_NULLS
from convergekit.readers.columns.json_blocks import JsonBlock

#: A batch holds at most so many rows: enough to work on columns, few enough for the memory.
BATCH_ROWS = 50_000


@dataclass(frozen=True)
class RawRows:
    """Some rows of one file, as they stand there.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row per row of the file; unreadable ones are missing in every column.
    line : list of int
        1-based line of each row, or its place in a JSON array or Parquet file.
    reasons : dict of int to str
        Per position of an unreadable row, why.
    nulls : pandas.Series of str or None
        For each row, which null markers were taken for missing, as `without_null_markers` has it.
    gathered : pandas.DataFrame or None
        Where several lines were gathered into a row: how many (`read_lines`), and in which
        columns they disagreed (`read_conflicts`).
    block : JsonBlock or None
        The rows as columns of Arrow, where they have been read so. Then the frame is empty:
        `whole` makes it of them.
    """

    frame: pd.DataFrame
    line: list[int]
    reasons: dict[int, str]
    nulls: pd.Series | None = None
    gathered: pd.DataFrame | None = None
    block: JsonBlock | None = None

    @property
    def said(self) -> pd.DataFrame | None:
        """What the reader says of each row beside it, None if it says nothing."""
        if self.nulls is None:
            return self.gathered
        nulls = pd.DataFrame({READ_NULLS: self.nulls})
        return nulls if self.gathered is None else nulls.join(self.gathered)

    @classmethod
    def of_records(
        cls, records: Sequence[Mapping[str, Any] | str] | JsonBlock, line: Sequence[int]
    ) -> RawRows:
        """Return records as rows; text in place of a record says why there is none.

        So it is said of a record that is nested too deep, or has too many keys.

        Examples
        --------
        >>> rows = RawRows.of_records([{"event_name": "A"}, "not JSON"], [1, 2])
        >>> rows.frame["event_name"].tolist(), rows.reasons
        (['A', nan], {1: 'not JSON'})
        """
        if isinstance(records, JsonBlock):
            return cls(pd.DataFrame(), list(line), records.reasons, block=records)
        reasons = {place: found for place, found in enumerate(records) if isinstance(found, str)}
        rows = [None if isinstance(record, str) else record for record in records]
        # The record itself is a level above its values.
        for place in too_deep(rows, DEEPEST + 1):
            reasons[place], rows[place] = _deepest_key(rows[place] or {}), None
        for place in too_wide(rows):
            reasons[place], rows[place] = TOO_WIDE, None
        return cls(frame_from_records(rows), list(line), reasons)

    def whole(self) -> RawRows:
        """Return the same rows with their frame."""
        return self if self.block is None else replace(self, frame=self.block.frame(), block=None)


def _deepest_key(record: Mapping[str, Any]) -> str:
    return next(of_column(key) for key, value in record.items() if too_deep([value]))

"""`RawRows`: what every reader of a file yields, batch by batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from convergekit.records import frame_from_records

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
    """

    frame: pd.DataFrame
    line: list[int]
    reasons: dict[int, str]

    @classmethod
    def of_records(cls, records: Sequence[Mapping[str, Any] | str], line: Sequence[int]) -> RawRows:
        """Return records as rows; text in place of a record says why there is none.

        Examples
        --------
        >>> rows = RawRows.of_records([{"event_name": "A"}, "not JSON"], [1, 2])
        >>> rows.frame["event_name"].tolist(), rows.reasons
        (['A', nan], {1: 'not JSON'})
        """
        reasons = {place: found for place, found in enumerate(records) if isinstance(found, str)}
        frame = frame_from_records([None if isinstance(r, str) else r for r in records])
        return cls(frame, list(line), reasons)

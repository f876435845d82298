"""The part of rows that carry nothing which connects them: those that say the same share one.

So rows that repeat another in every field are found in their part. What is compared then is not how
a cell is written: a column of whole numbers in one file may be of texts in another.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from convergekit.events.arrow import python_cells
from convergekit.events.canonical import written_by_stitch
from convergekit.events.normalise import SAID_BY_READERS
from convergekit.events.nothing import without_value
from convergekit.events.schema import STATE_AT, holds_objects
from convergekit.events.shapes import READ_SHAPES
from convergekit.events.timestamps import microseconds, parse_timestamps
from convergekit.identity.dedupe import compared
from convergekit.identity.options import StitchOptions
from convergekit.parts.clusters import hashed, part_of
from convergekit.typing import BoolArray, IntArray

#: Where a row comes from is not a field, and none of them has an event ID.
_NOT_CONTENT = {
    *("row", "file", "line", "source", "event_id"),
    *(*SAID_BY_READERS, READ_SHAPES),
}
_TIMES = ("timestamp", "received_at", STATE_AT)


def part_of_content(rows: pd.DataFrame, parts: int, options: StitchOptions) -> IntArray:
    """Return the part of rows that carry neither an event ID nor an alias, of so many.

    Examples
    --------
    >>> rows = pd.DataFrame({"event_name": ["a", "b", "a"], "line": [1, 2, 3],
    ...                      "properties.n": [1, 1, "1.0"]})
    >>> len(set(part_of_content(rows, 1000, StitchOptions()).take([0, 2])))
    1
    """
    mixed = np.zeros(len(rows), dtype=np.uint64)
    rows = rows.reset_index(drop=True)
    fields = _times(rows, options.tz)
    for name, column in rows.items():
        if name not in (*_NOT_CONTENT, *_TIMES) and not written_by_stitch(str(name)):
            fields[str(name)] = _texts(column, options if name == "event_name" else None)
    for name, (known, texts) in fields.items():
        # A column that a block lacks says as much as one without a value.
        mixed[known] += hashed(texts) * hashed(np.array([name], dtype=object))
    return part_of(mixed, parts)


def _times(
    rows: pd.DataFrame, tz: str | None
) -> dict[str, tuple[BoolArray, npt.NDArray[np.object_]]]:
    """Return which times are known, and these in one form, by column."""
    times = {name: parse_timestamps(rows[name], tz=tz).times for name in _TIMES if name in rows}
    if "received_at" in times:
        # As for all events: without a time of its own, one happened when it was received.
        own = times.get("timestamp", times["received_at"])
        times["timestamp"] = own.fillna(times["received_at"])
    found = {}
    for name, column in times.items():
        known = column.notna().to_numpy(dtype=bool)
        found[name] = known, microseconds(column)[known].astype(str).astype(object)
    return found


def _texts(
    column: pd.Series, names: StitchOptions | None
) -> tuple[BoolArray, npt.NDArray[np.object_]]:
    """Return which cells say something, and what is compared of these, as text.

    Names of events are those that they are given.
    """
    known = column.notna().to_numpy(dtype=bool) & ~without_value(column)
    cells = column[known]
    renamed = {} if names is None else names.rename_events
    if holds_objects(column.dtype):
        every = python_cells(cells)
        said = [renamed.get(cell, cell) if isinstance(cell, str) else cell for cell in every]
        return known, np.array([repr(compared(cell)) for cell in said], dtype=object)
    codes, distinct = pd.factorize(cells)
    texts = [repr(compared(renamed.get(cell, cell))) for cell in distinct.tolist()]
    return known, np.array(texts, dtype=object)[codes]

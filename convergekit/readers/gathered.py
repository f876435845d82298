"""Tables with a line per item: the lines of one order become one row, with its items as a list.

Lines are told apart by a key, such as the order's number. A file is read in batches, so what is
true of an order is gathered batch by batch and joined at the end; only the columns of the items
are held line by line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from convergekit.base.grouping import run_starts
from convergekit.base.records import take_or_missing
from convergekit.base.text import as_text, written
from convergekit.errors import ConvergekitError
from convergekit.events.normalise import READ_CONFLICTS, READ_LINES
from convergekit.events.schema import PROPERTY, missing
from convergekit.readers.concatenate import concatenate
from convergekit.readers.csv_types import typed
from convergekit.readers.raw_rows import BATCH_ROWS, RawRows
from convergekit.typing import IntArray

#: What is said of a row into which lines were gathered.
OF_LINES = (READ_LINES, READ_CONFLICTS)


@dataclass(frozen=True, kw_only=True)
class ItemLines:
    """A table in which several lines are one event: which lines belong together, and the items.

    Attributes
    ----------
    key : sequence of str
        Columns that name the event: lines that have the same values there are one event. A line
        without a value in any of them is an event of its own.
    items : mapping of str to str
        What an item calls a field, and the lines' column of it. All other columns are the
        event's: the first line that has a value says it.
    into : str, default "items"
        The column that gets the list of items; each is an object of the fields it has.
    together : bool, default False
        Whether the lines of an event stand one below the other. Lines of the same key elsewhere
        in the file are then a copy of the event, not more of its items.
    first : str, optional
        A column that only the first line of an event fills: a line with a value there begins an
        event, even where another has the same key, and lines without one belong to the last.
    prepare : function, optional
        From lines as they came to as many that the columns are of, with the same index.

    Examples
    --------
    >>> lines = ItemLines(key=["order"], items={"name": "item", "price": "price"})
    >>> table = pd.DataFrame({
    ...     "order": ["#1", "#1", "#2"], "total": [75.0, None, 20.0],
    ...     "item": ["Beans", "Grinder", "Filter"], "price": [30, 45, 20],
    ... })
    >>> found, _ = gathered_frame(table, lines)
    >>> found[["order", "total"]].values.tolist()
    [['#1', 75.0], ['#2', 20.0]]
    >>> found["items"].tolist()
    [[{'name': 'Beans', 'price': 30}, {'name': 'Grinder', 'price': 45}],
     [{'name': 'Filter', 'price': 20}]]
    >>> found["read_lines"].tolist()
    [2, 1]
    """

    key: Sequence[str]
    items: Mapping[str, str]
    into: str = "items"
    together: bool = False
    first: str | None = None
    prepare: Callable[[pd.DataFrame], pd.DataFrame] | None = None

    def __post_init__(self) -> None:
        """Refuse a declaration by which nothing is gathered."""
        if isinstance(self.key, str) or not self.key or not isinstance(self.items, Mapping):
            raise ConvergekitError(
                "ItemLines needs key, a list of columns such as ['Name'], and items, a mapping "
                f"such as {{'name': 'Lineitem name'}}; got {self.key!r} and {self.items!r}."
            )


def gathered(
    batches: Iterable[RawRows], lines: ItemLines, *, texts: bool = False
) -> Iterator[RawRows]:
    """Yield the events of a table of lines, in batches, each where its first line stood.

    Parameters
    ----------
    batches : iterable of RawRows
        All lines of one file.
    lines : ItemLines
    texts : bool, default False
        Whether every cell is text, as in CSV: numbers of the items are then told from text.

    Returns
    -------
    iterator of RawRows
        `line` is that of an event's first line. `gathered` says of how many lines each event was
        made, and in which columns these disagreed.
    """
    events: list[_Events] = []
    items: list[pd.DataFrame] = []
    of_item: list[IntArray] = []
    done = 0
    for rows in batches:
        if lines.prepare is not None:
            rows = replace(rows, frame=lines.prepare(rows.frame))
        start = _Events.of(rows)
        mine = [column for column in lines.items.values() if column in rows.frame]
        items.append(rows.frame[mine].reset_index(drop=True))
        start.frame = rows.frame.drop(columns=mine).reset_index(drop=True)
        number = _numbers(start, lines, whole=False)
        of_item.append(number + done)
        events.append(start.united(number))
        done += len(events[-1].line)
    if not events:
        return
    whole = _Events.one_below_the_other(events)
    number = _numbers(whole, lines, whole=True)
    found = whole.united(number)
    event = number[np.concatenate(of_item)]
    found.frame[lines.into] = _lists(concatenate(items), lines.items, event, len(found.line), texts)
    for begin in range(0, len(found.line), BATCH_ROWS):
        yield found.part(begin, begin + BATCH_ROWS)


def gathered_frame(
    frame: pd.DataFrame, lines: ItemLines, reasons: Mapping[int, str] | None = None
) -> tuple[pd.DataFrame, dict[int, str]]:
    """Return a frame of lines as a frame of events, with the labels of their first lines.

    Parameters
    ----------
    frame : pandas.DataFrame
    lines : ItemLines
    reasons : mapping of int to str, optional
        Per position of a line that cannot be read, why; such a line stays as it is.

    Returns
    -------
    frame : pandas.DataFrame
        With the columns `read_lines` and `read_conflicts`.
    reasons : dict of int to str
        By position in this frame.
    """
    raw = RawRows(frame, list(range(len(frame))), dict(reasons or {}))
    parts: list[pd.DataFrame] = []
    places: list[int] = []
    found: dict[int, str] = {}
    for rows in gathered([raw], lines):
        found |= {len(places) + row: reason for row, reason in rows.reasons.items()}
        places += rows.line
        said = {} if rows.gathered is None else dict(rows.gathered.items())
        parts.append(rows.frame.assign(**said))
    return concatenate(parts).set_axis(frame.index[places]) if parts else frame, found


@dataclass
class _Events:
    """Rows that are events, or lines of some, and what is said of each by its position."""

    frame: pd.DataFrame
    line: IntArray
    lines: IntArray
    reasons: dict[int, str] = field(default_factory=dict)
    conflicts: dict[int, dict[str, None]] = field(default_factory=dict)
    nulls: dict[int, dict[str, None]] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: RawRows) -> _Events:
        nulls = {} if rows.nulls is None else _said(rows.nulls)
        line = np.array(rows.line, dtype=np.int64)
        return cls(rows.frame, line, np.ones_like(line), dict(rows.reasons), {}, nulls)

    @classmethod
    def one_below_the_other(cls, parts: Sequence[_Events]) -> _Events:
        starts = np.cumsum([0, *(len(part.line) for part in parts)]).tolist()
        found = cls(
            concatenate([part.frame for part in parts]),
            np.concatenate([part.line for part in parts]),
            np.concatenate([part.lines for part in parts]),
        )
        for start, part in zip(starts, parts, strict=False):
            found.reasons |= {start + row: reason for row, reason in part.reasons.items()}
            found.conflicts |= {start + row: names for row, names in part.conflicts.items()}
            found.nulls |= {start + row: names for row, names in part.nulls.items()}
        return found

    def united(self, number: IntArray) -> _Events:
        """Return the rows of one number as one row, in the order of their numbers."""
        count = int(number.max(initial=-1)) + 1
        if count == len(number):
            return self
        firsts = np.flatnonzero(_first_of_each(number, count))
        lines = np.bincount(number, weights=self.lines, minlength=count).astype(np.int64)
        found = _Events(pd.DataFrame(), self.line[firsts], lines)
        columns: dict[str, pd.Series] = {}
        for name, column in self.frame.items():
            said = np.flatnonzero(~missing(column).to_numpy(dtype=bool))
            first = np.full(count, -1, dtype=np.int64)
            first[number[said[::-1]]] = said[::-1]
            columns[str(name)] = take_or_missing(column, first)
            for row in _other_than_the_first(column, said, first[number[said]]).tolist():
                found.conflicts.setdefault(int(number[row]), {})[str(name)] = None
        found.frame = pd.DataFrame(columns, index=pd.RangeIndex(count))
        found.reasons = {int(number[row]): reason for row, reason in self.reasons.items()}
        for own, given in ((found.conflicts, self.conflicts), (found.nulls, self.nulls)):
            for row, names in given.items():
                own.setdefault(int(number[row]), {}).update(names)
        return found

    def part(self, begin: int, end: int) -> RawRows:
        """Return the rows from one position to before another."""
        frame = self.frame.iloc[begin:end].reset_index(drop=True)
        index = frame.index
        reasons = {row - begin: why for row, why in self.reasons.items() if begin <= row < end}
        told = {
            name: pd.Series(
                ["\n".join(sorted(kept)) if (kept := found.get(begin + row)) else None
                 for row in index], index=index, dtype="str",
            )
            for name, found in (("nulls", self.nulls), (READ_CONFLICTS, self.conflicts))
        }  # fmt: skip
        nulls = told["nulls"] if self.nulls else None
        lines = pd.Series(self.lines[begin:end], index=index)
        of_lines = pd.DataFrame({READ_LINES: lines, READ_CONFLICTS: told[READ_CONFLICTS]})
        return RawRows(frame, self.line[begin:end].tolist(), reasons, nulls, of_lines)


def _said(nulls: pd.Series) -> dict[int, dict[str, None]]:
    return {
        row: dict.fromkeys(text.split("\n"))
        for row, text in enumerate(nulls)
        if isinstance(text, str)
    }


def _numbers(rows: _Events, lines: ItemLines, *, whole: bool) -> IntArray:
    """Return the number of each row's event, from 0 in the order of their first rows."""
    size = len(rows.line)
    keys = [_codes(rows.frame[name]) for name in lines.key if name in rows.frame]
    alone = np.ones(size, dtype=bool)
    for key in keys:
        alone &= key < 0
    alone[list(rows.reasons)] = True
    place = np.arange(size)
    if lines.together and keys:
        # A line that could not be read, or has no key, does not end a run.
        run = np.full(size, -1, dtype=np.int64)
        run[~alone] = np.cumsum(run_starts(*(key[~alone] for key in keys)))
        keys = [run]
    # Its own place sets a row apart that is without a key.
    keys = [*keys, np.where(alone, place, -1)]
    order = np.lexsort([place, *keys])
    starts = run_starts(*(key[order] for key in keys))
    if lines.first is not None and lines.first in rows.frame:
        begins = ~missing(rows.frame[lines.first]).to_numpy(dtype=bool)[order]
        begun = np.cumsum(begins)
        before = (begun - begins)[starts][np.cumsum(starts) - 1]
        # Of the whole file, what stands before an event's first line is of it too; in a batch, it
        # may be of one in the batch before.
        starts[1:] |= np.diff(np.maximum(begun - before, int(whole))) > 0
    firsts = np.sort(order[starts])
    number = np.empty(size, dtype=np.int64)
    number[order] = np.searchsorted(firsts, order[starts])[np.cumsum(starts) - 1]
    return number


def _codes(values: pd.Series) -> IntArray:
    """Return an integer per value, equal where values are equal and -1 where missing."""
    text, no_text = as_text(values.reset_index(drop=True))
    if no_text.any():
        text = text.where(~no_text, values.reset_index(drop=True).map(written).astype("str"))
    codes, _ = pd.factorize(text.mask(missing(text)))
    return codes.astype(np.int64)


def _first_of_each(number: IntArray, count: int) -> IntArray:
    first = np.full(count, -1, dtype=np.int64)
    first[number[::-1]] = np.arange(len(number))[::-1]
    found = np.zeros(len(number), dtype=bool)
    found[first] = True
    return found


def _other_than_the_first(column: pd.Series, said: IntArray, first: IntArray) -> IntArray:
    """Return the rows, of those that say something, that say another thing than the first."""
    later = said != first
    said, first = said[later], first[later]
    if not len(said):
        return said
    if column.dtype == object:
        cells = column.to_numpy()
        pairs = zip(cells[said], cells[first], strict=True)
        return said[np.array([written(one) != written(two) for one, two in pairs], dtype=bool)]
    one, two = (column.iloc[rows].reset_index(drop=True) for rows in (said, first))
    return said[(one != two).to_numpy(dtype=bool)]


def _lists(
    cells: pd.DataFrame, names: Mapping[str, str], event: IntArray, count: int, texts: bool
) -> pd.Series:
    """Return the items of each event, in the order of its lines; None where it has none."""
    own = {column: PROPERTY + name for name, column in names.items() if column in cells}
    cells = cells[list(own)].rename(columns=own)
    if texts:
        cells = typed(cells)[list(own.values())]
    keys = [name.removeprefix(PROPERTY) for name in cells]
    columns: list[list[Any]] = [
        column.astype(object).where(~missing(column), None).tolist() for _, column in cells.items()
    ]
    found: list[list[dict[str, Any]] | None] = [None] * count
    for number, line in zip(event.tolist(), zip(*columns, strict=True), strict=False):
        item = {key: value for key, value in zip(keys, line, strict=True) if value is not None}
        if item:
            if (items := found[number]) is None:
                found[number] = [item]
            else:
                items.append(item)
    return pd.Series(found, index=pd.RangeIndex(count), dtype=object)

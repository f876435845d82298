"""CSV files to rows, in batches: every cell as text, whatever it looks like.

The delimiter is a comma, a semicolon or a tab; a cell may hold line breaks in quotes.
"""

from __future__ import annotations

import csv
import itertools
import re
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa

from convergekit.base.bounds import MOST_COLUMNS
from convergekit.base.wording import counted
from convergekit.errors import ReadError, repeated
from convergekit.readers.columns.csv_blocks import columns_of_lines
from convergekit.readers.lines import LONGEST_LINE, Lines, Progress
from convergekit.readers.null_markers import (
    NULL,
    QUOTED,
    with_quoted_told_apart,
    without_null_markers,
)
from convergekit.readers.raw_rows import BATCH_ROWS, RawRows
from convergekit.readers.vendors.enriched_tsv import ENRICHED, is_enriched, unquoted

#: A record over more lines than this has a quote that is never closed.
LONGEST_RECORD = 10_000
#: So many lines are read as columns, or one by one where one of them is not plain.
_AT_ONCE = 2_000
#: What a cell of a file without a header may hold, and no column is named.
_IS_VALUE = re.compile(
    r"\s*(?:[^@\s]+@[^@\s]+\.[^@\s]+|\d{4}-\d\d-\d\d[T ]\d\d:.*|\+\d[\d ]{6,})\s*$"
)


def read_csv_file(
    path: Path, suffix: str, progress: Progress, encoding: str | None = None
) -> Iterator[RawRows]:
    """Yield the rows of a CSV file, in batches; an empty cell is missing, and so is a null marker.

    Raises
    ------
    ReadError
        The header cannot be read, or a column has values but no name.
    """
    for cells in cells_of_csv(path, suffix, progress, encoding, at_once=_AT_ONCE):
        yield cells.rows()


def cells_of_csv(
    path: Path,
    suffix: str,
    progress: Progress,
    encoding: str | None = None,
    *,
    at_once: int = 0,
) -> Iterator[Cells]:
    """Yield the cells of a CSV file, in batches.

    Parameters
    ----------
    path : pathlib.Path
    suffix : str
    progress : callable
        Called with the number of bytes of the file read since the last call.
    encoding : str, optional
        Of text that has no byte-order mark; UTF-8 when absent.
    at_once : int
        So many lines are read as columns where all of them are plain; none by default.

    Raises
    ------
    ReadError
        The header cannot be read.
    """
    lines = Lines(path, progress, encoding)
    text = _Decoder(lines)
    first = next(text, "")
    enriched = is_enriched(first)
    delimiter = "\t" if suffix == ".tsv" or enriched else _delimiter(first)
    header = list(ENRICHED) if enriched else _csv_header(path, first, delimiter)
    if enriched:
        text.begin_again(first)
    records = _plain_records(text) if enriched else _csv_records(text, delimiter)
    batch, cut = Cells(path, header), None
    while True:
        block = text.block(min(at_once, BATCH_ROWS - len(batch.line)))
        columns = columns_of_lines(block, len(header), delimiter, quoted=not enriched)
        if columns is not None:
            batch.add_columns(text.number - len(block) + 1, columns)
        else:
            text.put_back(block)
            start, row = next(records, (0, None))
            if row is None:
                break
            if start == lines.cut or (text.number == lines.cut and not isinstance(row, str)):
                # What is left of the row is said with the damage.
                cut = start
            elif start in lines.too_long:
                batch.reject(start, Lines.TOO_LONG)
            elif isinstance(row, str):
                batch.reject(start, row)
            elif len(row) != len(header):
                batch.reject(start, f"expected {counted(len(header), 'field')}, found {len(row)}")
            elif text.undecodable and _has_escapes(row):
                batch.reject(start, "not UTF-8")
            else:
                batch.add(start, text.with_quoted_nulls(row, delimiter))
        if len(batch.line) >= BATCH_ROWS:
            yield batch
            batch = Cells(path, header)
    if lines.damage:
        batch.reject(cut or text.number + 1, lines.damage)
    yield batch


def csv_rows(
    path: Path, delimiter: str, progress: Progress, encoding: str | None = None
) -> Iterator[tuple[int, list[str] | str]]:
    """Yield the line at which each record of a file starts, and its cells or why it has none.

    The header is a record as any other: of reports, which have lines above it.

    Parameters
    ----------
    path : pathlib.Path
    delimiter : str
    progress : callable
        Called with the number of bytes of the file read since the last call.
    encoding : str, optional
        Of text that has no byte-order mark; UTF-8 when absent.
    """
    lines = Lines(path, progress, encoding)
    text = _Decoder(lines)
    cut = None
    for start, row in _csv_records(text, delimiter):
        if start == lines.cut or (text.number == lines.cut and not isinstance(row, str)):
            cut = start
        elif start in lines.too_long:
            yield start, Lines.TOO_LONG
        elif not isinstance(row, str) and text.undecodable and _has_escapes(row):
            yield start, "not UTF-8"
        else:
            yield start, row
    if lines.damage:
        yield cut or text.number + 1, lines.damage


class Cells:
    """Rows that are being gathered, cell by cell.

    Attributes
    ----------
    path : pathlib.Path
    header : list of str
    cells : list of list of str
        The cells of each row.
    line : list of int
        Of each row.
    reasons : dict of int to str
        Per position of a row that cannot be read, why.
    """

    def __init__(self, path: Path, header: list[str]) -> None:
        self.path = path
        self.cells: list[list[str]] = []
        self.header = header
        self.line: list[int] = []
        self.reasons: dict[int, str] = {}
        self._columns: list[list[pa.Array]] = []

    def add(self, line: int, row: list[str]) -> None:
        """Add a row."""
        self.cells.append(row)
        self.line.append(line)

    def add_columns(self, line: int, columns: list[pa.Array]) -> None:
        """Add rows whose cells are columns already, each on the line after the one before."""
        self._close()
        self._columns.append(columns)
        self.line += range(line, line + len(columns[0]))

    def reject(self, line: int, reason: str) -> None:
        """Add a row that cannot be read, with the reason."""
        self.reasons[len(self.line)] = reason
        self.add(line, [""] * len(self.header))

    @classmethod
    def joined(cls, files: Iterable[Cells]) -> Cells:
        """Return the rows of files with one header, all of which can be read, as of one.

        No cells of theirs are columns.
        """
        files = list(files)
        found = cls(files[0].path, files[0].header)
        found.cells = [row for file in files for row in file.cells]
        found.line = [line for file in files for line in file.line]
        return found

    def _close(self) -> None:
        """Make columns of the rows of which the cells are not."""
        if self.cells:
            self._columns.append(
                [
                    pa.array([cell or None for cell in column], pa.large_string())
                    for column in zip(*self.cells, strict=True)
                ]
            )
            self.cells = []

    def rows(self) -> RawRows:
        """Return the rows, with a column per name of the header.

        Raises
        ------
        ReadError
            A column has values but no name.
        """
        self._close()
        frame = {}
        for place, name in enumerate(self.header):
            column = pa.chunked_array([part[place] for part in self._columns], pa.large_string())
            if name:
                frame[name] = pd.Series(column.combine_chunks(), dtype="str")
            elif column.null_count < len(column):
                raise ReadError(
                    f"{self.path}: column {place + 1} has values but no name; name it in line 1."
                )
        index = pd.RangeIndex(len(self.line))
        found, nulls = without_null_markers(pd.DataFrame(frame, index=index))
        return RawRows(found, self.line, self.reasons, nulls)


def _csv_header(path: Path, first: str, delimiter: str) -> list[str]:
    # A line of values may hold personal data, so it is not shown as the columns found.
    if first.lstrip().startswith(('{"', "[{")):
        raise ReadError(f"{path}: line 1 is JSON; name the file .jsonl, or .json.")
    if "\x00" in first or _has_escapes([first]):
        raise ReadError(f"{path}: the header is not UTF-8; save the file as UTF-8.")
    if "\r" in first.rstrip("\r\n"):
        raise ReadError(f"{path}: its lines end in carriage returns only; save it with newlines.")
    try:
        header = next(csv.reader([first], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise ReadError(f"{path}: the header cannot be read: {error}. Repair line 1.") from None
    values = [place for place, name in enumerate(header, start=1) if _IS_VALUE.match(name)]
    if values:
        raise ReadError(
            f"{path}: line 1 holds values, not names: column {values[0]} is an e-mail address, a "
            "time or a phone number. Write a line of column names before it."
        )
    if len(header) > MOST_COLUMNS:
        raise ReadError(
            f"{path}: the header has {len(header):,} columns; events have at most "
            f"{MOST_COLUMNS:,}. Leave out those that no question needs."
        )
    twice = repeated(filter(None, header))
    if twice:
        raise ReadError(f"{path}: the header names {', '.join(map(repr, twice))} twice.")
    return header


def _csv_records(text: _Decoder, delimiter: str) -> Iterator[tuple[int, list[str] | str]]:
    """Yield the line at which each record starts, and its fields or why it has none.

    A quote that is never closed would take all lines to the file's end for one record: its first
    line is given up, and reading goes on with the next.
    """
    while True:
        text.mark()
        start = text.number + 1
        # A cell may be as long as a line; the module's own limit would cost such rows.
        limit = csv.field_size_limit(LONGEST_LINE)
        try:
            row = next(csv.reader(text, delimiter=delimiter, strict=True), None)
            problem = None
        except csv.Error as error:
            problem = f"not CSV: {error}"
        finally:
            csv.field_size_limit(limit)
        if problem is not None:
            # First: who gets the problem may read the next lines as a block.
            text.back_to_second_marked()
            yield start, problem
            continue
        if row is None:
            return
        if row:
            yield start, row


def _plain_records(text: _Decoder) -> Iterator[tuple[int, list[str]]]:
    """Yield the line and the fields of each record where nothing is quoted."""

    def lines() -> Iterator[str]:
        text.mark()
        for line in text:
            yield line
            text.mark()

    for row in unquoted(lines()):
        if row:
            yield text.number, row


class _Decoder:
    """Lines as text; bytes that are not UTF-8 are escaped, and remembered."""

    def __init__(self, lines: Lines) -> None:
        self._file = lines
        self._lines = (line for _, line in lines.without_long(lines))
        self._marked: list[str] = []
        self._again: deque[str] = deque()
        self.number = 0
        self.undecodable = False
        self._may_quote_nulls = False

    def __iter__(self) -> _Decoder:
        return self

    def __next__(self) -> str:
        if len(self._marked) >= LONGEST_RECORD:
            raise StopIteration
        line = self._again.popleft() if self._again else self._decoded(next(self._lines))
        self.number += 1
        self._marked.append(line)
        if QUOTED in line:
            self._may_quote_nulls = True
        return line

    def block(self, most: int) -> list[bytes]:
        """Return the next lines, which count as read; none where one must be read by itself.

        That is one to be read again, one that is too long, or one that damage has cut off.
        """
        if self._again or most < 1:
            return []
        found = list(itertools.islice(self._lines, most))
        first = self.number + 1
        self.number += len(found)
        late = self._file.cut is not None
        if late or not self._file.too_long.isdisjoint(range(first, self.number + 1)):
            self.put_back(found)
            return []
        return found

    def put_back(self, block: list[bytes]) -> None:
        """Have the lines that `block` returned last read one by one."""
        self._again.extend(map(self._decoded, block))
        self.number -= len(block)

    def begin_again(self, first: str) -> None:
        """Have the first line, which was read, read as any other."""
        self._again.append(first)
        self.number = 0

    def with_quoted_nulls(self, row: list[str], delimiter: str) -> list[str]:
        """Return the record of the remembered lines with the null markers in quotes told apart."""
        if not self._may_quote_nulls or NULL not in row:
            return row
        return with_quoted_told_apart(row, self._marked, delimiter)

    def mark(self) -> None:
        """Remember the lines from here on."""
        self._marked = []

    def back_to_second_marked(self) -> None:
        """Read the remembered lines again, but for the first."""
        self._again.extendleft(reversed(self._marked[1:]))
        self.number -= len(self._marked) - 1

    def _decoded(self, line: bytes) -> str:
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError:
            self.undecodable = True
            return line.decode("utf-8", "surrogateescape")


def _delimiter(header: str) -> str:
    return next((delimiter for delimiter in ",;\t" if delimiter in header), ",")


def _has_escapes(row: list[str]) -> bool:
    return any("\udc80" <= character <= "\udcff" for cell in row for character in cell)

"""The rows of a report as they stand there, below whatever the platform writes above its header."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from convergekit.base.wording import counted
from convergekit.errors import ReadError
from convergekit.readers.csv_files import csv_rows
from convergekit.readers.files import CSV_SUFFIXES, format_suffix, read_file
from convergekit.readers.sources import Source
from convergekit.spend.headings import MOST_ABOVE, is_header

#: What `rejected` says of lines that are not rows of the report.
A_NOTE = "a note of the report, not a row"
HEADER_AGAIN = "the header again, not a row"
_DELIMITERS = (",", ";", "\t")
#: So many known headings make a header: a title may hold one by chance.
_FEWEST_KNOWN = 2


@dataclass(frozen=True)
class ReportRows:
    """The rows of one report.

    Attributes
    ----------
    headings : list of str
    above : list of str
        The lines above the header, as text.
    cells : list of list
        Of each row, one cell for each heading.
    line : list of int
        1-based line of each row, or its place in a table.
    rejected : list of tuple of (int, str, str)
        Line, reason and text of what cannot be a row.
    file : list of str, or None
        Of each row of a frame, what its column `file` says.
    """

    headings: list[str]
    above: list[str] = field(default_factory=list)
    cells: list[list[Any]] = field(default_factory=list)
    line: list[int] = field(default_factory=list)
    rejected: list[tuple[int, str, str]] = field(default_factory=list)
    file: list[str | None] | None = None

    def column(self, place: int) -> pd.Series:
        """Return the cells below a heading."""
        return pd.Series([row[place] for row in self.cells], dtype=object)

    def text(self, row: int) -> str:
        """Return a row as text."""
        return row_text(self.cells[row])


def row_text(cells: Iterable[Any]) -> str:
    """Return cells as a line of CSV.

    Examples
    --------
    >>> row_text(["Total", None, "1,035.94"])
    'Total,,"1,035.94"'
    """
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(["" if one is None else one for one in cells])
    return line.getvalue()


def rows_of_frame(frame: pd.DataFrame, own: Mapping[str, Any]) -> ReportRows:
    """Return the rows of a caller's frame, which is not changed.

    A sheet of a workbook may have its header below a title.
    """
    columns = [frame.iloc[:, place].astype(object).tolist() for place in range(frame.shape[1])]
    cells = [list(row) for row in zip(*columns, strict=True)] if columns else []
    headings, line = list(map(str, frame.columns)), list(range(1, len(cells) + 1))
    if {"file", "line"} <= set(headings) and pd.api.types.is_integer_dtype(frame["line"]):
        # A table of spend that comes again.
        line = frame["line"].tolist()
        file = [one if isinstance(one, str) else None for one in frame["file"]]
        return ReportRows(headings, [], cells, line, file=file)
    if is_header(headings, own) < _FEWEST_KNOWN:
        for at, row in enumerate(cells[:MOST_ABOVE]):
            texts = [one if isinstance(one, str) else "" for one in row]
            if is_header(texts, own) >= _FEWEST_KNOWN:
                above = [row_text(one) for one in cells[:at]]
                return ReportRows(texts, above, cells[at + 1 :], line[at + 1 :])
    return ReportRows(headings, [], cells, line)


def rows_of_file(source: Source, own: Mapping[str, Any], encoding: str | None) -> ReportRows:
    """Return the rows of a file.

    Parameters
    ----------
    source : Source
    own : mapping
        Canonical columns that the caller names, whose headings tell the header too.
    encoding : str, optional
        Of text that has no byte-order mark; UTF-8 when absent.

    Raises
    ------
    ReadError
        The file cannot be read, or has no rows.
    """
    suffix = format_suffix(source.path)
    if suffix not in CSV_SUFFIXES:
        return _of_other_format(source, encoding)
    delimiters = ("\t",) if suffix == ".tsv" else _DELIMITERS
    best = max(
        (_header_at(source.path, one, own, encoding) for one in delimiters), key=lambda one: one[0]
    )
    (known, _, _), delimiter, skipped = best
    if not known and _is_undecodable(source.path, encoding):
        raise ReadError(
            f"{source.said}: the header is not UTF-8; save the file as UTF-8, or give "
            "encoding='cp1252' if a Windows program wrote it."
        )
    records = csv_rows(source.path, delimiter, _uncounted, encoding)
    above = [row for _, row in itertools.islice(records, skipped)]
    _, header = next(records, (0, []))
    if isinstance(header, str):
        raise ReadError(f"{source.said}: the header cannot be read: {header}. Save the file again.")
    if not header:
        raise ReadError(f"{source.said}: the file does not have a header to tell its columns by.")
    headings = [one.replace("\ufeff", "").strip() for one in header]
    found = ReportRows(headings, [one if isinstance(one, str) else row_text(one) for one in above])
    for line, row in records:
        _add(found, line, row)
    return found


def _add(found: ReportRows, line: int, row: list[str] | str) -> None:
    if isinstance(row, str):
        found.rejected.append((line, row, ""))
        return
    width = len(found.headings)
    if not any(cell.strip() for cell in row):
        # A blank line, between the rows and the note below them.
        return
    if len(row) > width and not any(cell.strip() for cell in row[width:]):
        row = row[:width]
    if len(row) != width:
        note = not any(cell.strip() for cell in row[1:])
        reason = f"expected {counted(width, 'field')}, found {len(row)}"
        found.rejected.append((line, A_NOTE if note else reason, row_text(row)))
    elif row[0].strip() == found.headings[0] and [one.strip() for one in row] == found.headings:
        found.rejected.append((line, HEADER_AGAIN, row_text(row)))
    else:
        found.cells.append(list(row))
        found.line.append(line)


def _header_at(
    path: Path, delimiter: str, own: Mapping[str, Any], encoding: str | None
) -> tuple[tuple[int, int, int], str, int]:
    """Return how good the likeliest header is, with the delimiter, and how many lines it skips.

    Of two lines with as many known headings it is the first, of two delimiters the one that makes
    more cells of it.
    """
    best, at = (0, -MOST_ABOVE, 0), 0
    records = csv_rows(path, delimiter, _uncounted, encoding)
    for place, (_, row) in enumerate(itertools.islice(records, MOST_ABOVE)):
        if isinstance(row, str) or len(row) < _FEWEST_KNOWN:
            continue
        known = is_header(row, own)
        good = (known if known >= _FEWEST_KNOWN else 0, -place, len(row))
        if good > best:
            best, at = good, place
    return best, delimiter, at


def _is_undecodable(path: Path, encoding: str | None) -> bool:
    first = itertools.islice(csv_rows(path, ",", _uncounted, encoding), MOST_ABOVE)
    return any(row == "not UTF-8" for _, row in first)


def _uncounted(_: int) -> None:
    """Take the progress of a file that is small."""


def _of_other_format(source: Source, encoding: str | None) -> ReportRows:
    """Return the rows of a file of JSON or Parquet, whose columns have names."""
    headings: dict[str, None] = {}
    records: list[tuple[int, Mapping[str, Any]]] = []
    rejected: list[tuple[int, str, str]] = []
    for line, row in _records(source, encoding):
        if isinstance(row, str):
            rejected.append((line, row, ""))
        else:
            headings |= dict.fromkeys(row)
            records.append((line, row))
    names = list(headings)
    cells = [[row.get(name) for name in names] for _, row in records]
    return ReportRows(names, [], cells, [line for line, _ in records], rejected)


def _records(source: Source, encoding: str | None) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    for batch in read_file(source.path, _uncounted, encoding):
        rows = batch.whole()
        records: Sequence[Mapping[Any, Any]] = rows.frame.astype(object).to_dict("records")
        for place, (line, row) in enumerate(zip(rows.line, records, strict=True)):
            reason = rows.reasons.get(place)
            yield line, reason if reason is not None else {str(k): v for k, v in row.items()}

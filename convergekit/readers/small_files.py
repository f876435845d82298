"""Small files read whole, so that frames are made of many that are alike at once.

A frame of a few rows costs more than to read them. What is not wholly rows, or cannot be read, is
not taken here: `read_file` reads such a file by itself, and says what is wrong.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import pyarrow as pa

from convergekit.readers.csv_files import Cells, cells_of_csv
from convergekit.readers.fields import Records
from convergekit.readers.json_files import whole_records
from convergekit.readers.lines import Progress
from convergekit.readers.parquet_files import rows_of_batch, whole_table
from convergekit.readers.raw_rows import RawRows

#: Of a file this large, columns cost little beside its rows.
SMALL_BYTES = 256 * 1024


@dataclass(frozen=True)
class SmallRecords:
    """The objects of a file of JSON, and their lines."""

    records: list[dict[str, Any]]
    line: list[int]
    #: Files of different keys make one frame.
    shape: ClassVar[Hashable] = "json"

    @property
    def names(self) -> frozenset[str]:
        """The keys of any object."""
        return frozenset(key for record in self.records for key in record)

    def fields(self) -> Records:
        """Return what says the format."""
        return Records(self.records)

    @staticmethod
    def rows(files: Sequence[SmallRecords]) -> RawRows:
        """Return the rows of several files, one file below the other."""
        records = [record for file in files for record in file.records]
        return RawRows.of_records(records, [n for file in files for n in file.line])


@dataclass(frozen=True)
class SmallCells:
    """The cells of a CSV file."""

    cells: Cells

    @property
    def line(self) -> list[int]:
        """The line of each row."""
        return self.cells.line

    @property
    def names(self) -> frozenset[str]:
        """The names in the header."""
        return frozenset(self.cells.header)

    @property
    def shape(self) -> Hashable:
        """What files share of which one frame is made: the header."""
        return "csv", *self.cells.header

    def fields(self) -> Records:
        """Return what says the format."""
        return _of_header(self.cells.header)

    @staticmethod
    def rows(files: Sequence[SmallCells]) -> RawRows:
        """Return the rows of several files, one file below the other."""
        return Cells.joined(file.cells for file in files).rows()


@dataclass(frozen=True)
class SmallTable:
    """The rows of a Parquet file."""

    batch: pa.RecordBatch

    @property
    def line(self) -> range:
        """The place of each row."""
        return range(1, 1 + len(self.batch))

    @property
    def names(self) -> frozenset[str]:
        """The names of the columns."""
        return frozenset(self.batch.schema.names)

    @property
    def shape(self) -> Hashable:
        """What files share of which one frame is made: names and types of the columns."""
        return "parquet", *self.batch.schema.names, *self.batch.schema.types

    def fields(self) -> Records:
        """Return what says the format."""
        return _of_header(self.batch.schema.names)

    @staticmethod
    def rows(files: Sequence[SmallTable]) -> RawRows:
        """Return the rows of several files, one file below the other."""
        names = files[0].batch.schema.names
        columns = [
            pa.concat_arrays([file.batch.column(place) for file in files])
            for place in range(len(names))
        ]
        rows = rows_of_batch(pa.RecordBatch.from_arrays(columns, names), 0)
        rows.line[:] = [n for file in files for n in file.line]
        return rows


SmallFile: TypeAlias = SmallRecords | SmallCells | SmallTable


def of_json(
    path: Path, suffix: str, progress: Progress, encoding: str | None
) -> SmallRecords | None:
    """Return a file of JSON, None unless all of it are objects."""
    found = whole_records(path, suffix, progress, encoding)
    return SmallRecords(*found) if found and found[0] else None


def of_csv(path: Path, suffix: str, progress: Progress, encoding: str | None) -> SmallCells | None:
    """Return a CSV file, None unless every row can be read and every column has a name."""
    batches = cells_of_csv(path, suffix, progress, encoding)
    first, more = next(batches), next(batches, None)
    whole = more is None and first.line and not first.reasons and all(first.header)
    return SmallCells(first) if whole else None


def of_parquet(path: Path, progress: Progress) -> SmallTable | None:
    """Return a Parquet file, None if it has no rows."""
    found = whole_table(path, progress)
    return SmallTable(found) if found is not None and len(found) else None


def rows_of_files(files: Sequence[SmallFile]) -> RawRows:
    """Return the rows of files of one shape, one file below the other."""
    first: Any = files[0]
    found: RawRows = first.rows(files)
    return found


def bytes_held(file: SmallFile, read: int) -> int:
    """Return about how many bytes a file takes in memory, of which so many were read."""
    return int(file.batch.nbytes) if isinstance(file, SmallTable) else read


def _of_header(names: Iterable[str]) -> Records:
    # What is in a cell is not known, so that whatever looks into one needs a look at the file.
    return Records([dict.fromkeys(names, "")])

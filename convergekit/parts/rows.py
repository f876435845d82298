"""Rows as the files of a run keep them, and parts of them in the types that all rows have.

A column's type hangs on all rows: numbers in one block and texts in another are a column of both.
So a few rows of every block are kept as witnesses. Put before any part of the rows, they give its
columns the types, and the order, that those of all rows have.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from convergekit.base.options import pairs_given
from convergekit.errors import ColumnError, ReadError
from convergekit.events.arrow import Frame, as_frame, as_lists_of_text
from convergekit.events.canonical import open_columns, written_by_stitch
from convergekit.readers.concatenate import concatenate
from convergekit.typing import IntArray
from convergekit.writers.saved_frames import arrow_of, frame_of, parquet_of

#: The column in which the files of a run keep the place of each row among all. A frame that is
#: stitched has no column of this name: stitching replaces it.
ROW = "row"
#: The column in which an engine says the part of each row that is fetched.
PART = "_ck_part"
#: How the name of an Arrow file of rows ends.
CARRIED = ".arrow"
_EXACT = 2**53


@dataclass(frozen=True)
class Witnesses:
    """A few rows that give any part of the rows the types of all.

    Attributes
    ----------
    frames : list of pandas.DataFrame
        Those of each block that say something new.
    of_one : bool
        Whether the blocks are of one table: its columns stay in its order, where all have the same.
    """

    frames: list[pd.DataFrame]
    of_one: bool = False

    @classmethod
    def of(cls, frames: Iterable[pd.DataFrame], *, of_one: bool) -> Witnesses:
        """Return the witnesses that are needed, of each block's."""
        kept: list[pd.DataFrame] = []
        known: set[tuple[str, str, bool]] = set()
        for frame in frames:
            said = frozenset(_said(frame))
            if not kept or not said <= known:
                kept.append(frame)
                known |= said
        return cls(kept, of_one)

    @property
    def columns(self) -> list[str]:
        """The columns of all rows, in their order."""
        return list(self.typed([]).columns)

    def typed(
        self, frames: Sequence[pd.DataFrame], names: Collection[str] | None = None
    ) -> pd.DataFrame:
        """Return rows below each other, their columns as those of all rows.

        Parameters
        ----------
        frames : sequence of pandas.DataFrame
            With `ROW` or without.
        names : collection of str, optional
            Some of the columns.
        """
        ahead = [frame if names is None else _among(frame, names) for frame in self.frames]
        rows = [frame.drop(columns=ROW, errors="ignore") for frame in frames]
        before, after = sum(map(len, ahead)), sum(map(len, rows))
        orders = {tuple(frame.columns) for frame in ahead}
        whole = concatenate([*ahead, *rows])
        if self.of_one and len(orders) == 1:
            whole = whole[list(orders.pop())]
        return whole.iloc[before : before + after].reset_index(drop=True)


def witnesses_in(frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows of a block that show of each column what its type hangs on.

    A value, a gap, and a whole number beyond what a float holds exactly.
    """
    chosen: set[int] = set()
    frame = frame.drop(columns=[ROW, PART], errors="ignore")
    for _, column in frame.items():
        known = column.notna().to_numpy(dtype=bool)
        large = _beyond_floats(column, known)
        for marks in (known, ~known, large):
            place = int(np.argmax(marks)) if len(marks) else 0
            if len(marks) and marks[place]:
                chosen.add(place)
    return frame.iloc[sorted(chosen)].reset_index(drop=True)


def opened_block(given: Frame, columns: Mapping[str, str] | None) -> tuple[pd.DataFrame, list[str]]:
    """Return a block of rows under canonical names, and the columns that stitching replaces.

    Parameters
    ----------
    given : Frame
    columns : mapping of str to str, optional
        Canonical name to the block's own.
    """
    mapped = pairs_given("columns", columns, "{'event_name': 'action'}")
    opened = open_columns(as_frame(given), columns=mapped)
    replaced = [str(name) for name in opened if written_by_stitch(str(name))]
    return opened.drop(columns=replaced).reset_index(drop=True), replaced


def with_rows(frame: pd.DataFrame, row: IntArray) -> pd.DataFrame:
    """Return rows with their places among all."""
    return pd.DataFrame({ROW: row, **dict(frame.items())}, index=frame.index, copy=False)


def numbers_apart(rows: pa.Table | pd.DataFrame) -> tuple[Frame, dict[str, IntArray]]:
    """Return numbered rows, of an engine or of parts, without what numbers them, and that.

    Raises
    ------
    ColumnError
        A row has no number.
    """
    if isinstance(rows, pd.DataFrame):
        return rows.drop(columns=ROW), {ROW: rows[ROW].to_numpy(dtype=np.int64)}
    names = [name for name in (ROW, PART) if name in rows.column_names]
    if rows.column(ROW).null_count:
        raise ColumnError("column 'row' is empty in some rows; give each row a number of its own.")
    numbers = {name: rows.column(name).to_numpy() for name in names}
    return rows.drop_columns(names), numbers


def refuse_shared_numbers(numbers: Sequence[pd.Series]) -> None:
    """Raise if rows of an engine share a number.

    Raises
    ------
    ColumnError
    """
    if numbers:
        every = pd.concat(numbers)
        if every.duplicated().any():
            raise shared_numbers(every.nunique(), len(every))


def shared_numbers(numbers: int, rows: int) -> ColumnError:
    """Return the error of rows that have no number of their own."""
    return ColumnError(
        f"column 'row' has {numbers:,} numbers for {rows:,} rows; give each row a number of its "
        "own."
    )


def written(frame: pd.DataFrame) -> bytes:
    """Return rows as the content of a Parquet file."""
    return parquet_of(frame, "the rows", lean=True)


def carried_over(frame: pd.DataFrame, *, for_now: bool) -> bytes:
    """Return rows as the content of a file that we alone read: an Arrow file.

    Parameters
    ----------
    frame : pandas.DataFrame
    for_now : bool
        Whether the file is read once and removed: then time counts more than room.
    """
    return arrow_of(frame, "the rows", codec="lz4" if for_now else "zstd")


def read(
    content: bytes,
    names: Collection[str] | None = None,
    told: Callable[[ReadError], ReadError] | None = None,
) -> pd.DataFrame:
    """Return the rows of a file, or some columns of them, as `frame_of` takes them."""
    frame = frame_of(content, names, told)
    # Parquet calls an entry of a list otherwise.
    held = {
        name: as_lists_of_text(column)
        for name, column in frame.items()
        if isinstance(column.dtype, pd.ArrowDtype)
    }
    lists = {str(name): column for name, column in held.items() if column is not None}
    return frame.assign(**lists) if lists else frame


def _among(frame: pd.DataFrame, names: Collection[str]) -> pd.DataFrame:
    return frame[[name for name in frame.columns if name in names]]


def _said(frame: pd.DataFrame) -> Iterable[tuple[str, str, bool]]:
    """Yield what a block's witnesses show: of each column its type, and what there is in it."""
    for name, column in frame.items():
        known = column.notna().to_numpy(dtype=bool)
        kind = "nothing" if not known.any() else str(column.dtype)
        yield (
            str(name),
            f"{kind}, gaps" if not known.all() else kind,
            bool(_beyond_floats(column, known).any()),
        )
    yield "", "|".join(map(str, frame.columns)), False


def _beyond_floats(column: pd.Series, known: np.ndarray) -> np.ndarray:
    if not pd.api.types.is_integer_dtype(column.dtype):
        return np.zeros(len(column), dtype=bool)
    large = np.zeros(len(column), dtype=bool)
    values = column[known]
    large[known] = ((values > _EXACT) | (values < -_EXACT)).to_numpy(dtype=bool)
    return large

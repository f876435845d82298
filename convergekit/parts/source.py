"""Where rows come from: files and Arrow batches, as frames of canonical columns, block by block."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as pads

from convergekit.errors import ConvergekitError
from convergekit.events.arrow import Frame, with_python_lists
from convergekit.parts.engines import is_of_an_engine
from convergekit.parts.rows import ROW
from convergekit.parts.tables import PartsTable
from convergekit.readers.reading import read_in_blocks, sources_apart

if TYPE_CHECKING:
    from convergekit.identity.options import StitchOptions
    from convergekit.parts.engines.clustered import ClusteredTable

#: So many rows are taken from an Arrow source at a time.
BATCH_ROWS = 131_072


@dataclass(frozen=True)
class RowSource:
    """A source of rows, in units that can be read again.

    Attributes
    ----------
    said : dict of str to str
        What tells the source from another: files by size and time, streams by their columns.
    units : list of callable
        Each returns its frames in order: as `read_events` gives those of files, and as they come
        from Arrow.
    numbered : bool
        Whether frames are Arrow tables of which the column `row` numbers the rows.
    clusters : callable or None
        Takes columns and options as `stitch` does, and returns what finds clusters in the engine
        of the rows: a callable, or None if that is not for it to do.
    """

    said: dict[str, str]
    units: list[Callable[[], Iterator[Frame]]]
    numbered: bool = False
    clusters: Callable[[Any, StitchOptions], Callable[[], ClusteredTable] | None] | None = None


def source_of(given: Any) -> RowSource:
    """Return what was given as a source of rows.

    Parameters
    ----------
    given : path, pattern, iterable of these, or Arrow
        As `stitch` takes it with `workdir`.

    Raises
    ------
    ConvergekitError
        It is not a source of rows.
    ReadError
        No file matches.
    """
    if isinstance(given, RowSource):
        return given
    if isinstance(given, pads.Dataset):
        return _of_dataset(given)
    if is_of_an_engine(given):
        return _of_engine(given)
    if isinstance(given, PartsTable):
        return _of_parts(given)
    if isinstance(given, pd.DataFrame):
        return _of_stream(given.dtypes.to_dict(), lambda: _slices(given))
    if hasattr(given, "__arrow_c_stream__"):
        reader = pa.RecordBatchReader.from_stream(given)
        return _of_stream(reader.schema, lambda: reader)
    if isinstance(given, (str, os.PathLike)) or _are_paths(given):
        return _of_files(given)
    raise ConvergekitError(
        "with workdir= or memory=, events must be paths or patterns of files, an Arrow dataset, or "
        f"a table that gives Arrow; got a {type(given).__name__}."
    )


def _are_paths(given: Any) -> bool:
    return isinstance(given, (list, tuple)) and all(
        isinstance(one, (str, os.PathLike)) for one in given
    )


def _of_files(given: Any) -> RowSource:
    sources = sources_apart(given)
    return RowSource(
        {one.said: _stamp(one.path) for one in sources},
        [partial(read_in_blocks, one) for one in sources],
    )


def _stamp(path: Path) -> str:
    about = path.stat()
    return f"{about.st_size} bytes, {about.st_mtime_ns}"


def _of_dataset(given: pads.Dataset) -> RowSource:
    fragments = list(given.get_fragments())
    said = {"columns": str(given.schema)}
    for number, fragment in enumerate(fragments):
        path = getattr(fragment, "path", None)
        if path is not None and os.path.exists(path):
            said[path] = _stamp(Path(path))
        else:
            said[path or f"fragment {number}"] = ""

    return RowSource(said, [partial(_batches, one, given.schema) for one in fragments])


def _batches(fragment: pads.Fragment, schema: pa.Schema) -> Iterator[Frame]:
    for batch in fragment.to_batches(schema=schema, batch_size=BATCH_ROWS):
        yield pa.Table.from_batches([batch])


def _of_engine(table: Any) -> RowSource:
    """Return the rows of an Ibis table; imported here, for Ibis need not be installed."""
    from convergekit.parts.engines.table import rows_of

    return rows_of(table)


def _of_parts(table: PartsTable) -> RowSource:
    """Return the rows of a table in parts, by their places in it as it is in memory."""
    said = {str(path): _stamp(path) for path in table.files}
    return RowSource(said, [partial(_numbered, table)], numbered=True)


def _numbered(table: PartsTable) -> Iterator[Frame]:
    rows = [frame[ROW].to_numpy(dtype=np.int64) for frame in table.frames([ROW])]
    every = np.sort(np.concatenate(rows))
    for frame in table.frames():
        yield with_python_lists(frame).assign(**{ROW: np.searchsorted(every, frame[ROW])})


def _of_stream(schema: Any, stream: Callable[[], Any]) -> RowSource:
    def batches() -> Iterator[Frame]:
        for batch in stream():
            yield batch if isinstance(batch, pd.DataFrame) else pa.Table.from_batches([batch])

    return RowSource({"columns": str(schema)}, [batches])


def _slices(frame: pd.DataFrame) -> Iterator[pd.DataFrame]:
    for begin in range(0, max(len(frame), 1), BATCH_ROWS):
        yield frame.iloc[begin : begin + BATCH_ROWS]

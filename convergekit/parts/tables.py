"""Tables in parts: files on the disk, put below each other when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq

from convergekit.errors import ReadError
from convergekit.events.arrow import with_python_lists
from convergekit.parts.rows import read
from convergekit.parts.workdir import Workdir, content_of, not_as_written


@dataclass(frozen=True, eq=False, repr=False)
class PartsTable:
    """A table in parts: one Parquet file each.

    Attributes
    ----------
    name : str
        What the table is called.
    files : list of pathlib.Path
        The Parquet files. Values that Parquet has no type for, such as lists of several types, are
        JSON text in them.

    See Also
    --------
    StitchedParts : Whose tables these are.

    Examples
    --------
    >>> import tempfile
    >>> import convergekit as ck
    >>> with tempfile.TemporaryDirectory() as workdir:
    ...     events = ck.simulate_store().events
    ...     s = ck.stitch(events, workdir=workdir)
    ...     s.profiles, len(s.profiles.to_pandas()), s.profiles.dataset().count_rows()
    (PartsTable(profiles: 81 rows in 1 file), 81, 81)
    """

    name: str
    files: list[Path]
    _finish: Callable[[pd.DataFrame], pd.DataFrame] = field(default=with_python_lists)
    #: Whose files these are: a temporary directory lives as long as it is held.
    _workdir: Workdir | None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return sum(self._about(path).num_rows for path in self.files)

    def __repr__(self) -> str:
        """Return what it is in one line."""
        count, files = len(self), len(self.files)
        return (
            f"PartsTable({self.name}: {count:,} row{'s' * (count != 1)} in {files:,} "
            f"file{'s' * (files != 1)})"
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return the whole table in memory, its rows in the order that they have in memory."""
        return self._finish(below_each_other(list(self.frames())))

    def frames(self, names: Collection[str] | None = None) -> Iterator[pd.DataFrame]:
        """Yield the table of each part as a DataFrame, or some columns of it."""
        for path in self.files:
            content = content_of(path)
            try:
                yield read(content, names)
            except ReadError as error:
                raise not_as_written(path, error) from None

    def dataset(self) -> pa.dataset.Dataset:
        """Return the files as one Arrow dataset, to be filtered and read a few rows at a time.

        Without `workdir=` the files live as long as this table, not as the dataset.
        """
        schemas = [
            self._about(path).schema.to_arrow_schema().remove_metadata() for path in self.files
        ]
        schema = pa.unify_schemas(schemas, promote_options="permissive")
        return pa.dataset.dataset(
            [str(path) for path in self.files], schema=schema, format="parquet"
        )

    def to_spark(self, session: Any) -> Any:
        """Return the files as a DataFrame of Spark, which its executors read.

        Parameters
        ----------
        session : pyspark.sql.SparkSession
            Of executors that reach the files.

        Returns
        -------
        pyspark.sql.DataFrame
        """
        from convergekit.parts.spark.tables import as_spark

        return as_spark(session, self.files, self.dataset().schema)

    @staticmethod
    def _about(path: Path) -> pq.FileMetaData:
        try:
            return pq.read_metadata(path)
        except (OSError, pa.ArrowException) as error:
            raise not_as_written(path, error) from None

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return the rows as a stream of Arrow batches."""
        dataset = self.dataset()

        def batches() -> Iterator[pa.RecordBatch]:
            # The files are there for as long as this holds the table.
            _ = self
            yield from dataset.to_batches()

        reader = pa.RecordBatchReader.from_batches(dataset.schema, batches())
        return reader.__arrow_c_stream__(requested_schema)


def below_each_other(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the tables of parts as one; a part without rows does not say of which types it is."""
    some = [frame for frame in frames if len(frame)]
    if len(some) < 2:
        return (some or frames)[0]
    return pd.concat(some, ignore_index=True)

"""A table of an engine as a source of rows: streamed, or clustered there and fetched by part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pyarrow as pa

from convergekit.errors import ColumnError
from convergekit.identity.options import StitchOptions
from convergekit.parts.engines.carriers import carriers_of
from convergekit.parts.engines.clustered import ClusteredTable, batches_of
from convergekit.parts.rows import ROW
from convergekit.parts.source import RowSource

#: Engines that run in this process: what they send is here at once, and to find clusters here takes
#: less of the processor than their rounds (`benchmarks/scale.py`, `duckdb` beside `rounds`).
STREAMED = frozenset({"duckdb"})
NO_ROW = (
    "no column `row`. A table in an engine has no order of rows, and where two events are of one "
    "time, the first to arrive counts: number the rows in a column of integers. "
    "table.mutate(row=ibis.row_number()) numbers them as the engine happens to read them."
)


def rows_of(table: Any, *, streamed: bool | None = None) -> RowSource:
    """Return an Ibis table as a source of rows.

    Parameters
    ----------
    table : ibis.Table
        With a column `row` of integers, which numbers the rows.
    streamed : bool, optional
        Whether clusters are found here. By default for the engines of `STREAMED`. They are in any
        case where it is for the cells of a table to say what connects rows.

    Raises
    ------
    ColumnError
        It has no column `row` of integers.
    """
    schema = table.schema()
    if ROW not in schema:
        raise ColumnError(NO_ROW)
    if not schema[ROW].is_integer():
        raise ColumnError(f"column 'row' is {schema[ROW]}; number the rows by integers.")
    numbered = table.mutate(**{ROW: table[ROW].cast("int64")})
    here = table.get_backend().name in STREAMED if streamed is None else streamed
    return RowSource(
        {"columns": str(schema)},
        [partial(_streamed, numbered)],
        numbered=True,
        clusters=None if here else partial(_clusters, numbered),
    )


def _streamed(table: Any) -> Iterator[pa.Table]:
    # Read once, so that it need not come out the same when it is read again.
    return batches_of(table)


def _clusters(
    table: Any, columns: Any, options: StitchOptions
) -> Callable[[], ClusteredTable] | None:
    others = {name: kind for name, kind in table.schema().items() if name != ROW}
    carriers = carriers_of(others, columns, options)
    return None if carriers is None else partial(ClusteredTable, table, carriers, options)

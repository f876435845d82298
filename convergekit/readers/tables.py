"""Tables of a database, through Ibis or DuckDB: only what a format reads, batch by batch.

The user's own connection is asked, so a filter that is set before costs nothing here. Of a table
only the columns that the declaration reads are asked for, and of an object only its fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pandas as pd

from convergekit.errors import ReadError
from convergekit.events.arrow import as_frame
from convergekit.readers.lines import short
from convergekit.readers.parquet_files import rows_of_batch
from convergekit.readers.raw_rows import BATCH_ROWS, RawRows


def is_table(given: Any) -> bool:
    """Return whether it is an Ibis table or a DuckDB relation.

    Examples
    --------
    >>> is_table(pd.DataFrame())
    False
    """
    modules = {kind.__module__ for kind in type(given).__mro__}
    return any(name.startswith(("ibis.expr.types", "_duckdb", "duckdb")) for name in modules)


def head_of(table: Any, rows: int) -> pd.DataFrame:
    """Return the first rows of a table, as it has them.

    Raises
    ------
    ReadError
        The database does not answer.
    """
    try:
        return as_frame(table.limit(rows))
    except _database_errors() as error:
        raise _refused(error) from None


def batches_of(table: Any, paths: Iterable[str] | None) -> Iterator[RawRows]:
    """Yield the rows of a table, in batches.

    Parameters
    ----------
    table : Ibis table, or DuckDB relation
    paths : iterable of str, or None
        The fields to ask for; all where None.

    Raises
    ------
    ReadError
        The database does not answer.
    """
    try:
        done = 0
        for batch in _arrow(table if paths is None else projected(table, list(paths))):
            yield rows_of_batch(batch, done)
            done += batch.num_rows
    except _database_errors() as error:
        raise _refused(error) from None


def projected(table: Any, paths: Sequence[str]) -> Any:
    """Return a table of the columns that paths need, and of objects the fields.

    Parameters
    ----------
    table : Ibis table, or DuckDB relation
        Of a relation whole columns are asked for.
    paths : sequence of str

    Examples
    --------
    >>> import ibis
    >>> table = ibis.table({"name": "string", "geo": "struct<city: string, metro: string>",
    ...                     "other": "string"}, name="events")
    >>> projected(table, ["name", "geo.city", "nothing"]).schema()
    ibis.Schema {
      name  string
      geo   struct<city: string>
    }
    """
    wanted: dict[str, dict[str, Any] | None] = {}
    names = list(table.columns)
    for path in paths:
        for name in _columns_of(path, names):
            _add(wanted, [name, *_keys(path, name)])
    if not hasattr(table, "schema"):
        import duckdb

        return table.select(*[duckdb.ColumnExpression(name) for name in wanted])
    if not wanted:
        return table
    return table.select(*[_narrowed(table[name], keys).name(name) for name, keys in wanted.items()])


def _columns_of(path: str, names: Sequence[str]) -> list[str]:
    """Return the columns that a path needs: its own, and those that are flattened below it."""
    path = path.lower()
    above = [name for name in names if _is_at(path, name.lower())]
    below = [name for name in names if _is_at(name.lower(), path) and name not in above]
    return [*([max(above, key=len)] if above else []), *below]


def _is_at(path: str, name: str) -> bool:
    """Return whether a path goes to a column or into it."""
    return path == name or path.startswith((f"{name}.", f"{name}["))


def _keys(path: str, name: str) -> list[str]:
    rest = path[len(name) :].removeprefix(".") if _is_at(path.lower(), name.lower()) else ""
    return rest.partition("[")[0].split(".") if rest and not rest.startswith("[") else []


def _add(wanted: dict[str, Any], keys: list[str]) -> None:
    """Note a field; where all of an object is wanted, its fields are not told apart any more."""
    first, *rest = keys
    if first in wanted and wanted[first] is None:
        return
    if not rest or not rest[0]:
        wanted[first] = None
        return
    _add(wanted.setdefault(first, {}), rest)


def _narrowed(column: Any, keys: dict[str, Any] | None) -> Any:
    """Return an object's column with these fields alone; other columns as they are."""
    import ibis

    kind = column.type()
    if keys is None or not kind.is_struct():
        return column
    fields = {key: inner for key, inner in keys.items() if key in kind.names}
    if not fields:
        return column
    return ibis.struct({key: _narrowed(column[key], inner) for key, inner in fields.items()})


def _arrow(table: Any) -> Iterator[Any]:
    if hasattr(table, "to_pyarrow_batches"):
        yield from table.to_pyarrow_batches(chunk_size=BATCH_ROWS)
        return
    reader = getattr(table, "to_arrow_reader", None) or table.fetch_arrow_reader
    yield from reader(BATCH_ROWS)


def _database_errors() -> tuple[type[Exception], ...]:
    """Return what databases raise; those that are not installed raise nothing."""
    found: list[type[Exception]] = []
    try:
        import duckdb

        found.append(duckdb.Error)
    except ImportError:
        pass
    try:
        import ibis.common.exceptions

        found.append(ibis.common.exceptions.IbisError)
    except ImportError:
        pass
    return tuple(found)


def _refused(error: Exception) -> ReadError:
    return ReadError(
        f"the table cannot be read: {short(error)}. Try the query by itself, such as "
        "table.limit(1), on the same connection."
    )

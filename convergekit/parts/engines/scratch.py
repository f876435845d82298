"""Tables that an engine keeps for a while: results of steps, so that none is computed twice."""

from __future__ import annotations

import itertools
import secrets
from typing import Any

import ibis.expr.operations as ops
import pyarrow as pa
import sqlglot as sg

#: What may come out otherwise when it is read again; what stands in SQL is not looked into.
_MAY_DIFFER = (ops.WindowFunction, ops.Impure, ops.SQLQueryResult, ops.SQLStringView)


class Scratch:
    """Temporary tables of a connection, which are forgotten together.

    Parameters
    ----------
    connection : ibis.backends.BaseBackend
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        # Tables of several runs lie side by side.
        self._prefix = f"ck_{secrets.token_hex(6)}"
        self._numbers = itertools.count()
        self._names: list[str] = []

    def keep(self, expression: Any) -> Any:
        """Compute a table now, and return it as it then lies in the engine.

        So plans stay short, and nothing is computed twice.
        """
        name = self._new_name()
        kept = self._connection.create_table(name, expression, temp=True)
        self._names.append(name)
        return kept

    def written(self, rows: pa.Table, types: dict[str, str]) -> Any:
        """Return rows of this process as a table in the engine."""
        name = self._new_name()
        self._connection.create_table(name, schema=types, temp=True)
        self._names.append(name)
        self._connection.insert(name, rows)
        return self._connection.table(name)

    def stored(self, table: Any) -> Any:
        """Return the table, kept if reading it twice might give other rows or numbers."""
        return self.keep(table) if table.op().find(_MAY_DIFFER) else table

    def drop(self, *tables: Any) -> None:
        """Forget tables that `keep` returned."""
        for table in tables:
            self._forget(table.op().name)

    def close(self) -> None:
        """Forget all tables."""
        for name in list(self._names):
            self._forget(name)

    def _new_name(self) -> str:
        return f"{self._prefix}_{next(self._numbers)}"

    def _forget(self, name: str) -> None:
        # Ibis 12 writes a DROP without a name where sqlglot is 30 or newer.
        dialect = self._connection.dialect
        query = f"DROP TABLE {sg.to_identifier(name, quoted=True).sql(dialect)}"
        with self._connection._safe_raw_sql(query):
            self._names.remove(name)


def number_of(expression: Any) -> int:
    """Return a number that an engine computes."""
    return int(expression.execute())

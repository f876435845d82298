"""What engines do differently: where a step's result is kept, and what functions are called."""

from __future__ import annotations

import itertools
import secrets
import tempfile
import weakref
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import ibis

from convergekit.errors import NotOnThisEngine

#: White space as Unicode has it, and Arrow, and Python; engines trim blanks alone.
WHITE_SPACE = "".join(
    map(
        chr,
        (*range(9, 14), *range(28, 33), 133, 160, 5760, *range(8192, 8203))
        + (8232, 8233, 8239, 8287, 12288),
    )
)


class Backend(ABC):
    """An engine, through Ibis.

    Parameters
    ----------
    connection : ibis.backends.BaseBackend
    """

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self._numbers = itertools.count()

    @staticmethod
    def of(connection: Any) -> Backend:
        """Return the engine of an Ibis connection.

        Raises
        ------
        NotOnThisEngine
            It is neither DuckDB nor Spark.
        """
        kinds: dict[str, type[Backend]] = {"duckdb": DuckDB}
        if connection.name not in kinds:
            raise NotOnThisEngine(
                f"{connection.name} is not among the engines yet, which are "
                f"{' and '.join(kinds)}: take the table into memory, "
                "ck.stitch(table.to_pandas())."
            )
        return kinds[connection.name](connection)

    @abstractmethod
    def keep(self, expression: Any) -> Any:
        """Compute a table now, and return it as it then lies in the engine.

        So plans stay short, and nothing is computed twice.
        """

    @abstractmethod
    def drop(self, *tables: Any) -> None:
        """Forget tables that `keep` returned."""

    @abstractmethod
    def numbered(self, table: Any, name: str) -> Any:
        """Return the table with a column of distinct integers, in no order."""

    @abstractmethod
    def utc(self, time: Any) -> Any:
        """Return a time as one in UTC, which a time that names no zone is taken to be in."""

    @abstractmethod
    def trimmed(self, text: Any) -> Any:
        """Return text without the white space around it."""

    @abstractmethod
    def in_nfc(self, table: Any, texts: list[str], lists: list[str]) -> Any:
        """Return the table with columns of text, and of lists of text, in Unicode's NFC."""

    def filled(self, table: Any, columns: dict[str, str], *, first: set[str]) -> Any:
        """Return the table with values carried forward over a profile's later events.

        Parameters
        ----------
        table : ibis.Table
            With `profile_id`, `timestamp`, `row` and the column of the time of arrival.
        columns : dict of str to str
            New column to the column whose values it carries.
        first : set of str
            The new columns that carry the first value, not the last.
        """
        # Ibis 12 leaves out IGNORE NULLS on DuckDB (ibis-project/ibis, issue 11726).
        carried = ", ".join(
            f"{'FIRST' if new in first else 'LAST'}_VALUE({_quoted(old)} IGNORE NULLS) "
            f"OVER {_IN_TIME} AS {_quoted(new)}"
            for new, old in columns.items()
        )
        query = f'SELECT *, {carried} FROM "_ck_events"' if columns else 'SELECT * FROM "_ck_events"'
        return table.alias("_ck_events").sql(query, dialect="duckdb")


class DuckDB(Backend):
    """DuckDB: what is kept lies in a file of its own, next to the connection's data."""

    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        # A file, for DuckDB compresses tables in files alone, and large ones need not fit into
        # memory. It goes when the connection does, for tables in it may be all that is left of us.
        directory = tempfile.TemporaryDirectory(prefix="convergekit-")
        weakref.finalize(connection, directory.cleanup)
        self._database = f"_ck_{secrets.token_hex(8)}"
        file = str(Path(directory.name) / "kept.duckdb").replace("'", "''")
        connection.raw_sql(f"ATTACH '{file}' AS {self._database}")

    def keep(self, expression: Any) -> Any:
        """Compute a table now, and return it as it then lies in the engine."""
        name = f"kept_{next(self._numbers)}"
        return self.connection.create_table(name, expression, database=(self._database, "main"))

    def drop(self, *tables: Any) -> None:
        """Forget tables that `keep` returned."""
        for table in tables:
            # Ibis 12 writes a DROP without a name where sqlglot is 30 or newer.
            self.connection.raw_sql(f"DROP TABLE {self._database}.main.{table.op().name}")

    def numbered(self, table: Any, name: str) -> Any:
        """Return the table with a column of distinct integers, in no order."""
        return table.mutate(**{name: ibis.row_number()})

    def utc(self, time: Any) -> Any:
        """Return a time as one in UTC, which a time that names no zone is taken to be in."""
        kind = time.type()
        if kind.is_timestamp() and kind.timezone is not None:
            return time.cast(_UTC)
        # A plain cast would take it to be in the connection's time zone.
        return _duckdb_timezone("UTC", time.cast("timestamp(6)"))

    def trimmed(self, text: Any) -> Any:
        """Return text without the white space around it."""
        return _duckdb_trim(text, WHITE_SPACE)

    def in_nfc(self, table: Any, texts: list[str], lists: list[str]) -> Any:
        """Return the table with columns of text, and of lists of text, in Unicode's NFC."""
        made = {name: _duckdb_nfc(table[name]) for name in texts}
        made |= {name: table[name].map(_duckdb_nfc) for name in lists}
        return table.mutate(**made)


_UTC = "timestamp('UTC', 6)"
_IN_TIME = (
    '(PARTITION BY "profile_id" ORDER BY "timestamp", "_ck_arrived", "row" '
    "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
)


@ibis.udf.scalar.builtin(name="trim", signature=(("string", "string"), "string"))
def _duckdb_trim(text: Any, characters: Any) -> Any: ...


@ibis.udf.scalar.builtin(name="nfc_normalize", signature=(("string",), "string"))
def _duckdb_nfc(text: Any) -> Any: ...


@ibis.udf.scalar.builtin(name="timezone", signature=(("string", "timestamp(6)"), _UTC))
def _duckdb_timezone(zone: Any, time: Any) -> Any: ...


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

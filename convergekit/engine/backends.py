"""What engines do differently: where a step's result is kept, and what functions are called."""

from __future__ import annotations

import itertools
import secrets
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import Any

import ibis
import ibis.expr.operations as ops
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.base.text import usual_characters
from convergekit.errors import NotOnThisEngine
from convergekit.identity.alias_rules import EMAIL, split_urn
from convergekit.identity.aliases import urn


def as_ibis(table: Any) -> Any:
    """Return a table of an engine as one of Ibis: a Spark DataFrame is looked at, not copied."""
    if not type(table).__module__.startswith("pyspark."):
        return table
    name = f"ck_{secrets.token_hex(6)}"
    table.createOrReplaceTempView(name)
    return ibis.pyspark.connect(table.sparkSession).table(name)


class Backend(ABC):
    """An engine, through Ibis.

    Parameters
    ----------
    connection : ibis.backends.BaseBackend
    """

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        # Tables of several results lie side by side.
        self._prefix = f"ck_{secrets.token_hex(6)}"
        self._numbers = itertools.count()

    @staticmethod
    def of(connection: Any) -> Backend:
        """Return the engine of an Ibis connection.

        Raises
        ------
        NotOnThisEngine
            It is neither DuckDB nor Spark.
        """
        kinds: dict[str, type[Backend]] = {"duckdb": DuckDB, "pyspark": Spark}
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

    def stored(self, table: Any) -> Any:
        """Return the table, kept if reading it twice might number its rows in two ways."""
        return self.keep(table) if table.op().find(_MAY_DIFFER) else table

    @abstractmethod
    def numbered(self, table: Any, name: str) -> Any:
        """Return the table with a column of distinct integers, in no order."""

    @abstractmethod
    def utc(self, time: Any) -> Any:
        """Return a time as one in UTC, which a time that names no zone is taken to be in."""

    @abstractmethod
    def lowered(self, text: Any) -> Any:
        """Return text in lower case, letter by letter."""

    @abstractmethod
    def in_one_form(self, table: Any, texts: list[str], lists: list[str], emails: list[str]) -> Any:
        """Return the table with texts in Unicode's NFC, and with addresses in usual characters.

        Parameters
        ----------
        table : ibis.Table
        texts, lists : list of str
            Columns of text, and of lists of URNs.
        emails : list of str
            Those of the columns of text that are e-mail addresses. They, and the lists, get a
            second column, whose name ends in `USUAL`, without look-alikes.
        """

    def filled(
        self, events: Any, columns: Mapping[str, str], *, first: Collection[str], last: str
    ) -> Any:
        """Return the events with values carried forward over their profile's later events.

        Parameters
        ----------
        events : ibis.Table
            With `profile_id`, `timestamp`, `row` and the column of the time of arrival.
        columns : mapping of str to str
            New column to the column whose values it carries.
        first : collection of str
            The new columns that carry the first value, not the last.
        last : str
            A new column that says which event is a profile's last.
        """
        # Ibis 12 leaves out IGNORE NULLS on DuckDB (ibis-project/ibis, issue 11726).
        made = [
            f"{'FIRST' if new in first else 'LAST'}_VALUE({_quoted(old)} IGNORE NULLS) "
            f"OVER ({_IN_TIME} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS {_quoted(new)}"
            for new, old in columns.items()
        ]
        made.append(f'LEAD("row") OVER ({_IN_TIME}) IS NULL AS {_quoted(last)}')
        query = f'SELECT *, {", ".join(made)} FROM "_ck_events"'
        return events.alias("_ck_events").sql(query, dialect="duckdb")


class DuckDB(Backend):
    """DuckDB: what is kept are temporary tables, which it moves to disk where memory is short."""

    def keep(self, expression: Any) -> Any:
        """Compute a table now, and return it as it then lies in the engine."""
        name = f"{self._prefix}_{next(self._numbers)}"
        return self.connection.create_table(name, expression, temp=True)

    def drop(self, *tables: Any) -> None:
        """Forget tables that `keep` returned."""
        for table in tables:
            # Ibis 12 writes a DROP without a name where sqlglot is 30 or newer.
            self.connection.raw_sql(f"DROP TABLE temp.main.{table.op().name}")

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

    def lowered(self, text: Any) -> Any:
        """Return text in lower case, letter by letter."""
        return text.lower()

    def in_one_form(self, table: Any, texts: list[str], lists: list[str], emails: list[str]) -> Any:
        """Return the table with texts in NFC, and with addresses in usual characters."""
        made = {name: _duckdb_nfc(table[name]) for name in texts}
        made |= {name: table[name].map(_duckdb_nfc) for name in lists}
        table = table.mutate(**made)
        # For these DuckDB has no function. It asks Python about the few cells alone that are odd.
        usual = {
            name + USUAL: ibis.ifelse(_is_odd(table[name]), _python_usual(table[name]), table[name])
            for name in emails
        }
        usual |= {
            name + USUAL: ibis.ifelse(
                _is_odd(joined(table[name])), _python_usual_urns(table[name]), table[name]
            )
            for name in lists
        }
        return table.mutate(**usual)


class Spark(Backend):
    """Spark: what is kept is checkpointed, which ends its plan."""

    def keep(self, expression: Any) -> Any:
        """Compute a table now, and return it as it then lies in the engine."""
        session = self.connection._session
        # What Ibis does before it computes; it knows no checkpoints that one could ask it for.
        self.connection._run_pre_execute_hooks(expression)
        frame = session.sql(self.connection.compile(expression))
        # Where no directory for checkpoints is set, a lost executor loses what it kept.
        directory = session.sparkContext.getCheckpointDir()
        kept = frame.localCheckpoint() if directory is None else frame.checkpoint()
        name = f"{self._prefix}_{next(self._numbers)}"
        kept.createOrReplaceTempView(name)
        return self.connection.table(name)

    def drop(self, *tables: Any) -> None:
        """Forget tables that `keep` returned."""
        for table in tables:
            self.connection._session.catalog.dropTempView(table.op().name)

    def numbered(self, table: Any, name: str) -> Any:
        """Return the table with a column of distinct integers, in no order."""
        return table.mutate(**{name: _spark_number()})

    def utc(self, time: Any) -> Any:
        """Return a time as one in UTC, which a time that names no zone is taken to be in."""
        # Ibis sets the session's time zone to UTC.
        return time.cast(_UTC)

    def lowered(self, text: Any) -> Any:
        """Return text in lower case, letter by letter."""
        # Spark looks at the letters around the one, and makes two of the other.
        return text.translate("Σİ", "σi").lower()

    def in_one_form(self, table: Any, texts: list[str], lists: list[str], emails: list[str]) -> Any:
        """Return the table with texts in NFC, and with addresses in usual characters."""
        # Spark has no such functions. It asks Python about all rows of a table, or about none, so
        # the few rows that may need it are set apart.
        whole = [table[name] for name in texts] + [joined(table[name]) for name in lists]
        others = ibis.or_(ibis.literal(False), *map(_is_odd, whole))
        table = table.mutate(**{_OTHERS: others})
        odd, even = table.filter(table[_OTHERS]), table.filter(~table[_OTHERS])
        made = {name + USUAL: _python_usual(odd[name]) for name in emails}
        made |= {name + USUAL: _python_usual_urns(odd[name]) for name in lists}
        made |= {name: _python_nfc(odd[name]) for name in texts}
        made |= {name: _python_nfc_each(odd[name]) for name in lists}
        even = even.mutate(**{name + USUAL: even[name] for name in (*emails, *lists)})
        return even.union(odd.mutate(**made).select(*even.columns)).drop(_OTHERS)


def _is_odd(text: Any) -> Any:
    return text.re_search("[^\x01-\x7f]").fill_null(False)


def joined(texts: Any) -> Any:
    """Return a list of texts as one text, nothing for what is missing among them."""
    return texts.map(lambda item: item.fill_null("")).join(" ")


_OTHERS = "_ck_others"
#: What the name of a column ends in that has look-alikes replaced.
USUAL = "_usual"
#: What may come out otherwise when it is read again; what stands in SQL is not looked into.
_MAY_DIFFER = (ops.WindowFunction, ops.Impure, ops.SQLQueryResult, ops.SQLStringView)
_UTC = "timestamp('UTC', 6)"
_IN_TIME = 'PARTITION BY "profile_id" ORDER BY "timestamp", "_ck_arrived", "row"'


def nfc_normalize(text):  # type: ignore[no-untyped-def]
    """Stand for DuckDB's function of this name."""


def timezone(zone, time):  # type: ignore[no-untyped-def]
    """Stand for DuckDB's function of this name."""


def monotonically_increasing_id():  # type: ignore[no-untyped-def]
    """Stand for Spark's function of this name."""


def in_nfc(texts: Any) -> Any:
    """Return Arrow text in NFC."""
    return pc.utf8_normalize(texts, form="NFC")


def each_in_nfc(lists: Any) -> Any:
    """Return Arrow lists of text, each in NFC."""
    normal = [
        None if texts is None else [t and unicodedata.normalize("NFC", t) for t in texts]
        for texts in lists.to_pylist()
    ]
    return pa.array(normal, type=pa.list_(pa.string()))


def in_usual(texts: Any) -> Any:
    """Return Arrow text in usual characters."""
    normal = [text and usual_characters(text) for text in texts.to_pylist()]
    return pa.array(normal, type=pa.string())


def urns_in_usual(lists: Any) -> Any:
    """Return Arrow lists of URNs, those of e-mail addresses in usual characters."""
    normal = [
        None if urns is None else [urn and _urn_in_usual(urn) for urn in urns]
        for urns in lists.to_pylist()
    ]
    return pa.array(normal, type=pa.list_(pa.string()))


def _urn_in_usual(text: str) -> str:
    found = split_urn(text)
    if found is None or found[0] != EMAIL:
        return text
    return urn(EMAIL, usual_characters(found[1]))


_duckdb_nfc: Any = ibis.udf.scalar.builtin(nfc_normalize, signature=(("string",), "string"))
_duckdb_timezone: Any = ibis.udf.scalar.builtin(
    timezone, signature=(("string", "timestamp(6)"), _UTC)
)
_spark_number: Any = ibis.udf.scalar.builtin(monotonically_increasing_id, signature=((), "int64"))
_python_nfc: Any = ibis.udf.scalar.pyarrow(in_nfc, signature=(("string",), "string"))
_python_nfc_each: Any = ibis.udf.scalar.pyarrow(
    each_in_nfc, signature=(("array<string>",), "array<string>")
)
_python_usual: Any = ibis.udf.scalar.pyarrow(in_usual, signature=(("string",), "string"))
_python_usual_urns: Any = ibis.udf.scalar.pyarrow(
    urns_in_usual, signature=(("array<string>",), "array<string>")
)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

"""The rows of a store as frames: what was added, in the order of adding, never changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from convergekit.events.arrow import as_lists_of_text
from convergekit.events.schema import PROFILE_PROPERTY
from convergekit.store.cells import DUCKDB_TYPES, INTEGER, decode

if TYPE_CHECKING:
    import duckdb

#: So many yes and no are kept in a whole number of 64 bits with a sign.
BITS = 63


@dataclass(frozen=True)
class RowCells:
    """Which cells the columns of rows have.

    Attributes
    ----------
    of : dict of str to dict of str to str
        Of each column, in the order in which they first came, by kind the name of its cells.
    """

    of: dict[str, dict[str, str]]

    @property
    def names(self) -> list[str]:
        """All columns."""
        return list(self.of)

    def kinds(self, name: str) -> dict[str, str]:
        """Return the cells of a column by their kinds."""
        return self.of[name]

    def in_file(self, names: Iterable[str]) -> list[str]:
        """Return the names in the file of all cells of these columns."""
        return [in_file for name in names for in_file in self.of[name].values()]

    def telling(self, names: Iterable[str]) -> str:
        """Return the SQL of rows that tell the dtypes that columns have as a whole.

        A few of its rows may hold whole numbers alone where the column has decimals, or no gap.
        """
        first = ["NULL"]
        for cells in map(self.kinds, names):
            gap = " AND ".join(f"{one} IS NULL" for one in cells.values())
            first += [f"min(row) FILTER ({one} IS NOT NULL)" for one in cells.values()]
            first += [f"min(row) FILTER ({gap})"] if cells else []
            if INTEGER in cells:
                whole = cells[INTEGER]
                first.append(f"min(row) FILTER ({whole}::DOUBLE::HUGEINT != {whole})")
        return f"SELECT unnest([{', '.join(first)}]) FROM rows"

    def frame(self, table: pa.Table, names: Iterable[str]) -> pd.DataFrame:
        """Return columns of rows that were read."""
        size = table.num_rows
        columns = {
            name: decode({kind: table.column(at) for kind, at in self.of[name].items()}, size)
            for name in names
        }
        lists = as_lists_of_text(columns["aliases"]) if "aliases" in columns else None
        if lists is not None:
            columns["aliases"] = lists
        return pd.DataFrame(columns, index=pd.RangeIndex(size), copy=False)


class Columns:
    """Which columns the rows have, and where in the file their cells are.

    Attributes
    ----------
    places : dict of str to int
        Each column's number, in the order in which they first came.
    cells : RowCells
    properties : list of str
        The profile properties, in the order in which they first came.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con
        named = con.execute("SELECT name, place FROM columns ORDER BY place").fetchall()
        self.places: dict[str, int] = dict(named)
        self.cells: RowCells = RowCells({name: {} for name in self.places})
        self.properties: list[str] = [
            name for name in self.places if name.startswith(PROFILE_PROPERTY)
        ]
        cells = con.execute(
            "SELECT columns.name, kind, cells.name FROM cells JOIN columns USING (place) "
            "ORDER BY place, kind"
        ).fetchall()
        for name, kind, in_file in cells:
            self.cells.of[name][kind] = in_file

    def add(self, name: str) -> None:
        """Make a column that no batch had before, as yet without cells."""
        if name not in self.places:
            self.places[name] = len(self.places)
            self.cells.of[name] = {}
            self._con.execute("INSERT INTO columns VALUES (?, ?)", [self.places[name], name])
            if name.startswith(PROFILE_PROPERTY):
                before = len(self.says)
                self.properties.append(name)
                for column in self.says[before:]:
                    self._con.execute(f"ALTER TABLE rows ADD COLUMN {column} BIGINT")

    @property
    def says(self) -> list[str]:
        """The columns of the numbers that tell what rows say."""
        return [f"says{number}" for number in range(len(self.properties) // BITS + 1)]

    def cells_of(self, name: str, kind: str) -> str:
        """Return the name in the file of a column's cells of a kind, made if there are none."""
        cells = self.cells.of[name]
        if kind not in cells:
            # A column's own name may differ from another's in upper and lower case alone.
            cells[kind] = f"c{sum(map(len, self.cells.of.values()))}"
            place = self.places[name]
            self._con.execute(f"ALTER TABLE rows ADD COLUMN {cells[kind]} {DUCKDB_TYPES[kind]}")
            self._con.execute("INSERT INTO cells VALUES (?, ?, ?)", [place, kind, cells[kind]])
        return cells[kind]


def read_rows(
    con: duckdb.DuckDBPyConnection,
    columns: Columns,
    names: Iterable[str],
    where: str = "true",
    table: str = "rows",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return rows in the order in which they were added.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    columns : Columns
    names : iterable of str
        The columns to read.
    where : str
        Which rows, in SQL.
    table : str
        Where they are.

    Returns
    -------
    frame : pandas.DataFrame
        The columns.
    about : pandas.DataFrame
        `row`, `cluster`, `timestamp` and `received_at` of the same rows.
    """
    names = list(names)
    known = ["row", "cluster", "timestamp", "received_at"]
    found = rows_in_order(con, [*known, *columns.cells.in_file(names)], where, table)
    about = found.select(known).to_pandas()
    for name in ("timestamp", "received_at"):
        about[name] = about[name].dt.tz_localize("UTC")
    return columns.cells.frame(found, names), about


def rows_in_order(
    con: duckdb.DuckDBPyConnection, chosen: Iterable[str], where: str, table: str = "rows"
) -> pa.Table:
    """Return columns of rows, `row` among them, in the order in which they were added."""
    found = con.sql(f"SELECT {', '.join(chosen)} FROM {table} WHERE {where}").to_arrow_table()
    row = found.column("row").to_numpy()
    if (row[1:] < row[:-1]).any():
        found = found.take(pa.array(np.argsort(row)))
    return found


def register(con: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, object]) -> None:
    """Let SQL know arrays by name, as a table of them."""
    con.register(name, pa.table(dict(columns)))

"""Engines that tests start, and tables in them: DuckDB, PostgreSQL, ClickHouse."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

import convergekit as ck
from convergekit.identity.options import StitchOptions
from convergekit.parts.engines.table import rows_of
from convergekit.parts.stitching import stitched_by_parts
from tests.parts.parts_cases import check_tables

_names = itertools.count()


@contextlib.contextmanager
def opened(name: str) -> Iterator[Any]:
    """Open a connection of Ibis to an engine of one's own; skip where it cannot be had."""
    if name == "duckdb":
        ibis = pytest.importorskip("ibis")
        connection = ibis.duckdb.connect()
        # Times that name no zone are UTC, whatever the connection's zone is.
        connection.raw_sql("SET TimeZone = 'America/New_York'")
        yield connection
    elif name == "clickhouse":
        ibis = pytest.importorskip("ibis")
        driver = pytest.importorskip("clickhouse_connect")
        pytest.importorskip("chdb", reason="ClickHouse runs here as chDB: pip install chdb")
        client = driver.get_client(interface="chdb", settings={"session_timezone": "UTC"})
        yield ibis.clickhouse.from_connection(client)
        client.close()
    else:
        ibis = pytest.importorskip("ibis")
        pytest.importorskip("psycopg", reason="needs pip install 'ibis-framework[postgres]'")
        with postgres_server() as directory:
            connection = ibis.postgres.connect(host=directory, user="postgres", database="postgres")
            yield connection
            connection.disconnect()


@contextlib.contextmanager
def postgres_server() -> Iterator[str]:
    """Start a PostgreSQL server that listens on a socket of its directory alone; yield that."""
    found = shutil.which("pg_ctl") or next(
        iter(sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), reverse=True)), None
    )
    if found is None:
        pytest.skip("the programs of a PostgreSQL server are not installed")
    programs = Path(found).parent
    # The server refuses to be run by the superuser of the machine.
    user = "postgres" if os.name == "posix" and os.geteuid() == 0 else None
    directory = tempfile.mkdtemp(prefix="pg")

    def run(program: str, *options: str) -> None:
        asked = [str(programs / program), "-D", f"{directory}/data", *options]
        subprocess.run(asked, check=True, user=user, cwd=directory, stdout=subprocess.DEVNULL)

    try:
        if user is not None:
            try:
                shutil.chown(directory, user)
            except LookupError:
                pytest.skip("PostgreSQL needs a user of the machine other than root: postgres")
        run("initdb", "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C")
        settings = f"-c listen_addresses='' -k {directory} -c fsync=off"
        run("pg_ctl", "-w", "-o", settings, "-l", f"{directory}/log", "start")
        try:
            yield directory
        finally:
            run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def table_in(connection: Any, frame: pd.DataFrame) -> Any:
    """Put a frame into the engine, its rows numbered, then shuffled: their order says nothing."""
    import ibis

    frame = frame.reset_index(drop=True)
    if "row" not in frame:
        frame.insert(0, "row", range(len(frame)))
    shuffled = to_arrow(frame.sample(frac=1, random_state=1))
    name = f"events_{next(_names)}"
    connection.create_table(name, schema=ibis.memtable(shuffled).schema())
    if len(frame):
        connection.insert(name, shuffled)
    return connection.table(name)


def to_arrow(frame: pd.DataFrame) -> pa.Table:
    """Return a frame as Arrow, in types that every engine has."""
    lists = {"aliases", "unset", "set_once"}.intersection(frame)
    plain = pa.Table.from_pandas(frame.drop(columns=list(lists)), preserve_index=False)
    columns = {}
    for name in frame:
        if name in lists:
            cells = [list(cell) if isinstance(cell, list) else None for cell in frame[name]]
            columns[name] = pa.array(cells, type=pa.list_(pa.string()))
        else:
            kind = plain[name].type
            is_text = pa.types.is_null(kind) or pa.types.is_large_string(kind)
            columns[name] = plain[name].cast(pa.string()) if is_text else plain[name]
    return pa.table(columns)


def in_memory(table: Any, **options: Any) -> ck.Stitched:
    """Stitch the same rows in memory, in the order of their numbers."""
    return ck.stitch(table.order_by("row").drop("row").to_pyarrow(), **options)


def in_engine(
    table: Any, *, streamed: bool | None = None, parts: int = 2, **options: Any
) -> ck.StitchedParts:
    """Stitch a table in so many parts, its clusters found there or here."""
    return stitched_by_parts(
        rows_of(table, streamed=streamed), StitchOptions.of(**options), None, None, parts=parts
    )


def check_same(found: ck.StitchedParts, expected: ck.Stitched) -> None:
    """Check that tables and report are those of memory."""
    check_tables(found, expected)
    assert found.report.to_dict() == expected.report.to_dict()

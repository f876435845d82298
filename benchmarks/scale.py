"""Stitching more events than fit into memory, beside stitching them in memory.

    python -m benchmarks.scale [--engine ENGINE ...] [--millions N ...] [--memory 4GB]
                               [--directory DIR]

Simulated stores are written as Parquet, a part at a time, each with people of its own. They are
stitched, and asked for the profiles and the report, a funnel with a breakdown, its weekly trend and
last-touch attribution:
`--engine parts` stitches the files by parts, `memory` in memory, `duckdb` as an Ibis table that is
streamed, `rounds` as one of which DuckDB finds the clusters, and `spark` in Spark's executors. The
scripts (`benchmarks/polars_script.py`, `duckdb_script.py`) read the same files and stitch alone.
Each engine and size has a process of its own, and one table shows all: seconds, the peak of
resident memory, and how large what was written to disk became. The Parquet files stay, so that they
need not be made anew.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

import convergekit as ck
from benchmarks.stitch import machine
from convergekit.identity.options import StitchOptions
from convergekit.parts.engines.table import rows_of
from convergekit.parts.stitching import stitched_by_parts

#: A part has about a million events.
PEOPLE = 143_000
STEPS = ["PageView", "Added To Cart", "Placed Order"]
#: What may stitch.
ENGINES = ("parts", "memory", "duckdb", "rounds", "spark", "polars-script", "duckdb-script")
#: What is timed; a script answers the first alone.
ASKED = ("stitched", "profiles, report", "funnel", "trend", "attribution")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=ENGINES, default=["parts"], nargs="+")
    parser.add_argument("--millions", type=int, default=[1], nargs="+")
    parser.add_argument(
        "--memory", default="4GB", help="of a part, DuckDB's limit, or Java's heap in Spark"
    )
    parser.add_argument("--directory", type=Path, default=Path(tempfile.gettempdir()) / "ck-scale")
    parser.add_argument("--make", action="store_true", help="write the events, and stop")
    parser.add_argument("--stitch", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--row", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.stitch:
        one = argparse.Namespace(
            **{**vars(arguments), "engine": arguments.engine[0], "millions": arguments.millions[0]}
        )
        stitch(one)
        return
    arguments.directory.mkdir(parents=True, exist_ok=True)
    for part in range(max(arguments.millions)):
        write_part(arguments.directory, part)
    # Apart from what made the events, so that the peak of memory is that of stitching alone.
    if not arguments.make:
        each_apart(arguments)


def each_apart(arguments: argparse.Namespace) -> None:
    """Stitch with each engine as many rows as asked for, each in a process of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        rows: list[list[str]] = []
        for millions in arguments.millions:
            for engine in arguments.engine:
                row = Path(scratch, "row")
                asked = ["--engine", engine, "--millions", str(millions), "--row", str(row)]
                for name in ("memory", "directory"):
                    asked += [f"--{name}", str(getattr(arguments, name))]
                command = [sys.executable, "-m", "benchmarks.scale", "--stitch", *asked]
                done = subprocess.run(command, check=False)
                if done.returncode:
                    print(f"{engine}, {millions} million: ended with {done.returncode}", flush=True)
                else:
                    rows.append(json.loads(row.read_text()))
    if rows:
        table(["rows", "by", *ASKED, "together", "a million rows", "peak memory", "on disk"], *rows)


def write_part(directory: Path, part: int) -> None:
    """Write one simulated store of about a million events, unless it is there already."""
    path = directory / f"part-{part:04}.parquet"
    if path.exists():
        return
    events = ck.simulate_store(people=PEOPLE, seed=part + 1).events.reset_index(drop=True)
    # Stores draw from the same names: without a mark of the part, they would share people.
    for name in [c for c in events if c == "event_id" or c.startswith("alias.")]:
        own = events[name].notna() & events[name].str.contains("[1-9]", regex=True).fillna(False)
        events[name] = events[name].mask(own, f"{part}-" + events[name])
    # No part has two million events.
    events.insert(0, "row", np.arange(len(events)) + 2_000_000 * part)
    written = path.with_suffix(".tmp")
    events.to_parquet(written, index=False)
    written.rename(path)


def stitch(asked: argparse.Namespace) -> None:
    """Stitch the first parts in this process, and print what that took."""
    files = [asked.directory / f"part-{part:04}.parquet" for part in range(asked.millions)]
    rows = sum(pq.read_metadata(path).num_rows for path in files)
    here = Here()
    before = [(time.perf_counter(), here.worked())]
    took: dict[str, str] = {}
    said = asked.engine
    if asked.engine not in ("memory", "polars-script"):
        said += f", memory={asked.memory}"
    print(f"{machine()}, {said}, {rows:,} rows\n", flush=True)

    def done(what: str) -> None:
        """Say what is done, and what it took."""
        before.append((time.perf_counter(), here.worked()))
        seconds, worked = (b - a for a, b in zip(*before[-2:], strict=True))
        took[what] = f"{worked:.1f} s CPU ({seconds:.0f} s)"
        print(
            f"{what}: {took[what]}, {here.peak():.1f} GB, load {os.getloadavg()[0]:.1f}", flush=True
        )

    with (
        tempfile.TemporaryDirectory(dir=asked.directory) as scratch,
        disk_use(Path(scratch)) as most,
    ):
        s = stitched_here(asked, files, Path(scratch))
        done("stitched")
        if not asked.engine.endswith("script"):
            # Parts have them when they are stitched; memory makes them when they are asked for.
            print(f"{len(s.profiles):,} profiles, {s.report.events:,} events")
            done("profiles, report")
            funnel = s.funnel(STEPS, within="7D", by="utm_source")
            done("funnel")
            funnel.trend("W")
            done("trend")
            s.attribution("Placed Order", "total_price")
            done("attribution")
            print(f"\n{s}\n{funnel}\n")
    seconds, worked = (b - a for a, b in zip(before[0], before[-1], strict=True))
    cells = [
        *(took.get(what, "") for what in ASKED),
        f"{worked:.1f} s CPU ({seconds:.0f} s)",
        f"{worked / rows * 1e6:.1f} s CPU",
        f"{here.peak():.1f} GB",
        f"{most[0] / 1e9:.1f} GB",
    ]
    asked.row.write_text(json.dumps([f"{rows:,}", said, *cells]))


def stitched_here(asked: argparse.Namespace, files: list[Path], scratch: Path) -> Any:
    """Return the rows of the files, stitched."""
    if asked.engine == "parts":
        return ck.stitch(files, workdir=scratch / "run", memory=asked.memory)
    if asked.engine == "memory":
        return ck.stitch(ck.read_events(files))
    if asked.engine in ("duckdb", "rounds"):
        import ibis

        connection = ibis.duckdb.connect(memory_limit=asked.memory, temp_directory=str(scratch))
        events = connection.read_parquet(list(map(str, files)))
        return stitched_by_parts(
            rows_of(events, streamed=asked.engine == "duckdb"),
            StitchOptions.of(),
            None,
            scratch / "run",
            memory=asked.memory,
        )
    if asked.engine == "spark":
        from pyspark.sql import SparkSession

        os.environ["PYSPARK_PYTHON"] = sys.executable
        options = {
            "spark.driver.memory": asked.memory.lower().removesuffix("b"),
            "spark.local.dir": str(scratch),
            "spark.ui.enabled": "false",
        }
        builder = SparkSession.builder.master(f"local[{os.cpu_count()}]").config(map=options)
        events = builder.getOrCreate().read.parquet(*map(str, files))
        return ck.stitch(events, workdir=scratch / "run", memory=asked.memory)
    if asked.engine == "polars-script":
        import polars as pl

        from benchmarks import polars_script

        return polars_script.stitched(pl.read_parquet(files).drop("row"))
    import duckdb

    from benchmarks import duckdb_script

    db = duckdb.connect(config={"temp_directory": str(scratch), "memory_limit": asked.memory})
    query = duckdb_script.stitched(db, f"SELECT * FROM read_parquet({[str(one) for one in files]})")
    db.execute(f"CREATE TABLE stitched AS {query} ORDER BY row")
    return db


def table(names: list[str], *rows: list[str]) -> None:
    """Print a table in Markdown."""
    for line in (names, ["---"] * len(names), *rows):
        print(f"| {' | '.join(line)} |")
    print(flush=True)


class Here:
    """What this process takes, and those that it started: Spark's Java machine, its workers."""

    def worked(self) -> float:
        """Return the seconds of the processor."""
        ticks = sum(sum(map(int, fields[11:15])) for fields in self._stats())
        return ticks / os.sysconf("SC_CLK_TCK")

    def peak(self) -> float:
        """Return the largest resident memory of one of them, in GB."""
        found = [Path(f"/proc/{process}/status").read_text() for process in self._processes()]
        sizes = [int(text.partition("VmHWM:")[2].split()[0]) for text in found if "VmHWM:" in text]
        return max(sizes) * 1024 / 1e9

    def _processes(self) -> list[int]:
        parents = {}
        for path in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                parents[int(path.parent.name)] = int(_fields(path)[1])
        found = [os.getpid()]
        for process in found:
            found += [one for one, parent in parents.items() if parent == process]
        return found

    def _stats(self) -> Iterator[list[str]]:
        for process in self._processes():
            with suppress(OSError):
                yield _fields(Path(f"/proc/{process}/stat"))


def _fields(path: Path) -> list[str]:
    """Return what the system says of a process, from its state on."""
    return path.read_text().rpartition(")")[2].split()


@contextmanager
def disk_use(directory: Path) -> Iterator[list[int]]:
    """Watch how large a directory becomes; the largest size is in the list."""
    most, done = [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.5):
            most[0] = max(most[0], size_of(directory))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield most
    finally:
        done.set()
        watcher.join()


def size_of(directory: Path) -> int:
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            try:
                total += os.stat(os.path.join(folder, name)).st_size
            except FileNotFoundError:
                continue
    return total


if __name__ == "__main__":
    main()

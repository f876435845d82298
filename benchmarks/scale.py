"""Stitching more events than fit into memory: in DuckDB under a limit, in Spark, or by parts.

    python -m benchmarks.scale [--engine spark] [--millions N] [--memory 4GB] [--directory DIR]
                               [--shared SHARE]
    python -m benchmarks.scale --engine memory parts polars-script duckdb-script --millions 1 3 10

With `--engine parts` the files are stitched by parts in a workdir, and with `--engine memory` read
and stitched in memory; both are asked a funnel with a breakdown, its weekly trend and last-touch
attribution. The scripts (`benchmarks/polars_script.py`, `duckdb_script.py`) read the same files and
stitch alone. Of several engines and sizes each has a process of its own, and one table shows all.

Simulated stores are written as Parquet, a part at a time, each with people of its own. A process of
its own then stitches them. Printed are the tables of docs/scale.md, a row of each: seconds, the
peak of resident memory, how large what was written to disk became, the links that each round left,
the largest profile, and, from Spark's event log, what it moved between tasks and how long the
longest task of each part took, which no number of machines makes shorter. The Parquet files stay,
so that they need not be made anew. With `--shared`, one cookie stands on that share of all rows, as
that of a till does on which a whole shop identifies itself: one profile becomes very large.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow.parquet as pq

import convergekit as ck
from benchmarks.stitch import machine

#: A part has about a million events.
PEOPLE = 143_000
STEPS = ["PageView", "Added To Cart", "Placed Order"]
#: What stitches in the process of the benchmark.
HERE = ("parts", "memory", "polars-script", "duckdb-script")
#: What is timed there; a script answers the first alone.
ASKED = ("stitched", "funnel", "trend", "attribution")
#: What stitching is timed as.
WORK = ("profiles", "carried values", "table of profiles", "funnel")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--engine", choices=["duckdb", "spark", *HERE], default=["duckdb"], nargs="+"
    )
    parser.add_argument("--millions", type=int, default=[1], nargs="+")
    parser.add_argument(
        "--memory", default="4GB", help="of a part, DuckDB's limit, or Java's heap in Spark"
    )
    parser.add_argument("--directory", type=Path, default=Path(tempfile.gettempdir()) / "ck-scale")
    parser.add_argument("--shared", type=float, default=0, help="of the rows, by one cookie")
    parser.add_argument("--make", action="store_true", help="write the events, and stop")
    parser.add_argument("--stitch", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--row", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.stitch:
        one = argparse.Namespace(
            **{**vars(arguments), "engine": arguments.engine[0], "millions": arguments.millions[0]}
        )
        (here if one.engine in HERE else stitch)(one)
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
                for name in ("memory", "directory", "shared"):
                    asked += [f"--{name}", str(getattr(arguments, name))]
                command = [sys.executable, "-m", "benchmarks.scale", "--stitch", *asked]
                done = subprocess.run(command, check=False)
                if done.returncode:
                    print(f"{engine}, {millions} million: ended with {done.returncode}", flush=True)
                elif engine in HERE:
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
    """Stitch the first parts, and print what that took."""
    directory = asked.directory
    parts = [str(directory / f"part-{part:04}.parquet") for part in range(asked.millions)]
    with tempfile.TemporaryDirectory(dir=directory) as scratch, disk_use(Path(scratch)) as most:
        tempfile.tempdir = scratch
        engine: Engine = (OnDuckDB if asked.engine == "duckdb" else OnSpark)(scratch, asked.memory)
        print(f"{machine()}, {engine.described}\n", flush=True)
        took: dict[str, str] = {}
        before = [clock(engine)]

        def done(what: str) -> None:
            """Say what is done, and what it took."""
            now = clock(engine)
            seconds, worked = (b - a for a, b in zip(before[-1], now, strict=True))
            before.append(now)
            took[what] = f"{worked:.1f} s CPU ({seconds:.0f} s)"
            load = os.getloadavg()[0]
            print(f"{what}: {took[what]}, peak {engine.peak():.1f} GB, load {load:.1f}", flush=True)

        def each_round(number: int, left: int) -> None:
            print(f"round {number}: {left:,} links left", flush=True)
            engine.begin(f"round {number + 1}" if left else "IDs")

        engine.begin("aliases and links")
        events = engine.read(parts)
        if asked.shared:
            events = shared(events, asked.shared)
        s = ck.stitch_table(events, progress=each_round)
        done(WORK[0])
        engine.begin(WORK[1])
        s.events.count().execute()
        done(WORK[1])
        engine.begin(WORK[2])
        profiles = s.profiles
        profiles.count().execute()
        done(WORK[2])
        engine.begin(WORK[3])
        funnel = s.funnel(STEPS, within="7D")
        done(WORK[3])
        engine.begin("this table")
        print(f"\n{s}\n{funnel}\n")
        rows = f"{sum(pq.read_metadata(part).num_rows for part in parts):,}"
        largest = profiles.aggregate(
            n=profiles.count(),
            mean=profiles["events"].mean(),
            events=profiles["events"].max(),
            aliases=profiles["aliases"].max(),
        )
        found = largest.execute().iloc[0]
        aliases = f"{int(s.aliases.count().execute()):,}"
        whole = f"{before[len(WORK)][1] - before[0][1]:.1f} s CPU"
        seen = engine.close()
    table(
        ["rows", *WORK, "together", "peak memory", "on disk"],
        [rows, *took.values(), whole, f"{engine.peak():.1f} GB", f"{most[0] / 1e9:.1f} GB"],
    )
    after = [f"after round {number}" for number in range(1, len(s.rounds))]
    table(["rows", "aliases", "links", *after], [rows, aliases, *(f"{n:,}" for n in s.rounds)])
    table(
        ["rows", "profiles", "events of a profile, mean", "largest", "most aliases of one"],
        [rows, f"{found['n']:,.0f}", f"{found['mean']:.1f}", *_whole(found, "events", "aliases")],
    )
    for what, parts_of_it in seen.items():
        print(what)
        table(["rows", *parts_of_it], [rows, *parts_of_it.values()])


def here(asked: argparse.Namespace) -> None:
    """Stitch the first parts in this process, and print what that took."""
    files = [asked.directory / f"part-{part:04}.parquet" for part in range(asked.millions)]
    rows = sum(pq.read_metadata(path).num_rows for path in files)
    before = [(time.perf_counter(), time.process_time())]
    took: dict[str, str] = {}
    said = asked.engine
    if asked.engine in ("parts", "duckdb-script"):
        said += f", memory={asked.memory}"
    print(f"{machine()}, {said}, {rows:,} rows\n", flush=True)

    def done(what: str) -> None:
        """Say what is done, and what it took."""
        before.append((time.perf_counter(), time.process_time()))
        seconds, worked = (b - a for a, b in zip(*before[-2:], strict=True))
        took[what] = f"{worked:.1f} s CPU ({seconds:.0f} s)"
        print(f"{what}: {took[what]}, {peak()}, load {os.getloadavg()[0]:.1f}", flush=True)

    with (
        tempfile.TemporaryDirectory(dir=asked.directory) as scratch,
        disk_use(Path(scratch)) as most,
    ):
        s = stitched_here(asked, files, Path(scratch))
        done("stitched")
        if not asked.engine.endswith("script"):
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
        peak(),
        f"{most[0] / 1e9:.1f} GB",
    ]
    asked.row.write_text(json.dumps([f"{rows:,}", said, *cells]))


def stitched_here(asked: argparse.Namespace, files: list[Path], scratch: Path) -> Any:
    """Return the rows of the files, stitched."""
    if asked.engine == "parts":
        return ck.stitch(files, workdir=scratch / "run", memory=asked.memory)
    if asked.engine == "memory":
        return ck.stitch(ck.read_events(files))
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


def peak() -> str:
    """Return the largest resident memory of this process so far."""
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9:.1f} GB"


def shared(events: Any, share: float) -> Any:
    """Return the events with one cookie on a share of the rows, evenly spread over them."""
    each = round(1 / share)
    if hasattr(events, "withColumn"):
        from pyspark.sql import functions

        is_shared = functions.col("row") % each == 0
        cookie = functions.when(is_shared, "till").otherwise(functions.col("`alias.cookie`"))
        return events.withColumn("alias.cookie", cookie)
    cookie = (events["row"] % each == 0).ifelse("till", events["alias.cookie"])
    return events.mutate(cookie.name("alias.cookie"))


def _whole(numbers: Any, *names: str) -> list[str]:
    return [f"{int(numbers[name]):,}" for name in names]


def table(names: list[str], *rows: list[str]) -> None:
    """Print a table in Markdown."""
    for line in (names, ["---"] * len(names), *rows):
        print(f"| {' | '.join(line)} |")
    print(flush=True)


class Engine(Protocol):
    """Where events are stitched, and what is watched there."""

    described: str

    def read(self, paths: list[str]) -> Any:
        """Return the Parquet files as a table."""

    def begin(self, part: str) -> None:
        """Say which part of the work comes next."""

    def worked(self) -> float:
        """Return the processor's seconds so far."""

    def peak(self) -> float:
        """Return the largest resident memory so far, in GB."""

    def close(self) -> dict[str, dict[str, str]]:
        """Stop, and return what is known of each part's tasks."""


class OnDuckDB:
    """DuckDB in this process."""

    def __init__(self, scratch: str, memory: str) -> None:
        import ibis

        self.described = f"DuckDB with memory_limit={memory}"
        self._connection = ibis.duckdb.connect(
            memory_limit=memory, temp_directory=f"{scratch}/spilled", preserve_insertion_order=False
        )

    def read(self, paths: list[str]) -> Any:
        return self._connection.read_parquet(paths)

    def begin(self, part: str) -> None:
        pass

    def worked(self) -> float:
        return time.process_time()

    def peak(self) -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9

    def close(self) -> dict[str, dict[str, str]]:
        return {}


class OnSpark:
    """Spark in a Java machine next to this process, with as many cores as this machine has."""

    def __init__(self, scratch: str, memory: str) -> None:
        from pyspark.sql import SparkSession

        os.environ["PYSPARK_PYTHON"] = sys.executable
        self._log = Path(scratch, "log")
        self._log.mkdir()
        cores = os.cpu_count()
        options = {
            "spark.driver.memory": memory.lower().removesuffix("b"),
            "spark.local.dir": scratch,
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.eventLog.enabled": "true",
            "spark.eventLog.dir": self._log.as_uri(),
            "spark.eventLog.compress": "false",
        }
        self._session = (
            SparkSession.builder.master(f"local[{cores}]").config(map=options).getOrCreate()
        )
        self._java = self._session.sparkContext._gateway.proc.pid
        self.described = (
            f"Spark {self._session.version}, local[{cores}], spark.driver.memory={memory}"
        )
        self._peak = 0.0

    def read(self, paths: list[str]) -> Any:
        return self._session.read.parquet(*paths)

    def begin(self, part: str) -> None:
        # Jobs and their stages carry it into the event log.
        self._session.sparkContext.setLocalProperty(PART, part)

    def worked(self) -> float:
        fields = Path(f"/proc/{self._java}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak(self) -> float:
        status = Path(f"/proc/{self._java}/status")
        if status.exists():
            kilobytes = status.read_text().partition("VmHWM:")[2].split()
            self._peak = int(kilobytes[0]) * 1024 / 1e9 if kilobytes else self._peak
        return self._peak

    def close(self) -> dict[str, dict[str, str]]:
        self.peak()
        self._session.stop()
        moved, longest = tasks(self._log)
        return {
            "moved": {part: f"{size / 1e6:,.0f} MB" for part, size in moved.items()},
            "longest task": {part: f"{seconds:.1f} s" for part, seconds in longest.items()},
        }


#: The property of a job that says which part of the work it is.
PART = "convergekit.part"


def tasks(log: Path) -> tuple[Counter[str], dict[str, float]]:
    """Return what the tasks of each part wrote for others to read, and how long the longest took.

    Bytes as they are compressed, and seconds.
    """
    part_of: dict[int, str] = {}
    written, longest = Counter[str](), dict[str, float]()
    for path in sorted(log.rglob("events_*")):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                event = json.loads(line)
                if event["Event"] == "SparkListenerStageSubmitted":
                    part = (event.get("Properties") or {}).get(PART, "elsewhere")
                    part_of[event["Stage Info"]["Stage ID"]] = part
                elif event["Event"] == "SparkListenerTaskEnd" and event.get("Task Metrics"):
                    part, metrics = part_of[event["Stage ID"]], event["Task Metrics"]
                    written[part] += metrics["Shuffle Write Metrics"]["Shuffle Bytes Written"]
                    seconds = metrics["Executor Run Time"] / 1000
                    longest[part] = max(longest.get(part, 0), seconds)
    for found in (written, longest):
        found.pop("this table", None)
    return written, longest


def clock(engine: Engine) -> tuple[float, float]:
    """Return the time, and the processor time of all threads of the engine."""
    return time.perf_counter(), engine.worked()


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

"""Stitching more events than fit into memory, beside stitching them in memory.

    python -m benchmarks.scale [--engine ENGINE] [--millions N] [--memory 4GB] [--directory DIR]

Simulated stores are written as Parquet, a part at a time, each with people of its own. A process of
its own then stitches them, and asks a funnel with a breakdown, its weekly trend and last-touch
attribution. `--engine parts` stitches the files by parts, `memory` in memory, `duckdb` as an Ibis
table that is streamed, `rounds` as one of which DuckDB finds the clusters, and `spark` in Spark's
executors. Printed is a row: seconds, the peak of resident memory, and how large what was written to
disk became. The Parquet files stay, so that they need not be made anew.
"""

from __future__ import annotations

import argparse
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--engine", choices=["parts", "memory", "duckdb", "rounds", "spark"], default="parts"
    )
    parser.add_argument("--millions", type=int, default=1)
    parser.add_argument("--memory", default="4GB", help="what a part may take, DuckDB, and Java")
    parser.add_argument("--directory", type=Path, default=Path(tempfile.gettempdir()) / "ck-scale")
    parser.add_argument("--make", action="store_true", help="write the events, and stop")
    parser.add_argument("--stitch", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.stitch:
        stitch(arguments)
        return
    arguments.directory.mkdir(parents=True, exist_ok=True)
    for part in range(arguments.millions):
        write_part(arguments.directory, part)
    # Apart from what made the events, so that the peak of memory is that of stitching alone.
    if arguments.make:
        return
    subprocess.run(
        [sys.executable, "-m", "benchmarks.scale", "--stitch", *sys.argv[1:]], check=True
    )


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
    files = [asked.directory / f"part-{part:04}.parquet" for part in range(asked.millions)]
    here = Here()
    before = [(time.perf_counter(), here.worked())]
    took: dict[str, str] = {}
    print(f"{machine()}, {asked.engine}, memory={asked.memory}\n", flush=True)

    def done(what: str) -> None:
        """Say what is done, and what it took."""
        before.append((time.perf_counter(), here.worked()))
        seconds, worked = (b - a for a, b in zip(*before[-2:], strict=True))
        took[what] = f"{worked:.1f} s CPU ({seconds:.0f} s)"
        print(f"{what}: {took[what]}, {peak()}, load {os.getloadavg()[0]:.1f}", flush=True)

    def peak() -> str:
        return f"{here.peak():.1f} GB"

    with (
        tempfile.TemporaryDirectory(dir=asked.directory) as scratch,
        disk_use(Path(scratch)) as most,
    ):
        events = given(asked, files, scratch)
        s: Any
        if asked.engine == "memory":
            s = ck.stitch(events)
        else:
            s = stitched_by_parts(
                events, StitchOptions.of(), None, Path(scratch, "run"), memory=asked.memory
            )
        done("stitched")
        funnel = s.funnel(STEPS, within="7D", by="utm_source")
        done("funnel")
        funnel.trend("W")
        done("trend")
        s.attribution("Placed Order", "total_price")
        done("attribution")
        print(f"\n{s}\n{funnel}\n")
        rows = f"{sum(pq.read_metadata(path).num_rows for path in files):,}"
    whole = f"{before[-1][1] - before[0][1]:.1f} s CPU"
    table(
        ["rows", *took, "together", "peak memory", "on disk"],
        [rows, *took.values(), whole, peak(), f"{most[0] / 1e9:.1f} GB"],
    )


def table(names: list[str], cells: list[str]) -> None:
    """Print a table of one row, in Markdown."""
    for line in (names, ["---"] * len(names), cells):
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


def given(asked: argparse.Namespace, files: list[Path], scratch: str) -> Any:
    """Return the files in the form that is asked for."""
    paths = list(map(str, files))
    if asked.engine in ("duckdb", "rounds"):
        import ibis

        connection = ibis.duckdb.connect(memory_limit=asked.memory, temp_directory=f"{scratch}/db")
        table = connection.read_parquet(paths)
        return table if asked.engine == "duckdb" else rows_of(table, streamed=False)
    if asked.engine == "spark":
        from pyspark.sql import SparkSession

        os.environ["PYSPARK_PYTHON"] = sys.executable
        options = {"spark.driver.memory": asked.memory.lower().removesuffix("b"),
                   "spark.local.dir": scratch, "spark.ui.enabled": "false"}  # fmt: skip
        session = SparkSession.builder.master(f"local[{os.cpu_count()}]").config(map=options)
        return session.getOrCreate().read.parquet(*paths)
    return ck.read_events(files) if asked.engine == "memory" else files


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

"""Stitching more events than fit into memory: DuckDB under a memory limit.

    python -m benchmarks.scale [--millions N] [--memory 4GB] [--directory DIR]

Simulated stores are written as Parquet, a part at a time, each with people of its own. A process of
its own then stitches them. Printed: rows, seconds, the process's peak of resident memory, and how
large what it wrote to disk became. The Parquet files stay, so that they need not be made anew.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

import convergekit as ck
from benchmarks.stitch import machine

#: A part has about a million events.
PEOPLE = 143_000
STEPS = ["PageView", "Added To Cart", "Placed Order"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--millions", type=int, default=1)
    parser.add_argument("--memory", default="4GB")
    parser.add_argument("--directory", type=Path, default=Path(tempfile.gettempdir()) / "ck-scale")
    parser.add_argument("--make", action="store_true", help="write the events, and stop")
    parser.add_argument("--stitch", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.stitch:
        stitch(arguments.directory, arguments.millions, arguments.memory)
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


def stitch(directory: Path, millions: int, memory: str) -> None:
    """Stitch the first parts, and print what that took."""
    import ibis

    with tempfile.TemporaryDirectory(dir=directory) as scratch, disk_use(Path(scratch)) as most:
        tempfile.tempdir = scratch
        connection = ibis.duckdb.connect(
            memory_limit=memory, temp_directory=f"{scratch}/spilled", preserve_insertion_order=False
        )
        parts = [str(directory / f"part-{part:04}.parquet") for part in range(millions)]
        table = connection.read_parquet(parts)
        print(f"{machine()}, DuckDB with memory_limit={memory}")
        print(f"{table.count().execute():,} rows in {millions} Parquet files\n")
        begun = clock()
        rounds: list[str] = []

        def each_round(number: int, left: int) -> None:
            rounds.append(f"{left:,}")

        s = ck.stitch_table(table, progress=each_round)
        line("profiles", begun)
        print(f"  links, and those left after each round: {', '.join(rounds)}")
        begun = clock()
        s.events.count().execute()
        line("events with what is known of the profile", begun)
        begun = clock()
        s.profiles.count().execute()
        line("table of profiles", begun)
        begun = clock()
        funnel = s.funnel(STEPS, within="7D")
        line("funnel", begun)
        print(f"\n{s}\n{funnel}")
        print(f"peak of resident memory {peak():.1f} GB, of disk {most[0] / 1e9:.1f} GB")


def line(what: str, begun: tuple[float, float]) -> None:
    now = clock()
    seconds, worked = now[0] - begun[0], now[1] - begun[1]
    print(f"{what:<44}{seconds:>8.1f} s{worked:>8.1f} s CPU   peak {peak():.1f} GB", flush=True)


def clock() -> tuple[float, float]:
    """Return the time, and the processor time of all threads of this process."""
    return time.perf_counter(), time.process_time()


def peak() -> float:
    """Return this process's largest resident memory so far, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


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

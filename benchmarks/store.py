"""A day's batch into a store, beside stitching all again.

    python -m benchmarks.store [--people N] [--batch N] [--batches N]

The simulated events come in the order in which they were received. All but the last batches are
added at once; then each batch is added by itself, and its time stands beside those of

- `ck.stitch` of all events, already in memory as one frame,
- the same with the tables of profiles and aliases, which a store keeps up to date,
- `store.stitched()`, which reads all rows from the file first.

Equality of the store's tables with those of `ck.stitch` is checked before a time is printed.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

import convergekit as ck
from benchmarks.stitch import machine, timed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=140_000)
    parser.add_argument("--batch", type=int, default=100_000)
    parser.add_argument("--batches", type=int, default=3)
    parser.add_argument("--directory", help="Where to put the file; the system's own by default.")
    arguments = parser.parse_args()

    events = ck.simulate_store(people=arguments.people, seed=1).events
    events = events.sort_values("received_at", kind="stable", ignore_index=True)
    first = len(events) - arguments.batch * arguments.batches
    starts = range(first, len(events), arguments.batch)
    print(
        f"{machine()}, duckdb {duckdb.__version__}\n{len(events):,} events of "
        f"{arguments.people:,} simulated people; {arguments.batches} batches of "
        f"{arguments.batch:,} after {first:,}\n"
    )
    with tempfile.TemporaryDirectory(dir=arguments.directory) as directory:
        path = Path(directory, "store")
        store = ck.open_store(path)
        loading = timed(lambda: store.add(events[:first]))
        adding, worked = [], []
        for start in starts:
            batch = events[start : start + arguments.batch]
            before = time.process_time()
            adding.append(timed(lambda batch=batch: print(store.add(batch))))
            worked.append(time.process_time() - before)
        size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        reading = timed(store.stitched)
        check_equal(store, ck.stitch(events))
    print("\nequal: profiles, aliases\n")
    before = time.process_time()
    tables = timed(lambda: with_tables(events))
    anew = time.process_time() - before
    plain = timed(lambda: ck.stitch(events))
    add, adds = statistics.median(adding), statistics.median(worked)
    print(
        f"seconds of the processor: a batch {adds:.2f}, profiles and aliases anew {anew:.2f}, "
        f"ratio {adds / anew:.3f}"
    )
    print(f"{'the first batch':<40}{loading:>8.2f} s, {size / 1e6:,.0f} MB in the end")
    print(f"{'a batch, median of':<40}{add:>8.2f} s  {' '.join(f'{s:.2f}' for s in adding)}")
    for name, seconds in (
        ("ck.stitch, events in memory", plain),
        ("ck.stitch, profiles and aliases", tables),
        ("store.stitched()", reading),
    ):
        print(f"{name:<40}{seconds:>8.2f} s, a batch takes {add / seconds:.3f} of it")


def with_tables(events: pd.DataFrame) -> Any:
    s = ck.stitch(events)
    return s.profiles, s.aliases


def check_equal(store: ck.Store, s: ck.Stitched) -> None:
    pd.testing.assert_frame_equal(store.profiles, s.profiles)
    pd.testing.assert_frame_equal(store.aliases, s.aliases)


if __name__ == "__main__":
    main()

"""Stitching: ours beside the obvious script, each in a process of its own, on the same events.

    python -m benchmarks.stitch [--people N] [--repeats N]

The events have their aliases as Converge spells them: a list of URNs an event, Python's as
`read_events` gives it. Two rows show the same aliases in other shapes: as Arrow's lists, and as a
column an alias type, which is all that the obvious script knows.

Equality is checked before a time is printed: the same rows kept, the same partition of the
events into profiles, the same value in every filled cell. The processes take turns, three of ours
to each of the obvious script; medians are printed, and the first call of each apart.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import multiprocessing
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

import convergekit as ck
from tests.identity import obvious
from tests.identity.obvious import check_equal

SLOW = "the obvious script"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()

    events = ck.simulate_store(people=arguments.people, seed=1).events
    # The obvious script knows no order of arrival but that of the rows, so neither gets one.
    events = events.drop(columns="received_at")
    print(f"{machine()}\n{len(events):,} events of {arguments.people:,} simulated people\n")
    theirs = obvious.stitch(events)
    for _, shape in SHAPES.values():
        check_equal(ck.stitch(shape(events)), theirs)
    print("equal: rows kept, partition into profiles, every filled cell\n")
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "events.parquet")
        events.to_parquet(path)
        del events, theirs
        first, seconds = race(path, arguments.repeats)
    slowest = statistics.median(seconds[SLOW])
    print(f"{'':<32}{'first':>8}{'median seconds':>16}  times as fast as the obvious script")
    for name, runs in seconds.items():
        median = statistics.median(runs)
        print(f"{name:<32}{first[name]:>8.2f}{median:>16.2f}  {slowest / median:.1f}")


def race(path: Path, repeats: int) -> tuple[dict[str, float], dict[str, list[float]]]:
    """Return each contender's seconds: of its first call, and of those after it."""
    spawn = multiprocessing.get_context("spawn")
    seconds: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    with contextlib.ExitStack() as stack:
        processes = {
            name: stack.enter_context(ProcessPoolExecutor(1, spawn, Held.read, (path, name)))
            for name in CONTENDERS
        }
        first = {name: each.submit(run, name).result() for name, each in processes.items()}
        for _ in range(repeats):
            for name, each in processes.items():
                # The short ones wobble more.
                for _ in range(1 if name == SLOW else 3):
                    seconds[name].append(each.submit(run, name).result())
    return first, seconds


class Held:
    """The events, in the shape that each of the processes is given."""

    events: pd.DataFrame

    @classmethod
    def read(cls, path: Path, name: str) -> None:
        cls.events = CONTENDERS[name][1](pd.read_parquet(path))


def run(name: str) -> float:
    return timed(lambda: CONTENDERS[name][0](Held.events))


def arrow_lists(events: pd.DataFrame) -> pd.DataFrame:
    """Return the events with their columns of aliases as one of lists that Arrow holds."""
    names = [name for name in events if name.startswith("alias.")]
    urns = [
        pc.binary_join_element_wise(
            pa.scalar(f"urn:{name.removeprefix('alias.')}:", pa.large_string()),
            pa.array(events[name], type=pa.large_string(), from_pandas=True),
            pa.scalar("", pa.large_string()),
        )
        for name in names
    ]
    # One event's URNs beside one another, in the order of the columns.
    at = np.arange(len(events))[:, None] + len(events) * np.arange(len(names))
    texts = pa.chunked_array(urns).combine_chunks().take(pa.array(at.ravel()))
    given = np.asarray(texts.is_valid()).reshape(at.shape)
    ends = np.append(0, given.sum(axis=1).cumsum())
    lists = pa.ListArray.from_arrays(pa.array(ends, type=pa.int32()), texts.drop_null())
    aliases = pd.Series(pd.arrays.ArrowExtensionArray(lists), index=events.index)
    return events.drop(columns=names).assign(aliases=aliases)


def python_lists(events: pd.DataFrame) -> pd.DataFrame:
    """Return the same lists as Python's, as `read_events` gives them."""
    listed = arrow_lists(events)
    cells = pd.Series(listed["aliases"].tolist(), index=events.index, dtype=object)
    return listed.assign(aliases=cells)


def columns(events: pd.DataFrame) -> pd.DataFrame:
    """Return the events as they are simulated."""
    return events


def machine() -> str:
    """Describe where and with what a benchmark ran."""
    versions = ", ".join(f"{m.__name__} {m.__version__}" for m in (pd, np))
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{versions}"
    )


def timed(run: Callable[[], Any]) -> float:
    """Return how long it takes until the result is there, which is let go of afterwards."""
    gc.collect()
    start = time.perf_counter()
    made = run()
    seconds = time.perf_counter() - start
    del made
    return seconds


def without_kernels(events: pd.DataFrame) -> ck.Stitched:
    os.environ["CONVERGEKIT_KERNELS"] = "never"
    return ck.stitch(events)


def as_of(events: pd.DataFrame) -> ck.Stitched:
    return ck.stitch(events, identity="as_of")


def every_table(events: pd.DataFrame) -> None:
    """Build what a Stitched builds only when asked as well."""
    s = ck.stitch(events)
    for name in ("aliases", "profiles", "report"):
        getattr(s, name)


Contender = tuple[Callable[[pd.DataFrame], Any], Callable[[pd.DataFrame], pd.DataFrame]]

#: What is stitched in each of the shapes that aliases may have; first Converge's own.
SHAPES: dict[str, Contender] = {
    "ck.stitch": (ck.stitch, python_lists),
    "ck.stitch, Arrow's lists": (ck.stitch, arrow_lists),
    "ck.stitch, columns of aliases": (ck.stitch, columns),
}
#: What runs, and in which shape it is given the events.
CONTENDERS: dict[str, Contender] = {
    SLOW: (obvious.stitch, columns),
    **SHAPES,
    'ck.stitch(identity="as_of")': (as_of, python_lists),
    "ck.stitch, without kernels": (without_kernels, python_lists),
    "ck.stitch and every table": (every_table, python_lists),
}


if __name__ == "__main__":
    main()

"""Stitching: ours beside the obvious script, each in a process of its own, on the same events.

    python -m benchmarks.stitch [--people N] [--repeats N]

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
    ours, theirs = ck.stitch(events), obvious.stitch(events)
    check_equal(ours, theirs)
    print("equal: rows kept, partition into profiles, every filled cell\n")
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "events.parquet")
        events.to_parquet(path)
        del events, ours, theirs
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
            name: stack.enter_context(ProcessPoolExecutor(1, spawn, Held.read, (path,)))
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
    """The events, in each of the processes."""

    events: pd.DataFrame

    @classmethod
    def read(cls, path: Path) -> None:
        cls.events = pd.read_parquet(path)


def run(name: str) -> float:
    return timed(lambda: CONTENDERS[name](Held.events))


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


def every_table(s: ck.Stitched) -> None:
    """Build what a Stitched builds only when asked."""
    for name in ("aliases", "profiles", "report"):
        getattr(s, name)


CONTENDERS: dict[str, Callable[[pd.DataFrame], Any]] = {
    SLOW: obvious.stitch,
    "ck.stitch": ck.stitch,
    'ck.stitch(identity="as_of")': lambda events: ck.stitch(events, identity="as_of"),
    "ck.stitch, without kernels": without_kernels,
    "ck.stitch and every table": lambda events: every_table(ck.stitch(events)),
}


if __name__ == "__main__":
    main()

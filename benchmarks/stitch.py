"""Stitching: ours beside the obvious script, in one run on the same events.

    python -m benchmarks.stitch [--people N] [--repeats N]

Equality is checked before a time is printed: the same rows kept, the same partition of the
events into profiles, the same value in every filled cell. Medians of interleaved repeats, three
of ours to each of the obvious script.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

import convergekit as ck
from benchmarks import obvious


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
    del ours, theirs

    contenders: dict[str, Callable[[], Any]] = {
        "the obvious script": lambda: obvious.stitch(events),
        "ck.stitch": lambda: ck.stitch(events),
        'ck.stitch(identity="as_of")': lambda: ck.stitch(events, identity="as_of"),
        "ck.stitch, without kernels": lambda: without_kernels(events),
        "ck.stitch and every table": lambda: every_table(ck.stitch(events)),
    }
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(arguments.repeats):
        for name, run in contenders.items():
            # The short ones wobble more, and the first after the long one pays for its garbage.
            for _ in range(1 if run is contenders["the obvious script"] else 3):
                seconds[name].append(timed(run))
    slowest = statistics.median(seconds["the obvious script"])
    print(f"{'median seconds':<32}{'':>8}  times as fast as the obvious script")
    for name, runs in seconds.items():
        median = statistics.median(runs)
        print(f"{name:<32}{median:>8.2f}  {slowest / median:.1f}")


def machine() -> str:
    """Describe where and with what a benchmark ran."""
    versions = ", ".join(f"{m.__name__} {m.__version__}" for m in (pd, np))
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{versions}"
    )


def timed(run: Callable[[], Any]) -> float:
    gc.collect()
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def without_kernels(events: pd.DataFrame) -> ck.Stitched:
    os.environ["CONVERGEKIT_KERNELS"] = "never"
    try:
        return ck.stitch(events)
    finally:
        del os.environ["CONVERGEKIT_KERNELS"]


def every_table(s: ck.Stitched) -> None:
    """Build what a Stitched builds only when asked."""
    for name in ("aliases", "profiles", "report"):
        getattr(s, name)


def check_equal(ours: ck.Stitched, theirs: pd.DataFrame) -> None:
    """Raise unless both kept the same rows, drew the same profiles and filled the same values."""
    events = ours.events
    assert (events["row"].to_numpy() == theirs.index.to_numpy()).all()
    named = events["profile_id"].notna().to_numpy()
    assert (named == (theirs["profile"] >= 0).to_numpy()).all()
    pairs = pd.DataFrame({"ours": events["profile_id"], "theirs": theirs["profile"].to_numpy()})
    pairs = pairs[named].drop_duplicates()
    assert pairs["ours"].is_unique
    assert pairs["theirs"].is_unique
    for column in (c for c in theirs if c.startswith("profile.")):
        mine, other = events[column], theirs[column].reset_index(drop=True)
        assert ((mine == other) | (mine.isna() & other.isna())).all(), column


if __name__ == "__main__":
    main()

"""Where the time of `ck.stitch` goes: ``python -m benchmarks.stages [--people N]``.

Each stage is a function that `stitch` calls. "wall" is the time from its start to its end, in which
another stage may run beside it; "processor" is what the process used meanwhile on all cores, so
that of stages that run at once each counts the other's as well.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

import convergekit as ck
from benchmarks.stitch import machine
from convergekit.base.threads import each_column
from convergekit.identity import dedupe, pipeline
from convergekit.identity.read_aliases import AliasColumns

#: In the order in which they begin.
STAGES = {
    "give columns their names": (pipeline, "canonicalise"),
    "type times and texts, reject rows": (pipeline, "normalise"),
    "find repeated event IDs": (pipeline, "find_kept"),
    "read and number aliases": (pipeline, "read_alias_columns"),
    "copy the rows that are kept": (dedupe, "chosen_rows"),
    "give aliases one form": (AliasColumns, "united"),
    "connect aliases": (pipeline, "connected_components"),
    "name profiles": (pipeline, "profile_ids"),
    "find what each event carries": (pipeline, "carry_retroactive"),
    "the same as of each event": (pipeline, "carry_as_of"),
    "write the carried values": (pipeline, "_values"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=140_000)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    events = ck.simulate_store(people=arguments.people, seed=1).events
    events = events.drop(columns="received_at")
    print(f"{machine()}\n{len(events):,} events")
    print(f"{megabytes(events):,.0f} MB given, {megabytes(ck.stitch(events).events):,.0f} MB made")
    for identity in ("retroactive", "as_of"):
        print(f"\n{f'ck.stitch(identity={identity!r})':<42}{'wall':>7}{'processor':>11}")
        runs = [stage_times(events, identity) for _ in range(arguments.repeats + 1)][1:]
        for stage in [name for name in ["all", *STAGES] if name in runs[0]]:
            wall, processor = (statistics.median(run[stage][i] for run in runs) for i in (0, 1))
            print(f"{stage:<42}{wall:>7.2f}{processor:>11.2f}")
    made = ck.stitch(events).events
    copies = [copy_time(made) for _ in range(arguments.repeats + 1)][1:]
    print(f"\n{'only copying the bytes of the frame made':<42}{statistics.median(copies):>7.2f}")


def megabytes(frame: pd.DataFrame) -> float:
    return frame.memory_usage(deep=True).sum() / 2**20


def copy_time(frame: pd.DataFrame) -> float:
    """Return the seconds of copying each column's bytes, by all cores: less cannot be made anew."""
    columns = pa.Table.from_pandas(frame, preserve_index=False).columns
    start = time.perf_counter()
    copies = each_column(
        lambda column: [
            np.frombuffer(buffer, dtype=np.uint8).copy()
            for chunk in column.chunks
            for buffer in chunk.buffers()
            if buffer is not None
        ],
        columns,
        rows=len(frame),
    )
    seconds = time.perf_counter() - start
    del copies
    return seconds


def stage_times(events: pd.DataFrame, identity: str) -> dict[str, tuple[float, float]]:
    """Return each stage's seconds: of the clock, and of the processor."""
    found: dict[str, tuple[float, float]] = {}

    def watched(stage: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **options: Any) -> Any:
            wall, processor = time.perf_counter(), time.process_time()
            result = work(*arguments, **options)
            before = found.get(stage, (0.0, 0.0))
            now = (time.perf_counter() - wall, time.process_time() - processor)
            found[stage] = (before[0] + now[0], before[1] + now[1])
            return result

        return run

    originals = {stage: getattr(*place) for stage, place in STAGES.items()}
    for stage, place in STAGES.items():
        setattr(*place, watched(stage, originals[stage]))
    try:
        watched("all", ck.stitch)(events, identity=identity)
    finally:
        for stage, place in STAGES.items():
            setattr(*place, originals[stage])
    return found


if __name__ == "__main__":
    main()

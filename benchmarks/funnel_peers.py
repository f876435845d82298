"""Funnels beside chDB's windowFunnel, DuckDB, Polars, retentioneering and groupby.apply.

    pip install -e '.[duckdb,fast,polars]' --group bench
    python -m benchmarks.funnel_peers [--people N] [--repeats N] [--slow]

All read the same three columns of stitched events: profile, event name, time. Three steps, seven
days. Runs are interleaved, one process each, and medians are printed. Ours count from a profile's
first entry; "any entry" is what the others count, and its counts must be theirs before a time is.
retentioneering, which takes part where it is installed, knows no window: its counts must be those
of ours without one.
"From the frame" starts at the pandas frame, as `ck.funnel` does; "own table" starts at the tool's
own table, which was made of the frame outside the time. `s.funnel` knows its profiles by number,
as every Stitched does. Memory is what counting adds, at the most, to the process in which the
frame is held: what the kernels or the engine need for themselves included, and its own table not.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

import convergekit as ck
from benchmarks.funnel import obvious
from benchmarks.stitch import machine
from convergekit.funnels.events import ProfileNumbers
from convergekit.funnels.funnel import answer
from convergekit.funnels.options import FunnelQuestion

STEPS = ["PageView", "Added To Cart", "Placed Order"]
DAYS = 7
COLUMNS = ["profile_id", "event_name", "timestamp"]
CONDITIONS = ", ".join(f"event_name = '{step}'" for step in STEPS)

#: A call is repeated so many times, or until so many seconds are over: short ones wobble more.
MOST_CALLS, WORTH_SECONDS = 5, 5
NUMBER = "number"
PEER = "chDB windowFunnel, from the frame"
SLOW = "groupby.apply"
FROM_FIRST = ("s.funnel", "ck.funnel", "ck.funnel, without kernels", SLOW)
#: Knows no window, and takes part where it is installed.
ENDLESS = "retentioneering, own table, no window"

Prepare = Callable[[pd.DataFrame], Callable[[], list[int]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=140_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--slow", action="store_true", help="with groupby.apply, once")
    parser.add_argument("--run", nargs=2, metavar=("CONTENDER", "FILE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        print(json.dumps(run_one(CONTENDERS[arguments.run[0]], arguments.run[1])))
        return
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "events.parquet"
        s = ck.stitch(ck.simulate_store(people=arguments.people, seed=1).events)
        s.events[NUMBER] = s.tables.resolution.profile
        part = s.events.loc[s.events["kind"] == "track", [*COLUMNS, NUMBER]].dropna()
        part.to_parquet(path)
        size = part[COLUMNS].memory_usage(deep=True).sum() / 2**20
        print(f"{machine()}\n{len(part):,} stitched events, {size:,.0f} MB in three columns\n")
        endless = ck.funnel(part, STEPS, within="36500D", entry="any").table["profiles"].tolist()
        del s, part
        runs: dict[str, list[dict[str, object]]] = {name: [] for name in CONTENDERS}
        left_out = {SLOW} if not arguments.slow else set()
        if importlib.util.find_spec("retentioneering") is None:
            left_out.add(ENDLESS)
        for turn in range(arguments.repeats):
            for name in (name for name in CONTENDERS if name not in left_out):
                if name != SLOW or turn == 0:
                    runs[name].append(in_a_process(name, path))
    counts, first = (runs[name][0]["counts"] for name in ("ck.funnel, any entry", "ck.funnel"))
    for name, found in runs.items():
        due = endless if name == ENDLESS else first if name in FROM_FIRST else counts
        assert all(run["counts"] == due for run in found), (name, due, found)
    print(f"first entry {first}, any entry {counts}; without a window {endless}\n")
    peer = median(runs[PEER], "seconds")
    print(f"Speed is that of {PEER} = 1; medians of {arguments.repeats}.\n")
    print(f"{'':<40}{'seconds':>8}{'first':>7}{'MB added':>10}{'speed':>7}")
    for name, found in runs.items():
        if found:
            seconds, first, memory = (median(found, x) for x in ("seconds", "first", "megabytes"))
            print(f"{name:<40}{seconds:>8.2f}{first:>7.2f}{memory:>10,.0f}{peer / seconds:>7.2f}")


def in_a_process(name: str, path: Path) -> dict[str, object]:
    command = [sys.executable, "-m", "benchmarks.funnel_peers", "--run", name, str(path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def run_one(prepare: Prepare, path: str) -> dict[str, object]:
    """Count once for the answer and to warm up, then for the time: the short ones several times.

    The first call loads the kernels or the engine, which counts as memory too.
    """
    frame = pd.read_parquet(path)
    count = prepare(frame)
    before = forget_the_peak()
    start = time.perf_counter()
    counts = count()
    first = time.perf_counter() - start
    times: list[float] = []
    while not times or (len(times) < MOST_CALLS and sum(times) < WORTH_SECONDS):
        start = time.perf_counter()
        assert count() == counts
        times.append(time.perf_counter() - start)
    added = memory("VmHWM") - before
    seconds = statistics.median(times)
    return {"counts": counts, "seconds": seconds, "first": first, "megabytes": added}


def forget_the_peak() -> float:
    """Let Linux note the peak anew, and return what the process holds now, in MB."""
    Path("/proc/self/clear_refs").write_text("5", "ascii")
    return memory("VmRSS")


def memory(name: str) -> float:
    """Return what Linux says of this process's memory, in MB."""
    status = Path("/proc/self/status").read_text("utf-8")
    return next(int(x.split()[1]) for x in status.splitlines() if x.startswith(name)) / 1024


def median(found: list[dict[str, object]], name: str) -> float:
    return statistics.median(float(str(run[name])) for run in found)


def convergekit(frame: pd.DataFrame) -> Callable[[], list[int]]:
    return lambda: ck.funnel(frame, STEPS, within=f"{DAYS}D").table["profiles"].tolist()


def any_entry(frame: pd.DataFrame) -> Callable[[], list[int]]:
    asked = {"within": f"{DAYS}D", "entry": "any"}
    return lambda: ck.funnel(frame, STEPS, **asked).table["profiles"].tolist()


def plain_convergekit(frame: pd.DataFrame) -> Callable[[], list[int]]:
    os.environ["CONVERGEKIT_KERNELS"] = "never"
    return convergekit(frame)


def stitched_funnel(frame: pd.DataFrame) -> Callable[[], list[int]]:
    """Count as `Stitched.funnel` does, which knows its profiles by number."""
    ids = frame.drop_duplicates(NUMBER).set_index(NUMBER)["profile_id"]
    ids = ids.reindex(range(int(frame[NUMBER].max()) + 1)).reset_index(drop=True)
    known = ProfileNumbers(frame[NUMBER].to_numpy(), pd.Index(ids))
    frame = frame[COLUMNS]
    asked = FunnelQuestion.of(STEPS, within=f"{DAYS}D")
    return lambda: answer(asked, frame, "profile_id", known).table["profiles"].tolist()


def groupby_apply(frame: pd.DataFrame) -> Callable[[], list[int]]:
    frame = frame.assign(kind="track")
    return lambda: obvious(frame)


def at_least(levels: dict[int, int]) -> list[int]:
    return [sum(n for level, n in levels.items() if level >= step) for step in (1, 2, 3)]


def chdb_from_the_frame(frame: pd.DataFrame) -> Callable[[], list[int]]:
    import chdb

    sql = window_funnel("Python(frame)")
    # chDB finds the frame by its name among the local variables of the caller.
    return lambda: _levels(chdb.query(sql, "JSON"), frame)


def chdb_own_table(frame: pd.DataFrame) -> Callable[[], list[int]]:
    from chdb.session import Session

    session = Session()
    session.query("CREATE DATABASE IF NOT EXISTS b ENGINE = Atomic")
    session.query(
        "CREATE TABLE b.e ENGINE = MergeTree ORDER BY profile_id AS "
        "SELECT profile_id, event_name, timestamp FROM Python(frame)"
    )
    return lambda: _levels(session.query(window_funnel("b.e"), "JSON"), session)


def window_funnel(source: str) -> str:
    window = DAYS * 24 * 3600 * 1_000_000
    return (
        f"SELECT level, count() AS n FROM (SELECT profile_id, windowFunnel({window})"
        f"(toUInt64(toUnixTimestamp64Micro(timestamp)), {CONDITIONS}) AS level "
        f"FROM {source} GROUP BY profile_id) GROUP BY level"
    )


def _levels(answer: object, _kept: object) -> list[int]:
    rows = json.loads(str(answer))["data"]
    return at_least({int(row["level"]): int(row["n"]) for row in rows})


def duckdb_from_the_frame(frame: pd.DataFrame) -> Callable[[], list[int]]:
    import duckdb

    connection = duckdb.connect()
    connection.register("e", frame)
    return lambda: connection.execute(latest_entries("e")).fetchone()[0]


def duckdb_own_table(frame: pd.DataFrame) -> Callable[[], list[int]]:
    import duckdb

    connection = duckdb.connect()
    connection.execute("CREATE TABLE t AS SELECT * FROM frame")
    return lambda: connection.execute(latest_entries("t")).fetchone()[0]


def polars_from_the_frame(frame: pd.DataFrame) -> Callable[[], list[int]]:
    import polars as pl

    return lambda: polars_counts(pl.from_pandas(frame[COLUMNS]))


def polars_counts(events: Any) -> list[int]:
    """Count the profiles that reach each step, in a frame of Polars."""
    import polars as pl

    within, at = pl.duration(days=DAYS), pl.col("timestamp")
    step = pl.col("event_name").replace_strict(
        {name: i for i, name in enumerate(STEPS, start=1)}, default=None, return_dtype=pl.Int8
    )
    of_steps = (
        events.with_columns(step=step)
        .drop_nulls("step")
        .sort("timestamp", "step", maintain_order=True)
    )

    def latest(entry: pl.Expr, when: pl.Expr) -> pl.Expr:
        return pl.when(when).then(entry).forward_fill().over("profile_id")

    entered = of_steps.with_columns(e1=latest(at, pl.col("step") == 1))
    second = (pl.col("step") == 2) & (at <= pl.col("e1") + within)
    entered = entered.with_columns(e2=latest(pl.col("e1"), second))
    third = (pl.col("step") == 3) & (at <= pl.col("e2") + within)
    level = pl.when(third).then(3).when(second).then(2).when(pl.col("step") == 1).then(1)
    reached = entered.group_by("profile_id").agg(level=level.max()).drop_nulls()
    return at_least(dict(reached.group_by("level").len().rows()))


def retentioneering_funnel(frame: pd.DataFrame) -> Callable[[], list[int]]:
    """Make the tool's own table outside the time, as it is made once for many questions."""
    os.environ["RETENTIONEERING_NO_TRACK"] = "1"
    from retentioneering import Eventstream

    stream = Eventstream(
        frame[COLUMNS].rename(columns={"profile_id": "user_id", "event_name": "event"})
    )
    return lambda: [step["unique_paths"] for step in stream.funnel_data(STEPS)["steps"]]


def latest_entries(source: str) -> str:
    """Carry the latest entry to each step; equal times are taken in the order of the steps."""
    case = " ".join(f"WHEN '{name}' THEN {i}" for i, name in enumerate(STEPS, start=1))
    names = ", ".join(f"'{step}'" for step in STEPS)
    over = "OVER (PARTITION BY profile_id ORDER BY timestamp, step ROWS UNBOUNDED PRECEDING)"
    window = f"INTERVAL {DAYS} DAY"
    return f"""
    WITH a AS (SELECT profile_id, timestamp, CASE event_name {case} END AS step FROM {source}
               WHERE event_name IN ({names})),
    b AS (SELECT *, max(CASE WHEN step = 1 THEN timestamp END) {over} AS e1 FROM a),
    c AS (SELECT *, max(CASE WHEN step = 2 AND timestamp <= e1 + {window} THEN e1 END) {over} AS e2
          FROM b),
    d AS (SELECT profile_id, max(CASE WHEN step = 3 AND timestamp <= e2 + {window} THEN 3
          WHEN step = 2 AND timestamp <= e1 + {window} THEN 2 WHEN step = 1 THEN 1 END) AS level
          FROM c GROUP BY profile_id)
    SELECT [count(*) FILTER (level >= 1), count(*) FILTER (level >= 2),
            count(*) FILTER (level >= 3)] FROM d"""


CONTENDERS: dict[str, Prepare] = {
    "s.funnel": stitched_funnel,
    "ck.funnel": convergekit,
    "ck.funnel, any entry": any_entry,
    "ck.funnel, without kernels": plain_convergekit,
    "chDB windowFunnel, from the frame": chdb_from_the_frame,
    "chDB windowFunnel, own table": chdb_own_table,
    "DuckDB, from the frame": duckdb_from_the_frame,
    "DuckDB, own table": duckdb_own_table,
    "Polars, from the frame": polars_from_the_frame,
    ENDLESS: retentioneering_funnel,
    SLOW: groupby_apply,
}


if __name__ == "__main__":
    main()

"""Stitching beside scripts in Polars, DuckDB and pandas, one process per run.

    pip install -e '.[bench,fast]'
    python -m benchmarks.stitch_peers [--people N ...] [--repeats N] [--slow]

Each reads the same Parquet file and returns the same pandas frame: events once each, a profile,
profile properties filled. What each found must be equal before a time is printed: the rows kept,
the partition into profiles, every filled cell. Runs are interleaved, medians are printed. "first"
is the first call in a process, in which kernels and engines are loaded. Memory is the peak of the
process, reading included. The floor reads the file and does nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

import convergekit as ck
from benchmarks import duckdb_script, obvious, polars_script
from benchmarks.funnel_peers import median, memory
from benchmarks.stitch import machine

OURS = "ck.stitch"
SLOW = "pandas and networkx, the obvious script"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, nargs="+", default=[140_000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--slow", action="store_true", help="with the obvious script, once")
    parser.add_argument("--run", nargs=2, metavar=("CONTENDER", "FILE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        print(json.dumps(run_one(*arguments.run)))
        return
    print(machine())
    for people in arguments.people:
        with tempfile.TemporaryDirectory() as directory:
            compare(people, arguments.repeats, arguments.slow, Path(directory) / "events.parquet")


def compare(people: int, repeats: int, slow: bool, path: Path) -> None:
    """Print how the contenders fare on the events of so many people."""
    events = ck.simulate_store(people=people, seed=1).events.drop(columns="received_at")
    events.to_parquet(path)
    print(f"\n{len(events):,} events, of which Parquet takes {path.stat().st_size / 2**20:,.0f} MB")
    del events
    runs: dict[str, list[dict[str, object]]] = {name: [] for name in CONTENDERS}
    for turn in range(repeats):
        for name in CONTENDERS:
            if name != SLOW or (slow and turn == 0):
                runs[name].append(in_a_process(name, path))
    expected = runs[OURS][0]["found"]
    for name, found in runs.items():
        assert all(run["found"] in (expected, None) for run in found), name
    print("equal: rows kept, partition into profiles, every filled cell\n")
    ours = median(runs[OURS], "seconds")
    print(f"{'':<42}{'seconds':>8}{'first':>8}{'peak MB':>9}{'seconds of ck.stitch':>22}")
    for name, found in runs.items():
        if found:
            seconds, first, peak = (median(found, x) for x in ("seconds", "first", "peak"))
            print(f"{name:<42}{seconds:>8.2f}{first:>8.2f}{peak:>9,.0f}{seconds / ours:>22.2f}")


def in_a_process(name: str, path: Path) -> dict[str, object]:
    command = [sys.executable, "-m", "benchmarks.stitch_peers", "--run", name, str(path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def run_one(name: str, path: str) -> dict[str, object]:
    """Stitch once to load everything, and once for the time."""
    work = CONTENDERS[name]
    start = time.perf_counter()
    work(path)
    first = time.perf_counter() - start
    start = time.perf_counter()
    made = work(path)
    seconds = time.perf_counter() - start
    peak = memory("VmHWM")
    found = None if name in UNEQUAL else fingerprint(made)
    return {"found": found, "seconds": seconds, "first": first, "peak": peak}


def fingerprint(made: pd.DataFrame) -> str:
    """Return a hash of the rows kept, the partition, and the filled cells."""
    rows = made.index.to_numpy(dtype=np.int64)
    profile, _ = pd.factorize(made["profile"])
    parts = [rows.tobytes(), profile.astype(np.int64).tobytes()]
    for column in sorted(c for c in made if c.startswith("profile.")):
        cells = made[column].astype("str").fillna("")
        parts.append(pd.util.hash_pandas_object(cells, index=False).to_numpy().tobytes())
    return hashlib.sha256(b"".join(parts)).hexdigest()


def ours(path: str, identity: str = "retroactive") -> pd.DataFrame:
    s = ck.stitch(pd.read_parquet(path), identity=identity)
    events = s.events
    # Nobody's event is a profile of its own, as in the scripts.
    number = s._identity.profile
    alone = -1 - np.arange(len(number))
    events["profile"] = np.where(number >= 0, number, alone)
    return events.set_index("row", drop=False)


CONTENDERS: dict[str, Callable[[str], pd.DataFrame]] = {
    "reading the file (the floor)": pd.read_parquet,
    OURS: ours,
    'ck.stitch(identity="as_of")': lambda path: ours(path, "as_of"),
    "Polars and SciPy": polars_script.stitch,
    "DuckDB": duckdb_script.stitch,
    SLOW: lambda path: obvious.stitch(pd.read_parquet(path)),
}
UNEQUAL = {"reading the file (the floor)", 'ck.stitch(identity="as_of")'}


if __name__ == "__main__":
    main()

"""Stitching beside scripts in Polars, DuckDB and pandas, one process per run.

    pip install -e '.[duckdb,fast,polars]' --group bench
    python -m benchmarks.stitch_peers [--people N ...] [--repeats N ...] [--slow] [--picture FILE]

Each reads the same Parquet file and returns the same pandas frame: events once each, a profile,
profile properties filled. What each found must be equal before a time is printed: the rows kept,
the partition into profiles, every filled cell. Runs are interleaved, medians are printed. "first"
is the first call in a process, in which kernels and engines are loaded. Memory is the peak of the
process, reading included; a process that the machine kills for its memory is said to have been.
The floor reads the file and does nothing. A number of repeats goes with each number of people; the
obvious script takes part at the first, once.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

import convergekit as ck
from benchmarks import duckdb_script, polars_script
from benchmarks.funnel_peers import median, memory
from benchmarks.stitch import machine
from tests.identity import obvious

FLOOR = "reading the file (the floor)"
OURS = "ck.stitch"
SLOW = "pandas and networkx, the obvious script"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, nargs="+", default=[140_000])
    parser.add_argument("--repeats", type=int, nargs="+", default=[3])
    parser.add_argument("--slow", action="store_true", help="with the obvious script")
    parser.add_argument(
        "--picture", help="where to draw seconds over events; needs convergekit[png]"
    )
    parser.add_argument("--run", nargs=2, metavar=("CONTENDER", "FILE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        print(json.dumps(run_one(*arguments.run)))
        return
    if len(arguments.repeats) == 1:
        arguments.repeats *= len(arguments.people)
    print(machine())
    seconds: dict[str, dict[int, float]] = {name: {} for name in CONTENDERS}
    for people, repeats in zip(arguments.people, arguments.repeats, strict=True):
        slow = arguments.slow and people == arguments.people[0]
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "events.parquet"
            events, found = compare(people, repeats, set() if slow else {SLOW}, path)
        for name, taken in found.items():
            seconds[name][events] = taken
    print_growth(seconds)
    if arguments.picture:
        draw(seconds, arguments.picture)


def compare(
    people: int, repeats: int, left_out: set[str], path: Path
) -> tuple[int, dict[str, float]]:
    """Print how the contenders fare on the events of so many people, and return their seconds."""
    events = ck.simulate_store(people=people, seed=1).events.drop(columns="received_at")
    events.to_parquet(path)
    size, megabytes = len(events), path.stat().st_size / 2**20
    print(f"\n{size:,} events, of which Parquet takes {megabytes:,.0f} MB")
    del events
    runs: dict[str, list[dict[str, object]]] = {name: [] for name in CONTENDERS}
    for turn in range(repeats):
        for name in CONTENDERS:
            if name not in left_out and (name != SLOW or turn == 0):
                runs[name].append(in_a_process(name, path))
    expected = runs[OURS][0]["found"]
    for name, found in runs.items():
        assert all(run.get("found") in (expected, None) for run in found), name
    print("equal: rows kept, partition into profiles, every filled cell\n")
    ours, floor = (median(runs[name], "seconds") for name in (OURS, FLOOR))
    print(f"{'':<40}{'seconds':>8}{'first':>7}{'peak MB':>9}{'of ck.stitch':>14}{'of reading':>12}")
    medians = {}
    for name, found in runs.items():
        if {} in found:
            print(f"{name:<40}killed: it took more memory than there is")
        elif found:
            taken, first, peak = (median(found, x) for x in ("seconds", "first", "peak"))
            print(
                f"{name:<40}{taken:>8.2f}{first:>7.2f}{peak:>9,.0f}{taken / ours:>14.2f}"
                f"{taken / floor:>12.1f}"
            )
            medians[name] = taken
    return size, medians


def print_growth(seconds: dict[str, dict[int, float]]) -> None:
    """Print how many times as long the most events take as the fewest."""
    fewest, most = min(seconds[OURS]), max(seconds[OURS])
    if most > fewest:
        print(f"\n{most / fewest:.1f} times as many events take so many times as long:")
        for name, taken in seconds.items():
            if most in taken:
                print(f"{name:<40}{taken[most] / taken[fewest]:>8.1f}")


def draw(seconds: dict[str, dict[int, float]], file: str) -> None:
    """Draw the seconds over the number of events, both axes logarithmic."""
    import plotly.graph_objects as go

    from convergekit.figures.style import COLOURS
    from convergekit.figures.template import titled

    figure = go.Figure()
    colours = ["#8c959f", *COLOURS]
    for (name, taken), colour in zip(seconds.items(), colours, strict=False):
        events = sorted(taken)
        figure.add_scatter(
            x=events,
            y=[taken[size] for size in events],
            name=name,
            mode="lines+markers",
            line_color=colour,
        )
    figure.update_layout(
        **titled(
            "Seconds to stitch a file of events",
            ["Reading included, each in a process of its own; both axes are logarithmic"],
            template="light",
            plot_height=380,
        ),
        legend={"orientation": "h", "x": 0, "y": -0.16, "yanchor": "top"},
    )
    sizes = sorted(seconds[OURS])
    figure.update_xaxes(
        type="log",
        title="events, in millions",
        tickvals=sizes,
        ticktext=[f"{size / 1e6:.0f}" for size in sizes],
    )
    figure.update_yaxes(type="log", title="seconds", dtick=1, minor={"dtick": "D1"})
    figure.write_image(file, width=760, height=560)


def in_a_process(name: str, path: Path) -> dict[str, object]:
    """Return what a process of its own measured; nothing if it was killed for its memory."""
    command = [sys.executable, "-m", "benchmarks.stitch_peers", "--run", name, str(path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode == -signal.SIGKILL:
        return {}
    done.check_returncode()
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
    number = s.tables.resolution.profile
    alone = -1 - np.arange(len(number))
    events["profile"] = np.where(number >= 0, number, alone)
    return events.set_index("row", drop=False)


CONTENDERS: dict[str, Callable[[str], pd.DataFrame]] = {
    FLOOR: pd.read_parquet,
    OURS: ours,
    'ck.stitch(identity="as_of")': lambda path: ours(path, "as_of"),
    "Polars and SciPy": polars_script.stitch,
    "DuckDB": duckdb_script.stitch,
    SLOW: lambda path: obvious.stitch(pd.read_parquet(path)),
}
UNEQUAL = {FLOOR, 'ck.stitch(identity="as_of")'}


if __name__ == "__main__":
    main()

"""Importing convergekit beside importing pandas, the first figure, and compiling.

``python -m benchmarks.start``. The first figure is that of somebody who runs their first notebook:
what is loaded for it, and what it takes to read and stitch the coffee shop's exports in ``data/``.

A process each. Kernels are compiled where they are first used, once per installation: numba keeps
them on disk. That is timed with an empty directory to keep them in, on events so few that the
work itself is nothing.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.stitch import machine

ROOT = Path(__file__).parent.parent

_TIMED = "import time; t = time.perf_counter(); {0}; print(time.perf_counter() - t)"
#: convergekit imports its modules when they are first used: what all of that takes, as well.
_STARTS = {
    "import pandas": "import pandas",
    "import convergekit": "import convergekit",
    "the same, and name ck.stitch": "import convergekit; convergekit.stitch",
}
#: What a first notebook does.
_FIRST = {
    "import": "import convergekit as ck",
    "read": "events = ck.read_events('data/*')",
    "stitch": "s = ck.stitch(events)",
    "funnel": "f = s.funnel(['PageView', 'Added To Cart', 'Placed Order'], within='7D')",
    "plot": "figure = f.plot()",
    "show": "from convergekit.figures.showing import shown; shown(figure)",
}
_EVENTS = "import convergekit as ck; events = ck.simulate_store(people=20_000, seed=1).events"
_FUNNEL = "s.funnel(['PageView', 'Placed Order'], within='7D')"
#: What is compiled for, and what goes before it.
_COMPILED = {
    "ck.stitch": (_EVENTS, "ck.stitch(events)"),
    'ck.stitch(identity="as_of")': (_EVENTS, "ck.stitch(events, identity='as_of')"),
    "s.funnel": (f"{_EVENTS}; s = ck.stitch(events)", _FUNNEL),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=15)
    repeats = parser.parse_args().repeats
    print(machine())
    seconds: dict[str, list[float]] = {name: [] for name in _STARTS}
    for _ in range(repeats + 1):
        for name, found in seconds.items():
            command = [sys.executable, "-c", _TIMED.format(_STARTS[name])]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            found.append(float(done.stdout))
    # The first of each reads the files from the disk.
    usual = statistics.median(seconds["import pandas"][1:])
    for name, found in seconds.items():
        taken = statistics.median(found[1:])
        print(f"{name:<32}{taken:>8.3f} s{taken / usual:>7.2f} times")
    print("\nthe first figure, of the exports in data/: by the clock, and of processor time")
    laps = [first_figure() for _ in range(repeats + 1)][1:]
    for name in [*_FIRST, "together"]:
        both = [statistics.median(lap[name][kind] for lap in laps) for kind in (0, 1)]
        print(f"{name:<32}{both[0]:>8.2f} s{both[1]:>8.2f} s")
    print("\nfirst call after installing the kernels, and in a new process after that")
    for name, (before, call) in _COMPILED.items():
        with tempfile.TemporaryDirectory() as kept:
            # What goes before is compiled already, so that each call counts its own kernels alone.
            compiled(before, before, kept)
            times = [compiled(before, call, kept) for _ in range(2)]
        print(f"{name:<32}{times[0]:>8.2f} s{times[1]:>8.2f} s")


def first_figure() -> dict[str, tuple[float, float]]:
    """Return the seconds of each step of a first notebook, by the clock and by the processor."""
    code = [
        "import time, json; clocks = lambda: (time.perf_counter(), time.process_time())",
        "at = [clocks()]",
    ]
    for step in _FIRST.values():
        code += [step, "at.append(clocks())"]
    # A notebook's own process has what IPython loads, and nothing of ours.
    done = subprocess.run(
        [sys.executable, "-c", "\n".join([*code, "print(json.dumps(at))"])],
        stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    at = json.loads(done.stdout)
    names = [*_FIRST, "together"]
    pairs = [*itertools.pairwise(at), (at[0], at[-1])]
    return {
        name: (later[0] - before[0], later[1] - before[1])
        for name, (before, later) in zip(names, pairs, strict=True)
    }


def compiled(before: str, call: str, kept: str) -> float:
    """Return the seconds of a call in a new process, where `kept` is what is kept on disk."""
    command = [sys.executable, "-c", f"{before}; {_TIMED.format(call)}"]
    settings = os.environ | {"NUMBA_CACHE_DIR": kept, "CONVERGEKIT_KERNELS": "always"}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=settings)
    return float(done.stdout)


if __name__ == "__main__":
    main()

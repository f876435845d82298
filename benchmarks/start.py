"""Importing convergekit beside importing pandas, a process each: ``python -m benchmarks.start``."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys

from benchmarks.stitch import machine

_TIMED = "import time; t = time.perf_counter(); {0}; print(time.perf_counter() - t)"
#: convergekit imports its modules when they are first used: what all of that takes, as well.
_STARTS = {
    "import pandas": "import pandas",
    "import convergekit": "import convergekit",
    "the same, and name ck.stitch": "import convergekit; convergekit.stitch",
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


if __name__ == "__main__":
    main()

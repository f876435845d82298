"""Importing convergekit beside importing pandas, a process each: ``python -m benchmarks.start``."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys

from benchmarks.stitch import machine

_TIMED = "import time; t = time.perf_counter(); import {0}; print(time.perf_counter() - t)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=15)
    repeats = parser.parse_args().repeats
    print(machine())
    seconds: dict[str, list[float]] = {"pandas": [], "convergekit": []}
    for _ in range(repeats + 1):
        for name, found in seconds.items():
            command = [sys.executable, "-c", _TIMED.format(name)]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            found.append(float(done.stdout))
    # The first of each reads the files from the disk.
    usual = statistics.median(seconds["pandas"][1:])
    for name, found in seconds.items():
        taken = statistics.median(found[1:])
        print(f"import {name:<16}{taken:>8.3f} s{taken / usual:>7.2f} times")


if __name__ == "__main__":
    main()

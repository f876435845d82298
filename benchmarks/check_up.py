"""The check-up beside stitching: how long each takes on the same events, in one process.

    python -m benchmarks.check_up [--people N] [--repeats N]

Medians of interleaved repeats. The last lines say what each check takes of it.
"""

from __future__ import annotations

import argparse
import statistics

import convergekit as ck
from benchmarks.stitch import machine, timed
from convergekit.checks import CHECKS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=140_000)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()

    events = ck.simulate_store(people=arguments.people, seed=1).events
    print(f"{machine()}\n{len(events):,} events of {arguments.people:,} simulated people\n")
    contenders = {
        "ck.stitch": lambda: ck.stitch(events),
        "ck.check_up": lambda: ck.check_up(events),
    }
    for run in contenders.values():
        run()
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(arguments.repeats):
        for name, run in contenders.items():
            seconds[name].append(timed(run))
    stitching = statistics.median(seconds["ck.stitch"])
    print(f"{'median seconds':<32}{'':>8}  times as long as ck.stitch")
    for name, runs in seconds.items():
        median = statistics.median(runs)
        print(f"{name:<32}{median:>8.2f}  {median / stitching:.2f}")

    found = ck.check_up(events)
    print(f"\n{found.title}\n\n{'seconds, each once':<32}")
    tracking = found._each.tracking.knowing(found._whole)
    for name, check in CHECKS.items():

        def both(check=check):
            if check.learn is not None:
                check.learn(tracking)
            if not check.unless(found._whole):
                list(check.find(tracking))

        print(f"{name:<32}{timed(both):>8.2f}")


if __name__ == "__main__":
    main()

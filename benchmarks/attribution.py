"""Attribution by all models beside stitching: how long each takes on the same events.

    python -m benchmarks.attribution [--people N] [--repeats N]

Medians of interleaved repeats, in one process. Attribution starts at the stitched events: it finds
sessions and channels, pairs visits with orders, and credits every order by every model.
"""

from __future__ import annotations

import argparse
import statistics

import convergekit as ck
from benchmarks.stitch import machine, timed
from convergekit.attribution.question import MODELS

ORDER, VALUE = "Placed Order", "total_price"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=140_000)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()

    events = ck.simulate_store(people=arguments.people, seed=1).events
    s = ck.stitch(events)
    found = s.attribution(ORDER, VALUE, MODELS)
    print(f"{machine()}\n{len(events):,} events of {arguments.people:,} simulated people\n")
    print(f"{found}\n{len(found.credits):,} credits\n")
    contenders = {
        "ck.stitch": lambda: ck.stitch(events),
        f"s.attribution, {len(MODELS)} models": lambda: s.attribution(ORDER, VALUE, MODELS),
        "the same and its table": lambda: s.attribution(ORDER, VALUE, MODELS).table,
        "s.attribution, last touch": lambda: s.attribution(ORDER, VALUE),
        "s.sessions": s.sessions,
    }
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(arguments.repeats):
        for name, run in contenders.items():
            seconds[name].append(timed(run))
    stitching = statistics.median(seconds["ck.stitch"])
    print(f"{'median seconds':<32}{'':>8}  times as long as ck.stitch")
    for name, runs in seconds.items():
        median = statistics.median(runs)
        print(f"{name:<32}{median:>8.2f}  {median / stitching:.2f}")


if __name__ == "__main__":
    main()

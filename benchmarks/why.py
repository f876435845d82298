"""How long `why` takes beside the stitching of both periods.

    python -m benchmarks.why [--events N] [--number NAME]

The aim is three stitches at a million events a side. Processor time; run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import time

import convergekit as ck

PERIODS = ("2026-03-02", "2026-03-15"), ("2026-03-16", "2026-03-29")
STEPS = ["PageView", "Added To Cart", "Started Checkout", "Placed Order"]
#: A simulated person has about so many events.
_EACH = 7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000, help="on each side")
    parser.add_argument("--number", default="conversion")
    given = parser.parse_args()
    events = ck.simulate_store(people=2 * given.events // _EACH).events
    began = time.process_time()
    s = ck.stitch(events)
    stitched = time.process_time() - began
    began = time.process_time()
    found = s.why(*PERIODS, number=given.number, steps=STEPS)
    asked = time.process_time() - began
    print(found.finding)
    print(
        f"{len(events):,} events: stitch {stitched:.1f} s, why {asked:.1f} s, "
        f"{asked / stitched:.2f} stitches"
    )


if __name__ == "__main__":
    main()

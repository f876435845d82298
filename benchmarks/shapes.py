"""Hard shapes at a million events: seconds to stitch, beside a simulated store of the same size.

Run with ``python -m benchmarks.shapes --size 1000000``.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd

import convergekit as ck
from benchmarks.stitch import machine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1_000_000)
    size = parser.parse_args().size
    print(machine())
    store = ck.simulate_store(people=size * 7 // 50).events
    usual = seconds(store)
    print(f"{'a simulated store':<44}{usual:>8.2f} s   1.0 times")
    for name, (frame, options) in shapes(size).items():
        taken = seconds(frame, **options)
        print(f"{name:<44}{taken:>8.2f} s{taken / usual:>6.1f} times")


def shapes(size: int) -> dict[str, tuple[pd.DataFrame, dict[str, object]]]:
    """Return each shape's events, and the options it is stitched with."""
    times = pd.Timestamp("2026-03-02", tz="UTC") + pd.to_timedelta(np.arange(size), unit="s")
    base = pd.DataFrame({"event_name": "PageView", "timestamp": times})
    numbers = pd.Series(np.arange(size)).astype("str")
    later = pd.Series(np.arange(1, size + 1)).astype("str")
    one = base.assign(**{"alias.cookie": "kiosk"})
    star = one.assign(**{"alias.email": numbers + "@x.org"})
    # A row's alias and the next row's, as two columns of one type in lists of URNs.
    chain = base.assign(
        aliases=[list(pair) for pair in zip("urn:id:v" + numbers, "urn:id:v" + later, strict=True)]
    )
    several = np.arange(size) // 8
    types = {f"alias.t{i:02}": "v" + pd.Series(several * 30 + i).astype("str") for i in range(30)}
    few = pd.Series(np.arange(size) % 7).astype("str")
    wide = {f"profile_properties.p{i:03}": few for i in range(100)}
    wide |= {f"properties.q{i:03}": few for i in range(100)}
    return {
        "one alias on every event": (one, {}),
        "one cookie, an address per event": (star, {}),
        "the same, three addresses a profile": (star, {"limits": {"email": 3}}),
        "a chain of as many aliases": (chain, {}),
        "the same as of each event": (chain, {"identity": "as_of"}),
        "no alias is shared": (base.assign(**{"alias.cookie": "c" + numbers}), {}),
        "30 types of aliases, all on every event": (base.assign(**types), {}),
        "200 properties, 100 of them the person's": (star.assign(**wide), {}),
        "all event IDs differ": (one.assign(event_id="e" + numbers), {}),
        "all event IDs are equal": (one.assign(event_id="e"), {}),
        "sorted by time": (star, {}),
        "sorted backwards": (star.iloc[::-1], {}),
    }


def seconds(frame: pd.DataFrame, **options: object) -> float:
    start = time.perf_counter()
    ck.stitch(frame, **options)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()

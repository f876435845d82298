"""Profiles beside the true people: precision and recall as more and more goes wrong.

    python -m benchmarks.evaluate [--people N] [--seeds N]

For every level of noise, simulated stores are stitched and compared with the people who were
behind their events. Last it prints how long the comparison of about a million events takes.
"""

from __future__ import annotations

import argparse

import pandas as pd

import convergekit as ck
from benchmarks.stitch import machine, timed

NOISE = (0.0, 0.5, 1.0, 2.0, 3.0, 4.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--large", type=int, default=140_000, help="people of the timed store")
    arguments = parser.parse_args()
    print(f"{machine()}\nmeans of {arguments.seeds} stores of {arguments.people:,} people\n")
    rows = [measure(arguments.people, arguments.seeds, noise) for noise in NOISE]
    print(pd.DataFrame(rows).to_string(index=False, float_format="{:.3f}".format))

    store = ck.simulate_store(people=arguments.large, seed=1)
    s = ck.stitch(store.events)
    seconds = timed(lambda: ck.evaluate(s, store.truth))
    print(f"\n{len(s.events):,} events compared in {seconds:.2f} s")


def measure(people: int, seeds: int, noise: float) -> dict[str, float]:
    """Return the means over several stores."""
    found = []
    for seed in range(1, seeds + 1):
        store = ck.simulate_store(people=people, seed=seed, noise=noise)
        found.append(ck.evaluate(ck.stitch(store.events), store.truth))
    tables = [each.table.set_index("measure") for each in found]
    means = sum(tables) / len(tables)
    return {
        "noise": noise,
        **{
            f"{name} {score}": means.loc[name, score]
            for name in means.index
            for score in ("precision", "recall", "f1")
        },
        "people split": sum(len(e.split) / e.people for e in found) / seeds,
        "profiles over-merged": sum(len(e.over_merged) / e.profiles for e in found) / seeds,
    }


if __name__ == "__main__":
    main()

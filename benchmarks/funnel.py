"""Funnels: ours beside the obvious `groupby.apply`, in one run on the same stitched events.

    python -m benchmarks.funnel [--people N] [--repeats N]

Equality of the counts is checked before a time is printed. Medians of interleaved repeats.
"""

from __future__ import annotations

import argparse
import statistics

import numpy as np
import pandas as pd

import convergekit as ck
from benchmarks.stitch import machine, timed

STEPS = ["PageView", "Added To Cart", "Placed Order"]
WINDOW = pd.Timedelta("7D")
LIKE = ("posthog", "mixpanel", "amplitude", "clickhouse")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()

    s = ck.stitch(ck.simulate_store(people=arguments.people, seed=1).events)
    events = s.events
    print(f"{machine()}\n{len(events):,} stitched events, {len(s.profiles):,} profiles\n")
    ours = ck.funnel(events, STEPS, within=WINDOW).table["profiles"].tolist()
    theirs = obvious(events)
    assert ours == theirs, (ours, theirs)
    print(f"equal counts: {ours}\n")

    contenders = {
        "groupby.apply": lambda: obvious(events),
        "ck.funnel": lambda: ck.funnel(events, STEPS, within=WINDOW).table,
        'ck.funnel(order="strict")': lambda: (
            ck.funnel(events, STEPS, within=WINDOW, order="strict").table
        ),
        'ck.funnel(order="any")': lambda: (
            ck.funnel(events, STEPS, within=WINDOW, order="any").table
        ),
    }
    for like in LIKE:
        contenders[f'ck.funnel(like="{like}")'] = lambda like=like: (
            ck.funnel(events, STEPS, within=WINDOW, like=like).table
        )
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(arguments.repeats):
        for name, run in contenders.items():
            seconds[name].append(timed(run))
    slowest = statistics.median(seconds["groupby.apply"])
    print(f"{'median seconds':<32}{'':>8}  times as fast as groupby.apply")
    for name, runs in seconds.items():
        median = statistics.median(runs)
        print(f"{name:<32}{median:>8.2f}  {slowest / median:.1f}")


def obvious(events: pd.DataFrame) -> list[int]:
    """Count by a Python loop over each profile's events from its first entry on."""
    window = WINDOW.value
    place = {name: i for i, name in enumerate(STEPS)}
    part = events[events["event_name"].isin(STEPS) & (events["kind"] == "track")]
    # Ties are taken in the order of the steps, which is the order that carries furthest.
    part = part.assign(step=part["event_name"].map(place))
    part = part.assign(ns=part["timestamp"].dt.as_unit("ns").astype("int64"))
    part = part.sort_values(["ns", "step"])[["profile_id", "step", "ns"]]

    def depth(profile: pd.DataFrame) -> int:
        entry, deepest = 0, 0
        for step, ns in zip(profile["step"].tolist(), profile["ns"].tolist(), strict=True):
            if step == deepest and (step == 0 or ns - entry <= window):
                entry, deepest = (entry if step else ns), deepest + 1
        return deepest

    depths = part.groupby("profile_id").apply(depth).to_numpy()
    return [int(np.sum(depths >= step)) for step in range(1, len(STEPS) + 1)]


if __name__ == "__main__":
    main()

"""How often the interval of `Funnel.bounds` holds the truth, and how wide it is.

``python -m tests.certainty.coverage --stores 40`` prints a row per world and setting. Towns was
held out, and its first run is in docs/how-sure.md: nothing may be tuned on what it shows, and a
change of the estimator needs a world that has not been seen.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass

import numpy as np

import convergekit as ck
from tests.certainty.settings import settings
from tests.certainty.worlds import STEPS, World

WITHIN = "14D"
LEVEL = 0.9
WORLDS = ("simulator", "agents", "households", "towns")
#: Half of the width of an interval of 90 % in standard errors.
_Z = 1.6449


@dataclass(frozen=True)
class Store:
    """One store: the truth of the last step, and what is said of it."""

    true: float
    stitched: float
    low: float
    estimate: float
    high: float
    worst_low: float
    worst_high: float
    chance: float

    @classmethod
    def of(cls, world: World) -> Store:
        """Measure a world."""
        funnel = ck.stitch(world.events).funnel(list(STEPS), within=WITHIN)
        last = funnel.bounds(LEVEL).table.iloc[-1]
        true, entered = world.truth(within=WITHIN)[-1], funnel.counts["entered"]
        chance = 2 * _Z * np.sqrt(last["stitched"] * (1 - last["stitched"]) / entered)
        names = ("stitched", "low", "estimate", "high", "worst_low", "worst_high")
        return cls(true, *(float(last[name]) for name in names), float(chance))


def row(stores: list[Store]) -> dict[str, float | int | str]:
    """Return what many stores of one setting come to."""
    table = {
        name: np.array([getattr(one, name) for one in stores])
        for name in Store.__dataclass_fields__
    }
    true, gap = table["true"], np.median(np.abs(table["true"] - table["stitched"]))
    chance = np.median(table["chance"])
    half = table["chance"] / 2
    by_chance = np.abs(true - table["stitched"]) <= half
    holds = (table["low"] <= true) & (true <= table["high"])
    worst = (table["worst_low"] <= true) & (true <= table["worst_high"])
    width = np.median(table["high"] - table["low"])
    error = np.median(np.abs(table["estimate"] - true))
    return {
        "stores": len(stores),
        "true": float(np.median(true)),
        "stitched": float(np.median(table["stitched"])),
        "estimate": float(np.median(table["estimate"])),
        "holds": int(holds.sum()),
        "too_low": int((table["high"] < true).sum()),
        "worst_holds": int(worst.sum()),
        "chance_holds": int(by_chance.sum()),
        "width": float(width),
        "allowed": float(3 * gap + chance),
        "error": float(error),
        "half_gap": float(gap / 2),
    }


def measured(world: str, setting: str, stores: int, people: int, first: int) -> dict:
    """Return the row of a setting."""
    make = settings(people)[world, setting]
    return row([Store.of(make(seed)) for seed in range(first, first + stores)])


def line(world: str, setting: str, found: dict) -> str:
    """Return a row of the table in Markdown."""
    shares = ("true", "stitched", "estimate")
    cells = [world, setting, *(f"{found[name]:.1%}" for name in shares)]
    cells += [
        f"{found[name]}/{found['stores']}" for name in ("holds", "chance_holds", "worst_holds")
    ]
    cells += [f"{100 * found[name]:.1f}" for name in ("width", "allowed", "error", "half_gap")]
    return f"| {' | '.join(cells)} |"


HEAD = (
    "| world | setting | true | stitched | estimate | interval holds | of chance | worst holds "
    "| width | 3 × gap + chance | error | half of gap |\n" + "| --- " * 12 + "|"
)


def main(arguments: list[str]) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--stores", type=int, default=40)
    parser.add_argument("--people", type=int, default=1500)
    parser.add_argument("--first", type=int, default=1000)
    parser.add_argument(
        "--worlds", nargs="*", default=["simulator", "agents", "households", "towns"]
    )
    parser.add_argument("--settings", nargs="*")
    given = parser.parse_args(arguments)
    print(HEAD, flush=True)
    for world, setting in settings(given.people):
        if world in given.worlds and (not given.settings or setting in given.settings):
            found = measured(world, setting, given.stores, given.people, given.first)
            print(line(world, setting, found), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

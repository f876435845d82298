"""A shop that writes a folder of exports every night."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

import convergekit as ck

ROOT = Path(__file__).parents[2]
RECIPES = ROOT / "docs" / "recipes"
#: The days after which the shop writes: what came since the one before.
FIRST = "2026-03-15"
SECOND = "2026-03-29"
NUMBERS = """
[[number]]
kind = "events"
event = "Placed Order"
name = "Orders"
"""


def shop(folder: Path) -> dict[str, str]:
    """Write two nights, and return the settings that the recipes read."""
    settings = {
        "EXPORTS": str(folder / "exports"),
        "STORE": str(folder / "store"),
        "NUMBERS": str(folder / "numbers.toml"),
    }
    (folder / "numbers.toml").write_text(NUMBERS, "utf-8")
    for day, events in days().items():
        (folder / "exports" / day).mkdir(parents=True)
        events.to_parquet(folder / "exports" / day / "events.parquet")
    return settings


def days() -> dict[str, pd.DataFrame]:
    """Return the events of two nights, which have people and copies in common."""
    events = ck.simulate_store(people=80, seed=3, noise=0).events
    half = len(events) // 2
    return {FIRST: events[:half], SECOND: events[half - 5 :]}


def without_aliases(folder: Path, day: str) -> None:
    """Write a day's exports so that nobody knows who ordered: a finding of high severity."""
    path = folder / "exports" / day / "events.parquet"
    events = pd.read_parquet(path)
    orders = events["event_name"] == "Placed Order"
    for column in (name for name in events if name.startswith("alias")):
        events.loc[orders, column] = None
    events.to_parquet(path)


def stitched(folder: Path) -> ck.Stitched:
    """Return what a store has to be equal to when all exports were added."""
    return ck.stitch(ck.read_events(sorted((folder / "exports").glob("*/*"))))

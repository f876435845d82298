"""Worlds with a known truth: what people did, and what the tracking kept of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

import convergekit as ck
from tests.certainty.advertising import advertised

STEPS = ("PageView", "Placed Order")


@dataclass(frozen=True)
class World:
    """The events that arrive, and what happened: `person`, `event_name` and `timestamp`.

    `persons` are those of the events that arrive.
    """

    events: pd.DataFrame
    happened: pd.DataFrame
    persons: pd.Series

    def known(self) -> ck.Stitched:
        """Return the events that arrive, stitched as if each carried its person.

        A browser stays one where it is known, for visits are a browser's.
        """
        aliases = [name for name in self.events if name.startswith("alias.")]
        others = [name for name in self.events if name.endswith("$email")]
        person = self.persons.astype("str")
        cookie = person + ":" + self.events["alias.cookie"].astype("str")
        plain = self.events.drop(columns=[*aliases, *others])
        cookie = cookie.where(self.events["alias.cookie"].notna())
        return ck.stitch(plain.assign(**{"alias.user_id": "u" + person, "alias.cookie": cookie}))

    def truth(self, steps=STEPS, within="14D", **options):
        """Return the share of the people who entered that reached each step."""
        funnel = ck.funnel(self.happened, list(steps), within=within, profile="person", **options)
        return funnel.table["conversion"].to_numpy()


def world_of(rows: list[dict], people: int, world: str, seed: int) -> World:
    """Return the world of rows with `person`, `event_name`, `second` and `arrives`, and aliases.

    A row with `copy` is a second report of what another row has said already.
    """
    table = pd.DataFrame(rows).sort_values("second", kind="stable", ignore_index=True)
    table = advertised(table, world, seed)
    begin = pd.Timestamp("2026-06-01", tz="UTC").as_unit("us")
    table["timestamp"] = begin + pd.to_timedelta(table.pop("second").round(), unit="s")
    copies = table.pop("copy").eq(True) if "copy" in table else pd.Series(False, table.index)
    done = table.loc[~copies & table["event_name"].notna(), ["person", "event_name", "timestamp"]]
    arrived = table[table.pop("arrives")].reset_index(drop=True)
    assert table["person"].nunique() <= people
    persons = arrived.pop("person")
    return World(arrived, done.reset_index(drop=True), persons)


def simulated(
    people: int, seed: int, losses: ck.TrackingLoss | None = None, noise: float = 1.0
) -> World:
    """Return the world of the package's own simulator."""
    store = ck.simulate_store(people=people, seed=seed, losses=losses, noise=noise)
    return World(store.events, store.happened, store.truth["person"])


def token(rng: np.random.Generator, prefix: str) -> str:
    """Return a name that no other has."""
    return f"{prefix}{rng.integers(2**62):016x}"

"""Five stores that agents are asked about: other people, sizes, times and faults."""

from __future__ import annotations

import functools
import tempfile
from dataclasses import dataclass
from pathlib import Path

import convergekit as ck

STEPS = ["PageView", "Added To Cart", "Placed Order"]
_ASKED = (
    {"people": 60, "seed": 4},
    {"people": 150, "seed": 11, "noise": 0.0},
    {"people": 220, "seed": 23, "start": "2025-11-03", "days": 42},
    {"people": 90, "seed": 5, "start": "2026-01-05", "losses": ck.TrackingLoss(blocked=0.2)},
    {"people": 300, "seed": 31, "days": 56, "noise": 2.0},
)


@dataclass(frozen=True)
class AskedStore:
    """A store, stitched."""

    events: object
    s: ck.Stitched
    spend: ck.Spend


@functools.cache
def stores() -> list[AskedStore]:
    """Return the stores."""
    found = []
    for given in _ASKED:
        store = ck.simulate_store(spend=True, **given)
        with tempfile.TemporaryDirectory() as directory:
            store.write(directory)
            files = sorted(Path(directory, "spend").iterdir())
            spend = ck.read_spend(files, currency="EUR")
        found.append(AskedStore(store.events, ck.stitch(store.events), spend))
    return found

"""A funnel's question as one that can be asked with other profiles."""

from __future__ import annotations

import pandas as pd

from convergekit.certainty.evidence import Counting
from convergekit.funnels.asking import Asking
from convergekit.funnels.outcomes import NOT_A_TIME
from convergekit.typing import IntArray


def counting_of(asking: Asking) -> Counting:
    """Return a funnel's question as one that can be asked with other profiles."""
    asked, prepared = asking.asked, asking.counting

    def reached(at: IntArray, unit: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        found = asking.recounted(at, unit)
        return (found.time != NOT_A_TIME).sum(axis=0), found.profile, found.time

    enters = (prepared.mask & 1) > 0
    if asked.start is not None:
        enters &= prepared.time >= asked.start
    if asked.end is not None:
        enters &= prepared.time < asked.end
    return Counting(
        position=prepared.position,
        unit=prepared.unit,
        time=prepared.time,
        mask=prepared.mask,
        enters=enters,
        steps=len(asked.steps),
        window=asked.window // pd.Timedelta(1, "us"),
        first_entry=asked.rules.entry == "first",
        reached=reached,
    )

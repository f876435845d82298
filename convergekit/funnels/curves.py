"""The curve of a funnel: the share that has converted by each time since the entry."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from convergekit.base.survival import ConversionCurve, cumulative_incidence, kaplan_meier
from convergekit.errors import ConvergekitError
from convergekit.events.amounts import events_named
from convergekit.events.steps import StepLike, title_of
from convergekit.events.timestamps import microseconds
from convergekit.funnels.asking import Asking
from convergekit.funnels.outcomes import Outcomes
from convergekit.funnels.paths import InTime
from convergekit.funnels.step_table import StepTable
from convergekit.typing import IntArray


def curve_of(
    asking: Asking,
    tables: StepTable,
    part: Outcomes,
    step: int,
    ends: Sequence[StepLike],
    confidence: float,
) -> pd.DataFrame:
    """Return the curve of those who entered, one for each end. See `Funnel.curve`."""
    reason = tables.no_curve(part, step)
    if reason:
        raise ConvergekitError(f"the curve is not known: {reason}.")
    time, happened = tables.observed(part, step)
    if not ends:
        return _rows(kaplan_meier(time, happened, confidence))
    names = [tables.titles[step - 1], *map(title_of, ends)]
    if len(set(names)) < len(names):
        raise ConvergekitError(f"ends= must be other events than the step's; got {names[1:]!r}.")
    end = happened.astype(np.int64)
    for number, other in enumerate(ends, start=2):
        came = _first_after_entry(asking, part, other)
        sooner = came < time
        time, end = np.where(sooner, came, time), np.where(sooner, number, end)
    curves = cumulative_incidence(time, end, len(names), confidence)
    return pd.concat(
        [
            _rows(curve).assign(end=pd.Series(name, index=range(len(curve.time)), dtype="str"))
            for curve, name in zip(curves, names, strict=True)
        ],
        ignore_index=True,
    )


def _first_after_entry(asking: Asking, part: Outcomes, event: StepLike) -> IntArray:
    """Return how long after its entry each profile did something else, the largest for never."""
    at = events_named(asking.events, event)
    at = at[asking.events["timestamp"].iloc[at].notna().to_numpy(dtype=bool)]
    profile, ids = asking.profiles.of(at)
    # Both number the profiles that they met, so only IDs tell them apart.
    profile = np.append(part.ids.get_indexer(ids), -1)[profile]
    known = profile >= 0
    times = microseconds(asking.events["timestamp"])[at[known]]
    entry = part.time[:, 0]
    found = InTime(profile[known], times).next(part.profile, entry, later=True)
    waited = np.append(times, 0)[found] - entry
    return np.where(found < 0, np.iinfo(np.int64).max, waited)


def _rows(curve: ConversionCurve) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "time": pd.Series(curve.time.astype("timedelta64[us]")),
            "share": curve.share,
            "low": curve.low,
            "high": curve.high,
            "at_risk": curve.at_risk,
        }
    )

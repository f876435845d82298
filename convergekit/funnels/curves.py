"""The curve of a funnel: the share that has converted by each time since the entry."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from convergekit.base.survival import ConversionCurve, cumulative_incidence, kaplan_meier
from convergekit.errors import ConvergekitError
from convergekit.events.steps import StepLike, title_of
from convergekit.funnels.asking import FunnelSource
from convergekit.funnels.outcomes import Outcomes
from convergekit.funnels.step_table import StepTable


def curve_of(
    asking: FunnelSource,
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
        came = asking.first_after_entry(part, other)
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

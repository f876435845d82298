"""Measure how many events have each profile property, as sent and once values are carried."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from convergekit.events.amounts import events_named
from convergekit.events.schema import PROFILE, PROFILE_PROPERTY, missing
from convergekit.events.steps import StepLike, title_of
from convergekit.figures.frame import DrawnFrame
from convergekit.identity.properties import property_names

if TYPE_CHECKING:
    from convergekit.figures.style import Style
    from convergekit.identity.tables import StitchedEvents


def property_coverage(s: StitchedEvents, event_name: StepLike | None) -> DrawnFrame:
    """Return the coverage of each profile property. See `Stitched.property_coverage`."""
    if event_name is None:
        at = np.flatnonzero((s.events["kind"] == "track").to_numpy(dtype=bool))
    else:
        at = events_named(s.events, event_name)
    title = None if event_name is None else title_of(event_name)
    names = property_names(s.events)
    table = pd.DataFrame(
        {
            "property": pd.Series(names, dtype="str"),
            "events": len(at),
            "sent": [_share(s.events[PROFILE_PROPERTY + name].iloc[at]) for name in names],
            "filled": [_share(s.events[PROFILE + name].iloc[at]) for name in names],
        }
    ).astype({"sent": "float64", "filled": "float64"})
    table = table.sort_values(["filled", "property"], ascending=[False, True], ignore_index=True)
    return DrawnFrame.of(table, partial(_figure, event_name=title))


def _share(values: pd.Series) -> float:
    return float((~missing(values)).mean()) if len(values) else np.nan


def _figure(table: pd.DataFrame, style: Style, *, event_name: str | None) -> Any:
    from convergekit.diagnostics.coverage_figures import property_coverage_figure

    return property_coverage_figure(table, event_name, style)

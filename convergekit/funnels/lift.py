"""Compare a funnel with the same funnel counted without stitching."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pandas as pd

from convergekit.events.amounts import summed_amounts
from convergekit.events.currencies import check_rates
from convergekit.events.schema import PROFILE, PROFILE_PROPERTY, missing
from convergekit.events.sources import origins
from convergekit.events.steps import StepLike
from convergekit.figures.frame import DrawnFrame
from convergekit.funnels.funnel import funnel_of_visitors
from convergekit.funnels.options import FunnelOptions, FunnelQuestion
from convergekit.identity.graph import connected_components, profile_of_events
from convergekit.identity.properties import property_names
from convergekit.typing import IntArray

if TYPE_CHECKING:
    from convergekit.figures.style import Style
    from convergekit.identity.tables import StitchedEvents


STITCHED = "stitched"


def stitching_lift(
    s: StitchedEvents,
    steps: Sequence[StepLike],
    *,
    value: str | None = None,
    currency: str | None = None,
    rates: Mapping[str, float] | None = None,
    carried: str | None = None,
    **options: Unpack[FunnelOptions],
) -> DrawnFrame:
    """Return the funnel per way of counting visitors. See `Stitched.stitching_lift`."""
    check_rates(value, currency, rates)
    events, question = s.events, FunnelQuestion.of(steps, **options, usual=s.calendar)
    # Without stitching nothing is carried: what an event sent is all that is known.
    sent = {PROFILE + name: events[PROFILE_PROPERTY + name] for name in property_names(events)}
    table = []
    for name, unit in ways_of_counting(s).items():
        counted = pd.Series(unit, index=events.index).astype("Int64").mask(unit < 0)
        frame = events.assign(**{_WHO: counted})
        if name != STITCHED:
            frame = frame.assign(**sent)
        found = funnel_of_visitors(s, question, frame, _WHO, unit)
        rows = found.table[["step", "event_name", "profiles", "conversion"]]
        row: dict[str, Any] = {"counted_by": name}
        row |= {f"step_{step}": n for step, n in zip(rows["step"], rows["profiles"], strict=True)}
        row["conversion"] = rows["conversion"].iloc[-1]
        converting = found.converted()[f"row_{len(rows)}"]
        if value is not None:
            at = np.flatnonzero(events["row"].isin(converting.dropna()))
            row["value"] = float(summed_amounts(events, at, value, currency, rates).sum())
        row |= _coverage(s, converting, carried, name)
        table.append(row)
    draw = partial(
        _figure,
        steps=found.steps,
        within=found.within,
        value=value,
        carried=carried,
        counted_as=found.counted,
    )
    return DrawnFrame.of(pd.DataFrame(table), draw)


def _figure(table: pd.DataFrame, style: Style, **shown: Any) -> Any:
    from convergekit.funnels.lift_figure import stitching_lift_figure

    return stitching_lift_figure(table, style=style, **shown)


_WHO = "counted as"


def ways_of_counting(s: StitchedEvents) -> dict[str, IntArray]:
    """Return the visitor of each event: by each alias type, by each source, and stitched.

    Numbers of visitors, -1 if unassigned; stitched ones come last.
    """
    found = s.resolution.aliases
    types = found.types
    ways = {}
    for code, name in enumerate(types.categories):
        of_type = types.codes[found.alias] == code
        unit = np.full(len(s.events), -1, dtype=np.int64)
        # An event with several aliases of one type counts for the first of them.
        unit[found.event[of_type][::-1]] = found.alias[of_type][::-1]
        ways[f"alias {name} alone"] = unit
    origin = origins(s.events)
    for source in sorted(origin.dropna().unique()):
        mine = (origin == source).to_numpy(dtype=bool)
        part = found.of_events(mine)
        unit = np.full(len(s.events), -1, dtype=np.int64)
        unit[mine] = profile_of_events(part, connected_components(part), int(mine.sum()))
        ways[f"source {source} alone"] = unit
    ways[STITCHED] = s.resolution.profile
    return ways


def _coverage(
    s: StitchedEvents, rows: pd.Series, carried: str | None, way: str
) -> dict[str, float]:
    """Return the share of the converting events that say where their profile came from."""
    if carried is None:
        return {}
    column = f"profile.{carried}" if way == STITCHED else f"profile_properties.{carried}"
    if column not in s.events:
        s.provenance(carried)
    at = s.events["row"].isin(rows.dropna())
    return {f"with_{carried}": float((~missing(s.events.loc[at, column])).mean())}

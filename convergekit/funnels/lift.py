"""Compare a funnel with the same funnel counted without stitching."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pandas as pd

from convergekit.events.amounts import summed_amounts
from convergekit.events.currencies import check_rates
from convergekit.events.schema import PROFILE, PROFILE_PROPERTY, missing
from convergekit.events.sources import all_origins, origins, source_pairs
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


@dataclass(frozen=True)
class Ways:
    """By what visitors are counted without stitching.

    Attributes
    ----------
    types : list of str
        The alias types of all events, by the alphabet.
    pairs : pandas.DataFrame
        The sources of all events, as `source_pairs` returns them.
    """

    types: list[str]
    pairs: pd.DataFrame

    @classmethod
    def of(cls, s: StitchedEvents) -> Ways:
        """Return those of stitched events."""
        return cls(list(s.resolution.aliases.types.categories), source_pairs(s.events))

    @classmethod
    def together(cls, parts: Sequence[Ways]) -> Ways:
        """Return those of several parts."""
        pairs = pd.concat([part.pairs for part in parts], ignore_index=True)
        types = {name for part in parts for name in part.types}
        return cls(sorted(types), pairs.drop_duplicates(ignore_index=True))


def ways_of_counting(s: StitchedEvents, ways: Ways | None = None) -> dict[str, IntArray]:
    """Return the visitor of each event: by each alias type, by each source, and stitched.

    Numbers of visitors, -1 if unassigned; stitched ones come last.

    Parameters
    ----------
    s : StitchedEvents
    ways : Ways, optional
        Those of all events, where these are some of more.
    """
    known = ways or Ways.of(s)
    found = s.resolution.aliases
    types = found.types
    units = {}
    for name in known.types:
        of_type = np.asarray(types == name)[found.alias]
        unit = np.full(len(s.events), -1, dtype=np.int64)
        # An event with several aliases of one type counts for the first of them.
        unit[found.event[of_type][::-1]] = found.alias[of_type][::-1]
        units[f"alias {name} alone"] = unit
    origin = origins(s.events, known.pairs)
    for source in all_origins(known.pairs):
        mine = (origin == source).to_numpy(dtype=bool)
        part = found.of_events(mine)
        unit = np.full(len(s.events), -1, dtype=np.int64)
        unit[mine] = profile_of_events(part, connected_components(part), int(mine.sum()))
        units[f"source {source} alone"] = unit
    units[STITCHED] = s.resolution.profile
    return units


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

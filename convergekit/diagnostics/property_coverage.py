"""Measure how many events have each profile property, as sent and once values are carried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class KnownOfPart:
    """How many of some events have each profile property; those of parts can be added up.

    Attributes
    ----------
    events : int
        How many were asked about.
    names : list of str
        The profile properties, in the order of the columns.
    sent, filled : list of int
        Of each, how many sent a value, and how many have one.
    """

    events: int
    names: list[str]
    sent: list[int]
    filled: list[int]


def property_coverage(s: StitchedEvents, event_name: StepLike | None) -> DrawnFrame:
    """Return the coverage of each profile property. See `Stitched.property_coverage`."""
    return properties_together([known_of_part(s, event_name)], event_name)


def known_of_part(s: StitchedEvents, event_name: StepLike | None) -> KnownOfPart:
    """Return how many events of a name, or of all, have each profile property.

    Parameters
    ----------
    s : StitchedEvents
    event_name : str, sequence of str, Step, or None
    """
    if event_name is None:
        at = np.flatnonzero((s.events["kind"] == "track").to_numpy(dtype=bool))
    else:
        at = events_named(s.events, event_name)
    names = property_names(s.events)
    sent, filled = (
        [int((~missing(s.events[kind + name].iloc[at])).sum()) for name in names]
        for kind in (PROFILE_PROPERTY, PROFILE)
    )
    return KnownOfPart(len(at), names, sent, filled)


def properties_together(parts: Sequence[KnownOfPart], event_name: StepLike | None) -> DrawnFrame:
    """Return the table of all parts' events. See `Stitched.property_coverage`."""
    title = None if event_name is None else title_of(event_name)
    count = sum(part.events for part in parts)
    table = pd.DataFrame(
        {
            "property": pd.Series(parts[0].names, dtype="str"),
            "events": count,
            "sent": _shares([part.sent for part in parts], count),
            "filled": _shares([part.filled for part in parts], count),
        }
    ).astype({"sent": "float64", "filled": "float64"})
    table = table.sort_values(["filled", "property"], ascending=[False, True], ignore_index=True)
    shares = {"sent": "events", "filled": "events"}
    return DrawnFrame.of(table, partial(_figure, event_name=title), shares=shares)


def _shares(parts: Sequence[list[int]], count: int) -> list[float]:
    return [sum(known) / count if count else np.nan for known in zip(*parts, strict=True)]


def _figure(table: pd.DataFrame, style: Style, *, event_name: str | None) -> Any:
    from convergekit.diagnostics.coverage_figures import property_coverage_figure

    return property_coverage_figure(table, event_name, style)

"""One profile's timeline: its events in order, what each sent beside what it carried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from convergekit.events.schema import PROFILE, PROFILE_PROPERTY
from convergekit.figures.frame import DrawnFrame
from convergekit.identity.tables import StitchedEvents

if TYPE_CHECKING:
    from convergekit.figures.style import Style


def timeline(s: StitchedEvents, alias_or_id: str) -> DrawnFrame:
    """Return the events of one profile in order of time. See `Stitched.profile`."""
    number, in_time = s.profile_number(alias_or_id), s.resolution.in_time
    found = s.events.iloc[in_time[s.resolution.profile[in_time] == number]]
    found = found.dropna(axis="columns", how="all").reset_index(drop=True)
    found = found[_arranged(list(found.columns))]
    return DrawnFrame.of(found, _figure, ("row", "kind", "timestamp", "profile_id"))


def _figure(found: pd.DataFrame, style: Style) -> Any:
    # Plotly takes long to import.
    from convergekit.diagnostics.timeline_figure import timeline_figure

    return timeline_figure(found, style)


def _arranged(columns: list[str]) -> list[str]:
    """Return the columns: what happened first, then what it says, and where it stood last."""
    first = [name for name in _FIRST if name in columns]
    last = [name for name in columns if name in _LAST]
    between = [name for name in columns if name not in (*first, *last)]
    return first + _sent_beside_carried(between) + last


#: What a reader looks for first, and last.
_FIRST = ("timestamp", "event_name", "source")
_LAST = ("row", "kind", "profile_id", "event_id", "received_at", "file", "line", "method")


def _sent_beside_carried(columns: list[str]) -> list[str]:
    arranged: list[str] = []
    for column in columns:
        if column.startswith(PROFILE_PROPERTY):
            arranged.append(column)
            carried = PROFILE + column.removeprefix(PROFILE_PROPERTY)
            if carried in columns:
                arranged.append(carried)
        elif column not in arranged and not column.startswith(PROFILE):
            arranged.append(column)
    return arranged + [c for c in columns if c not in arranged]

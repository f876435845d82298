"""The figure of one profile's timeline: its events in order, on a lane per source.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from convergekit.base.durations import readable_duration
from convergekit.base.wording import counted, shortened
from convergekit.events.schema import PROFILE, PROFILE_PROPERTY, PROPERTY, missing
from convergekit.figures.figure import Figure
from convergekit.figures.names_beside import fitting
from convergekit.figures.style import COLOURS, Look, Style
from convergekit.figures.template import hover, legend_names, plain, titled
from convergekit.typing import BoolArray, IntArray

#: Events so far apart belong to two visits, between which the figure has a gap.
VISIT_GAP = pd.Timedelta("30min")
#: Of a longer timeline only so many events are drawn, the latest.
MOST_EVENTS = 2_000
#: More marks than these are drawn by the graphics card.
_MOST_VECTORS = 400
_MOST_VALUES = 8
_MOST_LINES = 50
_LANE = 64
#: Pixels of the letters of a lane's name, and of the whole.
_SIZE, _NAME = 13, 110
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "star", "pentagon")
_IDENTIFY, _OTHERS = "identify call", "other events"


def timeline_figure(timeline: pd.DataFrame, style: Style) -> Figure:
    """Return the events of a profile as marks in order of time. See `Stitched.profile`.

    Parameters
    ----------
    timeline : pandas.DataFrame
        Rows of `Stitched.profile`.
    style : Style

    Returns
    -------
    Figure
        Marks stand one beside the other, whatever the time between them, with a gap where a visit
        ends. Hover texts say what an event sent, and what it carries that earlier ones sent.
    """
    timeline = timeline.sort_values("timestamp", kind="stable")
    shown = timeline.tail(MOST_EVENTS).reset_index(drop=True)
    name = _text(shown, "event_name", _IDENTIFY).mask(shown["kind"] == "identify", _IDENTIFY)
    source = _text(shown, "source", "no source")
    lanes = list(dict.fromkeys(source))
    new_visit = shown["timestamp"].diff() > VISIT_GAP
    place = (np.arange(len(shown)) + new_visit.cumsum()).to_numpy(dtype=np.int64)
    said = _sentences(shown, name, source)
    figure, colours = Figure(), style.look
    scatter = go.Scatter if len(shown) <= _MOST_VECTORS else go.Scattergl
    looks = _looks(name, colours)
    legend = dict(zip(looks, legend_names([one or _OTHERS for one in looks]), strict=True))
    size = 13 if len(shown) <= 60 else 9 if len(shown) <= _MOST_VECTORS else 6
    for which, mark in looks.items():
        of_name = (name.isin(looks) if which == "" else name.eq(which)).to_numpy(dtype=bool)
        of_name = ~of_name if which == "" else of_name
        figure.add_trace(
            scatter(
                x=place[of_name],
                y=pd.Categorical(source, lanes).codes[of_name],
                mode="markers",
                marker={
                    **mark,
                    "size": size,
                    "line": {"width": 1 if size > 6 else 0, "color": colours.paper},
                },
                hovertext=[text for text, mine in zip(said, of_name, strict=True) if mine],
                hoverinfo="text",
                name=legend[which],
            )
        )
    lines = int(new_visit.sum()) <= _MOST_LINES
    _mark_visits(figure, shown["timestamp"], new_visit.to_numpy(dtype=bool), place, style)
    for end in place[new_visit.to_numpy(dtype=bool)] if lines else ():
        figure.add_vline(x=int(end) - 1, line={"color": colours.quiet, "width": 1, "dash": "dot"})
    finding = _finding(timeline, lanes)
    figure.update_layout(
        **titled(
            _title(timeline),
            [finding, *_subtitle(timeline, len(shown), bool(new_visit.any()) and lines)],
            style=style,
            plot_height=_LANE * max(len(lanes), 1) + 40,
            legend=[trace.name for trace in figure.data],
            # The names of the lanes stand at its left.
            legend_width=250,
        ),
        hovermode="closest",
        yaxis={
            "tickvals": list(range(len(lanes))),
            "ticktext": [plain(lane) for lane in fitting(lanes, _NAME, _SIZE)],
            "range": [len(lanes) - 0.5, -0.5],
            "zeroline": False,
            "fixedrange": True,
        },
        xaxis={"showgrid": False, "zeroline": False},
    )
    twin = pd.DataFrame({"timestamp": shown["timestamp"], "event_name": name, "source": source})
    return figure.says(finding, twin)


def _looks(name: pd.Series, colours: Look) -> dict[str, dict[str, Any]]:
    """Return a mark for each of the names that come up most; for the others, under "", one."""
    counts = name.value_counts()
    frequent = sorted(counts.index, key=lambda one: (-counts[one], one))[: len(COLOURS)]
    # In the order in which they first come up, which is that of a purchase.
    shown = [one for one in dict.fromkeys(name) if one in frequent]
    marks = zip(COLOURS, _SYMBOLS, strict=True)
    looks: dict[str, dict[str, Any]] = {
        one: {"color": colour, "symbol": symbol}
        for one, (colour, symbol) in zip(shown, marks, strict=False)
    }
    if len(counts) > len(shown):
        looks[""] = {"color": colours.quiet, "symbol": "x"}
    return looks


def _mark_visits(
    figure: Figure,
    times: pd.Series,
    new_visit: BoolArray,
    place: IntArray,
    style: Style,
) -> None:
    """Name when visits began, as many as fit."""
    begins = np.flatnonzero(new_visit | (np.arange(len(times)) == 0))
    spread = place[-1] + 1 if len(place) else 1
    # A label takes a fifth of a narrow figure, and the lanes' names a part of it.
    most = max(((style.width or 400) - _NAME) // 58, 2)
    named: list[int] = []
    for at in begins:
        if not named or place[at] - place[named[-1]] >= spread / most:
            named.append(int(at))
    figure.update_xaxes(
        tickvals=[int(place[at]) for at in named],
        ticktext=[
            f"{times[at].month_name()[:3]} {times[at].day}<br>{times[at]:%H:%M}" for at in named
        ],
        range=[-0.8, spread - 0.2],
    )


def _title(timeline: pd.DataFrame) -> str:
    if timeline.empty:
        return "No events"
    return f"{counted(len(timeline), 'event')} of profile {timeline['profile_id'].iloc[0]}"


def _finding(timeline: pd.DataFrame, lanes: list[str]) -> str:
    """Return in how many visits the events are, from how many sources, and from when to when."""
    if timeline.empty:
        return "No events: choose rows that Stitched.profile returned."
    times = timeline["timestamp"]
    visits = int((times.diff() > VISIT_GAP).sum()) + 1
    return (
        f"{counted(len(timeline), 'event')} in {counted(visits, 'visit')} from "
        f"{counted(len(lanes), 'source')}, from {times.iloc[0]:%Y-%m-%d %H:%M} to "
        f"{times.iloc[-1]:%Y-%m-%d %H:%M} UTC."
    )


def _subtitle(timeline: pd.DataFrame, shown: int, lines: bool) -> list[str]:
    if timeline.empty:
        return []
    said = []
    if lines:
        said.append(f"A line stands for more than {readable_duration(VISIT_GAP)} without an event.")
    if shown < len(timeline):
        said.append(f"Shown are the latest {shown:,}.")
    return said


def _text(timeline: pd.DataFrame, column: str, otherwise: str) -> pd.Series:
    if column not in timeline:
        return pd.Series([otherwise] * len(timeline), dtype="str")
    return timeline[column].astype("str").where(~missing(timeline[column]), otherwise)


def _sentences(timeline: pd.DataFrame, name: pd.Series, source: pd.Series) -> list[str]:
    """Return a hover text per event: what it is, what it sent, and what it carries."""
    own: list[list[str]] = [[] for _ in range(len(timeline))]
    sent: list[list[str]] = [[] for _ in range(len(timeline))]
    carried: list[list[str]] = [[] for _ in range(len(timeline))]
    for column in timeline:
        if str(column).startswith(PROPERTY):
            _say(own, timeline[column], column.removeprefix(PROPERTY))
        elif str(column).startswith(PROFILE_PROPERTY):
            _say(sent, timeline[column], column.removeprefix(PROFILE_PROPERTY))
        elif str(column).startswith(PROFILE):
            known = column.removeprefix(PROFILE)
            own_value = timeline.get(PROFILE_PROPERTY + known)
            values = timeline[column]
            if own_value is not None:
                values = values.where(missing(own_value).to_numpy(dtype=bool))
            _say(carried, values, known)
    return [
        hover(
            f"{event} from {where} at {time:%Y-%m-%d %H:%M:%S} UTC (row {row}).",
            _listed("Its properties are", own[i]),
            _listed("It sent of the profile", sent[i]) or "It sent nothing of the profile.",
            _listed("It carries, from earlier events,", carried[i]),
        )
        for i, (event, where, time, row) in enumerate(
            zip(name, source, timeline["timestamp"], timeline["row"], strict=True)
        )
    ]


def _say(said: list[list[str]], values: pd.Series, name: str) -> None:
    cells = values.to_numpy(dtype=object)
    for i in np.flatnonzero(~missing(values).to_numpy(dtype=bool)):
        said[i].append(f"{name} {shortened(cells[i], 40)}")


def _listed(start: str, values: list[str]) -> str:
    if not values:
        return ""
    more = len(values) - _MOST_VALUES
    rest = f" and {more:,} more" if more > 0 else ""
    return f"{start} {', '.join(values[:_MOST_VALUES])}{rest}."

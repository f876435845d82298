"""The figure of conversion curves: which share has converted by each time since the first step.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from convergekit.base.durations import readable_duration
from convergekit.base.wording import counted, shortened
from convergekit.figures.figure import Figure
from convergekit.figures.names_beside import LineEnd, name_line_ends
from convergekit.figures.style import COLOURS, Look, Style, faded
from convergekit.figures.template import balanced, hover, legend_names, plain, text_width, titled
from convergekit.funnels.findings import goal, said_share
from convergekit.funnels.groups import Group, groups_to_draw, label_of, signs_of
from convergekit.funnels.labels import short_name
from convergekit.funnels.time_figures import most_ticks, plot_width

#: Parts of an axis: fewer than a figure has pixels.
_PARTS = 1_000
#: Pixels of the plot.
_PLOT = 330
#: As much of a step's name as fits below the axis.
_MOST_OF_NAME = 30
#: The areas of more lines than these cover one another; hover texts say the intervals.
_MOST_AREAS = 3
#: Seconds between two ticks.
_STEPS = (
    *(1, 2, 5, 10, 15, 30),
    *(60 * minutes for minutes in (1, 2, 5, 10, 15, 30)),
    *(3_600 * hours for hours in (1, 2, 4, 6, 12)),
    *(86_400 * days for days in (1, 2, 3, 5, 7, 15, 30, 60, 90, 180, 365)),
)
_DASHES = ("solid", "dash", "dot", "dashdot")


def curve_figure(
    table: pd.DataFrame,
    *,
    by: Sequence[str],
    groups: pd.DataFrame,
    usual: Sequence[Hashable] = (),
    steps: Sequence[str],
    within: pd.Timedelta,
    counted_as: str,
    confidence: float,
    style: Style,
) -> Figure:
    """Return conversion curves as stepped lines, with their intervals as areas.

    Parameters
    ----------
    table : pandas.DataFrame
        A row per time at which a curve changes, ascending in each curve: the columns of the
        breakdown, `end` where a curve is of one of several ends, `time` (timedelta), `share`,
        `low`, `high` and `at_risk`.
    by : sequence of str
        The breakdown's columns.
    groups : pandas.DataFrame
        The funnel's table, whose groups have a colour each in all its figures; not looked at
        without a breakdown.
    usual : sequence of hashable
        The labels that the data have most of.
    steps : sequence of str
        The names of the step at which time begins and of the one that is reached.
    within : pandas.Timedelta
        The conversion window.
    counted_as : str
        What is counted: ``"profiles"``.
    confidence : float
        Of the intervals.
    style : Style

    Returns
    -------
    Figure
        A line has at most about 1,000 points. What is left out lies within a pixel of them.

    Examples
    --------
    >>> from convergekit.figures.style import USUAL
    >>> table = pd.DataFrame({
    ...     "time": pd.to_timedelta(["1h", "3h", "24h"]), "share": [0.25, 0.5, 0.5],
    ...     "low": [0.04, 0.1, 0.1], "high": [0.87, 0.94, 0.94], "at_risk": [4, 3, 2],
    ... })
    >>> figure = curve_figure(
    ...     table, by=[], groups=table, steps=["PageView", "Placed Order"],
    ...     within=pd.Timedelta("24h"), counted_as="profiles", confidence=0.95, style=USUAL,
    ... )
    >>> figure.data[-1].x, figure.data[-1].y
    ((0.0, 3600.0, 10800.0, 86400.0), (0.0, 0.25, 0.5, 0.5))
    """
    colours, figure = style.look, Figure()
    found = groups_to_draw(groups, by, style, usual) if by else None
    shown = found.shown if found else [Group((), "", "", COLOURS[0])]
    ends = [str(end) for end in pd.unique(table["end"])] if "end" in table else []
    longest = max(within, table["time"].max()) if len(table) else within
    top = max([float(at) for at in table[["share", "high"]].max() if at > 0], default=1.0)
    lines = [
        replace(line, rows=_drawn_rows(line.rows, longest, top))
        for line in _lines(table, by, shown, ends)
    ]
    # All areas lie behind all lines.
    for line in lines if len(lines) <= _MOST_AREAS else []:
        _add_area(figure, line)
    for line in lines:
        texts = [_sentence(row, line, steps, counted_as, confidence) for row in _rows(line.rows)]
        _add_line(figure, line, texts)
    several = bool(by) and len(ends) > 1
    room = 0
    if len(lines) > 1 and not several:
        room = name_line_ends(
            figure,
            [
                LineEnd(line.name, line.colour, float(line.rows["share"].iloc[-1]), dash=line.dash)
                for line in lines
            ],
            style=style,
            plot_height=_PLOT,
            low=0,
            high=1.1 * top,
        )
    legend = [line.name for line in lines if line.legend and len(lines) > 1 and not room]
    if several:
        for place, name in enumerate(legend_names(ends)):
            legend.append(name)
            figure.add_scatter(
                x=[None], y=[None], mode="lines", name=name,
                line={"color": colours.ink, "dash": _dash(place), "width": 2},
            )  # fmt: skip
    wide = plot_width(style, room)
    if lines:
        _mark_window(figure, within, colours, wide)
    finding = _finding(lines, within, steps, counted_as, confidence)
    title = f"{goal(steps)} within {readable_duration(within)}"
    figure.update_layout(
        **titled(
            f"{title}, by {' and '.join(map(short_name, by))}" if by else title,
            [
                finding,
                *_subtitle(lines, counted_as, confidence),
                found.left_out if found else "",
            ],
            style=style,
            plot_height=_PLOT,
            legend=legend,
        ),
        hovermode="closest",
        xaxis={**_time_axis(longest.total_seconds(), steps[0], wide), "visible": bool(lines)},
        yaxis={
            "visible": bool(lines),
            "title": {"text": f"share of {counted_as}"},
            "tickformat": ".0%" if top > 0.05 else ".1%",
            # Above the areas the window has its name.
            "range": [0, 1.1 * top],
        },
    )
    if not legend:
        figure.update_layout(showlegend=False, margin={"r": max(room, 16)})
    return figure.says(finding, _twin(lines, by, ends))


@dataclass(frozen=True, eq=False)
class _Line:
    """One curve: of a group, of an end, or of both.

    Attributes
    ----------
    rows : pandas.DataFrame
    name : str
        Not yet escaped.
    legend : str
        The same as a legend shows it; empty if it is not there.
    of : str
        Whose curve it is, in a sentence.
    end : str
        What is reached, in a sentence; empty if it is the last step.
    colour, dash : str
    """

    rows: pd.DataFrame
    name: str
    legend: str
    of: str
    end: str
    colour: str
    dash: str


def _lines(
    table: pd.DataFrame, by: Sequence[str], shown: Sequence[Group], ends: Sequence[str]
) -> Iterator[_Line]:
    """Return the curves to draw: a group has a colour and an end a dash, or else a colour."""
    labels = [label_of(cells) for cells in table[list(by)].to_numpy(dtype=object)]
    of_ends = legend_names(ends) if ends else [""]
    for group in shown:
        mine = table[np.array([label == group.label for label in labels], dtype=bool)]
        first = True
        for place, end in enumerate(ends or [""]):
            rows = mine[(mine["end"].astype(str) == end).to_numpy()] if ends else mine
            if not len(rows):
                continue
            if by:
                legend = group.legend if first else ""
                of = f" of {group.name}"
                # A dash tells ends apart, where a group has several.
                dash = _dash(place) if len(ends) > 1 else group.dash
                yield _Line(rows, group.name, legend, of, end, group.colour, dash)
            else:
                colour = COLOURS[place % len(COLOURS)]
                dash = signs_of(colour).dash if ends else "solid"
                yield _Line(rows, end, of_ends[place], "", end, colour, dash)
            first = False


def _dash(place: int) -> str:
    return _DASHES[place % len(_DASHES)]


def _drawn_rows(rows: pd.DataFrame, longest: pd.Timedelta, top: float) -> pd.DataFrame:
    """Return the rows that are seen, after a first one at the beginning, with seconds.

    A row is seen if it moves the curve or its interval to another part of the axis. Of several in
    one part of the time's axis, the last one is where they end.
    """
    seconds = rows["time"].dt.total_seconds().to_numpy()
    edges = ["share", "low", "high"]
    # What is missing is in no part.
    parts = np.floor(rows[edges].fillna(-1).to_numpy() / top * _PARTS)
    moves = np.ones(len(rows), dtype=bool)
    moves[1:] = (np.diff(parts, axis=0) != 0).any(axis=1)
    moves[-1] = True
    at = np.flatnonzero(moves)
    column = np.floor(seconds[at] / longest.total_seconds() * _PARTS)
    at = at[np.append(np.diff(column) != 0, True)]
    drawn = rows.iloc[at].assign(seconds=seconds[at])
    if seconds[0] == 0:
        return drawn
    return pd.concat([drawn.iloc[:1].assign(seconds=0.0, **dict.fromkeys(edges, 0.0)), drawn])


def _rows(rows: pd.DataFrame) -> Iterator[Any]:
    return rows[["seconds", "share", "low", "high", "at_risk"]].itertuples()


def _add_area(figure: Figure, line: _Line) -> None:
    """Add the area between the ends of the intervals."""
    rows = line.rows[line.rows["low"].notna() & line.rows["high"].notna()]
    for edge, fill in (("low", None), ("high", "tonexty")):
        figure.add_scatter(
            x=rows["seconds"].tolist(),
            y=rows[edge].tolist(),
            mode="lines",
            line={"width": 0, "shape": "hv"},
            fill=fill,
            fillcolor=faded(line.colour, 0.16),
            hoverinfo="skip",
            showlegend=False,
            legendgroup=plain(line.name),
        )


def _add_line(figure: Figure, line: _Line, texts: Sequence[str]) -> None:
    """Add the curve, whose points say what has happened by then."""
    figure.add_scatter(
        x=line.rows["seconds"].tolist(),
        y=line.rows["share"].tolist(),
        mode="lines",
        line={"color": line.colour, "dash": line.dash, "width": 2.5, "shape": "hv"},
        hovertext=texts,
        hoverinfo="text",
        name=line.legend or plain(line.name),
        showlegend=bool(line.legend),
        legendgroup=plain(line.name),
    )


def _sentence(
    row: Any, line: _Line, steps: Sequence[str], counted_as: str, confidence: float
) -> str:
    reached = line.end or steps[-1]
    by_then = readable_duration(pd.Timedelta(seconds=row.seconds))
    interval = (
        ""
        if pd.isna(row.low)
        else f" ({100 * confidence:.4g}% interval: {row.low:.1%} to {row.high:.1%})"
    )
    one = counted_as.removesuffix("s")
    return hover(
        f"Within {by_then} of {steps[0]}, {row.share:.1%} of {counted_as}{line.of} reached "
        f"{reached}{interval}.",
        f"{counted(row.at_risk, one)} {'was' if row.at_risk == 1 else 'were'} observed up to then "
        "and had not got there before.",
    )


def _mark_window(figure: Figure, within: pd.Timedelta, colours: Look, width: int) -> None:
    marked = within.total_seconds()
    name = "conversion window"
    name = name if text_width(name, 12) < 0.85 * width else "window"
    figure.add_shape(
        type="line", x0=marked, x1=marked, y0=0, y1=1, yref="paper",
        line={"color": colours.ink, "width": 1.5, "dash": "dot"},
    )  # fmt: skip
    figure.add_annotation(
        x=marked, y=1, yref="paper", xanchor="right", yanchor="top", text=name,
        showarrow=False, borderpad=0, xshift=-5, font={"size": 12, "color": colours.muted},
    )  # fmt: skip


def _finding(
    lines: Sequence[_Line],
    within: pd.Timedelta,
    steps: Sequence[str],
    counted_as: str,
    confidence: float,
) -> str:
    """Return the share at the end of the window; of several curves the lowest and the highest."""
    one = counted_as.removesuffix("s")
    if not lines:
        return f"No {one} entered with {steps[0]}: check its name and the range of dates."
    last = [line.rows[line.rows["seconds"] <= within.total_seconds()].iloc[-1] for line in lines]
    # Where nobody is observed for the whole window, nothing is known of its end.
    known = max(float(end["seconds"]) for end in last)
    by_then = readable_duration(min(pd.Timedelta(seconds=known), within))
    if len(lines) == 1:
        (end,) = last
        interval = (
            ""
            if pd.isna(end["low"]) or pd.isna(end["high"])
            else f" ({100 * confidence:.4g}% interval: {end['low']:.1%} to {end['high']:.1%})"
        )
        share = said_share(end["share"])
        reached = lines[0].end or steps[-1]
        return f"By {by_then}, {share} of {counted_as} are estimated to reach {reached}{interval}."
    named = [
        (float(end["share"]), f"{line.name} ({line.end})" if line.of and line.end else line.name)
        for line, end in zip(lines, last, strict=True)
    ]
    (low, least), (high, most) = (choose(named, key=lambda of: of[0]) for choose in (min, max))
    reached = "come to an end" if any(line.end for line in lines) else f"reach {steps[-1]}"
    return (
        f"By {by_then}, estimates of the {counted_as} that {reached} run from "
        f"{said_share(low)} ({least}) to {said_share(high)} ({most})."
    )


def _twin(lines: Sequence[_Line], by: Sequence[str], ends: Sequence[str]) -> pd.DataFrame:
    """Return the points of the curves."""
    columns = [*by, *(["end"] if ends else []), "time", "share", "low", "high", "at_risk"]
    if not lines:
        return pd.DataFrame(columns=columns)
    drawn = pd.concat([line.rows for line in lines], ignore_index=True)
    at = [readable_duration(pd.Timedelta(seconds=one)) for one in drawn["seconds"]]
    return drawn.assign(time=at)[columns]


def _subtitle(lines: Sequence[_Line], counted_as: str, confidence: float) -> list[str]:
    if not lines:
        return []
    said = [f"Each {counted_as.removesuffix('s')} counts for as long as it is observed."]
    if len(lines) <= _MOST_AREAS:
        said.append(f"Areas are {100 * confidence:.4g}% confidence intervals.")
    return said


def _time_axis(longest: float, first: str, width: int) -> dict[str, Any]:
    """Return the axis of seconds, with round durations below it."""
    most = most_ticks(width)
    step = next((step for step in _STEPS if longest // step < most), 0)
    step = step or math.ceil(longest / _STEPS[-1] / (most - 1)) * _STEPS[-1]
    ticks = list(range(0, int(longest) + 1, step))
    title = balanced(f"time since {shortened(first, _MOST_OF_NAME)}", width, 13)
    return {
        "title": {"text": "<br>".join(map(plain, title))},
        "tickvals": ticks,
        "ticktext": ["0", *(readable_duration(pd.Timedelta(seconds=at)) for at in ticks[1:])],
        "tickangle": 0,
        "ticks": "outside",
        "showgrid": False,
        # The last tick's name is half beyond it.
        "range": [0, 1.04 * longest],
    }

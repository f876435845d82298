"""The figure of counts: a line per group, by period.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd

from convergekit.activity.wording import CountWords, in_period, period_name
from convergekit.base.wording import period_word, shortened
from convergekit.figures.figure import Figure
from convergekit.figures.names_beside import LineEnd, name_line_ends
from convergekit.figures.style import COLOURS, Style
from convergekit.figures.template import hover, plain, titled
from convergekit.funnels.groups import Group, groups_to_draw, label_of
from convergekit.funnels.labels import short_name
from convergekit.funnels.time_figures import count_axis, period_axis, plot_width

#: As many periods have a mark each.
_MOST_MARKED = 60
#: More periods are drawn only where the line bends: one wrong time makes thousands of zeros.
_MOST_DRAWN = 2_000
#: Pixels that the legend has on a narrow figure, where lines take more than squares.
_NARROW = 280
#: As many characters of the axis' title fit beside the plot.
_AXIS_WIDTH = 36
#: Pixels of the plot.
_PLOT = 300


def counts_figure(
    table: pd.DataFrame,
    freq: str,
    by: Sequence[str],
    value: str,
    words: CountWords,
    usual: Sequence[Hashable],
    style: Style,
) -> Figure:
    """Return counts by period as lines, dotted where the period was not over.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `counts`.
    freq : str
    by : sequence of str
        The breakdown's columns.
    value : str
        The column that is drawn.
    words : CountWords
    usual : sequence of hashable
        The labels with most of all, which have their colours whichever rows are drawn.
    style : Style

    Returns
    -------
    Figure
    """
    word, by = period_word(freq), list(by)
    found = groups_to_draw(table, by, style, usual) if by else None
    groups = found.shown if found else [Group((), "", plain(words.unit), COLOURS[0])]
    labels = [label_of(cells) for cells in table[by].to_numpy(dtype=object)]
    figure = Figure()
    parts, ends = [], []
    for group in groups:
        chosen = np.array([label == group.label for label in labels], dtype=bool)
        rows = _bends(table[chosen].sort_values("period"), value)
        if len(rows):
            parts.append((group, rows))
            # What is counted of a period that is not over may be next to nothing.
            full = rows[rows["complete"]]
            end = float((full if len(full) else rows)[value].iloc[-1])
            ends.append(LineEnd(group.name, group.colour, end, group.symbol))
            _add_line(figure, rows, group, value, words, word)
    low, high = _span([rows[value] for _, rows in parts])
    room = 0
    if found:
        room = name_line_ends(figure, ends, style=style, plot_height=_PLOT, low=low, high=high)
    open_ = not table["complete"].all()
    periods = table["period"].drop_duplicates().sort_values()
    finding = _finding(parts, value, words, word)
    figure.update_layout(
        **titled(
            " and ".join([f"{words.what} by {word}", *map(short_name, by)]),
            [
                finding,
                f"Dotted: the data end before the {word} does." if open_ else "",
                found.left_out if found else "",
            ],
            style=style,
            plot_height=_PLOT,
            legend=[group.legend for group, _ in parts] if found and not room else [],
            legend_width=_NARROW,
        ),
        hovermode="closest",
        xaxis={
            "showgrid": False,
            "visible": bool(parts),
            **period_axis(periods, freq, word, plot_width(style, room)),
        },
        yaxis={
            "title": {"text": plain(shortened(words.unit, _AXIS_WIDTH))},
            **(count_axis(high) if value == "count" else {"tickformat": "~s"}),
            "range": [low, high],
            "visible": bool(parts),
        },
    )
    if not found or room:
        figure.update_layout(showlegend=False, margin={"r": max(room, 16)})
    drawn = pd.concat([rows for _, rows in parts]) if parts else table
    return figure.says(finding, drawn[["period", *by, value, "complete"]])


def _span(values: Sequence[pd.Series]) -> tuple[float, float]:
    """Return the ends of the axis: from zero, with room for the marks."""
    every = pd.concat([*values, pd.Series([0.0])]).astype(float)
    low, high = float(every.min()), float(every.max())
    room = 0.07 * (high - low) or 1.0
    return (low - room if low < 0 else 0.0), (high + room if high > 0 or low == 0 else 0.0)


def _add_line(
    figure: Figure, rows: pd.DataFrame, group: Group, value: str, words: CountWords, word: str
) -> None:
    """Add one group's line, solid and then dotted."""
    complete = rows["complete"].to_numpy(dtype=bool)
    solid, open_ = rows[complete], rows[~complete]
    joined = pd.concat([solid.tail(1), open_]) if len(open_) else open_
    size = 6 if len(rows) <= _MOST_MARKED else 0
    for part, closed in ((solid, True), (joined, False)):
        if part.empty:
            continue
        figure.add_scatter(
            x=part["period"],
            y=part[value].tolist(),
            mode="lines+markers",
            cliponaxis=False,
            name=group.legend,
            legendgroup=group.legend,
            showlegend=closed or solid.empty,
            line={"color": group.colour, "width": 2.5, "dash": "solid" if closed else "dot"},
            # Where the dotted line begins, the solid one has a mark already.
            marker={
                "color": group.colour,
                "symbol": group.symbol if closed else f"{group.symbol}-open",
                "size": [
                    (size if closed else 7) if done == closed else 0 for done in part["complete"]
                ],
                # Plotly takes marks of several sizes for bubbles, and fades them.
                "opacity": 1,
                "line": {"width": 0 if closed else 1.5},
            },
            hovertext=[
                hover(
                    f"{_capital(in_period(line.period, word))}, {words.said(getattr(line, value))}"
                    f"{f' of {group.name}' if group.name else ''}.",
                    "" if line.complete else f"The data end before the {word} does.",
                )
                for line in part[["period", value, "complete"]].itertuples()
            ],
            hoverinfo="text",
        )


def _bends(rows: pd.DataFrame, value: str) -> pd.DataFrame:
    """Return the rows that a line needs: of many, none between two that are zero as it is."""
    if len(rows) <= _MOST_DRAWN:
        return rows
    some = (rows[value] != 0).to_numpy()
    kept = some.copy()
    kept[1:] |= some[:-1]
    kept[:-1] |= some[1:]
    # The last two are where the dotted line is.
    kept[[0, -2, -1]] = True
    return rows[kept]


def _finding(
    parts: Sequence[tuple[Group, pd.DataFrame]], value: str, words: CountWords, word: str
) -> str:
    """Return the last full period, and beside it the one before, or the groups in it."""
    if not parts:
        return f"No {words.one or 'event'} is counted: check the event's name and the dates."
    done = pd.concat(
        [rows[rows["complete"]].assign(group=group.name) for group, rows in parts],
        ignore_index=True,
    )
    if done.empty:
        return f"No {word} is complete: the data begin and end in the same {word}."
    last = done["period"].max()
    start = f"In the last full {word} ({period_name(last, word)})"
    now = done[done["period"] == last]
    if len(parts) > 1:
        # Profiles of several groups are not those of all of them together.
        least, most = now.loc[now[value].idxmin()], now.loc[now[value].idxmax()]
        if least[value] == most[value]:
            return f"{start}, {words.said(most[value])} of each of {len(now)} groups."
        return (
            f"{start}, from {words.number(least[value])} of {least['group']} to "
            f"{words.said(most[value])} of {most['group']}."
        )
    before = done[done["period"] < last]
    was = ""
    if len(before):
        number = words.number(before.loc[before["period"].idxmax(), value])
        was = f", {number} in the {word} before"
    of = f" of {parts[0][0].name}" if parts[0][0].name else ""
    return f"{start}, {words.said(now[value].iloc[0])}{of}{was}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

"""The figure of counts: a line per group, by period.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd

from convergekit.activity.wording import CountWords, in_period
from convergekit.base.wording import period_word, shortened
from convergekit.figures.figure import Figure
from convergekit.figures.style import COLOURS, Style
from convergekit.figures.template import hover, plain, titled
from convergekit.funnels.groups import Group, groups_to_draw, label_of
from convergekit.funnels.labels import short_name
from convergekit.funnels.time_figures import period_axis

#: As many periods have a mark each.
_MOST_MARKED = 60
#: More periods are drawn only where the line bends: one wrong time makes thousands of zeros.
_MOST_DRAWN = 2_000
#: Pixels that the legend has on a narrow figure, where lines take more than squares.
_NARROW = 280
#: As many characters of the axis' title fit beside the plot.
_AXIS_WIDTH = 36


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
    colours, word, by = style.look, period_word(freq), list(by)
    found = groups_to_draw(table, by, style, usual) if by else None
    groups = found.shown if found else [Group((), "", plain(words.unit), COLOURS[0])]
    labels = [label_of(cells) for cells in table[by].to_numpy(dtype=object)]
    figure, legend = Figure(), []
    for group in groups:
        chosen = np.array([label == group.label for label in labels], dtype=bool)
        rows = _bends(table[chosen].sort_values("period"), value)
        if len(rows):
            legend.append(group.legend)
            _add_line(figure, rows, group, value, words, word)
    open_ = not table["complete"].all()
    periods = table["period"].drop_duplicates().sort_values()
    figure.update_layout(
        **titled(
            " and ".join([f"{words.what} by {word}", *map(short_name, by)]),
            [
                _said_of_the_last(table, value, words, word),
                f"Dotted: the data end before the {word} does." if open_ else "",
                found.left_out if found else "",
            ],
            style=style,
            plot_height=300,
            legend=legend if by else [],
            legend_width=_NARROW,
        ),
        hovermode="closest",
        xaxis={"showgrid": False, **period_axis(periods, freq, word)},
        yaxis={
            "title": {"text": plain(shortened(words.unit, _AXIS_WIDTH))},
            "tickformat": ",d" if value == "count" else "~s",
            "rangemode": "tozero",
            "zerolinecolor": colours.faint,
        },
    )
    if not by:
        figure.update_layout(showlegend=False)
    return figure


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
            name=group.legend,
            legendgroup=group.legend,
            showlegend=closed or solid.empty,
            line={"color": group.colour, "width": 2.5, "dash": "solid" if closed else "dot"},
            # Where the dotted line begins, the solid one has a mark already.
            marker={
                "color": group.colour,
                "symbol": "circle" if closed else "circle-open",
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


def _said_of_the_last(table: pd.DataFrame, value: str, words: CountWords, word: str) -> str:
    done = table[table["complete"]]
    if done.empty:
        return ""
    last = done["period"].max()
    # Profiles of several groups are not those of all of them together.
    if done["period"].eq(last).sum() > 1:
        return ""
    number = done.loc[done["period"] == last, value].iloc[0]
    return f"In the last full {word}, {words.said(number)}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

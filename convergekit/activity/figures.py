"""Figures of retention: cohorts as a heat map, and the average over them as a curve.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from convergekit.activity.retention import averages
from convergekit.activity.wording import Words, in_period, period_name
from convergekit.base.wording import counted, shortened, shortened_apart
from convergekit.figures.figure import Figure
from convergekit.figures.names_beside import NARROW, LineEnd, fitting, name_line_ends
from convergekit.figures.style import COLOURS, Style, faded
from convergekit.figures.template import balanced, hover, plain, text_width, titled
from convergekit.funnels.findings import Ratio, lowest_to_highest
from convergekit.funnels.groups import Group, groups_to_draw, label_of, name_of
from convergekit.funnels.labels import short_name
from convergekit.funnels.time_figures import plot_width
from convergekit.typing import BoolArray, FloatArray

#: Pixels of a row, and of one where there are many.
_ROW, _NARROW_ROW = 30, 12
#: As many rows are as high as text needs, and as many are named.
_MOST_NAMED = 40
#: Pixels that a cell needs to have its share written in, and that a period's number takes.
_CELL, _TICK = 37, 26
#: Pixels of the scale of colours, which lies below the cells, with its numbers.
_SCALE_ROOM = 44
#: Pixels of the plot of a curve.
_PLOT = 300
#: As many columns have a gap between them.
_MOST_APART = 60
#: As many cohorts, and periods since, are drawn: a year of days, and no more if a time is wrong.
_MOST_DRAWN = 400
#: As many groups of a breakdown are rows.
_MOST_GROUPS = 40
#: As many characters of a row's name leave room for the cells.
_NAME_WIDTH = 24
#: Pixels that the legend has on a narrow figure, where lines take more than squares.
_NARROW = 280
#: As many characters of an axis' title fit on a narrow figure.
_AXIS_WIDTH = 60
#: Lines across a cell, rising to the right; rows count downwards.
_HATCH = (((-0.5, 0.0), (0.0, -0.5)), ((-0.5, 0.5), (0.5, -0.5)), ((0.0, 0.5), (0.5, 0.0)))
#: Those across the corners alone, where a text is in the middle.
_CORNERS = (
    *(((-0.5, 0.0), (-0.25, -0.5)), ((-0.5, -0.25), (-0.375, -0.5))),
    *(((0.25, 0.5), (0.5, 0.0)), ((0.375, 0.5), (0.5, 0.25))),
)


@dataclass(frozen=True)
class _Cells:
    """The rows of a heat map, a column per period since."""

    names: list[str]
    shares: FloatArray
    texts: list[list[str]]
    hovers: list[list[str]]
    open_: BoolArray
    written: bool
    labels: frozenset[tuple[Any, ...]] = frozenset()


def heat_figure(table: pd.DataFrame, words: Words, style: Style) -> Figure:
    """Return cohorts as rows of a heat map, a column per period since the start.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `Retention.table`. Of several groups of a breakdown, a row is a group: the average
        over its complete cohorts.
    words : Words
    style : Style

    Returns
    -------
    Figure
        Cells of periods that are not complete are hatched, and their shares written as "≥".
    """
    colours, by = style.look, list(words.by)
    table, hidden = _to_draw(table, words)
    grouped = bool(by) and len(table[by].drop_duplicates()) > 1
    cells = _of_groups(table, words, style) if grouped else _of_cohorts(table, words, style)
    rows, width = cells.shares.shape
    figure = Figure()
    if width:
        most_of_all = float(np.nanmax(cells.shares)) or 1.0
        figure.add_heatmap(
            z=[[None if np.isnan(share) else float(share) for share in row]
               for row in cells.shares],
            x=list(range(words.first, words.first + width)),
            y=list(range(rows)),
            text=cells.texts,
            texttemplate="%{text}" if cells.written else None,
            hovertext=cells.hovers,
            hoverinfo="text",
            hoverongaps=False,
            zmin=0,
            zmax=most_of_all,
            # Text is to be read on all of it.
            colorscale=[[0, colours.cells[0]], [1, colours.cells[1]]],
            textfont={"color": colours.cell_ink, "size": 12},
            showscale=not cells.written,
            colorbar=_scale(most_of_all),
            xgap=2 if width <= _MOST_APART else 0,
            ygap=2 if rows <= _MOST_NAMED else 1,
        )  # fmt: skip
        # On cells of any template, and on the paper below them.
        _hatch(figure, cells, words.first, faded(colours.cell_ink, 0.4))
    tall = _ROW if rows <= _MOST_NAMED else _NARROW_ROW
    named = list(range(0, rows, -(-rows // _MOST_NAMED) or 1))
    finding = _finding(averages(table, by), words, table)
    scale = 0 if cells.written or not width else _SCALE_ROOM
    # The axis' labels may be as wide as a cell is.
    most = max(round(_room(cells.names, style) / _TICK), 2)
    axis = _axis_title(words, _room(cells.names, style))
    figure.update_layout(
        **titled(
            words.title,
            [finding, *_below_the_title(table, words, cells, grouped=grouped), hidden],
            style=style,
            plot_height=46 + 18 * axis.count("<br>") + tall * rows + scale,
        ),
        # A single row is less high than plotly would have it.
        minreducedheight=_NARROW_ROW,
        xaxis={
            "title": {"text": axis},
            "showgrid": False,
            "ticks": "",
            "zeroline": False,
            "range": [words.first - 0.5, words.first + max(width, 1) - 0.5],
            "dtick": -(-width // most) or 1,
            "visible": bool(width),
        },
        yaxis={
            "range": [max(rows, 1) - 0.5, -0.5],
            "showgrid": False,
            "ticks": "",
            "zeroline": False,
            "tickvals": named,
            "ticktext": [cells.names[row] for row in named],
            "visible": bool(width),
        },
    )
    return figure.says(finding, _twin(table, words, cells, grouped=grouped))


def curve_figure(table: pd.DataFrame, cohorts: pd.DataFrame, words: Words, style: Style) -> Figure:
    """Return the average over cohorts as lines, by periods since the start.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `Retention.curve`.
    cohorts : pandas.DataFrame
        `Retention.table`: without a breakdown, each cohort is a faint line.
    words : Words
    style : Style

    Returns
    -------
    Figure
    """
    by = list(words.by)
    cohorts, hidden = _to_draw(cohorts, words)
    since = table["periods"]
    later = table[(since >= words.first) & (since < words.first + _MOST_DRAWN)]
    found = groups_to_draw(cohorts, by, style) if by else None
    groups = found.shown if found else [Group((), "", "average", COLOURS[0])]
    labels = [label_of(cells) for cells in later[by].to_numpy(dtype=object)]
    figure, twins = Figure(), []
    if not by:
        behind = _add_cohorts(figure, cohorts, words, style.look.quiet)
        twins.append(behind)
    parts: list[tuple[Group, pd.DataFrame]] = []
    for group in groups:
        rows = later[np.array([label == group.label for label in labels], dtype=bool)]
        if len(rows):
            parts.append((group, rows))
            figure.add_scatter(
                x=rows["periods"].tolist(),
                y=rows["share"].tolist(),
                mode="lines+markers",
                cliponaxis=False,
                line={"color": group.colour, "width": 2.5},
                marker={"size": 8, "symbol": group.symbol},
                name=group.legend,
                hovertext=[_said_of_average(line, group.name, words) for line in rows.itertuples()],
                hoverinfo="text",
            )
    drawn = [*(rows["share"] for _, rows in parts), *(rows["share"] for rows in twins)]
    top = 1.08 * max((float(shares.max()) for shares in drawn if len(shares)), default=1.0) or 1.0
    ends = [
        LineEnd(group.name or "average", group.colour, float(rows["share"].iloc[-1]), group.symbol)
        for group, rows in parts
    ]
    room = name_line_ends(figure, ends, style=style, plot_height=_PLOT, low=0, high=top)
    width = int(later["periods"].max()) + 1 - words.first if len(later) else 0
    averaged = pd.concat([rows for _, rows in parts]) if parts else later
    finding = _finding(averaged, words, cohorts)
    said = [
        finding,
        "A faint line is one cohort." if twins and len(twins[0]) else "",
        "A cohort counts where its period is complete.",
        words.note,
        found.left_out if found else "",
        hidden,
    ]
    figure.update_layout(
        **titled(
            words.title + (f", by {' and '.join(map(short_name, by))}" if by else ""),
            said if width else [finding],
            style=style,
            plot_height=_PLOT,
            legend=[group.legend for group, _ in parts] if not room else [],
            legend_width=_NARROW,
        ),
        hovermode="closest",
        xaxis={
            "title": {"text": _axis_title(words, plot_width(style, room))},
            "dtick": max(1, -(-width // max(plot_width(style, room) // _TICK, 2))),
            "range": [words.first - 0.3, words.first + max(width, 1) - 0.7],
            "showgrid": False,
            "visible": bool(width),
        },
        yaxis={"tickformat": ".0%", "range": [0, top], "visible": bool(width),
               "title": {"text": f"of {words.who}s"}},
    )  # fmt: skip
    if room or not parts:
        figure.update_layout(showlegend=False, margin={"r": max(room, 16)})
    columns = [*by, "periods", "cohorts", "profiles", "returned", "share"]
    averaged = averaged[columns]
    if not by:
        averaged = pd.concat([averaged.assign(cohort="average"), *twins], ignore_index=True)
        averaged = averaged[["cohort", *columns]]
    return figure.says(finding, averaged)


def _finding(average: pd.DataFrame, words: Words, cohorts: pd.DataFrame) -> str:
    """Return who came back in the first period after the start; of groups, least and most."""
    known = average[(average["periods"] >= words.first) & (average["profiles"] > 0)]
    if known.empty:
        begun = cohorts.loc[cohorts["periods"] == 0, "profiles"].sum()
        if (cohorts["periods"] >= words.first).any():
            who = counted(int(begun), words.who)
            return f"No later {words.word} is over for {who}: take a longer range of dates."
        return words.nothing if begun else words.nobody
    since = int(known["periods"].min())
    now = known[known["periods"] == since]
    by = list(words.by)
    if by and len(now) > 1:
        ratios = [
            Ratio(name_of(label_of(label), by), int(returned), int(whole))
            for label, returned, whole in zip(
                now[by].itertuples(index=False), now["returned"], now["profiles"], strict=True
            )
        ]
        return lowest_to_highest(ratios, f"{words.did} {words.later(since)}")
    line = next(now.itertuples())
    name = name_of(label_of(now[by].iloc[0].tolist()), by)
    return _of_average(line, name, words)


def _twin(table: pd.DataFrame, words: Words, cells: _Cells, *, grouped: bool) -> pd.DataFrame:
    """Return a row per cell."""
    by = list(words.by)
    if not grouped:
        columns = ["cohort", *by, "periods", "profiles", "returned", "share", "complete"]
        return table.loc[table["periods"] >= words.first, columns]
    average = averages(table, by)
    labels = [label_of(label) for label in average[by].itertuples(index=False)]
    shown = [label in cells.labels for label in labels]
    return average[np.array(shown, dtype=bool) & (average["periods"] >= words.first).to_numpy()]


def _to_draw(table: pd.DataFrame, words: Words) -> tuple[pd.DataFrame, str]:
    """Return the rows that a figure has room for, and a sentence about the others."""
    last = table["cohort"].drop_duplicates().sort_values().tail(_MOST_DRAWN)
    near = table["periods"] < words.first + _MOST_DRAWN
    shown = table[near & table["cohort"].isin(last)]
    if len(shown) == len(table):
        return table, ""
    return shown, f"Only the last {_MOST_DRAWN} cohorts and first {_MOST_DRAWN} {words.word}s."


def _of_cohorts(table: pd.DataFrame, words: Words, style: Style) -> _Cells:
    cohorts = list(dict.fromkeys(table["cohort"]))
    row_of = {cohort: place for place, cohort in enumerate(cohorts)}
    sizes = table.drop_duplicates("cohort").set_index("cohort")["profiles"]
    names = [f"{period_name(cohort, words.word)} · {sizes[cohort]:,}" for cohort in cohorts]
    cells = _empty(table, words, names, style)
    for line in table[table["periods"] >= words.first].itertuples():
        row, since = row_of[line.cohort], line.periods - words.first
        cells.shares[row, since] = line.share
        cells.open_[row, since] = not line.complete
        if cells.written:
            cells.texts[row][since] = f"{'' if line.complete else '≥'}{line.share:.0%}"
        more = words.mode == "on_or_after"
        cells.hovers[row][since] = hover(
            f"Of {counted(line.profiles, words.who)} who {words.begun} "
            f"{in_period(line.cohort, words.word)}, {line.returned:,} {words.did} "
            f"{words.later(line.periods)}, {line.share:.1%}.",
            "More may return later." if line.complete and more else "",
            "" if line.complete else f"The data end before that {words.word} does.",
        )
    return cells


def _of_groups(table: pd.DataFrame, words: Words, style: Style) -> _Cells:
    by = list(words.by)
    begun = table[table["periods"] == 0].groupby(by, sort=False, dropna=False)["profiles"].sum()
    sizes = {label_of(_tuple(label)): int(size) for label, size in begun.items()}
    labels = list(sizes)[:_MOST_GROUPS]
    row_of = {label: place for place, label in enumerate(labels)}
    average = averages(table, by)
    short = shortened_apart([name_of(label, by) for label in labels], _NAME_WIDTH)
    # Names are to leave half of a narrow figure to the cells.
    short = fitting(short, 0.4 * (style.width or NARROW) - 40, 13)
    names = [plain(f"{name} · {sizes[label]:,}") for name, label in zip(short, labels, strict=True)]
    cells = replace(_empty(average, words, names, style), labels=frozenset(labels))
    places = [row_of.get(label_of(one), -1) for one in average[by].to_numpy(dtype=object)]
    for row, line in zip(places, average.itertuples(), strict=True):
        since = line.periods - words.first
        if row < 0 or since < 0:
            continue
        cells.shares[row, since] = line.share
        if cells.written:
            cells.texts[row][since] = f"{line.share:.0%}"
        cells.hovers[row][since] = _said_of_average(line, name_of(labels[row], by), words)
    return cells


def _empty(table: pd.DataFrame, words: Words, names: list[str], style: Style) -> _Cells:
    width = max(int(table["periods"].max()) + 1 - words.first, 0) if len(table) else 0
    texts, hovers = ([[""] * width for _ in names] for _ in range(2))
    shape = (len(names), width)
    written = _room(names, style) >= _CELL * width
    open_ = np.zeros(shape, dtype=bool)
    return _Cells(names, np.full(shape, np.nan), texts, hovers, open_, written)


def _room(names: Sequence[str], style: Style) -> float:
    """Return how many pixels the cells have beside their names, on a narrow page."""
    beside = max((text_width(name, 13) for name in names), default=0.0)
    return (style.width or NARROW) - beside - 40


def _scale(most: float) -> dict[str, Any]:
    """Return the scale of colours: a bar below the cells, with its two ends named."""
    return {
        "orientation": "h", "thickness": 8, "outlinewidth": 0, "lenmode": "pixels", "len": 130,
        "yref": "container", "y": 0, "yanchor": "bottom", "ypad": 6, "x": 0, "xanchor": "left",
        "xpad": 0, "tickvals": [0, most], "ticktext": ["0%", f"{most:.0%}"], "tickangle": 0,
    }  # fmt: skip


def _hatch(figure: Figure, cells: _Cells, first: int, colour: str) -> None:
    """Draw lines across the cells of periods that are not complete."""
    xs: list[float | None] = []
    ys: list[float | None] = []
    lines = _CORNERS if cells.written else _HATCH
    for row, column in zip(*(axis.tolist() for axis in np.nonzero(cells.open_)), strict=True):
        for (left, low), (right, high) in lines:
            xs += [first + column + left, first + column + right, None]
            ys += [row + low, row + high, None]
    if xs:
        figure.add_scatter(
            x=xs, y=ys, mode="lines", hoverinfo="skip", showlegend=False,
            line={"color": colour, "width": 1.2},
        )  # fmt: skip


def _below_the_title(
    table: pd.DataFrame, words: Words, cells: _Cells, *, grouped: bool
) -> list[str]:
    if not cells.shares.size:
        return []
    if not grouped:
        later = table[table["periods"] >= words.first]
        open_ = not later["complete"].all()
        return [
            words.rows,
            words.note,
            f"Hatched (≥): the data end before that {words.word} does." if open_ else "",
        ]
    by = " and ".join(map(short_name, words.by))
    hidden = len(table[list(words.by)].drop_duplicates()) - len(cells.names)
    return [
        f"A row is of one {by}: the average over its cohorts, each where it is complete.",
        words.note,
        f"Not shown: {counted(hidden, 'smaller group')}." if hidden else "",
    ]


def _add_cohorts(figure: Figure, cohorts: pd.DataFrame, words: Words, colour: str) -> pd.DataFrame:
    """Add each cohort's line, where its periods are complete; return what is drawn.

    A gap is between two cohorts.
    """
    known = cohorts[cohorts["complete"] & (cohorts["periods"] >= words.first)]
    xs: list[int | None] = []
    ys: list[float | None] = []
    texts: list[str] = []
    last = None
    for line in known.itertuples():
        if last is not None and line.cohort != last:
            xs.append(None)
            ys.append(None)
            texts.append("")
        last = line.cohort
        xs.append(line.periods)
        ys.append(line.share)
        texts.append(
            hover(
                f"Of {counted(line.profiles, words.who)} who {words.begun} "
                f"{in_period(line.cohort, words.word)}, {line.returned:,} {words.did} "
                f"{words.later(line.periods)}, {line.share:.1%}."
            )
        )
    if xs:
        figure.add_scatter(
            x=xs, y=ys, mode="lines", name="one cohort", hovertext=texts, hoverinfo="text",
            connectgaps=False, opacity=0.45, line={"color": colour, "width": 1.2},
        )  # fmt: skip
    return known[["cohort", "periods", "profiles", "returned", "share"]].assign(cohorts=1)


def _said_of_average(line: Any, name: str, words: Words) -> str:
    return hover(_of_average(line, name, words))


def _of_average(line: Any, name: str, words: Words) -> str:
    of = f" of {name}" if name else ""
    return (
        f"Of {counted(line.profiles, words.who)}{of} in {counted(line.cohorts, 'cohort')}, "
        f"{line.returned:,} {words.did} {words.later(line.periods)}, {line.share:.1%}."
    )


def _axis_title(words: Words, pixels: float) -> str:
    """Return the title of the axis of periods, in two lines where one is wider than the plot."""
    lines = balanced(shortened(f"{words.word}s since {words.since}", _AXIS_WIDTH), pixels, 13)
    return "<br>".join(map(plain, lines))


def _tuple(label: Any) -> tuple[Any, ...]:
    return label if isinstance(label, tuple) else (label,)

"""Numbers as rows: a bar each, and below it how far the number may be from what is true.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from convergekit.base.rounding import six_digits
from convergekit.base.wording import capitalised, counted, percentage
from convergekit.certainty.figure import KINDS, LANE, in_twin, known_kinds, said_interval
from convergekit.certainty.wording import named, said_chance, said_level, said_of_people
from convergekit.figures.figure import Figure
from convergekit.figures.names_beside import fitting
from convergekit.figures.step_rows import room_of, write
from convergekit.figures.style import COLOURS, Style
from convergekit.figures.template import hover, plain, text_width, titled, wrapped

if TYPE_CHECKING:
    from convergekit.certainty.result import AnswerBounds, FunnelBounds

#: As many rows as a figure shows.
_MOST = 12
#: Pixels: a row's name, its bar, a line of text, and the gap to the next.
_NAME, _BAR, _LINE, _GAP = 24, 16, 16, 14
#: Pixels of letters below a bar, and of the gap above them.
_SIZE, _ABOVE_TEXT = 12, 4


#: An interval of something else than an answer's number is drawn as that of identity.
_KINDS = {**KINDS, "told": replace(KINDS["identity"], name="interval")}


@dataclass(frozen=True)
class Row:
    """A number, and how far it may be from what is true.

    Attributes
    ----------
    name, value : str
        What stands above the bar, left and right; not yet escaped.
    bar : float
    said : str
        What the bar is, when it is pointed at.
    intervals : mapping of str to tuple
        By a kind of `certainty.figure.KINDS`, or ``"told"``: what has the first mark, the two ends,
        and what is said of it.
    below : str
        What stands below.
    """

    name: str
    value: str
    bar: float
    said: str
    intervals: Mapping[str, tuple[float, float, float, str]]
    below: str


def rows_figure(
    rows: Sequence[Row], title: str, subtitle: Sequence[str], bars: str, style: Style
) -> Figure:
    """Return numbers as rows, each with its intervals below the bar.

    Parameters
    ----------
    rows : sequence of Row
    title : str
    subtitle : sequence of str
    bars : str
        What the bars are called.
    style : Style
    """
    room, figure, height = room_of(style), Figure(), 0.0
    kinds = list(dict.fromkeys(kind for row in rows for kind in row.intervals))
    drawn: dict[str, list[tuple[float, tuple[float, float, float, str]]]] = {
        kind: [] for kind in kinds
    }
    middles = []
    for row in rows:
        left = room - text_width(row.value, 13) - 12
        (short,) = fitting([row.name], left / 1.06, 13)
        above = {"yanchor": "bottom", "yshift": 2}
        write(figure, f"<b>{plain(short)}</b>", height + _NAME, x=0, xanchor="left", **above)
        write(figure, plain(row.value), height + _NAME, x=1, xanchor="right", **above)
        middles.append(height + _NAME + _BAR / 2)
        height += _NAME + _BAR
        for lane, (kind, interval) in enumerate(row.intervals.items()):
            drawn[kind].append((height + LANE * (lane + 0.5), interval))
        height += LANE * len(row.intervals)
        lines = wrapped(row.below, room, _SIZE)
        small = {"size": _SIZE, "color": style.look.muted}
        where = {"xanchor": "left", "yanchor": "top", "yshift": -_ABOVE_TEXT, "align": "left"}
        write(figure, "<br>".join(map(plain, lines)), height, x=0, font=small, **where)
        height += _ABOVE_TEXT * bool(lines) + _LINE * len(lines) + _GAP
    figure.add_bar(
        x=[row.bar for row in rows],
        y=middles,
        width=_BAR,
        orientation="h",
        marker={"color": COLOURS[0], "line": {"width": 0}},
        hovertext=[hover(row.said) for row in rows],
        hoverinfo="text",
        name=bars,
    )
    for kind, lanes in drawn.items():
        _add_lanes(figure, kind, lanes)
    ends = [0.0, *(row.bar for row in rows if not pd.isna(row.bar))]
    ends += [end for row in rows for one in row.intervals.values() for end in one[:3]]
    known = [end for end in ends if not pd.isna(end)]
    figure.update_layout(
        **titled(
            title,
            subtitle,
            style=style,
            plot_height=round(height),
            legend=[bars, *(_KINDS[kind].name for kind in kinds)],
        ),
        xaxis={
            "visible": False,
            "range": [min(known), max(*known, 1e-9)],
            "fixedrange": True,
        },
        yaxis={"visible": False, "range": [height, 0], "fixedrange": True},
        bargap=0,
        hovermode="closest",
    )
    return figure


def _add_lanes(
    figure: Figure, kind: str, lanes: Sequence[tuple[float, tuple[float, float, float, str]]]
) -> None:
    look = _KINDS[kind]
    x: list[float | None] = []
    y: list[float | None] = []
    texts: list[str] = []
    for place, (first, low, high, said) in lanes:
        x += [*map(six_digits, (first, low, high)), None]
        y += [place] * 3 + [None]
        texts += [hover(said)] * 4
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines+markers",
        line=dict(look.line),
        marker={**look.mark, "symbol": [*look.symbols, "circle"] * len(lanes)},
        hovertext=texts,
        hoverinfo="text",
        name=look.name,
        cliponaxis=False,
    )


def numbers_figure(bounds: AnswerBounds, style: Style) -> Figure:
    """Return the bounds of an answer as rows. See `AnswerBounds.plot`."""
    shown = bounds.table.head(_MOST)
    # What is the same of all of them is said above.
    of = [name for name in bounds.of if len(shown[name].unique()) > 1] or bounds.of[-1:]
    rows = []
    for line in shown.to_dict("records"):
        low, high = (bounds.said_number(line[end]) for end in ("low", "high"))
        stitched = bounds.said_number(line["stitched"])
        name = bounds.name_of(line, of)
        ends = (line["low"], line["high"])
        worst = " to ".join(bounds.said_number(line[f"worst_{end}"]) for end in ("low", "high"))
        intervals = {}
        if pd.isna(line["estimate"]):
            below = f"Of the people, it may be {worst}."
            if not pd.isna(line["low"]):
                intervals["worst"] = (ends[0], *ends, f"{name}: worst bounds {worst}.")
        else:
            of_people = f"probably {bounds.said_number(line['estimate'])} ({low} to {high})"
            below = f"Of the people, {of_people}; worst bounds {worst}."
            said = f"{name}: of the people, {of_people}."
            intervals["identity"] = (line["estimate"], *ends, said)
        by_profiles = f"{name}: {stitched} by profiles."
        rows.append(Row(name, stitched, line["stitched"], by_profiles, intervals, below))
    left = len(bounds.table) - len(shown)
    more = [f"{counted(left, 'more number')} in the table."] if left > 0 else []
    figure = rows_figure(
        rows,
        f"How sure is it: {bounds.number} by {' and '.join(map(_short, bounds.of))}",
        [bounds.finding, *more, said_level(bounds.level)],
        "by profiles",
        style,
    )
    names = [*bounds.of, "stitched", "low", "estimate", "high", "worst_low", "worst_high"]
    twin = shown[names].copy()
    for name in names[len(bounds.of) :]:
        twin[name] = [six_digits(number) for number in twin[name]]
    return figure.says(bounds.finding, twin)


def groups_figure(bounds: FunnelBounds, style: Style) -> Figure:
    """Return the last step of each label as a row. See `FunnelBounds.plot`."""
    of_last = bounds.of_last_step.head(_MOST)
    kinds = known_kinds(bounds.table)
    rows = []
    for line in of_last.to_dict("records"):
        name = ", ".join(named(line[one], one) for one in bounds.by)
        known = [kind for kind in kinds if kind != "identity" or not pd.isna(line["estimate"])]
        intervals = {}
        for kind in known:
            first, low, high = (float(line[column]) for column in KINDS[kind].columns)
            intervals[kind] = (first, low, high, said_interval(kind, line, bounds.level))
        share = percentage(line["stitched"])
        said = f"{name}: {share} of the profiles got to {line['event_name']}."
        below = f"{capitalised(said_of_people(line))}; {said_chance(line)}."
        rows.append(Row(name, share, line["stitched"], said, intervals, below))
    left = len(bounds.of_last_step) - len(of_last)
    more = [f"{counted(left, 'more label')} in the table."] if left else []
    figure = rows_figure(
        rows,
        f"How sure is it: {bounds.asked}, by {' and '.join(map(_short, bounds.by))}",
        [bounds.finding, *more, *bounds.in_short[1:]],
        "profiles",
        style,
    )
    return figure.says(bounds.finding, in_twin(bounds.table))


def _short(column: str) -> str:
    return column.rpartition(".")[2]

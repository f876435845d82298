"""The figure of bounds: what was stitched, what chance does, what identity does, and the worst.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from convergekit.base.rounding import all_to_six_digits, six_digits
from convergekit.base.wording import capitalised, percentage
from convergekit.certainty.wording import said_chance, said_of_people, span
from convergekit.figures.figure import Figure
from convergekit.figures.step_rows import add_step_names, room_of, write
from convergekit.figures.style import COLOURS, Style
from convergekit.figures.template import hover, plain, titled, wrapped

if TYPE_CHECKING:
    from convergekit.certainty.result import FunnelBounds

#: Pixels: a step's name, its bar, an interval below it, a line of text, and the gap to the next.
_NAME, _BAR, LANE, _LINE, _GAP = 24, 16, 14, 16, 14
#: Pixels of letters below a bar, and of the gap above them.
_SIZE, _ABOVE_TEXT = 12, 4


@dataclass(frozen=True)
class Kind:
    """How one kind of interval is drawn: each differs from the others without its colour, too.

    Attributes
    ----------
    name : str
        In the legend.
    columns : tuple of str
        Of the table: what has the first mark, and the two ends.
    renamed : tuple of str
        The same in the figure's table.
    line, mark : dict
        As plotly takes them.
    symbols : tuple of str
        Of the three marks.
    """

    name: str
    columns: tuple[str, str, str]
    renamed: tuple[str, str, str]
    line: Mapping[str, Any]
    mark: Mapping[str, Any]
    symbols: tuple[str, str, str]


_END = "line-ns-open"
KINDS = {
    "chance": Kind(
        "interval of chance",
        ("chance_low", "chance_low", "chance_high"),
        ("chance_low", "chance_low", "chance_high"),
        {"color": COLOURS[0], "width": 1.5},
        {"color": COLOURS[0], "size": 9, "line": {"width": 1.5}},
        (_END, _END, _END),
    ),
    "identity": Kind(
        "interval of identity",
        ("estimate", "low", "high"),
        ("identity_estimate", "identity_low", "identity_high"),
        {"color": COLOURS[5], "width": 4},
        {"color": COLOURS[5], "size": 10, "line": {"width": 2, "color": COLOURS[5]}},
        ("diamond", _END, _END),
    ),
    "worst": Kind(
        "worst bounds",
        ("worst_low", "worst_low", "worst_high"),
        ("worst_low", "worst_low", "worst_high"),
        {"color": COLOURS[3], "width": 1.5, "dash": "dot"},
        {"color": COLOURS[3], "size": 7, "line": {"width": 1.5}},
        ("circle-open", "circle-open", "circle-open"),
    ),
}


def bounds_figure(bounds: FunnelBounds, style: Style) -> Figure:
    """Return bounds as a bar and three intervals per step. See `FunnelBounds.plot`."""
    if bounds.by:
        from convergekit.certainty.rows_figure import groups_figure

        return groups_figure(bounds, style)
    table, room = bounds.table, room_of(style)
    kinds = known_kinds(table)
    texts = [wrapped(said_of_step(line), room, _SIZE) for line in table.to_dict("records")]
    figure, tops, height = Figure(), [], 0.0
    lanes: dict[str, list[float]] = {kind: [] for kind in kinds}
    for place, said in enumerate(texts):
        tops.append(height + _NAME)
        height += _NAME + _BAR
        for kind in kinds:
            lanes[kind].append(height + LANE * (list(kinds).index(kind) + 0.5))
        # Of the first step everybody is.
        height += LANE * len(kinds) * (place > 0)
        small = {"size": _SIZE, "color": style.look.muted}
        where = {"xanchor": "left", "yanchor": "top", "yshift": -_ABOVE_TEXT, "align": "left"}
        write(figure, "<br>".join(map(plain, said)), height, x=0, font=small, **where)
        height += _ABOVE_TEXT * bool(said) + _LINE * len(said) + _GAP
    figure.add_bar(
        x=table["stitched"].tolist(),
        y=[top + _BAR / 2 for top in tops],
        width=_BAR,
        orientation="h",
        marker={"color": COLOURS[0], "line": {"width": 0}},
        hovertext=[
            hover(f"{percentage(line.stitched)} of the profiles got to {line.event_name}.")
            for line in table.itertuples()
        ],
        hoverinfo="text",
        name="profiles",
    )
    add_intervals(figure, table, lanes, bounds.level)
    shares = ["" if place == 0 else percentage(one) for place, one in enumerate(table["stitched"])]
    add_step_names(figure, table["event_name"].tolist(), shares, tops, style)
    figure.update_layout(
        **titled(
            f"How sure is it: {bounds.asked}" if bounds.asked else "How sure is it",
            [bounds.finding, *bounds.in_short[1:]],
            style=style,
            plot_height=round(height),
            legend=["profiles", *(KINDS[kind].name for kind in kinds)],
        ),
        xaxis={"visible": False, "range": [0, 1], "fixedrange": True},
        yaxis={"visible": False, "range": [height, 0], "fixedrange": True},
        bargap=0,
        hovermode="closest",
    )
    return figure.says(bounds.finding, in_twin(table))


def known_kinds(table: pd.DataFrame) -> list[str]:
    """Return the kinds of intervals that a table of bounds has."""
    estimated = table.loc[table["step"] > 1, "estimate"].notna().any()
    return [kind for kind in KINDS if kind != "identity" or estimated]


def add_intervals(
    figure: Figure,
    table: pd.DataFrame,
    lanes: Mapping[str, Sequence[float]],
    level: float,
    *,
    whole: float = 1.0,
) -> None:
    """Draw the intervals of all steps but the first, a trace per kind.

    Parameters
    ----------
    figure : Figure
    table : pandas.DataFrame
        Of `FunnelBounds`.
    lanes : mapping of str to sequence of float
        By the kind, where its intervals are on the vertical axis, step by step.
    level : float
    whole : float, default 1.0
        What 100% is on the horizontal axis.
    """
    for kind, places in lanes.items():
        drawn = KINDS[kind]
        x: list[float | None] = []
        y: list[float | None] = []
        texts: list[str] = []
        rows = zip(table.to_dict("records"), places, strict=True)
        for line, place in list(rows)[1:]:
            x += [six_digits(whole * float(line[name])) for name in drawn.columns] + [None]
            y += [place] * 3 + [None]
            got = f"{percentage(line['stitched'])} of the profiles got to {line['event_name']}."
            texts += [hover(got, said_interval(kind, line, level))] * 4
        figure.add_scatter(
            x=x,
            y=y,
            mode="lines+markers",
            line=dict(drawn.line),
            marker={**drawn.mark, "symbol": [*drawn.symbols, "circle"] * (len(x) // 4)},
            hovertext=texts,
            hoverinfo="text",
            name=drawn.name,
            cliponaxis=False,
        )


def in_twin(table: pd.DataFrame) -> pd.DataFrame:
    """Return the numbers of the intervals, each named by its kind."""
    names = {
        old: new
        for kind in KINDS.values()
        for old, new in zip(kind.columns, kind.renamed, strict=True)
    }
    order = ["chance_low", "chance_high", "low", "estimate", "high", "worst_low", "worst_high"]
    # The same on every machine.
    shown = table.assign(**{name: all_to_six_digits(table[name].to_numpy()) for name in order})
    of = table.columns[: table.columns.get_loc("step")]
    return shown[[*of, "step", "event_name", "stitched", *order]].rename(columns=names)


def said_of_step(line: Mapping[Any, Any]) -> str:
    """Return the intervals of a step in words; empty for the first step, or if nobody entered."""
    if line["step"] == 1 or pd.isna(line["stitched"]):
        return ""
    return f"{capitalised(said_of_people(line))}; {said_chance(line)}."


def said_interval(kind: str, line: Mapping[Any, Any], level: float) -> str:
    """Return what is said of an interval of a share."""
    of = f"({percentage(level)})"
    if kind == "chance":
        interval = span(line, "chance_low", "chance_high")
        return f"Interval of chance {of}, each profile taken for a person: {interval}."
    if kind == "identity":
        return f"Interval of identity {of}: {said_of_people(line)}."
    return f"Worst bounds, whatever is assumed: {span(line, 'worst_low', 'worst_high')}."

"""Figures of funnels: the steps, and the steps of each group of a breakdown.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from convergekit.base.durations import readable_duration
from convergekit.base.wording import counted, shortened
from convergekit.figures.figure import Figure
from convergekit.figures.style import COLOURS, USUAL, Look, Style
from convergekit.figures.template import hover, plain, titled
from convergekit.funnels.groups import Groups, groups_to_draw, label_of
from convergekit.funnels.labels import groups_of, short_name
from convergekit.funnels.step_table import required_before

if TYPE_CHECKING:
    from convergekit.funnels.result import Funnel

# Pixels: a step's name, a bar, what is said below it, and the gap to the next step.
_NAME, _BAR, _BELOW, _GAP = 24, 26, 20, 10
#: A bar of a group.
_GROUP_BAR = 20
#: As much of a step's name as fits beside its numbers on a narrow figure.
_MOST_OF_NAME = 38
#: A title has lines enough for more.
_MOST_OF_TITLE = 60


def funnel_figure(funnel: Funnel, style: Style = USUAL) -> Figure:
    """Return a funnel as bars, a row per step. See `Funnel.plot`.

    Parameters
    ----------
    funnel : Funnel
    style : Style, optional

    Returns
    -------
    Figure

    Examples
    --------
    >>> import convergekit as ck
    >>> s = ck.stitch(ck.simulate_store().events)
    >>> figure = funnel_figure(s.funnel(["PageView", "Placed Order"], within="7D"))
    >>> figure.layout.title.text, [trace.x for trace in figure.data if trace.name == "reached"]
    ('From PageView to Placed Order within 7 days', [(60, 19)])
    """
    return _grouped_figure(funnel, style) if funnel.by else _plain_figure(funnel, style)


def drawn_groups(funnel: Funnel, style: Style) -> Groups:
    """Return the groups that figures of a funnel show; a value has one colour in all of them."""
    usual = funnel.usual_labels(len(COLOURS))
    return groups_to_draw(funnel.table, funnel.by, style, usual)


def goal(steps: Sequence[str]) -> str:
    """Return the way that a funnel's profiles go, in words.

    Examples
    --------
    >>> goal(["PageView", "Added To Cart", "Placed Order"]), goal(["PageView"])
    ('From PageView to Placed Order', 'PageView')
    """
    first, last = (shortened(step, _MOST_OF_TITLE) for step in (steps[0], steps[-1]))
    return f"From {first} to {last}" if len(steps) > 1 else first


def reached(count: int, entered: int, unit: str, goal: str) -> str:
    """Return how many of those that entered reached something, and which share that is.

    Examples
    --------
    >>> reached(20, 60, "profiles", "Placed Order")
    '20 of 60 profiles reached Placed Order, 33.3%.'
    """
    share = f", {_share(count / entered)}" if entered else ""
    return f"{count:,} of {counted(entered, unit.removesuffix('s'))} reached {goal}{share}."


def add_step_names(
    figure: Figure, names: Sequence[str], values: Sequence[str], half: float
) -> None:
    """Write each step's name above its bars, and a value at the right; steps are 0, 1 ... in y.

    Parameters
    ----------
    figure : Figure
    names, values : sequence of str
        As they are, not as markup.
    half : float
        How far the bars of a step reach above its place.
    """
    for place, (name, value) in enumerate(zip(names, values, strict=True)):
        text = f"<b>{place + 1}. {plain(shortened(name, _MOST_OF_NAME))}</b>"
        _write(figure, text, place - half, x=0, xanchor="left", yanchor="bottom", yshift=2)
        _write(figure, plain(value), place - half, x=1, xanchor="right", yanchor="bottom", yshift=2)


@dataclass(frozen=True)
class BarPlaces:
    """Where the bars of several groups lie in a row per step.

    Attributes
    ----------
    row : int
        Pixels of a step's row.
    half : float
        How far the bars reach above and below a step's place, in rows.
    width : float
        Of a bar.
    starts : list of float
        Where each group's bar begins.
    """

    row: int
    half: float
    width: float
    starts: list[float]


def bar_places(bars: int) -> BarPlaces:
    """Return the places of so many bars per step."""
    row = _NAME + _GROUP_BAR * max(bars, 1) + _GAP
    one, half = _GROUP_BAR / row, _GROUP_BAR * max(bars, 1) / row / 2
    return BarPlaces(row, half, 0.86 * one, [one * (place + 0.07) - half for place in range(bars)])


def rows_layout(steps: int, row: int, half: float) -> dict[str, Any]:
    """Return the axes of a row per step, a row being so many pixels, and the plot's height."""
    top, bottom = half + _NAME / row, half + (row - _NAME - 2 * half * row) / row
    return {
        "yaxis": {"visible": False, "range": [steps - 1 + bottom, -top], "fixedrange": True},
        "bargap": 0,
        "hovermode": "closest",
    }


def _plain_figure(funnel: Funnel, style: Style) -> Figure:
    table, colours, unit = funnel.table, style.look, funnel.counted
    row = _NAME + _BAR + _BELOW + _GAP
    half = _BAR / row / 2
    figure = Figure()
    for name, column, mark, say in (
        ("reached", "profiles", {"color": COLOURS[0]}, _said_reached),
        ("may still get there", "in_window", _hatched(colours), _said_in_window),
        ("dropped off", "drop_off", {"color": colours.faint}, _said_dropped),
    ):
        if name == "reached" or table[column].any():
            figure.add_bar(
                x=table[column].tolist(),
                y=list(range(len(table))),
                orientation="h",
                width=2 * half,
                marker={**mark, "line": {"width": 0}},
                hovertext=[say(line, funnel) for line in table.itertuples()],
                hoverinfo="text",
                name=name,
            )
    entered = int(table["profiles"].iloc[0])
    values = [
        f"{line.profiles:,}" if line.step == 1 else f"{line.profiles:,} · {_share(line.conversion)}"
        for line in table.itertuples()
    ]
    add_step_names(figure, funnel.steps, values, half)
    for place, line in enumerate(table.itertuples()):
        below = {"xanchor": "left", "yanchor": "top", "yshift": -3}
        small = {"size": 12, "color": colours.muted}
        _write(figure, plain(_below(line, funnel)), place + half, x=0, font=small, **below)
    legend = [trace.name for trace in figure.data] if len(figure.data) > 1 else []
    said = [reached(int(table["profiles"].iloc[-1]), entered, unit, funnel.steps[-1])]
    if len(table) == 1:
        said = []
    figure.update_layout(
        **titled(
            f"{goal(funnel.steps)} within {funnel.window_words}",
            [*said, *_expected(funnel), *_aside(funnel)],
            style=style,
            plot_height=row * len(table),
            legend=legend,
        ),
        **rows_layout(len(table), row, half),
        barmode="stack",
        xaxis={"visible": False, "range": [0, max(entered, 1)], "fixedrange": True},
    )
    return figure


def _grouped_figure(funnel: Funnel, style: Style) -> Figure:
    found = drawn_groups(funnel, style)
    groups = groups_of(funnel.table[funnel.by])
    tables = {label_of(label): funnel.table.iloc[at] for label, at in groups}
    places, figure = bar_places(len(found.shown)), Figure()
    for group, start in zip(found.shown, places.starts, strict=True):
        table = tables[group.label]
        shared: dict[str, Any] = {
            "orientation": "h",
            "width": places.width,
            "offset": start,
            "textposition": "outside",
            "textfont": {"size": 12},
            "cliponaxis": False,
            "hoverinfo": "text",
            "name": group.legend,
            "legendgroup": group.legend,
        }
        whose = hover(f"{group.name}:")
        figure.add_bar(
            x=table["conversion"].tolist(),
            y=list(range(len(table))),
            marker={"color": group.colour, "line": {"width": 0}},
            text=["" if line.in_window else _grouped_text(line) for line in table.itertuples()],
            hovertext=[f"{whose}<br>{_said_reached(line, funnel)}" for line in table.itertuples()],
            **shared,
        )
        waiting = table[table["in_window"] > 0]
        if len(waiting):
            lines = list(waiting.itertuples())
            figure.add_bar(
                x=(waiting["in_window"] / int(table["profiles"].iloc[0])).tolist(),
                base=waiting["conversion"].tolist(),
                y=(waiting["step"] - 1).tolist(),
                marker={**_hatched(style.look, group.colour), "line": {"width": 0}},
                text=[_grouped_text(line) for line in lines],
                hovertext=[f"{whose}<br>{_said_in_window(line, funnel)}" for line in lines],
                showlegend=False,
                **shared,
            )
    add_step_names(figure, funnel.steps, [""] * len(funnel.steps), places.half)
    by = " and ".join(map(short_name, funnel.by))
    figure.update_layout(
        **titled(
            f"{goal(funnel.steps)} within {funnel.window_words}, by {by}",
            [
                "Bars are shares of those of the group who entered." + _open_windows(funnel),
                *funnel.grouped_by,
                found.left_out,
                *_aside(funnel),
            ],
            style=style,
            plot_height=places.row * len(funnel.steps),
            legend=[group.name for group in found.shown],
        ),
        **rows_layout(len(funnel.steps), places.row, places.half),
        xaxis={"visible": False, "range": [0, 1.4], "fixedrange": True},
    )
    return figure


def _write(figure: Figure, text: str, y: float, **where: Any) -> None:
    if text:
        figure.add_annotation(text=text, y=y, xref="paper", showarrow=False, borderpad=0, **where)


def _hatched(colours: Look, colour: str = COLOURS[0]) -> dict[str, Any]:
    return {
        "color": colours.paper,
        "pattern": {"shape": "/", "size": 6, "fgcolor": colour, "bgcolor": colours.paper},
    }


def _grouped_text(line: Any) -> str:
    """Return what is said at the end of a group's bar."""
    if line.step == 1:
        return f"{line.profiles:,}"
    known = line.in_window and not pd.isna(line.conversion_at_window)
    expected = f" ({_share(line.conversion_at_window)})" if known else ""
    return f"{_share(line.conversion)}{expected} · {line.profiles:,}"


def _open_windows(funnel: Funnel) -> str:
    """Return what the hatched ends of bars are, and the shares in brackets."""
    if not funnel.table["in_window"].any():
        return ""
    waiting = funnel.table[funnel.table["in_window"] > 0]
    hatched = " Hatched: their windows are still open"
    if waiting["conversion_at_window"].isna().all():
        return f"{hatched}."
    return f"{hatched}; in brackets the conversion expected when they have ended."


def _expected(funnel: Funnel) -> list[str]:
    """Return the sentence about the conversion when every window has ended."""
    line = funnel.table.iloc[-1]
    if not funnel.counts["in_window"] or pd.isna(line["conversion_at_window"]):
        return []
    low, high = _share(line["at_window_low"]), _share(line["at_window_high"])
    return [f"Expected in the end: {_share(line['conversion_at_window'])} ({low} to {high})."]


def _below(line: Any, funnel: Funnel) -> str:
    """Return what is said below a bar: the step before, and those who are not here."""
    if line.step == 1:
        return ""
    said = []
    before = required_before(funnel.optional, line.step)
    if line.step in funnel.optional:
        said.append("optional")
    if before > 1 or line.step in funnel.optional:
        said.append(f"{_share(line.step_conversion)} of step {before}")
    if line.step not in funnel.optional:
        said.append(f"{line.drop_off:,} dropped off")
    if line.in_window:
        said.append(f"{line.in_window:,} may still get there")
    return " · ".join(said)


def _said_reached(line: Any, funnel: Funnel) -> str:
    count = counted(line.profiles, _one(funnel))
    if line.step == 1:
        return hover(f"{count} entered with {line.event_name}.")
    before = required_before(funnel.optional, line.step)
    shares = f"{_share(line.conversion)} of those who entered"
    if before > 1:
        shares += f" and {_share(line.step_conversion)} of those at {funnel.steps[before - 1]}"
    wait = ""
    if not pd.isna(line.median_time):
        median = readable_duration(line.median_time)
        wait = f"The median time from {funnel.steps[before - 1]} is {median}."
    return hover(f"{count} reached {line.event_name}, {shares}.", wait)


def _said_in_window(line: Any, funnel: Funnel) -> str:
    return hover(
        f"{counted(line.in_window, _one(funnel))} may still reach {line.event_name}: the data ends "
        f"before their {funnel.window_words} do."
    )


def _said_dropped(line: Any, funnel: Funnel) -> str:
    before = funnel.steps[required_before(funnel.optional, line.step) - 1] if line.step > 1 else ""
    return hover(
        f"{counted(line.drop_off, _one(funnel))} dropped off: {before}, but no {line.event_name} "
        f"within {funnel.window_words}."
    )


def _aside(funnel: Funnel) -> list[str]:
    """Return the sentence about those whom the bars do not show, and what else is to be known."""
    excluded = funnel.counts["excluded"]
    more = counted(excluded, f"more {_one(funnel)}")
    return [*([f"{more} left by an excluded event."] if excluded else []), *funnel.notes]


def _one(funnel: Funnel) -> str:
    return funnel.counted.removesuffix("s")


def _share(share: float) -> str:
    if pd.isna(share):
        return "no share"
    return "under 0.1%" if 0 < share < 0.0005 else f"{share:.1%}"

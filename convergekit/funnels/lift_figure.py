"""The figure of stitching lift: the steps of a funnel, counted with and without stitching.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from convergekit.base.durations import readable_duration
from convergekit.base.wording import counted
from convergekit.figures.figure import Figure
from convergekit.figures.step_rows import add_step_names
from convergekit.figures.style import COLOURS, Style
from convergekit.figures.template import hover, legend_name, plain, titled
from convergekit.funnels.figure import bar_places, rows_layout, with_names
from convergekit.funnels.findings import goal
from convergekit.funnels.groups import bar_mark
from convergekit.funnels.lift import STITCHED


def stitching_lift_figure(
    table: pd.DataFrame,
    steps: Sequence[str],
    within: pd.Timedelta,
    value: str | None,
    carried: str | None,
    counted_as: str,
    style: Style,
) -> Figure:
    """Return the visitors at each step, a bar per way of counting them.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `Stitched.stitching_lift`.
    steps : sequence of str
        What the steps are called.
    within : pandas.Timedelta
    value, carried : str or None
        What the columns `value` and ``with_<carried>`` are of.
    counted_as : {"profiles", "attempts"}
        What is counted.
    style : Style

    Returns
    -------
    Figure
        Stitched profiles first, then the ways that get furthest. Ways of counting by which nobody
        enters have no bars: the figure says how many there are.
    """
    last = f"step_{len(steps)}"
    entering = table[table["step_1"] > 0]
    ranked = entering.assign(first=entering["counted_by"] == STITCHED).sort_values(
        ["first", last, "step_1"], ascending=False, kind="stable"
    )
    shown = ranked.head(len(COLOURS))
    lines = shown.to_dict("records")
    most = int(shown["step_1"].max()) if len(shown) else 1
    counts = [[int(line[f"step_{step}"]) for step in range(1, len(steps) + 1)] for line in lines]
    names = [line["counted_by"].removeprefix("alias ").removesuffix(" alone") for line in lines]
    said = [
        [f"{one[0]:,}", *(f"{count:,} · {count / one[0]:.1%}" for count in one[1:])]
        for one in counts
    ]
    reach = [[count / most for count in one] for one in counts]
    texts, end = with_names(names, said, reach, style)
    figure = Figure()
    places = bar_places(len(shown))
    for number, (line, colour, start) in enumerate(
        zip(lines, COLOURS, places.starts, strict=False)
    ):
        figure.add_bar(
            x=counts[number],
            y=list(range(len(steps))),
            orientation="h",
            width=places.width,
            offset=start,
            marker=bar_mark(colour),
            text=list(map(plain, texts[number])),
            textposition="outside",
            textfont={"size": 12},
            cliponaxis=False,
            hovertext=[
                _sentence(
                    line, count, count / counts[number][0], step, steps, value, carried, counted_as
                )
                for step, count in enumerate(counts[number])
            ],
            hoverinfo="text",
            name=legend_name(names[number]),
        )
    add_step_names(figure, steps, [""] * len(steps), places.tops(len(steps)), style)
    finding = _finding(lines, steps, counted_as)
    figure.update_layout(
        **titled(
            f"What stitching buys: {goal(steps).replace('From', 'from', 1)} within "
            f"{readable_duration(within)}",
            [finding, *_left_out(len(table) - len(entering), len(ranked) - len(shown))],
            style=style,
            plot_height=places.row * len(steps),
        ),
        **rows_layout(len(steps), places.row, places.half),
        showlegend=False,
        xaxis={"visible": False, "range": [0, end * most], "fixedrange": True},
    )
    numbers = [f"step_{step}" for step in range(1, len(steps) + 1)]
    return figure.says(finding, shown[["counted_by", *numbers, "conversion"]])


def _sentence(
    line: dict[Any, Any],
    count: int,
    share: float,
    step: int,
    steps: Sequence[str],
    value: str | None,
    carried: str | None,
    counted_as: str,
) -> str:
    unit = "profile" if line["counted_by"] == STITCHED else "visitor"
    unit = unit if counted_as == "profiles" else "attempt"
    how = "Stitched" if line["counted_by"] == STITCHED else f"Counted by {line['counted_by']}"
    said = [
        f"{how}, {counted(count, unit)} reached {steps[step]}, {share:.1%} of those who entered."
    ]
    if step == len(steps) - 1 and count:
        if value is not None:
            said.append(f"Their {value} adds up to {line['value']:,.2f}.")
        if carried is not None:
            said.append(f"Of their events, {line[f'with_{carried}']:.1%} carry {carried}.")
    return hover(*said)


def _finding(lines: Sequence[dict[Any, Any]], steps: Sequence[str], counted_as: str) -> str:
    """Return how many got there, stitched and by the next way of counting."""
    if not lines:
        return f"Nobody entered with {steps[0]}: check that events have this name."
    said: list[str] = []
    for line in lines[:2]:
        count, entered = int(line[f"step_{len(steps)}"]), int(line["step_1"])
        unit = f"stitched {counted_as}" if line["counted_by"] == STITCHED else line["counted_by"]
        what = "" if said else f" reached {steps[-1]}"
        said.append(f"{unit}: {count:,} of {entered:,}{what}, {count / entered:.1%}")
    sentence = "; ".join(said)
    return f"{sentence[0].upper()}{sentence[1:]}."


def _left_out(empty: int, more: int) -> list[str]:
    said: list[str] = []
    if empty:
        said.append(f"{counted(empty, 'other way', 'other ways')} of counting: nobody entered.")
    if more:
        said.append(f"Not shown: {counted(more, 'way')} of counting that got less far.")
    return said

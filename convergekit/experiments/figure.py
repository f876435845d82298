"""The figure of an experiment: relative effects and their intervals.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from convergekit.experiments.findings import finding_of, is_mixed, percent
from convergekit.experiments.result import Experiment
from convergekit.figures.figure import Figure
from convergekit.figures.names_beside import fitting
from convergekit.figures.style import COLOURS, USUAL, Style
from convergekit.figures.template import hover, plain, titled

#: Pixels of a row, of letters, of margins, and between a row and its name above it.
_ROW, _SIZE, _MARGINS, _ABOVE = 58, 13, 32, 10
_USUAL_WIDTH = 400
_NAMES = {"conversion": "conversion", "goals": "goals", "value": "value",
          "value_per_goal": "value per goal"}  # fmt: skip
_TWIN = ("metric", "arm", "relative", "relative_low", "relative_high", "undiluted",
         "undiluted_low", "undiluted_high")  # fmt: skip


def experiment_figure(found: Experiment, style: Style = USUAL) -> Figure:
    """Return the relative effects as points in their intervals, a row per metric and arm.

    Parameters
    ----------
    found : Experiment
    style : Style, optional

    Returns
    -------
    Figure
        Below each, if profiles saw several arms, the effect of the arm seen alone.
    """
    rows = found.table[found.table["arm"] != found.control]
    known = np.isfinite(rows[["relative", "relative_low", "relative_high"]]).all(axis=1)
    drawn = rows[known].reset_index(drop=True)
    mixed = is_mixed(found.arms) and bool(drawn["undiluted"].notna().any())
    figure = Figure()
    _points(figure, drawn, "relative", "measured", COLOURS[0], -0.02 if mixed else 0.0)
    if mixed:
        _points(figure, drawn, "undiluted", "seen alone", COLOURS[1], 0.2)
    wide = (style.width or _USUAL_WIDTH) - _MARGINS
    names = [f"{_NAMES[row.metric]}, {row.arm}" for row in drawn.itertuples()]
    for place, name in enumerate(fitting(names, wide, _SIZE)):
        figure.add_annotation(
            x=0, xref="paper", xanchor="left", y=place, yshift=_ABOVE, yanchor="bottom",
            text=plain(name), showarrow=False, borderpad=0, font={"size": _SIZE},
        )  # fmt: skip
    colours = style.look
    figure.add_vline(x=0, line={"color": colours.quiet, "width": 1})
    # Of money the figure itself has to say it: all would be many lines.
    said = finding_of(found.table, found.arms, found.control, ["conversion"])
    finding = " ".join([*found.warnings, said])
    notes = [finding]
    if len(drawn) < len(rows):
        notes.append("Not shown: effects of which nothing is known.")
    ends = _span(drawn, mixed)
    figure.update_layout(
        **titled(
            f"What {found.variant} changed, against {found.control}",
            notes,
            style=style,
            plot_height=max(_ROW * len(drawn), 60) + 40,
            legend=["measured", "seen alone"] if mixed else [],
        ),
        hovermode="closest",
        xaxis={
            "tickformat": "+.0%" if ends[1] - ends[0] > 0.05 else "+.1%",
            "range": ends,
            "zeroline": False,
            "nticks": max(wide // 70, 2),
            "visible": bool(len(drawn)),
            "title": {"text": "change to control"},
        },
        yaxis={
            "range": [len(drawn) - 0.6, -0.7],
            "visible": False,
            "fixedrange": True,
        },
    )
    if not mixed:
        figure.update_layout(showlegend=False)
    return figure.says(finding, rows[list(_TWIN)])


def _points(
    figure: Figure, drawn: pd.DataFrame, name: str, title: str, colour: str, shift: float
) -> None:
    rows = drawn[np.isfinite(drawn[[name, f"{name}_low", f"{name}_high"]]).all(axis=1)]
    figure.add_scatter(
        x=rows[name].tolist(),
        y=[place + shift for place in rows.index],
        mode="markers",
        name=title,
        marker={
            "color": colour,
            "size": 10,
            "symbol": "circle" if name == "relative" else "diamond",
        },
        error_x={
            "type": "data",
            "symmetric": False,
            "array": (rows[f"{name}_high"] - rows[name]).tolist(),
            "arrayminus": (rows[name] - rows[f"{name}_low"]).tolist(),
            "color": colour,
            "thickness": 2,
            "width": 5,
        },
        hovertext=[_said(row, name, title) for _, row in rows.iterrows()],
        hoverinfo="text",
    )


def _said(row: Any, name: str, title: str) -> str:
    low, high = (percent(row[f"{name}_{end}"], sign=True) for end in ("low", "high"))
    return hover(
        f"{row['arm']}, {_NAMES[row['metric']]}, {title}: {percent(row[name], sign=True)} "
        f"({low} to {high})."
    )


def _span(drawn: pd.DataFrame, mixed: bool) -> list[float]:
    names = ["relative_low", "relative_high"]
    names += ["undiluted_low", "undiluted_high"] if mixed else []
    ends = drawn[names].to_numpy(dtype=float).ravel()
    ends = np.append(ends[np.isfinite(ends)], 0.0)
    room = 0.06 * float(ends.max() - ends.min()) or 0.01
    return [float(ends.min()) - room, float(ends.max()) + room]

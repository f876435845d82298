"""Figures: plotly, one look for all of them.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go

from convergekit.durations import readable_duration

if TYPE_CHECKING:
    from convergekit.funnel_result import Funnel

# Okabe and Ito's palette: told apart by people with any common colour vision.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
_FONT = "system-ui, -apple-system, Segoe UI, Roboto, DejaVu Sans, sans-serif"


def template() -> go.layout.Template:
    """Return the layout that all figures share; it reads on light and on dark pages.

    Returns
    -------
    plotly.graph_objects.layout.Template
    """
    return go.layout.Template(
        layout={
            "font": {"family": _FONT, "size": 13, "color": "#24292f"},
            "title": {"x": 0, "xref": "paper", "font": {"size": 17}},
            "colorway": list(COLOURS),
            "paper_bgcolor": "#ffffff",
            "plot_bgcolor": "#ffffff",
            "margin": {"l": 8, "r": 8, "t": 64, "b": 16},
            "hoverlabel": {"font": {"family": _FONT}},
        }
    )


def funnel_figure(funnel: Funnel) -> go.Figure:
    """Return a funnel as bars: profiles per step, and their share of the first.

    Parameters
    ----------
    funnel : Funnel

    Returns
    -------
    plotly.graph_objects.Figure
    """
    table = funnel.table
    steps = [
        f"{step}. {name}" for step, name in zip(table["step"], table["event_name"], strict=True)
    ]
    figure = go.Figure(
        go.Funnel(
            y=steps,
            x=table["profiles"].tolist(),
            text=[_label(row) for row in table.itertuples()],
            textinfo="text",
            textposition="auto",
            hovertext=[_sentence(row, funnel) for row in table.itertuples()],
            hoverinfo="text",
            marker={"color": COLOURS[0]},
            connector={"fillcolor": "#d8e6f2", "line": {"width": 0}},
        )
    )
    first, last = table["event_name"].iloc[0], table["event_name"].iloc[-1]
    figure.update_layout(
        template=template(),
        title={
            "text": f"From {first} to {last} within {readable_duration(funnel.within)}",
            "subtitle": {"text": _subtitle(table)},
        },
        height=96 + 76 * len(table),
    )
    figure.update_yaxes(automargin=True, ticklabelstandoff=8)
    return figure


def _label(row: Any) -> str:
    return f"<b>{row.profiles:,}</b>" + ("" if row.step == 1 else f" · {row.conversion:.0%}")


def _sentence(row: Any, funnel: Funnel) -> str:
    if row.step == 1:
        return f"{row.profiles:,} profiles entered with {row.event_name}."
    wait = (
        ""
        if pd.isna(row.median_time)
        else (
            f" Half of them took {readable_duration(row.median_time)} or less from the step before."
        )
    )
    return (
        f"{row.profiles:,} profiles reached {row.event_name}, "
        f"{row.step_conversion:.1%} of the step before; {row.drop_off:,} dropped off"
        f"{_still_open(row)}.<br>{wait}"
    )


def _still_open(row: Any) -> str:
    return f", {row.in_window:,} may still get there" if row.in_window else ""


def _subtitle(table: pd.DataFrame) -> str:
    entered, arrived = int(table["profiles"].iloc[0]), int(table["profiles"].iloc[-1])
    share = f", {arrived / entered:.1%}" if entered else ""
    return f"{arrived:,} of {entered:,} profiles{share}; percentages are of the first step"

"""Figures of funnels.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go

from convergekit.durations import readable_duration
from convergekit.template import COLOURS, Template, hover, look, plain, titled

if TYPE_CHECKING:
    from convergekit.funnel_result import Funnel


def funnel_figure(funnel: Funnel, template: Template = "light") -> go.Figure:
    """Return a funnel as bars: profiles per step, and their share of the first.

    Parameters
    ----------
    funnel : Funnel
    template : {"light", "dark"}, default "light"

    Returns
    -------
    plotly.graph_objects.Figure
    """
    table = funnel.table
    steps = [
        f"{step}. {plain(name)}"
        for step, name in zip(table["step"], table["event_name"], strict=True)
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
            connector={"fillcolor": look(template).faint, "line": {"width": 0}},
        )
    )
    first, last = table["event_name"].iloc[0], table["event_name"].iloc[-1]
    figure.update_layout(
        **titled(
            f"From {first} to {last} within {readable_duration(funnel.within)}",
            [_subtitle(table)],
            template=template,
            plot_height=76 * len(table),
        )
    )
    return figure


def _label(row: Any) -> str:
    return f"<b>{row.profiles:,}</b>" + ("" if row.step == 1 else f" · {row.conversion:.0%}")


def _sentence(row: Any, funnel: Funnel) -> str:
    if row.step == 1:
        return hover(f"{row.profiles:,} profiles entered with {row.event_name}.")
    wait = (
        ""
        if pd.isna(row.median_time)
        else (
            f"Half of them took {readable_duration(row.median_time)} or less from the step before."
        )
    )
    return hover(
        f"{row.profiles:,} profiles reached {row.event_name}, "
        f"{row.step_conversion:.1%} of the step before; {row.drop_off:,} dropped off"
        f"{_still_open(row)}.",
        wait,
    )


def _still_open(row: Any) -> str:
    return f", {row.in_window:,} may still get there" if row.in_window else ""


def _subtitle(table: pd.DataFrame) -> str:
    entered, arrived = int(table["profiles"].iloc[0]), int(table["profiles"].iloc[-1])
    share = f", {arrived / entered:.1%}" if entered else ""
    return f"{arrived:,} of {entered:,} profiles{share}; percentages are of the first step"

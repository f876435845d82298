"""The figure of watched numbers: six weeks of each, beside what was expected.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from convergekit.figures.figure import Figure
from convergekit.figures.names_beside import fitting
from convergekit.figures.style import COLOURS, USUAL, Style, faded
from convergekit.figures.template import hover, plain, text_width, titled
from convergekit.watching.result import Watch, amount_text

#: Pixels of a row, of letters, of margins, and of a row's name above it.
_ROW, _SIZE, _MARGINS, _NAME = 96, 13, 40, 34
_USUAL_WIDTH, _NARROW = 400, 340
_ALARM, _LINE = COLOURS[5], COLOURS[0]


def watched_figure(found: Watch, style: Style = USUAL) -> Figure:
    """Return a row per number: its days as a line, and between which values it was expected.

    Parameters
    ----------
    found : Watch
    style : Style, optional

    Returns
    -------
    Figure
        Each row has a scale of its own.
    """
    figure, look = Figure(), style.look
    series = found.series
    names = list(dict.fromkeys(series["number"]))
    wide = (style.width or _USUAL_WIDTH) - _MARGINS
    latest = found.table.drop_duplicates("number", keep="last").set_index("number")
    said = [_said(name, latest.loc[name], wide) for name in names]
    for place, name in enumerate(names):
        rows = series[series["number"] == name]
        _draw(figure, rows, str(latest.loc[name, "kind"]), len(names) - 1 - place, style)
    for place, text in enumerate(said):
        figure.add_annotation(
            x=0, xref="paper", xanchor="left", y=len(names) - place, yanchor="top",
            text=plain(text), showarrow=False, borderpad=0,
            font={"size": _SIZE, "color": look.ink},
        )  # fmt: skip
    notes = ["Grey: what a day alone may be without an alarm. Each row has a scale of its own."]
    if series["state"].isin(["odd", "left out"]).any():
        notes.append("Open: days that the past is not made of.")
    figure.update_layout(
        **titled(
            "Numbers beside their own past",
            [found.finding, *notes],
            style=style,
            plot_height=_ROW * len(names) + 24,
        ),
        showlegend=False,
        hovermode="closest",
        xaxis={
            "showgrid": False,
            "nticks": max(wide // 110, 3),
            "tickformat": "%d %b",
            "fixedrange": True,
        },
        yaxis={"visible": False, "range": [-0.02, len(names)], "fixedrange": True},
    )
    twin = series[["number", "day", "value", "expected", "low", "high", "state"]]
    return figure.says(found.finding, twin)


def _said(name: str, line: pd.Series, wide: int) -> str:
    """Return what stands above a row: of a long name the begin, of the numbers all."""
    observed = amount_text(line["kind"], line["observed"])
    told = ": not compared"
    if line["verdict"] != "not compared":
        expected = amount_text(line["kind"], line["expected"])
        days = f" in {line['days']} days" if line["days"] > 1 and wide > _NARROW else ""
        told = f": {observed}{days}, expected {expected}"
    alarm = "Alarm, " if line["verdict"] == "alarm" else ""
    room = wide - text_width(alarm + told, _SIZE)
    return alarm + fitting([name], int(room), _SIZE)[0] + told


def _draw(figure: Figure, rows: pd.DataFrame, kind: str, floor: int, style: Style) -> None:
    """Draw a number's days into its row."""
    bounds = rows[["value", "low", "high"]].to_numpy(dtype=np.float64)
    known = bounds[np.isfinite(bounds)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    room = (_ROW - _NAME) / _ROW

    def placed(values: pd.Series) -> pd.Series:
        return floor + room * (values - low) / max(high - low, 1e-12)

    inside = rows[rows["expected"].notna()]
    if len(inside):
        around = pd.concat([inside["day"], inside["day"].iloc[::-1]])
        figure.add_scatter(
            x=around, y=pd.concat([placed(inside["high"]), placed(inside["low"]).iloc[::-1]]),
            mode="lines", line={"width": 0}, fill="toself", hoverinfo="skip",
            fillcolor=faded(style.look.quiet, 0.22),
        )  # fmt: skip
        figure.add_scatter(
            x=inside["day"], y=placed(inside["expected"]), mode="lines", hoverinfo="skip",
            line={"width": 1, "color": style.look.quiet},
        )  # fmt: skip
    is_open = rows["state"].isin(["odd", "left out"])
    colours = np.where(rows["state"] == "alarm", _ALARM, _LINE)
    figure.add_scatter(
        x=rows["day"], y=placed(rows["value"]), mode="lines+markers",
        line={"width": 1.5, "color": _LINE},
        marker={
            "size": np.where(rows["state"] == "alarm", 10, np.where(is_open, 7, 5)),
            "color": colours, "opacity": 1, "line": {"width": np.where(is_open, 1.5, 0)},
            "symbol": np.where(is_open, "circle-open", "circle"),
        },
        hovertext=[_hover(line, kind) for line in rows.to_dict("records")], hoverinfo="text",
    )  # fmt: skip


def _hover(line: dict[str, object], kind: str) -> str:
    value, expected, low, high = (
        amount_text(kind, float(str(line[name]))) for name in ("value", "expected", "low", "high")
    )
    day = pd.Timestamp(str(line["day"]))
    said = [f"{line['number']}, {day:%Y-%m-%d}: {value}."]
    if expected:
        said.append(f"Expected {expected}, no alarm between {low} and {high}.")
    if line["state"] in ("odd", "left out", "alarm"):
        said.append(f"{str(line['state']).capitalize()}.")
    return hover(*said)

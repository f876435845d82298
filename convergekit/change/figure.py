"""The waterfall of a difference: from before, part by part, to after.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from convergekit.figures.figure import Figure
from convergekit.figures.names_beside import fitting
from convergekit.figures.style import COLOURS, USUAL, Style
from convergekit.figures.template import hover, plain, text_width, titled

if TYPE_CHECKING:
    from convergekit.change.result import Why

#: Pixels of a bar, of a row, of letters, and of the room that names have at least beside rows.
_BAR, _ROW, _SIZE, _LEAST_NAME = 18, 34, 12, 190
#: A figure that is not told its width is made for pages from here on, with so much for its bars.
_NARROWEST, _LEAST_BARS = 400, 70
#: Figures narrower than this have names above their bars.
_NARROW, _ABOVE = 480, 16
_USUAL, _MARGINS, _GAP = 640, 40, 12
#: As many parts are drawn; the others are one.
_MOST = 9
#: More, less, and the number itself.
_MORE, _LESS = COLOURS[0], COLOURS[5]


def waterfall(found: Why, style: Style = USUAL) -> Figure:
    """Return the parts as bars from before to after, the first cause above.

    Parameters
    ----------
    found : Why
    style : Style, optional

    Returns
    -------
    Figure
        Faint bars are within chance.
    """
    look, rows = style.look, _rows(found)
    figure, above = Figure(), style.width is not None and style.width < _NARROW
    row = _ROW + _ABOVE * above
    low = min(min(rows["start"].min(), rows["stop"].min()), found.before, found.after)
    high = max(rows["start"].max(), rows["stop"].max(), found.before, found.after)
    # A small change of a large number is seen where the axis does not begin at zero.
    begin = 0.0 if low < (high - low) else low - 0.15 * (high - low)
    for place, line in enumerate(rows.to_dict("records")):
        colour = look.muted if line["is_number"] else _MORE if line["effect"] >= 0 else _LESS
        start = begin if line["is_number"] else line["start"]
        figure.add_bar(
            x=[line["stop"] - start], base=[start], y=[place], orientation="h",
            width=_BAR / row, showlegend=False,
            marker={"color": colour, "line": {"width": 0},
                    "opacity": 1.0 if line["sure"] or line["is_number"] else 0.35},
            hovertext=[hover(line["said"])], hoverinfo="text",
        )  # fmt: skip
    texts = rows["text"].tolist()
    wide = (style.width or _USUAL) - _MARGINS
    longest = max(text_width(name, _SIZE) for name in rows["name"]) + _GAP
    widest = max(text_width(text, _SIZE) for text in texts) + 14
    # Long names get more room, but no more than bars; without a width, no more than the narrowest
    # page has beside the numbers.
    most = wide / 2 if style.width else _NARROWEST - widest - _LEAST_BARS
    room = math.ceil(min(max(longest, _LEAST_NAME), most))
    for place, line in enumerate(rows.to_dict("records")):
        figure.add_annotation(
            x=max(line["start"], line["stop"]), y=place, text=plain(line["text"]),
            xanchor="left", showarrow=False, xshift=4, font={"size": _SIZE, "color": look.ink},
        )  # fmt: skip
    names = fitting(rows["name"].tolist(), wide if above else room - _GAP, _SIZE)
    for place, name in enumerate(names if above else ()):
        figure.add_annotation(
            x=0, xref="paper", xanchor="left", y=place, yshift=_BAR / 2 + 1, yanchor="bottom",
            text=plain(name), showarrow=False, borderpad=0,
            font={"size": _SIZE, "color": look.ink},
        )  # fmt: skip
    notes = ["Faint: within chance."] if not rows["sure"].all() else []
    notes += ["The axis does not begin at zero."] if begin else []
    figure.update_layout(
        **titled(
            f"Why {found.number} changed",
            [found.finding, *notes],
            style=style,
            plot_height=row * len(rows),
        ),
        hovermode="closest",
        xaxis={"visible": False, "range": [begin, high], "fixedrange": True},
        yaxis={
            "tickvals": list(range(len(rows))),
            "ticktext": list(map(plain, names)),
            "showticklabels": not above,
            "range": [len(rows) - 0.5, -0.5 - (_ABOVE / row if above else 0)],
            "showgrid": False,
            "fixedrange": True,
        },
    )
    # Beside the bars, in pixels: a notebook may draw it narrower than it was made.
    figure.update_layout(margin_r=math.ceil(widest))
    return figure.says(found.finding, rows[["name", "effect", "start", "stop"]])


def _rows(found: Why) -> pd.DataFrame:
    """Return a row per bar: before, the parts, and after."""
    table = found.table
    rows = [_number("Before", found.before, found)]
    at = found.before
    for line in table.head(_MOST).to_dict("records"):
        rows.append(
            {
                "name": f"{line['kind']}: {line['what']}", "effect": line["effect"], "start": at,
                "stop": at + line["effect"], "text": found.signed(line["effect"]),
                "said": f"{line['what']}: {found.signed(line['effect'])}, by chance "
                f"{found.signed(line['low'])} to {found.signed(line['high'])}.",
                "sure": bool(line["beyond_chance"]), "is_number": False,
            }
        )  # fmt: skip
        at += line["effect"]
    if len(table) > _MOST:
        left = float(table["effect"].iloc[_MOST:].sum())
        rows.append(
            {
                "name": f"{len(table) - _MOST} other parts", "effect": left, "start": at,
                "stop": at + left, "text": found.signed(left),
                "said": f"{len(table) - _MOST} other parts: {found.signed(left)}.",
                "sure": bool(table["beyond_chance"].iloc[_MOST:].any()), "is_number": False,
            }
        )  # fmt: skip
    return pd.DataFrame([*rows, _number("After", found.after, found)])


def _number(name: str, value: float, found: Why) -> dict[str, object]:
    text = found.text(value)
    return {
        "name": name, "effect": value, "start": 0.0, "stop": value, "text": text,
        "said": f"{name}: {text}.", "sure": True, "is_number": True,
    }  # fmt: skip

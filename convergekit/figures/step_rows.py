"""Rows of a figure that are steps: the name above the bars, and what is said beside and below.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from convergekit.figures.names_beside import NARROW, fitting
from convergekit.figures.style import Style
from convergekit.figures.template import plain, text_width

if TYPE_CHECKING:
    from convergekit.figures.figure import Figure

#: Pixels beside a plot that has no labels there.
_MARGINS = 32


def room_of(style: Style) -> int:
    """Return how many pixels wide a plot is that has no labels beside it, on a narrow page."""
    return (style.width or NARROW) - _MARGINS


def add_step_names(
    figure: Figure,
    names: Sequence[str],
    values: Sequence[str],
    tops: Sequence[float],
    style: Style,
) -> None:
    """Write each step's name above its bars, and a value at the right.

    Parameters
    ----------
    figure : Figure
    names, values : sequence of str
        As they are, not as markup; a value may be empty.
    tops : sequence of float
        Where the bars of each step begin, on the vertical axis.
    style : Style
    """
    room = room_of(style)
    for number, (name, value, top) in enumerate(zip(names, values, tops, strict=True), 1):
        # In bold, letters are wider.
        before, left = f"{number}. ", room - text_width(value, 13) - 12
        (short,) = fitting([name], left / 1.06 - text_width(before, 13), 13)
        text = f"<b>{before}{plain(short)}</b>"
        write(figure, text, top, x=0, xanchor="left", yanchor="bottom", yshift=2)
        write(figure, plain(value), top, x=1, xanchor="right", yanchor="bottom", yshift=2)


def write(figure: Figure, text: str, y: float, **where: Any) -> None:
    """Write a text, as markup, at a height of the vertical axis; nothing if there is none."""
    if text:
        figure.add_annotation(text=text, y=y, xref="paper", showarrow=False, borderpad=0, **where)

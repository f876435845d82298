"""The layout of a title and a legend that fit, and text that plotly shows as it is.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Sequence
from typing import Any

from convergekit.base.wording import shortened, shortened_apart
from convergekit.figures.style import Style

#: Pixels of a figure that is as wide as its page, and is to be read on a narrow one.
_NARROW = 400
#: Pixels of a character in a title and in a subtitle, and of the margins beside both.
_TITLE_LETTER, _SUBTITLE_LETTER, _MARGINS = 8.0, 6.35, 32
#: Longer lines are hard to read.
_MOST_IN_LINE = 110
#: As many characters of a hover text fit on a narrow figure.
_HOVER_WIDTH = 56
#: As many characters of a name that two columns of a legend fit there.
_LEGEND_WIDTH = 21


def titled(
    title: str,
    subtitle: Sequence[str] = (),
    *,
    style: Style,
    plot_height: int,
    legend: Sequence[str] = (),
    legend_width: int = 390,
) -> dict[str, Any]:
    """Return a layout of the house with a title, sentences below it, and room for both.

    Parameters
    ----------
    title : str
        As it is, not as markup.
    subtitle : sequence of str
        Sentences, as they are; each begins a line.
    style : Style
    plot_height : int
        Pixels below the title and the legend, the margin at the bottom left out.
    legend : sequence of str
        What stands in the legend, if that is to be above the plot.
    legend_width : int, default 390
        Pixels that the legend has on a figure of 400: as many as the plot.

    Examples
    --------
    >>> layout = titled("Orders <3 carts", style=Style("light"), plot_height=200)
    >>> layout["title"]["text"], layout["height"] - layout["margin"]["t"]
    ('Orders &lt;3 carts', 216)
    """
    width = style.width or _NARROW
    lines = _lines(title, _letters(width, _TITLE_LETTER))
    letters = _letters(width, _SUBTITLE_LETTER)
    below = [line for sentence in subtitle for line in _lines(sentence, letters)]
    rows = _legend_rows(legend, max(legend_width + width - _NARROW, 1))
    top = 38 + 20 * len(lines) + 17 * len(below) + 22 * rows
    layout = {
        "template": style.of_plotly,
        "title": {
            "text": "<br>".join(lines),
            "subtitle": {"text": "<br>".join(below)},
            # Plotly sets the middle of the lines where the first belongs.
            "pad": {"t": 14 + 10 * (len(lines) - 1)},
        },
        "height": style.height or top + plot_height + 16,
        "margin": {"t": top, "b": 16},
    }
    if style.width:
        layout["width"] = style.width
    if legend:
        layout |= {
            "showlegend": True,
            "legend": {
                "orientation": "h",
                "traceorder": "normal",
                "x": 0,
                "y": 1,
                "yanchor": "bottom",
            },
        }
    return layout


def _legend_rows(names: Sequence[str], width: int) -> int:
    """Return how many rows a legend takes on a narrow figure, which sets it in columns."""
    widths = [46 + 7 * min(len(name), _LEGEND_WIDTH) for name in names]
    if sum(widths) <= width:
        return min(len(names), 1)
    return math.ceil(len(names) / max(width // max(widths), 1))


def plain(text: object) -> str:
    """Return text as plotly shows it: not as the markup or the formula that it may look like.

    Everything that comes from data (names of events and properties, labels, values) goes through
    here, or through `hover` and `titled`, before plotly gets it.

    Examples
    --------
    >>> plain('<a href="https://example.com">Order</a> & $total$')
    '&lt;a href="https://example.com"&gt;Order&lt;/a&gt; &amp; &#36;total&#36;'
    """
    # Where a page has MathJax, as notebooks do, text between dollars is set as a formula.
    return html.escape(str(text), quote=False).replace("$", "&#36;")


def hover(*sentences: str) -> str:
    """Return sentences, as they are, as a hover text: each begins a line, long ones are wrapped.

    Examples
    --------
    >>> hover("3 profiles reached <b>.", "", "None dropped off.")
    '3 profiles reached &lt;b&gt;.<br>None dropped off.'
    """
    return "<br>".join(line for text in sentences for line in _lines(text, _HOVER_WIDTH))


def legend_name(text: object) -> str:
    """Return a name, as it is, as a legend shows it: cut where two would not fit in a row.

    Examples
    --------
    >>> legend_name("Subscribed To Newsletter")
    'Subscribed To Newsle…'
    """
    return plain(shortened(text, _LEGEND_WIDTH))


def legend_names(texts: Sequence[object]) -> list[str]:
    """Return the names of one legend, cut so that they still differ.

    Examples
    --------
    >>> legend_names(["The first variant of the cart, old", "The first variant of the cart, new"])
    ['…ant of the cart, old', '…ant of the cart, new']
    """
    return [plain(text) for text in shortened_apart(texts, _LEGEND_WIDTH)]


def _letters(width: int, letter: float) -> int:
    return max(10, min(int((width - _MARGINS) / letter), _MOST_IN_LINE))


def _lines(text: str, width: int) -> list[str]:
    return [plain(line) for line in textwrap.wrap(text, width, break_on_hyphens=False)]

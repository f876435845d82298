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
#: Pixels of the letters of a title and of a subtitle, and of the margins beside both.
_TITLE_SIZE, _SUBTITLE_SIZE, _MARGINS = 16, 13, 34
#: Longer lines, in pixels, are hard to read.
_MOST_IN_LINE = 760
#: As wide as letters are, in parts of their size; others are `_USUAL`, and those of East Asia 1.
_WIDTHS = {
    letter: width
    for width, letters in {
        0.3: "'ijlIJ",
        0.36: " ,.·/:;\\|f-",
        0.42: "()[]t!r",
        0.52: '"*_`–sz',
        0.58: "?cLFk",
        0.7: "KAVBRXZC",
        0.78: "UHNDG&OQ",
        0.86: "w#+<=>^~≥M",
        1.0: "%mW@…—",
    }.items()
    for letter in letters
}
_USUAL, _FIRST_OF_EAST_ASIA = 0.635, 0x2E80
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
    wide = min(width - _MARGINS, _MOST_IN_LINE)
    lines = [plain(line) for line in balanced(title, wide, _TITLE_SIZE)]
    below = [
        plain(line) for sentence in subtitle for line in wrapped(sentence, wide, _SUBTITLE_SIZE)
    ]
    rows = _legend_rows(legend, max(legend_width + width - _NARROW, 1))
    top = 38 + 20 * len(lines) + 17 * len(below) + 22 * rows
    layout = {
        "template": style.of_plotly,
        "title": {
            "text": "<br>".join(lines),
            "subtitle": {"text": "<br>".join(below)},
            # Plotly sets the first of several lines higher.
            "pad": {"t": 14 + 10 * (len(lines) > 1)},
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


def text_width(text: str, size: float) -> float:
    """Return about how many pixels a text of a size takes; in a narrow font it takes less.

    Examples
    --------
    >>> text_width("ill", 10) < text_width("abc", 10) < text_width("WWW", 10)
    True
    """
    return size * sum(_width(letter) for letter in text)


def _width(letter: str) -> float:
    return 1.0 if ord(letter) >= _FIRST_OF_EAST_ASIA else _WIDTHS.get(letter, _USUAL)


def balanced(text: str, pixels: float, size: float) -> list[str]:
    """Return as few lines as fit, of about one length, not yet escaped.

    Examples
    --------
    >>> balanced("months since the first order", 170, 13)
    ['months since', 'the first order']
    """
    lines = wrapped(text, pixels, size)
    for part in (0.6, 0.7, 0.8, 0.9):
        narrower = wrapped(text, part * pixels, size)
        if len(narrower) == len(lines):
            return narrower
    return lines


def wrapped(text: str, pixels: float, size: float) -> list[str]:
    """Return the lines of a text, none wider than so many pixels, not yet escaped.

    Examples
    --------
    >>> wrapped("weeks since the first PageView", 120, 13)
    ['weeks since the', 'first PageView']
    """
    lines: list[str] = []
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(joined, size) <= pixels:
            lines[-1] = joined
            continue
        while text_width(word, size) > pixels:
            fits = next(
                at for at in range(len(word), 0, -1)
                if at == 1 or text_width(word[:at], size) <= pixels
            )  # fmt: skip
            if fits == len(word):
                break
            lines.append(word[:fits])
            word = word[fits:]
        lines.append(word)
    return lines


def _lines(text: str, width: int) -> list[str]:
    return [plain(line) for line in textwrap.wrap(text, width, break_on_hyphens=False)]

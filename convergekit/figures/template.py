"""The look that all figures share, light and dark, and text that plotly shows as it is.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import plotly.graph_objects as go

from convergekit.base.options import choice
from convergekit.base.wording import shortened, shortened_apart

#: What `template=` of a figure takes.
Template: TypeAlias = Literal["light", "dark"]

# Okabe and Ito's palette: distinguishable with any common colour vision. Its yellow is left
# out, which is invisible on white, and its black, which is invisible on black.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
_FONT = "system-ui, -apple-system, Segoe UI, Roboto, DejaVu Sans, sans-serif"
#: As many characters of a title, a subtitle and a hover text fit on a narrow figure.
_TITLE_WIDTH, _SUBTITLE_WIDTH, _HOVER_WIDTH = 46, 58, 56
#: As many characters of a name that two columns of a legend fit there.
_LEGEND_WIDTH = 21


@dataclass(frozen=True)
class Look:
    """The colours of one template beside those of the data.

    Attributes
    ----------
    paper, ink : str
        The background, and text on it.
    muted : str
        Text that matters less; it still has the contrast that text needs.
    quiet : str
        Marks that matter less, or of what has no name of its own.
    faint : str
        Areas that are barely there, and grid lines.
    """

    paper: str
    ink: str
    muted: str
    quiet: str
    faint: str


_LOOKS = {
    "light": Look("#ffffff", "#24292f", "#59636e", "#8c959f", "#e4e8ec"),
    "dark": Look("#0d1117", "#e6edf3", "#9ba5b0", "#768390", "#2a313a"),
}


def look(template: Template) -> Look:
    """Return a template's colours.

    Raises
    ------
    ConvergekitError
        The template is not known.

    Examples
    --------
    >>> look("dark").paper
    '#0d1117'
    """
    choice("template", template, Template)
    return _LOOKS[template]


def house_template(template: Template = "light") -> go.layout.Template:
    """Return the layout that all figures share.

    Parameters
    ----------
    template : {"light", "dark"}, default "light"

    Returns
    -------
    plotly.graph_objects.layout.Template

    Examples
    --------
    >>> import plotly.graph_objects as go
    >>> figure = go.Figure(go.Bar(x=["a", "b"], y=[1, 2]))
    >>> figure.update_layout(template=house_template("dark")).layout.template.layout.paper_bgcolor
    '#0d1117'
    """
    found = look(template)
    axis = {
        # Labels take the room that they need, or they would be cut off.
        "automargin": True,
        "gridcolor": found.faint,
        "linecolor": found.quiet,
        "zerolinecolor": found.faint,
        "tickfont": {"color": found.ink},
        "title": {"standoff": 12, "font": {"color": found.muted, "size": 13}},
        "ticklabelstandoff": 4,
    }
    return go.layout.Template(
        layout={
            "font": {"family": _FONT, "size": 13, "color": found.ink},
            "title": {
                "x": 0,
                "xref": "container",
                "xanchor": "left",
                "y": 1,
                "yref": "container",
                "yanchor": "top",
                "pad": {"t": 14, "l": 16},
                "font": {"size": 16},
                "subtitle": {"font": {"size": 13, "color": found.muted}},
            },
            "colorway": list(COLOURS),
            "paper_bgcolor": found.paper,
            "plot_bgcolor": found.paper,
            "margin": {"l": 16, "r": 16, "t": 64, "b": 16},
            "xaxis": axis,
            "yaxis": axis,
            "legend": {"title": {"font": {"color": found.muted}}},
            "hoverlabel": {
                "font": {"family": _FONT, "color": found.ink},
                "bgcolor": found.paper,
                "bordercolor": found.quiet,
                "align": "left",
            },
        }
    )


def titled(
    title: str,
    subtitle: Sequence[str] = (),
    *,
    template: Template,
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
    template : {"light", "dark"}
    plot_height : int
        Pixels below the title and the legend, the margin at the bottom left out.
    legend : sequence of str
        What stands in the legend, if that is to be above the plot.
    legend_width : int, default 390
        Pixels that the legend has on a narrow figure: as many as the plot.

    Examples
    --------
    >>> layout = titled("Orders <3 carts", template="light", plot_height=200)
    >>> layout["title"]["text"], layout["height"] - layout["margin"]["t"]
    ('Orders &lt;3 carts', 216)
    """
    lines = _lines(title, _TITLE_WIDTH)
    below = [line for sentence in subtitle for line in _lines(sentence, _SUBTITLE_WIDTH)]
    top = 38 + 20 * len(lines) + 17 * len(below) + 22 * _legend_rows(legend, legend_width)
    layout = {
        "template": house_template(template),
        "title": {
            "text": "<br>".join(lines),
            "subtitle": {"text": "<br>".join(below)},
            # Plotly sets the middle of the lines where the first belongs.
            "pad": {"t": 14 + 10 * (len(lines) - 1)},
        },
        "height": top + plot_height + 16,
        "margin": {"t": top, "b": 16},
    }
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


def _lines(text: str, width: int) -> list[str]:
    return [plain(line) for line in textwrap.wrap(text, width, break_on_hyphens=False)]

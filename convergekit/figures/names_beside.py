"""Names beside the lines that they name, instead of a legend.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, pi, sin
from typing import TYPE_CHECKING, Any

from convergekit.base.wording import shortened_apart
from convergekit.figures.style import Style
from convergekit.figures.template import plain, text_width

if TYPE_CHECKING:
    from convergekit.figures.figure import Figure

#: Pixels of a figure that is as wide as its page, and is to be read on a narrow one.
NARROW = 400
#: Pixels of a name, from one to the next, and between a plot and a name.
_SIZE, _LINE, _GAP = 12, 15, 8
#: Which part of a figure names may take, and how many pixels at most.
_PART, _MOST = 0.34, 220
#: Pixels that an axis of times and its title take from a plot.
_AXIS = 58
#: Pixels of a mark and of a piece of a line, with the gap to the name.
_SIGN, _LINE_SIGN = 13, 28


def _star(points: int, inner: float, turn: float = pi / 2) -> list[tuple[float, float]]:
    rays = [(turn + pi * at / points, inner if at % 2 else 1.0) for at in range(2 * points)]
    return [(length * cos(angle), length * sin(angle)) for angle, length in rays]


#: Of plotly's symbols, in units of half their width, upwards.
_OUTLINES = {
    "circle": _star(8, 1.0),
    "square": [(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
    "diamond": _star(2, 1.0),
    "triangle-up": [(-1.1, -0.9), (1.1, -0.9), (0.0, 1.0)],
    "triangle-down": [(-1.1, 0.9), (1.1, 0.9), (0.0, -1.0)],
    "star": _star(5, 0.45),
    "cross": [
        (x * sign, y * sign)
        for sign in (1, -1)
        for x, y in ((0.4, 0.4), (0.4, 1.0), (-0.4, 1.0), (-0.4, 0.4), (-1.0, 0.4), (-1.0, -0.4))
    ],
}


@dataclass(frozen=True)
class LineEnd:
    """Where a line ends, and what it is called.

    Attributes
    ----------
    name : str
        As it is, not as markup.
    colour : str
    value : float
        On the vertical axis.
    symbol : str, default ""
        Of its marks; a piece of the line is drawn if it has none.
    dash : str, default "solid"
    """

    name: str
    colour: str
    value: float
    symbol: str = ""
    dash: str = "solid"


def fitting(texts: Sequence[str], pixels: float, size: float = _SIZE) -> list[str]:
    """Return texts, cut so that they take so many pixels at most and still differ.

    Examples
    --------
    >>> fitting(["google", "newsletter of the spring"], 90)
    ['google', 'newsletter o…']
    """
    most = max(map(len, texts), default=0)
    while most > 3:
        short = shortened_apart(texts, most)
        if max(text_width(text, size) for text in short) <= pixels:
            return short
        most -= 1
    return shortened_apart(texts, 3)


def name_line_ends(
    figure: Figure,
    ends: Sequence[LineEnd],
    *,
    style: Style,
    plot_height: int,
    low: float,
    high: float,
    part: float = 1.0,
) -> int:
    """Write each line's name to the right of the plot, and return the margin that they take.

    Parameters
    ----------
    figure : Figure
    ends : sequence of LineEnd
        In any order.
    style : Style
    plot_height : int
        As `titled` takes it.
    low, high : float
        The ends of the vertical axis.
    part : float, default 1.0
        Of the height, that the axis takes.

    Returns
    -------
    int
        Pixels for ``layout.margin.r``; 0 if there is not room for the names. They need a legend
        then, and nothing is written.

    Examples
    --------
    >>> from convergekit.figures.figure import Figure
    >>> from convergekit.figures.style import USUAL
    >>> figure, ends = Figure(), [LineEnd(name, "#0072B2", 0.5) for name in "ab"]
    >>> room = name_line_ends(figure, ends, style=USUAL, plot_height=300, low=0, high=1)
    >>> [round(note.y, 2) for note in figure.layout.annotations], room > 20
    ([0.47, 0.53], True)
    """
    # A given height is taken from the plot, below a title of several lines.
    tall = min(plot_height, (style.height or 10_000) - 130) - _AXIS
    pixels = part * tall
    if not ends or len(ends) * _LINE > pixels:
        return 0
    wide = min(_PART * (style.width or NARROW), _MOST)
    sign = _LINE_SIGN if any(not end.symbol for end in ends) else _SIGN
    names = fitting([end.name for end in ends], wide - sign)
    each = _LINE * (high - low) / pixels
    order = sorted(range(len(ends)), key=lambda at: (ends[at].value, -at))
    places = _apart([ends[at].value for at in order], each, low, high)
    for at, y in zip(order, places, strict=True):
        end = ends[at]
        figure.add_shape(
            xref="paper", xanchor=1, xsizemode="pixel", yref="y", yanchor=y, ysizemode="pixel",
            **_sign(end),
        )  # fmt: skip
        figure.add_annotation(
            text=plain(names[at]),
            hovertext=plain(end.name) if names[at] != end.name else None,
            x=1, xref="paper", xanchor="left", xshift=_GAP + sign, y=y, yref="y",
            yanchor="middle", showarrow=False, borderpad=0, font={"size": _SIZE},
        )  # fmt: skip
    return int(_GAP + sign + max(text_width(name, _SIZE) for name in names) + 8)


def _sign(end: LineEnd) -> dict[str, Any]:
    """Return the shape before a name: the line's mark, or a piece of the line."""
    if not end.symbol:
        line = {"color": end.colour, "width": 2.5, "dash": end.dash}
        return {"type": "line", "x0": _GAP, "x1": _GAP + _LINE_SIGN - 6, "y0": 0, "y1": 0,
                "line": line}  # fmt: skip
    outline = _OUTLINES.get(end.symbol, _OUTLINES["circle"])
    path = " L".join(f"{_GAP + 4 + 4 * x:.1f},{4 * y:.1f}" for x, y in outline)
    return {"type": "path", "path": f"M{path} Z", "fillcolor": end.colour, "line": {"width": 0}}


def _apart(values: Sequence[float], each: float, low: float, high: float) -> list[float]:
    """Return places near ascending values, so far apart from each other, between two ends."""
    # Less what those before take, they have only to ascend: the means of runs do.
    runs: list[list[float]] = []
    for place, value in enumerate(values):
        runs.append([value - place * each, 1.0])
        while len(runs) > 1 and runs[-2][0] >= runs[-1][0]:
            (one, few), (other, more) = runs[-2:]
            runs[-2:] = [[(one * few + other * more) / (few + more), few + more]]
    flat = [mean for mean, count in runs for _ in range(int(count))]
    least, most = low + each / 2, high - each / 2 - (len(values) - 1) * each
    return [min(max(mean, least), most) + place * each for place, mean in enumerate(flat)]

"""How a figure is to look: its template, its size, and the colours that follow from them.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias, cast

import plotly.graph_objects as go

from convergekit.errors import ConvergekitError, did_you_mean

#: What `template=` of a figure takes: "auto", "light", "dark", a name that plotly knows, or one of
#: plotly's templates.
Template: TypeAlias = str | go.layout.Template

# Hues near Okabe and Ito's, told apart with any common colour vision, and each with the contrast
# that marks need, on white as on the dark pages of notebooks (found by a search over both).
COLOURS = ("#0072B2", "#B78A1C", "#15A867", "#A1517B", "#2495FF", "#CF5044")
FONT = "system-ui, -apple-system, Segoe UI, Roboto, DejaVu Sans, sans-serif"
_LEAST, _MOST = 100, 10_000


@dataclass(frozen=True)
class Look:
    """The colours of one template.

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
    cells : tuple of str
        The least and the greatest of a colour scale on all of which `cell_ink` can be read.
    cell_ink : str
        Text on `cells`.
    """

    paper: str
    ink: str
    muted: str
    quiet: str
    faint: str
    cells: tuple[str, str]
    cell_ink: str


LIGHT = Look(
    "#ffffff", "#24292f", "#59636e", "#8c959f", "#e4e8ec", ("#e4e8ec", "#56B4E9"), "#24292f"
)
DARK = Look(
    "#0d1117", "#e6edf3", "#9ba5b0", "#768390", "#2a313a", ("#2a313a", "#0069A6"), "#e6edf3"
)
#: That of a figure that follows the page. Its paper is the page's. Its ink and its muted stand for
#: the page's own colour of text, which `convergekit.figures.following` puts in their place; they
#: can be read on black and on white, should anything be left of them.
AUTO = Look(
    "rgba(0,0,0,0)",
    "#767677",
    "#777776",
    "#8c959f",
    "rgba(128,136,144,0.22)",
    LIGHT.cells,
    LIGHT.cell_ink,
)
#: In the layout of a template: what marks a figure that follows the page.
FOLLOWS = "convergekit: follows the page"
_LOOKS = {"auto": AUTO, "light": LIGHT, "dark": DARK}


@dataclass(frozen=True)
class Style:
    """What `plot` was asked for: a template and a size.

    Attributes
    ----------
    template : str or plotly.graph_objects.layout.Template
    width, height : int, optional
        Pixels. Without a width a figure is as wide as its page; without a height it is as high as
        what it shows.

    Examples
    --------
    >>> Style("dark").look.paper, Style("plotly_white", width=300).look.ink
    ('#0d1117', '#2a3f5f')
    """

    template: Template = "auto"
    width: int | None = None
    height: int | None = None

    def __post_init__(self) -> None:
        """Raise unless figures can be drawn so."""
        for option, given in (("width", self.width), ("height", self.height)):
            whole = isinstance(given, int) and not isinstance(given, bool)
            if given is not None and not (whole and _LEAST <= given <= _MOST):
                raise ConvergekitError(
                    f"{option} must be pixels, a whole number from {_LEAST} to {_MOST:,}; "
                    f"got {given!r}."
                )
        if self._house is None:
            _of_plotly(self.template)

    @property
    def _house(self) -> Look | None:
        return _LOOKS.get(self.template) if isinstance(self.template, str) else None

    @cached_property
    def look(self) -> Look:
        """The colours."""
        return self._house or _look_of(_of_plotly(self.template))

    @cached_property
    def of_plotly(self) -> go.layout.Template:
        """The template as plotly takes it: the house's layout in these colours."""
        if self._house is not None:
            return _house(self._house)
        given = _of_plotly(self.template).to_plotly_json()
        house = _house(self.look).to_plotly_json()["layout"]
        return go.layout.Template(
            data=given.get("data", {}),
            layout=_laid_over(house, given.get("layout", {}), house),
        )


#: What `plot` is asked for if nothing else is said.
USUAL = Style()


def faded(colour: str, opacity: float) -> str:
    """Return a colour that lets the paper through.

    Parameters
    ----------
    colour : str
        ``#rrggbb`` or ``rgb(...)``; any other is returned as it is.
    opacity : float

    Examples
    --------
    >>> faded("#0072B2", 0.2), faded("rgb(1, 2, 3)", 0.5)
    ('rgba(0, 114, 178, 0.2)', 'rgba(1, 2, 3, 0.5)')
    """
    channels = _channels(colour)
    if channels is None:
        return colour
    return f"rgba({', '.join(map(str, channels))}, {opacity})"


def _channels(colour: str) -> tuple[int, int, int] | None:
    if re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
        return red, green, blue
    found = re.fullmatch(r"rgb\(\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*\)", colour)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def _of_plotly(template: Any) -> go.layout.Template:
    """Return the template that plotly knows by a name, or raise."""
    import plotly.io

    if isinstance(template, go.layout.Template):
        return template
    known = list(plotly.io.templates)
    named = template.split("+") if isinstance(template, str) else []
    if not named or not all(name in known for name in named):
        raise ConvergekitError(
            f"template must be one of {', '.join(map(repr, _LOOKS))}, the name of one of plotly's "
            f"templates or a plotly.graph_objects.layout.Template; got {template!r}."
            f"{did_you_mean(template, [*_LOOKS, *known])}"
        )
    return cast("go.layout.Template", plotly.io.templates[template])


def _look_of(template: go.layout.Template) -> Look:
    """Return the colours of a template that is not ours, ours where it has none."""
    layout = template.layout
    paper = layout.paper_bgcolor or LIGHT.paper
    near = DARK if _is_dark(paper) else LIGHT
    ink = layout.font.color or near.ink
    faint = faded(layout.xaxis.gridcolor or near.faint, 1.0)
    plot = layout.plot_bgcolor
    # Where the plot has a colour of its own, its grid may be white: too faint for an area on paper.
    faint = near.faint if plot and plot.lower() not in (paper.lower(), "white") else faint
    return replace(near, paper=paper, ink=ink, muted=ink, faint=faint)


def _is_dark(colour: str) -> bool:
    names = {"black": (0, 0, 0)}
    channels = _channels(colour) or names.get(colour.lower(), (255, 255, 255))
    return sum(channels) < 3 * 128


def _house(look: Look) -> go.layout.Template:
    """Return the layout that all figures share, in these colours."""
    axis = {
        # Labels take the room that they need, or they would be cut off.
        "automargin": True,
        "gridcolor": look.faint,
        "linecolor": look.quiet,
        "zerolinecolor": look.faint,
        "tickfont": {"color": look.ink},
        "title": {"standoff": 12, "font": {"color": look.muted, "size": 13}},
        "ticklabelstandoff": 4,
    }
    # A card of its own: the colour of text on the page is not known where it follows the page.
    card = LIGHT if look is AUTO else look
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 13, "color": look.ink},
            "title": {
                "x": 0,
                "xref": "container",
                "xanchor": "left",
                "y": 1,
                "yref": "container",
                "yanchor": "top",
                "pad": {"t": 14, "l": 16},
                "font": {"size": 16},
                "subtitle": {"font": {"size": 13, "color": look.muted}},
            },
            "colorway": list(COLOURS),
            "paper_bgcolor": look.paper,
            "plot_bgcolor": look.paper,
            "meta": FOLLOWS if look is AUTO else None,
            "margin": {"l": 16, "r": 16, "t": 64, "b": 16},
            "xaxis": axis,
            "yaxis": axis,
            "legend": {"title": {"font": {"color": look.muted}}, "bgcolor": "rgba(0,0,0,0)"},
            "hoverlabel": {
                "font": {"family": FONT, "color": card.ink},
                "bgcolor": card.paper,
                "bordercolor": card.quiet,
                "align": "left",
            },
        }
    )


def _laid_over(under: dict[str, Any], over: dict[str, Any], kept: dict[str, Any]) -> dict[str, Any]:
    """Return the house's layout with a template's over it, but for where things are put."""
    merged = {**under}
    for name, value in over.items():
        if isinstance(value, dict) and isinstance(merged.get(name), dict):
            merged[name] = _laid_over(merged[name], value, kept.get(name, {}))
        else:
            merged[name] = value
    # Room is measured for these places, and labels without it would be cut.
    for name in ("x", "xref", "xanchor", "y", "yref", "yanchor", "pad", "automargin", "margin"):
        if name in kept:
            merged[name] = kept[name]
    return merged

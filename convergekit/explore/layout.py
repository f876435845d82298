"""How the explorers arrange what is chosen beside what is shown.

Importing this module imports ipywidgets, which `import convergekit` alone does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import ipywidgets as widgets

from convergekit.explore import display as show
from convergekit.explore.style import STYLE

#: As wide as there is room.
WIDE = {"width": "auto"}
#: What is chosen, beside what is shown; below each other where there is no room.
CONTROLS = {"flex": "1 1 16rem", "min_width": "14rem", "max_width": "22rem"}
RESULTS = {"flex": "3 1 26rem", "min_width": "0"}
BESIDE = {"display": "flex", "flex_flow": "row wrap", "grid_gap": "0 1rem"}
#: Of a figure that does not say it, in pixels: plotly's own.
_USUAL_HEIGHT = 450

_Field = TypeVar("_Field", bound=widgets.Widget)


def side_by_side(controls: widgets.VBox, results: widgets.VBox) -> widgets.VBox:
    """Return controls and results next to each other, with the explorers' look."""
    for part in (controls, results):
        part.add_class("ck-part")
    return widgets.VBox([look(), widgets.Box([controls, results], layout=BESIDE)])


def foldable(
    title: str, controls: Sequence[widgets.Widget], results: Sequence[widgets.Widget]
) -> widgets.Box:
    """Return controls beside results; where it is narrow, a button of this title opens them."""
    side = widgets.VBox(list(controls), layout=CONTROLS)
    side.add_class("ck-side")
    shown = widgets.VBox(list(results), layout=RESULTS)
    for part in (side, shown):
        part.add_class("ck-part")
    return widgets.Box([folding(title, side), side, shown], layout=BESIDE)


def folding(title: str, *parts: widgets.Widget) -> widgets.ToggleButton:
    """Return a button that opens and closes parts that are folded away where it is narrow."""
    button = widgets.ToggleButton(description=title, icon="sliders", layout={"width": "auto"})
    button.add_class("ck-fold")
    for part in parts:
        part.add_class("ck-folds")

    def turned(change: Any) -> None:
        for part in parts:
            (part.add_class if change["new"] else part.remove_class)("ck-open")

    button.observe(turned, "value")
    return button


def look() -> widgets.HTML:
    """Return what gives a page the explorers' look."""
    return widgets.HTML(STYLE, layout={"display": "none"})


def field(label: str, control: _Field) -> _Field:
    """Return a control with its label above it."""
    control.description = label
    control.style.description_width = "auto"
    control.layout.width = "auto"
    control.add_class("ck-field")
    return control


def picks(label: str, options: Sequence[tuple[str, Any]], value: Any) -> widgets.ToggleButtons:
    """Return a row of buttons of which one is pressed."""
    row = widgets.ToggleButtons(options=options, value=value, layout=dict(WIDE))
    row.style.button_width = "auto"
    row.tooltips = [f"{label}: {text}" for text, _ in options]
    return row


def small_button(icon: str, name: str, *, disabled: bool = False) -> widgets.Button:
    """Return a button that shows an icon alone; who does not see it is told its name."""
    button = widgets.Button(
        description=name,
        icon=icon,
        tooltip=name,
        disabled=disabled,
        layout={"width": "2.2rem", "flex": "none"},
    )
    button.add_class("ck-icon")
    return button


def offer(chooser: widgets.Select | widgets.Dropdown, options: Sequence[tuple[str, Any]]) -> None:
    """Put options to choose from, and choose the first."""
    chooser.options = options
    # A chooser that had nothing chosen keeps it so by itself.
    chooser.index = 0 if options else None


def chosen_by(control: widgets.Widget, take: Callable[[Any], None]) -> None:
    """Hand on what a person chooses."""
    control.observe(lambda change: take(change["new"]), "value")


def chart() -> widgets.Output:
    """Return a place for figures."""
    return widgets.Output(layout={"width": "auto"})


def draw(place: widgets.Output, *figures: Any) -> None:
    """Show figures in place of those before; the page does not jump meanwhile."""
    heights = [figure.layout.height or _USUAL_HEIGHT for figure in figures]
    place.layout.min_height = f"{sum(heights)}px" if heights else "0"
    place.layout.display = None if heights else "none"
    place.outputs = show.figure_outputs(*figures)

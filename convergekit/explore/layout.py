"""How the explorers arrange what is chosen beside what is shown.

Importing this module imports ipywidgets, which `import convergekit` alone does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets as widgets

from convergekit.explore import display as show

#: As wide as there is room.
WIDE = {"width": "auto"}
#: What is chosen, beside what is shown; below each other where there is no room.
CONTROLS = {"flex": "1 1 17rem", "min_width": "15rem", "max_width": "26rem"}
RESULTS = {"flex": "3 1 26rem", "min_width": "0"}


def side_by_side(controls: widgets.VBox, results: widgets.VBox) -> widgets.VBox:
    """Return controls and results next to each other, with the explorers' look."""
    for part in (controls, results):
        part.add_class("ck-part")
    beside = {"display": "flex", "flex_flow": "row wrap", "grid_gap": "0 1rem"}
    both = widgets.Box([controls, results], layout=beside)
    return widgets.VBox([widgets.HTML(show.STYLE, layout={"display": "none"}), both])


def small_button(icon: str, tooltip: str, *, disabled: bool = False) -> widgets.Button:
    """Return a button that is an icon alone; its tooltip names it."""
    return widgets.Button(
        icon=icon, tooltip=tooltip, disabled=disabled, layout={"width": "2.2rem", "flex": "none"}
    )


def offer(chooser: widgets.Select | widgets.Dropdown, options: Sequence[tuple[str, Any]]) -> None:
    """Put options to choose from, and choose the first."""
    chooser.options = options
    # A chooser that had nothing chosen keeps it so by itself.
    chooser.index = 0 if options else None

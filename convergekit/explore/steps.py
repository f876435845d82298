"""Choose the steps of a funnel: find events by name, add them, move them, remove them.

Importing this module imports ipywidgets, which `import convergekit` alone does not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
import pandas as pd

from convergekit.base.wording import shortened
from convergekit.explore import display as show
from convergekit.explore.layout import WIDE, field, small_button

#: So many event names can be clicked; a search finds the others.
MOST_NAMES = 30
_LIST = {"width": "auto", "max_height": "11rem", "overflow": "hidden auto"}


class StepsEditor:
    """The list of steps, and that of events to add.

    Parameters
    ----------
    counts : pandas.Series
        How many events go by each name, most first.
    steps : tuple of str
        The steps to begin with.
    take : callable
        Called with the steps after each change.

    Attributes
    ----------
    steps : list of str
    parts : list of ipywidgets.Widget
    """

    def __init__(
        self, counts: pd.Series, steps: tuple[str, ...], take: Callable[[list[str]], None]
    ) -> None:
        self._counts, self._take = counts, take
        self.steps: list[str] = list(steps)
        self._named: list[str] = []
        self.search: widgets.Text = field(
            "Add a step: find events by name", widgets.Text(placeholder="a part of the name")
        )
        buttons = [self._name_button() for _ in range(min(MOST_NAMES, len(counts)))]
        self.names: widgets.VBox = widgets.VBox(buttons, layout=_LIST)
        self.rows: widgets.VBox = widgets.VBox(layout=WIDE)
        self.listed: widgets.HTML = widgets.HTML()
        self.parts: list[widgets.Widget] = [
            widgets.HTML(show.heading("Steps, in order")),
            self.rows,
            self.search,
            self.names,
            self.listed,
        ]
        self.search.observe(self._find, "value")
        self._find()
        self._show_steps()

    def _find(self, _: Any = None) -> None:
        found = self._counts
        if self.search.value.strip():
            names = found.index.astype("str")
            found = found[names.str.contains(self.search.value.strip(), case=False, regex=False)]
        listed = found.head(MOST_NAMES)
        for place, button in enumerate(self.names.children):
            button.layout.display = None if place < len(listed) else "none"
            if place < len(listed):
                name = str(listed.index[place])
                button.description = f"{shortened(name, 40)} ({listed.iloc[place]:,})"
                button.tooltip = f"Add the step {name}"
        self._named = listed.index.tolist()
        more = show.listed_of(len(listed), len(found), "event name", "search to narrow them")
        self.listed.value = show.hint(more if len(found) else "No event name contains this.")

    def _name_button(self) -> widgets.Button:
        # A button for each name, and not a list with one button: while the kernel is busy a
        # notebook holds choices back, but no clicks, and the step before would be added again.
        button = widgets.Button(icon="plus", layout={"width": "auto", "flex": "none"})
        button.add_class("ck-name")
        button.on_click(self._add)
        return button

    def _add(self, button: widgets.Button) -> None:
        self._set([*self.steps, self._named[self.names.children.index(button)]])

    def _change(self, seen: list[str], steps: list[str]) -> None:
        """Take other steps, if the row that was clicked is still of the steps there are."""
        if seen is self.steps:
            self._set(steps)

    def _set(self, steps: list[str]) -> None:
        self.steps = steps
        self._show_steps()
        self._take(steps)

    def _show_steps(self) -> None:
        self.rows.children = [self._row(place) for place in range(len(self.steps))]
        if not self.steps:
            self.rows.children = [
                widgets.HTML(show.hint("Click the events of the funnel, the first one first."))
            ]

    def _row(self, place: int) -> widgets.HBox:
        name = shortened(self.steps[place], 40)
        label = widgets.Label(f"{place + 1}. {name}", layout={"flex": "1 1 auto", "min_width": "0"})
        last = len(self.steps) - 1
        up = small_button("arrow-up", f"Move {name} up", disabled=place == 0)
        down = small_button("arrow-down", f"Move {name} down", disabled=place == last)
        out = small_button("times", f"Remove {name}")
        seen = self.steps
        up.on_click(lambda _: self._change(seen, _swapped(seen, place - 1)))
        down.on_click(lambda _: self._change(seen, _swapped(seen, place)))
        out.on_click(lambda _: self._change(seen, seen[:place] + seen[place + 1 :]))
        return widgets.HBox([label, up, down, out], layout=WIDE)


def _swapped(steps: list[str], place: int) -> list[str]:
    """Return the steps with one and the next exchanged."""
    changed = list(steps)
    changed[place], changed[place + 1] = changed[place + 1], changed[place]
    return changed

"""The explorer's funnel tab: choose steps, window, breakdown and filter; see result and code.

Importing this module imports ipywidgets, which `import convergekit` alone does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import pandas as pd

from convergekit.base.wording import counted, shortened
from convergekit.errors import ConvergekitError
from convergekit.events.amounts import events_named
from convergekit.events.schema import PROFILE, PROPERTY
from convergekit.events.steps import Step, tracked
from convergekit.explore import display as show
from convergekit.explore.layout import CONTROLS, RESULTS, WIDE, offer, side_by_side, small_button
from convergekit.explore.work import Work

if TYPE_CHECKING:
    from convergekit.figures.style import Template
    from convergekit.funnels.result import Funnel
    from convergekit.stitched import Stitched

#: The conversion windows to choose from, as people read them and as `funnel` takes them.
WINDOWS = {
    "10 minutes": "10min",
    "30 minutes": "30min",
    "1 hour": "1h",
    "6 hours": "6h",
    "1 day": "1D",
    "3 days": "3D",
    "7 days": "7D",
    "14 days": "14D",
    "30 days": "30D",
    "60 days": "60D",
    "90 days": "90D",
}
#: So many event names can be clicked; a search finds the others.
MOST_NAMES = 30
#: A breakdown shows so many labels, and the rest as one.
MOST_LABELS = 6

_PLAIN = frozenset({"string", "boolean", "integer", "floating", "empty"})


class FunnelExplorer:
    """The funnel tab.

    Parameters
    ----------
    s : Stitched
    name : str
        What the code calls it.

    Attributes
    ----------
    box : ipywidgets.VBox
    steps : list of str
        The event names chosen so far.
    result : Funnel or None
        What is shown.
    """

    def __init__(self, s: Stitched, name: str, template: Template) -> None:
        self._s, self._name, self._template = s, name, template
        self.steps: list[str] = []
        self._named: list[str] = []
        self.result: Funnel | None = None
        names = s.events["event_name"][tracked(s.events)].dropna()
        self._counts: pd.Series = (
            names.value_counts().sort_index().sort_values(ascending=False, kind="stable")
        )
        self._work = Work("Counting the funnel…", self._count, self._clear)
        self._values = Work("Listing its values…", self._offer_values, self._any_value)
        self.search = widgets.Text(placeholder="Search event names", layout=WIDE)
        self.names = widgets.VBox([self._name_button() for _ in range(MOST_NAMES)], layout=_LIST)
        self.rows = widgets.VBox(layout=WIDE)
        self.window = widgets.SelectionSlider(
            options=WINDOWS, value="7D", continuous_update=False, layout=WIDE
        )
        carried = [c for c in map(str, s.events.columns) if c.startswith(PROFILE)]
        filtering = [c for c in map(str, s.events.columns) if c.startswith((PROPERTY, PROFILE))]
        self.breakdown = _dropdown("no breakdown", carried)
        self.where = _dropdown("every event", filtering)
        self.value = widgets.Dropdown(options=[("any value", _ANY)], layout=WIDE)
        self.listed = widgets.HTML()
        self.figure = widgets.Output(layout=WIDE)
        self.table = widgets.HTML(layout=WIDE)
        self.code = widgets.HTML(layout=WIDE)
        self.box = self._arranged()
        self._listen()
        self._find()
        self._show_steps()

    @property
    def status(self) -> widgets.HTML:
        """Says that the funnel is being counted, or what went wrong."""
        return self._work.status

    def source(self) -> str:
        """Return the Python code that gives the same funnel."""
        sources = self._step_sources()
        steps = f"[{', '.join(sources)}]"
        if len(steps) > _LONG_LINE:
            steps = "".join(["[\n", *(f"        {source},\n" for source in sources), "    ]"])
        arguments = [steps, f"within={self.window.value!r}"]
        if self.breakdown.value:
            arguments += [f"by={self.breakdown.value!r}", f"top={MOST_LABELS}"]
        lines = "".join(f"    {argument},\n" for argument in arguments)
        needed = "import convergekit as ck\n\n" if self._condition() else ""
        dark = show.template_of(self._template)
        return f"{needed}f = {self._name}.funnel(\n{lines})\nf.plot({dark}).show()\nf.table"

    def _arranged(self) -> widgets.VBox:
        controls = widgets.VBox(
            [
                widgets.HTML(show.heading("Add steps")),
                self.search,
                self.names,
                self.listed,
                widgets.HTML(show.heading("Steps, in order")),
                self.rows,
                widgets.HTML(show.heading("Conversion window")),
                self.window,
                widgets.HTML(show.heading("Breakdown")),
                self.breakdown,
                widgets.HTML(show.heading("First step only where")),
                self.where,
                self.value,
                self._values.status,
            ],
            layout=CONTROLS,
        )
        results = widgets.VBox([self.status, self.figure, self.table, self.code], layout=RESULTS)
        return side_by_side(controls, results)

    def _listen(self) -> None:
        self.search.observe(self._find, "value")
        self.window.observe(self._work.soon, "value")
        self.breakdown.observe(self._work.soon, "value")
        self.where.observe(self._values.now, "value")
        self.value.observe(self._work.soon, "value")

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
        self._set_steps([*self.steps, self._named[self.names.children.index(button)]])

    def _change(self, seen: list[str], steps: list[str]) -> None:
        """Take other steps, if the row that was clicked is still of the steps there are."""
        if seen is self.steps:
            self._set_steps(steps)

    def _set_steps(self, steps: list[str]) -> None:
        first_changed = steps[:1] != self.steps[:1]
        self.steps = steps
        self._show_steps()
        if first_changed and self.where.value:
            self._values.now()
        else:
            self._work.soon()

    def _show_steps(self) -> None:
        self.rows.children = [self._row(place) for place in range(len(self.steps))]
        if not self.steps:
            self.rows.children = [
                widgets.HTML(show.hint("Click the events of the funnel, the first one first."))
            ]

    def _row(self, place: int) -> widgets.HBox:
        label = widgets.Label(
            f"{place + 1}. {shortened(self.steps[place], 40)}",
            layout={"flex": "1 1 auto", "min_width": "0"},
        )
        up = small_button("arrow-up", "Move up", disabled=place == 0)
        down = small_button("arrow-down", "Move down", disabled=place == len(self.steps) - 1)
        out = small_button("times", "Remove")
        seen = self.steps
        up.on_click(lambda _: self._change(seen, _swapped(seen, place - 1)))
        down.on_click(lambda _: self._change(seen, _swapped(seen, place)))
        out.on_click(lambda _: self._change(seen, seen[:place] + seen[place + 1 :]))
        return widgets.HBox([label, up, down, out], layout=WIDE)

    def _offer_values(self) -> str | None:
        """List the values that the first step's events have of the property."""
        self._any_value()
        if not self.where.value or not self.steps:
            return None
        values = self._values_of(self.where.value)
        listed = values.head(show.MOST_OPTIONS)
        self.value.options = [
            *self.value.options,
            *((f"{shortened(v, show.MOST_LETTERS)} ({n:,})", v) for v, n in listed.items()),
        ]
        if values.empty:
            return f"No {self.steps[0]} has a value of it."
        return show.listed_of(len(listed), len(values), "value", "code can name them all")

    def _any_value(self) -> None:
        offer(self.value, [("any value", _ANY)])
        self._work.soon()

    def _values_of(self, column: str) -> pd.Series:
        at = events_named(self._s.events, self.steps[0])
        values = self._s.events[column].iloc[at].dropna()
        if pd.api.types.infer_dtype(values, skipna=True) not in _PLAIN:
            raise ConvergekitError(
                f"{column} holds something other than plain text or numbers; choose another "
                "property, or give ck.Step(..., where=a function) in code."
            )
        counts = values.astype(object).value_counts()
        return counts.sort_values(ascending=False, kind="stable")

    def _condition(self) -> dict[str, Any] | None:
        if not self.where.value or self.value.value is _ANY:
            return None
        return {self.where.value: self.value.value}

    def _step_sources(self) -> list[str]:
        sources = [repr(name) for name in self.steps]
        condition = self._condition()
        if condition and sources:
            sources[0] = f"ck.Step({sources[0]}, where={condition!r})"
        return sources

    def _count(self) -> str | None:
        if not self.steps:
            self._clear()
            return "Nothing to count yet: add a step."
        steps: list[Any] = list(self.steps)
        condition = self._condition()
        if condition:
            steps[0] = Step(steps[0], where=condition)
        by = self.breakdown.value
        self.result = self._s.funnel(
            steps,
            within=self.window.value,
            by=by or (),
            top=MOST_LABELS if by else None,
        )
        self.figure.outputs = show.figure_outputs(self.result.plot(template=self._template))
        self.table.value = show.heading("Table") + show.framed(self.result._repr_html_())
        self.code.value = show.heading("The code of this funnel") + show.code(self.source())
        if not self.result.left_out:
            return None
        return counted(
            self.result.left_out,
            "event of these steps has no profile and is left out.",
            "events of these steps have no profile and are left out.",
        )

    def _clear(self) -> None:
        self.result = None
        self.figure.outputs = ()
        self.table.value = self.code.value = ""


_LONG_LINE = 60
_LIST = {"width": "auto", "max_height": "13rem", "overflow": "hidden auto"}
# Choosers take None for nothing chosen at all, and then show nothing.
_NO_PROPERTY = ""
_ANY: tuple[()] = ()


def _dropdown(nothing: str, columns: list[str]) -> widgets.Dropdown:
    listed = [(shortened(name, show.MOST_LETTERS), name) for name in columns[: show.MOST_OPTIONS]]
    more = show.listed_of(len(listed), len(columns), "property", "code can name them all")
    first = f"{nothing} ({more})" if more else nothing
    return widgets.Dropdown(options=[(first, _NO_PROPERTY), *listed], layout=WIDE)


def _swapped(steps: list[str], place: int) -> list[str]:
    """Return the steps with one and the next exchanged."""
    changed = list(steps)
    changed[place], changed[place + 1] = changed[place + 1], changed[place]
    return changed

"""The funnel tab: choose steps, window and filter; brush a bar; see result and code.

Importing this module imports ipywidgets, which `import convergekit` alone does not.
"""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

from convergekit.base.wording import counted, shortened
from convergekit.certainty.wording import in_words
from convergekit.errors import ConvergekitError
from convergekit.explore import display as show
from convergekit.explore.brush import EVERYBODY, Brush, bars_of
from convergekit.explore.layout import WIDE, chart, chosen_by, draw, field, foldable, offer
from convergekit.explore.model import Model, code_of
from convergekit.explore.offered import as_options
from convergekit.explore.steps import StepsEditor
from convergekit.explore.work import Work
from convergekit.funnels.result import Funnel

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
#: Seconds in which nothing was changed before bounds are asked, which keep the kernel busy.
_QUIET = 1.0
#: Of more events they take too long for somebody who waits for another figure.
_MOST_EVENTS = 250_000
# Choosers take None for nothing chosen at all, and then show nothing.
_EVERY_EVENT = ""
_ANY: tuple[()] = ()


class FunnelExplorer:
    """The funnel tab.

    Parameters
    ----------
    model : Model

    Attributes
    ----------
    box : ipywidgets.Box
    result : Funnel or None
        What is shown.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self.result: Funnel | None = None
        self._sure_of: Funnel | None = None
        self.work: Work = Work("Counting the funnel…", self._count, self._clear, self._key)
        self._values = Work("Listing its values…", self._offer_values, self._any_value)
        state = model.state.funnel
        self.steps: StepsEditor = StepsEditor(model.counts, model.steps, self._take_steps)
        windows = dict(WINDOWS)
        if state.within not in windows.values():
            windows[state.within] = state.within
        self.window: widgets.Dropdown = field(
            "Conversion window",
            widgets.Dropdown(options=list(windows.items()), value=state.within),
        )
        self.where: widgets.Dropdown = field(
            "First step only where", _property_chooser(model.properties)
        )
        self.value: widgets.Dropdown = field("is", widgets.Dropdown(options=[("any value", _ANY)]))
        self.sure: Work = Work(
            "Looking how sure it is…", self._ask_bounds, self._unsure, pause=_QUIET
        )
        self.intervals: widgets.HTML = widgets.HTML(layout=WIDE)
        self.brush: Brush = Brush(
            "Whom the other tabs are about:", lambda bar: model.change(bar=bar)
        )
        self.figure: widgets.Output = chart()
        self.table: widgets.HTML = widgets.HTML(layout=WIDE)
        self.code: widgets.HTML = widgets.HTML(layout=WIDE)
        self.box: widgets.Box = foldable(
            "Steps, window and filter",
            [*self.steps.parts, self.window, self.where, self.value, self._values.status],
            [
                *(self.work.status, self.figure, self.brush.box),
                *(self.intervals, self.sure.status, self.table, self.code),
            ],
        )
        self._restore()
        chosen_by(self.window, lambda within: model.change_part("funnel", within=within))
        chosen_by(self.where, lambda _: self._values.now())
        chosen_by(self.value, lambda _: self._take_filter())

    @property
    def status(self) -> widgets.HTML:
        """Says that the funnel is being counted, or what went wrong."""
        return self.work.status

    def source(self) -> str:
        """Return the Python code that gives the same funnel."""
        dark = show.template_of(self._model.template)
        lines = self._model.funnel_lines(period=True)
        return code_of(*lines, f"f.plot({dark}).show()", "f.table")

    def refresh(self) -> None:
        """Answer, if what the answer depends on has changed."""
        self.work.refresh()
        self._later()

    def _key(self) -> str:
        return self._model.key("funnel", bar=False) + repr(self._model.state.bar)

    def _restore(self) -> None:
        """Show the filter that the state has."""
        condition = self._model.state.funnel.where
        self._show_value_chooser()
        if condition is None:
            return
        name, value = condition
        self.where.value = name
        self._values.now()
        if value not in [one for _, one in self.value.options]:
            self.value.options = [*self.value.options, (shortened(value, 60), value)]
        self.value.value = value

    def _take_steps(self, steps: list[str]) -> None:
        first_changed = tuple(steps[:1]) != self._model.steps[:1]
        where = None if first_changed else self._model.state.funnel.where
        self._model.change_part("funnel", steps=tuple(steps), where=where)
        if first_changed and self.where.value:
            self._values.now()

    def _take_filter(self) -> None:
        is_asked = self.where.value and self.value.value is not _ANY
        where = (self.where.value, self.value.value) if is_asked else None
        self._model.change_part("funnel", where=where)

    def _offer_values(self) -> str | None:
        """List the values that the first step's events have of the property."""
        self._any_value()
        self._show_value_chooser()
        name, steps = self.where.value, self._model.steps
        if not name or not steps:
            return None
        values = self._model.offered.values("events", name, steps[0])
        self.value.options = [*self.value.options, *as_options(values)]
        if not values.total:
            return f"No {steps[0]} has a value of it."
        return show.listed_of(len(values.counts), values.total, "value", "code can name them all")

    def _any_value(self) -> None:
        offer(self.value, [("any value", _ANY)])

    def _show_value_chooser(self) -> None:
        self.value.layout.display = None if self.where.value else "none"

    def _count(self) -> str | None:
        model = self._model
        if not model.steps:
            self._clear()
            return "Nothing to count yet: add a step."
        funnel = model.funnel(period=True)
        if self.result is not funnel:
            self.result = funnel
            draw(self.figure, funnel.plot(template=model.template))
            self.table.value = show.heading("All numbers") + show.framed(funnel._repr_html_())
            self._unsure()
        self.brush.offer(bars_of(model, funnel), model.state.bar)
        self.code.value = show.heading("The code of this funnel") + show.code(self.source())
        self._later()
        return " ".join(filter(None, [self._suggested(), self._left_out(funnel)]))

    def _later(self) -> None:
        """Ask how sure it is, when nothing was chosen for a while: figures come first."""
        if self._sure_of is not self.result:
            self.sure.soon()

    def _ask_bounds(self) -> str | None:
        """Show how far the funnel is from that of the people, or return why it is not known."""
        if self.result is None or self._model.state.tab != "funnel":
            return None
        self._sure_of = self.result
        if self._model.counts.sum() > _MOST_EVENTS:
            return (
                f"How sure is it? Of more than {_MOST_EVENTS:,} events, ask f.bounds() in a cell."
            )
        try:
            bounds = self._model.bounds()
        except ConvergekitError as error:
            return f"How far this is from the share of the people is not known: {error}"
        self.intervals.value = "".join(
            [
                show.heading("How sure is it"),
                show.hint(" ".join([*bounds.in_short, "In code: f.bounds()"])),
                show.table(in_words(bounds.table), "Shares and their intervals"),
            ]
        )
        return None

    def _unsure(self) -> None:
        self._sure_of = None
        self.intervals.value = self.sure.status.value = ""

    def _suggested(self) -> str:
        suggestion = self._model.suggestion
        return suggestion.said if self._model.steps == suggestion.steps else ""

    def _left_out(self, funnel: Funnel) -> str:
        if not funnel.left_out:
            return ""
        return counted(
            funnel.left_out,
            "event of these steps has no profile and is left out.",
            "events of these steps have no profile and are left out.",
        )

    def _clear(self) -> None:
        self.result = None
        draw(self.figure)
        self.brush.offer([EVERYBODY], None)
        self.table.value = self.code.value = ""
        self._unsure()


def _property_chooser(columns: list[str]) -> widgets.Dropdown:
    listed: list[tuple[str, Any]] = [
        (shortened(name, show.MOST_LETTERS), name) for name in columns[: show.MOST_OPTIONS]
    ]
    more = show.listed_of(len(listed), len(columns), "property", "code can name them all")
    first = f"every event ({more})" if more else "every event"
    return widgets.Dropdown(options=[(first, _EVERY_EVENT), *listed], value=_EVERY_EVENT)

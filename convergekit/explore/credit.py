"""The credit of channels: which visits before an order get the credit for it.

Importing this module imports ipywidgets, which `import convergekit` alone does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from convergekit.events.schema import PROFILE
from convergekit.events.steps import Step
from convergekit.explore import display as show
from convergekit.explore.layout import WIDE, chart, draw
from convergekit.explore.model import Model, code_of

if TYPE_CHECKING:
    from convergekit.attribution.result import Attribution

_OF_VISITS = " · of the visit"


class CreditAnswer:
    """The credit of channels, or of what the breakdown says of a visit.

    Attributes
    ----------
    boxes : list of ipywidgets.Widget
    result : Attribution or None
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self.result: Attribution | None = None
        self.figure: widgets.Output = chart()
        self.table: widgets.HTML = widgets.HTML(layout=WIDE)
        self.code: widgets.HTML = widgets.HTML(layout=WIDE)
        self.boxes: list[widgets.Widget] = [self.figure, self.table, self.code]

    def show(self) -> str:
        """Ask, and show what comes of it."""
        model, asked = self._model, self._model.state.channels
        who = model.who(bar=True)
        lacking = model.lacks(who, asked.conversion)
        if lacking:
            self.clear()
            return lacking
        conversion: Any = asked.conversion
        moments = model.moments(period=True)
        if moments:
            conversion = Step(conversion, where=moments)
        found = who.s.attribution(
            conversion,
            asked.value or None,
            asked.model,
            asked.lookback,
            by=self._by(),
            visits=asked.visits,
        )
        self.result = found
        draw(self.figure, found.plot(template=model.template))
        self.table.value = show.heading("All numbers") + show.framed(found._repr_html_())
        self.code.value = show.heading("The code of this answer") + show.code(self.source())
        return self._said()

    def source(self) -> str:
        """Return the Python code that gives the same."""
        model, asked = self._model, self._model.state.channels
        who = model.who(bar=True)
        given = [conversion_source(model)]
        given += [f"value={asked.value!r}"] if asked.value else []
        given += [f"model={asked.model!r}", f"lookback={asked.lookback!r}", f"by={self._by()!r}"]
        given += [f"visits={asked.visits!r}"] if asked.visits != "convergekit" else []
        dark = show.template_of(model.template)
        call = f"credit = {who.name}.attribution({', '.join(given)})"
        return code_of(*who.lines, call, f"credit.plot({dark}).show()", "credit")

    def clear(self) -> None:
        """Take away what was shown."""
        self.result = None
        draw(self.figure)
        self.table.value = self.code.value = ""

    def _by(self) -> str:
        """Return the breakdown if a visit says it, or else the channel."""
        by = self._model.state.breakdown
        is_of_visits = by is not None and self._model.breakdowns[by].endswith(_OF_VISITS)
        return by.removeprefix(PROFILE) if by is not None and is_of_visits else "channel"

    def _said(self) -> str:
        by = self._model.state.breakdown
        if by is None or by.removeprefix(PROFILE) == self._by():
            return ""
        return f"Visits get the credit, and {by} is not of a visit: shown by channel instead."


def conversion_source(model: Model) -> str:
    """Return what code asks about: the conversion, within the dates if there are any."""
    name, moments = model.state.channels.conversion, model.moments(period=True)
    return f"ck.Step({name!r}, where={moments!r})" if moments else repr(name)

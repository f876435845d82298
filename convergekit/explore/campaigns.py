"""Conversions without a campaign: which have one, and why the others do not.

Importing this module imports ipywidgets, which `import convergekit` alone does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from convergekit.events.steps import Step
from convergekit.explore import display as show
from convergekit.explore.credit import conversion_source
from convergekit.explore.layout import WIDE, chart, draw
from convergekit.explore.model import Model, code_of

if TYPE_CHECKING:
    from convergekit.attribution.without_campaign import WithoutCampaign

_USUAL_LOOKBACK, _USUAL_VISITS = "30D", "convergekit"


class CampaignAnswer:
    """Why conversions have a campaign, or do not.

    Attributes
    ----------
    boxes : list of ipywidgets.Widget
    result : WithoutCampaign or None
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self.result: WithoutCampaign | None = None
        self.table: widgets.HTML = widgets.HTML(layout=WIDE)
        self.figure: widgets.Output = chart()
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
        found = who.s.without_campaign(conversion, lookback=asked.lookback, visits=asked.visits)
        self.result = found
        shown = found.summary[found.summary["conversions"] > 0]
        self.table.value = show.heading(found.headline) + show.table(shown)
        draw(self.figure, found.plot(template=model.template))
        self.code.value = show.heading("The code of this answer") + show.code(self.source())
        if model.state.breakdown is None:
            return ""
        return "The reasons are those of all conversions together, without the breakdown."

    def source(self) -> str:
        """Return the Python code that gives the same."""
        model, asked = self._model, self._model.state.channels
        who = model.who(bar=True)
        given = [conversion_source(model)]
        given += [f"lookback={asked.lookback!r}"] if asked.lookback != _USUAL_LOOKBACK else []
        given += [f"visits={asked.visits!r}"] if asked.visits != _USUAL_VISITS else []
        dark = show.template_of(model.template)
        call = f"found = {who.name}.without_campaign({', '.join(given)})"
        return code_of(*who.lines, call, f"found.plot({dark}).show()", "found")

    def clear(self) -> None:
        """Take away what was shown."""
        self.result = None
        self.table.value = self.code.value = ""
        draw(self.figure)

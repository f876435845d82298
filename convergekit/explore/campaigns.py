"""The explorer's campaigns tab: which conversions have a campaign, and why the others have none.

Importing this module imports ipywidgets, which `import convergekit` alone does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from convergekit.base.wording import shortened
from convergekit.events.steps import tracked
from convergekit.explore import display as show
from convergekit.explore.layout import CONTROLS, RESULTS, WIDE, offer, side_by_side
from convergekit.explore.work import Work
from convergekit.visits.rules import VISIT_PRESETS

if TYPE_CHECKING:
    from convergekit.attribution.without_campaign import WithoutCampaign
    from convergekit.figures.style import Template
    from convergekit.stitched import Stitched

_USUAL_EVENT = "Placed Order"
_USUAL_LOOKBACK, _USUAL_VISITS = "30D", "convergekit"


class CampaignExplorer:
    """The campaigns tab.

    Parameters
    ----------
    s : Stitched
    name : str
        What the code calls it.

    Attributes
    ----------
    box : ipywidgets.VBox
    result : WithoutCampaign or None
        What is shown.
    """

    def __init__(self, s: Stitched, name: str, template: Template) -> None:
        self._s, self._name, self._template = s, name, template
        self.result: WithoutCampaign | None = None
        self._asking = Work("Looking for campaigns…", self._show, self._clear)
        self._is_loaded = False
        self.event = widgets.Dropdown(layout=WIDE)
        self.lookback = widgets.Text(
            _USUAL_LOOKBACK, placeholder="such as 30D", continuous_update=False, layout=WIDE
        )
        self.visits = widgets.Dropdown(options=list(VISIT_PRESETS), layout=WIDE)
        self.table = widgets.HTML(layout=WIDE)
        self.figure = widgets.Output(layout=WIDE)
        self.code = widgets.HTML(layout=WIDE)
        self.box = self._arranged()

    @property
    def statuses(self) -> list[widgets.HTML]:
        """Say what is going on, or went wrong."""
        return [self._asking.status]

    def load(self) -> None:
        """Ask for the first time, unless that was done; it takes a while in a large store."""
        if self._is_loaded:
            return
        self._is_loaded = True
        names = self._s.events["event_name"][tracked(self._s.events)].value_counts()
        names = names.head(show.MOST_OPTIONS).index.tolist()
        offer(self.event, [(shortened(name, show.MOST_LETTERS), name) for name in names])
        if _USUAL_EVENT in names:
            self.event.value = _USUAL_EVENT
        for control in (self.event, self.lookback, self.visits):
            control.observe(self._asking.soon, "value")
        self._asking.now()

    def source(self) -> str:
        """Return the Python code that gives the same."""
        lookback, visits = self.lookback.value.strip(), self.visits.value
        given = [repr(self.event.value)]
        given += [f"lookback={lookback!r}"] if lookback != _USUAL_LOOKBACK else []
        given += [f"visits={visits!r}"] if visits != _USUAL_VISITS else []
        dark = show.template_of(self._template)
        return (
            f"found = {self._name}.without_campaign({', '.join(given)})\n"
            f"found.plot({dark}).show()\n"
            "found"
        )

    def _arranged(self) -> widgets.VBox:
        controls = widgets.VBox(
            [
                widgets.HTML(show.heading("Conversion")),
                self.event,
                widgets.HTML(show.heading("Lookback window")),
                self.lookback,
                widgets.HTML(show.heading("What ends a visit")),
                self.visits,
            ],
            layout=CONTROLS,
        )
        results = widgets.VBox([*self.statuses, self.table, self.figure, self.code], layout=RESULTS)
        return side_by_side(controls, results)

    def _show(self) -> str | None:
        self._clear()
        if self.event.value is None:
            return "There are only identify calls; name the column of event names when stitching."
        asked: dict[str, Any] = {"lookback": self.lookback.value.strip()}
        found = self._s.without_campaign(self.event.value, visits=self.visits.value, **asked)
        self.result = found
        shown = found.summary[found.summary["conversions"] > 0]
        self.table.value = show.heading(found.headline) + show.table(shown)
        self.figure.outputs = show.figure_outputs(found.plot(template=self._template))
        self.code.value = show.heading("The code of this answer") + show.code(self.source())
        return None

    def _clear(self) -> None:
        self.result = None
        self.table.value = self.code.value = ""
        self.figure.outputs = ()

"""The explorer's marketing tab: what was spent, what it brought, and what platforms claim.

Importing this module imports ipywidgets, which `import convergekit` alone does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from convergekit.attribution.question import MODELS
from convergekit.base.wording import shortened
from convergekit.errors import ConvergekitError
from convergekit.events.steps import tracked
from convergekit.explore import display as show
from convergekit.explore.layout import CONTROLS, RESULTS, WIDE, offer, side_by_side
from convergekit.explore.work import Work
from convergekit.marketing.question import BY

if TYPE_CHECKING:
    import pandas as pd

    from convergekit.figures.style import Template
    from convergekit.marketing.result import Marketing
    from convergekit.reconcile.result import Reconciliation
    from convergekit.spend.result import Spend
    from convergekit.stitched import Stitched

_USUAL = {
    "conversion": "Placed Order",
    "value": "total_price",
    "by": "channel",
    "freq": "M",
    "model": "last_touch",
}
_PERIODS = (("days", "D"), ("weeks", "W"), ("months", "M"))
_SHOWN = ("spend", "visits", "orders", "revenue", "new_customers", "cpa", "cac", "roas")
_WITHOUT = "Say what was spent: read the ad platforms' exports, and hand them to the explorer."


class MarketingExplorer:
    """The marketing tab.

    Parameters
    ----------
    s : Stitched
    name : str
        What the code calls it.
    spend : DataFrame, Spend or None
    spend_name : str
        What the code calls the spend.
    template : {"light", "dark"}

    Attributes
    ----------
    box : ipywidgets.VBox
    result : Marketing or None
        What is shown.
    claims : Reconciliation or None
        What platforms claim; None where the spend does not say it.
    """

    def __init__(
        self,
        s: Stitched,
        name: str,
        spend: pd.DataFrame | Spend | None,
        spend_name: str,
        template: Template,
    ) -> None:
        self._s, self._name, self._template = s, name, template
        self._spend, self._spend_name = spend, spend_name
        self.result: Marketing | None = None
        self.claims: Reconciliation | None = None
        self._asking = Work("Adding up what was spent…", self._show, self._clear)
        self._is_loaded = False
        self.event = widgets.Dropdown(layout=WIDE)
        self.value = widgets.Text(_USUAL["value"], continuous_update=False, layout=WIDE)
        self.by = widgets.Dropdown(options=list(BY), layout=WIDE)
        self.freq = widgets.Dropdown(options=_PERIODS, value=_USUAL["freq"], layout=WIDE)
        self.model = widgets.Dropdown(options=list(MODELS), value=_USUAL["model"], layout=WIDE)
        self.table = widgets.HTML(layout=WIDE)
        self.figure = widgets.Output(layout=WIDE)
        self.reconciled = widgets.HTML(layout=WIDE)
        self.claims_figure = widgets.Output(layout=WIDE)
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
        if _USUAL["conversion"] in names:
            self.event.value = _USUAL["conversion"]
        for control in (self.event, self.value, self.by, self.freq, self.model):
            control.observe(self._asking.soon, "value")
        self._asking.now()

    def source(self) -> str:
        """Return the Python code that gives the same."""
        if self._spend is None:
            return (
                'spend = ck.read_spend("spend/*", currency="EUR")\n'
                f"{self._name}.explore(spend=spend)"
            )
        dark = show.template_of(self._template)
        both = [name for name in ("conversion", "value") if self._asked[name] != _USUAL[name]]
        lines = [
            f"found = {self._name}.marketing({self._given(*_USUAL)})",
            f"found.plot({dark}).show()",
            f'found.payback("group").plot({dark}).show()',
        ]
        if self.claims is not None:
            lines += [
                f"claims = {self._name}.reconcile({self._given(*both)})",
                f"claims.plot({dark}).show()",
            ]
        return "\n".join([*lines, "found"])

    @property
    def _asked(self) -> dict[str, Any]:
        return {
            "conversion": self.event.value,
            "value": self.value.value.strip(),
            "by": self.by.value,
            "freq": self.freq.value,
            "model": self.model.value,
        }

    def _given(self, *names: str) -> str:
        """Return the arguments of a call, without those that are taken anyway."""
        asked = self._asked
        given = [f"{name}={asked[name]!r}" for name in names if asked[name] != _USUAL[name]]
        return ", ".join([self._spend_name, *given])

    def _arranged(self) -> widgets.VBox:
        controls: list[widgets.Widget] = []
        if self._spend is not None:
            for title, control in (
                ("Order", self.event),
                ("Property of its amount", self.value),
                ("Broken down by", self.by),
                ("In", self.freq),
                ("Attribution model", self.model),
            ):
                controls += [widgets.HTML(show.heading(title)), control]
        results = [*self.statuses, self.table, self.figure, self.reconciled, self.claims_figure]
        return side_by_side(
            widgets.VBox(controls, layout=CONTROLS),
            widgets.VBox([*results, self.code], layout=RESULTS),
        )

    def _show(self) -> str | None:
        self._clear()
        if self._spend is None:
            self.code.value = show.code(self.source())
            return _WITHOUT
        if self.event.value is None:
            return "There are only identify calls; name the column of event names when stitching."
        asked = self._asked
        found = self._s.marketing(self._spend, **asked)
        self.result = found
        shown = found.groups[[*found.by, *_SHOWN]]
        said = "".join(map(show.hint, found.remarks))
        self.table.value = show.heading(repr(found)) + show.table(shown) + said
        self.figure.outputs = show.figure_outputs(
            found.plot(template=self._template),
            found.payback("group").plot(template=self._template),
        )
        self._reconcile(asked["conversion"], asked["value"])
        self.code.value = show.heading("The code of this answer") + show.code(self.source())
        return None

    def _reconcile(self, conversion: str, value: str) -> None:
        """Show what platforms claim, or why that cannot be: the spend need not say it."""
        title = show.heading("What platforms claim")
        try:
            claims = self._s.reconcile(self._spend, conversion=conversion, value=value)
        except ConvergekitError as wrong:
            self.reconciled.value = title + show.hint(str(wrong))
            return
        self.claims = claims
        shown = claims.table[["platform", "claimed", "eligible", "only_eligible", "may_claim"]]
        shown = shown.assign(platform=shown["platform"].map(dict(claims.titles)))
        self.reconciled.value = title + show.hint(claims.headline) + show.table(shown)
        self.claims_figure.outputs = show.figure_outputs(claims.plot(template=self._template))

    def _clear(self) -> None:
        self.result = self.claims = None
        self.table.value = self.reconciled.value = self.code.value = ""
        self.figure.outputs = self.claims_figure.outputs = ()

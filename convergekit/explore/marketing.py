"""Spend and return: what was spent, what it brought, and what platforms claim.

Importing this module imports ipywidgets, which `import convergekit` alone does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import pandas as pd

from convergekit.errors import ConvergekitError
from convergekit.explore import display as show
from convergekit.explore.layout import WIDE, chart, draw
from convergekit.explore.model import Model, code_of

if TYPE_CHECKING:
    from convergekit.marketing.result import Marketing
    from convergekit.reconcile.result import Reconciliation
    from convergekit.spend.result import Spend

_USUAL = {
    "conversion": "Placed Order",
    "value": "total_price",
    "by": "channel",
    "freq": "M",
    "model": "last_touch",
    "lookback": "30D",
    "visits": "convergekit",
}
_SHOWN = ("spend", "visits", "orders", "revenue", "new_customers", "cpa", "cac", "roas")
_NO_AMOUNT = (
    "Say what an order was worth: write the name of the property that holds it into Amount, such "
    "as total_price."
)
_WITHOUT = "Say what was spent: read the ad platforms' exports, and hand them to the explorer."


class MarketingAnswer:
    """What was spent, and what it brought.

    Parameters
    ----------
    model : Model
    spend : DataFrame, Spend or None
    spend_name : str
        What the code calls the spend.

    Attributes
    ----------
    boxes : list of ipywidgets.Widget
    result : Marketing or None
        What is shown.
    claims : Reconciliation or None
        What platforms claim; None where the spend does not say it.
    """

    spend: pd.DataFrame | Spend | None
    figure: widgets.Output
    payback: widgets.Output
    claims_figure: widgets.Output

    def __init__(self, model: Model, spend: pd.DataFrame | Spend | None, spend_name: str) -> None:
        self._model, self.spend, self._spend_name = model, spend, spend_name
        self.result: Marketing | None = None
        self.claims: Reconciliation | None = None
        self.table: widgets.HTML = widgets.HTML(layout=WIDE)
        self.figure, self.payback, self.claims_figure = chart(), chart(), chart()
        self.reconciled: widgets.HTML = widgets.HTML(layout=WIDE)
        self.code: widgets.HTML = widgets.HTML(layout=WIDE)
        self.boxes: list[widgets.Widget] = [self.figure, self.table, self.payback]
        self.boxes += [self.reconciled, self.claims_figure, self.code]

    def show(self) -> str:
        """Ask, and show what comes of it."""
        self.clear()
        if self.spend is None:
            self.code.value = show.code(self.source())
            return _WITHOUT
        template, who = self._model.template, self._model.who(bar=True)
        lacking = self._model.lacks(who, self._model.state.channels.conversion)
        if lacking:
            return lacking
        if not self._model.state.channels.value:
            return _NO_AMOUNT
        found = who.s.marketing(self.spend, **self._asked())
        self.result = found
        said = "".join(map(show.hint, found.remarks))
        self.table.value = show.heading(repr(found)) + self._rows(found) + said
        draw(self.figure, found.plot(template=template))
        draw(self.payback, found.payback("group").plot(template=template))
        self._reconcile()
        self.code.value = show.heading("The code of this answer") + show.code(self.source())
        return self._said()

    def source(self) -> str:
        """Return the Python code that gives the same."""
        model = self._model
        if self.spend is None:
            return (
                'spend = ck.read_spend("spend/*", currency="EUR")\n'
                f"{model.name}.explore(spend=spend)"
            )
        dark = show.template_of(model.template)
        who = model.who(bar=True)
        lines = [
            f"found = {who.name}.marketing({self._given(*_USUAL, 'calendar')})",
            f"found.plot({dark}).show()",
            f'found.payback("group").plot({dark}).show()',
        ]
        if self.claims is not None:
            lines += [
                f"claims = {model.name}.reconcile({self._given('conversion', 'value')})",
                f"claims.plot({dark}).show()",
            ]
        return code_of(*who.lines, *lines, "found")

    def clear(self) -> None:
        """Take away what was shown."""
        self.result = self.claims = None
        self.table.value = self.reconciled.value = self.code.value = ""
        for place in (self.figure, self.payback, self.claims_figure):
            draw(place)

    def _asked(self) -> dict[str, Any]:
        model, asked = self._model, self._model.state.channels
        given = {name: getattr(asked, name) for name in _USUAL}
        given["freq"] = model.period_of(asked.freq)
        calendar = model.state.calendar
        return given if calendar is None else given | {"calendar": calendar}

    def _given(self, *names: str) -> str:
        """Return the arguments of a call, without those that are taken anyway."""
        asked = self._asked()
        given = [
            f"{name}={asked[name]!r}"
            for name in names
            if name in asked and asked[name] != _USUAL.get(name)
        ]
        return ", ".join([self._spend_name, *given])

    def _rows(self, found: Marketing) -> str:
        """Return the table: of all the time by group, or of the periods that the dates touch."""
        start, end = self._model.dates(period=True)
        if start is None and end is None:
            return show.table(found.groups[[*found.by, *_SHOWN]])
        rows = found.table
        begin = pd.to_datetime(rows["period"])
        freq = self._model.exact(self._model.state.channels.freq)
        inside = begin == begin
        if start is not None:
            inside &= begin >= pd.Period(start, freq=freq).start_time
        if end is not None:
            inside &= begin <= pd.Timestamp(end)
        shown = ["period", *found.by, *(name for name in _SHOWN if name in rows)]
        return show.table(rows.loc[inside, shown].head(show.MOST_OPTIONS))

    def _reconcile(self) -> None:
        """Show what platforms claim, or why that cannot be: the spend need not say it."""
        title, asked = show.heading("What platforms claim"), self._asked()
        try:
            claims = self._model.s.reconcile(
                self.spend, conversion=asked["conversion"], value=asked["value"]
            )
        except ConvergekitError as wrong:
            self.reconciled.value = title + show.hint(str(wrong))
            return
        self.claims = claims
        shown = claims.table[["platform", "claimed", "eligible", "only_eligible", "may_claim"]]
        shown = shown.assign(platform=shown["platform"].map(dict(claims.titles)))
        self.reconciled.value = title + show.hint(claims.headline) + show.table(shown)
        draw(self.claims_figure, claims.plot(template=self._model.template))

    def _said(self) -> str:
        """Return what of the common choices spend does not follow."""
        model, said = self._model, []
        if any(self._model.dates(period=True)):
            said.append(
                "The table has the periods that the dates touch; the sums above it and the figures "
                "are of all the time."
            )
        is_of_some = model.state.segment is not None or model.state.bar is not None
        if is_of_some:
            said.append("Orders are those of the chosen profiles; spend is that of everybody.")
        if model.state.breakdown not in (None, self._asked()["by"]):
            said.append("Spend is grouped by what is chosen here, not by the breakdown.")
        if self.claims is not None and (is_of_some or any(model.dates(period=True))):
            said.append("What platforms claim is compared with everybody's orders of all the time.")
        return " ".join(said)

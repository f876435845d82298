"""The tab of channels and spend: credit, conversions without a campaign, spend and return.

Importing this module imports ipywidgets, which `import convergekit` alone does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as widgets

from convergekit.attribution.question import MODELS
from convergekit.explore import display as show
from convergekit.explore.campaigns import CampaignAnswer
from convergekit.explore.credit import CreditAnswer
from convergekit.explore.layout import chosen_by, field, foldable
from convergekit.explore.marketing import MarketingAnswer
from convergekit.explore.model import Model
from convergekit.explore.trend import event_options
from convergekit.explore.work import Answer, Work
from convergekit.marketing.question import BY
from convergekit.visits.rules import VISIT_PRESETS

if TYPE_CHECKING:
    import pandas as pd

    from convergekit.spend.result import Spend

_SHOWN = (
    ("Credit of channels for orders", "credit"),
    ("Orders without a campaign, and why", "without_campaign"),
    ("Spend and what it brought", "spend"),
)
_PERIODS = (("days", "D"), ("weeks", "W"), ("months", "M"))
#: Which controls each answer looks at, beside the order.
_ASKED = {
    "credit": ("value", "model", "lookback", "visits"),
    "without_campaign": ("lookback", "visits"),
    "spend": ("value", "model", "lookback", "visits", "by", "freq"),
}


class ChannelsExplorer:
    """The tab of channels and spend.

    Parameters
    ----------
    model : Model
    spend : DataFrame, Spend or None
    spend_name : str
        What the code calls the spend.

    Attributes
    ----------
    box : ipywidgets.Box
    credit : CreditAnswer
    campaigns : CampaignAnswer
    marketing : MarketingAnswer
    """

    credit: CreditAnswer
    campaigns: CampaignAnswer

    def __init__(self, model: Model, spend: pd.DataFrame | Spend | None, spend_name: str) -> None:
        self._model = model
        self.work: Work = Work("Looking at visits…", self._show, self._clear, self._key)
        self.credit, self.campaigns = CreditAnswer(model), CampaignAnswer(model)
        self.marketing: MarketingAnswer = MarketingAnswer(model, spend, spend_name)
        self._answers: dict[str, Answer] = {
            "credit": self.credit,
            "without_campaign": self.campaigns,
            "spend": self.marketing,
        }
        asked = model.state.channels
        self.show: widgets.Dropdown = field(
            "Show", widgets.Dropdown(options=_SHOWN, value=asked.show)
        )
        orders = event_options(model)
        self.conversion: widgets.Dropdown = field(
            "Order", widgets.Dropdown(options=orders, value=asked.conversion)
        )
        self.controls: dict[str, widgets.Widget] = {
            "value": field("Amount", widgets.Text(asked.value or "", continuous_update=False)),
            "model": field("Attribution model", widgets.Dropdown(options=list(MODELS))),
            "lookback": field(
                "Lookback window",
                widgets.Text(asked.lookback, placeholder="such as 30D", continuous_update=False),
            ),
            "visits": field("What ends a visit", widgets.Dropdown(options=list(VISIT_PRESETS))),
            "by": field("Spend by", widgets.Dropdown(options=list(BY))),
            "freq": field("Periods", widgets.Dropdown(options=_PERIODS)),
        }
        results = [box for answer in self._answers.values() for box in answer.boxes]
        self.box: widgets.Box = foldable(
            "What is shown, and how",
            [self.show, self.conversion, *self.controls.values()],
            [self.work.status, *results],
        )
        for name, control in self.controls.items():
            control.value = getattr(asked, name) or ""
            self._listen(name)
        chosen_by(self.show, lambda what: model.change_part("channels", show=what))
        chosen_by(self.conversion, lambda name: model.change_part("channels", conversion=name))

    def _listen(self, name: str) -> None:
        def take(value: str) -> None:
            wrong = self._model.wrong("channels", **{name: value.strip()})
            if wrong:
                self._clear()
                self.work.status.value = show.error(wrong)
            else:
                self._model.change_part("channels", **{name: value.strip()})

        chosen_by(self.controls[name], take)

    def refresh(self) -> None:
        """Answer, if what the answer depends on has changed."""
        self.work.refresh()

    def _key(self) -> str:
        return self._model.key("channels")

    def _show(self) -> str:
        asked = self._model.state.channels
        for name, control in self.controls.items():
            control.layout.display = None if name in _ASKED[asked.show] else "none"
        for name, answer in self._answers.items():
            for box in answer.boxes:
                box.layout.display = None if name == asked.show else "none"
        return self._answers[asked.show].show()

    def _clear(self) -> None:
        self._answers[self._model.state.channels.show].clear()

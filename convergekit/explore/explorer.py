"""`Stitched.explore`: funnels, trends, people, channels and identity by hand, in a notebook.

Importing this module imports ipywidgets, which `import convergekit` alone does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
from IPython import get_ipython

from convergekit.explore import display as show
from convergekit.explore.bar import CommonBar
from convergekit.explore.campaigns import CampaignAnswer
from convergekit.explore.change import ChangeExplorer
from convergekit.explore.channels import ChannelsExplorer
from convergekit.explore.funnel import FunnelExplorer
from convergekit.explore.identity import IdentityExplorer
from convergekit.explore.layout import WIDE, look
from convergekit.explore.marketing import MarketingAnswer
from convergekit.explore.model import Model
from convergekit.explore.people import PeopleExplorer
from convergekit.explore.profile import ProfileExplorer
from convergekit.explore.state import State
from convergekit.explore.trend import TrendExplorer
from convergekit.explore.work import TabPart, Work
from convergekit.marketing.costs import refuse_other_spend

if TYPE_CHECKING:
    import pandas as pd

    from convergekit.explore.asked import Face
    from convergekit.explore.offered import Offered
    from convergekit.figures.style import Template
    from convergekit.spend.result import Spend

_TITLES = {
    "funnel": "Funnel",
    "trend": "Trend and retention",
    "people": "People",
    "channels": "Channels and spend",
    "identity": "Identity and check-up",
    "change": "What changed",
}


@dataclass(frozen=True, eq=False, repr=False)
class Explorer:
    """What `Stitched.explore` returns; a notebook shows it as tabs below a bar.

    Attributes
    ----------
    box : ipywidgets.VBox
        All of it.
    tabs : ipywidgets.Tab
    bar : CommonBar
        What is chosen for all tabs.
    funnel : FunnelExplorer
        Its `result` is the Funnel that is shown.
    trend : TrendExplorer
        Its `result` is the table of periods, or the Retention, that is shown.
    people : PeopleExplorer
        Its `listed` has the profiles that are listed.
    channels : ChannelsExplorer
        Its `credit.result` is the Attribution that is shown.
    identity : IdentityExplorer
        Its `suspects.result` is the comparison that is shown, a WhatIf; its `result` the CheckUp
        or the Report.
    change : ChangeExplorer
        Its `result` splits the difference between two periods, a Why.
    profile : ProfileExplorer
        The profile that is looked up; its `timeline` has the events.
    campaigns : CampaignAnswer
        Its `result` says why conversions have no campaign, a WithoutCampaign.
    marketing : MarketingAnswer
        Its `result` is a Marketing, what was spent; its `claims` what platforms claim.
    """

    box: widgets.VBox
    tabs: widgets.Tab
    bar: CommonBar
    funnel: FunnelExplorer
    trend: TrendExplorer
    people: PeopleExplorer
    channels: ChannelsExplorer
    identity: IdentityExplorer
    change: ChangeExplorer
    profile: ProfileExplorer
    campaigns: CampaignAnswer
    marketing: MarketingAnswer
    _model: Model

    @property
    def state(self) -> dict[str, Any]:
        """All that is chosen, as plain data that JSON holds; `Stitched.explore` takes it back."""
        return self._model.state.to_dict()

    def __repr__(self) -> str:
        """Say where it can be seen."""
        return "Explorer(shown by Jupyter, as the last line of a cell)"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        bundle = self.box._repr_mimebundle_(include=include, exclude=exclude)
        return {**bundle, "text/plain": repr(self)}


def explore(
    s: Face,
    offering: Callable[[Any], Offered],
    state: Mapping[str, Any] | None = None,
    spend: pd.DataFrame | Spend | None = None,
    template: Template = "auto",
) -> Explorer:
    """Return tabs to explore a result with. See `Stitched.explore`.

    Parameters
    ----------
    s : Face
    offering : callable
        Returns what it, or a segment of it, offers to choose from.
    state, spend, template
        As `Stitched.explore` takes them.
    """
    if spend is not None:
        refuse_other_spend(spend)
    model = Model(s, offering, _name_of(s, "s"), State.of(state), template)
    bar = CommonBar(model)
    funnel, trend, people = FunnelExplorer(model), TrendExplorer(model), PeopleExplorer(model)
    spend_name = _name_of(spend, "spend")
    channels = ChannelsExplorer(model, spend, spend_name)
    identity, changed = IdentityExplorer(model), ChangeExplorer(model, people.profile)
    parts: dict[str, TabPart] = {
        "funnel": funnel,
        "trend": trend,
        "people": people,
        "channels": channels,
        "identity": identity,
        "change": changed,
    }
    order = list(parts)
    # Empty until they are opened: a page takes its time to set up what is not looked at.
    pages = {name: widgets.VBox() for name in parts}
    tabs = widgets.Tab(
        list(pages.values()),
        titles=[_TITLES[name] for name in parts],
        selected_index=order.index(model.state.tab),
    )
    again = widgets.HTML(layout=WIDE)

    def refresh() -> None:
        """Answer on the tab that is open, and on no other."""
        opened = model.state.tab
        if not pages[opened].children:
            pages[opened].children = [parts[opened].box]
        parts[opened].refresh()
        bar.refresh()
        again.value = _again(model, None if spend is None else spend_name)

    opening = Work("Opening…", refresh, lambda: None)
    box = widgets.VBox([look(), bar.box, opening.status, tabs, again], layout=WIDE)
    box.add_class("ck-whole")
    model.on_change(refresh)
    tabs.observe(lambda change: model.change(tab=order[change["new"]]), "selected_index")
    if model.offered.source.in_parts:
        # Its first answer may take minutes: the page has the tabs before that.
        opening.soon()
    else:
        refresh()
    return Explorer(
        *(box, tabs, bar, funnel, trend, people, channels, identity, changed),
        *(people.profile, channels.campaigns, channels.marketing, model),
    )


def _again(model: Model, spend_name: str | None) -> str:
    """Return the code that opens the explorer as it is now."""
    chosen = model.chosen()
    given = [repr(chosen)] if chosen else []
    given += [] if spend_name is None else [f"spend={spend_name}"]
    given += list(filter(None, [show.template_of(model.template)]))
    return show.folded("This view again", show.code(f"{model.name}.explore({', '.join(given)})"))


def _name_of(what: Any, otherwise: str) -> str:
    """Return what the notebook calls it, for code that can be run as it is; or else another."""
    shell = get_ipython()
    names = {} if shell is None or what is None else shell.user_ns
    found = [name for name, value in names.items() if value is what and not name.startswith("_")]
    return found[0] if found else otherwise

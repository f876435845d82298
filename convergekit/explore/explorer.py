"""`Stitched.explore`: funnels, profiles and identity by hand, in a notebook.

Importing this module imports ipywidgets, which `import convergekit` alone does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
from IPython import get_ipython

from convergekit.explore.campaigns import CampaignExplorer
from convergekit.explore.funnel import FunnelExplorer
from convergekit.explore.identity import IdentityExplorer
from convergekit.explore.marketing import MarketingExplorer
from convergekit.explore.profile import ProfileExplorer

if TYPE_CHECKING:
    import pandas as pd

    from convergekit.figures.style import Template
    from convergekit.spend.result import Spend
    from convergekit.stitched import Stitched


@dataclass(frozen=True, eq=False, repr=False)
class Explorer:
    """What `Stitched.explore` returns; a notebook shows it as tabs.

    Attributes
    ----------
    tabs : ipywidgets.Tab
    funnel : FunnelExplorer
        Its `result` is the Funnel that is shown.
    profile : ProfileExplorer
        Its `timeline` is that of the profile that is shown.
    identity : IdentityExplorer
        Its `result` is the comparison that is shown, a WhatIf.
    campaigns : CampaignExplorer
        Its `result` says why conversions have no campaign, a WithoutCampaign.
    marketing : MarketingExplorer
        Its `result` is what was spent and what it brought, a Marketing; its `claims` is what
        platforms claim, a Reconciliation.
    """

    tabs: widgets.Tab
    funnel: FunnelExplorer
    profile: ProfileExplorer
    identity: IdentityExplorer
    campaigns: CampaignExplorer
    marketing: MarketingExplorer

    def __repr__(self) -> str:
        """Say where it can be seen."""
        return "Explorer(shown by Jupyter, as the last line of a cell)"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        bundle = self.tabs._repr_mimebundle_(include=include, exclude=exclude)
        return {**bundle, "text/plain": repr(self)}


def explore(
    s: Stitched, spend: pd.DataFrame | Spend | None = None, template: Template = "auto"
) -> Explorer:
    """Return tabs to explore a Stitched with. See `Stitched.explore`."""
    name = _name_of(s, "s")
    funnel = FunnelExplorer(s, name, template)
    profile = ProfileExplorer(s, name, template)
    identity = IdentityExplorer(s, name)
    campaigns = CampaignExplorer(s, name, template)
    marketing = MarketingExplorer(s, name, spend, _name_of(spend, "spend"), template)
    tabs = widgets.Tab(
        [funnel.box, profile.box, identity.box, campaigns.box, marketing.box],
        titles=["Funnel", "Profile", "Identity", "Campaigns", "Marketing"],
    )

    def opened(change: Any) -> None:
        for tab in (identity, campaigns, marketing):
            if change["new"] == tabs.children.index(tab.box):
                tab.load()

    tabs.observe(opened, "selected_index")
    return Explorer(tabs, funnel, profile, identity, campaigns, marketing)


def _name_of(what: Any, otherwise: str) -> str:
    """Return what the notebook calls it, for code that can be run as it is; or else another."""
    shell = get_ipython()
    names = {} if shell is None or what is None else shell.user_ns
    found = [name for name, value in names.items() if value is what and not name.startswith("_")]
    return found[0] if found else otherwise

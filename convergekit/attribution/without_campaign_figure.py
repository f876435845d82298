"""The figure of conversions without a campaign: a bar for each reason.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from functools import partial

import pandas as pd

from convergekit.attribution.figure import Bars, labelled_bars
from convergekit.attribution.without_campaign import (
    CAMPAIGN,
    NO_VISIT,
    REFUSED,
    TOO_OLD,
    UNTAGGED,
    WithoutCampaign,
)
from convergekit.base.durations import readable_duration
from convergekit.base.wording import counted
from convergekit.diagnostics.orphans import NEVER_SEEN, NO_ALIAS, SEEN_LATER, UNUSABLE
from convergekit.figures.figure import Figure
from convergekit.figures.style import USUAL, Style

#: What fits beside a bar.
_SHORT = {
    CAMPAIGN: "campaign known",
    REFUSED: "pages without cookie",
    UNTAGGED: "visit without campaign",
    TOO_OLD: "visit too long ago",
    NO_VISIT: "browser without page",
    SEEN_LATER: "alias seen only later",
    NEVER_SEEN: "alias never seen",
    UNUSABLE: "alias is a placeholder",
    NO_ALIAS: "no alias at all",
}


def without_campaign_figure(found: WithoutCampaign, style: Style = USUAL) -> Figure:
    """Return the outcomes as rows, those with a campaign first, with a bar of conversions.

    Below them stand the reasons, those of most conversions first.

    Parameters
    ----------
    found : WithoutCampaign
    style : Style, optional

    Returns
    -------
    Figure

    Examples
    --------
    >>> import convergekit as ck
    >>> s = ck.stitch(ck.simulate_store().events)
    >>> figure = without_campaign_figure(s.without_campaign("Placed Order"))
    >>> sum(figure.data[0].x)
    27.0
    """
    rows = found.summary[found.summary["conversions"] > 0]
    # After those with a campaign, the reason that most have.
    order = rows["conversions"].where(rows["outcome"] != CAMPAIGN, float("inf"))
    rows = rows.loc[order.sort_values(ascending=False, kind="stable").index]
    rows = rows.set_index(rows["outcome"].map(_SHORT))
    total = len(found.events)
    without = int((found.events["outcome"] != CAMPAIGN).sum())
    before = readable_duration(found.lookback)
    return labelled_bars(
        [Bars("conversions", rows["conversions"].astype(float), partial(_sentences, rows, total))],
        rows.index.tolist(),
        f"Why {found.conversion} has no campaign",
        [_finding(rows, found.conversion, without, total, before)],
        digits=0,
        style=style,
        columns=("outcome", "", "conversions"),
        quiet=(_SHORT[CAMPAIGN],),
    )


def _finding(rows: pd.DataFrame, conversion: str, without: int, total: int, before: str) -> str:
    """Return how many have no campaign, and the reason that most have."""
    if not total:
        return f"Conversions are missing: check that events are named {conversion}."
    said = (
        f"{without:,} of {counted(total, 'conversion')} {'has' if without == 1 else 'have'} no "
        f"campaign in the {before} before, {without / total:.1%}"
    )
    reasons = rows.drop(index=_SHORT[CAMPAIGN], errors="ignore")["conversions"]
    if reasons.empty:
        return f"{said}."
    return f"{said}; most often: {reasons.idxmax()}, {reasons.max():,}."


def _sentences(rows: pd.DataFrame, total: int, outcome: str) -> list[str]:
    row = rows.loc[outcome]
    said = [f"{row['conversions']:,} of {counted(total, 'conversion')}: {row['outcome']}."]
    if "value" in row:
        said.append(f"They are worth {row['value']:,.2f}.")
    return said + ([f"Next: {row['next']}."] if row["next"] else [])

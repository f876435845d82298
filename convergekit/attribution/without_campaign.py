"""Conversions without a campaign, and the reason for each: it adds up to all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from convergekit.attribution.attribute import Attributor
from convergekit.attribution.question import Question
from convergekit.base.durations import Duration, parse_duration, readable_duration
from convergekit.base.wording import counted
from convergekit.diagnostics.orphans import (
    NEVER_SEEN,
    NO_ALIAS,
    REACHED,
    SEEN_LATER,
    UNUSABLE,
    outcomes_of,
)
from convergekit.events.amounts import events_named, summed_amounts
from convergekit.events.campaigns import TAGS
from convergekit.events.steps import StepLike, as_steps
from convergekit.figures.card import TableResult
from convergekit.typing import BoolArray, IntArray
from convergekit.visits.rules import VisitRules, Visits

if TYPE_CHECKING:
    from convergekit.figures.figure import Figure
    from convergekit.figures.style import Template
    from convergekit.identity.tables import StitchedEvents

CAMPAIGN = "a visit with a campaign"
UNTAGGED = "visits without a campaign"
REFUSED = "pages without a cookie"
TOO_OLD = "no visit in the lookback window"
NO_VISIT = "a browser without a page view"
#: In the order of the table; a conversion has the first of the reasons that holds.
OUTCOMES = (
    CAMPAIGN,
    REFUSED,
    UNTAGGED,
    TOO_OLD,
    NO_VISIT,
    SEEN_LATER,
    NEVER_SEEN,
    UNUSABLE,
    NO_ALIAS,
)
#: What to do about each.
_NEXT = {
    CAMPAIGN: "",
    UNTAGGED: "tag the links of campaigns, or ask by channel",
    TOO_OLD: "widen lookback=",
    REFUSED: "count those who refuse the cookie apart, or send a cart token",
    NO_VISIT: "send the page's address with page views",
    SEEN_LATER: "send the alias earlier: see s.orphans and s.alias_coverage",
    NEVER_SEEN: "send an alias that both sides know, such as a cart token",
    UNUSABLE: "repair the template that sends placeholders: see ck.check_up",
    NO_ALIAS: "send an alias with the conversion",
}


@dataclass(frozen=True, eq=False, repr=False)
class WithoutCampaign(TableResult):
    """Conversions without a campaign, each with its reason.

    Attributes
    ----------
    events : pandas.DataFrame
        One row per conversion: `row`, `event_id`, `timestamp`, `profile_id`, `outcome`, `channel`
        (of the last visit in the lookback window, missing without one) and `value`, where one was
        asked for.
    summary : pandas.DataFrame
        One row per outcome, the conversions with a campaign first: `outcome`, `conversions`,
        `share`, `value` where one was asked for, and `next`, what to do. It adds up to all
        conversions.
    conversion : str
    lookback : pandas.Timedelta
    """

    _shares: ClassVar[Mapping[str, str]] = {"share": "all_conversions"}

    events: pd.DataFrame
    summary: pd.DataFrame
    conversion: str
    lookback: pd.Timedelta

    @property
    def headline(self) -> str:
        """How many conversions are without a campaign, as a sentence."""
        without = int((self.events["outcome"] != CAMPAIGN).sum())
        return (
            f"{without:,} of {counted(len(self.events), 'conversion')} without a campaign in the "
            f"{readable_duration(self.lookback)} before"
        )

    def _described_numbers(self) -> dict[str, Any]:
        return {"all_conversions": int(self.summary["conversions"].sum())}

    def _line(self) -> str:
        return f"WithoutCampaign({self.conversion}: {self.headline})"

    def _shown(self) -> pd.DataFrame:
        return self.summary[self.summary["conversions"] > 0]

    def plot(
        self,
        *,
        template: Template = "auto",
        width: int | None = None,
        height: int | None = None,
    ) -> Figure:
        """Draw how many conversions have each reason.

        Parameters
        ----------
        template : str or plotly template, default "auto"
            "auto" follows the page's theme, "light" and "dark" do not; or any that plotly knows.
        width, height : int, optional
            Pixels. By default it is as wide as the page, and as high as what it shows.

        Returns
        -------
        plotly.graph_objects.Figure
        """
        from convergekit.attribution.without_campaign_figure import without_campaign_figure
        from convergekit.figures.style import Style

        return without_campaign_figure(self, Style(template, width, height))


def without_campaign(
    s: StitchedEvents,
    conversion: StepLike,
    value: str | None = None,
    lookback: Duration = "30D",
    *,
    visits: Visits | None = None,
    currency: str | None = None,
    rates: Mapping[str, float] | None = None,
) -> WithoutCampaign:
    """Return the conversions with the reason of each. See `Stitched.without_campaign`."""
    asked = Question(conversion=conversion, lookback=lookback, visits=VisitRules.of(visits))
    events = outcomes_in(s, asked)
    if value is not None:
        at = events_named(s.events, conversion)
        events["value"] = summed_amounts(s.events, at, value, currency, rates)
    return without_campaign_of(events, asked)


def outcomes_in(s: StitchedEvents, asked: Question) -> pd.DataFrame:
    """Return the conversions, with the reason of each and the channel of its last visit."""
    attributor = Attributor(s, asked)
    at = attributor.positions
    credited = attributor.credited(s.resolution.profile, as_of=s.identity == "as_of")
    sessions, pair = credited.sessions, credited.visit
    touched = pair >= 0
    tagged = np.any([sessions.says[name] >= 0 for name in (*TAGS, "click_id")], axis=0)
    has_campaign = _any(credited.conversion[touched], tagged[pair[touched]], len(at))
    has_touch = _any(credited.conversion[touched], np.ones(touched.sum(), dtype=bool), len(at))
    profile = s.resolution.profile[at]
    visitors = sessions.visitor[sessions.arrival >= 0]
    has_visit = np.isin(profile, visitors) & (profile >= 0)
    # Whoever refuses the cookie may have come from a campaign before the pages that are known.
    nameless = has_visit & ~_named(s, attributor.browser)[profile]
    outcome = np.select(
        [has_campaign, nameless, has_touch],
        [CAMPAIGN, REFUSED, UNTAGGED],
        default=_unreached(s, at, has_visit),
    )
    last = np.full(len(at), -1, dtype=np.int64)
    # Touchpoints come in the order of time, so the last that is written is the last of all.
    last[credited.conversion[touched]] = pair[touched]
    kept = ["row", "event_id", "timestamp", "profile_id"]
    events = s.events[kept].iloc[at].reset_index(drop=True)
    events["outcome"] = pd.Series(outcome, dtype="str")
    events["channel"] = sessions.text("channel", last)
    return events


def without_campaign_of(events: pd.DataFrame, asked: Question) -> WithoutCampaign:
    """Return the conversions, summed up by their reasons.

    Parameters
    ----------
    events : pandas.DataFrame
        As `outcomes_in` returns them, with a `value` where one was asked for; by `row`.
    asked : Question
    """
    found = events.groupby("outcome")
    summary = pd.DataFrame({"outcome": pd.Series(OUTCOMES, dtype="str")})
    counts = found.size().reindex(OUTCOMES, fill_value=0).to_numpy(dtype=np.int64)
    summary["conversions"] = counts
    summary["share"] = counts / max(len(events), 1)
    if "value" in events:
        summary["value"] = found["value"].sum().reindex(OUTCOMES, fill_value=0.0).to_numpy()
    summary["next"] = pd.Series([_NEXT[name] for name in OUTCOMES], dtype="str")
    title = as_steps([asked.conversion])[0].title
    lookback = parse_duration(asked.lookback, name="lookback")
    return WithoutCampaign(events, summary, title, lookback)


def _named(s: StitchedEvents, browser: IntArray) -> BoolArray:
    """Return which profiles have a browser's alias on some event; -1 has not."""
    named = np.zeros(len(s.resolution.profile_ids) + 1, dtype=bool)
    named[s.resolution.profile[browser >= 0]] = True
    named[-1] = False
    return named


def _unreached(s: StitchedEvents, at: IntArray, has_visit: BoolArray) -> npt.NDArray[np.str_]:
    """Return why no visit in the window was known to be of each conversion's profile."""
    reached = outcomes_of(s, at)
    return np.select([reached != REACHED, has_visit], [reached, TOO_OLD], default=NO_VISIT)


def _any(group: IntArray, marked: BoolArray, size: int) -> BoolArray:
    """Return which groups have a marked row."""
    found = np.zeros(size, dtype=bool)
    found[group[marked]] = True
    return found

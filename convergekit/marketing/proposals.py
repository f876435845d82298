"""What may belong together, and is not joined: nothing is matched because it is alike."""

from __future__ import annotations

import difflib
import re
from collections import defaultdict

import numpy as np
import pandas as pd

from convergekit.base.rounding import six_digits
from convergekit.marketing.costs import PARTS
from convergekit.marketing.match import Matched

#: As many of either side are compared by their letters, those worth most first.
_MOST = 200
#: As many proposals a campaign has.
_EACH = 3
#: Names that are less alike are not proposed.
_LEAST = 0.8
#: The columns of proposals; all but the last three are a mapping.
COLUMNS = (
    *("platform", "account", "campaign", "campaign_id", "utm_campaign", "source"),
    *("reason", "spend", "visits"),
)


def proposals_of(
    campaigns: pd.DataFrame, unmatched: pd.Series, cost: pd.Series, matched: Matched
) -> pd.DataFrame:
    """Return candidates for campaigns without visits, those that cost most first.

    Parameters
    ----------
    campaigns : pandas.DataFrame
        Those of the spend.
    unmatched : pandas.Series of bool
        Which of them have no visits.
    cost : pandas.Series of int
        What each cost.
    matched : Matched
    """
    free = _free_kinds(matched)
    rows = []
    left = campaigns[unmatched & campaigns["campaign"].notna()]
    left = left.assign(cost=cost[left.index]).sort_values(
        ["cost", "campaign", "platform"], ascending=[False, True, True], kind="stable"
    )
    by_words = defaultdict(list)
    for place, text in zip(free.index, free["words"], strict=True):
        by_words[text].append(place)
    near = [text for text in dict.fromkeys(free["words"].head(_MOST)) if text]
    for order, (place, campaign) in enumerate(left.iterrows()):
        words = _words(campaign["campaign"])
        found = [(at, _why(campaign, free.loc[at])) for at in by_words[words]] if words else []
        if not found and order < _MOST:
            for alike in difflib.get_close_matches(words, near, n=_EACH, cutoff=_LEAST):
                share = six_digits(difflib.SequenceMatcher(None, alike, words).ratio())
                found += [(at, f"spelled alike ({share:.0%})") for at in by_words[alike]]
        for at, why in found[:_EACH]:
            rows.append(
                {
                    **campaigns.loc[place, list(COLUMNS[:4])],
                    **free.loc[at, ["utm_campaign", "source"]],
                    "reason": why,
                    "spend": cost[place] / PARTS,
                    "visits": int(free.loc[at, "visits"]),
                }
            )
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.astype(
        {**dict.fromkeys(COLUMNS[:7], "str"), "spend": "float64", "visits": "int64"}
    )


def _free_kinds(matched: Matched) -> pd.DataFrame:
    """Return campaigns of visits that no spend was matched to, those with most visits first."""
    kinds = matched.kinds
    free = np.bincount(kinds.of_visit[matched.campaign < 0], minlength=len(kinds.table))
    table = kinds.table[["utm_campaign", "source"]].assign(visits=free)
    table = table[(table["visits"] > 0) & table["utm_campaign"].notna()]
    table = table.groupby(["utm_campaign", "source"])["visits"].sum().reset_index()
    table["words"] = table["utm_campaign"].map(_words)
    return table.sort_values(
        ["visits", "utm_campaign", "source"], ascending=[False, True, True], ignore_index=True
    )


def _why(campaign: pd.Series, visits: pd.Series) -> str:
    if campaign["campaign"].strip().lower() == visits["utm_campaign"].strip().lower():
        return "the same name, from another source, or of several campaigns"
    return "the same letters and digits"


def _words(text: str) -> str:
    """Return the letters and digits of a name alone."""
    return re.sub(r"[\W_]+", "", text.casefold())

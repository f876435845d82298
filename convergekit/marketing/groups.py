"""The groups of marketing: by what visits and spend are told apart, in one vocabulary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from convergekit.attribution.result import NONE
from convergekit.base.grouping import NumberedText, together
from convergekit.marketing.match import first_of_each, is_paid
from convergekit.marketing.matches import Join, names_of
from convergekit.marketing.platforms import platforms_of
from convergekit.typing import IntArray

#: Where spend goes that belongs to no visit, and says itself of no channel (source ...).
UNMATCHED = "(unmatched spend)"
#: Where spend goes that names no campaign.
WIDER = "(spend without campaign)"


@dataclass(frozen=True)
class SpendGroups:
    """The groups of everything that is added up.

    Attributes
    ----------
    names : pandas.DataFrame
        The columns that were asked for, a row per group.
    of_visit, of_campaign : numpy.ndarray of int
        The group of each visit and of each campaign of the spend.
    none : int
        The group of orders without a touchpoint.
    """

    names: pd.DataFrame
    of_visit: IntArray
    of_campaign: IntArray
    none: int

    @classmethod
    def of(cls, join: Join, by: tuple[str, ...]) -> SpendGroups:
        """Return the groups by some columns."""
        visits, campaigns = join.visits.count, len(join.costs.campaigns)
        rows = visits + campaigns + 1
        columns = []
        for name in by:
            of_visit, of_campaign = _labels(join, name)
            texts = pd.concat([of_visit.distinct, of_campaign.distinct, pd.Series([NONE])])
            numbered = NumberedText.of(texts.astype("str").reset_index(drop=True))
            at = np.concatenate(
                [
                    of_visit.codes,
                    of_campaign.codes + len(of_visit.distinct),
                    [len(texts) - 1],
                ]
            )
            columns.append(NumberedText(numbered.codes[at], numbered.distinct))
        key = together(columns, rows)
        code, one = first_of_each(key)
        names = pd.DataFrame(
            {name: column.take(one) for name, column in zip(by, columns, strict=True)}
        ).astype("str")
        return cls(names, code[:visits], code[visits : visits + campaigns], int(code[-1]))


def _labels(join: Join, name: str) -> tuple[NumberedText, NumberedText]:
    """Return what visits, and campaigns of the spend, are called in one column."""
    campaigns, campaign = join.costs.campaigns, join.matched.campaign
    if name in ("channel", "source", "medium"):
        of_visit = join.visits.texts[name]
        # What Google Analytics calls the medium of direct visits is not an order without a touch.
        of_visit = of_visit.mapped(of_visit.distinct.mask(of_visit.distinct == NONE))
        otherwise = NumberedText(
            np.zeros(len(campaign), dtype=np.int64), pd.Series([f"(no {name})"], dtype="str")
        )
        return of_visit.or_else(otherwise), names_of(join.said(name), UNMATCHED)
    if name == "campaign":
        called = campaigns["campaign"].fillna(campaigns["campaign_id"])
        own = join.visits.texts["utm_campaign"]
        return _of_matched(called, campaign, own, "(no campaign)"), names_of(called, WIDER)
    own = platforms_of(join.visits.texts["click_id"], join.visits.texts["utm_source"])
    channel = join.visits.texts["channel"]
    bought = np.array([*(is_paid(text) for text in channel.distinct), False])[channel.codes]
    own = NumberedText(np.where(bought, own.codes, -1), own.distinct)
    nowhere = "(no platform)"
    called = campaigns["platform"]
    return _of_matched(called, campaign, own, nowhere), names_of(called, UNMATCHED)


def _of_matched(
    called: pd.Series, campaign: IntArray, own: NumberedText, otherwise: str
) -> NumberedText:
    """Return what the spend calls a visit, what it says itself, or else that it says nothing."""
    texts = NumberedText.of(called.astype("str").reset_index(drop=True))
    nothing = NumberedText(np.zeros(len(campaign), dtype=np.int64), pd.Series([otherwise]))
    return (
        texts.at(campaign)
        .or_else(own)
        .or_else(NumberedText(nothing.codes, nothing.distinct.astype("str")))
    )

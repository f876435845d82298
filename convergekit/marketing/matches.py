"""`SpendMatches`: which spend belongs to which visits, and what belongs to nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from convergekit.base.grouping import NumberedText
from convergekit.base.wording import counted, percentage
from convergekit.figures.card import Result
from convergekit.marketing.costs import PARTS, Costs, base_of, costs_of, fold, summed
from convergekit.marketing.match import KEYS, SAID, Matched, id_levels, match, paid_kinds
from convergekit.marketing.proposals import proposals_of
from convergekit.marketing.said import SaidByVisits
from convergekit.spend.result import Spend
from convergekit.typing import IntArray
from convergekit.visits.rules import VisitRules, Visits
from convergekit.visits.sessions import sessions_of

if TYPE_CHECKING:
    from convergekit.identity.tables import StitchedEvents

#: As many rows of each side a card shows.
_MOST_ROWS = 8


@dataclass(frozen=True, eq=False, repr=False)
class SpendMatches(Result):
    """Which spend belongs to which visits.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per campaign of the spend, those that cost most first: `platform`, `account`,
        `campaign`, `campaign_id`, the `channel`, `source` and `medium` that it names or that most
        of its visits have, `first_day` and `last_day`, `spend`, `visits`, `matched_by` (the surest
        key that found one: "ad ID", "ad group ID", "campaign ID", "mapping", "name" or "what it
        names"; missing for none), and `reason`, why its name was not used.
    without_visits : pandas.DataFrame
        Those rows of it without a visit.
    without_spend : pandas.DataFrame
        Visits of paid channels, and others with a campaign, that belong to no spend:
        `channel`, `source`, `medium`, `utm_campaign` and `visits`, the most first.
    proposals : pandas.DataFrame
        What may belong to campaigns without a visit, and why; nothing of it is used. Hand rows of
        it back as ``mapping=``.
    currency : str
        Of the spend; empty if unknown.
    left_out : dict of str to int
        Rows of spend that cannot be used.
    remarks : list of str
        What is to be known of the spend.
    """

    table: pd.DataFrame
    without_visits: pd.DataFrame
    without_spend: pd.DataFrame
    proposals: pd.DataFrame
    currency: str
    left_out: dict[str, int]
    remarks: list[str]
    _matched: int

    def _described_tables(self) -> dict[str, pd.DataFrame]:
        return {"table": self.table, "without_spend": self.without_spend}

    def _line(self) -> str:
        matched = self.table[self.table["visits"] > 0]
        total, found = self.table["spend"].sum(), matched["spend"].sum()
        share = f" ({percentage(found / total)})" if total > 0 and found >= 0 else ""
        return (
            f"SpendMatches({len(matched):,} of {counted(len(self.table), 'campaign')} and "
            f"{self._money(found)} of {self._money(total)}{share} have visits; "
            f"{counted(self._matched, 'visit')} matched)"
        )

    def _body(self) -> Iterable[pd.DataFrame | str]:
        yield from (f"{what}: {number:,}" for what, number in self.left_out.items())
        yield from self.remarks
        shown = ["platform", "campaign", "matched_by", "spend", "visits"]
        yield self.table[self.table["visits"] > 0][shown].head(_MOST_ROWS)
        if len(self.without_visits):
            cost = self._money(self.without_visits["spend"].sum())
            yield f"Spend without a visit: {counted(len(self.without_visits), 'campaign')}, {cost}."
            yield self.without_visits[["platform", "campaign", "spend", "reason"]].head(_MOST_ROWS)
        if len(self.without_spend):
            visits = counted(int(self.without_spend["visits"].sum()), "visit")
            yield f"{visits} of paid channels or of campaigns belong to no spend."
            yield self.without_spend.head(_MOST_ROWS)
        if len(self.proposals):
            yield (
                f"{counted(len(self.proposals), 'proposal')}: look at `.proposals`, and hand those "
                "that are right back as mapping=."
            )

    def _money(self, amount: float) -> str:
        return f"{amount:,.2f} {self.currency}".strip()


@dataclass(frozen=True)
class Join:
    """Spend, visits and what joins them.

    Attributes
    ----------
    costs : Costs
    visits : SaidByVisits
    matched : Matched
    """

    costs: Costs
    visits: SaidByVisits
    matched: Matched

    @classmethod
    def of(
        cls,
        costs: Costs,
        visits: SaidByVisits,
        mapping: pd.DataFrame | Mapping[Any, Any] | None,
    ) -> Join:
        """Join spend to visits."""
        return cls(costs, visits, match(costs, visits, mapping))

    def said(self, name: str) -> pd.Series:
        """Return the channel, source or medium of each campaign of the spend.

        It is what the spend names, as visits spell it, or else what most of its visits have, ties
        by the alphabet; missing where neither says it.
        """
        kinds = self.matched.kinds
        own = self.costs.campaigns[name]
        spelled = kinds.table.assign(fold=kinds.folded[name]).dropna(subset=[name])
        spelled = spelled.sort_values(name).drop_duplicates("fold").set_index("fold")[name]
        own = fold(own).map(spelled).astype("str").fillna(own)
        pairs = self._pairs.copy()
        pairs["text"] = kinds.table[name].take(pairs["kind"].to_numpy()).to_numpy()
        sums = pairs.dropna().groupby(["campaign", "text"])["visits"].sum().reset_index()
        most = sums.sort_values(["visits", "text"], ascending=[False, True])
        most = most.drop_duplicates("campaign").set_index("campaign")["text"].astype("str")
        return own.fillna(most.reindex(own.index).astype("str"))

    @cached_property
    def _pairs(self) -> pd.DataFrame:
        """How many visits of each kind each campaign has: `campaign`, `kind`, `visits`."""
        matched, size = self.matched, len(self.matched.kinds.table)
        some = np.flatnonzero(matched.campaign >= 0)
        key = matched.campaign[some] * size + matched.kinds.of_visit[some]
        found, visits = np.unique(key, return_counts=True)
        own = {"campaign": found // max(size, 1), "kind": found % max(size, 1), "visits": visits}
        wide = matched.wider.assign(visits=matched.wider_visits[matched.wider["kind"]])
        pairs = pd.concat([pd.DataFrame(own), wide], ignore_index=True).astype("int64")
        return pairs.groupby(["campaign", "kind"])["visits"].sum().reset_index()

    def visits_of_campaigns(self) -> tuple[IntArray, IntArray]:
        """Return how many visits each campaign has, and by which key the surest came."""
        matched, size = self.matched, len(self.costs.campaigns)
        some = matched.campaign >= 0
        visits = np.bincount(matched.campaign[some], minlength=size).astype(np.int64)
        key = np.full(size, len(KEYS), dtype=np.int64)
        np.minimum.at(key, matched.campaign[some], matched.key[some])
        of_kind = matched.wider_visits[matched.wider["kind"].to_numpy()]
        wide = summed(matched.wider["campaign"].to_numpy(), of_kind, size)
        new = (visits == 0) & (wide > 0)
        return visits + np.where(new, wide, 0), np.where(new, len(KEYS) - 1, key)

    def result(self) -> SpendMatches:
        """Return what is shown of it."""
        costs, matched = self.costs, self.matched
        cost = pd.Series(costs.of_campaign())
        visits, key = self.visits_of_campaigns()
        # Those of a whole platform may be those of its campaigns, too.
        some = matched.campaign >= 0
        some |= np.isin(matched.kinds.of_visit, matched.wider["kind"].to_numpy())
        day = pd.Series(costs.day.astype("datetime64[D]").astype("datetime64[s]"))
        days = day.groupby(costs.campaign).agg(["min", "max"])
        table = costs.campaigns[["platform", "account", "campaign", "campaign_id"]].assign(
            **{name: self.said(name) for name in SAID},
            first_day=days["min"],
            last_day=days["max"],
            spend=cost / PARTS,
            visits=visits,
            matched_by=pd.Series([*KEYS, None], dtype="str").take(key).to_numpy(),
            reason=pd.Series(matched.reason, dtype="str"),
        )
        table["matched_by"] = table["matched_by"].astype("str")
        order = table.assign(cost=-cost).sort_values("cost", kind="stable").index
        shown = table.loc[order].reset_index(drop=True)
        return SpendMatches(
            table=shown,
            without_visits=shown[shown["visits"] == 0].reset_index(drop=True),
            without_spend=_without_spend(matched),
            proposals=proposals_of(costs.campaigns, table["visits"] == 0, cost, matched),
            currency=costs.currency,
            left_out=costs.left_out,
            remarks=[*costs.remarks, *costs.without_days()],
            _matched=int(some.sum()),
        )


def _without_spend(matched: Matched) -> pd.DataFrame:
    """Return the visits that may have been bought, and belong to no spend."""
    kinds = matched.kinds
    free = matched.campaign < 0
    counts = np.bincount(kinds.of_visit[free], minlength=len(kinds.table))
    counts[matched.wider["kind"].to_numpy()] = 0
    columns = ["channel", "source", "medium", "utm_campaign"]
    table = kinds.table[columns].assign(visits=counts)
    table = table[(counts > 0) & (paid_kinds(table) | table["utm_campaign"].notna())]
    table = table.groupby(columns, dropna=False)["visits"].sum().reset_index()
    return table.sort_values(["visits", *columns], ascending=[False] + [True] * 4,
                             ignore_index=True)  # fmt: skip


def match_spend(
    s: StitchedEvents,
    spend: pd.DataFrame | Spend,
    mapping: pd.DataFrame | Mapping[Any, Any] | None = None,
    visits: Visits | None = None,
    rates: Mapping[str, float] | None = None,
) -> SpendMatches:
    """Join spend to visits. See `Stitched.match_spend`."""
    costs = costs_of(spend, rates, base_of(rates))
    said = said_by_visits(s, VisitRules.of(visits), costs)
    return matches_of(costs, said, mapping, segment_said(s))


def said_by_visits(s: StitchedEvents, rules: VisitRules, costs: Costs) -> SaidByVisits:
    """Return what visits say that spend may be joined by."""
    sessions = sessions_of(s, rules)
    return SaidByVisits.of(sessions, np.flatnonzero(sessions.arrival >= 0), id_levels(costs))


def matches_of(
    costs: Costs,
    visits: SaidByVisits,
    mapping: pd.DataFrame | Mapping[Any, Any] | None,
    segment: str,
) -> SpendMatches:
    """Join spend to what visits say.

    Parameters
    ----------
    costs : Costs
    visits : SaidByVisits
    mapping
        As `Stitched.match_spend` takes it.
    segment : str
        What the visits are a segment by; empty if they are all.
    """
    result = Join.of(costs, visits, mapping).result()
    return replace(result, remarks=[*of_segment(segment), *result.remarks])


def segment_said(s: StitchedEvents) -> str:
    """Return what events are a segment by; empty if they are all."""
    return "" if s.segment is None else s.segment.description


def of_segment(segment: str) -> list[str]:
    """Return a remark if the events are those of a segment, none if they are all."""
    if not segment:
        return []
    return [
        f"Visits and orders are those of a segment ({segment}), and spend is that of "
        "everybody, unless its rows were chosen likewise: do not read the ratios to it as the "
        "segment's."
    ]


def names_of(texts: pd.Series, otherwise: str) -> NumberedText:
    """Return names as numbers, with another where there is none.

    Examples
    --------
    >>> names_of(pd.Series(["a", None], dtype="str"), "(no name)").take(np.array([1])).tolist()
    ['(no name)']
    """
    return NumberedText.of(texts.fillna(otherwise).astype("str").reset_index(drop=True))

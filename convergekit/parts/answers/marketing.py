"""Spend and what it brought, by parts: the orders and visits of each part, one below the other."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from convergekit.attribution.attribute import ComparedJourneys
from convergekit.attribution.data_driven import DATA_DRIVEN
from convergekit.events.amounts import events_named
from convergekit.events.observed import observed
from convergekit.events.steps import StepLike, among_all
from convergekit.identity.tables import StitchedEvents
from convergekit.marketing.brought import Brought, brought_by, steps_asked, usual_steps
from convergekit.marketing.costs import Costs, base_of, costs_of
from convergekit.marketing.match import id_levels
from convergekit.marketing.matches import SpendMatches, matches_of, said_by_visits, segment_said
from convergekit.marketing.measure import MarketingKnown, Seen, marketing_of
from convergekit.marketing.question import MarketingQuestion
from convergekit.marketing.result import Marketing
from convergekit.marketing.said import SaidByVisits
from convergekit.marketing.sales import SoldEvents, sales_of
from convergekit.parts.answers.below import rows_below
from convergekit.parts.answers.visits import compared_of
from convergekit.parts.each import EachPart
from convergekit.spend.result import Spend
from convergekit.typing import IntArray
from convergekit.visits.rules import VisitRules, Visits


def match_spend_by_parts(
    each: EachPart,
    spend: pd.DataFrame | Spend,
    mapping: pd.DataFrame | Mapping[Any, str] | None,
    visits: Visits | None,
    rates: Mapping[str, float] | None,
) -> SpendMatches:
    """Join spend to visits. See `Stitched.match_spend`."""
    rules = VisitRules.of(visits)
    costs = costs_of(spend, rates, base_of(rates))
    found = list(each(partial(_said_of, rules=rules, costs=costs)))
    said = SaidByVisits.together([one for one, _ in found])
    return matches_of(costs, said, mapping, found[-1][1])


def marketing_by_parts(
    each: EachPart,
    spend: pd.DataFrame | Spend,
    asked: MarketingQuestion,
    observed_until: pd.Timestamp | None,
) -> tuple[Marketing, MarketingKnown]:
    """Return spend beside what it brought, and what that is of. See `Stitched.marketing`.

    Parameters
    ----------
    each : EachPart
    spend, asked
        As `convergekit.marketing.measure.marketing` takes them.
    observed_until : pandas.Timestamp or None
        Until when profiles are observed, where that was given.
    """
    found = list(each(partial(_sold_of, asked=asked)))
    sold = SoldEvents(
        *_numbered([one.sold for one in found]),
        found[-1].seen.observed,
        _whole(found, observed_until),
    )
    sales = sales_of(sold, asked)
    costs = costs_of(spend, asked.rates, sales.currency)
    rows = sold.events["row"].to_numpy(dtype=np.int64)[sales.position]
    steps = steps_asked(asked, {name for one in found for name in one.usual})
    effects = None
    if asked.model in DATA_DRIVEN:
        compared = list(each(partial(compared_of, question=asked.of_attribution())))
        effects = ComparedJourneys.together(compared).effects()
    of_part = partial(
        _brought_by, asked=asked, rows=rows, steps=steps, levels=id_levels(costs), effects=effects
    )
    brought = Brought.together(list(each(of_part)))
    whole = marketing_of(asked, sales, rows, costs, brought, found[-1].seen)
    return whole, MarketingKnown(asked, sales, rows, costs, brought)


class _Events(NamedTuple):
    """Some events of a part, the number of each one's profile, and how many profiles there are."""

    events: pd.DataFrame
    profile: IntArray
    profiles: int

    @classmethod
    def of(cls, s: StitchedEvents, steps: Sequence[StepLike]) -> _Events:
        """Return the events of some steps."""
        at = np.unique(np.concatenate([events_named(s.events, step) for step in steps]))
        events = among_all(s.events.iloc[at], s.events)
        return cls(events, s.resolution.profile[at], len(s.resolution.profile_ids))


class _Sold(NamedTuple):
    """The orders and refunds of a part.

    Of a segment, `whole` has the orders of all events of its profiles, and the times of these;
    `leaves_out` says whether it leaves some of them out.
    """

    sold: _Events
    whole: tuple[_Events, pd.DataFrame] | None
    leaves_out: bool
    usual: set[str]
    seen: Seen


def _sold_of(number: int, s: StitchedEvents, *, asked: MarketingQuestion) -> _Sold:
    steps = [step for step in (asked.conversion, asked.refund) if step is not None]
    whole = None
    if s.segment is not None:
        # When they were observed is told by their own times.
        times = [name for name in ("timestamp", "received_at") if name in s.whole.events]
        whole = _Events.of(s.whole, [asked.conversion]), s.whole.events[times]
    return _Sold(_Events.of(s, steps), whole, s.whole is not s, usual_steps(s), Seen.of(s))


def _numbered(parts: Sequence[_Events]) -> tuple[pd.DataFrame, IntArray]:
    """Return the events of all parts, and the numbers of their profiles through all parts."""
    before = np.cumsum([0, *(part.profiles for part in parts)]).tolist()
    profile = [
        np.where(part.profile < 0, -1, part.profile + first)
        for part, first in zip(parts, before, strict=False)
    ]
    row = np.concatenate([part.events["row"].to_numpy(dtype=np.int64) for part in parts])
    return rows_below([part.events for part in parts]), np.concatenate(profile)[np.argsort(row)]


def _whole(found: list[_Sold], observed_until: pd.Timestamp | None) -> SoldEvents | None:
    wholes = [one.whole for one in found if one.whole is not None]
    if not any(one.leaves_out for one in found):
        return None
    times = pd.concat([times for _, times in wholes if len(times)] or [wholes[0][1]])
    span = observed(times.reset_index(drop=True), observed_until)
    return SoldEvents(*_numbered([events for events, _ in wholes]), span, None)


def _brought_by(
    number: int,
    s: StitchedEvents,
    *,
    asked: MarketingQuestion,
    rows: IntArray,
    steps: Mapping[str, StepLike],
    levels: Collection[str],
    effects: pd.DataFrame | None,
) -> Brought:
    return brought_by(s, asked, rows, steps, levels, effects)


def _said_of(
    number: int, s: StitchedEvents, *, rules: VisitRules, costs: Costs
) -> tuple[SaidByVisits, str]:
    return said_by_visits(s, rules, costs), segment_said(s)

"""Sessions and attribution by parts: the rows of each part, one below the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from convergekit.attribution.attribute import (
    Attributor,
    ComparedJourneys,
    attribution,
    whole_cents,
)
from convergekit.attribution.data_driven import DATA_DRIVEN
from convergekit.attribution.question import Question
from convergekit.attribution.result import Attribution
from convergekit.attribution.without_campaign import (
    WithoutCampaign,
    outcomes_in,
    without_campaign_of,
)
from convergekit.events.amounts import summed_amounts
from convergekit.events.steps import StepLike
from convergekit.identity.tables import StitchedEvents
from convergekit.parts.answers.activity import amount_columns, events_by_parts
from convergekit.parts.answers.below import values_below
from convergekit.parts.each import EachPart
from convergekit.visits.rules import VisitRules
from convergekit.visits.sessions import sessions


def sessions_by_parts(
    each: EachPart, rules: VisitRules, conversion: StepLike | None
) -> pd.DataFrame:
    """Return a row per session, by start. See `Stitched.sessions`."""
    whole = values_below(list(each(partial(_sessions_of, rules=rules, conversion=conversion))))
    return whole.sort_values(["start", "session_id"], kind="stable", ignore_index=True)


def attribution_by_parts(each: EachPart, question: Question) -> Attribution:
    """Return which visits conversions are credited to. See `Stitched.attribution`.

    Raises
    ------
    ConvergekitError
        As `Stitched.attribution` raises it.
    """
    compares = any(name in DATA_DRIVEN for name in question.models)
    check_values(each, question)
    effects = None
    if compares:
        # They compare all journeys: these are counted first.
        compared = list(each(partial(compared_of, question=question)))
        effects = ComparedJourneys.together(compared).effects()
    found = list(each(partial(_attribution_of, question=question, effects=effects)))
    credited = values_below([one.credits for one in found])
    model = pd.Categorical(credited["model"], categories=list(question.models)).codes
    order = np.lexsort((credited["row"].to_numpy(), model))
    return replace(
        found[0],
        credits=credited.take(order).reset_index(drop=True),
        unpriced=sum(one.unpriced for one in found),
    )


def without_campaign_by_parts(
    each: EachPart,
    asked: Question,
    value: str | None,
    currency: str | None,
    rates: Mapping[str, float] | None,
) -> WithoutCampaign:
    """Return the conversions with the reason of each. See `Stitched.without_campaign`."""
    found = values_below(list(each(partial(_outcomes_of, asked=asked))))
    outcomes = found.sort_values("row", kind="stable", ignore_index=True)
    if value is not None:
        events = events_by_parts(each, [asked.conversion])
        at = np.arange(len(events))
        outcomes["value"] = summed_amounts(events, at, value, currency, rates)
    return without_campaign_of(outcomes, asked)


def _outcomes_of(number: int, s: StitchedEvents, *, asked: Question) -> pd.DataFrame:
    return outcomes_in(s, asked)


def check_values(each: EachPart, question: Question) -> None:
    """Raise if the conversions of all parts cannot be added up, as `Stitched.attribution` does."""
    if question.value is not None:
        needed = partial(amount_columns, value=question.value)
        events = events_by_parts(each, [question.conversion], needed)
        whole_cents(events, np.arange(len(events)), question)


def _sessions_of(
    number: int, s: StitchedEvents, *, rules: VisitRules, conversion: StepLike | None
) -> pd.DataFrame:
    return sessions(s, rules, conversion)


def compared_of(number: int, s: StitchedEvents, *, question: Question) -> ComparedJourneys:
    """Return what data-driven models look at in a part."""
    # What conversions are worth makes no difference here.
    attributor = Attributor(s, replace(question, value=None))
    found = attributor.journeyed(s.resolution.profile, as_of=s.identity == "as_of")
    return found.compared(question.models)


def _attribution_of(
    number: int, s: StitchedEvents, *, question: Question, effects: pd.DataFrame | None
) -> Attribution:
    return attribution(s, question, effects)

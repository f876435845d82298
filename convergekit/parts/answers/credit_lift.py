"""What stitching moves of the credit, by parts: the credits of each, one below the other."""

from __future__ import annotations

from functools import partial

import pandas as pd

from convergekit.attribution.attribute import ComparedJourneys
from convergekit.attribution.data_driven import DATA_DRIVEN
from convergekit.attribution.lift import (
    AttributionLift,
    LiftCredits,
    Ways,
    compared_by_way,
    lift_credits,
    lift_of_credits,
)
from convergekit.attribution.question import Question
from convergekit.identity.tables import StitchedEvents
from convergekit.parts.answers.visits import check_values
from convergekit.parts.each import EachPart


def attribution_lift_by_parts(each: EachPart, question: Question) -> AttributionLift:
    """Return the attribution per way of counting. See `Stitched.attribution_lift`."""
    compares = any(name in DATA_DRIVEN for name in question.models)
    check_values(each, question)
    ways = Ways.together(list(each(_ways_of)))
    effects = None
    if compares:
        compared = list(each(partial(_compared_of, question=question, ways=ways)))
        effects = {
            way: ComparedJourneys.together([part[way] for part in compared]).effects()
            for way in compared[0]
        }
    of_part = partial(_credits_of, question=question, ways=ways, effects=effects)
    return lift_of_credits(LiftCredits.together(list(each(of_part))), question)


def _ways_of(number: int, s: StitchedEvents) -> Ways:
    return Ways.of(s)


def _compared_of(
    number: int, s: StitchedEvents, *, question: Question, ways: Ways
) -> dict[str, ComparedJourneys]:
    return compared_by_way(s, question, ways)


def _credits_of(
    number: int,
    s: StitchedEvents,
    *,
    question: Question,
    ways: Ways,
    effects: dict[str, pd.DataFrame] | None,
) -> LiftCredits:
    return lift_credits(s, question, ways, effects)

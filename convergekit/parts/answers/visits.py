"""Sessions and attribution by parts: the rows of each part, one below the other."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from convergekit.attribution.attribute import attribution, whole_cents
from convergekit.attribution.models import DATA_DRIVEN
from convergekit.attribution.question import Question
from convergekit.attribution.result import Attribution
from convergekit.errors import NotOnThisEngine
from convergekit.events.steps import StepLike
from convergekit.identity.tables import StitchedEvents
from convergekit.parts.answers.activity import events_by_parts
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
    NotOnThisEngine
        A model compares journeys, which are in several parts.
    ConvergekitError
        As `Stitched.attribution` raises it.
    """
    compared = [name for name in question.models if name in DATA_DRIVEN]
    if compared:
        raise NotOnThisEngine(
            f"model={compared[0]!r} is not computed by parts yet: it compares all journeys. Take "
            "a model of rules, such as 'linear' or 'time_decay'."
        )
    if question.value is not None:
        # Currencies are of all conversions together.
        events = events_by_parts(each, [question.conversion])
        whole_cents(events, np.arange(len(events)), question)
    found = list(each(partial(_attribution_of, question=question)))
    credited = values_below([one.credits for one in found])
    model = pd.Categorical(credited["model"], categories=list(question.models)).codes
    order = np.lexsort((credited["row"].to_numpy(), model))
    return replace(
        found[0],
        credits=credited.take(order).reset_index(drop=True),
        unpriced=sum(one.unpriced for one in found),
    )


def _sessions_of(
    number: int, s: StitchedEvents, *, rules: VisitRules, conversion: StepLike | None
) -> pd.DataFrame:
    return sessions(s, rules, conversion)


def _attribution_of(number: int, s: StitchedEvents, *, question: Question) -> Attribution:
    return attribution(s, question)

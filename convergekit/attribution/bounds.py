"""Answer how far credits can be from those of people."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from convergekit.attribution.question import Question
from convergekit.attribution.recount import Recredited
from convergekit.attribution.worst import worst_credits
from convergekit.certainty.answering import Asking, bounds_of_numbers
from convergekit.certainty.asked import Asked, checked_level
from convergekit.certainty.numbers import Answer
from convergekit.certainty.result import Bounds


def bounds_of_credits(asked: Asked[Question], level: float) -> Bounds:
    """Return how far credits can be from those of people. See `Attribution.bounds`."""
    level = checked_level(level)
    s, question = asked.known("attribution(...)")
    of = Recredited.of(s, question)
    models = of.attributor.models

    rows = pd.DataFrame(
        {
            "model": pd.Series(np.repeat(models, len(of.labels)), dtype="str"),
            question.by: pd.Series(np.tile(of.labels, len(models)), dtype="str"),
        }
    )
    stitched = of.totals(of.occurring.unit)[:len(rows)]
    answer = Answer(of.occurring, stitched, of.totals, of.numbers, of.chance, of.instead())
    number = "conversions" if question.value is None else question.value
    worst = worst_credits(s, question, of)
    found = bounds_of_numbers(s, Asking(answer, rows, number, "visits", worst), level)
    # Labels that nothing is credited to, and nothing may be, say nothing.
    some = found.table[["stitched", "high"]].ne(0).any(axis=1)
    return replace(found, table=found.table[some].reset_index(drop=True))

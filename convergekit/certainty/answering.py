"""Bounds of any answer that can be given anew for other people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from convergekit.certainty.asked import reasons_of
from convergekit.certainty.assumptions import (
    ARRIVED,
    DEVICES,
    NO_TOKENS,
    ORDERS,
    SUSPECTS,
    WORST,
)
from convergekit.certainty.evidence import evidence_of
from convergekit.certainty.numbers import Recounting, estimate_numbers
from convergekit.certainty.result import AnswerBounds, numbers_table
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import FloatArray


@dataclass(frozen=True)
class NumbersAsked:
    """Numbers whose bounds are asked for.

    Attributes
    ----------
    answer : Recounting
    rows : pandas.DataFrame
        What each number is of.
    number : str
        What the numbers are.
    begins : str
        What the events are called that begin, such as ``"visits"``.
    worst : tuple of numpy.ndarray of float
        What the data do not exclude.
    """

    answer: Recounting
    rows: pd.DataFrame
    number: str
    begins: str
    worst: tuple[FloatArray, FloatArray]


def bounds_of_numbers(s: StitchedEvents, asking: NumbersAsked, level: float) -> AnswerBounds:
    """Return how far numbers can be from those of people.

    Parameters
    ----------
    s : StitchedEvents
    asking : NumbersAsked
    level : float
        How often the interval is meant to hold the true number.
    """
    answer = asking.answer
    stitched = answer.stitched
    evidence = evidence_of(s, answer.occurring)
    reasons = reasons_of(answer.occurring, evidence, asking.begins)
    found = None if reasons else estimate_numbers(answer, evidence, level)
    worst = asking.worst
    # The stitched number is one that may be true, whatever the last digits of sums are.
    worst = np.fmin(worst[0], stitched), np.fmax(worst[1], stitched)
    known = evidence.reached.is_known or not len(evidence.drawable.buyers)
    assumed = [ARRIVED, *DEVICES, ORDERS if known else NO_TOKENS, SUSPECTS]
    return AnswerBounds(
        table=numbers_table(asking.rows, stitched, found, worst),
        of=list(asking.rows),
        number=asking.number,
        level=level,
        assumptions=[WORST] if reasons else assumed,
        reasons=reasons,
    )

"""Bounds of any answer that can be given anew for other people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

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
from convergekit.certainty.evidence import Evidence, EvidenceInPart, evidence_together
from convergekit.certainty.numbers import Recounting, estimate_numbers
from convergekit.certainty.occurring import Occurring
from convergekit.certainty.result import AnswerBounds, numbers_table
from convergekit.certainty.worst import Logins
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import FloatArray, IntArray


@dataclass(frozen=True)
class OccurringInPart:
    """The events of a part that take part in an answer, and what is known of who did them.

    Attributes
    ----------
    events : Occurring
        With the rows of the whole for positions.
    logins : Logins
    evidence : EvidenceInPart
    """

    events: Occurring
    logins: Logins
    evidence: EvidenceInPart

    @classmethod
    def of(cls, s: StitchedEvents, occurring: Occurring) -> OccurringInPart:
        """Return the events of a part."""
        rows = s.events["row"].to_numpy(dtype=np.int64)
        placed = replace(occurring, position=rows[occurring.position])
        return cls(placed, Logins.of(s), EvidenceInPart.of(s, occurring))


@dataclass(frozen=True)
class OccurringInAll:
    """The events of all parts that take part in an answer, and what is known of who did them.

    Attributes
    ----------
    events : Occurring
    logins : Logins
    evidence : Evidence
    profiles, first : list of int
        How many profiles, and how many events that take part, the parts before each have.
    """

    events: Occurring
    logins: Logins
    evidence: Evidence
    profiles: list[int]
    first: list[int]

    @classmethod
    def of(cls, parts: Sequence[OccurringInPart]) -> OccurringInAll:
        """Put the events of all parts together."""
        profiles = numbers_before([len(one.logins.more) for one in parts])
        return cls(
            events=Occurring.together([one.events for one in parts], profiles),
            logins=Logins.together([one.logins for one in parts]),
            evidence=evidence_together([one.evidence for one in parts]),
            profiles=profiles,
            first=numbers_before([len(one.events.unit) for one in parts]),
        )

    def profile(self, of_parts: Sequence[IntArray]) -> IntArray:
        """Return numbers of profiles of each part as those of the whole."""
        return below(of_parts, self.profiles)

    def place(self, of_parts: Sequence[IntArray]) -> IntArray:
        """Return places among the events of each part as those among all."""
        return below(of_parts, self.first)


def numbers_before(sizes: Sequence[int]) -> list[int]:
    """Return how many there are in the parts before each.

    Examples
    --------
    >>> numbers_before([3, 1, 4])
    [0, 3, 4]
    """
    return [0, *np.cumsum(sizes).tolist()][: len(sizes)]


def below(of_parts: Sequence[IntArray], first: Sequence[int]) -> IntArray:
    """Return numbers of each part as numbers of the whole; -1 stays.

    Examples
    --------
    >>> below([np.array([0, -1]), np.array([1])], [0, 5]).tolist()
    [0, -1, 6]
    """
    return np.concatenate(
        [np.where(one >= 0, one + at, -1) for one, at in zip(of_parts, first, strict=True)]
    )


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


def bounds_of_numbers(evidence: Evidence, asking: NumbersAsked, level: float) -> AnswerBounds:
    """Return how far numbers can be from those of people.

    Parameters
    ----------
    evidence : Evidence
    asking : NumbersAsked
    level : float
        How often the interval is meant to hold the true number.
    """
    answer = asking.answer
    stitched = answer.stitched
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

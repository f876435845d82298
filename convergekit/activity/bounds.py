"""Recounting how far retention can be from that of people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from convergekit.activity.clocks import Clock
from convergekit.activity.events import Chosen, Subject
from convergekit.activity.labels import Labels
from convergekit.activity.retention import (
    RetentionQuestion,
    averages,
    cohort_table,
    cohorts_of_events,
    starts_of,
)
from convergekit.certainty.answering import NumbersAsked, bounds_of_numbers
from convergekit.certainty.asked import AskedOf, checked_level
from convergekit.certainty.occurring import Occurring
from convergekit.certainty.numbers import Recounting
from convergekit.certainty.result import AnswerBounds
from convergekit.certainty.worst import certain_units
from convergekit.errors import ConvergekitError
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import FloatArray, IntArray


def bounds_of_retention(
    asked: AskedOf[tuple[RetentionQuestion, Subject]], level: float
) -> AnswerBounds:
    """Return how far retention can be from that of people. See `Retention.bounds`."""
    level = checked_level(level)
    s, (question, subject) = asked.known("retention(...)")
    if question.by or question.cohort != "first":
        named = "by=" if question.by else f"cohort={question.cohort!r}"
        raise ConvergekitError(f"bounds are not known with {named}; ask them without.")
    of = _Recounted.of(s, question, subject)
    stitched = of.totals(of.occurring.unit)
    answer = Recounting(of.occurring, _shares(stitched), of.totals, _shares, _chance)
    rows = pd.DataFrame({"periods": np.arange(of.size)})
    started = f"events {question.start.title}"
    asking = NumbersAsked(answer, rows, "share", started, _worst(s, of))
    return bounds_of_numbers(s, asking, level)


@dataclass(frozen=True)
class _Recounted:
    """Who started and who came back, to be counted for other people.

    Attributes
    ----------
    question : RetentionQuestion
    subject : Subject
    occurring : Occurring
    begin, back : Chosen
        The events, as they are chosen.
    begin_at, back_at : numpy.ndarray of int
        The place of each in `occurring`.
    size : int
        For how many periods since the start somebody is observed.
    """

    question: RetentionQuestion
    subject: Subject
    occurring: Occurring
    begin: Chosen
    back: Chosen
    begin_at: IntArray
    back_at: IntArray
    size: int

    @classmethod
    def of(cls, s: StitchedEvents, question: RetentionQuestion, subject: Subject) -> _Recounted:
        """Return the events of a question."""
        begin, back = cohorts_of_events(subject, question)
        occurring = Occurring.of(s, begin.position, back.position)
        begin_at, back_at = (
            np.searchsorted(occurring.position, one.position) for one in (begin, back)
        )
        found = cls(question, subject, occurring, begin, back, begin_at, back_at, 0)
        table = found.curve(occurring.unit)
        size = int(table["periods"].max()) + 1 if len(table) else 0
        return cls(question, subject, occurring, begin, back, begin_at, back_at, size)

    def curve(self, unit: IntArray) -> pd.DataFrame:
        """Return `Retention.curve` where each event that takes part is of this person."""
        asked, events = self.question, self.subject.events
        clock = Clock.of(asked.freq, asked.periods, self.subject.calendar)
        begin = Chosen(self.begin.position, unit[self.begin_at], self.begin.time).of_profiles()
        back = Chosen(self.back.position, unit[self.back_at], self.back.time).of_profiles()
        first = starts_of(begin, events, clock, every=False)
        labels = Labels.of(pd.DataFrame(), len(first.profile), None)
        end = self.subject.observed.end
        return averages(cohort_table(first, back, end, clock, asked.mode, labels), ())

    def totals(self, unit: IntArray) -> FloatArray:
        """Return how many came back at each number of periods, and then of how many."""
        table = self.curve(unit)
        table = table[table["periods"] < self.size]
        totals = np.zeros((2, self.size))
        totals[:, table["periods"]] = table[["returned", "profiles"]].to_numpy(dtype=float).T
        return totals.reshape(-1)


def _shares(totals: FloatArray) -> FloatArray:
    returned, profiles = np.maximum(totals, 0.0).reshape(2, -1)
    return np.where(profiles > 0, np.minimum(returned / np.maximum(profiles, 1e-9), 1.0), np.nan)


def _chance(numbers: FloatArray, totals: FloatArray) -> FloatArray:
    people = np.maximum(totals.reshape(2, -1)[1], 1.0)
    return np.sqrt(numbers * (1 - numbers) / people)


def _worst(s: StitchedEvents, of: _Recounted) -> tuple[FloatArray, FloatArray]:
    """Return the least and the greatest shares that the data do not exclude.

    Each of the others brings one of those who are certain back, or keeps one from it.
    """
    unit, others = certain_units(s, of.occurring)
    returned, people = of.totals(unit).reshape(2, -1)
    low = np.maximum(returned - others, 0.0) / np.maximum(people, 1.0)
    gone = np.maximum(people - returned - others, 0.0)
    high = (returned + others) / np.maximum(returned + others + gone, 1.0)
    return low, np.where(people + others > 0, high, 1.0)

"""Recounting how far retention can be from that of people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from convergekit.activity.clocks import Clock
from convergekit.activity.events import Chosen, Subject
from convergekit.activity.labels import Labels
from convergekit.activity.retention import (
    RetentionAsked,
    RetentionQuestion,
    averages,
    cohort_table,
    cohorts_of_events,
    starts_of,
)
from convergekit.certainty.answering import (
    NumbersAsked,
    OccurringInAll,
    OccurringInPart,
    bounds_of_numbers,
)
from convergekit.certainty.asked import AskedOf, checked_level
from convergekit.certainty.numbers import Recounting
from convergekit.certainty.occurring import Occurring
from convergekit.certainty.result import AnswerBounds
from convergekit.certainty.worst import Logins, certain_units
from convergekit.errors import ConvergekitError
from convergekit.events.calendar import Calendar
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import FloatArray, IntArray


def bounds_of_retention(asked: AskedOf[RetentionAsked], level: float) -> AnswerBounds:
    """Return how far retention can be from that of people. See `Retention.bounds`."""
    level = checked_level(level)
    each, question = asked.known("retention(...)")
    if question.asked.by or question.asked.cohort != "first":
        named = "by=" if question.asked.by else f"cohort={question.asked.cohort!r}"
        raise ConvergekitError(f"bounds are not known with {named}; ask them without.")
    parts = list(each(partial(_CohortsInPart.of, question=question)))
    whole = OccurringInAll.of([one.occurring for one in parts])
    of = _Recounted.of(parts, whole, question.asked)
    stitched = of.totals(of.occurring.unit)
    answer = Recounting(of.occurring, _shares(stitched), of.totals, _shares, _chance)
    rows = pd.DataFrame({"periods": np.arange(of.size)})
    started = f"events {question.asked.start.title}"
    asking = NumbersAsked(answer, rows, "share", started, _worst(whole.logins, of))
    return bounds_of_numbers(whole.evidence, asking, level)


@dataclass(frozen=True)
class _CohortsInPart:
    """The events of a part by which profiles start and return.

    Attributes
    ----------
    occurring : OccurringInPart
    begin, back : numpy.ndarray of int
        The place in `occurring` of each.
    calendar : Calendar
    end : pandas.Timestamp
        Until when profiles are observed.
    """

    occurring: OccurringInPart
    begin: IntArray
    back: IntArray
    calendar: Calendar
    end: pd.Timestamp

    @classmethod
    def of(cls, number: int, s: StitchedEvents, *, question: RetentionAsked) -> _CohortsInPart:
        """Return the events of a part."""
        subject = Subject.of_stitched(s, question.calendar, question.visits)
        begin, back = cohorts_of_events(subject, question.asked)
        occurring = Occurring.of(s, begin.position, back.position)
        at = [np.searchsorted(occurring.position, one.position) for one in (begin, back)]
        found = OccurringInPart.of(s, occurring)
        return cls(found, at[0], at[1], subject.calendar, subject.observed.end)


@dataclass(frozen=True)
class _Recounted:
    """Who started and who came back, to be counted for other people.

    Attributes
    ----------
    question : RetentionQuestion
    calendar : Calendar
    end : pandas.Timestamp
        Until when profiles are observed.
    occurring : Occurring
    begin, back : numpy.ndarray of int
        The place in `occurring` of each event by which profiles start, and return.
    size : int
        For how many periods since the start somebody is observed.
    """

    question: RetentionQuestion
    calendar: Calendar
    end: pd.Timestamp
    occurring: Occurring
    begin: IntArray
    back: IntArray
    size: int

    @classmethod
    def of(
        cls, parts: Sequence[_CohortsInPart], whole: OccurringInAll, question: RetentionQuestion
    ) -> _Recounted:
        """Return the events of a question, of all parts."""
        found = cls(
            question=question,
            calendar=parts[-1].calendar,
            end=parts[-1].end,
            occurring=whole.events,
            begin=whole.place([one.begin for one in parts]),
            back=whole.place([one.back for one in parts]),
            size=0,
        )
        table = found.curve(whole.events.unit)
        return replace(found, size=int(table["periods"].max()) + 1 if len(table) else 0)

    def curve(self, unit: IntArray) -> pd.DataFrame:
        """Return `Retention.curve` where each event that takes part is of this person."""
        asked = self.question
        clock = Clock.of(asked.freq, asked.periods, self.calendar)
        begin, back = (self._chosen(at, unit) for at in (self.begin, self.back))
        # Of one time any will do: which arrived first makes no difference.
        first = starts_of(begin, pd.DataFrame(), clock, every=False)
        labels = Labels.of(pd.DataFrame(), len(first.profile), None)
        return averages(cohort_table(first, back, self.end, clock, asked.mode, labels), ())

    def _chosen(self, at: IntArray, unit: IntArray) -> Chosen:
        return Chosen(at, unit[at], self.occurring.time[at]).of_profiles()

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


def _worst(logins: Logins, of: _Recounted) -> tuple[FloatArray, FloatArray]:
    """Return the least and the greatest shares that the data do not exclude.

    Each of the others brings one of those who are certain back, or keeps one from it.
    """
    unit, others = certain_units(logins, of.occurring)
    returned, people = of.totals(unit).reshape(2, -1)
    low = np.maximum(returned - others, 0.0) / np.maximum(people, 1.0)
    gone = np.maximum(people - returned - others, 0.0)
    high = (returned + others) / np.maximum(returned + others + gone, 1.0)
    return low, np.where(people + others > 0, high, 1.0)

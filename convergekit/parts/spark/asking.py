"""Asking the parts of a run inside executors.

What visits are told by is learned of all parts, by the rules of a question. An executor knows what
was learned so far. Where a question needs more, each part answers instead what is learned of it;
the driver puts that together, and asks again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from convergekit.identity.tables import StitchedEvents
from convergekit.parts.each import Kept
from convergekit.parts.facts import FactsOfTheWhole, LearnedByParts
from convergekit.parts.spark.jobs import each_of
from convergekit.parts.spark.steps import Steps
from convergekit.visits.browsers import SpokenInPart
from convergekit.visits.learned import Spoken

OfPart = Callable[[int, StitchedEvents], Kept]
_Rules = tuple[Sequence[str] | None, Sequence[str]]


@dataclass(frozen=True)
class Wanted:
    """What a part answers that would have to know what is not learned yet.

    Attributes
    ----------
    rules : tuple
        By which rules of visits it is to be learned.
    spoken : SpokenInPart
        What is learned of this part.
    """

    rules: _Rules
    spoken: SpokenInPart


@dataclass(frozen=True)
class Parts:
    """The parts of a run, as the driver asks them.

    Attributes
    ----------
    session : pyspark.sql.SparkSession
    steps : Steps
    """

    session: Any
    steps: Steps

    def plain(
        self, numbers: Sequence[int], of_part: OfPart[Kept], learned: LearnedByParts
    ) -> Iterator[Kept]:
        """Ask parts that know no more than themselves."""
        task = partial(_plain, steps=self.steps, of_part=of_part)
        return each_of(self.session, numbers, task, learned.of_all)

    def knowing(
        self,
        numbers: Sequence[int],
        of_part: OfPart[Kept],
        facts: FactsOfTheWhole,
        learned: LearnedByParts,
    ) -> Iterator[Kept]:
        """Ask parts that know what they have to of the whole."""
        known = dict(learned.known)
        task = partial(_knowing, steps=self.steps, of_part=of_part, facts=facts, known=known)
        answers = each_of(self.session, numbers, task, learned.of_all)
        for place, answer in enumerate(answers):
            if isinstance(answer, Wanted):
                rest = zip(numbers[place + 1 :], answers, strict=True)
                self._learn(answer, {numbers[place]: answer, **dict(rest)}, learned)
                yield from self.knowing(numbers[place:], of_part, facts, learned)
                return
            yield answer

    def _learn(self, wanted: Wanted, answers: dict[int, Any], learned: LearnedByParts) -> None:
        """Learn what a question needs, of all parts."""
        spoken = {
            number: answer.spoken
            for number, answer in answers.items()
            if isinstance(answer, Wanted) and answer.rules == wanted.rules
        }
        others = [number for number in range(self.steps.done.parts) if number not in spoken]
        asked = self.plain(others, learned.asking(*wanted.rules), learned)
        spoken |= dict(zip(others, asked, strict=True))
        learned.learn(*wanted.rules, [spoken[number] for number in sorted(spoken)])


class _NotLearnedYet(Exception):  # noqa: N818 - it never leaves this module
    def __init__(self, rules: _Rules) -> None:
        super().__init__(rules)
        self.rules = rules


class _LearnedSoFar(LearnedByParts):
    """What was learned before a part is asked in an executor, which cannot ask the others."""

    def __init__(self, facts: FactsOfTheWhole, known: dict[object, Spoken]) -> None:
        super().__init__(facts, lambda _: iter(()))
        self.known = known

    def learn(
        self,
        own_domains: Sequence[str] | None,
        ignored: Sequence[str],
        parts: Sequence[SpokenInPart],
    ) -> Spoken:
        raise _NotLearnedYet((own_domains, tuple(ignored)))


def _plain(number: int, *, steps: Steps, of_part: OfPart[Kept]) -> Kept:
    return of_part(number, steps.run().part(number))


def _knowing(
    number: int,
    *,
    steps: Steps,
    of_part: OfPart[Kept],
    facts: FactsOfTheWhole,
    known: dict[object, Spoken],
) -> Kept | Wanted:
    s = steps.run().part(number)
    learned = _LearnedSoFar(facts, known)
    try:
        return of_part(number, facts.given_to(s, learned.of_all))
    except _NotLearnedYet as wanted:
        return Wanted(wanted.rules, learned.asking(*wanted.rules)(number, s))

"""What a report is asked: sections by name, and results that the analyst has already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import pandas as pd

from convergekit.base.options import choice
from convergekit.checks.money import find_money
from convergekit.checks.wording import property_name
from convergekit.errors import ConvergekitError
from convergekit.events.steps import StepLike, as_steps
from convergekit.funnels.suggest import Suggestion, suggested
from convergekit.report.about import About

if TYPE_CHECKING:
    from convergekit.base.durations import Duration
    from convergekit.spend.result import Spend

#: The sections that a report has of its own.
Name: TypeAlias = Literal["report", "funnel", "trend", "channels", "spend", "suspects", "check-up"]
#: What `questions=` of a report takes: names of sections, results, or headings and these.
Questions: TypeAlias = Iterable[Any] | Mapping[str, Any]

HEADINGS: dict[str, str] = {
    "report": "The data",
    "funnel": "Funnel",
    "trend": "Trend",
    "channels": "Channels",
    "spend": "Spend",
    "suspects": "Suspects",
    "check-up": "Check-up",
}
#: A breakdown shows so many labels, and the rest as one.
MOST_LABELS = 6
_USUAL_BY = "utm_source"
_USUAL_WITHIN = "7D"


@dataclass(frozen=True)
class Topic:
    """One section that was asked for.

    Attributes
    ----------
    heading : str
    name : str
        Of the section; empty for a result.
    result : object
        None for a section by name.
    call : str
        The code that makes the result, where it was given.
    """

    heading: str
    name: str = ""
    result: Any = None
    call: str = ""


@dataclass(frozen=True)
class Asked:
    """A Stitched, and what is asked of it.

    Attributes
    ----------
    s : Stitched or StitchedParts
    about : About
        What is known of its events.
    spend : DataFrame, Spend or None
    given_steps : sequence of str, sequence of str, or Step, or None
    within : str or datetime.timedelta
    given_by : str or None
        The breakdown; None for the usual one, where the data have it, and empty for none.
    answers : dict
        What several sections ask for, by its name.
    """

    s: Any
    about: About
    spend: pd.DataFrame | Spend | None = None
    given_steps: Any = None
    within: Duration = _USUAL_WITHIN
    given_by: str | None = None
    answers: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def suggestion(self) -> Suggestion:
        """The funnel that the names of the events suggest."""
        return suggested(self.about.names)

    @cached_property
    def steps(self) -> list[StepLike]:
        """The steps of the funnel: those given, or those that the names of events suggest."""
        if self.given_steps is None:
            return list(self.suggestion.steps)
        as_steps(self.given_steps)
        return list(self.given_steps)

    @cached_property
    def by(self) -> str:
        """The column of the breakdown; empty for none."""
        if self.given_by is not None:
            return self.given_by
        there = f"profile.{_USUAL_BY}" in self.about.columns
        return _USUAL_BY if there else ""

    @cached_property
    def order(self) -> str | None:
        """The name of the events that are orders."""
        return self.suggestion.order

    @cached_property
    def value(self) -> str | None:
        """The property that holds what an order was worth, if one does, in one currency."""
        if self.order is None:
            return None
        orders = self.about.named(self.order)
        found = find_money(orders)
        if found is None or len(found.currencies) > 1 or not found.readable:
            return None
        return property_name(found.column)

    @cached_property
    def freq(self) -> str:
        """The period of the trend, of which there are some and not too many."""
        begin, end = self.about.observed
        days = 0 if pd.isna(begin) else (end - begin).days
        return "D" if days <= 14 else "W" if days <= 200 else "M"


def asked_questions(questions: Questions | None, *, has_spend: bool) -> list[Topic]:
    """Return the sections that a report is to have.

    Raises
    ------
    ConvergekitError
        There are none, or one does not name a section.

    Examples
    --------
    >>> [one.heading for one in asked_questions(["funnel", "check-up"], has_spend=False)]
    ['Funnel', 'Check-up']
    """
    if questions is None:
        names = [name for name in get_args(Name) if has_spend or name != "spend"]
        return [Topic(HEADINGS[name], name) for name in names]
    if isinstance(questions, str):
        questions = [questions]
    if isinstance(questions, Mapping):
        found = [_question(str(heading), item) for heading, item in questions.items()]
    elif isinstance(questions, Iterable) and not isinstance(questions, pd.DataFrame):
        found = [_question(None, item) for item in questions]
    else:
        found = []
    if not found:
        raise ConvergekitError(
            "questions must be a list of sections such as ['report', 'funnel'], or a mapping of "
            f"headings to results such as {{'Weekly funnel': f}}; got {questions!r}."
        )
    return found


def _question(heading: str | None, item: Any) -> Topic:
    call = ""
    if isinstance(item, tuple) and len(item) == 2 and isinstance(item[1], str):
        item, call = item
    if isinstance(item, str):
        choice("questions", item, Name)
        return Topic(HEADINGS[item] if heading is None else heading, item)
    return Topic(type(item).__name__ if heading is None else heading, "", item, call)

"""Sixty questions on five stores: the call that answers, where the number stands, and what it is.

What is expected is counted from the rows of the events, without the answers of the face where that
can be.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from tests.machines.stores import STEPS, AskedStore, stores


@dataclass(frozen=True)
class Question:
    """A question, and the tool that answers it.

    Attributes
    ----------
    asked : str
    tool : str
    given : dict
    found : callable
        Takes the answers, and returns the number.
    expected : callable
        Takes the store, and returns the number.
    """

    asked: str
    tool: str
    given: dict[str, Any]
    found: Callable[[list[dict[str, Any]]], float]
    expected: Callable[[AskedStore], float]


def number(name: str, answer: int = 0) -> Callable[[list[dict[str, Any]]], float]:
    """Return what reads a number that stands for itself."""
    return lambda answers: next(
        one["value"] for one in answers[answer]["numbers"] if one["name"] == name
    )


def column(name: str, answer: int = 0, table: int = 0) -> Callable[..., pd.Series]:
    """Return what reads a column of a table."""

    def read(answers: list[dict[str, Any]]) -> pd.Series:
        found = answers[answer]["tables"][table]
        frame = pd.DataFrame(found["rows"], columns=[one["name"] for one in found["columns"]])
        first = frame.columns[0]
        return frame.set_index(first)[name]

    return read


def _tracked(store: AskedStore, name: str) -> pd.DataFrame:
    return store.s.events.query("kind == 'track' and event_name == @name")


def _in_time(store: AskedStore) -> int:
    """Count the profiles that ordered within 7 days of their first page, with a cart between."""
    got = 0
    for _, events in store.s.events.query("kind == 'track'").groupby("profile_id"):
        of = {name: sorted(events[events["event_name"] == name]["timestamp"]) for name in STEPS}
        pages, carts, orders = (of[name] for name in STEPS)
        if not pages:
            continue
        end = pages[0] + pd.Timedelta("7D")
        between = [at for at in carts if pages[0] <= at <= end]
        got += any(between[0] <= at <= end for at in orders) if between else False
    return got


def _customers(store: AskedStore) -> pd.Series:
    return (
        _tracked(store, "Placed Order").dropna(subset=["profile_id"]).groupby("profile_id").size()
    )


def _orders_of_profiles(store: AskedStore) -> pd.DataFrame:
    return _tracked(store, "Placed Order").dropna(subset=["profile_id"])


FUNNEL = {"steps": STEPS, "within": "7D"}
QUESTIONS: tuple[Question, ...] = (
    Question(
        "How many events were kept?", "overview", {}, number("events"),
        lambda store: len(store.s.events),
    ),
    Question(
        "How many profiles are there?", "overview", {}, number("profiles"),
        lambda store: store.s.events["profile_id"].nunique(),
    ),
    Question(
        "How many orders are there?", "overview", {},
        lambda answers: column("events")(answers)["Placed Order"],
        lambda store: len(_tracked(store, "Placed Order")),
    ),
    Question(
        "How many profiles viewed a page?", "funnel", FUNNEL, number("entered"),
        lambda store: _tracked(store, "PageView")["profile_id"].nunique(),
    ),
    Question(
        "How many of them ordered within a week?", "funnel", FUNNEL, number("converted"), _in_time,
    ),
    Question(
        "How many page views were there in all weeks?", "counts",
        {"event": "PageView", "freq": "W"},
        lambda answers: column("count")(answers).sum(),
        lambda store: len(_tracked(store, "PageView")),
    ),
    Question(
        "What did orders bring in all?", "counts",
        {"event": "Placed Order", "freq": "M", "value": "total_price"},
        lambda answers: round(column("sum")(answers).sum(), 2),
        lambda store: round(_orders_of_profiles(store)["properties.total_price"].sum(), 2),
    ),
    Question(
        "How many visits were there?", "visits", {}, number("all_visits"),
        lambda store: len(store.s.sessions()),
    ),
    Question(
        "How many customers are there?", "customers", {}, number("customers"),
        lambda store: len(_customers(store)),
    ),
    Question(
        "How many of them ordered again?", "customers", {}, number("ordered_again"),
        lambda store: int((_customers(store) > 1).sum()),
    ),
    Question(
        "What did advertising cost?", "marketing", {},
        lambda answers: round(number("all_spend")(answers), 2),
        lambda store: round(store.spend.table["spend"].sum(), 2),
    ),
    Question(
        "How many orders are credited to a visit or to none?", "attribution", {},
        lambda answers: round(column("conversions")(answers).sum(), 6),
        lambda store: len(_tracked(store, "Placed Order")),
    ),
)  # fmt: skip


@functools.cache
def expected(place: int, asked: str) -> float:
    """Return the number that a store's rows give, counted once."""
    return next(one for one in QUESTIONS if one.asked == asked).expected(stores()[place])


def all_questions() -> list[tuple[int, Question]]:
    """Return the sixty: twelve of each of the five stores."""
    return [(place, one) for place in range(len(stores())) for one in QUESTIONS]

"""Which of the latest days are alarms.

All comparisons of a week share 5 %: those of every number, every day, and every span of days
(Bonferroni). So in a week without a cause there is an alarm of any number in 5 % of weeks at most.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from convergekit.base.rounding import six_digits
from convergekit.typing import BoolArray, FloatArray, IntArray
from convergekit.watching.asked import WatchedNumber
from convergekit.watching.forecast import (
    FEWEST_EVENTS,
    PAST,
    SPANS,
    DailyNumber,
    Past,
    SpanForecast,
    past_of,
)

#: In how many weeks without a cause there may be an alarm of any number.
LEVEL = 0.05
#: How many days a figure shows.
_SHOWN = 42
_WEEK = 7
#: So surprising by its own past a number has to be where others say that it is an alarm: it is not
#: one because another has dropped.
_GATE = 0.05
#: On so many days of the past there is at most one other number that explains them.
_DAYS_A_NUMBER = 10
_WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


@dataclass(frozen=True)
class Judged:
    """What is said of a number on a day.

    Attributes
    ----------
    day : int
    span : SpanForecast or None
        The most surprising of the spans that end on the day; None where nothing is compared.
    p_value : float
        Adjusted for all that is compared in a week.
    reason : str
        Why nothing is compared.
    level : float
        Of a span alone, from which on it is an alarm.
    is_beside : bool
        Whether it is expected by how the other numbers moved, too, and not by its past alone.
    """

    day: int
    span: SpanForecast | None
    p_value: float
    reason: str
    level: float = LEVEL
    is_beside: bool = False

    @property
    def is_alarm(self) -> bool:
        """Whether it is beyond chance."""
        return self.p_value < LEVEL


def others(numbers: Sequence[DailyNumber], own: DailyNumber) -> list[DailyNumber]:
    """Return the numbers that may explain one: the other counts. Nothing explains a share.

    Amounts and shares explain nothing: where orders drop, their money does, too.

    Parameters
    ----------
    numbers : sequence of DailyNumber
        All that are known on the day.
    own : DailyNumber
        The one.
    """
    if own.base is not None:
        return []
    return [one for one in numbers if one is not own and one.is_count]


def judged(
    number: DailyNumber,
    day: int,
    usable: BoolArray,
    watched: int,
    beside: Sequence[DailyNumber] = (),
) -> Judged:
    """Compare a number on a day, and on the days that end with it, with its past.

    Where there are others, it is compared with what they say of it, too; both share its level.

    Parameters
    ----------
    number : DailyNumber
    day : int
    usable : numpy.ndarray of bool
        Which days are not left out.
    watched : int
        How many numbers are watched.
    beside : sequence of DailyNumber, default ()
        Others that may explain it, all of them known on the day. See `others`.
    """
    if not usable[day]:
        return Judged(day, None, 1.0, "the day is left out")
    past = past_of(number, day, usable)
    if isinstance(past, str):
        return Judged(day, None, 1.0, past)
    if number.weekday[day] not in past.weekdays:
        name = _WEEKDAYS[number.weekday[day]]
        return Judged(day, None, 1.0, f"on {name} nothing has ever come")
    found = list(_spans(past, day, usable))
    if not found:
        return Judged(day, None, 1.0, f"less than {FEWEST_EVENTS} are expected in {SPANS[-1]} days")
    moves = _moves(past, day, usable, beside)
    with_others = list(_explained(past, day, usable, moves, found))
    best = min([*found, *with_others], key=lambda span: span.p_value)
    together = _WEEK * len(SPANS) * watched * (1 if moves is None else 2)
    p_value = six_digits(min(1.0, best.p_value * together))
    return Judged(day, best, p_value, "", LEVEL / together, best in with_others)


def _moves(
    past: Past, day: int, usable: BoolArray, beside: Sequence[DailyNumber]
) -> FloatArray | None:
    """Return by how much others were off their own past on each day; None where there are none."""
    most = len(past.at) // _DAYS_A_NUMBER
    # The most frequent say most precisely what moves them all.
    ordered = sorted(beside, key=lambda one: -float(one.top[past.at].sum()))
    pasts = [past_of(one, day, usable) for one in ordered[:most]]
    first = max(day - max(SPANS) + 1 - PAST, 0)
    found = [one.moves(first, day) for one in pasts if not isinstance(one, str)]
    return np.column_stack(found) if found else None


def _explained(
    past: Past, day: int, usable: BoolArray, moves: FloatArray | None, alone: list[SpanForecast]
) -> Iterator[SpanForecast]:
    """Return the spans as others explain them, of those that are off by their own past, too."""
    odd = {one.days: one for one in alone if one.p_value < _GATE}
    if moves is None or not odd:
        return
    explained = past_of(past.number, day, usable, moves)
    if isinstance(explained, str):
        return
    for size, own in odd.items():
        span = explained.together(np.arange(day - size + 1, day + 1))
        if (span.observed < span.expected) == (own.observed < own.expected):
            yield span


def _spans(past: Past, day: int, usable: BoolArray) -> Iterator[SpanForecast]:
    number = past.number
    for size in SPANS:
        days = np.arange(day - size + 1, day + 1)
        if not usable[days].all() or not np.isin(number.weekday[days], past.weekdays).all():
            continue
        if number.base is not None and number.base[days].sum() < FEWEST_EVENTS:
            continue
        if _expected_events(past, days) >= FEWEST_EVENTS:
            yield past.together(days)


def _expected_events(past: Past, days: IntArray) -> float:
    """Return how many events are expected behind a number."""
    number, expected = past.number, float(past.expected(days).sum())
    if number.base is not None:
        return expected
    sums = number.top[past.at].sum()
    return expected * float(number.events[past.at].sum() / sums) if sums else 0.0


def series_of(
    watched: WatchedNumber,
    number: DailyNumber,
    periods: pd.PeriodIndex,
    usable: BoolArray,
    found: list[Judged],
    level: float,
) -> pd.DataFrame:
    """Return the latest days of a number beside what was expected of each.

    Parameters
    ----------
    watched : WatchedNumber
    number : DailyNumber
    periods : pandas.PeriodIndex
    usable : numpy.ndarray of bool
    found : list of Judged
        The days that were compared, the latest last.
    level : float
        Of the bounds.
    """
    last = found[-1].day
    days = np.arange(max(last - _SHOWN + 1, 0), last + 1)
    past = past_of(number, last, usable)
    expected = np.full((len(days), 3), np.nan)
    states = np.where(usable[days], "past", "left out").astype(object)
    if not isinstance(past, str):
        states[np.isin(days, past.odd)] = "odd"
        for place, day in enumerate(days):
            known = number.weekday[day] in past.weekdays
            if known and (number.base is None or number.base[day] > 0):
                span = past.together(np.array([day]))
                expected[place] = span.expected, *span.bounds(level)
    for one in found:
        if one.span is not None and one.day >= days[0]:
            states[one.day - days[0]] = "alarm" if one.is_alarm else "compared"
    return pd.DataFrame(
        {
            "number": pd.Series([watched.name] * len(days), dtype="str"),
            "day": periods[days].to_timestamp(),
            "value": [six_digits(one) for one in number.by_day[days]],
            "expected": expected[:, 0],
            "low": expected[:, 1],
            "high": expected[:, 2],
            "state": pd.Series(states, dtype="str"),
        }
    )

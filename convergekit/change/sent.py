"""Faults of what is sent: bots, events sent twice, renamed events, orders that did not arrive."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from convergekit.base.text import as_text
from convergekit.base.wording import counted, percentage
from convergekit.change.faults import (
    TRACKING,
    Pair,
    PeriodFault,
    fewer_than_expected,
    share,
    shares_apart,
)
from convergekit.change.sides import Side
from convergekit.events.schema import PROPERTY, missing
from convergekit.typing import IntArray

#: An order like one of the same person so shortly before, without an event ID, is sent twice.
_TWICE = 3_600_000_000
#: A value is a bot's where so many more have it, and hardly any does a second thing.
_TIMES, _FEWEST, _ALONE, _MOST_VALUES = 3, 20, 0.98, 300
#: A day lacks its orders where so few of those that were to come did.
_LACKING = 0.25
#: A step has another name where so little is left of it, and the other has so much of what is gone.
_LEFT, _LIKE = 0.6, 0.5


def bots(pair: Pair) -> list[PeriodFault]:
    """Find a value that very many who do only one thing have on one side, and few on the other."""
    candidates = [
        (size, column, value)
        for column, values in _few_valued(pair)
        for on in (0, 1)
        for value, size in _lone_values(pair, values, on)
    ]
    if not candidates:
        return []
    best, column, value = max(candidates)

    def is_bot(side: Side) -> IntArray:
        has = _texts(side, column) == value
        mine = side.inside & has & (side.person >= 0)
        size = np.bincount(side.person[side.inside & (side.person >= 0)], minlength=_people(side))
        return np.flatnonzero(mine & (size[side.person] <= 1))

    def without(side: Side) -> Side:
        dropped = side.dropped.copy()
        dropped[is_bot(side)] = True
        return side.repaired(dropped=dropped)

    name = column.removeprefix(PROPERTY)
    return [
        PeriodFault(
            TRACKING,
            f"bot: {name} {value}",
            f"{counted(best, 'entrant')} with {name} {value!r}, nearly all of whom did a single "
            "thing, came on one side; hardly any on the other.",
            pair.each(is_bot),
            without,
        )
    ]


def _lone_values(pair: Pair, values: list[np.ndarray], on: int) -> list[tuple[str, int]]:
    """Return the values that many more have on a side, nearly all of whom did one thing alone."""
    own, other = pd.Series(values[on]).value_counts(), pd.Series(values[1 - on]).value_counts()
    expected = other.reindex(own.index, fill_value=0) * len(values[on]) / len(values[1 - on])
    many = own[(own >= _FEWEST) & (own > _TIMES * (expected + 3))]
    alone = pair.entered[on].events <= 1
    found = []
    for value, size in many.items():
        has = values[on] == value
        same, rest = int(alone[has].sum()), int(alone[~has].sum())
        others = len(has) - int(size)
        if same >= _ALONE * int(size) and shares_apart((same, rest), (int(size), others)):
            found.append((str(value), int(size)))
    return found


def sent_twice(pair: Pair) -> list[PeriodFault]:
    """Find orders that come again within an hour, without an event ID to tell them by."""
    repeats = pair.each(lambda side: _repeats(side, pair.last))
    goals = pair.goals()
    hits, of = (len(repeats[0]), len(repeats[1])), (len(goals[0]), len(goals[1]))
    shares = share(hits[0], of[0]), share(hits[1], of[1])
    if not shares_apart(hits, of) or abs(shares[0] - shares[1]) < 0.01:
        return []

    def without(side: Side) -> Side:
        dropped = side.dropped.copy()
        dropped[_repeats(side, pair.last)] = True
        return side.repaired(dropped=dropped)

    return [
        PeriodFault(
            TRACKING,
            f"{pair.titles[-1]} sent twice, without an event ID",
            f"{percentage(shares[0])} of {pair.titles[-1]} before and {percentage(shares[1])} "
            "after repeat one of the same person and amount within an hour.",
            repeats,
            without,
        )
    ]


def _repeats(side: Side, last: int) -> IntArray:
    at = side.at_step(last)
    ids = side.s.events["event_id"].iloc[at]
    at = at[missing(ids).to_numpy(dtype=bool) & (side.person[at] >= 0)]
    amount = np.nan_to_num(side.amount[at], nan=-1.0)
    at = at[np.lexsort((at, side.time[at], amount, side.person[at]))]
    amount = np.nan_to_num(side.amount[at], nan=-1.0)
    again = (np.diff(side.person[at]) == 0) & (np.diff(amount) == 0)
    again &= np.diff(side.time[at]) <= _TWICE
    return np.sort(at[1:][again])


def renamed(pair: Pair) -> list[PeriodFault]:
    """Find a step whose events go by another name on one side."""
    faults = []
    counts = [_name_counts(side) for side in pair.sides]
    days = [max(side.days, 1e-9) for side in pair.sides]
    steps = {side.base.name[1][code] for side in pair.sides for code in _codes_of_steps(side)}
    for number in range(pair.last + 1):
        size = [len(side.at_step(number)) / d for side, d in zip(pair.sides, days, strict=True)]
        on = int(size[1] < size[0])
        gone = size[1 - on] - size[on]
        if size[on] > _LEFT * size[1 - on] or gone * days[on] < _FEWEST:
            continue
        fresh = [
            name
            for name, many in counts[on].items()
            if name not in steps
            and counts[1 - on].get(name, 0) / days[1 - on] < 0.05 * many / days[on]
            and _LIKE < many / days[on] / gone < 1 / _LIKE
        ]
        if not fresh:
            continue
        name = min(fresh, key=lambda n: abs(counts[on][n] / days[on] - gone))
        faults.append(_renamed(pair, number, name))
    return faults


def _name_counts(side: Side) -> dict[str, int]:
    codes, names = side.base.name
    counts = np.bincount(codes[side.inside] + 1, minlength=len(names) + 1)[1:]
    return dict(zip(names, counts.tolist(), strict=True))


def _codes_of_steps(side: Side) -> list[int]:
    codes = np.unique(side.base.name[0][side.step >= 0]).tolist()
    return [int(code) for code in codes if code >= 0]


def _renamed(pair: Pair, number: int, name: str) -> PeriodFault:
    def named(side: Side) -> IntArray:
        return np.flatnonzero(side.inside & side.named(name))

    def back(side: Side) -> Side:
        step = side.step.copy()
        step[side.named(name)] = number
        return side.repaired(step=step)

    return PeriodFault(
        TRACKING,
        f"{pair.titles[number]} renamed {name}",
        f"{pair.titles[number]} nearly stopped on one side, and {name!r}, which the other side "
        "does not know, came as often as it should have.",
        pair.each(named),
        back,
    )


def missing_days(pair: Pair) -> list[PeriodFault]:
    """Find days on which the orders did not come that the steps before them promised."""
    kept, days = [1.0, 1.0], []
    for on, side in enumerate(pair.sides):
        goals, before = (_by_day(side, side.at_step(k)) for k in (pair.last, pair.last - 1))
        before = before.reindex(before.index.union(goals.index), fill_value=0)
        goals = goals.reindex(before.index, fill_value=0)
        if not before.sum() or len(before) < 3:
            continue
        rates = (goals / before.where(before > 0)).dropna()
        expected = before * rates.median()
        lacks = np.array(
            [
                bool(g < _LACKING * e and fewer_than_expected(int(g), float(e)))
                for g, e in zip(goals, expected, strict=True)
            ]
        )
        if not lacks.any() or lacks.mean() > 0.5:
            continue
        usual = goals[~lacks].sum() / max(before[~lacks].sum(), 1)
        lost = (before[lacks] * usual - goals[lacks]).sum()
        kept[on] = float(goals.sum() / (goals.sum() + lost))
        days += [str(day) for day in before.index[lacks]]
    if not days:
        return []
    return [
        PeriodFault(
            TRACKING,
            f"no {pair.titles[-1]} on {counted(len(days), 'day')}",
            f"{pair.titles[-1]} did not come on {', '.join(days[:3])}, when "
            f"{pair.titles[-2]} came as usual.",
            pair.each(lambda side: _on_days(side, pair.last - 1, days)),
            kept=(kept[0], kept[1]),
        )
    ]


def _by_day(side: Side, at: IntArray) -> pd.Series:
    return _days(side, at).value_counts().sort_index()


def _days(side: Side, at: IntArray) -> pd.Series:
    times = side.s.events["timestamp"].iloc[at].reset_index(drop=True)
    return side.s.calendar.periods(times, "D")


def _on_days(side: Side, step: int, days: list[str]) -> IntArray:
    at = side.at_step(step)
    return at[_days(side, at).astype("str").isin(days).to_numpy(dtype=bool)]


def _few_valued(pair: Pair) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Yield the properties of few values that both sides' entrants have, and each one's text."""
    sent = [
        {c for c in side.s.events if c.startswith(PROPERTY)} | {"source"} for side in pair.sides
    ]
    for column in sorted(sent[0] & sent[1]):
        cells = [
            side.s.events[column].iloc[entered.anchor]
            for side, entered in zip(pair.sides, pair.entered, strict=True)
        ]
        try:
            few = all(0 < one.nunique() <= _MOST_VALUES for one in cells)
        except TypeError:
            # Lists and the like are not values.
            continue
        if few:
            yield column, [as_text(one)[0].to_numpy(dtype=object) for one in cells]


def _texts(side: Side, column: str) -> np.ndarray:
    text, _ = as_text(side.s.events[column])
    return text.to_numpy(dtype=object)


def _people(side: Side) -> int:
    return int(side.person.max(initial=-1)) + 1

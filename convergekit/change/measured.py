"""Faults of how it is measured: clocks, currencies, amounts in cents."""

from __future__ import annotations

import numpy as np
import pandas as pd

from convergekit.base.durations import readable_duration
from convergekit.base.wording import percentage
from convergekit.change.faults import TRACKING, Pair, PeriodFault, share, shares_apart
from convergekit.change.sides import DAY, Side
from convergekit.events.currencies import currencies_at, currency_columns
from convergekit.typing import FloatArray, IntArray

#: A source's clock is off where so many more of its orders come before what led to them.
_BEFORE = 0.2
_QUARTER = 900_000_000
#: Amounts are in another unit where their middle is so many times the other side's.
_UNITS = (100.0, 1000.0, 0.01, 0.001)
_NEAR = 0.2
#: Less of the orders in another currency is nothing to speak of.
_CURRENCY = 0.02
_FEWEST = 20


def clocks(pair: Pair) -> list[PeriodFault]:
    """Find a source whose orders come before the steps that led to them, on one side alone."""
    faults = []
    goals = pair.goals()
    for source in _sources(pair):
        at = [g[side.from_source(source)[g]] for side, g in zip(pair.sides, goals, strict=True)]
        if min(map(len, at)) < _FEWEST:
            continue
        lags = [_lags(side, pair.last, one) for side, one in zip(pair.sides, at, strict=True)]
        known = [lag[~np.isnan(lag)] for lag in lags]
        early = int((known[0] < 0).sum()), int((known[1] < 0).sum())
        of = len(known[0]), len(known[1])
        if min(of) < _FEWEST or not shares_apart(early, of):
            continue
        shares = share(early[0], of[0]), share(early[1], of[1])
        if abs(shares[1] - shares[0]) < _BEFORE:
            continue
        on = int(shares[1] > shares[0])
        shift = float(np.median(known[1 - on]) - np.median(known[on]))
        if abs(shift - round(shift / _QUARTER) * _QUARTER) < _QUARTER / 3:
            shift = round(shift / _QUARTER) * _QUARTER
        faults.append(_clock(pair, source, on, int(shift), at[0], at[1], shares[on]))
    return faults


def _clock(
    pair: Pair, source: str, on: int, shift: int, before: IntArray, after: IntArray, early: float
) -> PeriodFault:
    name = pair.sides[on].name

    def set_right(side: Side) -> Side:
        if side.name != name:
            return side
        time = side.time.copy()
        mine = side.from_source(source) & side.inside
        time[mine] += shift
        return side.repaired(time=time)

    nothing = np.empty(0, dtype=np.int64)
    off = readable_duration(pd.Timedelta(abs(shift), unit="us"))
    return PeriodFault(
        TRACKING,
        f"clock of {source} {off} {'behind' if shift > 0 else 'ahead'}",
        f"{percentage(early)} of the {pair.titles[-1]} of {source!r} come before the steps that "
        "led to them, which on the other side they follow.",
        (before, nothing) if on == 0 else (nothing, after),
        set_right,
    )


def _lags(side: Side, last: int, goals: IntArray) -> FloatArray:
    """Return by how much each order follows the nearest earlier step of its person."""
    earlier = np.flatnonzero(side.is_tracked & (side.person >= 0) & (side.step >= 0))
    earlier = earlier[side.step[earlier] == last - 1]
    earlier = earlier[np.lexsort((side.time[earlier], side.person[earlier]))]
    lags = np.full(len(goals), np.nan)
    if not len(earlier):
        return lags
    person, time = side.person[earlier], side.time[earlier]
    both = np.lexsort(
        (
            np.arange(len(earlier) + len(goals)),
            np.append(time, side.time[goals]),
            np.append(person, side.person[goals]),
        )
    )
    place = np.empty(len(both), dtype=np.int64)
    place[both] = np.cumsum(both < len(earlier))
    upto = place[len(earlier) :]
    for neighbour in (upto - 1, upto):
        there = (neighbour >= 0) & (neighbour < len(earlier))
        there[there] &= person[neighbour[there]] == side.person[goals[there]]
        lag = np.full(len(goals), np.nan)
        lag[there] = side.time[goals[there]] - time[neighbour[there]]
        nearer = ~np.isnan(lag) & (np.abs(lag) <= DAY)
        nearer &= np.isnan(lags) | (np.abs(lag) < np.abs(lags))
        lags[nearer] = lag[nearer]
    return lags


def units(pair: Pair) -> list[PeriodFault]:
    """Find amounts that are in cents on one side, by source of the orders."""
    faults = []
    goals = pair.goals()
    for source in _sources(pair):
        at = [g[side.from_source(source)[g]] for side, g in zip(pair.sides, goals, strict=True)]
        amounts = [_positive(side, one) for side, one in zip(pair.sides, at, strict=True)]
        if min(map(len, amounts)) < _FEWEST:
            continue
        ratio = float(np.median(amounts[1]) / np.median(amounts[0]))
        unit = next((u for u in _UNITS if abs(ratio / u - 1) <= _NEAR), None)
        if unit is not None:
            faults.append(_unit(pair, source, unit, at[0], at[1]))
    return faults


def _unit(pair: Pair, source: str, unit: float, before: IntArray, after: IntArray) -> PeriodFault:
    on = "after" if unit > 1 else "before"
    times = max(unit, 1 / unit)

    def set_right(side: Side) -> Side:
        if side.name != on:
            return side
        mine = side.from_source(source)
        return side.repaired(amount=np.where(mine, side.amount / times, side.amount))

    nothing = np.empty(0, dtype=np.int64)
    return PeriodFault(
        TRACKING,
        f"amounts of {source} times {times:,.0f}",
        f"Half of the amounts of {source!r} are about {times:,.0f} times those of the other side: "
        "a unit changed, as from euros to cents.",
        (nothing, after) if on == "after" else (before, nothing),
        set_right,
    )


def currencies(pair: Pair) -> list[PeriodFault]:
    """Find orders in a currency that the other side hardly has."""
    codes = []
    for side, at in zip(pair.sides, pair.goals(), strict=True):
        columns = currency_columns(side.s.events)
        if not columns:
            return []
        codes.append(currencies_at(side.s.events, at, columns).to_numpy(dtype=object))
    faults = []
    for code in sorted({str(c) for one in codes for c in one if isinstance(c, str)}):
        hits = int((codes[0] == code).sum()), int((codes[1] == code).sum())
        of = len(codes[0]), len(codes[1])
        shares = share(hits[0], of[0]), share(hits[1], of[1])
        on = int(shares[1] > shares[0])
        fresh = shares[1 - on] < _CURRENCY and shares[on] >= _CURRENCY
        if fresh and shares_apart(hits, of):
            faults.append(_currency(pair, code, on, codes))
    return faults


def _currency(pair: Pair, code: str, on: int, codes: list[np.ndarray]) -> PeriodFault:
    goals = pair.goals()
    foreign = codes[on] == code
    usual = _positive(pair.sides[1 - on], goals[1 - on])
    own = _positive(pair.sides[on], goals[on][foreign])
    worth = float(np.mean(usual) / np.mean(own)) if len(usual) and len(own) else 1.0
    name = pair.sides[on].name

    def set_right(side: Side) -> Side:
        if side.name != name:
            return side
        amount = side.amount.copy()
        amount[goals[on][foreign]] *= worth
        return side.repaired(amount=amount)

    nothing = np.empty(0, dtype=np.int64)
    at = goals[on][foreign]
    return PeriodFault(
        TRACKING,
        f"currency {code}",
        f"{percentage(float(foreign.mean()))} of the amounts {name} are in {code}, which the other "
        "side does not have: they are taken to be worth as much as the other side's.",
        (at, nothing) if on == 0 else (nothing, at),
        set_right,
    )


def _sources(pair: Pair) -> list[str]:
    return sorted({name for side in pair.sides for name in side.base.source[1]})


def _positive(side: Side, at: IntArray) -> FloatArray:
    amounts = side.amount[at]
    return amounts[np.isfinite(amounts) & (amounts > 0)]

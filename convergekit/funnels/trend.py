"""The trend of a funnel: a funnel of its own for each period."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from convergekit.events.calendar import Calendar
from convergekit.events.timestamps import microseconds
from convergekit.funnels.asking import FunnelSource
from convergekit.funnels.options import FunnelQuestion
from convergekit.funnels.outcomes import CONVERTED, STATUSES, Outcomes
from convergekit.funnels.step_table import StepTable

#: Gives a table for each group of a breakdown, with the breakdown's columns first.
Grouped = Callable[[Outcomes, Callable[[Outcomes], pd.DataFrame]], pd.DataFrame]


@dataclass(frozen=True)
class Entered:
    """Those who entered in a period, as a funnel of their own.

    Attributes
    ----------
    period : pandas.Period
    begin, end : pandas.Timestamp
    part : Outcomes
    """

    period: pd.Period
    begin: pd.Timestamp
    end: pd.Timestamp
    part: Outcomes


def enters_once(asked: FunnelQuestion) -> bool:
    """Return whether who enters does so in one period alone.

    A visit and an attempt enter once; and tools have trends of their own making.
    """
    return asked.count != "profiles" or asked.like is not None


def entered_by_period(
    asking: FunnelSource, whole: Outcomes, freq: str, calendar: Calendar
) -> list[Entered]:
    """Return those who entered in each period, of periods in which somebody may have.

    Parameters
    ----------
    asking : FunnelSource
    whole : Outcomes
        Of the funnel of all the time.
    freq : str
    calendar : Calendar
    """
    once = enters_once(asking.asked)
    counted = whole.counted
    times = counted.time[:, 0] if once else asking.entry_times()
    of_each = calendar.periods(_times(times), freq)
    found = pd.PeriodIndex(sorted(of_each.unique()), freq=of_each.dt.freq)
    begins, ends = calendar.begin(found), calendar.end(found)

    if once:
        marks = [(of_each == period).to_numpy(dtype=bool) for period in found]
        parts = [counted.chosen(np.flatnonzero(mark)) for mark in marks]
    else:
        bounds = [_microseconds(*pair) for pair in zip(begins, ends, strict=True)]
        parts = [part.counted for part in asking.outcomes_between(bounds)]
    return [Entered(*one) for one in zip(found, begins, ends, parts, strict=True)]


def trend_of(
    asking: FunnelSource,
    tables: StepTable,
    whole: Outcomes,
    freq: str,
    calendar: Calendar,
    grouped: Grouped,
) -> pd.DataFrame:
    """Return conversion by period of entry. See `Funnel.trend`.

    Parameters
    ----------
    asking : FunnelSource
    tables : StepTable
    whole : Outcomes
        Of the funnel of all the time.
    freq : str
    calendar : Calendar
    grouped : callable
    """
    rows = []
    for entered in entered_by_period(asking, whole, freq, calendar):
        if len(entered.part.depth):
            table = grouped(entered.part, lambda group: _row(group, tables))
            table.insert(0, "period", entered.period.start_time)
            complete = entered.end + asking.asked.window <= asking.known_until
            rows.append(table.assign(complete=complete))
    return pd.concat(rows, ignore_index=True) if rows else _nothing(whole, grouped, tables)


def _row(part: Outcomes, tables: StepTable) -> pd.DataFrame:
    last = part.time.shape[1]
    converted = int((part.status == STATUSES.index(CONVERTED)).sum())
    entered = len(part.depth)
    known = tables.at_window(part, last)
    return pd.DataFrame(
        {
            "entered": [entered],
            "converted": [converted],
            "conversion": [converted / entered if entered else np.nan],
            "conversion_at_window": [known.share],
            "at_window_low": [known.low],
            "at_window_high": [known.high],
        }
    )


def _nothing(whole: Outcomes, grouped: Grouped, tables: StepTable) -> pd.DataFrame:
    """Return the trend of nobody."""
    table = grouped(whole, lambda group: _row(group, tables)).iloc[:0]
    table.insert(0, "period", pd.Series(dtype="datetime64[us]"))
    return table.assign(complete=pd.Series(dtype=bool))


def _times(micros: np.ndarray) -> pd.Series:
    return pd.Series(micros.view("datetime64[us]")).dt.tz_localize("UTC")


def _microseconds(begin: pd.Timestamp, end: pd.Timestamp) -> tuple[int, int]:
    first, last = microseconds(pd.Series([begin, end])).tolist()
    return first, last

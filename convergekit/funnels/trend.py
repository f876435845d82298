"""The trend of a funnel: a funnel of its own for each period."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from convergekit.events.calendar import Calendar
from convergekit.events.timestamps import microseconds
from convergekit.funnels.asking import Asking
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


def entered_by_period(
    asking: Asking, whole: Outcomes, freq: str, calendar: Calendar
) -> list[Entered]:
    """Return those who entered in each period, of periods in which somebody may have.

    Parameters
    ----------
    asking : Asking
    whole : Outcomes
        Of the funnel of all the time.
    freq : str
    calendar : Calendar
    """
    asked = asking.asked
    # A visit and an attempt enter once; and tools have trends of their own making.
    once = asked.count != "profiles" or asked.like is not None
    counted = whole.counted
    times = counted.time[:, 0] if once else _entry_times(asking)
    of_each = calendar.periods(_times(times), freq)
    found = pd.PeriodIndex(sorted(of_each.unique()), freq=of_each.dt.freq)
    begins, ends = calendar.begin(found), calendar.end(found)

    def part(period: pd.Period, begin: pd.Timestamp, end: pd.Timestamp) -> Outcomes:
        if once:
            return counted.chosen(np.flatnonzero((of_each == period).to_numpy(dtype=bool)))
        return asking.outcomes_of(*_microseconds(begin, end)).counted

    return [
        Entered(period, begin, end, part(period, begin, end))
        for period, begin, end in zip(found, begins, ends, strict=True)
    ]


def trend_of(
    asking: Asking,
    tables: StepTable,
    whole: Outcomes,
    freq: str,
    calendar: Calendar,
    grouped: Grouped,
) -> pd.DataFrame:
    """Return conversion by period of entry. See `Funnel.trend`.

    Parameters
    ----------
    asking : Asking
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


def _entry_times(asking: Asking) -> np.ndarray:
    """Return the times of all entries in the range, in microseconds."""
    asked, prepared = asking.asked, asking.counting
    enters = (prepared.mask if asked.order == "any" else prepared.mask & 1) > 0
    enters &= prepared.unit >= 0
    if asked.start is not None:
        enters &= prepared.time >= asked.start
    if asked.end is not None:
        enters &= prepared.time < asked.end
    return prepared.time[enters]


def _times(micros: np.ndarray) -> pd.Series:
    return pd.Series(micros.view("datetime64[us]")).dt.tz_localize("UTC")


def _microseconds(*moments: pd.Timestamp) -> list[int]:
    return microseconds(pd.Series(list(moments))).tolist()

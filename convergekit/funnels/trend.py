"""The trend of a funnel: a funnel of its own for each period."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from convergekit.events.calendar import Calendar
from convergekit.events.timestamps import microseconds
from convergekit.funnels.asking import Asking
from convergekit.funnels.outcomes import CONVERTED, STATUSES, Outcomes
from convergekit.funnels.step_table import StepTable

#: Gives a table for each group of a breakdown, with the breakdown's columns first.
Grouped = Callable[[Outcomes, Callable[[Outcomes], pd.DataFrame]], pd.DataFrame]


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
    asked = asking.asked
    # A visit and an attempt enter once; and tools have trends of their own making.
    once = asked.count != "profiles" or asked.like is not None
    if once:
        counted = whole.counted
        periods = calendar.periods(_times(counted.time[:, 0]), freq)
        found = pd.PeriodIndex(sorted(periods.unique()), freq=periods.dt.freq)
    else:
        found = calendar.periods(_times(_entry_times(asking)), freq)
        found = pd.PeriodIndex(sorted(found.unique()), freq=found.dt.freq)
    begins, ends = calendar.begin(found), calendar.end(found)
    rows = []
    for period, begin, end in zip(found, begins, ends, strict=True):
        if once:
            part = counted.chosen(np.flatnonzero((periods == period).to_numpy(dtype=bool)))
        else:
            part = asking.outcomes_of(*_microseconds(begin, end)).counted
        if len(part.depth):
            table = grouped(part, lambda group: _row(group, tables))
            table.insert(0, "period", period.start_time)
            rows.append(table.assign(complete=end + asked.window <= asking.known_until))
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

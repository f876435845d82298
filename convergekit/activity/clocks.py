"""Clocks: in which period a moment lies, and in which tick, by which the periods since are counted.

On calendar periods a tick is the period itself. Elapsed time has ticks of an hour or a day, so many
to a period: then everybody's periods begin at their own start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from convergekit.errors import ConvergekitError
from convergekit.events.calendar import Calendar
from convergekit.events.timestamps import microseconds
from convergekit.typing import IntArray

Periods = Literal["calendar", "elapsed"]

_HOUR = 3_600_000_000
#: Per period, what its ticks are and how many it has.
_ELAPSED: dict[type[pd.offsets.BaseOffset], tuple[str, int]] = {
    pd.offsets.Hour: ("h", 1),
    pd.offsets.Day: ("h", 24),
    pd.offsets.Week: ("D", 7),
    pd.offsets.MonthEnd: ("D", 30),
}


@dataclass(frozen=True)
class Clock:
    """In which period, and in which tick, moments lie.

    Attributes
    ----------
    freq : str
        The period, as it was asked for.
    offset : pandas.offsets.BaseOffset
        The same as pandas has it.
    tick : str
        ``"h"`` or ``"D"`` for elapsed time, otherwise empty.
    length : int
        The ticks of a period since the start.
    calendar : Calendar
    """

    freq: str
    offset: Any
    tick: str
    length: int
    calendar: Calendar

    @classmethod
    def of(cls, freq: str, periods: Periods, calendar: Calendar) -> Clock:
        """Return the clock that was asked for.

        Raises
        ------
        ConvergekitError
            The period is not known, or elapsed time is not counted in it.

        Examples
        --------
        >>> Clock.of("2W", "elapsed", Calendar()).length
        14
        """
        empty = pd.Series([], dtype="datetime64[us, UTC]")
        offset = calendar.periods(empty, freq).dt.freq
        if periods == "calendar":
            return cls(freq, offset, "", offset.n, calendar)
        if type(offset) not in _ELAPSED:
            raise ConvergekitError(
                "freq must be of hours, days, weeks or months ('h', 'D', 'W', 'M') with "
                f"periods='elapsed'; got {freq!r}."
            )
        tick, length = _ELAPSED[type(offset)]
        return cls(freq, offset, tick, length * offset.n, calendar)

    def periods(self, times: pd.Series) -> IntArray:
        """Return the periods that moments lie in, by number."""
        return self._numbers(times, self.freq)

    def ticks(self, times: pd.Series) -> IntArray:
        """Return the ticks that moments lie in, by number."""
        if self.tick == "h":
            return microseconds(times) // _HOUR
        return self._numbers(times, self.tick or self.freq)

    def ticks_of(self, period: IntArray) -> tuple[IntArray, IntArray]:
        """Return the first and the last tick of periods."""
        if not self.tick:
            return period, period
        index = self.index(period)
        last = self.calendar.end(index) - pd.Timedelta(1, "us")
        return self.ticks(pd.Series(self.calendar.begin(index))), self.ticks(pd.Series(last))

    def index(self, period: IntArray) -> pd.PeriodIndex:
        """Return periods of these numbers as pandas has them."""
        return pd.PeriodIndex.from_ordinals(period, freq=self.offset)

    def _numbers(self, times: pd.Series, freq: str) -> IntArray:
        numbers: IntArray = self.calendar.periods(times, freq).astype("int64").to_numpy()
        return numbers

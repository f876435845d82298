"""The shop's calendar: in which day, week or month a moment lies, and when each of these ends.

Timestamps stay UTC. A period is of the shop's own clock: its day begins at its midnight, whichever
hour that is in UTC, and is 23 or 25 hours long where the clock changes.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from convergekit.base.options import choice
from convergekit.errors import ConvergekitError
from convergekit.events.timestamps import check_zone, in_utc, microseconds

#: Beyond it no time zone's clock is known.
_LAST_YEAR = 9999
#: A text of which one cannot tell the day from the month: ``10.03.2026``, ``03/10/26``.
_DAY_OR_MONTH = re.compile(r"\s*[0-9]{1,2}([./-])[0-9]{1,2}\1[0-9]{2}")
#: A year, which ``10:00`` and ``March`` do not have: they would be of today.
_YEAR = re.compile(r"(?<![0-9.])[0-9]{4}")

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


@dataclass(frozen=True)
class Calendar:
    """A time zone, and the day on which a week begins.

    Attributes
    ----------
    zone : str
    week_starts : str
    """

    zone: str = "UTC"
    week_starts: Weekday = "monday"

    def __str__(self) -> str:
        """Return the calendar in words.

        Examples
        --------
        >>> print(Calendar("Europe/Brussels"))
        Europe/Brussels, weeks from Monday
        """
        return f"{self.zone}, weeks from {self.week_starts.capitalize()}"

    @classmethod
    def of(
        cls, zone: str | None, week_starts: Weekday | None = None, usual: Calendar | None = None
    ) -> Calendar:
        """Return the calendar that was asked for; what was not is as in the usual one.

        Raises
        ------
        ConvergekitError
            It is not a time zone, or not a day of the week.

        Examples
        --------
        >>> Calendar.of("Europe/Brussels")
        Calendar(zone='Europe/Brussels', week_starts='monday')
        """
        usual = usual or cls()
        zone = usual.zone if zone is None else zone
        week_starts = usual.week_starts if week_starts is None else week_starts
        # A time zone that is left out has a default, which one of no letters has not.
        check_zone(zone or "?", name="calendar")
        choice("week_starts", week_starts, Weekday)
        return cls(zone, week_starts)

    def periods(self, times: pd.Series, freq: str) -> pd.Series:
        """Return the periods that moments lie in, missing for a missing moment.

        Those of several units, such as two weeks, lie end to end: they count from 1970, whatever
        the moments. A week that says itself on which day it ends, such as ``"W-SAT"``, does so in
        every calendar. The hour that occurs twice when the clock is set back is one period.

        Raises
        ------
        ConvergekitError
            The period is not known.

        Examples
        --------
        >>> times = pd.Series([pd.Timestamp("2026-03-31T22:30Z")])
        >>> Calendar().periods(times, "M").astype(str).tolist()
        ['2026-03']
        >>> Calendar("Europe/Brussels").periods(times, "M").astype(str).tolist()
        ['2026-04']
        """
        asked = freq
        try:
            if str(freq).strip("0123456789") == "W":
                # pandas names a week by its last day.
                days = get_args(Weekday)
                ends = days[days.index(self.week_starts) - 1]
                freq = f"{freq}-{ends[:3].upper()}"
            local = pd.to_datetime(times, utc=True).dt.tz_convert(self.zone)
            periods = local.dt.tz_localize(None).dt.to_period(freq)
        except (ValueError, TypeError, AttributeError):
            raise ConvergekitError(
                f"freq must be a period such as 'D', 'W' or 'M'; got {asked!r}."
            ) from None
        # pandas begins one of several units in each unit, so that they overlap.
        unit, several = periods.astype("int64").to_numpy(), periods.dt.freq.n
        aligned = pd.PeriodIndex.from_ordinals(unit - unit % several, freq=periods.dt.freq)
        return pd.Series(aligned, index=periods.index, name=periods.name).where(periods.notna())

    def begin(self, periods: pd.Series | pd.PeriodIndex) -> pd.DatetimeIndex:
        """Return the moments, in UTC, at which periods begin.

        Examples
        --------
        >>> str(Calendar("Europe/Brussels").begin(pd.PeriodIndex(["2026-04"], freq="M"))[0])
        '2026-03-31 22:00:00+00:00'
        """
        return self._moments(pd.PeriodIndex(periods).start_time)

    def end(self, periods: pd.Series | pd.PeriodIndex) -> pd.DatetimeIndex:
        """Return the moments, in UTC, at which periods are over: the first that are not in them."""
        index = pd.PeriodIndex(periods)
        return self._moments((index + 1).start_time)

    def moment(self, value: Any, name: str, *, last: bool = False) -> int | None:
        """Return a moment in microseconds since 1970; None for none.

        A date, such as ``"2026-03-31"`` or `datetime.date`, is the moment at which the day begins;
        with `last`, that at which it is over, so that the day is included. Whatever has a time of
        day is that moment; it is of the calendar's clock if it names no time zone.

        Raises
        ------
        ConvergekitError
            It is not a date or datetime, or a text of which the day may be the month, or that has
            no year.

        Examples
        --------
        >>> day = Calendar().moment("2026-03-31", "end", last=True)
        >>> pd.Timestamp(day, unit="us")
        Timestamp('2026-04-01 00:00:00')
        >>> pd.Timestamp(Calendar().moment(pd.Timestamp("2026-03-31"), "end", last=True), unit="us")
        Timestamp('2026-03-31 00:00:00')
        """
        if value is None:
            return None
        try:
            whole = _whole_days(value)
            if whole is not None:
                index = pd.PeriodIndex([whole])
                clock = self if whole.year < _LAST_YEAR else Calendar()
                moments = clock.end(index) if last else clock.begin(index)
            else:
                # A bare number would be taken for nanoseconds since 1970, which is never meant.
                bare = isinstance(value, (int, float))
                stamp = pd.NaT if bare else pd.Timestamp(value)
                # Of a missing one nothing is asked.
                named = pd.isna(stamp) or stamp.tz is not None
                moments = pd.DatetimeIndex([in_utc(stamp)]) if named else self._moments([stamp])
        except (ValueError, TypeError):
            moments = pd.DatetimeIndex([pd.NaT])
        if moments.hasnans or (isinstance(value, str) and not _says_one_day(value)):
            raise ConvergekitError(
                f"{name} must be a date or datetime, such as '2026-03-02'; got {value!r}."
            )
        # Not by way of a pandas.Timestamp, which has no year 10000.
        return int(microseconds(pd.Series(moments))[0])

    def _moments(self, local: Any) -> pd.DatetimeIndex:
        """Return the moments at which the shop's clock shows these times.

        A time that occurs twice is the first of the two; one that is skipped is the moment at which
        the clock goes on.
        """
        index = pd.DatetimeIndex(local)
        first = np.ones(len(index), dtype=bool)
        try:
            there = index.tz_localize(self.zone, ambiguous=first, nonexistent="shift_forward")
        except (NotImplementedError, ValueError):
            raise ConvergekitError(
                f"the clock of {self.zone} is known up to the year 9999, and some times are later. "
                "Leave out those events, or the calendar."
            ) from None
        return there.tz_convert("UTC")


def _says_one_day(text: str) -> bool:
    """Return whether a text says its day by itself: not by the day on which it is read either."""
    return not _DAY_OR_MONTH.match(text) and bool(_YEAR.search(text))


def _whole_days(value: Any) -> pd.Period | None:
    """Return the day, month or year that a value stands for; None for a moment."""
    if isinstance(value, pd.Period):
        period = value
    elif isinstance(value, str):
        # pandas reads from a text how fine it is.
        period = pd.Period(value.strip())
    elif isinstance(value, np.datetime64):
        fine = np.datetime_data(value.dtype)[0]
        return pd.Period(value, freq=fine) if fine in ("D", "W", "M", "Y") else None
    elif isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return pd.Period(value, freq="D")
    else:
        return None
    if period is pd.NaT or isinstance(period.freq, pd.offsets.Tick):
        return None
    return period

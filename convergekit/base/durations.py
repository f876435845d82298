"""Durations, from what people write and for people to read."""

from __future__ import annotations

import datetime
import re
from typing import Any, TypeAlias

import pandas as pd

from convergekit.errors import ConvergekitError

Duration: TypeAlias = str | datetime.timedelta


def parse_duration(value: Any, *, name: str) -> pd.Timedelta:
    """Return a positive duration as a Timedelta.

    Parameters
    ----------
    value : str or datetime.timedelta
        A pandas.Timedelta is a datetime.timedelta.
    name : str
        The argument's name, for the error.

    Raises
    ------
    ConvergekitError
        The value is not a positive duration.

    Examples
    --------
    >>> parse_duration("7D", name="within")
    Timedelta('7 days 00:00:00')
    """
    duration = None
    # A bare number would be taken for nanoseconds, which is never meant.
    if not isinstance(value, (int, float)) and not str(value).strip().isdigit():
        try:
            duration = pd.Timedelta(_spelled(value))
        except (ValueError, TypeError):
            duration = None
    if duration is None or not duration > pd.Timedelta(0):
        hint = " Months and years differ in length: count in days." if _is_calendar(value) else ""
        raise ConvergekitError(
            f"{name} must be a positive duration such as '2s', '30min', '24h', '7D', '7 days' or "
            f"a datetime.timedelta; got {value!r}.{hint}"
        )
    return duration


def _spelled(value: Any) -> Any:
    """Return days and weeks in capitals, as pandas wants its abbreviations."""
    if not isinstance(value, str):
        return value
    return re.sub(r"(?<=[\d ])[dw]\b", lambda unit: unit[0].upper(), value)


def _is_calendar(value: Any) -> bool:
    return bool(re.search(r"[\d ](M|y|Y|months?|years?)\s*$", str(value)))


def readable_duration(duration: pd.Timedelta) -> str:
    """Return a duration in its two largest units, or an empty string if it is missing.

    One below zero has a minus before it.

    Examples
    --------
    >>> readable_duration(pd.Timedelta("1D 02:30:00")), readable_duration(pd.Timedelta("90min"))
    ('1 day 2 h', '1 h 30 min')
    >>> readable_duration(pd.Timedelta("-90min"))
    '−1 h 30 min'
    """
    if pd.isna(duration):
        return ""
    if duration < pd.Timedelta(0):
        return f"−{readable_duration(-duration)}"
    parts = duration.components
    units = (
        (parts.days, "day" if parts.days == 1 else "days"),
        (parts.hours, "h"),
        (parts.minutes, "min"),
        (parts.seconds, "s"),
    )
    shown = [f"{count:,} {unit}" for count, unit in units if count]
    return " ".join(shown[:2]) or "0 s"

"""Durations, from what people write and for people to read."""

from __future__ import annotations

import datetime
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
        The value is no positive duration.

    Examples
    --------
    >>> parse_duration("7D", name="within")
    Timedelta('7 days 00:00:00')
    """
    duration = None
    # A bare number would be taken for nanoseconds, which nobody means.
    if not isinstance(value, (int, float)) and not str(value).strip().isdigit():
        try:
            duration = pd.Timedelta(value)
        except (ValueError, TypeError):
            duration = None
    if duration is None or not duration > pd.Timedelta(0):
        raise ConvergekitError(
            f"{name}={value!r} is no positive duration. Give one such as '30min', '24h', '7D', "
            "'7 days' or a datetime.timedelta."
        )
    return duration


def readable_duration(duration: pd.Timedelta) -> str:
    """Return a duration in its two largest units, or an empty string if it is missing.

    Examples
    --------
    >>> readable_duration(pd.Timedelta("1D 02:30:00")), readable_duration(pd.Timedelta("90min"))
    ('1 day 2 h', '1 h 30 min')
    """
    if pd.isna(duration):
        return ""
    parts = duration.components
    units = (
        (parts.days, "day" if parts.days == 1 else "days"),
        (parts.hours, "h"),
        (parts.minutes, "min"),
        (parts.seconds, "s"),
    )
    shown = [f"{count:,} {unit}" for count, unit in units if count]
    return " ".join(shown[:2]) or "0 s"

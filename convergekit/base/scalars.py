"""One value as Python has it: NumPy's scalars, and times that Python's calendar lacks."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd


def python_value(value: Any) -> Any:
    """Return a value without NumPy's types, and a time or duration that Python lacks as text.

    Missing times are None. Every other value is returned as it is.

    Examples
    --------
    >>> python_value(np.int8(3)), python_value(np.datetime64("30000-01-01"))
    (3, '30000-01-01T00:00:00')
    """
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return _of_numpy_time(value)
    if isinstance(value, np.complexfloating):
        return complex(value)
    if isinstance(value, np.generic):
        # NumPy's long double is its own item.
        return float(value) if isinstance(value, np.longdouble) else value.item()
    if isinstance(value, pd.Timestamp) and not 1 <= value.year <= datetime.MAXYEAR:
        return value.isoformat()
    if isinstance(value, pd.Timedelta) and abs(value.days) > datetime.timedelta.max.days:
        return str(value)
    return value


def _of_numpy_time(value: np.datetime64 | np.timedelta64) -> Any:
    if np.isnat(value):
        return None
    try:
        return python_value(
            pd.Timestamp(value) if isinstance(value, np.datetime64) else pd.Timedelta(value)
        )
    except (ValueError, OverflowError):
        # Pandas has no such unit, or not so many of it.
        return str(value)

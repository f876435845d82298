"""Which cells of a column are numbers."""

from __future__ import annotations

import math
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from convergekit.typing import FloatArray, IntArray

_NOTHING = (type(None), type(pd.NA), type(pd.NaT))


def numbers_in(values: pd.Series, at: IntArray) -> FloatArray | None:
    """Return the numbers at these positions, or None if the column holds something else too.

    A column of Python objects is one of numbers if all of them are, `decimal.Decimal` included.

    Examples
    --------
    >>> numbers_in(pd.Series([Decimal("1.5"), 2, None], dtype=object), np.arange(3))
    array([1.5, 2. , nan])
    >>> numbers_in(pd.Series([1, "2"], dtype=object), np.arange(1)) is None
    True
    """
    if isinstance(values.dtype, pd.CategoricalDtype):
        kinds = pd.Series(values.cat.categories)
        found = numbers_in(kinds, np.arange(len(kinds)))
        return None if found is None else np.append(found, np.nan)[values.cat.codes.to_numpy()[at]]
    cells = values.iloc[at]
    if values.dtype == object:
        if not all(map(_is_of_numbers, set(map(type, values)))):
            return None
        return np.fromiter(map(_as_float, cells), dtype=np.float64, count=len(cells))
    if not pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_bool_dtype(values.dtype):
        return None
    return cells.to_numpy(dtype="float64", na_value=np.nan)


def _is_of_numbers(kind: type) -> bool:
    return issubclass(kind, _NOTHING) or (
        issubclass(kind, (Real, Decimal)) and not issubclass(kind, bool)
    )


def _as_float(cell: Any) -> float:
    if isinstance(cell, _NOTHING):
        return math.nan
    try:
        return float(cell)
    except OverflowError:
        return math.inf if cell > 0 else -math.inf
    except ValueError:
        # A signalling NaN of `decimal`.
        return math.nan

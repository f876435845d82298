"""Number the values of a column in the order of their first appearance."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from convergekit.kernels import compiled

IntArray = npt.NDArray[np.int64]


def number(values: pd.Series, at: IntArray | None = None) -> tuple[npt.NDArray[Any], pd.Index]:
    """Return the number of each value and the distinct values, as `pandas.factorize` does.

    Parameters
    ----------
    values : pandas.Series
    at : numpy.ndarray of int, optional
        Positions in `values`, ascending, to look at instead of all.

    Returns
    -------
    codes : numpy.ndarray of int
        -1 where the value is missing.
    distinct : pandas.Index

    Examples
    --------
    >>> codes, distinct = number(pd.Series(["b", "a", "b", None]), np.array([1, 2, 3]))
    >>> codes.tolist(), distinct.tolist()
    ([0, 1, -1], ['a', 'b'])
    """
    size = len(values) if at is None else len(at)
    if values.dtype == "str" and compiled(size):
        from convergekit.kernels.text import number_text

        codes, distinct = number_text(values, at)
        return codes, pd.Index(pd.array(distinct, dtype="str"))
    part = values if at is None or size == len(values) else pd.Series(values.array.take(at))
    codes, distinct = pd.factorize(part)
    return codes, pd.Index(distinct)

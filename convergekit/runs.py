"""Runs: neighbours, in an order that brings equal ones together, that have equal keys."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


def run_starts(*keys: npt.NDArray[Any]) -> BoolArray:
    """Return where a run begins: where any of the keys is not that of the one before.

    Examples
    --------
    >>> run_starts(np.array([3, 3, 3, 5]), np.array([0, 0, 1, 1])).tolist()
    [True, False, True, True]
    """
    starts = np.ones(len(keys[0]), dtype=bool)
    starts[1:] = np.logical_or.reduce([key[1:] != key[:-1] for key in keys])
    return starts


def first_of_run(starts: BoolArray) -> IntArray:
    """Return, for each, the position of the first of its run.

    Examples
    --------
    >>> first_of_run(np.array([True, False, True, True])).tolist()
    [0, 0, 2, 3]
    """
    positions = np.arange(len(starts))
    return np.maximum.accumulate(np.where(starts, positions, 0))

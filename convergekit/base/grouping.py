"""Runs: neighbours, in an order that brings equal ones together, that have equal keys.

And what is found by such an order: distinct values and rows, and ties.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from convergekit.typing import BoolArray, IntArray

T = TypeVar("T", bound=np.generic)


def distinct(values: npt.NDArray[T]) -> npt.NDArray[T]:
    """Return the distinct integers, ascending.

    As `np.unique` does, which finds them by hashes since NumPy 2.3: where most are different, that
    takes tens of times as long as to sort them.

    Examples
    --------
    >>> distinct(np.array([3, 1, 3])).tolist()
    [1, 3]
    """
    ascending = np.sort(values)
    return ascending[run_starts(ascending)]


def distinct_rows(*columns: IntArray) -> tuple[IntArray, ...]:
    """Return the distinct rows of columns, ascending by the first, then by the next ones.

    Examples
    --------
    >>> first, second = distinct_rows(np.array([3, 1, 3, 1]), np.array([0, 2, 0, 1]))
    >>> first.tolist(), second.tolist()
    ([1, 1, 3], [1, 2, 0])
    """
    order = np.lexsort(columns[::-1])
    ascending = [column[order] for column in columns]
    starts = run_starts(*ascending)
    return tuple(column[starts] for column in ascending)


def order_of(*keys: IntArray, texts: pd.Series) -> IntArray:
    """Return the places in the order of integers, ties by texts, which are looked at there alone.

    Examples
    --------
    >>> order_of(np.array([2, 1, 2]), texts=pd.Series(["b", "c", "a"])).tolist()
    [1, 2, 0]
    """
    order = np.lexsort(keys[::-1])
    run = np.cumsum(run_starts(*(key[order] for key in keys))) - 1
    tied = np.flatnonzero(np.bincount(run)[run] > 1)
    part = pd.DataFrame({"run": run[tied], "text": texts.array.take(order[tied])})
    order[tied] = order[tied][part.sort_values(["run", "text"]).index]
    return order


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

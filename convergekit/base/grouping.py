"""Values as numbers, and neighbours that are equal.

A column of text is numbered once; what follows compares integers. `NumberedText` keeps a text's
number beside its distinct values. Runs are stretches of equal neighbours in sorted arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from convergekit.base.compiled import compiled
from convergekit.base.records import take_or_missing
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


def at_or_missing(numbers: IntArray, rows: IntArray) -> IntArray:
    """Return the numbers of some rows, -1 where the row is -1 too.

    Examples
    --------
    >>> at_or_missing(np.array([7, 8]), np.array([1, -1])).tolist()
    [8, -1]
    """
    if len(numbers) <= len(rows):
        return np.append(numbers, -1)[rows]
    # Few rows of many: what is not asked for is not copied.
    found = numbers[rows]
    found[rows < 0] = -1
    return found


_MOST = np.iinfo(np.int64).max


@dataclass(frozen=True)
class NumberedText:
    """A column of text that holds each text once.

    Attributes
    ----------
    codes : numpy.ndarray of int
        Of each row, the number of its text; -1 where it is missing.
    distinct : pandas.Series of str
        The texts, by number.

    Examples
    --------
    >>> column = NumberedText.of(pd.Series(["b", None, "b", "a"], dtype="str"))
    >>> column.codes.tolist(), column.take(np.array([3, 1, -1])).tolist()
    ([0, -1, 0, 1], ['a', nan, nan])
    >>> column.or_else(NumberedText.of(pd.Series(["a"] * 4, dtype="str"))).codes.tolist()
    [0, 1, 0, 1]
    """

    codes: IntArray
    distinct: pd.Series

    @classmethod
    def of(cls, texts: pd.Series) -> NumberedText:
        """Return a column of text so."""
        codes, distinct = number(texts)
        return cls(codes.astype(np.int64), pd.Series(distinct, dtype="str"))

    @classmethod
    def below(cls, columns: Sequence[NumberedText]) -> NumberedText:
        """Return several columns, one below the other.

        Examples
        --------
        >>> one, other = (NumberedText.of(pd.Series([x, "a"], dtype="str")) for x in ("b", None))
        >>> NumberedText.below([one, other]).take(np.arange(4)).tolist()
        ['b', 'a', nan, 'a']
        """
        before = np.cumsum([0, *(len(column.distinct) for column in columns)]).tolist()
        codes = [
            np.where(column.codes < 0, -1, column.codes + first)
            for column, first in zip(columns, before, strict=False)
        ]
        every = pd.concat([column.distinct for column in columns], ignore_index=True)
        both = cls(np.concatenate(codes), every)
        return both.mapped(every)

    def codes_at(self, rows: IntArray) -> IntArray:
        """Return the numbers in some rows, -1 where the row is -1 too."""
        return at_or_missing(self.codes, rows)

    def at(self, rows: IntArray) -> NumberedText:
        """Return the texts of some rows, missing at -1."""
        return NumberedText(self.codes_at(rows), self.distinct)

    def take(self, rows: IntArray) -> pd.Series:
        """Return the texts of some rows as a Series, missing at -1."""
        return take_or_missing(self.distinct, self.codes_at(rows))

    def mapped(self, distinct: pd.Series) -> NumberedText:
        """Return the column with another text, or none, in place of each distinct one."""
        found = NumberedText.of(distinct)
        return NumberedText(found.codes_at(self.codes), found.distinct)

    def or_else(self, other: NumberedText) -> NumberedText:
        """Return the column with the other's texts where its own are missing."""
        if not len(self.distinct) or not len(other.distinct):
            return other if len(other.distinct) else self
        theirs = np.where(other.codes < 0, -1, other.codes + len(self.distinct))
        both = NumberedText(
            np.where(self.codes < 0, theirs, self.codes),
            pd.concat([self.distinct, other.distinct], ignore_index=True),
        )
        return both.mapped(both.distinct)


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
        from convergekit.base.compiled_text import number_text

        codes, distinct = number_text(values, at)
        return codes, pd.Index(pd.array(distinct, dtype="str"))
    part = (
        values
        if at is None or size == len(values)
        else pd.Series(values.array.take(at), dtype=values.dtype)
    )
    codes, distinct = pd.factorize(part)
    return codes, pd.Index(distinct)


def together(columns: Sequence[NumberedText], rows: int) -> IntArray:
    """Return a number for each row's texts together, 0 where all are missing.

    Examples
    --------
    >>> rows = pd.DataFrame({"a": ["a", None, "a"], "b": [None, None, "x"]}, dtype="str")
    >>> together([NumberedText.of(rows[name]) for name in rows], 3).tolist()
    [2, 0, 3]
    """
    found, size = np.zeros(rows, dtype=np.int64), 1
    for column in columns:
        width = len(column.distinct) + 1
        if size * width > _MOST:
            # Numbered anew, or many columns would outgrow an integer; nothing stays 0.
            distinct, found = np.unique(np.append(0, found), return_inverse=True)
            found, size = found[1:], len(distinct)
        found, size = found * width + column.codes + 1, size * width
    return found

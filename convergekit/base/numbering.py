"""Number the values of a column in the order of their first appearance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from convergekit.base.compiled import compiled
from convergekit.base.records import take_or_missing
from convergekit.typing import IntArray

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

    def codes_at(self, rows: IntArray) -> IntArray:
        """Return the numbers in some rows, -1 where the row is -1 too."""
        return np.append(self.codes, -1)[rows]

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
    part = values if at is None or size == len(values) else pd.Series(values.array.take(at))
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

"""The labels of a breakdown: numbers of the groups, those with most first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from convergekit.base.grouping import number
from convergekit.base.options import names_given
from convergekit.errors import ConvergekitError
from convergekit.events.steps import single_valued
from convergekit.funnels.groups import is_rest, label_of
from convergekit.funnels.result import OTHER
from convergekit.typing import IntArray


@dataclass(frozen=True)
class Labels:
    """Of each row its group, by number, and what the groups are called.

    Attributes
    ----------
    code : numpy.ndarray of int
    names : pandas.DataFrame
        The breakdown's columns, a row per group; one row without columns if there is none.
    """

    code: IntArray
    names: pd.DataFrame

    @classmethod
    def of(cls, values: pd.DataFrame, rows: int, top: int | None) -> Labels:
        """Return the groups of rows, those with most rows first, "other" and missing ones last.

        Parameters
        ----------
        values : pandas.DataFrame
            The breakdown's columns, a row each.
        rows : int
        top : int, optional
            As many values of a column are kept; the others are "other".

        Examples
        --------
        >>> Labels.of(pd.DataFrame({"page": ["b", None, "a", "a"]}), 4, None).names["page"].tolist()
        ['a', 'b', nan]
        """
        code = np.zeros(rows, dtype=np.int64)
        shown: dict[str, pd.Series] = {}
        for name in values:
            column = _with_other(values[name].reset_index(drop=True), top)
            codes, distinct = number(column)
            code = code * (len(distinct) + 1) + codes + 1
            shown[str(name)] = column
        if not shown:
            return cls(code, pd.DataFrame(index=range(1)))
        _, first, code, counts = np.unique(
            code, return_index=True, return_inverse=True, return_counts=True
        )
        table = pd.DataFrame({name: column.iloc[first] for name, column in shown.items()})
        order = sorted(range(len(table)), key=lambda at: _rank(table.iloc[at], int(counts[at])))
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        return cls(place[code], table.iloc[order].reset_index(drop=True))


def _with_other(values: pd.Series, top: int | None) -> pd.Series:
    """Return the values, of which so many are kept and the others are "other"."""
    codes, distinct = number(values)
    if top is None or len(distinct) <= top:
        return values
    counts = np.bincount(codes[codes >= 0], minlength=len(distinct))
    kept = sorted(range(len(distinct)), key=lambda at: (-counts[at], str(distinct[at])))[:top]
    others = (codes >= 0) & ~np.isin(codes, kept)
    return values.astype(object).mask(others, OTHER)


def columns_of(
    events: pd.DataFrame, by: str | Sequence[str], top: int | None, taken: frozenset[str]
) -> list[str]:
    """Return the columns that a breakdown is by.

    Raises
    ------
    ColumnError
        No column matches a name, or its cells are not single values.
    ConvergekitError
        A column is called as one that the answer has, or `top` does not fit.
    """
    names = names_given("by", by)
    columns = list(dict.fromkeys(single_valued(events, name, option="by") for name in names))
    if top is not None:
        if isinstance(top, bool) or not isinstance(top, int) or top < 1:
            raise ConvergekitError(f"top must be a whole number from 1; got {top!r}.")
        if not columns:
            raise ConvergekitError(
                f"top= needs by= too; got top={top!r} alone. Give both, or neither."
            )
    for column in columns:
        if column in taken:
            raise ConvergekitError(
                f"by={column!r}: the table has a column of that name. Rename that of the events: "
                f"events.assign(label=events[{column!r}]), by='label'."
            )
    return columns


def _rank(values: pd.Series, count: int) -> tuple[bool, int, tuple[str, ...]]:
    label = label_of(list(values))
    return any(is_rest((one,)) for one in label), -count, tuple(map(str, label))

"""The labels of a breakdown: where they are read, and the groups that they make."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from convergekit.activity.events import Subject
from convergekit.base.grouping import number
from convergekit.base.options import choice, names_given
from convergekit.errors import ConvergekitError
from convergekit.funnels.groups import is_rest, label_of
from convergekit.funnels.labels import most_frequent
from convergekit.typing import IntArray
from convergekit.visits.entry import EntryLabel, Label, entry_labels, labels_at


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
            column = most_frequent(values[name].reset_index(drop=True), top)
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

    def most_frequent(self) -> tuple[Hashable, ...]:
        """Return the labels of one column, those with most first; none of several columns."""
        if len(self.names.columns) != 1:
            return ()
        labels = map(label_of, self.names.itertuples(index=False))
        return tuple(label[0] for label in labels if not is_rest(label))


@dataclass(frozen=True)
class Breakdown:
    """What an answer is broken down by.

    Attributes
    ----------
    labels : list of EntryLabel
        Where each column is read.
    top : int or None
        As many values of a column are kept.
    """

    labels: list[EntryLabel]
    top: int | None

    @classmethod
    def asked(
        cls,
        events: pd.DataFrame,
        by: str | Sequence[str],
        label: Label,
        top: int | None,
        taken: frozenset[str],
    ) -> Breakdown:
        """Return what was asked for.

        Parameters
        ----------
        events : pandas.DataFrame
        by, label, top
            As `Stitched.retention` takes them.
        taken : frozenset of str
            The columns that the answer has already.

        Raises
        ------
        ColumnError
            No column matches a name, or its cells are not single values.
        ConvergekitError
            A column is called as one that the answer has, or an option does not fit.
        """
        choice("label", label, Label)
        names = names_given("by", by)
        if top is not None and (isinstance(top, bool) or not isinstance(top, int) or top < 1):
            raise ConvergekitError(f"top must be a whole number from 1; got {top!r}.")
        for name, given in (("top", top), ("label", None if label == "visit" else label)):
            if given is not None and not names:
                raise ConvergekitError(
                    f"{name}= needs by= too; got {name}={given!r} alone. Give both, or neither."
                )
        found = entry_labels(events, names, label)
        for one in found:
            if one.name in taken:
                raise ConvergekitError(
                    f"by={one.name!r}: the table has a column of that name. Rename that of the "
                    f"events: events.assign(label=events[{one.name!r}]), by='label'."
                )
        return cls(found, top)

    @property
    def columns(self) -> list[str]:
        """What the columns are called in the answer."""
        return [label.name for label in self.labels]

    def values_at(self, subject: Subject, at: IntArray) -> pd.DataFrame:
        """Return the values of the events at these positions, a column each."""
        read = labels_at(subject.events, self.labels, at, subject.sessions)
        return pd.DataFrame(read, index=pd.RangeIndex(len(at)))


def _rank(values: pd.Series, count: int) -> tuple[bool, int, tuple[str, ...]]:
    label = label_of(list(values))
    return any(is_rest((one,)) for one in label), -count, tuple(map(str, label))

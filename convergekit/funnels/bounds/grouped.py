"""The shares of each label of a breakdown, counted anew with other profiles.

A person's label is that of their first entry, as a profile's is. So it is fixed before the outcome
in every completion, too: whoever is brought together with a device that entered earlier takes its
label, and an order that no browser is known for goes to the label of the visitor who gets it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from convergekit.base.grouping import run_starts
from convergekit.certainty.estimate import UNSEEN, assumed
from convergekit.certainty.evidence import Evidence
from convergekit.certainty.numbers import Recounting
from convergekit.certainty.occurring import Counting
from convergekit.certainty.worst import Logins, worst_bounds
from convergekit.certainty.worst_groups import worst_by_group
from convergekit.funnels.bounds.counting import FunnelBasis
from convergekit.funnels.outcomes import NOT_A_TIME
from convergekit.typing import FloatArray, IntArray

#: How much more often than it seems orders, and people whom nobody saw, may be of one label.
_OF_ONE = 2.0


@dataclass(frozen=True)
class GroupedCounting:
    """A funnel by the labels of a breakdown, to be counted anew.

    Attributes
    ----------
    counting : Counting
    arrival : numpy.ndarray of int
        The order of arrival of the events that take part.
    group : numpy.ndarray of int
        Of each event that takes part, the group of whoever enters by it; -1 for none of these.
    groups : int
    """

    counting: Counting
    arrival: IntArray
    group: IntArray
    groups: int

    @classmethod
    def of(cls, basis: FunnelBasis, labels: pd.DataFrame) -> GroupedCounting:
        """Return the funnel of these labels, a row each; without a column, one row of all."""
        place = np.zeros(len(basis.inside), dtype=np.int64)
        if basis.labels:
            place = _places(pd.DataFrame(basis.labels), labels)
        group = np.full(len(basis.counting.unit), -1, dtype=np.int64)
        group[basis.counting.enters] = np.where(basis.inside, place, -1)
        return cls(basis.counting, basis.arrival, group, len(labels))

    @cached_property
    def _entries(self) -> IntArray:
        """The entries, in the order in which they would be first."""
        at = np.flatnonzero(self.counting.enters)
        return at[np.lexsort((self.arrival[at], self.counting.time[at]))]

    def first_group(self, unit: IntArray) -> IntArray:
        """Return the group of each unit by its first entry: -1 for none of these, or no entry."""
        mine = unit[self._entries]
        inside = mine >= 0
        who, first = np.unique(mine[inside], return_index=True)
        found = np.full(int(unit.max(initial=-1)) + 1, -1, dtype=np.int64)
        found[who] = self.group[self._entries[inside][first]]
        return found

    def totals(self, unit: IntArray) -> FloatArray:
        """Return how many of each group reached each step, row by row."""
        at = np.flatnonzero(unit >= 0)
        _, entrant, time = self.counting.reached(at, unit[at])
        group = self.first_group(unit)[entrant]
        inside = group >= 0
        there = time[inside] != NOT_A_TIME
        found = np.zeros((self.groups, self.counting.steps))
        for step in range(self.counting.steps):
            found[:, step] = np.bincount(group[inside][there[:, step]], minlength=self.groups)
        return found.ravel()

    def _table(self, totals: FloatArray) -> FloatArray:
        return totals.reshape(self.groups, self.counting.steps)

    def shares(self, totals: FloatArray) -> FloatArray:
        """Return the share of those who entered that reached each step."""
        counts = self._table(totals)
        entered = counts[:, :1]
        found = np.divide(counts, entered, out=np.full(counts.shape, np.nan), where=entered > 0)
        return np.clip(found, 0.0, 1.0).ravel()

    def chance(self, shares: FloatArray, totals: FloatArray) -> FloatArray:
        """Return the standard errors of the shares.

        Of Agresti and Coull, as few people who all did the same are not sure to do so.
        """
        counts = self._table(totals)
        people = counts[:, :1] + 4
        share = np.clip((counts + 2) / people, 0.0, 1.0)
        error = np.sqrt(share * (1 - share) / people)
        # Of those who entered, all did.
        error[:, 0] = 0.0
        return error.ravel()

    def worst(self, logins: Logins) -> tuple[FloatArray, FloatArray]:
        """Return what the data do not exclude, a row per group and a column per step."""
        if self.groups == 1 and not self.group[self.counting.enters].any():
            # Whoever enters is in it, so that nobody can leave it.
            low, high = worst_bounds(logins, self.counting)
            return low[None, :], high[None, :]
        return worst_by_group(logins, self.counting, self.group, self.groups, self.first_group)

    def recounting(self, evidence: Evidence) -> Recounting:
        """Return the shares as numbers that can be given anew."""
        stitched = self.totals(self.counting.unit)
        usual = assumed(evidence)
        carries = np.bincount(evidence.drawable.carries, minlength=3)
        linked = float((carries * np.array(usual.lost)).sum())
        left = carries * (1 - np.array(usual.lost))
        unseen = float(left[0] * usual.unseen + left[1] + left[2])

        def spread(totals: FloatArray, times: float | None) -> FloatArray:
            return self.shares(self._spread(totals, stitched, linked, times))

        def unlike(totals: FloatArray, times: float) -> FloatArray:
            return self._if_unseen(totals, unseen, times)

        return Recounting(
            occurring=self.counting,
            stitched=self.shares(stitched),
            totals=self.totals,
            numbers=self.shares,
            chance=self.chance,
            instead={
                "orders": [
                    [
                        lambda totals: spread(totals, None),
                        lambda totals: spread(totals, _OF_ONE),
                        lambda totals: spread(totals, 1 / _OF_ONE),
                    ]
                ],
                "losses": [
                    [
                        lambda totals: unlike(totals, UNSEEN),
                        lambda totals: unlike(totals, 1 / UNSEEN),
                    ]
                ],
            },
        )

    def _spread(
        self, totals: FloatArray, stitched: FloatArray, linked: float, times: float | None
    ) -> FloatArray:
        """Return the totals if the orders that found a visitor went to the labels in another way.

        As often as known ones do; or each label has so many times as many of them.
        """
        counts, before = self._table(totals), self._table(stitched)
        gained = np.clip((counts - before).sum(axis=0), 0.0, linked)
        # Of those who entered, all did.
        gained[0] = 0.0
        share = counts / np.maximum(counts.sum(axis=0), 1e-9)
        if times is not None:
            return (counts + (times - 1) * share * gained).ravel()
        known = before / np.maximum(before.sum(axis=0), 1e-9)
        return (counts + (known - share) * gained).ravel()

    def _if_unseen(self, totals: FloatArray, unseen: float, times: float) -> FloatArray:
        """Return the shares if those whom no browser saw convert so many times as often."""
        counts, share = self._table(totals), self._table(self.shares(totals))
        bought = max(float(counts[:, -1].sum()), 1.0)
        more = min(_OF_ONE * unseen / bought, 1.0)
        changed = np.clip(share * (1 + more) / (1 + more / times), 0.0, 1.0)
        changed[:, 0] = share[:, 0]
        return changed.ravel()


def _places(labels: pd.DataFrame, groups: pd.DataFrame) -> IntArray:
    """Return the place of each row of labels among the groups; -1 if it is none of them.

    Examples
    --------
    >>> groups = pd.DataFrame({"plan": ["free", None]})
    >>> _places(pd.DataFrame({"plan": [None, "paid", "free"]}, dtype=object), groups).tolist()
    [1, -1, 0]
    """
    row = np.zeros(len(labels), dtype=np.int64)
    for name in labels:
        codes, distinct = pd.factorize(labels[name], use_na_sentinel=False)
        row = pd.factorize(row * len(distinct) + codes)[0]
    ascending = np.argsort(row, kind="stable")
    one_of_each = ascending[run_starts(row[ascending])]
    known = {key: place for place, key in enumerate(_keys(groups))}
    place = [known.get(key, -1) for key in _keys(labels.iloc[one_of_each])]
    return np.array([*place, -1], dtype=np.int64)[row]


def _keys(labels: pd.DataFrame) -> list[tuple[Any, ...]]:
    """Return labels as what is equal whatever the type of their column."""
    return [
        tuple(_key(cell) for cell in cells) for cells in labels.itertuples(index=False, name=None)
    ]


def _key(cell: Any) -> tuple[str, Any]:
    if pd.isna(cell):
        return "", None
    if isinstance(cell, (bool, np.bool_)):
        return "bool", bool(cell)
    if isinstance(cell, (int, float, np.number)):
        # A whole number is equal to itself as a float; an ID of 18 digits is not what a float has.
        return "number", cell.item() if isinstance(cell, np.number) else cell
    return "text", str(cell)

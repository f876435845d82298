"""Recounting how far new and returning customers can be from those who are people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from convergekit.base.grouping import distinct_rows, run_starts
from convergekit.certainty.answering import (
    NumbersAsked,
    OccurringInAll,
    OccurringInPart,
    bounds_of_numbers,
)
from convergekit.certainty.asked import AskedOf, checked_level
from convergekit.certainty.completion import nearest
from convergekit.certainty.numbers import Recounting
from convergekit.certainty.occurring import Occurring
from convergekit.certainty.parts import Parts, parts_of
from convergekit.certainty.result import AnswerBounds
from convergekit.certainty.worst import Logins, certain_units
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import FloatArray, IntArray

_KINDS = ("new", "returning")
#: More addresses than this a second order is not taken to be under.
_MOST_OTHERS = 0.5


def bounds_of_customers(
    asked: AskedOf[bool],
    orders: pd.DataFrame,
    periods: pd.Series,
    every: pd.PeriodIndex,
    level: float,
) -> AnswerBounds:
    """Return how far new and returning customers can be from people. See `Customers.bounds`.

    Parameters
    ----------
    asked : AskedOf
    orders : pandas.DataFrame
        With `row`.
    periods : pandas.Series of period
        Of each order.
    every : pandas.PeriodIndex
        The periods that the answer has.
    level : float
    """
    level = checked_level(level)
    each, _ = asked.known("customers(...)")
    rows = orders["row"].to_numpy(dtype=np.int64)
    parts = list(each(partial(_OrdersInPart.of, rows=rows)))
    whole = OccurringInAll.of([one.occurring for one in parts])
    occurring = whole.events
    by_row = np.argsort(rows)
    period = every.get_indexer(pd.PeriodIndex(periods)).astype(np.int64)[by_row]
    period = period[np.searchsorted(rows[by_row], occurring.position)]
    of = _Recounted(occurring, period, len(every), *_second_addresses(parts, whole))
    plain = of.counts(occurring.unit)
    answer = Recounting(
        occurring=occurring,
        stitched=plain,
        totals=of.totals,
        numbers=of.plain,
        chance=of.chance,
        instead={"suspects": [[of.merged]]},
    )
    rows = pd.DataFrame(
        {
            "period": np.repeat(every.start_time, 2),
            "kind": pd.Series(np.tile(_KINDS, len(every)), dtype="str"),
        }
    )
    asking = NumbersAsked(answer, rows, "customers", "orders", _worst(whole.logins, of))
    return bounds_of_numbers(whole.evidence, asking, level)


@dataclass(frozen=True)
class _OrdersInPart:
    """The orders of a part.

    Attributes
    ----------
    occurring : OccurringInPart
    alike, differ, apart : int
        Of the pairs of orders that follow each other, those from one browser with logins of one
        type, those of them whose logins differ, and those from two browsers.
    gaps : numpy.ndarray of int
        How far these orders are apart.
    first, time : numpy.ndarray of int
        Whose the first order of each profile is, and when it was.
    ids : pandas.Series of str
        Of these profiles.
    """

    occurring: OccurringInPart
    alike: int
    differ: int
    apart: int
    gaps: IntArray
    first: IntArray
    time: IntArray
    ids: pd.Series

    @classmethod
    def of(cls, number: int, s: StitchedEvents, *, rows: IntArray) -> _OrdersInPart:
        """Return the orders of a part."""
        at = np.flatnonzero(np.isin(s.events["row"].to_numpy(dtype=np.int64), rows))
        occurring = Occurring.of(s, at, at)
        parts = parts_of(s)
        profile, time = occurring.unit, occurring.time
        order = np.lexsort((time, profile))
        order = order[profile[order] >= 0]
        follows = ~run_starts(profile[order])[1:]
        one, other = order[:-1][follows], order[1:][follows]
        first = order[run_starts(profile[order])]
        alike, differ, apart = _others(s, parts, occurring.position[one], occurring.position[other])
        return cls(
            occurring=OccurringInPart.of(s, occurring),
            alike=alike,
            differ=differ,
            apart=apart,
            gaps=time[other] - time[one],
            first=profile[first],
            time=time[first],
            ids=s.resolution.profile_ids.take(profile[first]),
        )


@dataclass(frozen=True)
class _Recounted:
    """Orders, whose customers can be counted as other people.

    Attributes
    ----------
    occurring : Occurring
    period : numpy.ndarray of int
        Of each order.
    periods : int
    others : float
        How often at most an order is under another login than the one before it.
    same : numpy.ndarray of int
        Of each profile, the one that it may be under another address, and itself otherwise.
    """

    occurring: Occurring
    period: IntArray
    periods: int
    others: float
    same: IntArray

    def counts(self, unit: IntArray) -> FloatArray:
        """Return the new and the returning customers of each period."""
        known = unit >= 0
        who, period = distinct_rows(unit[known], self.period[known])
        new = run_starts(who)
        sizes = [np.bincount(period[kind], minlength=self.periods) for kind in (new, ~new)]
        return np.stack(sizes, axis=1).reshape(-1).astype(float)

    def totals(self, unit: IntArray) -> FloatArray:
        """Return the counts, and then those where second addresses are brought together."""
        profiles = len(self.same)
        # Who was taken apart stays so.
        known = np.minimum(unit, profiles)
        merged = np.where(unit < profiles, np.append(self.same, -1)[known], unit)
        return np.concatenate([self.counts(unit), self.counts(merged)])

    def chance(self, numbers: FloatArray, totals: FloatArray) -> FloatArray:
        """Return the standard errors: any order may be under a login that is not its customer's.

        Each such order makes a customer new who is not, or returning who is new.
        """
        ordering = np.maximum(numbers, 0.0).reshape(-1, 2).sum(axis=1)
        return np.repeat(np.sqrt(ordering * self.others), 2)

    def plain(self, totals: FloatArray) -> FloatArray:
        """Return the counts."""
        return totals.reshape(2, -1)[0]

    def merged(self, totals: FloatArray) -> FloatArray:
        """Return the counts where second addresses are brought together."""
        return totals.reshape(2, -1)[1]


def _second_addresses(
    parts: Sequence[_OrdersInPart], whole: OccurringInAll
) -> tuple[float, IntArray]:
    """Return how often at most orders are under another login, and who may be one person.

    Two orders from one browser are under different logins so often: as often two orders from two
    browsers are, which nothing brings together. Logins of several people who share a browser count
    as well, so that this is the most that it can be.
    """
    same = np.arange(len(whole.logins.more))
    seen, differ, apart = (
        sum(getattr(one, name) for one in parts) for name in ("alike", "differ", "apart")
    )
    share = min((differ + 0.5) / (seen + 1), _MOST_OTHERS)
    hidden = int(np.ceil(apart * share / (1 - share)))
    share = min(share + 1.645 * np.sqrt(share * (1 - share) / (seen + 1)), _MOST_OTHERS)
    profile = whole.profile([one.first for one in parts])
    time = np.concatenate([one.time for one in parts])
    ids = pd.concat([one.ids for one in parts], ignore_index=True).to_numpy()
    named = whole.logins.anchored[profile]
    gaps = np.sort(np.concatenate([one.gaps for one in parts]))
    hidden = min(hidden, int(named.sum()) // 2)
    if not hidden or not len(gaps):
        return share, same
    rng = np.random.Generator(np.random.PCG64(0))
    # By time and ID, so that the order of the rows does not decide.
    first = np.flatnonzero(named)
    first = first[np.lexsort((ids[first], time[first]))]
    later = rng.permutation(len(first))[:hidden]
    left = np.setdiff1d(np.arange(len(first)), later)
    wanted = time[first[later]] - rng.choice(gaps, size=hidden)
    chosen = nearest(wanted, time[first[left]], before=True)
    same[profile[first[later]]] = profile[first[left[chosen]]]
    return share, same


def _others(
    s: StitchedEvents, parts: Parts, one: IntArray, other: IntArray
) -> tuple[int, int, int]:
    """Return how many pairs of orders are of one browser, differ in their login, and are of two."""
    together = (parts.of_event[one] >= 0) & (parts.of_event[one] == parts.of_event[other])
    types = np.append(s.resolution.aliases.types.codes.astype(np.int64), -1)
    said = parts.login[one], parts.login[other]
    alike = (types[said[0]] == types[said[1]]) & (said[0] >= 0) & (said[1] >= 0)
    differ = together & alike & (said[0] != said[1])
    return int((together & alike).sum()), int(differ.sum()), int((~together).sum())


def _worst(logins: Logins, of: _Recounted) -> tuple[FloatArray, FloatArray]:
    """Return the least and the most customers that the data do not exclude.

    Anybody may order under several addresses. So all who are new may have ordered before, but for
    somebody in the first period, and all who return may be one.
    """
    unit, _ = certain_units(logins, of.occurring)
    new, back = of.counts(unit).reshape(-1, 2).T
    more = np.append(logins.more, 0)
    doubtful = unit < 0
    who, period = distinct_rows(of.occurring.unit[doubtful], of.period[doubtful])
    here = np.bincount(period, weights=more[who] + 1, minlength=of.periods)
    # Orders of nobody may be as many people.
    nobodys = of.period[of.occurring.unit < 0]
    here = here + np.bincount(nobodys, minlength=of.periods)
    everybody = new + back + here
    first = np.flatnonzero(everybody)[:1]
    least = np.zeros(of.periods)
    least[first] = 1.0
    low = np.stack([least, np.minimum(back, 1.0)], axis=1)
    high = np.stack([new + here, everybody], axis=1)
    return low.reshape(-1), high.reshape(-1)

"""Cohorts: who belongs to which, and how many of each come back how much later. Integers alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from convergekit.base.grouping import run_starts
from convergekit.typing import BoolArray, IntArray

Mode = Literal["on", "within", "on_or_after"]

# As many pairs of a member and a return are in memory at a time.
_BLOCK = 1 << 23


@dataclass(frozen=True)
class Members:
    """Who is in which cohort, a row each.

    Attributes
    ----------
    group : numpy.ndarray of int
        The cohort, or the cohort and the label of a breakdown.
    profile : numpy.ndarray of int
    time : numpy.ndarray of int
        When the start event was.
    tick : numpy.ndarray of int
        The tick that this lies in.
    """

    group: IntArray
    profile: IntArray
    time: IntArray
    tick: IntArray


@dataclass(frozen=True)
class Returns:
    """The events by which profiles return: profile, time and tick of each."""

    profile: IntArray
    time: IntArray
    tick: IntArray


@dataclass(frozen=True)
class Spans:
    """What is observed of each group: one row per number of periods since.

    Attributes
    ----------
    group : numpy.ndarray of int
        Of each row, its group.
    since : numpy.ndarray of int
        The number of periods since.
    begin : numpy.ndarray of int
        Of each group, its first row.
    complete : numpy.ndarray of bool
        Of each row, whether the period was over for the whole cohort when the data ended.
    """

    group: IntArray
    since: IntArray
    begin: IntArray
    complete: BoolArray

    @classmethod
    def of(cls, first: IntArray, last: IntArray, end: int, length: int) -> Spans:
        """Return the rows of groups whose members start from one tick to another.

        Parameters
        ----------
        first, last : numpy.ndarray of int
            Of each group, the ticks at which its cohort begins and ends, both included.
        end : int
            The tick in which the data end.
        length : int
            The ticks of a period.

        Examples
        --------
        >>> spans = Spans.of(np.array([4]), np.array([4]), end=6, length=1)
        >>> spans.since.tolist(), spans.complete.tolist()
        ([0, 1, 2], [True, True, False])
        """
        rows = np.maximum((end - first) // length, 0) + 1
        begin = np.cumsum(rows) - rows
        group = np.repeat(np.arange(len(rows)), rows)
        since = np.arange(len(group)) - begin[group]
        return cls(group, since, begin, last[group] + (since + 1) * length <= end)


def first_starts(profile: IntArray, period: IntArray) -> IntArray:
    """Return the places of the events that are a profile's first in a period.

    Parameters
    ----------
    profile, period : numpy.ndarray of int
        Of each start event, ordered by profile, then time.

    Examples
    --------
    >>> first_starts(np.array([0, 0, 0, 1]), np.array([3, 3, 4, 4])).tolist()
    [0, 2, 3]
    """
    if not len(profile):
        return np.array([], dtype=np.int64)
    return np.flatnonzero(run_starts(profile, period))


def count_returned(
    members: Members, returns: Returns, spans: Spans, length: int, mode: Mode
) -> IntArray:
    """Return how many members of each row's group came back so many periods later.

    Parameters
    ----------
    members : Members
    returns : Returns
    spans : Spans
    length : int
        The ticks of a period.
    mode : {"on", "within", "on_or_after"}

    Notes
    -----
    In the period of the start itself, an event counts from the start on: the start event too, if
    it is one by which profiles return.
    """
    found = np.zeros(len(spans.since), dtype=np.int64)
    if not len(members.profile) or not len(returns.profile):
        return found
    base = min(int(members.tick.min()), int(returns.tick.min()))
    width = max(int(members.tick.max()), int(returns.tick.max())) - base + 1
    # Each profile and tick once, with the latest event in it.
    keys = returns.profile * width + (returns.tick - base)
    order = np.argsort(keys)  # of equal ones the latest is taken, in whatever order
    starts = np.flatnonzero(run_starts(keys[order]))
    latest = np.maximum.reduceat(returns.time[order], starts)
    keys = keys[order[starts]]
    begin = np.searchsorted(keys, members.profile * width + (members.tick - base))
    pairs = np.searchsorted(keys, (members.profile + 1) * width) - begin
    for part in _blocks(pairs):
        number = pairs[part]
        member = np.repeat(part, number)
        at = np.repeat(begin[part] - (np.cumsum(number) - number), number) + np.arange(len(member))
        waited = keys[at] % width + base - members.tick[member]
        counts = (waited > 0) | (latest[at] >= members.time[member])
        member, since = member[counts], waited[counts] // length
        row = spans.begin[members.group[member]] + since
        found += np.bincount(row[_counted(member, since, mode)], minlength=len(found))
    return _accumulated(found, spans, mode)


def _blocks(pairs: IntArray) -> list[IntArray]:
    """Return the members in parts that have about as many pairs as fit in memory."""
    part = np.cumsum(pairs) // _BLOCK
    return np.split(np.arange(len(pairs)), np.flatnonzero(run_starts(part))[1:])


def _counted(member: IntArray, since: IntArray, mode: Mode) -> BoolArray:
    """Return which of the returns, by member and then time, are counted where they are."""
    if not len(member):
        return np.zeros(0, dtype=bool)
    once = run_starts(member, since)
    if mode == "on":
        return once
    if mode == "within":
        # The first one later, from where it counts on; period 0 stands for itself.
        return once & ((since == 0) | run_starts(member, since > 0))
    # The last one, up to which it counts.
    latest = np.ones(len(member), dtype=bool)
    latest[:-1] = member[1:] != member[:-1]
    return latest


def _accumulated(found: IntArray, spans: Spans, mode: Mode) -> IntArray:
    """Return the counts with those of earlier or later periods added, as the mode has it."""
    if mode == "on" or not len(found):
        return found
    total = np.cumsum(found)
    begin = spans.begin[spans.group]
    if mode == "within":
        return np.where(spans.since == 0, found, total - total[begin])
    end = np.append(spans.begin[1:], len(found))[spans.group] - 1
    return total[end] - total + found

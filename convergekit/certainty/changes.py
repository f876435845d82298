"""Changes of devices: what visits of known people say of those that identified themselves together.

Orders compete. An errand that moves from a telephone to a laptop ends with one order, so that one
of the two devices identifies itself and the other does not; two that both did are of two errands.
Such pairs are too few, and far apart in time: a capture makes the next one less likely (model M_b
of D. L. Otis, K. P. Burnham, G. C. White and D. R. Anderson, "Statistical inference from capture
data on closed animal populations", Wildlife Monographs 62, 1978).

Waits show it. If people change devices from one visit to the next whatever the wait, then the waits
before a change are as long as those between visits of one device. Where they are longer, pairs
that follow soon are missing: so many that the rest would be as many as they should. A cookie that
expires explains the same, but nobody comes back to an expired cookie.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from convergekit.base.grouping import run_starts
from convergekit.base.rounding import six_digits
from convergekit.certainty.parts import Parts
from convergekit.events.timestamps import microseconds
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import BoolArray, IntArray

#: So many changes are taken to be as they would be if nothing competed.
_PRIOR = 10
#: Of the changes between two devices, the share that is back to one that was left, or away from one
#: that is seen again.
_SURE = 0.5


@dataclass(frozen=True)
class Changes:
    """By how much the pairs of parts that are missing would be more.

    Attributes
    ----------
    missing : float
        How many pairs there would be for each that is seen, if competition is all that makes
        waits before a change long; from 1.
    likely : float
        The same if expired cookies make them long as well; from 1.
    expired : float
        The share of changes that are expired cookies.
    soon : numpy.ndarray of int
        Waits of visits that follow soon, ascending, in microseconds.
    """

    missing: float
    likely: float
    expired: float
    soon: IntArray


@dataclass(frozen=True)
class NextVisits:
    """Visits of identified parts, each with the next of the same profile.

    Attributes
    ----------
    wait : numpy.ndarray of int
        From the end of the one to the begin of the other, in microseconds.
    change, sure : numpy.ndarray of bool
        Which of the next are of another part, and for certain not because a cookie expired.
    """

    wait: IntArray
    change: BoolArray
    sure: BoolArray

    @classmethod
    def of(cls, s: StitchedEvents, parts: Parts) -> NextVisits:
        """Return the visits of a part of the events."""
        before, after, wait, ends, begins, time = _next_visits(s, parts)
        change = before != after
        sure = change & ((ends[before] > time) | (begins[after] < time))
        return cls(wait, change, sure)

    @classmethod
    def together(cls, found: Sequence[NextVisits]) -> NextVisits:
        """Return the visits of several parts of the events."""
        return cls(
            *(
                np.concatenate([getattr(one, name) for one in found])
                for name in ("wait", "change", "sure")
            )
        )

    def changes(self) -> Changes:
        """Return by how much pairs of parts are too few, as far as waits tell."""
        wait, change, sure = self.wait, self.change, self.sure
        same = np.sort(wait[~change])
        soon = same[: (len(same) + 1) // 2]
        if not len(soon) or not change.any():
            return Changes(1.0, 1.0, 0.0, soon)
        expired = max(1 - float(sure.sum() / change.sum()) / _SURE, 0.0)
        missing = _missing(wait[change], same, soon)
        # Where most changes are expired cookies, those that are none say more.
        likely = (1 - expired) * (missing - expired) + expired * _missing(wait[sure], same, soon)
        return Changes(
            missing=six_digits(max(missing, 1.0)),
            likely=six_digits(max(likely, 1.0)),
            expired=six_digits(expired),
            soon=soon,
        )


def _missing(wait: IntArray, same: IntArray, soon: IntArray) -> float:
    """Return how many changes there would be for each if as many followed soon as usual."""
    usual = float((same <= soon[-1]).mean())
    followed = int((wait <= soon[-1]).sum())
    share = (followed + _PRIOR * usual) / (len(wait) + _PRIOR)
    return (1 - share) / max(1 - usual, 0.1)


def _next_visits(
    s: StitchedEvents, parts: Parts
) -> tuple[IntArray, IntArray, IntArray, IntArray, IntArray, IntArray]:
    """Return of visits of identified parts and the next of the same profile what is to compare.

    Returns
    -------
    before, after : numpy.ndarray of int
        The part of a visit, and of the next.
    wait : numpy.ndarray of int
        From the end of the one to the begin of the other, in microseconds.
    ends, begins : numpy.ndarray of int
        Per part, when it was seen last and first.
    time : numpy.ndarray of int
        When the next visit begins.
    """
    known: BoolArray = np.append(parts.identified, False)[parts.of_event]
    at = np.flatnonzero(known)
    time = microseconds(s.events["timestamp"])
    place = np.empty(len(time), dtype=np.int64)
    place[s.resolution.in_time] = np.arange(len(time))
    of_event = parts.of_event[at]
    at = at[np.lexsort((place[at], time[at], parts.profile[of_event]))]
    part, profile, times = parts.of_event[at], parts.profile[parts.of_event[at]], time[at]
    begins = np.full(len(parts.profile), np.iinfo(np.int64).max)
    ends = np.full(len(parts.profile), np.iinfo(np.int64).min)
    np.minimum.at(begins, part, times)
    np.maximum.at(ends, part, times)
    visit = run_starts(parts.visit[at])
    following = np.flatnonzero(visit & ~run_starts(profile))
    return (
        part[following - 1],
        part[following],
        times[following] - times[following - 1],
        ends,
        begins,
        times[following],
    )

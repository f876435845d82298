"""What the data cannot exclude: bounds of the shares without any assumption about chance.

Partial identification (C. F. Manski, "Partial Identification of Probability Distributions", 2003):
of all ways in which profiles and events without one may be people's, the lowest and the highest
share. Three things are taken as given. The events of one profile are one person's, unless it has
several logins of a type: then it may be as many people. Profiles with a login of the commonest type
are different people, for their logins differ. Everything else may be anybody's.

The bounds hold for every such way. They are not always reached: where a window or the order of the
steps stands in the way of bringing two profiles together, the bounds take it that it does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from convergekit.certainty.occurring import Counting, Occurring
from convergekit.identity.profiles import LOGIN_TYPES
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class _Profiles:
    """What is given of each profile.

    Attributes
    ----------
    anchored : numpy.ndarray of bool
        Which are different people for certain.
    more : numpy.ndarray of int
        How many people each may be beyond one.
    enters : numpy.ndarray of bool
    begins : numpy.ndarray of int
        The first event that may begin the funnel, in microseconds.
    """

    anchored: BoolArray
    more: IntArray
    enters: BoolArray
    begins: IntArray


def worst_bounds(logins: Logins, counting: Counting) -> tuple[FloatArray, FloatArray]:
    """Return the lowest and the highest share of each step that the data do not exclude.

    Parameters
    ----------
    logins : Logins
    counting : Counting
        A funnel of profiles, in order, in which no event voids an attempt.

    Returns
    -------
    low, high : numpy.ndarray of float
    """
    size = len(logins.more)
    never = np.iinfo(np.int64).max
    mine = counting.unit >= 0
    begins = np.full(size, never)
    entry = mine & counting.enters
    np.minimum.at(begins, counting.unit[entry], counting.time[entry])
    profiles = _Profiles(logins.anchored, logins.more, begins < never, begins)
    at = np.flatnonzero(mine)
    _, entrant, times = counting.reached(at, counting.unit[at])
    low, high = np.ones(counting.steps), np.ones(counting.steps)
    for step in range(1, counting.steps):
        reached = np.full(size, never)
        got_there = times[:, step] > np.iinfo(np.int64).min
        reached[entrant[got_there]] = times[got_there, step]
        filling = counting.mask >> step & 1 > 0
        there = np.zeros(size, dtype=bool)
        there[counting.unit[mine & filling]] = True
        low[step] = _lowest(counting, profiles, reached, never)
        high[step] = _highest(counting, profiles, there, int((filling & ~mine).sum()))
    return low, high


@dataclass(frozen=True)
class Logins:
    """The logins that profiles have.

    Attributes
    ----------
    has : numpy.ndarray of bool
        Per type of `LOGIN_TYPES`, which profiles have one.
    more : numpy.ndarray of int
        How many more than one of a type each has at most.
    """

    has: BoolArray
    more: IntArray

    @classmethod
    def of(cls, s: StitchedEvents) -> Logins:
        """Return the logins of stitched events, or of a part of them."""
        types, size = s.resolution.aliases.table["alias_type"], len(s.resolution.profile_ids)
        counts = np.stack(
            [
                np.bincount(
                    s.resolution.component[(types == name).to_numpy(dtype=bool)], minlength=size
                )
                for name in LOGIN_TYPES
            ]
        )
        return cls(counts > 0, np.maximum(counts.max(axis=0) - 1, 0))

    @classmethod
    def together(cls, found: Sequence[Logins]) -> Logins:
        """Return the logins of several parts."""
        has = np.concatenate([one.has for one in found], axis=1)
        return cls(has, np.concatenate([one.more for one in found]))

    @property
    def anchored(self) -> BoolArray:
        """Which profiles have a login of the commonest type."""
        commonest = int(np.argmax(self.has.sum(axis=1)))
        return np.asarray(self.has[commonest], dtype=bool)


def _highest(counting: Counting, profiles: _Profiles, there: BoolArray, unassigned: int) -> float:
    """Return the highest share: orders go to whoever has none, and devices to whoever has."""
    anchored, enters = profiles.anchored, profiles.enters
    converted = int((anchored & enters & there).sum())
    waiting = int((anchored & enters & ~there).sum())
    giving = int((~anchored & there).sum()) + unassigned
    entries = int((~anchored & enters).sum()) + int((counting.enters & (counting.unit < 0)).sum())
    joining = min(int((anchored & ~enters & there).sum()), entries)
    split = int(profiles.more[there].sum())
    most = converted + min(giving, waiting) + joining + max(giving - waiting, 0) + split
    left = max(waiting - giving, 0)
    return most / (most + left) if most else 0.0


def _lowest(counting: Counting, profiles: _Profiles, reached: IntArray, never: int) -> float:
    """Return the lowest share: buyers without a login are one person, visitors all different."""
    anchored, enters, one = profiles.anchored, profiles.enters, profiles.more == 0
    converted = enters & (reached < never)
    certain = anchored & converted & one
    unassigned = counting.time[counting.enters & (counting.unit < 0)]
    # Earlier entries that a buyer may turn out to have, so that the window ended before the order.
    earlier = np.append(profiles.begins[~anchored & enters], unassigned)
    late = reached[converted] - counting.window
    early = int((earlier < late.max()).sum()) if len(late) and counting.first_entry else 0
    voided = 0
    if early:
        voided = min(int((reached[certain] - counting.window > earlier.min()).sum()), early)
    least = int(certain.sum()) - voided
    free = int((~anchored & converted).sum())
    if least == 0 and not early and free:
        least = 1
    others = int(enters.sum()) - int(certain.sum()) + voided - (0 if early else free)
    others += len(unassigned) + int(profiles.more[enters].sum())
    return least / (least + others) if least else 0.0


def certain_units(logins: Logins, occurring: Occurring) -> tuple[IntArray, int]:
    """Return who is one person for certain, and how many others there may be.

    Each of these others changes at most one of those who are certain, or is one person more.

    Parameters
    ----------
    logins : Logins
    occurring : Occurring

    Returns
    -------
    unit : numpy.ndarray of int
        Of each event that takes part, the profile if it is one person for certain; otherwise -1.
    others : int
        Profiles that may be anybody, as often as they may be several people, and events without
        one.
    """
    anchored, more = logins.anchored, logins.more
    certain = np.append(anchored & (more == 0), False)[occurring.unit]
    doubtful = np.unique(occurring.unit[~certain & (occurring.unit >= 0)])
    others = int((more[doubtful] + 1).sum() + (occurring.unit < 0).sum())
    return np.where(certain, occurring.unit, -1), others

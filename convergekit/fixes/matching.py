"""Match what follows to the visit that it may have followed: by the wait between the two."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convergekit.base.grouping import run_starts
from convergekit.fixes.origins import PAUSE
from convergekit.typing import BoolArray, FloatArray, IntArray

#: So many visits that ended just before are looked at.
_LOOKED_AT = 12
_BINS = 12
_HOUR = 60 * 60 * 1_000_000
#: As many visits end by chance as within so much time before and after.
_NEAR = 3 * _HOUR
#: So often the visit that was followed ended in a way that few do.
_NOT_THERE = 0.05
#: What follows by chance is seen by moving the clock.
_MOVED = (-5 * _HOUR, -2 * _HOUR, 2 * _HOUR, 5 * _HOUR)


@dataclass(frozen=True)
class Ended:
    """How visits ended.

    Attributes
    ----------
    time : numpy.ndarray of int
        When each was last seen; ascending, where one is looked for.
    kind : numpy.ndarray of int
        By what event, as a number.
    """

    time: IntArray
    kind: IntArray


@dataclass(frozen=True)
class MatchedVisits:
    """The visit that each moment most likely followed.

    Attributes
    ----------
    visit : numpy.ndarray of int
        -1 where none ended within `PAUSE` before; each visit at most once.
    ratio : numpy.ndarray of float
        How often a match as good as this is a true one, against one by chance.
    """

    visit: IntArray
    ratio: FloatArray


@dataclass(frozen=True)
class Matcher:
    """What is known of waits, and the visits that may have been followed.

    Attributes
    ----------
    ended : Ended
        The visits that may have been followed.
    known : Ended
        Visits that are known to have been followed.
    waits : numpy.ndarray of int
        How long after each of these.
    """

    ended: Ended
    known: Ended
    waits: IntArray

    def matched(self, followed: IntArray) -> MatchedVisits:
        """Return the visit that each moment most likely followed.

        Examples
        --------
        >>> minute, one = 60_000_000, np.zeros(6, dtype=np.int64)
        >>> visits = Ended(np.array([2, 14, 19]) * minute, one[:3])
        >>> matcher = Matcher(visits, Ended(one, one), np.arange(3, 9) * minute)
        >>> matcher.matched(np.array([20, 90]) * minute).visit.tolist()
        [1, -1]
        """
        visit, score = self._likeliest(followed)
        if not len(followed) or not len(self.waits):
            return MatchedVisits(visit, np.zeros(len(followed)))
        by_chance = np.concatenate([self._likeliest(followed + by)[1] for by in _MOVED])
        sure = self._score(self.known.kind, self.waits, self.known.time + self.waits)
        # Where another visit fits better, that one is found.
        other = np.random.Generator(np.random.PCG64(29)).choice(np.sort(by_chance), len(sure))
        sure = np.maximum(np.sort(sure), other)
        there = np.concatenate([by_chance, sure])
        cuts = np.unique(np.quantile(there[np.isfinite(there)], np.linspace(0, 1, _BINS + 1)[1:-1]))

        def shares(scores: FloatArray) -> FloatArray:
            place = np.where(np.isfinite(scores), 1 + np.searchsorted(cuts, scores), 0)
            return (np.bincount(place, minlength=len(cuts) + 2) + 0.5) / (len(scores) + 1)

        place = np.where(np.isfinite(score), 1 + np.searchsorted(cuts, score), 0)
        # Some follow a visit that is not among those that are looked at.
        followed_one = (1 - _NOT_THERE) * shares(sure)
        followed_one[0] += _NOT_THERE
        return MatchedVisits(visit, (followed_one / shares(by_chance))[place])

    def _likeliest(self, followed: IntArray) -> tuple[IntArray, FloatArray]:
        """Return for each moment the visit, and how likely it is, minus infinity without one."""
        ended = self.ended
        visit = np.full(len(followed), -1, dtype=np.int64)
        score = np.full(len(followed), -np.inf)
        if not len(followed) or not len(ended.time) or not len(self.waits):
            return visit, score
        latest = np.searchsorted(ended.time, followed, side="right") - 1
        place = latest[:, None] - np.arange(_LOOKED_AT)[None, :]
        wait = followed[:, None] - ended.time[np.maximum(place, 0)]
        who, which = np.nonzero((place >= 0) & (wait <= PAUSE))
        place, wait = place[who, which], wait[who, which]
        likely = self._score(ended.kind[place], wait, followed[who])
        # The likeliest pairs first; of those as likely, the earlier moment and the later visit.
        order = np.lexsort((-place, followed[who], -likely))
        who, place, likely = who[order], place[order], likely[order]
        while len(who):
            mine = _first_of_each(who) & _first_of_each(place)
            visit[who[mine]], score[who[mine]] = place[mine], likely[mine]
            taken = np.isin(place, place[mine]) | np.isin(who, who[mine])
            who, place, likely = who[~taken], place[~taken], likely[~taken]
        return visit, score

    def _score(self, kind: IntArray, wait: IntArray, moment: IntArray) -> FloatArray:
        """Return how much likelier waits are after what is known than by chance, as a logarithm."""
        known, ended = self.known.kind, self.ended
        found = np.full(len(kind), -np.inf)
        since = np.searchsorted(ended.time, moment - _NEAR)
        usual = np.searchsorted(ended.time, moment + _NEAR) - since + 1
        size = int(max(known.max(initial=0), ended.kind.max(initial=0))) + 1
        there = np.bincount(ended.kind, minlength=size) + 1
        for one in np.unique(kind).tolist():
            mine, of_kind = kind == one, known == one
            if of_kind.any():
                dense = _density(wait[mine], np.sort(self.waits[of_kind]))
                found[mine] = dense + np.log(of_kind.mean()) - np.log(there[one] / there.sum())
        return found - np.log(usual)


def _first_of_each(values: IntArray) -> BoolArray:
    found = np.zeros(len(values), dtype=bool)
    found[np.unique(values, return_index=True)[1]] = True
    return found


def _density(wait: IntArray, waits: IntArray) -> FloatArray:
    """Return the logarithm of how dense the known waits are near each wait."""
    edges = np.quantile(waits, np.linspace(0, 1, _BINS + 1))
    edges[0], edges[-1] = min(edges[0], 0), max(edges[-1], 1)
    edges = edges[run_starts(edges)]
    width = np.diff(edges) / 1_000_000
    count = np.histogram(waits, edges)[0]
    # Beyond the longest wait, as if one in a hundred were anywhere within the pause.
    rare = 0.01 * len(waits) / (PAUSE / 1_000_000)
    at = np.clip(np.searchsorted(edges, wait, side="right") - 1, 0, len(width) - 1)
    inside = wait <= edges[-1]
    return np.log(np.where(inside, count[at] / width[at], 0.0) + rare) - np.log(len(waits))

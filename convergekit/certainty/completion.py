"""Profiles as they may be in truth: the links that were never seen, drawn at random.

A *completion* brings parts together as often as people are estimated to have several, and gives
orders without a browser to visitors as often as they are estimated to have lost it: multiple
imputation (D. B. Rubin, "Multiple Imputation for Nonresponse in Surveys", 1987), of links. Which
parts are brought together is drawn by when they were seen: as far apart as parts of one person are
seen to be.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from convergekit.certainty.people import PartsPerPerson
from convergekit.typing import BoolArray, IntArray

#: So few waits between parts of one person say nothing about when others are seen.
_FEW = 10
#: What a buyer without an entry has.
NEITHER, TOKEN, BROWSER = range(3)


@dataclass(frozen=True)
class Drawable:
    """What completions are drawn of: profiles in an order that does not depend on the rows.

    Attributes
    ----------
    identified : numpy.ndarray of int
        How many parts with an entry each profile has that identified themselves.
    alone : numpy.ndarray of int
        The profiles that entered and never identified themselves: each is one part.
    first : numpy.ndarray of int
        The first entry of each profile, or what it has of the last step, in microseconds.
    buyers : numpy.ndarray of int
        Profiles that have the last step and never entered.
    ordered : numpy.ndarray of int
        When each of these first did.
    carries : numpy.ndarray of int
        What these have: `NEITHER`, a `TOKEN` or a `BROWSER`.
    gaps : numpy.ndarray of int
        How far the first entries of two parts of one person are apart, in microseconds.
    lags : numpy.ndarray of int
        How long before the last step its visit was last seen.
    seen, of_seen : numpy.ndarray of int
        When visits of those alone were last seen, ascending, and the profile of each.
    """

    identified: IntArray
    alone: IntArray
    first: IntArray
    buyers: IntArray
    ordered: IntArray
    carries: IntArray
    gaps: IntArray
    lags: IntArray
    seen: IntArray
    of_seen: IntArray

    def sampled(self, every: int, first: int = 0) -> Drawable:
        """Return one in so many profiles, beginning with one of the first."""
        of_seen, buyers = self.of_seen % every == first, self.buyers % every == first
        return replace(
            self,
            identified=self.identified[first::every],
            alone=self.alone[self.alone % every == first] // every,
            first=self.first[first::every],
            buyers=self.buyers[buyers] // every,
            ordered=self.ordered[buyers],
            carries=self.carries[buyers],
            seen=self.seen[of_seen],
            of_seen=self.of_seen[of_seen] // every,
        )


@dataclass(frozen=True)
class Assumed:
    """What a completion takes to be true.

    Attributes
    ----------
    people : PartsPerPerson
        How many parts people have.
    lost : tuple of float
        Share of the buyers without an entry whose order lost it: of those without a token, with a
        token, and with a browser.
    unseen : float
        Share of the other buyers without a token whose browser was not seen, as that of those with
        a token was not. The rest did not order in a browser.
    elsewhere : float
        Share of all these buyers who visited with another browser.
    """

    people: PartsPerPerson
    lost: tuple[float, float, float]
    unseen: float
    elsewhere: float


def completion(rng: np.random.Generator, of: Drawable, assumed: Assumed) -> IntArray:
    """Return for each profile the one that it is brought together with, itself if with none."""
    root = np.arange(len(of.first))
    free = np.zeros(len(of.first), dtype=bool)
    free[of.alone] = True
    known = of.identified.copy()
    chance = rng.random((3, len(of.buyers)))
    is_lost = chance[0] < np.array(assumed.lost)[of.carries]
    lost = np.flatnonzero(is_lost)
    visited = _who_was_there(rng, of, of.ordered[lost])
    there = visited >= 0
    root[of.buyers[lost[there]]] = visited[there]
    known[visited[there]] = 1
    free[visited[there]] = False
    in_browser = (of.carries > NEITHER) | (chance[1] < assumed.unseen)
    visits_too = ~is_lost & (chance[2] < assumed.elsewhere)
    known[of.buyers[visits_too & in_browser]] = 1
    missing = np.zeros(len(known), dtype=np.int64)
    missing[known > 0] = _missing(rng, assumed.people, known[known > 0])
    offline = of.buyers[visits_too & ~in_browser]
    missing[offline] = _missing(rng, assumed.people, np.zeros(len(offline), dtype=np.int64))
    parents = np.repeat(np.arange(len(known)), missing)
    _bring(rng, of, root, free, rng.permutation(parents))
    return _gather(rng, of, assumed.people, root, free)


def _missing(rng: np.random.Generator, people: PartsPerPerson, known: IntArray) -> IntArray:
    """Return how many parts more each person has than identified themselves."""
    found = np.zeros(len(known), dtype=np.int64)
    for identified in np.unique(known).tolist():
        at = np.flatnonzero(known == identified)
        chance = people.given(identified)
        parts = rng.choice(len(chance), size=len(at), p=chance / chance.sum()) + 1
        found[at] = np.maximum(parts - identified, 0)
    return found


def _gather(
    rng: np.random.Generator, of: Drawable, people: PartsPerPerson, root: IntArray, free: BoolArray
) -> IntArray:
    """Bring together those who are left: people of whom no part identified itself."""
    left = rng.permutation(np.flatnonzero(free))
    if not len(left):
        return root
    chance = people.given(0)
    size = rng.choice(len(chance), size=len(left), p=chance / chance.sum()) + 1
    persons = int(np.searchsorted(np.cumsum(size), len(left))) + 1
    heads, size = left[:persons], size[:persons]
    free[heads] = False
    parents = np.repeat(heads, size - 1)[: len(left) - len(heads)]
    _bring(rng, of, root, free, rng.permutation(parents))
    return root


def _bring(
    rng: np.random.Generator, of: Drawable, root: IntArray, free: BoolArray, parents: IntArray
) -> None:
    """Bring a free profile to each of the parents, as long as there are any."""
    pool = np.flatnonzero(free)
    parents = parents[: len(pool)]
    if not len(parents):
        return
    begin, end = of.first[of.alone].min(), of.first[of.alone].max()
    if len(of.gaps) < _FEW:
        wanted = rng.integers(begin, end + 1, size=len(parents))
    else:
        gap = rng.choice(of.gaps, size=len(parents))
        gap = np.where(rng.random(len(parents)) < 0.5, gap, -gap)
        wanted = of.first[parents] + gap
        outside = (wanted < begin) | (wanted > end)
        wanted = np.where(outside, of.first[parents] - gap, wanted)
    chosen = nearest(wanted, of.first[pool])
    root[pool[chosen]] = parents
    free[pool[chosen]] = False


def _who_was_there(rng: np.random.Generator, of: Drawable, ordered: IntArray) -> IntArray:
    """Return for each order a visitor who was there just before it; -1 if there are too few."""
    who = np.full(len(ordered), -1, dtype=np.int64)
    if not len(of.seen) or not len(ordered):
        return who
    lag = rng.choice(of.lags, size=len(ordered)) if len(of.lags) else np.zeros(len(ordered), int)
    some = min(len(ordered), len(of.seen))
    chosen = nearest((ordered - lag)[:some], of.seen, before=True)
    who[:some] = of.of_seen[chosen]
    # One visitor takes one order; a second one of theirs would not change how far they got.
    taken = np.unique(who, return_index=True)[1]
    once = np.zeros(len(who), dtype=bool)
    once[taken] = True
    return np.where(once, who, -1)


def nearest(wanted: IntArray, times: IntArray, *, before: bool = False) -> IntArray:
    """Return for each wanted time the place of one near it, each place at most once.

    Parameters
    ----------
    wanted : numpy.ndarray of int
        At most as many as there are times.
    times : numpy.ndarray of int
    before : bool
        Whether to take the last one before, if there is any.

    Examples
    --------
    >>> nearest(np.array([5, 5, 40]), np.array([30, 4, 9])).tolist()
    [1, 2, 0]
    """
    order = np.argsort(times, kind="stable")
    ahead = times[order]
    chosen = np.full(len(wanted), -1, dtype=np.int64)
    open_ = np.arange(len(wanted))
    for _ in range(8):
        if not len(open_):
            break
        place = np.searchsorted(ahead, wanted[open_])
        earlier = np.maximum(place - 1, 0)
        place = np.minimum(place, len(ahead) - 1)
        nearer = np.abs(ahead[earlier] - wanted[open_]) <= np.abs(ahead[place] - wanted[open_])
        place = np.where(nearer | before, earlier, place)
        first = np.unique(place, return_index=True)[1]
        chosen[open_[first]] = order[place[first]]
        left = np.ones(len(order), dtype=bool)
        left[place[first]] = False
        order, ahead = order[left], ahead[left]
        open_ = np.delete(open_, first)
    # Whoever is left takes what is left, in the order of time.
    late = open_[np.argsort(wanted[open_], kind="stable")]
    spread = np.linspace(0, len(order) - 1, num=len(late)).astype(np.int64)
    chosen[late] = order[spread]
    return chosen

"""Draw links that were never seen, as many as the data say there are and where they may be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from convergekit.certainty.completion import nearest
from convergekit.fixes.evidence import (
    Broken,
    Lost,
    Others,
    Pairs,
    broken_of,
    lifetimes_of,
    lost_of,
    others_of,
    pairs_of,
)
from convergekit.fixes.trail import Trail
from convergekit.typing import BoolArray, FloatArray, IntArray

#: A hidden visit is given to one of so many orders that are nearest in time to its donor.
_NEIGHBOURS = 20
#: So many shares of orders that may have lost their visit are weighed.
_TRIED = 200


@dataclass(frozen=True)
class KnownLinks:
    """What is known before anything is drawn."""

    trail: Trail
    lost: Lost
    broken: Broken
    pairs: Pairs
    others: Others

    @classmethod
    def of(cls, trail: Trail) -> KnownLinks:
        """Return what a trail says."""
        broken = broken_of(trail)
        lost = lost_of(trail, broken)
        return cls(trail, lost, broken, pairs_of(trail, lost, broken), others_of(trail, broken))


@dataclass(frozen=True)
class Draw:
    """Links as they may be in truth.

    Attributes
    ----------
    order, visit : numpy.ndarray of int
        Orders that lost the visit that they followed.
    buyer, elsewhere : numpy.ndarray of int
        Orders, and an earlier visit of the same person each that nothing joins to them.
    same : numpy.ndarray of bool
        Which of these are visits of the browser in which the order was made.
    coin : numpy.ndarray of float
        Per visit, how willing it is to do what is asked, evenly from 0 to 1.
    """

    order: IntArray
    visit: IntArray
    buyer: IntArray
    elsewhere: IntArray
    same: BoolArray
    coin: FloatArray


def draws(known: KnownLinks, count: int) -> Iterator[Draw]:
    """Yield so many draws; each takes what was estimated anew, as far as chance leaves it open."""
    lifetimes = lifetimes_of(known.others)
    for one in range(count):
        rng = np.random.Generator(np.random.PCG64([29, one]))
        order, visit = _own(rng, known)
        buyer, elsewhere, gap = _elsewhere(rng, known, visit)
        expired = lifetimes.expired(rng.choice(len(lifetimes.weight), p=lifetimes.weight), gap)
        yield Draw(
            order=order,
            visit=visit,
            buyer=buyer,
            elsewhere=elsewhere,
            same=known.pairs.own_known[buyer] & (rng.random(len(buyer)) < expired),
            coin=rng.random(len(known.trail.visits.begin)),
        )


def _own(rng: np.random.Generator, known: KnownLinks) -> tuple[IntArray, IntArray]:
    """Return orders that lost their visit, and the visit.

    How often a login leads to the visit where a token does says how often it does where no token
    does (Chapman's form of Lincoln and Petersen, as in `certainty.orders`).
    """
    lost, orders = known.lost, known.trail.orders
    chosen = []
    for carries in (False, True):
        near = int(((orders.part[lost.near] >= 0) == carries).sum())
        of_kind = (orders.part[lost.rest] >= 0) == carries
        for logs_in in (True, False):
            mine = np.flatnonzero(of_kind & (orders.logs_in[lost.rest] == logs_in))
            if not len(mine):
                continue
            leads = rng.beta(lost.again + 1, lost.attached - lost.again + 1, size=_TRIED)
            hidden = rng.gamma(near + 0.5, size=_TRIED) * (1 - leads) / leads
            # Nothing is known of orders without a login, but when they were.
            share = np.minimum(hidden / len(mine), 1.0) if logs_in else rng.random(_TRIED)
            likely = _followed(rng, lost.ratio[mine], share)
            there = lost.visit[mine] >= 0
            likely, mine = _as_many(likely[there], float(likely.sum())), mine[there]
            chosen.append(mine[rng.random(len(mine)) < likely])
    at = np.concatenate([np.zeros(0, dtype=np.int64), *chosen])
    return lost.rest[at], lost.visit[at]


def _followed(rng: np.random.Generator, ratio: FloatArray, share: FloatArray) -> FloatArray:
    """Return how likely each order followed the visit, given what share of them may have.

    The shares are weighed by how well they fit the times, and one of them is drawn.
    """
    kinds, count = np.unique(ratio, return_counts=True)
    mixed = 1 - share[:, None] + share[:, None] * kinds[None, :]
    fits = (np.log(np.maximum(mixed, 1e-300)) * count).sum(axis=1)
    weight = np.exp(fits - fits.max())
    drawn = rng.choice(share, p=weight / weight.sum())
    return drawn * ratio / np.maximum(1 - drawn + drawn * ratio, 1e-300)


def _as_many(likely: FloatArray, wanted: float) -> FloatArray:
    """Return how likely each is, the odds of all so many times as high that as many are expected.

    Orders that followed a visit which is not among those that are looked at are orders all the
    same: others stand for them.
    """
    wanted = min(wanted, 0.95 * len(likely))
    if not len(likely) or likely.sum() >= wanted:
        return likely
    odds = likely / np.maximum(1 - likely, 1e-9)
    low, high = 0.0, 20.0
    for _ in range(40):
        middle = (low + high) / 2
        more = np.exp(middle) * odds
        low, high = (middle, high) if (more / (1 + more)).sum() < wanted else (low, middle)
    more = np.exp(high) * odds
    return np.asarray(more / (1 + more))


def _elsewhere(
    rng: np.random.Generator, known: KnownLinks, taken: IntArray
) -> tuple[IntArray, IntArray, IntArray]:
    """Return orders, visits of the same people that nothing joins to them, and the time between.

    Of the visits of one browser it is known which carry a login. As often do visits in other
    browsers; only those are known. Each stands for as many as one in how many does (D. G. Horvitz
    and D. J. Thompson, 1952).
    """
    trail, pairs = known.trail, known.pairs
    visits, orders = trail.visits, trail.orders
    do, do_not = known.others.known
    # Each pair is there twice, once from either side.
    says = rng.beta(do / 2 + 1, do_not / 2 + 1)
    open_ = ~trail.has_login[visits.profile]
    open_[taken] = False
    open_[known.broken.before[trail.has_login[visits.profile[known.broken.headless]]]] = False
    pool = np.flatnonzero(open_)
    pool = pool[np.argsort(visits.begin[pool], kind="stable")]
    found = []
    for with_own in (True, False):
        cross = ~pairs.same & (pairs.own_known[pairs.order] == with_own)
        donors = np.flatnonzero(cross & pairs.says)
        hidden = rng.gamma(len(donors) + 0.5) / says - cross.sum()
        mine = np.flatnonzero(orders.logs_in & (pairs.own_known == with_own))
        if len(donors) and len(mine) and hidden > 0:
            found.append(_given(rng, known, donors, mine, pool, hidden))
            pool = pool[~np.isin(pool, found[-1][1])]
    if not found:
        nothing = np.zeros(0, dtype=np.int64)
        return nothing, nothing, nothing
    buyer, visit = (np.concatenate(one) for one in zip(*found, strict=True))
    return buyer, visit, orders.time[buyer] - visits.begin[visit]


def _given(
    rng: np.random.Generator, known: KnownLinks, donors: IntArray, mine: IntArray, pool: IntArray,
    hidden: float,
) -> tuple[IntArray, IntArray]:  # fmt: skip
    """Return orders with a visit out of the pool each, until so many visits are theirs."""
    trail, pairs = known.trail, known.pairs
    visits, orders = trail.visits, trail.orders
    mine = mine[np.argsort(orders.time[mine], kind="stable")]
    donor = rng.choice(donors, size=round(hidden))
    place = np.searchsorted(orders.time[mine], orders.time[pairs.order[donor]])
    place = place + rng.integers(-_NEIGHBOURS, _NEIGHBOURS + 1, size=len(donor))
    buyer = mine[np.clip(place, 0, len(mine) - 1)]
    wanted = np.maximum(orders.time[buyer] - pairs.gap[donor], trail.begin)
    kinds = len(trail.names)
    unknown = known.others.visit[known.others.same & ~known.others.says]
    there = np.bincount(visits.last_name[pool], minlength=kinds)
    weight = np.bincount(visits.last_name[unknown], minlength=kinds) + 5 * there / max(
        there.sum(), 1
    )
    kind = rng.choice(kinds, p=weight / weight.sum(), size=len(donor))
    visit = np.full(len(donor), -1, dtype=np.int64)
    for one in np.unique(kind).tolist():
        of_kind = np.flatnonzero(kind == one)
        here = pool[visits.last_name[pool] == one]
        of_kind = of_kind[: len(here)]
        if len(of_kind):
            visit[of_kind] = here[nearest(wanted[of_kind], visits.begin[here])]
    got = np.flatnonzero(visit >= 0)
    got = got[visits.begin[visit[got]] < orders.time[buyer[got]]]
    size = np.cumsum(_visits_brought(trail, buyer[got], visit[got]))
    got = got[: int(np.searchsorted(size, hidden)) + 1]
    return buyer[got], visit[got]


def _visits_brought(trail: Trail, buyer: IntArray, visit: IntArray) -> IntArray:
    """Return how many pairs of an order and an earlier visit each link makes."""
    visits, orders = trail.visits, trail.orders
    in_part = np.bincount(visits.profile, minlength=trail.seen.profiles)
    by_person = np.bincount(orders.profile, minlength=trail.seen.profiles)
    return (in_part[visits.profile[visit]] * by_person[orders.profile[buyer]] + 1) // 2

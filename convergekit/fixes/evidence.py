"""What the data say of links that were never seen: how many there are, and between what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convergekit.base.grouping import distinct_rows, run_starts
from convergekit.fixes.matching import Ended, Matcher
from convergekit.fixes.origins import PAUSE
from convergekit.fixes.trail import Trail
from convergekit.typing import BoolArray, FloatArray, IntArray

#: Of one profile so many visits before an order are looked at: the latest.
_MOST_VISITS = 40
#: A visit is held against so many others before it, and as many after.
_MOST_OTHERS = 10
#: So many events of a name are needed to say that its cookie is another one.
_ENOUGH = 10
#: For what part of its life a cookie may be sure to live.
_STAYS = (0.0, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Pairs:
    """Orders with the visits that the same person is known to have made before.

    Attributes
    ----------
    own_known : numpy.ndarray of bool
        Of all orders, those whose own visit is known from its begin on.
    order, visit : numpy.ndarray of int
    gap : numpy.ndarray of int
        From the begin of the visit to the order, in microseconds.
    same : numpy.ndarray of bool
        Which are of the browser of the order, by cookies and tokens alone.
    says : numpy.ndarray of bool
        Which of the visits carry a login themselves.
    """

    own_known: BoolArray
    order: IntArray
    visit: IntArray
    gap: IntArray
    same: BoolArray
    says: BoolArray


@dataclass(frozen=True)
class Lost:
    """Orders that no token leads to a visit.

    Attributes
    ----------
    own : numpy.ndarray of int
        The visit that each order is known to follow, by a token or a login; -1 for none.
    near : numpy.ndarray of int
        Those orders that a login alone leads to a visit just before.
    rest : numpy.ndarray of int
        Those that nothing leads there.
    visit : numpy.ndarray of int
        The visit that each of the rest most likely followed, -1 for none.
    ratio : numpy.ndarray of float
        How often so good a match is a true one, against one by chance.
    attached, again : int
        Orders that a token leads to a visit, and those of them that a login would have led there.
    """

    own: IntArray
    near: IntArray
    rest: IntArray
    visit: IntArray
    ratio: FloatArray
    attached: int
    again: int


@dataclass(frozen=True)
class Broken:
    """Visits in which the browser's cookie changes on the way.

    Attributes
    ----------
    breaks : numpy.ndarray of bool
        Per name of an event, whether it does there.
    headless : numpy.ndarray of int
        Visits that begin with such an event.
    before : numpy.ndarray of int
        The visit that each most likely goes on.
    """

    breaks: BoolArray
    headless: IntArray
    before: IntArray

    def joined(self, visits: int) -> IntArray:
        """Return for each of so many visits the one that it goes on, or itself."""
        at = np.arange(visits)
        at[self.headless] = self.before
        return at


def pairs_of(trail: Trail, lost: Lost, broken: Broken) -> Pairs:
    """Return the orders with the other visits of the same profile before."""
    visits, orders = trail.visits, trail.orders
    by_profile = np.lexsort((visits.begin, visits.profile))
    profile, begin = visits.profile[by_profile], visits.begin[by_profile]
    both = np.concatenate([profile, orders.profile])
    time = np.concatenate([begin, orders.time])
    is_order = np.arange(len(both)) >= len(profile)
    sorted_ = np.lexsort((is_order, time, both))
    place = np.empty(len(both), dtype=np.int64)
    place[sorted_] = np.cumsum(~is_order[sorted_])
    until = place[len(profile) :]
    since = np.maximum(np.searchsorted(profile, orders.profile), until - _MOST_VISITS)
    count = np.where(orders.logs_in, np.maximum(until - since, 0), 0)
    order = np.repeat(np.arange(len(count)), count)
    within = np.arange(len(order)) - np.repeat(np.cumsum(count) - count, count)
    visit = by_profile[np.repeat(since, count) + within] if len(order) else order
    # What ended just before, or goes on, is the visit of the order itself.
    other = (visits.end[visit] < orders.time[order] - PAUSE) & (visit != lost.own[order])
    order, visit = order[other], visit[other]
    whole = whole_visits(trail, broken)
    order, visit = distinct_rows(order, whole.entry[visit])
    of_order = whole.entry[lost.own]
    own_known = (lost.own >= 0) & np.append(whole.begins, False)[of_order]
    own, known = of_order[order], own_known[order]
    return Pairs(
        own_known=own_known,
        order=order,
        visit=visit,
        gap=orders.time[order] - visits.begin[visit],
        same=known & (visits.part[visit] == visits.part[own]),
        says=whole.says[visit],
    )


@dataclass(frozen=True)
class SeenWhole:
    """Visits whose pieces are put together.

    Attributes
    ----------
    entry : numpy.ndarray of int
        The first piece of each visit.
    says : numpy.ndarray of bool
        Which carry a login, or have a piece that does.
    begins : numpy.ndarray of bool
        Which are not a later piece.
    """

    entry: IntArray
    says: BoolArray
    begins: BoolArray


def whole_visits(trail: Trail, broken: Broken) -> SeenWhole:
    """Return visits whose pieces are put together."""
    says = trail.visits.says.copy()
    says[broken.before] |= trail.visits.says[broken.headless]
    # One more, for what has no visit, which is -1.
    entry = np.append(broken.joined(len(says)), 0)
    return SeenWhole(entry, says, ~broken.breaks[trail.visits.first_name])


@dataclass(frozen=True)
class Others:
    """Visits that carry a login, each with another visit of the same person.

    Attributes
    ----------
    visit : numpy.ndarray of int
        The other one.
    gap : numpy.ndarray of int
        How far their begins are apart, in microseconds.
    same : numpy.ndarray of bool
        Which pairs are of one browser, by cookies and tokens alone.
    says : numpy.ndarray of bool
        Which of the others carry a login, too.
    """

    visit: IntArray
    gap: IntArray
    same: BoolArray
    says: BoolArray

    @property
    def known(self) -> tuple[int, int]:
        """Of the others in one browser, how many carry a login, and how many do not."""
        says = int((self.same & self.says).sum())
        return says, int(self.same.sum()) - says


def others_of(trail: Trail, broken: Broken) -> Others:
    """Return visits that carry a login, each with the nearest others of the same profile."""
    visits, whole = trail.visits, whole_visits(trail, broken)
    mine = np.flatnonzero(whole.begins)
    mine = mine[np.lexsort((visits.begin[mine], visits.profile[mine]))]
    found: list[tuple[IntArray, IntArray]] = []
    for by in range(1, _MOST_OTHERS + 1):
        one, other = mine[:-by], mine[by:]
        there = visits.profile[one] == visits.profile[other]
        if not there.any():
            break
        one, other = one[there], other[there]
        found += [(one[whole.says[one]], other[whole.says[one]])]
        found += [(other[whole.says[other]], one[whole.says[other]])]
    nothing = np.zeros(0, dtype=np.int64)
    focal, visit = (
        np.concatenate([nothing, *one]) for one in (zip(*found, strict=True) if found else ((), ()))
    )
    # Not by profile, whose numbers depend on the order of the rows.
    order = np.lexsort((visit, focal))
    focal, visit = focal[order], visit[order]
    return Others(
        visit=visit,
        gap=np.abs(visits.begin[focal] - visits.begin[visit]),
        same=visits.part[focal] == visits.part[visit],
        says=whole.says[visit],
    )


def lost_of(trail: Trail, broken: Broken) -> Lost:
    """Return the orders that no token leads to a visit."""
    visits, orders = trail.visits, trail.orders
    attached = orders.visit >= 0
    latest, whose = _latest_before(trail)
    near = ~attached & (latest >= orders.time - PAUSE)
    rest = np.flatnonzero(~attached & ~near)
    followed = np.flatnonzero(attached)
    ends = _last_before(trail, followed)
    waits, names = orders.time[followed] - trail.time[ends], trail.name[ends]
    inside = (waits >= 0) & (waits <= PAUSE)
    usual = _commonest(names[inside], len(trail.names))
    taken = np.zeros(len(visits.begin), dtype=bool)
    taken[orders.visit[attached]] = True
    taken[whose[near]] = True
    taken[broken.before] = True
    # A visit whose login is known would have been found by it.
    nameless = ~trail.has_login[visits.profile]
    open_ = np.flatnonzero(~taken & nameless & usual[visits.last_name])
    open_ = open_[np.argsort(visits.end[open_], kind="stable")]
    matcher = Matcher(
        Ended(visits.end[open_], visits.last_name[open_]),
        Ended(trail.time[ends[inside]], names[inside]),
        waits[inside],
    )
    matched = matcher.matched(orders.time[rest])
    visit = matched.visit
    known = attached & orders.logs_in
    return Lost(
        own=np.where(attached, orders.visit, np.where(near, whose, -1)),
        near=np.flatnonzero(near),
        rest=rest,
        visit=np.where(visit >= 0, open_[visit], -1) if len(open_) else visit,
        ratio=matched.ratio,
        attached=int(known.sum()),
        again=int((known & orders.again).sum()),
    )


def broken_of(trail: Trail) -> Broken:
    """Return the visits in which the cookie changes on the way."""
    visits = trail.visits
    first = run_starts(trail.of_visit)
    changes = np.zeros(len(trail.name), dtype=bool)
    changes[1:] = ~first[1:] & (np.diff(trail.browser) != 0)
    size = len(trail.names)
    inside = np.bincount(trail.name[~first], minlength=size)
    share = np.bincount(trail.name[changes], minlength=size) / np.maximum(inside, 1)
    breaks = (inside >= _ENOUGH) & (share > 0.5)
    nothing = np.zeros(0, dtype=np.int64)
    if not breaks.any():
        return Broken(breaks, nothing, nothing)
    at = np.flatnonzero(changes & breaks[trail.name])
    waits = trail.time[at] - trail.time[at - 1]
    usual = _commonest(trail.name[at - 1], size)
    headless = np.flatnonzero(breaks[visits.first_name])
    open_ = np.flatnonzero(usual[visits.last_name] & ~breaks[visits.first_name])
    open_ = open_[np.argsort(visits.end[open_], kind="stable")]
    matcher = Matcher(
        Ended(visits.end[open_], visits.last_name[open_]),
        Ended(trail.time[at - 1], trail.name[at - 1]),
        waits,
    )
    place = matcher.matched(visits.begin[headless]).visit
    found = place >= 0
    return Broken(breaks, headless[found], open_[place[found]])


@dataclass(frozen=True)
class Lifetimes:
    """How long cookies may live, by what fits the pairs of visits of one person.

    Attributes
    ----------
    share, whole, longest : numpy.ndarray of float
        Per possibility: how often two visits that follow soon have one cookie; for how many
        microseconds that stays so; and after how many no cookie is left.
    weight : numpy.ndarray of float
        How well each fits, together one.
    """

    share: FloatArray
    whole: FloatArray
    longest: FloatArray
    weight: FloatArray

    def expired(self, at: int, gap: IntArray) -> FloatArray:
        """Return how often visits with different cookies are of one browser, by what is between."""
        one = self.share[at]
        left = one * _left(gap, self.whole[at], self.longest[at])
        return (one - left) / max(1 - one, 1e-9) if one >= 1 else (one - left) / (1 - left)


def lifetimes_of(others: Others) -> Lifetimes:
    """Return how long cookies may live.

    Two visits of a person have one cookie, or two that a login joins. The longer the time between
    them, the less often they have one if cookies expire.
    """
    mine = others.same | others.says
    gap, same = others.gap[mine], others.same[mine]
    says = others.known[0] / max(sum(others.known), 1)
    share = np.linspace(0.02, 0.98, 49)
    never = float(np.iinfo(np.int64).max)
    top = float(np.quantile(gap[same], 0.98)) if same.any() else 0.0
    shapes = [(never, never)]
    shapes += [(top * stays, top * by) for by in (1.0, 1.1, 1.25) for stays in _STAYS]
    found = []
    for whole, longest in shapes:
        left = np.clip(_left(gap, whole, longest), 1e-3, 1.0)
        chance = share[:, None] * left[None, :]
        # Visits of one cookie are known without a login, too.
        fits = says * np.log(chance[:, same]).sum(axis=1) + np.log1p(-chance[:, ~same]).sum(axis=1)
        # Each pair is there twice, once from either side.
        found.append(fits / 2)
    fits = np.stack(found)
    fits[0] += np.log(len(shapes) - 1)
    weight = np.exp(fits - fits.max())
    stays, ends = (np.repeat([one[at] for one in shapes], len(share)) for at in (0, 1))
    return Lifetimes(np.tile(share, len(shapes)), stays, ends, weight.ravel() / weight.sum())


def _left(gap: IntArray, whole: float, longest: float) -> FloatArray:
    """Return the share of cookies that are left after some time."""
    if whole >= longest:
        return (gap <= longest).astype(np.float64)
    return np.clip((longest - gap) / (longest - whole), 0.0, 1.0)


def _latest_before(trail: Trail) -> tuple[IntArray, IntArray]:
    """Return when the profile of each order was last seen before it, and in what visit."""
    visits, orders = trail.visits, trail.orders
    profile = visits.profile[trail.of_visit]
    both = np.concatenate([profile, orders.profile])
    time = np.concatenate([trail.time, orders.time])
    is_order = np.arange(len(both)) >= len(profile)
    sorted_ = np.lexsort((is_order, time, both))
    last = np.maximum.accumulate(np.where(is_order[sorted_], -1, np.arange(len(both))))
    place = np.empty(len(both), dtype=np.int64)
    place[sorted_] = np.where(last >= 0, sorted_[np.maximum(last, 0)], -1)
    ahead = place[len(profile) :]
    there = ahead >= 0
    there[there] = both[ahead[there]] == orders.profile[there]
    never = np.iinfo(np.int64).min
    if not len(profile):
        return np.full(len(orders.time), never), np.full(len(orders.time), -1)
    ahead = np.where(there, ahead, 0)
    return np.where(there, time[ahead], never), np.where(there, trail.of_visit[ahead], -1)


def _last_before(trail: Trail, chosen: IntArray) -> IntArray:
    """Return the last event of each order's visit that was not after it."""
    orders = trail.orders
    size = len(trail.visits.begin)
    stop = np.searchsorted(trail.of_visit, np.arange(size), side="right")
    at = stop[orders.visit[chosen]] - 1
    # A few events of a visit follow the order.
    for _ in range(20):
        late = (trail.time[at] > orders.time[chosen]) & (at > 0)
        late &= trail.of_visit[np.maximum(at - 1, 0)] == orders.visit[chosen]
        if not late.any():
            break
        at = at - late
    return at


def _commonest(names: IntArray, size: int) -> BoolArray:
    """Return the names that make up nineteen in twenty, the commonest first."""
    count = np.bincount(names, minlength=size)
    ranked = np.argsort(-count, kind="stable")
    ahead = np.cumsum(count[ranked]) - count[ranked]
    chosen = np.zeros(size, dtype=bool)
    chosen[ranked[ahead < 0.95 * count.sum()]] = True
    return chosen & (count > 0)

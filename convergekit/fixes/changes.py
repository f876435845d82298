"""The changes of the tracking that a shop can make, as its own data suggest them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from convergekit.base.grouping import run_starts
from convergekit.base.wording import percentage
from convergekit.fixes.draws import Draw, KnownLinks
from convergekit.fixes.trail import any_of_visit, browser_types, has_type
from convergekit.identity.profiles import LOGIN_TYPES
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import BoolArray, IntArray

#: Fewer events say nothing about what a name carries.
_ENOUGH = 10
#: A login that fewer events carry is not asked for; one that more carry is asked for always.
_SELDOM, _ALWAYS = 0.05, 0.99


class TrackingFix(ABC):
    """A change that a shop can make.

    Attributes
    ----------
    alias_type : str
        The type of the alias that would be sent, "" where it is the browser's own.
    at : str
        The event of the browser at which the change is made, "" where it is made on the orders or
        on all pages.
    said, short : str
        What to do, as a sentence without its full stop, and as what fits beside a bar.
    assumed : str
        What is taken to be true besides what holds for all changes, a sentence.
    """

    alias_type: str
    at: str
    said: str
    short: str
    assumed: str

    @abstractmethod
    def links(self, known: KnownLinks, draw: Draw) -> tuple[IntArray, IntArray]:
        """Return the profiles that it would bring together, in pairs."""


@dataclass(frozen=True)
class Token(TrackingFix):
    """Send an alias of the visit on the event that is asked about.

    Attributes
    ----------
    lacks : numpy.ndarray of bool
        Which orders do not carry one.
    shows : numpy.ndarray of bool
        Which visits do.
    """

    alias_type: str
    at: str
    said: str
    short: str
    assumed: str
    lacks: BoolArray
    shows: BoolArray

    def reached(self, known: KnownLinks, draw: Draw) -> tuple[IntArray, IntArray]:
        """Return orders, and the visit that the token would lead each of them to."""
        before = known.broken.joined(len(self.shows))
        lacking = self.lacks[draw.order]
        order, own = draw.order[lacking], draw.visit[lacking]
        # Orders whose visit is known, in which another cookie has the token.
        attached = np.flatnonzero((known.lost.own >= 0) & self.lacks)
        order = np.concatenate([order, order, attached])
        of_them = known.lost.own[attached]
        visit = np.concatenate([own, before[own], before[of_them]])
        there = self.shows[visit] & (visit != np.concatenate([own * 0 - 1, own, of_them]))
        return order[there], visit[there]

    def links(self, known: KnownLinks, draw: Draw) -> tuple[IntArray, IntArray]:
        """Return the profiles that it would bring together, in pairs."""
        order, visit = self.reached(known, draw)
        return known.trail.orders.profile[order], known.trail.visits.profile[visit]


@dataclass(frozen=True)
class OneCookie(TrackingFix):
    """Keep the cookie through the events at which it changes."""

    alias_type: str
    at: str
    said: str
    short: str
    assumed: str

    def links(self, known: KnownLinks, draw: Draw) -> tuple[IntArray, IntArray]:
        """Return the profiles that it would bring together, in pairs."""
        profile, broken = known.trail.visits.profile, known.broken
        return profile[broken.headless], profile[broken.before]


@dataclass(frozen=True)
class LongCookie(TrackingFix):
    """Keep the cookie for as long as people come back."""

    alias_type: str
    at: str
    said: str
    short: str
    assumed: str

    def links(self, known: KnownLinks, draw: Draw) -> tuple[IntArray, IntArray]:
        """Return the profiles that it would bring together, in pairs."""
        trail = known.trail
        return (
            trail.orders.profile[draw.buyer[draw.same]],
            trail.visits.profile[draw.elsewhere[draw.same]],
        )


@dataclass(frozen=True)
class Login(TrackingFix):
    """Have a login on an event of the browser, at a share of these events.

    Attributes
    ----------
    share : float
    asks : numpy.ndarray of bool
        Of the browser's events, those that would be asked anew.
    knows : numpy.ndarray of bool
        Which profiles have such a login.
    """

    alias_type: str
    at: str
    said: str
    short: str
    assumed: str
    share: float
    asks: BoolArray
    knows: BoolArray

    def given(self, known: KnownLinks, draw: Draw) -> BoolArray:
        """Return which of the browser's events would carry the login."""
        return self.asks & (draw.coin[known.trail.of_visit] < self.share)

    def links(self, known: KnownLinks, draw: Draw) -> tuple[IntArray, IntArray]:
        """Return the profiles that it would bring together, in pairs."""
        trail, broken = known.trail, known.broken
        visits, orders = trail.visits.profile, trail.orders.profile
        gives = np.zeros(trail.seen.profiles, dtype=bool)
        gives[visits[trail.of_visit[self.given(known, draw)]]] = True
        one = (orders[draw.order], orders[draw.buyer], visits[broken.headless])
        other = (visits[draw.visit], visits[draw.elsewhere], visits[broken.before])
        known_side = np.concatenate([*one, other[2]])
        hidden = np.concatenate([*other, one[2]])
        linked = self.knows[known_side] & gives[hidden]
        return known_side[linked], hidden[linked]


def changes_of(s: StitchedEvents, known: KnownLinks, event: str) -> list[TrackingFix]:
    """Return the changes that the data suggest.

    Parameters
    ----------
    s : StitchedEvents
    known : KnownLinks
    event : str
        What the events are called that are asked about.
    """
    trail = known.trail
    found: list[TrackingFix] = []
    for alias_type in s.resolution.aliases.types.categories:
        if alias_type in browser_types(s):
            continue
        carries = has_type(s, alias_type)
        if alias_type in LOGIN_TYPES:
            found.extend(_logins(s, known, alias_type, carries))
            continue
        sent = carries[trail.event]
        lacks = ~carries[trail.orders.position]
        if sent.sum() >= _ENOUGH and lacks.any():
            found.append(_token(known, alias_type, lacks, any_of_visit(trail, sent), event))
    if len(known.broken.headless):
        where = " and ".join(trail.names[one] for one in np.flatnonzero(known.broken.breaks))
        found.append(
            OneCookie(
                s.browser_alias,
                where,
                f"Keep the {s.browser_alias} through {where}",
                f"one {s.browser_alias} at {where}",
                f"A visit that begins with {where} goes on one that ended just before, as visits "
                "do in which a token shows it.",
            )
        )
    if known.pairs.same.any() and (known.pairs.says & ~known.pairs.same).any():
        days = _oldest_cookie(known)
        found.append(
            LongCookie(
                s.browser_alias,
                "",
                f"Let the {s.browser_alias} live longer than {days:.3g} days",
                f"longer {s.browser_alias}",
                "Two visits of a person are in one browser as often as visits that follow soon.",
            )
        )
    return found


def _token(
    known: KnownLinks, alias_type: str, lacks: BoolArray, shows: BoolArray, event: str
) -> Token:
    return Token(
        alias_type,
        "",
        f"Send {alias_type} on every {event}",
        f"{alias_type} on {event}",
        f"{int(lacks.sum()):,} of {len(lacks):,} do not carry it; those of them that were made in "
        "a browser would.",
        lacks,
        shows,
    )


def _logins(
    s: StitchedEvents, known: KnownLinks, alias_type: str, carries: BoolArray
) -> list[TrackingFix]:
    trail = known.trail
    size = len(trail.names)
    sent = carries[trail.event]
    there = np.bincount(trail.name, minlength=size)
    share = np.bincount(trail.name[sent], minlength=size) / np.maximum(there, 1)
    share = np.where(there >= _ENOUGH, share, 0.0)
    of_type = (s.resolution.aliases.table["alias_type"] == alias_type).to_numpy(dtype=bool)
    knows = np.zeros(trail.seen.profiles, dtype=bool)
    knows[s.resolution.component[of_type]] = True

    def change(name: int, rate: float, words: tuple[str, str, str]) -> Login:
        asks = (trail.name == name) & ~sent
        return Login(alias_type, trail.names[name], *words, float(rate), asks, knows)

    if share.max(initial=0.0) < _SELDOM:
        # The shop knows it, and the browser does not say it.
        last = _before_orders(known)
        if last < 0 or not knows[trail.orders.profile].any():
            return []
        where = trail.names[last]
        words = (
            f"Have customers logged in at {where}, and send {alias_type}",
            f"{alias_type} at {where}",
            f"Everybody of whom {alias_type} is known is logged in there.",
        )
        return [change(last, 1.0, words)]
    best = int(np.argmax(share))
    where, rate = trail.names[best], float(share[best])
    found: list[TrackingFix] = []
    if rate < _ALWAYS:
        words = (
            f"Ask for {alias_type} at every {where}",
            f"{alias_type} at every {where}",
            f"Everybody gives it there, not {percentage(rate)} as now.",
        )
        found.append(change(best, 1.0, words))
    earlier = _step_before(known, best)
    if earlier >= 0 and share[earlier] < rate:
        words = (
            f"Ask for {alias_type} one step earlier, at {trail.names[earlier]}",
            f"{alias_type} at {trail.names[earlier]}",
            f"{percentage(rate)} give it there, as they do at {where}.",
        )
        found.append(change(earlier, rate, words))
    return found


def _before_orders(known: KnownLinks) -> int:
    """Return the event that visits most often end with before an order; -1 for none."""
    trail = known.trail
    followed = trail.orders.visit[trail.orders.visit >= 0]
    if not len(followed):
        return -1
    return int(np.argmax(np.bincount(trail.visits.last_name[followed])))


def _step_before(known: KnownLinks, name: int) -> int:
    """Return the event that most often comes right before another one in a visit; -1 for none."""
    trail = known.trail
    follows = ~run_starts(trail.of_visit) & (trail.name == name)
    before = trail.name[np.flatnonzero(follows) - 1]
    before = before[before != name]
    return int(np.argmax(np.bincount(before))) if len(before) else -1


def _oldest_cookie(known: KnownLinks) -> float:
    """Return how many days all but one in a hundred of the cookies that come back are seen."""
    trail = known.trail
    order = np.lexsort((trail.time, trail.browser))
    starts = np.flatnonzero(run_starts(trail.browser[order]))
    ends = np.append(starts[1:], len(order))[: len(starts)] - 1
    age = (trail.time[order[ends]] - trail.time[order[starts]]) / 86_400_000_000
    back = age[age > 0.25]
    return float(np.quantile(back, 0.99)) if len(back) else 0.0

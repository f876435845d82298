"""The trail of visits and orders as it was stitched: what the links that were never seen join."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convergekit.base.grouping import distinct_rows, number, order_of, run_starts
from convergekit.base.records import take_or_missing
from convergekit.certainty.parts import Parts, parts_of
from convergekit.events.timestamps import microseconds
from convergekit.fixes.origins import PAUSE, SeenEvents
from convergekit.identity.profiles import LOGIN_TYPES
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import BoolArray, FloatArray, IntArray
from convergekit.visits.browsers import DEVICES, browsers_of

#: A login is looked for in so many browsers at most.
_MOST_PARTS = 20


@dataclass(frozen=True)
class Visits:
    """Visits as cookies and tokens tell them: no login brings two together.

    Attributes
    ----------
    profile, part, begin, end : numpy.ndarray of int
    first_name, last_name : numpy.ndarray of int
        The event by which each begins and ends, as a number of a name.
    says : numpy.ndarray of bool
        Which carry a login, on an event of the browser or an order.
    """

    profile: IntArray
    part: IntArray
    begin: IntArray
    end: IntArray
    first_name: IntArray
    last_name: IntArray
    says: BoolArray


@dataclass(frozen=True)
class OrderTrail:
    """The events that are asked about.

    Attributes
    ----------
    position, profile, time, part : numpy.ndarray of int
        Those without a profile have numbers of their own after all profiles.
    visit : numpy.ndarray of int
        The visit that a cookie or a token leads to, -1 for none.
    amount : numpy.ndarray of float
    logs_in : numpy.ndarray of bool
        Which carry a login.
    again : numpy.ndarray of bool
        Which a login alone would lead to a visit just before.
    """

    position: IntArray
    profile: IntArray
    time: IntArray
    part: IntArray
    visit: IntArray
    amount: FloatArray
    logs_in: BoolArray
    again: BoolArray


@dataclass(frozen=True)
class Trail:
    """All that the changes are tried on.

    Attributes
    ----------
    names : list of str
        The names of events, by number.
    event, of_visit, name, time, browser : numpy.ndarray of int
        Of each event that a browser sent, by visit and time: its position, its visit, name, time
        and cookie.
    visits : Visits
    orders : OrderTrail
    seen : SeenEvents
    has_login : numpy.ndarray of bool
        Which profiles have a login.
    begin, until : int
        When the first and the last event was.
    """

    names: list[str]
    event: IntArray
    of_visit: IntArray
    name: IntArray
    time: IntArray
    browser: IntArray
    visits: Visits
    orders: OrderTrail
    seen: SeenEvents
    has_login: BoolArray
    begin: int
    until: int


def trail_of(s: StitchedEvents, at: IntArray, amount: FloatArray) -> Trail:
    """Return the trail of visits and orders.

    Parameters
    ----------
    s : StitchedEvents
    at : numpy.ndarray of int
        The positions of the orders.
    amount : numpy.ndarray of float
    """
    parts, time = parts_of(s), microseconds(s.events["timestamp"])
    cookie = browsers_of(s)
    is_order = np.zeros(len(time), dtype=bool)
    is_order[at] = True
    event = np.flatnonzero((cookie >= 0) & ~is_order)
    codes, distinct = number(s.events["event_name"])
    by_name = np.argsort(distinct.astype("str").to_numpy(), kind="stable")
    rank = np.empty(len(by_name) + 1, dtype=np.int64)
    rank[by_name], rank[-1] = np.arange(len(by_name)), -1
    name, names = rank[codes[event]], [str(distinct[one]) for one in by_name]
    visit_of, of_visit = _numbered(s, parts.visit, event, time)
    order = np.lexsort((name, time[event], of_visit))
    event, of_visit, name = event[order], of_visit[order], name[order]
    starts = np.flatnonzero(run_starts(of_visit))
    ends = np.append(starts[1:], len(event))[: len(starts)] - 1
    says = np.zeros(len(starts) + 1, dtype=bool)
    says[visit_of[parts.visit[(parts.login >= 0) & (parts.visit >= 0)]]] = True
    profiles = len(s.resolution.profile_ids)
    at, amount = _in_order(s, at, amount, time)
    visits = Visits(
        profile=s.resolution.profile[event[starts]],
        part=parts.of_event[event[starts]],
        begin=time[event[starts]],
        end=time[event[ends]],
        first_name=name[starts],
        last_name=name[ends],
        says=says[:-1],
    )
    mine = s.resolution.profile[at]
    mine = np.where(mine >= 0, mine, profiles + np.arange(len(at)))
    visit = visit_of[parts.visit[at]]
    visit = np.where((visit >= 0) & (visits.begin[visit] <= time[at]), visit, -1)
    orders = OrderTrail(
        position=at,
        profile=mine,
        time=time[at],
        part=parts.of_event[at],
        visit=visit,
        amount=amount,
        logs_in=parts.login[at] >= 0,
        again=_again(s, parts, at, event),
    )
    has_login = np.zeros(profiles + len(at), dtype=bool)
    types = s.resolution.aliases.table["alias_type"]
    has_login[s.resolution.component[types.isin(LOGIN_TYPES).to_numpy(dtype=bool)]] = True
    all_times = time if len(time) else np.zeros(1, dtype=np.int64)
    return Trail(
        names=names,
        event=event,
        of_visit=of_visit,
        name=name,
        time=time[event],
        browser=cookie[event],
        visits=visits,
        orders=orders,
        seen=SeenEvents.of(
            s.resolution.profile[event], time[event], mine, time[at], profiles + len(at)
        ),
        has_login=has_login,
        begin=int(all_times.min()),
        until=int(all_times.max()),
    )


def _numbered(
    s: StitchedEvents, visit: IntArray, event: IntArray, time: IntArray
) -> tuple[IntArray, IntArray]:
    """Return numbers of visits by when they begin, which do not depend on the order of the rows.

    Returns
    -------
    number : numpy.ndarray of int
        The new number of each visit, -1 of those without a browser; one more for none.
    of_event : numpy.ndarray of int
        That of each of the browser's events.
    """
    used, of_event = np.unique(visit[event], return_inverse=True)
    begin = np.full(len(used), np.iinfo(np.int64).max)
    np.minimum.at(begin, of_event, time[event])
    profile = np.zeros(len(used), dtype=np.int64)
    profile[of_event] = s.resolution.profile[event]
    ids = s.resolution.profile_ids.take(profile).reset_index(drop=True)
    place = np.empty(len(used), dtype=np.int64)
    place[order_of(begin, texts=ids)] = np.arange(len(used))
    new = np.full(int(visit.max(initial=-1)) + 2, -1, dtype=np.int64)
    new[used] = place
    return new, place[of_event]


def _in_order(
    s: StitchedEvents, at: IntArray, amount: FloatArray, time: IntArray
) -> tuple[IntArray, FloatArray]:
    """Return the orders and their amounts by time, whatever the order of the rows."""
    ids = take_or_missing(s.resolution.profile_ids, s.resolution.profile[at]).fillna("")
    rank = np.unique(amount, return_inverse=True)[1].reshape(-1)
    order = order_of(time[at], rank, texts=ids.reset_index(drop=True))
    return at[order], amount[order]


def _again(s: StitchedEvents, parts: Parts, at: IntArray, event: IntArray) -> BoolArray:
    """Return which orders a login would lead to a visit just before, did they have no token.

    Parameters
    ----------
    s : StitchedEvents
    parts : Parts
    at : numpy.ndarray of int
        The positions of the orders.
    event : numpy.ndarray of int
        The positions of the browser's events.
    """
    aliases, time = s.resolution.aliases, microseconds(s.events["timestamp"])
    is_login = aliases.table["alias_type"].isin(LOGIN_TYPES).to_numpy(dtype=bool)
    pair = np.flatnonzero(is_login[aliases.alias])
    carrier, login = aliases.event[pair], aliases.alias[pair]
    inside = parts.of_event[carrier] >= 0
    of_login, part, _ = distinct_rows(
        login[inside], parts.of_event[carrier[inside]], carrier[inside]
    )
    new = run_starts(of_login) | run_starts(part)
    count = np.diff(np.append(np.flatnonzero(new), len(of_login)))
    of_login, part = of_login[new], part[new]
    place = np.full(len(time), -1, dtype=np.int64)
    place[at] = np.arange(len(at))
    mine = place[carrier] >= 0
    order, asked = place[carrier[mine]], login[mine]
    since = np.searchsorted(of_login, asked)
    fan = np.minimum(np.searchsorted(of_login, asked, side="right") - since, _MOST_PARTS)
    order = np.repeat(order, fan)
    within = np.arange(len(order)) - np.repeat(np.cumsum(fan) - fan, fan)
    row = np.repeat(since, fan) + within
    there = (part[row] != parts.of_event[at][order]) | (count[row] > 1)
    order, where = order[there], part[row[there]]
    found = np.zeros(len(at), dtype=bool)
    wait = _since_last(parts.of_event[event], time[event], where, time[at][order])
    found[order[wait <= PAUSE]] = True
    return found


def _since_last(group: IntArray, time: IntArray, asked: IntArray, moment: IntArray) -> IntArray:
    """Return how long before each moment its group was last seen; the longest time if never."""
    wait = np.full(len(asked), np.iinfo(np.int64).max)
    both, times = np.concatenate([group, asked]), np.concatenate([time, moment])
    is_asked = np.arange(len(both)) >= len(group)
    order = np.lexsort((is_asked, times, both))
    last = np.maximum.accumulate(np.where(is_asked[order], -1, np.arange(len(both))))
    ahead = np.empty(len(both), dtype=np.int64)
    ahead[order] = np.where(last >= 0, order[np.maximum(last, 0)], -1)
    ahead = ahead[len(group) :]
    there = (ahead >= 0) & (both[ahead] == asked)
    wait[there] = moment[there] - times[ahead[there]]
    return wait


def has_type(s: StitchedEvents, alias_type: str) -> BoolArray:
    """Return which events carry an alias of a type."""
    aliases = s.resolution.aliases
    of_type = (aliases.table["alias_type"] == alias_type).to_numpy(dtype=bool)
    carries = np.zeros(len(s.events), dtype=bool)
    carries[aliases.event[of_type[aliases.alias]]] = True
    return carries


def browser_types(s: StitchedEvents) -> tuple[str, ...]:
    """Return the alias types that name a browser or a device."""
    return (s.browser_alias, *DEVICES)


def any_of_visit(trail: Trail, marked: BoolArray) -> BoolArray:
    """Return which visits have a marked event."""
    found = np.zeros(len(trail.visits.begin), dtype=bool)
    found[trail.of_visit[marked]] = True
    return found

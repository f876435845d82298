"""What the events say of links that were never seen: who was captured, and how often again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from convergekit.base.grouping import distinct_rows, number, order_of, run_starts
from convergekit.base.rounding import six_digits
from convergekit.certainty.changes import Changes, changes_of
from convergekit.certainty.completion import BROWSER, TOKEN, Drawable
from convergekit.certainty.orders import OrdersReached, reached_by
from convergekit.certainty.parts import Parts, parts_of
from convergekit.certainty.people import likeness, of_several
from convergekit.events.timestamps import microseconds
from convergekit.identity.profiles import LOGIN_TYPES
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import BoolArray, IntArray
from convergekit.visits.browsers import DEVICES

_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Occurring:
    """The events that take part in an answer.

    Attributes
    ----------
    position, unit, time : numpy.ndarray of int
        Of each event that takes part: its position in the frame, its profile (-1 without one), and
        microseconds.
    mask : numpy.ndarray of int
        The steps that it fills, as bits.
    enters : numpy.ndarray of bool
        Which of them may begin.
    steps : int
    """

    position: IntArray
    unit: IntArray
    time: IntArray
    mask: IntArray
    enters: BoolArray
    steps: int

    @classmethod
    def of(cls, s: StitchedEvents, begins: IntArray, ends: IntArray) -> Occurring:
        """Return an answer of two steps, from the positions of the events of each."""
        mask = np.zeros(len(s.events), dtype=np.int64)
        mask[begins] |= 1
        mask[ends] |= 2
        mask[s.events["timestamp"].isna().to_numpy(dtype=bool)] = 0
        at = np.flatnonzero(mask)
        time = microseconds(s.events["timestamp"].iloc[at])
        return cls(at, s.resolution.profile[at], time, mask[at], (mask[at] & 1) > 0, 2)

    @property
    def converts(self) -> BoolArray:
        """Which events are of the last step."""
        return (self.mask >> (self.steps - 1) & 1) > 0


@dataclass(frozen=True)
class Counting(Occurring):
    """A funnel that can be counted anew.

    Attributes
    ----------
    window : int
        Microseconds from the entry.
    first_entry : bool
        Whether everybody's first entry alone counts.
    reached : callable
        Takes which of the events take part and the profile of each; returns how many profiles
        reached each step, and when each of the profiles that entered did, by its number.
    """

    window: int
    first_entry: bool
    reached: Callable[[IntArray, IntArray], tuple[IntArray, IntArray, IntArray]]


@dataclass(frozen=True)
class Evidence:
    """What the events say.

    Attributes
    ----------
    drawable : Drawable
    ranked : numpy.ndarray of int
        The profiles in the order in which `drawable` has them.
    split : numpy.ndarray of int
        Per event that takes part: its person, where the profile may be several; -1 elsewhere.
    reached : OrdersReached
    people : int
        Profiles of which a part with an entry identified itself.
    again, again_error : float
        Identified parts of each of these, and the standard error.
    identifies, of_several : float
        Share of parts that identify themselves: of all, and of people with several.
    likeness : float
        How alike a person's parts are in that, at most.
    two_logins : float
        Of the parts that may show it, the share with several logins of a type.
    changes : Changes
        By how much pairs of identified parts are too few.
    """

    drawable: Drawable
    ranked: IntArray
    split: IntArray
    reached: OrdersReached
    people: int
    again: float
    again_error: float
    identifies: float
    of_several: float
    likeness: float
    two_logins: float
    changes: Changes


def evidence_of(s: StitchedEvents, counting: Occurring) -> Evidence:
    """Return what the events say of links that were not seen."""
    parts = parts_of(s)
    found = _Found.of(s, counting, parts)
    identified = found.enters & parts.identified
    captures = np.bincount(parts.profile[identified], minlength=len(found.visitor))
    captured = captures[captures > 0]
    people = len(captured)
    changes = changes_of(s, parts)
    drawable, ranked = _drawable(s, counting, parts, found, captures)
    drawable = replace(drawable, gaps=_with_missing(drawable.gaps, changes))
    known_browser = found.visitor | found.browser
    orders = counting.position[counting.converts & (counting.unit >= 0)]
    enters = found.enters
    split, two = _split(s, counting, parts)
    return Evidence(
        drawable=drawable,
        ranked=ranked,
        split=split,
        reached=reached_by(s, parts, enters, known_browser, orders),
        people=people,
        again=float(captured.mean()) if people else 1.0,
        again_error=_error(captured),
        identifies=float(identified.sum() / max(enters.sum(), 1)),
        of_several=(
            of_several(parts.profile[enters], parts.visits[enters], parts.identified[enters])
            if people
            else 0.0
        ),
        likeness=likeness(parts.visits[enters], parts.identified_visits[enters]),
        two_logins=two,
        changes=changes,
    )


def _error(captured: IntArray) -> float:
    """Return the standard error of the mean; where all are one, some might have been two."""
    people = max(len(captured), 1)
    spread = float(captured.var()) if len(captured) else 1.0
    return six_digits(float(np.sqrt(spread / people + (1.5 / people) ** 2)))


@dataclass(frozen=True)
class _Found:
    """Which parts have an entry, and which profiles entered, have a login, or have a browser."""

    enters: BoolArray
    visitor: BoolArray
    named: BoolArray
    browser: BoolArray

    @classmethod
    def of(cls, s: StitchedEvents, counting: Occurring, parts: Parts) -> _Found:
        entry = counting.enters & (counting.unit >= 0)
        part = parts.of_event[counting.position]
        enters = np.zeros(len(parts.profile), dtype=bool)
        enters[part[entry & (part >= 0)]] = True
        size = len(s.resolution.profile_ids)
        visitor, named, browser = (np.zeros(size, dtype=bool) for _ in range(3))
        visitor[counting.unit[entry]] = True
        types, component = s.resolution.aliases.table["alias_type"], s.resolution.component
        named[component[types.isin(LOGIN_TYPES).to_numpy(dtype=bool)]] = True
        of_browser = types.isin((s.browser_alias, *DEVICES)).to_numpy(dtype=bool)
        browser[component[of_browser]] = True
        return cls(enters, visitor, named, browser)


def _drawable(
    s: StitchedEvents, counting: Occurring, parts: Parts, found: _Found, captures: IntArray
) -> tuple[Drawable, IntArray]:
    """Return what completions are drawn of, and the profiles in the order in which they stand."""
    size = len(found.visitor)
    mine = counting.unit >= 0
    entry, last = mine & counting.enters, mine & counting.converts
    first, ordered = np.full(size, _NEVER), np.full(size, _NEVER)
    np.minimum.at(first, counting.unit[entry], counting.time[entry])
    np.minimum.at(ordered, counting.unit[last], counting.time[last])
    times = np.where(found.visitor, first, ordered)
    # Not by number, which depends on the order of the rows.
    ranked = order_of(times, texts=s.resolution.profile_ids)
    place = np.empty(size, dtype=np.int64)
    place[ranked] = np.arange(size)
    alone = found.visitor & ~found.named
    part = parts.of_event[counting.position]
    carries = np.zeros(size, dtype=np.int64)
    carries[counting.unit[last & (part >= 0)]] = TOKEN
    carries[found.browser] = BROWSER
    buyers = np.flatnonzero((~found.visitor & (ordered < _NEVER))[ranked])
    begun = np.full(len(parts.profile), _NEVER)
    inside = entry & (part >= 0)
    np.minimum.at(begun, part[inside], counting.time[inside])
    lags, seen, of_seen = _last_seen(s, counting, parts, alone, len(buyers))
    by_time = np.lexsort((place[of_seen], seen))
    return Drawable(
        identified=np.maximum(captures, found.visitor & found.named)[ranked],
        alone=np.flatnonzero(alone[ranked]),
        first=times[ranked],
        buyers=buyers,
        ordered=ordered[ranked][buyers],
        carries=carries[ranked][buyers],
        gaps=_gaps(parts, begun),
        lags=np.sort(lags),
        seen=seen[by_time],
        of_seen=place[of_seen[by_time]],
    ), ranked


def _gaps(parts: Parts, begun: IntArray) -> IntArray:
    """Return how far the first entries of two parts of one profile are apart, ascending."""
    at = np.flatnonzero((begun < _NEVER) & parts.identified)
    at = at[np.lexsort((begun[at], parts.profile[at]))]
    same = parts.profile[at][1:] == parts.profile[at][:-1]
    return np.sort(np.diff(begun[at])[same])


def _with_missing(gaps: IntArray, changes: Changes) -> IntArray:
    """Return the gaps with those of the pairs that are missing, which follow soon."""
    missing = round((changes.likely - 1) * len(gaps))
    if not missing:
        return gaps
    evenly = ((np.arange(missing) + 0.5) / missing * len(changes.soon)).astype(np.int64)
    return np.sort(np.append(gaps, changes.soon[evenly]))


def _last_seen(
    s: StitchedEvents, counting: Occurring, parts: Parts, alone: BoolArray, wanted: int
) -> tuple[IntArray, IntArray, IntArray]:
    """Return how long before the last step its visit was seen, and where others may belong.

    Returns
    -------
    lags : numpy.ndarray of int
    seen, of_seen : numpy.ndarray of int
        When visits of those alone end that look as visits do before the last step, and whose.
    """
    time = microseconds(s.events["timestamp"])
    is_last = np.zeros(len(time), dtype=bool)
    is_last[counting.position[counting.converts]] = True
    inside = np.flatnonzero(parts.of_event >= 0)
    place = np.empty(len(time), dtype=np.int64)
    place[s.resolution.in_time] = np.arange(len(time))
    keys = (place, is_last, time, parts.of_event)
    order = inside[np.lexsort(tuple(key[inside] for key in keys))]
    before = np.maximum.accumulate(np.where(is_last[order], -1, np.arange(len(order))))
    at = np.flatnonzero(is_last[order])
    at = at[before[at] >= 0]
    ahead = order[before[at]]
    same = parts.of_event[ahead] == parts.of_event[order[at]]
    ahead, at = ahead[same], at[same]
    names = number(s.events["event_name"])[0].astype(np.int64) + 1
    begins = np.flatnonzero(run_starts(parts.visit[order]))
    ends = order[np.append(begins[1:], len(order)) - 1] if len(order) else order
    ends = ends[alone[parts.profile[parts.of_event[ends]]]]
    ends = ends[_likely(names[ends], names[ahead], wanted)]
    return time[order[at]] - time[ahead], time[ends], parts.profile[parts.of_event[ends]]


def _likely(last: IntArray, before: IntArray, wanted: int) -> BoolArray:
    """Return which visits end with an event such as come before the last step.

    The commonest of these first, until there are three visits for each that is wanted.
    """
    size = int(max(last.max(initial=0), before.max(initial=0))) + 1
    usual, there = np.bincount(before, minlength=size), np.bincount(last, minlength=size)
    # Ties by how many visits there are: numbers of names depend on the order of the rows.
    ranked = np.lexsort((-there, -usual))
    enough = np.cumsum(there[ranked]) - there[ranked] >= 3 * wanted
    taken = np.zeros(size, dtype=bool)
    taken[ranked[~enough]] = True
    return taken[last]


def _split(s: StitchedEvents, counting: Occurring, parts: Parts) -> tuple[IntArray, float]:
    """Return the events of profiles that may be several people, each with the nearest login.

    A part with several logins of one type is a device that people share, or one person's with
    several addresses: the data do not say which.

    Returns
    -------
    split : numpy.ndarray of int
        Per event that takes part, a number from the number of profiles on, or -1.
    two_logins : float
        Of the parts with a login at several visits, the share that has several.
    """
    split = np.full(len(counting.position), -1, dtype=np.int64)
    inside = np.flatnonzero((parts.of_event >= 0) & (parts.login >= 0))
    types = s.resolution.aliases.types.codes.astype(np.int64)
    of_type, part, _ = distinct_rows(
        types[parts.login[inside]], parts.of_event[inside], parts.login[inside]
    )
    again = np.flatnonzero((part[1:] == part[:-1]) & (of_type[1:] == of_type[:-1]))
    # One more, for the events without a part, which are -1.
    shared = np.full(len(parts.profile) + 1, -1, dtype=np.int64)
    shared[part[again][::-1]] = of_type[again][::-1]
    may_show = parts.identified_visits >= 2
    share = float(((shared[:-1] >= 0) & may_show).sum() / max(may_show.sum(), 1))
    events = np.flatnonzero(shared[parts.of_event] >= 0)
    if not len(events):
        return split, share
    said = parts.login[events]
    said = np.where((said >= 0) & (types[said] == shared[parts.of_event[events]]), said, -1)
    place = np.empty(len(s.events), dtype=np.int64)
    place[s.resolution.in_time] = np.arange(len(s.events))
    order = np.lexsort((place[events], parts.of_event[events]))
    events, said = events[order], said[order]
    of_part = parts.of_event[events]
    time = microseconds(s.events["timestamp"])[events]
    nearest = _nearest(of_part, time, said)
    # The first login of a part keeps the profile's other parts.
    speaks = np.flatnonzero(said >= 0)
    first = speaks[run_starts(of_part[speaks])]
    kept = np.full(len(parts.profile), -1, dtype=np.int64)
    kept[of_part[first]] = said[first]
    person = np.full(len(s.events), -1, dtype=np.int64)
    leaves = nearest != kept[of_part]
    person[events[leaves]] = len(s.resolution.profile_ids) + nearest[leaves]
    return np.where(counting.unit >= 0, person[counting.position], -1), share


def _nearest(part: IntArray, time: IntArray, login: IntArray) -> IntArray:
    """Return the login nearest in time in the same part; events by part, then time."""
    at = np.arange(len(part))
    before = np.maximum.accumulate(np.where(login >= 0, at, -1))
    after = np.minimum.accumulate(np.where(login >= 0, at, len(part))[::-1])[::-1]
    has_before = (before >= 0) & (part[np.maximum(before, 0)] == part)
    after_at = np.minimum(after, len(part) - 1)
    has_after = (after < len(part)) & (part[after_at] == part)
    wait = np.where(has_before, time - time[np.maximum(before, 0)], _NEVER)
    until = np.where(has_after, time[after_at] - time, _NEVER)
    chosen = np.where(wait <= until, np.maximum(before, 0), after_at)
    return np.where(has_before | has_after, login[chosen], -1)

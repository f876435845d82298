"""What the events say of links that were never seen: who was captured, and how often again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from convergekit.base.grouping import distinct_rows, order_of, run_starts
from convergekit.base.rounding import six_digits
from convergekit.certainty.changes import Changes, NextVisits
from convergekit.certainty.completion import BROWSER, TOKEN, Drawable
from convergekit.certainty.occurring import Occurring
from convergekit.certainty.orders import CountedOrders, OrdersReached
from convergekit.certainty.parts import Parts, parts_of
from convergekit.certainty.people import likeness, of_several
from convergekit.certainty.seen import NEVER, LastSeen, ProfilesSeen
from convergekit.events.timestamps import microseconds
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import IntArray


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


@dataclass(frozen=True)
class EvidenceInPart:
    """What a part of the events says, of which that of all is put together.

    Attributes
    ----------
    profiles : ProfilesSeen
    device : numpy.ndarray of int
        The profile of each device that has an entry.
    visits, identified_visits : numpy.ndarray of int
        Of each of these, as `Parts` has them.
    gaps : numpy.ndarray of int
        How far the first entries of two devices of one profile are apart.
    seen : LastSeen
    following : NextVisits
    orders : CountedOrders
    split : numpy.ndarray of int
        Per event that takes part, the login that says whose it is where the profile may be several
        people, as the place of an alias; -1 elsewhere.
    logins : int
        How many aliases there are.
    shared, may_show : int
        Devices that show several logins of a type, and those that may.
    """

    profiles: ProfilesSeen
    device: IntArray
    visits: IntArray
    identified_visits: IntArray
    gaps: IntArray
    seen: LastSeen
    following: NextVisits
    orders: CountedOrders
    split: IntArray
    logins: int
    shared: int
    may_show: int

    @classmethod
    def of(cls, s: StitchedEvents, counting: Occurring) -> EvidenceInPart:
        """Return what a part of the events says."""
        parts = parts_of(s)
        entry = counting.enters & (counting.unit >= 0)
        part = parts.of_event[counting.position]
        enters = np.zeros(len(parts.profile), dtype=bool)
        enters[part[entry & (part >= 0)]] = True
        profiles = ProfilesSeen.of(s, counting, parts, enters)
        begun = np.full(len(parts.profile), NEVER)
        inside = entry & (part >= 0)
        np.minimum.at(begun, part[inside], counting.time[inside])
        known_browser = profiles.visitor | profiles.browser
        orders = counting.position[counting.converts & (counting.unit >= 0)]
        split, shared, may_show = _split(s, counting, parts)
        return cls(
            profiles=profiles,
            device=parts.profile[enters],
            visits=parts.visits[enters],
            identified_visits=parts.identified_visits[enters],
            gaps=_gaps(parts, begun),
            seen=LastSeen.of(s, counting, parts, profiles.alone),
            following=NextVisits.of(s, parts),
            orders=CountedOrders.of(s, parts, enters, known_browser, orders),
            split=split,
            logins=len(s.resolution.aliases.table),
            shared=shared,
            may_show=may_show,
        )


def evidence_of(s: StitchedEvents, counting: Occurring) -> Evidence:
    """Return what the events say of links that were not seen."""
    return evidence_together([EvidenceInPart.of(s, counting)])


def evidence_together(found: Sequence[EvidenceInPart]) -> Evidence:
    """Return what the events of all parts say; those that take part are in the order of parts."""
    sizes = [len(one.profiles.ids) for one in found]
    before = (np.cumsum(sizes) - sizes).tolist()
    logins = (np.cumsum([one.logins for one in found]) - [one.logins for one in found]).tolist()
    profiles = ProfilesSeen.together([one.profiles for one in found])
    changes = NextVisits.together([one.following for one in found]).changes()
    gaps = np.sort(np.concatenate([one.gaps for one in found]))
    seen = LastSeen.together([one.seen for one in found], before)
    drawable, ranked = _drawable(profiles, seen, _with_missing(gaps, changes))
    device = np.concatenate([one.device + first for one, first in zip(found, before, strict=True)])
    visits = np.concatenate([one.visits for one in found])
    identified_visits = np.concatenate([one.identified_visits for one in found])
    identified = identified_visits > 0
    captured = np.sort(profiles.captures[profiles.captures > 0])
    people = len(captured)
    split = [
        np.where(one.split >= 0, one.split + sum(sizes) + first, -1)
        for one, first in zip(found, logins, strict=True)
    ]
    return Evidence(
        drawable=drawable,
        ranked=ranked,
        split=np.concatenate(split),
        reached=CountedOrders.together([one.orders for one in found]).reached(),
        people=people,
        again=float(captured.mean()) if people else 1.0,
        again_error=_error(captured),
        identifies=float(identified.sum() / max(len(device), 1)),
        of_several=of_several(device, visits, identified) if people else 0.0,
        likeness=likeness(visits, identified_visits),
        two_logins=sum(one.shared for one in found) / max(sum(one.may_show for one in found), 1),
        changes=changes,
    )


def _error(captured: IntArray) -> float:
    """Return the standard error of the mean; where all are one, some might have been two."""
    people = max(len(captured), 1)
    spread = float(captured.var()) if len(captured) else 1.0
    return six_digits(float(np.sqrt(spread / people + (1.5 / people) ** 2)))


def _drawable(profiles: ProfilesSeen, seen: LastSeen, gaps: IntArray) -> tuple[Drawable, IntArray]:
    """Return what completions are drawn of, and the profiles in the order in which they stand."""
    size = len(profiles.ids)
    times = np.where(profiles.visitor, profiles.first, profiles.ordered)
    # Not by number, which depends on the order of the rows.
    ranked = order_of(times, texts=profiles.ids)
    place = np.empty(size, dtype=np.int64)
    place[ranked] = np.arange(size)
    carries = np.zeros(size, dtype=np.int64)
    carries[profiles.token] = TOKEN
    carries[profiles.browser] = BROWSER
    buyers = np.flatnonzero((~profiles.visitor & (profiles.ordered < NEVER))[ranked])
    likely = seen.likely(len(buyers))
    ended, of_seen = seen.seen[likely], place[seen.profile[likely]]
    by_time = np.lexsort((of_seen, ended))
    return Drawable(
        identified=np.maximum(profiles.captures, profiles.visitor & profiles.named)[ranked],
        alone=np.flatnonzero(profiles.alone[ranked]),
        first=times[ranked],
        buyers=buyers,
        ordered=profiles.ordered[ranked][buyers],
        carries=carries[ranked][buyers],
        gaps=gaps,
        lags=np.sort(seen.lags),
        seen=ended[by_time],
        of_seen=of_seen[by_time],
    ), ranked


def _gaps(parts: Parts, begun: IntArray) -> IntArray:
    """Return how far the first entries of two parts of one profile are apart, ascending."""
    at = np.flatnonzero((begun < NEVER) & parts.identified)
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


def _split(s: StitchedEvents, counting: Occurring, parts: Parts) -> tuple[IntArray, int, int]:
    """Return the events of profiles that may be several people, each with the nearest login.

    A part with several logins of one type is a device that people share, or one person's with
    several addresses: the data do not say which.

    Returns
    -------
    split : numpy.ndarray of int
        Per event that takes part, the place of an alias, or -1.
    shared, may_show : int
        Of the parts with a login at several visits, those that have several; and all of these.
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
    counts = int(((shared[:-1] >= 0) & may_show).sum()), int(may_show.sum())
    events = np.flatnonzero(shared[parts.of_event] >= 0)
    if not len(events):
        return split, *counts
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
    person[events[leaves]] = nearest[leaves]
    return np.where(counting.unit >= 0, person[counting.position], -1), *counts


def _nearest(part: IntArray, time: IntArray, login: IntArray) -> IntArray:
    """Return the login nearest in time in the same part; events by part, then time."""
    at = np.arange(len(part))
    before = np.maximum.accumulate(np.where(login >= 0, at, -1))
    after = np.minimum.accumulate(np.where(login >= 0, at, len(part))[::-1])[::-1]
    has_before = (before >= 0) & (part[np.maximum(before, 0)] == part)
    after_at = np.minimum(after, len(part) - 1)
    has_after = (after < len(part)) & (part[after_at] == part)
    wait = np.where(has_before, time - time[np.maximum(before, 0)], NEVER)
    until = np.where(has_after, time[after_at] - time, NEVER)
    chosen = np.where(wait <= until, np.maximum(before, 0), after_at)
    return np.where(has_before | has_after, login[chosen], -1)

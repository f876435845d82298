"""What the data cannot exclude of credits: bounds without an assumption about chance.

A profile is one person, or as many as it has logins of a type; profiles with a login of the
commonest type are different people; everything else may be anybody's (partial identification, see
`certainty.worst`). So a visit of a profile without such a login may be on the way to any conversion
that follows within the lookback window, and a conversion without one may be that of any visitor.
An event without an alias may be a visit of any label.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convergekit.attribution.recount import Sums
from convergekit.certainty.worst import logins_of
from convergekit.events.steps import tracked
from convergekit.events.timestamps import microseconds
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import BoolArray, FloatArray, IntArray

#: Models in which one more touch never adds to another label's credit.
_ONLY_LESS = ("first_touch", "last_touch", "last_non_direct", "linear", "time_decay")


@dataclass(frozen=True)
class _Conversions:
    """What may have led to each conversion.

    Attributes
    ----------
    certain : numpy.ndarray of bool
        Which are of one person who is nobody else.
    own : list of numpy.ndarray of bool
        Per label, the conversions of whose own visits one has it.
    ways : list of numpy.ndarray of bool
        Per label, the conversions on whose way a visit of it may be.
    own_labels, way_labels : numpy.ndarray of int
        How many labels these are.
    """

    certain: BoolArray
    own: list[BoolArray]
    ways: list[BoolArray]
    own_labels: IntArray
    way_labels: IntArray


def worst_sums(s: StitchedEvents, of: Sums, *, repeats: bool) -> tuple[FloatArray, FloatArray]:
    """Return the least and the most that each sum of credits may be.

    Parameters
    ----------
    s : StitchedEvents
    of : Sums
    repeats : bool
        Whether touches of one label in a row count, each by itself.

    Returns
    -------
    low, high : numpy.ndarray of float
    """
    found = _conversions(s, of)
    credited = of.of.credited(of.of.occurring.unit)
    label = np.append(of.label, of.size - 1)[credited.visit]
    low, high = [], []
    for name, worth in zip(of.models, of.worth, strict=True):
        for one in range(of.size):
            mine = np.flatnonzero(label == one)
            now: FloatArray = np.bincount(
                credited.conversion[mine],
                weights=credited.credit[name][mine],
                minlength=len(worth),
            ).astype(float)
            least, most = _credit(found, one, now, only_less=repeats and name in _ONLY_LESS)
            ends = worth * least, worth * most
            low.append(np.minimum(*ends).sum())
            high.append(np.maximum(*ends).sum())
    return np.array(low), np.array(high)


def _credit(
    found: _Conversions, label: int, now: FloatArray, *, only_less: bool
) -> tuple[FloatArray, FloatArray]:
    """Return the least and the most of each conversion that a label may have."""
    if label == len(found.own) - 1:
        # No visit: of whoever has one for certain, there is one.
        may_have_none = ~(found.certain & (found.own_labels > 0))
        has_none = (found.own_labels == 0) & (found.way_labels == 0)
        return has_none.astype(float), may_have_none.astype(float)
    own, others = found.own[label], found.way_labels > found.ways[label]
    least, most = now.copy(), now.copy()
    most[own & (~found.certain | (not only_less))] = 1.0
    most[found.ways[label]] = 1.0
    least[others | ~found.certain] = 0.0
    if not only_less:
        least[found.own_labels > 1] = 0.0
    return least, most


def _conversions(s: StitchedEvents, of: Sums) -> _Conversions:
    attributor = of.of.attributor
    anchored, more = logins_of(s, len(s.resolution.profile_ids))
    one_person = np.append(anchored & (more == 0), False)
    profile = s.resolution.profile[attributor.positions]
    free = ~np.append(anchored, False)[profile]
    journeys = attributor.journeys_in(of.of.sessions, of.of.sessions.visitor, profile)
    own = [np.zeros(len(free), dtype=bool) for _ in range(of.size)]
    label = of.label[journeys.visit]
    for one, mine in enumerate(own):
        mine[journeys.conversion[label == one]] = True
    ways = _ways(s, of, free, one_person)
    return _Conversions(
        certain=one_person[profile],
        own=own,
        ways=ways,
        own_labels=np.sum(own, axis=0),
        way_labels=np.sum(ways, axis=0),
    )


def _ways(s: StitchedEvents, of: Sums, free: BoolArray, one_person: BoolArray) -> list[BoolArray]:
    """Return per label on the way to which conversions a visit of it may be."""
    sessions = of.of.sessions
    since, until = of.of.attributor.reach()
    moments = microseconds(s.events["timestamp"])

    def within(times: IntArray) -> BoolArray:
        times = np.sort(times)
        before = np.searchsorted(times, until, side="right")
        return before > np.searchsorted(times, since, side="left")

    nobodys = (s.resolution.profile < 0) & tracked(s.events)
    nobodys[of.of.attributor.positions] = False
    by_nobody = within(moments[nobodys])
    movable = ~one_person[sessions.visitor]
    found = []
    for one in range(of.size - 1):
        mine = np.flatnonzero(of.label == one)
        when = moments[sessions.arrival[mine]]
        anybodys = within(when[movable[mine]])
        found.append(np.where(free, within(when), anybodys) | by_nobody)
    return [*found, np.zeros(len(free), dtype=bool)]

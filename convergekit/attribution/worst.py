"""What the data cannot exclude of credits: bounds without an assumption about chance.

A profile is one person, or as many as it has logins of a type; profiles with a login of the
commonest type are different people; everything else may be anybody's (partial identification, see
`certainty.worst`). So a visit of a profile without such a login may be on the way to any conversion
that follows within the lookback window, and a conversion without one may be that of any visitor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convergekit.attribution.attribute import Attributor
from convergekit.attribution.question import Question
from convergekit.attribution.recount import Recredited
from convergekit.certainty.worst import logins_of
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import BoolArray, FloatArray, IntArray

#: Models in which one more touch never adds to another label's credit.
_ONLY_LESS = ("first_touch", "last_touch", "last_non_direct", "linear", "time_decay")


@dataclass(frozen=True)
class _Conversions:
    """What may have led to each conversion.

    Attributes
    ----------
    free, certain : numpy.ndarray of bool
        Which may be anybody's, and which are of one person who is nobody else.
    own : list of numpy.ndarray of bool
        Per label, the conversions of whose own visits one has it.
    ways : list of numpy.ndarray of bool
        Per label, and then of any other, the conversions on whose way a visit of it may be.
    own_labels, way_labels : numpy.ndarray of int
        How many labels these are.
    """

    free: BoolArray
    certain: BoolArray
    own: list[BoolArray]
    ways: list[BoolArray]
    own_labels: IntArray
    way_labels: IntArray


def worst_credits(
    s: StitchedEvents, asked: Question, of: Recredited
) -> tuple[FloatArray, FloatArray]:
    """Return the least and the most that each label may be credited with, model after model.

    Parameters
    ----------
    s : StitchedEvents
    asked : Question
    of : Recredited

    Returns
    -------
    low, high : numpy.ndarray of float
    """
    attributor = of.attributor
    found = _conversions(s, of)
    credited = of.credited(of.occurring.unit)
    label = of.labels.get_indexer(credited.label.distinct)[credited.label.codes]
    worth = np.ones(len(attributor.positions))
    if attributor.cents is not None:
        worth = attributor.cents / 100
    low, high = [], []
    for name in attributor.models:
        only_less = name in _ONLY_LESS and asked.repeats == "count"
        for one in range(len(of.labels)):
            mine = np.flatnonzero(label == one)
            now = np.zeros(len(worth))
            np.add.at(now, credited.conversion[mine], credited.credit[name][mine])
            least, most = _credit(found, one, now, only_less=only_less)
            ends = worth * least, worth * most
            low.append(np.minimum(*ends).sum())
            high.append(np.maximum(*ends).sum())
    return np.array(low), np.array(high)


def _credit(
    found: _Conversions, label: int, now: FloatArray, *, only_less: bool
) -> tuple[FloatArray, FloatArray]:
    """Return the least and the most of each conversion that a label may have."""
    others = found.way_labels > found.ways[label]
    if label == len(found.own) - 1:
        # No visit: of whoever has one for certain, there is one.
        most = ~(found.certain & (found.own_labels > 0))
        least = (found.own_labels == 0) & ~others
        return least.astype(float), most.astype(float)
    own = found.own[label]
    least, most = now.copy(), now.copy()
    most[own & (~found.certain | (not only_less))] = 1.0
    most[found.ways[label]] = 1.0
    least[others | ~found.certain] = 0.0
    if not only_less:
        least[found.own_labels > 1] = 0.0
    return least, most


def _conversions(s: StitchedEvents, of: Recredited) -> _Conversions:
    attributor = of.attributor
    size = len(s.resolution.profile_ids)
    anchored, more = logins_of(s, size)
    anchored, more = np.append(anchored, False), np.append(more, 0)
    profile = s.resolution.profile[attributor.positions]
    free = ~anchored[profile]
    journeys = attributor.journeys_in(of.sessions, of.sessions.visitor, profile)
    label = of.labels.get_indexer(journeys.labels)[journeys.paths.label]
    own = [np.zeros(len(free), dtype=bool) for _ in of.labels]
    for one, mine in enumerate(own):
        mine[journeys.conversion[label == one]] = True
    ways = _ways(s, of, free, anchored & (more == 0))
    return _Conversions(
        free=free,
        certain=~free & (more[profile] == 0),
        own=own,
        ways=ways,
        own_labels=np.sum(own, axis=0),
        way_labels=np.sum(ways, axis=0),
    )


def _ways(
    s: StitchedEvents, of: Recredited, free: BoolArray, certain: BoolArray
) -> list[BoolArray]:
    """Return per label on the way to which conversions a visit of it may be."""
    visitor, when, place = _visits(s, of.attributor, of)
    movable = ~certain[np.minimum(visitor, len(certain) - 1)]
    since, until = of.attributor.reach()
    found = []
    # At -1 those are whose label no assigned visit has: they stand for any other.
    for one in (*range(len(of.labels)), -1):
        of_label = place == one
        may = np.zeros(len(free), dtype=bool)
        for conversions, chosen in ((~free, of_label & movable), (free, of_label)):
            times = np.sort(when[chosen])
            before = np.searchsorted(times, until, side="right")
            may |= conversions & (before > np.searchsorted(times, since, side="left"))
        found.append(may)
    return found


def _visits(
    s: StitchedEvents, attributor: Attributor, of: Recredited
) -> tuple[IntArray, IntArray, IntArray]:
    """Return whose each visit is, when it came and its label; nobody's events are visits too."""
    profile, size = s.resolution.profile, len(s.resolution.profile_ids)
    sessions = of.sessions
    nobodys = profile < 0
    if nobodys.any():
        visitor = np.where(nobodys, size + np.arange(len(profile)), profile)
        sessions = attributor.sessions(visitor)
    visits, when, label = attributor.may_touch(sessions)
    return sessions.visitor[visits], when, of.labels.get_indexer(label.distinct)[label.codes]

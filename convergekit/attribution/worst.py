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


def worst_sums(of: Sums, *, repeats: bool) -> tuple[FloatArray, FloatArray]:
    """Return the least and the most that each sum of credits may be.

    Parameters
    ----------
    of : Sums
    repeats : bool
        Whether touches of one label in a row count, each by itself.

    Returns
    -------
    low, high : numpy.ndarray of float
    """
    found = _conversions(of)
    credited = of.of.credited(of.of.whole.events.unit)
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


def _conversions(of: Sums) -> _Conversions:
    logins, profile = of.of.whole.logins, of.of.converting
    one_person = np.append(logins.anchored & (logins.more == 0), False)
    free = ~np.append(logins.anchored, False)[profile]
    journeys = of.of.ways.journeys(of.of.whose, profile)
    own = [np.zeros(len(free), dtype=bool) for _ in range(of.size)]
    label = of.label[journeys.visit]
    for one, mine in enumerate(own):
        mine[journeys.conversion[label == one]] = True
    ways = _ways(of, free, one_person)
    return _Conversions(
        certain=one_person[profile],
        own=own,
        ways=ways,
        own_labels=np.sum(own, axis=0),
        way_labels=np.sum(ways, axis=0),
    )


def _ways(of: Sums, free: BoolArray, one_person: BoolArray) -> list[BoolArray]:
    """Return per label on the way to which conversions a visit of it may be."""
    ways = of.of.ways
    until, since = ways.moment, ways.moment - ways.lookback

    def within(times: IntArray) -> BoolArray:
        times = np.sort(times)
        before = np.searchsorted(times, until, side="right")
        return before > np.searchsorted(times, since, side="left")

    by_nobody = within(of.of.nobodys)
    movable = ~one_person[of.of.whose]
    found = []
    for one in range(of.size - 1):
        mine = of.label == one
        anybodys = within(ways.arrived[mine & movable])
        found.append(np.where(free, within(ways.arrived[mine]), anybodys) | by_nobody)
    return [*found, np.zeros(len(free), dtype=bool)]

"""Visits as what a funnel counts: which visit each event is of.

The conversion rate that shops quote is that of visits. A visit begins with its first event in the
browser. What a server sends while no browser speaks, such as an order, is of the profile's latest
visit that began before it, up to 24 hours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from convergekit.events.timestamps import microseconds
from convergekit.funnels.options import VISIT_WINDOW
from convergekit.typing import IntArray
from convergekit.visits.sessions import FoundSessions


@dataclass(frozen=True)
class VisitNumbers:
    """The visit of each event, as a number.

    Attributes
    ----------
    numbers : numpy.ndarray of int
        Per event; -1 for none.
    visitor, session : numpy.ndarray of int
        Whose each visit is, and which of the sessions.
    """

    numbers: IntArray
    visitor: IntArray
    session: IntArray

    def of(self, at: IntArray) -> tuple[IntArray, pd.Index]:
        """Return the visits of the events at these positions, -1 for none, and their numbers."""
        return self.numbers[at], pd.RangeIndex(len(self.visitor))


def visits_of(found: FoundSessions) -> VisitNumbers:
    """Return the visits among sessions.

    Parameters
    ----------
    found : FoundSessions

    Returns
    -------
    VisitNumbers
        Sessions in which no browser speaks are not visits; their events are of the visit before.
    """
    order = found.order
    moment = microseconds(found.events["timestamp"])[order]
    session = found.of_event[order]
    visitor = found.visitor[session]
    speaks = found.marks.speaks
    is_visit = found.arrival >= 0
    place = np.arange(len(order))
    # The first place of each visit at which a browser speaks: there it begins.
    speaking = np.flatnonzero(speaks & is_visit[session])
    begins = speaking[np.diff(session[speaking], prepend=-1) != 0]
    latest = np.searchsorted(begins, place, side="right") - 1
    there = latest >= 0
    if not len(begins):
        nothing = np.zeros(0, dtype=np.int64)
        return VisitNumbers(np.full(len(found.events), -1, dtype=np.int64), nothing, nothing)
    began = begins[latest]
    same = there & (visitor[began] == visitor)
    inside = same & (session[began] == session)
    longest = VISIT_WINDOW // pd.Timedelta(1, "us")
    soon = same & ~speaks & (moment - moment[began] <= longest)
    numbers = np.full(len(found.events), -1, dtype=np.int64)
    kept = inside | soon
    numbers[order[kept]] = latest[kept]
    return VisitNumbers(numbers, visitor[begins], session[begins])

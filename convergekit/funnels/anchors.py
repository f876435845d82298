"""Anchors: the event with which each profile enters, whatever it does later."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convergekit.funnels.events import FunnelEvents
from convergekit.funnels.vendors.presets import Order
from convergekit.typing import IntArray


@dataclass(frozen=True)
class Range:
    """When entries count: from `start` on and before `end`, in microseconds; None for any time."""

    start: int | None
    end: int | None


def first_entries(prepared: FunnelEvents, order: Order, within: Range) -> IntArray:
    """Return each profile's first entry in the range: of events at one time, the first to arrive.

    Parameters
    ----------
    prepared : FunnelEvents
    order : {"ordered", "strict", "any"}
        In any order, every step is an entry; otherwise the first alone.
    within : Range

    Returns
    -------
    numpy.ndarray of int
        Per profile, the frame's position of the event; -1 for none.
    """
    enters = (prepared.mask if order == "any" else prepared.mask & 1) > 0
    enters &= prepared.unit >= 0
    if within.start is not None:
        enters &= prepared.time >= within.start
    if within.end is not None:
        enters &= prepared.time < within.end
    at = np.flatnonzero(enters)
    profile = prepared.profile_of_unit[prepared.unit[at]]
    last = np.iinfo(np.int64).max
    earliest = np.full(len(prepared.profiles), last)
    np.minimum.at(earliest, profile, prepared.time[at])
    first = prepared.time[at] == earliest[profile]
    at, profile = at[first], profile[first]
    arrived = np.full(len(prepared.profiles), last)
    np.minimum.at(arrived, profile, prepared.arrival[at])
    chosen = prepared.arrival[at] == arrived[profile]
    found = np.full(len(prepared.profiles), -1, dtype=np.int64)
    found[profile[chosen]] = prepared.position[at[chosen]]
    return found

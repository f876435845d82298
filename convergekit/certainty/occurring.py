"""The events that take part in an answer, and who did them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from convergekit.events.timestamps import microseconds
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import BoolArray, IntArray


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

    @classmethod
    def together(cls, found: Sequence[Occurring], before: Sequence[int]) -> Occurring:
        """Return the events of several parts, one below the other.

        Parameters
        ----------
        found : sequence of Occurring
            With the rows of the whole for positions.
        before : sequence of int
            How many profiles the parts before each have.
        """
        unit = [
            np.where(one.unit >= 0, one.unit + first, -1)
            for one, first in zip(found, before, strict=True)
        ]
        return cls(
            position=np.concatenate([one.position for one in found]),
            unit=np.concatenate(unit),
            time=np.concatenate([one.time for one in found]),
            mask=np.concatenate([one.mask for one in found]),
            enters=np.concatenate([one.enters for one in found]),
            steps=found[0].steps,
        )

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

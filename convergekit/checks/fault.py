"""What a check returns: the faults that it found, or why it could not look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from convergekit.checks.tracking import Tracking
from convergekit.typing import IntArray

Severity = Literal["high", "medium", "low"]

#: Most severe first.
SEVERITIES: tuple[Severity, ...] = ("high", "medium", "low")


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with the tracking.

    Attributes
    ----------
    severity : {"high", "medium", "low"}
        Whether figures or people are already wrong, events are likely to be lost, or it is worth
        a look.
    what, why, fix : str
        In plain words.
    positions : numpy.ndarray of int
        Of the events concerned, ascending.
    money : float or None
        The money concerned; None if unknown.
    seen : callable
        Returns, for some of these positions, what each of the events shows.
    absent : bool
        Whether the fault is that events are not there: then those at `positions` only stand around.
    """

    severity: Severity
    what: str
    why: str
    fix: str
    positions: IntArray
    money: float | None
    seen: Callable[[IntArray], list[str]]
    absent: bool = False


@dataclass(frozen=True)
class NotChecked:
    """Why a check could not look."""

    why: str


Check = Callable[[Tracking], list[Fault] | NotChecked]

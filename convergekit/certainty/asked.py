"""What bounds need of an answer: the stitched events that it is of, and what was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Generic, Protocol, TypeVar

import numpy as np

from convergekit.base.wording import percentage
from convergekit.certainty.estimate import LEAST_IDENTIFIED, MOST_UNASSIGNED
from convergekit.certainty.evidence import Evidence
from convergekit.certainty.occurring import Occurring
from convergekit.errors import ConvergekitError
from convergekit.identity.tables import StitchedEvents

Question = TypeVar("Question")
Kept = TypeVar("Kept")


class EachOf(Protocol):
    """Asks every part of stitched events; in memory they are one."""

    def __call__(self, of_part: Callable[[int, StitchedEvents], Kept], /) -> Iterator[Kept]:
        """Yield what a function keeps of each part, given its number and the part."""
        ...


@dataclass(frozen=True)
class AskedOf(Generic[Question]):
    """Stitched events, and what was asked of them.

    They are left behind when an answer is pickled, for they hold callables.

    Attributes
    ----------
    each : EachOf or None
        Asks each part of the stitched events.
    question : Question or None
    segment : bool
        Whether they are a segment.
    identity : str
    """

    each: EachOf | None = None
    question: Question | None = None
    segment: bool = False
    identity: str = "retroactive"

    @classmethod
    def of(cls, s: StitchedEvents, question: Question) -> AskedOf[Question]:
        """Return events in memory, and what was asked of them."""
        return cls(partial(_of_one, s), question, s.segment is not None, s.identity)

    def __reduce__(self) -> tuple[type[AskedOf[Question]], tuple[()]]:
        """Pickle nothing of them."""
        return type(self), ()

    def known(self, asking: str) -> tuple[EachOf, Question]:
        """Return what asks each part, and the question.

        Parameters
        ----------
        asking : str
            The call that bounds are asked of, such as ``"attribution(...)"``.

        Raises
        ------
        ConvergekitError
            They were left behind, or are those of which nothing can be said.
        """
        if self.each is None or self.question is None:
            raise ConvergekitError(
                f"bounds need the stitched events, which this answer is without; ask "
                f"s.{asking}.bounds(), before it is saved."
            )
        if self.segment:
            raise ConvergekitError("bounds are not known of a segment; ask them of all events.")
        if self.identity != "retroactive":
            raise ConvergekitError(
                'bounds are of identity="retroactive": which links were known when is not redrawn.'
            )
        return self.each, self.question


def _of_one(s: StitchedEvents, of_part: Callable[[int, StitchedEvents], Kept]) -> Iterator[Kept]:
    yield of_part(0, s)


def checked_level(level: float) -> float:
    """Return the level, checked.

    Raises
    ------
    ConvergekitError
        It is not a share between 0 and 1.
    """
    number = isinstance(level, (int, float, np.floating)) and not isinstance(level, bool)
    if not number or not 0 < level < 1:
        raise ConvergekitError(
            f"level must be a share between 0 and 1, such as 0.9; got {level!r}."
        )
    return float(level)


def reasons_of(occurring: Occurring, evidence: Evidence, begins: str) -> list[str]:
    """Return why nothing can be estimated; empty if something can.

    Parameters
    ----------
    occurring : Occurring
    evidence : Evidence
    begins : str
        What the events are that begin, such as ``"events of the first step"``.
    """
    nobodys = float((occurring.unit[occurring.enters] < 0).mean()) if occurring.enters.any() else 0
    if nobodys > MOST_UNASSIGNED:
        return [
            f"{percentage(nobodys)} of the {begins} carry no alias, so that it is "
            f"not known who did them."
        ]
    unknown = len(evidence.drawable.alone) + len(evidence.drawable.buyers)
    if not unknown or evidence.people >= LEAST_IDENTIFIED:
        return []
    if not evidence.people:
        return ["no browser has identified itself by a login, such as an e-mail address."]
    return [
        f"only {evidence.people} people have identified themselves in a browser, by a login such "
        f"as an e-mail address; at least {LEAST_IDENTIFIED} are needed."
    ]

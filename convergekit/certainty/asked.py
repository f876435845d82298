"""What bounds need of an answer: the stitched events that it is of, and what was asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from convergekit.base.wording import percentage
from convergekit.certainty.estimate import LEAST_IDENTIFIED, MOST_UNASSIGNED
from convergekit.certainty.evidence import Evidence
from convergekit.certainty.occurring import Occurring
from convergekit.errors import ConvergekitError, NotOnThisEngine
from convergekit.identity.tables import StitchedEvents

Question = TypeVar("Question")


@dataclass(frozen=True)
class AskedOf(Generic[Question]):
    """Stitched events, and what was asked of them.

    They are left behind when an answer is pickled, for they hold callables.

    Attributes
    ----------
    events : StitchedEvents or None
    question : Question or None
    by_parts : bool
        Whether the answer is of parts, of which these are none.
    """

    events: StitchedEvents | None = None
    question: Question | None = None
    by_parts: bool = False

    def __reduce__(self) -> tuple[type[AskedOf[Question]], tuple[None, None, bool]]:
        """Pickle neither."""
        return type(self), (None, None, self.by_parts)

    def known(self, asking: str) -> tuple[StitchedEvents, Question]:
        """Return the events and the question.

        Parameters
        ----------
        asking : str
            The call that bounds are asked of, such as ``"attribution(...)"``.

        Raises
        ------
        ConvergekitError
            They were left behind, or are those of which nothing can be said.
        NotOnThisEngine
            The answer is of parts.
        """
        if self.by_parts:
            raise NotOnThisEngine(
                f"bounds are not computed by parts yet. Of events that fit into memory: "
                f"ck.stitch(events).{asking}.bounds(), without workdir=."
            )
        if self.events is None or self.question is None:
            raise ConvergekitError(
                f"bounds need the stitched events, which this answer is without; ask "
                f"s.{asking}.bounds(), before it is saved."
            )
        if self.events.segment is not None:
            raise ConvergekitError("bounds are not known of a segment; ask them of all events.")
        if self.events.identity != "retroactive":
            raise ConvergekitError(
                'bounds are of identity="retroactive": which links were known when is not redrawn.'
            )
        return self.events, self.question


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

"""What visits say of where they are from: all that spend is joined to, and groups are made of."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from convergekit.base.grouping import NumberedText
from convergekit.marketing.campaign_ids import ids_of
from convergekit.typing import IntArray
from convergekit.visits.sessions import FoundSessions

#: The columns of sessions that are looked at.
NAMES = ("channel", "source", "medium", "utm_campaign", "utm_source", "click_id")


@dataclass(frozen=True)
class SaidByVisits:
    """What visits say of where they are from.

    Attributes
    ----------
    count : int
        How many visits there are.
    texts : dict of str to NumberedText
        By the names of `NAMES`.
    ids : dict of str to dict of tuple to NumberedText
        By level, the IDs that they came with, by the place where these stand; the surest first.
    """

    count: int
    texts: dict[str, NumberedText]
    ids: dict[str, dict[tuple[int, ...], NumberedText]]

    @classmethod
    def of(cls, sessions: FoundSessions, visits: IntArray, levels: Collection[str]) -> SaidByVisits:
        """Return what some sessions say.

        Parameters
        ----------
        sessions : FoundSessions
        visits : numpy.ndarray of int
            Those that are visits.
        levels : collection of str
            Of which levels IDs are looked for.
        """
        return cls(
            len(visits),
            {name: sessions.numbered(name, visits) for name in NAMES},
            {level: ids_of(sessions, visits, level) for level in levels},
        )

    @classmethod
    def together(cls, parts: Sequence[SaidByVisits]) -> SaidByVisits:
        """Return what the visits of several parts say, one below the other."""

        def ids(level: str) -> dict[tuple[int, ...], NumberedText]:
            places = sorted({place for part in parts for place in part.ids[level]})
            return {
                place: NumberedText.below(
                    [part.ids[level].get(place) or _nothing(part) for part in parts]
                )
                for place in places
            }

        texts = {name: NumberedText.below([part.texts[name] for part in parts]) for name in NAMES}
        return cls(
            sum(part.count for part in parts), texts, {one: ids(one) for one in parts[0].ids}
        )


def _nothing(part: SaidByVisits) -> NumberedText:
    return NumberedText(np.full(part.count, -1), part.texts["channel"].distinct.iloc[:0])

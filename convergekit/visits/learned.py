"""What visits are told by that is learned of all events: where these are some of more, it is given.

Which sites are the shop's own, and which sources and names speak for browsers, is decided by all
events together. A part of the events keeps what was decided beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from convergekit.visits.own_pages import OwnSites

#: Where a frame of some of the events keeps what was learned of all.
_LEARNED = "learned of all events"


@dataclass(frozen=True)
class Spoken:
    """Which events speak for browsers, by what they have in common.

    Attributes
    ----------
    landed, evident, of_browser : bool
        Whether any event shows a page, speaks evidently, or carries a browser's alias.
    sources : frozenset
        Those of evident events, None for events without one.
    kinds : frozenset of tuple
        Source and name of events that show a page or carry a browser's alias.
    names : frozenset
        Those of events with a tag, a click ID or a referrer.
    """

    landed: bool
    evident: bool
    of_browser: bool
    sources: frozenset[Any]
    kinds: frozenset[tuple[Any, Any]]
    names: frozenset[Any]


@dataclass(frozen=True, eq=False)
class LearnedOfAll:
    """What was learned of all events, by the rules of visits.

    Attributes
    ----------
    sites : callable
        Takes `own_domains`.
    spoken : callable
        Takes `own_domains` and `ignore_referrers`; returns None where it is not known yet.
    """

    sites: Callable[[Sequence[str] | None], OwnSites]
    spoken: Callable[[Sequence[str] | None, Sequence[str]], Spoken | None]

    def __deepcopy__(self, memo: object) -> LearnedOfAll:
        """Return the same: pandas copies what a frame keeps with every column."""
        return self


def with_learned(part: pd.DataFrame, learned: LearnedOfAll) -> pd.DataFrame:
    """Return some of the events, so that they know what was learned of all."""
    known = part.copy(deep=False)
    known.attrs = {**part.attrs, _LEARNED: learned}
    return known


def learned_of_all(events: pd.DataFrame) -> LearnedOfAll | None:
    """Return what was learned of all events that these are some of; None if they are all."""
    found: LearnedOfAll | None = events.attrs.get(_LEARNED)
    return found

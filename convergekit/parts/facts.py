"""What depends on all rows: found once, and handed to every part.

Nothing in a part may look for it itself: a part has some of the event names, and ends where its own
last event is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from convergekit.events.observed import Observed, observed
from convergekit.events.steps import among_names
from convergekit.identity.options import StitchOptions
from convergekit.identity.tables import StitchedEvents
from convergekit.parts.about import AboutPart


@dataclass(frozen=True)
class FactsOfTheWhole:
    """What a part cannot know by itself.

    Attributes
    ----------
    observed : Observed
        From when to when profiles are observed.
    event_names : frozenset of str
        The names that events have.
    """

    observed: Observed
    event_names: frozenset[str]

    def given_to(self, s: StitchedEvents) -> StitchedEvents:
        """Return a part that knows of the whole."""
        events = among_names(s.events, self.event_names)
        return replace(s, events=events, observed_in_all=self.observed)


def facts_of(
    about: Sequence[AboutPart], times: Iterable[pd.DataFrame], options: StitchOptions
) -> FactsOfTheWhole:
    """Return the facts of the whole.

    Parameters
    ----------
    about : sequence of AboutPart
    times : iterable of pandas.DataFrame
        Of each part, when its events happened and were received.
    options : StitchOptions
    """
    parts = [part for part in times if len(part)]
    every = pd.concat(parts, ignore_index=True) if parts else _NO_TIMES
    return FactsOfTheWhole(
        observed(every, options.observed_until),
        frozenset(name for part in about for name in part.event_names),
    )


_NO_TIMES = pd.DataFrame({"timestamp": pd.Series(dtype="datetime64[us, UTC]")})

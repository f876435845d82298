"""Under-merging: the events that do not reach a browser session, and why."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from convergekit.base.records import take_or_missing
from convergekit.base.wording import counted
from convergekit.events.amounts import events_named
from convergekit.events.normalise import carries_aliases
from convergekit.events.steps import StepLike
from convergekit.figures.card import TableResult
from convergekit.identity.earliest_links import NEVER, session_moments_of_events
from convergekit.typing import IntArray

if TYPE_CHECKING:
    from convergekit.identity.tables import StitchedEvents


REACHED = "reached a browser session"
NO_ALIAS = "no alias at all"
UNUSABLE = "only aliases that identify nobody"
NEVER_SEEN = "alias never seen in the browser"
SEEN_LATER = "alias seen in the browser only later"
_OUTCOMES = (REACHED, NO_ALIAS, UNUSABLE, NEVER_SEEN, SEEN_LATER)


@dataclass(frozen=True, eq=False, repr=False)
class Orphans(TableResult):
    """The events of one name that had not reached a browser session when they became known.

    Attributes
    ----------
    events : pandas.DataFrame
        One row per such event: `row`, `event_id`, `timestamp`, `source`, `profile_id`, `reason`,
        `aliases` (a list of URNs); and where the reason is that the alias was seen only later,
        `linked_row` and `linked_at`: the event that linked it to a browser session, and when
        that event became known. Where a dropped copy did (under ``duplicates="merge"``), the
        row is that of the kept event.
    summary : pandas.DataFrame
        One row per outcome, those that reached a session first: `outcome`, `events`, `share`.
    """

    _shares: ClassVar[Mapping[str, str]] = {"share": "all_events"}

    events: pd.DataFrame
    summary: pd.DataFrame

    def _described_numbers(self) -> dict[str, Any]:
        return {"all_events": int(self.summary["events"].sum())}

    def _line(self) -> str:
        total = int(self.summary["events"].sum())
        return f"Orphans({len(self.events):,} of {counted(total, 'event')} without a session)"

    def _shown(self) -> pd.DataFrame:
        return self.summary


def orphans(s: StitchedEvents, event_name: StepLike) -> Orphans:
    """Return the events that had not reached a browser session. See `Stitched.orphans`."""
    at = s.in_whole(events_named(s.events, event_name))
    # Events that a segment leaves out may have linked these to a session.
    s = s.whole
    outcome, moment = _outcomes(s, at)
    orphan = outcome != REACHED
    later = moment[orphan]
    counts = pd.Series(outcome).value_counts().reindex(_OUTCOMES, fill_value=0)
    return Orphans(
        _events(s, at[orphan], outcome[orphan], np.where(later == NEVER, -1, later)),
        summary_of(counts.to_numpy(dtype=np.int64)),
    )


def summary_of(events: IntArray) -> pd.DataFrame:
    """Return the summary of so many events per outcome. See `Orphans`."""
    total = int(events.sum())
    return pd.DataFrame(
        {
            "outcome": pd.Series(_OUTCOMES, dtype="str"),
            "events": events,
            "share": events.astype(np.float64) / total if total else np.nan,
        }
    )


def outcomes_of(s: StitchedEvents, at: IntArray) -> npt.NDArray[np.str_]:
    """Return whether each event had reached a browser session when it became known, or why not.

    Parameters
    ----------
    s : StitchedEvents
    at : numpy.ndarray of int
        Positions of events.
    """
    return _outcomes(s.whole, s.in_whole(at))[0]


def _outcomes(s: StitchedEvents, at: IntArray) -> tuple[npt.NDArray[np.str_], IntArray]:
    """Return the outcome of each event, and the moment at which it reached a session."""
    knowledge = s.resolution.knowledge()
    moment = session_moments_of_events(knowledge, knowledge.aliases, s.browser_alias)[at]
    known = knowledge.known[knowledge.item[at]]
    no_profile = s.resolution.profile[at] < 0
    outcome = np.select(
        [no_profile & carries_aliases(s.events, at), no_profile, moment == NEVER],
        [UNUSABLE, NO_ALIAS, NEVER_SEEN],
        default=np.where(moment > known, SEEN_LATER, REACHED),
    )
    return outcome, moment


def _events(
    s: StitchedEvents, at: IntArray, reason: npt.NDArray[np.str_], later: IntArray
) -> pd.DataFrame:
    """Return the rows of the orphans; `later` is the moment of linking, -1 for none."""
    knowledge = s.resolution.knowledge()
    item_of_moment = np.argsort(knowledge.known)
    linking = np.where(later < 0, -1, item_of_moment[later])
    linked_at = pd.Series(pd.to_datetime(knowledge.known_at, unit="us", utc=True)).astype(
        "datetime64[us, UTC]"
    )
    linking_event = np.where(linking < 0, -1, knowledge.event[linking])
    events = s.events.iloc[at].reset_index(drop=True)
    return pd.DataFrame(
        {
            **{name: events[name] for name in ("row", "event_id", "timestamp", "source")},
            "profile_id": events["profile_id"],
            "reason": pd.Series(reason, dtype="str"),
            "aliases": pd.Series(_urns(s, at), dtype=object),
            "linked_row": take_or_missing(s.events["row"].astype("Int64"), linking_event),
            "linked_at": take_or_missing(linked_at, linking),
        }
    )


def _urns(s: StitchedEvents, at: IntArray) -> list[list[str]]:
    chosen = np.zeros(len(s.events), dtype=bool)
    chosen[at] = True
    part = s.resolution.aliases.of_events(chosen)
    bounds = np.searchsorted(part.event, np.arange(len(at) + 1)).tolist()
    urns = part.urns(part.alias)
    return [urns[start:stop] for start, stop in itertools.pairwise(bounds)]

"""Who was exposed to which arm, and what they did: fixed by the first exposure.

An arm is that of a profile's first exposure, whatever comes later. Events before it count as its
past only as far as they were known to be its own when it was exposed: a link that an order brings
is not there for those who do not order, so that the past of buyers would be longer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from convergekit.activity.events import Chosen, Subject, every_tracked
from convergekit.base.grouping import number, run_starts
from convergekit.base.text import as_text, text_of
from convergekit.events.amounts import events_named
from convergekit.events.observed import BEYOND
from convergekit.events.schema import PROFILE, PROFILE_PROPERTY, missing
from convergekit.events.steps import resolve_column, single_valued
from convergekit.events.timestamps import microseconds
from convergekit.experiments.question import AskedOutcomes
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import BoolArray, IntArray

#: What everybody's arm is called where there is but one.
EVERYBODY = "everybody"
_MICROSECOND = pd.Timedelta(1, "us")


@dataclass(frozen=True)
class Exposed:
    """Profiles that were exposed, and their goals: of all events, or of a part of them.

    Attributes
    ----------
    people : pandas.DataFrame
        A row per profile: `profile_id`, `arm`, `exposed` (microseconds) and `both`: whether it was
        exposed to another arm within the window too.
    goals : pandas.DataFrame
        A row per goal within the window, or before the exposure and known then, each person's in
        order of time: `person` (a row of `people`), `arm` (the one seen last), `mixed` (whether
        several had been seen) and `before`.
    events : pandas.DataFrame
        These goals, where amounts are added up; otherwise without rows.
    left_out : dict of str to int
    exposures, goal_events : int
        How many events there are of the exposure, and of the goal, whether they count or not.
    """

    people: pd.DataFrame
    goals: pd.DataFrame
    events: pd.DataFrame
    left_out: dict[str, int]
    exposures: int
    goal_events: int


def exposed_in(
    s: StitchedEvents, subject: Subject, asked: AskedOutcomes, since: pd.Timestamp | None = None
) -> Exposed:
    """Return who was exposed, and what they did.

    Parameters
    ----------
    s : StitchedEvents
    subject : Subject
        The same events.
    asked : AskedOutcomes
    since : pandas.Timestamp, optional
        Earlier exposures do not count.
    """
    events = s.events
    every = (
        every_tracked(events) if asked.exposure is None else events_named(events, asked.exposure)
    )
    at, arm_of_event, left_out = _exposing(events, asked, every)
    seen = Chosen.of(events, at, subject.profiles)
    left_out["exposures without a time"] = len(at) - len(seen.position)
    timed, seen = len(seen.position), subject.inside(seen)
    left_out[f"exposures {BEYOND}"] = timed - len(seen.position)
    left_out["exposures without a profile"] = int((seen.profile < 0).sum())
    seen = seen.of_profiles()
    if since is not None:
        seen = seen.take(np.flatnonzero(seen.time >= microseconds(pd.Series([since]))[0]))
    seen = seen.in_order(events)
    codes, names = arm_of_event.of(seen.position)
    begins = run_starts(seen.profile)
    first, person = np.flatnonzero(begins), np.cumsum(begins) - 1
    other = codes != codes[first][person]
    late = seen.time - seen.time[first][person] > asked.within // _MICROSECOND
    people = pd.DataFrame(
        {
            "profile_id": s.resolution.profile_ids.array.take(seen.profile[first]),
            "arm": names.take(codes[first]).array,
            "exposed": seen.time[first],
            "both": np.bincount(person[other & ~late], minlength=len(first)) > 0,
        }
    )
    of_goal = events_named(events, asked.goal)
    goals, which, counts = _goals(s, subject, asked, of_goal, seen, first)
    arm, mixed = _seen_last(goals, seen, person, other)
    found = pd.DataFrame(
        {
            "person": goals.profile,
            "arm": names.take(codes[arm]).array,
            "mixed": mixed,
            "before": which,
        }
    )
    priced = events.iloc[goals.position if asked.value is not None else slice(0)]
    return Exposed(people, found, priced, {**left_out, **counts}, len(every), len(of_goal))


@dataclass(frozen=True)
class _Arms:
    """The arm of each event that may be an exposure."""

    at: IntArray
    codes: IntArray
    names: pd.Series

    def of(self, position: IntArray) -> tuple[IntArray, pd.Series]:
        """Return the arms of events at these positions, and what the arms are called."""
        return self.codes[np.searchsorted(self.at, position)], self.names


def _exposing(
    events: pd.DataFrame, asked: AskedOutcomes, at: IntArray
) -> tuple[IntArray, _Arms, dict[str, int]]:
    """Return which of these positions, ascending, are of exposures, and the arm of each."""
    if asked.variant is None:
        everybody = pd.Series([EVERYBODY], dtype="str")
        return at, _Arms(at, np.zeros(len(at), dtype=np.int64), everybody), {}
    values = events[_own_column(events, asked.variant)]
    said = ~_blank(values.iloc[at])
    left_out = {}
    if asked.exposure is not None:
        left_out[f"exposures without a value of {asked.variant}"] = int((~said).sum())
    at = at[said]
    codes, distinct = number(values, at)
    # A number that is written in two ways, such as 1 and 1.0, is one arm.
    codes_of_names, names = pd.factorize(_names(pd.Series(distinct)))
    return at, _Arms(at, codes_of_names[codes], pd.Series(names, dtype="str")), left_out


def _own_column(events: pd.DataFrame, variant: str) -> str:
    """Return the column of what events themselves say; what they carry is not an exposure.

    Raises
    ------
    ColumnError
        No column, or more than one, matches the name, or it holds lists or objects.
    """
    column = resolve_column(events, variant, option="variant")
    if column.startswith(PROFILE):
        own = PROFILE_PROPERTY + column.removeprefix(PROFILE)
        column = own if own in events else column
    return single_valued(events, column, option="variant")


def _blank(values: pd.Series) -> BoolArray:
    empty = missing(values).to_numpy(dtype=bool)
    if isinstance(values.dtype, pd.StringDtype):
        empty = empty | (values.str.strip() == "").fillna(True).to_numpy(dtype=bool)
    return empty


def _names(distinct: pd.Series) -> pd.Series:
    """Return what arms are called: their values as text."""
    text, unusable = as_text(distinct)
    spelled = [
        text_of(value) if bad else str(said)
        for value, said, bad in zip(distinct, text, unusable, strict=True)
    ]
    return pd.Series(spelled, dtype="str").str.strip()


def _goals(
    s: StitchedEvents,
    subject: Subject,
    asked: AskedOutcomes,
    of_goal: IntArray,
    seen: Chosen,
    first: IntArray,
) -> tuple[Chosen, BoolArray, dict[str, int]]:
    """Return the goals that count, `profile` being a person, and which were before the exposure."""
    chosen = Chosen.of(s.events, of_goal, subject.profiles)
    timed, chosen = len(chosen.position), subject.inside(chosen)
    counts = {f"goals {BEYOND}": timed - len(chosen.position)}
    counts["goals without a profile"] = int((chosen.profile < 0).sum())
    chosen = chosen.of_profiles().in_order(s.events)
    of_profile = np.full(len(s.resolution.profile_ids), -1, dtype=np.int64)
    of_profile[seen.profile[first]] = np.arange(len(first))
    chosen = Chosen(chosen.position, of_profile[chosen.profile], chosen.time)
    exposed = chosen.profile >= 0
    counts["goals of profiles that were not exposed"] = int((~exposed).sum())
    chosen = chosen.take(np.flatnonzero(exposed))
    start = first[chosen.profile]
    itself = seen.position[start] == chosen.position
    counts["goals that are the first exposure"] = int(itself.sum())
    since = chosen.time - seen.time[start]
    after = (since >= 0) & (since <= asked.within // _MICROSECOND) & ~itself
    before = np.zeros(len(since), dtype=bool)
    if asked.before is not None:
        near = np.flatnonzero((since < 0) & (since >= -(asked.before // _MICROSECOND)))
        known = _knew(s, seen.position[start[near]], chosen.position[near])
        before[near[known]] = True
        counts["goals before the exposure that were linked to it later"] = int((~known).sum())
    keep = np.flatnonzero(after | before)
    return chosen.take(keep), before[keep], counts


def _knew(s: StitchedEvents, exposure: IntArray, earlier: IntArray) -> BoolArray:
    """Return which earlier events were known to be of the profile when it was exposed."""
    if not len(earlier):
        return np.zeros(0, dtype=bool)
    known = s.whole.resolution.knowledge()
    return known.knew(s.in_whole(exposure), s.in_whole(earlier))


def _seen_last(
    goals: Chosen, seen: Chosen, person: IntArray, other: BoolArray
) -> tuple[IntArray, BoolArray]:
    """Return, of each goal, the exposure before it, the first if none is, and if several arms were.

    Parameters
    ----------
    goals : Chosen
        `profile` is a person.
    seen : Chosen
        Exposures by person, then time.
    person : numpy.ndarray of int
        That of each exposure.
    other : numpy.ndarray of bool
        Which are to another arm than the person's first.
    """
    size = len(person)
    start = np.searchsorted(person, goals.profile)
    kind = np.repeat([0, 1], [size, len(goals.profile)])
    # An exposure at the very time of a goal comes before it.
    order = np.lexsort(
        (kind, np.concatenate([seen.time, goals.time]), np.concatenate([person, goals.profile]))
    )
    place = np.where(order < size, order, -1)
    latest = np.maximum.accumulate(place)
    last = np.empty(len(order), dtype=np.int64)
    last[order] = latest
    found = np.maximum(last[size:], start)
    others = np.cumsum(other)
    several: BoolArray = others[found] > others[start]
    return found, several

"""Segments: a part of the events or profiles, with identity as in the whole.

Nothing is stitched again. Of a segment of profiles everything is kept that identity hangs on, so it
stands by itself. One of events leaves out events of its profiles that link their aliases and that
values were carried from: it keeps a `whole`, all events of its profiles, and what is asked about
identity is asked of that.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from convergekit.base.text import known_characters
from convergekit.base.threads import chosen_rows
from convergekit.events.observed import Observed
from convergekit.events.steps import among_all
from convergekit.events.timestamps import microseconds
from convergekit.typing import BoolArray, IntArray

if TYPE_CHECKING:
    from convergekit.identity.tables import Resolution, StitchedEvents


@dataclass(frozen=True)
class Origin:
    """What a segment was chosen of, which is left behind when it is pickled or saved.

    Attributes
    ----------
    events : StitchedEvents or None
        All of them.
    met : tuple of callable
        Each returns which events meet a condition by which events were chosen.
    """

    events: StitchedEvents | None = None
    met: tuple[Callable[[StitchedEvents], BoolArray], ...] = ()

    @classmethod
    def of(cls, s: StitchedEvents, met: Callable[[StitchedEvents], BoolArray] | None) -> Origin:
        """Return what a segment of these events is chosen of, and by what."""
        before = cls(s) if s.segment is None else s.segment.origin
        return before if met is None else cls(before.events, (*before.met, met))

    def __reduce__(self) -> tuple[type[Origin], tuple[()]]:
        """Pickle nothing of it: a segment holds nothing of others."""
        return type(self), ()


@dataclass(frozen=True, eq=False)
class Segment:
    """What a segment was chosen by, and what it left out.

    Attributes
    ----------
    description : str
        What was asked for, in words.
    after_the_fact : bool
        Whether profiles were chosen by what they did or became in the end. They had to stay, to
        come back or to buy to be chosen, so their conversion cannot be compared with that of
        others.
    count_left_out : callable
        Returns `left_out`; called once, when it is first asked for.
    data_end : pandas.Timestamp
        Until when its profiles are observed: to the end of the whole data where profiles were
        chosen, of whom the last may have come earlier; to the last event where events were.
    whole : StitchedEvents or None
        All events of the profiles, where some of these are left out.
    positions : numpy.ndarray of int or None
        The positions of the segment's events in the whole.
    origin : Origin
        What it was chosen of.
    """

    description: str
    after_the_fact: bool
    count_left_out: Callable[[], dict[str, int]]
    data_end: pd.Timestamp
    whole: StitchedEvents | None = None
    positions: IntArray | None = None
    origin: Origin = Origin()

    @cached_property
    def left_out(self) -> dict[str, int]:
        """How many `events`, `duplicates` and `rejected` rows of the input are not in it."""
        return self.count_left_out()

    @property
    def caution(self) -> str:
        """What must not be read off it; empty if nothing."""
        return CAUTION if self.after_the_fact else ""


CAUTION = (
    "chosen by what profiles did in the end: do not compare its conversion with that of other "
    "segments"
)


def segment_of(
    s: StitchedEvents,
    seen: BoolArray,
    chosen: BoolArray,
    description: str,
    *,
    after_the_fact: bool,
    data_end: pd.Timestamp | None = None,
    met: Callable[[StitchedEvents], BoolArray] | None = None,
    remarks: Mapping[str, int] | None = None,
) -> StitchedEvents:
    """Return a segment.

    Parameters
    ----------
    s : StitchedEvents
        May be a segment itself.
    seen : numpy.ndarray of bool
        Which of its events are in the segment.
    chosen : numpy.ndarray of bool
        Which of its profiles are.
    description, after_the_fact, data_end
        As `Segment` has them; the end is that of the segment's events when absent.
    met : callable, optional
        Where events were chosen, returns which meet the condition.
    remarks : mapping of str to int, optional
        What is said of the choice, and of how many events or profiles.
    """
    # Those of the input are of more rows.
    said = {} if s.segment is None else dict(s.remarks)
    found = restricted(s.whole, s.in_whole(np.flatnonzero(seen)), chosen)
    rows = found.events["row"].to_numpy()
    if s.segment is not None:
        description = f"{s.segment.description}; {description}"
        after_the_fact = after_the_fact or s.segment.after_the_fact
    segment = Segment(
        known_characters(description),
        after_the_fact,
        lambda: _left_out(s, rows),
        last_of([last_seen(s, found.events["timestamp"])], s.data_end)
        if data_end is None
        else data_end,
        whole=None if found.segment is None else found.segment.whole,
        positions=None if found.segment is None else found.segment.positions,
        origin=Origin.of(s, met),
    )
    # When the whole was observed is not when its segment was.
    said |= remarks or {}
    return replace(found, segment=segment, observed_in_all=None, remarks=said)


def last_seen(s: StitchedEvents, times: pd.Series) -> tuple[pd.Timestamp, bool]:
    """Return the last of some events' times that is not a wrong clock's, and if there are any."""
    inside = Observed(*s.observed_span).holds(microseconds(times))
    return times[inside].max(), len(times) > 0


def last_of(found: Iterable[tuple[pd.Timestamp, bool]], otherwise: pd.Timestamp) -> pd.Timestamp:
    """Return until when a segment of events is observed.

    Parameters
    ----------
    found : iterable of tuple
        As `last_seen` returns it, of each part.
    otherwise : pandas.Timestamp
        Where all may be far: then they are observed for as long as the others.
    """
    seen = list(found)
    latest = [time for time, _ in seen if not pd.isna(time)]
    if latest:
        return max(latest)
    return otherwise if any(some for _, some in seen) else pd.NaT


def as_segment(
    whole: StitchedEvents, segment: Segment, remarks: Mapping[str, int]
) -> StitchedEvents:
    """Return a segment that was made before, of its `whole` stitched in another way, or read."""
    profile = whole.resolution.profile
    if segment.positions is None:
        at, chosen = np.arange(len(profile)), np.ones(len(whole.resolution.profile_ids), dtype=bool)
    else:
        at, chosen = segment.positions, _profiles_of(whole.resolution, profile[segment.positions])
    found = restricted(whole, at, chosen)
    here = found.segment or replace(segment, whole=None, positions=None)
    placed = replace(segment, whole=here.whole, positions=here.positions, origin=Origin())
    return replace(found, segment=placed, observed_in_all=None, remarks=remarks)


def profiles_of(s: StitchedEvents, seen: BoolArray) -> BoolArray:
    """Return which profiles the chosen events are of."""
    return _profiles_of(s.resolution, s.resolution.profile[seen])


def _profiles_of(found: Resolution, profile: IntArray) -> BoolArray:
    chosen = np.zeros(len(found.profile_ids), dtype=bool)
    chosen[profile[profile >= 0]] = True
    return chosen


def restricted(whole: StitchedEvents, at: IntArray, chosen: BoolArray) -> StitchedEvents:
    """Return the tables of these events and profiles, identity as it is.

    What is said of the input alone stays with it: rejected rows, remarks, blocked values.

    Parameters
    ----------
    whole : StitchedEvents
        Not one that leaves out events of its profiles.
    at : numpy.ndarray of int
        Positions of the events that are seen.
    chosen : numpy.ndarray of bool
        Which profiles are in it: those of the events, and others' perhaps.
    """
    seen = np.zeros(len(whole.events), dtype=bool)
    seen[at] = True
    keep = seen | np.append(chosen, False)[whole.resolution.profile]
    part = whole
    if not (keep.all() and chosen.all()):
        part = _part(whole, keep, chosen)
    part = replace(_without_input(part, whole), segment=None)
    seen = seen[keep]
    return part if seen.all() else _without_input(_seeing(part, np.flatnonzero(seen)), part)


def aliases_left(found: Resolution, keep: BoolArray, chosen: BoolArray) -> BoolArray:
    """Return which aliases are left: those of the chosen profiles that a kept event carries."""
    left = np.zeros(len(found.component), dtype=bool)
    left[found.aliases.alias[keep[found.aliases.event]]] = True
    return left & chosen[found.component]


def part_of(found: Resolution, keep: BoolArray, left: BoolArray) -> Resolution:
    """Return who is who among some of the events, and which of the aliases are left.

    Parameters
    ----------
    found : Resolution
    keep : numpy.ndarray of bool
        Which events; with one of a profile, all of it.
    left : numpy.ndarray of bool
        Which aliases, see `aliases_left`.
    """
    stays = np.zeros(len(found.profile_ids), dtype=bool)
    stays[found.component[left]] = True
    number = np.append(np.cumsum(stays) - 1, -1)
    place = np.cumsum(keep) - 1
    aliases = found.aliases.part(keep, left)
    return replace(
        found,
        aliases=aliases,
        component=number[found.component[left]],
        profile=number[found.profile[keep]],
        profile_ids=found.profile_ids[stays].reset_index(drop=True),
        in_time=place[found.in_time[keep[found.in_time]]],
        knowledge=functools.cache(lambda: found.knowledge().part(keep, left)),
        protection=found.protection.among(aliases.types),
        refused=found.refused.part(keep, left),
    )


def _part(whole: StitchedEvents, keep: BoolArray, chosen: BoolArray) -> StitchedEvents:
    found = whole.resolution
    place = np.append(np.cumsum(keep) - 1, -1)
    return replace(
        whole,
        events=among_all(chosen_rows(whole.events, keep), whole.events),
        resolution=part_of(found, keep, aliases_left(found, keep, chosen)),
        # A value is carried within a profile, of which all events are kept.
        carried_from={name: place[of[keep]] for name, of in whole.carried_from.items()},
    )


def _seeing(whole: StitchedEvents, at: IntArray) -> StitchedEvents:
    """Return the tables of the events at these positions; profiles keep all their aliases."""
    found, aliases = whole.resolution, whole.resolution.aliases
    seen = np.zeros(len(whole.events), dtype=bool)
    seen[at] = True
    place = np.full(len(whole.events) + 1, -1, dtype=np.int64)
    place[at] = np.arange(len(at))
    pairs = seen[aliases.event]
    apart = aliases.apart
    if apart is not None and apart.home is not None:
        apart = replace(apart, home=apart.home[at])
    return replace(
        whole,
        events=among_all(chosen_rows(whole.events, seen), whole.events),
        resolution=replace(
            found,
            aliases=replace(
                aliases,
                event=place[aliases.event[pairs]],
                alias=aliases.alias[pairs],
                apart=apart,
            ),
            profile=found.profile[at],
            in_time=place[found.in_time[seen[found.in_time]]],
            knowledge=functools.cache(lambda: found.knowledge().seen_by(at)),
        ),
        # None (-1) too where the event that a value comes from is left out: the whole has it.
        carried_from={name: place[of[at]] for name, of in whole.carried_from.items()},
        segment=Segment("", False, dict, whole.data_end, whole=whole, positions=at),
    )


def _without_input(part: StitchedEvents, before: StitchedEvents) -> StitchedEvents:
    """Leave out what is said of other rows of the input than the events and their copies."""
    rows = part.events["row"].to_numpy()
    aliases = part.resolution.aliases
    # On how many events a value was blocked is known of all together.
    aliases = replace(aliases, blocked=aliases.blocked.iloc[:0])
    return replace(
        part,
        rejected=before.rejected.iloc[:0].reset_index(drop=True),
        resolution=replace(part.resolution, aliases=aliases),
        describe_duplicates=lambda: _copies_of(before, rows),
        remarks={},
        malformed=_malformed_in(before, rows),
    )


def _copies_of(s: StitchedEvents, rows: IntArray) -> pd.DataFrame:
    """Return the dropped copies of these events."""
    return s.duplicates[s.duplicates["kept_row"].isin(rows)].reset_index(drop=True)


def _malformed_in(s: StitchedEvents, rows: IntArray) -> pd.DataFrame:
    """Return what was not an alias on these events and their copies."""
    if not len(s.malformed):
        return s.malformed
    mine = np.concatenate([rows, _copies_of(s, rows)["row"].to_numpy()])
    return s.malformed[s.malformed["row"].isin(mine)].reset_index(drop=True)


def _left_out(s: StitchedEvents, rows: IntArray) -> dict[str, int]:
    """Return how much of the input is not in a segment of `s` that has these events."""
    before: Mapping[str, int] = {} if s.segment is None else s.segment.left_out
    now = {
        "events": len(s.events) - len(rows),
        "duplicates": len(s.duplicates) - len(_copies_of(s, rows)),
        "rejected": len(s.rejected),
    }
    return {name: count + before.get(name, 0) for name, count in now.items()}

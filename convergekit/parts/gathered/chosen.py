"""Some events of all parts as one stitching in memory: for what depends on all of them at once.

Identity is as it was found in the parts: numbers of profiles and aliases are put one after the
other, and nothing is stitched again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from convergekit.certainty.answering import below, numbers_before
from convergekit.events.timestamps import microseconds
from convergekit.identity.aliases import Apart, EventAliases
from convergekit.identity.as_of import Knowledge
from convergekit.identity.limits import Protection, RefusedLinks
from convergekit.identity.segment import aliases_left, part_of
from convergekit.identity.tables import Resolution, StitchedEvents
from convergekit.parts.answers.below import rows_below
from convergekit.parts.stitching import Run
from convergekit.typing import BoolArray, IntArray


@dataclass(frozen=True)
class _Chosen:
    """Some events of a part, and who did them.

    Attributes
    ----------
    s : StitchedEvents
        With these events alone.
    """

    s: StitchedEvents

    @classmethod
    def of(
        cls,
        number: int,
        s: StitchedEvents,
        *,
        choose: Callable[[StitchedEvents], BoolArray],
        columns: Callable[[pd.DataFrame], Collection[str]],
    ) -> _Chosen:
        """Choose the events of a part."""
        keep, names = choose(s), set(columns(s.events))
        events = s.events[[name for name in s.events if name in names]]
        events = events[keep].reset_index(drop=True)
        # What is known of the whole is given to all of them together.
        events.attrs = {}
        found = s.resolution
        everyone = np.ones(len(found.profile_ids), dtype=bool)
        resolution = part_of(found, keep, aliases_left(found, keep, everyone))
        segment = s.segment
        if segment is not None:
            segment = replace(segment, count_left_out=dict, whole=None, positions=None)
        return cls(
            StitchedEvents(
                events=events,
                rejected=s.rejected.iloc[:0],
                identity=s.identity,
                browser_alias=s.browser_alias,
                resolution=replace(resolution, knowledge=_not_gathered, refused=_NONE_REFUSED),
                describe_duplicates=pd.DataFrame,
                carried_from={},
                first=s.first,
                calendar=s.calendar,
                observed_until=s.observed_until,
                segment=segment,
            )
        )


_NOTHING = np.empty(0, dtype=np.int64)
_NONE_REFUSED = RefusedLinks(_NOTHING, _NOTHING, _NOTHING, _NOTHING, [], _NOTHING)


def _not_gathered() -> Knowledge:
    raise AssertionError("what was known when is not gathered from parts")


def gathered(
    run: Run,
    choose: Callable[[StitchedEvents], BoolArray],
    columns: Callable[[pd.DataFrame], Collection[str]] = list,
) -> StitchedEvents:
    """Return some events of all parts as one stitching.

    Parameters
    ----------
    run : Run
    choose : callable
        Returns which events of a part are taken: with one of a profile, all of it.
    columns : callable
        Returns which columns of the events are taken; by default all.

    Returns
    -------
    StitchedEvents
        Without rejected rows, copies, and what was known when.
    """
    of_part = partial(_Chosen.of, choose=choose, columns=columns)
    parts = [one.s for one in run.of_each(of_part)]
    events = rows_below([part.events for part in parts])
    rows = np.concatenate([part.events["row"].to_numpy(dtype=np.int64) for part in parts])
    place = np.empty(len(rows), dtype=np.int64)
    place[np.argsort(rows, kind="stable")] = np.arange(len(rows))
    whole = replace(parts[-1], events=events, resolution=_together(parts, events, place))
    return run.facts.given_to(whole, run.learned.of_all)


def _together(parts: Sequence[StitchedEvents], events: pd.DataFrame, place: IntArray) -> Resolution:
    """Return who is who in all parts; `place` says where each one's events stand among all."""
    found = [part.resolution for part in parts]
    profiles = numbers_before([len(one.profile_ids) for one in found])
    profile = np.empty(len(place), dtype=np.int64)
    profile[place] = below([one.profile for one in found], profiles)
    limits = {name: most for one in found for name, most in one.protection.limits.items()}
    protection: Protection = replace(found[0].protection, limits=limits)
    return Resolution(
        aliases=_aliases([one.aliases for one in found], [len(p.events) for p in parts], place),
        component=below([one.component for one in found], profiles),
        profile=profile,
        profile_ids=pd.concat([one.profile_ids for one in found], ignore_index=True),
        in_time=_in_time(events),
        knowledge=_not_gathered,
        protection=protection,
        refused=_NONE_REFUSED,
    )


def _in_time(events: pd.DataFrame) -> IntArray:
    """Return the positions of events in order of time, then arrival."""
    keys = [events["row"].to_numpy(dtype=np.int64), microseconds(events["timestamp"])]
    if "received_at" in events:
        keys.insert(1, microseconds(events["received_at"].fillna(events["timestamp"])))
    return np.lexsort(keys)


def _aliases(parts: Sequence[EventAliases], sizes: Sequence[int], place: IntArray) -> EventAliases:
    """Return the aliases of all parts, and which of the events carry which."""
    first = numbers_before([len(one.table) for one in parts])
    event = place[below([one.event for one in parts], numbers_before(sizes))]
    alias = below([one.alias for one in parts], first)
    # Of one event they stay as they are: a part has all of them.
    order = np.argsort(event, kind="stable")
    types = sorted({str(name) for one in parts for name in one.types.categories})
    table = pd.concat([one.table.astype("str") for one in parts], ignore_index=True)
    table["alias_type"] = pd.Categorical(table["alias_type"], categories=types)
    return replace(
        parts[0],
        table=table,
        event=event[order],
        alias=alias[order],
        blocked=parts[0].blocked.iloc[:0],
        malformed=parts[0].malformed.iloc[:0],
        apart=_apart(parts, sizes, place),
    )


def _apart(parts: Sequence[EventAliases], sizes: Sequence[int], place: IntArray) -> Apart | None:
    """Return which aliases of all parts are kept apart; those of some parts may not be."""
    if all(one.apart is None for one in parts):
        return None
    known = [
        one.apart or Apart(np.zeros(len(one.table), np.int64), np.full(len(one.table), -1))
        for one in parts
    ]
    before = numbers_before([int(one.group.max(initial=-1)) + 1 for one in known])
    home = None
    if any(one.home is not None for one in known):
        homes = [
            np.zeros(size, dtype=np.int64) if one.home is None else one.home
            for one, size in zip(known, sizes, strict=True)
        ]
        home = np.empty(len(place), dtype=np.int64)
        home[place] = below(homes, before)
    return Apart(
        below([one.group for one in known], before),
        np.concatenate([one.rank for one in known]),
        home,
    )

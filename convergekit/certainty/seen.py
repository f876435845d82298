"""What there is of profiles, and how visits end: what links that were never seen are drawn of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from convergekit.base.grouping import number, run_starts
from convergekit.certainty.occurring import Occurring
from convergekit.certainty.parts import Parts
from convergekit.events.timestamps import microseconds
from convergekit.identity.profiles import LOGIN_TYPES
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import BoolArray, IntArray
from convergekit.visits.browsers import DEVICES

#: The time of what never was.
NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class ProfilesSeen:
    """What there is of each profile.

    Attributes
    ----------
    ids : pandas.Series of str
    visitor, named, browser, token : numpy.ndarray of bool
        Which entered, have a login, have a browser, and have the last step with a cookie or token.
    captures : numpy.ndarray of int
        How many parts with an entry identified themselves.
    first, ordered : numpy.ndarray of int
        The first entry, and the first event of the last step; the largest number for never.
    """

    ids: pd.Series
    visitor: BoolArray
    named: BoolArray
    browser: BoolArray
    token: BoolArray
    captures: IntArray
    first: IntArray
    ordered: IntArray

    @classmethod
    def of(
        cls, s: StitchedEvents, counting: Occurring, parts: Parts, enters: BoolArray
    ) -> ProfilesSeen:
        """Return what there is of the profiles of a part; `enters` is of their devices."""
        size = len(s.resolution.profile_ids)
        mine = counting.unit >= 0
        entry, last = mine & counting.enters, mine & counting.converts
        first, ordered = np.full(size, NEVER), np.full(size, NEVER)
        np.minimum.at(first, counting.unit[entry], counting.time[entry])
        np.minimum.at(ordered, counting.unit[last], counting.time[last])
        types, component = s.resolution.aliases.table["alias_type"], s.resolution.component
        named, browser, token = (np.zeros(size, dtype=bool) for _ in range(3))
        named[component[types.isin(LOGIN_TYPES).to_numpy(dtype=bool)]] = True
        of_browser = types.isin((s.browser_alias, *DEVICES)).to_numpy(dtype=bool)
        browser[component[of_browser]] = True
        token[counting.unit[last & (parts.of_event[counting.position] >= 0)]] = True
        identified = enters & parts.identified
        return cls(
            ids=s.resolution.profile_ids,
            visitor=first < NEVER,
            named=named,
            browser=browser,
            token=token,
            captures=np.bincount(parts.profile[identified], minlength=size),
            first=first,
            ordered=ordered,
        )

    @classmethod
    def together(cls, found: Sequence[ProfilesSeen]) -> ProfilesSeen:
        """Return the profiles of several parts, one below the other."""
        ids = pd.concat([one.ids for one in found], ignore_index=True)
        arrays = (
            np.concatenate([getattr(one, name) for one in found])
            for name in (
                "visitor", "named", "browser", "token", "captures", "first", "ordered"
            )
        )  # fmt: skip
        return cls(ids, *arrays)

    @property
    def alone(self) -> BoolArray:
        """Which entered and never identified themselves."""
        return self.visitor & ~self.named


@dataclass(frozen=True)
class LastSeen:
    """How visits end: those before the last step, and those of profiles that are alone.

    Attributes
    ----------
    names : list of str
        Of events.
    lags : numpy.ndarray of int
        How long before the last step its visit was seen.
    before : numpy.ndarray of int
        By which event, as a place in `names`.
    seen, profile, last : numpy.ndarray of int
        When visits of those alone end, whose they are, and by which event.
    """

    names: list[str]
    lags: IntArray
    before: IntArray
    seen: IntArray
    profile: IntArray
    last: IntArray

    @classmethod
    def of(cls, s: StitchedEvents, counting: Occurring, parts: Parts, alone: BoolArray) -> LastSeen:
        """Return how the visits of a part end."""
        time = microseconds(s.events["timestamp"])
        is_last = np.zeros(len(time), dtype=bool)
        is_last[counting.position[counting.converts]] = True
        inside = np.flatnonzero(parts.of_event >= 0)
        place = np.empty(len(time), dtype=np.int64)
        place[s.resolution.in_time] = np.arange(len(time))
        keys = (place, is_last, time, parts.of_event)
        order = inside[np.lexsort(tuple(key[inside] for key in keys))]
        before = np.maximum.accumulate(np.where(is_last[order], -1, np.arange(len(order))))
        at = np.flatnonzero(is_last[order])
        at = at[before[at] >= 0]
        ahead = order[before[at]]
        same = parts.of_event[ahead] == parts.of_event[order[at]]
        ahead, at = ahead[same], at[same]
        begins = np.flatnonzero(run_starts(parts.visit[order]))
        ends = order[np.append(begins[1:], len(order)) - 1] if len(order) else order
        ends = ends[alone[parts.profile[parts.of_event[ends]]]]
        codes, distinct = number(s.events["event_name"])
        # One more, for events without a name, which are -1.
        return cls(
            names=[*(str(name) for name in distinct), ""],
            lags=time[order[at]] - time[ahead],
            before=codes[ahead] % (len(distinct) + 1),
            seen=time[ends],
            profile=parts.profile[parts.of_event[ends]],
            last=codes[ends] % (len(distinct) + 1),
        )

    @classmethod
    def together(cls, found: Sequence[LastSeen], before: Sequence[int]) -> LastSeen:
        """Return how the visits of several parts end.

        Parameters
        ----------
        found : sequence of LastSeen
        before : sequence of int
            How many profiles the parts before each have.
        """
        names = sorted({name for one in found for name in one.names})
        place = {name: at for at, name in enumerate(names)}
        new = [np.array([place[name] for name in one.names], dtype=np.int64) for one in found]
        return cls(
            names=names,
            lags=np.concatenate([one.lags for one in found]),
            before=np.concatenate([to[one.before] for one, to in zip(found, new, strict=True)]),
            seen=np.concatenate([one.seen for one in found]),
            profile=np.concatenate(
                [one.profile + first for one, first in zip(found, before, strict=True)]
            ),
            last=np.concatenate([to[one.last] for one, to in zip(found, new, strict=True)]),
        )

    def likely(self, wanted: int) -> BoolArray:
        """Return which visits end with an event such as come before the last step.

        The commonest of these first, until there are three visits for each that is wanted.
        """
        size = len(self.names)
        usual = np.bincount(self.before, minlength=size)
        there = np.bincount(self.last, minlength=size)
        # Ties by how many visits there are, and then by name.
        ranked = np.lexsort((-there, -usual))
        enough = np.cumsum(there[ranked]) - there[ranked] >= 3 * wanted
        taken = np.zeros(size, dtype=bool)
        taken[ranked[~enough]] = True
        return taken[self.last]

"""What copies prove: the aliases of all copies of an event, and when each became known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from numbers import Real

import numpy as np
import pandas as pd

from convergekit.base.grouping import distinct
from convergekit.base.records import take_or_missing
from convergekit.base.text import written
from convergekit.base.threads import with_columns
from convergekit.events.arrow import python_cells
from convergekit.events.campaigns import says_something
from convergekit.events.schema import (
    PROFILE_PROPERTY,
    PROPERTY,
    STATE_AT,
    holds_objects,
    missing,
)
from convergekit.events.sources import exports, filled_in
from convergekit.events.timestamps import microseconds
from convergekit.identity.aliases import EventAliases
from convergekit.identity.as_of import Knowledge
from convergekit.identity.dedupe import (
    DIFFERENT_CONTENT,
    IDENTICAL,
    IMPLAUSIBLE,
    OTHER_SOURCE,
    OTHER_STATE,
    KeptEvents,
    as_typed,
)
from convergekit.typing import BoolArray, IntArray

#: Before every time.
_NO_STATE = np.iinfo(np.int64).min
#: Where and when a copy was received says nothing about its content.
NOT_CONTENT = {STATE_AT, "row", "received_at", "source", "file", "line"}


@dataclass(frozen=True)
class Deduplicated(KeptEvents):
    """The same with their aliases.

    Attributes
    ----------
    aliases : EventAliases
        Of all events, kept and dropped.
    find_implausible : callable
        Returns which dropped copies are unlikely to be of the event that is kept.
    later : numpy.ndarray of bool or None
        Events that became known after all others, whenever they say that they were received.
    """

    aliases: EventAliases
    find_implausible: Callable[[], BoolArray]
    later: BoolArray | None = None

    @cached_property
    def implausible(self) -> BoolArray:
        """Which dropped copies are unlikely to be of the event that is kept."""
        return self.find_implausible()

    @cached_property
    def counts(self) -> BoolArray:
        """Which events are evidence: the kept ones and, where those are merged, their copies.

        A copy that is implausible never is.
        """
        return ~self.implausible if self.merge else self.is_kept

    @cached_property
    def carried(self) -> BoolArray:
        """Which aliases the evidence carries: those of `kept_aliases`, in the same order."""
        carried = np.zeros(len(self.aliases.table), dtype=bool)
        carried[self.aliases.alias[self.counts[self.aliases.event]]] = True
        return carried

    @cached_property
    def kept_events(self) -> pd.DataFrame:
        """The kept events, with what their copies say of the person where those are merged."""
        return self.with_said(self.kept_rows)

    def with_said(self, kept_rows: pd.DataFrame) -> pd.DataFrame:
        """Return the kept events with what their copies say of the person, in their last state."""
        said = {
            PROFILE_PROPERTY + name: take_or_missing(
                self.events[PROFILE_PROPERTY + name], says[self.is_kept]
            )
            for name, says in self.says.items()
        }
        said |= {
            name: take_or_missing(self.events[name], says[self.is_kept])
            for name, says in self._stated.items()
        }
        return with_columns(kept_rows, said)

    @cached_property
    def restated_events(self) -> pd.DataFrame:
        """All events, the kept ones with the properties of their last state."""
        stated = {name: take_or_missing(self.events[name], says)
                  for name, says in self._stated.items()}  # fmt: skip
        return with_columns(self.events, {
            name: column.set_axis(self.events.index) for name, column in stated.items()
        })  # fmt: skip

    @cached_property
    def is_other_state(self) -> BoolArray:
        """Which dropped copies show the kept event in another state of itself."""
        states = self._states
        if states is None:
            return np.zeros(len(self.events), dtype=bool)
        has_both = (states > _NO_STATE) & (states[self.kept] > _NO_STATE)
        return ~self.is_kept & has_both & (states != states[self.kept]) & ~self.implausible

    @cached_property
    def _states(self) -> IntArray | None:
        """When each copy was last changed, None where no copy says so."""
        if STATE_AT not in self.events or self.is_kept.all():
            return None
        states = self.events[STATE_AT]
        known = states.notna().to_numpy(dtype=bool)
        return np.where(known, microseconds(states), _NO_STATE)

    @cached_property
    def _stated(self) -> dict[str, IntArray]:
        """Per property, the copy that says it for each event: the last to be changed that does.

        The kept event's time, name and aliases stay those of the first copy to arrive. Of copies
        changed at one time, the first to arrive counts.
        """
        others = np.flatnonzero(self.is_other_state)
        states = self._states
        if states is None or not len(others):
            return {}
        copies = np.concatenate([distinct(self.kept[others]), others])
        in_turn = copies[np.lexsort((-self.arrival[copies], states[copies]))]
        stated = {}
        for name in self.events.columns:
            if name == STATE_AT or name.startswith(PROPERTY):
                says = in_turn[~missing(self.events[name]).to_numpy(dtype=bool)[in_turn]]
                source = np.arange(len(self.events))
                source[self.kept[says]] = says
                stated[name] = source
        return stated

    @cached_property
    def says(self) -> dict[str, IntArray]:
        """Per profile property, the copy that says it for each event, where copies are merged.

        A kept event speaks for itself; where it has no value, the first of its copies to arrive
        with one does. Only what is said of the person is taken from copies: an event's own
        properties, time and name stay those of the kept copy.
        """
        if not self.merge:
            return {}
        dropped = np.flatnonzero(self.counts & ~self.is_kept)
        latest_first = dropped[np.argsort(-self.arrival[dropped])]
        says = {}
        for name in (c for c in self.events.columns if c.startswith(PROFILE_PROPERTY)):
            unsaid = ~says_something(self.events, name.removeprefix(PROFILE_PROPERTY))
            fills = latest_first[~unsaid[latest_first] & unsaid[self.kept[latest_first]]]
            source = np.arange(len(self.events))
            source[self.kept[fills]] = fills
            says[name.removeprefix(PROFILE_PROPERTY)] = source
        return says

    @cached_property
    def kept_aliases(self) -> EventAliases:
        """The aliases of the kept events, with those of their copies where those are merged."""
        aliases = self.aliases
        if self.merge:
            counts = self.counts[aliases.event]
            aliases = aliases.with_pairs(self.kept[aliases.event[counts]], aliases.alias[counts])
        return aliases.of_events(self.is_kept)

    @cached_property
    def knowledge(self) -> Knowledge:
        """What was known of the profiles when each event became known."""
        if self.merge:
            item = np.flatnonzero(self.is_kept)
            event = (np.cumsum(self.is_kept) - 1)[self.kept]
            says = {name: source[item] for name, source in self.says.items()}
            return Knowledge(self._evidence, self._known, self._known_at, event, item, says)
        known = _ranks(self._among_the_kept(_ranks(self._known)))
        each = np.arange(len(known))
        known_at = self._known_at[self.is_kept]
        return Knowledge(self.kept_aliases, known, known_at, each, each, {})

    @cached_property
    def lost_aliases(self) -> dict[int, list[str]]:
        """Per position of a dropped copy, its aliases that no kept event carries."""
        lost = np.flatnonzero(~self.carried[self.aliases.alias])
        found: dict[int, list[str]] = {}
        urns = self.aliases.urns(self.aliases.alias[lost])
        for event, urn in zip(self.aliases.event[lost].tolist(), urns, strict=True):
            found.setdefault(event, []).append(urn)
        return found

    @cached_property
    def _known(self) -> IntArray:
        """Each event's place in the order of knowing."""
        received = "received_at" in self.events
        known = self.arrival if received else _ranks(self._everyone_in_time)
        return known if self.later is None else _ranks(np.lexsort((known, self.later)))

    @property
    def _known_at(self) -> IntArray:
        """When each event became known, in microseconds."""
        times = self.events["timestamp"]
        if "received_at" in self.events:
            times = self.events["received_at"].fillna(times)
        return microseconds(times)

    @property
    def _evidence(self) -> EventAliases:
        """Every copy with its own aliases and those of the copies known before it.

        So a copy's aliases are linked to those of its event at the moment the copy becomes
        known, not before. A copy that is not evidence has none.
        """
        counts = self.counts[self.aliases.event]
        event, alias = self.aliases.event[counts], self.aliases.alias[counts]
        copies = np.bincount(self.kept[self.counts], minlength=len(self.kept))[self.kept] > 1
        copies &= self.counts
        shared = copies[event]
        pairs = pd.DataFrame({"group": self.kept[event[shared]], "alias": alias[shared]}).assign(
            known=self._known[event[shared]]
        )
        members = pd.DataFrame({"event": np.flatnonzero(copies)})
        members["group"] = self.kept[members["event"]]
        both = members.merge(pairs, on="group")
        both = both[both["known"] <= self._known[both["event"]]]
        known = self.aliases.with_pairs(
            np.concatenate([event, both["event"].to_numpy()]),
            np.concatenate([alias, both["alias"].to_numpy()]),
        )
        return known.of_events(np.ones(len(self.kept), dtype=bool))


@dataclass(frozen=True)
class Copied:
    """The dropped copies, and the events that were kept instead.

    Attributes
    ----------
    found : Deduplicated
    copies, originals : pandas.DataFrame
        A row for each dropped copy.
    """

    found: Deduplicated
    copies: pd.DataFrame
    originals: pd.DataFrame

    def described(self) -> pd.DataFrame:
        """Return one row per dropped copy: which row was kept instead, and how they differ.

        Returns
        -------
        pandas.DataFrame
            `row`, `kept_row`, `event_id`, `event_name`, `timestamp`, `source`, `repeat`
            (``"identical"``, ``"different content"``, ``"other source"``, ``"other state"`` for an
            earlier or later state of the event that is kept or, for whichever of these is unlikely
            to be a copy, ``"implausible"``), `differs` (the fields whose values differ, as a
            list), `conflicts` (those of them in which both copies have a value) and `lost_aliases`
            (the copy's aliases that no kept event carries, a list of URNs).
        """
        found, copies, originals = self.found, self.copies, self.originals
        dropped = np.flatnonzero(~found.is_kept)
        differs: list[list[str]] = [[] for _ in dropped]
        conflicts: list[list[str]] = [[] for _ in dropped]
        for name in copies.columns if len(dropped) else ():
            if name in NOT_CONTENT:
                continue
            both = ~(missing(copies[name]) | missing(originals[name])).to_numpy(dtype=bool)
            for position in np.flatnonzero(_unequal(copies[name], originals[name])):
                differs[position].append(name)
                if both[position]:
                    conflicts[position].append(name)
        other_source = _unequal(exports(copies), exports(originals))
        same = np.fromiter((not fields for fields in differs), dtype=bool, count=len(dropped))
        # What we fill in does not make two copies different that are the same in all that was sent.
        other_source &= ~(same & filled_in(copies) & filled_in(originals))
        repeat = np.where(same, IDENTICAL, DIFFERENT_CONTENT)
        repeat = np.where(other_source, OTHER_SOURCE, repeat)
        other_state = found.is_other_state[dropped] & ~same
        repeat = np.where(other_state, OTHER_STATE, repeat)
        repeat = np.where(found.implausible[dropped], IMPLAUSIBLE, repeat)
        # An order that was edited does not contradict itself.
        conflicts = [[] if changed else fields
                     for changed, fields in zip(other_state, conflicts, strict=True)]  # fmt: skip
        lost = found.lost_aliases
        return pd.DataFrame(
            {
                "row": copies["row"],
                "kept_row": originals["row"],
                "event_id": copies["event_id"],
                "event_name": copies["event_name"],
                "timestamp": copies["timestamp"],
                "source": copies["source"],
                "repeat": pd.Series(repeat, dtype="str"),
                "differs": pd.Series(differs, dtype=object),
                "conflicts": pd.Series(conflicts, dtype=object),
                "lost_aliases": pd.Series(
                    [lost.get(place, []) for place in dropped.tolist()], dtype=object
                ),
            }
        )


def _ranks(order: IntArray) -> IntArray:
    ranks = np.empty_like(order)
    ranks[order] = np.arange(len(order))
    return ranks


def _unequal(first: pd.Series, second: pd.Series) -> BoolArray:
    if holds_objects(first.dtype):
        pairs = zip(python_cells(first), python_cells(second), strict=True)
        return np.fromiter((not _same(a, b) for a, b in pairs), dtype=bool, count=len(first))
    same = (first == second).fillna(False).to_numpy(dtype=bool)
    return ~(same | (first.isna() & second.isna()).to_numpy())


def _is_number(value: object) -> bool:
    return isinstance(value, (Real, Decimal)) and not isinstance(value, bool)


def _same(first: object, second: object) -> bool:
    if isinstance(first, np.ndarray) or isinstance(second, np.ndarray):
        return np.array_equal(np.asarray(first, dtype=object), np.asarray(second, dtype=object))
    if first is second:
        return True
    both_missing = pd.api.types.is_scalar(first) and pd.api.types.is_scalar(second)
    if both_missing and pd.isna(first) and pd.isna(second):
        return True
    if isinstance(first, str) is not isinstance(second, str):
        first, second = as_typed(first), as_typed(second)
    if isinstance(first, bool | np.bool_) is not isinstance(second, bool | np.bool_):
        return False
    if type(first) is not type(second) and not (_is_number(first) and _is_number(second)):
        return False
    try:
        return bool(first == second)
    except Exception:
        # A user's own class may raise anything; tables say of each cell whether it is equal.
        return written(first) == written(second)

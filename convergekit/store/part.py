"""Stitch the rows of some clusters: what comes out is what stitching everything would give them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from convergekit.base.text import to_arrow
from convergekit.events.normalise import normalise
from convergekit.events.schema import ALIAS, PROFILE_PROPERTY
from convergekit.identity.aliases import USUAL_BROWSER, EventAliases, browser_type
from convergekit.identity.dedupe import find_kept
from convergekit.identity.evidence import Deduplicated
from convergekit.identity.limits import Protection
from convergekit.identity.profiles import TYPE_PRIORITY, salt_key, salted
from convergekit.identity.properties import carry_retroactive, matches_first, property_names
from convergekit.identity.read_aliases import read_aliases
from convergekit.identity.tables import StitchedEvents
from convergekit.stitching import IdentityMode, link, link_and_carry
from convergekit.store.options import StoreOptions
from convergekit.typing import BoolArray, IntArray

#: Columns that say whose an event is and when it was, besides aliases and profile properties.
_NEEDED = ("event_id", "event_name", "timestamp", "received_at", "source", "unset", "set_once")


@dataclass(frozen=True)
class Part:
    """The stitched rows of whole clusters.

    Attributes
    ----------
    found : Deduplicated
        The events, kept and dropped, in the order in which they were added.
    s : StitchedEvents
        Of the kept ones; `row` is the position in `found`.
    """

    found: Deduplicated
    s: StitchedEvents

    @cached_property
    def carried(self) -> IntArray:
        """The aliases of `found` that kept events carry, in the order in which `s` has them."""
        of = self.found.aliases
        if self.found.merge:
            return np.arange(len(of.table))
        carried = np.zeros(len(of.table), dtype=bool)
        carried[of.alias[self.found.is_kept[of.event]]] = True
        return np.flatnonzero(carried)

    def has_profile(self, ids: pd.Series) -> BoolArray:
        """Return which of these profile IDs there are."""
        now = to_arrow(self.s.resolution.profile_ids)
        return pc.is_in(to_arrow(ids), value_set=now).to_numpy(zero_copy_only=False)


def needed(name: str, options: StoreOptions) -> bool:
    """Return whether profiles depend on a column."""
    return (
        name in _NEEDED
        or name in options.get("dedupe_on", ())
        or name == "aliases"
        or name.startswith((ALIAS, PROFILE_PROPERTY))
    )


def aliases_of(events: pd.DataFrame, options: StoreOptions) -> EventAliases:
    """Return the aliases of normalised events, as a store reads them."""
    return read_aliases(
        events, block=options.get("block", ()), alias_from=_alias_from(events, options)
    )


def stitch_part(
    events: pd.DataFrame,
    options: StoreOptions,
    *,
    identity: IdentityMode | None = None,
    later: BoolArray | None = None,
) -> Part:
    """Stitch normalised events of whole clusters.

    Options that name what none of these events has are none of theirs.

    Parameters
    ----------
    events : pandas.DataFrame
        In the order in which they were added, the columns that are `needed`.
    options : StoreOptions
    identity : {"retroactive", "as_of"}, optional
        How profile properties are carried to each event; by default to none, for what a profile
        has in the end is the same.
    later : numpy.ndarray of bool, optional
        Events that became known after all others.
    """
    accepted = normalise(events, alias_from=options.get("alias_from", ()))
    kept = find_kept(accepted.events, accepted.arrival, dedupe_on(accepted.events, options))
    aliases = salted(aliases_of(accepted.events, options), salt_key(options.get("salt")))
    merge = options.get("duplicates", "drop") == "merge"
    found = Deduplicated(accepted.events, accepted.arrival, kept, merge, aliases, later)
    protection = Protection.of(
        options.get("limits"), options.get("alias_priority", TYPE_PRIORITY)
    ).among(found.kept_aliases.types)
    first = list(options.get("first", ()))
    wide = found.kept_events
    known = (found.kept_aliases, found.in_time, lambda: found.knowledge)
    if identity is None:
        profiles = link(wide, *known, protection)
        carried = carry_retroactive(wide, profiles.profile, found.in_time, first)
    else:
        wide, profiles, carried = link_and_carry(
            wide, *known, protection=protection, identity=identity, first=first
        )
    s = StitchedEvents(
        events=wide,
        rejected=accepted.rejected,
        identity=identity or "retroactive",
        browser_alias=browser_alias(options),
        resolution=profiles,
        describe_duplicates=pd.DataFrame,
        carried_from=carried,
        first=first,
    )
    return Part(found, s)


def stitch_options(
    options: StoreOptions, columns: Sequence[str], types: Sequence[str]
) -> dict[str, Any]:
    """Return the options for `stitch`, without what nothing that was added has as yet.

    Parameters
    ----------
    options : StoreOptions
    columns : sequence of str
        Of all that was added.
    types : sequence of str
        The alias types that events carry.
    """
    chosen: dict[str, Any] = dict(options)
    nothing = pd.DataFrame(columns=[*columns, "event_id", "source"])
    chosen["dedupe_on"] = dedupe_on(nothing, options)
    chosen["alias_from"] = _alias_from(nothing, options)
    limits = options.get("limits") or {}
    chosen["limits"] = {name: n for name, n in limits.items() if name.lower() in types}
    if "alias_priority" in options:
        chosen["alias_priority"] = [
            name for name in options["alias_priority"] if _is_of(name, types)
        ]
    if "browser_alias" in options and not _is_of(options["browser_alias"], types):
        del chosen["browser_alias"]
    names = property_names(nothing)
    chosen["first"] = [
        pattern
        for pattern in options.get("first", ())
        if not isinstance(pattern, str) or any(matches_first(name, [pattern]) for name in names)
    ]
    return chosen


def browser_alias(options: StoreOptions) -> str:
    """Return the alias type of a browser session."""
    return browser_type(options.get("browser_alias", USUAL_BROWSER))


def _is_of(name: Any, types: Sequence[str]) -> bool:
    """Return whether a type is one of these; what is none is for `stitch` to refuse."""
    return not isinstance(name, str) or name.strip().lower() in types


def dedupe_on(events: pd.DataFrame, options: StoreOptions) -> list[str]:
    """Return the columns that together name an event, those that are there."""
    return [name for name in options.get("dedupe_on", ("event_id",)) if name in events]


def _alias_from(events: pd.DataFrame, options: StoreOptions) -> dict[str, str]:
    found = (options.get("alias_from") or {}).items()
    return {
        name: alias_type
        for name, alias_type in found
        if PROFILE_PROPERTY + name.removeprefix(PROFILE_PROPERTY) in events
    }

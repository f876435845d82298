"""Stitch the rows of some clusters, with the result that stitching all rows would give."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from convergekit.base.text import to_arrow
from convergekit.events.normalise import normalise
from convergekit.events.schema import ALIAS, PROFILE_PROPERTY
from convergekit.identity.alias_rules import AliasRules
from convergekit.identity.aliases import NO_RULES, EventAliases
from convergekit.identity.blocking import Block
from convergekit.identity.dedupe import KeptEvents, find_kept
from convergekit.identity.evidence import Deduplicated
from convergekit.identity.options import IdentityMode, StitchOptions
from convergekit.identity.pipeline import name_and_carry, named, prove, read, resolve
from convergekit.identity.properties import carry_retroactive
from convergekit.identity.read_aliases import AliasColumns, read_aliases
from convergekit.identity.tables import StitchedEvents
from convergekit.store.options import StoreOptions
from convergekit.typing import BoolArray, IntArray

#: Columns that name an event's profile and time, besides aliases and profile properties.
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
        """The aliases of `found` that are of a profile, in the order in which `s` has them."""
        return np.flatnonzero(self.found.carried)

    def has_profile(self, ids: pd.Series) -> BoolArray:
        """Return which of these profile IDs there are."""
        now = to_arrow(self.s.resolution.profile_ids)
        return pc.is_in(to_arrow(ids), value_set=now).to_numpy(zero_copy_only=False)


@dataclass(frozen=True)
class _ReadBefore(AliasColumns):
    """Aliases that were read before, in one form."""

    aliases: EventAliases

    def united(self, *, block: Block = (), rules: AliasRules = NO_RULES) -> EventAliases:
        """Return them."""
        return self.aliases


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
    chosen = options_among(events, options)
    return read_aliases(
        events, block=chosen.block, alias_from=chosen.alias_from, rules=chosen.rules
    )


def stitch_part(
    events: pd.DataFrame,
    options: StoreOptions,
    *,
    identity: IdentityMode | None = None,
    later: BoolArray | None = None,
    aliases: EventAliases | None = None,
) -> Part:
    """Stitch normalised events of whole clusters.

    Options that name what none of these events has do not apply to them.

    Parameters
    ----------
    events : pandas.DataFrame
        In the order in which they were added, the columns that are `needed`.
    options : StoreOptions
    identity : {"retroactive", "as_of"}, optional
        How profile properties are carried to each event; by default to none, because what a profile
        has in the end is the same.
    later : numpy.ndarray of bool, optional
        Events that became known after all others.
    aliases : EventAliases, optional
        Of the events, where they were read before.
    """
    chosen = options_among(events, options)
    accepted = normalise(events, alias_from=chosen.alias_from, nothing=chosen.nothing)
    if aliases is None:
        copies, columns = read(accepted, chosen)
    else:
        kept = find_kept(accepted.events, accepted.arrival, chosen.dedupe_on)
        copies = KeptEvents(accepted.events, accepted.arrival, kept, chosen.merge)
        columns = _ReadBefore([], [], aliases)
    found = prove(copies, columns, chosen, later=later)
    wide = found.kept_events
    profiles = resolve(
        wide,
        found.kept_aliases,
        found.in_time,
        lambda: found.knowledge,
        chosen.protection.among(found.kept_aliases.types),
    )
    if identity is None:
        profiles = named(profiles, wide)
        carried = carry_retroactive(wide, profiles.profile, found.in_time, chosen.first)
    else:
        wide, profiles, carried = name_and_carry(
            wide, profiles, identity=identity, first=chosen.first
        )
    s = StitchedEvents(
        events=wide,
        rejected=accepted.rejected,
        identity=identity or "retroactive",
        browser_alias=chosen.browser_alias,
        resolution=profiles,
        describe_duplicates=pd.DataFrame,
        carried_from=carried,
        first=chosen.first,
        calendar=chosen.calendar,
    )
    return Part(found, s)


def options_among(
    columns: Iterable[str], options: StoreOptions, types: Sequence[str] | None = None
) -> StitchOptions:
    """Return the options for events with these columns: those of what they have.

    Parameters
    ----------
    columns : iterable of str
    options : StoreOptions
    types : sequence of str, optional
        The alias types that the events carry, for limits.
    """
    chosen = StitchOptions.of(**options).among({*columns, "event_id", "source"})
    return chosen if types is None else chosen.limited_to(types)

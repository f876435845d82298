"""Identity resolution, stage by stage, from read events to tables.

`accept` types the rows, `read` finds copies and reads aliases, `prove` gives the aliases one form,
`resolve` links them into profiles, and `name_and_carry` gives profiles their IDs and carries
profile properties along them. `stitch` goes all the way, a store does so with a part of its events,
and the check-up needs no carried values.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from convergekit.base.records import MANY_COLUMNS, take_or_missing
from convergekit.base.threads import at_once, each_column
from convergekit.errors import EventError, UnknownNameError, what_there_is
from convergekit.events.arrow import Frame
from convergekit.events.canonical import canonicalise
from convergekit.events.normalise import (
    NormalisedEvents,
    normalise,
    refuse_unknown_nothing,
)
from convergekit.events.schema import PROFILE, PROFILE_PROPERTY, STATE_AT
from convergekit.events.timestamps import microseconds
from convergekit.identity.aliases import USUAL_BROWSER, EventAliases, refuse_unknown_types
from convergekit.identity.as_of import Knowledge
from convergekit.identity.blocking import blocked_types, leave_out_blocked
from convergekit.identity.dedupe import KeptEvents, find_kept, taken_apart
from convergekit.identity.evidence import Copied, Deduplicated
from convergekit.identity.graph import connected_components, profile_of_events
from convergekit.identity.limits import Protection, protect
from convergekit.identity.max_age import split_by_max_age
from convergekit.identity.options import StitchOptions
from convergekit.identity.plausible import find_implausible
from convergekit.identity.plugged import remarks_on_rules
from convergekit.identity.profiles import TYPE_PRIORITY, profile_ids, salted
from convergekit.identity.properties import (
    carry_as_of,
    carry_retroactive,
    property_names,
    refuse_unknown_first,
)
from convergekit.identity.read_aliases import LOOK_ALIKES, AliasColumns, read_alias_columns
from convergekit.identity.tables import Resolution, StitchedEvents
from convergekit.typing import BoolArray, IntArray


def identified(given: list[Any], options: StitchOptions) -> StitchedEvents:
    """Return events with their profiles and carried values, in memory.

    Parameters
    ----------
    given : list of Frame
        The events, as `stitch` takes them. They are taken out of the list: columns that nobody else
        holds go as soon as the kept rows are taken of them.
    options : StitchOptions

    Raises
    ------
    ColumnError
        A required column is missing, ambiguous or occurs twice, or aliases are missing.
    UnknownNameError
        An option names what no event carries.
    EventError
        Under ``strict``, the first row or alias that cannot be used.
    """
    accepted = [accept(given.pop(), options)]
    return of_accepted(accepted.pop(), options)


def of_accepted(accepted: NormalisedEvents, options: StitchOptions) -> StitchedEvents:
    """Return accepted events with their profiles and carried values, in memory.

    Raises
    ------
    As `identified` does.
    """
    refuse_unknown_first(options.first, property_names(accepted.events))
    given = [accepted]
    del accepted
    kept = _kept(given.pop(), options)
    wide, resolution, carried = name_and_carry(
        kept.events, kept.unnamed, identity=options.identity, first=options.first
    )
    return StitchedEvents(
        events=wide,
        rejected=kept.rejected,
        identity=options.identity,
        browser_alias=options.browser_alias,
        resolution=resolution,
        describe_duplicates=kept.copied.described,
        carried_from=carried,
        first=options.first,
        remarks=kept.remarks,
        malformed=kept.malformed,
        calendar=options.calendar,
        observed_until=options.observed_until,
    )


@dataclass(frozen=True)
class _Kept:
    """The kept events, and what is known of the others."""

    events: pd.DataFrame
    unnamed: Resolution
    copied: Copied
    rejected: pd.DataFrame
    malformed: pd.DataFrame
    remarks: dict[str, int]


def _kept(accepted: NormalisedEvents, options: StitchOptions) -> _Kept:
    """Return the kept events, linked; columns that nobody else holds go meanwhile."""
    copies, columns = read(accepted, options)
    given, rejected, remarks = [accepted.events], accepted.rejected, accepted.remarks
    if not options.merge and STATE_AT not in accepted.events:
        # Copies say nothing that the kept events do not.
        copies = copies.with_columns("row", "timestamp", "received_at")
    del accepted

    def identify() -> tuple[Deduplicated, Resolution]:
        found = prove(copies, columns, options)
        if not options.of_more:
            refuse_types_not_there(found.aliases.table["alias_type"].cat.categories, options)
        if options.strict:
            _refuse_malformed(found.aliases, copies.events)
        protection = options.protection
        if options.of_more:
            protection = protection.among(found.kept_aliases.types)
        return found, resolve(
            found.kept_times,
            found.kept_aliases,
            found.in_time,
            lambda: found.knowledge,
            protection,
        )

    # What may call functions of the user's stays in this thread. The other has the rows alone to
    # gather.
    (found, unnamed), (kept_rows, dropped, originals) = at_once(
        identify, lambda: taken_apart(given, copies.kept), rows=len(copies.kept)
    )
    return _Kept(
        events=found.with_said(kept_rows),
        unnamed=unnamed,
        copied=Copied(found, dropped, originals),
        rejected=rejected,
        malformed=_malformed_rows(found.aliases, copies.events),
        remarks=_remarks(remarks, found.aliases),
    )


def accept(events: Frame, options: StitchOptions) -> NormalisedEvents:
    """Return events under canonical names, their values typed, and rejected rows apart."""
    canonical = canonicalise(events, columns=options.columns)
    accepted = normalise(
        canonical,
        tz=options.tz,
        rename_events=options.rename_events,
        alias_from=options.alias_from,
        nothing=options.nothing,
        strict=options.strict,
    )
    if not options.of_more:
        unused = [old for old, rows in accepted.renamed.items() if not rows]
        refuse_unknown_events(unused, canonical)
        refuse_unknown_nothing(accepted.events, options.nothing)
    return accepted


def united_aliases(events: pd.DataFrame, options: StitchOptions) -> tuple[EventAliases, list[str]]:
    """Return the aliases of rows, as far as the rows are events, and the types that there are.

    Parameters
    ----------
    events : pandas.DataFrame
        Rows under canonical names.
    options : StitchOptions
        What they name and none of these rows has is of other rows.
    """
    columns = read_alias_columns(events, alias_from=options.alias_from)
    rules = options.rules.among(columns.types)
    return columns.united(block=options.block, rules=rules), columns.types


def read(accepted: NormalisedEvents, options: StitchOptions) -> tuple[KeptEvents, AliasColumns]:
    """Return which events are copies of a kept one, and their aliases as the columns have them."""
    events = accepted.events
    kept, columns = at_once(
        lambda: find_kept(events, accepted.arrival, options.dedupe_on),
        lambda: read_alias_columns(events, alias_from=options.alias_from),
        rows=len(events),
    )
    return KeptEvents(events, accepted.arrival, kept, options.merge), columns


def prove(
    copies: KeptEvents,
    columns: AliasColumns,
    options: StitchOptions,
    *,
    later: BoolArray | None = None,
) -> Deduplicated:
    """Return the copies with their aliases: in one form, placeholder values left out.

    Parameters
    ----------
    copies : KeptEvents
    columns : AliasColumns
    options : StitchOptions
    later : numpy.ndarray of bool, optional
        Events that became known after all others.
    """
    rules, ages = options.rules, options.max_age
    if options.of_more:
        rules = rules.among(columns.types)
    aliases = united = columns.united(block=options.block, rules=rules)
    if options.of_more:
        ages = {name: gap for name, gap in ages.items() if name in united.types.categories}
    else:
        refuse_unknown_types("block", blocked_types(options.block, options.rules), columns.types)
    times, kept, arrival = copies.events["timestamp"], copies.kept, copies.arrival

    @functools.cache
    def implausible() -> BoolArray:
        return find_implausible(united, microseconds(times), kept, arrival)

    if ages:
        counts = ~implausible() if copies.merge else copies.is_kept
        aliases = split_by_max_age(united, times, copies.kept, ages, counts=counts)
        aliases = leave_out_blocked(aliases, options.block)
    return Deduplicated(
        copies.events,
        copies.arrival,
        copies.kept,
        copies.merge,
        salted(aliases, options.salt),
        implausible,
        later,
    )


def resolve(
    events: pd.DataFrame,
    aliases: EventAliases,
    in_time: IntArray,
    knowledge: Callable[[], Knowledge],
    protection: Protection,
) -> Resolution:
    """Link the aliases of deduplicated events into profiles.

    Profiles get their IDs from `named`: hashing takes long, and what does not show them can do
    without.

    Parameters
    ----------
    events : pandas.DataFrame
        The kept events, for `timestamp` and `received_at`.
    aliases : EventAliases
        Of these events.
    in_time : numpy.ndarray of int
        Positions of the events in order of time, then arrival.
    knowledge : callable
        Returns what was known when, as if nothing were kept apart.
    protection : Protection
        Which links to refuse.
    """
    aliases, refused = protect(aliases, events, in_time, protection)
    component = connected_components(aliases)
    return Resolution(
        aliases=aliases,
        component=component,
        profile=profile_of_events(aliases, component, len(events)),
        profile_ids=pd.Series(dtype="str"),
        in_time=in_time,
        knowledge=functools.cache(lambda: _protected(knowledge(), aliases, len(events))),
        protection=protection,
        refused=refused,
    )


def named(unnamed: Resolution, events: pd.DataFrame) -> Resolution:
    """Return the profiles with their IDs."""
    return replace(unnamed, profile_ids=_ids(unnamed, events))


def name_and_carry(
    events: pd.DataFrame, unnamed: Resolution, *, identity: str, first: Sequence[str]
) -> tuple[pd.DataFrame, Resolution, dict[str, IntArray]]:
    """Give the profiles their IDs and carry profile properties along them.

    Parameters
    ----------
    events : pandas.DataFrame
        The kept events.
    unnamed : Resolution
        As `resolve` returns it.
    identity, first
        As `stitch` takes them.

    Returns
    -------
    events : pandas.DataFrame
        With `profile_id` and the carried values.
    resolution : Resolution
    carried_from : dict of str to numpy.ndarray of int
        Per profile property, the event whose value each event carries, -1 for none.
    """

    def name() -> tuple[pd.Series, pd.Series]:
        ids = _ids(unnamed, events)
        return ids, take_or_missing(ids, unnamed.profile)

    def carry() -> tuple[dict[str, IntArray], list[pd.Series]]:
        if identity == "as_of":
            carried = carry_as_of(events, unnamed.in_time, unnamed.knowledge(), first)
        else:
            carried = carry_retroactive(events, unnamed.profile, unnamed.in_time, first)
        return carried, _values(events, carried)

    (ids, profile_id), (carried, values) = at_once(name, carry, rows=len(events))
    filled = {PROFILE + name: v for name, v in zip(carried, values, strict=True)}
    rest = dict(events.items())
    at = events.columns.get_loc("kind") + 1
    ahead = {name: rest.pop(name) for name in events.columns[:at]}
    columns = ahead | {"profile_id": profile_id} | rest | filled
    wide = pd.DataFrame(columns, index=events.index, copy=len(columns) > MANY_COLUMNS)
    return wide, replace(unnamed, profile_ids=ids), carried


def _ids(found: Resolution, events: pd.DataFrame) -> pd.Series:
    return profile_ids(found.aliases, found.component, events["timestamp"])


def _values(events: pd.DataFrame, carried: Mapping[str, IntArray]) -> list[pd.Series]:
    """Return the carried values, property by property."""
    return each_column(
        lambda name: take_or_missing(events[PROFILE_PROPERTY + name], carried[name]),
        carried,
        rows=len(events),
    )


def _protected(knowledge: Knowledge, aliases: EventAliases, size: int) -> Knowledge:
    """Return what was known when, along the links that are not refused."""
    if aliases.apart is None:
        return knowledge
    return knowledge.kept_apart(
        aliases.apart, profile_of_events(aliases, aliases.apart.group, size)
    )


def _remarks(remarks: dict[str, int], aliases: EventAliases) -> dict[str, int]:
    """Return what was decided about values, those of aliases among them."""
    found = {LOOK_ALIKES: aliases.look_alikes, **remarks_on_rules(aliases)}
    return remarks | {said: events for said, events in found.items() if events}


def _malformed_rows(aliases: EventAliases, events: pd.DataFrame) -> pd.DataFrame:
    """Return the row and the reason of everything that was not an alias."""
    rows = events["row"].to_numpy()[aliases.malformed["position"].to_numpy()]
    return pd.DataFrame({"row": rows, "reason": aliases.malformed["reason"]})


def _refuse_malformed(aliases: EventAliases, events: pd.DataFrame) -> None:
    if len(aliases.malformed):
        worst = aliases.malformed.iloc[0]
        raise EventError(
            f"row {events['row'].iloc[worst['position']]}: {worst['reason']}. Repair the alias, "
            "or leave out strict=True to have it left out and counted in the report."
        )


def refuse_unknown_events(renamed: Iterable[str], canonical: pd.DataFrame) -> None:
    """Raise if `rename_events` names no event, though some have names.

    Parameters
    ----------
    renamed : iterable of str
        The names that it names.
    canonical : pandas.DataFrame
        Rows under canonical names.
    """
    for old in renamed:
        if "event_name" in canonical and not (canonical["event_name"] == old).any():
            names = sorted({name for name in canonical["event_name"] if isinstance(name, str)})
            if names:
                raise UnknownNameError(
                    f"rename_events={{{old!r}: ...}}: no event has that name. "
                    f"{what_there_is(names, old, none='no names')}"
                )


def refuse_types_not_there(found: Iterable[str], options: StitchOptions) -> None:
    """Raise if no event has the browser's alias type, or one that the priority lists.

    Parameters
    ----------
    found : iterable of str
        Those that events have, with a value or without.
    options : StitchOptions
    """
    types = list(found)
    browser = options.browser_alias
    refuse_unknown_types("browser_alias", {browser} - {USUAL_BROWSER}, types)
    # The default names types that few exports have together.
    usual = (*TYPE_PRIORITY, browser)
    listed = [name for name in options.protection.priority if name not in usual]
    refuse_unknown_types("alias_priority", listed, types)

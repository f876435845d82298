"""`stitch`: events in, profiles out. This module reads as the list of what happens."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, get_args, overload

import pandas as pd

from convergekit.base.columns import each_column
from convergekit.base.durations import Duration
from convergekit.base.options import names_given, pairs_given
from convergekit.base.records import take_or_missing
from convergekit.base.threads import at_once
from convergekit.engine import EngineTable, is_of_an_engine
from convergekit.engine.stitching import stitch_table
from convergekit.errors import ConvergekitError, EventError, NotOnThisEngine
from convergekit.events.arrow import Frame
from convergekit.events.canonical import canonicalise
from convergekit.events.normalise import NormalisedEvents, normalise
from convergekit.events.schema import PROFILE, PROFILE_PROPERTY
from convergekit.identity.alias_rules import AliasRules, Rule
from convergekit.identity.aliases import (
    USUAL_BROWSER,
    EventAliases,
    browser_type,
    refuse_unknown_types,
)
from convergekit.identity.as_of import Knowledge
from convergekit.identity.blocking import Block, leave_out_blocked
from convergekit.identity.dedupe import KeptEvents, find_kept
from convergekit.identity.evidence import Deduplicated, describe_duplicates
from convergekit.identity.graph import connected_components, profile_of_events
from convergekit.identity.limits import Protection, protect
from convergekit.identity.max_age import longest_gaps, split_lives
from convergekit.identity.profiles import TYPE_PRIORITY, profile_ids, salt_key, salted
from convergekit.identity.properties import (
    carry_as_of,
    carry_retroactive,
    property_names,
    refuse_unknown_first,
)
from convergekit.identity.read_aliases import LOOK_ALIKES, read_alias_columns
from convergekit.identity.tables import Resolution, StitchedEvents
from convergekit.stitched import Stitched
from convergekit.typing import IntArray

if TYPE_CHECKING:
    from convergekit.engine.result import StitchedTable

Duplicates = Literal["drop", "merge"]
IdentityMode = Literal["retroactive", "as_of"]


@overload
def stitch(
    events: EngineTable,
    *,
    columns: Mapping[str, str] | None = None,
    rename_events: Mapping[str, str] | None = None,
    dedupe_on: Sequence[str] = ("event_id",),
    block: Block = (),
    alias_from: Mapping[str, str] | None = None,
    first: Iterable[str] = (),
    browser_alias: str = "cookie",
) -> StitchedTable: ...
@overload
def stitch(
    events: Frame,
    *,
    columns: Mapping[str, str] | None = None,
    tz: str | None = None,
    rename_events: Mapping[str, str] | None = None,
    dedupe_on: Sequence[str] = ("event_id",),
    duplicates: Duplicates = "drop",
    block: Block = (),
    alias_from: Mapping[str, str] | None = None,
    rules: Mapping[str, Rule] | None = None,
    max_age: Mapping[str, Duration] | None = None,
    limits: Mapping[str, int] | None = None,
    alias_priority: Sequence[str] = TYPE_PRIORITY,
    identity: IdentityMode = "retroactive",
    first: Iterable[str] = (),
    browser_alias: str = "cookie",
    salt: str | bytes | None = None,
    strict: bool = False,
) -> Stitched: ...
def stitch(
    events: Frame | EngineTable,
    *,
    columns: Mapping[str, str] | None = None,
    tz: str | None = None,
    rename_events: Mapping[str, str] | None = None,
    dedupe_on: Sequence[str] = ("event_id",),
    duplicates: Duplicates = "drop",
    block: Block = (),
    alias_from: Mapping[str, str] | None = None,
    rules: Mapping[str, Rule] | None = None,
    max_age: Mapping[str, Duration] | None = None,
    limits: Mapping[str, int] | None = None,
    alias_priority: Sequence[str] = TYPE_PRIORITY,
    identity: IdentityMode = "retroactive",
    first: Iterable[str] = (),
    browser_alias: str = "cookie",
    salt: str | bytes | None = None,
    strict: bool = False,
) -> Stitched | StitchedTable:
    """Stitch events into profiles and carry what is known of a person to their later events.

    Parameters
    ----------
    events : pandas.DataFrame, or a Polars frame, pyarrow Table, DuckDB relation
        One row per event, as `read_events` returns it or in any spelling it understands. Never
        changed. Anything with the Arrow PyCapsule interface will do. An Ibis table or a Spark
        DataFrame is stitched in its engine, as `stitch_table` does.
    columns : mapping of str to str, optional
        Canonical name to the frame's own name, such as
        ``{"event_name": "action", "alias.customer_id": "uid"}``.
    tz : str, optional
        Time zone of timestamps that name none; UTC when absent.
    rename_events : mapping of str to str, optional
        Event names to replace, such as ``{"$page_load": "PageView"}``.
    dedupe_on : sequence of str, default ("event_id",)
        Columns that together name an event. ``("source", "event_id")`` counts an ID once per
        source.
    duplicates : {"drop", "merge"}, default "drop"
        Whether a dropped copy contributes nothing, or its aliases and profile properties.
    block : iterable of str or re.Pattern
        Aliases that identify nobody: URNs, values, or patterns that match whole values.
    alias_from : mapping of str to str, optional
        Profile property to alias type, such as ``{"$email": "email"}``.
    rules : mapping of str to callable, optional
        Alias type to a function from text to the text to compare, or to None for what is no
        alias: ``{"phone": ck.phone_rule("BE"), "sku": str.upper}``. See `email_rule`.
    max_age : mapping of str to duration, optional
        Alias type to the longest time between two events that carry the same value, such as
        ``{"cart_token": "14D"}``. After a longer gap the value is another alias, whose name ends
        in ``~2``, ``~3`` and so on.
    limits : mapping of str to int, optional
        Alias type to the number of its values that one profile may have, such as
        ``{"customer_id": 1}``. A link that would exceed a limit is refused, see
        `Stitched.refused_links`.
    alias_priority : sequence of str, optional
        Alias types, login-like types first by default; the others follow by the alphabet. Where
        limits keep the aliases of one event apart, the event is of the profile of the first.
        The default's types and `browser_alias` may be named whether events carry them or not.
    identity : {"retroactive", "as_of"}, default "retroactive"
        Whether profile properties are carried along all links, or only along those already
        known at the event: by `received_at` where the events have it, otherwise by time.
    first : iterable of str
        Profile properties, as names or patterns such as ``"$initial_*"``, of which the first
        value is kept instead of the last.
    browser_alias : str, default "cookie"
        The alias type of a browser session.
    salt : str or bytes, optional
        A secret that profile IDs depend on, such as ``secrets.token_hex(32)``: without it nobody
        can tell from an ID whose it is. Give the same each time, or all IDs are others. It is
        neither kept nor shown.
    strict : bool, default False
        Raise on the first row or alias that cannot be used, instead of listing it.

    Returns
    -------
    Stitched or StitchedTable
        A `StitchedTable`, as `stitch_table` returns it, for an Ibis table or a Spark DataFrame.

    Raises
    ------
    ColumnError
        A required column is missing, ambiguous or stands twice, or there are no aliases.
    UnknownNameError
        `alias_from`, `rules`, `max_age`, `limits`, `alias_priority`, `first` or `browser_alias`
        names what no event carries.
    EventError
        Under `strict`, the first row or alias that cannot be used.
    ConvergekitError
        An option has a value that it does not take.
    NotOnThisEngine
        A table of an engine is given with an option that engines do not have yet.

    Notes
    -----
    Vocabulary and semantics follow Converge's public documentation (source concepts, aliases,
    event spec); what is undocumented there is defined in ``docs/concepts.md``.

    Examples
    --------
    >>> import convergekit as ck
    >>> events = pd.DataFrame({
    ...     "event_name": ["PageView", "Added To Cart", "Placed Order"],
    ...     "timestamp": ["2026-03-02T10:00:00Z", "2026-03-02T10:04:00Z", "2026-03-02T10:09:00Z"],
    ...     "alias.cookie": ["7f3a", "7f3a", None],
    ...     "alias.cart_token": [None, "123", "123"],
    ...     "profile_properties.utm_source": ["newsletter", None, None],
    ... })
    >>> s = ck.stitch(events)
    >>> s
    Stitched(3 events, 0 duplicates, 0 rejected; 2 aliases, 1 profile)
    >>> s.events["profile.utm_source"].tolist()
    ['newsletter', 'newsletter', 'newsletter']
    """
    if is_of_an_engine(events):
        _refuse_in_an_engine(
            tz=tz,
            duplicates=duplicates != "drop",
            rules=rules,
            max_age=max_age,
            limits=limits,
            identity=identity != "retroactive",
            salt=salt is not None,
            strict=strict,
        )
        return stitch_table(
            events,
            columns=columns,
            rename_events=rename_events,
            dedupe_on=dedupe_on,
            block=block,
            alias_from=alias_from,
            first=first,
            browser_alias=browser_alias,
        )
    _check_choice("duplicates", duplicates, get_args(Duplicates))
    _check_choice("identity", identity, get_args(IdentityMode))
    first, browser = list(names_given("first", first)), browser_type(browser_alias)
    alias_from = pairs_given("alias_from", alias_from, "{'$email': 'email'}")
    rename_events = pairs_given("rename_events", rename_events, "{'$page_load': 'PageView'}")
    # Read twice where values live twice.
    block = list(block) if isinstance(block, Iterator) else block
    alias_rules, ages = AliasRules.of(rules), longest_gaps(max_age)
    protection, key = Protection.of(limits, alias_priority), salt_key(salt)

    accepted = normalise(
        canonicalise(events, columns=columns),
        tz=tz,
        rename_events=rename_events,
        alias_from=alias_from,
        strict=strict,
    )
    refuse_unknown_first(first, property_names(accepted.events))
    size = len(accepted.events)
    kept, alias_columns = at_once(
        lambda: find_kept(accepted.events, accepted.arrival, dedupe_on),
        lambda: read_alias_columns(accepted.events, alias_from=alias_from),
        rows=size,
    )
    copies = (accepted.events, accepted.arrival, kept, duplicates == "merge")

    def identify() -> tuple[Deduplicated, Resolution]:
        aliases = alias_columns.united(block=block, rules=alias_rules)
        types = list(aliases.table["alias_type"].cat.categories)
        refuse_unknown_types("browser_alias", {browser} - {USUAL_BROWSER}, types)
        # The default names types that few exports have together.
        named = [name for name in protection.priority if name not in (*TYPE_PRIORITY, browser)]
        refuse_unknown_types("alias_priority", named, types)
        if max_age:
            aliases = split_lives(
                aliases, accepted.events["timestamp"], kept, ages, merge=duplicates == "merge"
            )
            aliases = leave_out_blocked(aliases, block)
        if strict:
            _refuse_malformed(aliases, accepted.events)
        found = Deduplicated(*copies, salted(aliases, key))
        return found, _draw(
            found.kept_times, found.kept_aliases, found.in_time, lambda: found.knowledge, protection
        )

    # What may call functions of the user's stays in this thread.
    (found, unnamed), kept_events = at_once(
        identify, lambda: KeptEvents(*copies).kept_events, rows=size
    )
    wide, stitched, carried = _name_and_carry(kept_events, unnamed, identity, first)
    return Stitched(
        StitchedEvents(
            events=wide,
            rejected=accepted.rejected,
            identity=identity,
            browser_alias=browser,
            resolution=stitched,
            describe_duplicates=lambda: describe_duplicates(found),
            carried_from=carried,
            first=first,
            remarks=_remarks(accepted, found.aliases),
            malformed=_malformed_rows(found.aliases, accepted.events),
        )
    )


def link_and_carry(
    events: pd.DataFrame,
    aliases: EventAliases,
    in_time: IntArray,
    knowledge: Callable[[], Knowledge],
    *,
    protection: Protection,
    identity: str,
    first: Sequence[str],
) -> tuple[pd.DataFrame, Resolution, dict[str, IntArray]]:
    """Draw the profiles of deduplicated events and carry what is known of them.

    Parameters
    ----------
    events : pandas.DataFrame
        The kept events.
    aliases : EventAliases
        Of these events.
    in_time : numpy.ndarray of int
        Positions of the events in order of time, then arrival.
    knowledge : callable
        Returns what was known when, as if nothing were kept apart.
    protection : Protection
        Which links to refuse.
    identity, first
        As `stitch` takes them.

    Returns
    -------
    events : pandas.DataFrame
        With `profile_id` and the carried values.
    identity : Resolution
    carried_from : dict of str to numpy.ndarray of int
        Per profile property, the event whose value each event carries, -1 for none.
    """
    unnamed = _draw(events, aliases, in_time, knowledge, protection)
    return _name_and_carry(events, unnamed, identity, first)


def link(
    events: pd.DataFrame,
    aliases: EventAliases,
    in_time: IntArray,
    knowledge: Callable[[], Knowledge],
    protection: Protection,
) -> Resolution:
    """Draw the profiles of deduplicated events, and carry nothing. See `link_and_carry`."""
    unnamed = _draw(events, aliases, in_time, knowledge, protection)
    return replace(unnamed, profile_ids=_ids(unnamed, events))


def _draw(
    events: pd.DataFrame,
    aliases: EventAliases,
    in_time: IntArray,
    knowledge: Callable[[], Knowledge],
    protection: Protection,
) -> Resolution:
    """Draw the profiles, which have no IDs yet: to hash these takes long, and can wait."""
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


def _name_and_carry(
    events: pd.DataFrame, unnamed: Resolution, identity: str, first: Sequence[str]
) -> tuple[pd.DataFrame, Resolution, dict[str, IntArray]]:
    """Give the profiles their IDs and carry values along them, see `link_and_carry`."""

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
    wide = pd.DataFrame(columns, index=events.index, copy=False)
    return wide, replace(unnamed, profile_ids=ids), carried


def _ids(drawn: Resolution, events: pd.DataFrame) -> pd.Series:
    return profile_ids(drawn.aliases, drawn.component, events["timestamp"])


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


def _remarks(accepted: NormalisedEvents, aliases: EventAliases) -> dict[str, int]:
    """Return what was decided about values, those of aliases among them."""
    found = aliases.look_alikes
    return accepted.remarks | ({LOOK_ALIKES: found} if found else {})


def _malformed_rows(aliases: EventAliases, events: pd.DataFrame) -> pd.DataFrame:
    """Return the row and the reason of everything that was no alias."""
    rows = events["row"].to_numpy()[aliases.malformed["position"].to_numpy()]
    return pd.DataFrame({"row": rows, "reason": aliases.malformed["reason"]})


def _refuse_in_an_engine(**asked: Any) -> None:
    names = [f"{name}=" for name, given in asked.items() if given]
    if names:
        raise NotOnThisEngine(
            f"{', '.join(names)}: not on this engine yet. Where the events fit into memory: "
            "ck.stitch(table.to_pandas(), ...)."
        )


def _check_choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ConvergekitError(
            f"{name}={value!r} is not known; it is one of {', '.join(map(repr, allowed))}."
        )


def _refuse_malformed(aliases: EventAliases, events: pd.DataFrame) -> None:
    if len(aliases.malformed):
        worst = aliases.malformed.iloc[0]
        raise EventError(
            f"row {events['row'].iloc[worst['position']]}: {worst['reason']}. Repair the alias, "
            "or leave out strict=True to have it left out and counted in the report."
        )

"""`stitch`: the entry point. It checks the options and hands over to the pipeline."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from convergekit.base.durations import Duration
from convergekit.errors import ConvergekitError, NotOnThisEngine
from convergekit.events.arrow import Frame
from convergekit.events.calendar import Weekday
from convergekit.identity.alias_rules import Rule
from convergekit.identity.blocking import Block
from convergekit.identity.options import Duplicates, IdentityMode, StitchOptions
from convergekit.identity.pipeline import identified
from convergekit.identity.profiles import TYPE_PRIORITY
from convergekit.parts.engines import EngineTable, is_of_an_engine
from convergekit.readers.formats import exports_told, first_rows
from convergekit.readers.own.columns import Columns, with_own_columns
from convergekit.stitched import Stitched

if TYPE_CHECKING:
    from pyarrow.dataset import Dataset

    from convergekit.parts.result import StitchedParts
    from convergekit.readers.reading import Paths


@overload
def stitch(
    events: EngineTable,
    *,
    workdir: str | Path | None = None,
    memory: str | None = None,
    max_cluster: int | None = None,
    progress: bool | None = None,
    columns: Columns | None = None,
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
    nothing: Iterable[str] = (),
    browser_alias: str = "cookie",
    salt: str | bytes | None = None,
    calendar: str | None = None,
    week_starts: Weekday = "monday",
    observed_until: str | datetime.date | None = None,
) -> StitchedParts: ...
@overload
def stitch(
    events: Paths | Frame | Dataset,
    *,
    workdir: str | Path,
    memory: str | None = None,
    max_cluster: int | None = None,
    progress: bool | None = None,
    columns: Columns | None = None,
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
    nothing: Iterable[str] = (),
    browser_alias: str = "cookie",
    salt: str | bytes | None = None,
    calendar: str | None = None,
    week_starts: Weekday = "monday",
    observed_until: str | datetime.date | None = None,
) -> StitchedParts: ...
@overload
def stitch(
    events: Paths | Frame | Dataset,
    *,
    memory: str,
    workdir: None = None,
    max_cluster: int | None = None,
    progress: bool | None = None,
    columns: Columns | None = None,
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
    nothing: Iterable[str] = (),
    browser_alias: str = "cookie",
    salt: str | bytes | None = None,
    calendar: str | None = None,
    week_starts: Weekday = "monday",
    observed_until: str | datetime.date | None = None,
) -> StitchedParts: ...
@overload
def stitch(
    events: Frame,
    *,
    columns: Columns | None = None,
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
    nothing: Iterable[str] = (),
    browser_alias: str = "cookie",
    salt: str | bytes | None = None,
    calendar: str | None = None,
    week_starts: Weekday = "monday",
    observed_until: str | datetime.date | None = None,
    strict: bool = False,
) -> Stitched: ...
def stitch(
    events: Paths | Frame | Dataset | EngineTable,
    *,
    columns: Columns | None = None,
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
    nothing: Iterable[str] = (),
    browser_alias: str = "cookie",
    salt: str | bytes | None = None,
    calendar: str | None = None,
    week_starts: Weekday = "monday",
    observed_until: str | datetime.date | None = None,
    strict: bool = False,
    workdir: str | Path | None = None,
    memory: str | None = None,
    max_cluster: int | None = None,
    progress: bool | None = None,
) -> Stitched | StitchedParts:
    """Resolve identities: stitch events into profiles, and forward-fill profile properties.

    Parameters
    ----------
    events : pandas.DataFrame, or a Polars frame, pyarrow Table, DuckDB relation
        One row per event, as `read_events` returns it or in any spelling it understands. Never
        changed. Anything with the Arrow PyCapsule interface will do. With `workdir` or `memory`
        also paths and patterns of files that `read_events` reads, and Arrow datasets. An Ibis table
        is stitched by parts in any case, a Spark DataFrame with `workdir`, in its executors; their
        column `row` numbers the rows.
    columns : mapping, optional
        Canonical name to the frame's own name, such as
        ``{"event_name": "action", "alias.customer_id": "uid"}``, to a path into objects, a list of
        these, ``ck.constant(...)`` or a function, as `read_events` takes them.
    tz : str, optional
        Time zone of timestamps that name none; UTC when absent.
    rename_events : mapping of str to str, optional
        Event names to replace, such as ``{"$page_load": "PageView"}``.
    dedupe_on : sequence of str, default ("event_id",)
        Columns that together name an event. ``("source", "event_id")`` counts an ID once per
        source.
    duplicates : {"drop", "merge"}, default "drop"
        Whether a dropped copy contributes nothing, or its aliases and profile properties. An
        implausible copy (see `Stitched.duplicates`) never contributes anything.
    block : iterable of str or re.Pattern
        Placeholder or shared aliases that must not link profiles: URNs, values, or patterns that
        match whole values.
    alias_from : mapping of str to str, optional
        Profile property to alias type, such as ``{"$email": "email"}``.
    rules : mapping of str to callable, optional
        Alias type to a function from text to the text to compare, or to None for what is not an
        alias: ``{"phone": ck.phone_rule("BE"), "sku": str.upper}``. See `email_rule`.
    max_age : mapping of str to duration, optional
        Alias type to the longest time between two events that carry the same value, such as
        ``{"cart_token": "14D"}``. After a longer gap the value counts as a new alias, and
        its name ends in ``~2``, ``~3`` and so on.
    limits : mapping of str to int, optional
        Alias type to the number of its values that one profile may have, such as
        ``{"customer_id": 1}``. A link that would exceed a limit is refused, see
        `Stitched.refused_links`.
    alias_priority : sequence of str, optional
        Alias types, login-like types first by default; the others follow by the alphabet. Where
        limits keep the aliases of one event apart, the event goes to the profile of the first.
        The default's types and `browser_alias` may be named whether events carry them or not.
    identity : {"retroactive", "as_of"}, default "retroactive"
        Whether profile properties are carried along all links, or only along those already
        known at the event: by `received_at` where the events have it, otherwise by time.
    first : iterable of str
        Profile properties, as names or patterns such as ``"$initial_*"``, of which the first
        value is kept instead of the last.
    nothing : iterable of str
        Properties and profile properties, as names or patterns, whose placeholder texts
        (``"undefined"``, ``"null"``, ``"(not set)"`` ...) are missing. Without it they are kept as
        sent and counted in the report, but for campaigns, where they are never carried.
    browser_alias : str, default "cookie"
        The alias type of a browser session.
    salt : str or bytes, optional
        A secret that profile IDs depend on, such as ``secrets.token_hex(32)``: without it, nobody
        can tell from an ID which alias it was made from. Give the same each time, or all IDs
        change. It is neither kept nor shown.
    calendar : str, optional
        The shop's time zone, such as ``"Europe/Brussels"``: trends, retention, counts and customers
        are in its days, weeks and months, and a date stands for its day. UTC when absent.
        Timestamps stay UTC.
    week_starts : {"monday", ..., "sunday"}, default "monday"
        The day on which a week begins.
    observed_until : str, datetime.date or datetime.datetime, optional
        When the data end: until then profiles are observed, and what is later is left out of
        funnels, counts, retention and customers. A date includes its day. By default that of the
        last event whose clock is not evidently wrong: ``docs/concepts.md`` has the rule, and the
        report names the events.
    strict : bool, default False
        Raise on the first row or alias that cannot be used, instead of listing it.
    workdir : str or pathlib.Path, optional
        A directory, empty or new, for events that do not fit into memory: they are stitched part by
        part, with the same results, and the parts' files stay there. Given the same again, a run
        that was ended goes on from its last finished step. It holds the events.
    memory : str, optional
        How much a part may take, such as ``"6GB"``; ``"4GB"`` with `workdir` alone. Without
        `workdir` the parts lie in a directory of their own below that for temporary files
        (`tempfile.gettempdir`). It is removed when neither the result nor a table or answer of it
        is in use any more, or when the process ends; a process that is killed leaves it.
    max_cluster : int, optional
        The most rows that may hang together by aliases and event IDs; by parts. By default as
        many as a part has: more are refused, with the alias to blame, before they are stitched.
    progress : bool, optional
        Whether to show a progress bar; by parts. By default where somebody sees it.

    Returns
    -------
    Stitched or StitchedParts
        A `StitchedParts` with `workdir` or `memory`, and for an Ibis table.

    Raises
    ------
    ColumnError
        A required column is missing, ambiguous or duplicated, or aliases are missing.
    UnknownNameError
        `rename_events`, `block`, `alias_from`, `rules`, `max_age`, `limits`, `alias_priority`,
        `first`, `nothing` or `browser_alias` names something that no event has.
    EventError
        Under `strict`, the first row or alias that cannot be used.
    ConvergekitError
        An option has a value that it does not take.
    NotOnThisEngine
        `strict` is given for what is stitched by parts.
    ReadError, WriteError
        Files cannot be read, or the workdir cannot be written.

    Notes
    -----
    Vocabulary and semantics follow Converge's public documentation (source concepts, aliases,
    event spec); what is undocumented there is defined in ``docs/concepts.md``.

    Examples
    --------
    >>> import pandas as pd
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
    options = StitchOptions.of(
        tz=tz,
        rename_events=rename_events,
        dedupe_on=dedupe_on,
        duplicates=duplicates,
        block=block,
        alias_from=alias_from,
        rules=rules,
        max_age=max_age,
        limits=limits,
        alias_priority=alias_priority,
        identity=identity,
        first=first,
        nothing=nothing,
        browser_alias=browser_alias,
        salt=salt,
        calendar=calendar,
        week_starts=week_starts,
        observed_until=observed_until,
        strict=strict,
    )
    if workdir is not None or memory is not None or is_of_an_engine(events):
        return _by_parts(events, options, columns, workdir, memory, max_cluster, progress)
    # So that events that the caller does not hold either are not held beside what is made of them.
    given = [events]
    del events
    return _in_memory(given, options, columns)


def _in_memory(given: list[Any], options: StitchOptions, columns: Columns | None) -> Stitched:
    if isinstance(given[0], (str, Path)):
        raise ConvergekitError(
            f"events are a path, {str(given[0])!r}. Read it first: ck.stitch(ck.read_events(...)); "
            "or give memory= or workdir= to stitch files that do not fit into memory."
        )
    with exports_told(first_rows(given[0]), "ck.stitch"):
        named, names = with_own_columns(given.pop(), columns)
        given.append(named)
        del named
        return Stitched(identified(given, replace(options, columns=names)))


def _by_parts(
    events: Any,
    options: StitchOptions,
    columns: Columns | None,
    workdir: str | Path | None,
    memory: str | None,
    max_cluster: int | None,
    progress: bool | None,
) -> StitchedParts:
    """Return what is stitched by parts; imported here, because few stitch so."""
    from convergekit.parts.stitching import stitched_by_parts

    if options.strict:
        raise NotOnThisEngine("strict=: not by parts yet. Leave it out, and look at .rejected.")
    return stitched_by_parts(
        events,
        options,
        columns,
        workdir,
        memory=memory,
        max_cluster=max_cluster,
        progress=progress,
    )

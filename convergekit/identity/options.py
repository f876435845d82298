"""The options of identity resolution, checked once, when `stitch` is called.

`stitch`, a store and the check-up take options in the words of their users. `StitchOptions.of`
checks them and brings them into the form that the pipeline takes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pandas as pd

from convergekit.base.durations import Duration
from convergekit.base.options import choice, names_given, pairs_given
from convergekit.events.calendar import Calendar, Weekday
from convergekit.events.schema import PROFILE_PROPERTY
from convergekit.events.timestamps import check_zone
from convergekit.identity.alias_rules import AliasRules, Rule
from convergekit.identity.aliases import browser_type
from convergekit.identity.blocking import Block, blocked_types
from convergekit.identity.dedupe import check_names_an_event
from convergekit.identity.limits import Protection
from convergekit.identity.max_age import max_ages
from convergekit.identity.profiles import TYPE_PRIORITY, salt_key
from convergekit.identity.properties import matches_first

Duplicates = Literal["drop", "merge"]
IdentityMode = Literal["retroactive", "as_of"]


@dataclass(frozen=True)
class StitchOptions:
    """What `stitch` takes, checked, and in the form that the pipeline takes.

    Attributes
    ----------
    columns : mapping of str to str or None
    tz : str or None
    rename_events, alias_from : mapping of str to str
    dedupe_on : sequence of str
    merge : bool
        Whether dropped copies contribute their aliases and profile properties.
    block : iterable of str or re.Pattern
        May be read many times.
    rules : AliasRules
    max_age : mapping of str to int
        Alias type to the longest gap, in microseconds.
    protection : Protection
        Limits and priority of alias types.
    identity : {"retroactive", "as_of"}
    first, nothing : tuple of str
    browser_alias : str
    salt : bytes or None
    calendar : Calendar
    observed_until : pandas.Timestamp or None
    strict : bool
    of_more : bool
        Whether there are other events than those at hand, so that a name may be one of theirs.
    """

    columns: Mapping[str, str] | None = None
    tz: str | None = None
    rename_events: Mapping[str, str] = field(default_factory=dict)
    dedupe_on: Sequence[str] = ("event_id",)
    merge: bool = False
    block: Block = ()
    alias_from: Mapping[str, str] = field(default_factory=dict)
    rules: AliasRules = field(default_factory=AliasRules)
    max_age: Mapping[str, int] = field(default_factory=dict)
    protection: Protection = field(default_factory=Protection)
    identity: IdentityMode = "retroactive"
    first: tuple[str, ...] = ()
    nothing: tuple[str, ...] = ()
    browser_alias: str = "cookie"
    salt: bytes | None = None
    calendar: Calendar = field(default_factory=Calendar)
    observed_until: pd.Timestamp | None = None
    strict: bool = False
    of_more: bool = False

    @classmethod
    def of(
        cls,
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
        nothing: Iterable[str] = (),
        browser_alias: str = "cookie",
        salt: str | bytes | None = None,
        calendar: str | None = None,
        week_starts: Weekday = "monday",
        observed_until: Any = None,
        strict: bool = False,
    ) -> StitchOptions:
        """Return the options as `stitch` takes them, checked.

        Raises
        ------
        ConvergekitError
            An option has a value that it does not take.
        """
        choice("duplicates", duplicates, Duplicates)
        choice("identity", identity, IdentityMode)
        check_names_an_event(dedupe_on)
        check_zone(tz)
        alias_rules = AliasRules.of(rules)
        # Read more than once.
        block = list(block) if isinstance(block, Iterator) else block
        shop = Calendar.of(calendar, week_starts)
        blocked_types(block, alias_rules)
        return cls(
            columns=columns,
            tz=tz,
            rename_events=pairs_given("rename_events", rename_events, "{'$page_load': 'PageView'}"),
            dedupe_on=dedupe_on,
            merge=duplicates == "merge",
            block=block,
            alias_from=pairs_given("alias_from", alias_from, "{'$email': 'email'}"),
            rules=alias_rules,
            max_age=max_ages(max_age),
            protection=Protection.of(limits, alias_priority),
            identity=identity,
            first=names_given("first", first),
            nothing=names_given("nothing", nothing),
            browser_alias=browser_type(browser_alias),
            salt=salt_key(salt),
            calendar=shop,
            observed_until=_last_moment(shop, observed_until),
            strict=strict,
        )

    def limited_to(self, types: Collection[str]) -> StitchOptions:
        """Return the options with the limits of these alias types alone."""
        limits = {name: most for name, most in self.protection.limits.items() if name in types}
        return replace(self, protection=replace(self.protection, limits=limits))

    def among(self, columns: Collection[str]) -> StitchOptions:
        """Return the options for some of the events that they are for: those with these columns.

        What an option names and none of these events has is one of the others'.
        """
        properties = [
            name.removeprefix(PROFILE_PROPERTY)
            for name in columns
            if name.startswith(PROFILE_PROPERTY)
        ]
        return replace(
            self,
            dedupe_on=[name for name in self.dedupe_on if name in columns or name == "event_id"],
            alias_from={
                name: alias_type
                for name, alias_type in self.alias_from.items()
                if name.removeprefix(PROFILE_PROPERTY) in properties
            },
            first=tuple(
                pattern
                for pattern in self.first
                if any(matches_first(name, [pattern]) for name in properties)
            ),
            of_more=True,
        )


def _last_moment(calendar: Calendar, given: Any) -> pd.Timestamp | None:
    """Return the last moment that is observed: of a date, the last of its day."""
    begin = calendar.moment(given, "observed_until")
    end = calendar.moment(given, "observed_until", last=True)
    if begin is None or end is None:
        return None
    return pd.Timestamp(end - (begin != end), unit="us", tz="UTC")

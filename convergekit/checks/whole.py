"""What the checks have to know of all events together, learned of each part."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from convergekit.base.wording import shortened
from convergekit.checks.money import AmountsOfPart, MoneyOfAll, amounts_of_part, money_of_all
from convergekit.checks.tracking import USUAL_CONVERSION, AskedCheckUp, Tracking
from convergekit.errors import callers_level
from convergekit.events.amounts import events_named
from convergekit.events.sources import origin_names
from convergekit.events.steps import Step, among_names, names_in, tracked
from convergekit.visits.addresses import hosts_of
from convergekit.visits.own_pages import OwnSites
from convergekit.visits.traffic import REFERRERS, kinds_sent, page_hosts, sites_of_hosts
from convergekit.visits.values import first_sent


@dataclass(frozen=True)
class LearnedOfPart:
    """What is kept of a part before it can be checked: data alone.

    Attributes
    ----------
    columns : list of str
    names, of_tracked : frozenset of str
        The names of events, and of those that are not identify calls.
    events, conversions : int
        How many events count, and how many of them are conversions.
    others : bool
        Whether any is none.
    alias_types : frozenset of str
        Of the aliases that some event carries.
    exports : list of tuple of str
        The sources, each with the export that it is of.
    hosts : pandas.DataFrame
        As `page_hosts` returns it.
    amounts : dict of str to AmountsOfPart
        By column that may hold the money.
    said : list of str
        What was warned of when conversions were sought.
    of_checks : dict of str to object
        What the checks keep, by their names.
    """

    columns: list[str]
    names: frozenset[str]
    of_tracked: frozenset[str]
    events: int
    conversions: int
    others: bool
    alias_types: frozenset[str]
    exports: list[tuple[str, str]]
    hosts: pd.DataFrame
    amounts: dict[str, AmountsOfPart]
    said: list[str]
    of_checks: dict[str, Any]

    @classmethod
    def of(cls, tracking: Tracking, of_checks: dict[str, Any]) -> LearnedOfPart:
        """Return what is kept of a part."""
        events = tracking.events
        return cls(
            columns=list(events.columns),
            names=names_in(events),
            of_tracked=names_in(events[["event_name"]][tracked(events)]),
            events=int(tracking.is_kept.sum()),
            conversions=int(tracking.is_conversion.sum()),
            others=bool((tracking.is_kept & ~tracking.is_conversion).any()),
            alias_types=frozenset(tracking.aliases.types.categories),
            exports=tracking.exports[1],
            hosts=page_hosts(*kinds_sent(events)),
            amounts=amounts_of_part(
                events, tracking.converting, tracking.is_kept, tracking.asked.money
            ),
            said=tracking.said,
            of_checks=of_checks,
        )


@dataclass(frozen=True)
class Whole:
    """What the checks have to know of all events together.

    Attributes
    ----------
    columns : list of str
        Those of the events, in their order.
    events, conversions : int
        How many events count, and how many of them are conversions.
    others : bool
        Whether any is none.
    alias_types : frozenset of str
        Of the aliases that some event carries.
    names, titles : tuple of str
        The event names that are conversions, and what messages call the conversions.
    origins : mapping of str to str
        What exports of several sources are called.
    sites : OwnSites
        Which sites are the shop's own.
    has_referrers : bool
        Whether an event has the host of a referrer.
    money : MoneyOfAll or None
        None if it is not known which property holds it.
    asked : AskedCheckUp
    of_checks : dict of str to object
        What each check that learns has learned.
    """

    columns: list[str]
    events: int
    conversions: int
    others: bool
    alias_types: frozenset[str]
    names: tuple[str, ...]
    titles: tuple[str, ...]
    origins: Mapping[str, str]
    sites: OwnSites
    has_referrers: bool
    money: MoneyOfAll | None
    asked: AskedCheckUp
    of_checks: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, parts: Sequence[LearnedOfPart], asked: AskedCheckUp) -> Whole:
        """Return what is known of all events, of what was learned of each part.

        Raises
        ------
        UnknownNameError
            No event is named as a conversion is.
        ConvergekitError
            Amounts are in no column of numbers, or in a currency without a rate.
        """
        steps = _conversions(parts, asked)
        met = any(part.conversions for part in parts)
        for text in dict.fromkeys(text for part in parts for text in part.said):
            if not (met and any(text.startswith(_never_met(step)) for step in steps)):
                warnings.warn(text, stacklevel=callers_level())
        columns = list(dict.fromkeys(name for part in parts for name in part.columns))
        pairs = sorted({pair for part in parts for pair in part.exports})
        hosts = pd.concat([part.hosts for part in parts], ignore_index=True)
        return cls(
            columns=columns,
            events=sum(part.events for part in parts),
            conversions=sum(part.conversions for part in parts),
            others=any(part.others for part in parts),
            alias_types=frozenset[str]().union(*(part.alias_types for part in parts)),
            names=tuple(name for step in steps for name in step.names),
            titles=tuple(step.title for step in steps),
            origins=origin_names(pd.DataFrame(pairs, columns=["source", "export"], dtype="str")),
            sites=sites_of_hosts(hosts, None),
            has_referrers=bool(len(hosts_of(first_sent(hosts, *REFERRERS)).distinct)),
            money=money_of_all([part.amounts for part in parts], columns, asked.money),
            asked=asked,
        )

    @property
    def counts_money(self) -> bool:
        """Whether there are conversions, and amounts that can be read."""
        return bool(self.names) and self.money is not None and self.money.readable

    def origin(self, pair: tuple[str, str] | None) -> str:
        """Return the name of a source, given with the export that it is of; empty for none."""
        return "" if pair is None else self.origins.get(pair[1], pair[0])

    def place(self, key: Any) -> tuple[int, Any]:
        """Return where a finding comes among those of a check: columns in their order."""
        return self.columns.index(key) if key in self.columns else -1, key


def _conversions(parts: Sequence[LearnedOfPart], asked: AskedCheckUp) -> tuple[Step, ...]:
    names = frozenset[str]().union(*(part.names for part in parts))
    if asked.steps is None:
        return (Step(USUAL_CONVERSION),) if USUAL_CONVERSION in names else ()
    if names or any(part.events for part in parts):
        every = sorted(frozenset[str]().union(*(part.of_tracked for part in parts)))
        of_each = pd.DataFrame({"event_name": pd.Series([*every, None], dtype="str")})
        for step in asked.steps:
            # Raises where no event has a name.
            events_named(among_names(of_each, names), Step(step.names))
    return asked.steps


def _never_met(step: Step) -> str:
    """Return how the warning of a condition that no event meets begins."""
    return f"no event of {step.title!r} meets where={shortened(repr(step.where), 200)},"

"""What depends on all rows: found once, and handed to every part.

Nothing in a part may look for it itself: a part has some of the event names and of the sites, and
ends where its own last event is.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias

import pandas as pd

from convergekit.events.observed import Observed, observed_in
from convergekit.events.steps import among_names
from convergekit.identity.options import StitchOptions
from convergekit.identity.tables import StitchedEvents
from convergekit.parts.about import AboutPart
from convergekit.parts.each import EachPart, Kept
from convergekit.visits.browsers import SpokenInPart, browsers_of, spoken_in
from convergekit.visits.learned import LearnedOfAll, Spoken, with_learned
from convergekit.visits.own_pages import OwnSites
from convergekit.visits.traffic import sent_traffic, sites_of_hosts


@dataclass(frozen=True)
class FactsOfTheWhole:
    """What a part cannot know by itself.

    Attributes
    ----------
    observed : Observed
        From when to when profiles are observed.
    event_names : frozenset of str
        The names that events have.
    hosts : pandas.DataFrame
        Of how many events pages and referrers are of which hosts.
    """

    observed: Observed
    event_names: frozenset[str]
    hosts: pd.DataFrame

    def given_to(self, s: StitchedEvents, learned: LearnedOfAll) -> StitchedEvents:
        """Return a part that knows of the whole."""
        events = with_learned(among_names(s.events, self.event_names), learned)
        return replace(s, events=events, observed_in_all=self.observed)


#: What visits are told by hangs on the shop's own domains, and on referrers that are left out.
Rules: TypeAlias = tuple[Sequence[str] | None, Sequence[str]]


class NotLearnedYet(Exception):  # noqa: N818 - it is caught before anybody sees it
    """What is asked of a part has to be learned of all of them first, which is done elsewhere.

    Attributes
    ----------
    of : str
        Which `LearnedByParts` is to learn it: a view of a run has its own.
    rules : tuple
        The rules of visits by which it is to be learned.
    """

    of: str
    rules: Rules

    def __init__(self, of: str, rules: Rules) -> None:
        super().__init__(of, rules)
        self.of, self.rules = of, rules


@dataclass(frozen=True)
class Wanted:
    """What a part answers that would have to know what is not learned yet.

    Attributes
    ----------
    of : str
    rules : tuple
        As those of `NotLearnedYet`.
    spoken : SpokenInPart
        What is learned of this part.
    """

    of: str
    rules: Rules
    spoken: SpokenInPart


class LearnedByParts:
    """What visits are told by, learned of all parts: by each rules of visits once.

    In another process it knows what was learned before it was sent there, and cannot go through the
    parts: `NotLearnedYet` says so.

    Parameters
    ----------
    facts : FactsOfTheWhole
    each : EachPart
        Asks the parts, which know no more than themselves.
    """

    def __init__(self, facts: FactsOfTheWhole, each: EachPart) -> None:
        self._facts = facts
        self._each: EachPart | None = each
        self._sites: dict[object, OwnSites] = {}
        #: What tells it from others, in other processes too.
        self.name: str = secrets.token_hex(8)
        #: What was learned, by the rules.
        self.known: dict[object, Spoken] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Return what is known, without the parts."""
        return {**vars(self), "_each": None}

    @property
    def of_all(self) -> LearnedOfAll:
        """What is handed to every part."""
        return LearnedOfAll(self.sites, self.spoken)

    def sites(self, own_domains: Sequence[str] | None) -> OwnSites:
        """Return which sites are the shop's own."""
        key = None if own_domains is None else tuple(own_domains)
        if key not in self._sites:
            self._sites[key] = sites_of_hosts(self._facts.hosts, own_domains)
        return self._sites[key]

    def spoken(self, own_domains: Sequence[str] | None, ignored: Sequence[str]) -> Spoken:
        """Return which events speak for browsers: the parts are gone through for that."""
        found = self.known.get(_key(own_domains, ignored))
        if found is None:
            if self._each is None:
                raise NotLearnedYet(self.name, (own_domains, tuple(ignored)))
            of_part = self.asking(own_domains, ignored)
            found = self.learn(own_domains, ignored, list(self._each(of_part)))
        return found

    def asking(
        self, own_domains: Sequence[str] | None, ignored: Sequence[str]
    ) -> Callable[[int, StitchedEvents], SpokenInPart]:
        """Return what each part is asked, before `learn` puts the answers together."""
        sites_alone = LearnedOfAll(partial(_known, self.sites(own_domains)), _unknown)
        return partial(
            _spoken_of, facts=self._facts, sites=sites_alone, asked=(own_domains, ignored)
        )

    def learn(
        self,
        own_domains: Sequence[str] | None,
        ignored: Sequence[str],
        parts: Sequence[SpokenInPart],
    ) -> Spoken:
        """Return which events speak for browsers, from what each part answered, and keep it."""
        return self.known.setdefault(_key(own_domains, ignored), spoken_in(parts))


def _spoken_of(
    number: int,
    s: StitchedEvents,
    *,
    facts: FactsOfTheWhole,
    sites: LearnedOfAll,
    asked: tuple[Sequence[str] | None, Sequence[str]],
) -> SpokenInPart:
    part = facts.given_to(s, sites)
    return SpokenInPart.of(part.events, sent_traffic(part.events, *asked), browsers_of(part))


def knowing(
    number: int,
    s: StitchedEvents,
    *,
    of_part: Callable[[int, StitchedEvents], Kept],
    facts: FactsOfTheWhole,
    learned: LearnedByParts,
) -> Kept | Wanted:
    """Return what a function makes of a part that knows what it has to of the whole."""
    try:
        return of_part(number, facts.given_to(s, learned.of_all))
    except NotLearnedYet as wanted:
        if wanted.of != learned.name:
            raise
        return Wanted(wanted.of, wanted.rules, learned.asking(*wanted.rules)(number, s))


def _key(own_domains: Sequence[str] | None, ignored: Sequence[str]) -> object:
    return None if own_domains is None else tuple(own_domains), tuple(ignored)


def _known(sites: OwnSites, own_domains: Sequence[str] | None) -> OwnSites:
    return sites


def _unknown(own_domains: Sequence[str] | None, ignored: Sequence[str]) -> None:
    return None


def facts_of(
    about: Sequence[AboutPart],
    times: Callable[[], Iterable[pd.DataFrame]],
    hosts: Sequence[pd.DataFrame],
    options: StitchOptions,
) -> FactsOfTheWhole:
    """Return the facts of the whole.

    Parameters
    ----------
    about : sequence of AboutPart
    times : callable
        Returns of each part when its events happened and were received, one after the other.
    hosts : sequence of pandas.DataFrame
        Of each part, as `page_hosts` returns it.
    options : StitchOptions
    """
    return FactsOfTheWhole(
        observed_in(times, options.observed_until),
        frozenset(name for part in about for name in part.event_names),
        pd.concat([part for part in hosts if len(part)] or list(hosts), ignore_index=True),
    )

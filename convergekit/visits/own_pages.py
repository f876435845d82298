"""Which addresses are pages that somebody saw, and which sites are the shop's own.

Both are decided for the frame as a whole, by weight, and said: `OwnPages.said`. One mention of a
site makes it nobody's own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from convergekit.base.grouping import NumberedText
from convergekit.base.text import as_text
from convergekit.typing import BoolArray, IntArray
from convergekit.visits.addresses import domains_given, domains_of, hosts_of
from convergekit.visits.detours import IGNORED_REFERRERS, is_within
from convergekit.visits.sites import kind_of_host
from convergekit.visits.values import first_sent

#: The page's address in the words of trackers, which send it with the events of a page: `$url` is
#: Converge's, and Segment and Snowplow are read so; `$current_url` is Mixpanel's and PostHog's,
#: https://docs.mixpanel.com/docs/data-structure/property-reference/default-properties and
#: https://posthog.com/docs/references/posthog-js/types/Properties, `page_location` is Google
#: Analytics', https://support.google.com/analytics/answer/9234069, and the last is Amplitude's,
#: https://amplitude.com/docs/get-started/event-property-definitions.
TRACKERS_PAGES = ("$url", "$current_url", "page_location", "[Amplitude] Page Location")
#: An address of anything: a page, but also a link, a video, a picture or a mail.
ANY_ADDRESS = "url"
#: How page views are called, without regard to case, blanks, ``$``, ``_`` and ``-``.
PAGE_VIEW = re.compile(
    r"page|pageviews?|pageviewed|viewedpage|viewpage|pageload(?:ed)?|pagevisit(?:ed)?|visitedpage|"
    r"screenviewe?d?|viewed\w*page|landingpage(?:view(?:ed)?)?"
)
#: Which share of a name's events must carry an address, of these be on own sites, to be pages.
AGREEING = 0.9
#: From which share of the page views, and from how many, a further site is own.
LEAST_SHARE, LEAST_VIEWS = 0.05, 2
#: Of more than this share of the referrers the own site is, if pages have no host.
LEAST_SHARE_OF_REFERRERS = 0.5


@dataclass(frozen=True, eq=False)
class OwnPages:
    """The pages that events show, and the sites that are taken for the shop's own.

    Attributes
    ----------
    shown : NumberedText
        The address of the page that each event shows, missing for none.
    views : pandas.Series of int
        Per registrable domain, how many events show a page of it, or, where pages have no host,
        how many referrers of pages are of it. Most first.
    own : tuple of str
        The domains taken for own, the subdomains included.
    learned_from : {"own_domains", "pages", "referrers", "nothing"}
    """

    shown: NumberedText
    views: pd.Series
    own: tuple[str, ...]
    learned_from: str

    @cached_property
    def hosts(self) -> NumberedText:
        """The host of each page."""
        return hosts_of(self.shown)

    @cached_property
    def domains(self) -> NumberedText:
        """The registrable domain of each page."""
        return domains_of(self.hosts)

    def is_own(self, host: str) -> bool:
        """Return whether a host is of the shop's own."""
        return is_within(host, frozenset(self.own))

    @property
    def further(self) -> tuple[str, ...]:
        """Sites with several page views that are not taken for own, for there are too few."""
        if self.learned_from != "pages":
            return ()
        return tuple(
            str(domain)
            for domain, views in self.views.items()
            if views >= LEAST_VIEWS
            and domain not in self.own
            and kind_of_host(str(domain)) is None
            # A developer's own machine.
            and domain != "localhost"
        )

    def said(self) -> str:
        """Return in words which sites are taken for own, and why; empty where there are none.

        Examples
        --------
        >>> own_pages(pd.DataFrame({"properties.$url": ["https://www.shop.example/"] * 3})).said()
        'shop.example (100 % of page views)'
        """
        return OwnSites(self.views, self.own, self.learned_from, frozenset()).said()


@dataclass(frozen=True, eq=False)
class OwnSites:
    """What is learned of all events together.

    Attributes
    ----------
    views, own, learned_from
        As `OwnPages` has them.
    pages : frozenset of str
        The names of which nearly all events carry a `url`, nearly always of an own site.
    """

    views: pd.Series
    own: tuple[str, ...]
    learned_from: str
    pages: frozenset[str]

    def said(self) -> str:
        """Return in words which sites are taken for own, and why; empty where there are none."""
        if not self.own:
            return ""
        if self.learned_from == "own_domains":
            return f"{', '.join(self.own)} (own_domains)"
        what = "page views" if self.learned_from == "pages" else "referrers: pages have no host"
        total = max(int(self.views.sum()), 1)
        shares = [f"{d} ({_percent(self.views[d], total)} of {what})" for d in self.own]
        return ", ".join(shares)


def own_pages(
    events: pd.DataFrame,
    own_domains: Sequence[str] | None = None,
    referrers: NumberedText | None = None,
    weight: IntArray | None = None,
    sites: OwnSites | None = None,
) -> OwnPages:
    """Return which pages events show, and which sites are the shop's own.

    Parameters
    ----------
    events : pandas.DataFrame
        A canonical event frame.
    own_domains : sequence of str, optional
        The domains that are own, with their subdomains: then nothing is learned.
    referrers : NumberedText, optional
        The host of each event's referrer, from which the own site is learned where pages have no
        host.
    weight : numpy.ndarray of int, optional
        For how many events each row stands; one, if left out.
    sites : OwnSites, optional
        What was learned, where these are some of more events.

    Notes
    -----
    An event shows a page if it carries a tracker's page address (`TRACKERS_PAGES`). A plain `url`
    is a page if the event is named as page views are, or if nearly all events of its name carry
    one, nearly all of them of own sites. Where nothing tells a page view, all `url` are weighed.

    Own is the registrable domain with the most page views, and each further one with 5 % of them
    and two at least, unless it is a known search engine, social network, shop or video site.

    Examples
    --------
    >>> found = own_pages(pd.DataFrame({
    ...     "event_name": ["PageView"] * 3 + ["Link Clicked"],
    ...     "properties.url": ["https://shop.example/"] * 3 + ["https://www.instagram.com/shop"],
    ... }))
    >>> found.own, found.shown.codes.tolist()
    (('shop.example',), [0, 0, 0, -1])
    """
    shown, plain, names = _addresses(events)
    if sites is None:
        sites = _learned(shown, plain, names, own_domains, referrers, weight)
    if names is not None and sites.pages:
        agreeing = np.array([*(name in sites.pages for name in names.distinct), False], dtype=bool)
        shown = shown.or_else(_only(plain, agreeing[names.codes]))
    return OwnPages(shown, sites.views, sites.own, sites.learned_from)


def own_sites(
    events: pd.DataFrame,
    own_domains: Sequence[str] | None,
    referrers: NumberedText,
    weight: IntArray,
) -> OwnSites:
    """Return what is learned of events, which `own_pages` takes.

    Parameters
    ----------
    events, own_domains, referrers, weight
        As `own_pages` takes them.
    """
    return _learned(*_addresses(events), own_domains, referrers, weight)


def _addresses(events: pd.DataFrame) -> tuple[NumberedText, NumberedText, NumberedText | None]:
    """Return the pages that events show by their names alone, all plain addresses, and names."""
    shown, plain = first_sent(events, *TRACKERS_PAGES), first_sent(events, ANY_ADDRESS)
    # Names are asked where there is a plain address alone: there are many events.
    names = _names(events) if len(plain.distinct) else None
    if names is not None:
        shown = shown.or_else(_only(plain, _are_page_views(names)[names.codes]))
    return shown, plain, names


def _learned(
    shown: NumberedText,
    plain: NumberedText,
    names: NumberedText | None,
    own_domains: Sequence[str] | None,
    referrers: NumberedText | None,
    weight: IntArray | None,
) -> OwnSites:
    given = None if own_domains is None else domains_given("own_domains", own_domains)
    weighed = domains_of(hosts_of(shown if len(shown.distinct) else plain))
    views, own, learned_from = _weigh(weighed, weight), given or (), "own_domains"
    if given is None:
        own, learned_from = _heaviest(views), "pages"
        if not own and referrers is not None and len(shown.distinct):
            views, own = _of_referrers(referrers, shown, weight)
            learned_from = "referrers"
    found = OwnPages(shown, views, own, learned_from if own else "nothing")
    pages: frozenset[str] = frozenset()
    if names is not None:
        agreeing = _agreeing(names, plain, found, weight)[:-1]
        pages = frozenset(names.distinct[agreeing])
    return OwnSites(views, own, found.learned_from, pages)


def _names(events: pd.DataFrame) -> NumberedText:
    if "event_name" not in events:
        return NumberedText(np.zeros(len(events), dtype=np.int64), pd.Series(["page"], dtype="str"))
    return NumberedText.of(as_text(events["event_name"])[0])


def _are_page_views(names: NumberedText) -> BoolArray:
    """Return which names are those of page views; the last is for events without a name."""
    plain = [re.sub(r"[\s$_-]", "", name).lower() for name in names.distinct]
    return np.array([*(bool(PAGE_VIEW.fullmatch(name)) for name in plain), False])


def _agreeing(
    names: NumberedText, plain: NumberedText, found: OwnPages, weight: IntArray | None
) -> BoolArray:
    """Return of which names nearly all events carry a `url`, nearly always of an own site."""
    hosts = hosts_of(plain)
    own = np.array([*(found.is_own(host) for host in hosts.distinct), False], dtype=bool)
    size = len(names.distinct) + 1

    def count(marked: BoolArray) -> IntArray:
        return _count(names.codes, marked & (names.codes >= 0), weight, size)

    everything = count(np.ones(len(names.codes), dtype=bool))
    carrying, on_own = count(plain.codes >= 0), count(own[hosts.codes])
    return (on_own > 0) & (carrying >= AGREEING * everything) & (on_own >= AGREEING * carrying)


def _count(codes: IntArray, counted: BoolArray, weight: IntArray | None, size: int) -> IntArray:
    """Return how many events the rows of each code stand for that are counted."""
    weights = None if weight is None else weight[counted]
    return np.bincount(codes[counted], weights=weights, minlength=size).astype(np.int64)


def _weigh(domains: NumberedText, weight: IntArray | None) -> pd.Series:
    """Return how many events each domain has: most first, known sites and then names last."""
    counts = _count(domains.codes, domains.codes >= 0, weight, len(domains.distinct))
    found = [
        (-count, kind_of_host(name) is not None, name)
        for name, count in zip(domains.distinct, counts.tolist(), strict=True)
        if count
    ]
    ordered = sorted(found)
    return pd.Series([-one[0] for one in ordered], index=[one[2] for one in ordered], dtype="int64")


def _heaviest(views: pd.Series) -> tuple[str, ...]:
    least = max(LEAST_VIEWS, LEAST_SHARE * views.sum())
    return tuple(
        str(domain)
        for place, (domain, count) in enumerate(views.items())
        if place == 0 or (count >= least and kind_of_host(str(domain)) is None)
    )


def _of_referrers(
    referrers: NumberedText, shown: NumberedText, weight: IntArray | None
) -> tuple[pd.Series, tuple[str, ...]]:
    """Return the own site where pages have no host: most pages are reached from others of it."""
    of_pages = _only(referrers, shown.codes >= 0)
    views = _weigh(domains_of(of_pages), weight)
    ignored = frozenset(IGNORED_REFERRERS)
    for domain, count in views.items():
        name = str(domain)
        enough = count > LEAST_SHARE_OF_REFERRERS * views.sum()
        if enough and kind_of_host(name) is None and not is_within(name, ignored):
            return views, (name,)
    return views, ()


def _only(column: NumberedText, kept: BoolArray) -> NumberedText:
    """Return a column without the texts of some rows."""
    codes = np.where(kept, column.codes, -1)
    used = np.unique(codes[codes >= 0])
    place = np.full(len(column.distinct) + 1, -1, dtype=np.int64)
    place[used] = np.arange(len(used))
    return NumberedText(place[codes], column.distinct.iloc[used].reset_index(drop=True))


def _percent(part: int, total: int) -> str:
    share = 100 * part / total
    return f"{share:.0f} %" if share >= 1 else "under 1 %"

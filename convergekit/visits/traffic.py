"""The traffic source that each event itself sent: tags, click ID, page, referrer.

Carried values are left aside: a value that a profile keeps from an earlier visit says nothing of
this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from convergekit.base.grouping import NumberedText, at_or_missing, together
from convergekit.base.text import as_text, to_arrow
from convergekit.base.threads import each_column
from convergekit.errors import ColumnError, what_there_is
from convergekit.events.campaigns import CLICK_IDS, TAGS
from convergekit.events.nothing import SAID_DIRECT, is_no_value, trimmed
from convergekit.events.schema import PROFILE_PROPERTY, PROPERTY
from convergekit.events.unread_text import found_before
from convergekit.typing import BoolArray, IntArray
from convergekit.visits.addresses import (
    domains_given,
    domains_of,
    hosts_of,
    parameters_of,
)
from convergekit.visits.detours import IGNORED_REFERRERS, is_within
from convergekit.visits.learned import learned_of_all
from convergekit.visits.own_pages import (
    ANY_ADDRESS,
    TRACKERS_PAGES,
    OwnPages,
    OwnSites,
    own_pages,
    own_sites,
)
from convergekit.visits.values import first_sent, without_nothing

#: Where a page's address is looked for.
PAGES = (*TRACKERS_PAGES, ANY_ADDRESS)
#: The address of the page before, or its host alone. `page_referrer` is Google Analytics'.
REFERRERS = ("$referrer", "referrer", "page_referrer", "$referring_domain", "referring_domain")
#: Why a referrer of a visit does not count: a column of what `sent_traffic` returns.
SET_ASIDE = "set_aside"
#: Properties that say something of a visit.
_TELLING = (
    *TAGS,
    *(spelled for name in CLICK_IDS for spelled in (name, f"${name}")),
    *PAGES,
    *REFERRERS,
)


@dataclass(frozen=True, eq=False)
class SentTraffic(Mapping[str, NumberedText]):
    """What events sent about their visits. Many send the same, and each kind is read once.

    Asked by name, it has a row per event.

    Attributes
    ----------
    kind : numpy.ndarray of int
        Of each event, what it sent, by number, in the order of first appearance.
    of_kind : dict of str to NumberedText
        A row per kind.

    Examples
    --------
    >>> sent = sent_traffic(pd.DataFrame({"properties.utm_source": ["a", "b", "a"]}))
    >>> sent.kind.tolist(), sent.of_kind["utm_source"].codes.tolist()
    ([0, 1, 0], [0, 1])
    >>> sent["utm_source"].codes.tolist()
    [0, 1, 0]
    """

    kind: IntArray
    of_kind: dict[str, NumberedText]

    def __getitem__(self, name: str) -> NumberedText:
        found = self.of_kind[name]
        return NumberedText(found.codes[self.kind], found.distinct)

    def __iter__(self) -> Iterator[str]:
        return iter(self.of_kind)

    def __len__(self) -> int:
        return len(self.of_kind)

    def at(self, name: str, events: IntArray) -> NumberedText:
        """Return what some events sent of one name, missing at -1."""
        return self.of_kind[name].at(at_or_missing(self.kind, events))

    def sends(self, *names: str) -> BoolArray:
        """Return which kinds send any of the names."""
        return np.any([self.of_kind[name].codes >= 0 for name in names], axis=0)


def sent_traffic(
    events: pd.DataFrame,
    own_domains: Sequence[str] | None = None,
    ignore_referrers: Sequence[str] = IGNORED_REFERRERS,
    click_values: Sequence[str] = (),
) -> SentTraffic:
    """Return what each event sent about its visit.

    Parameters
    ----------
    events : pandas.DataFrame
        A canonical event frame.
    own_domains : sequence of str, optional
        The shop's own domains, with their subdomains. By default they are learned by weight, as
        `own_pages` says.
    ignore_referrers : sequence of str
        Domains, with their subdomains, from which nobody arrives anew.
    click_values : sequence of str
        Names of click IDs of which the values are returned, too: each click has another.

    Returns
    -------
    SentTraffic
        By name: `utm_source` ... `utm_term`; `click_id`, the name of the parameter;
        `landing_page`, the page's address without what follows ``?`` or ``#``; `referrer`, the
        host that linked here, unless it is one of the pages' own or ignored; and `set_aside`, why
        a referrer does not count. A tag is looked for in `profile_properties`, in `properties`,
        and in the address of the page; a text that stands for nothing is none. `SAID_DIRECT` says
        where the source was ``(direct)`` and the medium nothing, which channels ask first.

    Raises
    ------
    ConvergekitError
        What is given is not a list of domains.

    Examples
    --------
    >>> sent = sent_traffic(pd.DataFrame({
    ...     "properties.$url": ["https://www.shop.example/tea?utm_source=news&gclid=x", None],
    ...     "properties.$referrer": ["https://mail.example/inbox", "https://shop.example/"],
    ... }))
    >>> [sent[name].take(np.arange(2)).tolist() for name in ("utm_source", "click_id")]
    [['news', nan], ['gclid', nan]]
    >>> [sent[name].take(np.arange(2)).tolist() for name in ("landing_page", "referrer")]
    [['https://www.shop.example/tea', nan], ['mail.example', nan]]
    """
    kind, kinds = kinds_sent(events)
    weight = np.bincount(kind, minlength=len(kinds))
    learned = learned_of_all(events)
    sites = None if learned is None else learned.sites(own_domains)
    read = _read(kinds, weight, own_domains, ignore_referrers, click_values, sites)
    return SentTraffic(kind, read)


def page_hosts(kind: IntArray, kinds: pd.DataFrame) -> pd.DataFrame:
    """Return of how many events the pages and referrers are of which hosts.

    `own_sites` learns of it what it learns of the events, and tables of parts of the events may be
    put below each other for that.

    Parameters
    ----------
    kind : numpy.ndarray of int
    kinds : pandas.DataFrame
        As `kinds_sent` returns them.

    Returns
    -------
    pandas.DataFrame
        `event_name`, the addresses without what follows the host, and `events`.
    """
    hosts = {
        PROPERTY + TRACKERS_PAGES[0]: first_sent(kinds, *TRACKERS_PAGES),
        PROPERTY + ANY_ADDRESS: first_sent(kinds, ANY_ADDRESS),
        PROPERTY + REFERRERS[0]: first_sent(kinds, *REFERRERS),
    }
    every = np.arange(len(kinds))
    names = kinds["event_name"] if "event_name" in kinds else pd.Series(index=every, dtype="str")
    table = pd.DataFrame({"event_name": as_text(names)[0].array}, index=every)
    for column, addresses in hosts.items():
        text = hosts_of(addresses).take(every)
        # An address without a host is a page all the same.
        alone = pd.Series("/", index=text.index, dtype="str").where(addresses.codes >= 0)
        table[column] = ("https://" + text + "/").where(text.notna(), alone)
    table["events"] = np.bincount(kind, minlength=len(kinds))
    columns = list(table.columns[:-1])
    return table.groupby(columns, dropna=False, sort=False)["events"].sum().reset_index()


def tells_hosts(column: str) -> bool:
    """Return whether `page_hosts` looks at a column, besides the names of events.

    Examples
    --------
    >>> tells_hosts("properties.$url"), tells_hosts("properties.price")
    (True, False)
    """
    name = column.removeprefix(PROFILE_PROPERTY).removeprefix(PROPERTY)
    return name != column and name in (*PAGES, *REFERRERS)


def sites_of_hosts(hosts: pd.DataFrame, own_domains: Sequence[str] | None) -> OwnSites:
    """Return what is learned of the events of which `page_hosts` returned this."""
    weight = hosts["events"].to_numpy(dtype=np.int64)
    referrers = hosts_of(first_sent(hosts, *REFERRERS))
    return own_sites(hosts, own_domains, referrers, weight)


#: Under which name `kinds_sent` is kept beside a file of events.
KINDS_SENT = "kinds sent"


def kinds_sent(events: pd.DataFrame) -> tuple[IntArray, pd.DataFrame]:
    """Return the number of what each event sent, and a row for each, of text."""
    names = [
        column
        for name in _TELLING
        for column in (PROFILE_PROPERTY + name, PROPERTY + name)
        if column in events
    ]
    if any(column in events for column in (PROFILE_PROPERTY + ANY_ADDRESS, PROPERTY + ANY_ADDRESS)):
        # Whether a plain address is a page, the event's name says.
        names += [name for name in ("event_name",) if name in events]
    before = found_before([events[name] for name in names], KINDS_SENT)
    if before is not None and list(before[1].columns) == names:
        kind, kinds = before
        return kind, kinds

    def numbered(name: str) -> NumberedText:
        return NumberedText.of(as_text(events[name])[0])

    columns = each_column(numbered, names, rows=len(events))
    kind, keys = pd.factorize(together(columns, len(events)))
    one = np.empty(len(keys), dtype=np.int64)
    one[kind[::-1]] = np.arange(len(kind))[::-1]
    kinds = {name: column.take(one) for name, column in zip(names, columns, strict=True)}
    return kind, pd.DataFrame(kinds, index=range(len(keys)))


def _read(
    events: pd.DataFrame,
    weight: IntArray,
    own_domains: Sequence[str] | None,
    ignore_referrers: Sequence[str],
    click_values: Sequence[str],
    sites: OwnSites | None,
) -> dict[str, NumberedText]:
    """Return what events sent, of which each row stands for several."""
    own, from_hosts = pages_and_referrers(events, own_domains, weight, sites)
    parameters = parameters_of(own.shown)
    found = {
        tag: first_sent(events, tag).or_else(
            parameters[tag].mapped(without_nothing(parameters[tag].distinct))
        )
        for tag in TAGS
    }
    found["click_id"] = _click_columns(events).or_else(_click_parameter(parameters))
    pages = own.shown.distinct.str.replace(r"(?s)[?#].*", "", regex=True)
    found["landing_page"] = own.shown.mapped(pages)
    found["referrer"], found[SET_ASIDE] = _arrivals(own, from_hosts, ignore_referrers)
    found[SAID_DIRECT] = _said_direct(events, parameters["utm_source"], found)
    whole = parameters_of(own.shown, whole=True) if click_values else {}
    for name in click_values:
        sent = without_nothing(whole[name].distinct)
        found[name] = first_sent(events, name, f"${name}").or_else(whole[name].mapped(sent))
    return found


def pages_and_referrers(
    events: pd.DataFrame,
    own_domains: Sequence[str] | None = None,
    weight: IntArray | None = None,
    sites: OwnSites | None = None,
) -> tuple[OwnPages, NumberedText]:
    """Return the pages that events show, with the shop's own sites, and the referrers' hosts.

    Where each row stands for several events, `weight` says for how many; where the events are some
    of more, `sites` what was learned of all.

    Examples
    --------
    >>> own, hosts = pages_and_referrers(pd.DataFrame({
    ...     "properties.$url": ["https://www.shop.example/"], "properties.$referrer": ["bing.com"],
    ... }))
    >>> own.own, hosts.distinct.tolist()
    (('shop.example',), ['bing.com'])
    """
    referrers = first_sent(events, *REFERRERS)
    hosts = hosts_of(referrers)
    return own_pages(events, own_domains, hosts, weight, sites), hosts


def unfilled_tags(events: pd.DataFrame, sites: OwnSites | None = None) -> dict[str, BoolArray]:
    """Return where a page's address has a tag or a click ID that stands for nothing, by column.

    Where the events are some of more, `sites` is what was learned of all.

    Examples
    --------
    >>> unfilled_tags(pd.DataFrame({
    ...     "properties.url": ["https://shop.example/?utm_source=undefined", "https://shop.example/"],
    ... }))["properties.url"].tolist()
    [True, False]
    """
    found = {}
    shown = own_pages(events, sites=sites).shown.codes
    for column in (prefix + name for name in PAGES for prefix in (PROFILE_PROPERTY, PROPERTY)):
        if column in events:
            pages = NumberedText.of(as_text(events[column])[0])
            marks = np.zeros(len(events), dtype=bool)
            for values in parameters_of(pages).values():
                marks |= _are_nothing(values)
            found[column] = marks & (shown >= 0)
    return found


def sent_values(
    events: pd.DataFrame, traffic: SentTraffic, names: Sequence[str]
) -> tuple[IntArray, IntArray]:
    """Return numbers for what events sent of the names: each event's row, and the rows.

    Returns
    -------
    row : numpy.ndarray of int
        Per event.
    sent : numpy.ndarray of int
        A column for each name, -1 where nothing was sent.

    Raises
    ------
    ColumnError
        No event has such a property, and it is not a campaign parameter.

    Examples
    --------
    >>> events = pd.DataFrame({"profile_properties.utm_source": ["a", None, "a", "b"]})
    >>> row, sent = sent_values(events, sent_traffic(events), ["utm_source"])
    >>> row.tolist(), sent.tolist()
    ([0, 1, 0, 2], [[0], [-1], [1]])
    """
    if all(name in traffic for name in names):
        row, found = traffic.kind, [traffic.of_kind[name].codes for name in names]
    else:
        row = np.arange(len(events))
        for name in names:
            if name not in traffic:
                _check_known(events, name)
        found = [
            (traffic[name] if name in traffic else first_sent(events, name)).codes for name in names
        ]
    sent = np.empty((int(row.max(initial=-1)) + 1, len(names)), dtype=np.int64)
    for place, codes in enumerate(found):
        sent[:, place] = codes
    return row, sent


def sent_text(events: pd.DataFrame, name: str) -> NumberedText:
    """Return what each event itself sent of a property, as text.

    Examples
    --------
    >>> sent_text(pd.DataFrame({"properties.gclid": ["x", "(none)"]}), "gclid").codes.tolist()
    [0, -1]
    """
    return first_sent(events, name)


def _arrivals(
    own: OwnPages, from_hosts: NumberedText, ignore_referrers: Sequence[str]
) -> tuple[NumberedText, NumberedText]:
    """Return the referrers from which somebody arrived, and why the others do not count."""
    ignored = frozenset(domains_given("ignore_referrers", ignore_referrers))
    names = from_hosts.distinct
    is_own = _which(own.is_own(host) for host in names)[from_hosts.codes]
    is_own |= _of_the_page_itself(own.hosts, from_hosts)
    is_ignored = _which(is_within(host, ignored) for host in names)[from_hosts.codes]
    arrived = NumberedText(np.where(is_own | is_ignored, -1, from_hosts.codes), names)
    why = pd.concat(
        [names + " is one of the own pages", names + " is among ignore_referrers"],
        ignore_index=True,
    )
    codes = np.where(is_own, from_hosts.codes, from_hosts.codes + len(names))
    aside = NumberedText(np.where(is_own | is_ignored, codes, -1), why.astype("str"))
    return arrived, aside


def _which(marks: Iterable[bool]) -> BoolArray:
    """Return marks of distinct texts, and one more, for no text."""
    return np.array([*marks, False], dtype=bool)


def _of_the_page_itself(hosts: NumberedText, from_hosts: NumberedText) -> BoolArray:
    """Return which pages were reached from their own site, whoever's it is."""
    of_page, of_referrer = domains_of(hosts), domains_of(from_hosts)
    # The same numbers for both.
    place = pd.Index(of_page.distinct).get_indexer(of_referrer.distinct)
    linked_from = np.append(place, -1)[of_referrer.codes]
    return (linked_from >= 0) & (linked_from == of_page.codes)


def _said_direct(
    events: pd.DataFrame, in_address: NumberedText, found: dict[str, NumberedText]
) -> NumberedText:
    """Return where an event says itself that its visit is direct, and no tag says otherwise."""
    sent = [
        NumberedText.of(as_text(events[column])[0])
        for column in (PROFILE_PROPERTY + "utm_source", PROPERTY + "utm_source")
        if column in events
    ]
    sent.append(in_address)
    says = np.zeros(len(events), dtype=bool)
    for source in sent:
        said = pd.Series(trimmed(to_arrow(source.distinct)), dtype="str")
        direct = said.str.lower() == SAID_DIRECT
        says |= np.append(direct.to_numpy(dtype=bool), False)[source.codes]
    says &= (found["utm_source"].codes < 0) & (found["utm_medium"].codes < 0)
    return NumberedText(np.where(says, 0, -1), pd.Series([SAID_DIRECT], dtype="str"))


def _click_parameter(parameters: dict[str, NumberedText]) -> NumberedText:
    """Return the name of the first click ID in each address."""
    codes = np.full(len(parameters[CLICK_IDS[0]].codes), -1)
    for code, name in enumerate(CLICK_IDS):
        values = parameters[name]
        if len(values.distinct):
            codes[(codes < 0) & (values.codes >= 0) & ~_are_nothing(values)] = code
    return _click_names(codes)


def _are_nothing(values: NumberedText) -> BoolArray:
    """Return where a value stands for nothing."""
    return np.append(is_no_value(to_arrow(values.distinct)), False)[values.codes]


def _click_names(codes: IntArray) -> NumberedText:
    names = CLICK_IDS if (codes >= 0).any() else ()
    return NumberedText(codes, pd.Series(names, dtype="str"))


def _click_columns(events: pd.DataFrame) -> NumberedText:
    codes = np.full(len(events), -1)
    for code, name in enumerate(CLICK_IDS):
        sent = first_sent(events, name, f"${name}")
        if len(sent.distinct):
            codes[(sent.codes >= 0) & (codes < 0)] = code
    return _click_names(codes)


def _check_known(events: pd.DataFrame, name: str) -> None:
    if PROFILE_PROPERTY + name in events or PROPERTY + name in events:
        return
    known = sorted(
        {
            str(column).removeprefix(prefix)
            for prefix in (PROFILE_PROPERTY, PROPERTY)
            for column in events.columns
            if str(column).startswith(prefix)
        }
    )
    raise ColumnError(
        f"new_on names {name!r}, which no event sends. "
        f"{what_there_is(known, name, none='no properties')}"
    )

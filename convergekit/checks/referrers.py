"""Which sites are the shop's own, and which referrers are only on the way through it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from convergekit.base.grouping import NumberedText
from convergekit.base.wording import counted
from convergekit.checks.fault import Check, Fault, FoundInPart, Together
from convergekit.checks.tracking import Tracking
from convergekit.checks.whole import Whole
from convergekit.checks.wording import quoted, shown
from convergekit.typing import BoolArray, IntArray
from convergekit.visits.detours import IGNORED_REFERRERS, is_within
from convergekit.visits.sites import kind_of_host

#: A profile that was here so shortly before, in microseconds, comes back from a referrer.
_SHORTLY = 3_600_000_000
#: A finding from so many returns on, and from this share of a referrer's arrivals.
FEWEST_RETURNS = 5
RETURNING_SHARE = 0.8


def _own_pages(tracking: Tracking) -> Iterator[FoundInPart]:
    """Find pages of sites of which it is unclear whether they are the shop's own."""
    whole, own = tracking.whole, tracking.pages
    if own.learned_from != "pages":
        at = np.flatnonzero((own.shown.codes >= 0) & tracking.is_kept)
        if own.own or whole.has_referrers:
            yield FoundInPart(at, None, lambda some: own.shown.take(some).tolist())
    elif own.further or kind_of_host(own.own[0]) is not None:
        domains = own.domains
        wanted = domains.distinct.isin(own.further or own.own).to_numpy(dtype=bool)
        at = np.flatnonzero(np.append(wanted, False)[domains.codes] & tracking.is_kept)
        yield FoundInPart(at, None, lambda some: _hosts_at(domains, some), about=own.further)


def _said_of_pages(found: Together) -> Fault:
    own = found.whole.sites
    if own.learned_from != "pages":
        learned = f": {quoted(own.own)} is taken from the referrers" if own.own else ""
        return Fault(
            "low",
            f"{counted(found.count, 'event shows a page', 'events show pages')} without a host"
            f"{learned}.",
            "A link from one page of the shop to the next looks like a link from another site.",
            "Send whole addresses, or name the shop's domains: "
            "visits=ck.VisitRules(own_domains=['shop.example']).",
            found.money,
        )
    sites = [*own.own, *found.about[0]]
    return Fault(
        "low",
        f"Pages are of {quoted(sites)}; own is {quoted(own.own)}.",
        "A link from a site that is the shop's own is not an arrival, and from another it is one.",
        f"Name the shop's domains: visits=ck.VisitRules(own_domains={sites!r}).",
        found.money,
    )


def _arrivals(tracking: Tracking) -> pd.DataFrame:
    """Return how many events come from each host, and how many of them shortly after another."""
    hosts, size = tracking.referrer_hosts, len(tracking.referrer_hosts.distinct)
    arrived = tracking.is_tracked & (hosts.codes >= 0)
    back = arrived & _shortly_after(tracking)
    counts = {
        name: np.bincount(hosts.codes[marked], minlength=size)
        for name, marked in (("arrivals", arrived), ("returns", back))
    }
    return pd.DataFrame(counts, index=pd.Index(hosts.distinct, name="host"))


def _detour_hosts(parts: list[pd.DataFrame], whole: Whole) -> list[str]:
    """Return the referrers from which profiles return that were on the site shortly before."""
    counts = pd.concat(parts).groupby(level=0).sum()
    returning = counts["returns"] >= RETURNING_SHARE * counts["arrivals"]
    found = counts.index[returning & (counts["returns"] >= FEWEST_RETURNS)]
    ignored, own = frozenset(IGNORED_REFERRERS), frozenset(whole.sites.own)
    return sorted(
        host
        for host in found
        if not is_within(host, own) and not is_within(host, ignored) and kind_of_host(host) is None
    )


def _detours(tracking: Tracking) -> Iterator[FoundInPart]:
    """Find events that come from such referrers, shortly after another."""
    names = tracking.whole.of_checks["detour-referrer"]
    if not names:
        return
    hosts = tracking.referrer_hosts
    wanted = np.append(hosts.distinct.isin(names).to_numpy(dtype=bool), False)[hosts.codes]
    at = np.flatnonzero(wanted & tracking.is_tracked & _shortly_after(tracking))
    yield FoundInPart(at, tracking.worth_of_profiles(at), lambda some: _hosts_at(hosts, some))


def _said_of_detours(found: Together) -> Fault:
    names = found.whole.of_checks["detour-referrer"]
    return Fault(
        "medium",
        f"{counted(found.count, 'event comes', 'events come')} from {quoted(names)} within an "
        "hour of being here.",
        "Who comes back from a payment or a sign-in has not arrived anew: the visit is "
        "credited to that page instead of to what brought it.",
        "If these are such pages: visits=ck.VisitRules(ignore_referrers="
        f"[*ck.IGNORED_REFERRERS, {', '.join(map(repr, names))}]).",
        found.money,
    )


def _unread(tracking: Tracking) -> Iterator[FoundInPart]:
    """Find referrers that are neither an address nor a host."""
    sent, hosts = tracking.referrers, tracking.referrer_hosts
    # A path is one of the own pages, and Mixpanel and PostHog write $direct for none.
    known = sent.distinct.str.startswith(("/", "$direct", "about:"))
    wrong = (sent.codes >= 0) & (hosts.codes < 0) & tracking.is_kept
    at = np.flatnonzero(wrong & ~np.append(known.to_numpy(dtype=bool), False)[sent.codes])
    worth = tracking.worth_of_profiles(at)
    yield FoundInPart(at, worth, lambda some: [shown(text) for text in sent.take(some)])


def _said_of_unread(found: Together) -> Fault:
    return Fault(
        "low",
        f"{counted(found.count, 'event has', 'events have')} a referrer that is not an address.",
        "Nothing says from which site the visit came: without a tag or a click ID it is Direct.",
        "Send the address of the page before, or its host, such as 'news.example'.",
        found.money,
    )


OWN_PAGES = Check(_own_pages, _said_of_pages)
DETOURS = Check(_detours, _said_of_detours, learn=_arrivals, settle=_detour_hosts)
UNREAD = Check(_unread, _said_of_unread)


def _hosts_at(hosts: NumberedText, some: IntArray) -> list[str]:
    return [str(host) for host in hosts.take(some)]


def _shortly_after(tracking: Tracking) -> BoolArray:
    """Return which events come shortly after another of their profile."""
    counted_in = np.flatnonzero(tracking.is_tracked & (tracking.profile >= 0))
    times, profile = tracking.microseconds[counted_in], tracking.profile[counted_in]
    order = np.lexsort((times, profile))
    near = (np.diff(profile[order]) == 0) & (np.diff(times[order]) < _SHORTLY)
    found = np.zeros(len(tracking.profile), dtype=bool)
    found[counted_in[order[1:][near]]] = True
    return found

"""Which sites are the shop's own, and which referrers are only on the way through it."""

from __future__ import annotations

import numpy as np

from convergekit.base.grouping import NumberedText
from convergekit.base.wording import counted
from convergekit.checks.fault import Fault
from convergekit.checks.tracking import Tracking
from convergekit.checks.wording import quoted, shown
from convergekit.typing import BoolArray, IntArray
from convergekit.visits.addresses import hosts_of
from convergekit.visits.detours import IGNORED_REFERRERS, is_within
from convergekit.visits.own_pages import OwnPages
from convergekit.visits.sites import kind_of_host
from convergekit.visits.traffic import REFERRERS, pages_and_referrers
from convergekit.visits.values import first_sent

#: A profile that was here so shortly before, in microseconds, comes back from a referrer.
_SHORTLY = 3_600_000_000
#: A finding from so many returns on, and from this share of a referrer's arrivals.
FEWEST_RETURNS = 5
RETURNING_SHARE = 0.8


def own_pages(tracking: Tracking) -> list[Fault]:
    """Find sites of which it is unclear whether they are the shop's own."""
    own, hosts = pages_and_referrers(tracking.events)
    if not len(own.shown.distinct) or (not own.own and not len(hosts.distinct)):
        return []
    if own.learned_from == "pages" and not own.further and kind_of_host(own.own[0]) is None:
        return []
    if own.learned_from != "pages":
        return [_without_hosts(tracking, own)]
    return [_several(tracking, own)]


def detours(tracking: Tracking) -> list[Fault]:
    """Find referrers from which profiles return that were on the site shortly before."""
    own, hosts = pages_and_referrers(tracking.events)
    ignored = frozenset(IGNORED_REFERRERS)
    outside = [
        not own.is_own(host) and not is_within(host, ignored) and kind_of_host(host) is None
        for host in hosts.distinct
    ]
    asked = np.append(np.array(outside, dtype=bool), False)[hosts.codes] & tracking.is_tracked
    back = asked & _shortly_after(tracking)
    size = len(hosts.distinct)
    arrivals, returns = (np.bincount(hosts.codes[m], minlength=size) for m in (asked, back))
    found = (returns >= FEWEST_RETURNS) & (returns >= RETURNING_SHARE * arrivals)
    names = sorted(hosts.distinct[found])
    if not names:
        return []
    at = np.flatnonzero(back & np.append(found, False)[hosts.codes])
    return [
        Fault(
            "medium",
            f"{counted(len(at), 'event comes', 'events come')} from {quoted(names)} within an hour "
            "of being here.",
            "Who comes back from a payment or a sign-in has not arrived anew: the visit is "
            "credited to that page instead of to what brought it.",
            "If these are such pages: visits=ck.VisitRules(ignore_referrers="
            f"[*ck.IGNORED_REFERRERS, {', '.join(map(repr, names))}]).",
            at,
            tracking.worth_of_profiles(at),
            lambda some: _hosts_at(hosts, some),
        )
    ]


def unread(tracking: Tracking) -> list[Fault]:
    """Find referrers that are neither an address nor a host."""
    sent = first_sent(tracking.events, *REFERRERS)
    hosts = hosts_of(sent)
    # A path is one of the own pages, and Mixpanel and PostHog write $direct for none.
    known = sent.distinct.str.startswith(("/", "$direct", "about:"))
    wrong = (sent.codes >= 0) & (hosts.codes < 0) & tracking.is_kept
    at = np.flatnonzero(wrong & ~np.append(known.to_numpy(dtype=bool), False)[sent.codes])
    if not len(at):
        return []
    return [
        Fault(
            "low",
            f"{counted(len(at), 'event has', 'events have')} a referrer that is not an address.",
            "Nothing says from which site the visit came: without a tag or a click ID it is "
            "Direct.",
            "Send the address of the page before, or its host, such as 'news.example'.",
            at,
            tracking.worth_of_profiles(at),
            lambda some: [shown(text) for text in sent.take(some)],
        )
    ]


def _without_hosts(tracking: Tracking, own: OwnPages) -> Fault:
    learned = f": {quoted(own.own)} is taken from the referrers" if own.own else ""
    at = np.flatnonzero((own.shown.codes >= 0) & tracking.is_kept)
    return Fault(
        "low",
        f"{counted(len(at), 'event shows a page', 'events show pages')} without a host{learned}.",
        "A link from one page of the shop to the next looks like a link from another site.",
        "Send whole addresses, or name the shop's domains: "
        "visits=ck.VisitRules(own_domains=['shop.example']).",
        at,
        None,
        lambda some: own.shown.take(some).tolist(),
    )


def _several(tracking: Tracking, own: OwnPages) -> Fault:
    sites = [*own.own, *own.further]
    domains = own.domains
    wanted = domains.distinct.isin(own.further or own.own).to_numpy(dtype=bool)
    at = np.flatnonzero(np.append(wanted, False)[domains.codes] & tracking.is_kept)
    return Fault(
        "low",
        f"Pages are of {quoted(sites)}; own is {quoted(own.own)}.",
        "A link from a site that is the shop's own is not an arrival, and from another it is one.",
        f"Name the shop's domains: visits=ck.VisitRules(own_domains={sites!r}).",
        at,
        None,
        lambda some: _hosts_at(domains, some),
    )


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

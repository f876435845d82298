"""Which platforms an order is eligible for: a click of theirs before it, within their window.

A click is a visit that a click ID or a paid source says to be from a platform's ad, or an event
that carries such a click ID. Every click of the order's profile counts that is known today: a
platform knows its own clicks, whatever a live pipeline had linked by then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from convergekit.base.grouping import NumberedText
from convergekit.events.schema import PROFILE_PROPERTY, PROPERTY
from convergekit.events.steps import tracked
from convergekit.events.timestamps import microseconds
from convergekit.identity.tables import StitchedEvents
from convergekit.reconcile.platforms import AdPlatform
from convergekit.spend.ad_platforms import folded_source
from convergekit.typing import BoolArray, IntArray
from convergekit.visits.browsers import browsers_of, named_alike
from convergekit.visits.channels import are_paid
from convergekit.visits.rules import VisitRules
from convergekit.visits.sessions import find_sessions, sent_by
from convergekit.visits.traffic import sent_text


@dataclass(frozen=True)
class Clicks:
    """The clicks on one platform's ads, by visitor, then time.

    Attributes
    ----------
    visitor, time : numpy.ndarray of int
    evidence : NumberedText
        What says so: ``gclid``, or ``utm_source=google``.
    """

    visitor: IntArray
    time: IntArray
    evidence: NumberedText

    def last(self, visitor: IntArray, until: IntArray) -> IntArray:
        """Return the last click of each visitor until a moment, itself included; -1 for none."""
        times = np.sort(self.time)
        span = len(times) + 1
        # Visitor and time in one number, in the order of both.
        key = self.visitor * span + np.searchsorted(times, self.time)
        asked = visitor * span + np.searchsorted(times, until, side="right")
        found = np.searchsorted(key, asked) - 1
        same = (found >= 0) & (np.append(self.visitor, -1)[found] == visitor)
        return np.where(same, found, -1)


@dataclass(frozen=True)
class Eligible:
    """For which platforms orders are eligible.

    Attributes
    ----------
    may : numpy.ndarray of bool
        A row per platform, a column per order: whether the platform may date a claim of the order
        in the period, whether or not there was a click.
    clicked : numpy.ndarray of bool
        Likewise: whether there was a click, too, within the platform's window.
    evidence : list of NumberedText
        By platform: what says so of each order, missing without a click.
    age : list of numpy.ndarray of int
        By platform: how long before the order the click was, in microseconds.
    """

    may: BoolArray
    clicked: BoolArray
    evidence: list[NumberedText]
    age: list[IntArray]

    @classmethod
    def below(cls, parts: Sequence[Eligible], order: IntArray) -> Eligible:
        """Return those of several parts, their orders in another order."""
        number = range(len(parts[0].evidence))
        return cls(
            np.concatenate([part.may for part in parts], axis=1)[:, order],
            np.concatenate([part.clicked for part in parts], axis=1)[:, order],
            [NumberedText.below([part.evidence[n] for part in parts]).at(order) for n in number],
            [np.concatenate([part.age[n] for part in parts])[order] for n in number],
        )


def eligible_orders(
    s: StitchedEvents,
    at: IntArray,
    platforms: Sequence[AdPlatform],
    begin: IntArray,
    end: IntArray,
    rules: VisitRules,
) -> Eligible:
    """Return for which platforms orders are eligible.

    Parameters
    ----------
    s : StitchedEvents
    at : numpy.ndarray of int
        Positions of the orders.
    platforms : sequence of AdPlatform
    begin, end : numpy.ndarray of int
        By platform, between which moments its claims are dated, the latter not included.
    rules : VisitRules
    """
    times = microseconds(s.events["timestamp"])
    visitor = s.resolution.profile.copy()
    # An event of no profile is of nobody else's.
    alone = np.flatnonzero(visitor < 0)
    visitor[alone] = len(s.resolution.profile_ids) + np.arange(len(alone))
    moment, whose = times[at], visitor[at]
    may, clicked, evidence, age = [], [], [], []
    visits = _Visits.of(s, visitor, times, rules)
    for one, first, last in zip(platforms, begin, end, strict=True):
        clicks = visits.clicks_on(one)
        window = one.click.value // 1000
        within = (moment >= first) & (moment < last)
        by_click = (moment >= first) & (moment < last + one.longest.value // 1000)
        may.append(within if one.dated == "order" else by_click)
        found = np.full(len(at), -1, dtype=np.int64)
        if one.dated != "order":
            # The claim is dated by its click: that is in the period, and the order may be later.
            before = clicks.last(whose, np.minimum(moment, last - 1))
            when = np.append(clicks.time, 0)[before]
            valid = (before >= 0) & (when >= np.maximum(first, moment - window))
            found = np.where(valid, before, found)
        if one.dated != "click":
            before = clicks.last(whose, moment)
            when = np.append(clicks.time, 0)[before]
            valid = (before >= 0) & (when >= moment - window) & within
            found = np.where(valid, before, found)
        clicked.append(found >= 0)
        evidence.append(clicks.evidence.at(found))
        age.append(np.where(found >= 0, moment - np.append(clicks.time, 0)[found], 0))
    return Eligible(np.array(may), np.array(clicked), evidence, age)


@dataclass(frozen=True)
class _Visits:
    """What events and visits say of clicks, and whose they are.

    Attributes
    ----------
    events : pandas.DataFrame
    visitor, time : numpy.ndarray of int
        Of each event.
    did : numpy.ndarray of bool
        Which events somebody did, at a known time.
    click_id : NumberedText
        The click ID of each event.
    arrival : numpy.ndarray of int
        By paid visit: the event that says where it is from.
    source : NumberedText
        By paid visit: its `utm_source`.
    """

    events: pd.DataFrame
    visitor: IntArray
    time: IntArray
    did: BoolArray
    click_id: NumberedText
    arrival: IntArray
    source: NumberedText

    @classmethod
    def of(cls, s: StitchedEvents, visitor: IntArray, time: IntArray, rules: VisitRules) -> _Visits:
        events, found = s.events, s.resolution
        traffic = sent_by(events, rules)
        sessions = find_sessions(
            events, traffic, found.profile, found.in_time, browsers_of(s), rules, s.calendar.zone
        )
        paid = np.append(are_paid(sessions.channel.distinct), False)[sessions.channel.codes]
        visits = np.flatnonzero((sessions.arrival >= 0) & paid)
        did = tracked(events) & ~named_alike(events["event_name"], rules.impressions)
        return cls(
            events=events,
            visitor=visitor,
            time=time,
            did=did & events["timestamp"].notna().to_numpy(dtype=bool),
            click_id=traffic["click_id"],
            arrival=sessions.arrival[visits],
            source=sessions.numbered("utm_source", visits),
        )

    def clicks_on(self, platform: AdPlatform) -> Clicks:
        """Return the clicks on one platform's ads."""
        said = [folded_source(text) in platform.sources for text in self.source.distinct]
        of_source = np.append(np.array(said, dtype=bool), False)[self.source.codes]
        names = [*platform.click_ids, *("utm_source=" + self.source.distinct)]
        position = [self.arrival[of_source]]
        named = [len(platform.click_ids) + self.source.codes[of_source]]
        for place, name in enumerate(platform.click_ids):
            positions = np.flatnonzero(self._carry(name) & self.did)
            position.append(positions)
            named.append(np.full(len(positions), place, dtype=np.int64))
        every, evidence = np.concatenate(position), np.concatenate(named)
        # Of what is said at one moment, a click ID goes first: it is the last in this order.
        order = np.lexsort((-evidence, self.time[every], self.visitor[every]))
        return Clicks(
            self.visitor[every][order],
            self.time[every][order],
            NumberedText(evidence[order], pd.Series(names, dtype="str")),
        )

    def _carry(self, name: str) -> BoolArray:
        """Return which events carry a click ID: one may carry several, of which one is its own."""
        is_it = (self.click_id.distinct == name).to_numpy(dtype=bool)
        carry: BoolArray = np.append(is_it, False)[self.click_id.codes]
        for spelled in (name, f"${name}"):
            if PROFILE_PROPERTY + spelled in self.events or PROPERTY + spelled in self.events:
                carry = carry | (sent_text(self.events, spelled).codes >= 0)
        return carry

"""Sessionization: group a profile's events into visits, each with its traffic source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from convergekit.base.durations import parse_duration
from convergekit.base.grouping import NumberedText, first_of_run, run_starts
from convergekit.events.amounts import events_named
from convergekit.events.campaigns import TAGS
from convergekit.events.nothing import SAID_DIRECT
from convergekit.events.steps import StepLike, tracked
from convergekit.events.timestamps import microseconds, order_of_arrival
from convergekit.typing import BoolArray, IntArray
from convergekit.visits.browsers import browsers_of, named_alike, speaking
from convergekit.visits.channels import ASKED, ChannelRule, channels_of
from convergekit.visits.pauses import Runs, Timed, in_sessions
from convergekit.visits.reasons import reasons_of, sources_of
from convergekit.visits.rules import VisitRules
from convergekit.visits.traffic import SET_ASIDE, sent_traffic, sent_values

if TYPE_CHECKING:
    from convergekit.identity.tables import StitchedEvents


#: What is told of each visit besides what its events sent.
TOLD = ("source", "medium", "campaign", "why")
#: The texts of a session, as `Stitched.sessions` has them.
COLUMNS = ("channel", *TOLD[:3], *TAGS, "click_id", "landing_page", "referrer", "why")


@dataclass(frozen=True)
class Marks:
    """Which events say where a visit is from, in the order of the sessions' events.

    Attributes
    ----------
    tagged, landed, tells : numpy.ndarray of bool
        Which have a tag or a click ID, a page's address, or anything that tells a visit.
    speaks : numpy.ndarray of bool
        Which are a browser's own: only these begin a visit and keep it alive.
    """

    tagged: BoolArray
    landed: BoolArray
    tells: BoolArray
    speaks: BoolArray

    def read(
        self,
        traffic: dict[str, NumberedText],
        order: IntArray,
        first: IntArray,
        last: IntArray,
        rules: Sequence[ChannelRule],
    ) -> tuple[IntArray, dict[str, IntArray], NumberedText]:
        """Return what runs of the order say: `arrival`, `says` and `channel` of `FoundSessions`.

        Parameters
        ----------
        traffic, order, rules
            As `FoundSessions` has them.
        first, last : numpy.ndarray of int
            The first and the last place of each run; a run that ends before it begins is empty.
        """
        speaking, visit = (
            _first_in(marked & self.tells, first, last) for marked in (self.tagged, self.tells)
        )
        landing = _first_in(self.landed & self.tells, first, last)
        position = np.append(order, -1)
        says = dict.fromkeys((*TAGS, "click_id", SAID_DIRECT), position[speaking])
        says["landing_page"] = position[landing]
        says["referrer"] = position[np.where(landing >= 0, landing, visit)]
        says[SET_ASIDE] = says["referrer"]
        arrival = position[np.where(speaking >= 0, speaking, visit)]
        asked = {name: traffic[name].at(says[name]) for name in (*ASKED, SAID_DIRECT)}
        channel = channels_of(asked, rules)
        known = NumberedText(np.where(arrival < 0, -1, channel.codes), channel.distinct)
        return arrival, says, known


@dataclass(frozen=True)
class FoundSessions:
    """Sessions as numbers, by visitor and time.

    Attributes
    ----------
    events : pandas.DataFrame
    traffic : dict of str to NumberedText
        What the events sent about their visits.
    visitor, first, last : numpy.ndarray of int
        Whose each session is, and positions of its first and last event.
    events_in : numpy.ndarray of int
        How many events it has.
    arrival : numpy.ndarray of int
        The position of the event that says where the visit is from, -1 for none.
    says : dict of str to numpy.ndarray of int
        Per column of `traffic`, the position of the event that says it, -1 for none.
    channel : NumberedText
        Missing where nothing says that it is a visit.
    of_event : numpy.ndarray of int
        The session of each event, -1 for none.
    order : numpy.ndarray of int
        Positions of the events in sessions, by visitor and time.
    marks : Marks
        Of these, which say what.
    rules : sequence of ChannelRule
    """

    events: pd.DataFrame
    traffic: dict[str, NumberedText]
    visitor: IntArray
    first: IntArray
    last: IntArray
    events_in: IntArray
    arrival: IntArray
    says: dict[str, IntArray]
    channel: NumberedText
    of_event: IntArray
    order: IntArray
    marks: Marks
    rules: Sequence[ChannelRule]

    def numbered(self, name: str, which: IntArray) -> NumberedText:
        """Return a column of some sessions, missing at -1: of `traffic`, `channel` or `TOLD`."""
        if name == "channel":
            return self.channel.at(which)
        if name in TOLD:
            return self._told[name].at(which)
        return self.traffic[name].at(np.append(self.says[name], -1)[which])

    def text(self, name: str, which: IntArray) -> pd.Series:
        """Return the same as a Series."""
        found = self.numbered(name, which)
        return found.take(np.arange(len(which)))

    def until(self, at: IntArray) -> FoundSessions:
        """Return the sessions of some events as they were when these events came.

        Parameters
        ----------
        at : numpy.ndarray of int
            Positions of events, -1 for none: a row each, whose session ends there.

        Returns
        -------
        FoundSessions
            What later events of the session say is not known. A row without a session knows
            nothing.
        """
        first, last = self._run_until(at)
        session = np.append(self.of_event, -1)[at]
        arrival, says, channel = self.marks.read(self.traffic, self.order, first, last, self.rules)
        return replace(
            self,
            visitor=np.append(self.visitor, -1)[session],
            first=np.append(self.first, -1)[session],
            last=np.where(session >= 0, at, -1),
            events_in=last - first + 1,
            arrival=arrival,
            says=says,
            channel=channel,
        )

    def first_sent(self, sent: NumberedText, at: IntArray) -> NumberedText:
        """Return the first value that the session of each event had sent when that event came.

        Parameters
        ----------
        sent : NumberedText
            A row per event of the frame.
        at : numpy.ndarray of int
            Positions of events, -1 for none.
        """
        found = _first_in(sent.codes[self.order] >= 0, *self._run_until(at))
        return sent.at(np.append(self.order, -1)[found])

    def _run_until(self, at: IntArray) -> tuple[IntArray, IntArray]:
        """Return the first place in `order` of each event's session, and the event's own."""
        session = np.append(self.of_event, -1)[at]
        first = self._place[np.append(self.first, -1)[session]]
        return np.where(session >= 0, first, 0), np.where(session >= 0, self._place[at], -1)

    @cached_property
    def _place(self) -> IntArray:
        """The place of each event in `order`, -1 for none, and for the event -1."""
        place = np.full(len(self.events) + 1, -1, dtype=np.int64)
        place[self.order] = np.arange(len(self.order))
        return place

    def arrived(self, which: IntArray) -> pd.Series:
        """Return when the event came that says where a visit is from, missing at -1."""
        arrival = np.append(self.arrival, -1)[which]
        return pd.Series(self.events["timestamp"].array.take(arrival, allow_fill=True))

    def start(self, which: IntArray) -> pd.Series:
        """Return when some sessions began."""
        return pd.Series(self.events["timestamp"].array.take(self.first[which]))

    def ids(self, profile_ids: pd.Series, which: IntArray) -> pd.Series:
        """Return the IDs of some sessions, missing at -1: their profile's, and their start."""
        real = np.maximum(which, 0)
        if not len(self.visitor):
            return pd.Series(np.nan, index=range(len(which)), dtype="str")
        ids = profile_ids.take(self.visitor[real]).reset_index(drop=True).astype("str")
        started = pd.to_datetime(self.start(real), utc=True).dt.tz_localize(None).to_numpy()
        texts = pd.Series(np.datetime_as_string(started, unit="us"), dtype="str")
        twin = pd.Series(self._twin[real])
        suffix = ("." + (twin + 1).astype("str")).where(twin > 0, "")
        return (ids + "@" + texts + "Z" + suffix).mask(which < 0)

    @cached_property
    def _told(self) -> dict[str, NumberedText]:
        """What Google Analytics calls each visit, and why it is of its channel."""
        names = (*ASKED, SAID_DIRECT, SET_ASIDE)
        said = {name: self.traffic[name].at(self.says[name]) for name in names}
        told = sources_of(said) | {"why": reasons_of(said, self.rules)}
        return {
            name: NumberedText(np.where(self.arrival < 0, -1, text.codes), text.distinct)
            for name, text in told.items()
        }

    @property
    def number(self) -> IntArray:
        """The place of each session among its visitor's, from 1."""
        return _place(self.visitor) + 1

    @cached_property
    def _twin(self) -> IntArray:
        """How many of the visitor's sessions before each begin at the same moment.

        Two do if two campaigns are sent at it.
        """
        return _place(self.visitor, microseconds(self.events["timestamp"])[self.first])


def sessions_of(s: StitchedEvents, rules: VisitRules | None = None) -> FoundSessions:
    """Return the sessions of stitched events, by the usual rules if none are given."""
    return sessions_of_visitors(s, s.resolution.profile, rules)


def sessions_of_visitors(
    s: StitchedEvents,
    visitor: IntArray,
    rules: VisitRules | None = None,
    zone: str | None = None,
) -> FoundSessions:
    """Return the sessions of stitched events where the visitor of each is another number."""
    return find_sessions(
        s.events,
        sent_by(s.events, rules),
        visitor,
        s.resolution.in_time,
        browsers_of(s),
        rules or VisitRules(),
        zone or s.calendar.zone,
    )


def sessions_of_frame(
    events: pd.DataFrame,
    visitor: IntArray,
    rules: VisitRules | None = None,
    zone: str = "UTC",
) -> FoundSessions:
    """Return the sessions of a frame whose profiles are numbered, by the usual rules if none given.

    A frame does not say which browser an event is of: each profile is taken to have one.
    """
    arrival = order_of_arrival(events, np.arange(len(events)))
    timed = events["timestamp"].notna().to_numpy(dtype=bool)
    return find_sessions(
        events,
        sent_by(events, rules),
        np.where(timed, visitor, -1),
        np.lexsort((arrival, microseconds(events["timestamp"]))),
        np.zeros(len(events), dtype=np.int64),
        rules or VisitRules(),
        zone,
    )


def sent_by(events: pd.DataFrame, rules: VisitRules | None) -> dict[str, NumberedText]:
    """Return what events sent of their visits, by the usual rules if none are given."""
    asked = rules or VisitRules()
    return sent_traffic(events, asked.own_domains, asked.ignore_referrers)


def sessions(
    s: StitchedEvents, rules: VisitRules, conversion: StepLike | None = None
) -> pd.DataFrame:
    """Return a row per session. See `Stitched.sessions`."""
    events, ids = s.events, s.resolution.profile_ids
    found = sessions_of(s, rules)
    every = np.arange(len(found.visitor))
    table = pd.DataFrame(
        {
            "session_id": found.ids(ids, every),
            "profile_id": ids.take(found.visitor).array,
            "number": found.number,
            "start": found.start(every),
            "end": events["timestamp"].array.take(found.last),
            "arrived": found.arrived(every),
            "events": found.events_in,
            **{name: found.text(name, every) for name in COLUMNS},
        }
    )
    if conversion is not None:
        converting = found.of_event[events_named(events, conversion)]
        table["conversions"] = np.bincount(converting[converting >= 0], minlength=len(table))
    at = np.where(found.arrival < 0, found.first, found.arrival)
    table["row"] = events["row"].array.take(at)
    return table.sort_values(["start", "session_id"], ignore_index=True)


def find_sessions(
    events: pd.DataFrame,
    traffic: dict[str, NumberedText],
    visitor: IntArray,
    in_time: IntArray,
    browser: IntArray,
    rules: VisitRules,
    zone: str = "UTC",
) -> FoundSessions:
    """Return the sessions by visitor and time.

    Parameters
    ----------
    events : pandas.DataFrame
    traffic : dict of str to NumberedText
        What they sent about their visits.
    visitor : numpy.ndarray of int
        The visitor of each event, -1 if unassigned.
    in_time : numpy.ndarray of int
        Positions of the events in order of time, then arrival.
    browser : numpy.ndarray of int
        The browser of each event, -1 if none is known.
    rules : VisitRules
    zone : str
        Whose midnight it is, if that begins another session.
    """
    timeout = parse_duration(rules.timeout, name="timeout").value // 1000
    kept = in_time[(visitor[in_time] >= 0) & tracked(events)[in_time]]
    speaks, tells = speaking(events, traffic, browser)
    shown = named_alike(events["event_name"], rules.impressions)
    speaks, tells = speaks & ~shown, tells & ~shown
    timed = Timed(visitor[kept], browser[kept], microseconds(events["timestamp"])[kept])
    own = Runs.of(timed, np.flatnonzero(speaks[kept]), tells[kept], timeout)
    for sent in sent_values(events, traffic, rules.new_on):
        own.begins[own.another(sent[kept])] = True
    if rules.midnight:
        own.begins[own.another_day(timed, zone)] = True
    session, first = in_sessions(timed, own, timeout)

    # By visitor and time: sessions in the order in which they begin.
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.lexsort((first, timed.visitor[first]))] = np.arange(len(first))
    session = rank[session]
    by_session = np.argsort(session, kind="stable")
    order, session = kept[by_session], session[by_session]
    begin = np.flatnonzero(np.diff(session, prepend=-1))
    last = np.append(begin, len(order))[1:] - 1

    tagged = np.any([traffic[name].codes >= 0 for name in (*TAGS, "click_id")], axis=0)[order]
    landed = traffic["landing_page"].codes[order] >= 0
    speaks = np.zeros(len(kept), dtype=bool)
    speaks[own.place] = True
    marks = Marks(tagged, landed, tells[order], speaks[by_session])
    arrival, says, channel = marks.read(traffic, order, begin, last, rules.rules)
    of_event = np.full(len(events), -1, dtype=np.int64)
    of_event[order] = session
    return FoundSessions(
        events=events,
        traffic=traffic,
        visitor=visitor[order[begin]],
        first=order[begin],
        last=order[last],
        events_in=last - begin + 1,
        arrival=arrival,
        says=says,
        channel=channel,
        of_event=of_event,
        order=order,
        marks=marks,
        rules=rules.rules,
    )


def _first_in(marked: BoolArray, first: IntArray, last: IntArray) -> IntArray:
    """Return the first marked place of each run, -1 where there is none."""
    places = np.append(np.flatnonzero(marked), len(marked))
    found = places[np.searchsorted(places, first)]
    return np.where(found <= last, found, -1)


def _place(*keys: IntArray) -> IntArray:
    """Return the place of each in its run of equal keys, from 0."""
    return np.arange(len(keys[0])) - first_of_run(run_starts(*keys))

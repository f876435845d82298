"""Sessionization: group a profile's events into visits, each with its traffic source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from convergekit.base.durations import parse_duration
from convergekit.base.grouping import NumberedText, at_or_missing, first_of_run, run_starts
from convergekit.base.records import take_or_missing
from convergekit.base.threads import each_column
from convergekit.events.amounts import events_named
from convergekit.events.campaigns import CLICK_IDS, TAGS
from convergekit.events.nothing import SAID_DIRECT
from convergekit.events.steps import StepLike, tracked
from convergekit.events.timestamps import microseconds, order_of_arrival
from convergekit.typing import BoolArray, IntArray
from convergekit.visits.browsers import browsers_of, named_alike, speaking
from convergekit.visits.channels import ASKED, ChannelRule, Decided, decide
from convergekit.visits.learned import learned_of_all
from convergekit.visits.pauses import Timed, grouped
from convergekit.visits.reasons import reasons_told, sources_told
from convergekit.visits.rules import VisitRules
from convergekit.visits.session_ids import session_ids
from convergekit.visits.traffic import SET_ASIDE, SentTraffic, sent_traffic, sent_values

if TYPE_CHECKING:
    from convergekit.identity.tables import StitchedEvents


#: Of so many events sessions are kept: more take memory that is better left free.
KEPT_EVENTS = 1_000_000
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
        traffic: SentTraffic,
        order: IntArray,
        first: IntArray,
        last: IntArray,
        rules: Sequence[ChannelRule],
    ) -> tuple[IntArray, dict[str, IntArray], Decided]:
        """Return what runs of the order say: `arrival`, `says` and `decided` of `FoundSessions`.

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
        asked = {name: traffic.at(name, says[name]) for name in (*ASKED, SAID_DIRECT)}
        return arrival, says, decide(asked, rules)


@dataclass(frozen=True)
class FoundSessions:
    """Sessions as numbers, by visitor and time.

    Attributes
    ----------
    events : pandas.DataFrame
    traffic : SentTraffic
        What the events sent about their visits.
    visitor, first, last : numpy.ndarray of int
        Whose each session is, and positions of its first and last event.
    events_in : numpy.ndarray of int
        How many events it has.
    arrival : numpy.ndarray of int
        The position of the event that says where the visit is from, -1 for none.
    says : dict of str to numpy.ndarray of int
        Per column of `traffic`, the position of the event that says it, -1 for none.
    decided : Decided
        Which rule of channels each meets.
    of_event : numpy.ndarray of int
        The session of each event, -1 for none.
    order : numpy.ndarray of int
        Positions of the events in sessions, by visitor and time.
    marks : Marks
        Of these, which say what.
    rules : sequence of ChannelRule
    """

    events: pd.DataFrame
    traffic: SentTraffic
    visitor: IntArray
    first: IntArray
    last: IntArray
    events_in: IntArray
    arrival: IntArray
    says: dict[str, IntArray]
    decided: Decided
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
        return self.traffic.at(name, at_or_missing(self.says[name], which))

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
        session = at_or_missing(self.of_event, at)
        arrival, says, decided = self.marks.read(self.traffic, self.order, first, last, self.rules)
        return replace(
            self,
            visitor=at_or_missing(self.visitor, session),
            first=at_or_missing(self.first, session),
            last=np.where(session >= 0, at, -1),
            events_in=last - first + 1,
            arrival=arrival,
            says=says,
            decided=decided,
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
        return sent.at(at_or_missing(self.order, found))

    def _run_until(self, at: IntArray) -> tuple[IntArray, IntArray]:
        """Return the first place in `order` of each event's session, and the event's own."""
        session = at_or_missing(self.of_event, at)
        first = self._place[at_or_missing(self.first, session)]
        return np.where(session >= 0, first, 0), np.where(session >= 0, self._place[at], -1)

    @cached_property
    def _place(self) -> IntArray:
        """The place of each event in `order`, -1 for none, and for the event -1."""
        place = np.full(len(self.events) + 1, -1, dtype=np.int64)
        place[self.order] = np.arange(len(self.order))
        return place

    def arrived(self, which: IntArray) -> pd.Series:
        """Return when the event came that says where a visit is from, missing at -1."""
        arrival = at_or_missing(self.arrival, which)
        return pd.Series(self.events["timestamp"].array.take(arrival, allow_fill=True))

    def start(self, which: IntArray) -> pd.Series:
        """Return when some sessions began."""
        return pd.Series(self.events["timestamp"].array.take(self.first[which]))

    def ids(self, profile_ids: pd.Series, which: IntArray) -> pd.Series:
        """Return the IDs of some sessions, missing at -1: their profile's, and their start."""
        if not len(self.visitor):
            return pd.Series(np.nan, index=range(len(which)), dtype="str")
        there = which >= 0
        real = which[there]
        began = microseconds(self.events["timestamp"])[self.first[real]]
        found = session_ids(profile_ids, self.visitor[real], began, self._twin[real])
        if there.all():
            return found
        return take_or_missing(found, np.where(there, np.cumsum(there) - 1, -1))

    @cached_property
    def channel(self) -> NumberedText:
        """The channel of each session, missing where nothing says that it is a visit."""
        return self._of_visits(self.decided.channels())

    @cached_property
    def _told(self) -> dict[str, NumberedText]:
        """What Google Analytics calls each visit, and why it is of its channel."""
        names = (*ASKED, SAID_DIRECT, SET_ASIDE)
        said = {name: self.traffic.at(name, self.says[name]) for name in names}
        told = sources_told(self.decided, said) | {"why": reasons_told(self.decided, said)}
        return {name: self._of_visits(text) for name, text in told.items()}

    def _of_visits(self, texts: NumberedText) -> NumberedText:
        return NumberedText(np.where(self.arrival < 0, -1, texts.codes), texts.distinct)

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
    """Return the sessions of stitched events where the visitor of each is another number.

    Those of the profiles are kept until other rules are asked for: an explorer, and whoever asks a
    second question, has not to wait for them again.
    """
    asked = rules or VisitRules(), zone or s.calendar.zone
    of_profiles = visitor is s.resolution.profile and len(s.events) <= KEPT_EVENTS
    if of_profiles:
        for known, found in s.kept_sessions:
            if known == asked:
                return found
    sessions = find_sessions(
        s.events,
        sent_by(s.events, rules),
        visitor,
        s.resolution.in_time,
        browsers_of(s),
        *asked,
    )
    if of_profiles:
        s.kept_sessions[:] = [(asked, sessions)]
    return sessions


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


def sent_by(events: pd.DataFrame, rules: VisitRules | None) -> SentTraffic:
    """Return what events sent of their visits, by the usual rules if none are given."""
    asked = rules or VisitRules()
    values = [name for name in asked.new_on if name in CLICK_IDS]
    return sent_traffic(events, asked.own_domains, asked.ignore_referrers, values)


def sessions(
    s: StitchedEvents, rules: VisitRules, conversion: StepLike | None = None
) -> pd.DataFrame:
    """Return a row per session. See `Stitched.sessions`."""
    events, ids = s.events, s.resolution.profile_ids
    found = sessions_of(s, rules)
    which = _by_start(found, ids, s.resolution.in_time)
    texts: dict[str, Callable[[], pd.Series]] = {
        "session_id": lambda: found.ids(ids, which),
        "profile_id": lambda: take_or_missing(ids, found.visitor[which]),
        **{name: partial(found.text, name, which) for name in COLUMNS},
    }
    # Asked by one thread beforehand: several would find it out several times.
    found.text("why", which[:0])
    asked = list(texts.values())
    made = dict(zip(texts, each_column(_made, asked, rows=len(which)), strict=True))
    table = pd.DataFrame(
        {
            "session_id": made["session_id"],
            "profile_id": made["profile_id"].array,
            "number": found.number[which],
            "start": found.start(which),
            "end": events["timestamp"].array.take(found.last[which]),
            "arrived": found.arrived(which),
            "events": found.events_in[which],
            **{name: made[name] for name in COLUMNS},
        },
        copy=False,
    )
    if conversion is not None:
        converting = found.of_event[events_named(events, conversion)]
        counts = np.bincount(converting[converting >= 0], minlength=len(table))
        table["conversions"] = counts[which]
    at = np.where(found.arrival < 0, found.first, found.arrival)
    table["row"] = events["row"].array.take(at[which])
    return table


def _made(text: Callable[[], pd.Series]) -> pd.Series:
    return text()


def _by_start(found: FoundSessions, profile_ids: pd.Series, in_time: IntArray) -> IntArray:
    """Return the sessions by their start, those that begin at one moment by their IDs."""
    of_event = np.full(len(found.events), -1, dtype=np.int64)
    of_event[found.first] = np.arange(len(found.first))
    order = of_event[in_time]
    order = order[order >= 0]
    start = microseconds(found.events["timestamp"])[found.first[order]]
    run = np.cumsum(run_starts(start)) - 1 if len(start) else start
    tied = np.flatnonzero(np.bincount(run)[run] > 1)
    part = pd.DataFrame({"run": run[tied], "id": found.ids(profile_ids, order[tied])})
    order[tied] = order[tied][part.sort_values(["run", "id"]).index]
    return order


def find_sessions(
    events: pd.DataFrame,
    traffic: SentTraffic,
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
    traffic : SentTraffic
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
    kept = in_time[(visitor >= 0)[in_time] & tracked(events)[in_time]]
    learned = learned_of_all(events)
    spoken = None
    if learned is not None:
        spoken = learned.spoken(rules.own_domains, rules.ignore_referrers)
    speaks, tells = speaking(events, traffic, browser, spoken)
    shown = named_alike(events["event_name"], rules.impressions)
    speaks, tells = speaks & ~shown, tells & ~shown
    row, sent = sent_values(events, traffic, tuple(rules.new_on))
    moment = microseconds(events["timestamp"])[kept]
    timed = Timed(
        visitor=visitor[kept],
        browser=browser[kept],
        moment=moment,
        speaks=speaks[kept],
        tells=tells[kept],
        row=row[kept],
        sent=sent,
        day=_days(moment, zone) if rules.midnight else None,
    )
    by_session = grouped(timed, timeout)
    order, begin = kept[by_session.place], by_session.begin
    events_in = np.diff(np.append(begin, len(order)))
    last = begin + events_in - 1
    kind = traffic.kind[order]
    tagged, landed = traffic.sends(*TAGS, "click_id")[kind], traffic.sends("landing_page")[kind]
    marks = Marks(tagged, landed, tells[order], by_session.spoken)
    arrival, says, decided = marks.read(traffic, order, begin, last, rules.rules)
    of_event = np.full(len(events), -1, dtype=np.int64)
    of_event[order] = np.repeat(np.arange(len(begin)), events_in)
    return FoundSessions(
        events=events,
        traffic=traffic,
        visitor=visitor[order[begin]],
        first=order[begin],
        last=order[last],
        events_in=events_in,
        arrival=arrival,
        says=says,
        decided=decided,
        of_event=of_event,
        order=order,
        marks=marks,
        rules=rules.rules,
    )


def _days(moment: IntArray, zone: str) -> IntArray:
    """Return the day of the zone at each moment, as a number."""
    times = pd.Series(moment.view("datetime64[us]")).dt.tz_localize("UTC").dt.tz_convert(zone)
    days = times.dt.tz_localize(None).dt.floor("D").to_numpy().astype("datetime64[D]")
    return days.view(np.int64)


def _first_in(marked: BoolArray, first: IntArray, last: IntArray) -> IntArray:
    """Return the first marked place of each run, -1 where there is none."""
    places = np.append(np.flatnonzero(marked), len(marked))
    found = places[np.searchsorted(places, first)]
    return np.where(found <= last, found, -1)


def _place(*keys: IntArray) -> IntArray:
    """Return the place of each in its run of equal keys, from 0."""
    return np.arange(len(keys[0])) - first_of_run(run_starts(*keys))

"""Sessionization: group a profile's events into visits, each with its traffic source."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from convergekit.base.durations import Duration, parse_duration
from convergekit.base.grouping import NumberedText, first_of_run, run_starts
from convergekit.base.options import names_given
from convergekit.errors import ConvergekitError
from convergekit.events.amounts import events_named
from convergekit.events.campaigns import TAGS
from convergekit.events.nothing import SAID_DIRECT
from convergekit.events.steps import StepLike, tracked
from convergekit.events.timestamps import microseconds, order_of_arrival
from convergekit.typing import BoolArray, IntArray
from convergekit.visits.channels import ASKED, CHANNEL_RULES, ChannelRule, channels_of
from convergekit.visits.traffic import sent_traffic, sent_values

if TYPE_CHECKING:
    from convergekit.identity.tables import StitchedEvents


#: What starts a new session beside inactivity, unless told otherwise.
NEW_ON = ("utm_source", "utm_campaign")


@dataclass(frozen=True)
class SessionRules:
    """What a session is, and which channel it is of.

    Attributes
    ----------
    timeout : str or datetime.timedelta
    new_on : iterable of str
    rules : sequence of ChannelRule
    """

    timeout: Duration = "30min"
    new_on: Iterable[str] = NEW_ON
    rules: Sequence[ChannelRule] = CHANNEL_RULES

    @classmethod
    def of(
        cls, timeout: Duration, new_on: Iterable[str], rules: Sequence[ChannelRule] | None
    ) -> SessionRules:
        """Return what was asked for, with the usual channels where none are given."""
        return cls(timeout, new_on, CHANNEL_RULES if rules is None else rules)

    def __post_init__(self) -> None:
        if isinstance(self.new_on, str):
            raise ConvergekitError(
                f"new_on must be a list of names, such as [{self.new_on!r}], or () for none; got "
                f"{self.new_on!r}."
            )
        object.__setattr__(self, "new_on", names_given("new_on", self.new_on))
        several = isinstance(self.rules, Sequence)
        if not several or not all(isinstance(rule, ChannelRule) for rule in self.rules):
            raise ConvergekitError(
                "rules must be a list of ck.ChannelRule(channel, ...), or [..., "
                f"*ck.CHANNEL_RULES]; got {self.rules!r}."
            )


@dataclass(frozen=True)
class Marks:
    """Which events say where a visit is from, in the order of the sessions' events.

    Attributes
    ----------
    tagged, landed, seen : numpy.ndarray of bool
        Which have a tag or a click ID, a page's address, or anything that tells a visit.
    of_browser : numpy.ndarray of bool
        Which are of a browser.
    """

    tagged: BoolArray
    landed: BoolArray
    seen: BoolArray
    of_browser: BoolArray

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
        speaking, visit = (_first_in(marked, first, last) for marked in (self.tagged, self.seen))
        landing = _first_in(self.landed, first, last)
        position = np.append(order, -1)
        says = dict.fromkeys((*TAGS, "click_id", SAID_DIRECT), position[speaking])
        says["landing_page"] = position[landing]
        says["referrer"] = position[np.where(landing >= 0, landing, visit)]
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
        """Return a column of some sessions, missing at -1: a column of `traffic`, or `channel`."""
        if name == "channel":
            return self.channel.at(which)
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


def sessions_of(s: StitchedEvents, how: SessionRules | None = None) -> FoundSessions:
    """Return the sessions of stitched events, by the usual rules if none are given."""
    return sessions_of_visitors(s, s.resolution.profile, how)


def sessions_of_visitors(
    s: StitchedEvents, visitor: IntArray, how: SessionRules | None = None
) -> FoundSessions:
    """Return the sessions of stitched events where the visitor of each is another number."""
    return find_sessions(
        s.events,
        sent_traffic(s.events),
        visitor,
        s.resolution.in_time,
        visiting(s),
        how or SessionRules(),
    )


def sessions_of_frame(events: pd.DataFrame, visitor: IntArray) -> FoundSessions:
    """Return the sessions of a frame whose profiles are numbered, by the usual rules.

    Where no event has a page's address, every session is a visit: nothing tells a browser's.
    """
    arrival = order_of_arrival(events, np.arange(len(events)))
    timed = events["timestamp"].notna().to_numpy(dtype=bool)
    return find_sessions(
        events,
        sent_traffic(events),
        np.where(timed, visitor, -1),
        np.lexsort((arrival, microseconds(events["timestamp"]))),
        np.ones(len(events), dtype=bool),
        SessionRules(),
    )


def sessions(
    s: StitchedEvents, how: SessionRules, conversion: StepLike | None = None
) -> pd.DataFrame:
    """Return a row per session. See `Stitched.sessions`."""
    events, ids = s.events, s.resolution.profile_ids
    found = sessions_of(s, how)
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
            **{
                name: found.text(name, every)
                for name in ("channel", *TAGS, "click_id", "landing_page", "referrer")
            },
        }
    )
    if conversion is not None:
        converting = found.of_event[events_named(events, conversion)]
        table["conversions"] = np.bincount(converting[converting >= 0], minlength=len(table))
    at = np.where(found.arrival < 0, found.first, found.arrival)
    table["row"] = events["row"].array.take(at)
    return table.sort_values(["start", "session_id"], ignore_index=True)


def visiting(s: StitchedEvents) -> BoolArray:
    """Return which events carry an alias of a browser session."""
    aliases = s.resolution.aliases
    of_browser = (aliases.table["alias_type"] == s.browser_alias).to_numpy(dtype=bool)
    carries = np.zeros(len(s.events), dtype=bool)
    carries[aliases.event[of_browser[aliases.alias]]] = True
    return carries


def find_sessions(
    events: pd.DataFrame,
    traffic: dict[str, NumberedText],
    visitor: IntArray,
    in_time: IntArray,
    of_browser: BoolArray,
    how: SessionRules,
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
    of_browser : numpy.ndarray of bool
        Which events are of a browser, in case none has an address.
    how : SessionRules
    """
    timeout = parse_duration(how.timeout, name="timeout")
    kept = in_time[(visitor[in_time] >= 0) & tracked(events)[in_time]]
    order = kept[np.argsort(visitor[kept], kind="stable")]
    mine = visitor[order]
    moment = microseconds(events["timestamp"])[order]
    begins = np.ones(len(order), dtype=bool)
    begins[1:] = (mine[1:] != mine[:-1]) | (np.diff(moment) > timeout.value // 1000)
    after_pause = np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))
    for sent in sent_values(events, traffic, how.new_on):
        begins |= _another_value(sent[order], after_pause)

    first = np.flatnonzero(begins)
    last = np.append(first, len(order))[1:] - 1
    tagged = np.any([traffic[name].codes >= 0 for name in (*TAGS, "click_id")], axis=0)[order]
    landed, referred = (traffic[name].codes[order] >= 0 for name in ("landing_page", "referrer"))
    seen = tagged | landed | referred
    if not len(traffic["landing_page"].distinct):
        seen |= of_browser[order]
    marks = Marks(tagged, landed, seen, of_browser[order])
    arrival, says, channel = marks.read(traffic, order, first, last, how.rules)
    of_event = np.full(len(events), -1, dtype=np.int64)
    of_event[order] = np.cumsum(begins) - 1
    return FoundSessions(
        events=events,
        traffic=traffic,
        visitor=mine[first],
        first=order[first],
        last=order[last],
        events_in=last - first + 1,
        arrival=arrival,
        says=says,
        channel=channel,
        of_event=of_event,
        order=order,
        marks=marks,
        rules=how.rules,
    )


def _another_value(sent: IntArray, after_pause: IntArray) -> BoolArray:
    """Return which events send another value than was last sent, if any was, since a pause.

    Parameters
    ----------
    sent : numpy.ndarray of int
        What each event sends of one property, -1 for nothing.
    after_pause : numpy.ndarray of int
        The place of the visitor's first event after the pause before each.
    """
    place = np.arange(len(sent))
    before = np.full(len(sent), -1, dtype=np.int64)
    before[1:] = np.maximum.accumulate(np.where(sent >= 0, place, -1))[:-1]
    same = (before >= after_pause) & (sent[before] == sent)
    return (sent >= 0) & ~same & (place > after_pause)


def _first_in(marked: BoolArray, first: IntArray, last: IntArray) -> IntArray:
    """Return the first marked place of each run, -1 where there is none."""
    places = np.append(np.flatnonzero(marked), len(marked))
    found = places[np.searchsorted(places, first)]
    return np.where(found <= last, found, -1)


def _place(*keys: IntArray) -> IntArray:
    """Return the place of each in its run of equal keys, from 0."""
    return np.arange(len(keys[0])) - first_of_run(run_starts(*keys))

"""Sessions: a profile's events in visits, and where each visit came from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from convergekit.channels import CHANNEL_RULES, ChannelRule, channel_of
from convergekit.durations import Duration, parse_duration
from convergekit.errors import ConvergekitError
from convergekit.measures import events_named
from convergekit.records import take_or_missing
from convergekit.steps import tracked
from convergekit.traffic import TAGS, sent_traffic, sent_values

if TYPE_CHECKING:
    from convergekit.stitched import Stitched

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

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


def sessions(s: Stitched, how: SessionRules, conversion: str | None = None) -> pd.DataFrame:
    """Return a row per session. See `Stitched.sessions`."""
    events, found = s.events, s._identity
    table, of_event = find_sessions(
        events, sent_traffic(events), found.profile, found.in_time, visiting(s), how
    )
    table.insert(0, "session_id", session_ids(table, found.profile_ids))
    table.insert(1, "profile_id", found.profile_ids.take(table["who"]).array)
    if conversion is not None:
        converting = of_event[events_named(events, conversion)]
        table["conversions"] = np.bincount(converting[converting >= 0], minlength=len(table))
    arrival = table["arrival"].to_numpy()
    table["row"] = events["row"].array.take(np.where(arrival < 0, table["first"], arrival))
    table = table.drop(columns=["who", "first", "arrival", "twin"])
    return table.sort_values(["start", "session_id"], ignore_index=True)


def session_ids(table: pd.DataFrame, profile_ids: pd.Series) -> pd.Series:
    """Return the sessions' IDs: their profile's, and their start."""
    ids = profile_ids.take(table["who"]).reset_index(drop=True).astype("str")
    started = table["start"].dt.tz_localize(None).to_numpy()
    texts = pd.Series(np.datetime_as_string(started, unit="us"), dtype="str")
    suffix = ("." + (table["twin"] + 1).astype("str")).where(table["twin"] > 0, "")
    return ids + "@" + texts + "Z" + suffix


def visiting(s: Stitched) -> BoolArray:
    """Return which events carry an alias of a browser session."""
    aliases = s._identity.aliases
    of_browser = (aliases.table["alias_type"] == s.browser_alias).to_numpy(dtype=bool)
    carries = np.zeros(len(s.events), dtype=bool)
    carries[aliases.event[of_browser[aliases.alias]]] = True
    return carries


def find_sessions(
    events: pd.DataFrame,
    traffic: pd.DataFrame,
    who: IntArray,
    in_time: IntArray,
    of_browser: BoolArray,
    how: SessionRules,
) -> tuple[pd.DataFrame, IntArray]:
    """Return the sessions by visitor and time, and the session of each event.

    Parameters
    ----------
    events, traffic : pandas.DataFrame
        The events, and what they sent about their visits.
    who : numpy.ndarray of int
        Whose each event is, -1 for nobody's.
    in_time : numpy.ndarray of int
        Positions of the events in order of time, then arrival.
    of_browser : numpy.ndarray of bool
        Which events are of a browser, in case none has an address.
    how : SessionRules

    Returns
    -------
    table : pandas.DataFrame
        `who`, `number`, `start`, `end`, `arrived`, `events`, `channel`, the tags, `click_id`,
        `landing_page`, `referrer`, positions of events: `first` and `arrival` (-1 for none), and
        `twin`, how many of the visitor's sessions before it begin at the same moment.
    of_event : numpy.ndarray of int
        Rows of the table, -1 where an event is in no session.
    """
    timeout = parse_duration(how.timeout, name="timeout")
    if isinstance(how.new_on, str):
        raise ConvergekitError(
            f"new_on={how.new_on!r}: give the names in a list, such as [{how.new_on!r}], or () for "
            "none."
        )
    kept = in_time[(who[in_time] >= 0) & tracked(events)[in_time]]
    order = kept[np.argsort(who[kept], kind="stable")]
    mine = who[order]
    when = events["timestamp"].array.take(order)
    moment = when.tz_localize(None).to_numpy().astype("datetime64[us]").astype(np.int64)
    begins = np.ones(len(order), dtype=bool)
    begins[1:] = (mine[1:] != mine[:-1]) | (np.diff(moment) > timeout.value // 1000)
    begins |= _new_campaign(sent_values(events, traffic, how.new_on)[order], begins)

    first = np.flatnonzero(begins)
    last = np.append(first, len(order))[1:] - 1
    said = traffic.take(order).reset_index(drop=True)
    tagged = said[[*TAGS, "click_id"]].notna().any(axis=1).to_numpy()
    seen = tagged | said[["landing_page", "referrer"]].notna().any(axis=1).to_numpy()
    if not traffic["landing_page"].notna().any():
        seen |= of_browser[order]
    speaking, visit = _first_in(tagged, first, last), _first_in(seen, first, last)
    landing = _first_in(said["landing_page"].notna().to_numpy(), first, last)
    arrival = np.where(speaking >= 0, speaking, visit)
    came = np.where(landing >= 0, landing, visit)
    table = pd.DataFrame(
        {
            "who": mine[first],
            "number": np.arange(len(first)) - np.searchsorted(mine[first], mine[first]) + 1,
            "start": when.take(first),
            "end": when.take(last),
            "arrived": pd.Series(when).reindex(arrival).reset_index(drop=True),
            "events": last - first + 1,
            **{name: take_or_missing(said[name], speaking) for name in [*TAGS, "click_id"]},
            "landing_page": take_or_missing(said["landing_page"], landing),
            "referrer": take_or_missing(said["referrer"], came),
            "first": order[first],
            "arrival": np.append(order, -1)[arrival],
        }
    )
    # Two sessions begin at the same moment if two campaigns are sent at it.
    table["twin"] = table.groupby(["who", "start"]).cumcount()
    channel = channel_of(table, how.rules).mask(arrival < 0)
    table.insert(6, "channel", channel)
    of_event = np.full(len(events), -1, dtype=np.int64)
    of_event[order] = np.cumsum(begins) - 1
    return table, of_event


def _new_campaign(said: IntArray, begins: BoolArray) -> BoolArray:
    """Return which events send other values than were last sent since the given beginnings."""
    place = np.arange(len(said))
    beginning = np.maximum.accumulate(np.where(begins, place, 0))
    before = np.full(len(said), -1, dtype=np.int64)
    before[1:] = np.maximum.accumulate(np.where(said > 0, place, -1))[:-1]
    same = (before >= beginning) & (said[before] == said)
    return (said > 0) & ~same & ~begins


def _first_in(marked: BoolArray, first: IntArray, last: IntArray) -> IntArray:
    """Return the first marked place of each run, -1 where there is none."""
    places = np.append(np.flatnonzero(marked), len(marked))
    found = places[np.searchsorted(places, first)]
    return np.where(found <= last, found, -1)

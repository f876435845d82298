"""Conditions on events and profiles, by which segments are chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from convergekit.base.durations import Duration, parse_duration, readable_duration
from convergekit.base.wording import shortened
from convergekit.errors import ConvergekitError
from convergekit.events.calendar import Calendar
from convergekit.events.query import columns_of_query, names_of_query
from convergekit.events.schema import PROFILE
from convergekit.events.steps import (
    EventNames,
    Step,
    Where,
    as_steps,
    met_and_unknown,
    resolve_column,
)
from convergekit.events.timestamps import microseconds
from convergekit.identity.segment import profiles_of, segment_of
from convergekit.typing import BoolArray, IntArray

if TYPE_CHECKING:
    from convergekit.identity.tables import StitchedEvents


@dataclass(frozen=True)
class Did:
    """Profiles that did something so many times: a condition of `Stitched.where`.

    Attributes
    ----------
    name : str or sequence of str
        The event's name, or several of which any will do.
    at_least : int, optional
        How many of these events a profile has at least; 1 unless `at_most` is given.
    at_most : int, optional
        How many it has at most; 0 for profiles that never did it.
    within : str or datetime.timedelta, optional
        Only events so long after the profile was first seen count, such as ``"30D"``, end included.
    where : str, mapping or callable, optional
        Which of these events count, as for `Step`.
    start, end : str or datetime, optional
        Only events from `start` on and before `end` count. A date given as `end` includes that day.

    See Also
    --------
    FirstSeen : Profiles by when they were first seen.

    Examples
    --------
    >>> import convergekit as ck
    >>> s = ck.stitch(ck.simulate_store().events)
    >>> again = s.where(profiles=ck.Did("Placed Order", at_least=2, within="30D"))
    >>> never = s.where(profiles=ck.Did("Placed Order", at_most=0))
    >>> len(again.profiles), len(never.profiles)
    (4, 58)
    """

    name: str | Sequence[str]
    at_least: int | None = None
    at_most: int | None = None
    within: Duration | None = None
    where: Where | None = None
    start: Any = None
    end: Any = None


@dataclass(frozen=True)
class FirstSeen:
    """Profiles that were first seen in a time: a condition of `Stitched.where`.

    Attributes
    ----------
    start, end : str or datetime, optional
        First seen from `start` on and before `end`. A date given as `end` includes that day; it is
        a day of the shop's calendar.

    See Also
    --------
    Did : Profiles by what they did.

    Examples
    --------
    >>> import convergekit as ck
    >>> s = ck.stitch(ck.simulate_store().events)
    >>> len(s.where(profiles=ck.FirstSeen(start="2026-03-02", end="2026-03-08")).profiles)
    33
    """

    start: Any = None
    end: Any = None


ProfileCondition: TypeAlias = Where | Did | FirstSeen

#: Columns of profiles that are the same, whatever is known of them later.
_FIXED = frozenset({"profile_id", "first_seen"})
_LONGEST = 200


def where(
    s: StitchedEvents,
    profiles: ProfileCondition | Sequence[ProfileCondition] | None,
    events: Where | None,
) -> StitchedEvents:
    """Return a segment. See `Stitched.where`."""
    check_given(profiles, events)
    if profiles is not None:
        s = of_profiles(s, several(profiles))
    return s if events is None else of_events(s, events)


def check_given(profiles: Any, events: Any) -> None:
    """Raise unless `where` was given a condition."""
    if profiles is None and events is None:
        raise ConvergekitError(
            "give where a condition: profiles=ck.Did('Placed Order'), or a query such as "
            "events=\"source == 'browser'\"."
        )


def of_profiles(
    s: StitchedEvents,
    asked: Sequence[ProfileCondition | ChosenProfiles],
    types: Sequence[str] | None = None,
) -> StitchedEvents:
    """Return the segment of the profiles that meet all conditions.

    Parameters
    ----------
    s : StitchedEvents
    asked : sequence
    types : sequence of str, optional
        The alias types that profiles have, where these are some of more.
    """
    found = [_Asked(s, one, types) for one in asked]
    chosen = np.all([one.met for one in found], axis=0)
    possible = np.all([one.met | one.unknown for one in found], axis=0)
    remarks = [(one.remark, int((one.unknown & possible).sum())) for one in found]
    return segment_of(
        s,
        np.append(chosen, False)[s.resolution.profile],
        chosen,
        "profiles " + " and ".join(one.described for one in found),
        after_the_fact=any(one.after_the_fact for one in found),
        data_end=s.data_end,
        remarks={text: count for text, count in remarks if count},
    )


def of_events(
    s: StitchedEvents, events: Where, data_end: pd.Timestamp | None = None
) -> StitchedEvents:
    """Return the segment of the events that meet a condition.

    Parameters
    ----------
    s : StitchedEvents
    events : str, mapping or callable
    data_end : pandas.Timestamp, optional
        Until when the segment is observed, where these are some of more events.
    """
    seen, unknown = events_met(s, events)
    missing = int(unknown.sum())
    return segment_of(
        s,
        seen,
        profiles_of(s, seen),
        f"events where {_said(events)}",
        after_the_fact=False,
        data_end=data_end,
        met=partial(_met, events=events),
        remarks={_left_out(s.events, events, "events"): missing} if missing else {},
    )


def events_met(s: StitchedEvents, events: Where) -> tuple[BoolArray, BoolArray]:
    """Return which events meet a condition, and of which it is unknown."""
    frame = s.events.copy() if callable(events) else s.events
    return met_and_unknown(frame, events, option="events")


def _met(s: StitchedEvents, *, events: Where) -> BoolArray:
    """Return which events meet a condition, for a segment that is chosen again of others."""
    return events_met(s, events)[0]


def _left_out(table: pd.DataFrame, condition: Where, rows: str) -> str:
    """Return what is said of rows of which a condition is unknown, and how to keep them."""
    keep = "let the function say True or False of each"
    if isinstance(condition, str):
        missing = (f"or {name}.isna()" for name in names_of_query(table, condition))
        keep = f"add to the query: {' '.join(missing)}"
    return (
        f"{rows} left out because a value is missing, so that {_said(condition)!r} is unknown; to "
        f"keep them, {keep}"
    )


def several(given: Any) -> list[Any]:
    """Return the conditions that must all hold."""
    if isinstance(given, Sequence) and not isinstance(given, str):
        if not given:
            raise ConvergekitError(
                "profiles must be a condition, or a list of at least one; got an empty list."
            )
        return list(given)
    return [given]


@dataclass(frozen=True)
class ChosenProfiles:
    """Profiles that a function of all of them chose.

    Attributes
    ----------
    profile_ids : pandas.Index of str
    described : str
    unknown : pandas.Index of str
        The IDs of those that it could not say of.
    remark : str
        What is said of these.
    """

    profile_ids: pd.Index
    described: str
    unknown: pd.Index
    remark: str

    @classmethod
    def of(cls, table: pd.DataFrame, condition: Callable[[pd.DataFrame], Any]) -> ChosenProfiles:
        """Return those of a table of profiles."""
        met, unknown = met_and_unknown(table.copy(), condition, option="profiles", row="profile")
        ids = table["profile_id"]
        said = _left_out(table, condition, "profiles")
        return cls(pd.Index(ids[met]), f"where {_said(condition)}", pd.Index(ids[unknown]), said)


class _Asked:
    """One condition on profiles: who meets it, and what it is in words."""

    def __init__(
        self, s: StitchedEvents, condition: Any, types: Sequence[str] | None = None
    ) -> None:
        self.met: BoolArray
        self.unknown = np.zeros(len(s.resolution.profile_ids), dtype=bool)
        self.remark = ""
        if isinstance(condition, FirstSeen):
            self.met, self.described = _first_seen(s, condition)
            self.after_the_fact = False
        elif isinstance(condition, Did):
            self.met, self.described = _did(s, condition)
            self.after_the_fact = True
        elif isinstance(condition, ChosenProfiles):
            ids = s.resolution.profile_ids
            self.met = ids.isin(condition.profile_ids).to_numpy(dtype=bool)
            self.unknown = ids.isin(condition.unknown).to_numpy(dtype=bool)
            self.described, self.after_the_fact = condition.described, True
            self.remark = condition.remark
        else:
            if not (isinstance(condition, str | Mapping) or callable(condition)):
                raise ConvergekitError(
                    "profiles must be a query, a mapping of columns to values, a function of the "
                    "profiles, ck.Did(...), ck.FirstSeen(...), or a list of these; got "
                    f"{condition!r}."
                )
            table, number = s.profile_table
            table = table if types is None else with_types(table, types)
            frame = table.copy() if callable(condition) else table
            self.met = np.zeros(len(table), dtype=bool)
            self.met[number], self.unknown[number] = met_and_unknown(
                frame, condition, option="profiles", row="profile"
            )
            self.remark = _left_out(table, condition, "profiles")
            self.described = f"where {_said(condition)}"
            self.after_the_fact = not _columns(table, condition) <= _FIXED


def with_types(table: pd.DataFrame, types: Sequence[str]) -> pd.DataFrame:
    """Return a table of profiles with columns of alias types that none of them has.

    Examples
    --------
    >>> table = pd.DataFrame({"profile_id": ["p_1"], "aliases.email": [2], "profile.plan": ["a"]})
    >>> with_types(table, ["cookie", "email"])
      profile_id  aliases.cookie  aliases.email profile.plan
    0        p_1               0              2            a
    """
    counts = {f"aliases.{name}": table.get(f"aliases.{name}", 0) for name in sorted(types)}
    carried = [name for name in table if name.startswith(PROFILE)]
    own = [name for name in table if name not in counts and name not in carried]
    return table[own].assign(**counts).join(table[carried])


def _columns(table: pd.DataFrame, condition: Where) -> set[str]:
    """Return the columns that a condition looks at; of a function, all."""
    if isinstance(condition, str):
        return columns_of_query(table, condition)
    if isinstance(condition, Mapping):
        return {resolve_column(table, name) for name in condition}
    return set(table.columns)


def _first_seen(s: StitchedEvents, asked: FirstSeen) -> tuple[BoolArray, str]:
    if asked.start is None and asked.end is None:
        raise ConvergekitError("FirstSeen needs start=, end= or both, such as start='2026-03-01'.")
    seen = _first_moments(s)
    return _between(s.calendar, seen, asked.start, asked.end), f"first seen{_range(asked)}"


def _did(s: StitchedEvents, asked: Did) -> tuple[BoolArray, str]:
    least, most = _bounds(asked)
    step = as_steps([Step(asked.name, where=asked.where)])[0]
    counts = EventNames(s.events).matching(step.names, step.where, step.title)
    counts &= s.resolution.profile >= 0
    moments = microseconds(s.events["timestamp"])
    counts &= _between(s.calendar, moments, asked.start, asked.end)
    described = f"that {'never ' if most == 0 else ''}did {step.title}{_times(least, most)}"
    if asked.within is not None:
        within = parse_duration(asked.within, name="within")
        begun = np.append(_first_moments(s), 0)[s.resolution.profile]
        counts &= moments - begun <= within.value // 1000
        described += f" within {readable_duration(within)} of being first seen"
    described += _range(asked)
    if asked.where is not None:
        described += f", where {_said(asked.where)}"
    done = np.bincount(s.resolution.profile[counts], minlength=len(s.resolution.profile_ids))
    return (done >= least) & (done <= most), described


def _bounds(asked: Did) -> tuple[int, int]:
    """Return how often at least and at most."""
    for name, given in (("at_least", asked.at_least), ("at_most", asked.at_most)):
        is_whole = isinstance(given, int | np.integer) and not isinstance(given, bool)
        if given is not None and not (is_whole and given >= 0):
            raise ConvergekitError(f"{name} must be a whole number from 0; got {given!r}.")
    least = asked.at_least if asked.at_least is not None else int(asked.at_most is None)
    most = np.iinfo(np.int64).max if asked.at_most is None else int(asked.at_most)
    if least > most:
        raise ConvergekitError(f"at_least={least} is more than at_most={most}; exchange them.")
    if not least and asked.at_most is None:
        raise ConvergekitError(
            "at_least=0 is true of every profile; give at_least=1, or at_most=0 for those that "
            "never did it."
        )
    return int(least), most


def _first_moments(s: StitchedEvents) -> IntArray:
    """Return when each profile was first seen, by number, in microseconds."""
    table, number = s.profile_table
    moments = np.empty(len(table), dtype=np.int64)
    moments[number] = microseconds(table["first_seen"])
    return moments


def _between(calendar: Calendar, moments: IntArray, start: Any, end: Any) -> BoolArray:
    first, last = calendar.moment(start, "start"), calendar.moment(end, "end", last=True)
    inside = np.ones(len(moments), dtype=bool)
    if first is not None:
        inside &= moments >= first
    if last is not None:
        inside &= moments < last
    return inside


def _times(least: int, most: int) -> str:
    """Return in words how often."""
    if most == 0:
        return ""
    if most == np.iinfo(np.int64).max:
        return "" if least == 1 else f" {least:,} times or more"
    return f" {least:,} times" if least == most else f" {least:,} to {most:,} times"


def _range(asked: Did | FirstSeen) -> str:
    start = "" if asked.start is None else f" from {asked.start}"
    return start if asked.end is None else f"{start} to {asked.end}"


def _value(value: Any) -> str:
    """Return a value in words; the order of a set is that of its texts."""
    return (
        f"one of {sorted(map(repr, value))}" if isinstance(value, set | frozenset) else repr(value)
    )


def _said(condition: Where) -> str:
    """Return a condition in words."""
    if isinstance(condition, str):
        said = condition
    elif isinstance(condition, Mapping):
        said = " and ".join(f"{name} is {_value(value)}" for name, value in condition.items())
    else:
        name = getattr(condition, "__name__", "<lambda>")
        said = "a function says so" if name == "<lambda>" else f"{name}(...)"
    return shortened(" ".join(said.split()), _LONGEST)

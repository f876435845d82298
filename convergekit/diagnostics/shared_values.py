"""Alias values that strangers share: they join browsers that share nothing else.

A placeholder that is on no list, a shop assistant's account or a cached cart token is on the
events of many browsers at once. So is a regular customer's e-mail address, under a new cookie every
week; but these cookies follow one another.

1. Values that may be shared are taken out: login-like ones, and others that met five values of
   another type. What is still connected shares something else, and is one group.
2. A value that met five groups with a browser is shared if five of them were there at the same
   time, or if it is unlike the other values of its type. A browser is there from its first to its
   last event, and for five days at least: a cookie that was seen once lives on.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from convergekit.base.grouping import distinct, run_starts
from convergekit.base.text import to_arrow
from convergekit.base.wording import counted
from convergekit.diagnostics.blame import first_of_component
from convergekit.events.timestamps import microseconds
from convergekit.identity.aliases import urn
from convergekit.identity.profiles import LOGIN_TYPES
from convergekit.typing import BoolArray, IntArray

if TYPE_CHECKING:
    from convergekit.identity.tables import StitchedEvents

#: A person has two or three devices; from this many browsers on, a value is looked at.
FEWEST_BROWSERS = 5
#: For so long a browser is there at least, in microseconds: five days. Safari keeps a script's
#: cookie for seven (webkit.org/blog/8613/intelligent-tracking-prevention-2-1), and then another
#: follows; with seven here, cookies that change with the calendar's week would often overlap.
SHORTEST_LIFE = 5 * 24 * 3_600_000_000
#: What nearly all values of a type have in common, and how many values there must be to say so.
_NEARLY_ALL = 0.98
_FEWEST_VALUES = 20
#: From this length on, all values of a type have one length by design (UUIDs, digests).
_LONG = 16
_LISTED = 5

_NOTHING = np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class SharedValues:
    """The values that strangers seem to share, those with most browsers first.

    Attributes
    ----------
    urns : list of str
    browsers : list of int
        How many groups of browsers each joins that share nothing else.
    unlike : list of bool
        Whether it is unlike the other values of its type.
    """

    urns: list[str]
    browsers: list[int]
    unlike: list[bool]

    @property
    def warning(self) -> str:
        """The warning for the report, empty without such values."""
        if not self.urns:
            return ""
        listed = ", ".join(
            f"{urn} ({joined:,}{', and unlike the other values of its type' if odd else ''})"
            for urn, joined, odd in zip(
                self.urns[:_LISTED], self.browsers, self.unlike, strict=False
            )
        )
        left = len(self.urns) - _LISTED
        more = f" and {left:,} more" if left > 0 else ""
        found = counted(len(self.urns), "alias value joins", "alias values join")
        block = json.dumps(self.urns[:_LISTED], ensure_ascii=False)
        return (
            f"{found} {FEWEST_BROWSERS} browsers or more that share nothing else: {listed}{more}; "
            "a placeholder, a till or a shared account joins strangers into one profile; to leave "
            f"{'it' if len(self.urns) == 1 else 'them'} out: block={block}"
        )


def find_shared_values(s: StitchedEvents) -> SharedValues:
    """Return the alias values that strangers seem to share.

    Parameters
    ----------
    s : StitchedEvents

    Examples
    --------
    >>> import convergekit as ck
    >>> import pandas as pd
    >>> times = pd.date_range("2026-03-02", periods=5)
    >>> events = pd.DataFrame({"event_name": "A", "timestamp": times,
    ...                        "alias.cookie": list("abcde"), "alias.user_id": "old-None"})
    >>> find_shared_values(ck.stitch(events).tables).urns
    ['urn:user_id:old-None']
    """
    # Events that a segment leaves out say as much of an alias.
    aliases = s.whole.resolution.aliases

    def looks_of(alias_type: str) -> Looks:
        of_type = (aliases.table["alias_type"] == alias_type).to_numpy(dtype=bool)
        return Looks.of(aliases.table["alias_value"][of_type])

    return shared_among(joining_values(s), looks_of)


def joining_values(s: StitchedEvents) -> pd.DataFrame:
    """Return the alias values that may be shared, each with the browsers that it joins.

    Those of parts of the events, none of which has met an alias of another, can be put together.

    Returns
    -------
    pandas.DataFrame
        `alias_type`, `alias_value`, `browsers` (with how many groups of browsers it met that share
        nothing else) and `at_once` (how many of them were there at the same time).
    """
    s = s.whole
    aliases = s.resolution.aliases
    found = _Joined.of(s, np.asarray(aliases.types == s.browser_alias))
    at = np.flatnonzero(found.groups >= FEWEST_BROWSERS)
    chosen = aliases.table[["alias_type", "alias_value"]].take(at).astype("str")
    table = chosen.reset_index(drop=True)
    return table.assign(browsers=found.groups[at], at_once=found.at_once(at))


def shared_among(joining: pd.DataFrame, looks_of: Callable[[str], Looks]) -> SharedValues:
    """Return those that strangers seem to share.

    Parameters
    ----------
    joining : pandas.DataFrame
        As `joining_values` returns it.
    looks_of : callable
        Returns how the values of an alias type look.
    """
    unlike = np.zeros(len(joining), dtype=bool)
    for alias_type in sorted(set(joining["alias_type"])):
        mine = (joining["alias_type"] == alias_type).to_numpy(dtype=bool)
        unlike[mine] = looks_of(alias_type).unlike(joining["alias_value"][mine])
    shared = unlike | (joining["at_once"] >= FEWEST_BROWSERS).to_numpy(dtype=bool)
    table = joining.assign(unlike=unlike)[shared]
    urns = [urn(*pair) for pair in zip(table["alias_type"], table["alias_value"], strict=True)]
    table = table.assign(urn=pd.Series(urns, index=table.index, dtype=object))
    records = sorted(table.to_dict("records"), key=lambda row: (-row["browsers"], row["urn"]))
    return SharedValues(
        [row["urn"] for row in records],
        [int(row["browsers"]) for row in records],
        [bool(row["unlike"]) for row in records],
    )


@dataclass(frozen=True)
class Looks:
    """How the values of an alias type look; those of parts can be added up.

    Attributes
    ----------
    count : int
        How many there are.
    with_digit, with_at : int
        How many hold a digit, and an at sign.
    lengths : numpy.ndarray of int
        How many are of each length, from 0.
    """

    count: int
    with_digit: int
    with_at: int
    lengths: IntArray

    @classmethod
    def of(cls, values: pd.Series) -> Looks:
        """Return how values look."""
        has_digit, has_at, length = _features(values)
        return cls(len(values), int(has_digit.sum()), int(has_at.sum()), np.bincount(length))

    def __add__(self, other: Looks) -> Looks:
        """Return how both together look."""
        lengths = np.zeros(max(len(self.lengths), len(other.lengths)), dtype=np.int64)
        for part in (self.lengths, other.lengths):
            lengths[: len(part)] += part
        return Looks(
            self.count + other.count,
            self.with_digit + other.with_digit,
            self.with_at + other.with_at,
            lengths,
        )

    def unlike(self, values: pd.Series) -> BoolArray:
        """Return which of some values, all among these, lack what nearly all of these have."""
        unlike = np.zeros(len(values), dtype=bool)
        if self.count <= _FEWEST_VALUES:
            return unlike
        has_digit, has_at, length = _features(values)
        usual = int(self.lengths.argmax())
        features = [(has_digit, self.with_digit), (has_at, self.with_at)]
        if usual >= _LONG:
            features.append((length == usual, int(self.lengths[usual])))
        for has, having in features:
            # The value itself, which lacks it, is not one of the others.
            if having >= _NEARLY_ALL * (self.count - 1):
                unlike |= ~has
        return unlike


@dataclass(frozen=True)
class _Joined:
    """Which values met which groups.

    Attributes
    ----------
    groups : numpy.ndarray of int
        Per alias, with how many groups that hold a browser it met; 0 for what is not taken out.
    value, group : numpy.ndarray of int
        One entry per such meeting, sorted by value.
    there, begin, end : numpy.ndarray of int
        When each group was there, in microseconds, sorted by group. One group's do not overlap.
    """

    groups: IntArray
    value: IntArray
    group: IntArray
    there: IntArray
    begin: IntArray
    end: IntArray

    @classmethod
    def of_nothing(cls, size: int) -> _Joined:
        return cls(np.zeros(size, dtype=np.int64), *(_NOTHING,) * 5)

    @classmethod
    def of(cls, s: StitchedEvents, is_browser: BoolArray) -> _Joined:
        aliases, component = s.resolution.aliases, s.resolution.component
        size = len(component)
        held = np.bincount(component[is_browser], minlength=int(component.max(initial=-1)) + 1)
        chosen = (held >= FEWEST_BROWSERS)[component[aliases.alias]] & aliases.own
        if not chosen.any():
            return cls.of_nothing(size)
        # Most profiles are not asked for: the aliases of those that are get numbers of their own.
        mine = np.flatnonzero(np.bincount(aliases.alias[chosen], minlength=size))
        place = np.empty(size, dtype=np.int64)
        place[mine] = np.arange(len(mine))
        event, alias = aliases.event[chosen], place[aliases.alias[chosen]]
        types, is_browser = aliases.types, is_browser[mine]
        code = types.codes[mine].astype(np.int64)
        login = np.isin(types.categories, LOGIN_TYPES)[code] & ~is_browser
        out = login | _meets_many(event, alias, is_browser | login, code)

        stays = ~out[alias]
        group = first_of_component(event[stays], alias[stays], len(mine))
        browser = np.flatnonzero(is_browser)
        first, last = _seen(event, alias, microseconds(s.events["timestamp"]), len(mine))
        of, begin, end = _lives(group[browser], first[browser], last[browser])
        has_browser = np.zeros(len(mine), dtype=bool)
        has_browser[of] = True
        group_of_event = np.full(len(s.events), -1, dtype=np.int64)
        group_of_event[event[stays]] = group[alias[stays]]
        met = ~stays & (group_of_event[event] >= 0)
        met[met] = has_browser[group_of_event[event[met]]]
        meetings = distinct(alias[met] * len(mine) + group_of_event[event[met]])
        value = mine[meetings // len(mine)]
        groups = np.bincount(value, minlength=size)
        return cls(groups, value, meetings % len(mine), of, begin, end)

    def at_once(self, values: IntArray) -> IntArray:
        """Return with how many groups that were there at the same time each value met."""
        asked = np.isin(self.value, values)
        value, group = self.value[asked], self.group[asked]
        first = np.searchsorted(self.there, group)
        count = np.searchsorted(self.there, group, side="right") - first
        life = np.repeat(first - (np.cumsum(count) - count), count) + np.arange(count.sum())
        value = np.repeat(value, count)
        change = np.repeat([1, -1], len(value))
        value = np.append(value, value)
        # What ends when another begins was not there with it.
        order = np.lexsort((change, np.append(self.begin[life], self.end[life]), value))
        there = np.cumsum(change[order])
        most = np.zeros(len(self.groups), dtype=np.int64)
        np.maximum.at(most, value[order], there)
        return most[values]


def _meets_many(event: IntArray, alias: IntArray, known: BoolArray, code: IntArray) -> BoolArray:
    """Return which of the other aliases met `FEWEST_BROWSERS` values of another type.

    Parameters
    ----------
    event, alias : numpy.ndarray of int
        One entry per pair, sorted by event.
    known : numpy.ndarray of bool
        Which aliases are not asked for.
    code : numpy.ndarray of int
        Each alias's type.
    """
    size = len(known)
    maybe = ~known & (np.bincount(alias, minlength=size) >= FEWEST_BROWSERS)
    asked = np.flatnonzero(maybe[alias])
    first = np.searchsorted(event, event[asked])
    count = np.searchsorted(event, event[asked], side="right") - first
    other = alias[np.repeat(first - (np.cumsum(count) - count), count) + np.arange(count.sum())]
    met = distinct(np.repeat(alias[asked], count) * size + other)
    value, other = met // size, met % size
    others = code[value] != code[other]
    kinds = int(code.max(initial=0)) + 1
    # A meeting is of one value and one type, and values are in order.
    pair = np.sort(value[others] * kinds + code[other[others]])
    starts = np.flatnonzero(run_starts(pair))
    found = np.zeros(size, dtype=bool)
    many = np.diff(np.append(starts, len(pair))) >= FEWEST_BROWSERS
    found[pair[starts[many]] // kinds] = True
    return found


def _seen(
    event: IntArray, alias: IntArray, times: IntArray, size: int
) -> tuple[IntArray, IntArray]:
    """Return when each alias was first and last on an event."""
    limits = np.iinfo(np.int64)
    first, last = np.full(size, limits.max), np.full(size, limits.min)
    np.minimum.at(first, alias, times[event])
    np.maximum.at(last, alias, times[event])
    return first, last


def _lives(group: IntArray, first: IntArray, last: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Return when each group had a browser there: groups, begins and ends, without overlaps.

    Parameters
    ----------
    group, first, last : numpy.ndarray of int
        Of each browser its group, and when it was first and last seen.
    """
    order = np.lexsort((first, group))
    group, begin = group[order], first[order]
    end = np.maximum(last[order], begin + SHORTEST_LIFE)
    furthest = pd.Series(end).groupby(group).cummax().to_numpy()
    new = run_starts(group)
    new[1:] |= begin[1:] > furthest[:-1]
    starts = np.flatnonzero(new)
    return group[starts], begin[starts], furthest[np.append(starts[1:], len(group)) - 1]


def _features(values: pd.Series) -> tuple[BoolArray, BoolArray, IntArray]:
    """Return which texts hold a digit, which an at sign, and how long they are."""
    texts = to_arrow(values)
    matches = (pc.match_substring_regex(texts, r"\d"), pc.match_substring(texts, "@"))
    has_digit, has_at = (match.to_numpy(zero_copy_only=False).astype(bool) for match in matches)
    length = pc.utf8_length(texts).to_numpy(zero_copy_only=False).astype(np.int64)
    return has_digit, has_at, length

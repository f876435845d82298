"""Aliases: reading them off events, giving them one form, blocking those that identify nobody.

An alias is a (type, value) pair, written as a URN: ``urn:email:john@example.com``. A URN splits
at its first two colons: the type is lower-cased, the value may hold colons. `alias_rules` says in
which form values are compared. A missing value is no alias. Values that stand for "nobody", the
empty text among them, are blocked and counted; what is no alias at all (no type, no text, or
nothing that its type's rule knows) is never guessed: it is left out, counted and listed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.base.columns import each_column
from convergekit.base.compiled import compiled
from convergekit.base.grouping import distinct_rows, first_of_run, run_starts
from convergekit.base.text import arrow_array, as_text, folded_text, to_arrow, usual_characters
from convergekit.errors import ColumnError, ConvergekitError, UnknownNameError, did_you_mean
from convergekit.events.schema import ALIAS, PROFILE_PROPERTY
from convergekit.identity.alias_rules import (
    EMAIL,
    AliasRules,
    are_look_alikes,
    plain_form,
    split_urn,
)
from convergekit.typing import BoolArray, IntArray

_NO_RULES = AliasRules()

#: What `block=` takes.
Block = str | re.Pattern[str] | Iterable[str | re.Pattern[str]]

#: Blocked in every type, compared trimmed and lower-cased; so is any value of zeros and dashes.
BLOCKED_VALUES = frozenset(
    {
        "",
        "null",
        "none",
        "nan",
        "undefined",
        "n/a",
        "(not set)",
        "unknown",
        "anonymous",
        "guest",
        "-1",
        "[object object]",
    }
)
#: The alias type of a browser session where nobody names another.
USUAL_BROWSER = "cookie"
LOOK_ALIKES = "e-mail address in a look-alike form: usual form taken"
NO_TYPE = "not a URN: expected urn:<type>:<value>"
NOT_TEXT = "an alias is text or a number"
NOT_A_LIST = "aliases is a list of URNs"
RULED_OUT = "the rule for {} makes no alias of it"


@dataclass(frozen=True)
class Apart:
    """Which aliases are kept apart, although they meet on events.

    Attributes
    ----------
    group : numpy.ndarray of int
        A number per alias. Aliases on one event are linked only within a group.
    rank : numpy.ndarray of int
        A number per alias: of an event's groups, its own is that of the alias of lowest rank.
        -1 for aliases that are never kept apart from one that they meet.
    home : numpy.ndarray of int or None
        The number of each event's own group where that is not for its aliases to say, -1 for
        none.
    """

    group: IntArray
    rank: IntArray
    home: IntArray | None = None


@dataclass(frozen=True)
class EventAliases:
    """Which event carries which alias, as integers.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per alias that some event carries: `alias_type`, `alias_value`.
    event, alias : numpy.ndarray of int
        One entry per (event, alias) pair, each pair once, sorted by event: the event's
        position and the alias's position in `table`.
    blocked : pandas.DataFrame
        `alias_type`, `alias_value`, `events`: the blocked values and how many events had them.
    malformed : pandas.DataFrame
        `position`, `reason`: the events with something that is no alias.
    apart : Apart or None
        Which aliases are kept apart; None where all that meet are linked.
    rules : AliasRules
        In which form values are compared.
    look_alikes : int
        How many events carry a value in characters that only look like those that are compared.
    """

    table: pd.DataFrame
    event: IntArray
    alias: IntArray
    blocked: pd.DataFrame
    malformed: pd.DataFrame
    apart: Apart | None = None
    rules: AliasRules = _NO_RULES
    look_alikes: int = 0

    @property
    def types(self) -> pd.Categorical:
        """Each alias's type; the categories are the types that occur, by the alphabet."""
        types = pd.Categorical(self.table["alias_type"]).remove_unused_categories()
        return types.reorder_categories(sorted(types.categories))

    @cached_property
    def own(self) -> BoolArray:
        """Which pairs say whose the event is: all, but those of other groups than its own."""
        own = np.ones(len(self.event), dtype=bool)
        if self.apart is None:
            return own
        group, rank = self.apart.group, self.apart.rank
        if self.apart.home is not None:
            return group[self.alias] == self.apart.home[self.event]
        maybe = np.flatnonzero(rank[self.alias] >= 0)
        event, alias = self.event[maybe], self.alias[maybe]
        order = np.lexsort((rank[alias], event))
        leading = alias[order][first_of_run(run_starts(event[order]))]
        own[maybe[order]] = group[alias[order]] == group[leading]
        return own

    @property
    def by_group(self) -> tuple[IntArray, IntArray]:
        """The events and aliases of the pairs, those of one event and group side by side."""
        if self.apart is None:
            return self.event, self.alias
        event, alias = self.event.copy(), self.alias.copy()
        maybe = np.flatnonzero(self.apart.rank[alias] >= 0)
        order = maybe[np.lexsort((self.apart.group[alias[maybe]], event[maybe]))]
        event[maybe], alias[maybe] = event[order], alias[order]
        return event, alias

    def linked(self, one: IntArray, other: IntArray) -> BoolArray:
        """Return which pairs of aliases an event links on which they meet."""
        if self.apart is None:
            return np.ones(len(one), dtype=bool)
        return self.apart.group[one] == self.apart.group[other]

    def urns(self, alias: IntArray) -> list[str]:
        """Return the URNs of the aliases at these positions."""
        chosen = self.table.iloc[alias]
        pairs = zip(chosen["alias_type"], chosen["alias_value"], strict=True)
        return [urn(*pair) for pair in pairs]

    def of_events(self, keep: BoolArray) -> EventAliases:
        """Return the pairs of the chosen events alone, renumbered, and the aliases they carry."""
        place = np.cumsum(keep) - 1
        chosen = keep[self.event]
        used = np.zeros(len(self.table), dtype=bool)
        used[self.alias[chosen]] = True
        new = np.cumsum(used) - 1
        apart = self.apart
        if apart is not None:
            home = None if apart.home is None else apart.home[keep]
            apart = Apart(apart.group[used], apart.rank[used], home)
        return replace(
            self,
            table=self.table if used.all() else self.table[used].reset_index(drop=True),
            event=place[self.event[chosen]],
            alias=new[self.alias[chosen]],
            apart=apart,
        )

    def without(self, dropped: BoolArray) -> EventAliases:
        """Return the pairs without these aliases, the others renumbered and none kept apart."""
        left = ~dropped
        table = self.table[left].reset_index(drop=True)
        chosen = left[self.alias]
        return replace(
            self,
            table=table.assign(alias_type=table["alias_type"].cat.remove_unused_categories()),
            event=self.event[chosen],
            alias=(np.cumsum(left) - 1)[self.alias[chosen]],
            apart=None,
        )

    def renumbered(self, place: IntArray) -> EventAliases:
        """Return the same pairs, the aliases numbered by their places in another order."""
        order = np.argsort(place)
        apart = self.apart
        if apart is not None:
            apart = Apart(apart.group[order], apart.rank[order], apart.home)
        table = self.table.take(order).reset_index(drop=True)
        return replace(self, table=table, alias=place[self.alias], apart=apart)

    def with_pairs(self, event: IntArray, alias: IntArray) -> EventAliases:
        """Return the same aliases on other events; repeated pairs count once."""
        if len(event):
            event, alias = distinct_rows(event, alias)
        return replace(self, event=event, alias=alias)


def urn(alias_type: str, alias_value: str) -> str:
    """Return an alias as a URN.

    Examples
    --------
    >>> urn("email", "ada@example.com")
    'urn:email:ada@example.com'
    """
    return f"urn:{alias_type}:{alias_value}"


def refuse_unknown_types(option: str, named: Iterable[str], known: Sequence[str]) -> None:
    """Raise if an option names an alias type that no event carries, though some carry others.

    Raises
    ------
    UnknownNameError
    """
    for name in named:
        if known and name not in known:
            raise UnknownNameError(
                f"{option} names the alias type {name!r}, which no event carries. "
                f"Found: {', '.join(known)}.{did_you_mean(name, known)}"
            )


def browser_type(given: Any) -> str:
    """Return the alias type that `browser_alias` names, in the form of all types.

    Raises
    ------
    ConvergekitError
        It is no name.

    Examples
    --------
    >>> browser_type("Device")
    'device'
    """
    if not isinstance(given, str) or not given.strip():
        raise ConvergekitError(
            f"browser_alias={given!r} is no alias type; give one such as {USUAL_BROWSER!r}."
        )
    return given.strip().lower()


def read_aliases(
    events: pd.DataFrame,
    *,
    block: Block = (),
    alias_from: Mapping[str, str] | None = None,
    rules: AliasRules = _NO_RULES,
) -> EventAliases:
    """Read the aliases of every event.

    Parameters
    ----------
    events : pandas.DataFrame
        Normalised events with `alias.<type>` columns, a column `aliases` of lists of URNs, or
        both.
    block : iterable of str or re.Pattern
        Aliases to leave out besides `BLOCKED_VALUES`: a URN blocks that alias, any other text
        that value in every type (whatever its case), a pattern every value that it fully
        matches.
    alias_from : mapping of str to str, optional
        Profile property to alias type, such as ``{"$email": "email"}``.
    rules : AliasRules
        In which form values are compared.

    Returns
    -------
    EventAliases

    Raises
    ------
    ColumnError
        There is no column of aliases.
    UnknownNameError
        `alias_from` names a profile property that no event carries, or `rules` a type.

    Examples
    --------
    >>> events = pd.DataFrame({"alias.email": ["Ada@example.com", "null"],
    ...                        "aliases": [["urn:cookie:7f3a"], ["ada"]]})
    >>> found = read_aliases(events)
    >>> found.table.values.tolist()
    [['email', 'ada@example.com'], ['cookie', '7f3a']]
    >>> list(zip(found.event.tolist(), found.alias.tolist()))
    [(0, 0), (0, 1)]
    >>> found.malformed.values.tolist()
    [[1, 'not a URN: expected urn:<type>:<value>']]
    """
    return read_alias_columns(events, alias_from=alias_from).united(block=block, rules=rules)


def read_alias_columns(
    events: pd.DataFrame, *, alias_from: Mapping[str, str] | None = None
) -> AliasColumns:
    """Read the aliases of every event as they stand: the longer half of `read_aliases`.

    Raises
    ------
    ColumnError
        There is no column of aliases.
    UnknownNameError
        `alias_from` names a profile property that no event carries.
    """
    if not alias_from and "aliases" not in events and not any(map(_is_alias_column, events)):
        raise ColumnError(
            f"no alias column. Found: {', '.join(map(str, events.columns))}. Events are stitched "
            "by their aliases: give a column `aliases` of URNs or columns `alias.<type>`, or name "
            'one with columns={"alias.email": ...}.'
        )
    columns = [
        (name.removeprefix(ALIAS).lower(), events[name])
        for name in filter(_is_alias_column, events.columns)
    ]
    for name, alias_type in (alias_from or {}).items():
        columns.append((alias_type.lower(), _property_column(events, name)))
    found = each_column(lambda column: _read_column(*column), columns, rows=len(events))
    readings = [reading for reading, _ in found]
    malformed = [(unusable, NOT_TEXT) for _, unusable in found if len(unusable)]
    if "aliases" in events:
        _read_lists(events["aliases"], readings, malformed)
    return AliasColumns(readings, malformed)


def leave_out_blocked(aliases: EventAliases, block: Block) -> EventAliases:
    """Return the aliases without those that are blocked, which are counted as such.

    Parameters
    ----------
    aliases : EventAliases
        Named otherwise since they were read.
    block : iterable of str or re.Pattern
        As `read_aliases` takes it.
    """
    is_blocked = _Blocker(block, aliases.rules)
    types, values = aliases.table["alias_type"], aliases.table["alias_value"]
    bad = np.zeros(len(types), dtype=bool)
    for name in types.cat.categories:
        at = np.flatnonzero(types == name)
        bad[at] = is_blocked(name, to_arrow(values.iloc[at]))
    if not bad.any():
        return aliases
    carried = np.bincount(aliases.alias, minlength=len(types))
    gone = aliases.table[bad].assign(events=carried[bad])
    return replace(aliases.without(bad), blocked=_blocked_table([aliases.blocked, gone]))


@dataclass(frozen=True)
class _Reading:
    """Raw values of one type: `values[code[i]]` stands on event `event[i]`."""

    alias_type: str
    event: IntArray
    code: IntArray
    values: pa.Array


@dataclass(frozen=True)
class AliasColumns:
    """The aliases of events as their columns have them: numbered, not in one form as yet.

    Attributes
    ----------
    readings : list of _Reading
        Per column, and per type in lists.
    malformed : list of (numpy.ndarray of int, str)
        Positions of events with something that is no alias, and the reason.
    """

    readings: list[_Reading]
    malformed: list[tuple[IntArray, str]]

    def united(self, *, block: Block = (), rules: AliasRules = _NO_RULES) -> EventAliases:
        """Return the aliases in one form and numbering, without those that are blocked.

        Raises
        ------
        ConvergekitError
            `block` holds something that blocks nothing.
        UnknownNameError
            `rules` names a type that no event carries.
        """
        carried = (reading.alias_type for reading in self.readings if len(reading.event))
        refuse_unknown_types("rules", rules.rules, sorted(set(carried)))
        return _unite(self.readings, self.malformed, _Blocker(block, rules), rules)


class _Blocker:
    """Says which normalised values of a type are blocked."""

    def __init__(self, block: Block, rules: AliasRules) -> None:
        if isinstance(block, (str, re.Pattern)):
            block = [block]
        if not isinstance(block, Iterable):
            raise ConvergekitError(
                f"block={block!r}: give a list of URNs, values or compiled patterns."
            )
        self._values = set(BLOCKED_VALUES)
        self._emails: set[str] = set()
        self._aliases: dict[str, set[str]] = {}
        self._patterns: list[re.Pattern[str]] = []
        for item in block:
            if isinstance(item, re.Pattern):
                self._patterns.append(item)
            elif not isinstance(item, str):
                raise ConvergekitError(
                    f"block holds {item!r}, a {type(item).__name__}. Give a URN "
                    "('urn:cart_token:123'), a value ('test@example.com') or a compiled pattern."
                )
            elif (alias := rules.parse(item)) is not None:
                self._aliases.setdefault(alias[0], set()).update(alias[1])
            elif item.strip().lower().startswith("urn:"):
                raise ConvergekitError(
                    f"block holds {item!r}, a URN without a type or a value; give one such as "
                    "'urn:cart_token:123'."
                )
            else:
                self._values.add(folded_text(item))
                self._emails.add(folded_text(usual_characters(item)))

    def __call__(self, alias_type: str, values: pa.Array) -> BoolArray:
        wanted = self._values | self._emails if alias_type == EMAIL else self._values
        blocked = pc.is_in(pc.utf8_lower(values), value_set=_texts(wanted))
        zeros_and_dashes = pc.equal(pc.ascii_trim(values, characters="0-"), "")
        blocked = pc.or_(blocked, zeros_and_dashes)
        if alias_type in self._aliases:
            blocked = pc.or_(blocked, pc.is_in(values, value_set=_texts(self._aliases[alias_type])))
        found = blocked.to_numpy(zero_copy_only=False).astype(bool)
        for pattern in self._patterns:
            hits = (pattern.fullmatch(value) is not None for value in values.to_pylist())
            found |= np.fromiter(hits, dtype=bool, count=len(values))
        return found


def _is_alias_column(name: str) -> bool:
    return name.startswith(ALIAS)


def _texts(values: Collection[str]) -> pa.Array:
    return pa.array(sorted(values), type=pa.large_string())


def _property_column(events: pd.DataFrame, name: str) -> pd.Series:
    column = name if name.startswith(PROFILE_PROPERTY) else PROFILE_PROPERTY + name
    if column not in events:
        names = [c.removeprefix(PROFILE_PROPERTY) for c in events if c.startswith(PROFILE_PROPERTY)]
        raise UnknownNameError(
            f"alias_from names the profile property {name!r}, which no event carries. "
            f"Found: {', '.join(names) or 'no profile properties'}.{did_you_mean(name, names)}"
        )
    return events[column]


def _read_column(alias_type: str, column: pd.Series) -> tuple[_Reading, IntArray]:
    """Return the column's values as a reading, and where it holds something that is no text."""
    text, unusable = as_text(column)
    return _Reading(alias_type, *_numbered(text)), np.flatnonzero(unusable)


def _numbered(text: pd.Series) -> tuple[IntArray, IntArray, pa.Array]:
    """Return where texts are, their numbers by first appearance, and the distinct texts."""
    cells = pa.array(text, from_pandas=True)
    present = np.flatnonzero(np.asarray(cells.is_valid()))
    if compiled(len(cells)):
        from convergekit.base.compiled_text import number_present

        codes, distinct = number_present(cells, present)
        return present, codes.astype(np.int64), distinct
    encoded = arrow_array(cells).drop_null().dictionary_encode()
    return present, encoded.indices.to_numpy().astype(np.int64), encoded.dictionary


def _read_lists(
    lists: pd.Series,
    readings: list[_Reading],
    malformed: list[tuple[IntArray, str]],
) -> None:
    """Flatten the lists, then split each distinct URN once."""
    positions: list[int] = []
    urns: list[str] = []
    not_lists: list[int] = []
    not_texts: list[int] = []
    for position, cell in enumerate(lists):
        items = alias_items(cell)
        if items is None:
            not_lists.append(position)
            continue
        for item in items:
            if isinstance(item, str):
                positions.append(position)
                urns.append(item)
            elif not _is_nothing(item):
                not_texts.append(position)
    for found, reason in ((not_lists, NOT_A_LIST), (not_texts, NOT_TEXT)):
        if found:
            malformed.append((np.array(found, dtype=np.int64), reason))

    codes, distinct = pd.factorize(pd.Series(urns, dtype=object))
    event = np.array(positions, dtype=np.int64)
    parsed = [split_urn(text) for text in distinct]
    typeless = np.fromiter((pair is None for pair in parsed), dtype=bool, count=len(parsed))
    if typeless.any():
        malformed.append((event[typeless[codes]], NO_TYPE))
    values: dict[str, list[str]] = {}
    place = np.zeros(len(parsed), dtype=np.int64)
    for number, pair in enumerate(parsed):
        if pair is not None:
            of_type = values.setdefault(pair[0], [])
            place[number] = len(of_type)
            of_type.append(pair[1])
    types = pd.Categorical([pair and pair[0] for pair in parsed], categories=sorted(values))
    # The pairs type by type, so that each is looked at once, however many types there are.
    of_pair = types.codes[codes]
    order = np.argsort(of_pair, kind="stable")
    bounds = np.searchsorted(of_pair[order], np.arange(len(values) + 1))
    for alias_type, start, stop in zip(types.categories, bounds[:-1], bounds[1:], strict=True):
        chosen = order[start:stop]
        texts = to_arrow(as_text(pd.Series(values[alias_type], dtype=object))[0])
        readings.append(_Reading(alias_type, event[chosen], place[codes[chosen]], texts))


def alias_items(cell: Any) -> Iterable[Any] | None:
    """Return the members of an `aliases` cell, or None if it is no list."""
    if isinstance(cell, (list, tuple, np.ndarray, set, frozenset)):
        return sorted(cell, key=repr) if isinstance(cell, (set, frozenset)) else cell
    if isinstance(cell, str):
        return _items_of_text(cell)
    return () if _is_nothing(cell) else None


def _items_of_text(cell: str) -> Iterable[Any]:
    """Return the list that a CSV or a warehouse wrote as JSON; else the text as one URN."""
    if cell.lstrip()[:1] == "[":
        try:
            found: list[Any] = json.loads(cell)
        except (ValueError, RecursionError):
            return [cell]
        return found
    return [cell] if cell.strip() else []


def _is_nothing(item: Any) -> bool:
    return pd.api.types.is_scalar(item) and bool(pd.isna(item))


def _unite(
    readings: list[_Reading],
    malformed: list[tuple[IntArray, str]],
    is_blocked: _Blocker,
    rules: AliasRules,
) -> EventAliases:
    """Give the aliases of all readings one numbering, and sort the pairs by event."""
    by_type: dict[str, list[_Reading]] = {}
    for reading in readings:
        by_type.setdefault(reading.alias_type, []).append(reading)
    types = list(by_type)
    rows = sum(len(reading.event) for reading in readings)
    of_types = each_column(
        lambda name: _of_type(name, by_type[name], is_blocked, rules), types, rows
    )
    values = [part.distinct for part in of_types]
    starts = np.cumsum([0, *map(len, values)])
    events = [part.event for part in of_types]
    aliases = [part.code + start for part, start in zip(of_types, starts, strict=False)]
    blocked = [part.blocked for part in of_types if len(part.blocked)]
    ruled_out = [
        (part.ruled_out, RULED_OUT.format(name))
        for name, part in zip(types, of_types, strict=True)
        if len(part.ruled_out)
    ]
    event, alias = _concatenated(events), _concatenated(aliases)
    # A stable sort of a few sorted runs: cheap, and keeps the columns' order within an event.
    order = np.argsort(event, kind="stable")
    return EventAliases(
        _alias_table(types, values),
        event[order],
        alias[order],
        _blocked_table(blocked),
        _malformed_table(malformed + ruled_out),
        rules=rules,
        look_alikes=len(np.unique(_concatenated([part.look_alikes for part in of_types]))),
    )


@dataclass(frozen=True)
class _OfType:
    """One type's usable values, which event carries which, and what was left out."""

    distinct: pa.Array
    event: IntArray
    code: IntArray
    blocked: pd.DataFrame
    ruled_out: IntArray
    look_alikes: IntArray


def _of_type(
    alias_type: str, readings: list[_Reading], is_blocked: _Blocker, rules: AliasRules
) -> _OfType:
    """Give the values of a type's readings one numbering, normalised, without blocked ones."""
    raw = pa.concat_arrays([arrow_array(reading.values) for reading in readings])
    distinct = plain_form(alias_type, raw)
    starts = np.cumsum([0, *(len(reading.values) for reading in readings)])
    code = _concatenated(
        [reading.code + start for reading, start in zip(readings, starts, strict=False)]
    )
    event = _concatenated([reading.event for reading in readings])
    masked = are_look_alikes(alias_type, raw, distinct).to_numpy(zero_copy_only=False)
    in_disguise = event[masked[code]]
    # A column's values are distinct already, unless normalising made some of them equal.
    if len(readings) > 1 or not distinct.equals(raw):
        distinct, place = _encoded(distinct)
        code = place[code]
    ruled_out = np.empty(0, dtype=np.int64)
    if alias_type in rules.rules:
        ruled = _ruled(alias_type, distinct, is_blocked, rules)
        is_out = ruled.is_null().to_numpy(zero_copy_only=False)[code]
        ruled_out, event, code = event[is_out], event[~is_out], code[~is_out]
        distinct, place = _encoded(ruled)
        code = place[code]
    bad = is_blocked(alias_type, distinct)
    blocked = _count_blocked(alias_type, distinct, bad, code)
    if bad.any():
        usable = ~bad
        event, code = event[usable[code]], (np.cumsum(usable) - 1)[code[usable[code]]]
        distinct = distinct.filter(pa.array(usable))
    if not _strictly_ascending(event):
        event, code = distinct_rows(event, code)
    return _OfType(distinct, event, code, blocked, ruled_out, in_disguise)


def _ruled(
    alias_type: str, distinct: pa.Array, is_blocked: _Blocker, rules: AliasRules
) -> pa.Array:
    """Return what the rule makes of the values; what is blocked is not put to it."""
    blocked = is_blocked(alias_type, distinct)
    values = distinct.to_pylist()
    usable = [value for value, bad in zip(values, blocked, strict=True) if not bad]
    made = iter(rules.apply(alias_type, usable))
    return pa.array(
        [value if bad else next(made) for value, bad in zip(values, blocked, strict=True)],
        type=pa.large_string(),
    )


def _encoded(values: pa.Array) -> tuple[pa.Array, IntArray]:
    """Return the distinct values, and each value's place among them, -1 for none."""
    encoded = values.dictionary_encode()
    place = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return encoded.dictionary, place.astype(np.int64)


def _strictly_ascending(event: IntArray) -> bool:
    return bool((event[1:] > event[:-1]).all())


def _concatenated(parts: list[IntArray]) -> IntArray:
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


def _count_blocked(
    alias_type: str,
    distinct: pa.Array,
    bad: BoolArray,
    code: IntArray,
) -> pd.DataFrame:
    counts = np.bincount(code, minlength=len(distinct))
    return pd.DataFrame(
        {
            "alias_type": alias_type,
            "alias_value": pd.Series(distinct.filter(pa.array(bad)).to_pylist(), dtype="str"),
            "events": counts[bad],
        }
    )


def _alias_table(types: list[str], values: list[pa.Array]) -> pd.DataFrame:
    lengths = [len(part) for part in values]
    everything = pa.concat_arrays(values) if values else pa.array([], type=pa.large_string())
    return pd.DataFrame(
        {
            "alias_type": pd.Categorical.from_codes(
                np.repeat(np.arange(len(types)), lengths), categories=types
            ),
            "alias_value": pd.Series(everything, dtype="str"),
        }
    )


def _blocked_table(parts: list[pd.DataFrame]) -> pd.DataFrame:
    if not parts:
        return pd.DataFrame(
            {
                "alias_type": pd.Series(dtype="str"),
                "alias_value": pd.Series(dtype="str"),
                "events": pd.Series(dtype="int64"),
            }
        )
    table = pd.concat(parts, ignore_index=True)
    table["alias_type"] = table["alias_type"].astype("str")
    return table.sort_values(
        ["events", "alias_type", "alias_value"], ascending=[False, True, True], ignore_index=True
    )


def _malformed_table(parts: list[tuple[IntArray, str]]) -> pd.DataFrame:
    positions = _concatenated([positions for positions, _ in parts])
    reasons = [reason for places, reason in parts for _ in range(len(places))]
    table = pd.DataFrame({"position": positions, "reason": pd.Series(reasons, dtype="str")})
    return table.sort_values("position", kind="stable", ignore_index=True)

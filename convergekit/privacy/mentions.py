"""Mentions: find the values of one person in frames, and take them out.

A `Person` is what is looked for. An `Eraser` takes a person out of any number of frames: out of
events as `canonicalise` names their columns, with cells of any type, before or after stitching.

E-mail addresses and phone numbers go wherever they stand, in every spelling that `spellings`
reads. A cell that is nothing else is blanked, as is a list or an object that holds one; within a
longer text, ``(erased)`` stands instead. What tells things apart (columns, event IDs, sources,
aliases of others) gets a number as well, ``(erased 2)``, so that what had two names has two.

>>> frame = pd.DataFrame({
...     "event_id": ["1", "2", "3"],
...     "alias.email": ["ada@example.com", "bob@example.com", None],
...     "properties.gift_to": [None, "ADA@example.com", "for ada@example.com"],
... })
>>> theirs = np.array([True, False, False])
>>> person = Person.of([("email", "ada@example.com")])
>>> person = person.sending(frame[theirs]).besides(frame[~theirs])
>>> erased = Eraser(person).erase(frame, theirs)
>>> erased.frame["properties.gift_to"].tolist()
[nan, 'for (erased)']
>>> erased.counts["cells of others that named the person"]
2

Frames may come in parts, each several times: first `sending` for every part with the person's
events and their copies, then `besides` for every part with those of others, then `erase`, by one
`Eraser`, for every part.

All other values are compared in one form, folded: composed, trimmed and in lower case.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.base.text import as_text, folded, folded_text, to_arrow
from convergekit.base.threads import chosen_rows
from convergekit.errors import ConvergekitError
from convergekit.events.arrow import as_lists_of_text
from convergekit.events.nothing import PLACEHOLDERS, is_nobody
from convergekit.events.schema import ALIAS, PROFILE, PROFILE_PROPERTY, PROPERTY
from convergekit.identity.alias_rules import AliasRules, plain_form
from convergekit.identity.aliases import urn
from convergekit.identity.profiles import LOGIN_TYPES
from convergekit.identity.read_aliases import alias_items
from convergekit.privacy.erasing import (
    blanked,
    column_without,
    compact,
    distinct_texts,
    is_text,
    leaves,
    of_texts,
)
from convergekit.privacy.spellings import (
    ERASED,
    Addresses,
    longer_addresses,
    says_email,
    says_phone,
    split_addresses,
)
from convergekit.typing import BoolArray, IntArray

LOST_ALIAS = "events of others that lost an alias"
NAMED_COLUMNS = "columns named after the person"
NAMED = "cells of others that named the person"

_FOUND_AS_A_WORD = 6
_NAMING = ("email", "phone")
_URN_PARTS = 3
_LIFE = re.compile(r"~\d+$")
_NUMBERED = re.compile(r"\(erased (\d+)\)")
_PREFIXES = (PROFILE_PROPERTY, PROPERTY, PROFILE, ALIAS)
#: Columns that tell events apart.
_IDENTIFYING = ("event_id", "source")
#: Columns of numbers that are ours, and no phone numbers.
_PLACES = ("row", "kept_row", "line")


@dataclass(frozen=True)
class Person:
    """What is known of one person, to be looked for.

    Attributes
    ----------
    aliases : frozenset of (str, str)
        Type and value, in the form in which aliases are compared.
    rules : AliasRules
        Which form that is.
    sent : frozenset of str
        What their events sent as an alias, profile property or event ID, folded.
    reached_by : frozenset of (str, str)
        What of these may be an e-mail address or a phone number, and as what it was sent.
    of_others : frozenset of str
        What of all that others sent as one of these as well.
    longer : frozenset of str
        E-mail addresses of others that hold one of theirs.
    numbered : int
        The highest number that stands for something erased before.
    """

    aliases: frozenset[tuple[str, str]]
    rules: AliasRules = field(default_factory=AliasRules)
    sent: frozenset[str] = frozenset()
    reached_by: frozenset[tuple[str, str]] = frozenset()
    of_others: frozenset[str] = frozenset()
    longer: frozenset[str] = frozenset()
    numbered: int = 0

    @classmethod
    def of(cls, aliases: Iterable[tuple[str, str]], rules: AliasRules | None = None) -> Person:
        """Return the person who has these aliases: all of one profile.

        Where a value has several lives, "123~2", the value itself is theirs as well.
        """
        forms = {
            (str(alias_type), form)
            for alias_type, value in aliases
            for form in (value, _LIFE.sub("", value))
        }
        return cls(frozenset(forms), rules or AliasRules())

    def sending(self, theirs: pd.DataFrame) -> Person:
        """Return the person with what these events of theirs sent; copies are events as well."""
        sent, reached_by = set(), set()
        for _, name, alias_type, text in _sent(theirs):
            sent.add(text)
            if alias_type is not None or name == "aliases" or says_email(name) or says_phone(name):
                reached_by.add((alias_type or name, text))
        return self.with_texts(sent, reached_by)

    def with_texts(self, sent: Iterable[str], reached_by: Iterable[tuple[str, str]]) -> Person:
        """Return the person with what their events sent, and what may be an address of it."""
        return replace(
            self,
            sent=self.sent | frozenset(sent),
            reached_by=self.reached_by | frozenset(reached_by),
        )

    def besides(self, others: pd.DataFrame, also: Iterable[str] = ()) -> Person:
        """Return the person, knowing what these events of others sent; rejected rows do not count.

        Parameters
        ----------
        others : pandas.DataFrame
        also : iterable of str
            Further texts to look for, folded.
        """
        asked = pa.array(sorted(self._values | self.sent | set(also)), type=pa.large_string())
        of_others, longer = set(self.of_others), set(self.longer)
        numbered = max(self.numbered, _highest_number(_texts(map(str, others.columns))))
        for name, column in others.items():
            if not _says_who(name) and name != "source":
                continue
            said = _texts_of(column)
            numbered = max(numbered, _highest_number(said))
            if _says_who(name):
                values = folded(_texts(map(value_in, said.to_pylist())) if _mixed(column) else said)
                of_others |= set(values.filter(pc.is_in(values, value_set=asked)).to_pylist())
                longer |= self._longer_among(_logins(name, said))
        return replace(
            self,
            of_others=frozenset(of_others),
            longer=frozenset(longer),
            numbered=numbered,
        )

    @cached_property
    def own(self) -> frozenset[str]:
        """The values that no other event sent as an alias, profile property or event ID."""
        return (self._values | self.sent) - self.of_others - PLACEHOLDERS

    @cached_property
    def addresses(self) -> Addresses:
        """Values that name the person wherever they stand."""
        emails, phones = split_addresses(self._may_reach(self.own))
        types = {alias_type for alias_type, _ in self.aliases}
        rules = {name: rule for name, rule in self.rules.rules.items() if name in types}
        return Addresses(
            values=frozenset(folded_text(v) for name, v in self.aliases if name in _NAMING),
            emails=frozenset(emails),
            phones=frozenset(phones),
            of_others=self.longer - self.own,
            rules=AliasRules(rules),
            aliases=self.aliases,
        )

    def _may_reach(self, sent: frozenset[str]) -> Iterator[tuple[str, str]]:
        yield from self.aliases
        yield from ((said, text) for said, text in self.reached_by if text in sent)

    def _longer_among(self, texts: pa.Array) -> set[str]:
        emails, _ = split_addresses(self._may_reach(self.sent))
        likely = Addresses(frozenset(), emails=frozenset(emails)).may_be_in(texts)
        return longer_addresses(map(folded_text, texts.take(pa.array(likely)).to_pylist()), emails)

    @property
    def _values(self) -> frozenset[str]:
        return frozenset(folded_text(value) for _, value in self.aliases)


@dataclass(frozen=True, eq=False)
class Erased:
    """A frame without a person.

    Attributes
    ----------
    frame : pandas.DataFrame
        The rows that are left, with a fresh index.
    left : numpy.ndarray of bool
        Which rows of the frame are.
    counts : dict of str to int
        ``"events"`` (rows of the person), ``"rejected"`` (rejected rows that hold a value of
        theirs), `LOST_ALIAS`, `NAMED_COLUMNS` (that no frame had before) and `NAMED`.
    """

    frame: pd.DataFrame
    left: BoolArray
    counts: dict[str, int]


class Eraser:
    """Takes one person out of frames.

    What it calls a column, an event or an alias in one frame it calls so in all.

    Parameters
    ----------
    person : Person
        Of whom `sending` and `besides` have seen all events.
    names : iterable of (str, str)
        What is known to need a name, as `names` has it: in this order they are numbered.
    """

    def __init__(self, person: Person, names: Iterable[tuple[str, str]] = ()) -> None:
        self._person = person
        self._addresses = person.addresses
        self._numbers: dict[tuple[str, str], int] = {}
        for name in names:
            self._number_of(name)
        self._columns_named: set[str] = set()
        self._labels: dict[str, str] = {}
        self._urns_known: dict[str, bool] = {}
        self._urns_made: dict[str, str] = {}

    def erase(
        self, frame: pd.DataFrame, theirs: BoolArray, rejected: BoolArray | None = None
    ) -> Erased:
        """Return a frame without the person.

        Parameters
        ----------
        frame : pandas.DataFrame
            Under canonical names. Never changed.
        theirs : numpy.ndarray of bool
            Which rows are the person's: their events, and the copies of these.
        rejected : numpy.ndarray of bool, optional
            Which rows are not events: those that hold a value of the person's own go as well.
        """
        left = ~theirs
        if rejected is not None:
            at = np.flatnonzero(left & rejected)
            left[at[self.holds(frame.iloc[at])]] = False
        rest = chosen_rows(frame, left)
        new_names = {str(name) for name in rest if self.label(str(name)) != name}
        new_names -= self._columns_named
        self._columns_named |= new_names
        lost, cells, columns = np.zeros(len(rest), dtype=bool), 0, {}
        for name, column in rest.items():
            made, lost_alias, changed = self._column(str(name), column)
            columns[self.label(str(name))] = made
            lost |= lost_alias
            cells += int(changed.sum())
        counts = {
            "events": int(theirs.sum()),
            "rejected": int((~left & ~theirs).sum()),
            LOST_ALIAS: int(lost.sum()),
            NAMED_COLUMNS: len(new_names),
            NAMED: cells,
        }
        return Erased(compact(pd.DataFrame(columns, index=rest.index, copy=False)), left, counts)

    @property
    def person(self) -> Person:
        """Who is taken out."""
        return self._person

    @property
    def names(self) -> list[tuple[str, str]]:
        """What was given a name with a number: of which kind it is, and what it was."""
        return list(self._numbers)

    @property
    def columns_named(self) -> frozenset[str]:
        """The columns that were named after the person, under their new names."""
        return frozenset(map(self.label, self._columns_named))

    def holds(self, rejected: pd.DataFrame) -> BoolArray:
        """Return which rejected rows hold a value of the person's own, or an address."""
        own, rules = self._person.own, self._person.rules
        words = sorted(text for text in own if len(text) >= _FOUND_AS_A_WORD)
        word = re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, words)) + r")(?!\w)")

        def is_theirs(text: str) -> bool:
            return (
                folded_text(text) in own
                or folded_text(value_in(text)) in own
                or not own.isdisjoint(map(folded_text, _ruled(value_in(text), rules)))
                or (bool(words) and word.search(folded_text(text)) is not None)
                or self._addresses.holds(text)
            )

        holds = np.zeros(len(rejected), dtype=bool)
        for name in rejected.columns.difference(["row", "reason"]):
            holds |= _cells_with(rejected[name], is_theirs)
        return holds

    def may_be_in(self, texts: pa.Array) -> IntArray:
        """Return the positions of all texts that hold an address, and of others."""
        return self._addresses.may_be_in(texts)

    def text(self, text: str) -> str:
        """Return a text without the person's addresses: never empty, the same if it has none."""
        made = self._addresses.within(text)
        return ERASED if made is None else made

    def label(self, name: str) -> str:
        """Return the name of a column, a property or an alias type without the addresses."""
        if name not in self._labels:
            prefix = next((prefix for prefix in _PREFIXES if name.startswith(prefix)), "")
            self._labels[name] = prefix + self._numbered("name", name.removeprefix(prefix))
        return self._labels[name]

    def alias(self, alias_type: str, value: str) -> str:
        """Return the value of another person's alias without the addresses."""
        return self._numbered("alias", value, urn(alias_type, value))

    def urns(self, items: Iterable[Any]) -> list[Any]:
        """Return a list of aliases without the person's, and without addresses in the others."""
        left = (item for item in items if not (isinstance(item, str) and self._names(item)))
        return [self._item(item) for item in left]

    def _item(self, item: Any) -> Any:
        """Return a member of a list of aliases without addresses."""
        if not isinstance(item, str):
            return ERASED if self._any_holds(item) else item
        if item not in self._urns_made:
            self._urns_made[item] = self._numbered("alias", item, item)
        return self._urns_made[item]

    def _column(self, name: str, column: pd.Series) -> tuple[pd.Series, BoolArray, BoolArray]:
        """Return a column without the person, which cells lost an alias, and which a mention."""
        nothing = np.zeros(len(column), dtype=bool)
        if name in _PLACES:
            return column, nothing, nothing
        if name == "aliases":
            return self._lists_column(column)
        if name.startswith(ALIAS):
            return self._alias_column(name.removeprefix(ALIAS).lower(), column)
        if name in _IDENTIFYING:
            made, changed = self._identifying(column, lambda text: self._numbered(name, text))
        elif name == "event_name":
            made, changed = column_without(column, self._addresses, self.text)
        else:
            addresses = self._addresses
            numbers = addresses.short_numbers if says_phone(name) else addresses.numbers
            made, changed = column_without(column, addresses, addresses.without, numbers)
        return made, nothing, changed

    def _alias_column(
        self, alias_type: str, column: pd.Series
    ) -> tuple[pd.Series, BoolArray, BoolArray]:
        encoded = to_arrow(as_text(column)[0]).dictionary_encode()
        lost = of_texts(encoded, self._theirs_of(alias_type, encoded.dictionary))
        if lost.any():
            column = blanked(column, lost)
        made, changed = self._identifying(column, lambda text: self.alias(alias_type, text))
        return made, lost, changed

    def _theirs_of(self, alias_type: str, values: pa.Array) -> BoolArray:
        """Return which values of an alias type are the person's."""
        if alias_type in self._person.rules.rules:
            urns = (urn(alias_type, value) for value in values.to_pylist())
            return np.fromiter(map(self._names, urns), dtype=bool, count=len(values))
        own = _texts(value for name, value in self._person.aliases if name == alias_type)
        theirs = pc.is_in(plain_form(alias_type, values), value_set=own)
        return theirs.to_numpy(zero_copy_only=False)

    def _lists_column(self, column: pd.Series) -> tuple[pd.Series, BoolArray, BoolArray]:
        cells = np.empty(len(column), dtype=object)
        lost, changed = np.zeros(len(column), dtype=bool), np.zeros(len(column), dtype=bool)
        for place, cell in enumerate(column):
            cells[place], lost[place], changed[place] = self._list(cell)
        if not (lost | changed).any():
            return column, lost, changed
        made = pd.Series(cells, index=column.index, dtype=object)
        of_arrow = isinstance(column.dtype, pd.ArrowDtype)
        again = as_lists_of_text(made) if of_arrow else None
        return made if again is None else again, lost, changed

    def _list(self, cell: Any) -> tuple[Any, bool, bool]:
        """Return what is left of a cell of aliases, whether it lost one, and a mention."""
        items = alias_items(cell)
        if items is None:
            holds = self._any_holds(cell)
            return None if holds else cell, False, holds
        items = list(items)
        left = [item for item in items if not (isinstance(item, str) and self._names(item))]
        made = self.urns(left)
        lost, changed = len(left) < len(items), made != left
        if not lost and not changed:
            return cell, False, False
        if not isinstance(cell, str):
            return made, lost, changed
        if cell.lstrip()[:1] == "[":
            return json.dumps(made, ensure_ascii=False, default=str), lost, changed
        return (made[0] if made else None), lost, changed

    def _names(self, item: str) -> bool:
        """Return whether a URN is one of the person's aliases."""
        if item not in self._urns_known:
            try:
                alias = self._person.rules.parse(item)
            except ConvergekitError:
                # A rule is for what is not blocked.
                alias = None
            self._urns_known[item] = alias is not None and any(
                (alias[0], value) in self._person.aliases for value in alias[1]
            )
        return self._urns_known[item]

    def _any_holds(self, cell: Any) -> bool:
        return any(map(self._addresses.holds, leaves(cell)))

    def _identifying(
        self, column: pd.Series, instead: Callable[[str], str]
    ) -> tuple[pd.Series, BoolArray]:
        """Return a column of names with other names for those that hold an address."""
        if is_text(column.dtype):
            return column_without(column, self._addresses, instead)
        text, unusable = as_text(column)
        made, changed = column_without(text, self._addresses, instead)
        other = np.zeros(len(column), dtype=bool)
        at = np.flatnonzero(unusable)
        other[at] = [self._any_holds(cell) for cell in column.iloc[at]]
        if not changed.any() and not other.any():
            return column, changed
        cells = np.empty(len(column), dtype=object)
        cells[:] = list(column)
        cells[changed] = made[changed].to_numpy(dtype=object)
        cells[other] = None
        found = pd.Series(cells, index=column.index, dtype=object)
        if isinstance(column.dtype, pd.CategoricalDtype):
            found = found.astype("category")
        return found, changed | other

    def _numbered(self, kind: str, text: str, key: str | None = None) -> str:
        """Return a text without the addresses; two that differ still do."""
        if self._addresses.within(text) is text:
            return text
        known = (kind, text if key is None else self._alias_key(key))
        instead = f"(erased {self._number_of(known)})"
        return self._addresses.within(text, instead) or instead

    def _number_of(self, name: tuple[str, str]) -> int:
        return self._numbers.setdefault(name, self._person.numbered + len(self._numbers) + 1)

    def _alias_key(self, item: str) -> str:
        """Return a URN in the form in which it is compared."""
        try:
            alias = self._person.rules.parse(item)
        except ConvergekitError:
            alias = None
        return item if alias is None else urn(alias[0], alias[1][0])


def sent_texts(events: pd.DataFrame) -> pd.DataFrame:
    """Return the texts that events sent as an alias, profile property or event ID.

    One row per text: the event's `row` (its position where the frame has none), `alias_type`
    (missing for what is not an alias) and `text`, in the form in which texts are compared here.
    """
    sent = [(row, alias_type, text) for row, _, alias_type, text in _sent(events)]
    return pd.DataFrame(sent, columns=["row", "alias_type", "text"])


def _sent(events: pd.DataFrame) -> Iterator[tuple[int, str, str | None, str]]:
    rows = events["row"].to_numpy() if "row" in events else np.arange(len(events))
    for name in filter(_says_who, events.columns):
        there = events[name].notna().to_numpy(dtype=bool)
        alias_type = name.removeprefix(ALIAS).lower() if name.startswith(ALIAS) else None
        for row, cell in zip(rows[there].tolist(), events[name][there], strict=True):
            for text in leaves(cell):
                yield row, name, alias_type or type_in(text), folded_text(value_in(text))


def blocked_left(
    blocked: pd.DataFrame, sent: pd.DataFrame, sent_by_others: Iterable[str]
) -> pd.DataFrame:
    """Return the blocked values that others sent, or placeholders, and on how many events."""
    text = blocked["alias_value"].map(folded_text)
    placeholder = is_nobody(to_arrow(text.astype("str")))
    theirs = sent.groupby(["alias_type", "text"])["row"].nunique()
    keys = zip(blocked["alias_type"], text, strict=True)
    events = blocked["events"] - [int(theirs.get(key, 0)) for key in keys]
    table = blocked.assign(events=events.astype("int64"))
    keep = (placeholder | text.isin(list(sent_by_others))) & (events > 0)
    return table[keep.to_numpy(dtype=bool)].reset_index(drop=True)


def type_in(text: str) -> str | None:
    """Return a URN's type, or None if the text is not a URN."""
    parts = text.strip().split(":", 2)
    is_urn = len(parts) == _URN_PARTS and parts[0].lower() == "urn"
    return parts[1].strip().lower() if is_urn else None


def value_in(text: str) -> str:
    """Return a URN's value, or the text if it is not a URN."""
    return text.strip().split(":", 2)[2] if type_in(text) is not None else text


def _says_who(name: Any) -> bool:
    return str(name).startswith((ALIAS, PROFILE_PROPERTY)) or name in ("aliases", "event_id")


def _logins(name: Any, said: pa.Array) -> pa.Array:
    """Return which texts of a column may be an e-mail address."""
    if name == "aliases":
        return _texts(value_in(t) for t in said.to_pylist() if type_in(t) in LOGIN_TYPES)
    is_login = str(name).startswith(ALIAS) and name[len(ALIAS) :].lower() in LOGIN_TYPES
    return said if is_login or says_email(str(name)) else said.slice(0, 0)


def _mixed(column: pd.Series) -> bool:
    return column.dtype == object or column.name == "aliases"


def _texts_of(column: pd.Series) -> pa.Array:
    """Return the distinct texts in a column."""
    if _mixed(column):
        return _texts(dict.fromkeys(text for cell in column for text in leaves(cell)))
    return pc.unique(to_arrow(as_text(column)[0])).drop_null()


def _texts(texts: Iterable[str]) -> pa.Array:
    # Halves of characters, which no encoding has, say nothing.
    known = (text.encode("utf-8", "replace").decode() for text in texts)
    return pa.array(known, type=pa.large_string())


def _highest_number(texts: pa.Array) -> int:
    """Return the highest number that stands for something erased in a text."""
    likely = texts.filter(pc.match_substring(texts, "(erased ")).to_pylist()
    return max((int(n) for text in likely for n in _NUMBERED.findall(text)), default=0)


def _cells_with(column: pd.Series, test: Callable[[str], bool]) -> BoolArray:
    """Return which cells hold a text that passes a test."""
    if is_text(column.dtype):
        encoded = distinct_texts(column)
        words = encoded.dictionary.to_pylist()
        return of_texts(encoded, np.fromiter(map(test, words), dtype=bool, count=len(words)))
    return np.fromiter(
        (any(map(test, leaves(cell))) for cell in column), dtype=bool, count=len(column)
    )


def _ruled(text: str, rules: AliasRules) -> Iterator[str]:
    """Return what the rules make of a text, because a rejected row may spell it otherwise."""
    for name in rules.rules:
        try:
            alias = rules.parse(urn(name, text))
        except ConvergekitError:
            # The rule is for texts of its type; this is one of any.
            continue
        if alias is not None:
            yield from alias[1]

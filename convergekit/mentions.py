"""Mentions: where the values of one person stand, and frames without them.

A `Person` is what is looked for. An `Eraser` takes a person out of any number of frames: out of
events as `canonicalise` names their columns, with cells of any type, before or after stitching.

>>> frame = pd.DataFrame({
...     "event_id": ["1", "2", "3"],
...     "alias.email": ["ada@example.com", "bob@example.com", None],
...     "properties.gift_to": [None, "ADA@example.com", "bob@example.com"],
... })
>>> theirs = np.array([True, False, False])
>>> person = Person.of([("email", "ada@example.com")])
>>> person = person.sending(frame[theirs]).besides(frame[~theirs])
>>> erased = Eraser(person).erase(frame, theirs)
>>> erased.frame["properties.gift_to"].tolist()
[nan, 'bob@example.com']
>>> erased.counts["cells of others that named the person"]
1

Frames may come in parts, each several times: first `sending` for every part with the person's
events and their copies, then `besides` for every part with those of others, then `erase`, by one
`Eraser`, for every part.

Values are compared in one form, folded: composed, trimmed and in lower case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.alias_rules import AliasRules
from convergekit.aliases import BLOCKED_VALUES
from convergekit.columns import chosen_rows
from convergekit.errors import ConvergekitError
from convergekit.events import ALIAS, PROFILE, PROFILE_PROPERTY, PROPERTY
from convergekit.records import take_or_missing
from convergekit.spellings import Addresses
from convergekit.text import as_text, folded, folded_text, to_arrow

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

LOST_ALIAS = "events of others that lost an alias"
NAMED = "cells of others that named the person"

_FOUND_AS_A_WORD = 6
_NAMING = ("email", "phone")
_URN_PARTS = 3
_LIFE = re.compile(r"~\d+$")


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
    of_others : frozenset of str
        What of all that others sent as one of these as well.
    """

    aliases: frozenset[tuple[str, str]]
    rules: AliasRules = field(default_factory=AliasRules)
    sent: frozenset[str] = frozenset()
    of_others: frozenset[str] = frozenset()

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
        return replace(self, sent=self.sent | set(sent_texts(theirs)["text"]))

    def besides(self, others: pd.DataFrame, also: Iterable[str] = ()) -> Person:
        """Return the person, knowing what these events of others sent; rejected rows are none.

        Parameters
        ----------
        others : pandas.DataFrame
        also : iterable of str
            Further texts to look for, folded.
        """
        asked = self._values | self.sent | set(also)
        return replace(self, of_others=self.of_others | _sent_among(others, asked))

    @cached_property
    def own(self) -> frozenset[str]:
        """The values that no other event sent as an alias, profile property or event ID."""
        return (self._values | self.sent) - self.of_others - BLOCKED_VALUES

    @cached_property
    def addresses(self) -> Addresses:
        """Values that name the person wherever they stand."""
        return Addresses.of(value for name, value in self.aliases if name in _NAMING)

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
        theirs), `LOST_ALIAS` and `NAMED`.
    """

    frame: pd.DataFrame
    left: BoolArray
    counts: dict[str, int]


class Eraser:
    """Takes one person out of frames.

    Parameters
    ----------
    person : Person
        Of whom `sending` and `besides` have seen all events.
    """

    def __init__(self, person: Person) -> None:
        self._person = person

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
            Which rows are no events: those that hold a value of the person's own go as well.
        """
        left = ~theirs
        if rejected is not None:
            at = np.flatnonzero(left & rejected)
            left[at[self.holds(frame.iloc[at])]] = False
        rest, lost = self._without_aliases(chosen_rows(frame, left))
        rest, cells = self._without_names(rest)
        counts = {
            "events": int(theirs.sum()),
            "rejected": int((~left & ~theirs).sum()),
            LOST_ALIAS: int(lost.sum()),
            NAMED: cells,
        }
        return Erased(rest, left, counts)

    def holds(self, rejected: pd.DataFrame) -> BoolArray:
        """Return which rejected rows hold a value of the person's own."""
        own, rules = self._person.own, self._person.rules
        words = sorted(text for text in own if len(text) >= _FOUND_AS_A_WORD)
        pattern = re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, words)) + r")(?!\w)")
        holds = np.zeros(len(rejected), dtype=bool)
        for name in rejected.columns.difference(["row", "reason"]):
            for position, cell in enumerate(rejected[name]):
                holds[position] |= any(
                    folded_text(text) in own
                    or folded_text(value_in(text)) in own
                    or not own.isdisjoint(_ruled(value_in(text), rules))
                    or (bool(words) and pattern.search(folded_text(text)) is not None)
                    for text in leaves(cell)
                )
        return holds

    def _without_aliases(self, events: pd.DataFrame) -> tuple[pd.DataFrame, BoolArray]:
        """Take the person's aliases off events of others; return which lost one as well."""
        changed, lost = {}, np.zeros(len(events), dtype=bool)
        for name, column in events.items():
            if name == "aliases":
                hit = np.array([self._is_named_in(cell) for cell in column], dtype=bool)
                cells = [
                    self._without_urns(c) if h else c for c, h in zip(column, hit, strict=True)
                ]
                made = pd.Series(cells, index=events.index, dtype=object)
            elif str(name).startswith(ALIAS):
                hit = self._is_theirs(str(name).removeprefix(ALIAS), column)
                made = take_or_missing(column, np.where(hit, -1, np.arange(len(events))))
            else:
                continue
            if hit.any():
                changed[name] = made
                lost |= hit
        return events.assign(**changed), lost

    def _is_theirs(self, alias_type: str, column: pd.Series) -> BoolArray:
        """Return which cells of a column of aliases are the person's."""
        encoded = to_arrow(as_text(column)[0]).dictionary_encode()
        urns = (f"urn:{alias_type}:{text}" for text in encoded.dictionary.to_pylist())
        theirs = np.array([self._names(urn) for urn in urns], dtype=bool)
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return np.append(theirs, False)[codes]

    def _is_named_in(self, cell: Any) -> bool:
        return any(map(self._names, leaves(cell)))

    def _without_urns(self, cell: Any) -> Any:
        """Return what is left of a list of URNs; of one that is written as text, nothing."""
        if isinstance(cell, (list, tuple, set, frozenset, np.ndarray)):
            return [urn for urn in cell if not self._names(str(urn))]
        return None

    def _names(self, urn: str) -> bool:
        alias = self._person.rules.parse(urn)
        return alias is not None and any(
            (alias[0], value) in self._person.aliases for value in alias[1]
        )

    def _without_names(self, events: pd.DataFrame) -> tuple[pd.DataFrame, int]:
        """Blank the cells that hold one of the addresses; return how many as well.

        A cell of a list or an object goes as a whole.
        """
        changed, cells = {}, 0
        for name, column in events.items():
            if str(name).startswith((PROPERTY, PROFILE_PROPERTY, PROFILE)):
                at = _holds(column, self._person.addresses)
                if at.any():
                    changed[name] = column.where(~at, None)
                    cells += int(at.sum())
        return events.assign(**changed), cells


def sent_texts(events: pd.DataFrame) -> pd.DataFrame:
    """Return the texts that events sent as an alias, profile property or event ID.

    One row per text: the event's `row` (its position where the frame has none), `alias_type`
    (missing for what is no alias) and `text`, in the form in which texts are compared here.
    """
    parts = [pd.DataFrame(columns=["row", "alias_type", "text"])]
    rows = events["row"].to_numpy() if "row" in events else np.arange(len(events))
    for name in filter(_says_who, events.columns):
        there = events[name].notna().to_numpy(dtype=bool)
        alias_type = name.removeprefix(ALIAS).lower() if name.startswith(ALIAS) else None
        sent = [
            (row, alias_type or type_in(text), folded_text(value_in(text)))
            for row, cell in zip(rows[there].tolist(), events[name][there], strict=True)
            for text in leaves(cell)
        ]
        parts.append(pd.DataFrame(sent, columns=["row", "alias_type", "text"]))
    return pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)


def _sent_among(events: pd.DataFrame, asked: frozenset[str] | set[str]) -> set[str]:
    """Return which of the texts these events sent as an alias, profile property or event ID."""
    wanted = pa.array(sorted(asked), type=pa.large_string())
    found: set[str] = set()
    for name in filter(_says_who, events.columns):
        column = events[name]
        if column.dtype == object or name == "aliases":
            texts = dict.fromkeys(text for cell in column for text in leaves(cell))
            found |= asked & {folded_text(value_in(text)) for text in texts}
        else:
            sent = folded(pc.unique(to_arrow(as_text(column)[0])))
            found |= set(sent.filter(pc.is_in(sent, value_set=wanted)).to_pylist())
    return found


def _says_who(name: str) -> bool:
    return name.startswith((ALIAS, PROFILE_PROPERTY)) or name in ("aliases", "event_id")


def blocked_left(
    blocked: pd.DataFrame, sent: pd.DataFrame, sent_by_others: Iterable[str]
) -> pd.DataFrame:
    """Return the blocked values that others sent, or that are nobody's, and on how many events."""
    text = blocked["alias_value"].map(folded_text)
    nobody = text.isin(BLOCKED_VALUES) | text.str.fullmatch("[0-]*")
    theirs = sent.groupby(["alias_type", "text"])["row"].nunique()
    keys = zip(blocked["alias_type"], text, strict=True)
    events = blocked["events"] - [int(theirs.get(key, 0)) for key in keys]
    table = blocked.assign(events=events.astype("int64"))
    keep = (nobody | text.isin(list(sent_by_others))) & (events > 0)
    return table[keep.to_numpy(dtype=bool)].reset_index(drop=True)


def _ruled(text: str, rules: AliasRules) -> Iterator[str]:
    """Return what each type's rule makes of a text, for a rejected row may spell it otherwise."""
    for name in rules.rules:
        try:
            alias = rules.parse(f"urn:{name}:{text}")
        except ConvergekitError:
            # The rule is for texts of its type; this is one of any.
            continue
        if alias is not None:
            yield from map(folded_text, alias[1])


def _holds(column: pd.Series, names: Addresses) -> BoolArray:
    dtype = column.dtype
    if dtype == "str" or isinstance(dtype, pd.CategoricalDtype):
        encoded = to_arrow(as_text(column)[0]).dictionary_encode()
        texts = encoded.dictionary.to_pylist()
        holds = np.array([names.without(text) is not text for text in texts], dtype=bool)
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return np.append(holds, False)[codes]
    if dtype != object and not isinstance(dtype, (pd.ArrowDtype, pd.StringDtype)):
        return np.zeros(len(column), dtype=bool)
    return np.array(
        [any(names.without(text) is not text for text in leaves(cell)) for cell in column],
        dtype=bool,
    )


def leaves(cell: Any) -> Iterator[str]:
    """Return every text and number in a cell, whatever it is made of, as text."""
    if isinstance(cell, dict):
        for key, value in cell.items():
            yield from leaves(key)
            yield from leaves(value)
    elif isinstance(cell, (list, tuple, set, frozenset, np.ndarray)):
        for item in cell:
            yield from leaves(item)
    elif not pd.api.types.is_scalar(cell) or not pd.isna(cell):
        number = isinstance(cell, (float, np.floating)) and float(cell).is_integer()
        yield str(int(cell)) if number else str(cell)


def type_in(text: str) -> str | None:
    """Return a URN's type, or None if the text is no URN."""
    parts = text.strip().split(":", 2)
    is_urn = len(parts) == _URN_PARTS and parts[0].lower() == "urn"
    return parts[1].strip().lower() if is_urn else None


def value_in(text: str) -> str:
    """Return a URN's value, or the text if it is no URN."""
    return text.strip().split(":", 2)[2] if type_in(text) is not None else text

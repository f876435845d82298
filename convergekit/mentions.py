"""Mentions: where the values of one person stand, in their own events and in those of others.

Values are compared in one form, folded: composed, trimmed and in lower case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.alias_rules import AliasRules
from convergekit.aliases import BLOCKED_VALUES
from convergekit.errors import ConvergekitError
from convergekit.events import ALIAS, PROFILE, PROFILE_PROPERTY, PROPERTY
from convergekit.records import take_or_missing
from convergekit.text import as_text, folded, folded_text, to_arrow

if TYPE_CHECKING:
    from convergekit.stitched import Identity, Stitched

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_FOUND_AS_A_WORD = 6
_NAMING = ("email", "phone")
_URN_PARTS = 3
_LIFE = re.compile(r"~\d+$")


def sent_texts(events: pd.DataFrame) -> pd.DataFrame:
    """Return the texts that events sent as an alias, profile property or event ID.

    One row per text: the event's `row`, `alias_type` (missing for what is no alias) and `text`,
    in the form in which texts are compared here.
    """
    parts = []
    for name in filter(_says_who, events.columns):
        column = events[name].dropna()
        alias_type = name.removeprefix(ALIAS).lower() if name.startswith(ALIAS) else None
        leaves = [
            (row, alias_type or _type_in(text), folded_text(_value_in(text)))
            for row, cell in zip(events["row"][column.index].tolist(), column, strict=True)
            for text in _leaves(cell)
        ]
        parts.append(pd.DataFrame(leaves, columns=["row", "alias_type", "text"]))
    return pd.concat(parts, ignore_index=True)


def sent_by_others(events: pd.DataFrame, asked: set[str]) -> set[str]:
    """Return which of the texts these events sent as an alias, profile property or event ID."""
    wanted = pa.array(sorted(asked), type=pa.large_string())
    found: set[str] = set()
    for name in filter(_says_who, events.columns):
        column = events[name]
        if column.dtype == object or name == "aliases":
            texts = dict.fromkeys(text for cell in column for text in _leaves(cell))
            found |= asked.intersection(folded_text(_value_in(text)) for text in texts)
        else:
            sent = folded(pc.unique(to_arrow(as_text(column)[0])))
            found |= set(sent.filter(pc.is_in(sent, value_set=wanted)).to_pylist())
    return found


def _says_who(name: str) -> bool:
    return name.startswith((ALIAS, PROFILE_PROPERTY)) or name in ("aliases", "event_id")


def own_values(s: Stitched, gone_alias: BoolArray, copies: BoolArray) -> set[str]:
    """Return the person's aliases, and those that only dropped copies of their events carried."""
    values = s._identity.aliases.table["alias_value"][gone_alias]
    lost = [_value_in(urn) for urns in s.duplicates["lost_aliases"][copies] for urn in urns]
    return set(map(folded_text, [*values, *lost]))


def rows_that_hold(rejected: pd.DataFrame, own: set[str], rules: AliasRules) -> BoolArray:
    """Return which rejected rows hold one of the texts."""
    words = sorted(text for text in own if len(text) >= _FOUND_AS_A_WORD)
    pattern = re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, words)) + r")(?!\w)")
    holds = np.zeros(len(rejected), dtype=bool)
    for name in rejected.columns.difference(["row", "reason"]):
        for position, cell in enumerate(rejected[name]):
            holds[position] |= any(
                folded_text(text) in own
                or folded_text(_value_in(text)) in own
                or not own.isdisjoint(_ruled(_value_in(text), rules))
                or (bool(words) and pattern.search(folded_text(text)) is not None)
                for text in _leaves(cell)
            )
    return holds


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


def blocked_left(
    blocked: pd.DataFrame, sent: pd.DataFrame, sent_by_others: set[str]
) -> pd.DataFrame:
    """Return the blocked values that others sent, or that are nobody's, and on how many events."""
    text = blocked["alias_value"].map(folded_text)
    nobody = text.isin(BLOCKED_VALUES) | text.str.fullmatch("[0-]*")
    theirs = sent.groupby(["alias_type", "text"])["row"].nunique()
    keys = zip(blocked["alias_type"], text, strict=True)
    events = blocked["events"] - [int(theirs.get(key, 0)) for key in keys]
    table = blocked.assign(events=events.astype("int64"))
    keep = (nobody | text.isin(sent_by_others)) & (events > 0)
    return table[keep.to_numpy(dtype=bool)].reset_index(drop=True)


def own_aliases(found: Identity, gone_alias: BoolArray) -> set[tuple[str, str]]:
    """Return the person's aliases, as their events spell them where a value has several lives."""
    chosen = found.aliases.table[gone_alias]
    return {
        (str(alias_type), form)
        for alias_type, value in zip(chosen["alias_type"], chosen["alias_value"], strict=True)
        for form in (value, _LIFE.sub("", value))
    }


def without_aliases(
    events: pd.DataFrame, at: IntArray, gone: set[tuple[str, str]], found: Identity
) -> pd.DataFrame:
    """Take the person's aliases off the events at these positions."""
    rules = found.aliases.rules
    changed = {}
    for name in [name for name in events if name.startswith(ALIAS) or name == "aliases"]:
        cells = events[name].iloc[at]
        if name == "aliases":
            lists = events[name].to_numpy(dtype=object, copy=True)
            for position, cell in zip(at.tolist(), cells, strict=True):
                lists[position] = _without_urns(cell, gone, rules)
            changed[name] = pd.Series(lists, index=events.index, dtype=object)
        else:
            urns = (f"urn:{name.removeprefix(ALIAS)}:{cell}" for cell in cells)
            hit = np.array([_names(urn, gone, rules) for urn in urns], dtype=bool)
            place = np.arange(len(events))
            place[at[hit]] = -1
            changed[name] = take_or_missing(events[name], place)
    return events.assign(**changed) if len(at) else events


def own_names(found: Identity, gone_alias: BoolArray) -> pa.Array:
    """Return the person's aliases of the types whose values name a person wherever they stand."""
    table = found.aliases.table[gone_alias]
    values = table["alias_value"][table["alias_type"].isin(_NAMING)]
    return pa.array(sorted(set(map(folded_text, values))), type=pa.large_string())


def without_names(events: pd.DataFrame, names: pa.Array) -> tuple[pd.DataFrame, int]:
    """Blank the cells of properties that hold one of the names; return how many as well.

    A cell of a list or an object goes as a whole.
    """
    changed, cells = {}, 0
    for name, column in events.items():
        if str(name).startswith((PROPERTY, PROFILE_PROPERTY, PROFILE)):
            at = _holds(column, names)
            if at.any():
                changed[name] = column.where(~at, None)
                cells += int(at.sum())
    return events.assign(**changed), cells


def _holds(column: pd.Series, names: pa.Array) -> BoolArray:
    dtype = column.dtype
    if dtype == "str" or isinstance(dtype, pd.CategoricalDtype):
        texts = to_arrow(as_text(column)[0])
        holds = pc.is_in(folded(texts), value_set=names)
        return holds.fill_null(False).to_numpy(zero_copy_only=False)
    if dtype != object and not isinstance(dtype, (pd.ArrowDtype, pd.StringDtype)):
        return np.zeros(len(column), dtype=bool)
    wanted = set(names.to_pylist())
    return np.array(
        [any(folded_text(text) in wanted for text in _leaves(cell)) for cell in column], dtype=bool
    )


def _without_urns(cell: Any, gone: set[tuple[str, str]], rules: AliasRules) -> Any:
    """Return what is left of a list of URNs; of one that is written as text, all or nothing."""
    if isinstance(cell, (list, tuple, set, frozenset, np.ndarray)):
        return [urn for urn in cell if not _names(str(urn), gone, rules)]
    named = isinstance(cell, str) and any(value in cell for _, value in gone)
    return None if named else cell


def _names(urn: str, gone: set[tuple[str, str]], rules: AliasRules) -> bool:
    alias = rules.parse(urn)
    return alias is not None and any((alias[0], value) in gone for value in alias[1])


def _leaves(cell: Any) -> Iterator[str]:
    """Return every text and number in a cell, whatever it is made of, as text."""
    if isinstance(cell, dict):
        for key, value in cell.items():
            yield from _leaves(key)
            yield from _leaves(value)
    elif isinstance(cell, (list, tuple, set, frozenset, np.ndarray)):
        for item in cell:
            yield from _leaves(item)
    elif not pd.api.types.is_scalar(cell) or not pd.isna(cell):
        number = isinstance(cell, (float, np.floating)) and float(cell).is_integer()
        yield str(int(cell)) if number else str(cell)


def _type_in(text: str) -> str | None:
    parts = text.strip().split(":", 2)
    is_urn = len(parts) == _URN_PARTS and parts[0].lower() == "urn"
    return parts[1].strip().lower() if is_urn else None


def _value_in(text: str) -> str:
    return text.strip().split(":", 2)[2] if _type_in(text) is not None else text

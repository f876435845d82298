"""Aliases read off events, in one form and numbered.

A missing value is not an alias. What has no type, is not text, or has no form under its type's rule
is never guessed: it is left out, counted and listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.base.compiled import compiled
from convergekit.base.grouping import distinct_rows
from convergekit.base.text import arrow_array, as_text, to_arrow
from convergekit.base.threads import each_column
from convergekit.errors import ColumnError, UnknownNameError, did_you_mean
from convergekit.events.arrow import LISTS_OF_TEXT, as_lists_of_text
from convergekit.events.schema import ALIAS, PROFILE_PROPERTY
from convergekit.events.shapes import as_list, entry_of, is_wrapper, opened
from convergekit.identity.alias_rules import (
    AliasRules,
    are_look_alikes,
    plain_form,
    split_urn,
)
from convergekit.identity.aliases import NO_RULES, EventAliases, refuse_unknown_types
from convergekit.identity.blocking import Block, Placeholders, blocked_table, count_blocked
from convergekit.typing import IntArray

LOOK_ALIKES = "e-mail address in a look-alike form: usual form taken"
NO_TYPE = "not a URN: expected urn:<type>:<value>"
NOT_TEXT = "an alias is text or a number"
#: URNs of more beginnings than this are split one by one.
_MOST_BEGINNINGS = 50
NOT_A_LIST = "aliases is a list of URNs"
RULED_OUT = "the rule for {} makes no alias of it"


def read_aliases(
    events: pd.DataFrame,
    *,
    block: Block = (),
    alias_from: Mapping[str, str] | None = None,
    rules: AliasRules = NO_RULES,
) -> EventAliases:
    """Read the aliases of every event.

    Parameters
    ----------
    events : pandas.DataFrame
        Normalised events with `alias.<type>` columns, a column `aliases` of lists of URNs, or
        both.
    block : iterable of str or re.Pattern
        Aliases to leave out besides `PLACEHOLDERS`: a URN blocks that alias, any other text
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
        A column of aliases is missing.
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
        A column of aliases is missing.
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
        Positions of events with something that is not an alias, and the reason.
    """

    readings: list[_Reading]
    malformed: list[tuple[IntArray, str]]

    @property
    def types(self) -> list[str]:
        """The types of which some event carries a value, blocked ones included."""
        return sorted({reading.alias_type for reading in self.readings if len(reading.event)})

    def united(self, *, block: Block = (), rules: AliasRules = NO_RULES) -> EventAliases:
        """Return the aliases in one form and numbering, without those that are blocked.

        Raises
        ------
        ConvergekitError
            `block` holds something that blocks nothing.
        UnknownNameError
            `rules` names a type that no event carries.
        """
        refuse_unknown_types("rules", rules.rules, self.types)
        return _unite(self.readings, self.malformed, Placeholders(block, rules), rules)


def _is_alias_column(name: str) -> bool:
    return name.startswith(ALIAS)


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
    """Return the column's values as a reading, and where it holds something that is not text."""
    text, unusable = as_text(column)
    return _Reading(alias_type, *_numbered(text)), np.flatnonzero(unusable)


def _numbered(text: pd.Series) -> tuple[IntArray, IntArray, pa.Array]:
    """Return where texts are, their numbers by first appearance, and the distinct texts."""
    return _numbered_cells(pa.array(text, from_pandas=True))


def _numbered_cells(cells: pa.Array | pa.ChunkedArray) -> tuple[IntArray, IntArray, pa.Array]:
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
    if not lists.notna().any():
        return
    texts = texts_in(lists)
    if texts is not None:
        event, cells = texts
        present, codes, distinct = _numbered_cells(cells)
        _read_urns(event[present], codes, distinct, readings, malformed)
        return
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
            inner = item if isinstance(item, str) else entry_of(item)
            if isinstance(inner, str):
                positions.append(position)
                urns.append(inner)
            elif not _is_nothing(inner):
                not_texts.append(position)
    for found, reason in ((not_lists, NOT_A_LIST), (not_texts, NOT_TEXT)):
        if found:
            malformed.append((np.array(found, dtype=np.int64), reason))

    found, unlike = pd.factorize(pd.Series(urns, dtype=object))
    known = to_arrow(as_text(pd.Series(unlike, dtype=object))[0])
    _read_urns(np.array(positions, dtype=np.int64), found, known, readings, malformed)


def texts_in(lists: pd.Series) -> tuple[IntArray, pa.ChunkedArray] | None:
    """Return the members of lists of text, and the position of each one's list.

    None if a cell is anything else: then each has to be looked at.
    """
    held = lists if lists.dtype == LISTS_OF_TEXT else as_lists_of_text(lists)
    if held is None:
        return None
    found = pa.array(held)
    sizes = pc.list_value_length(found).fill_null(0).to_numpy()
    return np.repeat(np.arange(len(found)), sizes), pc.list_flatten(found)


def _read_urns(
    event: IntArray,
    codes: IntArray,
    distinct: pa.Array,
    readings: list[_Reading],
    malformed: list[tuple[IntArray, str]],
) -> None:
    """Add a reading for each type of URN: `distinct[codes[i]]` stands on event `event[i]`."""
    values = _split(distinct)
    of_text = np.full(len(distinct), -1)
    place = np.zeros(len(distinct), dtype=np.int64)
    for number, (rows, _) in enumerate(values.values()):
        of_text[rows], place[rows] = number, np.arange(len(rows))
    of_pair = of_text[codes]
    typeless = of_pair < 0
    if typeless.any():
        malformed.append((event[typeless], NO_TYPE))
    # The pairs type by type, so that each is looked at once, however many types there are. NumPy
    # sorts small integers by counting them.
    small = np.min_scalar_type(-1 - len(values))
    order = np.argsort(of_pair.astype(small), kind="stable")
    bounds = np.searchsorted(of_pair[order], np.arange(len(values) + 1))
    pairs = zip(values.items(), bounds[:-1], bounds[1:], strict=True)
    for (alias_type, (_, texts)), start, stop in pairs:
        chosen = order[start:stop]
        readings.append(_Reading(alias_type, event[chosen], place[codes[chosen]], texts))


def _split(urns: pa.Array) -> dict[str, tuple[IntArray, pa.Array]]:
    """Return per type, in their order, the positions of its URNs, ascending, and their values.

    All URNs that begin alike, up to the value, are split together, because exports write few
    beginnings.
    """
    found: dict[str, list[tuple[IntArray, pa.Array]]] = {}
    left, texts = np.arange(len(urns)), urns
    for _ in range(_MOST_BEGINNINGS):
        if not len(left):
            break
        first = texts[0].as_py()
        pair = split_urn(first)
        beginning = first if pair is None else first[: len(first) - len(pair[1])]
        alike = pc.equal(texts, first) if pair is None else pc.starts_with(texts, beginning)
        if pair is not None:
            part = pc.utf8_replace_slice(texts.filter(alike), 0, len(beginning), "")
            found.setdefault(pair[0], []).append((left[np.asarray(alike)], part))
        other = pc.invert(alike)
        left, texts = left[np.asarray(other)], texts.filter(other)
    for row, text in zip(left.tolist(), texts.to_pylist(), strict=True):
        pair = split_urn(text)
        if pair is not None:
            part = pa.array([pair[1]], type=pa.large_string())
            found.setdefault(pair[0], []).append((np.array([row]), part))
    return {alias_type: _in_order(found[alias_type]) for alias_type in sorted(found)}


def _in_order(parts: list[tuple[IntArray, pa.Array]]) -> tuple[IntArray, pa.Array]:
    if len(parts) == 1:
        return parts[0]
    rows = np.concatenate([rows for rows, _ in parts])
    order = np.argsort(rows)
    return rows[order], pa.concat_arrays([texts for _, texts in parts]).take(pa.array(order))


def alias_items(cell: Any) -> Iterable[Any] | None:
    """Return the members of an `aliases` cell, or None if it is not a list."""
    if isinstance(cell, (list, tuple, np.ndarray, set, frozenset)):
        return sorted(cell, key=repr) if isinstance(cell, (set, frozenset)) else cell
    if isinstance(cell, str):
        return _items_of_text(cell)
    if isinstance(cell, Mapping) and is_wrapper(cell):
        return as_list(cell)
    return () if _is_nothing(cell) else None


def _items_of_text(cell: str) -> Iterable[Any] | None:
    """Return the list that a CSV or a warehouse wrote as text; else the text as one URN."""
    text = cell.strip()
    if text[:1] in ("[", "(", "{"):
        try:
            found = opened(text)
        except ValueError:
            return [cell]
        return [cell] if isinstance(found, str) else alias_items(found)
    return [cell] if text else []


def _is_nothing(item: Any) -> bool:
    return pd.api.types.is_scalar(item) and bool(pd.isna(item))


def _unite(
    readings: list[_Reading],
    malformed: list[tuple[IntArray, str]],
    is_blocked: Placeholders,
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
        blocked_table(blocked),
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
    alias_type: str, readings: list[_Reading], is_blocked: Placeholders, rules: AliasRules
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
    blocked = count_blocked(alias_type, distinct, bad, code)
    if bad.any():
        usable = ~bad
        event, code = event[usable[code]], (np.cumsum(usable) - 1)[code[usable[code]]]
        distinct = distinct.filter(pa.array(usable))
    if not _strictly_ascending(event):
        event, code = distinct_rows(event, code)
    return _OfType(distinct, event, code, blocked, ruled_out, in_disguise)


def _ruled(
    alias_type: str, distinct: pa.Array, is_blocked: Placeholders, rules: AliasRules
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


def _malformed_table(parts: list[tuple[IntArray, str]]) -> pd.DataFrame:
    positions = _concatenated([positions for positions, _ in parts])
    reasons = [reason for places, reason in parts for _ in range(len(places))]
    table = pd.DataFrame({"position": positions, "reason": pd.Series(reasons, dtype="str")})
    return table.sort_values("position", kind="stable", ignore_index=True)

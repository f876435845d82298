"""Deletion: everything without one person.

What goes: the profile's events, its aliases, the dropped copies of its events, what was remarked
of them, blocked values that only they carried, refused links to it, and rejected rows that hold a
value of its own. A value is *its own* if it is an alias of the profile, or an alias, profile
property or event ID that its events sent, and no other event sent it as one of these. In rejected
rows a value of its own is found wherever it stands as a word; one shorter than six characters
("7", "Ada") only as a whole cell or at the end of a URN, for it would be found everywhere.

What stays: all other profiles, their IDs and their values. Nothing is stitched again. Where limits
keep two profiles apart that meet on one event, the event is of one of them: if that is the other
profile's, the event stays and loses the person's aliases; if it is the person's, it goes, and with
it an alias of the other profile that was seen nowhere else. Where events of others name one of the
person's e-mail addresses or phone numbers in a property, the cell is blanked; what else they say
about the person is not looked for. The counts of `remarks` are of the input.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.alias_rules import AliasRules
from convergekit.aliases import BLOCKED_VALUES, Apart, EventAliases
from convergekit.as_of import Knowledge
from convergekit.columns import chosen_rows
from convergekit.errors import ConvergekitError
from convergekit.events import ALIAS, PROFILE, PROFILE_PROPERTY, PROPERTY
from convergekit.readable import readable_table
from convergekit.records import take_or_missing
from convergekit.text import as_text, composed, to_arrow

if TYPE_CHECKING:
    from convergekit.stitched import Identity, Stitched

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_FOUND_AS_A_WORD = 6
_NAMING = ("email", "phone")
_URN_PARTS = 3
_LIFE = re.compile(r"~\d+$")


@dataclass(frozen=True, eq=False, repr=False)
class Forgotten:
    """Everything without one person, and what was removed.

    Attributes
    ----------
    stitched : Stitched
        Without that person.
    removed : pandas.DataFrame
        How much was removed of what: `table`, `rows`. It holds nothing of the person's own.
    """

    stitched: Stitched
    removed: pd.DataFrame

    def __repr__(self) -> str:
        """Return what was removed as text."""
        return readable_table(self.removed).to_string(index=False)

    def _repr_html_(self) -> str:
        return str(readable_table(self.removed).to_html(index=False, border=0))


def forget(s: Stitched, alias_or_profile: str) -> Forgotten:
    """Return everything without one person. See `Stitched.forget`."""
    found = s._identity
    number = s._profile_number(alias_or_profile)
    keep = found.profile != number
    gone_alias = found.component == number
    theirs, others = s.events[~keep], s.events[keep]

    copies = s.duplicates["kept_row"].isin(theirs["row"]).to_numpy()
    rows = np.concatenate([theirs["row"].to_numpy(), s.duplicates["row"][copies].to_numpy()])
    malformed = s._malformed["row"].isin(rows).to_numpy()
    sent = _sent(theirs)
    named = _named(s, gone_alias, copies) | set(sent["text"])
    asked = named | set(map(_folded, found.aliases.blocked["alias_value"]))
    sent_by_others = _sent_by_others(others, asked)
    rejected = _holds(s.rejected, named - sent_by_others - BLOCKED_VALUES, found.aliases.rules)
    blocked = _blocked_left(found.aliases.blocked, sent, sent_by_others)

    identity, left = _identity_of(found, keep, gone_alias, blocked)
    met = np.unique(found.aliases.event[gone_alias[found.aliases.alias]])
    events = _without_mentions(s.events, met[keep[met]], _aliases_of(found, gone_alias), found)
    events, named_cells = _without_names(_left(events, keep), _names_of(found, gone_alias))
    place = np.append(np.cumsum(keep) - 1, -1)
    duplicates = _left(s.duplicates, ~copies)
    stitched = replace(
        s,
        events=events,
        rejected=_left(s.rejected, ~rejected),
        _identity=identity,
        _duplicates=lambda: duplicates,
        _carried_from={name: place[at[keep]] for name, at in s._carried_from.items()},
        _malformed=_left(s._malformed, ~malformed),
    )
    counts = {
        "profiles": len(found.profile_ids) - len(identity.profile_ids),
        "events": int((~keep).sum()),
        "aliases": int((~left).sum()),
        "duplicates": int(copies.sum()),
        "rejected": int(rejected.sum()),
        "malformed aliases": int(malformed.sum()),
        "blocked values": len(found.aliases.blocked) - len(blocked),
        "refused links": len(found.refused.first) - len(identity.refused.first),
        "events of others that lost an alias": int(keep[met].sum()),
        "cells of others that named the person": named_cells,
    }
    removed = pd.DataFrame({"table": list(counts), "rows": list(counts.values())})
    return Forgotten(stitched, removed.astype({"table": "str", "rows": "int64"}))


def _identity_of(
    found: Identity, keep: BoolArray, gone_alias: BoolArray, blocked: pd.DataFrame
) -> tuple[Identity, BoolArray]:
    """Return who is who among the others, and which aliases are left."""
    left = np.zeros(len(gone_alias), dtype=bool)
    left[found.aliases.alias[keep[found.aliases.event]]] = True
    left &= ~gone_alias
    stays = np.zeros(len(found.profile_ids), dtype=bool)
    stays[found.component[left]] = True
    number = np.append(np.cumsum(stays) - 1, -1)
    place, alias = np.cumsum(keep) - 1, np.cumsum(left) - 1
    aliases = _part(found.aliases, keep, left, blocked)
    refused = found.refused
    chosen = keep[refused.event] & left[refused.first] & left[refused.second]
    identity = replace(
        found,
        aliases=aliases,
        component=number[found.component[left]],
        profile=number[found.profile[keep]],
        profile_ids=_left(found.profile_ids.to_frame("id"), stays)["id"].rename(None),
        in_time=place[found.in_time[keep[found.in_time]]],
        # Made now: what would make it later holds on to the events that are to be forgotten.
        knowledge=_Known(_knowledge_of(found.knowledge(), keep, left, blocked)),
        protection=found.protection.among(aliases.types),
        refused=replace(
            refused,
            first=alias[refused.first[chosen]],
            second=alias[refused.second[chosen]],
            event=place[refused.event[chosen]],
            events=refused.events[chosen],
            alias_type=[refused.alias_type[i] for i in np.flatnonzero(chosen)],
            together=refused.together[chosen],
        ),
    )
    return identity, left


@dataclass(frozen=True)
class _Known:
    """Returns what was known when."""

    knowledge: Knowledge

    def __call__(self) -> Knowledge:
        return self.knowledge


def _knowledge_of(
    known: Knowledge, keep: BoolArray, left: BoolArray, blocked: pd.DataFrame
) -> Knowledge:
    keep_item = keep[known.event]
    place, item = np.cumsum(keep) - 1, np.cumsum(keep_item) - 1
    ranks = np.empty(int(keep_item.sum()), dtype=np.int64)
    ranks[np.argsort(known.known[keep_item])] = np.arange(len(ranks))
    return Knowledge(
        aliases=_part(known.aliases, keep_item, left, blocked),
        known=ranks,
        known_at=known.known_at[keep_item],
        event=place[known.event[keep_item]],
        item=item[known.item[keep]],
        says={name: item[says[keep]] for name, says in known.says.items()},
    )


def _part(
    aliases: EventAliases, keep: BoolArray, left: BoolArray, blocked: pd.DataFrame
) -> EventAliases:
    """Return the pairs of the kept events and the aliases that are left, both renumbered."""
    chosen = keep[aliases.event] & left[aliases.alias]
    table = _left(aliases.table, left)
    apart = aliases.apart
    if apart is not None:
        home = None if apart.home is None else apart.home[keep]
        apart = Apart(apart.group[left], apart.rank[left], home)
    return replace(
        aliases,
        table=table,
        event=(np.cumsum(keep) - 1)[aliases.event[chosen]],
        alias=(np.cumsum(left) - 1)[aliases.alias[chosen]],
        blocked=blocked,
        malformed=aliases.malformed.iloc[:0],
        apart=apart,
    )


def _left(frame: pd.DataFrame, keep: BoolArray) -> pd.DataFrame:
    """Return the kept rows, without the categories that only the others had."""
    rows = chosen_rows(frame, keep)
    changed = {}
    for name, column in rows.items():
        dtype = column.dtype
        if isinstance(dtype, pd.CategoricalDtype):
            changed[name] = column.cat.remove_unused_categories()
        elif isinstance(dtype, pd.ArrowDtype) and pa.types.is_dictionary(dtype.pyarrow_dtype):
            plain = pd.ArrowDtype(dtype.pyarrow_dtype.value_type)
            changed[name] = column.astype(plain).astype(dtype)
    return rows.assign(**changed)


def _sent(events: pd.DataFrame) -> pd.DataFrame:
    """Return the texts that events sent as an alias, profile property or event ID.

    One row per text: the event's `row`, `alias_type` (missing for what is no alias) and `text`,
    in the form in which texts are compared here.
    """
    parts = []
    for name in filter(_says_who, events.columns):
        column = events[name].dropna()
        alias_type = name.removeprefix(ALIAS).lower() if name.startswith(ALIAS) else None
        leaves = [
            (row, alias_type or _type_in(text), _folded(_value_in(text)))
            for row, cell in zip(events["row"][column.index].tolist(), column, strict=True)
            for text in _leaves(cell)
        ]
        parts.append(pd.DataFrame(leaves, columns=["row", "alias_type", "text"]))
    return pd.concat(parts, ignore_index=True)


def _sent_by_others(events: pd.DataFrame, asked: set[str]) -> set[str]:
    """Return which of the texts these events sent as an alias, profile property or event ID."""
    wanted = pa.array(sorted(asked), type=pa.large_string())
    found: set[str] = set()
    for name in filter(_says_who, events.columns):
        column = events[name]
        if column.dtype == object or name == "aliases":
            texts = dict.fromkeys(text for cell in column for text in _leaves(cell))
            found |= asked.intersection(_folded(_value_in(text)) for text in texts)
        else:
            folded = _folded_all(pc.unique(to_arrow(as_text(column)[0])))
            found |= set(folded.filter(pc.is_in(folded, value_set=wanted)).to_pylist())
    return found


def _says_who(name: str) -> bool:
    return name.startswith((ALIAS, PROFILE_PROPERTY)) or name in ("aliases", "event_id")


def _named(s: Stitched, gone_alias: BoolArray, copies: BoolArray) -> set[str]:
    """Return the person's aliases, and those that only dropped copies of their events carried."""
    values = s._identity.aliases.table["alias_value"][gone_alias]
    lost = [_value_in(urn) for urns in s.duplicates["lost_aliases"][copies] for urn in urns]
    return set(map(_folded, [*values, *lost]))


def _holds(rejected: pd.DataFrame, own: set[str], rules: AliasRules) -> BoolArray:
    """Return which rejected rows hold one of the texts."""
    words = sorted(text for text in own if len(text) >= _FOUND_AS_A_WORD)
    pattern = re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, words)) + r")(?!\w)")
    holds = np.zeros(len(rejected), dtype=bool)
    for name in rejected.columns.difference(["row", "reason"]):
        for position, cell in enumerate(rejected[name]):
            holds[position] |= any(
                _folded(text) in own
                or _folded(_value_in(text)) in own
                or not own.isdisjoint(_ruled(_value_in(text), rules))
                or (bool(words) and pattern.search(_folded(text)) is not None)
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
            yield from map(_folded, alias[1])


def _blocked_left(
    blocked: pd.DataFrame, sent: pd.DataFrame, sent_by_others: set[str]
) -> pd.DataFrame:
    """Return the blocked values that others sent, or that are nobody's, and on how many events."""
    text = blocked["alias_value"].map(_folded)
    nobody = text.isin(BLOCKED_VALUES) | text.str.fullmatch("[0-]*")
    theirs = sent.groupby(["alias_type", "text"])["row"].nunique()
    keys = zip(blocked["alias_type"], text, strict=True)
    events = blocked["events"] - [int(theirs.get(key, 0)) for key in keys]
    table = blocked.assign(events=events.astype("int64"))
    keep = (nobody | text.isin(sent_by_others)) & (events > 0)
    return table[keep.to_numpy(dtype=bool)].reset_index(drop=True)


def _aliases_of(found: Identity, gone_alias: BoolArray) -> set[tuple[str, str]]:
    """Return the person's aliases, as their events spell them where a value has several lives."""
    chosen = found.aliases.table[gone_alias]
    return {
        (str(alias_type), form)
        for alias_type, value in zip(chosen["alias_type"], chosen["alias_value"], strict=True)
        for form in (value, _LIFE.sub("", value))
    }


def _without_mentions(
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


def _names_of(found: Identity, gone_alias: BoolArray) -> pa.Array:
    """Return the person's aliases of the types whose values name a person wherever they stand."""
    table = found.aliases.table[gone_alias]
    values = table["alias_value"][table["alias_type"].isin(_NAMING)]
    return pa.array(sorted(set(map(_folded, values))), type=pa.large_string())


def _without_names(events: pd.DataFrame, names: pa.Array) -> tuple[pd.DataFrame, int]:
    """Blank the cells of properties that hold one of the names; return how many as well."""
    changed, cells = {}, 0
    for name, column in events.items():
        if str(name).startswith((PROPERTY, PROFILE_PROPERTY, PROFILE)) and column.dtype == "str":
            holds = pc.is_in(_folded_all(to_arrow(column)), value_set=names)
            at = holds.fill_null(False).to_numpy(zero_copy_only=False)
            if at.any():
                changed[name] = column.mask(at)
                cells += int(at.sum())
    return events.assign(**changed), cells


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


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip().lower()


def _folded_all(texts: pa.Array) -> pa.Array:
    return pc.utf8_lower(pc.utf8_trim_whitespace(composed(texts)))

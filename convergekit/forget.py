"""Deletion: a Stitched without one person.

What goes: the profile's events and their dropped copies, its aliases, everything carried from its
events, rejected rows that hold one of its aliases, and its e-mail addresses and phone numbers where
other people's events name them. What stays is as it was: other profiles keep their IDs and values.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from convergekit.alias_rules import split_urn
from convergekit.aliases import Apart, EventAliases
from convergekit.as_of import Knowledge
from convergekit.events import ALIAS, PROFILE, PROFILE_PROPERTY, PROPERTY
from convergekit.merge_protection import RefusedLinks

if TYPE_CHECKING:
    from convergekit.stitched import Identity, Stitched

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

#: What `Stitched.forgotten` counts.
FORGOTTEN = ("events", "aliases", "duplicates", "rejected", "cells")

#: Types whose values name a person wherever they stand.
_NAMING = ("email", "phone")


def forget(s: Stitched, alias_or_profile: str) -> Stitched:
    """Return a Stitched without a person. See `Stitched.forget`."""
    found = s._identity
    number = s._profile_number(alias_or_profile)
    gone = found.profile == number
    forgotten = found.aliases.table[found.component == number].astype("str")
    identity, place = _identity_without(found, number, gone)
    events = s.events[~gone].reset_index(drop=True)
    events, blanked = _blanked(events, forgotten)
    rows = set(s.events["row"][gone])
    duplicates = s.duplicates[~s.duplicates["kept_row"].isin(rows)].reset_index(drop=True)
    held = _holds(s.rejected, forgotten)
    carried = {name: _moved(source[~gone], place) for name, source in s._carried_from.items()}
    counts = {
        "events": int(gone.sum()),
        "aliases": len(forgotten),
        "duplicates": len(s.duplicates) - len(duplicates),
        "rejected": int(held.sum()),
        "cells": blanked,
    }
    return replace(
        s,
        events=events,
        rejected=s.rejected[~held].reset_index(drop=True),
        _identity=identity,
        _duplicates=lambda: duplicates,
        _carried_from=carried,
        _malformed=s._malformed[~s._malformed["row"].isin(rows)].reset_index(drop=True),
        _forgotten=(*s._forgotten, counts),
    )


def _identity_without(found: Identity, number: int, gone: BoolArray) -> tuple[Identity, IntArray]:
    """Return who everybody else is, and each event's new position, -1 for none."""
    kept = ~gone
    place = np.where(kept, np.cumsum(kept) - 1, -1)
    stays = kept[found.aliases.event] & (found.component != number)[found.aliases.alias]
    used = np.zeros(len(found.aliases.table), dtype=bool)
    used[found.aliases.alias[stays]] = True
    aliases = _among(found.aliases, kept, used)
    knowledge = _knowledge_without(found.knowledge(), kept, used)
    profiles = np.unique(found.component[used])
    component = np.searchsorted(profiles, found.component[used])
    profile = found.profile[kept]
    named = profile >= 0
    profile[named] = np.searchsorted(profiles, profile[named])
    identity = replace(
        found,
        aliases=aliases,
        component=component,
        profile=profile,
        profile_ids=found.profile_ids.take(profiles).reset_index(drop=True),
        in_time=place[found.in_time[kept[found.in_time]]],
        knowledge=lambda: knowledge,
        refused=_refused_without(found.refused, kept, used),
    )
    return identity, place


def _among(aliases: EventAliases, events: BoolArray, used: BoolArray) -> EventAliases:
    """Return the pairs of these events and aliases, both renumbered."""
    stays = events[aliases.event] & used[aliases.alias]
    apart = aliases.apart
    if apart is not None:
        home = None if apart.home is None else apart.home[events]
        apart = Apart(apart.group[used], apart.rank[used], home)
    table = aliases.table[used].reset_index(drop=True)
    return replace(
        aliases,
        table=table.assign(alias_type=table["alias_type"].cat.remove_unused_categories()),
        event=(np.cumsum(events) - 1)[aliases.event[stays]],
        alias=(np.cumsum(used) - 1)[aliases.alias[stays]],
        malformed=aliases.malformed.head(0),
        apart=apart,
    )


def _knowledge_without(knowledge: Knowledge, kept: BoolArray, used: BoolArray) -> Knowledge:
    items = kept[knowledge.event]
    place, event = np.cumsum(items) - 1, np.cumsum(kept) - 1
    known = np.empty(int(items.sum()), dtype=np.int64)
    known[np.argsort(knowledge.known[items])] = np.arange(len(known))
    return Knowledge(
        aliases=_among(knowledge.aliases, items, used),
        known=known,
        known_at=knowledge.known_at[items],
        event=event[knowledge.event[items]],
        item=place[knowledge.item[kept]],
        says={name: place[said[kept]] for name, said in knowledge.says.items()},
    )


def _refused_without(refused: RefusedLinks, kept: BoolArray, used: BoolArray) -> RefusedLinks:
    stays = used[refused.first] & used[refused.second] & kept[refused.event]
    place, event = np.cumsum(used) - 1, np.cumsum(kept) - 1
    return RefusedLinks(
        first=place[refused.first[stays]],
        second=place[refused.second[stays]],
        event=event[refused.event[stays]],
        events=refused.events[stays],
        alias_type=[name for name, stay in zip(refused.alias_type, stays, strict=True) if stay],
        together=refused.together[stays],
    )


def _moved(source: IntArray, place: IntArray) -> IntArray:
    return np.where(source >= 0, place[source], -1)


def _blanked(events: pd.DataFrame, forgotten: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Return the events without what they say of the person, and how many cells held it."""
    changed, cells = {}, 0
    names = set(forgotten["alias_value"][forgotten["alias_type"].isin(_NAMING)])
    for column in events.columns:
        if column.startswith(ALIAS):
            of_type = forgotten["alias_type"] == column.removeprefix(ALIAS).lower()
            said = _says(events[column], set(forgotten["alias_value"][of_type]))
        elif column.startswith((PROPERTY, PROFILE_PROPERTY, PROFILE)):
            said = _says(events[column], names)
        else:
            continue
        if said.any():
            changed[column] = events[column].mask(said)
            cells += int(said.sum())
    if "aliases" in events:
        lists, shorter = _shortened(events["aliases"], forgotten)
        if shorter:
            changed["aliases"] = lists
            cells += shorter
    return events.assign(**changed), cells


def _says(column: pd.Series, values: set[str]) -> npt.NDArray[np.bool_]:
    """Return which cells hold one of the values, whatever the case."""
    folded = {value.casefold() for value in values}
    if not folded or not (column.dtype == object or pd.api.types.is_string_dtype(column.dtype)):
        folded |= {value for value in values if value.isdecimal()}
        if not folded or not pd.api.types.is_numeric_dtype(column.dtype):
            return np.zeros(len(column), dtype=bool)
        column = column.map(lambda cell: f"{cell:.0f}", na_action="ignore")
    return column.map(lambda cell: not folded.isdisjoint(_texts(cell))).to_numpy(dtype=bool)


def _texts(cell: Any) -> Iterable[str]:
    """Return the texts in a cell, and in the lists and objects that it holds."""
    if isinstance(cell, str):
        yield cell.strip().casefold()
        if (urn := split_urn(cell)) is not None:
            yield urn[1].strip().casefold()
    elif isinstance(cell, dict):
        for value in cell.values():
            yield from _texts(value)
    elif isinstance(cell, (list, tuple, set, frozenset, np.ndarray)):
        for value in cell:
            yield from _texts(value)
    elif isinstance(cell, (int, float)) and cell == cell:
        yield f"{cell:.0f}"


def _shortened(lists: pd.Series, forgotten: pd.DataFrame) -> tuple[pd.Series, int]:
    """Return the lists of URNs without the person's, and from how many cells one was taken."""
    values = {value.casefold() for value in forgotten["alias_value"]}
    count = 0
    shorter = []
    for cell in lists:
        items = cell if isinstance(cell, (list, tuple, np.ndarray)) else [cell]
        left = [item for item in items if values.isdisjoint(_texts(item))]
        count += len(left) < len(items)
        shorter.append(cell if len(left) == len(items) else left)
    return pd.Series(shorter, index=lists.index, dtype=object), count


def _holds(rejected: pd.DataFrame, forgotten: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Return which rejected rows hold one of the person's aliases, in whichever column."""
    values = {value.casefold() for value in forgotten["alias_value"]}
    held = np.zeros(len(rejected), dtype=bool)
    for name in rejected.columns:
        if name not in ("row", "reason", "line"):
            cells = rejected[name].astype(object)
            held |= cells.map(lambda cell: not values.isdisjoint(_texts(cell))).to_numpy(dtype=bool)
    return held

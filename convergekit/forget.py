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
person's e-mail addresses or phone numbers in a property, the cell is blanked, a list or an object
as a whole; what else they say about the person is not looked for. The counts of `remarks` are of
the input.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from convergekit.aliases import Apart, EventAliases
from convergekit.as_of import Knowledge
from convergekit.columns import chosen_rows
from convergekit.mentions import (
    LOST_ALIAS,
    NAMED,
    Eraser,
    Person,
    blocked_left,
    sent_texts,
    value_in,
)
from convergekit.readable import readable_table
from convergekit.text import folded_text

if TYPE_CHECKING:
    from convergekit.stitched import Identity, Stitched

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


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
    person = _person(s, gone_alias, copies).sending(theirs)
    asked = map(folded_text, found.aliases.blocked["alias_value"])
    person = person.besides(others, also=asked)
    blocked = blocked_left(found.aliases.blocked, sent_texts(theirs), person.of_others)

    eraser = Eraser(person)
    identity, left = _identity_of(found, keep, gone_alias, blocked)
    erased = eraser.erase(s.events, ~keep)
    rejected = eraser.holds(s.rejected)
    place = np.append(np.cumsum(keep) - 1, -1)
    duplicates = _left(s.duplicates, ~copies)
    stitched = replace(
        s,
        events=_used(erased.frame),
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
        LOST_ALIAS: erased.counts[LOST_ALIAS],
        NAMED: erased.counts[NAMED],
    }
    removed = pd.DataFrame({"table": list(counts), "rows": list(counts.values())})
    return Forgotten(stitched, removed.astype({"table": "str", "rows": "int64"}))


def person_in(s: Stitched, alias_or_profile: str) -> tuple[Person, IntArray, IntArray]:
    """Return who a profile is, the rows of its events, and those of these events' copies."""
    number = s._profile_number(alias_or_profile)
    theirs = s.events["row"][s._identity.profile == number]
    copies = s.duplicates["kept_row"].isin(theirs).to_numpy()
    person = _person(s, s._identity.component == number, copies)
    return person, theirs.to_numpy(), s.duplicates["row"][copies].to_numpy()


def _person(s: Stitched, gone_alias: BoolArray, copies: BoolArray) -> Person:
    """Return the person: the profile's aliases, and what only dropped copies of events carried."""
    aliases = s._identity.aliases
    chosen = aliases.table[gone_alias]
    person = Person.of(zip(chosen["alias_type"], chosen["alias_value"], strict=True), aliases.rules)
    lost = [value_in(urn) for urns in s.duplicates["lost_aliases"][copies] for urn in urns]
    return replace(person, sent=frozenset(map(folded_text, lost)))


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
    return _used(chosen_rows(frame, keep))


def _used(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows without the categories that none of them has."""
    changed = {}
    for name, column in rows.items():
        dtype = column.dtype
        if isinstance(dtype, pd.CategoricalDtype):
            changed[name] = column.cat.remove_unused_categories()
        elif isinstance(dtype, pd.ArrowDtype) and pa.types.is_dictionary(dtype.pyarrow_dtype):
            plain = pd.ArrowDtype(dtype.pyarrow_dtype.value_type)
            changed[name] = column.astype(plain).astype(dtype)
    return rows.assign(**changed)

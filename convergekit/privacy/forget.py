"""Delete a person (GDPR): return everything without them.

What goes: the profile's events, its aliases, the dropped copies of its events, what was remarked
of them, blocked values that only they carried, refused links to it, and rejected rows that hold a
value of its own. A value is *its own* if it is an alias of the profile, or an alias, profile
property or event ID that its events sent, and no other event sent it as one of these. In rejected
rows a value of its own is found wherever it stands as a word; one shorter than six characters
("7", "Ada") only as a whole cell or at the end of a URN, because it would be found everywhere.

The person's e-mail addresses and phone numbers go from whatever else there is: from all columns of
the events and duplicates of others and their names, from their aliases, and from the remarks. They
are the aliases that are one, whatever their type, and what of its own the profile sent as an
e-mail address or phone number. `mentions` and `spellings` say how they are found.

What stays: all other profiles, their IDs and their values. Nothing is stitched again. Where limits
keep two profiles apart that meet on one event, the event is of one of them: if that is the other
profile's, the event stays and loses the person's aliases; if it is the person's, it goes, and with
it an alias of the other profile that was seen nowhere else. What others say about the person
without an address is not looked for. The counts of `remarks` are of the input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa

from convergekit.base.records import take_or_missing
from convergekit.base.text import folded_text, to_arrow
from convergekit.base.threads import chosen_rows
from convergekit.base.wording import counted
from convergekit.errors import ConvergekitError
from convergekit.figures.card import TableResult
from convergekit.identity.as_of import Knowledge
from convergekit.identity.blocking import blocked_table
from convergekit.identity.limits import Protection
from convergekit.identity.profiles import ALIAS_ID, ids_of_leaders
from convergekit.identity.segment import aliases_left, part_of
from convergekit.privacy.erasing import compact
from convergekit.privacy.mentions import (
    LOST_ALIAS,
    NAMED,
    NAMED_COLUMNS,
    Erased,
    Eraser,
    Person,
    blocked_left,
    sent_texts,
    type_in,
    value_in,
)
from convergekit.typing import BoolArray, IntArray

if TYPE_CHECKING:
    from convergekit.identity.tables import Resolution, StitchedEvents

T = TypeVar("T")
Face = TypeVar("Face")


@dataclass(frozen=True, eq=False, repr=False)
class Forgotten(TableResult, Generic[Face]):
    """Everything without one person, and what was removed.

    Attributes
    ----------
    stitched : Stitched
        Without that person.
    removed : pandas.DataFrame
        How much was removed of what: `table`, `rows`. It holds nothing of the person's own.
    """

    _table_names = ("removed",)

    stitched: Face
    removed: pd.DataFrame

    def _line(self) -> str:
        return f"Forgotten({removed_in_one_line(self.removed)})"

    def _shown(self) -> pd.DataFrame:
        return self.removed


def forget(
    s: StitchedEvents, alias_or_profile: str, *, face: Callable[[StitchedEvents], Face]
) -> Forgotten[Face]:
    """Return everything without one person. See `Stitched.forget`."""
    if s.segment is not None:
        raise of_a_segment()
    number = s.profile_number(alias_or_profile)
    asked = map(folded_text, s.resolution.aliases.blocked["alias_value"])
    person = besides_in(s, number, person_sending(s, number), asked)
    stitched, removed = without_person(s, number, Eraser(person))
    return Forgotten(face(stitched), removed_table([removed]))


def of_a_segment() -> ConvergekitError:
    """Return the error that a segment is not all there is of a person."""
    return ConvergekitError(
        "a segment is a part of a Stitched that would still hold the person: ask the whole to "
        "forget, and choose the segment of its .stitched."
    )


def person_sending(s: StitchedEvents, number: int) -> Person:
    """Return the person of a profile, with what its events sent."""
    theirs = s.events[s.resolution.profile == number]
    copies = s.duplicates["kept_row"].isin(theirs["row"]).to_numpy()
    return _person(s, s.resolution.component == number, copies).sending(theirs)


def besides_in(
    s: StitchedEvents, number: int | None, person: Person, also: Iterable[str]
) -> Person:
    """Return the person, knowing what others sent.

    Parameters
    ----------
    s : StitchedEvents
    number : int or None
        The person's profile, where it is among these.
    person : Person
    also : iterable of str
        Further texts to look for, folded.
    """
    others = s.events if number is None else s.events[s.resolution.profile != number]
    return person.besides(others, also=also)


@dataclass(frozen=True)
class Removed:
    """How much was removed of a part.

    Attributes
    ----------
    counts : dict of str to int
        Of what is of one part alone.
    blocked, blocked_left : frozenset of (str, str)
        Type and value of the blocked values before and after.
    columns : frozenset of str
        The columns that were named after the person, under their new names.
    """

    counts: dict[str, int]
    blocked: frozenset[tuple[str, str]]
    blocked_left: frozenset[tuple[str, str]]
    columns: frozenset[str]


def removed_table(parts: Sequence[Removed]) -> pd.DataFrame:
    """Return how much was removed of what, in all parts."""
    counts = {what: sum(part.counts[what] for part in parts) for what in parts[0].counts}
    before, left, columns = (
        frozenset().union(*(getattr(part, name) for part in parts))
        for name in ("blocked", "blocked_left", "columns")
    )
    counts |= {"blocked values": len(before) - len(left), NAMED_COLUMNS: len(columns)}
    removed = pd.DataFrame({"table": _COUNTED, "rows": [counts[what] for what in _COUNTED]})
    return removed.astype({"table": "str", "rows": "int64"})


def without_person(
    s: StitchedEvents, number: int | None, eraser: Eraser
) -> tuple[StitchedEvents, Removed]:
    """Return stitched events without one person, and how much was removed.

    Parameters
    ----------
    s : StitchedEvents
    number : int or None
        The person's profile, where it is among these.
    eraser : Eraser
    """
    found, person = s.resolution, eraser.person
    of_nobody = -2
    gone = of_nobody if number is None else number
    keep = found.profile != gone
    theirs = s.events[~keep]
    copies = s.duplicates["kept_row"].isin(theirs["row"]).to_numpy()
    rows = np.concatenate([theirs["row"].to_numpy(), s.duplicates["row"][copies].to_numpy()])
    malformed = s.malformed["row"].isin(rows).to_numpy()
    blocked = blocked_left(found.aliases.blocked, sent_texts(theirs), person.of_others)

    erased = eraser.erase(s.events, ~keep)
    duplicates = _duplicates_of(s, copies, eraser)
    no_rows = np.zeros(len(s.rejected), dtype=bool)
    rejected = eraser.erase(s.rejected, no_rows, ~no_rows)
    gone_profile = np.arange(len(found.profile_ids)) == gone
    identity, left = _identity_of(found, keep, gone_profile, blocked, eraser)
    place = np.append(np.cumsum(keep) - 1, -1)
    stitched = replace(
        s,
        events=erased.frame.assign(
            profile_id=take_or_missing(identity.profile_ids, identity.profile)
        ),
        rejected=rejected.frame,
        browser_alias=eraser.label(s.browser_alias),
        resolution=identity,
        describe_duplicates=lambda: duplicates.frame,
        carried_from=_labelled(eraser, {k: place[at[keep]] for k, at in s.carried_from.items()}),
        first=[eraser.text(name) for name in s.first],
        remarks={eraser.text(remark): count for remark, count in s.remarks.items()},
        malformed=_left(s.malformed, ~malformed).assign(
            reason=lambda table: table["reason"].map(eraser.text).astype("str")
        ),
    )
    counts = {
        "profiles": len(found.profile_ids) - len(identity.profile_ids),
        "events": int((~keep).sum()),
        "aliases": int((~left).sum()),
        "duplicates": int(copies.sum()),
        "rejected": rejected.counts["rejected"],
        "malformed aliases": int(malformed.sum()),
        "refused links": len(found.refused.first) - len(identity.refused.first),
        LOST_ALIAS: erased.counts[LOST_ALIAS],
        NAMED: sum(part.counts[NAMED] for part in (erased, duplicates, rejected)),
    }
    return stitched, Removed(
        counts, _pairs(found.aliases.blocked), _pairs(blocked), eraser.columns_named
    )


#: What is counted, in the order of the table.
_COUNTED = [
    *("profiles", "events", "aliases", "duplicates", "rejected", "malformed aliases"),
    *("blocked values", "refused links", LOST_ALIAS, NAMED_COLUMNS, NAMED),
]


def _pairs(blocked: pd.DataFrame) -> frozenset[tuple[str, str]]:
    return frozenset(zip(blocked["alias_type"], blocked["alias_value"], strict=True))


def person_in(s: StitchedEvents, alias_or_profile: str) -> tuple[Person, IntArray, IntArray]:
    """Return a profile's person, the rows of its events, and those of these events' copies."""
    number = s.profile_number(alias_or_profile)
    theirs = s.events["row"][s.resolution.profile == number]
    copies = s.duplicates["kept_row"].isin(theirs).to_numpy()
    person = _person(s, s.resolution.component == number, copies)
    return person, theirs.to_numpy(), s.duplicates["row"][copies].to_numpy()


def _person(s: StitchedEvents, gone_alias: BoolArray, copies: BoolArray) -> Person:
    """Return the person: the profile's aliases, and what only dropped copies of events carried."""
    aliases = s.resolution.aliases
    chosen = aliases.table[gone_alias]
    person = Person.of(zip(chosen["alias_type"], chosen["alias_value"], strict=True), aliases.rules)
    lost = [
        (type_in(urn) or "", folded_text(value_in(urn)))
        for urns in s.duplicates["lost_aliases"][copies]
        for urn in urns
    ]
    return person.with_texts([text for _, text in lost], reached_by=lost)


def _duplicates_of(s: StitchedEvents, copies: BoolArray, eraser: Eraser) -> Erased:
    """Return the dropped copies of others' events, and what was erased in them."""
    table = s.duplicates
    erased = eraser.erase(table.drop(columns=list(_LISTS)), copies)
    cells = 0
    for name, without in _LISTS.items():
        lists = table[name][~copies].tolist()
        made = [without(eraser, items) for items in lists]
        cells += sum(one != other for one, other in zip(lists, made, strict=True))
        erased.frame[name] = pd.Series(made, index=erased.frame.index, dtype=object)
    counts = erased.counts | {NAMED: erased.counts[NAMED] + cells}
    return replace(erased, counts=counts)


#: Columns of lists, and how they are written without a person.
_LISTS: dict[str, Callable[[Eraser, list[str]], list[str]]] = {
    "differs": lambda eraser, names: list(map(eraser.label, names)),
    "conflicts": lambda eraser, names: list(map(eraser.label, names)),
    "lost_aliases": lambda eraser, urns: eraser.urns(urns),
}


def _labelled(eraser: Eraser, by_property: Mapping[str, T]) -> dict[str, T]:
    return {eraser.label(name): value for name, value in by_property.items()}


def _identity_of(
    found: Resolution,
    keep: BoolArray,
    gone_profile: BoolArray,
    blocked: pd.DataFrame,
    eraser: Eraser,
) -> tuple[Resolution, BoolArray]:
    """Return who is who among the others, and which aliases are left."""
    left = aliases_left(found, keep, ~gone_profile)
    others = part_of(found, keep, left)
    # Compact: what is left of a table shares no memory with what is gone.
    table = compact(others.aliases.table)
    named, blocked = _named_aliases(table, eraser), _named_blocked(blocked, eraser)
    protection = others.protection.among(table["alias_type"].cat)
    identity = replace(
        others,
        aliases=replace(others.aliases, table=named, blocked=blocked),
        profile_ids=_with_new_ids(_compact_ids(others.profile_ids), table, named),
        # Made now: what would make it later holds on to the events that are to be forgotten.
        knowledge=_Known(_named_knowledge(others.knowledge(), named, blocked, eraser)),
        protection=Protection(
            _labelled(eraser, protection.limits), tuple(map(eraser.label, protection.priority))
        ),
        refused=replace(
            others.refused, alias_type=list(map(eraser.label, others.refused.alias_type))
        ),
    )
    return identity, left


def _compact_ids(ids: pd.Series) -> pd.Series:
    return compact(ids.to_frame("id"))["id"].rename(None)


def _named_aliases(table: pd.DataFrame, eraser: Eraser) -> pd.DataFrame:
    """Return the aliases of others without addresses: they are as many, and differ as before."""
    types = table["alias_type"].cat
    values = to_arrow(table["alias_value"])
    at = eraser.may_be_in(values)
    names = types.categories.to_numpy(dtype=object)[types.codes.to_numpy()[at]]
    texts = values.take(pa.array(at)).to_pylist()
    made = values.to_numpy(zero_copy_only=False)
    made[at] = [eraser.alias(*pair) for pair in zip(names, texts, strict=True)]
    named = pd.DataFrame(
        {
            "alias_type": pd.Series(
                pd.Categorical.from_codes(types.codes, list(map(eraser.label, types.categories)))
            ),
            "alias_value": pd.Series(made, dtype="str"),
        }
    )
    if ALIAS_ID in table:
        # Without the salt, which is not kept: what is left of the name tells nothing anyway.
        named[ALIAS_ID] = table[ALIAS_ID].mask(_differ(table, named), ids_of_leaders(named))
    return named


def _differ(one: pd.DataFrame, other: pd.DataFrame) -> pd.Series:
    types = one["alias_type"].astype("str") != other["alias_type"].astype("str")
    return types | (one["alias_value"] != other["alias_value"])


def _named_blocked(blocked: pd.DataFrame, eraser: Eraser) -> pd.DataFrame:
    pairs = zip(blocked["alias_type"], blocked["alias_value"], strict=True)
    values = [eraser.alias(*pair) for pair in pairs]
    types = list(map(eraser.label, blocked["alias_type"]))
    named = compact(blocked.assign(alias_type=types, alias_value=values)).astype(
        {"alias_type": "str", "alias_value": "str"}
    )
    # The counts are others', and so is the order that follows from them.
    return blocked_table([named])


def _with_new_ids(ids: pd.Series, before: pd.DataFrame, now: pd.DataFrame) -> pd.Series:
    """Return the IDs of the profiles: those that come of an alias with an address are rebuilt.

    An ID can be found again from a list of addresses.
    """
    changed = _differ(before, now)
    old, new = (ids_of_leaders(table[changed].reset_index(drop=True)) for table in (before, now))
    return ids.replace(dict(zip(old, new, strict=True)))


@dataclass(frozen=True)
class _Known:
    """Returns what was known when."""

    knowledge: Knowledge

    def __call__(self) -> Knowledge:
        return self.knowledge


def _named_knowledge(
    known: Knowledge, table: pd.DataFrame, blocked: pd.DataFrame, eraser: Eraser
) -> Knowledge:
    return replace(
        known,
        aliases=replace(known.aliases, table=table, blocked=blocked),
        says=_labelled(eraser, known.says),
    )


def _left(frame: pd.DataFrame, keep: BoolArray) -> pd.DataFrame:
    """Return the kept rows, and nothing of the others."""
    return compact(chosen_rows(frame, keep))


def removed_in_one_line(removed: pd.DataFrame) -> str:
    """Return how many profiles, events and aliases were removed, of those that are counted."""
    rows = removed.set_index("table")["rows"]
    named = {
        "profiles": ("profile", None),
        "events": ("event", None),
        "aliases": ("alias", "aliases"),
    }
    # A store rewrites its rows; it does not count aliases.
    return ", ".join(
        counted(int(rows[table]), one, many)
        for table, (one, many) in named.items()
        if table in rows
    )

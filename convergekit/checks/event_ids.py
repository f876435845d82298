"""Event IDs that are on different events, and events that come again without one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from convergekit.base.wording import counted
from convergekit.checks.event_names import folded
from convergekit.checks.fault import Check, Fault, FoundInPart, Together
from convergekit.checks.tracking import Tracking
from convergekit.checks.wording import quoted, shown
from convergekit.checks.worth import Worth
from convergekit.identity.dedupe import repeats_without_id
from convergekit.identity.plausible import in_scientific_notation
from convergekit.identity.profiles import LOGIN_TYPES
from convergekit.typing import IntArray

#: Amounts that differ by less are the same, written or rounded otherwise.
_SAME_AMOUNT = 0.005


def _other_names(tracking: Tracking) -> Iterator[FoundInPart]:
    """Find dropped copies whose event name differs from the kept event's."""
    dropped = np.flatnonzero(~tracking.is_kept)
    names = folded(tracking.events["event_name"].iloc[dropped])
    kept_names = folded(tracking.events["event_name"].iloc[tracking.kept[dropped]])
    both = names.notna().to_numpy() & kept_names.notna().to_numpy()
    at = dropped[both & (names.to_numpy(dtype=object) != kept_names.to_numpy(dtype=object))]
    yield FoundInPart(
        at,
        _worth_of_dropped(tracking, at),
        lambda some: _beside_kept(tracking, some, "event_name"),
    )


def _said_of_names(found: Together) -> Fault:
    return Fault(
        "high",
        f"{counted(found.count, 'event repeats', 'events repeat')} the event ID of an event with "
        "another name.",
        "The same ID is the same event: only the first to arrive counts, and these are "
        "dropped as its copies.",
        "Give every event an ID of its own. If an order's number is its ID, put the kind "
        "before it on other events (refund-1001); if two names mean one event, use one.",
        found.money,
    )


def _other_amounts(tracking: Tracking) -> Iterator[FoundInPart]:
    """Find dropped copies whose amount differs from the kept event's."""
    money = tracking.money
    if money is None:
        return
    dropped = np.flatnonzero(~tracking.is_kept & ~tracking.other_state)
    kept = tracking.kept[dropped]
    has_amount = ~(tracking.events[money.column].isna().to_numpy() | money.unreadable)
    differs = np.abs(money.amounts[dropped] - money.amounts[kept]) >= _SAME_AMOUNT
    at = dropped[differs & has_amount[dropped] & has_amount[kept]]
    yield FoundInPart(
        at,
        _worth_of_dropped(tracking, at),
        lambda some: _beside_kept(tracking, some, money.column),
    )


def _said_of_amounts(found: Together) -> Fault:
    return Fault(
        "high",
        f"{counted(found.count, 'event repeats', 'events repeat')} the event ID of an event with "
        "another amount.",
        "The same ID is the same event: only the first to arrive counts, with its amount. "
        "Either orders are lost, or one of the sources counts something else (tax, shipping, "
        "a discount).",
        "Give every order an ID of its own, and have all sources send the same total for it.",
        found.money,
    )


def _other_people(tracking: Tracking) -> Iterator[FoundInPart]:
    """Find dropped copies that are implausible: of other people, or of another day."""
    at = np.flatnonzero(tracking.implausible)
    worth = _worth_of_dropped(tracking, at)
    yield FoundInPart(at, worth, lambda some: _who_and_when(tracking, some))


def _said_of_people(found: Together) -> Fault:
    return Fault(
        "high",
        f"{counted(found.count, 'event repeats', 'events repeat')} the event ID of another "
        "person's event, or of one more than 24 hours away.",
        "The same ID is the same event: only the first to arrive counts. These are dropped as "
        f"its copies, though they have another {', '.join(LOGIN_TYPES[:-1])} or "
        f"{LOGIN_TYPES[-1]}, or no alias in common with it.",
        "Give every event an ID of its own: neither a placeholder, nor a counter that begins "
        "again. If a field tells them apart, name it: dedupe_on=('event_id', 'source').",
        found.money,
    )


def _rounded(tracking: Tracking) -> Iterator[FoundInPart]:
    """Find event IDs in scientific notation: numbers that a spreadsheet rounded."""
    ids = tracking.events["event_id"]
    at = np.flatnonzero(in_scientific_notation(ids))
    yield FoundInPart(
        at,
        _worth_of_dropped(tracking, at),
        lambda some: [shown(event_id) for event_id in ids.iloc[some]],
        about=int((~tracking.is_kept[at]).sum()),
    )


def _said_of_rounded(found: Together) -> Fault:
    dropped = sum(found.about)
    return Fault(
        "high" if dropped else "medium",
        f"{counted(found.count, 'event has its', 'events have their')} event ID in scientific "
        f"notation, such as {found.examples['seen'].iloc[0]}.",
        "A spreadsheet rounded long numbers: events of one rounded ID count once. "
        f"{counted(dropped, 'is', 'are')} dropped as copies.",
        "Export again without opening the file in a spreadsheet, or have it read the column as "
        "text.",
        found.money,
    )


def _repeated(tracking: Tracking) -> Iterator[FoundInPart]:
    """Find events without an event ID that repeat another in every field."""
    found = repeats_without_id(tracking.events)
    at, first = found.event, found.first

    def seen(some: IntArray) -> list[str]:
        originals = first[np.searchsorted(at, some)]
        files = tracking.events.get("file")
        return [
            f"row {tracking.rows[original]}"
            + ("" if files is None else f" of {shown(files.iloc[original])}")
            + " again"
            for original in originals.tolist()
        ]

    about = sum(found.elsewhere.values()), bool(tracking.is_conversion[at].any())
    yield FoundInPart(at, tracking.worth(at), seen, about=about)


def _said_of_repeated(found: Together) -> Fault:
    elsewhere = sum(count for count, _ in found.about)
    where = f", {elsewhere:,} of them in another file" if elsewhere else ""
    return Fault(
        "high" if any(converts for _, converts in found.about) else "medium",
        f"{counted(found.count, 'event')} without an event ID repeat{'s' * (found.count == 1)} "
        f"another in every field{where}.",
        "Nothing marks them as duplicates, so each counts: rows that were exported or sent "
        "twice count twice.",
        "Give every event an ID of its own. Of exports that overlap, read each row once: a "
        "table of the day, or the table of the same day's stream, not both.",
        found.money,
    )


OTHER_NAMES = Check(_other_names, _said_of_names)
OTHER_AMOUNTS = Check(_other_amounts, _said_of_amounts)
OTHER_PEOPLE = Check(_other_people, _said_of_people)
ROUNDED = Check(_rounded, _said_of_rounded)
REPEATED = Check(_repeated, _said_of_repeated)


def _worth_of_dropped(tracking: Tracking, at: IntArray) -> Worth | None:
    """Return the amounts of those that are conversions, copies too: lost if they are not copies."""
    names = tracking.whole.names
    converts = tracking.events["event_name"].iloc[at].isin(names).to_numpy(dtype=bool)
    return tracking.worth_of(at[converts], foreign=False)


def _beside_kept(tracking: Tracking, some: IntArray, column: str) -> list[str]:
    rows, ids = tracking.rows, tracking.events["event_id"]
    values = tracking.events[column]
    return [
        f"{shown(ids.iloc[copy])}: {shown(values.iloc[copy])} here, "
        f"{shown(values.iloc[kept])} in row {rows[kept]}"
        for copy, kept in zip(some.tolist(), tracking.kept[some].tolist(), strict=True)
    ]


def _who_and_when(tracking: Tracking, some: IntArray) -> list[str]:
    rows, ids = tracking.rows, tracking.events["event_id"]
    return [
        f"{shown(ids.iloc[copy])}: {_described(tracking, copy)} here, "
        f"{_described(tracking, kept)} in row {rows[kept]}"
        for copy, kept in zip(some.tolist(), tracking.kept[some].tolist(), strict=True)
    ]


def _described(tracking: Tracking, at: int) -> str:
    """Return when an event was, and its aliases."""
    first, end = np.searchsorted(tracking.aliases.event, [at, at + 1])
    urns = tracking.aliases.urns(tracking.aliases.alias[first:end])
    who = f" with {quoted(shown(urn)[1:-1] for urn in sorted(urns))}" if urns else ""
    return f"{tracking.events['timestamp'].iloc[at]:%Y-%m-%d %H:%M}{who}"

"""Texts that stand for nothing: as event IDs, as campaigns, and in other properties."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from convergekit.base.wording import counted
from convergekit.checks.fault import Check, Fault, FoundInPart, Together
from convergekit.checks.tracking import Tracking
from convergekit.checks.wording import property_name, quoted, shown
from convergekit.events.campaigns import holds_campaign
from convergekit.events.nothing import without_value
from convergekit.events.schema import PROFILE_PROPERTY, PROPERTY
from convergekit.typing import BoolArray, IntArray
from convergekit.visits.traffic import unfilled_tags


def _placeholder_ids(tracking: Tracking) -> Iterator[FoundInPart]:
    """Find events whose event ID identifies nothing."""
    ids = tracking.placeholder_ids
    at = ids.index.to_numpy(dtype=np.int64)
    yield FoundInPart(
        at,
        tracking.worth(at),
        lambda some: [shown(text) for text in ids.loc[some]],
        about=set(ids.str.strip()),
    )


def _said_of_ids(found: Together) -> Fault:
    texts = sorted(set[str]().union(*found.about))
    return Fault(
        "high",
        f"{counted(found.count, 'event has', 'events have')} a placeholder as event ID: "
        f"{quoted(texts)}.",
        "It identifies nothing, so it counts as missing: all of them are counted, and nothing "
        "says which are copies of one order.",
        "Fill the ID in where the event is sent: an order's number on orders, and a number "
        "made at random on other events.",
        found.money,
    )


def _campaigns(tracking: Tracking) -> Iterator[FoundInPart]:
    """Find events whose campaign properties hold a text that stands for nothing."""
    found = _found(tracking, campaigns=True)
    at = _positions(found)
    worth = tracking.worth_of_profiles(at)
    yield FoundInPart(at, worth, lambda some: _seen(tracking, found, some), about=list(found))


def _said_of_campaigns(found: Together) -> Fault:
    return Fault(
        "medium",
        f"{counted(found.count, 'event has', 'events have')} a placeholder as a campaign, in "
        f"{quoted(_names(found))}.",
        "A link or a template was not filled in. The value is not carried and not a campaign, "
        "so that the visit is credited to what else is known of it.",
        "Repair the links of the campaign, or leave the parameter out where there is none.",
        found.money,
    )


def _properties(tracking: Tracking) -> Iterator[FoundInPart]:
    """Find events whose other properties hold a text that stands for nothing."""
    found = _found(tracking, campaigns=False)
    at = _positions(found)
    worth = tracking.worth(at)
    yield FoundInPart(at, worth, lambda some: _seen(tracking, found, some), about=list(found))


def _said_of_properties(found: Together) -> Fault:
    names = _names(found)
    return Fault(
        "low",
        f"{counted(found.count, 'event holds', 'events hold')} a placeholder text in "
        f"{quoted(names)}.",
        "It counts as a value: a breakdown shows it as a group, and as a profile property it "
        "replaces what was known.",
        "Send nothing where there is nothing. Until then, where the text means that: "
        f"nothing={names!r}.",
        found.money,
    )


EVENT_IDS = Check(_placeholder_ids, _said_of_ids)
CAMPAIGNS = Check(_campaigns, _said_of_campaigns)
PROPERTIES = Check(_properties, _said_of_properties)


def _names(found: Together) -> list[str]:
    columns = {column for some in found.about for column in some}
    return list(dict.fromkeys(map(property_name, sorted(columns, key=found.whole.place))))


def _found(tracking: Tracking, *, campaigns: bool) -> dict[str, BoolArray]:
    found = {}
    for column in tracking.events.columns:
        if column.startswith((PROPERTY, PROFILE_PROPERTY)) and holds_campaign(column) is campaigns:
            marked = without_value(tracking.events[column]) & tracking.is_kept
            if marked.any():
                found[column] = marked
    if campaigns:
        for column, unfilled in unfilled_tags(tracking.events, tracking.whole.sites).items():
            marked = unfilled & tracking.is_kept
            if marked.any():
                found[column] = marked
    return found


def _positions(found: Mapping[str, BoolArray]) -> IntArray:
    return np.flatnonzero(np.any(list(found.values()), axis=0)) if found else np.empty(0, np.int64)


def _seen(tracking: Tracking, found: Mapping[str, BoolArray], some: IntArray) -> list[str]:
    return [
        ", ".join(
            f"{property_name(column)}: {shown(tracking.events[column].iloc[position])}"
            for column, marked in found.items()
            if marked[position]
        )
        for position in some.tolist()
    ]

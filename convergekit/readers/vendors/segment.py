"""Segment: track, page, screen, identify, group and alias calls, one JSON object each.

As written by Segment's raw-data storage destinations, or any webhook. The fields are those of
https://segment.com/docs/connections/spec/common/ and of the pages of each call beside it:

- `track` is an event; `page` and `screen` are events of these names, with their `name` as a
  property; `identify`, `group` and `alias` are identify calls. A group's ID and traits are not a
  person's, and are left out.
- `anonymousId` is the browser or device (alias type `cookie`), `userId` the alias `user_id`. The
  trait `email` is an alias as well, as in Segment's default external IDs.
- `alias` links `previousId`, which "can be either" of the two. Which one it is may stand in a
  file that is read another day, so the call itself has to say it: an anonymous ID where it is the
  `anonymousId` of the call, and otherwise it is linked as both. So the profiles do not depend on
  how an export was cut into files. An anonymous ID of one person that equals the user ID of
  another joins the two only if somebody sends it as a `previousId`.
- The campaign in the context is carried as `utm_source` and so on, and click IDs (`gclid`) under
  their own names: `context.page.search`, or the address, has them.
- `timestamp` is already corrected for the clock of the device; where it is absent it is computed
  as documented, `receivedAt - (sentAt - originalTimestamp)`.

The tables of Segment's warehouse destinations are other formats (`vendors.segment_tables`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from convergekit.events.timestamps import parse_timestamps
from convergekit.readers.columns.keys import ColumnField, Keys, ObjectField
from convergekit.readers.export import Export
from convergekit.readers.fields import (
    Rows,
    Values,
    click_ids,
    first_of,
    laid_over,
    names_of,
    objects,
    picked,
)

_NAMED_AFTER_THE_CALL = ("page", "screen")
_TRAITS = {
    "email": "$email",
    "firstName": "$first_name",
    "lastName": "$last_name",
    "phone": "$phone_number",
}
_CAMPAIGN = {
    "source": "utm_source",
    "medium": "utm_medium",
    "name": "utm_campaign",
    "term": "utm_term",
    "content": "utm_content",
}


def _event_name(rows: Rows) -> list[Any]:
    """Return the event of a track call, the call's own name for a page or screen."""
    return [
        event if call == "track" else call if call in _NAMED_AFTER_THE_CALL else None
        for call, event in zip(rows["type"], rows["event"], strict=True)
    ]


def _corrected_timestamp(rows: Rows) -> Values:
    """Return `timestamp`, or where it is absent the time corrected for the device's clock."""
    given = pd.Series(rows["timestamp"], dtype=object)
    gaps = np.flatnonzero(given.isna())
    if not len(gaps):
        return rows["timestamp"]
    original, sent, received = (
        parse_timestamps(pd.Series(rows[name], dtype=object).iloc[gaps]).times
        for name in ("originalTimestamp", "sentAt", "receivedAt")
    )
    corrected = (received - (sent - original)).fillna(original)
    given.iloc[gaps] = corrected.astype(object).where(corrected.notna(), None)
    return given


def _own_traits(rows: Rows) -> list[dict[str, Any]]:
    calls = zip(rows["type"], rows.objects("traits"), strict=True)
    return [traits if call != "group" else {} for call, traits in calls]


def _own_trait_keys(rows: Rows) -> Keys | None:
    return None if "group" in rows["type"] and rows.has("traits") else rows.keys("traits")


def _email(rows: Rows) -> pd.Series | None:
    found = rows.once(_PERSON.keys)
    if found is None:
        return None
    return found.columns.get("$email", pd.Series([None] * len(rows), dtype=object))


#: The person's traits: those in the context, over them those of the call itself.
_PERSON = laid_over(
    picked("context.campaign", _CAMPAIGN),
    names_of(
        laid_over(objects("context.traits"), ObjectField(_own_traits, _own_trait_keys)), _TRAITS
    ),
)


def _previous(rows: Rows) -> list[Any]:
    return [
        previous if call == "alias" else None
        for call, previous in zip(rows["type"], rows["previousId"], strict=True)
    ]


def _previous_user(rows: Rows) -> list[Any]:
    """Return the previous IDs that may be a user's: not the anonymous ID of the call itself."""
    return [
        None if previous is None or str(previous) == str(anonymous) else previous
        for previous, anonymous in zip(rows.once(_previous), rows["anonymousId"], strict=True)
    ]


SEGMENT = Export(
    name="segment",
    documentation="https://segment.com/docs/connections/spec/common/",
    recognised_by=[["messageId", "type", "anonymousId"], ["messageId", "type", "userId"]],
    event_id="messageId",
    event_name=_event_name,
    timestamp=_corrected_timestamp,
    received_at="receivedAt",
    aliases={
        "cookie": ["anonymousId", lambda rows: rows.once(_previous)],
        "user_id": ["userId", _previous_user],
        "email": ColumnField(
            lambda rows: [traits.get("$email") for traits in rows.once(_PERSON.by_row)], _email
        ),
    },
    properties={
        "*": "properties",
        "name": first_of("properties.name", "name"),
        "$url": "context.page.url",
        "$referrer": "context.page.referrer",
    },
    profile_properties={
        "*": ObjectField(
            lambda rows: rows.once(_PERSON.by_row), lambda rows: rows.once(_PERSON.keys)
        ),
        **click_ids("context.page.search", "context.page.url"),
        "$ip": "context.ip",
        "$user_agent": "context.userAgent",
    },
)

"""Amplitude: events as its Export API gives them.

https://amplitude.com/docs/apis/analytics/export documents the fields. `event_time` is already
corrected for the clock of the device; `$insert_id` is the event ID (`_insert_id` as loaders call
it), and where the library sent none, `uuid`, the ID of the row. `device_id` is the browser or
device (alias type `cookie`), `user_id` the alias of that name; `amplitude_id` is Amplitude's own
answer to who is who, and a property here. `user_properties` are the user's as of the event.
`$identify` is an identify call.
"""

from __future__ import annotations

from typing import Any

from convergekit.readers.export import Export
from convergekit.readers.fields import Rows, campaign, first_of, laid_over, objects


def _event_name(rows: Rows) -> list[Any]:
    return [None if name == "$identify" else name for name in rows["event_type"]]


AMPLITUDE = Export(
    name="amplitude",
    documentation="https://amplitude.com/docs/apis/analytics/export",
    recognised_by=[
        ["event_type", "event_time", "device_id", "amplitude_id"],
        ["event_type", "event_time", "user_id", "amplitude_id"],
    ],
    event_id=first_of("$insert_id", "insert_id", "_insert_id", "uuid"),
    event_name=_event_name,
    timestamp="event_time",
    received_at="server_received_time",
    aliases={"cookie": "device_id", "user_id": "user_id"},
    properties={
        "*": "event_properties",
        "session_id": "session_id",
        "amplitude_id": "amplitude_id",
        "platform": "platform",
        "country": "country",
    },
    profile_properties={"*": laid_over(campaign("event_properties"), objects("user_properties"))},
)

"""Mixpanel: events as its raw event export gives them.

https://developer.mixpanel.com/reference/raw-event-export documents one object per line, with
`event` and `properties`.

- `time` is in seconds. Older projects export times "based on your project's time zone settings"
  (https://fivetran.com/docs/connectors/applications/mixpanel/troubleshooting/incorrect-time-zone)
  as if they were UTC: say so with ``clock={"mixpanel": "America/New_York"}``.
- `$insert_id` is the event ID, which events sent without one do not have.
- Under the Simplified ID Merge (https://docs.mixpanel.com/docs/tracking-methods/id-management) an
  event that carries both `$device_id` (alias type `cookie`) and `$user_id` (`user_id`) links them,
  and `distinct_id` is the `$user_id`, or ``"$device:"`` and the `$device_id`: it is an alias of
  its own only where it is neither. Of the Original ID Merge, `$identify` links `$identified_id`
  and `$anon_id`, `$create_alias` links `distinct_id` and `alias`, and `$merge` links its
  `$distinct_ids`.
- UTM parameters and click IDs are default properties of its libraries, and the profile's too.
"""

from __future__ import annotations

from typing import Any

from convergekit.readers.export import Export
from convergekit.readers.fields import Field, Rows, campaign, first_of, without

_DEVICE = "$device:"
_IDENTITY_CALLS = ("$identify", "$create_alias", "$merge")
_NO_PROPERTIES = ("time", "$insert_id")


def _event_name(rows: Rows) -> list[Any]:
    return [None if name in _IDENTITY_CALLS else name for name in rows["event"]]


def _device_in_distinct_id(rows: Rows) -> list[Any]:
    return [
        value.removeprefix(_DEVICE) if str(value).startswith(_DEVICE) else None
        for value in rows["properties.distinct_id"]
    ]


def _own_distinct_id(rows: Rows) -> list[Any]:
    others = zip(
        rows["properties.distinct_id"],
        rows["properties.$user_id"],
        rows["properties.$device_id"],
        strict=True,
    )
    return [
        None if str(value).startswith(_DEVICE) or value in known else value
        for value, *known in others
    ]


def _on_call(call: str, path: str) -> Field:
    return lambda rows: [
        value if event == call else None
        for event, value in zip(rows["event"], rows[path], strict=True)
    ]


def _merged(place: int) -> Field:
    return lambda rows: [
        ids[place] if event == "$merge" and isinstance(ids, list) and len(ids) == 2 else None
        for event, ids in zip(rows["event"], rows["properties.$distinct_ids"], strict=True)
    ]


MIXPANEL = Export(
    name="mixpanel",
    documentation="https://developer.mixpanel.com/reference/raw-event-export",
    recognised_by=[["event", "properties.time", "properties.distinct_id"]],
    absent=("distinct_id",),
    event_id="properties.$insert_id",
    event_name=_event_name,
    timestamp="properties.time",
    aliases={
        "user_id": "properties.$user_id",
        "cookie": first_of("properties.$device_id", _device_in_distinct_id),
        "distinct_id": [
            _own_distinct_id,
            _on_call("$identify", "properties.$identified_id"),
            _on_call("$identify", "properties.$anon_id"),
            _on_call("$create_alias", "properties.alias"),
            _merged(0),
            _merged(1),
        ],
    },
    properties={"*": without("properties", *_NO_PROPERTIES)},
    profile_properties={"*": campaign("properties")},
)

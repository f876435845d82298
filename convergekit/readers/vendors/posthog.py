"""PostHog: events as its batch exports and its API give them.

The fields are those of https://posthog.com/docs/data-pipelines/batch-exports/s3; what the
identity events mean is documented at https://posthog.com/docs/product-analytics/identify:

- `distinct_id` is whoever PostHog takes for one person: alias type `distinct_id`. Before somebody
  is identified it is the browser's own, made of the device ID
  (https://posthog.com/tutorials/identifying-users-guide): where it equals `$device_id`, it is an
  alias of the type `cookie` as well, which links nothing more. `$device_id` by itself stays a
  property, for PostHog does not link by it.
- `$identify` links `distinct_id` and `$anon_distinct_id`; `$create_alias` and
  `$merge_dangerously` link it and `alias`. These, and `$set`, are identify calls. PostHog refuses
  an `$identify` between two persons that are both identified already; here it links.
- `$set` gives profile properties, `$set_once` those that count only until there is a value, and
  `$unset` names those to erase.
"""

from __future__ import annotations

from typing import Any

from convergekit.readers.export import Export
from convergekit.readers.fields import Field, Rows, first_of

_IDENTITY_CALLS = ("$identify", "$create_alias", "$merge_dangerously", "$set")
_ALIASING = ("$create_alias", "$merge_dangerously")
_PERSON = {"email": "$email", "phone": "$phone_number"}


def _event_name(rows: Rows) -> list[Any]:
    return [None if name in _IDENTITY_CALLS else name for name in rows["event"]]


def _only_on(calls: tuple[str, ...], path: str) -> Field:
    return lambda rows: [
        value if call in calls else None
        for call, value in zip(rows["event"], rows[path], strict=True)
    ]


def _browser(rows: Rows) -> list[Any]:
    pairs = zip(rows["distinct_id"], rows["properties.$device_id"], strict=True)
    return [own if own == device else None for own, device in pairs]


def _person(name: str) -> Field:
    """Return the objects that stand in the event or, as the libraries send them, its properties."""
    return lambda rows: [
        {_PERSON.get(key, key): value for key, value in {**event, **sent}.items()}
        for event, sent in zip(rows.objects(name), rows.objects(f"properties.{name}"), strict=True)
    ]


def _properties(rows: Rows) -> list[dict[str, Any]]:
    return [
        {key: value for key, value in cell.items() if key not in ("$set", "$set_once", "$unset")}
        for cell in rows.objects("properties")
    ]


POSTHOG = Export(
    name="posthog",
    documentation="https://posthog.com/docs/data-pipelines/batch-exports/s3",
    recognised_by=[["uuid", "event", "distinct_id", "timestamp", "properties"]],
    event_id="uuid",
    event_name=_event_name,
    timestamp="timestamp",
    received_at="created_at",
    aliases={
        "distinct_id": [
            "distinct_id",
            _only_on(("$identify",), "properties.$anon_distinct_id"),
            _only_on(_ALIASING, "properties.alias"),
        ],
        "cookie": _browser,
    },
    properties={"*": _properties},
    profile_properties={"*": _person("$set")},
    set_once={"*": _person("$set_once")},
    unset=first_of("properties.$unset", "$unset"),
)

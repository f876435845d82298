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
from convergekit.readers.fields import (
    Field,
    Rows,
    first_of,
    laid_over,
    names_of,
    objects,
    without,
)

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
    return names_of(laid_over(objects(name), objects(f"properties.{name}")), _PERSON)


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
    properties={"*": without("properties", "$set", "$set_once", "$unset")},
    profile_properties={"*": _person("$set")},
    set_once={"*": _person("$set_once")},
    unset=first_of("properties.$unset", "$unset"),
)

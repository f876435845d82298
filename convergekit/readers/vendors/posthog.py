"""PostHog: events as its batch exports, its API and its queries give them, and its persons.

The fields are those of https://posthog.com/docs/cdp/batch-exports/s3 (and of the pages of other
destinations, whose `set` and `set_once` are those of an event) and of
https://posthog.com/docs/api/events, where `id` is the `uuid` of the batch exports. What the
identity events mean is documented at https://posthog.com/docs/product-analytics/identify:

- `distinct_id` is whoever PostHog takes for one person: alias type `distinct_id`. Before somebody
  is identified it is the browser's own, made of the device ID
  (https://posthog.com/tutorials/identifying-users-guide): where it equals `$device_id`, it is an
  alias of the type `cookie` as well, which links nothing more. `$device_id` by itself stays a
  property, for PostHog does not link by it.
- `$identify` links `distinct_id` and `$anon_distinct_id`; `$create_alias` and
  `$merge_dangerously` link it and `alias`. These, and `$set`, are identify calls. PostHog refuses
  an `$identify` between two persons that are both identified already; here it links.
- `person_id` is PostHog's own answer to who is who, "resolved at ingestion time": a property.
  ``columns={"alias.posthog_person": "properties.person_id"}`` makes it an alias on request; then
  persons are PostHog's, and what it refused to merge stays apart only if nothing else links it.
- A row of the persons model is an identify call: its `distinct_id` has the alias
  `posthog_person`, which joins all that PostHog made one person. Its properties are the person's
  latest, dated to when the person was created. A row of a deleted person (`is_deleted`) is
  rejected.
- `$set` gives profile properties, `$set_once` those that count only until there is a value, and
  `$unset` names those to erase. UTM parameters and click IDs, which the libraries send as
  properties (https://posthog.com/docs/data/utm-segmentation), are the profile's too. Not read are
  `person_properties`, the person's at the time of ingestion, `elements_chain` and `team_id`.
"""

from __future__ import annotations

from typing import Any

from convergekit.readers.columns.keys import ObjectField
from convergekit.readers.export import Export
from convergekit.readers.fields import (
    Field,
    Rows,
    campaign,
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


def _named(properties: dict[str, Any]) -> dict[str, Any]:
    return {_PERSON.get(key, key): value for key, value in properties.items()}


def _person(name: str) -> ObjectField:
    """Return the objects that stand in the event or, as the libraries send them, its properties."""
    first, second, third = map(objects, (name.removeprefix("$"), name, f"properties.{name}"))
    return names_of(laid_over(laid_over(first, second), third), _PERSON)


POSTHOG = Export(
    name="posthog",
    documentation="https://posthog.com/docs/cdp/batch-exports/s3",
    recognised_by=[
        ["uuid", "event", "distinct_id", "timestamp", "properties"],
        ["uuid", "event", "distinct_id", "timestamp", "person_id"],
        ["id", "event", "distinct_id", "timestamp", "properties", "elements_chain"],
        ["id", "event", "distinct_id", "timestamp", "properties", "elements"],
    ],
    event_id=first_of("uuid", "id"),
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
    properties={
        "*": without("properties", "$set", "$set_once", "$unset"),
        "person_id": "person_id",
    },
    # What is the person's from here on: `$set`, and below it the campaign.
    profile_properties={"*": laid_over(campaign("properties"), _person("$set"))},
    set_once={"*": _person("$set_once")},
    unset=first_of("properties.$unset", "$unset"),
)


def _no_event(rows: Rows) -> list[Any]:
    """Return that no row is an event, and say which are of persons that were deleted."""
    for row, deleted in enumerate(rows["is_deleted"]):
        if str(deleted).lower() in ("true", "1"):
            rows.reasons.setdefault(row, "the person is deleted in PostHog (is_deleted)")
    return [None] * len(rows)


POSTHOG_PERSONS = Export(
    name="posthog_persons",
    documentation="https://posthog.com/docs/cdp/batch-exports/s3",
    recognised_by=[
        ["distinct_id", "person_id", "properties", version]
        for version in ("person_distinct_id_version", "person_version")
    ],
    absent=("event",),
    event_name=_no_event,
    timestamp="created_at",
    aliases={"posthog_person": "person_id", "distinct_id": "distinct_id"},
    profile_properties={"*": lambda rows: [_named(cell) for cell in rows.objects("properties")]},
)

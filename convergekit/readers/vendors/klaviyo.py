"""Klaviyo: events as its Events API gives them, with the metrics and profiles that it includes.

https://developers.klaviyo.com/en/reference/get_events documents the fields, and Klaviyo's OpenAPI
description of the Events API what they mean. An answer of the API is one row per event: a page
per file, or per line. Ask for ``include=metric,profile``.

- An event's name is that of its metric; where the metrics are not included there is only its ID,
  which `rename_events` can name. `id` is the event ID.
- The ID of the profile is an alias of the type `klaviyo_profile`. Of the included profile `email`,
  `phone_number` (alias type `phone`) and `external_id`, by which "customers" associate it with a
  profile elsewhere, are aliases as well.
- The included profile is as it was when the answer was made, not when the event happened: its
  properties are the person's latest, on every event.

`$event_id`, `$value` and the like stay event properties of these names. Not read are
attributions, lists, and the CSV files of the application, whose columns are not documented.
"""

from __future__ import annotations

from convergekit.readers.export import Export
from convergekit.readers.fields import first_of

_PROFILE = "included.profile.attributes"

KLAVIYO = Export(
    name="klaviyo",
    documentation="https://developers.klaviyo.com/en/reference/get_events",
    recognised_by=[
        ["id", "attributes.event_properties", time, "relationships.metric.data.id"]
        for time in ("attributes.datetime", "attributes.timestamp")
    ],
    event_id="id",
    event_name=first_of("included.metric.attributes.name", "relationships.metric.data.id"),
    timestamp=first_of("attributes.datetime", "attributes.timestamp"),
    aliases={
        "klaviyo_profile": "relationships.profile.data.id",
        "email": f"{_PROFILE}.email",
        "phone": f"{_PROFILE}.phone_number",
        "external_id": f"{_PROFILE}.external_id",
    },
    properties={"*": "attributes.event_properties"},
    profile_properties={
        "*": f"{_PROFILE}.properties",
        "$email": f"{_PROFILE}.email",
        "$phone_number": f"{_PROFILE}.phone_number",
        "$first_name": f"{_PROFILE}.first_name",
        "$last_name": f"{_PROFILE}.last_name",
        "$city": f"{_PROFILE}.location.city",
        "$state": f"{_PROFILE}.location.region",
        "$zip_code": f"{_PROFILE}.location.zip",
        "$ip": f"{_PROFILE}.location.ip",
        "locale": f"{_PROFILE}.locale",
    },
)

"""Snowplow: the `atomic.events` table, as JSON, CSV with a header, or Parquet.

https://docs.snowplow.io/docs/fundamentals/canonical-event documents the fields. `derived_tstamp`
is corrected for the clock of the device (`collector_tstamp` where it is absent). `domain_userid`,
the first-party cookie, is the alias type `cookie`; `network_userid`, the collector's cookie, and
`user_id` are aliases of their names. A self-describing event (`unstruct_event_...`) is opened
into properties; contexts (`contexts_...`) are properties, each a list. The enriched TSV without a
header is not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convergekit.readers.columnar import Keys, ObjectField
from convergekit.readers.export import Export
from convergekit.readers.fields import Rows, first_of


def _properties(rows: Rows) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{} for _ in range(len(rows))]
    for column in rows.frame.columns:
        if column.startswith(("unstruct_event_", "contexts_")):
            for properties, value in zip(found, rows[column], strict=True):
                if column.startswith("unstruct_event_") and isinstance(value, Mapping):
                    properties.update(value)
                elif value is not None:
                    properties[column] = value
    return found


def _property_keys(rows: Rows) -> Keys | None:
    found = Keys.none()
    for name in rows.names:
        if name.startswith("unstruct_event_"):
            keys = rows.keys(name)
        elif name.startswith("contexts_"):
            keys = rows.key(name)
        else:
            continue
        over = None if keys is None else keys.over(found)
        if over is None:
            return None
        found = over
    return found


SNOWPLOW = Export(
    name="snowplow",
    documentation="https://docs.snowplow.io/docs/fundamentals/canonical-event",
    recognised_by=[["event_id", "event", "collector_tstamp", "event_name"]],
    event_id="event_id",
    event_name=first_of("event_name", "event"),
    timestamp=first_of("derived_tstamp", "collector_tstamp"),
    received_at="collector_tstamp",
    aliases={
        "cookie": "domain_userid",
        "network_userid": "network_userid",
        "user_id": "user_id",
    },
    properties={
        "*": ObjectField(_properties, _property_keys),
        "$url": "page_url",
        "$referrer": "page_referrer",
        "session_id": "domain_sessionid",
        "app_id": "app_id",
        "tr_orderid": "tr_orderid",
        "tr_total": "tr_total",
        "tr_currency": "tr_currency",
        "se_category": "se_category",
        "se_action": "se_action",
        "se_label": "se_label",
        "se_property": "se_property",
        "se_value": "se_value",
    },
    profile_properties={
        "utm_source": "mkt_source",
        "utm_medium": "mkt_medium",
        "utm_campaign": "mkt_campaign",
        "utm_term": "mkt_term",
        "utm_content": "mkt_content",
        "$ip": "user_ipaddress",
        "$user_agent": "useragent",
    },
)

"""Snowplow: enriched events as TSV, or the `atomic.events` table as JSON, CSV or Parquet.

https://docs.snowplow.io/docs/fundamentals/canonical-event documents the fields, and
https://docs.snowplow.io/docs/api-reference/loaders-storage-targets/schemas-in-warehouse the names
of columns. The TSV has no header: `vendors.enriched_tsv` knows its order.

- `derived_tstamp` is corrected for the clock of the device (`collector_tstamp` where it is
  absent).
- `domain_userid`, the first-party cookie, is the alias type `cookie`; `network_userid`, the
  collector's cookie, and `user_id` are aliases of their names.
- A self-describing event is opened into properties: `unstruct_event`, and the column of its
  schema in a warehouse (`unstruct_event_com_...`). Entities are properties, each a list, under
  the warehouse's name: `contexts_com_...`, and what `contexts` and `derived_contexts` hold.
- `event_fingerprint` stays a property, by which Snowplow tells copies from other events of the
  same ID, https://docs.snowplow.io/docs/api-reference/loaders-storage-targets/snowplow-rdb-loader
  (page "Event deduplication"): `dedupe_on=("event_id", "properties.event_fingerprint")`.
- `mkt_clickid` is a click ID under its usual name where `mkt_network` is one of the three that
  https://docs.snowplow.io/docs/pipeline/enrichments/available-enrichments/campaign-attribution-enrichment
  names; others are properties.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from convergekit.readers.export import Export
from convergekit.readers.fields import Rows, first_of

_SCHEMA = re.compile(r"iglu:([^/]+)/([^/]+)/[^/]+/(\d+)-")
_CLICK_ID = {"Google": "gclid", "Microsoft": "msclkid", "DoubleClick": "dclid"}
_KEPT = (
    *("app_id", "event_fingerprint", "mkt_network", "mkt_clickid"),
    *("tr_orderid", "tr_total", "tr_tax", "tr_shipping", "tr_currency"),
    *("ti_orderid", "ti_sku", "ti_name", "ti_category", "ti_price", "ti_quantity", "ti_currency"),
    *("se_category", "se_action", "se_label", "se_property", "se_value"),
)


def _properties(rows: Rows) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{} for _ in range(len(rows))]
    for column in map(str, rows.frame.columns):
        if column.startswith(("unstruct_event_", "contexts_")):
            for properties, value in zip(found, rows[column], strict=True):
                if column.startswith("unstruct_event_") and isinstance(value, Mapping):
                    properties.update(value)
                elif value is not None:
                    properties[column] = value
    for column in ("unstruct_event", "contexts", "derived_contexts"):
        for properties, value in zip(found, rows[column], strict=True):
            if value is not None:
                _open(properties, column, value)
    return found


def _open(properties: dict[str, Any], column: str, value: Any) -> None:
    """Add what self-describing JSON holds; what is of another shape stays under its column."""
    data = value.get("data") if isinstance(value, Mapping) else None
    if column == "unstruct_event":
        inner = data.get("data") if isinstance(data, Mapping) else None
        properties.update(inner if isinstance(inner, Mapping) else {column: value})
        return
    entities = list(_entities(data))
    if not isinstance(data, list) or len(entities) != len(data):
        properties[column] = value
        return
    for name, entity in entities:
        properties[name] = [*properties.get(name, ()), entity]


def _entities(data: Any) -> Iterator[tuple[str, Any]]:
    for entity in data if isinstance(data, list) else ():
        schema = entity.get("schema") if isinstance(entity, Mapping) else None
        named = _SCHEMA.match(schema) if isinstance(schema, str) else None
        if named:
            yield column_of(*named.groups()), entity.get("data")


def column_of(vendor: str, name: str, model: str) -> str:
    """Return the column that a warehouse gives to an entity's schema.

    Examples
    --------
    >>> column_of("com.snowplowanalytics.snowplow", "webPage", "1")
    'contexts_com_snowplowanalytics_snowplow_web_page_1'
    """
    words = re.sub(r"([^A-Z_])([A-Z])", r"\1_\2", name)
    return re.sub(r"\W", "_", f"contexts_{vendor}_{words}_{model}").lower()


def _click_ids(rows: Rows) -> list[dict[str, Any]]:
    return [
        {_CLICK_ID[network]: value} if value is not None and network in _CLICK_ID else {}
        for network, value in zip(map(str, rows["mkt_network"]), rows["mkt_clickid"], strict=True)
    ]


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
        "*": _properties,
        "$url": "page_url",
        "$referrer": "page_referrer",
        "session_id": "domain_sessionid",
        **{name: name for name in _KEPT},
    },
    profile_properties={
        "*": _click_ids,
        "utm_source": "mkt_source",
        "utm_medium": "mkt_medium",
        "utm_campaign": "mkt_campaign",
        "utm_term": "mkt_term",
        "utm_content": "mkt_content",
        "$ip": "user_ipaddress",
        "$user_agent": "useragent",
    },
)

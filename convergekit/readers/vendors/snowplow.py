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

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from convergekit.base.bounds import MOST_COLUMNS
from convergekit.base.records import column_from_values
from convergekit.readers.columns.keys import Keys, ObjectField
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
        name = _column_of_schema(schema) if isinstance(schema, str) else None
        if name:
            yield name, entity.get("data")


@functools.lru_cache(maxsize=1000)
def _column_of_schema(schema: str) -> str | None:
    named = _SCHEMA.match(schema)
    return column_of(*named.groups()) if named else None


def _property_keys(rows: Rows) -> Keys | None:
    """Return what `_properties` does as columns, None where a field has an unusual shape."""
    found: Keys | None = Keys.none()
    for name in rows.names:
        if found is not None and name.startswith("unstruct_event_"):
            found = _over(rows.keys(name), found)
        elif found is not None and name.startswith("contexts_"):
            found = _over(_list_key(rows, name), found)
    for layer in (_event_keys, _entity_keys):
        found = None if found is None else _over(layer(rows), found)
    return found


def _over(layer: Keys | None, under: Keys) -> Keys | None:
    """Return one layer over another, None if a key is in both: its values may be lists to join."""
    if layer is None or not layer.columns.keys().isdisjoint(under.columns):
        return None
    return layer.over(under)


def _list_key(rows: Rows, name: str) -> Keys | None:
    """Return objects with a warehouse's column of entities as their only key."""
    return Keys.none() if rows.lacks(name) else _sparse({name: rows.json_cells(name)})


def _event_keys(rows: Rows) -> Keys | None:
    """Return the self-describing events, None unless each has an object in its `data.data`."""
    if rows.lacks("unstruct_event"):
        return Keys.none()
    outer, inner = rows.array("unstruct_event"), rows.array("unstruct_event.data.data")
    if outer is None or inner is None or inner.null_count > outer.null_count:
        return None
    return rows.keys("unstruct_event.data.data")


def _entity_keys(rows: Rows) -> Keys | None:
    """Return the entities of both columns, a key per schema, None where one is unusual."""
    found: dict[str, list[Any] | None] = {}
    there = [name for name in ("contexts", "derived_contexts") if not rows.lacks(name)]
    columns = [rows.json_cells(name) for name in there]
    known = [column for column in columns if column is not None]
    if len(known) < len(there):
        return None
    for row, cells in enumerate(zip(*known, strict=True)):
        opened: dict[str, Any] = {}
        for name, cell in zip(there, cells, strict=True):
            if cell is not None:
                _open(opened, name, cell)
        for name, entities in opened.items():
            values = found.setdefault(name, [None] * len(rows))
            if values is not None:
                values[row] = entities
        if len(found) > MOST_COLUMNS:
            return None
    return _sparse(found)


def _sparse(columns: Mapping[str, list[Any] | None]) -> Keys | None:
    """Return objects with a key where its column has a value; None if a column is not known."""
    known = {name: values for name, values in columns.items() if values is not None}
    if len(known) < len(columns):
        return None
    firsts = {
        name: next((row for row, value in enumerate(values) if value is not None), len(values))
        for name, values in known.items()
    }
    return Keys(
        {name: column_from_values(values) for name, values in known.items()},
        firsts.__getitem__,
        lambda name, rows: np.zeros(len(rows), dtype=bool),
    )


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
        "*": ObjectField(_properties, _property_keys),
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

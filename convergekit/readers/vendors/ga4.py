"""Google Analytics 4: the tables `events_YYYYMMDD` of its BigQuery export.

https://support.google.com/analytics/answer/7029846 documents the fields: `event_timestamp` in
microseconds, parameters as a list of keys with a value of one of four types. There is no event
ID, so nothing is deduplicated. `user_pseudo_id` is the browser (alias type `cookie`), `user_id`
the alias of that name. The campaign collected with the event is carried as `utm_source` and so
on; `traffic_source`, "the source that first acquired the user", is set once as
`$initial_utm_source`, `$initial_utm_medium` and `$initial_utm_campaign`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convergekit.readers.columnar import ObjectField
from convergekit.readers.export import Export
from convergekit.readers.fields import Rows, cells, number
from convergekit.readers.key_values import pivoted


def _parameters(path: str) -> ObjectField:
    def read(rows: Rows) -> list[dict[str, Any]]:
        return [{key: _value(value) for key, value in cell.items()} for cell in rows.objects(path)]

    return ObjectField(read, lambda rows: pivoted(rows, path))


def _value(value: Any) -> Any:
    if not isinstance(value, Mapping) or not _TYPED.intersection(value):
        return value
    text, whole = value.get("string_value"), value.get("int_value")
    if text is not None:
        return text
    if whole is not None:
        # BigQuery writes 64-bit integers as text in JSON.
        return _number(int, whole)
    for name in _DOUBLES:
        if value.get(name) is not None:
            return _number(float, value[name])
    return None


def _number(kind: type[int] | type[float], value: Any) -> Any:
    """Return the number that a text or number is; anything else as it came."""
    try:
        return kind(value) if isinstance(value, (str, int)) else value
    except (ValueError, OverflowError):
        return value


_DOUBLES = ("double_value", "float_value")
_TYPED = frozenset({"string_value", "int_value", *_DOUBLES})

GA4 = Export(
    name="ga4",
    documentation="https://support.google.com/analytics/answer/7029846",
    recognised_by=[["event_timestamp", "event_name", "event_params", "user_pseudo_id"]],
    event_name="event_name",
    timestamp="event_timestamp",
    aliases={"cookie": "user_pseudo_id", "user_id": "user_id"},
    properties={
        "*": _parameters("event_params"),
        "transaction_id": "ecommerce.transaction_id",
        "purchase_revenue": number("ecommerce.purchase_revenue"),
        "items": cells("items", lambda rows: rows.lists("items")),
        "device_category": "device.category",
        "country": "geo.country",
    },
    profile_properties={
        "*": _parameters("user_properties"),
        "utm_source": "collected_traffic_source.manual_source",
        "utm_medium": "collected_traffic_source.manual_medium",
        "utm_campaign": "collected_traffic_source.manual_campaign_name",
        "utm_term": "collected_traffic_source.manual_term",
        "utm_content": "collected_traffic_source.manual_content",
    },
    set_once={
        "$initial_utm_source": "traffic_source.source",
        "$initial_utm_medium": "traffic_source.medium",
        "$initial_utm_campaign": "traffic_source.name",
    },
)

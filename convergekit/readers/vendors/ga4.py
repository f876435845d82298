"""Google Analytics 4: the tables `events_YYYYMMDD` of its BigQuery export.

https://support.google.com/analytics/answer/7029846 documents the fields: `event_timestamp` in
microseconds, parameters as a list of keys with a value of one of four types. `user_pseudo_id` is
the browser (alias type `cookie`), `user_id` the alias of that name; without consent both are
missing. The campaign collected with the event is carried as `utm_source` and so on, and so are
`gclid` and `dclid`. `traffic_source`, "the source that first acquired the user", is set once as
`$initial_utm_source`, `$initial_utm_medium` and `$initial_utm_campaign`.

It lacks an event ID, and a day's events stand in the table of its stream and in that of the day.
Since July 2024 three fields say where an event stood: `batch_page_id` ("assigned to a page, that
increases for each subsequent page within an engagement"), `batch_ordering_id` ("incremented each
time a network request is sent from a given page") and `batch_event_index` ("the sequential order of
each event within a batch"). With the browser, the time, the name and the stream they name one
event, so the ID is a digest of these. Nothing else is in it: attribution, parameters and the user
may be filled in later. An event that lacks one of them has no ID: earlier exports, the Measurement
Protocol, and visitors without consent, of whom two may load a page in the same moment. The name
is in it because events that GA4 itself creates from others stand at the same place.

A query that unnests the parameters has a line for each of them
(https://developers.google.com/analytics/bigquery/basic-queries): lines that stand below one another
and agree in what names an event are one event of the format `ga4_flat`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from convergekit.readers.columns.key_values import pivoted
from convergekit.readers.columns.keys import ObjectField
from convergekit.readers.export import Export
from convergekit.readers.fields import Rows, cells, number
from convergekit.readers.gathered import ItemLines


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


def _event_id(rows: Rows) -> list[str | None]:
    """Return a digest of what names an event, None where something of it is missing."""
    parameters = rows.once(_event_parameters.by_row)
    numbers = [
        [_whole(value) for value in rows["event_timestamp"]],
        # The first two may stand among the parameters alone.
        *(
            [
                _whole(value if value is not None else sent.get(name))
                for value, sent in zip(rows[name], parameters, strict=True)
            ]
            for name in ("batch_page_id", "batch_ordering_id")
        ),
        [_whole(value) for value in rows["batch_event_index"]],
    ]
    texts = (rows["stream_id"], rows["user_pseudo_id"], rows["event_name"])
    return [
        _digest(stream, browser, name, time, page, request, index)
        for stream, browser, name, time, page, request, index in zip(*texts, *numbers, strict=True)
    ]


def _digest(stream: Any, *names: Any) -> str | None:
    if None in names or "" in names:
        return None
    if isinstance(stream, float) and stream.is_integer():
        stream = int(stream)
    text = "\n".join(map(str, ("" if stream is None else stream, *names)))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _whole(value: Any) -> int | None:
    """Return the whole number that a cell is; BigQuery writes it as text, pandas with a point."""
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() and len(value) < 20 else None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return int(value) if isinstance(value, (int, np.integer)) else None


_DOUBLES = ("double_value", "float_value")
_TYPED = frozenset({"string_value", "int_value", *_DOUBLES})
_event_parameters = _parameters("event_params")

GA4 = Export(
    name="ga4",
    documentation="https://support.google.com/analytics/answer/7029846",
    recognised_by=[
        ["event_timestamp", "event_name", "event_params", own]
        for own in ("user_pseudo_id", "event_date")
    ],
    event_id=_event_id,
    event_name="event_name",
    timestamp="event_timestamp",
    aliases={"cookie": "user_pseudo_id", "user_id": "user_id"},
    properties={
        "*": ObjectField(lambda rows: rows.once(_event_parameters.by_row), _event_parameters.keys),
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
        "gclid": "collected_traffic_source.gclid",
        "dclid": "collected_traffic_source.dclid",
    },
    set_once={
        "$initial_utm_source": "traffic_source.source",
        "$initial_utm_medium": "traffic_source.medium",
        "$initial_utm_campaign": "traffic_source.name",
    },
)

_VALUES = ("string_value", "int_value", *_DOUBLES)


def _nested(frame: pd.DataFrame) -> pd.DataFrame:
    """Give the parameters of gathered lines the shape that the table has."""
    lists = frame["event_params"] if "event_params" in frame else [None] * len(frame)
    return frame.assign(
        event_params=pd.Series(
            [
                [
                    {"key": line.get("key"), "value": {n: line[n] for n in _VALUES if n in line}}
                    for line in lines
                ]
                if isinstance(lines, list)
                else None
                for lines in lists
            ],
            index=frame.index,
            dtype=object,
        )
    )


GA4_FLAT = replace(
    GA4,
    name="ga4_flat",
    recognised_by=[["event_timestamp", "event_name", "key", value] for value in _VALUES],
    absent=("event_params",),
    lines=ItemLines(
        key=[
            *("event_timestamp", "event_name", "user_pseudo_id", "user_id", "stream_id"),
            *("event_bundle_sequence_id", "batch_page_id", "batch_ordering_id"),
            "batch_event_index",
        ],
        items={name: name for name in ("key", *_VALUES)},
        into="event_params",
        together=True,
    ),
    prepare=_nested,
)

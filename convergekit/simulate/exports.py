"""A simulated store's exports: the pixel's lines, the webhook's array and the CRM's table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pandas as pd

_ALIASES = ("cookie", "cart_token", "checkout_token", "email", "phone", "customer_id")


def records_of(events: pd.DataFrame, source: str) -> list[dict[str, Any]]:
    """Return the events of a source as records without the columns that they lack."""
    chosen = events[events["source"] == source].astype(object)
    return [
        {name: value for name, value in record.items() if not pd.isna(value)}
        for record in chosen.to_dict("records")
    ]


def pixel_lines(records: list[dict[str, Any]], *, breaks_off: bool) -> Iterator[str]:
    """Yield the lines of the pixel's export, which may break off in the middle of its last."""
    lines = [
        _json(
            {
                "method": "track",
                "eventName": record.get("event_name"),
                "eventID": record.get("event_id"),
                "timestamp": _iso(record["timestamp"]),
                "receivedAt": _iso(record["received_at"]),
                "properties": _under(record, "properties."),
                "profileProperties": _under(record, "profile_properties."),
                "aliases": _urns(record),
            }
        )
        for record in records
    ]
    yield from (f"{line}\n" for line in lines)
    if breaks_off and lines:
        yield lines[-1][:72]


def webhook_array(records: list[dict[str, Any]]) -> str:
    """Return the webhook's calls as one JSON array."""
    objects = []
    for place, record in enumerate(records):
        # Two versions of the shop's server: one writes ISO 8601, the other epoch seconds.
        stamp: Any = record["timestamp"].tz_convert("Europe/Brussels").isoformat(timespec="seconds")
        if place % 4 == 3:
            stamp = int(record["timestamp"].timestamp())
        properties = _under(record, "properties.")
        item = {
            name: properties.pop(name) for name in ("name", "price", "quantity") & properties.keys()
        }
        if item:
            properties["items"] = [dict(sorted(item.items()))]
        objects.append(
            _json(
                {
                    "event_id": record.get("event_id"),
                    "event_name": record.get("event_name"),
                    "timestamp": stamp,
                    "received_at": _iso(record["received_at"]),
                    "properties": properties,
                    "profile_properties": _under(record, "profile_properties."),
                    "aliases": _urns(record),
                }
            )
        )
    return "[\n" + ",\n".join(objects) + "\n]\n"


def flat_table(records: list[dict[str, Any]]) -> str:
    """Return the CRM's rows as CSV."""
    names = ["event_id", "event_name", "timestamp", "received_at"]
    names += ["alias.email", "alias.phone", "alias.customer_id"]
    names += [f"profile_properties.{name}" for name in ("$email", "$first_name", "$last_name")]
    table = pd.DataFrame(records, columns=names)
    for name in ("timestamp", "received_at"):
        table[name] = [_iso(stamp) for stamp in table[name]]
    # Not by `cli.csv`: its apostrophes would be part of what is read again. Every text here
    # is made up by this module, and none begins as a formula; a phone number is but a number.
    return table.to_csv(index=False, lineterminator="\n")


def _under(record: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {
        name.removeprefix(prefix): value
        for name, value in record.items()
        if name.startswith(prefix)
    }


def _urns(record: dict[str, Any]) -> list[str]:
    return [
        f"urn:{name}:{record[f'alias.{name}']}" for name in _ALIASES if f"alias.{name}" in record
    ]


def _iso(stamp: pd.Timestamp) -> str:
    return stamp.strftime("%Y-%m-%dT%H:%M:%S.") + f"{stamp.microsecond // 1000:03d}Z"


def _json(value: dict[str, Any]) -> str:
    present = {name: item for name, item in value.items() if item is not None}
    return json.dumps(present, ensure_ascii=False, separators=(",", ":"))

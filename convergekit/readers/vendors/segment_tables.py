"""Segment's and RudderStack's warehouse tables: one for each kind of call, one for each event.

https://www.twilio.com/docs/segment/connections/storage/warehouses/schema and
https://www.rudderstack.com/docs/destinations/warehouse-destinations/warehouse-schema document the
tables and their columns, which are the same but for RudderStack's `channel`: `id` "is equivalent
to the messageId", so that a table and the raw call are one event; the four times; `context_...`
with dots and capitals turned into underscores; and each property or trait as a column of its own.
A row is given the names of the call that it was, and read as that (`vendors.segment`).

- `tracks` has every track call without its properties, an event's own table the same call with
  them, both under one `id`. Rows without properties are dated a microsecond later
  (`received_at`), so that of the copies the one with properties arrives first and is kept.
- `pages`, `screens` and `identifies` have the same columns: the name of the file says which of
  them it holds, or `format=`.
- `event_text` is the name of the event, `event` that of its table.
- Not read are `context_...` beyond those that a raw call is read for, a group's traits, and
  `uuid`, `uuid_ts`, `loaded_at`, which "can be ignored". The table `users` holds the latest traits
  of a person and is refused: its `id` is not that of a call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pandas as pd

from convergekit.events.timestamps import iso_texts, parse_timestamps
from convergekit.readers.export import Export
from convergekit.readers.vendors.segment import SEGMENT

_CALL = {
    "id": "messageId",
    "anonymous_id": "anonymousId",
    "user_id": "userId",
    "previous_id": "previousId",
    "timestamp": "timestamp",
    "original_timestamp": "originalTimestamp",
    "sent_at": "sentAt",
    "received_at": "receivedAt",
    "event_text": "event",
}
_CONTEXT = {
    "context_ip": "context.ip",
    "context_user_agent": "context.userAgent",
    "context_page_url": "context.page.url",
    "context_page_referrer": "context.page.referrer",
    "context_page_search": "context.page.search",
}
_PARTS = {"context_campaign_": "context.campaign.", "context_traits_": "context.traits."}
_IGNORED = frozenset({"event", "uuid", "uuid_ts", "loaded_at", "channel", "group_id"})
#: Segment writes `firstName` as `first_name`.
_TRAITS = {"first_name": "firstName", "last_name": "lastName"}
_DOCUMENTATION = "https://www.twilio.com/docs/segment/connections/storage/warehouses/schema"
_MICROSECOND = pd.Timedelta(microseconds=1)


def _as_call(call: str, own: str | None) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Return what gives a table's rows the names of the call; `own` is where its columns stand."""

    def prepare(frame: pd.DataFrame) -> pd.DataFrame:
        names = {name: _name(str(name), own) for name in frame.columns}
        known = {name: new for name, new in names.items() if new is not None}
        if "event_text" not in frame and "event" in frame and call == "track":
            known["event"] = "event"
        found = frame[list(known)].rename(columns=known)
        found = found.loc[:, ~found.columns.duplicated()]
        alone = not any(name.startswith("properties.") for name in found.columns)
        if "receivedAt" in found:
            received = found["receivedAt"]
            found = found.assign(
                arrived=_later(received) if call == "track" and alone else received
            )
        return found.assign(type=call)

    return prepare


def _name(column: str, own: str | None) -> str | None:
    """Return what the raw call has a table's column under, None for what is not read."""
    known = _CALL.get(column) or _CONTEXT.get(column)
    if known or column in _IGNORED:
        return known
    for prefix, path in _PARTS.items():
        if column.startswith(prefix):
            part = column.removeprefix(prefix)
            return path + _TRAITS.get(part, part)
    if column.startswith("context_") or own is None:
        return None
    return f"{own}.{_TRAITS.get(column, column) if own == 'traits' else column}"


def _later(received: pd.Series) -> pd.Series:
    """Return times of receipt a microsecond later, text as text; what is not a time stays."""
    if pd.api.types.is_datetime64_any_dtype(received):
        return received + _MICROSECOND
    times = parse_timestamps(received).times
    later = pd.Series(iso_texts(times + _MICROSECOND), index=received.index, dtype=object)
    return later.where(times.notna(), received.astype(object))


def _table(
    name: str,
    prepare: Callable[[pd.DataFrame], pd.DataFrame],
    *more: str,
    absent: Sequence[str] = ("event_text",),
) -> Export:
    ids = ("anonymous_id", "user_id")
    times = ("original_timestamp", "sent_at")
    proofs = [[*more, one] for one in ids] if more else [[i, time] for i in ids for time in times]
    return replace(
        SEGMENT,
        name=name,
        documentation=_DOCUMENTATION,
        recognised_by=[["id", "received_at", *proof] for proof in proofs],
        absent=absent,
        table=name.removeprefix("segment_"),
        received_at="arrived",
        prepare=prepare,
    )


SEGMENT_TABLES = (
    _table("segment_tracks", _as_call("track", "properties"), "event", "event_text", absent=()),
    _table("segment_pages", _as_call("page", "properties")),
    _table("segment_screens", _as_call("screen", "properties")),
    _table("segment_identifies", _as_call("identify", "traits")),
    _table("segment_groups", _as_call("group", None), "group_id"),
    _table("segment_aliases", _as_call("alias", "traits"), "previous_id"),
)
SEGMENT_USERS = Export(
    name="segment_users",
    documentation=_DOCUMENTATION,
    recognised_by=[
        ["id", "received_at", own] for own in ("context_library_name", "context_ip", "uuid_ts")
    ],
    absent=("event_text", "user_id", "sent_at", "original_timestamp", "timestamp"),
    event_name="event",
    timestamp="received_at",
    table="users",
    refused=(
        "the table 'users' of Segment's or RudderStack's warehouse holds the latest traits of each "
        "user, not calls. Read the table 'identifies', which has every identify call."
    ),
)

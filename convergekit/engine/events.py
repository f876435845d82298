"""An engine's events: which rows are events, and which of these are copies of others.

What `convergekit.events.schema` and `convergekit.identity.dedupe` do in memory, as expressions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ibis

from convergekit.engine.aliases import (
    BLOCKED,
    CARRIES,
    LOOKS_ALIKE,
    MALFORMED,
    USABLE,
    Blocker,
    with_aliases,
)
from convergekit.engine.backends import Backend
from convergekit.engine.columns import OWN, canonical, trimmed
from convergekit.engine.nothing import is_nobody
from convergekit.errors import ColumnError, did_you_mean
from convergekit.events.normalise import MISSING_TIMESTAMP, NOT_AN_EVENT

#: When an event arrived; why a row is none; what it was named; whether its time is that of arrival.
ARRIVED, REASON, NAMED, TAKEN = (OWN + name for name in ("arrived", "reason", "named", "taken"))
#: Whether an event has an ID that identifies nothing.
UNIDENTIFIED = OWN + "unidentified"
#: The row that is kept instead of a copy.
KEPT_ROW = "kept_row"


def read_events(
    backend: Backend, table: Any, *, columns: Mapping[str, str], rename_events: Mapping[str, str]
) -> Any:
    """Return every row of the table under canonical names, typed, with `kind`.

    Nothing is computed yet: the engine reads the table again where its columns are asked for.

    Parameters
    ----------
    backend : Backend
    table : ibis.Table
    columns, rename_events
        As `ck.stitch` takes them.
    """
    table = canonical(backend, backend.stored(table), columns)
    named = {}
    for name in ("event_id", "event_name", "source"):
        text = table[name]
        named[name] = ibis.ifelse(trimmed(text) == "", ibis.null("string"), text)
    unidentified = is_nobody(backend, named["event_id"]).fill_null(False)
    named["event_id"] = ibis.ifelse(unidentified, ibis.null("string"), named["event_id"])
    table = table.mutate(
        **named,
        **{NAMED: named["event_name"], TAKEN: ibis.literal(False), UNIDENTIFIED: unidentified},
    )
    if rename_events:
        names = table["event_name"].cases(*rename_events.items(), else_=table["event_name"])
        table = table.mutate(event_name=names)
    if "received_at" in table.columns:
        taken = table["timestamp"].isnull() & table["received_at"].notnull()
        time = ibis.coalesce(table["timestamp"], table["received_at"])
        table = table.mutate(**{TAKEN: taken, "timestamp": time})
    kind = ibis.ifelse(table["event_name"].isnull(), "identify", "track")
    return table.mutate(kind=kind).relocate("kind", after="row")


def read_rows(
    backend: Backend,
    events: Any,
    *,
    dedupe_on: Sequence[str],
    alias_from: Mapping[str, str],
    blocker: Blocker,
) -> Any:
    """Return what finding copies and profiles needs of every row.

    Parameters
    ----------
    backend : Backend
    events : ibis.Table
        As `read_events` returns it.
    dedupe_on, alias_from
        As `ck.stitch` takes them.
    blocker : Blocker

    Returns
    -------
    ibis.Table
        `row`, `kind`, `event_id`, `event_name`, `timestamp`, `source`, `ARRIVED`, `REASON`,
        `TAKEN`, `NAMED`, the columns of `dedupe_on` and those of `with_aliases`.
    """
    _check_scope(events, dedupe_on)
    # Without times of arrival, rows arrive in their order, whatever their times.
    arrived = ibis.timestamp("1970-01-01", timezone="UTC")
    if "received_at" in events.columns:
        arrived = ibis.coalesce(events["received_at"], events["timestamp"])
    table = with_aliases(backend, events.mutate(**{ARRIVED: arrived}), alias_from, blocker)
    reason = ibis.cases(
        (table["timestamp"].isnull(), MISSING_TIMESTAMP),
        (table["event_name"].isnull() & ~table[CARRIES], NOT_AN_EVENT),
        else_=ibis.null("string"),
    )
    if "read_error" in table.columns:
        reason = ibis.coalesce(table["read_error"], reason)
    table = table.mutate(**{REASON: reason})
    needed = ["row", "kind", "event_id", "event_name", "timestamp", "source", *dedupe_on]
    needed += [ARRIVED, REASON, TAKEN, NAMED, UNIDENTIFIED, USABLE, BLOCKED, MALFORMED, LOOKS_ALIKE]
    return table.select(*dict.fromkeys(needed))


def find_copies(events: Any, dedupe_on: Sequence[str]) -> Any:
    """Return the dropped copies of events: `row`, and in `KEPT_ROW` the row kept instead.

    Parameters
    ----------
    events : ibis.Table
        Rows that are events.
    dedupe_on : sequence of str
        Columns that together name an event.
    """
    named = events.filter(events["event_id"].notnull())
    named = named.select("row", ARRIVED, *dict.fromkeys(dedupe_on))
    # Few IDs occur twice, and only theirs are sorted.
    several = named.group_by("event_id").having(lambda t: t.count() > 1).aggregate()
    suspects = named.semi_join(several, "event_id")
    in_order = ibis.window(group_by=list(dedupe_on), order_by=[ARRIVED, "row"])
    ranked = suspects.mutate(
        **{
            OWN + "place": ibis.row_number().over(in_order),
            KEPT_ROW: suspects["row"].first().over(in_order),
        }
    )
    return ranked.filter(ranked[OWN + "place"] > 0).select("row", KEPT_ROW)


def _check_scope(events: Any, dedupe_on: Sequence[str]) -> None:
    if isinstance(dedupe_on, str) or "event_id" not in dedupe_on:
        raise ColumnError(
            f"dedupe_on={dedupe_on!r} must be a list that names 'event_id', such as "
            "('source', 'event_id'): events without a shared ID are never duplicates."
        )
    for name in dedupe_on:
        if name not in events.columns:
            raise ColumnError(
                f"dedupe_on names {name!r}, which is no column of the events."
                f"{did_you_mean(name, events.columns)}"
            )

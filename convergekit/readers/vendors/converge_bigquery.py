"""Converge's BigQuery export: the tables `events` and `profile_merges`.

The fields are those of Converge's public documentation of its BigQuery export. `profile_id` is
an alias of the type `converge_profile`. A row of `profile_merges` is an identify call that
carries both IDs: merges that chain (A into C, C into D) are one profile, because the alias graph
follows links to their end; under ``identity="as_of"`` they are known from their time on. Read
both files in one call. `profile_properties` are the profile's as of the event.
"""

from __future__ import annotations

from convergekit.readers.export import Export
from convergekit.readers.fields import first_of

CONVERGE_BIGQUERY = Export(
    name="converge_bigquery",
    documentation="Converge, BigQuery export: tables events and profile_merges",
    recognised_by=[
        ["id", "timestamp", "event_name", "profile_id", "event_properties"],
        ["timestamp", "old_profile_id", "new_profile_id"],
    ],
    event_id="id",
    event_name="event_name",
    timestamp="timestamp",
    aliases={"converge_profile": [first_of("profile_id", "new_profile_id"), "old_profile_id"]},
    properties={
        "*": "event_properties",
        "session_id": "session_id",
        "session_properties": "session_properties",
        "source_id": "source_id",
        "source_name": "source_name",
    },
    profile_properties={"*": "profile_properties"},
)

"""Google Analytics 4 with a line for each parameter, as a query that unnests them gives it."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import convergekit as ck

SAMPLE = Path(__file__).parents[2] / "data" / "exports" / "ga4.jsonl"
VALUES = ("string_value", "int_value", "float_value", "double_value")


def unnested(rows):
    """Return the lines of ``SELECT …, p.key, p.value.* FROM …, UNNEST(event_params) AS p``."""
    return pd.DataFrame(
        [
            {
                "event_timestamp": row["event_timestamp"],
                "event_name": row["event_name"],
                "user_pseudo_id": row.get("user_pseudo_id"),
                "user_id": row.get("user_id"),
                "key": entry["key"],
                **{name: (entry["value"] or {}).get(name) for name in VALUES},
            }
            for row in rows
            for entry in row["event_params"]
        ]
    )


@pytest.fixture(scope="module")
def rows():
    return [json.loads(line) for line in SAMPLE.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "frame"])
def test_the_lines_are_the_tables_events(tmp_path, rows, kind):
    flat = unnested(rows)
    path = tmp_path / f"flat.{kind}"
    if kind == "csv":
        flat.to_csv(path, index=False)
    elif kind == "jsonl":
        flat.to_json(path, orient="records", lines=True)
    ours = ck.stitch(ck.read_events(flat if kind == "frame" else path))
    theirs = ck.stitch(ck.read_events(SAMPLE))
    assert len(ours.events) == len(theirs.events)
    names = [name for name in theirs.events if name.startswith("properties.")]
    params = [f"properties.{entry['key']}" for row in rows for entry in row["event_params"]]
    assert set(params) <= set(names)
    same = ["timestamp", "event_name", "alias.cookie", *sorted(set(params))]
    left, right = (
        found.events[same].astype(object).where(found.events[same].notna(), None)
        for found in (ours, theirs)
    )
    assert left.map(str).values.tolist() == right.map(str).values.tolist()


def test_two_events_of_one_moment_are_told_by_their_place(rows):
    one = {**rows[0], "event_params": [{"key": "n", "value": {"int_value": 1}}]}
    flat = pd.concat([unnested([one]), unnested([one])], ignore_index=True)
    assert len(ck.read_events(flat)) == 1
    placed = flat.assign(batch_page_id=7, batch_ordering_id=1, batch_event_index=[1, 2])
    events = ck.read_events(placed)
    assert len(events) == 2
    assert events["event_id"].is_unique
    assert events["event_id"].notna().all()

"""PostHog: batch exports, persons, the API's pages and queries; whose person an event is."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import convergekit as ck

SAMPLE = Path(__file__).parents[2] / "data" / "exports" / "posthog.jsonl"
AT = "2026-03-02T10:00:00Z"


def event(uuid, name, distinct_id, person, minute=0, **properties):
    return {"uuid": uuid, "event": name, "distinct_id": distinct_id, "person_id": person,
            "timestamp": f"2026-03-02T10:{minute:02}:00Z", "properties": properties}  # fmt: skip


TWO = [
    event("u1", "$pageview", "dev-1", "p1", **{"$device_id": "dev-1"}),
    event("u2", "order", "ada", "p1", 1),
]
BY_PERSON = {"alias.posthog_person": "properties.person_id"}


def read(rows, **options):
    return ck.read_events(pd.DataFrame(rows), **options)


def test_posthogs_own_persons_are_kept_and_link_on_request():
    apart = ck.stitch(read(TWO))
    assert len(apart.profiles) == 2
    assert apart.events["properties.person_id"].tolist() == ["p1", "p1"]
    together = ck.stitch(read(TWO, columns=BY_PERSON))
    assert len(together.profiles) == 1
    assert set(together.aliases["alias_type"]) == {"cookie", "distinct_id", "posthog_person"}


def test_by_request_in_files_too(tmp_path):
    for name, row in zip("ab", TWO, strict=True):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row))
    s = ck.stitch(ck.read_events(str(tmp_path / "*.jsonl"), columns=BY_PERSON))
    assert len(s.profiles) == 1


def person(distinct_id, person_id, **more):
    return {"team_id": 1, "distinct_id": distinct_id, "person_id": person_id,
            "properties": json.dumps({"email": "ada@x.org", "plan": "pro"}),
            "person_distinct_id_version": 0, "person_version": 3,
            "created_at": "2026-03-01T00:00:00Z", "is_deleted": False, **more}  # fmt: skip


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_the_persons_model_is_identify_calls(tmp_path, kind):
    rows = pd.DataFrame([person("dev-1", "p1"), person("ada", "p1"), person("bob", "p2")])
    path = tmp_path / f"persons.{kind}"
    if kind == "jsonl":
        rows.to_json(path, orient="records", lines=True)
    else:
        (rows.to_csv if kind == "csv" else rows.to_parquet)(path, index=False)
    events = tmp_path / "events.jsonl"
    events.write_text("\n".join(map(json.dumps, TWO)))
    s = ck.stitch(ck.read_events([events, path]))
    assert not len(s.rejected)
    assert s.events["kind"].tolist().count("identify") == 3
    assert len(s.profiles) == 2
    order = s.events[s.events["event_name"] == "order"].iloc[0]
    assert (order["profile.plan"], order["profile.$email"]) == ("pro", "ada@x.org")
    linked = s.explain("urn:distinct_id:dev-1", "urn:distinct_id:ada")
    assert "urn:posthog_person:p1" in str(linked)


def test_deleted_persons_are_rejected():
    s = ck.stitch(read([person("dev-1", "p1"), person("ada", "p1", is_deleted=True)]))
    assert s.rejected["reason"].tolist() == ["the person is deleted in PostHog (is_deleted)"]
    assert set(s.aliases["alias_value"]) == {"dev-1", "p1"}


def test_the_api_gives_the_batch_exports_uuid_as_id(tmp_path):
    rows = [json.loads(line) for line in SAMPLE.read_text("utf-8").splitlines()]
    page = [
        {"id": row["uuid"], **{k: row[k] for k in ("distinct_id", "properties", "event")},
         "timestamp": row["timestamp"], "person": None, "elements": [], "elements_chain": ""}
        for row in rows
    ]  # fmt: skip
    path = tmp_path / "posthog.json"
    path.write_text(json.dumps({"next": None, "results": page}))
    ours, theirs = ck.stitch(ck.read_events(path)), ck.stitch(ck.read_events(SAMPLE))
    assert ours.events["event_id"].tolist() == theirs.events["event_id"].tolist()
    assert ours.events["profile_id"].tolist() == theirs.events["profile_id"].tolist()


@pytest.mark.parametrize("kind", ["json", "csv"])
def test_a_query_is_read_as_the_batch_export_is(tmp_path, kind):
    rows = [json.loads(line) for line in SAMPLE.read_text("utf-8").splitlines()]
    names = ["uuid", "event", "distinct_id", "timestamp", "properties"]
    cells = [[*(row[n] for n in names[:-1]), json.dumps(row["properties"])] for row in rows]
    path = tmp_path / f"posthog.{kind}"
    if kind == "json":
        path.write_text(json.dumps({"columns": names, "results": cells, "hasMore": False}))
    else:
        pd.DataFrame(cells, columns=names).to_csv(path, index=False)
    ours, theirs = ck.stitch(ck.read_events(path)), ck.stitch(ck.read_events(SAMPLE))
    assert ours.events["event_id"].tolist() == theirs.events["event_id"].tolist()
    assert ours.events["profile_id"].tolist() == theirs.events["profile_id"].tolist()
    assert ours.profiles["profile.utm_source"].equals(theirs.profiles["profile.utm_source"])


def test_the_columns_set_and_set_once_of_warehouses():
    rows = [
        event("u1", "order", "ada", "p1") | {"set": {"plan": "pro"}, "set_once": {"first": "ads"}},
        event("u2", "order", "ada", "p1", 1) | {"set": None, "set_once": '{"first": "mail"}'},
    ]
    s = ck.stitch(read(rows))
    assert s.events["profile.plan"].tolist() == ["pro", "pro"]
    assert s.events["profile.first"].tolist() == ["ads", "ads"]


def test_campaigns_and_click_ids_are_carried():
    rows = [
        event("u1", "$pageview", "ada", "p1", gclid="g1", utm_source="google", utm_medium="cpc"),
        event("u2", "order", "ada", "p1", 1),
    ]
    s = ck.stitch(read(rows))
    assert s.events["profile.gclid"].tolist() == ["g1", "g1"]
    assert s.events["profile.utm_source"].tolist() == ["google", "google"]
    assert s.sessions()["click_id"].tolist() == ["gclid"]

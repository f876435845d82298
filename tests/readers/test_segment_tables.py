"""Segment's and RudderStack's warehouse tables are the raw calls, column by column."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest

import convergekit as ck

EXPORTS = Path(__file__).parents[2] / "data" / "exports"
TABLES = {"track": "tracks", "page": "pages", "screen": "screens", "identify": "identifies",
          "group": "groups", "alias": "aliases"}  # fmt: skip
STEPS = ["page", "Product Added", "Checkout Started"]


def snake(name):
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def flat(prefix, value):
    if not isinstance(value, dict):
        return {prefix: json.dumps(value) if isinstance(value, list) else value}
    found = {}
    for key, inner in value.items():
        found |= flat(f"{prefix}_{snake(key)}" if prefix else snake(key), inner)
    return found


def row_of(call):
    """Return a call as the documented schema of the warehouse has it."""
    times = ("timestamp", "originalTimestamp", "sentAt", "receivedAt")
    row = {"id": call["messageId"], "anonymous_id": call.get("anonymousId"),
           "user_id": call.get("userId"), "uuid_ts": call["receivedAt"]}  # fmt: skip
    row |= {snake(time): call.get(time) for time in times}
    row |= flat("context", call.get("context", {}))
    if call["type"] == "track":
        row |= {"event": snake(call["event"].replace(" ", "_")), "event_text": call["event"]}
    if call["type"] == "alias":
        row["previous_id"] = call["previousId"]
    return row


def tables(calls):
    """Return the tables of a warehouse, each by its name."""
    found = {}
    for call in calls:
        standard = row_of(call)
        own = flat("", {**call.get("properties", {}), **call.get("traits", {})})
        if call.get("name"):
            own["name"] = call["name"]
        if call["type"] == "track":
            found.setdefault("tracks", []).append(standard)
            found.setdefault(standard["event"], []).append({**standard, **own})
        else:
            found.setdefault(TABLES[call["type"]], []).append({**standard, **own})
    return {name: pd.DataFrame(rows) for name, rows in found.items()}


def write(folder, found, kind):
    folder.mkdir(exist_ok=True)
    for name, frame in found.items():
        if kind == "csv":
            frame.to_csv(folder / f"{name}.csv", index=False)
        else:
            times = [name for name in frame if name.endswith(("timestamp", "_at"))]
            typed = frame[times].apply(lambda column: pd.to_datetime(column).dt.tz_localize(None))
            frame.assign(**typed).to_parquet(folder / f"prod_{name}_000.parquet")
    return sorted(folder.iterdir())


@pytest.fixture(params=["segment", "rudderstack"])
def vendor(request):
    return request.param


@pytest.fixture
def calls(vendor):
    return [json.loads(line) for line in (EXPORTS / f"{vendor}.jsonl").read_text().splitlines()]


def aliases(s):
    found = s.aliases[["alias_type", "alias_value", "profile_id"]].astype(str)
    return sorted(found.drop(columns="profile_id").itertuples(index=False, name=None))


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_tables_are_the_raw_calls(tmp_path, vendor, calls, kind):
    raw = ck.stitch(ck.read_events(EXPORTS / f"{vendor}.jsonl"))
    events = ck.read_events(write(tmp_path / "w", tables(calls), kind))
    s = ck.stitch(events)
    assert not len(s.rejected)
    assert set(s.events["event_id"]) == set(raw.events["event_id"])
    assert aliases(s) == aliases(raw)
    # Among calls of one time the order is that of the files, so e-mails are compared at the end.
    emails = [sorted(found.profiles["profile.$email"].dropna()) for found in (s, raw)]
    assert emails[0] == emails[1]
    names = ["event_name", "timestamp", "properties.$url", "profile.utm_source"]
    ours = s.events.set_index("event_id")[names].sort_index()
    theirs = raw.events.set_index("event_id")[names].sort_index()
    pd.testing.assert_frame_equal(ours, theirs, check_dtype=False)
    reached = [found.funnel(STEPS, within="1D").table["profiles"].tolist() for found in (s, raw)]
    assert reached[0] == reached[1]


@pytest.mark.parametrize("first", ["tracks", "product_added"])
def test_of_tracks_and_the_events_table_the_copy_with_properties_is_kept(tmp_path, calls, first):
    once = {call["messageId"]: call for call in calls}
    found = tables(once.values())
    files = write(tmp_path / "w", {n: found[n] for n in ("tracks", "product_added")}, "csv")
    in_order = sorted(files, key=lambda path: path.stem != first)
    s = ck.stitch(ck.read_events(in_order))
    added = s.events[s.events["event_name"] == "Product Added"]
    assert len(added) == len(found["product_added"])
    assert added["properties.price"].notna().all()
    assert set(s.duplicates["event_id"]) == set(found["product_added"]["id"])


def test_frames_and_single_tables(calls):
    found = tables(calls)
    assert ck.read_events(found["tracks"])["event_name"].tolist()
    with pytest.raises(ck.ReadError, match="could be 'segment_pages' or 'segment_screens' or"):
        ck.read_events(found["pages"])
    assert set(ck.read_events(found["pages"], format="segment_pages")["event_name"]) == {"page"}
    screens = ck.read_events(found["pages"], format="segment_screens")
    assert set(screens["event_name"]) == {"screen"}
    identified = ck.read_events(found["identifies"], format="segment_identifies")
    assert identified["event_name"].isna().all()
    assert identified["alias.email"].notna().all()


def test_the_folder_may_be_named_after_the_table(tmp_path, calls):
    (tmp_path / "identifies").mkdir()
    path = tmp_path / "identifies" / "data_0_0_0.csv"
    tables(calls)["identifies"].to_csv(path, index=False)
    assert ck.read_events(path)["event_name"].isna().all()


BASE = {"id": "m1", "anonymous_id": "a1", "user_id": "u1", "received_at": "2026-03-02T10:00:02Z",
        "sent_at": "2026-03-02T10:00:01Z", "original_timestamp": "2026-03-02T10:00:00Z",
        "timestamp": "2026-03-02T10:00:01Z"}  # fmt: skip


def test_aliases_groups_and_identifies_mean_what_the_calls_do(tmp_path):
    rows = {
        "identifies": {**BASE, "email": "Ada@x.org", "first_name": "Ada", "plan": "pro"},
        "groups": {**BASE, "id": "m2", "group_id": "acme", "email": "office@x.org"},
        "aliases": {**BASE, "id": "m3", "user_id": "u2", "anonymous_id": None, "previous_id": "u1"},
        "pages": {**BASE, "id": "m4", "user_id": "u2", "anonymous_id": "a2", "name": "Home"},
    }
    files = []
    for name, row in rows.items():
        files.append(tmp_path / f"{name}.csv")
        pd.DataFrame([row]).to_csv(files[-1], index=False)
    s = ck.stitch(ck.read_events(files))
    assert not len(s.rejected)
    assert s.events["kind"].tolist().count("identify") == 3
    assert len(s.profiles) == 1
    assert s.profiles["profile.plan"].tolist() == ["pro"]
    assert s.profiles["profile.$first_name"].tolist() == ["Ada"]
    assert s.events["properties.name"].dropna().tolist() == ["Home"]
    values = set(s.aliases["alias_value"])
    assert {"a1", "a2", "u1", "u2", "ada@x.org"} <= values
    assert not values & {"acme", "office@x.org"}


def test_the_clock_of_the_device_is_corrected_where_timestamp_is_left_out():
    row = {key: value for key, value in BASE.items() if key != "timestamp"}
    row |= {"received_at": "2026-03-02T12:00:01Z", "event": "signed_up", "event_text": "Signed Up"}
    found = ck.stitch(ck.read_events(pd.DataFrame([row]))).events
    assert str(found["timestamp"][0]) == "2026-03-02 12:00:00+00:00"


def test_the_name_of_the_table_stands_in_for_that_of_the_event():
    row = {**BASE, "event": "signed_up", "event_text": "Signed Up"}
    rows = pd.DataFrame([row])
    assert ck.read_events(rows)["event_name"].tolist() == ["Signed Up"]


def test_a_named_table_needs_no_more_than_is_read_of_it():
    row = {"id": "m1", "user_id": "u1", "timestamp": "2026-03-02T10:00:00Z", "plan": "pro"}
    read = ck.read_events(pd.DataFrame([row]), format="segment_identifies")
    assert read["profile_properties.plan"].tolist() == ["pro"]


def test_users_are_refused_by_name(tmp_path):
    row = {"id": "u1", "received_at": "2026-03-02T10:00:00Z", "context_ip": "10.0.0.1",
           "email": "ada@x.org"}  # fmt: skip
    for frame in (pd.DataFrame([row]), pd.DataFrame([row]).rename(columns=str.upper)):
        with pytest.raises(ck.ReadError, match="'users' .* Read the table 'identifies'"):
            ck.read_events(frame)
    with pytest.raises(ck.ReadError, match="format must be one of"):
        ck.read_events(pd.DataFrame([row]), format="segment_users")


@pytest.mark.parametrize("name", ["tracks", "pages", "identifies", "product_added"])
def test_snowflakes_capitals_are_read_the_same(tmp_path, calls, name):
    frame = tables(calls)[name]
    for folder, written in (("small", frame), ("capitals", frame.rename(columns=str.upper))):
        (tmp_path / folder).mkdir()
        written.to_csv(tmp_path / folder / f"{name}.csv", index=False)
    small, capitals = (ck.read_events(tmp_path / f / f"{name}.csv") for f in ("small", "capitals"))
    pd.testing.assert_frame_equal(small, capitals)


def test_a_store_keeps_the_copy_with_properties_whichever_came_first(tmp_path, calls):
    found = tables({call["messageId"]: call for call in calls}.values())
    files = write(tmp_path / "w", {n: found[n] for n in ("tracks", "product_added")}, "csv")
    for number, in_order in enumerate((files, files[::-1])):
        store = ck.open_store(tmp_path / f"store{number}")
        for path in in_order:
            store.add(path)
        events = store.stitched().events
        added = events[events["event_name"] == "Product Added"]
        assert len(added) == len(found["product_added"])
        assert added["properties.price"].notna().all()

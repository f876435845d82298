"""Epoch numbers of a format that are local time: `clock=`, in frames, files and the shell."""

from __future__ import annotations

import json
import zoneinfo
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import convergekit as ck
from convergekit.cli.app import app
from tests.effort import tries

NEW_YORK = {"mixpanel": "America/New_York"}


def row(time, insert_id="i1", **more):
    return {"event": "Order", "properties": {"time": time, "distinct_id": "u1",
                                             "$insert_id": insert_id, **more}}  # fmt: skip


def stitched_times(rows, clock=NEW_YORK, **options):
    events = ck.read_events(pd.DataFrame(rows), clock=clock)
    return ck.stitch(events, **options).events["timestamp"].dt.strftime("%d %H:%M").tolist()


@pytest.mark.parametrize("time", [1772442480, "1772442480", 1772442480000, 1772442480.0])
def test_the_projects_time_is_read_by_its_clock(time):
    assert stitched_times([row(time)], clock=None) == ["02 09:08"]
    assert stitched_times([row(time)]) == ["02 14:08"]
    assert stitched_times([row(time)], tz="Asia/Tokyo") == ["02 14:08"]


def test_times_that_name_a_zone_or_are_text_are_left_alone():
    rows = [row(1772442480), row("2026-03-02T09:08:00Z", "i2"), row(None, "i3"), row(12, "i4")]
    found = ck.read_events(pd.DataFrame(rows), clock=NEW_YORK)["timestamp"].tolist()
    assert found == ["2026-03-02T14:08:00.000000Z", "2026-03-02T09:08:00Z", None, 12]


def test_an_hour_that_is_twice_is_the_first_and_one_skipped_moves_to_its_end():
    # Clocks were set back at 06:00 UTC on 1 November 2026, and forward at 07:00 UTC on 8 March.
    twice = int(datetime(2026, 11, 1, 1, 30, tzinfo=UTC).timestamp())
    skipped = int(datetime(2026, 3, 8, 2, 30, tzinfo=UTC).timestamp())
    assert stitched_times([row(twice)]) == ["01 05:30"]
    assert stitched_times([row(skipped)]) == ["08 07:00"]


@tries(60, deadline=None)
@given(st.integers(int(1e9), int(2e9)), st.sampled_from(["America/New_York", "Asia/Kolkata"]))
def test_as_zoneinfo_has_it(epoch, zone):
    shown = datetime(1970, 1, 1) + timedelta(seconds=epoch)
    utc = shown.replace(tzinfo=zoneinfo.ZoneInfo(zone)).astimezone(UTC)
    if utc.astimezone(zoneinfo.ZoneInfo(zone)).replace(tzinfo=None) != shown:
        return  # An hour that the clock never showed.
    events = ck.read_events(pd.DataFrame([row(epoch)]), clock={"mixpanel": zone})
    assert ck.stitch(events).events["timestamp"].tolist() == [pd.Timestamp(utc)]


def test_only_the_format_that_is_named(tmp_path):
    other = {"event_type": "Order", "event_time": "2026-03-02 09:08:00.000000", "device_id": "d",
             "amplitude_id": 1}  # fmt: skip
    for name, one in (("m", row(1772442480)), ("a", other)):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(one))
    events = ck.read_events(str(tmp_path / "*.jsonl"), clock=NEW_YORK)
    times = ck.stitch(events).events.set_index("source")["timestamp"].dt.hour
    assert times.to_dict() == {"m": 14, "a": 9}


def test_the_report_says_that_tz_was_not_used():
    events = ck.read_events(pd.DataFrame([row(1772442480)]))
    said = str(ck.stitch(events, tz="America/New_York").report)
    assert "epoch seconds, which are UTC whatever tz= says; clock= of read_events" in said
    assert "clock=" not in str(ck.stitch(events).report)


@pytest.mark.parametrize(
    ("clock", "words"),
    [
        ("America/New_York", "clock must map a format to the time zone"),
        ({"mixpanle": "America/New_York"}, "Did you mean 'mixpanel'"),
        ({"mixpanel": "Mars/Base"}, "must be a time zone"),
        ({"mixpanel": None}, "must be a time zone such as 'America/New_York'; got None"),
        ({"ga4": "America/New_York"}, "'ga4', but nothing that was read .* Found: 'mixpanel'"),
    ],
)
def test_what_is_not_a_clock_is_refused(tmp_path, clock, words):
    with pytest.raises(ck.ConvergekitError, match=words):
        ck.read_events(pd.DataFrame([row(1772442480)]), clock=clock)
    path = tmp_path / "m.jsonl"
    path.write_text(json.dumps(row(1772442480)))
    with pytest.raises(ck.ConvergekitError, match=words):
        ck.read_events(path, clock=clock)


def test_in_the_shell(tmp_path):
    path = tmp_path / "m.jsonl"
    path.write_text(json.dumps(row(1772442480)))
    out = tmp_path / "out"
    command = ["stitch", str(path), "--out", str(out), "--clock", "mixpanel=America/New_York"]
    assert CliRunner().invoke(app, command).exit_code == 0
    assert ck.read_stitched(out).events["timestamp"].dt.hour.tolist() == [14]
    refused = CliRunner().invoke(app, ["check", str(path), "--clock", "mixpanel"])
    assert refused.exit_code == 2


def test_mixpanel_without_insert_ids_is_recognised():
    rows = [row(1772442480), row(1772442480)]
    for one in rows:
        del one["properties"]["$insert_id"]
    s = ck.stitch(ck.read_events(pd.DataFrame(rows)))
    assert s.events["event_id"].isna().all()
    assert len(s.events) == 2


def test_amplitudes_uuid_stands_in_for_the_insert_id():
    base = {"event_type": "A", "event_time": "2026-03-02 10:00:00", "device_id": "d",
            "amplitude_id": 1}  # fmt: skip
    rows = [
        base | {"$insert_id": "i1", "uuid": "u1"},
        base | {"$insert_id": None, "uuid": "u2"},
        base | {"_insert_id": "i3", "uuid": "u3"},
        base | {"insert_id": "i4", "uuid": "u4"},
    ]
    found = ck.read_events(pd.DataFrame(rows))["event_id"].tolist()
    assert found == ["i1", "u2", "i3", "i4"]

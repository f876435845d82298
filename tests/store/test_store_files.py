"""Which files a store knows, in archives too, and how the files of a batch are read."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile

import pandas as pd
import pytest

import convergekit as ck

FIRST = {"event_name": "A", "timestamp": "2026-03-02T10:00:00Z", "alias.cookie": "c1"}
SECOND = FIRST | {"timestamp": "2026-03-03T10:00:00Z"}
THIRD = FIRST | {"timestamp": "2026-03-04T10:00:00Z"}


@pytest.fixture
def store(tmp_path):
    return ck.open_store(tmp_path / "store")


def zipped(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, row in members.items():
            archive.writestr(name, row if isinstance(row, bytes) else json.dumps(row))
    return path


def test_a_file_in_two_archives_is_added_once(store, tmp_path):
    monday = zipped(tmp_path / "monday.zip", {"1.json": FIRST, "2.json": SECOND})
    tuesday = zipped(tmp_path / "tuesday.zip", {"again.json": SECOND, "3.json": THIRD})
    assert store.add(monday).rows == 2
    added = store.add(tuesday)
    assert (added.batch, added.rows) == (2, 1)
    assert added.known == [f"{tuesday}/again.json"]
    assert len(store.stitched().events) == 3
    # Of an archive that is made anew, the bytes are others, and its files the same.
    anew = zipped(tmp_path / "anew.zip", {"b.json": THIRD, "a.json": FIRST})
    added = store.add(anew)
    assert added.batch is None
    assert len(added.known) == 2


def test_a_file_is_known_inside_an_archive_and_beside_it(store, tmp_path):
    loose = tmp_path / "1.json"
    loose.write_text(json.dumps(FIRST))
    packed = zipped(tmp_path / "a.zip", {"1.json": FIRST, "2.json": SECOND})
    added = store.add([loose, packed])
    assert added.rows == 2
    assert added.known == [f"{packed}/1.json"]
    second = tmp_path / "2.json"
    second.write_text(json.dumps(SECOND))
    assert store.add(second).batch is None


def test_a_file_that_an_archive_holds_twice_or_deeper_is_added_once(store, tmp_path):
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w") as archive:
        text = json.dumps(FIRST).encode()
        entry = tarfile.TarInfo("deep.json")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text))
    members = {"1.json": FIRST, "copy.json": FIRST, "inner.tar": inner.getvalue()}
    assert store.add(zipped(tmp_path / "a.zip", members)).rows == 1


def test_what_an_archive_held_is_known_after_a_repair(store, tmp_path):
    store.add(zipped(tmp_path / "a.zip", {"1.json": FIRST}))
    ck.repair_store(tmp_path / "store")
    assert store.add(zipped(tmp_path / "b.zip", {"x.json": FIRST})).batch is None


def test_an_archive_that_holds_nothing_to_read_is_still_an_error(store, tmp_path):
    with pytest.raises(ck.ReadError, match="holds no file that is read"):
        store.add(zipped(tmp_path / "a.zip", {"readme.md": b"hello"}))


def test_files_of_a_batch_are_read_as_asked(store, tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text("no;at;mail;total\n7;03.02.2026 10:00;ada@x.org;1.030,50 €\n")
    columns = {"event_name": ck.constant("Placed Order"), "event_id": "no", "timestamp": "at",
               "alias.email": "mail", "properties.total": "total"}  # fmt: skip
    store.add(path, columns=columns, day_first=True, amounts="de")
    event = store.stitched().events.iloc[0]
    assert str(event["timestamp"]) == "2026-02-03 10:00:00+00:00"
    assert event["properties.total"] == 1030.5
    # How a file was read before makes it none that is new.
    assert store.add(path, columns=columns, day_first=False).batch is None


def test_a_frame_is_read_as_an_export_where_that_is_asked(store):
    row = {"event": "Order", "properties": {"time": 1772442480, "distinct_id": "u1"}}
    added = store.add(pd.DataFrame([row]), clock={"mixpanel": "America/New_York"})
    assert added.events == 1
    assert str(store.stitched().events["timestamp"].iloc[0]) == "2026-03-02 14:08:00+00:00"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"clock": {"mixpanel": "America/New_York"}}, "clock names 'mixpanel'"),
        ({"columns": {"alias.email": "mail"}}, "no file has"),
    ],
)
def test_an_option_may_concern_files_that_were_added_before(store, tmp_path, options, message):
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    first.write_text(json.dumps(FIRST))
    second.write_text(json.dumps(SECOND))
    with pytest.raises(ck.ConvergekitError, match=message):
        store.add(first, **options)
    assert store.status().batches == 0
    store.add(first)
    # So a nightly call with all files goes on.
    assert store.add([first, second], **options).rows == 1

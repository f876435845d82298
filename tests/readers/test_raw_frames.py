"""An export's rows handed to what takes events: the error says which export, and how to read it."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

import convergekit as ck
from convergekit.readers import formats

SAMPLES = sorted((Path(__file__).parents[2] / "data" / "exports").iterdir())
#: What reads rows of one as those of the other, and is named for both.
NAMED = {"rudderstack": "segment"}


@pytest.fixture(autouse=True)
def no_formats_of_others(monkeypatch):
    monkeypatch.setattr(formats, "_registered", {})


def raw(path):
    """Return the rows of a sample as a user of pandas would have them."""
    if path.suffix == ".csv":
        return pd.read_csv(path)
    if path.suffix == ".jsonl":
        return pd.read_json(path, lines=True)
    answer = json.loads(path.read_text("utf-8"))
    lists = [answer] if isinstance(answer, list) else answer.values()
    return pd.DataFrame(next(rows for rows in lists if isinstance(rows, list)))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_each_format_is_told_and_can_be_read(path):
    frame = raw(path)
    name = path.stem.removesuffix("_events").removesuffix("_profile_merges")
    with pytest.raises(ck.ColumnError) as told:
        ck.stitch(frame)
    assert f"the format {NAMED.get(name, name)!r}" in str(told.value)
    assert "ck.stitch(ck.read_events(events))" in str(told.value)
    # What the error says to do works.
    assert len(ck.read_events(frame)) == len(ck.read_events(path))


@pytest.mark.parametrize("name", ["segment.jsonl", "ga4.jsonl"])
def test_other_calls_that_take_events_tell_it_too(tmp_path, name):
    frame = raw(next(path for path in SAMPLES if path.name == name))
    store = ck.open_store(tmp_path / "store")
    for give, call in ((ck.check_up, "ck.check_up"), (store.add, "store.add")):
        with pytest.raises(ck.ColumnError, match=rf"{name[:3]}.*: {call}\(ck\.read_events\("):
            give(frame)


def test_columns_that_say_less_than_all_do_not_hide_it():
    frame = raw(next(path for path in SAMPLES if path.name == "ga4.jsonl"))
    with pytest.raises(ck.ColumnError, match="the format 'ga4'"):
        ck.stitch(frame, columns={"properties.city": "geo.city"})


def test_where_several_formats_fit_all_are_named():
    times = dict.fromkeys(
        ["received_at", "sent_at", "original_timestamp", "timestamp"], "2026-03-02"
    )
    frame = pd.DataFrame([{"id": "m", "anonymous_id": "a", "user_id": "u", **times}])
    with pytest.raises(
        ck.ColumnError, match="'segment_pages' or 'segment_screens'.*format="
    ) as told:
        ck.stitch(frame)
    assert "ck.read_events(events, format=" in str(told.value)


def test_a_format_that_is_not_read_says_what_to_read_instead():
    frame = pd.DataFrame([{"idVisit": 1, "visitorId": "v", "serverTimestamp": 1772442480}])
    with pytest.raises(ck.ColumnError, match="Give the answer"):
        ck.stitch(frame)


def test_what_is_nearly_an_export_keeps_its_error_and_names_the_nearest():
    frame = pd.DataFrame({"event_type": ["A"], "event_time": [1772442480], "device_id": ["d"],
                          "user_properties": [{}]})  # fmt: skip
    with pytest.raises(ck.ColumnError) as told:
        ck.stitch(frame)
    assert str(told.value).startswith("no ")
    assert "'amplitude' (without" in str(told.value)
    assert len(ck.read_events(frame, format="amplitude")) == 1


@pytest.mark.parametrize(
    "give", [pa.Table.from_pandas, lambda f: pa.Table.from_pandas(f).to_reader()]
)
def test_ones_own_frame_keeps_its_error(give):
    frame = pd.DataFrame({"event_name": ["A"], "when": ["2026-03-02"], "alias.email": ["a@x.org"]})
    with pytest.raises(ck.ColumnError, match="no timestamp column.*Did you mean|Name the one"):
        ck.stitch(give(frame))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["event", "anonymousId", "properties.\ud83d"], "half of a character"),
        (["event", "event", "messageId"], "occur twice"),
        (["event", 7, "messageId"], "not text"),
        (pd.MultiIndex.from_tuples([("a", "event"), ("a", "x"), ("b", "y")]), "MultiIndex"),
    ],
)
def test_columns_without_proper_names_keep_their_error(columns, message):
    frame = pd.DataFrame(
        [["A", "c", "m"]],
        columns=pd.Index(columns, dtype=object) if isinstance(columns, list) else columns,
    )
    with pytest.raises(ck.ColumnError, match=message):
        ck.stitch(frame)

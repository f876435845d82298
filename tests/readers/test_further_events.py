"""Events that a row lists beside its own, and files that a format is told not to be."""

from __future__ import annotations

import json

import pandas as pd
import pytest

import convergekit as ck
from convergekit.readers import formats, json_files

TILL = ck.Export(
    name="till",
    documentation="https://till.example.com/export",
    recognised_by=[["no", "sold_at"]],
    absent=["draft_of"],
    event_id="no",
    event_name=lambda rows: ["Sale"] * len(rows),
    timestamp="sold_at",
    aliases={"email": "buyer.mail", "card": ["card", "second_card"]},
    properties={"total": "total"},
    also=[
        ck.Further(
            each="returns",
            event_id="id",
            event_name=lambda rows: ["Return"] * len(rows),
            timestamp="at",
            properties={"amount": "amount", "of": "row.no", "town": "row.buyer.town"},
        ),
        ck.Further(
            each=lambda rows: [[{"at": at}] if at else None for at in rows["voided_at"]],
            event_name=lambda rows: ["Void"] * len(rows),
            timestamp="at",
        ),
    ],
)
SALES = [
    {"no": 1, "sold_at": "2026-03-02T10:00:00Z", "total": 30.0, "card": "c1", "second_card": "c2",
     "buyer": {"mail": "ada@example.com", "town": "Ghent"}, "voided_at": "2026-03-09T10:00:00Z",
     "returns": [{"id": 91, "at": "2026-03-04T10:00:00Z", "amount": 10.0},
                 {"id": 92, "at": "2026-03-05T10:00:00Z", "amount": 5.0}]},
    {"no": 2, "sold_at": "2026-03-03T10:00:00Z", "total": 20.0, "buyer": None, "card": "c3",
     "returns": []},
    {"no": 3, "sold_at": "2026-03-03T11:00:00Z", "total": 20.0, "card": "c4",
     "returns": [{"id": 93, "at": "2026-03-04T11:00:00Z", "amount": 20.0}, "none"]},
]  # fmt: skip


@pytest.fixture(autouse=True)
def till(monkeypatch):
    monkeypatch.setattr(formats, "_registered", {"till": TILL})


def written(path, rows):
    path.write_text("\n".join(map(json.dumps, rows)) + "\n")
    return path


@pytest.mark.parametrize("rows", [1, 2, 50])
def test_each_object_of_the_list_is_an_event_of_the_same_person(tmp_path, monkeypatch, rows):
    monkeypatch.setattr(json_files, "BATCH_ROWS", rows)
    events = ck.read_events(written(tmp_path / "sales.jsonl", SALES))
    assert events["event_name"].tolist() == [
        "Sale", "Return", "Return", "Void", "Sale", "Sale", "Return",
    ]  # fmt: skip
    assert events["line"].tolist() == [1, 1, 1, 1, 2, 3, 3]
    assert events["event_id"].fillna(0).tolist() == [1, 91, 92, 0, 2, 3, 93]
    assert events["properties.of"].fillna(0).tolist() == [0, 1, 1, 0, 0, 0, 3]
    assert events["properties.town"].tolist()[1:3] == ["Ghent", "Ghent"]
    s = ck.stitch(events)
    assert len(s.events) + len(s.duplicates) + len(s.rejected) == len(events)
    assert s.events.groupby("profile_id").size().tolist() == [4, 1, 2]
    assert s.events["properties.total"].sum() == 70.0
    customers = s.customers("Sale", value="total", refund="Return", refund_value="amount")
    assert customers.lifetime_value()["value"].sum() == 35.0


def test_a_row_that_comes_twice_brings_its_events_twice(tmp_path):
    s = ck.stitch(ck.read_events(written(tmp_path / "sales.jsonl", [*SALES[1:], *SALES[1:]])))
    assert s.events["event_name"].tolist() == ["Sale", "Sale", "Return"]
    assert s.duplicates["repeat"].tolist() == ["identical"] * 3


def test_a_frame_of_rows_brings_the_same_events(tmp_path):
    frame = pd.DataFrame(SALES)
    before = frame.copy(deep=True)
    events = ck.read_events(frame)
    pd.testing.assert_frame_equal(frame, before)
    of_file = ck.read_events(written(tmp_path / "sales.jsonl", SALES))
    same = ["event_name", "event_id", "properties.amount", "alias.card"]
    pd.testing.assert_frame_equal(events[same], of_file[same])


def test_the_reason_of_a_row_stays_with_its_own_event(tmp_path):
    deep = json.loads("[" * 200 + "]" * 200)
    rows = [SALES[0], SALES[2] | {"total": deep}, SALES[1]]
    events = ck.read_events(written(tmp_path / "sales.jsonl", rows))
    assert events["read_error"].notna().tolist() == [False] * 4 + [True, False]
    frame = ck.read_events(pd.DataFrame(rows))
    assert frame["read_error"].notna().tolist() == [False] * 4 + [True, False, False]


def test_a_file_with_what_must_be_absent_is_of_another_format(tmp_path):
    path = written(tmp_path / "drafts.jsonl", [sale | {"draft_of": None} for sale in SALES])
    with pytest.raises(ck.ReadError, match="not in the format 'till'"):
        ck.read_events(path, format="till")
    with pytest.raises(ck.ColumnError, match="event name"):
        ck.read_events(path)

"""A file's format: told by what is there, by what must not be, and by the other files of a call."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import convergekit as ck
from convergekit.readers import formats

EXPORTS = Path(__file__).parents[2] / "data" / "exports"
GA4 = {
    "event_date": "20260302",
    "event_timestamp": 1772442480000000,
    "event_name": "purchase",
    "event_params": [{"key": "transaction_id", "value": {"string_value": "1001"}}],
}
MIXPANEL = {"event": "Order", "properties": {"time": 1772442480, "distinct_id": "u1"}}


@pytest.fixture(autouse=True)
def no_formats_of_others(monkeypatch):
    monkeypatch.setattr(formats, "_registered", {})


def lines(path, rows):
    path.write_text("\n".join(map(json.dumps, rows)) + "\n", "utf-8")
    return path


def test_ga4_without_consent_is_ga4(tmp_path):
    events = ck.read_events(lines(tmp_path / "a.jsonl", [GA4]))
    assert events["properties.transaction_id"].tolist() == ["1001"]


@pytest.mark.parametrize("dated", [True, False])
def test_ga4_that_is_sorted_by_its_browsers_is_ga4(tmp_path, dated):
    without = {key: GA4[key] for key in GA4 if dated or key != "event_date"}
    rows = [without] * 1001 + [without | {"user_pseudo_id": "100.200"}]
    events = ck.read_events(lines(tmp_path / "a.jsonl", rows))
    assert events["properties.transaction_id"].notna().all()
    assert events["alias.cookie"].notna().sum() == 1
    assert ck.read_events(pd.DataFrame(rows))["alias.cookie"].notna().sum() == 1


def test_a_column_proves_without_a_value(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(
        "event_timestamp,event_name,event_params,user_pseudo_id\n"
        '1772442480000000,purchase,"[{""key"": ""transaction_id"",'
        ' ""value"": {""string_value"": ""1001""}}]",\n'
    )
    assert ck.read_events(path)["properties.transaction_id"].tolist() == [1001]


def test_a_named_format_needs_no_proof_beyond_what_it_reads(tmp_path):
    without = {key: value for key, value in GA4.items() if key != "event_date"}
    path = lines(tmp_path / "a.jsonl", [without])
    assert "properties.transaction_id" in ck.read_events(path, format="ga4")
    found = ck.read_events(lines(tmp_path / "b.jsonl", [MIXPANEL]), format="mixpanel")
    assert found["event_name"].tolist() == ["Order"]
    with pytest.raises(ck.ReadError, match=r"format 'ga4': no time \(event_timestamp\)\. Found: "):
        ck.read_events(pd.DataFrame([{"event_name": "A", "event_params": []}]), format="ga4")


def test_an_unknown_file_names_the_nearest_formats_and_no_mapping_that_loses(tmp_path):
    path = lines(tmp_path / "a.jsonl", [{key: GA4[key] for key in GA4 if key != "event_date"}])
    with pytest.raises(ck.ColumnError) as error:
        ck.read_events(path)
    said = str(error.value)
    assert "nearest are 'ga4' (without event_date)" in said
    assert said.endswith("If it is one of these, give format='ga4'.")
    assert "columns=" not in said


def test_an_unknown_file_gets_a_mapping_that_reads_it():
    orders = pd.DataFrame(
        {
            "Bestellung": ["#1", "#2", "#3"],
            "Created": ["2026-03-20 11:05", "2026-03-20 11:06", "2026-03-21 09:00"],
            "E-mail": ["ada@x.org", "bob@x.org", "ada@x.org"],
        }
    )
    with pytest.raises(ck.ColumnError) as error:
        ck.read_events(orders)
    said = str(error.value)
    assert "No format has any of these columns." in said
    mapping = said[said.index("such as columns=") + len("such as columns=") :].removesuffix(".")
    events = ck.read_events(orders, columns=eval(mapping, {"ck": ck}))
    assert events["alias.email"].tolist() == ["ada@x.org", "bob@x.org", "ada@x.org"]
    assert len(ck.stitch(events).profiles) == 2


def test_a_file_that_cannot_be_told_is_read_as_its_sisters(tmp_path):
    bare = {"event_type": "First", "event_time": "2026-03-02 10:00:00", "device_id": "d1"}
    lines(tmp_path / "a.jsonl", [bare])
    lines(tmp_path / "b.jsonl", [bare | {"event_type": "Second", "amplitude_id": 7}])
    events = ck.read_events(tmp_path / "*.jsonl")
    assert events["event_name"].tolist() == ["First", "Second"]
    assert events["alias.cookie"].tolist() == ["d1", "d1"]
    assert events["file"].tolist() == ["a.jsonl", "b.jsonl"]
    with pytest.raises(ck.ColumnError, match=r"a\.jsonl: no event name column"):
        ck.read_events(tmp_path / "a.jsonl")
    assert "alias.cookie" in ck.read_events(tmp_path / "a.jsonl", format="amplitude")


def test_a_file_that_two_formats_fit_is_read_as_its_sister(tmp_path):
    both = {"messageId": "m", "type": "track", "anonymousId": "a", "event": "A",
            "event_name": "A", "aliases": [], "timestamp": "2026-03-02T10:00:00Z"}  # fmt: skip
    lines(tmp_path / "a.jsonl", [both])
    sister = {key: both[key] for key in both if key not in ("event_name", "aliases")}
    lines(tmp_path / "b.jsonl", [sister | {"messageId": "n"}])
    events = ck.read_events(tmp_path / "*.jsonl")
    assert events["alias.cookie"].tolist() == ["a", "a"]


def test_a_file_of_its_own_kind_is_not_its_sisters(tmp_path):
    own = {"event": "Order", "timestamp": "2026-03-02T10:00:00Z", "user": "u1"}
    lines(tmp_path / "own.jsonl", [own])
    events = ck.read_events([EXPORTS / "segment.jsonl", tmp_path / "own.jsonl"])
    assert events["event_name"].tolist()[-1] == "Order"


def test_columns_are_laid_over_what_a_format_reads(tmp_path):
    path = lines(tmp_path / "a.jsonl", [GA4 | {"user_pseudo_id": "1.2", "geo": {"city": "Ghent"}}])
    events = ck.read_events(path, columns={"profile_properties.$city": "geo.city"})
    assert events["properties.transaction_id"].tolist() == ["1001"]
    assert events["profile_properties.$city"].tolist() == ["Ghent"]
    # Nothing of what the format reads is lost by saying where the time stands.
    events = ck.read_events(path, columns={"timestamp": "event_timestamp"})
    assert events["properties.transaction_id"].tolist() == ["1001"]

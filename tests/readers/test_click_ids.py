"""Click IDs stand in every vendor's fields under another name, and in profiles under their own."""

from __future__ import annotations

import pandas as pd
import pytest

import convergekit as ck

SEGMENT = {"type": "page", "messageId": "m", "anonymousId": "a", "timestamp": "2026-03-02T10:00Z"}
GA4 = {"event_timestamp": "1772442480000000", "event_name": "page_view", "event_params": [],
       "event_date": "20260302", "user_pseudo_id": "1.2"}  # fmt: skip
MIXPANEL = {"event": "View", "properties": {"time": 1772442480, "distinct_id": "a"}}
AMPLITUDE = {"event_type": "View", "event_time": "2026-03-02", "device_id": "d", "amplitude_id": 1}
ROWS = {
    "segment, in the search": SEGMENT | {"context": {"page": {"search": "?q=1&gclid=x%201"}}},
    "segment, in the address": SEGMENT
    | {"context": {"page": {"url": "https://x.org/a?GCLID=x%201#top", "search": ""}}},
    "ga4": GA4 | {"collected_traffic_source": {"gclid": "x 1", "manual_source": None}},
    "mixpanel": MIXPANEL | {"properties": MIXPANEL["properties"] | {"gclid": "x 1"}},
    "amplitude, of the event": AMPLITUDE | {"event_properties": {"gclid": "x 1"}},
    "amplitude, of the user": AMPLITUDE | {"user_properties": {"gclid": "x 1"}},
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_click_id_is_the_profiles(row):
    s = ck.stitch(ck.read_events(pd.DataFrame([row])))
    assert s.profiles["profile.gclid"].tolist() == ["x 1"]
    assert s.sessions()["click_id"].tolist() == ["gclid"]
    assert s.sessions()["channel"].tolist() == ["Paid Search"]


@pytest.mark.parametrize("name", ["gbraid", "wbraid", "dclid", "fbclid", "msclkid", "ttclid"])
def test_all_click_ids_are_known(name):
    row = SEGMENT | {"context": {"page": {"search": f"?{name}=x&utm_id=1"}}}
    events = ck.read_events(pd.DataFrame([row]))
    assert events[f"profile_properties.{name}"].tolist() == ["x"]


def test_the_first_of_a_name_counts_and_others_stay_out():
    row = SEGMENT | {"context": {"page": {"search": "?gclid=1&gclid=2&xgclid=3"}}}
    events = ck.read_events(pd.DataFrame([row]))
    assert events["profile_properties.gclid"].tolist() == ["1"]


def test_ga4_without_consent_is_recognised():
    rows = [GA4 | {"user_pseudo_id": None}, GA4 | {"user_pseudo_id": None, "user_id": None}]
    events = ck.read_events(pd.DataFrame(rows))
    assert events["event_name"].tolist() == ["page_view", "page_view"]
    assert "alias.cookie" not in events

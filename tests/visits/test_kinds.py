"""What events send is read once for each kind of event, and sessions are named from parts."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.visits.traffic import sent_traffic
from tests.effort import tries

TEXTS = {
    "event_name": ["PageView", "Link Clicked", "Placed Order"],
    "properties.url": [
        None, "https://shop.test/?utm_source=news&gclid=x", "https://shop.test/tea", "/tea",
        "https://www.other.test/", "https://shop.test/?utm_source=(direct)&utm_medium=none",
    ],
    "properties.$url": [None, None, "https://shop.test/", "https://other.test/?utm_medium=cpc"],
    "properties.$referrer": [None, "https://www.bing.com/", "shop.test", "https://paypal.com/"],
    "profile_properties.utm_source": [None, " meta ", "undefined", "(direct)"],
    "properties.$fbclid": [None, None, "f1", "f2"],
}  # fmt: skip
ROWS = st.lists(st.tuples(*map(st.sampled_from, TEXTS.values())), min_size=1, max_size=12)


@given(ROWS, st.sets(st.sampled_from(list(TEXTS))), st.integers(1, 3))
def test_kinds_of_events_say_what_each_event_says(rows, left_out, times):
    frame = pd.DataFrame(rows * times, columns=list(TEXTS), dtype=object).drop(columns=[*left_out])
    # No two events send the same where each has something of its own that is not asked.
    alone = frame.assign(**{"properties.gclid": [f"id {row}" for row in range(len(frame))]})
    found, expected = sent_traffic(frame), sent_traffic(alone)
    assert len(found.of_kind["referrer"].codes) <= len(rows)
    assert len(expected.of_kind["referrer"].codes) == len(frame)
    every = np.arange(len(frame))
    for name in set(found) - {"click_id"}:
        assert found[name].codes.tolist() == expected[name].codes.tolist(), name
        assert found[name].take(every).equals(expected[name].take(every)), name
        assert found.at(name, every).codes.tolist() == found[name].codes.tolist(), name
        sends = found.sends(name)[found.kind]
        assert sends.tolist() == (found[name].codes >= 0).tolist(), name
    assert set(expected["click_id"].take(every)) == {"gclid"}


MOMENTS = st.lists(
    st.datetimes(pd.Timestamp("1970-01-01"), pd.Timestamp("2200-01-01")), min_size=1, max_size=12
)


@tries(30)
@given(MOMENTS, st.booleans())
def test_sessions_are_named_by_profile_and_start_and_are_in_that_order(moments, of_one):
    times = pd.Series(pd.DatetimeIndex(moments).as_unit("us").tz_localize("UTC"))
    people = ["a"] * len(times) if of_one else list("abcdefghijkl"[: len(times)])
    frame = pd.DataFrame(
        {
            "event_name": "PageView",
            "timestamp": times,
            "alias.cookie": people,
            "properties.$url": "https://shop.example/",
            "properties.utm_source": list("abcdefghijkl"[: len(times)]),
        }
    )
    table = ck.stitch(frame).sessions()
    begun = {}
    for row in table.sort_values(["profile_id", "start", "number"]).itertuples():
        nth = begun[row.profile_id, row.start] = begun.get((row.profile_id, row.start), 0) + 1
        at = row.start.strftime("%Y-%m-%dT%H:%M:%S.%f")
        twin = f".{nth}" if nth > 1 else ""
        assert row.session_id == f"{row.profile_id}@{at}Z{twin}"
    ordered = sorted(zip(table["start"], table["session_id"], strict=True))
    assert list(zip(table["start"], table["session_id"], strict=True)) == ordered

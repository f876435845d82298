"""Funnels of segments: observed to the end of the whole data, and with the segment's caution."""

from __future__ import annotations

import pandas as pd

import convergekit as ck

STEPS = ["PageView", "Placed Order"]
SHOP = ck.stitch(ck.simulate_store(people=120).events)


def test_windows_are_open_as_in_the_whole():
    whole = SHOP.funnel(STEPS, within="7D")
    early = SHOP.where(profiles=ck.FirstSeen(end="2026-03-09"))
    part = early.funnel(STEPS, within="7D")
    assert part.data_end == whole.data_end
    assert part.counts["in_window"] == 0
    chosen = whole.conversions[whole.conversions["profile_id"].isin(early.profiles["profile_id"])]
    assert part.counts["entered"] == len(chosen)
    assert part.counts["converted"] == (chosen["status"] == "converted").sum()


def test_a_segment_by_what_people_did_later_says_so():
    buyers = SHOP.where(profiles=ck.Did("Placed Order"))
    f = buyers.funnel(STEPS, within="7D")
    assert "do not compare" in f.notes[0]
    assert f.notes[0].startswith("This segment is chosen by")
    assert "do not compare" in f.plot().layout.title.subtitle.text.replace("<br>", " ")
    assert (
        SHOP.where(profiles=ck.FirstSeen(end="2026-03-09")).funnel(STEPS, within="7D").notes == []
    )


def test_nobody_is_zeros():
    f = SHOP.where(profiles=ck.FirstSeen(start="2030-01-01")).funnel(
        STEPS, within="7D", by="utm_source"
    )
    assert f.counts == dict.fromkeys(f.counts, 0)
    assert "Nobody entered." in str(f)
    assert pd.isna(f.test().p_value)
    assert len(f.trend("W")) == len(f.curve()) == 0

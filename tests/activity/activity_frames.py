"""Random events of few profiles, around the days on which clocks change."""

from __future__ import annotations

import pandas as pd
from hypothesis import strategies as st

ZONES = ("UTC", "Europe/Brussels", "America/New_York", "Asia/Kolkata")
START = pd.Timestamp("2026-03-20", tz="UTC")


@st.composite
def frames(draw, days=75):
    """Frames of page views and orders, some without a profile, with a source."""
    minutes = st.integers(0, days * 24 * 12).map(lambda steps: steps * 5)
    names = st.sampled_from(["PageView", "PageView", "Placed Order"])
    profiles = st.sampled_from(["a", "b", "c", None])
    sources = st.sampled_from(["ads", "mail", None])
    rows = draw(st.lists(st.tuples(profiles, names, minutes, sources), min_size=1, max_size=16))
    frame = pd.DataFrame(rows, columns=["profile_id", "event_name", "minute", "source"])
    return frame.astype({"profile_id": "str", "source": "str"}).assign(
        # What a profile is when two events are at one time is for the test of arrival.
        timestamp=START
        + pd.to_timedelta(frame["minute"], unit="min")
        + pd.to_timedelta(range(len(frame)), unit="s")
    )


def log(**profiles):
    """A frame from sketches: ``log(ann="v0 o10.5")`` is a view on day 0, an order on day 10.5."""
    names = {"v": "PageView", "o": "Placed Order"}
    rows = [
        (profile, names[event[0]], float(event[1:]))
        for profile, sketch in profiles.items()
        for event in sketch.split()
    ]
    frame = pd.DataFrame(rows, columns=["profile_id", "event_name", "day"])
    monday = pd.Timestamp("2026-03-02", tz="UTC")
    return frame.assign(timestamp=monday + pd.to_timedelta(frame["day"], unit="D"))

"""Random event frames, small enough for the slow definitions."""

from __future__ import annotations

import pandas as pd
from hypothesis import strategies as st

START = pd.Timestamp("2026-03-02", tz="UTC")

_NO_TEXTS = ("timestamp", "received_at", "unset", "set_once", "aliases")


def _maybe(values):
    return st.one_of(st.none(), values)


@st.composite
def event_frames(
    draw, max_rows=12, distinct_times=False, received=None, unset=False, several=False
):
    """Frames of events that meet on few aliases, with ties, repeats, gaps and junk."""
    size = draw(st.integers(0, max_rows))
    minutes = st.integers(0, 8)
    times = draw(
        st.lists(st.integers(0, 1000), min_size=size, max_size=size, unique=True)
        if distinct_times
        else st.lists(minutes, min_size=size, max_size=size)
    )

    def column(values):
        return draw(st.lists(values, min_size=size, max_size=size))

    frame = {
        "event_name": column(st.sampled_from(["PageView", "Added To Cart", "Placed Order"])),
        "event_id": column(_maybe(st.sampled_from(["e1", "e2", "e3"]))),
        "timestamp": [START + pd.Timedelta(minutes=m) for m in times],
        "alias.cookie": column(_maybe(st.sampled_from(["c1", "c2", "c3", "c4"]))),
        "alias.email": column(_maybe(st.sampled_from(["a@x.org", "b@x.org", "null", ""]))),
        "alias.cart_token": column(_maybe(st.sampled_from(["t1", "t2", "t3"]))),
        "profile_properties.utm_source": column(_maybe(st.sampled_from(["ads", "mail", ""]))),
        "profile_properties.$initial_referrer": column(_maybe(st.sampled_from(["r1", "r2"]))),
    }
    if received if received is not None else draw(st.booleans()):
        delays = column(minutes)
        frame["received_at"] = [
            time + pd.Timedelta(minutes=d)
            for time, d in zip(frame["timestamp"], delays, strict=True)
        ]
    if unset:
        listed = st.sampled_from([None, ["utm_source"], ["$initial_referrer"]])
        frame["unset"] = column(listed)
        if draw(st.booleans()):
            frame["set_once"] = column(listed)
    if several:
        urns = st.sampled_from(["urn:email:c@x.org", "urn:cart_token:t1", "urn:cart_token:t4"])
        frame["aliases"] = column(st.lists(urns, max_size=2, unique=True))
    texts = {name: "str" for name in frame if name not in _NO_TEXTS}
    return pd.DataFrame(frame).astype(
        {**texts, **{n: "datetime64[us, UTC]" for n in ("timestamp", "received_at") if n in frame}}
    )

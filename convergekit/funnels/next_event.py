"""What profiles that dropped off a funnel did next instead."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from convergekit.events.timestamps import order_of_arrival


def with_next_event(
    lost: pd.DataFrame, sent: pd.DataFrame, reached: Sequence[str], profile: str
) -> pd.DataFrame:
    """Return rows of conversions with `next_event` and `next_time`: what each profile did next.

    Parameters
    ----------
    lost : pandas.DataFrame
    sent : pandas.DataFrame
        The events.
    reached : sequence of str
        The columns with the times of steps, the latest of which something comes next to.
    profile : str
        The column of the events that names profiles.
    """
    # Times without a zone are UTC, as in the search.
    events = sent[["event_name"]].assign(
        timestamp=pd.to_datetime(sent["timestamp"], utc=True),
        # Of the type of the others: pandas takes texts among objects for texts.
        profile_id=sent[profile].astype(lost["profile_id"].dtype),
        arrival=order_of_arrival(sent, np.arange(len(sent))),
    )
    if "kind" in sent:
        events = events[(sent["kind"] != "identify").to_numpy(dtype=bool)]
    events = events[events["profile_id"].isin(lost["profile_id"])]
    events = events.dropna(subset=["timestamp", "profile_id"])
    events = events.sort_values(["timestamp", "arrival"]).drop(columns="arrival")
    events = events.rename(columns={"event_name": "next_event"})
    events["next_time"] = events["timestamp"]
    lost = lost.assign(last_reached=lost[list(reached)].max(axis=1))
    found = pd.merge_asof(
        lost.reset_index().sort_values("last_reached"),
        events.astype({"timestamp": lost["last_reached"].dtype}),
        left_on="last_reached",
        right_on="timestamp",
        by="profile_id",
        direction="forward",
        allow_exact_matches=False,
    )
    return (
        found.set_index("index")
        .sort_index()
        .rename_axis(None)
        .drop(columns=["timestamp", "last_reached"])
    )

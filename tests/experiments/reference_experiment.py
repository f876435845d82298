"""What each profile of an experiment did, by looking at every event: slow, and obvious."""

from __future__ import annotations

import pandas as pd


def people(s, variant, goal, within, before, value=None):
    """Return a dict per exposed profile, by its ID."""
    within = pd.Timedelta(within)
    events = s.events[s.events["timestamp"].notna() & s.events["profile_id"].notna()]
    if "received_at" in events:
        arrival = events["received_at"].fillna(events["timestamp"])
    else:
        arrival = pd.Series(range(len(events)), index=events.index)
    events = events.assign(arrival=arrival)
    end = s.events["timestamp"].max()
    found = {}
    for profile, own in events.groupby("profile_id"):
        own = own.sort_values(["timestamp", "arrival"], kind="stable")
        shown = own[own[variant].notna() & (own[variant] != "") & (own["kind"] == "track")]
        if shown.empty:
            continue
        first = shown.iloc[0]
        goals = own[(own["event_name"] == goal) & (own["row"] != first["row"])]
        since = goals["timestamp"] - first["timestamp"]
        after = goals[(since >= pd.Timedelta(0)) & (since <= within)]
        soon = shown[shown["timestamp"] - first["timestamp"] <= within]
        arms = [
            shown.loc[shown["timestamp"] <= one.timestamp, variant].tolist()
            for one in after.itertuples()
        ]
        past = goals[(since < pd.Timedelta(0)) & (since >= -pd.Timedelta(before))]
        past = past[[_linked(s, row, first) for row in past["row"]]]
        found[profile] = {
            "arm": first[variant],
            "exposed": first["timestamp"],
            "complete": first["timestamp"] + within <= end,
            "both": len(set(soon[variant])) > 1,
            "conversion": int(len(after) > 0),
            "goals": len(after),
            "value": 0.0 if value is None else after[value].fillna(0).sum(),
            "goals_before": len(past),
            "last_arms": [seen[-1] for seen in arms],
            "mixed": [len(set(seen)) > 1 for seen in arms],
        }
    return found


def _linked(s, row, first):
    """Return whether events that were known by then link an earlier event to an exposure."""
    events = s.events
    moment = events["received_at"].fillna(events["timestamp"]) if "received_at" in events else (
        events["timestamp"]
    )  # fmt: skip
    order = pd.DataFrame({"moment": moment, "row": events["row"]}).sort_values(["moment", "row"])
    rank = dict(zip(order["row"], range(len(order)), strict=True))
    known = [one for one in events.to_dict("records") if rank[one["row"]] <= rank[first["row"]]]
    if rank[row] > rank[first["row"]]:
        return False
    reached, grew = _aliases(first), True
    while grew:
        grew = False
        for one in known:
            own = _aliases(one)
            if own & reached and not own <= reached:
                reached |= own
                grew = True
    (earlier,) = (one for one in known if one["row"] == row)
    return bool(_aliases(earlier) & reached)


def _aliases(event):
    junk = {"null", "", None}
    return {
        (name, value)
        for name, value in dict(event).items()
        if name.startswith("alias.") and isinstance(value, str) and value not in junk
    }

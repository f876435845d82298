"""The numbers of a day, the slow and obvious way: stitch what was known when it was read."""

from __future__ import annotations

import pandas as pd

import convergekit as ck


def number_of_day(events: pd.DataFrame, number: dict, day: pd.Timestamp) -> float:
    """Return a number of a day in UTC, from events with `received_at`."""
    begin, over = day.tz_localize("UTC"), (day + pd.Timedelta("1D")).tz_localize("UTC")
    window = pd.Timedelta(number.get("within", "1D" if number["kind"] == "conversion" else 0))
    known = events["received_at"].fillna(events["timestamp"])
    s = ck.stitch(events[known < over + window].reset_index(drop=True))
    on = s.events[(s.events["timestamp"] >= begin) & (s.events["timestamp"] < over)]
    kind = number["kind"]
    if kind == "visits":
        starts = s.sessions()["start"]
        return float(((starts >= begin) & (starts < over)).sum())
    if kind == "conversion":
        funnel = s.funnel(number["steps"], within=window, start=f"{day:%Y-%m-%d}", end=over)
        return float(funnel.table["conversion"].iloc[-1])
    if kind == "new profiles":
        return _new_profiles(events, known, begin, over)
    of_name = on[on["event_name"] == number["event"]]
    if kind == "revenue":
        return float(of_name[f"properties.{number['value']}"].sum())
    if kind == "linked":
        by_id = s.profiles.set_index("profile_id")["has_browser_session"]
        return float(of_name["profile_id"].map(by_id).astype("float64").mean())
    return float(len(of_name))


def _new_profiles(events, known, begin, over) -> float:
    """Count the events that were alone in their profile when they became known."""
    in_order = events.assign(known=known).sort_values("known", kind="stable", ignore_index=True)
    on_day = in_order["timestamp"].between(begin, over, inclusive="left") & (
        in_order["known"] < over
    )
    count = 0
    for place in in_order.index[on_day]:
        s = ck.stitch(in_order.drop(columns="known").iloc[: place + 1])
        own = s.events[s.events["row"] == place]
        if len(own) and own["profile_id"].notna().all():
            count += int((s.events["profile_id"] == own["profile_id"].iloc[0]).sum()) == 1
    return float(count)


def over_midnight(events: pd.DataFrame, day: pd.Timestamp) -> int:
    """Return how many visits went on at the begin of a day."""
    begin = day.tz_localize("UTC")
    found = ck.stitch(events).sessions()
    return int(((found["start"] < begin) & (found["end"] >= begin)).sum())

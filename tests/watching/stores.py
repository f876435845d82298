"""Whole stores, watched every day: their events, and a fifth of the orders of three days gone.

A store has 2,000 orders a week for seventeen weeks. Of the latest four weeks, those with an alarm
are counted; then orders of the last three days are taken away, and `ck.watch` is asked again.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

import convergekit as ck

NUMBERS = {
    "number": [
        {"kind": "events", "event": "Placed Order"},
        {"kind": "revenue", "event": "Placed Order", "value": "total_price"},
        {"kind": "conversion", "steps": ["PageView", "Placed Order"]},
        {"kind": "visits"},
        {"kind": "new profiles"},
        {"kind": "linked", "event": "Placed Order"},
        {"kind": "events", "event": "Added To Cart"},
        {"kind": "events", "event": "Started Checkout"},
        {"kind": "events", "event": "Subscribed To Newsletter"},
        {"kind": "events", "event": "Viewed Product"},
    ]
}
DAYS = 119
#: So many people place about 2,000 orders a week, copies left out.
PEOPLE = 82_000


def print_stores(count: int, first_seed: int) -> None:
    """Print in how many weeks of each store there was an alarm, and whether drops were found."""
    for seed in range(first_seed, first_seed + count):
        events = ck.simulate_store(people=PEOPLE, seed=seed, days=DAYS).events
        orders = events["event_name"] == "Placed Order"
        s = ck.stitch(events)
        weekly = (s.events["event_name"] == "Placed Order").sum() / DAYS * 7
        found = ck.watch(s, NUMBERS, days=28)
        days = found.table.groupby("number").cumcount()
        weeks = days[found.table["verdict"] == "alarm"] // 7
        drop = dropped(events, orders, seed)
        again = ck.watch(ck.stitch(drop), NUMBERS, days=3)
        alarms = again.alarms.drop_duplicates("number", keep="last")
        why = [again.why(row).finding for row in alarms.index]
        print(
            f"store {seed}: {weekly:,.0f} orders a week; alarms in "
            f"{weeks.nunique()} of 4 weeks; a fifth of the orders gone: "
            f"{', '.join(alarms['number']) or 'not found'}",
            *why, sep="\n  ", flush=True,
        )  # fmt: skip


def dropped(events: pd.DataFrame, orders: pd.Series, seed: int) -> pd.DataFrame:
    """Return the events without a fifth of the orders of the last three whole days."""
    last = events["timestamp"].min().normalize() + pd.Timedelta(DAYS, "D")
    late = events["timestamp"] >= last - pd.Timedelta("3D")
    rng = np.random.default_rng([2043, seed])
    # Copies of an order go with it.
    ids = events.loc[orders & late, "event_id"].dropna().unique()
    gone = set(rng.choice(ids, len(ids) // 5, replace=False))
    return events[~(orders & late & events["event_id"].isin(gone))].reset_index(drop=True)

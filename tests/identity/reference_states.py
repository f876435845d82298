"""Slow and obvious: of several copies of an order the first counts, in its last state."""

from __future__ import annotations


def orders(rows):
    """Return, per kept row, its properties in the last state; copies stand in order of arrival."""
    kept = []
    for row in rows:
        same = [k for k in kept if row["event_id"] and k["event_id"] == row["event_id"]]
        if not same:
            kept.append(row | {"copies": [row]})
        else:
            same[0]["copies"].append(row)
    return [told(event) for event in kept]


def told(event):
    states = [copy for copy in event["copies"] if event["state_at"] and copy["state_at"]]
    # A copy of the same state is a repeat of it.
    others = [copy for copy in states if copy["state_at"] != event["state_at"]]
    found = {}
    for name in ("total", "note"):
        says = [copy for copy in (event, *others) if copy[name] is not None]
        found[name] = event[name]
        if others and says:
            last = max(copy["state_at"] for copy in says)
            found[name] = next(copy[name] for copy in says if copy["state_at"] == last)
    return event | found

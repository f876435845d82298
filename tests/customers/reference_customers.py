"""What customers do, one of them after another."""

from __future__ import annotations

import itertools
from collections import defaultdict


def orders_of(frame, order="Placed Order"):
    """Per profile the times of its orders."""
    found = defaultdict(list)
    for event in frame.to_dict("records"):
        if event["event_name"] == order:
            found[event["profile_id"]].append(event["timestamp"])
    return {profile: sorted(times) for profile, times in found.items()}


def month_of(time):
    return time.year * 12 + time.month - 1


def new_and_returning(orders, end):
    """Per month from the first order's to the end's: new, returning, and their orders."""
    if not orders:
        return []
    first = min(month_of(times[0]) for times in orders.values())
    rows = []
    for month in range(first, month_of(end) + 1):
        row = [0, 0, 0, 0]
        for times in orders.values():
            here = sum(month_of(time) == month for time in times)
            if here:
                returning = month_of(times[0]) < month
                row[returning] += 1
                row[2 + returning] += here
        rows.append(row)
    return rows


def retention(orders, end):
    """Per (cohort, months since): customers, and those with an order."""
    cohorts = defaultdict(list)
    for times in orders.values():
        cohorts[month_of(times[0])].append({month_of(time) for time in times})
    return {
        (cohort, month - cohort): (len(members), sum(month in active for active in members))
        for cohort, members in cohorts.items()
        for month in range(cohort, month_of(end) + 1)
    }


def reached(orders, number, end, day):
    """The Kaplan-Meier estimate by the book: the share with their nth order by a day."""
    people = []
    for times in orders.values():
        got = len(times) >= number
        until = times[number - 1] if got else end
        people.append(((until - times[0]).total_seconds() / 86_400, got))
    waiting = 1.0
    for time, group in itertools.groupby(sorted(people), key=lambda person: person[0]):
        if time > day:
            break
        at_risk = sum(other >= time for other, _ in people)
        waiting *= 1 - sum(got for _, got in group) / at_risk
    return 1 - waiting


def at_risk(orders, number, end, day):
    """How many are observed so long, and had not their nth order before."""
    return sum(
        ((times[number - 1] if len(times) >= number else end) - times[0]).total_seconds() / 86_400
        >= day
        for times in orders.values()
    )

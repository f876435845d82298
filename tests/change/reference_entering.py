"""Who entered a period and how far they got, person by person: slow, and easy to read."""

from __future__ import annotations


def entered(rows, start, end, count, within, in_period):
    """Return per person who entered: depth, wait and goals.

    `rows` are `(person, time, step)`, in any order; a step is -1 for another event.
    """
    found = {}
    for person in sorted({one for one, _, _ in rows if one >= 0}):
        mine = [(time, step) for one, time, step in rows if one == person and step >= 0]
        entries = [time for time, step in mine if step == 0 and start <= time < end]
        if not entries:
            continue
        entry = now = min(entries)
        limit = min(entry + within, end - 1) if in_period else entry + within
        depth = 1
        for number in range(1, count):
            later = [time for time, step in mine if step == number and now <= time <= limit]
            if not later:
                break
            now, depth = min(later), number + 1
        done = depth == count
        goals = [t for t, step in mine if step == count - 1 and start <= t < end and t >= entry]
        found[person] = depth, now - entry if done else -1, len(goals) if done else 0
    return found

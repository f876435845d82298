"""PostHog's and ClickHouse's loops over one profile's events, written out as their sources go.

An event is (time, number, steps): the steps that it fills, from 1, negative where it excludes.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

SIMULTANEOUS = 0.05


@dataclass(frozen=True)
class Slot:
    entry: float | None = None
    excluded: bool = False
    path: tuple = ()


def posthog_ordered(events, steps, window, *, strict=False, optional=()):
    """Return the steps reached with their event numbers, or None where the actor is removed."""
    excluding = any(step < 0 for event in events for step in event[2])
    width = 0 if strict or excluding else SIMULTANEOUS
    best, best_depth = Slot(), 0
    slots = [Slot() for _ in range(steps + 1)]

    def process(event, tied):
        nonlocal best, best_depth
        time, number, fits = event
        for signed in reversed(fits):
            step, before = abs(signed), abs(signed) - 1

            def is_open(slot):
                return slot.entry is not None and time - slot.entry <= window

            while before > 0 and not is_open(slots[before]) and before in optional:
                before -= 1
            source = slots[before]
            if not is_open(source) or slots[step].entry == source.entry:
                continue
            if signed < 0:
                if not source.excluded:
                    slots[before] = replace(source, excluded=True)
                    if best_depth == before and time - best.entry <= window:
                        best = replace(best, excluded=True)
                continue
            if tied and any(n == number for s, n in source.path if s not in optional):
                continue
            new = replace(source, path=(*source.path, (step, number)))
            if not source.excluded:
                slots[step] = new
            if step > best_depth or (step == best_depth and best.excluded):
                best, best_depth = new, step
        if strict and not tied:
            for step in range(1, steps + 1):
                if step not in fits:
                    slots[step] = Slot()

    at = 0
    while at < len(events):
        to = at
        while to < len(events) and events[to][0] - events[at][0] <= width:
            to += 1
        group, at = events[at:to], to
        slots[0] = Slot(entry=group[0][0])
        if all(event[2] == group[0][2] for event in group):
            for event in group:
                process(event, tied=False)
        else:
            single = [(group[0][0], n, [s]) for _, n, fits in group for s in fits if s > 0]
            for event in sorted(single, key=lambda event: event[2]):
                process(event, tied=True)
        if slots[steps].entry is not None:
            break
    return None if best.excluded or not best_depth else dict(best.path)


def posthog_unordered(events, steps, window):
    """Return how many of the steps were done; 0 where nothing is left."""
    queues = [deque() for _ in range(steps)]
    best = 0
    for place, (time, _, fits) in enumerate(events):
        while True:
            fronts = [(queue[0], step) for step, queue in enumerate(queues) if queue]
            if not fronts:
                break
            oldest, step = min(fronts)
            if len(fronts) < steps and time - oldest <= window:
                break
            best = max(best, len(fronts))
            queues[step].popleft()
        if all(step < 0 for step in fits):
            queues = [deque() for _ in range(steps)]
        else:
            last = {s: queues[s - 1][-1] if queues[s - 1] else float("-inf") for s in fits}
            queues[min(last, key=lambda s: (last[s], s)) - 1].append(time)
        if best == steps:
            break
        if place == len(events) - 1:
            best = max(best, sum(map(bool, queues)))
    return best


def window_funnel(events, steps, window, *, strict=False):
    """Return the level that ClickHouse's `windowFunnel` gives, with 'strict_order' if strict."""
    conditions = [(time, step) for time, _, fits in events for step in fits]
    if strict:
        conditions += [(time, 0) for time, _, fits in events if not fits]
    entry: dict[int, float] = {}
    for time, step in sorted(conditions):
        if strict and 1 in entry and (step == 0 or (step > 1 and step - 1 not in entry)):
            break
        if step == 1:
            entry[1] = time
        elif step > 1 and step - 1 in entry and time <= entry[step - 1] + window:
            entry[step] = entry[step - 1]
            if step == steps:
                break
    return max(entry, default=0)

"""What journeys are, one profile and one event after another."""

from __future__ import annotations

import itertools
import statistics
from collections import Counter, defaultdict

STOP = None


def journeys_of(frame, start, end, names=None):
    """Per profile that has one: its steps as (name, time), and its end event or None."""
    found = {}
    frame = frame.assign(place=range(len(frame)))
    for profile, events in frame.groupby("profile_id"):
        events = sorted(events.to_dict("records"), key=lambda e: (e["timestamp"], e["place"]))
        kept = [e for e in events if names is None or e["event_name"] in {*names, *start, *end}]
        steps, began, reached = [], False, None
        for event in kept:
            if not began:
                began = not start or event["event_name"] in start
                if not began:
                    continue
                starts = bool(start)
            else:
                starts = False
            if event["event_name"] in end and not starts:
                reached = event
                break
            if not steps or steps[-1][0] != event["event_name"]:
                steps.append((event["event_name"], event["timestamp"]))
        if began:
            found[profile] = (steps, reached)
    return found


def paths(found, start, end, most):
    """Per (path, longer): profiles, converted and value."""
    table = defaultdict(lambda: [0, 0, 0.0])
    for steps, reached in found.values():
        names = tuple(name for name, _ in steps)
        shown = names[-most:] if end and not start else names[:most]
        row = table[(shown, len(names) > most)]
        row[0] += 1
        row[1] += reached is not None
        row[2] += reached["properties.amount"] if reached is not None else 0.0
    return {key: tuple(row) for key, row in table.items()}


def transitions(found):
    """Per (from, to): how often, and by how many profiles."""
    times, profiles = Counter(), defaultdict(set)
    for profile, (steps, reached) in found.items():
        names = [name for name, _ in steps]
        if names:
            names.append(reached["event_name"] if reached is not None else STOP)
        for pair in itertools.pairwise(names):
            times[pair] += 1
            profiles[pair].add(profile)
    return {pair: (count, len(profiles[pair])) for pair, count in times.items()}


def median_times(found):
    """Per (from, to) the median time."""
    waits = defaultdict(list)
    for steps, reached in found.values():
        ahead = list(steps)
        if steps and reached is not None:
            ahead.append((reached["event_name"], reached["timestamp"]))
        for (name, time), (then, later) in itertools.pairwise(ahead):
            waits[name, then].append((later - time).total_seconds())
    return {pair: statistics.median(seconds) for pair, seconds in waits.items()}

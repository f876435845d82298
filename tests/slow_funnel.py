"""The slow, obvious definition of a funnel: try every choice of events."""

from __future__ import annotations

import pandas as pd


def deepest_chain(events, steps, within):
    """Return the times of the steps that a profile reaches, by the definition in the docs.

    `events` are (name, time) pairs of one profile, `steps` sets of names. Of all chains of
    distinct events in order of time that stay in the window, the deepest count; of these the
    ones that get there first; of these the one with the latest entry, each step in between as
    early as that attempt reached it.
    """
    best = []

    def better(chain):
        if len(chain) != len(best):
            return len(chain) > len(best)
        return (chain[-1], -chain[0], chain[1:]) < (best[-1], -best[0], best[1:])

    def extend(chain, used):
        nonlocal best
        if chain and better(chain):
            best = list(chain)
        if len(chain) == len(steps):
            return
        for i, (name, time) in enumerate(events):
            fits = name in steps[len(chain)] and i not in used
            in_order = not chain or chain[-1] <= time <= chain[0] + within
            if fits and in_order:
                extend([*chain, time], used | {i})

    extend([], frozenset())
    return best


def slow_funnel(frame, steps, within):
    """Return, per profile that entered, the times of its steps."""
    steps = [{step} if isinstance(step, str) else set(step) for step in steps]
    window = pd.Timedelta(within) // pd.Timedelta(minutes=1)
    found = {}
    for profile, events in frame.groupby("profile_id"):
        pairs = list(zip(events["event_name"], events["minute"], strict=True))
        times = deepest_chain(pairs, steps, window)
        if times:
            found[profile] = times
    return found

"""The Shapley value as it is defined: the mean over all orders of what each factor changes."""

from __future__ import annotations

import itertools


def shapley(value, before: dict, after: dict) -> dict:
    """Return what each factor contributes to ``value(after) - value(before)``."""
    names = list(before)
    orders = list(itertools.permutations(names))
    found = dict.fromkeys(names, 0.0)
    for order in orders:
        now = dict(before)
        for name in order:
            was = value(now)
            now[name] = after[name]
            found[name] += (value(now) - was) / len(orders)
    return found

"""Every way in which profiles may be people's, one after the other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def partitions(items: list) -> Iterator[list[list]]:
    """Yield every way to part the items into groups."""
    if not items:
        yield []
        return
    first, *rest = items
    for parted in partitions(rest):
        yield [[first], *parted]
        for at, group in enumerate(parted):
            yield [*parted[:at], [first, *group], *parted[at + 1 :]]


def depth(events: list[tuple[float, int]], steps: int, window: float, first: bool) -> int:
    """Return how many steps a person reaches; `events` are times and steps, no two at one time."""
    events = sorted(events)
    entries = [at for at, (_, step) in enumerate(events) if step == 0]
    deepest = 0
    for entry in entries[:1] if first else entries:
        reached = 1
        for time, step in events[entry + 1 :]:
            if reached < steps and step == reached and time <= events[entry][0] + window:
                reached += 1
        deepest = max(deepest, reached)
    return deepest


def reference_worst(
    events: dict[str, list[tuple[float, int]]],
    login: dict[str, str],
    steps: int,
    window: float,
    first: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and the highest share of each step that people may have.

    `events` has the times and steps of each profile, and of each event without one; `login` has
    the logins of the profiles that have one.
    """
    shares = []
    for parted in partitions(sorted(events)):
        logins = [[login[unit] for unit in group if unit in login] for group in parted]
        if any(len(one) > 1 for one in logins):
            continue
        depths = np.array(
            [depth([one for u in group for one in events[u]], steps, window, first)
             for group in parted]
        )  # fmt: skip
        if (depths > 0).any():
            shares.append([(depths > step).sum() / (depths > 0).sum() for step in range(steps)])
    return np.min(shares, axis=0), np.max(shares, axis=0)

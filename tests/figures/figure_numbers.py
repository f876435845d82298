"""The numbers that a sentence says, for tests."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"\d{4}-\d\d-\d\d|(?<![\w.#])[-−+]?\d[\d,]*(?:\.\d+)?%?")


def numbers(sentence: str) -> list[str]:
    """Return the dates, shares and numbers of a sentence, in their order, as they are written."""
    return [number.rstrip(",") for number in _NUMBER.findall(sentence)]


def percent(share: float) -> str:
    """Return a share as sentences have it; 0.1% stands for "under 0.1%"."""
    return "0.1%" if 0 < share < 0.0005 else f"{100 * share:.1f}%"


def lowest_and_highest(groups: list[tuple[int, int]]) -> list[str]:
    """Return the numbers of a sentence about groups of ``(part, whole)``, whole above zero."""
    shares = [part / whole for part, whole in groups]
    low, high = min(shares), max(shares)
    if len(groups) == 1:
        return [percent(low), *(f"{number:,}" for number in groups[0])]
    if low == high:
        whole = [f"{sum(one[at] for one in groups):,}" for at in (0, 1)]
        return [percent(low), str(len(groups)), *whole]
    least, most = groups[shares.index(low)], groups[shares.index(high)]
    return [
        *(percent(low), *(f"{number:,}" for number in least)),
        *(percent(high), *(f"{number:,}" for number in most)),
    ]

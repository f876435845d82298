"""The numbers of a sentence, for tests of findings."""

from __future__ import annotations

import re

import pandas as pd

_NUMBER = re.compile(r"(?<![\w.#])[-−+]?\d[\d,]*(?:\.\d+)?%?")


def numbers(sentence: str) -> list[str]:
    """Return the numbers of a sentence as they are written, in its order."""
    return [found.rstrip(",") for found in _NUMBER.findall(sentence)]


def same_numbers(twin: pd.DataFrame, column: str, drawn: list[float]) -> bool:
    """Return whether a column of a figure's table holds what is drawn, in any order."""
    held = sorted(round(float(value), 6) for value in twin[column].dropna())
    return held == sorted(round(float(value), 6) for value in drawn)

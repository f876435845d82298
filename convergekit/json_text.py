"""JSON text to values, losing nothing without a word.

Python's own reader lets the last of several equal keys win, and takes Infinity for a number.
Here both are errors. NaN, which exporters write where a value is missing, is missing. Integers
of any length stay exact.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

from convergekit.bounds import DEEPEST, TOO_DEEP, too_deep


class NestingError(ValueError):
    """JSON text is nested deeper than any value may be."""

    def __init__(self) -> None:
        super().__init__(TOO_DEEP)


def read_json(text: str) -> Any:
    """Return the value of a JSON text.

    Raises
    ------
    NestingError
        It is nested too deep.
    ValueError
        It is no JSON (`json.JSONDecodeError`), a key stands twice in one object, or a number is
        infinite.

    Examples
    --------
    >>> read_json('{"id": 9007199254740993, "price": NaN}')
    {'id': 9007199254740993, 'price': None}
    >>> read_json('{"id": 1, "id": 2}')
    Traceback (most recent call last):
    ...
    ValueError: the key 'id' stands twice in one object
    """
    found = read_json_rows(text)
    if too_deep([found]):
        raise NestingError
    return found


def read_json_rows(text: str) -> Any:
    """Return the value of a JSON text that may hold rows, some of them nested too deep.

    Such a row is left as deep as no row may be, but not always as deep as it was.

    Raises
    ------
    ValueError
        As `read_json`, but not for its depth.

    Examples
    --------
    >>> from convergekit.bounds import too_deep
    >>> too_deep(read_json_rows('[{"a": 1}, ' + "[" * 100_000 + "]" * 100_000 + "]"))
    [1]
    """
    try:
        return _DECODER.decode(text)
    except RecursionError:
        pass
    return _DECODER.decode(_cut(text))


def _cut(text: str) -> str:
    """Return the text with a number in place of all that stands deeper than `_DECODED` levels.

    It is as long as before, so that an error names the right column.
    """
    pieces: list[str] = []
    level, done, cut = 0, 0, 0
    for token in _TOKEN.finditer(text):
        first = text[token.start()]
        if first in "[{":
            level += 1
            if level == _DECODED + 1:
                cut = token.start()
        elif first in "]}":
            if level == _DECODED + 1:
                pieces += text[done:cut], "0".ljust(token.end() - cut)
                done = token.end()
            level -= 1
    if level > _DECODED:
        raise json.JSONDecodeError("Unclosed brackets", text, len(text))
    return "".join([*pieces, text[done:]])


# Rows stand a few levels deep in what wraps them, and are too deep on their own nevertheless.
_DECODED = DEEPEST + 20
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        times = Counter(key for key, _ in pairs)
        twice = next(key for key, count in times.items() if count > 1)
        raise ValueError(f"the key {twice[:80]!r} stands twice in one object")
    return found


def _constant(name: str) -> None:
    if name != "NaN":
        raise ValueError(f"{name} is no number in JSON")


# Made once: json.loads makes one for each text as soon as it is told anything of its own.
_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)

"""JSON text to values, losing nothing without a word.

Python's own reader lets the last of several equal keys win, and takes Infinity for a number.
Here both are errors. NaN, which exporters write where a value is missing, is missing. Integers
of any length stay exact.
"""

from __future__ import annotations

import json
from typing import Any


def read_json(text: str) -> Any:
    """Return the value of a JSON text.

    Raises
    ------
    ValueError
        It is no JSON (`json.JSONDecodeError`), a key stands twice in one object, or a number is
        infinite.
    RecursionError
        It is nested too deeply.

    Examples
    --------
    >>> read_json('{"id": 9007199254740993, "price": NaN}')
    {'id': 9007199254740993, 'price': None}
    >>> read_json('{"id": 1, "id": 2}')
    Traceback (most recent call last):
    ...
    ValueError: the key 'id' stands twice in one object
    """
    return _DECODER.decode(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice[:80]!r} stands twice in one object")
    return found


def _constant(name: str) -> None:
    if name != "NaN":
        raise ValueError(f"{name} is no number in JSON")


# Made once: json.loads makes one for each text as soon as it is told anything of its own.
_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)
